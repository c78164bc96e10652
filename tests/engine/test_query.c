/* Every fast answer equals the oracle's, on towns made to be nasty. */
#include "engine/road/query.h"

#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "engine/road/metric_internal.h"
#include "engine/road/order.h"
#include "engine/road/relax.h"
#include "tests/support/alternatives.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"

struct built {
    struct ht_random_town *town;
    struct ht_pool *pool;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_road road;
    struct ht_order_stats stats;
};

static enum ht_status build(struct built *b, const struct ht_overlay *overlay)
{
    const struct ht_graph *g = &b->town->graph;
    uint32_t *ranks = calloc(g->arc_count + UINT32_C(1), sizeof *ranks);
    enum ht_status status = ranks == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        status = ht_order_compute(&b->town->network, g, b->pool, ranks, &b->stats);
    }
    if (status == HT_OK) {
        status = ht_cch_build(g, ranks, b->pool, &b->cch, &b->stats);
    }
    if (status == HT_OK) {
        status = ht_customize(g, ht_cch_view(b->cch), overlay, b->pool, &b->metric);
    }
    free(ranks);
    if (status == HT_OK) {
        b->road = (struct ht_road){&b->town->network, g, ht_cch_view(b->cch),
                                   ht_metric_view(b->metric), NULL};
    }
    return status;
}

static void built_init(struct built *b, uint32_t width, uint32_t height, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    b->town = ht_random_town_new(width, height, seed);
    if (ht_pool_new(2, &b->pool) != HT_OK || build(b, NULL) != HT_OK) {
        abort();
    }
}

static void built_deinit(struct built *b)
{
    ht_metric_free(b->metric);
    ht_cch_owned_free(b->cch);
    ht_pool_free(b->pool);
    ht_random_town_free(b->town);
}

static bool same_cost(struct ht_cost a, struct ht_cost b)
{
    return a.weight_ms == b.weight_ms &&
           (a.weight_ms == HT_WEIGHT_INF ||
            (a.duration_ms == b.duration_ms && a.length_mm == b.length_mm));
}

/* A way's arcs are joined by allowed turns and add up to its cost. */
static bool path_is_sound(const struct ht_graph *g, const struct ht_place *source,
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
        if (number == HT_NONE) {
            return false;
        }
        struct ht_turn turn = ht_turn_at(g, way->arcs[i], number);
        sum.weight_ms += turn.weight_ms + (last ? to->before.weight_ms : next->weight_ms);
        sum.duration_ms += turn.duration_ms + (last ? to->before.duration_ms : next->duration_ms);
        sum.length_mm += last ? to->before_mm : next->length_mm;
    }
    return same_cost(sum, way->cost);
}

/* Somewhere on an arc; the first two are its ends. */
static uint32_t along_mm(const struct ht_arc *arc, uint64_t *state, int number)
{
    return number == 0   ? 0
           : number == 1 ? arc->length_mm
                         : ht_random_below(state, arc->length_mm + 1);
}

enum { TARGETS = 60 };

/* Queries, paths and both kinds of tables from one source against the oracle; wrong answers. */
static int compare(struct built *b, const struct ht_overlay *overlay, uint64_t *state, int sources)
{
    const struct ht_graph *g = &b->town->graph;
    struct ht_query *query = NULL;
    struct ht_matrix *matrix = NULL;
    struct ht_dijkstra *oracle = NULL;
    if (ht_query_new(&query) != HT_OK || ht_matrix_new(&matrix) != HT_OK ||
        ht_dijkstra_new(g, &oracle) != HT_OK) {
        abort();
    }
    int wrong = 0;
    for (int s = 0; s < sources; s++) {
        struct ht_place source = ht_town_random_place(g, state);
        struct ht_place targets[TARGETS];
        struct ht_cost want[TARGETS];
        struct ht_cost row[TARGETS];
        for (int t = 0; t < TARGETS; t++) {
            targets[t] = ht_town_random_place(g, state);
        }
        for (int t = 0; t < 6; t++) { /* some on the very street of the source */
            uint32_t arc = source.side[0].arc != HT_NONE ? source.side[0].arc : source.side[1].arc;
            targets[t] = ht_town_place(g, arc, along_mm(&g->arcs[arc], state, t));
        }
        if (ht_dijkstra_run(oracle, &source, targets, TARGETS,
                            overlay == NULL ? NULL : overlay->arc_closed, want) != HT_OK ||
            ht_matrix_run(matrix, &b->road, b->pool, &source, 1, targets, TARGETS, row, NULL) !=
                HT_OK) {
            abort();
        }
        for (int t = 0; t < TARGETS; t++) {
            struct ht_way_found cost;
            struct ht_way_found path;
            enum ht_status one = ht_query_cost(query, &b->road, &source, 3, &targets[t], 3, &cost);
            enum ht_status two = ht_query_path(query, &b->road, &source, 3, &targets[t], 3, &path);
            bool none = want[t].weight_ms == HT_WEIGHT_INF;
            wrong += (one == HT_NO_ROUTE) != none || (two == HT_NO_ROUTE) != none;
            wrong += !same_cost(row[t], want[t]);
            if (one == HT_OK && two == HT_OK) {
                wrong += !same_cost(cost.cost, want[t]) || !same_cost(path.cost, want[t]) ||
                         !path_is_sound(g, &source, &targets[t], &path);
            }
        }
    }
    ht_dijkstra_free(oracle);
    ht_matrix_free(matrix);
    ht_query_free(query);
    return wrong;
}

/* Streets so slow that any trip takes days: tables that need no length of them say the same times.
 */
HT_CASE(tables_without_lengths_have_the_times_of_the_oracle)
{
    struct built b;
    uint64_t state = 5;
    memset(&b, 0, sizeof b);
    b.town = ht_random_town_new(8, 8, 3);
    const struct ht_graph *g = &b.town->graph;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        b.town->arcs[a].weight_ms = b.town->arcs[a].weight_ms % 20000 * 1000 + 1000;
        b.town->arcs[a].duration_ms = b.town->arcs[a].weight_ms;
        b.town->arcs[a].length_mm = b.town->arcs[a].length_mm == 0 ? 0 : UINT32_C(300000000);
    }
    HT_REQUIRE(ht_pool_new(2, &b.pool) == HT_OK && build(&b, NULL) == HT_OK);
    struct ht_matrix *matrix = NULL;
    struct ht_dijkstra *oracle = NULL;
    HT_REQUIRE(ht_matrix_new(&matrix) == HT_OK && ht_dijkstra_new(g, &oracle) == HT_OK);
    struct ht_place places[TARGETS];
    static struct ht_cost have[2][TARGETS * TARGETS];
    int wrong = 0;
    int lengths_differ = 0;
    for (int i = 0; i < TARGETS; i++) {
        places[i] = ht_town_random_place(g, &state);
    }
    for (int skip = 0; skip < 2; skip++) {
        ht_matrix_skip_lengths(matrix, skip == 1);
        HT_REQUIRE(ht_matrix_run(matrix, &b.road, b.pool, places, TARGETS, places, TARGETS,
                                 have[skip], NULL) == HT_OK);
    }
    for (int s = 0; s < TARGETS; s++) {
        struct ht_cost want[TARGETS];
        HT_REQUIRE(ht_dijkstra_run(oracle, &places[s], places, TARGETS, NULL, want) == HT_OK);
        for (int t = 0; t < TARGETS; t++) {
            const struct ht_cost *plain = &have[0][s * TARGETS + t];
            const struct ht_cost *brief = &have[1][s * TARGETS + t];
            bool way = want[t].weight_ms < HT_WEIGHT_INF;
            wrong += brief->weight_ms != want[t].weight_ms;
            wrong += way && brief->duration_ms != want[t].duration_ms;
            lengths_differ += way && brief->length_mm != plain->length_mm;
        }
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(lengths_differ > 0); /* there were such ways */
    ht_dijkstra_free(oracle);
    ht_matrix_free(matrix);
    built_deinit(&b);
}

HT_CASE(random_towns_equal_the_oracle)
{
    int towns = HT_LONG ? 400 : 40;
    for (int i = 0; i < towns; i++) {
        struct built b;
        uint64_t state = 77 + (uint64_t)i;
        built_init(&b, 2 + (uint32_t)i % 17, 1 + (uint32_t)i % 13, (uint64_t)i);
        HT_CHECK_INT(compare(&b, NULL, &state, 4), 0);
        HT_CHECK(ht_metric_trim(b.road.cch, b.pool, b.metric) == HT_OK);
        HT_CHECK_INT(compare(&b, NULL, &state, 4), 0);
        built_deinit(&b);
    }
}

HT_CASE(a_large_table_equals_single_queries)
{
    struct built b;
    built_init(&b, 30, 30, 5);
    uint64_t state = 9;
    enum { SIDE = 70 };
    static struct ht_place sources[SIDE];
    static struct ht_place targets[SIDE];
    static struct ht_cost out[SIDE * SIDE];
    struct ht_matrix *matrix = NULL;
    struct ht_query *query = NULL;
    HT_REQUIRE(ht_matrix_new(&matrix) == HT_OK && ht_query_new(&query) == HT_OK);
    for (int i = 0; i < SIDE; i++) {
        sources[i] = ht_town_random_place(&b.town->graph, &state);
        targets[i] = i % 5 == 0 ? sources[i] : ht_town_random_place(&b.town->graph, &state);
    }
    for (size_t rows = 1; rows <= SIDE;
         rows = rows * 4 + 1) { /* sweeps, joined labels, either way round */
        for (size_t columns = 1; columns <= SIDE; columns = columns * 3 + 2) {
            int wrong = 0;
            HT_REQUIRE(ht_matrix_run(matrix, &b.road, b.pool, sources, rows, targets, columns, out,
                                     NULL) == HT_OK);
            for (size_t i = 0; i < rows * columns; i++) {
                struct ht_way_found way;
                enum ht_status status = ht_query_cost(query, &b.road, &sources[i / columns], 3,
                                                      &targets[i % columns], 3, &way);
                wrong += status == HT_OK ? !same_cost(way.cost, out[i])
                                         : out[i].weight_ms != HT_WEIGHT_INF;
            }
            HT_CHECK_INT(wrong, 0);
        }
    }
    bool cancel = true;
    HT_CHECK_INT(ht_matrix_run(matrix, &b.road, b.pool, sources, SIDE, targets, SIDE, out, &cancel),
                 HT_CANCELLED);
    ht_matrix_free(matrix);
    ht_query_free(query);
    built_deinit(&b);
}

HT_CASE(a_side_that_is_not_asked_for_is_not_used)
{
    struct built b;
    built_init(&b, 12, 12, 3);
    uint64_t state = 4;
    struct ht_query *query = NULL;
    HT_REQUIRE(ht_query_new(&query) == HT_OK);
    for (int i = 0; i < 400; i++) {
        struct ht_place from = ht_town_random_place(&b.town->graph, &state);
        struct ht_place to = ht_town_random_place(&b.town->graph, &state);
        struct ht_cost best = {.weight_ms = HT_WEIGHT_INF};
        struct ht_way_found way;
        for (unsigned pair = 0; pair < 4; pair++) {
            enum ht_status status = ht_query_path(query, &b.road, &from, 1U << (pair & 1), &to,
                                                  1U << (pair >> 1), &way);
            if (status == HT_OK) {
                HT_CHECK_INT(way.source_side, pair & 1);
                HT_CHECK_INT(way.target_side, pair >> 1);
                bool less = way.cost.weight_ms < best.weight_ms ||
                            (way.cost.weight_ms == best.weight_ms &&
                             (way.cost.duration_ms < best.duration_ms ||
                              (way.cost.duration_ms == best.duration_ms &&
                               way.cost.length_mm < best.length_mm)));
                best = less ? way.cost : best;
            }
        }
        enum ht_status status = ht_query_cost(query, &b.road, &from, 3, &to, 3, &way);
        HT_CHECK(status == HT_OK ? same_cost(way.cost, best) : best.weight_ms == HT_WEIGHT_INF);
    }
    ht_query_free(query);
    built_deinit(&b);
}

/* Closes and opens at random; the updated metric must equal a whole customization, edge by edge. */
static void update_at_random(uint64_t seed)
{
    struct built b;
    built_init(&b, 14, 11, seed);
    const struct ht_graph *g = &b.town->graph;
    const struct ht_cch *cch = b.road.cch;
    uint64_t state = seed + 1;
    uint8_t *closed = calloc(g->arc_count, 1);
    uint8_t *forbidden = calloc(g->turn_count, 1);
    uint32_t *weight = calloc(g->arc_count, sizeof *weight);
    uint32_t *duration = calloc(g->arc_count, sizeof *duration);
    struct ht_update_work *work = NULL;
    struct ht_metric_owned *live = NULL;
    HT_REQUIRE(closed != NULL && forbidden != NULL && weight != NULL && duration != NULL);
    HT_REQUIRE(ht_update_work_new(cch, &work) == HT_OK);
    HT_REQUIRE(ht_customize(g, cch, NULL, b.pool, &live) == HT_OK);
    struct ht_overlay overlay = {closed, forbidden, weight, duration};
    for (uint32_t a = 0; a < g->arc_count; a++) {
        weight[a] = g->arcs[a].weight_ms;
        duration[a] = g->arcs[a].duration_ms;
    }
    for (int round = 0; round < 25; round++) {
        uint32_t arcs[8];
        size_t count = 1 + ht_random_below(&state, 8);
        for (size_t i = 0; i < count; i++) {
            uint32_t a = arcs[i] = ht_random_below(&state, g->arc_count);
            uint32_t kind = ht_random_below(&state, 3);
            closed[a] = kind == 0 ? !closed[a] : closed[a];
            weight[a] = kind == 1 ? 500 * (1 + ht_random_below(&state, 30)) : weight[a];
            duration[a] = kind == 1 ? weight[a] : duration[a];
            for (uint32_t t = g->turn_first[a]; kind == 2 && t < g->turn_first[a + 1]; t++) {
                forbidden[t] = (uint8_t)ht_random_below(&state, 2);
            }
        }
        struct ht_metric_owned *whole = NULL;
        HT_REQUIRE(ht_metric_update(g, cch, &overlay, arcs, count, work, live, NULL) == HT_OK);
        HT_REQUIRE(ht_customize(g, cch, &overlay, b.pool, &whole) == HT_OK);
        const struct ht_metric *x = ht_metric_view(live);
        const struct ht_metric *y = ht_metric_view(whole);
        for (int i = 0; i < 2; i++) {
            const struct ht_metric_side *p = &x->side[i];
            const struct ht_metric_side *q = &y->side[i];
            HT_REQUIRE(p->edge_count == q->edge_count);
            HT_CHECK(memcmp(p->time, q->time, p->edge_count * sizeof *p->time) == 0);
            HT_CHECK(memcmp(p->length, q->length, p->edge_count * sizeof *p->length) == 0);
        }
        ht_metric_free(whole);
    }
    free(closed);
    free(forbidden);
    free(weight);
    free(duration);
    ht_update_work_free(work);
    ht_metric_free(live);
    built_deinit(&b);
}

HT_CASE(an_updated_metric_equals_a_new_one)
{
    for (uint64_t seed = 1; seed <= (HT_LONG ? 60 : 8); seed++) {
        update_at_random(seed);
    }
}

/* A town's graph without some of its turns. */
static void forbid(const struct ht_graph *g, const uint8_t *forbidden, struct ht_graph *out)
{
    uint32_t *first = calloc(g->arc_count + UINT32_C(1), sizeof *first);
    struct ht_turn *turns = calloc(g->turn_count + UINT32_C(1), sizeof *turns);
    if (first == NULL || turns == NULL) {
        abort();
    }
    *out = *g;
    out->turn_count = 0;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        for (uint32_t t = g->turn_first[a]; t < g->turn_first[a + 1]; t++) {
            if (!forbidden[t]) {
                turns[out->turn_count++] = g->turns[t];
            }
        }
        first[a + 1] = out->turn_count;
    }
    out->turn_first = first;
    out->turns = turns;
}

/* Wrong answers between places where a trip has to go round the block: it leaves its first arc by
 * one of the turns that are left. */
static int compare_round_the_block(struct built *b, const struct ht_graph *left, uint64_t *state)
{
    struct ht_query *query = NULL;
    struct ht_dijkstra *oracle = NULL;
    if (ht_query_new(&query) != HT_OK || ht_dijkstra_new(left, &oracle) != HT_OK) {
        abort();
    }
    int wrong = 0;
    for (int i = 0; i < 150; i++) {
        struct ht_place two[2];
        two[0] = ht_town_random_place(left, state);
        uint32_t side = two[0].side[0].arc != HT_NONE ? 0 : 1;
        uint32_t arc = two[0].side[side].arc;
        two[1] = i % 3 == 0 ? ht_town_random_place(left, state)
                            : ht_town_place(left, arc, two[0].side[side].before_mm / 2);
        for (uint32_t s = 0; s < 2 && i % 3 == 1; s++) { /* this side alone */
            two[0].side[s].arc = s == side ? arc : HT_NONE;
            two[1].side[s].arc = s == side ? arc : HT_NONE;
        }
        struct ht_cost want;
        struct ht_way_found way;
        if (ht_dijkstra_run(oracle, &two[0], &two[1], 1, NULL, &want) != HT_OK) {
            abort();
        }
        enum ht_status status = ht_query_path(query, &b->road, &two[0], 3, &two[1], 3, &way);
        wrong += status == HT_OK
                     ? !same_cost(way.cost, want) || !path_is_sound(left, &two[0], &two[1], &way)
                     : want.weight_ms != HT_WEIGHT_INF;
    }
    ht_query_free(query);
    ht_dijkstra_free(oracle);
    return wrong;
}

/* The edge of a closed turn may be finite: it leads over other arcs then. */
HT_CASE(closed_turns_equal_the_oracle)
{
    for (uint64_t seed = 1; seed <= (HT_LONG ? 80 : 16); seed++) {
        struct built b;
        struct ht_graph left;
        uint64_t state = seed;
        memset(&b, 0, sizeof b);
        b.town = ht_random_town_new(9, 7, seed);
        uint8_t *forbidden = calloc(b.town->graph.turn_count, 1);
        HT_REQUIRE(forbidden != NULL && ht_pool_new(2, &b.pool) == HT_OK);
        for (uint32_t t = 0; t < b.town->graph.turn_count; t++) {
            forbidden[t] = ht_random_below(&state, 4) == 0;
        }
        forbid(&b.town->graph, forbidden, &left);
        HT_REQUIRE(build(&b, &(struct ht_overlay){.turn_closed = forbidden}) == HT_OK);
        HT_CHECK_INT(compare_round_the_block(&b, &left, &state), 0);
        HT_CHECK(ht_metric_trim(b.road.cch, b.pool, b.metric) == HT_OK);
        HT_CHECK_INT(compare_round_the_block(&b, &left, &state), 0);
        free((void *)(uintptr_t)left.turn_first);
        free((void *)(uintptr_t)left.turns);
        free(forbidden);
        built_deinit(&b);
    }
}

/* Ways around closed turns against the oracle, over a metric that has them open; wrong answers, and
 * in *differ how many ways the closed turns changed. */
static int compare_behind(const struct ht_road *open, const struct ht_road *behind, uint64_t *state,
                          int *differ)
{
    const struct ht_graph *g = behind->graph;
    struct ht_query *query = NULL;
    struct ht_dijkstra *oracle = NULL;
    int wrong = 0;
    if (ht_query_new(&query) != HT_OK || ht_dijkstra_new(g, &oracle) != HT_OK) {
        abort();
    }
    for (int s = 0; s < 6; s++) {
        struct ht_place source = ht_town_random_place(g, state);
        for (int t = 0; t < TARGETS; t++) {
            struct ht_place target = ht_town_random_place(g, state);
            if (t < 6) { /* round the block */
                uint32_t arc =
                    source.side[0].arc != HT_NONE ? source.side[0].arc : source.side[1].arc;
                target = ht_town_place(g, arc, along_mm(&g->arcs[arc], state, t));
            }
            struct ht_cost want;
            struct ht_way_found cost;
            struct ht_way_found path;
            struct ht_way_found before;
            if (ht_dijkstra_run(oracle, &source, &target, 1, NULL, &want) != HT_OK) {
                abort();
            }
            enum ht_status free_way = ht_query_cost(query, open, &source, 3, &target, 3, &before);
            enum ht_status one = ht_query_cost(query, behind, &source, 3, &target, 3, &cost);
            enum ht_status two = ht_query_path(query, behind, &source, 3, &target, 3, &path);
            bool none = want.weight_ms == HT_WEIGHT_INF;
            wrong += (one == HT_NO_ROUTE) != none || (two == HT_NO_ROUTE) != none;
            if (one == HT_OK && two == HT_OK) {
                bool kept = true;
                for (uint32_t i = 1; i < path.arc_count; i++) {
                    uint32_t turn = ht_graph_turn(g, path.arcs[i - 1], path.arcs[i]);
                    kept = kept && turn != HT_NONE && !g->live->turn_closed[turn];
                }
                wrong += !kept || !same_cost(cost.cost, want) || !same_cost(path.cost, want) ||
                         !path_is_sound(g, &source, &target, &path);
            }
            *differ += free_way == HT_OK && (none || !same_cost(before.cost, want));
        }
    }
    ht_dijkstra_free(oracle);
    ht_query_free(query);
    return wrong;
}

/* From one turn in a hundred to every second one closed. */
HT_CASE(turns_that_the_metric_has_open_are_kept_off)
{
    int differ = 0;
    for (int i = 0; i < (HT_LONG ? 200 : 24); i++) {
        struct built b;
        uint64_t state = 5 + (uint64_t)i;
        built_init(&b, 3 + (uint32_t)i % 17, 2 + (uint32_t)i % 13, (uint64_t)i);
        uint8_t *closed = calloc(b.town->graph.turn_count + UINT32_C(1), 1);
        HT_REQUIRE(closed != NULL);
        uint32_t rare = i % 3 == 0 ? 100 : i % 3 == 1 ? 10 : 2;
        for (uint32_t t = 0; t < b.town->graph.turn_count; t++) {
            closed[t] = ht_random_below(&state, rare) == 0;
        }
        uint64_t *above = NULL;
        HT_REQUIRE(i % 4 == 0 || ht_closed_above(&b.road, closed, &above) == HT_OK);
        const struct ht_live_arcs live = {
            .turn_closed = closed, .metric_behind = true, .closed_above = above};
        struct ht_graph graph = b.town->graph;
        graph.live = &live;
        struct ht_road behind = b.road;
        behind.graph = &graph;
        HT_CHECK_INT(compare_behind(&b.road, &behind, &state, &differ), 0);
        HT_CHECK(ht_metric_trim(b.road.cch, b.pool, b.metric) == HT_OK);
        HT_CHECK_INT(compare_behind(&b.road, &behind, &state, &differ), 0);
        free(closed);
        free(above);
        built_deinit(&b);
    }
    HT_CHECK(differ > 500);
}

/* Middles of shortcuts that 16 bits don't tell (here as if two did), and times in the brief form,
 * half of which are wide. */
HT_CASE(rare_forms_of_trimmed_metrics_equal_the_oracle)
{
    for (uint32_t form = 0; form < 3; form++) {
        struct ht__trim_limits limits = {form == 0 ? HT_STEP_FAR : 3, form == 1 ? 0 : 100};
        struct built b;
        uint64_t state = 4;
        built_init(&b, 20, 20, 7);
        HT_REQUIRE(ht__metric_trim(b.road.cch, b.pool, b.metric, limits) == HT_OK);
        for (int s = 0; s < 2; s++) {
            const struct ht_metric_side *side = &b.road.metric->side[s];
            HT_CHECK(form == 0 || (side->far_count > 0 && side->far_count < side->edge_count));
            HT_CHECK(form == 1 ? side->time != NULL
                               : side->time == NULL && side->wide_count > 0 &&
                                     side->wide_count < side->edge_count);
        }
        HT_CHECK_INT(compare(&b, NULL, &state, 10), 0);
        built_deinit(&b);
    }
}

/* What is left of a trimmed metric costs what it did, and is something less. */
HT_CASE(a_trimmed_metric_keeps_what_cheapest_ways_need)
{
    struct built b;
    built_init(&b, 24, 24, 3);
    struct ht_metric_owned *trimmed = NULL;
    const struct ht_cch *cch = b.road.cch;
    HT_REQUIRE(ht_customize(b.road.graph, cch, NULL, b.pool, &trimmed) == HT_OK);
    HT_REQUIRE(ht_metric_trim(cch, b.pool, trimmed) == HT_OK);
    const struct ht_metric *whole = b.road.metric;
    const struct ht_metric *less = ht_metric_view(trimmed);
    for (int s = 0; s < 2; s++) {
        HT_CHECK(less->side[s].edge_count < whole->side[s].edge_count);
        HT_CHECK(less->side[s].edge_count > whole->side[s].edge_count / 2);
        for (uint32_t v = 0; v < cch->vertex_count; v++) {
            HT_CHECK_INT(ht_metric_parent(less, v), cch->parent[v]);
            HT_CHECK_INT(less->climb[v].depth, cch->depth[v]);
            struct ht_row row = ht_metric_row(less, s, v);
            for (uint32_t i = 0; i < row.count; i++) {
                uint32_t e = ht_metric_edge(whole, s, v, row.depth[i]);
                HT_REQUIRE(e != HT_NONE);
                HT_CHECK(whole->side[s].time[e] ==
                         ht_metric_time(&less->side[s], less->climb[v].first[s] + i));
                HT_CHECK(whole->side[s].length[e] == row.length[i]);
                HT_CHECK(ht_metric_via(&whole->side[s], v, e) ==
                         ht_metric_via(&less->side[s], v, less->climb[v].first[s] + i));
            }
        }
    }
    ht_metric_free(trimmed);
    built_deinit(&b);
}

HT_CASE(closed_streets_equal_the_oracle)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct built b;
        uint64_t state = seed;
        memset(&b, 0, sizeof b);
        b.town = ht_random_town_new(13, 9, seed);
        uint8_t *closed = calloc(b.town->graph.arc_count, 1);
        HT_REQUIRE(closed != NULL && ht_pool_new(1, &b.pool) == HT_OK);
        struct ht_overlay overlay = {.arc_closed = closed};
        for (uint32_t a = 0; a < b.town->graph.arc_count; a++) {
            uint32_t base = ht_arc_base(&b.town->graph, a);
            closed[a] = base == a ? ht_random_below(&state, 12) == 0 : closed[base];
        }
        HT_REQUIRE(build(&b, &overlay) == HT_OK);
        HT_REQUIRE(seed % 2 == 0 || ht_metric_trim(b.road.cch, b.pool, b.metric) == HT_OK);
        const struct ht_graph *g = &b.town->graph;
        /* trips begin and end on open streets */
        int wrong = 0;
        struct ht_query *query = NULL;
        struct ht_dijkstra *oracle = NULL;
        HT_REQUIRE(ht_query_new(&query) == HT_OK && ht_dijkstra_new(g, &oracle) == HT_OK);
        for (int i = 0; i < 400; i++) {
            struct ht_place two[2] = {ht_town_random_place(g, &state),
                                      ht_town_random_place(g, &state)};
            for (int p = 0; p < 2; p++) {
                for (int s = 0; s < 2; s++) {
                    uint32_t arc = two[p].side[s].arc;
                    two[p].side[s].arc = arc != HT_NONE && closed[arc] ? HT_NONE : arc;
                }
            }
            struct ht_cost want;
            struct ht_way_found way;
            HT_REQUIRE(ht_dijkstra_run(oracle, &two[0], &two[1], 1, closed, &want) == HT_OK);
            enum ht_status status = ht_query_path(query, &b.road, &two[0], 3, &two[1], 3, &way);
            wrong += status == HT_OK ? !same_cost(way.cost, want) : want.weight_ms != HT_WEIGHT_INF;
            for (uint32_t k = 0; status == HT_OK && k < way.arc_count; k++) {
                wrong += closed[way.arcs[k]];
            }
        }
        HT_CHECK_INT(wrong, 0);
        ht_query_free(query);
        ht_dijkstra_free(oracle);
        free(closed);
        built_deinit(&b);
    }
}

HT_CASE(alternatives_are_legal_different_and_not_much_longer)
{
    struct built b;
    built_init(&b, 24, 24, 11);
    uint64_t state = 21;
    struct ht_query *query = NULL;
    int several = 0;
    HT_REQUIRE(ht_query_new(&query) == HT_OK);
    for (int i = 0; i < 300; i++) {
        struct ht_place from = ht_town_random_place(&b.town->graph, &state);
        struct ht_place to = ht_town_random_place(&b.town->graph, &state);
        struct ht_way_found ways[4];
        struct ht_way_found best;
        uint32_t found = 0;
        if (ht_query_alternatives(query, &b.road, &from, &to, 3, ways, &found) != HT_OK) {
            continue;
        }
        several += found > 1;
        for (uint32_t k = 0; k < found; k++) {
            HT_CHECK(path_is_sound(&b.town->graph, &from, &to, &ways[k]));
            HT_CHECK(ways[k].cost.weight_ms <= (uint64_t)ways[0].cost.weight_ms * 125 / 100);
            for (uint32_t j = 0; j < k; j++) {
                HT_CHECK(ways[j].arc_count != ways[k].arc_count ||
                         memcmp(ways[j].arcs, ways[k].arcs,
                                ways[k].arc_count * sizeof *ways[k].arcs) != 0);
            }
        }
        struct ht_cost first = ways[0].cost;
        HT_CHECK(ht_query_path(query, &b.road, &from, 3, &to, 3, &best) == HT_OK);
        HT_CHECK(same_cost(best.cost, first));
    }
    HT_CHECK(several > 30);
    ht_query_free(query);
    built_deinit(&b);
}

HT_CASE(alternatives_share_little_and_are_cheapest_piece_by_piece)
{
    for (uint64_t seed = 11; seed < 15; seed++) {
        struct built b;
        built_init(&b, 30, 30, seed);
        uint64_t state = seed;
        struct ht_query *query = NULL;
        struct ht_promises promises = ht_promises_new(&b.town->graph);
        HT_REQUIRE(ht_query_new(&query) == HT_OK);
        for (int i = 0; i < 300; i++) {
            struct ht_place from = ht_town_random_place(&b.town->graph, &state);
            struct ht_place to = ht_town_random_place(&b.town->graph, &state);
            struct ht_way_found ways[4];
            uint32_t found = 0;
            if (ht_query_alternatives(query, &b.road, &from, &to, 3, ways, &found) == HT_OK) {
                ht_promises_check(&promises, &from, &to, ways, found);
            }
        }
        HT_CHECK(promises.pieces > 1000);
        HT_CHECK_INT(promises.stretched, 0);
        HT_CHECK_INT(promises.shared, 0);
        HT_CHECK_INT(promises.detours, 0);
        ht_promises_free(&promises);
        ht_query_free(query);
        built_deinit(&b);
    }
}

HT_CASE(the_order_does_not_depend_on_threads)
{
    struct ht_random_town *town = ht_random_town_new(40, 40, 8);
    uint32_t arcs = town->graph.arc_count;
    uint32_t *orders[2] = {calloc(arcs, sizeof(uint32_t)), calloc(arcs, sizeof(uint32_t))};
    for (size_t threads = 1; threads <= 2; threads++) {
        struct ht_pool *pool = NULL;
        struct ht_order_stats stats;
        HT_REQUIRE(ht_pool_new(threads, &pool) == HT_OK);
        HT_CHECK(ht_order_compute(&town->network, &town->graph, pool, orders[threads - 1],
                                  &stats) == HT_OK);
        HT_CHECK(stats.top_cut_streets > 0 && stats.top_cut_streets < 80);
        ht_pool_free(pool);
    }
    HT_CHECK(memcmp(orders[0], orders[1], arcs * sizeof(uint32_t)) == 0);
    uint8_t *seen = calloc(arcs, 1);
    for (uint32_t i = 0; i < arcs; i++) {
        HT_REQUIRE(orders[0][i] < arcs);
        seen[orders[0][i]]++;
    }
    for (uint32_t i = 0; i < arcs; i++) {
        HT_CHECK_INT(seen[i], 1);
    }
    free(seen);
    free(orders[0]);
    free(orders[1]);
    ht_random_town_free(town);
}

HT_CASE(rows_of_the_hierarchy_lead_to_ancestors_from_the_root_down)
{
    struct built b;
    built_init(&b, 20, 20, 2);
    const struct ht_cch *cch = b.road.cch;
    for (int s = 0; s < 2; s++) {
        const struct ht_cch_side *side = s == 0 ? &cch->out : &cch->in;
        for (uint32_t v = 0; v < cch->vertex_count; v++) {
            for (uint32_t e = side->first[v]; e < side->first[v + 1]; e++) {
                uint32_t up = v;
                while (up != HT_NONE && up != side->head[e]) {
                    up = cch->parent[up];
                }
                HT_CHECK(up == side->head[e] && up > v);
                HT_CHECK_INT(side->depth[e], cch->depth[side->head[e]]);
                HT_CHECK(e == side->first[v] || side->depth[e - 1] < side->depth[e]);
            }
        }
    }
    HT_CHECK_INT(b.stats.depth_max, cch->depth_max);
    built_deinit(&b);
}

HT_CASE(wide_and_plain_sums_are_the_same)
{
    enum { MOST = 70 };
    uint64_t a_time[MOST];
    uint64_t b_time[MOST];
    uint32_t a_length[MOST];
    uint32_t b_length[MOST];
    uint64_t state = 5;
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t count = round % (MOST + 1);
        for (uint32_t i = 0; i < count;
             i++) { /* few values: ties; lengths on both sides of the wrap */
            bool none = ht_random_below(&state, 4) == 0;
            a_time[i] = none ? HT_TIME_INF : ht_time_pack(ht_random_below(&state, 3), 7);
            b_time[i] = ht_time_pack(ht_random_below(&state, 3), ht_random_below(&state, 2));
            a_length[i] = UINT32_MAX - ht_random_below(&state, 9);
            b_length[i] = ht_random_below(&state, 9);
        }
        ht__relax_set_wide(false);
        struct ht_key plain = ht_min_plus(a_time, a_length, b_time, b_length, count);
        ht__relax_set_wide(true);
        struct ht_key wide = ht_min_plus(a_time, a_length, b_time, b_length, count);
        HT_CHECK(plain.time == wide.time || !ht_time_finite(plain.time));
        HT_CHECK(ht_time_finite(plain.time) == ht_time_finite(wide.time));
        HT_CHECK(plain.length == wide.length || !ht_time_finite(plain.time));
    }
}

HT_CASE(a_pulled_row_gives_its_least_edge_also_where_times_tie)
{
    enum { MOST = 40 };
    uint64_t lane_time[MOST];
    uint32_t lane_length[MOST];
    uint16_t depth[MOST];
    uint64_t time[MOST];
    uint32_t brief[MOST];
    uint64_t wide[MOST];
    uint32_t length[MOST];
    uint64_t state = 11;
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t count = round % (MOST + 1);
        uint32_t wides = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool none = ht_random_below(&state, 4) == 0;
            uint32_t w = ht_random_below(&state, 4);
            depth[i] = (uint16_t)(MOST - 1 - i);
            lane_time[depth[i]] = none ? HT_TIME_INF : ht_time_pack(w, w);
            lane_length[depth[i]] = UINT32_MAX - ht_random_below(&state, 9);
            length[i] = ht_random_below(&state, 9);
            w = ht_random_below(&state, 4);
            brief[i] = w;
            time[i] = ht_time_pack(w, w);
            if (ht_random_below(&state, 3) == 0) {
                time[i] = ht_time_pack(w, w + ht_random_below(&state, 2));
                wide[wides] = time[i];
                brief[i] = HT_BRIEF_WIDE + wides++;
            }
        }
        struct ht_key best = {ht_random_below(&state, 2) == 0 ? HT_TIME_INF : ht_time_pack(2, 2),
                              3};
        struct ht_key want = best;
        for (uint32_t i = 0; i < count; i++) {
            struct ht_key key = {lane_time[depth[i]] + time[i], lane_length[depth[i]] + length[i]};
            want = ht_key_less(key, want) ? key : want;
        }
        struct ht_lane lane = {lane_time, lane_length, NULL};
        struct ht_row row = {.depth = depth, .time = time, .length = length, .count = count};
        struct ht_key whole = ht_pull_row(row, lane, best);
        row.time = NULL;
        row.brief = brief;
        row.wide = wide;
        struct ht_key trimmed = ht_pull_row(row, lane, best);
        HT_CHECK(whole.time == want.time && whole.length == want.length);
        HT_CHECK(trimmed.time == want.time && trimmed.length == want.length);
    }
}

/* A question of a metric that is behind; every turn is closed, so that the search goes on to its
 * end. */
static enum ht_status all_closed(struct ht_query *query, const struct ht_road *road,
                                 const struct ht_place *source, const struct ht_place *target)
{
    static uint8_t closed[4096];
    if (road->graph->turn_count > sizeof closed) {
        return HT_TOO_BIG;
    }
    memset(closed, 1, sizeof closed);
    closed[0] = 0;
    const struct ht_live_arcs live = {.turn_closed = closed, .metric_behind = true};
    struct ht_graph graph = *road->graph;
    struct ht_road behind = *road;
    struct ht_way_found way;
    graph.live = &live;
    behind.graph = &graph;
    enum ht_status status = ht_query_path(query, &behind, source, 3, target, 3, &way);
    return status == HT_NO_ROUTE ? HT_OK : status;
}

/* Builds and asks with the n-th allocation failing. */
static bool survives(struct built *b, long n)
{
    struct ht_query *query = NULL;
    struct ht_matrix *matrix = NULL;
    struct ht_way_found way;
    struct ht_way_found ways[3];
    struct ht_cost costs[4];
    uint32_t found = 0;
    uint64_t state = 3;
    struct ht_place places[4];
    for (int i = 0; i < 4; i++) {
        places[i] = ht_town_random_place(&b->town->graph, &state);
    }
    ht_oom_arm(n);
    enum ht_status status = build(b, NULL);
    status = status == HT_OK ? ht_query_new(&query) : status;
    status = status == HT_OK ? ht_matrix_new(&matrix) : status;
    status = status == HT_OK ? ht_metric_trim(b->road.cch, NULL, b->metric) : status;
    if (status == HT_OK) {
        status = ht_query_path(query, &b->road, &places[0], 3, &places[1], 3, &way);
        status = status == HT_NO_ROUTE ? HT_OK : status;
    }
    status = status == HT_OK ? all_closed(query, &b->road, &places[0], &places[1]) : status;
    if (status == HT_OK) {
        status = ht_query_alternatives(query, &b->road, &places[0], &places[2], 2, ways, &found);
        status = status == HT_NO_ROUTE ? HT_OK : status;
    }
    if (status == HT_OK) {
        status = ht_matrix_run(matrix, &b->road, NULL, places, 2, places + 2, 2, costs, NULL);
    }
    bool failed = ht_oom_disarm();
    HT_CHECK(status == (failed ? HT_NOMEM : HT_OK));
    ht_query_free(query);
    ht_matrix_free(matrix);
    ht_metric_free(b->metric);
    ht_cch_owned_free(b->cch);
    b->metric = NULL;
    b->cch = NULL;
    return failed;
}

HT_CASE(any_failed_allocation_is_a_status)
{
    struct built b;
    memset(&b, 0, sizeof b);
    b.town = ht_random_town_new(4, 3, 6);
    HT_REQUIRE(ht_pool_new(1, &b.pool) == HT_OK);
    long n = 0;
    while (survives(&b, n)) {
        n++;
    }
    HT_CHECK(n > 100);
    built_deinit(&b);
}

/* Two places with more than one way between them. */
static bool places_with_choice(struct built *b, struct ht_place two[2])
{
    struct ht_query *query = NULL;
    struct ht_way_found ways[3];
    uint32_t found = 0;
    uint64_t state = 21;
    if (ht_query_new(&query) != HT_OK) {
        return false;
    }
    for (int i = 0; i < 300 && found < 2; i++) {
        two[0] = ht_town_random_place(&b->town->graph, &state);
        two[1] = ht_town_random_place(&b->town->graph, &state);
        if (ht_query_alternatives(query, &b->road, &two[0], &two[1], 2, ways, &found) != HT_OK) {
            found = 0;
        }
    }
    ht_query_free(query);
    return found >= 2;
}

/* A way that could not be checked is not one that did not pass: fewer ways would be a lie. */
HT_CASE(alternatives_that_memory_does_not_suffice_to_check_are_a_status)
{
    struct built b;
    struct ht_place two[2];
    long n = 0;
    built_init(&b, 24, 24, 11);
    HT_REQUIRE(places_with_choice(&b, two));
    for (bool failed = true; failed && n < 1000; n += failed) {
        struct ht_query *query = NULL;
        struct ht_way_found ways[3];
        uint32_t found = 0;
        HT_REQUIRE(ht_query_new(&query) == HT_OK);
        ht_oom_arm(n);
        enum ht_status status =
            ht_query_alternatives(query, &b.road, &two[0], &two[1], 2, ways, &found);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        HT_CHECK(failed || found >= 2);
        ht_query_free(query);
    }
    HT_CHECK(n > 3 && n < 1000);
    built_deinit(&b);
}

HT_MAIN()
