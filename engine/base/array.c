#include "engine/base/array.h"

#include <stdint.h>
#include <stdlib.h>

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

void *ht_array_new(size_t count, size_t item)
{
    if (count > SIZE_MAX / item) {
        return NULL;
    }
    size_t bytes = count * item;
    return malloc(bytes == 0 ? 1 : bytes);
}

void *ht_array_new_zeroed(size_t count, size_t item)
{
    return calloc(count == 0 ? 1 : count, item);
}
