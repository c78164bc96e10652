/* Courier: brings events to webhooks.
 *
 * Each webhook has a cursor into the event table, kept in the store, so nothing is queued twice and
 * nothing is lost: an event that was accepted (2xx) moves it on, and one whose note of that did not
 * reach the disk is brought again (at least once; `seq` tells). One event is under way for each
 * webhook, in the order of their numbers; webhooks know nothing of each other, so a dead receiver
 * holds up nobody.
 *
 *   POST url   {"webhook","seq","topic","kind","subject","at","actor","data"}
 *   X-Houtao-Signature: t=UNIX_S,v1=HEX   HMAC-SHA256 with the secret over "UNIX_S.BODY"
 *   X-Houtao-Event: KIND    Idempotency-Key: WEBHOOK-SEQ
 *
 * After a failure the next try comes in 1, 2, 4, ... seconds, an hour at most, each shortened by
 * chance to half at least. When tries have failed for as long as the setting `webhooks.give_up_h`
 * says (by the town's clock), events that are as old as that are given up, and counted; younger
 * ones are tried on.
 *
 * Threading: a thread and a loop of its own; all calls from any thread. Ownership: what the options
 * point to is borrowed and outlives the courier.
 */
#ifndef HT_API_COURIER_H
#define HT_API_COURIER_H

#include "api/clock.h"
#include "api/commit.h"
#include "api/settings.h"
#include "geodata/store.h"

struct ht_courier;

struct ht_courier_options {
    struct ht_store *store;
    struct ht_commit *commit;
    struct ht_clock *clock;
    const struct ht_settings *settings;
};

HT_MUST_CHECK enum ht_status ht_courier_new(const struct ht_courier_options *options,
                                            struct ht_courier **out, struct ht_error *error);
/* Before the commit is freed; what is under way will be brought again. NULL is fine. */
void ht_courier_free(struct ht_courier *courier);

/* There are other webhooks than before. */
void ht_courier_changed(struct ht_courier *courier);

#endif
