/* Routes that know their slack. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

/* ---- times with breaks ---- */

void ht__arrive_breaks(const struct ht__class *c, const int64_t *leave, struct ht__leg leg,
                       int64_t *arrive)
{
    for (uint32_t k = 0; k <= c->break_count; k++) {
        arrive[k] = HT__FAR;
    }
    for (uint32_t k = 0; k <= c->break_count; k++) {
        int64_t now_s = leave[k];
        int64_t left_s = leg.travel_s;
        if (now_s >= HT__FAR) {
            continue;
        }
        arrive[k] = now_s + left_s < arrive[k] ? now_s + left_s : arrive[k];
        for (uint32_t b = k; b < c->break_count && (leg.may >> b & 1) != 0; b++) {
            /* it begins as early as it may; until then one drives on */
            int64_t begin_s = ht__begin(c->breaks[b].windows, c->breaks[b].window_count, now_s);
            if (begin_s >= HT__FAR) {
                break;
            }
            left_s -= begin_s - now_s < left_s ? begin_s - now_s : left_s;
            now_s = begin_s + c->breaks[b].service_s;
            arrive[b + 1] = now_s + left_s < arrive[b + 1] ? now_s + left_s : arrive[b + 1];
        }
    }
}

/* The latest departure with k breaks taken: an arrival never gets earlier by leaving later, so it
 * can be halved for. */
static int64_t depart_breaks(const struct ht__class *c, uint32_t k, const int64_t *latest,
                             struct ht__leg leg)
{
    int64_t leave[HT__STATES];
    int64_t arrive[HT__STATES];
    int64_t good_s = c->window.from_s;
    int64_t bad_s = c->window.to_s + 1;
    for (uint32_t i = 0; i <= c->break_count; i++) {
        leave[i] = HT__FAR;
    }
    leave[k] = good_s;
    ht__arrive_breaks(c, leave, leg, arrive);
    if (!ht__in_time(c, arrive, latest)) {
        return -HT__FAR;
    }
    while (bad_s - good_s > 1) {
        leave[k] = good_s + (bad_s - good_s) / 2;
        ht__arrive_breaks(c, leave, leg, arrive);
        if (ht__in_time(c, arrive, latest)) {
            good_s = leave[k];
        } else {
            bad_s = leave[k];
        }
    }
    return good_s;
}

void ht__depart(const struct ht__class *c, const int64_t *latest, struct ht__leg leg,
                int64_t *depart)
{
    if (c->break_count == 0) {
        depart[0] = latest[0] - leg.travel_s;
        return;
    }
    for (uint32_t k = 0; k <= c->break_count; k++) {
        depart[k] = depart_breaks(c, k, latest, leg);
    }
}

/* ---- memory ---- */

void ht__route_deinit(struct ht__route *route)
{
    free(route->task);
    free(route->location);
    free(route->leave);
    free(route->latest);
    free(route->edge);
    free(route->way_s);
    free(route->hold);
    free(route->board);
    free(route->aboard);
    free(route->loaded);
    free(route->work_s);
    free(route->slack_s);
    free(route->load);
    *route = (struct ht__route){0};
}

static bool grow(void *data, size_t count, size_t item)
{
    void **block = data;
    void *larger = count > SIZE_MAX / item ? NULL : realloc(*block, count * item + 1);
    if (larger != NULL) {
        *block = larger;
    }
    return larger != NULL;
}

enum ht_status ht__route_room(const struct ht__model *model, struct ht__route *route,
                              uint32_t stops)
{
    /* a route's room is for whatever class, since copies of routes change it */
    size_t states = 1;
    size_t amounts = model->problem->amounts;
    if (stops + 2 <= route->room) {
        return HT_OK;
    }
    for (uint32_t c = 0; c < model->class_count; c++) {
        size_t own = (size_t)model->classes[c].break_count + 1;
        states = own > states ? own : states;
    }
    uint32_t room = stops + 2 + stops / 2 + 6;
    if (!grow(&route->task, room, sizeof *route->task) ||
        !grow(&route->location, room, sizeof *route->location) ||
        !grow(&route->leave, room * states, sizeof *route->leave) ||
        !grow(&route->latest, room * states, sizeof *route->latest) ||
        !grow(&route->edge, room, sizeof *route->edge) ||
        !grow(&route->way_s, room, sizeof *route->way_s) ||
        !grow(&route->hold, room, sizeof *route->hold) ||
        !grow(&route->board, room, sizeof *route->board) ||
        !grow(&route->aboard, room, sizeof *route->aboard) ||
        !grow(&route->loaded, room, sizeof *route->loaded) ||
        !grow(&route->work_s, room, sizeof *route->work_s) ||
        !grow(&route->slack_s, room, sizeof *route->slack_s) ||
        !grow(&route->load, room * amounts * 3, sizeof *route->load)) {
        return HT_NOMEM;
    }
    /* the three loads lie behind each other; what they held is made anew */
    route->room = room;
    route->most_to = route->load + room * amounts;
    route->most_from = route->most_to + room * amounts;
    return route->count > 0 && !ht__route_update(model, route) ? HT_INVALID : HT_OK;
}

enum ht_status ht__route_copy(const struct ht__model *model, struct ht__route *to,
                              const struct ht__route *from)
{
    size_t positions = (size_t)from->count + 2;
    size_t states = (size_t)from->c->break_count + 1;
    size_t amounts = model->problem->amounts;
    to->count = 0;
    enum ht_status status = ht__route_room(model, to, from->count);
    if (status != HT_OK) {
        return status;
    }
    to->c = from->c;
    to->vehicle = from->vehicle;
    to->count = from->count;
    to->pinned = from->pinned;
    to->reloads = from->reloads;
    to->runs = from->runs;
    to->cost = from->cost;
    to->travel_s = from->travel_s;
    to->distance_m = from->distance_m;
    to->stamp = from->stamp;
    memcpy(to->task, from->task, positions * sizeof *to->task);
    memcpy(to->location, from->location, positions * sizeof *to->location);
    memcpy(to->leave, from->leave, positions * states * sizeof *to->leave);
    memcpy(to->latest, from->latest, positions * states * sizeof *to->latest);
    memcpy(to->way_s, from->way_s, positions * sizeof *to->way_s);
    memcpy(to->hold, from->hold, positions * sizeof *to->hold);
    memcpy(to->edge, from->edge, positions * sizeof *to->edge);
    if (model->rides) {
        memcpy(to->work_s, from->work_s, positions * sizeof *to->work_s);
        memcpy(to->slack_s, from->slack_s, positions * sizeof *to->slack_s);
    }
    if (model->boards) {
        memcpy(to->board, from->board, positions * sizeof *to->board);
        memcpy(to->aboard, from->aboard, positions * sizeof *to->aboard);
        memcpy(to->loaded, from->loaded, positions * sizeof *to->loaded);
    }
    if (from->c->plain && model->deliveries) {
        memcpy(to->load, from->load, amounts * sizeof *to->load);
        return HT_OK;
    }
    memcpy(to->load, from->load, positions * amounts * sizeof *to->load);
    memcpy(to->most_to, from->most_to, positions * amounts * sizeof *to->most_to);
    memcpy(to->most_from, from->most_from, positions * amounts * sizeof *to->most_from);
    return HT_OK;
}

/* ---- what a route knows ---- */

static inline uint32_t action_s(const struct ht__class *c, uint32_t task, bool moved)
{
    return c->service_s[task] + (moved ? c->setup_s[task] : 0);
}

/* At stop i, who arrives at these times: what it costs, and when it is left. */
static bool stop_do(const struct ht__model *model, struct ht__route *route, uint32_t i,
                    int64_t *times)
{
    const struct ht__class *c = route->c;
    bool moved = ht__apart(model, route->location[i - 1], route->location[i]);
    if (!ht__stop_leave(model, c, route->task[i], moved, times)) {
        return false;
    }
    route->cost += action_s(c, route->task[i], moved) * c->per_task +
                   ht__moved(model, route->vehicle, route->task[i]);
    return true;
}

static void balance_add(const struct ht__model *model, struct ht__route *route)
{
    int64_t spent_s = route->travel_s;
    for (uint32_t i = 1; model->problem->balance > 0 && i <= route->count; i++) {
        bool moved = ht__apart(model, route->location[i - 1], route->location[i]);
        spent_s += action_s(route->c, route->task[i], moved);
    }
    route->cost += ht__balance(model, spent_s);
}

/* With breaks, which go with neither rides nor soft windows. */
static bool update_forward(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t end[HT__STATES] = {0};
    for (uint32_t k = 0; k < states; k++) {
        route->leave[k] = k == 0 ? c->window.from_s : HT__FAR;
    }
    route->cost = route->count == 0 ? 0 : c->fixed;
    route->edge[0] = -c->fixed;
    route->travel_s = 0;
    route->distance_m = 0;
    for (uint32_t i = 1; route->count > 0 && i <= route->count + 1; i++) {
        uint32_t from = route->location[i - 1];
        uint32_t to = route->location[i];
        const struct ht__cell *way = ht__way(c, from, to);
        bool last = i > route->count;
        int64_t *times = last ? end : route->leave + (size_t)i * states;
        if (way->duration_s == HT_PLAN_NO_WAY) {
            return false;
        }
        route->way_s[i - 1] = way->duration_s;
        route->edge[i - 1] = ht__price(c, way);
        route->cost += route->edge[i - 1];
        route->travel_s += way->duration_s;
        route->distance_m += ht__metres(c, from, to);
        ht__arrive(c, route->leave + (size_t)(i - 1) * states,
                   ht__leg(model, route, i - 1, way->duration_s), times);
        if (!last && !stop_do(model, route, i, times)) {
            return false;
        }
    }
    balance_add(model, route);
    return route->count == 0 || end[c->break_count] <= c->window.to_s;
}

static int64_t latest_begin(const struct ht_window *windows, uint32_t count, int64_t time_s)
{
    if (count == 0) {
        return time_s;
    }
    for (uint32_t i = count; i > 0; i--) {
        if (windows[i - 1].from_s <= time_s) {
            return time_s < windows[i - 1].to_s ? time_s : windows[i - 1].to_s;
        }
    }
    return -HT__FAR;
}

static void update_backward(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t *latest = route->latest + (size_t)(route->count + 1) * states;
    for (uint32_t k = 0; k < states; k++) {
        latest[k] = k + 1 == states ? c->window.to_s : -HT__FAR;
    }
    for (uint32_t i = route->count; i > 0; i--) {
        uint32_t to = route->location[i + 1];
        const struct ht_task *stop = ht__task(model, route->task[i]);
        uint32_t spent_s = action_s(c, route->task[i],
                                    ht__apart(model, route->location[i - 1], route->location[i]));
        latest = route->latest + (size_t)i * states;
        ht__depart(c, latest + states,
                   ht__leg(model, route, i, ht__way(c, route->location[i], to)->duration_s),
                   latest);
        for (uint32_t k = 0; k < states; k++) {
            latest[k] = latest[k] <= -HT__FAR
                            ? -HT__FAR
                            : latest_begin(stop->windows, stop->window_count, latest[k] - spent_s);
        }
    }
}

uint32_t ht__route_may_break(const struct ht__model *model, const struct ht__route *route,
                             uint32_t i)
{
    size_t amounts = model->problem->amounts;
    uint32_t may = 0;
    for (uint32_t b = 0; b < route->c->break_count; b++) {
        const int64_t *most = route->c->breaks[b].load_most;
        bool can = true;
        for (size_t d = 0; most != NULL && d < amounts; d++) {
            can = can && route->load[i * amounts + d] <= most[d];
        }
        may |= can ? UINT32_C(1) << b : 0;
    }
    return may;
}

static bool breaks_update(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t end = route->count + 1;
    route->stamp = 0;
    route->task[0] = HT_PLAN_NONE;
    route->task[end] = HT_PLAN_NONE;
    route->location[0] = c->start;
    route->location[end] = c->end;
    for (uint32_t i = 1; i < end; i++) {
        route->location[i] = model->location[route->task[i]];
    }
    return (!model->boards || ht__boards_set(model, route)) && ht__route_loads(model, route) &&
           update_forward(model, route) && route->count - route->reloads <= c->tasks_most &&
           route->runs <= c->reloads_most && route->travel_s <= c->travel_most_s &&
           route->distance_m <= c->distance_most_m;
}

bool ht__route_update(const struct ht__model *model, struct ht__route *route)
{
    if (route->c->break_count == 0 ? !ht__trip_price(model, route) : !breaks_update(model, route)) {
        return false;
    }
    ht__route_loads_behind(model, route);
    update_backward(model, route);
    if (model->rides && route->c->break_count == 0) {
        ht__rides_set(model, route);
    }
    return true;
}
