/* Learning: how fast the streets really are, from where vans are, and the metric that follows.
 *
 *   positions -> a ring -> the matcher (engine/live/learn.h) -> the table (engine/live/speeds.h)
 *                                                                 |-> every quarter of an hour the
 *                                                                 |   metric, where it is to follow
 *                                                                 |-> the store, what has changed
 *
 * The settings document `speeds` rules it: `learn` (false at first), `follow` (false),
 * `least_trips` (5): from so many different trips a street counts. Units of kind `van` whose
 * profile drives teach their own profile's streets. What follows is one layer of the map, under
 * what traffic says and zones shut; where it is not to follow any more, all is as before, exactly.
 * A departure that is asked for (api/later.h) has the speeds of its quarter, whether the metric
 * follows or not; in the quarter that it follows those of the metric. Holidays are learned and
 * asked for as Sundays, days that are worked in exchange as the weekday they stand for
 * (api/calendar.h).
 *
 * Nothing of a trace is kept but what the matcher needs at the moment, and nothing of a van: the
 * table and the store hold means over trips.
 *
 * Threading: one thread of its own does all that takes long, as a low-priority one; offer, changed
 * and status from any thread, they wait for nothing long. Ownership: borrows the app.
 */
#ifndef HT_API_LEARNING_H
#define HT_API_LEARNING_H

#include "api/app.h"
#include "api/live.h"
#include "engine/live/learn.h"

struct ht_learning;

/* Reads the table from the store, where there is one, and begins; after live town and settings. */
HT_MUST_CHECK enum ht_status ht_learning_new(struct ht_app *app, struct ht_learning **out,
                                             struct ht_error *error);
/* Learns what was offered, hands what has changed to the writer, and ends the thread. */
void ht_learning_stop(struct ht_learning *learning); /* NULL is fine, here and below */
/* After the writer has stopped. */
void ht_learning_free(struct ht_learning *learning);

/* A position that was taken. */
void ht_learning_offer(struct ht_learning *learning, struct ht_live_unit unit,
                       const struct ht_report *report);
/* Clock, map or settings are others: what follows does so at once, not within a second. */
void ht_learning_changed(struct ht_learning *learning);

/* What is known of a quarter (ht_speeds_quarter): for ht_map_then. */
struct ht_learning_then {
    struct ht_learning *learning; /* NULL: nothing is known */
    uint32_t quarter;
};
bool ht_learning_fill(void *then, const struct ht_road *filed, struct ht_arc *arcs);
/* Whether the metric follows what was known of this quarter when it began. */
bool ht_learning_follows(struct ht_learning *learning, uint32_t quarter);
/* Another number than before: what is known is another by more than a few drives. */
uint64_t ht_learning_version(const struct ht_learning *learning);

/* Adds a table to what is known, as another server has learned it. */
HT_MUST_CHECK enum ht_status ht_learning_merge(struct ht_learning *learning,
                                               const struct ht_speeds *speeds);

void ht_learning_metrics(struct ht_learning *learning, struct ht_buffer *out);
/* GET /v1/speeds. */
void ht_speeds_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
