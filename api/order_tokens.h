/* Order tokens: what a resident tracks an order by.
 *
 * A token is 160 bits of an HMAC over the order's id under a secret of the store: it is nowhere
 * written, can be given again to who may know it, and tells nothing of the order. It is looked for
 * by its SHA-256, so that the time which that takes tells nothing either. Known are the tokens of
 * orders in memory; those of others are none.
 *
 * Threading: any thread; a read-write lock inside. Errors: HT_NOMEM.
 */
#ifndef HT_API_ORDER_TOKENS_H
#define HT_API_ORDER_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/live/orders.h"
#include "geodata/store.h"

struct ht_order_tokens;

enum { HT_ORDER_TOKEN = 41 }; /* 40 hex digits and NUL */

/* The secret is copied. */
HT_MUST_CHECK enum ht_status ht_order_tokens_new(const unsigned char secret[HT_STORE_SECRET],
                                                 struct ht_order_tokens **out);
void ht_order_tokens_free(struct ht_order_tokens *tokens);

/* That of an order, known or not. */
HT_MUST_CHECK enum ht_status ht_order_tokens_of(const struct ht_order_tokens *tokens,
                                                const char *order, char token[HT_ORDER_TOKEN]);

/* From now on it is known; to add one twice is fine. */
HT_MUST_CHECK enum ht_status ht_order_tokens_add(struct ht_order_tokens *tokens, const char *order);
/* Nothing where there is none. */
void ht_order_tokens_remove(struct ht_order_tokens *tokens, const char *order);
/* False: nobody has that token. */
bool ht_order_tokens_find(struct ht_order_tokens *tokens, const char *token, size_t size,
                          char order[HT_ORDER_ID_MAX + 1]);

#endif
