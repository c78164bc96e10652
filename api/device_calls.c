/* The calls of the device book: who waits to be accepted, and accepting one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/device_book_internal.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/ogc.h"
#include "engine/base/time.h"

#define ITEMS "/collections/devices/items"

static void moment_write(struct ht_json *json, const char *key, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    ht_time_format(at_ms, text);
    ht_json_key_text(json, key, text);
}

static void unknown_write(struct ht_json *json, const struct ht__unknown *one)
{
    ht_json_object(json);
    ht_json_key_text(json, "id", one->id);
    ht_json_key_text(json, "protocol", one->protocol);
    moment_write(json, "first_seen", one->first_ms);
    moment_write(json, "last_seen", one->last_ms);
    ht_json_key_int(json, "times", (int64_t)one->times);
    if (one->battery >= 0) {
        ht_json_key_int(json, "battery", one->battery);
    }
    ht_json_key_bool(json, "keyed", one->keyed);
    ht_json_object_end(json);
}

/* Heard last first. */
static int by_heard(const void *left, const void *right)
{
    const struct ht__unknown *a = left;
    const struct ht__unknown *b = right;
    return a->last_ms != b->last_ms ? (a->last_ms < b->last_ms ? 1 : -1) : strcmp(a->id, b->id);
}

/* Those that the registry does not know by now. NULL: out of memory. */
static struct ht__unknown *unknown_copy(struct ht_device_book *book, size_t *count, size_t *dropped)
{
    struct ht_device_entry entry;
    struct ht_devices *devices = ht_live_devices(book->app->live);
    struct ht__unknown *copy = calloc(HT__UNKNOWN_MOST, sizeof *copy);
    *count = 0;
    (void)pthread_mutex_lock(&book->unknown_lock);
    for (size_t i = 0; copy != NULL && i < book->unknown_count; i++) {
        if (!ht_devices_look(devices, book->unknown[i].id, &entry)) {
            copy[(*count)++] = book->unknown[i];
        }
    }
    *dropped = book->dropped;
    (void)pthread_mutex_unlock(&book->unknown_lock);
    if (copy != NULL) {
        qsort(copy, *count, sizeof *copy, by_heard);
    }
    return copy;
}

static struct ht_device_book *book_of(struct ht_app_context *context, struct ht_reply *reply)
{
    const struct ht_app *app = context->app;
    struct ht_device_book *book = app->commit == NULL ? NULL : app->book;
    if (book == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable",
                         app->store == NULL      ? "this server has no store"
                         : app->follower != NULL ? "no node is the desk at the moment"
                                                 : "the store can't be written");
    }
    return book;
}

void ht_devices_unknown_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_json json;
    size_t count = 0;
    size_t dropped = 0;
    struct ht_device_book *book = book_of(context, call->reply);
    struct ht__unknown *list = book == NULL ? NULL : unknown_copy(book, &count, &dropped);
    if (list == NULL) {
        if (book != NULL) {
            ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        }
        return;
    }
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "devices");
    ht_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        unknown_write(&json, &list[i]);
    }
    ht_json_array_end(&json);
    ht_json_key_int(&json, "dropped", (int64_t)dropped);
    ht_json_object_end(&json);
    free(list);
}

/* ---- accepting ---- */

/* The protocol that a waiting one spoke; false: it does not wait. */
static bool waiting_protocol(struct ht_device_book *book, const char *id,
                             char protocol[HT__PROTOCOL])
{
    bool found = false;
    (void)pthread_mutex_lock(&book->unknown_lock);
    for (size_t i = 0; !found && i < book->unknown_count; i++) {
        found = strcmp(book->unknown[i].id, id) == 0;
        if (found) {
            memcpy(protocol, book->unknown[i].protocol, HT__PROTOCOL);
        }
    }
    (void)pthread_mutex_unlock(&book->unknown_lock);
    return found;
}

static bool refuse(struct ht_reply *reply, const char *pointer, const char *why)
{
    ht_reply_problem(reply, 422, "Unprocessable Content", why);
    ht_reply_where(reply, pointer, 0, why);
    return false;
}

/* Whose it is to be: just one of the two. */
static bool owner_check(struct ht_app_context *context, yajl_val body, struct ht_reply *reply)
{
    const char *unit = YAJL_GET_STRING(ht_json_member(body, "unit"));
    const char *household = YAJL_GET_STRING(ht_json_member(body, "household"));
    if ((unit == NULL) == (household == NULL)) {
        return refuse(reply, "", "a device is of a unit or of a household: name one");
    }
    if (unit != NULL &&
        ht_live_unit_find(context->app->live, unit, strlen(unit)).number == HT_NONE) {
        return refuse(reply, "/unit", "there is no such unit");
    }
    yajl_val key = ht_json_member(body, "key");
    return key == NULL || (YAJL_IS_STRING(key) && YAJL_GET_STRING(key)[0] != '\0')
               ? true
               : refuse(reply, "/key", "key is a text");
}

static void member_add(struct ht_text *out, const char *name, const char *text)
{
    ht_text_addf(out, "%s\"%s\":", out->data[out->size - 1] == '{' ? "" : ",", name);
    ht_text_add_json(out, text, strlen(text));
}

/* The Feature that it becomes; of a key only the digest is kept. */
static bool feature_write(struct ht_text *out, const char *id, yajl_val body, const char *protocol)
{
    char digest[sizeof HT_DEVICE_KEY_DIGEST + HT_DIGEST_TEXT] = HT_DEVICE_KEY_DIGEST;
    size_t prefix = strlen(HT_DEVICE_KEY_DIGEST);
    ht_text_addf(out, "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,\"properties\":{", id);
    for (size_t i = 0; i < body->u.object.len && !out->failed; i++) {
        const char *name = body->u.object.keys[i];
        const char *text = YAJL_GET_STRING(body->u.object.values[i]);
        if (strcmp(name, "key") == 0 && strncmp(text, digest, prefix) != 0) {
            if (ht_digest_of(text, strlen(text), digest + prefix) != HT_OK) {
                return false;
            }
            member_add(out, name, digest);
            continue;
        }
        ht_text_add_string(out, out->data[out->size - 1] == '{' ? "" : ",");
        ht_text_add_json(out, name, strlen(name));
        ht_text_add_char(out, ':');
        ht_json_tree_write(out, body->u.object.values[i]);
    }
    if (!out->failed && ht_json_member(body, "protocol") == NULL) {
        member_add(out, "protocol", protocol);
    }
    ht_text_add_string(out, "}}");
    return !out->failed;
}

/* Hands the Feature to the registry as POST of an item would. */
static void item_post(struct ht_app_context *context, struct ht_http_call *call,
                      const struct ht_text *feature)
{
    struct ht_http_request request = *call->request;
    const struct ht_http_request *before = call->request;
    request.target = ITEMS;
    request.target_size = strlen(ITEMS);
    request.path_size = strlen(ITEMS);
    request.content_type = "application/geo+json";
    request.content_type_size = strlen(request.content_type);
    request.body = feature->data;
    request.body_size = feature->size;
    call->request = &request;
    call->params[0] = (struct ht_http_span){strlen("/collections/"), strlen("devices")};
    ht_ogc_items_post(context, call);
    call->request = before;
}

void ht_device_accept_post(struct ht_app_context *context, struct ht_http_call *call)
{
    char id[HT_ID_MAX + 1];
    char protocol[HT__PROTOCOL] = "";
    struct ht_text feature = {0};
    struct ht_device_book *book = book_of(context, call->reply);
    struct ht_http_span span = call->params[0];
    if (book == NULL) {
        return;
    }
    (void)snprintf(id, sizeof id, "%.*s", span.size > HT_ID_MAX ? 0 : (int)span.size,
                   call->request->target + span.at);
    yajl_val body = ht_json_tree_read(call->request->body, call->request->body_size);
    if (!YAJL_IS_OBJECT(body)) {
        ht_reply_problem(call->reply, 400, "Bad Request", "the body is not a JSON object");
        ht_reply_where(call->reply, "", 0, "the body is not a JSON object");
    } else if (!waiting_protocol(book, id, protocol) &&
               (!ht_id_valid(id, strlen(id)) || ht_json_member(body, "protocol") == NULL)) {
        ht_reply_problem(call->reply, 404, "Not Found",
                         "no such device waits; one that names its protocol is accepted all "
                         "the same");
    } else if (owner_check(context, body, call->reply)) {
        if (feature_write(&feature, id, body, protocol)) {
            item_post(context, call, &feature);
        } else {
            ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        }
    }
    yajl_tree_free(body);
    ht_text_deinit(&feature);
}
