/* Who a webhook speaks to: a socket that listens, takes requests one by one, and answers as the
 * test likes.
 *
 * Include it in one .c file per program, after tests/support/check.h.
 * Threading: a receiver belongs to one thread.
 */
#ifndef HT_TESTS_SUPPORT_HOOK_RECEIVER_H
#define HT_TESTS_SUPPORT_HOOK_RECEIVER_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <time.h>

#include "tests/support/http_client.h"

struct receiver {
    int listener;
    uint16_t port;
    int fd; /* whose request waits for its answer; -1: none */
    char text[1 << 14];
    const char *body; /* within `text` */
};

static inline bool receiver_open(struct receiver *r)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->fd = -1;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(r->listener, (struct sockaddr *)&address, size) == 0 &&
                listen(r->listener, 8) == 0 &&
                getsockname(r->listener, (struct sockaddr *)&address, &size) == 0;
    r->port = ntohs(address.sin_port);
    return good;
}

static inline void receiver_close(struct receiver *r)
{
    if (r->fd >= 0) {
        (void)close(r->fd);
    }
    (void)close(r->listener);
}

static inline const char *header(const struct receiver *r, const char *name)
{
    static char value[512];
    size_t size = strlen(name);
    for (const char *line = strstr(r->text, "\r\n"); line != NULL && line < r->body;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':') {
            (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(line + 4 + size, "\r"),
                           line + 4 + size);
            return value;
        }
    }
    return NULL;
}

/* The next request, whole; false: none within `wait_ms`. */
static inline bool receive_within(struct receiver *r, int wait_ms)
{
    struct pollfd waits = {.fd = r->listener, .events = POLLIN};
    struct timeval limit = {.tv_sec = 30};
    size_t size = 0;
    size_t want = 0;
    if (poll(&waits, 1, wait_ms) != 1) {
        return false;
    }
    r->fd = accept(r->listener, NULL, NULL);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    r->body = NULL;
    while (r->body == NULL || size < want) {
        ssize_t got = recv(r->fd, r->text + size, sizeof r->text - 1 - size, 0);
        if (got <= 0) {
            (void)close(r->fd);
            r->fd = -1;
            return false;
        }
        size += (size_t)got;
        r->text[size] = '\0';
        const char *end = strstr(r->text, "\r\n\r\n");
        if (end != NULL && r->body == NULL) {
            r->body = end + 4;
            const char *length = header(r, "Content-Length");
            want = (size_t)(r->body - r->text) +
                   (length == NULL ? 0 : (size_t)strtoul(length, NULL, 10));
        }
    }
    return true;
}

static inline bool receive(struct receiver *r)
{
    return receive_within(r, 60000);
}

static inline void respond(struct receiver *r, const char *status)
{
    char text[128];
    int size = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    HT_CHECK(send(r->fd, text, (size_t)size, MSG_NOSIGNAL) == size);
    (void)close(r->fd);
    r->fd = -1;
}

/* Whether the signature is what OpenSSL's one-shot HMAC makes of time and body. */
static inline bool signed_with(const struct receiver *r, const char *secret)
{
    static char text[sizeof r->text + 32];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    char hex[65];
    char want[160];
    const char *given = header(r, "X-Houtao-Signature");
    long at = given == NULL || strncmp(given, "t=", 2) != 0 ? 0 : strtol(given + 2, NULL, 10);
    int size = snprintf(text, sizeof text, "%ld.%s", at, r->body);
    (void)HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, (size_t)size,
               mac, &mac_size);
    for (unsigned i = 0; i < mac_size; i++) {
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", mac[i]);
    }
    (void)snprintf(want, sizeof want, "t=%ld,v1=%s", at, hex);
    return given != NULL && strcmp(given, want) == 0 && labs(at - (long)time(NULL)) < 600;
}

#endif
