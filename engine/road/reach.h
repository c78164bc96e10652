/* Reach: which of many places lie within a travel time, from each of several sources.
 *
 * Sources go down the hierarchy together, eight at a time: a vertex' costs are eight numbers beside
 * each other, so that each row of edges is read once for eight sources and relaxed by one addition
 * and one minimum (PHAST and its many trees at once: Delling, Goldberg, Nowatzyk, Werneck 2011).
 * Only vertices above some place are looked at (RPHAST: Delling, Goldberg, Werneck 2011), and
 * regions whose entries are all slower than the limit are left out (isochrone.h).
 *
 *     root   D[0][0..7]        the ways to the root of all places, by falling rank: a depth-first
 *      |     D[1][0..7]        order, so that D by depth holds the ancestors of the vertex at hand
 *     / \
 *    x   [left out: all eight slower than the limit at its entries]
 *    |
 *   place  reached by source i where the time of its cheapest way is within the limit
 *
 * As everywhere the way of least weight counts, ties by time; lengths don't matter for that and are
 * not computed. What lies on a source's own street, or has one of its arcs in a region that was
 * left out and another reached, is asked for one by one (query.h): the same answers in all cases.
 *
 * Threading: targets are read-only once made; one ht_reach for each thread. Ownership: targets
 * copy what they need and borrow nothing; they fit the road that they were made for, and its metric
 * of that moment. Errors: HT_NOMEM; HT_INVALID (another hierarchy).
 */
#ifndef HT_ENGINE_ROAD_REACH_H
#define HT_ENGINE_ROAD_REACH_H

#include "engine/road/query.h"
#include "engine/road/region.h"

struct ht_reach_targets;
struct ht_reach;

/* A place without a usable side is never reached. `regions` (NULL: none is left out) has
 * HT_REGION_IN among its ways. n log n, and a look at each vertex of the hierarchy. */
HT_MUST_CHECK enum ht_status ht_reach_targets_new(const struct ht_road *road,
                                                  const struct ht_regions *regions,
                                                  const struct ht_place *places, uint32_t count,
                                                  struct ht_reach_targets **out);
void ht_reach_targets_free(struct ht_reach_targets *targets);
uint32_t ht_reach_targets_count(const struct ht_reach_targets *targets);
/* Vertices above some place, for benches. */
size_t ht_reach_targets_vertices(const struct ht_reach_targets *targets);

HT_MUST_CHECK enum ht_status ht_reach_new(struct ht_reach **out);
void ht_reach_free(struct ht_reach *reach);

struct ht_reach_ask {
    const struct ht_road *road;
    const struct ht_reach_targets *targets;
    const struct ht_place *sources; /* up to date with the road (ht_place_refresh) */
    uint32_t source_count;
    uint32_t limit_ms; /* included */
    /* By target: what it takes from the street to there (a walk, floors), of the same limit; NULL:
     * nothing. */
    const uint32_t *after_ms;
};

/* sets[i]: a bit for each target, in words of 64, written over: source i is there in time. */
HT_MUST_CHECK enum ht_status ht_reach_run(struct ht_reach *reach, const struct ht_reach_ask *ask,
                                          uint64_t *const *sets);

/* Words of a set of so many. */
static inline size_t ht_reach_words(size_t count)
{
    return (count + 63) / 64;
}

#endif
