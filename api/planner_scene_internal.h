/* What the files of planner_scene share. Not a door.
 *
 *   planner_scene     points, the problem; makes the whole
 *   planner_vans      facilities and vans
 *   planner_orders    kitchens and orders
 *   planner_doors     the ways to the doors and back
 *   planner_running   the running plan as the vans' lists
 *   planner_compounds in which compound a door lies
 *   planner_ways      times of ways between all points
 */
#ifndef HT_API_PLANNER_SCENE_INTERNAL_H
#define HT_API_PLANNER_SCENE_INTERNAL_H

#include "api/planner_scene.h"
#include "geodata/geometry.h"

struct ht__facility {
    char id[HT_ORDER_ID_MAX + 1];
    struct ht_point point;
    bool cooks;
};

struct ht_cell_index;

struct ht__compound {
    char id[HT_ORDER_ID_MAX + 1];
    struct ht_geometry shape;
};

struct ht__compounds {
    struct ht__compound *list;
    size_t count;
    size_t capacity;
    struct ht_cell_index *index;
};

struct ht__making {
    struct ht_app *app;
    struct ht_planner_scene *scene;
    struct ht_store_reader *reader;
    const struct ht_planner_sources *sources;
    struct ht_live_places places;    /* of vans: whose permits open what */
    struct ht__facility *facilities; /* by id */
    size_t facility_count;
    size_t facility_capacity;
    struct ht__compounds compounds;
};

/* A point of the scene, not yet looked at whether there is such a one. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__scene_point(struct ht_planner_scene *scene, struct ht_point point,
                                             uint32_t *location);

HT_MUST_CHECK enum ht_status ht__facilities_read(struct ht__making *making, struct ht_error *error);
/* NULL: there is none with a place. */
const struct ht__facility *ht__facility_find(const struct ht__making *making, const char *id);

HT_MUST_CHECK enum ht_status ht__compounds_read(struct ht__making *making, struct ht_error *error);
/* The smallest that holds a point; NULL: none does. */
const char *ht__compounds_find(const struct ht__making *making, struct ht_point point);
void ht__compounds_deinit(struct ht__making *making);

HT_MUST_CHECK enum ht_status ht__scene_vans(struct ht__making *making, struct ht_error *error);
/* The number of a van of the scene; HT_PLAN_NONE: it is none. */
uint32_t ht__scene_van(const struct ht_planner_scene *scene, const char *id);

/* Whether there is any open order. */
bool ht__scene_wanted(const struct ht_app *app);
HT_MUST_CHECK enum ht_status ht__scene_orders(struct ht__making *making);
/* The last steps to each order become a part of what it takes, once the streets are known.
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__scene_doors(struct ht__making *making);

HT_MUST_CHECK enum ht_status ht__scene_running(struct ht__making *making);

#endif
