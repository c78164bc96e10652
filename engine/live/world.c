#include "engine/live/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/road/customize.h"

/* A road without some classes: the same streets under a metric of their own. */
struct variant {
    uint16_t exclude;
    struct ht_road road;
    struct ht_metric_owned *metric;
    struct variant *next; /* made earlier */
};

struct member {
    const char *profile;
    atomic_bool ready;     /* `own` is filled */
    enum ht_status failed; /* to get ready; under the lock */
    struct ht_world_road own;
    _Atomic(struct variant *) variants;   /* grows at its head, under the lock */
    _Atomic(const struct ht_road *) soon; /* that its metric is behind; NULL: not asked for yet */
};

struct ht_world {
    atomic_size_t references;
    uint64_t id;
    void *owner;
    void (*release)(void *owner);
    enum ht_status (*load)(void *owner, uint32_t index, struct ht_world_road *out);
    enum ht_status (*behind)(void *owner, uint32_t index, const struct ht_road **out);
    pthread_mutex_t lock; /* one road or metric is made ready at a time */
    uint32_t road_count;
    struct member members[];
};

struct ht_world_slot {
    pthread_mutex_t lock; /* guards `world` while a reference is taken */
    struct ht_world *world;
    atomic_uint_least64_t
        generation; /* grows with each publication, so that readers can skip the lock */
};

static struct ht_world *world_alloc(uint32_t road_count, void *owner, void (*release)(void *owner))
{
    struct ht_world *world = calloc(1, sizeof *world + road_count * sizeof world->members[0]);
    static atomic_uint_least64_t worlds;
    if (world != NULL) {
        world->id = atomic_fetch_add(&worlds, 1) + 1;
        atomic_init(&world->references, 1);
        (void)pthread_mutex_init(&world->lock, NULL);
        world->owner = owner;
        world->release = release;
        world->road_count = road_count;
    }
    return world;
}

enum ht_status ht_world_new(const struct ht_road *roads, uint32_t road_count, void *owner,
                            void (*release)(void *owner), struct ht_world **out)
{
    struct ht_world *world = world_alloc(road_count, owner, release);
    if (world == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < road_count; i++) {
        world->members[i].profile = roads[i].graph->profile;
        world->members[i].own.road = roads[i];
        atomic_init(&world->members[i].ready, true);
    }
    *out = world;
    return HT_OK;
}

enum ht_status ht_world_new_lazy(const struct ht_world_source *source, void *owner,
                                 void (*release)(void *owner), struct ht_world **out)
{
    struct ht_world *world = world_alloc(source->count, owner, release);
    if (world == NULL) {
        return HT_NOMEM;
    }
    world->load = source->load;
    world->behind = source->behind;
    for (uint32_t i = 0; i < source->count; i++) {
        world->members[i].profile = source->profiles[i];
    }
    *out = world;
    return HT_OK;
}

uint64_t ht_world_version(void)
{
    static atomic_uint_least64_t versions;
    return atomic_fetch_add(&versions, 1) + 1;
}

void *ht_world_owner(const struct ht_world *world, void (*release)(void *owner))
{
    return world->release == release ? world->owner : NULL;
}

uint64_t ht_world_id(const struct ht_world *world)
{
    return world->id;
}

static void variants_free(struct variant *variant)
{
    while (variant != NULL) {
        struct variant *next = variant->next;
        ht_metric_free(variant->metric);
        free(variant);
        variant = next;
    }
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
    for (uint32_t i = 0; i < world->road_count; i++) {
        variants_free(atomic_load(&world->members[i].variants));
    }
    if (world->release != NULL) {
        world->release(world->owner);
    }
    (void)pthread_mutex_destroy(&world->lock);
    free(world);
}

static bool member_ready(const struct member *member)
{
    return atomic_load_explicit(&member->ready, memory_order_acquire);
}

static const struct ht_road *member_soon(const struct member *member)
{
    return atomic_load_explicit(&member->soon, memory_order_acquire);
}

const struct ht_network *ht_world_network(const struct ht_world *world)
{
    for (uint32_t i = 0; i < world->road_count; i++) {
        const struct member *member = &world->members[i];
        const struct ht_road *road = member_ready(member) ? &member->own.road : member_soon(member);
        if (road != NULL) {
            return road->network;
        }
    }
    return NULL;
}

const char *ht_world_profile(const struct ht_world *world, uint32_t index)
{
    return world->members[index].profile;
}

uint32_t ht_world_road_count(const struct ht_world *world)
{
    return world->road_count;
}

static struct member *member_named(struct ht_world *world, const char *profile)
{
    for (uint32_t i = 0; i < world->road_count; i++) {
        if (strcmp(world->members[i].profile, profile) == 0) {
            return &world->members[i];
        }
    }
    return NULL;
}

static const char *const aliases[][2] = {
    {"driving", "car"}, {"walking", "foot"}, {"cycling", "ebike"}};

const char *ht_world_alias(const char *profile)
{
    const char *alias = NULL;
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        alias = strcmp(profile, aliases[i][1]) == 0 ? aliases[i][0] : alias;
    }
    return alias;
}

static struct member *member_find(struct ht_world *world, const char *profile)
{
    struct member *member = member_named(world, profile);
    for (size_t i = 0; member == NULL && i < sizeof aliases / sizeof aliases[0]; i++) {
        if (strcmp(profile, aliases[i][0]) == 0) {
            member = member_named(world, aliases[i][1]);
        }
    }
    return member;
}

static const struct ht_road *variant_find(struct member *member, uint16_t exclude)
{
    const struct variant *variant = atomic_load_explicit(&member->variants, memory_order_acquire);
    while (variant != NULL && variant->exclude != exclude) {
        variant = variant->next;
    }
    return variant == NULL ? NULL : &variant->road;
}

/* Customizes without the arcs of the excluded classes. Needs the lock. */
static enum ht_status variant_add(struct member *member, uint16_t exclude,
                                  const struct ht_road **out)
{
    const struct ht_graph *graph = member->own.road.graph;
    struct variant *variant = calloc(1, sizeof *variant);
    uint8_t *closed = calloc(graph->arc_count == 0 ? 1 : graph->arc_count, sizeof *closed);
    enum ht_status status = variant == NULL || closed == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        for (uint32_t i = 0; i < graph->arc_count; i++) {
            closed[i] = (graph->arcs[i].flags & exclude) != 0 ? 1 : 0;
        }
        struct ht_overlay overlay = {.arc_closed = closed, .turn_closed = member->own.turn_closed};
        status = ht_customize(graph, member->own.road.cch, &overlay, NULL, &variant->metric);
    }
    if (status == HT_OK) {
        status = ht_metric_trim(member->own.road.cch, NULL, variant->metric);
    }
    free(closed);
    if (status != HT_OK) {
        if (variant != NULL) {
            ht_metric_free(variant->metric);
        }
        free(variant);
        return status;
    }
    variant->exclude = exclude;
    variant->road = member->own.road;
    variant->road.metric = ht_metric_view(variant->metric);
    variant->next = atomic_load_explicit(&member->variants, memory_order_relaxed);
    atomic_store_explicit(&member->variants, variant, memory_order_release);
    *out = &variant->road;
    return HT_OK;
}

static enum ht_status member_load(struct ht_world *world, struct member *member)
{
    if (member_ready(member)) {
        return HT_OK;
    }
    (void)pthread_mutex_lock(&world->lock);
    if (!member_ready(member) && member->failed == HT_OK) {
        uint32_t index = (uint32_t)(member - world->members);
        member->failed = world->load(world->owner, index, &member->own);
        atomic_store_explicit(&member->ready, member->failed == HT_OK, memory_order_release);
    }
    enum ht_status status = member->failed;
    (void)pthread_mutex_unlock(&world->lock);
    return status;
}

enum ht_status ht_world_road(struct ht_world *world, const char *profile, uint16_t exclude,
                             const struct ht_road **out)
{
    struct member *member = member_find(world, profile);
    if (member == NULL) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = member_load(world, member);
    if (status != HT_OK) {
        return status;
    }
    if ((exclude & ~member->own.road.graph->class_mask) != 0) {
        return HT_INVALID;
    }
    if (exclude == 0) {
        *out = &member->own.road;
        return HT_OK;
    }
    *out = variant_find(member, exclude);
    if (*out != NULL) {
        return HT_OK;
    }
    (void)pthread_mutex_lock(&world->lock);
    *out = variant_find(member, exclude); /* somebody else may have made it meanwhile */
    status = *out != NULL ? HT_OK : variant_add(member, exclude, out);
    (void)pthread_mutex_unlock(&world->lock);
    return status;
}

enum ht_status ht_world_road_soon(struct ht_world *world, const char *profile,
                                  const struct ht_road **out)
{
    struct member *member = member_find(world, profile);
    if (member == NULL || world->behind == NULL || member_ready(member)) {
        return ht_world_road(world, profile, 0, out);
    }
    *out = member_soon(member);
    if (*out != NULL) {
        return HT_OK;
    }
    enum ht_status status = world->behind(world->owner, (uint32_t)(member - world->members), out);
    if (status == HT_OK) {
        atomic_store_explicit(&member->soon, *out, memory_order_release);
    }
    return status == HT_BUSY ? ht_world_road(world, profile, 0, out) : status;
}

enum ht_status ht_world_base(struct ht_world *world, const char *profile,
                             const struct ht_world_road **out, uint32_t *index)
{
    struct member *member = member_find(world, profile);
    if (member == NULL) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = member_load(world, member);
    if (status == HT_OK) {
        *out = &member->own;
        *index = (uint32_t)(member - world->members);
    }
    return status;
}

bool ht_world_ready_soon(struct ht_world *world, const char *profile)
{
    const struct member *member = member_find(world, profile);
    return member == NULL || member_ready(member) || member_soon(member) != NULL;
}

bool ht_world_ready(struct ht_world *world, const char *profile, uint16_t exclude)
{
    struct member *member = member_find(world, profile);
    if (member == NULL) {
        return true;
    }
    if (!member_ready(member)) {
        return false;
    }
    return exclude == 0 || (exclude & ~member->own.road.graph->class_mask) != 0 ||
           variant_find(member, exclude) != NULL;
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

void ht_world_reader_rest(struct ht_world_reader *reader)
{
    ht_world_release(reader->world);
    reader->world = NULL;
    reader->generation = 0; /* a slot's is 1 at least */
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
