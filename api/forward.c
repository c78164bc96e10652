#include "api/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/access.h"
#include "api/commit.h"
#include "api/http_answer.h"
#include "api/log.h"
#include "api/node.h"
#include "api/node_line.h"
#include "api/routes.h"

enum {
    THREADS = 16, /* questions that the desk is asked at once */
    QUEUE = 1024,
    PATIENCE_MS = 120000, /* a plan of the day may take its time */
    HEARD_MS = 1000,      /* how long an answer waits for this node to hear of it */
};

struct ht_forwarder {
    struct ht_app *app;
    struct ht_jobs *jobs;
    struct ht_worker_context workers[THREADS];
    void *contexts[THREADS];
    struct ht_node_lines lines;
    atomic_size_t answered;
    atomic_size_t refused;
    atomic_bool unreached; /* the last that was tried; said once */
};

/* How far a request came. */
enum handed { HANDED_ANSWERED, HANDED_UNSENT, HANDED_UNANSWERED };

/* One request on its way. */
struct forwarding {
    struct ht_forwarder *forwarder;
    struct ht_buffer request; /* without its first lines, which name the desk */
    char *target;
    enum ht_http_method method;
    bool writes;
    struct ht_buffer answer; /* as it comes in: head, then body */
    char *content_type;
    struct ht_buffer headers;
};

/* Those that this server writes by itself, or that are of the connection alone. */
static bool header_stays(const char *line, size_t size)
{
    static const char *const own[] = {"content-type:",      "content-length:",      "date:",
                                      "connection:",        "keep-alive:",          "server:",
                                      "transfer-encoding:", "vary: accept-encoding"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t length = strlen(own[i]);
        if (size >= length && strncasecmp(line, own[i], length) == 0) {
            return false;
        }
    }
    return size > 0;
}

static void headers_keep(struct forwarding *f, const char *begin, const char *end)
{
    for (const char *line = begin; line < end;) {
        const char *next = memmem(line, (size_t)(end - line), "\r\n", 2);
        next = next == NULL ? end : next;
        if (header_stays(line, (size_t)(next - line))) {
            ht_buffer_append(&f->headers, line, (size_t)(next - line));
            ht_buffer_text(&f->headers, "\r\n");
        }
        line = next + 2;
    }
    ht_buffer_append(&f->headers, "", 1);
}

/* The answer, as it is; `*open`: the connection may be asked again. */
static bool answer_read(struct forwarding *f, int fd, const struct ht_node_state *desk,
                        struct ht_reply *reply, bool *open)
{
    struct ht_node_answer answer;
    size_t size = 0;
    if (!ht_node_answer_read(&f->forwarder->lines, fd, desk, PATIENCE_MS, &f->answer, &answer)) {
        return false;
    }
    const char *type = ht_node_header(answer.head, answer.head_end, "content-type", &size);
    f->content_type = type == NULL ? NULL : strndup(type, size);
    headers_keep(f, answer.head, answer.head_end);
    *open = answer.open;
    reply->status = answer.status;
    reply->content_type = f->content_type == NULL ? reply->content_type : f->content_type;
    reply->headers = f->headers.failed ? NULL : f->headers.data;
    ht_buffer_append(&reply->body, answer.body, answer.body_size);
    return true;
}

static const char *method_name(enum ht_http_method method)
{
    switch (method) {
    case HT_HTTP_POST:
        return "POST";
    case HT_HTTP_PUT:
        return "PUT";
    case HT_HTTP_PATCH:
        return "PATCH";
    case HT_HTTP_DELETE:
        return "DELETE";
    case HT_HTTP_GET:
    case HT_HTTP_HEAD: /* the same without its body, which this server leaves out */
    case HT_HTTP_OPTIONS:
    case HT_HTTP_OTHER:
    default:
        return "GET";
    }
}

/* Says once that the desk can't be reached, and once that it can be again. */
static void reached_log(struct ht_forwarder *forwarder, const char *url, bool reached)
{
    if (atomic_exchange(&forwarder->unreached, !reached) == reached) {
        ht_log(reached ? HT_LOG_INFO : HT_LOG_WARNING, "the desk (%s) %s", url,
               reached ? "is reached again"
                       : "can't be reached; its commands are refused with 503");
    }
}

/* What was not sent to its last byte the desk does not do. */
static enum handed ask(struct forwarding *f, const struct ht_node_state *desk,
                       struct ht_reply *reply)
{
    struct ht_buffer first = {0};
    bool open = false;
    struct ht_node_lines *lines = &f->forwarder->lines;
    int fd = ht_node_line_take(lines, desk->url);
    reached_log(f->forwarder, desk->url, fd >= 0);
    if (fd < 0) {
        return HANDED_UNSENT;
    }
    ht_buffer_text(&first, method_name(f->method));
    ht_buffer_text(&first, " ");
    ht_buffer_text(&first, f->target);
    ht_buffer_text(&first, " HTTP/1.1\r\nHost: ");
    ht_buffer_text(&first, desk->url + strlen("http://"));
    ht_buffer_text(&first, "\r\n");
    bool sent = !first.failed && ht_node_line_send(lines, fd, desk, first.data, first.size) &&
                ht_node_line_send(lines, fd, desk, f->request.data, f->request.size);
    bool good = sent && answer_read(f, fd, desk, reply, &open);
    ht_buffer_deinit(&first);
    if (good && open) {
        ht_node_line_rest(lines, fd, desk->url);
    } else {
        (void)close(fd);
    }
    return good ? HANDED_ANSWERED : sent ? HANDED_UNANSWERED : HANDED_UNSENT;
}

static void refuse(struct ht_forwarder *forwarder, struct ht_reply *reply, const char *detail)
{
    (void)atomic_fetch_add(&forwarder->refused, 1);
    ht_reply_reset(reply);
    ht_reply_problem(reply, 503, "Service Unavailable", detail);
    reply->retry_after_s = 1;
}

static void forward_run(void *context, void *data, struct ht_reply *reply)
{
    struct forwarding *f = data;
    struct ht_forwarder *forwarder = f->forwarder;
    const struct ht_node_state desk = ht_node_get(forwarder->app->node);
    (void)context;
    if (!desk.known || desk.url[0] == '\0') {
        refuse(forwarder, reply, "no node is the desk at the moment");
        return;
    }
    enum handed handed = ask(f, &desk, reply);
    if (handed == HANDED_UNSENT) {
        refuse(forwarder, reply, "the desk can't be reached: nothing was done, try again");
    } else if (handed == HANDED_UNANSWERED) {
        refuse(forwarder, reply,
               f->writes ? "the desk did not answer, and may have done it or not"
                         : "the desk did not answer");
    } else {
        (void)atomic_fetch_add(&forwarder->answered, 1);
        if (f->writes && reply->status < 300) {
            ht_commit_look(forwarder->app->following, HEARD_MS);
        }
    }
}

static void forward_free(void *data)
{
    struct forwarding *f = data;
    ht_buffer_deinit(&f->request);
    ht_buffer_deinit(&f->answer);
    ht_buffer_deinit(&f->headers);
    free(f->target);
    free(f->content_type);
    free(f);
}

/* ---- which calls, and what of them ---- */

/* What is of this hop alone, is written anew, or was looked at here already. */
static bool line_goes(const char *line, size_t size)
{
    static const char *const stays[] = {
        "host:",   "connection:", "keep-alive:",     "accept-encoding:",
        "te:",     "trailer:",    "upgrade:",        "transfer-encoding:",
        "expect:", "origin:",     "content-length:", "x-houtao-forwarded:"};
    for (size_t i = 0; i < sizeof stays / sizeof stays[0]; i++) {
        size_t length = strlen(stays[i]);
        if (size >= length && strncasecmp(line, stays[i], length) == 0) {
            return false;
        }
    }
    return size > 0;
}

static void head_copy(struct ht_buffer *out, const struct ht_http_request *request)
{
    const char *end = request->head + request->head_size;
    for (const char *line = request->head; line < end;) {
        const char *next = memmem(line, (size_t)(end - line), "\r\n", 2);
        next = next == NULL ? end : next;
        if (line_goes(line, (size_t)(next - line))) {
            ht_buffer_append(out, line, (size_t)(next - line));
            ht_buffer_text(out, "\r\n");
        }
        line = next + 2;
    }
}

static struct forwarding *forwarding_new(struct ht_forwarder *forwarder,
                                         const struct ht_http_request *request)
{
    char length[64];
    struct forwarding *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->forwarder = forwarder;
    f->method = request->method;
    f->writes = request->method != HT_HTTP_GET && request->method != HT_HTTP_HEAD;
    f->target = strndup(request->target, request->target_size);
    head_copy(&f->request, request);
    (void)snprintf(length, sizeof length, "X-Houtao-Forwarded: 1\r\nContent-Length: %zu\r\n\r\n",
                   request->body_size);
    ht_buffer_text(&f->request, length);
    if (request->body_size > 0) {
        ht_buffer_append(&f->request, request->body, request->body_size);
    }
    if (f->target == NULL || f->request.failed) {
        forward_free(f);
        return NULL;
    }
    return f;
}

static bool is_read(const struct ht_http_call *call)
{
    return call->request->method == HT_HTTP_GET || call->request->method == HT_HTTP_HEAD;
}

/* Tiles of streets are the same for everybody. */
static bool is_of_streets(const struct ht_http_call *call)
{
    static const char streets[] = "/tiles/streets/";
    return call->request->target_size >= sizeof streets &&
           memcmp(call->request->target, streets, sizeof streets - 1) == 0;
}

/* Whether it is the desk's to answer: what changes something, what it alone keeps in memory, and
 * what may hold personal data, for those who may see it. */
static bool is_the_desks(const struct ht_app_context *context, const struct ht_route *route,
                         const struct ht_http_call *call)
{
    bool office = route->service == HT_SERVICE_OFFICE || route->service == HT_SERVICE_ITEMS;
    switch (route->desk) {
    case HT_DESK_NEVER:
        return false;
    case HT_DESK_FIRST:
    case HT_DESK_WRITES:
        return true;
    case HT_DESK_OFFICERS:
        return ht_access_personal(context->caller);
    case HT_DESK_USUAL:
    default:
        return is_read(call) ? office && ht_access_personal(context->caller) && !is_of_streets(call)
                             : route->write != HT_ROLE_VIEWER;
    }
}

bool ht_forward(struct ht_app_context *context, const struct ht_route *route,
                struct ht_http_call *call)
{
    struct ht_forwarder *forwarder = context->app->forwarder;
    size_t size = 0;
    if (forwarder == NULL || !is_the_desks(context, route, call)) {
        return false;
    }
    bool known = ht_node_get(context->app->node).known;
    bool came = ht_http_header(call->request, "x-houtao-forwarded", &size) != NULL;
    if (!known || came) { /* or the two would hand it to and fro */
        if (route->desk != HT_DESK_WRITES && (is_read(call) || route->write == HT_ROLE_VIEWER)) {
            return false; /* as well as it goes here */
        }
        refuse(forwarder, call->reply, "no node is the desk at the moment");
        return true;
    }
    struct forwarding *f = forwarding_new(forwarder, call->request);
    if (f == NULL) {
        refuse(forwarder, call->reply, "out of memory");
        return true;
    }
    call->job = (struct ht_http_job){
        .run = forward_run, .free = forward_free, .data = f, .pool = forwarder->jobs};
    return true;
}

struct ht_forward_stats ht_forward_stats(const struct ht_forwarder *forwarder)
{
    return (struct ht_forward_stats){.answered = atomic_load(&forwarder->answered),
                                     .refused = atomic_load(&forwarder->refused)};
}

/* ---- its life ---- */

enum ht_status ht_forwarder_new(struct ht_app *app, struct ht_forwarder **out)
{
    struct ht_forwarder *forwarder = calloc(1, sizeof *forwarder);
    enum ht_status status = HT_OK;
    if (forwarder == NULL) {
        return HT_NOMEM;
    }
    ht_node_lines_init(&forwarder->lines, app->node);
    forwarder->app = app;
    for (size_t i = 0; i < THREADS && status == HT_OK; i++) {
        forwarder->contexts[i] = &forwarder->workers[i];
        status = ht_gzip_new(&forwarder->workers[i].gzip);
    }
    if (status == HT_OK) {
        status = ht_jobs_new(THREADS, QUEUE, forwarder->contexts, &forwarder->jobs);
    }
    if (status != HT_OK) {
        ht_forwarder_free(forwarder);
        return status;
    }
    *out = forwarder;
    return HT_OK;
}

void ht_forwarder_free(struct ht_forwarder *forwarder)
{
    if (forwarder == NULL) {
        return;
    }
    atomic_store(&forwarder->lines.stop, true);
    ht_jobs_free(forwarder->jobs);
    for (size_t i = 0; i < THREADS; i++) {
        ht_gzip_free(forwarder->workers[i].gzip);
    }
    ht_node_lines_deinit(&forwarder->lines);
    free(forwarder);
}
