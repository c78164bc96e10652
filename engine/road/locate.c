#include "engine/road/locate.h"

#include <stdlib.h>

#include "engine/base/array.h"

struct ht_locate {
    const struct ht_network *network;
    uint32_t *first; /* [node_count + 1] */
    uint32_t *at;    /* places in way_node, by node */
};

struct ht_locate_graph {
    const struct ht_graph *graph;
    uint32_t *arcs; /* base arcs by the lower end of their stretch of way_node */
};

enum ht_status ht_locate_new(const struct ht_network *network, struct ht_locate **out)
{
    struct ht_locate *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return HT_NOMEM;
    }
    l->network = network;
    l->first = ht_array_new_zeroed((size_t)network->node_count + 2, sizeof *l->first);
    l->at = ht_array_new(network->way_node_count, sizeof *l->at);
    if (l->first == NULL || l->at == NULL) {
        ht_locate_free(l);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < network->way_node_count; i++) {
        l->first[network->way_node[i] + 2]++;
    }
    for (uint32_t node = 0; node < network->node_count; node++) {
        l->first[node + 2] += l->first[node + 1];
    }
    /* each begins one place early, and moves up as it fills */
    for (uint32_t i = 0; i < network->way_node_count; i++) {
        l->at[l->first[network->way_node[i] + 1]++] = i;
    }
    *out = l;
    return HT_OK;
}

void ht_locate_free(struct ht_locate *locate)
{
    if (locate != NULL) {
        free(locate->first);
        free(locate->at);
        free(locate);
    }
}

static uint32_t high_end(const struct ht_arc *arc)
{
    return ht_arc_low(arc) + arc->segments;
}

static int by_low_end(const void *left, const void *right, void *graph)
{
    const struct ht_arc *arcs = ((const struct ht_graph *)graph)->arcs;
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    uint32_t x = ht_arc_low(&arcs[a]);
    uint32_t y = ht_arc_low(&arcs[b]);
    return x != y ? (x < y ? -1 : 1) : (a < b ? -1 : a > b);
}

enum ht_status ht_locate_graph_new(const struct ht_graph *graph, struct ht_locate_graph **out)
{
    struct ht_locate_graph *l = calloc(1, sizeof *l);
    uint32_t *arcs = ht_array_new(graph->base_arc_count, sizeof *arcs);
    if (l == NULL || arcs == NULL) {
        free(l);
        free(arcs);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < graph->base_arc_count; i++) {
        arcs[i] = i;
    }
    struct ht_graph own = *graph;
    qsort_r(arcs, graph->base_arc_count, sizeof *arcs, by_low_end, &own);
    *l = (struct ht_locate_graph){graph, arcs};
    *out = l;
    return HT_OK;
}

void ht_locate_graph_free(struct ht_locate_graph *graph)
{
    if (graph != NULL) {
        free(graph->arcs);
        free(graph);
    }
}

static uint32_t node_of(const struct ht_network *network, int64_t osm_id)
{
    uint32_t low = 0;
    uint32_t high = network->node_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (network->node_osm_id[middle] < osm_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < network->node_count && network->node_osm_id[low] == osm_id ? low : HT_NONE;
}

struct found {
    struct ht_located *list;
    size_t count;
    size_t most;
};

static void add(struct found *found, uint32_t arc, uint32_t first, uint32_t end)
{
    for (size_t i = 0; i < found->count && i < found->most; i++) {
        const struct ht_located *one = &found->list[i];
        if (one->arc == arc && one->segment_first == first && one->segment_end == end) {
            return; /* a way that passes a node twice */
        }
    }
    if (found->count < found->most) {
        found->list[found->count] = (struct ht_located){arc, first, end};
    }
    found->count++;
}

/* The first arc in the order whose stretch begins above `at`. */
static uint32_t behind(const struct ht_locate_graph *l, uint32_t at)
{
    uint32_t low = 0;
    uint32_t high = l->graph->base_arc_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ht_arc_low(&l->graph->arcs[l->arcs[middle]]) <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Arcs of one place of the first node on a way: those that have the segment to a neighbour, and
 * those that begin here and end at the other node. At most two arcs (one each way) hold a segment,
 * and two more end where it begins. */
static void look(const struct ht_locate *locate, const struct ht_locate_graph *l, uint32_t at,
                 uint32_t to_node, struct found *found)
{
    const uint32_t *way_node = locate->network->way_node;
    uint32_t i = behind(l, at);
    for (uint32_t tries = 0; i-- > 0 && tries < 4; tries++) {
        uint32_t number = l->arcs[i];
        const struct ht_arc *arc = &l->graph->arcs[number];
        bool along = ht_arc_is_forward(arc);
        if (high_end(arc) < at) {
            break;
        }
        uint32_t segment = along ? at - arc->from : arc->from - at;
        uint32_t last = ht_arc_point_count(arc) - 1;
        if (segment < last && way_node[along ? at + 1 : at - 1] == to_node) {
            add(found, number, segment, segment + 1);
        } else if (segment == 0 && way_node[ht_arc_to(arc)] == to_node) {
            add(found, number, 0, last);
        }
    }
}

size_t ht_locate_pieces(const struct ht_locate *locate, const struct ht_locate_graph *graph,
                        int64_t osm_from, int64_t osm_to, struct ht_located *out, size_t most)
{
    struct found found = {.list = out, .most = most};
    uint32_t from = node_of(locate->network, osm_from);
    uint32_t to = node_of(locate->network, osm_to);
    if (from == HT_NONE || to == HT_NONE) {
        return 0;
    }
    for (uint32_t i = locate->first[from]; i < locate->first[from + 1]; i++) {
        look(locate, graph, locate->at[i], to, &found);
    }
    return found.count;
}
