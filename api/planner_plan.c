#include "api/planner_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/planner_ahead.h"
#include "api/planner_scene.h"
#include "engine/base/array.h"

enum {
    STEP = 16,       /* between the sequences of two new stops, so that others fit between */
    START_MS = 10000 /* a start that is later was put off */
};

/* ---- stops ---- */

static bool same_place(const struct ht_planner_stop *a, const struct ht_planner_stop *b)
{
    return !a->loads && !b->loads && a->point.lon_e7 == b->point.lon_e7 &&
           a->point.lat_e7 == b->point.lat_e7;
}

/* What is known of the door of an order, or of a kitchen. */
static void stop_place(const struct ht_planner_scene *scene, const struct ht_day_stop *at,
                       struct ht_planner_stop *stop)
{
    if (at->kind == HT_DAY_LOAD) {
        const struct ht_planner_kitchen *kitchen = &scene->kitchens[at->index];
        memcpy(stop->id, kitchen->id, sizeof stop->id);
        stop->point = scene->points[kitchen->location];
        stop->compound = ht_arrivals_kitchen(kitchen->id);
        return;
    }
    (void)snprintf(stop->id, sizeof stop->id, "%s", scene->orders[at->index]->id);
    stop->point = scene->points[scene->day_orders[at->index].location];
    stop->compound = scene->doors[at->index].compound;
    stop->walk_ms = scene->doors[at->index].walk_ms;
    stop->not_before_ms =
        scene->orders[at->index]->due_from_ms - (int64_t)scene->doors[at->index].walk_ms;
}

static uint32_t span_ms(int64_t from_s, int64_t to_s)
{
    int64_t span_s = to_s > from_s ? to_s - from_s : 0;
    return span_s < UINT32_MAX / 1000 ? (uint32_t)(span_s * 1000) : UINT32_MAX;
}

/* What the van stands there for, or will when it may: that begins when it did, however often it is
 * planned anew. */
static void here_fill(const struct ht_planner_scene *scene, const struct ht_planner_van *van,
                      struct ht_planner_stop *stop)
{
    if (!van->here.at || !ht_planner_same_place(van->here.point, stop->point)) {
        return;
    }
    bool same =
        van->begun_ms != 0 && van->begun_loads == stop->loads && strcmp(van->begun, stop->id) == 0;
    if (stop->begin_ms <= scene->now_ms) {
        stop->begun_ms = same ? van->begun_ms : stop->begin_ms;
        stop->begin_ms = stop->begun_ms;
        stop->arrival_ms =
            van->here.since_ms < stop->begin_ms ? van->here.since_ms : stop->begin_ms;
    } else if (stop->loads) {
        stop->not_before_ms = stop->begin_ms;
    }
}

static void stops_fill(const struct ht_planner_scene *scene, const struct ht_day_route *day,
                       struct ht_planner_stop *stops)
{
    uint32_t amounts = scene->problem.amounts;
    int64_t left_s = day->start_s; /* the stop before */
    for (uint32_t i = 0; i < day->count; i++) {
        const struct ht_day_visit *visit = &day->visits[i];
        bool loads = visit->stop.kind == HT_DAY_LOAD;
        int64_t begin_s =
            loads ? visit->begin_s
                  : visit->leave_s - (int64_t)scene->day_orders[visit->stop.index].service_s;
        stops[i] = (struct ht_planner_stop){.loads = loads,
                                            .arrival_ms = visit->arrival_s * 1000,
                                            .begin_ms = begin_s * 1000,
                                            .leave_ms = visit->leave_s * 1000,
                                            .travel_ms = span_ms(left_s, visit->arrival_s),
                                            .park_ms = span_ms(visit->begin_s, begin_s),
                                            .service_ms = span_ms(begin_s, visit->leave_s)};
        stop_place(scene, &visit->stop, &stops[i]);
        /* it waits there, or does not set off yet */
        bool waits = i == 0 && day->start_s * 1000 > scene->now_ms + START_MS;
        if (loads && (waits || visit->begin_s > visit->arrival_s)) {
            stops[i].not_before_ms = visit->begin_s * 1000;
        }
        memcpy(stops[i].load, day->load + (size_t)i * amounts, amounts * sizeof *stops[i].load);
        left_s = visit->leave_s;
    }
    if (day->count > 0) {
        here_fill(scene, &scene->vans[day->van], &stops[0]);
    }
}

/* What the order's stop was called so far, on this van; 0: it was not. */
static uint32_t sequence_before(const struct ht_planner_scene *scene,
                                const struct ht_day_route *day, uint32_t visit)
{
    const struct ht_day_stop *stop = &day->visits[visit].stop;
    const struct ht_order *order = stop->kind == HT_DAY_LOAD ? NULL : scene->orders[stop->index];
    bool stays = order != NULL && order->state != HT_ORDER_IS_RECEIVED && order->unit != NULL &&
                 strcmp(order->unit, scene->vans[day->van].id) == 0;
    return stays ? order->sequence : 0;
}

/* The first behind those that are handed over at one place together with the i-th. */
static uint32_t place_end(const struct ht_planner_stop *stops, uint32_t count, uint32_t i)
{
    uint32_t end = i + 1;
    while (end < count && same_place(&stops[i], &stops[end])) {
        end++;
    }
    return end;
}

/* What one of stops i to end - 1 was called, between `last` and `next` (0: none is behind); else a
 * number between these. */
static uint32_t sequence_between(const struct ht_planner_scene *scene,
                                 const struct ht_day_route *day, const uint32_t place[2],
                                 uint32_t last, uint32_t next)
{
    for (uint32_t i = place[0]; i < place[1]; i++) {
        uint32_t own = sequence_before(scene, day, i);
        if (own > last && (next == 0 || own < next)) {
            return own;
        }
    }
    return next == 0 ? last + STEP : last + (next - last + 1) / 2;
}

/* Those that stay in their order keep their sequence, lest each stop that is done with is an event
 * for every order behind it. */
static void sequences_set(const struct ht_planner_scene *scene, const struct ht_day_route *day,
                          struct ht_planner_stop *stops)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < day->count;) {
        const uint32_t place[2] = {i, place_end(stops, day->count, i)};
        uint32_t next = 0; /* of the first behind it that can keep its own */
        if (stops[i].loads) {
            i++;
            continue;
        }
        for (uint32_t j = place[1]; j < day->count && next <= last + 1; j++) {
            next = sequence_before(scene, day, j);
        }
        last = sequence_between(scene, day, place, last, next > last + 1 ? next : 0);
        while (i < place[1]) {
            stops[i++].sequence = last;
        }
    }
}

static void route_fill(const struct ht_planner_scene *scene, const struct ht_day_route *day,
                       struct ht_planner_stop *stops, struct ht_planner_route *out)
{
    const struct ht_planner_van *van = &scene->vans[day->van];
    *out = (struct ht_planner_route){.start = scene->points[van->location],
                                     .start_ms = day->start_s * 1000,
                                     .count = day->count,
                                     .stops = stops};
    memcpy(out->unit, van->id, sizeof out->unit);
    (void)snprintf(out->profile, sizeof out->profile, "%s", scene->profiles[van->profile]);
    memcpy(out->start_load, day->start_load, scene->problem.amounts * sizeof *out->start_load);
    stops_fill(scene, day, stops);
    sequences_set(scene, day, stops);
}

enum ht_status ht_planner_plan_new(const struct ht_planner_scene *scene,
                                   const struct ht_day_plan *day, struct ht_planner_plan **out)
{
    size_t count = 0;
    for (uint32_t r = 0; r < day->route_count; r++) {
        count += day->routes[r].count;
    }
    struct ht_planner_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&plan->references, 1);
    plan->made_ms = scene->now_ms;
    plan->load_count = scene->problem.amounts;
    plan->routes = ht_array_new(day->route_count, sizeof *plan->routes);
    plan->stops = ht_array_new(count, sizeof *plan->stops);
    if (plan->routes == NULL || plan->stops == NULL) {
        ht_planner_plan_release(plan);
        return HT_NOMEM;
    }
    struct ht_planner_stop *stops = plan->stops;
    for (uint32_t r = 0; r < day->route_count; r++) {
        route_fill(scene, &day->routes[r], stops, &plan->routes[plan->route_count++]);
        stops += day->routes[r].count;
    }
    *out = plan;
    return HT_OK;
}

void ht_planner_plan_retain(struct ht_planner_plan *plan)
{
    (void)atomic_fetch_add(&plan->references, 1);
}

void ht_planner_plan_release(struct ht_planner_plan *plan)
{
    if (plan != NULL && atomic_fetch_sub(&plan->references, 1) == 1) {
        free(plan->routes);
        free(plan->stops);
        free(plan);
    }
}

const struct ht_planner_route *ht_planner_plan_route(const struct ht_planner_plan *plan,
                                                     const char *unit)
{
    for (uint32_t r = 0; plan != NULL && r < plan->route_count; r++) {
        if (strcmp(plan->routes[r].unit, unit) == 0) {
            return &plan->routes[r];
        }
    }
    return NULL;
}

/* ---- rows ---- */

static enum ht_order_unplanned lack_of(enum ht_day_reason reason)
{
    switch (reason) {
    case HT_DAY_CAPACITY:
    case HT_DAY_FULL: /* of all vans together */
        return HT_ORDER_LACKS_CAPACITY;
    case HT_DAY_NO_WAY:
        return HT_ORDER_LACKS_NO_WAY;
    case HT_DAY_KITCHEN:
        return HT_ORDER_LACKS_KITCHEN;
    case HT_DAY_RIDE:
        return HT_ORDER_LACKS_RIDE;
    case HT_DAY_SHIFT:
        return HT_ORDER_LACKS_SHIFT;
    case HT_DAY_WINDOW:
        return HT_ORDER_LACKS_WINDOW;
    case HT_DAY_SKILLS:
        break;
    }
    return HT_ORDER_LACKS_OTHER;
}

static void unplanned_add(struct ht_planner_rows *out, const char *order,
                          enum ht_order_unplanned reason)
{
    out->list[out->count++] = (struct ht_order_plan){.order = order, .unplanned = reason};
}

static enum ht_status route_rows(const struct ht_planner_scene *scene,
                                 const struct ht_day_route *day,
                                 const struct ht_planner_route *route, struct ht_arrivals *arrivals,
                                 struct ht_planner_rows *out)
{
    struct ht_arrival_band *bands = ht_array_new(route->count, sizeof *bands);
    enum ht_status status = HT_NOMEM;
    if (bands != NULL) {
        status = ht_planner_route_bands(arrivals, route, scene->now_ms, bands);
    }
    for (uint32_t i = 0; status == HT_OK && i < route->count; i++) {
        const struct ht_day_stop *stop = &day->visits[i].stop;
        if (stop->kind != HT_DAY_ORDER) {
            continue;
        }
        const struct ht_order *order = scene->orders[stop->index];
        const struct ht_order_times times = ht_planner_times(&bands[i], order);
        out->list[out->count++] = (struct ht_order_plan){.order = order->id,
                                                         .unit = route->unit,
                                                         .eta_ms = times.eta_ms,
                                                         .eta_low_ms = times.eta_low_ms,
                                                         .eta_high_ms = times.eta_high_ms,
                                                         .sequence = route->stops[i].sequence};
    }
    free(bands);
    return status;
}

enum ht_status ht_planner_plan_rows(const struct ht_planner_scene *scene,
                                    const struct ht_day_plan *day,
                                    const struct ht_planner_plan *plan,
                                    struct ht_arrivals *arrivals, struct ht_planner_rows *out)
{
    size_t most = (size_t)scene->order_count + scene->left_out_count;
    *out = (struct ht_planner_rows){.list = ht_array_new(most, sizeof *out->list)};
    enum ht_status status = out->list == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t r = 0; status == HT_OK && r < day->route_count; r++) {
        status = route_rows(scene, &day->routes[r], &plan->routes[r], arrivals, out);
    }
    for (uint32_t i = 0; status == HT_OK && i < day->unserved_count; i++) {
        const struct ht_day_unserved *unserved = &day->unserved[i];
        unplanned_add(out, scene->orders[unserved->order]->id, lack_of(unserved->reason));
    }
    for (uint32_t i = 0; status == HT_OK && i < scene->left_out_count; i++) {
        unplanned_add(out, scene->left_out[i].order->id, scene->left_out[i].reason);
    }
    return status;
}
