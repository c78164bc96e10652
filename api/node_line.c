#include "api/node_line.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECT_MS = 2000,
    SLICE_MS = 200,       /* after which it is looked whether it is the desk still */
    PATIENCE_MS = 120000, /* for what is sent to be taken */
    IDLE_MS = 15000,      /* a connection that rested longer may be closed at the other end */
    HEAD_MOST = 64 * 1024,
    HOST_SIZE = HT_NODE_URL,
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void ht_node_lines_init(struct ht_node_lines *lines, struct ht_node *node)
{
    *lines = (struct ht_node_lines){.node = node};
    (void)pthread_mutex_init(&lines->lock, NULL);
}

void ht_node_lines_deinit(struct ht_node_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        (void)close(lines->list[i].fd);
    }
    (void)pthread_mutex_destroy(&lines->lock);
}

/* ---- connections ---- */

/* "http://HOST:PORT" in parts; HOST may be in brackets. */
static bool url_split(const char *url, char host[HOST_SIZE], char port[8])
{
    const char *begin = strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
    const char *colon = begin == NULL ? NULL : strrchr(begin, ':');
    if (colon == NULL || colon == begin || strlen(colon + 1) > 5) {
        return false;
    }
    size_t size = (size_t)(colon - begin);
    bool v6 = begin[0] == '[' && begin[size - 1] == ']';
    memcpy(host, v6 ? begin + 1 : begin, v6 ? size - 2 : size);
    host[v6 ? size - 2 : size] = '\0';
    (void)snprintf(port, 8, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    return true;
}

static int connect_to(const struct addrinfo *at)
{
    int one = 1;
    int wrong = 0;
    socklen_t size = sizeof wrong;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct pollfd end = {.fd = fd, .events = POLLOUT};
    bool good = connect(fd, at->ai_addr, at->ai_addrlen) == 0 ||
                (poll(&end, 1, CONNECT_MS) == 1 &&
                 getsockopt(fd, SOL_SOCKET, SO_ERROR, &wrong, &size) == 0 && wrong == 0);
    if (!good) {
        (void)close(fd);
    }
    return good ? fd : -1;
}

static int line_new(const char *url)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char host[HOST_SIZE];
    char port[8];
    int fd = -1;
    if (!url_split(url, host, port) || getaddrinfo(host, port, &hints, &list) != 0) {
        return -1;
    }
    for (const struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next) {
        fd = connect_to(at);
    }
    freeaddrinfo(list);
    return fd;
}

int ht_node_line_take(struct ht_node_lines *lines, const char *url)
{
    int fd = -1;
    (void)pthread_mutex_lock(&lines->lock);
    while (fd < 0 && lines->count > 0) {
        const struct ht_node_line *line = &lines->list[--lines->count];
        struct pollfd end = {.fd = line->fd, .events = POLLIN};
        if (strcmp(line->url, url) == 0 && steady_ms() - line->rested_ms < IDLE_MS &&
            poll(&end, 1, 0) == 0) {
            fd = line->fd;
        } else {
            (void)close(line->fd);
        }
    }
    (void)pthread_mutex_unlock(&lines->lock);
    return fd < 0 ? line_new(url) : fd;
}

void ht_node_line_rest(struct ht_node_lines *lines, int fd, const char *url)
{
    (void)pthread_mutex_lock(&lines->lock);
    if (lines->count < HT_NODE_LINES) {
        struct ht_node_line *line = &lines->list[lines->count++];
        line->fd = fd;
        line->rested_ms = steady_ms();
        (void)snprintf(line->url, sizeof line->url, "%s", url);
        fd = -1;
    }
    (void)pthread_mutex_unlock(&lines->lock);
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* ---- question and answer ---- */

/* Waits for a socket while the desk is the one that was asked. */
static bool line_wait(const struct ht_node_lines *lines, int fd, short events,
                      const struct ht_node_state *desk, int64_t until_ms)
{
    struct pollfd end = {.fd = fd, .events = events};
    while (!atomic_load(&lines->stop) && steady_ms() < until_ms) {
        if (poll(&end, 1, SLICE_MS) > 0) {
            return true;
        }
        const struct ht_node_state now = ht_node_get(lines->node);
        if (now.epoch != desk->epoch || strcmp(now.url, desk->url) != 0) {
            return false;
        }
    }
    return false;
}

bool ht_node_line_send(const struct ht_node_lines *lines, int fd, const struct ht_node_state *desk,
                       const char *bytes, size_t size)
{
    int64_t until_ms = steady_ms() + PATIENCE_MS;
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if (!line_wait(lines, fd, POLLOUT, desk, until_ms)) {
            return false;
        }
    }
    return true;
}

/* Adds what comes next. False: it ended, or took too long. */
static bool more(const struct ht_node_lines *lines, int fd, const struct ht_node_state *desk,
                 int64_t until_ms, struct ht_buffer *in)
{
    char *room = ht_buffer_reserve(in, 16 * 1024);
    if (room == NULL || !line_wait(lines, fd, POLLIN, desk, until_ms)) {
        return false;
    }
    ssize_t got = recv(fd, room, 16 * 1024, 0);
    ht_buffer_advance(in, got > 0 ? (size_t)got : 0);
    return got > 0;
}

const char *ht_node_header(const char *begin, const char *end, const char *name, size_t *size)
{
    size_t length = strlen(name);
    for (const char *line = begin; line < end;) {
        const char *next = memmem(line, (size_t)(end - line), "\r\n", 2);
        next = next == NULL ? end : next;
        if ((size_t)(next - line) > length && line[length] == ':' &&
            strncasecmp(line, name, length) == 0) {
            const char *value = line + length + 1;
            while (value < next && *value == ' ') {
                value++;
            }
            *size = (size_t)(next - value);
            return value;
        }
        line = next + 2;
    }
    return NULL;
}

bool ht_node_answer_read(const struct ht_node_lines *lines, int fd,
                         const struct ht_node_state *desk, int64_t patience_ms,
                         struct ht_buffer *in, struct ht_node_answer *out)
{
    int64_t until_ms = steady_ms() + patience_ms;
    const char *end = NULL;
    while (in->size == 0 || (end = memmem(in->data, in->size, "\r\n\r\n", 4)) == NULL) {
        if (in->size > HEAD_MOST || !more(lines, fd, desk, until_ms, in)) {
            return false;
        }
    }
    size_t head = (size_t)(end - in->data);
    if (head < 12 || strncmp(in->data, "HTTP/1.1 ", 9) != 0) {
        return false;
    }
    size_t size = 0;
    int status = (int)strtol(in->data + 9, NULL, 10);
    const char *length = ht_node_header(in->data, end, "content-length", &size);
    size_t body = length == NULL ? 0 : strtoul(length, NULL, 10);
    while (in->size < head + 4 + body) {
        if (!more(lines, fd, desk, until_ms, in)) {
            return false;
        }
    }
    const char *first = memmem(in->data, head, "\r\n", 2);
    end = in->data + head;
    const char *connection = ht_node_header(in->data, end, "connection", &size);
    *out = (struct ht_node_answer){.status = status,
                                   .open = connection == NULL ||
                                           strncasecmp(connection, "close", 5) != 0,
                                   .head = first == NULL ? end : first + 2,
                                   .head_end = end,
                                   .body = in->data + head + 4,
                                   .body_size = body};
    return status >= 200;
}
