/* A random town in memory: a bent grid with holes, one-ways, parallel streets, loops, dead ends,
 * forbidden and priced turns, equal costs (many ties), arcs without length, and copies as via-way
 * restrictions make them. The same seed gives the same town.
 *
 * Threading: none. Ownership: ht_random_town_free frees all. A lack of memory aborts.
 */
#ifndef HT_TESTS_SUPPORT_RANDOM_TOWN_H
#define HT_TESTS_SUPPORT_RANDOM_TOWN_H

#include <stdlib.h>
#include <string.h>

#include "engine/road/network.h"
#include "engine/road/snap.h"
#include "tests/support/check.h"

struct ht_random_town {
    struct ht_network network;
    struct ht_graph graph;
    const struct ht_graph *graphs[1];
    struct ht_point *points;
    uint32_t *junction_node;
    int64_t *osm_ids;
    uint32_t *first_out;
    uint32_t *first_in;
    uint32_t *in;
    struct ht_arc *arcs;
    uint32_t *turn_first;
    struct ht_turn *turns;
    struct ht_way *ways;
    uint32_t *way_node;
    uint32_t *copy_base;
    uint32_t *copy_first;
    uint32_t *copy_list;
    uint32_t *copy_of;
    uint64_t state;
};

static inline void *ht_town_alloc(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (p == NULL) {
        abort();
    }
    return p;
}

static inline void ht_random_town_free(struct ht_random_town *t)
{
    free(t->points);
    free(t->junction_node);
    free(t->osm_ids);
    free(t->first_out);
    free(t->first_in);
    free(t->in);
    free(t->arcs);
    free(t->turn_first);
    free(t->turns);
    free(t->ways);
    free(t->way_node);
    free(t->copy_base);
    free(t->copy_first);
    free(t->copy_list);
    free(t->copy_of);
    free(t);
}

/* One street, in one or both directions; each is a way of two nodes. */
static inline void ht_town_street(struct ht_random_town *t, uint32_t a, uint32_t b)
{
    uint32_t kind = ht_random_below(&t->state, 10);
    uint32_t way = t->network.way_count++;
    uint32_t length =
        ht_random_below(&t->state, 20) == 0 ? 0 : ht_distance_mm(t->points[a], t->points[b]);
    t->ways[way] = (struct ht_way){.osm_id = way + 1, .first_node = 2 * way};
    t->way_node[2 * way] = a;
    t->way_node[2 * way + 1] = b;
    for (int direction = 0; direction < 2; direction++) {
        if ((direction == 1 && kind == 0) || (direction == 0 && kind == 1)) {
            continue;
        }
        uint32_t weight = 1000 * (1 + ht_random_below(&t->state, 5)); /* few values: many ties */
        t->arcs[t->graph.arc_count++] =
            (struct ht_arc){.tail = direction == 0 ? a : b,
                            .head = direction == 0 ? b : a,
                            .way = way,
                            .from = 2 * way + (direction == 0 ? 0U : 1U),
                            .segments = 1,
                            .weight_ms = weight,
                            .duration_ms = ht_random_below(&t->state, 2) == 0 ? weight : weight / 2,
                            .length_mm = length,
                            .flags = direction == 0 ? HT_ARC_FORWARD : 0,
                            .mode = HT_MODE_DRIVING};
    }
}

static inline int ht_town_compare(const void *a, const void *b)
{
    const struct ht_arc *x = a;
    const struct ht_arc *y = b;
    if (x->tail != y->tail) {
        return x->tail < y->tail ? -1 : 1;
    }
    return x->from < y->from ? -1 : x->from > y->from;
}

static inline void ht_town_link(struct ht_random_town *t)
{
    struct ht_graph *g = &t->graph;
    qsort(t->arcs, g->arc_count, sizeof *t->arcs, ht_town_compare);
    g->base_arc_count = g->arc_count;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        t->arcs[a].reverse = HT_NONE;
        t->first_out[t->arcs[a].tail + 1]++;
        t->first_in[t->arcs[a].head + 1]++;
        for (uint32_t b = 0; b < g->arc_count; b++) {
            if (b != a && t->arcs[b].way == t->arcs[a].way) {
                t->arcs[a].reverse = b;
            }
        }
    }
    for (uint32_t j = 0; j < g->junction_count; j++) {
        t->first_out[j + 1] += t->first_out[j];
        t->first_in[j + 1] += t->first_in[j];
    }
    uint32_t *fill = ht_town_alloc(g->junction_count, sizeof *fill);
    for (uint32_t a = 0; a < g->arc_count; a++) {
        uint32_t head = t->arcs[a].head;
        t->in[t->first_in[head] + fill[head]++] = a;
    }
    free(fill);
}

/* Some arcs get a copy; a copy's turns are those of its base less one, and one turn into the base
 * leads to the copy instead. */
static inline void ht_town_copies(struct ht_random_town *t, uint32_t copies)
{
    struct ht_graph *g = &t->graph;
    for (uint32_t a = 0; a < g->base_arc_count && g->copy_base_count < copies; a++) {
        if (ht_random_below(&t->state, 10) != 0) {
            continue;
        }
        uint32_t k = g->copy_base_count++;
        t->copy_base[k] = a;
        t->copy_first[k] = k;
        t->copy_list[k] = g->arc_count;
        t->copy_of[k] = a;
        t->arcs[g->arc_count] = t->arcs[a];
        t->arcs[g->arc_count].reverse = HT_NONE;
        g->arc_count++;
    }
    t->copy_first[g->copy_base_count] = g->copy_base_count;
}

static inline void ht_town_turns(struct ht_random_town *t)
{
    struct ht_graph *g = &t->graph;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        uint32_t head = t->arcs[a].head;
        uint32_t outs = t->first_out[head + 1] - t->first_out[head];
        uint32_t first = g->turn_count;
        t->turn_first[a] = first;
        for (uint32_t b = t->first_out[head]; b < t->first_out[head + 1]; b++) {
            bool back = t->arcs[ht_arc_base(g, a)].reverse == b;
            if ((back && outs > 1 && ht_random_below(&t->state, 8) != 0) ||
                ht_random_below(&t->state, 12) == 0) {
                continue;
            }
            const uint32_t *copies = NULL;
            uint32_t count = ht_graph_copies(g, b, &copies);
            uint32_t to = count > 0 && ht_random_below(&t->state, 3) == 0 ? copies[0] : b;
            uint32_t price = ht_random_below(&t->state, 3) * 500;
            t->turns[g->turn_count++] = (struct ht_turn){to, price, price};
        }
        for (uint32_t i = first + 1; i < g->turn_count; i++) { /* sorted by `to` */
            for (uint32_t k = i; k > first && t->turns[k - 1].to > t->turns[k].to; k--) {
                struct ht_turn swap = t->turns[k];
                t->turns[k] = t->turns[k - 1];
                t->turns[k - 1] = swap;
            }
        }
    }
    t->turn_first[g->arc_count] = g->turn_count;
}

static inline void ht_town_streets(struct ht_random_town *t, uint32_t width, uint32_t height)
{
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t j = y * width + x;
            t->points[j] =
                (struct ht_point){(int32_t)(x * 10000 + ht_random_below(&t->state, 6000)),
                                  (int32_t)(y * 10000 + ht_random_below(&t->state, 6000))};
            t->junction_node[j] = j;
            t->osm_ids[j] = (int64_t)j + 1;
        }
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t j = y * width + x;
            uint32_t luck = ht_random_below(&t->state, 100);
            if (x + 1 < width && luck % 10 != 0) {
                ht_town_street(t, j, j + 1);
            }
            if (y + 1 < height && luck % 7 != 0) {
                ht_town_street(t, j, j + width);
            }
            if (luck == 1) {
                ht_town_street(t, j, j); /* a loop */
            }
            if (luck == 2 && x + 1 < width) {
                ht_town_street(t, j, j + 1); /* a second street beside the first */
            }
        }
    }
}

static inline struct ht_random_town *ht_random_town_new(uint32_t width, uint32_t height,
                                                        uint64_t seed)
{
    struct ht_random_town *t = ht_town_alloc(1, sizeof *t);
    uint32_t n = width * height;
    size_t arcs = (size_t)n * 8;
    t->state = seed * 2654435761U + 88172645463325252U;
    t->points = ht_town_alloc(n, sizeof *t->points);
    t->junction_node = ht_town_alloc(n, sizeof *t->junction_node);
    t->osm_ids = ht_town_alloc(n, sizeof *t->osm_ids);
    t->first_out = ht_town_alloc((size_t)n + 1, sizeof *t->first_out);
    t->first_in = ht_town_alloc((size_t)n + 1, sizeof *t->first_in);
    t->in = ht_town_alloc(arcs, sizeof *t->in);
    t->arcs = ht_town_alloc(arcs, sizeof *t->arcs);
    t->turn_first = ht_town_alloc(arcs + 1, sizeof *t->turn_first);
    t->turns = ht_town_alloc(arcs * 16, sizeof *t->turns);
    t->ways = ht_town_alloc(arcs, sizeof *t->ways);
    t->way_node = ht_town_alloc(arcs * 2, sizeof *t->way_node);
    t->copy_base = ht_town_alloc(arcs, sizeof *t->copy_base);
    t->copy_first = ht_town_alloc(arcs, sizeof *t->copy_first);
    t->copy_list = ht_town_alloc(arcs, sizeof *t->copy_list);
    t->copy_of = ht_town_alloc(arcs, sizeof *t->copy_of);
    struct ht_graph *g = &t->graph;
    g->profile = "car";
    g->junction_count = n;
    ht_town_streets(t, width, height);
    ht_town_link(t);
    g->arcs = t->arcs;
    g->copy_base = t->copy_base;
    g->copy_first = t->copy_first;
    g->copy_list = t->copy_list;
    g->copy_of = t->copy_of;
    ht_town_copies(t, n / 8);
    g->turns = t->turns;
    g->turn_first = t->turn_first;
    ht_town_turns(t);
    g->junction_node = t->junction_node;
    g->junction_first_out = t->first_out;
    g->junction_first_in = t->first_in;
    g->junction_in = t->in;
    t->ways[t->network.way_count].first_node = 2 * t->network.way_count;
    t->network.way_node_count = 2 * t->network.way_count;
    t->network.node_count = n;
    t->network.node_point = t->points;
    t->network.node_osm_id = t->osm_ids;
    t->network.ways = t->ways;
    t->network.way_node = t->way_node;
    t->network.strings = "";
    t->network.strings_size = 1;
    t->network.box = (struct ht_box){{0, 0}, {(int32_t)width * 10000, (int32_t)height * 10000}};
    t->graphs[0] = g;
    t->network.graph_count = 1;
    t->network.graphs = t->graphs;
    return t;
}

/* A place on base arc `arc`, `before_mm` from its tail (capped), in both directions where there are
 * two. */
static inline struct ht_place ht_town_place(const struct ht_graph *g, uint32_t arc,
                                            uint32_t before_mm)
{
    struct ht_place place = {0};
    uint32_t pair[2] = {arc, g->arcs[arc].reverse};
    uint32_t length = g->arcs[arc].length_mm;
    before_mm = before_mm < length ? before_mm : length;
    for (int s = 0; s < 2; s++) {
        place.side[s].arc = HT_NONE;
    }
    for (int i = 0; i < 2; i++) {
        if (pair[i] == HT_NONE) {
            continue;
        }
        const struct ht_arc *a = &g->arcs[pair[i]];
        uint32_t before = i == 0 ? before_mm : length - before_mm;
        uint32_t after = length - before;
        place.side[a->flags & HT_ARC_FORWARD ? 0 : 1] =
            (struct ht_place_side){.arc = pair[i],
                                   .before_mm = before,
                                   .after_mm = after,
                                   .before = {ht_share(a->weight_ms, before, length),
                                              ht_share(a->duration_ms, before, length), before},
                                   .after = {ht_share(a->weight_ms, after, length),
                                             ht_share(a->duration_ms, after, length), after}};
    }
    return place;
}

static inline struct ht_place ht_town_random_place(const struct ht_graph *g, uint64_t *state)
{
    uint32_t arc = ht_random_below(state, g->base_arc_count);
    uint32_t length = g->arcs[arc].length_mm;
    uint32_t luck = ht_random_below(state, 6);
    uint32_t before = luck == 0 ? 0 : luck == 1 ? length : ht_random_below(state, length + 1);
    return ht_town_place(g, arc, before);
}

#endif
