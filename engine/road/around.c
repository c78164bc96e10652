#include "engine/road/around.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"

/* What is known of a vertex. Nodes lie in a row in the order in which they were met and are found
 * by a table of their numbers. */
struct node {
    uint32_t vertex;
    uint32_t before; /* node from which the cost came; HT_NONE: a source */
    struct ht_key cost;
    struct ht_key left; /* from it to the targets with all turns open, once `bounded`; before that,
                           what the search up from the targets found */
    struct ht_key end;  /* what a target seed here adds; infinite: none */
    bool bounded;
    bool settled;
};

struct entry {
    struct ht_key key; /* cost + left */
    uint32_t node;
};

struct ht_around {
    struct node *nodes;
    size_t node_capacity;
    uint32_t node_count;
    uint32_t *table; /* node numbers by vertex, HT_NONE: free; a power of two */
    uint32_t table_size;
    struct entry *heap; /* binary; entries that are out of date are skipped */
    size_t heap_capacity;
    size_t heap_size;
    /* The way from one vertex to the root, by tree depth; `left` of all that it holds. */
    uint32_t levels;
    uint32_t chain_count; /* levels of it */
    uint32_t *chain;
    uint64_t *time;
    uint32_t *length;
    uint32_t *path;
    size_t path_capacity;
};

enum { TABLE_LEAST = 1 << 12 };

enum ht_status ht_around_new(struct ht_around **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_around_free(struct ht_around *around)
{
    if (around != NULL) {
        free(around->nodes);
        free(around->table);
        free(around->heap);
        free(around->chain);
        free(around->time);
        free(around->length);
        free(around->path);
        free(around);
    }
}

bool ht_around_needed(const struct ht_road *road, const uint32_t *vertices, uint32_t count)
{
    const struct ht_graph *graph = road->graph;
    for (uint32_t i = 1; i < count; i++) {
        const struct ht_turn *turn =
            ht_graph_turn(graph, road->cch->arc[vertices[i - 1]], road->cch->arc[vertices[i]]);
        if (turn != NULL && graph->live->turn_closed[turn - graph->turns] != 0) {
            return true;
        }
    }
    return false;
}

/* ---- nodes ---- */

static uint32_t slot_of(const struct ht_around *around, uint32_t vertex)
{
    uint32_t mask = around->table_size - 1;
    uint32_t at = vertex * UINT32_C(2654435769) >> 7 & mask;
    while (around->table[at] != HT_NONE && around->nodes[around->table[at]].vertex != vertex) {
        at = (at + 1) & mask;
    }
    return at;
}

static enum ht_status table_grow(struct ht_around *around, uint32_t size)
{
    uint32_t *table = ht_array_new(size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    free(around->table);
    around->table = table;
    around->table_size = size;
    memset(table, 0xff, size * sizeof *table);
    for (uint32_t i = 0; i < around->node_count; i++) {
        table[slot_of(around, around->nodes[i].vertex)] = i;
    }
    return HT_OK;
}

/* The node of a vertex, made where there is none. */
static enum ht_status node_get(struct ht_around *around, uint32_t vertex, uint32_t *out)
{
    uint32_t slot = slot_of(around, vertex);
    *out = around->table[slot];
    if (*out != HT_NONE) {
        return HT_OK;
    }
    if (around->node_count >= around->table_size / 2) {
        enum ht_status status = table_grow(around, around->table_size * 2);
        if (status != HT_OK) {
            return status;
        }
        slot = slot_of(around, vertex);
    }
    void *nodes = around->nodes;
    enum ht_status status = ht_array_reserve(&nodes, &around->node_capacity,
                                             around->node_count + UINT32_C(1), sizeof(struct node));
    around->nodes = nodes;
    if (status != HT_OK) {
        return status;
    }
    *out = around->node_count++;
    around->nodes[*out] = (struct node){.vertex = vertex,
                                        .before = HT_NONE,
                                        .cost = ht_key_inf(),
                                        .left = ht_key_inf(),
                                        .end = ht_key_inf()};
    around->table[slot] = *out;
    return HT_OK;
}

static enum ht_status begin(struct ht_around *around, uint32_t levels)
{
    if (levels > around->levels) {
        free(around->chain);
        free(around->time);
        free(around->length);
        around->levels = 0;
        around->chain = ht_array_new(levels, sizeof *around->chain);
        around->time = ht_array_new(levels, sizeof *around->time);
        around->length = ht_array_new(levels, sizeof *around->length);
        if (around->chain == NULL || around->time == NULL || around->length == NULL) {
            return HT_NOMEM;
        }
        around->levels = levels;
    }
    around->node_count = 0;
    around->heap_size = 0;
    if (around->table_size > TABLE_LEAST) {
        free(around->table);
        around->table = NULL;
        around->table_size = 0;
    }
    if (around->table == NULL) {
        return table_grow(around, TABLE_LEAST);
    }
    memset(around->table, 0xff, around->table_size * sizeof *around->table);
    return HT_OK;
}

/* ---- bounds ---- */

/* The search up from a target: what is left from each vertex above it. */
static enum ht_status target_climb(struct ht_around *around, const struct ht_metric *metric,
                                   struct ht_seed seed)
{
    uint32_t depth = metric->climb[seed.vertex].depth;
    struct ht_lane lane = {around->time, around->length, NULL};
    for (uint32_t d = 0; d < depth; d++) {
        lane.time[d] = HT_TIME_INF;
        lane.length[d] = 0;
    }
    lane.time[depth] = seed.key.time;
    lane.length[depth] = seed.key.length;
    for (uint32_t v = seed.vertex; v != HT_NONE; v = metric->climb[v].parent) {
        uint32_t number;
        uint32_t d = metric->climb[v].depth;
        struct ht_key key = {lane.time[d], lane.length[d]};
        enum ht_status status = node_get(around, v, &number);
        if (status != HT_OK) {
            return status;
        }
        if (!ht_time_finite(key.time)) {
            continue;
        }
        struct node *node = &around->nodes[number];
        if (ht_key_less(key, node->left)) {
            node->left = key;
        }
        if (v == seed.vertex && ht_key_less(key, node->end)) {
            node->end = key;
        }
        ht_relax_row(ht_metric_row(metric, 1, v), key, lane);
    }
    return HT_OK;
}

static bool in_chain(const struct ht_around *around, const struct ht_metric *metric, uint32_t v)
{
    uint32_t depth = metric->climb[v].depth;
    return depth < around->chain_count && around->chain[depth] == v;
}

/* Makes the chain of a vertex the present one; what it shares with the one before stands already.
 */
static enum ht_status bound(struct ht_around *around, const struct ht_metric *metric,
                            uint32_t vertex)
{
    uint32_t depth = metric->climb[vertex].depth;
    uint32_t first = depth + 1; /* the highest level that is new */
    for (uint32_t v = vertex; v != HT_NONE && !in_chain(around, metric, v);
         v = metric->climb[v].parent) {
        first = metric->climb[v].depth;
        around->chain[first] = v;
    }
    around->chain_count = 0;
    struct ht_lane lane = {around->time, around->length, NULL};
    for (uint32_t d = first; d <= depth; d++) {
        uint32_t number;
        enum ht_status status = node_get(around, around->chain[d], &number);
        if (status != HT_OK) {
            return status;
        }
        struct node *node = &around->nodes[number];
        if (!node->bounded) {
            node->left = ht_pull_row(ht_metric_row(metric, 0, around->chain[d]), lane, node->left);
            node->bounded = true;
        }
        lane.time[d] = node->left.time;
        lane.length[d] = node->left.length;
    }
    around->chain_count = depth + 1;
    return HT_OK;
}

/* ---- search ---- */

static bool entry_less(const struct entry *a, const struct entry *b)
{
    return ht_key_less(a->key, b->key);
}

static enum ht_status push(struct ht_around *around, struct entry entry)
{
    void *heap = around->heap;
    enum ht_status status = ht_array_reserve(&heap, &around->heap_capacity, around->heap_size + 1,
                                             sizeof *around->heap);
    around->heap = heap;
    if (status != HT_OK) {
        return status;
    }
    size_t at = around->heap_size++;
    while (at > 0 && entry_less(&entry, &around->heap[(at - 1) / 2])) {
        around->heap[at] = around->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    around->heap[at] = entry;
    return HT_OK;
}

static struct entry pop(struct ht_around *around)
{
    struct entry top = around->heap[0];
    struct entry last = around->heap[--around->heap_size];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= around->heap_size) {
            break;
        }
        if (child + 1 < around->heap_size &&
            entry_less(&around->heap[child + 1], &around->heap[child])) {
            child++;
        }
        if (!entry_less(&around->heap[child], &last)) {
            break;
        }
        around->heap[at] = around->heap[child];
        at = child;
    }
    around->heap[at] = last;
    return top;
}

/* A way to a vertex is known that costs `key`. */
static enum ht_status reach(struct ht_around *around, const struct ht_metric *metric,
                            uint32_t vertex, struct ht_key key, uint32_t before)
{
    uint32_t number;
    enum ht_status status = node_get(around, vertex, &number);
    if (status != HT_OK || !ht_key_less(key, around->nodes[number].cost)) {
        return status;
    }
    if (!around->nodes[number].bounded) {
        status = bound(around, metric, vertex);
    }
    struct node *node = &around->nodes[number];
    if (status != HT_OK || !ht_time_finite(node->left.time)) {
        return status;
    }
    node->cost = key;
    node->before = before;
    node->settled = false;
    return push(around, (struct entry){ht_key_add(key, node->left), number});
}

static enum ht_status expand(struct ht_around *around, const struct ht_road *road, uint32_t number)
{
    const struct ht_graph *graph = road->graph;
    uint32_t arc = road->cch->arc[around->nodes[number].vertex];
    struct ht_key driven = ht_key_add(
        around->nodes[number].cost,
        (struct ht_key){ht_time_pack(graph->arcs[arc].weight_ms, graph->arcs[arc].duration_ms),
                        graph->arcs[arc].length_mm});
    enum ht_status status = HT_OK;
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1] && status == HT_OK;
         t++) {
        const struct ht_turn *turn = &graph->turns[t];
        if (graph->live->turn_closed[t] == 0) {
            struct ht_key key = ht_key_add(
                driven, (struct ht_key){ht_time_pack(turn->weight_ms, turn->duration_ms), 0});
            status = reach(around, road->metric, road->cch->rank[turn->to], key, number);
        }
    }
    return status;
}

/* The node in which the cheapest way ends. */
static enum ht_status search(struct ht_around *around, const struct ht_road *road,
                             struct ht_key *total, uint32_t *last)
{
    enum ht_status status = HT_OK;
    *total = ht_key_inf();
    *last = HT_NONE;
    while (status == HT_OK && around->heap_size > 0 && ht_key_less(around->heap[0].key, *total)) {
        uint32_t number = pop(around).node;
        struct node *node = &around->nodes[number];
        if (node->settled) {
            continue;
        }
        node->settled = true;
        struct ht_key key = ht_key_add(node->cost, node->end);
        if (ht_time_finite(node->end.time) && ht_key_less(key, *total)) {
            *total = key;
            *last = number;
        }
        status = expand(around, road, number);
    }
    return status == HT_OK && *last == HT_NONE ? HT_NO_ROUTE : status;
}

static enum ht_status path_write(struct ht_around *around, uint32_t last, const uint32_t **path,
                                 uint32_t *count)
{
    *count = 0;
    for (uint32_t n = last; n != HT_NONE; n = around->nodes[n].before) {
        (*count)++;
    }
    void *list = around->path;
    enum ht_status status =
        ht_array_reserve(&list, &around->path_capacity, *count, sizeof *around->path);
    around->path = list;
    if (status != HT_OK) {
        return status;
    }
    uint32_t at = *count;
    for (uint32_t n = last; n != HT_NONE; n = around->nodes[n].before) {
        around->path[--at] = around->nodes[n].vertex;
    }
    *path = around->path;
    return HT_OK;
}

enum ht_status ht_around_run(struct ht_around *around, const struct ht_around_ask *ask,
                             struct ht_key *total, const uint32_t **path, uint32_t *count)
{
    const struct ht_road *road = ask->road;
    uint32_t last = HT_NONE;
    enum ht_status status = begin(around, road->cch->depth_max + 8);
    for (uint32_t i = 0; i < ask->target_count && status == HT_OK; i++) {
        status = target_climb(around, road->metric, ask->targets[i]);
    }
    around->chain_count = 0;
    for (uint32_t i = 0; i < ask->source_count && status == HT_OK; i++) {
        status = reach(around, road->metric, ask->sources[i].vertex, ask->sources[i].key, HT_NONE);
    }
    if (status == HT_OK) {
        status = search(around, road, total, &last);
    }
    return status == HT_OK ? path_write(around, last, path, count) : status;
}
