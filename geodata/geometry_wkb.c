/* WKB: order (0 big, 1 little), type (1000 more with Z, 2000 with M), counts, doubles. */
#include <math.h>
#include <string.h>

#include "geodata/geometry.h"

enum wkb_code { WKB_POINT = 1, WKB_LINE = 2, WKB_POLYGON = 3, WKB_MULTIPOLYGON = 6 };

/* --- reading ---------------------------------------------------------------------------------- */

struct wkb {
    const unsigned char *at;
    size_t left;
    bool little;
    uint32_t numbers; /* in each position */
    struct ht_draft draft;
    struct ht_error *error;
};

static enum ht_status fail(struct wkb *wkb, enum ht_status status)
{
    const char *what = status == HT_TRUNCATED     ? "WKB: ends too early"
                       : status == HT_SYNTAX      ? "WKB: malformed"
                       : status == HT_UNSUPPORTED ? "WKB: must be a point, line, polygon or "
                                                    "multipolygon"
                       : status == HT_TOO_BIG     ? "too many points"
                                                  : ht_status_text(status);
    return ht_error_set(wkb->error, status, 0, "%s", what);
}

static uint64_t read_bytes(struct wkb *wkb, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | wkb->at[wkb->little ? size - 1 - i : i];
    }
    wkb->at += size;
    wkb->left -= size;
    return value;
}

/* A count of things of which each takes at least `item` bytes. */
static enum ht_status read_count(struct wkb *wkb, size_t item, uint32_t *count)
{
    if (wkb->left < 4) {
        return HT_TRUNCATED;
    }
    *count = (uint32_t)read_bytes(wkb, 4);
    return *count > wkb->left / item ? HT_TRUNCATED : HT_OK;
}

static double read_double(struct wkb *wkb)
{
    uint64_t bits = read_bytes(wkb, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static enum ht_status read_head(struct wkb *wkb, uint32_t *code)
{
    if (wkb->left < 5) {
        return HT_TRUNCATED;
    }
    if (wkb->at[0] > 1) {
        return HT_SYNTAX;
    }
    wkb->little = wkb->at[0] == 1;
    wkb->at++;
    wkb->left--;
    uint32_t type = (uint32_t)read_bytes(wkb, 4);
    uint32_t axes = type / 1000;
    wkb->numbers = axes == 0 ? 2 : axes == 3 ? 4 : 3;
    *code = type % 1000;
    return axes > 3 ? HT_UNSUPPORTED : HT_OK;
}

static enum ht_status read_positions(struct wkb *wkb, uint32_t count)
{
    if (wkb->left / 8 / wkb->numbers < count) {
        return HT_TRUNCATED;
    }
    for (uint32_t i = 0; i < count; i++) {
        double x = read_double(wkb);
        double y = read_double(wkb);
        wkb->at += 8 * (wkb->numbers - 2);
        wkb->left -= 8 * (wkb->numbers - 2);
        enum ht_status status = ht_draft_add(&wkb->draft, x, y);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static enum ht_status read_polygon(struct wkb *wkb)
{
    uint32_t rings = 0;
    enum ht_status status = read_count(wkb, 4, &rings);
    for (uint32_t r = 0; status == HT_OK && r < rings; r++) {
        uint32_t count = 0;
        status = read_count(wkb, 16, &count);
        if (status == HT_OK) {
            status = read_positions(wkb, count);
        }
        if (status == HT_OK) {
            status = ht_draft_end_ring(&wkb->draft);
        }
    }
    return status == HT_OK ? ht_draft_end_polygon(&wkb->draft) : status;
}

static enum ht_status read_multipolygon(struct wkb *wkb)
{
    uint32_t polygons = 0;
    enum ht_status status = read_count(wkb, 9, &polygons);
    for (uint32_t p = 0; status == HT_OK && p < polygons; p++) {
        uint32_t code = 0;
        status = read_head(wkb, &code);
        if (status == HT_OK) {
            status = code == WKB_POLYGON ? read_polygon(wkb) : HT_SYNTAX;
        }
    }
    return status;
}

/* ISO has no empty point: two NaN stand for it. */
static enum ht_status read_point(struct wkb *wkb, enum ht_geometry_type *type)
{
    enum ht_status status = read_positions(wkb, 1);
    *type = HT_GEOMETRY_POINT;
    if (status == HT_OK && isnan(wkb->draft.pairs[0][0]) && isnan(wkb->draft.pairs[0][1])) {
        *type = HT_GEOMETRY_NONE;
        ht_draft_clear(&wkb->draft);
    }
    return status;
}

static enum ht_status read_wkb(struct wkb *wkb, enum ht_geometry_type *type)
{
    uint32_t code = 0;
    uint32_t count = 0;
    enum ht_status status = read_head(wkb, &code);
    if (status != HT_OK) {
        return status;
    }
    switch (code) {
    case WKB_POINT:
        status = read_point(wkb, type);
        break;
    case WKB_LINE:
        *type = HT_GEOMETRY_LINE;
        status = read_count(wkb, 16, &count);
        status = status == HT_OK ? read_positions(wkb, count) : status;
        break;
    case WKB_POLYGON:
        *type = HT_GEOMETRY_POLYGON;
        status = read_polygon(wkb);
        break;
    case WKB_MULTIPOLYGON:
        *type = HT_GEOMETRY_MULTIPOLYGON;
        status = read_multipolygon(wkb);
        break;
    default:
        return HT_UNSUPPORTED;
    }
    return status == HT_OK && wkb->left > 0 ? HT_SYNTAX : status;
}

enum ht_status ht_geometry_read_wkb(struct ht_geometry *geometry, const void *bytes, size_t size,
                                    struct ht_error *error)
{
    struct wkb wkb = {.at = bytes, .left = size, .error = error};
    enum ht_geometry_type type = HT_GEOMETRY_NONE;
    ht_geometry_clear(geometry);
    enum ht_status status = read_wkb(&wkb, &type);
    if (status != HT_OK) {
        status = fail(&wkb, status);
    } else {
        status = ht_geometry_finish(geometry, type, &wkb.draft, NULL, NULL, error);
    }
    ht_draft_deinit(&wkb.draft);
    return status;
}

/* --- writing ---------------------------------------------------------------------------------- */

static char *put_u32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        *at++ = (char)(value >> 8 * i & 0xff);
    }
    return at;
}

static char *put_double(char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    at = put_u32(at, (uint32_t)bits);
    return put_u32(at, (uint32_t)(bits >> 32));
}

static char *put_head(char *at, uint32_t code)
{
    *at++ = 1;
    return put_u32(at, code);
}

static char *put_points(char *at, const struct ht_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at = put_double(at, points[i].lon_e7 / 1e7);
        at = put_double(at, points[i].lat_e7 / 1e7);
    }
    return at;
}

static char *put_polygon(char *at, const struct ht_geometry *g, size_t polygon)
{
    size_t ring = polygon > 0 ? g->polygon_ends[polygon - 1] : 0;
    at = put_head(at, WKB_POLYGON);
    at = put_u32(at, (uint32_t)(g->polygon_ends[polygon] - ring));
    for (; ring < g->polygon_ends[polygon]; ring++) {
        size_t first = ring > 0 ? g->ring_ends[ring - 1] : 0;
        size_t count = g->ring_ends[ring] - first;
        at = put_u32(at, (uint32_t)count);
        at = put_points(at, g->points + first, count);
    }
    return at;
}

void ht_geometry_write_wkb(const struct ht_geometry *geometry, struct ht_text *out)
{
    size_t size = 9 + 16 * (geometry->point_count + 1) + 4 * geometry->ring_count +
                  9 * geometry->polygon_count;
    char *begin = ht_text_reserve(out, size);
    char *at = begin;
    if (begin == NULL) {
        return;
    }
    switch (geometry->type) {
    case HT_GEOMETRY_NONE:
        at = put_head(at, WKB_POINT);
        at = put_double(at, NAN);
        at = put_double(at, NAN);
        break;
    case HT_GEOMETRY_POINT:
        at = put_head(at, WKB_POINT);
        at = put_points(at, geometry->points, 1);
        break;
    case HT_GEOMETRY_LINE:
        at = put_head(at, WKB_LINE);
        at = put_u32(at, (uint32_t)geometry->point_count);
        at = put_points(at, geometry->points, geometry->point_count);
        break;
    case HT_GEOMETRY_POLYGON:
        at = put_polygon(at, geometry, 0);
        break;
    case HT_GEOMETRY_MULTIPOLYGON:
        at = put_head(at, WKB_MULTIPOLYGON);
        at = put_u32(at, (uint32_t)geometry->polygon_count);
        for (size_t p = 0; p < geometry->polygon_count; p++) {
            at = put_polygon(at, geometry, p);
        }
        break;
    }
    ht_text_grow(out, (size_t)(at - begin));
}
