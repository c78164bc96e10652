/* The orders of a scene, and the kitchens that they come from. */
#include <stdlib.h>
#include <string.h>

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

/* The number of an order's kitchen; HT_PLAN_NONE: it is gone, or they are too many. */
static enum ht_status kitchen_of(struct ht__making *making, const char *id, uint32_t *number)
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
        return HT_OK;
    }
    struct ht_planner_kitchen *kitchen = &scene->kitchens[k];
    memcpy(kitchen->id, facility->id, sizeof kitchen->id);
    enum ht_status status = ht__scene_point(scene, facility->point, &kitchen->location);
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
static enum ht_status order_take(struct ht__making *making, const struct ht_order *order,
                                 bool *taken)
{
    struct ht_planner_scene *scene = making->scene;
    struct ht_incident_place place;
    uint32_t kitchen = 0;
    bool pinned = ht_order_is_pinned(order);
    *taken = false;
    if ((!pinned && order->due_from_ms > scene->now_ms + HT_PLANNER_AHEAD_MS) ||
        (pinned && (order->unit == NULL || ht__scene_van(scene, order->unit) == HT_PLAN_NONE)) ||
        !ht_incident_places_get(ht_orders_room_places(making->app->orders), order->id, &place)) {
        return HT_OK;
    }
    enum ht_status status = kitchen_of(making, order->kitchen, &kitchen);
    if (status != HT_OK || kitchen == HT_PLAN_NONE) {
        return status;
    }
    struct ht_day_order *day = &scene->day_orders[scene->order_count];
    *day = day_order(order, kitchen);
    status = ht__scene_point(scene, place.point, &day->location);
    *taken = status == HT_OK;
    return status;
}

enum ht_status ht__scene_orders(struct ht__making *making)
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
