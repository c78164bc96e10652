#include "engine/road/search.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/unpack.h"

/* Where a search stands: lane << 16 | depth. */
enum { DEPTH_BITS = 16 };

struct lane {
    uint64_t *time;
    uint32_t *length;
    uint32_t *vertex; /* visited vertices, by depth */
    uint32_t *before; /* the spot from which the cost came, HT_NONE: a seed */
};

struct front {
    uint32_t vertex; /* HT_NONE: past the root */
    uint32_t lane;
    bool backward;
};

struct ht_search {
    struct lane *lanes;
    size_t lane_count; /* allocated */
    size_t lane_capacity;
    uint32_t levels; /* length of each lane */
    struct front *fronts;
    size_t front_capacity;
    uint32_t front_count;
    struct ht_key best;
    uint64_t prune_above; /* times above it lead to nothing that is wanted */
    uint32_t slack_percent;
    struct ht_meeting best_meeting;
    struct ht_meeting *meetings;
    size_t meeting_capacity;
    uint32_t meeting_count;
    uint32_t *climb; /* spots of one half of a way */
    size_t climb_capacity;
    struct ht_unpack unpack;
};

enum ht_status ht_search_new(struct ht_search **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_search_set_slack(struct ht_search *search, uint32_t percent)
{
    search->slack_percent = percent;
}

static void lanes_free(struct ht_search *search)
{
    for (size_t i = 0; i < search->lane_count; i++) {
        free(search->lanes[i].time);
        free(search->lanes[i].length);
        free(search->lanes[i].vertex);
        free(search->lanes[i].before);
    }
    search->lane_count = 0;
}

void ht_search_free(struct ht_search *search)
{
    if (search == NULL) {
        return;
    }
    lanes_free(search);
    free(search->lanes);
    free(search->fronts);
    free(search->meetings);
    free(search->climb);
    ht_unpack_deinit(&search->unpack);
    free(search);
}

static enum ht_status lanes_reserve(struct ht_search *search, size_t count, uint32_t levels)
{
    if (levels > search->levels) {
        lanes_free(search);
        search->levels = levels;
    }
    void *lanes = search->lanes;
    enum ht_status status =
        ht_array_reserve(&lanes, &search->lane_capacity, count, sizeof *search->lanes);
    search->lanes = lanes;
    while (status == HT_OK && search->lane_count < count) {
        struct lane lane = {
            ht_array_new(search->levels, sizeof *lane.time),
            ht_array_new(search->levels, sizeof *lane.length),
            ht_array_new(search->levels, sizeof *lane.vertex),
            ht_array_new(search->levels, sizeof *lane.before),
        };
        search->lanes[search->lane_count++] = lane;
        if (lane.time == NULL || lane.length == NULL || lane.vertex == NULL ||
            lane.before == NULL) {
            status = HT_NOMEM;
        }
    }
    if (status != HT_OK) {
        lanes_free(search);
        return status;
    }
    void *fronts = search->fronts;
    status = ht_array_reserve(&fronts, &search->front_capacity, count, sizeof *search->fronts);
    search->fronts = fronts;
    if (status == HT_OK) {
        void *meetings = search->meetings;
        status = ht_array_reserve(&meetings, &search->meeting_capacity, levels * count,
                                  sizeof *search->meetings);
        search->meetings = meetings;
    }
    return status;
}

static void add_front(struct ht_search *search, const struct ht_metric *metric, struct ht_seed seed,
                      bool backward)
{
    uint32_t lane = search->front_count;
    uint32_t depth = metric->climb[seed.vertex].depth;
    struct lane *l = &search->lanes[lane];
    for (uint32_t d = 0; d < depth; d++) {
        l->time[d] = HT_TIME_INF;
    }
    memset(l->length, 0, depth * sizeof *l->length);
    l->time[depth] = seed.key.time;
    l->length[depth] = seed.key.length;
    l->before[depth] = HT_NONE;
    search->fronts[search->front_count++] =
        (struct front){.vertex = seed.vertex, .lane = lane, .backward = backward};
}

/* Lane b into lane a, from the root down to `depth`. */
static void merge(struct lane *a, const struct lane *b, uint32_t depth)
{
    for (uint32_t d = 0; d <= depth; d++) {
        struct ht_key key = {b->time[d], b->length[d]};
        if (ht_key_less(key, (struct ht_key){a->time[d], a->length[d]})) {
            a->time[d] = b->time[d];
            a->length[d] = b->length[d];
            a->before[d] = b->before[d];
        }
    }
}

/* Takes out fronts of one side that stand on the vertex of fronts[keep]. */
static void merge_fronts(struct ht_search *search, const struct ht_metric *metric, uint32_t keep)
{
    struct front front = search->fronts[keep];
    for (uint32_t i = search->front_count; i-- > 0;) {
        const struct front *other = &search->fronts[i];
        if (i != keep && other->vertex == front.vertex && other->backward == front.backward) {
            merge(&search->lanes[front.lane], &search->lanes[other->lane],
                  metric->climb[front.vertex].depth);
            search->fronts[i].vertex = HT_NONE;
        }
    }
}

/* What one climb needs at hand. */
struct climb {
    struct ht_search *search;
    const struct ht_metric *metric;
    bool with_path;
};

static inline void step(const struct climb *c, struct front *front)
{
    uint32_t v = front->vertex;
    const struct ht_climb *climb = &c->metric->climb[v];
    uint32_t depth = climb->depth;
    struct lane *lane = &c->search->lanes[front->lane];
    struct ht_key key = {lane->time[depth], lane->length[depth]};
    lane->vertex[depth] = v;
    front->vertex = ht_metric_parent(c->metric, v);
    /* a way over v costs at least this: no use when a cheaper one is known */
    if (!ht_time_finite(key.time) || key.time > c->search->prune_above) {
        return;
    }
    struct ht_row row = ht_metric_row(c->metric, front->backward ? 1 : 0, v);
    struct ht_lane lane_row = {lane->time, lane->length, lane->before};
    if (c->with_path) {
        ht_relax_row_from(row, key, lane_row, front->lane << DEPTH_BITS | depth);
    } else {
        ht_relax_row(row, key, lane_row);
    }
}

static inline void meet(const struct climb *c, const struct front *forward,
                        const struct front *backward)
{
    struct ht_search *search = c->search;
    uint32_t v = forward->vertex;
    uint32_t depth = c->metric->climb[v].depth;
    const struct lane *f = &search->lanes[forward->lane];
    const struct lane *b = &search->lanes[backward->lane];
    struct ht_key key = {f->time[depth] + b->time[depth], f->length[depth] + b->length[depth]};
    if (!ht_time_finite(f->time[depth]) || !ht_time_finite(b->time[depth])) {
        return;
    }
    struct ht_meeting meeting = {.vertex = v,
                                 .key = key,
                                 .forward = forward->lane << DEPTH_BITS | depth,
                                 .backward = backward->lane << DEPTH_BITS | depth};
    if (c->with_path) {
        search->meetings[search->meeting_count++] = meeting;
    }
    if (ht_key_less(key, search->best)) {
        search->best = key;
        search->best_meeting = meeting;
        search->prune_above = key.time + ((key.time >> 32) * search->slack_percent / 100 << 32);
    }
}

/* Several fronts: the lowest moves. Ends when one front of each side is left, on one vertex or not.
 */
static bool climb_many(const struct climb *c)
{
    struct ht_search *search = c->search;
    for (;;) {
        uint32_t low = 0;
        uint32_t alive = 0;
        uint32_t sides = 0;
        for (uint32_t i = 0; i < search->front_count; i++) {
            if (search->fronts[i].vertex != HT_NONE) {
                alive++;
                sides |= search->fronts[i].backward ? 2U : 1U;
            }
            low = search->fronts[i].vertex < search->fronts[low].vertex ? i : low;
        }
        if (sides != 3) {
            return false;
        }
        merge_fronts(search, c->metric, low);
        uint32_t other = HT_NONE;
        uint32_t merged = 0;
        for (uint32_t i = 0; i < search->front_count; i++) {
            merged += search->fronts[i].vertex != HT_NONE;
            if (search->fronts[i].vertex == search->fronts[low].vertex &&
                search->fronts[i].backward != search->fronts[low].backward) {
                other = i;
            }
        }
        if (other != HT_NONE) {
            merge_fronts(search, c->metric, other);
            bool low_back = search->fronts[low].backward;
            meet(c, &search->fronts[low_back ? other : low],
                 &search->fronts[low_back ? low : other]);
            step(c, &search->fronts[other]);
        }
        if (other != HT_NONE || merged > 2) {
            step(c, &search->fronts[low]);
        }
        if (merged == 2) {
            return true;
        }
    }
}

/* One front of each side. */
static void climb_two(const struct climb *c)
{
    struct ht_search *search = c->search;
    struct front two[2];
    uint32_t count = 0;
    for (uint32_t i = 0; i < search->front_count && count < 2; i++) {
        if (search->fronts[i].vertex != HT_NONE) {
            two[count++] = search->fronts[i];
        }
    }
    if (count < 2 || two[0].backward == two[1].backward) {
        return;
    }
    if (two[0].backward) {
        struct front swap = two[0];
        two[0] = two[1];
        two[1] = swap;
    }
    while (two[0].vertex != two[1].vertex) {
        step(c, two[0].vertex < two[1].vertex ? &two[0] : &two[1]);
    }
    while (two[0].vertex != HT_NONE) {
        meet(c, &two[0], &two[1]);
        step(c, &two[0]);
        step(c, &two[1]);
    }
}

// NOLINTNEXTLINE(readability-function-size): two lists of seeds, a hierarchy and costs
static enum ht_status run(struct ht_search *search, const struct ht_cch *cch,
                          const struct ht_metric *metric, const struct ht_seed *sources,
                          uint32_t source_count, const struct ht_seed *targets,
                          uint32_t target_count, bool with_path)
{
    enum ht_status status =
        lanes_reserve(search, (size_t)source_count + target_count, cch->depth_max + 8);
    if (status != HT_OK) {
        return status;
    }
    search->front_count = 0;
    search->meeting_count = 0;
    search->best = ht_key_inf();
    search->prune_above = HT_TIME_INF;
    for (uint32_t i = 0; i < source_count; i++) {
        add_front(search, metric, sources[i], false);
    }
    for (uint32_t i = 0; i < target_count; i++) {
        add_front(search, metric, targets[i], true);
    }
    struct climb c = {search, metric, with_path};
    if ((source_count == 1 && target_count == 1) || climb_many(&c)) {
        climb_two(&c);
    }
    return ht_time_finite(search->best.time) ? HT_OK : HT_NO_ROUTE;
}

// NOLINTNEXTLINE(readability-function-size): two lists of seeds, a hierarchy and costs
enum ht_status ht_search_cost(struct ht_search *search, const struct ht_cch *cch,
                              const struct ht_metric *metric, const struct ht_seed *sources,
                              uint32_t source_count, const struct ht_seed *targets,
                              uint32_t target_count, struct ht_key *total)
{
    enum ht_status status =
        run(search, cch, metric, sources, source_count, targets, target_count, false);
    *total = search->best;
    return status;
}

// NOLINTNEXTLINE(readability-function-size): two lists of seeds, a hierarchy and costs
enum ht_status ht_search_run(struct ht_search *search, const struct ht_cch *cch,
                             const struct ht_metric *metric, const struct ht_seed *sources,
                             uint32_t source_count, const struct ht_seed *targets,
                             uint32_t target_count, struct ht_key *total)
{
    enum ht_status status =
        run(search, cch, metric, sources, source_count, targets, target_count, true);
    *total = search->best;
    return status;
}

/* The vertices from a spot back to its seed, the seed last; returns their number. */
static enum ht_status climb_down(struct ht_search *search, uint32_t spot, uint32_t *count)
{
    *count = 0;
    while (spot != HT_NONE) {
        void *climb = search->climb;
        enum ht_status status = ht_array_reserve(&climb, &search->climb_capacity,
                                                 *count + UINT32_C(1), sizeof *search->climb);
        search->climb = climb;
        if (status != HT_OK) {
            return status;
        }
        const struct lane *lane = &search->lanes[spot >> DEPTH_BITS];
        uint32_t depth = spot & ((1U << DEPTH_BITS) - 1);
        search->climb[(*count)++] = lane->vertex[depth];
        spot = lane->before[depth];
    }
    return HT_OK;
}

static enum ht_status path_over(struct ht_search *search, const struct ht_metric *metric,
                                const struct ht_meeting *meeting, const uint64_t *only,
                                const uint32_t **path, uint32_t *count)
{
    uint32_t climbed = 0;
    enum ht_status status = climb_down(search, meeting->forward, &climbed);
    uint32_t first = status == HT_OK ? search->climb[climbed - 1] : HT_NONE;
    ht_unpack_begin(&search->unpack, metric, only);
    for (uint32_t i = climbed; i-- > 1 && status == HT_OK;) {
        status = ht_unpack_edge(&search->unpack, search->climb[i], search->climb[i - 1]);
    }
    if (status == HT_OK) {
        status = climb_down(search, meeting->backward, &climbed);
    }
    for (uint32_t i = 1; i < climbed && status == HT_OK; i++) {
        status = ht_unpack_edge(&search->unpack, search->climb[i - 1], search->climb[i]);
    }
    return status == HT_OK ? ht_unpack_path(&search->unpack, first, path, count) : status;
}

enum ht_status ht_search_path_over(struct ht_search *search, const struct ht_metric *metric,
                                   const struct ht_meeting *meeting, const uint32_t **path,
                                   uint32_t *count)
{
    return path_over(search, metric, meeting, NULL, path, count);
}

enum ht_status ht_search_path(struct ht_search *search, const struct ht_metric *metric,
                              const uint32_t **path, uint32_t *count)
{
    return path_over(search, metric, &search->best_meeting, NULL, path, count);
}

enum ht_status ht_search_path_only(struct ht_search *search, const struct ht_metric *metric,
                                   const uint64_t *only, const uint32_t **path, uint32_t *count)
{
    return path_over(search, metric, &search->best_meeting, only, path, count);
}

static int compare_meetings(const void *a, const void *b)
{
    const struct ht_meeting *x = a;
    const struct ht_meeting *y = b;
    return ht_key_less(x->key, y->key) ? -1 : ht_key_less(y->key, x->key) ? 1 : 0;
}

uint32_t ht_search_meetings(const struct ht_search *search, const struct ht_meeting **list)
{
    qsort(search->meetings, search->meeting_count, sizeof *search->meetings, compare_meetings);
    *list = search->meetings;
    return search->meeting_count;
}
