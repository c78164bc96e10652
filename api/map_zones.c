/* The part of the map that is about zones: what they cut of each profile's streets. */
#include <stdlib.h>
#include <string.h>

#include "api/map_internal.h"
#include "engine/base/array.h"

enum ht_status ht_zone_new(const struct ht_rings *rings, enum ht_zone_kind kind,
                           const char *profiles, struct ht_zone **out)
{
    size_t size = strlen(profiles) + 1;
    struct ht_zone *zone = calloc(1, sizeof *zone + size);
    if (zone == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&zone->references, 1);
    zone->kind = kind;
    memcpy(zone->profiles, profiles, size);
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

static void cuts_free(struct ht__map_cuts *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ht_zone_release(list[i].zone);
        ht_cuts_deinit(&list[i].cuts);
    }
    free(list);
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
        cuts_free(map->profiles[i].cuts, map->profiles[i].cut_count);
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

static bool concerns(const struct ht_zone *zone, const struct ht_graph *graph)
{
    return zone->profiles[0] == '\0' ? !graph->emergency
                                     : ht__map_is_named(zone->profiles, graph->profile);
}

/* What a zone cuts, taken over from what was known where it is. */
static enum ht_status cuts_get(const struct ht__map_profile *profile, struct ht_zone *zone,
                               struct ht__map_cuts *out)
{
    *out = (struct ht__map_cuts){.zone = zone};
    ht_zone_retain(zone);
    for (size_t i = 0, end = profile->cut_count; i < end;) { /* sorted by address */
        size_t middle = i + (end - i) / 2;
        struct ht__map_cuts *known = &profile->cuts[middle];
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
    return ht_cuts_find(&streets, zone->border,
                        zone->kind == HT_ZONE_CLOSED ? HT_CUT_BORDER : HT_CUT_OUT, &out->cuts);
}

/* The cuts of all zones that hold: by zone into `list`, and all at once. */
static enum ht_status cuts_gather(const struct ht_map *map, const struct ht__map_profile *profile,
                                  struct ht__map_cuts *list, size_t *count, struct ht_cuts *all)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < map->zone_count && status == HT_OK; i++) {
        if (concerns(map->zones[i], profile->base.graph)) {
            struct ht__map_cuts *own = &list[(*count)++];
            status = cuts_get(profile, map->zones[i], own);
            if (status == HT_OK) {
                status = ht_cuts_add(all, own->cuts.list, own->cuts.count);
            }
        }
    }
    ht_cuts_once(all);
    return status;
}

enum ht_status ht__map_zones_obey(struct ht_map *map, uint32_t index)
{
    struct ht__map_profile *profile = &map->profiles[index];
    if (profile->zones_seen == map->zones_told) {
        return HT_OK;
    }
    struct ht_cuts all = {0};
    size_t count = 0;
    struct ht__map_cuts *list = ht_array_new(map->zone_count, sizeof *list);
    enum ht_status status = list == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        status = cuts_gather(map, profile, list, &count, &all);
    }
    bool any = all.count > 0 || profile->traffic != NULL;
    if (status == HT_OK && any) {
        status = ht__map_live_begin(profile);
    }
    if (status == HT_OK && any) {
        status = ht_traffic_shut(profile->traffic, all.list, all.count);
    }
    if (status == HT_OK) {
        struct ht__map_cuts *before = profile->cuts;
        size_t before_count = profile->cut_count;
        profile->cuts = list;
        profile->cut_count = count;
        profile->zones_seen = map->zones_told;
        list = before;
        count = before_count;
    }
    cuts_free(list, count);
    ht_cuts_deinit(&all);
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

enum ht_status ht_map_detour(struct ht_world *world, const struct ht_map_ask *ask,
                             struct ht_pool *pool, struct ht_detour **out)
{
    struct ht_map *map = NULL;
    struct ht_detours *detours = NULL;
    struct ht_detour_ask wanted = {
        .exclude = ask->exclude, .cuts = ask->cuts->list, .cut_count = ask->cuts->count};
    uint32_t index = 0;
    enum ht_status status = base_find(world, ask->profile, &map, &wanted.now, &index);
    if (status == HT_OK && (ask->exclude & ~wanted.now->road.graph->class_mask) != 0) {
        status = HT_INVALID;
    }
    if (status == HT_OK) {
        status = detours_of(map, index, &detours);
    }
    return status == HT_OK ? ht_detours_get(detours, &wanted, pool, out) : status;
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
