/* From positions to speeds: vans that drive at speeds that are known, seen now and then and not
 * exactly, teach these; who stops does not; costs made of a table equal a look at each arc. */
#include "engine/live/learn.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/live_town.h"
#include "tests/support/oom.h"
#include "tests/support/tiny_road.h"

#define MONDAY_8 (INT64_C(1772409600000)) /* 2026-03-02T00:00:00Z, as local time 08:00 */
#define LOCAL_OFF_MS (INT64_C(8) * 3600000)

/* A straight street of five arcs with lanes off it, each 300 m long. */
static const struct ht_tiny_way ways[] = {{.nodes = "abcdef", .name = "road"},
                                          {.nodes = "bg", .name = "lane"},
                                          {.nodes = "ch", .name = "lane"},
                                          {.nodes = "di", .name = "lane"},
                                          {.nodes = "ej", .name = "lane"}};
static const char map[] = "a b c d e f\n"
                          "\n"
                          "  g h i j  \n";

struct stage {
    struct ht_tiny *town;
    struct ht_tiny_road road;
    struct ht_speeds *speeds;
    struct ht_learn *learn;
    uint64_t state;
};

static void stage_init(struct stage *s)
{
    *s = (struct stage){.state = 17};
    s->town = ht_tiny_new(map, 150, ways, sizeof ways / sizeof ways[0], "");
    ht_tiny_road_init(&s->road, s->town);
    need(ht_speeds_new(10000, &s->speeds) == HT_OK && ht_learn_new(4, &s->learn) == HT_OK);
}

static void stage_deinit(struct stage *s)
{
    ht_learn_free(s->learn);
    ht_speeds_free(s->speeds);
    ht_tiny_road_free(&s->road);
    ht_tiny_free(s->town);
}

static uint32_t arc_of(const struct stage *s, char from, char to)
{
    const struct ht_graph *g = &s->town->graph;
    for (uint32_t a = 0; a < g->base_arc_count; a++) {
        if (g->junction_node[g->arcs[a].tail] == s->town->node_of[(unsigned char)from] &&
            g->junction_node[g->arcs[a].head] == s->town->node_of[(unsigned char)to]) {
            return a;
        }
    }
    abort();
}

static enum ht_learn_outcome see(struct stage *s, uint32_t unit, struct ht_point point,
                                 int64_t ts_ms)
{
    enum ht_learn_outcome outcome = HT_LEARN_LOST;
    const struct ht_learn_fix fix = {.unit = unit,
                                     .generation = 1,
                                     .point = point,
                                     .ts_ms = ts_ms,
                                     .local_ms = ts_ms + LOCAL_OFF_MS,
                                     .accuracy_m = -1};
    HT_CHECK_INT(ht_learn_take(s->learn, &s->road.road, &fix, s->speeds, &outcome), HT_OK);
    return outcome;
}

static struct ht_point shaken(struct stage *s, struct ht_point point, uint32_t noise_dm)
{
    int32_t most = (int32_t)(noise_dm * 9 + 1); /* a decimetre is some nine e7 of a degree */
    point.lon_e7 += (int32_t)ht_random_below(&s->state, (uint32_t)(2 * most)) - most;
    point.lat_e7 += (int32_t)ht_random_below(&s->state, (uint32_t)(2 * most)) - most;
    return point;
}

struct drive {
    double speed_mps[5]; /* on each arc of the road */
    int64_t stop_ms;     /* in the middle of the third */
    int64_t every_ms;
    uint32_t noise_dm;
};

/* From a to f; when it was over. */
static int64_t drive_road(struct stage *s, uint32_t unit, int64_t begin_ms, const struct drive *d)
{
    int64_t seen_ms = begin_ms;
    double now_ms = (double)begin_ms;
    for (int arc = 0; arc < 5; arc++) {
        struct ht_point from = s->town->points[s->town->node_of['a' + arc]];
        struct ht_point to = s->town->points[s->town->node_of['b' + arc]];
        for (int step = 0; step < 3000; step++) { /* of a decimetre */
            double stays_ms =
                100 / d->speed_mps[arc] + (arc == 2 && step == 1500 ? (double)d->stop_ms : 0);
            now_ms += stays_ms;
            for (; (double)seen_ms <= now_ms; seen_ms += d->every_ms) {
                struct ht_point at = ht_point_between(from, to, step / 3000.0);
                (void)see(s, unit, shaken(s, at, d->noise_dm), seen_ms);
            }
        }
    }
    return (int64_t)now_ms;
}

static double learned(const struct stage *s, char from, char to, uint32_t least,
                      enum ht_speeds_source *source)
{
    struct ht_speeds_keys keys = ht_learn_keys(&s->road.road, arc_of(s, from, to));
    struct ht_speeds_found found = ht_speeds_find_key(
        s->speeds, keys.street, ht_speeds_quarter(MONDAY_8 + LOCAL_OFF_MS), least);
    *source = found.source;
    return found.ratio;
}

HT_CASE(vans_teach_the_speeds_that_they_drive)
{
    static const struct {
        int64_t every_ms;
        uint32_t noise_dm;
        double off;
    } seen[] = {{1000, 0, 0.06}, {5000, 50, 0.12}, {10000, 50, 0.15}};
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        struct stage s;
        enum ht_speeds_source source;
        struct drive d = {{10, 5, 20, 2.5, 10}, 0, seen[i].every_ms, seen[i].noise_dm};
        stage_init(&s);
        for (uint32_t trip = 0; trip < 8; trip++) {
            (void)drive_road(&s, trip % 4, MONDAY_8 + trip / 4 * (INT64_C(7) * 86400000), &d);
        }
        HT_CHECK(ht_learn_drives(s.learn) >= 3 * 8);
        double bc = learned(&s, 'b', 'c', 5, &source);
        HT_CHECK_INT(source, HT_SPEEDS_OWN);
        double cd = learned(&s, 'c', 'd', 5, &source);
        HT_CHECK_INT(source, HT_SPEEDS_OWN);
        double de = learned(&s, 'd', 'e', 5, &source);
        (void)printf("  every %d s: 2 is %.2f, 0.5 is %.2f, 4 is %.2f\n",
                     (int)(seen[i].every_ms / 1000), bc, cd, de);
        HT_CHECK(fabs(bc / 2 - 1) < seen[i].off && fabs(cd / 0.5 - 1) < seen[i].off * 2 &&
                 fabs(de / 4 - 1) < seen[i].off);
        (void)learned(&s, 'c', 'b', 3, &source); /* nobody drove there */
        HT_CHECK_INT(source, HT_SPEEDS_NONE);
        stage_deinit(&s);
    }
}

HT_CASE(a_fix_in_half_a_minute_will_do_where_all_is_slow)
{
    struct stage s;
    enum ht_speeds_source source;
    struct drive d = {{5, 5, 5, 5, 5}, 0, 30000, 80};
    stage_init(&s);
    for (uint32_t trip = 0; trip < 8; trip++) {
        (void)drive_road(&s, trip % 4, MONDAY_8 + trip / 4 * (INT64_C(7) * 86400000), &d);
    }
    HT_CHECK(fabs(learned(&s, 'b', 'c', 5, &source) / 2 - 1) < 0.1);
    HT_CHECK_INT(source, HT_SPEEDS_OWN);
    HT_CHECK(fabs(learned(&s, 'c', 'd', 5, &source) / 2 - 1) < 0.1);
    HT_CHECK_INT(source, HT_SPEEDS_OWN);
    stage_deinit(&s);
}

HT_CASE(a_stop_is_no_jam)
{
    struct stage s;
    enum ht_speeds_source source;
    struct drive d = {{10, 10, 10, 10, 10}, 180000, 5000, 20};
    stage_init(&s);
    for (uint32_t trip = 0; trip < 8; trip++) {
        (void)drive_road(&s, trip % 4, MONDAY_8 + trip / 4 * (INT64_C(7) * 86400000), &d);
    }
    (void)learned(&s, 'c', 'd', 3, &source);
    HT_CHECK_INT(source, HT_SPEEDS_NONE);
    HT_CHECK(fabs(learned(&s, 'b', 'c', 5, &source) - 1) < 0.12);
    HT_CHECK_INT(source, HT_SPEEDS_OWN);
    d.stop_ms = 20000; /* a light is one */
    for (uint32_t trip = 0; trip < 8; trip++) {
        (void)drive_road(&s, trip % 4, MONDAY_8 + (2 + trip / 4) * (INT64_C(7) * 86400000), &d);
    }
    HT_CHECK(fabs(learned(&s, 'c', 'd', 5, &source) / (50.0 / 30) - 1) < 0.15);
    HT_CHECK_INT(source, HT_SPEEDS_OWN);
    stage_deinit(&s);
}

HT_CASE(units_are_bounded_and_the_silent_make_room)
{
    struct stage s;
    struct ht_point a;
    stage_init(&s);
    a = s.town->points[s.town->node_of['a']];
    for (uint32_t unit = 0; unit < 4; unit++) {
        HT_CHECK_INT(see(&s, unit, a, MONDAY_8), HT_LEARN_TAKEN);
    }
    HT_CHECK_INT(see(&s, 9, a, MONDAY_8 + 1000), HT_LEARN_FULL);
    HT_CHECK_INT(see(&s, 3, a, MONDAY_8), HT_LEARN_SOONER);
    HT_CHECK_INT(see(&s, 9, a, MONDAY_8 + 601000), HT_LEARN_TAKEN);
    ht_learn_reset(s.learn);
    HT_CHECK_INT(see(&s, 10, a, MONDAY_8), HT_LEARN_TAKEN);
    stage_deinit(&s);
}

/* A table that knows some streets of a random town. */
static void know_some(struct scene *s, struct ht_speeds *speeds)
{
    for (uint32_t a = 0; a < s->town->graph.base_arc_count; a++) {
        struct ht_speeds_keys keys = ht_learn_keys(&s->base, a);
        double ratio = 0.5 + ht_random_below(&s->state, 30) / 10.0;
        for (uint32_t trip = 0; trip < 6 && ht_random_below(&s->state, 3) > 0; trip++) {
            const struct ht_speeds_drive d = {ht_random_below(&s->state, 4), 20000, a * 8 + trip,
                                              ratio};
            need(ht_speeds_take(speeds, &keys, &d) == HT_OK);
        }
    }
}

HT_CASE(costs_are_those_of_a_look_at_each_arc)
{
    size_t by[HT_SPEEDS_SOURCES] = {0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scene s;
        struct ht_speeds *speeds = NULL;
        scene_init(&s, seed);
        const struct ht_graph *g = &s.town->graph;
        struct ht_arc *arcs = ht_town_alloc(g->arc_count, sizeof *arcs);
        need(ht_speeds_new(100000, &speeds) == HT_OK);
        know_some(&s, speeds);
        memcpy(arcs, g->arcs, g->arc_count * sizeof *arcs);
        struct ht_learned l = ht_learn_costs(speeds, &s.base, 2, 3, arcs);
        double filed = 0;
        double now = 0;
        for (uint32_t a = 0; a < g->arc_count; a++) {
            struct ht_speeds_keys keys = ht_learn_keys(&s.base, ht_arc_base(g, a));
            double ratio = ht_speeds_find(speeds, &keys, 2, 3).ratio;
            HT_CHECK_INT(arcs[a].duration_ms, (uint32_t)(g->arcs[a].duration_ms * ratio + 0.5));
            HT_CHECK_INT(arcs[a].weight_ms, (uint32_t)(g->arcs[a].weight_ms * ratio + 0.5));
            filed += a < g->base_arc_count ? g->arcs[a].duration_ms : 0;
            now += a < g->base_arc_count ? arcs[a].duration_ms : 0;
        }
        HT_CHECK(fabs(l.ratio - now / filed) < 1e-9);
        for (int i = 0; i < HT_SPEEDS_SOURCES; i++) {
            by[i] += l.by[i];
        }
        free(arcs);
        ht_speeds_free(speeds);
        scene_deinit(&s);
    }
    HT_CHECK(by[HT_SPEEDS_OWN] > 0 && by[HT_SPEEDS_TIMES] > 0 && by[HT_SPEEDS_AREA] > 0);
}

HT_CASE(short_memory_loses_a_unit_not_the_table_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed && n < 400; n++) {
        struct stage s;
        enum ht_learn_outcome outcome = HT_LEARN_TAKEN;
        enum ht_status status = HT_OK;
        stage_init(&s);
        ht_oom_arm(n);
        for (int i = 0; status == HT_OK && i < 30; i++) {
            const struct ht_learn_fix fix = {
                .point = ht_point_between(s.town->points[s.town->node_of['a']],
                                          s.town->points[s.town->node_of['f']], i / 30.0),
                .ts_ms = MONDAY_8 + i * 5000,
                .local_ms = MONDAY_8 + i * 5000,
                .accuracy_m = -1};
            status = ht_learn_take(s.learn, &s.road.road, &fix, s.speeds, &outcome);
        }
        failed = ht_oom_disarm();
        HT_CHECK(status == HT_OK || (failed && status == HT_NOMEM && outcome == HT_LEARN_LOST));
        refused += status != HT_OK;
        struct drive d = {{10, 10, 10, 10, 10}, 0, 5000, 0};
        (void)drive_road(&s, 1, MONDAY_8 + 3600000, &d);
        HT_CHECK(ht_learn_drives(s.learn) >= 3);
        stage_deinit(&s);
    }
    HT_CHECK(!failed && refused > 10);
}

HT_MAIN()
