#include "api/inner_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commit.h"

enum { HEAD = 320 };

/* One on its way. */
struct inner {
    struct ht_job job;
    struct ht_http_job http;
    struct ht_reply reply;
    struct ht_caller caller;
    ht_inner_done *done;
    void *user;
    char texts[4][HT_ID_MAX + 1]; /* the caller's */
};

/* A copy that lasts; NULL stays NULL. */
static const char *keep(char room[HT_ID_MAX + 1], const char *text)
{
    if (text != NULL) {
        (void)snprintf(room, HT_ID_MAX + 1, "%s", text);
    }
    return text == NULL ? NULL : room;
}

static void finish(struct inner *inner)
{
    inner->done(inner->user, &inner->reply);
    if (inner->http.free != NULL) {
        inner->http.free(inner->http.data);
    }
    ht_reply_deinit(&inner->reply);
    free(inner);
}

static void inner_run(struct ht_job *job, void *worker)
{
    struct inner *inner = (struct inner *)job;
    inner->http.run(((struct ht_worker_context *)worker)->user, inner->http.data, &inner->reply);
}

static void inner_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct inner *inner = (struct inner *)job;
    void *context = ((struct ht_worker_context *)worker)->user;
    if (outcome != HT_OK) {
        inner->http.lost(context, inner->http.data, outcome, &inner->reply);
    } else if (inner->http.applied != NULL) {
        inner->http.applied(context, inner->http.data, &inner->reply);
    }
    finish(inner);
}

static struct inner *inner_new(const struct ht_inner_ask *ask, ht_inner_done *done, void *user)
{
    struct inner *inner = calloc(1, sizeof *inner);
    if (inner != NULL) {
        const struct ht_caller *caller = &ask->caller;
        inner->job = (struct ht_job){.run = inner_run, .done = inner_done};
        inner->done = done;
        inner->user = user;
        inner->caller = (struct ht_caller){.name = keep(inner->texts[0], caller->name),
                                           .role = caller->role,
                                           .unit = keep(inner->texts[1], caller->unit),
                                           .household = keep(inner->texts[2], caller->household),
                                           .district = keep(inner->texts[3], caller->district)};
        ht_reply_reset(&inner->reply);
    }
    return inner;
}

/* Lets the handler make its job. */
static void handle(struct ht_app_context *context, const struct ht_inner_ask *ask,
                   struct inner *inner)
{
    char head[HEAD];
    int head_size = ask->key == NULL || ask->key[0] == '\0'
                        ? 0
                        : snprintf(head, sizeof head, "idempotency-key: %.255s\r\n", ask->key);
    const struct ht_http_request request = {.method = HT_HTTP_POST,
                                            .target = ask->target,
                                            .target_size = strlen(ask->target),
                                            .path_size = strlen(ask->target),
                                            .content_type = "application/json",
                                            .content_type_size = strlen("application/json"),
                                            .head = head,
                                            .head_size = (size_t)head_size,
                                            .body = ask->body,
                                            .body_size = strlen(ask->body)};
    struct ht_http_call call = {.request = &request, .reply = &inner->reply};
    const struct ht_caller *before = context->caller;
    context->caller = &inner->caller;
    ask->handler(context, &call);
    context->caller = before;
    inner->http = call.job;
}

static void unavailable(struct ht_reply *reply)
{
    ht_reply_reset(reply);
    ht_reply_problem(reply, 503, "Service Unavailable", "too much waits to be written");
}

void ht_inner_call(struct ht_app_context *context, const struct ht_inner_ask *ask,
                   ht_inner_done *done, void *user)
{
    struct inner *inner = inner_new(ask, done, user);
    if (inner == NULL) {
        struct ht_reply reply = {.status = 503};
        done(user, &reply);
        return;
    }
    handle(context, ask, inner);
    bool stands =
        inner->http.run == NULL || (inner->http.prepare != NULL &&
                                    !inner->http.prepare(context, inner->http.data, &inner->reply));
    if (stands || !ht_commit_submit(context->app->commit, &inner->job)) {
        if (!stands) {
            unavailable(&inner->reply);
        }
        finish(inner);
    }
}
