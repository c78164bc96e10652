/* Rounds make: a plan on its way, from what was asked to the record that will be: reads the town,
 * lets a thread of low priority plan, writes the result down. What the writer then does is in
 * api/rounds.c.
 *
 * Threading: one thread after the other; `gone` and the app's `rounds_enough` are set by others,
 * and read and written atomically. Ownership: what was said is borrowed, the rest the struct's.
 */
#ifndef HT_API_ROUNDS_MAKE_H
#define HT_API_ROUNDS_MAKE_H

#include "api/rounds_record.h"
#include "api/rounds_turns.h"

/* A request, or what stands for one. */
struct ht__round_said {
    const char *body;
    size_t body_size;
    const char *crs; /* NULL: nothing */
    int64_t at_ms;
};

struct ht__round_making {
    struct ht__round_said said;
    bool gone;          /* who asked is: no plan is wanted any more */
    const bool *cancel; /* likewise, of who has another flag; NULL: none */
    bool again;
    struct ht_round_turn turn; /* of a re-plan */
    char id[HT_ID_MAX + 1];
    struct ht_crs crs;
    char crs_name[64]; /* as it came */
    struct ht_round_ask ask;
    struct ht_round_wrongs wrongs;
    struct ht_round_record record; /* of a re-plan */
    struct ht_round_again *agains; /* those that were, and this one */
    size_t again_count;
    int64_t since_ms;
    struct ht_round_scene scene;
    struct ht_rounds_plan *plan;
    struct ht_round_result result;
    struct ht_buffer body;       /* of the record that will be, NUL-terminated */
    struct ht_round_record made; /* the same, read */
    struct ht_visits_decision *decision;
};

/* Both do all that needs no transaction, on a worker; false with the answer written. */
bool ht__round_prepare(struct ht_app_context *context, struct ht__round_making *making,
                       struct ht_reply *reply);
/* `making->id` names the round; waits for who re-plans it already. */
bool ht__round_prepare_again(struct ht_app_context *context, struct ht__round_making *making,
                             struct ht_reply *reply);
/* Whether the registry has such a unit (HT_NOT_FOUND), and whether it is a van. */
HT_MUST_CHECK enum ht_status ht__round_unit_look(struct ht_store_reader *reader, const char *id,
                                                 bool *van);
/* Frees it; NULL is fine. */
void ht__round_making_free(struct ht__round_making *making);

/* Answers with what a status means; false. */
bool ht__round_deny(struct ht_reply *reply, int code, const char *detail);
/* All that is wrong, each with its place. */
bool ht__round_refuse_all(struct ht_reply *reply, enum ht_status status,
                          const struct ht_round_wrongs *wrongs);
bool ht__round_deny_status(struct ht_reply *reply, enum ht_status status,
                           const struct ht_error *error);

#endif
