/* Live: the units of the town as they move: fleet, index of places, closest index, and what is to
 * be saved.
 *
 * A position goes to memory at once and to the store with the next batch. The closest index belongs
 * to one network; when another is published, or units of a profile that is new come, a new one is
 * made and every unit is put on its streets again, while the old one answers those who hold it.
 *
 * Blue light: a unit's `profile` is how it goes with it. Without, where a question is `plain`, it
 * goes by its `profile_plain`: where the registry names none that is `car` for a unit of profile
 * `emergency`, and `profile` itself for all others, which have no light.
 *
 * Threading: any thread, with its own ht_live_work. Reports of one unit take turns (64 locks).
 * Ownership: the world slot is borrowed.
 */
#ifndef HT_API_LIVE_H
#define HT_API_LIVE_H

#include "engine/live/closest.h"
#include "engine/live/fleet.h"
#include "engine/live/moving.h"
#include "engine/live/world.h"
#include "geodata/store.h"

struct ht_cuts;
struct ht_detour;
struct ht_devices;
struct ht_live;
struct ht_regime_slot;
struct ht_shifts;
struct ht_live_work; /* of one thread */

/* For at most `capacity` units, most of them in `town`; memory of those that never come is not
 * touched. */
HT_MUST_CHECK enum ht_status ht_live_new(struct ht_box town, uint32_t capacity,
                                         struct ht_live **out);
void ht_live_free(struct ht_live *live);

HT_MUST_CHECK enum ht_status ht_live_work_new(struct ht_live *live, struct ht_live_work **out);
void ht_live_work_free(struct ht_live_work *work);
/* Lets go of a map that is not the present one any more; for threads that are idle. */
void ht_live_work_refresh(struct ht_live_work *work, const struct ht_world *now);

/* Lets go of the map of the last question; for threads that may sleep long. */
void ht_live_work_rest(struct ht_live_work *work);

struct ht_fleet *ht_live_fleet(struct ht_live *live);

/* When units are on duty. */
struct ht_shifts *ht_live_shifts(struct ht_live *live);
/* What units report by. */
struct ht_devices *ht_live_devices(struct ht_live *live);

/* From now on what is put goes with the duties of the regimes that are on. Borrowed. */
void ht_live_set_regimes(struct ht_live *live, struct ht_regime_slot *regimes);

/* The registry's word about a unit: properties as the store keeps them. Unknown words count as
 * van, idle and car. */
HT_MUST_CHECK enum ht_status ht_live_unit_put(struct ht_live *live, const char *id,
                                              const char *properties, int64_t now_ms);

/* Where the registry says that a unit is, for one that was never heard: as if seen a day before the
 * registry was told, so that it is stale and whatever it reports first can be true. */
enum { HT_LIVE_PLACE_AGE_MS = 24 * 3600 * 1000 };
void ht_live_unit_place(struct ht_live *live, struct ht_live_work *work, struct ht_world *world,
                        const char *id, struct ht_point point, int64_t told_ms);
/* Both, as the store has it. */
HT_MUST_CHECK enum ht_status ht_live_unit_take(struct ht_live *live, struct ht_live_work *work,
                                               struct ht_world *world,
                                               const struct ht_store_item *item, int64_t now_ms);
void ht_live_unit_remove(struct ht_live *live, const char *id);

/* Reads units, their devices and last positions; at start. */
HT_MUST_CHECK enum ht_status ht_live_load(struct ht_live *live, struct ht_live_work *work,
                                          int64_t now_ms, struct ht_store_reader *reader,
                                          struct ht_error *error);

/* A unit as it was found: its number may be another's later. */
struct ht_live_unit {
    uint32_t number; /* HT_NONE: there is none */
    uint32_t generation;
};
struct ht_live_unit ht_live_unit_find(struct ht_live *live, const char *id, size_t size);

/* Takes a report; HT_REFUSAL_NONE, or why it is not taken. `world` NULL: it is not put on streets.
 * The work keeps the index that reports go to until ht_live_reports_end, to be called after the
 * last of a batch. */
enum ht_refusal ht_live_report(struct ht_live *live, struct ht_live_work *work,
                               struct ht_world *world, struct ht_live_unit unit,
                               const struct ht_report *report);
void ht_live_reports_end(struct ht_live_work *work);

/* Gives the numbers of the units that got a new position since the last call, each once. One caller
 * at a time; costs a look at a word for each 64 units. */
void ht_live_moved_take(struct ht_live *live, void (*sink)(void *user, uint32_t unit), void *user);

/* From now on positions are kept for ht_live_take; before, and without a store, they are not. */
void ht_live_keep(struct ht_live *live);
/* Positions that wait to be saved, at most `most` of them, by unit and time so that a B-tree takes
 * them fast; given to the caller. When more came than HT_LIVE_KEPT since the writer was here last,
 * the rest is thinned out evenly; the latest of each unit is among them always. By one thread (the
 * store's writer). Nothing waits when `count` is 0. HT_NOMEM. */
enum { HT_LIVE_KEPT = 300000 };
struct ht_live_unsaved {
    struct ht_store_position *positions;
    char (*ids)[HT_UNIT_ID_MAX + 1];
    size_t count;
    size_t before; /* the first so many came before the last ht_live_mark */
    bool more;     /* of what the writer took over wait still */
};
HT_MUST_CHECK enum ht_status ht_live_take(struct ht_live *live, size_t most,
                                          struct ht_live_unsaved *out);
/* The registry is another from now on: what was reported up to here came before. By the thread that
 * takes. */
void ht_live_mark(struct ht_live *live);
/* How many came since the writer took over what there was. */
size_t ht_live_waiting(const struct ht_live *live);
/* How many were left out of the tracks for want of time. */
size_t ht_live_thinned(const struct ht_live *live);
void ht_live_unsaved_free(struct ht_live_unsaved *unsaved);
/* They could not be saved: the next ht_live_take gives them again, with what came meanwhile. */
void ht_live_return(struct ht_live *live, const struct ht_live_unsaved *unsaved);

/* What to ask for. */
struct ht_live_ask {
    struct ht_point point;
    uint32_t k;
    double radius_m; /* near: how far; closest: of a street from the point; < 0: no limit */
    uint32_t max_ms; /* closest; UINT32_MAX: no limit */
    bool plain;      /* closest: without blue light */
    struct ht_unit_filter filter;
};

/* The nearest units by straight line; as ht_moving_near. */
HT_MUST_CHECK enum ht_status ht_live_near(struct ht_live *live, struct ht_live_work *work,
                                          const struct ht_live_ask *ask,
                                          const struct ht_moving_hit **hits, uint32_t *count);

/* All units in a box, by id; as ht_moving_in_box. Of `ask` the filter counts. */
HT_MUST_CHECK enum ht_status ht_live_in_box(struct ht_live *live, struct ht_live_work *work,
                                            struct ht_box box, const struct ht_live_ask *ask,
                                            const struct ht_moving_hit **hits, uint32_t *count);

/* From now on ht_live_closest goes over streets of its own that keep off areas, until
 * ht_live_avoid_end, which is to be called also after an error: HT_NOMEM, HT_BUSY and others of
 * ht_avoid_road. The world is to be held. */
struct ht_avoid;
HT_MUST_CHECK enum ht_status ht_live_avoid(struct ht_live *live, struct ht_live_work *work,
                                           struct ht_world *world, const struct ht_avoid *avoid);
void ht_live_avoid_end(struct ht_live_work *work);

/* A point that lies farther from every street is not on the map, where nobody says otherwise. */
enum { HT_LIVE_STREET_M = 1000 };
/* The closest units by travel time; `*hits` lives until the next call with this work.
 * HT_NO_SEGMENT: no street of any unit's profile within the radius. */
HT_MUST_CHECK enum ht_status ht_live_closest(struct ht_live *live, struct ht_live_work *work,
                                             struct ht_world *world, const struct ht_live_ask *ask,
                                             const struct ht_closest_hit **hits, uint32_t *count);

/* After HT_NO_SEGMENT: how far the nearest street is. */
double ht_live_street_m(const struct ht_live_work *work);
/* How far it is from the nearest street that any unit's profile may use, as the questions above
 * find it; below 0: there is none near. Makes ready what ht_live_closest needs. */
HT_MUST_CHECK enum ht_status ht_live_street(struct ht_live *live, struct ht_live_work *work,
                                            struct ht_world *world, struct ht_point point,
                                            double *distance_m);

/* After ht_live_closest: the way of a hit, points of which the first is the unit's place. They live
 * until the next call with this work. HT_NO_ROUTE: the metric was changed since. */
HT_MUST_CHECK enum ht_status ht_live_way(struct ht_live_work *work,
                                         const struct ht_closest_hit *hit,
                                         const struct ht_point **points, size_t *count);

/* From many units to many points, each unit over the streets of its own profile as
 * ht_live_closest goes, within HT_LIVE_STREET_M. `[point * unit_count + unit]`: HT_WEIGHT_INF and
 * -1 where there is no way, or the unit's place is not known. For the job pool: it allocates, and
 * may take seconds. */
struct ht_live_many {
    const uint32_t *units; /* indices of the fleet */
    size_t unit_count;
    const struct ht_point *points;
    size_t point_count;
    struct ht_pool *pool; /* may be NULL */
    bool plain;           /* without blue light */
    uint32_t *duration_ms;
    int64_t *length_mm;
};
HT_MUST_CHECK enum ht_status ht_live_matrix(struct ht_live *live, struct ht_live_work *work,
                                            struct ht_world *world, const struct ht_live_many *ask);

/* The units that fit a filter, each where ht_live_closest would have it. */
struct ht_live_place {
    uint32_t unit;
    uint32_t profile; /* of the fleet: the one by whose streets it goes */
    uint32_t part;    /* 0: the streets of its profile; else ht_live_lane + 1 */
    char id[HT_UNIT_ID_MAX + 1];
    struct ht_place place;
};
struct ht_live_places {
    struct ht_live_place *list;
    size_t count;
    size_t capacity;
    size_t placeless; /* never heard, or far from every street of their profile */
};
struct ht_live_places_ask {
    const struct ht_unit_filter *filter;
    size_t most;
    bool plain; /* without blue light */
};
/* Into `*out`, which may be used again; linear in ht_fleet_end. HT_TOO_BIG: more than `most`. */
HT_MUST_CHECK enum ht_status ht_live_places_find(struct ht_live *live, struct ht_live_work *work,
                                                 struct ht_world *world,
                                                 const struct ht_live_places_ask *ask,
                                                 struct ht_live_places *out);
void ht_live_places_deinit(struct ht_live_places *places);

/* The streets of units whose permits open zones that hold: their profile without what stays shut.
 * Lanes are known from the last question (ht_live_places_find and others) to the next. */
struct ht_live_lane {
    uint32_t profile;
    const struct ht_cuts *cuts;
};
struct ht_live_lane ht_live_lane(const struct ht_live_work *work, uint32_t lane);
/* The lane of a unit (of the fleet) that goes by a profile, after ht_live_lanes_make; HT_NONE: its
 * permits open nothing for it. */
uint32_t ht_live_lane_of(const struct ht_live_work *work, const char *unit, const char *profile);
/* Its road, to be let go of; errors as ht_map_detour. */
HT_MUST_CHECK enum ht_status ht_live_lane_road(struct ht_live_work *work, struct ht_world *world,
                                               uint32_t lane, struct ht_detour **out);
/* Makes the roads of all lanes as the streets are now, lest a question has to. */
HT_MUST_CHECK enum ht_status ht_live_lanes_make(struct ht_live *live, struct ht_live_work *work,
                                                struct ht_world *world);

/* True when units' places are on the streets of the world already. */
bool ht_live_ready(struct ht_live *live, struct ht_world *world);
/* True when ht_live_closest would answer without making anything ready; `work` may be NULL. */
bool ht_live_closest_ready(struct ht_live *live, struct ht_live_work *work, struct ht_world *world);

#endif
