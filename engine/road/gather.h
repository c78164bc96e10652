/* Gather: what will be read of a route's arcs is brought near before anything is done with it.
 *
 * Arcs of a route lie all over the network's arrays, so each first touch waits for memory. A loop
 * that does nothing else has many such waits at the same time; one that works on each arc in turn
 * (and branches on what it reads) has them one by one, and prefetching some arcs ahead of it was
 * measured to help little.
 *
 * Threading: read-only. Ownership: none.
 */
#ifndef HT_ENGINE_ROAD_GATHER_H
#define HT_ENGINE_ROAD_GATHER_H

#include "engine/road/network.h"

/* A sum of what was read counts as used, so that reading it stays. */
#define HT_GATHERED(sum) __asm__ volatile("" : : "r"(sum))

/* The arcs, their ways and the first of their nodes; then the points of all nodes. */
void ht_gather(const struct ht_network *network, const struct ht_graph *graph, const uint32_t *arcs,
               uint32_t count);

#endif
