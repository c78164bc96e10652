/* Area: a part of the map to look in: boxes and polygons, all of which must hold or be met.
 *
 * A point on a border is within, a shape that only touches meets. Points are decided in whole
 * numbers (geodata/cell_index.h), shapes by GEOS (geodata/shape.h): both exact on stored places.
 *
 * Threading: an area belongs to one thread. Ownership: it copies what it is given.
 */
#ifndef HT_GEODATA_AREA_H
#define HT_GEODATA_AREA_H

#include "geodata/geometry.h"

enum { HT_AREA_PARTS = 3, HT_AREA_POINTS_MAX = 10000 };

struct ht_area;

HT_MUST_CHECK enum ht_status ht_area_new(struct ht_area **out);
void ht_area_free(struct ht_area *area);

/* A box; min must not lie beyond max. HT_TOO_BIG: it has HT_AREA_PARTS parts already. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_area_add_box(struct ht_area *area, struct ht_box box,
                                             struct ht_error *error);
/* Polygons. HT_INVALID: they cross themselves (the place is told), or are none; HT_TOO_BIG: more
 * than HT_AREA_POINTS_MAX points, unless `known` to be sound (from the registry). */
HT_MUST_CHECK enum ht_status ht_area_add(struct ht_area *area, const struct ht_geometry *geometry,
                                         bool known, struct ht_error *error);
/* Polygons as text: WKT, a GeoJSON geometry or Feature. Also the errors of their readers. */
HT_MUST_CHECK enum ht_status ht_area_read(struct ht_area *area, const char *text,
                                          const struct ht_crs *crs, struct ht_crs_work *work,
                                          struct ht_error *error);

/* Parts that were added; an area of none holds everything. */
size_t ht_area_parts(const struct ht_area *area);
/* Where anything of it may lie; false: nowhere, its parts lie apart. */
bool ht_area_box(const struct ht_area *area, struct ht_box *box);

bool ht_area_holds(const struct ht_area *area, struct ht_point point);
/* Whether the geometry meets each part. HT_NOMEM, HT_INVALID (what GEOS can't read). */
HT_MUST_CHECK enum ht_status ht_area_meets(const struct ht_area *area,
                                           const struct ht_geometry *geometry, bool *meets);

#endif
