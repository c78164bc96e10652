/* Traffic: from a change of the streets to the first answer that obeys, over the port.
 *
 *   bench_traffic [RESULT.json [NETWORK.hnet]]     BENCH_ROWS=closure, zone, rate: these alone
 *
 *   closure  POST /v1/traffic closes a random street, then a route along it is asked for; from the
 *            first byte sent to the last one read, for both. Bound: 20 ms at the 99th percentile
 *   zone     the same for PUT of a closed zone, some 300 m wide, and a route into it; the first one
 *            by itself, and one that walkers are asked about, too
 *   rate     clients that change streets as fast as they are answered, with zones in force; bound:
 *            100 a second
 *
 * Beside each the server's CPU time, which says more on a machine that others use, too. Each answer
 * is held against the one a moment later: those that did not obey at once are counted, and none
 * may.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/json.h"
#include "bench/load.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "geodata/hnet.h"

enum { CLOSURES = 200, ZONES = 60, CLIENTS = 8, CHANGES = 800, ROOM = 1024, BODY = 1 << 20 };

struct bench {
    struct ht_json json;
    const char *network_path;
    struct ht_hnet *file;
    struct ht_road road;
    struct ht_bench_server server;
    int fd;
    char *answer; /* [BODY] */
    size_t answer_size;
    uint64_t state;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool wanted(const char *what)
{
    const char *text = getenv("BENCH_ROWS");
    return text == NULL || strstr(text, what) != NULL;
}

static uint32_t dice(struct bench *b, uint32_t below)
{
    b->state = b->state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((b->state >> 33) % below);
}

/* ---- one connection ---- */

static void client_open(struct bench *b)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(b->server.port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(b->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(b->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        ht_bench_die("no connection");
    }
}

static int request_write(char *out, const char *method, const char *path, const char *body)
{
    return snprintf(out, ROOM,
                    "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    method, path, strlen(body), body);
}

/* The whole answer is read; its status, and its body in `*body`. */
static int ask(struct bench *b, const char *method, const char *path, const char *body,
               const char **answer)
{
    char request[ROOM];
    int size = request_write(request, method, path, body);
    size_t have = 0;
    size_t need = SIZE_MAX;
    if (send(b->fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
        ht_bench_die("the connection broke");
    }
    while (have < need) {
        ssize_t got = recv(b->fd, b->answer + have, BODY - 1 - have, 0);
        if (got <= 0) {
            ht_bench_die("the connection broke");
        }
        have += (size_t)got;
        b->answer[have] = '\0';
        char *end = strstr(b->answer, "\r\n\r\n");
        const char *length = strstr(b->answer, "Content-Length: ");
        if (end != NULL && length != NULL && length < end) {
            need = (size_t)(end + 4 - b->answer) + strtoul(length + 16, NULL, 10);
            *answer = end + 4;
        }
    }
    return (int)strtol(b->answer + 9, NULL, 10);
}

/* ---- the streets ---- */

static void network_read(struct bench *b)
{
    struct ht_error error = {0};
    if (ht_hnet_open(b->network_path, &b->file, &error) != HT_OK ||
        ht_hnet_road(b->file, "car", NULL, &b->road, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
}

/* A street of a hundred metres or more, as car drives it. */
static const struct ht_arc *street(struct bench *b)
{
    const struct ht_arc *arc = NULL;
    do {
        arc = &b->road.graph->arcs[dice(b, b->road.graph->base_arc_count)];
    } while (arc->length_mm < 100000);
    return arc;
}

static void change_write(struct bench *b, const struct ht_arc *arc, const char *what,
                         char body[ROOM])
{
    const struct ht_network *net = b->road.network;
    uint32_t last = ht_arc_point_count(arc) - 1;
    (void)snprintf(body, ROOM, "[{\"osm_from\":%lld,\"osm_to\":%lld,%s}]",
                   (long long)net->node_osm_id[ht_arc_node(net, arc, 0)],
                   (long long)net->node_osm_id[ht_arc_node(net, arc, last)], what);
}

static void route_write(const char *profile, struct ht_point from, struct ht_point to,
                        char path[ROOM])
{
    (void)snprintf(path, ROOM,
                   "/route/v1/%s/%.7f,%.7f;%.7f,%.7f?overview=false&generate_hints=false", profile,
                   from.lon_e7 / 1e7, from.lat_e7 / 1e7, to.lon_e7 / 1e7, to.lat_e7 / 1e7);
}

static void start(struct bench *b, char store[128])
{
    const char *const serve[] = {"serve",    "--network",   b->network_path, "--store", store,
                                 "--listen", "127.0.0.1:0", "--threads",     "2",       NULL};
    (void)snprintf(store, 128, "/dev/shm/bench-%ld-traffic.sqlite", (long)getpid());
    b->server = ht_bench_server_start(serve);
    client_open(b);
    ht_bench_server_settle(&b->server);
    (void)printf("ready: %.0f MB resident, %.0f of them not the file's\n",
                 ht_bench_server_resident_mb(&b->server), ht_bench_server_own_mb(&b->server));
}

static void stop(struct bench *b, const char *store)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[160];
    (void)close(b->fd);
    ht_bench_server_stop(&b->server);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store, ends[i]);
        (void)unlink(path);
    }
}

/* ---- rows ---- */

static void row(struct bench *b, const char *what, double *ms, size_t count, double cpu_ms,
                size_t deaf)
{
    qsort(ms, count, sizeof *ms, by_value);
    double p50 = ms[count / 2];
    double p99 = ms[(count - 1) * 99 / 100];
    (void)printf("%-8s p50 %8.2f ms  p99 %8.2f ms  server CPU %6.2f ms  bound of the p99 20 ms%s\n",
                 what, p50, p99, cpu_ms, p99 <= 20 ? "" : ", MISSED");
    if (deaf > 0) {
        (void)printf("         %zu of %zu answers did NOT obey\n", deaf, count);
    }
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "p50_ms", p50, 3);
    ht_json_key_double(&b->json, "p99_ms", p99, 3);
    ht_json_key_double(&b->json, "server_cpu_ms", cpu_ms, 3);
    ht_json_key_double(&b->json, "bound_p99_ms", 20, 0);
    (void)fflush(stdout);
    ht_json_key_int(&b->json, "deaf", (int64_t)deaf);
    ht_json_object_end(&b->json);
}

/* One by itself: what comes first may have to make what the next ones find. */
static void one_row(struct bench *b, const char *what, double ms, bool obeyed)
{
    (void)printf("%-8s     %8.2f ms  bound 20 ms%s%s\n", what, ms, ms <= 20 ? "" : ", MISSED",
                 obeyed ? "" : ", did NOT obey");
    (void)fflush(stdout);
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "ms", ms, 3);
    ht_json_key_double(&b->json, "bound_ms", 20, 0);
    ht_json_key_bool(&b->json, "obeyed", obeyed);
    ht_json_object_end(&b->json);
}

/* The change, and a question that it is about. */
struct trial {
    const char *method;
    const char *target;
    char on[ROOM];
    char route[ROOM];
};

/* False: what was answered at once is not what is answered a moment later. */
static bool trial_run(struct bench *b, const struct trial *trial, double *ms, double *cpu_ms)
{
    const struct timespec moment = {.tv_nsec = 50000000};
    char first[256];
    const char *answer = "";
    uint64_t cpu = ht_load_cpu_us(b->server.pid);
    double begin = now_ms();
    int status = ask(b, trial->method, trial->target, trial->on, &answer);
    if (status < 200 || status > 299) {
        ht_bench_die(answer);
    }
    (void)ask(b, "GET", trial->route, "", &answer);
    *ms = now_ms() - begin;
    *cpu_ms += (double)(ht_load_cpu_us(b->server.pid) - cpu) / 1e3;
    (void)snprintf(first, sizeof first, "%.255s", answer);
    (void)nanosleep(&moment, NULL);
    (void)ask(b, "GET", trial->route, "", &answer);
    return strncmp(first, answer, strlen(first)) == 0;
}

static void closures_measure(struct bench *b)
{
    double ms[CLOSURES];
    double cpu_ms = 0;
    size_t deaf = 0;
    for (int i = 0; i < CLOSURES; i++) {
        const struct ht_network *net = b->road.network;
        struct trial trial = {.method = "POST", .target = "/v1/traffic"};
        const struct ht_arc *arc = street(b);
        const char *answer = NULL;
        char off[ROOM];
        uint32_t last = ht_arc_point_count(arc) - 1;
        change_write(b, arc, "\"closed\":true", trial.on);
        change_write(b, arc, "\"speed_kmh\":null", off);
        route_write("car", ht_arc_point(net, arc, 0), ht_arc_point(net, arc, last), trial.route);
        deaf += trial_run(b, &trial, &ms[i], &cpu_ms) ? 0 : 1;
        (void)ask(b, "POST", "/v1/traffic", off, &answer);
    }
    row(b, "closure", ms, CLOSURES, cpu_ms / CLOSURES, deaf);
}

static void zone_write(struct ht_point center, const char *id, char body[ROOM])
{
    double lon = center.lon_e7 / 1e7;
    double lat = center.lat_e7 / 1e7;
    const double x = 0.0018;
    const double y = 0.00135;
    (void)snprintf(body, ROOM,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                   "\"coordinates\":[[[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],"
                   "[%.7f,%.7f]]]},\"properties\":{\"kind\":\"closed\"}}",
                   id, lon - x, lat - y, lon + x, lat - y, lon + x, lat + y, lon - x, lat + y,
                   lon - x, lat - y);
}

/* Closes a zone around some street, and asks for a way into it. */
static bool zone_run(struct bench *b, int number, const char *profile, double *ms, double *cpu_ms)
{
    struct trial trial = {.method = "PUT"};
    struct ht_point center = ht_arc_point(b->road.network, street(b), 0);
    char target[64];
    char id[32];
    (void)snprintf(id, sizeof id, "z%d", number);
    (void)snprintf(target, sizeof target, "/collections/zones/items/%s", id);
    trial.target = target;
    zone_write(center, id, trial.on);
    route_write(profile, ht_arc_point(b->road.network, street(b), 0), center, trial.route);
    return trial_run(b, &trial, ms, cpu_ms);
}

static void zones_measure(struct bench *b)
{
    static const char *const firsts[] = {"zone 1st", "on foot"};
    static const char *const profiles[] = {"car", "foot"};
    double ms[ZONES];
    double cpu_ms = 0;
    size_t deaf = 0;
    for (int i = 0; i < 2; i++) {
        bool obeyed = zone_run(b, ZONES + i, profiles[i], &ms[0], &cpu_ms);
        one_row(b, firsts[i], ms[0], obeyed);
    }
    cpu_ms = 0;
    for (int i = 0; i < ZONES; i++) {
        deaf += zone_run(b, i, "car", &ms[i], &cpu_ms) ? 0 : 1;
    }
    row(b, "zone", ms, ZONES, cpu_ms / ZONES, deaf);
}

static void rate_measure(struct bench *b)
{
    struct ht_load_result got = {0};
    const char *why = "";
    struct ht_load_request *list = calloc(CHANGES, sizeof *list);
    char *texts = malloc((size_t)CHANGES * ROOM);
    if (list == NULL || texts == NULL) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < CHANGES; i++) {
        char body[ROOM];
        char speed[32];
        (void)snprintf(speed, sizeof speed, "\"speed_kmh\":%u", 5 + dice(b, 40));
        change_write(b, street(b), speed, body);
        int size = request_write(texts + i * ROOM, "POST", "/v1/traffic", body);
        list[i] = (struct ht_load_request){texts + i * ROOM, (size_t)size};
    }
    for (unsigned clients = 1; clients <= CLIENTS; clients *= CLIENTS) {
        const struct ht_load_options options = {.host = "127.0.0.1",
                                                .port = b->server.port,
                                                .connections = clients,
                                                .requests = list,
                                                .request_count = CHANGES,
                                                .once = true,
                                                .pid = b->server.pid};
        if (!ht_load_run(&options, &got, &why) || got.not_ok + got.failed > 0) {
            ht_bench_die("some changes were not taken");
        }
        (void)printf("rate     %u clients  %6.0f a second  p99 %8.2f ms  server CPU %6.2f ms  "
                     "bound 100 a second%s\n",
                     clients, got.rate, got.p99_us / 1e3, got.server_cpu_us / 1e3,
                     got.rate >= 100 ? "" : ", MISSED");
        ht_json_object(&b->json);
        ht_json_key_text(&b->json, "what", "rate");
        ht_json_key_int(&b->json, "clients", clients);
        ht_json_key_double(&b->json, "per_s", got.rate, 1);
        ht_json_key_double(&b->json, "p99_ms", got.p99_us / 1e3, 3);
        ht_json_key_double(&b->json, "server_cpu_ms", got.server_cpu_us / 1e3, 3);
        ht_json_key_double(&b->json, "bound_per_s", 100, 0);
        ht_json_object_end(&b->json);
    }
    free(list);
    free(texts);
}

int main(int argc, char **argv)
{
    struct ht_buffer text = {0};
    struct bench b = {.network_path = argc > 2 ? argv[2] : ht_bench_city(), .state = 7};
    char store[128];
    b.answer = malloc(BODY);
    if (b.answer == NULL) {
        ht_bench_die("out of memory");
    }
    network_read(&b);
    start(&b, store);
    ht_json_begin(&b.json, &text);
    ht_json_array(&b.json);
    if (wanted("closure")) {
        closures_measure(&b);
    }
    if (wanted("zone")) {
        zones_measure(&b); /* which stay in force */
    }
    if (wanted("rate")) {
        rate_measure(&b);
    }
    ht_json_array_end(&b.json);
    stop(&b, store);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)text.size, text.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&text);
    ht_hnet_close(b.file);
    free(b.answer);
    return 0;
}
