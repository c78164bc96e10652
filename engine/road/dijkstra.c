#include "engine/road/dijkstra.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

/* Labels live at the tails of arcs: label(a) is the cheapest cost of standing at the beginning of
 * arc a, about to drive it. The arc that holds the start has no label of its own until a loop comes
 * back to it. */
struct label {
    struct ht_cost cost;
    uint32_t from; /* arc before, HT_NONE: unreached */
    bool settled;
};

struct entry {
    struct ht_cost cost;
    uint32_t arc;
};

struct ht_dijkstra {
    const struct ht_graph *graph;
    struct label *labels;
    struct entry *heap; /* binary, lazy: stale entries are skipped */
    size_t heap_size;
    size_t heap_capacity;
    uint32_t *touched;
    size_t touched_count;
    const uint8_t *closed;
    struct ht_place source;
    struct target *targets;
    size_t target_count;
    size_t target_capacity;
};

/* How the best way into a target ends. */
struct target {
    uint32_t arc; /* last arc, HT_NONE: no way */
    bool direct;  /* within one arc, no label used */
};

static struct ht_cost cost_add(struct ht_cost a, struct ht_cost b)
{
    return (struct ht_cost){a.weight_ms + b.weight_ms, a.duration_ms + b.duration_ms,
                            a.length_mm + b.length_mm};
}

enum ht_status ht_dijkstra_new(const struct ht_graph *graph, struct ht_dijkstra **out)
{
    struct ht_dijkstra *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return HT_NOMEM;
    }
    d->graph = graph;
    d->labels = ht_array_new(graph->arc_count, sizeof *d->labels);
    d->touched = ht_array_new(graph->arc_count, sizeof *d->touched);
    if (d->labels == NULL || d->touched == NULL) {
        ht_dijkstra_free(d);
        return HT_NOMEM;
    }
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        d->labels[a] = (struct label){.from = HT_NONE};
    }
    *out = d;
    return HT_OK;
}

void ht_dijkstra_free(struct ht_dijkstra *d)
{
    if (d == NULL) {
        return;
    }
    free(d->labels);
    free(d->heap);
    free(d->touched);
    free(d->targets);
    free(d);
}

static enum ht_status heap_push(struct ht_dijkstra *d, struct entry entry)
{
    void *heap = d->heap;
    enum ht_status status =
        ht_array_reserve(&heap, &d->heap_capacity, d->heap_size + 1, sizeof *d->heap);
    d->heap = heap;
    if (status != HT_OK) {
        return status;
    }
    size_t i = d->heap_size++;
    while (i > 0 && ht_cost_less(entry.cost, d->heap[(i - 1) / 2].cost)) {
        d->heap[i] = d->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    d->heap[i] = entry;
    return HT_OK;
}

static struct entry heap_pop(struct ht_dijkstra *d)
{
    struct entry top = d->heap[0];
    struct entry last = d->heap[--d->heap_size];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= d->heap_size) {
            break;
        }
        if (child + 1 < d->heap_size &&
            ht_cost_less(d->heap[child + 1].cost, d->heap[child].cost)) {
            child++;
        }
        if (!ht_cost_less(d->heap[child].cost, last.cost)) {
            break;
        }
        d->heap[i] = d->heap[child];
        i = child;
    }
    if (d->heap_size > 0) {
        d->heap[i] = last;
    }
    return top;
}

/* All turns out of `arc`, whose end costs `cost` to reach. */
static enum ht_status expand(struct ht_dijkstra *d, uint32_t arc, struct ht_cost cost)
{
    const struct ht_graph *graph = d->graph;
    if (cost.weight_ms >= HT_WEIGHT_INF) { /* closed on the way */
        return HT_OK;
    }
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
        struct ht_turn turn = ht_turn_at(graph, arc, t);
        bool shut = graph->live != NULL && graph->live->turn_closed != NULL &&
                    graph->live->turn_closed[t] != 0;
        if (shut || (d->closed != NULL && d->closed[turn.to])) {
            continue;
        }
        struct ht_cost next = cost_add(cost, (struct ht_cost){turn.weight_ms, turn.duration_ms, 0});
        struct label *label = &d->labels[turn.to];
        if (label->from != HT_NONE && !ht_cost_less(next, label->cost)) {
            continue;
        }
        if (label->from == HT_NONE) {
            d->touched[d->touched_count++] = turn.to;
        }
        *label = (struct label){.cost = next, .from = arc};
        enum ht_status status = heap_push(d, (struct entry){.cost = next, .arc = turn.to});
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static struct ht_cost arc_cost(const struct ht_arc *arc)
{
    return (struct ht_cost){arc->weight_ms, arc->duration_ms, arc->length_mm};
}

static enum ht_status search(struct ht_dijkstra *d)
{
    for (size_t i = 0; i < d->touched_count; i++) {
        d->labels[d->touched[i]] = (struct label){.from = HT_NONE};
    }
    d->touched_count = 0;
    d->heap_size = 0;
    enum ht_status status = HT_OK;
    for (int s = 0; s < 2 && status == HT_OK; s++) {
        uint32_t arc = d->source.side[s].arc;
        if (arc != HT_NONE && (d->closed == NULL || !d->closed[arc])) {
            status = expand(d, arc, d->source.side[s].after);
        }
    }
    while (d->heap_size > 0 && status == HT_OK) {
        struct entry top = heap_pop(d);
        struct label *label = &d->labels[top.arc];
        if (label->settled || ht_cost_less(label->cost, top.cost)) {
            continue;
        }
        label->settled = true;
        status = expand(d, top.arc, cost_add(top.cost, arc_cost(&d->graph->arcs[top.arc])));
    }
    return status;
}

/* Within one arc, from the source on to a target ahead of it. */
static void consider_direct(const struct ht_dijkstra *d, const struct ht_place *place, int side,
                            struct ht_cost *best, struct target *end)
{
    const struct ht_place_side *from = &d->source.side[side];
    const struct ht_place_side *to = &place->side[side];
    if (from->arc != to->arc || from->before_mm > to->before_mm ||
        (d->closed != NULL && d->closed[to->arc])) {
        return;
    }
    struct ht_cost cost = {0, 0, 0};
    if (from->before_mm < to->before_mm) {
        cost = ht_arc_cost(d->graph, to->arc, from->before_mm, to->before_mm);
    }
    if (cost.weight_ms < HT_WEIGHT_INF && (end->arc == HT_NONE || ht_cost_less(cost, *best))) {
        *best = cost;
        *end = (struct target){.arc = to->arc, .direct = true};
    }
}

static void consider_label(const struct ht_dijkstra *d, uint32_t arc,
                           const struct ht_place_side *to, struct ht_cost *best, struct target *end)
{
    const struct label *label = &d->labels[arc];
    if (label->from == HT_NONE || to->before.weight_ms >= HT_WEIGHT_INF) {
        return;
    }
    struct ht_cost cost = cost_add(label->cost, to->before);
    if (end->arc == HT_NONE || ht_cost_less(cost, *best)) {
        *best = cost;
        *end = (struct target){.arc = arc};
    }
}

enum ht_status ht_dijkstra_run(struct ht_dijkstra *d, const struct ht_place *source,
                               const struct ht_place *targets, size_t target_count,
                               const uint8_t *arc_closed, struct ht_cost *out)
{
    d->source = *source;
    d->closed = arc_closed;
    void *ends = d->targets;
    enum ht_status status =
        ht_array_reserve(&ends, &d->target_capacity, target_count, sizeof *d->targets);
    d->targets = ends;
    if (status == HT_OK) {
        status = search(d);
    }
    d->target_count = status == HT_OK ? target_count : 0;
    for (size_t i = 0; i < d->target_count; i++) {
        struct target *end = &d->targets[i];
        *end = (struct target){.arc = HT_NONE};
        out[i] = (struct ht_cost){.weight_ms = HT_WEIGHT_INF};
        for (int s = 0; s < 2; s++) {
            const struct ht_place_side *to = &targets[i].side[s];
            if (to->arc == HT_NONE) {
                continue;
            }
            consider_direct(d, &targets[i], s, &out[i], end);
            consider_label(d, to->arc, to, &out[i], end);
            const uint32_t *copies = NULL;
            uint32_t count = ht_graph_copies(d->graph, to->arc, &copies);
            for (uint32_t c = 0; c < count; c++) {
                consider_label(d, copies[c], to, &out[i], end);
            }
        }
    }
    return status;
}

size_t ht_dijkstra_path(const struct ht_dijkstra *d, size_t index, uint32_t *arcs, size_t capacity)
{
    if (index >= d->target_count || d->targets[index].arc == HT_NONE) {
        return 0;
    }
    struct target end = d->targets[index];
    size_t count = 1;
    /* A label's `from` may be a start arc without label, or one that a loop came back to: the way
     * began there when its own cost can't explain the label. */
    for (int round = 0; round < 2; round++) {
        size_t at = count;
        uint32_t arc = end.arc;
        count = 1;
        bool more = !end.direct;
        if (round == 1 && at <= capacity) {
            arcs[at - 1] = arc;
        }
        while (more) {
            uint32_t from = d->labels[arc].from;
            const struct label *before = &d->labels[from];
            struct ht_turn turn = ht_graph_turn_between(d->graph, from, arc);
            struct ht_cost via = cost_add(cost_add(before->cost, arc_cost(&d->graph->arcs[from])),
                                          (struct ht_cost){turn.weight_ms, turn.duration_ms, 0});
            more = before->from != HT_NONE && !ht_cost_less(via, d->labels[arc].cost) &&
                   !ht_cost_less(d->labels[arc].cost, via);
            arc = from;
            count++;
            if (round == 1 && at >= count && at <= capacity) {
                arcs[at - count] = arc;
            }
        }
    }
    return count;
}
