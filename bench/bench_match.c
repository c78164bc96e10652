/* Map matching: points a second on one core, and how much of the length is right.
 *
 *   bench_match [RESULT.json]            BENCH_TOWN=Milan|city: one of the two;
 *                                        BENCH_NETWORK=FILE.hnet: that file, no import
 *                                        BENCH_EVERY=SECONDS: that sampling alone
 *
 * Traces are made from routes between random places (a seed fixes them), driven at the profile's
 * speeds with what turns cost, sampled every so many seconds, each axis with normal noise. Time is
 * thread CPU time from fixes to arcs: places, Viterbi, and the ways between them. `right` is the
 * share of the length driven that was matched, `wrong` what was matched beside it, in parts of the
 * length driven, `stream` the share of right length of the stream with a lag of 8 fixes.
 *
 * Then real ones: 30 tracks of 1 Hz in 30 cities with true routes (Kubicka et al. 2015), on the
 * networks that come with them, where ../shared/data is; thinned to every 10th and 30th second.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/json.h"
#include "bench/origin.h"
#include "bench/tracks.h"
#include "engine/road/match.h"
#include "geodata/hnet.h"

enum { TRACES = 400, LAG = 8 };

struct bench {
    const char *town;
    struct ht_road road;
    struct ht_query *query;
    struct ht_snap_work *snap;
    struct ht_match *match;
    struct ht_json *json;
    struct ht_drive *drives;
    size_t drive_count;
    uint64_t seed;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_match: %s\n", what);
    exit(1);
}

struct figures {
    double seconds;
    size_t fixes;
    size_t parts;
    struct ht_track_score score;
    struct ht_track_score stream;
};

static void add_score(struct ht_track_score *sum, struct ht_track_score one)
{
    sum->driven_mm += one.driven_mm;
    sum->right_mm += one.right_mm;
    sum->wrong_mm += one.wrong_mm;
}

static void match_one(struct bench *b, const struct ht_drive *drive, const struct ht_trace *trace,
                      struct figures *f)
{
    struct ht_match_options options = ht_match_options_default();
    struct ht_match_found found;
    struct ht_track track = {0};
    double begin = cpu_s();
    enum ht_status status =
        ht_match_run(b->match, &b->road, &options, trace->fixes, trace->count, &found);
    for (uint32_t p = 0; status == HT_OK && p < found.part_count; p++) {
        struct ht_route_found route;
        status = ht_match_route(b->match, &b->road, &found, p, &route);
        if (status == HT_OK) {
            double pause = cpu_s();
            ht_track_add(&track, b->road.graph, &route, found.spots + found.parts[p].first);
            begin += cpu_s() - pause;
        }
    }
    f->seconds += cpu_s() - begin;
    f->fixes += trace->count;
    f->parts += found.part_count;
    add_score(&f->score, ht_track_compare(&drive->track, &track));
    ht_track_deinit(&track);
}

static void row(struct bench *b, const char *name, const struct figures *f, double least,
                double right)
{
    double driven = (double)f->score.driven_mm;
    double rate = (double)f->fixes / f->seconds;
    double share = (double)f->score.right_mm / driven;
    (void)printf("%-9s %-16s %8zu %9.0f %8.2f %8.2f %7zu", b->town, name, f->fixes, rate,
                 100.0 * share, 100.0 * (double)f->score.wrong_mm / driven, f->parts);
    if (f->stream.driven_mm > 0) {
        (void)printf(" %8.2f", 100.0 * (double)f->stream.right_mm / (double)f->stream.driven_mm);
    }
    if (least > 0) {
        (void)printf("   bound %.0f/s %s", least, rate >= least ? "kept" : "MISSED");
    }
    if (right > 0) {
        (void)printf("   bound %.0f %% %s", 100.0 * right, share >= right ? "kept" : "MISSED");
    }
    (void)printf("\n");
    (void)fflush(stdout);
    ht_json_object(b->json);
    ht_json_key_text(b->json, "town", b->town);
    ht_json_key_text(b->json, "name", name);
    ht_json_key_int(b->json, "points", (int64_t)f->fixes);
    ht_json_key_double(b->json, "points_per_s", rate, 0);
    ht_json_key_double(b->json, "right", share, 4);
    ht_json_key_double(b->json, "wrong", (double)f->score.wrong_mm / driven, 4);
    ht_json_key_int(b->json, "parts", (int64_t)f->parts);
    if (f->stream.driven_mm > 0) {
        ht_json_key_double(b->json, "right_of_stream",
                           (double)f->stream.right_mm / (double)f->stream.driven_mm, 4);
    }
    ht_json_object_end(b->json);
}

static void stream_one(struct bench *b, const struct ht_drive *drive, const struct ht_trace *trace,
                       struct figures *f)
{
    struct ht_match_options options = ht_match_options_default();
    struct ht_match_stream *stream = NULL;
    struct ht_track track = {0};
    struct ht_match_spot last = {0};
    if (ht_match_stream_new(&options, LAG, &stream) != HT_OK) {
        die("out of memory");
    }
    for (uint32_t i = 0; i <= trace->count; i++) {
        struct ht_match_settled settled;
        enum ht_status status =
            i < trace->count
                ? ht_match_stream_push(stream, b->match, &b->road, &trace->fixes[i], &settled)
                : ht_match_stream_end(stream, b->match, &b->road, &settled);
        for (uint32_t k = 0; status == HT_OK && k < settled.count; k++) {
            const uint32_t *arcs = NULL;
            uint32_t count = 0;
            if (settled.spots[k].step != HT_MATCH_BEGIN &&
                ht_match_arcs(b->match, &b->road, &last, &settled.spots[k], &arcs, &count) ==
                    HT_OK) {
                struct ht_leg leg = {.source = 0,
                                     .target = 1,
                                     .source_side = settled.spots[k].from_side,
                                     .target_side = settled.spots[k].side,
                                     .arc_count = count};
                struct ht_match_spot pair[2] = {last, settled.spots[k]};
                struct ht_route_found route = {&leg, 1, arcs};
                ht_track_add(&track, b->road.graph, &route, pair);
            }
            last = settled.spots[k];
        }
    }
    ht_match_stream_free(stream);
    add_score(&f->stream, ht_track_compare(&drive->track, &track));
    ht_track_deinit(&track);
}

static void bench_noise(struct bench *b, double every_s, double sigma_m)
{
    struct figures f = {0};
    char name[64];
    size_t most = every_s < 5 ? TRACES / 4 : TRACES;
    for (size_t i = 0; i < b->drive_count && i < most; i++) {
        struct ht_trace trace;
        if (ht_trace_make(&b->road, &b->drives[i], every_s, sigma_m, &b->seed, &trace) != HT_OK) {
            die("out of memory");
        }
        if (trace.count >= 2) {
            match_one(b, &b->drives[i], &trace, &f);
            if (i < most / 4) {
                stream_one(b, &b->drives[i], &trace, &f);
            }
        }
        ht_trace_deinit(&trace);
    }
    (void)snprintf(name, sizeof name, "%2.0f s, %2.0f m", every_s, sigma_m);
    bool plain = sigma_m == 10.0;
    row(b, name, &f,
        plain && every_s == 1    ? 100000
        : plain && every_s == 10 ? 30000
                                 : 0,
        plain && every_s == 10 ? 0.97 : 0);
}

static void head(void)
{
    (void)printf("%-9s %-16s %8s %9s %8s %8s %7s %8s\n", "town", "every, noise", "points",
                 "points/s", "right %", "wrong %", "parts", "stream %");
}

static void bench_town(struct bench *b)
{
    static const double every[] = {1, 5, 10, 30, 60};
    static const double noise[] = {5, 10, 20, 50};
    const char *only = getenv("BENCH_EVERY");
    struct ht_drive *drives = calloc(TRACES, sizeof *drives);
    b->drives = drives;
    b->drive_count = 0;
    b->seed = 20261126;
    for (size_t tries = 0; drives != NULL && b->drive_count < TRACES && tries < 50 * TRACES;
         tries++) {
        b->drive_count +=
            ht_drive_make(&b->road, b->query, b->snap, &b->seed, &drives[b->drive_count]) == HT_OK;
    }
    for (size_t e = 0; e < sizeof every / sizeof *every; e++) {
        if (only != NULL && strtol(only, NULL, 10) != (long)every[e]) {
            continue;
        }
        for (size_t n = 0; n < sizeof noise / sizeof *noise; n++) {
            bench_noise(b, every[e], noise[n]);
        }
    }
    for (size_t i = 0; i < b->drive_count; i++) {
        ht_drive_deinit(&drives[i]);
    }
    free(drives);
}

static void run_binary(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL ||
            freopen("/dev/null", "w", stderr) == NULL) {
            _exit(127);
        }
        (void)execv(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        die("the binary failed");
    }
}

static void bench_streets(struct bench *b, char *streets)
{
    char file[512];
    const char *ready = getenv("BENCH_NETWORK");
    const char *scratch = getenv("TMPDIR");
    struct ht_hnet *hnet = NULL;
    struct ht_error error = {0};
    (void)snprintf(file, sizeof file, "%s/bench-match-%ld.hnet", scratch == NULL ? "/tmp" : scratch,
                   (long)getpid());
    if (ready == NULL) {
        char *argv[] = {(char *)(uintptr_t)HT_BINARY,
                        (char *)(uintptr_t) "import",
                        streets,
                        (char *)(uintptr_t) "-o",
                        file,
                        (char *)(uintptr_t) "--profiles",
                        (char *)(uintptr_t) "car",
                        NULL};
        run_binary(argv);
    }
    if (ht_hnet_open(ready != NULL ? ready : file, &hnet, &error) != HT_OK ||
        ht_hnet_road(hnet, "car", NULL, &b->road, &error) != HT_OK) {
        die(error.message);
    }
    bench_town(b);
    ht_hnet_close(hnet);
    if (ready == NULL) {
        (void)unlink(file);
    }
}

/* Real tracks. */
static void bench_real(struct bench *b, const char *data)
{
    static const uint32_t every[] = {1, 10, 30};
    struct figures f[3] = {{0}};
    struct ht_real *real = NULL;
    b->town = "real";
    if (ht_real_open(data, &real) != HT_OK) {
        (void)printf("real tracks: none in %s, skipped\n", data);
        return;
    }
    for (uint32_t i = 0; i < ht_real_count(real); i++) {
        struct ht_drive drive;
        struct ht_trace trace;
        if (ht_real_load(real, i, &b->road, &drive, &trace) != HT_OK) {
            (void)printf("real track %u could not be read\n", i);
            continue;
        }
        for (size_t e = 0; e < 3; e++) {
            struct ht_trace thin;
            if (ht_trace_thin(&trace, every[e], &thin) != HT_OK) {
                die("out of memory");
            }
            match_one(b, &drive, &thin, &f[e]);
            stream_one(b, &drive, &thin, &f[e]);
            ht_trace_deinit(&thin);
        }
        ht_drive_deinit(&drive);
        ht_trace_deinit(&trace);
    }
    for (size_t e = 0; e < 3; e++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%2u s, GPS", every[e]);
        row(b, name, &f[e], 0, 0);
    }
    ht_real_close(real);
}

int main(int argc, char **argv)
{
    const char *data = getenv("HOUTAO_DATA");
    data = data != NULL ? data : HT_SOURCE_DIR "/../shared/data";
    const char *only = getenv("BENCH_TOWN");
    bool have = access(data, R_OK) == 0;
    struct ht_buffer buffer = {0};
    struct ht_json json;
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    struct bench b = {.json = &json};
    if (ht_query_new(&b.query) != HT_OK || ht_snap_work_new(&b.snap) != HT_OK ||
        ht_match_new(&b.match) != HT_OK) {
        die("out of memory");
    }
    head();
    for (int i = 0; i < 2; i++) {
        char streets[512];
        b.town = i == 0 ? "Milan" : "city";
        if ((only != NULL && strcmp(only, b.town) != 0) || (!have && i == 0)) {
            continue;
        }
        (void)snprintf(streets, sizeof streets, "%s/osm/%s", data,
                       i == 0 ? "milan_italy_small.osm.pbf" : "synthetic-city.osm.pbf");
        if (!have) {
            char folder[64] = "/tmp/bench-match-city";
            char *sample[] = {(char *)(uintptr_t)HT_BINARY,
                              (char *)(uintptr_t) "sample",
                              (char *)(uintptr_t) "-o",
                              folder,
                              (char *)(uintptr_t) "--scale",
                              (char *)(uintptr_t) "city",
                              NULL};
            run_binary(sample);
            (void)snprintf(streets, sizeof streets, "%s/streets.osm.pbf", folder);
        }
        bench_streets(&b, streets);
    }
    if (only == NULL || strcmp(only, "real") == 0) {
        bench_real(&b, data);
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
    ht_match_free(b.match);
    ht_snap_work_free(b.snap);
    ht_query_free(b.query);
    return 0;
}
