/* Underway: the vans of the running plan as they drive: where each is along its stops, and when it
 * comes to those ahead.
 *
 *   positions -> a ring --\
 *   the plan, the orders --+--> engine/live/progress.h --> arrived, left, skipped, off its way
 *   the driver's word ----/             |                        |--> events, stream, webhooks
 *                                       v                        \--> what is learned (arrivals.h)
 *   way to the next stop over the streets of now --> bands --> eta of each order ahead
 *
 * An order's times that shift by the setting `step_s` (ht_order_shifts) are an event
 * (`order.planned`); what shifts by less is told to who asks (ht_orders_tell). Events of stops have
 * the subject `units/{id}` and the kinds
 *
 *   stop.arrived, stop.left, stop.skipped   {"unit", "kind": "order", "orders": [...]} or
 *                                           {"unit", "kind": "load", "kitchen"}, with "at" and "by"
 *   stop.off_route, stop.on_route           {"unit", "at"}
 *
 * and are of the topic `orders`. Where a van is along its stops is held in memory; after a restart
 * it is what the events of the last twelve hours say (the stop at which it stood then teaches no
 * service time). What was learned is not lost.
 *
 * A van whose permits open zones is not judged by its way.
 *
 * Threading: a thread of its own of low priority; calls from any thread. Ownership: the app
 * outlives it.
 */
#ifndef HT_API_UNDERWAY_H
#define HT_API_UNDERWAY_H

#include "api/app.h"
#include "api/json.h"
#include "api/live.h"
#include "engine/live/progress.h"

struct ht_underway;

/* After orders, live town and arrivals are there, before the planner is. HT_NOMEM, or what the
 * store says. */
HT_MUST_CHECK enum ht_status ht_underway_new(struct ht_app *app, struct ht_underway **out);
/* Begins to follow the planner's plan. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_underway_start(struct ht_underway *underway);
/* Ends the thread, before planner and writer end; freed when both have. Both take NULL. */
void ht_underway_stop(struct ht_underway *underway);
void ht_underway_free(struct ht_underway *underway);

/* Follows now what came so far, and returns when that is told; for who moved the clock. In lockstep
 * (POST /v1/clock) nothing is followed but then. NULL is fine. */
void ht_underway_obey(struct ht_underway *underway);

/* A position that was taken. NULL is fine, here and below. */
void ht_underway_offer(struct ht_underway *underway, struct ht_live_unit unit,
                       const struct ht_report *report);

/* Where a unit is along its stops; false: it is not under way. */
bool ht_underway_progress(struct ht_underway *underway, const char *unit, struct ht_progress *out);
/* How long it takes to the first stop ahead from here, as the streets are; UINT32_MAX: not known.
 */
uint32_t ht_underway_first_ms(struct ht_underway *underway, const char *unit);
/* Writes "at" and "off_route", where there is anything to say. */
void ht_underway_write(struct ht_json *json, const struct ht_progress *progress);

struct ht_underway_stats {
    uint64_t positions;
    uint64_t dropped; /* too many waited */
    uint64_t arrivals;
    uint64_t skipped;
    uint64_t strayed; /* off their way */
    uint64_t shifts;  /* arrivals that were told to everybody */
};
void ht_underway_stats_read(struct ht_underway *underway, struct ht_underway_stats *out);

/* POST /v1/units/{id}/events {event: arrive | depart | skip, order? | kitchen?, at?}: the driver
 * says where he is along his stops. arrive and skip are about the first stop ahead where no other
 * is named; 409 where there is none, or he is at none. A unit's token speaks for itself alone. */
void ht_unit_event_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
