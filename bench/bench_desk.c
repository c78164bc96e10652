/* Desk: microseconds of a decision, with 20,000 units and 100,000 open incidents.
 *
 *   bench_desk [RESULT.json [NETWORK.hnet]]
 *
 *   alone   units on a ring, so that the chooser costs next to nothing; its time is taken off
 *   city    the chooser is ht_closest over the network's first emergency profile (BENCH_PROFILE:
 *           another), the units beside random junctions; the whole decision. Without NETWORK:
 *           ht_bench_city
 *
 * Of the open incidents 2,000 have a unit, the others wait for one that is engaged, and are of 32
 * sorts. Each command is decided and applied. Times are of the CPU, since a machine that others use
 * as well takes it away for milliseconds; each contains the clock's 0.5 us. p99 of an open in the
 * city above 1 ms is a failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/drive.h"
#include "bench/origin.h"
#include "bench/server.h"
#include "engine/live/closest.h"
#include "engine/live/desk.h"
#include "geodata/hnet.h"

enum { UNITS = 20000, HELD = 100000, ENGAGED = 2000, ROUNDS = 4000, STEPS = 6 };

static const struct step {
    enum ht_desk_command_kind kind;
    const char *name;
} steps[STEPS] = {{HT_DESK_OPEN, "open"},       {HT_DESK_ACK, "ack"},
                  {HT_DESK_GO, "enroute"},      {HT_DESK_ARRIVE, "arrive"},
                  {HT_DESK_RESOLVE, "resolve"}, {HT_DESK_EVALUATE, "evaluate"}};

struct bench {
    struct ht_desk *desk;
    struct ht_desk_chooser chooser;
    bool city;
    struct ht_closest *closest;
    struct ht_closest_work *work;
    struct ht_road road;
    const struct ht_road *roads[1];
    struct ht_place *places; /* of the places that incidents may have */
    double chooser_ns;       /* of one decision */
    uint64_t asked;
    double *ns[STEPS];
    FILE *json;
    int64_t now_ms;
};

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void name(struct ht_desk_candidate *candidate, uint32_t unit)
{
    (void)snprintf(candidate->unit, sizeof candidate->unit, "u%u", unit);
}

/* The ring: a second between two neighbours. */
static uint32_t rank_ring(uint32_t at, uint32_t most, struct ht_desk_candidate *out)
{
    uint32_t count = most < UNITS ? most : UNITS;
    for (uint32_t n = 0; n < count; n++) {
        uint32_t apart = (n + 1) / 2;
        name(&out[n], (n % 2 == 0 ? at + apart : at + UNITS - apart) % UNITS);
        out[n].duration_ms = apart * 1000;
        out[n].length_mm = apart * UINT64_C(10000);
        out[n].loss_ms = 0;
    }
    return count;
}

static enum ht_status rank_city(struct bench *b, uint32_t at, uint32_t most,
                                struct ht_desk_candidate *out, uint32_t *count)
{
    const struct ht_place *target = &b->places[at];
    const struct ht_closest_hit *hits = NULL;
    struct ht_closest_ask ask = {
        .k = most, .max_ms = UINT32_MAX, .roads = b->roads, .targets = &target};
    enum ht_status status = ht_closest_find(b->closest, b->work, &ask, &hits, count);
    for (uint32_t n = 0; n < *count && status == HT_OK; n++) {
        name(&out[n], hits[n].unit);
        out[n].duration_ms = hits[n].cost.duration_ms;
        out[n].length_mm = (uint64_t)hits[n].cost.length_mm;
        out[n].loss_ms = 0;
    }
    return status;
}

static enum ht_status rank(void *user, const struct ht_desk_want *want,
                           struct ht_desk_candidate *out, uint32_t most, uint32_t *count)
{
    struct bench *b = user;
    double begin = now_ns();
    uint32_t at = (uint32_t)strtoul(want->household, NULL, 10);
    enum ht_status status = HT_OK;
    *count = 0;
    b->asked++;
    if (want->skills[0] != '\0') { /* only u0 has it, which is engaged */
        if (want->unit == NULL || strcmp(want->unit, "u0") == 0) {
            name(&out[0], 0);
            out[0].duration_ms = 1000;
            out[0].length_mm = 0;
            out[0].loss_ms = 0;
            *count = 1;
        }
    } else if (b->city) {
        status = rank_city(b, at, most, out, count);
    } else {
        *count = rank_ring(at, most, out);
    }
    b->chooser_ns += now_ns() - begin;
    return status;
}

static void decide(struct bench *b, const struct ht_desk_command *command, double *ns)
{
    struct ht_desk_decision *decision = NULL;
    struct ht_error error = {0};
    b->chooser_ns = 0;
    double begin = now_ns();
    if (ht_desk_decide(b->desk, command, &b->chooser, &decision, &error) != HT_OK) {
        ht_bench_die(error.message);
    }
    double spent = now_ns() - begin;
    begin = now_ns();
    ht_desk_apply(b->desk, decision);
    *ns = spent + (now_ns() - begin) - (b->city ? 0 : b->chooser_ns);
}

static struct ht_desk_command alarm_at(const char *id, const char *place, uint64_t *state)
{
    return (struct ht_desk_command){.kind = HT_DESK_OPEN,
                                    .incident = id,
                                    .household = place,
                                    .incident_kind = HT_INCIDENT_SOS,
                                    .severity = (uint8_t)(1 + ht_bench_below(state, 4))};
}

static size_t resident_kb(void)
{
    char line[256];
    size_t kb = 0;
    FILE *in = fopen("/proc/self/status", "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kb = strtoul(line + 6, NULL, 10);
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return kb;
}

/* So many open ones that a town never sees. */
static void fill(struct bench *b, uint64_t *state)
{
    size_t before_kb = resident_kb();
    double begin = now_ns();
    for (uint32_t n = 0; n < HELD; n++) {
        char id[32];
        char place[32];
        double ns = 0;
        (void)snprintf(id, sizeof id, "held%u", n);
        (void)snprintf(place, sizeof place, "%u", n == 0 ? 0 : ht_bench_below(state, UNITS));
        struct ht_desk_command c = alarm_at(id, place, state);
        c.now_ms = b->now_ms++;
        if (n >= ENGAGED) {
            c.skills = "rare";
            c.incident_kind = (enum ht_incident_kind)ht_bench_below(state, HT_INCIDENT_KINDS);
        }
        decide(b, &c, &ns);
    }
    (void)printf("%-6s %d open incidents in %.2f s, %zu bytes each\n", b->city ? "city" : "alone",
                 HELD, (now_ns() - begin) / 1e9, (resident_kb() - before_kb) * 1024 / HELD);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double report(struct bench *b, int step)
{
    double *ns = b->ns[step];
    qsort(ns, ROUNDS, sizeof *ns, by_value);
    double p99_us = ns[ROUNDS - 1 - ROUNDS / 100] / 1e3;
    (void)printf("%-6s %-9s p50 %8.2f  p99 %8.2f  worst %9.2f us\n", b->city ? "city" : "alone",
                 steps[step].name, ns[ROUNDS / 2] / 1e3, p99_us, ns[ROUNDS - 1] / 1e3);
    if (b->json != NULL) {
        (void)fprintf(b->json,
                      ",{\"way\":\"%s\",\"command\":\"%s\",\"p50_us\":%.2f,\"p99_us\":%.2f}",
                      b->city ? "city" : "alone", steps[step].name, ns[ROUNDS / 2] / 1e3, p99_us);
    }
    return p99_us;
}

/* The p99 of an open. */
static double run(struct bench *b)
{
    struct ht_desk_rules rules = ht_desk_rules_default();
    uint64_t state = 7;
    if (ht_desk_new(&rules, &b->desk) != HT_OK) {
        ht_bench_die("no desk");
    }
    b->now_ms = 1000000;
    fill(b, &state);
    for (uint32_t n = 0; n < ROUNDS; n++) {
        char id[32];
        char place[32];
        (void)snprintf(id, sizeof id, "i%u", n);
        (void)snprintf(place, sizeof place, "%u", ht_bench_below(&state, UNITS));
        struct ht_desk_command c = alarm_at(id, place, &state);
        for (int s = 0; s < STEPS; s++) {
            c.kind = steps[s].kind;
            c.now_ms = b->now_ms++;
            c.outcome = HT_OUTCOME_HELPED;
            c.rating = 5;
            decide(b, &c, &b->ns[s][n]);
        }
        (void)ht_desk_forget(b->desk, b->now_ms, 8, NULL, NULL);
    }
    double open_us = report(b, 0);
    for (int s = 1; s < STEPS; s++) {
        (void)report(b, s);
    }
    ht_desk_free(b->desk);
    return open_us;
}

/* ---- the city ---------------------------------------------------------------------------------
 */

static enum ht_status place_of(struct bench *b, struct ht_snap_work *snap, uint64_t *state,
                               struct ht_place *out)
{
    struct ht_snap_options options = ht_snap_options_default();
    uint32_t junction = ht_bench_below(state, b->road.graph->junction_count);
    struct ht_point p = b->road.network->node_point[b->road.graph->junction_node[junction]];
    struct ht_place two[2];
    uint32_t found = 0;
    p.lat_e7 += 300;
    enum ht_status status = ht_snap_trip(b->road.snap, snap, p, &options, two, &found);
    *out = two[found == 2 ? 1 : 0];
    return status;
}

static enum ht_status put_units(struct bench *b)
{
    struct ht_snap_work *snap = NULL;
    uint64_t state = 4711;
    b->roads[0] = &b->road;
    b->places = calloc(UNITS, sizeof *b->places);
    enum ht_status status = b->places == NULL ? HT_NOMEM : ht_snap_work_new(&snap);
    if (status == HT_OK) {
        status = ht_closest_new(b->roads, 1, UNITS, &b->closest);
    }
    if (status == HT_OK) {
        status = ht_closest_work_new(b->closest, &b->work);
    }
    for (uint32_t u = 0; u < UNITS && status == HT_OK; u++) {
        struct ht_place unit;
        status = place_of(b, snap, &state, &unit);
        if (status == HT_OK) {
            status = ht_closest_set(b->closest, u, 0, &unit);
        }
        if (status == HT_OK) {
            status = place_of(b, snap, &state, &b->places[u]);
        }
    }
    ht_snap_work_free(snap);
    return status;
}

static double run_city(struct bench *b, const char *network)
{
    struct ht_hnet *file = NULL;
    struct ht_error error = {0};
    const char *profile = getenv("BENCH_PROFILE");
    if (ht_hnet_open(network, &file, &error) != HT_OK ||
        ht_hnet_road(file, profile != NULL ? profile : "emergency", NULL, &b->road, &error) !=
            HT_OK) {
        ht_bench_die(error.message);
    }
    b->city = true;
    if (put_units(b) != HT_OK) {
        ht_bench_die("no units");
    }
    double open_us = run(b);
    ht_closest_work_free(b->work);
    ht_closest_free(b->closest);
    free(b->places);
    ht_hnet_close(file);
    return open_us;
}

int main(int argc, char **argv)
{
    static struct bench b;
    b.chooser = (struct ht_desk_chooser){rank, &b};
    for (int s = 0; s < STEPS; s++) {
        b.ns[s] = calloc(ROUNDS, sizeof(double));
        if (b.ns[s] == NULL) {
            ht_bench_die("out of memory");
        }
    }
    b.json = fopen(argc > 1 ? argv[1] : "bench/results/desk.json", "w");
    if (b.json != NULL) {
        (void)fprintf(b.json, "{");
        ht_bench_origin(b.json);
        (void)fprintf(b.json, ",\"bench\":\"desk\",\"units\":%d,\"open\":%d,\"runs\":[{}", UNITS,
                      HELD);
    }
    (void)run(&b);
    double open_us = run_city(&b, argc > 2 ? argv[2] : ht_bench_city());
    if (b.json != NULL) {
        (void)fprintf(b.json, "]}\n");
        (void)fclose(b.json);
    }
    for (int s = 0; s < STEPS; s++) {
        free(b.ns[s]);
    }
    if (open_us > 1000) {
        (void)printf("an open in the city takes more than 1 ms\n");
        return 1;
    }
    return 0;
}
