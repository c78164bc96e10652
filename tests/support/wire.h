/* A wire that can be cut: a process that hands on what comes to a port of the loopback to a Unix
 * socket, and back, until it is stopped. Stopped, it keeps its connections and lets nothing
 * through; the kernel goes on to take what is sent, and new connections. So those at its ends hear
 * neither an answer nor an error.
 *
 * Include it in one .c file per program. Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_WIRE_H
#define HT_TESTS_SUPPORT_WIRE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WIRE_PAIRS = 64, WIRE_CHUNK = 1 << 16 };

struct wire {
    pid_t pid;
    uint16_t port;
};

static inline int wire_far_end(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* What has come at one end goes to the other. False: that is over. */
static inline bool wire_hand_on(int from, int to)
{
    static char chunk[WIRE_CHUNK];
    ssize_t got = read(from, chunk, sizeof chunk);
    for (ssize_t sent = 0; sent < got;) {
        ssize_t part = write(to, chunk + sent, (size_t)(got - sent));
        if (part <= 0) {
            return false;
        }
        sent += part;
    }
    return got > 0;
}

/* The process, to its end. */
static inline void wire_run(int door, const char *path)
{
    static struct pollfd ends[1 + 2 * WIRE_PAIRS]; /* a pair is two neighbours */
    ends[0] = (struct pollfd){.fd = door, .events = POLLIN};
    for (int i = 1; i <= 2 * WIRE_PAIRS; i++) {
        ends[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    }
    while (poll(ends, 1 + 2 * WIRE_PAIRS, -1) > 0) {
        for (int i = 1; i <= 2 * WIRE_PAIRS; i++) {
            int other = i % 2 == 1 ? i + 1 : i - 1;
            if (ends[i].fd >= 0 && ends[i].revents != 0 &&
                !wire_hand_on(ends[i].fd, ends[other].fd)) {
                (void)close(ends[i].fd);
                (void)close(ends[other].fd);
                ends[i].fd = ends[other].fd = -1;
            }
        }
        int near = ends[0].revents != 0 ? accept(door, NULL, NULL) : -1;
        int far = near < 0 ? -1 : wire_far_end(path);
        int free_one = 1;
        while (free_one < 2 * WIRE_PAIRS && ends[free_one].fd >= 0) {
            free_one += 2;
        }
        if (far >= 0 && free_one < 2 * WIRE_PAIRS) {
            ends[free_one].fd = near;
            ends[free_one + 1].fd = far;
        } else if (near >= 0) {
            (void)close(near);
            (void)close(far);
        }
    }
}

/* To the Unix socket at `path`. */
static inline bool wire_begin(struct wire *wire, const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(door, (struct sockaddr *)&address, size) != 0 || listen(door, WIRE_PAIRS) != 0 ||
        getsockname(door, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    wire->port = ntohs(address.sin_port);
    (void)fflush(stdout);
    wire->pid = fork();
    if (wire->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        wire_run(door, path);
        _exit(1);
    }
    (void)close(door);
    return wire->pid > 0;
}

static inline void wire_cut(const struct wire *wire)
{
    (void)kill(wire->pid, SIGSTOP);
}

static inline void wire_mend(const struct wire *wire)
{
    (void)kill(wire->pid, SIGCONT);
}

static inline void wire_end(struct wire *wire)
{
    if (wire->pid > 0) {
        (void)kill(wire->pid, SIGKILL);
        (void)waitpid(wire->pid, NULL, 0);
        wire->pid = 0;
    }
}

#endif
