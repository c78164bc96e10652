#include "engine/live/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/radix.h"

enum {
    PIECE = 64,     /* places that a thread snaps at a time */
    BATCH = 64,     /* sources of one run */
    SPARE = 4,      /* sets are kept of so many times as many units as are asked for */
    KEPT_MOST = 512 /* or of so many */
};

/* --- places ----------------------------------------------------------------------------------- */

struct snapping {
    const struct ht_road *road;
    const struct ht_point *points;
    const uint64_t *order; /* numbers of points in their low halves; NULL: as they are given */
    uint32_t count;
    double radius_m;
    struct ht_place *out;
};

static uint32_t number_at(const struct snapping *s, uint32_t i)
{
    return s->order == NULL ? i : (uint32_t)s->order[i];
}

static void snap_piece(void *user, size_t piece, size_t worker)
{
    (void)worker;
    struct snapping *s = user;
    struct ht_snap_ask asks[PIECE];
    struct ht_snap_trip trips[PIECE];
    struct ht_snap_options options = ht_snap_options_default();
    options.radius_m = s->radius_m;
    uint32_t first = (uint32_t)piece * PIECE;
    uint32_t count = s->count - first < PIECE ? s->count - first : PIECE;
    for (uint32_t i = 0; i < count; i++) {
        asks[i] = (struct ht_snap_ask){s->points[number_at(s, first + i)], options};
    }
    ht_snap_trips(s->road->snap, asks, count, trips);
    for (uint32_t i = 0; i < count; i++) {
        s->out[number_at(s, first + i)] =
            trips[i].found > 0 ? trips[i].place[trips[i].found - 1]
                               : (struct ht_place){.side = {{.arc = HT_NONE}, {.arc = HT_NONE}}};
    }
}

/* Every second bit of a number of 16 bits. */
static uint32_t spread(uint32_t number)
{
    number = (number | number << 8) & 0x00ff00ffU;
    number = (number | number << 4) & 0x0f0f0f0fU;
    number = (number | number << 2) & 0x33333333U;
    return (number | number << 1) & 0x55555555U;
}

/* Points along a curve that keeps neighbours together (Morton 1966), by cells of some 6 to 60
 * metres: what one search brings from memory the next one finds there. NULL: no memory, and no
 * order, which costs time alone. */
static uint64_t *order_make(const struct ht_point *points, uint32_t count)
{
    enum { AXIS = 11 }; /* bits of each */
    struct ht_box box = ht_box_empty();
    uint64_t *items = ht_array_new((size_t)count * 2, sizeof *items);
    if (items == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        box = ht_box_grow(box, points[i]);
    }
    int64_t wide = (int64_t)box.max.lon_e7 - box.min.lon_e7;
    int64_t high = (int64_t)box.max.lat_e7 - box.min.lat_e7;
    unsigned shift = 0;
    while ((wide > high ? wide : high) >> shift >= 1 << AXIS) {
        shift++;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)(((int64_t)points[i].lon_e7 - box.min.lon_e7) >> shift);
        uint32_t y = (uint32_t)(((int64_t)points[i].lat_e7 - box.min.lat_e7) >> shift);
        items[i] = (uint64_t)(spread(x) | spread(y) << 1) << 32 | i;
    }
    ht_radix_sort(items, items + count, count, 32, 2 * AXIS);
    return items;
}

void ht_coverage_snap(const struct ht_road *road, const struct ht_point *points, uint32_t count,
                      double radius_m, struct ht_pool *pool, struct ht_place *out)
{
    uint64_t *order = count > PIECE ? order_make(points, count) : NULL;
    struct snapping s = {.road = road,
                         .points = points,
                         .order = order,
                         .count = count,
                         .radius_m = radius_m,
                         .out = out};
    size_t pieces = (count + (size_t)PIECE - 1) / PIECE;
    for (size_t i = 0; i < pieces && pool == NULL; i++) {
        snap_piece(&s, i, 0);
    }
    if (pool != NULL) {
        ht_pool_run(pool, pieces, snap_piece, &s);
    }
    free(order);
}

static bool is_as_filed(const struct ht_graph *graph, const struct ht_place *place)
{
    bool filed = true;
    for (int s = 0; s < 2 && graph->live != NULL; s++) {
        uint32_t arc = place->side[s].arc;
        filed = filed && (arc == HT_NONE || ht_live_arc(graph, arc) == NULL);
    }
    return filed;
}

static void arcs_call(const struct ht_graph *graph, const struct ht_place *place)
{
    for (int s = 0; s < 2; s++) {
        if (place->side[s].arc != HT_NONE) {
            __builtin_prefetch(&graph->arcs[place->side[s].arc]);
        }
    }
}

// NOLINTNEXTLINE(readability-function-size): as above, and what is known
void ht_coverage_snap_again(const struct ht_road *road, const struct ht_point *points,
                            uint32_t count, double radius_m, const struct ht_place *filed,
                            struct ht_place *out)
{
    enum { AHEAD = 16 };
    uint32_t changed = 0;
    uint64_t *order = ht_array_new(count, sizeof *order);
    if (order == NULL) {
        ht_coverage_snap(road, points, count, radius_m, NULL, out);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            arcs_call(road->graph, &filed[i + AHEAD]);
        }
        if (is_as_filed(road->graph, &filed[i])) {
            out[i] = filed[i];
            ht_place_refresh(road->graph, &out[i]);
        } else {
            order[changed++] = i;
        }
    }
    struct snapping s = {.road = road,
                         .points = points,
                         .order = order,
                         .count = changed,
                         .radius_m = radius_m,
                         .out = out};
    for (size_t i = 0; i < (changed + (size_t)PIECE - 1) / PIECE; i++) {
        snap_piece(&s, i, 0);
    }
    free(order);
}

/* --- what is kept ----------------------------------------------------------------------------- */

/* Whose set it is, and under what it was found. */
struct kept {
    uint32_t unit;
    uint32_t limit_ms;
    bool found;
    uint64_t scene;
    uint32_t profile;
    uint32_t arc[2];
    uint32_t before_mm[2];
    uint64_t *set; /* `words` of them */
};

struct ht_coverage {
    struct ht_reach *reach;
    size_t words; /* of each set that is kept */
    struct kept *list;
    uint32_t count;
    size_t capacity;
    uint32_t *table;   /* number in the list + 1 by a hash of unit and limit, open addressing */
    size_t table_size; /* a power of two */
    uint32_t *asked;   /* number in the list by the ask's order */
    size_t asked_capacity;
    uint64_t *all;
    size_t all_capacity;
    uint32_t renewed;
    struct ht_place sources[BATCH];
    uint64_t *sets[BATCH];
    uint32_t numbers[BATCH];
};

enum ht_status ht_coverage_new(struct ht_coverage **out)
{
    struct ht_coverage *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_reach_new(&c->reach);
    if (status != HT_OK) {
        ht_coverage_free(c);
        return status;
    }
    *out = c;
    return HT_OK;
}

static void forget_all(struct ht_coverage *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        free(c->list[i].set);
    }
    c->count = 0;
    if (c->table != NULL) {
        memset(c->table, 0, c->table_size * sizeof *c->table);
    }
}

void ht_coverage_free(struct ht_coverage *c)
{
    if (c != NULL) {
        forget_all(c);
        ht_reach_free(c->reach);
        free(c->list);
        free(c->table);
        free(c->asked);
        free(c->all);
        free(c);
    }
}

const uint64_t *ht_coverage_set(const struct ht_coverage *c, uint32_t i)
{
    return c->list[c->asked[i]].set;
}

const uint64_t *ht_coverage_all(const struct ht_coverage *c)
{
    return c->all;
}

uint32_t ht_coverage_renewed(const struct ht_coverage *c)
{
    return c->renewed;
}

/* Where a key stands in the table, or the empty place where it would. */
static size_t place_of(const struct ht_coverage *c, uint32_t unit, uint32_t limit_ms)
{
    uint64_t hash = ((uint64_t)unit << 32 | limit_ms) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 32) & (c->table_size - 1);
    while (c->table[at] != 0 && (c->list[c->table[at] - 1].unit != unit ||
                                 c->list[c->table[at] - 1].limit_ms != limit_ms)) {
        at = (at + 1) & (c->table_size - 1);
    }
    return at;
}

/* A table of twice as many places as there may be keys. */
static enum ht_status table_reserve(struct ht_coverage *c, size_t keys)
{
    size_t size = c->table_size == 0 ? 64 : c->table_size;
    while (size < keys * 2) {
        size *= 2;
    }
    if (size == c->table_size) {
        return HT_OK;
    }
    uint32_t *table = ht_array_new_zeroed(size, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    free(c->table);
    c->table = table;
    c->table_size = size;
    for (uint32_t i = 0; i < c->count; i++) {
        c->table[place_of(c, c->list[i].unit, c->list[i].limit_ms)] = i + 1;
    }
    return HT_OK;
}

/* Room for what is asked; sets of others go when there are too many, or of another size. */
static enum ht_status reserve(struct ht_coverage *c, const struct ht_coverage_ask *ask)
{
    size_t words = ht_reach_words(ask->place_count);
    size_t most = (size_t)ask->unit_count * SPARE;
    most = most < KEPT_MOST ? KEPT_MOST : most;
    if (words != c->words || c->count + (size_t)ask->unit_count > most) {
        forget_all(c);
        c->words = words;
    }
    void *asked = c->asked;
    void *all = c->all;
    void *list = c->list;
    enum ht_status status =
        ht_array_reserve(&asked, &c->asked_capacity, ask->unit_count + (size_t)1, sizeof *c->asked);
    c->asked = asked;
    if (status == HT_OK) {
        status = ht_array_reserve(&all, &c->all_capacity, words + 1, sizeof *c->all);
        c->all = all;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&list, &c->capacity, c->count + (size_t)ask->unit_count,
                                  sizeof *c->list);
        c->list = list;
    }
    return status == HT_OK ? table_reserve(c, c->count + (size_t)ask->unit_count) : status;
}

/* The number of a unit's set in the list, made where there is none. */
static enum ht_status kept_get(struct ht_coverage *c, uint32_t unit, uint32_t limit_ms,
                               uint32_t *out)
{
    size_t at = place_of(c, unit, limit_ms);
    if (c->table[at] == 0) {
        uint64_t *set = ht_array_new_zeroed(c->words, sizeof *set);
        if (set == NULL) {
            return HT_NOMEM;
        }
        c->list[c->count] = (struct kept){.unit = unit, .limit_ms = limit_ms, .set = set};
        c->table[at] = ++c->count;
    }
    *out = c->table[at] - 1;
    return HT_OK;
}

static bool holds(const struct kept *kept, const struct ht_coverage_ask *ask,
                  const struct ht_coverage_unit *unit)
{
    bool same = kept->found && kept->scene == ask->scene && kept->profile == unit->profile;
    for (int s = 0; s < 2; s++) {
        same = same && kept->arc[s] == unit->place.side[s].arc &&
               (kept->arc[s] == HT_NONE || kept->before_mm[s] == unit->place.side[s].before_mm);
    }
    return same;
}

static void note(struct kept *kept, const struct ht_coverage_ask *ask,
                 const struct ht_coverage_unit *unit)
{
    kept->found = true;
    kept->scene = ask->scene;
    kept->profile = unit->profile;
    for (int s = 0; s < 2; s++) {
        kept->arc[s] = unit->place.side[s].arc;
        kept->before_mm[s] = unit->place.side[s].before_mm;
    }
}

/* --- a run ------------------------------------------------------------------------------------ */

/* A profile's road and the places on it; NULL: nobody of it reaches anything. */
struct streets {
    bool known;
    const struct ht_road *road;
    const struct ht_reach_targets *targets;
};

static enum ht_status streets_find(const struct ht_coverage_ask *ask, uint32_t profile,
                                   struct streets *out)
{
    enum ht_status status = HT_OK;
    if (profile < ask->profile_count) {
        *out = (struct streets){true, ask->roads[profile], ask->targets[profile]};
    } else if (!out->known) {
        status = ask->lend(ask->user, profile, &out->road, &out->targets);
        out->known = status == HT_OK;
    }
    if (status == HT_OK && out->targets != NULL &&
        ht_reach_targets_count(out->targets) != ask->place_count) {
        status = HT_INVALID;
    }
    return status;
}

static enum ht_status batch_run(struct ht_coverage *c, const struct ht_coverage_ask *ask,
                                const struct streets *streets, uint32_t count)
{
    const struct ht_reach_ask reach = {.road = streets->road,
                                       .targets = streets->targets,
                                       .sources = c->sources,
                                       .source_count = count,
                                       .limit_ms = ask->limit_ms,
                                       .after_ms = ask->after_ms};
    for (uint32_t i = 0; i < count; i++) {
        c->list[c->asked[c->numbers[i]]].found = false; /* until all went well */
    }
    enum ht_status status = ht_reach_run(c->reach, &reach, c->sets);
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        note(&c->list[c->asked[c->numbers[i]]], ask, &ask->units[c->numbers[i]]);
    }
    c->renewed += count;
    return status;
}

/* Renews the sets of one profile's units that don't hold any more. */
static enum ht_status profile_run(struct ht_coverage *c, const struct ht_coverage_ask *ask,
                                  uint32_t profile)
{
    enum ht_status status = HT_OK;
    struct streets streets = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < ask->unit_count && status == HT_OK; i++) {
        const struct ht_coverage_unit *unit = &ask->units[i];
        struct kept *kept = &c->list[c->asked[i]];
        if (unit->profile != profile || holds(kept, ask, unit)) {
            continue;
        }
        status = streets_find(ask, profile, &streets);
        if (status != HT_OK) {
            break;
        }
        if (streets.targets == NULL || streets.road == NULL) {
            memset(kept->set, 0, c->words * sizeof *kept->set);
            note(kept, ask, unit);
            continue;
        }
        c->sources[count] = unit->place;
        ht_place_refresh(streets.road->graph, &c->sources[count]);
        c->sets[count] = kept->set;
        c->numbers[count++] = i;
        if (count == BATCH) {
            status = batch_run(c, ask, &streets, count);
            count = 0;
        }
    }
    return status == HT_OK && count > 0 ? batch_run(c, ask, &streets, count) : status;
}

enum ht_status ht_coverage_run(struct ht_coverage *c, const struct ht_coverage_ask *ask)
{
    uint32_t profiles = ask->profile_count + (ask->lend == NULL ? 0 : ask->lent_count);
    c->renewed = 0;
    if (ask->limit_ms > HT_COVERAGE_MOST_MS) {
        return HT_RANGE;
    }
    for (uint32_t p = 0; p < ask->profile_count; p++) {
        if (ask->targets[p] != NULL &&
            ht_reach_targets_count(ask->targets[p]) != ask->place_count) {
            return HT_INVALID;
        }
    }
    enum ht_status status = reserve(c, ask);
    for (uint32_t i = 0; i < ask->unit_count && status == HT_OK; i++) {
        status = ask->units[i].profile < profiles
                     ? kept_get(c, ask->units[i].unit, ask->limit_ms, &c->asked[i])
                     : HT_RANGE;
    }
    for (uint32_t p = 0; p < profiles && status == HT_OK; p++) {
        status = profile_run(c, ask, p);
    }
    if (status != HT_OK) {
        return status;
    }
    memset(c->all, 0, c->words * sizeof *c->all);
    for (uint32_t i = 0; i < ask->unit_count; i++) {
        const uint64_t *set = ht_coverage_set(c, i);
        for (size_t w = 0; w < c->words; w++) {
            c->all[w] |= set[w];
        }
    }
    return HT_OK;
}
