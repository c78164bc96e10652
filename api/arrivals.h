/* Arrivals: what engine/live/arrival.h has learned of this town, kept over restarts, and the bands
 * of whole routes that follow from it.
 *
 *   route (stops ahead, ways between) --> ht_arrivals_bands --> eta, eta_low, eta_high of each
 *   stops that were served, ways that were driven, orders that came --> learned --> the store
 *
 * Where a van has to wait (a window that is not open yet, a meal that is not ready), the forecast
 * begins anew there: what was late before is made good by the waiting.
 *
 * What is learned goes to the store once a minute where it changed, and at the end. It holds means
 * of compounds, no order and no person.
 *
 * Threading: any thread; a lock inside, never held for long. Ownership: the app outlives it.
 */
#ifndef HT_API_ARRIVALS_H
#define HT_API_ARRIVALS_H

#include "api/app.h"
#include "engine/live/arrival.h"

struct ht_arrivals;

/* Reads what was learned before, where there is anything. HT_NOMEM; what the store says. */
HT_MUST_CHECK enum ht_status ht_arrivals_new(struct ht_app *app, struct ht_arrivals **out,
                                             struct ht_error *error);
/* After the writer has stopped. NULL is fine. */
void ht_arrivals_free(struct ht_arrivals *arrivals);
/* Hands what was learned to the writer, if a minute has passed since the last time, or `now`. By
 * one thread. */
void ht_arrivals_save(struct ht_arrivals *arrivals, bool now);

/* A stop on a route, for one order or one load: those at one building follow each other. */
struct ht_arrivals_visit {
    uint64_t compound;
    uint32_t travel_ms;    /* from the one before, the first from where the van is; 0: none */
    uint32_t service_ms;   /* what is left of it, parking and the way to the door and back included
                            */
    uint32_t lead_ms;      /* of that what passes before the hand-over */
    int64_t not_before_ms; /* nothing begins before; 0: any time */
};
/* Bands of the hand-overs of bands[0..count); none is forecast before the one that it follows.
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_arrivals_bands(struct ht_arrivals *arrivals, int64_t now_ms,
                                               const struct ht_arrivals_visit *visits, size_t count,
                                               struct ht_arrival_band *bands);

/* As the engine's; what is no time teaches nothing. */
void ht_arrivals_served(struct ht_arrivals *arrivals, uint64_t compound, int64_t planned_ms,
                        int64_t took_ms);
void ht_arrivals_drove(struct ht_arrivals *arrivals, int64_t planned_ms, int64_t took_ms);
void ht_arrivals_came(struct ht_arrivals *arrivals, const struct ht_arrival_band *band,
                      int64_t came_ms);

/* What a compound is known by: the cell of that kind over the door; without one the cell that the
 * household lies in, or its square of some 250 m; a kitchen is one by itself. */
uint64_t ht_arrivals_cell(const char *cell);
uint64_t ht_arrivals_square(struct ht_point point);
uint64_t ht_arrivals_kitchen(const char *kitchen);

void ht_arrivals_metrics(struct ht_arrivals *arrivals, struct ht_buffer *out);

#endif
