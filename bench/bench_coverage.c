/* Coverage: milliseconds until it is known whom 40 units reach of 20,000 households, beside the
 * same by the plain matrix.
 *
 *   bench_coverage [RESULT.json [NETWORK.hnet [PROFILE ...]]]
 *
 * Without NETWORK: ht_bench_city. Households lie within some 40 m of junctions of one district
 * (a square of 8 km), units beside others of it. All times are of this thread's CPU, since machines
 * have other users: the median and the most of the rounds.
 *
 *   scene     households put on the streets of the map: once for a registry, at start
 *   again     those put anew whose street was closed, and all made ready for the sweep
 *   first     again, and all units: what the first question after a closure waits for, and the
 *             first of all; bound: 20 ms
 *   all       every unit has moved
 *   ten, one  so many have
 *   none      nobody has
 *   matrix    ht_matrix_run from all units to all households, and a look at each
 *   bits that differ between the two: none
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "bench/server.h"
#include "engine/base/array.h"
#include "engine/live/coverage.h"
#include "engine/live/traffic.h"
#include "engine/road/isochrone.h"
#include "engine/road/matrix.h"
#include "geodata/hnet.h"

enum { HOMES = 20000, UNITS = 40, ROUNDS = 21, MATRIX_ROUNDS = 3, NEAR_E7 = 400000, LIMITS = 3 };

static const uint32_t limits_ms[LIMITS] = {300 * 1000, 600 * 1000, 1200 * 1000};

static FILE *json;

struct bench {
    struct ht_road road;
    const struct ht_road *roads[1];
    const struct ht_reach_targets *list[1];
    struct ht_reach_targets *targets;
    struct ht_isochrone_streets *streets;
    struct ht_coverage *coverage;
    struct ht_matrix *matrix;
    struct ht_point homes[HOMES];
    struct ht_place filed[HOMES]; /* on the map's streets */
    struct ht_place places[HOMES];
    struct ht_coverage_unit units[UNITS];
    struct ht_cost *costs;
    uint32_t *district; /* its junctions */
    uint32_t district_count;
    struct ht_snap_work *snap;
    uint64_t scene;
    uint64_t state;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void need(enum ht_status status, const char *what)
{
    if (status != HT_OK) {
        (void)fprintf(stderr, "bench_coverage: %s: %s\n", what, ht_status_text(status));
        exit(1);
    }
}

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(((*state * UINT64_C(2685821657736338717)) >> 33) * bound >> 31);
}

static struct ht_point junction_point(const struct bench *b, uint32_t junction)
{
    return b->road.network->node_point[b->road.graph->junction_node[junction]];
}

/* The junctions around one that has enough of them. */
static void district_find(struct bench *b)
{
    const struct ht_graph *graph = b->road.graph;
    b->district = ht_array_new(graph->junction_count, sizeof *b->district);
    need(b->district == NULL ? HT_NOMEM : HT_OK, "district");
    for (int tries = 0; tries < 100 && b->district_count < 2000; tries++) {
        struct ht_point middle = junction_point(b, random_below(&b->state, graph->junction_count));
        b->district_count = 0;
        for (uint32_t j = 0; j < graph->junction_count; j++) {
            struct ht_point p = junction_point(b, j);
            if (abs(p.lon_e7 - middle.lon_e7) < NEAR_E7 &&
                abs(p.lat_e7 - middle.lat_e7) < NEAR_E7) {
                b->district[b->district_count++] = j;
            }
        }
    }
}

static struct ht_point spot(struct bench *b)
{
    struct ht_point p = junction_point(b, b->district[random_below(&b->state, b->district_count)]);
    p.lon_e7 += (int32_t)random_below(&b->state, 8000) - 4000;
    p.lat_e7 += (int32_t)random_below(&b->state, 8000) - 4000;
    return p;
}

static void unit_move(struct bench *b, uint32_t u)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    need(ht_snap_trip(b->road.snap, b->snap, spot(b), &options, two, &found), "unit");
    b->units[u] = (struct ht_coverage_unit){u, 0, two[found - 1]};
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void tell(const struct bench *b, uint32_t limit_ms, const char *what, double *ms,
                 size_t count)
{
    qsort(ms, count, sizeof *ms, by_value);
    (void)printf("%-10s %5u s  %-7s %8.3f ms  most %8.3f\n", b->road.graph->profile,
                 limit_ms / 1000, what, ms[count / 2], ms[count - 1]);
    if (json != NULL) {
        static bool comma;
        (void)fprintf(json,
                      "%s{\"profile\":\"%s\",\"limit_s\":%u,\"what\":\"%s\",\"median_ms\":%.4f,"
                      "\"most_ms\":%.4f}",
                      comma ? "," : "", b->road.graph->profile, limit_ms / 1000, what,
                      ms[count / 2], ms[count - 1]);
        comma = true;
    }
}

static void run(struct bench *b, uint32_t limit_ms)
{
    const struct ht_coverage_ask ask = {.scene = b->scene,
                                        .limit_ms = limit_ms,
                                        .profile_count = 1,
                                        .roads = b->roads,
                                        .targets = b->list,
                                        .place_count = HOMES,
                                        .units = b->units,
                                        .unit_count = UNITS};
    need(ht_coverage_run(b->coverage, &ask), "coverage");
}

static void bench_moved(struct bench *b, uint32_t limit_ms, const char *what, uint32_t moved)
{
    double ms[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        for (uint32_t u = 0; u < moved; u++) {
            unit_move(b, u);
        }
        double begin = now_ms();
        run(b, limit_ms);
        ms[r] = now_ms() - begin;
    }
    tell(b, limit_ms, what, ms, ROUNDS);
}

/* The plain way; counts what differs. */
static size_t bench_matrix(struct bench *b, uint32_t limit_ms, size_t *covered)
{
    double ms[MATRIX_ROUNDS];
    struct ht_place sources[UNITS];
    size_t differ = 0;
    for (int u = 0; u < UNITS; u++) {
        sources[u] = b->units[u].place;
    }
    for (int r = 0; r < MATRIX_ROUNDS; r++) {
        double begin = now_ms();
        need(ht_matrix_run(b->matrix, &b->road, NULL, sources, UNITS, b->places, HOMES, b->costs,
                           NULL),
             "matrix");
        *covered = 0;
        for (size_t h = 0; h < HOMES; h++) {
            bool in = false;
            for (size_t u = 0; u < UNITS; u++) {
                const struct ht_cost *cost = &b->costs[u * HOMES + h];
                in = in || (cost->weight_ms < HT_WEIGHT_INF && cost->duration_ms <= limit_ms);
            }
            *covered += in;
        }
        ms[r] = now_ms() - begin;
    }
    for (size_t i = 0; i < (size_t)UNITS * HOMES; i++) {
        const struct ht_cost *cost = &b->costs[i];
        bool in = cost->weight_ms < HT_WEIGHT_INF && cost->duration_ms <= limit_ms;
        const uint64_t *set = ht_coverage_set(b->coverage, (uint32_t)(i / HOMES));
        differ += in != ((set[i % HOMES / 64] >> i % HOMES % 64 & 1) != 0);
    }
    tell(b, limit_ms, "matrix", ms, MATRIX_ROUNDS);
    return differ;
}

/* Closes a street on which a household lies, and opens the one before. */
static struct ht_live_road *street_close(struct bench *b, struct ht_traffic *traffic,
                                         uint32_t *before)
{
    struct ht_live_road *live = NULL;
    const struct ht_place *place = &b->filed[random_below(&b->state, HOMES)];
    uint32_t arc = place->side[place->side[0].arc == HT_NONE ? 1 : 0].arc;
    uint32_t last = ht_arc_point_count(&b->road.graph->arcs[arc]) - 1;
    struct ht_traffic_change changes[2] = {{arc, 0, last, HT_SPEED_CLOSED}};
    size_t count = 1;
    if (*before != HT_NONE && *before != arc) {
        uint32_t end = ht_arc_point_count(&b->road.graph->arcs[*before]) - 1;
        changes[count++] = (struct ht_traffic_change){*before, 0, end, HT_SPEED_AS_FILED};
    }
    *before = arc;
    need(ht_traffic_apply(traffic, changes, count, NULL, NULL, &live), "traffic");
    return live;
}

/* What the first question waits for, each time after another street was closed. */
static void first_measure(struct bench *b)
{
    enum { FIRSTS = 21, BOUND_MS = 20 };
    double again_ms[FIRSTS];
    double first_ms[FIRSTS];
    uint32_t before = HT_NONE;
    struct ht_traffic *traffic = NULL;
    need(ht_traffic_new(&b->road, &traffic), "traffic");
    need(ht_traffic_prepare(traffic, NULL), "traffic");
    for (int r = 0; r < FIRSTS; r++) {
        struct ht_live_road *live = street_close(b, traffic, &before);
        const struct ht_road *road = &live->view.road;
        b->scene++;
        b->roads[0] = road;
        ht_reach_targets_free(b->targets);
        double begin = now_ms();
        ht_coverage_snap_again(road, b->homes, HOMES, -1, b->filed, b->places);
        need(ht_reach_targets_new(road, ht_isochrone_regions(b->streets), b->places, HOMES,
                                  &b->targets),
             "targets");
        again_ms[r] = now_ms() - begin;
        b->list[0] = b->targets;
        run(b, limits_ms[1]);
        first_ms[r] = now_ms() - begin;
        ht_live_road_release(live);
    }
    ht_traffic_free(traffic);
    tell(b, 0, "again", again_ms, FIRSTS);
    tell(b, limits_ms[1], "first", first_ms, FIRSTS);
    (void)printf("%-10s first: bound %d ms%s\n", b->road.graph->profile, BOUND_MS,
                 first_ms[FIRSTS / 2] <= BOUND_MS ? "" : ", MISSED");
}

static void scene_make(struct bench *b)
{
    double ms[5];
    for (uint32_t u = 0; u < UNITS; u++) {
        unit_move(b, u);
    }
    for (int r = 0; r < 5; r++) {
        double begin = now_ms();
        ht_coverage_snap(&b->road, b->homes, HOMES, -1, NULL, b->filed);
        ms[r] = now_ms() - begin;
    }
    tell(b, 0, "scene", ms, 5);
    first_measure(b);
    b->roads[0] = &b->road;
    b->scene++;
    ht_reach_targets_free(b->targets);
    memcpy(b->places, b->filed, sizeof b->places);
    need(ht_reach_targets_new(&b->road, ht_isochrone_regions(b->streets), b->places, HOMES,
                              &b->targets),
         "targets");
    b->list[0] = b->targets;
    (void)printf("%-10s %u junctions in the district, %zu vertices above households\n",
                 b->road.graph->profile, b->district_count, ht_reach_targets_vertices(b->targets));
}

static void bench_profile(const struct ht_road *road)
{
    static struct bench b;
    size_t covered = 0;
    b = (struct bench){.road = *road, .state = 20261126, .scene = 1};
    b.roads[0] = &b.road;
    b.costs = ht_array_new((size_t)UNITS * HOMES, sizeof *b.costs);
    need(b.costs == NULL ? HT_NOMEM : HT_OK, "memory");
    need(ht_isochrone_streets_new(road->cch, &b.streets), "regions");
    need(ht_coverage_new(&b.coverage), "coverage");
    need(ht_matrix_new(&b.matrix), "matrix");
    need(ht_snap_work_new(&b.snap), "snap");
    district_find(&b);
    for (int h = 0; h < HOMES; h++) {
        b.homes[h] = spot(&b);
    }
    scene_make(&b);
    for (size_t l = 0; l < LIMITS; l++) {
        bench_moved(&b, limits_ms[l], "all", UNITS);
        bench_moved(&b, limits_ms[l], "ten", 10);
        bench_moved(&b, limits_ms[l], "one", 1);
        bench_moved(&b, limits_ms[l], "none", 0);
        size_t differ = bench_matrix(&b, limits_ms[l], &covered);
        (void)printf("%-10s %5u s  %zu of %d covered, %zu bits differ\n", road->graph->profile,
                     limits_ms[l] / 1000, covered, HOMES, differ);
        need(differ == 0 ? HT_OK : HT_INVALID, "the two ways differ");
    }
    ht_snap_work_free(b.snap);
    ht_matrix_free(b.matrix);
    ht_coverage_free(b.coverage);
    ht_reach_targets_free(b.targets);
    ht_isochrone_streets_free(b.streets);
    free(b.costs);
    free(b.district);
}

int main(int argc, char **argv)
{
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    const char *network = argc > 2 ? argv[2] : ht_bench_city();
    const char *const usual[] = {"car", "emergency"};
    need(ht_hnet_open(network, &file, &error), network);
    json = fopen(argc > 1 ? argv[1] : "bench/results/coverage.json", "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"bench\":\"coverage\",\"homes\":%d,\"units\":%d,\"runs\":[", HOMES,
                      UNITS);
    }
    int count = argc > 3 ? argc - 3 : (int)(sizeof usual / sizeof *usual);
    for (int i = 0; i < count; i++) {
        struct ht_road road;
        const char *profile = argc > 3 ? argv[3 + i] : usual[i];
        need(ht_hnet_road(file, profile, NULL, &road, &error), profile);
        need(ht_hnet_check_rest(file, profile, NULL, &error), profile);
        bench_profile(&road);
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        (void)fclose(json);
    }
    ht_hnet_close(file);
    return 0;
}
