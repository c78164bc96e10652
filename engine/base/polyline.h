/* Polyline: one number of an encoded polyline (Google's algorithm), for loops that write many.
 *
 * Threading: pure functions. Ownership: none.
 */
#ifndef HT_ENGINE_BASE_POLYLINE_H
#define HT_ENGINE_BASE_POLYLINE_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "characters are stored lowest first");

enum { HT_POLYLINE_ROOM = 8 }; /* bytes that ht_polyline_put may touch */

/* 1e-7 degrees to units of `divisor` of them (100: precision 5, 10: 6), rounded half away from
 * zero. */
static inline int32_t ht_polyline_scale(int32_t value_e7, int32_t divisor)
{
    int64_t half = value_e7 < 0 ? -(divisor / 2) : divisor / 2;
    return (int32_t)((value_e7 + half) / divisor);
}

/* One number: zigzag, then groups of five bits, lowest first; at most 6 characters, as differences
 * of scaled values fit 30 bits. Groups are laid out at once: how many there are is anybody's
 * guess, so a loop over them would be guessed wrong at every other number. Steps of a street fit
 * three. */
static inline char *ht_polyline_put(char *out, int32_t delta)
{
    uint32_t zigzag = (uint32_t)delta << 1 ^ (delta < 0 ? UINT32_MAX : 0);
    if (zigzag < UINT32_C(1) << 15) {
        uint32_t groups = (zigzag & 0x1f) | (zigzag << 3 & 0x1f00) | (zigzag << 6 & 0x1f0000);
        unsigned more = (zigzag >= 1 << 5 ? 1U : 0U) + (zigzag >= 1 << 10 ? 1U : 0U);
        uint32_t go_on = UINT32_C(0x202020) & ((UINT32_C(1) << 8 * more) - 1);
        uint32_t text = (groups | go_on) + UINT32_C(0x3f3f3f);
        memcpy(out, &text, sizeof text);
        return out + more + 1;
    }
    unsigned more = (31 - (unsigned)__builtin_clz(zigzag)) / 5; /* groups before the last */
    uint64_t groups = (zigzag & 0x1f) | (uint64_t)(zigzag >> 5 & 0x1f) << 8 |
                      (uint64_t)(zigzag >> 10 & 0x1f) << 16 |
                      (uint64_t)(zigzag >> 15 & 0x1f) << 24 |
                      (uint64_t)(zigzag >> 20 & 0x1f) << 32 | (uint64_t)(zigzag >> 25) << 40;
    uint64_t go_on = UINT64_C(0x2020202020202020) & ((UINT64_C(1) << 8 * more) - 1);
    uint64_t text = (groups | go_on) + UINT64_C(0x3f3f3f3f3f3f3f3f);
    memcpy(out, &text, sizeof text);
    return out + more + 1;
}

#endif
