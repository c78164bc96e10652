#include "api/clock.h"

#include <time.h>

#define CENTURY_S 3.2e9

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void ht_clock_real(struct ht_clock *clock)
{
    *clock = (struct ht_clock){.speed = 1};
}

void ht_clock_virtual(struct ht_clock *clock, int64_t start_ms, double speed)
{
    *clock = (struct ht_clock){.is_virtual = true,
                               .speed = speed,
                               .start_ms = start_ms,
                               .started_ms = read_ms(CLOCK_MONOTONIC)};
}

int64_t ht_clock_now_ms(struct ht_clock *clock)
{
    if (!clock->is_virtual) {
        return read_ms(CLOCK_REALTIME);
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
