/* What alternative ways promise, held against a plain Dijkstra of the test's own, arc by arc:
 *   - none costs more than 125 % of the best;
 *   - none shares more than 75 % of the best's weight with those before it;
 *   - each piece of one that weighs up to 20 % of the best is itself a cheapest way between its
 *     ends, wherever on the way it lies.
 *
 * Threading: none. Ownership: ht_promises_free. A lack of memory aborts.
 */
#ifndef HT_TESTS_SUPPORT_ALTERNATIVES_H
#define HT_TESTS_SUPPORT_ALTERNATIVES_H

#include <stdlib.h>
#include <string.h>

#include "engine/road/query.h"

struct ht_promise_entry {
    uint32_t ms;
    uint32_t arc;
};

struct ht_promises {
    const struct ht_graph *graph;
    uint32_t *label; /* weight at an arc's tail, about to drive it; HT_WEIGHT_INF: not reached */
    uint32_t *touched;
    uint8_t *offered; /* base arcs of the ways before */
    uint64_t *at;     /* weight of the way up to the tail of its i-th arc; the whole at the end */
    struct ht_promise_entry *heap;
    size_t heap_size;
    size_t heap_capacity;
    size_t touched_count;
    size_t pieces; /* looked at so far, longer than two arcs */
    int stretched; /* broken promises of each kind */
    int shared;
    int detours;
};

static inline void *ht_promise_alloc(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (p == NULL) {
        abort();
    }
    return p;
}

static inline struct ht_promises ht_promises_new(const struct ht_graph *graph)
{
    struct ht_promises p = {.graph = graph};
    p.label = ht_promise_alloc(graph->arc_count, sizeof *p.label);
    p.touched = ht_promise_alloc(graph->arc_count, sizeof *p.touched);
    p.offered = ht_promise_alloc(graph->arc_count, sizeof *p.offered);
    p.at = ht_promise_alloc((size_t)graph->arc_count + 1, sizeof *p.at);
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        p.label[a] = HT_WEIGHT_INF;
    }
    return p;
}

static inline void ht_promises_free(struct ht_promises *p)
{
    free(p->label);
    free(p->touched);
    free(p->offered);
    free(p->at);
    free(p->heap);
}

static inline void ht_promise_push(struct ht_promises *p, uint32_t arc, uint32_t ms)
{
    if (p->label[arc] <= ms) {
        return;
    }
    if (p->label[arc] == HT_WEIGHT_INF) {
        p->touched[p->touched_count++] = arc;
    }
    p->label[arc] = ms;
    if (p->heap_size == p->heap_capacity) {
        p->heap_capacity = 2 * p->heap_capacity + 64;
        p->heap = realloc(p->heap, p->heap_capacity * sizeof *p->heap);
        if (p->heap == NULL) {
            abort();
        }
    }
    size_t i = p->heap_size++;
    while (i > 0 && ms < p->heap[(i - 1) / 2].ms) {
        p->heap[i] = p->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    p->heap[i] = (struct ht_promise_entry){ms, arc};
}

static inline struct ht_promise_entry ht_promise_pop(struct ht_promises *p)
{
    struct ht_promise_entry top = p->heap[0];
    struct ht_promise_entry last = p->heap[--p->heap_size];
    size_t i = 0;
    for (size_t child = 1; child < p->heap_size; child = 2 * i + 1) {
        child += child + 1 < p->heap_size && p->heap[child + 1].ms < p->heap[child].ms;
        if (p->heap[child].ms >= last.ms) {
            break;
        }
        p->heap[i] = p->heap[child];
        i = child;
    }
    p->heap[i] = last;
    return top;
}

/* All turns out of an arc whose head is reached for `ms`. */
static inline void ht_promise_expand(struct ht_promises *p, uint32_t arc, uint32_t ms)
{
    for (uint32_t t = p->graph->turn_first[arc]; t < p->graph->turn_first[arc + 1]; t++) {
        struct ht_turn turn = ht_turn_at(p->graph, arc, t);
        ht_promise_push(p, turn.to, ms + turn.weight_ms);
    }
}

/* Labels below `limit` from the tail of an arc, or from a place (`arc` HT_NONE). */
static inline void ht_promise_search(struct ht_promises *p, const struct ht_place *source,
                                     uint32_t arc, uint64_t limit)
{
    for (size_t i = 0; i < p->touched_count; i++) {
        p->label[p->touched[i]] = HT_WEIGHT_INF;
    }
    p->touched_count = 0;
    p->heap_size = 0;
    if (arc != HT_NONE) {
        ht_promise_push(p, arc, 0);
    }
    for (int s = 0; arc == HT_NONE && s < 2; s++) {
        if (source->side[s].arc != HT_NONE) {
            ht_promise_expand(p, source->side[s].arc, source->side[s].after.weight_ms);
        }
    }
    while (p->heap_size > 0 && p->heap[0].ms < limit) {
        struct ht_promise_entry top = ht_promise_pop(p);
        if (top.ms == p->label[top.arc]) {
            ht_promise_expand(p, top.arc, top.ms + p->graph->arcs[top.arc].weight_ms);
        }
    }
}

/* The cheapest way to a place, after ht_promise_search. */
static inline uint64_t ht_promise_to(const struct ht_promises *p, const struct ht_place *target)
{
    uint64_t best = HT_WEIGHT_INF;
    for (int s = 0; s < 2; s++) {
        uint32_t arc = target->side[s].arc;
        const uint32_t *copies = NULL;
        uint32_t count = arc == HT_NONE ? 0 : ht_graph_copies(p->graph, arc, &copies);
        for (uint32_t c = 0; arc != HT_NONE && c <= count; c++) {
            uint64_t ms = p->label[c < count ? copies[c] : arc];
            ms += target->side[s].before.weight_ms;
            best = ms < best ? ms : best;
        }
    }
    return best;
}

/* Weight of the arc at `i` of a way as far as it is driven. */
static inline uint32_t ht_promise_driven(const struct ht_promises *p, const struct ht_place *source,
                                         const struct ht_place *target,
                                         const struct ht_way_found *way, uint32_t i)
{
    return i == 0                    ? source->side[way->source_side].after.weight_ms
           : i + 1 == way->arc_count ? target->side[way->target_side].before.weight_ms
                                     : p->graph->arcs[way->arcs[i]].weight_ms;
}

/* Fills in `at`; the weight on arcs (and turns between them) that ways before had. */
static inline uint64_t ht_promise_add_up(struct ht_promises *p, const struct ht_place *source,
                                         const struct ht_place *target,
                                         const struct ht_way_found *way)
{
    uint64_t shared = 0;
    p->at[0] = 0;
    for (uint32_t i = 0; i < way->arc_count; i++) {
        bool more = i + 1 < way->arc_count;
        uint32_t ms = ht_promise_driven(p, source, target, way, i);
        uint32_t turn =
            more ? ht_graph_turn_between(p->graph, way->arcs[i], way->arcs[i + 1]).weight_ms : 0;
        bool known = p->offered[ht_arc_base(p->graph, way->arcs[i])];
        bool after = more && p->offered[ht_arc_base(p->graph, way->arcs[i + 1])];
        p->at[i + 1] = p->at[i] + ms + turn;
        shared += (known ? ms : 0) + (known && after ? turn : 0);
    }
    return shared;
}

/* Pieces that weigh `most` or less and can't be longer: is each a cheapest way? */
static inline int ht_promise_detours(struct ht_promises *p, const struct ht_place *source,
                                     const struct ht_place *target, const struct ht_way_found *way,
                                     uint64_t most)
{
    int detours = 0;
    for (uint32_t first = 0, last = 0; last < way->arc_count; first++) {
        uint32_t before = last;
        while (last < way->arc_count && p->at[last + 1] - p->at[first] <= most) {
            last++;
        }
        if (last < first + 2 || (first > 0 && last == before)) { /* a part of the one before */
            last = last > first ? last : first + 1;
            continue;
        }
        uint64_t piece = p->at[last] - p->at[first];
        ht_promise_search(p, source, first == 0 ? HT_NONE : way->arcs[first], piece);
        uint64_t least =
            last == way->arc_count ? ht_promise_to(p, target) : p->label[way->arcs[last]];
        p->pieces++;
        detours += least < piece;
    }
    return detours;
}

/* Looks at all ways of an answer; the first is the best. */
static inline void ht_promises_check(struct ht_promises *p, const struct ht_place *source,
                                     const struct ht_place *target, const struct ht_way_found *ways,
                                     uint32_t found)
{
    uint64_t best = ways[0].cost.weight_ms;
    for (uint32_t k = 0; k < found; k++) {
        uint64_t shared = ht_promise_add_up(p, source, target, &ways[k]);
        if (k > 0) {
            p->stretched += (uint64_t)ways[k].cost.weight_ms * 100 > best * 125;
            p->shared += shared * 100 > best * 75;
            p->detours += ht_promise_detours(p, source, target, &ways[k], best * 20 / 100) > 0;
        }
        for (uint32_t i = 0; i < ways[k].arc_count; i++) {
            p->offered[ht_arc_base(p->graph, ways[k].arcs[i])] = 1;
        }
    }
    for (uint32_t k = 0; k < found; k++) {
        for (uint32_t i = 0; i < ways[k].arc_count; i++) {
            p->offered[ht_arc_base(p->graph, ways[k].arcs[i])] = 0;
        }
    }
}

#endif
