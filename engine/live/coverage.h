/* Coverage: whom units can reach in time, kept up as they move.
 *
 * Of each unit the set of places that it reaches within the limit is kept, a bit each (2.5 KB for
 * 20,000 places), with where it stood when that was found. A question renews the sets of those that
 * have moved since, or whose streets have, eight of a profile at a time (road/reach.h), and joins
 * all. Nothing happens when a unit reports a position: that costs nothing here.
 *
 *     unit 7  at arc 812 + 31 m   ..1101....   kept
 *     unit 9  at arc 40  + 2 m    1.11......   moved: renewed
 *                          all    1.1111....   their union, and how many of them reach a place
 *
 * Exact: a place is in a unit's set when closest.h, asked for that place with this limit less what
 * the place takes beyond its street, finds the unit.
 *
 * Threading: one ht_coverage for each thread. Ownership: roads and targets are borrowed for a call,
 * sets are the coverage's until the next one. Errors: HT_NOMEM; HT_RANGE (a limit past
 * HT_COVERAGE_MOST_MS, a profile past those that were given); HT_INVALID (targets of another
 * hierarchy, or of differing numbers of places).
 */
#ifndef HT_ENGINE_LIVE_COVERAGE_H
#define HT_ENGINE_LIVE_COVERAGE_H

#include "engine/base/pool.h"
#include "engine/road/reach.h"

struct ht_coverage;

#define HT_COVERAGE_MOST_MS (UINT32_C(36000) * 1000)

/* The places that one goes to from points, on one road: as closest is asked, the nearest street
 * that is no island. Without a usable side where there is none within the radius (< 0: any). */
void ht_coverage_snap(const struct ht_road *road, const struct ht_point *points, uint32_t count,
                      double radius_m, struct ht_pool *pool, struct ht_place *out);

/* The same, where it is known where the points are on the streets as filed (`filed`: by
 * ht_coverage_snap with this radius): what is closed takes places away and adds none, so only those
 * are looked for whose street is not as filed. */
void ht_coverage_snap_again(const struct ht_road *road, const struct ht_point *points,
                            uint32_t count, double radius_m, const struct ht_place *filed,
                            struct ht_place *out);

struct ht_coverage_unit {
    uint32_t unit; /* a number that stays its own */
    uint32_t profile;
    struct ht_place place; /* its costs may be those of yesterday */
};

struct ht_coverage_ask {
    /* Names targets and metrics among all that ever were, never reused: what was found under the
     * same number still holds. */
    uint64_t scene;
    uint32_t limit_ms; /* included */
    uint32_t profile_count;
    const struct ht_road *const *roads; /* by profile */
    /* By profile, of the same places in the same order; NULL: nobody of it reaches anything. */
    const struct ht_reach_targets *const *targets;
    /* Profiles from `profile_count` on, `lent_count` of them, whose roads are only there for a
     * while: `lend` (NULL: none are) is asked for one when sets of it have to be renewed; what it
     * gives has to last until it is asked again, or the run ends. */
    uint32_t lent_count;
    enum ht_status (*lend)(void *user, uint32_t profile, const struct ht_road **road,
                           const struct ht_reach_targets **targets);
    void *user;
    uint32_t place_count;
    const uint32_t *after_ms; /* by place: from its street to there, within the limit; NULL: 0.
                                 Of the scene: other ones have another number */
    const struct ht_coverage_unit *units; /* no unit twice */
    uint32_t unit_count;
};

HT_MUST_CHECK enum ht_status ht_coverage_new(struct ht_coverage **out);
void ht_coverage_free(struct ht_coverage *coverage);

HT_MUST_CHECK enum ht_status ht_coverage_run(struct ht_coverage *coverage,
                                             const struct ht_coverage_ask *ask);

/* After a run: the set of the i-th unit asked for, and the union of all. */
const uint64_t *ht_coverage_set(const struct ht_coverage *coverage, uint32_t i);
const uint64_t *ht_coverage_all(const struct ht_coverage *coverage);
/* How many sets it had to renew. */
uint32_t ht_coverage_renewed(const struct ht_coverage *coverage);

#endif
