#include "api/isochrone.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/avoid.h"
#include "api/command.h"
#include "api/homes.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/live_json.h"
#include "api/params.h"
#include "geodata/cell_index.h"

enum {
    LIMITS_MOST = 4,
    SECONDS_MOST = 3600,
    PROFILE_MAX = 64,
};

/* Who stands farther from every street is not on this map. */
static const double snap_radius_m = 1000;

struct limit {
    uint32_t ms;
    double area_m2;
    int64_t households;
    int64_t residents;
    struct ht_geometry shape;
};

struct question {
    double lon;
    double lat;
    char profile[PROFILE_MAX + 1];
    bool towards;
    struct ht_crs crs;
    struct ht_crs out_crs;
    struct ht_place place;
    struct limit limits[LIMITS_MOST];
    size_t limit_count;
    struct ht_cell_index *index; /* of the shapes, while households are counted */
    bool counted;
    char *avoid; /* NULL: nothing */
    struct ht_avoid *areas;
    struct ht_detour *detour; /* while shapes are made */
};

static void question_free(void *data)
{
    struct question *q = data;
    for (size_t i = 0; i < LIMITS_MOST; i++) {
        ht_geometry_deinit(&q->limits[i].shape);
    }
    ht_cell_index_free(q->index);
    ht_avoid_free(q->areas);
    free(q->avoid);
    free(q);
}

/* --- what is asked ---------------------------------------------------------------------------- */

static bool limits_read(struct question *q, const char *text)
{
    double seconds[LIMITS_MOST];
    size_t count = 1;
    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        count += *at == ',';
    }
    if (text == NULL || count > LIMITS_MOST || !ht_param_doubles(text, seconds, count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!(seconds[i] > 0 && seconds[i] <= SECONDS_MOST)) {
            return false;
        }
        q->limits[i].ms = (uint32_t)lround(seconds[i] * 1000);
    }
    q->limit_count = count;
    return true;
}

static bool crs_read(const char *text, struct ht_crs *out)
{
    return ht_crs_parse(text == NULL ? "" : text, text == NULL ? 0 : strlen(text), out) == HT_OK;
}

/* NULL, or what is wrong. */
static const char *question_read(struct question *q, const struct ht_params *params)
{
    const char *lon = ht_param(params, "lon");
    const char *lat = ht_param(params, "lat");
    const char *profile = ht_param(params, "profile");
    const char *direction = ht_param(params, "direction");
    const char *crs = ht_param(params, "crs");
    const char *out_crs = ht_param(params, "out_crs");
    if (lon == NULL || lat == NULL) {
        return "lon and lat are missing";
    }
    if (!ht_param_doubles(lon, &q->lon, 1) || !ht_param_doubles(lat, &q->lat, 1)) {
        return "lon and lat are numbers";
    }
    if (profile == NULL || strlen(profile) > PROFILE_MAX) {
        return "profile is missing: car, van, emergency, ebike, foot";
    }
    memcpy(q->profile, profile, strlen(profile) + 1);
    if (!limits_read(q, ht_param(params, "max_s"))) {
        return "max_s is one to four numbers of seconds, above 0 and up to 3600, with commas";
    }
    if (direction != NULL && strcmp(direction, "from") != 0 && strcmp(direction, "to") != 0) {
        return "direction is from or to";
    }
    q->towards = direction != NULL && direction[0] == 't';
    if (!crs_read(crs, &q->crs) || !crs_read(out_crs == NULL ? crs : out_crs, &q->out_crs)) {
        return "crs is not a coordinate system";
    }
    return NULL;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void refuse(struct ht_reply *reply, int code, const char *why)
{
    ht_reply_problem(reply, code, ht_http_status_text(code), why);
    reply->retry_after_s = code == 503 ? 1 : 0;
}

/* The asked point in WGS84. False with the answer written. */
static bool point_read(struct ht_app_context *context, const struct question *q,
                       struct ht_point *point, struct ht_reply *reply)
{
    const double pair[2] = {q->lon, q->lat};
    if (context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        refuse(reply, 503, "out of memory");
        return false;
    }
    if (ht_crs_check(context->crs, &q->crs, NULL) != HT_OK ||
        ht_crs_check(context->crs, &q->out_crs, NULL) != HT_OK) {
        refuse(reply, 400, "crs is not a coordinate system that is known here");
        return false;
    }
    if (ht_crs_point(context->crs, &q->crs, pair, point) != HT_OK) {
        refuse(reply, 400, "lon and lat are not a point on Earth");
        return false;
    }
    return true;
}

/* Polygons of all limits, of one search. */
static enum ht_status search(struct ht_app_context *context, struct question *q,
                             const struct ht_road *road, const struct ht_isochrone_streets *streets)
{
    struct ht_isochrone_work *work = context->isochrone;
    struct ht_isochrone_ask ask = {
        .road = road, .streets = streets, .place = &q->place, .towards = q->towards};
    for (size_t i = 0; i < q->limit_count; i++) {
        ask.limit_ms = q->limits[i].ms > ask.limit_ms ? q->limits[i].ms : ask.limit_ms;
    }
    enum ht_status status = ht_isochrone_run(work->search, &ask);
    for (size_t i = 0; i < q->limit_count && status == HT_OK; i++) {
        struct limit *limit = &q->limits[i];
        const struct ht_isochrone_piece *pieces = NULL;
        size_t count = 0;
        status = ht_isochrone_pieces(work->search, limit->ms, &pieces, &count);
        if (status == HT_OK) {
            status = ht_outline_make(work->outline, road, pieces, count, &limit->shape);
        }
        if (status == HT_OK) {
            limit->area_m2 = ht_geometry_area_m2(&limit->shape);
        }
    }
    return status;
}

/* Areas to avoid; false with the answer written. */
static bool avoid_read(struct ht_app_context *context, struct question *q, struct ht_reply *reply)
{
    struct ht_error error = {0};
    enum ht_status status = ht_avoid_read(q->avoid, strlen(q->avoid), &q->crs, context->crs,
                                          context->app->zones, &q->areas, &error);
    if (status != HT_OK) {
        refuse(reply, status == HT_NOMEM ? 503 : 400, error.message);
    }
    return status == HT_OK;
}

/* The road to search on; the detour, where it is one, is held by the question. */
static enum ht_status road_find(struct question *q, struct ht_world *world,
                                const struct ht_road **road)
{
    if (q->areas == NULL) {
        return ht_world_road(world, q->profile, 0, road);
    }
    enum ht_status status = ht_avoid_road(q->areas, world, q->profile, 0, NULL, &q->detour);
    if (status == HT_OK) {
        *road = ht_detour_road(q->detour);
    }
    return status;
}

/* Snaps and searches in the present world. HT_NOT_FOUND: no such profile. */
static enum ht_status shapes_make(struct ht_app_context *context, struct question *q,
                                  struct ht_world *world, struct ht_point point)
{
    const struct ht_road *road = NULL;
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = snap_radius_m;
    enum ht_status status =
        context->isochrone == NULL ? ht_isochrone_work_new(&context->isochrone) : HT_OK;
    if (status == HT_OK) {
        status = road_find(q, world, &road);
    }
    if (status == HT_OK) {
        status = ht_snap_trip(road->snap, context->isochrone->snap, point, &options, two, &found);
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_isochrone_map *map = NULL;
    const struct ht_isochrone_streets *streets = NULL;
    q->place = two[found - 1]; /* as routes do: off islands where there is a larger part near */
    status = ht_isochrone_streets_get(context->app->isochrones, world, road, &map, &streets);
    if (status == HT_OK) {
        status = search(context, q, road, streets);
        ht_isochrone_map_release(map);
    }
    return status;
}

static enum ht_status count_one(void *user, const struct ht_store_item *item)
{
    struct question *q = user;
    uint32_t within[LIMITS_MOST];
    struct ht_geometry geometry;
    if (item->wkb_size == 0) {
        return HT_OK;
    }
    ht_geometry_init(&geometry);
    enum ht_status status = ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
    size_t count = status == HT_OK && geometry.type == HT_GEOMETRY_POINT
                       ? ht_cell_index_find_all(q->index, geometry.points[0], within, LIMITS_MOST)
                       : 0;
    ht_geometry_deinit(&geometry);
    for (size_t i = 0; i < count; i++) {
        q->limits[within[i]].households++;
        q->limits[within[i]].residents += ht_home_residents(item);
    }
    return status;
}

/* Households that lie inside, borders included. Without a store they stay uncounted. */
static enum ht_status count_all(struct ht_app_context *context, struct question *q,
                                struct ht_error *error)
{
    const struct ht_geometry *shapes[LIMITS_MOST];
    struct ht_box box = ht_box_empty();
    struct ht_store_query query =
        ht_store_query_default(ht_collection_find("households", strlen("households")));
    for (size_t i = 0; i < q->limit_count; i++) {
        shapes[i] = &q->limits[i].shape;
        box = ht_box_grow(ht_box_grow(box, shapes[i]->box.min), shapes[i]->box.max);
    }
    if (ht_cell_index_new(shapes, q->limit_count, &q->index) != HT_OK) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    query.box = &box;
    q->counted = true;
    return ht_store_items(context->reader, &query, count_one, q, NULL, error);
}

static enum ht_status feature_write(struct ht_app_context *context, const struct question *q,
                                    const struct limit *limit, struct ht_json *json)
{
    struct ht_text text = {0};
    enum ht_status status =
        ht_geometry_write_geojson(&limit->shape, &q->out_crs, context->crs, &text);
    ht_json_object(json);
    ht_json_key_text(json, "type", "Feature");
    ht_json_key(json, "properties");
    ht_json_object(json);
    ht_json_key_double(json, "max_s", limit->ms / 1000.0, 3);
    if (q->counted) {
        ht_json_key_int(json, "households", limit->households);
        ht_json_key_int(json, "residents", limit->residents);
    }
    ht_json_key_double(json, "area_m2", limit->area_m2, 0);
    ht_json_object_end(json);
    ht_json_key(json, "geometry");
    if (status == HT_OK) {
        ht_json_raw(json, ht_text_string(&text), text.size);
    }
    ht_json_object_end(json);
    ht_text_deinit(&text);
    return status;
}

static enum ht_status answer_write(struct ht_app_context *context, const struct question *q,
                                   struct ht_reply *reply)
{
    struct ht_json json;
    enum ht_status status = HT_OK;
    double snapped[1][2] = {{q->place.point.lon_e7 / 1e7, q->place.point.lat_e7 / 1e7}};
    reply->content_type = "application/geo+json";
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key_text(&json, "profile", q->profile);
    ht_json_key_text(&json, "direction", q->towards ? "to" : "from");
    if (!ht_crs_plain(&q->out_crs)) {
        status = ht_crs_from_wgs84(context->crs, &q->out_crs, snapped, 1);
    }
    ht_json_key(&json, "place");
    ht_json_array(&json);
    ht_json_double(&json, snapped[0][0], 7);
    ht_json_double(&json, snapped[0][1], 7);
    ht_json_array_end(&json);
    ht_json_key(&json, "features");
    ht_json_array(&json);
    for (size_t i = 0; i < q->limit_count && status == HT_OK; i++) {
        status = feature_write(context, q, &q->limits[i], &json);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    return status;
}

/* What went wrong with the streets, to a client. */
static void explain(struct ht_reply *reply, enum ht_status status)
{
    switch ((int)status) {
    case HT_NOT_FOUND:
        refuse(reply, 400, "there is no such profile");
        break;
    case HT_NO_SEGMENT:
        refuse(reply, 422, "no street of this profile within 1000 m of the point");
        break;
    case HT_TOO_BIG:
        refuse(reply, 422, "the area is too large to be drawn: ask for less time");
        break;
    case HT_RANGE:
        refuse(reply, 422, "the area does not fit into out_crs");
        break;
    default:
        refuse(reply, 503, ht_status_text(status));
        break;
    }
}

static void isochrone_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct question *q = data;
    struct ht_point point;
    struct ht_error error = {0};
    struct ht_world *world = ht_world_reader_get(&context->world);
    if (world == NULL) {
        refuse(reply, 503, "no network is open");
        return;
    }
    if (!point_read(context, q, &point, reply) ||
        (context->app->store != NULL && ht_app_reader(context, reply) == NULL)) {
        return;
    }
    if (q->avoid != NULL && !avoid_read(context, q, reply)) {
        return;
    }
    enum ht_status status = shapes_make(context, q, world, point);
    ht_detour_release(q->detour);
    q->detour = NULL;
    if (status == HT_OK && context->app->store != NULL && count_all(context, q, &error) != HT_OK) {
        ht_reply_status(reply, &error);
        return;
    }
    if (status == HT_OK) {
        status = answer_write(context, q, reply);
    }
    if (status != HT_OK) {
        explain(reply, status);
    }
}

void ht_isochrone_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_params params;
    (void)context;
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    if (ht_params_read(&params, request->target + skip, request->target_size - skip) != HT_OK) {
        refuse(call->reply, 400, "the query is not well encoded");
        return;
    }
    struct question *q = calloc(1, sizeof *q);
    if (q == NULL) {
        ht_params_deinit(&params);
        refuse(call->reply, 503, "out of memory");
        return;
    }
    const char *wrong = question_read(q, &params);
    const char *avoid = ht_param(&params, "avoid");
    q->avoid = avoid == NULL ? NULL : strdup(avoid);
    bool lost = avoid != NULL && q->avoid == NULL;
    ht_params_deinit(&params);
    if (lost) {
        question_free(q);
        refuse(call->reply, 503, "out of memory");
        return;
    }
    if (wrong != NULL) {
        question_free(q);
        refuse(call->reply, 400, wrong);
        return;
    }
    call->job = (struct ht_http_job){.run = isochrone_run, .free = question_free, .data = q};
}
