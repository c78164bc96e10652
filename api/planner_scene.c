#include "api/planner_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/live.h"
#include "api/orders_room.h"
#include "engine/base/array.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

enum {
    ORDERS_MOST = HT_PLAN_TASKS_MOST,
    SAMPLE_MS = HT_ORDER_QUARTER_MS, /* how finely one looks when a kitchen is out of order */
    SAMPLES = (int)(HT_PLANNER_AHEAD_MS / SAMPLE_MS) + 8,
    PER_HOUR = 3600, /* so that a unit is a second of a van */
    PER_KM = 60,
    MOVE = 300, /* for another van it has to save as many seconds */
    LATE_PER_HOUR = 36000,
    LATE_MOST_S = 3600,
    TRIPS_MOST = 16
};

struct facility {
    char id[HT_ORDER_ID_MAX + 1];
    struct ht_point point;
    bool cooks;
};

struct making {
    struct ht_app *app;
    struct ht_planner_scene *scene;
    const struct ht_planner_plan *last;
    struct facility *facilities; /* by id */
    size_t facility_count;
    size_t facility_capacity;
};

/* ---- points ---- */

static enum ht_status point_add(struct ht_planner_scene *scene, struct ht_point point,
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

/* ---- facilities ---- */

static enum ht_status facility_take(void *user, const struct ht_store_item *item)
{
    struct making *making = user;
    struct ht_geometry geometry;
    struct ht_member member;
    struct facility facility = {0};
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
    return strcmp(((const struct facility *)left)->id, ((const struct facility *)right)->id);
}

static const struct facility *facility_find(const struct making *making, const char *id)
{
    struct facility key;
    (void)snprintf(key.id, sizeof key.id, "%s", id);
    return making->facility_count == 0
               ? NULL
               : bsearch(&key, making->facilities, making->facility_count, sizeof key, by_id);
}

static enum ht_status facilities_read(struct making *making, struct ht_store_reader *reader,
                                      struct ht_error *error)
{
    static const char name[] = "facilities";
    const struct ht_store_query query =
        ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    enum ht_status status = ht_store_items(reader, &query, facility_take, making, NULL, error);
    if (status == HT_OK && making->facility_count > 0) {
        qsort(making->facilities, making->facility_count, sizeof *making->facilities, by_id);
    }
    return status;
}

/* ---- vans ---- */

/* How many dimensions; 0: it does not say. */
static uint32_t capacity_read(const char *properties, int64_t capacity[HT_ORDER_LOADS])
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
static bool home_read(const struct making *making, const char *properties, struct ht_point *out)
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
        const struct facility *facility = facility_find(making, id);
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

static enum ht_status profile_of(struct making *making, uint32_t number, uint32_t *profile)
{
    struct ht_planner_scene *scene = making->scene;
    const char *name = ht_fleet_profile_name(ht_live_fleet(making->app->live), number);
    *profile = 0;
    while (*profile < scene->profile_count && strcmp(scene->profiles[*profile], name) != 0) {
        ++*profile;
    }
    if (*profile == HT_FLEET_PROFILES_MAX) {
        return HT_TOO_BIG;
    }
    if (*profile == scene->profile_count) {
        scene->profiles[scene->profile_count++] = name;
    }
    return HT_OK;
}

/* From now, or when its shift begins, to when that ends. */
static bool window_of(const struct making *making, uint32_t unit, struct ht_window *window)
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

static enum ht_status van_add(struct making *making, const struct ht_store_item *item,
                              const struct ht_unit *unit, struct ht_planner_van *van)
{
    struct ht_planner_scene *scene = making->scene;
    struct ht_point home;
    void *list = scene->vans;
    enum ht_status status = point_add(scene, unit->position.fix.point, &van->location);
    van->home = HT_PLAN_NONE;
    if (status == HT_OK && home_read(making, item->properties, &home)) {
        status = point_add(scene, home, &van->home);
    }
    if (status == HT_OK) {
        status = profile_of(making, unit->profile, &van->profile);
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
    struct making *making = user;
    struct ht_planner_scene *scene = making->scene;
    struct ht_fleet *fleet = ht_live_fleet(making->app->live);
    struct ht_planner_van van = {.stops = NULL};
    struct ht_unit unit;
    if (capacity_read(item->properties, van.capacity) == 0) {
        return HT_OK;
    }
    scene->vans_known++;
    uint32_t index = ht_fleet_find(fleet, item->id, strlen(item->id));
    if (index == HT_NONE || !ht_fleet_get(fleet, index, scene->now_ms, &unit) ||
        unit.status == HT_UNIT_OFF || !unit.positioned || unit.kind != HT_UNIT_VAN ||
        !window_of(making, index, &van.window)) {
        return HT_OK;
    }
    (void)snprintf(van.id, sizeof van.id, "%s", item->id);
    return van_add(making, item, &unit, &van);
}

static enum ht_status vans_read(struct making *making, struct ht_store_reader *reader,
                                struct ht_error *error)
{
    static const char name[] = "units";
    const struct ht_store_filter van = {"kind", "van", false};
    struct ht_store_query query = ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    query.filters = &van;
    query.filter_count = 1;
    return ht_store_items(reader, &query, van_take, making, NULL, error);
}

static uint32_t van_find(const struct ht_planner_scene *scene, const char *id)
{
    uint32_t v = 0;
    while (v < scene->van_count && strcmp(scene->vans[v].id, id) != 0) {
        v++;
    }
    return v == scene->van_count ? HT_PLAN_NONE : v;
}

/* ---- kitchens ---- */

/* When it works, from what is known of its outages by the quarter. */
static enum ht_status kitchen_hours(const struct making *making, struct ht_planner_kitchen *kitchen)
{
    int64_t now_ms = making->scene->now_ms;
    bool out = false;
    bool before = true;
    kitchen->open = ht_array_new(SAMPLES, sizeof *kitchen->open);
    if (kitchen->open == NULL) {
        return HT_NOMEM;
    }
    for (int i = 0; i < SAMPLES; i++) {
        int64_t at_ms = now_ms + (int64_t)i * SAMPLE_MS;
        bool is_out = ht_orders_room_kitchen_out(making->app->orders, kitchen->id, at_ms);
        if (!is_out && before) {
            kitchen->open[kitchen->open_count++] = (struct ht_window){at_ms / 1000, 0};
        }
        if (!is_out) {
            kitchen->open[kitchen->open_count - 1].to_s = at_ms / 1000 + SAMPLE_MS / 1000 - 1;
        }
        out = out || is_out;
        before = is_out;
    }
    if (!out) {
        kitchen->open_count = 0;
        free(kitchen->open);
        kitchen->open = NULL;
    }
    return HT_OK;
}

/* The number of an order's kitchen; HT_PLAN_NONE: it is gone, or they are too many. */
static enum ht_status kitchen_of(struct making *making, const char *id, uint32_t *number)
{
    struct ht_planner_scene *scene = making->scene;
    uint32_t k = 0;
    while (k < scene->kitchen_count && strcmp(scene->kitchens[k].id, id) != 0) {
        k++;
    }
    *number = k;
    if (k < scene->kitchen_count) {
        return HT_OK;
    }
    const struct facility *facility = facility_find(making, id);
    if (facility == NULL || !facility->cooks || k == HT_DAY_KITCHENS_MOST) {
        *number = HT_PLAN_NONE;
        return HT_OK;
    }
    struct ht_planner_kitchen *kitchen = &scene->kitchens[k];
    memcpy(kitchen->id, facility->id, sizeof kitchen->id);
    enum ht_status status = point_add(scene, facility->point, &kitchen->location);
    scene->kitchen_count++;
    return status == HT_OK ? kitchen_hours(making, kitchen) : status;
}

/* ---- orders ---- */

static struct ht_day_order day_order(const struct ht_order *order, uint32_t kitchen)
{
    bool aboard = ht_order_is_pinned(order);
    return (struct ht_day_order){.kitchen = kitchen,
                                 .aboard = aboard,
                                 .left_s = aboard ? order->loaded_ms / 1000 : 0,
                                 .ready_s = aboard ? 0 : (order->ready_ms + 999) / 1000,
                                 .due = {order->due_from_ms / 1000, order->due_to_ms / 1000},
                                 .service_s = (order->service_ms + 999) / 1000,
                                 .ride_most_s = HT_PLANNER_RIDE_MOST_S};
}

/* Whether it is one to be planned. */
static enum ht_status order_take(struct making *making, const struct ht_order *order, bool *taken)
{
    struct ht_planner_scene *scene = making->scene;
    struct ht_incident_place place;
    uint32_t kitchen = 0;
    bool pinned = ht_order_is_pinned(order);
    *taken = false;
    if ((!pinned && order->due_from_ms > scene->now_ms + HT_PLANNER_AHEAD_MS) ||
        (pinned && (order->unit == NULL || van_find(scene, order->unit) == HT_PLAN_NONE)) ||
        !ht_incident_places_get(ht_orders_room_places(making->app->orders), order->id, &place)) {
        return HT_OK;
    }
    enum ht_status status = kitchen_of(making, order->kitchen, &kitchen);
    if (status != HT_OK || kitchen == HT_PLAN_NONE) {
        return status;
    }
    struct ht_day_order *day = &scene->day_orders[scene->order_count];
    *day = day_order(order, kitchen);
    status = point_add(scene, place.point, &day->location);
    *taken = status == HT_OK;
    return status;
}

static enum ht_status orders_read(struct making *making)
{
    struct ht_planner_scene *scene = making->scene;
    const struct ht_order_filter open = {
        .states = UINT32_C(1) << HT_ORDER_IS_RECEIVED | UINT32_C(1) << HT_ORDER_IS_PLANNED |
                  UINT32_C(1) << HT_ORDER_IS_LOADED | UINT32_C(1) << HT_ORDER_IS_ENROUTE};
    const struct ht_order **all = ht_array_new(ORDERS_MOST, sizeof(struct ht_order *));
    if (all == NULL) {
        return HT_NOMEM;
    }
    size_t count =
        ht_orders_list(ht_orders_room_orders(making->app->orders), &open, ORDERS_MOST, all);
    scene->day_orders = ht_array_new(count, sizeof *scene->day_orders);
    enum ht_status status = scene->day_orders == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; i < count; i++) {
        bool taken = false;
        if (status == HT_OK) {
            status = order_take(making, all[i], &taken);
        }
        if (taken) {
            all[scene->order_count++] = all[i];
        } else {
            ht_order_release(all[i]);
        }
    }
    scene->orders = all;
    return status;
}

/* ---- the running plan ---- */

struct so_far {
    uint32_t van;
    uint32_t sequence;
    bool planned; /* else aboard: these are first */
    uint32_t order;
};

static int by_stop(const void *left, const void *right)
{
    const struct so_far *a = left;
    const struct so_far *b = right;
    if (a->van != b->van) {
        return a->van < b->van ? -1 : 1;
    }
    if (a->planned != b->planned) {
        return a->planned ? 1 : -1;
    }
    if (a->sequence != b->sequence) {
        return a->sequence < b->sequence ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

/* One van's list on its way to stops. */
struct filling {
    struct making *making;
    struct ht_planner_van *van;
    const struct ht_planner_route *route; /* of the plan before; NULL: there is none */
    const struct so_far *list;
    size_t count;
    bool *done; /* [count] */
};

static void stop_add(struct filling *filling, enum ht_day_stop_kind kind, uint32_t index)
{
    filling->van->stops[filling->van->stop_count++] = (struct ht_day_stop){kind, index};
}

/* The one of that id that is still to be loaded; `count`: there is none. */
static size_t planned_find(const struct filling *filling, const char *id)
{
    size_t i = 0;
    while (i < filling->count &&
           (!filling->list[i].planned ||
            strcmp(filling->making->scene->orders[filling->list[i].order]->id, id) != 0)) {
        i++;
    }
    return i;
}

/* The kitchen of a stop of the plan before where something is still to be loaded; HT_PLAN_NONE:
 * nothing is. */
static uint32_t load_wanted(const struct filling *filling, uint32_t at)
{
    const struct ht_planner_scene *scene = filling->making->scene;
    const struct ht_planner_stop *stops = filling->route->stops;
    for (uint32_t i = at + 1; i < filling->route->count; i++) {
        if (stops[i].loads && strcmp(stops[i].id, stops[at].id) == 0) {
            break;
        }
        size_t found = stops[i].loads ? filling->count : planned_find(filling, stops[i].id);
        if (found < filling->count) {
            uint32_t kitchen = scene->day_orders[filling->list[found].order].kitchen;
            if (strcmp(scene->kitchens[kitchen].id, stops[at].id) == 0) {
                return kitchen;
            }
        }
    }
    return HT_PLAN_NONE;
}

/* What is left of the plan before, as it was. */
static void route_follow(struct filling *filling)
{
    for (uint32_t i = 0; filling->route != NULL && i < filling->route->count; i++) {
        const struct ht_planner_stop *stop = &filling->route->stops[i];
        if (stop->loads) {
            uint32_t kitchen = load_wanted(filling, i);
            if (kitchen != HT_PLAN_NONE) {
                stop_add(filling, HT_DAY_LOAD, kitchen);
            }
            continue;
        }
        size_t found = planned_find(filling, stop->id);
        if (found < filling->count && !filling->done[found]) {
            filling->done[found] = true;
            stop_add(filling, HT_DAY_ORDER, filling->list[found].order);
        }
    }
}

/* How many from there on fit into the van together. */
static size_t trip_size(const struct filling *filling, size_t from)
{
    int64_t room[HT_ORDER_LOADS];
    memcpy(room, filling->van->capacity, sizeof room);
    for (size_t i = from; i < filling->count; i++) {
        const struct ht_order *order = filling->making->scene->orders[filling->list[i].order];
        for (uint32_t d = 0; !filling->done[i] && d < order->load_count; d++) {
            room[d] -= order->load[d];
            if (room[d] < 0 && i > from) {
                return i - from;
            }
        }
    }
    return filling->count - from;
}

/* The others by their sequence (all of them after a start), in trips as full as can be: where the
 * van loads is no part of what orders tell. */
static void rest_follow(struct filling *filling)
{
    const struct ht_planner_scene *scene = filling->making->scene;
    for (size_t from = 0; from < filling->count;) {
        uint64_t loaded = 0; /* bits of kitchens */
        size_t end = from + trip_size(filling, from);
        for (size_t i = from; i < end; i++) {
            uint32_t kitchen = scene->day_orders[filling->list[i].order].kitchen;
            if (!filling->done[i] && (loaded >> kitchen & 1) == 0) {
                loaded |= UINT64_C(1) << kitchen;
                stop_add(filling, HT_DAY_LOAD, kitchen);
            }
        }
        for (size_t i = from; i < end; i++) {
            if (!filling->done[i]) {
                stop_add(filling, HT_DAY_ORDER, filling->list[i].order);
            }
        }
        from = end;
    }
}

static enum ht_status van_fill(struct making *making, const struct so_far *list, size_t count)
{
    struct ht_planner_van *van = &making->scene->vans[list[0].van];
    struct filling filling = {.making = making,
                              .van = van,
                              .route = ht_planner_plan_route(making->last, van->id),
                              .list = list,
                              .count = count,
                              .done = ht_array_new_zeroed(count, sizeof *filling.done)};
    size_t loads = filling.route == NULL ? 0 : filling.route->count;
    van->stops = ht_array_new(loads + 2 * count, sizeof *van->stops);
    if (van->stops == NULL || filling.done == NULL) {
        free(filling.done);
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count && !list[i].planned; i++) {
        filling.done[i] = true;
        stop_add(&filling, HT_DAY_ORDER, list[i].order);
    }
    van->pinned = van->stop_count;
    route_follow(&filling);
    rest_follow(&filling);
    free(filling.done);
    return HT_OK;
}

static enum ht_status running_fill(struct making *making)
{
    struct ht_planner_scene *scene = making->scene;
    size_t count = 0;
    struct so_far *list = ht_array_new(scene->order_count, sizeof *list);
    enum ht_status status = list == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t o = 0; status == HT_OK && o < scene->order_count; o++) {
        const struct ht_order *order = scene->orders[o];
        uint32_t van = order->state == HT_ORDER_IS_RECEIVED || order->unit == NULL
                           ? HT_PLAN_NONE
                           : van_find(scene, order->unit);
        if (van != HT_PLAN_NONE) {
            list[count++] = (struct so_far){van, order->sequence, !ht_order_is_pinned(order), o};
        }
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_stop);
    }
    for (size_t i = 0; status == HT_OK && i < count;) {
        size_t end = i;
        while (end < count && list[end].van == list[i].van) {
            end++;
        }
        status = van_fill(making, list + i, end - i);
        i = end;
    }
    free(list);
    return status;
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

static enum ht_status registry_read(struct making *making, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    enum ht_status status = ht_store_reader_new(making->app->store, &reader, error);
    if (status == HT_OK) {
        status = facilities_read(making, reader, error);
    }
    if (status == HT_OK) {
        status = vans_read(making, reader, error);
    }
    ht_store_reader_free(reader);
    return status;
}

enum ht_status ht_planner_scene_make(struct ht_app *app, struct ht_world *world,
                                     const struct ht_planner_plan *last, const bool *cancel,
                                     struct ht_planner_scene *out, struct ht_error *error)
{
    struct making making = {.app = app, .scene = out, .last = last};
    *out = (struct ht_planner_scene){.now_ms = ht_clock_now_ms(&app->clock)};
    enum ht_status status = registry_read(&making, error);
    if (status == HT_OK && out->vans_known > 0) {
        status = orders_read(&making);
        status = status == HT_OK ? running_fill(&making) : status;
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
