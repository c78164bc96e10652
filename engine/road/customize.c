#include "engine/road/customize.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/metric_internal.h"
#include "engine/road/relax.h"

struct task {
    uint32_t first; /* ranks [first, root] */
    uint32_t root;
};

struct run {
    const struct ht_graph *graph;
    const struct ht_cch *cch;
    const struct ht_overlay *overlay;
    struct ht_metric_owned *metric;
    uint32_t *size;        /* subtree sizes */
    struct ht_lane *lanes; /* tentative row of one vertex, one for each thread */
    struct task *tasks;
    size_t task_count;
    uint32_t done_below; /* subtrees of at most this size are finished */
};

void ht_metric_free(struct ht_metric_owned *metric)
{
    if (metric == NULL) {
        return;
    }
    for (int s = 0; s < 2; s++) {
        free(metric->time[s]);
        free(metric->length[s]);
        free(metric->via[s]);
    }
    free(metric);
}

const struct ht_metric *ht_metric_view(const struct ht_metric_owned *metric)
{
    return &metric->view;
}

enum ht_status ht__metric_new(const struct ht_cch *cch, struct ht_metric_owned **out)
{
    struct ht_metric_owned *metric = calloc(1, sizeof *metric);
    if (metric == NULL) {
        return HT_NOMEM;
    }
    for (int s = 0; s < 2; s++) {
        uint32_t edges = s == 0 ? cch->out.edge_count : cch->in.edge_count;
        metric->time[s] = ht_array_new(edges, sizeof *metric->time[s]);
        metric->length[s] = ht_array_new(edges, sizeof *metric->length[s]);
        metric->via[s] = ht_array_new(edges, sizeof *metric->via[s]);
        if (metric->time[s] == NULL || metric->length[s] == NULL || metric->via[s] == NULL) {
            ht_metric_free(metric);
            return HT_NOMEM;
        }
    }
    metric->view = (struct ht_metric){.out_time = metric->time[0],
                                      .out_length = metric->length[0],
                                      .in_time = metric->time[1],
                                      .in_length = metric->length[1],
                                      .out_via = metric->via[0],
                                      .in_via = metric->via[1]};
    *out = metric;
    return HT_OK;
}

enum ht_status ht_metric_copy(const struct ht_cch *cch, const struct ht_metric *from,
                              struct ht_metric_owned **out)
{
    enum ht_status status = ht__metric_new(cch, out);
    if (status == HT_OK) {
        size_t outs = cch->out.edge_count;
        size_t ins = cch->in.edge_count;
        memcpy((*out)->time[0], from->out_time, outs * sizeof *from->out_time);
        memcpy((*out)->length[0], from->out_length, outs * sizeof *from->out_length);
        memcpy((*out)->time[1], from->in_time, ins * sizeof *from->in_time);
        memcpy((*out)->length[1], from->in_length, ins * sizeof *from->in_length);
        memcpy((*out)->via[0], from->out_via, outs * sizeof *from->out_via);
        memcpy((*out)->via[1], from->in_via, ins * sizeof *from->in_via);
    }
    return status;
}

struct ht_key ht__turn_key(const struct ht_graph *graph, const struct ht_overlay *overlay,
                           uint32_t from, uint32_t turn)
{
    const struct ht_turn *t = &graph->turns[turn];
    const struct ht_arc *arc = &graph->arcs[from];
    uint32_t weight = arc->weight_ms;
    uint32_t duration = arc->duration_ms;
    if (overlay != NULL) {
        if ((overlay->arc_closed != NULL &&
             (overlay->arc_closed[from] || overlay->arc_closed[t->to])) ||
            (overlay->turn_closed != NULL && overlay->turn_closed[turn])) {
            return ht_key_inf();
        }
        if (overlay->arc_weight_ms != NULL) {
            weight = overlay->arc_weight_ms[from];
            duration = overlay->arc_duration_ms[from];
        }
    }
    if (weight >= HT_WEIGHT_INF || t->weight_ms >= HT_WEIGHT_INF - weight) {
        return ht_key_inf();
    }
    return (struct ht_key){.time = ht_time_pack(weight + t->weight_ms, duration + t->duration_ms),
                           .length = arc->length_mm};
}

enum { ARC_BLOCK = 16384 };

/* Each turn's cost to its edge. */
static void place_turns(void *user, size_t piece, size_t worker)
{
    (void)worker;
    struct run *run = user;
    uint32_t first = (uint32_t)piece * ARC_BLOCK;
    uint32_t end = first + ARC_BLOCK;
    end = end < run->graph->arc_count ? end : run->graph->arc_count;
    for (uint32_t arc = first; arc < end; arc++) {
        for (uint32_t t = run->graph->turn_first[arc]; t < run->graph->turn_first[arc + 1]; t++) {
            uint32_t edge = run->cch->turn_edge[t];
            if (edge == HT_NONE) {
                continue;
            }
            struct ht_key key = ht__turn_key(run->graph, run->overlay, arc, t);
            int s = run->cch->rank[arc] < run->cch->rank[run->graph->turns[t].to] ? 0 : 1;
            run->metric->time[s][edge] = key.time;
            run->metric->length[s][edge] = key.length;
        }
    }
}

/* Brings the row of x on side `s` to its final state. Lower vertices are final. For each lower u
 * with an edge of the other side from or to x, the two-edge paths over u are candidates. */
static void pull_row(const struct run *run, const struct ht_lane *lane, uint32_t x, int s)
{
    const struct ht_cch *cch = run->cch;
    const struct ht_cch_side *own = s == 0 ? &cch->out : &cch->in;
    const struct ht_cch_side *other = s == 0 ? &cch->in : &cch->out;
    uint64_t *time = run->metric->time[s];
    uint32_t *length = run->metric->length[s];
    uint32_t *via = run->metric->via[s];
    uint32_t first = own->first[x];
    uint32_t end = own->first[x + 1];
    uint16_t depth = cch->depth[x];
    if (first == end) {
        return;
    }
    for (uint32_t e = first; e < end; e++) {
        lane->time[own->depth[e]] = time[e];
        lane->length[own->depth[e]] = length[e];
        lane->before[own->depth[e]] = HT_NONE;
    }
    for (uint32_t i = other->down_first[x]; i < other->down_first[x + 1]; i++) {
        uint32_t u = other->down[i];
        uint32_t leg = ht_cch_edge(other, u, depth);
        uint64_t leg_time = run->metric->time[1 - s][leg];
        if (!ht_time_finite(leg_time)) {
            continue;
        }
        uint32_t row = own->first[u];
        uint32_t count = 0;
        uint32_t row_end = own->first[u + 1];
        while (row + count < row_end && own->depth[row + count] < depth) {
            count++;
        }
        ht_relax_row_from((struct ht_row){own->depth + row, time + row, length + row, count},
                          (struct ht_key){leg_time, run->metric->length[1 - s][leg]}, *lane, u);
    }
    for (uint32_t e = first; e < end; e++) {
        time[e] = lane->time[own->depth[e]];
        length[e] = lane->length[own->depth[e]];
        via[e] = lane->before[own->depth[e]];
    }
}

static void run_task(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    struct task task = run->tasks[piece];
    for (uint32_t x = task.first; x <= task.root; x++) {
        if (run->size[x] > run->done_below) {
            pull_row(run, &run->lanes[worker], x, 0);
            pull_row(run, &run->lanes[worker], x, 1);
        }
    }
}

/* Largest subtrees of at most `limit` vertices that are not finished: independent of one another.
 */
static void find_tasks(struct run *run, uint32_t limit)
{
    uint32_t n = run->cch->vertex_count;
    run->task_count = 0;
    for (uint32_t v = 0; v < n; v++) {
        uint32_t parent = run->cch->parent[v];
        if (run->size[v] <= limit && run->size[v] > run->done_below &&
            (parent == HT_NONE || run->size[parent] > limit)) {
            run->tasks[run->task_count++] = (struct task){v + 1 - run->size[v], v};
        }
    }
}

static bool run_alloc(struct run *run, struct ht_pool *pool)
{
    uint32_t n = run->cch->vertex_count;
    size_t threads = ht_pool_threads(pool);
    run->size = ht_array_new(n, sizeof *run->size);
    run->tasks = ht_array_new(n, sizeof *run->tasks);
    run->lanes = ht_array_new_zeroed(threads, sizeof *run->lanes);
    bool whole = run->size != NULL && run->tasks != NULL && run->lanes != NULL;
    for (size_t i = 0; whole && i < threads; i++) {
        size_t levels = run->cch->depth_max + UINT32_C(8);
        run->lanes[i].time = ht_array_new_zeroed(levels, sizeof *run->lanes[i].time);
        run->lanes[i].length = ht_array_new_zeroed(levels, sizeof *run->lanes[i].length);
        run->lanes[i].before = ht_array_new_zeroed(levels, sizeof *run->lanes[i].before);
        whole = run->lanes[i].time != NULL && run->lanes[i].length != NULL &&
                run->lanes[i].before != NULL;
    }
    return whole;
}

static void run_free(struct run *run, struct ht_pool *pool)
{
    for (size_t i = 0; run->lanes != NULL && i < ht_pool_threads(pool); i++) {
        free(run->lanes[i].time);
        free(run->lanes[i].length);
        free(run->lanes[i].before);
    }
    free(run->lanes);
    free(run->size);
    free(run->tasks);
}

static void run_all(struct run *run, struct ht_pool *pool)
{
    uint32_t n = run->cch->vertex_count;
    for (int s = 0; s < 2; s++) {
        uint32_t edges = s == 0 ? run->cch->out.edge_count : run->cch->in.edge_count;
        for (uint32_t e = 0; e < edges; e++) {
            run->metric->time[s][e] = HT_TIME_INF;
            run->metric->length[s][e] = 0;
            run->metric->via[s][e] = HT_NONE;
        }
    }
    ht_pool_run(pool, (run->graph->arc_count + ARC_BLOCK - 1) / ARC_BLOCK, place_turns, run);
    for (uint32_t v = 0; v < n; v++) {
        run->size[v] = 1;
    }
    for (uint32_t v = 0; v < n; v++) {
        if (run->cch->parent[v] != HT_NONE) {
            run->size[run->cch->parent[v]] += run->size[v];
        }
    }
    /* rounds of ever larger subtrees; the last is the top of the tree */
    static const uint32_t share[] = {64, 8, 3, 1};
    for (size_t r = 0; r < sizeof share / sizeof share[0]; r++) {
        uint32_t limit = share[r] == 1 ? n : n / share[r];
        if (limit > run->done_below) {
            find_tasks(run, limit);
            ht_pool_run(pool, run->task_count, run_task, run);
            run->done_below = limit;
        }
    }
}

enum ht_status ht_customize(const struct ht_graph *graph, const struct ht_cch *cch,
                            const struct ht_overlay *overlay, struct ht_pool *pool,
                            struct ht_metric_owned **out)
{
    struct ht_pool *own_pool = NULL;
    if (pool == NULL) {
        enum ht_status status = ht_pool_new(1, &own_pool);
        if (status != HT_OK) {
            return status;
        }
        pool = own_pool;
    }
    struct run run = {.graph = graph, .cch = cch, .overlay = overlay};
    enum ht_status status = ht__metric_new(cch, &run.metric);
    if (status == HT_OK) {
        status = run_alloc(&run, pool) ? HT_OK : HT_NOMEM;
    }
    if (status == HT_OK) {
        run_all(&run, pool);
        *out = run.metric;
    } else {
        ht_metric_free(run.metric);
    }
    run_free(&run, pool);
    ht_pool_free(own_pool);
    return status;
}
