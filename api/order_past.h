/* Order past: orders that are over and left memory, read from the store.
 *
 *   memory   what is open, and what was over an hour ago
 *   store    all: what is asked for and not in memory is projected from its events
 *
 * Threading: one thread for each struct, with a reader of its own. Ownership: what is found lives
 * until ht_order_past_deinit. Errors: HT_NOT_FOUND, HT_NOMEM, HT_IO.
 */
#ifndef HT_API_ORDER_PAST_H
#define HT_API_ORDER_PAST_H

#include "engine/live/orders.h"
#include "geodata/store.h"

enum { HT_ORDER_KEPT_MS = 60 * 60 * 1000 };

struct ht_order_past {
    struct ht_store_reader *reader; /* borrowed */
    struct ht_orders *orders;       /* what was asked for; NULL until then */
};

void ht_order_past_init(struct ht_order_past *past, struct ht_store_reader *reader);
void ht_order_past_deinit(struct ht_order_past *past);

/* A counted reference. Of what is not over, HT_NOT_FOUND: memory has it. */
HT_MUST_CHECK enum ht_status ht_order_past_find(struct ht_order_past *past, const char *id,
                                                const struct ht_order **out);
/* Replays all events of an order. `*last` (may be NULL): the number of the last one. HT_NOT_FOUND:
 * there are none. */
HT_MUST_CHECK enum ht_status ht_order_past_replay(struct ht_store_reader *reader, const char *id,
                                                  struct ht_orders *orders, int64_t *last);
#endif
