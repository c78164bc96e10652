/* What the calls of visits and rectifications share. */
#ifndef HT_API_VISITS_INTERNAL_H
#define HT_API_VISITS_INTERNAL_H

#include "api/app.h"
#include "api/command.h"
#include "api/incidents_internal.h"
#include "api/json.h"
#include "api/live_json.h"
#include "api/look.h"
#include "api/visit_read.h"
#include "api/visits_room.h"
#include "geodata/digest.h"

/* Whether there are visits, the caller's token is of this district, and the query has nothing but
 * `params` (api/params_only.h); else the answer is written. */
bool ht__visits_stand(struct ht_app_context *context, struct ht_http_call *call,
                      const char *params);

/* A device sees what is its own unit's, homes' tokens nothing; others all. */
bool ht__visit_seen_by(const struct ht_caller *caller, const struct ht_visit *visit);

/* Whether a site has to be kept from the caller: households that are looked after are frail ones.
 * In a look, `telling` is told that something personal is there, and it is kept where that is not
 * to be written. */
bool ht__site_is_kept(const struct ht_caller *caller, struct ht_store_reader *reader,
                      const char *site);
bool ht__look_site_is_kept(const struct ht_look *look, struct ht_look_telling *telling,
                           const char *site);
/* All that is told then of what was asked for by its id. */
void ht__look_kept_write(const struct ht_look *look, const struct ht_look_telling *telling);

/* Answers with what went wrong of a command. */
void ht__visit_refuse(struct ht_reply *reply, enum ht_status status, struct ht_error *error);

/* What a command of one decision keeps in `parsed`: it begins so. */
struct ht__visit_turn {
    struct ht_visits_decision *decision; /* NULL: none (yet) */
    yajl_val *tree;                      /* of its body, within it */
};
/* A struct of `size` bytes that begins with a turn, zeroed, as command->parsed; NULL with the
 * answer written. */
void *ht__visit_turn_new(struct ht_command *command, size_t size, struct ht_reply *reply);
/* The functions of such a command's kind. */
void ht__visit_turn_applied(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply);
void ht__visit_turn_undone(struct ht_app_context *context, struct ht_command *command, bool lost);
void ht__visit_turn_free(struct ht_command *command);

/* A step of a visit, or of a notice. */
struct ht__visit_stepping {
    struct ht__visit_turn turn;
    struct ht_visit_step_in in;
};
/* Its body, read; NULL with the answer written. */
struct ht__visit_stepping *ht__visit_step_prepare(struct ht_command *command, bool notice,
                                                  struct ht_reply *reply);

/* A command's decision, applied, taken back or lost with it; NULL is fine. Each clears it. */
void ht__visits_applied(struct ht_app_context *context, struct ht_visits_decision **decision);
void ht__visits_undone(struct ht_app_context *context, struct ht_visits_decision **decision,
                       bool lost);

/* Whether there is such an inspector among the units, and no van; `member` is whose value it is
 * (NULL is fine). HT_INVALID. */
HT_MUST_CHECK enum ht_status ht__visit_inspector_check(struct ht_app_context *context,
                                                       const char *member, const char *inspector,
                                                       struct ht_error *error);

/* What the check-ins before and after tell of one. On a worker: it routes. */
struct ht__visit_arrival {
    const char *visit; /* this one */
    const char *inspector;
    struct ht_point point;
    int64_t at_ms;
    int64_t until_ms; /* left; at_ms where it is not said */
    int64_t slack_ms;
};
struct ht__visit_sequence {
    bool impossible; /* the way from the one before, or to the one after, was too long for the time
                        there was */
    /* Where that isn't so: how long they can have stayed, with the way between (less the slack) */
    int64_t stay_most_ms;             /* here; INT64_MAX: nobody knows */
    char before[HT_VISIT_ID_MAX + 1]; /* at this visit before; "": said, or nobody knows */
    int64_t before_most_ms;
    int64_t before_planned_ms;
};
void ht__visit_sequence_look(struct ht_app_context *context, struct ht_store_reader *reader,
                             const struct ht__visit_arrival *arrival,
                             struct ht__visit_sequence *out);

/* The text of a note of a visit's or rectification's events by its digest, or (NULL) of the last
 * one; to be freed. `*out` NULL: there is none (any more). */
HT_MUST_CHECK enum ht_status ht__visit_note(struct ht_store_reader *reader, bool visit,
                                            const char *id, const char *digest, char **out);

/* The whole objects. `paper`: what was written down of a visit's result, a JSON object (NULL: not
 * for the caller, or gone); `text`: of a hazard. */
void ht__visit_json(struct ht_json *json, const struct ht_visit *visit, const char *paper,
                    int64_t now_ms);
void ht__rectification_json(struct ht_json *json, const struct ht_rectification *notice,
                            const char *text, int64_t now_ms);

/* What was written down of a hazard: its last description; to be freed, NULL: nothing. */
HT_MUST_CHECK enum ht_status ht__hazard_text(struct ht_store_reader *reader, const char *notice,
                                             char **out);

/* The history of a visit or rectification. */
HT_MUST_CHECK enum ht_status ht__visit_history(struct ht_look_telling *telling, bool visit,
                                               const char *id, struct ht_error *error);

/* Counted references, from memory or (in `*past`, to be freed after them) from the store; only what
 * the caller may see. HT_NOT_FOUND with the reason. */
HT_MUST_CHECK enum ht_status ht__visit_find(struct ht_app_context *context,
                                            const struct ht_look *look,
                                            struct ht_store_reader *reader, struct ht_visits **past,
                                            const struct ht_visit **out);
HT_MUST_CHECK enum ht_status ht__rectification_find(struct ht_app_context *context,
                                                    const struct ht_look *look,
                                                    struct ht_store_reader *reader,
                                                    struct ht_visits **past,
                                                    const struct ht_rectification **out);

/* Reads `limit`, and where to read on (`before`, the order of the last one). NULL, or what is
 * wrong. */
enum { HT__VISITS_DEFAULT = 100, HT__VISITS_MOST = 1000 };
const char *ht__visits_page_read(struct ht_look *look, uint64_t *before_order);
/* Words with commas between as bits; false: one is none of them. */
bool ht__visits_words_read(const char *text, const char *(*word)(int), int count, uint32_t *bits);

#endif
