#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* The address to listen on; false when the host is none. */
static bool address_of(const char *host, uint16_t port, struct sockaddr_storage *address,
                       socklen_t *size)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    *address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *size = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *size = sizeof *v6;
        return true;
    }
    return false;
}

static enum ht_status listen_failed(const char *host, uint16_t port, int number,
                                    struct ht_error *error)
{
    char why[128];
    return ht_error_set(error, HT_IO, 0, "can't listen on %s port %u: %s", host, (unsigned)port,
                        strerror_r(number, why, sizeof why));
}

enum ht_status ht_listen_open(const char *host, uint16_t *port, int *out, struct ht_error *error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    if (!address_of(host, *port, &address, &size)) {
        return ht_error_set(error, HT_INVALID, 0, "%s is not an address", host);
    }
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *out = fd;
    /* TCP_NODELAY is inherited by what is accepted. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0) {
        return listen_failed(host, *port, errno, error);
    }
    size = sizeof address;
    if (*port == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                   : ((struct sockaddr_in6 *)&address)->sin6_port);
    }
    return HT_OK;
}

enum ht_status ht_listen_check(const char *host, uint16_t port, struct ht_error *error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    if (port == 0 || !address_of(host, port, &address, &size)) {
        return HT_OK;
    }
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return listen_failed(host, port, errno, error);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool taken = bind(fd, (struct sockaddr *)&address, size) != 0 && errno == EADDRINUSE;
    (void)close(fd);
    return taken ? listen_failed(host, port, EADDRINUSE, error) : HT_OK;
}
