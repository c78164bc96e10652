#include "api/simulate/dice.h"

#include "engine/base/names.h"

enum { SUMMED = 12 };

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

struct ht_sim_dice ht_sim_dice_of(uint64_t seed, const char *what, uint64_t number)
{
    return (struct ht_sim_dice){mix(mix(seed ^ ht_names_hash(what)) + number)};
}

struct ht_sim_dice ht_sim_dice_named(uint64_t seed, const char *what, const char *id)
{
    return ht_sim_dice_of(seed, what, ht_names_hash(id));
}

uint64_t ht_sim_dice_next(struct ht_sim_dice *dice)
{
    dice->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(dice->state);
}

double ht_sim_dice_share(struct ht_sim_dice *dice)
{
    return (double)(ht_sim_dice_next(dice) >> 11) * 0x1p-53;
}

double ht_sim_dice_within(struct ht_sim_dice *dice, double least, double most)
{
    return least + (most - least) * ht_sim_dice_share(dice);
}

uint32_t ht_sim_dice_below(struct ht_sim_dice *dice, uint32_t bound)
{
    return (uint32_t)((ht_sim_dice_next(dice) >> 32) * bound >> 32);
}

bool ht_sim_dice_chance(struct ht_sim_dice *dice, double share)
{
    return ht_sim_dice_share(dice) < share;
}

double ht_sim_dice_normal(struct ht_sim_dice *dice)
{
    double sum = 0;
    for (int i = 0; i < SUMMED; i++) {
        sum += ht_sim_dice_share(dice);
    }
    return sum - SUMMED / 2.0;
}
