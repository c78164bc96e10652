/* Avoid: what it takes to keep one question off some hundred arcs, beside a whole customization
 * without them.
 *
 *   bench_avoid [RESULT.json [NETWORK.hnet [PROFILE]]]
 *
 * `drawn`: a box around the middle of a cheapest way between two random places, as large as it
 * takes to touch so many arcs; `scattered`: single random arcs, all over the network. Each question
 * is another one; the road is made before the first (printed once).
 *
 *   cuts       finding the pieces (ht_cuts_find; scattered ones are known)
 *   road       taking the last question back and cutting this one's pieces (ht_detours_get)
 *   route      cuts and road, and then the way (ht_query_path): what a route takes in all
 *   table      cuts and road, and then 25 x 25 costs (ht_matrix_run, one thread)
 *   guided     a light road, and then the way by a search that the uncut metric guides (thread's
 *              own time), and how many estimates that took: what a route takes first
 *   again      the same question once more: the road is found
 *   whole      ht_customize without the arcs, by two threads: what was there before
 *   untouched  share of ways that the question leaves as they are
 *
 * Every way's cost is held against the whole customization's, and some against Dijkstra.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "bench/server.h"
#include "engine/base/array.h"
#include "engine/live/detour.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "geodata/hnet.h"

enum { ASKS = 40, WHOLE = 4, SIDE = 25, ORACLE = 2 };

static FILE *json;

struct bench {
    struct ht_road road;
    struct ht_world_road now;
    struct ht_detours *detours;
    struct ht_query *query;
    struct ht_query *guided;
    struct ht_matrix *matrix;
    struct ht_snap_work *snap;
    struct ht_pool *pool;
    uint64_t state;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Of this thread alone: the machine may be busy. */
static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void need(enum ht_status status, const char *what)
{
    if (status != HT_OK) {
        (void)fprintf(stderr, "bench_avoid: %s: %s\n", what, ht_status_text(status));
        exit(1);
    }
}

static uint32_t below(struct bench *b, uint32_t bound)
{
    b->state ^= b->state << 13;
    b->state ^= b->state >> 7;
    b->state ^= b->state << 17;
    return (uint32_t)(b->state % bound);
}

static void row(const char *name, double value, const char *unit)
{
    static const char *comma = "";
    (void)printf("%-44s %10.3f %s\n", name, value, unit);
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json, "%s{\"name\":\"%s\",\"value\":%.4f,\"unit\":\"%s\"}", comma, name,
                      value, unit);
        comma = ",";
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Median, and the worst of 40. */
static void series(const char *kind, uint32_t arcs, const char *what, double *ms, size_t count)
{
    char name[128];
    qsort(ms, count, sizeof *ms, by_value);
    (void)snprintf(name, sizeof name, "%s, %u arcs: %s, p50", kind, arcs, what);
    row(name, ms[count / 2], "ms");
    (void)snprintf(name, sizeof name, "%s, %u arcs: %s, max", kind, arcs, what);
    row(name, ms[count - 1], "ms");
}

/* A place off the islands, at a random junction. */
static struct ht_place random_place(struct bench *b)
{
    struct ht_place two[2];
    uint32_t found = 0;
    struct ht_snap_options options = ht_snap_options_default();
    const struct ht_arc *arc = &b->road.graph->arcs[below(b, b->road.graph->base_arc_count)];
    need(ht_snap_trip(b->road.snap, b->snap, ht_arc_point(b->road.network, arc, 0), &options, two,
                      &found),
         "snap");
    return two[found - 1];
}

static uint32_t arcs_in(const struct ht_cuts *cuts)
{
    uint32_t count = 0;
    for (size_t i = 0; i < cuts->count; i++) {
        count += i == 0 || cuts->list[i - 1].arc != cuts->list[i].arc;
    }
    return count;
}

static void box_cuts(struct bench *b, struct ht_point center, int32_t half_e7, struct ht_cuts *cuts)
{
    const struct ht_cut_streets streets = {b->road.network, b->road.graph, b->road.snap};
    struct ht_point low = {center.lon_e7 - half_e7, center.lat_e7 - half_e7};
    struct ht_point high = {center.lon_e7 + half_e7, center.lat_e7 + half_e7};
    const struct ht_point ring[] = {
        low, {high.lon_e7, low.lat_e7}, high, {low.lon_e7, high.lat_e7}, low};
    const uint32_t ring_end = 5;
    const uint32_t polygon_end = 1;
    const struct ht_rings rings = {ring, &ring_end, &polygon_end, 1};
    struct ht_border *border = NULL;
    cuts->count = 0;
    need(ht_border_new(&rings, &border), "border");
    need(ht_cuts_find(&streets, border, HT_CUT_ALL, cuts), "cuts");
    ht_cuts_once(cuts);
    ht_border_free(border);
}

/* One question: two places, and what to keep off. */
struct ask {
    struct ht_place from;
    struct ht_place to;
    struct ht_point center; /* drawn */
    int32_t half_e7;
    struct ht_cuts cuts;
    bool touched; /* the way leads over it */
};

static void ask_draw(struct bench *b, struct ask *ask, uint32_t arcs)
{
    struct ht_way_found way;
    enum ht_status status = HT_NO_ROUTE;
    while (status != HT_OK) {
        ask->from = random_place(b);
        ask->to = random_place(b);
        status = ht_query_path(b->query, &b->road, &ask->from, HT_SIDES_BOTH, &ask->to,
                               HT_SIDES_BOTH, &way);
    }
    uint32_t middle = way.arcs[way.arc_count / 2];
    ask->center = ht_arc_point(b->road.network, &b->road.graph->arcs[middle], 0);
    for (ask->half_e7 = 4000; arcs_in(&ask->cuts) < arcs; ask->half_e7 += ask->half_e7 / 8) {
        box_cuts(b, ask->center, ask->half_e7, &ask->cuts);
    }
    ask->half_e7 -= ask->half_e7 / 9; /* as it was at the last try, or nearly */
}

static void ask_scatter(struct bench *b, struct ask *ask, uint32_t arcs)
{
    ask->from = random_place(b);
    ask->to = random_place(b);
    ask->half_e7 = 0;
    ask->cuts.count = 0;
    for (uint32_t i = 0; i < arcs; i++) {
        const struct ht_cut cut = {below(b, b->road.graph->base_arc_count), 0};
        need(ht_cuts_add(&ask->cuts, &cut, 1), "cuts");
    }
    ht_cuts_once(&ask->cuts);
}

static bool is_cut(const struct ask *ask, uint32_t arc)
{
    for (size_t i = 0; i < ask->cuts.count; i++) {
        if (ask->cuts.list[i].arc == arc) {
            return true;
        }
    }
    return false;
}

/* ---- the measure ---- */

struct times {
    double cuts[ASKS];
    double road[ASKS];
    double route[ASKS];
    double table[ASKS];
    double again[ASKS];
    double guided[ASKS];
    double looked[ASKS];
    double whole[WHOLE];
};

static struct ht_detour *detour_get(struct bench *b, const struct ask *ask)
{
    const struct ht_detour_ask wanted = {
        .now = &b->now, .cuts = ask->cuts.list, .cut_count = ask->cuts.count};
    struct ht_detour *detour = NULL;
    need(ht_detours_get(b->detours, &wanted, b->pool, &detour), "detour");
    return detour;
}

static void table_run(struct bench *b, const struct ht_road *road)
{
    static struct ht_place places[2 * SIDE];
    static struct ht_cost costs[SIDE * SIDE];
    for (int i = 0; i < 2 * SIDE; i++) {
        places[i] = random_place(b);
        ht_place_refresh(road->graph, &places[i]);
    }
    need(ht_matrix_run(b->matrix, road, NULL, places, SIDE, places + SIDE, SIDE, costs, NULL),
         "table");
}

/* `a` NULL: there is none, so there is nothing to compare. */
static bool same(const struct ht_way_found *a, const struct ht_way_found *b)
{
    return a == NULL ||
           (a->cost.weight_ms == b->cost.weight_ms && a->cost.duration_ms == b->cost.duration_ms &&
            a->cost.length_mm == b->cost.length_mm);
}

/* The same way by a whole customization (with the arcs' own costs, so that places on them obey),
 * and by Dijkstra. */
static void hold(struct bench *b, const struct ask *ask, const struct ht_road *road,
                 const struct ht_way_found *got, double *ms, bool oracle)
{
    struct ht_metric_owned *metric = NULL;
    struct ht_road other = *road;
    struct ht_way_found way = {0};
    double begin = now_ms();
    need(ht_customize(road->graph, road->cch, NULL, b->pool, &metric), "customize");
    *ms = now_ms() - begin;
    other.metric = ht_metric_view(metric);
    bool there = ht_query_cost(b->query, &other, &ask->from, HT_SIDES_BOTH, &ask->to, HT_SIDES_BOTH,
                               &way) == HT_OK;
    need(there == (got != NULL) && same(got, &way) ? HT_OK : HT_INVALID, "a whole one says other");
    ht_metric_free(metric);
    if (oracle) {
        struct ht_dijkstra *dijkstra = NULL;
        need(ht_dijkstra_new(road->graph, &dijkstra), "dijkstra");
        need(ht_dijkstra_run(dijkstra, &ask->from, &ask->to, 1, NULL, &way.cost), "dijkstra");
        there = way.cost.weight_ms < HT_WEIGHT_INF;
        need(there == (got != NULL) && same(got, &way) ? HT_OK : HT_INVALID, "Dijkstra says other");
        ht_dijkstra_free(dijkstra);
    }
}

/* The same way by a search that the uncut metric guides, from nothing. */
static void guided_run(struct bench *b, const struct ask *ask, const struct ht_way_found *want,
                       struct times *times, int i)
{
    const struct ht_detour_ask wanted = {
        .now = &b->now, .cuts = ask->cuts.list, .cut_count = ask->cuts.count, .light = true};
    struct ht_detour *detour = NULL;
    struct ht_way_found way = {0};
    need(ht_query_guide(b->guided, UINT32_MAX), "guide");
    double begin = cpu_ms();
    need(ht_detours_get(b->detours, &wanted, NULL, &detour), "light road");
    enum ht_status status = ht_query_path(b->guided, ht_detour_road(detour), &ask->from,
                                          HT_SIDES_BOTH, &ask->to, HT_SIDES_BOTH, &way);
    times->guided[i] = cpu_ms() - begin;
    need((status == HT_OK) == (want != NULL) && same(want, &way) ? HT_OK : HT_INVALID,
         "guided says other");
    times->looked[i] = ht_query_guided_looked(b->guided);
    ht_detour_release(detour);
}

static void ask_run(struct bench *b, struct ask *ask, struct times *times, int i)
{
    struct ht_way_found way = {0};
    double begin = now_ms();
    if (ask->half_e7 > 0) {
        box_cuts(b, ask->center, ask->half_e7, &ask->cuts);
    }
    double found = now_ms();
    struct ht_detour *detour = detour_get(b, ask);
    const struct ht_road *road = ht_detour_road(detour);
    double made = now_ms();
    ht_place_refresh(road->graph, &ask->from);
    ht_place_refresh(road->graph, &ask->to);
    bool there = ht_query_path(b->query, road, &ask->from, HT_SIDES_BOTH, &ask->to, HT_SIDES_BOTH,
                               &way) == HT_OK;
    double routed = now_ms();
    times->cuts[i] = found - begin;
    times->road[i] = made - found;
    times->route[i] = routed - begin;
    guided_run(b, ask, there ? &way : NULL, times, i);
    double table_begin = now_ms();
    table_run(b, road);
    times->table[i] = now_ms() - table_begin + made - begin;
    double again = now_ms();
    struct ht_detour *same_one = detour_get(b, ask);
    times->again[i] = now_ms() - again;
    need(same_one == detour ? HT_OK : HT_INVALID, "the road was not found again");
    ht_detour_release(same_one);
    if (i < WHOLE) {
        hold(b, ask, road, there ? &way : NULL, &times->whole[i], i < ORACLE);
    }
    ht_detour_release(detour);
}

static void measure(struct bench *b, bool drawn, uint32_t arcs)
{
    static struct times times;
    const char *kind = drawn ? "drawn" : "scattered";
    char name[128];
    uint32_t untouched = 0;
    double sum = 0;
    struct ask ask = {0};
    for (int i = 0; i < ASKS; i++) {
        ask.cuts.count = 0;
        if (drawn) {
            ask_draw(b, &ask, arcs);
        } else {
            ask_scatter(b, &ask, arcs);
        }
        struct ht_way_found way;
        bool touched = false;
        if (ht_query_path(b->query, &b->road, &ask.from, HT_SIDES_BOTH, &ask.to, HT_SIDES_BOTH,
                          &way) == HT_OK) {
            for (uint32_t k = 0; k < way.arc_count && !touched; k++) {
                touched = is_cut(&ask, ht_arc_base(b->road.graph, way.arcs[k]));
            }
        }
        untouched += !touched;
        ask_run(b, &ask, &times, i);
        sum += arcs_in(&ask.cuts);
    }
    (void)snprintf(name, sizeof name, "%s, %u arcs: arcs cut, mean", kind, arcs);
    row(name, sum / ASKS, "");
    series(kind, arcs, "cuts", times.cuts, ASKS);
    series(kind, arcs, "road", times.road, ASKS);
    series(kind, arcs, "route", times.route, ASKS);
    series(kind, arcs, "guided", times.guided, ASKS);
    series(kind, arcs, "estimates (not ms)", times.looked, ASKS);
    series(kind, arcs, "table", times.table, ASKS);
    series(kind, arcs, "again", times.again, ASKS);
    series(kind, arcs, "whole", times.whole, WHOLE);
    (void)snprintf(name, sizeof name, "%s, %u arcs: untouched", kind, arcs);
    row(name, (double)untouched / ASKS, "");
    ht_cuts_deinit(&ask.cuts);
}

static void bench_open(struct bench *b, struct ht_hnet *file, const char *profile)
{
    struct ht_error error = {0};
    need(ht_hnet_road(file, profile, b->pool, &b->road, &error), error.message);
    need(ht_hnet_check_rest(file, profile, b->pool, &error), error.message);
    b->now = (struct ht_world_road){.road = b->road, .version = ht_world_version()};
    b->state = UINT64_C(88172645463325252);
    need(ht_query_new(&b->query), "query");
    need(ht_query_new(&b->guided), "query");
    need(ht_matrix_new(&b->matrix), "matrix");
    need(ht_snap_work_new(&b->snap), "snap");
    need(ht_detours_new(&b->road, &b->detours), "detours");
    struct ask none = {0};
    double begin = now_ms();
    ht_detour_release(detour_get(b, &none));
    row("the first road", now_ms() - begin, "ms");
    const struct ht_detour_ask light = {.now = &b->now, .light = true};
    struct ht_detour *detour = NULL;
    begin = now_ms();
    need(ht_detours_get(b->detours, &light, NULL, &detour), "light road");
    row("the first light road", now_ms() - begin, "ms");
    ht_detour_release(detour);
}

int main(int argc, char **argv)
{
    const char *network = argc > 2 ? argv[2] : ht_bench_city();
    struct ht_error error = {0};
    struct ht_hnet *file = NULL;
    struct bench b = {0};
    if (network == NULL) {
        (void)printf("avoid  skipped: there is no city\n");
        return 0;
    }
    need(ht_hnet_open(network, &file, &error), network);
    need(ht_pool_new(2, &b.pool), "pool");
    json = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"rows\":[");
    }
    bench_open(&b, file, argc > 3 ? argv[3] : ht_hnet_profile(file, 0));
    static const uint32_t sizes[] = {100, 300, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        measure(&b, true, sizes[i]);
        measure(&b, false, sizes[i]);
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        (void)fclose(json);
    }
    ht_detours_free(b.detours);
    ht_snap_work_free(b.snap);
    ht_matrix_free(b.matrix);
    ht_query_free(b.query);
    ht_query_free(b.guided);
    ht_pool_free(b.pool);
    ht_hnet_close(file);
    return 0;
}
