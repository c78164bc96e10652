#include "engine/plan/given_windows.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/given.h"

#define NEVER (INT64_C(1) << 61)

struct program {
    const struct ht__given_stop *stops;
    uint32_t count;
    int64_t *ends; /* ascending, as if nothing were spent */
    size_t end_count;
    int64_t *least;  /* [end_count] */
    uint64_t *taken; /* [count][words] a bit each: no end before it is better */
    size_t words;
};

static int64_t off(const struct ht_window *window, int64_t time_s)
{
    return time_s < window->from_s ? window->from_s - time_s
           : time_s > window->to_s ? time_s - window->to_s
                                   : 0;
}

static int by_time(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* All ends; of forced times those that bind. */
static void ends_find(struct program *p)
{
    int64_t spent_s = 0;
    int64_t from_s = -HT_GIVEN_FAR;
    p->end_count = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct ht__given_stop *stop = &p->stops[i];
        for (uint32_t w = 0; w < stop->window_count; w++) {
            p->ends[p->end_count++] = stop->windows[w].from_s - spent_s;
            p->ends[p->end_count++] = stop->windows[w].to_s - spent_s;
        }
        if (stop->forced.from_s - spent_s > from_s) {
            from_s = stop->forced.from_s - spent_s;
            p->ends[p->end_count++] = from_s;
        }
        if (stop->forced.to_s < HT_GIVEN_FAR) {
            p->ends[p->end_count++] = stop->forced.to_s - spent_s;
        }
        spent_s += stop->spent_s;
    }
    qsort(p->ends, p->end_count, sizeof *p->ends, by_time);
    size_t kept = 0;
    for (size_t e = 0; e < p->end_count; e++) {
        if (kept == 0 || p->ends[kept - 1] != p->ends[e]) {
            p->ends[kept++] = p->ends[e];
        }
    }
    p->end_count = kept;
}

/* The number of the window that is nearest; the earlier of two. */
static uint32_t nearest(const struct ht__given_stop *stop, int64_t time_s, uint32_t from)
{
    while (from + 1 < stop->window_count &&
           off(&stop->windows[from + 1], time_s) < off(&stop->windows[from], time_s)) {
        from++;
    }
    return from;
}

static void step_add(struct program *p, uint32_t i, int64_t spent_s)
{
    const struct ht__given_stop *stop = &p->stops[i];
    int64_t best = NEVER;
    uint32_t window = 0;
    for (size_t e = 0; e < p->end_count; e++) {
        int64_t time_s = p->ends[e] + spent_s;
        int64_t before = i == 0 ? 0 : p->least[e];
        if (before <= best && before < NEVER) { /* as late as it may be */
            best = before;
            p->taken[i * p->words + e / 64] |= UINT64_C(1) << e % 64;
        }
        p->least[e] = best;
        if (off(&stop->forced, time_s) > 0) {
            p->least[e] = NEVER;
        } else if (best < NEVER && stop->window_count > 0) {
            window = nearest(stop, time_s, window);
            p->least[e] += off(&stop->windows[window], time_s);
        }
    }
}

/* From the earliest best end backwards. */
static void times_follow(const struct program *p, uint32_t *chosen, int64_t spent_s)
{
    size_t at = 0;
    for (size_t e = 1; e < p->end_count; e++) {
        at = p->least[e] < p->least[at] ? e : at;
    }
    for (uint32_t i = p->count; i > 0; i--) {
        const struct ht__given_stop *stop = &p->stops[i - 1];
        spent_s -= stop->spent_s;
        if (stop->window_count > 0) {
            chosen[i - 1] = nearest(stop, p->ends[at] + spent_s, 0);
        }
        while (at > 0 && (p->taken[(i - 1) * p->words + at / 64] >> at % 64 & 1) == 0) {
            at--;
        }
    }
}

enum ht_status ht__given_windows(const struct ht__given_stop *stops, uint32_t count,
                                 uint32_t *chosen)
{
    struct program p = {.stops = stops, .count = count};
    size_t most = 2 * (size_t)count;
    int64_t spent_s = 0;
    for (uint32_t i = 0; i < count; i++) {
        most += 2 * (size_t)stops[i].window_count;
    }
    if (most * count > HT__GIVEN_CELLS_MOST) {
        return HT_TOO_BIG;
    }
    p.words = most / 64 + 1;
    p.ends = ht_array_new(most, sizeof *p.ends);
    p.least = ht_array_new(most, sizeof *p.least);
    p.taken = ht_array_new_zeroed(p.words * count, sizeof *p.taken);
    bool fits = p.ends != NULL && p.least != NULL && p.taken != NULL;
    if (fits) {
        ends_find(&p);
        for (uint32_t i = 0; i < count; i++) {
            step_add(&p, i, spent_s);
            spent_s += stops[i].spent_s;
        }
        times_follow(&p, chosen, spent_s);
    }
    free(p.ends);
    free(p.least);
    free(p.taken);
    return fits ? HT_OK : HT_NOMEM;
}
