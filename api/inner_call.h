/* Inner call: a command of the HTTP API that comes by another door, in this process: a device's
 * alarm, a silence. It does what the same POST would do, as the same caller, with the same checks,
 * the same Idempotency-Key and in the same transaction; there is no second way to open an incident.
 *
 * Threading: from a thread with a context of its own; `prepare` runs there. Ownership: everything
 * is copied.
 */
#ifndef HT_API_INNER_CALL_H
#define HT_API_INNER_CALL_H

#include "api/app.h"

struct ht_inner_ask {
    void (*handler)(struct ht_app_context *context, struct ht_http_call *call);
    const char *target; /* "/v1/incidents" */
    const char *key;    /* Idempotency-Key; NULL or "": none */
    const char *body;   /* JSON */
    struct ht_caller caller;
};

/* `reply`: what HTTP would have answered; borrowed for the call, which may not block. */
typedef void ht_inner_done(void *user, const struct ht_reply *reply);

/* POSTs. `done` is called once: here, where the answer stands without the writer, else on the
 * writer's thread after the commit (or after it failed: 503). */
void ht_inner_call(struct ht_app_context *context, const struct ht_inner_ask *ask,
                   ht_inner_done *done, void *user);

#endif
