/* Box: reads `bbox=west,south,east,north` (or six numbers, heights among them) as OGC API -
 * Features writes it.
 *
 * Threading: pure but for the thread's own ht_crs_work.
 */
#ifndef HT_API_BOX_H
#define HT_API_BOX_H

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "geodata/crs.h"

/* `crs`: of the numbers. In longitude and latitude west may be greater than east: the box crosses
 * the antimeridian, and so does `*out` (min.lon_e7 > max.lon_e7). HT_SYNTAX with what is wrong. */
HT_MUST_CHECK enum ht_status ht_bbox_read(const char *text, const struct ht_crs *crs,
                                          struct ht_crs_work *work, struct ht_box *out,
                                          struct ht_error *error);

#endif
