#include "geodata/shape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/late.h"

struct ht_shape_work {
    const struct ht_late_geos *lib;
    GEOSContextHandle_t geos;
    char message[200]; /* GEOS' last complaint */
};

static void on_message(const char *message, void *user)
{
    struct ht_shape_work *work = user;
    (void)snprintf(work->message, sizeof work->message, "%s", message);
}

enum ht_status ht_shape_work_new(struct ht_shape_work **out)
{
    struct ht_shape_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return HT_NOMEM;
    }
    work->lib = ht_late_geos();
    work->geos = work->lib == NULL ? NULL : work->lib->GEOS_init_r();
    if (work->geos == NULL) {
        enum ht_status status = work->lib == NULL ? HT_UNSUPPORTED : HT_NOMEM;
        free(work);
        return status;
    }
    (void)work->lib->GEOSContext_setErrorMessageHandler_r(work->geos, on_message, work);
    *out = work;
    return HT_OK;
}

void ht_shape_work_free(struct ht_shape_work *work)
{
    if (work != NULL) {
        work->lib->GEOS_finish_r(work->geos);
        free(work);
    }
}

/* GEOS threw something. */
static enum ht_status thrown(struct ht_shape_work *work, struct ht_error *error)
{
    if (work->message[0] == '\0' || strstr(work->message, "bad_alloc") != NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return ht_error_set(error, HT_INVALID, 0, "%s", work->message);
}

/* --- to GEOS ---------------------------------------------------------------------------------- */

static GEOSGeometry *make_ring(struct ht_shape_work *work, const struct ht_point *points,
                               size_t count)
{
    GEOSCoordSequence *sequence = work->lib->GEOSCoordSeq_create_r(work->geos, (unsigned)count, 2);
    for (size_t i = 0; sequence != NULL && i < count; i++) {
        if (work->lib->GEOSCoordSeq_setXY_r(work->geos, sequence, (unsigned)i, points[i].lon_e7,
                                            points[i].lat_e7) == 0) {
            work->lib->GEOSCoordSeq_destroy_r(work->geos, sequence);
            sequence = NULL;
        }
    }
    return sequence == NULL ? NULL : work->lib->GEOSGeom_createLinearRing_r(work->geos, sequence);
}

static void destroy(struct ht_shape_work *work, GEOSGeometry **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        work->lib->GEOSGeom_destroy_r(work->geos, list[i]);
    }
}

static GEOSGeometry *make_polygon(struct ht_shape_work *work, const struct ht_geometry *g,
                                  size_t polygon)
{
    size_t first = polygon > 0 ? g->polygon_ends[polygon - 1] : 0;
    size_t count = g->polygon_ends[polygon] - first;
    GEOSGeometry **rings = malloc(count * sizeof(GEOSGeometry *));
    GEOSGeometry *made = NULL;
    for (size_t r = 0; rings != NULL && r < count; r++) {
        size_t begin = first + r > 0 ? g->ring_ends[first + r - 1] : 0;
        rings[r] = make_ring(work, g->points + begin, g->ring_ends[first + r] - begin);
        if (rings[r] == NULL) {
            destroy(work, rings, r);
            free((void *)rings);
            return NULL;
        }
    }
    if (rings != NULL) {
        made = work->lib->GEOSGeom_createPolygon_r(work->geos, rings[0], rings + 1,
                                                   (unsigned)(count - 1));
        free((void *)rings); /* the rings themselves are the polygon's now, or gone */
    }
    return made;
}

static GEOSGeometry *to_geos(struct ht_shape_work *work, const struct ht_geometry *g)
{
    work->message[0] = '\0';
    if (g->type == HT_GEOMETRY_POLYGON) {
        return make_polygon(work, g, 0);
    }
    GEOSGeometry **parts = malloc(g->polygon_count * sizeof(GEOSGeometry *));
    GEOSGeometry *made = NULL;
    for (size_t p = 0; parts != NULL && p < g->polygon_count; p++) {
        parts[p] = make_polygon(work, g, p);
        if (parts[p] == NULL) {
            destroy(work, parts, p);
            free((void *)parts);
            return NULL;
        }
    }
    if (parts != NULL) {
        made = work->lib->GEOSGeom_createCollection_r(work->geos, GEOS_MULTIPOLYGON, parts,
                                                      (unsigned)g->polygon_count);
        free((void *)parts);
    }
    return made;
}

/* --- from GEOS -------------------------------------------------------------------------------- */

static enum ht_status take_ring(struct ht_shape_work *work, const GEOSGeometry *ring,
                                struct ht_draft *draft)
{
    const GEOSCoordSequence *sequence = work->lib->GEOSGeom_getCoordSeq_r(work->geos, ring);
    unsigned count = 0;
    if (sequence == NULL || work->lib->GEOSCoordSeq_getSize_r(work->geos, sequence, &count) == 0) {
        return HT_NOMEM;
    }
    for (unsigned i = 0; i < count; i++) {
        double x = 0;
        double y = 0;
        if (work->lib->GEOSCoordSeq_getXY_r(work->geos, sequence, i, &x, &y) == 0) {
            return HT_NOMEM;
        }
        enum ht_status status = ht_draft_add(draft, x / 1e7, y / 1e7);
        if (status != HT_OK) {
            return status;
        }
    }
    return ht_draft_end_ring(draft);
}

static enum ht_status take_polygon(struct ht_shape_work *work, const GEOSGeometry *polygon,
                                   struct ht_draft *draft)
{
    int holes = work->lib->GEOSGetNumInteriorRings_r(work->geos, polygon);
    enum ht_status status =
        take_ring(work, work->lib->GEOSGetExteriorRing_r(work->geos, polygon), draft);
    for (int i = 0; status == HT_OK && i < holes; i++) {
        status = take_ring(work, work->lib->GEOSGetInteriorRingN_r(work->geos, polygon, i), draft);
    }
    return status == HT_OK ? ht_draft_end_polygon(draft) : status;
}

/* The polygons of whatever it is. */
static enum ht_status take_polygons(struct ht_shape_work *work, const GEOSGeometry *geos,
                                    struct ht_draft *draft)
{
    int count = work->lib->GEOSGetNumGeometries_r(work->geos, geos);
    enum ht_status status = HT_OK;
    for (int i = 0; status == HT_OK && i < count; i++) {
        const GEOSGeometry *part = work->lib->GEOSGetGeometryN_r(work->geos, geos, i);
        if (work->lib->GEOSGeomTypeId_r(work->geos, part) == GEOS_POLYGON &&
            work->lib->GEOSisEmpty_r(work->geos, part) == 0) {
            status = take_polygon(work, part, draft);
        }
    }
    return status;
}

/* --- the doors -------------------------------------------------------------------------------- */

static const char *reason_in_words(const char *reason)
{
    static const char *const words[][2] = {
        {"Self-intersection", "self-crossing"},
        {"Ring Self-intersection", "a ring touches or crosses itself"},
        {"Hole lies outside shell", "a hole lies outside its polygon"},
        {"Holes are nested", "a hole lies within another"},
        {"Interior is disconnected", "holes cut the polygon into pieces"},
        {"Nested shells", "a polygon lies within another"},
        {"Duplicate Rings", "a ring is there twice"},
        {"Too few points in geometry component", "a ring has too few different points"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(reason, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return reason;
}

static bool has_area(const struct ht_geometry *geometry)
{
    return geometry->type == HT_GEOMETRY_POLYGON || geometry->type == HT_GEOMETRY_MULTIPOLYGON;
}

static struct ht_point place_of(struct ht_shape_work *work, const GEOSGeometry *at)
{
    double x = 0;
    double y = 0;
    if (at == NULL || work->lib->GEOSGeomGetX_r(work->geos, at, &x) != 1 ||
        work->lib->GEOSGeomGetY_r(work->geos, at, &y) != 1) {
        return (struct ht_point){0, 0};
    }
    return (struct ht_point){(int32_t)floor(x + 0.5), (int32_t)floor(y + 0.5)};
}

enum ht_status ht_shape_check(struct ht_shape_work *work, const struct ht_geometry *geometry,
                              struct ht_point *place, struct ht_error *error)
{
    if (!has_area(geometry)) {
        return HT_OK;
    }
    GEOSGeometry *geos = to_geos(work, geometry);
    if (geos == NULL) {
        return thrown(work, error);
    }
    char *reason = NULL;
    GEOSGeometry *at = NULL;
    enum ht_status status = HT_OK;
    char valid = work->lib->GEOSisValidDetail_r(work->geos, geos, 0, &reason, &at);
    if (valid == 0) {
        struct ht_text text = {0};
        struct ht_point p = place_of(work, at);
        ht_text_add_string(&text, reason_in_words(reason == NULL ? "invalid" : reason));
        ht_text_add_string(&text, " at ");
        ht_text_add_fixed(&text, p.lon_e7, 7);
        ht_text_add_char(&text, ' ');
        ht_text_add_fixed(&text, p.lat_e7, 7);
        status = text.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                             : ht_error_set(error, HT_INVALID, 0, "%s", text.data);
        if (place != NULL) {
            *place = p;
        }
        ht_text_deinit(&text);
    } else if (valid != 1) {
        status = thrown(work, error);
    }
    work->lib->GEOSFree_r(work->geos, reason);
    work->lib->GEOSGeom_destroy_r(work->geos, at);
    work->lib->GEOSGeom_destroy_r(work->geos, geos);
    return status;
}

/* Valid, and on the grid; NULL when GEOS threw. Takes `geos`. */
static GEOSGeometry *make_valid(struct ht_shape_work *work, GEOSGeometry *geos)
{
    GEOSMakeValidParams *params = work->lib->GEOSMakeValidParams_create_r(work->geos);
    GEOSGeometry *valid = NULL;
    if (params != NULL && work->lib->GEOSMakeValidParams_setMethod_r(
                              work->geos, params, GEOS_MAKE_VALID_STRUCTURE) == 1) {
        valid = work->lib->GEOSMakeValidWithParams_r(work->geos, geos, params);
    }
    work->lib->GEOSMakeValidParams_destroy_r(work->geos, params);
    work->lib->GEOSGeom_destroy_r(work->geos, geos);
    if (valid == NULL) {
        return NULL;
    }
    GEOSGeometry *snapped = work->lib->GEOSGeom_setPrecision_r(work->geos, valid, 1.0, 0);
    work->lib->GEOSGeom_destroy_r(work->geos, valid);
    return snapped;
}

enum ht_status ht_shape_repair(struct ht_shape_work *work, const struct ht_geometry *geometry,
                               struct ht_geometry *out, struct ht_error *error)
{
    enum ht_status status = ht_shape_check(work, geometry, NULL, error);
    if (status != HT_INVALID) {
        status = status == HT_OK ? ht_geometry_copy(out, geometry) : status;
        return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    ht_geometry_clear(out);
    GEOSGeometry *geos = to_geos(work, geometry);
    GEOSGeometry *valid = geos == NULL ? NULL : make_valid(work, geos);
    if (valid == NULL) {
        return thrown(work, error);
    }
    struct ht_draft draft = {0};
    status = take_polygons(work, valid, &draft);
    work->lib->GEOSGeom_destroy_r(work->geos, valid);
    if (status != HT_OK) {
        status = ht_error_set(error, status, 0, NULL);
    } else if (draft.polygon_count == 0) {
        status = ht_error_set(error, HT_INVALID, 0, "nothing of the polygon has an area");
    } else {
        status = ht_geometry_finish(
            out, draft.polygon_count == 1 ? HT_GEOMETRY_POLYGON : HT_GEOMETRY_MULTIPOLYGON, &draft,
            NULL, NULL, error);
    }
    ht_draft_deinit(&draft);
    return status;
}

/* --- two of them ------------------------------------------------------------------------------ */

/* Points and lines as well. */
static GEOSGeometry *any_to_geos(struct ht_shape_work *work, const struct ht_geometry *g)
{
    if (g->type != HT_GEOMETRY_POINT && g->type != HT_GEOMETRY_LINE) {
        return to_geos(work, g);
    }
    GEOSCoordSequence *sequence =
        work->lib->GEOSCoordSeq_create_r(work->geos, (unsigned)g->point_count, 2);
    for (size_t i = 0; sequence != NULL && i < g->point_count; i++) {
        if (work->lib->GEOSCoordSeq_setXY_r(work->geos, sequence, (unsigned)i, g->points[i].lon_e7,
                                            g->points[i].lat_e7) == 0) {
            work->lib->GEOSCoordSeq_destroy_r(work->geos, sequence);
            sequence = NULL;
        }
    }
    return sequence == NULL ? NULL
           : g->type == HT_GEOMETRY_POINT
               ? work->lib->GEOSGeom_createPoint_r(work->geos, sequence)
               : work->lib->GEOSGeom_createLineString_r(work->geos, sequence);
}

enum ht_status ht_shape_meets(struct ht_shape_work *work, const struct ht_geometry *a,
                              const struct ht_geometry *b, bool *meets)
{
    *meets = false;
    if (a->type == HT_GEOMETRY_NONE || b->type == HT_GEOMETRY_NONE) {
        return HT_OK;
    }
    work->message[0] = '\0';
    GEOSGeometry *left = any_to_geos(work, a);
    GEOSGeometry *right = left == NULL ? NULL : any_to_geos(work, b);
    char answer = right == NULL ? 2 : work->lib->GEOSIntersects_r(work->geos, left, right);
    work->lib->GEOSGeom_destroy_r(work->geos, left);
    work->lib->GEOSGeom_destroy_r(work->geos, right);
    *meets = answer == 1;
    return answer == 2 ? thrown(work, NULL) : HT_OK;
}
