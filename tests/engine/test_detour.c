/* Detour: whatever was asked before, whatever the streets became meanwhile, answers over a road
 * that avoids pieces equal a Dijkstra on the streets of the moment without them. */
#include "engine/live/detour.h"

#include <pthread.h>

#include "tests/support/check.h"
#include "tests/support/live_town.h"
#include "tests/support/oom.h"

/* Pieces that some areas touch; none now and then. */
static struct ht_cuts some_cuts(struct scene *s, const struct ht_snap_index *snap)
{
    const struct ht_cut_streets streets = {&s->town->network, &s->town->graph, snap};
    struct ht_cuts cuts = {0};
    uint32_t count = ht_random_below(&s->state, 3);
    for (uint32_t i = 0; i < count; i++) {
        struct ht_border *border = random_zone(s);
        need(ht_cuts_find(&streets, border, HT_CUT_ALL, &cuts) == HT_OK);
        ht_border_free(border);
    }
    ht_cuts_once(&cuts);
    return cuts;
}

/* Wrong answers between places that are not on an arc that is cut, over the road and over a graph
 * without the arcs. */
static int compare_without(struct scene *s, const struct ht_world_road *now,
                           const struct ht_cuts *cuts, uint16_t exclude, const struct ht_road *road)
{
    struct ht_graph without = *now->road.graph;
    struct ht_arc *arcs = ht_town_alloc(without.arc_count, sizeof *arcs);
    struct ht_query *query = NULL;
    struct ht_dijkstra *oracle = NULL;
    int wrong = 0;
    memcpy(arcs, without.arcs, without.arc_count * sizeof *arcs);
    without.arcs = arcs;
    for (uint32_t a = 0; a < without.arc_count; a++) {
        bool gone = (arcs[a].flags & exclude) != 0;
        for (size_t i = 0; i < cuts->count; i++) {
            gone = gone || cuts->list[i].arc == ht_arc_base(&without, a);
        }
        arcs[a].weight_ms = gone ? HT_WEIGHT_INF : arcs[a].weight_ms;
    }
    need(ht_query_new(&query) == HT_OK && ht_dijkstra_new(&without, &oracle) == HT_OK);
    for (int i = 0; i < 12 && !all_cut(arcs, without.base_arc_count); i++) {
        struct ht_place from = place_off(&without, arcs, &s->state);
        struct ht_place to = place_off(&without, arcs, &s->state);
        struct ht_cost want;
        struct ht_way_found found = {0};
        for (int k = 0; k < 2; k++) {
            if (from.side[k].arc != HT_NONE) {
                from.side[k] = ht_place_side_at(&without, from.side[k].arc, from.side[k].before_mm);
            }
            if (to.side[k].arc != HT_NONE) {
                to.side[k] = ht_place_side_at(&without, to.side[k].arc, to.side[k].before_mm);
            }
        }
        need(ht_dijkstra_run(oracle, &from, &to, 1, NULL, &want) == HT_OK);
        enum ht_status got = ht_query_cost(query, road, &from, 3, &to, 3, &found);
        bool none = want.weight_ms >= HT_WEIGHT_INF;
        wrong += (got == HT_NO_ROUTE) != none || (!none && !same_cost(found.cost, want));
    }
    ht_dijkstra_free(oracle);
    ht_query_free(query);
    free(arcs);
    return wrong;
}

static void filed_detours(const struct scene *s, const struct ht_snap_index *snap,
                          struct ht_detours **out)
{
    struct ht_road filed = s->base;
    filed.snap = snap;
    need(ht_detours_new(&filed, out) == HT_OK);
}

static struct ht_detour *detour_get(struct ht_detours *detours, const struct ht_live_road *live,
                                    const struct ht_cuts *cuts, uint16_t exclude)
{
    const struct ht_detour_ask ask = {
        .now = &live->view, .exclude = exclude, .cuts = cuts->list, .cut_count = cuts->count};
    struct ht_detour *detour = NULL;
    need(ht_detours_get(detours, &ask, NULL, &detour) == HT_OK);
    return detour;
}

HT_CASE(answers_over_detours_equal_the_oracle_while_streets_change)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        struct ht_detours *detours = NULL;
        struct ht_live_road *live = NULL;
        scene_init(&s, seed);
        for (uint32_t a = 0; a < s.town->graph.arc_count; a++) { /* some are of a class */
            s.town->arcs[a].flags |= s.town->arcs[a].way % 9 == 0 ? (uint32_t)HT_ARC_TOLL : 0;
        }
        struct ht_snap_index *snap = index_of(&s);
        filed_detours(&s, snap, &detours);
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK);
        for (int round = 0; round < 24; round++) {
            uint16_t exclude = ht_random_below(&s.state, 6) == 0 ? HT_ARC_TOLL : 0;
            if (ht_random_below(&s.state, 2) == 0) {
                ht_live_road_release(live);
                zones_stir(&s, snap);
                if (round % 4 == 3) {
                    need(ht_traffic_learn(s.traffic, random_learned(&s), NULL) == HT_OK);
                }
                live = stir(&s);
            }
            struct ht_cuts cuts = some_cuts(&s, snap);
            struct ht_detour *detour = detour_get(detours, live, &cuts, exclude);
            const struct ht_road *road = ht_detour_road(detour);
            wrong += compare_without(&s, &live->view, &cuts, exclude, road);
            wrong += exclude == 0 ? compare(road, s.pool, &s.state) : 0; /* from within, too */
            for (size_t i = 0; i < cuts.count; i++) {
                wrong += road->graph->arcs[cuts.list[i].arc].weight_ms != HT_WEIGHT_INF;
            }
            ht_detour_release(detour);
            ht_cuts_deinit(&cuts);
        }
        ht_live_road_release(live);
        ht_detours_free(detours);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
}

/* What traffic shuts and what a question avoids is one thing to whoever drives. */
HT_CASE(a_detour_has_the_pieces_that_zones_would_leave)
{
    int wrong = 0;
    size_t compared = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct scene s;
        struct ht_detours *detours = NULL;
        struct ht_live_road *live = NULL;
        struct ht_live_road *plain = NULL;
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        filed_detours(&s, snap, &detours);
        if (seed % 2 == 0) {
            need(ht_traffic_learn(s.traffic, random_learned(&s), NULL) == HT_OK);
        }
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &plain) == HT_OK);
        struct ht_cuts cuts = some_cuts(&s, snap);
        struct ht_detour *detour = detour_get(detours, plain, &cuts, 0);
        need(ht_traffic_shut(s.traffic, cuts.list, cuts.count) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK);
        const struct ht_graph *a = ht_detour_road(detour)->graph;
        const struct ht_graph *b = live->view.road.graph;
        for (uint32_t i = 0; cuts.count > 0 && i < b->live->arc_count; i++) {
            const struct ht_live_arc *x = &a->live->arcs[i];
            const struct ht_live_arc *y = &b->live->arcs[i];
            uint32_t count = y->piece_end - y->piece_first;
            wrong += x->arc != y->arc || x->piece_end - x->piece_first != count ||
                     memcmp(&a->live->pieces[x->piece_first], &b->live->pieces[y->piece_first],
                            count * sizeof *b->live->pieces) != 0;
            compared += count;
        }
        wrong += cuts.count > 0 && a->live->arc_count != b->live->arc_count;
        ht_detour_release(detour);
        ht_live_road_release(plain);
        ht_live_road_release(live);
        ht_cuts_deinit(&cuts);
        ht_detours_free(detours);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(compared > 100);
}

/* Wrong guided ways over a light road, against Dijkstra on its graph. */
static int guided_wrong(struct scene *s, struct ht_query *query, const struct ht_road *road,
                        uint32_t *refused)
{
    struct ht_dijkstra *oracle = NULL;
    struct ht_place targets[TARGETS];
    struct ht_cost want[TARGETS];
    int wrong = 0;
    struct ht_place source = place_on(road->graph, &s->state, ht_random_below(&s->state, 2) == 0);
    for (int t = 0; t < TARGETS; t++) {
        targets[t] = place_on(road->graph, &s->state, false);
    }
    need(ht_dijkstra_new(road->graph, &oracle) == HT_OK);
    need(ht_dijkstra_run(oracle, &source, targets, TARGETS, NULL, want) == HT_OK);
    for (int t = 0; t < TARGETS; t++) {
        struct ht_way_found cost;
        struct ht_way_found path;
        need(ht_query_guide(query, 1) == HT_OK);
        enum ht_status few = ht_query_path(query, road, &source, 3, &targets[t], 3, &path);
        *refused += few == HT_TOO_BIG;
        wrong += few == HT_OK && !same_cost(path.cost, want[t]);
        need(ht_query_guide(query, UINT32_MAX) == HT_OK);
        enum ht_status one = ht_query_cost(query, road, &source, 3, &targets[t], 3, &cost);
        enum ht_status two = ht_query_path(query, road, &source, 3, &targets[t], 3, &path);
        bool none = want[t].weight_ms >= HT_WEIGHT_INF;
        wrong += (one == HT_NO_ROUTE) != none || (two == HT_NO_ROUTE) != none;
        if (one == HT_OK && two == HT_OK && !none) {
            wrong += !same_cost(cost.cost, want[t]) || !same_cost(path.cost, want[t]) ||
                     !way_adds_up(road->graph, &source, &targets[t], &path);
        }
    }
    ht_dijkstra_free(oracle);
    return wrong;
}

HT_CASE(guided_ways_over_light_roads_equal_the_oracle)
{
    int wrong = 0;
    uint32_t refused = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 600 : 60); seed++) {
        struct scene s;
        struct ht_detours *detours = NULL;
        struct ht_live_road *live = NULL;
        struct ht_query *query = NULL;
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        filed_detours(&s, snap, &detours);
        need(ht_query_new(&query) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK); /* trimmed */
        for (int round = 0; round < 12; round++) {
            struct ht_cuts cuts = some_cuts(&s, snap);
            struct ht_detour_ask ask = {
                .now = &live->view, .cuts = cuts.list, .cut_count = cuts.count, .light = true};
            struct ht_detour *detour = NULL;
            struct ht_detour *other = NULL;
            need(ht_detours_get(detours, &ask, NULL, &detour) == HT_OK);
            need(ht_detours_get(detours, &ask, NULL, &other) == HT_OK);
            wrong += detour == other; /* one reads it at a time */
            wrong += guided_wrong(&s, query, ht_detour_road(detour), &refused);
            for (size_t i = 0; i < cuts.count; i++) {
                wrong += ht_detour_road(detour)->graph->arcs[cuts.list[i].arc].weight_ms !=
                         HT_WEIGHT_INF;
            }
            need(ht_query_guide(query, 0) == HT_OK);
            ht_detour_release(detour);
            ht_detour_release(other);
            ask.exclude = HT_ARC_TOLL;
            wrong += ht_detours_get(detours, &ask, NULL, &detour) != HT_RANGE;
            ht_cuts_deinit(&cuts);
            if (ht_random_below(&s.state, 2) == 0) {
                ht_live_road_release(live);
                zones_stir(&s, snap);
                live = stir(&s);
            }
        }
        ht_query_free(query);
        ht_live_road_release(live);
        ht_detours_rest(detours);
        ht_detours_free(detours);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(refused > 100);
}

/* Zones of which some let pass. */
enum { ZONES = 5 };

static void zone_cuts(struct scene *s, const struct ht_snap_index *snap, struct ht_cuts *cuts)
{
    const struct ht_cut_streets streets = {&s->town->network, &s->town->graph, snap};
    struct ht_border *border = random_zone(s);
    cuts->count = 0;
    if (ht_random_below(&s->state, 4) > 0) { /* else it is over */
        need(ht_cuts_find(&streets, border,
                          ht_random_below(&s->state, 2) == 0 ? HT_CUT_BORDER : HT_CUT_OUT,
                          cuts) == HT_OK);
    }
    ht_cuts_once(cuts);
    ht_border_free(border);
}

static struct ht_cuts all_of(const struct ht_cuts zones[ZONES], uint32_t opened)
{
    struct ht_cuts all = {0};
    for (int z = 0; z < ZONES; z++) {
        if ((opened >> z & 1) == 0) {
            need(ht_cuts_add(&all, zones[z].list, zones[z].count) == HT_OK);
        }
    }
    ht_cuts_once(&all);
    return all;
}

/* Whether two costs are the same but for what is rounded at each of some bends: a part of a piece
 * pays its share, a piece that begins there the time at its speed. */
static bool near_cost(struct ht_cost a, struct ht_cost b)
{
    if (a.weight_ms >= HT_WEIGHT_INF || b.weight_ms >= HT_WEIGHT_INF) {
        return a.weight_ms >= HT_WEIGHT_INF && b.weight_ms >= HT_WEIGHT_INF;
    }
    return llabs((int64_t)a.weight_ms - b.weight_ms) <= 8 &&
           llabs((int64_t)a.duration_ms - b.duration_ms) <= 8 && a.length_mm == b.length_mm;
}

/* Differences of two graphs in what driving costs: whole arcs, and parts of them. */
static int graphs_differ(const struct ht_graph *a, const struct ht_graph *b, uint64_t *state)
{
    int wrong = 0;
    for (uint32_t i = 0; i < a->arc_count; i++) {
        wrong += a->arcs[i].weight_ms != b->arcs[i].weight_ms ||
                 (a->arcs[i].weight_ms < HT_WEIGHT_INF &&
                  a->arcs[i].duration_ms != b->arcs[i].duration_ms);
    }
    for (uint32_t i = 0; i < a->base_arc_count; i++) {
        uint32_t end = ht_random_below(state, a->arcs[i].length_mm + 1);
        uint32_t from = ht_random_below(state, end + 1);
        bool long_enough = a->arcs[i].length_mm > 0; /* else there are no parts */
        wrong += long_enough &&
                 (!near_cost(ht_arc_cost(a, i, from, end), ht_arc_cost(b, i, from, end)) ||
                  !near_cost(ht_arc_leave(a, i, from), ht_arc_leave(b, i, from)) ||
                  !near_cost(ht_arc_passed(a, i, end), ht_arc_passed(b, i, end)));
    }
    return wrong;
}

/* The streets of the moment, now and then with another turn closed by the clock. */
static struct ht_live_road *stir_turns(struct scene *s)
{
    struct ht_live_road *live = NULL;
    if (ht_random_below(&s->state, 3) == 0) {
        uint32_t turn = s->conditions[ht_random_below(&s->state, CONDITIONS)].turn;
        s->turn_closed[turn] = !s->turn_closed[turn];
    }
    need(ht_traffic_apply(s->traffic, NULL, 0, s->turn_closed, s->pool, &live) == HT_OK);
    return live;
}

/* The road of those with permits for the zones in `opened`, against the oracle, and against streets
 * on which these zones never were. */
static int permit_wrong(struct scene *s, struct ht_detours *detours,
                        const struct ht_live_road *live, const struct ht_cuts zones[ZONES],
                        struct ht_traffic *without)
{
    uint32_t opened = ht_random_below(&s->state, 1 << ZONES);
    struct ht_cuts rest = all_of(zones, opened);
    struct ht_live_road *other = NULL;
    const struct ht_detour_ask ask = {.now = &live->view,
                                      .cuts = rest.list,
                                      .cut_count = rest.count,
                                      .unshut = true,
                                      .lasts = ht_random_below(&s->state, 2) == 0};
    struct ht_detour *detour = NULL;
    need(ht_traffic_shut(without, rest.list, rest.count) == HT_OK);
    need(ht_traffic_apply(without, NULL, 0, s->turn_closed, s->pool, &other) == HT_OK);
    need(ht_detours_get(detours, &ask, NULL, &detour) == HT_OK);
    const struct ht_road *road = ht_detour_road(detour);
    int wrong = graphs_differ(road->graph, other->view.road.graph, &s->state) +
                compare(road, s->pool, &s->state) + !ht_detours_have(detours, &ask);
    ht_detour_release(detour);
    ht_live_road_release(other);
    ht_cuts_deinit(&rest);
    return wrong;
}

HT_CASE(who_has_permits_drives_as_if_those_zones_never_were)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        struct ht_traffic *without = NULL;
        struct ht_detours *detours = NULL;
        struct ht_live_road *live = NULL;
        struct ht_cuts zones[ZONES] = {{0}};
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        filed_detours(&s, snap, &detours);
        need(ht_traffic_new(&s.base, &without) == HT_OK);
        for (int round = 0; round < 16; round++) {
            struct ht_traffic_change changes[6];
            size_t count = ht_random_below(&s.state, 6);
            for (size_t i = 0; i < count; i++) {
                changes[i] = random_change(&s);
            }
            zone_cuts(&s, snap, &zones[ht_random_below(&s.state, ZONES)]);
            struct ht_cuts all = all_of(zones, 0);
            ht_live_road_release(live);
            need(ht_traffic_shut(s.traffic, all.list, all.count) == HT_OK);
            need(ht_traffic_apply(s.traffic, changes, count, NULL, s.pool, &live) == HT_OK);
            ht_live_road_release(live);
            need(ht_traffic_apply(without, changes, count, NULL, s.pool, &live) == HT_OK);
            ht_live_road_release(live);
            live = stir_turns(&s);
            for (int i = 0; i < 4; i++) {
                wrong += permit_wrong(&s, detours, live, zones, without);
            }
            ht_cuts_deinit(&all);
        }
        ht_live_road_release(live);
        for (int z = 0; z < ZONES; z++) {
            ht_cuts_deinit(&zones[z]);
        }
        ht_traffic_free(without);
        ht_detours_free(detours);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
}

// NOLINTNEXTLINE(readability-function-size): one story, step by step
HT_CASE(the_same_question_gets_the_same_road_until_streets_change)
{
    struct scene s;
    struct ht_detours *detours = NULL;
    struct ht_live_road *live = NULL;
    scene_init(&s, 5);
    filed_detours(&s, NULL, &detours);
    need(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK);
    const struct ht_cut first[] = {{0, 0}, {3, 0}};
    const struct ht_cut second[] = {{4, 0}};
    struct ht_detour *held[4] = {NULL};
    struct ht_detour *fifth = NULL;
    struct ht_detour_ask ask = {.now = &live->view, .cuts = first, .cut_count = 2};
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[0]) == HT_OK);
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[1]) == HT_OK);
    HT_CHECK(held[0] == held[1]); /* two read one */
    ht_detour_release(held[1]);
    ask = (struct ht_detour_ask){.now = &live->view, .cuts = second, .cut_count = 1};
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[1]) == HT_OK);
    HT_CHECK(held[0] != held[1]); /* the first is being read */
    uint64_t before = digest(ht_detour_road(held[0]));
    struct ht_detour *was = held[1];
    ht_detour_release(held[1]);
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[1]) == HT_OK);
    HT_CHECK(held[1] == was); /* found again */
    ask = (struct ht_detour_ask){.now = &live->view, .cuts = second, .cut_count = 0};
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[2]) == HT_OK);
    HT_CHECK(digest(ht_detour_road(held[2])) == digest(&live->view.road));
    HT_CHECK(digest(ht_detour_road(held[0])) == before);
    const struct ht_traffic_change change = {7, 0, 1, HT_SPEED_CLOSED};
    ht_live_road_release(live);
    need(ht_traffic_apply(s.traffic, &change, 1, NULL, NULL, &live) == HT_OK);
    ask = (struct ht_detour_ask){.now = &live->view, .cuts = first, .cut_count = 2};
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[3]) == HT_OK);
    HT_CHECK(held[3] != held[0]);
    HT_CHECK(ht_detour_road(held[3])->graph->arcs[7].weight_ms == HT_WEIGHT_INF);
    HT_CHECK_INT(
        ht_detours_get(detours,
                       &(struct ht_detour_ask){.now = &live->view, .cuts = second, .cut_count = 1},
                       NULL, &fifth),
        HT_BUSY);
    for (int i = 0; i < 4; i++) {
        ht_detour_release(held[i]);
    }
    HT_CHECK(
        ht_detours_get(detours,
                       &(struct ht_detour_ask){.now = &live->view, .cuts = second, .cut_count = 1},
                       NULL, &fifth) == HT_OK);
    ht_detour_release(fifth);
    ht_detours_rest(detours); /* were asked for: they stay */
    ht_detours_rest(detours); /* and go */
    HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &held[0]) == HT_OK);
    HT_CHECK(ht_detour_road(held[0])->graph->arcs[3].weight_ms == HT_WEIGHT_INF);
    ht_detour_release(held[0]);
    const struct ht_cut wrong[][2] = {{{0, 0}, {0, 0}}, {{1, 0}, {s.town->graph.arc_count, 0}}};
    for (int i = 0; i < 2; i++) {
        ask = (struct ht_detour_ask){.now = &live->view, .cuts = wrong[i], .cut_count = 2};
        HT_CHECK_INT(ht_detours_get(detours, &ask, NULL, &fifth), HT_RANGE);
    }
    ht_live_road_release(live);
    ht_detours_free(detours);
    scene_deinit(&s);
}

/* Many ask at once, about few things. */
struct crowd {
    struct ht_detours *detours;
    const struct ht_live_road *live;
    const struct ht_cuts *cuts;
    const uint64_t *digests;
    uint64_t seed;
    int wrong;
};
enum { THREADS = 6, THINGS = 5 };

static void *crowd_main(void *user)
{
    struct crowd *crowd = user;
    for (int i = 0; i < 60; i++) {
        uint32_t thing = ht_random_below(&crowd->seed, THINGS);
        struct ht_detour *detour = detour_get(crowd->detours, crowd->live, &crowd->cuts[thing], 0);
        crowd->wrong += digest(ht_detour_road(detour)) != crowd->digests[thing];
        ht_detour_release(detour);
    }
    return NULL;
}

HT_CASE(many_ask_at_once_and_each_gets_the_own_answer)
{
    struct scene s;
    struct ht_detours *detours = NULL;
    struct ht_live_road *live = NULL;
    struct ht_cuts cuts[THINGS];
    uint64_t digests[THINGS];
    struct crowd crowd[THREADS];
    pthread_t threads[THREADS];
    scene_init(&s, 21);
    struct ht_snap_index *snap = index_of(&s);
    filed_detours(&s, snap, &detours);
    live = stir(&s);
    for (int i = 0; i < THINGS; i++) {
        cuts[i] = some_cuts(&s, snap);
        struct ht_detour *detour = detour_get(detours, live, &cuts[i], 0);
        digests[i] = digest(ht_detour_road(detour));
        ht_detour_release(detour);
    }
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){detours, live, cuts, digests, 77 + (uint64_t)i, 0};
        need(pthread_create(&threads[i], NULL, crowd_main, &crowd[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        need(pthread_join(threads[i], NULL) == 0);
        HT_CHECK_INT(crowd[i].wrong, 0);
    }
    for (int i = 0; i < THINGS; i++) {
        ht_cuts_deinit(&cuts[i]);
    }
    ht_live_road_release(live);
    ht_detours_free(detours);
    ht_snap_index_free(snap);
    scene_deinit(&s);
}

HT_CASE(every_failed_allocation_is_a_status_and_the_next_call_succeeds_oom)
{
    int refused = 0;
    for (int made = 0; made < 3; made++) { /* the first road, one that is there, a light one */
        bool failed = true;
        for (int n = 0; failed; n++) {
            struct scene s;
            struct ht_detours *detours = NULL;
            struct ht_detour *detour = NULL;
            struct ht_live_road *live = NULL;
            scene_init(&s, 3);
            filed_detours(&s, NULL, &detours);
            live = stir(&s);
            const struct ht_cut cuts[] = {{0, 0}, {2, 0}, {9, 0}};
            struct ht_detour_ask ask = {.now = &live->view, .cuts = cuts, .cut_count = 1};
            ask.light = made == 2;
            if (made != 0) {
                need(ht_detours_get(detours, &ask, NULL, &detour) == HT_OK);
                ht_detour_release(detour);
                ht_live_road_release(live);
                live = stir(&s);
            }
            ask.now = &live->view;
            ask.cut_count = 3;
            ht_oom_arm(n);
            enum ht_status status = ht_detours_get(detours, &ask, NULL, &detour);
            failed = ht_oom_disarm();
            HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
            if (status != HT_OK) {
                HT_REQUIRE(ht_detours_get(detours, &ask, NULL, &detour) == HT_OK);
            }
            refused += failed;
            if (made < 2) {
                HT_CHECK_INT(compare(ht_detour_road(detour), NULL, &s.state), 0);
            }
            ht_detour_release(detour);
            ht_live_road_release(live);
            ht_detours_free(detours);
            scene_deinit(&s);
        }
    }
    HT_CHECK(refused > 10);
}

HT_MAIN()
