/* Planner plan: the plan of the day that is running, as the planner made it last: each van's stops
 * ahead, kept in memory for the next plan to begin with and for /v1/units/{id}/plan. What lasts of
 * it is on the orders.
 *
 * Threading: immutable once published; references are counted. Ownership: the last release frees.
 */
#ifndef HT_API_PLANNER_PLAN_H
#define HT_API_PLANNER_PLAN_H

#include <stdatomic.h>

#include "engine/base/geo.h"
#include "engine/live/fleet.h"
#include "engine/live/orders.h"

struct ht_planner_stop {
    bool loads;                   /* at a kitchen; else an order is handed over */
    char id[HT_ORDER_ID_MAX + 1]; /* of that */
    struct ht_point point;
    int64_t arrival_ms;
    int64_t begin_ms;
    int64_t leave_ms;
    int64_t load[HT_ORDER_LOADS]; /* behind it */
    uint32_t sequence;            /* of an order's stop */
};

struct ht_planner_route {
    char unit[HT_UNIT_ID_MAX + 1];
    char profile[HT_NAME_MAX + 1];
    struct ht_point start;
    int64_t start_ms;
    int64_t start_load[HT_ORDER_LOADS];
    uint32_t count;
    const struct ht_planner_stop *stops;
};

struct ht_planner_plan {
    atomic_size_t references;
    int64_t made_ms;
    uint32_t load_count;
    uint32_t route_count;
    struct ht_planner_route *routes;
    struct ht_planner_stop *stops; /* of all routes */
};

struct ht_planner_scene;
struct ht_day_plan;

/* What the search found, for its scene. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_planner_plan_new(const struct ht_planner_scene *scene,
                                                 const struct ht_day_plan *day,
                                                 struct ht_planner_plan **out);
void ht_planner_plan_retain(struct ht_planner_plan *plan);
/* NULL is fine. */
void ht_planner_plan_release(struct ht_planner_plan *plan);
/* NULL: the unit has no stops ahead. */
const struct ht_planner_route *ht_planner_plan_route(const struct ht_planner_plan *plan,
                                                     const char *unit);

/* What the plan says of each order, rows[0..*count) of scene->order_count; texts are borrowed from
 * the plan and the scene. */
void ht_planner_plan_rows(const struct ht_planner_scene *scene, const struct ht_day_plan *day,
                          const struct ht_planner_plan *plan, struct ht_order_plan *rows,
                          size_t *count);

#endif
