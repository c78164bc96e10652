/* MQTT: positions through one Mosquitto to two nodes, and how old they are when a node has them.
 *
 *   bench_mqtt [RESULT.json]
 *
 * Debian's mosquitto, two `houtao serve` on the sample town: with a store each ("own"), then of one
 * record in a PostgreSQL of the bench's own ("one"), where the second brings what it takes to the
 * first, which is the desk. Without PostgreSQL the second part is left out. And devices (units
 * of the registry, one message a position, QoS 1 from end to end) in one thread of this process
 * over four connections (bench/publishers.h), all on the same cores. The nodes divide the messages
 * by their shared subscription. A run is SECONDS at a wanted rate; what was taken is what both
 * nodes' /metrics say (of one record, the desk's), what it took from the device's clock (`ts`) to
 * the node's, or the desk's, (`received_ms`) stands in the stores with each position. Bounds:
 * 30,000 positions/s, and p99 under 50 ms at half of that. BENCH_RATE=N asks for another rate,
 * BENCH_BROKER="LINE\nLINE" puts lines into the broker's configuration.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/check.h"
/* a PostgreSQL for one record */
#include "tests/support/pg_cluster.h"

#include "api/json.h"
#include "bench/origin.h"
#include "bench/publishers.h"
#include "bench/server.h"

enum { NODES = 2, SENDERS = 4, UNITS = 4000, SECONDS = 8, RATE = 30000, AGES_MOST = 1 << 21 };

struct bench {
    struct ht_json *json;
    char folder[64];
    uint16_t port; /* of the broker */
    pid_t broker;
    struct ht_bench_server nodes[NODES];
    bool one;            /* record of both; the first is the desk */
    char url[HT_PG_URL]; /* of that */
};

static int64_t unix_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void shell(const char *line)
{
    if (system(line) != 0) {
        ht_bench_die(line);
    }
}

/* ---- the nodes ---- */

static double metric(const struct ht_bench_server *node, const char *name)
{
    static char text[1 << 18];
    char line[256];
    (void)snprintf(line, sizeof line, "curl -s http://127.0.0.1:%u/metrics", node->port);
    FILE *pipe = popen(line, "r");
    size_t size = pipe == NULL ? 0 : fread(text, 1, sizeof text - 1, pipe);
    text[size] = '\0';
    if (pipe == NULL || pclose(pipe) != 0) {
        ht_bench_die("curl is missing, or a node is gone");
    }
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    return at == NULL ? -1 : strtod(at + strlen(line), NULL);
}

static double taken(const struct bench *bench)
{
    double sum = 0;
    if (bench->one) {
        return metric(&bench->nodes[0], "houtao_positions_total{outcome=\"accepted\"}");
    }
    for (int i = 0; i < NODES; i++) {
        sum += metric(&bench->nodes[i], "houtao_mqtt_messages_total{outcome=\"taken\"}");
    }
    return sum;
}

static void node_start(struct bench *bench, int number)
{
    char store[HT_PG_URL];
    char url[96];
    char map[160];
    char units[160];
    if (bench->one) {
        (void)snprintf(store, sizeof store, "%s", bench->url);
    } else {
        (void)snprintf(store, sizeof store, "%s/node%d.sqlite", bench->folder, number);
    }
    (void)snprintf(url, sizeof url, "mqtt://127.0.0.1:%u/?client_id=node%d", (unsigned)bench->port,
                   number);
    (void)snprintf(map, sizeof map, "%s/town.hnet", bench->folder);
    (void)snprintf(units, sizeof units, "%s/units.ndjson", bench->folder);
    const char *const load[] = {"load", "--store", store, "--collection", "units", units, NULL};
    const char *const serve[] = {"serve",       "--network", map, "--listen",
                                 "127.0.0.1:0", "--threads", "1", "--store",
                                 store,         "--mqtt",    url, NULL};
    if (!bench->one || number == 0) {
        ht_bench_run(load);
    }
    bench->nodes[number] = ht_bench_server_start(serve);
    ht_bench_server_settle(&bench->nodes[number]);
    int lines = bench->one && number > 0 ? 1 : 2;
    for (int i = 0; i < 300 && metric(&bench->nodes[number], "houtao_mqtt_connected") < lines;
         i++) {
        (void)usleep(100000);
    }
}

static void units_write(const struct bench *bench)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/units.ndjson", bench->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; file != NULL && i < UNITS; i++) {
        (void)fprintf(file,
                      "{\"type\":\"Feature\",\"id\":\"u%d\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"van\","
                      "\"profile\":\"car\",\"status\":\"idle\"}}\n",
                      i);
    }
    if (file == NULL || fclose(file) != 0) {
        ht_bench_die("no units");
    }
}

/* ---- ages ---- */

static int by_size(const void *left, const void *right)
{
    int a = *(const int *)left;
    int b = *(const int *)right;
    return (a > b) - (a < b);
}

struct ages {
    size_t count;
    int p50_ms;
    int p99_ms;
    int most_ms;
};

/* From `from_ms` on, of the record. */
static struct ages ages_of_record(const struct bench *bench, int64_t from_ms)
{
    char sql[384];
    char out[128] = "";
    struct ages ages = {0, -1, -1, -1};
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) || ' ' ||"
                   " coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY a), -1) || ' ' ||"
                   " coalesce(percentile_disc(0.99) WITHIN GROUP (ORDER BY a), -1) || ' ' ||"
                   " coalesce(max(a), -1) FROM (SELECT received_ms - ts_ms AS a FROM positions"
                   " WHERE ts_ms >= %lld) t",
                   (long long)from_ms);
    if (ht_pg_sql(bench->url, sql, out, sizeof out) != 0) {
        ht_bench_die("the record can't be read");
    }
    char *at = out;
    ages.count = strtoul(at, &at, 10);
    ages.p50_ms = (int)strtol(at, &at, 10);
    ages.p99_ms = (int)strtol(at, &at, 10);
    ages.most_ms = (int)strtol(at, &at, 10);
    return ages;
}

/* Until nothing more is saved: a database on the same cores may be behind. */
static void record_settle(const struct bench *bench, int64_t from_ms)
{
    struct ages before = {.count = 0};
    struct ages now = ages_of_record(bench, from_ms);
    for (int i = 0; i < 12 && (now.count == 0 || now.count != before.count); i++) {
        before = now;
        (void)sleep(5);
        now = ages_of_record(bench, from_ms);
    }
}

/* Likewise, of both nodes. */
static struct ages ages_of_stores(const struct bench *bench, int64_t from_ms, int *ages)
{
    size_t count = 0;
    for (int i = 0; i < NODES; i++) {
        char path[160];
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        (void)snprintf(path, sizeof path, "%s/node%d.sqlite", bench->folder, i);
        if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
            sqlite3_prepare_v2(db, "SELECT received_ms - ts_ms FROM positions WHERE ts_ms >= ?1",
                               -1, &statement, NULL) != SQLITE_OK) {
            ht_bench_die("a store can't be read");
        }
        (void)sqlite3_bind_int64(statement, 1, from_ms);
        while (sqlite3_step(statement) == SQLITE_ROW && count < AGES_MOST) {
            ages[count++] = sqlite3_column_int(statement, 0);
        }
        (void)sqlite3_finalize(statement);
        (void)sqlite3_close(db);
    }
    qsort(ages, count, sizeof *ages, by_size);
    return count == 0
               ? (struct ages){0, -1, -1, -1}
               : (struct ages){count, ages[count / 2], ages[count * 99 / 100], ages[count - 1]};
}

/* ---- a run ---- */

/* What a process has had of a core so far, ms. */
static double cpu_ms(pid_t pid)
{
    char path[64];
    char line[1024] = "";
    double ticks[2] = {0};
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        line[fread(line, 1, sizeof line - 1, file)] = '\0';
        (void)fclose(file);
    }
    char *at = strrchr(line, ')');
    for (int i = 2; at != NULL && i < 14; i++) { /* utime and stime are fields 14 and 15 */
        at = strchr(at + 1, ' ');
    }
    for (int i = 0; at != NULL && i < 2; i++) {
        ticks[i] = strtod(at, &at);
    }
    return (ticks[0] + ticks[1]) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static double nodes_cpu_ms(const struct bench *bench)
{
    double sum = 0;
    for (int i = 0; i < NODES; i++) {
        sum += cpu_ms(bench->nodes[i].pid);
    }
    return sum;
}

static void run(const struct bench *bench, int rate, int *ages)
{
    struct ht_publishers publishers;
    ht_publishers_open(&publishers, bench->port, SENDERS, UNITS);
    double before = taken(bench);
    double nodes_ms = nodes_cpu_ms(bench);
    double broker_ms = cpu_ms(bench->broker);
    double own_ms = cpu_ms(getpid());
    int64_t from_ms = unix_ms();
    ht_publishers_run(&publishers, rate, SECONDS);
    own_ms = (cpu_ms(getpid()) - own_ms) * 1e3 / (double)publishers.sent;
    double in_time = taken(bench) - before;
    double seconds = (double)(unix_ms() - from_ms) / 1e3;
    (void)sleep(5); /* what is on its way comes, and goes to the stores */
    if (bench->one) {
        record_settle(bench, from_ms);
    }
    double all = taken(bench) - before;
    nodes_ms = (nodes_cpu_ms(bench) - nodes_ms) * 1e3 / all;
    broker_ms = (cpu_ms(bench->broker) - broker_ms) * 1e3 / all;
    const struct ages found =
        bench->one ? ages_of_record(bench, from_ms) : ages_of_stores(bench, from_ms, ages);
    (void)printf("%7s %8d %10.0f %10.0f %8.0f %8d %8d %8d %10.1f %10.1f %10.1f\n",
                 bench->one ? "one" : "own", rate, (double)publishers.sent / seconds,
                 in_time / seconds, (double)publishers.sent - all, found.p50_ms, found.p99_ms,
                 found.most_ms, nodes_ms, broker_ms, own_ms);
    (void)fflush(stdout);
    ht_json_object(bench->json);
    ht_json_key_text(bench->json, "records", bench->one ? "one" : "own");
    ht_json_key_int(bench->json, "wanted_per_s", rate);
    ht_json_key_double(bench->json, "sent_per_s", (double)publishers.sent / seconds, 0);
    ht_json_key_double(bench->json, "taken_per_s", in_time / seconds, 0);
    ht_json_key_double(bench->json, "lost", (double)publishers.sent - all, 0);
    ht_json_key_int(bench->json, "p50_ms", found.p50_ms);
    ht_json_key_int(bench->json, "p99_ms", found.p99_ms);
    ht_json_key_double(bench->json, "node_cpu_us", nodes_ms, 2);
    ht_json_key_double(bench->json, "broker_cpu_us", broker_ms, 2);
    ht_json_key_double(bench->json, "publishers_cpu_us", own_ms, 2);
    ht_json_object_end(bench->json);
    ht_publishers_close(&publishers);
}

static void begin(struct bench *bench)
{
    char line[512];
    if (mkdtemp(bench->folder) == NULL) {
        ht_bench_die("no folder");
    }
    (void)snprintf(line, sizeof line,
                   "'%s' sample -o %s >/dev/null 2>&1 && '%s' import %s/streets.osm.pbf -o "
                   "%s/town.hnet --profiles car >/dev/null 2>&1",
                   HT_BINARY, bench->folder, HT_BINARY, bench->folder, bench->folder);
    shell(line);
    units_write(bench);
    bench->port = (uint16_t)(20000 + getpid() % 20000);
    const char *more = getenv("BENCH_BROKER");
    (void)snprintf(line, sizeof line,
                   "printf 'listener %u 127.0.0.1\\nallow_anonymous true\\n"
                   "max_inflight_messages 1000\\nmax_queued_messages 200000\\n%s\\n' > "
                   "%s/broker.conf",
                   (unsigned)bench->port, more == NULL ? "" : more, bench->folder);
    shell(line);
    bench->broker = fork();
    if (bench->broker == 0) {
        (void)snprintf(line, sizeof line, "%s/broker.conf", bench->folder);
        (void)setenv("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/bin", 1);
        (void)freopen("/dev/null", "w", stderr);
        (void)execlp("mosquitto", "mosquitto", "-c", line, (char *)NULL);
        _exit(127);
    }
    (void)sleep(1);
    if (waitpid(bench->broker, NULL, WNOHANG) != 0) {
        (void)printf("mosquitto is not installed: nothing is measured\n");
        exit(0);
    }
}

static void nodes_stop(struct bench *bench)
{
    for (int i = 0; i < NODES; i++) {
        ht_bench_server_stop(&bench->nodes[i]);
    }
}

/* At half the rate, then at all of it. */
static void part(struct bench *bench, int rate, int *ages)
{
    for (int i = 0; i < NODES; i++) {
        node_start(bench, i);
    }
    run(bench, rate / 2, ages);
    run(bench, rate, ages);
    nodes_stop(bench);
}

static void end(struct bench *bench)
{
    char line[128];
    (void)kill(bench->broker, SIGTERM);
    (void)waitpid(bench->broker, NULL, 0);
    (void)snprintf(line, sizeof line, "rm -rf '%s'", bench->folder);
    shell(line);
}

int main(int argc, char **argv)
{
    struct ht_buffer buffer = {0};
    struct ht_json json;
    struct bench bench = {.json = &json, .folder = "/tmp/houtao-bench-mqtt-XXXXXX"};
    const char *wanted = getenv("BENCH_RATE");
    int rate = wanted == NULL ? RATE : (int)strtol(wanted, NULL, 10);
    int *ages = calloc(AGES_MOST, sizeof *ages);
    if (ages == NULL || rate < SENDERS) {
        ht_bench_die("nothing to begin with");
    }
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    begin(&bench);
    (void)printf("%7s %8s %10s %10s %8s %8s %8s %8s %10s %10s %10s\n", "records", "wanted/s",
                 "sent/s", "taken/s", "lost", "p50 ms", "p99 ms", "max ms", "node us", "broker us",
                 "device us");
    const char *records = getenv("BENCH_RECORDS");
    if (records == NULL || strcmp(records, "one") != 0) {
        part(&bench, rate, ages);
    }
    bench.one = (records == NULL || strcmp(records, "own") != 0) &&
                ht_pg_database(bench.url, sizeof bench.url);
    if (bench.one) {
        part(&bench, rate, ages);
    } else if (ht_pg_why_not() != NULL) {
        (void)printf("one record is left out: %s\n", ht_pg_why_not());
    }
    end(&bench);
    ht_json_array_end(&json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)buffer.size, buffer.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&buffer);
    free(ages);
    return 0;
}
