#include "engine/road/overview.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { ZOOM_MIN = 1, ZOOM_MAX = 18 };

#define RADIANS 0.017453292519943295
#define LATITUDE_MAX 85.051128779806592378

void ht_overview_deinit(struct ht_overview *overview)
{
    free(overview->plane);
    free(overview->stack);
    free(overview->kept);
    *overview = (struct ht_overview){0};
}

/* Mercator's y in degrees. */
static double mercator_deg(double lat)
{
    double f = sin(fmax(-LATITUDE_MAX, fmin(LATITUDE_MAX, lat)) * RADIANS);
    return 0.5 * log((1 + f) / (1 - f)) / RADIANS;
}

unsigned ht_overview_zoom(const struct ht_point *points, size_t count)
{
    struct ht_box box = ht_box_empty();
    for (size_t i = 0; i < count; i++) {
        box = ht_box_grow(box, points[i]);
    }
    double tiles = ldexp(1, ZOOM_MAX) / 360; /* tiles a degree at the greatest zoom */
    double width = (box.max.lon_e7 - (double)box.min.lon_e7) / 1e7 * tiles / 8;
    double height =
        (mercator_deg(box.max.lat_e7 / 1e7) - mercator_deg(box.min.lat_e7 / 1e7)) * tiles / 5;
    double zoom = ZOOM_MAX - log2(fmax(width, height));
    if (!isfinite(zoom) || zoom < ZOOM_MIN) {
        return ZOOM_MIN; /* a single point, too, as in OSRM */
    }
    return zoom > ZOOM_MAX ? ZOOM_MAX : (unsigned)zoom;
}

/* Latitudes of a route lie close together: Mercator's y by its Taylor series around the middle one,
 * up to the third order, is off by less than a microdegree within half a degree. Farther apart they
 * are computed one by one. */
static void project(double *plane, const struct ht_point *points, size_t count)
{
    int32_t low = INT32_MAX;
    int32_t high = INT32_MIN;
    for (size_t i = 0; i < count; i++) {
        low = points[i].lat_e7 < low ? points[i].lat_e7 : low;
        high = points[i].lat_e7 > high ? points[i].lat_e7 : high;
    }
    double middle = ((double)low + high) / 2e7;
    bool near = high - (int64_t)low < 10000000 && fabs(middle) < 70;
    double s = 1 / cos(middle * RADIANS);
    double t = tan(middle * RADIANS);
    double second = s * t / 2 * RADIANS;
    double third = s * (s * s + t * t) / 6 * RADIANS * RADIANS;
    double y0 = mercator_deg(middle);
    for (size_t i = 0; i < count; i++) {
        double lat = points[i].lat_e7 / 1e7;
        double d = lat - middle;
        double y = near ? y0 + d * (s + d * (second + d * third)) : mercator_deg(lat);
        plane[2 * i] = points[i].lon_e7 / 10.0;
        plane[2 * i + 1] = y * 1e6;
    }
}

/* Squared distance of point p from the piece a b. */
static double distance_squared(const double *plane, size_t a, size_t b, size_t p)
{
    double ax = plane[2 * a];
    double ay = plane[2 * a + 1];
    double dx = plane[2 * b] - ax;
    double dy = plane[2 * b + 1] - ay;
    double px = plane[2 * p] - ax;
    double py = plane[2 * p + 1] - ay;
    double length = dx * dx + dy * dy;
    double ratio = length > 0 ? (px * dx + py * dy) / length : 0;
    ratio = ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
    double ex = px - ratio * dx;
    double ey = py - ratio * dy;
    return ex * ex + ey * ey;
}

/* Five pixels at a zoom, in microdegrees, squared. */
static double threshold(unsigned zoom)
{
    double pixels = floor(5 * 180 / (ldexp(1, (int)zoom) * 128) * 1e6);
    return pixels * pixels;
}

static enum ht_status reserve(struct ht_overview *overview, size_t count)
{
    void *plane = overview->plane;
    void *stack = overview->stack;
    void *kept = overview->kept;
    enum ht_status status =
        ht_array_reserve(&plane, &overview->plane_capacity, 2 * count, sizeof *overview->plane);
    overview->plane = plane;
    if (status == HT_OK) {
        status =
            ht_array_reserve(&stack, &overview->stack_capacity, 2 * count, sizeof *overview->stack);
        overview->stack = stack;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&kept, &overview->kept_capacity, count, 1);
        overview->kept = kept;
    }
    return status;
}

static void mark(struct ht_overview *overview, size_t count, double least)
{
    uint32_t *stack = overview->stack;
    size_t depth = 0;
    stack[depth++] = 0;
    stack[depth++] = (uint32_t)(count - 1);
    while (depth > 0) {
        uint32_t end = stack[--depth];
        uint32_t begin = stack[--depth];
        double farthest = least;
        uint32_t at = end;
        for (uint32_t i = begin + 1; i < end; i++) {
            double d = distance_squared(overview->plane, begin, end, i);
            if (d > farthest) {
                farthest = d;
                at = i;
            }
        }
        if (at == end) {
            continue;
        }
        overview->kept[at] = 1;
        stack[depth++] = begin;
        stack[depth++] = at;
        stack[depth++] = at;
        stack[depth++] = end;
    }
}

enum ht_status ht_overview_simplify(struct ht_overview *overview, struct ht_point *points,
                                    size_t *count, unsigned zoom)
{
    size_t n = *count;
    if (n < 3) {
        return HT_OK;
    }
    enum ht_status status = reserve(overview, n);
    if (status != HT_OK) {
        return status;
    }
    project(overview->plane, points, n);
    memset(overview->kept, 0, n);
    overview->kept[0] = 1;
    overview->kept[n - 1] = 1;
    mark(overview, n, threshold(zoom));
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (overview->kept[i]) {
            points[to++] = points[i];
        }
    }
    *count = to;
    return HT_OK;
}
