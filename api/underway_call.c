/* The driver's word: POST /v1/units/{id}/events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/commit.h"
#include "api/incidents_internal.h"
#include "api/json_merge.h"
#include "api/planner.h"
#include "api/underway_internal.h"
#include "engine/base/array.h"
#include "engine/base/time.h"
#include "geodata/collection.h"

enum {
    EARLIEST_MS = 3600 * 1000, /* so long ago he may say that it was */
    LATEST_MS = 10 * 1000
};

enum word { ARRIVE, DEPART, SKIP, WORDS };
static const char *const words[WORDS] = {"arrive", "depart", "skip"};

struct saying {
    yajl_val tree;
    enum word word;
    const char *order;   /* NULL: not said */
    const char *kitchen; /* likewise */
    int64_t at_ms;
    struct ht_point stop;         /* that it is about; not of depart */
    struct ht_planner_plan *plan; /* held */
    struct ht_planner_ahead ahead;
    struct ht_progress_event written[HT_PROGRESS_EVENTS];
    size_t written_count;
};

/* ---- reading ---- */

static enum ht_status id_read(const struct saying *saying, const char *name, const char **out,
                              struct ht_error *error)
{
    yajl_val value = ht_json_member(saying->tree, name);
    *out = YAJL_GET_STRING(value);
    if (value == NULL || YAJL_IS_NULL(value) || (*out != NULL && ht_id_valid(*out, strlen(*out)))) {
        return HT_OK;
    }
    return ht_error_set(error, HT_SYNTAX, 0, "/%s: 1 to 64 letters, digits and ._:-", name);
}

static enum ht_status at_read(struct saying *saying, int64_t now_ms, struct ht_error *error)
{
    yajl_val value = ht_json_member(saying->tree, "at");
    const char *text = YAJL_GET_STRING(value);
    saying->at_ms = now_ms;
    if (value == NULL || YAJL_IS_NULL(value)) {
        return HT_OK;
    }
    if (text == NULL || !ht_time_parse(text, strlen(text), &saying->at_ms)) {
        return ht_error_set(error, HT_SYNTAX, 0, "/at: a time, like 2026-03-01T11:30:00+08:00");
    }
    return saying->at_ms >= now_ms - EARLIEST_MS && saying->at_ms <= now_ms + LATEST_MS
               ? HT_OK
               : ht_error_set(error, HT_INVALID, 0, "/at: within the last hour");
}

static enum ht_status saying_read(struct saying *saying, const struct ht_command *command,
                                  struct ht_error *error)
{
    saying->tree = ht_json_tree_read(command->body, command->body_size);
    if (!YAJL_IS_OBJECT(saying->tree)) {
        return ht_error_set(error, HT_SYNTAX, 0, "the body is not a JSON object");
    }
    yajl_val event = ht_json_member(saying->tree, "event");
    const char *name = YAJL_GET_STRING(event);
    saying->word = ARRIVE;
    while (name != NULL && saying->word < WORDS && strcmp(words[saying->word], name) != 0) {
        saying->word = (enum word)(saying->word + 1);
    }
    if (name == NULL || saying->word == WORDS) {
        return ht_error_set(error, name == NULL ? HT_SYNTAX : HT_INVALID, 0, "/event: %s",
                            event == NULL ? "is missing" : "one of arrive, depart, skip");
    }
    enum ht_status status = id_read(saying, "order", &saying->order, error);
    if (status == HT_OK) {
        status = id_read(saying, "kitchen", &saying->kitchen, error);
    }
    if (status == HT_OK && saying->order != NULL && saying->kitchen != NULL) {
        status = ht_error_set(error, HT_SYNTAX, 0, "/order: an order or a kitchen, not both");
    }
    return status == HT_OK ? at_read(saying, command->at_ms, error) : status;
}

static bool say_prepare(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct saying *saying = calloc(1, sizeof *saying);
    command->parsed = saying;
    (void)context;
    if (saying == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (saying_read(saying, command, &error) != HT_OK) {
        ht__incident_refuse(reply, &error);
        return false;
    }
    return true;
}

/* ---- on the writer's thread ---- */

static bool allowed(const struct ht_app *app, const struct ht_command *command,
                    struct ht_reply *reply)
{
    const char *unit = command->params[0];
    if (ht_fleet_find(ht_live_fleet(app->live), unit, strlen(unit)) == HT_NONE) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such unit");
        return false;
    }
    if (command->caller.role == HT_ROLE_DEVICE &&
        (command->caller.unit == NULL || strcmp(command->caller.unit, unit) != 0)) {
        ht_reply_problem(reply, 403, "Forbidden", "a unit's token speaks for itself alone");
        return false;
    }
    return true;
}

/* The stop that is named, or the first one that he is not at. */
static bool stop_find(struct saying *saying, const struct ht_progress *progress)
{
    const char *id = saying->order != NULL ? saying->order : saying->kitchen;
    for (uint32_t i = 0; i < saying->ahead.count; i++) {
        const struct ht_planner_stop *stop = saying->ahead.list[i].stop;
        bool named = id == NULL
                         ? !(progress->at && ht_planner_same_place(progress->stop, stop->point))
                         : stop->loads == (saying->kitchen != NULL) && strcmp(stop->id, id) == 0;
        if (named) {
            saying->stop = stop->point;
            return true;
        }
    }
    return false;
}

/* What is recognized by his word, of a copy of what is known. False: it can't be. */
static bool word_take(const struct saying *saying, struct ht_progress *progress,
                      struct ht_progress_event *events, size_t *count)
{
    struct ht_point *stops = ht_array_new(saying->ahead.count, sizeof *stops);
    bool good = false;
    *count = 0;
    if (stops == NULL) {
        return false;
    }
    const struct ht_progress_ahead ahead = {stops, ht__underway_points(&saying->ahead, stops), NULL,
                                            0};
    if (saying->word == ARRIVE) {
        *count = ht_progress_told(progress, saying->stop, saying->at_ms, &ahead, events);
        good = true;
    } else if (saying->word == DEPART) {
        *count = ht_progress_told_left(progress, saying->at_ms, events);
        good = *count > 0;
    } else if (ht_progress_told_skip(progress, saying->stop)) {
        events[(*count)++] =
            (struct ht_progress_event){HT_PROGRESS_SKIPPED, saying->stop, saying->at_ms, 0};
        good = true;
    }
    free(stops);
    return good;
}

static enum ht_status events_write(const struct saying *saying, const struct ht_command *command,
                                   struct ht_store_tx *tx, const struct ht_progress_event *events,
                                   size_t count)
{
    char subject[HT_UNIT_ID_MAX + 8];
    enum ht_status status = HT_OK;
    (void)snprintf(subject, sizeof subject, "units/%s", command->params[0]);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        struct ht_buffer body = {0};
        status = HT_NOMEM;
        if (ht__underway_body(&body, command->params[0], &saying->ahead, &events[i], true)) {
            const struct ht_store_event event = {.at_ms = command->at_ms,
                                                 .actor = command->caller.name,
                                                 .kind = ht__underway_kind(events[i].kind),
                                                 .subject = subject,
                                                 .body = body.data};
            status = ht_store_event_append(tx, &event, NULL, NULL);
        }
        ht_buffer_deinit(&body);
    }
    return status;
}

static const char *refusal(const struct saying *saying)
{
    return saying->word == DEPART ? "the unit is at no stop"
           : saying->word == SKIP ? "the unit was at this stop, or has left it out"
                                  : "out of memory";
}

static void say(struct ht_app_context *context, struct ht_command *command, struct ht_store_tx *tx,
                struct ht_reply *reply)
{
    struct saying *saying = command->parsed;
    struct ht_progress_event events[HT_PROGRESS_EVENTS];
    struct ht_progress progress = {0};
    struct ht_json json;
    size_t count = 0;
    bool known = ht_underway_progress(context->app->underway, command->params[0], &progress);
    const struct ht_planner_here here = {progress.at, progress.stop, progress.since_ms};
    saying->plan = ht_planner_now(context->app->planner);
    if (ht_planner_ahead_make(context->app, ht_planner_plan_route(saying->plan, command->params[0]),
                              &here, &saying->ahead) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    if (!known || (saying->word != DEPART && !stop_find(saying, &progress))) {
        ht_reply_problem(reply, 409, "Conflict", "the unit has no such stop ahead of it");
        return;
    }
    if (!word_take(saying, &progress, events, &count)) {
        ht_reply_problem(reply, 409, "Conflict", refusal(saying));
        return;
    }
    memcpy(saying->written, events, count * sizeof *events);
    saying->written_count = count;
    if (events_write(saying, command, tx, events, count) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "it can't be written now");
        return;
    }
    ht_commit_alone(context->app->commit); /* a word behind it goes by what it says */
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "unit", command->params[0]);
    ht_json_key_text(&json, "event", words[saying->word]);
    ht_underway_write(&json, &progress);
    ht_json_object_end(&json);
}

static void say_run(struct ht_app_context *context, struct ht_command *command,
                    struct ht_store_tx *tx, struct ht_reply *reply)
{
    if (context->app->planner == NULL || context->app->underway == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "nothing is planned here");
    } else if (allowed(context->app, command, reply)) {
        say(context, command, tx, reply);
    }
}

/* It is written: what is known follows. Positions may have said the same meanwhile, and what they
 * said is yet to be written: not that once more. */
static void say_applied(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    struct ht_underway *underway = context->app->underway;
    struct saying *saying = command->parsed;
    struct ht_progress_event events[HT_PROGRESS_EVENTS];
    size_t count = 0;
    (void)reply;
    (void)pthread_mutex_lock(&underway->lock);
    struct ht__van *van = ht__underway_van(underway, command->params[0]);
    if (van != NULL && word_take(saying, &van->progress, events, &count)) {
        van->due = true;
        for (size_t i = 0; i < count; i++) {
            ht__underway_learn(underway, van, &saying->ahead, &events[i]);
        }
    }
    if (van != NULL && count < saying->written_count) {
        memcpy(van->said, saying->written, saying->written_count * sizeof *van->said);
        van->said_count = saying->written_count;
    }
    (void)pthread_mutex_unlock(&underway->lock);
}

static void say_free(struct ht_command *command)
{
    struct saying *saying = command->parsed;
    if (saying != NULL) {
        ht_planner_ahead_deinit(&saying->ahead);
        ht_planner_plan_release(saying->plan);
        yajl_tree_free(saying->tree);
        free(saying);
    }
}

static const struct ht_command_kind say_kind = {
    .prepare = say_prepare, .run = say_run, .applied = say_applied, .free = say_free};

void ht_unit_event_post(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &say_kind);
}
