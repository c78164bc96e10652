#include "engine/road/network.h"

#include <string.h>

const struct ht_graph *ht_network_graph(const struct ht_network *network, const char *profile,
                                        uint32_t *index)
{
    for (uint32_t i = 0; i < network->graph_count; i++) {
        if (strcmp(network->graphs[i]->profile, profile) == 0) {
            if (index != NULL) {
                *index = i;
            }
            return network->graphs[i];
        }
    }
    return NULL;
}

uint32_t ht_graph_copies(const struct ht_graph *graph, uint32_t arc, const uint32_t **list)
{
    uint32_t low = 0;
    uint32_t high = graph->copy_base_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->copy_base[middle] < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == graph->copy_base_count || graph->copy_base[low] != arc) {
        *list = NULL;
        return 0;
    }
    *list = graph->copy_list + graph->copy_first[low];
    return graph->copy_first[low + 1] - graph->copy_first[low];
}

uint32_t ht_arc_component(const struct ht_graph *graph, uint32_t arc)
{
    if (graph->arcs[arc].component != HT_COMPONENT_LISTED) {
        return graph->arcs[arc].component;
    }
    uint32_t low = 0;
    uint32_t high = graph->listed_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->listed[middle].arc < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < graph->listed_count && graph->listed[low].arc == arc ? graph->listed[low].component
                                                                      : HT_COMPONENT_LISTED;
}

uint32_t ht_graph_turn_from(const struct ht_graph *graph, uint32_t turn)
{
    uint32_t low = 0;
    uint32_t high = graph->arc_count;
    while (high - low > 1) { /* turn_first[low] <= turn < turn_first[high] */
        uint32_t middle = low + (high - low) / 2;
        if (graph->turn_first[middle] <= turn) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t ht_graph_turn(const struct ht_graph *graph, uint32_t from, uint32_t to)
{
    uint32_t low = graph->turn_first[from];
    uint32_t end = graph->turn_first[from + 1];
    uint32_t high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ht_turn_to(graph, from, middle) < to) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && ht_turn_to(graph, from, low) == to ? low : HT_NONE;
}

struct ht_turn ht_graph_turn_between(const struct ht_graph *graph, uint32_t from, uint32_t to)
{
    uint32_t turn = ht_graph_turn(graph, from, to);
    return turn == HT_NONE ? (struct ht_turn){.to = to} : ht_turn_at(graph, from, turn);
}

struct ht_turn ht_turn_listed(const struct ht_graph *graph, uint32_t turn)
{
    uint32_t low = 0;
    uint32_t high = graph->turn_listed_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->turns_listed[middle].turn < turn) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < graph->turn_listed_count && graph->turns_listed[low].turn == turn;
    return found ? graph->turns_listed[low].is : (struct ht_turn){.to = 0}; /* only if forged */
}

const struct ht_live_arc *ht_live_arc_in(const struct ht_live_arc *list, uint32_t count,
                                         uint32_t arc)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list[middle].arc < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && list[low].arc == arc ? &list[low] : NULL;
}

const struct ht_live_arc *ht_live_arc(const struct ht_graph *graph, uint32_t arc)
{
    const struct ht_live_arcs *live = graph->live;
    return live == NULL || live->arc_count == 0
               ? NULL
               : ht_live_arc_in(live->arcs, live->arc_count, ht_arc_base(graph, arc));
}

/* What is paid for closed pieces. */
enum closure {
    CLOSURE_HOLDS,  /* nobody passes */
    CLOSURE_LEAVES, /* who stands in one may leave it */
    CLOSURE_IS_OPEN,
};

/* Piece by piece, each by its share of length. */
static struct ht_cost pieces_cost(const struct ht_live_arcs *live, const struct ht_live_arc *arc,
                                  uint32_t from_mm, uint32_t to_mm, enum closure closure)
{
    struct ht_cost cost = {0, 0, (int64_t)to_mm - from_mm};
    uint32_t begin = 0;
    for (uint32_t i = arc->piece_first; i < arc->piece_end; i++) {
        const struct ht_live_piece *piece = &live->pieces[i];
        uint32_t from = from_mm > begin ? from_mm : begin;
        uint32_t to = to_mm < piece->end_mm ? to_mm : piece->end_mm;
        uint32_t length = piece->end_mm - begin;
        begin = piece->end_mm;
        if (to <= from) {
            continue;
        }
        if (piece->closed != 0 && closure != CLOSURE_IS_OPEN &&
            !(closure == CLOSURE_LEAVES && from == from_mm)) {
            return (struct ht_cost){HT_WEIGHT_INF, 0, cost.length_mm};
        }
        cost.weight_ms += ht_share(piece->weight_ms, to - from, length);
        cost.duration_ms += ht_share(piece->duration_ms, to - from, length);
    }
    return cost;
}

struct ht_cost ht_arc_cost(const struct ht_graph *graph, uint32_t arc, uint32_t from_mm,
                           uint32_t to_mm)
{
    const struct ht_live_arc *live = ht_live_arc(graph, arc);
    if (live != NULL) {
        return pieces_cost(graph->live, live, from_mm, to_mm, CLOSURE_HOLDS);
    }
    const struct ht_arc *a = &graph->arcs[arc];
    uint32_t part = to_mm - from_mm;
    return (struct ht_cost){ht_share(a->weight_ms, part, a->length_mm),
                            ht_share(a->duration_ms, part, a->length_mm), part};
}

struct ht_cost ht_arc_leave(const struct ht_graph *graph, uint32_t arc, uint32_t from_mm)
{
    const struct ht_live_arc *live = ht_live_arc(graph, arc);
    uint32_t length = graph->arcs[arc].length_mm;
    return live != NULL ? pieces_cost(graph->live, live, from_mm, length, CLOSURE_LEAVES)
                        : ht_arc_cost(graph, arc, from_mm, length);
}

struct ht_cost ht_arc_passed(const struct ht_graph *graph, uint32_t arc, uint32_t to_mm)
{
    const struct ht_live_arc *live = ht_live_arc(graph, arc);
    return live != NULL ? pieces_cost(graph->live, live, 0, to_mm, CLOSURE_IS_OPEN)
                        : ht_arc_cost(graph, arc, 0, to_mm);
}
