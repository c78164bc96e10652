/* The answer in full: when everything happens.
 *
 * A route ends as early as it can; with that end it begins as late as it can, so that nobody waits
 * on the street who could wait at home. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

/* ---- as lists of stops ---- */

enum ht_status ht__answer_init(const struct ht__model *model, struct ht__answer *answer)
{
    *answer = (struct ht__answer){.missing = INT64_MAX, .cost = INT64_MAX};
    answer->stops = ht_array_new(model->stops_most, sizeof *answer->stops);
    answer->counts = ht_array_new_zeroed(model->problem->vehicle_count, sizeof *answer->counts);
    return answer->stops == NULL || answer->counts == NULL ? HT_NOMEM : HT_OK;
}

void ht__answer_deinit(struct ht__answer *answer)
{
    free(answer->stops);
    free(answer->counts);
}

void ht__answer_copy(const struct ht__model *model, struct ht__answer *to,
                     const struct ht__answer *from)
{
    struct ht__answer own = *to;
    *to = *from;
    to->stops = own.stops;
    to->counts = own.counts;
    memcpy(to->stops, from->stops, model->stops_most * sizeof *to->stops);
    memcpy(to->counts, from->counts, model->problem->vehicle_count * sizeof *to->counts);
}

/* ---- with times ---- */

struct maker {
    const struct ht__model *model;
    struct ht__class c; /* of the route at hand, its window narrowed */
    struct ht__route route;
    struct ht_plan_step *step; /* the next to be written */
    int64_t *load;
    int64_t distance_m; /* up to the stop before */
    int64_t travel_s;
};

static int64_t way_metres(const struct maker *maker, uint32_t from, uint32_t to)
{
    const struct ht_problem *problem = maker->model->problem;
    const struct ht_vehicle *vehicle = &problem->vehicles[maker->route.vehicle];
    const uint32_t *distance_m = problem->profiles[vehicle->profile].distance_m;
    return distance_m == NULL || from >= problem->location_count || to >= problem->location_count
               ? 0
               : distance_m[(size_t)from * problem->location_count + to];
}

static void step_add(struct maker *maker, struct ht_plan_step step, uint32_t position)
{
    size_t amounts = maker->model->problem->amounts;
    *maker->step++ = step;
    memcpy(maker->load, maker->route.load + position * amounts, amounts * sizeof *maker->load);
    maker->load += amounts;
}

/* The way to a position. */
static struct ht__leg way_leg(const struct maker *maker, uint32_t position)
{
    const struct ht__route *route = &maker->route;
    const struct ht__cell *way =
        ht__way(&maker->c, route->location[position - 1], route->location[position]);
    return ht__leg(maker->model, route, position - 1, way->duration_s);
}

/* How many breaks will have been taken at `position` by who leaves the one before at `now_s` with k
 * taken, so that the rest is in time: the fewest. */
static uint32_t breaks_by(const struct maker *maker, uint32_t position, uint32_t k, int64_t now_s)
{
    const struct ht__class *c = &maker->c;
    const struct ht__route *route = &maker->route;
    uint32_t states = c->break_count + 1;
    int64_t leave[HT__STATES];
    int64_t arrive[HT__STATES];
    for (uint32_t i = 0; i < states; i++) {
        leave[i] = i == k ? now_s : HT__FAR;
    }
    ht__arrive(c, leave, way_leg(maker, position), arrive);
    while (k + 1 < states && arrive[k] > route->latest[(size_t)position * states + k]) {
        k++;
    }
    return k;
}

/* Drives to a position, with the breaks from `first` up to `last` on the way; returns when it
 * arrives. */
static int64_t drive(struct maker *maker, uint32_t position, uint32_t first, uint32_t last,
                     int64_t now_s)
{
    const struct ht__class *c = &maker->c;
    uint32_t from = maker->route.location[position - 1];
    uint32_t to = maker->route.location[position];
    int64_t way_s = ht__way(c, from, to)->duration_s;
    int64_t way_m = way_metres(maker, from, to);
    int64_t left_s = way_s;
    for (uint32_t b = first; b < last; b++) {
        const struct ht_plan_break *rest = &c->breaks[b];
        int64_t begin_s = ht__begin(rest->windows, rest->window_count, now_s);
        int64_t driven_s = begin_s - now_s < left_s ? begin_s - now_s : left_s;
        left_s -= driven_s;
        int64_t done_s = way_s - left_s;
        int64_t done_m = way_s == 0 ? 0 : (int64_t)((double)way_m * (double)done_s / (double)way_s);
        step_add(maker,
                 (struct ht_plan_step){.kind = HT_STEP_BREAK,
                                       .index = b,
                                       .arrival_s = now_s + driven_s,
                                       .waiting_s = begin_s - now_s - driven_s,
                                       .service_s = rest->service_s,
                                       .travel_s = maker->travel_s + done_s,
                                       .distance_m = maker->distance_m + done_m},
                 position - 1);
        now_s = begin_s + rest->service_s;
    }
    maker->travel_s += way_s;
    maker->distance_m += way_m;
    return now_s + left_s;
}

/* The latest start that changes neither end nor cost, where rides and soft windows make both hang
 * on everything between: halved for, since the later, the worse. */
static void start_search(struct maker *maker, int64_t latest_s)
{
    struct ht__route *route = &maker->route;
    struct ht__class *c = &maker->c;
    int64_t cost = route->cost;
    int64_t good_s = route->leave[0];
    int64_t bad_s = (latest_s > good_s ? latest_s : good_s) + 1;
    while (bad_s - good_s > 1) {
        c->window.from_s = good_s + (bad_s - good_s) / 2;
        if (ht__route_update(maker->model, route) && route->cost == cost) {
            good_s = c->window.from_s;
        } else {
            bad_s = c->window.from_s;
        }
    }
    c->window.from_s = good_s;
    (void)ht__route_update(maker->model, route);
}

/* Narrows the window of the route to [latest start, earliest end], unless it leaves at once. */
static void window_narrow(struct maker *maker)
{
    struct ht__route *route = &maker->route;
    struct ht__class *c = &maker->c;
    uint32_t states = c->break_count + 1;
    int64_t times[HT__STATES];
    uint32_t end = route->count + 1;
    (void)ht__route_update(maker->model, route);
    if (c->at_once) {
        return;
    }
    ht__arrive(c, route->leave + (size_t)route->count * states, way_leg(maker, end), times);
    c->window.to_s = times[c->break_count];
    (void)ht__route_update(maker->model, route);
    ht__depart(c, route->latest + states, way_leg(maker, 1), times);
    if (maker->model->rides || maker->model->due) {
        start_search(maker, times[0]);
        return;
    }
    c->window.from_s = times[0];
    (void)ht__route_update(maker->model, route);
}

/* When the task at a position begins, who arrives then. */
static int64_t begin_of(const struct maker *maker, uint32_t position, int64_t arrival_s)
{
    const struct ht_task *task = ht__task(maker->model, maker->route.task[position]);
    int64_t hold_s = maker->model->rides ? maker->route.hold[position] : arrival_s;
    return ht__begin(task->windows, task->window_count, hold_s > arrival_s ? hold_s : arrival_s);
}

static void route_write(struct maker *maker)
{
    const struct ht__route *route = &maker->route;
    const struct ht__class *c = &maker->c;
    window_narrow(maker);
    int64_t now_s = route->leave[0];
    uint32_t taken = 0;
    maker->travel_s = 0;
    maker->distance_m = 0;
    step_add(maker, (struct ht_plan_step){.kind = HT_STEP_START, .arrival_s = now_s}, 0);
    for (uint32_t p = 1; p <= route->count + 1; p++) {
        uint32_t by = breaks_by(maker, p, taken, now_s);
        int64_t arrival_s = drive(maker, p, taken, by, now_s);
        struct ht_plan_step step = {.kind = HT_STEP_END,
                                    .arrival_s = arrival_s,
                                    .travel_s = maker->travel_s,
                                    .distance_m = maker->distance_m};
        taken = by;
        if (p <= route->count) {
            bool moved = ht__apart(maker->model, route->location[p - 1], route->location[p]);
            step.kind = HT_STEP_TASK;
            step.index = route->task[p];
            if (ht__is_reload(maker->model, step.index)) {
                step.kind = HT_STEP_RELOAD;
                step.index -= maker->model->problem->task_count;
            }
            step.waiting_s = begin_of(maker, p, arrival_s) - arrival_s;
            step.setup_s = moved ? c->setup_s[route->task[p]] : 0;
            step.service_s = c->service_s[route->task[p]];
            now_s = arrival_s + step.waiting_s + step.setup_s + step.service_s;
        }
        step_add(maker, step, p);
    }
}

/* The plan and the blocks that it points into. */
struct whole {
    struct ht_plan plan;
    struct ht_plan_route *routes;
    struct ht_plan_step *steps;
    int64_t *loads;
    struct ht_plan_missing *missing;
};

void ht_plan_free(struct ht_plan *plan)
{
    struct whole *whole = (struct whole *)plan;
    if (whole != NULL) {
        free(whole->routes);
        free(whole->steps);
        free(whole->loads);
        free(whole->missing);
        free(whole);
    }
}

static enum ht_status whole_new(const struct ht__model *model, const struct ht__answer *answer,
                                struct whole **out)
{
    const struct ht_problem *problem = model->problem;
    size_t steps = 0;
    size_t routes = 0;
    struct whole *whole = calloc(1, sizeof *whole);
    if (whole == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        if (answer->counts[v] > 0) {
            steps += (size_t)answer->counts[v] + problem->vehicles[v].break_count + 2;
            routes++;
        }
    }
    whole->routes = ht_array_new(routes, sizeof *whole->routes);
    whole->steps = ht_array_new(steps, sizeof *whole->steps);
    whole->loads = ht_array_new(steps * problem->amounts, sizeof *whole->loads);
    whole->missing = ht_array_new(problem->task_count, sizeof *whole->missing);
    if (whole->routes == NULL || whole->steps == NULL || whole->loads == NULL ||
        whole->missing == NULL) {
        ht_plan_free(&whole->plan);
        return HT_NOMEM;
    }
    whole->plan.routes = whole->routes;
    whole->plan.missing = whole->missing;
    *out = whole;
    return HT_OK;
}

static enum ht_status routes_write(const struct ht__model *model, const struct ht__answer *answer,
                                   struct whole *whole, uint8_t *served)
{
    struct maker maker = {.model = model, .step = whole->steps, .load = whole->loads};
    const uint32_t *stops = answer->stops;
    enum ht_status status = HT_OK;
    for (uint32_t v = 0; status == HT_OK && v < model->problem->vehicle_count; v++) {
        uint32_t count = answer->counts[v];
        if (count == 0) {
            continue;
        }
        maker.c = model->classes[model->class_of[v]];
        maker.route.c = &maker.c;
        maker.route.vehicle = v;
        maker.route.count = 0;
        status = ht__route_room(model, &maker.route, count);
        if (status == HT_OK) {
            struct ht_plan_route *route = &whole->routes[whole->plan.route_count++];
            maker.route.count = count;
            memcpy(maker.route.task + 1, stops, count * sizeof *stops);
            *route = (struct ht_plan_route){.vehicle = v, .steps = maker.step, .load = maker.load};
            route_write(&maker);
            route->step_count = (uint32_t)(maker.step - route->steps);
            route->cost = maker.route.cost;
            whole->plan.cost += route->cost;
            for (uint32_t i = 0; i < count; i++) {
                served[stops[i]] = 1;
            }
        }
        stops += count;
    }
    ht__route_deinit(&maker.route);
    return status;
}

enum ht_status ht__plan_make(const struct ht__model *model, const struct ht__answer *answer,
                             struct ht_plan **out)
{
    struct whole *whole = NULL;
    uint8_t *served = ht_array_new_zeroed(model->stops, 1);
    enum ht_status status = served == NULL ? HT_NOMEM : whole_new(model, answer, &whole);
    if (status == HT_OK) {
        status = routes_write(model, answer, whole, served);
    }
    for (uint32_t t = 0; status == HT_OK && t < model->problem->task_count; t++) {
        if (!served[t]) {
            uint32_t item = ht__item_of(model, t);
            enum ht_plan_reason reason = (enum ht_plan_reason)model->reason[item];
            whole->missing[whole->plan.missing_count++] =
                (struct ht_plan_missing){t, reason == HT_REASON_NONE ? HT_REASON_FULL : reason};
        }
    }
    free(served);
    if (status != HT_OK) {
        ht_plan_free(whole == NULL ? NULL : &whole->plan);
        return status;
    }
    *out = &whole->plan;
    return HT_OK;
}
