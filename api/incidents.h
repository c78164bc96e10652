/* Incidents: the calls of the emergency desk.
 *
 *   POST /v1/incidents {household | lon,lat | device, kind, severity?, needs?, note?}
 *   GET  /v1/incidents?state=&kind=&severity=&unit=&household=&since=&limit=&before=
 *   GET  /v1/incidents/{id}, /v1/incidents/{id}/history, /v1/incidents/report
 *   POST /v1/incidents/{id}/events {event, unit?, instead_of?, outcome?, rating?, note?}
 *
 * Who may what: dispatchers and admins all; a home's token opens for its own household and rates
 * the help that it got; a unit's opens where the unit is, or at a place it names, and answers for
 * the unit. Viewers read.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_INCIDENTS_H
#define HT_API_INCIDENTS_H

#include "api/app.h"

void ht_incidents_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_incident_event_post(struct ht_app_context *context, struct ht_http_call *call);
/* Erases note and place of an incident that is over. */
void ht_incident_erase(struct ht_app_context *context, struct ht_http_call *call);

void ht_incidents_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_incident_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_incident_history(struct ht_app_context *context, struct ht_http_call *call);
void ht_incidents_report(struct ht_app_context *context, struct ht_http_call *call);

#endif
