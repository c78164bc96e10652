/* Moving: nanoseconds of an update, and of near questions while points move.
 *
 *   bench_moving [RESULT.json [POINTS [MOVES_A_SECOND]]]
 *
 * 1,000,000 points in a town of 40 x 40 km, a third of them evenly spread, the rest crowded around
 * 56 compounds. Moves are steps of 1 to 20 m. While a thread of its own keeps the rate, this one
 * asks for the 10 nearest, at points spread as the others are; each question is timed alone and
 * contains the clock's 25 ns. Then Redis and PostGIS, where they are installed, on the same points,
 * which stand still for them: GEOSEARCH wants a radius, 300 m finds nearly always 10.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "bench/redis.h"
#include "bench/server.h"
#include "engine/live/moving.h"

enum { COMPOUNDS = 56, ASKS = 200000, PEER_ASKS = 2000 };

static const struct ht_box town = {{1213000000, 298000000}, {1217000000, 301600000}};

struct bench {
    struct ht_moving *moving;
    uint32_t count;
    double rate;
    struct ht_point compounds[COMPOUNDS];
    atomic_bool stop;
    uint64_t moved;
};

static double clock_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double now_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static struct ht_point somewhere(const struct bench *b, uint64_t *state)
{
    if (random_next(state) % 3 == 0) {
        return (struct ht_point){
            town.min.lon_e7 +
                (int32_t)(random_unit(state) * (double)(town.max.lon_e7 - town.min.lon_e7)),
            town.min.lat_e7 +
                (int32_t)(random_unit(state) * (double)(town.max.lat_e7 - town.min.lat_e7))};
    }
    struct ht_point p = b->compounds[(random_next(state) >> 32) % COMPOUNDS];
    double far = sqrt(-2 * log(1 - random_unit(state))) * 50000; /* 500 m */
    double angle = random_unit(state) * 6.283185307179586;
    p.lon_e7 += (int32_t)(far * cos(angle));
    p.lat_e7 += (int32_t)(far * sin(angle));
    return p;
}

static void step(const struct bench *b, uint64_t *state)
{
    uint32_t id = (uint32_t)(random_next(state) >> 32) % b->count;
    struct ht_point p = {0, 0};
    if (ht_moving_get(b->moving, id, &p)) {
        p.lon_e7 += (int32_t)(random_unit(state) * 4000) - 2000;
        p.lat_e7 += (int32_t)(random_unit(state) * 4000) - 2000;
        if (ht_moving_set(b->moving, id, p) != HT_OK) {
            (void)fprintf(stderr, "bench_moving: a point left the globe\n");
        }
    }
}

static void *keep_moving(void *user)
{
    struct bench *b = user;
    uint64_t state = 4711;
    double begin = now_s();
    while (!atomic_load(&b->stop)) {
        uint64_t due = (uint64_t)((now_s() - begin) * b->rate);
        while (b->moved < due) {
            step(b, &state);
            b->moved++;
        }
        struct timespec nap = {0, 500000};
        (void)nanosleep(&nap, NULL);
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct figures {
    double mean_ns;
    double p50_ns;
    double p99_ns;
    double max_ns;
    double cpu_p99_ns; /* of the thread's own time, with its clock's 0.5 us */
    double moved_per_s;
};

static struct figures ask_all(struct bench *b, struct ht_moving_work *work, double *ns, bool move)
{
    static double cpu_ns[ASKS];
    struct figures f = {0};
    pthread_t mover;
    uint64_t state = 99;
    atomic_store(&b->stop, false);
    b->moved = 0;
    if (move && pthread_create(&mover, NULL, keep_moving, b) != 0) {
        return f;
    }
    double all = now_s();
    for (int i = 0; i < ASKS; i++) {
        const struct ht_moving_hit *hits = NULL;
        uint32_t found = 0;
        struct ht_moving_ask ask = {.center = somewhere(b, &state), .k = 10, .radius_m = -1};
        double cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
        double begin = now_s();
        if (ht_moving_near(b->moving, work, &ask, &hits, &found) != HT_OK || found != 10) {
            (void)fprintf(stderr, "bench_moving: %u found\n", found);
        }
        ns[i] = (now_s() - begin) * 1e9;
        cpu_ns[i] = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e9;
        f.mean_ns += ns[i] / ASKS;
    }
    atomic_store(&b->stop, true);
    if (move) {
        (void)pthread_join(mover, NULL);
        f.moved_per_s = (double)b->moved / (now_s() - all);
    }
    qsort(ns, ASKS, sizeof *ns, by_value);
    f.p50_ns = ns[ASKS / 2];
    f.p99_ns = ns[ASKS / 100 * 99];
    f.max_ns = ns[ASKS - 1];
    qsort(cpu_ns, ASKS, sizeof *cpu_ns, by_value);
    f.cpu_p99_ns = cpu_ns[ASKS / 100 * 99];
    return f;
}

/* What another one did; 0: it is not installed. */
struct peer {
    double p50_us;
    double p99_us;
    double moves_per_s;
};

static struct peer ask_redis(struct bench *b, double *ns)
{
    struct peer peer = {0};
    struct ht_redis redis;
    uint64_t state = 99;
    struct ht_redis_point *points = calloc(b->count, sizeof *points);
    uint32_t count = b->count / 500 * 500;
    if (points == NULL || !ht_redis_start(&redis)) {
        free(points);
        return peer;
    }
    for (uint32_t id = 0; id < count; id++) {
        struct ht_point p = {0, 0};
        (void)ht_moving_get(b->moving, id, &p);
        points[id] = (struct ht_redis_point){p.lon_e7 * 1e-7, p.lat_e7 * 1e-7, id};
    }
    double first_s = ht_redis_add(&redis, points, count, 500, false);
    uint32_t moves = count / 5 / 500 * 500;
    double spent_s = ht_redis_add(&redis, points, moves, 500, false);
    peer.moves_per_s = first_s < 0 || spent_s <= 0 ? 0 : (double)moves / spent_s;
    for (int i = 0; i < PEER_ASKS; i++) {
        struct ht_point p = somewhere(b, &state);
        ns[i] = ht_redis_near(&redis, p.lon_e7 * 1e-7, p.lat_e7 * 1e-7, 300) * 1e9;
    }
    qsort(ns, PEER_ASKS, sizeof *ns, by_value);
    peer.p50_us = ns[PEER_ASKS / 2] / 1e3;
    peer.p99_us = ns[PEER_ASKS / 100 * 99] / 1e3;
    free(points);
    ht_redis_stop(&redis);
    return peer;
}

static bool points_write(struct bench *b, const char *path, uint32_t count, bool asks)
{
    uint64_t state = 99;
    FILE *out = fopen(path, "w");
    for (uint32_t i = 0; out != NULL && i < count; i++) {
        struct ht_point p = {0, 0};
        if (asks) {
            p = somewhere(b, &state);
        } else {
            (void)ht_moving_get(b->moving, i, &p);
        }
        (void)fprintf(out, "%.7f %.7f\n", p.lon_e7 * 1e-7, p.lat_e7 * 1e-7);
    }
    return out != NULL && fclose(out) == 0;
}

static struct peer ask_postgis(struct bench *b)
{
    char points[512];
    char asks[512];
    char command[2048];
    char line[128];
    struct peer peer = {0};
    ht_bench_scratch(points, sizeof points, "points");
    ht_bench_scratch(asks, sizeof asks, "asks");
    if (points_write(b, points, b->count, false) && points_write(b, asks, PEER_ASKS, true)) {
        (void)fflush(stdout);
        (void)snprintf(command, sizeof command, "%s/bench/peers/postgis '%s' '%s'", HT_SOURCE_DIR,
                       points, asks);
        FILE *in = popen(command, "r"); // NOLINT(cert-env33-c): our own script, our own paths
        while (in != NULL && fgets(line, sizeof line, in) != NULL) {
            const char *value = strchr(line, ' ');
            double number = value == NULL ? 0 : strtod(value, NULL);
            peer.p50_us = strncmp(line, "near_p50_us", 11) == 0 ? number : peer.p50_us;
            peer.p99_us = strncmp(line, "near_p99_us", 11) == 0 ? number : peer.p99_us;
            peer.moves_per_s = strncmp(line, "update_per_s", 12) == 0 ? number : peer.moves_per_s;
        }
        if (in != NULL) {
            (void)pclose(in);
        }
    }
    (void)remove(points);
    (void)remove(asks);
    return peer;
}

static void peer_print(const char *name, const struct peer *peer, FILE *json)
{
    if (peer->p50_us <= 0) {
        (void)printf("%s: not installed\n", name);
        return;
    }
    (void)printf("%-8s near 10, still: p50 %9.1f us  p99 %9.1f us   %9.0f moves a second\n", name,
                 peer->p50_us, peer->p99_us, peer->moves_per_s);
    if (json != NULL) {
        (void)fprintf(json, ",\"%s\":{\"p50_us\":%.1f,\"p99_us\":%.1f,\"moves_per_s\":%.0f}", name,
                      peer->p50_us, peer->p99_us, peer->moves_per_s);
    }
}

static int run(struct bench *b, const char *json_path, struct ht_moving_work *work, double *ns)
{
    uint64_t state = 1;
    for (int i = 0; i < COMPOUNDS; i++) {
        b->compounds[i] =
            (struct ht_point){town.min.lon_e7 + 200000 + (int32_t)(random_unit(&state) * 3600000),
                              town.min.lat_e7 + 200000 + (int32_t)(random_unit(&state) * 3200000)};
    }
    double begin = now_s();
    for (uint32_t id = 0; id < b->count; id++) {
        if (ht_moving_set(b->moving, id, somewhere(b, &state)) != HT_OK) {
            return 1;
        }
    }
    double fill_ns = (now_s() - begin) * 1e9 / b->count;
    begin = now_s();
    for (int i = 0; i < 1000000; i++) {
        step(b, &state);
    }
    double step_ns = (now_s() - begin) * 1e3;
    struct figures still = ask_all(b, work, ns, false);
    struct figures moving = ask_all(b, work, ns, true);
    double bytes = (double)ht_moving_bytes(b->moving) / b->count;
    (void)printf("%u points, %.1f bytes each; put in: %.0f ns, step: %.0f ns\n", b->count, bytes,
                 fill_ns, step_ns);
    (void)printf("near 10, still:            mean %6.0f p50 %6.0f p99 %6.0f max %8.0f ns\n",
                 still.mean_ns, still.p50_ns, still.p99_ns, still.max_ns);
    (void)printf("near 10, %6.0f moves a s: mean %6.0f p50 %6.0f p99 %6.0f max %8.0f ns   "
                 "(bound: p99 200,000), of CPU time p99 %6.0f\n",
                 moving.moved_per_s, moving.mean_ns, moving.p50_ns, moving.p99_ns, moving.max_ns,
                 moving.cpu_p99_ns);
    struct peer redis = ask_redis(b, ns);
    struct peer postgis = ask_postgis(b);
    FILE *json = fopen(json_path, "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(
            json,
            ",\"bench\":\"moving\",\"points\":%u,\"bytes_per_point\":%.1f,\"put_ns\":%.0f,"
            "\"step_ns\":%.0f,\"still_p50_ns\":%.0f,\"still_p99_ns\":%.0f,"
            "\"moves_per_s\":%.0f,\"p50_ns\":%.0f,\"p99_ns\":%.0f,\"max_ns\":%.0f,"
            "\"cpu_p99_ns\":%.0f",
            b->count, bytes, fill_ns, step_ns, still.p50_ns, still.p99_ns, moving.moved_per_s,
            moving.p50_ns, moving.p99_ns, moving.max_ns, moving.cpu_p99_ns);
    }
    peer_print("redis", &redis, json);
    peer_print("postgis", &postgis, json);
    if (json != NULL) {
        (void)fprintf(json, "}\n");
        return fclose(json) == 0 ? 0 : 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
    struct ht_moving_work *work = NULL;
    double *ns = calloc(ASKS, sizeof *ns);
    int result = 1;
    b.count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    b.rate = argc > 3 ? strtod(argv[3], NULL) : 50000;
    if (ns != NULL && ht_moving_new(town, b.count, &b.moving) == HT_OK &&
        ht_moving_work_new(&work) == HT_OK) {
        result = run(&b, argc > 1 ? argv[1] : "bench/results/moving.json", work, ns);
    }
    ht_moving_work_free(work);
    ht_moving_free(b.moving);
    free(ns);
    return result;
}
