#include "api/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/persons.h"

void ht_look_free(void *data)
{
    struct ht_look *look = data;
    if (look != NULL) {
        ht_params_deinit(&look->params);
        ht_buffer_deinit(&look->plain);
        free(look);
    }
}

static bool id_take(const struct ht_http_call *call, char id[HT_ID_MAX + 1])
{
    const struct ht_http_span *span = &call->params[0];
    if (span->size > HT_ID_MAX) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such id");
        return false;
    }
    memcpy(id, call->request->target + span->at, span->size);
    id[span->size] = '\0';
    return true;
}

/* NULL, or what is wrong. */
static const char *crs_read(struct ht_look *look)
{
    const char *text = ht_param(&look->params, "out_crs");
    text = text == NULL ? ht_param(&look->params, "crs") : text;
    return text == NULL || ht_crs_parse(text, strlen(text), &look->crs) == HT_OK
               ? NULL
               : "crs and out_crs are coordinate systems";
}

void *ht_look_begin(struct ht_app_context *context, struct ht_http_call *call, size_t size,
                    bool one)
{
    struct ht_look *look = calloc(1, size);
    if (look == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return NULL;
    }
    if (one && !id_take(call, look->id)) {
        free(look);
        return NULL;
    }
    const char *wrong = ht_params_of(&look->params, call->request) == HT_OK
                            ? crs_read(look)
                            : "the query is not well encoded";
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht_look_free(look);
        return NULL;
    }
    look->caller = *context->caller;
    look->at_ms = ht_clock_now_ms(&context->app->clock);
    look->personal = ht_access_personal(&look->caller) && context->app->commit != NULL;
    return look;
}

/* Places can be written in the system that is asked for; else the answer is. */
static bool crs_ready(struct ht_app_context *context, const struct ht_crs *crs,
                      struct ht_reply *reply)
{
    if (ht_crs_plain(crs)) {
        return true;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_crs_check(context->crs, crs, NULL) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "crs and out_crs are coordinate systems");
        return false;
    }
    return true;
}

static enum ht_status look_write(struct ht_app_context *context, const struct ht_look *look,
                                 struct ht_look_telling *telling, struct ht_buffer *out,
                                 struct ht_error *error)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    telling->json = &json;
    return look->write(context, look, telling, error);
}

static void look_refuse(struct ht_error *error, enum ht_status status, struct ht_reply *reply)
{
    ht_buffer_clear(&reply->body);
    error->status = status;
    if (status == HT_INVALID) {
        ht_reply_problem(reply, 400, "Bad Request", error->message);
    } else {
        ht_reply_status(reply, error);
    }
}

/* True: something personal was written, which the writer's thread has to note. */
static bool look_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht_look *look = data;
    struct ht_error error = {0};
    struct ht_look_telling telling = {.reader = ht_app_reader(context, reply),
                                      .personal = look->personal,
                                      .may = ht_access_personal(&look->caller)};
    if (telling.reader == NULL || !crs_ready(context, &look->crs, reply)) {
        return false;
    }
    enum ht_status status = look_write(context, look, &telling, &reply->body, &error);
    bool noted = look->personal && telling.any;
    if (status == HT_OK && noted) {
        telling.personal = false;
        status = look_write(context, look, &telling, &look->plain, &error);
    }
    if (status != HT_OK) {
        look_refuse(&error, status, reply);
        return false;
    }
    (void)snprintf(reply->etag, sizeof reply->etag, "%s", telling.etag);
    reply->content_type = telling.content_type == NULL ? reply->content_type : telling.content_type;
    return noted;
}

static void look_plain(void *user, void *data, struct ht_reply *reply)
{
    bool noted = look_run(user, data, reply);
    (void)noted;
}

static void look_note(void *user, void *data, struct ht_reply *reply)
{
    const struct ht_look *look = data;
    const struct ht_persons_read read = {.collection = look->collection,
                                         .id = look->id,
                                         .how = look->how,
                                         .limit = look->id[0] == '\0' ? look->limit : 1,
                                         .caller = &look->caller,
                                         .at_ms = look->at_ms,
                                         .plain = &look->plain};
    ht_persons_note(user, &read, reply);
}

static void look_lost(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct ht_look *look = data;
    const char *type = reply->content_type;
    (void)user;
    (void)why;
    if (reply->status == 200) {
        ht_reply_reset(reply);
        reply->content_type = type;
        ht_buffer_append(&reply->body, look->plain.data, look->plain.size);
    }
}

void ht_look_start(struct ht_http_call *call, struct ht_look *look)
{
    call->job = look->personal ? (struct ht_http_job){.prepare = look_run,
                                                      .run = look_note,
                                                      .lost = look_lost,
                                                      .writes = true}
                               : (struct ht_http_job){.run = look_plain};
    call->job.free = ht_look_free;
    call->job.data = look;
}

void ht_look_withheld(const struct ht_look_telling *telling)
{
    if (telling->may && telling->any && !telling->personal) {
        ht_json_key_text(telling->json, "personal", "withheld");
    }
}
