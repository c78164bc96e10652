/* Coverage: whom units reach in time equals a Dijkstra from each unit to each place, on towns made
 * to be nasty, in several profiles, after moves and while streets close, slow down and open. */
#include "engine/live/coverage.h"

#include "engine/live/traffic.h"
#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/order.h"
#include "engine/road/relax.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"

enum { LAYERS = 2, UNITS = 21, PLACES = 130 };

struct layer {
    struct ht_random_town *town;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_traffic *traffic;
    struct ht_live_road *live;
    struct ht_road road;
    struct ht_regions regions;
    struct ht_place places[PLACES];
    struct ht_reach_targets *targets;
};

struct scene {
    struct layer layers[LAYERS];
    const struct ht_road *roads[LAYERS];
    const struct ht_reach_targets *targets[LAYERS];
    struct ht_pool *pool;
    struct ht_coverage *coverage;
    struct ht_coverage_unit units[UNITS];
    uint32_t unit_count;
    uint32_t after_ms[PLACES]; /* from the street to the place */
    bool walks;                /* that counts */
    uint64_t number;
    uint64_t state;
};

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void layer_init(struct scene *s, uint32_t i, uint32_t width, uint32_t height, uint64_t seed)
{
    struct layer *l = &s->layers[i];
    struct ht_order_stats stats;
    l->town = ht_random_town_new(width, height, seed);
    for (uint32_t a = 0; a < l->town->graph.base_arc_count && seed % 4 < 2; a++) {
        /* the cheapest way is often not the fastest */
        l->town->arcs[a].duration_ms = l->town->arcs[a].weight_ms * (a % 5 == 0 ? 10 : 1);
    }
    for (uint32_t a = l->town->graph.base_arc_count; a < l->town->graph.arc_count; a++) {
        l->town->arcs[a].duration_ms = l->town->arcs[ht_arc_base(&l->town->graph, a)].duration_ms;
    }
    const struct ht_graph *g = &l->town->graph;
    uint32_t *ranks = calloc(g->arc_count + UINT32_C(1), sizeof *ranks);
    need(ranks != NULL);
    need(ht_order_compute(&l->town->network, g, s->pool, ranks, &stats) == HT_OK);
    need(ht_cch_build(g, ranks, s->pool, &l->cch, &stats) == HT_OK);
    need(ht_customize(g, ht_cch_view(l->cch), NULL, s->pool, &l->metric) == HT_OK);
    free(ranks);
    l->road = (struct ht_road){&l->town->network, g, ht_cch_view(l->cch), ht_metric_view(l->metric),
                               NULL};
    need(ht_traffic_new(&l->road, &l->traffic) == HT_OK);
    /* many small regions, some, one */
    static const uint32_t least[] = {1, 4, 64};
    need(ht_regions_init(&l->regions, l->road.cch, least[seed % 3],
                         HT_REGION_IN | (seed % 2 == 0 ? HT_REGION_OUT : 0U)) == HT_OK);
}

static void layer_deinit(struct layer *l)
{
    ht_reach_targets_free(l->targets);
    ht_regions_deinit(&l->regions);
    ht_live_road_release(l->live);
    ht_traffic_free(l->traffic);
    ht_metric_free(l->metric);
    ht_cch_owned_free(l->cch);
    ht_random_town_free(l->town);
}

/* The places as they are on the streets of the moment: nobody ends on what is closed. */
static void layer_targets(struct layer *l)
{
    for (int p = 0; p < PLACES; p++) {
        for (int i = 0; i < 2; i++) {
            struct ht_place_side *side = &l->places[p].side[i];
            if (side->arc != HT_NONE) {
                *side = ht_place_side_at(l->road.graph, side->arc, side->before_mm);
            }
        }
    }
    ht_reach_targets_free(l->targets);
    l->targets = NULL;
    need(ht_reach_targets_new(&l->road, &l->regions, l->places, PLACES, &l->targets) == HT_OK);
}

/* Closes, slows and opens some streets, whoever stands on them. */
static void layer_change(struct scene *s, uint32_t layer)
{
    struct layer *l = &s->layers[layer];
    struct ht_traffic_change changes[12];
    struct ht_live_road *live = NULL;
    for (size_t i = 0; i < 12; i++) {
        uint32_t luck = ht_random_below(&s->state, 4);
        changes[i] = (struct ht_traffic_change){
            .arc = ht_random_below(&s->state, l->town->graph.base_arc_count),
            .segment_end = 1,
            .speed_mps = luck == 0   ? HT_SPEED_CLOSED
                         : luck == 1 ? (float)(1 + ht_random_below(&s->state, 30))
                                     : HT_SPEED_AS_FILED};
    }
    need(ht_traffic_apply(l->traffic, changes, 12, NULL, s->pool, &live) == HT_OK);
    ht_live_road_release(l->live);
    l->live = live;
    l->road = live->view.road;
    layer_targets(l);
    s->targets[layer] = l->targets;
    s->number++;
}

static struct ht_place random_place(struct scene *s, uint32_t layer)
{
    struct ht_place place = ht_town_random_place(&s->layers[layer].town->graph, &s->state);
    uint32_t luck = ht_random_below(&s->state, 6);
    if (luck < 2 && place.side[0].arc != HT_NONE && place.side[1].arc != HT_NONE) {
        place.side[luck].arc = HT_NONE;
    }
    return place;
}

static void scene_init(struct scene *s, uint32_t units, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->state = seed * 977 + 5;
    s->unit_count = units;
    s->number = 1;
    need(ht_pool_new(1, &s->pool) == HT_OK);
    need(ht_coverage_new(&s->coverage) == HT_OK);
    for (uint32_t i = 0; i < LAYERS; i++) {
        layer_init(s, i, 2 + ht_random_below(&s->state, 15), 1 + ht_random_below(&s->state, 12),
                   seed * 10 + i);
        for (int p = 0; p < PLACES; p++) {
            s->layers[i].places[p] = random_place(s, i);
            if (p % 40 == 39) { /* where there is no street */
                s->layers[i].places[p].side[0].arc = HT_NONE;
                s->layers[i].places[p].side[1].arc = HT_NONE;
            }
        }
        layer_targets(&s->layers[i]);
        s->roads[i] = &s->layers[i].road;
        s->targets[i] = s->layers[i].targets;
    }
    s->walks = seed % 2 == 0;
    for (int p = 0; p < PLACES; p++) {
        s->after_ms[p] = p % 3 == 0 ? 0 : 250 * ht_random_below(&s->state, 40);
    }
    for (uint32_t u = 0; u < units; u++) {
        uint32_t profile = ht_random_below(&s->state, LAYERS);
        s->units[u] = (struct ht_coverage_unit){1000 - 3 * u, profile, random_place(s, profile)};
    }
}

static void scene_deinit(struct scene *s)
{
    ht_coverage_free(s->coverage);
    for (int i = 0; i < LAYERS; i++) {
        layer_deinit(&s->layers[i]);
    }
    ht_pool_free(s->pool);
}

static struct ht_coverage_ask ask_of(const struct scene *s, uint32_t limit_ms)
{
    return (struct ht_coverage_ask){.scene = s->number,
                                    .limit_ms = limit_ms,
                                    .profile_count = LAYERS,
                                    .roads = s->roads,
                                    .targets = s->targets,
                                    .place_count = PLACES,
                                    .after_ms = s->walks ? s->after_ms : NULL,
                                    .units = s->units,
                                    .unit_count = s->unit_count};
}

static bool has(const uint64_t *set, uint32_t place)
{
    return (set[place / 64] >> place % 64 & 1) != 0;
}

/* How many bits are not what the oracle says; how many places are reached, in *reached. */
static int check_all(const struct scene *s, uint32_t limit_ms, uint32_t *reached)
{
    bool any[PLACES] = {false};
    int wrong = 0;
    for (uint32_t u = 0; u < s->unit_count; u++) {
        const struct layer *l = &s->layers[s->units[u].profile];
        struct ht_place place = s->units[u].place;
        struct ht_cost costs[PLACES];
        struct ht_dijkstra *oracle = NULL;
        ht_place_refresh(l->road.graph, &place);
        need(ht_dijkstra_new(l->road.graph, &oracle) == HT_OK);
        need(ht_dijkstra_run(oracle, &place, l->places, PLACES, NULL, costs) == HT_OK);
        ht_dijkstra_free(oracle);
        for (uint32_t p = 0; p < PLACES; p++) {
            uint64_t takes_ms = (uint64_t)costs[p].duration_ms + (s->walks ? s->after_ms[p] : 0);
            bool in = costs[p].weight_ms < HT_WEIGHT_INF && takes_ms <= limit_ms;
            any[p] = any[p] || in;
            wrong += has(ht_coverage_set(s->coverage, u), p) != in;
        }
    }
    *reached = 0;
    for (uint32_t p = 0; p < PLACES; p++) {
        *reached += any[p];
        wrong += has(ht_coverage_all(s->coverage), p) != any[p];
    }
    return wrong;
}

HT_CASE(sets_equal_a_dijkstra_from_each_unit_after_moves_and_closures)
{
    int scenes = HT_LONG ? 200 : 24;
    uint32_t some = 0;
    for (int i = 0; i < scenes; i++) {
        static struct scene s;
        ht__relax_set_wide(i % 4 != 3);
        scene_init(&s, i % 5 == 0 ? 3 : i % 5 == 1 ? 8 : UNITS, (uint64_t)i + 1);
        for (int round = 0; round < 16; round++) {
            uint32_t moved = round == 0 ? s.unit_count : 0;
            for (uint32_t m = 0; round > 0 && m < 3; m++) {
                uint32_t u = ht_random_below(&s.state, s.unit_count);
                s.units[u].place = random_place(&s, s.units[u].profile);
            }
            if (round % 3 == 2) {
                layer_change(&s, (uint32_t)round % LAYERS);
                moved = s.unit_count;
            }
            uint32_t limit_ms = 1000 * (1 + ht_random_below(&s.state, 12)) + (round % 2 ? 0 : 500);
            uint32_t reached = 0;
            struct ht_coverage_ask ask = ask_of(&s, limit_ms);
            HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
            HT_CHECK_INT(check_all(&s, limit_ms, &reached), 0);
            HT_CHECK(ht_coverage_renewed(s.coverage) >= moved);
            some += reached > 0 && reached < PLACES * 9 / 10;
        }
        scene_deinit(&s);
    }
    ht__relax_set_wide(true);
    HT_CHECK(some > (uint32_t)scenes * 8); /* the limits cut somewhere */
}

static bool same_place(const struct ht_place *a, const struct ht_place *b)
{
    bool same = true;
    for (int s = 0; s < 2; s++) {
        same = same && a->side[s].arc == b->side[s].arc;
        if (same && a->side[s].arc != HT_NONE) {
            same = a->side[s].before_mm == b->side[s].before_mm &&
                   a->side[s].after_mm == b->side[s].after_mm &&
                   memcmp(&a->side[s].before, &b->side[s].before, sizeof a->side[s].before) == 0 &&
                   memcmp(&a->side[s].after, &b->side[s].after, sizeof a->side[s].after) == 0 &&
                   a->distance_m == b->distance_m;
        }
    }
    return same;
}

static struct ht_point random_point(struct scene *s, const struct ht_network *network)
{
    struct ht_point p = network->node_point[ht_random_below(&s->state, network->node_count)];
    p.lon_e7 += (int32_t)ht_random_below(&s->state, 40000) - 20000;
    p.lat_e7 += (int32_t)ht_random_below(&s->state, 40000) - 20000;
    return p;
}

/* Closed, slowed and opened streets, and what is far from all of them. */
HT_CASE(places_found_again_are_those_found_anew)
{
    enum { POINTS = 300 };
    static struct ht_place filed[POINTS];
    static struct ht_place again[POINTS];
    static struct ht_place anew[POINTS];
    uint32_t moved = 0;
    for (int i = 0; i < (HT_LONG ? 100 : 12); i++) {
        static struct scene s;
        struct ht_point points[POINTS];
        struct ht_snap_index *snap = NULL;
        scene_init(&s, 3, (uint64_t)i + 1);
        struct layer *l = &s.layers[0];
        struct ht_road base = l->road;
        struct ht_traffic *traffic = NULL;
        need(ht_snap_build(base.network, base.graph, NULL, &snap) == HT_OK);
        base.snap = snap;
        ht_traffic_free(l->traffic);
        need(ht_traffic_new(&base, &traffic) == HT_OK);
        l->traffic = traffic;
        double radius_m = i % 3 == 0 ? -1 : i % 3 == 1 ? 60 : 1000;
        for (int p = 0; p < POINTS; p++) {
            points[p] = random_point(&s, base.network);
        }
        ht_coverage_snap(&base, points, POINTS, radius_m, i % 2 == 0 ? NULL : s.pool, filed);
        for (int round = 0; round < 6; round++) {
            int wrong = 0;
            layer_change(&s, 0);
            ht_coverage_snap(&l->road, points, POINTS, radius_m, NULL, anew);
            ht_coverage_snap_again(&l->road, points, POINTS, radius_m, filed, again);
            for (int p = 0; p < POINTS; p++) {
                wrong += !same_place(&again[p], &anew[p]);
                moved += !same_place(&filed[p], &anew[p]);
            }
            HT_CHECK_INT(wrong, 0);
        }
        scene_deinit(&s);
        ht_snap_index_free(snap);
    }
    HT_CHECK(moved > 500); /* streets did close under them */
}

HT_CASE(only_what_moved_is_renewed)
{
    static struct scene s;
    uint32_t reached = 0;
    scene_init(&s, UNITS, 77);
    struct ht_coverage_ask ask = ask_of(&s, 12000);
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), UNITS);
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), 0);
    s.units[4].place = random_place(&s, s.units[4].profile);
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), 1);
    HT_CHECK_INT(check_all(&s, 12000, &reached), 0);
    ask.unit_count = 5; /* others are asked for: what is known stays */
    ask.units = s.units + 10;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), 0);
    ask = ask_of(&s, 13000); /* another limit has sets of its own */
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), UNITS);
    ask.limit_ms = 12000;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), 0);
    ask.scene++;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK_INT(ht_coverage_renewed(s.coverage), UNITS);
    scene_deinit(&s);
}

HT_CASE(what_does_not_fit_is_refused)
{
    static struct scene s;
    scene_init(&s, 3, 5);
    struct ht_coverage_ask ask = ask_of(&s, HT_COVERAGE_MOST_MS + 1);
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_RANGE);
    ask.limit_ms = 5000;
    s.units[1].profile = LAYERS;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_RANGE);
    s.units[1].profile = 0;
    const struct ht_road *others[LAYERS] = {s.roads[1], s.roads[0]};
    ask.roads = others;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_INVALID);
    ask.roads = s.roads;
    ask.unit_count = 0;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    for (uint32_t p = 0; p < PLACES; p++) {
        HT_CHECK(!has(ht_coverage_all(s.coverage), p));
    }
    ask.place_count--;
    ask.unit_count = 3;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_INVALID);
    ask.place_count++;
    const struct ht_reach_targets *none[LAYERS] = {NULL};
    ask.targets = none; /* streets for nobody */
    ask.unit_count = 3;
    ask.scene++;
    HT_CHECK_INT(ht_coverage_run(s.coverage, &ask), HT_OK);
    HT_CHECK(!has(ht_coverage_all(s.coverage), 0));
    scene_deinit(&s);
}

static enum ht_status make_all(struct scene *s)
{
    struct ht_coverage *coverage = NULL;
    struct ht_reach_targets *targets = NULL;
    enum ht_status status = ht_coverage_new(&coverage);
    if (status == HT_OK) {
        status = ht_reach_targets_new(&s->layers[0].road, &s->layers[0].regions,
                                      s->layers[0].places, PLACES, &targets);
    }
    if (status == HT_OK) {
        const struct ht_reach_targets *list[LAYERS] = {targets, s->targets[1]};
        struct ht_coverage_ask ask = ask_of(s, 9000);
        ask.targets = list;
        status = ht_coverage_run(coverage, &ask);
    }
    ht_reach_targets_free(targets);
    ht_coverage_free(coverage);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    static struct scene s;
    scene_init(&s, UNITS, 6);
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all(&s);
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 20);
    scene_deinit(&s);
}

HT_MAIN()
