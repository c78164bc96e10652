/* Growable arrays: the one place that decides how memory grows.
 *
 * Threading: none of its own. Ownership: the caller frees `*data` with free().
 */
#ifndef HT_ENGINE_BASE_ARRAY_H
#define HT_ENGINE_BASE_ARRAY_H

#include <stddef.h>

#include "engine/base/status.h"

/* Makes room for at least `want` items of `item` bytes in `*data` (may point to NULL), doubling.
 * HT_NOMEM on failure or overflow; the old block then stays valid. */
HT_MUST_CHECK enum ht_status ht_array_reserve(void **data, size_t *capacity, size_t want,
                                              size_t item);

/* calloc/malloc of `count` items with overflow check; NULL on failure; count 0 gives a valid
 * pointer. Large new ones ask for huge pages: a metric of the sample city is then customized in
 * half the time, which page faults and misses of the TLB took. */
void *ht_array_new(size_t count, size_t item);
void *ht_array_new_zeroed(size_t count, size_t item);

#endif
