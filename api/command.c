#include "api/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commit.h"
#include "api/http_answer.h"
#include "api/if_match.h"

void ht_reply_status(struct ht_reply *reply, const struct ht_error *error)
{
    static const struct {
        enum ht_status status;
        int http;
    } meanings[] = {
        {HT_NOT_FOUND, 404}, {HT_EXISTS, 409},    {HT_CONFLICT, 409},    {HT_CHANGED, 412},
        {HT_SYNTAX, 400},    {HT_TRUNCATED, 400}, {HT_EMPTY, 400},       {HT_TOO_BIG, 413},
        {HT_INVALID, 422},   {HT_RANGE, 422},     {HT_UNSUPPORTED, 422},
    };
    int status = 503;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        status = meanings[i].status == error->status ? meanings[i].http : status;
    }
    reply->retry_after_s = status == 503 ? 1 : 0;
    ht_reply_problem(reply, status, ht_http_status_text(status), error->message);
}

static void command_free(void *data)
{
    struct ht_command *command = data;
    if (command->kind->free != NULL) {
        command->kind->free(command);
    }
    ht_params_deinit(&command->query);
    free(command->text);
    free(command);
}

static enum ht_status answer_again(void *user, const struct ht_store_answer *answer)
{
    struct {
        struct ht_command *command;
        struct ht_reply *reply;
    } *both = user;
    struct ht_reply *reply = both->reply;
    if (strcmp(answer->request, both->command->request) != 0) {
        ht_reply_problem(reply, 409, "Conflict",
                         "this Idempotency-Key was used for another request");
        return HT_OK;
    }
    reply->status = answer->status;
    /* the few types there are; a static text is wanted */
    reply->content_type = strcmp(answer->content_type, "application/geo+json") == 0
                              ? "application/geo+json"
                              : "application/json; charset=UTF-8";
    (void)snprintf(reply->location, sizeof reply->location, "%s", answer->location);
    (void)snprintf(reply->etag, sizeof reply->etag, "%s", answer->etag);
    ht_buffer_append(&reply->body, answer->body, answer->body_size);
    return HT_OK;
}

/* True: the answer stands. */
static bool answered_before(struct ht_command *command, struct ht_store_reader *reader,
                            struct ht_reply *reply)
{
    struct {
        struct ht_command *command;
        struct ht_reply *reply;
    } both = {command, reply};
    struct ht_error error = {0};
    if (command->key[0] == '\0') {
        return false;
    }
    enum ht_status status = ht_store_answer_get(reader, command->caller.name, command->key,
                                                answer_again, &both, &error);
    if (status != HT_OK && status != HT_NOT_FOUND) {
        ht_reply_status(reply, &error);
    }
    return status != HT_NOT_FOUND;
}

/* What was answered once is answered again before the body is looked at: what it spoke of may be
 * gone by now. The writer looks once more, for what was done meanwhile. */
static bool command_prepare(void *user, void *data, struct ht_reply *reply)
{
    struct ht_command *command = data;
    struct ht_store_reader *reader = command->key[0] == '\0' ? NULL : ht_app_reader(user, reply);
    if (command->key[0] != '\0' && (reader == NULL || answered_before(command, reader, reply))) {
        return false;
    }
    return command->kind->prepare == NULL || command->kind->prepare(user, command, reply);
}

static void answer_keep(const struct ht_command *command, struct ht_store_tx *tx,
                        struct ht_reply *reply)
{
    const struct ht_store_answer answer = {.actor = command->caller.name,
                                           .key = command->key,
                                           .request = command->request,
                                           .status = reply->status,
                                           .content_type = reply->content_type,
                                           .location = reply->location,
                                           .etag = reply->etag,
                                           .body = reply->body.data,
                                           .body_size = reply->body.size,
                                           .at_ms = command->at_ms};
    struct ht_error error = {0};
    if (ht_store_answer_put(tx, &answer, &error) != HT_OK) {
        ht_reply_status(reply, &error);
    }
}

/* An answer on its way to be kept, with its texts behind it. */
struct late {
    struct ht_job job;
    struct ht_commit *commit;
    struct ht_store_answer answer;
    char texts[];
};

static void late_run(struct ht_job *job, void *context)
{
    const struct late *late = (const struct late *)job;
    (void)context;
    if (ht_store_answer_put(ht_commit_tx(late->commit), &late->answer, NULL) != HT_OK) {
        ht_commit_take_back(late->commit);
    }
}

static void late_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    (void)context;
    (void)outcome; /* not kept: the same request is done once more, and that does no harm */
    free(job);
}

static void answer_keep_late(struct ht_commit *commit, const struct ht_command *command,
                             const struct ht_reply *reply)
{
    size_t actor = strlen(command->caller.name) + 1;
    size_t key = strlen(command->key) + 1;
    struct late *late =
        malloc(sizeof *late + actor + key + sizeof command->request + reply->body.size);
    if (late == NULL) {
        return;
    }
    char *name = late->texts;
    char *request = name + actor + key;
    char *body = request + sizeof command->request;
    memcpy(name, command->caller.name, actor);
    memcpy(name + actor, command->key, key);
    memcpy(request, command->request, sizeof command->request);
    if (reply->body.size > 0) {
        memcpy(body, reply->body.data, reply->body.size);
    }
    late->job = (struct ht_job){.run = late_run, .done = late_done};
    late->commit = commit;
    late->answer = (struct ht_store_answer){.actor = name,
                                            .key = name + actor,
                                            .request = request,
                                            .status = reply->status,
                                            .content_type = reply->content_type,
                                            .location = "",
                                            .etag = "",
                                            .body = body,
                                            .body_size = reply->body.size,
                                            .at_ms = command->at_ms};
    if (!ht_commit_submit(commit, &late->job)) {
        free(late);
    }
}

static void command_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht_command *command = data;
    struct ht_commit *commit = context->app->commit;
    struct ht_store_tx *tx = ht_commit_tx(commit);
    command->ran = true;
    if (answered_before(command, ht_store_tx_reader(tx), reply)) {
        command->failed = true; /* nothing was done now */
        ht_commit_take_back(commit);
        return;
    }
    command->kind->run(context, command, tx, reply);
    if (reply->status < 400 && command->key[0] != '\0' && !command->kind->answers_late) {
        answer_keep(command, tx, reply);
    }
    if (reply->status >= 400) {
        command->failed = true;
        if (command->kind->undone != NULL) {
            command->kind->undone(context, command, false);
        }
        ht_commit_take_back(commit);
        ht_registry_forget(context->app->registry);
    }
}

static void command_applied(void *user, void *data, struct ht_reply *reply)
{
    struct ht_command *command = data;
    if (!command->failed && command->kind->applied != NULL) {
        command->kind->applied(user, command, reply);
        if (command->kind->answers_late && command->key[0] != '\0' && reply->status < 400) {
            answer_keep_late(command->app->commit, command, reply);
        }
    }
}

/* The batch could not be committed, and this command with it. */
static void command_lost(void *user, void *data, enum ht_status outcome, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht_command *command = data;
    struct ht_error told = {.status = HT_IO};
    (void)snprintf(told.message, sizeof told.message, "not done: %s", ht_status_text(outcome));
    if (command->ran) {
        ht_registry_forget(context->app->registry);
    }
    if (command->ran && !command->failed && command->kind->undone != NULL) {
        command->kind->undone(context, command, true);
    }
    ht_reply_reset(reply);
    ht_reply_status(reply, &told);
}

/* A copy with a NUL behind it; moves `at`. */
static const char *keep(char **at, const char *text, size_t size)
{
    char *copy = *at;
    if (size > 0) {
        memcpy(copy, text, size);
    }
    copy[size] = '\0';
    *at += size + 1;
    return copy;
}

bool ht_command_expects(const struct ht_command *command, uint64_t version)
{
    return command->if_match == NULL ||
           ht_if_match_has(command->if_match, strlen(command->if_match), version);
}

static enum ht_status request_digest(struct ht_command *command,
                                     const struct ht_http_request *request)
{
    struct ht_digest digest;
    enum ht_status status = ht_digest_init(&digest);
    if (status == HT_OK) {
        unsigned char method = (unsigned char)request->method;
        ht_digest_begin(&digest);
        ht_digest_add(&digest, &method, 1);
        ht_digest_add(&digest, request->target, request->target_size);
        ht_digest_add(&digest, "\n", 1);
        ht_digest_add(&digest, request->body, request->body_size);
        status = ht_digest_end(&digest, command->request);
    }
    ht_digest_deinit(&digest);
    return status;
}

/* Copies what lasts; NULL, or why it can't be with `*status` for the client. */
static const char *command_fill(struct ht_command *command, const struct ht_http_call *call,
                                int *status)
{
    const struct ht_http_request *request = call->request;
    size_t key_size = 0;
    size_t match_size = 0;
    size_t written = 0;
    const char *key = ht_http_header(request, "idempotency-key", &key_size);
    const char *match = ht_http_header(request, "if-match", &match_size);
    size_t crs_size = 0;
    const char *crs = ht_http_header(request, "content-crs", &crs_size);
    if (crs != NULL && crs_size >= 2 && crs[0] == '<' && crs[crs_size - 1] == '>') {
        crs++;
        crs_size -= 2;
    }
    *status = 503;
    command->text = malloc(request->target_size + request->content_type_size + request->body_size +
                           key_size + crs_size + match_size + HT_HTTP_PARAMS + 8);
    if (command->text == NULL) {
        return "out of memory";
    }
    char *at = command->text;
    for (int i = 0; i < HT_HTTP_PARAMS; i++) {
        command->params[i] = at;
        if (ht_percent_decode(request->target + call->params[i].at, call->params[i].size, false, at,
                              &written) != HT_OK) {
            *status = 400;
            return "the path is not well encoded";
        }
        at += written + 1;
    }
    command->content_type = keep(&at, request->content_type, request->content_type_size);
    command->key = keep(&at, key, key == NULL ? 0 : key_size);
    command->content_crs = keep(&at, crs, crs == NULL ? 0 : crs_size);
    command->body = keep(&at, request->body, request->body_size);
    command->body_size = request->body_size;
    *status = 400;
    if (key_size > 255) {
        return "an Idempotency-Key has 255 bytes at most";
    }
    if (match != NULL && !ht_if_match_sound(match, match_size, &command->must_exist)) {
        return "If-Match is * or a list of ETags, each in quotes";
    }
    command->if_match = match == NULL || command->must_exist ? NULL : keep(&at, match, match_size);
    if (ht_params_of(&command->query, request) != HT_OK) {
        return "the query is not well encoded";
    }
    *status = 503;
    return key != NULL && request_digest(command, request) != HT_OK ? "out of memory" : NULL;
}

void ht_command_start(struct ht_app_context *context, struct ht_http_call *call,
                      const struct ht_command_kind *kind)
{
    struct ht_command *command = calloc(1, sizeof *command);
    int status = 503;
    if (command == NULL || context->app->commit == NULL) {
        free(command);
        ht_reply_problem(call->reply, 503, "Service Unavailable",
                         context->app->store == NULL ? "this server has no store"
                                                     : "the store can't be written");
        return;
    }
    command->kind = kind;
    command->app = context->app;
    command->caller = *context->caller;
    command->method = call->request->method;
    command->at_ms = ht_clock_now_ms(&context->app->clock);
    const char *wrong = command_fill(command, call, &status);
    if (wrong != NULL) {
        ht_reply_problem(call->reply, status, ht_http_status_text(status), wrong);
        command_free(command);
        return;
    }
    call->job = (struct ht_http_job){.prepare = kind->prepare == NULL ? NULL : command_prepare,
                                     .run = command_run,
                                     .applied = command_applied,
                                     .lost = command_lost,
                                     .free = command_free,
                                     .data = command,
                                     .writes = true};
}
