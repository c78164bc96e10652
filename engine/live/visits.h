/* Visits and rectifications: who sees which site when, what was found there, and what became of it.
 * Commands in, decisions as events out; what is known is a projection of the events, as with
 * incidents (engine/live/desk.h) and orders (engine/live/orders.h). Kept by a ledger
 * (engine/live/ledger.h).
 *
 *   plan, command --> ht_visits_plan, _decide, ... --> events --(written, synced)-->
 * ht_visits_apply
 *
 *   visit   planned --> promised --> done, missed, refused, rectify, upgrade, shut   (its outcome)
 *              |  \_____________________^
 *              +------+--> cancelled
 *
 *   rectification   open <--> closed      open: due, reminded, overdue, rising a level by the clock
 *
 * A plan (of a round) makes visits, moves those that are only planned and drops those that it does
 * not name any more; what is promised or over stays, but for a promise that nobody can keep (its
 * inspector is ill): that visit is moved, and only planned again. A result is given once. A result
 * with hazards opens a numbered notice for each; a hazard that is named as the same as an open
 * notice is noted there, as the same as one that was closed within a set time opens that one again.
 *
 * Where one must not go alone, a visit has two inspectors: it is promised, dropped and reported as
 * one, and what one of the two did, both did.
 *
 * A notice asks for a re-visit before its date: it is wanted (ht_visits_wanted) until a plan has a
 * visit for it. One re-visit looks after all notices of its tenant, or of the site itself, whose
 * date it keeps; where it is only planned and they are closed, or have another, it is cancelled. A
 * notice is closed by a visit alone: one of its site that came after it, with the outcome done; who
 * saw one tenant alone saw no other's, nor what the site itself was told. A visit that was not
 * there (too far away, or impossibly soon) closes nothing; one that is doubtful otherwise does, and
 * its flags stay with the notice, also those that a later report brings it: who comes to the next
 * site too soon was too short at this one. A closed one that was drawn as a sample is wanted once
 * more, by somebody who was not there when it was closed.
 *
 * Ids, numbers and moments are all that is here: what was written down of a hazard, reasons,
 * photos, names of those visited lie with the caller, who can erase them.
 *
 * Versions: each visit and rectification has a committed and a pending one, immutable and counted.
 * Readers see committed ones only; decisions are taken on pending ones.
 *
 * Time: nothing here reads a clock; commands carry theirs (UTC ms). Rules are looked at by
 * decisions only: events carry what follows from them, so a replay does not depend on today's.
 *
 * Threading: the functions under "writer" are for one thread, those under "readers" for any beside
 * it (they take a short lock). Ownership: see each. No call prints, reads a file or fails other
 * than by status.
 */
#ifndef HT_ENGINE_LIVE_VISITS_H
#define HT_ENGINE_LIVE_VISITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_visits;
struct ht_ledger_log;

enum {
    HT_VISIT_ID_MAX = 64,    /* bytes of an id of a visit, round, site, inspector, tenant */
    HT_VISIT_HAZARDS = 64,   /* of one result */
    HT_VISIT_LEVELS = 3,     /* 0 community, 1 sub-district, 2 district */
    HT_VISIT_SEVERITIES = 4, /* 1 to 4, 4 the gravest; risks likewise */
    HT_VISIT_GRACE_MS = 12 * 3600 * 1000, /* after its end: a re-visit may still be reported before
                                             another is asked for; then it was missed */
    HT_VISIT_TICK_MOST = 64,              /* notices that one tick speaks of */
};

/* X(name, text); from DONE to SHUT they are the outcomes. */
#define HT_VISIT_STATE_MAP(X)                                                                      \
    X(PLANNED, "planned")                                                                          \
    X(PROMISED, "promised") /* told to the site: no plan moves it */                               \
    X(DONE, "done")                                                                                \
    X(MISSED, "missed")   /* nobody came */                                                        \
    X(REFUSED, "refused") /* nobody was let in */                                                  \
    X(RECTIFY, "rectify") /* hazards with a date */                                                \
    X(UPGRADE, "upgrade") /* hazards for the sub-district */                                       \
    X(SHUT, "shut")       /* closed down at once */                                                \
    X(CANCELLED, "cancelled")

/* Why a visit is made. */
#define HT_VISIT_PURPOSE_MAP(X)                                                                    \
    X(ROUND, "round")                                                                              \
    X(UNPLANNED, "unplanned")                                                                      \
    X(REVISIT, "revisit") /* whether a notice was heeded */                                        \
    X(CHECK, "check")     /* whether a closed notice was rightly closed, by somebody else */

/* X(name, text, bit) */
#define HT_VISIT_FLAG_MAP(X)                                                                       \
    X(TOO_SHORT, "too_short", 0)                                                                   \
    X(TOO_FAR, "too_far", 1)                                                                       \
    X(IMPOSSIBLE, "impossible_sequence", 2) /* nobody drives that fast between two of them */      \
    X(NO_POSITION, "no_position", 3)        /* a reason stands for the place of the check-in */    \
    X(ALONE, "alone", 4)                    /* two were to go, and one did */

#define HT_RECTIFICATION_STATE_MAP(X)                                                              \
    X(OPEN, "open")                                                                                \
    X(CLOSED, "closed")

enum ht_visit_state {
#define HT_VISIT_ENUM(name, text) HT_VISIT_IS_##name,
    HT_VISIT_STATE_MAP(HT_VISIT_ENUM)
#undef HT_VISIT_ENUM
        HT_VISIT_STATES
};

enum ht_visit_purpose {
#define HT_VISIT_ENUM(name, text) HT_VISIT_FOR_##name,
    HT_VISIT_PURPOSE_MAP(HT_VISIT_ENUM)
#undef HT_VISIT_ENUM
        HT_VISIT_PURPOSES
};

enum {
#define HT_VISIT_ENUM(name, text, bit) HT_VISIT_##name = 1 << (bit),
    HT_VISIT_FLAG_MAP(HT_VISIT_ENUM)
#undef HT_VISIT_ENUM
        HT_VISIT_FLAGS = 5
};

enum ht_rectification_state {
#define HT_VISIT_ENUM(name, text) HT_RECTIFICATION_IS_##name,
    HT_RECTIFICATION_STATE_MAP(HT_VISIT_ENUM)
#undef HT_VISIT_ENUM
        HT_RECTIFICATION_STATES
};

/* The static texts of the lists above; "" for a foreign value. `flag`: one bit. */
const char *ht_visit_state_text(enum ht_visit_state state);
const char *ht_visit_purpose_text(enum ht_visit_purpose purpose);
const char *ht_visit_flag_text(uint32_t flag);
const char *ht_rectification_state_text(enum ht_rectification_state state);
/* "community", "sub_district", "district" */
const char *ht_visit_level_text(unsigned level);

/* done to shut: somebody reported it */
bool ht_visit_is_outcome(enum ht_visit_state state);

/* ---- events ---------------------------------------------------------------------------------- */

/* Fields of ht_visit_event that a kind carries beside kind, at_ms and id. Whoever writes and reads
 * bodies goes by these masks. */
enum {
    HT_VISIT_HAS_SITE = 1 << 0,   /* site, tenant, purpose, rectification (NULL: none) */
    HT_VISIT_HAS_TIME = 1 << 1,   /* inspector, second, start_ms, end_ms, round; NULL: none */
    HT_VISIT_HAS_RESULT = 1 << 2, /* outcome, until_ms, distance_m, flags, hazards */
    HT_VISIT_HAS_NOTICE = 1 << 3, /* number, site, tenant (NULL: none), risk */
    HT_VISIT_HAS_DUE = 1 << 4,    /* due_ms, remind_by_ms, rise_by_ms */
    HT_VISIT_HAS_HAZARD = 1 << 5, /* severity, level */
    HT_VISIT_HAS_VISIT = 1 << 6,  /* visit (NULL: none) */
    HT_VISIT_HAS_BY = 1 << 7,     /* start_ms: when that visit is planned; 0: it is not */
    HT_VISIT_HAS_LEVEL = 1 << 8,  /* level, rise_by_ms */
    HT_VISIT_HAS_RANK = 1 << 9,   /* rank */
    HT_VISIT_HAS_SEED = 1 << 10,  /* seed */
    HT_VISIT_HAS_SEEN = 1 << 11,  /* inspector, second (NULL: none), seen_ms: who, and when */
    HT_VISIT_HAS_FLAGS = 1 << 12  /* flags; of a closing: those of its visit */
};

/* X(name, text, fields); the row's kind is the text. Up to CANCELLED of visits, then of
 * rectifications. */
#define HT_VISIT_EVENT_MAP(X)                                                                      \
    X(VISIT_PLANNED, "visit.planned", HT_VISIT_HAS_SITE | HT_VISIT_HAS_TIME)                       \
    X(VISIT_MOVED, "visit.moved", HT_VISIT_HAS_TIME)                                               \
    X(VISIT_PROMISED, "visit.promised", 0)                                                         \
    X(VISIT_REPORTED, "visit.reported", HT_VISIT_HAS_RESULT | HT_VISIT_HAS_SEEN)                   \
    X(VISIT_FLAGGED, "visit.flagged", HT_VISIT_HAS_FLAGS)                                          \
    X(VISIT_CANCELLED, "visit.cancelled", 0)                                                       \
    X(NOTICE_OPENED, "rectification.opened",                                                       \
      HT_VISIT_HAS_NOTICE | HT_VISIT_HAS_HAZARD | HT_VISIT_HAS_DUE | HT_VISIT_HAS_VISIT |          \
          HT_VISIT_HAS_SEEN)                                                                       \
    X(NOTICE_SEEN, "rectification.seen_again", HT_VISIT_HAS_VISIT | HT_VISIT_HAS_SEEN)             \
    X(NOTICE_REOPENED, "rectification.reopened",                                                   \
      HT_VISIT_HAS_HAZARD | HT_VISIT_HAS_DUE | HT_VISIT_HAS_VISIT | HT_VISIT_HAS_SEEN)             \
    X(NOTICE_EXTENDED, "rectification.extended", HT_VISIT_HAS_DUE | HT_VISIT_HAS_RANK)             \
    X(NOTICE_REMINDED, "rectification.reminded", 0)                                                \
    X(NOTICE_OVERDUE, "rectification.overdue", HT_VISIT_HAS_LEVEL)                                 \
    X(NOTICE_ESCALATED, "rectification.escalated", HT_VISIT_HAS_LEVEL)                             \
    X(NOTICE_REVISIT, "rectification.revisit", HT_VISIT_HAS_VISIT | HT_VISIT_HAS_BY)               \
    X(NOTICE_CLOSED, "rectification.closed",                                                       \
      HT_VISIT_HAS_VISIT | HT_VISIT_HAS_SEEN | HT_VISIT_HAS_FLAGS)                                 \
    X(NOTICE_FLAGGED, "rectification.flagged", HT_VISIT_HAS_FLAGS)                                 \
    X(NOTICE_SAMPLED, "rectification.sampled", HT_VISIT_HAS_SEED)                                  \
    X(NOTICE_CHECKED, "rectification.checked", HT_VISIT_HAS_VISIT | HT_VISIT_HAS_SEEN)

enum ht_visit_event_kind {
#define HT_VISIT_ENUM(name, text, fields) HT_##name,
    HT_VISIT_EVENT_MAP(HT_VISIT_ENUM)
#undef HT_VISIT_ENUM
        HT_VISIT_EVENT_KINDS
};

const char *ht_visit_event_text(enum ht_visit_event_kind kind);
uint32_t ht_visit_event_fields(enum ht_visit_event_kind kind);
/* Of a visit; else of a rectification. */
bool ht_visit_event_is_visit(enum ht_visit_event_kind kind);

/* Moments are UTC ms, 0: none. Fields that the kind does not carry are 0 or NULL. */
struct ht_visit_event {
    enum ht_visit_event_kind kind;
    uint8_t purpose;  /* enum ht_visit_purpose */
    uint8_t outcome;  /* enum ht_visit_state */
    uint8_t severity; /* 1 to 4 */
    uint8_t risk;     /* of the site or tenant, 1 to 4 */
    uint8_t level;    /* below HT_VISIT_LEVELS */
    uint8_t rank;     /* likewise, of who extends */
    int64_t at_ms;
    const char *id; /* of the visit or rectification */
    const char *round;
    const char *site;
    const char *tenant;
    const char *inspector;
    const char *second;
    const char *visit;
    const char *rectification;
    int64_t start_ms;
    int64_t end_ms;
    int64_t seen_ms;  /* checked in */
    int64_t until_ms; /* left; 0: not said */
    int64_t due_ms;
    int64_t remind_by_ms; /* 0: never */
    int64_t rise_by_ms;   /* overdue, then a level higher, from then on; 0: never */
    uint64_t seed;
    uint32_t distance_m; /* of the check-in from the site; UINT32_MAX: not said where */
    uint32_t flags;
    uint32_t hazards;
    uint32_t number; /* of the notice, from 1 on */
};

/* ---- visits and rectifications --------------------------------------------------------------- */

/* Versions: immutable. Texts live as long as they do. */
struct ht_visit {
    const char *id;
    const char *round;         /* NULL: of none */
    const char *site;          /* of factories, facilities or households: the caller's matter */
    const char *tenant;        /* of the site, who alone is seen; NULL: the site itself */
    const char *inspector;     /* NULL: nobody yet */
    const char *second;        /* who goes along; NULL: nobody */
    const char *rectification; /* of a revisit or check; NULL: none */
    enum ht_visit_purpose purpose;
    enum ht_visit_state state;
    uint64_t version; /* 1 for the first event, and one more for each that follows */
    uint64_t order;   /* of creation among all visits */
    int64_t start_ms; /* as planned; of an unplanned one as it was */
    int64_t end_ms;
    int64_t seen_ms; /* this and the next: 0: not yet, or not said */
    int64_t until_ms;
    int64_t closed_ms; /* reported or cancelled; 0: open */
    int64_t changed_ms;
    int64_t planned_ms; /* the first time */
    uint32_t moves;
    uint32_t distance_m; /* UINT32_MAX: not said */
    uint32_t flags;
    uint32_t hazards;
};

struct ht_rectification {
    const char *id;
    const char *site;
    const char *tenant;        /* NULL: the site itself */
    const char *inspector;     /* who found it first */
    const char *visit;         /* that found it, or found it again last */
    const char *revisit;       /* planned to look after it; NULL: none */
    const char *closed_by;     /* the visit that saw it mended; NULL: none (yet) */
    const char *closer;        /* its inspector */
    const char *closer_second; /* who was with them; NULL: nobody */
    const char *checked_by;    /* the second look at a closed one; NULL: none (yet) */
    enum ht_rectification_state state;
    uint64_t version;
    uint64_t order;
    uint32_t number;
    uint8_t severity;
    uint8_t risk;
    uint8_t level;
    bool overdue; /* and said so; see ht_rectification_is_overdue */
    bool reminded;
    bool sampled;        /* a second look is wanted, until checked_by */
    int64_t extended_ms; /* by all extensions since it was begun */
    uint32_t extensions;
    uint32_t reopened;  /* times */
    uint32_t sightings; /* times it was found, the first included */
    int64_t opened_ms;  /* the first time */
    int64_t begun_ms;   /* this time: opened or reopened */
    int64_t found_ms;   /* seen last as not mended */
    int64_t due_ms;
    int64_t remind_by_ms; /* this and the next: 0: never (more) */
    int64_t rise_by_ms;
    int64_t revisit_ms; /* when the re-visit is planned; 0: it is not */
    int64_t closed_ms;  /* 0: open */
    int64_t changed_ms;
    int64_t mended_ms;     /* when the closing visit saw it; 0: not (yet) */
    uint32_t closed_flags; /* of the closing visit */
    uint64_t seed;         /* of the sample */
};

/* Open, and its date has passed. */
bool ht_rectification_is_overdue(const struct ht_rectification *notice, int64_t now_ms);

/* ---- rules ----------------------------------------------------------------------------------- */

struct ht_visit_rules {
    int64_t due_ms[HT_VISIT_SEVERITIES];  /* where a hazard has no date of its own */
    int64_t remind_ms;                    /* before the date; 0: never */
    int64_t rise_ms[HT_VISIT_LEVELS - 1]; /* overdue for so long on a level; 0: never */
    int64_t extend_ms[HT_VISIT_LEVELS];   /* the most in all up to a rank's word; 0: nothing */
    int64_t again_ms;                     /* closed for at most so long: opened again */
};
struct ht_visit_rules ht_visit_rules_default(void);

/* ---- writer: decisions ----------------------------------------------------------------------- */

/* What was decided. Owned by the caller until given to apply, take_back or drop. Texts of events
 * live as long. */
struct ht_visits_decision {
    const struct ht_visit_event *const *events; /* in the order to be written; may be none */
    size_t event_count;
    const struct ht_visit *visit;                 /* as it will be; NULL: of none */
    const struct ht_rectification *rectification; /* likewise */
    size_t passed_over;                           /* of plan */
    size_t more; /* of tick: notices that are due as well, for the next */
    /* The rest is the ledger's. */
    struct ht_ledger_log *log;
};

/* HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_visits_new(struct ht_visits **out);
void ht_visits_free(struct ht_visits *visits);

/* One visit as a plan (of a round, of a dispatcher) has it. */
struct ht_visit_row {
    const char *id; /* the planner's: a visit that is there is moved, else made */
    const char *site;
    const char *tenant;    /* NULL: the site itself, or all of it */
    const char *inspector; /* NULL: nobody yet */
    const char *second;    /* NULL: nobody; another than `inspector`, who has to be there */
    const char
        *rectification; /* NULL: none; of a REVISIT (it is open) or CHECK (closed, sampled) */
    enum ht_visit_purpose purpose;
    bool let_down; /* of one that is promised: that can't be kept; it is moved, and planned then */
    int64_t start_ms;
    int64_t end_ms; /* >= start_ms */
};

struct ht_visit_planning {
    const char *round; /* NULL: of none */
    const struct ht_visit_row *rows;
    size_t count;
    int64_t now_ms;
    /* The plan is whole: visits of the round that are planned, begin at `from_ms` or later and are
     * not among the rows, are cancelled. */
    bool whole;
    int64_t from_ms;
    bool promised; /* of a whole plan: promised ones are cancelled, too */
};

/* Takes a plan over, all of it or (an error) nothing. What went on since it was made is stronger: a
 * row of a visit that is promised (and not let down), over, or of another site or tenant, and one
 * whose rectification asks for no visit any more, is passed over and counted. An event is written
 * where an inspector, start or end is another. HT_CONFLICT: an inspector has a visit of another
 * round at that time meanwhile; HT_INVALID: `error` names the row, as /rows/N/member; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_visits_plan(struct ht_visits *visits,
                                            const struct ht_visit_planning *planning,
                                            struct ht_visits_decision **out,
                                            struct ht_error *error);

enum ht_visit_command_kind {
    HT_VISIT_OPEN,    /* one that no plan has: the facts of `row` */
    HT_VISIT_PROMISE, /* of a planned one */
    HT_VISIT_CANCEL,  /* of one that is not over */
    HT_VISIT_REPORT,
    HT_NOTICE_EXTEND, /* `notice`, to `due_ms`, by `rank` */
    HT_NOTICE_CLOSE,  /* `notice`, by `visit` */
    HT_NOTICE_SAMPLE, /* `notice` is drawn for a second look */
    HT_VISIT_COMMANDS
};

/* A hazard as it was found. */
struct ht_visit_hazard {
    const char *id;      /* of the notice, should it become one */
    const char *same_as; /* the notice that it is known by, open or closed; NULL: none */
    const char *tenant;  /* NULL: the site itself */
    uint8_t severity;
    uint8_t risk;
    int64_t due_ms; /* 0: by the rules */
};

struct ht_visit_command {
    enum ht_visit_command_kind kind;
    int64_t now_ms;
    const char *visit;  /* also of close */
    const char *notice; /* extend, close, sample */
    const struct ht_visit_rules *rules;
    struct ht_visit_row row; /* open; its id is not looked at */
    /* report */
    const char *inspector; /* NULL: the one who is planned */
    const char *second;    /* NULL: the other one of two, where `inspector` is one of them */
    enum ht_visit_state outcome;
    int64_t seen_ms;  /* not after now_ms */
    int64_t until_ms; /* 0: not said; else not before seen_ms */
    uint32_t distance_m;
    uint32_t flags;
    const struct ht_visit_hazard *hazards;
    size_t hazard_count;
    const char *shorts[2]; /* visits reported before that were too short, as is known now; NULL */
    /* extend, sample */
    int64_t due_ms;
    uint8_t rank;
    uint64_t seed;
};

/* Decides. Errors change nothing and give no decision; `error` (may be NULL) says what to whom:
 *
 *   HT_CONFLICT   wrong order of events; closing by a visit that did not see it mended
 *   HT_NOT_FOUND  no such visit or rectification
 *   HT_EXISTS     open: the id is taken
 *   HT_INVALID, HT_RANGE   ids, times, hazards that the outcome does not go with
 *   HT_NOMEM
 */
HT_MUST_CHECK enum ht_status ht_visits_decide(struct ht_visits *visits,
                                              const struct ht_visit_command *command,
                                              struct ht_visits_decision **out,
                                              struct ht_error *error);

/* What the clock has to say until `now_ms`: reminders, dates that passed, levels. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_visits_tick(struct ht_visits *visits, int64_t now_ms,
                                            const struct ht_visit_rules *rules,
                                            struct ht_visits_decision **out);
/* When a tick has something to say next, as pending; INT64_MAX: never. From any thread. */
int64_t ht_visits_due_ms(const struct ht_visits *visits);

/* The last decision that is neither applied nor gone is undone. Frees it; NULL is fine. */
void ht_visits_take_back(struct ht_visits *visits, struct ht_visits_decision *decision);
/* It is written: readers see it. In the order of deciding. Frees it; NULL is fine. Never fails. */
void ht_visits_apply(struct ht_visits *visits, struct ht_visits_decision *decision);
/* The transaction failed: all decisions since the last apply are dropped, in any order, before the
 * next decide. Frees it; NULL is fine. */
void ht_visits_drop(struct ht_visits *visits, struct ht_visits_decision *decision);

/* At start: an event of the table, in the order of its visit or rectification, straight into what
 * is committed. No decision is pending. HT_INVALID: it doesn't follow from what was before (a
 * foreign table); HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_visits_replay(struct ht_visits *visits,
                                              const struct ht_visit_event *event);
/* Notices are numbered from then on after this one at least. */
void ht_visits_number_set(struct ht_visits *visits, uint32_t number);

/* Lets go of what was over before `before_ms`, `most` at once: the caller's table has it. Returns
 * how many. */
size_t ht_visits_forget(struct ht_visits *visits, int64_t before_ms, size_t most);

/* As pending, borrowed until the next call that changes anything; NULL: none. */
const struct ht_visit *ht_visits_pending(const struct ht_visits *visits, const char *id);
const struct ht_rectification *ht_rectifications_pending(const struct ht_visits *visits,
                                                         const char *id);

/* ---- readers --------------------------------------------------------------------------------- */

/* Counted references, to be given back; NULL: no such one committed. */
const struct ht_visit *ht_visits_get(struct ht_visits *visits, const char *id);
void ht_visit_release(const struct ht_visit *visit);
/* Whether the unit is one of those who go, or went. */
bool ht_visit_is_by(const struct ht_visit *visit, const char *unit);
const struct ht_rectification *ht_rectifications_get(struct ht_visits *visits, const char *id);
void ht_rectification_release(const struct ht_rectification *notice);

struct ht_visit_filter {
    uint32_t states;   /* bits of enum ht_visit_state; 0: all */
    const char *round; /* this and the next four: NULL: any */
    const char *site;
    const char *tenant;
    const char *inspector; /* also as the second */
    const char *rectification;
    int64_t from_ms;       /* those that end then or later */
    int64_t to_ms;         /* those that begin then or earlier; 0: any */
    uint64_t before_order; /* those with a smaller `order`, to read on; 0: from the newest */
};

/* The newest first, each a counted reference. Returns how many (at most `most`). Linear in those
 * held, in slices: never locks the writer out for long. */
size_t ht_visits_list(struct ht_visits *visits, const struct ht_visit_filter *filter, size_t most,
                      const struct ht_visit **out);
bool ht_visit_filter_passes(const struct ht_visit_filter *filter, const struct ht_visit *visit);

struct ht_rectification_filter {
    uint32_t states; /* bits of enum ht_rectification_state; 0: all */
    int overdue;     /* 1: those that are at `now_ms`, -1: those that are not, 0: all */
    int64_t now_ms;
    const char *site; /* this and the next two: NULL: any */
    const char *tenant;
    const char *inspector;
    const char *unit;       /* NULL: any; who found it, or whose visit found or looks after it */
    int64_t opened_from_ms; /* opened (this time) then or later */
    int64_t opened_to_ms;   /* then or earlier; 0: any */
    uint64_t before_order;
};
size_t ht_rectifications_list(struct ht_visits *visits,
                              const struct ht_rectification_filter *filter, size_t most,
                              const struct ht_rectification **out);
/* But for `unit`, which asks for the visits. */
bool ht_rectification_filter_passes(const struct ht_rectification_filter *filter,
                                    const struct ht_rectification *notice);

/* A visit that has to be planned: an open notice without a re-visit ahead (by its inspector, before
 * its date), a closed one that was drawn (by anybody but `not_by`). */
struct ht_visit_wish {
    const struct ht_rectification *notice; /* a counted reference */
    enum ht_visit_purpose purpose;         /* REVISIT or CHECK */
    int64_t by_ms;                         /* 0: when there is time */
    const char *by;                        /* the inspector who should; NULL: any */
    const char *not_by;                    /* who must not; NULL: any may */
    const char *not_by_second;             /* nor this one */
};
/* What is wanted at `now_ms`, the oldest notice first. A re-visit that is planned for a moment that
 * has passed without a result is wanted anew. Give each notice back. */
size_t ht_visits_wanted(struct ht_visits *visits, int64_t now_ms, size_t most,
                        struct ht_visit_wish *out);
/* When the next re-visit that is counted on ends, after which it is wanted anew; INT64_MAX: none.
 */
int64_t ht_visits_wanted_next_ms(struct ht_visits *visits, int64_t now_ms);
/* When a notice that a visit looks after was begun, and its date; both 0: it is a closed one. */
struct ht_visit_term {
    int64_t begun_ms;
    int64_t by_ms;
};
/* Whether a notice counts on that visit; `*out`: of the one with the first date. */
bool ht_visits_is_counted_on(struct ht_visits *visits, const char *visit,
                             struct ht_visit_term *out);
/* Whether a unit found the notice, or has the visit that found it or looks after it. */
bool ht_rectification_is_of(struct ht_visits *visits, const struct ht_rectification *notice,
                            const char *unit);

/* Grows with each commit that a plan has to know of: results, cancelled ones, notices. */
uint64_t ht_visits_changes(const struct ht_visits *visits);

/* ---- counts ---------------------------------------------------------------------------------- */

/* As committed, of those in memory. */
struct ht_visits_totals {
    uint64_t visits[HT_VISIT_STATES];
    uint64_t notices[HT_RECTIFICATION_STATES];
    uint64_t overdue[HT_VISIT_LEVELS]; /* open, and said to be, by level */
    uint64_t flagged;
};
void ht_visits_totals(struct ht_visits *visits, struct ht_visits_totals *out);

#endif
