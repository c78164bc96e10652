/* Inside the desk: what its rooms share.
 *
 *   desk_table     entries, versions: what is kept and how long
 *   desk_queue     who waits, in order; when the next clock runs out
 *   desk_project   an event folded into a version
 *   desk           decisions: pending, committed, taken back; replay
 *   desk_decide    commands to events
 *   desk_dispatch  whom to send, pulls, the queue
 *   desk_joint     several incidents at once
 *   desk_stay      who is let go and sent back stays
 *   desk_clock     clocks that ran out
 *   desk_read      what readers ask, counts
 *   desk_rules     names of the lists, rules
 */
#ifndef HT_ENGINE_LIVE_DESK_INTERNAL_H
#define HT_ENGINE_LIVE_DESK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/names.h"
#include "engine/live/desk.h"

/* ---- desk_table ------------------------------------------------------------------------------ */

struct ht__entry;

/* A unit that was on an incident once. Never goes, so that its id stays. */
struct ht__unit {
    struct ht_named named;
    char id[HT_DESK_ID_MAX + 1];
    struct ht__entry *pending;   /* on it; NULL: free */
    struct ht__entry *committed; /* under the lock */
    size_t engaged_at;           /* in the desk's list, while pending */
};

/* A device that gave an alarm once; stays as well. */
struct ht__device {
    struct ht_named named;
    char id[HT_DESK_ID_MAX + 1];
    struct ht__entry *newest[HT_INCIDENT_KINDS]; /* of its entries, by kind */
    struct ht_desk_device_count count;           /* under the lock */
};

/* What hardly ever changes of an incident. Shared by its versions. */
struct ht__facts {
    atomic_uint refs;
    const char *id;
    const char *household;
    const char *device;
    const char *skills;
    char text[];
};

struct ht__version {
    struct ht_incident view; /* the first, so that a reader's pointer leads back here */
    atomic_uint refs;
    struct ht__facts *facts;
    struct ht_desk_seat *seats;
    struct ht_desk_passed *passed;
    uint32_t seat_room;
    uint32_t passed_room;
};

/* A place in an ordered tree, by falling severity, then time, then order of creation. */
struct ht__key {
    uint8_t severity;
    int64_t at_ms;
    uint64_t order;
};

struct ht__node {
    struct ht__node *left;
    struct ht__node *right;
    struct ht__entry *entry;
    struct ht__key key;
    uint64_t rank; /* random, a heap over the tree */
    bool in;
};

/* Those that wait and want the same: where one gets too little, the others get no more. */
struct ht__sort {
    struct ht__node *queue;
    struct ht__node head; /* the first of them, among the heads of all sorts */
};

/* The sorts of a kind and of skills, those that an entry begins with. Found by both; kept as long
 * as an entry is of them. One that wants more skills later stays, and speaks for itself alone: what
 * it can have the others can have, too, but not the other way round. */
struct ht__sorts {
    struct ht_named named;
    uint32_t entries;
    struct ht__sort by_severity[HT_DESK_SEVERITIES];
    char id[];
};

struct ht__entry {
    struct ht_named named;   /* its id is the facts' */
    struct ht__facts *facts; /* the first ones */
    struct ht__version *pending;
    struct ht__version *committed; /* under the lock */
    struct ht_desk_log *owner;     /* whose pending version may still be changed in place */
    struct ht__device *device;
    struct ht__entry *older; /* of the same device and kind */
    struct ht__entry *newer;
    struct ht__entry *closed_before; /* in the order of closing, committed */
    struct ht__entry *closed_after;
    bool closed_in;
    struct ht__sorts *sorts;
    struct ht__sort *queued; /* in whose queue it waits; NULL: in none */
    struct ht__node waiting; /* wants more units than it has: there, or among the lost */
    size_t due_at;           /* in the heap; SIZE_MAX: not in it */
    int64_t due_ms;
    /* Of the last dispatch, not part of what is replayed: */
    int64_t tried_ms;    /* when: passed-over units that counted again by then were asked */
    uint32_t closest_ms; /* how far the closest was, engaged or not; UINT32_MAX: there was none */
    int64_t committed_tried_ms;
    uint32_t committed_closest_ms;
    uint32_t held; /* by so many logs */
    bool gone;     /* out of the table */
};

HT_MUST_CHECK enum ht_status ht__desk_unit_of(struct ht_desk *desk, const char *id,
                                              struct ht__unit **out);
/* A new entry with nothing in it but what the event (received) says; in the table, the heap has
 * room for it. */
HT_MUST_CHECK enum ht_status
ht__desk_entry_new(struct ht_desk *desk, const struct ht_desk_event *event, struct ht__entry **out);
/* Out of the table and all lists; freed with its last hold. */
void ht__desk_entry_remove(struct ht_desk *desk, struct ht__entry *entry);
void ht__desk_entry_release(struct ht__entry *entry);

struct ht__version *ht__desk_version_of(const struct ht_incident *incident);
/* A copy (of NULL: an empty one) with room; NULL: out of memory. */
struct ht__version *ht__desk_version_copy(const struct ht__version *from, struct ht__facts *facts,
                                          uint32_t seat_room, uint32_t passed_room);
/* The same facts but for the skills; NULL: out of memory. */
struct ht__facts *ht__desk_facts_with(const struct ht__facts *facts, const char *skills);
void ht__desk_facts_release(struct ht__facts *facts);
struct ht__version *ht__desk_version_hold(struct ht__version *version);
void ht__desk_version_release(struct ht__version *version);

/* ---- desk_queue ------------------------------------------------------------------------------ */

bool ht__desk_key_before(const struct ht__key *a, const struct ht__key *b);
void ht__desk_queue_set(struct ht__node **root, struct ht__node *node, bool in, struct ht__key key);
struct ht__entry *ht__desk_queue_first(const struct ht__node *root);
/* The first one after `key`; NULL: none. */
struct ht__entry *ht__desk_queue_after(const struct ht__node *root, struct ht__key key);

struct ht__due {
    struct ht__entry **heap;
    size_t count;
    size_t room;
};
/* INT64_MAX takes it out. */
void ht__desk_due_set(struct ht__due *due, struct ht__entry *entry, int64_t at_ms);

void ht__desk_entry_unqueue(struct ht_desk *desk, struct ht__entry *entry);
/* Where an entry stands in queue and heap, after its pending version changed. */
void ht__desk_entry_place(struct ht_desk *desk, struct ht__entry *entry);

/* ---- desk_project ---------------------------------------------------------------------------- */

bool ht__desk_is_open(const struct ht_incident *incident);
/* Wants more units than it has, and may have them. */
bool ht__desk_is_waiting(const struct ht_incident *incident);
struct ht_desk_seat *ht__desk_seat_of(const struct ht__version *version, const char *unit);
/* Whether the event can follow. `version` NULL: there is none yet. */
bool ht__desk_event_fits(const struct ht__version *version, const struct ht_desk_event *event);
/* Folds an event that fits into a version that has room for one more of each list; the event's unit
 * is the desk's own text. */
void ht__desk_project(struct ht__version *version, const struct ht_desk_event *event);

/* ---- desk ------------------------------------------------------------------------------------ */

struct ht__touched {
    struct ht__entry *entry;
    struct ht__version *before; /* NULL: it was not */
    struct ht__version *after;
    int64_t tried_ms;
    uint32_t closest_ms;
};

struct ht__moved {
    struct ht__unit *unit;
    struct ht__entry *before;
    struct ht__entry *after;
};

/* What a decision did, so that it can be undone. */
struct ht_desk_log {
    struct ht_desk_event *events;
    size_t event_count;
    size_t event_room;
    struct ht__touched *touched;
    size_t touched_count;
    size_t touched_room;
    struct ht__moved *moved;
    size_t moved_count;
    size_t moved_room;
};

struct ht__listed {
    uint64_t order;
    struct ht__entry *entry; /* NULL: it went */
};

struct ht_desk {
    pthread_mutex_t lock;
    struct ht_desk_rules rules;
    struct ht_names entries; /* changed under the lock */
    struct ht_names units;   /* the same */
    struct ht_names devices; /* the same */
    struct ht__device **device_list;
    size_t device_room;
    struct ht__listed *list; /* committed ones, by order. Under the lock */
    size_t list_count;
    size_t list_holes;
    size_t list_room;
    size_t freed;              /* units that are free as pending, but not as committed */
    struct ht__unit **engaged; /* those that are on an incident, as pending; room for all */
    size_t engaged_count;
    size_t engaged_room;
    uint64_t next_order;
    uint64_t committed_order;
    struct ht__entry *closed_first;
    struct ht__entry *closed_last;
    struct ht_names sorts;
    struct ht__node *heads;
    struct ht__node *lost; /* wait, and nobody could come at all when it was tried last */
    struct ht__key cursor; /* the lost one that was tried last */
    struct ht__due due;
    bool recalling;
    struct ht_desk_log *recall; /* all of it so far; NULL: nothing */
    struct ht__entry *recalled; /* the last one; counted twice until the next, or the end */
    uint64_t random;
    struct ht_desk_totals totals; /* under the lock */
    struct ht_desk_candidate *candidates;
    size_t candidate_room;
    struct ht__joint *joint; /* see desk_joint.h */
};

/* Saves what an entry was before the decision changes it. */
HT_MUST_CHECK enum ht_status ht__desk_touch(struct ht_desk *desk, struct ht_desk_log *log,
                                            struct ht__entry *entry);
/* Adds an event that fits, and folds it. */
HT_MUST_CHECK enum ht_status ht__desk_fold(struct ht_desk *desk, struct ht_desk_log *log,
                                           struct ht__entry *entry,
                                           const struct ht_desk_event *event);
struct ht__entry *ht__desk_entry_of(const struct ht_desk *desk, const char *id);
/* A new entry, touched; the event (received) is still to be folded. */
HT_MUST_CHECK enum ht_status ht__desk_entry_begin(struct ht_desk *desk, struct ht_desk_log *log,
                                                  const struct ht_desk_event *event,
                                                  struct ht__entry **out);
/* Undoes and frees it. */
void ht__desk_log_undo(struct ht_desk *desk, struct ht_desk_log *log);
/* Ends it. HT_NOMEM: to be undone. */
HT_MUST_CHECK enum ht_status ht__desk_log_decide(struct ht_desk_log *log,
                                                 const struct ht__entry *about, bool folded,
                                                 struct ht_desk_decision **out);

/* ---- desk_decide, desk_dispatch, desk_clock ---------------------------------------------------
 */

enum { HT__DESK_HELD_MOST = 16 };

/* One decision on its way. */
struct ht__turn {
    struct ht_desk *desk;
    struct ht_desk_log *log;
    const struct ht_desk_chooser *chooser;
    int64_t now_ms;
    struct ht_error *error;
    struct ht__entry **again; /* lost a unit: to be dispatched */
    size_t again_count;
    size_t again_room;
    const struct ht__unit *held[HT__DESK_HELD_MOST]; /* stay where they are: see desk_stay */
    uint32_t held_count;
    bool alone; /* nothing is looked at together */
};

const struct ht_desk_rule *ht__desk_rule_of(const struct ht_desk *desk,
                                            const struct ht_incident *incident);
/* When a step's clock that starts now runs out. */
int64_t ht__desk_step_by_ms(const struct ht__turn *turn, const struct ht_incident *incident,
                            int step, int level);
/* An event of this moment, about the entry. */
struct ht_desk_event ht__desk_event(const struct ht__turn *turn, const struct ht__entry *entry,
                                    enum ht_desk_event_kind kind);
HT_MUST_CHECK enum ht_status ht__desk_say(struct ht__turn *turn, struct ht__entry *entry,
                                          const struct ht_desk_event *event);

/* Sends whom it can to an entry that waits. */
HT_MUST_CHECK enum ht_status ht__desk_dispatch(struct ht__turn *turn, struct ht__entry *entry);
/* Assigns it, with the trip's duration, length, turnout and price. */
HT_MUST_CHECK enum ht_status ht__desk_send(struct ht__turn *turn, struct ht__entry *entry,
                                           const char *unit, const struct ht_desk_event *trip);
/* Sends this unit, if it can come. HT_CONFLICT and why. */
HT_MUST_CHECK enum ht_status ht__desk_dispatch_unit(struct ht__turn *turn, struct ht__entry *entry,
                                                    const char *unit);
/* How many of those who come lack one of these skills, or can't come any more. */
HT_MUST_CHECK enum ht_status ht__desk_lacking(struct ht__turn *turn, const struct ht__entry *entry,
                                              const char *skills, uint32_t *count);
/* Lets a unit go. */
HT_MUST_CHECK enum ht_status ht__desk_let_go(struct ht__turn *turn, struct ht__entry *entry,
                                             const char *unit, enum ht_desk_reason reason);
/* Those that lost a unit, then those that can have one of the units that became free. */
HT_MUST_CHECK enum ht_status ht__desk_settle_freed(struct ht__turn *turn);
HT_MUST_CHECK enum ht_status ht__desk_settle_all(struct ht__turn *turn);
HT_MUST_CHECK enum ht_status ht__desk_tick(struct ht__turn *turn);
/* Says what came of it, once all is decided: queued where nobody comes, at_risk where those that
 * come, or could come at best, are late. */
HT_MUST_CHECK enum ht_status ht__desk_say_outcome(struct ht__turn *turn);

/* Not to be let go for another incident. */
bool ht__desk_is_held(const struct ht__turn *turn, const struct ht__unit *unit);
/* Whether the decision let somebody go and sent it back: it is to be taken once more, with these
 * held. */
bool ht__desk_hold_back(struct ht__turn *turn);

/* Ranks the units for an entry into the desk's candidates, from `at` on. */
HT_MUST_CHECK enum ht_status ht__desk_rank(struct ht__turn *turn, const struct ht_desk_want *want,
                                           size_t at, uint32_t most, uint32_t *count);
struct ht_desk_want ht__desk_want_of(const struct ht__turn *turn, const struct ht__entry *entry);

/* ---- desk_read ------------------------------------------------------------------------------- */

/* The difference that a version makes in the counts; under the lock. `counted`: all but states. */
/* Where `order` is in the list, or would be. */
size_t ht__desk_list_at(const struct ht_desk *desk, uint64_t order);
void ht__desk_count(struct ht_desk *desk, const struct ht__entry *entry,
                    const struct ht__version *version, int sign, bool counted);

#endif
