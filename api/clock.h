/* Clock: what time it is for the town: the machine's, or a virtual one that stands, runs or is
 * pushed on.
 *
 * Time is UTC milliseconds. Threading: all functions from any thread; a reading never goes back.
 *
 * Where the machine's clock is set back, the town's goes on from where it was, nine tenths as fast,
 * until they meet: what runs out in two minutes does, and no event is older than the one before.
 * Where it is set forward, the town's follows at once.
 *
 *   machine   ....../      /
 *                  /     /      by 1 s and less the town's stands until they meet
 *   town      ..../..~~~/
 */
#ifndef HT_API_CLOCK_H
#define HT_API_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/time.h"

struct ht_clock {
    bool is_virtual;
    double speed;       /* of a virtual clock, in seconds a second; 0: stands */
    int64_t start_ms;   /* its time when it was set */
    int64_t started_ms; /* monotonic time then */
    atomic_int_least64_t advanced_ms;
    atomic_int_least64_t last_ms; /* of the machine's: the latest reading */
    atomic_int_least64_t ease;    /* ten times the reading less nine times the monotonic time, while
                                     the machine's is behind; HT_CLOCK_MET: it is not */
};

#define HT_CLOCK_MET INT64_MIN

void ht_clock_real(struct ht_clock *clock);
void ht_clock_virtual(struct ht_clock *clock, int64_t start_ms, double speed);
int64_t ht_clock_now_ms(struct ht_clock *clock);
/* How far the machine's clock is behind; 0: not, or a virtual clock. */
int64_t ht_clock_ahead_ms(struct ht_clock *clock);
/* The reading of a real clock where the machine's and the monotonic one say this. */
int64_t ht__clock_follow(struct ht_clock *clock, int64_t machine_ms, int64_t steady_ms);
/* False: not a virtual clock, or not forwards, or further than a hundred years. */
bool ht_clock_advance(struct ht_clock *clock, double seconds);

#endif
