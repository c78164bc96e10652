/* Isochrone: what is said to be reached is what the oracle reaches, to the millimetre, on towns
 * made to be nasty. */
#include "engine/road/isochrone.h"

#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/order.h"
#include "tests/support/check.h"
#include "tests/support/live_town.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"

struct built {
    struct ht_random_town *town;
    struct ht_pool *pool;
    struct ht_cch_owned *cch;
    struct ht_metric_owned *metric;
    struct ht_road road;
    struct ht_isochrone_streets *streets;
    struct ht_isochrone *iso;
    struct ht_dijkstra *oracle;
    uint8_t *closed;
    uint64_t state;
};

static void built_init(struct built *b, uint32_t side, uint64_t seed, bool trim)
{
    struct ht_order_stats stats;
    *b = (struct built){.town = ht_random_town_new(side, side, seed), .state = seed + 77};
    const struct ht_graph *g = &b->town->graph;
    uint32_t *ranks = calloc(g->arc_count + UINT32_C(1), sizeof *ranks);
    b->closed = calloc(g->arc_count + UINT32_C(1), 1);
    need(ranks != NULL && b->closed != NULL && ht_pool_new(1, &b->pool) == HT_OK);
    for (uint32_t a = 0; a < g->arc_count && seed % 3 == 0; a++) {
        uint32_t base = ht_arc_base(g, a);
        b->closed[a] = base == a ? ht_random_below(&b->state, 12) == 0 : b->closed[base];
    }
    need(ht_order_compute(&b->town->network, g, b->pool, ranks, &stats) == HT_OK);
    need(ht_cch_build(g, ranks, b->pool, &b->cch, &stats) == HT_OK);
    need(ht_customize(g, ht_cch_view(b->cch), &(struct ht_overlay){.arc_closed = b->closed},
                      b->pool, &b->metric) == HT_OK);
    if (trim) {
        need(ht_metric_trim(ht_cch_view(b->cch), b->pool, b->metric) == HT_OK);
    }
    b->road = (struct ht_road){&b->town->network, g, ht_cch_view(b->cch), ht_metric_view(b->metric),
                               NULL};
    need(ht__isochrone_streets_make(b->road.cch, seed % 2 == 0 ? 8 : 40, &b->streets) == HT_OK);
    need(ht_isochrone_new(&b->iso) == HT_OK && ht_dijkstra_new(g, &b->oracle) == HT_OK);
    free(ranks);
}

static void built_deinit(struct built *b)
{
    ht_isochrone_free(b->iso);
    ht_isochrone_streets_free(b->streets);
    ht_dijkstra_free(b->oracle);
    ht_metric_free(b->metric);
    ht_cch_owned_free(b->cch);
    ht_pool_free(b->pool);
    ht_random_town_free(b->town);
    free(b->closed);
}

/* A place that trips may begin and end at: not on closed arcs. */
static struct ht_place open_place(struct built *b)
{
    for (;;) {
        struct ht_place place = ht_town_random_place(&b->town->graph, &b->state);
        for (int s = 0; s < 2; s++) {
            uint32_t arc = place.side[s].arc;
            place.side[s].arc = arc != HT_NONE && b->closed[arc] ? HT_NONE : arc;
        }
        if (place.side[0].arc != HT_NONE || place.side[1].arc != HT_NONE) {
            return place;
        }
    }
}

enum { SPOTS_MOST = 128 };

/* Both sides of where a piece of the street that is live ends, for it may be closed from there on.
 */
static uint32_t spots_of_live(const struct ht_graph *g, uint32_t arc, uint32_t *spots)
{
    const struct ht_live_arc *live = ht_live_arc(g, arc);
    uint32_t n = 0;
    for (uint32_t i = live == NULL ? 0 : live->piece_first; live != NULL && i < live->piece_end;
         i++) {
        uint32_t end = g->live->pieces[i].end_mm;
        spots[n++] = end;
        spots[n++] = end > 0 ? end - 1 : 0;
        spots[n++] = end < g->arcs[arc].length_mm ? end + 1 : end;
    }
    return n;
}

/* Where to look at a street: its ends, the middle, and both sides of each border. */
static uint32_t spots_of(struct built *b, const struct ht_isochrone_piece *pieces, size_t count,
                         uint32_t arc, uint32_t *spots)
{
    uint32_t length = b->town->graph.arcs[arc].length_mm;
    uint32_t n = spots_of_live(b->road.graph, arc, spots);
    spots[n++] = 0;
    spots[n++] = length;
    spots[n++] = ht_random_below(&b->state, length + 1);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].arc != arc) {
            continue;
        }
        spots[n++] = pieces[i].from_mm;
        spots[n++] = pieces[i].to_mm;
        if (pieces[i].from_mm > 0) {
            spots[n++] = pieces[i].from_mm - 1;
        }
        if (pieces[i].to_mm < length) {
            spots[n++] = pieces[i].to_mm + 1;
        }
    }
    return n;
}

static bool covered(const struct ht_isochrone_piece *pieces, size_t count, uint32_t arc, uint32_t x)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].arc == arc && pieces[i].from_mm <= x && x <= pieces[i].to_mm) {
            return true;
        }
    }
    return false;
}

static bool sound(const struct ht_graph *g, const struct ht_isochrone_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ht_isochrone_piece *p = &pieces[i];
        const struct ht_isochrone_piece *last = i == 0 ? NULL : &pieces[i - 1];
        if (p->arc >= g->base_arc_count || p->from_mm > p->to_mm ||
            p->to_mm > g->arcs[p->arc].length_mm || g->arcs[p->arc].reverse < p->arc ||
            (last != NULL && last->arc == p->arc && last->to_mm + 1 >= p->from_mm)) {
            return false;
        }
    }
    return true;
}

/* As the streets are now. */
static struct ht_place spot_at(const struct ht_graph *g, uint32_t arc, uint32_t at_mm)
{
    struct ht_place spot = ht_town_place(g, arc, at_mm);
    for (int s = 0; s < 2; s++) {
        if (spot.side[s].arc != HT_NONE) {
            spot.side[s] = ht_place_side_at(g, spot.side[s].arc, spot.side[s].before_mm);
        }
    }
    return spot;
}

struct tally {
    int wrong;
    int inside;
    int outside;
    int borders; /* within a street */
};

/* Every street of the town, at its ends and on both sides of each border. */
static void compare_streets(struct built *b, const struct ht_place *place, bool towards,
                            uint32_t limit_ms, struct tally *tally)
{
    const struct ht_graph *g = b->road.graph;
    const struct ht_isochrone_piece *pieces = NULL;
    size_t count = 0;
    need(ht_isochrone_pieces(b->iso, limit_ms, &pieces, &count) == HT_OK);
    tally->wrong += !sound(g, pieces, count);
    for (uint32_t arc = 0; arc < g->base_arc_count; arc++) {
        uint32_t spots[SPOTS_MOST];
        if (g->arcs[arc].reverse < arc) {
            continue;
        }
        uint32_t n = spots_of(b, pieces, count, arc, spots);
        tally->borders += n > 5;
        for (uint32_t i = 0; i < n; i++) {
            struct ht_place spot = spot_at(g, arc, spots[i]);
            struct ht_cost cost;
            need(ht_dijkstra_run(b->oracle, towards ? &spot : place, towards ? place : &spot, 1,
                                 b->closed, &cost) == HT_OK);
            bool want = cost.weight_ms < HT_WEIGHT_INF && cost.duration_ms <= limit_ms;
            bool have = covered(pieces, count, arc, spots[i]);
            tally->wrong += want != have;
            tally->inside += want;
            tally->outside += !want;
        }
    }
}

static void compare_town(uint32_t side, uint64_t seed, int places, struct tally *tally)
{
    struct built b;
    built_init(&b, side, seed, seed % 5 < 2);
    for (int p = 0; p < places; p++) {
        struct ht_place place = open_place(&b);
        bool towards = p % 2 == 1;
        uint32_t limit_ms = 1000 + ht_random_below(&b.state, 30000);
        struct ht_isochrone_ask ask = {&b.road, b.streets, &place, towards, limit_ms};
        HT_REQUIRE(ht_isochrone_run(b.iso, &ask) == HT_OK);
        compare_streets(&b, &place, towards, limit_ms, tally);
        compare_streets(&b, &place, towards, ht_random_below(&b.state, limit_ms), tally);
        compare_streets(&b, &place, towards, 0, tally);
    }
    built_deinit(&b);
}

HT_CASE(every_piece_equals_the_oracle)
{
    struct tally tally = {0};
    uint64_t towns = HT_LONG ? 300 : 30;
    for (uint64_t seed = 1; seed <= towns; seed++) {
        compare_town(5 + (uint32_t)(seed % 4), seed, 6, &tally);
    }
    HT_CHECK_INT(tally.wrong, 0);
    HT_CHECK(tally.inside > 5000);
    HT_CHECK(tally.outside > 5000);
    HT_CHECK(tally.borders > 100);
}

/* Streets that are closed in part: a trip begins behind and ends before what is closed. */
static void compare_live(struct scene *scene, const struct ht_live_road *live, struct tally *tally)
{
    struct built b = {.town = scene->town, .state = scene->state, .road = live->view.road};
    b.closed = NULL; /* the live graph says it itself */
    need(ht__isochrone_streets_make(b.road.cch, 8, &b.streets) == HT_OK);
    need(ht_isochrone_new(&b.iso) == HT_OK && ht_dijkstra_new(b.road.graph, &b.oracle) == HT_OK);
    for (int p = 0; p < 4; p++) {
        bool towards = p % 2 == 1;
        struct ht_place place = place_on(b.road.graph, &b.state, !towards);
        uint32_t limit_ms = 1000 + ht_random_below(&b.state, 60000);
        struct ht_isochrone_ask ask = {&b.road, b.streets, &place, towards, limit_ms};
        HT_REQUIRE(ht_isochrone_run(b.iso, &ask) == HT_OK);
        compare_streets(&b, &place, towards, limit_ms, tally);
        compare_streets(&b, &place, towards, ht_random_below(&b.state, limit_ms), tally);
    }
    scene->state = b.state;
    ht_isochrone_free(b.iso);
    ht_isochrone_streets_free(b.streets);
    ht_dijkstra_free(b.oracle);
}

HT_CASE(pieces_of_streets_that_are_closed_in_part_equal_the_oracle)
{
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= (HT_LONG ? 200 : 20); seed++) {
        struct scene scene;
        scene_init(&scene, seed);
        for (int round = 0; round < 8; round++) {
            struct ht_live_road *live = stir(&scene);
            compare_live(&scene, live, &tally);
            ht_live_road_release(live);
        }
        scene_deinit(&scene);
    }
    HT_CHECK_INT(tally.wrong, 0);
    HT_CHECK(tally.inside > 5000);
    HT_CHECK(tally.outside > 5000);
}

HT_CASE(regions_are_left_out_and_nothing_is_lost)
{
    struct built b;
    struct tally tally = {0};
    size_t swept = 0;
    built_init(&b, 24, 4, false);
    for (int p = 0; p < 4; p++) {
        struct ht_place place = open_place(&b);
        struct ht_isochrone_ask ask = {&b.road, b.streets, &place, false, 9000};
        HT_REQUIRE(ht_isochrone_run(b.iso, &ask) == HT_OK);
        swept += ht_isochrone_swept(b.iso);
        compare_streets(&b, &place, false, 9000, &tally);
    }
    HT_CHECK_INT(tally.wrong, 0);
    HT_CHECK(tally.inside > 100);
    HT_CHECK(swept < 4 * (size_t)b.town->graph.arc_count * 3 / 4);
    built_deinit(&b);
}

HT_CASE(limits_past_the_run_are_refused)
{
    struct built b;
    const struct ht_isochrone_piece *pieces = NULL;
    size_t count = 0;
    built_init(&b, 5, 2, false);
    struct ht_place place = open_place(&b);
    struct ht_isochrone_ask ask = {&b.road, b.streets, &place, false, 5000};
    HT_REQUIRE(ht_isochrone_run(b.iso, &ask) == HT_OK);
    HT_CHECK_INT(ht_isochrone_pieces(b.iso, 5001, &pieces, &count), HT_RANGE);
    HT_CHECK_INT(ht_isochrone_pieces(b.iso, 5000, &pieces, &count), HT_OK);
    HT_CHECK(count > 0);
    ask.limit_ms = HT_ISOCHRONE_MOST_MS + 1;
    HT_CHECK_INT(ht_isochrone_run(b.iso, &ask), HT_RANGE);
    built_deinit(&b);
}

HT_CASE(lack_of_memory_is_told)
{
    struct built b;
    built_init(&b, 7, 8, false);
    struct ht_place place = open_place(&b);
    bool more = true;
    int refused = 0;
    for (int n = 0; more; n++) {
        struct ht_isochrone_streets *streets = NULL;
        struct ht_isochrone *iso = NULL;
        const struct ht_isochrone_piece *pieces = NULL;
        size_t count = 0;
        ht_oom_arm(n);
        enum ht_status status = ht_isochrone_streets_new(b.road.cch, &streets);
        if (status == HT_OK) {
            status = ht_isochrone_new(&iso);
        }
        if (status == HT_OK) {
            struct ht_isochrone_ask ask = {&b.road, streets, &place, n % 2 == 0, 20000};
            status = ht_isochrone_run(iso, &ask);
        }
        if (status == HT_OK) {
            status = ht_isochrone_pieces(iso, 20000, &pieces, &count);
        }
        more = ht_oom_disarm();
        HT_CHECK_INT(status, more ? HT_NOMEM : HT_OK);
        refused += more;
        ht_isochrone_free(iso);
        ht_isochrone_streets_free(streets);
    }
    HT_CHECK(refused > 10);
    built_deinit(&b);
}

HT_MAIN()
