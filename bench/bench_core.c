/* The core alone on DIMACS New York, a graph that papers report: order, hierarchy, customization,
 * query and tables beside plain Dijkstra, and how near they come to what the machine allows.
 *
 *   bench_core [RESULT.json]
 *
 * The limit: a query has to read every edge of two search spaces once (14 bytes each). `hot` asks
 * the same few pairs again, so that all of it lies in the caches and branches are foreseen: what is
 * above it in a cold query is the price of both together. The table's limit is the same sum over
 * the levels that two labels share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/dimacs.h"
#include "bench/origin.h"
#include "engine/road/cch_build.h"
#include "engine/road/customize.h"
#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "engine/road/order.h"

enum { PLACES = 20000, HOT = 8, SIDE = 1000, EDGE_BYTES = 14 };

static FILE *json;

static double now_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_core: %s\n", what);
    exit(1);
}

static void row(const char *name, double value, const char *unit)
{
    static const char *comma = "";
    (void)printf("NY  %-48s %12.3f %s\n", name, value, unit);
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json, "%s{\"name\":\"%s\",\"value\":%.4f,\"unit\":\"%s\"}", comma, name,
                      value, unit);
        comma = ",";
    }
}

/* A third of the way along a random arc, that direction only. */
static struct ht_place random_place(const struct ht_graph *graph, uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    struct ht_place place = {0};
    uint32_t arc = (uint32_t)(*state % graph->arc_count);
    const struct ht_arc *a = &graph->arcs[arc];
    uint32_t before = a->length_mm / 3;
    uint32_t after = a->length_mm - before;
    place.side[1].arc = HT_NONE;
    place.side[0] =
        (struct ht_place_side){.arc = arc,
                               .before_mm = before,
                               .after_mm = after,
                               .before = {ht_share(a->weight_ms, before, a->length_mm),
                                          ht_share(a->duration_ms, before, a->length_mm), before},
                               .after = {ht_share(a->weight_ms, after, a->length_mm),
                                         ht_share(a->duration_ms, after, a->length_mm), after}};
    return place;
}

/* Edges that a query reads at most: both search spaces. */
static double search_space(const struct ht_cch *cch, const struct ht_place *places)
{
    double edges = 0;
    for (size_t i = 0; i < SIDE; i++) {
        for (int s = 0; s < 2; s++) {
            const struct ht_cch_side *side = s == 0 ? &cch->out : &cch->in;
            uint32_t v = cch->rank[places[2 * i + (size_t)s].side[0].arc];
            for (; v != HT_NONE; v = cch->parent[v]) {
                edges += side->first[v + 1] - side->first[v];
            }
        }
    }
    return edges / SIDE;
}

static double ask(struct ht_query *query, const struct ht_road *road, const struct ht_place *places,
                  size_t pairs)
{
    struct ht_way_found way;
    double start = now_s(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < PLACES / 2; i++) {
        const struct ht_place *pair = &places[i % pairs * 2];
        if (ht_query_cost(query, road, &pair[0], HT_SIDES_BOTH, &pair[1], HT_SIDES_BOTH, &way) ==
            HT_NOMEM) {
            die("out of memory");
        }
    }
    return (now_s(CLOCK_THREAD_CPUTIME_ID) - start) * 2e6 / PLACES;
}

static void bench_oracle(struct ht_query *query, const struct ht_road *road,
                         const struct ht_place *places)
{
    enum { RUNS = 10, TARGETS = 200 };
    static struct ht_cost costs[TARGETS];
    struct ht_dijkstra *oracle = NULL;
    size_t wrong = 0;
    double seconds = 0;
    if (ht_dijkstra_new(road->graph, &oracle) != HT_OK) {
        die("out of memory");
    }
    for (size_t i = 0; i < RUNS; i++) {
        double start = now_s(CLOCK_THREAD_CPUTIME_ID);
        if (ht_dijkstra_run(oracle, &places[i], places + RUNS, TARGETS, NULL, costs) != HT_OK) {
            die("the oracle failed");
        }
        seconds += now_s(CLOCK_THREAD_CPUTIME_ID) - start;
        for (size_t k = 0; k < TARGETS; k++) {
            struct ht_way_found way;
            enum ht_status status = ht_query_cost(query, road, &places[i], HT_SIDES_BOTH,
                                                  &places[RUNS + k], HT_SIDES_BOTH, &way);
            wrong += status == HT_OK ? memcmp(&way.cost, &costs[k], sizeof way.cost) != 0
                                     : costs[k].weight_ms != HT_WEIGHT_INF;
        }
    }
    row("Dijkstra, one to all (the oracle)", seconds / RUNS * 1e3, "ms");
    row("answers unlike the oracle's, of 2,000", (double)wrong, "");
    ht_dijkstra_free(oracle);
    if (wrong > 0) {
        die("answers are wrong");
    }
}

static void bench_tables(const struct ht_road *road, const struct ht_place *places)
{
    struct ht_matrix *matrix = NULL;
    struct ht_cost *out = calloc((size_t)SIDE * SIDE, sizeof *out);
    if (out == NULL || ht_matrix_new(&matrix) != HT_OK) {
        die("out of memory");
    }
    static const size_t sources[] = {1, 100, SIDE};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        size_t targets = sources[i] == 100 ? 100 : SIDE;
        double start = now_s(CLOCK_THREAD_CPUTIME_ID);
        if (ht_matrix_run(matrix, road, NULL, places, sources[i], places + SIDE, targets, out,
                          NULL) != HT_OK) {
            die("a table failed");
        }
        (void)snprintf(name, sizeof name, "table %zu x %zu, one thread", sources[i], targets);
        row(name, (now_s(CLOCK_THREAD_CPUTIME_ID) - start) * 1e3, "ms");
    }
    ht_matrix_free(matrix);
    free(out);
}

static void bench(const struct ht_network *network, struct ht_pool *pool)
{
    const struct ht_graph *graph = network->graphs[0];
    struct ht_order_stats stats = {0};
    struct ht_cch_owned *cch = NULL;
    struct ht_metric_owned *metric = NULL;
    struct ht_query *query = NULL;
    struct ht_place *places = calloc(PLACES, sizeof *places);
    uint32_t *ranks = calloc(graph->arc_count, sizeof *ranks);
    uint64_t state = 88172645463325252U;
    double start = now_s(CLOCK_MONOTONIC);
    if (ranks == NULL || places == NULL ||
        ht_order_compute(network, graph, pool, ranks, &stats) != HT_OK) {
        die("no order");
    }
    row("arcs", graph->arc_count, "");
    row("order, two threads", now_s(CLOCK_MONOTONIC) - start, "s");
    start = now_s(CLOCK_MONOTONIC);
    if (ht_cch_build(graph, ranks, pool, &cch, &stats) != HT_OK) {
        die("no hierarchy");
    }
    row("hierarchy", now_s(CLOCK_MONOTONIC) - start, "s");
    row("depth of the tree, mean", stats.depth_mean, "");
    row("edges", (double)stats.out_edges + stats.in_edges, "");
    row("triangles", (double)stats.triangles, "");
    start = now_s(CLOCK_MONOTONIC);
    if (ht_customize(graph, ht_cch_view(cch), NULL, pool, &metric) != HT_OK ||
        ht_query_new(&query) != HT_OK) {
        die("no metric");
    }
    double seconds = now_s(CLOCK_MONOTONIC) - start;
    row("customization, two threads", seconds * 1e3, "ms");
    row("customization, per triangle and thread", seconds * 2e9 / (double)stats.triangles, "ns");
    struct ht_road road = {network, graph, ht_cch_view(cch), ht_metric_view(metric), NULL};
    for (size_t i = 0; i < PLACES; i++) {
        places[i] = random_place(graph, &state);
    }
    double edges = search_space(road.cch, places);
    double cold = ask(query, &road, places, PLACES / 2);
    double hot = ask(query, &road, places, HOT);
    row("query, other pair each time, mean", cold, "us");
    row("query, eight pairs again and again, mean", hot, "us");
    row("edges in both search spaces, mean", edges, "");
    row("query, per edge when hot", hot * 1e3 / edges, "ns");
    row("query, bytes a second when cold", edges * EDGE_BYTES / cold * 1e-3, "GB/s");
    bench_oracle(query, &road, places);
    bench_tables(&road, places);
    free(ranks);
    free(places);
    ht_query_free(query);
    ht_metric_free(metric);
    ht_cch_owned_free(cch);
}

int main(int argc, char **argv)
{
    const char *data = getenv("HOUTAO_DATA");
    char times[512];
    char coordinates[512];
    struct ht_dimacs *dimacs = NULL;
    struct ht_pool *pool = NULL;
    data = data != NULL ? data : HT_SOURCE_DIR "/../shared/data";
    (void)snprintf(times, sizeof times, "%s/dimacs/USA-road-t.NY.gr.gz", data);
    (void)snprintf(coordinates, sizeof coordinates, "%s/dimacs/USA-road-d.NY.co.gz", data);
    if (access(times, R_OK) != 0) {
        (void)printf("NY  skipped: %s is missing (HOUTAO_DATA)\n", times);
        return 0;
    }
    if (ht_dimacs_load(times, coordinates, &dimacs) != HT_OK || ht_pool_new(2, &pool) != HT_OK) {
        die("New York can't be read");
    }
    json = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"rows\":[");
    }
    bench(ht_dimacs_network(dimacs), pool);
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        (void)fclose(json);
    }
    ht_pool_free(pool);
    ht_dimacs_free(dimacs);
    return 0;
}
