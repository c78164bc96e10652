/* Desk room: the desk (engine/live/desk.h) among the others: the store that keeps its events, the
 * live town from which units are chosen, the clock whose time runs out, the office's rules.
 *
 *   command --> ht_desk_room_decide --> ht_desk_room_write --(commit)--> ht_desk_room_apply
 *                                                          \-(taken back, lost)--> _take_back,
 * _drop
 *
 * A thread of its own looks four times a second whether a clock ran out, a unit became free or came
 * on duty, and (every five seconds) when those who drive will be there as they drive now; what
 * follows is decided on the writer's thread like any command, by the actor `houtao`. Where the
 * rules, a regime or holidays change, clocks of steps that run follow them, from when they began;
 * what was promised stays.
 *
 * Threading: what is under "writer" within a job of the store's writer; the rest from any thread.
 * Ownership: the app outlives it.
 */
#ifndef HT_API_DESK_ROOM_H
#define HT_API_DESK_ROOM_H

#include "api/app.h"
#include "api/home.h"
#include "api/incident_places.h"
#include "api/incident_rules.h"
#include "engine/live/desk.h"

struct ht_desk_room;

/* Replays the table of the app's store; the units of the fleet are known already. Rows that can't
 * be read or don't follow are passed over and counted in `*skipped`. */
HT_MUST_CHECK enum ht_status ht_desk_room_new(struct ht_app *app, struct ht_desk_room **out,
                                              size_t *skipped, struct ht_error *error);
/* Lets time run; the app can be written. */
HT_MUST_CHECK enum ht_status ht_desk_room_start(struct ht_desk_room *room);
/* Ends the thread, before the writer is stopped. Both take NULL. */
void ht_desk_room_stop(struct ht_desk_room *room);
void ht_desk_room_free(struct ht_desk_room *room);

struct ht_desk *ht_desk_room_desk(struct ht_desk_room *room);
struct ht_incident_places *ht_desk_room_places(struct ht_desk_room *room);

/* The number of the newest incident, whose id is `i` and that number. */
uint64_t ht_desk_room_last(const struct ht_desk_room *room);

/* Looks now, and returns when all that follows is written; for who moved the clock. */
void ht_desk_room_obey(struct ht_desk_room *room);
/* The registry said something of a unit. */
void ht_desk_room_unit_changed(struct ht_desk_room *room, const char *unit);
/* Shifts are others now. */
void ht_desk_room_shifts_changed(struct ht_desk_room *room);

/* A copy of what a kind needs, and of what the way to a door takes. */
struct ht_desk_room_kind {
    struct ht_incident_kind_rule kind;
    struct ht_home_pace pace;
};
struct ht_desk_room_kind ht_desk_room_kind(struct ht_desk_room *room, enum ht_incident_kind kind);
/* A copy of the rule of a kind; severity 0: that of an alarm that names none. */
struct ht_desk_rule ht_desk_room_rule(struct ht_desk_room *room, enum ht_incident_kind kind,
                                      uint8_t severity);

/* Who is on duty, and how long it is tried to tell somebody. */
void ht_desk_room_tell(struct ht_desk_room *room, struct ht_duty_phones *duty,
                       uint32_t *give_up_ms);

/* Whether a unit ever had it, or a kind's rule wants it: what stands in events is no free text. */
bool ht_desk_room_knows(struct ht_desk_room *room, const char *skill);

/* Who can be at a place first, as found by another thread before the writer's turn comes: most of
 * the work of an alarm. The decision goes by it as long as nothing was told since of which it could
 * be wrong: other streets, other rules, a unit that was set free or changed. Who was sent elsewhere
 * meanwhile the desk knows itself. */
enum { HT_AHEAD_MOST = 4 }; /* as many as the desk asks for first, at most */
struct ht_desk_ahead {
    bool made;
    uint64_t world;
    uint64_t changes;
    uint32_t asked; /* for: one more than is needed */
    uint32_t count; /* fewer than asked for: all there are */
    struct ht_desk_candidate list[HT_AHEAD_MOST];
};
/* For an alarm that will be dispatched at once, on any thread; where it can't be known now, `made`
 * stays false. `skills` NULL: the rule's. */
void ht_desk_room_ahead(struct ht_desk_room *room, struct ht_app_context *context,
                        const struct ht_desk_command *open, struct ht_point point,
                        struct ht_desk_ahead *out);

/* ---- where another process decides (api/follower.h), on the thread that follows ---- */

/* A row of an incident that it committed. HT_NOMEM and errors of the store: to be tried again. */
HT_MUST_CHECK enum ht_status ht_desk_room_follow(struct ht_desk_room *room,
                                                 struct ht_store_reader *reader,
                                                 const struct ht_store_event *row);
/* Now and then: lets go of what is over. */
void ht_desk_room_follow_rest(struct ht_desk_room *room);

/* ---- writer ---- */

/* Other rules from now on; takes them over. */
void ht_desk_room_rules(struct ht_desk_room *room, struct ht_incident_rules *rules);

/* As ht_desk_pending; one that left memory is brought back, if there is one. */
const struct ht_incident *ht_desk_room_pending(struct ht_desk_room *room,
                                               struct ht_app_context *context, const char *id);

/* An id that no incident had. */
void ht_desk_room_id(struct ht_desk_room *room, char id[HT_DESK_ID_MAX + 1]);

/* As ht_desk_decide; `context` is the writer's. The other one is for an open that was looked at
 * ahead. */
HT_MUST_CHECK enum ht_status
ht_desk_room_open(struct ht_desk_room *room, struct ht_app_context *context,
                  const struct ht_desk_command *command, const struct ht_desk_ahead *ahead,
                  struct ht_desk_decision **out, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_desk_room_decide(struct ht_desk_room *room,
                                                 struct ht_app_context *context,
                                                 const struct ht_desk_command *command,
                                                 struct ht_desk_decision **out,
                                                 struct ht_error *error);
/* Appends the events, the first with the digest of a note (NULL: none), and with each whom is to be
 * told of it. */
HT_MUST_CHECK enum ht_status ht_desk_room_write(struct ht_desk_room *room, struct ht_store_tx *tx,
                                                const struct ht_desk_decision *decision,
                                                const char *actor, const char *note,
                                                struct ht_error *error);
/* As the desk's; the fleet and the clocks follow. */
void ht_desk_room_apply(struct ht_desk_room *room, struct ht_desk_decision *decision);
void ht_desk_room_take_back(struct ht_desk_room *room, struct ht_desk_decision *decision);
void ht_desk_room_drop(struct ht_desk_room *room, struct ht_desk_decision *decision);

#endif
