/* Order: puts segments into the order in which the packed R-tree lists them.
 *
 * Top down, as White and Jain's VAMSplit R-tree (1996): what is to fill a node is halved along its
 * longer side, again and again, at multiples of what a child holds. On the city a nearest search
 * opens 2.6 leaves of such a tree, and 7.3 of one in the order of a Hilbert curve.
 *
 * Threading: the pool's, one caller.
 */
#ifndef HT_ENGINE_ROAD_SNAP_ORDER_H
#define HT_ENGINE_ROAD_SNAP_ORDER_H

#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/pool.h"

struct ht_snap_item {
    struct ht_point middle;
    uint32_t entry;
};

/* `pool` may be NULL. The result depends on the items as a set, not on threads. O(n log n). */
void ht_snap__order(struct ht_snap_item *items, uint32_t count, struct ht_pool *pool);

#endif
