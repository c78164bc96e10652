/* The way from where a van parks to the doors of its orders, as a part of what they take.
 *
 *   park | way to the door | handing over | way back      one order
 *   park | 1/n of both ways and handing over, n times     n orders of one stop
 *
 * Who has several orders in a house goes up once: as far as the farthest of the doors, and back.
 * Each order has its part of that, so that whichever of them is left out, planned anew or handed
 * over first, the stay is right; and so much before it is due it begins. To whom comes to the van
 * nobody goes.
 */
#include <stdlib.h>
#include <string.h>

#include "api/desk_room.h"
#include "api/planner_ahead.h"
#include "api/planner_scene_internal.h"
#include "engine/base/array.h"

struct keyed {
    const struct ht_planner_scene *scene;
    uint32_t order;
};

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The van on whose plan it is; "": none. */
static const char *van_of(const struct ht_order *order)
{
    return order->unit != NULL && ht_order_is_open(order) ? order->unit : "";
}

/* Those that are handed over in one go, as far as anybody knows: 0. By the running plan, one stop;
 * of those on none, what was ordered alike: but what could not be brought so far waits alone, so
 * that nobody who is served counts on its part of the way. */
static int visit_compare(const struct keyed *a, const struct keyed *b)
{
    const struct ht_day_order *left = &a->scene->day_orders[a->order];
    const struct ht_day_order *right = &b->scene->day_orders[b->order];
    const struct ht_order *one = a->scene->orders[a->order];
    const struct ht_order *other = b->scene->orders[b->order];
    int van = strcmp(van_of(one), van_of(other));
    bool runs = van_of(one)[0] != '\0';
    const int64_t pairs[][2] = {
        {left->location, right->location},
        {van, 0},
        {runs ? one->sequence : left->kitchen, runs ? other->sequence : right->kitchen},
        {runs ? 0 : left->due.from_s, runs ? 0 : right->due.from_s},
        {runs ? 0 : left->due.to_s, runs ? 0 : right->due.to_s},
        {one->unplanned == HT_ORDER_LACKS_NONE ? 0 : (int64_t)a->order + 1,
         other->unplanned == HT_ORDER_LACKS_NONE ? 0 : (int64_t)b->order + 1}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i][0] != pairs[i][1]) {
            return compare(pairs[i][0], pairs[i][1]);
        }
    }
    return 0;
}

static int by_visit(const void *left, const void *right)
{
    const struct keyed *a = left;
    const struct keyed *b = right;
    int visit = visit_compare(a, b);
    return visit != 0 ? visit : compare(a->order, b->order);
}

/* Where the van stands before that door it keeps its part: who has been upstairs is not to go once
 * more for each order that is done with. False: it was not planned so. */
static bool part_kept(const struct ht__making *making, uint32_t o, uint32_t *part_ms)
{
    const struct ht_planner_scene *scene = making->scene;
    const char *unit = ht_order_is_pinned(scene->orders[o]) ? van_of(scene->orders[o]) : "";
    uint32_t v = unit[0] == '\0' ? HT_PLAN_NONE : ht__scene_van(scene, unit);
    if (v == HT_PLAN_NONE || !scene->vans[v].here.at ||
        !ht_planner_same_place(scene->vans[v].here.point,
                               scene->points[scene->day_orders[o].location])) {
        return false;
    }
    const struct ht_planner_route *route = ht_planner_plan_route(making->sources->last, unit);
    for (uint32_t i = 0; route != NULL && i < route->count; i++) {
        if (!route->stops[i].loads && strcmp(route->stops[i].id, scene->orders[o]->id) == 0) {
            *part_ms = route->stops[i].walk_ms;
            return true;
        }
    }
    return false;
}

static void door_take(const struct ht__making *making, uint32_t o, uint32_t part_ms)
{
    (void)part_kept(making, o, &part_ms);
    struct ht_day_order *order = &making->scene->day_orders[o];
    making->scene->doors[o].walk_ms = part_ms;
    order->service_s += (2 * part_ms + 999) / 1000;
    order->due.from_s -= part_ms / 1000;
    order->due.to_s -= part_ms / 1000;
}

/* From where a van parks to the door of an order. */
static uint32_t way_ms(const struct ht_planner_scene *scene, const struct ht_home_pace *pace,
                       uint32_t o)
{
    const struct ht_planner_door *door = &scene->doors[o];
    return ht_home_access_ms(pace, door->home ? &door->inside : NULL,
                             (double)scene->street_m[scene->day_orders[o].location]);
}

/* In how many goes: by the plan one; else in as many as the largest van takes for it. */
static uint32_t goes_of(const struct ht_planner_scene *scene, const struct keyed *list,
                        uint32_t count)
{
    int64_t meals = 0;
    int64_t most = 0;
    for (uint32_t v = 0; v < scene->van_count; v++) {
        most = scene->vans[v].capacity[0] > most ? scene->vans[v].capacity[0] : most;
    }
    for (uint32_t i = 0; i < count; i++) {
        meals += scene->orders[list[i].order]->load[0];
    }
    if (van_of(scene->orders[list[0].order])[0] != '\0' || most <= 0) {
        return 1;
    }
    int64_t goes = (meals + most - 1) / most;
    return goes < count ? (uint32_t)goes : count;
}

enum ht_status ht__scene_doors(struct ht__making *making)
{
    struct ht_planner_scene *scene = making->scene;
    const struct ht_home_pace pace = ht_desk_room_kind(making->app->desk, HT_INCIDENT_OTHER).pace;
    struct keyed *list = ht_array_new(scene->order_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    uint32_t all = 0;
    for (uint32_t o = 0; o < scene->order_count; o++) {
        if (scene->orders[o]->handover == HT_ORDER_AT_DOOR) {
            list[all++] = (struct keyed){scene, o};
        }
    }
    if (all > 0) {
        qsort(list, all, sizeof *list, by_visit);
    }
    for (uint32_t i = 0; i < all;) {
        uint32_t count = 1;
        uint32_t most_ms = way_ms(scene, &pace, list[i].order);
        for (uint32_t j = i + 1; j < all && visit_compare(&list[i], &list[j]) == 0; j++) {
            uint32_t one_ms = way_ms(scene, &pace, list[j].order);
            most_ms = one_ms > most_ms ? one_ms : most_ms;
            count++;
        }
        uint64_t all_ms = (uint64_t)most_ms * goes_of(scene, &list[i], count);
        for (uint32_t k = 0; k < count; k++) {
            door_take(making, list[i++].order, (uint32_t)(all_ms / count));
        }
    }
    free(list);
    return HT_OK;
}
