/* Assign: what the best plan costs to find, in time, and what a plain one costs, in travel.
 *
 *   bench_assign [RESULT.json]
 *
 * Households and people lie at random in a town of 12 km, travel times are beelines at 8 m a second
 * and up to a third more; of a role one in four speaks the dialect that one household in ten needs.
 * Five roles are five such problems; the bound of the issue is 2 s for all of them.
 *
 *   best      ht_assign: one column a unit, whatever its capacity
 *   copies    the same with a column for each task that a unit could take (of capacity 1)
 *   balanced  with the least possible load of whoever has most
 *   add       one task more, from the prices of all before: the median
 *   greedy    the dearest mistake of the plain way: the nearest pair first that still can be
 *   flow      a plain min-cost flow by Bellman-Ford with a queue, where it ends in bearable time
 *
 * The last two come to the same total by other ways; where they don't, the bench says so and fails.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "engine/plan/assign.h"

enum { ADDS = 200 };

struct shape {
    const char *name;
    uint32_t tasks;
    uint32_t units;
    uint32_t capacity;
    uint32_t roles;
    bool flow; /* compare with the plain flow */
};

static const struct shape shapes[] = {
    {"alarms 50 x 200", 50, 200, 1, 1, true},
    {"alarms 400 x 400", 400, 400, 1, 1, true},
    {"alarms 2000 x 1000", 2000, 1000, 1, 1, false},
    {"five roles 1000 x 400, 3 each", 1000, 400, 3, 5, true},
    {"five roles 1000 x 80, 13 each", 1000, 80, 13, 5, true},
    {"five roles 1000 x 400, 30 each", 1000, 400, 30, 5, true},
    {"five roles 1000 x 400, 2 each (200 missing)", 1000, 400, 2, 5, false},
};

struct problem {
    uint32_t tasks;
    uint32_t units;
    uint32_t capacity;
    uint32_t *cost; /* [tasks * units] */
};

struct figures {
    double best_s, copies_s, balanced_s, add_us, flow_s;
    int64_t best_ms, greedy_ms, balanced_ms;
    size_t filled, greedy_filled;
    uint32_t load, balanced_load;
    bool same;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double random_unit(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * UINT64_C(2685821657736338717) >> 11) * 0x1p-53;
}

static bool problem_make(struct problem *p, const struct shape *shape, uint64_t *state)
{
    *p = (struct problem){shape->tasks, shape->units, shape->capacity, NULL};
    double(*at)[2] = calloc((size_t)p->tasks + p->units, sizeof *at);
    bool *speaks = calloc(p->units, sizeof *speaks);
    p->cost = calloc((size_t)p->tasks * p->units, sizeof *p->cost);
    bool made = at != NULL && speaks != NULL && p->cost != NULL;
    for (uint32_t i = 0; made && i < p->tasks + p->units; i++) {
        at[i][0] = random_unit(state) * 12000;
        at[i][1] = random_unit(state) * 12000;
    }
    for (uint32_t u = 0; made && u < p->units; u++) {
        speaks[u] = random_unit(state) < 0.25;
    }
    for (uint32_t t = 0; made && t < p->tasks; t++) {
        bool needs = random_unit(state) < 0.1;
        for (uint32_t u = 0; u < p->units; u++) {
            double dx = at[t][0] - at[p->tasks + u][0];
            double dy = at[t][1] - at[p->tasks + u][1];
            double s = sqrt(dx * dx + dy * dy) / 8 * (1 + random_unit(state) / 3);
            p->cost[(size_t)t * p->units + u] =
                needs && !speaks[u] ? HT_ASSIGN_UNFIT : (uint32_t)(s * 1000);
        }
    }
    free(at);
    free(speaks);
    return made;
}

/* ---- ours ---- */

/* Solves with `copies` columns of each unit, or (0) with capacities. */
static bool solve(struct ht_assign *a, const struct problem *p, uint32_t copies, bool balanced)
{
    uint32_t columns = p->units * (copies == 0 ? 1 : copies);
    uint32_t *capacity = malloc(columns * sizeof *capacity);
    uint32_t *cost = copies < 2 ? NULL : malloc((size_t)p->tasks * columns * sizeof *cost);
    struct ht_assign_task *tasks = malloc(p->tasks * sizeof *tasks);
    bool good = capacity != NULL && tasks != NULL && (cost != NULL || copies < 2);
    for (size_t i = 0; good && cost != NULL && i < (size_t)p->tasks * columns; i++) {
        cost[i] = p->cost[i / columns * p->units + i % columns / copies];
    }
    for (uint32_t u = 0; good && u < columns; u++) {
        capacity[u] = copies == 0 ? p->capacity : 1;
    }
    for (uint32_t t = 0; good && t < p->tasks; t++) {
        tasks[t] = (struct ht_assign_task){.cost_ms = (cost == NULL ? p->cost : cost) +
                                                      (size_t)t * columns,
                                           .places = 1,
                                           .weight = 1};
    }
    const struct ht_assign_units units = {
        .count = columns, .capacity = capacity, .balanced = balanced};
    good =
        good && ht_assign_begin(a, &units) == HT_OK && ht_assign_add(a, tasks, p->tasks) == HT_OK;
    free(capacity);
    free(cost);
    free(tasks);
    return good;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The last ADDS tasks come one by one. */
static double add_median_us(struct ht_assign *a, const struct problem *p)
{
    static double taken[ADDS];
    struct problem first = *p;
    uint32_t adds = p->tasks > 2 * ADDS ? ADDS : p->tasks / 2;
    first.tasks -= adds;
    if (!solve(a, &first, 0, false)) {
        return NAN;
    }
    for (uint32_t i = 0; i < adds; i++) {
        const struct ht_assign_task task = {
            .cost_ms = p->cost + (size_t)(first.tasks + i) * p->units, .places = 1, .weight = 1};
        double begin = now_s();
        if (ht_assign_add(a, &task, 1) != HT_OK) {
            return NAN;
        }
        taken[i] = (now_s() - begin) * 1e6;
    }
    qsort(taken, adds, sizeof taken[0], by_value);
    return taken[adds / 2];
}

/* ---- greedy ---- */

struct pair {
    uint32_t cost;
    uint32_t task;
    uint32_t unit;
};

static int by_cost(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    if (a->cost != b->cost) {
        return a->cost < b->cost ? -1 : 1;
    }
    return a->task != b->task ? (a->task < b->task ? -1 : 1)
                              : (a->unit > b->unit) - (a->unit < b->unit);
}

static bool greedy(const struct problem *p, struct figures *f)
{
    size_t count = (size_t)p->tasks * p->units;
    struct pair *pairs = malloc(count * sizeof *pairs);
    uint32_t *load = calloc(p->units, sizeof *load);
    bool *done = calloc(p->tasks, sizeof *done);
    bool good = pairs != NULL && load != NULL && done != NULL;
    for (size_t i = 0; good && i < count; i++) {
        pairs[i] = (struct pair){p->cost[i], (uint32_t)(i / p->units), (uint32_t)(i % p->units)};
    }
    if (good) {
        qsort(pairs, count, sizeof *pairs, by_cost);
    }
    for (size_t i = 0; good && i < count && pairs[i].cost < HT_ASSIGN_UNREACHABLE; i++) {
        if (!done[pairs[i].task] && load[pairs[i].unit] < p->capacity) {
            done[pairs[i].task] = true;
            load[pairs[i].unit]++;
            f->greedy_filled++;
            f->greedy_ms += pairs[i].cost;
        }
    }
    free(pairs);
    free(load);
    free(done);
    return good;
}

/* ---- a plain min-cost flow: Bellman-Ford with a queue on the same bipartite net ---- */

struct flow {
    const struct problem *p;
    uint32_t *unit_of; /* [tasks] */
    uint32_t *load;
    int64_t *distance; /* [tasks + units] from the new task; tasks first */
    uint32_t *by;
    bool *queued;
    uint32_t *queue;
};

static void flow_reach(struct flow *f, uint32_t node, int64_t distance, uint32_t by, uint32_t *tail)
{
    uint32_t nodes = f->p->tasks + f->p->units;
    if (distance >= f->distance[node]) {
        return;
    }
    f->distance[node] = distance;
    f->by[node] = by;
    if (!f->queued[node]) {
        f->queued[node] = true;
        f->queue[*tail % nodes] = node;
        ++*tail;
    }
}

static void flow_leave(struct flow *f, uint32_t node, uint32_t *tail)
{
    const struct problem *p = f->p;
    if (node < p->tasks) {
        for (uint32_t u = 0; u < p->units; u++) {
            uint32_t cost = p->cost[(size_t)node * p->units + u];
            if (cost < HT_ASSIGN_UNREACHABLE && f->unit_of[node] != u) {
                flow_reach(f, p->tasks + u, f->distance[node] + cost, node, tail);
            }
        }
        return;
    }
    uint32_t u = node - p->tasks;
    for (uint32_t t = 0; f->load[u] == p->capacity && t < p->tasks; t++) {
        if (f->unit_of[t] == u) {
            flow_reach(f, t, f->distance[node] - p->cost[(size_t)t * p->units + u], node, tail);
        }
    }
}

static bool flow_task(struct flow *f, uint32_t task)
{
    const struct problem *p = f->p;
    uint32_t nodes = p->tasks + p->units;
    uint32_t head = 0;
    uint32_t tail = 0;
    for (uint32_t v = 0; v < nodes; v++) {
        f->distance[v] = INT64_MAX;
    }
    flow_reach(f, task, 0, task, &tail);
    for (; head != tail; head++) {
        uint32_t node = f->queue[head % nodes];
        f->queued[node] = false;
        flow_leave(f, node, &tail);
    }
    uint32_t best = UINT32_MAX;
    for (uint32_t u = 0; u < p->units; u++) {
        if (f->load[u] < p->capacity && f->distance[p->tasks + u] < INT64_MAX &&
            (best == UINT32_MAX || f->distance[p->tasks + u] < f->distance[p->tasks + best])) {
            best = u;
        }
    }
    if (best == UINT32_MAX) {
        return false;
    }
    f->load[best]++;
    for (uint32_t u = best;;) {
        uint32_t t = f->by[p->tasks + u];
        uint32_t before = f->unit_of[t];
        f->unit_of[t] = u;
        if (t == task) {
            return true;
        }
        u = before;
    }
}

/* The total; -1: out of memory, or a task without a unit. */
static int64_t flow_total(const struct problem *p)
{
    uint32_t nodes = p->tasks + p->units;
    struct flow f = {.p = p,
                     .unit_of = malloc(p->tasks * sizeof *f.unit_of),
                     .load = calloc(p->units, sizeof *f.load),
                     .distance = malloc(nodes * sizeof *f.distance),
                     .by = calloc(nodes, sizeof *f.by),
                     .queued = calloc(nodes, sizeof *f.queued),
                     .queue = calloc(nodes, sizeof *f.queue)};
    bool good = f.unit_of != NULL && f.load != NULL && f.distance != NULL && f.by != NULL &&
                f.queued != NULL && f.queue != NULL;
    int64_t total = good ? 0 : -1;
    for (uint32_t t = 0; good && t < p->tasks; t++) {
        f.unit_of[t] = UINT32_MAX;
    }
    for (uint32_t t = 0; good && t < p->tasks; t++) {
        good = flow_task(&f, t);
        total = good ? total : -1;
    }
    for (uint32_t t = 0; good && t < p->tasks; t++) {
        total += p->cost[(size_t)t * p->units + f.unit_of[t]];
    }
    free(f.unit_of);
    free(f.load);
    free(f.distance);
    free(f.by);
    free(f.queued);
    free(f.queue);
    return total;
}

/* ---- the table ---- */

static bool measure(const struct shape *shape, struct ht_assign *a, const struct problem *p,
                    struct figures *f)
{
    const struct ht_assign_plan *plan = ht_assign_plan(a);
    double begin = now_s();
    bool good = solve(a, p, 0, false);
    f->best_s += now_s() - begin;
    int64_t best = plan->cost;
    f->best_ms += best;
    f->filled += plan->pair_count;
    f->load = plan->load_most > f->load ? plan->load_most : f->load;
    begin = now_s();
    good = good && solve(a, p, p->capacity, false);
    f->copies_s += now_s() - begin;
    f->same = f->same && good && plan->cost == best;
    begin = now_s();
    good = good && solve(a, p, 0, true);
    f->balanced_s += now_s() - begin;
    f->balanced_ms += plan->cost;
    f->balanced_load = plan->load_most > f->balanced_load ? plan->load_most : f->balanced_load;
    begin = now_s();
    if (shape->flow) {
        f->same = f->same && flow_total(p) == best;
    }
    f->flow_s += now_s() - begin;
    f->add_us = add_median_us(a, p);
    return good && greedy(p, f);
}

static void print_row(const struct shape *shape, const struct figures *f, FILE *json, bool first)
{
    double filled = (double)f->filled;
    (void)printf("%-44s %8.1f %8.1f %8.1f %7.1f ", shape->name, f->best_s * 1e3, f->copies_s * 1e3,
                 f->balanced_s * 1e3, f->add_us);
    (void)printf(shape->flow ? "%8.0f " : "       - ", f->flow_s * 1e3);
    (void)printf("%8.1f %8.1f %8.1f  %zu/%zu  %u/%u %s\n", (double)f->best_ms / filled / 1e3,
                 (double)f->greedy_ms / (double)f->greedy_filled / 1e3,
                 (double)f->balanced_ms / filled / 1e3, f->filled, f->greedy_filled, f->load,
                 f->balanced_load, f->same ? "" : "THE WAYS DIFFER");
    if (json == NULL) {
        return;
    }
    (void)fprintf(json,
                  "%s\n{\"name\":\"%s\",\"best_ms\":%.2f,\"copies_ms\":%.2f,\"balanced_ms\":%.2f,"
                  "\"add_us\":%.2f,\"flow_ms\":%.1f,",
                  first ? "" : ",", shape->name, f->best_s * 1e3, f->copies_s * 1e3,
                  f->balanced_s * 1e3, f->add_us, shape->flow ? f->flow_s * 1e3 : -1.0);
    (void)fprintf(json,
                  "\"travel_s\":%.1f,\"greedy_travel_s\":%.1f,\"balanced_travel_s\":%.1f,"
                  "\"filled\":%zu,\"greedy_filled\":%zu,\"load\":%u,\"balanced_load\":%u}",
                  (double)f->best_ms / 1e3, (double)f->greedy_ms / 1e3,
                  (double)f->balanced_ms / 1e3, f->filled, f->greedy_filled, f->load,
                  f->balanced_load);
}

int main(int argc, char **argv)
{
    struct ht_assign *a = NULL;
    uint64_t state = 20260301;
    bool good = ht_assign_new(&a) == HT_OK;
    FILE *json = fopen(argc > 1 ? argv[1] : "bench/results/assign.json", "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"rows\":[");
    }
    (void)printf("%-44s %8s %8s %8s %7s %8s %8s %8s %8s  filled  most\n", "CPU time, all roles",
                 "best ms", "copies", "balanced", "add us", "flow ms", "travel s", "greedy",
                 "balanced");
    for (size_t i = 0; good && i < sizeof shapes / sizeof shapes[0]; i++) {
        struct figures f = {.same = true};
        for (uint32_t role = 0; good && role < shapes[i].roles; role++) {
            struct problem p;
            good = problem_make(&p, &shapes[i], &state) && measure(&shapes[i], a, &p, &f);
            free(p.cost);
        }
        print_row(&shapes[i], &f, json, i == 0);
        good = good && f.same;
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        good = fclose(json) == 0 && good;
    }
    ht_assign_free(a);
    return good ? 0 : 1;
}
