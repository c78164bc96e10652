/* Visits: the calls of those who look after sites.
 *
 *   GET    /v1/visits?state=&round=&site=&tenant=&inspector=&rectification=&from=&to=&limit=
 *          &before=
 *   POST   /v1/visits {site, id?, tenant?, inspector?, start?, end?, purpose?, rectification?}
 *   GET    /v1/visits/{id}, /v1/visits/{id}/history
 *   POST   /v1/visits/{id}/events {event: promise | cancel}
 *   POST   /v1/visits/{id}/result {outcome, at, until?, lon?, lat?, reason?, hazards?, photos?,
 *                                  signature?, inspector?}
 *   DELETE /v1/visits/{id}/personal   what was written down of one that is over
 *
 * A visit with a tenant sees that one alone: hazards that name none are that tenant's, and it
 * closes no other's notices.
 *
 * A check-in lies within the site's border or near it, or says why not. What was written down
 * (hazards, reasons, photos, signatures, the place of the check-in) is for dispatchers and admins,
 * and each reading of it is noted.
 *
 * Who may what: dispatchers and admins all; a unit's token sees the visits that are its own, opens
 * unplanned ones for itself, and reports its own. Viewers read.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_VISITS_H
#define HT_API_VISITS_H

#include "api/app.h"

void ht_visits_get_list(struct ht_app_context *context, struct ht_http_call *call);
void ht_visits_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_visit_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_visit_history_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_visit_event_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_visit_result_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_visit_erase(struct ht_app_context *context, struct ht_http_call *call);

#endif
