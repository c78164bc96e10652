#include "engine/live/learn.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    LAG = 4,
    TIMES = 32, /* of fixes that may yet be settled: more than the stream has columns */
    GAP_MS = 120 * 1000,
    STAND_MM = 25 * 1000,
    STAND_MOST_MS = 60 * 1000,
    TRIP_MOST_MS = 5 * 60 * 1000,
    IDLE_MS = 10 * 60 * 1000,
    ARC_LEAST_MS = 2000,
    AREA_E7 = 100000, /* a hundredth of a degree */
    MEMORY = 4096,    /* of what areas know, while costs are made; a power of two */
};

#define DAY_MS INT64_C(86400000)
#define SIGMA_MIN_M 8.0
#define SIGMA_MAX_M 50.0
#define SIGMA_FIRST_M 10.0

/* A drive over one arc, under way. */
struct under_way {
    uint32_t arc; /* a base arc; HT_NONE: none */
    uint32_t length_mm;
    uint64_t driven_mm;
    double driven_ms;
    double filed_ms;
    bool stood; /* for too long */
    int64_t local_ms;
};

struct unit {
    uint32_t number; /* HT_NONE: free */
    uint32_t generation;
    struct ht_match_stream *stream;
    uint32_t fixes; /* pushed since the stream was new, as it counts them */
    int64_t times[TIMES];
    int64_t local_off_ms; /* local time less UTC */
    int64_t last_ms;
    bool has_spot;
    struct ht_match_spot spot; /* the last that was settled */
    int64_t spot_ms;
    int64_t standing_ms;  /* that the last stretch took so far */
    uint64_t standing_mm; /* and how long it is */
    struct under_way way;
    uint32_t trip;
};

struct ht_learn {
    struct ht_match *match;
    struct unit *units;
    uint32_t unit_count; /* that were ever used */
    uint32_t units_most;
    uint32_t trips;
    uint64_t drives;
};

enum ht_status ht_learn_new(uint32_t units_most, struct ht_learn **out)
{
    struct ht_learn *learn = calloc(1, sizeof *learn);
    if (learn == NULL) {
        return HT_NOMEM;
    }
    learn->units_most = units_most;
    learn->units = ht_array_new_zeroed(units_most, sizeof *learn->units);
    enum ht_status status = learn->units == NULL ? HT_NOMEM : ht_match_new(&learn->match);
    if (status != HT_OK) {
        ht_learn_free(learn);
        return status;
    }
    *out = learn;
    return HT_OK;
}

void ht_learn_reset(struct ht_learn *learn)
{
    for (uint32_t i = 0; i < learn->unit_count; i++) {
        ht_match_stream_free(learn->units[i].stream);
        learn->units[i] = (struct unit){.number = HT_NONE};
    }
    learn->unit_count = 0;
}

void ht_learn_free(struct ht_learn *learn)
{
    if (learn != NULL) {
        if (learn->units != NULL) {
            ht_learn_reset(learn);
        }
        ht_match_free(learn->match);
        free(learn->units);
        free(learn);
    }
}

uint64_t ht_learn_drives(const struct ht_learn *learn)
{
    return learn->drives;
}

/* ---- keys ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value;
    hash *= UINT64_C(0xFF51AFD7ED558CCD); /* the finalizer of MurmurHash3 */
    hash ^= hash >> 33;
    hash *= UINT64_C(0xC4CEB9FE1A85EC53);
    return hash ^ hash >> 33;
}

static uint64_t profile_hash(const char *profile)
{
    uint64_t hash = 1;
    for (const char *at = profile; *at != '\0'; at++) {
        hash = mix(hash, (unsigned char)*at);
    }
    return hash;
}

/* Both ends with the nodes beside them: parallel streets between two junctions differ in these. */
static uint64_t street_key(const struct ht_road *road, uint64_t profile, const struct ht_arc *arc)
{
    uint32_t last = ht_arc_point_count(arc) - 1;
    const uint32_t at[4] = {0, 1, last - 1, last};
    uint64_t hash = mix(profile, 1);
    for (int i = 0; i < 4; i++) {
        uint32_t node = ht_arc_node(road->network, arc, at[i]);
        hash = mix(hash, (uint64_t)road->network->node_osm_id[node]);
    }
    return hash;
}

static struct ht_speeds_keys keys_of(const struct ht_road *road, uint64_t profile, uint32_t number)
{
    const struct ht_arc *arc = &road->graph->arcs[number];
    uint64_t kind = mix(mix(profile, 2), road->network->ways[arc->way].road_class);
    struct ht_point point = ht_arc_point(road->network, arc, 0);
    uint64_t east = (uint64_t)(((int64_t)point.lon_e7 + HT_LON_MAX_E7) / AREA_E7);
    uint64_t north = (uint64_t)(((int64_t)point.lat_e7 + HT_LAT_MAX_E7) / AREA_E7);
    return (struct ht_speeds_keys){.street = street_key(road, profile, arc),
                                   .area = mix(mix(mix(kind, 3), east), north),
                                   .kind = kind};
}

struct ht_speeds_keys ht_learn_keys(const struct ht_road *road, uint32_t arc)
{
    return keys_of(road, profile_hash(road->graph->profile), arc);
}

/* ---- drives ---- */

/* The arc is left, or the trip is over. */
static enum ht_status way_end(struct ht_learn *learn, const struct ht_road *road, struct unit *unit,
                              struct ht_speeds *speeds)
{
    const struct under_way way = unit->way;
    unit->way = (struct under_way){.arc = HT_NONE};
    if (way.arc == HT_NONE || way.stood || way.driven_mm * 2 < way.length_mm ||
        way.filed_ms < ARC_LEAST_MS) {
        return HT_OK;
    }
    double ratio = way.driven_ms / way.filed_ms;
    if (ratio < HT_SPEEDS_RATIO_MIN || ratio > HT_SPEEDS_RATIO_MAX) {
        return HT_OK; /* no speed of a street */
    }
    struct ht_speeds_keys keys = ht_learn_keys(road, way.arc);
    const struct ht_speeds_drive drive = {.quarter = ht_speeds_quarter(way.local_ms),
                                          .day = (uint32_t)(way.local_ms / DAY_MS),
                                          .trip = unit->trip,
                                          .ratio = ratio};
    enum ht_status status = ht_speeds_take(speeds, &keys, &drive);
    learn->drives += status == HT_OK;
    return status == HT_RANGE ? HT_OK : status;
}

static void trip_begin(struct ht_learn *learn, struct unit *unit)
{
    unit->trip = ++learn->trips;
    unit->way = (struct under_way){.arc = HT_NONE};
    unit->standing_ms = 0;
    unit->standing_mm = 0;
}

/* What was driven of an arc between two spots. */
struct part {
    uint32_t arc;
    uint32_t driven_mm;
    double filed_ms;
};

/* The part of arc `i` of the way from one spot to the next. */
static struct part part_of(const struct ht_graph *graph, const uint32_t *arcs, uint32_t count,
                           uint32_t i, const uint32_t ends_mm[2])
{
    uint32_t length = graph->arcs[arcs[i]].length_mm;
    uint32_t from = i == 0 ? ends_mm[0] : 0;
    uint32_t to = i + 1 == count ? ends_mm[1] : length;
    to = to > length ? length : to;
    uint32_t driven = to > from ? to - from : 0;
    return (struct part){ht_arc_base(graph, arcs[i]), driven,
                         length == 0 ? 0
                                     : (double)graph->arcs[arcs[i]].duration_ms * driven / length};
}

/* Where a place lies on an arc of the way, by the side that was driven. */
static uint32_t place_mm(const struct ht_graph *graph, const struct ht_match_spot *spot,
                         unsigned side, uint32_t arc)
{
    const struct ht_place_side *own = &spot->place.side[side];
    const struct ht_place_side *other = &spot->place.side[1 - side];
    uint32_t base = ht_arc_base(graph, arc);
    if (own->arc != HT_NONE && ht_arc_base(graph, own->arc) == base) {
        return own->before_mm;
    }
    return other->arc != HT_NONE && ht_arc_base(graph, other->arc) == base ? other->before_mm : 0;
}

/* Whoever needs longer than a minute for a stretch has stopped there. */
static void stretch(struct unit *unit, uint64_t driven_mm, int64_t time_ms)
{
    unit->standing_mm += driven_mm;
    unit->standing_ms += time_ms;
    unit->way.stood = unit->way.stood || unit->standing_ms > STAND_MOST_MS;
    if (unit->standing_mm >= STAND_MM) {
        unit->standing_mm = 0;
        unit->standing_ms = 0;
    }
}

/* Time goes to the parts by the file's times. */
static enum ht_status parts_take(struct ht_learn *learn, const struct ht_road *road,
                                 struct unit *unit, const struct part *part, double ratio,
                                 struct ht_speeds *speeds)
{
    enum ht_status status = HT_OK;
    if (unit->way.arc != part->arc) {
        status = way_end(learn, road, unit, speeds);
        unit->way = (struct under_way){.arc = part->arc,
                                       .length_mm = road->graph->arcs[part->arc].length_mm,
                                       .local_ms = unit->spot_ms + unit->local_off_ms};
    }
    unit->way.driven_mm += part->driven_mm;
    unit->way.filed_ms += part->filed_ms;
    unit->way.driven_ms += part->filed_ms * ratio;
    return status;
}

/* From the last spot to this one. */
static enum ht_status hop(struct ht_learn *learn, const struct ht_road *road, struct unit *unit,
                          const struct ht_match_spot *spot, int64_t time_ms,
                          struct ht_speeds *speeds)
{
    const struct ht_graph *graph = road->graph;
    const uint32_t *arcs = NULL;
    uint32_t count = 0;
    enum ht_status status = ht_match_arcs(learn->match, road, &unit->spot, spot, &arcs, &count);
    if (status != HT_OK || count == 0) {
        trip_begin(learn, unit);
        return status == HT_NOMEM ? status : HT_OK;
    }
    const uint32_t ends_mm[2] = {place_mm(graph, &unit->spot, spot->from_side, arcs[0]),
                                 place_mm(graph, spot, spot->side, arcs[count - 1])};
    uint64_t driven_mm = 0;
    double filed_ms = 0;
    double turns_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct part part = part_of(graph, arcs, count, i, ends_mm);
        driven_mm += part.driven_mm;
        filed_ms += part.filed_ms;
        turns_ms += i == 0 ? 0 : ht_graph_turn_between(graph, arcs[i - 1], arcs[i]).duration_ms;
    }
    stretch(unit, driven_mm, time_ms);
    if (filed_ms <= 0) {
        unit->way.driven_ms += (double)time_ms;
        return HT_OK;
    }
    double left_ms = (double)time_ms - turns_ms;
    left_ms = left_ms < (double)time_ms / 4 ? (double)time_ms / 4 : left_ms;
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        struct part part = part_of(graph, arcs, count, i, ends_mm);
        status = parts_take(learn, road, unit, &part, left_ms / filed_ms, speeds);
    }
    return status;
}

static enum ht_status spot_take(struct ht_learn *learn, const struct ht_road *road,
                                struct unit *unit, const struct ht_match_spot *spot,
                                struct ht_speeds *speeds)
{
    int64_t at_ms = unit->times[spot->fix % TIMES];
    int64_t time_ms = at_ms - unit->spot_ms;
    enum ht_status status = HT_OK;
    if (!unit->has_spot || spot->step == HT_MATCH_BEGIN || time_ms > GAP_MS ||
        unit->standing_ms > TRIP_MOST_MS) {
        trip_begin(learn, unit);
    } else if (time_ms > 0) {
        status = hop(learn, road, unit, spot, time_ms, speeds);
    }
    unit->has_spot = true;
    unit->spot = *spot;
    unit->spot_ms = at_ms;
    return status;
}

/* ---- units ---- */

static enum ht_status unit_begin(struct unit *unit, const struct ht_learn_fix *fix)
{
    struct ht_match_options options = ht_match_options_default();
    options.gap_ms = GAP_MS;
    ht_match_stream_free(unit->stream);
    *unit = (struct unit){.number = HT_NONE, .last_ms = INT64_MIN, .way = {.arc = HT_NONE}};
    enum ht_status status = ht_match_stream_new(&options, LAG, &unit->stream);
    if (status == HT_OK) {
        unit->number = fix->unit;
        unit->generation = fix->generation;
    }
    return status;
}

/* The unit's place; NULL: there is none. A new one has a stream yet to be made. */
static struct unit *unit_find(struct ht_learn *learn, const struct ht_learn_fix *fix)
{
    struct unit *place = NULL;
    for (uint32_t i = 0; i < learn->unit_count; i++) {
        struct unit *unit = &learn->units[i];
        if (unit->number == fix->unit) {
            return unit;
        }
        if (unit->number == HT_NONE || unit->last_ms + IDLE_MS < fix->ts_ms) {
            place = place == NULL || unit->last_ms < place->last_ms ? unit : place;
        }
    }
    if (place == NULL && learn->unit_count < learn->units_most) {
        place = &learn->units[learn->unit_count++];
        *place = (struct unit){.number = HT_NONE};
    }
    return place;
}

static double sigma_of(const struct ht_learn_fix *fix)
{
    if (!(fix->accuracy_m >= 0)) {
        return SIGMA_FIRST_M;
    }
    return fix->accuracy_m < SIGMA_MIN_M   ? SIGMA_MIN_M
           : fix->accuracy_m > SIGMA_MAX_M ? SIGMA_MAX_M
                                           : fix->accuracy_m;
}

static enum ht_status push(struct ht_learn *learn, const struct ht_road *road, struct unit *unit,
                           const struct ht_learn_fix *fix, struct ht_speeds *speeds)
{
    struct ht_match_settled settled = {0};
    const struct ht_match_fix at = {.point = fix->point,
                                    .time_ms = fix->ts_ms,
                                    .sigma_m = sigma_of(fix),
                                    .snap = ht_snap_options_default()};
    unit->times[unit->fixes % TIMES] = fix->ts_ms;
    unit->local_off_ms = fix->local_ms - fix->ts_ms;
    unit->last_ms = fix->ts_ms;
    enum ht_status status = ht_match_stream_push(unit->stream, learn->match, road, &at, &settled);
    unit->fixes += status == HT_OK;
    for (uint32_t i = 0; i < settled.count && status == HT_OK; i++) {
        status = spot_take(learn, road, unit, &settled.spots[i], speeds);
    }
    return status;
}

enum ht_status ht_learn_take(struct ht_learn *learn, const struct ht_road *road,
                             const struct ht_learn_fix *fix, struct ht_speeds *speeds,
                             enum ht_learn_outcome *outcome)
{
    struct unit *unit = unit_find(learn, fix);
    enum ht_status status = HT_OK;
    *outcome = HT_LEARN_FULL;
    if (unit == NULL) {
        return HT_OK;
    }
    if (unit->number != fix->unit || unit->generation != fix->generation) {
        status = unit_begin(unit, fix);
    }
    *outcome = HT_LEARN_SOONER;
    if (status == HT_OK && fix->ts_ms > unit->last_ms) {
        *outcome = HT_LEARN_TAKEN;
        status = push(learn, road, unit, fix, speeds);
    }
    if (status != HT_OK) { /* it begins anew with the next fix */
        *outcome = HT_LEARN_LOST;
        unit->number = HT_NONE;
    }
    return status == HT_NOMEM ? status : HT_OK;
}

/* ---- costs ---- */

/* What areas and kinds know, each asked once. */
struct memory {
    uint64_t key[MEMORY];
    struct ht_speeds_found found[MEMORY];
};

static struct ht_speeds_found find_wide(const struct ht_speeds *speeds, struct memory *memory,
                                        uint64_t key, uint32_t quarter, uint32_t least)
{
    size_t at = key & (MEMORY - 1);
    if (memory == NULL) {
        return ht_speeds_find_key(speeds, key, quarter, least);
    }
    if (memory->key[at] != key) {
        memory->key[at] = key;
        memory->found[at] = ht_speeds_find_key(speeds, key, quarter, least);
    }
    return memory->found[at];
}

static struct ht_speeds_found find(const struct ht_speeds *speeds, struct memory *memory,
                                   const struct ht_speeds_keys *keys, uint32_t quarter,
                                   uint32_t least)
{
    struct ht_speeds_found found = ht_speeds_find_key(speeds, keys->street, quarter, least);
    uint32_t wide = (least < HT_SPEEDS_LEAST ? HT_SPEEDS_LEAST : least) * HT_SPEEDS_AREA_TIMES;
    if (found.source != HT_SPEEDS_NONE) {
        return found;
    }
    found = find_wide(speeds, memory, keys->area, quarter, wide);
    if (found.source != HT_SPEEDS_NONE) {
        found.source = HT_SPEEDS_AREA;
        return found;
    }
    found = find_wide(speeds, memory, keys->kind, quarter, wide);
    found.source = found.source == HT_SPEEDS_NONE ? HT_SPEEDS_NONE : HT_SPEEDS_KIND;
    return found;
}

static uint32_t scaled(uint32_t cost, double ratio)
{
    double value = (double)cost * ratio + 0.5;
    return value < HT_WEIGHT_INF ? (uint32_t)value : HT_WEIGHT_INF - 1;
}

static void arc_scale(struct ht_arc *arc, double ratio)
{
    if (arc->weight_ms < HT_WEIGHT_INF) {
        arc->weight_ms = scaled(arc->weight_ms, ratio);
        arc->duration_ms = scaled(arc->duration_ms, ratio);
    }
}

struct ht_learned ht_learn_costs(const struct ht_speeds *speeds, const struct ht_road *road,
                                 uint32_t quarter, uint32_t least, struct ht_arc *arcs)
{
    const struct ht_graph *graph = road->graph;
    struct ht_learned learned = {.ratio = 1};
    struct memory *memory = calloc(1, sizeof *memory); /* NULL: slower */
    uint64_t profile = profile_hash(graph->profile);
    double filed_ms = 0;
    double now_ms = 0;
    for (uint32_t i = 0; i < graph->base_arc_count; i++) {
        struct ht_speeds_keys keys = keys_of(road, profile, i);
        struct ht_speeds_found found = find(speeds, memory, &keys, quarter, least);
        learned.by[found.source]++;
        filed_ms += arcs[i].duration_ms;
        if (found.source != HT_SPEEDS_NONE) {
            const uint32_t *copies = NULL;
            uint32_t count = ht_graph_copies(graph, i, &copies);
            arc_scale(&arcs[i], found.ratio);
            for (uint32_t c = 0; c < count; c++) {
                arc_scale(&arcs[copies[c]], found.ratio);
            }
        }
        now_ms += arcs[i].duration_ms;
    }
    free(memory);
    learned.ratio = filed_ms > 0 ? now_ms / filed_ms : 1;
    return learned;
}
