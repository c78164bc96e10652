/* Rounds record: what the store keeps of a round (struct ht_store_round), read again.
 *
 *   {"request": {...}, "crs": "", "again": [{...}], "next": 43, "visits": [...], "unplanned":
 * [...], "broken": [...], "idle": [...], "errors": [...], "owners": [...], "tours": [...],
 *    "summary": {...}}
 *
 * Request and re-plans as they came; the rest as ht_round_result_write has it. Visits of the record
 * are as they were planned; what became of them the ledger of visits knows (engine/live/visits.h).
 *
 * Threading: one thread, with its reader. Ownership: a record owns all in it. Errors: HT_INVALID: a
 * record that can't be read; HT_NOMEM; what the store says.
 */
#ifndef HT_API_ROUNDS_RECORD_H
#define HT_API_ROUNDS_RECORD_H

#include "api/rounds_result.h"

struct ht_round_record {
    char id[HT_ID_MAX + 1];
    const struct ht_collection *collection;
    int64_t number;
    int64_t from_ms;
    int64_t to_ms;
    int64_t made_ms;
    int64_t changed_ms;
    int64_t version;
    yajl_val tree;
    struct ht_round_visit *visits;
    size_t visit_count;
    struct ht_round_owner *owners;
    size_t owner_count;
    struct ht_round_tour *tours;
    size_t tour_count;
    uint32_t next;
    int64_t withdrawn_ms; /* 0: it stands */
};

/* The member of a record, its first then. */
#define HT_ROUND_WITHDRAWN "withdrawn_ms"

/* HT_NOT_FOUND too. */
HT_MUST_CHECK enum ht_status ht_round_record_get(struct ht_store_reader *reader, const char *id,
                                                 struct ht_round_record *out,
                                                 struct ht_error *error);
/* Of a text that is no row yet: only what is in the body. */
HT_MUST_CHECK enum ht_status ht_round_record_read(const char *body, size_t size,
                                                  struct ht_round_record *out);
void ht_round_record_deinit(struct ht_round_record *record);

/* Looks up what became of each visit: state, moments, inspector. */
HT_MUST_CHECK enum ht_status ht_round_record_live(struct ht_round_record *record,
                                                  struct ht_app_context *context,
                                                  struct ht_store_reader *reader);
/* The same within a command on the writer's thread, as it will be. */
void ht_round_record_pending(struct ht_round_record *record, const struct ht_visits *visits);

#endif
