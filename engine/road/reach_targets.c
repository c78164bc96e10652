/* The targets of reach.h: which vertices lie above the places, and which regions hold some. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/radix.h"
#include "engine/road/cch.h"
#include "engine/road/query_internal.h"
#include "engine/road/reach_internal.h"

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
    struct ht__reach_stop stop;
};

/* Which vertices of the hierarchy lie above places: a bit each, so that those of a million take no
 * more than a core's own cache, and how many have a higher rank than those of a word. */
struct above {
    uint64_t *bits;
    uint32_t *higher;
    size_t words;
};

struct making {
    struct ht_reach_targets *targets;
    const struct ht_road *road;
    struct raw_stop *raw;
    size_t raw_capacity;
    uint64_t *streets; /* arc << 32 | place, with room to sort them */
    struct above above;
};

static void streets_sort(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    unsigned bits = 0;
    while (m->road->graph->arc_count >> bits != 0) {
        bits++;
    }
    ht_radix_sort(m->streets, m->streets + t->street_count, t->street_count, 32, bits);
    for (size_t i = 0; i < t->street_count; i++) {
        t->streets[i] =
            (struct ht__reach_street){(uint32_t)(m->streets[i] >> 32), (uint32_t)m->streets[i]};
    }
}

/* What is read of the hierarchy for a place, some places ahead. */
static void seeds_call(const struct making *m, uint32_t p)
{
    enum { AHEAD = 16 };
    if (p + AHEAD < m->targets->place_count) {
        const struct ht_place *place = &m->targets->places[p + AHEAD];
        for (int s = 0; s < 2; s++) {
            if (place->side[s].arc != HT_NONE) {
                __builtin_prefetch(&m->road->cch->rank[place->side[s].arc]);
            }
        }
    }
}

/* Seeds of all places, and which streets they are on. */
static enum ht_status seeds_list(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    struct ht_seeds seeds = {0};
    enum ht_status status = HT_OK;
    for (uint32_t p = 0; p < t->place_count && status == HT_OK; p++) {
        t->place_first[p] = (uint32_t)t->stop_count;
        seeds_call(m, p);
        for (int s = 0; s < 2; s++) {
            if (t->places[p].side[s].arc != HT_NONE) {
                m->streets[t->street_count++] = (uint64_t)t->places[p].side[s].arc << 32 | p;
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
    streets_sort(m);
    return status;
}

/* True: it was not known to lie above a place. */
static bool above_add(struct above *above, uint32_t vertex)
{
    uint64_t bit = UINT64_C(1) << vertex % 64;
    bool is_new = (above->bits[vertex / 64] & bit) == 0;
    above->bits[vertex / 64] |= bit;
    return is_new;
}

/* How many of them have a higher rank. */
static uint32_t above_position(const struct above *above, uint32_t vertex)
{
    uint64_t higher = above->bits[vertex / 64] >> vertex % 64 >> 1;
    return above->higher[vertex / 64] + (uint32_t)__builtin_popcountll(higher);
}

/* All vertices above the stops, by falling rank. */
static enum ht_status vertices_list(struct making *m)
{
    struct ht_reach_targets *t = m->targets;
    struct above *above = &m->above;
    above->words = t->hierarchy / 64 + (size_t)1;
    above->bits = ht_array_new_zeroed(above->words, sizeof *above->bits);
    above->higher = ht_array_new(above->words, sizeof *above->higher);
    if (above->bits == NULL || above->higher == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < t->stop_count; i++) {
        for (uint32_t v = m->raw[i].vertex; v != HT_NONE && above_add(above, v);
             v = ht_metric_parent(m->road->metric, v)) {
            t->vertex_count++;
        }
    }
    t->vertices = ht_array_new(t->vertex_count, sizeof *t->vertices);
    if (t->vertices == NULL) {
        return HT_NOMEM;
    }
    uint32_t count = 0;
    for (size_t w = above->words; w-- > 0;) {
        above->higher[w] = count;
        for (uint64_t left = above->bits[w]; left != 0;) {
            uint32_t bit = 63 - (uint32_t)__builtin_clzll(left);
            t->vertices[count++] = (uint32_t)w * 64 + bit;
            left &= ~(UINT64_C(1) << bit);
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
        t->place_at[i] = above_position(&m->above, m->raw[i].vertex);
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
            t->spans[t->span_count++] = (struct ht__reach_span){
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
            if (region->exit_count > 0) { /* else there may be no list */
                memcpy(t->exits + exits, regions->exits + region->first_exit,
                       region->exit_count * sizeof *t->exits);
            }
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
    making.streets = ht_array_new((size_t)count * 4, sizeof *making.streets);
    enum ht_status status =
        t->places == NULL || t->place_first == NULL || t->streets == NULL || making.streets == NULL
            ? HT_NOMEM
            : HT_OK;
    if (status == HT_OK) {
        if (count > 0) {
            memcpy(t->places, places, count * sizeof *t->places);
        }
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
    free(making.streets);
    free(making.above.bits);
    free(making.above.higher);
    if (status != HT_OK) {
        ht_reach_targets_free(t);
        return status;
    }
    *out = t;
    return HT_OK;
}
