/* Outline: polygons around what of a street network was reached. GEOS behind it.
 *
 * Two promises, whatever the streets look like:
 *   - every reached point lies inside;
 *   - no street point that was not reached lies inside, unless it is within 25 m of one that was.
 * Beyond them a spot belongs to the nearest street: it is inside where that was reached there, and
 * no farther than some 100 m away. So courtyards and houses behind the pavement count with their
 * street, a pocket that can't be reached in time stays a hole, and so does a lake.
 *
 * Way: a raster of cells of at most 8 m, on whole numbers of 1e-7 degrees.
 *
 *     . . # # . .    1. cells within 6 m of reached pieces are in, else those within 6 m of other
 *     o o # # . .       streets are out
 *     o o # # + +    2. the rest takes what the nearest of these is (chamfer distances,
 *     . . # # + +       Borgefors 1986)
 *                    3. borders are traced from middle to middle of cells' sides, and smoothed
 *
 * Step 3 moves a border by at most 5.6 m (2.9 m by the middles, 2.8 m by smoothing), less than the
 * 5.7 m that step 1 keeps around streets. A point of a cell that step 1 put in is at most
 * 6.3 + 11.4 m from a reached one, so what lies inside near streets that were not reached is at
 * most 23.3 m from one that was. Metres are those of the latitude where degrees are longest
 * (ht_scale_at, within 0.1 % of the geodesic); in other parts of the box true distances are
 * smaller, never larger.
 *
 * Whole numbers and borders that stay apart make the result valid as it is given out; GEOS checks
 * it. Its own way to simplify (topology preserving) took as long as all the rest together.
 * Buffering the pieces and uniting them, the usual way, leaves out whoever lives more than 25 m
 * from the street.
 *
 * Threading: each thread brings its own ht_outline_work, which holds a GEOS context. Ownership:
 * plain. Errors: HT_EMPTY no piece; HT_TOO_BIG more than 2^27 cells (an area of 90 km by 90 km) or
 * 2^20 points; HT_NOMEM; HT_INVALID GEOS failed.
 */
#ifndef HT_GEODATA_OUTLINE_H
#define HT_GEODATA_OUTLINE_H

#include "engine/base/status.h"
#include "engine/road/isochrone.h"
#include "geodata/geometry.h"

struct ht_outline_work;
HT_MUST_CHECK enum ht_status ht_outline_work_new(struct ht_outline_work **out);
void ht_outline_work_free(struct ht_outline_work *work);

/* The valid Polygon or MultiPolygon around `pieces`, which are those of ht_isochrone_pieces on
 * `road` (with its snap index). Shells run against the clock, holes with it. Linear in the box. */
HT_MUST_CHECK enum ht_status ht_outline_make(struct ht_outline_work *work,
                                             const struct ht_road *road,
                                             const struct ht_isochrone_piece *pieces, size_t count,
                                             struct ht_geometry *out);

#endif
