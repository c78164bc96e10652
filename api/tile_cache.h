/* Tile cache: the tiles that were made last, as many as fit.
 *
 * A tile is kept under everything that it depends on: what it shows, where, for whom, and the stamp
 * of what it was made of (another map, a later state of a collection: another stamp). So nothing
 * has to be thrown away when the town changes; what nobody asks for any more is the first to go
 * (least recently used).
 *
 * Threading: any thread; a lock is held for a look-up, never while a tile is made. Ownership: tiles
 * are counted by reference. Two who miss the same tile both make it; the first one stays.
 */
#ifndef HT_API_TILE_CACHE_H
#define HT_API_TILE_CACHE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_tile_key {
    uint32_t layer;
    uint32_t zoom;
    uint32_t x;
    uint32_t y;
    uint64_t stamp;
    uint64_t personal; /* 1: with what only some may see */
};

/* Never changes. */
struct ht_tile {
    atomic_size_t references;
    uint64_t hash; /* of its bytes */
    size_t size;
    uint8_t bytes[];
};

/* With a reference for the caller; NULL: out of memory. */
struct ht_tile *ht_tile_new(const void *bytes, size_t size);
void ht_tile_release(struct ht_tile *tile); /* NULL is fine */

struct ht_tile_cache;

/* Keeps up to `bytes` of tiles, their own records counted. */
HT_MUST_CHECK enum ht_status ht_tile_cache_new(size_t bytes, struct ht_tile_cache **out);
void ht_tile_cache_free(struct ht_tile_cache *cache);

/* With a reference for the caller; NULL: it is not there. */
struct ht_tile *ht_tile_cache_get(struct ht_tile_cache *cache, const struct ht_tile_key *key);
/* Keeps a tile, where there is none yet and it takes no more than an eighth of the room; short of
 * memory it does not. */
void ht_tile_cache_put(struct ht_tile_cache *cache, const struct ht_tile_key *key,
                       struct ht_tile *tile);

struct ht_tile_cache_stats {
    size_t tiles;
    size_t bytes;
    uint64_t hits;
    uint64_t misses;
};
void ht_tile_cache_stats_read(struct ht_tile_cache *cache, struct ht_tile_cache_stats *out);

#endif
