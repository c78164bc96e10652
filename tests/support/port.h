/* Ports for servers that are told theirs before they start, or that start anew on it.
 *
 * A port that is free when one looks may be another program's when the server binds it. So one is
 * held: bound by a socket that never listens and whose SO_REUSEADDR is set after. Linux lets who
 * sets it too, as servers do, bind the same port and listen there, and gives the port to nobody who
 * wants any (inet_csk_bind_conflict). Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_PORT_H
#define HT_TESTS_SUPPORT_PORT_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* One of the loopback's that is this program's until it ends; 0: there is none. */
static inline uint16_t port_hold(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0;
    return good ? ntohs(address.sin_port) : 0;
}

#endif
