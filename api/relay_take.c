#include "api/relay_take.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app_internal.h"
#include "api/devices.h"
#include "api/http_answer.h"
#include "api/jt808.h"
#include "api/live.h"
#include "api/node.h"
#include "api/relay.h"
#include "api/relay_record.h"
#include "api/routes_live.h"

enum {
    TAKERS = 2, /* threads that wait for commits */
    QUEUE = 64,
    BODY_MOST = 256 * 1024,
    BODY_INLINE = 16 * 1024, /* a larger one goes to the pool, as positions do */
    ALARMS_MOST = 1000,      /* of one body */
};

struct ht_relay_takers {
    struct ht_jobs *jobs;
    struct ht_worker_context workers[TAKERS];
    void *contexts[TAKERS];
};

/* By the other node's word, which has asked for the device's proof. */
static const struct ht_caller devices = {.name = "devices", .role = HT_ROLE_DISPATCHER};

static const struct ht_crs wgs84;

/* ---- positions ---- */

const char *ht_device_position(struct ht_app_context *context,
                               const struct ht_device_sighting *sighting, bool by_unit,
                               struct ht_position_in *in, enum ht_device_standing *standing)
{
    struct ht_app *app = context->app;
    struct ht_device_entry entry;
    struct ht_device_known known = {.standing = HT_DEVICE_TRUSTED};
    bool unit =
        by_unit && ht_live_unit_find(app->live, in->unit, strlen(in->unit)).number != HT_NONE;
    if (!unit || ht_devices_look(ht_live_devices(app->live), in->unit, &entry)) {
        ht_device_book_seen(app->book, sighting, &known);
    }
    *standing = known.standing;
    if (known.standing != HT_DEVICE_TRUSTED) {
        return known.why;
    }
    if (!by_unit) {
        (void)snprintf(in->unit, sizeof in->unit, "%s", known.unit);
    }
    return ht_position_take(context, &devices, by_unit ? NULL : &known.crs, in);
}

static struct ht_device_sighting sighting_of(const struct ht_relay_record *record, int64_t now_ms)
{
    return (struct ht_device_sighting){.protocol = record->protocol,
                                       .id = record->id,
                                       .at_ms = now_ms,
                                       .battery = record->battery,
                                       .key = record->keyed ? record->key : NULL,
                                       .proven = record->proven};
}

static void record_take(struct ht_app_context *context, const struct ht_relay_record *record,
                        struct ht_reply *reply)
{
    struct ht_app *app = context->app;
    struct ht_device_known known;
    struct ht_position_in in;
    enum ht_device_standing standing = HT_DEVICE_UNKNOWN;
    const char *why = NULL;
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    const struct ht_device_sighting sighting = sighting_of(record, now_ms);
    switch (record->kind) {
    case HT_RELAY_POSITION:
        in.wrong = NULL;
        in.report = record->report;
        in.report.received_ms = now_ms;
        in.report.told = false;
        memcpy(in.unit, record->id, sizeof in.unit);
        why = record->settled
                  ? ht_position_take(context, &devices, &wgs84, &in)
                  : ht_device_position(context, &sighting, record->by_unit, &in, &standing);
        (void)why; /* counted by the book, or by the fleet */
        break;
    case HT_RELAY_SEEN:
        ht_device_book_seen(app->book, &sighting, &known);
        break;
    case HT_RELAY_GONE:
        ht_device_book_gone(app->book, record->id, now_ms);
        break;
    case HT_RELAY_STOPS:
        reply->content_type = "text/plain; charset=utf-8";
        ht_jt808_stops_write(app, &reply->body);
        break;
    case HT_RELAY_ALARM: /* in a body of their own */
    case HT_RELAY_KINDS:
    default:
        break;
    }
}

static void records_take(struct ht_app_context *context, const char *body, size_t size,
                         struct ht_reply *reply)
{
    struct ht_relay_record record;
    const char *at = body;
    if (ht_app_live_work(context) == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    while (at < body + size) {
        if (!ht_relay_record_get(&at, body + size, &record)) {
            ht_reply_problem(reply, 400, "Bad Request", "the body is no list of records");
            break;
        }
        record_take(context, &record, reply);
    }
    ht_live_reports_end(context->live);
    ht_app_live_save(context->app, false);
}

/* A body that waits for a thread. */
struct body {
    struct ht_app *app;
    size_t size;
    char bytes[];
};

static struct body *body_copy(struct ht_app *app, const struct ht_http_request *request)
{
    struct body *body = malloc(sizeof *body + request->body_size);
    if (body != NULL) {
        body->app = app;
        body->size = request->body_size;
        memcpy(body->bytes, request->body, request->body_size);
    }
    return body;
}

static void records_run(void *user, void *data, struct ht_reply *reply)
{
    const struct body *body = data;
    records_take(user, body->bytes, body->size, reply);
}

/* ---- alarms ---- */

/* Those of one body, until all are answered. */
struct alarms {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t waiting;
};

struct alarm {
    struct alarms *of;
    int status;
};

static void alarm_done(void *user, int status, const char *incident)
{
    struct alarm *alarm = user;
    struct alarms *of = alarm->of;
    (void)incident;
    (void)pthread_mutex_lock(&of->lock);
    alarm->status = status;
    of->waiting--;
    (void)pthread_cond_signal(&of->done);
    (void)pthread_mutex_unlock(&of->lock);
}

static void alarm_begin(struct ht_app *app, const struct ht_relay_record *record,
                        struct alarm *alarm)
{
    struct ht_device_known known;
    const struct ht_device_sighting sighting = sighting_of(record, ht_clock_now_ms(&app->clock));
    ht_device_book_seen(app->book, &sighting, &known);
    if (known.standing != HT_DEVICE_TRUSTED) {
        alarm->status = known.standing == HT_DEVICE_UNKNOWN ? 404 : 403;
        return;
    }
    const struct ht_device_alarm told = {.device = record->id,
                                         .key = record->alarm_key,
                                         .kind = record->alarm,
                                         .severity = record->severity,
                                         .placed = record->placed,
                                         .lon_deg = record->lon_deg,
                                         .lat_deg = record->lat_deg,
                                         .note = record->note[0] == '\0' ? NULL : record->note};
    (void)pthread_mutex_lock(&alarm->of->lock);
    alarm->of->waiting++;
    (void)pthread_mutex_unlock(&alarm->of->lock);
    if (ht_device_book_alarm(app->book, &told, alarm_done, alarm) != HT_OK) {
        alarm_done(alarm, 503, "");
    }
}

/* How many there are; 0: it is no list of alarms. */
static size_t alarms_count(const struct body *body)
{
    struct ht_relay_record record;
    const char *at = body->bytes;
    size_t count = 0;
    while (at < body->bytes + body->size) {
        if (!ht_relay_record_get(&at, body->bytes + body->size, &record) ||
            record.kind != HT_RELAY_ALARM || ++count > ALARMS_MOST) {
            return 0;
        }
    }
    return count;
}

static void alarms_write(const struct alarm *list, size_t count, struct ht_reply *reply)
{
    char line[16];
    reply->content_type = "text/plain";
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(line, sizeof line, "%03d\n", list[i].status);
        ht_buffer_text(&reply->body, line);
    }
}

static void alarms_run(void *user, void *data, struct ht_reply *reply)
{
    const struct body *body = data;
    struct ht_relay_record record;
    struct alarms all = {.waiting = 0};
    const char *at = body->bytes;
    size_t count = alarms_count(body);
    struct alarm *list = count == 0 ? NULL : calloc(count, sizeof *list);
    (void)user;
    if (list == NULL) {
        ht_reply_problem(reply, count == 0 ? 400 : 503,
                         count == 0 ? "Bad Request" : "Service Unavailable",
                         count == 0 ? "the body is no list of alarms" : "out of memory");
        return;
    }
    (void)pthread_mutex_init(&all.lock, NULL);
    (void)pthread_cond_init(&all.done, NULL);
    for (size_t i = 0; i < count && ht_relay_record_get(&at, body->bytes + body->size, &record);
         i++) {
        list[i].of = &all;
        alarm_begin(body->app, &record, &list[i]);
    }
    (void)pthread_mutex_lock(&all.lock);
    while (all.waiting > 0) { /* the book answers each */
        (void)pthread_cond_wait(&all.done, &all.lock);
    }
    (void)pthread_mutex_unlock(&all.lock);
    alarms_write(list, count, reply);
    (void)pthread_cond_destroy(&all.done);
    (void)pthread_mutex_destroy(&all.lock);
    free(list);
}

/* ---- the call ---- */

static bool refuse(struct ht_reply *reply, int status, const char *why)
{
    ht_reply_problem(reply, status, ht_http_status_text(status), why);
    reply->retry_after_s = status == 503 ? 1 : 0;
    return false;
}

/* Whether it comes from a node of the record, to its desk. */
static bool is_ours(struct ht_app *app, const struct ht_http_call *call)
{
    char key[HT_DIGEST_TEXT];
    size_t size = 0;
    size_t digits = 0;
    const char *said = ht_http_header(call->request, HT_RELAY_KEY_HEADER, &size);
    const char *epoch = ht_http_header(call->request, HT_RELAY_EPOCH_HEADER, &digits);
    if (app->node == NULL) {
        return refuse(call->reply, 404, "this process is none of several on a record");
    }
    if (app->commit == NULL || !ht_node_key_get(app->node, key)) {
        return refuse(call->reply, 503, "this node is not the desk");
    }
    if (said == NULL || size != HT_DIGEST_TEXT - 1 || !ht_equal_secret(said, key, size)) {
        return refuse(call->reply, 403, "this is for nodes of the record among themselves");
    }
    int64_t own = ht_store_epoch(app->store);
    if (epoch == NULL || digits == 0 || strtoll(epoch, NULL, 10) != own ||
        ht_store_deposed(app->store)) {
        return refuse(call->reply, 503, "another node is the desk");
    }
    return call->request->body_size <= BODY_MOST && call->request->body_size > 0
               ? true
               : refuse(call->reply, 413, "too much at once");
}

void ht_relay_post(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_app *app = context->app;
    const struct ht_http_request *request = call->request;
    if (!is_ours(app, call)) {
        return;
    }
    bool alarms = request->body[0] == HT_RELAY_ALARM;
    if (!alarms && request->body_size <= BODY_INLINE &&
        ht_live_ready(app->live, ht_world_reader_get(&context->world))) {
        records_take(context, request->body, request->body_size, call->reply);
        return;
    }
    struct body *body = body_copy(app, request);
    if (body == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    call->job = (struct ht_http_job){.run = alarms ? alarms_run : records_run,
                                     .free = free,
                                     .data = body,
                                     .pool = alarms ? app->takers->jobs : NULL};
}

/* ---- life ---- */

enum ht_status ht_relay_takers_new(struct ht_relay_takers **out)
{
    struct ht_relay_takers *takers = calloc(1, sizeof *takers);
    enum ht_status status = takers == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; i < TAKERS && status == HT_OK; i++) {
        takers->contexts[i] = &takers->workers[i];
        status = ht_gzip_new(&takers->workers[i].gzip);
    }
    if (status == HT_OK) {
        status = ht_jobs_new(TAKERS, QUEUE, takers->contexts, &takers->jobs);
    }
    if (status != HT_OK) {
        ht_relay_takers_free(takers);
        return status;
    }
    *out = takers;
    return HT_OK;
}

void ht_relay_takers_free(struct ht_relay_takers *takers)
{
    if (takers == NULL) {
        return;
    }
    ht_jobs_free(takers->jobs);
    for (size_t i = 0; i < TAKERS; i++) {
        ht_gzip_free(takers->workers[i].gzip);
    }
    free(takers);
}
