/* Event export: the event table as a text that can be taken elsewhere and audited there.
 *
 *   CSV    seq,district,epoch,at_ms,actor,kind,subject,body,hash    RFC 4180, with this header
 *   JSON   {"from": HASH, "events": [{"seq": 1, ...}, ...], "count": N, "last_hash": HASH}
 *
 * `body` is the text of the row, byte for byte, as a text also in JSON: the hash is over it. `from`
 * is the hash before the first row; rows may be a part of the table. JSON ends with the count and
 * the last hash, so that a cut tail shows; of a CSV the last hash has to be known from elsewhere.
 *
 * Threading: one thread for each struct. Errors: HT_SYNTAX with the line (CSV) or what is wrong,
 * HT_NOMEM.
 */
#ifndef HT_GEODATA_EVENT_EXPORT_H
#define HT_GEODATA_EVENT_EXPORT_H

#include "engine/base/text.h"
#include "geodata/event_chain.h"

enum ht_event_format { HT_EVENT_CSV, HT_EVENT_JSON };

/* ---- writing: begin, each row, end ---- */

struct ht_event_writer {
    enum ht_event_format format;
    uint64_t count;
    char last_hash[HT_DIGEST_TEXT];
};

/* `from`: the hash before the first row (NULL: it is the first of all). */
void ht_event_write_begin(struct ht_event_writer *writer, enum ht_event_format format,
                          const char *from, struct ht_text *out);
void ht_event_write(struct ht_event_writer *writer, const struct ht_store_event *event,
                    struct ht_text *out);
void ht_event_write_end(struct ht_event_writer *writer, struct ht_text *out);

/* ---- the audit of one ---- */

/* Reads all of it; JSON begins with a brace. `from`: as of ht_event_audit_init, for a CSV that is a
 * part. `out->broken_seq`: also where JSON's count or last hash tells of a cut tail: then the
 * number after the last. */
HT_MUST_CHECK enum ht_status ht_event_export_audit(const char *bytes, size_t size, const char *from,
                                                   struct ht_store_audit *out,
                                                   struct ht_error *error);

#endif
