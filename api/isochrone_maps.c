/* What is kept between isochrones: of a thread, and of the streets of a map. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "api/isochrone.h"

enum { ROADS_MOST = 64 };

enum ht_status ht_isochrone_work_new(struct ht_isochrone_work **out)
{
    struct ht_isochrone_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_isochrone_new(&work->search);
    if (status == HT_OK) {
        status = ht_outline_work_new(&work->outline);
    }
    if (status == HT_OK) {
        status = ht_snap_work_new(&work->snap);
    }
    if (status != HT_OK) {
        ht_isochrone_work_free(work);
        return status;
    }
    *out = work;
    return HT_OK;
}

void ht_isochrone_work_free(struct ht_isochrone_work *work)
{
    if (work != NULL) {
        ht_isochrone_free(work->search);
        ht_outline_work_free(work->outline);
        ht_snap_work_free(work->snap);
        free(work);
    }
}

/* The hierarchies of a map outlive its worlds, which come and go with each metric; one world is
 * held so that the map is, the latest, so that the metric of none before is kept. */
struct ht_isochrone_map {
    atomic_size_t references;
    struct ht_world *world;
    const void *network;
    pthread_mutex_t lock;
    size_t count;
    struct {
        const struct ht_cch *cch;
        struct ht_isochrone_streets *streets;
    } roads[ROADS_MOST];
};

struct ht_isochrone_maps {
    pthread_mutex_t lock;
    struct ht_isochrone_map *map; /* the present one; NULL: nothing was asked yet */
};

/* All profiles of one file share it; NULL: no profile was asked for yet. */
static const void *network_of(const struct ht_world *world)
{
    const struct ht_network *network = world == NULL ? NULL : ht_world_network(world);
    return network == NULL ? NULL : network->node_point;
}

enum ht_status ht_isochrone_maps_new(struct ht_isochrone_maps **out)
{
    struct ht_isochrone_maps *maps = calloc(1, sizeof *maps);
    if (maps == NULL || pthread_mutex_init(&maps->lock, NULL) != 0) {
        free(maps);
        return HT_NOMEM;
    }
    *out = maps;
    return HT_OK;
}

void ht_isochrone_maps_free(struct ht_isochrone_maps *maps)
{
    if (maps != NULL) {
        ht_isochrone_map_release(maps->map);
        (void)pthread_mutex_destroy(&maps->lock);
        free(maps);
    }
}

void ht_isochrone_map_release(struct ht_isochrone_map *map)
{
    if (map == NULL || atomic_fetch_sub(&map->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        ht_isochrone_streets_free(map->roads[i].streets);
    }
    ht_world_release(map->world);
    (void)pthread_mutex_destroy(&map->lock);
    free(map);
}

static struct ht_isochrone_map *map_new(struct ht_world *world)
{
    struct ht_isochrone_map *map = calloc(1, sizeof *map);
    if (map == NULL || pthread_mutex_init(&map->lock, NULL) != 0) {
        free(map);
        return NULL;
    }
    atomic_init(&map->references, 1);
    ht_world_retain(world);
    map->world = world;
    map->network = network_of(world);
    return map;
}

/* The map of the world, with a reference for the caller; NULL: out of memory. */
static struct ht_isochrone_map *map_get(struct ht_isochrone_maps *maps, struct ht_world *world)
{
    struct ht_isochrone_map *old = NULL;
    (void)pthread_mutex_lock(&maps->lock);
    if (maps->map == NULL || maps->map->network != network_of(world)) {
        old = maps->map;
        maps->map = map_new(world);
    }
    struct ht_isochrone_map *map = maps->map;
    if (map != NULL) {
        (void)atomic_fetch_add(&map->references, 1);
    }
    (void)pthread_mutex_unlock(&maps->lock);
    ht_isochrone_map_release(old);
    return map;
}

void ht_isochrone_maps_refresh(struct ht_isochrone_maps *maps, struct ht_world *now)
{
    struct ht_isochrone_map *old = NULL;
    struct ht_world *before = NULL;
    if (pthread_mutex_trylock(&maps->lock) != 0) {
        return;
    }
    if (maps->map != NULL && maps->map->network != network_of(now)) {
        old = maps->map;
        maps->map = NULL;
    } else if (maps->map != NULL && maps->map->world != now) { /* any of the map's will do */
        before = maps->map->world;
        ht_world_retain(now);
        maps->map->world = now;
    }
    (void)pthread_mutex_unlock(&maps->lock);
    ht_isochrone_map_release(old);
    ht_world_release(before);
}

static enum ht_status streets_of(struct ht_isochrone_map *map, const struct ht_cch *cch,
                                 const struct ht_isochrone_streets **streets)
{
    for (size_t i = 0; i < map->count; i++) {
        if (map->roads[i].cch == cch) {
            *streets = map->roads[i].streets;
            return HT_OK;
        }
    }
    if (map->count == ROADS_MOST) {
        return HT_TOO_BIG;
    }
    struct ht_isochrone_streets *made = NULL;
    enum ht_status status = ht_isochrone_streets_new(cch, &made);
    if (status == HT_OK) {
        map->roads[map->count].cch = cch;
        map->roads[map->count++].streets = made;
        *streets = made;
    }
    return status;
}

enum ht_status ht_isochrone_streets_get(struct ht_isochrone_maps *maps, struct ht_world *world,
                                        const struct ht_road *road, struct ht_isochrone_map **map,
                                        const struct ht_isochrone_streets **streets)
{
    *map = map_get(maps, world);
    if (*map == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_lock(&(*map)->lock);
    enum ht_status status = streets_of(*map, road->cch, streets);
    (void)pthread_mutex_unlock(&(*map)->lock);
    if (status != HT_OK) {
        ht_isochrone_map_release(*map);
        *map = NULL;
    }
    return status;
}
