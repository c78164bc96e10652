#include "engine/base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum ht_status ht_array_reserve(void **data, size_t *capacity, size_t want, size_t item)
{
    if (want <= *capacity) {
        return HT_OK;
    }
    size_t grown = *capacity < 16 ? 16 : *capacity;
    while (grown < want) {
        if (grown > SIZE_MAX / 2) {
            return HT_NOMEM;
        }
        grown *= 2;
    }
    if (grown > SIZE_MAX / item) {
        return HT_NOMEM;
    }
    void *moved = realloc(*data, grown * item);
    if (moved == NULL) {
        return HT_NOMEM;
    }
    *data = moved;
    *capacity = grown;
    return HT_OK;
}

enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 * HUGE_PAGE };

static void *new_huge(size_t bytes)
{
    if (bytes > SIZE_MAX - HUGE_PAGE) {
        return NULL;
    }
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *data = aligned_alloc(HUGE_PAGE, whole);
    if (data != NULL) {
        (void)madvise(data, whole, MADV_HUGEPAGE); /* a wish */
    }
    return data;
}

void *ht_array_new(size_t count, size_t item)
{
    if (count > SIZE_MAX / item) {
        return NULL;
    }
    size_t bytes = count * item;
    return bytes >= HUGE_FROM ? new_huge(bytes) : malloc(bytes == 0 ? 1 : bytes);
}

void *ht_array_new_zeroed(size_t count, size_t item)
{
    return calloc(count == 0 ? 1 : count, item);
}
