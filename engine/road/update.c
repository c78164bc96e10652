#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/metric_internal.h"

/* Partial customization. Dirty edges wait in a heap ordered by their lower end, so that an edge is
 * recomputed after all that it is made of. An edge that really changes may change those that lead
 * over its lower end:
 *
 *        y                 x -> y changed: for each z with z -> x (stored at x), the edge z -> y
 * may have / \                gone over x, or may want to now z - x
 */

/* What an edge was. */
struct before {
    uint64_t time;
    uint32_t length;
    uint32_t via;
    uint32_t edge;
    uint32_t side;
};

struct ht_update_work {
    uint64_t *heap; /* lower end << 33 | side << 32 | edge */
    size_t count;
    size_t capacity;
    uint64_t *waiting[2]; /* bit sets of edges in the heap */
    uint32_t edges[2];
    bool logs;
    struct before *log;
    size_t log_count;
    size_t log_capacity;
};

struct update {
    const struct ht_graph *graph;
    const struct ht_cch *cch;
    const struct ht_overlay *overlay;
    struct ht_update_work *work;
    struct ht_metric_owned *metric;
    size_t touched;
};

enum ht_status ht_update_work_new(const struct ht_cch *cch, struct ht_update_work **out)
{
    struct ht_update_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return HT_NOMEM;
    }
    for (int s = 0; s < 2; s++) {
        work->edges[s] = s == 0 ? cch->out.edge_count : cch->in.edge_count;
        work->waiting[s] =
            ht_array_new_zeroed(work->edges[s] / 64 + UINT32_C(1), sizeof *work->waiting[s]);
        if (work->waiting[s] == NULL) {
            ht_update_work_free(work);
            return HT_NOMEM;
        }
    }
    *out = work;
    return HT_OK;
}

void ht_update_work_free(struct ht_update_work *work)
{
    if (work != NULL) {
        free(work->heap);
        free(work->log);
        free(work->waiting[0]);
        free(work->waiting[1]);
        free(work);
    }
}

void ht_update_log_begin(struct ht_update_work *work)
{
    work->logs = true;
    work->log_count = 0;
}

void ht_update_log_undo(struct ht_update_work *work, struct ht_metric_owned *metric)
{
    while (work->log_count > 0) { /* the oldest last: an edge may have changed twice */
        const struct before *b = &work->log[--work->log_count];
        metric->time[b->side][b->edge] = b->time;
        metric->length[b->side][b->edge] = b->length;
        metric->via[b->side][b->edge] = b->via;
    }
    work->logs = false;
}

static const struct ht_cch_side *side_of(const struct ht_cch *cch, int s)
{
    return s == 0 ? &cch->out : &cch->in;
}

static enum ht_status push(struct update *u, int s, uint32_t lower, uint32_t edge)
{
    struct ht_update_work *work = u->work;
    uint64_t bit = UINT64_C(1) << (edge % 64);
    if (work->waiting[s][edge / 64] & bit) {
        return HT_OK;
    }
    void *heap = work->heap;
    enum ht_status status =
        ht_array_reserve(&heap, &work->capacity, work->count + 1, sizeof *work->heap);
    work->heap = heap;
    if (status != HT_OK) {
        return status;
    }
    work->waiting[s][edge / 64] |= bit;
    uint64_t item = (uint64_t)lower << 33 | (uint64_t)s << 32 | edge;
    size_t i = work->count++;
    while (i > 0 && item < work->heap[(i - 1) / 2]) {
        work->heap[i] = work->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    work->heap[i] = item;
    return HT_OK;
}

static uint64_t pop(struct ht_update_work *work)
{
    uint64_t top = work->heap[0];
    uint64_t last = work->heap[--work->count];
    size_t i = 0;
    for (size_t child = 1; child < work->count; child = 2 * i + 1) {
        child += child + 1 < work->count && work->heap[child + 1] < work->heap[child];
        if (work->heap[child] >= last) {
            break;
        }
        work->heap[i] = work->heap[child];
        i = child;
    }
    if (work->count > 0) {
        work->heap[i] = last;
    }
    return top;
}

static struct ht_key edge_key(const struct update *u, int s, uint32_t edge)
{
    return (struct ht_key){u->metric->time[s][edge], u->metric->length[s][edge]};
}

/* The edge from -> to between two vertices, and where it lies; HT_NONE: there is none. */
static uint32_t edge_between(const struct update *u, uint32_t from, uint32_t to, int *s)
{
    *s = from < to ? 0 : 1;
    uint32_t lower = from < to ? from : to;
    uint32_t upper = from < to ? to : from;
    return ht_cch_edge(side_of(u->cch, *s), lower, u->cch->depth[upper]);
}

/* What the edge costs as a turn. */
static struct ht_key turn_key(const struct update *u, uint32_t from, uint32_t to)
{
    uint32_t arc = u->cch->arc[from];
    const struct ht_turn *turn = ht_graph_turn(u->graph, arc, u->cch->arc[to]);
    return turn == NULL
               ? ht_key_inf()
               : ht__turn_key(u->graph, u->overlay, arc, (uint32_t)(turn - u->graph->turns));
}

/* The edge's cost anew, from its turn and its lower triangles. */
static struct ht_key recompute(const struct update *u, int s, uint32_t lower, uint32_t edge,
                               uint32_t *via)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    const struct ht_cch_side *other = side_of(u->cch, 1 - s);
    uint32_t upper = own->head[edge];
    uint16_t lower_depth = u->cch->depth[lower];
    struct ht_key best = s == 0 ? turn_key(u, lower, upper) : turn_key(u, upper, lower);
    *via = HT_NONE;
    /* v below `lower`: an edge of the other side to lower, one of this side to upper; both lists
     * ascend */
    uint32_t i = other->down_first[lower];
    uint32_t k = own->down_first[upper];
    uint32_t i_end = other->down_first[lower + 1];
    uint32_t k_end = own->down_first[upper + 1];
    while (i < i_end && k < k_end) {
        uint32_t v = other->down[i];
        uint32_t w = own->down[k];
        i += v <= w;
        k += w <= v;
        if (v != w) {
            continue;
        }
        uint32_t first = ht_cch_edge(other, v, lower_depth);
        uint32_t second = ht_cch_edge(own, v, u->cch->depth[upper]);
        if (first == HT_NONE || second == HT_NONE) { /* only in a file that somebody forged */
            continue;
        }
        struct ht_key sum = ht_key_add(edge_key(u, 1 - s, first), edge_key(u, s, second));
        if (ht_key_less(sum, best)) {
            best = sum;
            *via = v;
        }
    }
    return best;
}

/* Edges that may lead over `lower` by way of `edge`, whose cost went from `old` to `now`. */
static enum ht_status spread(struct update *u, int s, uint32_t lower, uint32_t edge,
                             struct ht_key now)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    const struct ht_cch_side *other = side_of(u->cch, 1 - s);
    uint32_t y = own->head[edge];
    enum ht_status status = HT_OK;
    for (uint32_t i = other->first[lower]; i < other->first[lower + 1] && status == HT_OK; i++) {
        uint32_t z = other->head[i];
        if (z == y) {
            continue;
        }
        int side = 0;
        uint32_t from = s == 0 ? z : y;
        uint32_t to = s == 0 ? y : z;
        uint32_t target = edge_between(u, from, to, &side);
        if (target == HT_NONE) {
            continue;
        }
        struct ht_key sum = ht_key_add(edge_key(u, 1 - s, i), now);
        if (u->metric->via[side][target] == lower || ht_key_less(sum, edge_key(u, side, target))) {
            status = push(u, side, from < to ? from : to, target);
        }
    }
    return status;
}

/* Sets an edge. HT_NOMEM: it is as it was. */
static enum ht_status edge_set(struct update *u, int s, uint32_t edge, struct ht_key now,
                               uint32_t via)
{
    struct ht_update_work *work = u->work;
    if (work->logs) {
        void *log = work->log;
        enum ht_status status =
            ht_array_reserve(&log, &work->log_capacity, work->log_count + 1, sizeof *work->log);
        work->log = log;
        if (status != HT_OK) {
            return status;
        }
        work->log[work->log_count++] =
            (struct before){u->metric->time[s][edge], u->metric->length[s][edge],
                            u->metric->via[s][edge], edge, (uint32_t)s};
    }
    u->metric->time[s][edge] = now.time;
    u->metric->length[s][edge] = now.length;
    u->metric->via[s][edge] = via;
    return HT_OK;
}

static enum ht_status settle(struct update *u)
{
    enum ht_status status = HT_OK;
    while (u->work->count > 0 && status == HT_OK) {
        uint64_t item = pop(u->work);
        uint32_t lower = (uint32_t)(item >> 33);
        int s = (int)(item >> 32 & 1);
        uint32_t edge = (uint32_t)item;
        u->work->waiting[s][edge / 64] &= ~(UINT64_C(1) << (edge % 64));
        struct ht_key old = edge_key(u, s, edge);
        uint32_t via = HT_NONE;
        struct ht_key now = recompute(u, s, lower, edge, &via);
        u->touched++;
        if (!ht_time_finite(now.time)) {
            now = ht_key_inf();
            via = HT_NONE;
        }
        bool other = now.time != old.time || now.length != old.length;
        if (other || u->metric->via[s][edge] != via) {
            status = edge_set(u, s, edge, now, via);
        }
        if (other && status == HT_OK) {
            status = spread(u, s, lower, edge, now);
        }
    }
    return status;
}

static enum ht_status push_turn(struct update *u, uint32_t from_arc, uint32_t turn)
{
    uint32_t edge = u->cch->turn_edge[turn];
    if (edge == HT_NONE) {
        return HT_OK;
    }
    uint32_t from = u->cch->rank[from_arc];
    uint32_t to = u->cch->rank[u->graph->turns[turn].to];
    return push(u, from < to ? 0 : 1, from < to ? from : to, edge);
}

static enum ht_status push_turn_into(struct update *u, uint32_t from_arc, uint32_t to_arc)
{
    const struct ht_turn *turn = ht_graph_turn(u->graph, from_arc, to_arc);
    return turn == NULL ? HT_OK : push_turn(u, from_arc, (uint32_t)(turn - u->graph->turns));
}

static enum ht_status push_arc(struct update *u, uint32_t arc)
{
    const struct ht_graph *graph = u->graph;
    enum ht_status status = HT_OK;
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1] && status == HT_OK;
         t++) {
        status = push_turn(u, arc, t);
    }
    uint32_t tail = graph->arcs[arc].tail;
    for (uint32_t i = graph->junction_first_in[tail];
         i < graph->junction_first_in[tail + 1] && status == HT_OK; i++) {
        uint32_t in = graph->junction_in[i];
        const uint32_t *copies = NULL;
        uint32_t count = ht_graph_copies(graph, in, &copies);
        status = push_turn_into(u, in, arc);
        for (uint32_t c = 0; c < count && status == HT_OK; c++) {
            status = push_turn_into(u, copies[c], arc);
        }
    }
    return status;
}

// NOLINTNEXTLINE(readability-function-size): what changed, where, and into what
enum ht_status ht_metric_update(const struct ht_graph *graph, const struct ht_cch *cch,
                                const struct ht_overlay *overlay, const uint32_t *arcs,
                                size_t arc_count, struct ht_update_work *work,
                                struct ht_metric_owned *metric, size_t *touched)
{
    assert(metric->depth[0] == NULL && metric->depth[1] == NULL); /* not trimmed */
    struct update u = {graph, cch, overlay, work, metric, 0};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < arc_count && status == HT_OK; i++) {
        status = push_arc(&u, arcs[i]);
    }
    if (status == HT_OK) {
        status = settle(&u);
    }
    if (status != HT_OK) { /* out of memory half way: nothing may stay marked */
        work->count = 0;
        for (int s = 0; s < 2; s++) {
            memset(work->waiting[s], 0,
                   (work->edges[s] / 64 + UINT32_C(1)) * sizeof *work->waiting[s]);
        }
    }
    if (touched != NULL) {
        *touched = u.touched;
    }
    return status;
}
