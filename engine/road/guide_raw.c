/* Raw steps: one for each junction on the leg that a driver may notice; their points, costs, roads.
 */
#include "engine/base/array.h"
#include "engine/road/guide_steps_internal.h"

enum {
    HT__SLOT = 15
}; /* bearings of a junction are told in steps of 15 degrees where that keeps them apart */

static uint16_t ht__degrees(double bearing)
{
    long d = lround(bearing);
    return (uint16_t)(d >= 360 ? d - 360 : d);
}

static unsigned ht__slot(double bearing)
{
    double shifted = ht__degrees(bearing) + HT__SLOT / 2.0;
    return (unsigned)((shifted >= 360 ? shifted - 360 : shifted) / HT__SLOT);
}

/* The roads of a view by bearing, from north, rounded as clients know it from OSRM. */
static void ht__list_roads(const struct ht__view *view, struct ht__turn *turn)
{
    uint8_t order[HT__ROADS_MAX];
    for (uint32_t i = 0; i < view->count; i++) {
        uint32_t k = i;
        for (; k > 0 && view->roads[order[k - 1]].bearing > view->roads[i].bearing; k--) {
            order[k] = order[k - 1];
        }
        order[k] = (uint8_t)i;
    }
    bool apart = true;
    for (uint32_t i = 0; view->count > 1 && i < view->count; i++) {
        uint8_t next = order[(i + 1) % view->count];
        apart =
            apart && ht__slot(view->roads[order[i]].bearing) != ht__slot(view->roads[next].bearing);
    }
    uint32_t first = 0;
    if (apart && view->count > 1 &&
        ht__slot(view->roads[order[view->count - 1]].bearing) <
            ht__slot(view->roads[order[0]].bearing)) {
        first = view->count - 1; /* the last one rounds to north */
    }
    turn->road_count = (uint8_t)view->count;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = &view->roads[order[(first + i) % view->count]];
        unsigned degrees = apart ? ht__slot(r->bearing) * HT__SLOT : ht__degrees(r->bearing);
        turn->roads[i] = (uint16_t)(degrees * 2 + (r->entry ? 1 : 0));
    }
}

static uint8_t ht__match_road(const struct ht__turn *turn, double bearing)
{
    uint8_t best = 0;
    for (uint8_t i = 1; i < turn->road_count; i++) {
        if (ht__deviation(turn->roads[i] >> 1, bearing) <
            ht__deviation(turn->roads[best] >> 1, bearing)) {
            best = i;
        }
    }
    return best;
}

/* A turn that the view does not show (two ways drawn one on the other): told by its last metres. */
static void ht__plain_turn(const struct ht__map *map, struct ht__turn *turn)
{
    struct ht__xy in[HT__FAR_POINTS];
    struct ht__xy out[HT__FAR_POINTS];
    uint32_t n =
        ht__strand_points(map, ht_arc_base(map->graph, turn->in), true, 10, in, HT__FAR_POINTS);
    uint32_t m =
        ht__strand_points(map, ht_arc_base(map->graph, turn->out), false, 10, out, HT__FAR_POINTS);
    double from = ht__xy_bearing(in[0], in[n - 1]);
    double to = ht__xy_bearing(out[0], out[m - 1]);
    turn->type = HT__SUPPRESSED;
    turn->modifier = (uint8_t)ht__modifier(ht__turn_angle(ht__opposite(from), to));
    turn->road_count = 2;
    bool swapped = from > to;
    turn->in_road = swapped ? 1 : 0;
    turn->out_road = swapped ? 0 : 1;
    turn->roads[turn->in_road] = (uint16_t)(ht__degrees(from) * 2);
    turn->roads[turn->out_road] = (uint16_t)(ht__degrees(to) * 2 + 1);
    turn->before = ht__degrees(ht__opposite(from));
    turn->after = ht__degrees(to);
}

static void ht__judge(const struct ht__map *map, struct ht__turn *turn)
{
    const struct ht_arc *a = ht__arc(map, turn->in);
    uint32_t onto = ht_arc_base(map->graph, turn->out);
    struct ht__view fan;
    struct ht__view view;
    if (ht__passes(map, ht_arc_base(map->graph, turn->in), false) == onto) {
        turn->type = HT__NO_TURN;
        return;
    }
    turn->segregated = ht__segregated(map, onto);
    ht__fan_merged(map, a->head, &fan);
    if (!ht__view(map, &fan, turn->in, false, &view)) {
        ht__plain_turn(map, turn);
        return;
    }
    uint32_t index = ht__find(&view, onto);
    if (index == HT_NONE) {
        ht__plain_turn(map, turn);
        return;
    }
    ht__classify(map, &view);
    const struct ht__road *road = &view.roads[index];
    struct ht__lanes lanes = ht__lanes_of(map, &view, turn->in, index);
    turn->type = road->type == HT__INVALID ? (uint8_t)HT__SUPPRESSED : road->type;
    turn->modifier = road->modifier;
    turn->before = ht__degrees(ht__opposite(view.roads[0].bearing));
    turn->after = ht__degrees(road->bearing);
    turn->lanes = lanes.text;
    turn->lane_first = lanes.first;
    turn->lane_valid = lanes.valid;
    turn->lanes_right = lanes.right;
    turn->lanes_before = lanes.from_before;
    turn->lanes_beside = lanes.beside;
    ht__list_roads(&view, turn);
    turn->in_road = ht__match_road(turn, view.roads[0].bearing);
    turn->out_road = ht__match_road(turn, road->bearing);
}

static const struct ht__turn *ht__turn_of(struct ht_guide *guide, uint32_t in, uint32_t out)
{
    struct ht__turn *turn = &guide->turn;
    if (!ht__memory_find(&guide->memory, &guide->map, in, out, turn)) {
        *turn = (struct ht__turn){.in = in, .out = out};
        struct ht_turn paid = ht_graph_turn_between(guide->map.graph, in, out);
        turn->weight_ms = paid.weight_ms;
        turn->duration_ms = paid.duration_ms;
        ht__judge(&guide->map, turn);
        ht__memory_keep(&guide->memory, turn);
    }
    return turn;
}

static enum ht_status ht__add_point(struct ht_guide *guide, struct ht_point p)
{
    enum ht_status status = ht_array_reserve((void **)&guide->points, &guide->point_capacity,
                                             (size_t)guide->point_count + 1, sizeof *guide->points);
    if (status == HT_OK) {
        guide->points[guide->point_count++] = p;
    }
    return status;
}

/* A junction with room for its roads; the step's first when it has none. */
static enum ht_status ht__add_junction(struct ht_guide *guide, struct ht_point location,
                                       uint32_t roads, struct ht_guide_junction **out)
{
    enum ht_status status =
        ht_array_reserve((void **)&guide->junctions, &guide->junction_capacity,
                         (size_t)guide->junction_count + 1, sizeof *guide->junctions);
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&guide->roads, &guide->road_capacity,
                                  (size_t)guide->road_count + roads, sizeof *guide->roads);
    }
    if (status == HT_OK) {
        *out = &guide->junctions[guide->junction_count++];
        **out = (struct ht_guide_junction){.location = location,
                                           .first_road = guide->road_count,
                                           .road_count = (uint8_t)roads,
                                           .in = HT_GUIDE_NO_ROAD,
                                           .out = HT_GUIDE_NO_ROAD};
        guide->road_count += roads;
    }
    return status;
}

static enum ht_status ht__add_step(struct ht_guide *guide, uint32_t arc, struct ht__step **out)
{
    enum ht_status status = ht_array_reserve((void **)&guide->steps, &guide->step_capacity,
                                             (size_t)guide->step_count + 1, sizeof *guide->steps);
    if (status == HT_OK) {
        const struct ht_arc *a = ht__arc(&guide->map, arc);
        *out = &guide->steps[guide->step_count++];
        **out = (struct ht__step){
            .type = HT__NO_TURN,
            .mode = (uint8_t)a->mode,
            .left_hand = guide->map.graph->left_hand ||
                         (ht__way(&guide->map, a->way)->flags & HT_WAY_LEFT_HAND) != 0,
            .way = a->way,
            .rotary_way = HT_NONE,
            .point_begin = guide->point_count - 1,
            .first_junction = guide->junction_count - 1,
            .junction_count = 1,
        };
    }
    return status;
}

static uint16_t ht__classes(const struct ht_arc *arc)
{
    return arc->flags & (HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_FERRY | HT_ARC_IS_TUNNEL);
}

/* The segment of an arc that a place lies on, in the arc's own direction. */
static uint32_t ht__place_segment(const struct ht_place *place, uint32_t side,
                                  const struct ht_arc *arc)
{
    uint32_t usable = place->side[0].arc != HT_NONE ? 0 : 1;
    uint32_t last = ht_arc_point_count(arc) - 2;
    uint32_t segment = place->segment < last ? place->segment : last;
    return side == usable ? segment : last - segment;
}

static void ht__add_cost(struct ht_cost *cost, uint32_t weight, uint32_t duration, int64_t length)
{
    cost->weight_ms += weight;
    cost->duration_ms += duration;
    cost->length_mm += length;
}

/* The junction between two arcs: ends the step before it, begins the next. */
static enum ht_status ht__add_turn(struct ht_guide *guide, const struct ht__turn *turn)
{
    const struct ht_arc *onto = ht__arc(&guide->map, turn->out);
    struct ht__step *last = &guide->steps[guide->step_count - 1];
    last->point_end = guide->point_count;
    struct ht_guide_junction *junction = NULL;
    /* where the step before it ended */
    enum ht_status status =
        ht__add_junction(guide, guide->points[guide->point_count - 1], turn->road_count, &junction);
    if (status != HT_OK) {
        return status;
    }
    for (uint32_t i = 0; i < turn->road_count; i++) {
        guide->roads[junction->first_road + i] = (struct ht_guide_road){
            .bearing_deg = turn->roads[i] >> 1, .entry = (turn->roads[i] & 1) != 0};
    }
    junction->in = turn->in_road;
    junction->out = turn->out_road;
    junction->lanes = turn->lanes;
    junction->lanes_right = turn->lanes_right;
    junction->lane_first = turn->lane_first;
    junction->lane_valid = turn->lane_valid;
    junction->classes = ht__classes(onto);
    struct ht__step *step = NULL;
    status = ht__add_step(guide, turn->out, &step);
    if (status == HT_OK) {
        step->type = turn->type;
        step->modifier = turn->modifier;
        step->segregated = turn->segregated;
        step->before = turn->before;
        step->after = turn->after;
    }
    return status;
}

/* The end of the leg: a junction with the one road that led here. */
static enum ht_status ht__add_end(struct ht_guide *guide, const struct ht_guide_leg *leg,
                                  uint8_t waypoint, double bearing)
{
    const struct ht_place *place = waypoint == HT__DEPART ? leg->source : leg->target;
    uint32_t arc = leg->arcs[waypoint == HT__DEPART ? 0 : leg->arc_count - 1];
    struct ht_guide_junction *junction = NULL;
    struct ht__step *step = NULL;
    enum ht_status status = ht__add_junction(guide, place->point, 1, &junction);
    if (status != HT_OK) {
        return status;
    }
    uint16_t degrees = ht__degrees(bearing);
    bool depart = waypoint == HT__DEPART;
    guide->roads[junction->first_road] = (struct ht_guide_road){
        .bearing_deg = depart ? degrees : ht__degrees(ht__opposite(degrees)), .entry = true};
    if (depart) {
        junction->out = 0;
        junction->classes = ht__classes(ht__arc(&guide->map, arc));
    } else {
        junction->in = 0;
    }
    status = ht__add_step(guide, arc, &step);
    if (status == HT_OK) {
        step->waypoint = waypoint;
        step->before = depart ? 0 : degrees;
        step->after = depart ? degrees : 0;
        step->point_end = guide->point_count;
        step->segregated = ht__segregated(&guide->map, ht_arc_base(guide->map.graph, arc));
    }
    return status;
}

/* Where a leg leaves (or comes to) its place: the way to the next point, of the street when that is
 * less than a metre off. */
static double ht__end_bearing(const struct ht__map *map, uint32_t arc, uint32_t segment,
                              struct ht_point a, struct ht_point b)
{
    if (ht_distance_m(a, b) > 1) {
        return ht_bearing_deg(a, b);
    }
    const struct ht_arc *on = ht__arc(map, arc);
    return ht_bearing_deg(ht_arc_point(map->network, on, segment),
                          ht_arc_point(map->network, on, segment + 1));
}

/* Points [begin, end) of an arc. */
static enum ht_status ht__add_points(struct ht_guide *guide, const struct ht_arc *arc,
                                     uint32_t begin, uint32_t end)
{
    if (begin >= end) {
        return HT_OK;
    }
    enum ht_status status =
        ht_array_reserve((void **)&guide->points, &guide->point_capacity,
                         (size_t)guide->point_count + (end - begin), sizeof *guide->points);
    for (uint32_t p = begin; p < end && status == HT_OK; p++) {
        guide->points[guide->point_count++] = ht_arc_point(guide->map.network, arc, p);
    }
    return status;
}

static void ht__arc_cost(const struct ht_guide_leg *leg, uint32_t i, struct ht_cost *cost)
{
    const struct ht_arc *a = &leg->graph->arcs[leg->arcs[i]];
    const struct ht_place_side *source = &leg->source->side[leg->source_side];
    const struct ht_place_side *target = &leg->target->side[leg->target_side];
    if (leg->arc_count == 1) {
        *cost = (struct ht_cost){target->before.weight_ms - source->before.weight_ms,
                                 target->before.duration_ms - source->before.duration_ms,
                                 target->before.length_mm - source->before.length_mm};
    } else if (i == 0) {
        *cost = source->after;
    } else if (i + 1 == leg->arc_count) {
        *cost = target->before;
    } else {
        *cost = (struct ht_cost){a->weight_ms, a->duration_ms, a->length_mm};
    }
}

/* The first maneuver of the map that begins with a base arc, or where it would be. */
static uint32_t ht__maneuvers_of(const struct ht_graph *graph, uint32_t arc)
{
    uint32_t low = 0;
    uint32_t high = graph->maneuver_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->maneuvers[middle].arcs[0] < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool ht__maneuver_fits(const struct ht_guide_leg *leg, const struct ht_maneuver *m,
                              uint32_t first)
{
    bool fits = m->count <= leg->arc_count - first;
    for (uint32_t i = 0; fits && i < m->count; i++) {
        fits = ht_arc_base(leg->graph, leg->arcs[first + i]) == m->arcs[i];
    }
    return fits;
}

/* Calls the turn after arc `i` of the leg what the map says that it is to be called there. */
static void ht__override(const struct ht_guide_leg *leg, uint32_t i, struct ht__turn *turn)
{
    static const uint8_t types[] = {[HT_MANEUVER_AS_IT_IS] = HT__INVALID,
                                    [HT_MANEUVER_TURN] = HT__TURN,
                                    [HT_MANEUVER_CONTINUE] = HT__CONTINUE,
                                    [HT_MANEUVER_FORK] = HT__FORK,
                                    [HT_MANEUVER_SUPPRESS] = HT__SUPPRESSED};
    const struct ht_graph *graph = leg->graph;
    for (uint32_t back = 0; back + 1 < HT_MANEUVER_ARCS && back <= i; back++) {
        uint32_t arc = ht_arc_base(graph, leg->arcs[i - back]);
        uint32_t at = ht__maneuvers_of(graph, arc);
        for (; at < graph->maneuver_count && graph->maneuvers[at].arcs[0] == arc; at++) {
            const struct ht_maneuver *m = &graph->maneuvers[at];
            if (m->junction != graph->arcs[leg->arcs[i]].head || back + 1 >= m->count ||
                !ht__maneuver_fits(leg, m, i - back)) {
                continue;
            }
            if (m->kind != HT_MANEUVER_AS_IT_IS) {
                turn->type = types[m->kind];
            }
            if (m->modifier != HT_MODIFIER_NONE) {
                turn->modifier = m->modifier;
            }
        }
    }
}

static enum ht_status ht__assemble_arc(struct ht_guide *guide, const struct ht_guide_leg *leg,
                                       uint32_t i, uint32_t source_segment)
{
    const struct ht_arc *a = &leg->graph->arcs[leg->arcs[i]];
    bool last = i + 1 == leg->arc_count;
    uint32_t begin = i == 0 ? source_segment + 1 : 1;
    uint32_t end =
        last ? ht__place_segment(leg->target, leg->target_side, a) + 1 : ht_arc_point_count(a);
    enum ht_status status = ht__add_points(guide, a, begin, end);
    if (status == HT_OK && last) {
        status = ht__add_point(guide, leg->target->point);
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_cost cost;
    struct ht__step *step = &guide->steps[guide->step_count - 1];
    ht__arc_cost(leg, i, &cost);
    ht__add_cost(&step->cost, cost.weight_ms, cost.duration_ms, cost.length_mm);
    step->mode = a->mode;
    if (last) {
        step->point_end = guide->point_count;
        return HT_OK;
    }
    const struct ht__turn *turn = ht__turn_of(guide, leg->arcs[i], leg->arcs[i + 1]);
    ht__add_cost(&step->cost, turn->weight_ms, turn->duration_ms, 0);
    if (turn->type == HT__NO_TURN || leg->graph->maneuver_count == 0) {
        return turn->type == HT__NO_TURN ? HT_OK : ht__add_turn(guide, turn);
    }
    struct ht__turn told = *turn;
    ht__override(leg, i, &told);
    return ht__add_turn(guide, &told);
}

enum ht_status ht__assemble(struct ht_guide *guide, const struct ht_guide_leg *leg)
{
    guide->step_count = 0;
    guide->junction_count = 0;
    guide->road_count = 0;
    guide->point_count = 0;
    guide->point_first = 0;
    const struct ht_arc *first = ht__arc(&guide->map, leg->arcs[0]);
    uint32_t last_arc = leg->arcs[leg->arc_count - 1];
    uint32_t from = ht__place_segment(leg->source, leg->source_side, first);
    uint32_t to = ht__place_segment(leg->target, leg->target_side, ht__arc(&guide->map, last_arc));
    enum ht_status status = ht__add_point(guide, leg->source->point);
    struct ht_point next = leg->arc_count == 1 && from >= to
                               ? leg->target->point
                               : ht_arc_point(leg->network, first, from + 1);
    if (status == HT_OK) {
        status =
            ht__add_end(guide, leg, HT__DEPART,
                        ht__end_bearing(&guide->map, leg->arcs[0], from, leg->source->point, next));
    }
    ht__memory_gather(&guide->memory, leg->arcs, leg->arc_count);
    for (uint32_t i = 0; i < leg->arc_count && status == HT_OK; i++) {
        status = ht__assemble_arc(guide, leg, i, from);
    }
    if (status == HT_OK) {
        struct ht_point before = guide->points[guide->point_count - 2];
        status =
            ht__add_end(guide, leg, HT__ARRIVE,
                        ht__end_bearing(&guide->map, last_arc, to, before, leg->target->point));
    }
    return status;
}
