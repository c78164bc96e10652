/* Snap: build time, bytes, and nanoseconds of nearest and trip on the points that lie beside the
 * city.
 *
 *   bench_snap [RESULT.json [STREETS.osm.pbf [POINTS [PROFILE]]]]
 *
 * mean, p50 and p99 ask all points in turn, so that each meets another part of the city (the mean
 * is the best of five rounds in thread CPU time, the others time each call alone and contain the
 * clock's 25 ns); `hot` asks the same point again and again: the work without the cache misses.
 * Without a name the result goes to bench/results/snap.json where that folder is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "engine/road/snap_internal.h"
#include "geodata/network_build.h"

static double now_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct ht_point *read_points(const char *path, size_t *count)
{
    FILE *in = fopen(path, "r");
    size_t capacity = 1 << 16;
    struct ht_point *points = malloc(capacity * sizeof *points);
    char line[128];
    *count = 0;
    while (in != NULL && points != NULL && *count < capacity &&
           fgets(line, sizeof line, in) != NULL) {
        char *end = NULL;
        double lon = strtod(line, &end);
        double lat = strtod(end, NULL);
        points[(*count)++] = (struct ht_point){(int32_t)(lon * 1e7), (int32_t)(lat * 1e7)};
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return points;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct bench {
    struct ht_snap_index *index;
    struct ht_snap_work *work;
    const struct ht_point *points;
    size_t count;
    double *ns;
    double sum_m; /* of the distances found: nothing is optimized away, and it can be compared */
};

enum ask { ASK_NEAREST, ASK_NEAREST_10, ASK_TRIP };

static void ask_one(struct bench *b, enum ask ask, struct ht_point point)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place places[10];
    uint32_t found = 0;
    enum ht_status status = ask == ASK_TRIP
                                ? ht_snap_trip(b->index, b->work, point, &options, places, &found)
                                : ht_snap_nearest(b->index, b->work, point, &options,
                                                  ask == ASK_NEAREST ? 1 : 10, places, &found);
    if (status == HT_OK) {
        b->sum_m += places[0].distance_m;
    }
}

struct figures {
    double mean_ns;
    double p50_ns;
    double p99_ns;
    double hot_ns;
};

static struct figures measure(struct bench *b, enum ask ask)
{
    struct figures f = {.mean_ns = 1e30, .hot_ns = 0};
    for (int round = 0; round < 5; round++) {
        double begin = now_s(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < b->count; i++) {
            ask_one(b, ask, b->points[i]);
        }
        double mean = (now_s(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)b->count * 1e9;
        f.mean_ns = mean < f.mean_ns ? mean : f.mean_ns;
    }
    for (size_t i = 0; i < b->count; i++) {
        double begin = now_s(CLOCK_MONOTONIC);
        ask_one(b, ask, b->points[i]);
        b->ns[i] = (now_s(CLOCK_MONOTONIC) - begin) * 1e9;
    }
    qsort(b->ns, b->count, sizeof *b->ns, by_value);
    f.p50_ns = b->ns[b->count / 2];
    f.p99_ns = b->ns[b->count * 99 / 100];
    size_t sample = b->count < 500 ? b->count : 500;
    double begin = 0;
    for (size_t i = 0; i < sample; i++) {
        ask_one(b, ask, b->points[i]);
        begin = now_s(CLOCK_MONOTONIC);
        for (int again = 0; again < 20; again++) {
            ask_one(b, ask, b->points[i]);
        }
        f.hot_ns += (now_s(CLOCK_MONOTONIC) - begin) / 20 * 1e9 / (double)sample;
    }
    return f;
}

static struct ht_snap_index *build(const struct ht_network *network, const struct ht_graph *graph,
                                   struct ht_pool *pool, double *seconds, double *view_seconds)
{
    struct ht_snap_index *index = NULL;
    struct ht_snap_index *view = NULL;
    double begin = now_s(CLOCK_MONOTONIC);
    if (ht_snap_build(network, graph, pool, &index) != HT_OK) {
        return NULL;
    }
    *seconds = now_s(CLOCK_MONOTONIC) - begin;
    begin = now_s(CLOCK_MONOTONIC);
    if (ht_snap_view(ht_snap_tree_of(index), graph, index->data, index->size, &view) == HT_OK &&
        ht_snap_tree_check(ht_snap_tree_of(view)) == HT_OK && ht_snap_check(view) == HT_OK) {
        *view_seconds = now_s(CLOCK_MONOTONIC) - begin;
    }
    ht_snap_index_free(view);
    return index;
}

static int report(const char *json_path, struct bench *b, double build_s, double view_s)
{
    static const char *const names[] = {"nearest", "nearest 10", "trip"};
    FILE *json = fopen(json_path, "w");
    (void)printf("%u segments, %.1f MB, built in %.2f s, checked in %.1f ms\n",
                 b->index->tree.head->entry_count,
                 (double)(b->index->tree.size + b->index->size) / 1e6, build_s, view_s * 1e3);
    (void)printf("%-12s %-10s %8s %8s %8s %8s   (ns; bound on the city: 5,000)\n", "ask", "kernels",
                 "mean", "p50", "p99", "hot");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json,
                      ",\"bench\":\"snap\",\"segments\":%u,\"bytes\":%zu,\"build_s\":%.3f,"
                      "\"view_s\":%.5f,\"runs\":[",
                      b->index->tree.head->entry_count, b->index->tree.size + b->index->size,
                      build_s, view_s);
    }
    for (int ask = ASK_NEAREST; ask <= ASK_TRIP; ask++) {
        for (unsigned v = 0; ht_snap__kernels(v) != NULL; v++) {
            b->index->kernels = ht_snap__kernels(v);
            b->sum_m = 0;
            struct figures f = measure(b, (enum ask)ask);
            (void)printf("%-12s %-10s %8.0f %8.0f %8.0f %8.0f   checksum %.3f m\n", names[ask],
                         b->index->kernels->name, f.mean_ns, f.p50_ns, f.p99_ns, f.hot_ns,
                         b->sum_m);
            if (json != NULL) {
                (void)fprintf(json,
                              "%s{\"ask\":\"%s\",\"kernels\":\"%s\",\"mean_ns\":%.0f,"
                              "\"p50_ns\":%.0f,\"p99_ns\":%.0f,\"hot_ns\":%.0f}",
                              ask + (int)v == 0 ? "" : ",", names[ask], b->index->kernels->name,
                              f.mean_ns, f.p50_ns, f.p99_ns, f.hot_ns);
            }
        }
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        return fclose(json) == 0 ? 0 : 1;
    }
    return 0;
}

static int run(struct bench *b, int argc, char **argv)
{
    const char *streets = argc > 2 ? argv[2] : "../shared/data/osm/synthetic-city.osm.pbf";
    struct ht_profile **profiles = NULL;
    size_t profile_count = 0;
    struct ht_pool *pool = NULL;
    struct ht_network_build *network = NULL;
    struct ht_graph_owned *graph = NULL;
    struct ht_snap_index *index = NULL;
    struct ht_error error = {0};
    struct ht_graph_counts counts;
    struct ht_build_input input = {.path = streets};
    double build_s = 0;
    double view_s = 0;
    int result = 1;
    if (ht_pool_new(0, &pool) != HT_OK ||
        ht_profiles_open(argc > 4 ? argv[4] : "car", &profiles, &profile_count, &error) != HT_OK ||
        ht_network_build_new(profiles, profile_count, pool, &network) != HT_OK ||
        ht_network_build_read(network, &input, 1, NULL, NULL, &error) != HT_OK ||
        ht_network_build_graph(network, 0, &graph, &counts) != HT_OK) {
        (void)fprintf(stderr, "bench_snap: %s: %s\n", streets, error.message);
    } else {
        index = build(ht_network_build_network(network), ht_graph_owned_view(graph), pool, &build_s,
                      &view_s);
    }
    if (index != NULL && ht_snap_work_new(&b->work) == HT_OK) {
        b->index = index;
        result = report(argc > 1 ? argv[1] : "bench/results/snap.json", b, build_s, view_s);
    }
    ht_snap_work_free(b->work);
    ht_snap_index_free(index);
    ht_graph_owned_free(graph);
    ht_network_build_free(network);
    ht_profiles_free(profiles, profile_count);
    ht_pool_free(pool);
    return result;
}

int main(int argc, char **argv)
{
    const char *path = argc > 3 ? argv[3] : "../shared/data/osm/synthetic-city.points";
    struct bench b = {0};
    struct ht_point *points = read_points(path, &b.count);
    int result = 0;
    b.points = points;
    b.ns = calloc(b.count + 1, sizeof *b.ns);
    if (points == NULL || b.ns == NULL) {
        result = 1;
    } else if (b.count == 0) {
        (void)printf("bench_snap: no points in %s: skipped\n", path);
    } else {
        result = run(&b, argc, argv);
    }
    free(b.ns);
    free(points);
    return result;
}
