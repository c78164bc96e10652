/* Which lanes serve a turn: turn:lanes as tagged, each direction given to the road that suits it
 * best. */
#include <string.h>

#include "engine/road/guide_memory_internal.h"

struct ht__lane_word {
    const char *word;
    uint16_t bit;
    uint8_t modifier;
    uint16_t angle; /* what it means ideally */
};

static const struct ht__lane_word ht__lane_words[] = {
    {"none", HT__LANE_NONE, HT_MODIFIER_STRAIGHT, 180},
    {"through", HT__LANE_STRAIGHT, HT_MODIFIER_STRAIGHT, 180},
    {"sharp_left", HT__LANE_SHARP_LEFT, HT_MODIFIER_SHARP_LEFT, 315},
    {"left", HT__LANE_LEFT, HT_MODIFIER_LEFT, 270},
    {"slight_left", HT__LANE_SLIGHT_LEFT, HT_MODIFIER_SLIGHT_LEFT, 225},
    {"slight_right", HT__LANE_SLIGHT_RIGHT, HT_MODIFIER_SLIGHT_RIGHT, 135},
    {"right", HT__LANE_RIGHT, HT_MODIFIER_RIGHT, 90},
    {"sharp_right", HT__LANE_SHARP_RIGHT, HT_MODIFIER_SHARP_RIGHT, 35},
    {"reverse", HT__LANE_UTURN, HT_MODIFIER_UTURN, 0},
    {"merge_to_left", HT__LANE_MERGE_LEFT, HT_MODIFIER_STRAIGHT, 180},
    {"merge_to_right", HT__LANE_MERGE_RIGHT, HT_MODIFIER_STRAIGHT, 180},
};

enum { HT__LANE_WORDS = sizeof ht__lane_words / sizeof ht__lane_words[0] };

/* "left|through;right|" -> masks, left lane first; an empty lane is `none`. Returns how many. */
uint32_t ht_guide_lane_masks(const char *text, uint16_t *masks, uint32_t capacity)
{
    uint32_t count = 0;
    const char *at = text;
    while (*text != '\0' && count < capacity) {
        uint16_t mask = 0;
        size_t lane = strcspn(at, "|");
        const char *end = at + lane;
        while (at < end) {
            size_t size = strcspn(at, ";|");
            for (int i = 0; i < HT__LANE_WORDS; i++) {
                const char *word = ht__lane_words[i].word;
                if (strlen(word) == size && strncmp(at, word, size) == 0) {
                    mask |= ht__lane_words[i].bit;
                }
            }
            at += size + (at + size < end ? 1 : 0);
        }
        masks[count++] = mask != 0 ? mask : (uint16_t)HT__LANE_NONE;
        if (*end == '\0') {
            break;
        }
        at = end + 1;
    }
    return count;
}

static bool ht__left_of(unsigned modifier)
{
    return modifier >= HT_MODIFIER_SLIGHT_LEFT && modifier <= HT_MODIFIER_SHARP_LEFT;
}

static bool ht__right_of(unsigned modifier)
{
    return modifier >= HT_MODIFIER_SHARP_RIGHT && modifier <= HT_MODIFIER_SLIGHT_RIGHT;
}

/* Could a lane marked so be meant for a turn called so? */
static bool ht__lane_suits(const struct ht__lane_word *word, const struct ht__road *road)
{
    unsigned m = road->modifier;
    bool merge = road->type == HT__MERGE;
    switch (word->bit) {
    case HT__LANE_UTURN:
        return ht__left_of(m) || m == HT_MODIFIER_UTURN;
    case HT__LANE_RIGHT:
    case HT__LANE_SLIGHT_RIGHT:
    case HT__LANE_SHARP_RIGHT:
        return merge ? ht__left_of(m) : ht__right_of(m);
    case HT__LANE_LEFT:
    case HT__LANE_SLIGHT_LEFT:
    case HT__LANE_SHARP_LEFT:
        return merge ? ht__right_of(m) : ht__left_of(m);
    default:
        break;
    }
    bool slight = m == HT_MODIFIER_SLIGHT_LEFT || m == HT_MODIFIER_SLIGHT_RIGHT;
    return m == HT_MODIFIER_STRAIGHT || road->type == HT__SUPPRESSED ||
           road->type == HT__NEW_NAME || road->type == HT__NO_TURN ||
           ((road->type == HT__FORK || road->type == HT__CONTINUE) && slight);
}

/* The road of a view that a lane marking is best read as; HT_NONE: none suits. */
static uint32_t ht__lane_road(const struct ht__lane_word *word, const struct ht__view *view)
{
    uint32_t best = HT_NONE;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = &view->roads[i];
        if (r->entry && ht__lane_suits(word, r) &&
            (best == HT_NONE || ht__deviation(word->angle, r->angle) <
                                    ht__deviation(word->angle, view->roads[best].angle))) {
            best = i;
        }
    }
    return best;
}

struct ht__lanes ht__lanes_of(const struct ht__map *map, const struct ht__view *view,
                              uint32_t arc_in, uint32_t index)
{
    struct ht__lanes lanes = {0, 0, 0, 0};
    const struct ht_arc *in = ht__arc(map, arc_in);
    uint32_t text = ht__lanes_text(map, arc_in);
    if (text == 0 || view->count < 2 || ht__is_round(map, in->way) ||
        ht__is_round_type(view->roads[index].type)) {
        return lanes;
    }
    uint16_t masks[HT__LANES_MAX];
    uint32_t count = ht_guide_lane_masks(map->network->strings + text, masks, HT__LANES_MAX);
    uint16_t serving = 0;
    uint16_t marked = 0;
    for (int i = 0; i < HT__LANE_WORDS; i++) {
        if (ht__lane_road(&ht__lane_words[i], view) == index) {
            serving |= ht__lane_words[i].bit;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        marked |= masks[i];
    }
    if (count == 0 || marked == HT__LANE_NONE) {
        return lanes;
    }
    if ((marked & serving & ~HT__LANE_NONE) != 0) {
        serving &=
            (uint16_t)~HT__LANE_NONE; /* unmarked lanes serve only where no marked one does */
    }
    uint32_t first = HT_NONE;
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        if ((masks[i] & serving) != 0) {
            first = first == HT_NONE ? i : first;
            last = i;
        }
    }
    if (first != HT_NONE) {
        lanes = (struct ht__lanes){text, (uint8_t)count, (uint8_t)(count - 1 - last),
                                   (uint8_t)(last - first + 1)};
    }
    return lanes;
}
