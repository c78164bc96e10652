/* Isochrone: milliseconds of the search by limit, beside bounded Dijkstra and the plain oracle; and
 * of the polygon that is made of it.
 *
 *   bench_isochrone [RESULT.json [NETWORK.hnet [PROFILE ...]]]
 *
 * Without NETWORK: ht_bench_city. Places lie beside random junctions. All times are of this
 * thread's CPU, since machines have other users.
 *
 *   sweep      ht_isochrone_run and the pieces, regions of 256 vertices
 *   whole      the same with no region left out: plain PHAST
 *   bounded    Dijkstra over arcs and turns that stops when nothing in its queue is within the
 *              limit; it knows no live metric
 *   oracle     dijkstra.h, one to all
 *   outline    ht_outline_make
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "bench/server.h"
#include "engine/base/array.h"
#include "engine/road/cch.h"
#include "engine/road/dijkstra.h"
#include "engine/road/isochrone.h"
#include "geodata/hnet.h"
#include "geodata/outline.h"

enum { ASKS = 40, ORACLE_ASKS = 5, SPOTS = 2000, LIMITS = 3 };

static const uint32_t limits_ms[LIMITS] = {300 * 1000, 600 * 1000, 1800 * 1000};

static FILE *json;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_isochrone: %s\n", what);
    exit(1);
}

static void need(enum ht_status status, const char *what)
{
    if (status != HT_OK) {
        die(what);
    }
}

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(((*state * UINT64_C(2685821657736338717)) >> 33) * bound >> 31);
}

/* --- bounded Dijkstra ------------------------------------------------------------------------- */

struct entry {
    struct ht_cost cost;
    uint32_t arc;
};

struct bounded {
    const struct ht_graph *graph;
    struct ht_cost *costs; /* at the tail of each arc */
    uint32_t *touched;
    size_t touched_count;
    struct entry *heap;
    size_t heap_size;
    size_t heap_capacity;
    size_t hopeful; /* entries within the limit */
    uint32_t limit_ms;
};

static void bounded_push(struct bounded *b, uint32_t arc, struct ht_cost cost)
{
    void *heap = b->heap;
    if (b->costs[arc].weight_ms < HT_WEIGHT_INF && !ht_cost_less(cost, b->costs[arc])) {
        return;
    }
    need(ht_array_reserve(&heap, &b->heap_capacity, b->heap_size + 1, sizeof *b->heap), "memory");
    b->heap = heap;
    if (b->costs[arc].weight_ms >= HT_WEIGHT_INF) {
        b->touched[b->touched_count++] = arc;
    }
    b->costs[arc] = cost;
    b->hopeful += cost.duration_ms <= b->limit_ms;
    size_t i = b->heap_size++;
    for (; i > 0 && ht_cost_less(cost, b->heap[(i - 1) / 2].cost); i = (i - 1) / 2) {
        b->heap[i] = b->heap[(i - 1) / 2];
    }
    b->heap[i] = (struct entry){cost, arc};
}

static struct entry bounded_pop(struct bounded *b)
{
    struct entry top = b->heap[0];
    struct entry last = b->heap[--b->heap_size];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= b->heap_size) {
            break;
        }
        child +=
            child + 1 < b->heap_size && ht_cost_less(b->heap[child + 1].cost, b->heap[child].cost);
        if (!ht_cost_less(b->heap[child].cost, last.cost)) {
            break;
        }
        b->heap[i] = b->heap[child];
        i = child;
    }
    b->heap[i] = last;
    b->hopeful -= top.cost.duration_ms <= b->limit_ms;
    return top;
}

static void bounded_turns(struct bounded *b, uint32_t arc, struct ht_cost cost)
{
    for (uint32_t t = b->graph->turn_first[arc]; t < b->graph->turn_first[arc + 1]; t++) {
        struct ht_turn turn = ht_turn_at(b->graph, arc, t);
        bounded_push(b, turn.to,
                     (struct ht_cost){cost.weight_ms + turn.weight_ms,
                                      cost.duration_ms + turn.duration_ms, cost.length_mm});
    }
}

/* Arcs whose tails were settled within the limit. */
static size_t bounded_run(struct bounded *b, const struct ht_place *place, uint32_t limit_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < b->touched_count; i++) {
        b->costs[b->touched[i]].weight_ms = HT_WEIGHT_INF;
    }
    b->touched_count = 0;
    b->heap_size = 0;
    b->hopeful = 0;
    b->limit_ms = limit_ms;
    for (int s = 0; s < 2; s++) {
        if (place->side[s].arc != HT_NONE) {
            bounded_turns(b, place->side[s].arc, place->side[s].after);
        }
    }
    while (b->hopeful > 0) {
        struct entry top = bounded_pop(b);
        const struct ht_arc *a = &b->graph->arcs[top.arc];
        if (ht_cost_less(b->costs[top.arc], top.cost)) {
            continue;
        }
        count += top.cost.duration_ms <= limit_ms;
        bounded_turns(b, top.arc,
                      (struct ht_cost){top.cost.weight_ms + a->weight_ms,
                                       top.cost.duration_ms + a->duration_ms,
                                       top.cost.length_mm + a->length_mm});
    }
    return count;
}

static void bounded_init(struct bounded *b, const struct ht_graph *graph)
{
    *b = (struct bounded){.graph = graph,
                          .costs = ht_array_new(graph->arc_count, sizeof *b->costs),
                          .touched = ht_array_new(graph->arc_count, sizeof *b->touched)};
    if (b->costs == NULL || b->touched == NULL) {
        die("memory");
    }
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        b->costs[a].weight_ms = HT_WEIGHT_INF;
    }
}

static void bounded_deinit(struct bounded *b)
{
    free(b->costs);
    free(b->touched);
    free(b->heap);
}

/* --- the bench -------------------------------------------------------------------------------- */

struct bench {
    struct ht_road road;
    struct ht_place places[ASKS];
    struct ht_place spots[SPOTS];
    struct ht_isochrone *iso;
    struct ht_isochrone_streets *streets;
    struct ht_isochrone_streets *one; /* a single region: nothing is left out */
    struct ht_dijkstra *oracle;
    struct ht_outline_work *outline;
    struct bounded bounded;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct bench *b, const char *what, uint32_t limit_ms, double *ms,
                   size_t count, double size)
{
    static const char *comma = "";
    qsort(ms, count, sizeof *ms, by_value);
    (void)printf("%-10s %5u s  %-9s p50 %9.3f ms  worst %9.3f ms  %12.0f\n", b->road.graph->profile,
                 limit_ms / 1000, what, ms[count / 2], ms[count - 1], size / (double)count);
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json,
                      "%s{\"profile\":\"%s\",\"limit_s\":%u,\"way\":\"%s\",\"p50_ms\":%.4f,"
                      "\"worst_ms\":%.4f,\"size\":%.0f}",
                      comma, b->road.graph->profile, limit_ms / 1000, what, ms[count / 2],
                      ms[count - 1], size / (double)count);
        comma = ",";
    }
}

static void bench_sweep(struct bench *b, uint32_t limit_ms, bool towards, bool whole)
{
    double ms[ASKS];
    double vertices = 0;
    for (size_t i = 0; i < ASKS; i++) {
        struct ht_isochrone_ask ask = {&b->road, whole ? b->one : b->streets, &b->places[i],
                                       towards, limit_ms};
        const struct ht_isochrone_piece *pieces = NULL;
        size_t count = 0;
        double begin = now_ms();
        need(ht_isochrone_run(b->iso, &ask), "no isochrone");
        need(ht_isochrone_pieces(b->iso, limit_ms, &pieces, &count), "no pieces");
        ms[i] = now_ms() - begin;
        vertices += (double)ht_isochrone_swept(b->iso);
    }
    report(b, whole ? "whole" : towards ? "sweep to" : "sweep", limit_ms, ms, ASKS, vertices);
}

static void bench_bounded(struct bench *b, uint32_t limit_ms)
{
    double ms[ASKS];
    double arcs = 0;
    for (size_t i = 0; i < ASKS; i++) {
        double begin = now_ms();
        arcs += (double)bounded_run(&b->bounded, &b->places[i], limit_ms);
        ms[i] = now_ms() - begin;
    }
    report(b, "bounded", limit_ms, ms, ASKS, arcs);
}

static void bench_outline(struct bench *b, uint32_t limit_ms)
{
    double ms[ASKS];
    double points = 0;
    struct ht_geometry shape;
    ht_geometry_init(&shape);
    for (size_t i = 0; i < ASKS; i++) {
        struct ht_isochrone_ask ask = {&b->road, b->streets, &b->places[i], false, limit_ms};
        const struct ht_isochrone_piece *pieces = NULL;
        size_t count = 0;
        need(ht_isochrone_run(b->iso, &ask), "no isochrone");
        need(ht_isochrone_pieces(b->iso, limit_ms, &pieces, &count), "no pieces");
        double begin = now_ms();
        enum ht_status status = ht_outline_make(b->outline, &b->road, pieces, count, &shape);
        ms[i] = now_ms() - begin;
        points += (double)shape.point_count;
        if (status == HT_TOO_BIG) {
            (void)printf("%-10s %5u s  outline   too big\n", b->road.graph->profile,
                         limit_ms / 1000);
            ht_geometry_deinit(&shape);
            return;
        }
        need(status, "no outline");
    }
    report(b, "outline", limit_ms, ms, ASKS, points);
    ht_geometry_deinit(&shape);
}

static bool covered(const struct ht_isochrone_piece *pieces, size_t count, const struct ht_place *p)
{
    uint32_t pair[2] = {p->side[0].arc, p->side[1].arc};
    int s = pair[0] < pair[1] ? 0 : 1;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].arc == pair[s] && pieces[i].from_mm <= p->side[s].before_mm &&
            p->side[s].before_mm <= pieces[i].to_mm) {
            return true;
        }
    }
    return false;
}

/* Costs of random points of streets by the oracle, and whether the pieces say the same. */
static void bench_oracle(struct bench *b)
{
    static struct ht_cost costs[SPOTS];
    double ms[ORACLE_ASKS];
    size_t wrong = 0;
    size_t inside = 0;
    for (size_t i = 0; i < ORACLE_ASKS; i++) {
        struct ht_isochrone_ask ask = {&b->road, b->streets, &b->places[i], false,
                                       limits_ms[LIMITS - 1]};
        double begin = now_ms();
        need(ht_dijkstra_run(b->oracle, &b->places[i], b->spots, SPOTS, NULL, costs), "no oracle");
        ms[i] = now_ms() - begin;
        need(ht_isochrone_run(b->iso, &ask), "no isochrone");
        for (size_t l = 0; l < LIMITS; l++) {
            const struct ht_isochrone_piece *pieces = NULL;
            size_t count = 0;
            need(ht_isochrone_pieces(b->iso, limits_ms[l], &pieces, &count), "no pieces");
            for (size_t k = 0; k < SPOTS; k++) {
                bool want =
                    costs[k].weight_ms < HT_WEIGHT_INF && costs[k].duration_ms <= limits_ms[l];
                wrong += want != covered(pieces, count, &b->spots[k]);
                inside += want;
            }
        }
    }
    report(b, "oracle", 0, ms, ORACLE_ASKS, (double)b->road.graph->arc_count * ORACLE_ASKS);
    (void)printf("%-10s %d points of streets, %zu reached: %zu said to be otherwise\n",
                 b->road.graph->profile, ORACLE_ASKS * LIMITS * SPOTS, inside, wrong);
    if (wrong > 0) {
        die("answers are wrong");
    }
}

/* Half of the spots lie near the first places, else nearly none is within reach. */
static void places_make(struct bench *b, uint64_t *state)
{
    const struct ht_graph *g = b->road.graph;
    const struct ht_network *network = b->road.network;
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_snap_work *snap = NULL;
    need(ht_snap_work_new(&snap), "memory");
    for (size_t i = 0; i < ASKS + SPOTS; i++) {
        uint32_t junction = random_below(state, g->junction_count);
        struct ht_point point = network->node_point[g->junction_node[junction]];
        struct ht_place two[2];
        uint32_t found = 0;
        int32_t reach = 1000;
        if (i >= ASKS && i % 2 == 0) {
            point = b->places[i / 2 % ORACLE_ASKS].point;
            reach = 500000;
        }
        point.lon_e7 += (int32_t)random_below(state, 2 * (uint32_t)reach) - reach;
        point.lat_e7 += (int32_t)random_below(state, 2 * (uint32_t)reach) - reach;
        need(ht_snap_trip(b->road.snap, snap, point, &options, two, &found), "no street");
        *(i < ASKS ? &b->places[i] : &b->spots[i - ASKS]) = two[found - 1];
    }
    ht_snap_work_free(snap);
}

static void bench_profile(const struct ht_road *road)
{
    static struct bench b;
    uint64_t state = 20261125;
    b = (struct bench){.road = *road};
    places_make(&b, &state);
    double begin = now_ms();
    need(ht_isochrone_streets_new(road->cch, &b.streets), "memory");
    (void)printf("%-10s regions made in %.1f ms\n", road->graph->profile, now_ms() - begin);
    need(ht__isochrone_streets_make(road->cch, UINT32_MAX, &b.one), "memory");
    need(ht_isochrone_new(&b.iso), "memory");
    need(ht_outline_work_new(&b.outline), "memory");
    need(ht_dijkstra_new(road->graph, &b.oracle), "memory");
    bounded_init(&b.bounded, road->graph);
    bench_oracle(&b);
    for (size_t l = 0; l < LIMITS; l++) {
        bench_sweep(&b, limits_ms[l], false, false);
        bench_sweep(&b, limits_ms[l], true, false);
        bench_bounded(&b, limits_ms[l]);
        bench_outline(&b, limits_ms[l]);
    }
    bench_sweep(&b, limits_ms[0], false, true);
    bounded_deinit(&b.bounded);
    ht_dijkstra_free(b.oracle);
    ht_outline_work_free(b.outline);
    ht_isochrone_free(b.iso);
    ht_isochrone_streets_free(b.one);
    ht_isochrone_streets_free(b.streets);
}

int main(int argc, char **argv)
{
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    const char *network = argc > 2 ? argv[2] : ht_bench_city();
    const char *const usual[] = {"car", "emergency", "foot"};
    if (ht_hnet_open(network, &file, &error) != HT_OK) {
        die(error.message);
    }
    json = fopen(argc > 1 ? argv[1] : "bench/results/isochrone.json", "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"bench\":\"isochrone\",\"runs\":[");
    }
    int count = argc > 3 ? argc - 3 : (int)(sizeof usual / sizeof *usual);
    for (int i = 0; i < count; i++) {
        struct ht_road road;
        const char *profile = argc > 3 ? argv[3 + i] : usual[i];
        if (ht_hnet_road(file, profile, NULL, &road, &error) != HT_OK ||
            ht_hnet_check_rest(file, profile, NULL, &error) != HT_OK) {
            die(error.message);
        }
        bench_profile(&road);
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        (void)fclose(json);
    }
    ht_hnet_close(file);
    return 0;
}
