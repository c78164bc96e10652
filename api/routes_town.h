/* The calls of the running town: its clock, its map.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_ROUTES_TOWN_H
#define HT_API_ROUTES_TOWN_H

#include "api/app.h"

/* GET /v1/clock: {"now","virtual","speed"}. POST {"advance_s"}: 409 unless the clock is virtual. */
void ht_clock_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_clock_post(struct ht_app_context *context, struct ht_http_call *call);

/* POST /v1/network {"file"}: opens, checks and publishes another map; 422 with the reason when it
 * is none, and the old one stays. */
void ht_network_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
