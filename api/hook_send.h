/* Hook send: what all who post to webhooks do alike: headers with a signature and an id that stays
 * the same from try to try, and how long to wait after a failure.
 *
 *   X-Houtao-Signature: t=UNIX_S,v1=HEX   HMAC-SHA256 with the secret over "UNIX_S.BODY"
 *   X-Houtao-Event: KIND    Idempotency-Key: WEBHOOK-SEQ
 *
 * Threading: pure functions; sending as api/post.h. Ownership: everything is copied.
 */
#ifndef HT_API_HOOK_SEND_H
#define HT_API_HOOK_SEND_H

#include "api/post.h"
#include "api/reply.h"
#include "geodata/store.h"

/* The machine's time, by which tries wait; never back (api/clock.h). */
int64_t ht_hook_now_ms(void);

struct ht_hook_send {
    const struct ht_url *url;
    const char *secret;
    const char *webhook; /* its id */
    const char *kind;
    int64_t seq; /* of what is told */
    const struct ht_buffer *body;
    void (*done)(void *user, int status, const char *error); /* as ht_post_ask's */
    void *user;
};
HT_MUST_CHECK enum ht_status ht_hook_send(struct ht_poster *poster, const struct ht_hook_send *send,
                                          struct ht_post **out);

/* After that many failures, one after the other: 1, 2, 4, ... seconds, `most_ms` at most, shortened
 * by chance to half at least. */
int64_t ht_hook_delay_ms(int64_t tries, int64_t most_ms);

#endif
