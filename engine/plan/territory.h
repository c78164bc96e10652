/* Territory: which inspector keeps which sites: little travel, loads alike, few cells cut up.
 *
 *      cell 1 | cell 2           a a a | b b
 *      . . .  | . .       ->     a a   | b c      the least sum of travel, cells and balance
 *        . .  | . .
 *
 * Wanted: the least sum, in seconds, of
 *
 *   travel   cost_s of each site with its inspector
 *   cell     cell_s for each pair of an inspector and a cell in which it has a site
 *   balance  balance * L^2 / (100 * F) of each inspector, down; L is its sites' load and cost in
 *            seconds * 100 / share, down, at most HT_TERRITORY_LOAD_MOST_S; F the load of all sites
 * / inspectors, down, at least an hour
 *
 * Way: sites with most to lose choose first (regret, Potvin and Rousseau 1993), then single sites
 * move and pairs swap until neither helps: a local optimum. It is the districting problem with a
 * quadratic balance (Kalcsics, Nickel, Schroeder 2005 survey it), which is hard to solve exactly.
 *
 * Where both sides have wishes, see engine/plan/stable.h.
 *
 * Threading: pure function. Ownership: nothing is kept. Cost: sites * inspectors for a pass of
 * moves, sites^2 for one of swaps; swaps are left out beyond HT_TERRITORY_SWAP_MOST sites.
 */
#ifndef HT_ENGINE_PLAN_TERRITORY_H
#define HT_ENGINE_PLAN_TERRITORY_H

#include <stdint.h>

#include "engine/base/status.h"

#define HT_TERRITORY_CANT UINT32_MAX /* a cost: it may not have the site */
#define HT_TERRITORY_NONE UINT32_MAX /* no owner; no cell */

enum { HT_TERRITORY_LOAD_MOST_S = 40000000, HT_TERRITORY_SWAP_MOST = 600 };

struct ht_territory_problem {
    uint32_t site_count;
    uint32_t inspector_count;
    const uint32_t *cost_s; /* [inspectors * sites] travel of all its visits */
    const uint32_t *load_s; /* [sites] */
    const uint32_t *share;  /* [inspectors] per cent, at least 1; NULL: 100 each */
    const uint32_t *cell;   /* [sites] below site_count, or HT_TERRITORY_NONE; NULL: none */
    uint32_t cell_s;
    uint32_t balance; /* per cent, up to 1000 */
};

/* owner[sites]: given ones (not HT_TERRITORY_NONE) stay, others are filled in; HT_TERRITORY_NONE
 * where nobody may. HT_INVALID: numbers are out of range; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_territory_run(const struct ht_territory_problem *problem,
                                              uint32_t *owner);

/* The sum for given owners; sites without cost nothing. HT_NOMEM, HT_INVALID. */
HT_MUST_CHECK enum ht_status ht_territory_cost(const struct ht_territory_problem *problem,
                                               const uint32_t *owner, int64_t *cost);

#endif
