/* Listening sockets: opened one for each loop, and closed without losing anybody. */
#include <linux/filter.h>
#include <sys/socket.h>

#include "api/http_internal.h"
#include "api/listen.h"

enum ht_status ht__listen_open(struct ht_http_server *server, int *out, struct ht_error *error)
{
    return ht_listen_open(server->options.host, &server->port, out, error);
}

enum ht_status ht__port_check(const struct ht_http_server *server, struct ht_error *error)
{
    return server->options.shares_port ? HT_OK
                                       : ht_listen_check(server->options.host, server->port, error);
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
