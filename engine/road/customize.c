#include "engine/road/customize.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/metric_internal.h"
#include "engine/road/relax.h"

struct run {
    const struct ht_graph *graph;
    const struct ht_cch *cch;
    const struct ht_overlay *overlay;
    struct ht_metric_owned *metric;
    struct ht__subtrees trees;
    struct ht_lane *lanes; /* one for each thread */
};

void ht_metric_free(struct ht_metric_owned *metric)
{
    if (metric == NULL) {
        return;
    }
    for (int s = 0; s < 2; s++) {
        free(metric->depth[s]);
        free(metric->time[s]);
        free(metric->brief[s]);
        free(metric->wide[s]);
        free(metric->length[s]);
        free(metric->via[s]);
        free(metric->step[s]);
        free(metric->far[s]);
    }
    free(metric->climb);
    free(metric->far_parent);
    free(metric);
}

const struct ht_metric *ht_metric_view(const struct ht_metric_owned *metric)
{
    return &metric->view;
}

void ht__metric_attach(struct ht_metric_owned *metric, const struct ht_cch *cch)
{
    metric->view.vertex_count = cch->vertex_count;
    metric->view.climb = metric->climb;
    metric->view.far_parent = metric->far_parent;
    metric->view.far_parent_count = metric->far_parent_count;
    for (int s = 0; s < 2; s++) {
        const struct ht_cch_side *side = s == 0 ? &cch->out : &cch->in;
        metric->view.side[s] = (struct ht_metric_side){
            .edge_count = metric->climb[cch->vertex_count].first[s],
            .wide_count = metric->wide_count[s],
            .far_count = metric->far_count[s],
            .depth = metric->depth[s] != NULL ? metric->depth[s] : side->depth,
            .time = metric->time[s],
            .brief = metric->brief[s],
            .wide = metric->wide[s],
            .length = metric->length[s],
            .via = metric->via[s],
            .step = metric->step[s],
            .far = metric->far[s]};
    }
}

uint32_t ht_metric_far_parent(const struct ht_metric *metric, uint32_t vertex)
{
    uint32_t low = 0;
    uint32_t high = metric->far_parent_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (metric->far_parent[middle].vertex < vertex) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < metric->far_parent_count && metric->far_parent[low].vertex == vertex;
    return found ? metric->far_parent[low].parent : HT_NONE;
}

static bool is_far(const struct ht_cch *cch, uint32_t vertex)
{
    return cch->parent[vertex] != HT_NONE && cch->parent[vertex] - vertex >= HT_CLIMB_FAR;
}

/* Where searches climb to. */
static enum ht_status climb_init(struct ht_metric_owned *metric, const struct ht_cch *cch)
{
    uint32_t n = cch->vertex_count;
    uint32_t far = 0;
    for (uint32_t v = 0; v < n; v++) {
        far += is_far(cch, v);
    }
    metric->far_parent = ht_array_new(far, sizeof *metric->far_parent);
    if (metric->far_parent == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v <= n; v++) {
        struct ht_climb *climb = &metric->climb[v];
        *climb = (struct ht_climb){.first = {cch->out.first[v], cch->in.first[v]}};
        if (v == n) {
            break;
        }
        climb->depth = cch->depth[v];
        if (is_far(cch, v)) {
            climb->up = HT_CLIMB_FAR;
            metric->far_parent[metric->far_parent_count++] =
                (struct ht_far_parent){v, cch->parent[v]};
        } else if (cch->parent[v] != HT_NONE) {
            climb->up = (uint16_t)(cch->parent[v] - v);
        }
    }
    return HT_OK;
}

enum ht_status ht__metric_new(const struct ht_cch *cch, struct ht_metric_owned **out)
{
    struct ht_metric_owned *metric = calloc(1, sizeof *metric);
    if (metric == NULL) {
        return HT_NOMEM;
    }
    uint32_t n = cch->vertex_count;
    metric->climb = ht_array_new((size_t)n + 1, sizeof *metric->climb);
    bool whole = metric->climb != NULL;
    for (int s = 0; s < 2; s++) {
        uint32_t edges = s == 0 ? cch->out.edge_count : cch->in.edge_count;
        metric->time[s] = ht_array_new(edges, sizeof *metric->time[s]);
        metric->length[s] = ht_array_new(edges, sizeof *metric->length[s]);
        metric->via[s] = ht_array_new(edges, sizeof *metric->via[s]);
        whole =
            whole && metric->time[s] != NULL && metric->length[s] != NULL && metric->via[s] != NULL;
    }
    if (!whole || climb_init(metric, cch) != HT_OK) {
        ht_metric_free(metric);
        return HT_NOMEM;
    }
    ht__metric_attach(metric, cch);
    *out = metric;
    return HT_OK;
}

enum ht_status ht_metric_copy(const struct ht_cch *cch, const struct ht_metric_owned *metric,
                              struct ht_metric_owned **out)
{
    struct ht_metric_owned *copy = NULL;
    enum ht_status status = ht__metric_new(cch, &copy);
    if (status != HT_OK) {
        return status;
    }
    for (int s = 0; s < 2; s++) {
        size_t edges = metric->view.side[s].edge_count;
        memcpy(copy->time[s], metric->time[s], edges * sizeof *copy->time[s]);
        memcpy(copy->length[s], metric->length[s], edges * sizeof *copy->length[s]);
        memcpy(copy->via[s], metric->via[s], edges * sizeof *copy->via[s]);
    }
    *out = copy;
    return HT_OK;
}

struct ht_key ht__turn_key(const struct ht_graph *graph, const struct ht_overlay *overlay,
                           uint32_t from, uint32_t turn)
{
    struct ht_turn t = ht_turn_at(graph, from, turn);
    const struct ht_arc *arc = &graph->arcs[from];
    uint32_t weight = arc->weight_ms;
    uint32_t duration = arc->duration_ms;
    if (overlay != NULL) {
        if ((overlay->arc_closed != NULL &&
             (overlay->arc_closed[from] || overlay->arc_closed[t.to])) ||
            (overlay->turn_closed != NULL && overlay->turn_closed[turn])) {
            return ht_key_inf();
        }
        if (overlay->arc_weight_ms != NULL) {
            weight = overlay->arc_weight_ms[from];
            duration = overlay->arc_duration_ms[from];
        }
    }
    if (weight >= HT_WEIGHT_INF || t.weight_ms >= HT_WEIGHT_INF - weight) {
        return ht_key_inf();
    }
    return (struct ht_key){.time = ht_time_pack(weight + t.weight_ms, duration + t.duration_ms),
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
            int s = run->cch->rank[arc] < run->cch->rank[ht_turn_to(run->graph, arc, t)] ? 0 : 1;
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
        if (leg == HT_NONE) { /* only in a file that somebody forged */
            continue;
        }
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
        struct ht_row below = {
            .depth = own->depth + row, .time = time + row, .length = length + row, .count = count};
        assert(below.time != NULL); /* no brief times before ht_metric_trim */
        ht_relax_row_from(below, (struct ht_key){leg_time, run->metric->length[1 - s][leg]}, *lane,
                          u);
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
    struct ht__subtree task = run->trees.tasks[piece];
    for (uint32_t x = task.first; x <= task.root; x++) {
        if (run->trees.size[x] > run->trees.done) {
            pull_row(run, &run->lanes[worker], x, 0);
            pull_row(run, &run->lanes[worker], x, 1);
        }
    }
}

enum ht_status ht__subtrees_init(struct ht__subtrees *trees, const struct ht_cch *cch)
{
    uint32_t n = cch->vertex_count;
    trees->size = ht_array_new(n, sizeof *trees->size);
    trees->tasks = ht_array_new(n, sizeof *trees->tasks);
    if (trees->size == NULL || trees->tasks == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < n; v++) {
        trees->size[v] = 1;
    }
    for (uint32_t v = 0; v < n; v++) {
        if (cch->parent[v] != HT_NONE) {
            trees->size[cch->parent[v]] += trees->size[v];
        }
    }
    return HT_OK;
}

void ht__subtrees_deinit(struct ht__subtrees *trees)
{
    free(trees->size);
    free(trees->tasks);
}

/* Largest subtrees of at most so many vertices: independent of one another. */
void ht__subtrees_round(struct ht__subtrees *trees, const struct ht_cch *cch, int round)
{
    static const uint32_t share[HT__ROUNDS] = {64, 8, 3, 1};
    uint32_t n = cch->vertex_count;
    uint32_t most = n / share[round];
    trees->done = round == 0 ? 0 : n / share[round - 1];
    trees->task_count = 0;
    for (uint32_t v = 0; v < n; v++) {
        uint32_t parent = cch->parent[v];
        if (trees->size[v] <= most && trees->size[v] > trees->done &&
            (parent == HT_NONE || trees->size[parent] > most)) {
            trees->tasks[trees->task_count++] = (struct ht__subtree){v + 1 - trees->size[v], v};
        }
    }
}

bool ht__lane_init(struct ht_lane *lane, uint32_t levels)
{
    lane->time = ht_array_new_zeroed(levels, sizeof *lane->time);
    lane->length = ht_array_new_zeroed(levels, sizeof *lane->length);
    lane->before = ht_array_new_zeroed(levels, sizeof *lane->before);
    return lane->time != NULL && lane->length != NULL && lane->before != NULL;
}

void ht__lane_deinit(struct ht_lane *lane)
{
    free(lane->time);
    free(lane->length);
    free(lane->before);
}

static bool run_alloc(struct run *run, struct ht_pool *pool)
{
    size_t threads = ht_pool_threads(pool);
    run->lanes = ht_array_new_zeroed(threads, sizeof *run->lanes);
    bool whole = run->lanes != NULL && ht__subtrees_init(&run->trees, run->cch) == HT_OK;
    for (size_t i = 0; whole && i < threads; i++) {
        whole = ht__lane_init(&run->lanes[i], run->cch->depth_max + UINT32_C(8));
    }
    return whole;
}

static void run_free(struct run *run, struct ht_pool *pool)
{
    for (size_t i = 0; run->lanes != NULL && i < ht_pool_threads(pool); i++) {
        ht__lane_deinit(&run->lanes[i]);
    }
    free(run->lanes);
    ht__subtrees_deinit(&run->trees);
}

static void run_all(struct run *run, struct ht_pool *pool)
{
    for (int s = 0; s < 2; s++) {
        uint32_t edges = s == 0 ? run->cch->out.edge_count : run->cch->in.edge_count;
        for (uint32_t e = 0; e < edges; e++) {
            run->metric->time[s][e] = HT_TIME_INF;
            run->metric->length[s][e] = 0;
            run->metric->via[s][e] = HT_NONE;
        }
    }
    ht_pool_run(pool, (run->graph->arc_count + ARC_BLOCK - 1) / ARC_BLOCK, place_turns, run);
    for (int round = 0; round < HT__ROUNDS; round++) {
        ht__subtrees_round(&run->trees, run->cch, round);
        ht_pool_run(pool, run->trees.task_count, run_task, run);
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
