#include "geodata/geometry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ht_geometry_init(struct ht_geometry *geometry)
{
    *geometry = (struct ht_geometry){.box = ht_box_empty()};
}

void ht_geometry_deinit(struct ht_geometry *geometry)
{
    free(geometry->points);
    free(geometry->ring_ends);
    free(geometry->polygon_ends);
    ht_geometry_init(geometry);
}

void ht_geometry_clear(struct ht_geometry *geometry)
{
    geometry->type = HT_GEOMETRY_NONE;
    geometry->box = ht_box_empty();
    geometry->point_count = 0;
    geometry->ring_count = 0;
    geometry->polygon_count = 0;
}

/* Room for a geometry of these counts. */
static enum ht_status reserve(struct ht_geometry *g, size_t points, size_t rings, size_t polygons)
{
    void *data = g->points;
    enum ht_status status = ht_array_reserve(&data, &g->point_capacity, points, sizeof *g->points);
    g->points = data;
    if (status == HT_OK && rings > 0) {
        data = g->ring_ends;
        status = ht_array_reserve(&data, &g->ring_capacity, rings, sizeof *g->ring_ends);
        g->ring_ends = data;
    }
    if (status == HT_OK && polygons > 0) {
        data = g->polygon_ends;
        status = ht_array_reserve(&data, &g->polygon_capacity, polygons, sizeof *g->polygon_ends);
        g->polygon_ends = data;
    }
    return status;
}

static void copy_ends(uint32_t *to, const uint32_t *from, size_t count)
{
    if (count > 0) {
        memcpy(to, from, count * sizeof *to);
    }
}

enum ht_status ht_geometry_copy(struct ht_geometry *to, const struct ht_geometry *from)
{
    ht_geometry_clear(to);
    enum ht_status status = reserve(to, from->point_count, from->ring_count, from->polygon_count);
    if (status != HT_OK) {
        return status;
    }
    to->type = from->type;
    to->box = from->box;
    to->point_count = from->point_count;
    to->ring_count = from->ring_count;
    to->polygon_count = from->polygon_count;
    if (from->point_count > 0) {
        memcpy(to->points, from->points, from->point_count * sizeof *to->points);
    }
    copy_ends(to->ring_ends, from->ring_ends, from->ring_count);
    copy_ends(to->polygon_ends, from->polygon_ends, from->polygon_count);
    return HT_OK;
}

static bool same_ends(const uint32_t *a, const uint32_t *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

bool ht_geometry_equal(const struct ht_geometry *a, const struct ht_geometry *b)
{
    return a->type == b->type && a->point_count == b->point_count &&
           a->ring_count == b->ring_count && a->polygon_count == b->polygon_count &&
           (a->point_count == 0 ||
            memcmp(a->points, b->points, a->point_count * sizeof *a->points) == 0) &&
           same_ends(a->ring_ends, b->ring_ends, a->ring_count) &&
           same_ends(a->polygon_ends, b->polygon_ends, a->polygon_count);
}

const char *ht_geometry_type_name(enum ht_geometry_type type)
{
    static const char *const names[] = {"null", "Point", "LineString", "Polygon", "MultiPolygon"};
    return names[type];
}

/* --- area ------------------------------------------------------------------------------------- */

/* Twice the area of the strip between the equator and a latitude, for each radian of longitude, in
 * units of the equatorial radius squared (Snyder 1987, 3-12). */
static double authalic(double lat_e7)
{
    static const double e = 0.0818191908426214943; /* WGS84 */
    double sine = sin(lat_e7 / 1e7 * (M_PI / 180));
    return (1 - e * e) * (sine / (1 - e * e * sine * sine) + atanh(e * sine) / e);
}

static double ring_area(const struct ht_point *points, size_t count)
{
    double first = authalic(points[0].lat_e7);
    double here = 0; /* differences to the first point keep the digits */
    double sum = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        /* Simpson's rule along the edge */
        double middle = authalic(((double)points[i].lat_e7 + points[i + 1].lat_e7) / 2) - first;
        double next = authalic(points[i + 1].lat_e7) - first;
        sum += (here + 4 * middle + next) / 6 * ((double)points[i + 1].lon_e7 - points[i].lon_e7);
        here = next;
    }
    return fabs(sum) / 2 * 1e-7 * (M_PI / 180) * 6378137.0 * 6378137.0;
}

double ht_geometry_area_m2(const struct ht_geometry *geometry)
{
    double sum = 0;
    size_t ring = 0;
    for (size_t p = 0; p < geometry->polygon_count; p++) {
        for (size_t first = ring; ring < geometry->polygon_ends[p]; ring++) {
            size_t begin = ring > 0 ? geometry->ring_ends[ring - 1] : 0;
            double area = ring_area(geometry->points + begin, geometry->ring_ends[ring] - begin);
            sum += ring == first ? area : -area;
        }
    }
    return sum;
}

/* --- drafts ----------------------------------------------------------------------------------- */

void ht_draft_deinit(struct ht_draft *draft)
{
    free(draft->pairs);
    free(draft->ring_ends);
    free(draft->polygon_ends);
    *draft = (struct ht_draft){0};
}

void ht_draft_clear(struct ht_draft *draft)
{
    draft->count = 0;
    draft->ring_count = 0;
    draft->polygon_count = 0;
}

enum ht_status ht_draft_add(struct ht_draft *draft, double x, double y)
{
    if (draft->count == draft->capacity) {
        if (draft->count >= HT_GEOMETRY_POINTS_MAX) {
            return HT_TOO_BIG;
        }
        void *data = draft->pairs;
        enum ht_status status =
            ht_array_reserve(&data, &draft->capacity, draft->count + 1, sizeof *draft->pairs);
        if (status != HT_OK) {
            return status;
        }
        draft->pairs = data;
    }
    draft->pairs[draft->count][0] = x;
    draft->pairs[draft->count][1] = y;
    draft->count++;
    return HT_OK;
}

static enum ht_status add_end(uint32_t **ends, size_t *count, size_t *capacity, size_t end)
{
    if (*count >= HT_GEOMETRY_RINGS_MAX) {
        return HT_TOO_BIG;
    }
    void *data = *ends;
    enum ht_status status = ht_array_reserve(&data, capacity, *count + 1, sizeof **ends);
    if (status == HT_OK) {
        *ends = data;
        (*ends)[(*count)++] = (uint32_t)end;
    }
    return status;
}

enum ht_status ht_draft_end_ring(struct ht_draft *draft)
{
    return add_end(&draft->ring_ends, &draft->ring_count, &draft->ring_capacity, draft->count);
}

enum ht_status ht_draft_end_polygon(struct ht_draft *draft)
{
    return add_end(&draft->polygon_ends, &draft->polygon_count, &draft->polygon_capacity,
                   draft->ring_count);
}

/* --- finish ----------------------------------------------------------------------------------- */

static enum ht_status convert(struct ht_draft *draft, const struct ht_crs *crs,
                              struct ht_crs_work *work, struct ht_error *error)
{
    if (crs != NULL && !ht_crs_plain(crs)) {
        enum ht_status status = ht_crs_to_wgs84(work, crs, draft->pairs, draft->count);
        if (status != HT_OK) {
            return ht_error_set(error, status, 0,
                                status == HT_RANGE ? "a point is not on Earth" : NULL);
        }
    }
    for (size_t i = 0; i < draft->count; i++) {
        const double *pair = draft->pairs[i];
        if (!(fabs(pair[0]) <= 180.0 && fabs(pair[1]) <= 90.0)) {
            return ht_error_set(error, HT_RANGE, 0, "the point %.10g %.10g is not on Earth",
                                pair[0], pair[1]);
        }
    }
    return HT_OK;
}

static void add_point(struct ht_geometry *g, const double pair[2])
{
    struct ht_point p = {(int32_t)floor(pair[0] * 1e7 + 0.5), (int32_t)floor(pair[1] * 1e7 + 0.5)};
    g->points[g->point_count++] = p;
    g->box = ht_box_grow(g->box, p);
}

static bool same_point(struct ht_point a, struct ht_point b)
{
    return a.lon_e7 == b.lon_e7 && a.lat_e7 == b.lat_e7;
}

static enum ht_status add_rings(struct ht_geometry *g, const struct ht_draft *draft,
                                struct ht_error *error)
{
    size_t from = 0;
    for (size_t r = 0; r < draft->ring_count; r++) {
        size_t first = g->point_count;
        for (; from < draft->ring_ends[r]; from++) {
            add_point(g, draft->pairs[from]);
        }
        if (g->point_count > first &&
            !same_point(g->points[first], g->points[g->point_count - 1])) {
            g->points[g->point_count] = g->points[first];
            g->point_count++;
        }
        if (g->point_count - first < 4) {
            return ht_error_set(error, HT_SYNTAX, 0,
                                "a ring needs at least four points, the first again as the last");
        }
        g->ring_ends[g->ring_count++] = (uint32_t)g->point_count;
    }
    size_t ring = 0;
    for (size_t p = 0; p < draft->polygon_count; p++) {
        if (draft->polygon_ends[p] == ring) {
            return ht_error_set(error, HT_SYNTAX, 0, "a polygon has no ring");
        }
        ring = draft->polygon_ends[p];
        g->polygon_ends[g->polygon_count++] = (uint32_t)ring;
    }
    return HT_OK;
}

static bool counts_fit(enum ht_geometry_type type, const struct ht_draft *draft)
{
    switch (type) {
    case HT_GEOMETRY_NONE:
        return draft->count == 0;
    case HT_GEOMETRY_POINT:
        return draft->count == 1;
    case HT_GEOMETRY_LINE:
        return draft->count >= 2;
    case HT_GEOMETRY_POLYGON:
        return draft->polygon_count == 1;
    case HT_GEOMETRY_MULTIPOLYGON:
        return draft->polygon_count >= 1;
    }
    return false;
}

enum ht_status ht_geometry_finish(struct ht_geometry *geometry, enum ht_geometry_type type,
                                  struct ht_draft *draft, const struct ht_crs *crs,
                                  struct ht_crs_work *work, struct ht_error *error)
{
    ht_geometry_clear(geometry);
    if (!counts_fit(type, draft)) {
        return ht_error_set(error, HT_SYNTAX, 0, "a %s can't have %zu points",
                            ht_geometry_type_name(type), draft->count);
    }
    enum ht_status status = convert(draft, crs, work, error);
    if (status != HT_OK) {
        return status;
    }
    status = reserve(geometry, draft->count + draft->ring_count, draft->ring_count,
                     draft->polygon_count);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    if (type == HT_GEOMETRY_POLYGON || type == HT_GEOMETRY_MULTIPOLYGON) {
        status = add_rings(geometry, draft, error);
    } else {
        for (size_t i = 0; i < draft->count; i++) {
            add_point(geometry, draft->pairs[i]);
        }
    }
    if (status != HT_OK) {
        ht_geometry_clear(geometry);
        return status;
    }
    geometry->type = type;
    return HT_OK;
}
