#include "geodata/mvt_shape.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/array.h"

#define CUT_LOW (-HT_MVT_BUFFER)
#define CUT_HIGH (HT_MVT_EXTENT + HT_MVT_BUFFER)

void ht_mvt_shape_init(struct ht_mvt_shape *shape)
{
    *shape = (struct ht_mvt_shape){0};
}

void ht_mvt_shape_deinit(struct ht_mvt_shape *shape)
{
    free(shape->points);
    free(shape->other);
    free(shape->keep);
    free(shape->spans);
    ht_mvt_shape_init(shape);
}

/* False, and the tile failed: there is no memory for so many. */
static bool points_reserve(struct ht_mvt *tile, struct ht_mvt_point **points, size_t *capacity,
                           size_t count)
{
    void *data = *points;
    if (tile->failed || ht_array_reserve(&data, capacity, count, sizeof **points) != HT_OK) {
        tile->failed = true;
        return false;
    }
    *points = data;
    return true;
}

struct ht_mvt_point *ht_mvt_shape_room(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                                       size_t count)
{
    return points_reserve(tile, &shape->points, &shape->capacity, count) ? shape->points : NULL;
}

/* --- simplifying ------------------------------------------------------------------------------ */

/* The square of the distance from p to the piece a b. */
static double apart(struct ht_mvt_point p, struct ht_mvt_point a, struct ht_mvt_point b)
{
    double dx = (double)b.x - a.x;
    double dy = (double)b.y - a.y;
    double px = (double)p.x - a.x;
    double py = (double)p.y - a.y;
    double whole = dx * dx + dy * dy;
    double part = whole > 0 ? fmin(1, fmax(0, (px * dx + py * dy) / whole)) : 0;
    px -= part * dx;
    py -= part * dy;
    return px * px + py * py;
}

static bool simplify_reserve(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count)
{
    void *keep = shape->keep;
    void *spans = shape->spans;
    enum ht_status status = ht_array_reserve(&keep, &shape->keep_capacity, count, 1);
    shape->keep = keep;
    if (status == HT_OK) { /* each span that waits has a kept end of its own */
        status = ht_array_reserve(&spans, &shape->span_capacity, 2 * count, sizeof *shape->spans);
        shape->spans = spans;
    }
    tile->failed = tile->failed || status != HT_OK;
    return status == HT_OK;
}

/* Leaves out what lies within the tolerance; gives back how many are left. */
static size_t simplify(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count,
                       double tolerance)
{
    if (count < 3 || tolerance <= 0 || !simplify_reserve(shape, tile, count)) {
        return count;
    }
    const struct ht_mvt_point *points = shape->points;
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        shape->keep[i] = i == 0 || i == count - 1;
    }
    shape->spans[depth++] = 0;
    shape->spans[depth++] = count - 1;
    while (depth > 0) {
        size_t last = shape->spans[--depth];
        size_t first = shape->spans[--depth];
        size_t at = first;
        double farthest = tolerance * tolerance;
        for (size_t i = first + 1; i < last; i++) {
            double square = apart(points[i], points[first], points[last]);
            if (square > farthest) {
                farthest = square;
                at = i;
            }
        }
        if (at != first) {
            shape->keep[at] = 1;
            shape->spans[depth++] = first;
            shape->spans[depth++] = at;
            shape->spans[depth++] = at;
            shape->spans[depth++] = last;
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (shape->keep[i] != 0) {
            shape->points[left++] = shape->points[i];
        }
    }
    return left;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool same(struct ht_mvt_point a, struct ht_mvt_point b)
{
    return a.x == b.x && a.y == b.y;
}

void ht_mvt_shape_line(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count,
                       double tolerance)
{
    count = simplify(shape, tile, count, tolerance);
    if (count < 2 || !points_reserve(tile, &shape->other, &shape->other_capacity, count + 1)) {
        return;
    }
    struct ht_mvt_point *run = shape->other;
    size_t size = 0;
    for (size_t i = 1; i < count; i++) {
        struct ht_mvt_point piece[2] = {shape->points[i - 1], shape->points[i]};
        if (same(piece[0], piece[1])) {
            continue; /* it ends no run */
        }
        bool seen = ht_mvt_clip(piece);
        if (size > 0 && (!seen || !same(run[size - 1], piece[0]))) {
            ht_mvt_path(tile, run, size);
            size = 0;
        }
        if (seen) {
            run[size] = piece[0];
            size += size == 0 ? 1 : 0;
            run[size++] = piece[1];
        }
    }
    if (size > 0) {
        ht_mvt_path(tile, run, size);
    }
}

/* --- rings ------------------------------------------------------------------------------------ */

/* One of the four borders. */
struct border {
    bool vertical; /* x is bounded, else y */
    bool high;
};

static int32_t bounded(struct ht_mvt_point p, struct border border)
{
    return border.vertical ? p.x : p.y;
}

static bool within(struct ht_mvt_point p, struct border border)
{
    return border.high ? bounded(p, border) <= CUT_HIGH : bounded(p, border) >= CUT_LOW;
}

/* Where a b, whose ends lie on both sides, crosses it. */
static struct ht_mvt_point crossing(struct ht_mvt_point a, struct ht_mvt_point b,
                                    struct border border)
{
    int32_t at = border.high ? CUT_HIGH : CUT_LOW;
    double part =
        ((double)at - bounded(a, border)) / ((double)bounded(b, border) - bounded(a, border));
    if (border.vertical) {
        return (struct ht_mvt_point){at, a.y + (int32_t)lround(part * ((double)b.y - a.y))};
    }
    return (struct ht_mvt_point){a.x + (int32_t)lround(part * ((double)b.x - a.x)), at};
}

/* What of a ring lies on the inner side; at most twice as many points. */
static size_t ring_cut(const struct ht_mvt_point *from, size_t count, struct ht_mvt_point *to,
                       struct border border)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        struct ht_mvt_point a = from[i == 0 ? count - 1 : i - 1];
        struct ht_mvt_point b = from[i];
        bool begins = within(a, border);
        bool ends = within(b, border);
        if (begins != ends) {
            to[size++] = crossing(a, b, border);
        }
        if (ends) {
            to[size++] = b;
        }
    }
    return size;
}

static bool on_tile(const struct ht_mvt_point *points, size_t count)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        all = all && points[i].x >= CUT_LOW && points[i].x <= CUT_HIGH && points[i].y >= CUT_LOW &&
              points[i].y <= CUT_HIGH;
    }
    return all;
}

void ht_mvt_shape_ring(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count,
                       double tolerance, bool hole)
{
    static const struct border borders[] = {
        {true, false}, {true, true}, {false, false}, {false, true}};
    count = simplify(shape, tile, count, tolerance);
    while (count > 1 && same(shape->points[0], shape->points[count - 1])) {
        count--;
    }
    if (!on_tile(shape->points, count)) {
        for (size_t i = 0; i < sizeof borders / sizeof *borders && count > 0; i++) {
            if (!points_reserve(tile, &shape->other, &shape->other_capacity, 2 * count)) {
                return;
            }
            count = ring_cut(shape->points, count, shape->other, borders[i]);
            struct ht_mvt_point *points = shape->points;
            size_t capacity = shape->capacity;
            shape->points = shape->other;
            shape->capacity = shape->other_capacity;
            shape->other = points;
            shape->other_capacity = capacity;
        }
    }
    if (count >= 3) {
        ht_mvt_ring(tile, shape->points, count, hole);
    }
}

/* --- geometries ------------------------------------------------------------------------------- */

enum ht_mvt_geometry ht_mvt_shape_kind(const struct ht_geometry *geometry)
{
    switch (geometry->type) {
    case HT_GEOMETRY_POINT:
        return HT_MVT_POINT;
    case HT_GEOMETRY_LINE:
        return HT_MVT_LINE;
    case HT_GEOMETRY_POLYGON:
    case HT_GEOMETRY_MULTIPOLYGON:
        return HT_MVT_POLYGON;
    case HT_GEOMETRY_NONE:
    default:
        return 0;
    }
}

/* The points [begin, end) as room; false: the tile failed. */
static bool points_place(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                         const struct ht_mvt_frame *frame, const struct ht_point *from,
                         size_t count)
{
    struct ht_mvt_point *to = ht_mvt_shape_room(shape, tile, count);
    for (size_t i = 0; to != NULL && i < count; i++) {
        to[i] = ht_mvt_place(frame, from[i]);
    }
    return to != NULL;
}

static void polygons_write(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                           const struct ht_mvt_frame *frame, const struct ht_geometry *geometry,
                           double tolerance)
{
    size_t ring = 0;
    size_t point = 0;
    for (size_t polygon = 0; polygon < geometry->polygon_count; polygon++) {
        for (size_t first = ring; ring < geometry->polygon_ends[polygon]; ring++) {
            size_t end = geometry->ring_ends[ring];
            if (points_place(shape, tile, frame, geometry->points + point, end - point)) {
                ht_mvt_shape_ring(shape, tile, end - point, tolerance, ring > first);
            }
            point = end;
        }
    }
}

void ht_mvt_shape_geometry(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                           const struct ht_mvt_frame *frame, const struct ht_geometry *geometry,
                           double tolerance)
{
    switch (ht_mvt_shape_kind(geometry)) {
    case HT_MVT_POINT:
        if (points_place(shape, tile, frame, geometry->points, 1) &&
            ht_mvt_inside(shape->points[0])) {
            ht_mvt_points(tile, shape->points, 1);
        }
        break;
    case HT_MVT_LINE:
        if (points_place(shape, tile, frame, geometry->points, geometry->point_count)) {
            ht_mvt_shape_line(shape, tile, geometry->point_count, tolerance);
        }
        break;
    case HT_MVT_POLYGON:
        polygons_write(shape, tile, frame, geometry, tolerance);
        break;
    default:
        break;
    }
}
