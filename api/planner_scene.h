/* Planner scene: the day as it is at one moment, from the registry, the fleet, the orders and the
 * streets, as a problem of engine/plan/day.h.
 *
 * Vans are units of kind `van`, not off, with what is left of their shift or all of the next one;
 * one whose `capacity` the registry does not say carries as many meals as the settings tell. What
 * they have loaded is pinned on them, in the order of its sequence, and the plan that is running
 * (struct ht_planner_plan) is what the search begins with. A van that is off, but has something on
 * board, brings that and takes nothing more. Orders that are due later than HT_PLANNER_AHEAD_MS
 * from now are not looked at yet, but for whether any van could carry them.
 *
 * Way times are those of each van's profile now, and over zones that its permits open.
 *
 * Threading: one thread; it allocates, reads the store and may take a second: for the planner's.
 * Ownership: a scene owns all in it, and holds its orders counted.
 */
#ifndef HT_API_PLANNER_SCENE_H
#define HT_API_PLANNER_SCENE_H

#include "api/app.h"
#include "api/home.h"
#include "api/live.h"
#include "api/planner_plan.h"
#include "engine/live/orders.h"
#include "engine/plan/day.h"

#define HT_PLANNER_AHEAD_MS (INT64_C(18) * 3600 * 1000)

/* The settings document `planner` (api/openapi.json says what each is). */
struct ht_planner_rules {
    bool run;
    uint32_t move_s;
    uint32_t km_s;
    uint32_t late_price;
    uint32_t late_most_s;
    uint32_t spare_s;
    uint32_t ride_most_s;
    uint32_t stop_s;
    uint32_t load_s;
    uint32_t trips_most;
    uint32_t van_meals;
};
struct ht_planner_rules ht_planner_rules_now(const struct ht_settings *settings);

struct ht_planner_kitchen {
    char id[HT_ORDER_ID_MAX + 1];
    uint32_t location;
    struct ht_window *open; /* NULL: always */
    uint32_t open_count;
};

/* The last steps to an order. */
struct ht_planner_door {
    bool home;                    /* of a household that is known */
    struct ht_home_inside inside; /* of that */
    uint32_t walk_ms;             /* its part of the way from where the van parks, see
                                     planner_doors; the way back takes as long */
    uint64_t compound;            /* what its service is learned by */
};

struct ht_planner_van {
    char id[HT_UNIT_ID_MAX + 1];
    uint32_t profile;
    uint32_t location;
    uint32_t home; /* HT_PLAN_NONE: none */
    struct ht_window window;
    int64_t capacity[HT_ORDER_LOADS];
    struct ht_planner_here here;
    int64_t begun_ms; /* what it does there, as it was planned so far; 0: nothing yet */
    bool begun_loads;
    char begun[HT_ORDER_ID_MAX + 1]; /* the kitchen or the order */
    bool leaves;                     /* it is off, and only brings what it has on board */
    struct ht_day_stop *stops;
    uint32_t stop_count;
    uint32_t pinned;
};

/* An order that nobody need look for a van for. */
struct ht_planner_left_out {
    const struct ht_order *order; /* held */
    enum ht_order_unplanned reason;
};

struct ht_planner_scene {
    int64_t now_ms;
    struct ht_planner_rules rules;
    bool planned;      /* here; else by hand, or by others: no van says its capacity */
    size_t vans_known; /* that could be planned, there or not */
    int64_t van_most[HT_ORDER_LOADS]; /* what the largest of those carry */
    struct ht_point *points;
    uint32_t point_count;
    size_t point_capacity;
    float *street_m; /* [point_count] how far the street is where a van stops */
    const char *profiles[HT_FLEET_PROFILES_MAX]; /* the fleet's */
    uint32_t lanes[HT_FLEET_PROFILES_MAX];       /* whose permits (api/live.h); HT_NONE: none's */
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
    struct ht_planner_door *doors; /* [order_count] */
    struct ht_planner_left_out *left_out;
    uint32_t left_out_count;
    struct ht_day_problem problem;
    struct ht_day_kitchen *day_kitchens;
    struct ht_day_order *day_orders;
    struct ht_day_van *day_vans;
    int64_t *loads;
};

/* What a van of the registry says that it carries: how many dimensions; 0: nothing. */
uint32_t ht_planner_capacity(const char *properties, int64_t capacity[HT_ORDER_LOADS]);

/* What a scene is made from. */
struct ht_planner_sources {
    struct ht_app *app;
    struct ht_world *world;
    struct ht_live_work *work;          /* the thread's */
    const struct ht_planner_plan *last; /* NULL: there is none */
    const bool *cancel;
};
/* HT_TOO_BIG: too many places; HT_CANCELLED; HT_NOMEM; what the store says. */
HT_MUST_CHECK enum ht_status ht_planner_scene_make(const struct ht_planner_sources *sources,
                                                   struct ht_planner_scene *out,
                                                   struct ht_error *error);
void ht_planner_scene_deinit(struct ht_planner_scene *scene);

/* Ways between all its points, for planner_scene.c (api/planner_ways.c). */
HT_MUST_CHECK enum ht_status ht_planner_ways(struct ht_planner_scene *scene,
                                             const struct ht_planner_sources *sources,
                                             struct ht_error *error);

#endif
