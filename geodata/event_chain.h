/* Event chain: the hash that each row of the event table carries, and the audit of rows in order.
 *
 *   the hash of the event before it in its district (64 zeros for the first), then for each of
 *   seq, district, epoch, at_ms, actor, kind, subject, body, as UTF-8: its length, ":", itself
 *
 * SHA-256 over that, as 64 hex digits, so that anyone can reckon it again from a plain dump.
 *
 * A chain tells of every row that was changed, dropped from its middle or beginning, swapped or put
 * in. That its end was cut off nothing tells but the last hash, known from elsewhere.
 *
 * Threading: one thread for each struct. Errors: HT_NOMEM.
 */
#ifndef HT_GEODATA_EVENT_CHAIN_H
#define HT_GEODATA_EVENT_CHAIN_H

#include "geodata/digest.h"
#include "geodata/store.h"

/* What comes before the first. */
extern const char ht_event_first_hash[HT_DIGEST_TEXT];

/* The hash of an event behind `before`. */
HT_MUST_CHECK enum ht_status ht_event_hash(struct ht_digest *digest, const char *before,
                                           const struct ht_store_event *event,
                                           char hash[HT_DIGEST_TEXT]);

/* An audit under way, of rows by district and number. */
struct ht_event_audit {
    struct ht_digest digest;
    char district[256];
    int64_t seq;
    char hash[HT_DIGEST_TEXT];
    bool part; /* the first row may have any number: `hash` is the one before it */
    uint64_t events;
    int64_t broken_seq; /* the first row that is not as it was written; 0: none so far */
};

/* `from`: the hash before the first row (NULL: it is the first of all). */
HT_MUST_CHECK enum ht_status ht_event_audit_init(struct ht_event_audit *audit, const char *from);
void ht_event_audit_deinit(struct ht_event_audit *audit);
/* `whole`: no text of it hides anything. */
HT_MUST_CHECK enum ht_status ht_event_audit_take(struct ht_event_audit *audit,
                                                 const struct ht_store_event *event, bool whole);

#endif
