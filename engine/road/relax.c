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

HT_AVX512 static struct ht_key least8(__m512i time, __m256i length)
{
    struct ht_key best = {.time = _mm512_reduce_min_epu64(time)};
    unsigned equal = _mm512_cmpeq_epu64_mask(time, _mm512_set1_epi64((long long)best.time));
    uint32_t lengths[8];
    _mm256_storeu_si256((void *)lengths, length);
    best.length = lengths[__builtin_ctz(equal)];
    for (equal &= equal - 1; equal != 0; equal &= equal - 1) {
        uint32_t other = lengths[__builtin_ctz(equal)];
        best.length = ht_length_less(other, best.length) ? other : best.length;
    }
    return best;
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
