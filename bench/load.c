#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 1 << 18,
    HEAD_MAX = 4096,
    START_MAX = 256, /* bytes of a body that can be expected */
    EVENTS_MAX = 256,
    /* Latencies in ns fall into 64 bands of a factor of two, 32 steps each: 3 % wide. */
    STEPS = 32,
    BANDS = 64,
};

struct connection {
    int fd;
    uint64_t sent_ns;
    size_t path;      /* next in the list */
    size_t body_size; /* bytes of the body seen so far, START_MAX at most */
    size_t head_size; /* bytes of the head seen so far */
    size_t body_left;
    bool in_body;
    char head[HEAD_MAX];
    char start[START_MAX + 1]; /* of the body, NUL behind */
};

struct load {
    const struct ht_load_options *options;
    struct ht_load_result *result;
    struct connection *connections;
    char **texts; /* of requests made from paths */
    struct ht_load_request *requests;
    size_t request_count;
    size_t waiting; /* connections with a request under way */
    int epoll;
    bool measuring;
    char *buffer;
    uint64_t histogram[BANDS * STEPS];
};

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t ht_load_cpu_us(int pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    char line[1024];
    size_t size = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[size] = '\0';
    /* Fields 14 and 15, counted from the one behind the name in parentheses, which is the third. */
    char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL) {
        return 0;
    }
    uint64_t user = strtoull(at, &at, 10);
    uint64_t system = strtoull(at, &at, 10);
    return (user + system) * 1000000U / (uint64_t)sysconf(_SC_CLK_TCK);
}

static size_t bucket_of(uint64_t ns)
{
    if (ns < STEPS) {
        return (size_t)ns;
    }
    unsigned band = 63U - (unsigned)__builtin_clzll(ns);
    return (size_t)(band - 4) * STEPS + (size_t)(ns >> (band - 5) & (STEPS - 1));
}

static double bucket_us(size_t bucket)
{
    if (bucket < STEPS) {
        return (double)bucket / 1000.0;
    }
    unsigned band = (unsigned)(bucket / STEPS) + 4;
    uint64_t low = ((uint64_t)STEPS + bucket % STEPS) << (band - 5);
    return ((double)low + (double)(UINT64_C(1) << (band - 5)) / 2) / 1000.0;
}

static double quantile_us(const struct load *load, double share)
{
    uint64_t want = (uint64_t)((double)load->result->requests * share);
    uint64_t seen = 0;
    for (size_t i = 0; i < (size_t)BANDS * STEPS; i++) {
        seen += load->histogram[i];
        if (seen > want) {
            return bucket_us(i);
        }
    }
    return 0;
}

static bool connection_open(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(load->options->port)};
    if (inet_pton(AF_INET, load->options->host, &address.sin_addr) != 1) {
        return false;
    }
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        return false;
    }
    int one = 1;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    connection->head_size = 0;
    connection->in_body = false;
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static bool request_send(struct load *load, struct connection *connection)
{
    size_t index = connection->path;
    if (load->options->once) {
        if (index >= load->request_count) {
            load->waiting--;
            return true;
        }
        connection->path = index + load->options->connections;
    } else {
        connection->path = (index + 1) % load->request_count;
    }
    connection->sent_ns = now_ns();
    const char *text = load->requests[index].bytes;
    size_t left = load->requests[index].size;
    while (left > 0) {
        ssize_t sent = send(connection->fd, text, left, MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        text += sent;
        left -= (size_t)sent;
    }
    return true;
}

static void strange_keep(struct ht_load_result *result, const struct connection *connection)
{
    if (result->not_ok == 0) {
        (void)snprintf(result->strange, sizeof result->strange, "%.3s %.*s", connection->head + 9,
                       (int)connection->body_size, connection->start);
    }
}

static void answer_count(struct load *load, const struct connection *connection)
{
    if (!load->measuring) {
        return;
    }
    uint64_t ns = now_ns() - connection->sent_ns;
    size_t bucket = bucket_of(ns);
    load->histogram[bucket]++;
    load->result->requests++;
    const char *expect = load->options->expect;
    size_t expected = expect == NULL ? 0 : strlen(expect);
    if (connection->head[9] != '2' || connection->body_size < expected ||
        memcmp(connection->start, expect == NULL ? "" : expect, expected) != 0) {
        strange_keep(load->result, connection);
        load->result->not_ok++;
    } else if (expect != NULL) {
        load->result->sum += strtoll(connection->start + expected, NULL, 10);
    }
    double us = (double)ns / 1000.0;
    if (us > load->result->max_us) {
        load->result->max_us = us;
    }
}

/* The Content-Length of a whole head, or -1. */
static long head_length(const struct connection *connection)
{
    const char *line = connection->head;
    const char *end = connection->head + connection->head_size;
    while (line < end) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        if (lf == NULL) {
            break;
        }
        if (lf - line > 15 && strncasecmp(line, "Content-Length:", 15) == 0) {
            return strtol(line + 15, NULL, 10);
        }
        line = lf + 1;
    }
    return -1;
}

static void body_start(struct connection *connection, const char *data, size_t size)
{
    size_t room = START_MAX - connection->body_size;
    size_t take = size < room ? size : room;
    memcpy(connection->start + connection->body_size, data, take);
    connection->body_size += take;
}

/* Takes the bytes of one read; false when the answer makes no sense. */
static bool answer_take(struct load *load, struct connection *connection, const char *data,
                        size_t size)
{
    while (size > 0) {
        if (!connection->in_body) {
            size_t room = HEAD_MAX - connection->head_size;
            size_t take = size < room ? size : room;
            size_t before = connection->head_size;
            memcpy(connection->head + before, data, take);
            size_t from = before < 3 ? 0 : before - 3;
            const char *end = memmem(connection->head + from, before + take - from, "\r\n\r\n", 4);
            if (end == NULL) {
                connection->head_size += take;
                return take == size && connection->head_size < HEAD_MAX;
            }
            connection->head_size = (size_t)(end - connection->head) + 4;
            long length = head_length(connection);
            if (length < 0 || connection->head_size < 16) {
                return false;
            }
            size_t used = connection->head_size - before;
            data += used;
            size -= used;
            connection->body_left = (size_t)length;
            connection->in_body = true;
            connection->body_size = 0;
        }
        size_t take = size < connection->body_left ? size : connection->body_left;
        body_start(connection, data, take);
        connection->body_left -= take;
        data += take;
        size -= take;
        if (connection->body_left == 0) {
            answer_count(load, connection);
            connection->in_body = false;
            connection->head_size = 0;
            if (!request_send(load, connection)) {
                return false;
            }
        }
    }
    return true;
}

static void connection_read(struct load *load, struct connection *connection)
{
    ssize_t got = recv(connection->fd, load->buffer, READ_SIZE, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got > 0) {
        load->result->bytes += load->measuring ? (uint64_t)got : 0;
        if (answer_take(load, connection, load->buffer, (size_t)got)) {
            return;
        }
    }
    load->result->failed++;
    (void)close(connection->fd);
    connection->fd = -1;
    if (connection_open(load, connection)) {
        (void)request_send(load, connection);
    }
}

static void run_for(struct load *load, double seconds)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    while (load->waiting > 0 && (load->options->once || now_ns() < end)) {
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, 100);
        for (int i = 0; i < count; i++) {
            connection_read(load, events[i].data.ptr);
        }
    }
}

static bool requests_make(struct load *load)
{
    const struct ht_load_options *options = load->options;
    size_t count = options->requests != NULL ? options->request_count : options->path_count;
    load->requests = calloc(count, sizeof *load->requests);
    load->texts = calloc(count, sizeof *load->texts);
    if (load->requests == NULL || load->texts == NULL) {
        return false;
    }
    load->request_count = count;
    if (options->requests != NULL) {
        memcpy(load->requests, options->requests, count * sizeof *load->requests);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        int size = asprintf(&load->texts[i], "GET %s HTTP/1.1\r\nHost: %s:%u\r\n\r\n",
                            options->paths[i], options->host, (unsigned)options->port);
        if (size < 0) {
            load->texts[i] = NULL;
            return false;
        }
        load->requests[i] = (struct ht_load_request){load->texts[i], (size_t)size};
    }
    return true;
}

static void load_free(struct load *load)
{
    for (unsigned i = 0; load->connections != NULL && i < load->options->connections; i++) {
        if (load->connections[i].fd >= 0) {
            (void)close(load->connections[i].fd);
        }
    }
    for (size_t i = 0; load->texts != NULL && i < load->request_count; i++) {
        free(load->texts[i]);
    }
    free(load->texts);
    free(load->requests);
    free(load->connections);
    free(load->buffer);
    if (load->epoll >= 0) {
        (void)close(load->epoll);
    }
    free(load);
}

static bool load_start(struct load *load, const char **why)
{
    const struct ht_load_options *options = load->options;
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc(options->connections, sizeof *load->connections);
    load->buffer = malloc(READ_SIZE);
    *why = "out of memory";
    if (load->epoll < 0 || load->connections == NULL || load->buffer == NULL ||
        !requests_make(load)) {
        return false;
    }
    for (unsigned i = 0; i < options->connections; i++) {
        load->connections[i].fd = -1;
    }
    *why = "can't connect";
    for (unsigned i = 0; i < options->connections; i++) {
        struct connection *connection = &load->connections[i];
        connection->path = options->once ? i : (size_t)i * 7919 % load->request_count;
        load->waiting++;
        if (!connection_open(load, connection) || !request_send(load, connection)) {
            return false;
        }
    }
    return true;
}

bool ht_load_run(const struct ht_load_options *options, struct ht_load_result *out,
                 const char **why)
{
    *out = (struct ht_load_result){0};
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL || options->path_count + options->request_count == 0 ||
        options->connections == 0) {
        *why = "nothing to send";
        free(load);
        return false;
    }
    load->options = options;
    load->result = out;
    load->epoll = -1;
    uint64_t cpu = options->pid > 0 ? ht_load_cpu_us(options->pid) : 0;
    uint64_t begin = now_ns();
    if (!load_start(load, why)) {
        load_free(load);
        return false;
    }
    if (!options->once) {
        run_for(load, options->seconds / 10);
        begin = now_ns();
        cpu = options->pid > 0 ? ht_load_cpu_us(options->pid) : 0;
    }
    load->measuring = true;
    run_for(load, options->seconds);
    out->seconds = (double)(now_ns() - begin) / 1e9;
    if (options->pid > 0 && out->requests > 0) {
        out->server_cpu_us = (double)(ht_load_cpu_us(options->pid) - cpu) / (double)out->requests;
    }
    out->rate = (double)out->requests / out->seconds;
    out->p50_us = quantile_us(load, 0.50);
    out->p90_us = quantile_us(load, 0.90);
    out->p99_us = quantile_us(load, 0.99);
    load_free(load);
    return true;
}

char **ht_load_paths(const char *file, size_t *count)
{
    FILE *in = fopen(file, "r");
    if (in == NULL) {
        return NULL;
    }
    char **paths = NULL;
    size_t capacity = 0;
    char *line = NULL;
    size_t line_capacity = 0;
    *count = 0;
    while (getline(&line, &line_capacity, in) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '/') {
            continue;
        }
        if (*count == capacity) {
            capacity = capacity == 0 ? 1024 : capacity * 2;
            char **grown = realloc(paths, capacity * sizeof *paths);
            if (grown == NULL) {
                break;
            }
            paths = grown;
        }
        paths[*count] = strdup(line);
        if (paths[*count] == NULL) {
            break;
        }
        (*count)++;
    }
    free(line);
    (void)fclose(in);
    return paths;
}

void ht_load_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; paths != NULL && i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}
