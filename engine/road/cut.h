/* Cut: the pieces of streets that polygons close to a profile.
 *
 * A piece is a segment of a base arc, in the arc's direction, between two points of its shape that
 * follow each other. Pieces are found by the snap index' tree over them, and judged exactly
 * (engine/base/border.h).
 *
 * Threading: read-only. Ownership: lists are the caller's. Errors: HT_NOMEM.
 */
#ifndef HT_ENGINE_ROAD_CUT_H
#define HT_ENGINE_ROAD_CUT_H

#include "engine/base/border.h"
#include "engine/road/network.h"
#include "engine/road/snap.h"

enum ht_cut_how {
    HT_CUT_BORDER, /* leads in or out: nobody crosses */
    HT_CUT_OUT,    /* leads out: who is in stays in */
    HT_CUT_ALL,    /* has a point in common with the polygons */
};

struct ht_cut {
    uint32_t arc;
    uint32_t segment;
};

struct ht_cuts {
    struct ht_cut *list;
    size_t count;
    size_t capacity;
};

void ht_cuts_deinit(struct ht_cuts *cuts);

/* What a search runs on: an index made for the graph (of its base arcs, with or without live
 * costs). */
struct ht_cut_streets {
    const struct ht_network *network;
    const struct ht_graph *graph;
    const struct ht_snap_index *snap;
};

/* Adds the pieces that the border cuts. */
HT_MUST_CHECK enum ht_status ht_cuts_find(const struct ht_cut_streets *streets,
                                          const struct ht_border *border, enum ht_cut_how how,
                                          struct ht_cuts *cuts);
HT_MUST_CHECK enum ht_status ht_cuts_add(struct ht_cuts *cuts, const struct ht_cut *list,
                                         size_t count);
/* Sorts by arc and segment, each once. */
void ht_cuts_once(struct ht_cuts *cuts);

#endif
