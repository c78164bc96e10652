/* Rounds: inspections that plan themselves.
 *
 *   POST /v1/rounds               plans one (api/rounds_read.h) --> visits, what is missing and why
 *   GET  /v1/rounds               which there are, the newest first
 *   GET  /v1/rounds/{id}          one, its visits as they stand; ?inspector=, ?day= for a day's
 * list DELETE /v1/rounds/{id}        withdraws it: what is ahead is cancelled, what was stays
 *   POST /v1/rounds/{id}/replan   from now (or `from`) on, with what is new of inspectors GET
 * /v1/rounds/{id}/report   what became of it (api/rounds_report.h) GET  /v1/inspectors/{id}.ics  an
 * inspector's visits for a phone (api/rounds_ics.c)
 *
 * A worker reads the town and lets a thread of low priority plan; the writer puts the plan into the
 * ledger of visits (api/visits_room.h) and the store in one transaction. What went on meanwhile is
 * stronger than the plan, and a second re-plan at the same time is 409.
 *
 * Rounds of households tell who is frail: they are for dispatchers, each read of one leaves an
 * audit row, and a device sees its own unit's visits.
 *
 * Threading: with the thread's own context; all work is a job's.
 */
#ifndef HT_API_ROUNDS_H
#define HT_API_ROUNDS_H

#include "api/app.h"

void ht_rounds_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rounds_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_round_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_round_delete(struct ht_app_context *context, struct ht_http_call *call);
void ht_round_replan(struct ht_app_context *context, struct ht_http_call *call);
void ht_round_report(struct ht_app_context *context, struct ht_http_call *call);
void ht_inspector_ics(struct ht_app_context *context, struct ht_http_call *call);

#endif
