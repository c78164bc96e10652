#include "bench/redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 200, POINT_ROOM = 160, ANSWER_ROOM = 1 << 16 };

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A port that was free a moment ago; 0: none. */
static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return bound ? ntohs(address.sin_port) : 0;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void server_exec(uint16_t port)
{
    char text[16];
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)snprintf(text, sizeof text, "%u", (unsigned)port);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)execlp("redis-server", "redis-server", "--port", text, "--bind", "127.0.0.1", "--save",
                 "", "--appendonly", "no", (char *)NULL);
    _exit(127);
}

bool ht_redis_start(struct ht_redis *redis)
{
    uint16_t port = free_port();
    *redis = (struct ht_redis){.fds = {-1, -1, -1, -1}};
    (void)fflush(stdout);
    redis->pid = port == 0 ? -1 : fork();
    if (redis->pid == 0) {
        server_exec(port);
    }
    for (int i = 0; redis->pid > 0 && i < TRIES && redis->fds[0] < 0; i++) {
        if (waitpid(redis->pid, NULL, WNOHANG) != 0) {
            redis->pid = 0; /* not installed */
            return false;
        }
        const struct timespec nap = {0, 20000000};
        (void)nanosleep(&nap, NULL);
        redis->fds[0] = connect_to(port);
    }
    for (int i = 1; i < HT_REDIS_CONNECTIONS && redis->fds[0] >= 0; i++) {
        redis->fds[i] = connect_to(port);
    }
    if (redis->pid > 0 && redis->fds[HT_REDIS_CONNECTIONS - 1] < 0) {
        ht_redis_stop(redis);
    }
    return redis->pid > 0;
}

void ht_redis_stop(struct ht_redis *redis)
{
    for (int i = 0; i < HT_REDIS_CONNECTIONS; i++) {
        if (redis->fds[i] >= 0) {
            (void)close(redis->fds[i]);
        }
    }
    if (redis->pid > 0) {
        (void)kill(redis->pid, SIGTERM);
        (void)waitpid(redis->pid, NULL, 0);
    }
    *redis = (struct ht_redis){.fds = {-1, -1, -1, -1}};
}

static bool send_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        text += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Takes lines of answers until `lines` of them came; false where one is an error. */
static bool answers_read(int fd, size_t lines)
{
    char text[4096];
    bool begins = true;
    while (lines > 0) {
        ssize_t got = recv(fd, text, sizeof text, 0);
        if (got <= 0) {
            return false;
        }
        for (ssize_t i = 0; i < got; i++) {
            if (begins && text[i] == '-') {
                return false;
            }
            begins = text[i] == '\n';
            lines -= begins && lines > 0 ? 1 : 0;
        }
    }
    return true;
}

static size_t bulk_write(char *out, const char *text)
{
    return (size_t)sprintf(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static size_t point_write(char *out, const struct ht_redis_point *point)
{
    char text[32];
    size_t size = 0;
    (void)snprintf(text, sizeof text, "%.7f", point->lon_deg);
    size += bulk_write(out + size, text);
    (void)snprintf(text, sizeof text, "%.7f", point->lat_deg);
    size += bulk_write(out + size, text);
    (void)snprintf(text, sizeof text, "v%05u", point->unit);
    return size + bulk_write(out + size, text);
}

static size_t batch_write(char *out, const struct ht_redis_point *points, size_t batch, bool many)
{
    static const char add[] = "$6\r\nGEOADD\r\n$5\r\nunits\r\n";
    size_t size = 0;
    for (size_t i = 0; i < batch; i++) {
        if (i == 0 || !many) {
            size += (size_t)sprintf(out + size, "*%zu\r\n%s", many ? 2 + batch * 3 : 5, add);
        }
        size += point_write(out + size, &points[i]);
    }
    return size;
}

double ht_redis_add(struct ht_redis *redis, const struct ht_redis_point *points, size_t count,
                    size_t batch, bool many)
{
    size_t batches = count / batch;
    size_t lines = many ? 1 : batch;
    char *text = malloc(count * POINT_ROOM + 1);
    size_t *ends = calloc(batches + 1, sizeof *ends);
    bool well = text != NULL && ends != NULL;
    for (size_t i = 0; well && i < batches; i++) {
        ends[i + 1] = ends[i] + batch_write(text + ends[i], points + i * batch, batch, many);
    }
    double begin = now_s();
    for (size_t i = 0; well && i < batches + HT_REDIS_CONNECTIONS; i++) {
        int fd = redis->fds[i % HT_REDIS_CONNECTIONS];
        well = i < HT_REDIS_CONNECTIONS || i - HT_REDIS_CONNECTIONS >= batches ||
               answers_read(fd, lines);
        if (well && i < batches) {
            well = send_all(fd, text + ends[i], ends[i + 1] - ends[i]);
        }
    }
    double spent = now_s() - begin;
    free(text);
    free(ends);
    return well ? spent : -1;
}

double ht_redis_near(struct ht_redis *redis, double lon_deg, double lat_deg, double radius_m)
{
    char text[512];
    char number[32];
    size_t size =
        (size_t)sprintf(text, "*12\r\n$9\r\nGEOSEARCH\r\n$5\r\nunits\r\n$10\r\nFROMLONLAT\r\n");
    (void)snprintf(number, sizeof number, "%.7f", lon_deg);
    size += bulk_write(text + size, number);
    (void)snprintf(number, sizeof number, "%.7f", lat_deg);
    size += bulk_write(text + size, number);
    size += bulk_write(text + size, "BYRADIUS");
    (void)snprintf(number, sizeof number, "%.0f", radius_m);
    size += bulk_write(text + size, number);
    size += bulk_write(text + size, "m");
    size += bulk_write(text + size, "ASC");
    size += bulk_write(text + size, "COUNT");
    size += bulk_write(text + size, "10");
    size += bulk_write(text + size, "WITHDIST");
    double begin = now_s();
    if (!send_all(redis->fds[0], text, size)) {
        return -1;
    }
    /* "*N", and for each "*2", "$n", the name, "$n", the distance. */
    char answer[ANSWER_ROOM];
    size_t have = 0;
    size_t want = 1;
    size_t lines = 0;
    size_t seen = 0;
    while (lines < want) {
        ssize_t got = recv(redis->fds[0], answer + have, sizeof answer - 1 - have, 0);
        if (got <= 0 || answer[0] != '*') {
            return -1;
        }
        have += (size_t)got;
        answer[have] = '\0';
        for (; seen < have; seen++) {
            lines += answer[seen] == '\n';
        }
        want = lines == 0 ? 1 : 1 + 5 * strtoul(answer + 1, NULL, 10);
    }
    return now_s() - begin;
}
