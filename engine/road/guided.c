#include "engine/road/guided.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/relax.h"

enum {
    TABLE_LEAST = 4096,
    TABLE_KEPT = 1 << 16, /* one that grew beyond is not cleared for each run */
};

/* What is known of a vertex. */
struct node {
    uint32_t vertex;
    uint32_t before; /* node that the search came from, or HT_NONE */
    struct ht_key estimate;
    struct ht_key driven; /* from the sources to its tail; inf: not reached */
    struct ht_key down;   /* to the target by falling edges, or as a target itself; inf: none */
    bool estimated;
    bool settled;
};

struct waiting {
    struct ht_key key; /* driven + estimate */
    uint32_t node;
};

struct ht_guided {
    struct node *nodes;
    uint32_t node_count;
    size_t node_capacity;
    uint32_t *table; /* node + 1 by a hash of the vertex, open addressing */
    size_t table_size;
    struct waiting *heap;
    size_t heap_count;
    size_t heap_capacity;
    /* the ancestors of one vertex, by depth */
    uint32_t levels;
    uint32_t *lane_vertex;
    uint64_t *lane_time;
    uint32_t *lane_length;
    uint32_t filled;
    uint32_t *climb; /* vertices to be estimated */
    uint32_t *path;
    size_t path_capacity;
    uint32_t last; /* node at the way's end */
    uint32_t looked;
    /* of the run */
    const struct ht_guided_ask *ask;
    struct ht_key best;
};

enum ht_status ht_guided_new(struct ht_guided **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

static void lanes_free(struct ht_guided *g)
{
    free(g->lane_vertex);
    free(g->lane_time);
    free(g->lane_length);
    free(g->climb);
    g->lane_vertex = NULL;
    g->lane_time = NULL;
    g->lane_length = NULL;
    g->climb = NULL;
    g->levels = 0;
}

void ht_guided_free(struct ht_guided *g)
{
    if (g != NULL) {
        lanes_free(g);
        free(g->nodes);
        free(g->table);
        free(g->heap);
        free(g->path);
        free(g);
    }
}

uint32_t ht_guided_looked(const struct ht_guided *g)
{
    return g->looked;
}

/* ---- nodes ---- */

static size_t place_of(const struct ht_guided *g, uint32_t vertex)
{
    size_t at = (size_t)((vertex * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (g->table_size - 1);
    while (g->table[at] != 0 && g->nodes[g->table[at] - 1].vertex != vertex) {
        at = (at + 1) & (g->table_size - 1);
    }
    return at;
}

static enum ht_status table_grow(struct ht_guided *g)
{
    size_t size = g->table_size == 0 ? TABLE_LEAST : g->table_size * 2;
    uint32_t *table = ht_array_new_zeroed(size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    free(g->table);
    g->table = table;
    g->table_size = size;
    for (uint32_t i = 0; i < g->node_count; i++) {
        g->table[place_of(g, g->nodes[i].vertex)] = i + 1;
    }
    return HT_OK;
}

/* The node of a vertex, made where there is none. */
static enum ht_status node_get(struct ht_guided *g, uint32_t vertex, uint32_t *out)
{
    enum ht_status status = HT_OK;
    if (g->table == NULL || (g->node_count + (size_t)1) * 2 > g->table_size) {
        status = table_grow(g);
    }
    if (status != HT_OK) {
        return status;
    }
    size_t at = place_of(g, vertex);
    if (g->table[at] == 0) {
        void *nodes = g->nodes;
        status = ht_array_reserve(&nodes, &g->node_capacity, g->node_count + (size_t)1,
                                  sizeof *g->nodes);
        g->nodes = nodes;
        if (status != HT_OK) {
            return status;
        }
        g->nodes[g->node_count] = (struct node){
            .vertex = vertex, .before = HT_NONE, .driven = ht_key_inf(), .down = ht_key_inf()};
        g->table[at] = ++g->node_count;
    }
    *out = g->table[at] - 1;
    return HT_OK;
}

static enum ht_status lanes_reserve(struct ht_guided *g, uint32_t levels)
{
    if (levels <= g->levels) {
        return HT_OK;
    }
    lanes_free(g);
    g->lane_vertex = ht_array_new(levels, sizeof *g->lane_vertex);
    g->lane_time = ht_array_new(levels, sizeof *g->lane_time);
    g->lane_length = ht_array_new(levels, sizeof *g->lane_length);
    g->climb = ht_array_new(levels, sizeof *g->climb);
    if (g->lane_vertex == NULL || g->lane_time == NULL || g->lane_length == NULL ||
        g->climb == NULL) {
        lanes_free(g);
        return HT_NOMEM;
    }
    g->levels = levels;
    return HT_OK;
}

/* ---- estimates ---- */

/* Notes what the ancestors of a target cost to it by falling edges. */
static enum ht_status target_note(struct ht_guided *g, const struct ht_seed *target)
{
    const struct ht_road *road = g->ask->road;
    const struct ht_lane lane = {g->lane_time, g->lane_length, NULL};
    enum ht_status status = HT_OK;
    uint32_t depth = road->cch->depth[target->vertex];
    for (uint32_t d = 0; d < depth; d++) {
        lane.time[d] = HT_TIME_INF;
        lane.length[d] = 0;
    }
    lane.time[depth] = target->key.time;
    lane.length[depth] = target->key.length;
    for (uint32_t v = target->vertex; v != HT_NONE && status == HT_OK; v = road->cch->parent[v]) {
        uint32_t d = road->cch->depth[v];
        const struct ht_key key = {lane.time[d], lane.length[d]};
        uint32_t node = 0;
        if (!ht_time_finite(key.time)) {
            continue;
        }
        ht_relax_row(ht_metric_row(road->metric, 1, v), key, lane);
        status = node_get(g, v, &node);
        if (status == HT_OK && ht_key_less(key, g->nodes[node].down)) {
            g->nodes[node].down = key;
        }
    }
    return status;
}

static bool lane_holds(const struct ht_guided *g, uint32_t depth, uint32_t vertex)
{
    return depth < g->filled && g->lane_vertex[depth] == vertex;
}

/* Puts a vertex into the lane, whose ancestors are there. */
static enum ht_status lane_put(struct ht_guided *g, uint32_t vertex)
{
    const struct ht_road *road = g->ask->road;
    uint32_t depth = road->cch->depth[vertex];
    uint32_t number = 0;
    enum ht_status status = node_get(g, vertex, &number);
    if (status != HT_OK) {
        return status;
    }
    struct node *node = &g->nodes[number];
    if (!node->estimated) {
        node->estimate =
            ht_pull_row(ht_metric_row(road->metric, 0, vertex),
                        (struct ht_lane){g->lane_time, g->lane_length, NULL}, node->down);
        if (!ht_time_finite(node->estimate.time)) {
            node->estimate = ht_key_inf();
        }
        node->estimated = true;
        g->looked++;
    }
    g->lane_vertex[depth] = vertex;
    g->lane_time[depth] = node->estimate.time;
    g->lane_length[depth] = node->estimate.length;
    g->filled = depth + 1;
    return HT_OK;
}

/* Estimates a vertex. What lies in the lane below where its way to the root branched off is
 * overwritten. */
static enum ht_status estimate(struct ht_guided *g, uint32_t vertex, struct ht_key *out)
{
    const struct ht_cch *cch = g->ask->road->cch;
    uint32_t number = 0;
    uint32_t count = 0;
    enum ht_status status = node_get(g, vertex, &number);
    if (status != HT_OK) {
        return status;
    }
    if (!g->nodes[number].estimated) {
        for (uint32_t v = vertex; v != HT_NONE && !lane_holds(g, cch->depth[v], v);
             v = cch->parent[v]) {
            g->climb[count++] = v;
        }
        while (count > 0 && status == HT_OK) {
            status = lane_put(g, g->climb[--count]);
        }
    }
    *out = g->nodes[number].estimate;
    return status;
}

/* ---- the search ---- */

static enum ht_status heap_add(struct ht_guided *g, struct waiting one)
{
    void *heap = g->heap;
    enum ht_status status =
        ht_array_reserve(&heap, &g->heap_capacity, g->heap_count + 1, sizeof *g->heap);
    g->heap = heap;
    if (status != HT_OK) {
        return status;
    }
    size_t at = g->heap_count++;
    while (at > 0 && ht_key_less(one.key, g->heap[(at - 1) / 2].key)) {
        g->heap[at] = g->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    g->heap[at] = one;
    return HT_OK;
}

static struct waiting heap_take(struct ht_guided *g)
{
    struct waiting top = g->heap[0];
    struct waiting last = g->heap[--g->heap_count];
    size_t at = 0;
    for (size_t child = 1; child < g->heap_count; child = 2 * at + 1) {
        child +=
            child + 1 < g->heap_count && ht_key_less(g->heap[child + 1].key, g->heap[child].key);
        if (!ht_key_less(g->heap[child].key, last.key)) {
            break;
        }
        g->heap[at] = g->heap[child];
        at = child;
    }
    g->heap[at] = last;
    return top;
}

/* A vertex can be reached like this. */
static enum ht_status reach(struct ht_guided *g, uint32_t vertex, struct ht_key driven,
                            uint32_t before)
{
    struct ht_key ahead;
    uint32_t number = 0;
    enum ht_status status = node_get(g, vertex, &number);
    if (status != HT_OK || g->nodes[number].settled ||
        !ht_key_less(driven, g->nodes[number].driven)) {
        return status;
    }
    status = estimate(g, vertex, &ahead);
    if (status != HT_OK || !ht_time_finite(ahead.time)) {
        return status;
    }
    struct ht_key whole = ht_key_add(driven, ahead);
    if (!ht_key_less(whole, g->best)) {
        return HT_OK;
    }
    g->nodes[number].driven = driven;
    g->nodes[number].before = before;
    return heap_add(g, (struct waiting){whole, number});
}

static void target_try(struct ht_guided *g, uint32_t number)
{
    const struct node *node = &g->nodes[number];
    for (uint32_t i = 0; i < g->ask->target_count; i++) {
        const struct ht_seed *target = &g->ask->targets[i];
        struct ht_key whole = ht_key_add(node->driven, target->key);
        if (target->vertex == node->vertex && ht_key_less(whole, g->best)) {
            g->best = whole;
            g->last = number;
        }
    }
}

static enum ht_status settle(struct ht_guided *g, uint32_t number)
{
    const struct ht_road *road = g->ask->road;
    const struct ht_graph *graph = road->graph;
    const uint8_t *closed = graph->live == NULL ? NULL : graph->live->turn_closed;
    const struct node node = g->nodes[number];
    uint32_t number_of = road->cch->arc[node.vertex];
    const struct ht_arc *arc = &graph->arcs[number_of];
    enum ht_status status = HT_OK;
    g->nodes[number].settled = true;
    target_try(g, number);
    if (arc->weight_ms >= HT_WEIGHT_INF) {
        return HT_OK; /* it can be entered, not left by its end */
    }
    struct ht_key end =
        ht_key_add(node.driven,
                   (struct ht_key){ht_time_pack(arc->weight_ms, arc->duration_ms), arc->length_mm});
    for (uint32_t t = graph->turn_first[number_of];
         t < graph->turn_first[number_of + 1] && status == HT_OK; t++) {
        struct ht_turn turn = ht_turn_at(graph, number_of, t);
        if ((closed == NULL || closed[t] == 0) && turn.to != number_of) {
            struct ht_key key =
                ht_key_add(end, (struct ht_key){ht_time_pack(turn.weight_ms, turn.duration_ms), 0});
            status = reach(g, road->cch->rank[turn.to], key, number);
        }
    }
    return status;
}

static enum ht_status begin(struct ht_guided *g, const struct ht_guided_ask *ask)
{
    enum ht_status status = lanes_reserve(g, ask->road->cch->depth_max + UINT32_C(8));
    g->ask = ask;
    g->node_count = 0;
    g->heap_count = 0;
    g->filled = 0;
    g->looked = 0;
    g->last = HT_NONE;
    g->best = ht_key_inf();
    if (g->table_size > TABLE_KEPT) {
        free(g->table);
        g->table = NULL;
        g->table_size = 0;
    }
    if (g->table != NULL) {
        memset(g->table, 0, g->table_size * sizeof *g->table);
    }
    for (uint32_t i = 0; i < ask->target_count && status == HT_OK; i++) {
        status = target_note(g, &ask->targets[i]);
    }
    for (uint32_t i = 0; i < ask->source_count && status == HT_OK; i++) {
        status = reach(g, ask->sources[i].vertex, ask->sources[i].key, HT_NONE);
    }
    return status;
}

enum ht_status ht_guided_run(struct ht_guided *g, const struct ht_guided_ask *ask,
                             struct ht_key *total)
{
    enum ht_status status = begin(g, ask);
    while (status == HT_OK && g->heap_count > 0 && ht_key_less(g->heap[0].key, g->best)) {
        struct waiting one = heap_take(g);
        if (!g->nodes[one.node].settled) {
            status = settle(g, one.node);
        }
        if (status == HT_OK && g->looked > ask->most) {
            status = HT_TOO_BIG;
        }
    }
    if (status == HT_OK && g->last == HT_NONE) {
        status = HT_NO_ROUTE;
    }
    *total = g->best;
    return status;
}

enum ht_status ht_guided_path(struct ht_guided *g, const uint32_t **vertices, uint32_t *count)
{
    uint32_t length = 0;
    for (uint32_t n = g->last; n != HT_NONE; n = g->nodes[n].before) {
        length++;
    }
    void *path = g->path;
    enum ht_status status = ht_array_reserve(&path, &g->path_capacity, length, sizeof *g->path);
    g->path = path;
    *count = length;
    for (uint32_t n = g->last; n != HT_NONE && status == HT_OK; n = g->nodes[n].before) {
        g->path[--length] = g->nodes[n].vertex;
    }
    *vertices = g->path;
    return status;
}
