#include "geodata/hnet_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t ht__hnet_hash(const void *data, size_t size)
{
#ifdef HT_HASH_AVX2
    if (__builtin_cpu_supports("avx2")) {
        return ht__hnet_hash_avx2(data, size);
    }
#endif
    return XXH3_64bits(data, size);
}
