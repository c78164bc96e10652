/* Who takes tellings: the webhooks of the store with the topics kin and duty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/teller_internal.h"
#include "api/webhooks.h"

static void taker_free(struct ht__taker *taker)
{
    free(taker->secret);
    free(taker);
}

static enum ht_status taker_add(struct ht_teller *teller, const struct ht_store_webhook *kept)
{
    struct ht__taker *taker = calloc(1, sizeof *taker);
    char *secret = strdup(kept->secret);
    if (taker == NULL || secret == NULL) {
        free(taker);
        free(secret);
        return HT_NOMEM;
    }
    taker->state = *kept;
    taker->secret = secret;
    taker->kept = true;
    (void)snprintf(taker->id, sizeof taker->id, "%s", kept->id);
    taker->state.id = taker->id;
    taker->state.secret = secret;
    taker->state.url = "";
    taker->state.topics = "";
    taker->state.last_error = "";
    if (ht_url_read(kept->url, &taker->url, NULL) != HT_OK) {
        taker_free(taker); /* it was checked when it came */
        return HT_OK;
    }
    taker->next = teller->takers;
    teller->takers = taker;
    return HT_OK;
}

struct ht__taker *ht__taker_find(const struct ht_teller *teller, const char *id)
{
    struct ht__taker *taker = teller->takers;
    while (taker != NULL && strcmp(taker->id, id) != 0) {
        taker = taker->next;
    }
    return taker;
}

static enum ht_status taker_look(void *user, const struct ht_store_webhook *kept)
{
    struct ht_teller *teller = user;
    uint32_t bits = 0;
    if (!ht_webhook_topics_read(kept->topics, &bits) ||
        (bits & (HT_WEBHOOK_KIN | HT_WEBHOOK_DUTY)) == 0) {
        return HT_OK;
    }
    struct ht__taker *taker = ht__taker_find(teller, kept->id);
    if (taker != NULL) {
        taker->kept = true;
        return HT_OK;
    }
    return taker_add(teller, kept);
}

/* It is gone: what is under way to it is left. */
static void taker_drop(struct ht_teller *teller, struct ht__taker *taker)
{
    for (size_t i = 0; i < teller->count; i++) {
        if (teller->list[i]->taker == taker) {
            ht__telling_stop(teller->list[i]);
        }
    }
    taker_free(taker);
}

void ht__takers_read(struct ht_teller *teller)
{
    for (struct ht__taker *taker = teller->takers; taker != NULL; taker = taker->next) {
        taker->kept = false;
    }
    if (ht_store_webhooks(teller->reader, NULL, taker_look, teller, NULL) != HT_OK) {
        atomic_store(&teller->hooks_changed, true); /* once more at the next waking */
        return;
    }
    teller->takers_known = true;
    for (struct ht__taker **at = &teller->takers; *at != NULL;) {
        struct ht__taker *taker = *at;
        if (taker->kept) {
            at = &taker->next;
        } else {
            *at = taker->next;
            taker_drop(teller, taker);
        }
    }
}

void ht__takers_free(struct ht_teller *teller)
{
    while (teller->takers != NULL) {
        struct ht__taker *taker = teller->takers;
        teller->takers = taker->next;
        taker_free(taker);
    }
}
