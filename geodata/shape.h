/* Shape: is a polygon one, and if not, where; and making one of it. GEOS behind it.
 *
 * GEOS works on the whole numbers of 1e-7 degrees, so that what is found valid is valid as stored,
 * and what is repaired lies on the same grid.
 *
 * Threading: each thread brings its own ht_shape_work, which holds a GEOS context.
 */
#ifndef HT_GEODATA_SHAPE_H
#define HT_GEODATA_SHAPE_H

#include <stdbool.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "geodata/geometry.h"

struct ht_shape_work;
HT_MUST_CHECK enum ht_status ht_shape_work_new(struct ht_shape_work **out);
void ht_shape_work_free(struct ht_shape_work *work);

/* Whether polygons are valid in the sense of OGC simple features; points and lines always are.
 * HT_INVALID: `error` (may be NULL) says why and where, "self-crossing at 121.7 29.95", and
 * `*place` (may be NULL) is that point. HT_NOMEM. Cost: n log n in the points, more where rings
 * cross often.
 */
HT_MUST_CHECK enum ht_status ht_shape_check(struct ht_shape_work *work,
                                            const struct ht_geometry *geometry,
                                            struct ht_point *place, struct ht_error *error);

/* Makes a valid Polygon or MultiPolygon of an invalid one: rings are untangled, holes cut out of
 * what shells cover, a hole outside becomes a polygon (GEOSMakeValid, "structure"). `out` may not
 * be `geometry`. HT_INVALID: nothing of it has an area. HT_NOMEM. A valid one comes out as it is.
 */
HT_MUST_CHECK enum ht_status ht_shape_repair(struct ht_shape_work *work,
                                             const struct ht_geometry *geometry,
                                             struct ht_geometry *out, struct ht_error *error);

/* Whether the two have a point in common, their borders included. HT_NOMEM, HT_INVALID. */
HT_MUST_CHECK enum ht_status ht_shape_meets(struct ht_shape_work *work, const struct ht_geometry *a,
                                            const struct ht_geometry *b, bool *meets);

#endif
