/* The core on real streets: what the README's table of speed and memory says, printed beside its
 * bounds.
 *
 *   bench_route [RESULT.json]            BENCH_TOWN=Milan|city: one of the two;
 *                                        BENCH_NETWORK=FILE.hnet: that file, no import
 *
 * On Milan and on the city (made by `houtao sample --scale city` where ../shared/data is missing):
 * import by the binary in a process of its own (wall time, peak memory), open to first answer (a
 * whole `houtao route`), what a `houtao serve` of all five profiles keeps resident, then in
 * process, one thread, thread CPU time for each call: nearest, route without and with geometry and
 * steps (whole OSRM answers, JSON included), tables, a new metric, one closed street, and plain
 * Dijkstra as the oracle beside them. The points are those that lie beside the city, or random
 * streets.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/json.h"
#include "api/osrm.h"
#include "bench/origin.h"
#include "bench/resident.h"
#include "bench/times.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "geodata/hnet.h"

struct bench {
    const char *town;
    const char *streets;
    char file[512]; /* network of `car` */
    char five[512]; /* of all profiles */
    bool is_city;
    struct ht_hnet *hnet;
    struct ht_road road;
    struct ht_point *points;
    size_t point_count;
    struct ht_place *places;
    struct ht_json *json;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_route: %s\n", what);
    exit(1);
}

/* One row: figure, unit, and the bound on the city (0: none). */
static void row(const struct bench *b, const char *name, double value, const char *unit,
                double bound)
{
    (void)printf("%-6s %-44s %10.3f %-3s", b->town, name, value, unit);
    if (bound > 0 && b->is_city) {
        (void)printf("  bound %8.1f  %s", bound, value <= bound ? "kept" : "MISSED");
    }
    (void)printf("\n");
    (void)fflush(stdout);
    ht_json_object(b->json);
    ht_json_key_text(b->json, "town", b->town);
    ht_json_key_text(b->json, "name", name);
    ht_json_key_double(b->json, "value", value, 4);
    ht_json_key_text(b->json, "unit", unit);
    if (b->is_city && bound > 0) {
        ht_json_key_double(b->json, "bound", bound, 1);
    }
    ht_json_object_end(b->json);
}

/* Runs the binary; wall seconds, peak MB. Output goes to a scratch file. */
static double run_binary(char *const argv[], double *peak_mb)
{
    double start = ht_bench_now_us(CLOCK_MONOTONIC);
    pid_t pid = fork();
    if (pid == 0) {
        int out = open("/dev/null", O_WRONLY);
        (void)dup2(out, STDOUT_FILENO);
        (void)dup2(out, STDERR_FILENO);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        die("the binary failed");
    }
    *peak_mb = (double)usage.ru_maxrss / 1024.0;
    return (ht_bench_now_us(CLOCK_MONOTONIC) - start) / 1e6;
}

static void bench_import(struct bench *b, char *binary)
{
    char *car[] = {binary,
                   (char *)(uintptr_t) "import",
                   (char *)(uintptr_t)b->streets,
                   (char *)(uintptr_t) "-o",
                   b->file,
                   (char *)(uintptr_t) "--profiles",
                   (char *)(uintptr_t) "car",
                   NULL};
    char *five[] = {binary,
                    (char *)(uintptr_t) "import",
                    (char *)(uintptr_t)b->streets,
                    (char *)(uintptr_t) "-o",
                    b->five,
                    NULL};
    double peak = 0;
    double seconds = run_binary(car, &peak);
    row(b, "import of car", seconds, "s", 45);
    row(b, "import of car, peak memory", peak, "MB", 1000);
    seconds = run_binary(five, &peak);
    row(b, "import of all five", seconds, "s", 150);
    row(b, "import of all five, peak memory", peak, "MB", 1000);
}

static void bench_first_answer(struct bench *b, char *binary)
{
    char from[64];
    char to[64];
    (void)snprintf(from, sizeof from, "%.6f,%.6f", b->points[0].lon_e7 * 1e-7,
                   b->points[0].lat_e7 * 1e-7);
    (void)snprintf(to, sizeof to, "%.6f,%.6f", b->points[1].lon_e7 * 1e-7,
                   b->points[1].lat_e7 * 1e-7);
    char *route[] = {binary,
                     (char *)(uintptr_t) "route",
                     b->file,
                     (char *)(uintptr_t) "--profile",
                     (char *)(uintptr_t) "car",
                     from,
                     to,
                     NULL};
    double times[9];
    double peak = 0;
    for (size_t i = 0; i < 9; i++) {
        times[i] = run_binary(route, &peak) * 1e3;
    }
    row(b, "process start to first answer, median", ht_bench_at_share(times, 9, 0.5), "ms", 50);
}

/* What a server of all five profiles keeps resident. */
static void bench_resident(struct bench *b)
{
    struct ht_bench_resident mb = ht_bench_resident(b->five, b->points, b->point_count);
    row(b, "five profiles served, resident", mb.plain_mb, "MB", 1500);
    row(b, "the same after geometry and steps", mb.steps_mb, "MB", 1500);
}

static struct ht_point random_point(const struct ht_road *road, uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    const struct ht_graph *graph = road->graph;
    uint32_t junction = (uint32_t)(*state % graph->junction_count);
    struct ht_point p = road->network->node_point[graph->junction_node[junction]];
    p.lon_e7 += (int32_t)(*state >> 40 & 1023) - 512;
    p.lat_e7 += (int32_t)(*state >> 50 & 1023) - 512;
    return p;
}

static void read_points(struct bench *b, const char *path)
{
    enum { POINTS = 20000 };
    FILE *in = path == NULL ? NULL : fopen(path, "r");
    uint64_t state = 88172645463325252U;
    char line[128];
    b->points = calloc(POINTS, sizeof *b->points);
    b->places = calloc(POINTS, sizeof *b->places);
    if (b->points == NULL || b->places == NULL) {
        die("out of memory");
    }
    while (b->point_count < POINTS) {
        struct ht_point p;
        if (in == NULL) {
            p = random_point(&b->road, &state);
        } else if (fgets(line, sizeof line, in) == NULL) {
            break;
        } else {
            char *end = NULL;
            double lon = strtod(line, &end);
            double lat = strtod(end, NULL);
            p = (struct ht_point){(int32_t)lround(lon * 1e7), (int32_t)lround(lat * 1e7)};
        }
        b->points[b->point_count++] = p;
    }
    if (in != NULL) {
        (void)fclose(in);
    }
}

static void bench_nearest(struct bench *b)
{
    struct ht_snap_work *work = NULL;
    struct ht_snap_options options = ht_snap_options_default();
    if (ht_snap_work_new(&work) != HT_OK) {
        die("out of memory");
    }
    double best = INFINITY;
    for (int round = 0; round < 3; round++) {
        double start = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < b->point_count; i++) {
            struct ht_place two[2];
            uint32_t found = 0;
            if (ht_snap_trip(b->road.snap, work, b->points[i], &options, two, &found) != HT_OK) {
                die("a point has no street");
            }
            b->places[i] = two[found - 1];
        }
        double us = (ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - start) / (double)b->point_count;
        best = us < best ? us : best;
    }
    row(b, "nearest, mean", best, "us", 5);
    ht_snap_work_free(work);
}

static void bench_query(struct bench *b)
{
    struct ht_query *query = NULL;
    struct ht_dijkstra *oracle = NULL;
    if (ht_query_new(&query) != HT_OK || ht_dijkstra_new(b->road.graph, &oracle) != HT_OK) {
        die("out of memory");
    }
    size_t pairs = b->point_count / 2;
    double start = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
    uint64_t sum = 0;
    for (size_t i = 0; i < pairs; i++) {
        struct ht_way_found way;
        if (ht_query_cost(query, &b->road, &b->places[2 * i], 3, &b->places[2 * i + 1], 3, &way) ==
            HT_OK) {
            sum += way.cost.weight_ms;
        }
    }
    row(b, "query alone, places given, mean",
        (ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - start) / (double)pairs, "us", 0);
    start = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
    enum { RUNS = 10, TARGETS = 100 };
    size_t wrong = 0;
    for (size_t i = 0; i < RUNS; i++) {
        struct ht_cost costs[TARGETS];
        if (ht_dijkstra_run(oracle, &b->places[i], &b->places[TARGETS], TARGETS, NULL, costs) !=
            HT_OK) {
            die("the oracle failed");
        }
        for (size_t k = 0; k < TARGETS; k++) {
            struct ht_way_found way;
            enum ht_status status =
                ht_query_cost(query, &b->road, &b->places[i], 3, &b->places[TARGETS + k], 3, &way);
            wrong += status == HT_OK ? memcmp(&way.cost, &costs[k], sizeof way.cost) != 0
                                     : costs[k].weight_ms != HT_WEIGHT_INF;
        }
    }
    row(b, "Dijkstra, one to all, mean",
        (ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - start) / RUNS / 1e3, "ms", 0);
    row(b, "answers unlike the oracle's, of 1,000", (double)wrong, "", 0);
    if (sum == 0 || wrong > 0) {
        die("answers are wrong");
    }
    ht_dijkstra_free(oracle);
    ht_query_free(query);
}

/* Whole OSRM answers. */
static void bench_answers(struct bench *b, struct ht_world *world, const char *name,
                          const char *options, double bound_p50, double bound_p99)
{
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    struct ht_osrm *osrm = NULL;
    struct ht_reply reply = {0};
    size_t pairs = b->point_count / 2 < 10000 ? b->point_count / 2 : 10000;
    double *us = calloc(pairs, sizeof *us);
    if (us == NULL || ht_osrm_new(&limits, &osrm) != HT_OK) {
        die("out of memory");
    }
    size_t ok = 0;
    for (size_t i = 0; i < pairs; i++) {
        char url[256];
        const struct ht_point *p = &b->points[2 * i];
        int size =
            snprintf(url, sizeof url, "/route/v1/car/%.6f,%.6f;%.6f,%.6f?%s", p[0].lon_e7 * 1e-7,
                     p[0].lat_e7 * 1e-7, p[1].lon_e7 * 1e-7, p[1].lat_e7 * 1e-7, options);
        struct ht_osrm_request *request = NULL;
        ht_reply_reset(&reply);
        double start = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
        if (ht_osrm_parse(osrm, url, (size_t)size, NULL, 0, &reply, &request)) {
            ht_osrm_run(osrm, request, world, NULL, &reply);
        }
        us[i] = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - start;
        ht_osrm_request_free(request);
        ok += reply.status == 200;
    }
    char label[96];
    (void)snprintf(label, sizeof label, "route, %s, median", name);
    row(b, label, ht_bench_at_share(us, pairs, 0.5), "us", bound_p50);
    (void)snprintf(label, sizeof label, "route, %s, p99", name);
    row(b, label, ht_bench_at_share(us, pairs, 0.99), "us", bound_p99);
    if (ok < pairs * 9 / 10) {
        die("more than a tenth of the routes failed");
    }
    free(us);
    ht_reply_deinit(&reply);
    ht_osrm_free(osrm);
}

static void bench_table(struct bench *b, struct ht_pool *pool, size_t sources, size_t targets,
                        const char *name, double bound)
{
    struct ht_matrix *matrix = NULL;
    struct ht_cost *out = calloc(sources * targets, sizeof *out);
    struct ht_place *places = calloc(sources + targets, sizeof *places);
    struct ht_snap_ask *asks = calloc(sources + targets, sizeof *asks);
    struct ht_snap_trip *trips = calloc(sources + targets, sizeof *trips);
    if (out == NULL || places == NULL || asks == NULL || trips == NULL ||
        ht_matrix_new(&matrix) != HT_OK) {
        die("out of memory");
    }
    for (size_t k = 0; k < sources + targets; k++) {
        asks[k].options = ht_snap_options_default();
    }
    double times[5];
    for (size_t i = 0; i < 5; i++) {
        double start = ht_bench_now_us(CLOCK_MONOTONIC);
        for (size_t k = 0; k < sources + targets; k++) { /* other points each time */
            asks[k].point = b->points[(k + i * 997) % b->point_count];
        }
        ht_snap_trips(b->road.snap, asks, sources + targets, trips);
        for (size_t k = 0; k < sources + targets; k++) {
            if (trips[k].found == 0) {
                die("a point has no street");
            }
            places[k] = trips[k].place[trips[k].found - 1];
        }
        if (ht_matrix_run(matrix, &b->road, pool, places, sources, places + sources, targets, out,
                          NULL) != HT_OK) {
            die("a table failed");
        }
        times[i] = (ht_bench_now_us(CLOCK_MONOTONIC) - start) / 1e3;
    }
    row(b, name, ht_bench_at_share(times, 5, 0.5), "ms", bound);
    free(out);
    free(places);
    free(asks);
    free(trips);
    ht_matrix_free(matrix);
}

static void bench_metric(struct bench *b, struct ht_pool *pool)
{
    const struct ht_graph *graph = b->road.graph;
    double times[3];
    for (size_t i = 0; i < 3; i++) {
        struct ht_metric_owned *metric = NULL;
        double start = ht_bench_now_us(CLOCK_MONOTONIC);
        if (ht_customize(graph, b->road.cch, NULL, pool, &metric) != HT_OK) {
            die("no metric");
        }
        times[i] = (ht_bench_now_us(CLOCK_MONOTONIC) - start) / 1e6;
        ht_metric_free(metric);
    }
    row(b, "new metric, two threads", ht_bench_at_share(times, 3, 0.5), "s", 0.8);
    struct ht_metric_owned *metric = NULL;
    struct ht_update_work *work = NULL;
    enum { STREETS = 500 };
    double *ms = calloc(STREETS, sizeof *ms);
    uint8_t *closed = calloc(graph->arc_count, 1);
    if (ms == NULL || closed == NULL ||
        ht_customize(graph, b->road.cch, NULL, pool, &metric) != HT_OK ||
        ht_update_work_new(b->road.cch, &work) != HT_OK) {
        die("out of memory");
    }
    struct ht_overlay overlay = {.arc_closed = closed};
    for (uint32_t i = 0; i < STREETS; i++) {
        uint32_t arc = (uint32_t)((uint64_t)i * 2654435761U % graph->base_arc_count);
        uint32_t arcs[2] = {arc, graph->arcs[arc].reverse};
        size_t count = arcs[1] == HT_NONE ? 1 : 2;
        for (size_t k = 0; k < count; k++) {
            closed[arcs[k]] = 1;
        }
        double start = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
        if (ht_metric_update(graph, b->road.cch, &overlay, arcs, count, work, metric, NULL) !=
            HT_OK) {
            die("no update");
        }
        ms[i] = (ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - start) / 1e3;
    }
    row(b, "one closed street, median", ht_bench_at_share(ms, STREETS, 0.5), "ms", 5);
    row(b, "one closed street, p99", ht_bench_at_share(ms, STREETS, 0.99), "ms", 5);
    row(b, "one closed street, worst of 500", ht_bench_at_share(ms, STREETS, 1.0), "ms", 0);
    free(ms);
    free(closed);
    ht_update_work_free(work);
    ht_metric_free(metric);
}

static void bench_town(struct bench *b, char *binary, const char *points)
{
    const char *ready = getenv("BENCH_NETWORK");
    if (ready != NULL) {
        (void)snprintf(b->file, sizeof b->file, "%s", ready);
        (void)snprintf(b->five, sizeof b->five, "%s", ready);
    } else {
        bench_import(b, binary);
    }
    struct ht_error error;
    struct ht_world *world = NULL;
    struct ht_pool *pool = NULL;
    if (ht_hnet_open(b->file, &b->hnet, &error) != HT_OK ||
        ht_hnet_road(b->hnet, "car", NULL, &b->road, &error) != HT_OK) {
        die(error.message);
    }
    if (ht_pool_new(2, &pool) != HT_OK || ht_world_new(&b->road, 1, NULL, NULL, &world) != HT_OK) {
        die("out of memory");
    }
    read_points(b, points);
    bench_first_answer(b, binary);
    if (ready == NULL || ht_hnet_profile_count(b->hnet) == 5) {
        bench_resident(b);
    }
    bench_nearest(b);
    bench_query(b);
    bench_answers(b, world, "time and length only", "overview=false&generate_hints=false", 70, 150);
    bench_answers(b, world, "full geometry", "overview=full&generate_hints=false", 250, 0);
    bench_answers(b, world, "full geometry and steps",
                  "overview=full&steps=true&generate_hints=false", 600, 0);
    bench_table(b, NULL, 1, 100, "table 1 x 100, snapping included", 0);
    bench_table(b, NULL, 1, 1000, "table 1 x 1000, snapping included", 5);
    bench_table(b, NULL, 100, 100, "table 100 x 100, snapping included", 0);
    bench_table(b, pool, 1000, 1000, "table 1000 x 1000, two threads", 250);
    bench_metric(b, pool);
    ht_world_release(world);
    ht_pool_free(pool);
    ht_hnet_close(b->hnet);
    free(b->points);
    free(b->places);
    if (ready == NULL) {
        (void)unlink(b->file);
        (void)unlink(b->five);
    }
}

int main(int argc, char **argv)
{
    char *binary = (char *)(uintptr_t)HT_BINARY;
    const char *data = getenv("HOUTAO_DATA");
    data = data != NULL ? data : HT_SOURCE_DIR "/../shared/data";
    const char *scratch = getenv("TMPDIR");
    char streets[512];
    char points[512];
    struct ht_buffer buffer = {0};
    struct ht_json json;
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    struct bench milan = {.town = "Milan", .streets = streets, .json = &json};
    struct bench city = {.town = "city", .streets = streets, .json = &json, .is_city = true};
    struct bench *towns[] = {&milan, &city};
    const char *only = getenv("BENCH_TOWN");
    for (size_t i = 0; i < 2; i++) {
        struct bench *b = towns[i];
        bool have = access(data, R_OK) == 0;
        if ((!have && i == 0) || (only != NULL && strcmp(only, b->town) != 0)) {
            continue;
        }
        (void)snprintf(b->file, sizeof b->file, "%s/bench-%ld-car.hnet",
                       scratch == NULL ? "/tmp" : scratch, (long)getpid());
        (void)snprintf(b->five, sizeof b->five, "%s/bench-%ld-five.hnet",
                       scratch == NULL ? "/tmp" : scratch, (long)getpid());
        if (have) {
            (void)snprintf(streets, sizeof streets, "%s/osm/%s", data,
                           i == 0 ? "milan_italy_small.osm.pbf" : "synthetic-city.osm.pbf");
            (void)snprintf(points, sizeof points, "%s/osm/synthetic-city.points", data);
        } else {
            char folder[256];
            double peak = 0;
            (void)snprintf(folder, sizeof folder, "%s/bench-city",
                           scratch == NULL ? "/tmp" : scratch);
            char *sample[] = {binary, (char *)(uintptr_t) "sample",  (char *)(uintptr_t) "-o",
                              folder, (char *)(uintptr_t) "--scale", (char *)(uintptr_t) "city",
                              NULL};
            (void)run_binary(sample, &peak);
            (void)snprintf(streets, sizeof streets, "%s/streets.osm.pbf", folder);
        }
        bench_town(b, binary, have && i == 1 ? points : NULL);
    }
    ht_json_array_end(&json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)buffer.size, buffer.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&buffer);
    return 0;
}
