/* What the calls of rounds share among each other. Not a door. */
#ifndef HT_API_ROUNDS_INTERNAL_H
#define HT_API_ROUNDS_INTERNAL_H

#include "api/params.h"
#include "api/rounds_record.h"

/* Whether there are rounds, and the query has nothing but `params` (api/params_only.h); else the
 * answer is written. */
bool ht__rounds_stand(struct ht_app_context *context, struct ht_http_call *call,
                      const char *params);

/* Re-plans a round from now on, as nobody's request, and waits for the writer; for a thread that
 * may. False: it could not be done now. */
bool ht__round_replan_now(struct ht_app_context *context, const char *id, const bool *cancel);

/* Notes within the transaction that who is frail was looked at, to plan visits to homes. */
HT_MUST_CHECK enum ht_status ht__round_homes_note(struct ht_store_tx *tx, int64_t at_ms,
                                                  const char *actor, struct ht_error *error);

/* Whether a round tells something personal. */
bool ht__round_is_personal(const struct ht_round_record *record);

/* Of what an answer tells. */
struct ht__round_part {
    const char *inspector; /* NULL: all */
    int64_t from_ms;       /* visits that begin within [from_ms, to_ms) */
    int64_t to_ms;
    bool own; /* nothing but these visits and their tours: a device's */
};
/* The answer of POST, GET and replan: the round with its visits as the record has them. */
void ht__round_write(const struct ht_round_record *record, const struct ht__round_part *part,
                     struct ht_json *json);
/* A JSON array of a visit's members. */
void ht__round_visit_write(const struct ht_round_visit *visit, struct ht_json *json);

/* A question about one round, for a worker; where the round is a personal one it goes on to the
 * writer, who notes that it was read. */
struct ht__round_look {
    /* Writes the answer; visits of the record are live. HT_INVALID with the reason (400). */
    enum ht_status (*write)(struct ht_app_context *context, const struct ht__round_look *look,
                            const struct ht_round_record *record, struct ht_reply *reply,
                            struct ht_error *error);
    const char *how;   /* "item", "report" */
    const char *knows; /* what its query may have */
    char id[HT_ID_MAX + 1];
    struct ht_params params;
    struct ht_caller caller;
    bool html; /* by the Accept header */
    bool csv;
    bool chinese; /* by Accept-Language */
    int64_t at_ms;
    struct ht_buffer plain; /* instead, where the note can't be written */
};
void ht__round_look_start(struct ht_app_context *context, struct ht_http_call *call,
                          struct ht__round_look look);

#endif
