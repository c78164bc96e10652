#include "api/tile_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 4096, LARGE_SHARE = 8 };

struct kept {
    struct ht_tile_key key;
    struct ht_tile *tile;
    struct kept *next;  /* of its slot */
    struct kept *newer; /* by last use */
    struct kept *older;
};

struct ht_tile_cache {
    pthread_mutex_t lock;
    size_t room;
    size_t bytes;
    size_t count;
    uint64_t hits;
    uint64_t misses;
    struct kept *newest;
    struct kept *oldest;
    struct kept *slots[SLOTS];
};

struct ht_tile *ht_tile_new(const void *bytes, size_t size)
{
    struct ht_tile *tile = malloc(sizeof *tile + size);
    if (tile == NULL) {
        return NULL;
    }
    atomic_init(&tile->references, 1);
    tile->size = size;
    if (size > 0) {
        memcpy(tile->bytes, bytes, size);
    }
    tile->hash = XXH3_64bits(tile->bytes, size);
    return tile;
}

void ht_tile_release(struct ht_tile *tile)
{
    if (tile != NULL && atomic_fetch_sub(&tile->references, 1) == 1) {
        free(tile);
    }
}

enum ht_status ht_tile_cache_new(size_t bytes, struct ht_tile_cache **out)
{
    struct ht_tile_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL || pthread_mutex_init(&cache->lock, NULL) != 0) {
        free(cache);
        return HT_NOMEM;
    }
    cache->room = bytes;
    *out = cache;
    return HT_OK;
}

static size_t cost(const struct kept *kept)
{
    return sizeof *kept + sizeof *kept->tile + kept->tile->size;
}

static struct kept **slot_of(struct ht_tile_cache *cache, const struct ht_tile_key *key)
{
    return &cache->slots[XXH3_64bits(key, sizeof *key) % SLOTS];
}

static bool same(const struct ht_tile_key *a, const struct ht_tile_key *b)
{
    return a->layer == b->layer && a->zoom == b->zoom && a->x == b->x && a->y == b->y &&
           a->stamp == b->stamp && a->personal == b->personal;
}

static struct kept *find(struct ht_tile_cache *cache, const struct ht_tile_key *key)
{
    struct kept *kept = *slot_of(cache, key);
    while (kept != NULL && !same(&kept->key, key)) {
        kept = kept->next;
    }
    return kept;
}

static void list_take(struct ht_tile_cache *cache, const struct kept *kept)
{
    if (kept->newer != NULL) {
        kept->newer->older = kept->older;
    } else {
        cache->newest = kept->older;
    }
    if (kept->older != NULL) {
        kept->older->newer = kept->newer;
    } else {
        cache->oldest = kept->newer;
    }
}

static void list_push(struct ht_tile_cache *cache, struct kept *kept)
{
    kept->newer = NULL;
    kept->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = kept;
    } else {
        cache->oldest = kept;
    }
    cache->newest = kept;
}

static void forget_oldest(struct ht_tile_cache *cache)
{
    struct kept *kept = cache->oldest;
    struct kept **at = slot_of(cache, &kept->key);
    cache->oldest = kept->newer;
    if (cache->oldest != NULL) {
        cache->oldest->older = NULL;
    } else {
        cache->newest = NULL;
    }
    while (*at != kept) {
        at = &(*at)->next;
    }
    *at = kept->next;
    cache->bytes -= cost(kept);
    cache->count--;
    ht_tile_release(kept->tile);
    free(kept);
}

void ht_tile_cache_free(struct ht_tile_cache *cache)
{
    if (cache != NULL) {
        while (cache->oldest != NULL) {
            forget_oldest(cache);
        }
        (void)pthread_mutex_destroy(&cache->lock);
        free(cache);
    }
}

struct ht_tile *ht_tile_cache_get(struct ht_tile_cache *cache, const struct ht_tile_key *key)
{
    struct ht_tile *tile = NULL;
    (void)pthread_mutex_lock(&cache->lock);
    struct kept *kept = find(cache, key);
    if (kept != NULL) {
        list_take(cache, kept);
        list_push(cache, kept);
        tile = kept->tile;
        (void)atomic_fetch_add(&tile->references, 1);
        cache->hits++;
    } else {
        cache->misses++;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return tile;
}

void ht_tile_cache_put(struct ht_tile_cache *cache, const struct ht_tile_key *key,
                       struct ht_tile *tile)
{
    struct kept *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        return;
    }
    *kept = (struct kept){.key = *key, .tile = tile};
    (void)pthread_mutex_lock(&cache->lock);
    if (cost(kept) > cache->room / LARGE_SHARE || find(cache, key) != NULL) {
        (void)pthread_mutex_unlock(&cache->lock);
        free(kept);
        return;
    }
    (void)atomic_fetch_add(&tile->references, 1);
    cache->bytes += cost(kept);
    cache->count++;
    struct kept **slot = slot_of(cache, key);
    kept->next = *slot;
    *slot = kept;
    list_push(cache, kept);
    while (cache->bytes > cache->room) {
        forget_oldest(cache);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

void ht_tile_cache_stats_read(struct ht_tile_cache *cache, struct ht_tile_cache_stats *out)
{
    (void)pthread_mutex_lock(&cache->lock);
    *out = (struct ht_tile_cache_stats){cache->count, cache->bytes, cache->hits, cache->misses};
    (void)pthread_mutex_unlock(&cache->lock);
}
