/* Random towns for the snap index: curved streets, one-ways, islands, ferries, segments without
 * length; as large and as wide as asked. Threading: none. Ownership: snap_town_free. A lack of
 * memory aborts.
 */
#ifndef HT_TESTS_ENGINE_SNAP_TOWN_H
#define HT_TESTS_ENGINE_SNAP_TOWN_H

#include "engine/road/snap.h"
#include "tests/support/check.h"

struct snap_town {
    struct ht_network network;
    struct ht_graph graph;
    struct ht_point *points;
    uint32_t *way_node;
    struct ht_way *ways;
    struct ht_arc *arcs;
    uint32_t *junction_node;
    uint32_t *first_out;
    uint32_t *first_in;
    uint32_t *in;
    uint32_t way_nodes;
    uint32_t nodes;
    uint32_t arc_count;
};

static inline int snap_town_by_tail(const void *a, const void *b)
{
    const struct ht_arc *x = a;
    const struct ht_arc *y = b;
    if (x->tail != y->tail) {
        return x->tail < y->tail ? -1 : 1;
    }
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : 0;
}

/* One street between two junctions, bent up to `bends` times. */
static inline void snap_town_street(struct snap_town *t, uint32_t way, uint64_t *seed, uint32_t a,
                                    uint32_t b, uint32_t bends)
{
    struct ht_point p = t->points[a];
    struct ht_point q = t->points[b];
    uint32_t from = t->way_nodes;
    int32_t width = abs(q.lon_e7 - p.lon_e7) / 4 + 2;
    int32_t height = abs(q.lat_e7 - p.lat_e7) / 4 + 2;
    t->way_node[t->way_nodes++] = a;
    for (uint32_t i = 1; i <= bends; i++) {
        struct ht_point m = ht_point_between(p, q, (double)i / (bends + 1));
        m.lon_e7 += (int32_t)ht_random_below(seed, (uint32_t)width) - width / 2;
        m.lat_e7 += (int32_t)ht_random_below(seed, (uint32_t)height) - height / 2;
        if (ht_random_below(seed, 20) == 0) { /* a segment without length */
            m = t->points[t->way_node[t->way_nodes - 1]];
        }
        t->points[t->nodes] = m;
        t->way_node[t->way_nodes++] = t->nodes++;
    }
    t->way_node[t->way_nodes++] = b;
    uint32_t to = t->way_nodes - 1;
    uint32_t length = 0;
    for (uint32_t i = from; i < to; i++) {
        length += ht_distance_mm(t->points[t->way_node[i]], t->points[t->way_node[i + 1]]);
    }
    uint32_t kind = ht_random_below(seed, 4); /* 0: along alone, 1: against alone, else both */
    bool island = ht_random_below(seed, 5) == 0;
    for (uint32_t side = 0; side < 2; side++) {
        if (kind == 1 - side) {
            continue;
        }
        uint32_t flags = side == 0 ? HT_ARC_FORWARD : 0;
        flags |= island && ht_random_below(seed, 8) != 0 ? HT_ARC_SMALL : 0;
        flags |= ht_random_below(seed, 10) == 0 ? HT_ARC_NO_START : 0;
        flags |=
            ht_random_below(seed, 6) == 0 ? (uint32_t)HT_ARC_TOLL << ht_random_below(seed, 4) : 0;
        t->arcs[t->arc_count++] = (struct ht_arc){
            .tail = side == 0 ? a : b,
            .head = side == 0 ? b : a,
            .way = way,
            .from = side == 0 ? from : to,
            .segments = (to - from) & HT_ARC_SEGMENTS,
            .weight_ms = length / 7 + side,
            .duration_ms = length / 10,
            .length_mm = length,
            .component = (island ? 1 + way : 0) & HT_COMPONENT_LISTED,
            .flags = (uint32_t)flags & HT_ARC_FLAGS,
            .mode = HT_MODE_DRIVING,
        };
    }
}

static inline void snap_town_link(struct snap_town *t, uint32_t junctions)
{
    qsort(t->arcs, t->arc_count, sizeof *t->arcs, snap_town_by_tail);
    for (uint32_t a = 0; a < t->arc_count; a++) {
        t->arcs[a].reverse = HT_NONE;
        t->first_out[t->arcs[a].tail + 1]++;
        t->first_in[t->arcs[a].head + 1]++;
    }
    for (uint32_t j = 0; j < junctions; j++) {
        t->first_out[j + 1] += t->first_out[j];
        t->first_in[j + 1] += t->first_in[j];
    }
    uint32_t *at = calloc(junctions + 1, sizeof *at);
    for (uint32_t a = 0; at != NULL && a < t->arc_count; a++) {
        uint32_t head = t->arcs[a].head;
        t->in[t->first_in[head] + at[head]++] = a;
        for (uint32_t b = t->first_out[head]; b < t->first_out[head + 1]; b++) {
            if (t->arcs[b].from == ht_arc_to(&t->arcs[a]) &&
                ht_arc_to(&t->arcs[b]) == t->arcs[a].from) {
                t->arcs[a].reverse = b;
            }
        }
    }
    free(at);
}

static inline void *snap_town_array(size_t count, size_t size)
{
    void *array = calloc(count + 1, size);
    if (array == NULL) {
        abort();
    }
    return array;
}

/* `junctions` of them, at random in a square of `width_e7`; about 1.6 streets for each, most of
 * them short where the town is large. */
static inline struct snap_town *snap_town_new(uint32_t junctions, int32_t width_e7, uint64_t seed)
{
    struct snap_town *t = snap_town_array(1, sizeof *t);
    uint32_t side = 1;
    while (side * side < junctions) {
        side++;
    }
    uint32_t streets = junctions * 8 / 5;
    t->points = snap_town_array(junctions + streets * 6u, sizeof *t->points);
    t->way_node = snap_town_array(streets * 8u, sizeof *t->way_node);
    t->ways = snap_town_array(streets + 1, sizeof *t->ways);
    t->arcs = snap_town_array(streets * 2u, sizeof *t->arcs);
    t->junction_node = snap_town_array(junctions, sizeof *t->junction_node);
    t->first_out = snap_town_array(junctions + 1, sizeof *t->first_out);
    t->first_in = snap_town_array(junctions + 1, sizeof *t->first_in);
    t->in = snap_town_array(streets * 2u, sizeof *t->in);
    t->network.box = ht_box_empty();
    int32_t cell = width_e7 / (int32_t)side;
    for (uint32_t j = 0; j < junctions; j++) {
        t->points[j].lon_e7 = 1215000000 + (int32_t)(j % side) * cell +
                              (int32_t)ht_random_below(&seed, (uint32_t)cell + 1);
        t->points[j].lat_e7 = 299000000 + (int32_t)(j / side) * cell +
                              (int32_t)ht_random_below(&seed, (uint32_t)cell + 1);
        t->junction_node[j] = j;
    }
    t->nodes = junctions;
    for (uint32_t s = 0; s < streets && junctions > 1; s++) {
        uint32_t a = ht_random_below(&seed, junctions);
        uint32_t b = ht_random_below(&seed, 3) * side + ht_random_below(&seed, 3) + a;
        b = b >= junctions || b == a ? (a + 1) % junctions : b;
        t->ways[s].first_node = t->way_nodes;
        t->ways[s].flags = ht_random_below(&seed, 9) == 0 ? HT_WAY_LEFT_HAND : 0;
        snap_town_street(t, s, &seed, a, b, ht_random_below(&seed, 7));
    }
    t->ways[streets].first_node = t->way_nodes;
    for (uint32_t n = 0; n < t->nodes; n++) {
        t->network.box = ht_box_grow(t->network.box, t->points[n]);
    }
    snap_town_link(t, junctions);
    t->network.node_count = t->nodes;
    t->network.way_count = streets;
    t->network.way_node_count = t->way_nodes;
    t->network.node_point = t->points;
    t->network.ways = t->ways;
    t->network.way_node = t->way_node;
    t->network.strings = "";
    t->graph = (struct ht_graph){
        .profile = "car",
        .junction_count = junctions,
        .arc_count = t->arc_count,
        .base_arc_count = t->arc_count,
        .junction_node = t->junction_node,
        .junction_first_out = t->first_out,
        .junction_first_in = t->first_in,
        .junction_in = t->in,
        .arcs = t->arcs,
    };
    return t;
}

static inline void snap_town_free(struct snap_town *t)
{
    free(t->points);
    free(t->way_node);
    free(t->ways);
    free(t->arcs);
    free(t->junction_node);
    free(t->first_out);
    free(t->first_in);
    free(t->in);
    free(t);
}

#endif
