/* Around: the cheapest way that keeps off turns which are closed though the metric has them open.
 *
 * Closing turns makes no way cheaper, so what the metric says is left from a vertex to the targets
 * is a lower bound that fits from edge to edge, and nearly the truth. A* (Hart, Nilsson, Raphael
 * 1968) over the turns of the graph with these bounds looks at little more than the way itself and
 * the surroundings of what is closed; the bounds are pulled from the hierarchy as they are needed
 * (CCH potentials: Strasser, Zeitz 2021):
 *
 *     root   .        left[v] = min over edges v -> w above v of edge + left[w],
 *           / \                 or what the search up from the targets found at v
 *          v   targets
 *
 * For the time until a metric that obeys is made: a way takes tens of microseconds to some
 * milliseconds, and as long as Dijkstra where what is closed leaves no way at all.
 *
 * Threading: one workspace for each thread. Errors: HT_NOMEM, HT_NO_ROUTE.
 */
#ifndef HT_ENGINE_ROAD_AROUND_H
#define HT_ENGINE_ROAD_AROUND_H

#include "engine/road/query.h"
#include "engine/road/search.h"

struct ht_around;

HT_MUST_CHECK enum ht_status ht_around_new(struct ht_around **out);
void ht_around_free(struct ht_around *around); /* NULL is fine */

/* Whether a way over these vertices (ranks) takes a turn that is closed. */
bool ht_around_needed(const struct ht_road *road, const uint32_t *vertices, uint32_t count);

struct ht_around_ask {
    const struct ht_road *road; /* whose graph says which turns are closed */
    const struct ht_seed *sources;
    uint32_t source_count;
    const struct ht_seed *targets;
    uint32_t target_count;
};

/* The cheapest source key + path + target key, and the vertices from a source seed to a target
 * seed; `*path` lives until the workspace's next call. */
HT_MUST_CHECK enum ht_status ht_around_run(struct ht_around *around,
                                           const struct ht_around_ask *ask, struct ht_key *total,
                                           const uint32_t **path, uint32_t *count);

#endif
