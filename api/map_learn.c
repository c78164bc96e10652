/* The part of the map that is about speeds that are known: the metric that follows them, and the
 * streets of another time. */
#include <stdlib.h>
#include <string.h>

#include "api/map_internal.h"
#include "engine/base/array.h"

/* The arcs of a graph as they are known; NULL with HT_OK: nothing is. */
static enum ht_status arcs_fill(const struct ht_road *filed, const struct ht_map_learn *source,
                                struct ht_arc **out)
{
    const struct ht_graph *graph = filed->graph;
    *out = NULL;
    if (source == NULL) {
        return HT_OK;
    }
    struct ht_arc *arcs = ht_array_new(graph->arc_count, sizeof *arcs);
    if (arcs == NULL) {
        return HT_NOMEM;
    }
    memcpy(arcs, graph->arcs, graph->arc_count * sizeof *arcs);
    if (source->fill(source->user, filed, arcs)) {
        *out = arcs;
    } else {
        free(arcs);
    }
    return HT_OK;
}

/* Gives a profile what is known; its metrics are made at once, with whoever helps. Needs the map's
 * lock. */
static enum ht_status profile_learn(struct ht_map *map, struct ht__map_profile *profile,
                                    struct ht_arc *arcs)
{
    if (arcs == NULL && (profile->traffic == NULL || !ht_traffic_learned(profile->traffic))) {
        return HT_OK;
    }
    enum ht_status status = ht__map_live_begin(profile);
    if (status != HT_OK) {
        free(arcs);
        return status;
    }
    atomic_store(&map->changed, true);
    status = ht_traffic_learn(profile->traffic, arcs, NULL);
    if (status == HT_OK) {
        bool shared = pthread_mutex_trylock(&map->pool->lock) == 0;
        status = ht_traffic_prepare(profile->traffic, shared ? map->pool->pool : NULL);
        if (shared) {
            (void)pthread_mutex_unlock(&map->pool->lock);
        }
    }
    return status;
}

enum ht_status ht_map_learn(struct ht_map *map, const struct ht_map_learn *source)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < map->count && status == HT_OK; i++) {
        struct ht__map_profile *profile = &map->profiles[i];
        struct ht_arc *arcs = NULL;
        (void)pthread_mutex_lock(&map->lock);
        status = ht__map_profile_load(map, i);
        bool motor = status == HT_OK && ht_map_is_motor(profile->base.graph);
        (void)pthread_mutex_unlock(&map->lock);
        if (motor) { /* the base stays as it is, so nobody waits meanwhile */
            status = arcs_fill(&profile->base, source, &arcs);
        }
        (void)pthread_mutex_lock(&map->lock);
        if (motor && status == HT_OK) {
            status = profile_learn(map, profile, arcs);
        }
        (void)pthread_mutex_unlock(&map->lock);
    }
    return status;
}

void ht_map_catch_up(struct ht_map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        struct ht__map_profile *profile = &map->profiles[i];
        (void)pthread_mutex_lock(&map->lock);
        if (profile->traffic != NULL && ht_traffic_learned(profile->traffic)) {
            enum ht_status status = ht_traffic_prepare(profile->traffic, NULL);
            (void)status; /* the next change tries again */
        }
        (void)pthread_mutex_unlock(&map->lock);
    }
}

struct ht_map *ht_map_of(const struct ht_world *world)
{
    struct ht_map *map = ht__map_of(world);
    if (map != NULL) {
        ht_map_retain(map);
    }
    return map;
}

/* ---- another time ---- */

/* What the streets are like then, besides their speeds. */
struct then {
    struct ht__map_changes changes;
    struct ht_cuts cuts;
    uint8_t *turn_closed;
};

static void then_deinit(struct then *then)
{
    free(then->changes.list);
    ht_cuts_deinit(&then->cuts);
    free(then->turn_closed);
}

/* Needs the map's lock. */
static enum ht_status then_find(struct ht_map *map, uint32_t index, const struct ht_map_then *ask,
                                struct then *out)
{
    const struct ht__map_profile *profile = &map->profiles[index];
    const struct ht_graph *graph = profile->base.graph;
    bool *matched = ht_array_new_zeroed(ask->piece_count, sizeof *matched);
    *out = (struct then){.turn_closed = ht_array_new_zeroed(graph->turn_count, 1)};
    enum ht_status status = matched == NULL || out->turn_closed == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        ht_conditions_turns(profile->conditions, ask->local_ms, out->turn_closed);
        status =
            ht__map_changes_find(map, index, ask->pieces, ask->piece_count, matched, &out->changes);
    }
    for (size_t i = 0; i < ask->zone_count && status == HT_OK; i++) {
        if (ht_map_concerns(ask->zones[i]->profiles, graph)) {
            status = ht__map_zone_cuts(profile, ask->zones[i], &out->cuts);
        }
    }
    ht_cuts_once(&out->cuts);
    free(matched);
    return status;
}

/* A road of nobody else. */
static enum ht_status then_make(const struct ht_road *filed, struct ht_arc *arcs,
                                const struct then *then, struct ht_pool *pool,
                                struct ht_live_road **out)
{
    struct ht_traffic *traffic = NULL;
    enum ht_status status = ht_traffic_new(filed, &traffic);
    if (status != HT_OK) {
        free(arcs);
        return status;
    }
    status = ht_traffic_learn(traffic, arcs, NULL);
    if (status == HT_OK) {
        status = ht_traffic_shut(traffic, then->cuts.list, then->cuts.count);
    }
    if (status == HT_OK) {
        status = ht_traffic_apply(traffic, then->changes.list, then->changes.count,
                                  then->turn_closed, pool, out);
    }
    ht_traffic_free(traffic); /* what was given out stays */
    return status;
}

static enum ht_status base_find(struct ht_world *world, const char *profile, struct ht_map **map,
                                uint32_t *index)
{
    const struct ht_world_road *now = NULL;
    *map = ht__map_of(world);
    return *map == NULL ? HT_UNSUPPORTED : ht_world_base(world, profile, &now, index);
}

/* A copy of what the metric follows; NULL with HT_OK: it follows nothing. Needs the map's lock. */
static enum ht_status arcs_copy(const struct ht__map_profile *profile, struct ht_arc **out)
{
    const struct ht_graph *graph = profile->base.graph;
    const struct ht_arc *learned =
        profile->traffic == NULL ? NULL : ht_traffic_learned_arcs(profile->traffic);
    *out = NULL;
    if (learned == NULL) {
        return HT_OK;
    }
    *out = ht_array_new(graph->arc_count, sizeof **out);
    if (*out == NULL) {
        return HT_NOMEM;
    }
    memcpy(*out, learned, graph->arc_count * sizeof **out);
    return HT_OK;
}

enum ht_status ht_map_then(struct ht_world *world, const char *profile,
                           const struct ht_map_then *then, struct ht_pool *pool,
                           struct ht_live_road **out)
{
    struct ht_map *map = NULL;
    struct ht_arc *arcs = NULL;
    struct then state = {0};
    uint32_t index = 0;
    enum ht_status status = base_find(world, profile, &map, &index);
    if (status != HT_OK) {
        return status;
    }
    const struct ht_road *filed = &map->profiles[index].base; /* known, since the world has it */
    (void)pthread_mutex_lock(&map->lock);
    status = then_find(map, index, then, &state);
    if (status == HT_OK && then->followed) {
        status = arcs_copy(&map->profiles[index], &arcs);
    }
    (void)pthread_mutex_unlock(&map->lock);
    if (status == HT_OK && !then->followed && ht_map_is_motor(filed->graph)) {
        status = arcs_fill(filed, then->learn, &arcs);
    }
    if (status == HT_OK) {
        status = then_make(filed, arcs, &state, pool, out);
    }
    then_deinit(&state);
    return status;
}

enum ht_status ht_map_turns_next(struct ht_world *world, const char *profile, int64_t local_ms,
                                 int64_t *next_ms)
{
    struct ht_map *map = NULL;
    uint32_t index = 0;
    enum ht_status status = base_find(world, profile, &map, &index);
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&map->lock);
        *next_ms = ht_conditions_next_change(map->profiles[index].conditions, local_ms);
        (void)pthread_mutex_unlock(&map->lock);
    }
    return status;
}
