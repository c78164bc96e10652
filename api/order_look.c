/* Answers about orders that are made twice, with what is personal and without; and the history of
 * one. */
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

/* ---- twice ---- */

void ht__order_look_free(void *data)
{
    struct ht__order_look *look = data;
    ht_params_deinit(&look->params);
    ht_buffer_deinit(&look->plain);
    free(look);
}

static bool id_take(const struct ht_http_call *call, char id[HT_ORDER_ID_MAX + 1])
{
    const struct ht_http_span *span = &call->params[0];
    if (span->size > HT_ORDER_ID_MAX) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such order");
        return false;
    }
    memcpy(id, call->request->target + span->at, span->size);
    id[span->size] = '\0';
    return true;
}

/* NULL, or what is wrong. */
static const char *crs_read(struct ht__order_look *look)
{
    const char *text = ht_param(&look->params, "out_crs");
    text = text == NULL ? ht_param(&look->params, "crs") : text;
    return text == NULL || ht_crs_parse(text, strlen(text), &look->crs) == HT_OK
               ? NULL
               : "crs and out_crs are coordinate systems";
}

struct ht__order_look *ht__order_look_new(struct ht_app_context *context, struct ht_http_call *call,
                                          bool one)
{
    if (!ht__orders_stand(context, call)) {
        return NULL;
    }
    struct ht__order_look *look = calloc(1, sizeof *look);
    if (look == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return NULL;
    }
    if (one && !id_take(call, look->id)) {
        free(look);
        return NULL;
    }
    const char *wrong = ht_params_of(&look->params, call->request) == HT_OK
                            ? crs_read(look)
                            : "the query is not well encoded";
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht__order_look_free(look);
        return NULL;
    }
    look->caller = *context->caller;
    look->at_ms = ht_clock_now_ms(&context->app->clock);
    look->personal = ht_access_personal(&look->caller) && context->app->commit != NULL;
    return look;
}

/* Places can be written in the system that is asked for; else the answer is. */
static bool crs_ready(struct ht_app_context *context, const struct ht_crs *crs,
                      struct ht_reply *reply)
{
    if (ht_crs_plain(crs)) {
        return true;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_crs_check(context->crs, crs, NULL) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "crs and out_crs are coordinate systems");
        return false;
    }
    return true;
}

static enum ht_status look_write(struct ht_app_context *context, const struct ht__order_look *look,
                                 struct ht__order_telling *telling, struct ht_buffer *out,
                                 struct ht_error *error)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    telling->json = &json;
    return look->write(context, look, telling, error);
}

static void look_refuse(struct ht_error *error, enum ht_status status, struct ht_reply *reply)
{
    ht_buffer_clear(&reply->body);
    error->status = status;
    if (status == HT_INVALID) {
        ht_reply_problem(reply, 400, "Bad Request", error->message);
    } else {
        ht_reply_status(reply, error);
    }
}

/* True: something personal was written, which the writer's thread has to note. */
static bool look_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht__order_look *look = data;
    struct ht_error error = {0};
    struct ht__order_telling telling = {.reader = ht_app_reader(context, reply),
                                        .personal = look->personal,
                                        .may = ht_access_personal(&look->caller)};
    if (telling.reader == NULL || !crs_ready(context, &look->crs, reply)) {
        return false;
    }
    enum ht_status status = look_write(context, look, &telling, &reply->body, &error);
    bool noted = look->personal && telling.any;
    if (status == HT_OK && noted) {
        telling.personal = false;
        status = look_write(context, look, &telling, &look->plain, &error);
    }
    if (status != HT_OK) {
        look_refuse(&error, status, reply);
        return false;
    }
    (void)snprintf(reply->etag, sizeof reply->etag, "%s", telling.etag);
    return noted;
}

static void look_plain(void *user, void *data, struct ht_reply *reply)
{
    bool noted = look_run(user, data, reply);
    (void)noted;
}

static void look_note(void *user, void *data, struct ht_reply *reply)
{
    const struct ht__order_look *look = data;
    const struct ht_persons_read read = {.collection = "orders",
                                         .id = look->id,
                                         .how = look->how,
                                         .limit = look->id[0] == '\0' ? look->limit : 1,
                                         .caller = &look->caller,
                                         .at_ms = look->at_ms,
                                         .plain = &look->plain};
    ht_persons_note(user, &read, reply);
}

static void look_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct ht__order_look *look = data;
    (void)user;
    (void)why;
    if (reply->status == 200) {
        ht_reply_reset(reply);
        ht_buffer_append(&reply->body, look->plain.data, look->plain.size);
    }
}

void ht__order_look_start(struct ht_app_context *context, struct ht_http_call *call,
                          struct ht__order_look *look)
{
    (void)context;
    call->job = look->personal ? (struct ht_http_job){.prepare = look_run,
                                                      .run = look_note,
                                                      .lost = look_withheld,
                                                      .writes = true}
                               : (struct ht_http_job){.run = look_plain};
    call->job.free = ht__order_look_free;
    call->job.data = look;
}

void ht__order_withheld(const struct ht__order_telling *telling)
{
    if (telling->may && telling->any && !telling->personal) {
        ht_json_key_text(telling->json, "personal", "withheld");
    }
}

/* ---- history ---- */

struct note_wanted {
    struct ht__order_telling *telling;
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
    struct ht__order_telling *telling;
    const char *id;
    size_t count;
};

/* The row without its incident, for who may not know that there is one. */
static void row_write(struct ht__order_telling *telling, const struct ht_store_event *row)
{
    static const char without[] = "{\"incident\":null}";
    struct ht_text body = {0};
    struct ht_store_event shown = *row;
    yajl_val tree = telling->may ? NULL : ht_json_tree_read(row->body, strlen(row->body));
    if (ht_json_member(tree, "incident") != NULL) {
        yajl_val patch = ht_json_tree_read(without, sizeof without - 1);
        ht_json_merge(&body, tree, patch);
        yajl_tree_free(patch);
        shown.body = body.failed ? "{}" : ht_text_string(&body);
    }
    ht_incident_json_row(telling->json, &shown, sizeof HT_ORDER_PREFIX - 1);
    ht_text_deinit(&body);
    yajl_tree_free(tree);
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
static enum ht_status history_allow(struct ht_app_context *context,
                                    const struct ht__order_look *look,
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

static enum ht_status history_write(struct ht_app_context *context,
                                    const struct ht__order_look *look,
                                    struct ht__order_telling *telling, struct ht_error *error)
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
    ht__order_withheld(telling);
    ht_json_object_end(telling->json);
    return status;
}

void ht_order_history(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht__order_look *look = ht__order_look_new(context, call, true);
    if (look != NULL) {
        look->write = history_write;
        look->how = "history";
        ht__order_look_start(context, call, look);
    }
}
