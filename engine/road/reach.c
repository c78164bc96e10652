#include "engine/road/reach.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"
#include "engine/road/label.h"

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

/* What a place pays from the beginning of an arc that leads to it. */
struct stop {
    uint64_t time;
    uint32_t place;
};

/* The part of `vertices` that lies in a region. */
struct span {
    uint32_t begin;
    uint32_t end;
    uint32_t low; /* ranks of the region */
    uint32_t root;
    uint32_t first_exit;
    uint32_t exit_count;
};

struct on_street {
    uint32_t arc;
    uint32_t place;
};

struct ht_reach_targets {
    uint32_t hierarchy; /* its vertices */
    uint32_t place_count;
    struct ht_place *places;
    uint32_t vertex_count;
    uint32_t *vertices;   /* by falling rank */
    uint32_t *first_stop; /* [vertex_count + 1] */
    struct stop *stops;   /* by vertex */
    size_t stop_count;
    uint32_t *place_first; /* [place_count + 1] */
    uint32_t *place_at;    /* where in `vertices` the stops of each place stand */
    struct span *spans;    /* by rising begin: a region comes before those inside it */
    uint32_t span_count;
    uint16_t *exits;
    struct on_street *streets; /* by arc */
    size_t street_count;
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
};

/* --- targets ---------------------------------------------------------------------------------- */

void ht_reach_targets_free(struct ht_reach_targets *t)
{
    if (t != NULL) {
        free(t->places);
        free(t->vertices);
        free(t->first_stop);
        free(t->stops);
        free(t->place_first);
        free(t->place_at);
        free(t->spans);
        free(t->exits);
        free(t->streets);
        free(t);
    }
}

uint32_t ht_reach_targets_count(const struct ht_reach_targets *targets)
{
    return targets->place_count;
}

size_t ht_reach_targets_vertices(const struct ht_reach_targets *targets)
{
    return targets->vertex_count;
}

/* A stop before it is known where its vertex stands. */
struct raw_stop {
    uint32_t vertex;
    struct stop stop;
};

struct making {
    struct ht_reach_targets *targets;
    const struct ht_road *road;
    struct raw_stop *raw;
    size_t raw_capacity;
    uint32_t *position; /* of each vertex of the hierarchy; HT_NONE: above no place */
};

static int by_arc(const void *left, const void *right)
{
    const struct on_street *a = left;
    const struct on_street *b = right;
    return a->arc != b->arc ? (a->arc < b->arc ? -1 : 1)
                            : (a->place > b->place) - (a->place < b->place);
}

/* Seeds of all places, and which streets they are on. */
static enum ht_status seeds_list(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    struct ht_seeds seeds = {0};
    enum ht_status status = HT_OK;
    for (uint32_t p = 0; p < t->place_count && status == HT_OK; p++) {
        t->place_first[p] = (uint32_t)t->stop_count;
        for (int s = 0; s < 2; s++) {
            if (t->places[p].side[s].arc != HT_NONE) {
                t->streets[t->street_count++] = (struct on_street){t->places[p].side[s].arc, p};
            }
        }
        status = ht__seeds_target(&seeds, m->road, &t->places[p], HT_SIDES_BOTH);
        void *raw = m->raw;
        if (status == HT_OK) {
            status = ht_array_reserve(&raw, &m->raw_capacity, t->stop_count + seeds.count,
                                      sizeof *m->raw);
            m->raw = raw;
        }
        for (uint32_t i = 0; i < seeds.count && status == HT_OK; i++) {
            m->raw[t->stop_count++] =
                (struct raw_stop){seeds.list[i].vertex, {seeds.list[i].key.time, p}};
        }
    }
    t->place_first[t->place_count] = (uint32_t)t->stop_count;
    ht_seeds_deinit(&seeds);
    if (t->street_count > 0) {
        qsort(t->streets, t->street_count, sizeof *t->streets, by_arc);
    }
    return status;
}

/* All vertices above the stops, by falling rank. */
static enum ht_status vertices_list(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    const struct ht_climb *climb = m->road->metric->climb;
    m->position = ht_array_new(t->hierarchy, sizeof *m->position);
    if (m->position == NULL) {
        return HT_NOMEM;
    }
    memset(m->position, 0xff, t->hierarchy * sizeof *m->position);
    for (size_t i = 0; i < t->stop_count; i++) {
        for (uint32_t v = m->raw[i].vertex; v != HT_NONE && m->position[v] == HT_NONE;
             v = climb[v].parent) {
            m->position[v] = 0;
            t->vertex_count++;
        }
    }
    t->vertices = ht_array_new(t->vertex_count, sizeof *t->vertices);
    if (t->vertices == NULL) {
        return HT_NOMEM;
    }
    uint32_t count = 0;
    for (uint32_t v = t->hierarchy; v-- > 0;) {
        if (m->position[v] != HT_NONE) {
            m->position[v] = count;
            t->vertices[count++] = v;
        }
    }
    return HT_OK;
}

/* Counting sort of the stops by vertex. */
static enum ht_status stops_sort(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    t->first_stop = ht_array_new_zeroed(t->vertex_count + (size_t)2, sizeof *t->first_stop);
    t->stops = ht_array_new(t->stop_count, sizeof *t->stops);
    t->place_at = ht_array_new(t->stop_count, sizeof *t->place_at);
    if (t->first_stop == NULL || t->stops == NULL || t->place_at == NULL) {
        return HT_NOMEM;
    }
    uint32_t *next = t->first_stop + 1; /* while they are filled in, it is where each one ends */
    for (size_t i = 0; i < t->stop_count; i++) {
        t->place_at[i] = m->position[m->raw[i].vertex];
        next[t->place_at[i] + 1]++;
    }
    for (uint32_t v = 0; v < t->vertex_count; v++) {
        next[v + 1] += next[v];
    }
    for (size_t i = 0; i < t->stop_count; i++) {
        t->stops[next[t->place_at[i]]++] = m->raw[i].stop;
    }
    return HT_OK;
}

/* The first of `vertices` that is not above `rank`. */
static uint32_t first_below(const struct ht_reach_targets *t, uint32_t rank)
{
    uint32_t low = 0;
    uint32_t high = t->vertex_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->vertices[middle] > rank) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum ht_status spans_list(struct making *m, const struct ht_regions *regions)
{
    struct ht_reach_targets *t = m->targets;
    size_t exits = 0;
    t->spans = ht_array_new(regions->count, sizeof *t->spans);
    if (t->spans == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t r = 0; r < regions->count; r++) {
        const struct ht_region *region = &regions->list[r];
        uint32_t begin = first_below(t, region->root);
        uint32_t end = region->low == 0 ? t->vertex_count : first_below(t, region->low - 1);
        if (end > begin) {
            t->spans[t->span_count++] = (struct span){
                begin, end, region->low, region->root, (uint32_t)exits, region->exit_count};
            exits += region->exit_count;
        }
    }
    t->exits = ht_array_new(exits, sizeof *t->exits);
    if (t->exits == NULL) {
        return HT_NOMEM;
    }
    exits = 0;
    for (uint32_t r = 0, s = 0; s < t->span_count; r++) {
        const struct ht_region *region = &regions->list[r];
        if (region->root == t->spans[s].root) {
            memcpy(t->exits + exits, regions->exits + region->first_exit,
                   region->exit_count * sizeof *t->exits);
            exits += region->exit_count;
            s++;
        }
    }
    return HT_OK;
}

enum ht_status ht_reach_targets_new(const struct ht_road *road, const struct ht_regions *regions,
                                    const struct ht_place *places, uint32_t count,
                                    struct ht_reach_targets **out)
{
    struct ht_reach_targets *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return HT_NOMEM;
    }
    struct making making = {.targets = t, .road = road};
    t->hierarchy = road->metric->vertex_count;
    t->place_count = count;
    t->places = ht_array_new(count, sizeof *t->places);
    t->place_first = ht_array_new(count + (size_t)1, sizeof *t->place_first);
    t->streets = ht_array_new((size_t)count * 2, sizeof *t->streets);
    enum ht_status status =
        t->places == NULL || t->place_first == NULL || t->streets == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        memcpy(t->places, places, count * sizeof *t->places);
        status = seeds_list(&making);
    }
    if (status == HT_OK) {
        status = vertices_list(&making);
    }
    if (status == HT_OK) {
        status = stops_sort(&making);
    }
    if (status == HT_OK && regions != NULL) {
        status = spans_list(&making, regions);
    }
    free(making.raw);
    free(making.position);
    if (status != HT_OK) {
        ht_reach_targets_free(t);
        return status;
    }
    *out = t;
    return HT_OK;
}

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
                      const struct span *span, const struct eight *limit)
{
    bool wide = ht_relax_is_wide();
    for (uint32_t i = 0; i < span->exit_count; i++) {
        if (within(wide, &reach->lane[t->exits[span->first_exit + i]], limit) != 0) {
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

/* Fills in `best`; true when some region was left out. */
static bool sweep(struct ht_reach *reach, const struct ht_reach_ask *ask, const struct eight *limit)
{
    const struct ht_reach_targets *t = ask->targets;
    const struct ht_metric *metric = ask->road->metric;
    bool wide = ht_relax_is_wide();
    bool left_out = false;
    uint32_t next = 0;
    for (uint32_t p = 0; p < t->place_count; p++) {
        reach->best[p] = infinite;
    }
    for (uint32_t at = 0; at < t->vertex_count; at++) {
        uint32_t v = t->vertices[at];
        while (next < t->span_count && t->spans[next].begin < at) {
            next++; /* within one that was left out */
        }
        if (next < t->span_count && t->spans[next].begin == at &&
            !may_reach(reach, t, &t->spans[next], limit)) {
            at = t->spans[next].end - 1;
            left_out = true;
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
    return left_out;
}

/* By the query of one pair. */
static enum ht_status ask_one(struct ht_reach *reach, const struct ht_reach_ask *ask,
                              uint32_t source, uint32_t place, uint64_t *set)
{
    struct ht_way_found found;
    uint64_t bit = UINT64_C(1) << place % 64;
    enum ht_status status =
        ht_query_cost(reach->query, ask->road, &ask->sources[source], HT_SIDES_BOTH,
                      &ask->targets->places[place], HT_SIDES_BOTH, &found);
    set[place / 64] &= ~bit;
    if (status == HT_OK && found.cost.duration_ms <= ask->limit_ms) {
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

/* From costs to bits, for sources first .. first + count. What was reached by one arc may be
 * cheaper, and slower, by another one that was left out. */
static enum ht_status bits_write(struct ht_reach *reach, const struct ht_reach_ask *ask,
                                 uint32_t first, uint32_t count, const struct eight *limit,
                                 bool left_out, uint64_t *const *sets)
{
    const struct ht_reach_targets *t = ask->targets;
    bool wide = ht_relax_is_wide();
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < count; i++) {
        memset(sets[first + i], 0, ht_reach_words(t->place_count) * sizeof **sets);
    }
    for (uint32_t p = 0; p < t->place_count && status == HT_OK; p++) {
        unsigned mask = within(wide, &reach->best[p], limit) & ((1U << count) - 1);
        bool sure = mask == 0 || !left_out || swept_whole(reach, t, p);
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
    struct eight limit = {{0}};
    enum ht_status status = HT_OK;
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
            limit.time[i] = (uint64_t)ask->limit_ms + (uint32_t)label.bias.time;
        }
    }
    bool left_out = status == HT_OK && sweep(reach, ask, &limit);
    for (uint32_t i = 0; i < reach->seed_count; i++) {
        reach->slot_of[reach->seed_vertex[i]] = 0;
    }
    if (status == HT_OK) {
        status = bits_write(reach, ask, first, count, &limit, left_out, sets);
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
