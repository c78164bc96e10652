/* Lanes for several turns in a row: where the next turn comes before lanes can be changed, only
 * those lanes of this one that lead to it are said to serve. Rules after OSRM's lane anticipation.
 */
#include "engine/road/guide_steps_internal.h"

#define HT__LANE_CHANGE_M 200.0

/* The lanes at a step's turn. */
struct ht__lane_use {
    uint32_t first; /* from the right */
    uint32_t valid;
    uint32_t left; /* lanes beyond them */
};

static uint32_t ht__lane_total(const char *text)
{
    uint32_t total = 1;
    for (; *text != '\0'; text++) {
        total += *text == '|' ? 1 : 0;
    }
    return total;
}

static struct ht__lane_use ht__lane_use(struct ht_guide *guide, const struct ht__step *step)
{
    const struct ht_guide_junction *j = ht__front(guide, step);
    const char *strings = guide->map.network->strings;
    if (j->lane_valid == 0) {
        return (struct ht__lane_use){0, 0, 0};
    }
    uint32_t total = ht__lane_total(strings + j->lanes) +
                     (j->lanes_right != 0 ? ht__lane_total(strings + j->lanes_right) : 0);
    uint32_t used = (uint32_t)j->lane_first + j->lane_valid;
    return (struct ht__lane_use){j->lane_first, j->lane_valid, total > used ? total - used : 0};
}

/* The farther the lanes are from a street's other side, the longer it takes to reach them. */
static bool ht__quick(struct ht_guide *guide, const struct ht__step *step)
{
    if (!ht__has_type(step) && step->waypoint == HT__NO_WAYPOINT) {
        return false; /* merged away */
    }
    struct ht__lane_use use = ht__lane_use(guide, step);
    uint32_t cross = use.first > use.left ? use.first : use.left;
    return use.valid > 0 && ht__step_m(step) < (1 + cross) * HT__LANE_CHANGE_M;
}

/* To which side a step turns; straight on counts as the turn that it leads to. */
static unsigned ht__side_turned(const struct ht__step *step)
{
    unsigned m = step->modifier;
    bool left = m >= HT_MODIFIER_SLIGHT_LEFT && m <= HT_MODIFIER_SHARP_LEFT;
    bool right = m >= HT_MODIFIER_SHARP_RIGHT && m <= HT_MODIFIER_SLIGHT_RIGHT;
    if (!left && !right) {
        return HT_MODIFIER_STRAIGHT;
    }
    bool mirrored = step->type == HT__MERGE;
    return left != mirrored ? HT_MODIFIER_LEFT : HT_MODIFIER_RIGHT;
}

/* Of the lanes at one turn, those that lead to the lanes of the next, which are fewer. */
static void ht__narrow(struct ht_guide_junction *j, const struct ht__lane_use *next, bool left)
{
    uint32_t spare = j->lane_valid - next->valid;
    uint32_t beside = left ? next->left : next->first;
    uint32_t shift = beside < next->valid ? beside : next->valid;
    shift = shift < spare ? shift : spare;
    j->lane_first = (uint8_t)(j->lane_first + (left ? spare - shift : shift));
    j->lane_valid = (uint8_t)next->valid;
}

/* Steps [begin, end) follow each other quickly: what a later one needs, an earlier one provides. */
static void ht__anticipate_run(struct ht_guide *guide, uint32_t begin, uint32_t end)
{
    unsigned onward = HT_MODIFIER_STRAIGHT; /* where the turns after the one at hand lead */
    double silent_m = 0;
    for (uint32_t i = end - 1; i > begin; i--) {
        const struct ht__step *step = &guide->steps[i];
        const struct ht__step *before = step - 1;
        struct ht__lane_use use = ht__lane_use(guide, step);
        struct ht_guide_junction *j = ht__front(guide, before);
        unsigned side = ht__side_turned(step);
        side = side == HT_MODIFIER_STRAIGHT ? onward : side;
        onward = HT_MODIFIER_STRAIGHT;
        silent_m = before->type == HT__SUPPRESSED ? silent_m + ht__step_m(before) : 0;
        if (j->lane_valid <= 1 || j->lane_valid <= use.valid ||
            silent_m > (j->lane_valid - use.valid) * HT__LANE_CHANGE_M) {
            continue;
        }
        onward = side;
        ht__narrow(j, &use, side == HT_MODIFIER_LEFT);
    }
}

void ht__anticipate_lanes(struct ht_guide *guide)
{
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= guide->step_count; i++) {
        if (i == guide->step_count || !ht__quick(guide, &guide->steps[i])) {
            if (i > begin + 1) {
                ht__anticipate_run(guide, begin, i);
            }
            begin = i + 1;
        }
    }
}
