#include <stdlib.h>

#include "api/live_internal.h"
#include "api/map.h"

struct ht__live_index *ht__live_index_peek(struct ht_live *live)
{
    (void)pthread_mutex_lock(&live->index_lock);
    struct ht__live_index *index = live->index;
    if (index != NULL) {
        (void)atomic_fetch_add_explicit(&index->references, 1, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&live->index_lock);
    return index;
}

void ht__live_index_release(struct ht__live_index *index)
{
    if (index == NULL ||
        atomic_fetch_sub_explicit(&index->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    ht_closest_free(index->closest);
    ht_closest_free(index->plain);
    ht_world_release(index->world);
    free(index);
}

bool ht__live_index_fits(const struct ht_live *live, const struct ht__live_index *index,
                         const struct ht_world *world)
{
    return index != NULL && index->network == ht__live_network_of(world) &&
           index->profile_count == ht_fleet_profile_count(live->fleet) &&
           index->plains == ht_fleet_plain_profiles(live->fleet);
}

static bool is_filled(const struct ht__live_index *index)
{
    return atomic_load(&index->filled) == atomic_load(&index->wished);
}

bool ht__live_index_ready(const struct ht_live *live, const struct ht__live_index *index,
                          const struct ht_world *world)
{
    return ht__live_index_fits(live, index, world) && is_filled(index);
}

struct ht_fleet_streets ht__live_streets(const struct ht__live_index *index)
{
    return (struct ht_fleet_streets){index->number, index->profile_count, index->roads};
}

/* The streets that units are put on: as filed, since a unit may stand where it is closed to others,
 * and the index outlives what is closed now. */
static enum ht_status road_find(struct ht_world *world, const char *profile,
                                const struct ht_road **out)
{
    enum ht_status status = ht_map_filed(world, profile, out);
    return status == HT_OK && *out == NULL ? ht_world_road(world, profile, 0, out) : status;
}

/* Of units with a blue light, as they go without it; the streets of most profiles are not needed.
 */
static enum ht_status plain_new(const struct ht_live *live, struct ht__live_index *index)
{
    const struct ht_road *roads[HT_FLEET_PROFILES_MAX] = {NULL};
    bool all = false;
    if (index->plains == 0) {
        return HT_OK;
    }
    for (uint32_t p = 0; p < index->profile_count; p++) { /* its own will do where there is none */
        all = all || ((index->plains >> p & 1) != 0 && index->roads[p] == NULL);
    }
    for (uint32_t p = 0; p < index->profile_count; p++) {
        roads[p] = all || (index->plains >> p & 1) != 0 ? index->roads[p] : NULL;
    }
    return ht_closest_new(roads, index->profile_count, live->capacity, &index->plain);
}

/* A profile of a unit that the network lacks has no streets: such units are near, never closest. */
static enum ht_status index_new(struct ht_live *live, struct ht_world *world,
                                struct ht__live_index **out)
{
    struct ht__live_index *index = calloc(1, sizeof *index);
    if (index == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&index->references, 1);
    atomic_init(&index->wished, 1);
    ht_world_retain(world);
    index->world = world;
    index->number = ++live->index_number;
    index->plains = ht_fleet_plain_profiles(live->fleet); /* of profiles that are counted then */
    index->profile_count = ht_fleet_profile_count(live->fleet);
    enum ht_status status = HT_OK;
    for (uint32_t p = 0; status == HT_OK && p < index->profile_count; p++) {
        status = road_find(world, ht_fleet_profile_name(live->fleet, p), &index->roads[p]);
        if (status == HT_NOT_FOUND) {
            index->roads[p] = NULL;
            status = HT_OK;
        }
    }
    /* known only once a road was made ready */
    index->network = ht__live_network_of(world);
    if (status == HT_OK) {
        status =
            ht_closest_new(index->roads, index->profile_count, live->capacity, &index->closest);
    }
    if (status == HT_OK) {
        status = plain_new(live, index);
    }
    if (status != HT_OK) {
        ht__live_index_release(index);
        return status;
    }
    *out = index;
    return HT_OK;
}

enum ht_status ht__live_index_set(struct ht__live_index *index, uint32_t unit,
                                  const struct ht_unit_life *life, const struct ht_position *taken)
{
    enum ht_status status = HT_OK;
    if (taken->network == index->number) {
        status = ht_closest_set(index->closest, unit, life->profile, &taken->place);
    } else {
        ht_closest_remove(index->closest, unit); /* no street near */
    }
    if (index->plain == NULL || life->plain == life->profile) {
        return status;
    }
    if (status == HT_OK && taken->plain_network == index->number) {
        status = ht_closest_set(index->plain, unit, taken->plain_profile, &taken->plain);
    } else {
        ht_closest_remove(index->plain, unit);
    }
    return status;
}

void ht__live_index_remove(struct ht__live_index *index, uint32_t unit)
{
    ht_closest_remove(index->closest, unit);
    if (index->plain != NULL) {
        ht_closest_remove(index->plain, unit);
    }
}

/* Puts all units on the streets of the index, which reports use already. */
static enum ht_status index_fill(struct ht_live *live, struct ht_live_work *work,
                                 struct ht__live_index *index)
{
    struct ht_fleet_streets streets = ht__live_streets(index);
    uint32_t end = ht_fleet_end(live->fleet);
    for (uint32_t unit = 0; unit < end; unit++) {
        struct ht_position taken = {0};
        struct ht_unit_life life;
        pthread_mutex_t *lock = &live->locks[unit % HT__LIVE_LOCKS];
        (void)pthread_mutex_lock(lock);
        enum ht_status status = ht_fleet_replace(live->fleet, work->follow, unit, &streets, &taken);
        bool there = status != HT_NOMEM && ht_fleet_life(live->fleet, unit, &life);
        if (there && index->plain != NULL && life.plain == life.profile) {
            ht_closest_remove(index->plain, unit); /* it may have had a light */
        }
        if (there) {
            status = ht__live_index_set(index, unit, &life, &taken);
        } else if (status != HT_NOMEM) {
            ht__live_index_remove(index, unit); /* what was known of it before */
        }
        (void)pthread_mutex_unlock(lock);
        if (status == HT_NOMEM) {
            return status;
        }
    }
    return HT_OK;
}

void ht__live_index_refill(struct ht_live *live)
{
    struct ht__live_index *index = ht__live_index_peek(live);
    if (index != NULL) {
        (void)atomic_fetch_add(&index->wished, 1);
    }
    ht__live_index_release(index);
}

static void publish(struct ht_live *live, struct ht__live_index *index)
{
    (void)atomic_fetch_add_explicit(&index->references, 1, memory_order_relaxed);
    (void)pthread_mutex_lock(&live->index_lock);
    struct ht__live_index *before = live->index;
    live->index = index;
    atomic_store_explicit(&live->published, index->number, memory_order_release);
    (void)pthread_mutex_unlock(&live->index_lock);
    ht__live_index_release(before);
}

enum ht_status ht__live_index_get(struct ht_live *live, struct ht_live_work *work,
                                  struct ht_world *world, struct ht__live_index **out)
{
    struct ht__live_index *index = ht__live_index_peek(live);
    if (ht__live_index_ready(live, index, world)) {
        *out = index;
        return HT_OK;
    }
    ht__live_index_release(index);
    (void)pthread_mutex_lock(&live->make_lock);
    enum ht_status status = HT_OK;
    index = ht__live_index_peek(live); /* somebody else may have made it meanwhile */
    if (!ht__live_index_fits(live, index, world)) {
        ht__live_index_release(index);
        index = NULL;
        status = index_new(live, world, &index);
        if (status == HT_OK) {
            publish(live, index);
        }
    }
    if (status == HT_OK && !is_filled(index)) {
        unsigned wished =
            atomic_load(&index->wished); /* what is wished meanwhile is for the next */
        status = index_fill(live, work, index);
        if (status == HT_OK) {
            atomic_store(&index->filled, wished);
        }
    }
    (void)pthread_mutex_unlock(&live->make_lock);
    if (status != HT_OK) {
        ht__live_index_release(index);
        return status;
    }
    *out = index;
    return HT_OK;
}
