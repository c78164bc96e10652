/* Rounds turns: who plans a round anew, one after the other: a dispatcher while the keeper is at
 * it, or two of them. Who came second goes on from what the first made, instead of being told that
 * it was re-planned meanwhile.
 *
 * Threading: any. Ownership: a turn is the caller's, zeroed before and given back before it goes.
 */
#ifndef HT_API_ROUNDS_TURNS_H
#define HT_API_ROUNDS_TURNS_H

#include <stdbool.h>

#include "geodata/collection.h"

struct ht_round_turn {
    const void *house; /* whose rounds these are; NULL: it is not held */
    char round[HT_ID_MAX + 1];
    struct ht_round_turn *next;
};

/* Waits until nobody else plans that round of `house`. False, with nothing held: `cancel` (read
 * atomically) was set meanwhile. */
bool ht_round_turn_take(struct ht_round_turn *turn, const void *house, const char *round,
                        const bool *cancel);
/* From any thread; one that is not held is fine. */
void ht_round_turn_give(struct ht_round_turn *turn);

#endif
