/* Incidents: alarms over the port, and the decision alone.
 *
 *   bench_incidents [RESULT.json [NETWORK.hnet]]
 *
 * 20,000 responders of one profile of the network (BENCH_PROFILE; emergency, or the first) beside
 * junctions; alarms at places of the same kind, mixed kinds and severities. Server and sender share
 * the machine. Each alarm engages a unit or two, so that there are fewer alarms than units; and
 * each POST waits until its incident is on the disk.
 *
 *   disk       16 clients, a store in $TMPDIR (or /tmp): the time of a POST, beside that of a plain
 *              append of 4 KiB and its sync on the same disk, measured before and after. The bound
 *              is 5 ms and the time of the sync, both as p99. As of all posts, the first 500 are
 *              not counted: a map of which nothing was read, a store that is new
 *   memory     16 clients, a store on tmpfs (/dev/shm): POSTs a second
 *   decision   in this process, on the writer's thread, a store on tmpfs: one alarm after the other
 *              is decided and taken back, so that each finds the same town; ht_desk_decide with the
 *              live town behind its chooser, nothing else
 *
 * Without NETWORK: ht_bench_city. BENCH_ROWS=TEXT measures only what has the text in its name.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app.h"
#include "api/commit.h"
#include "api/desk_room.h"
#include "api/json.h"
#include "api/live.h"
#include "bench/load.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "bench/times.h"
#include "geodata/hnet.h"

enum {
    UNITS = 20000,
    CLIENTS = 16,
    ALARMS_FIRST = 500,
    ALARMS_DISK = 5000,
    ALARMS_MEMORY = 15000,
    DECISIONS = 5000,
    SYNCS = 200,
    ROOM = 320,
};

struct bench {
    struct ht_json json;
    const char *network;
    char *profile;
    struct ht_point *units;  /* [UNITS] */
    struct ht_point *alarms; /* [ALARMS_MEMORY] */
    uint64_t state;
};

static bool wanted(const char *what)
{
    const char *text = getenv("BENCH_ROWS");
    return text == NULL || strstr(what, text) != NULL;
}

static uint64_t dice(struct bench *b, uint64_t below)
{
    b->state = b->state * 6364136223846793005U + 1442695040888963407U;
    return (b->state >> 33) % below;
}

/* ---- the town ---- */

/* On the nearest street that is no island: alarms from far away are refused. */
static struct ht_point place_dice(struct bench *b, const struct ht_road *road,
                                  struct ht_snap_work *work)
{
    const struct ht_snap_options options = ht_snap_options_default();
    uint32_t node = road->graph->junction_node[dice(b, road->graph->junction_count)];
    struct ht_place two[2];
    uint32_t found = 0;
    if (ht_snap_trip(road->snap, work, road->network->node_point[node], &options, two, &found) !=
        HT_OK) {
        ht_bench_die("a place can't be put on a street");
    }
    return two[found - 1].point;
}

static void places_make(struct bench *b)
{
    struct ht_snap_work *work = NULL;
    struct ht_hnet *net = NULL;
    struct ht_error error = {0};
    struct ht_road road;
    if (ht_hnet_open(b->network, &net, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    const char *asked = getenv("BENCH_PROFILE");
    const char *profile = ht_hnet_profile(net, 0);
    for (uint32_t i = 0; i < ht_hnet_profile_count(net); i++) {
        const char *name = ht_hnet_profile(net, i);
        profile = strcmp(name, asked != NULL ? asked : "emergency") == 0 ? name : profile;
    }
    if (ht_hnet_road(net, profile, NULL, &road, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    b->profile = strdup(profile);
    b->units = calloc(UNITS, sizeof *b->units);
    b->alarms = calloc(ALARMS_MEMORY, sizeof *b->alarms);
    if (b->profile == NULL || b->units == NULL || b->alarms == NULL ||
        ht_snap_work_new(&work) != HT_OK) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < UNITS + ALARMS_MEMORY; i++) {
        struct ht_point *to = i < UNITS ? &b->units[i] : &b->alarms[i - UNITS];
        *to = place_dice(b, &road, work);
    }
    ht_snap_work_free(work);
    ht_hnet_close(net);
}

static void units_write(struct bench *b, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        ht_bench_die("no room for the units");
    }
    (void)fprintf(out, "id,lon,lat,kind,profile,status\n");
    for (int i = 0; i < UNITS; i++) {
        (void)fprintf(out, "r%d,%.7f,%.7f,responder,%s,idle\n", i, b->units[i].lon_e7 / 1e7,
                      b->units[i].lat_e7 / 1e7, b->profile);
    }
    (void)fclose(out);
}

static void store_remove(const char *store)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[600];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store, ends[i]);
        (void)unlink(path);
    }
}

/* A store with the units in it. */
static void store_make(struct bench *b, const char *store)
{
    char csv[560];
    (void)snprintf(csv, sizeof csv, "%s.csv", store);
    units_write(b, csv);
    store_remove(store);
    const char *const load[] = {"load", "--store", store, "--collection", "units", csv, NULL};
    ht_bench_run(load);
    (void)unlink(csv);
}

/* ---- over the port ---- */

/* `*texts`: what they lie in. */
static struct ht_load_request *requests_make(struct bench *b, size_t count, char **texts)
{
    static const char *const kinds[] = {"sos", "fall", "heart", "water"};
    struct ht_load_request *list = calloc(count, sizeof *list);
    *texts = malloc(count * ROOM);
    if (list == NULL || *texts == NULL) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        char body[128];
        char *text = *texts + i * ROOM;
        int size = snprintf(body, sizeof body,
                            "{\"kind\":\"%s\",\"severity\":%d,\"lon\":%.7f,\"lat\":%.7f}",
                            kinds[dice(b, 4)], 1 + (int)dice(b, 4), b->alarms[i].lon_e7 / 1e7,
                            b->alarms[i].lat_e7 / 1e7);
        size = snprintf(text, ROOM,
                        "POST /v1/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                        size, body);
        list[i] = (struct ht_load_request){text, (size_t)size};
    }
    return list;
}

/* Sends so many alarms, each once; those after ALARMS_FIRST are measured. The very first waits
 * until the streets are ready. */
static struct ht_load_result alarms_send(struct bench *b, const char *store, size_t count)
{
    struct ht_load_result result = {0};
    const char *why = "";
    const char *const serve[] = {"serve",    "--network",   b->network,  "--store", store,
                                 "--listen", "127.0.0.1:0", "--threads", "2",       NULL};
    store_make(b, store);
    struct ht_bench_server server = ht_bench_server_start(serve);
    ht_bench_server_settle(&server);
    char *texts = NULL;
    struct ht_load_request *requests = requests_make(b, count, &texts);
    const struct ht_load_options first = {.host = "127.0.0.1",
                                          .port = server.port,
                                          .connections = 1,
                                          .requests = requests,
                                          .request_count = 1,
                                          .once = true};
    struct ht_load_options warm = first;
    warm.connections = CLIENTS;
    warm.requests = requests + 1;
    warm.request_count = ALARMS_FIRST - 1;
    struct ht_load_options all = warm;
    all.requests = requests + ALARMS_FIRST;
    all.request_count = count - ALARMS_FIRST;
    all.pid = server.pid;
    if (!ht_load_run(&first, &result, &why) || !ht_load_run(&warm, &result, &why) ||
        !ht_load_run(&all, &result, &why)) {
        ht_bench_die(why);
    }
    if (result.not_ok + result.failed > 0) {
        (void)fprintf(stderr, "%" PRIu64 " of %zu alarms failed: %s\n",
                      result.not_ok + result.failed, count, result.strange);
        ht_bench_die("some alarms were not answered 201");
    }
    ht_bench_server_stop(&server);
    store_remove(store);
    free(texts);
    free(requests);
    return result;
}

/* An append and its sync, as a commit needs at the least: p50 and p99, in microseconds. */
static void syncs_measure(const char *store, double out[2])
{
    static char block[4096];
    double us[SYNCS];
    char path[560];
    (void)snprintf(path, sizeof path, "%s.sync", store);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < SYNCS; i++) {
        double begin = ht_bench_now_us(CLOCK_MONOTONIC);
        if (fd < 0 || write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0) {
            ht_bench_die("the disk can't be written");
        }
        us[i] = ht_bench_now_us(CLOCK_MONOTONIC) - begin;
    }
    (void)close(fd);
    (void)unlink(path);
    out[0] = ht_bench_at_share(us, SYNCS, 0.5);
    out[1] = ht_bench_at_share(us, SYNCS, 0.99);
}

static void disk_measure(struct bench *b)
{
    char store[512];
    double before[2];
    double after[2];
    ht_bench_scratch(store, sizeof store, "incidents.sqlite");
    syncs_measure(store, before);
    const struct ht_load_result got = alarms_send(b, store, ALARMS_DISK);
    syncs_measure(store, after);
    double sync_p50 = (before[0] + after[0]) / 2;
    double sync_p99 = fmax(before[1], after[1]);
    bool met = got.p99_us <= 5000 + sync_p99;
    (void)printf("disk      POST p50 %8.2f ms  p99 %8.2f ms  %6.0f a second\n"
                 "          sync p50 %8.2f ms  p99 %8.2f ms  bound of the p99 %.2f ms%s\n",
                 got.p50_us / 1e3, got.p99_us / 1e3, got.rate, sync_p50 / 1e3, sync_p99 / 1e3,
                 5 + sync_p99 / 1e3, met ? "" : ", MISSED");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "disk");
    ht_json_key_double(&b->json, "post_p50_us", got.p50_us, 1);
    ht_json_key_double(&b->json, "post_p99_us", got.p99_us, 1);
    ht_json_key_double(&b->json, "per_s", got.rate, 0);
    ht_json_key_double(&b->json, "sync_p50_us", sync_p50, 1);
    ht_json_key_double(&b->json, "sync_p99_us", sync_p99, 1);
    ht_json_key_bool(&b->json, "met", met);
    ht_json_object_end(&b->json);
}

static void memory_measure(struct bench *b)
{
    char store[128];
    (void)snprintf(store, sizeof store, "/dev/shm/bench-%ld-incidents.sqlite", (long)getpid());
    const struct ht_load_result got = alarms_send(b, store, ALARMS_MEMORY);
    (void)printf("memory    POST p50 %8.2f ms  p99 %8.2f ms  %6.0f a second  server CPU %.0f us  "
                 "bound 5000 a second%s\n",
                 got.p50_us / 1e3, got.p99_us / 1e3, got.rate, got.server_cpu_us,
                 got.rate >= 5000 ? "" : ", MISSED");
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "memory");
    ht_json_key_double(&b->json, "post_p50_us", got.p50_us, 1);
    ht_json_key_double(&b->json, "post_p99_us", got.p99_us, 1);
    ht_json_key_double(&b->json, "per_s", got.rate, 0);
    ht_json_key_double(&b->json, "server_cpu_us", got.server_cpu_us, 1);
    ht_json_key_double(&b->json, "bound", 5000, 0);
    ht_json_object_end(&b->json);
}

/* ---- the decision alone ---- */

struct deciding {
    struct ht_job job;
    struct bench *bench;
    struct ht_app *app;
    double *us;
    double *cpu_us; /* of the thread: for machines that others use, too */
    size_t assigned;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
};

/* On the writer's thread; nothing stays. */
static void deciding_run(struct ht_job *job, void *worker)
{
    struct deciding *d = (struct deciding *)job;
    struct ht_app_context *context = ((struct ht_worker_context *)worker)->user;
    struct ht_desk_room *room = d->app->desk;
    for (size_t i = 0; i < DECISIONS + 1; i++) { /* the first makes the streets ready */
        struct ht_desk_decision *decision = NULL;
        struct ht_error error = {0};
        char id[HT_DESK_ID_MAX + 1];
        ht_desk_room_id(room, id);
        const struct ht_desk_command open = {.kind = HT_DESK_OPEN,
                                             .now_ms = ht_clock_now_ms(&d->app->clock),
                                             .incident = id,
                                             .incident_kind = HT_INCIDENT_SOS,
                                             .severity = (uint8_t)(1 + dice(d->bench, 4))};
        if (ht_incident_places_put(ht_desk_room_places(room), id, d->bench->alarms[i]) != HT_OK) {
            ht_bench_die("out of memory");
        }
        double cpu = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID);
        double begin = ht_bench_now_us(CLOCK_MONOTONIC);
        enum ht_status status = ht_desk_room_decide(room, context, &open, &decision, &error);
        double us = ht_bench_now_us(CLOCK_MONOTONIC) - begin;
        cpu = ht_bench_now_us(CLOCK_THREAD_CPUTIME_ID) - cpu;
        if (status != HT_OK) {
            ht_bench_die(error.message);
        }
        if (i > 0) {
            d->us[i - 1] = us;
            d->cpu_us[i - 1] = cpu;
            d->assigned += decision->incident->seat_count;
        }
        ht_desk_room_take_back(room, decision);
        ht_incident_places_remove(ht_desk_room_places(room), id);
    }
    ht_commit_take_back(d->app->commit);
}

static void deciding_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct deciding *d = (struct deciding *)job;
    (void)worker;
    (void)outcome;
    (void)pthread_mutex_lock(&d->lock);
    d->done = true;
    (void)pthread_cond_signal(&d->wake);
    (void)pthread_mutex_unlock(&d->lock);
}

static void decision_row(struct bench *b, struct deciding *d)
{
    double p50 = ht_bench_at_share(d->us, DECISIONS, 0.5);
    double p99 = ht_bench_at_share(d->us, DECISIONS, 0.99);
    double most = ht_bench_at_share(d->us, DECISIONS, 1);
    double cpu_p50 = ht_bench_at_share(d->cpu_us, DECISIONS, 0.5);
    double cpu_p99 = ht_bench_at_share(d->cpu_us, DECISIONS, 0.99);
    (void)printf(
        "decision  p50 %8.1f us  p99 %8.1f us  most %8.1f us  bound of the p99 1000 us%s\n", p50,
        p99, most, p99 <= 1000 ? "" : ", MISSED");
    (void)printf("          of the CPU p50 %.1f us  p99 %.1f us\n", cpu_p50, cpu_p99);
    if (d->assigned != DECISIONS) {
        (void)printf("          %zu of %d found somebody\n", d->assigned, (int)DECISIONS);
    }
    ht_json_object(&b->json);
    ht_json_key_text(&b->json, "what", "decision");
    ht_json_key_double(&b->json, "p50_us", p50, 1);
    ht_json_key_double(&b->json, "p99_us", p99, 1);
    ht_json_key_double(&b->json, "most_us", most, 1);
    ht_json_key_double(&b->json, "cpu_p50_us", cpu_p50, 1);
    ht_json_key_double(&b->json, "cpu_p99_us", cpu_p99, 1);
    ht_json_key_double(&b->json, "bound_p99_us", 1000, 0);
    ht_json_object_end(&b->json);
}

static void decision_measure(struct bench *b)
{
    char store[128];
    struct ht_error note = {0};
    struct ht_error error = {0};
    struct deciding d = {.job = {.run = deciding_run, .done = deciding_done}, .bench = b};
    (void)snprintf(store, sizeof store, "/dev/shm/bench-%ld-decision.sqlite", (long)getpid());
    store_make(b, store);
    d.us = calloc(DECISIONS, sizeof *d.us);
    (void)pthread_mutex_init(&d.lock, NULL);
    (void)pthread_cond_init(&d.wake, NULL);
    d.cpu_us = calloc(DECISIONS, sizeof *d.cpu_us);
    if (d.us == NULL || d.cpu_us == NULL || ht_app_new(0, NULL, &d.app) != HT_OK ||
        ht_app_network_open(d.app, b->network, false, &error) != HT_OK ||
        ht_app_store_open(d.app, store, &note, &error) != HT_OK ||
        ht_app_live_open(d.app, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    if (!ht_commit_submit(d.app->commit, &d.job)) {
        ht_bench_die("the writer takes nothing");
    }
    (void)pthread_mutex_lock(&d.lock);
    while (!d.done) {
        (void)pthread_cond_wait(&d.wake, &d.lock);
    }
    (void)pthread_mutex_unlock(&d.lock);
    decision_row(b, &d);
    ht_app_store_stop(d.app);
    ht_app_free(d.app);
    store_remove(store);
    free(d.us);
    free(d.cpu_us);
}

int main(int argc, char **argv)
{
    struct ht_buffer text = {0};
    struct bench b = {.network = argc > 2 ? argv[2] : ht_bench_city(), .state = 5};
    places_make(&b);
    (void)printf("%d responders of profile %s\n", (int)UNITS, b.profile);
    ht_json_begin(&b.json, &text);
    ht_json_array(&b.json);
    if (wanted("decision")) {
        decision_measure(&b);
    }
    if (wanted("memory")) {
        memory_measure(&b);
    }
    if (wanted("disk")) {
        disk_measure(&b);
    }
    ht_json_array_end(&b.json);
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (out != NULL) {
        (void)fprintf(out, "{");
        ht_bench_origin(out);
        (void)fprintf(out, ",\"rows\":%.*s}\n", (int)text.size, text.data);
        (void)fclose(out);
    }
    ht_buffer_deinit(&text);
    free(b.profile);
    free(b.units);
    free(b.alarms);
    return 0;
}
