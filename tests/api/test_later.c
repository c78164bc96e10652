/* The streets of a departure: whatever is learned, whatever traffic data and zones say and until
 * when, and whatever turns the clock closes, answers equal a Dijkstra on arcs that the test makes
 * by itself; what follows the table by itself does, too, and leaves nothing behind. */
#include "api/later.h"

#include "api/learning_internal.h"
#include "api/traffic.h"
#include "api/zone.h"
#include "engine/base/schedule.h"
#include "engine/road/dijkstra.h"
#include "tests/support/check.h"
#include "tests/support/random_town.h"
#include "tests/support/served.h"

#define NOW_MS INT64_C(1772409600000) /* Monday 2026-03-02, 08:00 in Shanghai */
#define HOUR_MS INT64_C(3600000)

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

struct stage {
    struct ht_app *app;
    struct ht_world *world;
    const struct ht_road *filed;
    struct ht_speeds *speeds;
    uint64_t state;
};

static void stage_init(struct stage *s)
{
    struct ht_clock clock;
    struct ht_error error = {0};
    *s = (struct stage){.state = 77};
    ht_clock_virtual(&clock, NOW_MS, 0);
    need(map_make() && ht_app_new(2, &clock, &s->app) == HT_OK);
    need(ht_app_network_open(s->app, map, false, &error) == HT_OK);
    need(ht_app_live_open(s->app, &error) == HT_OK);
    s->world = ht_world_acquire(s->app->slot);
    need(ht_map_filed(s->world, "car", &s->filed) == HT_OK && s->filed != NULL);
    need(ht_speeds_new(1 << 20, &s->speeds) == HT_OK);
}

static void stage_deinit(struct stage *s)
{
    ht_speeds_free(s->speeds);
    ht_world_release(s->world);
    ht_app_free(s->app);
}

/* Two ninths of all streets were driven often on Monday around nine and around noon. */
static void know(struct stage *s)
{
    const uint32_t quarters[2] = {9 * 4, 12 * 4};
    for (uint32_t a = 0; a < s->filed->graph->base_arc_count; a += 3) {
        struct ht_speeds_keys keys = ht_learn_keys(s->filed, a);
        keys.area = a; /* nothing but what is known of the street itself */
        keys.kind = a;
        for (int q = 0; q < 2 && ht_random_below(&s->state, 3) > 0; q++) {
            double ratio = 0.5 + ht_random_below(&s->state, 40) / 10.0;
            for (uint32_t trip = 1; trip <= 5; trip++) {
                const struct ht_speeds_drive d = {quarters[q], 20000, trip, ratio};
                need(ht_speeds_take(s->speeds, &keys, &d) == HT_OK);
            }
        }
    }
    need(ht_learning_merge(s->app->learning, s->speeds) == HT_OK);
}

/* The arcs as they are in a quarter, by the test's own table. */
static struct ht_arc *arcs_of(const struct stage *s, uint32_t quarter, size_t *known)
{
    const struct ht_graph *g = s->filed->graph;
    struct ht_arc *arcs = ht_town_alloc(g->arc_count, sizeof *arcs);
    memcpy(arcs, g->arcs, g->arc_count * sizeof *arcs);
    *known = 0;
    for (uint32_t a = 0; a < g->arc_count; a++) {
        struct ht_speeds_keys keys = ht_learn_keys(s->filed, ht_arc_base(g, a));
        struct ht_speeds_found found = ht_speeds_find(s->speeds, &keys, quarter, 5);
        if (found.source != HT_SPEEDS_NONE) {
            arcs[a].weight_ms = (uint32_t)(arcs[a].weight_ms * found.ratio + 0.5);
            arcs[a].duration_ms = (uint32_t)(arcs[a].duration_ms * found.ratio + 0.5);
            (*known)++;
        }
    }
    return arcs;
}

/* The turns that the clock closes, by a look at each condition; how many. */
static size_t turns_at(const struct stage *s, int64_t local_ms, uint8_t *closed)
{
    const struct ht_graph *g = s->filed->graph;
    size_t count = 0;
    for (uint32_t c = 0; c < g->condition_count; c++) {
        struct ht_schedule *schedule = NULL;
        const char *text = s->filed->network->strings + g->conditions[c].schedule;
        if (ht_schedule_parse(text, &schedule, NULL) == HT_OK &&
            ht_schedule_active(schedule, local_ms, NULL)) {
            closed[g->conditions[c].turn] = 1;
            count++;
        }
        ht_schedule_free(schedule);
    }
    return count;
}

/* What a road is held against. */
struct truth {
    const struct ht_arc *arcs;
    int64_t at_ms;
    uint64_t sum;  /* of all durations */
    size_t closed; /* turns */
};

/* Wrong costs of a road, against a Dijkstra on the file's graph with these arcs and turns. */
static int compare(struct stage *s, const struct ht_road *road, struct truth *truth)
{
    enum { PLACES = 40 };
    struct ht_graph graph = *s->filed->graph;
    struct ht_query *query = NULL;
    struct ht_dijkstra *oracle = NULL;
    struct ht_place places[PLACES];
    struct ht_place seen[PLACES];
    struct ht_cost want[PLACES];
    int wrong = 0;
    uint8_t *closed = ht_town_alloc(graph.turn_count, 1);
    const struct ht_live_arcs live = {.turn_closed = closed};
    truth->closed = turns_at(s, ht_zone_local_ms(truth->at_ms), closed);
    graph.arcs = truth->arcs;
    graph.live = &live;
    need(ht_query_new(&query) == HT_OK && ht_dijkstra_new(&graph, &oracle) == HT_OK);
    for (int i = 0; i < PLACES; i++) {
        places[i] = ht_town_random_place(&graph, &s->state);
        seen[i] = places[i];
        ht_place_refresh(&graph, &places[i]);
        ht_place_refresh(road->graph, &seen[i]);
    }
    for (int from = 0; from < 4; from++) {
        need(ht_dijkstra_run(oracle, &places[from], places, PLACES, NULL, want) == HT_OK);
        for (int i = 0; i < PLACES; i++) {
            struct ht_way_found found = {0};
            enum ht_status status = ht_query_cost(query, road, &seen[from], 3, &seen[i], 3, &found);
            bool none = want[i].weight_ms >= HT_WEIGHT_INF;
            wrong += (status == HT_NO_ROUTE) != none ||
                     (!none && (found.cost.weight_ms != want[i].weight_ms ||
                                found.cost.duration_ms != want[i].duration_ms ||
                                found.cost.length_mm != want[i].length_mm));
            truth->sum += none ? 0 : want[i].duration_ms;
        }
    }
    ht_dijkstra_free(oracle);
    ht_query_free(query);
    free(closed);
    return wrong;
}

static struct ht_live_road *then(struct stage *s, int64_t at_ms)
{
    struct ht_live_road *road = NULL;
    need(ht_later_road(s->app->later, s->world, "car", at_ms, NULL, &road) == HT_OK);
    return road;
}

HT_CASE(with_nothing_known_a_departure_has_the_files_own_streets)
{
    struct stage s;
    const int64_t at_ms = NOW_MS + 5 * HOUR_MS; /* when no turn is closed */
    stage_init(&s);
    HT_CHECK(!ht_later_ready(s.app->later, s.world, "car", at_ms));
    struct ht_live_road *road = then(&s, at_ms);
    HT_CHECK(road->view.road.metric == s.filed->metric && road->view.road.graph == s.filed->graph);
    HT_CHECK(ht_later_ready(s.app->later, s.world, "car", at_ms + 899999));
    HT_CHECK(ht_later_ready(s.app->later, s.world, "driving", at_ms));
    HT_CHECK(!ht_later_ready(s.app->later, s.world, "car", at_ms + 900000));
    HT_CHECK(!ht_later_ready(s.app->later, s.world, "car", at_ms - 1));
    struct ht_live_road *none = NULL;
    HT_CHECK_INT(ht_later_road(s.app->later, s.world, "boat", at_ms, NULL, &none), HT_NOT_FOUND);
    ht_live_road_release(road);
    stage_deinit(&s);
}

HT_CASE(departures_have_the_speeds_of_their_quarter)
{
    struct stage s;
    int different = 0;
    int closed = 0;
    stage_init(&s);
    know(&s);
    /* half past eight, nine, half past ten, half past twelve, half past five */
    static const int64_t halves[] = {1, 2, 5, 9, 19};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        int64_t at = NOW_MS + halves[i] * HOUR_MS / 2;
        size_t known = 0;
        struct ht_arc *arcs = arcs_of(&s, ht_speeds_quarter(ht_zone_local_ms(at)), &known);
        struct ht_live_road *road = then(&s, at + 1234);
        struct truth truth = {.arcs = arcs, .at_ms = at + 1234};
        HT_CHECK_INT(compare(&s, &road->view.road, &truth), 0);
        bool filed = known == 0 && truth.closed == 0;
        HT_CHECK(filed == (road->view.road.metric == s.filed->metric));
        HT_CHECK(truth.sum > 0);
        closed += truth.closed > 0;
        different += known > 0;
        struct ht_live_road *again = then(&s, at);
        HT_CHECK(again == road); /* it is kept */
        ht_live_road_release(again);
        ht_live_road_release(road);
        free(arcs);
    }
    HT_CHECK_INT(different, 3);
    HT_CHECK(closed > 0);
    stage_deinit(&s);
}

HT_CASE(what_traffic_says_holds_at_a_departure_before_its_end)
{
    struct stage s;
    struct ht_traffic_done done;
    stage_init(&s);
    know(&s);
    const struct ht_arc *arc = NULL;
    uint32_t number = s.filed->graph->base_arc_count / 2;
    for (; arc == NULL || arc->length_mm < 50000; number++) {
        arc = &s.filed->graph->arcs[number];
    }
    number--;
    uint32_t last = ht_arc_point_count(arc) - 1;
    const int64_t *ids = s.filed->network->node_osm_id;
    const struct ht_store_traffic row = {ids[ht_arc_node(s.filed->network, arc, 0)],
                                         ids[ht_arc_node(s.filed->network, arc, last)], "", 2.5,
                                         NOW_MS + 2 * HOUR_MS + 1000};
    need(ht_app_traffic(s.app, &row, 1, NULL, &done) == HT_OK);
    HT_CHECK_INT(done.applied, 1);
    static const int64_t at_ms[] = {HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS + 999, 2 * HOUR_MS + 1000};
    for (size_t i = 0; i < sizeof at_ms / sizeof at_ms[0]; i++) {
        size_t known = 0;
        struct ht_arc *arcs =
            arcs_of(&s, ht_speeds_quarter(ht_zone_local_ms(NOW_MS + at_ms[i])), &known);
        struct ht_live_road *road = then(&s, NOW_MS + at_ms[i]);
        uint32_t now = road->view.road.graph->arcs[number].duration_ms;
        uint32_t want =
            i == 3 ? arcs[number].duration_ms : (uint32_t)((double)arc->length_mm / 2.5 + 0.5);
        HT_CHECK_INT(now, want);
        ht_live_road_release(road);
        free(arcs);
    }
    stage_deinit(&s);
}

/* Waits until the metric follows in a quarter, or does not. */
static bool settled(struct stage *s, bool follow, uint32_t quarter)
{
    struct ht_learning *learning = s->app->learning;
    bool is = false;
    for (int i = 0; i < 18000 && !is; i++) {
        (void)pthread_mutex_lock(&learning->lock);
        is = learning->follows == follow && learning->looked == quarter;
        (void)pthread_mutex_unlock(&learning->lock);
        (void)usleep(is ? 0 : 10000);
    }
    ht_world_release(s->world);
    s->world = ht_world_acquire(s->app->slot);
    return is;
}

/* Wrong costs of the streets of now. */
static int compare_now(struct stage *s, uint32_t quarter, size_t *known)
{
    const struct ht_road *road = NULL;
    struct ht_arc *arcs = arcs_of(s, quarter, known);
    struct truth truth = {.arcs = arcs, .at_ms = ht_clock_now_ms(&s->app->clock)};
    need(ht_world_road(s->world, "car", 0, &road) == HT_OK);
    int wrong = compare(s, road, &truth);
    free(arcs);
    return wrong;
}

static void set(struct stage *s, enum ht_setting_field field, int64_t value)
{
    atomic_store(&s->app->settings.values[field], value);
    ht_learning_changed(s->app->learning);
}

HT_CASE(the_metric_follows_quarter_by_quarter_and_leaves_nothing_behind)
{
    struct stage s;
    size_t known = 0;
    stage_init(&s);
    know(&s);
    HT_REQUIRE(settled(&s, false, 8 * 4));
    HT_CHECK_INT(ht_clock_advance(&s.app->clock, 3600), true);
    set(&s, HT_SETTING_SPEEDS_FOLLOW, 1);
    HT_REQUIRE(settled(&s, true, 9 * 4));
    HT_CHECK_INT(compare_now(&s, 9 * 4, &known), 0);
    HT_CHECK(known > 100);
    HT_CHECK_INT(ht_clock_advance(&s.app->clock, 1.5 * 3600), true);
    HT_REQUIRE(ht_app_refresh(s.app) == HT_OK);
    HT_REQUIRE(settled(&s, true, 10 * 4 + 2));
    HT_CHECK_INT(compare_now(&s, 10 * 4 + 2, &known), 0);
    HT_CHECK_INT(known, 0);
    HT_CHECK_INT(ht_clock_advance(&s.app->clock, 1.5 * 3600), true);
    HT_REQUIRE(ht_app_refresh(s.app) == HT_OK);
    HT_REQUIRE(settled(&s, true, 12 * 4));
    HT_CHECK_INT(compare_now(&s, 12 * 4, &known), 0);
    HT_CHECK(known > 100);
    HT_CHECK_INT(ht_clock_advance(&s.app->clock, 3600), true); /* when no turn is closed */
    set(&s, HT_SETTING_SPEEDS_FOLLOW, 0);
    HT_REQUIRE(ht_app_refresh(s.app) == HT_OK);
    HT_REQUIRE(settled(&s, false, 13 * 4));
    const struct ht_road *road = NULL;
    HT_REQUIRE(ht_world_road(s.world, "car", 0, &road) == HT_OK);
    HT_CHECK(road->graph == s.filed->graph && road->metric == s.filed->metric);
    stage_deinit(&s);
}

int main(int argc, char **argv)
{
    const struct ht_cli cli = {.command = "test"};
    need(ht_zone_set(&cli, HT_ZONE_DEFAULT) == HT_EXIT_DONE);
    int code = ht_run_cases(argc > 1 ? argv[1] : NULL);
    map_remove();
    return code;
}
