/* Clock: what time it is for the town: the machine's, or a virtual one that stands, runs or is
 * pushed on.
 *
 * Time is UTC milliseconds. Threading: all functions from any thread; a reading never goes back.
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
};

void ht_clock_real(struct ht_clock *clock);
void ht_clock_virtual(struct ht_clock *clock, int64_t start_ms, double speed);
int64_t ht_clock_now_ms(struct ht_clock *clock);
/* False: not a virtual clock, or not forwards, or further than a hundred years. */
bool ht_clock_advance(struct ht_clock *clock, double seconds);

#endif
