/* What a route of a vehicle without breaks costs and whether it keeps the rules: where loads come
 * on board, how much there is of them, and the earliest times that keep all rides.
 *
 *      s --- [A] --- a1 --- a2 --- [B] --- b1 --- a3 --- e        a3 came on board at A
 *             |<---------- ride of a3 ------------->|
 *
 * Whoever arrives too early at A waits there, not on the way, where that shortens a ride. */
#include "engine/plan/solve_internal.h"

/* ---- where loads come on board ---- */

/* The last reload so far that has what a task delivers. */
static uint32_t board_of(const struct ht_task *task, uint32_t last_any, const uint32_t *last)
{
    uint64_t left = task->loads_at;
    uint32_t at = HT_PLAN_NONE;
    if (left == 0) {
        return last_any;
    }
    for (; left != 0; left &= left - 1) {
        uint32_t place = last[__builtin_ctzll(left)];
        at = place != HT_PLAN_NONE && (at == HT_PLAN_NONE || place > at) ? place : at;
    }
    return at;
}

static uint32_t pickup_of(const struct ht__route *route, uint32_t i)
{
    uint32_t at = i - 1;
    while (at > 0 && route->task[at] != route->task[i] - 1) {
        at--;
    }
    return at;
}

bool ht__boards_set(const struct ht__model *model, struct ht__route *route)
{
    uint32_t last[HT_PLAN_RELOADS_MOST + 1]; /* the start behind them */
    uint32_t last_any = 0;
    uint32_t tasks = model->problem->task_count;
    uint64_t passed = HT_PLAN_AT_START;
    bool good = true;
    for (uint32_t r = 0; r < model->problem->reload_count; r++) {
        last[r] = HT_PLAN_NONE;
    }
    last[HT_PLAN_RELOADS_MOST] = 0;
    route->reloads = 0;
    route->runs = 0;
    route->loaded[0] = passed;
    route->aboard[0] = 0;
    for (uint32_t i = 1; i <= route->count; i++) {
        uint32_t stop = route->task[i];
        const struct ht_task *task = ht__task(model, stop);
        uint32_t at = i;
        route->aboard[i] = 0;
        if (ht__is_reload(model, stop)) {
            passed |= UINT64_C(1) << (stop - tasks);
            last[stop - tasks] = i;
            last_any = i;
            route->runs += i == 1 || !ht__is_reload(model, route->task[i - 1]);
            route->reloads++;
        } else if (task->kind == HT_TASK_JOB) {
            at = board_of(task, last_any, last);
            good = good && at != HT_PLAN_NONE;
            at = at == HT_PLAN_NONE ? 0 : at;
            route->aboard[at]++;
        } else if (task->kind == HT_TASK_DELIVERY && model->rides) {
            at = pickup_of(route, i);
        }
        route->board[i] = at;
        route->loaded[i] = passed;
    }
    return good;
}

/* ---- loads ---- */

/* What comes on board at each position, summed up at [position * amounts]. */
static void boards_sum(const struct ht__model *model, struct ht__route *route)
{
    size_t amounts = model->problem->amounts;
    memset(route->load, 0, ((size_t)route->count + 2) * amounts * sizeof *route->load);
    for (uint32_t i = 1; i <= route->count; i++) {
        size_t at = model->boards ? route->board[i] : 0;
        const int64_t *delivery = model->delivery + route->task[i] * amounts;
        for (size_t d = 0; d < amounts; d++) {
            route->load[at * amounts + d] += delivery[d];
        }
    }
}

bool ht__route_loads(const struct ht__model *model, struct ht__route *route)
{
    size_t amounts = model->problem->amounts;
    int64_t now[HT_PLAN_AMOUNTS_MOST] = {0};
    int64_t collected[HT_PLAN_AMOUNTS_MOST] = {0}; /* by jobs of this trip */
    bool fits = true;
    if (amounts == 0) {
        return true;
    }
    boards_sum(model, route);
    for (uint32_t i = 0; i <= route->count + 1; i++) {
        bool stop = i > 0 && i <= route->count;
        bool reload = stop && ht__is_reload(model, route->task[i]);
        size_t at = i * amounts;
        size_t task = stop && !reload ? route->task[i] * amounts : 0;
        for (size_t d = 0; d < amounts; d++) {
            now[d] += route->load[at + d];
            if (reload) {
                now[d] -= collected[d];
                collected[d] = 0;
            } else if (stop) {
                now[d] +=
                    model->pickup[task + d] - model->delivery[task + d] + model->shift[task + d];
                collected[d] += model->pickup[task + d];
            }
            int64_t most = i == 0 || reload ? 0 : route->most_to[at - amounts + d];
            fits = fits && now[d] <= route->c->capacity[d];
            route->load[at + d] = now[d];
            route->most_to[at + d] = now[d] > most ? now[d] : most;
        }
    }
    return fits;
}

/* The greatest load from each position to the end of its trip. */
void ht__route_loads_behind(const struct ht__model *model, struct ht__route *route)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        int64_t most = 0;
        for (uint32_t i = route->count + 2; i > 0; i--) {
            bool ends = i <= route->count && ht__is_reload(model, route->task[i]);
            int64_t load = route->load[(i - 1) * amounts + d];
            most = load > most || ends ? load : most;
            route->most_from[(i - 1) * amounts + d] = most;
        }
    }
}

/* ---- times ---- */

static inline int64_t action_s(const struct ht__model *model, const struct ht__route *route,
                               uint32_t i)
{
    const struct ht__class *c = route->c;
    uint32_t task = route->task[i];
    return i == 0 ? 0
                  : (int64_t)c->service_s[task] +
                        (ht__apart(model, route->location[i - 1], route->location[i])
                             ? c->setup_s[task]
                             : 0);
}

/* What a stop that begins then costs. */
static inline int64_t stop_cost(const struct ht__model *model, const struct ht__route *route,
                                uint32_t i, int64_t begin_s)
{
    const struct ht_task *task = ht__task(model, route->task[i]);
    int64_t cost = route->c->per_task == 0 ? 0 : action_s(model, route, i) * route->c->per_task;
    if (model->due && begin_s > task->due_s) {
        cost += (begin_s - task->due_s) * task->late_per_hour * 5;
    }
    return cost + ht__moved(model, route->vehicle, route->task[i]);
}

/* The earliest times with the holds there are, and what they cost. */
static bool forward(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    int64_t now_s = c->window.from_s;
    if (model->rides && route->hold[0] > now_s) {
        if (c->at_once) {
            return false;
        }
        now_s = route->hold[0];
    }
    route->leave[0] = now_s;
    route->edge[0] = -c->fixed;
    route->cost = route->count == 0 ? 0 : c->fixed;
    route->travel_s = 0;
    route->distance_m = 0;
    int64_t work_s = 0;
    for (uint32_t i = 1; route->count > 0 && i <= route->count + 1; i++) {
        uint32_t from = route->location[i - 1];
        uint32_t to = route->location[i];
        const struct ht__cell *way = ht__way(c, from, to);
        if (way->duration_s == HT_PLAN_NO_WAY) {
            return false;
        }
        route->way_s[i - 1] = way->duration_s;
        route->edge[i - 1] = ht__price(c, way);
        route->cost += route->edge[i - 1];
        route->travel_s += way->duration_s;
        route->distance_m += ht__metres(c, from, to);
        now_s += way->duration_s;
        if (i > route->count) {
            break;
        }
        const struct ht_task *task = ht__task(model, route->task[i]);
        now_s = model->rides && route->hold[i] > now_s ? route->hold[i] : now_s;
        now_s = ht__begin(task->windows, task->window_count, now_s);
        if (now_s >= HT__FAR) {
            return false;
        }
        route->cost += stop_cost(model, route, i, now_s);
        int64_t spent_s = action_s(model, route, i);
        work_s += spent_s;
        now_s += spent_s;
        route->leave[i] = now_s;
    }
    route->cost += ht__balance(model, route->travel_s + work_s);
    return route->count == 0 || now_s <= c->window.to_s;
}

/* Nothing is loaded before it is ready. */
static void holds_begin(const struct ht__model *model, struct ht__route *route)
{
    for (uint32_t i = 0; i <= route->count + 1; i++) {
        route->hold[i] = -HT__FAR;
    }
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct ht_task *task = ht__task(model, route->task[i]);
        int64_t *hold = &route->hold[route->board[i]];
        if (task->ready_s != 0 && task->ready_s > *hold) {
            *hold = task->ready_s;
        }
    }
}

/* Whoever loaded too early for a ride holds on for as long; true: nobody did. */
static bool holds_raise(const struct ht__model *model, struct ht__route *route)
{
    bool settled = true;
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct ht_task *task = ht__task(model, route->task[i]);
        if (task->ride_most_s == 0 || task->kind == HT_TASK_PICKUP) {
            continue;
        }
        uint32_t at = route->board[i];
        int64_t left_s = route->leave[i] - action_s(model, route, i) - task->ride_most_s;
        if (route->leave[at] < left_s) {
            int64_t hold_s = left_s - action_s(model, route, at);
            route->hold[at] = hold_s > route->hold[at] ? hold_s : route->hold[at];
            settled = false;
        }
    }
    return settled;
}

/* What follows from a hold is reckoned again. That settles after as many rounds as there are rides,
 * or never (a positive cycle of Bellman and Ford's). */
bool ht__trip_price(const struct ht__model *model, struct ht__route *route)
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
    if ((model->boards && !ht__boards_set(model, route)) || route->runs > c->reloads_most ||
        route->count - route->reloads > c->tasks_most || !ht__route_loads(model, route)) {
        return false;
    }
    if (model->rides) {
        holds_begin(model, route);
    }
    bool settled = !model->rides;
    if (!forward(model, route)) {
        return false;
    }
    for (uint32_t round = 0; !settled && round <= 2 * route->count + 2; round++) {
        settled = holds_raise(model, route);
        if (!settled && !forward(model, route)) {
            return false;
        }
    }
    return settled && route->travel_s <= c->travel_most_s &&
           route->distance_m <= c->distance_most_m;
}

/* A ride gets shorter by waiting where one loads, but never than what it takes without waiting. */
void ht__rides_set(const struct ht__model *model, struct ht__route *route)
{
    int64_t now_s = 0;
    for (uint32_t i = 0; i <= route->count + 1; i++) {
        route->slack_s[i] = HT__FAR;
        if (i > 0 && i <= route->count) {
            now_s += route->way_s[i - 1] + action_s(model, route, i);
        }
        route->work_s[i] = now_s;
    }
    for (uint32_t i = 1; i <= route->count; i++) {
        const struct ht_task *task = ht__task(model, route->task[i]);
        uint32_t board = route->board[i];
        if (task->ride_most_s == 0 || task->kind == HT_TASK_PICKUP) {
            continue;
        }
        int64_t left_s = task->ride_most_s + route->work_s[board] -
                         (route->work_s[i] - action_s(model, route, i));
        for (uint32_t p = board + 1; p <= i; p++) {
            route->slack_s[p] = left_s < route->slack_s[p] ? left_s : route->slack_s[p];
        }
    }
}

/* ---- reloads that are not needed ---- */

/* Leaves out the reload at a position where the rules still hold and it costs no more. */
static bool reload_out(const struct ht__model *model, struct ht__route *route, uint32_t p)
{
    uint32_t reload = route->task[p];
    int64_t cost = route->cost;
    for (uint32_t i = p; i < route->count; i++) {
        route->task[i] = route->task[i + 1];
    }
    route->count--;
    if (ht__route_refresh(model, route) && route->cost <= cost) {
        return true;
    }
    for (uint32_t i = ++route->count; i > p; i--) {
        route->task[i] = route->task[i - 1];
    }
    route->task[p] = reload;
    return false;
}

/* Whether the reload at a position serves nothing: nobody's load comes on board there; or, where
 * all are alike, there is no stop between it and the start, the next or the end. */
static bool reload_idle(const struct ht__model *model, const struct ht__route *route, uint32_t p,
                        bool first)
{
    if (model->tagged) {
        return route->aboard[p] == 0;
    }
    return first || p == route->count || ht__is_reload(model, route->task[p + 1]);
}

/* Whether what is loaded at a position was to be had before. */
static bool reload_again(const struct ht__model *model, const struct ht__route *route, uint32_t p)
{
    uint32_t reload = route->task[p] - model->problem->task_count;
    return !model->tagged || (route->loaded[p - 1] >> reload & 1) != 0;
}

bool ht__route_settle(const struct ht__model *model, struct ht__route *route)
{
    uint32_t kept = 0;
    if (model->tagged) {
        (void)ht__boards_set(model, route);
    }
    for (uint32_t p = 1; p <= route->count; p++) {
        if (p <= route->pinned || !ht__is_reload(model, route->task[p]) ||
            !reload_idle(model, route, p, kept == 0)) {
            route->task[++kept] = route->task[p];
        }
    }
    route->count = kept;
    bool good = ht__route_refresh(model, route);
    for (uint32_t p = route->count; good && route->reloads > 0 && p > route->pinned; p--) {
        if (ht__is_reload(model, route->task[p]) && reload_again(model, route, p) &&
            !reload_out(model, route, p)) {
            good = ht__route_refresh(model, route);
        }
    }
    return good;
}
