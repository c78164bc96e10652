/* A tiny town, drawn by hand: builds a network and one graph in memory, without any importer.
 *
 *   static const struct ht_tiny_way ways[] = {
 *       {.nodes = "abc", .name = "road"}, {.nodes = "bd", .name = "lane", .oneway = true}};
 *   struct ht_tiny *t = ht_tiny_new("a b c\n"
 *                                   "  d  \n", 50, ways, 2, "abd cbd");
 *
 * Every letter or digit of the map is a node; columns and rows are `grid_m` metres apart (so the
 * two letters a and b above are 100 m apart). Nodes where ways meet or end are junctions. Driving
 * is at 10 m/s unless said; turns cost nothing; a u-turn is possible only at a dead end and costs
 * 20 s. `bans`: words of three nodes, from, via, to (neighbours on the way), each a forbidden turn.
 *
 * Threading: none. Ownership: ht_tiny_free frees all. Mistakes in the drawing and a lack of memory
 * abort.
 */
#ifndef HT_TESTS_SUPPORT_TINY_H
#define HT_TESTS_SUPPORT_TINY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/road/network.h"
#include "engine/road/snap.h"

struct ht_tiny_way {
    const char *nodes;
    const char *name;
    const char *name_zh;
    const char *name_en;
    const char *ref;
    const char *pronunciation;
    const char *destinations;
    const char *exits;
    const char *lanes;             /* turn:lanes:forward */
    const char *lanes_backward;    /* turn:lanes:backward */
    enum ht_road_class road_class; /* 0 is a motorway: set `residential` for a plain street */
    uint8_t flags;                 /* enum ht_way_flag */
    uint8_t lane_count;
    bool oneway;
    bool motorway;     /* road_class 0 is meant: a motorway */
    enum ht_mode mode; /* 0: driving */
    uint16_t classes;  /* enum ht_arc_flag classes, HT_ARC_RESTRICTED */
    double speed_mps;  /* 0: 10 */
};

enum { HT_TINY_NODES = 128, HT_TINY_ARCS = 1024 };

struct ht_tiny {
    struct ht_network network;
    struct ht_graph graph;
    const struct ht_graph *graphs[1];
    uint32_t node_of[256]; /* letter -> node */
    char letter[HT_TINY_NODES];
    struct ht_point points[HT_TINY_NODES];
    int64_t osm_ids[HT_TINY_NODES];
    uint32_t junction_of[HT_TINY_NODES];
    uint32_t junction_node[HT_TINY_NODES];
    uint32_t first_out[HT_TINY_NODES + 1];
    uint32_t first_in[HT_TINY_NODES + 1];
    uint32_t arc_in[HT_TINY_ARCS];
    struct ht_arc arcs[HT_TINY_ARCS];
    uint32_t turn_first[HT_TINY_ARCS + 1];
    struct ht_turn turns[HT_TINY_ARCS * 16];
    struct ht_way ways[HT_TINY_ARCS];
    uint32_t way_node[HT_TINY_ARCS];
    char strings[16384];
};

static inline void ht_tiny_require(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "tiny: %s\n", what);
        abort();
    }
}

static inline uint32_t ht_tiny_string(struct ht_tiny *t, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    for (size_t old = 1; old < t->network.strings_size; old += strlen(t->strings + old) + 1) {
        if (strcmp(t->strings + old, text) == 0) {
            return (uint32_t)old;
        }
    }
    uint32_t at = (uint32_t)t->network.strings_size;
    size_t size = strlen(text) + 1;
    ht_tiny_require(at + size <= sizeof t->strings, "too many strings");
    memcpy(t->strings + at, text, size);
    t->network.strings_size += size;
    return at;
}

static inline void ht_tiny_read_map(struct ht_tiny *t, const char *map, double grid_m)
{
    const double degree_m = 6372797.560856 * 3.14159265358979323846 / 180.0;
    const double step_e7 = grid_m / degree_m * 1e7;
    int column = 0;
    int row = 0;
    for (const char *c = map; *c != '\0'; c++, column++) {
        if (*c == '\n') {
            column = -1;
            row++;
        } else if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                   (*c >= 'A' && *c <= 'Z')) {
            uint32_t node = t->network.node_count++;
            ht_tiny_require(node < HT_TINY_NODES, "too many nodes");
            ht_tiny_require(t->node_of[(unsigned char)*c] == HT_NONE, "a node drawn twice");
            t->node_of[(unsigned char)*c] = node;
            t->letter[node] = *c;
            t->osm_ids[node] = (int64_t)*c;
            t->points[node] = (struct ht_point){10000000 + (int32_t)lround(column * step_e7),
                                                10000000 - (int32_t)lround(row * step_e7)};
            t->network.box = ht_box_grow(t->network.box, t->points[node]);
        }
    }
}

static inline void ht_tiny_add_ways(struct ht_tiny *t, const struct ht_tiny_way *ways, size_t count)
{
    uint32_t uses[HT_TINY_NODES] = {0};
    for (size_t w = 0; w < count; w++) {
        struct ht_way *way = &t->ways[w];
        *way = (struct ht_way){.osm_id = (int64_t)w + 1,
                               .first_node = t->network.way_node_count,
                               .name = ht_tiny_string(t, ways[w].name),
                               .name_zh = ht_tiny_string(t, ways[w].name_zh),
                               .name_en = ht_tiny_string(t, ways[w].name_en),
                               .ref = ht_tiny_string(t, ways[w].ref),
                               .pronunciation = ht_tiny_string(t, ways[w].pronunciation),
                               .destinations = ht_tiny_string(t, ways[w].destinations),
                               .exits = ht_tiny_string(t, ways[w].exits),
                               .lanes_forward = ht_tiny_string(t, ways[w].lanes),
                               .lanes_backward = ht_tiny_string(t, ways[w].lanes_backward),
                               .flags = ways[w].flags,
                               .lane_count = ways[w].lane_count};
        way->road_class =
            (uint8_t)(ways[w].road_class != 0 || ways[w].motorway ? ways[w].road_class
                                                                  : HT_ROAD_RESIDENTIAL);
        size_t size = strlen(ways[w].nodes);
        for (size_t i = 0; i < size; i++) {
            uint32_t node = t->node_of[(unsigned char)ways[w].nodes[i]];
            ht_tiny_require(node != HT_NONE, "a way over a node that is not on the map");
            uses[node] += i == 0 || i + 1 == size ? 2 : 1;
            t->way_node[t->network.way_node_count++] = node;
        }
    }
    t->network.way_count = (uint32_t)count;
    t->ways[count].first_node = t->network.way_node_count;
    for (uint32_t node = 0; node < t->network.node_count; node++) {
        t->junction_of[node] = HT_NONE;
        if (uses[node] > 1) {
            t->junction_of[node] = t->graph.junction_count;
            t->junction_node[t->graph.junction_count++] = node;
        }
    }
}

static inline void ht_tiny_add_arc(struct ht_tiny *t, const struct ht_tiny_way *way, uint32_t index,
                                   uint32_t from, uint32_t to)
{
    uint32_t a = t->graph.base_arc_count++;
    ht_tiny_require(a < HT_TINY_ARCS, "too many arcs");
    uint64_t length = 0;
    for (uint32_t i = from; i != to; i += from < to ? 1 : UINT32_MAX) {
        uint32_t next = from < to ? i + 1 : i - 1;
        length += ht_distance_mm(t->points[t->way_node[i]], t->points[t->way_node[next]]);
    }
    double speed = way->speed_mps > 0 ? way->speed_mps : 10;
    uint32_t time = (uint32_t)lround((double)length / speed);
    t->arcs[a] = (struct ht_arc){
        .tail = t->junction_of[t->way_node[from]],
        .head = t->junction_of[t->way_node[to]],
        .way = index,
        .from = from,
        .segments = (from < to ? to - from : from - to) & HT_ARC_SEGMENTS,
        .weight_ms = time,
        .duration_ms = time,
        .length_mm = (uint32_t)length,
        .reverse = HT_NONE,
        .flags = ((uint32_t)way->classes | (from < to ? HT_ARC_FORWARD : 0)) & HT_ARC_FLAGS,
        .mode = (way->mode != 0 ? (uint32_t)way->mode : HT_MODE_DRIVING) & 7U,
    };
}

static inline int ht_tiny_by_tail(const void *a, const void *b)
{
    const struct ht_arc *x = a;
    const struct ht_arc *y = b;
    if (x->tail != y->tail) {
        return x->tail < y->tail ? -1 : 1;
    }
    if (x->from != y->from) {
        return x->from < y->from ? -1 : 1;
    }
    return ht_arc_to(x) < ht_arc_to(y) ? -1 : ht_arc_to(x) > ht_arc_to(y);
}

static inline void ht_tiny_add_arcs(struct ht_tiny *t, const struct ht_tiny_way *ways)
{
    for (uint32_t w = 0; w < t->network.way_count; w++) {
        uint32_t from = t->ways[w].first_node;
        for (uint32_t i = from + 1; i < t->ways[w + 1].first_node; i++) {
            if (t->junction_of[t->way_node[i]] != HT_NONE) {
                ht_tiny_add_arc(t, &ways[w], w, from, i);
                if (!ways[w].oneway) {
                    ht_tiny_add_arc(t, &ways[w], w, i, from);
                }
                from = i;
            }
        }
    }
    uint32_t count = t->graph.base_arc_count;
    qsort(t->arcs, count, sizeof t->arcs[0], ht_tiny_by_tail);
    uint32_t in = 0;
    for (uint32_t j = 0, a = 0; j < t->graph.junction_count; j++) {
        t->first_out[j] = a;
        t->first_in[j] = in;
        for (; a < count && t->arcs[a].tail == j; a++) {
        }
        for (uint32_t b = 0; b < count; b++) {
            if (t->arcs[b].head == j) {
                t->arc_in[in++] = b;
            }
        }
        t->first_out[j + 1] = a;
        t->first_in[j + 1] = in;
    }
    for (uint32_t a = 0; a < count; a++) {
        for (uint32_t b = 0; b < count; b++) {
            if (t->arcs[b].from == ht_arc_to(&t->arcs[a]) &&
                ht_arc_to(&t->arcs[b]) == t->arcs[a].from) {
                t->arcs[a].reverse = b;
            }
        }
    }
    t->graph.arc_count = count;
}

/* The letter of the node `i` steps from an arc's tail (negative: from its head). */
static inline char ht_tiny_letter(const struct ht_tiny *t, uint32_t arc, int i)
{
    const struct ht_arc *a = &t->arcs[arc];
    uint32_t count = ht_arc_point_count(a);
    return t->letter[ht_arc_node(&t->network, a, i >= 0 ? (uint32_t)i : count - (uint32_t)-i)];
}

static inline bool ht_tiny_banned(const struct ht_tiny *t, uint32_t a, uint32_t b, const char *bans)
{
    char word[4] = {ht_tiny_letter(t, a, -2), ht_tiny_letter(t, a, -1), ht_tiny_letter(t, b, 1), 0};
    return bans != NULL && strstr(bans, word) != NULL;
}

static inline void ht_tiny_add_turns(struct ht_tiny *t, const char *bans)
{
    struct ht_graph *g = &t->graph;
    for (uint32_t a = 0; a < g->base_arc_count; a++) {
        uint32_t j = t->arcs[a].head;
        t->turn_first[a] = g->turn_count;
        bool dead_end = t->first_out[j + 1] - t->first_out[j] == 1;
        for (uint32_t b = t->first_out[j]; b < t->first_out[j + 1]; b++) {
            bool back = b == t->arcs[a].reverse;
            if ((back && !dead_end) || ht_tiny_banned(t, a, b, bans)) {
                continue;
            }
            ht_tiny_require(g->turn_count < HT_TINY_ARCS * 16, "too many turns");
            t->turns[g->turn_count++] = (struct ht_turn){
                .to = b, .weight_ms = back ? 20000 : 0, .duration_ms = back ? 20000 : 0};
        }
    }
    t->turn_first[g->base_arc_count] = g->turn_count;
}

static inline struct ht_tiny *ht_tiny_new(const char *map, double grid_m,
                                          const struct ht_tiny_way *ways, size_t way_count,
                                          const char *bans)
{
    struct ht_tiny *t = calloc(1, sizeof *t);
    ht_tiny_require(t != NULL, "out of memory");
    ht_tiny_require(way_count < HT_TINY_ARCS, "too many ways");
    memset(t->node_of, 0xff, sizeof t->node_of);
    t->network.strings_size = 1;
    t->network.box = ht_box_empty();
    t->graphs[0] = &t->graph;
    t->network.node_point = t->points;
    t->network.node_osm_id = t->osm_ids;
    t->network.ways = t->ways;
    t->network.way_node = t->way_node;
    t->network.strings = t->strings;
    t->network.graph_count = 1;
    t->network.graphs = t->graphs;
    t->graph.profile = "car";
    t->graph.class_mask = HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_FERRY;
    t->graph.junction_node = t->junction_node;
    t->graph.junction_first_out = t->first_out;
    t->graph.junction_first_in = t->first_in;
    t->graph.junction_in = t->arc_in;
    t->graph.arcs = t->arcs;
    t->graph.turn_first = t->turn_first;
    t->graph.turns = t->turns;
    t->graph.copy_first = t->first_out; /* no copies: a list of one zero */
    t->graph.continue_straight = true;
    ht_tiny_read_map(t, map, grid_m);
    ht_tiny_add_ways(t, ways, way_count);
    ht_tiny_add_arcs(t, ways);
    ht_tiny_add_turns(t, bans);
    return t;
}

static inline void ht_tiny_free(struct ht_tiny *t)
{
    free(t);
}

/* The arc that drives from node `a` straight to its neighbour `b`; `*segment` (may be NULL): where
 * in the arc. HT_NONE: there is none. */
static inline uint32_t ht_tiny_arc(const struct ht_tiny *t, char a, char b, uint32_t *segment)
{
    for (uint32_t arc = 0; arc < t->graph.base_arc_count; arc++) {
        uint32_t count = ht_arc_point_count(&t->arcs[arc]);
        for (uint32_t i = 0; i + 1 < count; i++) {
            if (ht_tiny_letter(t, arc, (int)i) == a && ht_tiny_letter(t, arc, (int)i + 1) == b) {
                if (segment != NULL) {
                    *segment = i;
                }
                return arc;
            }
        }
    }
    return HT_NONE;
}

static inline void ht_tiny_side(const struct ht_tiny *t, uint32_t arc, uint32_t segment,
                                struct ht_point point, struct ht_place_side *side)
{
    const struct ht_arc *a = &t->arcs[arc];
    uint32_t before = 0;
    for (uint32_t i = 0; i < segment; i++) {
        before +=
            ht_distance_mm(ht_arc_point(&t->network, a, i), ht_arc_point(&t->network, a, i + 1));
    }
    before += ht_distance_mm(ht_arc_point(&t->network, a, segment), point);
    before = before < a->length_mm ? before : a->length_mm;
    uint32_t after = a->length_mm - before;
    *side = (struct ht_place_side){
        .arc = arc,
        .before_mm = before,
        .after_mm = after,
        .before = {ht_share(a->weight_ms, before, a->length_mm),
                   ht_share(a->duration_ms, before, a->length_mm), before},
        .after = {ht_share(a->weight_ms, after, a->length_mm),
                  ht_share(a->duration_ms, after, a->length_mm), after},
    };
}

/* A place between the neighbours `a` and `b`, at `ratio` of the way from a; both directions where
 * the street has both. */
static inline struct ht_place ht_tiny_place(const struct ht_tiny *t, char a, char b, double ratio)
{
    struct ht_place place = {0};
    struct ht_point from = t->points[t->node_of[(unsigned char)a]];
    struct ht_point to = t->points[t->node_of[(unsigned char)b]];
    place.point = ht_point_between(from, to, ratio);
    place.input = place.point;
    place.side[0].arc = HT_NONE;
    place.side[1].arc = HT_NONE;
    bool found = false;
    for (int i = 0; i < 2; i++) {
        uint32_t segment = 0;
        uint32_t arc = i == 0 ? ht_tiny_arc(t, a, b, &segment) : ht_tiny_arc(t, b, a, &segment);
        if (arc == HT_NONE) {
            continue;
        }
        unsigned side = (t->arcs[arc].flags & HT_ARC_FORWARD) != 0 ? 0 : 1;
        ht_tiny_side(t, arc, segment, place.point, &place.side[side]);
        if (!found || side == 0) {
            place.segment = segment;
        }
        found = true;
    }
    ht_tiny_require(found, "a place where no street is");
    return place;
}

/* The arcs of a walk given by every node it passes ("abcd"); returns how many. */
static inline uint32_t ht_tiny_path(const struct ht_tiny *t, const char *nodes, uint32_t *arcs,
                                    uint32_t capacity)
{
    uint32_t count = 0;
    for (size_t i = 0; nodes[i] != '\0' && nodes[i + 1] != '\0'; i++) {
        uint32_t segment = 0;
        uint32_t arc = ht_tiny_arc(t, nodes[i], nodes[i + 1], &segment);
        ht_tiny_require(arc != HT_NONE, "a walk where no street is");
        if (count == 0 || segment == 0 || arcs[count - 1] != arc) {
            ht_tiny_require(count < capacity, "too long a walk");
            arcs[count++] = arc;
        }
    }
    return count;
}

#endif
