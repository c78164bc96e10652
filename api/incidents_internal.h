/* What the questions about incidents share (incident_get.c, incident_history.c). */
#ifndef HT_API_INCIDENTS_INTERNAL_H
#define HT_API_INCIDENTS_INTERNAL_H

#include "api/app.h"
#include "engine/live/desk.h"

/* Whether there is a desk; else the answer is written. */
bool ht__incidents_stand(struct ht_app_context *context, struct ht_http_call *call);
/* The id in the path; false with the answer written. */
bool ht__incident_id(const struct ht_http_call *call, char id[HT_DESK_ID_MAX + 1]);

#endif
