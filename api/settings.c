#include "api/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/command.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"

struct field {
    const char *name;
    int64_t least;
    int64_t most;
    int64_t first; /* the value at first */
};

static const struct field fields[HT_SETTING_FIELDS] = {
    [HT_SETTING_TRACKS_DAYS] = {"tracks_days", 1, 3650, 30},
    [HT_SETTING_ANSWERS_DAYS] = {"answers_days", 1, 365, 7},
    [HT_SETTING_STALE_S] = {"stale_s", 5, 7 * 86400, 120},
    [HT_SETTING_GIVE_UP_H] = {"give_up_h", 1, 30 * 24, 72},
};

static const struct {
    const char *name;
    unsigned begin;
    unsigned end;
} documents[HT_SETTINGS] = {
    {"retention", HT_SETTING_TRACKS_DAYS, HT_SETTING_STALE_S},
    {"live", HT_SETTING_STALE_S, HT_SETTING_GIVE_UP_H},
    {"webhooks", HT_SETTING_GIVE_UP_H, HT_SETTING_FIELDS},
};

void ht_settings_init(struct ht_settings *settings)
{
    for (size_t i = 0; i < HT_SETTING_FIELDS; i++) {
        atomic_store(&settings->values[i], fields[i].first);
    }
    for (size_t i = 0; i < HT_SETTINGS; i++) {
        atomic_store(&settings->versions[i], 1);
    }
}

int64_t ht_setting(const struct ht_settings *settings, enum ht_setting_field field)
{
    return atomic_load(&settings->values[field]);
}

/* The number of a document; HT_SETTINGS: there is none. */
static size_t document_find(const char *name, size_t size)
{
    size_t i = 0;
    while (i < HT_SETTINGS &&
           (strlen(documents[i].name) != size || memcmp(documents[i].name, name, size) != 0)) {
        i++;
    }
    return i;
}

static void document_write(struct ht_json *json, size_t document, const int64_t *values)
{
    ht_json_object(json);
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        ht_json_key_int(json, fields[i].name, values[i]);
    }
    ht_json_object_end(json);
}

static void values_of(const struct ht_settings *settings, int64_t values[HT_SETTING_FIELDS])
{
    for (size_t i = 0; i < HT_SETTING_FIELDS; i++) {
        values[i] = atomic_load(&settings->values[i]);
    }
}

/* ---- from text ---- */

/* What is wrong with a document, and where. */
struct wrong {
    char pointer[64];
    char detail[128];
};

static bool field_read(const char *name, const yajl_val value, size_t document, int64_t *values,
                       struct wrong *wrong)
{
    (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%.60s", name);
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            values[i] = YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : INT64_MIN;
            (void)snprintf(wrong->detail, sizeof wrong->detail,
                           "%s has to be a whole number from %" PRId64 " to %" PRId64, name,
                           fields[i].least, fields[i].most);
            return values[i] >= fields[i].least && values[i] <= fields[i].most;
        }
    }
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%s has no %.60s", documents[document].name,
                   name);
    return false;
}

/* Puts the values of a document among `values`; what it leaves out is as at first. */
static bool document_read(yajl_val tree, size_t document, int64_t *values, struct wrong *wrong)
{
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        values[i] = fields[i].first;
    }
    for (size_t i = 0; i < YAJL_GET_OBJECT(tree)->len; i++) {
        if (!field_read(YAJL_GET_OBJECT(tree)->keys[i], YAJL_GET_OBJECT(tree)->values[i], document,
                        values, wrong)) {
            return false;
        }
    }
    return true;
}

static void keep(struct ht_settings *settings, size_t document, const int64_t *values,
                 uint64_t version)
{
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        atomic_store(&settings->values[i], values[i]);
    }
    atomic_store(&settings->versions[document], version);
}

static enum ht_status take(void *user, const struct ht_store_setting *setting)
{
    struct ht_settings *settings = user;
    char why[128];
    struct wrong wrong;
    int64_t values[HT_SETTING_FIELDS];
    size_t document = document_find(setting->name, strlen(setting->name));
    yajl_val tree = yajl_tree_parse(setting->body, why, sizeof why);
    if (YAJL_IS_OBJECT(tree) && document_read(tree, document, values, &wrong)) {
        keep(settings, document, values, setting->version + 1);
    }
    yajl_tree_free(tree);
    return HT_OK;
}

enum ht_status ht_settings_load(struct ht_settings *settings, struct ht_store_reader *reader,
                                struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; (status == HT_OK || status == HT_NOT_FOUND) && i < HT_SETTINGS; i++) {
        status = ht_store_setting_get(reader, documents[i].name, take, settings, error);
    }
    return status == HT_NOT_FOUND ? HT_OK : status;
}

/* ---- calls ---- */

void ht_settings_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_json json;
    int64_t values[HT_SETTING_FIELDS];
    values_of(&context->app->settings, values);
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    for (size_t i = 0; i < HT_SETTINGS; i++) {
        ht_json_key(&json, documents[i].name);
        document_write(&json, i, values);
    }
    ht_json_object_end(&json);
}

/* HT_SETTINGS with the answer written: there is none of that name. */
static size_t document_of(struct ht_http_call *call)
{
    size_t document =
        document_find(call->request->target + call->params[0].at, call->params[0].size);
    if (document == HT_SETTINGS) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no setting of that name");
    }
    return document;
}

static void answer(struct ht_reply *reply, size_t document, const int64_t *values, uint64_t version)
{
    struct ht_json json;
    (void)snprintf(reply->etag, sizeof reply->etag, "%" PRIu64, version);
    ht_json_begin(&json, &reply->body);
    document_write(&json, document, values);
}

void ht_setting_get(struct ht_app_context *context, struct ht_http_call *call)
{
    int64_t values[HT_SETTING_FIELDS];
    size_t document = document_of(call);
    if (document < HT_SETTINGS) {
        values_of(&context->app->settings, values);
        answer(call->reply, document, values,
               atomic_load(&context->app->settings.versions[document]));
    }
}

/* A document that was read. */
struct put {
    size_t document;
    int64_t values[HT_SETTING_FIELDS];
    uint64_t version; /* as it becomes */
};

static void refuse(struct ht_reply *reply, const struct wrong *wrong)
{
    ht_reply_problem(reply, 422, "Unprocessable Content", wrong->detail);
    ht_reply_where(reply, wrong->pointer, 0, wrong->detail);
}

static bool put_prepare(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    struct wrong wrong = {0};
    struct put *put = calloc(1, sizeof *put);
    (void)context;
    command->parsed = put;
    if (put == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    put->document = document_find(command->params[0], strlen(command->params[0]));
    yajl_val tree = ht_json_tree_read(command->body, command->body_size);
    bool good = false;
    if (!YAJL_IS_OBJECT(tree)) {
        ht_reply_problem(reply, 400, "Bad Request", "the body is not a JSON object");
    } else if (!document_read(tree, put->document, put->values, &wrong)) {
        refuse(reply, &wrong);
    } else {
        good = true;
    }
    yajl_tree_free(tree);
    return good;
}

static enum ht_status version_take(void *user, const struct ht_store_setting *setting)
{
    uint64_t *version = user;
    *version = setting->version + 1;
    return HT_OK;
}

static enum ht_status put_write(const struct ht_command *command, struct ht_store_tx *tx,
                                struct put *put, struct ht_error *error)
{
    struct ht_buffer body = {0};
    struct ht_json json;
    char subject[80];
    char told[128];
    const char *name = documents[put->document].name;
    ht_json_begin(&json, &body);
    document_write(&json, put->document, put->values);
    ht_buffer_append(&body, "", 1);
    if (body.failed) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    const struct ht_store_setting setting = {
        .name = name, .changed_ms = command->at_ms, .body = body.data};
    enum ht_status status = ht_store_setting_put(tx, &setting, &put->version, error);
    ht_buffer_deinit(&body);
    if (status != HT_OK) {
        return status;
    }
    put->version++;
    (void)snprintf(subject, sizeof subject, "settings/%s", name);
    (void)snprintf(told, sizeof told, "{\"name\":\"%s\",\"version\":%" PRIu64 "}", name,
                   put->version);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = "setting.changed",
                                         .subject = subject,
                                         .body = told};
    return ht_store_event_append(tx, &event, NULL, error);
}

static void put_run(struct ht_app_context *context, struct ht_command *command,
                    struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct put *put = command->parsed;
    struct ht_error error = {0};
    uint64_t version = 1;
    (void)context;
    enum ht_status status = ht_store_setting_get(
        ht_store_tx_reader(tx), documents[put->document].name, version_take, &version, &error);
    status = status == HT_NOT_FOUND ? HT_OK : status;
    if (status == HT_OK && !ht_command_expects(command, version)) {
        status = ht_error_set(&error, HT_CHANGED, 0, "%s was changed meanwhile",
                              documents[put->document].name);
    }
    if (status == HT_OK) {
        status = put_write(command, tx, put, &error);
    }
    if (status == HT_OK) {
        answer(reply, put->document, put->values, put->version);
    } else {
        ht_reply_status(reply, &error);
    }
}

static void put_applied(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    const struct put *put = command->parsed;
    (void)reply;
    keep(&context->app->settings, put->document, put->values, put->version);
    ht_app_settings_apply(context->app);
}

static void put_free(struct ht_command *command)
{
    free(command->parsed);
}

static const struct ht_command_kind put_kind = {
    .prepare = put_prepare, .run = put_run, .applied = put_applied, .free = put_free};

void ht_setting_put(struct ht_app_context *context, struct ht_http_call *call)
{
    if (document_of(call) < HT_SETTINGS) {
        ht_command_start(context, call, &put_kind);
    }
}
