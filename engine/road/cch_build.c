#include "engine/road/cch_build.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

/* One side's edges while they grow. */
struct grow_side {
    uint32_t *first;
    uint32_t *head;
    uint16_t *depth;
    uint32_t *chain;      /* [edge] next edge with the same head */
    uint32_t *chain_head; /* [vertex] last edge into it so far */
    size_t count;
    size_t head_capacity;
    size_t depth_capacity;
    size_t chain_capacity;
};

struct ht_cch_owned {
    struct ht_cch view;
    uint32_t *rank;
    uint32_t *arc;
    uint32_t *parent;
    uint16_t *depth;
    uint32_t *turn_edge;
    struct grow_side side[2]; /* out, in */
    uint32_t *down_first[2];
    uint32_t *down[2];
};

/* The turns seen from their heads. */
struct reverse_turns {
    uint32_t *first;
    uint32_t *from;
};

/* Marks of one row under construction: depths seen, and which. */
struct row {
    uint32_t *stamp;
    uint32_t round;
    uint16_t *list;
    uint32_t count;
};

struct build {
    const struct ht_graph *graph;
    struct ht_cch_owned *cch;
    struct reverse_turns reverse;
    struct row row;
    uint32_t *ancestor; /* by depth: the vertices above the current one */
    uint64_t triangles;
};

void ht_cch_owned_free(struct ht_cch_owned *cch)
{
    if (cch == NULL) {
        return;
    }
    free(cch->rank);
    free(cch->arc);
    free(cch->parent);
    free(cch->depth);
    free(cch->turn_edge);
    for (int s = 0; s < 2; s++) {
        free(cch->side[s].first);
        free(cch->side[s].head);
        free(cch->side[s].depth);
        free(cch->side[s].chain);
        free(cch->side[s].chain_head);
        free(cch->down_first[s]);
        free(cch->down[s]);
    }
    free(cch);
}

const struct ht_cch *ht_cch_view(const struct ht_cch_owned *cch)
{
    return &cch->view;
}

static enum ht_status reverse_turns_init(struct reverse_turns *reverse,
                                         const struct ht_graph *graph)
{
    reverse->first = ht_array_new_zeroed((size_t)graph->arc_count + 1, sizeof *reverse->first);
    reverse->from = ht_array_new(graph->turn_count, sizeof *reverse->from);
    if (reverse->first == NULL || reverse->from == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t a = 0; a < graph->arc_count; a++) {
        for (uint32_t t = graph->turn_first[a]; t < graph->turn_first[a + 1]; t++) {
            reverse->first[ht_turn_to(graph, a, t)]++;
        }
    }
    uint32_t sum = 0;
    for (uint32_t a = 0; a <= graph->arc_count; a++) {
        sum += a < graph->arc_count ? reverse->first[a] : 0;
        reverse->first[a] = sum; /* the end; counted down to the start below */
    }
    for (uint32_t a = graph->arc_count; a-- > 0;) {
        for (uint32_t t = graph->turn_first[a]; t < graph->turn_first[a + 1]; t++) {
            reverse->from[--reverse->first[ht_turn_to(graph, a, t)]] = a;
        }
    }
    return HT_OK;
}

/* Liu's elimination tree over the undirected neighbours, in ranks. */
static enum ht_status elimination_tree(const struct build *b)
{
    struct ht_cch_owned *cch = b->cch;
    uint32_t n = b->graph->arc_count;
    uint32_t *up = ht_array_new(n, sizeof *up); /* compressed ancestors */
    if (up == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < n; v++) {
        cch->parent[v] = HT_NONE;
        up[v] = HT_NONE;
        uint32_t arc = cch->arc[v];
        uint32_t outs = b->graph->turn_first[arc + 1] - b->graph->turn_first[arc];
        uint32_t ins = b->reverse.first[arc + 1] - b->reverse.first[arc];
        for (uint32_t i = 0; i < outs + ins; i++) {
            uint32_t neighbour = i < outs ? ht_turn_to(b->graph, arc, b->graph->turn_first[arc] + i)
                                          : b->reverse.from[b->reverse.first[arc] + i - outs];
            uint32_t r = cch->rank[neighbour];
            while (r < v) {
                uint32_t next = up[r];
                up[r] = v;
                if (next == HT_NONE) {
                    cch->parent[r] = v;
                }
                if (next == v) {
                    break;
                }
                r = next; /* HT_NONE is not below v: ends */
            }
        }
    }
    free(up);
    return HT_OK;
}

/* Ranks become a post-order of the tree, so that each subtree is one interval. */
static enum ht_status renumber_post_order(struct ht_cch_owned *cch, uint32_t n)
{
    uint32_t *size = ht_array_new(n, sizeof *size);
    uint32_t *next =
        ht_array_new(n, sizeof *next); /* rank that the next finished child's subtree ends at */
    uint32_t *arc = ht_array_new(n, sizeof *arc);
    uint32_t *parent = ht_array_new(n, sizeof *parent);
    if (size == NULL || next == NULL || arc == NULL || parent == NULL) {
        free(size);
        free(next);
        free(arc);
        free(parent);
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < n; v++) {
        size[v] = 1;
    }
    for (uint32_t v = 0; v < n; v++) {
        if (cch->parent[v] != HT_NONE) {
            size[cch->parent[v]] += size[v];
        }
    }
    /* from the top: a vertex takes the last rank of its interval, its children share the rest */
    uint32_t roots_end = n;
    uint32_t *rank = size; /* reused once a vertex is placed */
    for (uint32_t v = n; v-- > 0;) {
        uint32_t end = cch->parent[v] == HT_NONE ? roots_end : next[cch->parent[v]];
        uint32_t mine = end - 1;
        if (cch->parent[v] == HT_NONE) {
            roots_end -= size[v];
        } else {
            next[cch->parent[v]] -= size[v];
        }
        next[v] = mine;
        rank[v] = mine;
        arc[mine] = cch->arc[v];
        parent[mine] = cch->parent[v] == HT_NONE ? HT_NONE : rank[cch->parent[v]];
    }
    free(next);
    free(size);
    free(cch->arc);
    free(cch->parent);
    cch->arc = arc;
    cch->parent = parent;
    for (uint32_t v = 0; v < n; v++) {
        cch->rank[arc[v]] = v;
    }
    return HT_OK;
}

static enum ht_status depths(struct ht_cch_owned *cch, uint32_t n, struct ht_order_stats *stats)
{
    uint64_t sum = 0;
    uint32_t levels = 0;
    for (uint32_t v = n; v-- > 0;) {
        uint32_t depth = cch->parent[v] == HT_NONE ? 0 : cch->depth[cch->parent[v]] + UINT32_C(1);
        if (depth >= UINT16_MAX) {
            return HT_TOO_BIG;
        }
        cch->depth[v] = (uint16_t)depth;
        levels = depth + 1 > levels ? depth + 1 : levels;
        sum += depth + 1;
    }
    cch->view.depth_max = levels;
    if (stats != NULL) {
        stats->depth_max = levels;
        stats->depth_mean = n == 0 ? 0 : (double)sum / (double)n;
    }
    return HT_OK;
}

static inline void row_mark(struct row *row, uint16_t depth)
{
    if (row->stamp[depth] != row->round) {
        row->stamp[depth] = row->round;
        row->list[row->count++] = depth;
    }
}

static int compare_depths(const void *a, const void *b)
{
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void row_sort(struct row *row)
{
    if (row->count > 32) {
        qsort(row->list, row->count, sizeof *row->list, compare_depths);
        return;
    }
    for (uint32_t i = 1; i < row->count; i++) {
        uint16_t depth = row->list[i];
        uint32_t k = i;
        while (k > 0 && row->list[k - 1] > depth) {
            row->list[k] = row->list[k - 1];
            k--;
        }
        row->list[k] = depth;
    }
}

/* What lower vertices bring to x's row on side `s`: each u with an edge of the other side into x
 * brings all of its edges on side s that go above x. */
static void row_pull(struct build *b, uint32_t x, int s)
{
    const struct grow_side *own = &b->cch->side[s];
    const struct grow_side *other = &b->cch->side[1 - s];
    uint16_t depth_x = b->cch->depth[x];
    if (other->head == NULL) {
        return; /* no edge yet */
    }
    for (uint32_t e = other->chain_head[x]; e != HT_NONE; e = other->chain[e]) {
        /* the lower end of e: chains are walked with it stored beside */
        uint32_t u = other->head[e];
        for (uint32_t i = own->first[u]; i < own->first[u + 1] && own->depth[i] < depth_x; i++) {
            row_mark(&b->row, own->depth[i]);
            b->triangles++;
        }
    }
}

static enum ht_status side_append(struct build *b, uint32_t x, int s)
{
    struct grow_side *side = &b->cch->side[s];
    size_t want = side->count + b->row.count;
    if (want >= HT_NONE) {
        return HT_TOO_BIG;
    }
    void *head = side->head;
    void *depth = side->depth;
    void *chain = side->chain;
    enum ht_status status = ht_array_reserve(&head, &side->head_capacity, want, sizeof *side->head);
    side->head = head;
    if (status == HT_OK) {
        status = ht_array_reserve(&depth, &side->depth_capacity, want, sizeof *side->depth);
        side->depth = depth;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&chain, &side->chain_capacity, want, sizeof *side->chain);
        side->chain = chain;
    }
    if (status != HT_OK) {
        return status;
    }
    for (uint32_t i = 0; i < b->row.count; i++) {
        uint32_t e = (uint32_t)side->count++;
        uint32_t upper = b->ancestor[b->row.list[i]];
        side->head[e] = x; /* the lower end while building; turned round at the end */
        side->depth[e] = b->row.list[i];
        side->chain[e] = side->chain_head[upper];
        side->chain_head[upper] = e;
    }
    side->first[x + 1] = (uint32_t)side->count;
    return HT_OK;
}

static enum ht_status row_build(struct build *b, uint32_t x, int s)
{
    const struct ht_graph *graph = b->graph;
    struct ht_cch_owned *cch = b->cch;
    uint32_t arc = cch->arc[x];
    b->row.round++;
    b->row.count = 0;
    uint32_t first = s == 0 ? graph->turn_first[arc] : b->reverse.first[arc];
    uint32_t end = s == 0 ? graph->turn_first[arc + 1] : b->reverse.first[arc + 1];
    for (uint32_t i = first; i < end; i++) {
        uint32_t y = cch->rank[s == 0 ? ht_turn_to(graph, arc, i) : b->reverse.from[i]];
        if (y > x) {
            row_mark(&b->row, cch->depth[y]);
        }
    }
    row_pull(b, x, s);
    row_sort(&b->row);
    return side_append(b, x, s);
}

static enum ht_status fill(struct build *b)
{
    struct ht_cch_owned *cch = b->cch;
    uint32_t n = b->graph->arc_count;
    enum ht_status status = HT_OK;
    for (uint32_t x = 0; x < n && status == HT_OK; x++) {
        for (uint32_t v = cch->parent[x]; v != HT_NONE; v = cch->parent[v]) {
            if (b->ancestor[cch->depth[v]] == v) {
                break; /* the rest is as it was for the vertex before */
            }
            b->ancestor[cch->depth[v]] = v;
        }
        status = row_build(b, x, 0);
        if (status == HT_OK) {
            status = row_build(b, x, 1);
        }
    }
    return status;
}

/* Down lists by counting; `head` turned from lower to upper ends. */
static enum ht_status finish_side(struct build *b, int s)
{
    struct ht_cch_owned *cch = b->cch;
    struct grow_side *side = &cch->side[s];
    uint32_t n = b->graph->arc_count;
    free(side->chain);
    side->chain = NULL;
    uint32_t *first = ht_array_new_zeroed((size_t)n + 2, sizeof *first);
    uint32_t *down = ht_array_new(side->count, sizeof *down);
    cch->down_first[s] = first;
    cch->down[s] = down;
    if (first == NULL || down == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t x = n; x-- > 0;) {
        uint32_t i = side->first[x + 1];
        uint32_t v = x;
        while (i > side->first[x]) { /* from the nearest ancestor up to the root */
            v = cch->parent[v];
            if (cch->depth[v] == side->depth[i - 1]) {
                side->head[--i] = v;
                first[v + 2]++;
            }
        }
    }
    for (uint32_t v = 0; v < n; v++) {
        first[v + 2] += first[v + 1];
    }
    for (uint32_t x = 0; x < n; x++) {
        for (uint32_t i = side->first[x]; i < side->first[x + 1]; i++) {
            down[first[side->head[i] + 1]++] = x;
        }
    }
    return HT_OK;
}

/* The edge that each turn is. */
static void place_turns(struct build *b)
{
    const struct ht_graph *graph = b->graph;
    struct ht_cch_owned *cch = b->cch;
    for (uint32_t arc = 0; arc < graph->arc_count; arc++) {
        for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
            uint32_t from = cch->rank[arc];
            uint32_t to = cch->rank[ht_turn_to(graph, arc, t)];
            const struct ht_cch_side *side = from < to ? &cch->view.out : &cch->view.in;
            uint32_t lower = from < to ? from : to;
            uint32_t upper = from < to ? to : from;
            cch->turn_edge[t] = from == to ? HT_NONE : ht_cch_edge(side, lower, cch->depth[upper]);
        }
    }
}

static void publish(struct ht_cch_owned *cch, const struct ht_graph *graph)
{
    struct ht_cch *view = &cch->view;
    view->vertex_count = graph->arc_count;
    view->turn_count = graph->turn_count;
    view->rank = cch->rank;
    view->arc = cch->arc;
    view->parent = cch->parent;
    view->depth = cch->depth;
    view->turn_edge = cch->turn_edge;
    for (int s = 0; s < 2; s++) {
        struct ht_cch_side *side = s == 0 ? &view->out : &view->in;
        side->edge_count = (uint32_t)cch->side[s].count;
        side->first = cch->side[s].first;
        side->head = cch->side[s].head;
        side->depth = cch->side[s].depth;
        side->down_first = cch->down_first[s];
        side->down = cch->down[s];
    }
}

static enum ht_status cch_alloc(struct ht_cch_owned *cch, const struct ht_graph *graph)
{
    uint32_t n = graph->arc_count;
    cch->rank = ht_array_new(n, sizeof *cch->rank);
    cch->arc = ht_array_new(n, sizeof *cch->arc);
    cch->parent = ht_array_new(n, sizeof *cch->parent);
    cch->depth = ht_array_new(n, sizeof *cch->depth);
    cch->turn_edge = ht_array_new(graph->turn_count, sizeof *cch->turn_edge);
    bool whole = cch->rank != NULL && cch->arc != NULL && cch->parent != NULL &&
                 cch->depth != NULL && cch->turn_edge != NULL;
    for (int s = 0; s < 2; s++) {
        struct grow_side *side = &cch->side[s];
        side->first = ht_array_new_zeroed((size_t)n + 1, sizeof *side->first);
        side->chain_head = ht_array_new(n, sizeof *side->chain_head);
        whole = whole && side->first != NULL && side->chain_head != NULL;
    }
    if (!whole) {
        return HT_NOMEM;
    }
    memset(cch->side[0].chain_head, 0xff, n * sizeof *cch->side[0].chain_head);
    memset(cch->side[1].chain_head, 0xff, n * sizeof *cch->side[1].chain_head);
    return HT_OK;
}

static enum ht_status build_fill(struct build *b)
{
    uint32_t levels = b->cch->view.depth_max + 1;
    b->row.stamp = ht_array_new_zeroed(levels, sizeof *b->row.stamp);
    b->row.list = ht_array_new(levels, sizeof *b->row.list);
    b->ancestor = ht_array_new(levels, sizeof *b->ancestor);
    if (b->row.stamp == NULL || b->row.list == NULL || b->ancestor == NULL) {
        return HT_NOMEM;
    }
    memset(b->ancestor, 0xff, levels * sizeof *b->ancestor);
    enum ht_status status = fill(b);
    for (int s = 0; s < 2 && status == HT_OK; s++) {
        status = finish_side(b, s);
    }
    if (status == HT_OK) {
        publish(b->cch, b->graph);
        place_turns(b);
    }
    return status;
}

enum ht_status ht_cch_build(const struct ht_graph *graph, const uint32_t *rank_to_arc,
                            struct ht_pool *pool, struct ht_cch_owned **out,
                            struct ht_order_stats *stats)
{
    (void)pool; /* runs on one thread: half a second on New York, not worth more so far */
    struct build b = {.graph = graph};
    b.cch = calloc(1, sizeof *b.cch);
    if (b.cch == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = cch_alloc(b.cch, graph);
    if (status == HT_OK) {
        for (uint32_t v = 0; v < graph->arc_count; v++) {
            b.cch->arc[v] = rank_to_arc[v];
            b.cch->rank[rank_to_arc[v]] = v;
        }
        status = reverse_turns_init(&b.reverse, graph);
    }
    if (status == HT_OK) {
        status = elimination_tree(&b);
    }
    if (status == HT_OK) {
        status = renumber_post_order(b.cch, graph->arc_count);
    }
    if (status == HT_OK) {
        status = depths(b.cch, graph->arc_count, stats);
    }
    if (status == HT_OK) {
        status = build_fill(&b);
    }
    free(b.reverse.first);
    free(b.reverse.from);
    free(b.row.stamp);
    free(b.row.list);
    free(b.ancestor);
    if (status != HT_OK) {
        ht_cch_owned_free(b.cch);
        return status;
    }
    if (stats != NULL) {
        stats->out_edges = b.cch->view.out.edge_count;
        stats->in_edges = b.cch->view.in.edge_count;
        stats->triangles = b.triangles;
    }
    *out = b.cch;
    return HT_OK;
}
