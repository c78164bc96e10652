/* Drive: units that drive about the streets of a network, second by second.
 *
 * Threading: one track by one thread. Ownership: the road is borrowed.
 */
#ifndef HT_BENCH_DRIVE_H
#define HT_BENCH_DRIVE_H

#include <stdint.h>

#include "engine/live/fleet.h"

struct ht_bench_track {
    uint32_t arc;
    double along_m;
};

/* In [0, 1) and [0, bound): xorshift*, the same each time. */
double ht_bench_random(uint64_t *state);
uint32_t ht_bench_below(uint64_t *state, uint32_t bound);

struct ht_bench_track ht_bench_track_begin(const struct ht_road *road, uint64_t *state);
/* A second further on, 12 m along the street and into a random turn at its end; what the device
 * says then, scattered by up to 5 m; its times are the caller's. */
struct ht_report ht_bench_drive(const struct ht_road *road, struct ht_bench_track *track,
                                uint64_t *state);
/* A place beside a random junction, of a device that knows nothing else. */
struct ht_report ht_bench_jump(const struct ht_road *road, uint64_t *state);

#endif
