/* What is near, among the items of the store or the units as they move. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/near_internal.h"
#include "engine/base/array.h"

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

static int by_distance(const void *left, const void *right)
{
    const struct ht__near_found *a = left;
    const struct ht__near_found *b = right;
    return a->distance_m < b->distance_m   ? -1
           : a->distance_m > b->distance_m ? 1
                                           : strcmp(a->id, b->id);
}

static void sort_and_cut(struct ht__near *near)
{
    if (near->count > 0) {
        qsort(near->list, near->count, sizeof *near->list, by_distance);
    }
    near->count = near->count < near->ask.live.k ? near->count : near->ask.live.k;
}

/* However much is found, some times the wanted number is kept. */
static enum ht_status add(struct ht__near *near, const struct ht__near_found *found)
{
    enum { ROOM = 1024 };
    if (near->count >= (size_t)near->ask.live.k * 2 + ROOM) {
        sort_and_cut(near);
    }
    void *list = near->list;
    enum ht_status status =
        ht_array_reserve(&list, &near->capacity, near->count + 1, sizeof *near->list);
    near->list = list;
    if (status == HT_OK) {
        near->list[near->count++] = *found;
    }
    return status;
}

/* ---- items ---- */

static enum ht_status look(void *user, const struct ht_store_item *item)
{
    struct ht__near *near = user;
    struct ht__near_found found = {.distance_m = -1, .unit = HT_NONE};
    bool meets = true;
    if (item->wkb_size == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_geometry_read_wkb(&near->geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK && near->area != NULL) {
        status = ht_area_meets(near->area, &near->geometry, &meets);
    }
    if (status == HT_OK && meets && near->ask.pointed) {
        found.distance_m = distance_to(&near->geometry, near->ask.live.point);
        meets = found.distance_m <= near->reach_m;
    }
    if (status != HT_OK || !meets) {
        return status;
    }
    memcpy(found.id, item->id, strlen(item->id) + 1);
    return add(near, &found);
}

/* The square around a circle; of the whole Earth where it is that large. */
static struct ht_box square(struct ht_point center, double reach_m)
{
    struct ht_scale scale = ht_scale_at(center.lat_e7);
    double east = fmin(reach_m / scale.lon_m * 1.01 * 1e7, 3.6e9);
    double north = fmin(reach_m / scale.lat_m * 1.01 * 1e7, 1.8e9);
    return (struct ht_box){{(int32_t)fmax(center.lon_e7 - east - 1, -HT_LON_MAX_E7),
                            (int32_t)fmax(center.lat_e7 - north - 1, -HT_LAT_MAX_E7)},
                           {(int32_t)fmin(center.lon_e7 + east + 1, HT_LON_MAX_E7),
                            (int32_t)fmin(center.lat_e7 + north + 1, HT_LAT_MAX_E7)}};
}

/* Ever larger squares, until enough lie within the circle in them; in an area all at once. */
enum ht_status ht__near_items(struct ht_store_reader *reader, struct ht__near *near,
                              struct ht_error *error)
{
    const struct ht_live_ask *ask = &near->ask.live;
    const double most = ask->radius_m < 0 ? 2.1e7 : ask->radius_m;
    struct ht_store_query query = ht_store_query_default(near->collection);
    struct ht_box box;
    query.box = &box;
    query.filters = near->filters;
    query.filter_count = near->filter_count;
    if (near->area != NULL) {
        near->reach_m = most;
        if (!ht_area_box(near->area, &box)) {
            return HT_OK;
        }
        enum ht_status status = ht_store_items(reader, &query, look, near, NULL, error);
        sort_and_cut(near);
        return status;
    }
    enum ht_status status = HT_OK;
    for (double reach = 300; status == HT_OK; reach *= 4) {
        near->reach_m = fmin(reach, most);
        near->count = 0;
        box = square(ask->point, near->reach_m);
        status = ht_store_items(reader, &query, look, near, NULL, error);
        if (near->count >= ask->k || near->reach_m >= most) {
            break;
        }
    }
    sort_and_cut(near);
    return status;
}

/* ---- units ---- */

static enum ht_status choose(void *user, const struct ht_store_item *item)
{
    struct ht__near *near = user;
    uint32_t unit = ht_fleet_find(near->fleet, item->id, strlen(item->id));
    if (unit < near->chosen_end) {
        near->chosen[unit] = 1;
    }
    return HT_OK;
}

/* The units that have the properties asked for. */
static enum ht_status choose_all(struct ht_store_reader *reader, struct ht__near *near,
                                 struct ht_error *error)
{
    struct ht_store_query query = ht_store_query_default(near->collection);
    query.filters = near->filters;
    query.filter_count = near->filter_count;
    near->chosen_end = ht_fleet_end(near->fleet);
    near->chosen = ht_array_new_zeroed(near->chosen_end + (size_t)1, 1);
    return near->chosen == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                : ht_store_items(reader, &query, choose, near, NULL, error);
}

/* Those of the hits that lie in the area, within the radius and are chosen. */
static enum ht_status take(struct ht__near *near, const struct ht_moving_hit *hits, uint32_t count)
{
    const struct ht_live_ask *ask = &near->ask.live;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        struct ht__near_found found = {
            .unit = hits[i].id, .point = hits[i].point, .distance_m = -1};
        struct ht_unit unit;
        bool chosen = near->chosen == NULL ||
                      (found.unit < near->chosen_end && near->chosen[found.unit] != 0);
        if (chosen && near->ask.pointed) {
            found.distance_m = ht_distance_m(ask->point, found.point);
            chosen = ask->radius_m < 0 || found.distance_m <= ask->radius_m;
        }
        if (chosen && (near->area == NULL || ht_area_holds(near->area, found.point)) &&
            ht_fleet_get(near->fleet, found.unit, near->at_ms, &unit)) {
            memcpy(found.id, unit.id, sizeof found.id);
            status = add(near, &found);
        }
    }
    return status;
}

enum ht_status ht__near_units(struct ht_live *live, struct ht_live_work *work,
                              struct ht_store_reader *reader, struct ht__near *near,
                              struct ht_error *error)
{
    const struct ht_moving_hit *hits = NULL;
    uint32_t count = 0;
    struct ht_box box = {{-HT_LON_MAX_E7, -HT_LAT_MAX_E7}, {HT_LON_MAX_E7, HT_LAT_MAX_E7}};
    near->fleet = ht_live_fleet(live);
    enum ht_status status = near->filter_count > 0 ? choose_all(reader, near, error) : HT_OK;
    if (status != HT_OK || near->ask.nobody ||
        (near->area != NULL && !ht_area_box(near->area, &box))) {
        return status;
    }
    /* the nearest where nothing but the fleet is asked, else all that the box holds */
    status = near->area == NULL && near->chosen == NULL
                 ? ht_live_near(live, work, &near->ask.live, &hits, &count)
                 : ht_live_in_box(live, work, box, &near->ask.live, &hits, &count);
    if (status == HT_OK) {
        status = take(near, hits, count);
    }
    sort_and_cut(near);
    return status == HT_OK ? status : ht_error_set(error, status, 0, NULL);
}
