#include "bench/closest_http.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/drive.h"
#include "bench/load.h"
#include "bench/server.h"

enum {
    UNITS = 20000,
    BATCH = 500,
    ROOM = 160, /* of a position */
    ASKS = 2000,
    SECONDS = 5,
    BOUND_US = 1000,
};

struct fleet {
    const char *network;
    struct ht_road road;
    uint64_t state;
    struct ht_bench_track tracks[UNITS];
    struct ht_bench_server server;
    int fd; /* of who tells where they are */
    char store[512];
    char body[BATCH * ROOM + 512];
    atomic_bool stop;
    uint64_t told;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the units ---- */

static void store_make(struct fleet *f)
{
    char input[512];
    ht_bench_scratch(f->store, sizeof f->store, "closest.sqlite");
    ht_bench_scratch(input, sizeof input, "closest.csv");
    FILE *out = fopen(input, "w");
    if (out == NULL) {
        ht_bench_die("the scratch folder can't be written");
    }
    (void)fprintf(out, "id,kind,status,profile\n");
    for (uint32_t u = 0; u < UNITS; u++) {
        (void)fprintf(out, "u%05u,responder,idle,%s\n", u, f->road.graph->profile);
    }
    (void)fclose(out);
    const char *const load[] = {"load", "--store", f->store, "--collection", "units", input, NULL};
    ht_bench_run(load);
    (void)unlink(input);
}

static void store_remove(const struct fleet *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s%s", f->store, ends[i]);
        (void)unlink(path);
    }
}

/* ---- where they are ---- */

static void connection_open(struct fleet *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(f->server.port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(f->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        ht_bench_die("no connection");
    }
}

static void send_all(const struct fleet *f, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(f->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            ht_bench_die("the connection broke");
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* Reads an answer: so short that it comes at once or in a few pieces. */
static void answer_read(const struct fleet *f)
{
    char text[4096] = "";
    size_t have = 0;
    const char *end = NULL;
    const char *length = NULL;
    while (end == NULL || length == NULL ||
           have < (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10)) {
        ssize_t got = recv(f->fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) {
            ht_bench_die("the connection broke");
        }
        have += (size_t)got;
        text[have] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strstr(text, "Content-Length: ");
    }
    if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
        ht_bench_die(text);
    }
}

/* Tells where the units [first, first + BATCH) are, a second after they told the last time. */
static void batch_tell(struct fleet *f, uint32_t first, uint64_t *state)
{
    char head[160];
    char *at = f->body;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
    for (uint32_t u = first; u < first + BATCH; u++) {
        struct ht_report r = ht_bench_drive(&f->road, &f->tracks[u], state);
        at += sprintf(at, "%c{\"unit\":\"u%05u\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld}",
                      u == first ? '[' : ',', u, r.lon_deg, r.lat_deg, (long long)now_ms);
    }
    *at++ = ']';
    size_t size = (size_t)(at - f->body);
    int head_size = snprintf(head, sizeof head,
                             "POST /v1/positions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                             size);
    send_all(f, head, (size_t)head_size);
    send_all(f, f->body, size);
    answer_read(f);
    f->told += BATCH;
}

/* Each unit once a second. */
static void *keep_telling(void *user)
{
    struct fleet *f = user;
    uint64_t state = 4711;
    double begin = now_s();
    for (uint32_t batch = 0; !atomic_load(&f->stop); batch++) {
        double due = begin + (double)batch * BATCH / UNITS - now_s();
        if (due > 0) {
            const struct timespec nap = {0, (long)(due * 1e9)};
            (void)nanosleep(&nap, NULL);
        }
        batch_tell(f, batch * BATCH % UNITS, &state);
    }
    return NULL;
}

/* ---- the question ---- */

static char **paths_make(struct fleet *f)
{
    char **paths = calloc(ASKS, sizeof *paths);
    for (size_t i = 0; paths != NULL && i < ASKS; i++) {
        struct ht_report r = ht_bench_jump(&f->road, &f->state);
        if (asprintf(&paths[i], "/v1/closest?k=5&kind=responder&lon=%.6f&lat=%.6f", r.lon_deg,
                     r.lat_deg) < 0) {
            paths = NULL;
        }
    }
    if (paths == NULL) {
        ht_bench_die("out of memory");
    }
    return paths;
}

static struct ht_load_result ask(struct fleet *f)
{
    char **paths = paths_make(f);
    const struct ht_load_options options = {.host = "127.0.0.1",
                                            .port = f->server.port,
                                            .connections = 1,
                                            .seconds = SECONDS,
                                            .paths = paths,
                                            .path_count = ASKS,
                                            .expect = "{\"closest\":[{\"unit\":\"u",
                                            .pid = f->server.pid};
    struct ht_load_result result;
    const char *why = NULL;
    if (!ht_load_run(&options, &result, &why) || result.failed > 0 || result.not_ok > 0) {
        ht_bench_die(why == NULL ? result.strange : why);
    }
    ht_load_paths_free(paths, ASKS);
    return result;
}

static void row(const struct fleet *f, const struct ht_load_result *got, double moves, FILE *json)
{
    const char *who = f->road.graph->profile;
    (void)printf("%-9s %6u units over HTTP, %.0f moves a second: p50 %9.1f  p99 %9.1f us   bound "
                 "of the p50 %d us%s\n",
                 who, UNITS, moves, got->p50_us, got->p99_us, BOUND_US,
                 got->p50_us < BOUND_US ? "" : ", MISSED");
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json,
                      ",{\"profile\":\"%s\",\"units\":%u,\"way\":\"http\",\"moves_per_s\":%.0f,"
                      "\"p50_us\":%.1f,\"p99_us\":%.1f,\"bound_p50_us\":%d}",
                      who, UNITS, moves, got->p50_us, got->p99_us, BOUND_US);
    }
}

static void fleet_run(struct fleet *f, FILE *json)
{
    pthread_t teller;
    store_make(f);
    const char *const serve[] = {"serve",    "--network",   f->network,  "--store", f->store,
                                 "--listen", "127.0.0.1:0", "--threads", "2",       NULL};
    for (uint32_t u = 0; u < UNITS; u++) {
        f->tracks[u] = ht_bench_track_begin(&f->road, &f->state);
    }
    f->server = ht_bench_server_start(serve);
    connection_open(f);
    for (uint32_t u = 0; u < UNITS; u += BATCH) { /* so that all have a place */
        batch_tell(f, u, &f->state);
    }
    (void)close(f->fd);
    ht_bench_server_settle(&f->server); /* longer than it keeps a connection that says nothing */
    connection_open(f);
    atomic_store(&f->stop, false);
    f->told = 0;
    if (pthread_create(&teller, NULL, keep_telling, f) != 0) {
        ht_bench_die("no thread");
    }
    double begin = now_s();
    struct ht_load_result got = ask(f);
    double spent = now_s() - begin;
    atomic_store(&f->stop, true);
    (void)pthread_join(teller, NULL);
    row(f, &got, (double)f->told / spent, json);
    (void)close(f->fd);
    ht_bench_server_stop(&f->server);
    store_remove(f);
}

void ht_bench_closest_http(const char *network, struct ht_hnet *file, FILE *json)
{
    static struct fleet f;
    struct ht_error error = {0};
    f = (struct fleet){.network = network, .state = 7};
    if (ht_hnet_road(file, ht_hnet_profile(file, 0), NULL, &f.road, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    fleet_run(&f, json);
}
