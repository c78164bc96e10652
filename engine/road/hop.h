/* Hop: the shortest ways from one place to a few near ones, as long as they are not longer than a
 * limit: what map matching asks between two fixes.
 *
 * Dijkstra's search (1959) over arcs and turns, from the end of the source's arc, by length, of
 * equal ones by duration. Lengths, unlike weights, bound how far a search has to look: what is
 * already so long that the straight distance to where the targets are passes the limit is left out.
 *
 *          . - - - - - .          an ellipse around both, as narrow as the limit allows
 *        /   s----t     \
 *          ' - - - - - '
 *
 * (By weight, a slow lane in the ellipse kept the search going far outside of it: 7,000 fixes a
 * second at 1 Hz in Milan, against 340,000.)
 *
 * The answer between two arcs does not depend on where in them the places lie, so it is remembered:
 * fixes that follow each other within seconds ask for the same pairs again (the idea of FMM's table
 * of upper-bounded origins and destinations, Yang and Gidofalvi 2018, filled on demand).
 *
 * Threading: one workspace for each thread. Ownership: borrows network and graph from begin to the
 * next begin. Memory: 1 MB for what is remembered, 40 bytes for each arc a search touches.
 */
#ifndef HT_ENGINE_ROAD_HOP_H
#define HT_ENGINE_ROAD_HOP_H

#include "engine/road/snap.h"

struct ht_hop;

HT_MUST_CHECK enum ht_status ht_hop_new(struct ht_hop **out);
void ht_hop_free(struct ht_hop *hop);

/* Takes up a graph, and forgets what was remembered: to be called whenever costs may have changed.
 * `budget`: so many arcs are looked at before searches end with HT_TOO_BIG (about 10 million a
 * second). Constant time. */
void ht_hop_begin(struct ht_hop *hop, const struct ht_network *network,
                  const struct ht_graph *graph, uint64_t budget);

/* From the end of the source's arc to the beginning of the target's (a base arc or any of its
 * copies), turns counted. */
struct ht_hop_target {
    int64_t limit_mm; /* of that middle part; below 0: not asked for */
    struct ht_key key;
    uint32_t arc; /* base arc */
    bool known;   /* out: the shortest way is within the limit (or was known anyway) */
};

/* Fills `known` and `key` of those asked for. O(n log n) in the arcs around. HT_NOMEM, HT_TOO_BIG.
 */
HT_MUST_CHECK enum ht_status ht_hop_run(struct ht_hop *hop, uint32_t source_arc,
                                        struct ht_hop_target *targets, uint32_t count);

/* The arcs between the two, both ends included; `*arcs` lives until the next call. HT_NO_ROUTE:
 * none within the limit. */
HT_MUST_CHECK enum ht_status ht_hop_path(struct ht_hop *hop, uint32_t source_arc,
                                         const struct ht_hop_target *target, const uint32_t **arcs,
                                         uint32_t *count);

#endif
