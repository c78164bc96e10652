/* Listening sockets: opened one for each loop, and closed without losing anybody. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_internal.h"

enum { BACKLOG = 1024 };

/* The address to listen on; false when the host is none. */
static bool address_of(const struct ht_http_server *server, struct sockaddr_storage *address,
                       socklen_t *size)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    *address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, server->options.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(server->port);
        *size = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, server->options.host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(server->port);
        *size = sizeof *v6;
        return true;
    }
    return false;
}

static enum ht_status listen_failed(const struct ht_http_server *server, int number,
                                    struct ht_error *error)
{
    char why[128];
    return ht_error_set(error, HT_IO, 0, "can't listen on %s port %u: %s", server->options.host,
                        (unsigned)server->port, strerror_r(number, why, sizeof why));
}

/* A listening socket of its own for each loop; the first fixes the port. */
enum ht_status ht__listen_open(struct ht_http_server *server, int *out, struct ht_error *error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    if (!address_of(server, &address, &size)) {
        return ht_error_set(error, HT_INVALID, 0, "%s is not an address", server->options.host);
    }
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *out = fd;
    /* TCP_NODELAY is inherited by what is accepted. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0) {
        return listen_failed(server, errno, error);
    }
    size = sizeof address;
    if (server->port == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        server->port =
            ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                               : ((struct sockaddr_in6 *)&address)->sin6_port);
    }
    return HT_OK;
}

/* SO_REUSEPORT lets a second server of the same user in unnoticed, and each would get half of the
 * requests: the port must be free for a socket that does not share. */
enum ht_status ht__port_check(const struct ht_http_server *server, struct ht_error *error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    if (server->port == 0 || !address_of(server, &address, &size)) {
        return HT_OK;
    }
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return listen_failed(server, errno, error);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool taken = bind(fd, (struct sockaddr *)&address, size) != 0 && errno == EADDRINUSE;
    (void)close(fd);
    return taken ? listen_failed(server, EADDRINUSE, error) : HT_OK;
}

/* From now on the kernel drops each SYN for this socket, so that none gets in between the last
 * accept and the close (which would reset it); handshakes that have begun still end. The client's
 * next try finds the port closed. Offset 13 of the TCP header holds the flags. */
void ht__listen_refuse_new(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
