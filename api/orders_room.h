/* Orders room: the orders (engine/live/orders.h) among the others: the store that keeps their
 * events, the places where they go, the tokens that they are tracked by, the office's rules.
 *
 *   command --> ht_orders_decide --> ht_orders_room_write --(commit)--> ht_orders_apply
 *                                                       \-(taken back, lost)--> _take_back, _drop
 *
 * At start the open orders are replayed, and those that were over within the last hour; what is
 * over for an hour leaves memory.
 *
 * Threading: what is under "writer" within a job of the store's writer; the rest from any thread.
 * Ownership: the app outlives it.
 */
#ifndef HT_API_ORDERS_ROOM_H
#define HT_API_ORDERS_ROOM_H

#include "api/app.h"
#include "api/incident_places.h"
#include "api/meal_rules.h"
#include "api/order_tokens.h"
#include "engine/live/orders.h"

struct ht_orders_room;

/* `*skipped`: orders whose events can't be read. */
HT_MUST_CHECK enum ht_status ht_orders_room_new(struct ht_app *app, struct ht_orders_room **out,
                                                size_t *skipped, struct ht_error *error);
/* After the writer has stopped. NULL is fine. */
void ht_orders_room_free(struct ht_orders_room *room);

struct ht_orders *ht_orders_room_orders(struct ht_orders_room *room);
/* Of those in memory, by their ids; live_eta_ms is not used. */
struct ht_incident_places *ht_orders_room_places(struct ht_orders_room *room);
/* NULL: a store that can't be written and has no secret yet. */
struct ht_order_tokens *ht_orders_room_tokens(struct ht_orders_room *room);

/* A copy of what is not of a kitchen. */
struct ht_orders_room_numbers {
    uint32_t service_ms;
    uint32_t lead_ms;
    uint32_t step_ms;
    enum ht_incident_kind welfare_kind;
    uint8_t welfare_severity; /* 0: the kind's own */
};
struct ht_orders_room_numbers ht_orders_room_numbers(struct ht_orders_room *room);
/* Whether a kitchen is out of order at a moment. */
bool ht_orders_room_kitchen_out(struct ht_orders_room *room, const char *kitchen, int64_t at_ms);
/* Grows where other rules came into force. */
uint64_t ht_orders_room_rules_version(const struct ht_orders_room *room);

/* A plan on its way onto the orders. */
struct ht_orders_room_planning {
    const struct ht_order_plan *rows;
    size_t count;
    bool times_only; /* an order that has another unit or sequence by now is passed over */
    void (*committed)(void *user); /* right before readers see it, on the writer's thread; NULL */
    void *user;
    size_t passed_over; /* out */
};
/* Takes a plan over as ht_orders_plan does, and returns when it is written; for threads that may
 * wait, never for a loop or the writer. HT_UNSUPPORTED: the store can't be written; HT_BUSY: too
 * much waits to be. */
HT_MUST_CHECK enum ht_status ht_orders_room_plan(struct ht_orders_room *room,
                                                 struct ht_orders_room_planning *planning,
                                                 struct ht_error *error);

/* ---- where another process decides (api/follower.h), on the thread that follows ---- */

/* A row of an order that it committed. HT_NOMEM and errors of the store: to be tried again. */
HT_MUST_CHECK enum ht_status ht_orders_room_follow(struct ht_orders_room *room,
                                                   struct ht_store_reader *reader,
                                                   const struct ht_store_event *row);

/* ---- writer ---- */

/* Other rules from now on; takes them over. */
void ht_orders_room_rules(struct ht_orders_room *room, struct ht_meal_rules *rules);
/* Those of now, until the next call above. */
const struct ht_meal_rules *ht_orders_room_rules_now(const struct ht_orders_room *room);

/* An id by chance. */
HT_MUST_CHECK enum ht_status ht_orders_room_id(char id[HT_ORDER_ID_MAX + 1]);
/* HT_EXISTS: there is or was such an order. `reader` is the transaction's. */
HT_MUST_CHECK enum ht_status ht_orders_room_is_new(const struct ht_orders_room *room,
                                                   struct ht_store_reader *reader, const char *id,
                                                   struct ht_error *error);
/* As ht_orders_pending; one that left memory is brought back, if there is one. */
const struct ht_order *ht_orders_room_pending(struct ht_orders_room *room,
                                              struct ht_app_context *context, const char *id);
/* Appends the events, the first with the digest of a note (NULL: none). */
HT_MUST_CHECK enum ht_status ht_orders_room_write(struct ht_orders_room *room,
                                                  struct ht_store_tx *tx,
                                                  const struct ht_orders_decision *decision,
                                                  const char *actor, const char *note,
                                                  struct ht_error *error);
/* Place and token of a new order, in memory; HT_NOMEM: neither. Removed where it is not to be. */
HT_MUST_CHECK enum ht_status ht_orders_room_enter(struct ht_orders_room *room, const char *id,
                                                  struct ht_point point);
void ht_orders_room_leave(struct ht_orders_room *room, const char *id);

/* Lets go of what was over an hour ago. Returns how many. */
size_t ht_orders_room_forget(struct ht_orders_room *room, size_t most);

#endif
