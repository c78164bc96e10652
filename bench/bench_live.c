/* Live: positions and questions about units over the port, beside Redis and PostGIS where they are
 * installed. Server and sender share the machine; the server has a store, two loops, keep-alive.
 *
 *   bench_live [RESULT.json [NETWORK.hnet]]
 *
 * 20,000 vans of one profile of the network (BENCH_PROFILE; van, or the first) and as many units
 * whose profile it lacks, which are put on no street. Bodies of 500 positions are made before; the
 * same connection always speaks for the same units, so that nothing comes out of order.
 *
 *   not snapped   units without streets, 1 Hz by their own clocks
 *   tracks        vans that drive on, 12 m a second, into a random turn at each end
 *   jumps         vans that are beside some other junction each time
 *   one by one    a request for each position, as a share of the constant answer
 *   household     how long a million of them take to load, and what each takes of memory and disk
 *   closest, near k = 5 and 10, and a table of 1 x 1000 places: OSRM's way to ask for the closest
 *
 * Rates are medians of five slices; Redis, constant answers and our ways take turns, so that what
 * else the machine does falls on all of them. Shares are medians of the slices' own shares.
 *
 * Without NETWORK: ht_bench_city. BENCH_FULL=1 sends three times as much; BENCH_ROWS=TEXT measures
 * only what has the text in its name.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/json.h"
#include "bench/drive.h"
#include "bench/load.h"
#include "bench/origin.h"
#include "bench/redis.h"
#include "bench/server.h"
#include "engine/base/time.h"
#include "geodata/hnet.h"

enum {
    UNITS = 20000,
    BATCH = 500,
    CONNECTIONS = 8,
    POSITION_ROOM = 192,
    HEAD_ROOM = 160,
    ASKS = 2000,
    TABLE = 1000,
    SLICES = 5,
};
#define DAY_MS INT64_C(86400000)

struct bench {
    struct ht_json json;
    const char *network;
    const char *profile;
    struct ht_road road;
    struct ht_bench_server server;
    struct ht_bench_track tracks[UNITS];
    uint64_t state;
    int64_t now_ms;
    unsigned rounds; /* of all units, in a slice */
    struct ht_redis redis;
    bool redis_there;
    char store[512];
    double load_s; /* how long it took to load it */
};

static bool wanted(const char *what)
{
    const char *text = getenv("BENCH_ROWS");
    return text == NULL || strstr(what, text) != NULL;
}

/* A way to be measured, slice by slice. */
struct series {
    const char *what;
    double bound;       /* a second; 0: none */
    double share_bound; /* of what it is held against */
    const struct series *against;
    double rate[SLICES];
    double cpu_us[SLICES];
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double values[SLICES])
{
    double sorted[SLICES];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, SLICES, sizeof *sorted, by_value);
    return sorted[SLICES / 2];
}

static double share_of(const struct series *series)
{
    double shares[SLICES] = {0};
    for (int i = 0; series->against != NULL && i < SLICES; i++) {
        double other = series->against->rate[i];
        shares[i] = other > 0 ? series->rate[i] / other : 0;
    }
    return median(shares);
}

static void rate_row(struct bench *b, const struct series *series)
{
    double rate = median(series->rate);
    double cpu_us = median(series->cpu_us);
    double share = share_of(series);
    if (rate <= 0) {
        return;
    }
    (void)printf("%-40s %8.0f", series->what, rate);
    if (cpu_us > 0) {
        (void)printf("  server CPU %6.2f us", cpu_us);
    }
    if (series->against != NULL && share > 0) {
        (void)printf("  x %.2f of %s", share, series->against->what);
    }
    if (series->bound > 0) {
        (void)printf("  bound %.0f%s", series->bound, rate < series->bound ? ", MISSED" : "");
    }
    if (series->share_bound > 0) {
        (void)printf("  bound x %.1f%s", series->share_bound,
                     share < series->share_bound ? ", MISSED" : "");
    }
    (void)printf("\n");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", series->what);
    ht_json_key_double(&b->json, "per_s", rate, 0);
    ht_json_key_double(&b->json, "server_cpu_us", cpu_us, 2);
    if (series->against != NULL && share > 0) {
        ht_json_key_text(&b->json, "against", series->against->what);
        ht_json_key_double(&b->json, "share", share, 3);
    }
    if (series->bound > 0) {
        ht_json_key_double(&b->json, "bound", series->bound, 0);
    }
    ht_json_object_end(&b->json);
}

static void time_row(struct bench *b, const char *what, double p50_us, double p99_us, double bound)
{
    (void)printf("%-44s p50 %9.1f us   p99 %9.1f us", what, p50_us, p99_us);
    if (bound > 0) {
        (void)printf("   bound p50 %.0f%s", bound, p50_us > bound ? ", MISSED" : "");
    }
    (void)printf("\n");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "p50_us", p50_us, 1);
    ht_json_key_double(&b->json, "p99_us", p99_us, 1);
    if (bound > 0) {
        ht_json_key_double(&b->json, "bound_p50_us", bound, 0);
    }
    ht_json_object_end(&b->json);
}

static void bytes_row(struct bench *b, const char *what, double bytes)
{
    (void)printf("%-44s %9.0f bytes\n", what, bytes);
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "bytes", bytes, 0);
    ht_json_object_end(&b->json);
}

/* ---- bodies ---- */

enum way { UNSNAPPED, TRACKS, JUMPS };

/* Requests that were made, their bytes in one block. */
struct requests {
    char *text;
    struct ht_load_request *list;
    size_t count;
    size_t positions;
};

static void requests_free(struct requests *requests)
{
    free(requests->text);
    free(requests->list);
    *requests = (struct requests){0};
}

static size_t position_write(char *out, enum way way, uint32_t unit, const struct ht_report *r)
{
    char time[HT_TIME_TEXT_SIZE];
    ht_time_format(r->ts_ms, time);
    size_t size =
        (size_t)sprintf(out, "{\"unit\":\"%c%05u\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":\"%s\"",
                        way == UNSNAPPED ? 'd' : 'v', unit, r->lon_deg, r->lat_deg, time);
    if (r->speed_mps >= 0) {
        size += (size_t)sprintf(out + size,
                                ",\"speed_mps\":%.1f,\"bearing_deg\":%.1f,\"accuracy_m\":%.0f",
                                r->speed_mps, r->bearing_deg, r->accuracy_m);
    }
    out[size] = '}';
    return size + 1;
}

static struct ht_report report_next(struct bench *b, enum way way, uint32_t unit)
{
    struct ht_report report = way == JUMPS ? ht_bench_jump(&b->road, &b->state)
                                           : ht_bench_drive(&b->road, &b->tracks[unit], &b->state);
    report.ts_ms = b->now_ms;
    return report;
}

/* `rounds` of all units, `batch` positions in a request; a batch of one is no array. */
static struct requests requests_make(struct bench *b, enum way way, unsigned rounds, uint32_t batch)
{
    struct requests r = {.count = (size_t)rounds * UNITS / batch,
                         .positions = (size_t)rounds * UNITS};
    char *body = malloc((size_t)batch * POSITION_ROOM);
    r.text = malloc(r.positions * POSITION_ROOM + r.count * HEAD_ROOM);
    r.list = calloc(r.count, sizeof *r.list);
    if (r.text == NULL || r.list == NULL || body == NULL) {
        ht_bench_die("out of memory");
    }
    char *out = r.text;
    for (size_t i = 0; i < r.count; i++) {
        size_t size = 0;
        uint32_t first = (uint32_t)(i * batch % UNITS);
        b->now_ms += first > 0 ? 0 : way == JUMPS ? DAY_MS : 1000;
        for (uint32_t k = 0; k < batch; k++) {
            struct ht_report report = report_next(b, way, first + k);
            body[size] = k == 0 ? '[' : ',';
            size += batch > 1 ? 1 : 0;
            size += position_write(body + size, way, first + k, &report);
        }
        body[size] = ']';
        size += batch > 1 ? 1 : 0;
        size_t head =
            (size_t)sprintf(out,
                            "POST /v1/positions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            size);
        memcpy(out + head, body, size);
        r.list[i] = (struct ht_load_request){out, head + size};
        out += head + size;
    }
    free(body);
    return r;
}

static struct ht_load_result send_once(const struct bench *b, const struct requests *requests)
{
    struct ht_load_options options = {.host = "127.0.0.1",
                                      .port = b->server.port,
                                      .connections = CONNECTIONS,
                                      .requests = requests->list,
                                      .request_count = requests->count,
                                      .once = true,
                                      .expect = "{\"accepted\":",
                                      .pid = b->server.pid};
    struct ht_load_result result;
    const char *why = NULL;
    if (!ht_load_run(&options, &result, &why) || result.failed > 0) {
        ht_bench_die(why == NULL ? "connections broke" : why);
    }
    if (result.not_ok > 0 || (double)result.sum < (double)requests->positions * 0.99) {
        (void)printf("%lld of %zu positions taken, %llu answers wrong\n", (long long)result.sum,
                     requests->positions, (unsigned long long)result.not_ok);
    }
    return result;
}

/* ---- positions ---- */

static struct ht_load_result ask(const struct bench *b, char **paths, size_t count,
                                 unsigned connections)
{
    struct ht_load_options options = {.host = "127.0.0.1",
                                      .port = b->server.port,
                                      .connections = connections,
                                      .seconds = 2,
                                      .paths = paths,
                                      .path_count = count,
                                      .pid = b->server.pid};
    struct ht_load_result result;
    const char *why = NULL;
    if (!ht_load_run(&options, &result, &why) || result.failed > 0 || result.not_ok > 0) {
        ht_bench_die(why == NULL ? "wrong answers" : why);
    }
    return result;
}

static struct ht_redis_point *redis_points(struct bench *b, size_t count)
{
    struct ht_redis_point *points = calloc(count, sizeof *points);
    if (points == NULL) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t unit = (uint32_t)(i % UNITS);
        struct ht_report r = ht_bench_drive(&b->road, &b->tracks[unit], &b->state);
        points[i] = (struct ht_redis_point){r.lon_deg, r.lat_deg, unit};
    }
    return points;
}

/* A slice of a way, after one round that is not measured: units that jumped drive on from
 * elsewhere. By the units' clocks it is another day. */
static void slice(struct bench *b, struct series *series, int at, enum way way, uint32_t batch)
{
    unsigned rounds = batch == 1 ? 1 : way == JUMPS ? b->rounds / 3 + 1 : b->rounds;
    b->now_ms += DAY_MS;
    struct requests first = requests_make(b, way, 1, BATCH);
    struct requests requests = requests_make(b, way, rounds, batch);
    (void)send_once(b, &first);
    ht_bench_server_settle(&b->server); /* what the slice before left to be saved is not ours */
    struct ht_load_result result = send_once(b, &requests);
    series->rate[at] = (double)result.sum / result.seconds;
    series->cpu_us[at] = result.server_cpu_us / (double)batch;
    requests_free(&first);
    requests_free(&requests);
}

/* The limit of our HTTP alone. */
static void slice_constant(struct series *series, int at)
{
    char path[] = "/constant";
    char *paths[] = {path};
    static struct bench beside;
    beside.server = ht_bench_server_constant(2);
    struct ht_load_result result = ask(&beside, paths, 1, CONNECTIONS);
    ht_bench_server_stop(&beside.server);
    series->rate[at] = result.rate;
    series->cpu_us[at] = result.server_cpu_us;
}

static void slice_redis(struct bench *b, struct series *series, int at, bool many)
{
    size_t count = (size_t)UNITS * b->rounds;
    if (!b->redis_there) {
        return;
    }
    struct ht_redis_point *points = redis_points(b, count);
    double spent = ht_redis_add(&b->redis, points, count, BATCH, many);
    if (spent < 0) {
        ht_bench_die("Redis refused");
    }
    series->rate[at] = (double)count / spent;
    free(points);
}

static void batches_rows(struct bench *b)
{
    struct series single = {.what = "GEOADD"};
    struct series many = {.what = "GEOADD of 500 members each", .against = &single};
    struct series ways[] = {
        {.what = "not snapped, batches of 500", .bound = 250000, .against = &single},
        {.what = "tracks, snapped, batches of 500", .bound = 80000, .against = &single},
        {.what = "jumps, snapped, batches of 500", .bound = 15000, .against = &single}};
    for (int i = 0; i < SLICES && wanted("batches"); i++) {
        slice_redis(b, &single, i, false);
        slice_redis(b, &many, i, true);
        for (enum way way = UNSNAPPED; way <= JUMPS; way++) {
            slice(b, &ways[way], i, way, BATCH);
        }
    }
    rate_row(b, &single);
    rate_row(b, &many);
    for (enum way way = UNSNAPPED; way <= JUMPS; way++) {
        rate_row(b, &ways[way]);
    }
}

static void single_rows(struct bench *b)
{
    struct series constant = {.what = "constant"};
    struct series ways[] = {
        {.what = "one by one, not snapped", .share_bound = 0.6, .against = &constant},
        {.what = "one by one, tracks", .share_bound = 0.6, .against = &constant}};
    for (int i = 0; i < SLICES && wanted("one by one"); i++) {
        slice_constant(&constant, i);
        for (enum way way = UNSNAPPED; way <= TRACKS; way++) {
            slice(b, &ways[way], i, way, 1);
        }
    }
    rate_row(b, &constant);
    rate_row(b, &ways[UNSNAPPED]);
    rate_row(b, &ways[TRACKS]);
}

/* ---- questions ---- */

static char **paths_make(struct bench *b, const char *format, size_t count)
{
    char **paths = calloc(count, sizeof *paths);
    for (size_t i = 0; paths != NULL && i < count; i++) {
        struct ht_report r = ht_bench_jump(&b->road, &b->state);
        char place[64];
        (void)snprintf(place, sizeof place, "lon=%.6f&lat=%.6f", r.lon_deg, r.lat_deg);
        if (asprintf(&paths[i], "%s%s", format, place) < 0) {
            paths = NULL;
        }
    }
    if (paths == NULL) {
        ht_bench_die("out of memory");
    }
    return paths;
}

static void question_row(struct bench *b, const char *what, const char *format, double bound)
{
    if (!wanted(what)) {
        return;
    }
    char **paths = paths_make(b, format, ASKS);
    struct ht_load_result one = ask(b, paths, ASKS, 1);
    time_row(b, what, one.p50_us, one.p99_us, bound);
    ht_load_paths_free(paths, ASKS);
}

/* What OSRM has for it: all durations from 1,000 places, of which the caller takes the least. */
static void table_row(struct bench *b)
{
    enum { TABLES = 20 };
    char *paths[TABLES];
    if (!wanted("table")) {
        return;
    }
    for (size_t i = 0; i < TABLES; i++) {
        char *at = paths[i] = malloc((TABLE + 1) * 32 + 128);
        if (at == NULL) {
            ht_bench_die("out of memory");
        }
        at += sprintf(at, "/table/v1/%s/", b->profile);
        for (int k = 0; k <= TABLE; k++) {
            struct ht_report r = ht_bench_jump(&b->road, &b->state);
            at += sprintf(at, "%s%.6f,%.6f", k == 0 ? "" : ";", r.lon_deg, r.lat_deg);
        }
        (void)sprintf(at, "?destinations=0");
    }
    struct ht_load_result result = ask(b, paths, TABLES, 1);
    time_row(b, "table 1,000 x 1, as one asks OSRM", result.p50_us, result.p99_us, 0);
    for (size_t i = 0; i < TABLES; i++) {
        free(paths[i]);
    }
}

/* 10 of the 20,000 that the slices left there. */
static void redis_near_row(struct bench *b)
{
    static double seconds[ASKS];
    if (!b->redis_there) {
        return;
    }
    for (int i = 0; i < ASKS; i++) {
        struct ht_report r = ht_bench_jump(&b->road, &b->state);
        seconds[i] = ht_redis_near(&b->redis, r.lon_deg, r.lat_deg, 20000);
    }
    qsort(seconds, ASKS, sizeof *seconds, by_value);
    time_row(b, "GEOSEARCH, 10 within 20 km of 20,000", seconds[ASKS / 2] * 1e6,
             seconds[ASKS - 1 - ASKS / 100] * 1e6, 0);
}

/* ---- the server ---- */

static void serve(struct bench *b, const char *store)
{
    const char *const arguments[] = {"serve",    "--network",   b->network,  "--store", store,
                                     "--listen", "127.0.0.1:0", "--threads", "2",       NULL};
    b->server = ht_bench_server_start(arguments);
    ht_bench_server_settle(&b->server);
}

static double seconds_of(struct timespec t)
{
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void store_make(struct bench *b, const char *name, const char *collection,
                       void (*write)(struct bench *b, FILE *out))
{
    char input[512];
    ht_bench_scratch(b->store, sizeof b->store, name);
    ht_bench_scratch(input, sizeof input, "input.csv");
    FILE *out = fopen(input, "w");
    if (out == NULL) {
        ht_bench_die("the scratch folder can't be written");
    }
    write(b, out);
    (void)fclose(out);
    const char *const load[] = {"load",     "--store", b->store, "--collection",
                                collection, input,     NULL};
    struct timespec begin;
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    ht_bench_run(load);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    b->load_s = seconds_of(end) - seconds_of(begin);
    (void)unlink(input);
}

static void store_remove(const char *store)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s%s", store, ends[i]);
        (void)unlink(path);
    }
}

static void units_write(struct bench *b, FILE *out)
{
    (void)fprintf(out, "id,kind,status,profile\n");
    for (unsigned i = 0; i < UNITS; i++) {
        (void)fprintf(out, "v%05u,van,idle,%s\nd%05u,responder,idle,none\n", i, b->profile, i);
    }
}

enum { HOUSEHOLDS = 1000000, LOAD_BOUND_S = 60 };

static void households_write(struct bench *b, FILE *out)
{
    (void)fprintf(out, "id,lon,lat,address,name,residents\n");
    for (unsigned i = 0; i < HOUSEHOLDS; i++) {
        struct ht_report r = ht_bench_jump(&b->road, &b->state);
        (void)fprintf(out, "h%07u,%.7f,%.7f,Compound %u Building %u Unit %u Room %u,N %u,%u\n", i,
                      r.lon_deg, r.lat_deg, i % 56, i / 56 % 40, i % 3 + 1, i % 1800, i, i % 5 + 1);
    }
}

static double children_cpu_s(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/* `houtao load` of all of them, as CSV, into a store of its own. */
static void load_row(struct bench *b)
{
    double cpu_s = children_cpu_s();
    store_make(b, "households.sqlite", "households", households_write);
    double spent_s = b->load_s;
    cpu_s = children_cpu_s() - cpu_s;
    (void)printf("%-44s %9.1f s   CPU %.1f s   bound %d%s\n", "1,000,000 households loaded",
                 spent_s, cpu_s, LOAD_BOUND_S, spent_s > LOAD_BOUND_S ? ", MISSED" : "");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "1,000,000 households loaded");
    ht_json_key_double(&b->json, "seconds", spent_s, 1);
    ht_json_key_double(&b->json, "cpu_s", cpu_s, 1);
    ht_json_key_int(&b->json, "bound_s", LOAD_BOUND_S);
    ht_json_object_end(&b->json);
}

/* Of the whole process, and on disk. */
static void households_rows(struct bench *b, double empty_mb)
{
    if (!wanted("household")) {
        return;
    }
    load_row(b);
    FILE *file = fopen(b->store, "r");
    (void)fseek(file, 0, SEEK_END);
    double bytes = (double)ftell(file);
    (void)fclose(file);
    serve(b, b->store);
    ht_bench_server_settle(&b->server); /* what search needs is made after the start */
    double mb = ht_bench_server_own_mb(&b->server);
    ht_bench_server_stop(&b->server);
    bytes_row(b, "memory of a household", fmax((mb - empty_mb) * 1048576 / HOUSEHOLDS, 0));
    bytes_row(b, "disk of a household, its indices too", bytes / HOUSEHOLDS);
    store_remove(b->store);
}

static double empty_own_mb(struct bench *b)
{
    char store[512];
    ht_bench_scratch(store, sizeof store, "empty.sqlite");
    serve(b, store);
    ht_bench_server_settle(&b->server);
    double mb = ht_bench_server_own_mb(&b->server);
    ht_bench_server_stop(&b->server);
    store_remove(store);
    return mb;
}

static void live_rows(struct bench *b, double empty_mb)
{
    store_make(b, "units.sqlite", "units", units_write);
    serve(b, b->store);
    double before_mb = ht_bench_server_own_mb(&b->server);
    bytes_row(b, "memory of a unit", (before_mb - empty_mb) * 1048576 / (2.0 * UNITS));
    struct series unsaid = {0};
    slice(b, &unsaid, 0, TRACKS, BATCH); /* so that all have a place */
    slice(b, &unsaid, 0, UNSNAPPED, BATCH);
    batches_rows(b);
    single_rows(b);
    question_row(b, "closest k=5 of 20,000", "/v1/closest?k=5&kind=van&", 1000);
    table_row(b);
    question_row(b, "near k=10 of 40,000", "/v1/near?collection=units&k=10&", 0);
    redis_near_row(b);
    double mb = ht_bench_server_own_mb(&b->server);
    bytes_row(b, "the same, with all that its traffic left",
              (mb - empty_mb) * 1048576 / (2.0 * UNITS));
    ht_bench_server_stop(&b->server);
    store_remove(b->store);
}

static void profile_choose(struct bench *b, const struct ht_hnet *file)
{
    const char *wanted = getenv("BENCH_PROFILE");
    b->profile = ht_hnet_profile(file, 0);
    for (uint32_t i = 0; i < ht_hnet_profile_count(file); i++) {
        if (strcmp(ht_hnet_profile(file, i), wanted == NULL ? "van" : wanted) == 0) {
            b->profile = ht_hnet_profile(file, i);
        }
    }
}

int main(int argc, char **argv)
{
    static struct bench b = {.state = 7};
    struct ht_buffer buffer = {0};
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    b.network = argc > 2 ? argv[2] : ht_bench_city();
    b.rounds = getenv("BENCH_FULL") != NULL ? 15 : 5;
    b.now_ms = (int64_t)time(NULL) * 1000 - 400 * DAY_MS; /* the slices' days pass fast */
    if (ht_hnet_open(b.network, &file, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    profile_choose(&b, file);
    if (ht_hnet_road(file, b.profile, NULL, &b.road, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    for (int i = 0; i < UNITS; i++) {
        b.tracks[i] = ht_bench_track_begin(&b.road, &b.state);
    }
    ht_json_begin(&b.json, &buffer);
    ht_json_array(&b.json);
    (void)printf("positions a second; questions by one connection; units of %s\n", b.profile);
    b.redis_there = ht_redis_start(&b.redis);
    if (!b.redis_there) {
        (void)printf("redis-server is not installed: its rows are missing\n");
    }
    double empty_mb = empty_own_mb(&b);
    live_rows(&b, empty_mb);
    households_rows(&b, empty_mb);
    if (b.redis_there) {
        ht_redis_stop(&b.redis);
    }
    ht_json_array_end(&b.json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"profile\":\"%s\",\"rows\":%.*s}\n", b.profile, (int)buffer.size,
                      buffer.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&buffer);
    ht_hnet_close(file);
    return 0;
}
