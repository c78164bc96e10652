/* Regions: parts of a hierarchy that a search may leave out as a whole.
 *
 * A region is a subtree of the elimination tree that is worth a decision: a root, or a branch of
 * enough vertices that holds at most three quarters of the region around it. Ranks are a
 * post-order, so its vertices are [low, root]. Every way out of it leads through its `exits`:
 * ancestors that some edge of the subtree leads up to (in any metric). Ways into it lead through
 * entries, found likewise; who searches that way asks for those.
 *
 *      o  exits lie above, on the way to the root of the tree, and are named by depth
 *      |
 *     / \      D(x) >= min over exits e of D(e)  for all x in the region,
 *    x   x     where D is the cost from a vertex to a target outside
 *
 * so a region whose exits are all dear holds nothing cheap. These are the cells of the separator
 * decomposition that Buchhold and Wagner search (SEA 2021, "Nearest-Neighbor Queries in
 * Customizable Contraction Hierarchies"), read off the tree.
 *
 * Threading: read-only once made. Ownership: borrows nothing. Errors: HT_NOMEM.
 */
#ifndef HT_ENGINE_ROAD_REGION_H
#define HT_ENGINE_ROAD_REGION_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/road/cch.h"

struct ht_region {
    uint32_t root;       /* rank */
    uint32_t low;        /* lowest rank in it */
    uint32_t around;     /* the region that holds it; HT_NONE: a root of the tree */
    uint32_t first_exit; /* index into exits */
    uint32_t exit_count;
};

struct ht_regions {
    uint32_t count;
    uint32_t vertex_count;
    uint32_t exit_count;
    struct ht_region *list; /* [count] by falling root: a region comes before those inside it */
    uint16_t *exits;        /* depths, rising within a region */
    uint32_t *of;           /* [vertex_count] the innermost region of each vertex */
};

/* What `exits` of regions are: the ends of ways out of them, the beginnings of ways into them. */
enum { HT_REGION_OUT = 1, HT_REGION_IN = 2 };

/* `least`: vertices that a region inside another has at least. `ways`: HT_REGION_OUT,
 * HT_REGION_IN, or both together. Linear in the hierarchy: 0.1 s for 1.5 million arcs. */
HT_MUST_CHECK enum ht_status ht_regions_init(struct ht_regions *regions, const struct ht_cch *cch,
                                             uint32_t least, unsigned ways);
void ht_regions_deinit(struct ht_regions *regions);
size_t ht_regions_bytes(const struct ht_regions *regions);

#endif
