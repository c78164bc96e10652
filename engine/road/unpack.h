/* Unpack: from edges of the hierarchy to the vertices (arcs, by rank) that they stand for.
 *
 * An edge from -> to is a turn, or the two edges from -> u -> to over the vertex that customization
 * noted. All edges of a way are taken apart in waves, one level of the hierarchy after the other:
 * what one edge waits for in memory, all of its wave wait for together. Depth first, each waits
 * alone, and a way across a city takes half as long again.
 *
 * Threading: one struct for each thread. Ownership: `path` belongs to the struct.
 */
#ifndef HT_ENGINE_ROAD_UNPACK_H
#define HT_ENGINE_ROAD_UNPACK_H

#include "engine/base/status.h"
#include "engine/road/cch.h"

/* A piece of the way: an edge, the vertex that it leads over, and what comes behind it. Depths are
 * carried along, so that each vertex is looked up once. */
struct ht_unpack_piece {
    uint32_t from;
    uint32_t to;
    uint32_t edge;
    uint32_t via;
    uint32_t next;
    uint16_t from_depth;
    uint16_t to_depth;
};

struct ht_unpack {
    const struct ht_metric *metric;
    const uint64_t *only;
    uint32_t *path;
    size_t path_capacity;
    struct ht_unpack_piece *pieces; /* in the order of `next`, from 0 on */
    size_t piece_capacity;
    uint32_t count;
    uint32_t most;  /* pieces of a way: no cheapest one passes an arc twice */
    uint32_t *wave; /* pieces that may be taken apart */
    size_t wave_capacity;
};

/* Whether a set of vertices, a bit for each, holds one. */
static inline bool ht_vertex_in(const uint64_t *set, uint32_t vertex)
{
    return (set[vertex / 64] >> vertex % 64 & 1) != 0;
}

/* An empty way over this hierarchy; memory is kept. `only` (NULL: all; a bit for each vertex): the
 * edges whose lower ends are taken apart. */
void ht_unpack_begin(struct ht_unpack *unpack, const struct ht_metric *metric,
                     const uint64_t *only);
void ht_unpack_deinit(struct ht_unpack *unpack);

/* Goes on to `to` from `from`, where the way ends so far. This and the next one: HT_NOMEM, and
 * HT_RANGE where shortcuts stand for more arcs than there are, as in a file that somebody forged.
 */
HT_MUST_CHECK enum ht_status ht_unpack_edge(struct ht_unpack *unpack, uint32_t from, uint32_t to);

/* All vertices of the way, `first` and then those that its edges lead to. */
HT_MUST_CHECK enum ht_status ht_unpack_path(struct ht_unpack *unpack, uint32_t first,
                                            const uint32_t **path, uint32_t *count);

#endif
