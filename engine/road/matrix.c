#include "engine/road/matrix.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/label.h"
#include "engine/road/sweep.h"

/* What one piece of work costs, in nanoseconds on the machine of the first measurements; only their
 * ratio decides which way a table is computed. */
enum { LABEL_NS = 20000, SWEEP_STOP_NS = 2500, JOIN_NS = 80 };

/* Labels of this many sources and targets are joined at a time: they fit the second-level cache. */
enum { TILE = 16 };

struct worker {
    struct ht_label_store *store;
    struct ht_sweep *sweep;
    struct ht_query *query;
};

struct ht_matrix {
    struct worker *workers;
    size_t worker_count;
    bool skip_lengths;
};

struct run {
    struct ht_matrix *matrix;
    const struct ht_road *road;
    const struct ht_place *sources;
    const struct ht_place *targets;
    size_t source_count;
    size_t target_count;
    struct ht_cost *out;
    const bool *cancel;
    struct ht_label *source_labels;
    struct ht_label *target_labels;
    const struct ht_sweep_plan *plan;
    atomic_int status;
};

static void run_fail(struct run *run, enum ht_status status)
{
    int ok = HT_OK;
    if (status != HT_OK) {
        (void)atomic_compare_exchange_strong(&run->status, &ok, (int)status);
    }
}

/* True when the piece is to be left alone. */
static bool run_stopped(struct run *run)
{
    if (run->cancel != NULL && __atomic_load_n(run->cancel, __ATOMIC_RELAXED)) {
        run_fail(run, HT_CANCELLED);
    }
    return atomic_load_explicit(&run->status, memory_order_relaxed) != HT_OK;
}

enum ht_status ht_matrix_new(struct ht_matrix **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_matrix_free(struct ht_matrix *matrix)
{
    if (matrix == NULL) {
        return;
    }
    for (size_t i = 0; i < matrix->worker_count; i++) {
        ht_label_store_free(matrix->workers[i].store);
        ht_sweep_free(matrix->workers[i].sweep);
        ht_query_free(matrix->workers[i].query);
    }
    free(matrix->workers);
    free(matrix);
}

void ht_matrix_skip_lengths(struct ht_matrix *matrix, bool skip)
{
    matrix->skip_lengths = skip;
}

static enum ht_status workers_reserve(struct ht_matrix *matrix, size_t count)
{
    size_t capacity = matrix->worker_count;
    if (count <= capacity) {
        return HT_OK;
    }
    struct worker *workers = realloc(matrix->workers, count * sizeof *workers);
    if (workers == NULL) {
        return HT_NOMEM;
    }
    matrix->workers = workers;
    while (matrix->worker_count < count) {
        struct worker *w = &matrix->workers[matrix->worker_count++];
        memset(w, 0, sizeof *w);
        enum ht_status status = ht_label_store_new(&w->store);
        if (status == HT_OK) {
            status = ht_sweep_new(&w->sweep);
        }
        if (status == HT_OK) {
            status = ht_query_new(&w->query);
        }
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static void label_place(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    if (run_stopped(run)) {
        return;
    }
    bool target = piece >= run->source_count;
    size_t i = target ? piece - run->source_count : piece;
    run_fail(run, ht_label_build(run->matrix->workers[worker].store, run->road,
                                 target ? &run->targets[i] : &run->sources[i], target,
                                 target ? &run->target_labels[i] : &run->source_labels[i]));
}

static void join_tile(void *user, size_t piece, size_t worker)
{
    (void)worker;
    struct run *run = user;
    size_t columns = (run->target_count + TILE - 1) / TILE;
    size_t s0 = piece / columns * TILE;
    size_t t0 = piece % columns * TILE;
    if (run_stopped(run)) {
        return;
    }
    for (size_t s = s0; s < s0 + TILE && s < run->source_count; s++) {
        for (size_t t = t0; t < t0 + TILE && t < run->target_count; t++) {
            run->out[s * run->target_count + t] =
                ht__cost_of(ht_label_join(&run->source_labels[s], &run->target_labels[t]));
        }
    }
}

static enum ht_status run_joined(struct run *run, struct ht_pool *pool)
{
    for (size_t i = 0; i < run->matrix->worker_count; i++) {
        ht_label_store_clear(run->matrix->workers[i].store);
    }
    size_t count = run->source_count + run->target_count;
    struct ht_label *labels = ht_array_new(count, sizeof *labels);
    if (labels == NULL) {
        return HT_NOMEM;
    }
    run->source_labels = labels;
    run->target_labels = labels + run->source_count;
    size_t tiles = (run->source_count + TILE - 1) / TILE * ((run->target_count + TILE - 1) / TILE);
    ht_pool_run(pool, count, label_place, run);
    ht_pool_run(pool, tiles, join_tile, run);
    free(labels);
    return (enum ht_status)atomic_load(&run->status);
}

/* One sweep for each of the few. */
static void sweep_one(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    struct worker *w = &run->matrix->workers[worker];
    if (run_stopped(run)) {
        return;
    }
    bool from_source = run->source_count <= run->target_count;
    struct ht_label label;
    ht_label_store_clear(w->store);
    enum ht_status status = ht_label_build(
        w->store, run->road, from_source ? &run->sources[piece] : &run->targets[piece],
        !from_source, &label);
    if (status == HT_OK) {
        struct ht_cost *out = run->out + (from_source ? piece * run->target_count : piece);
        status = ht_sweep_run(w->sweep, run->road, run->plan, &label, out,
                              from_source ? 1 : run->target_count);
    }
    run_fail(run, status);
}

static enum ht_status run_swept(struct run *run, struct ht_pool *pool)
{
    bool from_source = run->source_count <= run->target_count;
    struct ht_sweep_plan *plan = NULL;
    enum ht_status status =
        ht_sweep_plan_new(run->road, from_source ? run->targets : run->sources,
                          from_source ? run->target_count : run->source_count, from_source, &plan);
    if (status == HT_OK) {
        run->plan = plan;
        ht_pool_run(pool, from_source ? run->source_count : run->target_count, sweep_one, run);
        status = (enum ht_status)atomic_load(&run->status);
    }
    ht_sweep_plan_free(plan);
    return status;
}

/* Pairs on one street, and ways too long for 32 bits of millimetres, are asked for one by one. */
static enum ht_status answer_singly(const struct run *run, size_t s, size_t t)
{
    struct ht_way_found found;
    struct ht_cost *cost = &run->out[s * run->target_count + t];
    enum ht_status status =
        ht_query_cost(run->matrix->workers[0].query, run->road, &run->sources[s], HT_SIDES_BOTH,
                      &run->targets[t], HT_SIDES_BOTH, &found);
    *cost = status == HT_OK ? found.cost : (struct ht_cost){.weight_ms = HT_WEIGHT_INF};
    return status == HT_NO_ROUTE ? HT_OK : status;
}

/* Every pair is looked at: two comparisons each, in an array that stays in the cache. */
static enum ht_status mend_same_street(struct run *run)
{
    uint32_t(*arcs)[2] = ht_array_new(run->target_count, sizeof *arcs);
    if (arcs == NULL) {
        return HT_NOMEM;
    }
    for (size_t t = 0; t < run->target_count; t++) {
        for (int side = 0; side < 2; side++) {
            uint32_t arc = run->targets[t].side[side].arc;
            arcs[t][side] = arc == HT_NONE ? HT_NONE - 1 : arc; /* like no source's */
        }
    }
    enum ht_status status = HT_OK;
    for (size_t s = 0; s < run->source_count && status == HT_OK && !run_stopped(run); s++) {
        uint32_t along = run->sources[s].side[0].arc;
        uint32_t against = run->sources[s].side[1].arc;
        for (size_t t = 0; t < run->target_count && status == HT_OK; t++) {
            if (arcs[t][0] == along || arcs[t][1] == against) {
                status = answer_singly(run, s, t);
            }
        }
    }
    free(arcs);
    return status == HT_OK ? (enum ht_status)atomic_load(&run->status) : status;
}

enum { LONG_MS = 50 * 1000 * 1000 }; /* below it no way reaches 4,295 km, see query.c */

static enum ht_status mend_long(const struct run *run)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < run->source_count * run->target_count && status == HT_OK; i++) {
        if (run->out[i].duration_ms > LONG_MS && run->out[i].weight_ms < HT_WEIGHT_INF) {
            status = answer_singly(run, i / run->target_count, i % run->target_count);
        }
    }
    return status;
}

static bool sweeps_win(size_t sources, size_t targets)
{
    size_t few = sources < targets ? sources : targets;
    size_t many = sources < targets ? targets : sources;
    double swept = (double)few * (LABEL_NS + (double)many * SWEEP_STOP_NS);
    double joined = (double)(few + many) * LABEL_NS + (double)few * (double)many * JOIN_NS;
    return swept < joined;
}

// NOLINTNEXTLINE(readability-function-size): two lists of places, a road and costs
enum ht_status ht_matrix_run(struct ht_matrix *matrix, const struct ht_road *road,
                             struct ht_pool *pool, const struct ht_place *sources,
                             size_t source_count, const struct ht_place *targets,
                             size_t target_count, struct ht_cost *out, const bool *cancel)
{
    if (source_count == 0 || target_count == 0) {
        return HT_OK;
    }
    struct ht_pool *own = NULL;
    enum ht_status status = pool == NULL ? ht_pool_new(1, &own) : HT_OK;
    pool = pool == NULL ? own : pool;
    if (status == HT_OK) {
        status = workers_reserve(matrix, ht_pool_threads(pool));
    }
    if (status == HT_OK) {
        struct run run = {.matrix = matrix,
                          .road = road,
                          .sources = sources,
                          .targets = targets,
                          .source_count = source_count,
                          .target_count = target_count,
                          .out = out,
                          .cancel = cancel};
        atomic_init(&run.status, HT_OK);
        status =
            sweeps_win(source_count, target_count) ? run_swept(&run, pool) : run_joined(&run, pool);
        if (status == HT_OK) {
            status = mend_same_street(&run);
        }
        if (status == HT_OK && !matrix->skip_lengths) {
            status = mend_long(&run);
        }
    }
    ht_pool_free(own);
    return status;
}
