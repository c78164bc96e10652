/* Customize: from the costs of arcs and turns to those of all shortcuts.
 *
 * Whole: rows are pulled bottom-up along the elimination tree, each vertex by one thread, subtrees
 * in parallel (Dibbelt, Strasser, Wagner 2016). Partial: only edges that a change reaches, in the
 * order of their lower ends. Perfect (the same paper): a whole metric is trimmed of edges that no
 * cheapest way needs; queries are faster for it, but it can't be updated any more.
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
/* Another one that says the same, of a whole (not trimmed) metric: a tenth of what making it costs.
 */
HT_MUST_CHECK enum ht_status ht_metric_copy(const struct ht_cch *cch,
                                            const struct ht_metric_owned *metric,
                                            struct ht_metric_owned **out);
void ht_metric_free(struct ht_metric_owned *metric);
const struct ht_metric *ht_metric_view(const struct ht_metric_owned *metric);

/* Leaves out every edge that is closed or dearer than some other way between its ends. Queries,
 * tables and ways say the same after it, and no update may follow. On the sample city 3 % of all
 * edges, but of the longest rows: a search of `car` looks at 27 % fewer. `pool` may be NULL. After
 * HT_NOMEM the metric is good for nothing but ht_metric_free. */
HT_MUST_CHECK enum ht_status ht_metric_trim(const struct ht_cch *cch, struct ht_pool *pool,
                                            struct ht_metric_owned *metric);

/* Memory of partial updates, kept between calls; belongs to one hierarchy. */
struct ht_update_work;
HT_MUST_CHECK enum ht_status ht_update_work_new(const struct ht_cch *cch,
                                                struct ht_update_work **out);
void ht_update_work_free(struct ht_update_work *work);

/* From now on the work keeps what edges were before updates changed them, until they are taken
 * back: a change that only lasts for a question costs nothing to undo. */
void ht_update_log_begin(struct ht_update_work *work);
/* Puts back all edges that were changed since, in `metric`, and keeps no more. */
void ht_update_log_undo(struct ht_update_work *work, struct ht_metric_owned *metric);

/* Brings a whole (not trimmed) metric up to date after the costs of `arcs` (their closing, weight,
 * or a turn out of or into them) changed; `overlay` holds the new state of all. `*touched` (may be
 * NULL): edges recomputed. */
HT_MUST_CHECK enum ht_status
ht_metric_update(const struct ht_graph *graph, const struct ht_cch *cch,
                 const struct ht_overlay *overlay, const uint32_t *arcs, size_t arc_count,
                 struct ht_update_work *work, struct ht_metric_owned *metric, size_t *touched);

#endif
