/* Dijkstra: the plain oracle. Arc based, turn by turn, no preprocessing; every fast answer is held
 * against it in tests and benches. E. W. Dijkstra 1959.
 *
 * Threading: one workspace for each thread.
 */
#ifndef HT_ENGINE_ROAD_DIJKSTRA_H
#define HT_ENGINE_ROAD_DIJKSTRA_H

#include "engine/road/query.h"

struct ht_dijkstra;

HT_MUST_CHECK enum ht_status ht_dijkstra_new(const struct ht_graph *graph,
                                             struct ht_dijkstra **out);
void ht_dijkstra_free(struct ht_dijkstra *dijkstra);

/* Costs from one place to many, as ht_query_cost gives them; HT_WEIGHT_INF where there is no way.
 * `arc_closed` (may be NULL): arcs that may not be entered, one byte each. */
HT_MUST_CHECK enum ht_status ht_dijkstra_run(struct ht_dijkstra *dijkstra,
                                             const struct ht_place *source,
                                             const struct ht_place *targets, size_t target_count,
                                             const uint8_t *arc_closed, struct ht_cost *out);

/* The arcs of the last run's way to target `index`, in order; writes at most `capacity`, returns
 * how many there are. */
size_t ht_dijkstra_path(const struct ht_dijkstra *dijkstra, size_t index, uint32_t *arcs,
                        size_t capacity);

#endif
