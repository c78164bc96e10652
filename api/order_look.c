/* Questions about orders, and the history of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/incident_json.h"
#include "api/incident_rules.h"
#include "api/json_merge.h"
#include "api/order_event.h"
#include "api/orders.h"
#include "api/orders_internal.h"
#include "api/persons.h"

struct ht__order_look *ht__order_look_new(struct ht_app_context *context, struct ht_http_call *call,
                                          bool one)
{
    struct ht__order_look *look =
        ht__orders_stand(context, call) ? ht_look_begin(context, call, sizeof *look, one) : NULL;
    if (look != NULL) {
        look->base.collection = "orders";
    }
    return look;
}

/* ---- history ---- */

struct note_wanted {
    struct ht_look_telling *telling;
    const char *digest;
};

static enum ht_status note_take(void *user, const struct ht_store_note *note)
{
    const struct note_wanted *wanted = user;
    if (strcmp(note->digest, wanted->digest) == 0) {
        wanted->telling->any = true;
        if (wanted->telling->personal) {
            ht_json_key_text(wanted->telling->json, "note", note->text);
        }
    }
    return HT_OK;
}

struct history {
    struct ht_look_telling *telling;
    const char *id;
    size_t count;
};

/* The row without its incident, for who may not know that there is one. */
static void row_write(struct ht_look_telling *telling, const struct ht_store_event *row)
{
    struct ht_text body = {0};
    struct ht_store_event shown = *row;
    if (!telling->may && ht_order_event_conceal(row->body, &body)) {
        shown.body = body.failed ? "{}" : ht_text_string(&body);
    }
    ht_incident_json_row(telling->json, &shown, sizeof HT_ORDER_PREFIX - 1);
    ht_text_deinit(&body);
}

static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct history *history = user;
    struct ht_json *json = history->telling->json;
    struct ht_order_event_read read;
    enum ht_status status = ht_order_event_read(row->kind, row->at_ms, row->body, &read);
    history->count++;
    ht_json_object(json);
    row_write(history->telling, row);
    status = status == HT_NOT_FOUND || status == HT_INVALID ? HT_OK : status;
    if (status == HT_OK && read.note != NULL) {
        struct note_wanted wanted = {history->telling, read.note};
        status =
            ht_store_order_notes(history->telling->reader, history->id, note_take, &wanted, NULL);
    }
    ht_order_event_deinit(&read);
    ht_json_object_end(json);
    return status;
}

/* Whether there is such an order for the caller. */
static enum ht_status history_allow(struct ht_app_context *context, const struct ht_look *look,
                                    struct ht_store_reader *reader, struct ht_error *error)
{
    struct ht_order_past past;
    const struct ht_order *order = NULL;
    ht_order_past_init(&past, reader);
    enum ht_status status = ht__order_find(context, &past, &look->caller, look->id, &order);
    ht_order_release(order);
    ht_order_past_deinit(&past);
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, status, 0,
                                          status == HT_NOT_FOUND ? "there is no such order" : NULL);
}

static enum ht_status history_write(struct ht_app_context *context, const struct ht_look *look,
                                    struct ht_look_telling *telling, struct ht_error *error)
{
    char subject[HT_ORDER_SUBJECT];
    struct history history = {telling, look->id, 0};
    const struct ht_store_event_query query = {
        .prefix = HT_ORDER_PREFIX, .subject = subject, .limit = UINT64_MAX};
    enum ht_status status = history_allow(context, look, telling->reader, error);
    if (status != HT_OK) {
        return status;
    }
    (void)snprintf(subject, sizeof subject, HT_ORDER_SUBJECT_PREFIX "%s", look->id);
    ht_json_object(telling->json);
    ht_json_key_text(telling->json, "order", look->id);
    ht_json_key(telling->json, "history");
    ht_json_array(telling->json);
    status = ht_store_events_of(telling->reader, &query, event_take, &history, error);
    ht_json_array_end(telling->json);
    ht_look_withheld(telling);
    ht_json_object_end(telling->json);
    return status;
}

void ht_order_history(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht__order_look *look = ht__order_look_new(context, call, true);
    if (look != NULL) {
        look->base.write = history_write;
        look->base.how = "history";
        ht_look_start(call, &look->base);
    }
}
