/* Forward: what a node that is not the desk hands on to the one that is.
 *
 *   client --- POST ---> follower --- the same request, the same token ---> desk
 *          <-- answer --          <-- answer, as it is --------------------
 *
 * Commands go to the desk, and so do questions whose answer it alone has, or may give: what is
 * personal leaves a row in its table first. Where there is no desk, commands are answered with 503
 * and Retry-After, questions by the follower itself, with what is personal left out.
 *
 * After a command went well the answer waits a moment until this node has heard of it, so that who
 * asks here next finds what they wrote.
 *
 * A desk that dies while it is asked may have committed or not: 503, as for who asked it directly;
 * an Idempotency-Key makes trying again safe. One that can't be reached has done nothing: 503,
 * which says so, and a line in the log for all that are refused until it is reached again.
 *
 * Threading: start on loops; threads of its own speak to the desk. Ownership: the app is borrowed.
 */
#ifndef HT_API_FORWARD_H
#define HT_API_FORWARD_H

#include "api/app.h"

struct ht_forwarder;
struct ht_route;

HT_MUST_CHECK enum ht_status ht_forwarder_new(struct ht_app *app, struct ht_forwarder **out);
/* What is under way is given up. After the server's loops have ended, before it is freed. */
void ht_forwarder_free(struct ht_forwarder *forwarder);

/* Whether this call is the desk's, and was handed on or answered. The caller may make it. */
bool ht_forward(struct ht_app_context *context, const struct ht_route *route,
                struct ht_http_call *call);

struct ht_forward_stats {
    size_t answered;
    size_t refused; /* there was no desk, or it did not answer */
};
struct ht_forward_stats ht_forward_stats(const struct ht_forwarder *forwarder);

#endif
