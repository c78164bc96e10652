#include "api/routes_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/command.h"
#include "api/json.h"
#include "api/traffic.h"
#include "api/traffic_read.h"
#include "api/zone_profiles.h"
#include "engine/base/array.h"

enum { UNMATCHED_SHOWN = 100 };

/* With the place of what is wrong: a JSON pointer, which the message begins with, or a line; else
 * it is the whole body. */
static void refuse(struct ht_reply *reply, const struct ht_error *error)
{
    char pointer[24] = "";
    size_t size = strcspn(error->message, ":");
    bool pointed = error->message[0] == '/' && error->message[size] == ':';
    ht_reply_status(reply, error);
    if (pointed) {
        (void)snprintf(pointer, sizeof pointer, "%.*s", (int)size, error->message);
    }
    if (error->status != HT_NOMEM) {
        ht_reply_where(reply, pointed || error->line == 0 ? pointer : NULL, error->line,
                       error->message);
    }
}

/* A name that is none would change nothing, and nobody would notice. */
static enum ht_status profiles_check(const struct ht_world *world,
                                     const struct ht_traffic_rows *rows, struct ht_error *error)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct ht_error wrong = {0};
        if (ht_profile_names_check(world, rows->list[i].profiles, &wrong) != HT_OK) {
            return ht_error_set(error, HT_INVALID, (int64_t)i + 1, "/%zu/profiles: %.160s", i,
                                wrong.message);
        }
    }
    return HT_OK;
}

/* A body as it came. */
struct said_body {
    const char *content_type;
    const char *text;
    size_t size;
};

static bool read_body(struct ht_app_context *context, const struct said_body *body,
                      struct ht_traffic_rows *rows, struct ht_reply *reply)
{
    struct ht_error error = {0};
    enum ht_status status = HT_OK;
    if (strncasecmp(body->content_type, "application/json", 16) == 0) {
        status = ht_traffic_read_json(body->text, body->size, rows, &error);
    } else if (strncasecmp(body->content_type, "text/csv", 8) == 0) {
        status = ht_traffic_read_csv(body->text, body->size, rows, &error);
    } else {
        ht_reply_problem(reply, 415, "Unsupported Media Type",
                         "the body has to be application/json or text/csv");
        return false;
    }
    if (status == HT_OK) {
        status = profiles_check(ht_world_reader_get(&context->world), rows, &error);
    }
    if (status != HT_OK) {
        refuse(reply, &error);
    }
    return status == HT_OK;
}

/* Says what came of it. */
static void outcome_write(enum ht_status status, size_t count, const bool *matched,
                          const struct ht_traffic_done *done, struct ht_reply *reply)
{
    if (status != HT_OK) {
        struct ht_error error = {0};
        (void)ht_error_set(&error, status, 0, NULL);
        ht_reply_status(reply, &error);
        return;
    }
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "applied", (int64_t)done->applied);
    ht_json_key_int(&json, "unmatched", (int64_t)(count - done->applied));
    ht_json_key(&json, "unmatched_items"); /* the first of them, by place in the body from 0 on */
    ht_json_array(&json);
    for (size_t i = 0, shown = 0; i < count && shown < UNMATCHED_SHOWN; i++) {
        if (!matched[i]) {
            ht_json_int(&json, (int64_t)i);
            shown++;
        }
    }
    ht_json_array_end(&json);
    ht_json_key_double(&json, "customize_ms", done->customize_ms, 3);
    ht_json_key_int(&json, "metric", (int64_t)done->metric);
    ht_json_object_end(&json);
}

/* ---- with a store: written first ----
 *
 * All changes of a batch are obeyed together, by the first of them that is applied: the streets are
 * customized once for all, and each answers for its own. */

struct ht_traffic_said {
    struct ht_traffic_rows rows;
    struct ht_traffic_said *before; /* written before it, and waiting as well */
    bool waits;                     /* in the app's list */
    enum ht_status status;
    bool *matched; /* [rows.count] */
    struct ht_traffic_done done;
};

static void said_remove(struct ht_app *app, struct ht_traffic_said *said)
{
    struct ht_traffic_said **at = &app->said;
    while (said->waits && *at != NULL && *at != said) {
        at = &(*at)->before;
    }
    if (said->waits && *at == said) {
        *at = said->before;
    }
    said->waits = false;
}

/* Hands each what became of its rows, which lie in the order of writing. */
static void outcomes_share(struct ht_traffic_said *last, enum ht_status status, size_t count,
                           const bool *matched, const struct ht_traffic_done *done)
{
    for (struct ht_traffic_said *said = last; said != NULL; said = said->before) {
        said->waits = false;
        said->status = status;
        said->done = *done;
        said->done.applied = 0;
        count -= status == HT_OK ? said->rows.count : 0;
        for (size_t i = 0; status == HT_OK && i < said->rows.count; i++) {
            said->matched[i] = matched[count + i];
            said->done.applied += matched[count + i] ? 1 : 0;
        }
    }
}

static void obey_all(struct ht_app *app)
{
    struct ht_traffic_said *last = app->said;
    struct ht_traffic_done done = {0};
    size_t count = 0;
    app->said = NULL;
    for (const struct ht_traffic_said *said = last; said != NULL; said = said->before) {
        count += said->rows.count;
    }
    struct ht_store_traffic *rows = ht_array_new(count, sizeof *rows);
    bool *matched = ht_array_new_zeroed(count, sizeof *matched);
    enum ht_status status = rows == NULL || matched == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        size_t at = count;
        for (const struct ht_traffic_said *said = last; said != NULL; said = said->before) {
            at -= said->rows.count;
            for (size_t i = 0; i < said->rows.count; i++) {
                rows[at + i] = said->rows.list[i];
            }
        }
        status = ht_app_traffic(app, rows, count, matched, &done);
    }
    outcomes_share(last, status, count, matched, &done);
    free(rows);
    free(matched);
}

static bool traffic_prepare(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply)
{
    const struct said_body body = {command->content_type, command->body, command->body_size};
    struct ht_traffic_said *said = calloc(1, sizeof *said);
    command->parsed = said;
    if (said != NULL && !read_body(context, &body, &said->rows, reply)) {
        return false;
    }
    if (said != NULL) {
        said->matched = ht_array_new(said->rows.count, sizeof *said->matched);
    }
    if (said == NULL || said->matched == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    return true;
}

static void traffic_run(struct ht_app_context *context, struct ht_command *command,
                        struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht_traffic_said *said = command->parsed;
    const struct ht_traffic_rows *rows = &said->rows;
    struct ht_error error = {0};
    char digest[HT_DIGEST_TEXT];
    char body[160];
    enum ht_status status = ht_store_traffic_put(tx, rows->list, rows->count, &error);
    if (status == HT_OK) {
        status = ht_store_traffic_forget(tx, command->at_ms, &error);
    }
    if (status == HT_OK) {
        status = ht_digest_of(command->body, command->body_size, digest);
    }
    if (status == HT_OK) {
        (void)snprintf(body, sizeof body, "{\"count\":%zu,\"sha256\":\"%s\"}", rows->count, digest);
        const struct ht_store_event event = {.at_ms = command->at_ms,
                                             .actor = command->caller.name,
                                             .kind = "traffic.set",
                                             .subject = "traffic",
                                             .body = body};
        status = ht_store_event_append(tx, &event, NULL, &error);
    }
    if (status != HT_OK) {
        error.status = status;
        ht_reply_status(reply, &error);
        return;
    }
    said->waits = true;
    said->before = context->app->said;
    context->app->said = said;
}

static void traffic_applied(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply)
{
    struct ht_traffic_said *said = command->parsed;
    if (said->waits) {
        obey_all(context->app);
    }
    outcome_write(said->status, said->rows.count, said->matched, &said->done, reply);
}

static void traffic_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    (void)lost;
    said_remove(context->app, command->parsed);
}

static void traffic_free(struct ht_command *command)
{
    struct ht_traffic_said *said = command->parsed;
    if (said != NULL) {
        ht_traffic_rows_deinit(&said->rows);
        free(said->matched);
        free(said);
    }
}

static const struct ht_command_kind traffic_kind = {.prepare = traffic_prepare,
                                                    .run = traffic_run,
                                                    .applied = traffic_applied,
                                                    .free = traffic_free,
                                                    .undone = traffic_undone,
                                                    .answers_late = true};

/* ---- without: as long as the server runs ---- */

static void fleeting_run(void *user, void *data, struct ht_reply *reply)
{
    const struct ht_app_context *context = user;
    const struct ht_traffic_rows *rows = data;
    struct ht_traffic_done done = {0};
    bool *matched = ht_array_new_zeroed(rows->count, sizeof *matched);
    enum ht_status status =
        matched == NULL ? HT_NOMEM
                        : ht_app_traffic(context->app, rows->list, rows->count, matched, &done);
    outcome_write(status, rows->count, matched, &done, reply);
    free(matched);
}

static void fleeting_free(void *data)
{
    ht_traffic_rows_deinit(data);
    free(data);
}

static void fleeting_start(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_traffic_rows *rows = calloc(1, sizeof *rows);
    char *text = malloc(request->content_type_size + request->body_size + 2);
    if (rows == NULL || text == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
    } else {
        char *body = text + request->content_type_size + 1;
        memcpy(text, request->content_type == NULL ? "" : request->content_type,
               request->content_type_size);
        text[request->content_type_size] = '\0';
        memcpy(body, request->body, request->body_size);
        body[request->body_size] = '\0';
        const struct said_body said = {text, body, request->body_size};
        if (read_body(context, &said, rows, call->reply)) {
            call->job =
                (struct ht_http_job){.run = fleeting_run, .free = fleeting_free, .data = rows};
        } else {
            ht_traffic_rows_deinit(rows);
            free(rows);
        }
        rows = NULL;
    }
    free(text);
    free(rows);
}

void ht_traffic_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->store == NULL) {
        fleeting_start(context, call);
    } else {
        ht_command_start(context, call, &traffic_kind);
    }
}
