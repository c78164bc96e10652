/* Stream: what an idle subscriber costs in memory, and how long one event takes to reach all.
 *
 *   bench_stream [RESULT.json]
 *
 * `houtao serve` with two loops on the sample town, 10,000 subscribers in this process (fewer where
 * the machine allows fewer descriptors; BENCH_SUBSCRIBERS=N), server and subscribers on the same
 * cores. One event is a PUT of a unit; the time runs from the PUT to the first, the middle and the
 * last subscriber that has it in its hands, the commit's sync included. The bound, in the same run:
 * a process that does nothing but write() the same bytes to as many sockets, from one and from two
 * threads, read by the same reader. Then positions: 100 subscribers of 2,000 units that all move
 * for some seconds. BENCH_FULL=1 repeats more often.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/json.h"
#include "bench/origin.h"
#include "bench/times.h"

enum {
    SUBSCRIBERS = 10000,
    DESCRIPTORS_OWN = 64,
    EVENTS_MOST = 200,
    READ_SIZE = 64 * 1024,
    WAIT_MS = 60000,
    ADDRESSES = 8, /* of ours, so that ports don't run out */
    MOVERS = 2000,
    WATCHERS = 100,
    BATCH = 500,
};

struct bench {
    struct ht_json *json;
    char folder[64];
    unsigned count; /* of subscribers */
    int *fds;
    bool *got;
    double *at_ms; /* when each got it */
    int epoll;
    uint16_t port;
    pid_t server;
    int events;
};

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "bench_stream: %s\n", what);
    exit(1);
}

/* ---- processes ---- */

static void shell(const char *line)
{
    if (system(line) != 0) {
        die(line);
    }
}

/* Reads "http://...:PORT" from the child. */
static uint16_t port_read(int fd)
{
    char line[1024] = "";
    size_t size = 0;
    ssize_t got = 0;
    while (strchr(line, '\n') == NULL &&
           (got = read(fd, line + size, sizeof line - 1 - size)) > 0) {
        size += (size_t)got;
        line[size] = '\0';
    }
    const char *colon = strrchr(line, ':');
    if (colon == NULL) {
        die("the server did not start");
    }
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void server_start(struct bench *bench)
{
    int out[2];
    char map[128];
    char store[128];
    (void)snprintf(map, sizeof map, "%s/town.hnet", bench->folder);
    (void)snprintf(store, sizeof store, "%s/town.sqlite", bench->folder);
    if (pipe(out) != 0) {
        die("no pipe");
    }
    bench->server = fork();
    if (bench->server == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(out[0]);
        (void)execl(HT_BINARY, HT_BINARY, "serve", "--network", map, "--store", store, "--listen",
                    "127.0.0.1:0", "--threads", "2", (char *)NULL);
        _exit(127);
    }
    (void)close(out[1]);
    bench->port = port_read(out[0]);
    (void)close(out[0]);
}

static void child_stop(pid_t child)
{
    int status = 0;
    (void)kill(child, SIGTERM);
    if (waitpid(child, &status, 0) != child) {
        die("a child was lost");
    }
}

static double server_resident(const struct bench *bench)
{
    char path[64];
    char text[8192] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)bench->server);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        (void)fclose(file);
    }
    const char *at = strstr(text, "VmRSS:");
    return at == NULL ? 0 : strtod(at + 6, NULL) * 1024;
}

static double server_cpu_ms(const struct bench *bench)
{
    char path[64];
    char text[1024] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)bench->server);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        (void)fclose(file);
    }
    char *at = strrchr(text, ')');
    double ticks = 0;
    for (int field = 2; at != NULL && field < 15; field++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && field >= 13) {
            ticks += strtod(at, NULL);
        }
    }
    return ticks * 1000 / (double)sysconf(_SC_CLK_TCK);
}

/* ---- connections ---- */

static int connect_to(uint16_t port, unsigned number)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % ADDRESSES);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        die("can't connect");
    }
    return fd;
}

static void write_whole(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            die("can't send");
        }
        text += sent;
        size -= (size_t)sent;
    }
}

static void watch(struct bench *bench, unsigned i)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    (void)fcntl(bench->fds[i], F_SETFL, O_NONBLOCK);
    if (epoll_ctl(bench->epoll, EPOLL_CTL_ADD, bench->fds[i], &event) != 0) {
        die("epoll");
    }
}

static void close_all(struct bench *bench, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)close(bench->fds[i]);
    }
}

/* Opens streams and waits for the first chunk of each. */
static void subscribe(struct bench *bench, unsigned count, const char *topics)
{
    char request[256];
    char buffer[4096];
    int size = snprintf(request, sizeof request,
                        "GET /v1/stream?topics=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", topics);
    for (unsigned i = 0; i < count; i++) {
        bench->fds[i] = connect_to(bench->port, i);
        write_whole(bench->fds[i], request, (size_t)size);
        size_t have = 0;
        ssize_t got = 0;
        while ((got = recv(bench->fds[i], buffer + have, sizeof buffer - 1 - have, 0)) > 0) {
            have += (size_t)got;
            buffer[have] = '\0';
            if (strstr(buffer, "retry: ") != NULL) {
                break;
            }
        }
        if (got <= 0 || strncmp(buffer, "HTTP/1.1 200", 12) != 0) {
            die("a stream was refused");
        }
        watch(bench, i);
    }
}

/* Reads until each of `count` has `mark`; their times in at_ms. */
static void collect(struct bench *bench, unsigned count, const char *mark, double begun)
{
    static char buffer[READ_SIZE];
    struct epoll_event ready[256];
    size_t mark_size = strlen(mark);
    unsigned left = count;
    memset(bench->got, 0, count * sizeof *bench->got);
    while (left > 0) {
        int n = epoll_wait(bench->epoll, ready, 256, WAIT_MS);
        if (n <= 0) {
            die("an event did not reach all");
        }
        for (int k = 0; k < n; k++) {
            unsigned i = ready[k].data.u32;
            ssize_t size = recv(bench->fds[i], buffer, sizeof buffer, 0);
            if (size <= 0) {
                die("a stream ended");
            }
            if (!bench->got[i] && memmem(buffer, (size_t)size, mark, mark_size) != NULL) {
                bench->got[i] = true;
                bench->at_ms[i] = ht_bench_now_ms() - begun;
                left--;
            }
        }
    }
}

/* ---- one event to all ---- */

struct times {
    double first[EVENTS_MOST];
    double half[EVENTS_MOST];
    double last[EVENTS_MOST];
};

static void note(struct bench *bench, struct times *times, int round)
{
    ht_bench_sort(bench->at_ms, bench->count);
    times->first[round] = bench->at_ms[0];
    times->half[round] = bench->at_ms[bench->count / 2];
    times->last[round] = bench->at_ms[bench->count - 1];
}

static void row(struct bench *bench, const char *what, struct times *times)
{
    size_t count = (size_t)bench->events;
    double first = ht_bench_at_share(times->first, count, 0.5);
    double half = ht_bench_at_share(times->half, count, 0.5);
    double last = ht_bench_at_share(times->last, count, 0.5);
    (void)printf("%-34s %9.2f %9.2f %9.2f   %6.2f us each\n", what, first, half, last,
                 last * 1e3 / bench->count);
    ht_json_object(bench->json);
    ht_json_key_text(bench->json, "what", what);
    ht_json_key_int(bench->json, "subscribers", bench->count);
    ht_json_key_double(bench->json, "first_ms", first, 3);
    ht_json_key_double(bench->json, "half_ms", half, 3);
    ht_json_key_double(bench->json, "last_ms", last, 3);
    ht_json_object_end(bench->json);
}

static void put_unit(int fd, int number)
{
    char text[512];
    int size =
        snprintf(text, sizeof text,
                 "PUT /collections/units/items/e%d HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 "Content-Type: application/geo+json\r\nContent-Length: 63\r\n\r\n"
                 "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{\"kind\":\"van\"}} ",
                 number);
    write_whole(fd, text, (size_t)size);
}

/* The whole answer, so that the next one begins where it should. */
static void answer_read(int fd, const char *expected)
{
    static char text[READ_SIZE];
    size_t have = 0;
    size_t want = SIZE_MAX;
    while (have < want) {
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) {
            die("a command was not answered");
        }
        have += (size_t)got;
        text[have] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (end != NULL && length != NULL) {
            want = (size_t)(end - text) + 4 + strtoul(length + 16, NULL, 10);
        }
    }
    if (strstr(text, expected) == NULL) {
        die("a command was not answered well");
    }
}

static void events_to_all(struct bench *bench)
{
    static struct times times;
    int writer = connect_to(bench->port, 0);
    for (int round = 0; round < bench->events; round++) {
        char mark[32];
        (void)snprintf(mark, sizeof mark, "id: %d\n", round + 1);
        double begun = ht_bench_now_ms();
        put_unit(writer, round);
        collect(bench, bench->count, mark, begun);
        note(bench, &times, round);
        answer_read(writer, " 201 ");
    }
    (void)close(writer);
    row(bench, "PUT to subscribers, ms", &times);
}

/* ---- the bound: plain writes ---- */

struct plain {
    pthread_t thread;
    const int *fds;
    unsigned first;
    unsigned end;
    const char *text;
};

static void *plain_write(void *user)
{
    const struct plain *plain = user;
    for (unsigned i = plain->first; i < plain->end; i++) {
        write_whole(plain->fds[i], plain->text, strlen(plain->text));
    }
    return NULL;
}

/* The child: accepts `count`, then writes to all for each byte that comes. */
static void plain_main(int listener, unsigned count, unsigned threads, int orders)
{
    /* of an event's size */
    static char text[] =
        "0000011d\r\nid: 0\nevent: registry\ndata: {\"seq\":1,\"district\":\"main\",\"at\":"
        "\"2026-01-01T00:00:00.000Z\",\"kind\":\"item.created\",\"subject\":\"units/e100\","
        "\"body\":{\"collection\":\"units\",\"id\":\"e100\",\"version\":1,\"sha256\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}}\n\n\r\n";
    int *fds = calloc(count, sizeof *fds);
    struct plain parts[2];
    char byte = 0;
    for (unsigned i = 0; fds != NULL && i < count; i++) {
        fds[i] = accept(listener, NULL, NULL);
    }
    while (fds != NULL && read(orders, &byte, 1) == 1) {
        for (unsigned t = 0; t < threads; t++) {
            parts[t] = (struct plain){.fds = fds,
                                      .first = count / threads * t,
                                      .end = t + 1 == threads ? count : count / threads * (t + 1),
                                      .text = text};
            if (pthread_create(&parts[t].thread, NULL, plain_write, &parts[t]) != 0) {
                _exit(1);
            }
        }
        for (unsigned t = 0; t < threads; t++) {
            (void)pthread_join(parts[t].thread, NULL);
        }
    }
    _exit(0);
}

static void bound(struct bench *bench, unsigned threads, const char *what)
{
    static struct times times;
    int orders[2];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 1024) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || pipe(orders) != 0) {
        die("no listener");
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(orders[1]);
        plain_main(listener, bench->count, threads, orders[0]);
    }
    (void)close(orders[0]);
    for (unsigned i = 0; i < bench->count; i++) {
        bench->fds[i] = connect_to(ntohs(address.sin_port), i);
        watch(bench, i);
    }
    for (int round = 0; round < bench->events; round++) {
        double begun = ht_bench_now_ms();
        if (write(orders[1], "x", 1) != 1) {
            die("the writer is gone");
        }
        collect(bench, bench->count, "id: 0\n", begun);
        note(bench, &times, round);
    }
    (void)close(orders[1]);
    child_stop(child);
    close_all(bench, bench->count);
    (void)close(listener);
    row(bench, what, &times);
}

/* ---- memory ---- */

static void memory(struct bench *bench)
{
    double before = server_resident(bench);
    double begun = ht_bench_now_ms();
    subscribe(bench, bench->count, "registry");
    double took = ht_bench_now_ms() - begun;
    double each = (server_resident(bench) - before) / bench->count;
    (void)printf("%u idle subscribers: %.0f bytes each, opened at %.0f a second\n", bench->count,
                 each, bench->count / took * 1e3);
    (void)printf("%-34s %9s %9s %9s\n", "", "first", "half", "last");
    ht_json_object(bench->json);
    ht_json_key_text(bench->json, "what", "idle");
    ht_json_key_int(bench->json, "subscribers", bench->count);
    ht_json_key_double(bench->json, "bytes_each", each, 0);
    ht_json_key_double(bench->json, "opened_per_s", bench->count / took * 1e3, 0);
    ht_json_object_end(bench->json);
}

/* ---- positions ---- */

static void post_text(int fd, const char *path, const char *type, const char *text, size_t size,
                      const char *expected)
{
    char head[256];
    int length = snprintf(head, sizeof head,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          path, type, size);
    write_whole(fd, head, (size_t)length);
    write_whole(fd, text, size);
    answer_read(fd, expected);
}

static void movers_make(int fd, char *text)
{
    size_t size = 0;
    for (int i = 0; i < MOVERS; i++) {
        size += (size_t)sprintf(text + size,
                                "{\"type\":\"Feature\",\"id\":\"m%d\",\"geometry\":null,"
                                "\"properties\":{\"kind\":\"van\"}}\n",
                                i);
    }
    post_text(fd, "/collections/units/items", "application/x-ndjson", text, size, " 201 ");
}

static void movers_move(int fd, char *text, int round, long ts)
{
    for (int i = 0; i < MOVERS; i += BATCH) {
        size_t size = (size_t)sprintf(text, "[");
        for (int k = i; k < i + BATCH; k++) {
            size += (size_t)sprintf(text + size,
                                    "%s{\"unit\":\"m%d\",\"lon\":%.5f,\"lat\":29.95,\"ts\":%ld}",
                                    k == i ? "" : ",", k, 121.7 + round * 1e-5, ts);
        }
        size += (size_t)sprintf(text + size, "]");
        post_text(fd, "/v1/positions", "application/json", text, size, " 200 ");
    }
}

/* Bytes and positions that come in `ms`. */
static void drain(struct bench *bench, double ms, double *bytes, double *positions)
{
    static char buffer[READ_SIZE];
    static const char mark[] = "event: positions";
    struct epoll_event ready[256];
    double until = ht_bench_now_ms() + ms;
    double left = ms;
    while (left > 0) {
        int n = epoll_wait(bench->epoll, ready, 256, (int)left + 1);
        for (int k = 0; k < n; k++) {
            ssize_t size = recv(bench->fds[ready[k].data.u32], buffer, sizeof buffer, 0);
            const char *at = buffer;
            const char *end = size > 0 ? buffer + size : buffer;
            while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
                *positions += 1; /* one that is cut in two is not counted */
                at += sizeof mark - 1;
            }
            *bytes += size > 0 ? (double)size : 0;
        }
        left = until - ht_bench_now_ms();
    }
}

static void positions(struct bench *bench)
{
    enum { ROUNDS = 20 };
    char *text = malloc(1 << 20);
    int writer = connect_to(bench->port, 0);
    long now = (long)time(NULL) - 1000;
    double bytes = 0;
    double count = 0;
    if (text == NULL) {
        die("out of memory");
    }
    movers_make(writer, text);
    movers_move(writer, text, 0, now);
    subscribe(bench, WATCHERS, "positions");
    drain(bench, 2000, &bytes, &count);
    bytes = 0;
    count = 0;
    double cpu = server_cpu_ms(bench);
    double begun = ht_bench_now_ms();
    for (int round = 1; round <= ROUNDS; round++) {
        movers_move(writer, text, round, now + round);
        drain(bench, 200, &bytes, &count);
    }
    double seconds = (ht_bench_now_ms() - begun) / 1e3;
    cpu = (server_cpu_ms(bench) - cpu) / seconds / 10;
    (void)printf("%d subscribers of %d units that all move: %.0f positions/s, %.1f MB/s, "
                 "%.0f %% of a core\n",
                 WATCHERS, MOVERS, count / seconds, bytes / seconds / 1e6, cpu);
    ht_json_object(bench->json);
    ht_json_key_text(bench->json, "what", "positions");
    ht_json_key_int(bench->json, "subscribers", WATCHERS);
    ht_json_key_int(bench->json, "units", MOVERS);
    ht_json_key_double(bench->json, "positions_per_s", count / seconds, 0);
    ht_json_key_double(bench->json, "mb_per_s", bytes / seconds / 1e6, 2);
    ht_json_key_double(bench->json, "server_cpu_percent", cpu, 1);
    ht_json_object_end(bench->json);
    close_all(bench, WATCHERS);
    (void)close(writer);
    free(text);
}

/* ---- the run ---- */

static void prepare(struct bench *bench)
{
    const char *wanted = getenv("BENCH_SUBSCRIBERS");
    struct rlimit limit;
    char line[512];
    bench->count = wanted == NULL ? SUBSCRIBERS : (unsigned)strtoul(wanted, NULL, 10);
    bench->events = getenv("BENCH_FULL") != NULL ? EVENTS_MOST : 25;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < (rlim_t)bench->count + DESCRIPTORS_OWN) {
            bench->count = (unsigned)limit.rlim_cur - DESCRIPTORS_OWN;
            (void)printf("only %u descriptors are allowed\n", (unsigned)limit.rlim_cur);
        }
    }
    bench->fds = calloc(bench->count + WATCHERS, sizeof *bench->fds);
    bench->got = calloc(bench->count + WATCHERS, sizeof *bench->got);
    bench->at_ms = calloc(bench->count + WATCHERS, sizeof *bench->at_ms);
    bench->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bench->count == 0 || bench->fds == NULL || bench->got == NULL || bench->at_ms == NULL ||
        bench->epoll < 0 || mkdtemp(bench->folder) == NULL) {
        die("nothing to begin with");
    }
    (void)snprintf(line, sizeof line,
                   "'%s' sample -o %s > /dev/null 2>&1 && '%s' import %s/streets.osm.pbf -o "
                   "%s/town.hnet --profiles car > /dev/null 2>&1",
                   HT_BINARY, bench->folder, HT_BINARY, bench->folder, bench->folder);
    shell(line);
}

int main(int argc, char **argv)
{
    struct ht_buffer buffer = {0};
    struct ht_json json;
    struct bench bench = {.json = &json, .folder = "/tmp/houtao-bench-stream-XXXXXX"};
    char line[128];
    ht_json_begin(&json, &buffer);
    ht_json_array(&json);
    prepare(&bench);
    server_start(&bench);
    memory(&bench);
    events_to_all(&bench);
    close_all(&bench, bench.count);
    positions(&bench);
    child_stop(bench.server);
    bound(&bench, 1, "write() to sockets, 1 thread, ms");
    bound(&bench, 2, "write() to sockets, 2 threads, ms");
    ht_json_array_end(&json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)buffer.size, buffer.data);
        (void)fclose(out);
    }
    (void)snprintf(line, sizeof line, "rm -rf '%s'", bench.folder);
    shell(line);
    ht_buffer_deinit(&buffer);
    free(bench.fds);
    free(bench.got);
    free(bench.at_ms);
    return 0;
}
