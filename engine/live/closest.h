/* Closest: the units that can be at a place first, by travel time, over the streets as they are
 * now.
 *
 * Exact: each answer is what a shortest way search from that unit gives. Each unit has a profile, a
 * hierarchy of its own therefore; one question is answered over all of them.
 *
 * Way: nothing is kept for a unit but the vertices (arcs) of its place, marked in a bitmap over the
 * ranks of the hierarchy; so a move costs a few stores and a new metric costs nothing here. A query
 * climbs from the target to the root once, and then goes down again only into regions (region.h)
 * that hold units and whose exits are nearer than the k-th unit found so far, nearest region first:
 *
 *     root     D known on the target's way to the root (its label)
 *      |  \
 *      |   [region: min D over its exits = 340 s]     entered only if the k-th is slower
 *      |
 *     [180 s]--o--x unit: D(x) row by row down from the region, less what of its arc is driven
 *      |
 *    target
 *
 * This is the separator-based search of Buchhold and Wagner (SEA 2021) on the elimination tree.
 * Where units (or those that a filter lets through) are few, no search pays: then the labels of
 * their arcs are kept by the workspace (some 5 KB each, 1,024 at most) and joined with the target's
 * one by one; a question makes at most 8 new ones, and searches as long as more are missing. The
 * other way, to keep each unit's costs to all its ancestors in buckets sorted by cost, asks each
 * move of arc for a label and some 300 insertions, each new metric for all of them, and can't be
 * pruned by duration: a unit's way is the one of least weight, and sums over other ancestors may be
 * faster than it.
 *
 * Order: by duration, equal ones by unit. Where a way has several prices the one of least weight
 * counts, ties by duration, then length, as everywhere.
 *
 * Threading: any number of queries beside movers; movers take turns (a mutex), queries wait for
 * none of it: they take two short locks (of 64 each: lists by vertex, units) while they copy.
 * A unit that changes arcs during a query is looked at once more at its end (a ring notes such
 * moves, as in moving.h), so every unit counts once, by a place it had at some moment of the query.
 * Ownership: borrows graphs and hierarchies of the roads it is made for; metrics are the query's
 * own. Another network needs another index. Errors: HT_NOMEM, HT_RANGE.
 */
#ifndef HT_ENGINE_LIVE_CLOSEST_H
#define HT_ENGINE_LIVE_CLOSEST_H

#include "engine/live/fleet.h"
#include "engine/road/query.h"

struct ht_closest;
struct ht_closest_work;

struct ht_closest_hit {
    uint32_t unit;
    uint32_t profile;
    struct ht_cost cost;
    struct ht_place place; /* where the unit was */
};

struct ht_closest_ask {
    uint32_t k;
    uint32_t max_ms;              /* travel time, included; UINT32_MAX: any */
    const struct ht_fleet *fleet; /* whose units are asked by `filter`; NULL: all */
    struct ht_unit_filter filter;
    /* Names the roads' metrics among all that ever were (never reused), as ht_world_id does. Lets
     * the workspace remember labels where units are few. 0: unknown, nothing is remembered. */
    uint64_t world;
    /* By the number of the profile, as the index was made; NULL: units of it are left out. The
     * roads may have any metric; the places are the asked one, on the streets of each profile. */
    const struct ht_road *const *roads;
    const struct ht_place *const *targets;
};

/* `roads[i]` (NULL: none) is the road of profile number i; units are numbers below `capacity`. */
HT_MUST_CHECK enum ht_status ht_closest_new(const struct ht_road *const *roads,
                                            uint32_t profile_count, uint32_t capacity,
                                            struct ht_closest **out);
void ht_closest_free(struct ht_closest *closest);
/* Of this: for the streets of all profiles, and for each unit. */
void ht_closest_bytes(const struct ht_closest *closest, size_t *streets, size_t *units);

/* Where a unit is now, and on which profile's streets. HT_RANGE: no such unit or profile. */
HT_MUST_CHECK enum ht_status ht_closest_set(struct ht_closest *closest, uint32_t unit,
                                            uint32_t profile, const struct ht_place *place);
/* Takes it out; nothing when it isn't there. */
void ht_closest_remove(struct ht_closest *closest, uint32_t unit);

/* For each thread one; for this index only. */
HT_MUST_CHECK enum ht_status ht_closest_work_new(const struct ht_closest *closest,
                                                 struct ht_closest_work **out);
void ht_closest_work_free(struct ht_closest_work *work);

/* The (at most) k closest. `*hits` lives until the workspace's next call. */
HT_MUST_CHECK enum ht_status ht_closest_find(struct ht_closest *closest,
                                             struct ht_closest_work *work,
                                             const struct ht_closest_ask *ask,
                                             const struct ht_closest_hit **hits, uint32_t *count);

#endif
