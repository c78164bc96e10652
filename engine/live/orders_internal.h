/* Inside the orders: what their rooms share.
 *
 *   orders_table     entries, versions: what is kept and how long
 *   orders_project   an event folded into a version; names of the lists
 *   orders           decisions: pending, committed, taken back; replay, forgetting
 *   orders_decide    commands to events
 *   orders_plan      a plan to events
 *   orders_read      what readers ask, counts
 */
#ifndef HT_ENGINE_LIVE_ORDERS_INTERNAL_H
#define HT_ENGINE_LIVE_ORDERS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/names.h"
#include "engine/live/orders.h"

/* ---- orders_table ---------------------------------------------------------------------------- */

struct ht__order_entry;

/* A unit that an order was planned on once. Never goes, so that its id stays. */
struct ht__order_unit {
    struct ht_named named;
    char id[HT_ORDER_ID_MAX + 1];
    struct ht__order_entry *first; /* of its open orders, committed; under the lock */
};

/* A kitchen and a quarter of an hour; kept as long as an entry is of it. */
struct ht__order_quarter {
    struct ht_named named;
    uint32_t entries;
    uint64_t meals; /* as pending */
    char id[];
};

/* What never changes of an order. Shared by its versions. */
struct ht__order_facts {
    atomic_uint refs;
    const char *id;
    const char *household;
    const char *kitchen;
    char text[];
};

struct ht__order_version {
    struct ht_order view; /* the first, so that a reader's pointer leads back here */
    atomic_uint refs;
    struct ht__order_facts *facts;
    char incident[HT_ORDER_ID_MAX + 1]; /* the view's */
};

struct ht__order_entry {
    struct ht_named named; /* its id is the facts' */
    struct ht__order_version *pending;
    struct ht__order_version *committed; /* under the lock */
    struct ht_orders_log *owner;         /* whose pending version may be changed in place */
    struct ht__order_quarter *quarter;
    struct ht__order_entry *closed_before; /* in the order of closing, committed */
    struct ht__order_entry *closed_after;
    bool closed_in;
    struct ht__order_unit *on; /* whose chain it is in; NULL: none. This and below under the lock */
    struct ht__order_entry *unit_before;
    struct ht__order_entry *unit_after;
    bool told;
    struct ht_order_times times;
    uint32_t held; /* by so many logs */
    bool gone;     /* out of the table */
};

HT_MUST_CHECK enum ht_status ht__orders_unit_of(struct ht_orders *orders, const char *id,
                                                struct ht__order_unit **out);
/* A new entry with nothing in it but its facts; in the table. */
HT_MUST_CHECK enum ht_status ht__orders_entry_new(struct ht_orders *orders,
                                                  const struct ht_order_event *event,
                                                  struct ht__order_entry **out);
/* Out of the table; freed with its last hold. */
void ht__orders_entry_remove(struct ht_orders *orders, struct ht__order_entry *entry);
void ht__orders_entry_release(struct ht__order_entry *entry);

struct ht__order_version *ht__orders_version_of(const struct ht_order *order);
/* A copy (of NULL: an empty one); NULL: out of memory. */
struct ht__order_version *ht__orders_version_copy(const struct ht__order_version *from,
                                                  struct ht__order_facts *facts);
struct ht__order_version *ht__orders_version_hold(struct ht__order_version *version);
void ht__orders_version_release(struct ht__order_version *version);

/* The key of a quarter into `text`. */
enum { HT__ORDER_QUARTER_TEXT = HT_ORDER_ID_MAX + 24 };
void ht__orders_quarter_key(char text[HT__ORDER_QUARTER_TEXT], const char *kitchen, int64_t at_ms);
/* Another pending version (held by the entry from now on): the quarter's meals follow. */
void ht__orders_pending_set(struct ht__order_entry *entry, struct ht__order_version *version);

/* ---- orders_project -------------------------------------------------------------------------- */

/* Whether the event can follow. `version` NULL: there is none yet. */
bool ht__orders_event_fits(const struct ht__order_version *version,
                           const struct ht_order_event *event);
/* Folds an event that fits; its unit is the orders' own text. */
void ht__orders_project(struct ht__order_version *version, const struct ht_order_event *event);
/* Meals that its kitchen has to cook for it. */
uint64_t ht__orders_meals(const struct ht_order *order);

/* ---- orders ---------------------------------------------------------------------------------- */

struct ht__order_touched {
    struct ht__order_entry *entry;
    struct ht__order_version *before; /* NULL: it was not */
    struct ht__order_version *after;
};

/* What a decision did, so that it can be undone. */
struct ht_orders_log {
    struct ht_order_event *events;
    size_t event_count;
    size_t event_room;
    struct ht__order_touched *touched;
    size_t touched_count;
    size_t touched_room;
};

struct ht__order_listed {
    uint64_t order;
    struct ht__order_entry *entry; /* NULL: it went */
};

struct ht_orders {
    pthread_mutex_t lock;
    struct ht_names entries; /* changed under the lock */
    struct ht_names units;   /* the same */
    struct ht_names quarters;
    struct ht__order_listed *list; /* committed ones, by order. Under the lock */
    size_t list_count;
    size_t list_holes;
    size_t list_room;
    uint64_t next_order;
    uint64_t committed_order;
    struct ht__order_entry *closed_first;
    struct ht__order_entry *closed_last;
    bool recalling;
    struct ht__order_entry *recalled; /* the last one; counted twice until the next, or the end */
    struct ht_orders_totals totals;   /* under the lock */
    atomic_uint_least64_t changes;
};

struct ht__order_entry *ht__orders_entry_of(const struct ht_orders *orders, const char *id);
/* A new entry, touched; the event (received) is still to be folded. */
HT_MUST_CHECK enum ht_status ht__orders_entry_begin(struct ht_orders *orders,
                                                    struct ht_orders_log *log,
                                                    const struct ht_order_event *event,
                                                    struct ht__order_entry **out);
/* Adds an event that fits, and folds it. */
HT_MUST_CHECK enum ht_status ht__orders_fold(struct ht_orders *orders, struct ht_orders_log *log,
                                             struct ht__order_entry *entry,
                                             const struct ht_order_event *event);
/* Undoes and frees it. */
void ht__orders_log_undo(struct ht_orders *orders, struct ht_orders_log *log);
/* Ends it. HT_NOMEM: to be undone. */
HT_MUST_CHECK enum ht_status ht__orders_log_decide(struct ht_orders_log *log,
                                                   struct ht_orders_decision **out);

/* ---- orders_read ----------------------------------------------------------------------------- */

/* Where `order` is in the list, or would be. Under the lock, like the next. */
size_t ht__orders_list_at(const struct ht_orders *orders, uint64_t order);
/* The difference that a version makes in the counts. `counted`: all but states. */
void ht__orders_count(struct ht_orders *orders, const struct ht_order *order, int sign,
                      bool counted);

#endif
