#include "engine/road/reach.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"
#include "engine/road/label.h"
#include "engine/road/reach_internal.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HT_WIDE 1
#include <immintrin.h>
#define HT_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#else
#define HT_WIDE 0
#endif

enum { LANES = 8 };

/* Times (key.h) of eight sources. */
struct eight {
    uint64_t time[LANES];
};

struct ht_reach {
    struct ht_label_store *labels;
    struct ht_query *query;
    struct eight *lane; /* by depth */
    size_t lane_capacity;
    uint32_t *slot_of; /* [vertices] of the hierarchy: 1 + the seed there; all 0 between runs */
    size_t slot_capacity;
    size_t slot_count;
    struct eight *seeds;
    uint32_t *seed_vertex;
    size_t seed_capacity;
    size_t seed_vertex_capacity;
    uint32_t seed_count;
    uint32_t *ends; /* where the labels begin */
    size_t end_capacity;
    uint32_t end_count;
    struct eight *best; /* by place */
    size_t best_capacity;
    uint32_t *swept; /* by vertex of the targets: the run that computed it */
    size_t swept_capacity;
    size_t swept_count;
    uint32_t run;
    /* of the run */
    struct eight limit; /* of each source, in the times that it is swept with */
    bool left_out;      /* some region was */
};

/* --- eight at a time -------------------------------------------------------------------------- */

/* best = min(best, D + edge) over a row. Sums of two infinities don't wrap (key.h), and an infinite
 * `best` keeps them out. */
static void pull_plain(struct ht_row row, const struct eight *lane, struct eight *best)
{
    for (uint32_t e = 0; e < row.count; e++) {
        const struct eight *from = &lane[row.depth[e]];
        uint64_t edge = row.time != NULL ? row.time[e] : ht_brief_time(row.brief, row.wide, e);
        for (int i = 0; i < LANES; i++) {
            uint64_t time = from->time[i] + edge;
            best->time[i] = time < best->time[i] ? time : best->time[i];
        }
    }
}

static void least_plain(struct eight *best, const struct eight *from, uint64_t more)
{
    for (int i = 0; i < LANES; i++) {
        uint64_t time = from->time[i] + more;
        best->time[i] = time < best->time[i] ? time : best->time[i];
    }
}

/* A bit for each that is finite and whose duration is at most its limit. */
static unsigned within_plain(const struct eight *at, const struct eight *limit)
{
    unsigned mask = 0;
    for (int i = 0; i < LANES; i++) {
        bool in = ht_time_finite(at->time[i]) && (uint32_t)at->time[i] <= limit->time[i];
        mask |= (unsigned)in << i;
    }
    return mask;
}

#if HT_WIDE

HT_AVX512 static void pull_wide(struct ht_row row, const struct eight *lane, struct eight *best)
{
    __m512i least = _mm512_loadu_si512(best);
    for (uint32_t e = 0; e < row.count; e++) {
        uint64_t edge = row.time != NULL ? row.time[e] : ht_brief_time(row.brief, row.wide, e);
        __m512i time = _mm512_add_epi64(_mm512_loadu_si512(&lane[row.depth[e]]),
                                        _mm512_set1_epi64((long long)edge));
        least = _mm512_min_epu64(least, time);
    }
    _mm512_storeu_si512(best, least);
}

HT_AVX512 static void least_wide(struct eight *best, const struct eight *from, uint64_t more)
{
    __m512i time = _mm512_add_epi64(_mm512_loadu_si512(from), _mm512_set1_epi64((long long)more));
    _mm512_storeu_si512(best, _mm512_min_epu64(_mm512_loadu_si512(best), time));
}

HT_AVX512 static unsigned within_wide(const struct eight *at, const struct eight *limit)
{
    __m512i time = _mm512_loadu_si512(at);
    __m512i duration = _mm512_and_si512(time, _mm512_set1_epi64(UINT32_MAX));
    __mmask8 finite = _mm512_cmplt_epu64_mask(time, _mm512_set1_epi64((long long)HT_TIME_INF));
    return _mm512_mask_cmple_epu64_mask(finite, duration, _mm512_loadu_si512(limit));
}

#endif

static void pull(bool wide, struct ht_row row, const struct eight *lane, struct eight *best)
{
#if HT_WIDE
    if (wide) {
        pull_wide(row, lane, best);
        return;
    }
#endif
    (void)wide;
    pull_plain(row, lane, best);
}

static void least(bool wide, struct eight *best, const struct eight *from, uint64_t more)
{
#if HT_WIDE
    if (wide) {
        least_wide(best, from, more);
        return;
    }
#endif
    (void)wide;
    least_plain(best, from, more);
}

static unsigned within(bool wide, const struct eight *at, const struct eight *limit)
{
#if HT_WIDE
    if (wide) {
        return within_wide(at, limit);
    }
#endif
    (void)wide;
    return within_plain(at, limit);
}

/* --- a run ------------------------------------------------------------------------------------ */

enum ht_status ht_reach_new(struct ht_reach **out)
{
    struct ht_reach *reach = calloc(1, sizeof *reach);
    if (reach == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_label_store_new(&reach->labels);
    if (status == HT_OK) {
        status = ht_query_new(&reach->query);
    }
    if (status != HT_OK) {
        ht_reach_free(reach);
        return status;
    }
    *out = reach;
    return HT_OK;
}

void ht_reach_free(struct ht_reach *reach)
{
    if (reach != NULL) {
        ht_label_store_free(reach->labels);
        ht_query_free(reach->query);
        free(reach->lane);
        free(reach->slot_of);
        free(reach->seeds);
        free(reach->seed_vertex);
        free(reach->ends);
        free(reach->best);
        free(reach->swept);
        free(reach);
    }
}

static enum ht_status grow(void **array, size_t *capacity, size_t count, size_t size)
{
    return ht_array_reserve(array, capacity, count, size);
}

static enum ht_status reserve(struct ht_reach *reach, const struct ht_reach_ask *ask)
{
    const struct ht_reach_targets *t = ask->targets;
    void *lane = reach->lane;
    void *slots = reach->slot_of;
    void *best = reach->best;
    void *swept = reach->swept;
    enum ht_status status = grow(&lane, &reach->lane_capacity,
                                 ask->road->cch->depth_max + (size_t)8, sizeof *reach->lane);
    reach->lane = lane;
    if (status == HT_OK) {
        status = grow(&slots, &reach->slot_capacity, t->hierarchy, sizeof *reach->slot_of);
        reach->slot_of = slots;
    }
    if (status == HT_OK) {
        status = grow(&best, &reach->best_capacity, t->place_count, sizeof *reach->best);
        reach->best = best;
    }
    if (status == HT_OK) {
        status = grow(&swept, &reach->swept_capacity, t->vertex_count, sizeof *reach->swept);
        reach->swept = swept;
    }
    if (status == HT_OK && t->hierarchy > reach->slot_count) {
        memset(reach->slot_of + reach->slot_count, 0,
               (t->hierarchy - reach->slot_count) * sizeof *reach->slot_of);
        reach->slot_count = t->hierarchy;
    }
    if (status == HT_OK && t->vertex_count > reach->swept_count) {
        memset(reach->swept + reach->swept_count, 0,
               (t->vertex_count - reach->swept_count) * sizeof *reach->swept);
        reach->swept_count = t->vertex_count;
    }
    return status;
}

/* The seed of a vertex, infinite where it is new. */
static enum ht_status seed_at(struct ht_reach *reach, uint32_t vertex, struct eight **out)
{
    if (reach->slot_of[vertex] == 0) {
        void *seeds = reach->seeds;
        void *vertices = reach->seed_vertex;
        enum ht_status status = grow(&seeds, &reach->seed_capacity, reach->seed_count + (size_t)1,
                                     sizeof *reach->seeds);
        reach->seeds = seeds;
        if (status == HT_OK) {
            status = grow(&vertices, &reach->seed_vertex_capacity, reach->seed_count + (size_t)1,
                          sizeof *reach->seed_vertex);
            reach->seed_vertex = vertices;
        }
        if (status != HT_OK) {
            return status;
        }
        for (int i = 0; i < LANES; i++) {
            reach->seeds[reach->seed_count].time[i] = HT_TIME_INF;
        }
        reach->seed_vertex[reach->seed_count] = vertex;
        reach->slot_of[vertex] = ++reach->seed_count;
    }
    *out = &reach->seeds[reach->slot_of[vertex] - 1];
    return HT_OK;
}

/* Lays the label of source `i` out over the vertices that it knows. */
static enum ht_status label_lay(struct ht_reach *reach, const struct ht_label *label, uint32_t i)
{
    void *ends = reach->ends;
    enum ht_status status =
        grow(&ends, &reach->end_capacity, reach->end_count + (size_t)label->branch_count,
             sizeof *reach->ends);
    reach->ends = ends;
    for (uint32_t b = 0; b < label->branch_count && status == HT_OK; b++) {
        const struct ht_branch *branch = &label->branches[b];
        reach->ends[reach->end_count++] = branch->vertex[branch->count - 1];
        for (uint32_t d = 0; d < branch->count && status == HT_OK; d++) {
            struct eight *seed = NULL;
            if (!ht_time_finite(branch->time[d])) {
                continue;
            }
            status = seed_at(reach, branch->vertex[d], &seed);
            if (status == HT_OK && branch->time[d] < seed->time[i]) {
                seed->time[i] = branch->time[d];
            }
        }
    }
    return status;
}

/* Some source is within its limit at an entry of the region, or begins in it. */
static bool may_reach(const struct ht_reach *reach, const struct ht_reach_targets *t,
                      const struct ht__reach_span *span)
{
    bool wide = ht_relax_is_wide();
    for (uint32_t i = 0; i < span->exit_count; i++) {
        if (within(wide, &reach->lane[t->exits[span->first_exit + i]], &reach->limit) != 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < reach->end_count; i++) {
        if (reach->ends[i] >= span->low && reach->ends[i] <= span->root) {
            return true;
        }
    }
    return false;
}

static const struct eight infinite = {{HT_TIME_INF, HT_TIME_INF, HT_TIME_INF, HT_TIME_INF,
                                       HT_TIME_INF, HT_TIME_INF, HT_TIME_INF, HT_TIME_INF}};

/* Fills in `best`. */
static void sweep(struct ht_reach *reach, const struct ht_reach_ask *ask)
{
    const struct ht_reach_targets *t = ask->targets;
    const struct ht_metric *metric = ask->road->metric;
    bool wide = ht_relax_is_wide();
    uint32_t next = 0;
    reach->left_out = false;
    for (uint32_t p = 0; p < t->place_count; p++) {
        reach->best[p] = infinite;
    }
    for (uint32_t at = 0; at < t->vertex_count; at++) {
        uint32_t v = t->vertices[at];
        while (next < t->span_count && t->spans[next].begin < at) {
            next++; /* within one that was left out */
        }
        if (next < t->span_count && t->spans[next].begin == at &&
            !may_reach(reach, t, &t->spans[next])) {
            at = t->spans[next].end - 1;
            reach->left_out = true;
            continue;
        }
        struct eight *here = &reach->lane[metric->climb[v].depth];
        struct eight now = reach->slot_of[v] == 0 ? infinite : reach->seeds[reach->slot_of[v] - 1];
        pull(wide, ht_metric_row(metric, 1, v), reach->lane, &now);
        *here = now;
        reach->swept[at] = reach->run;
        for (uint32_t s = t->first_stop[at]; s < t->first_stop[at + 1]; s++) {
            least(wide, &reach->best[t->stops[s].place], &now, t->stops[s].time);
        }
    }
}

/* What is left of the limit for the way to a place's street. False: nothing. */
static bool left_of(const struct ht_reach_ask *ask, uint32_t place, uint32_t *left_ms)
{
    uint32_t after_ms = ask->after_ms == NULL ? 0 : ask->after_ms[place];
    *left_ms = ask->limit_ms - after_ms;
    return after_ms <= ask->limit_ms;
}

/* By the query of one pair. */
static enum ht_status ask_one(struct ht_reach *reach, const struct ht_reach_ask *ask,
                              uint32_t source, uint32_t place, uint64_t *set)
{
    struct ht_way_found found;
    uint32_t left_ms = 0;
    uint64_t bit = UINT64_C(1) << place % 64;
    bool any = left_of(ask, place, &left_ms);
    enum ht_status status =
        ht_query_cost(reach->query, ask->road, &ask->sources[source], HT_SIDES_BOTH,
                      &ask->targets->places[place], HT_SIDES_BOTH, &found);
    set[place / 64] &= ~bit;
    if (status == HT_OK && any && found.cost.duration_ms <= left_ms) {
        set[place / 64] |= bit;
    }
    return status == HT_NO_ROUTE ? HT_OK : status;
}

static bool swept_whole(const struct ht_reach *reach, const struct ht_reach_targets *t,
                        uint32_t place)
{
    for (uint32_t i = t->place_first[place]; i < t->place_first[place + 1]; i++) {
        if (reach->swept[t->place_at[i]] != reach->run) {
            return false;
        }
    }
    return true;
}

/* Bits of the sources that are at a place in time, as far as the sweep knows. */
static unsigned in_time(const struct ht_reach *reach, const struct ht_reach_ask *ask,
                        uint32_t place)
{
    struct eight limit = reach->limit;
    uint32_t left_ms = 0;
    if (!left_of(ask, place, &left_ms)) {
        return 0;
    }
    for (int i = 0; i < LANES; i++) {
        limit.time[i] -= ask->limit_ms - left_ms;
    }
    return within(ht_relax_is_wide(), &reach->best[place], &limit);
}

/* From costs to bits, for sources first .. first + count. What was reached by one arc may be
 * cheaper, and slower, by another one that was left out. */
static enum ht_status bits_write(struct ht_reach *reach, const struct ht_reach_ask *ask,
                                 uint32_t first, uint32_t count, uint64_t *const *sets)
{
    const struct ht_reach_targets *t = ask->targets;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < count; i++) {
        memset(sets[first + i], 0, ht_reach_words(t->place_count) * sizeof **sets);
    }
    for (uint32_t p = 0; p < t->place_count && status == HT_OK; p++) {
        unsigned mask = in_time(reach, ask, p) & ((1U << count) - 1);
        bool sure = mask == 0 || !reach->left_out || swept_whole(reach, t, p);
        for (; mask != 0 && status == HT_OK; mask &= mask - 1) {
            uint32_t i = first + (uint32_t)__builtin_ctz(mask);
            if (sure) {
                sets[i][p / 64] |= UINT64_C(1) << p % 64;
            } else {
                status = ask_one(reach, ask, i, p, sets[i]);
            }
        }
    }
    return status;
}

/* Places on the source's own street: a way may stay within it. */
static enum ht_status own_street(struct ht_reach *reach, const struct ht_reach_ask *ask,
                                 uint32_t source, uint64_t *set)
{
    const struct ht_reach_targets *t = ask->targets;
    enum ht_status status = HT_OK;
    for (int s = 0; s < 2; s++) {
        uint32_t arc = ask->sources[source].side[s].arc;
        size_t low = 0;
        size_t high = t->street_count;
        while (low < high && arc != HT_NONE) {
            size_t middle = low + (high - low) / 2;
            if (t->streets[middle].arc < arc) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (; arc != HT_NONE && low < t->street_count && t->streets[low].arc == arc &&
               status == HT_OK;
             low++) {
            status = ask_one(reach, ask, source, t->streets[low].place, set);
        }
    }
    return status;
}

static enum ht_status run_eight(struct ht_reach *reach, const struct ht_reach_ask *ask,
                                uint32_t first, uint32_t count, uint64_t *const *sets)
{
    enum ht_status status = HT_OK;
    reach->limit = (struct eight){{0}};
    reach->seed_count = 0;
    reach->end_count = 0;
    if (++reach->run == 0) {
        memset(reach->swept, 0, reach->swept_count * sizeof *reach->swept);
        reach->run = 1;
    }
    ht_label_store_clear(reach->labels);
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        struct ht_label label;
        status = ht_label_build(reach->labels, ask->road, &ask->sources[first + i], false, &label);
        if (status == HT_OK) {
            status = label_lay(reach, &label, i);
        }
        if (status == HT_OK) {
            reach->limit.time[i] = (uint64_t)ask->limit_ms + (uint32_t)label.bias.time;
        }
    }
    if (status == HT_OK) {
        sweep(reach, ask);
    }
    for (uint32_t i = 0; i < reach->seed_count; i++) {
        reach->slot_of[reach->seed_vertex[i]] = 0;
    }
    if (status == HT_OK) {
        status = bits_write(reach, ask, first, count, sets);
    }
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        status = own_street(reach, ask, first + i, sets[first + i]);
    }
    return status;
}

enum ht_status ht_reach_run(struct ht_reach *reach, const struct ht_reach_ask *ask,
                            uint64_t *const *sets)
{
    if (ask->targets->hierarchy != ask->road->metric->vertex_count) {
        return HT_INVALID;
    }
    enum ht_status status = reserve(reach, ask);
    for (uint32_t first = 0; first < ask->source_count && status == HT_OK; first += LANES) {
        uint32_t left = ask->source_count - first;
        status = run_eight(reach, ask, first, left < LANES ? left : LANES, sets);
    }
    return status;
}
