/* The vans of a scene, and where kitchens and homes are: from registry and fleet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/orders_room.h"
#include "api/planner_ahead.h"
#include "api/planner_scene_internal.h"
#include "api/underway.h"
#include "engine/base/array.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

enum { VANS_MOST = 20000 };

/* ---- facilities ---- */

static enum ht_status facility_take(void *user, const struct ht_store_item *item)
{
    struct ht__making *making = user;
    struct ht_geometry geometry;
    struct ht_member member;
    struct ht__facility facility = {0};
    char kind[32];
    if (item->wkb_size == 0 || strlen(item->id) > HT_ORDER_ID_MAX) {
        return HT_OK;
    }
    ht_geometry_init(&geometry);
    enum ht_status status = ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK && geometry.point_count > 0) {
        (void)snprintf(facility.id, sizeof facility.id, "%s", item->id);
        facility.point = geometry.points[0];
        facility.cooks = ht_member_find(item->properties, "kind", &member) &&
                         ht_member_text(&member, kind, sizeof kind) && strcmp(kind, "kitchen") == 0;
        void *list = making->facilities;
        status = ht_array_reserve(&list, &making->facility_capacity, making->facility_count + 1,
                                  sizeof facility);
        making->facilities = list;
        if (status == HT_OK) {
            making->facilities[making->facility_count++] = facility;
        }
    }
    ht_geometry_deinit(&geometry);
    return status;
}

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct ht__facility *)left)->id,
                  ((const struct ht__facility *)right)->id);
}

const struct ht__facility *ht__facility_find(const struct ht__making *making, const char *id)
{
    struct ht__facility key;
    (void)snprintf(key.id, sizeof key.id, "%s", id);
    return making->facility_count == 0
               ? NULL
               : bsearch(&key, making->facilities, making->facility_count, sizeof key, by_id);
}

enum ht_status ht__facilities_read(struct ht__making *making, struct ht_error *error)
{
    static const char name[] = "facilities";
    const struct ht_store_query query =
        ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    enum ht_status status =
        ht_store_items(making->reader, &query, facility_take, making, NULL, error);
    if (status == HT_OK && making->facility_count > 0) {
        qsort(making->facilities, making->facility_count, sizeof *making->facilities, by_id);
    }
    return status;
}

/* ---- vans ---- */

uint32_t ht_planner_capacity(const char *properties, int64_t capacity[HT_ORDER_LOADS])
{
    struct ht_member member;
    struct ht_member item;
    uint32_t count = 0;
    memset(capacity, 0, HT_ORDER_LOADS * sizeof *capacity);
    if (!ht_member_find(properties, "capacity", &member) || member.value[0] != '[') {
        return 0;
    }
    for (const char *at = member.value; count < HT_ORDER_LOADS && ht_member_item(&at, &item);) {
        capacity[count++] = (int64_t)strtod(item.value, NULL);
    }
    return count;
}

/* A facility's id, or a place. */
static bool home_read(const struct ht__making *making, const char *properties, struct ht_point *out)
{
    struct ht_member member;
    struct ht_member item;
    char id[HT_ORDER_ID_MAX + 1];
    double pair[2] = {0, 0};
    int count = 0;
    if (!ht_member_find(properties, "home", &member)) {
        return false;
    }
    if (ht_member_text(&member, id, sizeof id)) {
        const struct ht__facility *facility = ht__facility_find(making, id);
        *out = facility == NULL ? *out : facility->point;
        return facility != NULL;
    }
    for (const char *at = member.value;
         member.value[0] == '[' && count < 2 && ht_member_item(&at, &item);) {
        pair[count++] = strtod(item.value, NULL);
    }
    *out = (struct ht_point){(int32_t)(pair[0] * 1e7), (int32_t)(pair[1] * 1e7)};
    return count == 2;
}

/* The lane of a van whose permits open zones that hold; HT_NONE: they open nothing. */
static uint32_t lane_of(const struct ht__making *making, uint32_t unit)
{
    for (size_t i = 0; i < making->places.count; i++) {
        const struct ht_live_place *place = &making->places.list[i];
        if (place->unit == unit) {
            return place->part == 0 ? HT_NONE : place->part - 1;
        }
    }
    return HT_NONE;
}

static enum ht_status profile_of(struct ht__making *making, uint32_t number, uint32_t lane,
                                 uint32_t *profile)
{
    struct ht_planner_scene *scene = making->scene;
    const char *name = ht_fleet_profile_name(ht_live_fleet(making->app->live), number);
    *profile = 0;
    while (*profile < scene->profile_count &&
           (strcmp(scene->profiles[*profile], name) != 0 || scene->lanes[*profile] != lane)) {
        ++*profile;
    }
    if (*profile == HT_FLEET_PROFILES_MAX) {
        return lane == HT_NONE ? HT_TOO_BIG /* too many sets of permits: without them */
                               : profile_of(making, number, HT_NONE, profile);
    }
    if (*profile == scene->profile_count) {
        scene->profiles[scene->profile_count] = name;
        scene->lanes[scene->profile_count++] = lane;
    }
    return HT_OK;
}

/* From now, or when its shift begins, to when that ends. */
static bool window_of(const struct ht__making *making, uint32_t unit, struct ht_window *window)
{
    int64_t from_ms = 0;
    int64_t until_ms = 0;
    int64_t now_ms = making->scene->now_ms;
    int64_t last_ms = now_ms + HT_PLANNER_AHEAD_MS;
    if (!ht_fleet_duty(ht_live_fleet(making->app->live), unit, &from_ms, &until_ms)) {
        return false;
    }
    from_ms = from_ms < now_ms ? now_ms : from_ms;
    until_ms = until_ms > last_ms ? last_ms : until_ms;
    *window = (struct ht_window){(from_ms + 999) / 1000, until_ms / 1000};
    return window->from_s < window->to_s;
}

/* Whether it has something on board. */
static bool is_laden(const struct ht__making *making, const char *unit)
{
    const struct ht_order *order = NULL;
    const struct ht_order_filter filter = {.states = UINT32_C(1) << HT_ORDER_IS_LOADED |
                                                     UINT32_C(1) << HT_ORDER_IS_ENROUTE,
                                           .unit = unit};
    size_t count = ht_orders_list(ht_orders_room_orders(making->app->orders), &filter, 1, &order);
    if (count > 0) {
        ht_order_release(order);
    }
    return count > 0;
}

/* What the registry says, else what the settings do; false: neither. */
static bool capacity_of(const struct ht__making *making, const struct ht_store_item *item,
                        int64_t capacity[HT_ORDER_LOADS])
{
    if (ht_planner_capacity(item->properties, capacity) > 0) {
        return true;
    }
    capacity[0] = making->scene->rules.van_meals;
    for (int i = 1; i < HT_ORDER_LOADS; i++) {
        capacity[i] = HT_ORDER_LOAD_MOST;
    }
    return capacity[0] > 0;
}

/* Since when the driver does what he stands there for, the first that is ahead; 0: he waits, or
 * nobody knows. */
static int64_t begun_since(const struct ht_planner_ahead *ahead, const struct ht_planner_here *here,
                           int64_t now_ms)
{
    const struct ht_planner_stop *stop = ahead->list[0].stop;
    uint32_t index = ahead->list[0].index;
    int64_t since_ms = stop->begun_ms;
    if (since_ms == 0 && index > 0 &&
        ht_planner_same_place(ahead->route->stops[index - 1].point, stop->point)) {
        since_ms = stop->begin_ms; /* after another one there */
    } else if (since_ms == 0) {    /* he came since, and parks first */
        since_ms = here->since_ms + stop->park_ms;
        since_ms = since_ms < stop->not_before_ms ? stop->not_before_ms : since_ms;
    }
    return since_ms <= now_ms ? since_ms : 0;
}

/* What a driver has begun by the plan so far isn't begun once more by the next: the van is free for
 * it since then. What takes longer than planned has a part of its time left still. */
static enum ht_status begun_keep(struct ht__making *making, struct ht_planner_van *van)
{
    struct ht_planner_ahead ahead;
    int64_t now_ms = making->scene->now_ms;
    const struct ht_planner_route *route = ht_planner_plan_route(making->sources->last, van->id);
    enum ht_status status = ht_planner_ahead_make(making->app, route, &van->here, &ahead);
    if (status == HT_OK && ahead.here > 0) {
        const struct ht_planner_stop *stop = ahead.list[0].stop;
        van->begun_ms = begun_since(&ahead, &van->here, now_ms);
        van->begun_loads = stop->loads;
        memcpy(van->begun, stop->id, sizeof van->begun);
        int64_t passed_ms = now_ms - van->begun_ms;
        int64_t most_ms = stop->service_ms - stop->service_ms / HT_PLANNER_LEAST_PART;
        int64_t from_ms = now_ms - (passed_ms < most_ms ? passed_ms : most_ms);
        bool on_duty = van->window.from_s <= (now_ms + 999) / 1000;
        if (van->begun_ms != 0 && on_duty) {
            van->window.from_s = (from_ms + 999) / 1000;
        }
    }
    ht_planner_ahead_deinit(&ahead);
    return status;
}

/* It is where it was seen; or at the stop where it stands, and needs not park again. */
static enum ht_status van_place(struct ht__making *making, const struct ht_store_item *item,
                                const struct ht_unit *unit, struct ht_planner_van *van)
{
    struct ht_planner_scene *scene = making->scene;
    struct ht_progress progress;
    struct ht_point home;
    struct ht_point point = unit->position.fix.point;
    van->home = HT_PLAN_NONE;
    if (ht_underway_progress(making->app->underway, van->id, &progress) && progress.at) {
        van->here = (struct ht_planner_here){true, progress.stop, progress.since_ms};
        point = progress.stop;
    }
    enum ht_status status = ht__scene_point(scene, point, &van->location);
    if (status == HT_OK && van->here.at) {
        status = begun_keep(making, van);
    }
    if (status == HT_OK && home_read(making, item->properties, &home)) {
        status = ht__scene_point(scene, home, &van->home);
    }
    return status;
}

static enum ht_status van_add(struct ht__making *making, const struct ht_store_item *item,
                              const struct ht_unit *unit, struct ht_planner_van *van)
{
    struct ht_planner_scene *scene = making->scene;
    void *list = scene->vans;
    uint32_t number = ht_fleet_find(ht_live_fleet(making->app->live), van->id, strlen(van->id));
    enum ht_status status = van_place(making, item, unit, van);
    if (status == HT_OK) {
        status = profile_of(making, unit->profile, lane_of(making, number), &van->profile);
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&list, &scene->van_capacity, scene->van_count + (size_t)1,
                                  sizeof *van);
        scene->vans = list;
    }
    if (status == HT_OK) {
        scene->vans[scene->van_count++] = *van;
    }
    return status;
}

static enum ht_status van_take(void *user, const struct ht_store_item *item)
{
    struct ht__making *making = user;
    struct ht_planner_scene *scene = making->scene;
    struct ht_fleet *fleet = ht_live_fleet(making->app->live);
    struct ht_planner_van van = {.stops = NULL};
    struct ht_unit unit;
    if (!capacity_of(making, item, van.capacity)) {
        return HT_OK;
    }
    scene->vans_known++;
    for (int i = 0; i < HT_ORDER_LOADS; i++) {
        scene->van_most[i] =
            van.capacity[i] > scene->van_most[i] ? van.capacity[i] : scene->van_most[i];
    }
    uint32_t index = ht_fleet_find(fleet, item->id, strlen(item->id));
    if (index == HT_NONE || !ht_fleet_get(fleet, index, scene->now_ms, &unit) || !unit.positioned ||
        unit.kind != HT_UNIT_VAN) {
        return HT_OK;
    }
    (void)snprintf(van.id, sizeof van.id, "%s", item->id);
    if (unit.status == HT_UNIT_OFF || !window_of(making, index, &van.window)) {
        if (!is_laden(making, van.id)) {
            return HT_OK;
        }
        van.leaves = true;
        van.window = (struct ht_window){(scene->now_ms + 999) / 1000,
                                        (scene->now_ms + HT_PLANNER_AHEAD_MS) / 1000};
    }
    return van_add(making, item, &unit, &van);
}

static enum ht_status permits_find(struct ht__making *making)
{
    const struct ht_planner_sources *sources = making->sources;
    const struct ht_unit_filter vans = {.kinds = UINT32_C(1) << HT_UNIT_VAN, .heard_ms = INT64_MIN};
    const struct ht_live_places_ask ask = {.filter = &vans, .most = VANS_MOST};
    return ht_live_places_find(making->app->live, sources->work, sources->world, &ask,
                               &making->places);
}

enum ht_status ht__scene_vans(struct ht__making *making, struct ht_error *error)
{
    static const char name[] = "units";
    const struct ht_store_filter van = {"kind", "van", false};
    struct ht_store_query query = ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    query.filters = &van;
    query.filter_count = 1;
    enum ht_status status = permits_find(making);
    return status == HT_OK ? ht_store_items(making->reader, &query, van_take, making, NULL, error)
                           : ht_error_set(error, status, 0, NULL);
}

uint32_t ht__scene_van(const struct ht_planner_scene *scene, const char *id)
{
    uint32_t v = 0;
    while (v < scene->van_count && strcmp(scene->vans[v].id, id) != 0) {
        v++;
    }
    return v == scene->van_count ? HT_PLAN_NONE : v;
}
