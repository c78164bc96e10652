#include "geodata/outline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/late.h"
#include "geodata/outline_internal.h"

/* Lengths in units, of which a cell has 32 and a metre at least four. */
static const double unit_most_m = 0.25;
static const double margin = 25.2; /* around streets, as their samples see it: */
static const double sample = 20;   /* that far apart, so a street is covered for 23.1, */
static const double smooth = 11;   /* more than that and the 11.4 that corners are cut by */
static_assert(HT__RASTER_UNITS == 32, "the promise counts: (25.2 + 45.3 + 22.4) / 4 < 25");

struct ht_outline_work {
    const struct ht_late_geos *lib;
    GEOSContextHandle_t geos;
    struct ht__raster raster;
    uint64_t *reached; /* bit set of base arcs: something of their street was */
    size_t reached_words;
    size_t reached_capacity;
    GEOSGeometry **parts;
    size_t part_capacity;
    GEOSGeometry **holes;
    size_t hole_capacity;
};

enum ht_status ht_outline_work_new(struct ht_outline_work **out)
{
    struct ht_outline_work *work = calloc(1, sizeof *work);
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
    *out = work;
    return HT_OK;
}

void ht_outline_work_free(struct ht_outline_work *work)
{
    if (work != NULL) {
        work->lib->GEOS_finish_r(work->geos);
        ht__raster_deinit(&work->raster);
        free(work->reached);
        free((void *)work->parts);
        free((void *)work->holes);
        free(work);
    }
}

/* --- the plane -------------------------------------------------------------------------------- */

/* One call: where the raster lies, in 1e-7 degrees. */
struct plane {
    struct ht_outline_work *work;
    const struct ht_road *road;
    struct ht_box pieces; /* of what was reached */
    int64_t west_e7;
    int64_t south_e7;
    int64_t unit_lon_e7;
    int64_t unit_lat_e7;
    uint8_t mark; /* enum ht__cell that streets are drawn with */
};

static int64_t unit_e7(double degree_m)
{
    double unit = floor(unit_most_m / (degree_m * 1e-7));
    return (int64_t)fmin(fmax(unit, 1), 1e6);
}

/* A degree is longest nearest to the equator (of longitude), nearest to a pole (of latitude). */
static enum ht_status plane_init(struct plane *plane)
{
    const struct ht_box *box = &plane->pieces;
    int32_t south = abs(box->min.lat_e7);
    int32_t north = abs(box->max.lat_e7);
    int32_t low = south < north ? south : north;
    bool across = box->min.lat_e7 <= 0 && box->max.lat_e7 >= 0;
    plane->unit_lon_e7 = unit_e7(ht_scale_at(across ? 0 : low).lon_m);
    plane->unit_lat_e7 = unit_e7(ht_scale_at(south > north ? south : north).lat_m);
    int64_t cell_lon = plane->unit_lon_e7 * HT__RASTER_UNITS;
    int64_t cell_lat = plane->unit_lat_e7 * HT__RASTER_UNITS;
    const int64_t around = HT__RASTER_REACH / 3 + 2; /* cells */
    plane->west_e7 = box->min.lon_e7 - around * cell_lon;
    plane->south_e7 = box->min.lat_e7 - around * cell_lat;
    plane->west_e7 = plane->west_e7 < -HT_LON_MAX_E7 ? -HT_LON_MAX_E7 : plane->west_e7;
    plane->south_e7 = plane->south_e7 < -HT_LAT_MAX_E7 ? -HT_LAT_MAX_E7 : plane->south_e7;
    int64_t width = (box->max.lon_e7 - plane->west_e7) / cell_lon + 1 + around;
    int64_t height = (box->max.lat_e7 - plane->south_e7) / cell_lat + 1 + around;
    int64_t width_most = (HT_LON_MAX_E7 - plane->west_e7) / cell_lon; /* none leaves the Earth */
    int64_t height_most = (HT_LAT_MAX_E7 - plane->south_e7) / cell_lat;
    width = width < width_most ? width : width_most;
    height = height < height_most ? height : height_most;
    return ht__raster_init(&plane->work->raster, (uint64_t)(width > 0 ? width : 1),
                           (uint64_t)(height > 0 ? height : 1));
}

/* Marks the cells within the margin of a sample; a cell is wider than that. */
static void mark_around(const struct plane *plane, double x, double y)
{
    const struct ht__raster *raster = &plane->work->raster;
    int64_t column = (int64_t)floor(x / HT__RASTER_UNITS);
    int64_t line = (int64_t)floor(y / HT__RASTER_UNITS);
    double in_x = x - (double)column * HT__RASTER_UNITS;
    double in_y = y - (double)line * HT__RASTER_UNITS;
    const double off_x[3] = {in_x, 0, HT__RASTER_UNITS - in_x};
    const double off_y[3] = {in_y, 0, HT__RASTER_UNITS - in_y};
    for (int j = 0; j < 3; j++) {
        int64_t cy = line + j - 1;
        if (cy < 0 || cy >= raster->height) {
            continue;
        }
        for (int i = 0; i < 3; i++) {
            int64_t cx = column + i - 1;
            if (cx >= 0 && cx < raster->width &&
                off_x[i] * off_x[i] + off_y[j] * off_y[j] <= margin * margin) {
                raster->cells[(size_t)cy * raster->width + (size_t)cx] = plane->mark;
            }
        }
    }
}

static void mark_line(const struct plane *plane, const struct ht_point ends[2], double from,
                      double to)
{
    double x0 = (double)(ends[0].lon_e7 - plane->west_e7) / (double)plane->unit_lon_e7;
    double y0 = (double)(ends[0].lat_e7 - plane->south_e7) / (double)plane->unit_lat_e7;
    double dx = ((double)ends[1].lon_e7 - ends[0].lon_e7) / (double)plane->unit_lon_e7;
    double dy = ((double)ends[1].lat_e7 - ends[0].lat_e7) / (double)plane->unit_lat_e7;
    double steps = ceil(hypot(dx, dy) * (to - from) / sample);
    uint32_t count = steps < 1 ? 1 : (uint32_t)fmin(steps, 1e9);
    for (uint32_t i = 0; i <= count; i++) {
        double at = from + (to - from) * i / count;
        mark_around(plane, x0 + dx * at, y0 + dy * at);
    }
}

/* --- streets ---------------------------------------------------------------------------------- */

/* The part [from_mm, to_mm] of an arc's shape, which is measured segment by segment; with `box`
 * only that is grown. */
static void arc_part(struct plane *plane, const struct ht_isochrone_piece *piece,
                     struct ht_box *box)
{
    const struct ht_network *network = plane->road->network;
    const struct ht_arc *arc = &plane->road->graph->arcs[piece->arc];
    uint32_t count = ht_arc_point_count(arc);
    uint64_t begin = 0;
    struct ht_point ends[2] = {ht_arc_point(network, arc, 0)};
    for (uint32_t i = 1; i < count && begin <= piece->to_mm; i++) {
        ends[1] = ht_arc_point(network, arc, i);
        uint32_t length = ht_distance_mm(ends[0], ends[1]);
        if (begin + length >= piece->from_mm) {
            double from = length == 0 || piece->from_mm <= begin
                              ? 0
                              : (double)(piece->from_mm - begin) / length;
            double to = length == 0 || piece->to_mm >= begin + length
                            ? 1
                            : (double)(piece->to_mm - begin) / length;
            if (box == NULL) {
                mark_line(plane, ends, from, to);
            } else {
                *box = ht_box_grow(*box, ht_point_between(ends[0], ends[1], from));
                *box = ht_box_grow(*box, ht_point_between(ends[0], ends[1], to));
            }
        }
        begin += length;
        ends[0] = ends[1];
    }
}

static void reached_set(struct ht_outline_work *work, uint32_t arc)
{
    if (arc != HT_NONE) {
        work->reached[arc / 64] |= UINT64_C(1) << arc % 64;
    }
}

static bool reached(const struct ht_outline_work *work, uint32_t arc)
{
    return arc != HT_NONE && (work->reached[arc / 64] >> arc % 64 & 1) != 0;
}

static void visit_street(void *user, const struct ht_snap_segment *segment)
{
    const struct plane *plane = user;
    if (!reached(plane->work, segment->arc[0]) && !reached(plane->work, segment->arc[1])) {
        const struct ht_point ends[2] = {plane->road->network->node_point[segment->from_node],
                                         plane->road->network->node_point[segment->to_node]};
        mark_line(plane, ends, 0, 1);
    }
}

static int32_t within_earth(int64_t value, int32_t most)
{
    return (int32_t)(value > most ? most : value);
}

/* Streets of which nothing was reached, and the rest of those of which something was. */
static void mark_out(struct plane *plane, const struct ht_isochrone_piece *pieces, size_t count)
{
    const struct ht_raster_size {
        int64_t east_e7;
        int64_t north_e7;
    } size = {plane->west_e7 + plane->work->raster.width * plane->unit_lon_e7 * HT__RASTER_UNITS,
              plane->south_e7 + plane->work->raster.height * plane->unit_lat_e7 * HT__RASTER_UNITS};
    struct ht_box box = {
        {(int32_t)plane->west_e7, (int32_t)plane->south_e7},
        {within_earth(size.east_e7, HT_LON_MAX_E7), within_earth(size.north_e7, HT_LAT_MAX_E7)}};
    plane->mark = HT__CELL_OUT;
    ht_snap_window(plane->road->snap, box, visit_street, plane);
    for (size_t i = 0; i < count; i++) {
        const struct ht_isochrone_piece *piece = &pieces[i];
        bool first = i == 0 || pieces[i - 1].arc != piece->arc;
        bool last = i + 1 == count || pieces[i + 1].arc != piece->arc;
        uint32_t length = plane->road->graph->arcs[piece->arc].length_mm;
        uint32_t next = last ? length : pieces[i + 1].from_mm;
        if (first && piece->from_mm > 0) {
            arc_part(plane, &(struct ht_isochrone_piece){piece->arc, 0, piece->from_mm}, NULL);
        }
        if (piece->to_mm < next) {
            arc_part(plane, &(struct ht_isochrone_piece){piece->arc, piece->to_mm, next}, NULL);
        }
    }
}

static void mark_in(struct plane *plane, const struct ht_isochrone_piece *pieces, size_t count)
{
    plane->mark = HT__CELL_IN;
    for (size_t i = 0; i < count; i++) {
        arc_part(plane, &pieces[i], NULL);
    }
}

/* --- GEOS ------------------------------------------------------------------------------------- */

static GEOSGeometry *make_ring(const struct plane *plane, const struct ht__ring *ring)
{
    const struct ht_late_geos *lib = plane->work->lib;
    GEOSContextHandle_t geos = plane->work->geos;
    const struct ht__corner *corners = plane->work->raster.corners + ring->first;
    GEOSCoordSequence *sequence = lib->GEOSCoordSeq_create_r(geos, (unsigned)ring->count + 1, 2);
    for (size_t i = 0; sequence != NULL && i <= ring->count; i++) {
        const struct ht__corner *c = &corners[i == ring->count ? 0 : i];
        if (lib->GEOSCoordSeq_setXY_r(geos, sequence, (unsigned)i, c->x, c->y) == 0) {
            lib->GEOSCoordSeq_destroy_r(geos, sequence);
            sequence = NULL;
        }
    }
    return sequence == NULL ? NULL : lib->GEOSGeom_createLinearRing_r(geos, sequence);
}

static void destroy(const struct ht_outline_work *work, GEOSGeometry **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        work->lib->GEOSGeom_destroy_r(work->geos, list[i]);
    }
}

/* The polygon of a part, whose rings begin at *at; sets that to the next part's. */
static GEOSGeometry *make_part(const struct plane *plane, size_t *at)
{
    struct ht_outline_work *work = plane->work;
    const struct ht__raster *raster = &work->raster;
    size_t first = *at;
    size_t end = first + 1;
    while (end < raster->ring_count && raster->rings[end].part == raster->rings[first].part) {
        end++;
    }
    *at = end;
    void *holes = (void *)work->holes;
    enum ht_status status =
        ht_array_reserve(&holes, &work->hole_capacity, end - first, sizeof(GEOSGeometry *));
    work->holes = (GEOSGeometry **)holes;
    if (status != HT_OK) {
        return NULL;
    }
    GEOSGeometry *shell = make_ring(plane, &raster->rings[first]);
    for (size_t i = first + 1; shell != NULL && i < end; i++) {
        work->holes[i - first - 1] = make_ring(plane, &raster->rings[i]);
        if (work->holes[i - first - 1] == NULL) {
            destroy(work, work->holes, i - first - 1);
            work->lib->GEOSGeom_destroy_r(work->geos, shell);
            return NULL;
        }
    }
    return shell == NULL ? NULL
                         : work->lib->GEOSGeom_createPolygon_r(work->geos, shell, work->holes,
                                                               (unsigned)(end - first - 1));
}

static GEOSGeometry *make_all(const struct plane *plane)
{
    struct ht_outline_work *work = plane->work;
    size_t count = 0;
    for (size_t at = 0; at < work->raster.ring_count;) {
        void *parts = (void *)work->parts;
        enum ht_status status =
            ht_array_reserve(&parts, &work->part_capacity, count + 1, sizeof(GEOSGeometry *));
        work->parts = (GEOSGeometry **)parts;
        GEOSGeometry *part = status == HT_OK ? make_part(plane, &at) : NULL;
        if (part == NULL) {
            destroy(work, work->parts, count);
            return NULL;
        }
        work->parts[count++] = part;
    }
    return work->lib->GEOSGeom_createCollection_r(work->geos, GEOS_MULTIPOLYGON, work->parts,
                                                  (unsigned)count);
}

static enum ht_status take_ring(const struct plane *plane, const GEOSGeometry *ring,
                                struct ht_draft *draft)
{
    const struct ht_late_geos *lib = plane->work->lib;
    GEOSContextHandle_t geos = plane->work->geos;
    const GEOSCoordSequence *sequence = lib->GEOSGeom_getCoordSeq_r(geos, ring);
    unsigned count = 0;
    if (sequence == NULL || lib->GEOSCoordSeq_getSize_r(geos, sequence, &count) == 0) {
        return HT_NOMEM;
    }
    for (unsigned i = 0; i < count; i++) {
        double x = 0;
        double y = 0;
        if (lib->GEOSCoordSeq_getXY_r(geos, sequence, i, &x, &y) == 0) {
            return HT_NOMEM;
        }
        int64_t lon_e7 = plane->west_e7 + (int64_t)x * plane->unit_lon_e7;
        int64_t lat_e7 = plane->south_e7 + (int64_t)y * plane->unit_lat_e7;
        enum ht_status status = ht_draft_add(draft, (double)lon_e7 / 1e7, (double)lat_e7 / 1e7);
        if (status != HT_OK) {
            return status;
        }
    }
    return ht_draft_end_ring(draft);
}

static enum ht_status take_polygon(const struct plane *plane, const GEOSGeometry *polygon,
                                   struct ht_draft *draft)
{
    const struct ht_late_geos *lib = plane->work->lib;
    GEOSContextHandle_t geos = plane->work->geos;
    const GEOSGeometry *shell = lib->GEOSGetExteriorRing_r(geos, polygon);
    int holes = lib->GEOSGetNumInteriorRings_r(geos, polygon);
    enum ht_status status = shell == NULL || holes < 0 ? HT_NOMEM : take_ring(plane, shell, draft);
    for (int i = 0; i < holes && status == HT_OK; i++) {
        const GEOSGeometry *hole = lib->GEOSGetInteriorRingN_r(geos, polygon, i);
        status = hole == NULL ? HT_NOMEM : take_ring(plane, hole, draft);
    }
    return status == HT_OK ? ht_draft_end_polygon(draft) : status;
}

static enum ht_status take_all(const struct plane *plane, const GEOSGeometry *all,
                               struct ht_geometry *out)
{
    const struct ht_late_geos *lib = plane->work->lib;
    GEOSContextHandle_t geos = plane->work->geos;
    int count = lib->GEOSGetNumGeometries_r(geos, all);
    struct ht_draft draft = {0};
    enum ht_status status = count < 1 ? HT_INVALID : HT_OK;
    for (int i = 0; i < count && status == HT_OK; i++) {
        const GEOSGeometry *polygon = lib->GEOSGetGeometryN_r(geos, all, i);
        status = polygon == NULL ? HT_NOMEM : take_polygon(plane, polygon, &draft);
    }
    if (status == HT_OK) {
        status =
            ht_geometry_finish(out, count == 1 ? HT_GEOMETRY_POLYGON : HT_GEOMETRY_MULTIPOLYGON,
                               &draft, NULL, NULL, NULL);
    }
    ht_draft_deinit(&draft);
    return status;
}

/* Borders that were smoothed can't cross by what ht__raster_smooth says; if they should all the
 * same, they are taken as they were. */
static enum ht_status trace(struct plane *plane, double by, struct ht_geometry *out)
{
    struct ht_outline_work *work = plane->work;
    enum ht_status status = ht__raster_trace(&work->raster);
    if (status == HT_OK) {
        status = ht__raster_smooth(&work->raster, by);
    }
    if (status != HT_OK) {
        return status;
    }
    GEOSGeometry *all = make_all(plane);
    char valid = all == NULL ? 2 : work->lib->GEOSisValid_r(work->geos, all);
    status = valid == 1 ? take_all(plane, all, out) : valid == 0 ? HT_INVALID : HT_NOMEM;
    work->lib->GEOSGeom_destroy_r(work->geos, all);
    return status;
}

static enum ht_status draw(struct plane *plane, const struct ht_isochrone_piece *pieces,
                           size_t count, struct ht_geometry *out)
{
    mark_out(plane, pieces, count);
    mark_in(plane, pieces, count);
    ht__raster_fill(&plane->work->raster);
    enum ht_status status = trace(plane, smooth, out);
    return status == HT_INVALID ? trace(plane, 0, out) : status;
}

enum ht_status ht_outline_make(struct ht_outline_work *work, const struct ht_road *road,
                               const struct ht_isochrone_piece *pieces, size_t count,
                               struct ht_geometry *out)
{
    struct plane plane = {.work = work, .road = road, .pieces = ht_box_empty()};
    size_t words = road->graph->base_arc_count / 64 + 1;
    void *bits = work->reached;
    if (count == 0) {
        return HT_EMPTY;
    }
    enum ht_status status =
        ht_array_reserve(&bits, &work->reached_capacity, words, sizeof *work->reached);
    work->reached = bits;
    if (status != HT_OK) {
        return status;
    }
    memset(work->reached, 0, words * sizeof *work->reached);
    for (size_t i = 0; i < count; i++) {
        reached_set(work, pieces[i].arc);
        reached_set(work, road->graph->arcs[pieces[i].arc].reverse);
        arc_part(&plane, &pieces[i], &plane.pieces);
    }
    status = plane_init(&plane);
    if (status == HT_OK) {
        status = draw(&plane, pieces, count, out);
    }
    if (work->raster.cell_capacity > HT__RASTER_KEEP) {
        ht__raster_deinit(&work->raster);
    }
    return status;
}
