/* A random town whose streets have bends, its hierarchy, and streets that change: for the rooms
 * that make live roads.
 *
 * Threading: none. Ownership: scene_deinit frees all. A lack of memory aborts.
 */
#ifndef HT_TESTS_SUPPORT_LIVE_TOWN_H
#define HT_TESTS_SUPPORT_LIVE_TOWN_H

#include "engine/live/traffic.h"
#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "engine/road/order.h"
#include "tests/support/check.h"
#include "tests/support/random_town.h"

enum { TARGETS = 24, CONDITIONS = 12, HELD = 3, CORNERS = 8 };

struct scene {
    struct ht_random_town *town;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_pool *pool;
    struct ht_road base;
    struct ht_traffic *traffic;
    struct ht_turn_condition conditions[CONDITIONS];
    uint8_t *turn_closed;
    struct ht_point *points; /* of the bent town */
    int64_t *ids;
    uint32_t *way_node;
    uint64_t state;
    struct ht_cuts cuts; /* of the zones that hold */
};

static inline void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* Gives each street up to three bends between its ends: arcs of several segments. */
static inline void bend(struct scene *s)
{
    struct ht_random_town *t = s->town;
    uint32_t ways = t->network.way_count;
    s->points = ht_town_alloc(t->network.node_count + (size_t)ways * 3, sizeof *s->points);
    s->ids = ht_town_alloc(t->network.node_count + (size_t)ways * 3, sizeof *s->ids);
    s->way_node = ht_town_alloc((size_t)ways * 5, sizeof *s->way_node);
    memcpy(s->points, t->points, t->network.node_count * sizeof *s->points);
    uint32_t at = 0;
    for (uint32_t w = 0; w < ways; w++) {
        uint32_t bends = ht_random_below(&s->state, 4);
        struct ht_point a = t->points[t->way_node[2 * w]];
        struct ht_point b = t->points[t->way_node[2 * w + 1]];
        t->ways[w].first_node = at;
        s->way_node[at++] = t->way_node[2 * w];
        for (uint32_t i = 1; i <= bends; i++) {
            struct ht_point p = ht_point_between(a, b, (double)i / (bends + 1));
            p.lon_e7 += (int32_t)ht_random_below(&s->state, 2000) - 1000;
            s->points[t->network.node_count] = p;
            s->way_node[at++] = t->network.node_count++;
        }
        s->way_node[at++] = t->way_node[2 * w + 1];
    }
    t->ways[ways].first_node = at;
    t->network.way_node = s->way_node;
    t->network.way_node_count = at;
    t->network.node_point = s->points;
    for (uint32_t i = 0; i < t->network.node_count; i++) {
        s->ids[i] = (int64_t)i + 1;
    }
    t->network.node_osm_id = s->ids;
    for (uint32_t a = 0; a < t->graph.arc_count; a++) {
        struct ht_arc *arc = &t->arcs[a];
        bool forward = (arc->flags & HT_ARC_FORWARD) != 0;
        uint32_t first = t->ways[arc->way].first_node;
        uint32_t last = t->ways[arc->way + 1].first_node - 1;
        arc->from = forward ? first : last;
        arc->segments = (last - first) & HT_ARC_SEGMENTS;
        uint32_t length = 0;
        for (uint32_t i = first; i < last; i++) {
            length += ht_distance_mm(s->points[s->way_node[i]], s->points[s->way_node[i + 1]]);
        }
        arc->length_mm = arc->length_mm == 0 ? 0 : length;
    }
}

static inline void scene_init(struct scene *s, uint64_t seed)
{
    struct ht_order_stats stats;
    memset(s, 0, sizeof *s);
    s->state = seed * 31 + 7;
    uint32_t width = 3 + ht_random_below(&s->state, 9);
    s->town = ht_random_town_new(width, 3 + ht_random_below(&s->state, 9), seed);
    bend(s);
    struct ht_graph *g = &s->town->graph;
    uint32_t *ranks = calloc(g->arc_count + UINT32_C(1), sizeof *ranks);
    s->turn_closed = calloc(g->turn_count + UINT32_C(1), 1);
    need(ranks != NULL && s->turn_closed != NULL && g->turn_count > CONDITIONS);
    for (uint32_t i = 0; i < CONDITIONS; i++) {
        s->conditions[i].turn = g->turn_count / CONDITIONS * i;
    }
    g->conditions = s->conditions;
    g->condition_count = CONDITIONS;
    need(ht_pool_new(2, &s->pool) == HT_OK);
    need(ht_order_compute(&s->town->network, g, s->pool, ranks, &stats) == HT_OK);
    need(ht_cch_build(g, ranks, s->pool, &s->cch, &stats) == HT_OK);
    need(ht_customize(g, ht_cch_view(s->cch), NULL, s->pool, &s->metric) == HT_OK);
    need(ht_metric_trim(ht_cch_view(s->cch), s->pool, s->metric) == HT_OK);
    free(ranks);
    s->base = (struct ht_road){&s->town->network, g, ht_cch_view(s->cch), ht_metric_view(s->metric),
                               NULL};
    need(ht_traffic_new(&s->base, &s->traffic) == HT_OK);
}

static inline void scene_deinit(struct scene *s)
{
    ht_traffic_free(s->traffic);
    ht_cuts_deinit(&s->cuts);
    ht_metric_free(s->metric);
    ht_cch_owned_free(s->cch);
    ht_random_town_free(s->town);
    ht_pool_free(s->pool);
    free(s->turn_closed);
    free(s->points);
    free(s->ids);
    free(s->way_node);
}

static inline struct ht_traffic_change random_change(struct scene *s)
{
    const struct ht_graph *g = &s->town->graph;
    uint32_t arc = ht_random_below(&s->state, g->base_arc_count);
    uint32_t segments = ht_arc_point_count(&g->arcs[arc]) - 1;
    uint32_t first = ht_random_below(&s->state, segments);
    uint32_t luck = ht_random_below(&s->state, 8);
    return (struct ht_traffic_change){
        .arc = arc,
        .segment_first = luck < 4 ? first : 0,
        .segment_end =
            luck < 4 ? first + 1 + ht_random_below(&s->state, segments - first) : segments,
        .speed_mps = luck % 4 == 0   ? HT_SPEED_AS_FILED
                     : luck % 4 == 1 ? (float)(1 + ht_random_below(&s->state, 40))
                                     : HT_SPEED_CLOSED};
}

static inline struct ht_live_road *stir(struct scene *s)
{
    struct ht_traffic_change changes[8];
    size_t count = ht_random_below(&s->state, 8);
    struct ht_live_road *live = NULL;
    for (size_t i = 0; i < count; i++) {
        changes[i] = random_change(s);
    }
    if (ht_random_below(&s->state, 3) == 0) {
        uint32_t turn = s->conditions[ht_random_below(&s->state, CONDITIONS)].turn;
        s->turn_closed[turn] = !s->turn_closed[turn];
    }
    need(ht_traffic_apply(s->traffic, changes, count, s->turn_closed, s->pool, &live) == HT_OK);
    return live;
}

/* Other costs for some arcs and their copies, for ht_traffic_learn. */
static inline struct ht_arc *random_learned(struct scene *s)
{
    const struct ht_graph *g = &s->town->graph;
    struct ht_arc *arcs = ht_town_alloc(g->arc_count, sizeof *arcs);
    memcpy(arcs, g->arcs, g->arc_count * sizeof *arcs);
    uint32_t rare = 1 + ht_random_below(&s->state, 40); /* few arcs and all of them */
    for (uint32_t a = 0; a < g->base_arc_count; a++) {
        const uint32_t *copies = NULL;
        uint32_t count = ht_graph_copies(g, a, &copies);
        if (ht_random_below(&s->state, rare) == 0) {
            arcs[a].duration_ms = arcs[a].duration_ms * (1 + ht_random_below(&s->state, 9)) / 3;
            arcs[a].weight_ms = arcs[a].weight_ms * (1 + ht_random_below(&s->state, 9)) / 3;
        }
        for (uint32_t c = 0; c < count; c++) {
            arcs[copies[c]].duration_ms = arcs[a].duration_ms;
            arcs[copies[c]].weight_ms = arcs[a].weight_ms;
        }
    }
    return arcs;
}

/* Anywhere; of somebody who stands there, also on what is closed. */
static inline struct ht_place place_on(const struct ht_graph *g, uint64_t *state, bool stands)
{
    struct ht_place place = ht_town_random_place(g, state);
    for (int i = 0; i < 2; i++) {
        struct ht_place_side *side = &place.side[i];
        if (side->arc != HT_NONE) {
            *side = ht_place_side_at(g, side->arc, side->before_mm);
        }
    }
    if (stands) {
        ht_place_refresh(g, &place);
    }
    return place;
}

static inline bool same_cost(struct ht_cost a, struct ht_cost b)
{
    return a.weight_ms == b.weight_ms &&
           (a.weight_ms == HT_WEIGHT_INF ||
            (a.duration_ms == b.duration_ms && a.length_mm == b.length_mm));
}

static inline bool way_adds_up(const struct ht_graph *g, const struct ht_place *source,
                               const struct ht_place *target, const struct ht_way_found *way)
{
    const struct ht_place_side *from = &source->side[way->source_side];
    const struct ht_place_side *to = &target->side[way->target_side];
    if (way->arc_count == 0 || from->arc != way->arcs[0] ||
        ht_arc_base(g, way->arcs[way->arc_count - 1]) != to->arc) {
        return false;
    }
    if (way->arc_count == 1) {
        return from->before_mm <= to->before_mm;
    }
    struct ht_cost sum = from->after;
    for (uint32_t i = 0; i + 1 < way->arc_count; i++) {
        uint32_t number = ht_graph_turn(g, way->arcs[i], way->arcs[i + 1]);
        const struct ht_arc *next = &g->arcs[way->arcs[i + 1]];
        bool last = i + 2 == way->arc_count;
        if (number == HT_NONE || g->live == NULL ||
            (g->live->turn_closed != NULL && g->live->turn_closed[number] != 0)) {
            return number != HT_NONE && g->live == NULL;
        }
        struct ht_turn turn = ht_turn_at(g, way->arcs[i], number);
        sum.weight_ms += turn.weight_ms + (last ? to->before.weight_ms : next->weight_ms);
        sum.duration_ms += turn.duration_ms + (last ? to->before.duration_ms : next->duration_ms);
        sum.length_mm += last ? to->before_mm : next->length_mm;
    }
    return same_cost(sum, way->cost);
}

/* Wrong answers of query, way and table from one place, against the oracle. */
static inline int compare(const struct ht_road *road, struct ht_pool *pool, uint64_t *state)
{
    const struct ht_graph *g = road->graph;
    struct ht_query *query = NULL;
    struct ht_matrix *matrix = NULL;
    struct ht_dijkstra *oracle = NULL;
    struct ht_place targets[TARGETS];
    struct ht_cost want[TARGETS];
    struct ht_cost row[TARGETS];
    int wrong = 0;
    need(ht_query_new(&query) == HT_OK && ht_matrix_new(&matrix) == HT_OK &&
         ht_dijkstra_new(g, &oracle) == HT_OK);
    struct ht_place source = place_on(g, state, ht_random_below(state, 2) == 0);
    for (int t = 0; t < TARGETS; t++) {
        targets[t] = place_on(g, state, false);
    }
    need(ht_dijkstra_run(oracle, &source, targets, TARGETS, NULL, want) == HT_OK);
    need(ht_matrix_run(matrix, road, pool, &source, 1, targets, TARGETS, row, NULL) == HT_OK);
    for (int t = 0; t < TARGETS; t++) {
        struct ht_way_found cost;
        struct ht_way_found path;
        enum ht_status one = ht_query_cost(query, road, &source, 3, &targets[t], 3, &cost);
        enum ht_status two = ht_query_path(query, road, &source, 3, &targets[t], 3, &path);
        bool none = want[t].weight_ms >= HT_WEIGHT_INF;
        wrong += (one == HT_NO_ROUTE) != none || (two == HT_NO_ROUTE) != none;
        wrong += none ? row[t].weight_ms < HT_WEIGHT_INF : !same_cost(row[t], want[t]);
        if (one == HT_OK && two == HT_OK && !none) {
            wrong += !same_cost(cost.cost, want[t]) || !same_cost(path.cost, want[t]) ||
                     !way_adds_up(g, &source, &targets[t], &path);
        }
    }
    ht_dijkstra_free(oracle);
    ht_matrix_free(matrix);
    ht_query_free(query);
    return wrong;
}

/* The answers of a fixed set of questions. */
static inline uint64_t digest(const struct ht_road *road)
{
    struct ht_query *query = NULL;
    uint64_t state = 4711;
    uint64_t sum = 0;
    need(ht_query_new(&query) == HT_OK);
    for (int i = 0; i < 40; i++) {
        struct ht_place source = place_on(road->graph, &state, false);
        struct ht_place target = place_on(road->graph, &state, false);
        struct ht_way_found found = {0};
        enum ht_status status = ht_query_cost(query, road, &source, 3, &target, 3, &found);
        sum = sum * 1099511628211U + (status == HT_OK ? found.cost.weight_ms : 1);
        sum = sum * 1099511628211U + (status == HT_OK ? found.cost.duration_ms : 1);
    }
    ht_query_free(query);
    return sum;
}

/* A star somewhere in the town, also with a corner on a node. */
static inline struct ht_border *random_zone(struct scene *s)
{
    static const int32_t way[CORNERS][2] = {{4, 1},   {3, 4},   {-1, 4}, {-4, 3},
                                            {-4, -1}, {-3, -4}, {1, -4}, {4, -3}};
    const struct ht_network *n = &s->town->network;
    struct ht_point points[CORNERS + 1];
    const uint32_t ring_end = CORNERS + 1;
    const uint32_t polygon_end = 1;
    struct ht_border *border = NULL;
    struct ht_point at = s->points[ht_random_below(&s->state, n->node_count)];
    uint32_t most = 1 + ht_random_below(&s->state, 8000);
    for (int i = 0; i < CORNERS; i++) {
        int32_t far = (int32_t)(1 + ht_random_below(&s->state, most));
        points[i] = (struct ht_point){at.lon_e7 + way[i][0] * far, at.lat_e7 + way[i][1] * far};
    }
    points[0] = ht_random_below(&s->state, 2) == 0
                    ? points[0]
                    : (struct ht_point){at.lon_e7 + 4 * (int32_t)most, at.lat_e7 + (int32_t)most};
    points[CORNERS] = points[0];
    const struct ht_rings rings = {points, &ring_end, &polygon_end, 1};
    need(ht_border_new(&rings, &border) == HT_OK);
    return border;
}

static inline struct ht_snap_index *index_of(const struct scene *s)
{
    struct ht_snap_index *snap = NULL;
    need(ht_snap_build(&s->town->network, &s->town->graph, NULL, &snap) == HT_OK);
    return snap;
}

/* A place on an arc that nothing cuts, either way. */
static inline struct ht_place place_off(const struct ht_graph *g, const struct ht_arc *arcs,
                                        uint64_t *state)
{
    for (;;) {
        struct ht_place place = ht_town_random_place(g, state);
        bool cut = false;
        for (int i = 0; i < 2; i++) {
            uint32_t arc = place.side[i].arc;
            cut = cut || (arc != HT_NONE && arcs[arc].weight_ms == HT_WEIGHT_INF);
        }
        if (!cut) {
            return place;
        }
    }
}

static inline bool all_cut(const struct ht_arc *arcs, uint32_t count)
{
    uint32_t cut = 0;
    for (uint32_t a = 0; a < count; a++) {
        cut += arcs[a].weight_ms == HT_WEIGHT_INF;
    }
    return 2 * cut > count;
}

/* Other zones than before, some of them overlapping; now and then none. */
static inline void zones_stir(struct scene *s, const struct ht_snap_index *snap)
{
    const struct ht_cut_streets streets = {&s->town->network, &s->town->graph, snap};
    uint32_t count = ht_random_below(&s->state, 4);
    s->cuts.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct ht_border *border = random_zone(s);
        enum ht_cut_how how = (enum ht_cut_how)ht_random_below(&s->state, 3);
        need(ht_cuts_find(&streets, border, how, &s->cuts) == HT_OK);
        ht_border_free(border);
    }
    ht_cuts_once(&s->cuts);
    need(ht_traffic_shut(s->traffic, s->cuts.list, s->cuts.count) == HT_OK);
}

#endif
