/* Customize: from the costs of arcs and turns to those of all shortcuts.
 *
 * Whole: rows are pulled bottom-up along the elimination tree, each vertex by one thread, subtrees
 * in parallel (Dibbelt, Strasser, Wagner 2016). Partial: only edges that a change reaches, in the
 * order of their lower ends.
 *
 * Threading: a metric that queries read is never changed; callers update a copy and swap.
 * Ownership: results own their arrays. Errors: HT_NOMEM.
 */
#ifndef HT_ENGINE_ROAD_CUSTOMIZE_H
#define HT_ENGINE_ROAD_CUSTOMIZE_H

#include "engine/base/pool.h"
#include "engine/road/cch.h"

/* Costs that differ from the graph's own. Each may be NULL. */
struct ht_overlay {
    const uint8_t *arc_closed; /* [arc_count] not 0: may not be driven */
    const uint8_t
        *turn_closed; /* [turn_count] not 0: forbidden (conditional restrictions in force) */
    const uint32_t *arc_weight_ms; /* [arc_count] instead of the graph's, both or none */
    const uint32_t *arc_duration_ms;
};

struct ht_metric_owned;

HT_MUST_CHECK enum ht_status ht_customize(const struct ht_graph *graph, const struct ht_cch *cch,
                                          const struct ht_overlay *overlay, struct ht_pool *pool,
                                          struct ht_metric_owned **out);
void ht_metric_free(struct ht_metric_owned *metric);
const struct ht_metric *ht_metric_view(const struct ht_metric_owned *metric);

/* A private copy of a metric (of the mapped file, say), to be changed by ht_metric_update. */
HT_MUST_CHECK enum ht_status ht_metric_copy(const struct ht_cch *cch,
                                            const struct ht_metric *metric,
                                            struct ht_metric_owned **out);

/* Memory of partial updates, kept between calls; belongs to one hierarchy. */
struct ht_update_work;
HT_MUST_CHECK enum ht_status ht_update_work_new(const struct ht_cch *cch,
                                                struct ht_update_work **out);
void ht_update_work_free(struct ht_update_work *work);

/* Brings a metric up to date after the costs of `arcs` (their closing, weight, or a turn out of or
 * into them) changed; `overlay` holds the new state of all. `*touched` (may be NULL): edges
 * recomputed. */
HT_MUST_CHECK enum ht_status
ht_metric_update(const struct ht_graph *graph, const struct ht_cch *cch,
                 const struct ht_overlay *overlay, const uint32_t *arcs, size_t arc_count,
                 struct ht_update_work *work, struct ht_metric_owned *metric, size_t *touched);

#endif
