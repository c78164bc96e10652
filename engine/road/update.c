#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/metric_internal.h"
#include "engine/road/relax.h"

/* Partial customization. Dirty edges wait in a heap ordered by their lower end, so that an edge is
 * recomputed after all that it is made of, and those of one row together. An edge that really
 * changes may change those that lead over its lower end:
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
    struct ht_lane lane; /* of the row that is recomputed */
    uint32_t *row;       /* its edges that wait */
    size_t row_count;
    size_t row_capacity;
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
    if (!ht__lane_init(&work->lane, cch->depth_max + UINT32_C(8))) {
        ht_update_work_free(work);
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
        ht__lane_deinit(&work->lane);
        free(work->heap);
        free(work->row);
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
    uint32_t turn = ht_graph_turn(u->graph, arc, u->cch->arc[to]);
    return turn == HT_NONE ? ht_key_inf() : ht__turn_key(u->graph, u->overlay, arc, turn);
}

/* An edge that is recomputed: to which depth it leads, and the least cost so far. */
struct anew {
    uint16_t depth;
    struct ht_key key;
    uint32_t via;
};

/* What the edge costs as a turn: where a recomputation begins. */
static struct anew anew_begin(const struct update *u, int s, uint32_t lower, uint32_t edge)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    uint32_t upper = own->head[edge];
    return (struct anew){.depth = own->depth[edge],
                         .key = s == 0 ? turn_key(u, lower, upper) : turn_key(u, upper, lower),
                         .via = HT_NONE};
}

/* Into the lane. */
static void anew_keep(const struct update *u, const struct anew *anew)
{
    const struct ht_lane lane = u->work->lane;
    lane.time[anew->depth] = anew->key.time;
    lane.length[anew->depth] = anew->key.length;
    lane.before[anew->depth] = anew->via;
}

/* The leg of lower triangles over v; HT_NONE: it is closed, or in a file that somebody forged. */
static uint32_t leg_over(const struct update *u, int s, uint32_t v, uint16_t depth)
{
    uint32_t leg = ht_cch_edge(side_of(u->cch, 1 - s), v, depth);
    return leg == HT_NONE || !ht_time_finite(u->metric->time[1 - s][leg]) ? HT_NONE : leg;
}

/* So few that each is looked for in the rows below: a search reads four lines of memory where the
 * row has twenty and more. */
enum { FEW = 3 };

static void recompute_few(const struct update *u, int s, uint32_t lower, const uint32_t *edges,
                          size_t count)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    const struct ht_cch_side *other = side_of(u->cch, 1 - s);
    struct anew anew[FEW];
    for (size_t i = 0; i < count; i++) {
        anew[i] = anew_begin(u, s, lower, edges[i]);
    }
    uint16_t depth = u->cch->depth[lower];
    uint32_t down_end = other->down_first[lower + 1];
    for (uint32_t d = other->down_first[lower]; d < down_end; d++) {
        uint32_t v = other->down[d];
        uint32_t leg = leg_over(u, s, v, depth);
        for (size_t i = 0; i < count && leg != HT_NONE; i++) {
            uint32_t edge = ht_cch_edge(own, v, anew[i].depth);
            if (edge == HT_NONE) {
                continue;
            }
            struct ht_key key = ht_key_add(edge_key(u, 1 - s, leg), edge_key(u, s, edge));
            if (ht_key_less(key, anew[i].key)) {
                anew[i].key = key;
                anew[i].via = v;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        anew_keep(u, &anew[i]);
    }
}

/* The costs anew of some edges of one row, from their turns and lower triangles, into the lane: all
 * of the row's are relaxed, since the rows below are read once for all (2.3 edges of a row change
 * together, of some hundred arcs that are scattered). What the lane says of others is of no
 * meaning. */
static void recompute(const struct update *u, int s, uint32_t lower, const uint32_t *edges,
                      size_t count)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    const struct ht_cch_side *other = side_of(u->cch, 1 - s);
    const struct ht_lane lane = u->work->lane;
    uint16_t depth = u->cch->depth[lower];
    if (count <= FEW) {
        recompute_few(u, s, lower, edges, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct anew anew = anew_begin(u, s, lower, edges[i]);
        anew_keep(u, &anew);
    }
    uint32_t down_end = other->down_first[lower + 1];
    for (uint32_t i = other->down_first[lower]; i < down_end; i++) {
        uint32_t v = other->down[i];
        uint32_t leg = leg_over(u, s, v, depth);
        if (leg == HT_NONE) {
            continue;
        }
        uint32_t first = own->first[v];
        uint32_t end = own->first[v + 1];
        while (end > first && own->depth[end - 1] >= depth) { /* nearer than `lower` itself */
            end--;
        }
        const struct ht_row below = {.depth = own->depth + first,
                                     .time = u->metric->time[s] + first,
                                     .length = u->metric->length[s] + first,
                                     .count = end - first};
        assert(below.time != NULL); /* no brief times in a whole metric */
        ht_relax_row_from(below, edge_key(u, 1 - s, leg), lane, v);
    }
}

/* Edges that may lead over `lower` by way of `edge`, whose cost is `now`: that do, or, unless it
 * `rose`, that want to. */
static enum ht_status spread(struct update *u, int s, uint32_t lower, uint32_t edge,
                             struct ht_key now, bool rose)
{
    const struct ht_cch_side *own = side_of(u->cch, s);
    const struct ht_cch_side *other = side_of(u->cch, 1 - s);
    uint32_t y = own->head[edge];
    enum ht_status status = HT_OK;
    uint32_t end = other->first[lower + 1];
    for (uint32_t i = other->first[lower]; i < end && status == HT_OK; i++) {
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
        if (u->metric->via[side][target] == lower ||
            (!rose &&
             ht_key_less(ht_key_add(edge_key(u, 1 - s, i), now), edge_key(u, side, target)))) {
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

/* Takes all edges of the first row that waits. */
static enum ht_status row_pop(struct update *u, int *s, uint32_t *lower)
{
    struct ht_update_work *work = u->work;
    uint64_t row = work->heap[0] >> 32;
    *lower = (uint32_t)(row >> 1);
    *s = (int)(row & 1);
    work->row_count = 0;
    while (work->count > 0 && work->heap[0] >> 32 == row) {
        void *list = work->row;
        enum ht_status status =
            ht_array_reserve(&list, &work->row_capacity, work->row_count + 1, sizeof *work->row);
        work->row = list;
        if (status != HT_OK) {
            return status;
        }
        uint32_t edge = (uint32_t)pop(work);
        work->waiting[*s][edge / 64] &= ~(UINT64_C(1) << (edge % 64));
        work->row[work->row_count++] = edge;
    }
    return HT_OK;
}

/* Takes over what the lane says of an edge. */
static enum ht_status edge_settle(struct update *u, int s, uint32_t lower, uint32_t edge)
{
    const struct ht_lane lane = u->work->lane;
    uint16_t depth = side_of(u->cch, s)->depth[edge];
    struct ht_key old = edge_key(u, s, edge);
    struct ht_key now = {lane.time[depth], lane.length[depth]};
    uint32_t via = lane.before[depth];
    if (!ht_time_finite(now.time)) {
        now = ht_key_inf();
        via = HT_NONE;
    }
    bool other = now.time != old.time || now.length != old.length;
    enum ht_status status = HT_OK;
    if (other || u->metric->via[s][edge] != via) {
        status = edge_set(u, s, edge, now, via);
    }
    return other && status == HT_OK ? spread(u, s, lower, edge, now, ht_key_less(old, now))
                                    : status;
}

static enum ht_status settle(struct update *u)
{
    struct ht_update_work *work = u->work;
    enum ht_status status = HT_OK;
    while (work->count > 0 && status == HT_OK) {
        uint32_t lower = 0;
        int s = 0;
        status = row_pop(u, &s, &lower);
        if (status == HT_OK) {
            recompute(u, s, lower, work->row, work->row_count);
            u->touched += work->row_count;
        }
        for (size_t i = 0; i < work->row_count && status == HT_OK; i++) {
            status = edge_settle(u, s, lower, work->row[i]);
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
    uint32_t to = u->cch->rank[ht_turn_to(u->graph, from_arc, turn)];
    return push(u, from < to ? 0 : 1, from < to ? from : to, edge);
}

static enum ht_status push_turn_into(struct update *u, uint32_t from_arc, uint32_t to_arc)
{
    uint32_t turn = ht_graph_turn(u->graph, from_arc, to_arc);
    return turn == HT_NONE ? HT_OK : push_turn(u, from_arc, turn);
}

/* The turns into an arc from one before it and its copies. */
static enum ht_status push_turns_into(struct update *u, uint32_t in, uint32_t arc)
{
    const uint32_t *copies = NULL;
    uint32_t count = ht_graph_copies(u->graph, in, &copies);
    enum ht_status status = push_turn_into(u, in, arc);
    for (uint32_t c = 0; c < count && status == HT_OK; c++) {
        status = push_turn_into(u, copies[c], arc);
    }
    return status;
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
    for (uint32_t out = graph->junction_first_out[tail];
         out < graph->junction_first_out[tail + 1] && status == HT_OK; out++) {
        uint32_t in = graph->arcs[out].reverse;
        status = in == HT_NONE ? HT_OK : push_turns_into(u, in, arc);
    }
    for (uint32_t i = graph->junction_first_in[tail];
         i < graph->junction_first_in[tail + 1] && status == HT_OK; i++) {
        uint32_t in = graph->junction_in[i];
        status = graph->arcs[in].reverse != HT_NONE ? HT_OK : push_turns_into(u, in, arc);
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
