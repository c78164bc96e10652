/* Snap: from a point to the places on the streets that a trip may begin or end at.
 *
 * A packed R-tree over the segments of one graph's base arcs (packed top down by halving, White and
 * Jain 1996; searched after Roussopoulos et al. 1995). One entry stands for both directions of a
 * street. The nearest place is found in a plane with the local scales of a degree at the input
 * (ht_scale_at); the distance reported is ht_distance_m. The antimeridian is a border: no search
 * looks across it.
 *
 * Threading: the index is read-only; each thread brings its own ht_snap_work.
 * Ownership: the index borrows network and graph, and, when it is a view, its blob.
 */
#ifndef HT_ENGINE_ROAD_SNAP_H
#define HT_ENGINE_ROAD_SNAP_H

#include "engine/base/geo.h"
#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/network.h"

/* A place on a street, in both directions that the profile may use it (OSRM's phantom node).
 * For each direction: `arc` (HT_NONE: not allowed), what the trip pays from the arc's tail to the
 * place (`before`) and from the place to its head (`after`), as ht_share of the whole. */
struct ht_place_side {
    uint32_t arc;
    uint32_t before_mm;
    uint32_t after_mm;
    struct ht_cost before;
    struct ht_cost after;
};

/* The side of a place so far along an arc. */
struct ht_place_side ht_place_side_at(const struct ht_graph *graph, uint32_t arc,
                                      uint32_t before_mm);

struct ht_place {
    struct ht_point input;
    struct ht_point point; /* on the street */
    double distance_m;     /* between the two */
    uint32_t segment; /* of the first usable side's arc: between its points segment, segment + 1 */
    uint32_t component;           /* strongly connected component of the street */
    bool small;                   /* that component is an island */
    struct ht_place_side side[2]; /* [0] along the way, [1] against it */
};

/* Brings the costs of a place up to date with the graph as it is now: of somebody who stands there,
 * and may leave a piece that was closed meanwhile. */
void ht_place_refresh(const struct ht_graph *graph, struct ht_place *place);

enum ht_approach {
    HT_APPROACH_UNRESTRICTED, /* either side */
    HT_APPROACH_CURB,         /* the place on the driving side's kerb */
    HT_APPROACH_OPPOSITE,     /* the other side */
};

struct ht_snap_options {
    double radius_m;       /* < 0: no limit */
    int16_t bearing_deg;   /* -1: none */
    int16_t bearing_range; /* +- degrees */
    enum ht_approach approach;
    bool any_street;  /* snapping=any: also streets no trip may begin at */
    uint16_t exclude; /* enum ht_arc_flag classes not to snap to */
};

struct ht_snap_tree;
struct ht_snap_index;
struct ht_snap_work;

/* One straight piece of a street between two nodes that follow each other, as the index lists it.
 * `arc[0]` runs along the way's nodes (from `from` to `to`), `arc[1]` against; HT_NONE: the profile
 * may not. `segment` counts from the tail of arc[0] where there is one, else of arc[1]. */
struct ht_snap_segment {
    uint32_t arc[2];
    uint32_t segment;
    uint32_t from_node; /* indices into network->node_point */
    uint32_t to_node;
};

/* Builds the tree of all segments of the network's ways, which the indexes of all its profiles
 * share. `pool` may be NULL: one thread. 12 bytes for each segment are borrowed while it works.
 * HT_NOMEM. O(n log n). */
HT_MUST_CHECK enum ht_status ht_snap_tree_build(const struct ht_network *network,
                                                struct ht_pool *pool, struct ht_snap_tree **out);
void ht_snap_tree_free(struct ht_snap_tree *tree);

/* Builds the index of `graph` (one of the network's) in such a tree, which is borrowed. HT_NOMEM;
 * HT_INVALID: two arcs of one piece of street that don't know each other. O(n). */
HT_MUST_CHECK enum ht_status ht_snap_build_in(const struct ht_snap_tree *tree,
                                              const struct ht_graph *graph, struct ht_pool *pool,
                                              struct ht_snap_index **out);

/* The same in a tree of its own, of the graph's segments alone. */
HT_MUST_CHECK enum ht_status ht_snap_build(const struct ht_network *network,
                                           const struct ht_graph *graph, struct ht_pool *pool,
                                           struct ht_snap_index **out);

/* The tree of an index: borrowed from it. */
const struct ht_snap_tree *ht_snap_tree_of(const struct ht_snap_index *index);

/* Tree and index, each as one block of bytes without pointers, aligned to 64, for a file; borrowed
 * from them. */
void ht_snap_tree_data(const struct ht_snap_tree *tree, const void **data, size_t *size);
void ht_snap_data(const struct ht_snap_index *index, const void **data, size_t *size);

/* The same over such blocks, which are borrowed and must be aligned to 64 bytes, as the tree is by
 * its indexes. Check their heads: HT_FOREIGN, HT_VERSION, HT_TRUNCATED (or longer than it says),
 * HT_RANGE (made for another network, tree or graph). */
HT_MUST_CHECK enum ht_status ht_snap_tree_view(const struct ht_network *network, const void *data,
                                               size_t size, struct ht_snap_tree **out);
HT_MUST_CHECK enum ht_status ht_snap_view(const struct ht_snap_tree *tree,
                                          const struct ht_graph *graph, const void *data,
                                          size_t size, struct ht_snap_index **out);
/* The same index over a graph that differs in `live` and the costs of arcs: it gives such costs,
 * and nothing on a closed piece. Borrows both. */
HT_MUST_CHECK enum ht_status ht_snap_over(const struct ht_snap_index *index,
                                          const struct ht_graph *graph, struct ht_snap_index **out);
/* Check the rest of what a query relies on: HT_RANGE, it points outside the network or graph. To be
 * called, both, before blocks of unknown origin are used. O(n), some milliseconds for millions of
 * segments. */
HT_MUST_CHECK enum ht_status ht_snap_tree_check(const struct ht_snap_tree *tree);
HT_MUST_CHECK enum ht_status ht_snap_check(const struct ht_snap_index *index);
void ht_snap_index_free(struct ht_snap_index *index);

/* Calls visit(user, segment) for each segment whose box meets `box`, in the index' own order. */
void ht_snap_window(const struct ht_snap_index *index, struct ht_box box,
                    void (*visit)(void *user, const struct ht_snap_segment *segment), void *user);

/* Options that ask for nothing. */
struct ht_snap_options ht_snap_options_default(void);

HT_MUST_CHECK enum ht_status ht_snap_work_new(struct ht_snap_work **out);
void ht_snap_work_free(struct ht_snap_work *work);

/* The `count` nearest places, nearest first, one for each segment as in OSRM (so a place at a
 * junction appears once for each street that meets there, one at a bend twice); equally near ones
 * by their lowest arc, then segment. `*found` of them are written to `out`.
 * HT_OK, also with fewer; HT_NO_SEGMENT: none; HT_NOMEM: the workspace can't hold so many. */
HT_MUST_CHECK enum ht_status ht_snap_nearest(const struct ht_snap_index *index,
                                             struct ht_snap_work *work, struct ht_point point,
                                             const struct ht_snap_options *options, uint32_t count,
                                             struct ht_place *out, uint32_t *found);

/* The same in two steps, for who looks at many and takes few: `*found` places stay in the workspace
 * until its next call. What is seen of them lies in the index; what else a place says is fetched
 * from all over the graph. The index must live as long. */
struct ht_snap_seen {
    uint32_t arc; /* of its piece of street: along the way where the profile may, else against */
    bool small;
    double distance_m;
    struct ht_point ends[2]; /* of its segment, along the way */
};
HT_MUST_CHECK enum ht_status ht_snap_look(const struct ht_snap_index *index,
                                          struct ht_snap_work *work, struct ht_point point,
                                          const struct ht_snap_options *options, uint32_t count,
                                          uint32_t *found);
/* Of i < found. */
struct ht_snap_seen ht_snap_seen(const struct ht_snap_work *work, uint32_t i);
void ht_snap_seen_place(const struct ht_snap_work *work, uint32_t i, struct ht_place *out);

/* What a route begins or ends at: the nearest place, and (where that is on an island) the nearest
 * one in a large component. out[0] is the nearest of all; out[1] the nearest that is not small
 * (equal to out[0] where that is not). *found is 1 when there is no street outside islands within
 * the radius, else 2. HT_NO_SEGMENT: none. */
HT_MUST_CHECK enum ht_status ht_snap_trip(const struct ht_snap_index *index,
                                          struct ht_snap_work *work, struct ht_point point,
                                          const struct ht_snap_options *options,
                                          struct ht_place out[2], uint32_t *found);

/* The same for many points, to be preferred where there are many: searches go on sixteen at a time,
 * so that while one waits for memory the others work. Every answer is that of ht_snap_trip. */
struct ht_snap_ask {
    struct ht_point point;
    struct ht_snap_options options;
};
struct ht_snap_trip {
    struct ht_place place[2];
    uint32_t found; /* 0: no segment */
};
void ht_snap_trips(const struct ht_snap_index *index, const struct ht_snap_ask *asks, size_t count,
                   struct ht_snap_trip *out);

/* Where `place` lies at a junction: the same point on each street piece that meets there and passes
 * the options, `place` itself first; else `place` alone. OSRM lets a trip begin on any of them. At
 * most `capacity` (> 0) are written; returns how many. */
uint32_t ht_snap_junction(const struct ht_snap_index *index, const struct ht_place *place,
                          const struct ht_snap_options *options, struct ht_place *out,
                          uint32_t capacity);

#endif
