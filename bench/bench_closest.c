/* Closest: nanoseconds of a question, with units at rest and moving, few and many, and what the
 * other ways of answering it cost.
 *
 *   bench_closest [RESULT.json [NETWORK.hnet [POINTS [UNITS ...]]]]
 *
 * For each profile of the network (BENCH_PROFILE: one), the first with all ways, the others with
 * those that have bounds. Without NETWORK: ht_bench_city. Units of the profile drive on at 12 m a
 * second, along their street and into a random turn at its end; one in 100 has a skill. Each
 * question is timed alone and contains the clocks' 0.5 us; beside the time on the wall stands that
 * of the CPU, for machines that others use, too. POINTS: the places asked for, one "lon lat" a
 * line; else places beside junctions.
 *
 *   still, moving   k = 5, no filter; while a thread moves each unit once a second
 *   skilled         the same, moving, of those that have the skill
 *   kept            both again, with a world's number, so that labels of few units are kept
 *   closures        the same, moving, while a street is closed each second and the one before
 * opened again: a partial customization beside, then the metrics are swapped table           the
 * plain way: ht_matrix_run from all units to the point joined          labels of all units kept
 * (not counted), each joined with the point's: exact, too, at a label for each move of arc, and for
 * all when the metric changes
 *   over HTTP       k = 5 of 20,000 of the first profile that tell where they are once a second;
 *                   bound: p50 1 ms
 *
 * BENCH_ROWS=http: the last one alone.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/closest_http.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "engine/live/closest.h"
#include "engine/road/customize.h"
#include "engine/road/label.h"
#include "engine/road/matrix.h"
#include "geodata/hnet.h"

enum { ASKS = 4000, K = 5, MOST_SIZES = 8 };

struct track {
    uint32_t arc;
    uint32_t before_mm;
};

/* Two metrics: one is asked, the other is brought up to date. */
struct closures {
    struct ht_metric_owned *metrics[2];
    struct ht_update_work *work;
    uint8_t *closed;
    struct ht_overlay overlay;
    uint32_t arc[2]; /* closed in each */
    struct ht_road roads[2];
    atomic_int current;
    atomic_int asked; /* by the question that runs; -1: none does */
    atomic_bool stop;
    uint32_t count;
    double update_s; /* of all */
    double slowest_s;
};

struct bench {
    struct ht_road road;
    const struct ht_road *roads[1];
    struct closures *closures; /* NULL: the streets stay as they are */
    bool all_ways;
    double lasting_s; /* spread the questions over this time; 0: one after another */
    struct ht_closest *closest;
    struct ht_fleet *fleet;
    struct ht_place *targets;
    struct track *tracks;
    uint32_t units;
    uint64_t state;
    uint64_t world; /* 0: no labels are kept */
    double *ns;
    double *cpu_ns;
    atomic_bool stop;
    uint64_t moved;
    uint64_t crossed; /* of them onto another arc */
    FILE *json;
};

static double now_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double random_unit(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * UINT64_C(2685821657736338717) >> 11) * 0x1p-53;
}

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(random_unit(state) * bound);
}

static struct ht_place place_on(const struct ht_graph *graph, struct track track)
{
    uint32_t base = ht_arc_base(graph, track.arc);
    const struct ht_arc *arc = &graph->arcs[base];
    uint32_t before = track.before_mm < arc->length_mm ? track.before_mm : arc->length_mm;
    uint32_t after = arc->length_mm - before;
    int side = (arc->flags & HT_ARC_FORWARD) != 0 ? 0 : 1;
    struct ht_place place = {.side = {{.arc = HT_NONE}, {.arc = HT_NONE}}};
    place.side[side] = (struct ht_place_side){
        .arc = base,
        .before_mm = before,
        .after_mm = after,
        .before = {ht_share(arc->weight_ms, before, arc->length_mm),
                   ht_share(arc->duration_ms, before, arc->length_mm), before},
        .after = {ht_share(arc->weight_ms, after, arc->length_mm),
                  ht_share(arc->duration_ms, after, arc->length_mm), after}};
    return place;
}

/* A second further on. */
static void drive(struct bench *b, uint32_t unit, uint64_t *state)
{
    const struct ht_graph *graph = b->road.graph;
    struct track *track = &b->tracks[unit];
    uint32_t arc = track->arc;
    track->before_mm += 12000;
    while (track->before_mm > graph->arcs[track->arc].length_mm) {
        uint32_t first = graph->turn_first[track->arc];
        uint32_t count = graph->turn_first[track->arc + 1] - first;
        track->before_mm -= graph->arcs[track->arc].length_mm;
        track->arc = count == 0 ? random_below(state, graph->base_arc_count)
                                : ht_turn_to(graph, track->arc, first + random_below(state, count));
    }
    struct ht_place place = place_on(graph, *track);
    b->crossed += arc != track->arc;
    if (ht_closest_set(b->closest, unit, 0, &place) != HT_OK) {
        (void)fprintf(stderr, "bench_closest: unit %u not placed\n", unit);
    }
}

static void *keep_moving(void *user)
{
    struct bench *b = user;
    uint64_t state = 4711;
    double begin = now_s(CLOCK_MONOTONIC);
    while (!atomic_load(&b->stop)) {
        uint64_t due = (uint64_t)((now_s(CLOCK_MONOTONIC) - begin) * b->units);
        while (b->moved < due) {
            drive(b, (uint32_t)(b->moved++ % b->units), &state);
        }
        struct timespec nap = {0, 500000};
        (void)nanosleep(&nap, NULL);
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(struct bench *b, const char *what, uint32_t asks, uint64_t sum_ms)
{
    qsort(b->ns, asks, sizeof *b->ns, by_value);
    qsort(b->cpu_ns, asks, sizeof *b->cpu_ns, by_value);
    (void)printf(
        "%-9s %6u units %-12s p50 %9.1f  p99 %9.1f us, of CPU time p50 %9.1f  p99 %9.1f us   "
        "checksum %llu ms\n",
        b->road.graph->profile, b->units, what, b->ns[asks / 2] / 1e3,
        b->ns[asks - 1 - asks / 100] / 1e3, b->cpu_ns[asks / 2] / 1e3,
        b->cpu_ns[asks - 1 - asks / 100] / 1e3, (unsigned long long)sum_ms);
    if (b->json != NULL) {
        (void)fprintf(
            b->json,
            ",{\"profile\":\"%s\",\"units\":%u,\"way\":\"%s\",\"p50_us\":%.1f,\"p99_us\":%.1f}",
            b->road.graph->profile, b->units, what, b->ns[asks / 2] / 1e3,
            b->ns[asks - 1 - asks / 100] / 1e3);
    }
}

static void wait_until(double time_s)
{
    double left = time_s - now_s(CLOCK_MONOTONIC);
    if (left > 0) {
        const struct timespec nap = {(time_t)left, (long)((left - floor(left)) * 1e9)};
        (void)nanosleep(&nap, NULL);
    }
}

/* The streets as they are now, held until the question is answered. */
static const struct ht_road *road_hold(struct bench *b)
{
    struct closures *c = b->closures;
    if (c == NULL) {
        return &b->road;
    }
    int seen = atomic_load(&c->current);
    do {
        atomic_store(&c->asked, seen);
    } while (seen != atomic_load(&c->current) && (seen = atomic_load(&c->current), true));
    return &c->roads[seen];
}

static void road_let_go(struct bench *b)
{
    if (b->closures != NULL) {
        atomic_store(&b->closures->asked, -1);
    }
}

static void ask_closest(struct bench *b, struct ht_closest_work *work, const char *what, bool move,
                        uint64_t skills)
{
    pthread_t mover;
    uint64_t sum_ms = 0;
    atomic_store(&b->stop, false);
    b->moved = 0;
    b->crossed = 0;
    double all = now_s(CLOCK_MONOTONIC);
    if (move && pthread_create(&mover, NULL, keep_moving, b) != 0) {
        return;
    }
    for (uint32_t i = 0; i < ASKS; i++) {
        const struct ht_place *target = &b->targets[i];
        const struct ht_closest_hit *hits = NULL;
        uint32_t found = 0;
        struct ht_closest_ask ask = {.k = K,
                                     .max_ms = UINT32_MAX,
                                     .fleet = skills == 0 ? NULL : b->fleet,
                                     .filter = {.skills = skills, .heard_ms = INT64_MIN},
                                     .world = b->world,
                                     .roads = b->roads,
                                     .targets = &target};
        wait_until(all + b->lasting_s * i / ASKS);
        double begin = now_s(CLOCK_MONOTONIC);
        double cpu = now_s(CLOCK_THREAD_CPUTIME_ID);
        const struct ht_road *road = road_hold(b);
        ask.roads = &road;
        if (ht_closest_find(b->closest, work, &ask, &hits, &found) != HT_OK) {
            (void)fprintf(stderr, "bench_closest: no answer\n");
        }
        road_let_go(b);
        b->cpu_ns[i] = (now_s(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e9;
        b->ns[i] = (now_s(CLOCK_MONOTONIC) - begin) * 1e9;
        sum_ms += found == 0 ? 0 : hits[found - 1].cost.duration_ms;
    }
    all = now_s(CLOCK_MONOTONIC) - all;
    atomic_store(&b->stop, true);
    if (move) {
        (void)pthread_join(mover, NULL);
        (void)printf("%6.0f moves a second, %.0f onto another arc: ", (double)b->moved / all,
                     (double)b->crossed / all);
    }
    report(b, what, ASKS, sum_ms);
}

/* Closes one more street in the metric that nobody asks, opens the one closed in it before. */
static enum ht_status close_street(struct bench *b, struct closures *c, uint64_t *state)
{
    int next = 1 - atomic_load(&c->current);
    while (atomic_load(&c->asked) == next) {
        const struct timespec nap = {0, 20000};
        (void)nanosleep(&nap, NULL);
    }
    const struct ht_graph *graph = b->road.graph;
    uint32_t arc = random_below(state, graph->base_arc_count);
    uint32_t changed[2] = {arc, c->arc[next]};
    c->closed[arc] = 1;
    if (c->arc[next] != HT_NONE && c->arc[next] != arc) {
        c->closed[c->arc[next]] = 0;
    }
    uint32_t other = c->arc[1 - next]; /* closed in the one that is asked: not in this one */
    uint8_t kept = other == HT_NONE || other == arc ? 0 : c->closed[other];
    if (kept != 0) {
        c->closed[other] = 0;
    }
    double begin = now_s(CLOCK_MONOTONIC);
    enum ht_status status =
        ht_metric_update(graph, b->road.cch, &c->overlay, changed, c->arc[next] == HT_NONE ? 1 : 2,
                         c->work, c->metrics[next], NULL);
    double spent = now_s(CLOCK_MONOTONIC) - begin;
    if (kept != 0) {
        c->closed[other] = 1;
    }
    c->arc[next] = arc;
    c->update_s += spent;
    c->slowest_s = spent > c->slowest_s ? spent : c->slowest_s;
    c->count++;
    atomic_store(&c->current, next);
    return status;
}

static void *keep_closing(void *user)
{
    struct bench *b = user;
    struct closures *c = b->closures;
    uint64_t state = 815;
    double begin = now_s(CLOCK_MONOTONIC);
    while (!atomic_load(&c->stop)) {
        if (now_s(CLOCK_MONOTONIC) - begin >= c->count && close_street(b, c, &state) != HT_OK) {
            break;
        }
        const struct timespec nap = {0, 1000000};
        (void)nanosleep(&nap, NULL);
    }
    return NULL;
}

static enum ht_status closures_init(struct bench *b, struct closures *c)
{
    struct ht_pool *pool = NULL;
    c->arc[0] = c->arc[1] = HT_NONE;
    atomic_store(&c->asked, -1);
    c->closed = calloc(b->road.graph->arc_count + UINT32_C(1), 1);
    c->overlay = (struct ht_overlay){.arc_closed = c->closed};
    enum ht_status status = c->closed == NULL ? HT_NOMEM : ht_pool_new(2, &pool);
    if (status == HT_OK) {
        status = ht_update_work_new(b->road.cch, &c->work);
    }
    for (int i = 0; i < 2 && status == HT_OK; i++) {
        status = ht_customize(b->road.graph, b->road.cch, &c->overlay, pool, &c->metrics[i]);
        c->roads[i] = b->road;
        c->roads[i].metric = status == HT_OK ? ht_metric_view(c->metrics[i]) : NULL;
    }
    ht_pool_free(pool);
    return status;
}

static void ask_under_closures(struct bench *b, struct ht_closest_work *work)
{
    static struct closures c;
    pthread_t closer;
    c = (struct closures){0};
    if (closures_init(b, &c) == HT_OK) {
        b->closures = &c;
        b->lasting_s = 10;
        if (pthread_create(&closer, NULL, keep_closing, b) == 0) {
            ask_closest(b, work, "closures", true, 0);
            atomic_store(&c.stop, true);
            (void)pthread_join(closer, NULL);
            (void)printf("%6u units: %u closures, %.1f ms each, %.1f the slowest\n", b->units,
                         c.count, c.update_s * 1e3 / c.count, c.slowest_s * 1e3);
        }
        b->closures = NULL;
        b->lasting_s = 0;
    }
    for (int i = 0; i < 2; i++) {
        ht_metric_free(c.metrics[i]);
    }
    ht_update_work_free(c.work);
    free(c.closed);
}

static uint64_t kth_ms(const struct ht_cost *costs, uint32_t count)
{
    uint32_t best[K];
    for (int i = 0; i < K; i++) {
        best[i] = UINT32_MAX;
    }
    for (uint32_t u = 0; u < count; u++) {
        uint32_t ms = costs[u].weight_ms < HT_WEIGHT_INF ? costs[u].duration_ms : UINT32_MAX;
        for (int i = 0; i < K; i++) {
            if (ms < best[i]) {
                uint32_t swap = best[i];
                best[i] = ms;
                ms = swap;
            }
        }
    }
    return best[K - 1];
}

/* What ht_closest_find says where the table said `want_ms`. */
static enum ht_status compare(struct bench *b, struct ht_closest_work *work, uint32_t asks,
                              uint64_t want_ms)
{
    uint64_t sum_ms = 0;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < asks && status == HT_OK; i++) {
        const struct ht_place *target = &b->targets[i];
        const struct ht_closest_hit *hits = NULL;
        uint32_t found = 0;
        struct ht_closest_ask ask = {
            .k = K, .max_ms = UINT32_MAX, .roads = b->roads, .targets = &target};
        status = ht_closest_find(b->closest, work, &ask, &hits, &found);
        sum_ms += found < K ? UINT32_MAX : hits[K - 1].cost.duration_ms;
    }
    (void)printf("%6u units: the %d-th of %u questions %s the table's\n", b->units, K, asks,
                 sum_ms == want_ms ? "are" : "ARE NOT");
    return status;
}

/* The other ways, on fewer questions. */
static enum ht_status ask_others(struct bench *b, struct ht_closest_work *work, uint32_t asks)
{
    struct ht_matrix *matrix = NULL;
    struct ht_label_store *kept = NULL;
    struct ht_label_store *store = NULL;
    struct ht_place *places = calloc(b->units, sizeof *places);
    struct ht_label *labels = calloc(b->units, sizeof *labels);
    struct ht_cost *costs = calloc(b->units, sizeof *costs);
    enum ht_status status = places == NULL || labels == NULL || costs == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        status = ht_matrix_new(&matrix);
    }
    if (status == HT_OK) {
        status = ht_label_store_new(&kept);
    }
    if (status == HT_OK) {
        status = ht_label_store_new(&store);
    }
    double begin = now_s(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t u = 0; u < b->units && status == HT_OK; u++) {
        places[u] = place_on(b->road.graph, b->tracks[u]);
        status = ht_label_build(kept, &b->road, &places[u], false, &labels[u]);
    }
    double label_us = (now_s(CLOCK_THREAD_CPUTIME_ID) - begin) / b->units * 1e6;
    for (int way = 0; way < 2 && status == HT_OK; way++) {
        uint64_t sum_ms = 0;
        for (uint32_t i = 0; i < asks && status == HT_OK; i++) {
            begin = now_s(CLOCK_MONOTONIC);
            double cpu = now_s(CLOCK_THREAD_CPUTIME_ID);
            if (way == 0) {
                status = ht_matrix_run(matrix, &b->road, NULL, places, b->units, &b->targets[i], 1,
                                       costs, NULL);
            } else {
                struct ht_label target;
                ht_label_store_clear(store);
                status = ht_label_build(store, &b->road, &b->targets[i], true, &target);
                for (uint32_t u = 0; u < b->units && status == HT_OK; u++) {
                    costs[u] = ht__cost_of(ht_label_join(&labels[u], &target));
                }
            }
            sum_ms += kth_ms(costs, b->units);
            b->cpu_ns[i] = (now_s(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e9;
            b->ns[i] = (now_s(CLOCK_MONOTONIC) - begin) * 1e9;
        }
        report(b, way == 0 ? "table" : "joined", asks, sum_ms);
        if (way == 0 && status == HT_OK) {
            status = compare(b, work, asks, sum_ms);
        }
    }
    (void)printf("%6u units: %.1f us for a label\n", b->units, label_us);
    ht_matrix_free(matrix);
    ht_label_store_free(kept);
    ht_label_store_free(store);
    free(places);
    free(labels);
    free(costs);
    return status;
}

/* What a unit costs, at rest and when it moves. */
static void moves_report(struct bench *b, uint32_t units, double new_s)
{
    size_t street_bytes = 0;
    size_t unit_bytes = 0;
    b->crossed = 0;
    double begin = now_s(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < 400000; i++) {
        drive(b, i % units, &b->state);
    }
    double move_ns = (now_s(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e9 / 400000;
    ht_closest_bytes(b->closest, &street_bytes, &unit_bytes);
    (void)printf("%6u units: %zu bytes each, %.1f MB for the streets, made in %.2f s; a move "
                 "%.0f ns, %.0f %% of them onto another arc\n",
                 units, unit_bytes / units, (double)street_bytes / 1e6, new_s, move_ns,
                 (double)b->crossed / 4000);
}

static enum ht_status run_size(struct bench *b, uint32_t units)
{
    static const char *const skills[] = {"aid"};
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    struct ht_closest_work *work = NULL;
    b->units = units;
    b->tracks = calloc(units, sizeof *b->tracks);
    if (b->tracks == NULL) {
        return HT_NOMEM;
    }
    double begin = now_s(CLOCK_MONOTONIC);
    enum ht_status status = ht_closest_new(b->roads, 1, units, &b->closest);
    double new_s = now_s(CLOCK_MONOTONIC) - begin;
    if (status == HT_OK) {
        status = ht_closest_work_new(b->closest, &work);
    }
    if (status == HT_OK) {
        status = ht_fleet_new(&settings, units, &b->fleet);
    }
    for (uint32_t u = 0; u < units && status == HT_OK; u++) {
        char id[16];
        uint32_t index = 0;
        struct ht_unit_spec spec = {.kind = HT_UNIT_RESPONDER,
                                    .status = HT_UNIT_IDLE,
                                    .profile = b->road.graph->profile,
                                    .skills = skills,
                                    .skill_count = u % 100 == 0 ? 1 : 0};
        (void)snprintf(id, sizeof id, "u%u", u);
        status = ht_fleet_put(b->fleet, id, &spec, &index);
        b->tracks[u].arc = random_below(&b->state, b->road.graph->base_arc_count);
        drive(b, u, &b->state);
    }
    if (status == HT_OK) {
        moves_report(b, units, new_s);
        ask_closest(b, work, "first", false, 0); /* the network's pages come in */
        ask_closest(b, work, "still", false, 0);
        ask_closest(b, work, "moving", true, 0);
        ask_under_closures(b, work);
        if (b->all_ways) {
            ask_closest(b, work, "skilled", true, 1);
            b->world = 1;
            ask_closest(b, work, "kept", true, 0);
            ask_closest(b, work, "kept skilled", true, 1);
            b->world = 0;
            status = ask_others(b, work, units > 1000 ? 20 : 400);
        }
    }
    ht_closest_work_free(work);
    ht_closest_free(b->closest);
    ht_fleet_free(b->fleet);
    free(b->tracks);
    return status;
}

static enum ht_status read_targets(struct bench *b, const char *path)
{
    struct ht_snap_work *work = NULL;
    struct ht_snap_options options = ht_snap_options_default();
    FILE *in = path == NULL ? NULL : fopen(path, "r");
    char line[128];
    enum ht_status status = ht_snap_work_new(&work);
    for (uint32_t i = 0; i < ASKS && status == HT_OK; i++) {
        uint32_t junction = random_below(&b->state, b->road.graph->junction_count);
        struct ht_point p = b->road.network->node_point[b->road.graph->junction_node[junction]];
        p.lat_e7 += 300;
        if (in != NULL && fgets(line, sizeof line, in) != NULL) {
            char *end = NULL;
            double lon = strtod(line, &end);
            double lat = strtod(end, NULL);
            p = (struct ht_point){(int32_t)(lon * 1e7), (int32_t)(lat * 1e7)};
        }
        struct ht_place two[2];
        uint32_t found = 0;
        status = ht_snap_trip(b->road.snap, work, p, &options, two, &found);
        b->targets[i] = two[found == 2 ? 1 : 0];
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    ht_snap_work_free(work);
    return status;
}

static enum ht_status run_profile(struct bench *b, struct ht_hnet *file, const char *profile,
                                  int argc, char **argv)
{
    static const uint32_t sizes[] = {200, 20000};
    struct ht_error error = {0};
    enum ht_status status = ht_hnet_road(file, profile, NULL, &b->road, &error);
    b->roads[0] = &b->road;
    if (status == HT_OK) {
        status = read_targets(b, argc > 3 ? argv[3] : NULL);
    }
    int count = argc > 4 ? argc - 4 : 2;
    for (int i = b->all_ways || argc > 4 ? 0 : 1; i < count && status == HT_OK; i++) {
        status = run_size(b, argc > 4 ? (uint32_t)strtoul(argv[4 + i], NULL, 10) : sizes[i]);
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct bench b = {.state = 7, .all_ways = true};
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    enum ht_status status = HT_IO;
    const char *network = argc > 2 ? argv[2] : ht_bench_city();
    const char *only = getenv("BENCH_PROFILE");
    b.targets = calloc(ASKS, sizeof *b.targets);
    b.ns = calloc(ASKS, sizeof *b.ns);
    b.cpu_ns = calloc(ASKS, sizeof *b.cpu_ns);
    if (b.targets == NULL || b.ns == NULL || b.cpu_ns == NULL ||
        ht_hnet_open(network, &file, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    b.json = fopen(argc > 1 ? argv[1] : "bench/results/closest.json", "w");
    if (b.json != NULL) {
        (void)fprintf(b.json, "{");
        ht_bench_origin(b.json);
        (void)fprintf(b.json, ",\"bench\":\"closest\",\"k\":%d,\"runs\":[{}", K);
    }
    const char *rows = getenv("BENCH_ROWS");
    bool http_alone = rows != NULL && strcmp(rows, "http") == 0;
    status = http_alone ? HT_OK : status;
    for (uint32_t i = 0; i < ht_hnet_profile_count(file) && !http_alone; i++) {
        if (only == NULL || strcmp(only, ht_hnet_profile(file, i)) == 0) {
            status = run_profile(&b, file, ht_hnet_profile(file, i), argc, argv);
            b.all_ways = false;
        }
    }
    if (only == NULL && argc <= 4) {
        ht_bench_closest_http(network, file, b.json);
    }
    if (b.json != NULL) {
        (void)fprintf(b.json, "]}\n");
        (void)fclose(b.json);
    }
    free(b.targets);
    free(b.ns);
    free(b.cpu_ns);
    ht_hnet_close(file);
    return status == HT_OK ? 0 : 1;
}
