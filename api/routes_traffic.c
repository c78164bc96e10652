#include "api/routes_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/command.h"
#include "api/json.h"
#include "api/traffic.h"
#include "api/traffic_read.h"

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

static bool read_body(const char *content_type, const char *body, size_t size,
                      struct ht_traffic_rows *rows, struct ht_reply *reply)
{
    struct ht_error error = {0};
    enum ht_status status = HT_OK;
    if (strncasecmp(content_type, "application/json", 16) == 0) {
        status = ht_traffic_read_json(body, size, rows, &error);
    } else if (strncasecmp(content_type, "text/csv", 8) == 0) {
        status = ht_traffic_read_csv(body, size, rows, &error);
    } else {
        ht_reply_problem(reply, 415, "Unsupported Media Type",
                         "the body has to be application/json or text/csv");
        return false;
    }
    if (status != HT_OK) {
        refuse(reply, &error);
    }
    return status == HT_OK;
}

/* Makes the world obey, and says what came of it. */
static void obey(struct ht_app *app, const struct ht_traffic_rows *rows, struct ht_reply *reply)
{
    struct ht_traffic_done done;
    bool *matched = calloc(rows->count + 1, sizeof *matched);
    enum ht_status status =
        matched == NULL ? HT_NOMEM : ht_app_traffic(app, rows->list, rows->count, matched, &done);
    if (status != HT_OK) {
        struct ht_error error = {0};
        (void)ht_error_set(&error, status, 0, NULL);
        free(matched);
        ht_reply_status(reply, &error);
        return;
    }
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "applied", (int64_t)done.applied);
    ht_json_key_int(&json, "unmatched", (int64_t)(rows->count - done.applied));
    ht_json_key(&json, "unmatched_items"); /* the first of them, by place in the body from 0 on */
    ht_json_array(&json);
    for (size_t i = 0, shown = 0; i < rows->count && shown < UNMATCHED_SHOWN; i++) {
        if (!matched[i]) {
            ht_json_int(&json, (int64_t)i);
            shown++;
        }
    }
    ht_json_array_end(&json);
    ht_json_key_double(&json, "customize_ms", done.customize_ms, 3);
    ht_json_key_int(&json, "metric", (int64_t)done.metric);
    ht_json_object_end(&json);
    free(matched);
}

/* ---- with a store: written first ---- */

static bool traffic_prepare(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply)
{
    (void)context;
    struct ht_traffic_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    command->parsed = rows;
    return read_body(command->content_type, command->body, command->body_size, rows, reply);
}

static void traffic_run(struct ht_app_context *context, struct ht_command *command,
                        struct ht_store_tx *tx, struct ht_reply *reply)
{
    (void)context;
    struct ht_traffic_rows *rows = command->parsed;
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
    }
}

static void traffic_applied(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply)
{
    obey(context->app, command->parsed, reply);
}

static void traffic_free(struct ht_command *command)
{
    if (command->parsed != NULL) {
        ht_traffic_rows_deinit(command->parsed);
        free(command->parsed);
    }
}

static const struct ht_command_kind traffic_kind = {.prepare = traffic_prepare,
                                                    .run = traffic_run,
                                                    .applied = traffic_applied,
                                                    .free = traffic_free,
                                                    .answers_late = true};

/* ---- without: as long as the server runs ---- */

static void fleeting_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    obey(context->app, data, reply);
}

static void fleeting_free(void *data)
{
    ht_traffic_rows_deinit(data);
    free(data);
}

static void fleeting_start(struct ht_http_call *call)
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
        if (read_body(text, body, request->body_size, rows, call->reply)) {
            call->job =
                (struct ht_http_job){.run = fleeting_run, .free = fleeting_free, .data = rows};
            rows = NULL;
        }
    }
    free(text);
    free(rows);
}

void ht_traffic_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->store == NULL) {
        fleeting_start(call);
    } else {
        ht_command_start(context, call, &traffic_kind);
    }
}
