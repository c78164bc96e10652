/* The search of closest.h: down into the regions whose exits are near.
 *
 * D(v), the cost from the beginning of arc v to the target, is the least of the target's label
 * there and of D(w) + edge over the ancestors w that v has edges to. It is filled in along one way
 * from the root at a time, by depth, as in road/sweep.c; the target's own way is kept beside it,
 * since most regions hang off that.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/closest_internal.h"
#include "engine/road/cch.h"
#include "engine/road/relax.h"

enum {
    TRIES = 4,
    LONG_MS = 50 * 1000 * 1000, /* below it no way reaches 4,295 km, see query.c */
    SCAN_AFTER = 32,            /* units looked at before the filter is said to be choosy */
    SCAN_SHARE = 8,             /* when fewer than one in so many pass it */
    NEW_LABELS = 8,             /* made by one question: 0.3 ms on a city */
};

/* D by depth along one way from the root. */
struct lane {
    uint32_t *vertex;
    uint64_t *time;
    uint32_t *length;
};

struct waiting {
    uint32_t bound_ms;
    uint32_t region;
};

struct ht_closest_work {
    struct ht_label_store *labels;
    struct ht__kept *kept;
    struct ht_query *query;
    struct ht_seeds seeds;
    struct lane lane;
    struct lane base; /* the target's way to the root */
    uint32_t filled;  /* levels of the lane that lie on one way */
    uint32_t *climb;
    uint32_t levels;
    struct waiting *heap;
    size_t heap_capacity;
    uint32_t heap_count;
    uint32_t *units; /* [capacity] on one vertex */
    uint32_t *seen;  /* [capacity] the number of the question that looked at the unit */
    uint32_t question;
    struct ht__bits wanted; /* vertices with units that pass a choosy filter */
    uint32_t *wanted_list;  /* [2 * capacity] to clear them again */
    uint32_t wanted_count;
    struct ht_closest_hit *hits;
    size_t hit_capacity;
};

struct search {
    struct ht_closest *index;
    struct ht_closest_work *work;
    const struct ht_closest_ask *ask;
    uint32_t hit_count;
    uint32_t limit_ms; /* slower than this is not wanted */
    /* of the layer in hand */
    uint32_t layer;
    const struct ht_road *road;
    const struct ht_place *target;
    const struct ht__bits *bits;
    struct ht_label label;
    uint32_t base_count;
    bool joined; /* by kept labels */
    uint32_t looked;
    uint32_t passed;
    enum ht_status status;
};

static bool lane_init(struct lane *lane, uint32_t levels)
{
    lane->vertex = ht_array_new(levels, sizeof *lane->vertex);
    lane->time = ht_array_new(levels, sizeof *lane->time);
    lane->length = ht_array_new(levels, sizeof *lane->length);
    return lane->vertex != NULL && lane->time != NULL && lane->length != NULL;
}

static void lane_deinit(struct lane *lane)
{
    free(lane->vertex);
    free(lane->time);
    free(lane->length);
}

enum ht_status ht_closest_work_new(const struct ht_closest *c, struct ht_closest_work **out)
{
    struct ht_closest_work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return HT_NOMEM;
    }
    uint32_t vertices = 0;
    w->levels = 1;
    for (uint32_t i = 0; i < c->layer_count; i++) {
        const struct ht_cch *cch = c->layers[i].cch;
        if (cch != NULL) {
            w->levels = cch->depth_max + 8 > w->levels ? cch->depth_max + 8 : w->levels;
            vertices = cch->vertex_count > vertices ? cch->vertex_count : vertices;
        }
    }
    w->climb = ht_array_new(w->levels, sizeof *w->climb);
    w->units = ht_array_new(c->capacity, sizeof *w->units);
    w->seen = ht_array_new_zeroed(c->capacity, sizeof *w->seen);
    w->wanted_list = ht_array_new((size_t)c->capacity * 2, sizeof *w->wanted_list);
    bool whole = lane_init(&w->lane, w->levels) && lane_init(&w->base, w->levels) &&
                 w->climb != NULL && w->units != NULL && w->seen != NULL && w->wanted_list != NULL;
    enum ht_status status = whole ? ht__bits_init(&w->wanted, vertices) : HT_NOMEM;
    if (status == HT_OK) {
        status = ht_label_store_new(&w->labels);
    }
    if (status == HT_OK) {
        status = ht__kept_new(w->levels, &w->kept);
    }
    if (status == HT_OK) {
        status = ht_query_new(&w->query);
    }
    if (status != HT_OK) {
        ht_closest_work_free(w);
        return status;
    }
    *out = w;
    return HT_OK;
}

void ht_closest_work_free(struct ht_closest_work *w)
{
    if (w == NULL) {
        return;
    }
    ht_label_store_free(w->labels);
    ht__kept_free(w->kept);
    ht_query_free(w->query);
    ht_seeds_deinit(&w->seeds);
    lane_deinit(&w->lane);
    lane_deinit(&w->base);
    free(w->climb);
    free(w->heap);
    free(w->units);
    free(w->seen);
    ht__bits_deinit(&w->wanted);
    free(w->wanted_list);
    free(w->hits);
    free(w);
}

/* Hits: a heap, the last on top. */

static bool hit_after(const struct ht_closest_hit *a, const struct ht_closest_hit *b)
{
    return a->cost.duration_ms != b->cost.duration_ms ? a->cost.duration_ms > b->cost.duration_ms
                                                      : a->unit > b->unit;
}

static void hits_sink(struct ht_closest_hit *hits, uint32_t count, uint32_t at)
{
    struct ht_closest_hit hit = hits[at];
    for (;;) {
        uint64_t child = 2 * (uint64_t)at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && hit_after(&hits[child + 1], &hits[child])) {
            child++;
        }
        if (!hit_after(&hits[child], &hit)) {
            break;
        }
        hits[at] = hits[child];
        at = (uint32_t)child;
    }
    hits[at] = hit;
}

static void hits_add(struct search *s, const struct ht_closest_hit *hit)
{
    struct ht_closest_hit *hits = s->work->hits;
    if (hit->cost.duration_ms > s->ask->max_ms) {
        return;
    }
    if (s->hit_count < s->ask->k) {
        void *grown = hits;
        s->status = ht_array_reserve(&grown, &s->work->hit_capacity, (size_t)s->hit_count + 1,
                                     sizeof *hits);
        s->work->hits = hits = grown;
        if (s->status != HT_OK) {
            return;
        }
        uint32_t at = s->hit_count++;
        while (at > 0 && hit_after(hit, &hits[(at - 1) / 2])) {
            hits[at] = hits[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        hits[at] = *hit;
    } else if (hit_after(&hits[0], hit)) {
        hits[0] = *hit;
        hits_sink(hits, s->hit_count, 0);
    }
    if (s->hit_count == s->ask->k) {
        s->limit_ms = hits[0].cost.duration_ms;
    }
}

static void hits_sort(struct ht_closest_hit *hits, uint32_t count)
{
    while (count > 1) {
        struct ht_closest_hit last = hits[--count];
        hits[count] = hits[0];
        hits[0] = last;
        hits_sink(hits, count, 0);
    }
}

/* Costs to the target. */

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

static void lane_copy(struct lane *to, const struct lane *from, uint32_t depth)
{
    to->vertex[depth] = from->vertex[depth];
    to->time[depth] = from->time[depth];
    to->length[depth] = from->length[depth];
}

static bool lane_holds(const struct ht_closest_work *w, uint32_t depth, uint32_t vertex)
{
    return depth < w->filled && w->lane.vertex[depth] == vertex;
}

/* Makes the lane hold D from the root down to `vertex`. What lay below where another way branched
 * off is no longer on one way with what is above, though each value is right: `filled` ends it. */
static void reach(struct search *s, uint32_t vertex)
{
    const struct ht_cch *cch = s->road->cch;
    struct ht_closest_work *w = s->work;
    struct lane *lane = &w->lane;
    uint32_t count = 0;
    uint32_t depth = cch->depth[vertex];
    if (lane_holds(w, depth, vertex)) {
        return;
    }
    for (uint32_t v = vertex; v != HT_NONE && !lane_holds(w, depth, v); v = cch->parent[v]) {
        if (depth < s->base_count && w->base.vertex[depth] == v) {
            for (uint32_t d = depth + 1; d-- > 0 && !lane_holds(w, d, w->base.vertex[d]);) {
                lane_copy(lane, &w->base, d);
            }
            break;
        }
        struct ht_row row = ht_metric_row(s->road->metric, 0, v);
        __builtin_prefetch(row.time);
        __builtin_prefetch(row.depth);
        __builtin_prefetch(row.length);
        w->climb[count++] = v;
        depth--;
    }
    w->filled = cch->depth[vertex] + UINT32_C(1);
    while (count-- > 0) {
        uint32_t v = w->climb[count];
        uint32_t d = cch->depth[v];
        struct ht_key key = ht_pull_row(ht_metric_row(s->road->metric, 0, v),
                                        (struct ht_lane){lane->time, lane->length, NULL},
                                        label_key(&s->label, v, d));
        lane->vertex[d] = v;
        lane->time[d] = ht_time_finite(key.time) ? key.time : HT_TIME_INF;
        lane->length[d] = key.length;
    }
}

/* No unit in the region is nearer; UINT32_MAX: none can reach the target. A region that holds an
 * end of the target may hold whole ways. */
static uint32_t region_bound(struct search *s, const struct ht_region *region)
{
    const struct ht__layer *layer = &s->index->layers[s->layer];
    const struct lane *lane = &s->work->lane;
    for (uint32_t b = 0; b < s->label.branch_count; b++) {
        const struct ht_branch *branch = &s->label.branches[b];
        uint32_t end = branch->vertex[branch->count - 1];
        if (end >= region->low && end <= region->root) {
            return 0;
        }
    }
    uint32_t bound = UINT32_MAX;
    if (layer->cch->parent[region->root] == HT_NONE) {
        return bound;
    }
    reach(s, layer->cch->parent[region->root]);
    const uint16_t *exits = layer->regions.exits + region->first_exit;
    for (uint32_t i = 0; i < region->exit_count; i++) {
        uint64_t time = lane->time[exits[i]];
        uint32_t duration = ht_time_finite(time) ? (uint32_t)time : UINT32_MAX;
        bound = duration < bound ? duration : bound;
    }
    return bound;
}

static struct ht__kept_key kept_key(const struct search *s, uint32_t vertex)
{
    return (struct ht__kept_key){s->ask->world, s->layer, vertex};
}

/* D of one vertex. */
static struct ht_key cost_from(struct search *s, uint32_t vertex)
{
    const struct ht_label *kept =
        s->joined ? ht__kept_find(s->work->kept, kept_key(s, vertex), s->work->question) : NULL;
    if (kept != NULL) {
        return ht_label_join(kept, &s->label);
    }
    uint32_t depth = s->road->cch->depth[vertex];
    reach(s, vertex);
    return (struct ht_key){s->work->lane.time[depth], s->work->lane.length[depth]};
}

static struct ht_key unit_key(struct search *s)
{
    const struct ht_seeds *seeds = &s->work->seeds;
    struct ht_key best = ht_key_inf();
    for (uint32_t i = 0; i < seeds->count; i++) {
        struct ht_key key = cost_from(s, seeds->list[i].vertex);
        if (ht_time_finite(key.time)) {
            key = ht_key_sub(ht_key_add(key, seeds->list[i].key), seeds->bias);
            best = ht_key_less(key, best) ? key : best;
        }
    }
    return best;
}

/* The cost from a unit's place, as ht_query_cost gives it, but for the length of a long way: that
 * is wanted of hits alone (whole_lengths), and costs as much as all the rest. */
static enum ht_status unit_cost(struct search *s, const struct ht_place *place,
                                struct ht_cost *cost)
{
    struct ht_closest_work *w = s->work;
    if (ht__one_by_one(s->road, place, s->target)) {
        struct ht_way_found found;
        enum ht_status status = ht_query_cost(w->query, s->road, place, HT_SIDES_BOTH, s->target,
                                              HT_SIDES_BOTH, &found);
        if (status == HT_OK) {
            *cost = found.cost;
        }
        return status;
    }
    enum ht_status status = ht__seeds_source(&w->seeds, s->road, place, HT_SIDES_BOTH);
    if (status != HT_OK) {
        return status;
    }
    struct ht_key key = unit_key(s);
    if (!ht_time_finite(key.time)) {
        return HT_NO_ROUTE;
    }
    *cost = ht__cost_of(key);
    return HT_OK;
}

static bool wanted(const struct search *s, uint32_t unit)
{
    return s->ask->fleet == NULL || ht_fleet_matches(s->ask->fleet, unit, &s->ask->filter);
}

static void evaluate(struct search *s, uint32_t unit, const struct ht__record *record)
{
    struct ht_closest_hit hit = {.unit = unit, .profile = s->layer};
    s->work->seen[unit] = s->work->question;
    hit.place = record->place;
    ht_place_refresh(s->road->graph, &hit.place);
    enum ht_status status = unit_cost(s, &hit.place, &hit.cost);
    if (status == HT_OK) {
        hits_add(s, &hit);
    } else if (status != HT_NO_ROUTE) {
        s->status = status;
    }
}

static void visit(struct search *s, uint32_t vertex)
{
    struct ht_closest_work *w = s->work;
    uint32_t count = ht__closest_units(s->index, s->layer, vertex, w->units);
    for (uint32_t i = 0; i < count && s->status == HT_OK; i++) {
        uint32_t unit = w->units[i];
        if (w->seen[unit] == w->question) {
            continue;
        }
        s->looked++;
        if (!wanted(s, unit)) {
            continue;
        }
        s->passed++;
        struct ht__record record = ht__closest_record(s->index, unit);
        if (record.owner == s->layer + 1 &&
            (record.vertex[0] == vertex || record.vertex[1] == vertex)) { /* else it just left */
            evaluate(s, unit, &record);
        }
    }
}

/* Regions that wait: a heap, the least bound on top; of equal ones the innermost. */

static bool waits_before(struct waiting a, struct waiting b)
{
    return a.bound_ms != b.bound_ms ? a.bound_ms < b.bound_ms : a.region > b.region;
}

static void wait_add(struct search *s, uint32_t region, uint32_t bound_ms)
{
    struct ht_closest_work *w = s->work;
    struct waiting one = {bound_ms, region};
    void *heap = w->heap;
    s->status =
        ht_array_reserve(&heap, &w->heap_capacity, (size_t)w->heap_count + 1, sizeof *w->heap);
    w->heap = heap;
    if (s->status != HT_OK) {
        return;
    }
    uint32_t at = w->heap_count++;
    while (at > 0 && waits_before(one, w->heap[(at - 1) / 2])) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = one;
}

static struct waiting wait_take(struct ht_closest_work *w)
{
    struct waiting top = w->heap[0];
    struct waiting last = w->heap[--w->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= w->heap_count) {
            break;
        }
        if (child + 1 < w->heap_count && waits_before(w->heap[child + 1], w->heap[child])) {
            child++;
        }
        if (!waits_before(w->heap[child], last)) {
            break;
        }
        w->heap[at] = w->heap[child];
        at = child;
    }
    if (w->heap_count > 0) {
        w->heap[at] = last;
    }
    return top;
}

static void consider_region(struct search *s, uint32_t number)
{
    const struct ht_region *region = &s->index->layers[s->layer].regions.list[number];
    uint32_t bound = region_bound(s, region);
    if (bound <= s->limit_ms && bound != UINT32_MAX) {
        wait_add(s, number, bound);
    }
}

/* Whether the filter lets through so few that they are better looked up all at once. */
static bool choosy(const struct search *s)
{
    return s->bits != &s->work->wanted && s->looked >= SCAN_AFTER &&
           s->passed * SCAN_SHARE < s->looked;
}

/* Units in the region itself are looked at, regions in it wait. */
static void enter(struct search *s, struct waiting one)
{
    const struct ht_regions *regions = &s->index->layers[s->layer].regions;
    const struct ht_region *region = &regions->list[one.region];
    uint32_t x = ht__bits_next(s->bits, region->low, region->root);
    while (x != HT_NONE && s->status == HT_OK && one.bound_ms <= s->limit_ms && !choosy(s)) {
        uint32_t in = regions->of[x];
        uint32_t last = x;
        if (in == one.region) {
            visit(s, x);
        } else {
            while (regions->list[in].around != one.region) {
                in = regions->list[in].around;
            }
            consider_region(s, in);
            last = regions->list[in].root;
        }
        x = last == region->root ? HT_NONE : ht__bits_next(s->bits, last + 1, region->root);
    }
}

/* D along the way of the target's first branch, which most others hang off. */
static void keep_base(struct search *s)
{
    const struct ht_branch *first = &s->label.branches[0];
    if (s->base_count == 0) {
        reach(s, first->vertex[first->count - 1]);
        for (uint32_t d = 0; d < first->count; d++) {
            lane_copy(&s->work->base, &s->work->lane, d);
        }
        s->base_count = first->count;
    }
}

/* The regions at the roots of the target's trees: no way leads to it from another. */
static void enter_all(struct search *s)
{
    const struct ht_regions *regions = &s->index->layers[s->layer].regions;
    const struct ht_label *label = &s->label;
    s->work->heap_count = 0;
    keep_base(s);
    for (uint32_t b = 0; b < label->branch_count && s->status == HT_OK; b++) {
        bool again = false;
        for (uint32_t i = 0; i < b; i++) {
            again = again || label->branches[i].vertex[0] == label->branches[b].vertex[0];
        }
        if (!again) {
            wait_add(s, regions->of[label->branches[b].vertex[0]], 0);
        }
    }
    while (s->work->heap_count > 0 && s->status == HT_OK && !choosy(s)) {
        struct waiting one = wait_take(s->work);
        if (one.bound_ms > s->limit_ms) {
            return;
        }
        enter(s, one);
    }
}

/* The units of the layer that pass the filter, as a bitmap of their own. */
static void scan(struct search *s)
{
    struct ht_closest_work *w = s->work;
    uint32_t end = atomic_load_explicit(&s->index->end, memory_order_acquire);
    for (uint32_t unit = 0; unit < end; unit++) {
        if (w->seen[unit] == w->question || !wanted(s, unit)) {
            continue;
        }
        struct ht__record record = ht__closest_record(s->index, unit);
        for (int side = 0; side < 2 && record.owner == s->layer + 1; side++) {
            if (record.vertex[side] != HT_NONE) {
                ht__bits_set(&w->wanted, record.vertex[side]);
                w->wanted_list[w->wanted_count++] = record.vertex[side];
            }
        }
    }
}

static void scan_clear(struct ht_closest_work *w)
{
    while (w->wanted_count > 0) {
        ht__bits_clear(&w->wanted, w->wanted_list[--w->wanted_count]);
    }
}

static enum ht_status layer_begin(struct search *s, uint32_t layer)
{
    struct ht_closest_work *w = s->work;
    const struct ht_road *road = s->ask->roads[layer];
    s->layer = layer;
    s->road = road;
    s->target = s->ask->targets[layer];
    s->bits = &s->index->layers[layer].bits;
    s->base_count = 0;
    s->joined = false;
    s->looked = 0;
    s->passed = 0;
    if (road->cch != s->index->layers[layer].cch) {
        return HT_INVALID;
    }
    ht_label_store_clear(w->labels);
    enum ht_status status = ht_label_build(w->labels, road, s->target, true, &s->label);
    if (status != HT_OK || s->label.branch_count == 0) {
        return status;
    }
    w->filled = 0;
    return HT_OK;
}

/* Whether labels of all marked vertices are kept by now; makes some of those that are missing. */
static bool all_kept(struct search *s)
{
    struct ht_closest_work *w = s->work;
    uint32_t last = s->road->cch->vertex_count - 1;
    uint32_t count = 0;
    uint32_t made = 0;
    for (uint32_t x = ht__bits_next(s->bits, 0, last); x != HT_NONE;
         x = x == last ? HT_NONE : ht__bits_next(s->bits, x + 1, last)) {
        if (++count > HT__CLOSEST_FEW) {
            return false;
        }
        if (ht__kept_find(w->kept, kept_key(s, x), w->question) == NULL) {
            if (made++ == NEW_LABELS) {
                return false;
            }
            enum ht_status status = ht__kept_add(w->kept, s->road, kept_key(s, x), w->question);
            if (status != HT_OK) {
                s->status = status == HT_TOO_BIG ? HT_OK : status;
                return false;
            }
        }
    }
    return true;
}

/* By joining labels, when the marked vertices are few and all labels are at hand; else by search.
 */
static void find_marked(struct search *s, uint32_t vertices)
{
    uint32_t last = s->road->cch->vertex_count - 1;
    s->joined = s->ask->world != 0 && vertices <= HT__CLOSEST_FEW && all_kept(s);
    if (s->status != HT_OK) {
        return;
    }
    if (!s->joined) {
        enter_all(s);
        return;
    }
    for (uint32_t x = ht__bits_next(s->bits, 0, last); x != HT_NONE && s->status == HT_OK;
         x = x == last ? HT_NONE : ht__bits_next(s->bits, x + 1, last)) {
        visit(s, x);
    }
}

static void find_scanned(struct search *s)
{
    scan(s);
    s->bits = &s->work->wanted;
    find_marked(s, s->work->wanted_count);
    scan_clear(s->work);
}

/* Units on the target's own street stand before any search: where it is closed none finds them. */
static void visit_target(struct search *s)
{
    for (int side = 0; side < 2 && s->status == HT_OK; side++) {
        uint32_t arc = s->target->side[side].arc;
        if (arc != HT_NONE) {
            visit(s, s->road->cch->rank[arc]);
        }
    }
}

static bool on_target(const struct search *s, uint32_t vertex)
{
    uint32_t arc = s->road->cch->arc[vertex];
    return s->target->side[0].arc == arc || s->target->side[1].arc == arc;
}

static void search_layer(struct search *s, uint32_t layer)
{
    s->status = layer_begin(s, layer);
    if (s->status == HT_OK) {
        visit_target(s);
    }
    if (s->status != HT_OK || s->label.branch_count == 0) {
        return;
    }
    if (s->ask->fleet != NULL &&
        atomic_load_explicit(&s->index->end, memory_order_relaxed) <= s->index->scan_first) {
        find_scanned(s);
        return;
    }
    find_marked(s, atomic_load_explicit(&s->index->layers[layer].units, memory_order_relaxed));
    if (s->status == HT_OK && !s->joined && choosy(s)) {
        find_scanned(s);
    }
}

/* Whether some region around the vertex, from the outermost on, is too far away. */
static bool out_of_reach(struct search *s, uint32_t vertex)
{
    const struct ht_regions *regions = &s->index->layers[s->layer].regions;
    uint32_t around[32]; /* the outermost: each is at most 3/4 of the one before */
    uint32_t count = 0;
    for (uint32_t in = regions->of[vertex]; in != HT_NONE; in = regions->list[in].around) {
        around[count++ % 32] = in;
    }
    for (uint32_t i = 0; i < 32 && i < count; i++) {
        uint32_t bound = region_bound(s, &regions->list[around[(count - 1 - i) % 32]]);
        if (bound > s->limit_ms || bound == UINT32_MAX) {
            return true;
        }
    }
    return false;
}

/* A unit that moved during the query, where it is now. */
static void evaluate_again(struct search *s, uint32_t unit)
{
    struct ht__record record = ht__closest_record(s->index, unit);
    uint32_t profile = record.owner - 1;
    if (record.owner == 0 || s->ask->roads[profile] == NULL || s->ask->targets[profile] == NULL) {
        return;
    }
    if (profile != s->layer) {
        s->status = layer_begin(s, profile);
    }
    for (int side = 0; side < 2 && s->status == HT_OK; side++) {
        uint32_t vertex = record.vertex[side];
        if (vertex != HT_NONE &&
            (on_target(s, vertex) || (s->label.branch_count > 0 && !out_of_reach(s, vertex)))) {
            evaluate(s, unit, &record);
            return;
        }
    }
}

/* What changed arcs since `began` and was not seen, where it is now. False: too much of it. Layers
 * that several such units are on are prepared once for each; it is rarely more than one. */
static bool look_again(struct search *s, uint64_t began)
{
    struct ht_closest *c = s->index;
    uint64_t end = atomic_load_explicit(&c->begun, memory_order_acquire);
    for (uint64_t i = began; i != end && s->status == HT_OK; i++) {
        uint32_t unit = atomic_load_explicit(&c->ring[i % HT__CLOSEST_RING], memory_order_acquire);
        if (atomic_load_explicit(&c->begun, memory_order_acquire) - i >= HT__CLOSEST_RING) {
            return false;
        }
        if (s->work->seen[unit] != s->work->question && wanted(s, unit)) {
            evaluate_again(s, unit);
        }
    }
    return true;
}

static bool search(struct search *s)
{
    struct ht_closest_work *w = s->work;
    uint64_t began = atomic_load_explicit(&s->index->ended, memory_order_acquire);
    s->hit_count = 0;
    s->limit_ms = s->ask->max_ms;
    s->status = HT_OK;
    s->layer = HT_NONE;
    if (++w->question == 0) { /* once in four billion: old marks could be taken for new ones */
        memset(w->seen, 0, s->index->capacity * sizeof *w->seen);
        w->question = 1;
    }
    for (uint32_t i = 0; i < s->index->layer_count && s->status == HT_OK; i++) {
        const struct ht__layer *layer = &s->index->layers[i];
        if (layer->graph == NULL || s->ask->roads[i] == NULL || s->ask->targets[i] == NULL) {
            continue;
        }
        if (s->ask->roads[i]->cch != layer->cch) {
            s->status = HT_INVALID;
        } else if (atomic_load_explicit(&layer->units, memory_order_relaxed) > 0) {
            search_layer(s, i); /* who comes to streets where nobody was is in the ring */
        }
    }
    return s->status != HT_OK || look_again(s, began);
}

/* Keys know lengths modulo 4,295 km, durations whole: they decided, now the ways are measured. */
static enum ht_status whole_lengths(struct search *s)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < s->hit_count && status == HT_OK; i++) {
        struct ht_closest_hit *hit = &s->work->hits[i];
        if (hit->cost.duration_ms > LONG_MS) {
            struct ht_way_found found;
            status =
                ht_query_cost(s->work->query, s->ask->roads[hit->profile], &hit->place,
                              HT_SIDES_BOTH, s->ask->targets[hit->profile], HT_SIDES_BOTH, &found);
            if (status == HT_OK) {
                hit->cost = found.cost;
            }
        }
    }
    return status;
}

enum ht_status ht_closest_find(struct ht_closest *c, struct ht_closest_work *w,
                               const struct ht_closest_ask *ask, const struct ht_closest_hit **hits,
                               uint32_t *count)
{
    struct search s = {.index = c, .work = w, .ask = ask};
    *count = 0;
    *hits = w->hits;
    if (ask->k == 0) {
        return HT_OK;
    }
    bool done = false;
    for (int i = 0; i < TRIES && !done; i++) {
        done = search(&s);
    }
    if (!done) {
        (void)pthread_mutex_lock(&c->movers);
        (void)search(&s);
        (void)pthread_mutex_unlock(&c->movers);
    }
    if (s.status == HT_OK) {
        hits_sort(w->hits, s.hit_count);
        s.status = whole_lengths(&s);
    }
    if (s.status == HT_OK) {
        *hits = w->hits;
        *count = s.hit_count;
    }
    return s.status;
}
