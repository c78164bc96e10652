#include "api/planner_scene.h"

#include <stdlib.h>
#include <string.h>

#include "api/planner_scene_internal.h"
#include "engine/base/array.h"

enum { PER_HOUR = 3600 }; /* so that a unit is a second of a van */

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
                                    .load_s = scene->rules.load_s,
                                    .open = kitchen->open,
                                    .open_count = kitchen->open_count};
    }
    for (uint32_t v = 0; v < scene->van_count; v++) {
        const struct ht_planner_van *van = &scene->vans[v];
        scene->day_vans[v] =
            (struct ht_day_van){.profile = van->profile,
                                .location = van->location,
                                .end = van->home,
                                .window = van->window,
                                .capacity = van->capacity,
                                .trips_most = van->leaves ? 0 : scene->rules.trips_most,
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
                                .stop_s = scene->rules.stop_s,
                                .now_s = scene->now_ms / 1000,
                                .prices = {.per_hour = PER_HOUR,
                                           .per_km = scene->rules.km_s,
                                           .move = scene->rules.move_s,
                                           .late_per_hour = scene->rules.late_price * PER_HOUR,
                                           .late_most_s = scene->rules.late_most_s}};
    return HT_OK;
}

static uint32_t rule(const struct ht_settings *settings, enum ht_setting_field field)
{
    return (uint32_t)ht_setting(settings, field); /* within the bounds of its field */
}

struct ht_planner_rules ht_planner_rules_now(const struct ht_settings *settings)
{
    return (struct ht_planner_rules){.run = rule(settings, HT_SETTING_PLANNER_RUN) != 0,
                                     .move_s = rule(settings, HT_SETTING_PLANNER_MOVE_S),
                                     .km_s = rule(settings, HT_SETTING_PLANNER_KM_S),
                                     .late_price = rule(settings, HT_SETTING_PLANNER_LATE_PRICE),
                                     .late_most_s = rule(settings, HT_SETTING_PLANNER_LATE_MOST_S),
                                     .spare_s = rule(settings, HT_SETTING_PLANNER_SPARE_S),
                                     .ride_most_s = rule(settings, HT_SETTING_PLANNER_RIDE_MOST_S),
                                     .stop_s = rule(settings, HT_SETTING_PLANNER_STOP_S),
                                     .load_s = rule(settings, HT_SETTING_PLANNER_LOAD_S),
                                     .trips_most = rule(settings, HT_SETTING_PLANNER_TRIPS_MOST),
                                     .van_meals = rule(settings, HT_SETTING_PLANNER_VAN_MEALS)};
}

static enum ht_status scene_read(struct ht__making *making, struct ht_error *error)
{
    if (!ht__scene_wanted(making->app)) {
        return HT_OK; /* a day without meals costs nothing, however many vans there are */
    }
    enum ht_status status = ht__facilities_read(making, error);
    if (status == HT_OK) {
        status = ht__scene_vans(making, error);
    }
    making->scene->planned = making->scene->vans_known > 0 || making->scene->rules.van_meals > 0;
    if (status == HT_OK && making->scene->planned) {
        status = ht__compounds_read(making, error);
        status = status == HT_OK ? ht__scene_orders(making) : status;
        status = status == HT_OK ? ht__scene_running(making) : status;
        status = status == HT_OK ? points_merge(making->scene) : status;
        status = status == HT_OK ? problem_make(making->scene) : status;
    }
    return status;
}

enum ht_status ht_planner_scene_make(const struct ht_planner_sources *sources,
                                     struct ht_planner_scene *out, struct ht_error *error)
{
    struct ht_app *app = sources->app;
    struct ht__making making = {.app = app, .scene = out, .sources = sources};
    *out = (struct ht_planner_scene){.now_ms = ht_clock_now_ms(&app->clock),
                                     .rules = ht_planner_rules_now(&app->settings)};
    enum ht_status status = ht_store_reader_new(app->store, &making.reader, error);
    if (status == HT_OK) {
        status = scene_read(&making, error);
    }
    ht_store_reader_free(making.reader);
    if (status == HT_OK && out->planned) {
        status = ht_planner_ways(out, sources, error);
    }
    if (status == HT_OK && out->planned) {
        status = ht__scene_doors(&making);
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    ht_live_places_deinit(&making.places);
    free(making.facilities);
    ht__compounds_deinit(&making);
    return status;
}

void ht_planner_scene_deinit(struct ht_planner_scene *scene)
{
    for (uint32_t o = 0; o < scene->order_count; o++) {
        ht_order_release(scene->orders[o]);
    }
    for (uint32_t i = 0; i < scene->left_out_count; i++) {
        ht_order_release(scene->left_out[i].order);
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
    free(scene->left_out);
    free(scene->vans);
    free(scene->points);
    free(scene->street_m);
    free(scene->doors);
    free(scene->day_kitchens);
    free(scene->day_orders);
    free(scene->day_vans);
    free(scene->loads);
    *scene = (struct ht_planner_scene){0};
}
