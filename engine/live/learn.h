/* Learn: from the positions of vehicles on the road to drives over streets (speeds.h).
 *
 * Each unit has a stream of the matcher (road/match.h) with a lag of four fixes. Between two fixes
 * that were settled the time, less what the file has for the turns, is shared among the arcs by
 * the file's times; an arc that is left was driven in the sum of its shares. It counts where at
 * least half of it was driven, and the file has two seconds or more for that. Costs are always the
 * file's, whatever was learned or said: what is learned does not feed on itself.
 *
 * Who needs longer than a minute for 25 m has stopped: the arc does not count, so that doors and
 * kitchens don't look like jams. Two minutes of silence end a trip, so does standing for five.
 *
 * Memory: 70 KB a unit, at most `units_most` of them; another one takes the place of a unit that
 * was silent for ten minutes, or is not learned from. Positions are held for as long as the lag.
 *
 * Threading: one thread at a time. Ownership: ht_learn_free frees all. Errors: HT_NOMEM.
 */
#ifndef HT_ENGINE_LIVE_LEARN_H
#define HT_ENGINE_LIVE_LEARN_H

#include "engine/live/speeds.h"
#include "engine/road/match.h"

struct ht_learn;

HT_MUST_CHECK enum ht_status ht_learn_new(uint32_t units_most, struct ht_learn **out);
void ht_learn_free(struct ht_learn *learn); /* NULL is fine */

/* Forgets what is under way: before the first fix on another network. */
void ht_learn_reset(struct ht_learn *learn);

struct ht_learn_fix {
    uint32_t unit;
    uint32_t generation; /* another one is another vehicle of that number */
    struct ht_point point;
    int64_t ts_ms;
    int64_t local_ms;  /* the same on the town's clock (engine/base/schedule.h) */
    double accuracy_m; /* < 0: not known */
};

enum ht_learn_outcome {
    HT_LEARN_TAKEN,
    HT_LEARN_FULL,   /* too many units at a time */
    HT_LEARN_SOONER, /* than the last of its unit */
    HT_LEARN_LOST,   /* the matcher could not go on; the unit begins anew */
};

/* Takes a fix; what it settles goes into `speeds`. `road`: of the unit's profile as filed, of the
 * same network as all since the last reset. */
HT_MUST_CHECK enum ht_status ht_learn_take(struct ht_learn *learn, const struct ht_road *road,
                                           const struct ht_learn_fix *fix, struct ht_speeds *speeds,
                                           enum ht_learn_outcome *outcome);

/* How many drives over an arc were taken, ever. */
uint64_t ht_learn_drives(const struct ht_learn *learn);

/* What a base arc is known by. Keys differ by profile; they are of OSM's node numbers, class and
 * place, so another network file has the same where the street is the same. */
struct ht_speeds_keys ht_learn_keys(const struct ht_road *road, uint32_t arc);

/* What all streets cost in a quarter by what is known: `arcs` is a copy of the graph's arcs, whose
 * weight and duration are scaled. */
struct ht_learned {
    size_t by[HT_SPEEDS_SOURCES]; /* base arcs, by where it is known from */
    double ratio;                 /* time of all base arcs over the file's; 1 without any */
};
struct ht_learned ht_learn_costs(const struct ht_speeds *speeds, const struct ht_road *road,
                                 uint32_t quarter, uint32_t least, struct ht_arc *arcs);

#endif
