/* What a driver has before him: GET /v1/units/{id}/plan. */
#include <stdlib.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/live.h"
#include "api/live_json.h"
#include "api/orders_internal.h"
#include "api/params.h"
#include "api/planner.h"
#include "engine/base/array.h"
#include "engine/road/shape.h"
#include "engine/road/snap.h"

struct show {
    char id[HT_UNIT_ID_MAX + 1];
    struct ht_unit unit;
    struct ht_crs crs;
};

/* What draws the legs. */
struct drawing {
    const struct ht_road *road; /* NULL: there are no streets now */
    struct ht_snap_work *snap;
    struct ht_query *query;
    struct ht_shape shape;
};

struct writing {
    struct ht_app *app;
    struct ht_json *json;
    const struct ht_crs_out *out;
    const struct ht_planner_route *route;
    uint32_t load_count;
    struct drawing drawing;
};

static void drawing_deinit(struct drawing *drawing)
{
    ht_snap_work_free(drawing->snap);
    ht_query_free(drawing->query);
    ht_shape_deinit(&drawing->shape);
}

static enum ht_status drawing_begin(struct drawing *drawing, struct ht_world *world,
                                    const char *profile)
{
    enum ht_status status = ht_snap_work_new(&drawing->snap);
    if (status == HT_OK) {
        status = ht_query_new(&drawing->query);
    }
    if (status == HT_OK && world != NULL &&
        ht_world_road(world, profile, 0, &drawing->road) != HT_OK) {
        drawing->road = NULL;
    }
    return status;
}

static bool snapped(struct drawing *drawing, struct ht_point point, struct ht_place *place)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = HT_LIVE_STREET_M;
    if (ht_snap_trip(drawing->road->snap, drawing->snap, point, &options, two, &found) != HT_OK) {
        return false;
    }
    *place = two[found - 1];
    return true;
}

/* The way to a stop; false: there is none now. */
static bool leg_draw(struct drawing *drawing, struct ht_point from, struct ht_point to,
                     uint64_t *length_mm)
{
    struct ht_place places[2];
    struct ht_way_found way;
    if (drawing->road == NULL || !snapped(drawing, from, &places[0]) ||
        !snapped(drawing, to, &places[1]) ||
        ht_query_path(drawing->query, drawing->road, &places[0], HT_SIDES_BOTH, &places[1],
                      HT_SIDES_BOTH, &way) != HT_OK) {
        return false;
    }
    const struct ht_leg leg = {.cost = way.cost,
                               .source = 0,
                               .target = 1,
                               .source_side = way.source_side,
                               .target_side = way.target_side,
                               .arc_count = way.arc_count};
    ht_shape_clear(&drawing->shape);
    *length_mm = (uint64_t)way.cost.length_mm;
    return ht_shape_add(&drawing->shape, drawing->road, places, &leg, way.arcs, false) == HT_OK;
}

/* ---- what is still ahead ---- */

/* A counted reference to the order of a stop, if the unit still has it to hand over. */
static const struct ht_order *order_ahead(const struct writing *writing,
                                          const struct ht_planner_stop *stop)
{
    const struct ht_order *order =
        ht_orders_get(ht_orders_room_orders(writing->app->orders), stop->id);
    if (order != NULL && (!ht_order_is_open(order) || order->unit == NULL ||
                          strcmp(order->unit, writing->route->unit) != 0)) {
        ht_order_release(order);
        return NULL;
    }
    return order;
}

/* Whether something that is loaded there (for the last time before) is still to be. */
static bool load_ahead(const struct writing *writing, uint32_t at)
{
    const char *kitchen = writing->route->stops[at].id;
    bool ahead = false;
    for (uint32_t i = at + 1; i < writing->route->count && !ahead; i++) {
        const struct ht_planner_stop *stop = &writing->route->stops[i];
        if (stop->loads) {
            if (strcmp(stop->id, kitchen) == 0) {
                break;
            }
            continue;
        }
        const struct ht_order *order = order_ahead(writing, stop);
        ahead = order != NULL && !ht_order_is_pinned(order) && strcmp(order->kitchen, kitchen) == 0;
        ht_order_release(order);
    }
    return ahead;
}

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
    if (leg_draw(&writing->drawing, from, to, &length_mm)) {
        ht_json_key_double(writing->json, "distance_m", (double)length_mm / 1000, 1);
        ht_live_json_line(writing->json, writing->drawing.shape.points,
                          writing->drawing.shape.point_count, writing->out);
    }
}

static void order_write(const struct writing *writing, const struct ht_order *order)
{
    ht_json_key_text(writing->json, "order", order->id);
    ht_json_key_text(writing->json, "state", ht_order_state_text(order->state));
    if (order->household != NULL) {
        ht_json_key_text(writing->json, "household", order->household);
    }
    ht_json_key_int(writing->json, "sequence", order->sequence);
}

static void stop_write(struct writing *writing, const struct ht_planner_stop *stop,
                       const struct ht_order *order, struct ht_point from)
{
    struct ht_json *json = writing->json;
    const struct ht_incident_place place = {.point = stop->point};
    ht_json_object(json);
    ht_json_key_text(json, "kind", stop->loads ? "load" : "order");
    if (order == NULL) {
        ht_json_key_text(json, "kitchen", stop->id);
    } else {
        order_write(writing, order);
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
    const struct ht_planner_route *route = writing->route;
    for (uint32_t i = 0; route != NULL && i < route->count; i++) {
        const struct ht_planner_stop *stop = &route->stops[i];
        const struct ht_order *order = stop->loads ? NULL : order_ahead(writing, stop);
        if (order != NULL || (stop->loads && load_ahead(writing, i))) {
            stop_write(writing, stop, order, from);
            from = stop->point;
        }
        ht_order_release(order);
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
    ht_json_key(writing->json, "stops");
    ht_json_array(writing->json);
    stops_write(writing, show->unit.position.fix.point);
    ht_json_array_end(writing->json);
    ht_json_object_end(writing->json);
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

static void show_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const struct show *show = data;
    struct ht_json json;
    if (!crs_ready(context, &show->crs, reply)) {
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
        status = drawing_begin(&writing.drawing, ht_world_reader_get(&context->world),
                               writing.route->profile);
    }
    if (status == HT_OK) {
        ht_json_begin(&json, &reply->body);
        show_write(&writing, show, plan);
    } else {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
    drawing_deinit(&writing.drawing);
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
