#include "api/planner_ahead.h"

#include <stdlib.h>
#include <string.h>

#include "api/orders_room.h"
#include "engine/base/array.h"

bool ht_planner_same_place(struct ht_point a, struct ht_point b)
{
    return a.lon_e7 == b.lon_e7 && a.lat_e7 == b.lat_e7;
}

/* ---- what is ahead ---- */

/* A counted reference to the order of a stop, if the unit still has it to hand over. */
static const struct ht_order *order_ahead(struct ht_app *app, const struct ht_planner_route *route,
                                          const struct ht_planner_stop *stop)
{
    const struct ht_order *order = ht_orders_get(ht_orders_room_orders(app->orders), stop->id);
    if (order != NULL && (!ht_order_is_open(order) || order->unit == NULL ||
                          strcmp(order->unit, route->unit) != 0)) {
        ht_order_release(order);
        return NULL;
    }
    return order;
}

/* Whether something that is loaded there (for the last time before) is still to be. */
static bool load_ahead(const struct ht_planner_route *route, const struct ht_order **orders,
                       uint32_t at)
{
    const char *kitchen = route->stops[at].id;
    for (uint32_t i = at + 1; i < route->count; i++) {
        if (route->stops[i].loads) {
            if (strcmp(route->stops[i].id, kitchen) == 0) {
                return false;
            }
            continue;
        }
        if (orders[i] != NULL && !ht_order_is_pinned(orders[i]) &&
            strcmp(orders[i]->kitchen, kitchen) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether it can't be done yet, so that others come before it as planned: `order` (NULL: a load) is
 * not even aboard, say. */
static bool has_time(const struct ht_planner_stop *stop, const struct ht_order *order,
                     int64_t now_ms)
{
    return order == NULL || !ht_order_is_pinned(order) || stop->not_before_ms > now_ms;
}

/* Those where the van stands (`here`), or all others, in the order of the route. A load for a later
 * trip is not what it stands there for, nor is an order of that trip, nor a door whose window is
 * not open yet: that is after the stops before it. */
static void stops_take(struct ht_planner_ahead *ahead, const struct ht_order **orders,
                       const struct ht_planner_when *when, bool where)
{
    const struct ht_planner_here *here = &when->here;
    const struct ht_planner_route *route = ahead->route;
    bool elsewhere = false; /* it has to be somewhere else before */
    for (uint32_t i = 0; i < route->count; i++) {
        const struct ht_planner_stop *stop = &route->stops[i];
        bool is_here = here->at && ht_planner_same_place(here->point, stop->point) &&
                       !(has_time(stop, orders[i], when->now_ms) && elsewhere);
        bool is_ahead = stop->loads ? load_ahead(route, orders, i) : orders[i] != NULL;
        elsewhere = elsewhere || (is_ahead && !is_here);
        if (is_ahead && is_here == where) {
            ahead->list[ahead->count++] =
                (struct ht_planner_ahead_stop){.stop = stop, .index = i, .order = orders[i]};
        }
    }
}

enum ht_status ht_planner_ahead_make(struct ht_app *app, const struct ht_planner_route *route,
                                     const struct ht_planner_here *here,
                                     struct ht_planner_ahead *out)
{
    const struct ht_planner_when when = {.now_ms = ht_clock_now_ms(&app->clock), .here = *here};
    uint32_t count = route == NULL ? 0 : route->count;
    const struct ht_order **orders = ht_array_new(count, sizeof(struct ht_order *));
    *out =
        (struct ht_planner_ahead){.route = route, .list = ht_array_new(count, sizeof *out->list)};
    if (orders == NULL || out->list == NULL) {
        free((void *)orders);
        ht_planner_ahead_deinit(out);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; route != NULL && i < count; i++) {
        orders[i] = route->stops[i].loads ? NULL : order_ahead(app, route, &route->stops[i]);
    }
    if (count > 0) {
        stops_take(out, orders, &when, true);
        out->here = out->count;
        stops_take(out, orders, &when, false);
    }
    free((void *)orders);
    return HT_OK;
}

void ht_planner_ahead_deinit(struct ht_planner_ahead *ahead)
{
    for (uint32_t i = 0; ahead->list != NULL && i < ahead->count; i++) {
        ht_order_release(ahead->list[i].order);
    }
    free(ahead->list);
    *ahead = (struct ht_planner_ahead){0};
}

/* ---- when ---- */

static uint32_t at_least(int64_t span_ms, int64_t least_ms)
{
    span_ms = span_ms < least_ms ? least_ms : span_ms;
    return span_ms < UINT32_MAX ? (uint32_t)span_ms : UINT32_MAX;
}

static struct ht_arrivals_visit visit_of(const struct ht_planner_stop *stop)
{
    return (struct ht_arrivals_visit){.compound = stop->compound,
                                      .travel_ms = stop->travel_ms,
                                      .service_ms = stop->park_ms + stop->service_ms,
                                      .lead_ms = stop->park_ms + stop->walk_ms,
                                      .not_before_ms = stop->not_before_ms};
}

/* From one stop to another that is farther on: over those between that are no more. */
static uint32_t travel_between(const struct ht_planner_route *route, uint32_t from, uint32_t to)
{
    uint64_t sum_ms = 0;
    for (uint32_t i = from + 1; i <= to; i++) {
        sum_ms += route->stops[i].travel_ms;
    }
    return sum_ms < UINT32_MAX ? (uint32_t)sum_ms : UINT32_MAX;
}

/* So much of the route was driven for it since it was made. */
static uint32_t travel_left(const struct ht_planner_route *route, uint32_t to, int64_t now_ms)
{
    int64_t all_ms = route->stops[0].travel_ms + (int64_t)travel_between(route, 0, to);
    return at_least(all_ms - (now_ms > route->start_ms ? now_ms - route->start_ms : 0), 0);
}

/* Since when the van does what it stands there for; `first`: its first stop there. */
static int64_t busy_since(const struct ht_planner_stop *first, const struct ht_planner_when *when)
{
    int64_t wait_ms = first->not_before_ms - first->park_ms;
    int64_t since_ms = when->here.since_ms > wait_ms ? when->here.since_ms : wait_ms;
    since_ms = first->begun_ms != 0 ? first->begun_ms : since_ms;
    return since_ms < when->now_ms ? since_ms : when->now_ms;
}

/* What is left of the first hand-over where the van stands: the plan's time from when it began
 * there, less what has passed. */
static void here_shorten(struct ht_arrivals_visit *visit, const struct ht_planner_ahead *ahead,
                         const struct ht_planner_when *when)
{
    const struct ht_planner_route *route = ahead->route;
    uint32_t index = ahead->list[0].index;
    uint32_t first = index; /* at that place */
    while (first > 0 && route->stops[first].travel_ms == 0 &&
           ht_planner_same_place(route->stops[first - 1].point, route->stops[index].point)) {
        first--;
    }
    const struct ht_planner_stop *stop = &route->stops[index];
    int64_t passed_ms = when->now_ms - busy_since(&route->stops[first], when);
    int64_t before_ms = stop->park_ms;
    for (uint32_t i = first; i < index; i++) {
        before_ms += route->stops[i].park_ms + (int64_t)route->stops[i].service_ms;
    }
    visit->travel_ms = 0;
    visit->lead_ms = at_least(before_ms + stop->walk_ms - passed_ms, 0);
    visit->service_ms = at_least(before_ms + stop->service_ms - passed_ms,
                                 stop->service_ms / HT_PLANNER_LEAST_PART);
}

static void visits_fill(const struct ht_planner_ahead *ahead, const struct ht_planner_when *when,
                        struct ht_arrivals_visit *visits)
{
    const struct ht_planner_route *route = ahead->route;
    for (uint32_t i = 0; i < ahead->count; i++) {
        uint32_t index = ahead->list[i].index;
        uint32_t before = i == 0 ? 0 : ahead->list[i - 1].index;
        visits[i] = visit_of(ahead->list[i].stop);
        if (i > 0 && before < index) {
            visits[i].travel_ms = travel_between(route, before, index);
        } else if (i > 0) { /* back to what was passed by: as far as it was to come here */
            visits[i].travel_ms = travel_between(route, index, before);
        }
    }
    if (ahead->count > 0 && ahead->here > 0) {
        here_shorten(&visits[0], ahead, when);
    } else if (ahead->count > 0) {
        visits[0].travel_ms = when->first_ms != UINT32_MAX
                                  ? when->first_ms
                                  : travel_left(route, ahead->list[0].index, when->now_ms);
    }
}

enum ht_status ht_planner_ahead_bands(struct ht_arrivals *arrivals,
                                      const struct ht_planner_ahead *ahead,
                                      const struct ht_planner_when *when,
                                      struct ht_arrival_band *bands)
{
    struct ht_arrivals_visit *visits = ht_array_new(ahead->count, sizeof *visits);
    enum ht_status status = HT_NOMEM;
    if (visits != NULL) {
        visits_fill(ahead, when, visits);
        status = ht_arrivals_bands(arrivals, when->now_ms, visits, ahead->count, bands);
    }
    free(visits);
    return status;
}

enum ht_status ht_planner_route_bands(struct ht_arrivals *arrivals,
                                      const struct ht_planner_route *route, int64_t now_ms,
                                      struct ht_arrival_band *bands)
{
    struct ht_arrivals_visit *visits = ht_array_new(route->count, sizeof *visits);
    enum ht_status status = HT_NOMEM;
    for (uint32_t i = 0; visits != NULL && i < route->count; i++) {
        visits[i] = visit_of(&route->stops[i]);
    }
    if (visits != NULL && route->count > 0 && route->stops[0].begun_ms != 0) {
        visits[0].service_ms = at_least(route->stops[0].leave_ms - now_ms, 0);
        visits[0].lead_ms =
            at_least(route->stops[0].begin_ms + route->stops[0].walk_ms - now_ms, 0);
    }
    if (visits != NULL) {
        status = ht_arrivals_bands(arrivals, now_ms, visits, route->count, bands);
    }
    free(visits);
    return status;
}

struct ht_order_times ht_planner_times(const struct ht_arrival_band *band,
                                       const struct ht_order *order)
{
    int64_t low_ms = band->low_ms;
    if (low_ms < order->due_from_ms) {
        low_ms = order->due_from_ms < band->eta_ms ? order->due_from_ms : band->eta_ms;
    }
    return (struct ht_order_times){
        .eta_ms = band->eta_ms, .eta_low_ms = low_ms, .eta_high_ms = band->high_ms};
}
