#include "api/simulate/chaos.h"

#define SILENCES_AN_HOUR 0.4
#define TWICE 0.03
#define LATE 0.03
#define WRONG 0.01
#define AGAIN 0.03
#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum ht_sim_fate ht_sim_chaos_fate(struct ht_sim_chaos *chaos, struct ht_sim_dice *dice,
                                   int64_t now_ms, double seconds)
{
    if (!chaos->on) {
        return HT_SIM_TOLD;
    }
    if (now_ms < chaos->silent_until_ms) {
        return HT_SIM_SILENT;
    }
    if (ht_sim_dice_chance(dice, SILENCES_AN_HOUR * seconds / 3600)) {
        chaos->silent_until_ms = now_ms + (int64_t)(ht_sim_dice_within(dice, 120, 600) * 1000);
        return HT_SIM_SILENT;
    }
    double share = ht_sim_dice_share(dice);
    return share < TWICE                  ? HT_SIM_TWICE
           : share < TWICE + LATE         ? HT_SIM_LATE
           : share < TWICE + LATE + WRONG ? HT_SIM_WRONG
                                          : HT_SIM_TOLD;
}

void ht_sim_chaos_spoil(struct ht_sim_dice *dice, struct ht_sim_position *position)
{
    switch (ht_sim_dice_below(dice, 4)) {
    case 0:
        position->point = (struct ht_point){0, 0};
        break;
    case 1: /* a hundred kilometres away in no time */
        position->point.lat_e7 += 9000000;
        break;
    case 2:
        position->ts_ms += DAY_MS;
        break;
    default:
        position->stranger = true;
        break;
    }
}

bool ht_sim_chaos_again(const struct ht_sim_chaos *chaos, struct ht_sim_dice *dice)
{
    return chaos->on && ht_sim_dice_chance(dice, AGAIN);
}
