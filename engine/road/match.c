#include "engine/road/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/match_internal.h"

struct ht_match {
    struct ht_match_chain chain;
    size_t column_capacity;
    struct ht_match_spot *spots;
    size_t spot_capacity;
    uint32_t spot_count;
    struct ht_match_part *parts;
    size_t part_capacity;
    uint32_t part_count;
    int64_t *steps; /* of time, to find their median */
    size_t step_capacity;
    struct ht_leg *legs;
    size_t leg_capacity;
    uint32_t *arcs;
    size_t arc_count;
    size_t arc_capacity;
};

enum ht_status ht_match_new(struct ht_match **out)
{
    struct ht_match *match = calloc(1, sizeof *match);
    if (match == NULL) {
        return HT_NOMEM;
    }
    struct ht_match_core *core = &match->chain.core;
    enum ht_status status = ht_snap_work_new(&core->snap);
    status = status == HT_OK ? ht_hop_new(&core->hop) : status;
    if (status != HT_OK) {
        ht_match_free(match);
        return status;
    }
    *out = match;
    return HT_OK;
}

void ht_match_free(struct ht_match *match)
{
    if (match != NULL) {
        ht_snap_work_free(match->chain.core.snap);
        ht_hop_free(match->chain.core.hop);
        free(match->chain.core.places);
        free(match->chain.core.states);
        free(match->chain.columns);
        free(match->spots);
        free(match->parts);
        free(match->steps);
        free(match->legs);
        free(match->arcs);
        free(match);
    }
}

struct ht_match_core *ht_match__core(struct ht_match *match)
{
    return &match->chain.core;
}

static enum ht_status check(const struct ht_match_options *options,
                            const struct ht_match_fix *fixes, uint32_t count)
{
    if (count < 2 || !(options->max_speed_mps > 0)) {
        return HT_INVALID;
    }
    const struct ht_match_fix *last = NULL; /* with a time */
    for (uint32_t i = 0; i < count; i++) {
        enum ht_status status = ht_match__check(&fixes[i], last);
        if (status != HT_OK) {
            return status;
        }
        last = fixes[i].time_ms != HT_MATCH_NO_TIME ? &fixes[i] : last;
    }
    return HT_OK;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Ten times the median step, of a second at least; 0 where fixes have no times. */
static enum ht_status find_gap(struct ht_match *match, const struct ht_match_fix *fixes,
                               uint32_t count, int64_t *gap_ms)
{
    void *steps = match->steps;
    enum ht_status status =
        ht_array_reserve(&steps, &match->step_capacity, count, sizeof *match->steps);
    match->steps = steps;
    if (status != HT_OK) {
        return status;
    }
    size_t found = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (fixes[i].time_ms != HT_MATCH_NO_TIME && fixes[i - 1].time_ms != HT_MATCH_NO_TIME) {
            match->steps[found++] = fixes[i].time_ms - fixes[i - 1].time_ms;
        }
    }
    *gap_ms = 0;
    if (found > 0) {
        qsort(match->steps, found, sizeof *match->steps, by_value);
        int64_t median = match->steps[found / 2];
        *gap_ms = 10 * (median < 1000 ? 1000 : median);
    }
    return HT_OK;
}

/* Places of all fixes. HT_NO_SEGMENT: not one has any. */
static enum ht_status look(struct ht_match *match, const struct ht_match_fix *fixes, uint32_t count)
{
    struct ht_match_chain *chain = &match->chain;
    void *columns = chain->columns;
    enum ht_status status =
        ht_array_reserve(&columns, &match->column_capacity, count, sizeof *chain->columns);
    chain->columns = columns;
    chain->capacity = count;
    size_t places = 0;
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        struct ht_match_column *column = &chain->columns[i];
        bool sharp =
            i > 0 && i + 1 < count && ht_match__turns(&fixes[i - 1], &fixes[i], &fixes[i + 1]);
        if (places + HT_MATCH_PLACES > UINT32_MAX / 2) {
            return HT_TOO_BIG;
        }
        column->fix = i;
        column->first_place = (uint32_t)places;
        status = ht_match__reserve(&chain->core, places + HT_MATCH_PLACES);
        if (status == HT_OK) {
            status = ht_match__places(&chain->core, &fixes[i], sharp, column);
            places += column->place_count;
        }
    }
    return status == HT_OK && places == 0 ? HT_NO_SEGMENT : status;
}

/* Marks what leads to a living state of the last column; counts it. */
static void count_survivors(const struct ht_match_chain *chain, uint32_t last,
                            struct ht_match_spot *spots)
{
    struct ht_match_column *column = ht_match__column(chain, last);
    struct ht_match_state *states = ht_match__states(&chain->core, column);
    for (uint32_t i = 0; i < column->state_count; i++) {
        states[i].survives = states[i].value > -INFINITY;
    }
    for (;; spots--) {
        struct ht_match_state *before = NULL;
        uint32_t count = 0;
        if (column->before != HT_NONE) {
            before = ht_match__states(&chain->core, ht_match__column(chain, column->before));
        }
        for (uint32_t i = 0; i < column->state_count; i++) {
            if (states[i].survives) {
                count++;
                if (before != NULL) {
                    before[states[i].before].survives = true;
                }
            }
        }
        spots->alternatives = count - 1;
        if (before == NULL) {
            return;
        }
        column = ht_match__column(chain, column->before);
        states = before;
    }
}

/* How surely a way of this length is what drove that trace: Laplace distributions of the logarithm
 * of their ratio, of traces that were matched well and badly, as OSRM fitted them. */
static double confidence(double trace_m, double way_m)
{
    static const double good = 0.696774;
    double feature = log(way_m) - log(trace_m);
    if (!isfinite(feature)) {
        return 0.0;
    }
    double well = good / (2.0 * 0.016646) * exp(-fabs(feature - 0.005986) / 0.016646);
    double badly = (1.0 - good) / (2.0 * 0.458432) * exp(-fabs(feature - 0.054385) / 0.458432);
    return well / (well + badly);
}

static enum ht_status reserve_part(struct ht_match *match, uint32_t length)
{
    void *spots = match->spots;
    void *parts = match->parts;
    enum ht_status status = ht_array_reserve(
        &spots, &match->spot_capacity, (size_t)match->spot_count + length, sizeof *match->spots);
    if (status == HT_OK) {
        status = ht_array_reserve(&parts, &match->part_capacity, (size_t)match->part_count + 1,
                                  sizeof *match->parts);
    }
    match->spots = spots;
    match->parts = parts;
    return status;
}

static void fill_spots(const struct ht_match_chain *chain, uint32_t last, uint32_t best,
                       struct ht_match_spot *spots, uint32_t length)
{
    /* Backwards: which state each spot is (kept where its alternatives will stand), then forwards,
     * since a spot may take over the place of the one before. */
    uint32_t number = last;
    for (uint32_t i = length; i-- > 0;) {
        const struct ht_match_column *column = ht_match__column(chain, number);
        spots[i].fix = number;
        spots[i].alternatives = best;
        best = ht_match__states(&chain->core, column)[best].before;
        number = column->before;
    }
    for (uint32_t i = 0; i < length; i++) {
        ht_match__spot(&chain->core, ht_match__column(chain, spots[i].fix), spots[i].alternatives,
                       i == 0 ? NULL : &spots[i - 1], &spots[i]);
    }
    if (length > 1) {
        spots[0].side = spots[1].from_side;
    }
    count_survivors(chain, last, &spots[length - 1]);
}

/* The best sequence of the part that the chain stands at. */
static enum ht_status finish_part(struct ht_match *match, const struct ht_match_fix *fixes)
{
    const struct ht_match_chain *chain = &match->chain;
    uint32_t last = ht_match__end(chain);
    uint32_t length = 0;
    for (uint32_t i = last; i != HT_NONE; i = ht_match__column(chain, i)->before) {
        length++;
    }
    if (length < 2) {
        return HT_OK;
    }
    enum ht_status status = reserve_part(match, length);
    if (status != HT_OK) {
        return status;
    }
    struct ht_match_spot *spots = match->spots + match->spot_count;
    const struct ht_match_column *column = ht_match__column(chain, last);
    uint32_t best = ht_match__best(&chain->core, column);
    double trace_m = 0;
    double way_m = 0;
    fill_spots(chain, last, best, spots, length);
    for (uint32_t i = 1; i < length; i++) {
        trace_m += ht_distance_m(fixes[spots[i - 1].fix].point, fixes[spots[i].fix].point);
        way_m += (double)spots[i].cost.length_mm / 1000.0;
    }
    match->parts[match->part_count++] = (struct ht_match_part){
        .first = match->spot_count,
        .count = length,
        .confidence = confidence(trace_m, way_m),
        .log_likelihood = ht_match__states(&chain->core, column)[best].value,
    };
    match->spot_count += length;
    return HT_OK;
}

static enum ht_status join_all(struct ht_match *match, const struct ht_match_fix *fixes,
                               uint32_t count)
{
    struct ht_match_chain *chain = &match->chain;
    enum ht_status status = HT_OK;
    uint32_t next = 0;
    ht_match__chain_clear(chain);
    while (status == HT_OK) {
        bool split = next == count;
        uint32_t resume = chain->break_at;
        if (next < count) {
            status = ht_match__join(chain, next++, &split, &resume);
        }
        if (status == HT_OK && split) {
            status = finish_part(match, fixes);
            ht_match__chain_clear(chain);
            if (resume == HT_NONE) {
                break;
            }
            next = resume;
        }
    }
    return status;
}

enum ht_status ht_match_run(struct ht_match *match, const struct ht_road *road,
                            const struct ht_match_options *options,
                            const struct ht_match_fix *fixes, uint32_t count,
                            struct ht_match_found *out)
{
    struct ht_match_chain *chain = &match->chain;
    *out = (struct ht_match_found){0};
    enum ht_status status = check(options, fixes, count);
    if (status == HT_OK) {
        status = find_gap(match, fixes, count, &chain->gap_ms);
    }
    if (status != HT_OK) {
        return status;
    }
    chain->gap_ms = !options->split ? 0 : options->gap_ms > 0 ? options->gap_ms : chain->gap_ms;
    chain->core.options = *options;
    chain->core.road = road;
    ht_hop_begin(chain->core.hop, road->network, road->graph, ht_match__budget(count));
    match->spot_count = 0;
    match->part_count = 0;
    status = look(match, fixes, count);
    if (status == HT_OK) {
        status = join_all(match, fixes, count);
    }
    if (status == HT_OK && match->part_count == 0) {
        return HT_NO_ROUTE;
    }
    *out = (struct ht_match_found){match->parts, match->part_count, match->spots};
    return status;
}

enum ht_status ht_match_arcs(struct ht_match *match, const struct ht_road *road,
                             const struct ht_match_spot *from, const struct ht_match_spot *to,
                             const uint32_t **arcs, uint32_t *count)
{
    struct ht_hop *hop = match->chain.core.hop;
    const struct ht_place_side *source = &from->place.side[to->from_side];
    if (to->step != HT_MATCH_WAY) {
        *arcs = &source->arc;
        *count = 1;
        return HT_OK;
    }
    const struct ht_place_side *target = &to->place.side[to->side];
    const struct ht_hop_target end = {
        .arc = target->arc,
        .limit_mm = to->cost.length_mm - source->after.length_mm - target->before.length_mm,
    };
    ht_hop_begin(hop, road->network, road->graph,
                 ht_match__budget(1)); /* the spots may be those of a stream */
    return ht_hop_path(hop, source->arc, &end, arcs, count);
}

static enum ht_status add_leg(struct ht_match *match, const struct ht_road *road,
                              const struct ht_match_spot *spots, uint32_t index)
{
    const struct ht_match_spot *to = &spots[index + 1];
    const uint32_t *arcs = NULL;
    uint32_t count = 0;
    enum ht_status status = ht_match_arcs(match, road, &spots[index], to, &arcs, &count);
    void *list = match->arcs;
    if (status == HT_OK) {
        status = ht_array_reserve(&list, &match->arc_capacity, match->arc_count + count,
                                  sizeof *match->arcs);
        match->arcs = list;
    }
    if (status != HT_OK) {
        return status;
    }
    if (count > 0) {
        memcpy(match->arcs + match->arc_count, arcs, count * sizeof *arcs);
    }
    match->legs[index] = (struct ht_leg){
        .cost = to->cost,
        .source = index,
        .target = index + 1,
        .source_side = to->from_side,
        .target_side = to->side,
        .first_arc = (uint32_t)match->arc_count,
        .arc_count = count,
    };
    match->arc_count += count;
    return HT_OK;
}

enum ht_status ht_match_route(struct ht_match *match, const struct ht_road *road,
                              const struct ht_match_found *found, uint32_t part,
                              struct ht_route_found *out)
{
    const struct ht_match_part *p = &found->parts[part];
    void *legs = match->legs;
    enum ht_status status =
        ht_array_reserve(&legs, &match->leg_capacity, p->count, sizeof *match->legs);
    match->legs = legs;
    match->arc_count = 0;
    for (uint32_t i = 0; status == HT_OK && i + 1 < p->count; i++) {
        status = add_leg(match, road, found->spots + p->first, i);
    }
    *out = (struct ht_route_found){match->legs, p->count - 1, match->arcs};
    return status;
}
