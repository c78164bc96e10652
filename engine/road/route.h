/* Route: the cheapest way through a sequence of stops, leg by leg.
 *
 * Each stop offers one or more places (several at a junction: one for each street that meets
 * there). Where the trip may turn round at its stops, legs are independent. Where it must go
 * straight on, a leg leaves a stop on the very side on which the one before arrived; all legs are
 * then optimal together, by a dynamic program over the places and sides of each stop:
 *
 *     stop i, side 0  o-------o  stop i+1, side 0        state = (place, side) of arrival,
 *                       \   /                            edge  = cheapest way between two states
 *     stop i, side 1  o---x---o  stop i+1, side 1
 *
 * Threading: one ht_route for each thread. Ownership: what ht_route_run gives points into the
 * ht_route and lives until its next call; places are the caller's.
 */
#ifndef HT_ENGINE_ROAD_ROUTE_H
#define HT_ENGINE_ROAD_ROUTE_H

#include "engine/road/query.h"

struct ht_route;

/* Where the trip stops: places[first .. first + count). */
struct ht_stop {
    uint32_t first;
    uint32_t count;
};

#define HT_STOP_PLACES_MAX 8

struct ht_route_request {
    const struct ht_place *places;
    const struct ht_stop *stops;
    uint32_t stop_count;    /* at least 2 */
    bool continue_straight; /* no turning round at stops in the middle */
    bool with_arcs;         /* else costs alone */
};

struct ht_leg {
    struct ht_cost cost;
    uint32_t source; /* index into places */
    uint32_t target;
    uint32_t source_side; /* known with arcs only */
    uint32_t target_side;
    uint32_t first_arc; /* into arcs */
    uint32_t arc_count; /* 0 without arcs */
};

struct ht_route_found {
    const struct ht_leg *legs; /* stop_count - 1 */
    uint32_t leg_count;
    const uint32_t *arcs;
};

HT_MUST_CHECK enum ht_status ht_route_new(struct ht_route **out);
void ht_route_free(struct ht_route *route);

/* HT_NO_ROUTE: some leg has no way (under the rule). HT_INVALID: fewer than two stops, or a stop
 * without places or with more than HT_STOP_PLACES_MAX. */
HT_MUST_CHECK enum ht_status ht_route_run(struct ht_route *route, struct ht_query *query,
                                          const struct ht_road *road,
                                          const struct ht_route_request *request,
                                          struct ht_route_found *out);

/* Takes over a way that another search found between two places (an alternative) as the only leg.
 */
HT_MUST_CHECK enum ht_status ht_route_adopt(struct ht_route *route, const struct ht_way_found *way,
                                            uint32_t source, uint32_t target,
                                            struct ht_route_found *out);

#endif
