/* Sweep: costs from one place to many, or from many to one.
 *
 * The label of the one gives the cheapest cost to each of its ancestors. From there the costs go
 * down: a vertex' cost is the least of its label's and of those of its upper neighbours plus the
 * edge down. Only vertices above some target are looked at (RPHAST: Delling, Goldberg, Werneck
 * 2011), in depth-first order, so that the costs of the current way from the root lie in one array
 * by depth:
 *
 *     root  D[0]
 *       |   D[1]        next target: keep D up to the lowest common vertex,
 *      / \  ...         fill in what hangs below it
 *     t1  t2
 *
 * Threading: one ht_sweep for each thread; a plan is read-only once made and may be shared.
 */
#ifndef HT_ENGINE_ROAD_SWEEP_H
#define HT_ENGINE_ROAD_SWEEP_H

#include "engine/road/label.h"

struct ht_sweep_plan; /* the many: their seeds in depth-first order */
struct ht_sweep;

/* `targets`: the many are targets of ways from the one; else sources of ways to it. */
HT_MUST_CHECK enum ht_status ht_sweep_plan_new(const struct ht_road *road,
                                               const struct ht_place *places, size_t count,
                                               bool targets, struct ht_sweep_plan **out);
void ht_sweep_plan_free(struct ht_sweep_plan *plan);

HT_MUST_CHECK enum ht_status ht_sweep_new(struct ht_sweep **out);
void ht_sweep_free(struct ht_sweep *sweep);

/* out[i * stride]: cost between `one` and place i; weight HT_WEIGHT_INF where there is no way. */
HT_MUST_CHECK enum ht_status ht_sweep_run(struct ht_sweep *sweep, const struct ht_road *road,
                                          const struct ht_sweep_plan *plan,
                                          const struct ht_label *one, struct ht_cost *out,
                                          size_t stride);

#endif
