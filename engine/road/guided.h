/* Guided: the cheapest way over a graph of which arcs or turns were closed after its metric was
 * made, by a search towards the target.
 *
 * A* on the arcs themselves. The estimate of an arc is its exact cost to the target in the metric,
 * which knows nothing of what was closed: closing only makes ways dearer, so it is a lower bound,
 * and where the way is as it was the search goes straight along it. Estimates are found when they
 * are first asked for, from those of the ancestors in the elimination tree (CCH potentials:
 * Strasser and Zeitz, "A Fast and Tight Heuristic for A* in Road Networks", SEA 2021):
 *
 *     estimate(v) = min(to the target by falling edges, over rising v -> w: cost + estimate(w))
 *
 * Keys are compared as everywhere: weight, ties by duration, then length. The search stops when
 * nothing that waits can be cheaper, or when it has looked at more arcs than it may.
 *
 * Threading: one workspace for each thread; graph and metric are read-only.
 */
#ifndef HT_ENGINE_ROAD_GUIDED_H
#define HT_ENGINE_ROAD_GUIDED_H

#include "engine/road/cch.h"
#include "engine/road/query.h"
#include "engine/road/search.h"

struct ht_guided;

HT_MUST_CHECK enum ht_status ht_guided_new(struct ht_guided **out);
void ht_guided_free(struct ht_guided *guided);

/* From seeds to seeds, as ht_search_run; the metric of the road may not say that anything is dearer
 * than in its graph. HT_NO_ROUTE; HT_TOO_BIG: more than `most` estimates were needed; HT_NOMEM. */
struct ht_guided_ask {
    const struct ht_road *road;
    const struct ht_seed *sources;
    uint32_t source_count;
    const struct ht_seed *targets;
    uint32_t target_count;
    uint32_t most;
};
HT_MUST_CHECK enum ht_status ht_guided_run(struct ht_guided *guided,
                                           const struct ht_guided_ask *ask, struct ht_key *total);
/* After a run: the vertices of the way, from a source's to a target's. */
HT_MUST_CHECK enum ht_status ht_guided_path(struct ht_guided *guided, const uint32_t **vertices,
                                            uint32_t *count);
/* How many estimates the last run needed. */
uint32_t ht_guided_looked(const struct ht_guided *guided);

#endif
