/* The two inner loops of the search, 16 children at a time: once for every machine, once for AVX2,
 * once for AVX-512. They only decide what is worth a closer look, so that their last bits may
 * differ between machines while answers do not. */
#include "engine/road/snap_internal.h"

#include <math.h>

static void boxes_portable(const struct ht_snap_node *node, const struct ht_snap_eye *eye,
                           float out[HT_SNAP_FAN])
{
    for (int i = 0; i < HT_SNAP_FAN; i++) {
        float left = (float)node->min_x[i] - eye->x;
        float right = eye->x - (float)node->max_x[i];
        float below = (float)node->min_y[i] - eye->y;
        float above = eye->y - (float)node->max_y[i];
        float dx = left > right ? left : right;
        float dy = below > above ? below : above;
        dx = (dx > 0.0f ? dx : 0.0f) * eye->step_x_m;
        dy = (dy > 0.0f ? dy : 0.0f) * eye->step_y_m;
        out[i] = dx * dx + dy * dy;
    }
}

static void segments_portable(const struct ht_snap_leaf *leaf, const struct ht_snap_eye *eye,
                              float out[HT_SNAP_FAN])
{
    for (int i = 0; i < HT_SNAP_FAN; i++) {
        float ax = ((float)leaf->from_x[i] - eye->x) * eye->step_x_m;
        float ay = ((float)leaf->from_y[i] - eye->y) * eye->step_y_m;
        float dx = ((float)leaf->to_x[i] - (float)leaf->from_x[i]) * eye->step_x_m;
        float dy = ((float)leaf->to_y[i] - (float)leaf->from_y[i]) * eye->step_y_m;
        float length = dx * dx + dy * dy;
        float t = -(ax * dx + ay * dy) / (length > 1e-12f ? length : 1e-12f);
        t = t > 0.0f ? t : 0.0f;
        t = t < 1.0f ? t : 1.0f;
        float x = ax + t * dx;
        float y = ay + t * dy;
        out[i] = x * x + y * y;
    }
}

/* Without a branch on the numbers: which is the nearest can't be foretold. */
static uint32_t nearest_portable(const float square[HT_SNAP_FAN], uint32_t left, float reach)
{
    uint32_t best = HT_SNAP_FAN;
    for (uint32_t k = 0; k < HT_SNAP_FAN; k++) {
        uint32_t nearer = (left >> k & 1u) & (uint32_t)(square[k] <= reach);
        reach = nearer != 0 ? square[k] : reach;
        best = nearer != 0 ? k : best;
    }
    return best;
}

static uint32_t present_portable(const uint8_t sides[HT_SNAP_FAN])
{
    uint32_t present = 0;
    for (uint32_t k = 0; k < HT_SNAP_FAN; k++) {
        present |= (uint32_t)(sides[k] != 0) << k;
    }
    return present;
}

static const struct ht_snap_kernels portable = {"portable", boxes_portable, segments_portable,
                                                present_portable, nearest_portable};

#if defined(__x86_64__)
#include <immintrin.h>

#define HT_AVX2 __attribute__((target("avx2")))
#ifdef __clang__ /* knows no preferred width, and then ignores the whole attribute */
#define HT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2")))
#else
#define HT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,prefer-vector-width=512")))
#endif

HT_AVX2 static inline __m256 load8(const uint16_t *from)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)from)));
}

HT_AVX2 static void boxes_avx2(const struct ht_snap_node *node, const struct ht_snap_eye *eye,
                               float out[HT_SNAP_FAN])
{
    const __m256 x = _mm256_set1_ps(eye->x);
    const __m256 y = _mm256_set1_ps(eye->y);
    const __m256 zero = _mm256_setzero_ps();
    for (int i = 0; i < HT_SNAP_FAN; i += 8) {
        __m256 dx = _mm256_max_ps(_mm256_sub_ps(load8(node->min_x + i), x),
                                  _mm256_sub_ps(x, load8(node->max_x + i)));
        __m256 dy = _mm256_max_ps(_mm256_sub_ps(load8(node->min_y + i), y),
                                  _mm256_sub_ps(y, load8(node->max_y + i)));
        dx = _mm256_mul_ps(_mm256_max_ps(dx, zero), _mm256_set1_ps(eye->step_x_m));
        dy = _mm256_mul_ps(_mm256_max_ps(dy, zero), _mm256_set1_ps(eye->step_y_m));
        _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_mul_ps(dx, dx), _mm256_mul_ps(dy, dy)));
    }
}

HT_AVX2 static void segments_avx2(const struct ht_snap_leaf *leaf, const struct ht_snap_eye *eye,
                                  float out[HT_SNAP_FAN])
{
    const __m256 step_x = _mm256_set1_ps(eye->step_x_m);
    const __m256 step_y = _mm256_set1_ps(eye->step_y_m);
    for (int i = 0; i < HT_SNAP_FAN; i += 8) {
        __m256 from_x = load8(leaf->from_x + i);
        __m256 from_y = load8(leaf->from_y + i);
        __m256 ax = _mm256_mul_ps(_mm256_sub_ps(from_x, _mm256_set1_ps(eye->x)), step_x);
        __m256 ay = _mm256_mul_ps(_mm256_sub_ps(from_y, _mm256_set1_ps(eye->y)), step_y);
        __m256 dx = _mm256_mul_ps(_mm256_sub_ps(load8(leaf->to_x + i), from_x), step_x);
        __m256 dy = _mm256_mul_ps(_mm256_sub_ps(load8(leaf->to_y + i), from_y), step_y);
        __m256 length = _mm256_add_ps(_mm256_mul_ps(dx, dx), _mm256_mul_ps(dy, dy));
        __m256 dot = _mm256_add_ps(_mm256_mul_ps(ax, dx), _mm256_mul_ps(ay, dy));
        __m256 t = _mm256_div_ps(_mm256_sub_ps(_mm256_setzero_ps(), dot),
                                 _mm256_max_ps(length, _mm256_set1_ps(1e-12f)));
        t = _mm256_min_ps(_mm256_max_ps(t, _mm256_setzero_ps()), _mm256_set1_ps(1.0f));
        __m256 px = _mm256_add_ps(ax, _mm256_mul_ps(t, dx));
        __m256 py = _mm256_add_ps(ay, _mm256_mul_ps(t, dy));
        _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_mul_ps(px, px), _mm256_mul_ps(py, py)));
    }
}

HT_AVX2 static uint32_t present_avx2(const uint8_t sides[HT_SNAP_FAN])
{
    __m128i none = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i_u *)sides), _mm_setzero_si128());
    return ~(uint32_t)_mm_movemask_epi8(none) & 0xffffu;
}

HT_AVX512 static inline __m512 load16(const uint16_t *from)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)from)));
}

HT_AVX512 static void boxes_avx512(const struct ht_snap_node *node, const struct ht_snap_eye *eye,
                                   float out[HT_SNAP_FAN])
{
    const __m512 x = _mm512_set1_ps(eye->x);
    const __m512 y = _mm512_set1_ps(eye->y);
    const __m512 zero = _mm512_setzero_ps();
    __m512 dx =
        _mm512_max_ps(_mm512_sub_ps(load16(node->min_x), x), _mm512_sub_ps(x, load16(node->max_x)));
    __m512 dy =
        _mm512_max_ps(_mm512_sub_ps(load16(node->min_y), y), _mm512_sub_ps(y, load16(node->max_y)));
    dx = _mm512_mul_ps(_mm512_max_ps(dx, zero), _mm512_set1_ps(eye->step_x_m));
    dy = _mm512_mul_ps(_mm512_max_ps(dy, zero), _mm512_set1_ps(eye->step_y_m));
    _mm512_storeu_ps(out, _mm512_add_ps(_mm512_mul_ps(dx, dx), _mm512_mul_ps(dy, dy)));
}

HT_AVX512 static void segments_avx512(const struct ht_snap_leaf *leaf,
                                      const struct ht_snap_eye *eye, float out[HT_SNAP_FAN])
{
    const __m512 step_x = _mm512_set1_ps(eye->step_x_m);
    const __m512 step_y = _mm512_set1_ps(eye->step_y_m);
    __m512 from_x = load16(leaf->from_x);
    __m512 from_y = load16(leaf->from_y);
    __m512 ax = _mm512_mul_ps(_mm512_sub_ps(from_x, _mm512_set1_ps(eye->x)), step_x);
    __m512 ay = _mm512_mul_ps(_mm512_sub_ps(from_y, _mm512_set1_ps(eye->y)), step_y);
    __m512 dx = _mm512_mul_ps(_mm512_sub_ps(load16(leaf->to_x), from_x), step_x);
    __m512 dy = _mm512_mul_ps(_mm512_sub_ps(load16(leaf->to_y), from_y), step_y);
    __m512 length = _mm512_add_ps(_mm512_mul_ps(dx, dx), _mm512_mul_ps(dy, dy));
    __m512 dot = _mm512_add_ps(_mm512_mul_ps(ax, dx), _mm512_mul_ps(ay, dy));
    __m512 t = _mm512_div_ps(_mm512_sub_ps(_mm512_setzero_ps(), dot),
                             _mm512_max_ps(length, _mm512_set1_ps(1e-12f)));
    t = _mm512_min_ps(_mm512_max_ps(t, _mm512_setzero_ps()), _mm512_set1_ps(1.0f));
    __m512 px = _mm512_add_ps(ax, _mm512_mul_ps(t, dx));
    __m512 py = _mm512_add_ps(ay, _mm512_mul_ps(t, dy));
    _mm512_storeu_ps(out, _mm512_add_ps(_mm512_mul_ps(px, px), _mm512_mul_ps(py, py)));
}

HT_AVX512 static uint32_t nearest_avx512(const float square[HT_SNAP_FAN], uint32_t left,
                                         float reach)
{
    __m512 all = _mm512_loadu_ps(square);
    __mmask16 in = _mm512_mask_cmp_ps_mask((__mmask16)left, all, _mm512_set1_ps(reach), _CMP_LE_OQ);
    if (in == 0) {
        return HT_SNAP_FAN;
    }
    __m512 least = _mm512_set1_ps(_mm512_mask_reduce_min_ps(in, all));
    return (uint32_t)__builtin_ctz(_mm512_mask_cmp_ps_mask(in, all, least, _CMP_EQ_OQ));
}

static const struct ht_snap_kernels avx2 = {"avx2", boxes_avx2, segments_avx2, present_avx2,
                                            nearest_portable};
static const struct ht_snap_kernels avx512 = {"avx512", boxes_avx512, segments_avx512, present_avx2,
                                              nearest_avx512};
#endif

const struct ht_snap_kernels *ht_snap__kernels(unsigned variant)
{
    const struct ht_snap_kernels *found[3];
    unsigned count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
        found[count++] = &avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        found[count++] = &avx2;
    }
#endif
    found[count++] = &portable;
    return variant < count ? found[variant] : NULL;
}

float ht_snap__reach(double limit, const struct ht_snap_eye *eye, float steps)
{
    float reach = (float)sqrt(limit) * 1.000002f + steps * (eye->step_x_m + eye->step_y_m);
    return reach * reach;
}
