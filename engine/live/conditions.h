/* Conditions: which turns of a road are forbidden now (restriction:conditional), and the metric
 * that obeys.
 *
 * The metric of a network file has all conditional turns open. Where some are closed at the moment,
 * one of its own is made; these are counted by reference, since worlds that readers still use go on
 * holding them.
 *
 * Threading: ht_conditions_* by one thread at a time unless said. Ownership: the
 * base road and the calendar are borrowed and outlive everything made of them. Time is local, as in
 * engine/base/schedule.h.
 */
#ifndef HT_ENGINE_LIVE_CONDITIONS_H
#define HT_ENGINE_LIVE_CONDITIONS_H

#include "engine/live/live_road.h"

struct ht_calendar;
struct ht_conditions;

/* Reads the schedules of the road's graph. One that can't be read never holds; *unread (may be
 * NULL) counts them. `calendar` says which days PH and SH are; NULL: none. What it says may change:
 * the next call obeys. */
HT_MUST_CHECK enum ht_status ht_conditions_new(const struct ht_road *base,
                                               const struct ht_calendar *calendar,
                                               struct ht_conditions **out, uint32_t *unread);
void ht_conditions_free(struct ht_conditions *conditions);

/* The road as of `local_ms`, with a reference for the caller: the same as the last time where no
 * turn opened or closed since. Else a whole customization (on the sample city some two seconds of
 * CPU), by the threads of `pool` (NULL: the calling one alone); it reads the sections that
 * ht_hnet_check_rest checks. */
HT_MUST_CHECK enum ht_status ht_conditions_live(struct ht_conditions *conditions, int64_t local_ms,
                                                struct ht_pool *pool, struct ht_live_road **out);

/* Whether any turn is closed at `local_ms`. */
bool ht_conditions_any(const struct ht_conditions *conditions, int64_t local_ms);

/* The road as of `local_ms` without a metric of its own, at once: the base's arcs with the turns
 * that are closed, of which the metric knows nothing (struct ht_live_arcs, metric_behind). It is
 * for ht_query_cost and ht_query_path alone. */
struct ht_road_behind {
    struct ht_road road;
    struct ht_graph graph;
    struct ht_live_arcs live;
    uint8_t *turn_closed;   /* NULL: none is, the road is the base */
    uint64_t *closed_above; /* as in struct ht_live_arcs */
};

/* In place: the struct is not to be moved afterwards. By any thread, also beside all others. */
HT_MUST_CHECK enum ht_status ht_conditions_behind(const struct ht_conditions *conditions,
                                                  int64_t local_ms, struct ht_road_behind *out);
void ht_road_behind_deinit(struct ht_road_behind *behind);

/* When the next turn opens or closes after `local_ms`; INT64_MAX: none ever does. */
int64_t ht_conditions_next_change(const struct ht_conditions *conditions, int64_t local_ms);

/* Marks the turns of the graph that are closed at `local_ms` in `closed` [turn_count], and unmarks
 * all others that have a condition. */
void ht_conditions_turns(struct ht_conditions *conditions, int64_t local_ms, uint8_t *closed);

#endif
