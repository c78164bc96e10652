#include "engine/road/order.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cell.h"

/* Cells of more junctions than this are cut with their directions tried in parallel; smaller ones
 * are taken whole by one thread each. */
enum { SMALL_CELL = 40000 };

struct job {
    struct ht_cell *cell;
    uint32_t rank_end; /* one past the highest rank of its arcs */
};

struct order {
    struct ht_streets streets;
    const struct ht_graph *graph;
    uint32_t *rank_to_arc;
    struct job *jobs; /* cells waiting for a thread of their own */
    size_t job_count;
    size_t job_capacity;
    struct ht_pool *pool;
    atomic_bool failed;
    atomic_uint_least64_t top; /* of the largest cell cut: junctions << 32 | streets crossed */
};

/* Arcs of a cut take the highest ranks that are left; returns what remains. All that lead one way
 * come before all that lead back: a vertex on one side has out-edges to the former and in-edges
 * from the latter only, so each of its rows is one run. */
static uint32_t place_cut(struct order *order, const struct ht_cell_cut *cut, uint32_t rank_end)
{
    const struct ht_streets *streets = &order->streets;
    for (int way = 0; way < 2; way++) {
        for (uint32_t i = 0; i < cut->street_count; i++) {
            uint32_t street = cut->streets[i].street;
            for (uint32_t k = streets->first[street]; k < streets->first[street + 1]; k++) {
                uint32_t arc = streets->arcs[k];
                bool from_first = order->graph->arcs[arc].tail == streets->ends[street][0];
                if ((from_first != cut->streets[i].flipped) == (way == 0)) {
                    order->rank_to_arc[--rank_end] = arc;
                }
            }
        }
    }
    return rank_end;
}

static void note_cut(struct order *order, uint32_t junctions, uint32_t streets)
{
    uint64_t mine = (uint64_t)junctions << 32 | streets;
    uint64_t seen = atomic_load(&order->top);
    while (streets > 0 && mine > seen && !atomic_compare_exchange_weak(&order->top, &seen, mine)) {
    }
}

struct part {
    struct ht_cell *cell;
    uint32_t rank_end;
};

/* Cuts a cell in two (or takes its components apart), places what was cut; frees the cell. */
static enum ht_status split(struct order *order, struct ht_cell *cell, uint32_t rank_end,
                            struct ht_pool *pool, struct part parts[2])
{
    struct ht_cell_cut cut = {0};
    enum ht_status status = ht_cell_split(cell, pool, &cut);
    uint32_t junctions = ht_cell_junctions(cell);
    ht_cell_free(cell);
    if (status != HT_OK) {
        return status;
    }
    note_cut(order, junctions, cut.street_count);
    rank_end = place_cut(order, &cut, rank_end);
    free(cut.streets);
    parts[0] = (struct part){.cell = cut.side[0], .rank_end = rank_end};
    uint32_t arcs = cut.side[0] == NULL ? 0 : ht_cell_arcs(cut.side[0], &order->streets);
    parts[1] = (struct part){.cell = cut.side[1], .rank_end = rank_end - arcs};
    return HT_OK;
}

/* The rest of a cell, depth first on one thread. The stack never holds more than one cell a level.
 */
static enum ht_status dissect(struct order *order, struct ht_cell *cell, uint32_t rank_end)
{
    if (cell == NULL || ht_cell_arcs(cell, &order->streets) == 0) {
        ht_cell_free(cell);
        return HT_OK;
    }
    struct part parts[2];
    enum ht_status status = split(order, cell, rank_end, NULL, parts);
    if (status != HT_OK) {
        return status;
    }
    status = dissect(order, parts[0].cell, parts[0].rank_end);
    if (status != HT_OK) {
        ht_cell_free(parts[1].cell);
        return status;
    }
    return dissect(order, parts[1].cell, parts[1].rank_end);
}

static void run_job(void *user, size_t piece, size_t worker)
{
    (void)worker;
    struct order *order = user;
    struct job job = order->jobs[piece];
    order->jobs[piece].cell = NULL;
    if (dissect(order, job.cell, job.rank_end) != HT_OK) {
        atomic_store(&order->failed, true);
    }
}

static enum ht_status add_job(struct order *order, struct ht_cell *cell, uint32_t rank_end)
{
    void *jobs = order->jobs;
    enum ht_status status =
        ht_array_reserve(&jobs, &order->job_capacity, order->job_count + 1, sizeof *order->jobs);
    order->jobs = jobs;
    if (status == HT_OK) {
        order->jobs[order->job_count++] = (struct job){.cell = cell, .rank_end = rank_end};
    } else {
        ht_cell_free(cell);
    }
    return status;
}

/* Large cells one after the other, their parts put up as jobs once they are small. */
static enum ht_status dissect_large(struct order *order, struct ht_cell *cell, uint32_t rank_end)
{
    if (cell == NULL) {
        return HT_OK;
    }
    if (ht_cell_junctions(cell) <= SMALL_CELL) {
        return add_job(order, cell, rank_end);
    }
    struct part parts[2];
    enum ht_status status = split(order, cell, rank_end, order->pool, parts);
    if (status != HT_OK) {
        return status;
    }
    status = dissect_large(order, parts[0].cell, parts[0].rank_end);
    if (status != HT_OK) {
        ht_cell_free(parts[1].cell);
        return status;
    }
    return dissect_large(order, parts[1].cell, parts[1].rank_end);
}

static int compare_jobs(const void *a, const void *b)
{
    uint32_t left = ht_cell_junctions(((const struct job *)a)->cell);
    uint32_t right = ht_cell_junctions(((const struct job *)b)->cell);
    return left < right ? 1 : left > right ? -1 : 0;
}

static enum ht_status run(struct order *order, const struct ht_network *network,
                          const struct ht_graph *graph)
{
    struct ht_cell *all = NULL;
    enum ht_status status = ht_cell_all(network, graph, &order->streets, &all);
    if (status != HT_OK) {
        return status;
    }
    /* loops (both ends in one junction) cut nothing: they come first */
    uint32_t loops = 0;
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        if (graph->arcs[a].tail == graph->arcs[a].head) {
            order->rank_to_arc[loops++] = a;
        }
    }
    status = dissect_large(order, all, graph->arc_count);
    if (status == HT_OK && order->job_count > 0) {
        qsort(order->jobs, order->job_count, sizeof *order->jobs, compare_jobs);
        ht_pool_run(order->pool, order->job_count, run_job, order);
        status = atomic_load(&order->failed) ? HT_NOMEM : HT_OK;
    }
    for (size_t i = 0; i < order->job_count; i++) {
        ht_cell_free(order->jobs[i].cell);
    }
    return status;
}

enum ht_status
ht_order_compute(const struct ht_network *network, const struct ht_graph *graph,
                 // NOLINTNEXTLINE(readability-non-const-parameter): through struct order
                 struct ht_pool *pool, uint32_t *rank_to_arc, struct ht_order_stats *stats)
{
    struct order order = {.pool = pool, .graph = graph, .rank_to_arc = rank_to_arc};
    atomic_init(&order.failed, false);
    atomic_init(&order.top, 0);
    enum ht_status status = ht_streets_init(&order.streets, graph);
    if (status == HT_OK) {
        status = run(&order, network, graph);
        stats->top_cut_streets = (uint32_t)atomic_load(&order.top);
    }
    free(order.jobs);
    ht_streets_deinit(&order.streets);
    return status;
}
