/* Avoid: areas that one request keeps off, and the roads that do.
 *
 * As text: ids of zones with commas between (of any kind, whether they hold now or not), or
 * GeoJSON: a Polygon or MultiPolygon, a Feature or FeatureCollection of such, in the request's
 * coordinates. Every piece of a street that has a point in common with one of them is closed to the
 * request.
 *
 * Threading: reading and finding roads by a thread that may wait. Ownership: what is read owns all.
 */
#ifndef HT_API_AVOID_H
#define HT_API_AVOID_H

#include "engine/live/detour.h"
#include "engine/live/world.h"
#include "geodata/crs.h"

enum { HT_AVOID_POINTS_MAX = 10000, HT_AVOID_AREAS_MAX = 100 };

struct ht_avoid;
struct ht_zone_table;

/* `zones` NULL: there are none. Errors with what is wrong in `error`: HT_SYNTAX and others of the
 * GeoJSON reader, HT_INVALID (no polygon, or one that crosses itself), HT_TOO_BIG, HT_NOT_FOUND (no
 * such zone), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_avoid_read(const char *text, size_t size, const struct ht_crs *crs,
                                           struct ht_crs_work *work, struct ht_zone_table *zones,
                                           struct ht_avoid **out, struct ht_error *error);
void ht_avoid_free(struct ht_avoid *avoid); /* NULL is fine */

/* The pieces that are closed to a profile, added to an empty list that the caller frees. Errors as
 * ht_map_cuts. */
HT_MUST_CHECK enum ht_status ht_avoid_cuts(const struct ht_avoid *avoid, struct ht_world *world,
                                           const char *profile, struct ht_cuts *cuts);

/* The road of a profile without the pieces and without the classes in `exclude`, over the streets
 * of the world; to be let go of before the world is. Errors as ht_world_road, ht_detours_get;
 * HT_UNSUPPORTED: the world is of no map. */
HT_MUST_CHECK enum ht_status ht_avoid_road(const struct ht_avoid *avoid, struct ht_world *world,
                                           const char *profile, uint16_t exclude,
                                           struct ht_pool *pool, struct ht_detour **out);

#endif
