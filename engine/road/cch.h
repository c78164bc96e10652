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
#include "engine/road/relax.h"

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

/* What a search reads of a vertex that it climbs over. */
struct ht_climb {
    uint32_t first[2]; /* where its rows begin, out and in; they end where the next vertex' begin */
    uint16_t depth;    /* as in ht_cch */
    uint16_t up;       /* how many ranks above it its parent is; 0: none is; or HT_CLIMB_FAR */
};
#define HT_CLIMB_FAR UINT16_MAX

/* The parent of a vertex, where it lies too far above it: only a large subtree fits in between. */
struct ht_far_parent {
    uint32_t vertex;
    uint32_t parent;
};

/* The vertex that an edge leads over, where it lies too far below the edge's lower end. */
struct ht_far_via {
    uint32_t edge;
    uint32_t via;
};

/* Edges of one side with their costs, by lower end, as in ht_cch_side. The vertex below that a
 * shortcut leads over (HT_NONE: it is a turn) is `via` in a whole metric. A trimmed one has `step`
 * instead: how many ranks it lies below the lower end, 0 for a turn, HT_STEP_FAR where 16 bits
 * don't say it. They nearly always do, since ranks are a post-order: it lies in the subtree of the
 * lower end, and few subtrees are larger (0.1 % of vertices on the sample city). */
struct ht_metric_side {
    uint32_t edge_count;
    uint32_t wide_count;
    uint32_t far_count;
    const uint16_t *depth;
    const uint64_t *time;  /* or, where this is NULL, */
    const uint32_t *brief; /* as in ht_row, */
    const uint64_t *wide;  /* [wide_count] */
    const uint32_t *length;
    const uint32_t *via;          /* NULL in a trimmed metric */
    const uint16_t *step;         /* NULL in a whole one */
    const struct ht_far_via *far; /* [far_count] by edge */
};

#define HT_STEP_FAR UINT16_MAX

/* The costs of edges and all else that queries read of a hierarchy (they don't look at the sides of
 * ht_cch, which are for customization). A whole metric has every edge
 * of the hierarchy at the hierarchy's number; a trimmed one (ht_metric_trim) has rows of its own,
 * without edges that no cheapest way needs. */
struct ht_metric {
    uint32_t vertex_count;
    const struct ht_climb *climb; /* [vertex_count + 1] by rank; of the last, only `first` */
    const struct ht_far_parent *far_parent; /* [far_parent_count] by vertex */
    uint32_t far_parent_count;
    struct ht_metric_side side[2]; /* out, in */
};

/* The parent of a vertex that says HT_CLIMB_FAR. */
uint32_t ht_metric_far_parent(const struct ht_metric *metric, uint32_t vertex);

/* The parent of a vertex as in ht_cch: HT_NONE at a root. */
static inline uint32_t ht_metric_parent(const struct ht_metric *metric, uint32_t vertex)
{
    uint32_t up = metric->climb[vertex].up;
    if (__builtin_expect(up - 1 < HT_CLIMB_FAR - 1, 1)) {
        return vertex + up;
    }
    return up == 0 ? HT_NONE : ht_metric_far_parent(metric, vertex);
}

/* The row of a vertex, out (0) or in (1). */
static inline struct ht_row ht_metric_row(const struct ht_metric *metric, int s, uint32_t vertex)
{
    const struct ht_metric_side *side = &metric->side[s];
    uint32_t first = metric->climb[vertex].first[s];
    return (struct ht_row){
        .depth = side->depth + first,
        .time = side->time == NULL ? NULL : side->time + first,
        .brief = side->time == NULL ? side->brief + first : NULL,
        .wide = side->wide,
        .length = side->length + first,
        .count = metric->climb[vertex + 1].first[s] - first,
    };
}

static inline uint64_t ht_metric_time(const struct ht_metric_side *side, uint32_t edge)
{
    return side->time != NULL ? side->time[edge] : ht_brief_time(side->brief, side->wide, edge);
}

/* The vertex that an edge leads over, or HT_NONE. */
static inline uint32_t ht_metric_via(const struct ht_metric_side *side, uint32_t lower,
                                     uint32_t edge)
{
    if (side->via != NULL) {
        return side->via[edge];
    }
    uint32_t step = side->step[edge];
    if (step != HT_STEP_FAR) {
        return step == 0 ? HT_NONE : lower - step;
    }
    uint32_t low = 0;
    uint32_t high = side->far_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (side->far[middle].edge < edge) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < side->far_count && side->far[low].edge == edge ? side->far[low].via : HT_NONE;
}

/* Of the edges [low, end), whose depths rise, the one that leads to `depth`, or HT_NONE. */
static inline uint32_t ht_depth_find(const uint16_t *depths, uint32_t low, uint32_t end,
                                     uint16_t depth)
{
    /* which half can't be foretold, and a wrong guess costs more than the rest of the search */
    for (uint32_t left = end - low; left > 0;) {
        uint32_t half = (left + 1) / 2;
        low += half & -(uint32_t)(depths[low + half - 1] < depth);
        left -= half;
    }
    return low < end && depths[low] == depth ? low : HT_NONE;
}

/* The edge of `lower` whose upper end lies at `depth`, or HT_NONE. Logarithmic in the row. */
static inline uint32_t ht_cch_edge(const struct ht_cch_side *side, uint32_t lower, uint16_t depth)
{
    return ht_depth_find(side->depth, side->first[lower], side->first[lower + 1], depth);
}

/* The same among the edges of a metric's side. */
static inline uint32_t ht_metric_edge(const struct ht_metric *metric, int s, uint32_t lower,
                                      uint16_t depth)
{
    return ht_depth_find(metric->side[s].depth, metric->climb[lower].first[s],
                         metric->climb[lower + 1].first[s], depth);
}

#endif
