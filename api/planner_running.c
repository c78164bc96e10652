/* The running plan of a scene: what the search begins with. */
#include <stdlib.h>
#include <string.h>

#include "api/planner_ahead.h"
#include "api/planner_scene_internal.h"
#include "engine/base/array.h"

struct so_far {
    uint32_t van;
    uint32_t sequence;
    bool planned;   /* else aboard: these are first, */
    bool elsewhere; /* and of them those that can be handed over where the van stands */
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
    if (a->elsewhere != b->elsewhere) {
        return a->elsewhere ? 1 : -1;
    }
    if (a->sequence != b->sequence) {
        return a->sequence < b->sequence ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

/* One van's list on its way to stops. */
struct filling {
    struct ht__making *making;
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

static enum ht_status van_fill(struct ht__making *making, const struct so_far *list, size_t count)
{
    struct ht_planner_van *van = &making->scene->vans[list[0].van];
    struct filling filling = {.making = making,
                              .van = van,
                              .route = ht_planner_plan_route(making->sources->last, van->id),
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

/* Whether an order is with a van so far. One that leaves keeps but what it has on board. */
static bool so_far_of(const struct ht_planner_scene *scene, uint32_t o, struct so_far *out)
{
    const struct ht_order *order = scene->orders[o];
    bool pinned = ht_order_is_pinned(order);
    if (order->state == HT_ORDER_IS_RECEIVED || order->unit == NULL) {
        return false;
    }
    uint32_t v = ht__scene_van(scene, order->unit);
    if (v == HT_PLAN_NONE || (scene->vans[v].leaves && !pinned)) {
        return false;
    }
    const struct ht_planner_here *here = &scene->vans[v].here;
    bool is_here = pinned && here->at && order->due_from_ms <= scene->now_ms &&
                   ht_planner_same_place(here->point, scene->points[scene->day_orders[o].location]);
    *out = (struct so_far){v, order->sequence, !pinned, !is_here, o};
    return true;
}

enum ht_status ht__scene_running(struct ht__making *making)
{
    struct ht_planner_scene *scene = making->scene;
    size_t count = 0;
    struct so_far *list = ht_array_new(scene->order_count, sizeof *list);
    enum ht_status status = list == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t o = 0; status == HT_OK && o < scene->order_count; o++) {
        count += so_far_of(scene, o, &list[count]);
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
