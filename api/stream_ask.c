/* The request for a stream, and the numbers about streams. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/params.h"
#include "api/stream_internal.h"

static const char *topics_read(const char *text, uint32_t *topics)
{
    const uint32_t all = (UINT32_C(1) << HT_TOPIC_COUNT) - 1;
    *topics = text == NULL ? all & ~(UINT32_C(1) << HT_TOPIC_AUDIT) : 0;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        enum ht_topic topic = ht_topic_of(text, size);
        if (topic == HT_TOPIC_COUNT) {
            *topics = 0;
            break;
        }
        *topics |= UINT32_C(1) << topic;
        text += size + (text[size] != '\0');
    }
    return *topics != 0 ? NULL
                        : "topics is a list of positions, incidents, orders, visits, zones, "
                          "fences, rectifications, traffic, registry, other, settings, audit";
}

/* west,south,east,north in `crs`. */
static const char *box_read(const char *text, const struct ht_crs *crs, struct ht_crs_work *work,
                            struct ht__ask *ask)
{
    double n[4];
    if (text == NULL) {
        return NULL;
    }
    if (!ht_param_doubles(text, n, 4)) {
        return "bbox is four numbers: west, south, east, north";
    }
    if (n[0] > n[2] || n[1] > n[3]) {
        return "bbox ends before it begins";
    }
    double corners[4][2] = {{n[0], n[1]}, {n[2], n[1]}, {n[2], n[3]}, {n[0], n[3]}};
    if (ht_crs_to_wgs84(work, crs, corners, 4) != HT_OK) {
        return "bbox does not lie on Earth";
    }
    double west = corners[0][0];
    double east = west;
    double south = corners[0][1];
    double north = south;
    for (int i = 1; i < 4; i++) {
        west = fmin(west, corners[i][0]);
        east = fmax(east, corners[i][0]);
        south = fmin(south, corners[i][1]);
        north = fmax(north, corners[i][1]);
    }
    ask->boxed = true;
    ask->box = (struct ht_box){{(int32_t)floor(west * 1e7), (int32_t)floor(south * 1e7)},
                               {(int32_t)ceil(east * 1e7), (int32_t)ceil(north * 1e7)}};
    return NULL;
}

/* The header of one who comes back, else the parameter. */
static const char *after_read(struct ht_stream *hub, const struct ht_http_request *request,
                              const char *param, struct ht__ask *ask)
{
    char text[32] = "";
    size_t size = 0;
    const char *header = ht_http_header(request, "last-event-id", &size);
    if (header == NULL || size == 0) {
        header = param;
        size = param == NULL ? 0 : strlen(param);
    }
    if (size == 0) {
        return NULL;
    }
    if (size < sizeof text) {
        memcpy(text, header, size);
    }
    if (!ht_param_number(text, 0, INT64_MAX, &ask->after)) {
        return "Last-Event-ID is not the number of an event";
    }
    ask->resumes = true;
    return ask->after > atomic_load(&hub->last_seq)
               ? "Last-Event-ID is the number of an event that has not happened here"
               : NULL;
}

struct crs_ask {
    struct ht_crs in;
    struct ht_crs out;
    bool projected;
};

static const char *crs_read(const struct ht_params *params, struct ht_crs_work *work,
                            struct crs_ask *ask)
{
    const char *in = ht_param(params, "crs");
    const char *out = ht_param(params, "out_crs");
    in = in == NULL ? "" : in;
    out = out == NULL ? in : out;
    if (ht_crs_parse(in, strlen(in), &ask->in) != HT_OK ||
        ht_crs_check(work, &ask->in, NULL) != HT_OK) {
        return "crs is not a coordinate system that is known here";
    }
    if (ht_crs_parse(out, strlen(out), &ask->out) != HT_OK ||
        ht_crs_check(work, &ask->out, &ask->projected) != HT_OK) {
        return "out_crs is not a coordinate system that is known here";
    }
    return NULL;
}

/* NULL, or what is wrong; a refusal that is none of the asker's mistakes is written. */
static const char *ask_read(struct ht_app_context *context, const struct ht_http_request *request,
                            struct ht__ask *ask, struct crs_ask *crs)
{
    struct ht_params params;
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    if (ht_params_read(&params, request->target + skip, request->target_size - skip) != HT_OK) {
        return "the query is not well encoded";
    }
    const char *wrong = topics_read(ht_param(&params, "topics"), &ask->topics);
    ask->officer = ht_access_personal(context->caller);
    if (ht_param(&params, "topics") == NULL && !ask->officer) {
        ask->topics &= ~HT__OFFICE_TOPICS; /* as caller_may says */
    }
    if (wrong == NULL) {
        wrong = crs_read(&params, context->crs, crs);
    }
    if (wrong == NULL) {
        wrong = box_read(ht_param(&params, "bbox"), &crs->in, context->crs, ask);
    }
    if (wrong == NULL) {
        wrong = after_read(context->app->stream, request, ht_param(&params, "last_event_id"), ask);
    }
    ht_params_deinit(&params);
    return wrong;
}

static void refuse(struct ht_app_context *context, struct ht_reply *reply, int status,
                   const char *why)
{
    if (context->app->stream != NULL) {
        (void)atomic_fetch_add(&context->app->stream->refused, 1);
    }
    ht_reply_problem(reply, status, ht_http_status_text(status), why);
    reply->retry_after_s = status == 503 ? 2 : 0;
}

/* Whether the caller may; false with the answer written. */
static bool caller_may(struct ht_app_context *context, const struct ht__ask *ask,
                       struct ht_reply *reply)
{
    const struct ht_caller *caller = context->caller;
    const char *why = NULL;
    if (caller->role == HT_ROLE_DEVICE) {
        why = "a device may not listen to others";
    } else if ((ask->topics & UINT32_C(1) << HT_TOPIC_AUDIT) != 0 &&
               caller->role != HT_ROLE_ADMIN) {
        why = "the topic audit is for an admin";
    } else if ((ask->topics & HT__OFFICE_TOPICS) != 0 && !ht_access_personal(caller)) {
        why = "the topics visits and rectifications tell which households are frail, settings what "
              "the office's tables say: they are for dispatchers";
    }
    if (why != NULL) {
        refuse(context, reply, 403, why);
    }
    return why == NULL;
}

static struct ht__sub *sub_new(struct ht_app_context *context,
                               const struct ht_http_request *request, const struct ht__ask *ask)
{
    char token[HT_ACCESS_TOKEN];
    const struct ht_tokens *tokens =
        atomic_load_explicit(&context->app->tokens, memory_order_acquire);
    if (tokens == NULL || !ht_access_token(request, token)) {
        token[0] = '\0';
    }
    struct ht__sub *sub = calloc(1, sizeof *sub + strlen(token) + 1);
    if (sub != NULL) {
        memcpy(sub->token, token, strlen(token) + 1);
        sub->hub = context->app->stream;
        sub->tokens = tokens;
        sub->ask = *ask;
    }
    return sub;
}

/* Takes a place among the subscribers. */
static void subscribe(struct ht_app_context *context, struct ht_http_call *call,
                      struct ht__ask *ask, const struct crs_ask *crs)
{
    struct ht_stream *hub = context->app->stream;
    if (atomic_fetch_add(&hub->subscribers, 1) >= hub->subscribers_max) {
        (void)atomic_fetch_sub(&hub->subscribers, 1);
        refuse(context, call->reply, 503, "too many listen already");
        return;
    }
    if (!ht__hub_view(hub, &crs->out, crs->projected, &ask->view)) {
        (void)atomic_fetch_sub(&hub->subscribers, 1);
        refuse(context, call->reply, 503,
               "others listen in too many other coordinate systems at the moment");
        return;
    }
    struct ht__sub *sub = sub_new(context, call->request, ask);
    if (sub == NULL) {
        ht__hub_view_leave(hub, ask->view);
        (void)atomic_fetch_sub(&hub->subscribers, 1);
        refuse(context, call->reply, 503, "out of memory");
        return;
    }
    (void)atomic_fetch_add(&hub->opened, 1);
    if ((ask->topics & UINT32_C(1) << HT_TOPIC_POSITIONS) != 0) {
        ht__hub_watching(hub, 1);
    }
    call->stream.kind = &ht__sub_kind;
    call->stream.data = sub;
}

void ht__hub_leave(struct ht__sub *sub)
{
    struct ht_stream *hub = sub->hub;
    if ((sub->ask.topics & UINT32_C(1) << HT_TOPIC_POSITIONS) != 0) {
        ht__hub_watching(hub, -1);
    }
    ht__hub_view_leave(hub, sub->ask.view);
    (void)atomic_fetch_add(&hub->ended[sub->end], 1);
    (void)atomic_fetch_sub(&hub->subscribers, 1);
}

void ht_stream_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_stream *hub = context->app->stream;
    struct ht__ask ask = {0};
    struct crs_ask crs = {0};
    if (hub == NULL || context->stream == NULL || ht_http_server_draining(hub->server)) {
        refuse(context, call->reply, 503, "there is no stream at the moment");
        return;
    }
    if (call->request->minor == 0) {
        refuse(context, call->reply, 505, "a stream needs HTTP/1.1");
        return;
    }
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        refuse(context, call->reply, 503, "out of memory");
        return;
    }
    const char *wrong = ask_read(context, call->request, &ask, &crs);
    if (wrong != NULL) {
        refuse(context, call->reply, 400, wrong);
        return;
    }
    if (caller_may(context, &ask, call->reply)) {
        call->reply->content_type = "text/event-stream";
        if (call->request->method == HT_HTTP_GET) {
            subscribe(context, call, &ask, &crs);
        }
    }
}

/* ---- metrics ---- */

void ht_stream_metrics(struct ht_stream *hub, struct ht_buffer *out)
{
    static const char *const ends[HT__END_COUNT] = {
#define END_LABEL(NAME, label) label,
        HT__END_MAP(END_LABEL)
#undef END_LABEL
    };
    size_t events = 0;
    size_t positions = 0;
    for (unsigned i = 0; i < hub->part_count; i++) {
        events += atomic_load_explicit(&hub->parts[i].events_sent, memory_order_relaxed);
        positions += atomic_load_explicit(&hub->parts[i].positions_sent, memory_order_relaxed);
    }
    ht_metrics_gauge(out, "houtao_stream_subscribers", "gauge", "Open streams.",
                     atomic_load(&hub->subscribers));
    ht_metrics_gauge(out, "houtao_stream_subscribers_max", "gauge", "Streams that may be open.",
                     hub->subscribers_max);
    ht_metrics_gauge(out, "houtao_stream_opened_total", "counter", "Streams opened.",
                     (double)atomic_load(&hub->opened));
    ht_metrics_gauge(out, "houtao_stream_refused_total", "counter", "Streams refused.",
                     (double)atomic_load(&hub->refused));
    ht_metrics_gauge(out, "houtao_stream_events_total", "counter", "Events sent.", (double)events);
    ht_metrics_gauge(out, "houtao_stream_positions_total", "counter", "Positions sent.",
                     (double)positions);
    ht_metrics_gauge(out, "houtao_stream_pages_total", "counter",
                     "Pages of past events read from the store.",
                     (double)atomic_load(&hub->pages_read));
    ht_metrics_gauge(out, "houtao_stream_last_event", "gauge", "The number of the last event.",
                     (double)atomic_load(&hub->last_seq));
    ht_buffer_text(out, "# HELP houtao_stream_ended_total Streams ended, by reason.\n"
                        "# TYPE houtao_stream_ended_total counter\n");
    for (int i = 0; i < HT__END_COUNT; i++) {
        struct ht_json number;
        ht_buffer_text(out, "houtao_stream_ended_total{reason=\"");
        ht_buffer_text(out, ends[i]);
        ht_buffer_text(out, "\"} ");
        ht_json_begin(&number, out);
        ht_json_int(&number, (int64_t)atomic_load(&hub->ended[i]));
        ht_buffer_text(out, "\n");
    }
}
