#include "geodata/event_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char ht_event_first_hash[HT_DIGEST_TEXT] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static void add_text(struct ht_digest *digest, const char *text)
{
    char head[24];
    size_t size = strlen(text);
    int length = snprintf(head, sizeof head, "%zu:", size);
    ht_digest_add(digest, head, (size_t)length);
    ht_digest_add(digest, text, size);
}

static void add_number(struct ht_digest *digest, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    add_text(digest, text);
}

enum ht_status ht_event_hash(struct ht_digest *digest, const char *before,
                             const struct ht_store_event *event, char hash[HT_DIGEST_TEXT])
{
    ht_digest_begin(digest);
    ht_digest_add(digest, before, HT_DIGEST_TEXT - 1);
    add_number(digest, event->seq);
    add_text(digest, event->district);
    add_number(digest, event->epoch);
    add_number(digest, event->at_ms);
    add_text(digest, event->actor);
    add_text(digest, event->kind);
    add_text(digest, event->subject);
    add_text(digest, event->body);
    return ht_digest_end(digest, hash);
}

enum ht_status ht_event_audit_init(struct ht_event_audit *audit, const char *from)
{
    *audit = (struct ht_event_audit){.part = from != NULL};
    memcpy(audit->hash, from == NULL ? ht_event_first_hash : from, HT_DIGEST_TEXT);
    return ht_digest_init(&audit->digest);
}

void ht_event_audit_deinit(struct ht_event_audit *audit)
{
    ht_digest_deinit(&audit->digest);
}

enum ht_status ht_event_audit_take(struct ht_event_audit *audit, const struct ht_store_event *event,
                                   bool whole)
{
    char hash[HT_DIGEST_TEXT];
    bool first = audit->events == 0;
    if (first || strcmp(audit->district, event->district) != 0) {
        (void)snprintf(audit->district, sizeof audit->district, "%s", event->district);
        audit->seq = first && audit->part ? event->seq - 1 : 0;
        if (!first || !audit->part) {
            memcpy(audit->hash, ht_event_first_hash, HT_DIGEST_TEXT);
        }
    }
    enum ht_status status = ht_event_hash(&audit->digest, audit->hash, event, hash);
    if (status != HT_OK) {
        return status;
    }
    audit->events++;
    if (audit->broken_seq == 0 &&
        (!whole || event->seq != audit->seq + 1 || strcmp(hash, event->hash) != 0)) {
        audit->broken_seq = event->seq;
    }
    audit->seq = event->seq;
    memcpy(audit->hash, hash, sizeof hash);
    return HT_OK;
}
