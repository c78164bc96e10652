/* A blocking HTTP client for tests: raw bytes out, whole answers in.
 *
 * Include it in one .c file per program, after tests/support/check.h. Reads give up after thirty
 * seconds, under a sanitizer after four times as long.
 */
#ifndef HT_TESTS_SUPPORT_HTTP_CLIENT_H
#define HT_TESTS_SUPPORT_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { HT_CLIENT_WAIT_S = 120 };
#else
enum { HT_CLIENT_WAIT_S = 30 };
#endif

enum { HT_CLIENT_BUFFER = 1 << 16 };

struct ht_client {
    int fd;
    size_t have; /* bytes of `buffer` that belong to the next answer */
    char buffer[HT_CLIENT_BUFFER];
};

struct ht_answer {
    int status; /* 0: the connection ended; -1: it was reset or nothing came */
    char head[4096];
    char *body; /* NUL behind it; free it with ht_answer_free */
    size_t size;
};

static inline int ht_client_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = HT_CLIENT_WAIT_S};
    int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static inline bool ht_client_connect(int fd, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static inline bool ht_client_open(struct ht_client *client, uint16_t port)
{
    client->fd = ht_client_socket();
    client->have = 0;
    return ht_client_connect(client->fd, port);
}

static inline void ht_client_close(struct ht_client *client)
{
    (void)close(client->fd);
    client->fd = -1;
}

static inline bool ht_client_send(struct ht_client *client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static inline bool ht_client_text(struct ht_client *client, const char *text)
{
    return ht_client_send(client, text, strlen(text));
}

/* More bytes behind those there; false at the end, with `*why` as ht_answer.status. */
static inline bool ht_client_fill(struct ht_client *client, int *why)
{
    ssize_t got =
        recv(client->fd, client->buffer + client->have, HT_CLIENT_BUFFER - client->have, 0);
    if (got <= 0) {
        *why = got == 0 ? 0 : -1;
        return false;
    }
    client->have += (size_t)got;
    return true;
}

static inline void ht_client_drop(struct ht_client *client, size_t size)
{
    memmove(client->buffer, client->buffer + size, client->have - size);
    client->have -= size;
}

static inline void ht_answer_free(struct ht_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

/* The value of a header in the answer, or NULL; good until the next call. */
static inline const char *ht_answer_header(const struct ht_answer *answer, const char *name)
{
    static _Thread_local char value[1024];
    size_t size = strlen(name);
    for (const char *line = answer->head; line != NULL; line = strstr(line, "\r\n")) {
        line += line == answer->head ? 0 : 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':') {
            size_t length = strcspn(line + size + 2, "\r");
            length = length < sizeof value - 1 ? length : sizeof value - 1;
            memcpy(value, line + size + 2, length);
            value[length] = '\0';
            return value;
        }
    }
    return NULL;
}

static inline void ht_client_body(struct ht_client *client, struct ht_answer *answer)
{
    size_t done = client->have < answer->size ? client->have : answer->size;
    memcpy(answer->body, client->buffer, done);
    ht_client_drop(client, done);
    while (done < answer->size) {
        ssize_t got = recv(client->fd, answer->body + done, answer->size - done, 0);
        if (got <= 0) {
            answer->status = -1;
            return;
        }
        done += (size_t)got;
    }
}

/* The next answer. `head_only`: it belongs to a HEAD request. Gives back its status. */
static inline int ht_client_read(struct ht_client *client, struct ht_answer *answer, bool head_only)
{
    memset(answer, 0, sizeof *answer);
    const char *end = NULL;
    while (client->have < 4 ||
           (end = memmem(client->buffer, client->have, "\r\n\r\n", 4)) == NULL) {
        if (!ht_client_fill(client, &answer->status)) {
            return answer->status;
        }
    }
    size_t size = (size_t)(end - client->buffer);
    if (size >= sizeof answer->head) {
        answer->status = -1;
        return -1;
    }
    memcpy(answer->head, client->buffer, size);
    ht_client_drop(client, size + 4);
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    const char *length = ht_answer_header(answer, "Content-Length");
    answer->size = length == NULL ? 0 : (size_t)strtoull(length, NULL, 10);
    answer->body = calloc(answer->size + 1, 1);
    if (answer->body != NULL && !head_only) {
        ht_client_body(client, answer);
    }
    return answer->status;
}

/* Sends and reads one; the body is dropped. */
static inline int ht_client_status(struct ht_client *client, const char *request)
{
    struct ht_answer answer;
    if (!ht_client_text(client, request)) {
        return -1;
    }
    int status = ht_client_read(client, &answer, false);
    ht_answer_free(&answer);
    return status;
}

#endif
