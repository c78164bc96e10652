#include "bench/dimacs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/array.h"

struct ht_dimacs {
    struct ht_network network;
    struct ht_graph graph;
    const struct ht_graph *graphs[1];
    struct ht_point *points;
    uint32_t *junction_node;
    uint32_t *way_node;
    struct ht_way *ways;
    int64_t *osm_ids;
    uint32_t *first_out;
    uint32_t *first_in;
    uint32_t *in;
    struct ht_arc *arcs;
    uint32_t *turn_first;
    struct ht_turn *turns;
};

void ht_dimacs_free(struct ht_dimacs *d)
{
    if (d == NULL) {
        return;
    }
    free(d->points);
    free(d->junction_node);
    free(d->way_node);
    free(d->ways);
    free(d->osm_ids);
    free(d->first_out);
    free(d->first_in);
    free(d->in);
    free(d->arcs);
    free(d->turn_first);
    free(d->turns);
    free(d);
}

const struct ht_network *ht_dimacs_network(const struct ht_dimacs *d)
{
    return &d->network;
}

static enum ht_status read_places(struct ht_dimacs *d, const char *path)
{
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        return HT_IO;
    }
    char line[256];
    struct ht_box box = ht_box_empty();
    while (gzgets(file, line, sizeof line) != NULL) {
        unsigned long id = 0;
        long lon = 0;
        long lat = 0;
        if (sscanf(line, "v %lu %ld %ld", &id, &lon, &lat) == 3 && id >= 1 &&
            id <= d->network.node_count) {
            d->points[id - 1] = (struct ht_point){(int32_t)(lon * 10), (int32_t)(lat * 10)};
            box = ht_box_grow(box, d->points[id - 1]);
        }
    }
    (void)gzclose(file);
    d->network.box = box;
    return HT_OK;
}

static int compare_arcs(const void *a, const void *b)
{
    const struct ht_arc *x = a;
    const struct ht_arc *y = b;
    if (x->tail != y->tail) {
        return x->tail < y->tail ? -1 : 1;
    }
    return x->head < y->head ? -1 : x->head > y->head ? 1 : 0;
}

static enum ht_status read_arcs(struct ht_dimacs *d, const char *path)
{
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        return HT_IO;
    }
    char line[256];
    unsigned long nodes = 0;
    unsigned long arcs = 0;
    enum ht_status status = HT_OK;
    while (status == HT_OK && gzgets(file, line, sizeof line) != NULL) {
        unsigned long tail = 0;
        unsigned long head = 0;
        unsigned long time = 0;
        if (sscanf(line, "p sp %lu %lu", &nodes, &arcs) == 2) {
            d->network.node_count = (uint32_t)nodes;
            d->arcs = ht_array_new_zeroed(arcs, sizeof *d->arcs);
            d->points = ht_array_new_zeroed(nodes, sizeof *d->points);
            status = d->arcs == NULL || d->points == NULL ? HT_NOMEM : HT_OK;
        } else if (sscanf(line, "a %lu %lu %lu", &tail, &head, &time) == 3 && tail != head &&
                   d->arcs != NULL && d->graph.arc_count < arcs) {
            d->arcs[d->graph.arc_count++] = (struct ht_arc){.tail = (uint32_t)tail - 1,
                                                            .head = (uint32_t)head - 1,
                                                            .weight_ms = (uint32_t)time * 10,
                                                            .duration_ms = (uint32_t)time * 10,
                                                            .mode = HT_MODE_DRIVING};
        }
    }
    (void)gzclose(file);
    return status == HT_OK && (d->arcs == NULL || d->points == NULL) ? HT_EMPTY : status;
}

static enum ht_status link_arcs(struct ht_dimacs *d)
{
    struct ht_graph *g = &d->graph;
    uint32_t n = d->network.node_count;
    qsort(d->arcs, g->arc_count, sizeof *d->arcs, compare_arcs);
    d->junction_node = ht_array_new(n, sizeof *d->junction_node);
    d->osm_ids = ht_array_new(n, sizeof *d->osm_ids);
    d->way_node = ht_array_new((size_t)g->arc_count * 2, sizeof *d->way_node);
    d->ways = ht_array_new_zeroed((size_t)g->arc_count + 1, sizeof *d->ways);
    d->first_out = ht_array_new_zeroed((size_t)n + 1, sizeof *d->first_out);
    d->first_in = ht_array_new_zeroed((size_t)n + 2, sizeof *d->first_in);
    d->in = ht_array_new(g->arc_count, sizeof *d->in);
    if (d->junction_node == NULL || d->osm_ids == NULL || d->way_node == NULL || d->ways == NULL ||
        d->first_out == NULL || d->first_in == NULL || d->in == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < n; v++) {
        d->junction_node[v] = v;
        d->osm_ids[v] = (int64_t)v + 1;
    }
    for (uint32_t a = 0; a < g->arc_count; a++) {
        struct ht_arc *arc = &d->arcs[a];
        arc->way = a;
        arc->from = 2 * a;
        arc->segments = 1;
        arc->reverse = HT_NONE;
        arc->flags = HT_ARC_FORWARD;
        arc->length_mm = ht_distance_mm(d->points[arc->tail], d->points[arc->head]);
        d->way_node[2 * a] = arc->tail;
        d->way_node[2 * a + 1] = arc->head;
        d->ways[a].first_node = 2 * a;
        d->first_out[arc->tail + 1]++;
        d->first_in[arc->head + 2]++;
    }
    d->ways[g->arc_count].first_node = 2 * g->arc_count;
    for (uint32_t v = 0; v < n; v++) {
        d->first_out[v + 1] += d->first_out[v];
        d->first_in[v + 2] += d->first_in[v + 1];
    }
    for (uint32_t a = 0; a < g->arc_count; a++) {
        d->in[d->first_in[d->arcs[a].head + 1]++] = a;
    }
    return HT_OK;
}

/* All turns but back to where one came from, unless there is nowhere else to go. */
static enum ht_status make_turns(struct ht_dimacs *d)
{
    struct ht_graph *g = &d->graph;
    size_t capacity = 0;
    d->turn_first = ht_array_new((size_t)g->arc_count + 1, sizeof *d->turn_first);
    if (d->turn_first == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t a = 0; a < g->arc_count; a++) {
        uint32_t first = d->first_out[d->arcs[a].head];
        uint32_t end = d->first_out[d->arcs[a].head + 1];
        d->turn_first[a] = g->turn_count;
        void *turns = d->turns;
        enum ht_status status =
            ht_array_reserve(&turns, &capacity, g->turn_count + end - first, sizeof *d->turns);
        d->turns = turns;
        if (status != HT_OK) {
            return status;
        }
        for (uint32_t b = first; b < end; b++) {
            if (d->arcs[b].head != d->arcs[a].tail || end - first == 1) {
                d->turns[g->turn_count++] = (struct ht_turn){.to = b};
            }
        }
    }
    d->turn_first[g->arc_count] = g->turn_count;
    return HT_OK;
}

static void publish(struct ht_dimacs *d)
{
    struct ht_graph *g = &d->graph;
    g->profile = "car";
    g->junction_count = d->network.node_count;
    g->base_arc_count = g->arc_count;
    g->junction_node = d->junction_node;
    g->junction_first_out = d->first_out;
    g->junction_first_in = d->first_in;
    g->junction_in = d->in;
    g->arcs = d->arcs;
    g->turn_first = d->turn_first;
    g->turns = d->turns;
    d->network.way_count = g->arc_count;
    d->network.way_node_count = 2 * g->arc_count;
    d->network.node_point = d->points;
    d->network.node_osm_id = d->osm_ids;
    d->network.ways = d->ways;
    d->network.way_node = d->way_node;
    d->network.strings = "";
    d->network.strings_size = 1;
    d->graphs[0] = g;
    d->network.graph_count = 1;
    d->network.graphs = d->graphs;
}

enum ht_status ht_dimacs_load(const char *time_path, const char *place_path, struct ht_dimacs **out)
{
    struct ht_dimacs *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = read_arcs(d, time_path);
    if (status == HT_OK) {
        status = read_places(d, place_path);
    }
    if (status == HT_OK) {
        status = link_arcs(d);
    }
    if (status == HT_OK) {
        status = make_turns(d);
    }
    if (status != HT_OK) {
        ht_dimacs_free(d);
        return status;
    }
    publish(d);
    *out = d;
    return HT_OK;
}
