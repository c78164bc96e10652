/* Follow: the street that a moving unit is on, so that a van on a bridge is not put on the road
 * below.
 *
 * Of the HT_FOLLOW_CANDIDATES nearest places on streets that the profile may use, the one with the
 * least sum (in metres) is taken; of equal ones the nearest:
 *
 *   distance     to the street; beyond an accuracy of 10 m it counts in proportion less
 *   heading      25 (1 - cos a), 0 to 50, where a lies between the unit's bearing and the street's
 *                direction; only of units that move (2 m/s or more, or a speed that is not known).
 *                A bearing that is not known is taken from the last position when that is 20 m off
 *   way there    half of what the way from the last place along the streets differs from the
 *                straight line, 60 at most, and when there is none among the next 48 arcs (turns
 *                obeyed, closures not); on the same street, turning round included, there is one.
 *                Not asked when the last place is 500 m off: nothing is known about the way then
 *   island       100 where the street is no part of a large component
 *
 * This is one step of the scoring of hidden Markov map matching (Newson and Krumm 2009), without
 * going back on what was decided. A unit that moves keeps only the direction that it drives in,
 * where the two can be told apart; one that stands may leave either way.
 *
 * Threading: one workspace for each thread; the road is read-only.
 */
#ifndef HT_ENGINE_LIVE_FOLLOW_H
#define HT_ENGINE_LIVE_FOLLOW_H

#include "engine/base/status.h"
#include "engine/road/query.h"

enum { HT_FOLLOW_CANDIDATES = 8, HT_FOLLOW_REACH_M = 1000 };

struct ht_follow;

/* What a device says; negative: not known. */
struct ht_fix {
    struct ht_point point;
    double bearing_deg;
    double speed_mps;
    double accuracy_m;
};

HT_MUST_CHECK enum ht_status ht_follow_new(struct ht_follow **out);
void ht_follow_free(struct ht_follow *follow);

/* `last` (NULL: none) is what was answered for the position before, on the same graph.
 * HT_NO_SEGMENT: no street within HT_FOLLOW_REACH_M; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_follow_place(struct ht_follow *follow, const struct ht_road *road,
                                             const struct ht_fix *fix, const struct ht_place *last,
                                             struct ht_place *out);

#endif
