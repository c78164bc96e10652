/* Dice: chance from a seed, a stream of its own for each thing that is thrown for, so that one more
 * van changes nothing for the others.
 *
 * SplitMix64 (Steele, Lea, Flood 2014). No libm: the same on every machine.
 *
 * Threading: plain values.
 */
#ifndef HT_API_SIMULATE_DICE_H
#define HT_API_SIMULATE_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct ht_sim_dice {
    uint64_t state;
};

/* The stream of one thing: `what` and an id or a number. */
struct ht_sim_dice ht_sim_dice_of(uint64_t seed, const char *what, uint64_t number);
struct ht_sim_dice ht_sim_dice_named(uint64_t seed, const char *what, const char *id);

uint64_t ht_sim_dice_next(struct ht_sim_dice *dice);
/* Evenly in [0, 1). */
double ht_sim_dice_share(struct ht_sim_dice *dice);
/* Evenly in [least, most). */
double ht_sim_dice_within(struct ht_sim_dice *dice, double least, double most);
/* Evenly in [0, bound); 0 for a bound of 0. */
uint32_t ht_sim_dice_below(struct ht_sim_dice *dice, uint32_t bound);
bool ht_sim_dice_chance(struct ht_sim_dice *dice, double share);
/* Mean 0, deviation 1, at most 6 away: the sum of twelve. */
double ht_sim_dice_normal(struct ht_sim_dice *dice);

#endif
