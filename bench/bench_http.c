/* HTTP: what an answer costs over the port, server and load generator on the same cores,
 * keep-alive, eight connections, two loops.
 *
 *   bench_http [RESULT.json]
 *
 * First a constant answer of 200 bytes, the limit of the server itself; then `houtao serve` on
 * Milan and on the city (made by `houtao sample --scale city` where ../shared/data is missing),
 * beside the bounds and what osrm-routed did on the same machine (its own figures: Porto for a town
 * of Milan's size). BENCH_TOWN=Milan or city runs one; BENCH_NETWORK=FILE.hnet takes that map
 * instead; BENCH_FULL=1 measures longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "bench/load.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "geodata/hnet.h"

enum { CONNECTIONS = 8, QUERIES = 2000, TABLE_PLACES = 101, PATH_MAX_SIZE = 8192 };

struct town {
    const char *name;
    const char *file; /* under osm/ */
    bool city;
};

struct bench {
    struct ht_json *json;
    double seconds;
    double constant_rate;
    const char *town;
    char network[512];
    struct ht_point *points;
    size_t point_count;
    struct ht_bench_server server;
};

/* A question, its bound in requests per second and OSRM's figure; 0: none. */
struct question {
    const char *name;
    double bound[2]; /* a town, the city */
    double osrm[2];
    void (*write)(const struct bench *bench, size_t index, char *out);
};

static void die(const char *what)
{
    ht_bench_die(what);
}

static void serve_network(struct bench *bench)
{
    const char *const arguments[] = {
        "serve", "--network", bench->network, "--listen", "127.0.0.1:0", "--threads", "2", NULL};
    bench->server = ht_bench_server_start(arguments);
}

static struct ht_load_result load(const struct bench *bench, char **paths, size_t count)
{
    struct ht_load_options options = {.host = "127.0.0.1",
                                      .port = bench->server.port,
                                      .connections = CONNECTIONS,
                                      .seconds = bench->seconds,
                                      .paths = paths,
                                      .path_count = count,
                                      .pid = bench->server.pid};
    struct ht_load_result result;
    const char *why = NULL;
    if (!ht_load_run(&options, &result, &why) || result.failed > 0) {
        die(why == NULL ? "connections broke" : why);
    }
    return result;
}

static void row(struct bench *bench, const char *what, const struct ht_load_result *result,
                double bound, double osrm)
{
    char beside[64] = "";
    if (bound > 0) {
        (void)snprintf(beside, sizeof beside, "bound %.0f, OSRM %.0f", bound, osrm);
    } else if (osrm > 0) {
        (void)snprintf(beside, sizeof beside, "OSRM %.0f", osrm);
    }
    double share = bench->constant_rate > 0 ? result->rate / bench->constant_rate : 1;
    (void)printf("%-10s %-28s %9.0f %9.1f %10.1f %9.1f %7.2f  %s\n", bench->town, what,
                 result->rate, result->p50_us, result->p99_us, result->server_cpu_us, share,
                 beside);
    ht_json_object(bench->json);
    ht_json_key_text(bench->json, "town", bench->town);
    ht_json_key_text(bench->json, "what", what);
    ht_json_key_double(bench->json, "rate", result->rate, 0);
    ht_json_key_double(bench->json, "p50_us", result->p50_us, 1);
    ht_json_key_double(bench->json, "p99_us", result->p99_us, 1);
    ht_json_key_double(bench->json, "server_cpu_us", result->server_cpu_us, 2);
    ht_json_key_double(bench->json, "share_of_constant", share, 3);
    ht_json_key_int(bench->json, "not_ok", (int64_t)result->not_ok);
    if (bound > 0) {
        ht_json_key_double(bench->json, "bound", bound, 0);
        ht_json_key_double(bench->json, "osrm", osrm, 0);
    }
    ht_json_object_end(bench->json);
}

static void bench_constant(struct bench *bench)
{
    char path[] = "/constant";
    char *paths[] = {path};
    double rate = 0;
    for (unsigned threads = 1; threads <= 2; threads++) {
        bench->server = ht_bench_server_constant(threads);
        struct ht_load_result result = load(bench, paths, 1);
        ht_bench_server_stop(&bench->server);
        row(bench, threads == 1 ? "200 bytes, one loop" : "200 bytes, two loops", &result, 0, 0);
        rate = result.rate;
    }
    bench->constant_rate = rate; /* what the others are shares of */
}

static size_t coordinate(const struct bench *bench, size_t index, char *out)
{
    struct ht_point p = bench->points[index % bench->point_count];
    return (size_t)sprintf(out, "%.6f,%.6f", p.lon_e7 * 1e-7, p.lat_e7 * 1e-7);
}

static void pair_write(const struct bench *bench, size_t index, const char *options, char *out)
{
    out += sprintf(out, "/route/v1/car/");
    out += coordinate(bench, index * 2, out);
    *out++ = ';';
    out += coordinate(bench, index * 2 + 1, out);
    (void)sprintf(out, "%s", options);
}

static void nearest_write(const struct bench *bench, size_t index, char *out)
{
    out += sprintf(out, "/nearest/v1/car/");
    out += coordinate(bench, index, out);
    *out = '\0';
}

static void route_write(const struct bench *bench, size_t index, char *out)
{
    pair_write(bench, index, "?overview=false", out);
}

static void steps_write(const struct bench *bench, size_t index, char *out)
{
    pair_write(bench, index, "?overview=full&steps=true", out);
}

static void table_write(const struct bench *bench, size_t index, char *out)
{
    out += sprintf(out, "/table/v1/car/");
    for (size_t i = 0; i < TABLE_PLACES; i++) {
        out += sprintf(out, i == 0 ? "" : ";");
        out += coordinate(bench, index * TABLE_PLACES + i, out);
    }
    (void)sprintf(out, "?sources=0");
}

static void bench_question(struct bench *bench, const struct question *question, bool city)
{
    static char *paths[QUERIES];
    char *text = malloc((size_t)QUERIES * PATH_MAX_SIZE);
    if (text == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < QUERIES; i++) {
        paths[i] = text + i * PATH_MAX_SIZE;
        question->write(bench, i, paths[i]);
    }
    struct ht_load_result result = load(bench, paths, QUERIES);
    row(bench, question->name, &result, question->bound[city], question->osrm[city]);
    free(text);
}

/* Lines of "lon lat". */
static bool points_read(struct bench *bench, const char *path)
{
    char line[128];
    size_t capacity = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *at = NULL;
        double lon = strtod(line, &at);
        double lat = strtod(at, NULL);
        if (bench->point_count == capacity) {
            capacity = capacity == 0 ? 4096 : capacity * 2;
            struct ht_point *grown = realloc(bench->points, capacity * sizeof *grown);
            if (grown == NULL) {
                die("out of memory");
            }
            bench->points = grown;
        }
        bench->points[bench->point_count++] =
            (struct ht_point){(int32_t)(lon * 1e7), (int32_t)(lat * 1e7)};
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return bench->point_count > 1;
}

/* Random nodes of the streets, the same each time. */
static void points_draw(struct bench *bench)
{
    enum { COUNT = 20000 };
    struct ht_hnet *file = NULL;
    struct ht_road road;
    bench->points = calloc(COUNT, sizeof *bench->points);
    if (bench->points == NULL || ht_hnet_open(bench->network, &file, NULL) != HT_OK ||
        ht_hnet_road(file, "car", NULL, &road, NULL) != HT_OK) {
        die("the network can't be read");
    }
    uint64_t state = 1;
    for (size_t i = 0; i < COUNT; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        uint32_t junction = (uint32_t)((state >> 33) % road.graph->junction_count);
        bench->points[i] = road.network->node_point[road.graph->junction_node[junction]];
    }
    bench->point_count = COUNT;
    ht_hnet_close(file);
}

static void run_binary(const char *a, const char *b, const char *c, const char *d)
{
    const char *const arguments[] = {a, b, "-o", c, d == NULL ? NULL : "--profiles", d, NULL};
    ht_bench_run(arguments);
}

static void bench_town(struct bench *bench, bool city)
{
    static const struct question questions[] = {
        {"nearest", {0, 0}, {14900, 12600}, nearest_write},
        {"route, no geometry", {23500, 14720}, {4700, 1840}, route_write},
        {"route, geometry and steps", {8600, 4480}, {1720, 560}, steps_write},
        {"table 1 x 100", {0, 0}, {167, 90}, table_write},
    };
    serve_network(bench);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        bench_question(bench, &questions[i], city);
    }
    (void)printf("%-10s %-28s %9.0f MB\n", bench->town, "resident",
                 ht_bench_server_resident_mb(&bench->server));
    ht_bench_server_stop(&bench->server);
    free(bench->points);
    bench->points = NULL;
    bench->point_count = 0;
}

static void town_prepare(struct bench *bench, const struct town *town, const char *data)
{
    char path[1024];
    const char *scratch = getenv("TMPDIR");
    scratch = scratch == NULL ? "/tmp" : scratch;
    (void)snprintf(bench->network, sizeof bench->network, "%s/bench-http-%ld.hnet", scratch,
                   (long)getpid());
    if (access(data, R_OK) == 0) {
        (void)snprintf(path, sizeof path, "%s/osm/%s", data, town->file);
        run_binary("import", path, bench->network, "car");
        (void)snprintf(path, sizeof path, "%s/osm/synthetic-city.points", data);
        if (town->city && points_read(bench, path)) {
            return;
        }
    } else {
        char folder[512];
        (void)snprintf(folder, sizeof folder, "%s/bench-http-city", scratch);
        run_binary("sample", "--scale=city", folder, NULL);
        (void)snprintf(path, sizeof path, "%s/streets.osm.pbf", folder);
        run_binary("import", path, bench->network, "car");
    }
    points_draw(bench);
}

static void bench_towns(struct bench *bench)
{
    static const struct town towns[] = {{"Milan", "milan_italy_small.osm.pbf", false},
                                        {"city", "synthetic-city.osm.pbf", true}};
    const char *data = getenv("HOUTAO_DATA");
    data = data != NULL ? data : HT_SOURCE_DIR "/../shared/data";
    const char *only = getenv("BENCH_TOWN");
    const char *network = getenv("BENCH_NETWORK");
    if (network != NULL) {
        bench->town = "given";
        (void)snprintf(bench->network, sizeof bench->network, "%s", network);
        points_draw(bench);
        bench_town(bench, false);
        return;
    }
    for (size_t i = 0; i < sizeof towns / sizeof towns[0]; i++) {
        bool have = access(data, R_OK) == 0 || towns[i].city;
        if (have && (only == NULL || strcmp(only, towns[i].name) == 0)) {
            bench->town = towns[i].name;
            town_prepare(bench, &towns[i], data);
            bench_town(bench, towns[i].city);
            (void)unlink(bench->network);
        }
    }
}

int main(int argc, char **argv)
{
    struct ht_buffer buffer = {0};
    struct ht_json json;
    struct bench bench = {
        .json = &json, .town = "constant", .seconds = getenv("BENCH_FULL") != NULL ? 10 : 3};
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    (void)printf("%-10s %-28s %9s %9s %10s %9s %7s\n", "", "", "answers/s", "p50 us", "p99 us",
                 "CPU us", "share");
    bench_constant(&bench);
    bench_towns(&bench);
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
