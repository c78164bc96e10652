#include "engine/road/isochrone.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/label.h"
#include "engine/road/region.h"

enum { LEAST = 256 }; /* vertices of a region, see bench_isochrone */

struct ht_isochrone_streets {
    struct ht_regions regions;
};

/* Vertices that were swept one after the other: ranks high, high - 1, .. low. */
struct stretch {
    uint32_t high;
    uint32_t low;
    size_t first; /* where the cost of `high` stands */
};

/* A street with what it costs to get to (or from) its two ends. */
struct street {
    uint32_t arc[2];        /* the lower base arc first; HT_NONE: one way only */
    struct ht_cost cost[2]; /* at the tail of each, or, towards the place, at its head */
};

/* A vertex in a region that was left out, whose cost is wanted all the same: of a street's two arcs
 * only one may have been reached. */
struct extra {
    uint32_t vertex;
    struct ht_key key;
};

struct ht_isochrone {
    struct ht_isochrone_ask ask;
    struct ht_label_store *labels;
    struct ht_query *query;
    struct ht_label label;
    uint32_t levels;
    struct ht_lane lane;   /* costs along the way from the root to the present vertex, by depth */
    uint32_t *lane_vertex; /* whose they are, for extras */
    uint32_t *climb;
    uint64_t *times; /* of swept vertices, in the order of the sweep */
    uint32_t *lengths;
    size_t swept;
    size_t time_capacity;
    size_t length_capacity;
    struct stretch *stretches;
    size_t stretch_count;
    size_t stretch_capacity;
    struct extra *extras; /* by falling vertex */
    size_t extra_count;
    size_t extra_capacity;
    uint64_t *seen; /* bit set of base arcs: their street is listed */
    size_t seen_words;
    size_t seen_capacity;
    struct street *streets;
    size_t street_count;
    size_t street_capacity;
    struct ht_isochrone_piece *pieces;
    size_t piece_count;
    size_t piece_capacity;
};

enum ht_status ht__isochrone_streets_make(const struct ht_cch *cch, uint32_t least,
                                          struct ht_isochrone_streets **out)
{
    struct ht_isochrone_streets *streets = calloc(1, sizeof *streets);
    if (streets == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status =
        ht_regions_init(&streets->regions, cch, least, HT_REGION_OUT | HT_REGION_IN);
    if (status != HT_OK) {
        free(streets);
        return status;
    }
    *out = streets;
    return HT_OK;
}

enum ht_status ht_isochrone_streets_new(const struct ht_cch *cch, struct ht_isochrone_streets **out)
{
    return ht__isochrone_streets_make(cch, LEAST, out);
}

void ht_isochrone_streets_free(struct ht_isochrone_streets *streets)
{
    if (streets != NULL) {
        ht_regions_deinit(&streets->regions);
        free(streets);
    }
}

const struct ht_regions *ht_isochrone_regions(const struct ht_isochrone_streets *streets)
{
    return &streets->regions;
}

enum ht_status ht_isochrone_new(struct ht_isochrone **out)
{
    struct ht_isochrone *iso = calloc(1, sizeof *iso);
    if (iso == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_label_store_new(&iso->labels);
    if (status == HT_OK) {
        status = ht_query_new(&iso->query);
    }
    if (status != HT_OK) {
        ht_isochrone_free(iso);
        return status;
    }
    *out = iso;
    return HT_OK;
}

static void lane_free(struct ht_isochrone *iso)
{
    free(iso->lane.time);
    free(iso->lane.length);
    free(iso->lane_vertex);
    free(iso->climb);
    iso->lane = (struct ht_lane){0};
    iso->lane_vertex = NULL;
    iso->climb = NULL;
    iso->levels = 0;
}

void ht_isochrone_free(struct ht_isochrone *iso)
{
    if (iso == NULL) {
        return;
    }
    ht_label_store_free(iso->labels);
    ht_query_free(iso->query);
    lane_free(iso);
    free(iso->times);
    free(iso->lengths);
    free(iso->stretches);
    free(iso->extras);
    free(iso->seen);
    free(iso->streets);
    free(iso->pieces);
    free(iso);
}

size_t ht_isochrone_swept(const struct ht_isochrone *iso)
{
    return iso->swept + iso->extra_count;
}

/* Makes room; the bit set is all zero between runs. */
static enum ht_status reserve(struct ht_isochrone *iso, const struct ht_road *road)
{
    uint32_t levels = road->cch->depth_max + 8;
    if (levels > iso->levels) {
        lane_free(iso);
        iso->lane.time = ht_array_new(levels, sizeof *iso->lane.time);
        iso->lane.length = ht_array_new(levels, sizeof *iso->lane.length);
        iso->lane_vertex = ht_array_new(levels, sizeof *iso->lane_vertex);
        iso->climb = ht_array_new(levels, sizeof *iso->climb);
        if (iso->lane.time == NULL || iso->lane.length == NULL || iso->lane_vertex == NULL ||
            iso->climb == NULL) {
            return HT_NOMEM;
        }
        iso->levels = levels;
    }
    size_t words = road->graph->base_arc_count / 64 + 1;
    void *seen = iso->seen;
    enum ht_status status = ht_array_reserve(&seen, &iso->seen_capacity, words, sizeof *iso->seen);
    iso->seen = seen;
    if (status == HT_OK && words > iso->seen_words) {
        memset(iso->seen + iso->seen_words, 0, (words - iso->seen_words) * sizeof *iso->seen);
        iso->seen_words = words;
    }
    return status;
}

/* --- the sweep -------------------------------------------------------------------------------- */

/* What the label of the place says about a vertex. */
static struct ht_key label_key(const struct ht_label *label, uint32_t vertex, uint32_t depth)
{
    for (uint32_t b = 0; b < label->branch_count; b++) {
        const struct ht_branch *branch = &label->branches[b];
        if (depth < branch->count && branch->vertex[depth] == vertex) {
            return (struct ht_key){branch->time[depth], branch->length[depth]};
        }
    }
    return ht_key_inf();
}

/* Nothing in the region lies within the limit: ways come in through its exits alone, unless they
 * begin there. That holds towards the place, too, where what is paid within a vertex' own arc does
 * not count for its end: the exit's cost is part of the rest. */
static bool out_of_reach(const struct ht_isochrone *iso, const struct ht_region *region)
{
    for (uint32_t b = 0; b < iso->label.branch_count; b++) {
        const struct ht_branch *branch = &iso->label.branches[b];
        uint32_t end = branch->vertex[branch->count - 1];
        if (end >= region->low && end <= region->root) {
            return false;
        }
    }
    uint64_t limit = (uint64_t)iso->ask.limit_ms + (uint32_t)iso->label.bias.time;
    const uint16_t *exits = iso->ask.streets->regions.exits + region->first_exit;
    for (uint32_t i = 0; i < region->exit_count; i++) {
        uint64_t time = iso->lane.time[exits[i]];
        if (ht_time_finite(time) && (uint32_t)time <= limit) {
            return false;
        }
    }
    return true;
}

static struct ht_key pull(const struct ht_isochrone *iso, uint32_t v, uint32_t depth)
{
    struct ht_row row = ht_metric_row(iso->ask.road->metric, iso->ask.towards ? 0 : 1, v);
    struct ht_key key = ht_pull_row(row, iso->lane, label_key(&iso->label, v, depth));
    key.time = ht_time_finite(key.time) ? key.time : HT_TIME_INF;
    iso->lane.time[depth] = key.time;
    iso->lane.length[depth] = key.length;
    return key;
}

static enum ht_status stretch_add(struct ht_isochrone *iso, uint32_t high, uint32_t low)
{
    size_t count = high - low + UINT32_C(1);
    void *stretches = iso->stretches;
    enum ht_status status = ht_array_reserve(&stretches, &iso->stretch_capacity,
                                             iso->stretch_count + 1, sizeof *iso->stretches);
    iso->stretches = stretches;
    void *times = iso->times;
    if (status == HT_OK) {
        status =
            ht_array_reserve(&times, &iso->time_capacity, iso->swept + count, sizeof *iso->times);
        iso->times = times;
    }
    void *lengths = iso->lengths;
    if (status == HT_OK) {
        status = ht_array_reserve(&lengths, &iso->length_capacity, iso->swept + count,
                                  sizeof *iso->lengths);
        iso->lengths = lengths;
    }
    if (status == HT_OK) {
        iso->stretches[iso->stretch_count++] = (struct stretch){high, low, iso->swept};
    }
    return status;
}

/* Vertices high .. low, which lie in no region that could be left out. Ranks are a post-order, so
 * falling they are a depth-first order: above a vertex the lane holds its ancestors. */
static enum ht_status sweep_stretch(struct ht_isochrone *iso, uint32_t high, uint32_t low)
{
    const struct ht_climb *climb = iso->ask.road->metric->climb;
    enum ht_status status = stretch_add(iso, high, low);
    if (status != HT_OK) {
        return status;
    }
    for (uint32_t v = high + 1; v-- > low;) {
        struct ht_key key = pull(iso, v, climb[v].depth);
        iso->times[iso->swept] = key.time;
        iso->lengths[iso->swept++] = key.length;
    }
    return HT_OK;
}

/* Region by region: what lies above the next one is swept, then it is entered or left out. */
static enum ht_status sweep(struct ht_isochrone *iso)
{
    const struct ht_regions *regions = &iso->ask.streets->regions;
    uint64_t end = regions->vertex_count; /* ranks below are still to come */
    enum ht_status status = HT_OK;
    iso->swept = 0;
    iso->stretch_count = 0;
    for (uint32_t r = 0; r < regions->count && status == HT_OK; r++) {
        const struct ht_region *region = &regions->list[r];
        if (region->root >= end) {
            continue; /* within one that was left out */
        }
        if (region->root + UINT64_C(1) < end) {
            status = sweep_stretch(iso, (uint32_t)end - 1, region->root + 1);
            end = region->root + UINT64_C(1);
        }
        if (status == HT_OK && out_of_reach(iso, region)) {
            end = region->low;
        }
    }
    return status == HT_OK && end > 0 ? sweep_stretch(iso, (uint32_t)end - 1, 0) : status;
}

/* Where the sweep left the cost of a vertex; SIZE_MAX: it was left out. */
static size_t swept_at(const struct ht_isochrone *iso, uint32_t vertex)
{
    size_t low = 0;
    size_t high = iso->stretch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (iso->stretches[middle].low > vertex) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == iso->stretch_count || iso->stretches[low].high < vertex) {
        return SIZE_MAX;
    }
    return iso->stretches[low].first + (iso->stretches[low].high - vertex);
}

/* --- streets ---------------------------------------------------------------------------------- */

static struct ht_cost whole(const struct ht_isochrone *iso, uint32_t arc)
{
    const struct ht_arc *a = &iso->ask.road->graph->arcs[arc];
    return (struct ht_cost){a->weight_ms, a->duration_ms, a->length_mm};
}

static struct ht_cost infinite(void)
{
    return (struct ht_cost){.weight_ms = HT_WEIGHT_INF};
}

/* At the tail of the vertex' arc, from the place; or from the arc's head, towards it. */
static struct ht_cost end_cost(const struct ht_isochrone *iso, uint32_t arc, struct ht_key key)
{
    if (!ht_time_finite(key.time)) {
        return infinite();
    }
    if (!iso->ask.towards) {
        return ht__cost_of(ht_key_sub(key, iso->label.bias));
    }
    struct ht_cost all = whole(iso, arc);
    return ht__cost_of(ht_key_sub(key, (struct ht_key){ht_time_pack(all.weight_ms, all.duration_ms),
                                                       (uint32_t)all.length_mm}));
}

static bool within(struct ht_cost cost, uint32_t limit_ms)
{
    return cost.weight_ms < HT_WEIGHT_INF && cost.duration_ms <= limit_ms;
}

/* A way over the whole arc is closed, so nothing in the hierarchy leads out of it; who stands
 * behind what is closed drives on all the same. Towards the place what that costs is asked of the
 * turns. */
static bool is_split(const struct ht_isochrone *iso, uint32_t arc)
{
    const struct ht_graph *graph = iso->ask.road->graph;
    return iso->ask.towards && graph->live != NULL && graph->arcs[arc].weight_ms >= HT_WEIGHT_INF;
}

/* From the head of a split arc to the place, by what `key_of` says of what follows. */
static struct ht_cost split_cost(const struct ht_isochrone *iso, uint32_t arc,
                                 struct ht_key (*key_of)(const struct ht_isochrone *, uint32_t))
{
    const struct ht_road *road = iso->ask.road;
    const struct ht_graph *graph = road->graph;
    const uint8_t *closed = graph->live->turn_closed;
    struct ht_key best = ht_key_inf();
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
        struct ht_turn turn = ht_turn_at(graph, arc, t);
        struct ht_key key = key_of(iso, road->cch->rank[turn.to]);
        if (!ht_time_finite(key.time) || (closed != NULL && closed[t] != 0)) {
            continue;
        }
        key = ht_key_add(key, (struct ht_key){ht_time_pack(turn.weight_ms, turn.duration_ms), 0});
        best = ht_key_less(key, best) ? key : best;
    }
    return ht_time_finite(best.time) ? ht__cost_of(best) : infinite();
}

static enum ht_status extra_add(struct ht_isochrone *iso, uint32_t arc)
{
    uint32_t vertex = iso->ask.road->cch->rank[arc];
    if (swept_at(iso, vertex) != SIZE_MAX) {
        return HT_OK;
    }
    void *extras = iso->extras;
    enum ht_status status =
        ht_array_reserve(&extras, &iso->extra_capacity, iso->extra_count + 1, sizeof *iso->extras);
    iso->extras = extras;
    if (status == HT_OK) {
        iso->extras[iso->extra_count++].vertex = vertex;
    }
    return status;
}

/* What the cost of a street's arc is made of, where the sweep left it out. */
static enum ht_status extras_of(struct ht_isochrone *iso, uint32_t arc)
{
    const struct ht_graph *graph = iso->ask.road->graph;
    const uint32_t *copies = NULL;
    enum ht_status status = extra_add(iso, arc);
    uint32_t count = iso->ask.towards ? 0 : ht_graph_copies(graph, arc, &copies);
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        status = extra_add(iso, copies[i]);
    }
    uint32_t end = is_split(iso, arc) ? graph->turn_first[arc + 1] : 0;
    for (uint32_t t = graph->turn_first[arc]; t < end && status == HT_OK; t++) {
        status = extra_add(iso, ht_turn_to(graph, arc, t));
    }
    return status;
}

/* Lists the street of a base arc, and as extras whatever of it the sweep left out. */
static enum ht_status street_add(struct ht_isochrone *iso, uint32_t arc)
{
    const struct ht_graph *graph = iso->ask.road->graph;
    uint32_t other = graph->arcs[arc].reverse;
    struct street street = {.arc = {arc < other ? arc : other, arc < other ? other : arc}};
    uint32_t first = street.arc[0];
    if ((iso->seen[first / 64] >> first % 64 & 1) != 0) {
        return HT_OK;
    }
    void *streets = iso->streets;
    enum ht_status status = ht_array_reserve(&streets, &iso->street_capacity, iso->street_count + 1,
                                             sizeof *iso->streets);
    iso->streets = streets;
    if (status != HT_OK) {
        return status;
    }
    iso->seen[first / 64] |= UINT64_C(1) << first % 64;
    iso->streets[iso->street_count++] = street;
    for (int s = 0; s < 2 && status == HT_OK; s++) {
        status = street.arc[s] == HT_NONE ? HT_OK : extras_of(iso, street.arc[s]);
    }
    return status;
}

static const struct ht_place_side *own_side(const struct ht_isochrone *iso, uint32_t arc)
{
    for (int s = 0; s < 2; s++) {
        if (iso->ask.place->side[s].arc == arc) {
            return &iso->ask.place->side[s];
        }
    }
    return NULL;
}

static struct ht_key swept_key(const struct ht_isochrone *iso, uint32_t vertex)
{
    size_t at = swept_at(iso, vertex);
    return at == SIZE_MAX ? ht_key_inf() : (struct ht_key){iso->times[at], iso->lengths[at]};
}

/* Streets that lie behind what is closed on them. Linear in the arcs that are live. */
static enum ht_status split_streets_list(struct ht_isochrone *iso)
{
    const struct ht_live_arcs *live = iso->ask.road->graph->live;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; live != NULL && i < live->arc_count && status == HT_OK; i++) {
        uint32_t arc = live->arcs[i].arc;
        if (is_split(iso, arc) && own_side(iso, arc) == NULL &&
            within(split_cost(iso, arc, swept_key), iso->ask.limit_ms)) {
            status = street_add(iso, arc);
        }
    }
    return status;
}

/* Every street of which some end lies within the limit, and that of the place itself. */
static enum ht_status streets_list(struct ht_isochrone *iso)
{
    const struct ht_road *road = iso->ask.road;
    enum ht_status status = HT_OK;
    iso->street_count = 0;
    iso->extra_count = 0;
    for (int s = 0; s < 2 && status == HT_OK; s++) {
        if (iso->ask.place->side[s].arc != HT_NONE) {
            status = street_add(iso, iso->ask.place->side[s].arc);
        }
    }
    for (size_t i = 0; i < iso->stretch_count && status == HT_OK; i++) {
        const struct stretch *stretch = &iso->stretches[i];
        for (uint32_t v = stretch->high + 1; v-- > stretch->low && status == HT_OK;) {
            size_t at = stretch->first + (stretch->high - v);
            struct ht_key key = {iso->times[at], iso->lengths[at]};
            if (!ht_time_finite(key.time)) {
                continue;
            }
            uint32_t arc = road->cch->arc[v];
            if ((iso->ask.towards && arc >= road->graph->base_arc_count) ||
                own_side(iso, arc) != NULL) {
                continue; /* no trip begins on a copy; the place's own street is listed already */
            }
            if (within(end_cost(iso, arc, key), iso->ask.limit_ms)) {
                status = street_add(iso, ht_arc_base(road->graph, arc));
            }
        }
    }
    if (status == HT_OK) {
        status = split_streets_list(iso);
    }
    for (size_t i = 0; i < iso->street_count; i++) {
        iso->seen[iso->streets[i].arc[0] / 64] = 0;
    }
    return status;
}

static int compare_extras(const void *a, const void *b)
{
    const struct extra *x = a;
    const struct extra *y = b;
    return x->vertex < y->vertex ? 1 : x->vertex > y->vertex ? -1 : 0;
}

/* The costs of extras, each by the way from the root down to it, as in sweep.c. */
static void extras_fill(struct ht_isochrone *iso)
{
    const struct ht_climb *climb = iso->ask.road->metric->climb;
    memset(iso->lane_vertex, 0xff, iso->levels * sizeof *iso->lane_vertex);
    if (iso->extra_count > 0) {
        qsort(iso->extras, iso->extra_count, sizeof *iso->extras, compare_extras);
    }
    for (size_t i = 0; i < iso->extra_count; i++) {
        uint32_t count = 0;
        uint32_t v = iso->extras[i].vertex;
        for (; v != HT_NONE && iso->lane_vertex[climb[v].depth] != v;
             v = ht_metric_parent(iso->ask.road->metric, v)) {
            iso->climb[count++] = v;
        }
        while (count-- > 0) {
            v = iso->climb[count];
            uint32_t depth = climb[v].depth;
            size_t at = swept_at(iso, v);
            iso->lane_vertex[depth] = v;
            if (at == SIZE_MAX) {
                (void)pull(iso, v, depth);
            } else {
                iso->lane.time[depth] = iso->times[at];
                iso->lane.length[depth] = iso->lengths[at];
            }
        }
        uint32_t depth = climb[iso->extras[i].vertex].depth;
        iso->extras[i].key = (struct ht_key){iso->lane.time[depth], iso->lane.length[depth]};
    }
}

static struct ht_key vertex_key(const struct ht_isochrone *iso, uint32_t vertex)
{
    if (swept_at(iso, vertex) != SIZE_MAX) {
        return swept_key(iso, vertex);
    }
    const struct extra wanted = {.vertex = vertex};
    const struct extra *found =
        bsearch(&wanted, iso->extras, iso->extra_count, sizeof *iso->extras, compare_extras);
    return found == NULL ? ht_key_inf() : found->key;
}

/* At the end of one of a street's arcs, over all copies of it. */
static struct ht_cost arc_cost(const struct ht_isochrone *iso, uint32_t arc)
{
    const struct ht_road *road = iso->ask.road;
    const uint32_t *copies = NULL;
    if (is_split(iso, arc)) {
        return split_cost(iso, arc, vertex_key);
    }
    uint32_t count = iso->ask.towards ? 0 : ht_graph_copies(road->graph, arc, &copies);
    struct ht_cost best = end_cost(iso, arc, vertex_key(iso, road->cch->rank[arc]));
    for (uint32_t i = 0; i < count; i++) {
        struct ht_cost cost = end_cost(iso, copies[i], vertex_key(iso, road->cch->rank[copies[i]]));
        best = ht_cost_less(cost, best) ? cost : best;
    }
    return best;
}

/* The place's own arc is a seed of the search and stands there with the place's own cost. What it
 * costs to come round to its end is a query. */
static enum ht_status own_cost(struct ht_isochrone *iso, uint32_t arc,
                               const struct ht_place_side *own, struct ht_cost *out)
{
    const struct ht_arc *a = &iso->ask.road->graph->arcs[arc];
    struct ht_place end = *iso->ask.place;
    int s = own == &iso->ask.place->side[0] ? 0 : 1;
    struct ht_way_found found;
    *out = infinite();
    if (own->before_mm == (iso->ask.towards ? a->length_mm : 0)) {
        return HT_OK; /* all of it is straight on */
    }
    end.side[1 - s].arc = HT_NONE;
    end.side[s] = (struct ht_place_side){.arc = arc};
    if (iso->ask.towards) {
        end.side[s].before_mm = a->length_mm;
        end.side[s].before = whole(iso, arc);
    } else {
        end.side[s].after_mm = a->length_mm;
        end.side[s].after = whole(iso, arc);
    }
    enum ht_status status = ht_query_cost(
        iso->query, iso->ask.road, iso->ask.towards ? &end : iso->ask.place, HT_SIDES_BOTH,
        iso->ask.towards ? iso->ask.place : &end, HT_SIDES_BOTH, &found);
    if (status == HT_OK) {
        *out = found.cost;
    }
    return status == HT_NO_ROUTE ? HT_OK : status;
}

static enum ht_status streets_cost(struct ht_isochrone *iso)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < iso->street_count && status == HT_OK; i++) {
        struct street *street = &iso->streets[i];
        for (int s = 0; s < 2 && status == HT_OK; s++) {
            street->cost[s] = infinite();
            if (street->arc[s] == HT_NONE) {
                continue;
            }
            const struct ht_place_side *own = own_side(iso, street->arc[s]);
            if (own == NULL) {
                street->cost[s] = arc_cost(iso, street->arc[s]);
            } else {
                status = own_cost(iso, street->arc[s], own, &street->cost[s]);
            }
        }
    }
    return status;
}

enum ht_status ht_isochrone_run(struct ht_isochrone *iso, const struct ht_isochrone_ask *ask)
{
    iso->ask = *ask;
    iso->street_count = 0;
    iso->swept = 0;
    iso->extra_count = 0;
    if (ask->limit_ms > HT_ISOCHRONE_MOST_MS) {
        return HT_RANGE;
    }
    ht_label_store_clear(iso->labels);
    enum ht_status status = reserve(iso, ask->road);
    if (status == HT_OK) {
        status = ht_label_build(iso->labels, ask->road, ask->place, ask->towards, &iso->label);
    }
    if (status == HT_OK) {
        status = sweep(iso);
    }
    if (status == HT_OK) {
        status = streets_list(iso);
    }
    if (status == HT_OK) {
        extras_fill(iso);
        status = streets_cost(iso);
    }
    if (status != HT_OK) {
        iso->street_count = 0;
    }
    return status;
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* Costs along a street, x in millimetres from the tail of its first arc. One of its arcs gets
 * dearer with x (`up`), the other cheaper; each straight on where the place lies on it before x. */
struct slope {
    const struct ht_graph *graph;
    const struct ht_arc *arc; /* NULL: none */
    const struct ht_place_side *own;
    struct ht_cost end;
    bool against; /* its tail is where x is greatest */
    bool towards;
};

/* From one place on the arc to another, as far as it is open. */
static struct ht_cost slope_part(const struct slope *slope, uint32_t from_mm, uint32_t to_mm)
{
    return from_mm == to_mm ? (struct ht_cost){0, 0, 0}
                            : ht_arc_cost(slope->graph, (uint32_t)(slope->arc - slope->graph->arcs),
                                          from_mm, to_mm);
}

/* What a trip between the place and x pays on this arc and before it. */
static struct ht_cost slope_cost(const struct slope *slope, uint32_t x)
{
    const struct ht_arc *arc = slope->arc;
    if (arc == NULL) {
        return infinite();
    }
    uint32_t before = slope->against ? arc->length_mm - x : x;
    if (slope->own != NULL &&
        (slope->towards ? before <= slope->own->before_mm : before >= slope->own->before_mm)) {
        return slope->towards ? slope_part(slope, before, slope->own->before_mm)
                              : slope_part(slope, slope->own->before_mm, before);
    }
    if (slope->end.weight_ms >= HT_WEIGHT_INF) {
        return infinite();
    }
    struct ht_cost part =
        slope->towards ? ht_arc_cost(slope->graph, (uint32_t)(arc - slope->graph->arcs), before,
                                     arc->length_mm)
                       : ht_arc_cost(slope->graph, (uint32_t)(arc - slope->graph->arcs), 0, before);
    if (part.weight_ms >= HT_WEIGHT_INF) {
        return infinite();
    }
    return (struct ht_cost){slope->end.weight_ms + part.weight_ms,
                            slope->end.duration_ms + part.duration_ms,
                            slope->end.length_mm + part.length_mm};
}

struct pair {
    struct slope up;
    struct slope down;
    uint32_t limit_ms;
};

enum test { TEST_UP_SERVES, TEST_UP_WITHIN, TEST_DOWN_BEYOND };

static bool test(const struct pair *pair, enum test what, uint32_t x)
{
    switch (what) {
    case TEST_UP_SERVES:
        return !ht_cost_less(slope_cost(&pair->down, x), slope_cost(&pair->up, x));
    case TEST_UP_WITHIN:
        return within(slope_cost(&pair->up, x), pair->limit_ms);
    case TEST_DOWN_BEYOND:
    default:
        return !within(slope_cost(&pair->down, x), pair->limit_ms);
    }
}

/* The first x in [low, high] that fails a test which all before it pass and all after it fail, too;
 * high + 1: none. */
static uint64_t first_failing(const struct pair *pair, enum test what, uint64_t low, uint64_t high)
{
    uint64_t end = high + 1;
    if (low >= end || test(pair, what, (uint32_t)high)) {
        return low >= end ? low : end;
    }
    end = high;
    while (low < end) {
        uint64_t middle = low + (end - low) / 2;
        if (test(pair, what, (uint32_t)middle)) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low;
}

/* Adds [from, end) of a street; joined to the piece before where they touch. */
static void piece_add(struct ht_isochrone *iso, uint32_t arc, uint64_t from, uint64_t end)
{
    if (from >= end) {
        return;
    }
    struct ht_isochrone_piece *last =
        iso->piece_count == 0 ? NULL : &iso->pieces[iso->piece_count - 1];
    if (last != NULL && last->arc == arc && last->to_mm + UINT64_C(1) >= from) {
        last->to_mm = (uint32_t)(end - 1);
    } else {
        iso->pieces[iso->piece_count++] =
            (struct ht_isochrone_piece){arc, (uint32_t)from, (uint32_t)(end - 1)};
    }
}

/* [from, end), on which neither arc passes the place. */
static void pieces_between(struct ht_isochrone *iso, const struct pair *pair, uint32_t arc,
                           uint64_t from, uint64_t end)
{
    if (from >= end) {
        return;
    }
    uint64_t turn = first_failing(pair, TEST_UP_SERVES, from, end - 1);
    if (turn > from) {
        piece_add(iso, arc, from, first_failing(pair, TEST_UP_WITHIN, from, turn - 1));
    }
    if (turn < end) {
        piece_add(iso, arc, first_failing(pair, TEST_DOWN_BEYOND, turn, end - 1), end);
    }
}

static struct slope slope_of(const struct ht_isochrone *iso, const struct street *street, int s)
{
    if (street->arc[s] == HT_NONE) {
        return (struct slope){.arc = NULL};
    }
    return (struct slope){.graph = iso->ask.road->graph,
                          .arc = &iso->ask.road->graph->arcs[street->arc[s]],
                          .own = own_side(iso, street->arc[s]),
                          .end = street->cost[s],
                          .against = s == 1,
                          .towards = iso->ask.towards};
}

/* Where, in x, a slope begins to be another one; `length` + 1: nowhere. */
static uint64_t breaks_at(const struct slope *slope, uint32_t length)
{
    if (slope->own == NULL) {
        return length + UINT64_C(1);
    }
    uint32_t at = slope->against ? length - slope->own->before_mm : slope->own->before_mm;
    /* the place itself is straight on: it belongs to the side where that is so */
    return slope->against != slope->towards ? at + UINT64_C(1) : at;
}

static void street_pieces(struct ht_isochrone *iso, const struct street *street, uint32_t limit_ms)
{
    uint32_t length = iso->ask.road->graph->arcs[street->arc[0]].length_mm;
    struct slope along = slope_of(iso, street, 0);
    struct slope against = slope_of(iso, street, 1);
    struct pair pair = {.up = iso->ask.towards ? against : along,
                        .down = iso->ask.towards ? along : against,
                        .limit_ms = limit_ms};
    uint64_t end = length + UINT64_C(1);
    uint64_t a = breaks_at(&along, length);
    uint64_t b = breaks_at(&against, length);
    uint64_t first = a < b ? a : b;
    uint64_t second = a < b ? b : a;
    uint32_t arc = street->arc[0];
    pieces_between(iso, &pair, arc, 0, first < end ? first : end);
    pieces_between(iso, &pair, arc, first, second < end ? second : end);
    pieces_between(iso, &pair, arc, second, end);
}

enum ht_status ht_isochrone_pieces(struct ht_isochrone *iso, uint32_t limit_ms,
                                   const struct ht_isochrone_piece **pieces, size_t *count)
{
    void *list = iso->pieces;
    enum ht_status status =
        ht_array_reserve(&list, &iso->piece_capacity, iso->street_count * 6, sizeof *iso->pieces);
    iso->pieces = list;
    *pieces = iso->pieces;
    *count = 0;
    if (status != HT_OK) {
        return status;
    }
    if (limit_ms > iso->ask.limit_ms) {
        return HT_RANGE;
    }
    iso->piece_count = 0;
    for (size_t i = 0; i < iso->street_count; i++) {
        street_pieces(iso, &iso->streets[i], limit_ms);
    }
    *count = iso->piece_count;
    return HT_OK;
}
