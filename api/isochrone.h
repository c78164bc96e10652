/* Isochrone: GET /v1/isochrone, polygons around what can be reached in time, and who lives there.
 *
 * Households and residents are counted for everybody who may ask: where each household lies and how
 * many residents it has is no secret in this town's registry (api/ogc.h gives both to viewers), so
 * a count, however small its polygon, tells nothing that the items don't. `frail` is personal and
 * is not counted.
 *
 * Threading: with the thread's own context; answers are made in the job pool. Ownership: a worker's
 * ht_isochrone_work belongs to its context; what is known of the streets is shared (one lock, held
 * while it is made for a profile: 0.15 s for 1.5 million arcs, once for each map).
 */
#ifndef HT_API_ISOCHRONE_H
#define HT_API_ISOCHRONE_H

#include "api/app.h"
#include "engine/road/isochrone.h"
#include "geodata/outline.h"

/* GET /v1/isochrone?lon=&lat=&profile=&max_s=&direction=&crs=&out_crs= */
void ht_isochrone_get(struct ht_app_context *context, struct ht_http_call *call);

/* What one thread brings. */
struct ht_isochrone_work {
    struct ht_isochrone *search;
    struct ht_outline_work *outline;
    struct ht_snap_work *snap;
};
HT_MUST_CHECK enum ht_status ht_isochrone_work_new(struct ht_isochrone_work **out);
void ht_isochrone_work_free(struct ht_isochrone_work *work);

/* What all threads know of the streets of the present map. */
struct ht_isochrone_maps;
struct ht_isochrone_map; /* of one map */
HT_MUST_CHECK enum ht_status ht_isochrone_maps_new(struct ht_isochrone_maps **out);
void ht_isochrone_maps_free(struct ht_isochrone_maps *maps);

/* The streets of a road of `world`, good until `map` is released. HT_NOMEM, HT_TOO_BIG: more
 * profiles than a map has. */
HT_MUST_CHECK enum ht_status ht_isochrone_streets_get(struct ht_isochrone_maps *maps,
                                                      struct ht_world *world,
                                                      const struct ht_road *road,
                                                      struct ht_isochrone_map **map,
                                                      const struct ht_isochrone_streets **streets);
void ht_isochrone_map_release(struct ht_isochrone_map *map);
/* Lets go of a map that is not the present one any more, and of metrics before `now`. */
void ht_isochrone_maps_refresh(struct ht_isochrone_maps *maps, struct ht_world *now);

#endif
