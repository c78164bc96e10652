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

/* Where a van stands. */
struct ht_planner_here {
    bool at; /* at a stop */
    struct ht_point point;
    int64_t since_ms;
};

struct ht_planner_stop {
    bool loads;                   /* at a kitchen; else an order is handed over */
    char id[HT_ORDER_ID_MAX + 1]; /* of that */
    struct ht_point point;
    int64_t arrival_ms;
    int64_t begin_ms;
    int64_t leave_ms;
    int64_t not_before_ms; /* of an order, or of a load that waits; 0: any time */
    int64_t begun_ms;      /* it is what the van stands there for, since then; 0: it is not */
    uint32_t travel_ms;    /* from the stop before, or where the van was */
    uint32_t park_ms;
    uint32_t service_ms;          /* loading, or to the door, handing over and back */
    uint32_t walk_ms;             /* of that what passes before handing over */
    uint64_t compound;            /* what its service is learned by (api/arrivals.h) */
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

struct ht_arrivals;
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

/* What is told of the plan's orders. */
struct ht_planner_rows {
    struct ht_order_plan *list; /* texts are borrowed from plan and scene */
    size_t count;
};
/* What the plan says of each order of the scene, when it comes by what was learned of the town.
 * HT_NOMEM. To be freed: the list. */
HT_MUST_CHECK enum ht_status ht_planner_plan_rows(const struct ht_planner_scene *scene,
                                                  const struct ht_day_plan *day,
                                                  const struct ht_planner_plan *plan,
                                                  struct ht_arrivals *arrivals,
                                                  struct ht_planner_rows *out);

#endif
