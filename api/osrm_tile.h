/* OSRM's tile service: the routing graph as a vector tile, to be looked at.
 *
 * Layers as OSRM 6.0 writes them: `speeds` (one line for each direction of each segment), `turns`
 * (zoom 15 and above), `osmnodes`, `internal-nodes`; those without features are left out.
 *
 * Threading: any number of threads. Ownership: none kept.
 */
#ifndef HT_API_OSRM_TILE_H
#define HT_API_OSRM_TILE_H

#include "api/reply.h"
#include "engine/road/query.h"

/* Fills the reply with the tile (application/x-protobuf), or with OSRM's error for a zoom outside
 * 12 to 19 or a number outside the zoom. Without memory the reply's buffer is marked failed. */
void ht_osrm_tile(const struct ht_road *road, uint32_t x, uint32_t y, uint32_t zoom,
                  struct ht_reply *reply);

#endif
