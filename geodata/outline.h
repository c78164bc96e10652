/* Outline: polygons around what of a street network was reached. GEOS behind it.
 *
 * Two promises, whatever the streets look like:
 *   - every reached point lies inside;
 *   - no street point that was not reached lies inside, unless it is within 25 m of one that was.
 * Beyond them a spot belongs to the nearest street: it is inside where that was reached there, and
 * no farther than some 100 m away. So courtyards and houses behind the pavement count with their
 * street, a pocket that can't be reached in time stays a hole, and so does a lake.
 *
 * Way: a raster of cells of less than 8 m, on whole numbers of 1e-7 degrees.
 *
 *     . . # # . .    1. cells within 7 m of reached pieces are in, else those within 7 m of other
 *     o o # # . .       streets are out
 *     o o # # + +    2. the rest takes what the nearest of these is (chamfer distances,
 *     . . # # + +       Borgefors 1986)
 *                    3. borders are traced, and smoothed by at most 6.3 m (GEOS)
 *
 * A point of an inside cell of step 1 is at most 6.9 + 11.4 m from a reached one, smoothing adds
 * 6.3 m: 24.6 m in all, and no cell within 6.3 m of other streets is inside for another reason.
 * Metres are those of the latitude nearest to the equator (ht_scale_at); a degree of longitude is
 * shorter elsewhere in the box, so that true distances are smaller, never larger. Buffering the
 * pieces and uniting them, the usual way, took GEOS 3.11 some 50 times as long (bench_isochrone
 * says how long this takes) and leaves out whoever lives more than 25 m from the street.
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
