/* Chaos: what devices do besides telling the truth once and in time.
 *
 *   silent   nothing for some minutes      twice    the same position again
 *   late     held back, told after the next  wrong   0/0, far away, tomorrow, of no unit
 *
 * Threading: plain values.
 */
#ifndef HT_API_SIMULATE_CHAOS_H
#define HT_API_SIMULATE_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/simulate/dice.h"
#include "engine/base/geo.h"

enum ht_sim_fate {
    HT_SIM_TOLD,
    HT_SIM_SILENT,
    HT_SIM_TWICE,
    HT_SIM_LATE,
    HT_SIM_WRONG,
    HT_SIM_FATES
};

/* Of one device. */
struct ht_sim_chaos {
    bool on;
    int64_t silent_until_ms;
};

/* What becomes of the position of `now_ms`, `seconds` after the one before. */
enum ht_sim_fate ht_sim_chaos_fate(struct ht_sim_chaos *chaos, struct ht_sim_dice *dice,
                                   int64_t now_ms, double seconds);

struct ht_sim_position {
    struct ht_point point;
    int64_t ts_ms;
    double speed_mps;
    double bearing_deg;
    bool stranger; /* of a unit that nobody knows */
};
/* Makes a position such as no server may take. */
void ht_sim_chaos_spoil(struct ht_sim_dice *dice, struct ht_sim_position *position);

/* Whether a command is sent once more, with its key: the answer was lost on the way. */
bool ht_sim_chaos_again(const struct ht_sim_chaos *chaos, struct ht_sim_dice *dice);

#endif
