#include "engine/road/query.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"
#include "engine/road/query_internal.h"
#include "engine/road/search.h"
#include "engine/road/unpack.h"

enum ht_status ht_query_new(struct ht_query **out)
{
    struct ht_query *query = calloc(1, sizeof *query);
    if (query == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_search_new(&query->search);
    if (status != HT_OK) {
        free(query);
        return status;
    }
    *out = query;
    return HT_OK;
}

void ht_query_free(struct ht_query *query)
{
    if (query == NULL) {
        return;
    }
    ht_search_free(query->search);
    ht_search_free(query->check);
    ht_guided_free(query->guided);
    ht_seeds_deinit(&query->sources);
    ht_seeds_deinit(&query->targets);
    for (size_t i = 0; i < sizeof query->paths / sizeof query->paths[0]; i++) {
        free(query->paths[i].arcs);
    }
    free(query);
}

void ht_seeds_deinit(struct ht_seeds *seeds)
{
    free(seeds->list);
    free(seeds->side);
}

enum ht_status ht__seeds_add(struct ht_seeds *seeds, struct ht_seed seed, uint32_t side)
{
    void *list = seeds->list;
    enum ht_status status = ht_array_reserve(&list, &seeds->list_capacity,
                                             seeds->count + UINT32_C(1), sizeof *seeds->list);
    seeds->list = list;
    if (status != HT_OK) {
        return status;
    }
    void *sides = seeds->side;
    status = ht_array_reserve(&sides, &seeds->side_capacity, seeds->count + UINT32_C(1),
                              sizeof *seeds->side);
    seeds->side = sides;
    if (status == HT_OK) {
        seeds->list[seeds->count] = seed;
        seeds->side[seeds->count++] = side;
    }
    return status;
}

static struct ht_key key_of(struct ht_cost cost)
{
    return (struct ht_key){ht_time_pack(cost.weight_ms, cost.duration_ms),
                           (uint32_t)cost.length_mm};
}

static struct ht_key arc_key(const struct ht_arc *arc)
{
    return (struct ht_key){ht_time_pack(arc->weight_ms, arc->duration_ms), arc->length_mm};
}

/* Part by part the larger one (lengths of single arcs do not wrap). */
static struct ht_key key_max(struct ht_key a, struct ht_key b)
{
    uint32_t weight = (uint32_t)(a.time >> 32) > (uint32_t)(b.time >> 32)
                          ? (uint32_t)(a.time >> 32)
                          : (uint32_t)(b.time >> 32);
    uint32_t duration = (uint32_t)a.time > (uint32_t)b.time ? (uint32_t)a.time : (uint32_t)b.time;
    return (struct ht_key){ht_time_pack(weight, duration),
                           a.length > b.length ? a.length : b.length};
}

/* Whether the trip can leave its arc by the arc's end. */
static bool leaves(const struct ht_place_side *side)
{
    return side->arc != HT_NONE && side->after.weight_ms < HT_WEIGHT_INF;
}

/* Whether a way over the whole arc is closed: no edge of the hierarchy leads out of it. */
static bool is_split(const struct ht_graph *graph, const struct ht_place_side *side)
{
    return graph->live != NULL && graph->arcs[side->arc].weight_ms >= HT_WEIGHT_INF;
}

/* Whether turns are closed that the metric has open. */
static bool is_behind(const struct ht_road *road)
{
    return road->graph->live != NULL && road->graph->live->metric_behind;
}

/* Whether a cheapest way may begin with this turn: its edge is one and is the turn itself. An edge
 * that is missing (closed in this metric, or left out by ht_metric_trim) or leads over another
 * vertex says that a way at least as good begins with another turn. */
static bool turn_serves(const struct ht_metric *metric, uint32_t from, uint32_t to)
{
    int s = from < to ? 0 : 1;
    uint32_t lower = from < to ? from : to;
    uint32_t edge = ht_metric_edge(metric, s, lower, metric->climb[from < to ? to : from].depth);
    return edge != HT_NONE && ht_metric_via(&metric->side[s], lower, edge) == HT_NONE &&
           ht_time_finite(ht_metric_time(&metric->side[s], edge));
}

/* Adds the seeds of a trip that leaves its first arc by its end: all turns out of it. */
static enum ht_status seeds_turns(struct ht_seeds *seeds, const struct ht_road *road,
                                  const struct ht_place_side *side, uint32_t s)
{
    const struct ht_graph *graph = road->graph;
    const uint8_t *closed = graph->live == NULL ? NULL : graph->live->turn_closed;
    /* no edge leads out of an arc that can't be driven whole; a metric that is behind may have left
     * out a turn for the sake of one that is closed */
    bool all = is_split(graph, side) || is_behind(road);
    struct ht_key after = ht_key_add(seeds->bias, key_of(side->after));
    enum ht_status status = HT_OK;
    uint32_t from = road->cch->rank[side->arc];
    for (uint32_t t = graph->turn_first[side->arc];
         t < graph->turn_first[side->arc + 1] && status == HT_OK; t++) {
        struct ht_turn turn = ht_turn_at(graph, side->arc, t);
        uint32_t to = road->cch->rank[turn.to];
        bool open = closed == NULL || closed[t] == 0;
        /* a loop has no edge to itself */
        if (open &&
            (all || from == to || seeds->all_turns || turn_serves(road->metric, from, to))) {
            struct ht_key key = ht_key_add(
                after, (struct ht_key){ht_time_pack(turn.weight_ms, turn.duration_ms), 0});
            status = ht__seeds_add(seeds, (struct ht_seed){.vertex = to, .key = key}, s);
        }
    }
    return status;
}

/* The seeds of one side alone, as turns out of its arc. */
static enum ht_status seeds_after(struct ht_seeds *seeds, const struct ht_road *road,
                                  const struct ht_place_side *side, uint32_t s)
{
    seeds->count = 0;
    seeds->bias = (struct ht_key){0, 0};
    return leaves(side) ? seeds_turns(seeds, road, side, s) : HT_OK;
}

enum ht_status ht__seeds_source(struct ht_seeds *seeds, const struct ht_road *road,
                                const struct ht_place *place, unsigned sides)
{
    const struct ht_graph *graph = road->graph;
    seeds->count = 0;
    seeds->bias = (struct ht_key){0, 0};
    for (uint32_t s = 0; s < 2; s++) {
        const struct ht_place_side *side = &place->side[s];
        if (leaves(side) && (sides >> s & 1) && !is_split(graph, side)) {
            seeds->bias = key_max(seeds->bias, arc_key(&graph->arcs[side->arc]));
        }
    }
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; s < 2 && status == HT_OK; s++) {
        const struct ht_place_side *side = &place->side[s];
        if (!leaves(side) || !(sides >> s & 1)) {
            continue;
        }
        if (is_split(graph, side)) {
            status = seeds_turns(seeds, road, side, s);
            continue;
        }
        /* the search counts from an arc's tail: what lies behind is taken off again */
        struct ht_key key = ht_key_sub(ht_key_add(seeds->bias, key_of(side->after)),
                                       arc_key(&graph->arcs[side->arc]));
        status = ht__seeds_add(
            seeds, (struct ht_seed){.vertex = road->cch->rank[side->arc], .key = key}, s);
    }
    return status;
}

enum ht_status ht__seeds_target(struct ht_seeds *seeds, const struct ht_road *road,
                                const struct ht_place *place, unsigned sides)
{
    seeds->count = 0;
    seeds->bias = (struct ht_key){0, 0};
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; s < 2 && status == HT_OK; s++) {
        const struct ht_place_side *side = &place->side[s];
        if (side->arc == HT_NONE || !(sides >> s & 1) || side->before.weight_ms >= HT_WEIGHT_INF) {
            continue;
        }
        struct ht_key key = key_of(side->before);
        status = ht__seeds_add(
            seeds, (struct ht_seed){.vertex = road->cch->rank[side->arc], .key = key}, s);
        const uint32_t *copies = NULL;
        uint32_t count = ht_graph_copies(road->graph, side->arc, &copies);
        for (uint32_t i = 0; i < count && status == HT_OK; i++) {
            status = ht__seeds_add(
                seeds, (struct ht_seed){.vertex = road->cch->rank[copies[i]], .key = key}, s);
        }
    }
    return status;
}

bool ht__one_by_one(const struct ht_road *road, const struct ht_place *a, const struct ht_place *b)
{
    for (int s = 0; s < 2; s++) {
        if (a->side[s].arc != HT_NONE && is_split(road->graph, &a->side[s])) {
            return true;
        }
    }
    for (int s = 0; s < 2; s++) {
        if (a->side[s].arc != HT_NONE && a->side[s].arc == b->side[s].arc) {
            return true;
        }
    }
    return false;
}

/* A length known modulo 2^32 mm. Ways of less than 14 hours stay below 4,295 km at 300 km/h. */
enum { LONG_MS = 50 * 1000 * 1000 };

struct ht_cost ht__cost_of(struct ht_key key)
{
    return (struct ht_cost){(uint32_t)(key.time >> 32), (uint32_t)key.time, key.length};
}

enum ht_status ht__keep_path(struct ht_query *query, const struct ht_road *road, uint32_t first,
                             const uint32_t *vertices, uint32_t count, uint32_t slot)
{
    struct ht_kept_path *path = &query->paths[slot];
    void *arcs = path->arcs;
    enum ht_status status =
        ht_array_reserve(&arcs, &path->capacity, count + UINT32_C(1), sizeof *path->arcs);
    path->arcs = arcs;
    if (status != HT_OK) {
        return status;
    }
    path->count = 0;
    if (first != HT_NONE) {
        path->arcs[path->count++] = first;
    }
    for (uint32_t i = 0; i < count; i++) {
        path->arcs[path->count++] = road->cch->arc[vertices[i]];
    }
    return HT_OK;
}

// NOLINTNEXTLINE(readability-function-size): two places, a road and what was found
void ht__describe_path(const struct ht_query *query, const struct ht_road *road,
                       const struct ht_place *source, const struct ht_place *target, uint32_t slot,
                       bool direct, struct ht_way_found *out)
{
    const struct ht_kept_path *path = &query->paths[slot];
    const struct ht_arc *arcs = road->graph->arcs;
    uint32_t first = path->arcs[0];
    uint32_t last = ht_arc_base(road->graph, path->arcs[path->count - 1]);
    out->source_side = source->side[0].arc == first ? 0 : 1;
    out->target_side = target->side[0].arc == last ? 0 : 1;
    out->arcs = path->arcs;
    out->arc_count = path->count;
    if (direct) {
        return;
    }
    int64_t length =
        (int64_t)source->side[out->source_side].after_mm + target->side[out->target_side].before_mm;
    for (uint32_t i = 1; i + 1 < path->count; i++) {
        length += arcs[path->arcs[i]].length_mm;
    }
    out->cost.length_mm = length;
}

struct ask {
    struct ht_query *query;
    const struct ht_road *road;
    const struct ht_place *source;
    const struct ht_place *target;
    bool with_path;
};

/* The cheapest way over streets of whose closing the metric does not know, with at most so many
 * estimates. */
static enum ht_status run_guided(const struct ask *ask, uint32_t most, struct ht_key *total,
                                 const uint32_t **vertices, uint32_t *count)
{
    const struct ht_query *q = ask->query;
    const struct ht_guided_ask wanted = {.road = ask->road,
                                         .sources = q->sources.list,
                                         .source_count = q->sources.count,
                                         .targets = q->targets.list,
                                         .target_count = q->targets.count,
                                         .most = most};
    enum ht_status status = ht_guided_run(q->guided, &wanted, total);
    return status == HT_OK && ask->with_path ? ht_guided_path(q->guided, vertices, count) : status;
}

enum ht_status ht_closed_above(const struct ht_road *road, const uint8_t *turn_closed,
                               uint64_t **out)
{
    const struct ht_graph *graph = road->graph;
    const uint32_t *rank = road->cch->rank;
    uint64_t *above = ht_array_new_zeroed(graph->arc_count / 64 + (size_t)1, sizeof *above);
    if (above == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t t = 0; t < graph->turn_count; t++) {
        if (turn_closed[t] == 0) {
            continue;
        }
        uint32_t arc = ht_graph_turn_from(graph, t);
        uint32_t from = rank[arc];
        uint32_t to = rank[ht_turn_to(graph, arc, t)];
        for (uint32_t v = from < to ? from : to; v != HT_NONE && !ht_vertex_in(above, v);
             v = ht_metric_parent(road->metric, v)) {
            above[v / 64] |= UINT64_C(1) << v % 64;
        }
    }
    *out = above;
    return HT_OK;
}

/* Whether the way that was found takes a turn that is closed. Only what can hold one is unpacked:
 * all that an edge stands for lies below its lower end, and what turns are below lies above them.
 */
static enum ht_status takes_closed(struct ht_search *search, const struct ht_road *road,
                                   bool *takes)
{
    const struct ht_graph *graph = road->graph;
    const uint64_t *above = graph->live->closed_above;
    const uint32_t *v = NULL;
    uint32_t count = 0;
    enum ht_status status = ht_search_path_only(search, road->metric, above, &v, &count);
    *takes = false;
    for (uint32_t i = 1; i < count && status == HT_OK && !*takes; i++) {
        if (above == NULL || ht_vertex_in(above, v[i - 1] < v[i] ? v[i - 1] : v[i])) {
            uint32_t turn = ht_graph_turn(graph, road->cch->arc[v[i - 1]], road->cch->arc[v[i]]);
            *takes = turn != HT_NONE && graph->live->turn_closed[turn] != 0;
        }
    }
    return status;
}

/* The cheapest way between the seeds as vertices, though the metric is behind. */
static enum ht_status run_behind(const struct ask *ask, struct ht_key *total,
                                 const uint32_t **vertices, uint32_t *count)
{
    struct ht_query *q = ask->query;
    const struct ht_road *road = ask->road;
    bool takes = false;
    enum ht_status status =
        ht_search_run(q->search, road->cch, road->metric, q->sources.list, q->sources.count,
                      q->targets.list, q->targets.count, total);
    if (status == HT_OK) {
        status = takes_closed(q->search, road, &takes);
    }
    if (status != HT_OK || !takes) { /* closing turns makes no way cheaper */
        return status == HT_OK && ask->with_path
                   ? ht_search_path(q->search, road->metric, vertices, count)
                   : status;
    }
    status = q->guided == NULL ? ht_guided_new(&q->guided) : HT_OK;
    return status == HT_OK ? run_guided(ask, UINT32_MAX, total, vertices, count) : status;
}

/* The search proper; the way's vertices where the question wants them. */
static enum ht_status run_search(const struct ask *ask, struct ht_key *total,
                                 const uint32_t **vertices, uint32_t *count)
{
    struct ht_query *q = ask->query;
    const struct ht_road *road = ask->road;
    if (is_behind(road)) {
        return run_behind(ask, total, vertices, count);
    }
    if (q->guided_most > 0) {
        return run_guided(ask, q->guided_most, total, vertices, count);
    }
    enum ht_status status = (ask->with_path ? ht_search_run : ht_search_cost)(
        q->search, road->cch, road->metric, q->sources.list, q->sources.count, q->targets.list,
        q->targets.count, total);
    return status == HT_OK && ask->with_path
               ? ht_search_path(q->search, road->metric, vertices, count)
               : status;
}

enum ht_status ht_query_guide(struct ht_query *query, uint32_t most)
{
    enum ht_status status =
        most > 0 && query->guided == NULL ? ht_guided_new(&query->guided) : HT_OK;
    if (status == HT_OK) {
        query->guided_most = most;
        query->sources.all_turns = most > 0;
    }
    return status;
}

uint32_t ht_query_guided_looked(const struct ht_query *query)
{
    return query->guided == NULL ? 0 : ht_guided_looked(query->guided);
}

/* The search over the seeds that stand in the query; `first`: an arc that was driven before them.
 */
static enum ht_status run_seeds(const struct ask *ask, uint32_t first, uint32_t slot,
                                struct ht_way_found *out)
{
    struct ht_query *q = ask->query;
    const struct ht_road *road = ask->road;
    struct ht_key total;
    if (q->sources.count == 0 || q->targets.count == 0) {
        return HT_NO_ROUTE;
    }
    const uint32_t *vertices = NULL;
    uint32_t count = 0;
    enum ht_status status = run_search(ask, &total, &vertices, &count);
    if (status != HT_OK) {
        return status;
    }
    out->cost = ht__cost_of(ht_key_sub(total, q->sources.bias));
    out->arcs = NULL;
    out->arc_count = 0;
    if (ask->with_path) {
        status = ht__keep_path(q, road, first, vertices, count, slot);
        if (status == HT_OK) {
            ht__describe_path(q, road, ask->source, ask->target, slot, false, out);
        }
    }
    return status;
}

/* Both places on one arc: straight on, or round the block when the target lies behind. */
static enum ht_status run_within(const struct ask *ask, uint32_t s, uint32_t slot,
                                 struct ht_way_found *out)
{
    const struct ht_place_side *from = &ask->source->side[s];
    const struct ht_place_side *to = &ask->target->side[s];
    if (from->before_mm <= to->before_mm) {
        out->cost = (struct ht_cost){0, 0, 0};
        if (from->before_mm < to->before_mm) {
            out->cost = ht_arc_cost(ask->road->graph, from->arc, from->before_mm, to->before_mm);
        }
        if (out->cost.weight_ms >= HT_WEIGHT_INF) {
            return HT_NO_ROUTE;
        }
        out->source_side = s;
        out->target_side = s;
        enum ht_status status = ht__keep_path(ask->query, ask->road, from->arc, NULL, 0, slot);
        if (status == HT_OK) {
            ht__describe_path(ask->query, ask->road, ask->source, ask->target, slot, true, out);
        }
        return status;
    }
    enum ht_status status = seeds_after(&ask->query->sources, ask->road, from, s);
    if (status == HT_OK) {
        status = ht__seeds_target(&ask->query->targets, ask->road, ask->target, 1U << s);
    }
    return status == HT_OK ? run_seeds(ask, from->arc, slot, out) : status;
}

/* From one side to another, on one arc or not. */
static enum ht_status run_pair(const struct ask *ask, uint32_t i, uint32_t j, uint32_t slot,
                               struct ht_way_found *out)
{
    const struct ht_place_side *from = &ask->source->side[i];
    struct ht_seeds *sources = &ask->query->sources;
    if (from->arc == ask->target->side[j].arc) {
        return run_within(ask, i, slot, out);
    }
    bool split = is_split(ask->road->graph, from);
    enum ht_status status = split ? seeds_after(sources, ask->road, from, i)
                                  : ht__seeds_source(sources, ask->road, ask->source, 1U << i);
    if (status == HT_OK) {
        status = ht__seeds_target(&ask->query->targets, ask->road, ask->target, 1U << j);
    }
    return status == HT_OK ? run_seeds(ask, split ? from->arc : HT_NONE, slot, out) : status;
}

/* Whether the way is straight on, which wants no search. */
static bool is_straight(const struct ask *ask, uint32_t i, uint32_t j)
{
    const struct ht_place_side *from = &ask->source->side[i];
    const struct ht_place_side *to = &ask->target->side[j];
    return from->arc == to->arc && from->before_mm <= to->before_mm;
}

/* Whether no way but a straight one can be better than `best`: it pays to its arc's end and from
 * the other's start. */
static bool pays_no_less(const struct ask *ask, uint32_t i, uint32_t j, struct ht_cost best)
{
    const struct ht_place_side *from = &ask->source->side[i];
    const struct ht_place_side *to = &ask->target->side[j];
    if (is_split(ask->road->graph, from) || to->before.weight_ms >= HT_WEIGHT_INF) {
        return false;
    }
    const struct ht_cost least = {from->after.weight_ms + to->before.weight_ms,
                                  from->after.duration_ms + to->before.duration_ms,
                                  from->after.length_mm + to->before.length_mm};
    return !ht_cost_less(least, best);
}

/* Places on one street, or a start behind a closed piece: each pair of sides by itself, the best
 * kept; first those that want no search, after which few others can be better. */
static enum ht_status run_one_by_one(const struct ask *ask, unsigned source_sides,
                                     unsigned target_sides, struct ht_way_found *out)
{
    enum ht_status result = HT_NO_ROUTE;
    uint32_t slot = 0;
    for (uint32_t turn = 0; turn < 8; turn++) {
        uint32_t i = turn & 1;
        uint32_t j = turn >> 1 & 1;
        bool straight = turn < 4;
        if (!(source_sides >> i & 1) || !(target_sides >> j & 1) ||
            ask->source->side[i].arc == HT_NONE || ask->target->side[j].arc == HT_NONE ||
            is_straight(ask, i, j) != straight ||
            (result == HT_OK && !straight && pays_no_less(ask, i, j, out->cost))) {
            continue;
        }
        struct ht_way_found found = {0};
        enum ht_status status = run_pair(ask, i, j, slot, &found);
        if (status == HT_OK && (result != HT_OK || ht_cost_less(found.cost, out->cost))) {
            *out = found;
            result = HT_OK;
            slot = 1 - slot; /* the next one must not write over it */
        } else if (status != HT_OK && status != HT_NO_ROUTE) {
            return status;
        }
    }
    return result;
}

static enum ht_status run(const struct ask *ask, unsigned source_sides, unsigned target_sides,
                          struct ht_way_found *out)
{
    if (ht__one_by_one(ask->road, ask->source, ask->target)) {
        return run_one_by_one(ask, source_sides, target_sides, out);
    }
    enum ht_status status =
        ht__seeds_source(&ask->query->sources, ask->road, ask->source, source_sides);
    if (status == HT_OK) {
        status = ht__seeds_target(&ask->query->targets, ask->road, ask->target, target_sides);
    }
    return status == HT_OK ? run_seeds(ask, HT_NONE, 0, out) : status;
}

// NOLINTNEXTLINE(readability-function-size): two places, a road and what was found
enum ht_status ht_query_path(struct ht_query *query, const struct ht_road *road,
                             const struct ht_place *source, unsigned source_sides,
                             const struct ht_place *target, unsigned target_sides,
                             struct ht_way_found *out)
{
    struct ask ask = {query, road, source, target, true};
    return run(&ask, source_sides, target_sides, out);
}

// NOLINTNEXTLINE(readability-function-size): two places, a road and what was found
enum ht_status ht_query_cost(struct ht_query *query, const struct ht_road *road,
                             const struct ht_place *source, unsigned source_sides,
                             const struct ht_place *target, unsigned target_sides,
                             struct ht_way_found *out)
{
    struct ask ask = {query, road, source, target, false};
    enum ht_status status = run(&ask, source_sides, target_sides, out);
    if (status == HT_OK && out->cost.duration_ms > LONG_MS) {
        return ht_query_path(query, road, source, source_sides, target, target_sides, out);
    }
    out->arcs = NULL;
    out->arc_count = 0;
    return status;
}
