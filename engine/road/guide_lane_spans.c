/* Spans of lanes, and the roads of a junction that they suit. */
#include "engine/road/guide_lanes_internal.h"

struct ht__tag {
    uint16_t bit;
    uint16_t angle; /* what it means ideally */
};

/* From the right to the left. */
static const struct ht__tag ht__tags[] = {
    {HT__LANE_SHARP_RIGHT, 35}, {HT__LANE_RIGHT, 90},        {HT__LANE_SLIGHT_RIGHT, 135},
    {HT__LANE_STRAIGHT, 180},   {HT__LANE_SLIGHT_LEFT, 225}, {HT__LANE_LEFT, 270},
    {HT__LANE_SHARP_LEFT, 315}, {HT__LANE_UTURN, 0},
};

enum { HT__TAGS = sizeof ht__tags / sizeof ht__tags[0] };

static uint32_t ht__tag_rank(uint16_t tag)
{
    uint32_t rank = 0;
    while (rank < HT__TAGS && ht__tags[rank].bit != tag) {
        rank++;
    }
    return rank;
}

/* Lanes to turn round are the outermost ones, on either side. */
static bool ht__span_less(const struct ht__span *a, const struct ht__span *b)
{
    if (a->from != b->from) {
        return a->from < b->from;
    }
    if (a->to != b->to) {
        return a->to < b->to;
    }
    if (a->tag == HT__LANE_UTURN) {
        return a->from == 0;
    }
    if (b->tag == HT__LANE_UTURN) {
        return b->from != 0;
    }
    return ht__tag_rank(a->tag) < ht__tag_rank(b->tag);
}

void ht__spans_sort(struct ht__spans *spans)
{
    for (uint32_t i = 1; i < spans->count; i++) {
        struct ht__span span = spans->at[i];
        uint32_t k = i;
        for (; k > 0 && ht__span_less(&span, &spans->at[k - 1]); k--) {
            spans->at[k] = spans->at[k - 1];
        }
        spans->at[k] = span;
    }
}

void ht__spans_add(struct ht__spans *spans, struct ht__span span)
{
    if (spans->count < HT__SPANS_MAX) {
        spans->at[spans->count++] = span;
    }
}

void ht__spans_remove(struct ht__spans *spans, uint32_t index)
{
    spans->count--;
    for (uint32_t i = index; i < spans->count; i++) {
        spans->at[i] = spans->at[i + 1];
    }
}

uint32_t ht__spans_find(const struct ht__spans *spans, unsigned tags)
{
    uint32_t i = 0;
    while (i < spans->count && (spans->at[i].tag & tags) == 0) {
        i++;
    }
    return i;
}

static void ht__spans_note(struct ht__spans *spans, uint16_t tag, uint8_t lane)
{
    uint32_t at = ht__spans_find(spans, tag);
    if (at < spans->count) {
        spans->at[at].from = lane;
    } else {
        ht__spans_add(spans, (struct ht__span){tag, lane, lane});
    }
}

void ht__spans_of(const char *text, struct ht__spans *out)
{
    uint16_t masks[HT__LANES_MAX];
    uint32_t count = ht_guide_lane_masks(text, masks, HT__LANES_MAX);
    out->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned bit = 0; bit < HT_GUIDE_LANE_KINDS; bit++) {
            uint16_t tag = (uint16_t)(1U << bit);
            if ((masks[i] & tag) != 0) {
                ht__spans_note(out, tag, (uint8_t)(count - 1 - i));
            }
        }
    }
    ht__spans_sort(out);
    for (uint32_t i = 1; i < out->count; i++) {
        bool inner_uturn = i + 1 < out->count && out->at[i].tag == HT__LANE_UTURN;
        if (inner_uturn || out->at[i - 1].to > out->at[i].from) {
            out->count = 0;
        }
    }
}

static bool ht__left_of(unsigned modifier)
{
    return modifier >= HT_MODIFIER_SLIGHT_LEFT && modifier <= HT_MODIFIER_SHARP_LEFT;
}

static bool ht__right_of(unsigned modifier)
{
    return modifier >= HT_MODIFIER_SHARP_RIGHT && modifier <= HT_MODIFIER_SLIGHT_RIGHT;
}

bool ht__span_suits(uint16_t tag, const struct ht__road *road)
{
    unsigned m = road->modifier;
    bool merge = road->type == HT__MERGE;
    if (tag == HT__LANE_UTURN) {
        return ht__left_of(m) || m == HT_MODIFIER_UTURN;
    }
    if ((tag & HT__LANE_ANY_RIGHT) != 0) {
        return merge ? ht__left_of(m) : ht__leaves(road->type) || ht__right_of(m);
    }
    if ((tag & HT__LANE_ANY_LEFT) != 0) {
        return merge ? ht__right_of(m) : road->type == HT__STAY || ht__left_of(m);
    }
    bool slight = m == HT_MODIFIER_SLIGHT_LEFT || m == HT_MODIFIER_SLIGHT_RIGHT;
    return tag == HT__LANE_STRAIGHT &&
           (m == HT_MODIFIER_STRAIGHT || road->type == HT__SUPPRESSED ||
            road->type == HT__NEW_NAME || road->type == HT__STAY || ht__enters(road->type) ||
            ((road->type == HT__FORK || road->type == HT__CONTINUE) && slight));
}

double ht__span_deviation(uint16_t tag, const struct ht__road *road)
{
    uint32_t rank = ht__tag_rank(tag);
    double angle = (tag & HT__LANE_ANY_MERGE) != 0 ? HT__STRAIGHT
                   : rank < HT__TAGS               ? ht__tags[rank].angle
                                                   : 0;
    return ht__deviation(angle, road->angle);
}

/* Suiting roads first, then open ones, then the nearest. */
static bool ht__span_prefers(uint16_t tag, const struct ht__road *a, const struct ht__road *b)
{
    bool suits = ht__span_suits(tag, a);
    if (suits != ht__span_suits(tag, b)) {
        return suits;
    }
    if (a->entry != b->entry) {
        return a->entry;
    }
    return ht__span_deviation(tag, a) < ht__span_deviation(tag, b);
}

static uint32_t ht__span_road_from(uint16_t tag, const struct ht__view *view, uint32_t first)
{
    uint32_t best = first;
    for (uint32_t i = first + 1; i < view->count; i++) {
        if (ht__span_prefers(tag, &view->roads[i], &view->roads[best])) {
            best = i;
        }
    }
    return best;
}

uint32_t ht__span_road(uint16_t tag, const struct ht__view *view)
{
    return ht__span_road_from(tag, view, 0);
}

/* As ht__span_road; where a lane leads back depends on its neighbour, for there may be a sharp turn
 * round an island instead. */
static uint32_t ht__span_road_at(const struct ht__spans *spans, uint32_t i,
                                 const struct ht__view *view)
{
    if (spans->at[i].tag != HT__LANE_UTURN || spans->count == 1) {
        return ht__span_road(spans->at[i].tag, view);
    }
    if (i > 0 && i + 1 < spans->count) {
        return 0;
    }
    uint32_t neighbour = ht__span_road(spans->at[i > 0 ? i - 1 : 1].tag, view);
    return neighbour + 1 == view->count ? 0 : ht__span_road_from(HT__LANE_UTURN, view, neighbour);
}

/* Whether there are about as many spans as turns. */
static bool ht__spans_enough(const struct ht__spans *spans, const struct ht__view *view)
{
    uint32_t n = spans->count;
    uint16_t last = spans->at[n - 1].tag;
    bool back = view->roads[0].entry;
    uint32_t turns = ht__enterable(view);
    turns += turns < n && !back && last == HT__LANE_UTURN ? 1 : 0;
    if (turns + 1 < n) {
        return false; /* two lanes too many: some are about another junction */
    }
    if (turns + 1 == n) { /* one without a mark beside the others may be for buses */
        return spans->at[0].tag == HT__LANE_NONE || last == HT__LANE_NONE;
    }
    if (turns > n) {
        bool turns_round = ht__spans_have(spans, HT__LANE_UTURN) ||
                           (last != HT__LANE_LEFT && last != HT__LANE_SHARP_LEFT);
        return ht__spans_have(spans, HT__LANE_NONE) && (!back || turns_round);
    }
    return true;
}

bool ht__spans_fit(const struct ht__spans *spans, const struct ht__view *view)
{
    if (spans->count == 0) {
        return false;
    }
    if (view->count == 2) {
        uint32_t merges = 0;
        for (uint32_t i = 0; i < spans->count; i++) {
            merges += (spans->at[i].tag & HT__LANE_ANY_MERGE) != 0 ? 1 : 0;
        }
        return merges + 1 >= spans->count;
    }
    if (!ht__spans_enough(spans, view)) {
        return false;
    }
    uint32_t taken = 0; /* roads, a bit each */
    uint32_t matched = 0;
    bool unmarked = false;
    for (uint32_t i = 0; i < spans->count; i++) {
        if (spans->at[i].tag == HT__LANE_NONE) {
            unmarked = true;
            continue;
        }
        uint32_t road = ht__span_road_at(spans, i, view);
        const struct ht__road *r = &view->roads[road];
        bool opens = (road == 0 || road + 1 == view->count) && !r->against;
        if ((taken >> road & 1) != 0 || (!r->entry && !opens) ||
            !ht__span_suits(spans->at[i].tag, r)) {
            return false;
        }
        taken |= 1U << road;
        matched++;
    }
    return matched == spans->count || (matched + 1 == spans->count && unmarked);
}

bool ht__spans_in_order(const struct ht__spans *spans, const struct ht__view *view)
{
    uint32_t n = spans->count;
    bool round = n > 0 && spans->at[0].tag == HT__LANE_UTURN;
    uint32_t span = round && view->roads[0].entry ? 1 : 0;
    for (uint32_t road = 1; road < view->count && span < n; road++) {
        if (view->roads[road].entry) {
            if (!ht__span_suits(spans->at[span].tag, &view->roads[road]) ||
                ht__span_road(spans->at[span].tag, view) != road) {
                return false;
            }
            span++;
        }
    }
    return span == n || (span + 1 == n && spans->at[n - 1].tag == HT__LANE_UTURN);
}

/* The road by which one turns round: back, or where that is one-way, the outermost if it is sharp;
 * HT_NONE: neither. */
static uint32_t ht__round_road(const struct ht__view *view, bool to_the_right)
{
    if (!view->roads[0].against) {
        return 0;
    }
    uint32_t outer = to_the_right ? 1 : view->count - 1;
    unsigned sharp = to_the_right ? HT_MODIFIER_SHARP_RIGHT : HT_MODIFIER_SHARP_LEFT;
    bool open = outer < view->count && view->roads[outer].entry;
    return open && view->roads[outer].modifier == sharp ? outer : HT_NONE;
}

const struct ht__span *ht__span_serving(const struct ht__spans *spans, struct ht__view *view,
                                        uint32_t index)
{
    uint32_t n = spans->count;
    uint32_t span = 0;
    uint32_t road = 1;
    const struct ht__span *found = NULL;
    if (spans->at[0].tag == HT__LANE_UTURN) {
        uint32_t back = ht__round_road(view, true);
        if (!view->roads[0].entry || back == HT_NONE) {
            return NULL;
        }
        ht__set(&view->roads[back], HT__CONTINUE, HT_MODIFIER_UTURN);
        found = back == index ? &spans->at[0] : NULL;
        road = back + 1;
        span = 1;
    }
    for (; road < view->count && span < n; road++) {
        if (view->roads[road].entry) {
            found = road == index ? &spans->at[span] : found;
            span++;
        }
    }
    if (span + 1 == n && spans->at[n - 1].tag == HT__LANE_UTURN) {
        uint32_t back = ht__round_road(view, false);
        if (back != HT_NONE) {
            ht__set(&view->roads[back], HT__CONTINUE, HT_MODIFIER_UTURN);
            found = back == index ? &spans->at[n - 1] : found;
        }
    }
    return found;
}
