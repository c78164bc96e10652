/* Compiled with -mavx2: xxHash picks its instructions when it is compiled. */
#include "geodata/hnet_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t ht__hnet_hash_avx2(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
