#include "api/order_tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/names.h"
#include "geodata/digest.h"

struct known {
    struct ht_named named; /* by the digest of its token */
    char digest[HT_DIGEST_TEXT];
    char order[HT_ORDER_ID_MAX + 1];
};

struct ht_order_tokens {
    pthread_rwlock_t lock;
    struct ht_names names;
    unsigned char secret[HT_STORE_SECRET];
};

enum ht_status ht_order_tokens_new(const unsigned char secret[HT_STORE_SECRET],
                                   struct ht_order_tokens **out)
{
    struct ht_order_tokens *tokens = calloc(1, sizeof *tokens);
    if (tokens == NULL) {
        return HT_NOMEM;
    }
    memcpy(tokens->secret, secret, sizeof tokens->secret);
    (void)pthread_rwlock_init(&tokens->lock, NULL);
    *out = tokens;
    return HT_OK;
}

void ht_order_tokens_free(struct ht_order_tokens *tokens)
{
    if (tokens == NULL) {
        return;
    }
    for (size_t i = 0; i < tokens->names.slot_count; i++) {
        while (tokens->names.slots[i] != NULL) {
            struct ht_named *named = tokens->names.slots[i];
            tokens->names.slots[i] = named->next;
            free(named);
        }
    }
    free(tokens->names.slots);
    (void)pthread_rwlock_destroy(&tokens->lock);
    free(tokens);
}

enum ht_status ht_order_tokens_of(const struct ht_order_tokens *tokens, const char *order,
                                  char token[HT_ORDER_TOKEN])
{
    static const char what[] = "order tracking\n";
    char hex[HT_DIGEST_TEXT];
    const struct ht_bytes parts[] = {{what, sizeof what - 1}, {order, strlen(order)}};
    enum ht_status status = ht_hmac(tokens->secret, sizeof tokens->secret, parts, 2, hex);
    if (status == HT_OK) {
        memcpy(token, hex, HT_ORDER_TOKEN - 1);
        token[HT_ORDER_TOKEN - 1] = '\0';
    }
    return status;
}

/* What the token of an order is found by. */
static enum ht_status digest_of(const struct ht_order_tokens *tokens, const char *order,
                                char digest[HT_DIGEST_TEXT])
{
    char token[HT_ORDER_TOKEN];
    enum ht_status status = ht_order_tokens_of(tokens, order, token);
    return status == HT_OK ? ht_digest_of(token, HT_ORDER_TOKEN - 1, digest) : status;
}

enum ht_status ht_order_tokens_add(struct ht_order_tokens *tokens, const char *order)
{
    size_t size = strlen(order);
    struct known *known = calloc(1, sizeof *known);
    enum ht_status status = known == NULL             ? HT_NOMEM
                            : size <= HT_ORDER_ID_MAX ? digest_of(tokens, order, known->digest)
                                                      : HT_INVALID;
    if (status != HT_OK) {
        free(known);
        return status;
    }
    memcpy(known->order, order, size + 1);
    known->named.id = known->digest;
    (void)pthread_rwlock_wrlock(&tokens->lock);
    bool there = ht_names_find(&tokens->names, known->digest) != NULL;
    status = there ? HT_OK : ht_names_reserve(&tokens->names);
    bool added = !there && status == HT_OK;
    if (added) {
        ht_names_add(&tokens->names, &known->named);
    }
    (void)pthread_rwlock_unlock(&tokens->lock);
    if (!added) {
        free(known);
    }
    return status;
}

void ht_order_tokens_remove(struct ht_order_tokens *tokens, const char *order)
{
    char digest[HT_DIGEST_TEXT];
    if (digest_of(tokens, order, digest) != HT_OK) {
        return; /* out of memory: it stays, and finds no order any more */
    }
    (void)pthread_rwlock_wrlock(&tokens->lock);
    struct ht_named *named = ht_names_find(&tokens->names, digest);
    if (named != NULL) {
        ht_names_remove(&tokens->names, named);
    }
    (void)pthread_rwlock_unlock(&tokens->lock);
    free(named);
}

bool ht_order_tokens_find(struct ht_order_tokens *tokens, const char *token, size_t size,
                          char order[HT_ORDER_ID_MAX + 1])
{
    char digest[HT_DIGEST_TEXT];
    if (ht_digest_of(token, size, digest) != HT_OK) {
        return false;
    }
    (void)pthread_rwlock_rdlock(&tokens->lock);
    const struct known *known = (const struct known *)ht_names_find(&tokens->names, digest);
    bool found = known != NULL;
    if (found) {
        memcpy(order, known->order, sizeof known->order);
    }
    (void)pthread_rwlock_unlock(&tokens->lock);
    return found;
}
