/* What a path costs: weight first, ties by duration, then by length.
 *
 * One profile minimizes weight (milliseconds, HT_WEIGHT_INF: no way). Inside shortcuts a key is
 * packed: weight and duration share one 64-bit word, so that a single comparison orders both and a
 * single addition adds both; the length is kept modulo 2^32 millimetres and compared by signed
 * difference, which is exact as long as two paths of equal weight and duration differ by less than
 * 2,147 km. Whole lengths of paths that may be longer than 4,295 km come from unpacking.
 *
 * Threading: pure functions.
 */
#ifndef HT_ENGINE_ROAD_KEY_H
#define HT_ENGINE_ROAD_KEY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define HT_NONE UINT32_MAX
#define HT_WEIGHT_INF ((uint32_t)INT32_MAX)
static_assert((uint64_t)HT_WEIGHT_INF + HT_WEIGHT_INF <= UINT32_MAX, "inf + inf must not wrap");

/* The public form: a cost in whole units. */
struct ht_cost {
    uint32_t weight_ms;
    uint32_t duration_ms;
    int64_t length_mm;
};

static inline bool ht_cost_less(struct ht_cost a, struct ht_cost b)
{
    if (a.weight_ms != b.weight_ms) {
        return a.weight_ms < b.weight_ms;
    }
    if (a.duration_ms != b.duration_ms) {
        return a.duration_ms < b.duration_ms;
    }
    return a.length_mm < b.length_mm;
}

/* The packed form. */
struct ht_key {
    uint64_t time;   /* weight_ms << 32 | duration_ms */
    uint32_t length; /* mm modulo 2^32 */
};

#define HT_TIME_INF ((uint64_t)HT_WEIGHT_INF << 32)

static inline uint64_t ht_time_pack(uint32_t weight_ms, uint32_t duration_ms)
{
    return (uint64_t)weight_ms << 32 | duration_ms;
}

static inline struct ht_key ht_key_inf(void)
{
    return (struct ht_key){.time = HT_TIME_INF, .length = 0};
}

static inline struct ht_key ht_key_add(struct ht_key a, struct ht_key b)
{
    return (struct ht_key){.time = a.time + b.time, .length = a.length + b.length};
}

/* Part by part; each part of `b` must not pass that of `a` (length wraps). */
static inline struct ht_key ht_key_sub(struct ht_key a, struct ht_key b)
{
    return (struct ht_key){.time = a.time - b.time, .length = a.length - b.length};
}

static inline bool ht_length_less(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool ht_key_less(struct ht_key a, struct ht_key b)
{
    return a.time < b.time || (a.time == b.time && ht_length_less(a.length, b.length));
}

static inline bool ht_time_finite(uint64_t time)
{
    return time < HT_TIME_INF;
}

#endif
