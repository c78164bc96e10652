/* CCH build: elimination tree and fill of an order.
 *
 * The tree is that of the undirected graph (Liu 1986, with path compression); the fill is directed:
 * an edge exists only where a path of allowed turns through lower vertices does.
 *
 * Ownership: the result owns its arrays. Errors: HT_NOMEM; HT_TOO_BIG for a tree deeper than
 * 65,535.
 */
#ifndef HT_ENGINE_ROAD_CCH_BUILD_H
#define HT_ENGINE_ROAD_CCH_BUILD_H

#include "engine/base/pool.h"
#include "engine/road/cch.h"

struct ht_cch_owned;

/* Cost: one pass over all triangles. Fills the depth and edge figures of `stats` (may be NULL). */
HT_MUST_CHECK enum ht_status ht_cch_build(const struct ht_graph *graph, const uint32_t *rank_to_arc,
                                          struct ht_pool *pool, struct ht_cch_owned **out,
                                          struct ht_order_stats *stats);
void ht_cch_owned_free(struct ht_cch_owned *cch);
const struct ht_cch *ht_cch_view(const struct ht_cch_owned *cch);

#endif
