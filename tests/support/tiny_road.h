/* A tiny town (tests/support/tiny.h) made ready for queries: order, hierarchy, metric, snap index.
 *
 * Threading: none. Ownership: ht_tiny_road_free frees what was built, not the town. A lack of
 * memory aborts.
 */
#ifndef HT_TESTS_SUPPORT_TINY_ROAD_H
#define HT_TESTS_SUPPORT_TINY_ROAD_H

#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/order.h"
#include "engine/road/query.h"
#include "tests/support/tiny.h"

struct ht_tiny_road {
    struct ht_road road;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_snap_index *snap;
    struct ht_pool *pool;
};

static inline void ht_tiny_road_init(struct ht_tiny_road *r, const struct ht_tiny *town)
{
    uint32_t *ranks = calloc(town->graph.arc_count, sizeof *ranks);
    struct ht_order_stats stats = {0};
    ht_tiny_require(ranks != NULL && ht_pool_new(1, &r->pool) == HT_OK, "out of memory");
    ht_tiny_require(ht_order_compute(&town->network, &town->graph, r->pool, ranks, &stats) ==
                            HT_OK &&
                        ht_cch_build(&town->graph, ranks, r->pool, &r->cch, &stats) == HT_OK,
                    "no hierarchy");
    ht_tiny_require(ht_customize(&town->graph, ht_cch_view(r->cch), NULL, r->pool, &r->metric) ==
                            HT_OK &&
                        ht_metric_trim(ht_cch_view(r->cch), r->pool, r->metric) == HT_OK,
                    "no metric");
    ht_tiny_require(ht_snap_build(&town->network, &town->graph, r->pool, &r->snap) == HT_OK,
                    "no snap index");
    free(ranks);
    r->road = (struct ht_road){.network = &town->network,
                               .graph = &town->graph,
                               .cch = ht_cch_view(r->cch),
                               .metric = ht_metric_view(r->metric),
                               .snap = r->snap};
}

static inline void ht_tiny_road_free(struct ht_tiny_road *r)
{
    ht_cch_owned_free(r->cch);
    ht_metric_free(r->metric);
    ht_snap_index_free(r->snap);
    ht_pool_free(r->pool);
}

#endif
