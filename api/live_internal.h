/* The inside of api/live.h: for live.c and live_index.c alone. */
#ifndef HT_API_LIVE_INTERNAL_H
#define HT_API_LIVE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/live.h"
#include "engine/road/cut.h"
#include "engine/road/shape.h"
#include "engine/road/snap.h"

enum { HT__LIVE_LOCKS = 64 };

/* A closest index and the streets it was made for. */
struct ht__live_index {
    atomic_size_t references;
    uint64_t number; /* of the streets: never the same for two indices */
    struct ht_world *world;
    const void *network; /* ht__live_network_of the world */
    uint32_t profile_count;
    const struct ht_road *roads[HT_FLEET_PROFILES_MAX];
    struct ht_closest *closest;
    uint32_t plains; /* ht_fleet_plain_profiles when it was made */
    struct ht_closest
        *plain; /* units with a blue light, as they go without; NULL: there are none */
    /* All units are on its streets as of so many wishes: questions wait for all of them to be
     * fulfilled, reports don't. */
    atomic_uint wished;
    atomic_uint filled;
};

/* A position on its way to the store. */
struct ht__live_note {
    uint32_t unit;
    uint32_t generation; /* its number may be given to another before it is saved */
    bool old;            /* came before a mark */
    int64_t ts_ms;
    int64_t received_ms;
    struct ht_fix fix;
};

struct ht_live {
    struct ht_fleet *fleet;
    struct ht_moving *moving;
    struct ht_shifts *shifts;
    struct ht_devices *devices;
    struct ht_regime_slot *regimes; /* NULL: none */
    uint32_t capacity;
    pthread_mutex_t locks[HT__LIVE_LOCKS]; /* of units, by number */
    pthread_mutex_t index_lock;            /* guards `index` while a reference is taken */
    pthread_mutex_t make_lock;             /* one index is made at a time */
    struct ht__live_index *index;
    uint64_t index_number;
    atomic_uint_least64_t published; /* number of `index`: who holds it need not take the lock */
    pthread_mutex_t note_lock;
    struct ht__live_note *notes;
    size_t note_count;
    size_t note_capacity;
    size_t note_marked;         /* so many of them came before a mark */
    bool notes_lost;            /* some found no room; the latest are taken from the fleet then */
    _Atomic size_t waiting;     /* note_count, for who has no lock */
    struct ht__live_note *sent; /* what the writer took over, as far as it is not saved */
    size_t sent_capacity;
    size_t sent_at;
    size_t sent_count;
    bool sent_old; /* all that is left of it came before a mark */
    _Atomic size_t thinned;
    atomic_uint_least64_t *moved; /* a bit for each unit with a new position */
    bool noting;                  /* somebody takes them; set before any report comes */
};

/* Units of a profile whose permits open the same zones (live_permits.h). */
struct ht__live_lane {
    uint32_t profile;
    uint8_t *opens;      /* by the zone's place among those that shut the profile */
    struct ht_cuts cuts; /* what stays shut */
};

struct ht__live_lanes {
    uint64_t world; /* its id; 0: not made */
    uint64_t index; /* number of the closest index */
    uint64_t state; /* of the fleet's permits */
    uint64_t number;
    struct ht_permit_parts parts; /* part 0: nobody's lane; lane i is part i + 1 */
    uint32_t *part;
    size_t part_capacity;
    struct ht__live_lane *list;
    size_t count;
    size_t capacity;
};

struct ht_live_work {
    struct ht_live *live;
    struct ht_follow *follow;
    struct ht_moving_work *moving;
    struct ht_snap_work *snap;
    struct ht_query *query;
    struct ht_closest_work *closest; /* of the index `held` */
    struct ht_closest_work *plain;   /* the same; NULL where that has none */
    struct ht__live_index *held;
    struct ht__live_index *reporting; /* that the reports of a batch go to; NULL: none */
    double street_m;                  /* of the last question that lay too far from every street */
    struct ht_place targets[HT_FLEET_PROFILES_MAX];
    const struct ht_place *target_list[HT_FLEET_PROFILES_MAX];
    struct ht_road roads[HT_FLEET_PROFILES_MAX]; /* as the last question saw them */
    const struct ht_road *road_list[HT_FLEET_PROFILES_MAX];
    struct ht_world *world; /* of the last question, as the next two */
    struct ht_point point;
    double radius_m;
    bool avoiding; /* between ht_live_avoid and its end */
    struct ht_detour *detours[HT_FLEET_PROFILES_MAX];
    struct ht_cuts avoid_cuts[HT_FLEET_PROFILES_MAX];
    struct ht__live_lanes lanes;
    struct ht_closest_hit *hits; /* of all lanes together */
    size_t hit_capacity;
    struct ht_shape shape;
};

void ht__live_note_add(struct ht_live *live, const struct ht__live_note *note);

/* The index for the world's network, made when there is none yet; released by the caller. */
HT_MUST_CHECK enum ht_status ht__live_index_get(struct ht_live *live, struct ht_live_work *work,
                                                struct ht_world *world,
                                                struct ht__live_index **out);
/* The index of the moment, with a reference; NULL: none yet. */
struct ht__live_index *ht__live_index_peek(struct ht_live *live);
/* A unit has to be put on other streets: the next question puts all of them there anew. */
void ht__live_index_refill(struct ht_live *live);
void ht__live_index_release(struct ht__live_index *index);

/* What tells the network of a world from that of another: all profiles of one file share it. NULL:
 * no profile was asked for yet. */
static inline const void *ht__live_network_of(const struct ht_world *world)
{
    const struct ht_network *network = ht_world_network(world);
    return network == NULL ? NULL : network->node_point;
}

/* Whether the index fits the world and the fleet. */
bool ht__live_index_fits(const struct ht_live *live, const struct ht__live_index *index,
                         const struct ht_world *world);
/* That, and all units are on its streets. */
bool ht__live_index_ready(const struct ht_live *live, const struct ht__live_index *index,
                          const struct ht_world *world);

/* Puts a unit where it is now, with and without its blue light. Needs the unit's lock. */
HT_MUST_CHECK enum ht_status ht__live_index_set(struct ht__live_index *index, uint32_t unit,
                                                const struct ht_unit_life *life,
                                                const struct ht_position *taken);
void ht__live_index_remove(struct ht__live_index *index, uint32_t unit);

/* On which profile's streets a unit goes, with blue light or without, and where it is on them.
 * False: nowhere on the streets of that number. */
static inline bool ht__live_where(const struct ht_unit *unit, bool plain, uint64_t network,
                                  uint32_t *profile, const struct ht_place **place)
{
    bool other = plain && unit->plain != unit->profile;
    *profile = other ? unit->position.plain_profile : unit->profile;
    *place = other ? &unit->position.plain : &unit->position.place;
    return unit->positioned &&
           (other ? unit->position.plain_network : unit->position.network) == network;
}

/* The streets of an index, as the fleet wants them. */
struct ht_fleet_streets ht__live_streets(const struct ht__live_index *index);

#endif
