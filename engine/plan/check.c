#include "engine/plan/check.h"

#include <stdlib.h>

#include "engine/base/array.h"

/* One route, walked from its start. */
struct walk {
    const struct ht_problem *problem;
    const struct ht_vehicle *vehicle;
    const struct ht_plan_route *route;
    struct ht_error *error;
    uint32_t *seen_by; /* [tasks] route + 1; 0: nobody yet */
    uint32_t number;   /* of the route, + 1 */
    uint32_t step;
    /* where it is */
    uint32_t location; /* HT_PLAN_NONE: nowhere yet */
    int64_t clock_s;   /* left the step before */
    int64_t travel_s;
    int64_t distance_m;
    int64_t price;
    uint32_t tasks;
    uint32_t pins; /* tasks and reloads: places in the vehicle's list */
    uint32_t breaks;
    int64_t load[HT_PLAN_AMOUNTS_MOST];
    uint32_t trips;                          /* ended */
    int64_t collected[HT_PLAN_AMOUNTS_MOST]; /* by jobs of this trip */
};

static enum ht_status broken(struct walk *walk, const char *rule)
{
    return ht_error_set(walk->error, HT_INVALID, 0, "vehicle %u, step %u: %s",
                        (unsigned)walk->route->vehicle, (unsigned)walk->step, rule);
}

static bool inside(const struct ht_window *windows, uint32_t count, int64_t time_s)
{
    if (count == 0) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (time_s >= windows[i].from_s && time_s <= windows[i].to_s) {
            return true;
        }
    }
    return false;
}

/* The way from where it is to `to` is added to what it travelled. */
static enum ht_status move(struct walk *walk, uint32_t to)
{
    const struct ht_plan_profile *profile = &walk->problem->profiles[walk->vehicle->profile];
    if (walk->location == HT_PLAN_NONE || to == HT_PLAN_NONE) {
        walk->location = to == HT_PLAN_NONE ? walk->location : to;
        return HT_OK;
    }
    size_t cell = (size_t)walk->location * walk->problem->location_count + to;
    if (profile->duration_s[cell] == HT_PLAN_NO_WAY ||
        (profile->distance_m != NULL && profile->distance_m[cell] == HT_PLAN_NO_WAY) ||
        (profile->cost != NULL && profile->cost[cell] == HT_PLAN_NO_WAY)) {
        return broken(walk, "goes where there is no way");
    }
    walk->travel_s += profile->duration_s[cell];
    walk->distance_m += profile->distance_m == NULL ? 0 : profile->distance_m[cell];
    if (profile->cost != NULL) {
        walk->price += (int64_t)profile->cost[cell] * HT_COST_SCALE;
    } else {
        walk->price += (int64_t)profile->duration_s[cell] * walk->vehicle->per_hour * 5;
        if (profile->distance_m != NULL) {
            walk->price += (int64_t)profile->distance_m[cell] * walk->vehicle->per_km * 18;
        }
    }
    walk->location = to;
    return HT_OK;
}

static enum ht_status load_check(struct walk *walk)
{
    const int64_t *told = walk->route->load + (size_t)walk->step * walk->problem->amounts;
    for (uint32_t i = 0; i < walk->problem->amounts; i++) {
        if (walk->load[i] < 0 || walk->load[i] > walk->vehicle->capacity[i]) {
            return broken(walk, "its load is more than it can hold");
        }
        if (walk->load[i] != told[i]) {
            return broken(walk, "its load is told wrong");
        }
    }
    return HT_OK;
}

static bool skilled(const struct walk *walk, const struct ht_task *task)
{
    for (uint32_t i = 0; task->skills != NULL && i < walk->problem->skill_words; i++) {
        uint64_t has = walk->vehicle->skills == NULL ? 0 : walk->vehicle->skills[i];
        if ((task->skills[i] & ~has) != 0) {
            return false;
        }
    }
    return true;
}

static enum ht_status task_once(struct walk *walk, uint32_t index)
{
    if (index >= walk->problem->task_count) {
        return broken(walk, "no such task");
    }
    const struct ht_task *task = &walk->problem->tasks[index];
    if (walk->seen_by[index] != 0) {
        return broken(walk, "a task is served twice");
    }
    walk->seen_by[index] = walk->number;
    if (task->kind == HT_TASK_DELIVERY && walk->seen_by[index - 1] != walk->number) {
        return broken(walk, "a shipment is delivered before it is picked up");
    }
    if (!skilled(walk, task)) {
        return broken(walk, "lacks a skill");
    }
    walk->tasks++;
    if (task->kind != HT_TASK_DELIVERY && walk->route->vehicle != task->home) {
        walk->price += task->move_cost * HT_COST_SCALE;
    }
    return HT_OK;
}

/* A task, or a reload as a number behind them, is where the vehicle's list wants it. */
static enum ht_status pin_check(struct walk *walk, uint32_t stop)
{
    if (walk->pins < walk->vehicle->pinned && walk->vehicle->tasks[walk->pins] != stop) {
        return broken(walk, "a pinned task was moved");
    }
    walk->pins++;
    return HT_OK;
}

static void task_load(struct walk *walk, const struct ht_task *task)
{
    for (uint32_t i = 0; i < walk->problem->amounts; i++) {
        int64_t up = task->pickup == NULL ? 0 : task->pickup[i];
        int64_t down = task->delivery == NULL ? 0 : task->delivery[i];
        walk->collected[i] += task->kind == HT_TASK_JOB ? up : 0;
        walk->load[i] += task->kind == HT_TASK_JOB      ? up - down
                         : task->kind == HT_TASK_PICKUP ? up
                                                        : -up;
    }
}

/* Times of a step: it came when the way let it come, and began within a window. */
static enum ht_status times_check(struct walk *walk, const struct ht_plan_step *step,
                                  int64_t arrival_s, const struct ht_window *windows,
                                  uint32_t window_count)
{
    if (step->arrival_s != arrival_s) {
        return broken(walk, "its arrival is not when it can arrive");
    }
    if (step->waiting_s < 0) {
        return broken(walk, "waits a negative time");
    }
    if (!inside(windows, window_count, step->arrival_s + step->waiting_s)) {
        return broken(walk, "begins outside of the time windows");
    }
    walk->clock_s = step->arrival_s + step->waiting_s + step->setup_s + step->service_s;
    return HT_OK;
}

/* The step at which what step s brings came on board: where it was picked up, the last reload that
 * has it, or the start; NULL: nowhere. */
static const struct ht_plan_step *boarded(const struct walk *walk, uint32_t s)
{
    uint32_t index = walk->route->steps[s].index;
    const struct ht_task *task = &walk->problem->tasks[index];
    while (s > 0) {
        const struct ht_plan_step *step = &walk->route->steps[--s];
        if (task->kind == HT_TASK_DELIVERY) {
            if (step->kind == HT_STEP_TASK && step->index == index - 1) {
                return step;
            }
        } else if ((step->kind == HT_STEP_START &&
                    (task->loads_at == 0 || (task->loads_at & HT_PLAN_AT_START) != 0)) ||
                   (step->kind == HT_STEP_RELOAD &&
                    (task->loads_at == 0 || (task->loads_at >> step->index & 1) != 0))) {
            return step;
        }
    }
    return NULL;
}

/* How long the load rode, and what being late and the work cost. */
static enum ht_status ride_check(struct walk *walk, const struct ht_plan_step *step)
{
    const struct ht_task *task = &walk->problem->tasks[step->index];
    int64_t begin_s = step->arrival_s + step->waiting_s;
    const struct ht_plan_step *from =
        task->ride_most_s == 0 && task->loads_at == 0 && task->ready_s == 0 ? step
        : task->kind == HT_TASK_PICKUP                                      ? step
                                       : boarded(walk, walk->step);
    if (from == NULL) {
        return broken(walk, "brings what it did not load");
    }
    if (from != step && task->ready_s != 0 && from->arrival_s + from->waiting_s < task->ready_s) {
        return broken(walk, "loads what is not ready");
    }
    if (from != step && task->ride_most_s > 0 &&
        begin_s - from->arrival_s - from->waiting_s - from->setup_s - from->service_s >
            task->ride_most_s) {
        return broken(walk, "a load rides for longer than it may");
    }
    if (begin_s > task->due_s) {
        walk->price += (begin_s - task->due_s) * task->late_per_hour * 5;
    }
    walk->price += ((int64_t)step->setup_s + step->service_s) * walk->vehicle->per_task_hour * 5;
    return HT_OK;
}

/* Where the vehicle stands meanwhile. */
static uint32_t stand_of(const struct walk *walk, uint32_t location)
{
    const uint32_t *stands = walk->problem->stands;
    return stands == NULL || location == HT_PLAN_NONE ? location : stands[location];
}

static enum ht_status task_step(struct walk *walk, const struct ht_plan_step *step)
{
    enum ht_status status = task_once(walk, step->index);
    status = status == HT_OK ? pin_check(walk, step->index) : status;
    if (status != HT_OK) {
        return status;
    }
    const struct ht_task *task = &walk->problem->tasks[step->index];
    uint32_t type = walk->vehicle->type;
    uint32_t setup_s = task->setup_by_type_s == NULL ? task->setup_s : task->setup_by_type_s[type];
    uint32_t service_s =
        task->service_by_type_s == NULL ? task->service_s : task->service_by_type_s[type];
    if (stand_of(walk, walk->location) == stand_of(walk, task->location)) {
        setup_s = 0;
    }
    if (step->setup_s != setup_s || step->service_s != service_s) {
        return broken(walk, "its setup or service has another length");
    }
    /* breaks on the way may lie anywhere on it: what is left to drive is what was not driven */
    int64_t left_s = walk->travel_s;
    status = move(walk, task->location);
    left_s = walk->travel_s - left_s;
    if (status == HT_OK && walk->step > 0 &&
        walk->route->steps[walk->step - 1].kind == HT_STEP_BREAK) {
        left_s = step->travel_s - walk->route->steps[walk->step - 1].travel_s;
    }
    if (status == HT_OK && left_s < 0) {
        status = broken(walk, "drove more before a break than there was to drive");
    }
    if (status == HT_OK) {
        status = times_check(walk, step, walk->clock_s + left_s, task->windows, task->window_count);
    }
    if (status == HT_OK) {
        status = ride_check(walk, step);
    }
    if (status == HT_OK) {
        task_load(walk, task);
        status = load_check(walk);
    }
    return status;
}

static enum ht_status break_step(struct walk *walk, const struct ht_plan_step *step)
{
    if (step->index != walk->breaks || walk->breaks >= walk->vehicle->break_count) {
        return broken(walk, "breaks are not taken in their order");
    }
    const struct ht_plan_break *rest = &walk->vehicle->breaks[walk->breaks++];
    if (step->service_s != rest->service_s || step->setup_s != 0) {
        return broken(walk, "a break has another length");
    }
    for (uint32_t i = 0; rest->load_most != NULL && i < walk->problem->amounts; i++) {
        if (walk->load[i] > rest->load_most[i]) {
            return broken(walk, "takes a break with too much on board");
        }
    }
    const struct ht_plan_step *before = step - 1;
    if (step->travel_s < before->travel_s || step->distance_m < before->distance_m) {
        return broken(walk, "drives backwards in time");
    }
    enum ht_status status =
        times_check(walk, step, walk->clock_s + step->travel_s - before->travel_s, rest->windows,
                    rest->window_count);
    return status == HT_OK ? load_check(walk) : status;
}

static enum ht_status end_step(struct walk *walk, const struct ht_plan_step *step)
{
    const struct ht_vehicle *vehicle = walk->vehicle;
    const struct ht_plan_step *before = step - 1;
    int64_t from_s = walk->travel_s;
    enum ht_status status = move(walk, vehicle->end);
    if (status != HT_OK) {
        return status;
    }
    int64_t left_s =
        before->kind == HT_STEP_BREAK ? walk->travel_s - before->travel_s : walk->travel_s - from_s;
    if (left_s < 0) {
        return broken(walk, "drove more before a break than there was to drive");
    }
    status = times_check(walk, step, walk->clock_s + left_s, &vehicle->window, 1);
    if (status == HT_OK && (step->waiting_s != 0 || step->setup_s != 0 || step->service_s != 0)) {
        status = broken(walk, "waits at its end");
    }
    if (status == HT_OK && walk->breaks != vehicle->break_count) {
        status = broken(walk, "a break was not taken");
    }
    if (status == HT_OK && walk->pins < vehicle->pinned) {
        status = broken(walk, "a pinned task was dropped");
    }
    if (status == HT_OK &&
        (walk->tasks > vehicle->tasks_most || walk->travel_s > vehicle->travel_most_s ||
         walk->distance_m > vehicle->distance_most_m)) {
        status = broken(walk, "more tasks, travel or distance than it may");
    }
    return status == HT_OK ? load_check(walk) : status;
}

/* Loads what jobs further on deliver and what comes on board at this step. */
static void trip_load(struct walk *walk)
{
    for (uint32_t s = walk->step + 1; s < walk->route->step_count; s++) {
        const struct ht_plan_step *each = &walk->route->steps[s];
        if (each->kind != HT_STEP_TASK || each->index >= walk->problem->task_count ||
            (walk->problem->reload_count > 0 &&
             boarded(walk, s) != &walk->route->steps[walk->step])) {
            continue;
        }
        const struct ht_task *task = &walk->problem->tasks[each->index];
        for (uint32_t i = 0; task->kind == HT_TASK_JOB && i < walk->problem->amounts; i++) {
            walk->load[i] += task->delivery == NULL ? 0 : task->delivery[i];
        }
    }
}

/* How far there was to go still to `to`, where breaks on the way may lie anywhere on it. */
static enum ht_status rest_of_way(struct walk *walk, const struct ht_plan_step *step, uint32_t to,
                                  int64_t *left_s)
{
    int64_t from_s = walk->travel_s;
    enum ht_status status = move(walk, to);
    *left_s = walk->travel_s - from_s;
    if (status == HT_OK && walk->step > 0 && step[-1].kind == HT_STEP_BREAK) {
        *left_s = step->travel_s - step[-1].travel_s;
    }
    if (status == HT_OK && *left_s < 0) {
        status = broken(walk, "drove more before a break than there was to drive");
    }
    return status;
}

static enum ht_status reload_step(struct walk *walk, const struct ht_plan_step *step)
{
    if (step->index >= walk->problem->reload_count ||
        (walk->vehicle->reloads >> step->index & 1) == 0) {
        return broken(walk, "reloads where it may not");
    }
    const struct ht_plan_reload *reload = &walk->problem->reloads[step->index];
    int64_t left_s = 0;
    if (step->service_s != reload->service_s || step->setup_s != 0) {
        return broken(walk, "a reload has another length");
    }
    walk->trips += step[-1].kind != HT_STEP_RELOAD;
    if (walk->trips >= walk->vehicle->trips_most) {
        return broken(walk, "makes more trips than it may");
    }
    enum ht_status status = pin_check(walk, walk->problem->task_count + step->index);
    if (status == HT_OK) {
        status = rest_of_way(walk, step, reload->location, &left_s);
    }
    if (status == HT_OK) {
        status =
            times_check(walk, step, walk->clock_s + left_s, reload->windows, reload->window_count);
    }
    walk->price += (int64_t)step->service_s * walk->vehicle->per_task_hour * 5;
    for (uint32_t i = 0; i < walk->problem->amounts; i++) {
        walk->load[i] -= walk->collected[i];
        walk->collected[i] = 0;
    }
    trip_load(walk);
    return status == HT_OK ? load_check(walk) : status;
}

/* What is on board at the start: the deliveries of its first trip. */
static enum ht_status start_step(struct walk *walk, const struct ht_plan_step *step)
{
    trip_load(walk);
    walk->location = walk->vehicle->start;
    enum ht_status status = times_check(walk, step, step->arrival_s, &walk->vehicle->window, 1);
    if (status == HT_OK && walk->vehicle->at_once &&
        step->arrival_s != walk->vehicle->window.from_s) {
        status = broken(walk, "does not leave at once");
    }
    if (status == HT_OK && (step->waiting_s != 0 || step->setup_s != 0 || step->service_s != 0 ||
                            step->travel_s != 0 || step->distance_m != 0)) {
        status = broken(walk, "does something before its start");
    }
    return status == HT_OK ? load_check(walk) : status;
}

static enum ht_status step_check(struct walk *walk)
{
    const struct ht_plan_step *step = &walk->route->steps[walk->step];
    bool last = walk->step + 1 == walk->route->step_count;
    enum ht_status status = HT_OK;
    if ((step->kind == HT_STEP_START) != (walk->step == 0) || (step->kind == HT_STEP_END) != last) {
        return broken(walk, "a start or an end within the route");
    }
    switch (step->kind) {
    case HT_STEP_START:
        status = start_step(walk, step);
        break;
    case HT_STEP_TASK:
        status = task_step(walk, step);
        break;
    case HT_STEP_BREAK:
        return break_step(walk, step);
    case HT_STEP_RELOAD:
        status = reload_step(walk, step);
        break;
    case HT_STEP_END:
        status = end_step(walk, step);
        break;
    }
    if (status == HT_OK &&
        (step->travel_s != walk->travel_s || step->distance_m != walk->distance_m)) {
        status = broken(walk, "its travel time or distance is told wrong");
    }
    return status;
}

/* Of the route's travel and work. */
static int64_t balance_price(const struct walk *walk)
{
    int64_t spent_s = walk->travel_s;
    for (uint32_t s = 0; s < walk->route->step_count; s++) {
        const struct ht_plan_step *step = &walk->route->steps[s];
        spent_s += step->kind == HT_STEP_BREAK ? 0 : (int64_t)step->setup_s + step->service_s;
    }
    return walk->problem->balance * spent_s * spent_s / 720;
}

static enum ht_status route_check(struct walk *walk)
{
    enum ht_status status = HT_OK;
    walk->price = walk->vehicle->fixed * HT_COST_SCALE;
    for (walk->step = 0; status == HT_OK && walk->step < walk->route->step_count; walk->step++) {
        status = step_check(walk);
    }
    if (status == HT_OK && walk->tasks == 0) {
        status = broken(walk, "moves for nothing");
    }
    walk->price += balance_price(walk);
    if (status == HT_OK && walk->price != walk->route->cost) {
        status = broken(walk, "its cost is told wrong");
    }
    return status;
}

/* Each task is served or named as missing, a shipment whole; each vehicle comes once. */
static enum ht_status whole_check(const struct ht_problem *problem, const struct ht_plan *plan,
                                  uint32_t *seen_by, struct ht_error *error)
{
    for (uint32_t i = 0; i < plan->missing_count; i++) {
        uint32_t task = plan->missing[i].task;
        if (task >= problem->task_count || seen_by[task] != 0) {
            return ht_error_set(error, HT_INVALID, 0, "missing %u is served, or no task", task);
        }
        seen_by[task] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < problem->task_count; i++) {
        bool half = problem->tasks[i].kind == HT_TASK_DELIVERY;
        if (seen_by[i] == 0 || (half && seen_by[i] != seen_by[i - 1])) {
            return ht_error_set(error, HT_INVALID, 0, "task %u is forgotten, or its other half is",
                                (unsigned)i);
        }
    }
    return HT_OK;
}

/* A vehicle with pinned tasks may not stay at home. */
static enum ht_status pins_check(const struct ht_problem *problem, const uint32_t *seen_by,
                                 struct ht_error *error)
{
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        for (uint32_t i = 0; i < problem->vehicles[v].pinned; i++) {
            uint32_t task = problem->vehicles[v].tasks[i];
            uint32_t by = task >= problem->task_count ? 1 : seen_by[task];
            if (by == 0 || by == UINT32_MAX) {
                return ht_error_set(error, HT_INVALID, 0, "vehicle %u: a pinned task was dropped",
                                    (unsigned)v);
            }
        }
    }
    return HT_OK;
}

enum ht_status ht_plan_check(const struct ht_problem *problem, const struct ht_plan *plan,
                             struct ht_error *error)
{
    uint32_t *seen_by = ht_array_new_zeroed(problem->task_count, sizeof *seen_by);
    enum ht_status status = seen_by == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : HT_OK;
    int64_t cost = 0;
    for (uint32_t r = 0; status == HT_OK && r < plan->route_count; r++) {
        const struct ht_plan_route *route = &plan->routes[r];
        if (route->vehicle >= problem->vehicle_count || route->step_count < 2 ||
            (r > 0 && route->vehicle <= plan->routes[r - 1].vehicle)) {
            status = ht_error_set(error, HT_INVALID, 0, "routes are not by vehicle");
            break;
        }
        struct walk walk = {.problem = problem,
                            .vehicle = &problem->vehicles[route->vehicle],
                            .route = route,
                            .error = error,
                            .seen_by = seen_by,
                            .number = r + 1};
        status = route_check(&walk);
        cost += route->cost;
    }
    if (status == HT_OK && cost != plan->cost) {
        status = ht_error_set(error, HT_INVALID, 0, "the sum of costs is told wrong");
    }
    if (status == HT_OK) {
        status = whole_check(problem, plan, seen_by, error);
    }
    if (status == HT_OK) {
        status = pins_check(problem, seen_by, error);
    }
    free(seen_by);
    return status;
}
