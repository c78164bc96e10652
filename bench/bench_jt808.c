/* JT/T 808: what reading a terminal's frames costs, and how many locations a second a server takes
 * and answers.
 *
 *   bench_jt808 [RESULT.json]
 *
 *   decode    frames of a stream found, unescaped, checked, and their locations read with items, in
 *             this process on one core; frames of 2013 and 2019, some of them with escapes
 *   sockets   `houtao serve --jt808` with a store on the sample town; 20,000 terminals, each in a
 *             van (fewer where the machine allows fewer descriptors; BENCH_TERMINALS=N), register,
 *             authenticate and drive. Each says where it is when its last location was answered:
 *             one in a packet, and four, as terminals do that save air time. Server and terminals
 *             share the machine.
 *   memory    what a terminal that is connected, has authenticated and says nothing takes of the
 *             server
 *
 * Rates are medians of five slices. BENCH_FULL=1 measures three times as long, BENCH_SOCKETS=1
 * leaves `decode` out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/json.h"
#include "api/jt808_message.h"
#include "bench/origin.h"
#include "bench/server.h"

enum {
    FRAMES = 4096,
    PIECE = 16 * 1024,
    SLICES = 5,
    TERMINALS = 20000,
    DESCRIPTORS_OWN = 512, /* of the server */
    SPARE_LEAST = 256,     /* for HTTP */
    ADDRESSES = 8,         /* of ours, so that ports don't run out */
    DECODE_BOUND = 200000,
    SOCKETS_BOUND = 50000,
    EVENTS = 256,
    TOGETHER = 4, /* locations in a packet, of a terminal that saves air time */
};

struct terminal {
    int fd;
    struct ht_jt808_header header;
    struct ht_jt808_location location;
    unsigned waits; /* for so many answers */
};

struct bench {
    struct ht_json json;
    struct ht_buffer out;
    double slice_s;
    struct terminal *terminals;
    size_t count;
    uint16_t port; /* the door's */
    size_t answers;
    double spent_s;    /* in which they came */
    unsigned together; /* locations in a packet */
    int epoll;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[SLICES])
{
    qsort(values, SLICES, sizeof *values, by_value);
    return values[SLICES / 2];
}

/* `cpu_us`: of one core for each; the second of the terminals, 0 where there are none. */
static void row(struct bench *b, const char *what, double per_s, const double cpu_us[2],
                double bound)
{
    (void)printf("%-52s %10.0f /s  %6.2f us CPU each", what, per_s, cpu_us[0]);
    if (cpu_us[1] > 0) {
        (void)printf(", %.2f us of the terminals", cpu_us[1]);
    }
    (void)printf("  bound %.0f%s\n", bound, per_s < bound ? ", MISSED" : "");
    (void)fflush(stdout);
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", what);
    ht_json_key_double(&b->json, "per_s", per_s, 0);
    ht_json_key_double(&b->json, "cpu_us", cpu_us[0], 3);
    ht_json_key_double(&b->json, "terminals_cpu_us", cpu_us[1], 3);
    ht_json_key_double(&b->json, "bound", bound, 0);
    ht_json_object_end(&b->json);
}

/* ---- decode ---- */

static struct ht_jt808_location place_of(size_t i)
{
    return (struct ht_jt808_location){.lon_deg = 121.70 + (double)(i % 400) * 1e-4,
                                      .lat_deg = 29.94 + (double)(i / 400 % 400) * 1e-4,
                                      .speed_mps = 8 + (double)(i % 50) / 10,
                                      .bearing_deg = (double)(i % 360),
                                      .altitude_m = (int16_t)(i % 40),
                                      .at_ms = INT64_C(1772325000000) + (int64_t)i * 1000};
}

/* A location with the items that terminals mostly send. */
static size_t frame_put(struct ht_jt808_header *header, uint16_t serial, size_t i,
                        uint8_t out[HT_JT808_WIRE_MAX])
{
    static const uint8_t items[] = {0x01, 4, 0,    0,    0x1e, 0x7d, 0x02, 2,    1, 0x2c,
                                    0x03, 2, 0,    0x64, 0,    0,    0x25, 4,    0, 0,
                                    0,    0, 0x30, 1,    0x19, 0,    0,    0x31, 1, 12};
    uint8_t body[HT_JT808_LOCATION_SIZE + sizeof items];
    const struct ht_jt808_location location = place_of(i);
    ht_jt808_location_put(&location, 1U << HT_JT808_STATUS_FIXED | 1U, body);
    memcpy(body + HT_JT808_LOCATION_SIZE, items, sizeof items);
    return ht_jt808_encode(header, HT_JT808_LOCATION, serial, body, sizeof body, out);
}

/* Reads the stream once, piece by piece as a connection gives it; returns the frames. */
static size_t stream_read(const uint8_t *bytes, size_t size, double *sum)
{
    struct ht_jt808_scan scan = {0};
    uint8_t room[HT_JT808_MESSAGE_MAX];
    struct ht_jt808_message message;
    struct ht_jt808_location location;
    size_t frames = 0;
    size_t at = 0;
    size_t end = 0;
    while (end < size) {
        end = PIECE < size - end ? end + PIECE : size;
        while (ht_jt808_scan(&scan, bytes + at, end - at) == HT_JT808_FRAME) {
            at += scan.used;
            if (ht_jt808_decode(scan.raw, scan.raw_size, room, &message) == HT_JT808_FAULT_NONE &&
                ht_jt808_location_read(message.body, message.size, &location)) {
                frames++;
                *sum += location.lat_deg + location.satellites;
            }
        }
        at += scan.used;
    }
    return frames;
}

static void decode_run(struct bench *b)
{
    uint8_t *stream = malloc((size_t)FRAMES * HT_JT808_WIRE_MAX);
    double rates[SLICES];
    double sum = 0;
    size_t size = 0;
    if (stream == NULL) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < FRAMES; i++) {
        struct ht_jt808_header header = {.is_2019 = i % 2 == 0, .version = i % 2 == 0};
        (void)ht_jt808_phone_set(&header, "13800138000");
        size += frame_put(&header, (uint16_t)i, i, stream + size);
    }
    for (int s = 0; s < SLICES; s++) {
        size_t frames = 0;
        double begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
        double spent = 0;
        while (spent < b->slice_s) {
            size_t got = stream_read(stream, size, &sum);
            if (got != FRAMES) {
                ht_bench_die("frames were lost");
            }
            frames += got;
            spent = seconds(CLOCK_PROCESS_CPUTIME_ID) - begun;
        }
        rates[s] = (double)frames / spent;
    }
    if (sum < 0) {
        ht_bench_die("south of the equator");
    }
    double rate = median(rates);
    row(b, "decode: frames of locations, one core", rate, (double[2]){1e6 / rate, 0}, DECODE_BOUND);
    free(stream);
}

/* ---- sockets ---- */

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        ht_bench_die("no port is free");
    }
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* As many as the server lets in: it keeps descriptors for its files, and an eighth of the others
 * for HTTP (api/cmd_serve.c). */
static size_t terminals_of(void)
{
    const char *text = getenv("BENCH_TERMINALS");
    size_t count = text == NULL ? TERMINALS : strtoul(text, NULL, 10);
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    size_t most = limit.rlim_cur > DESCRIPTORS_OWN ? (size_t)limit.rlim_cur - DESCRIPTORS_OWN : 2;
    most = most > 8 * SPARE_LEAST   ? most - most / 8
           : most > 2 * SPARE_LEAST ? most - SPARE_LEAST
                                    : 1;
    if (count > most) {
        (void)printf("%zu terminals where %zu were asked for: %llu open files are allowed "
                     "(ulimit -Hn), and %d terminals want %d\n",
                     most, count, (unsigned long long)limit.rlim_max, TERMINALS,
                     TERMINALS * 8 / 7 + DESCRIPTORS_OWN + 1);
    }
    return count == 0 ? 1 : count < most ? count : most;
}

static void registry_write(const char *units, const char *devices, size_t count)
{
    FILE *vans = fopen(units, "we");
    FILE *terminals = fopen(devices, "we");
    if (vans == NULL || terminals == NULL) {
        ht_bench_die("the registry could not be written");
    }
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(vans,
                      "{\"type\":\"Feature\",\"id\":\"v%zu\",\"geometry\":null,\"properties\":"
                      "{\"kind\":\"van\",\"profile\":\"car\"}}\n",
                      i);
        (void)fprintf(terminals,
                      "{\"type\":\"Feature\",\"id\":\"138%08zu\",\"geometry\":null,"
                      "\"properties\":{\"protocol\":\"jt808\",\"unit\":\"v%zu\"}}\n",
                      i, i);
    }
    if (fclose(vans) != 0 || fclose(terminals) != 0) {
        ht_bench_die("the registry could not be written");
    }
}

/* A server on the sample town that knows all terminals. */
static struct ht_bench_server server_begin(struct bench *b, char folder[512])
{
    char streets[600];
    char map[600];
    char store[600];
    char units[600];
    char devices[600];
    char door[32];
    ht_bench_scratch(folder, 500, "jt808");
    if (mkdir(folder, 0700) != 0) {
        ht_bench_die("no folder for what is passing");
    }
    (void)snprintf(streets, sizeof streets, "%s/streets.osm.pbf", folder);
    (void)snprintf(map, sizeof map, "%s/town.hnet", folder);
    (void)snprintf(store, sizeof store, "%s/town.sqlite", folder);
    (void)snprintf(units, sizeof units, "%s/vans.ndjson", folder);
    (void)snprintf(devices, sizeof devices, "%s/terminals.ndjson", folder);
    ht_bench_run((const char *const[]){"sample", "-o", folder, NULL});
    ht_bench_run((const char *const[]){"import", streets, "-o", map, "--profiles", "car", NULL});
    registry_write(units, devices, b->count);
    ht_bench_run(
        (const char *const[]){"load", "--store", store, "--collection", "units", units, NULL});
    ht_bench_run(
        (const char *const[]){"load", "--store", store, "--collection", "devices", devices, NULL});
    b->port = free_port();
    (void)snprintf(door, sizeof door, "127.0.0.1:%u", (unsigned)b->port);
    struct ht_bench_server server = ht_bench_server_start(
        (const char *const[]){"serve", "--network", map, "--store", store, "--listen",
                              "127.0.0.1:0", "--threads", "2", "--jt808", door, NULL});
    ht_bench_server_settle(&server);
    return server;
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size) {
        ht_bench_die("a terminal could not send");
    }
}

/* Sends a message and reads the one that answers it into `in`. */
static void ask(struct terminal *t, uint16_t id, const void *body, size_t size,
                uint8_t in[HT_JT808_WIRE_MAX], struct ht_jt808_message *answer)
{
    uint8_t out[HT_JT808_WIRE_MAX];
    static uint8_t room[HT_JT808_MESSAGE_MAX];
    struct ht_jt808_scan scan = {0};
    size_t have = 0;
    send_all(t->fd, out, ht_jt808_encode(&t->header, id, t->header.serial++, body, size, out));
    while (ht_jt808_scan(&scan, in, have) != HT_JT808_FRAME) {
        ssize_t got = recv(t->fd, in + have, HT_JT808_WIRE_MAX - have, 0);
        if (got <= 0) {
            ht_bench_die("a terminal was not answered");
        }
        have += (size_t)got;
        scan = (struct ht_jt808_scan){0};
    }
    if (ht_jt808_decode(scan.raw, scan.raw_size, room, answer) != HT_JT808_FAULT_NONE) {
        ht_bench_die("an answer is broken");
    }
}

static void terminal_enter(struct bench *b, size_t i)
{
    struct terminal *t = &b->terminals[i];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(b->port)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    uint8_t asked[45] = {0, 33, 0, 206};
    uint8_t in[HT_JT808_WIRE_MAX];
    char phone[32];
    struct ht_jt808_message answer;
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(i % ADDRESSES));
    t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(phone, sizeof phone, "138%08zu", i);
    if (t->fd < 0 || !ht_jt808_phone_set(&t->header, phone) ||
        bind(t->fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        connect(t->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        ht_bench_die("a terminal could not connect");
    }
    (void)setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ask(t, HT_JT808_REGISTER, asked, sizeof asked, in, &answer);
    if (answer.size <= 3 || answer.body[2] != HT_JT808_REGISTERED) {
        ht_bench_die("a terminal was not let in");
    }
    uint8_t code[HT_JT808_CODE_MAX];
    size_t size = answer.size - 3;
    memcpy(code, answer.body + 3, size);
    ask(t, HT_JT808_AUTHENTICATE, code, size, in, &answer);
    if (answer.size != 5 || answer.body[4] != HT_JT808_DONE) {
        ht_bench_die("a code was refused");
    }
    /* an hour ago by its own clock, so that a second in each location is never the future */
    t->location = place_of(i * 7);
    t->location.at_ms = ((int64_t)time(NULL) - 3600) * 1000;
}

/* The next locations, each a second and ten metres further on. */
static void terminal_tell(struct terminal *t, unsigned count)
{
    uint8_t body[HT_JT808_LOCATION_SIZE];
    uint8_t out[TOGETHER * HT_JT808_WIRE_MAX];
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        t->location.at_ms += 1000;
        t->location.lon_deg += t->location.at_ms / 1000 % 200 < 100 ? 1e-4 : -1e-4;
        ht_jt808_location_put(&t->location, 1U << HT_JT808_STATUS_FIXED | 1U, body);
        size += ht_jt808_encode(&t->header, HT_JT808_LOCATION, t->header.serial++, body,
                                sizeof body, out + size);
    }
    t->waits = count;
    send_all(t->fd, out, size);
}

/* What came for one: whole answers, since each is written at once. Returns how many. */
static size_t answers_read(struct terminal *t)
{
    uint8_t in[1024];
    ssize_t got = recv(t->fd, in, sizeof in, MSG_DONTWAIT);
    size_t marks = 0;
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        ht_bench_die("a terminal was closed");
    }
    for (ssize_t i = 0; i < got; i++) {
        marks += in[i] == 0x7e;
    }
    return marks / 2;
}

/* What the server has used of the processors, in seconds. */
static double server_cpu_s(const struct ht_bench_server *server)
{
    char path[64];
    char line[1024] = "";
    unsigned long user = 0;
    unsigned long kernel = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)server->pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        line[fread(line, 1, sizeof line - 1, file)] = '\0';
        (void)fclose(file);
    }
    const char *at = strrchr(line, ')'); /* behind the name; then state and ten numbers */
    for (int i = 0; at != NULL && i < 12; i++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL || sscanf(at, "%lu %lu", &user, &kernel) != 2) {
        ht_bench_die("the server is gone");
    }
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/* Reads all that came, then answers all that wait for nothing any more: as few turns of the
 * processor between kernel and terminals as may be. */
static size_t events_take(struct bench *b, const struct epoll_event *events, int count)
{
    size_t answers = 0;
    for (int i = 0; i < count; i++) {
        struct terminal *t = events[i].data.ptr;
        size_t got = answers_read(t);
        answers += got;
        t->waits -= (unsigned)got;
    }
    for (int i = 0; i < count; i++) {
        struct terminal *t = events[i].data.ptr;
        if (t->waits == 0) {
            terminal_tell(t, b->together);
        }
    }
    return answers;
}

static double slice_run(struct bench *b)
{
    struct epoll_event events[EVENTS];
    size_t answers = 0;
    double begun = seconds(CLOCK_MONOTONIC);
    double spent = 0;
    while (spent < b->slice_s) {
        int count = epoll_wait(b->epoll, events, EVENTS, 10000);
        if (count <= 0) {
            ht_bench_die("the server answers no more");
        }
        answers += events_take(b, events, count);
        spent = seconds(CLOCK_MONOTONIC) - begun;
    }
    b->answers += answers;
    b->spent_s += spent;
    return (double)answers / spent;
}

static void answers_row(struct bench *b, const struct ht_bench_server *server, const char *what)
{
    double rates[SLICES];
    double cpu_us[2] = {server_cpu_s(server), seconds(CLOCK_PROCESS_CPUTIME_ID)};
    double spare[1] = {0};
    b->answers = 0;
    b->spent_s = 0;
    for (int s = 0; s < SLICES; s++) {
        rates[s] = slice_run(b);
    }
    double used_s[2] = {server_cpu_s(server) - cpu_us[0],
                        seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_us[1]};
    for (int i = 0; i < 2; i++) {
        cpu_us[i] = used_s[i] * 1e6 / (double)b->answers;
    }
    row(b, what, median(rates), cpu_us, SOCKETS_BOUND);
    if (getloadavg(spare, 1) == 1) { /* where others had the processors, the rate is theirs too */
        (void)printf("%-52s server %.0f %%, terminals %.0f %% of a core, load %.2f\n", "",
                     100 * used_s[0] / b->spent_s, 100 * used_s[1] / b->spent_s, spare[0]);
    }
}

static void sockets_run(struct bench *b)
{
    char folder[512];
    b->count = terminals_of();
    b->terminals = calloc(b->count, sizeof *b->terminals);
    b->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (b->terminals == NULL || b->epoll < 0) {
        ht_bench_die("out of memory");
    }
    struct ht_bench_server server = server_begin(b, folder);
    double before_mb = ht_bench_server_own_mb(&server);
    for (size_t i = 0; i < b->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &b->terminals[i]};
        terminal_enter(b, i);
        if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->terminals[i].fd, &event) != 0) {
            ht_bench_die("out of memory");
        }
    }
    double each = (ht_bench_server_own_mb(&server) - before_mb) * 1024 / (double)b->count;
    (void)printf("%-52s %10zu, %.2f KiB of the server each\n", "terminals connected", b->count,
                 each);
    b->together = 1;
    for (size_t i = 0; i < b->count; i++) {
        terminal_tell(&b->terminals[i], 1);
    }
    (void)slice_run(b); /* the index of places, and the first page faults */
    answers_row(b, &server, "sockets: locations answered, one in a packet");
    b->together = TOGETHER;
    (void)slice_run(b);
    answers_row(b, &server, "sockets: locations answered, four in a packet");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "terminals connected");
    ht_json_key_int(&b->json, "count", (int64_t)b->count);
    ht_json_key_double(&b->json, "kib_each", each, 2);
    ht_json_object_end(&b->json);
    for (size_t i = 0; i < b->count; i++) {
        (void)close(b->terminals[i].fd);
    }
    ht_bench_server_stop(&server);
    char line[600];
    (void)snprintf(line, sizeof line, "rm -rf '%s'", folder);
    if (system(line) != 0) { // NOLINT(cert-env33-c,concurrency-mt-unsafe)
        (void)printf("%s stays\n", folder);
    }
    free(b->terminals);
}

int main(int argc, char **argv)
{
    struct bench b = {.slice_s = getenv("BENCH_FULL") == NULL ? 2 : 6};
    ht_json_begin(&b.json, &b.out);
    ht_json_array(&b.json);
    if (getenv("BENCH_SOCKETS") == NULL) {
        decode_run(&b);
    }
    sockets_run(&b);
    ht_json_array_end(&b.json);
    FILE *file = argc > 1 ? fopen(argv[1], "we") : NULL;
    if (file != NULL) {
        (void)fprintf(file, "{");
        ht_bench_origin(file);
        (void)fprintf(file, ",\"rows\":%.*s}\n", (int)b.out.size, b.out.data);
        (void)fclose(file);
    }
    ht_buffer_deinit(&b.out);
    return 0;
}
