/* Query: the cheapest way from one place to another over a customized hierarchy.
 *
 * Elimination-tree search (Dibbelt, Strasser, Wagner 2016) over the arcs of a graph with turn costs
 * (Buchhold, Wagner, Zeitz, Zuendorf 2020). All vertices that a search can meet lie on the way from
 * its start to the root of the elimination tree, so tentative costs live in an array indexed by
 * depth in that tree, not by vertex: it stays in the first-level cache. Of the hierarchy it reads
 * the metric alone, whole or trimmed of edges that no cheapest way needs (perfect customization, in
 * the first paper; ht_metric_trim).
 *
 * Where the graph says that the metric is behind (struct ht_live_arcs), ways that take a closed
 * turn are searched anew around it (engine/road/guided.h): ht_query_cost and ht_query_path are
 * exact as ever, while alternatives, tables and all else need a metric that obeys.
 *
 * Threading: read-only on hierarchy and metric; one ht_query for each thread.
 */
#ifndef HT_ENGINE_ROAD_QUERY_H
#define HT_ENGINE_ROAD_QUERY_H

#include "engine/base/status.h"
#include "engine/road/network.h"
#include "engine/road/snap.h"

struct ht_cch;
struct ht_metric;
struct ht_query;

/* What a query runs on: borrowed, must outlive the call. */
struct ht_road {
    const struct ht_network *network;
    const struct ht_graph *graph;
    const struct ht_cch *cch;
    const struct ht_metric *metric;
    const struct ht_snap_index *snap;
};

/* Which sides of the two places may be used: bit 0 for side[0], bit 1 for side[1]. */
enum { HT_SIDES_BOTH = 3 };

/* A way found. `arcs` lists the arcs from the one that holds the start to the one that holds the
 * end; the pointer is into the workspace and lives until its next call. The same arc may appear
 * first and last when the trip has to loop. */
struct ht_way_found {
    struct ht_cost cost;
    uint32_t source_side; /* which side of the places it used */
    uint32_t target_side;
    const uint32_t *arcs; /* only from ht_query_path */
    uint32_t arc_count;
};

/* A workspace for any hierarchy up to the greatest depth seen; grows as needed. */
HT_MUST_CHECK enum ht_status ht_query_new(struct ht_query **out);
void ht_query_free(struct ht_query *query);

/* From now on ways go over the graph of the road, whose metric may be from before some arcs were
 * closed (road/guided.h), by at most so many estimates: HT_TOO_BIG where more would be needed. 0:
 * over the metric again, as at first. Not for alternatives. */
HT_MUST_CHECK enum ht_status ht_query_guide(struct ht_query *query, uint32_t most);
/* How many estimates the last such way needed. */
uint32_t ht_query_guided_looked(const struct ht_query *query);

/* For struct ht_live_arcs: the vertices of the elimination tree at or above the lower ends of turns
 * that are closed (`turn_closed`: [turn_count]), the only ones whose edges may hold them; a bit for
 * each, to be freed. A way far from all of them then costs as if none were. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_closed_above(const struct ht_road *road, const uint8_t *turn_closed,
                                             uint64_t **out);

/* Cost alone. HT_NO_ROUTE when there is none. `source_sides`, `target_sides`: HT_SIDES_BOTH or a
 * single bit (a via point that must be left straight on). */
HT_MUST_CHECK enum ht_status ht_query_cost(struct ht_query *query, const struct ht_road *road,
                                           const struct ht_place *source, unsigned source_sides,
                                           const struct ht_place *target, unsigned target_sides,
                                           struct ht_way_found *out);

/* Cost and arcs. */
HT_MUST_CHECK enum ht_status ht_query_path(struct ht_query *query, const struct ht_road *road,
                                           const struct ht_place *source, unsigned source_sides,
                                           const struct ht_place *target, unsigned target_sides,
                                           struct ht_way_found *out);

/* Up to `most` further ways beside the best (out[0] is the best), by via vertices (Abraham,
 * Delling, Goldberg, Werneck 2013): limited overlap with those before, bounded stretch, locally
 * optimal.
 * `*found` counts all, the best included. */
HT_MUST_CHECK enum ht_status ht_query_alternatives(struct ht_query *query,
                                                   const struct ht_road *road,
                                                   const struct ht_place *source,
                                                   const struct ht_place *target, uint32_t most,
                                                   struct ht_way_found *out, uint32_t *found);

#endif
