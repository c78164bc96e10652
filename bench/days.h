/* Days: made-up days of meal vans, to hold arrival forecasts (engine/live/arrival.h) against.
 *
 * 24 vans with 25 stops each. A stop's planned time is a minute and 20 s for each of 1 to 8 orders;
 * what it takes depends on its compound (which nobody is told) and on luck, and three of a hundred
 * doors take three minutes more. A way takes what is planned times luck, of which a part is the
 * same for all of a day. A seed fixes everything.
 *
 * Threading: none. Include it in one .c file of a program.
 */
#ifndef HT_BENCH_DAYS_H
#define HT_BENCH_DAYS_H

#include <math.h>
#include <stdint.h>

#include "engine/live/arrival.h"

enum { HT_DAY_VANS = 24, HT_DAY_STOPS = 25, HT_DAY_COMPOUNDS = 56 };

struct ht_day_stop {
    uint64_t compound;
    double way_ms; /* from the stop before: planned, and what it took */
    double way_took_ms;
    double service_ms; /* likewise */
    double service_took_ms;
    double came_ms; /* since the van began */
};

struct ht_days {
    uint64_t state;
    double compounds[HT_DAY_COMPOUNDS]; /* logarithms */
    double ways;                        /* of the day */
    struct ht_day_stop stops[HT_DAY_STOPS];
};

static inline double ht_days_dice(struct ht_days *days)
{
    days->state ^= days->state << 13;
    days->state ^= days->state >> 7;
    days->state ^= days->state << 17;
    return (double)(days->state >> 11) / 9007199254740992.0;
}

static inline double ht_days_normal(struct ht_days *days)
{
    return sqrt(-2 * log(ht_days_dice(days) + 1e-300)) *
           cos(6.283185307179586 * ht_days_dice(days));
}

static inline void ht_days_init(struct ht_days *days, uint64_t seed)
{
    days->state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int i = 0; i < HT_DAY_COMPOUNDS; i++) {
        days->compounds[i] = 0.4 * ht_days_normal(days);
    }
}

static inline void ht_days_begin(struct ht_days *days)
{
    days->ways = 0.08 * ht_days_normal(days);
}

/* The next van of the day. */
static inline void ht_days_van(struct ht_days *days)
{
    double now_ms = 0;
    for (int i = 0; i < HT_DAY_STOPS; i++) {
        struct ht_day_stop *stop = &days->stops[i];
        stop->compound = (uint64_t)(ht_days_dice(days) * HT_DAY_COMPOUNDS);
        stop->way_ms = 60000 + 300000 * ht_days_dice(days) * ht_days_dice(days);
        stop->way_took_ms = stop->way_ms * exp(0.06 + days->ways + 0.22 * ht_days_normal(days));
        stop->service_ms = 60000 + 20000 * floor(1 + 8 * ht_days_dice(days));
        stop->service_took_ms =
            stop->service_ms * exp(days->compounds[stop->compound] + 0.3 * ht_days_normal(days)) +
            (ht_days_dice(days) < 0.03 ? 180000 : 0);
        now_ms += stop->way_took_ms;
        stop->came_ms = now_ms;
        now_ms += stop->service_took_ms;
    }
}

/* What is asked about a stop at some time of the van, which has begun and not come there yet. */
static inline struct ht_arrival_ask ht_days_ask(const struct ht_days *days, int order,
                                                double now_ms, struct ht_arrival_stop *stops)
{
    struct ht_arrival_ask ask = {.now_ms = (int64_t)now_ms, .stops = stops};
    double travel_ms = 0;
    for (int i = 0; i <= order; i++) {
        const struct ht_day_stop *stop = &days->stops[i];
        double left = stop->came_ms - now_ms; /* of the way there */
        double way = left >= stop->way_took_ms ? 1 : left <= 0 ? 0 : left / stop->way_took_ms;
        travel_ms += stop->way_ms * way;
        ask.legs += way > 0;
        double stands_ms = now_ms - stop->came_ms;
        if (i < order && stands_ms < stop->service_took_ms) {
            double rest_ms = stop->service_ms - (stands_ms > 0 ? stands_ms : 0);
            rest_ms = rest_ms < stop->service_ms / 10 ? stop->service_ms / 10 : rest_ms;
            stops[ask.stop_count++] = (struct ht_arrival_stop){stop->compound, (uint32_t)rest_ms};
        }
    }
    ask.travel_ms = (uint32_t)travel_ms;
    return ask;
}

/* What the van of the day teaches once it is home. */
static inline enum ht_status ht_days_learn(const struct ht_days *days, struct ht_arrival *arrival)
{
    enum ht_status status = HT_OK;
    for (int i = 0; i < HT_DAY_STOPS && status == HT_OK; i++) {
        const struct ht_day_stop *stop = &days->stops[i];
        status = ht_arrival_drove(arrival, (int64_t)stop->way_ms, (int64_t)stop->way_took_ms);
        if (status == HT_OK) {
            status = ht_arrival_served(arrival, stop->compound, (int64_t)stop->service_ms,
                                       (int64_t)stop->service_took_ms);
        }
        status = status == HT_RANGE ? HT_OK : status;
    }
    return status;
}

#endif
