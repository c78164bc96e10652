#include "api/routes_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/access.h"
#include "api/ask.h"
#include "api/avoid.h"
#include "api/device_book.h"
#include "api/devices.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/learning.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/positions_read.h"
#include "api/underway.h"

enum {
    BODY_INLINE = 16 * 1024, /* a larger body of positions goes to the pool */
    REASONS_MOST = 1000,
    POINTS_MOST = 1000,
};

/* The thread's own part of the live town; NULL with the answer written. */
static struct ht_live_work *work_of(struct ht_app_context *context, struct ht_reply *reply)
{
    if (context->live == NULL && ht_live_work_new(context->app->live, &context->live) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    }
    return context->live;
}

static bool query_read(const struct ht_http_request *request, struct ht_params *params,
                       struct ht_reply *reply)
{
    if (ht_params_of(params, request) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "the query is not well encoded");
        return false;
    }
    return true;
}

/* ---- positions in ---- */

/* Coordinates of another system, in place. False: they are not on Earth. */
static bool convert(struct ht_app_context *context, const struct ht_crs *crs,
                    struct ht_report *report)
{
    double pair[1][2] = {{report->lon_deg, report->lat_deg}};
    if (!ht_crs_plain(crs) && ((context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) ||
                               ht_crs_to_wgs84(context->crs, crs, pair, 1) != HT_OK)) {
        return false;
    }
    report->lon_deg = pair[0][0];
    report->lat_deg = pair[0][1];
    return true;
}

static const char not_theirs[] = "another unit's";

const char *ht_position_take(struct ht_app_context *context, const struct ht_caller *caller,
                             const struct ht_crs *crs, struct ht_position_in *in)
{
    struct ht_live *live = context->app->live;
    struct ht_device_found device;
    if (in->wrong != NULL) {
        return in->wrong;
    }
    struct ht_live_unit of = ht_live_unit_find(live, in->unit, strlen(in->unit));
    bool unit = of.number != HT_NONE;
    bool found = ht_devices_find(ht_live_devices(live), in->unit, unit, &device);
    if (caller->role == HT_ROLE_DEVICE &&
        (caller->unit == NULL || strcmp(caller->unit, found ? device.unit : in->unit) != 0)) {
        return not_theirs;
    }
    ht_devices_heard(ht_live_devices(live), in->unit, unit, in->report.received_ms);
    if (found) {
        memcpy(in->unit, device.unit, sizeof in->unit);
        of = ht_live_unit_find(live, in->unit, strlen(in->unit));
        crs = crs == NULL ? &device.crs : crs;
    }
    if (crs != NULL && !convert(context, crs, &in->report)) {
        return ht_refusal_text(HT_REFUSAL_OUT_OF_RANGE);
    }
    enum ht_refusal refusal =
        ht_live_report(live, context->live, ht_world_reader_get(&context->world), of, &in->report);
    if (refusal == HT_REFUSAL_NONE && context->app->follower == NULL) { /* the desk learns */
        ht_learning_offer(context->app->learning, of, &in->report);
        ht_underway_offer(context->app->underway, of, &in->report);
    }
    return refusal == HT_REFUSAL_NONE ? NULL : ht_refusal_text(refusal);
}

static void positions_answer(struct ht_app_context *context, const struct ht_caller *caller,
                             struct ht_positions_in *in, const struct ht_crs *crs,
                             struct ht_reply *reply)
{
    struct ht_json json;
    struct ht_buffer rejected = {0};
    struct ht_json list;
    size_t accepted = 0;
    size_t reasons = 0;
    ht_json_begin(&list, &rejected);
    ht_json_array(&list);
    for (size_t i = 0; i < in->count; i++) {
        const char *reason = ht_position_take(context, caller, crs, &in->list[i]);
        accepted += reason == NULL;
        if (reason != NULL && reasons++ < REASONS_MOST) {
            ht_json_object(&list);
            ht_json_key_int(&list, "index", (int64_t)i);
            ht_json_key_text(&list, "reason", reason);
            ht_json_object_end(&list);
        }
    }
    ht_live_reports_end(context->live);
    ht_json_array_end(&list);
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "accepted", (int64_t)accepted);
    ht_json_key(&json, "rejected");
    ht_json_raw(&json, rejected.data, rejected.size);
    ht_json_object_end(&json);
    ht_buffer_deinit(&rejected);
    ht_app_live_save(context->app, false);
}

/* A body that waits for a worker. */
struct batch {
    struct ht_caller caller;
    struct ht_crs crs;
    bool named_crs;
    int64_t now_ms;
    size_t size;
    char text[];
};

/* Which line, or item of an array, could not be read. */
static void positions_where(struct ht_reply *reply, const struct ht_positions_in *in,
                            const struct ht_error *error)
{
    char pointer[24];
    (void)snprintf(pointer, sizeof pointer, "/%zu", in->count);
    if (error->status != HT_NOMEM) {
        ht_reply_where(reply, error->line > 0 ? NULL : pointer, error->line, error->message);
    }
}

static void batch_take(struct ht_app_context *context, const struct batch *batch, const char *text,
                       struct ht_reply *reply)
{
    struct ht_positions_in in = {0};
    struct ht_error error = {0};
    if (work_of(context, reply) == NULL) {
        return;
    }
    enum ht_status status = ht_positions_read(text, batch->size, batch->now_ms, &in, &error);
    if (status == HT_OK) {
        positions_answer(context, &batch->caller, &in, batch->named_crs ? &batch->crs : NULL,
                         reply);
    } else {
        int code = status == HT_SYNTAX ? 400 : status == HT_TOO_BIG ? 413 : 503;
        ht_reply_problem(reply, code, ht_http_status_text(code), error.message);
        positions_where(reply, &in, &error);
    }
    ht_positions_deinit(&in);
}

static void batch_run(void *user, void *data, struct ht_reply *reply)
{
    struct batch *batch = data;
    batch_take(user, batch, batch->text, reply);
}

/* False: the query names a system that is none. */
static bool crs_named(const struct ht_params *params, struct ht_crs *crs, bool *named)
{
    const char *text = ht_param(params, "crs");
    *named = text != NULL;
    return text == NULL || ht_crs_parse(text, strlen(text), crs) == HT_OK;
}

void ht_positions_post(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_params params;
    struct batch small = {.caller = *context->caller,
                          .now_ms = ht_clock_now_ms(&context->app->clock),
                          .size = request->body_size};
    if (!query_read(request, &params, call->reply)) {
        return;
    }
    bool sound = crs_named(&params, &small.crs, &small.named_crs);
    ht_params_deinit(&params);
    if (!sound) {
        ht_reply_problem(call->reply, 400, "Bad Request", "crs is not a coordinate system");
        return;
    }
    if (request->body_size <= BODY_INLINE &&
        ht_live_ready(context->app->live, ht_world_reader_get(&context->world))) {
        batch_take(context, &small, request->body, call->reply);
        return;
    }
    struct batch *batch = malloc(sizeof *batch + request->body_size + 1);
    if (batch == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *batch = small;
    memcpy(batch->text, request->body, request->body_size);
    call->job = (struct ht_http_job){.run = batch_run, .free = free, .data = batch};
}

/* Which part of a position a reason is about that ht_position_take gives. */
static enum ht_position_part part_of(const char *reason, const struct ht_position_in *in)
{
    static const struct {
        enum ht_refusal refusal;
        enum ht_position_part part;
    } parts[] = {{HT_REFUSAL_UNKNOWN_UNIT, HT_POSITION_UNIT},
                 {HT_REFUSAL_FUTURE, HT_POSITION_TIME},
                 {HT_REFUSAL_OUT_OF_ORDER, HT_POSITION_TIME}};
    if (reason == not_theirs || reason == in->wrong) {
        return reason == not_theirs ? HT_POSITION_UNIT : in->wrong_part;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(reason, ht_refusal_text(parts[i].refusal)) == 0) {
            return parts[i].part;
        }
    }
    return HT_POSITION_WHOLE;
}

/* What an app sent that is not taken. Parameters are pointed to as members. */
static void osmand_refuse(struct ht_reply *reply, const char *reason,
                          const struct ht_position_in *in, bool json)
{
    static const char *const pointers[][2] = {
        [HT_POSITION_WHOLE] = {"", ""},
        [HT_POSITION_UNIT] = {"/id", "/device_id"},
        [HT_POSITION_LON] = {"/lon", "/location/coords/longitude"},
        [HT_POSITION_LAT] = {"/lat", "/location/coords/latitude"},
        [HT_POSITION_TIME] = {"/timestamp", "/location/timestamp"}};
    int code = reason == not_theirs ? 403 : 400;
    ht_reply_problem(reply, code, ht_http_status_text(code), reason);
    ht_reply_where(reply, pointers[part_of(reason, in)][json], 0, reason);
}

/* The query, or a form. False with the answer written. */
static bool osmand_params(const struct ht_http_request *request, struct ht_params *params,
                          struct ht_reply *reply)
{
    if (!query_read(request, params, reply)) {
        ht_reply_where(reply, "", 0, "the query is not well encoded");
        return false;
    }
    bool form = request->body_size > 0 && request->body[0] != '{' && params->count == 0;
    if (form) {
        ht_params_deinit(params);
    }
    if (form && ht_params_read(params, request->body, request->body_size) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "the form is not well encoded");
        ht_reply_where(reply, "", 0, "the form is not well encoded");
        return false;
    }
    return true;
}

/* False with the answer written. */
static bool osmand_read(const struct ht_http_request *request, const struct ht_params *params,
                        int64_t now_ms, struct ht_position_in *in, struct ht_reply *reply)
{
    struct ht_error error = {0};
    if (request->body_size == 0 || request->body[0] != '{') {
        ht_osmand_read(params, now_ms, in);
        return true;
    }
    enum ht_status status = ht_traccar_read(request->body, request->body_size, now_ms, in, &error);
    if (status == HT_OK) {
        return true;
    }
    int code = status == HT_NOMEM ? 503 : 400;
    ht_reply_problem(reply, code, ht_http_status_text(code), error.message);
    if (code == 400) {
        ht_reply_where(reply, error.line > 0 ? NULL : "", error.line, error.message);
    }
    return false;
}

void ht_osmand(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_position_in in;
    struct ht_params params;
    struct ht_crs crs = {0};
    bool named = false;
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    if (work_of(context, call->reply) == NULL || !osmand_params(request, &params, call->reply)) {
        return;
    }
    bool good = osmand_read(request, &params, now_ms, &in, call->reply);
    if (good && !crs_named(&params, &crs, &named)) {
        good = false;
        ht_reply_problem(call->reply, 400, "Bad Request", "crs is not a coordinate system");
        ht_reply_where(call->reply, "/crs", 0, "crs is not a coordinate system");
    }
    ht_params_deinit(&params);
    if (!good) {
        return;
    }
    const char *reason = ht_position_take(context, context->caller, named ? &crs : NULL, &in);
    ht_live_reports_end(context->live);
    if (reason == NULL || strcmp(reason, ht_refusal_text(HT_REFUSAL_DUPLICATE)) == 0) {
        ht_app_live_save(context->app, false);
        call->reply->content_type = "text/plain"; /* what these apps send again is no mistake */
        return;
    }
    if (strcmp(reason, ht_refusal_text(HT_REFUSAL_UNKNOWN_UNIT)) == 0) { /* it may be accepted */
        struct ht_device_known known;
        const struct ht_device_sighting sighting = {
            .protocol = "osmand", .id = in.unit, .at_ms = now_ms, .battery = -1};
        ht_device_book_seen(context->app->book, &sighting, &known);
    }
    osmand_refuse(call->reply, reason, &in, request->body_size > 0 && request->body[0] == '{');
}

/* ---- closest ---- */

static void closest_list(struct ht_app_context *context, struct ht_world *world,
                         const struct ht_ask *asked, struct ht_json *json, enum ht_status *status)
{
    const struct ht_closest_hit *hits = NULL;
    uint32_t count = 0;
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    const struct ht_crs_out out = {&asked->out_crs, context->crs};
    if (!asked->nobody) {
        *status =
            ht_live_closest(context->app->live, context->live, world, &asked->live, &hits, &count);
    }
    ht_json_array(json);
    for (uint32_t i = 0; *status == HT_OK && i < count; i++) {
        struct ht_unit unit;
        if (!ht_fleet_get(fleet, hits[i].unit, now_ms, &unit)) {
            continue;
        }
        ht_json_object(json);
        ht_json_key_text(json, "unit", unit.id);
        ht_json_key_double(json, "duration_s", hits[i].cost.duration_ms / 1000.0, 3);
        ht_json_key_double(json, "distance_m", (double)hits[i].cost.length_mm / 1000.0, 3);
        ht_json_key(json, "age_ms");
        if (unit.position.told) { /* nobody heard it: the registry says where it is */
            ht_json_null(json);
        } else {
            ht_json_int(json, now_ms - unit.position.received_ms);
        }
        ht_json_key_bool(json, "stale", unit.stale);
        const struct ht_point *points = NULL;
        size_t point_count = 0;
        if (asked->geometry &&
            ht_live_way(context->live, &hits[i], &points, &point_count) == HT_OK) {
            ht_live_json_line(json, points, point_count, &out);
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

/* One question, or many, that waits for a worker. */
struct closest_job {
    struct ht_ask asked;
    char *avoid; /* NULL: nothing */
    bool many;
    size_t count;
    double pairs[][2];
};

/* No street near a point, or no point at all. */
static void point_refuse(const struct ht_app_context *context, const struct ht_ask *asked,
                         enum ht_status status, struct ht_reply *reply)
{
    char why[160];
    if (status == HT_RANGE) {
        ht_ask_refuse(reply, "a place is not on Earth, or its coordinate system is not known");
        return;
    }
    (void)snprintf(why, sizeof why,
                   "the nearest street is %.0f m away, farther than radius_m lets it be (%.0f)",
                   ht_live_street_m(context->live), asked->live.radius_m);
    ht_reply_problem(reply, 422, "Unprocessable Content", why);
}

/* False with the answer written; then as after it ht_live_avoid_end is to be called. */
static bool avoid_begin(struct ht_app_context *context, struct ht_world *world,
                        const struct closest_job *job, struct ht_reply *reply)
{
    struct ht_avoid *avoid = NULL;
    struct ht_error error = {0};
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_crs_check(context->crs, &job->asked.crs, NULL) != HT_OK) {
        ht_ask_refuse(reply, "crs is not a coordinate system that is known here");
        return false;
    }
    enum ht_status status = ht_avoid_read(job->avoid, strlen(job->avoid), &job->asked.crs,
                                          context->crs, context->app->zones, &avoid, &error);
    if (status != HT_OK && status != HT_NOMEM) {
        ht_ask_refuse(reply, error.message);
        return false;
    }
    if (status == HT_OK) {
        status = ht_live_avoid(context->app->live, context->live, world, avoid);
    }
    ht_avoid_free(avoid);
    if (status != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
    return status == HT_OK;
}

static void closest_write(struct ht_app_context *context, struct ht_world *world,
                          const struct closest_job *job, double (*pairs)[2], struct ht_reply *reply)
{
    struct ht_ask asked = job->asked;
    struct ht_json json;
    enum ht_status status = HT_OK;
    if (asked.live.radius_m < 0) {
        asked.live.radius_m = HT_LIVE_STREET_M;
    }
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "closest");
    if (job->many) {
        ht_json_array(&json);
    }
    size_t at = 0;
    for (size_t i = 0; i < job->count && status == HT_OK; i++) {
        at = i;
        status = ht_ask_locate(context, &asked, pairs[i], &asked.live.point);
        if (status == HT_OK) {
            closest_list(context, world, &asked, &json, &status);
        }
    }
    if (job->many) {
        ht_json_array_end(&json);
    }
    ht_json_object_end(&json);
    if (status == HT_NO_SEGMENT || status == HT_RANGE) {
        point_refuse(context, &asked, status, reply);
        char pointer[40];
        (void)snprintf(pointer, sizeof pointer, "/points/%zu", at);
        if (job->many) {
            ht_reply_where(reply, pointer, 0, "no place to ask for");
        }
    } else if (status != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
}

static void closest_answer(struct ht_app_context *context, const struct closest_job *job,
                           double (*pairs)[2], struct ht_reply *reply)
{
    struct ht_world *world = ht_world_reader_get(&context->world);
    if (work_of(context, reply) == NULL) {
        return;
    }
    if (world == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "no network is open");
        return;
    }
    if (job->avoid == NULL) {
        closest_write(context, world, job, pairs, reply);
        return;
    }
    if (avoid_begin(context, world, job, reply)) {
        closest_write(context, world, job, pairs, reply);
    }
    ht_live_avoid_end(context->live);
}

static void closest_run(void *user, void *data, struct ht_reply *reply)
{
    struct closest_job *job = data;
    closest_answer(user, job, job->pairs, reply);
}

static void closest_free(void *data)
{
    struct closest_job *job = data;
    if (job != NULL) {
        free(job->avoid);
        free(job);
    }
}

/* `avoid` NULL: nothing. NULL: out of memory. */
static struct closest_job *job_new(const struct ht_ask *asked, const char *avoid, size_t count,
                                   bool many)
{
    struct closest_job *job = malloc(sizeof *job + count * sizeof job->pairs[0]);
    if (job != NULL) {
        *job = (struct closest_job){.asked = *asked, .many = many, .count = count};
        job->avoid = avoid == NULL ? NULL : strdup(avoid);
    }
    if (job != NULL && avoid != NULL && job->avoid == NULL) {
        free(job);
        job = NULL;
    }
    return job;
}

/* One question that has to wait. */
static void closest_later(struct ht_http_call *call, const struct ht_ask *asked, const char *avoid)
{
    struct closest_job *job = job_new(asked, avoid, 1, false);
    if (job == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    memcpy(job->pairs[0], asked->pair[0], sizeof job->pairs[0]);
    call->job = (struct ht_http_job){.run = closest_run, .free = closest_free, .data = job};
}

static void closest_start(struct ht_app_context *context, struct ht_http_call *call,
                          const struct ht_params *params)
{
    struct ht_ask asked = ht_ask_read(context, params, HT_DUTY_ON);
    const char *avoid = ht_param(params, "avoid");
    asked.wrong = asked.wrong != NULL ? asked.wrong
                  : !asked.pointed    ? "lon and lat are missing"
                                      : asked.wrong_unit;
    if (asked.wrong != NULL) {
        ht_ask_refuse(call->reply, asked.wrong);
        return;
    }
    struct ht_world *world = ht_world_reader_get(&context->world);
    struct closest_job one = {.asked = asked, .count = 1};
    if (world == NULL || (avoid == NULL && !ht_ask_slow(&asked) &&
                          ht_live_closest_ready(context->app->live, context->live, world))) {
        closest_answer(context, &one, asked.pair, call->reply);
    } else {
        closest_later(call, &asked, avoid);
    }
}

void ht_closest_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    if (query_read(call->request, &params, call->reply)) {
        closest_start(context, call, &params);
        ht_params_deinit(&params);
    }
}

/* The members of a JSON body as the params of a GET: numbers and texts as written, lists joined. */
static bool body_params(yajl_val body, struct ht_text *query)
{
    for (size_t i = 0; i < body->u.object.len; i++) {
        yajl_val value = body->u.object.values[i];
        const char *name = body->u.object.keys[i];
        if (strcmp(name, "points") == 0) {
            continue;
        }
        ht_text_addf(query, "&%s=", name);
        size_t parts = YAJL_IS_ARRAY(value) ? value->u.array.len : 1;
        for (size_t k = 0; k < parts; k++) {
            yajl_val part = YAJL_IS_ARRAY(value) ? value->u.array.values[k] : value;
            struct ht_text object = {0};
            if (YAJL_IS_OBJECT(part)) { /* GeoJSON */
                ht_json_tree_write(&object, part);
            }
            const char *text = YAJL_IS_STRING(part)   ? YAJL_GET_STRING(part)
                               : YAJL_IS_NUMBER(part) ? YAJL_GET_NUMBER(part)
                               : YAJL_IS_OBJECT(part) ? ht_text_string(&object)
                               : YAJL_IS_TRUE(part)   ? "1"
                                                      : "0";
            for (; *text != '\0'; text++) {
                ht_text_addf(query, "%%%02X", (unsigned char)*text);
            }
            query->failed = query->failed || object.failed;
            ht_text_deinit(&object);
            ht_text_add_string(query, k + 1 < parts ? "," : "");
        }
    }
    return !query->failed;
}

/* False: the one at `*at` is none. */
static bool points_read(yajl_val list, struct closest_job *job, size_t *at)
{
    for (size_t i = 0; i < job->count; i++) {
        yajl_val pair = list->u.array.values[i];
        *at = i;
        if (!YAJL_IS_ARRAY(pair) || pair->u.array.len != 2) {
            return false;
        }
        for (size_t axis = 0; axis < 2; axis++) {
            yajl_val number = pair->u.array.values[axis];
            if (!YAJL_IS_NUMBER(number) ||
                !ht_param_doubles(YAJL_GET_NUMBER(number), &job->pairs[i][axis], 1)) {
                return false;
            }
        }
    }
    return true;
}

/* 400, and where. */
static void body_refuse(struct ht_reply *reply, const char *pointer, const char *why)
{
    ht_ask_refuse(reply, why);
    ht_reply_where(reply, pointer, 0, why);
}

/* The job for a body; NULL with the answer written. */
static struct closest_job *body_job(struct ht_app_context *context, yajl_val body,
                                    struct ht_reply *reply)
{
    struct ht_params params = {0};
    struct ht_text query = {0};
    struct closest_job *job = NULL;
    yajl_val list = ht_json_member(body, "points");
    if (!YAJL_IS_ARRAY(list) || list->u.array.len == 0 || list->u.array.len > POINTS_MOST ||
        !body_params(body, &query) || ht_params_read(&params, query.data, query.size) != HT_OK) {
        body_refuse(reply, "/points", "points is a list of 1 to 1,000 [lon, lat]");
    } else {
        char pointer[40];
        size_t at = 0;
        struct ht_ask asked = ht_ask_read(context, &params, HT_DUTY_ON);
        asked.wrong = asked.wrong == NULL ? asked.wrong_unit : asked.wrong;
        job = asked.wrong != NULL
                  ? NULL
                  : job_new(&asked, ht_param(&params, "avoid"), list->u.array.len, true);
        if (asked.wrong != NULL) {
            (void)snprintf(pointer, sizeof pointer, "/%s", asked.wrong_name);
            body_refuse(reply, pointer, asked.wrong);
        } else if (job == NULL) {
            ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        } else if (!points_read(list, job, &at)) {
            (void)snprintf(pointer, sizeof pointer, "/points/%zu", at);
            body_refuse(reply, pointer, "points is a list of [lon, lat] on Earth");
            closest_free(job);
            job = NULL;
        }
    }
    ht_params_deinit(&params);
    ht_text_deinit(&query);
    return job;
}

void ht_closest_post(struct ht_app_context *context, struct ht_http_call *call)
{
    yajl_val body = ht_json_tree_read(call->request->body, call->request->body_size);
    if (!YAJL_IS_OBJECT(body)) {
        body_refuse(call->reply, "", "the body is not a JSON object");
    } else {
        struct closest_job *job = body_job(context, body, call->reply);
        if (job != NULL) {
            call->job = (struct ht_http_job){.run = closest_run, .free = closest_free, .data = job};
        }
    }
    yajl_tree_free(body);
}
