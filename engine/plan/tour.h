/* Tour: the order in which to visit some stops, once each, at the least cost.
 *
 * Up to HT_TOUR_EXACT stops by dynamic programming over sets (Held, Karp 1962). More: farthest
 * insertion, then Or-opt (moving chains of up to three) and 2-opt with asymmetric costs until
 * neither helps.
 *
 * Ends are told by the costs, as OSRM's trip does: a path that begins at s has cost 0 from every
 * stop back to s. ht_tour_fix changes a matrix so.
 *
 * Threading: pure functions. Costs: any unit; HT_TOUR_MISSING or more where there is no way.
 */
#ifndef HT_ENGINE_PLAN_TOUR_H
#define HT_ENGINE_PLAN_TOUR_H

#include <stdint.h>

#include "engine/base/status.h"

#define HT_TOUR_EXACT 12
#define HT_TOUR_MISSING ((uint32_t)INT32_MAX)
#define HT_TOUR_ANYWHERE UINT32_MAX

/* Makes closed tours over cost[n * n] stand for paths that begin at `first` and end at `last`;
 * HT_TOUR_ANYWHERE: anywhere. */
void ht_tour_fix(uint32_t *cost, uint32_t n, uint32_t first, uint32_t last);

/* order[n]: a closed tour, beginning at stop 0. Among equally good ones up to HT_TOUR_EXACT the
 * first in lexicographic order. HT_NOMEM; HT_INVALID: n is 0; HT_NO_ROUTE: none was found that
 * avoids HT_TOUR_MISSING. */
HT_MUST_CHECK enum ht_status ht_tour_find(const uint32_t *cost, uint32_t n, uint32_t *order);

/* The cost of a closed tour. */
uint64_t ht_tour_cost(const uint32_t *cost, uint32_t n, const uint32_t *order);

#endif
