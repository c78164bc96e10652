#include "engine/road/route.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { STATES = 2 * HT_STOP_PLACES_MAX };

/* The best way to arrive at a stop in one state. */
struct arrival {
    bool reached;
    uint32_t before;   /* state at the stop before that it left from */
    int64_t weight_ms; /* of all legs up to here */
    int64_t duration_ms;
    int64_t length_mm;
    struct ht_leg leg;     /* the last of them; its sides are known once it has arcs */
    unsigned source_sides; /* that it was searched with */
    unsigned target_sides;
};

struct ht_route {
    struct arrival *arrivals; /* STATES for each stop */
    size_t arrival_capacity;
    struct ht_leg *legs;
    size_t leg_capacity;
    uint32_t *arcs;
    size_t arc_capacity;
    size_t arc_count;
};

/* One call's borrowed things, so that the steps need few parameters. */
struct run {
    struct ht_route *route;
    struct ht_query *query;
    const struct ht_road *road;
    const struct ht_route_request *request;
};

enum ht_status ht_route_new(struct ht_route **out)
{
    struct ht_route *route = calloc(1, sizeof *route);
    if (route == NULL) {
        return HT_NOMEM;
    }
    *out = route;
    return HT_OK;
}

void ht_route_free(struct ht_route *route)
{
    if (route == NULL) {
        return;
    }
    free(route->arrivals);
    free(route->legs);
    free(route->arcs);
    free(route);
}

static enum ht_status reserve(void *data, size_t *capacity, size_t want, size_t item)
{
    void *block;
    memcpy(&block, data, sizeof block);
    enum ht_status status = ht_array_reserve(&block, capacity, want, item);
    memcpy(data, &block, sizeof block);
    return status;
}

static enum ht_status check_request(const struct ht_route_request *request)
{
    if (request->stop_count < 2) {
        return HT_INVALID;
    }
    for (uint32_t i = 0; i < request->stop_count; i++) {
        if (request->stops[i].count == 0 || request->stops[i].count > HT_STOP_PLACES_MAX) {
            return HT_INVALID;
        }
    }
    return HT_OK;
}

/* A leg between given sides of two places; its arcs are appended when `with_arcs`. */
static enum ht_status find_leg(struct run *run, struct ht_leg *leg, unsigned source_sides,
                               unsigned target_sides, bool with_arcs)
{
    const struct ht_place *source = &run->request->places[leg->source];
    const struct ht_place *target = &run->request->places[leg->target];
    struct ht_route *route = run->route;
    struct ht_way_found way;
    enum ht_status status = with_arcs ? ht_query_path(run->query, run->road, source, source_sides,
                                                      target, target_sides, &way)
                                      : ht_query_cost(run->query, run->road, source, source_sides,
                                                      target, target_sides, &way);
    if (status != HT_OK) {
        return status;
    }
    leg->cost = way.cost;
    leg->source_side = source_sides == 2 ? 1 : 0;
    leg->target_side = target_sides == 2 ? 1 : 0;
    leg->first_arc = (uint32_t)route->arc_count;
    leg->arc_count = 0;
    if (with_arcs) {
        leg->source_side = way.source_side;
        leg->target_side = way.target_side;
        leg->arc_count = way.arc_count;
        status = reserve(&route->arcs, &route->arc_capacity, route->arc_count + leg->arc_count,
                         sizeof *route->arcs);
        if (status != HT_OK) {
            return status;
        }
        memcpy(route->arcs + route->arc_count, way.arcs, leg->arc_count * sizeof *way.arcs);
        route->arc_count += leg->arc_count;
    }
    return HT_OK;
}

/* The best leg from any place of a stop to any place of the next. */
static enum ht_status find_free_leg(struct run *run, uint32_t index, struct ht_leg *leg)
{
    const struct ht_stop *from = &run->request->stops[index];
    const struct ht_stop *to = &run->request->stops[index + 1];
    leg->source = from->first;
    leg->target = to->first;
    if (from->count == 1 && to->count == 1) {
        return find_leg(run, leg, HT_SIDES_BOTH, HT_SIDES_BOTH, run->request->with_arcs);
    }
    bool found = false;
    for (uint32_t s = 0; s < from->count; s++) {
        for (uint32_t t = 0; t < to->count; t++) {
            struct ht_leg trial = {.source = from->first + s, .target = to->first + t};
            enum ht_status status = find_leg(run, &trial, HT_SIDES_BOTH, HT_SIDES_BOTH, false);
            if (status == HT_NO_ROUTE) {
                continue;
            }
            if (status != HT_OK) {
                return status;
            }
            if (!found || ht_cost_less(trial.cost, leg->cost)) {
                *leg = trial;
                found = true;
            }
        }
    }
    if (!found) {
        return HT_NO_ROUTE;
    }
    return run->request->with_arcs ? find_leg(run, leg, HT_SIDES_BOTH, HT_SIDES_BOTH, true) : HT_OK;
}

static enum ht_status run_free(struct run *run)
{
    for (uint32_t i = 0; i + 1 < run->request->stop_count; i++) {
        enum ht_status status = find_free_leg(run, i, &run->route->legs[i]);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static bool arrival_less(const struct arrival *a, const struct arrival *b)
{
    if (a->weight_ms != b->weight_ms) {
        return a->weight_ms < b->weight_ms;
    }
    if (a->duration_ms != b->duration_ms) {
        return a->duration_ms < b->duration_ms;
    }
    return a->length_mm < b->length_mm;
}

/* Searches the leg of `trial`, whose sums are those of the way before it, and keeps it where it
 * beats what is known of its state. */
static enum ht_status extend(struct run *run, struct arrival *trial, struct arrival *known)
{
    struct ht_leg *leg = &trial->leg;
    enum ht_status status = find_leg(run, leg, trial->source_sides, trial->target_sides, false);
    if (status != HT_OK) {
        return status == HT_NO_ROUTE ? HT_OK : status;
    }
    trial->weight_ms += leg->cost.weight_ms;
    trial->duration_ms += leg->cost.duration_ms;
    trial->length_mm += leg->cost.length_mm;
    if (!known->reached || arrival_less(trial, known)) {
        *known = *trial;
    }
    return HT_OK;
}

/* From one state of stop `index` to all states of the next. The last stop may be reached on any
 * side, so one search does for both. */
static enum ht_status extend_all(struct run *run, uint32_t index, uint32_t state, bool any_side)
{
    const struct ht_stop *from = &run->request->stops[index];
    const struct ht_stop *to = &run->request->stops[index + 1];
    const struct arrival *before = &run->route->arrivals[(size_t)index * STATES + state];
    struct arrival *next = &run->route->arrivals[(size_t)(index + 1) * STATES];
    bool last = index + 2 == run->request->stop_count;
    unsigned source_sides = any_side ? HT_SIDES_BOTH : 1U << (state & 1);
    for (uint32_t t = 0; t < to->count; t++) {
        unsigned first = last ? HT_SIDES_BOTH : 1;
        unsigned end = last ? HT_SIDES_BOTH : 2;
        for (unsigned sides = first; sides <= end; sides++) {
            struct arrival trial = *before;
            trial.before = state;
            trial.leg = (struct ht_leg){.source = from->first + state / 2, .target = to->first + t};
            trial.source_sides = source_sides;
            trial.target_sides = sides;
            enum ht_status status = extend(run, &trial, &next[2 * t + (sides == 2 ? 1 : 0)]);
            if (status != HT_OK) {
                return status;
            }
        }
    }
    return HT_OK;
}

/* Walks back from the best arrival at the last stop, searching each leg again with its arcs. */
static enum ht_status collect_legs(struct run *run)
{
    const struct ht_route_request *request = run->request;
    struct ht_route *route = run->route;
    size_t stop = request->stop_count - 1;
    uint32_t best = HT_NONE;
    for (uint32_t s = 0; s < STATES; s++) {
        const struct arrival *arrival = &route->arrivals[stop * STATES + s];
        if (arrival->reached &&
            (best == HT_NONE || arrival_less(arrival, &route->arrivals[stop * STATES + best]))) {
            best = s;
        }
    }
    if (best == HT_NONE) {
        return HT_NO_ROUTE;
    }
    for (; stop > 0; stop--) {
        const struct arrival *arrival = &route->arrivals[stop * STATES + best];
        struct ht_leg *leg = &route->legs[stop - 1];
        *leg = arrival->leg;
        if (request->with_arcs) { /* arcs come to lie in another order than legs */
            enum ht_status status =
                find_leg(run, leg, arrival->source_sides, arrival->target_sides, true);
            if (status != HT_OK) {
                return status;
            }
        }
        best = arrival->before;
    }
    return HT_OK;
}

static enum ht_status run_straight(struct run *run)
{
    const struct ht_route_request *request = run->request;
    struct ht_route *route = run->route;
    size_t want = (size_t)request->stop_count * STATES;
    enum ht_status status =
        reserve(&route->arrivals, &route->arrival_capacity, want, sizeof *route->arrivals);
    if (status != HT_OK) {
        return status;
    }
    memset(route->arrivals, 0, want * sizeof *route->arrivals);
    for (uint32_t p = 0; p < request->stops[0].count; p++) {
        route->arrivals[2 * p].reached =
            true; /* one state a place: both sides are free to leave by */
    }
    for (uint32_t i = 0; i + 1 < request->stop_count; i++) {
        for (uint32_t s = 0; s < 2 * request->stops[i].count; s++) {
            if (!route->arrivals[(size_t)i * STATES + s].reached) {
                continue;
            }
            status = extend_all(run, i, s, i == 0);
            if (status != HT_OK) {
                return status;
            }
        }
    }
    return collect_legs(run);
}

enum ht_status ht_route_run(struct ht_route *route, struct ht_query *query,
                            const struct ht_road *road, const struct ht_route_request *request,
                            struct ht_route_found *out)
{
    struct run run = {route, query, road, request};
    enum ht_status status = check_request(request);
    if (status == HT_OK) {
        status =
            reserve(&route->legs, &route->leg_capacity, request->stop_count, sizeof *route->legs);
    }
    if (status != HT_OK) {
        return status;
    }
    route->arc_count = 0;
    bool straight = request->continue_straight && request->stop_count > 2;
    status = straight ? run_straight(&run) : run_free(&run);
    *out = (struct ht_route_found){route->legs, request->stop_count - 1, route->arcs};
    return status;
}

enum ht_status ht_route_adopt(struct ht_route *route, const struct ht_way_found *way,
                              uint32_t source, uint32_t target, struct ht_route_found *out)
{
    enum ht_status status = reserve(&route->legs, &route->leg_capacity, 1, sizeof *route->legs);
    if (status == HT_OK) {
        status = reserve(&route->arcs, &route->arc_capacity, way->arc_count, sizeof *route->arcs);
    }
    if (status != HT_OK) {
        return status;
    }
    memcpy(route->arcs, way->arcs, way->arc_count * sizeof *way->arcs);
    route->arc_count = way->arc_count;
    route->legs[0] = (struct ht_leg){.cost = way->cost,
                                     .source = source,
                                     .target = target,
                                     .source_side = way->source_side,
                                     .target_side = way->target_side,
                                     .arc_count = way->arc_count};
    *out = (struct ht_route_found){route->legs, 1, route->arcs};
    return HT_OK;
}
