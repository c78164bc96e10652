/* Town tiles: what lies in the registry as vector tiles, a collection each.
 *
 *   cells       id, name, kind, parent             polygons
 *   households  id, residents; frail               points, from zoom 13 on
 *   factories   id, name, risk, tenants (how many) points or polygons
 *   facilities  id, name, kind, capacity           points
 *   zones       id, name, kind, from, until        polygons
 *
 * The layer has the collection's name. Of households that share a pixel below zoom 16 one is
 * enough, but frail ones are all there. `frail` is written only where it is asked for: who asks has
 * to leave an audit row (api/persons.h); nothing else here is personal.
 *
 * Threading: with the thread's own reader. Ownership: none kept. Errors: of the store; without
 * memory the tile is marked failed.
 */
#ifndef HT_API_TOWN_TILE_H
#define HT_API_TOWN_TILE_H

#include "geodata/mvt.h"
#include "geodata/store.h"

struct ht_town_tile_ask {
    const struct ht_collection *collection;
    uint32_t zoom;
    uint32_t x;
    uint32_t y;
    bool frail; /* say who is */
};

/* Whether there are tiles of a collection: units move and devices lie nowhere. */
bool ht_town_tile_is_of(const struct ht_collection *collection);

HT_MUST_CHECK enum ht_status ht_town_tile(struct ht_store_reader *reader,
                                          const struct ht_town_tile_ask *ask, struct ht_mvt *tile,
                                          struct ht_error *error);

#endif
