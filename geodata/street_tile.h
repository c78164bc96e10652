/* Street tiles: the streets of a network as a map shows them, one layer `streets` with a line for
 * each OSM way.
 *
 *   class     motorway trunk primary secondary tertiary unclassified residential living_street
 *             service track pedestrian cycleway path steps ferry other
 *   name, name:zh, name:en, ref     where the way has them
 *   oneway    true where cars may go along the line but not back
 *   link, bridge, tunnel            true or absent
 *
 * A line runs as cars may go where it is a one-way street, else as the way is filed. Minor streets
 * are left out at low zooms, and lines are simplified to what can be seen.
 *
 * Threading: what ht_streets_new made is read-only. Ownership: it borrows nothing; the network that
 * it was made of is given again with each call. Cost: a look at each way's box for a tile (0.3 ms
 * for 150,000), then linear in what is drawn.
 */
#ifndef HT_GEODATA_STREET_TILE_H
#define HT_GEODATA_STREET_TILE_H

#include "engine/base/status.h"
#include "engine/road/network.h"
#include "geodata/mvt.h"

/* From this zoom on nothing is left out. */
enum { HT_STREETS_WHOLE_ZOOM = 15 };

struct ht_streets;

/* Which way cars may go is read from the network's first graph. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_streets_new(const struct ht_network *network,
                                            struct ht_streets **out);
void ht_streets_free(struct ht_streets *streets); /* NULL is fine */

/* Writes the tile's layer; without memory the tile is marked failed. */
void ht_streets_tile(const struct ht_streets *streets, const struct ht_network *network, uint32_t x,
                     uint32_t y, uint32_t zoom, struct ht_mvt *tile);

#endif
