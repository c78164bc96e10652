/* Planner scene: the day as it is at one moment, from the registry, the fleet, the orders and the
 * streets, as a problem of engine/plan/day.h.
 *
 * Vans are units of kind `van` with a `capacity`, not off, with what is left of their shift or all
 * of the next one. What they have loaded is pinned on them, in the order of its sequence, and the
 * plan that is running (struct ht_planner_plan) is what the search begins with. Orders of a van
 * that is not there stay with it where they are loaded. Orders that are due later than
 * HT_PLANNER_AHEAD_MS from now are not looked at yet.
 *
 * Way times are those of each van's profile now; permits of single vans are not looked at.
 *
 * Threading: one thread; it allocates, reads the store and may take a second: for the planner's.
 * Ownership: a scene owns all in it, and holds its orders counted.
 */
#ifndef HT_API_PLANNER_SCENE_H
#define HT_API_PLANNER_SCENE_H

#include "api/app.h"
#include "api/planner_plan.h"
#include "engine/live/orders.h"
#include "engine/plan/day.h"

#define HT_PLANNER_AHEAD_MS (INT64_C(18) * 3600 * 1000)

enum {
    HT_PLANNER_STOP_S = 60,       /* for parking */
    HT_PLANNER_LOAD_S = 120,      /* for loading */
    HT_PLANNER_RIDE_MOST_S = 2700 /* of a hot meal */
};

struct ht_planner_kitchen {
    char id[HT_ORDER_ID_MAX + 1];
    uint32_t location;
    struct ht_window *open; /* NULL: always */
    uint32_t open_count;
};

struct ht_planner_van {
    char id[HT_UNIT_ID_MAX + 1];
    uint32_t profile;
    uint32_t location;
    uint32_t home; /* HT_PLAN_NONE: none */
    struct ht_window window;
    int64_t capacity[HT_ORDER_LOADS];
    struct ht_day_stop *stops;
    uint32_t stop_count;
    uint32_t pinned;
};

struct ht_planner_scene {
    int64_t now_ms;
    size_t vans_known; /* with a capacity, there or not */
    struct ht_point *points;
    uint32_t point_count;
    size_t point_capacity;
    const char *profiles[HT_FLEET_PROFILES_MAX]; /* the fleet's */
    struct ht_plan_profile matrices[HT_FLEET_PROFILES_MAX];
    uint32_t *durations_s[HT_FLEET_PROFILES_MAX]; /* what the matrices are made of */
    uint32_t *distances_m[HT_FLEET_PROFILES_MAX];
    uint32_t profile_count;
    struct ht_planner_kitchen kitchens[HT_DAY_KITCHENS_MOST];
    uint32_t kitchen_count;
    struct ht_planner_van *vans;
    uint32_t van_count;
    size_t van_capacity;
    const struct ht_order **orders; /* of the problem, in its order */
    uint32_t order_count;
    struct ht_day_problem problem;
    struct ht_day_kitchen *day_kitchens;
    struct ht_day_order *day_orders;
    struct ht_day_van *day_vans;
    int64_t *loads;
};

/* HT_TOO_BIG: too many places; HT_CANCELLED; HT_NOMEM; what the store says. */
HT_MUST_CHECK enum ht_status ht_planner_scene_make(struct ht_app *app, struct ht_world *world,
                                                   const struct ht_planner_plan *last,
                                                   const bool *cancel, struct ht_planner_scene *out,
                                                   struct ht_error *error);
void ht_planner_scene_deinit(struct ht_planner_scene *scene);

/* Ways between all its points, for planner_scene.c (api/planner_ways.c). */
HT_MUST_CHECK enum ht_status ht_planner_ways(struct ht_planner_scene *scene, struct ht_world *world,
                                             const bool *cancel, struct ht_error *error);

#endif
