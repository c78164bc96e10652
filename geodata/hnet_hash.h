/* Checksums of the network file: XXH3, 64 bits, with the widest instructions the machine has. The
 * value does not depend on them.
 *
 * Threading: pure functions.
 */
#ifndef HT_GEODATA_HNET_HASH_H
#define HT_GEODATA_HNET_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t ht__hnet_hash(const void *data, size_t size);

/* The same compiled for AVX2; call it only where the machine has that. */
uint64_t ht__hnet_hash_avx2(const void *data, size_t size);

#endif
