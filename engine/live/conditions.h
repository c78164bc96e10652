/* Conditions: which turns are forbidden now (restriction:conditional), and the world that obeys.
 *
 * The metrics of a network file have all conditional turns open. Where some are closed at the
 * moment, a copy of the metric is brought up to date and bundled to a world of its own, which holds
 * on to the one it came from.
 *
 * Threading: one caller at a time. Ownership: conditions hold a reference to their base world. Time
 * is local, as in engine/base/schedule.h.
 */
#ifndef HT_ENGINE_LIVE_CONDITIONS_H
#define HT_ENGINE_LIVE_CONDITIONS_H

#include "engine/live/world.h"

struct ht_conditions;

/* Reads the schedules of all graphs of `base`. One that can't be read never holds; *unread (may be
 * NULL) counts them. */
HT_MUST_CHECK enum ht_status ht_conditions_new(struct ht_world *base, struct ht_conditions **out,
                                               uint32_t *unread);
void ht_conditions_free(struct ht_conditions *conditions);

/* The world as of `local_ms`, with a reference for the caller; NULL when it is the one given out
 * last. Linear in the sizes of the metrics that have a turn closed. */
HT_MUST_CHECK enum ht_status ht_conditions_world(struct ht_conditions *conditions, int64_t local_ms,
                                                 struct ht_world **out);

/* When the next turn opens or closes after `local_ms`; INT64_MAX: none ever does. */
int64_t ht_conditions_next_change(const struct ht_conditions *conditions, int64_t local_ms);

#endif
