/* Which of several windows of each step count, so that the sum of too early and too late over a
 * route is least: a dynamic program.
 *
 * A step's time less all that is spent before it never falls from step to step. Where the sum is
 * least, such times lie on ends of windows (seen so): all between could be moved until one comes.
 * So these ends are tried alone, each step after the other:
 *
 *      least(i, c) = off(i, c) + least over c' <= c of least(i - 1, c')
 *
 * Threading: pure function. Cost: steps * ends in time, a bit of that in memory.
 */
#ifndef HT_ENGINE_PLAN_GIVEN_WINDOWS_H
#define HT_ENGINE_PLAN_GIVEN_WINDOWS_H

#include "engine/plan/problem.h"

#define HT__GIVEN_CELLS_MOST (UINT64_C(1) << 26) /* steps * ends */

struct ht__given_stop {
    const struct ht_window *windows; /* by time, apart from each other */
    uint32_t window_count;           /* 0: any time */
    struct ht_window forced;         /* it begins within this, whatever that costs */
    int64_t spent_s;                 /* from its begin to the next one's earliest */
};

/* [count] the number of the window that counts; of steps without one it stays as it is. Forced
 * times must not exclude each other. HT_TOO_BIG: more than HT__GIVEN_CELLS_MOST; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__given_windows(const struct ht__given_stop *stops, uint32_t count,
                                               uint32_t *chosen);

#endif
