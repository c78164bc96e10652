/* What the calls of incidents share among each other and with those of orders. */
#ifndef HT_API_INCIDENTS_INTERNAL_H
#define HT_API_INCIDENTS_INTERNAL_H

#include "api/app.h"
#include "api/home.h"
#include "api/params.h"
#include "engine/live/desk.h"

/* Whether there is a desk; else the answer is written. */
bool ht__incidents_stand(struct ht_app_context *context, struct ht_http_call *call);
/* The id in the path; false with the answer written. */
bool ht__incident_id(const struct ht_http_call *call, char id[HT_DESK_ID_MAX + 1]);

/* Answers with what went wrong; a message that begins with a JSON pointer says where as well. */
void ht__incident_refuse(struct ht_reply *reply, const struct ht_error *error);

/* The system of places in question and answer, and one place that is known in it: the first
 * projection of a thread takes a tenth of a second, which the writer's has not got. */
struct ht__systems {
    struct ht_crs in;
    struct ht_crs out;
    struct ht_point point;
    char written[96]; /* as GeoJSON has it; "": none */
};
/* Reads crs and out_crs; false with the answer written. */
bool ht__systems_read(struct ht_app_context *context, const struct ht_params *params,
                      struct ht__systems *out, struct ht_reply *reply);
/* Works a place out in PROJ's systems, before the writer's turn. */
void ht__systems_know(struct ht_app_context *context, struct ht__systems *systems,
                      struct ht_point point);

/* What the way from the street to the door of a home takes. On a thread that may wait. */
uint32_t ht__incident_access_ms(struct ht_app_context *context, enum ht_incident_kind kind,
                                const struct ht_home *home);

#endif
