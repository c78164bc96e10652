/* Which lanes serve a turn: turn:lanes as tagged, each direction given to the road that suits it
 * best. Where a junction is drawn as several, a text may be about this one, the one before it or
 * the next. Scenarios after OSRM's turn lane handler. */
#include <string.h>

#include "engine/road/guide_lanes_internal.h"
#include "engine/road/guide_memory_internal.h"

#define HT__BEFORE_M 30.0 /* a junction further back has no say */

struct ht__lane_word {
    const char *word;
    uint16_t bit;
};

static const struct ht__lane_word ht__lane_words[] = {
    {"none", HT__LANE_NONE},
    {"through", HT__LANE_STRAIGHT},
    {"sharp_left", HT__LANE_SHARP_LEFT},
    {"left", HT__LANE_LEFT},
    {"slight_left", HT__LANE_SLIGHT_LEFT},
    {"slight_right", HT__LANE_SLIGHT_RIGHT},
    {"right", HT__LANE_RIGHT},
    {"sharp_right", HT__LANE_SHARP_RIGHT},
    {"reverse", HT__LANE_UTURN},
    {"merge_to_left", HT__LANE_MERGE_LEFT},
    {"merge_to_right", HT__LANE_MERGE_RIGHT},
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

/* The piece by which a strand that ends with an arc is driven back. */
static struct ht__piece ht__backwards(const struct ht__map *map, uint32_t arc)
{
    uint32_t base = ht_arc_base(map->graph, arc);
    uint32_t reverse = ht__arc(map, base)->reverse;
    return reverse == HT_NONE ? (struct ht__piece){base, true} : (struct ht__piece){reverse, false};
}

/* The arc that is driven where a piece is driven back; HT_NONE: it is one-way. */
static uint32_t ht__forwards(const struct ht__map *map, struct ht__piece back)
{
    return back.against ? back.arc : ht__arc(map, back.arc)->reverse;
}

static uint32_t ht__own_lanes_text(const struct ht__map *map, uint32_t arc)
{
    const struct ht_arc *a = ht__arc(map, arc);
    const struct ht_way *way = ht__way(map, a->way);
    return (a->flags & HT_ARC_FORWARD) != 0 ? way->lanes_forward : way->lanes_backward;
}

uint32_t ht__lanes_text(const struct ht__map *map, uint32_t arc)
{
    uint32_t text = ht__own_lanes_text(map, arc);
    struct ht__piece back = {HT_NONE, false};
    for (int hop = 0; hop < HT__LANES_HOPS && text == 0; hop++) {
        back = hop == 0 ? ht__backwards(map, arc) : back;
        back.arc = ht__passes(map, back.arc, back.against);
        if (back.arc == HT_NONE) {
            break;
        }
        text = ht__own_lanes_text(map, ht__forwards(map, back));
    }
    return text;
}

/* Some street that leads to a junction has lanes told. */
static bool ht__lanes_come_to(const struct ht__map *map, uint32_t junction)
{
    const struct ht_graph *g = map->graph;
    for (uint32_t a = g->junction_first_out[junction]; a < g->junction_first_out[junction + 1];
         a++) {
        if (g->arcs[a].reverse != HT_NONE && ht__lanes_text(map, g->arcs[a].reverse) != 0) {
            return true;
        }
    }
    for (uint32_t i = g->junction_first_in[junction]; i < g->junction_first_in[junction + 1]; i++) {
        uint32_t a = g->junction_in[i];
        if (g->arcs[a].reverse == HT_NONE && ht__lanes_text(map, a) != 0) {
            return true;
        }
    }
    return false;
}

/* The junction shortly before: the arc into it from the straightest way back. */
struct ht__before {
    uint32_t in;  /* HT_NONE: there is none */
    uint32_t out; /* the arc from there towards us */
};

static struct ht__before ht__before(const struct ht__map *map, uint32_t arc)
{
    struct ht__before before = {HT_NONE, HT_NONE};
    struct ht__piece back = ht__backwards(map, arc);
    struct ht__strand strand = ht__follow(map, back.arc, back.against);
    struct ht__view view;
    if (strand.length_m > HT__BEFORE_M || !ht__look(map, strand.last, back.against, true, &view)) {
        return before;
    }
    const struct ht__road *road = &view.roads[ht__closest(&view, HT__STRAIGHT)];
    if (ht__deviation(road->angle, HT__STRAIGHT) <= HT__GROUP) {
        before.in = ht__forwards(map, ht__piece_of(road));
        before.out = ht__forwards(map, (struct ht__piece){strand.last, back.against});
    }
    return before;
}

uint32_t ht__lanes_text_before(const struct ht__map *map, uint32_t arc)
{
    struct ht__before before = ht__before(map, arc);
    return before.in == HT_NONE ? 0 : ht__lanes_text(map, before.in);
}

/* The view of a junction from an arc, with the turns named. */
static bool ht__classified(const struct ht__map *map, uint32_t arc, struct ht__view *view)
{
    if (!ht__look(map, arc, false, false, view)) {
        return false;
    }
    ht__classify(map, view);
    return true;
}

/* Which spans are about this junction, which about the next one straight on. */
struct ht__parts {
    bool first[HT__SPANS_MAX];
    bool second[HT__SPANS_MAX];
    uint32_t firsts;
    uint32_t seconds;
    uint32_t through; /* the span that leads straight on; HT_NONE: none */
};

/* False: a span is about neither. */
static bool ht__allot(const struct ht__spans *spans, const struct ht__view *view,
                      const struct ht__view *next, struct ht__parts *parts)
{
    uint32_t straight = ht__closest(view, HT__STRAIGHT);
    *parts = (struct ht__parts){.through = HT_NONE};
    for (uint32_t i = 0; i < spans->count; i++) {
        uint16_t tag = spans->at[i].tag;
        if ((tag & (HT__LANE_NONE | HT__LANE_UTURN)) != 0) {
            continue;
        }
        uint32_t road = ht__span_road(tag, view);
        const struct ht__road *here = &view->roads[road];
        const struct ht__road *there = &next->roads[ht__span_road(tag, next)];
        parts->first[i] = here->entry && ht__span_suits(tag, here);
        if (parts->first[i] && road == straight) {
            parts->through = i;
        }
        bool later = there->entry && ht__span_suits(tag, there);
        if (later && (!parts->first[i] || tag == HT__LANE_STRAIGHT ||
                      ht__span_deviation(tag, here) > ht__span_deviation(tag, there))) {
            parts->first[i] = tag == HT__LANE_STRAIGHT && parts->first[i];
            parts->second[i] = true;
        }
        if (!parts->first[i] && !parts->second[i]) {
            return false;
        }
        parts->firsts += parts->first[i] ? 1 : 0;
        parts->seconds += parts->second[i] ? 1 : 0;
    }
    return true;
}

/* Lanes without a mark serve wherever turns are left. */
static void ht__allot_none(const struct ht__spans *spans, uint32_t turns, uint32_t next_turns,
                           struct ht__parts *parts)
{
    uint32_t none = ht__spans_find(spans, HT__LANE_NONE);
    if (none == spans->count) {
        return;
    }
    if (parts->through == HT_NONE) {
        parts->through = none;
    }
    if (parts->firsts <= turns) {
        parts->first[none] = true;
        parts->firsts++;
    }
    if (parts->seconds <= next_turns) {
        parts->second[none] = true;
        parts->seconds++;
    }
}

/* A span grows over all lanes that are about the next junction. */
static void ht__widen(const struct ht__spans *spans, const struct ht__parts *parts,
                      struct ht__span *span)
{
    for (uint32_t i = 0; i < spans->count; i++) {
        if (parts->second[i]) {
            span->from = spans->at[i].from < span->from ? spans->at[i].from : span->from;
            span->to = spans->at[i].to > span->to ? spans->at[i].to : span->to;
        }
    }
}

/* Spans about two junctions in a row: those for the one of the view or for the next. */
static void ht__partition(const struct ht__map *map, const struct ht__view *view, bool second,
                          struct ht__spans *spans)
{
    struct ht__view next;
    struct ht__parts parts;
    const struct ht__road *on = &view->roads[ht__closest(view, HT__STRAIGHT)];
    if (!on->entry || !ht__classified(map, ht__follow(map, on->arc, false).last, &next) ||
        !ht__allot(spans, view, &next, &parts)) {
        spans->count = second ? 0 : spans->count;
        return;
    }
    uint32_t next_turns = ht__enterable(&next);
    ht__allot_none(spans, ht__enterable(view), next_turns, &parts);
    struct ht__spans whole = *spans;
    if (!second && parts.through != HT_NONE) {
        ht__widen(&whole, &parts, &spans->at[parts.through]);
    }
    whole = *spans;
    const bool *kept = second ? parts.second : parts.first;
    spans->count = 0;
    for (uint32_t i = 0; i < whole.count; i++) {
        if (kept[i]) {
            ht__spans_add(spans, whole.at[i]);
        }
    }
    if (!second && parts.through == HT_NONE && next_turns > 0 && parts.seconds == next_turns) {
        struct ht__span through = {HT__LANE_STRAIGHT, UINT8_MAX, 0};
        ht__widen(&whole, &parts, &through);
        ht__spans_add(spans, through);
    }
    ht__spans_sort(spans);
}

/* A lane marked for turning left often allows to turn round as well. */
static bool ht__add_uturn(const struct ht__view *view, struct ht__spans *spans)
{
    uint32_t turns = ht__enterable(view);
    uint32_t n = spans->count;
    bool back = view->roads[0].entry;
    const unsigned round = HT__LANE_NONE | HT__LANE_LEFT | HT__LANE_SHARP_LEFT | HT__LANE_UTURN;
    if (back && !ht__spans_have(spans, round) && n + 1 == turns) {
        return false; /* turning round is all there is to add, and no lane is for it */
    }
    bool told = ht__spans_have(spans, HT__LANE_UTURN | HT__LANE_NONE);
    if (back && n > 0 && !told && n != turns + 1 && ht__spans_in_order(spans, view)) {
        uint8_t left = spans->at[n - 1].to;
        ht__spans_add(spans, (struct ht__span){HT__LANE_UTURN, left, left});
    }
    return true;
}

/* The spans of the text before a junction that are about it. */
static bool ht__spans_here(const struct ht__map *map, const struct ht__view *view,
                           struct ht__spans *spans)
{
    if (ht__spans_have(spans, HT__LANE_ANY_MERGE) || !ht__add_uturn(view, spans)) {
        return false;
    }
    if (ht__spans_fit(spans, view)) {
        return true;
    }
    uint32_t turns = ht__enterable(view);
    if (spans->count < turns) {
        return false;
    }
    ht__partition(map, view, false, spans);
    return spans->count == turns && ht__spans_fit(spans, view);
}

/* The spans of the text before the previous junction that are about this one. */
static bool ht__spans_from_before(const struct ht__map *map, const struct ht__view *view,
                                  const struct ht__view *previous, struct ht__spans *spans)
{
    uint32_t turns = ht__enterable(view);
    if (spans->count == 0 || ht__spans_have(spans, HT__LANE_ANY_MERGE) ||
        (view->roads[0].entry && turns == 1)) {
        return false;
    }
    if (previous->count == 2) {
        return ht__spans_fit(spans, view);
    }
    if (spans->count < ht__enterable(previous)) {
        return false;
    }
    ht__partition(map, previous, true, spans);
    return spans->count == turns && ht__spans_fit(spans, view);
}

/* A sliproad leaves at the previous junction, the arc out of there being it or the street beside
 * it: the two of them, the left one first. False: no such thing. */
static bool ht__beside_sliproad(const struct ht__view *previous, uint32_t out, uint32_t pair[2])
{
    for (uint32_t i = 1; i < previous->count; i++) {
        const struct ht__road *r = &previous->roads[i];
        if (r->type != HT__SLIPROAD) {
            continue;
        }
        const struct ht__road *left = i + 1 == previous->count ? NULL : r + 1;
        const struct ht__road *beside = left;
        if (i > 1 && (left == NULL || ht__deviation(r->angle, r[-1].angle) <
                                          ht__deviation(r->angle, left->angle))) {
            beside = r - 1;
        }
        if (beside != NULL && (r->arc == out || beside->arc == out)) {
            bool to_the_right = beside->angle > r->angle;
            pair[0] = to_the_right ? beside->arc : r->arc;
            pair[1] = to_the_right ? r->arc : beside->arc;
            return !beside->against;
        }
    }
    return false;
}

static bool ht__texts_beside(const struct ht__map *map, const uint32_t pair[2], uint32_t texts[2])
{
    for (int i = 0; i < 2; i++) {
        texts[i] = ht__lanes_text(map, ht__follow(map, pair[i], false).last);
    }
    return texts[0] != 0 && texts[1] != 0;
}

bool ht__lanes_texts_beside(const struct ht__map *map, uint32_t arc, uint32_t texts[2])
{
    struct ht__before before = ht__before(map, arc);
    struct ht__view previous;
    uint32_t pair[2];
    return before.in != HT_NONE && ht__classified(map, before.in, &previous) &&
           ht__beside_sliproad(&previous, before.out, pair) && ht__texts_beside(map, pair, texts);
}

/* The spans of an arc's own text among the lanes of both texts. */
static bool ht__spans_beside(const struct ht__map *map, const struct ht__before *before,
                             const uint32_t pair[2], struct ht__spans *spans,
                             struct ht__lanes *lanes)
{
    uint32_t texts[2];
    uint16_t masks[HT__LANES_MAX];
    if (!ht__texts_beside(map, pair, texts)) {
        return false;
    }
    uint32_t right = ht_guide_lane_masks(map->network->strings + texts[1], masks, HT__LANES_MAX);
    for (uint32_t i = 0; before->out == pair[0] && i < spans->count; i++) {
        spans->at[i].from = (uint8_t)(spans->at[i].from + right);
        spans->at[i].to = (uint8_t)(spans->at[i].to + right);
    }
    *lanes = (struct ht__lanes){.text = texts[0], .right = texts[1], .beside = true};
    return true;
}

/* The text goes on behind a node where two pieces meet: nothing is to be decided here. */
static bool ht__lanes_go_on(const struct ht__map *map, const struct ht__view *view, uint32_t text)
{
    const struct ht__road *on = &view->roads[1];
    return view->count == 2 && text != 0 && !on->against &&
           ht__deviation(on->angle, HT__STRAIGHT) < HT__FUZZY &&
           ht__lanes_text(map, ht__follow(map, on->arc, false).last) == text;
}

static bool ht__no_lanes_at(const struct ht__map *map, const struct ht__view *view, uint32_t arc_in)
{
    bool round = ht__is_round(map, ht__arc(map, arc_in)->way);
    for (uint32_t i = 0; i < view->count; i++) {
        round = round || ht__is_round_type(view->roads[i].type);
    }
    return round || view->count < 2;
}

/* Spans for the turns of a view, and the text (or texts) they are of. False: nothing is told. */
static bool ht__deduce(const struct ht__map *map, const struct ht__view *view, uint32_t arc_in,
                       struct ht__lanes *lanes, struct ht__spans *spans)
{
    struct ht__view previous = {.count = 0};
    uint32_t text = ht__lanes_text(map, arc_in);
    struct ht__piece back = ht__backwards(map, arc_in);
    struct ht__strand strand = ht__follow(map, back.arc, back.against);
    spans->count = 0;
    if (text != 0) {
        ht__spans_of(map->network->strings + text, spans);
        if (spans->count == 0 || (spans->count == 1 && spans->at[0].tag == HT__LANE_NONE) ||
            ht__lanes_go_on(map, view, text)) {
            return false;
        }
    } else if (strand.length_m > HT__BEFORE_M || !ht__lanes_come_to(map, strand.far)) {
        return false;
    }
    uint32_t pair[2];
    struct ht__before before = ht__before(map, arc_in);
    bool seen = before.in != HT_NONE && ht__classified(map, before.in, &previous) &&
                ht__find(&previous, before.out) != HT_NONE;
    if (seen && ht__beside_sliproad(&previous, before.out, pair)) {
        return ht__spans_beside(map, &before, pair, spans, lanes);
    }
    lanes->from_before = text == 0;
    if (text != 0) {
        lanes->text = text;
        return ht__spans_here(map, view, spans);
    }
    lanes->text = seen ? ht__lanes_text(map, before.in) : 0;
    if (lanes->text != 0) {
        ht__spans_of(map->network->strings + lanes->text, spans);
    }
    return lanes->text != 0 && ht__spans_from_before(map, view, &previous, spans);
}

struct ht__lanes ht__lanes_of(const struct ht__map *map, struct ht__view *view, uint32_t arc_in,
                              uint32_t index)
{
    const struct ht__lanes nothing = {.text = 0};
    struct ht__lanes lanes = nothing;
    struct ht__spans spans;
    if (ht__no_lanes_at(map, view, arc_in) || !ht__deduce(map, view, arc_in, &lanes, &spans)) {
        return nothing;
    }
    if (!lanes.beside) {
        ht__spans_settle_none(&spans, view);
    }
    if (spans.count == 0 || !ht__spans_in_order(&spans, view)) {
        return nothing;
    }
    const struct ht__span *span = ht__span_serving(&spans, view, index);
    if (span == NULL) {
        return nothing;
    }
    lanes.first = span->from;
    lanes.valid = (uint8_t)(span->to - span->from + 1);
    return lanes;
}
