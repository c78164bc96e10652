/* Geometry: the shape of a thing of the town, in WGS84, and the three notations it comes and goes
 * in.
 *
 *   WKT      OGC 06-103r4: POINT, LINESTRING, POLYGON, MULTIPOLYGON, EMPTY; Z and M are dropped
 *   WKB      ISO 13249-3, doubles in degrees; written little-endian, read in both orders
 *   GeoJSON  RFC 7946, written only (geodata/feature.h reads it)
 *
 * Readers put numbers into a draft, ht_geometry_finish converts and checks it. What it accepts is
 * well-formed, not yet valid: whether rings cross is geodata/shape.h's question. Rings are kept in
 * the direction in which they came.
 *
 * Threading: plain values. Ownership: a zeroed struct is empty; _deinit frees, _clear keeps the
 * memory for the next one.
 */
#ifndef HT_GEODATA_GEOMETRY_H
#define HT_GEODATA_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "engine/base/text.h"
#include "geodata/crs.h"

enum ht_geometry_type {
    HT_GEOMETRY_NONE, /* "POINT EMPTY", null: nowhere */
    HT_GEOMETRY_POINT,
    HT_GEOMETRY_LINE,
    HT_GEOMETRY_POLYGON,
    HT_GEOMETRY_MULTIPOLYGON,
};

/* Of one geometry. */
enum {
    HT_GEOMETRY_POINTS_MAX = 1 << 20,
    HT_GEOMETRY_RINGS_MAX = 100000,
};

struct ht_geometry {
    enum ht_geometry_type type;
    struct ht_box box; /* of all points; empty for HT_GEOMETRY_NONE */
    struct ht_point *points;
    size_t point_count;
    uint32_t *ring_ends; /* polygons: for each ring the index behind its last point, which is its
                            first again */
    size_t ring_count;
    uint32_t *polygon_ends; /* polygons: for each the index behind its last ring; its first ring is
                               the outer one */
    size_t polygon_count;
    size_t point_capacity;
    size_t ring_capacity;
    size_t polygon_capacity;
};

void ht_geometry_init(struct ht_geometry *geometry);
void ht_geometry_deinit(struct ht_geometry *geometry);
void ht_geometry_clear(struct ht_geometry *geometry);
HT_MUST_CHECK enum ht_status ht_geometry_copy(struct ht_geometry *to,
                                              const struct ht_geometry *from);
bool ht_geometry_equal(const struct ht_geometry *a, const struct ht_geometry *b);

/* "Point", "LineString", "Polygon", "MultiPolygon"; "null" for none. */
const char *ht_geometry_type_name(enum ht_geometry_type type);

/* The area on the WGS84 ellipsoid of what polygons cover, holes taken out; 0 for the others. Edges
 * are straight in degrees, as maps draw them. Within 1e-6 for what is a town's. */
double ht_geometry_area_m2(const struct ht_geometry *geometry);

/* --- drafts ----------------------------------------------------------------------------------- */

/* Numbers as they were read, in whatever system. Rings and polygons are ended by the reader: each
 * ring of a polygon, each polygon of both polygon types. */
struct ht_draft {
    double (*pairs)[2];
    size_t count;
    size_t capacity;
    uint32_t *ring_ends;
    size_t ring_count;
    size_t ring_capacity;
    uint32_t *polygon_ends;
    size_t polygon_count;
    size_t polygon_capacity;
};

void ht_draft_deinit(struct ht_draft *draft);
void ht_draft_clear(struct ht_draft *draft);

/* HT_TOO_BIG past the limits, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_draft_add(struct ht_draft *draft, double x, double y);
HT_MUST_CHECK enum ht_status ht_draft_end_ring(struct ht_draft *draft);
HT_MUST_CHECK enum ht_status ht_draft_end_polygon(struct ht_draft *draft);

/* Makes the geometry that the draft describes (the draft's pairs are then undefined). `crs` NULL:
 * plain WGS84, `work` is then not used. An open ring is closed. Errors: HT_RANGE a point that is
 * not on Earth, HT_SYNTAX too few points (a ring needs four, its closing one included), HT_NOMEM,
 * those of ht_crs_to_wgs84. */
HT_MUST_CHECK enum ht_status ht_geometry_finish(struct ht_geometry *geometry,
                                                enum ht_geometry_type type, struct ht_draft *draft,
                                                const struct ht_crs *crs, struct ht_crs_work *work,
                                                struct ht_error *error);

/* --- notations -------------------------------------------------------------------------------- */

/* Reads a whole WKT; `crs` and `work` as above. Besides ht_geometry_finish's errors: HT_SYNTAX,
 * HT_UNSUPPORTED a type that is not ours. On error the geometry is cleared. */
HT_MUST_CHECK enum ht_status ht_geometry_read_wkt(struct ht_geometry *geometry, const char *text,
                                                  size_t size, const struct ht_crs *crs,
                                                  struct ht_crs_work *work, struct ht_error *error);

/* The same as far as the numbers, for who finishes the draft later; the draft is cleared first. */
HT_MUST_CHECK enum ht_status ht_draft_read_wkt(struct ht_draft *draft, const char *text,
                                               size_t size, enum ht_geometry_type *type,
                                               struct ht_error *error);

/* Reads a whole WKB in WGS84. Errors as above; HT_TRUNCATED. */
HT_MUST_CHECK enum ht_status ht_geometry_read_wkb(struct ht_geometry *geometry, const void *bytes,
                                                  size_t size, struct ht_error *error);

/* Appends the WKB in WGS84; nowhere is a point of two NaN, as ISO writes an empty point. */
void ht_geometry_write_wkb(const struct ht_geometry *geometry, struct ht_text *out);

/* Append the geometry in `crs` (NULL: WGS84); degrees with up to 7 decimals, metres with 3. Errors
 * of ht_crs_from_wgs84, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_geometry_write_geojson(const struct ht_geometry *geometry,
                                                       const struct ht_crs *crs,
                                                       struct ht_crs_work *work,
                                                       struct ht_text *out);
HT_MUST_CHECK enum ht_status ht_geometry_write_wkt(const struct ht_geometry *geometry,
                                                   const struct ht_crs *crs,
                                                   struct ht_crs_work *work, struct ht_text *out);

#endif
