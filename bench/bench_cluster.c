/* Cluster: several nodes on one record in PostgreSQL.
 *
 *   bench_cluster [RESULT.json]
 *
 * A PostgreSQL of its own in /tmp, syncing as it does by itself, and `houtao serve` on the sample
 * town, all on the same cores as the clients.
 *
 *   commands   CLIENTS at the desk: new orders, and items that are put; then orders at a follower,
 *              which hands them on. Beside it what an append of 4 KiB and its sync takes on the
 *              same disk, before and after. The bound is 2,000 commands a second
 *   takeover   three nodes; the desk is killed (-9) while a client at another node puts an item
 *              again and again; from the kill to the first 2xx. Then the node is started again.
 *              TRIALS times; BENCH_TRIALS=N for fewer, and the number is told
 *   capacity   one, two and three nodes, all of them asked at the same time: routes, new orders,
 *              positions in batches of fifty, a second; what each takes of the nodes' cores (the
 *              database's are not in it), what a node takes of memory. On one machine nodes share
 *              its cores: it is the cores' microseconds that a capacity is reckoned from
 *
 * BENCH_ROWS=TEXT measures only what has the text in its name.
 */
#include <errno.h>
#include <fcntl.h>

#define HT_PG_SYNC "fsync=on"
#include "tests/support/check.h"
#include "tests/support/http_client.h"
#include "tests/support/pg_cluster.h"

#include "api/json.h"
#include "bench/cluster_load.h"
#include "bench/load.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "bench/times.h"

enum {
    NODES = 3,
    CLIENTS = 64,
    ORDERS = 8000,
    TRIALS = 50,
    SYNCS = 200,
    ROOM = 512,
    REQUEST = 1024,
    WAIT_S = 60,
    CAPACITY_ORDERS = 3000,  /* of all nodes together */
    CAPACITY_BATCHES = 1920, /* likewise */
};

struct bench {
    struct ht_json json;
    char folder[64];
    char map[96];
    char url[HT_PG_URL];
    struct ht_bench_server nodes[NODES]; /* pid 0: it does not run */
};

/* ---- nodes ---- */

static void node_start(struct bench *b, int number, uint16_t port)
{
    char listen[32];
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)port);
    const char *const serve[] = {"serve",     "--network", b->map,    "--listen", listen,
                                 "--threads", "1",         "--store", b->url,     NULL};
    b->nodes[number] = ht_bench_server_start(serve);
}

/* The status of an answer over a connection of its own; 0: there was none. Its body into `out`. */
static int ask(const struct ht_bench_server *node, const char *text, char out[ROOM])
{
    struct ht_client client;
    struct ht_answer answer = {0};
    int status = 0;
    if (ht_client_open(&client, node->port) && ht_client_text(&client, text)) {
        status = ht_client_read(&client, &answer, false);
    }
    (void)snprintf(out, ROOM, "%s", answer.body == NULL ? "" : answer.body);
    ht_answer_free(&answer);
    ht_client_close(&client);
    return status < 0 ? 0 : status;
}

static bool is_in(const struct ht_bench_server *node, const char *role)
{
    char body[ROOM];
    return node->pid > 0 &&
           ask(node, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
               body) == 200 &&
           strstr(body, role) != NULL;
}

static int desk_find(struct bench *b)
{
    for (double until = ht_bench_now_ms() + WAIT_S * 1e3; ht_bench_now_ms() < until;
         (void)usleep(20000)) {
        for (int i = 0; i < NODES; i++) {
            if (is_in(&b->nodes[i], "\"desk\"")) {
                return i;
            }
        }
    }
    ht_bench_die("no node is the desk");
}

static void follower_wait(const struct ht_bench_server *node)
{
    for (double until = ht_bench_now_ms() + WAIT_S * 1e3; ht_bench_now_ms() < until;
         (void)usleep(20000)) {
        if (is_in(node, "\"follower\"")) {
            return;
        }
    }
    ht_bench_die("a node does not follow");
}

static int item_put(const struct ht_bench_server *node, const char *id)
{
    char text[REQUEST];
    char body[ROOM];
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"kitchen\"}}",
                   id);
    (void)snprintf(text, sizeof text,
                   "PUT /collections/facilities/items/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   "Connection: close\r\nContent-Type: application/geo+json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   id, strlen(body), body);
    return ask(node, text, body);
}

static void cluster_begin(struct bench *b, int nodes)
{
    if (!ht_pg_database(b->url, sizeof b->url)) {
        ht_bench_die("no database");
    }
    for (int i = 0; i < nodes; i++) {
        node_start(b, i, 0);
    }
    for (int i = 0; i < nodes; i++) {
        ht_bench_server_settle(&b->nodes[i]);
    }
}

static void cluster_end(struct bench *b)
{
    for (int i = 0; i < NODES; i++) {
        if (b->nodes[i].pid > 0) {
            ht_bench_server_stop(&b->nodes[i]);
        }
    }
}

/* ---- commands ---- */

static double sync_p99_ms(void)
{
    char path[96];
    char page[4096] = {1};
    double took[SYNCS];
    ht_bench_scratch(path, sizeof path, "sync");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < SYNCS; i++) {
        double begin = ht_bench_now_ms();
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page || fdatasync(fd) != 0) {
            ht_bench_die("the disk can't be written");
        }
        took[i] = ht_bench_now_ms() - begin;
    }
    (void)close(fd);
    (void)remove(path);
    return ht_bench_at_share(took, SYNCS, 0.99);
}

static size_t order_text(char *out, int number)
{
    char body[ROOM];
    int size = snprintf(body, sizeof body,
                        "{\"id\":\"o%d\",\"lon\":%.6f,\"lat\":29.95,\"kitchen\":\"k1\",\"load\":1,"
                        "\"due\":[\"2099-01-01T04:00:00Z\",\"2099-01-01T05:00:00Z\"]}",
                        number, 121.71 + number % 1000 * 1e-5);
    return (size_t)snprintf(out, REQUEST,
                            "POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                            size, body);
}

static size_t item_text(char *out, int number)
{
    char body[ROOM];
    int size = snprintf(body, sizeof body,
                        "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":"
                        "[121.71,29.95]},\"properties\":{\"kind\":\"station\"}}");
    return (size_t)snprintf(out, REQUEST,
                            "PUT /collections/facilities/items/f%d HTTP/1.1\r\n"
                            "Host: 127.0.0.1\r\nContent-Type: application/geo+json\r\n"
                            "Content-Length: %d\r\n\r\n%s",
                            number, size, body);
}

static void commands_row(struct bench *b, const char *what, const struct ht_bench_server *node,
                         size_t (*write_one)(char *out, int number), int from)
{
    struct ht_load_request *requests = calloc(ORDERS, sizeof *requests);
    char(*texts)[REQUEST] = calloc(ORDERS, REQUEST);
    struct ht_load_result result;
    const char *why = NULL;
    for (int i = 0; requests != NULL && texts != NULL && i < ORDERS; i++) {
        requests[i].size = write_one(texts[i], from + i);
        requests[i].bytes = texts[i];
    }
    const struct ht_load_options options = {.host = "127.0.0.1",
                                            .port = node->port,
                                            .connections = CLIENTS,
                                            .requests = requests,
                                            .request_count = ORDERS,
                                            .once = true};
    double before = sync_p99_ms();
    if (!ht_load_run(&options, &result, &why)) {
        ht_bench_die(why);
    }
    double after = sync_p99_ms();
    if (result.not_ok > 0 || result.failed > 0) {
        ht_bench_die(result.strange);
    }
    (void)printf("%-34s %10.0f %10.2f %10.2f %12.2f %12.2f\n", what, result.rate,
                 result.p50_us / 1e3, result.p99_us / 1e3, before, after);
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "commands_per_s", result.rate, 0);
    ht_json_key_double(&b->json, "p50_ms", result.p50_us / 1e3, 2);
    ht_json_key_double(&b->json, "p99_ms", result.p99_us / 1e3, 2);
    ht_json_key_double(&b->json, "sync_p99_before_ms", before, 2);
    ht_json_key_double(&b->json, "sync_p99_after_ms", after, 2);
    ht_json_object_end(&b->json);
    free(texts);
    free(requests);
}

static const char planner_off[] = "PUT /v1/settings/planner HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n"
                                  "{\"run\":false}";

static void commands_run(struct bench *b)
{
    char body[ROOM];
    cluster_begin(b, 2);
    int desk = desk_find(b);
    if (item_put(&b->nodes[desk], "k1") != 201 || ask(&b->nodes[desk], planner_off, body) != 200) {
        ht_bench_die("the town can't be made");
    }
    follower_wait(&b->nodes[1 - desk]);
    (void)printf("%-34s %10s %10s %10s %12s %12s\n", "64 clients, PostgreSQL", "/s", "p50 ms",
                 "p99 ms", "sync p99", "and after");
    commands_row(b, "orders, at the desk", &b->nodes[desk], order_text, 0);
    commands_row(b, "items put, at the desk", &b->nodes[desk], item_text, 0);
    commands_row(b, "orders, handed on by a follower", &b->nodes[1 - desk], order_text, ORDERS);
    cluster_end(b);
}

/* ---- takeover ---- */

/* From the kill to the first command that is done. */
static double trial(struct bench *b, int number)
{
    char id[32];
    int desk = desk_find(b);
    int other = (desk + 1 + number % (NODES - 1)) % NODES;
    uint16_t port = b->nodes[desk].port;
    (void)snprintf(id, sizeof id, "t%d", number);
    for (int i = 0; i < NODES; i++) {
        if (i != desk) {
            follower_wait(&b->nodes[i]);
        }
    }
    double begin = ht_bench_now_ms();
    (void)kill(b->nodes[desk].pid, SIGKILL);
    int status = 0;
    while (status != 201 && status != 200 && ht_bench_now_ms() < begin + WAIT_S * 1e3) {
        status = item_put(&b->nodes[other], id);
    }
    double took = ht_bench_now_ms() - begin;
    if (status != 201 && status != 200) {
        ht_bench_die("nobody took over");
    }
    (void)waitpid(b->nodes[desk].pid, NULL, 0);
    b->nodes[desk].pid = 0;
    node_start(b, desk, port);
    return took;
}

static void takeover_run(struct bench *b)
{
    const char *fewer = getenv("BENCH_TRIALS");
    int trials = fewer == NULL ? TRIALS : (int)strtol(fewer, NULL, 10);
    double *took = calloc(trials < 1 ? 1 : (size_t)trials, sizeof *took);
    if (took == NULL || trials < 1) {
        ht_bench_die("no trials");
    }
    cluster_begin(b, NODES);
    for (int i = 0; i < trials; i++) {
        took[i] = trial(b, i);
    }
    cluster_end(b);
    double p50 = ht_bench_at_share(took, (size_t)trials, 0.5);
    double p99 = ht_bench_at_share(took, (size_t)trials, 0.99);
    (void)printf("\n%-34s %10s %10s %10s %12s\n", "kill -9 of the desk, three nodes", "trials",
                 "p50 ms", "p99 ms", "most ms");
    (void)printf("%-34s %10d %10.0f %10.0f %12.0f\n", "to the first command that is done", trials,
                 p50, p99, took[trials - 1]);
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "takeover");
    ht_json_key_int(&b->json, "trials", trials);
    ht_json_key_double(&b->json, "p50_ms", p50, 0);
    ht_json_key_double(&b->json, "p99_ms", p99, 0);
    ht_json_key_double(&b->json, "max_ms", took[trials - 1], 0);
    ht_json_object_end(&b->json);
    free(took);
}

/* ---- capacity ---- */

static void units_load(struct bench *b)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/units.ndjson", b->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; file != NULL && i < HT_CLUSTER_LOAD_UNITS; i++) {
        (void)fprintf(file,
                      "{\"type\":\"Feature\",\"id\":\"u%d\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"van\","
                      "\"profile\":\"van\",\"status\":\"idle\"}}\n",
                      i);
    }
    if (file == NULL || fclose(file) != 0) {
        ht_bench_die("units can't be written");
    }
    const char *const load[] = {"load", "--store", b->url, "--collection", "units", path, NULL};
    ht_bench_run(load);
}

static void rate_write(struct bench *b, const char *name, const struct ht_cluster_rate *rate)
{
    (void)printf(" %9.0f %8.2f %8.1f", rate->per_s, rate->p99_ms, rate->cpu_us);
    ht_json_key(&b->json, name);
    ht_json_object(&b->json);
    ht_json_key_double(&b->json, "per_s", rate->per_s, 0);
    ht_json_key_double(&b->json, "p99_ms", rate->p99_ms, 2);
    ht_json_key_double(&b->json, "node_cpu_us", rate->cpu_us, 1);
    ht_json_object_end(&b->json);
}

static void capacity_row(struct bench *b, int nodes)
{
    char mark[16];
    double own_mb = 0;
    (void)snprintf(mark, sizeof mark, "c%d", nodes);
    const struct ht_cluster_rate reads = ht_cluster_reads(b->nodes, nodes);
    const struct ht_cluster_rate commands =
        ht_cluster_commands(b->nodes, nodes, CAPACITY_ORDERS / nodes, mark);
    const struct ht_cluster_rate positions =
        ht_cluster_positions(b->nodes, nodes, CAPACITY_BATCHES / nodes);
    for (int i = 0; i < nodes; i++) {
        double mb = ht_bench_server_own_mb(&b->nodes[i]);
        own_mb = mb > own_mb ? mb : own_mb;
    }
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "capacity");
    ht_json_key_int(&b->json, "nodes", nodes);
    (void)printf("%5d", nodes);
    rate_write(b, "reads", &reads);
    rate_write(b, "commands", &commands);
    rate_write(b, "positions", &positions);
    (void)printf(" %8.0f\n", own_mb);
    (void)fflush(stdout);
    ht_json_key_double(&b->json, "node_own_mb", own_mb, 0);
    ht_json_object_end(&b->json);
}

static void capacity_run(struct bench *b)
{
    char body[ROOM];
    (void)printf("\n%5s %27s %27s %27s\n", "", "routes/s, p99 ms, cpu us",
                 "orders/s, p99 ms, cpu us", "positions/s, p99 ms, cpu us");
    for (int nodes = 1; nodes <= NODES; nodes++) {
        cluster_begin(b, nodes);
        int desk = desk_find(b);
        if (item_put(&b->nodes[desk], "k1") != 201 ||
            ask(&b->nodes[desk], planner_off, body) != 200) {
            ht_bench_die("the town can't be made");
        }
        units_load(b);
        for (int i = 0; i < nodes; i++) {
            if (i != desk) {
                follower_wait(&b->nodes[i]);
            }
            ht_bench_server_settle(&b->nodes[i]);
        }
        capacity_row(b, nodes);
        cluster_end(b);
    }
}

static bool wanted(const char *what)
{
    const char *text = getenv("BENCH_ROWS");
    return text == NULL || strstr(what, text) != NULL;
}

static void town_make(struct bench *b)
{
    char streets[96];
    (void)strcpy(b->folder, "/tmp/houtao-bench-cluster-XXXXXX");
    if (mkdtemp(b->folder) == NULL) {
        ht_bench_die("no folder");
    }
    (void)snprintf(streets, sizeof streets, "%s/streets.osm.pbf", b->folder);
    (void)snprintf(b->map, sizeof b->map, "%s/town.hnet", b->folder);
    const char *const sample[] = {"sample", "-o", b->folder, NULL};
    const char *const import[] = {"import", streets, "-o", b->map, "--profiles", "car,van", NULL};
    ht_bench_run(sample);
    ht_bench_run(import);
}

int main(int argc, char **argv)
{
    struct ht_buffer buffer = {0};
    struct bench b = {0};
    char line[128];
    if (ht_pg_why_not() != NULL) {
        (void)printf("%s: nothing is measured\n", ht_pg_why_not());
        return 0;
    }
    town_make(&b);
    ht_json_begin(&b.json, &buffer);
    ht_json_array(&b.json);
    if (wanted("commands")) {
        commands_run(&b);
    }
    if (wanted("takeover")) {
        takeover_run(&b);
    }
    if (wanted("capacity")) {
        capacity_run(&b);
    }
    ht_json_array_end(&b.json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)buffer.size, buffer.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&buffer);
    (void)snprintf(line, sizeof line, "rm -rf '%s'", b.folder);
    return system(line) == 0 ? 0 : 1;
}
