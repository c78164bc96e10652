/* The part of underway that reckons: how long it takes to the next stop over the streets of now,
 * when each order comes by that, and who is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/orders_room.h"
#include "api/planner_line.h"
#include "api/underway_internal.h"
#include "engine/base/array.h"

enum { AT_ONCE = 32, WAY_MOST = 20000 };

/* ---- forecasts that are kept until the order comes ---- */

struct kept {
    struct ht_named named;
    char id[HT_ORDER_ID_MAX + 1];
    uint32_t made; /* bits of horizons */
    struct ht_arrival_band bands[HT_ARRIVAL_HORIZONS];
};

/* The first of each horizon. */
static void band_keep(struct ht_underway *underway, const char *order,
                      const struct ht_arrival_band *band)
{
    struct kept *kept = (struct kept *)ht_names_find(&underway->kept, order);
    if (kept == NULL) {
        if (ht_names_reserve(&underway->kept) != HT_OK ||
            (kept = calloc(1, sizeof *kept)) == NULL) {
            return; /* one less to learn from */
        }
        (void)snprintf(kept->id, sizeof kept->id, "%s", order);
        kept->named.id = kept->id;
        ht_names_add(&underway->kept, &kept->named);
    }
    if (band->horizon < HT_ARRIVAL_HORIZONS && (kept->made >> band->horizon & 1) == 0) {
        kept->made |= UINT32_C(1) << band->horizon;
        kept->bands[band->horizon] = *band;
    }
}

/* Whether nothing more is to be waited for; what came teaches. */
static bool is_judged(struct ht_underway *underway, const struct kept *kept)
{
    const struct ht_order *order =
        ht_orders_get(ht_orders_room_orders(underway->app->orders), kept->id);
    bool over = order == NULL || !ht_order_is_open(order) || order->state == HT_ORDER_IS_RECEIVED;
    if (order != NULL && order->state == HT_ORDER_IS_DELIVERED) {
        int64_t came_ms = order->closed_ms - order->service_ms; /* the hand-over's begin */
        for (uint32_t h = 0; h < HT_ARRIVAL_HORIZONS; h++) {
            if ((kept->made >> h & 1) != 0) {
                ht_arrivals_came(underway->app->arrivals, &kept->bands[h], came_ms);
            }
        }
    }
    ht_order_release(order);
    return over;
}

void ht__underway_judge(struct ht_underway *underway)
{
    struct ht_names *names = &underway->kept;
    for (size_t i = 0; i < names->slot_count; i++) {
        struct ht_named *next = NULL;
        for (struct ht_named *named = names->slots[i]; named != NULL; named = next) {
            next = named->next;
            if (is_judged(underway, (struct kept *)named)) {
                ht_names_remove(names, named);
                free(named);
            }
        }
    }
}

void ht__underway_kept_free(struct ht_underway *underway)
{
    struct ht_names *names = &underway->kept;
    for (size_t i = 0; i < names->slot_count; i++) {
        while (names->slots[i] != NULL) {
            struct ht_named *named = names->slots[i];
            names->slots[i] = named->next;
            free(named);
        }
    }
    free(names->slots);
}

/* ---- the way to the next stop ---- */

/* A van that is reckoned, by a copy of what is known of it. */
struct reckoned {
    char unit[HT_UNIT_ID_MAX + 1];
    struct ht_live_unit live;
    struct ht_progress progress;
    struct ht_planner_ahead ahead;
    const struct ht_planner_route *route;
    bool seen; /* its way to the first stop is known */
    uint32_t first_ms;
};

/* How long it takes each van to its first stop; one question for all. */
static void firsts_find(struct ht_underway *underway, struct ht_world *world, struct reckoned *list,
                        size_t count)
{
    uint32_t units[AT_ONCE];
    size_t of[AT_ONCE];
    struct ht_point points[AT_ONCE];
    static uint32_t duration_ms[AT_ONCE * AT_ONCE]; /* the one thread's */
    static int64_t length_mm[AT_ONCE * AT_ONCE];
    struct ht_live_work *work = ht_app_live_work(underway->context);
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].ahead.count > 0 && list[i].ahead.here == 0 && list[i].live.number != HT_NONE) {
            units[asked] = list[i].live.number;
            points[asked] = list[i].ahead.list[0].stop->point;
            of[asked++] = i;
        }
    }
    const struct ht_live_many many = {.units = units,
                                      .unit_count = asked,
                                      .points = points,
                                      .point_count = asked,
                                      .duration_ms = duration_ms,
                                      .length_mm = length_mm};
    if (asked == 0 || work == NULL || world == NULL ||
        ht_live_matrix(underway->app->live, work, world, &many) != HT_OK) {
        return;
    }
    for (size_t i = 0; i < asked; i++) {
        uint32_t one_ms = duration_ms[i * asked + i];
        list[of[i]].seen = one_ms < HT_WEIGHT_INF;
        list[of[i]].first_ms = list[of[i]].seen ? one_ms : UINT32_MAX;
    }
}

/* Whether a van goes by streets of its own, that no line is drawn over. */
static bool has_permits(struct ht_underway *underway, uint32_t number)
{
    struct ht_unit unit;
    return ht_fleet_get(ht_live_fleet(underway->app->live), number, 0, &unit) && unit.permits != 0;
}

/* The line that it is to follow, from where it is to its next stop. */
static void way_make(struct ht_underway *underway, struct ht_world *world,
                     const struct reckoned *reckoned)
{
    struct ht_planner_line line = {.road = NULL};
    uint64_t length_mm = 0;
    struct ht_point *way = NULL;
    struct ht_point to = reckoned->ahead.list[0].stop->point;
    bool drawn = reckoned->progress.ts_ms != 0 && !has_permits(underway, reckoned->live.number) &&
                 ht_planner_line_begin(&line, world, reckoned->route->profile) == HT_OK &&
                 ht_planner_line_leg(&line, reckoned->progress.point, to, &length_mm) &&
                 line.shape.point_count > 0 && line.shape.point_count <= WAY_MOST;
    if (drawn) {
        way = ht_array_new(line.shape.point_count, sizeof *way);
    }
    (void)pthread_mutex_lock(&underway->lock);
    struct ht__van *van = ht__underway_van(underway, reckoned->unit);
    if (van != NULL && way != NULL) {
        memcpy(way, line.shape.points, line.shape.point_count * sizeof *way);
        free(van->way);
        van->way = way;
        van->way_count = line.shape.point_count;
        van->way_to = to;
        way = NULL;
    }
    (void)pthread_mutex_unlock(&underway->lock);
    free(way);
    ht_planner_line_deinit(&line);
}

/* What a van is to know of its way. Needs the lock. */
static void first_keep(struct ht__van *van, const struct reckoned *reckoned, int64_t now_ms)
{
    van->first_ms = reckoned->seen ? reckoned->first_ms : UINT32_MAX;
    van->first_at_ms = now_ms;
    if (van->left && reckoned->seen && reckoned->first_ms > 0) {
        van->left = false;
        van->leg_ms = reckoned->first_ms;
        van->leg_to = reckoned->ahead.list[0].stop->point;
        van->leg_from_ms = reckoned->progress.ts_ms;
    }
}

/* ---- who is told ---- */

/* Orders whose times shifted far enough to be told to everybody. */
struct shifted {
    struct ht_order_plan *rows;
    size_t count;
    size_t capacity;
};

static void order_tell(struct ht_underway *underway, const struct ht_order *order,
                       const struct ht_arrival_band *band, struct shifted *shifted)
{
    struct ht_orders_room *room = underway->app->orders;
    int64_t step_ms = ht_orders_room_numbers(room).step_ms;
    struct ht_order_times times = ht_planner_times(band, order);
    times.unit = order->unit;
    band_keep(underway, order->id, band);
    if (!ht_order_shifts(order, &times, step_ms)) {
        bool told = ht_orders_tell(ht_orders_room_orders(room), order->id, &times);
        (void)told; /* it may be over by now */
        return;
    }
    void *rows = shifted->rows;
    if (ht_array_reserve(&rows, &shifted->capacity, shifted->count + 1, sizeof *shifted->rows) ==
        HT_OK) {
        shifted->rows = rows;
        shifted->rows[shifted->count++] = (struct ht_order_plan){.order = order->id,
                                                                 .unit = order->unit,
                                                                 .eta_ms = times.eta_ms,
                                                                 .eta_low_ms = times.eta_low_ms,
                                                                 .eta_high_ms = times.eta_high_ms,
                                                                 .sequence = order->sequence};
    }
}

static void van_tell(struct ht_underway *underway, const struct reckoned *reckoned, int64_t now_ms,
                     struct shifted *shifted)
{
    const struct ht_planner_ahead *ahead = &reckoned->ahead;
    const struct ht_planner_when when = {
        .now_ms = now_ms,
        .first_ms = reckoned->first_ms,
        .here = {reckoned->progress.at, reckoned->progress.stop, reckoned->progress.since_ms}};
    struct ht_arrival_band *bands = ht_array_new(ahead->count, sizeof *bands);
    if (bands != NULL &&
        ht_planner_ahead_bands(underway->app->arrivals, ahead, &when, bands) == HT_OK) {
        for (uint32_t i = 0; i < ahead->count; i++) {
            if (ahead->list[i].order != NULL) {
                order_tell(underway, ahead->list[i].order, &bands[i], shifted);
            }
        }
    }
    free(bands);
}

static void shifted_write(struct ht_underway *underway, struct shifted *shifted)
{
    struct ht_orders_room_planning planning = {
        .rows = shifted->rows, .count = shifted->count, .times_only = true};
    if (shifted->count > 0 &&
        ht_orders_room_plan(underway->app->orders, &planning, NULL) == HT_OK) {
        (void)pthread_mutex_lock(&underway->lock);
        underway->stats.shifts += shifted->count - planning.passed_over;
        (void)pthread_mutex_unlock(&underway->lock);
    }
}

/* ---- all of them ---- */

/* Some that are due, from `*from` on. */
static size_t due_take(struct ht_underway *underway, struct reckoned *list, size_t *from)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&underway->lock);
    for (; *from < underway->van_count && count < AT_ONCE; ++*from) {
        struct ht__van *van = &underway->vans[*from];
        if (van->due && van->routed) {
            struct reckoned *one = &list[count++];
            *one = (struct reckoned){
                .live = van->live, .progress = van->progress, .first_ms = UINT32_MAX};
            memcpy(one->unit, van->unit, sizeof one->unit);
            van->due = false;
        }
    }
    (void)pthread_mutex_unlock(&underway->lock);
    return count;
}

/* Keeps what was reckoned; whether a line to another stop than before is to be drawn. */
static bool van_keep(struct ht_underway *underway, const struct reckoned *reckoned, int64_t now_ms)
{
    bool wanted = false;
    (void)pthread_mutex_lock(&underway->lock);
    struct ht__van *van = ht__underway_van(underway, reckoned->unit);
    if (van != NULL && reckoned->ahead.count > 0) {
        first_keep(van, reckoned, now_ms);
        bool drives = !van->progress.at && reckoned->ahead.here == 0;
        bool other = van->way == NULL ||
                     !ht_planner_same_place(van->way_to, reckoned->ahead.list[0].stop->point);
        wanted = drives && other;
        if (!drives || other) {
            free(van->way);
            van->way = NULL;
            van->way_count = 0;
        }
    }
    (void)pthread_mutex_unlock(&underway->lock);
    return wanted;
}

static void some_reckon(struct ht_underway *underway, const struct ht_planner_plan *plan,
                        struct reckoned *list, size_t count)
{
    struct ht_world *world = ht_world_reader_get(&underway->context->world);
    int64_t now_ms = ht_clock_now_ms(&underway->app->clock);
    struct shifted shifted = {NULL, 0, 0};
    for (size_t i = 0; i < count; i++) {
        struct reckoned *one = &list[i];
        const struct ht_planner_here here = {one->progress.at, one->progress.stop,
                                             one->progress.since_ms};
        one->route = ht_planner_plan_route(plan, one->unit);
        if (ht_planner_ahead_make(underway->app, one->route, &here, &one->ahead) != HT_OK) {
            one->ahead = (struct ht_planner_ahead){0};
        }
    }
    firsts_find(underway, world, list, count);
    for (size_t i = 0; i < count; i++) {
        if (list[i].ahead.count == 0) {
            continue;
        }
        if (van_keep(underway, &list[i], now_ms)) {
            way_make(underway, world, &list[i]);
        }
        van_tell(underway, &list[i], now_ms, &shifted);
    }
    shifted_write(underway, &shifted);
    free(shifted.rows);
    for (size_t i = 0; i < count; i++) {
        ht_planner_ahead_deinit(&list[i].ahead);
    }
}

void ht__underway_reckon(struct ht_underway *underway, const struct ht_planner_plan *plan)
{
    struct reckoned *list = ht_array_new(AT_ONCE, sizeof *list);
    size_t from = 0;
    size_t count = 0;
    while (list != NULL && (count = due_take(underway, list, &from)) > 0) {
        some_reckon(underway, plan, list, count);
    }
    free(list);
    ht_world_reader_rest(&underway->context->world);
    if (underway->context->live != NULL) {
        ht_live_work_rest(underway->context->live);
    }
}
