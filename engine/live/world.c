#include "engine/live/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ht_world {
    atomic_size_t references;
    void *owner;
    void (*release)(void *owner);
    uint32_t road_count;
    struct ht_road roads[];
};

struct ht_world_slot {
    pthread_mutex_t lock; /* guards `world` while a reference is taken */
    struct ht_world *world;
    atomic_uint_least64_t
        generation; /* grows with each publication, so that readers can skip the lock */
};

enum ht_status ht_world_new(const struct ht_road *roads, uint32_t road_count, void *owner,
                            void (*release)(void *owner), struct ht_world **out)
{
    struct ht_world *world = calloc(1, sizeof *world + road_count * sizeof *roads);
    if (world == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&world->references, 1);
    world->owner = owner;
    world->release = release;
    world->road_count = road_count;
    if (road_count > 0) {
        memcpy(world->roads, roads, road_count * sizeof *roads);
    }
    *out = world;
    return HT_OK;
}

void ht_world_retain(struct ht_world *world)
{
    if (world != NULL) {
        (void)atomic_fetch_add_explicit(&world->references, 1, memory_order_relaxed);
    }
}

void ht_world_release(struct ht_world *world)
{
    if (world == NULL ||
        atomic_fetch_sub_explicit(&world->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (world->release != NULL) {
        world->release(world->owner);
    }
    free(world);
}

const struct ht_network *ht_world_network(const struct ht_world *world)
{
    return world->road_count == 0 ? NULL : world->roads[0].network;
}

uint32_t ht_world_road_count(const struct ht_world *world)
{
    return world->road_count;
}

static const struct ht_road *road_named(const struct ht_world *world, const char *profile)
{
    for (uint32_t i = 0; i < world->road_count; i++) {
        if (strcmp(world->roads[i].graph->profile, profile) == 0) {
            return &world->roads[i];
        }
    }
    return NULL;
}

static const struct ht_road *road_find(const struct ht_world *world, const char *profile)
{
    static const char *const aliases[][2] = {
        {"driving", "car"}, {"walking", "foot"}, {"cycling", "ebike"}};
    const struct ht_road *road = road_named(world, profile);
    for (size_t i = 0; road == NULL && i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(profile, aliases[i][0]) == 0) {
            road = road_named(world, aliases[i][1]);
        }
    }
    return road;
}

enum ht_status ht_world_road(struct ht_world *world, const char *profile, uint16_t exclude,
                             const struct ht_road **out)
{
    const struct ht_road *road = road_find(world, profile);
    if (road == NULL) {
        return HT_NOT_FOUND;
    }
    if ((exclude & ~road->graph->class_mask) != 0) {
        return HT_INVALID;
    }
    if (exclude != 0) {
        return HT_UNSUPPORTED;
    }
    *out = road;
    return HT_OK;
}

bool ht_world_ready(struct ht_world *world, const char *profile, uint16_t exclude)
{
    (void)world;
    (void)profile;
    (void)exclude;
    return true;
}

enum ht_status ht_world_slot_new(struct ht_world_slot **out)
{
    struct ht_world_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_init(&slot->lock, NULL);
    atomic_init(&slot->generation, 1);
    *out = slot;
    return HT_OK;
}

void ht_world_slot_free(struct ht_world_slot *slot)
{
    if (slot == NULL) {
        return;
    }
    ht_world_release(slot->world);
    (void)pthread_mutex_destroy(&slot->lock);
    free(slot);
}

void ht_world_publish(struct ht_world_slot *slot, struct ht_world *world)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct ht_world *before = slot->world;
    slot->world = world;
    (void)atomic_fetch_add_explicit(&slot->generation, 1, memory_order_release);
    (void)pthread_mutex_unlock(&slot->lock);
    ht_world_release(before);
}

struct ht_world *ht_world_acquire(struct ht_world_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct ht_world *world = slot->world;
    ht_world_retain(world);
    (void)pthread_mutex_unlock(&slot->lock);
    return world;
}

void ht_world_reader_init(struct ht_world_reader *reader, struct ht_world_slot *slot)
{
    *reader = (struct ht_world_reader){.slot = slot};
}

void ht_world_reader_deinit(struct ht_world_reader *reader)
{
    ht_world_release(reader->world);
    *reader = (struct ht_world_reader){0};
}

struct ht_world *ht_world_reader_get(struct ht_world_reader *reader)
{
    /* The generation is read before the world: a publication in between is seen the next time. */
    uint64_t generation = atomic_load_explicit(&reader->slot->generation, memory_order_acquire);
    if (generation != reader->generation) {
        ht_world_release(reader->world);
        reader->world = ht_world_acquire(reader->slot);
        reader->generation = generation;
    }
    return reader->world;
}
