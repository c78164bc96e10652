/* Times: a clock, and what a list of measured values says.
 *
 * Threading: any. Static functions, since each is a few lines.
 */
#ifndef HT_BENCH_TIMES_H
#define HT_BENCH_TIMES_H

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

/* Microseconds of a clock: CLOCK_MONOTONIC for what passed, CLOCK_THREAD_CPUTIME_ID for what this
 * thread took of a core. */
static inline double ht_bench_now_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline double ht_bench_now_ms(void)
{
    return ht_bench_now_us(CLOCK_MONOTONIC) / 1e3;
}

static inline int ht_bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void ht_bench_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ht_bench_by_value);
}

/* The value that a share of them does not exceed: 0.5 the middle one, 1 the largest. Sorts them;
 * `count` > 0. */
static inline double ht_bench_at_share(double *values, size_t count, double share)
{
    ht_bench_sort(values, count);
    return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

#endif
