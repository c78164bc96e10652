/* The cache of tiles: what it finds, what it forgets first, that it stays within its room. */
#include "api/tile_cache.h"

#include <pthread.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

static struct ht_tile_key key(uint32_t x, uint64_t stamp)
{
    return (struct ht_tile_key){.layer = 1, .zoom = 10, .x = x, .y = 3, .stamp = stamp};
}

static void put(struct ht_tile_cache *cache, const struct ht_tile_key *at, size_t size)
{
    static const char bytes[5000];
    struct ht_tile *tile = ht_tile_new(bytes, size);
    HT_REQUIRE(tile != NULL);
    ht_tile_cache_put(cache, at, tile);
    ht_tile_release(tile);
}

static bool has(struct ht_tile_cache *cache, const struct ht_tile_key *at)
{
    struct ht_tile *tile = ht_tile_cache_get(cache, at);
    ht_tile_release(tile);
    return tile != NULL;
}

HT_CASE(a_tile_is_found_under_all_that_it_depends_on)
{
    struct ht_tile_cache *cache = NULL;
    HT_REQUIRE(ht_tile_cache_new(100000, &cache) == HT_OK);
    struct ht_tile_key at = key(1, 7);
    put(cache, &at, 10);
    HT_CHECK(has(cache, &at));
    struct ht_tile_key others[] = {at, at, at, at, at, at};
    others[0].layer++;
    others[1].zoom++;
    others[2].x++;
    others[3].y++;
    others[4].stamp++;
    others[5].personal = 1;
    for (size_t i = 0; i < 6; i++) {
        HT_CHECK(!has(cache, &others[i]));
    }
    struct ht_tile_cache_stats stats;
    ht_tile_cache_stats_read(cache, &stats);
    HT_CHECK_INT(stats.tiles, 1);
    HT_CHECK_INT(stats.hits, 1);
    HT_CHECK_INT(stats.misses, 6);
    ht_tile_cache_free(cache);
}

HT_CASE(what_nobody_asks_for_is_forgotten_first)
{
    struct ht_tile_cache *cache = NULL;
    struct ht_tile_cache_stats stats;
    HT_REQUIRE(ht_tile_cache_new(20000, &cache) == HT_OK);
    struct ht_tile_key asked = key(0, 1);
    put(cache, &asked, 1000);
    for (uint32_t i = 1; i < 200; i++) {
        struct ht_tile_key at = key(i, 1);
        put(cache, &at, 1000);
        HT_CHECK(has(cache, &asked));
        ht_tile_cache_stats_read(cache, &stats);
        HT_CHECK(stats.bytes <= 20000);
    }
    struct ht_tile_key first = key(1, 1);
    struct ht_tile_key last = key(199, 1);
    HT_CHECK(!has(cache, &first) && has(cache, &last));
    HT_CHECK(stats.tiles > 10);
    ht_tile_cache_free(cache);
}

HT_CASE(a_tile_too_large_is_not_kept_and_none_twice)
{
    struct ht_tile_cache *cache = NULL;
    struct ht_tile_cache_stats stats;
    HT_REQUIRE(ht_tile_cache_new(20000, &cache) == HT_OK);
    struct ht_tile_key large = key(1, 1);
    struct ht_tile_key small = key(2, 1);
    put(cache, &large, 3000);
    HT_CHECK(!has(cache, &large));
    put(cache, &small, 100);
    put(cache, &small, 200);
    ht_tile_cache_stats_read(cache, &stats);
    HT_CHECK_INT(stats.tiles, 1);
    struct ht_tile *tile = ht_tile_cache_get(cache, &small);
    HT_REQUIRE(tile != NULL);
    HT_CHECK_INT(tile->size, 100);
    ht_tile_cache_free(cache); /* the tile outlives it */
    HT_CHECK_INT(tile->bytes[99], 0);
    ht_tile_release(tile);
}

static void *crowd(void *user)
{
    struct ht_tile_cache *cache = user;
    uint64_t dice = (uint64_t)(uintptr_t)pthread_self() | 1;
    for (int i = 0; i < 4000; i++) {
        struct ht_tile_key at = key(ht_random_below(&dice, 64), 1 + ht_random_below(&dice, 3));
        struct ht_tile *tile = ht_tile_cache_get(cache, &at);
        if (tile == NULL) {
            char bytes[900];
            memset(bytes, (int)at.x, sizeof bytes);
            tile = ht_tile_new(bytes, 100 + at.x * 10);
            if (tile == NULL) {
                return user;
            }
            ht_tile_cache_put(cache, &at, tile);
        }
        if (tile->size != 100 + at.x * 10 || tile->bytes[tile->size - 1] != (uint8_t)at.x) {
            return user;
        }
        ht_tile_release(tile);
    }
    return NULL;
}

HT_CASE(many_threads_get_what_they_put)
{
    struct ht_tile_cache *cache = NULL;
    pthread_t threads[4];
    HT_REQUIRE(ht_tile_cache_new(30000, &cache) == HT_OK);
    for (int i = 0; i < 4; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, crowd, cache) == 0);
    }
    for (int i = 0; i < 4; i++) {
        void *wrong = NULL;
        (void)pthread_join(threads[i], &wrong);
        HT_CHECK(wrong == NULL);
    }
    ht_tile_cache_free(cache);
}

HT_CASE(short_of_memory_nothing_is_kept_oom)
{
    struct ht_tile_cache *cache = NULL;
    HT_REQUIRE(ht_tile_cache_new(20000, &cache) == HT_OK);
    struct ht_tile *tile = ht_tile_new("abc", 3);
    HT_REQUIRE(tile != NULL);
    struct ht_tile_key at = key(1, 1);
    ht_oom_arm(0);
    ht_tile_cache_put(cache, &at, tile);
    HT_CHECK(ht_tile_new("abc", 3) == NULL);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(!has(cache, &at));
    ht_tile_release(tile);
    ht_tile_cache_free(cache);
}

HT_MAIN()
