#include "engine/road/cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/flow.h"

struct ht_cell {
    uint32_t node_count;
    uint32_t *first;   /* [node_count + 1] */
    uint32_t *to;      /* entries: local node */
    uint32_t *back;    /* the same street seen from the other end */
    uint32_t *street;  /* which street */
    uint8_t *cap;      /* its number of arcs */
    bool *lower;       /* the node is the street's first end */
    float (*place)[2]; /* [node_count] x, y in a plane */
};

/* Lines along which junctions are sorted: west-east, south-north and the diagonals. Four more
 * between them made 2.5 % shorter trees and took 1.5 times as long (DIMACS New York). */
enum { DIRECTIONS = 4 };
static const float direction[DIRECTIONS][2] = {
    {1.0F, 0.0F}, {0.0F, 1.0F}, {0.7071F, 0.7071F}, {0.7071F, -0.7071F}};

enum { CAP_MAX = 100 }; /* flows are kept in signed bytes */

struct pair {
    uint64_t ends;
    uint32_t arc;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    if (x->ends != y->ends) {
        return x->ends < y->ends ? -1 : 1;
    }
    return x->arc < y->arc ? -1 : x->arc > y->arc ? 1 : 0;
}

enum ht_status ht_streets_init(struct ht_streets *streets, const struct ht_graph *graph)
{
    memset(streets, 0, sizeof *streets);
    uint32_t arcs = graph->arc_count;
    struct pair *pairs = ht_array_new(arcs, sizeof *pairs);
    streets->ends = ht_array_new(arcs, sizeof *streets->ends);
    streets->first = ht_array_new((size_t)arcs + 1, sizeof *streets->first);
    streets->arcs = ht_array_new(arcs, sizeof *streets->arcs);
    if (pairs == NULL || streets->ends == NULL || streets->first == NULL || streets->arcs == NULL) {
        free(pairs);
        ht_streets_deinit(streets);
        return HT_NOMEM;
    }
    for (uint32_t a = 0; a < arcs; a++) {
        uint32_t low = graph->arcs[a].tail;
        uint32_t high = graph->arcs[a].head;
        if (low > high) {
            uint32_t swap = low;
            low = high;
            high = swap;
        }
        pairs[a] = (struct pair){.ends = (uint64_t)low << 32 | high, .arc = a};
    }
    qsort(pairs, arcs, sizeof *pairs, compare_pairs);
    for (uint32_t i = 0; i < arcs; i++) {
        if (i == 0 || pairs[i].ends != pairs[i - 1].ends) {
            streets->ends[streets->count][0] = (uint32_t)(pairs[i].ends >> 32);
            streets->ends[streets->count][1] = (uint32_t)pairs[i].ends;
            streets->first[streets->count++] = i;
        }
        streets->arcs[i] = pairs[i].arc;
    }
    streets->first[streets->count] = arcs;
    free(pairs);
    return HT_OK;
}

void ht_streets_deinit(struct ht_streets *streets)
{
    free(streets->ends);
    free(streets->first);
    free(streets->arcs);
    memset(streets, 0, sizeof *streets);
}

static struct ht_cell *cell_new(uint32_t nodes, uint32_t entries)
{
    struct ht_cell *cell = calloc(1, sizeof *cell);
    if (cell == NULL) {
        return NULL;
    }
    cell->node_count = nodes;
    cell->first = ht_array_new_zeroed((size_t)nodes + 1, sizeof *cell->first);
    cell->to = ht_array_new(entries, sizeof *cell->to);
    cell->back = ht_array_new(entries, sizeof *cell->back);
    cell->street = ht_array_new(entries, sizeof *cell->street);
    cell->cap = ht_array_new(entries, sizeof *cell->cap);
    cell->lower = ht_array_new(entries, sizeof *cell->lower);
    cell->place = ht_array_new(nodes, sizeof *cell->place);
    if (cell->first == NULL || cell->to == NULL || cell->back == NULL || cell->street == NULL ||
        cell->cap == NULL || cell->lower == NULL || cell->place == NULL) {
        ht_cell_free(cell);
        return NULL;
    }
    return cell;
}

void ht_cell_free(struct ht_cell *cell)
{
    if (cell == NULL) {
        return;
    }
    free(cell->first);
    free(cell->to);
    free(cell->back);
    free(cell->street);
    free(cell->cap);
    free(cell->lower);
    free(cell->place);
    free(cell);
}

uint32_t ht_cell_junctions(const struct ht_cell *cell)
{
    return cell->node_count;
}

uint32_t ht_cell_arcs(const struct ht_cell *cell, const struct ht_streets *streets)
{
    uint32_t twice = 0;
    for (uint32_t i = 0; i < cell->first[cell->node_count]; i++) {
        twice += ht_streets_arcs(streets, cell->street[i]);
    }
    return twice / 2;
}

struct placed {
    uint64_t code;
    uint32_t junction;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a;
    const struct placed *y = b;
    if (x->code != y->code) {
        return x->code < y->code ? -1 : 1;
    }
    return x->junction < y->junction ? -1 : 1;
}

/* Bits of x and y in turn: points that lie close get numbers that lie close (Morton 1966). */
static uint64_t interleave(uint32_t x, uint32_t y)
{
    uint64_t code = 0;
    for (int bit = 0; bit < 32; bit++) {
        code |= (uint64_t)(x >> bit & 1) << (2 * bit) | (uint64_t)(y >> bit & 1) << (2 * bit + 1);
    }
    return code;
}

/* local[j]: number of junction j in the cell, neighbours on the map close in memory; sets places.
 */
static enum ht_status number_junctions(const struct ht_network *network,
                                       const struct ht_graph *graph, struct ht_cell *cell,
                                       uint32_t *local)
{
    struct placed *placed = ht_array_new(graph->junction_count, sizeof *placed);
    if (placed == NULL) {
        return HT_NOMEM;
    }
    double shrink = cos((double)network->box.min.lat_e7 * 1e-7 * 0.017453292519943295);
    for (uint32_t j = 0; j < graph->junction_count; j++) {
        struct ht_point p = network->node_point[graph->junction_node[j]];
        placed[j].code = interleave((uint32_t)p.lon_e7 ^ UINT32_C(0x80000000),
                                    (uint32_t)p.lat_e7 ^ UINT32_C(0x80000000));
        placed[j].junction = j;
    }
    qsort(placed, graph->junction_count, sizeof *placed, compare_placed);
    for (uint32_t i = 0; i < graph->junction_count; i++) {
        uint32_t j = placed[i].junction;
        struct ht_point p = network->node_point[graph->junction_node[j]];
        local[j] = i;
        cell->place[i][0] =
            (float)(((double)p.lon_e7 - (double)network->box.min.lon_e7) * 1e-7 * shrink);
        cell->place[i][1] = (float)(((double)p.lat_e7 - (double)network->box.min.lat_e7) * 1e-7);
    }
    free(placed);
    return HT_OK;
}

static void link_streets(struct ht_cell *cell, const struct ht_streets *streets,
                         const uint32_t *local, uint32_t *fill)
{
    for (uint32_t s = 0; s < streets->count; s++) {
        uint32_t a = local[streets->ends[s][0]];
        uint32_t b = local[streets->ends[s][1]];
        if (a == b) {
            continue;
        }
        uint32_t i = fill[a]++;
        uint32_t k = fill[b]++;
        uint32_t arcs = ht_streets_arcs(streets, s);
        uint8_t cap = (uint8_t)(arcs < CAP_MAX ? arcs : CAP_MAX);
        cell->to[i] = b;
        cell->back[i] = k;
        cell->to[k] = a;
        cell->back[k] = i;
        cell->street[i] = cell->street[k] = s;
        cell->cap[i] = cell->cap[k] = cap;
        cell->lower[i] = true;
        cell->lower[k] = false;
    }
}

enum ht_status ht_cell_all(const struct ht_network *network, const struct ht_graph *graph,
                           const struct ht_streets *streets, struct ht_cell **out)
{
    uint32_t entries = 0;
    for (uint32_t s = 0; s < streets->count; s++) {
        entries += streets->ends[s][0] != streets->ends[s][1] ? 2 : 0;
    }
    uint32_t n = graph->junction_count;
    struct ht_cell *cell = cell_new(n, entries);
    uint32_t *local = ht_array_new(n, sizeof *local);
    uint32_t *fill = ht_array_new((size_t)n + 1, sizeof *fill);
    enum ht_status status = cell == NULL || local == NULL || fill == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        status = number_junctions(network, graph, cell, local);
    }
    if (status == HT_OK) {
        for (uint32_t s = 0; s < streets->count; s++) {
            if (streets->ends[s][0] != streets->ends[s][1]) {
                cell->first[local[streets->ends[s][0]] + 1]++;
                cell->first[local[streets->ends[s][1]] + 1]++;
            }
        }
        for (uint32_t j = 0; j < n; j++) {
            cell->first[j + 1] += cell->first[j];
        }
        memcpy(fill, cell->first, ((size_t)n + 1) * sizeof *fill);
        link_streets(cell, streets, local, fill);
        *out = cell;
    } else {
        ht_cell_free(cell);
    }
    free(local);
    free(fill);
    return status;
}

/* One direction's attempt. */
struct attempt {
    uint8_t *side;
    uint32_t cut; /* arcs crossing; UINT32_MAX: none */
    uint32_t small_side;
    bool failed;
};

struct trial {
    const struct ht_cell *cell;
    struct attempt attempts[DIRECTIONS];
    uint32_t first; /* of the directions of this round */
    uint32_t bound; /* flows above it are not worth finishing */
};

struct sorted {
    float key;
    uint32_t node;
};

static inline bool sorted_less(struct sorted a, struct sorted b)
{
    return a.key < b.key || (a.key <= b.key && a.node < b.node);
}

/* Hoare's selection: afterwards the `k` least items stand first. */
static void select_least(struct sorted *items, uint32_t count, uint32_t k)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (high - low > 1) {
        struct sorted pivot = items[low + (high - low) / 2];
        uint32_t i = low;
        uint32_t j = high - 1;
        for (;;) {
            while (sorted_less(items[i], pivot)) {
                i++;
            }
            while (sorted_less(pivot, items[j])) {
                j--;
            }
            if (i >= j) {
                break;
            }
            struct sorted swap = items[i];
            items[i++] = items[j];
            items[j--] = swap;
        }
        if (k <= i) {
            high = i;
        } else {
            low = i;
        }
    }
}

/* Marks the outermost quarter on either side along a line. */
static bool mark_ends(const struct ht_cell *cell, uint32_t d, uint8_t *mark)
{
    uint32_t n = cell->node_count;
    struct sorted *sorted = ht_array_new(n, sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    for (uint32_t v = 0; v < n; v++) {
        sorted[v].key = cell->place[v][0] * direction[d][0] + cell->place[v][1] * direction[d][1];
        sorted[v].node = v;
    }
    uint32_t quarter = n / 4 > 0 ? n / 4 : 1;
    select_least(sorted, n, quarter);
    select_least(sorted + quarter, n - quarter, n - 2 * quarter);
    memset(mark, HT_FLOW_FREE, n);
    for (uint32_t i = 0; i < quarter; i++) {
        mark[sorted[i].node] = HT_FLOW_SOURCE;
        mark[sorted[n - 1 - i].node] = HT_FLOW_SINK;
    }
    free(sorted);
    return true;
}

static void try_direction(void *user, size_t piece, size_t worker)
{
    (void)worker;
    struct trial *trial = user;
    const struct ht_cell *cell = trial->cell;
    uint32_t d = trial->first + (uint32_t)piece;
    struct attempt *attempt = &trial->attempts[d];
    uint32_t n = cell->node_count;
    struct ht_flow_graph graph = {n, cell->first, cell->to, cell->back, cell->cap};
    struct ht_flow *flow = NULL;
    uint8_t *mark = ht_array_new(n, 1);
    attempt->cut = UINT32_MAX;
    attempt->side = ht_array_new(n, 1);
    attempt->failed = mark == NULL || attempt->side == NULL ||
                      ht_flow_new(n, cell->first[n], &flow) != HT_OK || !mark_ends(cell, d, mark);
    if (!attempt->failed) {
        attempt->cut = ht_flow_run(flow, &graph, mark, trial->bound);
        if (attempt->cut != UINT32_MAX) {
            uint32_t ones = ht_flow_cut(flow, &graph, mark, attempt->side);
            attempt->small_side = ones < n - ones ? ones : n - ones;
        }
    }
    ht_flow_free(flow);
    free(mark);
}

/* Fewer arcs cut for each junction set apart is better. */
static bool better(const struct attempt *a, const struct attempt *b)
{
    if (b->cut == UINT32_MAX || a->cut == UINT32_MAX) {
        return a->cut != UINT32_MAX;
    }
    return (uint64_t)a->cut * b->small_side < (uint64_t)b->cut * a->small_side;
}

/* The best side assignment over all directions; NULL when memory ran out. */
static uint8_t *best_cut(const struct ht_cell *cell, struct ht_pool *pool)
{
    struct trial trial = {.cell = cell, .bound = UINT32_MAX - 1};
    uint32_t best = 0;
    if (pool != NULL) {
        ht_pool_run(pool, DIRECTIONS, try_direction, &trial);
    } else {
        for (uint32_t d = 0; d < DIRECTIONS; d++) {
            trial.first = d;
            try_direction(&trial, 0, 0);
            if (better(&trial.attempts[d], &trial.attempts[best])) {
                best = d;
            }
            /* a cut of more than twice the best can't win by balance: a quarter against a half */
            trial.bound = trial.attempts[best].cut > UINT32_MAX / 2 ? UINT32_MAX - 1
                                                                    : trial.attempts[best].cut * 2;
        }
    }
    bool failed = false;
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        failed = failed || trial.attempts[d].failed;
        if (better(&trial.attempts[d], &trial.attempts[best])) {
            best = d;
        }
    }
    uint8_t *side = trial.attempts[best].side;
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        if (d != best || failed) {
            free(trial.attempts[d].side);
        }
    }
    return failed ? NULL : side;
}

/* Components dealt onto the two sides, largest first to the lighter side; false when there is only
 * one (side is then all zero). */
static enum ht_status components(const struct ht_cell *cell, uint8_t *side, bool *several)
{
    uint32_t n = cell->node_count;
    uint32_t *queue = ht_array_new(n, sizeof *queue);
    if (queue == NULL) {
        return HT_NOMEM;
    }
    enum { UNSEEN = 2 };
    memset(side, UNSEEN, n);
    uint32_t weight[2] = {0, 0};
    for (uint32_t s = 0; s < n; s++) {
        if (side[s] != UNSEEN) {
            continue;
        }
        uint8_t to = weight[1] < weight[0];
        uint32_t head = 0;
        uint32_t tail = 0;
        queue[tail++] = s;
        side[s] = to;
        while (head < tail) {
            uint32_t v = queue[head++];
            for (uint32_t i = cell->first[v]; i < cell->first[v + 1]; i++) {
                if (side[cell->to[i]] == UNSEEN) {
                    side[cell->to[i]] = to;
                    queue[tail++] = cell->to[i];
                }
            }
        }
        weight[to] += tail;
    }
    *several = weight[1] > 0;
    free(queue);
    return HT_OK;
}

/* The part of a cell on one side, junctions numbered anew. */
static enum ht_status take_side(const struct ht_cell *cell, const uint8_t *side, uint8_t which,
                                const uint32_t *local, uint32_t nodes, struct ht_cell **out)
{
    *out = NULL;
    if (nodes == 0) {
        return HT_OK;
    }
    uint32_t entries = 0;
    for (uint32_t v = 0; v < cell->node_count; v++) {
        for (uint32_t i = cell->first[v]; side[v] == which && i < cell->first[v + 1]; i++) {
            entries += side[cell->to[i]] == which;
        }
    }
    struct ht_cell *part = cell_new(nodes, entries);
    uint32_t *moved = ht_array_new(cell->first[cell->node_count], sizeof *moved);
    if (part == NULL || moved == NULL) {
        ht_cell_free(part);
        free(moved);
        return HT_NOMEM;
    }
    uint32_t k = 0;
    for (uint32_t v = 0; v < cell->node_count; v++) {
        if (side[v] != which) {
            continue;
        }
        memcpy(part->place[local[v]], cell->place[v], sizeof cell->place[v]);
        for (uint32_t i = cell->first[v]; i < cell->first[v + 1]; i++) {
            if (side[cell->to[i]] == which) {
                part->to[k] = local[cell->to[i]];
                part->street[k] = cell->street[i];
                part->cap[k] = cell->cap[i];
                part->lower[k] = cell->lower[i];
                part->back[k] = cell->back[i]; /* old number, mended below */
                moved[i] = k++;
            }
        }
        part->first[local[v] + 1] = k;
    }
    for (uint32_t i = 0; i < k; i++) {
        part->back[i] = moved[part->back[i]];
    }
    free(moved);
    *out = part;
    return HT_OK;
}

static int compare_along(const void *a, const void *b)
{
    const struct ht_cut_street *x = a;
    const struct ht_cut_street *y = b;
    if (x->along < y->along || x->along > y->along) {
        return x->along < y->along ? -1 : 1;
    }
    return x->street < y->street ? -1 : 1;
}

/* The axis (0: x, 1: y) along which the nodes that touch the cut are spread wider. */
static int cut_axis(const struct ht_cell *cell, const uint8_t *side)
{
    float low[2] = {INFINITY, INFINITY};
    float high[2] = {-INFINITY, -INFINITY};
    for (uint32_t v = 0; v < cell->node_count; v++) {
        for (uint32_t i = cell->first[v]; side[v] == 0 && i < cell->first[v + 1]; i++) {
            for (int k = 0; k < 2 && side[cell->to[i]] != 0; k++) {
                low[k] = fminf(low[k], cell->place[v][k]);
                high[k] = fmaxf(high[k], cell->place[v][k]);
            }
        }
    }
    return high[1] - low[1] > high[0] - low[0];
}

static enum ht_status cut_streets(const struct ht_cell *cell, const uint8_t *side,
                                  struct ht_cell_cut *out)
{
    for (uint32_t v = 0; v < cell->node_count; v++) {
        for (uint32_t i = cell->first[v]; side[v] == 0 && i < cell->first[v + 1]; i++) {
            out->street_count += side[cell->to[i]] != 0;
        }
    }
    out->streets = ht_array_new(out->street_count, sizeof *out->streets);
    if (out->streets == NULL) {
        return HT_NOMEM;
    }
    int axis = cut_axis(cell, side);
    uint32_t count = 0;
    for (uint32_t v = 0; v < cell->node_count; v++) {
        for (uint32_t i = cell->first[v]; side[v] == 0 && i < cell->first[v + 1]; i++) {
            if (side[cell->to[i]] != 0) {
                out->streets[count++] =
                    (struct ht_cut_street){cell->street[i], !cell->lower[i], cell->place[v][axis]};
            }
        }
    }
    qsort(out->streets, count, sizeof *out->streets, compare_along);
    return HT_OK;
}

static enum ht_status take_apart(const struct ht_cell *cell, const uint8_t *side,
                                 struct ht_cell_cut *out)
{
    uint32_t *local = ht_array_new(cell->node_count, sizeof *local);
    if (local == NULL) {
        return HT_NOMEM;
    }
    uint32_t count[2] = {0, 0};
    for (uint32_t v = 0; v < cell->node_count; v++) {
        local[v] = count[side[v]]++;
    }
    enum ht_status status = cut_streets(cell, side, out);
    for (uint8_t which = 0; which < 2 && status == HT_OK; which++) {
        status = take_side(cell, side, which, local, count[which], &out->side[which]);
    }
    free(local);
    return status;
}

enum ht_status ht_cell_split(const struct ht_cell *cell, struct ht_pool *pool,
                             struct ht_cell_cut *out)
{
    memset(out, 0, sizeof *out);
    if (cell->node_count < 2) {
        return HT_OK;
    }
    uint8_t *side = ht_array_new(cell->node_count, 1);
    bool several = false;
    enum ht_status status = side == NULL ? HT_NOMEM : components(cell, side, &several);
    if (status == HT_OK && !several) {
        free(side);
        side = best_cut(cell, pool);
        status = side == NULL ? HT_NOMEM : HT_OK;
    }
    if (status == HT_OK) {
        status = take_apart(cell, side, out);
    }
    free(side);
    if (status != HT_OK) {
        ht_cell_free(out->side[0]);
        ht_cell_free(out->side[1]);
        free(out->streets);
        memset(out, 0, sizeof *out);
    }
    return status;
}
