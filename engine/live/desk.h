/* Desk: the one that decides. Commands in, decisions as events out; what is known of an incident is
 * a projection of its events.
 *
 *   command --> ht_desk_decide --> events --(written by the caller, synced)--> ht_desk_apply
 *                    |                ^
 *                    +-- each event is folded by the same function that replays the table, so that
 *                        a desk made anew from the table is the same by construction
 *
 *   received --> queued <--> assigned --> acknowledged --> enroute --> onscene --> resolved -->
 *                                                                                   evaluated
 *   cancelled: from any of those before resolved. Reopened ones are received again.
 *
 * A unit goes assigned, acknowledged, enroute, onscene, strictly; the incident is in the state of
 * the unit that is furthest. It never is on two incidents.
 *
 * Versions: each incident has a committed and a pending one, immutable and counted. Readers see
 * committed ones only; decisions are taken on pending ones, so that a batch of commands can be
 * decided before any of them is written.
 *
 * An alarm that is folded into an open incident adds to what that needs: severity, units, skills.
 * Where those who come lack a skill that it names, as many others are sent besides.
 *
 * Who is sent: the chooser (the caller's) ranks the units by travel time; the desk leaves out those
 * that are engaged or passed over. A unit that declined, or did not acknowledge in time, is passed
 * over for the incident until `again_ms` later; from then on it counts again, after all who never
 * were. Nobody: the incident is queued, by severity, then time, and is tried again at each settle.
 *
 * Who acknowledged is let go for a graver incident alone, and where the office says so. One
 * decision never sends a unit back to where it was: it stays there, with what it said.
 *
 * Time: nothing here reads a clock; commands carry theirs (UTC ms). Rules are looked up by decide
 * only: events carry whatever follows from them, so a replay does not depend on today's rules.
 *
 * Threading: the functions under "writer" are for one thread, those under "readers" for any beside
 * it (they take a short lock). Ownership: see each. No call prints, reads a file or fails other
 * than by status.
 */
#ifndef HT_ENGINE_LIVE_DESK_H
#define HT_ENGINE_LIVE_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_desk;
struct ht_desk_log;

enum {
    HT_DESK_ID_MAX = 64,      /* bytes of an id of an incident, unit, household, device */
    HT_DESK_SKILLS_MAX = 255, /* bytes of skills joined by ';' */
    HT_DESK_UNITS_MAX = 8,    /* on one incident at once */
    HT_DESK_PASSED_MAX = 64,  /* remembered for an incident; the oldest is forgotten */
    HT_DESK_SEVERITIES = 4,   /* 1 to 4, 4 the gravest */
    HT_DESK_STEPS = 5,
    HT_DESK_LEVELS = 3 /* 0 community, 1 sub-district, 2 district */
};

/* X(name, text) */
#define HT_INCIDENT_KIND_MAP(X)                                                                    \
    X(SOS, "sos")                                                                                  \
    X(FALL, "fall")                                                                                \
    X(HEART, "heart")                                                                              \
    X(DOOR, "door")                                                                                \
    X(GAS, "gas")                                                                                  \
    X(WATER, "water")                                                                              \
    X(REQUEST, "request")                                                                          \
    X(OTHER, "other")

#define HT_INCIDENT_STATE_MAP(X)                                                                   \
    X(RECEIVED, "received")                                                                        \
    X(QUEUED, "queued")                                                                            \
    X(ASSIGNED, "assigned")                                                                        \
    X(ACKNOWLEDGED, "acknowledged")                                                                \
    X(ENROUTE, "enroute")                                                                          \
    X(ONSCENE, "onscene")                                                                          \
    X(RESOLVED, "resolved")                                                                        \
    X(EVALUATED, "evaluated")                                                                      \
    X(CANCELLED, "cancelled")

#define HT_DESK_OUTCOME_MAP(X)                                                                     \
    X(NONE, "none")                                                                                \
    X(HELPED, "helped")                                                                            \
    X(FALSE_ALARM, "false_alarm")                                                                  \
    X(TRANSFERRED_120, "transferred_120")                                                          \
    X(TRANSFERRED_119, "transferred_119")

/* Why a unit was released. */
#define HT_DESK_REASON_MAP(X)                                                                      \
    X(NONE, "none")                                                                                \
    X(REASSIGNED, "reassigned")                                                                    \
    X(PULLED, "pulled")       /* off to a graver incident */                                       \
    X(BETTER, "better")       /* all together are better served so */                              \
    X(CANCELLED, "cancelled") /* the incident was */                                               \
    X(RESOLVED, "resolved")

enum ht_incident_kind {
#define HT_DESK_ENUM(name, text) HT_INCIDENT_##name,
    HT_INCIDENT_KIND_MAP(HT_DESK_ENUM)
#undef HT_DESK_ENUM
        HT_INCIDENT_KINDS
};

enum ht_incident_state {
#define HT_DESK_ENUM(name, text) HT_INCIDENT_IS_##name,
    HT_INCIDENT_STATE_MAP(HT_DESK_ENUM)
#undef HT_DESK_ENUM
        HT_INCIDENT_STATES
};

enum ht_desk_outcome {
#define HT_DESK_ENUM(name, text) HT_OUTCOME_##name,
    HT_DESK_OUTCOME_MAP(HT_DESK_ENUM)
#undef HT_DESK_ENUM
        HT_OUTCOMES
};

enum ht_desk_reason {
#define HT_DESK_ENUM(name, text) HT_RELEASED_##name,
    HT_DESK_REASON_MAP(HT_DESK_ENUM)
#undef HT_DESK_ENUM
        HT_RELEASED_REASONS
};

/* The static texts of the lists above; "" for a foreign value. */
const char *ht_incident_kind_text(enum ht_incident_kind kind);
const char *ht_incident_state_text(enum ht_incident_state state);
const char *ht_desk_outcome_text(enum ht_desk_outcome outcome);
const char *ht_desk_reason_text(enum ht_desk_reason reason);

/* ---- events ---------------------------------------------------------------------------------- */

/* Fields of ht_desk_event that a kind carries beside kind, at_ms and incident. Whoever writes and
 * reads bodies goes by these masks. */
enum {
    HT_DESK_HAS_ALARM = 1 << 0, /* household, device, skills (each may be NULL: none),
                                   incident_kind, access_ms */
    HT_DESK_HAS_UNIT = 1 << 1,
    HT_DESK_HAS_NEED = 1 << 2,  /* severity, units, deadline_ms, confirm_by_ms */
    HT_DESK_HAS_TRIP = 1 << 3,  /* duration_ms, length_mm, turnout_ms, access_ms, paid_ms, eta_ms,
                                   deadline_ms, ack_by_ms */
    HT_DESK_HAS_STEP = 1 << 4,  /* step_by_ms */
    HT_DESK_HAS_AGAIN = 1 << 5, /* again_at_ms */
    HT_DESK_HAS_RISK = 1 << 6,  /* risk_by_ms */
    HT_DESK_HAS_ETA = 1 << 7,   /* eta_ms */
    HT_DESK_HAS_OUTCOME = 1 << 8,
    HT_DESK_HAS_RATING = 1 << 9,
    HT_DESK_HAS_REASON = 1 << 10,
    HT_DESK_HAS_LEVEL = 1 << 11, /* level, step */
    HT_DESK_HAS_SKILLS = 1 << 12 /* skills: all that are wanted from then on; NULL: as before */
};

/* X(name, text, fields); the row's kind is "incident." + text. */
#define HT_DESK_EVENT_MAP(X)                                                                       \
    X(RECEIVED, "received", HT_DESK_HAS_ALARM | HT_DESK_HAS_NEED | HT_DESK_HAS_STEP)               \
    X(FOLDED, "folded", HT_DESK_HAS_NEED | HT_DESK_HAS_SKILLS)                                     \
    X(CONFIRMED, "confirmed", 0)                                                                   \
    X(QUEUED, "queued", HT_DESK_HAS_RISK)                                                          \
    X(ASSIGNED, "assigned", HT_DESK_HAS_UNIT | HT_DESK_HAS_TRIP)                                   \
    X(ACKNOWLEDGED, "acknowledged", HT_DESK_HAS_UNIT | HT_DESK_HAS_STEP)                           \
    X(DECLINED, "declined", HT_DESK_HAS_UNIT | HT_DESK_HAS_AGAIN)                                  \
    X(PASSED_OVER, "passed_over", HT_DESK_HAS_UNIT | HT_DESK_HAS_AGAIN)                            \
    X(ENROUTE, "enroute", HT_DESK_HAS_UNIT)                                                        \
    X(ARRIVED, "arrived", HT_DESK_HAS_UNIT | HT_DESK_HAS_STEP)                                     \
    X(FOLLOWED_UP, "followed_up", HT_DESK_HAS_STEP)                                                \
    X(COORDINATED, "coordinated", HT_DESK_HAS_STEP)                                                \
    X(RESOLVED, "resolved", HT_DESK_HAS_OUTCOME | HT_DESK_HAS_STEP)                                \
    X(EVALUATED, "evaluated", HT_DESK_HAS_RATING)                                                  \
    X(CANCELLED, "cancelled", 0)                                                                   \
    X(RELEASED, "released", HT_DESK_HAS_UNIT | HT_DESK_HAS_REASON | HT_DESK_HAS_AGAIN)             \
    X(REOPENED, "reopened", HT_DESK_HAS_NEED | HT_DESK_HAS_STEP)                                   \
    X(AT_RISK, "promise_at_risk", HT_DESK_HAS_ETA)                                                 \
    X(ESCALATED, "escalated", HT_DESK_HAS_LEVEL | HT_DESK_HAS_STEP)                                \
    X(RECLOCKED, "reclocked", HT_DESK_HAS_STEP) /* other rules: the same step, another moment */

enum ht_desk_event_kind {
#define HT_DESK_ENUM(name, text, fields) HT_DESK_##name,
    HT_DESK_EVENT_MAP(HT_DESK_ENUM)
#undef HT_DESK_ENUM
        HT_DESK_EVENT_KINDS
};

const char *ht_desk_event_text(enum ht_desk_event_kind kind);
/* The kind of a text (NULL is none), also of those of earlier versions; HT_DESK_EVENT_KINDS: of
 * none. */
enum ht_desk_event_kind ht_desk_event_of(const char *text);
uint32_t ht_desk_event_fields(enum ht_desk_event_kind kind);

/* Moments are UTC ms, 0: none. Fields that the kind does not carry are 0 or NULL. */
struct ht_desk_event {
    enum ht_desk_event_kind kind;
    int64_t at_ms;
    const char *incident;
    const char *unit;
    const char *household;
    const char *device;
    const char *skills; /* joined by ';': wanted for this incident instead of the rule's */
    enum ht_incident_kind incident_kind;
    uint8_t severity;
    uint8_t units;         /* wanted */
    uint8_t step;          /* 1 to 5: of which the clock ran out */
    uint8_t level;         /* the one that it rose to */
    uint8_t rating;        /* 1 to 5 */
    uint8_t outcome;       /* enum ht_desk_outcome */
    uint8_t reason;        /* enum ht_desk_reason */
    uint32_t turnout_ms;   /* until it drives */
    uint32_t duration_ms;  /* driving */
    uint32_t access_ms;    /* from the street to the door */
    uint32_t paid_ms;      /* later than the closest free one, for the sake of coverage */
    uint64_t length_mm;    /* driving */
    int64_t eta_ms;        /* the moment of arrival at the door; INT64_MAX: nobody could come */
    int64_t deadline_ms;   /* promised */
    int64_t confirm_by_ms; /* dispatched then, confirmed or not; 0: no confirmation awaited */
    int64_t ack_by_ms;     /* passed over then; 0: never */
    int64_t again_at_ms;   /* counts again from then on; 0: is not passed over */
    int64_t risk_by_ms;    /* from then on even the closest would be late */
    int64_t step_by_ms;    /* the step that runs from now on rises then; 0: never */
};

/* ---- incidents ------------------------------------------------------------------------------- */

/* One unit on an incident. */
struct ht_desk_seat {
    const char *unit;
    enum ht_incident_state state; /* HT_INCIDENT_IS_ASSIGNED to _ONSCENE */
    uint32_t turnout_ms;
    uint32_t duration_ms;
    uint32_t access_ms;
    uint32_t paid_ms;
    uint64_t length_mm;
    int64_t eta_ms; /* as it was when it was assigned */
    int64_t assigned_ms;
    int64_t acknowledged_ms; /* this and below 0: not yet */
    int64_t enroute_ms;
    int64_t arrived_ms;
    int64_t ack_by_ms; /* 0: never */
};

struct ht_desk_passed {
    const char *unit;
    int64_t again_at_ms;
};

/* A version: immutable. Texts live as long as it does; those of units as long as the desk. */
struct ht_incident {
    const char *id;
    const char *household; /* this and the next two: NULL: none */
    const char *device;
    const char *skills;
    enum ht_incident_kind kind;
    enum ht_incident_state state;
    uint64_t version; /* 1 for the first event, and one more for each that follows */
    uint64_t order;   /* of creation among all */
    uint8_t severity;
    uint8_t units;     /* wanted */
    uint8_t step;      /* 1 to 5: the one whose clock runs */
    uint8_t level;     /* of HT_DESK_LEVELS */
    uint8_t solved_at; /* the level when it was resolved */
    uint8_t outcome;
    uint8_t rating; /* 0: none */
    bool confirmed; /* or needed no confirmation */
    bool at_risk;   /* and said so */
    uint32_t access_ms;
    uint32_t alarms;     /* 1 and those folded into it */
    int64_t received_ms; /* or when it was reopened */
    int64_t opened_ms;   /* the first time */
    int64_t alarm_ms;    /* the last one */
    int64_t deadline_ms;
    int64_t confirm_by_ms;
    int64_t first_arrived_ms; /* this and the next two: 0: not yet */
    int64_t resolved_ms;
    int64_t closed_ms; /* resolved, evaluated or cancelled last */
    int64_t changed_ms;
    int64_t step_by_ms;
    int64_t step_from_ms; /* when the clock of the step began, on this level */
    int64_t risk_by_ms;
    uint32_t seat_count;
    uint32_t passed_count;
    const struct ht_desk_seat *seats; /* in the order of assignment */
    const struct ht_desk_passed *passed;
};

/* When the first unit is at the door, as promised at its assignment (or was); INT64_MAX: nobody
 * comes. */
int64_t ht_incident_eta_ms(const struct ht_incident *incident);
/* That is not after the deadline. */
bool ht_incident_within_promise(const struct ht_incident *incident);

/* ---- rules ----------------------------------------------------------------------------------- */

struct ht_desk_rule {
    uint32_t promise_ms;
    uint32_t confirm_ms; /* a call back may take so long; 0: dispatched at once */
    uint32_t fold_ms;    /* since the last alarm of the device; 0: never folded */
    uint32_t turnout_ms;
    uint32_t ack_ms;                  /* 0: waits for ever */
    uint32_t again_ms;                /* how long passed over */
    uint32_t clock_ms[HT_DESK_STEPS]; /* of each step; 0: never rises */
    uint8_t units;                    /* 1 to HT_DESK_UNITS_MAX */
    bool blue_light;
    char skills[HT_DESK_SKILLS_MAX + 1];
};

enum ht_desk_choice { HT_DESK_CLOSEST, HT_DESK_COVERAGE };

struct ht_desk_rules {
    struct ht_desk_rule rule[HT_INCIDENT_KINDS][HT_DESK_SEVERITIES]; /* [kind][severity - 1] */
    uint32_t weight[HT_DESK_SEVERITIES]; /* of a second's lateness, 1 to 1,000 */
    bool preempt;                        /* a graver incident may pull a unit off a lesser one */
    bool joint;                          /* open incidents are assigned together */
    enum ht_desk_choice choice;
    /* When a clock of `length_ms` that starts at `from_ms` runs out (working hours, holidays);
     * NULL: from + length. Called by decide, on the writer's thread. */
    int64_t (*due)(void *user, enum ht_incident_kind kind, int64_t from_ms, uint32_t length_ms);
    void *user;
};

/* A promise of ten minutes, gas sends two, doors are confirmed, requests have slow clocks ... */
struct ht_desk_rules ht_desk_rules_default(void);
/* HT_RANGE and which in `error` (may be NULL). */
HT_MUST_CHECK enum ht_status ht_desk_rules_check(const struct ht_desk_rules *rules,
                                                 struct ht_error *error);

/* ---- choice ---------------------------------------------------------------------------------- */

/* For whom units are wanted. Texts are borrowed for the call. */
struct ht_desk_want {
    const char *incident;
    const char *household; /* NULL: none */
    enum ht_incident_kind kind;
    uint8_t severity;
    bool blue_light;
    bool coverage;      /* loss_ms is wanted */
    bool idle;          /* those that are known to be engaged may be left out */
    const char *skills; /* joined by ';', "" none: the incident's own or the rule's */
    const char *unit;   /* only this one is asked for (reassign, pulls); NULL: all */
    uint32_t max_ms;    /* who drives for longer may be left out; 0: nobody */
    int64_t now_ms;
};

struct ht_desk_candidate {
    char unit[HT_DESK_ID_MAX + 1];
    uint32_t duration_ms;
    uint64_t length_mm;
    uint32_t loss_ms; /* what its departure uncovers, as seconds of the one who waits; 0 without
                         `coverage` */
};

/* Fills in at most `most` units on duty that are qualified, nearest first, whether the desk has
 * them engaged or not: the desk knows that best (and ht_desk_engaged says it to the chooser, too).
 * With `idle`, those that were engaged as committed may be left out, no others. Fewer than `most`:
 * there are no more. Asked with `idle` for one more than is needed, 4 at most, or for 16, and ever
 * more until enough of them are free;
 * where nobody is, without `idle` for 1; where one of those that are engaged might be pulled, for
 * each of these, or where they are many for the nearest 16, 64 or 256.
 * HT_OK with *count 0: nobody can come. An error is the decision's, which then leaves no trace. */
struct ht_desk_chooser {
    enum ht_status (*rank)(void *user, const struct ht_desk_want *want,
                           struct ht_desk_candidate *out, uint32_t most, uint32_t *count);
    void *user;
};

/* ---- writer: commands ------------------------------------------------------------------------ */

enum ht_desk_command_kind {
    HT_DESK_OPEN,
    HT_DESK_CONFIRM,
    HT_DESK_ACK, /* without a unit while a confirmation is awaited: that */
    HT_DESK_DECLINE,
    HT_DESK_GO, /* enroute */
    HT_DESK_ARRIVE,
    HT_DESK_FOLLOW_UP,
    HT_DESK_COORDINATE,
    HT_DESK_RESOLVE,
    HT_DESK_EVALUATE,
    HT_DESK_CANCEL,
    HT_DESK_REASSIGN, /* `unit` is who comes instead (NULL: the next best), `instead_of` who is let
                         go (NULL: all that are not on scene) */
    HT_DESK_REOPEN,
    HT_DESK_TICK,    /* the clocks that ran out by now, some 64 at a time: see ht_desk_due_ms */
    HT_DESK_SETTLE,  /* units became free, came on duty or near: those that wait are tried again */
    HT_DESK_RECLOCK, /* rules or holidays are others: when the clock of its step runs out by them,
                        from when it began; that may be now. Nothing where that is the same */
    HT_DESK_ETA,     /* the live ETA at the door of `unit`, the first of those on the way: at_risk,
                        perhaps */
    HT_DESK_COMMANDS
};

struct ht_desk_command {
    enum ht_desk_command_kind kind;
    enum ht_incident_kind incident_kind; /* open */
    int64_t now_ms;
    int64_t eta_ms;       /* eta */
    const char *incident; /* all but tick and settle */
    const char *unit;     /* NULL: not said; then it is the only one that can be meant */
    const char *instead_of;
    /* open */
    const char *household; /* this and the next two: NULL: none */
    const char *device;
    const char *skills; /* instead of the rule's */
    uint32_t access_ms;
    uint8_t severity;
    uint8_t units;                /* 0: the rule's */
    uint8_t rating;               /* evaluate */
    enum ht_desk_outcome outcome; /* resolve */
};

/* What was decided. Owned by the caller until given to apply, take_back or drop. Texts of events
 * live as long. */
struct ht_desk_decision {
    const struct ht_desk_event *events; /* in the order to be written; none: nothing changed */
    size_t event_count;
    /* The one that the command was about, as it will be (for open: the one it was folded into,
     * perhaps); NULL for tick and settle. */
    const struct ht_incident *incident;
    bool folded;
    /* The rest is the desk's. */
    struct ht_desk_log *log;
};

/* `rules` are copied. HT_NOMEM, HT_RANGE. */
HT_MUST_CHECK enum ht_status ht_desk_new(const struct ht_desk_rules *rules, struct ht_desk **out);
void ht_desk_free(struct ht_desk *desk);
/* From the next decision on; what runs already keeps its moments until a reclock. HT_RANGE: nothing
 * changed. */
HT_MUST_CHECK enum ht_status
ht_desk_set_rules(struct ht_desk *desk, const struct ht_desk_rules *rules, struct ht_error *error);

/* Decides. Errors change nothing and give no decision; `error` (may be NULL) says what to whom:
 *
 *   HT_CONFLICT   wrong order, engaged, off duty or unqualified unit, one that is not on it
 *   HT_NOT_FOUND  no such incident
 *   HT_EXISTS     open: the id is taken
 *   HT_INVALID, HT_RANGE   ids, severity, units, outcome, rating
 *   HT_NOMEM, and what the chooser said
 *
 * Some O(log n) for n incidents, and the chooser's time. */
HT_MUST_CHECK enum ht_status ht_desk_decide(struct ht_desk *desk,
                                            const struct ht_desk_command *command,
                                            const struct ht_desk_chooser *chooser,
                                            struct ht_desk_decision **out, struct ht_error *error);

/* The last decision that is neither applied nor gone is undone. Frees it; NULL is fine. */
void ht_desk_take_back(struct ht_desk *desk, struct ht_desk_decision *decision);
/* It is written: readers see it. In the order of deciding. Frees it; NULL is fine. Never fails. */
void ht_desk_apply(struct ht_desk *desk, struct ht_desk_decision *decision);
/* The transaction failed: all decisions since the last apply are dropped, in any order, before the
 * next decide. Frees it; NULL is fine. */
void ht_desk_drop(struct ht_desk *desk, struct ht_desk_decision *decision);

/* At start: an event of the table, in its order, straight into what is committed. No decision is
 * pending. HT_INVALID: it doesn't follow from what was before (a foreign table); HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_desk_replay(struct ht_desk *desk,
                                            const struct ht_desk_event *event);

/* When the next clock runs out: then (or later) a tick is wanted; INT64_MAX: none. After a tick it
 * may be in the past still: tick again. As pending. */
int64_t ht_desk_due_ms(const struct ht_desk *desk);

/* Lets go of incidents that were evaluated or cancelled before `before_ms`, or resolved by then and
 * without a running clock, `most` at once, so that history does not grow memory: the caller's table
 * has them. They are not found from then on; the counts keep them. Those that a pending decision is
 * about stay. `gone` (may be NULL) is told of each. Returns how many. */
size_t ht_desk_forget(struct ht_desk *desk, int64_t before_ms, size_t most,
                      void (*gone)(void *user, const char *incident), void *user);
/* Replaying all events of a forgotten incident between recall(true) and recall(false) brings it
 * back (for a reopen, say), also while decisions are pending, as the newest of the list: it was
 * counted before, and its units are busy with something else by now. Readers see it whole, from
 * recall(false), or the next recall(true), on; where memory runs out it is not there at all. */
void ht_desk_recall(struct ht_desk *desk, bool on);

/* As pending, borrowed until the next call that changes anything; NULL: none. */
const struct ht_incident *ht_desk_pending(const struct ht_desk *desk, const char *id);
/* Whether an incident of the device is open, as pending. */
bool ht_desk_device_open(const struct ht_desk *desk, const char *device);
/* On which incident a unit is, as pending; NULL: on none. */
const char *ht_desk_engaged(const struct ht_desk *desk, const char *unit);

/* ---- readers --------------------------------------------------------------------------------- */

/* A counted reference, to be given back; NULL: no such one committed. */
const struct ht_incident *ht_desk_get(struct ht_desk *desk, const char *id);
void ht_incident_release(const struct ht_incident *incident);

/* The id of the incident that a unit is on, as committed. False: on none. */
bool ht_desk_unit_on(struct ht_desk *desk, const char *unit, char incident[HT_DESK_ID_MAX + 1]);

struct ht_desk_filter {
    uint32_t states;       /* bits of enum ht_incident_state; 0: all */
    uint32_t kinds;        /* bits of enum ht_incident_kind; 0: all */
    uint32_t severities;   /* bits 1 to 4; 0: all */
    const char *unit;      /* on it now; NULL: any */
    const char *household; /* NULL: any */
    int64_t since_ms;      /* opened then or later; 0: any */
    uint64_t before_order; /* those with a smaller `order`, to read on; 0: from the newest */
};

/* The newest first, each a counted reference. Returns how many (at most `most`). Linear in those
 * held, in slices: never locks the writer out for long. */
size_t ht_desk_list(struct ht_desk *desk, const struct ht_desk_filter *filter, size_t most,
                    const struct ht_incident **out);
/* Whether it would be in that list, but for before_order. */
bool ht_desk_filter_passes(const struct ht_desk_filter *filter, const struct ht_incident *incident);

/* ---- counts ---------------------------------------------------------------------------------- */

/* As committed, since the table began. What is reopened is taken out again. */
struct ht_desk_totals {
    uint64_t states[HT_INCIDENT_STATES]; /* those that were forgotten included */
    uint64_t held;                       /* in memory */
    uint64_t opened;
    uint64_t folded;
    uint64_t cancelled;
    uint64_t arrived_in_time; /* of those resolved with someone on scene */
    uint64_t arrived_late;
    uint64_t late_ms;                /* the sum of it */
    uint64_t solved[HT_DESK_LEVELS]; /* resolved, by level */
    uint64_t outcomes[HT_INCIDENT_KINDS][HT_OUTCOMES];
    uint64_t rated[6]; /* [1] to [5] */
    uint64_t at_risk;
    uint64_t escalated;
};
void ht_desk_totals(struct ht_desk *desk, struct ht_desk_totals *out);

struct ht_desk_device_count {
    char device[HT_DESK_ID_MAX + 1];
    uint32_t alarms[HT_INCIDENT_KINDS]; /* folded ones included */
    uint32_t outcomes[HT_INCIDENT_KINDS][HT_OUTCOMES];
};
/* The devices that ever gave an alarm, in no order that lasts, from the `first`-th on. Returns how
 * many were written. */
size_t ht_desk_devices(struct ht_desk *desk, size_t first, size_t most,
                       struct ht_desk_device_count *out);

#endif
