/* Matrix: costs between many places.
 *
 * Few sources: the search space of each goes up the elimination tree once, then one sweep down the
 * union of the targets' ancestors (RPHAST's restriction, Delling, Goldberg, Werneck 2011, on the
 * elimination tree). Many: the search spaces of both sides are kept as dense rows by tree depth and
 * combined by min-plus over the shared ancestors with SIMD.
 *
 * Threading: `pool` may be NULL (one thread).
 */
#ifndef HT_ENGINE_ROAD_MATRIX_H
#define HT_ENGINE_ROAD_MATRIX_H

#include "engine/base/pool.h"
#include "engine/road/query.h"

struct ht_matrix;

HT_MUST_CHECK enum ht_status ht_matrix_new(struct ht_matrix **out);
void ht_matrix_free(struct ht_matrix *matrix);

/* From now on lengths are not asked for: those past 4,295 km may be wrong, and long ways (on foot,
 * 14 hours and more) cost no more than others, which each need a search of their own else. */
void ht_matrix_skip_lengths(struct ht_matrix *matrix, bool skip);

/* out[s * target_count + t]; weight_ms == HT_WEIGHT_INF where there is no way. HT_CANCELLED when
 * `*cancel` (may be NULL; set atomically, from any thread) became true. */
HT_MUST_CHECK enum ht_status ht_matrix_run(struct ht_matrix *matrix, const struct ht_road *road,
                                           struct ht_pool *pool, const struct ht_place *sources,
                                           size_t source_count, const struct ht_place *targets,
                                           size_t target_count, struct ht_cost *out,
                                           const bool *cancel);

#endif
