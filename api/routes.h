/* Routes: which handler answers which path and method.
 *
 * Threading: the table is constant; a call runs with its thread's context.
 */
#ifndef HT_API_ROUTES_H
#define HT_API_ROUTES_H

#include "api/app.h"

typedef void ht_route_handler(struct ht_app_context *context, struct ht_http_call *call);

/* Whose answer it is where this node is not the desk (api/forward.h). */
enum ht_route_desk {
    HT_DESK_USUAL,    /* the desk's: what changes something, and what officers read of items and of
                         the office */
    HT_DESK_OFFICERS, /* the desk's for officers */
    HT_DESK_FIRST,    /* the desk's for everybody */
    HT_DESK_WRITES,   /* the same, and nobody's without it: it changes something, also by GET */
    HT_DESK_NEVER     /* each node's own */
};

struct ht_route {
    const char *path;  /* a name in braces stands for one part, see ht_http_call's params */
    const char *allow; /* as the Allow header says it */
    enum ht_service service;
    bool cors;          /* any page may read it */
    enum ht_role read;  /* the least that GET and HEAD need; HT_ROLE_NONE: anybody */
    enum ht_role write; /* and the others */
    ht_route_handler *get;
    ht_route_handler *post;
    ht_route_handler *put;
    ht_route_handler *patch;
    ht_route_handler *del;
    enum ht_route_desk desk;
};

/* The table; OSRM's services are matched by shape and not in it. */
const struct ht_route *ht_routes(size_t *count);

/* Answers a call: OSRM's own paths by api/osrm.h, others by the table; 401, 403, 404, 405. Where
 * the server has tokens, a call needs one of the role that its route asks for; without, all callers
 * are `local`, with every right, since only loopback is listened to. */
void ht_routes_handle(struct ht_app_context *context, struct ht_http_call *call);

#endif
