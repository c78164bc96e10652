#include "api/routes_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/access.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/positions_read.h"

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
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    if (ht_params_read(params, request->target + skip, request->target_size - skip) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "the query is not well encoded");
        return false;
    }
    return true;
}

/* ---- positions in ---- */

static const char *report_one(struct ht_app_context *context, const struct ht_caller *caller,
                              const struct ht_position_in *in)
{
    if (in->wrong != NULL) {
        return in->wrong;
    }
    if (caller->role == HT_ROLE_DEVICE && strcmp(caller->unit, in->unit) != 0) {
        return "another unit's";
    }
    enum ht_refusal refusal =
        ht_live_report(context->app->live, context->live, ht_world_reader_get(&context->world),
                       in->unit, strlen(in->unit), &in->report);
    return refusal == HT_REFUSAL_NONE ? NULL : ht_refusal_text(refusal);
}

/* Coordinates of another system, in place. */
static void convert(struct ht_crs_work *work, const struct ht_crs *crs, struct ht_position_in *in)
{
    double pair[1][2] = {{in->report.lon_deg, in->report.lat_deg}};
    if (in->wrong == NULL && ht_crs_to_wgs84(work, crs, pair, 1) != HT_OK) {
        in->wrong = ht_refusal_text(HT_REFUSAL_OUT_OF_RANGE);
    }
    in->report.lon_deg = pair[0][0];
    in->report.lat_deg = pair[0][1];
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
        if (!ht_crs_plain(crs)) {
            convert(context->crs, crs, &in->list[i]);
        }
        const char *reason = report_one(context, caller, &in->list[i]);
        accepted += reason == NULL;
        if (reason != NULL && reasons++ < REASONS_MOST) {
            ht_json_object(&list);
            ht_json_key_int(&list, "index", (int64_t)i);
            ht_json_key_text(&list, "reason", reason);
            ht_json_object_end(&list);
        }
    }
    ht_json_array_end(&list);
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "accepted", (int64_t)accepted);
    ht_json_key(&json, "rejected");
    ht_json_raw(&json, rejected.data, rejected.size);
    ht_json_object_end(&json);
    ht_buffer_deinit(&rejected);
}

/* A body that waits for a worker. */
struct batch {
    struct ht_caller caller;
    struct ht_crs crs;
    int64_t now_ms;
    size_t size;
    char text[];
};

static void batch_take(struct ht_app_context *context, const struct batch *batch, const char *text,
                       struct ht_reply *reply)
{
    struct ht_positions_in in = {0};
    struct ht_error error = {0};
    if (work_of(context, reply) == NULL) {
        return;
    }
    if (!ht_crs_plain(&batch->crs) && context->crs == NULL &&
        ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    enum ht_status status = ht_positions_read(text, batch->size, batch->now_ms, &in, &error);
    if (status == HT_OK) {
        positions_answer(context, &batch->caller, &in, &batch->crs, reply);
    } else {
        int code = status == HT_SYNTAX ? 400 : status == HT_TOO_BIG ? 413 : 503;
        ht_reply_problem(reply, code, ht_http_status_text(code), error.message);
    }
    ht_positions_deinit(&in);
}

static void batch_run(void *user, void *data, struct ht_reply *reply)
{
    struct batch *batch = data;
    batch_take(user, batch, batch->text, reply);
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
    const char *crs = ht_param(&params, "crs");
    enum ht_status status =
        ht_crs_parse(crs == NULL ? "" : crs, crs == NULL ? 0 : strlen(crs), &small.crs);
    ht_params_deinit(&params);
    if (status != HT_OK) {
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

void ht_osmand(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_position_in in;
    struct ht_params params;
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    if (work_of(context, call->reply) == NULL || !query_read(request, &params, call->reply)) {
        return;
    }
    bool json = request->body_size > 0 && request->body[0] == '{';
    enum ht_status status = HT_OK;
    if (json) {
        status = ht_traccar_read(request->body, request->body_size, now_ms, &in);
    } else {
        if (request->body_size > 0 && params.count == 0) { /* a form */
            ht_params_deinit(&params);
            status = ht_params_read(&params, request->body, request->body_size);
        }
        status = status == HT_OK ? ht_osmand_read(&params, now_ms, &in) : status;
    }
    ht_params_deinit(&params);
    const char *reason =
        status != HT_OK ? "id, lat and lon are needed" : report_one(context, context->caller, &in);
    if (reason == NULL || strcmp(reason, ht_refusal_text(HT_REFUSAL_DUPLICATE)) == 0) {
        call->reply->content_type = "text/plain"; /* what these apps send again is no mistake */
        return;
    }
    ht_reply_problem(call->reply, 400, "Bad Request", reason);
}

/* ---- what is asked ---- */

static bool kinds_read(const char *text, const char *const *words, uint32_t *bits)
{
    *bits = 0;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",;");
        bool known = false;
        for (uint32_t i = 0; words[i] != NULL; i++) {
            if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0) {
                *bits |= UINT32_C(1) << i;
                known = true;
            }
        }
        if (!known) {
            return false;
        }
        text += size + (text[size] != '\0');
    }
    return true;
}

/* Skills with commas or semicolons between. False: one that no unit has, so nobody will do. */
static bool skills_read(struct ht_fleet *fleet, const char *text, uint64_t *bits)
{
    char name[HT_NAME_MAX + 1];
    *bits = 0;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",;");
        const char *names[] = {name};
        uint64_t one = 0;
        if (size > HT_NAME_MAX) {
            return false;
        }
        memcpy(name, text, size);
        name[size] = '\0';
        if (size > 0 && ht_fleet_skills(fleet, names, 1, &one) != HT_OK) {
            return false;
        }
        *bits |= one;
        text += size + (text[size] != '\0');
    }
    return true;
}

struct asked {
    struct ht_live_ask ask;
    bool nobody; /* a skill that no unit has */
    bool geometry;
    const char *wrong;
    const char *wrong_unit; /* about units alone */
};

static double number_or(const struct ht_params *params, const char *name, double other,
                        struct asked *asked)
{
    double value = other;
    const char *text = ht_param(params, name);
    if (text != NULL && (!ht_param_doubles(text, &value, 1) || value < 0)) {
        asked->wrong = "k, radius_m, max_s and max_age_s are numbers from 0 on";
    }
    return value;
}

static bool point_of(double lon, double lat, struct ht_point *out)
{
    if (!(fabs(lon) <= 180 && fabs(lat) <= 90)) {
        return false;
    }
    *out = (struct ht_point){(int32_t)lround(lon * 1e7), (int32_t)lround(lat * 1e7)};
    return true;
}

static struct asked ask_read(struct ht_app_context *context, const struct ht_params *params)
{
    struct asked asked = {0};
    double lon = 0;
    double lat = 0;
    const char *lon_text = ht_param(params, "lon");
    const char *lat_text = ht_param(params, "lat");
    if (lon_text != NULL || lat_text != NULL) {
        if (lon_text == NULL || lat_text == NULL || !ht_param_doubles(lon_text, &lon, 1) ||
            !ht_param_doubles(lat_text, &lat, 1) || !point_of(lon, lat, &asked.ask.point)) {
            asked.wrong = "lon and lat are degrees on Earth";
        }
    } else {
        asked.wrong = "lon and lat are missing";
    }
    double k = number_or(params, "k", 10, &asked);
    double radius = number_or(params, "radius_m", INFINITY, &asked);
    double max_s = number_or(params, "max_s", INFINITY, &asked);
    double age_s = number_or(params, "max_age_s", INFINITY, &asked);
    asked.ask.k = k < 1000 ? (uint32_t)k : 1000;
    asked.ask.radius_m = isinf(radius) ? -1 : radius;
    asked.ask.max_ms = max_s * 1000 < UINT32_MAX ? (uint32_t)(max_s * 1000) : UINT32_MAX;
    asked.ask.filter.heard_ms =
        isinf(age_s) ? INT64_MIN
                     : ht_clock_now_ms(&context->app->clock) - (int64_t)(fmin(age_s, 1e12) * 1000);
    if (!kinds_read(ht_param(params, "kind"), ht_unit_kinds, &asked.ask.filter.kinds)) {
        asked.wrong_unit = "kind is van, responder, inspector or volunteer";
    }
    if (!kinds_read(ht_param(params, "status"), ht_unit_statuses, &asked.ask.filter.statuses)) {
        asked.wrong_unit = "status is off, idle or busy";
    }
    asked.nobody = !skills_read(ht_live_fleet(context->app->live), ht_param(params, "skills"),
                                &asked.ask.filter.skills);
    const char *geometry = ht_param(params, "geometry");
    asked.geometry = geometry != NULL && strcmp(geometry, "1") == 0;
    return asked;
}

static void refuse(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 400, "Bad Request", why);
}

/* ---- near ---- */

static void near_units(struct ht_app_context *context, const struct asked *asked,
                       struct ht_reply *reply)
{
    const struct ht_moving_hit *hits = NULL;
    uint32_t count = 0;
    struct ht_json json;
    struct ht_live *live = context->app->live;
    if (work_of(context, reply) == NULL) {
        return;
    }
    if (!asked->nobody && ht_live_near(live, context->live, &asked->ask, &hits, &count) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    reply->content_type = "application/geo+json";
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key(&json, "features");
    ht_json_array(&json);
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    for (uint32_t i = 0; i < count; i++) {
        struct ht_unit unit;
        if (ht_fleet_get(ht_live_fleet(live), hits[i].id, now_ms, &unit)) {
            ht_live_json_unit(&json, ht_live_fleet(live), &unit, hits[i].point, hits[i].distance_m);
        }
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

void ht_near_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    if (!query_read(call->request, &params, call->reply)) {
        return;
    }
    const char *name = ht_param(&params, "collection");
    const struct ht_collection *collection =
        name == NULL ? NULL : ht_collection_find(name, strlen(name));
    struct asked asked = ask_read(context, &params);
    if (asked.wrong != NULL) {
        refuse(call->reply, asked.wrong);
    } else if (collection == NULL) {
        refuse(call->reply, name == NULL ? "collection is missing" : "no such collection");
    } else if (strcmp(collection->name, "units") == 0 && asked.wrong_unit != NULL) {
        refuse(call->reply, asked.wrong_unit);
    } else if (strcmp(collection->name, "units") == 0) {
        near_units(context, &asked, call->reply);
    } else {
        const struct ht_near_ask ask = {collection, asked.ask.point, asked.ask.k,
                                        asked.ask.radius_m};
        ht_near_items(context, call, &params, &ask);
        return; /* it keeps the params */
    }
    ht_params_deinit(&params);
}

/* ---- closest ---- */

static void closest_list(struct ht_app_context *context, struct ht_world *world,
                         const struct asked *asked, struct ht_json *json, enum ht_status *status)
{
    const struct ht_closest_hit *hits = NULL;
    uint32_t count = 0;
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    if (!asked->nobody) {
        *status =
            ht_live_closest(context->app->live, context->live, world, &asked->ask, &hits, &count);
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
        ht_json_key_int(json, "age_ms", now_ms - unit.position.received_ms);
        if (unit.stale) {
            ht_json_key_bool(json, "stale", true);
        }
        const struct ht_point *points = NULL;
        size_t point_count = 0;
        if (asked->geometry &&
            ht_live_way(context->live, &hits[i], &points, &point_count) == HT_OK) {
            ht_live_json_line(json, points, point_count);
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

/* One question, or many, that waits for a worker. */
struct closest_job {
    struct asked asked;
    bool many;
    size_t count;
    struct ht_point points[];
};

static void closest_answer(struct ht_app_context *context, const struct closest_job *job,
                           const struct ht_point *points, struct ht_reply *reply)
{
    struct asked asked = job->asked;
    struct ht_json json;
    enum ht_status status = HT_OK;
    struct ht_world *world = ht_world_reader_get(&context->world);
    if (work_of(context, reply) == NULL) {
        return;
    }
    if (world == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "no network is open");
        return;
    }
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "closest");
    if (job->many) {
        ht_json_array(&json);
    }
    for (size_t i = 0; i < job->count && status == HT_OK; i++) {
        asked.ask.point = points[i];
        closest_list(context, world, &asked, &json, &status);
    }
    if (job->many) {
        ht_json_array_end(&json);
    }
    ht_json_object_end(&json);
    if (status != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
}

static void closest_run(void *user, void *data, struct ht_reply *reply)
{
    struct closest_job *job = data;
    closest_answer(user, job, job->points, reply);
}

static struct closest_job *job_new(const struct asked *asked, size_t count, bool many)
{
    struct closest_job *job = malloc(sizeof *job + count * sizeof job->points[0]);
    if (job != NULL) {
        *job = (struct closest_job){.asked = *asked, .many = many, .count = count};
    }
    return job;
}

void ht_closest_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    if (!query_read(call->request, &params, call->reply)) {
        return;
    }
    struct asked asked = ask_read(context, &params);
    ht_params_deinit(&params);
    asked.wrong = asked.wrong == NULL ? asked.wrong_unit : asked.wrong;
    if (asked.wrong != NULL) {
        refuse(call->reply, asked.wrong);
        return;
    }
    struct ht_world *world = ht_world_reader_get(&context->world);
    struct closest_job one = {.asked = asked, .count = 1};
    if (world == NULL || ht_live_ready(context->app->live, world)) {
        closest_answer(context, &one, &asked.ask.point, call->reply);
        return;
    }
    struct closest_job *job = job_new(&asked, 1, false);
    if (job == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    job->points[0] = asked.ask.point;
    call->job = (struct ht_http_job){.run = closest_run, .free = free, .data = job};
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
            const char *text = YAJL_IS_STRING(part)   ? YAJL_GET_STRING(part)
                               : YAJL_IS_NUMBER(part) ? YAJL_GET_NUMBER(part)
                               : YAJL_IS_TRUE(part)   ? "1"
                                                      : "0";
            for (; *text != '\0'; text++) {
                ht_text_addf(query, "%%%02X", (unsigned char)*text);
            }
            ht_text_add_string(query, k + 1 < parts ? "," : "");
        }
    }
    return !query->failed;
}

static bool points_read(yajl_val list, struct closest_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        yajl_val pair = list->u.array.values[i];
        double degrees[2];
        if (!YAJL_IS_ARRAY(pair) || pair->u.array.len != 2) {
            return false;
        }
        for (size_t axis = 0; axis < 2; axis++) {
            yajl_val number = pair->u.array.values[axis];
            if (!YAJL_IS_NUMBER(number) ||
                !ht_param_doubles(YAJL_GET_NUMBER(number), &degrees[axis], 1)) {
                return false;
            }
        }
        if (!point_of(degrees[0], degrees[1], &job->points[i])) {
            return false;
        }
    }
    return true;
}

/* The job for a body; NULL with the answer written. */
static struct closest_job *body_job(struct ht_app_context *context, yajl_val body,
                                    struct ht_reply *reply)
{
    struct ht_params params = {0};
    struct ht_text query = {0};
    struct closest_job *job = NULL;
    yajl_val list = ht_json_member(body, "points");
    ht_text_add_string(&query, "lon=0&lat=0");
    if (!YAJL_IS_ARRAY(list) || list->u.array.len == 0 || list->u.array.len > POINTS_MOST ||
        !body_params(body, &query) || ht_params_read(&params, query.data, query.size) != HT_OK) {
        refuse(reply, "points is a list of 1 to 1,000 [lon, lat]");
    } else {
        struct asked asked = ask_read(context, &params);
        asked.wrong = asked.wrong == NULL ? asked.wrong_unit : asked.wrong;
        job = asked.wrong != NULL ? NULL : job_new(&asked, list->u.array.len, true);
        if (asked.wrong != NULL) {
            refuse(reply, asked.wrong);
        } else if (job == NULL) {
            ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        } else if (!points_read(list, job)) {
            refuse(reply, "points is a list of [lon, lat] on Earth");
            free(job);
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
        refuse(call->reply, "the body is not a JSON object");
    } else {
        struct closest_job *job = body_job(context, body, call->reply);
        if (job != NULL) {
            call->job = (struct ht_http_job){.run = closest_run, .free = free, .data = job};
        }
    }
    yajl_tree_free(body);
}
