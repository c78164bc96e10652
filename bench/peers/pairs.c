/* peers_pairs: draws the questions that every peer is asked, answers them, and says how long that
 * took.
 *
 *   peers_pairs FILE.hnet PROFILE DIR
 *
 * A question runs from the end of one arc to the end of another, so that a peer which is given the
 * arcs and turns of `houtao export` as its graph is asked exactly the same. Writes DIR/pairs.csv
 * (the questions and our answers) and prints "KEY VALUE" lines: medians in microseconds, one
 * thread.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/road/dijkstra.h"
#include "engine/road/matrix.h"
#include "engine/road/query.h"
#include "geodata/hnet.h"

enum { PAIRS = 200, MANY = 100, ROUNDS = 20 };

struct bench {
    struct ht_road road;
    uint32_t *usable; /* arcs that questions may begin and end with */
    uint32_t usable_count;
    uint64_t random;
    struct ht_place from[PAIRS];
    struct ht_place to[PAIRS];
    struct ht_cost cost[PAIRS];
};

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* The head of an arc as a place that only this arc leads to. */
static struct ht_place arc_end(const struct ht_road *road, uint32_t index)
{
    const struct ht_arc *arc = &road->graph->arcs[index];
    struct ht_place place = {.component = ht_arc_component(road->graph, index)};
    place.point = ht_arc_point(road->network, arc, ht_arc_point_count(arc) - 1);
    place.input = place.point;
    place.segment = ht_arc_point_count(arc) - 2;
    place.side[0] = (struct ht_place_side){
        .arc = index,
        .before_mm = arc->length_mm,
        .before = {arc->weight_ms, arc->duration_ms, arc->length_mm},
    };
    place.side[1].arc = HT_NONE;
    return place;
}

static bool find_usable(struct bench *bench)
{
    const struct ht_graph *graph = bench->road.graph;
    bench->usable = malloc(graph->arc_count * sizeof *bench->usable);
    if (bench->usable == NULL) {
        return false;
    }
    const uint32_t *copies = NULL;
    for (uint32_t i = 0; i < graph->base_arc_count; i++) {
        const struct ht_arc *arc = &graph->arcs[i];
        bool plain = (arc->flags & (HT_ARC_RESTRICTED | HT_ARC_NO_START)) == 0;
        if (arc->component == 0 && plain && ht_graph_copies(graph, i, &copies) == 0) {
            bench->usable[bench->usable_count++] = i;
        }
    }
    return bench->usable_count > MANY;
}

static uint32_t draw(struct bench *bench)
{
    bench->random ^= bench->random >> 12;
    bench->random ^= bench->random << 25;
    bench->random ^= bench->random >> 27;
    uint64_t number = (bench->random * UINT64_C(2685821657736338717)) >> 33;
    return bench->usable[number % bench->usable_count];
}

static void draw_pairs(struct bench *bench)
{
    for (size_t i = 0; i < PAIRS; i++) {
        uint32_t from = draw(bench);
        uint32_t to = draw(bench);
        while (to == from) {
            to = draw(bench);
        }
        bench->from[i] = arc_end(&bench->road, from);
        bench->to[i] = arc_end(&bench->road, to);
    }
}

/* All of them twice; the second pass counts, as of a server that has been asked before. */
static enum ht_status ask_pairs(struct bench *bench)
{
    struct ht_query *query = NULL;
    enum ht_status status = ht_query_new(&query);
    double times[PAIRS] = {0};
    for (size_t i = 0; status == HT_OK && i < 2 * (size_t)PAIRS; i++) {
        struct ht_way_found found;
        double start = now_us();
        status = ht_query_cost(query, &bench->road, &bench->from[i % PAIRS], HT_SIDES_BOTH,
                               &bench->to[i % PAIRS], HT_SIDES_BOTH, &found);
        times[i % PAIRS] = now_us() - start;
        bench->cost[i % PAIRS] = found.cost;
    }
    ht_query_free(query);
    (void)printf("houtao_pair %.2f\n", median(times, PAIRS));
    return status;
}

static enum ht_status ask_oracle(struct bench *bench)
{
    struct ht_dijkstra *dijkstra = NULL;
    enum ht_status status = ht_dijkstra_new(bench->road.graph, &dijkstra);
    double times[ROUNDS] = {0};
    size_t equal = 0;
    for (size_t i = 0; status == HT_OK && i < ROUNDS; i++) {
        struct ht_cost cost;
        double start = now_us();
        status = ht_dijkstra_run(dijkstra, &bench->from[i], &bench->to[i], 1, NULL, &cost);
        times[i] = now_us() - start;
        equal += cost.weight_ms == bench->cost[i].weight_ms;
    }
    ht_dijkstra_free(dijkstra);
    (void)printf("dijkstra_pair %.2f\ndijkstra_equal %zu/%d\n", median(times, ROUNDS), equal,
                 ROUNDS);
    return status;
}

static enum ht_status ask_tables(struct bench *bench)
{
    struct ht_cost *out = malloc(sizeof *out * MANY * MANY);
    struct ht_matrix *matrix = NULL;
    enum ht_status status = out == NULL ? HT_NOMEM : ht_matrix_new(&matrix);
    double one[ROUNDS] = {0};
    double many[ROUNDS] = {0};
    for (size_t i = 0; status == HT_OK && i < ROUNDS; i++) {
        double start = now_us();
        status =
            ht_matrix_run(matrix, &bench->road, NULL, bench->from, 1, bench->to, MANY, out, NULL);
        one[i] = now_us() - start;
        if (status == HT_OK) {
            start = now_us();
            status = ht_matrix_run(matrix, &bench->road, NULL, bench->from, MANY, bench->to, MANY,
                                   out, NULL);
            many[i] = now_us() - start;
        }
    }
    ht_matrix_free(matrix);
    free(out);
    (void)printf("houtao_one %.2f\nhoutao_many %.2f\n", median(one, ROUNDS), median(many, ROUNDS));
    return status;
}

static bool write_pairs(const struct bench *bench, const char *dir)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/pairs.csv", dir);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    const struct ht_arc *arcs = bench->road.graph->arcs;
    for (size_t i = 0; i < PAIRS; i++) {
        uint32_t from = bench->from[i].side[0].arc;
        uint32_t to = bench->to[i].side[0].arc;
        (void)fprintf(file,
                      "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%.7f,%.7f,%.7f,%.7f,%" PRIu32
                      ",%" PRIi64 "\n",
                      from, to, arcs[from].head, arcs[to].head, bench->from[i].point.lon_e7 / 1e7,
                      bench->from[i].point.lat_e7 / 1e7, bench->to[i].point.lon_e7 / 1e7,
                      bench->to[i].point.lat_e7 / 1e7, bench->cost[i].weight_ms,
                      bench->cost[i].length_mm);
    }
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: peers_pairs FILE.hnet PROFILE DIR\n");
        return 2;
    }
    static struct bench bench = {.random = UINT64_C(88172645463325252)};
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_hnet_open(argv[1], &file, &error);
    if (status == HT_OK) {
        status = ht_hnet_road(file, argv[2], NULL, &bench.road, &error);
    }
    if (status == HT_OK && !find_usable(&bench)) {
        status = HT_EMPTY;
    }
    if (status == HT_OK) {
        draw_pairs(&bench);
        status = ask_pairs(&bench);
    }
    status = status == HT_OK ? ask_oracle(&bench) : status;
    status = status == HT_OK ? ask_tables(&bench) : status;
    if (status != HT_OK || !write_pairs(&bench, argv[3])) {
        (void)fprintf(stderr, "peers_pairs: %s %s\n", ht_status_text(status), error.message);
        return 1;
    }
    (void)printf("arcs %" PRIu32 "\njunctions %" PRIu32 "\nturns %" PRIu32 "\n",
                 bench.road.graph->arc_count, bench.road.graph->junction_count,
                 bench.road.graph->turn_count);
    free(bench.usable);
    ht_hnet_close(file);
    return 0;
}
