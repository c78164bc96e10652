/* Orders: meals on their way from a kitchen to a door. Commands in, decisions as events out; what
 * is known of an order is a projection of its events, as with incidents (engine/live/desk.h).
 *
 *   command --> ht_orders_decide --> events --(written by the caller, synced)--> ht_orders_apply
 *   plan    --> ht_orders_plan   --^     ^
 *                                  +-----+-- folded by the same function that replays the table
 *
 *   received <--> planned --> loaded --> enroute --> delivered
 *       |            |           |          |
 *       |            |           +----------+--> failed   (with a reason and a next step)
 *       +------------+-----------+----------+--> cancelled
 *
 * The plan moves orders between received and planned, as often as it likes. Loaded and enroute ones
 * are pinned: they stay on their unit, a plan only says anew when they come. Before a meal is
 * loaded it fails by `breakdown` and `other` alone: nobody was at a door. What failed with the next
 * step `retry` is received again at once, with one more attempt. Over: delivered, failed,
 * cancelled; reopened ones are received again. Every other order of events is HT_CONFLICT and
 * changes nothing.
 *
 * What an order is: where it goes (a household, or a place that the caller keeps), the kitchen that
 * cooks it, a load in as many dimensions as units have capacities (the first counts the meals), the
 * moment from which it can be fetched (ready), the window in which it shall be at the door (due),
 * the time that handing over takes. Diets are skills of the meal, so of the kitchen that cooks it:
 * an order whose diets its kitchen does not cook is refused when it comes in, and no unit has to
 * have them; they say something of somebody's health, so they are kept by the caller with the place
 * and stand in no event. Ids, numbers and moments are all that is here.
 *
 * Capacity: a kitchen cooks so many meals (load[0]) to be ready within a quarter of an hour. The
 * sum of those that were not cancelled is kept here, as pending.
 *
 * Versions: each order has a committed and a pending one, immutable and counted. Readers see
 * committed ones only; decisions are taken on pending ones, so that a batch of commands can be
 * decided before any of them is written.
 *
 * Time: nothing here reads a clock; commands carry theirs (UTC ms).
 *
 * Threading: the functions under "writer" are for one thread, those under "readers" for any beside
 * it (they take a short lock). Ownership: see each. No call prints, reads a file or fails other
 * than by status.
 */
#ifndef HT_ENGINE_LIVE_ORDERS_H
#define HT_ENGINE_LIVE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_orders;
struct ht_orders_log;

enum {
    HT_ORDER_ID_MAX = 64,         /* bytes of an id of an order, unit, household, kitchen */
    HT_ORDER_LOADS = 8,           /* dimensions of a load */
    HT_ORDER_LOAD_MOST = 1000000, /* in one dimension */
    HT_ORDER_PRIORITY_MOST = 100,
    HT_ORDER_QUARTER_MS = 15 * 60000 /* of which a kitchen's capacity is */
};

/* X(name, text) */
#define HT_ORDER_STATE_MAP(X)                                                                      \
    X(RECEIVED, "received")                                                                        \
    X(PLANNED, "planned")                                                                          \
    X(LOADED, "loaded")                                                                            \
    X(ENROUTE, "enroute")                                                                          \
    X(DELIVERED, "delivered")                                                                      \
    X(FAILED, "failed")                                                                            \
    X(CANCELLED, "cancelled")

/* Why it could not be handed over. */
#define HT_ORDER_REASON_MAP(X)                                                                     \
    X(NONE, "none")                                                                                \
    X(NO_ANSWER, "no_answer")                                                                      \
    X(REFUSED, "refused")                                                                          \
    X(WRONG_ADDRESS, "wrong_address")                                                              \
    X(BREAKDOWN, "breakdown") /* of the van, of the kitchen */                                     \
    X(OTHER, "other")

/* What became of the meal. */
#define HT_ORDER_NEXT_MAP(X)                                                                       \
    X(NONE, "none") /* it was never loaded */                                                      \
    X(LEFT_WITH_NEIGHBOUR, "left_with_neighbour")                                                  \
    X(BROUGHT_BACK, "brought_back")                                                                \
    X(PARTLY_DELIVERED, "partly_delivered") /* `count` of load[0] */                               \
    X(RETRY, "retry")

/* Where it is handed over. */
#define HT_ORDER_HANDOVER_MAP(X)                                                                   \
    X(AT_DOOR, "door")                                                                             \
    X(AT_VAN, "van") /* they come to it */

/* Why no unit has it in its plan. */
#define HT_ORDER_UNPLANNED_MAP(X)                                                                  \
    X(NONE, "none") /* nobody looked yet */                                                        \
    X(CAPACITY, "capacity")                                                                        \
    X(WINDOW, "window")                                                                            \
    X(NO_WAY, "no_way")                                                                            \
    X(SHIFT, "shift")     /* no unit is on duty then */                                            \
    X(KITCHEN, "kitchen") /* it is closed or broken down */                                        \
    X(RIDE, "ride")       /* it would be cold before it is there */                                \
    X(OTHER, "other")

enum ht_order_state {
#define HT_ORDER_ENUM(name, text) HT_ORDER_IS_##name,
    HT_ORDER_STATE_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_STATES
};

enum ht_order_reason {
#define HT_ORDER_ENUM(name, text) HT_ORDER_FOR_##name,
    HT_ORDER_REASON_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_REASONS
};

enum ht_order_next {
#define HT_ORDER_ENUM(name, text) HT_ORDER_THEN_##name,
    HT_ORDER_NEXT_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_NEXTS
};

enum ht_order_handover {
#define HT_ORDER_ENUM(name, text) HT_ORDER_##name,
    HT_ORDER_HANDOVER_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_HANDOVERS
};

enum ht_order_unplanned {
#define HT_ORDER_ENUM(name, text) HT_ORDER_LACKS_##name,
    HT_ORDER_UNPLANNED_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_UNPLANNED_REASONS
};

/* The static texts of the lists above; "" for a foreign value. */
const char *ht_order_state_text(enum ht_order_state state);
const char *ht_order_reason_text(enum ht_order_reason reason);
const char *ht_order_next_text(enum ht_order_next next);
const char *ht_order_handover_text(enum ht_order_handover handover);
const char *ht_order_unplanned_text(enum ht_order_unplanned reason);

/* ---- events ---------------------------------------------------------------------------------- */

/* Fields of ht_order_event that a kind carries beside kind, at_ms and order. Whoever writes and
 * reads bodies goes by these masks. */
enum {
    HT_ORDER_HAS_FACTS = 1 << 0, /* household (NULL: none), kitchen, load, ready_ms, due_from_ms,
                                    due_to_ms, service_ms, priority, handover */
    HT_ORDER_HAS_UNIT = 1 << 1,
    HT_ORDER_HAS_PLAN = 1 << 2,   /* sequence, eta_ms, eta_low_ms, eta_high_ms */
    HT_ORDER_HAS_LACK = 1 << 3,   /* unplanned */
    HT_ORDER_HAS_FAILURE = 1 << 4 /* reason, next, count, incident (NULL: none) */
};

/* X(name, text, fields); the row's kind is "order." + text. */
#define HT_ORDER_EVENT_MAP(X)                                                                      \
    X(RECEIVED, "received", HT_ORDER_HAS_FACTS)                                                    \
    X(PLANNED, "planned", HT_ORDER_HAS_UNIT | HT_ORDER_HAS_PLAN) /* or other times for it */       \
    X(UNPLANNED, "unplanned", HT_ORDER_HAS_LACK)                                                   \
    X(LOADED, "loaded", HT_ORDER_HAS_UNIT)                                                         \
    X(ENROUTE, "enroute", 0)                                                                       \
    X(DELIVERED, "delivered", 0)                                                                   \
    X(FAILED, "failed", HT_ORDER_HAS_FAILURE)                                                      \
    X(CANCELLED, "cancelled", 0)                                                                   \
    X(REOPENED, "reopened", 0)

enum ht_order_event_kind {
#define HT_ORDER_ENUM(name, text, fields) HT_ORDER_##name,
    HT_ORDER_EVENT_MAP(HT_ORDER_ENUM)
#undef HT_ORDER_ENUM
        HT_ORDER_EVENT_KINDS
};

const char *ht_order_event_text(enum ht_order_event_kind kind);
uint32_t ht_order_event_fields(enum ht_order_event_kind kind);

/* Moments are UTC ms. Fields that the kind does not carry are 0 or NULL. */
struct ht_order_event {
    enum ht_order_event_kind kind;
    uint8_t unplanned; /* enum ht_order_unplanned */
    uint8_t reason;    /* enum ht_order_reason */
    uint8_t next;      /* enum ht_order_next */
    uint8_t handover;  /* enum ht_order_handover */
    int64_t at_ms;
    const char *order;
    const char *household;
    const char *kitchen;
    const char *unit;
    const char *incident;
    int64_t ready_ms;
    int64_t due_from_ms;
    int64_t due_to_ms;
    int64_t eta_ms;
    int64_t eta_low_ms;
    int64_t eta_high_ms;
    uint32_t load[HT_ORDER_LOADS];
    uint32_t load_count;
    uint32_t service_ms;
    uint32_t priority;
    uint32_t sequence;
    uint32_t count;
};

/* ---- orders ---------------------------------------------------------------------------------- */

/* A version: immutable. Texts live as long as it does. */
struct ht_order {
    const char *id;
    const char *household; /* NULL: at a place that is no household's */
    const char *kitchen;
    uint32_t load[HT_ORDER_LOADS]; /* the first: meals */
    uint32_t load_count;           /* 1 to HT_ORDER_LOADS */
    uint32_t service_ms;
    uint32_t priority; /* up to HT_ORDER_PRIORITY_MOST: these first, if not all can be brought */
    enum ht_order_handover handover;
    int64_t ready_ms;
    int64_t due_from_ms;
    int64_t due_to_ms;
    enum ht_order_state state;
    uint64_t version; /* 1 for the first event, and one more for each that follows */
    uint64_t order;   /* of creation among all */
    /* the plan, kept when it is over; of a received one there is none */
    const char *unit;   /* NULL: none */
    uint32_t sequence;  /* of the stop on the unit's way: rises along it, perhaps with gaps; those
                           handed over at one stop have the same */
    int64_t eta_ms;     /* of the hand-over's beginning; this and the next two 0: not known */
    int64_t eta_low_ms; /* the band: 90 of 100 come within */
    int64_t eta_high_ms;
    enum ht_order_unplanned unplanned; /* why a received one has no plan */
    /* the last failure; stays after a reopen */
    enum ht_order_reason reason;
    enum ht_order_next next;
    uint32_t count; /* of meals that were handed over (partly_delivered) */
    uint32_t failures;
    int64_t failed_ms;
    const char *incident; /* opened for it, since nobody answered; NULL: none */
    int64_t received_ms;  /* this: or when it was reopened; the next four 0: not (or not again) */
    int64_t loaded_ms;
    int64_t enroute_ms;
    int64_t closed_ms; /* delivered, failed or cancelled */
    int64_t opened_ms; /* received the first time */
    int64_t changed_ms;
};

/* received, planned, loaded or enroute */
bool ht_order_is_open(const struct ht_order *order);
/* loaded or enroute: no plan moves it */
bool ht_order_is_pinned(const struct ht_order *order);

/* ---- writer: commands ------------------------------------------------------------------------ */

enum ht_order_command_kind {
    HT_ORDER_OPEN,
    HT_ORDER_LOAD, /* onto its unit; a received one onto `unit`, which has to be said */
    HT_ORDER_GO,   /* enroute */
    HT_ORDER_DELIVER,
    HT_ORDER_FAIL,
    HT_ORDER_CANCEL,
    HT_ORDER_REOPEN,
    HT_ORDER_COMMANDS
};

struct ht_order_command {
    enum ht_order_command_kind kind;
    int64_t now_ms;
    const char *order;
    const char *unit; /* NULL: not said; load, go, deliver, fail: another unit's is HT_CONFLICT */
    /* open */
    const char *household; /* NULL: none */
    const char *kitchen;
    const uint32_t *load;
    uint32_t load_count;
    uint32_t service_ms;
    uint32_t priority;
    enum ht_order_handover handover;
    int64_t ready_ms;
    int64_t due_from_ms;
    int64_t due_to_ms;
    uint32_t quarter_most; /* meals that the kitchen cooks in that quarter; 0: any number */
    /* fail */
    enum ht_order_reason reason;
    enum ht_order_next next; /* NONE: brought back, of one that was loaded */
    uint32_t count;
    const char *incident; /* NULL: none */
};

/* What was decided. Owned by the caller until given to apply, take_back or drop. Texts of events
 * live as long. */
struct ht_orders_decision {
    const struct ht_order_event *events; /* in the order to be written; none: nothing changed */
    size_t event_count;
    const struct ht_order *order; /* of decide: as it will be; NULL of plan */
    size_t passed_over;           /* of plan: see there */
    /* The rest is the orders'. */
    struct ht_orders_log *log;
};

/* HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_orders_new(struct ht_orders **out);
void ht_orders_free(struct ht_orders *orders);

/* Decides. Errors change nothing and give no decision; `error` (may be NULL) says what to whom:
 *
 *   HT_CONFLICT   wrong order of events, another unit
 *   HT_NOT_FOUND  no such order
 *   HT_EXISTS     open: the id is taken
 *   HT_INVALID, HT_RANGE   ids, load, window, reason, next, count
 *   HT_FULL       open: the kitchen has no capacity left in that quarter
 *   HT_NOMEM
 */
HT_MUST_CHECK enum ht_status ht_orders_decide(struct ht_orders *orders,
                                              const struct ht_order_command *command,
                                              struct ht_orders_decision **out,
                                              struct ht_error *error);

/* What a plan says of an order. `unit` NULL: it is on nobody's way, for the reason `unplanned`. */
struct ht_order_plan {
    const char *order;
    const char *unit;
    int64_t eta_ms;
    int64_t eta_low_ms; /* low <= eta <= high */
    int64_t eta_high_ms;
    uint32_t sequence;
    enum ht_order_unplanned unplanned;
};

/* Takes a plan over. Orders that it doesn't name stay as they are. What went on since it was made
 * is stronger: an order that is gone or over, a pinned one on another unit or on none, and a row
 * that is not well formed is passed over and counted. An event is written where the unit, the
 * sequence or the reason is another, or its times shift by `step_ms` (ht_order_shifts; what does
 * not is for ht_orders_tell); for each row where `step_ms` is below 0. HT_NOMEM: nothing changed.
 */
HT_MUST_CHECK enum ht_status ht_orders_plan(struct ht_orders *orders,
                                            const struct ht_order_plan *rows, size_t count,
                                            int64_t now_ms, int64_t step_ms,
                                            struct ht_orders_decision **out);

/* The last decision that is neither applied nor gone is undone. Frees it; NULL is fine. */
void ht_orders_take_back(struct ht_orders *orders, struct ht_orders_decision *decision);
/* It is written: readers see it. In the order of deciding. Frees it; NULL is fine. Never fails. */
void ht_orders_apply(struct ht_orders *orders, struct ht_orders_decision *decision);
/* The transaction failed: all decisions since the last apply are dropped, in any order, before the
 * next decide. Frees it; NULL is fine. */
void ht_orders_drop(struct ht_orders *orders, struct ht_orders_decision *decision);

/* At start: an event of the table, in its order, straight into what is committed. No decision is
 * pending. HT_INVALID: it doesn't follow from what was before (a foreign table); HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_orders_replay(struct ht_orders *orders,
                                              const struct ht_order_event *event);

/* Lets go of orders that were over before `before_ms`, `most` at once, so that history does not
 * grow memory: the caller's table has them. They are not found from then on; the counts keep them.
 * Those that a pending decision is about stay. `gone` (may be NULL) is told of each.
 * Returns how many. */
size_t ht_orders_forget(struct ht_orders *orders, int64_t before_ms, size_t most,
                        void (*gone)(void *user, const char *order), void *user);
/* Replaying all events of a forgotten order between recall(true) and recall(false) brings it back
 * (for a reopen, say), also while decisions are pending, as the newest: it was counted before. */
void ht_orders_recall(struct ht_orders *orders, bool on);

/* As pending, borrowed until the next call that changes anything; NULL: none. */
const struct ht_order *ht_orders_pending(const struct ht_orders *orders, const char *id);
/* Meals that a kitchen has to have ready in the quarter that `at_ms` lies in, as pending. */
uint64_t ht_orders_quarter(const struct ht_orders *orders, const char *kitchen, int64_t at_ms);

/* ---- readers --------------------------------------------------------------------------------- */

/* A counted reference, to be given back; NULL: no such one committed. */
const struct ht_order *ht_orders_get(struct ht_orders *orders, const char *id);
void ht_order_release(const struct ht_order *order);

struct ht_order_filter {
    uint32_t states;  /* bits of enum ht_order_state; 0: all */
    const char *unit; /* this and the next two: NULL: any */
    const char *household;
    const char *kitchen;
    int64_t due_from_ms;   /* windows that end then or later; INT64_MIN: any. Of a filter that is
                              all 0 it is 1970, so any as well */
    int64_t due_to_ms;     /* windows that begin then or earlier; 0: any */
    uint64_t before_order; /* those with a smaller `order`, to read on; 0: from the newest */
};

/* The newest first, each a counted reference. Returns how many (at most `most`). Linear in those
 * held, in slices: never locks the writer out for long. All that are to be planned: states
 * received, planned, loaded, enroute. */
size_t ht_orders_list(struct ht_orders *orders, const struct ht_order_filter *filter, size_t most,
                      const struct ht_order **out);
/* Whether it would be in that list, but for before_order. */
bool ht_order_filter_passes(const struct ht_order_filter *filter, const struct ht_order *order);

/* The open ones of a unit's plan, by sequence, each a counted reference. */
size_t ht_orders_of_unit(struct ht_orders *orders, const char *unit, size_t most,
                         const struct ht_order **out);
/* How many stops with open orders the unit has before this one's; UINT32_MAX: it is not on an open
 * plan. */
uint32_t ht_orders_stops_before(struct ht_orders *orders, const char *id);

/* When an order comes as its unit drives now: not durable, between two plans. It holds as long as
 * the order has that unit, and until a plan says times of its own. */
struct ht_order_times {
    const char *unit; /* as told; borrowed, not given back by _times */
    int64_t eta_ms;
    int64_t eta_low_ms;
    int64_t eta_high_ms;
};
/* Whether these are news, for everybody, to who heard the order's: it comes sooner or later by the
 * step, the band reaches farther by the step, or is half as wide (and narrower by the step). Step
 * 0: whatever differs. */
bool ht_order_shifts(const struct ht_order *order, const struct ht_order_times *times,
                     int64_t step_ms);
/* False: no such order, or not on that unit. */
bool ht_orders_tell(struct ht_orders *orders, const char *id, const struct ht_order_times *times);
/* What was told last; else what the plan says. False: neither. */
bool ht_orders_times(struct ht_orders *orders, const char *id, struct ht_order_times *out);

/* Grows with each commit that a plan has to know of: all events but planned and unplanned. */
uint64_t ht_orders_changes(const struct ht_orders *orders);

/* ---- counts ---------------------------------------------------------------------------------- */

/* As committed, since the table began. What is reopened is taken out again, but for `failures`. */
struct ht_orders_totals {
    uint64_t states[HT_ORDER_STATES]; /* those that were forgotten included */
    uint64_t held;                    /* in memory */
    uint64_t delivered_in_window;     /* before it ended */
    uint64_t delivered_late;
    uint64_t late_ms; /* the sum of it */
    uint64_t failures[HT_ORDER_REASONS];
    uint64_t meals; /* delivered, partly ones included */
    uint64_t incidents;
};
void ht_orders_totals(struct ht_orders *orders, struct ht_orders_totals *out);

#endif
