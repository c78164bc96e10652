/* What a driver has before him: GET /v1/units/{id}/plan. */
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/incident_json.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/orders_internal.h"
#include "api/params.h"
#include "api/planner.h"
#include "api/planner_ahead.h"
#include "api/planner_line.h"
#include "api/planner_scene.h"
#include "api/underway.h"
#include "engine/base/array.h"

struct show {
    char id[HT_UNIT_ID_MAX + 1];
    struct ht_unit unit;
    bool capacity; /* the registry says one */
    struct ht_crs crs;
};

struct writing {
    struct ht_app *app;
    struct ht_json *json;
    const struct ht_crs_out *out;
    const struct ht_planner_route *route;
    uint32_t load_count;
    struct ht_planner_line line;
    struct ht_planner_ahead ahead;
    struct ht_progress progress;
    struct ht_arrival_band *bands;
};

/* ---- JSON ---- */

static void load_write(const struct writing *writing, const char *key, const int64_t *load)
{
    ht_json_key(writing->json, key);
    ht_json_array(writing->json);
    for (uint32_t i = 0; i < writing->load_count; i++) {
        ht_json_int(writing->json, load[i]);
    }
    ht_json_array_end(writing->json);
}

static void way_write(struct writing *writing, struct ht_point from, struct ht_point to)
{
    uint64_t length_mm = 0;
    if (from.lon_e7 == to.lon_e7 && from.lat_e7 == to.lat_e7) {
        ht_json_key_int(writing->json, "distance_m", 0);
        return;
    }
    if (ht_planner_line_leg(&writing->line, from, to, &length_mm)) {
        const struct ht_shape *shape = &writing->line.shape;
        ht_json_key_double(writing->json, "distance_m", (double)length_mm / 1000, 1);
        ht_live_json_line(writing->json, shape->points, shape->point_count, writing->out);
    }
}

static void order_write(const struct writing *writing, const struct ht_order *order,
                        const struct ht_arrival_band *band)
{
    ht_json_key_text(writing->json, "order", order->id);
    ht_json_key_text(writing->json, "state", ht_order_state_text(order->state));
    if (order->household != NULL) {
        ht_json_key_text(writing->json, "household", order->household);
    }
    ht_json_key_int(writing->json, "sequence", order->sequence);
    if (band != NULL) {
        const struct ht_order_times times = ht_planner_times(band, order);
        ht_order_json_times(writing->json, &times);
    }
}

/* Of the stops ahead the i-th. */
static void stop_write(struct writing *writing, uint32_t i, struct ht_point from)
{
    struct ht_json *json = writing->json;
    const struct ht_planner_stop *stop = writing->ahead.list[i].stop;
    const struct ht_incident_place place = {.point = stop->point};
    ht_json_object(json);
    ht_json_key_text(json, "kind", stop->loads ? "load" : "order");
    if (writing->ahead.list[i].order == NULL) {
        ht_json_key_text(json, "kitchen", stop->id);
    } else {
        order_write(writing, writing->ahead.list[i].order,
                    writing->bands == NULL ? NULL : &writing->bands[i]);
    }
    if (i < writing->ahead.here) {
        ht_json_key_bool(json, "here", true);
    }
    if (ht_progress_skipped(&writing->progress, stop->point)) {
        ht_json_key_bool(json, "skipped", true);
    }
    ht_incident_json_place(json, &place, writing->out);
    ht_incident_json_moment(json, "arrival", stop->arrival_ms);
    ht_incident_json_moment(json, "begin", stop->begin_ms);
    ht_incident_json_moment(json, "departure", stop->leave_ms);
    load_write(writing, "load", stop->load);
    ht_json_key(json, "way");
    ht_json_object(json);
    way_write(writing, from, stop->point);
    ht_json_object_end(json);
    ht_json_object_end(json);
}

static void stops_write(struct writing *writing, struct ht_point from)
{
    if (writing->progress.at) {
        from = writing->progress.stop;
    }
    for (uint32_t i = 0; i < writing->ahead.count; i++) {
        stop_write(writing, i, from);
        from = writing->ahead.list[i].stop->point;
    }
}

/* Whether it is planned here, and why not. */
static void why_write(const struct writing *writing, const struct show *show)
{
    const struct ht_planner_rules rules = ht_planner_rules_now(&writing->app->settings);
    const char *why = !rules.run                         ? "settings planner.run is false"
                      : show->unit.kind != HT_UNIT_VAN   ? "the unit is no van"
                      : show->unit.status == HT_UNIT_OFF ? "the unit is off"
                      : !show->unit.positioned           ? "nobody knows where the unit is"
                      : !show->capacity && rules.van_meals == 0
                          ? "the unit says no capacity, and settings planner.van_meals is 0"
                          : NULL;
    ht_json_key_bool(writing->json, "planned", why == NULL);
    if (why != NULL) {
        ht_json_key_text(writing->json, "why", why);
    }
}

static void show_write(struct writing *writing, const struct show *show,
                       const struct ht_planner_plan *plan)
{
    ht_json_object(writing->json);
    ht_json_key_text(writing->json, "unit", show->id);
    if (plan != NULL) {
        ht_incident_json_moment(writing->json, "made_at", plan->made_ms);
    }
    if (writing->route != NULL) {
        load_write(writing, "load", writing->route->start_load);
    }
    why_write(writing, show);
    ht_underway_write(writing->json, &writing->progress);
    ht_json_key(writing->json, "stops");
    ht_json_array(writing->json);
    stops_write(writing, show->unit.position.fix.point);
    ht_json_array_end(writing->json);
    ht_json_object_end(writing->json);
}

/* Where the unit is along its stops, and when it will be at those ahead. HT_NOMEM. */
static enum ht_status ahead_find(struct writing *writing, const struct show *show, int64_t now_ms)
{
    struct ht_app *app = writing->app;
    if (!ht_underway_progress(app->underway, show->id, &writing->progress)) {
        writing->progress = (struct ht_progress){0};
    }
    struct ht_planner_when when = {
        .now_ms = now_ms,
        .first_ms = ht_underway_first_ms(app->underway, show->id),
        .here = {writing->progress.at, writing->progress.stop, writing->progress.since_ms}};
    enum ht_status status = ht_planner_ahead_make(app, writing->route, &when.here, &writing->ahead);
    if (status == HT_OK) {
        writing->bands = ht_array_new(writing->ahead.count, sizeof *writing->bands);
        status = writing->bands == NULL ? HT_NOMEM
                                        : ht_planner_ahead_bands(app->arrivals, &writing->ahead,
                                                                 &when, writing->bands);
    }
    return status;
}

static bool crs_ready(struct ht_app_context *context, const struct ht_crs *crs,
                      struct ht_reply *reply)
{
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_crs_check(context->crs, crs, NULL) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request",
                         "crs is not a coordinate system that is known here");
        return false;
    }
    return true;
}

static enum ht_status unit_take(void *user, const struct ht_store_item *item)
{
    struct show *show = user;
    int64_t capacity[HT_ORDER_LOADS];
    show->capacity = ht_planner_capacity(item->properties, capacity) > 0;
    return HT_OK;
}

/* What the registry says of the unit; false with the answer written. */
static bool unit_read(struct ht_app_context *context, struct show *show, struct ht_reply *reply)
{
    static const char name[] = "units";
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    enum ht_status status = ht_store_item(reader, ht_collection_find(name, sizeof name - 1),
                                          show->id, false, unit_take, show, &error);
    if (status != HT_OK && status != HT_NOT_FOUND) {
        ht_reply_status(reply, &error);
        return false;
    }
    return true;
}

static void show_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct show *show = data;
    struct ht_json json;
    if (!crs_ready(context, &show->crs, reply) || !unit_read(context, show, reply)) {
        return;
    }
    const struct ht_crs_out out = {&show->crs, context->crs};
    struct ht_planner_plan *plan = ht_planner_now(context->app->planner);
    struct writing writing = {.app = context->app,
                              .json = &json,
                              .out = &out,
                              .route = ht_planner_plan_route(plan, show->id),
                              .load_count = plan == NULL ? 0 : plan->load_count};
    enum ht_status status = HT_OK;
    if (writing.route != NULL) {
        status = ht_planner_line_begin(&writing.line, ht_world_reader_get(&context->world),
                                       writing.route->profile);
    }
    status = status == HT_OK ? ahead_find(&writing, show, ht_clock_now_ms(&context->app->clock))
                             : status;
    if (status == HT_OK) {
        ht_json_begin(&json, &reply->body);
        show_write(&writing, show, plan);
    } else {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
    ht_planner_line_deinit(&writing.line);
    ht_planner_ahead_deinit(&writing.ahead);
    free(writing.bands);
    ht_planner_plan_release(plan);
}

/* A device sees its own unit's. */
static bool seen_by(const struct ht_caller *caller, const char *unit)
{
    return caller->role != HT_ROLE_DEVICE ||
           (caller->unit != NULL && strcmp(caller->unit, unit) == 0);
}

void ht_planner_unit_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_app *app = context->app;
    const char *id = call->request->target + call->params[0].at;
    size_t size = call->params[0].size;
    struct ht_fleet *fleet = ht_live_fleet(app->live);
    struct ht_params params;
    if (app->planner == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable",
                         "nothing is planned: there is no store that can be written");
        return;
    }
    struct show *show = calloc(1, sizeof *show);
    if (show == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    const char *wrong = "the query is not well encoded";
    if (ht_params_of(&params, call->request) == HT_OK) {
        const char *crs = ht_param(&params, "crs");
        wrong = crs != NULL && ht_crs_parse(crs, strlen(crs), &show->crs) != HT_OK
                    ? "crs is not a coordinate system"
                    : NULL;
        ht_params_deinit(&params);
    }
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
    } else if (!ht_fleet_get(fleet, ht_fleet_find(fleet, id, size), ht_clock_now_ms(&app->clock),
                             &show->unit) ||
               !seen_by(context->caller, show->unit.id)) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such unit");
    } else {
        memcpy(show->id, id, size);
        call->job = (struct ht_http_job){.run = show_run, .free = free, .data = show};
        return;
    }
    free(show);
}
