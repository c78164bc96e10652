#include "engine/road/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"

struct stop {
    struct ht_seed seed;
    struct ht_key bias;
    uint32_t place;
};

struct ht_sweep_plan {
    struct stop *stops; /* by falling rank: a depth-first order, since ranks are a post-order */
    size_t count;
    size_t place_count;
    bool targets;
};

struct ht_sweep {
    uint32_t *vertex; /* the current way from the root, by depth */
    uint64_t *time;
    uint32_t *length;
    uint32_t *climb; /* vertices of a new stretch, lowest first */
    uint32_t levels;
    struct ht_key *best; /* by place */
    size_t best_capacity;
};

static int compare_stops(const void *a, const void *b)
{
    const struct stop *x = a;
    const struct stop *y = b;
    if (x->seed.vertex != y->seed.vertex) {
        return x->seed.vertex > y->seed.vertex ? -1 : 1;
    }
    return x->place < y->place ? -1 : x->place > y->place ? 1 : 0;
}

enum ht_status ht_sweep_plan_new(const struct ht_road *road, const struct ht_place *places,
                                 size_t count, bool targets, struct ht_sweep_plan **out)
{
    struct ht_sweep_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return HT_NOMEM;
    }
    plan->targets = targets;
    plan->place_count = count;
    struct ht_seeds seeds = {0};
    size_t capacity = 0;
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        status = targets ? ht__seeds_target(&seeds, road, &places[i], HT_SIDES_BOTH)
                         : ht__seeds_source(&seeds, road, &places[i], HT_SIDES_BOTH);
        if (status != HT_OK) {
            break;
        }
        void *stops = plan->stops;
        status =
            ht_array_reserve(&stops, &capacity, plan->count + seeds.count, sizeof *plan->stops);
        plan->stops = stops;
        for (uint32_t k = 0; k < seeds.count && status == HT_OK; k++) {
            plan->stops[plan->count++] = (struct stop){seeds.list[k], seeds.bias, (uint32_t)i};
        }
    }
    ht_seeds_deinit(&seeds);
    if (status != HT_OK) {
        ht_sweep_plan_free(plan);
        return status;
    }
    if (plan->count > 0) {
        qsort(plan->stops, plan->count, sizeof *plan->stops, compare_stops);
    }
    *out = plan;
    return HT_OK;
}

void ht_sweep_plan_free(struct ht_sweep_plan *plan)
{
    if (plan != NULL) {
        free(plan->stops);
        free(plan);
    }
}

enum ht_status ht_sweep_new(struct ht_sweep **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_sweep_free(struct ht_sweep *sweep)
{
    if (sweep != NULL) {
        free(sweep->vertex);
        free(sweep->time);
        free(sweep->length);
        free(sweep->climb);
        free(sweep->best);
        free(sweep);
    }
}

static enum ht_status reserve(struct ht_sweep *sweep, uint32_t levels, size_t places)
{
    if (levels > sweep->levels) {
        free(sweep->vertex);
        free(sweep->time);
        free(sweep->length);
        free(sweep->climb);
        sweep->vertex = ht_array_new(levels, sizeof *sweep->vertex);
        sweep->time = ht_array_new(levels, sizeof *sweep->time);
        sweep->length = ht_array_new(levels, sizeof *sweep->length);
        sweep->climb = ht_array_new(levels, sizeof *sweep->climb);
        sweep->levels = levels;
        if (sweep->vertex == NULL || sweep->time == NULL || sweep->length == NULL ||
            sweep->climb == NULL) {
            sweep->levels = 0;
            return HT_NOMEM;
        }
    }
    void *best = sweep->best;
    enum ht_status status =
        ht_array_reserve(&best, &sweep->best_capacity, places, sizeof *sweep->best);
    sweep->best = best;
    return status;
}

/* What the label of the one says about a vertex. */
static struct ht_key label_key(const struct ht_label *one, uint32_t vertex, uint32_t depth)
{
    struct ht_key best = ht_key_inf();
    for (uint32_t b = 0; b < one->branch_count; b++) {
        const struct ht_branch *branch = &one->branches[b];
        if (depth < branch->count && branch->vertex[depth] == vertex) {
            return (struct ht_key){branch->time[depth], branch->length[depth]};
        }
    }
    return best;
}

/* Fills in the way from the root to `vertex`; `valid` levels of the last one still hold. */
static void descend(struct ht_sweep *sweep, const struct ht_road *road, bool targets,
                    const struct ht_label *one, uint32_t vertex)
{
    const struct ht_climb *climb = road->metric->climb;
    uint32_t count = 0;
    for (uint32_t v = vertex; v != HT_NONE && sweep->vertex[climb[v].depth] != v;
         v = ht_metric_parent(road->metric, v)) {
        sweep->climb[count++] = v;
    }
    struct ht_lane lane = {sweep->time, sweep->length, NULL};
    while (count-- > 0) {
        uint32_t v = sweep->climb[count];
        uint32_t depth = climb[v].depth;
        struct ht_row row = ht_metric_row(road->metric, targets ? 1 : 0, v);
        struct ht_key key = ht_pull_row(row, lane, label_key(one, v, depth));
        sweep->vertex[depth] = v;
        sweep->time[depth] = ht_time_finite(key.time) ? key.time : HT_TIME_INF;
        sweep->length[depth] = key.length;
    }
}

/* Stops whose ways to the root are walked together before any is worked on: each walk waits for
 * memory at every other step, eight of them wait at once. */
enum { SCOUTS = 8 };

static void scout(const struct ht_sweep *sweep, const struct ht_road *road,
                  const struct ht_sweep_plan *plan, size_t begin)
{
    const struct ht_climb *climb = road->metric->climb;
    uint32_t at[SCOUTS];
    size_t count = plan->count - begin < SCOUTS ? plan->count - begin : SCOUTS;
    for (size_t i = 0; i < count; i++) {
        at[i] = plan->stops[begin + i].seed.vertex;
    }
    for (size_t walking = count; walking > 0;) {
        walking = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t v = at[i];
            if (v == HT_NONE || sweep->vertex[climb[v].depth] == v) {
                at[i] = HT_NONE;
                continue;
            }
            struct ht_row row = ht_metric_row(road->metric, plan->targets ? 1 : 0, v);
            __builtin_prefetch(row.time != NULL ? (const void *)row.time : row.brief);
            __builtin_prefetch(row.length);
            __builtin_prefetch(row.depth);
            at[i] = ht_metric_parent(road->metric, v);
            walking++;
        }
    }
}

enum ht_status ht_sweep_run(struct ht_sweep *sweep, const struct ht_road *road,
                            const struct ht_sweep_plan *plan, const struct ht_label *one,
                            struct ht_cost *out, size_t stride)
{
    enum ht_status status = reserve(sweep, road->cch->depth_max + 8, plan->place_count);
    if (status != HT_OK) {
        return status;
    }
    memset(sweep->vertex, 0xff, sweep->levels * sizeof *sweep->vertex);
    for (size_t i = 0; i < plan->place_count; i++) {
        sweep->best[i] = ht_key_inf();
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct stop *stop = &plan->stops[i];
        uint32_t depth = road->metric->climb[stop->seed.vertex].depth;
        if (i % SCOUTS == 0) {
            scout(sweep, road, plan, i);
        }
        descend(sweep, road, plan->targets, one, stop->seed.vertex);
        struct ht_key key = {sweep->time[depth], sweep->length[depth]};
        if (ht_time_finite(key.time)) {
            key = ht_key_sub(ht_key_sub(ht_key_add(key, stop->seed.key), stop->bias), one->bias);
            if (ht_key_less(key, sweep->best[stop->place])) {
                sweep->best[stop->place] = key;
            }
        }
    }
    for (size_t i = 0; i < plan->place_count; i++) {
        out[i * stride] = ht__cost_of(sweep->best[i]);
    }
    return HT_OK;
}
