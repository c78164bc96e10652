/* The part of the map that is about zones: what they cut of each profile's streets. */
#include <stdlib.h>
#include <string.h>

#include "api/map_internal.h"
#include "engine/base/array.h"

enum ht_status ht_zone_new(const struct ht_rings *rings, enum ht_zone_kind kind,
                           const char *profiles, const char *id, struct ht_zone **out)
{
    size_t size = strlen(profiles) + 1;
    struct ht_zone *zone = calloc(1, sizeof *zone + size + strlen(id) + 1);
    if (zone == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&zone->references, 1);
    zone->kind = kind;
    memcpy(zone->profiles, profiles, size);
    memcpy(zone->profiles + size, id, strlen(id) + 1);
    zone->id = zone->profiles + size;
    enum ht_status status = ht_border_new(rings, &zone->border);
    if (status != HT_OK) {
        ht_zone_release(zone);
        return status;
    }
    *out = zone;
    return HT_OK;
}

void ht_zone_retain(struct ht_zone *zone)
{
    (void)atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
}

void ht_zone_release(struct ht_zone *zone)
{
    if (zone != NULL &&
        atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) == 1) {
        ht_border_free(zone->border);
        free(zone);
    }
}

void ht__map_shut_retain(struct ht_map_shut *shut)
{
    if (shut != NULL) {
        (void)atomic_fetch_add_explicit(&shut->references, 1, memory_order_relaxed);
    }
}

void ht__map_shut_release(struct ht_map_shut *shut)
{
    if (shut == NULL ||
        atomic_fetch_sub_explicit(&shut->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < shut->count; i++) {
        ht_zone_release(shut->list[i].zone);
        ht_cuts_deinit(&shut->list[i].cuts);
    }
    free(shut);
}

static void zones_free(struct ht_zone **zones, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ht_zone_release(zones[i]);
    }
    free(zones);
}

void ht__map_zones_deinit(struct ht_map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        ht__map_shut_release(map->profiles[i].shut);
    }
    zones_free(map->zones, map->zone_count);
}

static int by_address(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t) * (struct ht_zone *const *)left;
    uintptr_t b = (uintptr_t) * (struct ht_zone *const *)right;
    return a < b ? -1 : a > b;
}

enum ht_status ht_map_zones(struct ht_map *map, struct ht_zone *const *zones, size_t count)
{
    struct ht_zone **list = ht_array_new(count, sizeof(void *));
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        ht_zone_retain(zones[i]);
        list[i] = zones[i];
    }
    if (count > 1) {
        qsort(list, count, sizeof(void *), by_address);
    }
    (void)pthread_mutex_lock(&map->lock);
    bool same = count == map->zone_count &&
                (count == 0 || memcmp(list, map->zones, count * sizeof(void *)) == 0);
    if (!same) {
        struct ht_zone **before = map->zones;
        size_t before_count = map->zone_count;
        map->zones = list;
        map->zone_count = count;
        map->zones_told++;
        atomic_store(&map->changed, true);
        list = before;
        count = before_count;
    }
    (void)pthread_mutex_unlock(&map->lock);
    zones_free(list, count);
    return HT_OK;
}

bool ht_map_concerns(const char *profiles, const struct ht_graph *graph)
{
    return profiles[0] == '\0' ? !graph->emergency : ht_map_is_named(profiles, graph->profile);
}

/* What a zone cuts, taken over from what was known where it is. */
static enum ht_status cuts_get(const struct ht__map_profile *profile, struct ht_zone *zone,
                               struct ht_map_cuts *out)
{
    *out = (struct ht_map_cuts){.zone = zone};
    ht_zone_retain(zone);
    for (size_t i = 0, end = profile->shut == NULL ? 0 : profile->shut->count; i < end;) {
        size_t middle = i + (end - i) / 2; /* sorted by address */
        struct ht_map_cuts *known = &profile->shut->list[middle];
        if (known->zone == zone) {
            return ht_cuts_add(&out->cuts, known->cuts.list, known->cuts.count);
        }
        if ((uintptr_t)known->zone < (uintptr_t)zone) {
            i = middle + 1;
        } else {
            end = middle;
        }
    }
    const struct ht_cut_streets streets = {profile->base.network, profile->base.graph,
                                           profile->base.snap};
    enum ht_status status =
        ht_cuts_find(&streets, zone->border,
                     zone->kind == HT_ZONE_CLOSED ? HT_CUT_BORDER : HT_CUT_OUT, &out->cuts);
    ht_cuts_once(&out->cuts);
    return status;
}

enum ht_status ht__map_zone_cuts(const struct ht__map_profile *profile, struct ht_zone *zone,
                                 struct ht_cuts *cuts)
{
    struct ht_map_cuts one;
    enum ht_status status = cuts_get(profile, zone, &one);
    if (status == HT_OK) {
        status = ht_cuts_add(cuts, one.cuts.list, one.cuts.count);
    }
    ht_zone_release(one.zone);
    ht_cuts_deinit(&one.cuts);
    return status;
}

/* The cuts of all zones that hold, zone by zone; NULL: none concerns the profile. */
static enum ht_status shut_make(const struct ht_map *map, const struct ht__map_profile *profile,
                                struct ht_map_shut **out)
{
    static atomic_uint_least64_t numbers;
    enum ht_status status = HT_OK;
    struct ht_map_shut *shut = calloc(1, sizeof *shut + map->zone_count * sizeof shut->list[0]);
    *out = NULL;
    if (shut == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&shut->references, 1);
    shut->number = atomic_fetch_add(&numbers, 1) + 1;
    for (size_t i = 0; i < map->zone_count && status == HT_OK; i++) {
        if (ht_map_concerns(map->zones[i]->profiles, profile->base.graph)) {
            status = cuts_get(profile, map->zones[i], &shut->list[shut->count++]);
        }
    }
    if (status != HT_OK || shut->count == 0) {
        ht__map_shut_release(shut);
        return status;
    }
    *out = shut;
    return HT_OK;
}

static bool same_zones(const struct ht_map_shut *a, const struct ht_map_shut *b)
{
    bool same = (a == NULL ? 0 : a->count) == (b == NULL ? 0 : b->count);
    for (size_t i = 0; same && a != NULL && i < a->count; i++) {
        same = a->list[i].zone == b->list[i].zone;
    }
    return same;
}

/* Shuts what the zones of `shut` cut. */
static enum ht_status shut_apply(struct ht__map_profile *profile, const struct ht_map_shut *shut)
{
    struct ht_cuts all = {0};
    enum ht_status status = HT_OK;
    for (size_t i = 0; shut != NULL && i < shut->count && status == HT_OK; i++) {
        status = ht_cuts_add(&all, shut->list[i].cuts.list, shut->list[i].cuts.count);
    }
    ht_cuts_once(&all);
    bool any = all.count > 0 || profile->traffic != NULL;
    if (status == HT_OK && any) {
        status = ht__map_live_begin(profile);
    }
    if (status == HT_OK && any) {
        status = ht_traffic_shut(profile->traffic, all.list, all.count);
    }
    ht_cuts_deinit(&all);
    return status;
}

enum ht_status ht__map_zones_obey(struct ht_map *map, uint32_t index)
{
    struct ht__map_profile *profile = &map->profiles[index];
    struct ht_map_shut *shut = NULL;
    if (profile->zones_seen == map->zones_told) {
        return HT_OK;
    }
    enum ht_status status = shut_make(map, profile, &shut);
    if (status == HT_OK && !same_zones(shut, profile->shut)) {
        status = shut_apply(profile, shut);
        if (status == HT_OK) {
            struct ht_map_shut *before = profile->shut;
            profile->shut = shut;
            shut = before;
        }
    }
    if (status == HT_OK) {
        profile->zones_seen = map->zones_told;
    }
    ht__map_shut_release(shut);
    return status;
}

/* ---- detours ---- */

static enum ht_status detours_of(struct ht_map *map, uint32_t index, struct ht_detours **out)
{
    struct ht__map_profile *profile = &map->profiles[index];
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&map->detour_lock);
    if (profile->detours == NULL) {
        status = ht_detours_new(&profile->base, &profile->detours);
    }
    *out = profile->detours;
    (void)pthread_mutex_unlock(&map->detour_lock);
    return status;
}

/* The map and the road of a profile. */
static enum ht_status base_find(struct ht_world *world, const char *profile, struct ht_map **map,
                                const struct ht_world_road **now, uint32_t *index)
{
    *map = ht__map_of(world);
    return *map == NULL ? HT_UNSUPPORTED : ht_world_base(world, profile, now, index);
}

enum ht_status ht_map_shut(struct ht_world *world, const char *profile,
                           const struct ht_map_shut **out)
{
    struct ht_map *map = NULL;
    const struct ht_world_road *now = NULL;
    uint32_t index = 0;
    *out = NULL;
    if (ht__map_of(world) == NULL) {
        return HT_OK; /* of no map: nothing shuts it */
    }
    enum ht_status status = base_find(world, profile, &map, &now, &index);
    if (status == HT_OK) {
        *out = ht__map_shut_of(world, index);
    }
    return status;
}

enum ht_status ht_map_filed(struct ht_world *world, const char *profile, const struct ht_road **out)
{
    struct ht_map *map = NULL;
    const struct ht_world_road *now = NULL;
    uint32_t index = 0;
    *out = NULL;
    if (ht__map_of(world) == NULL) {
        return HT_OK;
    }
    enum ht_status status = base_find(world, profile, &map, &now, &index);
    if (status == HT_OK) {
        *out = &map->profiles[index].base;
    }
    return status;
}

enum ht_status ht_map_cuts(struct ht_world *world, const char *profile,
                           struct ht_zone *const *areas, size_t count, struct ht_cuts *cuts)
{
    struct ht_map *map = NULL;
    const struct ht_world_road *now = NULL;
    uint32_t index = 0;
    enum ht_status status = base_find(world, profile, &map, &now, &index);
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        /* its base is known, since the world has the road */
        const struct ht_road *base = &map->profiles[index].base;
        const struct ht_cut_streets streets = {base->network, base->graph, base->snap};
        status = ht_cuts_find(&streets, areas[i]->border, HT_CUT_ALL, cuts);
    }
    ht_cuts_once(cuts);
    return status;
}

/* What detours are asked for, and which. */
static enum ht_status ask_make(struct ht_world *world, const struct ht_map_ask *ask,
                               struct ht_detours **detours, struct ht_detour_ask *out)
{
    struct ht_map *map = NULL;
    uint32_t index = 0;
    *out = (struct ht_detour_ask){.exclude = ask->exclude,
                                  .cuts = ask->cuts->list,
                                  .cut_count = ask->cuts->count,
                                  .unshut = ask->unshut,
                                  .light = ask->light,
                                  .lasts = ask->lasts};
    enum ht_status status = base_find(world, ask->profile, &map, &out->now, &index);
    out->now = ask->then == NULL ? out->now : ask->then;
    if (status == HT_OK && (ask->exclude & ~out->now->road.graph->class_mask) != 0) {
        status = HT_INVALID;
    }
    return status == HT_OK ? detours_of(map, index, detours) : status;
}

enum ht_status ht_map_detour(struct ht_world *world, const struct ht_map_ask *ask,
                             struct ht_pool *pool, struct ht_detour **out)
{
    struct ht_detours *detours = NULL;
    struct ht_detour_ask wanted;
    enum ht_status status = ask_make(world, ask, &detours, &wanted);
    return status == HT_OK ? ht_detours_get(detours, &wanted, pool, out) : status;
}

bool ht_map_detour_ready(struct ht_world *world, const struct ht_map_ask *ask)
{
    struct ht_detours *detours = NULL;
    struct ht_detour_ask wanted;
    return ask_make(world, ask, &detours, &wanted) == HT_OK && ht_detours_have(detours, &wanted);
}

void ht_map_rest(struct ht_map *map)
{
    (void)pthread_mutex_lock(&map->detour_lock);
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->profiles[i].detours != NULL) {
            ht_detours_rest(map->profiles[i].detours);
        }
    }
    (void)pthread_mutex_unlock(&map->detour_lock);
}
