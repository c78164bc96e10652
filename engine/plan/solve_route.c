/* Routes that know their slack, and where an item would fit into them. */
#include <math.h>
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

/* ---- times with breaks ---- */

void ht__arrive_breaks(const struct ht__class *c, const int64_t *leave, uint32_t travel_s,
                       int64_t *arrive)
{
    for (uint32_t k = 0; k <= c->break_count; k++) {
        arrive[k] = HT__FAR;
    }
    for (uint32_t k = 0; k <= c->break_count; k++) {
        int64_t now_s = leave[k];
        int64_t left_s = travel_s;
        if (now_s >= HT__FAR) {
            continue;
        }
        arrive[k] = now_s + left_s < arrive[k] ? now_s + left_s : arrive[k];
        for (uint32_t b = k; b < c->break_count; b++) {
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

static bool in_time(const struct ht__class *c, const int64_t *arrive, const int64_t *latest)
{
    for (uint32_t k = 0; k <= c->break_count; k++) {
        if (arrive[k] <= latest[k]) {
            return true;
        }
    }
    return false;
}

/* The latest departure with k breaks taken: an arrival never gets earlier by leaving later, so it
 * can be halved for. */
static int64_t depart_breaks(const struct ht__class *c, uint32_t k, const int64_t *latest,
                             uint32_t travel_s)
{
    int64_t leave[HT__STATES];
    int64_t arrive[HT__STATES];
    int64_t good_s = c->window.from_s;
    int64_t bad_s = c->window.to_s + 1;
    for (uint32_t i = 0; i <= c->break_count; i++) {
        leave[i] = HT__FAR;
    }
    leave[k] = good_s;
    ht__arrive_breaks(c, leave, travel_s, arrive);
    if (!in_time(c, arrive, latest)) {
        return -HT__FAR;
    }
    while (bad_s - good_s > 1) {
        leave[k] = good_s + (bad_s - good_s) / 2;
        ht__arrive_breaks(c, leave, travel_s, arrive);
        if (in_time(c, arrive, latest)) {
            good_s = leave[k];
        } else {
            bad_s = leave[k];
        }
    }
    return good_s;
}

void ht__depart(const struct ht__class *c, const int64_t *latest, uint32_t travel_s,
                int64_t *depart)
{
    if (c->break_count == 0) {
        depart[0] = latest[0] - travel_s;
        return;
    }
    for (uint32_t k = 0; k <= c->break_count; k++) {
        depart[k] = depart_breaks(c, k, latest, travel_s);
    }
}

/* ---- memory ---- */

void ht__route_deinit(struct ht__route *route)
{
    free(route->task);
    free(route->location);
    free(route->leave);
    free(route->latest);
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
    to->cost = from->cost;
    to->travel_s = from->travel_s;
    to->distance_m = from->distance_m;
    memcpy(to->task, from->task, positions * sizeof *to->task);
    memcpy(to->location, from->location, positions * sizeof *to->location);
    memcpy(to->leave, from->leave, positions * states * sizeof *to->leave);
    memcpy(to->latest, from->latest, positions * states * sizeof *to->latest);
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

/* When one can leave a task who left at `leave` and drove so long; false: never. */
static inline bool stop_leave(const struct ht__model *model, const struct ht__class *c,
                              uint32_t task, bool moved, int64_t *times)
{
    const struct ht_task *stop = ht__task(model, task);
    uint32_t spent_s = action_s(c, task, moved);
    bool can = false;
    for (uint32_t k = 0; k <= c->break_count; k++) {
        int64_t begin_s = ht__begin(stop->windows, stop->window_count, times[k]);
        times[k] = begin_s >= HT__FAR ? HT__FAR : begin_s + spent_s;
        can = can || times[k] < HT__FAR;
    }
    return can;
}

static bool update_forward(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t end[HT__STATES];
    for (uint32_t k = 0; k < states; k++) {
        route->leave[k] = k == 0 ? c->window.from_s : HT__FAR;
    }
    route->cost = route->count == 0 ? 0 : c->fixed;
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
        route->cost += ht__price(c, way);
        route->travel_s += way->duration_s;
        route->distance_m += ht__metres(c, from, to);
        ht__arrive(c, route->leave + (size_t)(i - 1) * states, way->duration_s, times);
        if (!last && !stop_leave(model, c, route->task[i], from != to, times)) {
            return false;
        }
    }
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
        uint32_t spent_s =
            action_s(c, route->task[i], route->location[i - 1] != route->location[i]);
        latest = route->latest + (size_t)i * states;
        ht__depart(c, latest + states, ht__way(c, route->location[i], to)->duration_s, latest);
        for (uint32_t k = 0; k < states; k++) {
            latest[k] = latest[k] <= -HT__FAR
                            ? -HT__FAR
                            : latest_begin(stop->windows, stop->window_count, latest[k] - spent_s);
        }
    }
}

static bool update_loads(const struct ht__model *model, struct ht__route *route)
{
    size_t amounts = model->problem->amounts;
    bool fits = true;
    for (size_t d = 0; d < amounts; d++) {
        int64_t load = 0;
        int64_t most = 0;
        for (uint32_t i = 1; i <= route->count; i++) {
            load += model->delivery[route->task[i] * amounts + d];
        }
        for (uint32_t i = 0; i <= route->count + 1; i++) {
            if (i > 0 && i <= route->count) {
                size_t at = route->task[i] * amounts + d;
                load += model->pickup[at] - model->delivery[at] + model->shift[at];
            }
            most = load > most ? load : most;
            route->load[i * amounts + d] = load;
            route->most_to[i * amounts + d] = most;
        }
        fits = fits && most <= route->c->capacity[d];
        most = 0;
        for (uint32_t i = route->count + 2; i > 0; i--) {
            load = route->load[(i - 1) * amounts + d];
            most = load > most ? load : most;
            route->most_from[(i - 1) * amounts + d] = most;
        }
    }
    return fits;
}

bool ht__route_update(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t end = route->count + 1;
    route->task[0] = HT_PLAN_NONE;
    route->task[end] = HT_PLAN_NONE;
    route->location[0] = c->start;
    route->location[end] = c->end;
    for (uint32_t i = 1; i < end; i++) {
        route->location[i] = model->location[route->task[i]];
    }
    if (!update_forward(model, route) || !update_loads(model, route)) {
        return false;
    }
    update_backward(model, route);
    return route->count <= c->tasks_most && route->travel_s <= c->travel_most_s &&
           route->distance_m <= c->distance_most_m;
}

/* ---- chance ---- */

uint64_t ht__random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

void ht__blink_next(struct ht__blink *blink)
{
    if (blink->per_log == 0) {
        blink->left = UINT32_MAX;
        return;
    }
    float chance = ((float)(ht__random(&blink->random) >> 40) + 1) * 0x1p-24F;
    float skip = logf(chance) * blink->per_log;
    blink->left = skip < 1e6F ? (uint32_t)skip : 1000000;
}

static inline bool overlooked(struct ht__blink *blink)
{
    if (blink->left > 0) {
        blink->left--;
        return false;
    }
    ht__blink_next(blink);
    return true;
}

/* ---- where an item fits ---- */

/* Whether who leaves `from` at these times comes to position p, and to all behind it, in time. */
static bool joins(const struct ht__model *model, const struct ht__route *route, uint32_t p,
                  uint32_t from, const int64_t *leave)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t times[HT__STATES];
    int64_t next[HT__STATES];
    uint32_t to = route->location[p];
    ht__arrive(c, leave, ht__way(c, from, to)->duration_s, times);
    bool setup = model->setups && p <= route->count && from != to && route->location[p - 1] == to;
    if (!setup) {
        return in_time(c, times, route->latest + (size_t)p * states);
    }
    /* a setup that was not needed before: the known slack is without it */
    if (!stop_leave(model, c, route->task[p], true, times)) {
        return false;
    }
    ht__arrive(c, times, ht__way(c, to, route->location[p + 1])->duration_s, next);
    return in_time(c, next, route->latest + (size_t)(p + 1) * states);
}

/* Leaves a task that is reached from location `from`. */
static inline bool reach(const struct ht__model *model, const struct ht__class *c, uint32_t task,
                         uint32_t from, const int64_t *leave, int64_t *out)
{
    uint32_t to = model->location[task];
    ht__arrive(c, leave, ht__way(c, from, to)->duration_s, out);
    return stop_leave(model, c, task, from != to, out);
}

static inline int64_t close_of(const struct ht__model *model, uint32_t task)
{
    const struct ht_task *stop = ht__task(model, task);
    return stop->window_count == 0 ? HT__FAR : stop->windows[stop->window_count - 1].to_s;
}

/* What a detour adds; INT64_MAX: there is no such way, or it is longer than the route may be. */
static inline int64_t detour(const struct ht__route *route, uint32_t from, uint32_t by, uint32_t to)
{
    const struct ht__class *c = route->c;
    const struct ht__cell *there = ht__way(c, from, by);
    const struct ht__cell *on = ht__way(c, by, to);
    if (there->duration_s == HT_PLAN_NO_WAY || on->duration_s == HT_PLAN_NO_WAY) {
        return INT64_MAX;
    }
    return ht__price(c, there) + ht__price(c, on) -
           (route->count == 0 ? -c->fixed : ht__price(c, ht__way(c, from, to)));
}

/* Whether the route may become so much longer: [0] travel, [1] distance. */
static bool longer(const struct ht__route *route, const uint32_t *way, uint32_t count,
                   bool replaces)
{
    const struct ht__class *c = route->c;
    int64_t travel_s = route->travel_s;
    int64_t distance_m = route->distance_m;
    if (c->travel_most_s == HT_PLAN_UNLIMITED && c->distance_m == NULL) {
        return true;
    }
    for (uint32_t i = 1; i < count; i++) {
        travel_s += ht__way(c, way[i - 1], way[i])->duration_s;
        distance_m += ht__metres(c, way[i - 1], way[i]);
    }
    if (replaces && route->count > 0) {
        travel_s -= ht__way(c, way[0], way[count - 1])->duration_s;
        distance_m -= ht__metres(c, way[0], way[count - 1]);
    }
    return travel_s <= c->travel_most_s && distance_m <= c->distance_most_m;
}

static bool job_loads(const struct ht__model *model, const struct ht__route *route, uint32_t i,
                      uint32_t task)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        size_t at = task * amounts + d;
        if (route->most_to[i * amounts + d] + model->delivery[at] > route->c->capacity[d] ||
            route->most_from[i * amounts + d] + model->pickup[at] > route->c->capacity[d]) {
            return false;
        }
    }
    return true;
}

static bool job_spot(const struct ht__model *model, const struct ht__route *route, uint32_t task,
                     struct ht__blink *blink, struct ht__spot *spot)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    uint32_t here = model->location[task];
    int64_t close_s = close_of(model, task);
    bool found = false;
    int64_t times[HT__STATES];
    for (uint32_t i = route->pinned; i <= route->count; i++) {
        if (route->leave[(size_t)i * states] > close_s) {
            break; /* from here on it is too late */
        }
        if (overlooked(blink)) {
            continue;
        }
        int64_t cost = detour(route, route->location[i], here, route->location[i + 1]);
        if (cost >= spot->cost || !job_loads(model, route, i, task) ||
            !reach(model, c, task, route->location[i], route->leave + (size_t)i * states, times) ||
            !joins(model, route, i + 1, here, times)) {
            continue;
        }
        const uint32_t way[] = {route->location[i], here, route->location[i + 1]};
        if (longer(route, way, 3, true)) {
            *spot = (struct ht__spot){cost, i, i};
            found = true;
        }
    }
    return found;
}

/* A shipment whose pickup goes behind position i. */
struct pair {
    uint32_t pickup;
    uint32_t delivery;
    uint32_t i;
    int64_t close_s; /* of the delivery */
    int64_t leave[HT__STATES];
};

static bool pair_load(const struct ht__model *model, const struct ht__route *route,
                      const struct pair *pair, uint32_t at)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        if (route->load[at * amounts + d] + model->shift[pair->pickup * amounts + d] >
            route->c->capacity[d]) {
            return false;
        }
    }
    return true;
}

static bool pair_together(const struct ht__model *model, const struct ht__route *route,
                          const struct pair *pair, struct ht__spot *spot)
{
    const struct ht__class *c = route->c;
    const uint32_t way[] = {route->location[pair->i], model->location[pair->pickup],
                            model->location[pair->delivery], route->location[pair->i + 1]};
    const struct ht__cell *between = ht__way(c, way[1], way[2]);
    const struct ht__cell *first = ht__way(c, way[0], way[1]);
    const struct ht__cell *last = ht__way(c, way[2], way[3]);
    if (between->duration_s == HT_PLAN_NO_WAY || first->duration_s == HT_PLAN_NO_WAY ||
        last->duration_s == HT_PLAN_NO_WAY) {
        return false;
    }
    int64_t cost = ht__price(c, first) + ht__price(c, between) + ht__price(c, last) -
                   (route->count == 0 ? -c->fixed : ht__price(c, ht__way(c, way[0], way[3])));
    int64_t times[HT__STATES];
    if (cost >= spot->cost || !reach(model, c, pair->delivery, way[1], pair->leave, times) ||
        !joins(model, route, pair->i + 1, way[2], times) || !longer(route, way, 4, true)) {
        return false;
    }
    *spot = (struct ht__spot){cost, pair->i, pair->i};
    return true;
}

/* The limits of length where pickup and delivery lie apart. */
static bool pair_longer(const struct ht__model *model, const struct ht__route *route,
                        const struct pair *pair, uint32_t j)
{
    const struct ht__class *c = route->c;
    if (c->travel_most_s == HT_PLAN_UNLIMITED && c->distance_m == NULL) {
        return true;
    }
    const uint32_t way[] = {route->location[pair->i], model->location[pair->pickup],
                            route->location[pair->i + 1]};
    const uint32_t then[] = {route->location[j], model->location[pair->delivery],
                             route->location[j + 1]};
    int64_t travel_s = route->travel_s;
    int64_t distance_m = route->distance_m;
    for (uint32_t i = 0; i < 2; i++) {
        travel_s += (int64_t)ht__way(c, way[i], way[i + 1])->duration_s +
                    ht__way(c, then[i], then[i + 1])->duration_s;
        distance_m += ht__metres(c, way[i], way[i + 1]) + ht__metres(c, then[i], then[i + 1]);
    }
    travel_s -=
        (int64_t)ht__way(c, way[0], way[2])->duration_s + ht__way(c, then[0], then[2])->duration_s;
    distance_m -= ht__metres(c, way[0], way[2]) + ht__metres(c, then[0], then[2]);
    return travel_s <= c->travel_most_s && distance_m <= c->distance_most_m;
}

static bool pair_apart(const struct ht__model *model, const struct ht__route *route,
                       struct pair *pair, struct ht__blink *blink, struct ht__spot *spot)
{
    const struct ht__class *c = route->c;
    uint32_t from = model->location[pair->pickup];
    uint32_t here = model->location[pair->delivery];
    int64_t first = detour(route, route->location[pair->i], from, route->location[pair->i + 1]);
    int64_t times[HT__STATES];
    bool found = false;
    if (first >= spot->cost || !joins(model, route, pair->i + 1, from, pair->leave)) {
        return false;
    }
    for (uint32_t j = pair->i + 1; j <= route->count; j++) {
        memcpy(times, pair->leave, sizeof times);
        if (!reach(model, c, route->task[j], from, times, pair->leave) ||
            !pair_load(model, route, pair, j) || pair->leave[0] > pair->close_s) {
            break;
        }
        from = route->location[j];
        if (overlooked(blink)) {
            continue;
        }
        int64_t cost = detour(route, from, here, route->location[j + 1]);
        if (cost == INT64_MAX || first + cost >= spot->cost ||
            !reach(model, c, pair->delivery, from, pair->leave, times) ||
            !joins(model, route, j + 1, here, times) || !pair_longer(model, route, pair, j)) {
            continue;
        }
        *spot = (struct ht__spot){first + cost, pair->i, j};
        found = true;
    }
    return found;
}

static bool pair_spot(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                      struct ht__blink *blink, struct ht__spot *spot)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t close_s = close_of(model, item);
    struct pair pair = {.pickup = item, .delivery = item + 1, .close_s = close_of(model, item + 1)};
    bool found = false;
    for (uint32_t i = route->pinned; i <= route->count; i++) {
        const int64_t *leave = route->leave + (size_t)i * states;
        if (leave[0] > close_s) {
            break;
        }
        pair.i = i;
        if (overlooked(blink) || !pair_load(model, route, &pair, i) ||
            ht__way(c, route->location[i], model->location[item])->duration_s == HT_PLAN_NO_WAY ||
            !reach(model, c, item, route->location[i], leave, pair.leave)) {
            continue;
        }
        found = pair_together(model, route, &pair, spot) || found;
        found = (i < route->count && pair_apart(model, route, &pair, blink, spot)) || found;
    }
    return found;
}

bool ht__route_spot(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                    struct ht__blink *blink, struct ht__spot *spot)
{
    if (ht__task(model, item)->kind == HT_TASK_PICKUP) {
        return route->c->tasks_most - 1 > route->count && route->c->tasks_most > 1 &&
               pair_spot(model, route, item, blink, spot);
    }
    return route->c->tasks_most > route->count && job_spot(model, route, item, blink, spot);
}

bool ht__route_put(const struct ht__model *model, struct ht__route *route, uint32_t item,
                   const struct ht__spot *spot)
{
    uint32_t last = ht__item_last(model, item);
    uint32_t end = route->count + 1;
    uint32_t more = last == item ? 1 : 2;
    for (uint32_t i = end; i > spot->last; i--) {
        route->task[i + more] = route->task[i];
    }
    if (more == 2) {
        for (uint32_t i = spot->last; i > spot->first; i--) {
            route->task[i + 1] = route->task[i];
        }
        route->task[spot->last + 2] = last;
    }
    route->task[spot->first + 1] = item;
    route->count += more;
    return ht__route_update(model, route);
}
