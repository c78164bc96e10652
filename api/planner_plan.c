#include "api/planner_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/planner_scene.h"
#include "engine/base/array.h"

enum {
    STEP = 16,              /* between the sequences of two new stops, so that others fit between */
    BAND_LEAST_MS = 120000, /* an arrival may be so much later or earlier */
    BAND_PARTS = 8          /* and a part of the time until then */
};

/* ---- stops ---- */

static bool same_place(const struct ht_planner_stop *a, const struct ht_planner_stop *b)
{
    return !a->loads && !b->loads && a->point.lon_e7 == b->point.lon_e7 &&
           a->point.lat_e7 == b->point.lat_e7;
}

static void stops_fill(const struct ht_planner_scene *scene, const struct ht_day_route *day,
                       struct ht_planner_stop *stops)
{
    uint32_t amounts = scene->problem.amounts;
    for (uint32_t i = 0; i < day->count; i++) {
        const struct ht_day_visit *visit = &day->visits[i];
        struct ht_planner_stop *stop = &stops[i];
        uint32_t index = visit->stop.index;
        bool loads = visit->stop.kind == HT_DAY_LOAD;
        int64_t begin_s =
            loads ? visit->begin_s : visit->leave_s - (int64_t)scene->day_orders[index].service_s;
        *stop = (struct ht_planner_stop){.loads = loads,
                                         .arrival_ms = visit->arrival_s * 1000,
                                         .begin_ms = begin_s * 1000,
                                         .leave_ms = visit->leave_s * 1000};
        (void)snprintf(stop->id, sizeof stop->id, "%s",
                       loads ? scene->kitchens[index].id : scene->orders[index]->id);
        stop->point = scene->points[loads ? scene->kitchens[index].location
                                          : scene->day_orders[index].location];
        memcpy(stop->load, day->load + (size_t)i * amounts, amounts * sizeof *stop->load);
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

/* Those that stay in their order keep their sequence, lest each stop that is done with is an event
 * for every order behind it. */
static void sequences_set(const struct ht_planner_scene *scene, const struct ht_day_route *day,
                          struct ht_planner_stop *stops)
{
    uint32_t last = 0;
    const struct ht_planner_stop *before = NULL;
    for (uint32_t i = 0; i < day->count; i++) {
        if (stops[i].loads) {
            before = NULL;
            continue;
        }
        if (before != NULL && same_place(before, &stops[i])) {
            stops[i].sequence = last;
            continue;
        }
        uint32_t own = sequence_before(scene, day, i);
        uint32_t next = 0; /* of the first behind it that can keep its own */
        for (uint32_t j = i + 1; j < day->count && next <= last + 1; j++) {
            next = sequence_before(scene, day, j);
        }
        if (own <= last || (next > last && next <= own)) {
            own = next > last + 1 ? last + (next - last + 1) / 2 : last + STEP;
            own = next > last + 1 && own >= next ? next - 1 : own;
        }
        stops[i].sequence = own;
        last = own;
        before = &stops[i];
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

/* No arrival before the window: a van that is early waits. */
static struct ht_order_plan row_of(const struct ht_order *order, const char *unit,
                                   const struct ht_planner_stop *stop, int64_t now_ms)
{
    int64_t ahead_ms = stop->begin_ms > now_ms ? stop->begin_ms - now_ms : 0;
    int64_t half_ms = ahead_ms / BAND_PARTS;
    half_ms = half_ms < BAND_LEAST_MS ? BAND_LEAST_MS : half_ms;
    int64_t low_ms = stop->begin_ms - half_ms;
    low_ms = low_ms < now_ms ? now_ms : low_ms;
    low_ms = low_ms < order->due_from_ms ? order->due_from_ms : low_ms;
    return (struct ht_order_plan){.order = order->id,
                                  .unit = unit,
                                  .eta_ms = stop->begin_ms,
                                  .eta_low_ms = low_ms < stop->begin_ms ? low_ms : stop->begin_ms,
                                  .eta_high_ms = stop->begin_ms + half_ms,
                                  .sequence = stop->sequence};
}

void ht_planner_plan_rows(const struct ht_planner_scene *scene, const struct ht_day_plan *day,
                          const struct ht_planner_plan *plan, struct ht_order_plan *rows,
                          size_t *count)
{
    *count = 0;
    for (uint32_t r = 0; r < day->route_count; r++) {
        const struct ht_planner_route *route = &plan->routes[r];
        for (uint32_t i = 0; i < route->count; i++) {
            const struct ht_day_stop *stop = &day->routes[r].visits[i].stop;
            if (stop->kind == HT_DAY_ORDER) {
                rows[(*count)++] = row_of(scene->orders[stop->index], route->unit, &route->stops[i],
                                          scene->now_ms);
            }
        }
    }
    for (uint32_t i = 0; i < day->unserved_count; i++) {
        const struct ht_day_unserved *unserved = &day->unserved[i];
        rows[(*count)++] = (struct ht_order_plan){.order = scene->orders[unserved->order]->id,
                                                  .unplanned = lack_of(unserved->reason)};
    }
}
