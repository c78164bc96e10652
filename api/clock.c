#include "api/clock.h"

#include <time.h>

#define CENTURY_S 3.2e9

enum { STANDS_MS = 1000 }; /* leap seconds, and threads that overtake each other */

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void ht_clock_real(struct ht_clock *clock)
{
    *clock = (struct ht_clock){.speed = 1, .ease = HT_CLOCK_MET};
}

void ht_clock_virtual(struct ht_clock *clock, int64_t start_ms, double speed)
{
    *clock = (struct ht_clock){.is_virtual = true,
                               .speed = speed,
                               .start_ms = start_ms,
                               .ease = HT_CLOCK_MET,
                               .started_ms = read_ms(CLOCK_MONOTONIC)};
}

/* The machine's clock was set back: on from the latest reading, unless it caught up. */
static int64_t eased(struct ht_clock *clock, int64_t machine_ms, int64_t steady_ms, int64_t last_ms)
{
    int64_t ease = HT_CLOCK_MET;
    int64_t begin = 10 * last_ms - 9 * steady_ms;
    if (atomic_compare_exchange_strong(&clock->ease, &ease, begin)) {
        ease = begin;
    }
    int64_t reading_ms = (9 * steady_ms + ease) / 10;
    if (machine_ms < reading_ms) {
        return reading_ms;
    }
    (void)atomic_compare_exchange_strong(&clock->ease, &ease, HT_CLOCK_MET);
    return machine_ms;
}

int64_t ht__clock_follow(struct ht_clock *clock, int64_t machine_ms, int64_t steady_ms)
{
    int64_t last_ms = atomic_load(&clock->last_ms);
    bool met = atomic_load(&clock->ease) == HT_CLOCK_MET && machine_ms + STANDS_MS >= last_ms;
    int64_t now_ms = met ? machine_ms : eased(clock, machine_ms, steady_ms, last_ms);
    while (now_ms > last_ms && !atomic_compare_exchange_weak(&clock->last_ms, &last_ms, now_ms)) {
        /* another thread's reading is the latest meanwhile */
    }
    return now_ms > last_ms ? now_ms : last_ms;
}

int64_t ht_clock_ahead_ms(struct ht_clock *clock)
{
    if (clock->is_virtual || atomic_load(&clock->ease) == HT_CLOCK_MET) {
        return 0;
    }
    int64_t machine_ms = read_ms(CLOCK_REALTIME);
    int64_t now_ms = ht__clock_follow(clock, machine_ms, read_ms(CLOCK_MONOTONIC));
    return now_ms - machine_ms;
}

int64_t ht_clock_now_ms(struct ht_clock *clock)
{
    if (!clock->is_virtual) {
        return ht__clock_follow(clock, read_ms(CLOCK_REALTIME), read_ms(CLOCK_MONOTONIC));
    }
    double elapsed = (double)(read_ms(CLOCK_MONOTONIC) - clock->started_ms) * clock->speed;
    return clock->start_ms + (int64_t)elapsed + atomic_load(&clock->advanced_ms);
}

bool ht_clock_advance(struct ht_clock *clock, double seconds)
{
    if (!clock->is_virtual || !(seconds >= 0 && seconds < CENTURY_S)) {
        return false;
    }
    (void)atomic_fetch_add(&clock->advanced_ms, (int64_t)(seconds * 1000));
    return true;
}
