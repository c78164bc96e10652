/* Traffic: whatever was slowed, closed and opened, in whatever order, answers over the live road
 * equal a plain Dijkstra on its arcs, and a road that is held never changes. So do they where zones
 * cut streets: there they also equal a Dijkstra on the file's graph without the arcs that are cut.
 */
#include "engine/live/traffic.h"

#include "tests/support/check.h"
#include "tests/support/live_town.h"
#include "tests/support/oom.h"

HT_CASE(answers_over_live_roads_equal_the_oracle)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        scene_init(&s, seed);
        for (int round = 0; round < 24; round++) {
            struct ht_live_road *live = stir(&s);
            wrong += compare(&live->view.road, s.pool, &s.state);
            ht_live_road_release(live);
        }
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
}

HT_CASE(a_road_that_is_held_never_changes)
{
    struct scene s;
    scene_init(&s, 5);
    struct ht_live_road *held[HELD] = {NULL};
    uint64_t before[HELD] = {0};
    need(ht_traffic_prepare(s.traffic, s.pool) == HT_OK);
    for (int round = 0; round < 60; round++) {
        int slot = round % HELD;
        if (held[slot] != NULL) {
            HT_CHECK(digest(&held[slot]->view.road) == before[slot]);
        }
        struct ht_live_road *live = stir(&s);
        ht_live_road_release(held[slot]);
        held[slot] = live;
        before[slot] = digest(&live->view.road);
    }
    ht_traffic_free(s.traffic); /* what is held stays readable */
    s.traffic = NULL;
    for (int i = 0; i < HELD; i++) {
        HT_CHECK(digest(&held[i]->view.road) == before[i]);
        ht_live_road_release(held[i]);
    }
    scene_deinit(&s);
}

HT_CASE(when_all_is_as_filed_again_the_road_is_the_files_own)
{
    struct scene s;
    struct ht_live_road *live = NULL;
    scene_init(&s, 9);
    uint32_t arc = s.town->graph.base_arc_count / 2;
    uint32_t segments = ht_arc_point_count(&s.town->graph.arcs[arc]) - 1;
    struct ht_traffic_change change = {arc, 0, segments, HT_SPEED_CLOSED};
    HT_REQUIRE(ht_traffic_apply(s.traffic, &change, 1, NULL, s.pool, &live) == HT_OK);
    HT_CHECK(live->view.road.graph->arcs[arc].weight_ms == HT_WEIGHT_INF);
    HT_CHECK_INT(ht_traffic_arc_count(s.traffic), 1);
    ht_live_road_release(live);
    change.speed_mps = HT_SPEED_AS_FILED;
    HT_REQUIRE(ht_traffic_apply(s.traffic, &change, 1, NULL, s.pool, &live) == HT_OK);
    HT_CHECK(live->view.road.graph == s.base.graph && live->view.road.metric == s.base.metric);
    HT_CHECK_INT(ht_traffic_arc_count(s.traffic), 0);
    ht_live_road_release(live);
    scene_deinit(&s);
}

HT_CASE(pieces_that_do_not_exist_are_refused_and_nothing_changes)
{
    struct scene s;
    struct ht_live_road *live = NULL;
    scene_init(&s, 11);
    const struct ht_graph *g = &s.town->graph;
    uint32_t segments = ht_arc_point_count(&g->arcs[0]) - 1;
    const struct ht_traffic_change wrong[] = {
        {g->base_arc_count, 0, 1, HT_SPEED_CLOSED},
        {0, 0, segments + 1, HT_SPEED_CLOSED},
        {0, 1, 1, HT_SPEED_CLOSED},
        {0, 0, 1, -3.0F},
        {0, 0, 1, 1000.0F},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct ht_traffic_change two[] = {{0, 0, 1, HT_SPEED_CLOSED}, wrong[i]};
        HT_CHECK_INT(ht_traffic_apply(s.traffic, two, 2, NULL, NULL, &live), HT_RANGE);
    }
    HT_CHECK_INT(ht_traffic_arc_count(s.traffic), 0);
    scene_deinit(&s);
}

HT_CASE(every_failed_allocation_is_a_status_and_the_next_call_succeeds_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct scene s;
        struct ht_live_road *live = NULL;
        scene_init(&s, 3);
        struct ht_traffic_change changes[] = {random_change(&s), random_change(&s)};
        changes[0].speed_mps = HT_SPEED_CLOSED;
        ht_oom_arm(n);
        enum ht_status status = ht_traffic_apply(s.traffic, changes, 2, NULL, NULL, &live);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (status != HT_OK) {
            HT_REQUIRE(ht_traffic_apply(s.traffic, changes, 2, NULL, NULL, &live) == HT_OK);
        }
        refused += failed;
        HT_CHECK_INT(compare(&live->view.road, NULL, &s.state), 0);
        ht_live_road_release(live);
        scene_deinit(&s);
    }
    HT_CHECK(refused > 10);
}

/* ---- zones ---- */

/* Whether a look at every piece finds the same. */
static int cuts_differ(const struct scene *s, const struct ht_border *border, enum ht_cut_how how,
                       const struct ht_cuts *cuts)
{
    const struct ht_graph *g = &s->town->graph;
    int wrong = 0;
    size_t at = 0;
    for (uint32_t a = 0; a < g->base_arc_count; a++) {
        for (uint32_t i = 0; i + 1 < ht_arc_point_count(&g->arcs[a]); i++) {
            unsigned cross =
                ht_border_cross(border, ht_arc_point(&s->town->network, &g->arcs[a], i),
                                ht_arc_point(&s->town->network, &g->arcs[a], i + 1));
            bool cut = how == HT_CUT_ALL   ? cross != 0
                       : how == HT_CUT_OUT ? (cross & HT_BORDER_OUT) != 0
                                           : (cross & (HT_BORDER_OUT | HT_BORDER_IN)) != 0;
            bool listed =
                at < cuts->count && cuts->list[at].arc == a && cuts->list[at].segment == i;
            wrong += cut != listed;
            at += listed;
        }
    }
    return wrong + (at != cuts->count);
}

HT_CASE(zones_cut_what_a_look_at_every_piece_finds)
{
    int wrong = 0;
    size_t found[3] = {0};
    for (uint64_t seed = 1; seed <= (HT_LONG ? 200 : 20); seed++) {
        struct scene s;
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        const struct ht_cut_streets streets = {&s.town->network, &s.town->graph, snap};
        for (int i = 0; i < 30; i++) {
            struct ht_border *border = random_zone(&s);
            struct ht_cuts cuts = {0};
            enum ht_cut_how how = (enum ht_cut_how)(i % 3);
            HT_REQUIRE(ht_cuts_find(&streets, border, how, &cuts) == HT_OK);
            ht_cuts_once(&cuts);
            wrong += cuts_differ(&s, border, how, &cuts);
            found[i % 3] += cuts.count;
            ht_cuts_deinit(&cuts);
            ht_border_free(border);
        }
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(found[0] > 0 && found[1] > 0 && found[2] > found[0]);
}

HT_CASE(zones_over_traffic_equal_the_oracle)
{
    int wrong = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        for (int round = 0; round < 24; round++) {
            zones_stir(&s, snap);
            struct ht_live_road *live = stir(&s);
            wrong += compare(&live->view.road, s.pool, &s.state);
            for (size_t i = 0; i < s.cuts.count; i++) { /* as said: the stronger closure wins */
                wrong += live->view.road.graph->arcs[s.cuts.list[i].arc].weight_ms != HT_WEIGHT_INF;
            }
            ht_live_road_release(live);
        }
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
}

HT_CASE(zones_equal_the_oracle_on_a_graph_without_the_arcs)
{
    int wrong = 0;
    int asked = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        scene_init(&s, seed);
        struct ht_snap_index *snap = index_of(&s);
        struct ht_graph without = s.town->graph;
        struct ht_arc *arcs = ht_town_alloc(without.arc_count, sizeof *arcs);
        struct ht_query *query = NULL;
        struct ht_dijkstra *oracle = NULL;
        without.arcs = arcs;
        need(ht_query_new(&query) == HT_OK && ht_dijkstra_new(&without, &oracle) == HT_OK);
        for (int round = 0; round < 12; round++) {
            struct ht_live_road *live = NULL;
            zones_stir(&s, snap);
            need(ht_traffic_apply(s.traffic, NULL, 0, NULL, s.pool, &live) == HT_OK);
            memcpy(arcs, s.town->arcs, without.arc_count * sizeof *arcs);
            for (uint32_t a = 0, at = 0; a < without.arc_count; a++) {
                for (at = 0; at < s.cuts.count; at++) {
                    arcs[a].weight_ms = s.cuts.list[at].arc == ht_arc_base(&without, a)
                                            ? HT_WEIGHT_INF
                                            : arcs[a].weight_ms;
                }
            }
            for (int i = 0; i < 20 && !all_cut(arcs, without.base_arc_count); i++) {
                struct ht_place from = place_off(&without, arcs, &s.state);
                struct ht_place to = place_off(&without, arcs, &s.state);
                struct ht_cost want;
                struct ht_way_found found = {0};
                need(ht_dijkstra_run(oracle, &from, &to, 1, NULL, &want) == HT_OK);
                enum ht_status got =
                    ht_query_cost(query, &live->view.road, &from, 3, &to, 3, &found);
                bool none = want.weight_ms >= HT_WEIGHT_INF;
                wrong += (got == HT_NO_ROUTE) != none || (!none && !same_cost(found.cost, want));
                asked += s.cuts.count > 0;
            }
            ht_live_road_release(live);
        }
        ht_dijkstra_free(oracle);
        ht_query_free(query);
        free(arcs);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(asked > 1000);
}

HT_CASE(when_zones_go_traffic_stands_as_it_was_said)
{
    struct scene s;
    struct ht_live_road *live = NULL;
    scene_init(&s, 17);
    struct ht_snap_index *snap = index_of(&s);
    ht_live_road_release(stir(&s));
    live = stir(&s);
    uint64_t before = digest(&live->view.road);
    uint32_t streets = ht_traffic_arc_count(s.traffic);
    ht_live_road_release(live);
    for (int i = 0; i < 8; i++) {
        zones_stir(&s, snap);
        need(ht_traffic_apply(s.traffic, NULL, 0, s.turn_closed, NULL, &live) == HT_OK);
        ht_live_road_release(live);
    }
    need(ht_traffic_shut(s.traffic, NULL, 0) == HT_OK);
    need(ht_traffic_apply(s.traffic, NULL, 0, s.turn_closed, NULL, &live) == HT_OK);
    HT_CHECK_INT(ht_traffic_arc_count(s.traffic), streets);
    HT_CHECK(digest(&live->view.road) == before);
    ht_live_road_release(live);
    ht_snap_index_free(snap);
    scene_deinit(&s);
}

HT_CASE(pieces_to_shut_must_exist_sorted_and_once)
{
    struct scene s;
    scene_init(&s, 11);
    const struct ht_graph *g = &s.town->graph;
    uint32_t segments = ht_arc_point_count(&g->arcs[0]) - 1;
    const struct ht_cut wrong[][2] = {{{0, 0}, {0, 0}},
                                      {{1, 0}, {0, 0}},
                                      {{0, 0}, {g->base_arc_count, 0}},
                                      {{0, 0}, {0, segments}}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HT_CHECK_INT(ht_traffic_shut(s.traffic, wrong[i], 2), HT_RANGE);
    }
    HT_CHECK_INT(ht_traffic_arc_count(s.traffic), 0);
    scene_deinit(&s);
}

HT_CASE(shutting_survives_every_failed_allocation_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct scene s;
        struct ht_live_road *live = NULL;
        scene_init(&s, 3);
        const struct ht_cut cuts[] = {{1, 0}, {2, 0}, {5, 0}};
        ht_oom_arm(n);
        enum ht_status status = ht_traffic_shut(s.traffic, cuts, 3);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (status != HT_OK) {
            HT_REQUIRE(ht_traffic_shut(s.traffic, cuts, 3) == HT_OK);
        }
        refused += failed;
        HT_REQUIRE(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK);
        HT_CHECK(live->view.road.graph->arcs[2].weight_ms == HT_WEIGHT_INF);
        HT_CHECK_INT(compare(&live->view.road, NULL, &s.state), 0);
        ht_live_road_release(live);
        scene_deinit(&s);
    }
    HT_CHECK(refused > 3);
}

/* ---- what is learned ---- */

/* Arcs that nothing is said of and that do not cost what is learned. */
static int unlearned(const struct scene *s, const struct ht_road *road,
                     const struct ht_arc *learned)
{
    const struct ht_graph *g = &s->town->graph;
    int wrong = 0;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        const struct ht_arc *is = &road->graph->arcs[a];
        wrong += ht_live_arc(road->graph, a) == NULL && (is->weight_ms != learned[a].weight_ms ||
                                                         is->duration_ms != learned[a].duration_ms);
    }
    return wrong;
}

HT_CASE(learned_costs_lie_under_traffic_and_zones_and_answers_equal_the_oracle)
{
    int wrong = 0;
    int told = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 300 : 30); seed++) {
        struct scene s;
        struct ht_arc *kept = NULL;
        scene_init(&s, seed);
        const struct ht_graph *g = &s.town->graph;
        struct ht_snap_index *snap = index_of(&s);
        for (int round = 0; round < 24; round++) {
            if (round % 3 == 0) {
                struct ht_arc *arcs = random_learned(&s);
                size_t changed = 0;
                free(kept);
                kept = ht_town_alloc(g->arc_count, sizeof *kept);
                memcpy(kept, arcs, g->arc_count * sizeof *kept);
                need(ht_traffic_learn(s.traffic, arcs, &changed) == HT_OK);
                told += changed > 0;
            }
            if (round % 5 == 4) {
                need(ht_traffic_prepare(s.traffic, s.pool) == HT_OK);
            }
            zones_stir(&s, snap);
            struct ht_live_road *live = stir(&s);
            wrong += compare(&live->view.road, s.pool, &s.state);
            wrong += unlearned(&s, &live->view.road, kept);
            ht_live_road_release(live);
        }
        free(kept);
        ht_snap_index_free(snap);
        scene_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(told > 100);
}

HT_CASE(what_was_learned_goes_without_a_trace)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct scene s;
        struct ht_live_road *live = NULL;
        scene_init(&s, seed);
        need(ht_traffic_learn(s.traffic, random_learned(&s), NULL) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, s.pool, &live) == HT_OK);
        HT_CHECK(live->view.road.graph != s.base.graph && ht_traffic_learned(s.traffic));
        ht_live_road_release(live);
        need(ht_traffic_learn(s.traffic, NULL, NULL) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, NULL, s.pool, &live) == HT_OK);
        HT_CHECK(live->view.road.graph == s.base.graph && live->view.road.metric == s.base.metric);
        ht_live_road_release(live);
        /* the same beside what was said */
        ht_live_road_release(stir(&s));
        live = stir(&s);
        uint64_t before = digest(&live->view.road);
        ht_live_road_release(live);
        need(ht_traffic_learn(s.traffic, random_learned(&s), NULL) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, s.turn_closed, s.pool, &live) == HT_OK);
        ht_live_road_release(live);
        need(ht_traffic_learn(s.traffic, NULL, NULL) == HT_OK);
        need(ht_traffic_apply(s.traffic, NULL, 0, s.turn_closed, s.pool, &live) == HT_OK);
        HT_CHECK(digest(&live->view.road) == before);
        ht_live_road_release(live);
        scene_deinit(&s);
    }
}

HT_CASE(learning_survives_every_failed_allocation_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct scene s;
        struct ht_live_road *live = NULL;
        scene_init(&s, 3);
        struct ht_arc *arcs = random_learned(&s);
        struct ht_arc *again = ht_town_alloc(s.town->graph.arc_count, sizeof *again);
        memcpy(again, arcs, s.town->graph.arc_count * sizeof *again);
        ht_oom_arm(n);
        enum ht_status status = ht_traffic_learn(s.traffic, arcs, NULL);
        status = status == HT_OK ? ht_traffic_prepare(s.traffic, NULL) : status;
        status = status == HT_OK ? ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) : status;
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (status != HT_OK) {
            HT_REQUIRE(ht_traffic_learn(s.traffic, again, NULL) == HT_OK);
            HT_REQUIRE(ht_traffic_apply(s.traffic, NULL, 0, NULL, NULL, &live) == HT_OK);
        } else {
            free(again);
        }
        refused += failed;
        HT_CHECK_INT(compare(&live->view.road, NULL, &s.state), 0);
        ht_live_road_release(live);
        scene_deinit(&s);
    }
    HT_CHECK(refused > 5);
}

HT_MAIN()
