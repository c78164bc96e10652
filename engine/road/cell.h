/* Cells of a nested dissection: a set of junctions with the streets between them, and its best cut.
 *
 * A street here is an unordered pair of junctions with all arcs between them, copies included: what
 * a cut has to cross. Threading: a cell belongs to one thread; ht_cell_split may use a pool.
 * Ownership: cells own their memory.
 */
#ifndef HT_ENGINE_ROAD_CELL_H
#define HT_ENGINE_ROAD_CELL_H

#include <stdbool.h>

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/network.h"

struct ht_streets {
    uint32_t count;
    uint32_t (*ends)[2]; /* [count] junctions, the lower one first */
    uint32_t *first;     /* [count + 1] */
    uint32_t *arcs;      /* [arc_count] by street */
};

HT_MUST_CHECK enum ht_status ht_streets_init(struct ht_streets *streets,
                                             const struct ht_graph *graph);
void ht_streets_deinit(struct ht_streets *streets);

static inline uint32_t ht_streets_arcs(const struct ht_streets *streets, uint32_t street)
{
    return streets->first[street + 1] - streets->first[street];
}

struct ht_cell;

/* The cell of all junctions. Loops are left out. */
HT_MUST_CHECK enum ht_status ht_cell_all(const struct ht_network *network,
                                         const struct ht_graph *graph,
                                         const struct ht_streets *streets, struct ht_cell **out);
void ht_cell_free(struct ht_cell *cell);
uint32_t ht_cell_junctions(const struct ht_cell *cell);
uint32_t ht_cell_arcs(const struct ht_cell *cell, const struct ht_streets *streets);

/* A street that crosses, and whether its first end (the lower junction) lies on side[1]. */
struct ht_cut_street {
    uint32_t street;
    bool flipped;
    float along; /* where on the cut it lies, for sorting */
};

/* A cell taken apart: two parts (NULL: nothing in it) and the streets that crossed between them,
 * sorted along the cut. */
struct ht_cell_cut {
    struct ht_cell *side[2];
    struct ht_cut_street *streets; /* freed by the caller */
    uint32_t street_count;
};

/* Components apart where the cell has several, else the best of several inertial flow cuts.
 * Directions are tried in parallel when `pool` is given. A cell of two junctions gives an empty
 * rest. */
HT_MUST_CHECK enum ht_status ht_cell_split(const struct ht_cell *cell, struct ht_pool *pool,
                                           struct ht_cell_cut *out);

#endif
