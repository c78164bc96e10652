/* From an entry of the index to a place: which sides the options leave, what each side pays. */
#include "engine/road/snap_internal.h"

#include <math.h>

/* The arcs of an entry's piece, and the number of its segment in it. */
struct sides_at {
    uint32_t arc[2];
    uint32_t along; /* segments before it, along the way */
    uint32_t count; /* segments of the piece */
};

static struct sides_at sides_at(const struct ht_graph *graph, const struct ht_snap_ref *ref)
{
    const struct ht_arc *a = &graph->arcs[ref->arc];
    struct sides_at at = {
        .arc = {HT_NONE, HT_NONE},
        .along = ref->along,
        .count = ht_arc_point_count(a) - 1,
    };
    if (at.along >= at.count) { /* only in a forged file */
        at.along = at.count - 1;
    }
    if (!ht_arc_is_forward(a)) {
        at.arc[1] = ref->arc;
        return at;
    }
    at.arc[0] = ref->arc;
    if ((ref->packed & HT_SNAP_AGAINST) != 0 && a->reverse < graph->base_arc_count) {
        at.arc[1] = a->reverse;
    }
    return at;
}

struct ht_snap_ref ht_snap__ref(const struct ht_snap_index *index, uint32_t entry)
{
    uint32_t from = index->tree.from[entry];
    uint32_t arc = ht_snap_arc(index, ht_snap_piece(index->blocks, from));
    return (struct ht_snap_ref){.arc = arc,
                                .along = from - ht_arc_low(&index->graph->arcs[arc]),
                                .packed = ht_snap_packed(index, entry)};
}

struct ht_snap_segment ht_snap__segment(const struct ht_snap_index *index, uint32_t entry)
{
    struct ht_snap_ref ref = ht_snap__ref(index, entry);
    struct sides_at at = sides_at(index->graph, &ref);
    const struct ht_arc *a = &index->graph->arcs[ref.arc];
    const uint32_t *node = index->network->way_node + ht_arc_low(a) + at.along;
    return (struct ht_snap_segment){
        .arc = {at.arc[0], at.arc[1]},
        .segment = at.arc[0] != HT_NONE ? at.along : at.count - 1 - at.along,
        .from_node = node[0],
        .to_node = node[1],
    };
}

struct ht_snap_foot ht_snap__foot(struct ht_scale scale, struct ht_point input, struct ht_point u,
                                  struct ht_point v)
{
    double step_x = scale.lon_m * 1e-7;
    double step_y = scale.lat_m * 1e-7;
    double ux = (double)((int64_t)u.lon_e7 - input.lon_e7) * step_x;
    double uy = (double)((int64_t)u.lat_e7 - input.lat_e7) * step_y;
    double vx = (double)((int64_t)v.lon_e7 - input.lon_e7) * step_x;
    double vy = (double)((int64_t)v.lat_e7 - input.lat_e7) * step_y;
    double dx = vx - ux;
    double dy = vy - uy;
    double dot = -(ux * dx + uy * dy);
    double length = dx * dx + dy * dy;
    if (dot <= 0.0 || length == 0.0) { /* the ends exactly, so that streets that meet tie */
        return (struct ht_snap_foot){.square_m2 = ux * ux + uy * uy, .ratio = 0.0};
    }
    if (dot >= length) {
        return (struct ht_snap_foot){.square_m2 = vx * vx + vy * vy, .ratio = 1.0};
    }
    double ratio = dot / length;
    double x = ux + ratio * dx;
    double y = uy + ratio * dy;
    return (struct ht_snap_foot){.square_m2 = x * x + y * y, .ratio = ratio};
}

struct ht_snap_options ht_snap_options_default(void)
{
    return (struct ht_snap_options){
        .radius_m = -1.0,
        .bearing_deg = -1,
        .bearing_range = 180,
        .approach = HT_APPROACH_UNRESTRICTED,
    };
}

unsigned ht_snap__sides(const struct ht_snap_options *options, uint32_t packed)
{
    unsigned sides = packed & 3u;
    if (!options->any_street) {
        sides &= ~(packed / HT_SNAP_NO_START);
    }
    uint32_t classes = (uint32_t)options->exclude >> HT_ARC_CLASS_SHIFT & 15u;
    if (classes != 0) {
        uint32_t has = packed / HT_SNAP_CLASS;
        sides &= (has & classes) != 0 ? ~1u : ~0u;
        sides &= (has >> 4 & classes) != 0 ? ~2u : ~0u;
    }
    return sides & 3u;
}

/* Whether two whole bearings lie within `range` of each other around the circle. */
static bool bearing_within(int bearing, int wanted, int range)
{
    if (range >= 180) {
        return true;
    }
    int apart = (bearing - wanted) % 360;
    apart = apart < 0 ? apart + 360 : apart;
    return range >= 0 && (apart <= range || apart >= 360 - range);
}

bool ht_snap__left_hand(const struct ht_snap_index *index, uint32_t arc)
{
    const struct ht_way *way = &index->network->ways[index->graph->arcs[arc].way];
    return index->graph->left_hand || (way->flags & HT_WAY_LEFT_HAND) != 0;
}

/* OSRM: on a one-way street the approach says nothing; an input that lies on the line itself counts
 * as on its right. */
static unsigned sides_approached(enum ht_approach approach, bool left_hand, struct ht_point input,
                                 const struct ht_point ends[2])
{
    int64_t dx = (int64_t)ends[1].lon_e7 - ends[0].lon_e7;
    int64_t dy = (int64_t)ends[1].lat_e7 - ends[0].lat_e7;
    int64_t px = (int64_t)input.lon_e7 - ends[0].lon_e7;
    int64_t py = (int64_t)input.lat_e7 - ends[0].lat_e7;
    /* In doubles, where 64-bit integers could overflow; exact for what is shorter than 6 degrees.
     */
    bool right = !((double)dx * (double)py > (double)dy * (double)px);
    if (left_hand) {
        right = !right;
    }
    if (approach == HT_APPROACH_OPPOSITE) {
        right = !right;
    }
    return right ? 1u : 2u;
}

unsigned ht_snap__sides_facing(const struct ht_snap_options *options, unsigned sides,
                               uint32_t packed, bool left_hand, struct ht_point input,
                               const struct ht_point ends[2])
{
    if (options->approach != HT_APPROACH_UNRESTRICTED && (packed & 3u) == 3u) {
        sides &= sides_approached(options->approach, left_hand, input, ends);
    }
    if (options->bearing_deg >= 0 && sides != 0) {
        int along = (int)floor(ht_bearing_deg(ends[0], ends[1]) + 0.5);
        int range = options->bearing_range;
        sides &= bearing_within(along, options->bearing_deg, range) ? ~0u : ~1u;
        sides &= bearing_within(along + 180, options->bearing_deg, range) ? ~0u : ~2u;
    }
    return sides;
}

struct ht_place_side ht_place_side_at(const struct ht_graph *graph, uint32_t arc,
                                      uint32_t before_mm)
{
    uint32_t length = graph->arcs[arc].length_mm;
    return (struct ht_place_side){
        .arc = arc,
        .before_mm = before_mm,
        .after_mm = length - before_mm,
        .before = ht_arc_cost(graph, arc, 0, before_mm),
        .after = ht_arc_cost(graph, arc, before_mm, length),
    };
}

void ht_place_refresh(const struct ht_graph *graph, struct ht_place *place)
{
    for (int s = 0; s < 2; s++) {
        struct ht_place_side *side = &place->side[s];
        if (side->arc != HT_NONE) {
            side->before = ht_arc_cost(graph, side->arc, 0, side->before_mm);
            side->after = ht_arc_leave(graph, side->arc, side->before_mm);
        }
    }
}

static bool segment_closed(const struct ht_graph *graph, uint32_t arc, uint32_t segment)
{
    const struct ht_live_arc *live = arc == HT_NONE ? NULL : ht_live_arc(graph, arc);
    if (live == NULL) {
        return false;
    }
    uint32_t i = live->piece_first;
    while (i + 1 < live->piece_end && graph->live->pieces[i].segment_end <= segment) {
        i++;
    }
    return graph->live->pieces[i].closed != 0;
}

unsigned ht_snap__sides_open(const struct ht_graph *graph, const struct ht_snap_ref *ref)
{
    struct sides_at at = sides_at(graph, ref);
    return (segment_closed(graph, at.arc[0], at.along) ? 0u : 1u) |
           (segment_closed(graph, at.arc[1], at.count - 1 - at.along) ? 0u : 2u);
}

/* From the beginning of the piece to its segment number `along` of `count`. Summed up here, over
 * the fewer segments, for a place that is given out, instead of kept for every segment of the
 * index. */
static uint64_t before_segment(const struct ht_network *network, const struct ht_arc *piece,
                               uint32_t along, uint32_t count)
{
    const uint32_t *node = network->way_node + ht_arc_low(piece);
    bool back = along > count / 2;
    uint64_t sum = 0;
    for (uint32_t i = back ? along : 0; i < (back ? count : along); i++) {
        sum += ht_distance_mm(network->node_point[node[i]], network->node_point[node[i + 1]]);
    }
    return !back ? sum : sum > piece->length_mm ? 0 : piece->length_mm - sum;
}

void ht_snap__place_call(const struct ht_snap_index *index, const struct ht_snap_hit *hit,
                         int round)
{
    uint32_t arc = ht_snap_arc(index, hit->piece);
    const struct ht_arc *piece = &index->graph->arcs[arc];
    if (round == 0) {
        __builtin_prefetch(piece);
        return;
    }
    struct ht_snap_ref ref = {arc, hit->from - ht_arc_low(piece),
                              ht_snap_packed(index, hit->entry)};
    struct sides_at at = sides_at(index->graph, &ref);
    const uint32_t *node = index->network->way_node + ht_arc_low(piece);
    bool back = at.along > at.count / 2;
    uint32_t begin = back ? at.along : 0;
    uint32_t end = back ? at.count : at.along;
    if (round == 1) {
        __builtin_prefetch(&node[begin]);
        __builtin_prefetch(&node[end]);
        if (at.arc[1] != HT_NONE) {
            __builtin_prefetch(&index->graph->arcs[at.arc[1]]);
        }
        return;
    }
    for (uint32_t i = begin; i < end; i++) {
        __builtin_prefetch(&index->network->node_point[node[i]]);
    }
}

void ht_snap__place_on(const struct ht_snap_index *index, struct ht_point input,
                       const struct ht_snap_ref *ref, const struct ht_snap_hit *hit,
                       struct ht_place *out)
{
    const struct ht_graph *graph = index->graph;
    struct ht_point u = hit->ends[0];
    struct ht_point v = hit->ends[1];
    const struct ht_arc *piece = &graph->arcs[ref->arc];
    struct sides_at at = sides_at(graph, ref);
    uint64_t along = before_segment(index->network, piece, at.along, at.count) +
                     (uint64_t)(hit->ratio * ht_distance_mm(u, v) + 0.5);
    uint32_t along_mm = along > piece->length_mm ? piece->length_mm : (uint32_t)along;
    *out = (struct ht_place){
        .input = input,
        .point = hit->ratio <= 0.0   ? u
                 : hit->ratio >= 1.0 ? v
                                     : ht_point_between(u, v, hit->ratio),
        .side = {{.arc = HT_NONE}, {.arc = HT_NONE}},
    };
    out->distance_m = ht_distance_m(input, out->point);
    if ((hit->sides & 1u) != 0 && at.arc[0] != HT_NONE) {
        out->side[0] = ht_place_side_at(graph, at.arc[0], along_mm);
    }
    if ((hit->sides & 2u) != 0 && at.arc[1] != HT_NONE) {
        uint32_t length = graph->arcs[at.arc[1]].length_mm;
        out->side[1] =
            ht_place_side_at(graph, at.arc[1], along_mm > length ? 0 : length - along_mm);
    }
    /* The side that speaks for the place: the first usable one that is not on an island. */
    uint32_t first = out->side[0].arc != HT_NONE ? 0 : 1;
    uint32_t speaker = out->side[first].arc;
    if (speaker == HT_NONE) {
        return;
    }
    out->segment = first == 0 ? at.along : at.count - 1 - at.along;
    uint32_t second = out->side[1].arc;
    if ((graph->arcs[speaker].flags & HT_ARC_SMALL) != 0 && second != HT_NONE &&
        (graph->arcs[second].flags & HT_ARC_SMALL) == 0) {
        speaker = second;
    }
    out->component = ht_arc_component(graph, speaker);
    out->small = (graph->arcs[speaker].flags & HT_ARC_SMALL) != 0;
}

void ht_snap__place(const struct ht_snap_index *index, struct ht_point input,
                    const struct ht_snap_hit *hit, struct ht_place *out)
{
    struct ht_snap_ref ref = ht_snap__ref(index, hit->entry);
    ht_snap__place_on(index, input, &ref, hit, out);
}
