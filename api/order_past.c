#include "api/order_past.h"

#include <stdio.h>

#include "api/order_event.h"

void ht_order_past_init(struct ht_order_past *past, struct ht_store_reader *reader)
{
    *past = (struct ht_order_past){.reader = reader};
}

void ht_order_past_deinit(struct ht_order_past *past)
{
    ht_orders_free(past->orders);
    past->orders = NULL;
}

struct replay {
    struct ht_orders *orders;
    size_t count;
    int64_t last;
};

/* Rows that can't be read or don't follow are passed over, as at start. */
static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct replay *replay = user;
    struct ht_order_event_read read;
    enum ht_status status = ht_order_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK) {
        status = ht_orders_replay(replay->orders, &read.event);
        replay->count += status == HT_OK ? 1 : 0;
    }
    replay->last = row->seq;
    ht_order_event_deinit(&read);
    return status == HT_NOMEM ? status : HT_OK;
}

enum ht_status ht_order_past_replay(struct ht_store_reader *reader, const char *id,
                                    struct ht_orders *orders, int64_t *last)
{
    char subject[HT_ORDER_SUBJECT];
    struct replay replay = {.orders = orders};
    const struct ht_store_event_query query = {
        .prefix = HT_ORDER_PREFIX, .subject = subject, .limit = UINT64_MAX};
    int size = snprintf(subject, sizeof subject, HT_ORDER_SUBJECT_PREFIX "%s", id);
    if (size >= (int)sizeof subject) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = ht_store_events_of(reader, &query, event_take, &replay, NULL);
    if (last != NULL) {
        *last = replay.last;
    }
    return status == HT_OK && replay.count == 0 ? HT_NOT_FOUND : status;
}

enum ht_status ht_order_past_find(struct ht_order_past *past, const char *id,
                                  const struct ht_order **out)
{
    enum ht_status status = past->orders == NULL ? ht_orders_new(&past->orders) : HT_OK;
    *out = NULL;
    if (status == HT_OK) {
        status = ht_order_past_replay(past->reader, id, past->orders, NULL);
    }
    if (status != HT_OK) {
        return status;
    }
    *out = ht_orders_get(past->orders, id);
    if (*out != NULL && ht_order_is_open(*out)) {
        ht_order_release(*out);
        *out = NULL;
    }
    return *out == NULL ? HT_NOT_FOUND : HT_OK;
}
