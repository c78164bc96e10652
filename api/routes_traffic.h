/* Routes of live roads: POST /v1/traffic.
 *
 * Threading: a handler runs on its loop; what it starts, as command.h says.
 */
#ifndef HT_API_ROUTES_TRAFFIC_H
#define HT_API_ROUTES_TRAFFIC_H

#include "api/app.h"

void ht_traffic_post(struct ht_app_context *context, struct ht_http_call *call);

#endif
