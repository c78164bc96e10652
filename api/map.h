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
#include <stdatomic.h>

#include "engine/base/border.h"
#include "engine/base/pool.h"
#include "engine/live/detour.h"
#include "engine/live/traffic.h"
#include "engine/live/world.h"

struct ht_map;
struct ht_office_calendar;

/* A pool that is used when nobody else does. */
struct ht_shared_pool {
    struct ht_pool *pool;
    pthread_mutex_t lock;
};

/* Opens the file; its profiles are checked later. `pool` and `calendar`, which says what holidays
 * are (NULL: no day is one), are borrowed. Errors as ht_hnet_open. */
HT_MUST_CHECK enum ht_status ht_map_open(const char *path, struct ht_shared_pool *pool,
                                         struct ht_office_calendar *calendar, struct ht_map **out,
                                         struct ht_error *error);
void ht_map_retain(struct ht_map *map);
void ht_map_release(struct ht_map *map); /* NULL is fine */

/* Its own among all that this process ever opened, not 0. */
uint64_t ht_map_number(const struct ht_map *map);

/* What it covers. */
struct ht_box ht_map_box(const struct ht_map *map);

/* Whether all of its file was checked before and nobody has written to it since. */
bool ht_map_trusted(const struct ht_map *map);

/* Checks every profile; `error` says which is damaged and how. */
HT_MUST_CHECK enum ht_status ht_map_check(struct ht_map *map, struct ht_error *error);

/* The world as of `local_ms` (engine/base/schedule.h) and of what the calendar says now, with a
 * reference for the caller; NULL when it would be the same as the one given out last. Profiles that
 * get ready later do so as of the `local_ms` of the last call. */
HT_MUST_CHECK enum ht_status ht_map_world(struct ht_map *map, int64_t local_ms,
                                          struct ht_world **out);

/* When the next conditional turn opens or closes after `local_ms` in a profile that is ready;
 * INT64_MAX: never. */
int64_t ht_map_next_change(struct ht_map *map, int64_t local_ms);

/* Where traffic data says that something is not as usual: between two OSM nodes, in this direction
 * (engine/road/locate.h). */
struct ht_map_piece {
    int64_t osm_from;
    int64_t osm_to;
    float speed_mps;      /* as in engine/live/traffic.h */
    const char *profiles; /* names with commas between; "": every motor profile */
};

/* Takes pieces, in order; the next world obeys. `matched[i]`: whether a profile that is meant has
 * the piece. The first call for a profile makes its buffers (a whole customization). Errors as
 * ht_traffic_apply; nothing is taken then, except after HT_NOMEM and HT_BUSY, which may be tried
 * again. */
HT_MUST_CHECK enum ht_status ht_map_traffic(struct ht_map *map, const struct ht_map_piece *pieces,
                                            size_t count, bool *matched);
/* Makes what ht_map_traffic and ht_map_zones need of every profile, so that the first change and
 * the first zone are as fast as any: to be called where there is time. */
HT_MUST_CHECK enum ht_status ht_map_traffic_prepare(struct ht_map *map);

/* What is known of streets' speeds (api/learning.h). */
struct ht_map_learn {
    /* Scales the costs in `arcs`, a copy of those of the profile's graph, to what is known; false:
     * nothing is. */
    bool (*fill)(void *user, const struct ht_road *filed, struct ht_arc *arcs);
    void *user;
};
/* The streets of motor profiles cost what is known from the next ht_map_world on, under what
 * traffic and zones say; NULL: as filed, exactly as if nothing had ever been known. A layer of its
 * own: it replaces what was known before. HT_NOMEM, HT_BUSY: to be tried again. */
HT_MUST_CHECK enum ht_status ht_map_learn(struct ht_map *map, const struct ht_map_learn *source);
/* Brings metrics up to date that are read no more, so that the next change takes what it touches.
 */
void ht_map_catch_up(struct ht_map *map);

/* The streets of another time. */
struct ht_map_then {
    int64_t local_ms;
    const struct ht_map_piece *pieces; /* what traffic says of then */
    size_t piece_count;
    struct ht_zone *const *zones; /* closed and controlled ones that hold then */
    size_t zone_count;
    bool followed; /* speeds are those that the metric follows, where it follows any */
    const struct ht_map_learn *learn; /* NULL: nothing is known */
};
/* A profile's road at that time, with a metric of its own (a whole customization by `pool`, which
 * may be NULL) where anything is not as filed; to be let go of before the map. For the job pool.
 * HT_UNSUPPORTED: the world is none of ht_map_world; errors of ht_world_road. */
HT_MUST_CHECK enum ht_status ht_map_then(struct ht_world *world, const char *profile,
                                         const struct ht_map_then *then, struct ht_pool *pool,
                                         struct ht_live_road **out);
/* When a conditional turn of a profile opens or closes after `local_ms`; INT64_MAX: never. Errors
 * as above. */
HT_MUST_CHECK enum ht_status ht_map_turns_next(struct ht_world *world, const char *profile,
                                               int64_t local_ms, int64_t *next_ms);
/* The map of a world, with a reference for the caller; NULL: it is of none. */
struct ht_map *ht_map_of(const struct ht_world *world);

/* A zone that streets obey, counted by reference; never changes. */
enum ht_zone_kind {
    HT_ZONE_OTHER,      /* nothing in routing */
    HT_ZONE_CLOSED,     /* no way in or out */
    HT_ZONE_CONTROLLED, /* in but not out */
};

struct ht_zone {
    atomic_size_t references;
    enum ht_zone_kind kind;
    struct ht_border *border;
    const char *id;  /* by which permits name it; "": none does */
    char profiles[]; /* names with commas between; "": all that are not for emergencies */
};

HT_MUST_CHECK enum ht_status ht_zone_new(const struct ht_rings *rings, enum ht_zone_kind kind,
                                         const char *profiles, const char *id,
                                         struct ht_zone **out);
void ht_zone_retain(struct ht_zone *zone);
void ht_zone_release(struct ht_zone *zone); /* NULL is fine */

/* Zones (closed and controlled ones, each once) that hold: these and no others, in the next world.
 * The map holds them. What each cuts is found when it is new, and a profile that was not prepared
 * gets a buffer when a zone first cuts it (a whole customization, in the next ht_map_world).
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_map_zones(struct ht_map *map, struct ht_zone *const *zones,
                                          size_t count);

/* What zones shut of a profile's streets, zone by zone; never changes. */
struct ht_map_cuts {
    struct ht_zone *zone; /* held */
    struct ht_cuts cuts;  /* sorted, each once */
};
struct ht_map_shut {
    atomic_size_t references;
    uint64_t number;
    size_t count;
    struct ht_map_cuts list[]; /* sorted by the zone's address */
};
/* That of a world, borrowed from it; NULL: nothing is shut. Errors of ht_world_road. */
HT_MUST_CHECK enum ht_status ht_map_shut(struct ht_world *world, const char *profile,
                                         const struct ht_map_shut **out);
/* The road of a profile as it is filed: with nothing closed. NULL: the world is of no map. */
HT_MUST_CHECK enum ht_status ht_map_filed(struct ht_world *world, const char *profile,
                                          const struct ht_road **out);
/* Whether zones with these `profiles` concern a profile. */
bool ht_map_concerns(const char *profiles, const struct ht_graph *graph);
/* Whether a profile drives. */
bool ht_map_is_motor(const struct ht_graph *graph);
/* Whether a profile is meant by names with commas between. */
bool ht_map_is_named(const char *profiles, const char *name);

/* The pieces of a profile's streets that areas touch, whatever kind of zone they are; sorted, each
 * once. HT_UNSUPPORTED: the world is none of ht_map_world; errors of ht_world_road. */
HT_MUST_CHECK enum ht_status ht_map_cuts(struct ht_world *world, const char *profile,
                                         struct ht_zone *const *areas, size_t count,
                                         struct ht_cuts *cuts);
/* A road for one question (engine/live/detour.h): as the world has it, without these pieces and the
 * classes in `exclude`. To be let go of before the world is. Errors also of ht_detours_get. */
struct ht_map_ask {
    const char *profile;
    uint16_t exclude;
    const struct ht_cuts *cuts;
    bool unshut; /* as in struct ht_detour_ask */
    bool light;
    bool lasts;
    const struct ht_world_road
        *then; /* the streets of another time, of ht_map_then; NULL: of now */
};
HT_MUST_CHECK enum ht_status ht_map_detour(struct ht_world *world, const struct ht_map_ask *ask,
                                           struct ht_pool *pool, struct ht_detour **out);
/* Whether it would be there at once. */
bool ht_map_detour_ready(struct ht_world *world, const struct ht_map_ask *ask);
/* Frees roads of that kind that were not asked for since the last call. */
void ht_map_rest(struct ht_map *map);

#endif
