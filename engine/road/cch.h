/* CCH: the metric-independent half of a customizable contraction hierarchy over arcs.
 *
 * Vertices are arcs of the graph, numbered by rank (elimination order). An edge u -> v stands for
 * "drive arc u to its end, turn into v": its cost is u's whole cost plus the turn's, so a path from
 * u to v costs what lies between the two tails. Only edges that some path can use in that direction
 * exist (the infinite ones of the undirected chordal graph are never stored; Buchhold et al. 2020).
 *
 * Each edge lies with its lower end v: out-edges v -> w and in-edges w -> v, w above v, from the
 * root downwards (falling rank, rising depth). All of them go to ancestors of v in the elimination
 * tree, so `depth` names w uniquely. Ranks are a post-order of that tree: the vertices below v are
 * the ranks [v - subtree size + 1, v).
 *
 * Threading: read-only. Ownership: arrays are borrowed (mapped file) or owned by the builder.
 */
#ifndef HT_ENGINE_ROAD_CCH_H
#define HT_ENGINE_ROAD_CCH_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/key.h"
#include "engine/road/network.h"

struct ht_cch_side {
    uint32_t edge_count;
    const uint32_t *first;      /* [vertex_count + 1] by lower end */
    const uint32_t *head;       /* [edge_count] rank of the upper end, falling within a vertex */
    const uint16_t *depth;      /* [edge_count] tree depth of it, rising within a vertex */
    const uint32_t *down_first; /* [vertex_count + 1] by upper end */
    const uint32_t *down;       /* [edge_count] lower ends, ascending */
};

struct ht_cch {
    uint32_t vertex_count;
    uint32_t depth_max;     /* number of levels of the elimination tree */
    const uint32_t *rank;   /* [vertex_count] arc -> rank */
    const uint32_t *arc;    /* [vertex_count] rank -> arc */
    const uint32_t *parent; /* [vertex_count] by rank; HT_NONE at a root */
    const uint16_t *depth;  /* [vertex_count] by rank; 0 at a root */
    struct ht_cch_side out; /* v -> w */
    struct ht_cch_side in;  /* w -> v */
    uint32_t turn_count;
    const uint32_t
        *turn_edge; /* [turn_count] edge that the turn is; HT_NONE: a loop arc into itself.
                       The side follows from the ranks: out where rank(from) < rank(to) */
};

/* How good an order is; kept in the network file for `houtao info`. */
struct ht_order_stats {
    uint32_t top_cut_streets; /* streets that the first cut of the largest component crosses */
    uint32_t depth_max;       /* levels of the elimination tree of arcs */
    double depth_mean;        /* over all arcs */
    uint64_t triangles;       /* work of one customization */
    uint32_t out_edges;
    uint32_t in_edges;
    double order_s;
    double build_s;
    double customize_s;
};

/* Costs of all edges; same order as the sides' edges. */
struct ht_metric {
    const uint64_t *out_time;
    const uint32_t *out_length;
    const uint64_t *in_time;
    const uint32_t *in_length;
    const uint32_t *out_via; /* the vertex below that a shortcut leads over, HT_NONE: a turn */
    const uint32_t *in_via;
};

/* The edge of `lower` whose upper end lies at `depth`, or HT_NONE. Logarithmic in the row. */
static inline uint32_t ht_cch_edge(const struct ht_cch_side *side, uint32_t lower, uint16_t depth)
{
    uint32_t low = side->first[lower];
    uint32_t end = side->first[lower + 1];
    uint32_t high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (side->depth[middle] < depth) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && side->depth[low] == depth ? low : HT_NONE;
}

#endif
