#include "engine/road/shape.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ht_shape_deinit(struct ht_shape *shape)
{
    free(shape->points);
    free(shape->parts);
    free(shape->nodes);
    *shape = (struct ht_shape){0};
}

void ht_shape_clear(struct ht_shape *shape)
{
    shape->point_count = 0;
}

uint32_t ht_place_segment(const struct ht_graph *graph, const struct ht_place *place, uint32_t side)
{
    uint32_t first = place->side[0].arc != HT_NONE ? 0 : 1;
    if (side == first) {
        return place->segment;
    }
    const struct ht_arc *arc = &graph->arcs[place->side[side].arc];
    return ht_arc_point_count(arc) - 2 - place->segment;
}

static enum ht_status reserve(struct ht_shape *shape, size_t more, bool parts)
{
    void *points = shape->points;
    void *costs = shape->parts;
    void *nodes = shape->nodes;
    size_t want = shape->point_count + more;
    enum ht_status status =
        ht_array_reserve(&points, &shape->point_capacity, want, sizeof *shape->points);
    shape->points = points;
    if (status == HT_OK && parts) {
        status = ht_array_reserve(&costs, &shape->part_capacity, want, sizeof *shape->parts);
        shape->parts = costs;
    }
    if (status == HT_OK && parts) {
        status = ht_array_reserve(&nodes, &shape->node_capacity, want, sizeof *shape->nodes);
        shape->nodes = nodes;
    }
    return status;
}

/* Where a leg stands on one of its arcs. */
struct stretch {
    const struct ht_graph *graph;
    uint32_t number;
    const struct ht_arc *arc;
    uint32_t first; /* the points of the arc that are passed: [first, end) */
    uint32_t end;
    uint32_t begin_mm; /* from the arc's tail, where the leg enters it */
    uint32_t end_mm;   /* where it leaves */
};

static uint32_t node_mm(const struct ht_network *network, const struct ht_arc *arc, uint32_t index)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < index; i++) {
        sum += ht_distance_mm(ht_arc_point(network, arc, i), ht_arc_point(network, arc, i + 1));
    }
    return sum;
}

static struct ht_shape_part part_between(const struct stretch *s, uint32_t from_mm, uint32_t to_mm)
{
    if (to_mm < from_mm) { /* places are rounded to millimetres on their own */
        to_mm = from_mm;
    }
    struct ht_cost from = ht_arc_passed(s->graph, s->number, from_mm);
    struct ht_cost to = ht_arc_passed(s->graph, s->number, to_mm);
    return (struct ht_shape_part){.length_mm = to_mm - from_mm,
                                  .duration_ms = to.duration_ms - from.duration_ms,
                                  .weight_ms = to.weight_ms - from.weight_ms};
}

static void push(struct ht_shape *shape, struct ht_point point)
{
    shape->points[shape->point_count++] = point;
}

/* Appends the points of a stretch; the part that ends at each of them belongs to the point before.
 */
static void add_points(struct ht_shape *shape, const struct ht_network *network,
                       const struct stretch *s)
{
    for (uint32_t i = s->first; i < s->end; i++) {
        push(shape, ht_arc_point(network, s->arc, i));
    }
}

static void add_points_parts(struct ht_shape *shape, const struct ht_network *network,
                             const struct stretch *s)
{
    uint32_t from_mm = s->begin_mm;
    uint32_t at_mm = s->first > 1 ? node_mm(network, s->arc, s->first - 1) : 0;
    for (uint32_t i = s->first; i < s->end; i++) {
        at_mm +=
            ht_distance_mm(ht_arc_point(network, s->arc, i - 1), ht_arc_point(network, s->arc, i));
        shape->parts[shape->point_count - 1] = part_between(s, from_mm, at_mm);
        shape->nodes[shape->point_count] = ht_arc_node(network, s->arc, i);
        push(shape, ht_arc_point(network, s->arc, i));
        from_mm = at_mm;
    }
    if (s->end_mm != UINT32_MAX) { /* the last: up to the target */
        shape->parts[shape->point_count - 1] = part_between(s, from_mm, s->end_mm);
    }
}

static struct stretch stretch_at(const struct ht_road *road, const struct ht_place *places,
                                 const struct ht_leg *leg, const uint32_t *arcs, uint32_t index)
{
    const struct ht_place *source = &places[leg->source];
    const struct ht_place *target = &places[leg->target];
    uint32_t number = arcs[leg->first_arc + index];
    const struct ht_arc *arc = &road->graph->arcs[number];
    struct stretch s = {.graph = road->graph,
                        .number = number,
                        .arc = arc,
                        .first = 1,
                        .end = ht_arc_point_count(arc),
                        .end_mm = UINT32_MAX};
    if (index == 0) {
        s.first = ht_place_segment(road->graph, source, leg->source_side) + 1;
        s.begin_mm = source->side[leg->source_side].before_mm;
    }
    if (index + 1 == leg->arc_count) {
        s.end = ht_place_segment(road->graph, target, leg->target_side) + 1;
        s.end_mm = target->side[leg->target_side].before_mm;
    }
    return s;
}

enum ht_status ht_shape_add(struct ht_shape *shape, const struct ht_road *road,
                            const struct ht_place *places, const struct ht_leg *leg,
                            const uint32_t *arcs, bool parts)
{
    size_t most = 2;
    if (leg->arc_count == 0) {
        return HT_INVALID;
    }
    for (uint32_t i = 0; i < leg->arc_count; i++) {
        most += ht_arc_point_count(&road->graph->arcs[arcs[leg->first_arc + i]]);
    }
    enum ht_status status = reserve(shape, most, parts);
    if (status != HT_OK) {
        return status;
    }
    size_t begin = shape->point_count;
    push(shape, places[leg->source].point);
    struct stretch s = {0};
    for (uint32_t i = 0; i < leg->arc_count; i++) {
        s = stretch_at(road, places, leg, arcs, i);
        if (parts && i == 0) {
            shape->nodes[begin] = ht_arc_node(road->network, s.arc, s.first - 1);
        }
        if (parts) {
            add_points_parts(shape, road->network, &s);
        } else {
            add_points(shape, road->network, &s);
        }
    }
    if (parts) {
        shape->nodes[shape->point_count] = ht_arc_node(road->network, s.arc, s.end);
        shape->parts[shape->point_count] = (struct ht_shape_part){0};
    }
    push(shape, places[leg->target].point);
    return HT_OK;
}
