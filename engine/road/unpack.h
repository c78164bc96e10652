/* Unpack: from edges of the hierarchy to the vertices (arcs, by rank) that they stand for.
 *
 * An edge from -> to is a turn, or the two edges from -> u -> to over the vertex that customization
 * noted.
 *
 * Threading: one struct for each thread. Ownership: `path` belongs to the struct.
 */
#ifndef HT_ENGINE_ROAD_UNPACK_H
#define HT_ENGINE_ROAD_UNPACK_H

#include "engine/base/status.h"
#include "engine/road/cch.h"

/* An edge that waits to be unpacked; depths are carried along, so that each vertex on the way is
 * looked up once. */
struct ht_unpack_pair {
    uint32_t from;
    uint32_t to;
    uint32_t edge;
    uint16_t from_depth;
    uint16_t to_depth;
};

struct ht_unpack {
    const struct ht_metric *metric;
    uint32_t *path; /* vertices so far */
    uint32_t count;
    uint32_t most; /* vertices of a way: no cheapest one passes an arc twice */
    size_t path_capacity;
    struct ht_unpack_pair *stack;
    size_t stack_capacity;
};

/* An empty path over this hierarchy; memory is kept. */
void ht_unpack_begin(struct ht_unpack *unpack, const struct ht_metric *metric);
void ht_unpack_deinit(struct ht_unpack *unpack);

/* The first vertex. This and the next one: HT_NOMEM, and HT_RANGE where shortcuts stand for more
 * arcs than there are, as in a file that somebody forged. */
HT_MUST_CHECK enum ht_status ht_unpack_vertex(struct ht_unpack *unpack, uint32_t vertex);

/* Goes on from `from`, which must be the last vertex, to `to`. */
HT_MUST_CHECK enum ht_status ht_unpack_edge(struct ht_unpack *unpack, uint32_t from, uint32_t to);

#endif
