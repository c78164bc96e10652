/* The items of a collection nearest to a point. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/item_json.h"
#include "api/live_json.h"
#include "engine/base/array.h"

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
