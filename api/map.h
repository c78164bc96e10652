/* Map: an open network file whose profiles are made ready as they are asked for, and the worlds
 * made of it.
 *
 * Counted by reference: each world holds one, so the file stays mapped until the last query on it
 * has ended.
 *
 * Threading: all functions from any thread, a map locks. Ownership: as said.
 */
#ifndef HT_API_MAP_H
#define HT_API_MAP_H

#include <pthread.h>

#include "engine/base/pool.h"
#include "engine/live/world.h"

struct ht_map;

/* A pool that is used when nobody else does. */
struct ht_shared_pool {
    struct ht_pool *pool;
    pthread_mutex_t lock;
};

/* Opens the file; its profiles are checked later. `pool` is borrowed. Errors as ht_hnet_open. */
HT_MUST_CHECK enum ht_status ht_map_open(const char *path, struct ht_shared_pool *pool,
                                         struct ht_map **out, struct ht_error *error);
void ht_map_retain(struct ht_map *map);
void ht_map_release(struct ht_map *map); /* NULL is fine */

/* What it covers. */
struct ht_box ht_map_box(const struct ht_map *map);

/* Checks every profile; `error` says which is damaged and how. */
HT_MUST_CHECK enum ht_status ht_map_check(struct ht_map *map, struct ht_error *error);

/* The world as of `local_ms` (engine/base/schedule.h), with a reference for the caller; NULL when
 * it would be the same as the one given out last. Profiles that get ready later do so as of the
 * `local_ms` of the last call. */
HT_MUST_CHECK enum ht_status ht_map_world(struct ht_map *map, int64_t local_ms,
                                          struct ht_world **out);

/* When the next conditional turn opens or closes after `local_ms` in a profile that is ready;
 * INT64_MAX: never. */
int64_t ht_map_next_change(struct ht_map *map, int64_t local_ms);

#endif
