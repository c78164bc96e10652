#include "api/regime_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/commit.h"
#include "api/http_answer.h"
#include "api/incident_json.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/regime_change.h"
#include "engine/base/array.h"
#include "geodata/members.h"

#define SUBJECT_PREFIX "regimes/"
#define KIND_PREFIX "regime."

/* ---- to be seen ---- */

/* `officer`: who may see by whom. */
static void state_write(struct ht_json *json, const struct ht_regime *regime,
                        const struct ht_regime_state *state, bool officer)
{
    ht_json_key_text(json, "name", regime->name);
    ht_json_key_bool(json, "on", state->on);
    if (state->known) {
        ht_incident_json_moment(json, "since", state->since_ms);
    }
    if (state->known && officer) {
        ht_json_key_text(json, "by", state->by);
    }
    if (state->why[0] != '\0') {
        ht_json_key_text(json, "why", state->why);
    }
}

static void settings_write(struct ht_json *json, const struct ht_regime *regime)
{
    ht_json_key(json, "settings");
    ht_json_array(json);
    for (int s = 0; s < HT_REGIME_SETTINGS; s++) {
        if (regime->patches[s] != NULL) {
            ht_json_text(json, ht_regime_setting_name((enum ht_regime_setting)s));
        }
    }
    ht_json_array_end(json);
}

static void summary_write(struct ht_json *json, const struct ht_regime *regime,
                          const struct ht_regime_state *state, bool officer)
{
    ht_json_object(json);
    state_write(json, regime, state, officer);
    ht_json_key_int(json, "zones", (int64_t)regime->zone_count);
    ht_json_key_int(json, "cells", (int64_t)regime->answer_count);
    ht_json_key_int(json, "units", (int64_t)regime->duty_count);
    settings_write(json, regime);
    ht_json_object_end(json);
}

/* ---- what is in force ---- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The ids of one kind that regimes name, each once, in order. */
struct ids {
    const char **list;
    size_t count;
};

enum part { ZONES, CELLS, UNITS, PARTS };

static size_t part_count(const struct ht_regime *regime, enum part part)
{
    return part == ZONES   ? regime->zone_count
           : part == CELLS ? regime->answer_count
                           : regime->duty_count;
}

static const char *part_id(const struct ht_regime *regime, enum part part, size_t i)
{
    return part == ZONES   ? regime->zones[i]
           : part == CELLS ? regime->answers[i].cell
                           : regime->duties[i].unit;
}

/* `off`: by those that are off as well. */
static enum ht_status ids_gather(const struct ht_regime_book *book, enum part part, bool off,
                                 struct ids *out)
{
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    size_t most = 0;
    size_t count = 0;
    for (size_t r = 0; r < list->count; r++) {
        most += part_count(&list->list[r], part);
    }
    const char **ids = ht_array_new(most, sizeof(char *));
    if (ids == NULL) {
        return HT_NOMEM;
    }
    for (size_t r = 0; r < list->count; r++) {
        const struct ht_regime *regime = &list->list[r];
        bool on = off || ht_regime_book_state(book, r)->on;
        for (size_t i = 0; on && i < part_count(regime, part); i++) {
            ids[count++] = part_id(regime, part, i);
        }
    }
    if (count > 1) {
        qsort((void *)ids, count, sizeof(char *), by_text);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(ids[kept - 1], ids[i]) != 0) {
            ids[kept++] = ids[i];
        }
    }
    *out = (struct ids){ids, kept};
    return HT_OK;
}

static void who_write(struct ht_json *json, const struct ht_regime_book *book, const char *cell)
{
    ht_json_key(json, cell);
    ht_json_object(json);
    for (int i = 0; i < HT_ANSWER_LEVELS; i++) {
        const char *who = ht_regime_book_who(book, cell, (enum ht_answer_level)i);
        if (who != NULL) {
            ht_json_key_text(json, ht_answer_level_name((enum ht_answer_level)i), who);
        }
    }
    ht_json_object_end(json);
}

/* All patches of a unit as one: fields are no objects, so the last word of each counts, also null.
 */
static void duty_write(struct ht_json *json, const struct ht_regime_book *book, const char *unit)
{
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    ht_json_key(json, unit);
    ht_json_object(json);
    for (int f = 0; f < HT_REGIME_DUTY_FIELDS; f++) {
        bool found = false;
        for (size_t r = list->count; r-- > 0 && !found;) {
            struct ht_member member;
            const struct ht_regime_duty *duty =
                ht_regime_book_state(book, r)->on ? ht_regime_duty_of(&list->list[r], unit) : NULL;
            found = duty != NULL && ht_member_find(duty->patch, ht_regime_duty_fields[f], &member);
            if (found) {
                ht_json_key(json, ht_regime_duty_fields[f]);
                ht_json_raw(json, member.value, member.value_size);
            }
        }
    }
    ht_json_object_end(json);
}

static void part_write(struct ht_json *json, const struct ht_regime_book *book, enum part part)
{
    static const char *const keys[PARTS] = {"zones", "answers", "duties"};
    struct ids ids = {0};
    if (ids_gather(book, part, false, &ids) != HT_OK) {
        json->out->failed = true;
        return;
    }
    ht_json_key(json, keys[part]);
    if (part == ZONES) {
        ht_json_array(json);
    } else {
        ht_json_object(json);
    }
    for (size_t i = 0; i < ids.count; i++) {
        if (part == ZONES) {
            ht_json_text(json, ids.list[i]);
        } else if (part == CELLS) {
            who_write(json, book, ids.list[i]);
        } else {
            duty_write(json, book, ids.list[i]);
        }
    }
    if (part == ZONES) {
        ht_json_array_end(json);
    } else {
        ht_json_object_end(json);
    }
    free((void *)ids.list);
}

/* The zones that hold when their regime does, and not by themselves. */
static void bound_write(struct ht_json *json, const struct ht_regime_book *book)
{
    struct ids ids = {0};
    if (ids_gather(book, ZONES, true, &ids) != HT_OK) {
        json->out->failed = true;
        return;
    }
    ht_json_key(json, "bound");
    ht_json_array(json);
    for (size_t i = 0; i < ids.count; i++) {
        ht_json_text(json, ids.list[i]);
    }
    ht_json_array_end(json);
    free((void *)ids.list);
}

/* A viewer sees what holds in the streets, not who answers for whom and how crews are posted. */
static void list_write(const struct ht_app_context *context, bool officer, struct ht_reply *reply)
{
    struct ht_regime_book *book = ht_regime_slot_book(context->app->regimes);
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "regimes");
    ht_json_array(&json);
    for (size_t i = 0; i < list->count; i++) {
        summary_write(&json, &list->list[i], ht_regime_book_state(book, i), officer);
    }
    ht_json_array_end(&json);
    bound_write(&json, book);
    ht_json_key(&json, "in_force");
    ht_json_object(&json);
    for (int part = 0; part < (officer ? PARTS : ZONES + 1); part++) {
        part_write(&json, book, (enum part)part);
    }
    ht_json_object_end(&json);
    ht_json_object_end(&json);
    ht_regime_book_release(book);
}

static void list_run(void *user, void *data, struct ht_reply *reply)
{
    (void)data;
    list_write(user, true, reply);
}

static void viewer_run(void *user, void *data, struct ht_reply *reply)
{
    (void)data;
    list_write(user, false, reply);
}

void ht_regimes_get(struct ht_app_context *context, struct ht_http_call *call)
{
    bool officer = ht_access_personal(context->caller);
    call->job = (struct ht_http_job){.run = officer ? list_run : viewer_run};
}

/* ---- one ---- */

static enum ht_status event_take(void *user, const struct ht_store_event *event)
{
    struct ht_json *json = user;
    ht_json_object(json);
    ht_incident_json_row(json, event, sizeof KIND_PREFIX - 1);
    ht_json_object_end(json);
    return HT_OK;
}

static enum ht_status history_write(struct ht_store_reader *reader, const char *name,
                                    struct ht_json *json, struct ht_error *error)
{
    char subject[sizeof SUBJECT_PREFIX + HT_ID_MAX];
    const struct ht_store_event_query query = {
        .prefix = KIND_PREFIX, .subject = subject, .limit = UINT64_MAX};
    (void)snprintf(subject, sizeof subject, SUBJECT_PREFIX "%s", name);
    ht_json_key(json, "history");
    ht_json_array(json);
    enum ht_status status = ht_store_events_of(reader, &query, event_take, json, error);
    ht_json_array_end(json);
    return status;
}

static void one_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const char *name = data;
    struct ht_error error = {0};
    struct ht_json json;
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    struct ht_regime_book *book = ht_regime_slot_book(context->app->regimes);
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    size_t i = ht_regimes_find(list, name);
    if (i == list->count) {
        ht_reply_problem(reply, 404, "Not Found", "there is no regime of that name");
        ht_regime_book_release(book);
        return;
    }
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    state_write(&json, &list->list[i], ht_regime_book_state(book, i), true);
    ht_json_key(&json, "set");
    ht_regime_write(&list->list[i], &json);
    enum ht_status status = history_write(context->reader, name, &json, &error);
    ht_json_object_end(&json);
    ht_regime_book_release(book);
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        ht_reply_status(reply, &error);
    }
}

/* False with the answer written: no regime can have that name. */
static bool name_sound(struct ht_http_call *call)
{
    bool sound = ht_id_valid(call->request->target + call->params[0].at, call->params[0].size);
    if (!sound) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no regime of that name");
    }
    return sound;
}

void ht_regime_get(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    if (!name_sound(call)) {
        return;
    }
    char *name = strndup(call->request->target + call->params[0].at, call->params[0].size);
    if (name == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    call->job = (struct ht_http_job){.run = one_run, .free = free, .data = name};
}

/* ---- on and off ---- */

struct switching {
    bool on;
    char why[HT_ID_MAX + 1]; /* "" not said */
    struct ht_regime_change *change;
};

static bool malformed(struct ht_reply *reply, const char *pointer, const char *why)
{
    ht_reply_problem(reply, 400, "Bad Request", why);
    ht_reply_where(reply, pointer, 0, why);
    return false;
}

static bool body_read(struct switching *switching, yajl_val tree, struct ht_reply *reply)
{
    yajl_val on = ht_json_member(tree, "on");
    yajl_val why = ht_json_member(tree, "why");
    const char *text = YAJL_GET_STRING(why);
    if (!YAJL_IS_OBJECT(tree)) {
        return malformed(reply, "", "the body is not a JSON object");
    }
    if (!YAJL_IS_TRUE(on) && !YAJL_IS_FALSE(on)) {
        return malformed(reply, "/on", "on has to be true or false");
    }
    if (why != NULL && !YAJL_IS_NULL(why) && (text == NULL || !ht_id_valid(text, strlen(text)))) {
        return malformed(reply, "/why",
                         "why names the order or file: 1 to 64 letters, digits, . _ : -");
    }
    switching->on = YAJL_IS_TRUE(on);
    (void)snprintf(switching->why, sizeof switching->why, "%s", text == NULL ? "" : text);
    return true;
}

static bool post_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct switching *switching = calloc(1, sizeof *switching);
    (void)context;
    command->parsed = switching;
    if (switching == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    yajl_val tree = ht_json_tree_read(command->body, command->body_size);
    bool good = body_read(switching, tree, reply);
    yajl_tree_free(tree);
    return good;
}

static enum ht_status version_take(void *user, const struct ht_store_setting *setting)
{
    uint64_t *version = user;
    *version = setting->version + 1;
    return HT_OK;
}

/* What is on, as the store keeps it. */
static enum ht_status state_put(const struct ht_command *command, struct ht_store_tx *tx,
                                const struct ht_regime_book *book, struct ht_error *error)
{
    struct ht_buffer text = {0};
    struct ht_json json;
    uint64_t version = 0;
    ht_json_begin(&json, &text);
    ht_regime_book_state_write(book, &json);
    ht_buffer_append(&text, "", 1);
    const struct ht_store_setting setting = {
        .name = HT_REGIME_STATE, .changed_ms = command->at_ms, .body = text.data};
    enum ht_status status = text.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                        : ht_store_setting_put(tx, &setting, &version, error);
    ht_buffer_deinit(&text);
    return status;
}

static void event_write(struct ht_json *json, const struct ht_regime *regime, const char *why,
                        uint64_t version)
{
    ht_json_object(json);
    ht_json_key_text(json, "regime", regime->name);
    if (why[0] != '\0') {
        ht_json_key_text(json, "why", why);
    }
    ht_json_key_int(json, "settings_version", (int64_t)version);
    ht_json_key(json, "zones");
    ht_json_array(json);
    for (size_t i = 0; i < regime->zone_count; i++) {
        ht_json_text(json, regime->zones[i]);
    }
    ht_json_array_end(json);
    ht_json_key_int(json, "cells", (int64_t)regime->answer_count);
    ht_json_key_int(json, "units", (int64_t)regime->duty_count);
    settings_write(json, regime);
    ht_json_object_end(json);
}

static enum ht_status event_append(const struct ht_command *command, struct ht_store_tx *tx,
                                   const struct ht_regime *regime, struct ht_error *error)
{
    const struct switching *switching = command->parsed;
    char subject[sizeof SUBJECT_PREFIX + HT_ID_MAX];
    struct ht_buffer body = {0};
    struct ht_json json;
    uint64_t version = 1;
    enum ht_status status =
        ht_store_setting_get(ht_store_tx_reader(tx), "regimes", version_take, &version, error);
    if (status != HT_OK) {
        return status;
    }
    (void)snprintf(subject, sizeof subject, SUBJECT_PREFIX "%s", regime->name);
    ht_json_begin(&json, &body);
    event_write(&json, regime, switching->why, version);
    ht_buffer_append(&body, "", 1);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind =
                                             switching->on ? KIND_PREFIX "on" : KIND_PREFIX "off",
                                         .subject = subject,
                                         .body = body.data};
    status = body.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                         : ht_store_event_append(tx, &event, NULL, error);
    ht_buffer_deinit(&body);
    return status;
}

static void post_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct switching *switching = command->parsed;
    struct ht_error error = {0};
    struct ht_json json;
    enum ht_status status = ht_regime_change_read(context->app, tx, &switching->change, &error);
    if (status != HT_OK) {
        ht_reply_status(reply, &error);
        return;
    }
    struct ht_regime_book *book = ht_regime_change_book(switching->change);
    const struct ht_regimes *list = ht_regime_book_regimes(book);
    size_t at = ht_regimes_find(list, command->params[0]);
    if (at == list->count) {
        ht_reply_problem(reply, 404, "Not Found", "there is no regime of that name");
        return;
    }
    bool changes = ht_regime_book_state(book, at)->on != switching->on;
    ht_commit_alone(context->app->commit); /* what comes behind it goes by what holds then */
    if (changes) {
        struct ht_regime_state state = {
            .on = switching->on, .known = true, .since_ms = command->at_ms};
        (void)snprintf(state.by, sizeof state.by, "%s", command->caller.name);
        memcpy(state.why, switching->why, sizeof state.why);
        ht_regime_book_set(book, at, &state);
        status = state_put(command, tx, book, &error);
        status = status == HT_OK ? event_append(command, tx, &list->list[at], &error) : status;
    }
    if (status != HT_OK) {
        ht_reply_status(reply, &error);
    } else if (ht_regime_change_check(switching->change, tx, reply)) {
        ht_json_begin(&json, &reply->body);
        summary_write(&json, &list->list[at], ht_regime_book_state(book, at), true);
    }
}

/* Also where nothing changed: streets that could not obey then do now. */
static void post_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct switching *switching = command->parsed;
    ht_regime_change_apply(switching->change, context, true, reply);
}

static void post_free(struct ht_command *command)
{
    struct switching *switching = command->parsed;
    if (switching != NULL) {
        ht_regime_change_free(switching->change);
        free(switching);
    }
}

static const struct ht_command_kind post_kind = {
    .prepare = post_prepare, .run = post_run, .applied = post_applied, .free = post_free};

void ht_regime_post(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &post_kind);
}
