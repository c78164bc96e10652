/* Sorting by bits, beside qsort. */
#include "engine/base/radix.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

enum { MOST = 5000 };

static unsigned cmp_low;
static unsigned cmp_bits;

struct numbered {
    uint64_t item;
    size_t at;
};

static uint64_t key_of(uint64_t item)
{
    return cmp_bits == 64 ? item : item >> cmp_low & ((UINT64_C(1) << cmp_bits) - 1);
}

static int by_bits(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    uint64_t x = key_of(a->item);
    uint64_t y = key_of(b->item);
    return x != y ? (x > y) - (x < y) : (a->at > b->at) - (a->at < b->at);
}

static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

HT_CASE(items_are_in_the_order_of_their_bits_and_equal_ones_as_they_came)
{
    static const struct {
        unsigned low;
        unsigned bits;
        uint64_t mask; /* of the items, so that many are equal */
    } rows[] = {{0, 64, UINT64_MAX}, {0, 1, UINT64_MAX}, {32, 21, UINT64_MAX}, {32, 11, UINT64_MAX},
                {5, 12, 0xffff},     {0, 0, UINT64_MAX}, {33, 31, UINT64_MAX}, {0, 22, 7}};
    static const size_t counts[] = {0, 1, 2, 100, MOST};
    static uint64_t items[MOST];
    static uint64_t spare[MOST];
    static struct numbered want[MOST];
    uint64_t state = 88172645463325252U;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            size_t wrong = 0;
            for (size_t i = 0; i < counts[c]; i++) {
                items[i] = dice(&state) & rows[r].mask;
                want[i] = (struct numbered){items[i], i};
            }
            cmp_low = rows[r].low;
            cmp_bits = rows[r].bits;
            qsort(want, counts[c], sizeof *want, by_bits);
            ht_radix_sort(items, spare, counts[c], rows[r].low, rows[r].bits);
            for (size_t i = 0; i < counts[c]; i++) {
                wrong += items[i] != want[i].item;
            }
            HT_CHECK_INT(wrong, 0);
        }
    }
}

HT_MAIN()
