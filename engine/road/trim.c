#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/metric_internal.h"

/* Perfect customization. What customization leaves at an edge is the cheapest way over lower
 * vertices; a way over a higher one may be cheaper, and then no search needs the edge. From the
 * root down, so that the edges between upper ends are already as cheap as can be:
 *
 *       z ---- y            x -> y is beaten by x -> z and what z -> y costs at last, whichever of
 *        \    /             z and y lies higher
 *          x
 *
 * Both costs are of real ways, so whoever is beaten is not needed; an edge that no other way beats
 * keeps its cost, and the cheapest ways consist of such edges alone. */

struct lanes {
    struct ht_lane
        best; /* costs so far of x' edges; 0, which nothing is below, where there are none */
    struct ht_lane own; /* costs of x' edges as they were; infinite where there are none */
};

struct run {
    const struct ht_cch *cch;
    struct ht_metric_owned *metric;
    struct ht__subtrees trees;
    struct lanes *lanes; /* one for each thread */
    struct ht__trim_limits limits;
};

/* What `via` says of an edge that was beaten. */
#define BEATEN (HT_NONE - 1)

static struct ht_row row_of(const struct run *run, uint32_t v, int s)
{
    const struct ht_cch_side *side = s == 0 ? &run->cch->out : &run->cch->in;
    uint32_t first = side->first[v];
    assert(run->metric->time[s] + first != NULL); /* a whole metric: no brief times */
    return (struct ht_row){.depth = side->depth + first,
                           .time = run->metric->time[s] + first,
                           .length = run->metric->length[s] + first,
                           .count = side->first[v + 1] - first};
}

/* Lowers the costs of x' edges on side `s` to the cheapest of all ways. */
static void beat_row(const struct run *run, const struct lanes *lanes, uint32_t x, int s)
{
    const struct ht_cch_side *side = s == 0 ? &run->cch->out : &run->cch->in;
    uint64_t *time = run->metric->time[s];
    uint32_t *length = run->metric->length[s];
    uint32_t first = side->first[x];
    uint32_t end = side->first[x + 1];
    struct ht_lane best = lanes->best;
    struct ht_lane own = lanes->own;
    for (uint32_t e = first; e < end; e++) {
        uint32_t d = side->depth[e];
        best.time[d] = own.time[d] = time[e];
        best.length[d] = own.length[d] = length[e];
    }
    for (uint32_t e = first; e < end; e++) {
        uint32_t z = side->head[e];
        uint32_t d = side->depth[e];
        struct ht_key key = {time[e], length[e]};
        if (ht_time_finite(key.time)) {
            ht_relax_row(row_of(run, z, s), key, best);
        }
        key =
            ht_pull_row(row_of(run, z, 1 - s), own, (struct ht_key){best.time[d], best.length[d]});
        best.time[d] = key.time;
        best.length[d] = key.length;
    }
    for (uint32_t e = first; e < end; e++) {
        uint32_t d = side->depth[e];
        if (best.time[d] != time[e] || best.length[d] != length[e]) {
            time[e] = best.time[d];
            length[e] = best.length[d];
            run->metric->via[s][e] = BEATEN;
        }
        best.time[d] = 0;
        own.time[d] = HT_TIME_INF;
    }
}

static void run_task(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    struct ht__subtree task = run->trees.tasks[piece];
    for (uint32_t x = task.root + 1; x-- > task.first;) {
        if (run->trees.size[x] > run->trees.done) {
            beat_row(run, &run->lanes[worker], x, 0);
            beat_row(run, &run->lanes[worker], x, 1);
        }
    }
}

static bool run_alloc(struct run *run, struct ht_pool *pool)
{
    size_t threads = ht_pool_threads(pool);
    uint32_t levels = run->cch->depth_max + UINT32_C(8);
    run->lanes = ht_array_new_zeroed(threads, sizeof *run->lanes);
    bool whole = run->lanes != NULL && ht__subtrees_init(&run->trees, run->cch) == HT_OK;
    for (size_t i = 0; whole && i < threads; i++) {
        whole =
            ht__lane_init(&run->lanes[i].best, levels) && ht__lane_init(&run->lanes[i].own, levels);
        for (uint32_t d = 0; whole && d < levels; d++) {
            run->lanes[i].own.time[d] = HT_TIME_INF;
        }
    }
    return whole;
}

static void run_free(struct run *run, struct ht_pool *pool)
{
    for (size_t i = 0; run->lanes != NULL && i < ht_pool_threads(pool); i++) {
        ht__lane_deinit(&run->lanes[i].best);
        ht__lane_deinit(&run->lanes[i].own);
    }
    free(run->lanes);
    ht__subtrees_deinit(&run->trees);
}

static bool stays(const struct ht_metric_owned *metric, int s, uint32_t edge)
{
    return metric->via[s][edge] != BEATEN && ht_time_finite(metric->time[s][edge]);
}

/* Gives back what lies behind `count` items. */
static void *shrink(void *array, size_t count, size_t item, bool *done)
{
    void *less = realloc(array, count == 0 ? item : count * item);
    *done &= less != NULL;
    return less != NULL ? less : array;
}

/* How many ranks an edge's middle lies below its lower end, as ht_metric_side says it. */
static uint16_t step_of(const struct run *run, uint32_t lower, uint32_t via)
{
    if (via == HT_NONE) {
        return 0;
    }
    return lower - via >= run->limits.far_from ? HT_STEP_FAR : (uint16_t)(lower - via);
}

static void count_side(const struct run *run, int s, uint32_t *kept, uint32_t *far)
{
    const struct ht_cch_side *side = s == 0 ? &run->cch->out : &run->cch->in;
    const struct ht_metric_owned *metric = run->metric;
    *kept = 0;
    *far = 0;
    for (uint32_t v = 0; v < run->cch->vertex_count; v++) {
        for (uint32_t e = side->first[v]; e < side->first[v + 1]; e++) {
            bool stay = stays(metric, s, e);
            *kept += stay;
            *far += stay && step_of(run, v, metric->via[s][e]) == HT_STEP_FAR;
        }
    }
}

static bool is_brief(uint64_t time)
{
    return time >> 32 == (uint32_t)time;
}

/* Brings times into their brief form where that serves nearly all. */
static enum ht_status shorten(const struct run *run, int s, uint32_t count)
{
    struct ht_metric_owned *metric = run->metric;
    uint32_t wide = 0;
    for (uint32_t e = 0; e < count; e++) {
        wide += !is_brief(metric->time[s][e]);
    }
    if (wide > (uint64_t)count * run->limits.wide_percent / 100 || wide > HT_BRIEF_WIDE / 2) {
        return HT_OK;
    }
    metric->brief[s] = ht_array_new(count, sizeof *metric->brief[s]);
    metric->wide[s] = ht_array_new(wide, sizeof *metric->wide[s]);
    if (metric->brief[s] == NULL || metric->wide[s] == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t e = 0; e < count; e++) {
        uint64_t time = metric->time[s][e];
        if (is_brief(time)) {
            metric->brief[s][e] = (uint32_t)time;
        } else {
            metric->brief[s][e] = HT_BRIEF_WIDE + metric->wide_count[s];
            metric->wide[s][metric->wide_count[s]++] = time;
        }
    }
    free(metric->time[s]);
    metric->time[s] = NULL;
    return HT_OK;
}

/* Closes up one side's rows. */
static enum ht_status close_up(const struct run *run, int s)
{
    const struct ht_cch *cch = run->cch;
    struct ht_metric_owned *metric = run->metric;
    const struct ht_cch_side *side = s == 0 ? &cch->out : &cch->in;
    uint32_t kept = 0;
    count_side(run, s, &kept, &metric->far_count[s]);
    metric->depth[s] = ht_array_new(kept, sizeof *metric->depth[s]);
    metric->step[s] = ht_array_new(kept, sizeof *metric->step[s]);
    metric->far[s] = ht_array_new(metric->far_count[s], sizeof *metric->far[s]);
    if (metric->depth[s] == NULL || metric->step[s] == NULL || metric->far[s] == NULL) {
        return HT_NOMEM;
    }
    uint32_t to = 0;
    struct ht_far_via *far = metric->far[s];
    for (uint32_t v = 0; v < cch->vertex_count; v++) {
        metric->climb[v].first[s] = to;
        for (uint32_t e = side->first[v]; e < side->first[v + 1]; e++) {
            if (!stays(metric, s, e)) {
                continue;
            }
            metric->depth[s][to] = side->depth[e];
            metric->time[s][to] = metric->time[s][e];
            metric->length[s][to] = metric->length[s][e];
            metric->step[s][to] = step_of(run, v, metric->via[s][e]);
            if (metric->step[s][to] == HT_STEP_FAR) {
                *far++ = (struct ht_far_via){to, metric->via[s][e]};
            }
            to++;
        }
    }
    metric->climb[cch->vertex_count].first[s] = to;
    free(metric->via[s]);
    metric->via[s] = NULL;
    bool done = true;
    metric->time[s] = shrink(metric->time[s], to, sizeof *metric->time[s], &done);
    metric->length[s] = shrink(metric->length[s], to, sizeof *metric->length[s], &done);
    return done ? shorten(run, s, to) : HT_NOMEM;
}

enum ht_status ht_metric_trim(const struct ht_cch *cch, struct ht_pool *pool,
                              struct ht_metric_owned *metric)
{
    /* More wide times would save little, and each makes the inner loops leave their way. */
    return ht__metric_trim(cch, pool, metric,
                           (struct ht__trim_limits){.far_from = HT_STEP_FAR, .wide_percent = 20});
}

enum ht_status ht__metric_trim(const struct ht_cch *cch, struct ht_pool *pool,
                               struct ht_metric_owned *metric, struct ht__trim_limits limits)
{
    struct ht_pool *own_pool = NULL;
    if (pool == NULL) {
        enum ht_status status = ht_pool_new(1, &own_pool);
        if (status != HT_OK) {
            return status;
        }
        pool = own_pool;
    }
    struct run run = {.cch = cch, .metric = metric, .limits = limits};
    enum ht_status status = run_alloc(&run, pool) ? HT_OK : HT_NOMEM;
    for (int round = HT__ROUNDS; status == HT_OK && round-- > 0;) {
        ht__subtrees_round(&run.trees, cch, round);
        ht_pool_run(pool, run.trees.task_count, run_task, &run);
    }
    run_free(&run, pool);
    ht_pool_free(own_pool);
    for (int s = 0; s < 2 && status == HT_OK; s++) {
        status = close_up(&run, s);
    }
    if (status == HT_OK) {
        ht__metric_attach(metric, cch);
    }
    return status;
}
