#include "api/webhooks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/command.h"
#include "api/courier.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/post.h"
#include "api/teller.h"
#include "api/topics.h"
#include "engine/base/time.h"

enum {
    HOOKS_MOST = 100,
    SECRET_LEAST = 16,
    SECRET_MOST = 256,
    SECRET_BYTES = 24,
    TOPICS_TEXT = 256,
};

static uint32_t topic_bit(const char *text, size_t size)
{
    if (size == 3 && memcmp(text, "kin", 3) == 0) {
        return HT_WEBHOOK_KIN;
    }
    if (size == 4 && memcmp(text, "duty", 4) == 0) {
        return HT_WEBHOOK_DUTY;
    }
    enum ht_topic topic = ht_topic_of(text, size);
    return topic >= HT_TOPIC_OTHER || topic == HT_TOPIC_POSITIONS ? 0 : UINT32_C(1) << topic;
}

bool ht_webhook_topics_read(const char *text, uint32_t *bits)
{
    *bits = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        uint32_t bit = topic_bit(text, size);
        if (bit == 0) {
            return false;
        }
        *bits |= bit;
        text += size + (text[size] == ',');
    }
    uint32_t tellings = *bits & (HT_WEBHOOK_KIN | HT_WEBHOOK_DUTY);
    return *bits != 0 && (tellings == 0 || tellings == *bits);
}

/* ---- to be seen ---- */

static void time_write(struct ht_json *json, const char *key, int64_t time_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    if (time_ms != 0) {
        ht_time_format(time_ms, text);
        ht_json_key_text(json, key, text);
    } else {
        ht_json_key(json, key);
        ht_json_null(json);
    }
}

static void hook_write(struct ht_json *json, const struct ht_store_webhook *hook, bool secret)
{
    ht_json_object(json);
    ht_json_key_text(json, "id", hook->id);
    ht_json_key_text(json, "url", hook->url);
    ht_json_key(json, "topics");
    ht_json_array(json);
    for (const char *at = hook->topics; *at != '\0';) {
        size_t size = strcspn(at, ",");
        ht_json_text_n(json, at, size);
        at += size + (at[size] == ',');
    }
    ht_json_array_end(json);
    if (secret) {
        ht_json_key_text(json, "secret", hook->secret);
    }
    time_write(json, "created", hook->created_ms);
    ht_json_key_int(json, "last_seq", hook->done_seq);
    ht_json_key_int(json, "delivered", hook->delivered);
    ht_json_key_int(json, "given_up", hook->given_up);
    ht_json_key_int(json, "tries", hook->tries);
    time_write(json, "failing_since", hook->failing_since_ms);
    time_write(json, "last_try", hook->last_ms);
    time_write(json, "next_try", hook->next_try_ms);
    ht_json_key_int(json, "last_status", hook->last_status);
    ht_json_key_text(json, "last_error", hook->last_error);
    ht_json_object_end(json);
}

static enum ht_status hook_show(void *user, const struct ht_store_webhook *hook)
{
    hook_write(user, hook, false);
    return HT_OK;
}

/* `data`: an id, or NULL for all. */
static void show_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht_error error = {0};
    struct ht_json json;
    const char *id = data;
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    ht_json_begin(&json, &reply->body);
    if (id == NULL) {
        ht_json_object(&json);
        ht_json_key(&json, "webhooks");
        ht_json_array(&json);
    }
    enum ht_status status = ht_store_webhooks(context->reader, id, hook_show, &json, &error);
    if (id == NULL) {
        ht_json_array_end(&json);
        ht_json_object_end(&json);
    } else if (status == HT_OK && reply->body.size == 0) {
        status = ht_error_set(&error, HT_NOT_FOUND, 0, "there is no webhook %.64s", id);
    }
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
    }
}

void ht_webhooks_get(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    call->job = (struct ht_http_job){.run = show_run};
}

/* False with the answer written: no id of ours. */
static bool id_sound(struct ht_http_call *call)
{
    bool sound = ht_id_valid(call->request->target + call->params[0].at, call->params[0].size);
    if (!sound) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such webhook");
    }
    return sound;
}

void ht_webhook_get(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    if (id_sound(call)) {
        char *id = strndup(call->request->target + call->params[0].at, call->params[0].size);
        if (id == NULL) {
            ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
            return;
        }
        call->job = (struct ht_http_job){.run = show_run, .free = free, .data = id};
    }
}

/* ---- to be made ---- */

struct asked {
    char url[HT_URL_MAX + 1];
    char topics[TOPICS_TEXT];
    char secret[SECRET_MOST + 1];
    char id[32];
    bool made; /* the secret was ours */
};

static void hex_write(char *out, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

/* What is wrong with the secret; NULL: nothing. */
static const char *secret_read(yajl_val tree, struct asked *asked)
{
    unsigned char bytes[SECRET_BYTES];
    yajl_val value = ht_json_member(tree, "secret");
    if (value == NULL || YAJL_IS_NULL(value)) {
        if (ht_random_bytes(bytes, sizeof bytes) != HT_OK) {
            return "secret: none can be made here, bring one";
        }
        asked->made = true;
        hex_write(asked->secret, bytes, sizeof bytes);
        return NULL;
    }
    const char *text = YAJL_GET_STRING(value);
    size_t size = text == NULL ? 0 : strlen(text);
    if (size < SECRET_LEAST || size > SECRET_MOST) {
        return "secret: 16 to 256 bytes";
    }
    memcpy(asked->secret, text, size + 1);
    return NULL;
}

static const char *topics_read(yajl_val tree, struct asked *asked)
{
    static const char wrong[] = "topics: a list of incidents, orders, visits, zones, fences, "
                                "rectifications, traffic, registry; or of kin, duty alone";
    yajl_val list = ht_json_member(tree, "topics");
    uint32_t bits = 0;
    size_t size = 0;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < YAJL_GET_ARRAY(list)->len; i++) {
        const char *topic = YAJL_GET_STRING(YAJL_GET_ARRAY(list)->values[i]);
        int length = topic == NULL || strchr(topic, ',') != NULL
                         ? -1
                         : snprintf(asked->topics + size, sizeof asked->topics - size, "%s%s",
                                    i == 0 ? "" : ",", topic);
        if (length < 0 || (size += (size_t)length) >= sizeof asked->topics) {
            return wrong;
        }
    }
    return ht_webhook_topics_read(asked->topics, &bits) ? NULL : wrong;
}

static const char *asked_read(yajl_val tree, struct asked *asked, struct ht_error *error)
{
    unsigned char bytes[8];
    struct ht_url url;
    const char *text = YAJL_GET_STRING(ht_json_member(tree, "url"));
    if (text == NULL) {
        return "url is missing";
    }
    if (ht_url_read(text, &url, error) != HT_OK) {
        return error->message;
    }
    (void)snprintf(asked->url, sizeof asked->url, "%s", text);
    const char *wrong = topics_read(tree, asked);
    wrong = wrong == NULL ? secret_read(tree, asked) : wrong;
    if (wrong == NULL && ht_random_bytes(bytes, sizeof bytes) == HT_OK) {
        memcpy(asked->id, "wh-", 3);
        hex_write(asked->id + 3, bytes, sizeof bytes);
    }
    return wrong;
}

static bool post_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    const char *wrong = NULL;
    struct asked *asked = calloc(1, sizeof *asked);
    (void)context;
    command->parsed = asked;
    if (asked == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    yajl_val tree = ht_json_tree_read(command->body, command->body_size);
    bool good = YAJL_IS_OBJECT(tree);
    if (!good) {
        ht_reply_problem(reply, 400, "Bad Request", "the body is not a JSON object");
        ht_reply_where(reply, "", 0, "the body is not a JSON object");
    } else {
        wrong = asked_read(tree, asked, &error);
    }
    if (wrong != NULL) {
        char pointer[16]; /* what is wrong begins with the member's name */
        (void)snprintf(pointer, sizeof pointer, "/%.*s", (int)strcspn(wrong, ": "), wrong);
        ht_reply_problem(reply, 422, "Unprocessable Content", wrong);
        ht_reply_where(reply, pointer, 0, wrong);
    }
    yajl_tree_free(tree);
    return good && wrong == NULL;
}

static enum ht_status hook_count(void *user, const struct ht_store_webhook *hook)
{
    size_t *count = user;
    (void)hook;
    (*count)++;
    return HT_OK;
}

static enum ht_status event_write(const struct ht_command *command, struct ht_store_tx *tx,
                                  const char *kind, const char *id, int64_t *seq,
                                  struct ht_error *error)
{
    char subject[HT_ID_MAX + 16];
    char body[HT_ID_MAX + 16];
    (void)snprintf(subject, sizeof subject, "webhooks/%s", id);
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = kind,
                                         .subject = subject,
                                         .body = body};
    return ht_store_event_append(tx, &event, seq, error);
}

static void post_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    const struct asked *asked = command->parsed;
    struct ht_error error = {0};
    struct ht_json json;
    size_t count = 0;
    struct ht_store_webhook hook = {.id = asked->id,
                                    .url = asked->url,
                                    .topics = asked->topics,
                                    .secret = asked->secret,
                                    .created_ms = command->at_ms,
                                    .last_error = ""};
    (void)context;
    enum ht_status status =
        ht_store_webhooks(ht_store_tx_reader(tx), NULL, hook_count, &count, &error);
    if (status == HT_OK && count >= HOOKS_MOST) {
        status = ht_error_set(&error, HT_INVALID, 0, "there are %d webhooks already", HOOKS_MOST);
    }
    if (status == HT_OK) { /* what comes after this is told */
        status = event_write(command, tx, "webhook.created", asked->id, &hook.done_seq, &error);
    }
    if (status == HT_OK) {
        status = ht_store_webhook_add(tx, &hook, &error);
    }
    if (status != HT_OK) {
        ht_reply_status(reply, &error);
        return;
    }
    reply->status = 201;
    (void)snprintf(reply->location, sizeof reply->location, "/v1/webhooks/%s", asked->id);
    ht_json_begin(&json, &reply->body);
    hook_write(&json, &hook, asked->made);
}

static void hooks_changed(struct ht_app_context *context, struct ht_command *command,
                          struct ht_reply *reply)
{
    (void)command;
    (void)reply;
    if (context->app->courier != NULL) {
        ht_courier_changed(context->app->courier);
    }
    if (context->app->teller != NULL) {
        ht_teller_changed(context->app->teller);
    }
}

static void parsed_free(struct ht_command *command)
{
    free(command->parsed);
}

static const struct ht_command_kind post_kind = {
    .prepare = post_prepare, .run = post_run, .applied = hooks_changed, .free = parsed_free};

void ht_webhooks_post(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &post_kind);
}

/* ---- and ended ---- */

static void delete_run(struct ht_app_context *context, struct ht_command *command,
                       struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht_error error = {0};
    const char *id = command->params[0];
    (void)context;
    enum ht_status status = ht_store_webhook_remove(tx, id, &error);
    if (status == HT_OK) {
        status = event_write(command, tx, "webhook.deleted", id, NULL, &error);
    }
    if (status == HT_OK) {
        reply->status = 204;
    } else {
        ht_reply_status(reply, &error);
    }
}

static const struct ht_command_kind delete_kind = {.run = delete_run, .applied = hooks_changed};

void ht_webhook_delete(struct ht_app_context *context, struct ht_http_call *call)
{
    if (id_sound(call)) {
        ht_command_start(context, call, &delete_kind);
    }
}
