#include "api/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/params_only.h"
#include "api/rounds_internal.h"
#include "api/rounds_make.h"
#include "api/visits_room.h"
#include "api/writer_act.h"
#include "geodata/digest.h"

/* ---- on the writer's thread ---- */

static enum ht_status version_take(void *user, const struct ht_store_round *round)
{
    int64_t *version = user;
    *version = round->version;
    return HT_OK;
}

/* That the round is new, or still the one that was planned on. */
static enum ht_status round_check(const struct ht__round_making *making, struct ht_store_tx *tx,
                                  struct ht_error *error)
{
    int64_t version = 0;
    enum ht_status status =
        ht_store_round_get(ht_store_tx_reader(tx), making->id, version_take, &version, error);
    if (!making->again) {
        return status == HT_NOT_FOUND ? HT_OK
               : status != HT_OK      ? status
                                      : ht_error_set(error, HT_EXISTS, 0,
                                                     "there is a round %.64s already", making->id);
    }
    return status == HT_OK && version != making->record.version
               ? ht_error_set(error, HT_CONFLICT, 0, "the round was re-planned meanwhile")
               : status;
}

static enum ht_status event_write(struct ht__round_making *making, const char *actor,
                                  struct ht_store_tx *tx, struct ht_error *error)
{
    char subject[HT_ID_MAX + 16];
    char digest[HT_DIGEST_TEXT];
    struct ht_buffer body = {0};
    struct ht_json json;
    int64_t seq = 0;
    enum ht_status status = ht_digest_of(making->body.data, making->body.size - 1, digest);
    (void)snprintf(subject, sizeof subject, "rounds/%s", making->id);
    ht_json_begin(&json, &body);
    ht_json_object(&json);
    ht_json_key_text(&json, "round", making->id);
    ht_json_key_text(&json, "collection", making->ask.collection->name);
    ht_json_key_int(&json, "from_ms", making->made.from_ms);
    ht_json_key_int(&json, "to_ms", making->made.to_ms);
    ht_json_key_int(&json, "visits", (int64_t)making->result.visit_count);
    ht_json_key_int(&json, "missing", making->plan->missing_visits);
    ht_json_key_text(&json, "sha256", digest);
    ht_json_object_end(&json);
    ht_buffer_append(&body, "", 1);
    if (status == HT_OK && body.failed) {
        status = HT_NOMEM;
    }
    const struct ht_store_event event = {.at_ms = making->said.at_ms,
                                         .actor = actor,
                                         .kind =
                                             making->again ? "round.replanned" : "round.planned",
                                         .subject = subject,
                                         .body = body.data};
    if (status == HT_OK) {
        status = ht_store_event_append(tx, &event, &seq, error);
    }
    ht_buffer_deinit(&body);
    making->made.number = making->again ? making->record.number : seq;
    return status == HT_OK || error->message[0] != '\0' ? status
                                                        : ht_error_set(error, status, 0, NULL);
}

enum ht_status ht__round_homes_note(struct ht_store_tx *tx, int64_t at_ms, const char *actor,
                                    struct ht_error *error)
{
    const struct ht_store_event event = {
        .at_ms = at_ms,
        .actor = actor,
        .kind = "personal.read",
        .subject = "households/",
        .body = "{\"collection\":\"households\",\"by\":\"rounds\",\"offset\":0}"};
    return ht_store_event_append(tx, &event, NULL, error);
}

static enum ht_status visits_plan(struct ht_app_context *context, struct ht__round_making *making,
                                  const char *actor, struct ht_store_tx *tx, struct ht_error *error)
{
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_planning planning = {.round = making->id,
                                               .rows = making->result.rows,
                                               .count = making->result.row_count,
                                               .now_ms = making->said.at_ms,
                                               .whole = true,
                                               .from_ms = making->since_ms};
    enum ht_status status =
        ht_visits_plan(ht_visits_room_visits(room), &planning, &making->decision, error);
    return status == HT_OK ? ht_visits_room_write(room, tx, making->decision, actor, NULL, error)
                           : status;
}

static void answer(struct ht_app_context *context, struct ht__round_making *making,
                   struct ht_reply *reply)
{
    const struct ht__round_part all = {.from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct ht_json json;
    ht_round_record_pending(&making->made, ht_visits_room_visits(context->app->visits));
    ht_json_begin(&json, &reply->body);
    ht__round_write(&making->made, &all, &json);
    reply->status = making->again ? 200 : 201;
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)making->made.version);
    if (!making->again) {
        (void)snprintf(reply->location, sizeof reply->location, "/v1/rounds/%s", making->id);
    }
}

/* All that lasts of it. */
static enum ht_status round_write(struct ht_app_context *context, struct ht__round_making *making,
                                  const char *actor, struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status =
        making->scene.personal ? ht__round_homes_note(tx, making->said.at_ms, actor, error) : HT_OK;
    if (status == HT_OK) {
        status = event_write(making, actor, tx, error);
    }
    if (status == HT_OK) {
        status = visits_plan(context, making, actor, tx, error);
    }
    const struct ht_store_round round = {.id = making->id,
                                         .number = making->made.number,
                                         .collection = making->ask.collection->name,
                                         .from_ms = making->made.from_ms,
                                         .to_ms = making->made.to_ms,
                                         .made_ms = making->made.made_ms,
                                         .changed_ms = making->made.changed_ms,
                                         .version = making->made.version,
                                         .body = making->body.data};
    return status == HT_OK ? ht_store_round_put(tx, &round, error) : status;
}

static void make_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht__round_making *making = command->parsed;
    struct ht_error error = {0};
    enum ht_status status = round_check(making, tx, &error);
    if (status == HT_OK && making->again &&
        !ht_command_expects(command, (uint64_t)making->record.version)) {
        status = ht_error_set(&error, HT_CHANGED, 0, "the round has another version");
    }
    if (status == HT_OK) {
        status = round_write(context, making, command->caller.name, tx, &error);
    }
    if (status == HT_OK) {
        answer(context, making, reply);
    } else {
        (void)ht__round_deny_status(reply, status, &error);
    }
}

static void make_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht__round_making *making = command->parsed;
    (void)reply;
    ht_visits_apply(ht_visits_room_visits(context->app->visits), making->decision);
    making->decision = NULL;
}

static void make_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct ht__round_making *making = command->parsed;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    if (lost) {
        ht_visits_drop(visits, making->decision);
    } else {
        ht_visits_take_back(visits, making->decision);
    }
    making->decision = NULL;
}

static void make_free(struct ht_command *command)
{
    ht__round_making_free(command->parsed);
}

static void said_take(struct ht_command *command)
{
    struct ht__round_making *making = command->parsed;
    making->said = (struct ht__round_said){.body = command->body,
                                           .body_size = command->body_size,
                                           .crs = ht_param(&command->query, "crs"),
                                           .at_ms = command->at_ms};
}

static bool make_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    said_take(command);
    return ht__round_prepare(context, command->parsed, reply);
}

static bool again_prepare(struct ht_app_context *context, struct ht_command *command,
                          struct ht_reply *reply)
{
    struct ht__round_making *making = command->parsed;
    said_take(command);
    (void)snprintf(making->id, sizeof making->id, "%s", command->params[0]);
    return ht__round_prepare_again(context, making, reply);
}

static const struct ht_command_kind make_kind = {.prepare = make_prepare,
                                                 .run = make_run,
                                                 .applied = make_applied,
                                                 .free = make_free,
                                                 .undone = make_undone};

static const struct ht_command_kind again_kind = {.prepare = again_prepare,
                                                  .run = make_run,
                                                  .applied = make_applied,
                                                  .free = make_free,
                                                  .undone = make_undone};

/* ---- by itself ---- */

struct itself {
    struct ht_app_context *context;
    struct ht__round_making *making;
};

static enum ht_status itself_run(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                                 struct ht_error *error)
{
    struct itself *itself = user;
    struct ht__round_making *making = itself->making;
    enum ht_status status = round_check(making, tx, error);
    if (status == HT_OK) {
        status = round_write(context, making, "rounds", tx, error);
    }
    if (status != HT_OK) {
        ht_visits_take_back(ht_visits_room_visits(context->app->visits), making->decision);
        making->decision = NULL;
    }
    return status;
}

static void itself_done(void *user, enum ht_status outcome)
{
    struct itself *itself = user;
    struct ht_visits *visits = ht_visits_room_visits(itself->context->app->visits);
    if (outcome == HT_OK) {
        ht_visits_apply(visits, itself->making->decision);
    } else {
        ht_visits_drop(visits, itself->making->decision);
    }
    itself->making->decision = NULL;
}

bool ht__round_replan_now(struct ht_app_context *context, const char *id, const bool *cancel)
{
    struct ht_error error = {0};
    struct ht_reply reply = {0};
    struct itself itself = {context, calloc(1, sizeof *itself.making)};
    struct ht__round_making *making = itself.making;
    const struct ht_writer_act act = {itself_run, itself_done, &itself};
    if (making == NULL) {
        return false;
    }
    making->again = true;
    making->cancel = cancel;
    making->said =
        (struct ht__round_said){.body = "", .at_ms = ht_clock_now_ms(&context->app->clock)};
    (void)snprintf(making->id, sizeof making->id, "%s", id);
    bool done = ht__round_prepare_again(context, making, &reply) &&
                ht_writer_do(context->app, &act, &error) == HT_OK;
    bool over = reply.status == 422; /* its days are */
    ht_reply_deinit(&reply);
    ht__round_making_free(making);
    return done || over;
}

/* ---- the door ---- */

bool ht__rounds_stand(struct ht_app_context *context, struct ht_http_call *call, const char *params)
{
    if (context->app->visits == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return false;
    }
    return ht_params_only(call, params);
}

static void command_gone(void *data)
{
    const struct ht_command *command = data;
    struct ht__round_making *making = command->parsed;
    __atomic_store_n(&making->gone, true, __ATOMIC_RELAXED);
}

static void start(struct ht_app_context *context, struct ht_http_call *call,
                  const struct ht_command_kind *kind)
{
    if (!ht__rounds_stand(context, call, "")) {
        return;
    }
    if (call->request->body_size > HT_ROUND_BODY_MOST) {
        (void)ht__round_deny(call->reply, 413, "a body of more than 4 MiB");
        return;
    }
    struct ht__round_making *making = calloc(1, sizeof *making);
    if (making == NULL) {
        (void)ht__round_deny(call->reply, 503, "out of memory");
        return;
    }
    making->again = kind == &again_kind;
    ht_command_start(context, call, kind);
    if (call->job.data == NULL) {
        free(making);
        return;
    }
    struct ht_command *command = call->job.data;
    command->parsed = making;
    call->job.gone = command_gone;
}

void ht_rounds_post(struct ht_app_context *context, struct ht_http_call *call)
{
    start(context, call, &make_kind);
}

void ht_round_replan(struct ht_app_context *context, struct ht_http_call *call)
{
    start(context, call, &again_kind);
}
