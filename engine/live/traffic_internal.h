/* Traffic's two halves: the state wanted (traffic_state.c), and the buffers that obey it
 * (traffic.c). */
#ifndef HT_ENGINE_LIVE_TRAFFIC_INTERNAL_H
#define HT_ENGINE_LIVE_TRAFFIC_INTERNAL_H

#include "engine/live/traffic.h"

/* An arc with two layers for each of its segments: what traffic says, and whether a zone shuts it.
 */
struct ht__street {
    uint32_t arc;
    uint32_t segment_count;
    struct ht_live_piece *pieces; /* owned; at most one for each segment, then the same as if no
                                     zone shut any */
    uint32_t piece_count[2];      /* of both; 0: to be reckoned */
    float *speed_mps;             /* this and the next lie behind them */
    uint8_t *shut;
};

struct ht__streets {
    struct ht__street *list; /* by arc */
    size_t count;
    size_t capacity;
    bool untidy; /* some may be as the file says again */
};

void ht__streets_deinit(struct ht__streets *streets);

/* Whether the graph has the piece, and the speed is one. */
bool ht__change_sound(const struct ht_graph *graph, const struct ht_traffic_change *change);

/* Takes a sound change. HT_NOMEM: nothing changed. */
HT_MUST_CHECK enum ht_status ht__streets_set(struct ht__streets *streets,
                                             const struct ht_graph *graph,
                                             const struct ht_traffic_change *change);
/* Makes room for the arcs of pieces that are sorted. HT_NOMEM: nothing changed. */
HT_MUST_CHECK enum ht_status ht__streets_room(struct ht__streets *streets,
                                              const struct ht_graph *graph,
                                              const struct ht_cut *cuts, size_t count);
/* Whether a street's shut segments are others than `cuts`, all of its own arc; then they become
 * these where `set`. */
bool ht__street_shut(struct ht__streets *streets, size_t at, const struct ht_cut *cuts,
                     size_t count, bool set);

/* Forgets streets that are as the file says again. */
void ht__streets_tidy(struct ht__streets *streets);

/* Whether a zone shuts a piece of it. */
bool ht__street_is_shut(const struct ht__street *street);

/* What lies under the streets: the file, and what is learned. */
struct ht__ground {
    const struct ht_network *network;
    const struct ht_graph *graph;
    const struct ht_arc *arcs; /* of the same graph, with what they cost where nothing is said */
};

/* The pieces of a street, at most one for each segment, and how many; the street's. `unshut`: as if
 * no zone shut any. Kept until the street changes: where many are live, a change of one must not
 * reckon them all. */
const struct ht_live_piece *ht__street_pieces(struct ht__street *street,
                                              const struct ht__ground *ground, bool unshut,
                                              uint32_t *count);
/* What lies under it is another now. */
void ht__street_forget(struct ht__street *street);

/* The street of an arc, NULL: as filed. */
const struct ht__street *ht__streets_find(const struct ht__streets *streets, uint32_t arc);

#endif
