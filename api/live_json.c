#include "api/live_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/item_json.h"
#include "api/routes_live.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

const char *const ht_unit_kinds[] = {"van", "responder", "inspector", "volunteer", NULL};
const char *const ht_unit_statuses[] = {"off", "idle", "busy", NULL};

static void point_write(struct ht_json *json, struct ht_point point)
{
    ht_json_array(json);
    ht_json_fixed(json, point.lon_e7, 7);
    ht_json_fixed(json, point.lat_e7, 7);
    ht_json_array_end(json);
}

void ht_live_json_members(struct ht_json *json, const struct ht_unit *unit)
{
    char text[HT_TIME_TEXT_SIZE];
    if (unit->positioned) {
        ht_time_format(unit->position.ts_ms, text);
        ht_json_key_text(json, "last_seen", text);
        if (unit->position.fix.speed_mps >= 0) {
            ht_json_key_double(json, "speed_mps", unit->position.fix.speed_mps, 2);
        }
        if (unit->position.fix.bearing_deg >= 0) {
            ht_json_key_double(json, "bearing_deg", unit->position.fix.bearing_deg, 1);
        }
    }
    if (unit->skew_known) {
        ht_json_key_int(json, "clock_skew_ms", unit->skew_ms);
    }
    ht_json_key_bool(json, "stale", unit->stale);
}

void ht_live_json_unit(struct ht_json *json, struct ht_fleet *fleet, const struct ht_unit *unit,
                       struct ht_point point, double distance_m)
{
    const char *profile = ht_fleet_profile_name(fleet, unit->profile);
    ht_json_object(json);
    ht_json_key_text(json, "type", "Feature");
    ht_json_key_text(json, "id", unit->id);
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "Point");
    ht_json_key(json, "coordinates");
    point_write(json, point);
    ht_json_object_end(json);
    ht_json_key(json, "properties");
    ht_json_object(json);
    if (distance_m >= 0) {
        ht_json_key_double(json, "distance_m", distance_m, 3);
    }
    ht_json_key_text(json, "kind", ht_unit_kinds[unit->kind]);
    ht_json_key_text(json, "status", ht_unit_statuses[unit->status]);
    if (profile != NULL) {
        ht_json_key_text(json, "profile", profile);
    }
    ht_json_key(json, "skills");
    ht_json_array(json);
    for (uint32_t bit = 0; bit < HT_SKILLS_MAX; bit++) {
        const char *skill = unit->skills >> bit & 1 ? ht_fleet_skill_name(fleet, bit) : NULL;
        if (skill != NULL) {
            ht_json_text(json, skill);
        }
    }
    ht_json_array_end(json);
    ht_live_json_members(json, unit);
    ht_json_object_end(json);
    ht_json_object_end(json);
}

void ht_live_json_line(struct ht_json *json, const struct ht_point *points, size_t count)
{
    ht_json_key(json, "geometry");
    ht_json_object(json);
    ht_json_key_text(json, "type", "LineString");
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        point_write(json, points[i]);
    }
    ht_json_array_end(json);
    ht_json_object_end(json);
}

/* ---- the items nearest to a point ---- */

struct near {
    const struct ht_collection *collection;
    struct ht_params params;
    struct ht_store_filter filters[HT_PARAMS_MOST];
    size_t filter_count;
    struct ht_point point;
    uint32_t k;
    double radius_m;
    struct found {
        char id[HT_ID_MAX + 1];
        double distance_m;
    } * list;
    size_t count;
    size_t capacity;
    struct ht_geometry geometry;
    double reach_m; /* of the present round */
};

static void near_free(void *data)
{
    struct near *near = data;
    ht_params_deinit(&near->params);
    ht_geometry_deinit(&near->geometry);
    free(near->list);
    free(near);
}

/* From a point to the segment between two others, in the plane of local scales. */
static double to_segment(struct ht_point p, struct ht_point a, struct ht_point b)
{
    struct ht_scale scale = ht_scale_at(p.lat_e7);
    double ax = (a.lon_e7 - p.lon_e7) * 1e-7 * scale.lon_m;
    double ay = (a.lat_e7 - p.lat_e7) * 1e-7 * scale.lat_m;
    double bx = (b.lon_e7 - p.lon_e7) * 1e-7 * scale.lon_m;
    double by = (b.lat_e7 - p.lat_e7) * 1e-7 * scale.lat_m;
    double dx = bx - ax;
    double dy = by - ay;
    double length = dx * dx + dy * dy;
    double t = length > 0 ? fmin(fmax(-(ax * dx + ay * dy) / length, 0), 1) : 0;
    return hypot(ax + t * dx, ay + t * dy);
}

/* To a point as routes measure it; to a polygon: 0 within, else to its nearest side. */
static double distance_to(const struct ht_geometry *geometry, struct ht_point p)
{
    double least = INFINITY;
    bool inside = false;
    if (geometry->type == HT_GEOMETRY_POINT) {
        return ht_distance_m(p, geometry->points[0]);
    }
    size_t first = 0;
    for (size_t r = 0; r < geometry->ring_count || (r == 0 && geometry->ring_count == 0); r++) {
        size_t end = geometry->ring_count == 0 ? geometry->point_count : geometry->ring_ends[r];
        for (size_t i = first; i + 1 < end; i++) {
            struct ht_point a = geometry->points[i];
            struct ht_point b = geometry->points[i + 1];
            least = fmin(least, to_segment(p, a, b));
            bool crosses = (a.lat_e7 > p.lat_e7) != (b.lat_e7 > p.lat_e7);
            inside ^= geometry->ring_count > 0 && crosses &&
                      p.lon_e7 < a.lon_e7 + (double)(b.lon_e7 - a.lon_e7) *
                                                ((double)p.lat_e7 - a.lat_e7) /
                                                ((double)b.lat_e7 - a.lat_e7);
        }
        first = end;
    }
    return inside ? 0 : least;
}

static enum ht_status near_look(void *user, const struct ht_store_item *item)
{
    struct near *near = user;
    if (item->wkb_size == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_geometry_read_wkb(&near->geometry, item->wkb, item->wkb_size, NULL);
    double distance = status == HT_OK ? distance_to(&near->geometry, near->point) : 0;
    if (status != HT_OK || distance > near->reach_m) {
        return status;
    }
    void *list = near->list;
    status = ht_array_reserve(&list, &near->capacity, near->count + 1, sizeof *near->list);
    near->list = list;
    if (status == HT_OK) {
        memcpy(near->list[near->count].id, item->id, strlen(item->id) + 1);
        near->list[near->count++].distance_m = distance;
    }
    return status;
}

static int by_distance(const void *left, const void *right)
{
    const struct found *a = left;
    const struct found *b = right;
    return a->distance_m < b->distance_m   ? -1
           : a->distance_m > b->distance_m ? 1
                                           : strcmp(a->id, b->id);
}

/* Ever larger squares, until enough lie within the circle in them. */
static enum ht_status near_search(struct ht_store_reader *reader, struct near *near,
                                  struct ht_error *error)
{
    const double most = near->radius_m < 0 ? 2.1e7 : near->radius_m;
    struct ht_scale scale = ht_scale_at(near->point.lat_e7);
    struct ht_store_query query = ht_store_query_default(near->collection);
    struct ht_box box;
    enum ht_status status = HT_OK;
    query.box = &box;
    query.filters = near->filters;
    query.filter_count = near->filter_count;
    for (double reach = 300; status == HT_OK; reach *= 4) {
        near->reach_m = fmin(reach, most);
        near->count = 0;
        double east = fmin(near->reach_m / scale.lon_m * 1.01 * 1e7, 3.6e9);
        double north = fmin(near->reach_m / scale.lat_m * 1.01 * 1e7, 1.8e9);
        box.min.lon_e7 = (int32_t)fmax(near->point.lon_e7 - east - 1, -HT_LON_MAX_E7);
        box.min.lat_e7 = (int32_t)fmax(near->point.lat_e7 - north - 1, -HT_LAT_MAX_E7);
        box.max.lon_e7 = (int32_t)fmin(near->point.lon_e7 + east + 1, HT_LON_MAX_E7);
        box.max.lat_e7 = (int32_t)fmin(near->point.lat_e7 + north + 1, HT_LAT_MAX_E7);
        status = ht_store_items(reader, &query, near_look, near, NULL, error);
        if (near->count >= near->k || near->reach_m >= most) {
            break;
        }
    }
    if (status == HT_OK && near->count > 0) {
        qsort(near->list, near->count, sizeof *near->list, by_distance);
    }
    near->count = near->count < near->k ? near->count : near->k;
    return status;
}

static enum ht_status near_write(void *user, const struct ht_store_item *item)
{
    return ht_item_write(user, item);
}

static void near_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct near *near = data;
    struct ht_error error = {0};
    struct ht_json json;
    struct ht_item_writer writer;
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    enum ht_status status = near_search(context->reader, near, &error);
    reply->content_type = "application/geo+json";
    ht_json_begin(&json, &reply->body);
    ht_item_writer_init(&writer, &json, NULL, NULL);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key(&json, "features");
    ht_json_array(&json);
    for (size_t i = 0; status == HT_OK && i < near->count; i++) {
        writer.distance_m = near->list[i].distance_m;
        status = ht_store_item(context->reader, near->collection, near->list[i].id, false,
                               near_write, &writer, &error);
        status = status == HT_NOT_FOUND ? HT_OK : status; /* taken out meanwhile */
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    ht_item_writer_deinit(&writer);
    if (status != HT_OK) {
        ht_reply_status(reply, &error);
    }
}

static bool is_own(const char *name)
{
    static const char *const own[] = {"collection", "lon", "lat", "k", "radius_m", "access_token"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL, or the name of a property that may not be asked by. */
static const char *filters_read(struct near *near, const struct ht_caller *caller)
{
    for (size_t i = 0; i < near->params.count; i++) {
        const struct ht_param *param = &near->params.list[i];
        const struct ht_property *property =
            ht_collection_property(near->collection, param->name, strlen(param->name));
        bool personal = property != NULL && property->personal;
        if (is_own(param->name)) {
            continue;
        }
        if (personal && caller->role < HT_ROLE_DISPATCHER) {
            return param->name;
        }
        near->filters[near->filter_count++] =
            (struct ht_store_filter){param->name, param->value, personal};
    }
    return NULL;
}

void ht_near_items(struct ht_app_context *context, struct ht_http_call *call,
                   const struct ht_collection *collection, struct ht_params *params,
                   struct ht_point point, uint32_t k, double radius_m)
{
    struct near *near = calloc(1, sizeof *near);
    if (near == NULL) {
        ht_params_deinit(params);
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    near->collection = collection;
    near->params = *params;
    near->point = point;
    near->k = k;
    near->radius_m = radius_m;
    ht_geometry_init(&near->geometry);
    if (filters_read(near, context->caller) != NULL) {
        near_free(near);
        ht_reply_problem(call->reply, 403, "Forbidden", "a personal property can't be asked by");
        return;
    }
    call->job = (struct ht_http_job){.run = near_run, .free = near_free, .data = near};
}

/* ---- a unit's track ---- */

struct track {
    char id[HT_ID_MAX + 1];
    int64_t from_ms;
    int64_t until_ms;
    struct ht_json *json;
    struct ht_buffer times;
    struct ht_json times_json;
    size_t count;
};

enum { TRACK_MOST = 100000 };

static enum ht_status track_point(void *user, const struct ht_store_position *position)
{
    struct track *track = user;
    char text[HT_TIME_TEXT_SIZE];
    point_write(track->json, position->point);
    ht_time_format(position->ts_ms, text);
    ht_json_text(&track->times_json, text);
    track->count++;
    return HT_OK;
}

static void track_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct track *track = data;
    struct ht_error error = {0};
    struct ht_json json;
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    ht_json_begin(&json, &reply->body);
    ht_json_begin(&track->times_json, &track->times);
    track->json = &json;
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "Feature");
    ht_json_key_text(&json, "id", track->id);
    ht_json_key(&json, "geometry");
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "LineString");
    ht_json_key(&json, "coordinates");
    ht_json_array(&json);
    ht_json_array(&track->times_json);
    enum ht_status status = ht_store_track(context->reader, track->id, track->from_ms,
                                           track->until_ms, TRACK_MOST, track_point, track, &error);
    ht_json_array_end(&track->times_json);
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    ht_json_key(&json, "properties");
    ht_json_object(&json);
    ht_json_key(&json, "times");
    ht_json_raw(&json, track->times.data, track->times.size);
    ht_json_object_end(&json);
    ht_json_object_end(&json);
    reply->content_type = "application/geo+json";
    ht_buffer_deinit(&track->times);
    if (status != HT_OK) {
        ht_reply_status(reply, &error);
    }
}

static bool time_param(const struct ht_params *params, const char *name, int64_t other,
                       int64_t *out)
{
    const char *text = ht_param(params, name);
    *out = other;
    return text == NULL || ht_time_parse(text, strlen(text), out);
}

void ht_track_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_params params;
    struct track *track = calloc(1, sizeof *track);
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    const char *id = request->target + call->params[0].at;
    (void)context;
    if (track == NULL ||
        ht_params_read(&params, request->target + skip, request->target_size - skip) != HT_OK) {
        free(track);
        ht_reply_problem(call->reply, 400, "Bad Request", "the query is not well encoded");
        return;
    }
    bool sound = time_param(&params, "from", INT64_MIN, &track->from_ms) &&
                 time_param(&params, "to", INT64_MAX, &track->until_ms);
    ht_params_deinit(&params);
    if (!sound || !ht_id_valid(id, call->params[0].size)) {
        free(track);
        ht_reply_problem(call->reply, sound ? 404 : 400, sound ? "Not Found" : "Bad Request",
                         sound ? "no unit has such an id" : "from and to are times");
        return;
    }
    memcpy(track->id, id, call->params[0].size);
    call->job = (struct ht_http_job){.run = track_run, .free = free, .data = track};
}
