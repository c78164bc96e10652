/* The orders of a scene, and the kitchens that they come from. */
#include <stdlib.h>
#include <string.h>

#include "api/arrivals.h"
#include "api/orders_room.h"
#include "api/planner_scene_internal.h"
#include "engine/base/array.h"

enum {
    ORDERS_MOST = HT_PLAN_TASKS_MOST,
    SAMPLE_MS = HT_ORDER_QUARTER_MS, /* how finely one looks when a kitchen is out of order */
    SAMPLES = (int)(HT_PLANNER_AHEAD_MS / SAMPLE_MS) + 8
};

/* ---- kitchens ---- */

/* When it works, from what is known of its outages by the quarter. */
static enum ht_status kitchen_hours(const struct ht__making *making,
                                    struct ht_planner_kitchen *kitchen)
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

/* The number of an order's kitchen; HT_PLAN_NONE with the reason: it is gone, or they are too many.
 */
static enum ht_status kitchen_of(struct ht__making *making, const char *id, uint32_t *number,
                                 enum ht_order_unplanned *reason)
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
    const struct ht__facility *facility = ht__facility_find(making, id);
    if (facility == NULL || !facility->cooks || k == HT_DAY_KITCHENS_MOST) {
        *number = HT_PLAN_NONE;
        *reason = k == HT_DAY_KITCHENS_MOST ? HT_ORDER_LACKS_OTHER : HT_ORDER_LACKS_KITCHEN;
        return HT_OK;
    }
    struct ht_planner_kitchen *kitchen = &scene->kitchens[k];
    memcpy(kitchen->id, facility->id, sizeof kitchen->id);
    enum ht_status status = ht__scene_point(scene, facility->point, &kitchen->location);
    scene->kitchen_count++;
    return status == HT_OK ? kitchen_hours(making, kitchen) : status;
}

/* For what is on board of a kitchen that is gone: any will do, since nothing is loaded any more. */
static enum ht_status kitchen_any(struct ht__making *making, struct ht_point point,
                                  uint32_t *number)
{
    struct ht_planner_scene *scene = making->scene;
    *number = 0;
    if (scene->kitchen_count > 0) {
        return HT_OK;
    }
    struct ht_planner_kitchen *none = &scene->kitchens[scene->kitchen_count++];
    return ht__scene_point(scene, point, &none->location);
}

/* ---- orders ---- */

static struct ht_day_order day_order(const struct ht_planner_rules *rules,
                                     const struct ht_order *order, uint32_t kitchen)
{
    bool aboard = ht_order_is_pinned(order);
    /* planned to be there some time before it is late: streets and stairs take what they take */
    int64_t spare_s = (order->due_to_ms - order->due_from_ms) / 2000;
    spare_s = spare_s < rules->spare_s ? spare_s : rules->spare_s;
    spare_s = spare_s < rules->late_most_s ? spare_s : rules->late_most_s;
    return (struct ht_day_order){
        .kitchen = kitchen,
        .aboard = aboard,
        .left_s = aboard ? order->loaded_ms / 1000 : 0,
        .ready_s = aboard ? 0 : (order->ready_ms + 999) / 1000,
        .due = {order->due_from_ms / 1000, order->due_to_ms / 1000 - spare_s},
        .service_s = (order->service_ms + 999) / 1000,
        .priority = order->priority,
        .ride_most_s = rules->ride_most_s};
}

static enum ht_status home_take(void *user, const struct ht_store_item *item)
{
    struct ht_planner_door *door = user;
    struct ht_home home;
    door->home = ht_home_read(item, &home);
    if (door->home) {
        door->inside = ht_home_inside(&home);
    }
    if (item->cell != NULL) {
        door->compound = ht_arrivals_cell(item->cell);
    }
    return HT_OK;
}

/* What is known of where it goes; a household that is gone is a place like any. */
static enum ht_status door_read(struct ht__making *making, const struct ht_order *order,
                                struct ht_point point, struct ht_planner_door *door)
{
    static const char name[] = "households";
    const char *compound = ht__compounds_find(making, point);
    enum ht_status status = HT_OK;
    *door = (struct ht_planner_door){.compound = ht_arrivals_square(point)};
    if (order->household != NULL) {
        status = ht_store_item(making->reader, ht_collection_find(name, sizeof name - 1),
                               order->household, false, home_take, door, NULL);
    }
    door->compound = compound == NULL ? door->compound : ht_arrivals_cell(compound);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

/* What became of an order that was looked at. */
enum taken { PASSED, TAKEN, LEFT_OUT };

/* Whether no van could carry it, on duty or not: known however far ahead it is. */
static bool too_large(const struct ht_planner_scene *scene, const struct ht_order *order)
{
    for (uint32_t i = 0; scene->vans_known > 0 && i < order->load_count; i++) {
        if (order->load[i] > scene->van_most[i]) {
            return true;
        }
    }
    return false;
}

/* Whether it is one to be planned; `*reason` of what is left out. */
static enum ht_status order_take(struct ht__making *making, const struct ht_order *order,
                                 enum taken *taken, enum ht_order_unplanned *reason)
{
    struct ht_planner_scene *scene = making->scene;
    struct ht_incident_place place;
    uint32_t kitchen = 0;
    bool pinned = ht_order_is_pinned(order);
    *taken = PASSED;
    if (!pinned && order->due_from_ms > scene->now_ms + HT_PLANNER_AHEAD_MS) {
        *reason = HT_ORDER_LACKS_CAPACITY;
        *taken = too_large(scene, order) ? LEFT_OUT : PASSED;
        return HT_OK;
    }
    if (pinned && (order->unit == NULL || ht__scene_van(scene, order->unit) == HT_PLAN_NONE)) {
        return HT_OK;
    }
    *reason = HT_ORDER_LACKS_OTHER;
    if (!ht_incident_places_get(ht_orders_room_places(making->app->orders), order->id, &place)) {
        *taken = pinned ? PASSED : LEFT_OUT;
        return HT_OK;
    }
    enum ht_status status = kitchen_of(making, order->kitchen, &kitchen, reason);
    if (status == HT_OK && kitchen == HT_PLAN_NONE) {
        *taken = pinned ? PASSED : LEFT_OUT;
        status = pinned ? kitchen_any(making, place.point, &kitchen) : HT_OK;
    }
    if (status != HT_OK || *taken == LEFT_OUT) {
        return status;
    }
    struct ht_day_order *day = &scene->day_orders[scene->order_count];
    *day = day_order(&scene->rules, order, kitchen);
    status = ht__scene_point(scene, place.point, &day->location);
    if (status == HT_OK) {
        status = door_read(making, order, place.point, &scene->doors[scene->order_count]);
    }
    *taken = status == HT_OK ? TAKEN : PASSED;
    return status;
}

static const struct ht_order_filter open_orders = {
    .states = UINT32_C(1) << HT_ORDER_IS_RECEIVED | UINT32_C(1) << HT_ORDER_IS_PLANNED |
              UINT32_C(1) << HT_ORDER_IS_LOADED | UINT32_C(1) << HT_ORDER_IS_ENROUTE};

bool ht__scene_wanted(const struct ht_app *app)
{
    const struct ht_order *one = NULL;
    bool wanted = ht_orders_list(ht_orders_room_orders(app->orders), &open_orders, 1, &one) > 0;
    ht_order_release(one);
    return wanted;
}

enum ht_status ht__scene_orders(struct ht__making *making)
{
    struct ht_planner_scene *scene = making->scene;
    const struct ht_order **all = ht_array_new(ORDERS_MOST, sizeof(struct ht_order *));
    if (all == NULL) {
        return HT_NOMEM;
    }
    size_t count =
        ht_orders_list(ht_orders_room_orders(making->app->orders), &open_orders, ORDERS_MOST, all);
    scene->day_orders = ht_array_new(count, sizeof *scene->day_orders);
    scene->doors = ht_array_new(count, sizeof *scene->doors);
    scene->left_out = ht_array_new(count, sizeof *scene->left_out);
    enum ht_status status =
        scene->day_orders == NULL || scene->doors == NULL || scene->left_out == NULL ? HT_NOMEM
                                                                                     : HT_OK;
    for (size_t i = 0; i < count; i++) {
        enum taken taken = PASSED;
        enum ht_order_unplanned reason = HT_ORDER_LACKS_OTHER;
        if (status == HT_OK) {
            status = order_take(making, all[i], &taken, &reason);
        }
        if (taken == TAKEN) {
            all[scene->order_count++] = all[i];
        } else if (taken == LEFT_OUT) {
            scene->left_out[scene->left_out_count++] = (struct ht_planner_left_out){all[i], reason};
        } else {
            ht_order_release(all[i]);
        }
    }
    scene->orders = all;
    return status;
}
