#include "api/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/command.h"
#include "api/commit.h"
#include "api/http_answer.h"
#include "api/incident_json.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"
#include "api/pointer.h"
#include "api/regime_change.h"
#include "api/setting_change.h"
#include "api/settings_shape.h"
#include "engine/live/speeds.h"

#define KIND_PREFIX "setting."
#define SUBJECT_PREFIX "settings/"

struct field {
    const char *name;
    int64_t least;
    int64_t most;
    int64_t first; /* the value at first */
    bool truth;    /* true or false, not a number */
};

static const struct field fields[HT_SETTING_FIELDS] = {
    [HT_SETTING_TRACKS_DAYS] = {"tracks_days", 1, 3650, 30, false},
    [HT_SETTING_ANSWERS_DAYS] = {"answers_days", 1, 365, 7, false},
    [HT_SETTING_INCIDENTS_DAYS] = {"incidents_days", 1, 36500, 1095, false},
    [HT_SETTING_STALE_S] = {"stale_s", 5, 7 * 86400, 120, false},
    [HT_SETTING_GIVE_UP_H] = {"give_up_h", 1, 30 * 24, 72, false},
    [HT_SETTING_SPEEDS_LEARN] = {"learn", 0, 1, 0, true},
    [HT_SETTING_SPEEDS_FOLLOW] = {"follow", 0, 1, 0, true},
    [HT_SETTING_SPEEDS_LEAST] = {"least_trips", HT_SPEEDS_LEAST, 1000, 5, false},
    [HT_SETTING_PLANNER_RUN] = {"run", 0, 1, 1, true},
    [HT_SETTING_PLANNER_MOVE_S] = {"move_s", 0, 86400, 300, false},
    [HT_SETTING_PLANNER_KM_S] = {"km_s", 0, 3600, 60, false},
    [HT_SETTING_PLANNER_LATE_PRICE] = {"late_price", 0, 250, 10, false},
    [HT_SETTING_PLANNER_LATE_MOST_S] = {"late_most_s", 0, 86400, 3600, false},
    [HT_SETTING_PLANNER_SPARE_S] = {"spare_s", 0, 7200, 300, false},
    [HT_SETTING_PLANNER_RIDE_MOST_S] = {"ride_most_s", 0, 86400, 2700, false},
    [HT_SETTING_PLANNER_STOP_S] = {"stop_s", 0, 3600, 60, false},
    [HT_SETTING_PLANNER_LOAD_S] = {"load_s", 0, 7200, 120, false},
    [HT_SETTING_PLANNER_TRIPS_MOST] = {"trips_most", 1, 100, 16, false},
    [HT_SETTING_PLANNER_VAN_MEALS] = {"van_meals", 0, 1000000, 60, false},
    [HT_SETTING_SILENCE_H] = {"silence_h", 1, 720, 24, false},
    [HT_SETTING_GONE_S] = {"gone_s", 0, 86400, 600, false},
};

static const struct {
    const char *name;
    unsigned begin;
    unsigned end;
    const struct ht_setting_shape *shape; /* NULL: whole numbers, the fields from begin to end */
} documents[HT_SETTINGS] = {
    {"retention", HT_SETTING_TRACKS_DAYS, HT_SETTING_STALE_S, NULL},
    {"live", HT_SETTING_STALE_S, HT_SETTING_GIVE_UP_H, NULL},
    {"webhooks", HT_SETTING_GIVE_UP_H, HT_SETTING_SPEEDS_LEARN, NULL},
    {"speeds", HT_SETTING_SPEEDS_LEARN, HT_SETTING_PLANNER_RUN, NULL},
    {"planner", HT_SETTING_PLANNER_RUN, HT_SETTING_SILENCE_H, NULL},
    {"devices", HT_SETTING_SILENCE_H, HT_SETTING_FIELDS, NULL},
    {"incidents", 0, 0, &ht_setting_incidents},
    {"calendar", 0, 0, &ht_setting_calendar},
    {"regimes", 0, 0, &ht_setting_regimes},
    {"meals", 0, 0, &ht_setting_meals},
    {"visits", 0, 0, &ht_setting_visits},
};

void ht_settings_init(struct ht_settings *settings)
{
    for (size_t i = 0; i < HT_SETTING_FIELDS; i++) {
        atomic_store(&settings->values[i], fields[i].first);
    }
    for (size_t i = 0; i < HT_SETTINGS; i++) {
        atomic_store(&settings->versions[i], 1);
    }
    (void)pthread_mutex_init(&settings->lock, NULL);
}

void ht_settings_deinit(struct ht_settings *settings)
{
    for (size_t i = 0; i < HT_SETTINGS - HT_SETTINGS_PLAIN; i++) {
        free(settings->texts[i]);
    }
    (void)pthread_mutex_destroy(&settings->lock);
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

static void plain_write(struct ht_json *json, size_t document, const int64_t *values)
{
    ht_json_object(json);
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        if (fields[i].truth) {
            ht_json_key_bool(json, fields[i].name, values[i] != 0);
        } else {
            ht_json_key_int(json, fields[i].name, values[i]);
        }
    }
    ht_json_object_end(json);
}

static void values_of(const struct ht_settings *settings, int64_t values[HT_SETTING_FIELDS])
{
    for (size_t i = 0; i < HT_SETTING_FIELDS; i++) {
        values[i] = atomic_load(&settings->values[i]);
    }
}

/* A document with a shape, as it is now. */
static void shape_write(struct ht_json *json, size_t document, struct ht_settings *settings)
{
    const struct ht_setting_shape *shape = documents[document].shape;
    struct ht_setting_wrong wrong;
    void *value = NULL;
    (void)pthread_mutex_lock(&settings->lock);
    const char *text = settings->texts[document - HT_SETTINGS_PLAIN];
    if (text != NULL) {
        ht_json_raw(json, text, strlen(text));
    }
    (void)pthread_mutex_unlock(&settings->lock);
    if (text == NULL && shape->read(NULL, &value, &wrong) == HT_OK) {
        shape->write(value, json);
        shape->free(value);
    } else if (text == NULL) {
        json->out->failed = true;
    }
}

static void document_write(struct ht_json *json, size_t document, struct ht_settings *settings)
{
    int64_t values[HT_SETTING_FIELDS];
    if (documents[document].shape != NULL) {
        shape_write(json, document, settings);
        return;
    }
    values_of(settings, values);
    plain_write(json, document, values);
}

/* ---- from text ---- */

/* INT64_MIN: it is none of the kind. */
static int64_t value_read(const struct field *field, const yajl_val value)
{
    if (field->truth) {
        return YAJL_IS_TRUE(value) ? 1 : YAJL_IS_FALSE(value) ? 0 : INT64_MIN;
    }
    return YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : INT64_MIN;
}

static bool field_read(const char *name, const yajl_val value, size_t document, int64_t *values,
                       struct ht_setting_wrong *wrong)
{
    ht_pointer(wrong->pointer, sizeof wrong->pointer, "", name);
    for (unsigned i = documents[document].begin; i < documents[document].end; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            values[i] = value_read(&fields[i], value);
            if (fields[i].truth) {
                (void)snprintf(wrong->detail, sizeof wrong->detail, "%.60s has to be true or false",
                               name);
            } else {
                (void)snprintf(wrong->detail, sizeof wrong->detail,
                               "%s has to be a whole number from %" PRId64 " to %" PRId64, name,
                               fields[i].least, fields[i].most);
            }
            return values[i] >= fields[i].least && values[i] <= fields[i].most;
        }
    }
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%s has no %.60s", documents[document].name,
                   name);
    return false;
}

/* Puts the values of a document among `values`; what it leaves out is as at first. */
static bool document_read(yajl_val tree, size_t document, int64_t *values,
                          struct ht_setting_wrong *wrong)
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

static void keep_text(struct ht_settings *settings, size_t document, char *text, uint64_t version)
{
    (void)pthread_mutex_lock(&settings->lock);
    char *before = settings->texts[document - HT_SETTINGS_PLAIN];
    settings->texts[document - HT_SETTINGS_PLAIN] = text;
    (void)pthread_mutex_unlock(&settings->lock);
    free(before);
    atomic_store(&settings->versions[document], version);
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
    struct ht_setting_wrong wrong;
    int64_t values[HT_SETTING_FIELDS];
    size_t document = document_find(setting->name, strlen(setting->name));
    if (documents[document].shape != NULL) {
        char *text = strdup(setting->body);
        if (text == NULL) {
            return HT_NOMEM;
        }
        keep_text(settings, document, text, setting->version + 1);
        return HT_OK;
    }
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

/* What holds of one, also where its text is by an older or newer server, or goes ill with a regime:
 * then as it is without that, at last as at first. */
static enum ht_status force_find(struct ht_app *app, enum ht_regime_setting setting,
                                 const struct ht_regime_book *book, void **out)
{
    struct ht_setting_wrong wrong;
    const struct ht_setting_shape *shape = ht_setting_shape_of(setting);
    size_t document = document_find(shape->name, strlen(shape->name));
    const char *text = app->settings.texts[document - HT_SETTINGS_PLAIN];
    struct ht_regime_book *none = NULL;
    enum ht_status status = ht_setting_in_force(setting, text, book, out, &wrong);
    if (status == HT_INVALID) {
        status = ht_regime_book_read(NULL, NULL, &none);
        if (status == HT_OK) {
            status = ht_setting_in_force(setting, text, none, out, &wrong);
        }
        ht_regime_book_release(none);
    }
    return status == HT_INVALID ? shape->read(NULL, out, &wrong) : status;
}

/* Whether no regime lays anything over it. */
static bool stands_alone(const struct ht_setting_shape *shape)
{
    return shape == &ht_setting_meals || shape == &ht_setting_visits;
}

/* Also where its text is by an older or newer server: then as at first. */
static enum ht_status alone_tell(struct ht_app *app, const struct ht_setting_shape *shape)
{
    size_t document = document_find(shape->name, strlen(shape->name));
    const char *text = app->settings.texts[document - HT_SETTINGS_PLAIN];
    struct ht_setting_wrong wrong;
    void *value = NULL;
    yajl_val tree = text == NULL ? NULL : ht_json_tree_read(text, strlen(text));
    enum ht_status status = shape->read(tree, &value, &wrong);
    yajl_tree_free(tree);
    if (status == HT_INVALID) {
        status = shape->read(NULL, &value, &wrong);
    }
    if (status == HT_OK) {
        shape->tell(app, value);
    }
    return status;
}

enum ht_status ht_settings_tell(struct ht_app *app)
{
    struct ht_regime_book *book = ht_regime_slot_book(app->regimes);
    enum ht_status status = HT_OK;
    for (int s = 0; s < HT_REGIME_SETTINGS && status == HT_OK; s++) {
        void *value = NULL;
        status = force_find(app, (enum ht_regime_setting)s, book, &value);
        if (status == HT_OK) {
            ht_setting_shape_of((enum ht_regime_setting)s)->tell(app, value);
        }
    }
    ht_regime_book_release(book);
    status = status == HT_OK ? alone_tell(app, &ht_setting_meals) : status;
    return status == HT_OK ? alone_tell(app, &ht_setting_visits) : status;
}

/* ---- calls ---- */

void ht_settings_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_json json;
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    for (size_t i = 0; i < HT_SETTINGS; i++) {
        ht_json_key(&json, documents[i].name);
        document_write(&json, i, &context->app->settings);
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

/* Whether ?in_force=1 is asked. */
static bool force_asked(const struct ht_http_request *request)
{
    struct ht_params params;
    if (ht_params_of(&params, request) != HT_OK) {
        return false;
    }
    const char *text = ht_param(&params, "in_force");
    bool asked = text != NULL && strcmp(text, "1") == 0;
    ht_params_deinit(&params);
    return asked;
}

/* A copy, since writers change it; NULL also where it was never put. */
static char *text_copy(struct ht_settings *settings, size_t document, bool *failed)
{
    (void)pthread_mutex_lock(&settings->lock);
    const char *text = settings->texts[document - HT_SETTINGS_PLAIN];
    char *copy = text == NULL ? NULL : strdup(text);
    *failed = text != NULL && copy == NULL;
    (void)pthread_mutex_unlock(&settings->lock);
    return copy;
}

/* A document with what regimes lay over it. False: none can lie over this one. */
static bool force_write(struct ht_app *app, size_t document, struct ht_reply *reply)
{
    struct ht_json json;
    struct ht_setting_wrong wrong;
    void *value = NULL;
    bool failed = false;
    int s = 0;
    while (s < HT_REGIME_SETTINGS &&
           ht_setting_shape_of((enum ht_regime_setting)s) != documents[document].shape) {
        s++;
    }
    if (s == HT_REGIME_SETTINGS) {
        return false;
    }
    const struct ht_setting_shape *shape = documents[document].shape;
    char *base = text_copy(&app->settings, document, &failed);
    struct ht_regime_book *book = ht_regime_slot_book(app->regimes);
    enum ht_status status =
        failed ? HT_NOMEM
               : ht_setting_in_force((enum ht_regime_setting)s, base, book, &value, &wrong);
    ht_regime_book_release(book);
    free(base);
    if (status != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return true;
    }
    ht_json_begin(&json, &reply->body);
    shape->write(value, &json);
    shape->free(value);
    return true;
}

void ht_setting_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_settings *settings = &context->app->settings;
    size_t document = document_of(call);
    if (document < HT_SETTINGS && force_asked(call->request) &&
        force_write(context->app, document, call->reply)) {
        return;
    }
    if (document < HT_SETTINGS) {
        struct ht_json json;
        (void)snprintf(call->reply->etag, sizeof call->reply->etag, "%" PRIu64,
                       (uint64_t)atomic_load(&settings->versions[document]));
        ht_json_begin(&json, &call->reply->body);
        document_write(&json, document, settings);
    }
}

/* A document that was read. */
struct put {
    size_t document;
    int64_t values[HT_SETTING_FIELDS];
    void *value;                     /* of one with a shape */
    char *text;                      /* the document */
    uint64_t version;                /* as it becomes */
    struct ht_regime_change *change; /* what holds from then on; NULL: as it did */
};

static void refuse(struct ht_reply *reply, const struct ht_setting_wrong *wrong)
{
    ht_reply_problem(reply, 422, "Unprocessable Content", wrong->detail);
    ht_reply_where(reply, wrong->pointer, 0, wrong->detail);
}

/* The document as it is kept: what was left out is filled in. */
static enum ht_status put_read(struct put *put, yajl_val tree, struct ht_setting_wrong *wrong)
{
    const struct ht_setting_shape *shape = documents[put->document].shape;
    struct ht_buffer text = {0};
    struct ht_json json;
    if (shape != NULL) {
        enum ht_status status = shape->read(tree, &put->value, wrong);
        if (status == HT_OK && shape->check != NULL) {
            status = shape->check(put->value, wrong);
        }
        put->text = status == HT_OK ? ht_setting_text(shape, put->value) : NULL;
        return status == HT_OK && put->text == NULL ? HT_NOMEM : status;
    }
    if (!document_read(tree, put->document, put->values, wrong)) {
        return HT_INVALID;
    }
    ht_json_begin(&json, &text);
    plain_write(&json, put->document, put->values);
    ht_buffer_append(&text, "", 1);
    put->text = text.data;
    return text.failed ? HT_NOMEM : HT_OK;
}

static bool put_prepare(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    struct ht_setting_wrong wrong = {0};
    struct put *put = calloc(1, sizeof *put);
    (void)context;
    command->parsed = put;
    if (put == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    put->document = document_find(command->params[0], strlen(command->params[0]));
    yajl_val tree = ht_json_tree_read(command->body, command->body_size);
    enum ht_status status = HT_SYNTAX;
    if (!YAJL_IS_OBJECT(tree)) {
        ht_reply_problem(reply, 400, "Bad Request", "the body is not a JSON object");
        ht_reply_where(reply, "", 0, "the body is not a JSON object");
    } else {
        status = put_read(put, tree, &wrong);
    }
    if (status == HT_INVALID) {
        refuse(reply, &wrong);
    } else if (status == HT_NOMEM) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    }
    yajl_tree_free(tree);
    return status == HT_OK;
}

/* As it was, read within the transaction: what one before it in the same batch put counts. */
struct was {
    uint64_t version;
    char *text; /* NULL: it was never put */
};

static enum ht_status was_take(void *user, const struct ht_store_setting *setting)
{
    struct was *was = user;
    was->version = setting->version + 1;
    was->text = strdup(setting->body);
    return was->text == NULL ? HT_NOMEM : HT_OK;
}

/* The text of a document as at first, NUL-terminated. */
static enum ht_status first_write(size_t document, struct ht_buffer *out)
{
    const struct ht_setting_shape *shape = documents[document].shape;
    struct ht_setting_wrong wrong;
    struct ht_json json;
    int64_t values[HT_SETTING_FIELDS];
    void *value = NULL;
    ht_json_begin(&json, out);
    if (shape == NULL) {
        for (size_t i = 0; i < HT_SETTING_FIELDS; i++) {
            values[i] = fields[i].first;
        }
        plain_write(&json, document, values);
    } else {
        enum ht_status status = shape->read(NULL, &value, &wrong);
        if (status != HT_OK) {
            return status;
        }
        shape->write(value, &json);
        shape->free(value);
    }
    ht_buffer_append(out, "", 1);
    return out->failed ? HT_NOMEM : HT_OK;
}

/* What the event says: which document, as what, and what of it is another now. */
static enum ht_status told_write(const struct put *put, const struct was *was,
                                 struct ht_buffer *out)
{
    const struct ht_setting_shape *shape = documents[put->document].shape;
    bool texts = shape == &ht_setting_calendar; /* days and hours */
    struct ht_buffer first = {0};
    struct ht_json json;
    enum ht_status status = was->text == NULL ? first_write(put->document, &first) : HT_OK;
    const char *text = was->text == NULL ? first.data : was->text;
    if (status == HT_OK) {
        yajl_val before = ht_json_tree_read(text, strlen(text));
        yajl_val after = ht_json_tree_read(put->text, strlen(put->text));
        ht_json_begin(&json, out);
        ht_json_object(&json);
        ht_json_key_text(&json, "name", documents[put->document].name);
        ht_json_key_int(&json, "version", (int64_t)put->version);
        ht_setting_change_write(&json, before, after, texts);
        ht_json_object_end(&json);
        ht_buffer_append(out, "", 1);
        yajl_tree_free(before);
        yajl_tree_free(after);
        status = out->failed ? HT_NOMEM : HT_OK;
    }
    ht_buffer_deinit(&first);
    return status;
}

static enum ht_status put_write(const struct ht_command *command, struct ht_store_tx *tx,
                                struct put *put, const struct was *was, struct ht_error *error)
{
    char subject[80];
    struct ht_buffer told = {0};
    const char *name = documents[put->document].name;
    const struct ht_store_setting setting = {
        .name = name, .changed_ms = command->at_ms, .body = put->text};
    enum ht_status status = ht_store_setting_put(tx, &setting, &put->version, error);
    if (status != HT_OK) {
        return status;
    }
    put->version++;
    (void)snprintf(subject, sizeof subject, SUBJECT_PREFIX "%s", name);
    status = told_write(put, was, &told);
    if (status == HT_OK) {
        const struct ht_store_event event = {.at_ms = command->at_ms,
                                             .actor = command->caller.name,
                                             .kind = KIND_PREFIX "changed",
                                             .subject = subject,
                                             .body = told.data};
        status = ht_store_event_append(tx, &event, NULL, error);
    } else {
        status = ht_error_set(error, status, 0, NULL);
    }
    ht_buffer_deinit(&told);
    return status;
}

static void put_run(struct ht_app_context *context, struct ht_command *command,
                    struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct put *put = command->parsed;
    struct ht_error error = {0};
    struct was was = {.version = 1};
    enum ht_status status = ht_store_setting_get(
        ht_store_tx_reader(tx), documents[put->document].name, was_take, &was, &error);
    status = status == HT_NOT_FOUND ? HT_OK : status;
    if (status == HT_OK && !ht_command_expects(command, was.version)) {
        status = ht_error_set(&error, HT_CHANGED, 0, "%s was changed meanwhile",
                              documents[put->document].name);
    }
    if (status == HT_OK) {
        status = put_write(command, tx, put, &was, &error);
    }
    free(was.text);
    if (status == HT_OK && documents[put->document].shape != NULL &&
        !stands_alone(documents[put->document].shape)) {
        status = ht_regime_change_read(context->app, tx, &put->change, &error);
        if (status == HT_OK && !ht_regime_change_check(put->change, tx, reply)) {
            return;
        }
        ht_commit_alone(context->app->commit); /* what comes behind it goes by what it says */
    }
    if (status == HT_OK) {
        (void)snprintf(reply->etag, sizeof reply->etag, "%" PRIu64, put->version);
        ht_buffer_text(&reply->body, put->text);
    } else {
        ht_reply_status(reply, &error);
    }
}

static void put_applied(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    struct put *put = command->parsed;
    const struct ht_setting_shape *shape = documents[put->document].shape;
    if (shape == NULL) {
        keep(&context->app->settings, put->document, put->values, put->version);
    } else if (stands_alone(shape)) {
        keep_text(&context->app->settings, put->document, put->text, put->version);
        put->text = NULL;
        shape->tell(context->app, put->value);
        put->value = NULL;
    } else {
        keep_text(&context->app->settings, put->document, put->text, put->version);
        put->text = NULL;
        ht_regime_change_apply(put->change, context, shape == &ht_setting_regimes, reply);
    }
    ht_app_settings_apply(context->app);
}

static void put_free(struct ht_command *command)
{
    struct put *put = command->parsed;
    if (put != NULL && put->value != NULL) {
        documents[put->document].shape->free(put->value);
    }
    if (put != NULL) {
        ht_regime_change_free(put->change);
        free(put->text);
        free(put);
    }
}

static const struct ht_command_kind put_kind = {
    .prepare = put_prepare, .run = put_run, .applied = put_applied, .free = put_free};

/* ---- its history ---- */

static enum ht_status event_take(void *user, const struct ht_store_event *event)
{
    struct ht_json *json = user;
    ht_json_object(json);
    ht_incident_json_row(json, event, sizeof KIND_PREFIX - 1);
    ht_json_object_end(json);
    return HT_OK;
}

static void history_run(void *user, void *data, struct ht_reply *reply)
{
    const size_t *document = data;
    char subject[80];
    struct ht_json json;
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(user, reply);
    const struct ht_store_event_query query = {
        .prefix = KIND_PREFIX, .subject = subject, .limit = UINT64_MAX};
    if (reader == NULL) {
        return;
    }
    (void)snprintf(subject, sizeof subject, SUBJECT_PREFIX "%s", documents[*document].name);
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "name", documents[*document].name);
    ht_json_key(&json, "history");
    ht_json_array(&json);
    enum ht_status status = ht_store_events_of(reader, &query, event_take, &json, &error);
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
    }
}

void ht_setting_history_get(struct ht_app_context *context, struct ht_http_call *call)
{
    size_t document = document_of(call);
    (void)context;
    if (document == HT_SETTINGS) {
        return;
    }
    size_t *data = malloc(sizeof *data);
    if (data == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *data = document;
    call->job = (struct ht_http_job){.run = history_run, .free = free, .data = data};
}

void ht_setting_put(struct ht_app_context *context, struct ht_http_call *call)
{
    if (document_of(call) < HT_SETTINGS) {
        ht_command_start(context, call, &put_kind);
    }
}
