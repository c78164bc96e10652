/* What map.c and map_zones.c share. Not a door. */
#ifndef HT_API_MAP_INTERNAL_H
#define HT_API_MAP_INTERNAL_H

#include <stdatomic.h>

#include "api/calendar.h"
#include "api/map.h"
#include "engine/live/conditions.h"
#include "engine/road/locate.h"
#include "geodata/hnet.h"

struct ht__map_profile {
    bool opened; /* `base` and `conditions` stand; under load_lock */
    bool ready;  /* and all else that a metric is made of was checked */
    bool wanted; /* its road of the moment, by somebody for whom one for ways won't do */
    bool behind; /* a road for ways was given out, as of `behind_ms`; under load_lock */
    int64_t behind_ms;
    uint64_t behind_days; /* the calendar's version then */
    struct ht_conditions *conditions;
    const struct ht_live_road *live; /* in the world given out last; only compared */
    struct ht_road base;
    struct ht_traffic *traffic; /* NULL: never was any */
    struct ht_locate_graph *locate;
    uint8_t *turn_closed;
    uint64_t zones_seen;        /* the map's `zones_told` that its streets obey */
    struct ht_map_shut *shut;   /* NULL: nothing */
    uint64_t shut_given;        /* number of that in the world given out last; 0: nothing */
    struct ht_detours *detours; /* NULL: never were any; under detour_lock */
};

struct ht_map {
    atomic_size_t references;
    uint64_t number;
    struct ht_hnet *file;
    struct ht_shared_pool *pool;
    struct ht_office_calendar *office; /* NULL: no holidays */
    struct ht_calendar calendar;       /* its holidays, for conditions */
    pthread_mutex_t lock;
    pthread_mutex_t load_lock; /* taken last: who holds it waits for no metric */
    pthread_mutex_t detour_lock;
    _Atomic int64_t local_ms;
    atomic_bool changed; /* traffic or zones were told: the streets are not the file's */
    bool given;          /* a world was given out */
    uint32_t count;
    const char **names;
    struct ht_locate *locate; /* NULL until there is traffic */
    struct ht_zone **zones;   /* that hold now, sorted by address */
    size_t zone_count;
    uint64_t zones_told; /* how often they were others */
    struct ht__map_profile profiles[];
};

/* Makes what a profile that is not as filed needs, its buffers excepted. Needs the map's lock, as
 * all below. */
HT_MUST_CHECK enum ht_status ht__map_live_begin(struct ht__map_profile *profile);

/* Checks all of a profile. */
HT_MUST_CHECK enum ht_status ht__map_profile_load(struct ht_map *map, uint32_t index);
/* What traffic says of a profile's streets, made of pieces; `*changes` is to be freed. `matched`:
 * [count], set where the profile has the piece. */
struct ht__map_changes {
    struct ht_traffic_change *list;
    size_t count;
    size_t capacity;
};
HT_MUST_CHECK enum ht_status ht__map_changes_find(struct ht_map *map, uint32_t index,
                                                  const struct ht_map_piece *pieces, size_t count,
                                                  bool *matched, struct ht__map_changes *changes);
/* Adds what a zone cuts of a profile's streets. */
HT_MUST_CHECK enum ht_status ht__map_zone_cuts(const struct ht__map_profile *profile,
                                               struct ht_zone *zone, struct ht_cuts *cuts);

/* The map of a world; NULL: it is of none. */
struct ht_map *ht__map_of(const struct ht_world *world);
/* What is shut in a world whose road of that number is ready; NULL: nothing. */
const struct ht_map_shut *ht__map_shut_of(const struct ht_world *world, uint32_t index);

void ht__map_shut_retain(struct ht_map_shut *shut); /* NULL is fine, here and below */
void ht__map_shut_release(struct ht_map_shut *shut);
static inline uint64_t ht__map_shut_number(const struct ht_map_shut *shut)
{
    return shut == NULL ? 0 : shut->number;
}

/* Lets the streets of a profile that is ready obey the zones that hold. */
HT_MUST_CHECK enum ht_status ht__map_zones_obey(struct ht_map *map, uint32_t index);
void ht__map_zones_deinit(struct ht_map *map);

#endif
