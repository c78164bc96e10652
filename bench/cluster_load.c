#include "bench/cluster_load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load.h"

enum { READ_S = 4, PLACES = 64, PATH = 160, ORDER_ROOM = 512, BATCH_ROOM = 6144 };

/* What one node is asked. */
struct share {
    struct ht_load_options options;
    struct ht_load_result result;
    const char *why;
    pthread_t thread;
    struct ht_load_request *requests;
    char *text;
};

static void *share_main(void *user)
{
    struct share *share = user;
    if (!ht_load_run(&share->options, &share->result, &share->why)) {
        return share;
    }
    return NULL;
}

static double cpu_us(const struct ht_bench_server *nodes, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        sum += (double)ht_load_cpu_us(nodes[i].pid);
    }
    return sum;
}

static struct ht_cluster_rate run(struct share *shares, const struct ht_bench_server *nodes,
                                  int count)
{
    struct ht_cluster_rate rate = {0};
    double asked = 0;
    double cpu = cpu_us(nodes, count);
    for (int i = 0; i < count; i++) {
        shares[i].options.host = "127.0.0.1";
        shares[i].options.port = nodes[i].port;
        shares[i].options.connections = HT_CLUSTER_LOAD_LINES;
        if (pthread_create(&shares[i].thread, NULL, share_main, &shares[i]) != 0) {
            ht_bench_die("no thread");
        }
    }
    for (int i = 0; i < count; i++) {
        void *wrong = NULL;
        const struct ht_load_result *result = &shares[i].result;
        (void)pthread_join(shares[i].thread, &wrong);
        if (wrong != NULL || result->failed > 0 || result->not_ok > 0) {
            ht_bench_die(wrong != NULL ? shares[i].why : result->strange);
        }
        asked += (double)result->requests;
        rate.per_s += result->rate;
        rate.p99_ms = result->p99_us / 1e3 > rate.p99_ms ? result->p99_us / 1e3 : rate.p99_ms;
    }
    rate.cpu_us = (cpu_us(nodes, count) - cpu) / asked;
    for (int i = 0; i < count; i++) {
        free(shares[i].requests);
        free(shares[i].text);
    }
    return rate;
}

struct ht_cluster_rate ht_cluster_reads(const struct ht_bench_server *nodes, int count)
{
    static char text[PLACES][PATH];
    char *paths[PLACES];
    struct share shares[HT_CLUSTER_LOAD_NODES] = {0};
    for (int i = 0; i < PLACES; i++) {
        int row = i / 8;
        (void)snprintf(text[i], PATH, "/route/v1/car/%.4f,29.950;%.4f,29.958?overview=false",
                       121.700 + i % 8 * 4e-3, 121.730 - row * 4e-3);
        paths[i] = text[i];
    }
    for (int i = 0; i < count; i++) {
        shares[i].options =
            (struct ht_load_options){.paths = paths, .path_count = PLACES, .seconds = READ_S};
    }
    return run(shares, nodes, count);
}

/* Room for `each` requests of a node, each sent once. */
static void share_begin(struct share *share, int each, size_t room)
{
    share->requests = calloc((size_t)each, sizeof *share->requests);
    share->text = calloc((size_t)each, room);
    if (share->requests == NULL || share->text == NULL) {
        ht_bench_die("out of memory");
    }
    share->options = (struct ht_load_options){
        .requests = share->requests, .request_count = (size_t)each, .once = true};
}

static void request_add(struct share *share, int number, size_t room, const char *path,
                        const char *body)
{
    char *text = share->text + (size_t)number * room;
    int size = snprintf(text, room,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        path, strlen(body), body);
    if (size < 0 || (size_t)size >= room) {
        ht_bench_die("a request is too long");
    }
    share->requests[number] = (struct ht_load_request){text, (size_t)size};
}

struct ht_cluster_rate ht_cluster_commands(const struct ht_bench_server *nodes, int count, int each,
                                           const char *mark)
{
    struct share shares[HT_CLUSTER_LOAD_NODES] = {0};
    for (int i = 0; i < count; i++) {
        share_begin(&shares[i], each, ORDER_ROOM);
        for (int k = 0; k < each; k++) {
            char body[ORDER_ROOM / 2];
            (void)snprintf(
                body, sizeof body,
                "{\"id\":\"%s-%d-%d\",\"lon\":%.6f,\"lat\":29.95,\"kitchen\":\"k1\","
                "\"load\":1,\"due\":[\"2099-01-01T04:00:00Z\",\"2099-01-01T05:00:00Z\"]}",
                mark, i, k, 121.71 + k % 1000 * 1e-5);
            request_add(&shares[i], k, ORDER_ROOM, "/v1/orders", body);
        }
    }
    return run(shares, nodes, count);
}

/* A batch of the units that one connection speaks of, a second after its batch before. */
static void batch_write(char *out, int first, int64_t at_s)
{
    size_t size = 0;
    for (int k = 0; k < HT_CLUSTER_LOAD_BATCH; k++) {
        size += (size_t)snprintf(out + size, BATCH_ROOM - size,
                                 "%s{\"unit\":\"u%d\",\"lon\":%.5f,\"lat\":29.95,\"ts\":%lld}",
                                 k == 0 ? "[" : ",", first + k,
                                 121.71 + (double)(at_s % 100) * 1e-5, (long long)at_s);
    }
    (void)snprintf(out + size, BATCH_ROOM - size, "]");
}

struct ht_cluster_rate ht_cluster_positions(const struct ht_bench_server *nodes, int count,
                                            int each)
{
    struct share shares[HT_CLUSTER_LOAD_NODES] = {0};
    static char body[BATCH_ROOM];
    int64_t begin_s = (int64_t)time(NULL) - each / HT_CLUSTER_LOAD_LINES - 1;
    for (int i = 0; i < count; i++) {
        share_begin(&shares[i], each, BATCH_ROOM + 256);
        for (int k = 0; k < each; k++) {
            int line = i * HT_CLUSTER_LOAD_LINES + k % HT_CLUSTER_LOAD_LINES;
            batch_write(body, line * HT_CLUSTER_LOAD_BATCH, begin_s + k / HT_CLUSTER_LOAD_LINES);
            request_add(&shares[i], k, BATCH_ROOM + 256, "/v1/positions", body);
        }
        shares[i].options.expect = "{\"accepted\":";
    }
    struct ht_cluster_rate rate = run(shares, nodes, count);
    for (int i = 0; i < count; i++) {
        if (shares[i].result.sum != (int64_t)each * HT_CLUSTER_LOAD_BATCH) {
            ht_bench_die("positions were refused");
        }
    }
    rate.per_s *= HT_CLUSTER_LOAD_BATCH;
    rate.cpu_us /= HT_CLUSTER_LOAD_BATCH;
    return rate;
}
