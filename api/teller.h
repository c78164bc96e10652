/* Teller: tells next of kin and duty phones of incidents, through the webhooks whose topics are
 * `kin` or `duty`: a gateway to telephones, say.
 *
 *   event --(same transaction)--> tell_wanted --> POST --2xx--> tell_done
 *                                      ^            \--------> tell_failed --(back-off)--> POST ...
 *                                      |                                 \--(too old)-->
 * tell_given_up
 *                                      +-- what is still to be told is a projection of these rows
 *                                          (api/telling.h): at start from the table, later from
 * what was committed, by the same function
 *
 *   POST url {"webhook","telling","attempt","to","event","at","incident","kind","severity","level",
 *              "household"?,"lon"?,"lat"?, kin: "name"?,"address"?,"contacts" / duty: "phones"}
 *   headers as api/hook_send.h: signed; X-Houtao-Event: telling; Idempotency-Key: WEBHOOK-TELLING
 *
 * Each telling is on its own: one that a receiver doesn't take holds up no other. Some are under
 * way to a webhook at once, so `telling` tells the order, not the time of arrival. After a failure
 * the next try comes in 1, 2, 4, ... seconds, five minutes at most, until the setting
 * `tell_give_up_s` has passed since the event (by the town's clock). A try whose outcome did not
 * reach the disk is made again with the same Idempotency-Key: at least once, told apart by it.
 *
 * Contacts are read from the registry right before each try, and go nowhere but to the receiver;
 * the row that wanted the telling was on the disk before, and is the trace of that reading.
 *
 * Threading: a thread and a loop of its own; all calls from any thread. Ownership: the app outlives
 * it.
 */
#ifndef HT_API_TELLER_H
#define HT_API_TELLER_H

#include "engine/base/status.h"

struct ht_app;
struct ht_teller;

/* The app has a desk, and a store that it writes. */
HT_MUST_CHECK enum ht_status ht_teller_new(struct ht_app *app, struct ht_teller **out,
                                           struct ht_error *error);
/* After the commit was stopped, before it is freed; what is under way will be told again. NULL is
 * fine. */
void ht_teller_free(struct ht_teller *teller);

/* There are other webhooks than before, or it is another time. */
void ht_teller_changed(struct ht_teller *teller);

#endif
