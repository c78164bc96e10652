/* Learned speeds: what it costs to make the metric follow, on one thread.
 *
 *   bench_speeds [RESULT.json [NETWORK.hnet]]      without a network the sample town is made
 *
 *   costs    what is known of every arc, from a table that knows two thirds of them
 *   follow   all that is known becomes the metric (engine/live/traffic.h), median of 9
 *   part N   one arc of N costs something else: brought up to date, or made from nothing where that
 *            is sooner; median of 9. What decides is MANY in traffic.c
 *
 * Milliseconds of thread CPU time, profile car.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/origin.h"
#include "engine/live/learn.h"
#include "engine/live/traffic.h"
#include "geodata/hnet.h"

enum { ROUNDS = 9, PARTS = 9 };

struct bench {
    struct ht_hnet *file;
    struct ht_road road;
    struct ht_speeds *speeds;
    struct ht_traffic *traffic;
    uint64_t state;
    FILE *out;
    bool comma;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_speeds: %s\n", what);
    exit(1);
}

static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static uint32_t dice(struct bench *b, uint32_t below)
{
    b->state = b->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((b->state >> 33) % below);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void row(struct bench *b, const char *what, double *ms, size_t count)
{
    qsort(ms, count, sizeof *ms, by_value);
    (void)printf("%-12s %10.2f ms\n", what, ms[count / 2]);
    if (b->out != NULL) {
        (void)fprintf(b->out, "%s{\"what\":\"%s\",\"ms\":%.3f}", b->comma ? "," : "", what,
                      ms[count / 2]);
        b->comma = true;
    }
}

/* The sample town's network in a folder of its own, which is removed at the end. */
static const char *town_make(char folder[64], char path[128])
{
    char line[512];
    (void)snprintf(folder, 64, "/tmp/houtao-bench-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        die("no folder");
    }
    (void)snprintf(path, 128, "%s/town.hnet", folder);
    (void)snprintf(
        line, sizeof line,
        "%s sample -o %s >/dev/null && %s import %s/streets.osm.pbf -o %s --profiles car "
        ">/dev/null 2>&1",
        HT_BINARY, folder, HT_BINARY, folder, path);
    if (system(line) != 0) {
        die("the sample town can't be made");
    }
    return path;
}

static void know(struct bench *b)
{
    const struct ht_graph *g = b->road.graph;
    for (uint32_t a = 0; a < g->base_arc_count; a++) {
        struct ht_speeds_keys keys = ht_learn_keys(&b->road, a);
        for (uint32_t trip = 0; trip < 6 && a % 3 != 0; trip++) {
            const struct ht_speeds_drive drive = {40, 20000, a + trip, 0.8 + dice(b, 100) / 100.0};
            if (ht_speeds_take(b->speeds, &keys, &drive) != HT_OK) {
                die("out of memory");
            }
        }
    }
}

static struct ht_arc *arcs_copy(const struct bench *b)
{
    const struct ht_graph *g = b->road.graph;
    struct ht_arc *arcs = malloc(g->arc_count * sizeof *arcs);
    if (arcs == NULL) {
        die("out of memory");
    }
    memcpy(arcs, g->arcs, g->arc_count * sizeof *arcs);
    return arcs;
}

/* Until the road that obeys is given out; of the change alone. */
static double learn_ms(struct bench *b, struct ht_arc *arcs)
{
    struct ht_live_road *live = NULL;
    double begin = cpu_ms();
    if (ht_traffic_learn(b->traffic, arcs, NULL) != HT_OK ||
        ht_traffic_apply(b->traffic, NULL, 0, NULL, NULL, &live) != HT_OK) {
        die("out of memory");
    }
    double ms = cpu_ms() - begin;
    ht_live_road_release(live);
    if (ht_traffic_prepare(b->traffic, NULL) != HT_OK) {
        die("out of memory");
    }
    return ms;
}

static void follow_measure(struct bench *b)
{
    double costs[ROUNDS];
    double all[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct ht_arc *arcs = arcs_copy(b);
        double begin = cpu_ms();
        struct ht_learned learned = ht_learn_costs(b->speeds, &b->road, 40, 5, arcs);
        costs[i] = cpu_ms() - begin;
        if (learned.by[HT_SPEEDS_OWN] == 0) {
            die("nothing is known");
        }
        all[i] = learn_ms(b, arcs);
        (void)learn_ms(b, NULL);
    }
    row(b, "costs", costs, ROUNDS);
    row(b, "follow", all, ROUNDS);
}

static void parts_measure(struct bench *b)
{
    static const uint32_t parts[PARTS] = {1000, 300, 100, 50, 30, 20, 16, 10, 4};
    const struct ht_graph *g = b->road.graph;
    for (int p = 0; p < PARTS; p++) {
        double ms[ROUNDS];
        char what[32];
        for (int i = 0; i < ROUNDS; i++) {
            struct ht_arc *arcs = arcs_copy(b);
            for (uint32_t a = 0; a < g->arc_count; a++) {
                if (dice(b, parts[p]) == 0 && arcs[a].weight_ms < HT_WEIGHT_INF / 2) {
                    arcs[a].weight_ms += 1 + arcs[a].weight_ms / 2;
                    arcs[a].duration_ms += 1 + arcs[a].duration_ms / 2;
                }
            }
            struct ht_arc *before = arcs_copy(b);
            (void)learn_ms(b, before);
            ms[i] = learn_ms(b, arcs);
        }
        (void)snprintf(what, sizeof what, "part %u", parts[p]);
        row(b, what, ms, ROUNDS);
    }
}

int main(int argc, char **argv)
{
    struct bench b = {.state = 7};
    struct ht_error error = {0};
    char folder[64] = "";
    char path[128];
    const char *network = argc > 2 ? argv[2] : town_make(folder, path);
    if (ht_hnet_open(network, &b.file, &error) != HT_OK ||
        ht_hnet_road(b.file, "car", NULL, &b.road, &error) != HT_OK ||
        ht_hnet_check_rest(b.file, "car", NULL, &error) != HT_OK) {
        die(error.message);
    }
    if (ht_speeds_new(20000000, &b.speeds) != HT_OK ||
        ht_traffic_new(&b.road, &b.traffic) != HT_OK) {
        die("out of memory");
    }
    b.out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (b.out != NULL) {
        (void)fputs("{\"bench\":\"speeds\",", b.out);
        ht_bench_origin(b.out);
        (void)fprintf(b.out, ",\"arcs\":%u,\"rows\":[", b.road.graph->base_arc_count);
    }
    (void)printf("%u arcs\n", b.road.graph->base_arc_count);
    know(&b);
    follow_measure(&b);
    parts_measure(&b);
    if (b.out != NULL) {
        (void)fputs("]}\n", b.out);
        (void)fclose(b.out);
    }
    ht_traffic_free(b.traffic);
    ht_speeds_free(b.speeds);
    ht_hnet_close(b.file);
    if (folder[0] != '\0') {
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "rm -rf '%s'", folder);
        return system(path) == 0 ? 0 : 1;
    }
    return 0;
}
