/* Traffic: pieces of streets that are slower, faster or closed at the moment, and the metric that
 * obeys.
 *
 * The state wanted is kept by arc and segment. A road that obeys it has arcs and a whole metric of
 * its own: a buffer. A change updates a buffer that nobody reads, from where that one stood (the
 * changes since are replayed: partial customization, customize.h), and publishes it; readers in
 * flight keep theirs and nobody waits for them:
 *
 *     readers -> buffer A   (state 7)
 *                buffer B   (state 6): change 8 comes: replay 7, apply 8, publish B; A is next
 *
 * Where readers hold all buffers for more than some milliseconds (long tables), another one is
 * made, up to four; then the change waits. The first is customized, the others are copies of one
 * that stands. A buffer of the sample city takes 220 MB for `car`, one of a town of Milan's
 * size 13. While nothing is live, the road is the file's own, whose trimmed metric is faster.
 *
 * Three layers lie over the file, each under the next: what is learned of whole arcs
 * (ht_traffic_learn), what changes say of pieces, what zones shut. What is closed keeps the file's
 * cost, for those who leave it.
 *
 * Threading: one thread at a time; the roads given out are read from any. Ownership: the base road
 * is borrowed and outlives the traffic and all roads given out. Errors: HT_NOMEM; HT_RANGE (no such
 * piece); HT_BUSY (all buffers were in use for
 * seconds). After the first and the last the state wanted may have changed already, though no road
 * obeys it yet: the next call brings it.
 */
#ifndef HT_ENGINE_LIVE_TRAFFIC_H
#define HT_ENGINE_LIVE_TRAFFIC_H

#include "engine/live/live_road.h"
#include "engine/road/cut.h"

struct ht_traffic;

#define HT_SPEED_CLOSED 0.0F
#define HT_SPEED_AS_FILED (-1.0F)

/* Segments [segment_first, segment_end) of a base arc, counted from its tail, in its direction. */
struct ht_traffic_change {
    uint32_t arc;
    uint32_t segment_first;
    uint32_t segment_end;
    float speed_mps; /* or one of the two above */
};

HT_MUST_CHECK enum ht_status ht_traffic_new(const struct ht_road *base, struct ht_traffic **out);
/* Roads that are still held stay readable. NULL is fine. */
void ht_traffic_free(struct ht_traffic *traffic);

/* Makes two buffers before they are needed, and brings those that nobody reads up to date: a whole
 * customization by the threads of `pool` (NULL: the calling one alone) and a copy, after which a
 * change takes what it touches. */
HT_MUST_CHECK enum ht_status ht_traffic_prepare(struct ht_traffic *traffic, struct ht_pool *pool);

/* Shuts pieces, for zones: these (sorted, each once) and no others from the next ht_traffic_apply
 * on. A layer of its own over what changes say: what is shut is closed, and when it is not shut any
 * more, is again what was said of it last. HT_RANGE: no such piece, nothing changed. HT_NOMEM: to
 * be tried again. */
HT_MUST_CHECK enum ht_status ht_traffic_shut(struct ht_traffic *traffic, const struct ht_cut *cuts,
                                             size_t count);

/* Arcs cost from the next ht_traffic_apply on what these say (weight and duration, below
 * HT_WEIGHT_INF; [arc_count] of the base's graph, taken over in any case, to be freed with free),
 * where no change and no zone says otherwise. NULL: what the file says. `*changed` (may be NULL):
 * how many arcs cost something else than before. HT_NOMEM: to be tried again; nothing changed. */
HT_MUST_CHECK enum ht_status ht_traffic_learn(struct ht_traffic *traffic, struct ht_arc *arcs,
                                              size_t *changed);
/* Whether any are learned. */
bool ht_traffic_learned(const struct ht_traffic *traffic);
/* All arcs as they are learned, borrowed until the next ht_traffic_learn; NULL: none are. */
const struct ht_arc *ht_traffic_learned_arcs(const struct ht_traffic *traffic);

/* Takes changes, in order, and the turns closed by the clock (`turn_closed` as in struct
 * ht_overlay; NULL: none), and gives the road that obeys, with a reference for the caller. */
HT_MUST_CHECK enum ht_status ht_traffic_apply(struct ht_traffic *traffic,
                                              const struct ht_traffic_change *changes, size_t count,
                                              const uint8_t *turn_closed, struct ht_pool *pool,
                                              struct ht_live_road **out);

/* Arcs that are not as the file says. */
uint32_t ht_traffic_arc_count(const struct ht_traffic *traffic);

#endif
