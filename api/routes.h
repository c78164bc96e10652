/* Routes: which handler answers which path and method.
 *
 * Threading: the table is constant; a call runs with its thread's context.
 */
#ifndef HT_API_ROUTES_H
#define HT_API_ROUTES_H

#include "api/app.h"

typedef void ht_route_handler(struct ht_app_context *context, struct ht_http_call *call);

struct ht_route {
    const char *path;
    const char *allow; /* as the Allow header says it */
    enum ht_service service;
    bool cors; /* any page may read it */
    ht_route_handler *get;
    ht_route_handler *post;
};

/* The table of exact paths; OSRM's services are matched by shape and not in it. */
const struct ht_route *ht_routes(size_t *count);

/* Answers a call: OSRM's own paths by api/osrm.h, others by the table; 404, 405. */
void ht_routes_handle(struct ht_app_context *context, struct ht_http_call *call);

#endif
