/* Fleet: positions a second on one core, with and without putting them on streets.
 *
 *   bench_fleet [RESULT.json [NETWORK.hnet [POINTS]]]
 *
 * Without NETWORK: ht_bench_city. 20,000 units of the first profile. `tracks`: each drives on, 12 m
 * a second along its street and into a random turn at its end, its position scattered by up to 5 m.
 * `jumps`: each report is somewhere else (given enough time). POINTS: the places of the jumps, one
 * "lon lat" a line.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/drive.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "engine/live/fleet.h"
#include "geodata/hnet.h"

enum { UNITS = 20000 };

struct bench {
    struct ht_fleet *fleet;
    struct ht_follow *follow;
    struct ht_road road;
    const struct ht_road *roads[1];
    struct ht_fleet_streets streets;
    struct ht_bench_track tracks[UNITS];
    struct ht_point *points;
    size_t point_count;
    uint64_t state;
    int64_t now_ms;
    uint64_t right; /* positions that were put on the street driven on */
    uint64_t asked;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum way { TRACKS, TRACKS_UNSNAPPED, JUMPS };

/* Positions a second; reports are made beforehand, one round after another. */
static double run_way(struct bench *b, enum way way, int rounds)
{
    static struct ht_report reports[UNITS];
    double spent = 0;
    uint64_t taken_count = 0;
    b->right = 0;
    b->asked = 0;
    for (int round = 0; round < rounds; round++) {
        b->now_ms += way == JUMPS ? 100000000 : 1000;
        for (uint32_t i = 0; i < UNITS; i++) {
            if (way == JUMPS) {
                struct ht_point p = b->points[ht_bench_below(&b->state, (uint32_t)b->point_count)];
                reports[i] = (struct ht_report){.lon_deg = p.lon_e7 * 1e-7,
                                                .lat_deg = p.lat_e7 * 1e-7,
                                                .speed_mps = -1,
                                                .bearing_deg = -1,
                                                .accuracy_m = -1};
            } else {
                reports[i] = ht_bench_drive(&b->road, &b->tracks[i], &b->state);
            }
            reports[i].ts_ms = b->now_ms;
            reports[i].received_ms = b->now_ms + 300;
        }
        double begin = cpu_s();
        for (uint32_t i = 0; i < UNITS; i++) {
            struct ht_position taken;
            enum ht_refusal refusal =
                ht_fleet_accept(b->fleet, b->follow, i, &reports[i],
                                way == TRACKS_UNSNAPPED ? NULL : &b->streets, &taken);
            taken_count += refusal == HT_REFUSAL_NONE ? 1U : 0U;
            if (way == TRACKS && refusal == HT_REFUSAL_NONE && round > 0) {
                uint32_t base = ht_arc_base(b->road.graph, b->tracks[i].arc);
                b->asked++;
                b->right += taken.place.side[0].arc == base || taken.place.side[1].arc == base;
            }
        }
        spent += cpu_s() - begin;
    }
    if (taken_count != (uint64_t)rounds * UNITS) {
        (void)printf("bench_fleet: %llu of %d taken\n", (unsigned long long)taken_count,
                     rounds * UNITS);
    }
    return rounds * (double)UNITS / spent;
}

static bool prepare(struct bench *b)
{
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    const char *profile = b->road.graph->profile;
    struct ht_unit_spec spec = {.status = HT_UNIT_IDLE, .profile = profile};
    if (ht_fleet_new(&settings, UNITS, &b->fleet) != HT_OK || ht_follow_new(&b->follow) != HT_OK) {
        return false;
    }
    for (uint32_t i = 0; i < UNITS; i++) {
        char id[16];
        uint32_t index = 0;
        (void)snprintf(id, sizeof id, "van-%05u", i);
        if (ht_fleet_put(b->fleet, id, &spec, &index) != HT_OK || index != i) {
            return false;
        }
        b->tracks[i] = ht_bench_track_begin(&b->road, &b->state);
    }
    b->roads[0] = &b->road;
    b->streets = (struct ht_fleet_streets){.network = 1, .count = 1, .roads = b->roads};
    return true;
}

static void read_points(struct bench *b, const char *path)
{
    FILE *in = path == NULL ? NULL : fopen(path, "r");
    char line[128];
    b->points = calloc(UNITS, sizeof *b->points);
    while (b->points != NULL && in != NULL && b->point_count < UNITS &&
           fgets(line, sizeof line, in) != NULL) {
        char *end = NULL;
        double lon = strtod(line, &end);
        double lat = strtod(end, NULL);
        b->points[b->point_count++] = (struct ht_point){(int32_t)(lon * 1e7), (int32_t)(lat * 1e7)};
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    while (b->points != NULL && b->point_count < UNITS) { /* beside junctions */
        const struct ht_graph *graph = b->road.graph;
        uint32_t node = graph->junction_node[ht_bench_below(&b->state, graph->junction_count)];
        b->points[b->point_count++] = b->road.network->node_point[node];
    }
}

static int run(struct bench *b, const char *json_path)
{
    double jumps = run_way(b, JUMPS, 5);
    b->now_ms += 100000000;
    double tracks = run_way(b, TRACKS, 20);
    double right = b->asked == 0 ? 0 : (double)b->right / (double)b->asked;
    double plain = run_way(b, TRACKS_UNSNAPPED, 20);
    double bytes = (double)ht_fleet_bytes(b->fleet) / UNITS;
    (void)printf("%d units, %.0f bytes each\n", UNITS, bytes);
    (void)printf("positions a second and core: %.0f not snapped, %.0f on tracks (%.2f %% on the "
                 "street driven), %.0f jumps\n",
                 plain, tracks, right * 100, jumps);
    FILE *json = fopen(json_path, "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json,
                      ",\"bench\":\"fleet\",\"units\":%d,\"bytes_per_unit\":%.0f,"
                      "\"unsnapped_per_s\":%.0f,\"tracks_per_s\":%.0f,\"right_share\":%.4f,"
                      "\"jumps_per_s\":%.0f}\n",
                      UNITS, bytes, plain, tracks, right, jumps);
        return fclose(json) == 0 ? 0 : 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.state = 7, .now_ms = 1800000000000};
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    int result = 1;
    const char *network = argc > 2 ? argv[2] : ht_bench_city();
    if (ht_hnet_open(network, &file, &error) != HT_OK ||
        ht_hnet_road(file, ht_hnet_profile(file, 0), NULL, &b.road, &error) != HT_OK) {
        (void)fprintf(stderr, "bench_fleet: %s\n", error.message);
    } else {
        read_points(&b, argc > 3 ? argv[3] : NULL);
        if (b.points != NULL && prepare(&b)) {
            result = run(&b, argc > 1 ? argv[1] : "bench/results/fleet.json");
        }
    }
    free(b.points);
    ht_follow_free(b.follow);
    ht_fleet_free(b.fleet);
    ht_hnet_close(file);
    return result;
}
