#include "engine/base/radix.h"

#include <string.h>

enum { DIGIT = 11, VALUES = 1 << DIGIT };

static void pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift, uint64_t mask)
{
    size_t next[VALUES] = {0};
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        next[from[i] >> shift & mask]++;
    }
    for (size_t d = 0; d <= mask; d++) {
        size_t own = next[d];
        next[d] = sum;
        sum += own;
    }
    for (size_t i = 0; i < count; i++) {
        to[next[from[i] >> shift & mask]++] = from[i];
    }
}

void ht_radix_sort(uint64_t *items, uint64_t *spare, size_t count, unsigned low, unsigned bits)
{
    uint64_t *from = items;
    uint64_t *to = spare;
    for (unsigned done = 0; done < bits; done += DIGIT) {
        unsigned digit = bits - done < DIGIT ? bits - done : DIGIT;
        pass(from, to, count, low + done, (UINT64_C(1) << digit) - 1);
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != items && count > 0) {
        memcpy(items, from, count * sizeof *items);
    }
}
