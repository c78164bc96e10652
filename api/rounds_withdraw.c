/* A round is withdrawn: what it has ahead is cancelled, promised or not; what was stays, and so
 * does the round, to be read and reported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/rounds.h"
#include "api/rounds_internal.h"
#include "api/rounds_make.h"
#include "api/visits_room.h"

/* One withdrawal on its way. */
struct withdrawing {
    struct ht_store_round row; /* texts are the struct's */
    char id[HT_ID_MAX + 1];
    char collection[HT_NAME_MAX + 1];
    char *body;
    size_t cancelled;
    struct ht_visits_decision *decision;
};

static bool withdraw_prepare(struct ht_app_context *context, struct ht_command *command,
                             struct ht_reply *reply)
{
    (void)context;
    command->parsed = calloc(1, sizeof(struct withdrawing));
    return command->parsed != NULL || ht__round_deny(reply, 503, "out of memory");
}

static enum ht_status row_take(void *user, const struct ht_store_round *row)
{
    struct withdrawing *w = user;
    w->row = *row;
    (void)snprintf(w->id, sizeof w->id, "%s", row->id);
    (void)snprintf(w->collection, sizeof w->collection, "%s", row->collection);
    w->row.id = w->id;
    w->row.collection = w->collection;
    w->body = strdup(row->body);
    return w->body == NULL ? HT_NOMEM : HT_OK;
}

/* What it has ahead. */
static enum ht_status visits_cancel(struct ht_app_context *context,
                                    const struct ht_command *command, struct ht_store_tx *tx,
                                    struct withdrawing *w, struct ht_error *error)
{
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_planning nothing = {.round = w->id,
                                              .now_ms = command->at_ms,
                                              .whole = true,
                                              .from_ms = command->at_ms,
                                              .promised = true};
    enum ht_status status =
        ht_visits_plan(ht_visits_room_visits(room), &nothing, &w->decision, error);
    for (size_t i = 0; status == HT_OK && i < w->decision->event_count; i++) {
        w->cancelled += w->decision->events[i]->kind == HT_VISIT_CANCELLED ? 1 : 0;
    }
    return status == HT_OK
               ? ht_visits_room_write(room, tx, w->decision, command->caller.name, NULL, error)
               : status;
}

static enum ht_status event_write(const struct ht_command *command, struct ht_store_tx *tx,
                                  const struct withdrawing *w, struct ht_error *error)
{
    char subject[HT_ID_MAX + 16];
    char body[HT_ID_MAX + 64];
    (void)snprintf(subject, sizeof subject, "rounds/%s", w->id);
    (void)snprintf(body, sizeof body, "{\"round\":\"%s\",\"cancelled\":%zu}", w->id, w->cancelled);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = "round.withdrawn",
                                         .subject = subject,
                                         .body = body};
    return ht_store_event_append(tx, &event, NULL, error);
}

/* The record says when, before all else. */
static enum ht_status row_write(const struct ht_command *command, struct ht_store_tx *tx,
                                struct withdrawing *w, struct ht_error *error)
{
    size_t size = strlen(w->body) + 64;
    char *body = malloc(size);
    if (body == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)snprintf(body, size, "{\"" HT_ROUND_WITHDRAWN "\":%lld,%s", (long long)command->at_ms,
                   w->body + 1);
    w->row.body = body;
    w->row.version++;
    w->row.changed_ms = command->at_ms;
    enum ht_status status = ht_store_round_put(tx, &w->row, error);
    free(body);
    return status;
}

static enum ht_status withdraw(struct ht_app_context *context, const struct ht_command *command,
                               struct ht_store_tx *tx, struct withdrawing *w,
                               struct ht_error *error)
{
    enum ht_status status =
        ht_store_round_get(ht_store_tx_reader(tx), command->params[0], row_take, w, error);
    if (status == HT_OK && strncmp(w->body, "{\"" HT_ROUND_WITHDRAWN "\"",
                                   sizeof "{\"" HT_ROUND_WITHDRAWN "\"" - 1) == 0) {
        status = ht_error_set(error, HT_CONFLICT, 0, "the round was withdrawn already");
    }
    if (status == HT_OK && !ht_command_expects(command, (uint64_t)w->row.version)) {
        status = ht_error_set(error, HT_CHANGED, 0, "the round has another version");
    }
    status = status == HT_OK ? visits_cancel(context, command, tx, w, error) : status;
    status = status == HT_OK ? event_write(command, tx, w, error) : status;
    return status == HT_OK ? row_write(command, tx, w, error) : status;
}

static void withdraw_run(struct ht_app_context *context, struct ht_command *command,
                         struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct withdrawing *w = command->parsed;
    struct ht_error error = {0};
    struct ht_json json;
    enum ht_status status = withdraw(context, command, tx, w, &error);
    if (status != HT_OK) {
        (void)ht__round_deny_status(reply, status, &error);
        return;
    }
    (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)w->row.version);
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "id", w->id);
    ht_json_key_int(&json, "cancelled", (int64_t)w->cancelled);
    ht_json_key_int(&json, "version", w->row.version);
    ht_json_object_end(&json);
}

static void withdraw_applied(struct ht_app_context *context, struct ht_command *command,
                             struct ht_reply *reply)
{
    struct withdrawing *w = command->parsed;
    (void)reply;
    ht_visits_apply(ht_visits_room_visits(context->app->visits), w->decision);
    w->decision = NULL;
}

static void withdraw_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct withdrawing *w = command->parsed;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    if (lost) {
        ht_visits_drop(visits, w->decision);
    } else {
        ht_visits_take_back(visits, w->decision);
    }
    w->decision = NULL;
}

static void withdraw_free(struct ht_command *command)
{
    struct withdrawing *w = command->parsed;
    if (w != NULL) {
        free(w->body);
        free(w);
    }
}

static const struct ht_command_kind withdraw_kind = {.prepare = withdraw_prepare,
                                                     .run = withdraw_run,
                                                     .applied = withdraw_applied,
                                                     .free = withdraw_free,
                                                     .undone = withdraw_undone};

void ht_round_delete(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__rounds_stand(context, call, "")) {
        ht_command_start(context, call, &withdraw_kind);
    }
}
