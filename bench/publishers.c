#include "bench/publishers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/server.h"

enum {
    UNDERWAY_MOST = 500, /* of a connection, not acknowledged */
    PACKET_MOST = 256,
    OUT_SIZE = UNDERWAY_MOST * PACKET_MOST,
    CONNACK = 2,
    PUBACK = 4,
};

struct ht_publisher {
    int fd;
    uint16_t packet; /* the last identifier */
    size_t underway;
    size_t out_size;
    size_t out_at;
    size_t in_size;
    uint8_t in[4096];
    uint8_t out[OUT_SIZE];
};

static int64_t unix_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static size_t put16(uint8_t *out, size_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return 2;
}

/* PUBLISH with QoS 1 and no properties; the length takes two bytes. */
static size_t publish_put(uint8_t *out, uint16_t packet, const char *topic, const char *payload)
{
    size_t topic_size = strlen(topic);
    size_t payload_size = strlen(payload);
    size_t rest = 2 + topic_size + 2 + 1 + payload_size;
    size_t at = 0;
    out[at++] = 0x32;
    out[at++] = (uint8_t)(0x80 | rest % 128);
    out[at++] = (uint8_t)(rest / 128);
    at += put16(out + at, topic_size);
    memcpy(out + at, topic, topic_size);
    at += topic_size;
    at += put16(out + at, packet);
    out[at++] = 0; /* properties */
    memcpy(out + at, payload, payload_size);
    return at + payload_size;
}

static void out_send(struct ht_publisher *p)
{
    while (p->out_at < p->out_size) {
        ssize_t sent =
            send(p->fd, p->out + p->out_at, p->out_size - p->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            ht_bench_die("the broker hung up");
        }
        if (sent < 0) {
            return;
        }
        p->out_at += (size_t)sent;
    }
    p->out_at = 0;
    p->out_size = 0;
}

/* The packets that are whole; returns how many are of a kind. */
static size_t in_take(struct ht_publisher *p, int kind)
{
    size_t count = 0;
    size_t at = 0;
    while (p->in_size - at >= 2 && p->in_size - at >= 2U + p->in[at + 1]) {
        if (p->in[at + 1] >= 128) {
            ht_bench_die("the broker says more than it has to");
        }
        count += p->in[at] >> 4 == kind;
        at += 2U + p->in[at + 1];
    }
    p->in_size -= at;
    memmove(p->in, p->in + at, p->in_size);
    return count;
}

static size_t in_read(struct ht_publisher *p, int kind, int flags)
{
    ssize_t got = recv(p->fd, p->in + p->in_size, sizeof p->in - p->in_size, flags);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        ht_bench_die("the broker hung up");
    }
    p->in_size += got > 0 ? (size_t)got : 0;
    return in_take(p, kind);
}

static void publisher_open(struct ht_publisher *p, uint16_t port, int number)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int one = 1;
    /* MQTT 5, a clean start, alive for 60 s, no properties, the id "benchN" */
    uint8_t hello[] = {0x10, 19,  0,    4,   'M', 'Q', 'T',
                       'T',  5,   0x02, 0,   60,  0,   0,
                       6,    'b', 'e',  'n', 'c', 'h', (uint8_t)('0' + number)};
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (p->fd < 0 || connect(p->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        send(p->fd, hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello) {
        ht_bench_die("the broker is not reached");
    }
    while (in_read(p, CONNACK, 0) == 0) {
    }
}

void ht_publishers_open(struct ht_publishers *publishers, uint16_t port, int count, size_t units)
{
    *publishers = (struct ht_publishers){.count = count, .units = units};
    publishers->list = calloc((size_t)count, sizeof *publishers->list);
    if (publishers->list == NULL) {
        ht_bench_die("out of memory");
    }
    for (int i = 0; i < count; i++) {
        publisher_open(&publishers->list[i], port, i);
    }
}

/* The next position, of the next unit; a unit keeps to one connection. False: it has to wait. */
static bool publish_one(struct ht_publishers *publishers, int64_t now_ms)
{
    size_t unit = publishers->sent % publishers->units;
    size_t round = publishers->sent / publishers->units % 100;
    struct ht_publisher *p = &publishers->list[unit % (size_t)publishers->count];
    char topic[48];
    char payload[128];
    if (p->underway == UNDERWAY_MOST || sizeof p->out - p->out_size < PACKET_MOST) {
        return false;
    }
    (void)snprintf(topic, sizeof topic, "houtao/positions/u%zu", unit);
    (void)snprintf(payload, sizeof payload,
                   "{\"lon\":121.7100%02zu,\"lat\":29.95,\"ts\":%lld,\"speed_mps\":5,"
                   "\"bearing_deg\":90,\"accuracy_m\":5}",
                   round, (long long)now_ms);
    p->packet = p->packet == UINT16_MAX ? 1 : (uint16_t)(p->packet + 1);
    p->out_size += publish_put(p->out + p->out_size, p->packet, topic, payload);
    p->underway++;
    publishers->sent++;
    return true;
}

void ht_publishers_run(struct ht_publishers *publishers, int rate, int seconds)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int64_t begun_ms = unix_ms();
    int64_t now_ms = begun_ms;
    size_t before = publishers->sent;
    while (now_ms - begun_ms < seconds * INT64_C(1000)) {
        size_t due = (size_t)((now_ms - begun_ms) * rate / 1000);
        while (publishers->sent - before < due && publish_one(publishers, now_ms)) {
        }
        for (int i = 0; i < publishers->count; i++) {
            struct ht_publisher *p = &publishers->list[i];
            out_send(p);
            size_t acknowledged = in_read(p, PUBACK, MSG_DONTWAIT);
            p->underway -= acknowledged;
            publishers->acknowledged += acknowledged;
        }
        (void)nanosleep(&pause, NULL);
        now_ms = unix_ms();
    }
    for (int i = 0; i < publishers->count; i++) { /* what is left */
        struct ht_publisher *p = &publishers->list[i];
        while (p->out_size > 0) {
            out_send(p);
            (void)nanosleep(&pause, NULL);
        }
        while (p->underway > 0) {
            size_t acknowledged = in_read(p, PUBACK, 0);
            p->underway -= acknowledged;
            publishers->acknowledged += acknowledged;
        }
    }
}

void ht_publishers_close(struct ht_publishers *publishers)
{
    for (int i = 0; i < publishers->count; i++) {
        (void)close(publishers->list[i].fd);
    }
    free(publishers->list);
}
