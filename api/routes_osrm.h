/* The OSRM services as the server calls them: on the loop, or in the job pool when it may take
 * long.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_ROUTES_OSRM_H
#define HT_API_ROUTES_OSRM_H

#include "api/app.h"

/* What a path of OSRM's shape is counted as. */
enum ht_service ht_osrm_service(const char *path, size_t size);

/* Answers GET, HEAD and POST. */
void ht_osrm_call(struct ht_app_context *context, struct ht_http_call *call);

#endif
