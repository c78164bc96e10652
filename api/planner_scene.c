#include "api/planner_scene.h"

#include <stdlib.h>
#include <string.h>

#include "api/planner_scene_internal.h"
#include "engine/base/array.h"

enum {
    PER_HOUR = 3600, /* so that a unit is a second of a van */
    PER_KM = 60,
    MOVE = 300, /* for another van it has to save as many seconds */
    LATE_PER_HOUR = 36000,
    LATE_MOST_S = 3600,
    TRIPS_MOST = 16
};

/* ---- points ---- */

enum ht_status ht__scene_point(struct ht_planner_scene *scene, struct ht_point point,
                               uint32_t *location)
{
    void *list = scene->points;
    enum ht_status status = ht_array_reserve(&list, &scene->point_capacity,
                                             scene->point_count + (size_t)1, sizeof point);
    scene->points = list;
    if (status == HT_OK) {
        *location = scene->point_count;
        scene->points[scene->point_count++] = point;
    }
    return status;
}

struct numbered {
    struct ht_point point;
    uint32_t index;
};

static int by_point(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    if (a->point.lon_e7 != b->point.lon_e7) {
        return a->point.lon_e7 < b->point.lon_e7 ? -1 : 1;
    }
    if (a->point.lat_e7 != b->point.lat_e7) {
        return a->point.lat_e7 < b->point.lat_e7 ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static void locations_rename(struct ht_planner_scene *scene, const uint32_t *names)
{
    for (uint32_t v = 0; v < scene->van_count; v++) {
        struct ht_planner_van *van = &scene->vans[v];
        van->location = names[van->location];
        van->home = van->home == HT_PLAN_NONE ? HT_PLAN_NONE : names[van->home];
    }
    for (uint32_t k = 0; k < scene->kitchen_count; k++) {
        scene->kitchens[k].location = names[scene->kitchens[k].location];
    }
    for (uint32_t o = 0; o < scene->order_count; o++) {
        scene->day_orders[o].location = names[scene->day_orders[o].location];
    }
}

/* Orders of one building, and kitchens that are homes, are at one location. */
static enum ht_status points_merge(struct ht_planner_scene *scene)
{
    uint32_t count = scene->point_count;
    struct numbered *list = ht_array_new(count, sizeof *list);
    uint32_t *names = ht_array_new(count, sizeof *names);
    if (list == NULL || names == NULL) {
        free(list);
        free(names);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (struct numbered){scene->points[i], i};
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_point);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || list[i].point.lon_e7 != list[i - 1].point.lon_e7 ||
            list[i].point.lat_e7 != list[i - 1].point.lat_e7) {
            scene->points[kept++] = list[i].point;
        }
        names[list[i].index] = kept - 1;
    }
    scene->point_count = kept;
    locations_rename(scene, names);
    free(list);
    free(names);
    return HT_OK;
}

/* ---- the problem ---- */

static enum ht_status arrays_make(struct ht_planner_scene *scene, uint32_t amounts)
{
    scene->day_kitchens = ht_array_new(scene->kitchen_count, sizeof *scene->day_kitchens);
    scene->day_vans = ht_array_new(scene->van_count, sizeof *scene->day_vans);
    scene->loads = ht_array_new_zeroed((size_t)scene->order_count * amounts, sizeof *scene->loads);
    return scene->day_kitchens == NULL || scene->day_vans == NULL || scene->loads == NULL ? HT_NOMEM
                                                                                          : HT_OK;
}

static void problem_fill(struct ht_planner_scene *scene, uint32_t amounts)
{
    for (uint32_t k = 0; k < scene->kitchen_count; k++) {
        const struct ht_planner_kitchen *kitchen = &scene->kitchens[k];
        scene->day_kitchens[k] =
            (struct ht_day_kitchen){.location = kitchen->location,
                                    .down = kitchen->open != NULL && kitchen->open_count == 0,
                                    .load_s = HT_PLANNER_LOAD_S,
                                    .open = kitchen->open,
                                    .open_count = kitchen->open_count};
    }
    for (uint32_t v = 0; v < scene->van_count; v++) {
        const struct ht_planner_van *van = &scene->vans[v];
        scene->day_vans[v] = (struct ht_day_van){.profile = van->profile,
                                                 .location = van->location,
                                                 .end = van->home,
                                                 .window = van->window,
                                                 .capacity = van->capacity,
                                                 .trips_most = TRIPS_MOST,
                                                 .stops = van->stops,
                                                 .stop_count = van->stop_count,
                                                 .pinned = van->pinned};
    }
    for (uint32_t o = 0; o < scene->order_count; o++) {
        int64_t *load = &scene->loads[(size_t)o * amounts];
        for (uint32_t d = 0; d < scene->orders[o]->load_count; d++) {
            load[d] = scene->orders[o]->load[d];
        }
        scene->day_orders[o].load = load;
    }
}

static enum ht_status problem_make(struct ht_planner_scene *scene)
{
    uint32_t amounts = 1;
    for (uint32_t o = 0; o < scene->order_count; o++) {
        uint32_t count = scene->orders[o]->load_count;
        amounts = count > amounts ? count : amounts;
    }
    enum ht_status status = arrays_make(scene, amounts);
    if (status != HT_OK) {
        return status;
    }
    problem_fill(scene, amounts);
    scene->problem =
        (struct ht_day_problem){.amounts = amounts,
                                .location_count = scene->point_count,
                                .profile_count = scene->profile_count,
                                .profiles = scene->matrices,
                                .kitchen_count = scene->kitchen_count,
                                .kitchens = scene->day_kitchens,
                                .order_count = scene->order_count,
                                .orders = scene->day_orders,
                                .van_count = scene->van_count,
                                .vans = scene->day_vans,
                                .stop_s = HT_PLANNER_STOP_S,
                                .prices = {PER_HOUR, PER_KM, MOVE, LATE_PER_HOUR, LATE_MOST_S}};
    return HT_OK;
}

static enum ht_status registry_read(struct ht__making *making, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    enum ht_status status = ht_store_reader_new(making->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht__facilities_read(making, reader, error);
    }
    if (status == HT_OK) {
        status = ht__scene_vans(making, reader, error);
    }
    ht_store_reader_free(reader);
    return status;
}

enum ht_status ht_planner_scene_make(struct ht_app *app, struct ht_world *world,
                                     const struct ht_planner_plan *last, const bool *cancel,
                                     struct ht_planner_scene *out, struct ht_error *error)
{
    struct ht__making making = {.app = app, .scene = out, .last = last};
    *out = (struct ht_planner_scene){.now_ms = ht_clock_now_ms(&app->clock)};
    enum ht_status status = registry_read(&making, error);
    if (status == HT_OK && out->vans_known > 0) {
        status = ht__scene_orders(&making);
        status = status == HT_OK ? ht__scene_running(&making) : status;
        status = status == HT_OK ? points_merge(out) : status;
        status = status == HT_OK ? problem_make(out) : status;
        status = status == HT_OK ? ht_planner_ways(out, world, cancel, error) : status;
    }
    free(making.facilities);
    return status;
}

void ht_planner_scene_deinit(struct ht_planner_scene *scene)
{
    for (uint32_t o = 0; o < scene->order_count; o++) {
        ht_order_release(scene->orders[o]);
    }
    for (uint32_t v = 0; v < scene->van_count; v++) {
        free(scene->vans[v].stops);
    }
    for (uint32_t k = 0; k < scene->kitchen_count; k++) {
        free(scene->kitchens[k].open);
    }
    for (uint32_t p = 0; p < scene->profile_count; p++) {
        free(scene->durations_s[p]);
        free(scene->distances_m[p]);
    }
    free(scene->orders);
    free(scene->vans);
    free(scene->points);
    free(scene->day_kitchens);
    free(scene->day_orders);
    free(scene->day_vans);
    free(scene->loads);
    *scene = (struct ht_planner_scene){0};
}
