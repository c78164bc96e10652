/* Lanes without a mark at a junction: they may serve one turn, several, or add to a neighbour. */
#include "engine/road/guide_lanes_internal.h"

/* The mark that a road would have. */
static uint16_t ht__mark_of(const struct ht__road *road)
{
    static const uint16_t marks[] = {
        [HT_MODIFIER_UTURN] = HT__LANE_UTURN,
        [HT_MODIFIER_SHARP_RIGHT] = HT__LANE_SHARP_RIGHT,
        [HT_MODIFIER_RIGHT] = HT__LANE_RIGHT,
        [HT_MODIFIER_SLIGHT_RIGHT] = HT__LANE_SLIGHT_RIGHT,
        [HT_MODIFIER_STRAIGHT] = HT__LANE_STRAIGHT,
        [HT_MODIFIER_SLIGHT_LEFT] = HT__LANE_SLIGHT_LEFT,
        [HT_MODIFIER_LEFT] = HT__LANE_LEFT,
        [HT_MODIFIER_SHARP_LEFT] = HT__LANE_SHARP_LEFT,
        [HT_MODIFIER_NONE] = HT__LANE_NONE,
    };
    return marks[road->modifier];
}

/* Roads [begin, end) of a view. */
struct ht__range {
    uint32_t begin;
    uint32_t end;
};

/* From a road on until more than `extra` open ones have been passed. */
static struct ht__range ht__roads_on(const struct ht__view *view, uint32_t begin, uint32_t extra)
{
    uint32_t open = 0;
    for (uint32_t i = begin; i < view->count; i++) {
        open += view->roads[i].entry ? 1 : 0;
        if (open > extra) {
            return (struct ht__range){begin, i + 1};
        }
    }
    return (struct ht__range){0, 0};
}

/* The roads that an unmarked span has to serve, `extra` more than one. */
static struct ht__range ht__roads_left(const struct ht__spans *spans, uint32_t none,
                                       const struct ht__view *view, uint32_t extra)
{
    uint32_t open = 0;
    if (none == 0) {
        return ht__roads_on(view, 1, extra);
    }
    if (none + 1 == spans->count) {
        for (uint32_t i = view->count - 1; i > 0; i--) {
            open += view->roads[i].entry ? 1 : 0;
            if (open > extra) {
                return (struct ht__range){i, view->count};
            }
        }
        return (struct ht__range){0, 0};
    }
    for (uint32_t i = 1; i < view->count; i++) {
        open += view->roads[i].entry ? 1 : 0;
        if (open >= none) {
            return ht__roads_on(view, i + 1, extra);
        }
    }
    return ht__roads_on(view, 1, extra);
}

/* More turns than spans: several lanes are shared out around the way straight on, one lane serves
 * all. */
static void ht__spread(struct ht__spans *spans, uint32_t none, const struct ht__view *view,
                       uint32_t extra)
{
    struct ht__range range = ht__roads_left(spans, none, view, extra);
    const struct ht__span span = spans->at[none];
    uint32_t open = 0;
    uint32_t straight = range.end;
    for (uint32_t i = range.begin; i < range.end; i++) {
        open += view->roads[i].entry ? 1 : 0;
        if (straight == range.end && view->roads[i].modifier == HT_MODIFIER_STRAIGHT) {
            straight = i;
        }
    }
    bool shared = open > 1 && span.to > span.from;
    if (shared && straight == range.end) {
        return;
    }
    for (uint32_t i = range.begin; i < range.end; i++) {
        const struct ht__road *r = &view->roads[i];
        if (shared || r->entry) {
            uint8_t from = shared && i > straight ? span.to : span.from;
            uint8_t to = shared && i < straight ? span.from : span.to;
            ht__spans_add(spans, (struct ht__span){ht__mark_of(r), from, to});
        }
    }
    ht__spans_remove(spans, none);
}

/* One span too many: its lanes go to those beside it. */
static void ht__give_away(struct ht__spans *spans, uint32_t none)
{
    struct ht__span *span = &spans->at[none];
    if (none == 0) {
        span[1].from = span->from;
    } else if (none + 1 == spans->count) {
        span[-1].to = span->to;
    } else if (span->to - span->from <= 1) {
        span[-1].to = span->from;
        span[1].from = span->to;
    } else {
        return;
    }
    ht__spans_remove(spans, none);
}

/* The unmarked lanes at one side, with a neighbour: they turn that way where nothing else does,
 * and the lanes that go straight on may use them as well. */
static void ht__rename_outer(struct ht__spans *spans, bool right, bool has_side, bool has_through)
{
    struct ht__span *span = right ? &spans->at[0] : &spans->at[spans->count - 1];
    struct ht__span *beside = spans->count == 1 ? NULL : right ? span + 1 : span - 1;
    unsigned taken =
        right ? HT__LANE_SHARP_RIGHT | HT__LANE_RIGHT : HT__LANE_SHARP_LEFT | HT__LANE_LEFT;
    if (has_side && (beside == NULL || (beside->tag & taken) == 0)) {
        span->tag = right ? HT__LANE_RIGHT : HT__LANE_LEFT;
        if (beside != NULL && beside->tag == HT__LANE_STRAIGHT && right) {
            beside->from = span->from;
            span->to = span->from;
        } else if (beside != NULL && beside->tag == HT__LANE_STRAIGHT) {
            beside->to = span->to;
            span->from = span->to;
        }
    } else if (has_through && (beside == NULL || beside->tag != HT__LANE_STRAIGHT)) {
        span->tag = HT__LANE_STRAIGHT;
    }
}

/* As many spans as turns: the unmarked one gets the mark that is missing. */
static void ht__rename(struct ht__spans *spans, uint32_t none, const struct ht__view *view)
{
    unsigned marks = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        marks |= view->roads[i].entry ? ht__mark_of(&view->roads[i]) : 0U;
    }
    bool through = (marks & HT__LANE_STRAIGHT) != 0;
    if (none == 0) {
        ht__rename_outer(spans, true, (marks & HT__LANE_ANY_RIGHT) != 0, through);
    } else if (none + 1 == spans->count) {
        ht__rename_outer(spans, false, (marks & HT__LANE_ANY_LEFT) != 0, through);
    } else if ((spans->at[none + 1].tag & HT__LANE_ANY_LEFT) != 0 &&
               (spans->at[none - 1].tag & HT__LANE_ANY_RIGHT) != 0) {
        spans->at[none].tag = HT__LANE_STRAIGHT;
    }
}

void ht__spans_settle_none(struct ht__spans *spans, const struct ht__view *view)
{
    uint32_t none = ht__spans_find(spans, HT__LANE_NONE);
    if (none == spans->count) {
        return;
    }
    bool back = view->roads[0].entry && spans->at[spans->count - 1].tag != HT__LANE_UTURN;
    uint32_t turns = ht__enterable(view) - (back ? 1 : 0);
    if (turns > spans->count) {
        ht__spread(spans, none, view, turns - spans->count);
    } else if (turns + 1 == spans->count) {
        ht__give_away(spans, none);
    } else if (turns == spans->count) {
        ht__rename(spans, none, view);
    }
    ht__spans_sort(spans);
}
