#include "engine/road/relax.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HT_WIDE 1
#include <immintrin.h>
#else
#define HT_WIDE 0
#endif

static bool wide;

bool ht_relax_is_wide(void)
{
    return wide;
}

void ht__relax_set_wide(bool on)
{
#if HT_WIDE
    wide = on && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#else
    wide = on && HT_WIDE;
#endif
}

__attribute__((constructor)) static void choose(void)
{
#if HT_WIDE
    __builtin_cpu_init();
#endif
    ht__relax_set_wide(true);
}

static inline void relax_one(struct ht_row row, uint32_t i, struct ht_key from, struct ht_lane lane,
                             bool note, uint32_t spot)
{
    uint32_t d = row.depth[i];
    struct ht_key key = {from.time + row.time[i], from.length + row.length[i]};
    if (ht_key_less(key, (struct ht_key){lane.time[d], lane.length[d]})) {
        lane.time[d] = key.time;
        lane.length[d] = key.length;
        if (note) {
            lane.before[d] = spot;
        }
    }
}

#if HT_WIDE

#define HT_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))

/* Lanes in which (time, length) is less than (than_time, than_length). */
HT_AVX512 static inline __mmask8 less8(__m512i time, __m256i length, __m512i than_time,
                                       __m256i than_length)
{
    __mmask8 equal = _mm512_cmpeq_epu64_mask(time, than_time);
    __mmask8 shorter =
        _mm256_cmplt_epi32_mask(_mm256_sub_epi32(length, than_length), _mm256_setzero_si256());
    return (__mmask8)(_mm512_cmplt_epu64_mask(time, than_time) | (equal & shorter));
}

/* Eight edges to eight neighbouring depths need no gather. */
HT_AVX512 static inline void relax8_run(const struct ht_row *row, uint32_t i, __m512i time,
                                        __m256i length, const struct ht_lane *lane, bool note,
                                        uint32_t spot)
{
    uint32_t d = row->depth[i];
    __m512i old_time = _mm512_loadu_si512(lane->time + d);
    __m256i old_length = _mm256_loadu_si256((const void *)(lane->length + d));
    __mmask8 take = less8(time, length, old_time, old_length);
    _mm512_mask_storeu_epi64(lane->time + d, take, time);
    _mm256_mask_storeu_epi32(lane->length + d, take, length);
    if (note) {
        _mm256_mask_storeu_epi32(lane->before + d, take, _mm256_set1_epi32((int)spot));
    }
}

HT_AVX512 static inline void relax8_spread(const struct ht_row *row, uint32_t i, __m512i time,
                                           __m256i length, const struct ht_lane *lane, bool note,
                                           uint32_t spot)
{
    __m256i index = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(row->depth + i)));
    __m512i old_time = _mm512_i32gather_epi64(index, lane->time, 8);
    __m256i old_length = _mm256_i32gather_epi32((const int *)lane->length, index, 4);
    unsigned take = less8(time, length, old_time, old_length);
    if (take == 0) {
        return;
    }
    /* few change, and a scatter costs as much as eight stores */
    uint64_t times[8];
    uint32_t lengths[8];
    _mm512_storeu_si512(times, time);
    _mm256_storeu_si256((void *)lengths, length);
    while (take != 0) {
        uint32_t k = (uint32_t)__builtin_ctz(take);
        take &= take - 1;
        uint32_t d = row->depth[i + k];
        lane->time[d] = times[k];
        lane->length[d] = lengths[k];
        if (note) {
            lane->before[d] = spot;
        }
    }
}

HT_AVX512 static inline uint32_t relax_wide(struct ht_row row, struct ht_key from,
                                            struct ht_lane lane, bool note, uint32_t spot)
{
    __m512i from_time = _mm512_set1_epi64((long long)from.time);
    __m256i from_length = _mm256_set1_epi32((int)from.length);
    uint32_t i = 0;
    for (; i + 8 <= row.count; i += 8) {
        __m512i time = _mm512_add_epi64(_mm512_loadu_si512(row.time + i), from_time);
        __m256i length =
            _mm256_add_epi32(_mm256_loadu_si256((const void *)(row.length + i)), from_length);
        if (row.depth[i + 7] - row.depth[i] == 7) {
            relax8_run(&row, i, time, length, &lane, note, spot);
        } else {
            relax8_spread(&row, i, time, length, &lane, note, spot);
        }
    }
    return i;
}

HT_AVX512 static uint32_t relax_wide_plain(struct ht_row row, struct ht_key from,
                                           struct ht_lane lane)
{
    return relax_wide(row, from, lane, false, 0);
}

HT_AVX512 static uint32_t relax_wide_noted(struct ht_row row, struct ht_key from,
                                           struct ht_lane lane, uint32_t spot)
{
    return relax_wide(row, from, lane, true, spot);
}

HT_AVX512 static struct ht_key least8(__m512i time, __m256i length)
{
    uint64_t times[8];
    uint32_t lengths[8];
    _mm512_storeu_si512(times, time);
    _mm256_storeu_si256((void *)lengths, length);
    struct ht_key best = {times[0], lengths[0]};
    for (int k = 1; k < 8; k++) {
        struct ht_key key = {times[k], lengths[k]};
        best = ht_key_less(key, best) ? key : best;
    }
    return best;
}

HT_AVX512 static struct ht_key pull_wide(struct ht_row row, struct ht_lane lane, uint32_t *done)
{
    __m512i best_time = _mm512_set1_epi64((long long)HT_TIME_INF);
    __m256i best_length = _mm256_setzero_si256();
    uint32_t i = 0;
    for (; i + 8 <= row.count; i += 8) {
        __m512i time;
        __m256i length;
        uint32_t d = row.depth[i];
        if (row.depth[i + 7] - d == 7) {
            time = _mm512_loadu_si512(lane.time + d);
            length = _mm256_loadu_si256((const void *)(lane.length + d));
        } else {
            __m256i index = _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(row.depth + i)));
            time = _mm512_i32gather_epi64(index, lane.time, 8);
            length = _mm256_i32gather_epi32((const int *)lane.length, index, 4);
        }
        time = _mm512_add_epi64(time, _mm512_loadu_si512(row.time + i));
        length = _mm256_add_epi32(length, _mm256_loadu_si256((const void *)(row.length + i)));
        __mmask8 take = less8(time, length, best_time, best_length);
        best_time = _mm512_mask_mov_epi64(best_time, take, time);
        best_length = _mm256_mask_mov_epi32(best_length, take, length);
    }
    *done = i;
    return least8(best_time, best_length);
}

HT_AVX512 static struct ht_key min_plus_wide(const uint64_t *a_time, const uint32_t *a_length,
                                             const uint64_t *b_time, const uint32_t *b_length,
                                             uint32_t count)
{
    __m512i best_time = _mm512_set1_epi64((long long)HT_TIME_INF);
    __m256i best_length = _mm256_setzero_si256();
    for (uint32_t i = 0; i < count; i += 8) {
        __mmask8 live = (__mmask8)(count - i >= 8 ? 0xffU : (1U << (count - i)) - 1);
        __m512i time = _mm512_add_epi64(_mm512_maskz_loadu_epi64(live, a_time + i),
                                        _mm512_maskz_loadu_epi64(live, b_time + i));
        __m256i length = _mm256_add_epi32(_mm256_maskz_loadu_epi32(live, a_length + i),
                                          _mm256_maskz_loadu_epi32(live, b_length + i));
        __mmask8 take = live & less8(time, length, best_time, best_length);
        best_time = _mm512_mask_mov_epi64(best_time, take, time);
        best_length = _mm256_mask_mov_epi32(best_length, take, length);
    }
    return least8(best_time, best_length);
}

#endif

void ht_relax_row(struct ht_row row, struct ht_key from, struct ht_lane lane)
{
    uint32_t i = 0;
#if HT_WIDE
    if (wide && row.count >= 8) {
        i = relax_wide_plain(row, from, lane);
    }
#endif
    for (; i < row.count; i++) {
        relax_one(row, i, from, lane, false, 0);
    }
}

void ht_relax_row_from(struct ht_row row, struct ht_key from, struct ht_lane lane, uint32_t spot)
{
    uint32_t i = 0;
#if HT_WIDE
    if (wide && row.count >= 8) {
        i = relax_wide_noted(row, from, lane, spot);
    }
#endif
    for (; i < row.count; i++) {
        relax_one(row, i, from, lane, true, spot);
    }
}

struct ht_key ht_pull_row(struct ht_row row, struct ht_lane lane, struct ht_key best)
{
    uint32_t i = 0;
#if HT_WIDE
    if (wide && row.count >= 8) {
        struct ht_key key = pull_wide(row, lane, &i);
        best = ht_key_less(key, best) ? key : best;
    }
#endif
    for (; i < row.count; i++) {
        uint32_t d = row.depth[i];
        struct ht_key key = {lane.time[d] + row.time[i], lane.length[d] + row.length[i]};
        best = ht_key_less(key, best) ? key : best;
    }
    return best;
}

struct ht_key ht_min_plus(const uint64_t *a_time, const uint32_t *a_length, const uint64_t *b_time,
                          const uint32_t *b_length, uint32_t count)
{
#if HT_WIDE
    if (wide) {
        return min_plus_wide(a_time, a_length, b_time, b_length, count);
    }
#endif
    struct ht_key best = ht_key_inf();
    for (uint32_t i = 0; i < count; i++) {
        struct ht_key key = {a_time[i] + b_time[i], a_length[i] + b_length[i]};
        best = ht_key_less(key, best) ? key : best;
    }
    return best;
}
