/* Radix: sorts numbers by some of their bits, a digit at a time from the lowest on. Equal ones stay
 * in the order in which they came.
 *
 * Threading: pure. Ownership: both arrays are the caller's. Linear: a pass for each eleven bits.
 */
#ifndef HT_ENGINE_BASE_RADIX_H
#define HT_ENGINE_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

/* By bits [low, low + bits) of each item, up to 64. `spare`: [count], what is left in it says
 * nothing. */
void ht_radix_sort(uint64_t *items, uint64_t *spare, size_t count, unsigned low, unsigned bits);

#endif
