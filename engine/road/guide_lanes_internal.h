/* Turn lanes, inside: a turn:lanes text as spans of lanes, and how spans are matched with roads.
 *
 * A span is one direction and the lanes marked with it, counted from the right; spans are sorted
 * from right to left, as the roads of a view are. Rules after OSRM's turn lane handler.
 *
 *   guide_lanes        which text holds for a turn, and for which junction it was meant
 *   guide_lane_spans   spans, and the roads they suit
 *   guide_lane_none    lanes without a mark
 *
 * Only guide_lane*.c include this. Pure functions over borrowed data.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_LANES_INTERNAL_H
#define HT_ENGINE_ROAD_GUIDE_LANES_INTERNAL_H

#include "engine/road/guide_internal.h"

enum { HT__SPANS_MAX = 2 * HT__ROADS_MAX + HT_GUIDE_LANE_KINDS };

struct ht__span {
    uint16_t tag; /* one enum ht__lane_bit */
    uint8_t from; /* lanes counted from the right */
    uint8_t to;
};

struct ht__spans {
    uint32_t count;
    struct ht__span at[HT__SPANS_MAX];
};

enum {
    HT__LANE_ANY_LEFT = HT__LANE_SHARP_LEFT | HT__LANE_LEFT | HT__LANE_SLIGHT_LEFT,
    HT__LANE_ANY_RIGHT = HT__LANE_SHARP_RIGHT | HT__LANE_RIGHT | HT__LANE_SLIGHT_RIGHT,
    HT__LANE_ANY_MERGE = HT__LANE_MERGE_LEFT | HT__LANE_MERGE_RIGHT,
};

/* guide_lane_spans */
/* None where the marks cross each other: nothing can be told by them. */
void ht__spans_of(const char *text, struct ht__spans *out);
void ht__spans_add(struct ht__spans *spans, struct ht__span span);
void ht__spans_remove(struct ht__spans *spans, uint32_t index);
void ht__spans_sort(struct ht__spans *spans);
/* Index of the first span with one of the tags, spans->count: none. */
uint32_t ht__spans_find(const struct ht__spans *spans, unsigned tags);
static inline bool ht__spans_have(const struct ht__spans *spans, unsigned tags)
{
    return ht__spans_find(spans, tags) < spans->count;
}
/* The road that a mark is best read as, and whether it may be meant by it at all. */
uint32_t ht__span_road(uint16_t tag, const struct ht__view *view);
bool ht__span_suits(uint16_t tag, const struct ht__road *road);
/* Degrees between what a mark means ideally and a road. */
double ht__span_deviation(uint16_t tag, const struct ht__road *road);
/* Whether the spans are all about this junction, one road each. */
bool ht__spans_fit(const struct ht__spans *spans, const struct ht__view *view);
/* Whether roads and spans pair in order. */
bool ht__spans_in_order(const struct ht__spans *spans, const struct ht__view *view);
/* The span that serves a road once they pair; NULL: none. A lane to turn round may rename a road.
 */
const struct ht__span *ht__span_serving(const struct ht__spans *spans, struct ht__view *view,
                                        uint32_t index);

/* guide_lane_none: gives unmarked lanes to roads. */
void ht__spans_settle_none(struct ht__spans *spans, const struct ht__view *view);

#endif
