/* Whether a plan of a day keeps every rule. Shares no code with how it is made. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/day.h"

struct checker {
    const struct ht_day_problem *problem;
    const struct ht_day_plan *plan;
    struct ht_error *error;
    uint32_t *van_of; /* [orders] + 1; 0: nobody; UINT32_MAX: unserved */
    uint32_t *home;   /* [orders] + 1 */
    uint8_t *pinned;  /* [orders] */
    uint32_t moved;
    int64_t cost;
    /* the route at hand */
    const struct ht_day_route *route;
    const struct ht_day_van *van;
    uint32_t visit;
    uint32_t at;
    int64_t now_s;
    bool promised; /* an order that is not pinned came already */
    int64_t load[HT_PLAN_AMOUNTS_MOST];
    int64_t room[HT_PLAN_AMOUNTS_MOST];
};

static enum ht_status broken(struct checker *c, const char *rule)
{
    return ht_error_set(c->error, HT_INVALID, 0, "van %u, visit %u: %s", (unsigned)c->route->van,
                        (unsigned)c->visit, rule);
}

static enum ht_status wrong(struct checker *c, uint32_t order, const char *rule)
{
    return ht_error_set(c->error, HT_INVALID, 0, "order %u: %s", (unsigned)order, rule);
}

static void homes_find(struct checker *c)
{
    for (uint32_t v = 0; v < c->problem->van_count; v++) {
        const struct ht_day_van *van = &c->problem->vans[v];
        for (uint32_t i = 0; i < van->stop_count; i++) {
            if (van->stops[i].kind == HT_DAY_ORDER) {
                c->home[van->stops[i].index] = v + 1;
                c->pinned[van->stops[i].index] = i < van->pinned;
            }
        }
    }
}

/* ---- one visit ---- */

static enum ht_status drive(struct checker *c, uint32_t to, int64_t *arrival_s)
{
    const struct ht_plan_profile *profile = &c->problem->profiles[c->van->profile];
    size_t way = (size_t)c->at * c->problem->location_count + to;
    if (profile->duration_s[way] == HT_PLAN_NO_WAY ||
        (profile->distance_m != NULL && profile->distance_m[way] == HT_PLAN_NO_WAY)) {
        return broken(c, "goes where there is no way");
    }
    c->cost += (int64_t)profile->duration_s[way] * 5 * c->problem->prices.per_hour;
    if (profile->distance_m != NULL) {
        c->cost += (int64_t)profile->distance_m[way] * 18 * c->problem->prices.per_km;
    }
    *arrival_s = c->now_s + profile->duration_s[way];
    c->at = to;
    return HT_OK;
}

/* The visit, up to this one, at which an order's kitchen loads it; NULL: none. */
static const struct ht_day_visit *loading(const struct checker *c, uint32_t order, uint32_t before)
{
    while (before > 0) {
        const struct ht_day_visit *visit = &c->route->visits[--before];
        if (visit->stop.kind == HT_DAY_LOAD &&
            visit->stop.index == c->problem->orders[order].kitchen) {
            return visit;
        }
    }
    return NULL;
}

static void load_change(struct checker *c, uint32_t order, int64_t sign)
{
    const int64_t *load = c->problem->orders[order].load;
    for (uint32_t d = 0; load != NULL && d < c->problem->amounts; d++) {
        c->load[d] += sign * load[d];
    }
}

/* The most that its pinned orders take at once: it holds that, whatever it is told to hold. */
static void pins_peak(struct checker *c)
{
    int64_t load[HT_PLAN_AMOUNTS_MOST];
    memcpy(load, c->load, sizeof load);
    for (uint32_t d = 0; d < c->problem->amounts; d++) {
        c->room[d] = load[d] > c->van->capacity[d] ? load[d] : c->van->capacity[d];
    }
    for (uint32_t i = 0; i < c->route->count; i++) {
        const struct ht_day_stop *stop = &c->route->visits[i].stop;
        for (uint32_t j = i; j < c->route->count; j++) {
            uint32_t o = c->route->visits[j].stop.index;
            bool order = c->route->visits[j].stop.kind == HT_DAY_ORDER && c->pinned[o] != 0;
            bool comes = stop->kind == HT_DAY_LOAD && order && !c->problem->orders[o].aboard &&
                         loading(c, o, j) == &c->route->visits[i];
            bool goes = order && j == i;
            const int64_t *amount = order ? c->problem->orders[o].load : NULL;
            for (uint32_t d = 0; amount != NULL && d < c->problem->amounts; d++) {
                load[d] += comes ? amount[d] : goes ? -amount[d] : 0;
                c->room[d] = load[d] > c->room[d] ? load[d] : c->room[d];
            }
        }
    }
}

static enum ht_status loads_check(struct checker *c)
{
    const int64_t *told = c->route->load + (size_t)c->visit * c->problem->amounts;
    for (uint32_t d = 0; d < c->problem->amounts; d++) {
        if (told[d] != c->load[d]) {
            return broken(c, "its load is told wrong");
        }
        if (c->load[d] < 0 || c->load[d] > c->room[d]) {
            return broken(c, "its load is more than it can hold");
        }
    }
    return HT_OK;
}

static enum ht_status load_visit(struct checker *c, const struct ht_day_visit *visit)
{
    uint32_t k = visit->stop.index;
    const struct ht_day_kitchen *kitchen = &c->problem->kitchens[k];
    bool open = kitchen->open_count == 0;
    for (uint32_t i = 0; i < kitchen->open_count; i++) {
        open = open || (visit->begin_s >= kitchen->open[i].from_s &&
                        visit->begin_s <= kitchen->open[i].to_s);
    }
    if (kitchen->down || !open) {
        return broken(c, "loads where nobody cooks");
    }
    if (visit->leave_s != visit->begin_s + kitchen->load_s) {
        return broken(c, "loading takes another time");
    }
    for (uint32_t i = c->visit + 1; i < c->route->count; i++) {
        const struct ht_day_stop *stop = &c->route->visits[i].stop;
        if (stop->kind == HT_DAY_ORDER && !c->problem->orders[stop->index].aboard &&
            loading(c, stop->index, i) == visit) {
            load_change(c, stop->index, 1);
        }
    }
    c->cost += (int64_t)kitchen->load_s * 5 * c->problem->prices.per_hour;
    return HT_OK;
}

static bool skilled(const struct checker *c, const struct ht_day_order *order)
{
    for (uint32_t i = 0; order->skills != NULL && i < c->problem->skill_words; i++) {
        uint64_t has = c->van->skills == NULL ? 0 : c->van->skills[i];
        if ((order->skills[i] & ~has) != 0) {
            return false;
        }
    }
    return true;
}

/* What holds of orders that were planned freely. */
static enum ht_status free_check(struct checker *c, uint32_t o, const struct ht_day_visit *from)
{
    const struct ht_day_order *order = &c->problem->orders[o];
    const struct ht_day_visit *visit = &c->route->visits[c->visit];
    c->promised = true;
    if (order->aboard || from == NULL) {
        return broken(c, "brings what it did not load");
    }
    if (!skilled(c, order)) {
        return broken(c, "lacks a skill");
    }
    if (visit->begin_s > order->due.to_s + c->problem->prices.late_most_s) {
        return broken(c, "is too late");
    }
    if (order->ride_most_s > 0 && visit->begin_s - from->leave_s > order->ride_most_s) {
        return broken(c, "a meal rides for too long");
    }
    if (c->home[o] != 0 && c->home[o] != c->route->van + 1) {
        c->moved++;
        c->cost += (int64_t)c->problem->prices.move * HT_COST_SCALE;
    }
    return HT_OK;
}

static enum ht_status order_visit(struct checker *c, const struct ht_day_visit *visit,
                                  bool elsewhere)
{
    uint32_t o = visit->stop.index;
    const struct ht_day_problem *p = c->problem;
    if (c->van_of[o] != 0) {
        return broken(c, "brings an order twice");
    }
    const struct ht_day_order *order = &p->orders[o];
    const struct ht_day_visit *from = order->aboard ? NULL : loading(c, o, c->visit);
    c->van_of[o] = c->route->van + 1;
    if (visit->begin_s < order->due.from_s) {
        return broken(c, "hands over too early");
    }
    if (visit->leave_s != visit->begin_s + (elsewhere ? p->stop_s : 0) + order->service_s) {
        return broken(c, "parking and handing over take another time");
    }
    if (!order->aboard && from == NULL) {
        return broken(c, "brings what it did not load");
    }
    if (from != NULL && order->ready_s != 0 && from->begin_s < order->ready_s) {
        return broken(c, "loads what is not ready");
    }
    load_change(c, o, -1);
    c->cost += (visit->leave_s - visit->begin_s) * 5 * p->prices.per_hour;
    if (visit->begin_s > order->due.to_s && p->prices.late_most_s > 0) {
        c->cost += (visit->begin_s - order->due.to_s) * 5 * p->prices.late_per_hour;
    }
    if (c->pinned[o] == 0) {
        return free_check(c, o, from);
    }
    if (c->home[o] != c->route->van + 1 || c->promised) {
        return broken(c, "a pinned order was moved");
    }
    return HT_OK;
}

static enum ht_status visit_check(struct checker *c)
{
    const struct ht_day_visit *visit = &c->route->visits[c->visit];
    bool load = visit->stop.kind == HT_DAY_LOAD;
    uint32_t to = load ? c->problem->kitchens[visit->stop.index].location
                       : c->problem->orders[visit->stop.index].location;
    bool elsewhere = to != c->at;
    int64_t arrival_s = 0;
    enum ht_status status = drive(c, to, &arrival_s);
    if (status == HT_OK && (visit->arrival_s != arrival_s || visit->begin_s < arrival_s)) {
        status = broken(c, "is there when it can't be");
    }
    if (status == HT_OK) {
        status = load ? load_visit(c, visit) : order_visit(c, visit, elsewhere);
    }
    c->now_s = visit->leave_s;
    return status == HT_OK ? loads_check(c) : status;
}

/* ---- one route ---- */

/* Pinned orders come in the order of the running plan. */
static enum ht_status pins_check(struct checker *c)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < c->van->pinned; i++) {
        const struct ht_day_stop *stop = &c->van->stops[i];
        if (stop->kind != HT_DAY_ORDER || c->van_of[stop->index] != c->route->van + 1) {
            continue;
        }
        while (next < c->route->count && (c->route->visits[next].stop.kind != HT_DAY_ORDER ||
                                          c->route->visits[next].stop.index != stop->index)) {
            next++;
        }
        if (next == c->route->count) {
            return broken(c, "pinned orders changed places");
        }
    }
    return HT_OK;
}

static uint32_t trips(const struct checker *c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->route->count; i++) {
        bool load = c->route->visits[i].stop.kind == HT_DAY_LOAD;
        count += load && (i == 0 || c->route->visits[i - 1].stop.kind != HT_DAY_LOAD);
    }
    return count;
}

static uint32_t trips_of_pins(const struct checker *c)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->van->pinned; i++) {
        count += c->van->stops[i].kind == HT_DAY_LOAD &&
                 (i == 0 || c->van->stops[i - 1].kind != HT_DAY_LOAD);
    }
    return count;
}

/* Whether it comes back at all: not where there is no way from the last of its pins. */
static bool returns(const struct checker *c)
{
    const uint32_t *duration_s = c->problem->profiles[c->van->profile].duration_s;
    const uint32_t *distance_m = c->problem->profiles[c->van->profile].distance_m;
    if (c->van->end == HT_PLAN_NONE) {
        return false;
    }
    for (uint32_t i = c->van->pinned; i > 0; i--) {
        const struct ht_day_stop *stop = &c->van->stops[i - 1];
        if (stop->kind == HT_DAY_ORDER && c->van_of[stop->index] == c->route->van + 1) {
            size_t way =
                (size_t)c->problem->orders[stop->index].location * c->problem->location_count +
                c->van->end;
            return duration_s[way] != HT_PLAN_NO_WAY &&
                   (distance_m == NULL || distance_m[way] != HT_PLAN_NO_WAY);
        }
    }
    return true;
}

/* With nothing but its pins it may come late and make more trips. */
static enum ht_status route_end(struct checker *c)
{
    int64_t end_s = c->now_s;
    enum ht_status status = returns(c) ? drive(c, c->van->end, &end_s) : HT_OK;
    if (status == HT_OK && c->route->end_s != end_s) {
        status = broken(c, "its end is told wrong");
    }
    if (status == HT_OK && c->promised && end_s > c->van->window.to_s) {
        status = broken(c, "comes home too late");
    }
    uint32_t pinned = trips_of_pins(c);
    if (status == HT_OK && trips(c) > (pinned > c->van->trips_most ? pinned : c->van->trips_most)) {
        status = broken(c, "makes more trips than it may");
    }
    return status == HT_OK ? pins_check(c) : status;
}

static enum ht_status route_check(struct checker *c)
{
    const struct ht_day_route *route = c->route;
    enum ht_status status = HT_OK;
    c->at = c->van->location;
    c->now_s = route->start_s;
    c->promised = false;
    memset(c->load, 0, sizeof c->load);
    if (route->start_s < c->van->window.from_s) {
        return broken(c, "leaves before it is free");
    }
    for (uint32_t i = 0; i < route->count; i++) {
        const struct ht_day_stop *stop = &route->visits[i].stop;
        if (stop->index >=
            (stop->kind == HT_DAY_LOAD ? c->problem->kitchen_count : c->problem->order_count)) {
            return broken(c, "no such kitchen or order");
        }
        if (stop->kind == HT_DAY_ORDER && c->problem->orders[stop->index].aboard) {
            load_change(c, stop->index, 1);
        }
    }
    for (uint32_t d = 0; d < c->problem->amounts; d++) {
        if (c->load[d] != route->start_load[d]) {
            return broken(c, "what it begins with is told wrong");
        }
    }
    pins_peak(c);
    for (c->visit = 0; status == HT_OK && c->visit < route->count; c->visit++) {
        status = visit_check(c);
    }
    return status == HT_OK ? route_end(c) : status;
}

/* ---- all of it ---- */

static enum ht_status whole_check(struct checker *c)
{
    const struct ht_day_plan *plan = c->plan;
    for (uint32_t i = 0; i < plan->unserved_count; i++) {
        uint32_t o = plan->unserved[i].order;
        if (o >= c->problem->order_count || c->van_of[o] != 0) {
            return wrong(c, o, "is brought, and told to be not");
        }
        if (c->pinned[o] != 0 && plan->unserved[i].reason != HT_DAY_NO_WAY &&
            plan->unserved[i].reason != HT_DAY_KITCHEN) {
            return wrong(c, o, "is pinned and was left out");
        }
        c->van_of[o] = UINT32_MAX;
    }
    for (uint32_t o = 0; o < c->problem->order_count; o++) {
        if (c->van_of[o] == 0) {
            return wrong(c, o, "was forgotten");
        }
    }
    if (c->moved != plan->moved || c->cost != plan->cost) {
        return ht_error_set(c->error, HT_INVALID, 0, "the cost, or what moved, is told wrong");
    }
    return HT_OK;
}

enum ht_status ht_day_check(const struct ht_day_problem *problem, const struct ht_day_plan *plan,
                            struct ht_error *error)
{
    struct checker c = {.problem = problem, .plan = plan, .error = error};
    enum ht_status status = HT_OK;
    c.van_of = ht_array_new_zeroed(problem->order_count, sizeof *c.van_of);
    c.home = ht_array_new_zeroed(problem->order_count, sizeof *c.home);
    c.pinned = ht_array_new_zeroed(problem->order_count, 1);
    if (c.van_of == NULL || c.home == NULL || c.pinned == NULL) {
        (void)ht_error_set(error, HT_NOMEM, 0, NULL);
        status = HT_NOMEM;
    } else {
        homes_find(&c);
    }
    for (uint32_t r = 0; status == HT_OK && r < plan->route_count; r++) {
        c.route = &plan->routes[r];
        if (c.route->van >= problem->van_count ||
            (r > 0 && c.route->van <= plan->routes[r - 1].van)) {
            status = ht_error_set(error, HT_INVALID, 0, "routes are not by van");
            break;
        }
        c.van = &problem->vans[c.route->van];
        status = route_check(&c);
    }
    if (status == HT_OK) {
        status = whole_check(&c);
    }
    free(c.van_of);
    free(c.home);
    free(c.pinned);
    return status;
}
