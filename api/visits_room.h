/* Visits room: visits and rectifications (engine/live/visits.h) among the others: the store that
 * keeps their events, the office's rules, the clock.
 *
 *   command --> ht_visits_decide --> ht_visits_room_write --(commit)--> ht_visits_apply
 *                                                       \-(taken back, lost)--> _take_back, _drop
 *
 * How a round puts its plan in: within a command of its own, on the writer's thread, by
 * ht_visits_plan, ht_visits_room_write and ht_visits_apply; or from another thread by
 * ht_visits_room_plan, which waits.
 *
 * At start all that is open is replayed, and what was over within the last four hundred days; what
 * is over for longer leaves memory, and is found by its id in the store.
 *
 * Threading: what is under "writer" within a job of the store's writer; the rest from any thread.
 * Ownership: the app outlives it.
 */
#ifndef HT_API_VISITS_ROOM_H
#define HT_API_VISITS_ROOM_H

#include "api/app.h"
#include "api/visit_rules.h"
#include "engine/live/visits.h"

struct ht_visits_room;

enum { HT_VISITS_KEPT_DAYS = 400 };

/* `*skipped`: visits and rectifications whose events can't be read. */
HT_MUST_CHECK enum ht_status ht_visits_room_new(struct ht_app *app, struct ht_visits_room **out,
                                                size_t *skipped, struct ht_error *error);
/* After the writer has stopped. NULL is fine. */
void ht_visits_room_free(struct ht_visits_room *room);

struct ht_visits *ht_visits_room_visits(struct ht_visits_room *room);
/* A copy of those of now. */
struct ht_visit_office ht_visits_room_office(struct ht_visits_room *room);

/* Takes a plan over as ht_visits_plan does, and returns when it is written; for a thread that may
 * wait, never for a loop or the writer. `passed_over` may be NULL. HT_UNSUPPORTED: the store can't
 * be written; HT_BUSY: too much waits to be. */
HT_MUST_CHECK enum ht_status ht_visits_room_plan(struct ht_visits_room *room,
                                                 const struct ht_visit_planning *planning,
                                                 const char *actor, size_t *passed_over,
                                                 struct ht_error *error);
/* What the clock has to say; waits for the writer where there is something. For the thread that
 * looks after time (api/desk_time.c). False: it could not be written, to be tried again. */
bool ht_visits_room_look(struct ht_visits_room *room);

/* One that left memory, from the store, into `past` (made anew, to be freed). HT_NOT_FOUND. */
HT_MUST_CHECK enum ht_status ht_visits_room_past(struct ht_store_reader *reader, bool visit,
                                                 const char *id, struct ht_visits **past);

/* ---- where another process decides (api/follower.h), on the thread that follows ---- */

/* A row of a visit or rectification that it committed. HT_NOMEM and errors of the store: to be
 * tried again. */
HT_MUST_CHECK enum ht_status ht_visits_room_follow(struct ht_visits_room *room,
                                                   struct ht_store_reader *reader,
                                                   const struct ht_store_event *row);
/* Now and then: lets go of what is over. */
void ht_visits_room_follow_rest(struct ht_visits_room *room);

/* ---- writer ---- */

/* Other rules from now on. */
void ht_visits_room_rules(struct ht_visits_room *room, const struct ht_visit_office *office);

/* An id by chance, with `prefix` ("v", "r"). */
HT_MUST_CHECK enum ht_status ht_visits_room_id(const char *prefix, char id[HT_VISIT_ID_MAX + 1]);
/* HT_EXISTS: there is or was such a visit. `reader` is the transaction's. */
HT_MUST_CHECK enum ht_status ht_visits_room_is_new(struct ht_visits_room *room,
                                                   struct ht_store_reader *reader, const char *id,
                                                   struct ht_error *error);
/* Appends the events; `notes`: for each the digest of what was written down (NULL: nothing), or
 * NULL: of none. */
HT_MUST_CHECK enum ht_status ht_visits_room_write(struct ht_visits_room *room,
                                                  struct ht_store_tx *tx,
                                                  const struct ht_visits_decision *decision,
                                                  const char *actor, const char *const *notes,
                                                  struct ht_error *error);

#endif
