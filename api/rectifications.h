/* Rectifications: the calls that see a hazard through to its end.
 *
 *   GET    /v1/rectifications?overdue=&state=&site=&tenant=&inspector=&age=&limit=&before=
 *   GET    /v1/rectifications/{id}, /v1/rectifications/{id}/history
 *   GET    /v1/rectifications/{id}/notice?lang=zh|en      the notice, to be printed
 *   POST   /v1/rectifications/{id}/events {event: extend, due, reason, rank} | {event: close,
 * visit} DELETE /v1/rectifications/{id}/personal   what was written down of one that is closed GET
 * /v1/rectifications/sums    by cell and by community or village GET    /v1/rectifications/wanted
 * re-visits and second looks that a plan has yet to take POST   /v1/rectifications/checks {seed,
 * count, from?, to?}    draws closed ones for a second look
 *
 * `age`: days since it was opened, "7.." or "..30" or "7..30". What was written down of a hazard is
 * for dispatchers and admins, and each reading of it is noted.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_RECTIFICATIONS_H
#define HT_API_RECTIFICATIONS_H

#include "api/app.h"

void ht_rectifications_get_list(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_history_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_notice_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_event_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_erase(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_sums_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectifications_wanted_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_rectification_checks_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
