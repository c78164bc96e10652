#include "bench/tracks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ht_track_deinit(struct ht_track *track)
{
    free(track->pieces);
    *track = (struct ht_track){0};
}

static void add_piece(struct ht_track *track, uint32_t arc, uint32_t length_mm)
{
    void *pieces = track->pieces;
    if (ht_array_reserve(&pieces, &track->capacity, track->count + 1, sizeof *track->pieces) !=
        HT_OK) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    track->pieces = pieces;
    track->pieces[track->count++] = (struct ht_track_piece){arc, length_mm};
}

void ht_track_add(struct ht_track *track, const struct ht_graph *graph,
                  const struct ht_route_found *route, const struct ht_match_spot *spots)
{
    for (uint32_t i = 0; i < route->leg_count; i++) {
        const struct ht_leg *leg = &route->legs[i];
        const struct ht_place_side *from = &spots[leg->source].place.side[leg->source_side];
        const struct ht_place_side *to = &spots[leg->target].place.side[leg->target_side];
        for (uint32_t k = 0; k < leg->arc_count; k++) {
            uint32_t arc = route->arcs[leg->first_arc + k];
            uint32_t begin = k == 0 ? from->before_mm : 0;
            uint32_t end = k + 1 == leg->arc_count ? to->before_mm : graph->arcs[arc].length_mm;
            if (end > begin) {
                add_piece(track, ht_arc_base(graph, arc), end - begin);
            }
        }
    }
}

static int by_arc(const void *a, const void *b)
{
    const struct ht_track_piece *x = a;
    const struct ht_track_piece *y = b;
    return x->arc != y->arc ? (x->arc < y->arc ? -1 : 1) : 0;
}

/* Pieces by arc, the lengths of each added up. */
static struct ht_track summed(const struct ht_track *track)
{
    struct ht_track sum = {0};
    struct ht_track_piece *sorted = malloc((track->count + 1) * sizeof *sorted);
    if (sorted == NULL) {
        exit(1);
    }
    if (track->count > 0) {
        memcpy(sorted, track->pieces, track->count * sizeof *sorted);
        qsort(sorted, track->count, sizeof *sorted, by_arc);
    }
    for (size_t i = 0; i < track->count; i++) {
        if (sum.count > 0 && sum.pieces[sum.count - 1].arc == sorted[i].arc) {
            sum.pieces[sum.count - 1].length_mm += sorted[i].length_mm;
        } else {
            add_piece(&sum, sorted[i].arc, sorted[i].length_mm);
        }
    }
    free(sorted);
    return sum;
}

struct ht_track_score ht_track_compare(const struct ht_track *driven,
                                       const struct ht_track *matched)
{
    struct ht_track a = summed(driven);
    struct ht_track b = summed(matched);
    struct ht_track_score score = {0};
    size_t k = 0;
    for (size_t i = 0; i < a.count; i++) {
        score.driven_mm += a.pieces[i].length_mm;
        while (k < b.count && b.pieces[k].arc < a.pieces[i].arc) {
            score.wrong_mm += b.pieces[k++].length_mm;
        }
        if (k < b.count && b.pieces[k].arc == a.pieces[i].arc) {
            uint32_t x = a.pieces[i].length_mm;
            uint32_t y = b.pieces[k++].length_mm;
            score.right_mm += x < y ? x : y;
            score.wrong_mm += y > x ? y - x : 0;
        }
    }
    for (; k < b.count; k++) {
        score.wrong_mm += b.pieces[k].length_mm;
    }
    ht_track_deinit(&a);
    ht_track_deinit(&b);
    return score;
}

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double uniform(uint64_t *seed)
{
    return ((double)(next_random(seed) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *seed)
{
    return sqrt(-2.0 * log(uniform(seed))) * cos(6.283185307179586 * uniform(seed));
}

/* A street that a trip may begin at, near a random node. */
static enum ht_status random_place(const struct ht_road *road, struct ht_snap_work *snap,
                                   uint64_t *seed, struct ht_place *out)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place found[2];
    uint32_t count = 0;
    uint32_t node = (uint32_t)(next_random(seed) % road->network->node_count);
    enum ht_status status =
        ht_snap_trip(road->snap, snap, road->network->node_point[node], &options, found, &count);
    *out = found[count > 1 ? 1 : 0];
    return status;
}

static struct ht_moment moment_of(const struct ht_graph *graph, uint32_t arc, uint32_t from_mm,
                                  uint32_t to_mm, double time_s)
{
    double ms = ht_arc_cost(graph, arc, from_mm, to_mm).duration_ms;
    return (struct ht_moment){time_s, time_s + ms / 1000.0, arc, from_mm, to_mm};
}

static enum ht_status lay_out(const struct ht_graph *graph, const struct ht_place *from,
                              const struct ht_place *to, const struct ht_way_found *way,
                              struct ht_drive *out)
{
    out->moments = calloc(2 * (size_t)way->arc_count, sizeof *out->moments);
    if (out->moments == NULL) {
        return HT_NOMEM;
    }
    double time_s = 0;
    for (uint32_t i = 0; i < way->arc_count; i++) {
        uint32_t arc = way->arcs[i];
        uint32_t begin = i == 0 ? from->side[way->source_side].before_mm : 0;
        uint32_t end = i + 1 == way->arc_count ? to->side[way->target_side].before_mm
                                               : graph->arcs[arc].length_mm;
        struct ht_moment moment = moment_of(graph, arc, begin, end, time_s);
        out->moments[out->moment_count++] = moment;
        time_s = moment.until_s;
        add_piece(&out->track, ht_arc_base(graph, arc), end - begin);
        if (i + 1 < way->arc_count) { /* the turn takes its time where the arc ends */
            struct ht_turn turn = ht_graph_turn_between(graph, arc, way->arcs[i + 1]);
            double wait_s = turn.duration_ms / 1000.0;
            out->moments[out->moment_count++] =
                (struct ht_moment){time_s, time_s + wait_s, arc, end, end};
            time_s += wait_s;
        }
    }
    return HT_OK;
}

enum ht_status ht_drive_make(const struct ht_road *road, struct ht_query *query,
                             struct ht_snap_work *snap, uint64_t *seed, struct ht_drive *out)
{
    struct ht_place from;
    struct ht_place to;
    struct ht_way_found way;
    *out = (struct ht_drive){0};
    enum ht_status status = random_place(road, snap, seed, &from);
    status = status == HT_OK ? random_place(road, snap, seed, &to) : status;
    if (status == HT_OK && ht_distance_m(from.point, to.point) > 12000) {
        return HT_NO_ROUTE;
    }
    if (status == HT_OK) {
        status = ht_query_path(query, road, &from, HT_SIDES_BOTH, &to, HT_SIDES_BOTH, &way);
    }
    if (status == HT_OK && (way.cost.length_mm < 2000000 || way.cost.length_mm > 15000000)) {
        return HT_NO_ROUTE;
    }
    if (status == HT_OK) {
        status = lay_out(road->graph, &from, &to, &way, out);
    }
    if (status != HT_OK) {
        ht_drive_deinit(out);
    }
    return status;
}

void ht_drive_deinit(struct ht_drive *drive)
{
    ht_track_deinit(&drive->track);
    free(drive->moments);
    *drive = (struct ht_drive){0};
}

static struct ht_point point_at(const struct ht_road *road, uint32_t arc, uint32_t at_mm)
{
    const struct ht_arc *a = &road->graph->arcs[arc];
    uint32_t count = ht_arc_point_count(a);
    uint32_t passed = 0;
    for (uint32_t i = 0; i + 1 < count; i++) {
        struct ht_point u = ht_arc_point(road->network, a, i);
        struct ht_point v = ht_arc_point(road->network, a, i + 1);
        uint32_t length = ht_distance_mm(u, v);
        if (passed + length >= at_mm && length > 0) {
            return ht_point_between(u, v, (double)(at_mm - passed) / length);
        }
        passed += length;
    }
    return ht_arc_point(road->network, a, count - 1);
}

static struct ht_point noisy(struct ht_point point, double sigma_m, uint64_t *seed)
{
    struct ht_scale scale = ht_scale_at(point.lat_e7);
    double east_m = sigma_m * normal(seed);
    double north_m = sigma_m * normal(seed);
    return (struct ht_point){point.lon_e7 + (int32_t)(east_m / scale.lon_m * 1e7),
                             point.lat_e7 + (int32_t)(north_m / scale.lat_m * 1e7)};
}

enum ht_status ht_trace_make(const struct ht_road *road, const struct ht_drive *drive,
                             double every_s, double sigma_m, uint64_t *seed, struct ht_trace *out)
{
    double until_s = drive->moments[drive->moment_count - 1].until_s;
    uint32_t count = (uint32_t)(until_s / every_s) + 1;
    struct ht_match_fix *fixes = calloc((size_t)count + 1, sizeof *fixes);
    if (fixes == NULL) {
        return HT_NOMEM;
    }
    size_t m = 0;
    for (uint32_t i = 0; i <= count; i++) { /* the last one is where the drive ends */
        double time_s = i < count ? every_s * i : until_s;
        while (m + 1 < drive->moment_count && drive->moments[m].until_s < time_s) {
            m++;
        }
        const struct ht_moment *at = &drive->moments[m];
        double span_s = at->until_s - at->time_s;
        double share = span_s > 0 ? (time_s - at->time_s) / span_s : 1.0;
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        uint32_t mm = at->from_mm + (uint32_t)(share * (double)(at->to_mm - at->from_mm));
        fixes[i] = (struct ht_match_fix){
            .point = noisy(point_at(road, at->arc, mm), sigma_m, seed),
            .time_ms = (int64_t)(time_s * 1000.0),
            .sigma_m = sigma_m,
            .snap = ht_snap_options_default(),
        };
    }
    *out = (struct ht_trace){fixes, count + 1};
    return HT_OK;
}

enum ht_status ht_trace_thin(const struct ht_trace *from, uint32_t every, struct ht_trace *out)
{
    struct ht_match_fix *fixes = calloc((size_t)from->count / every + 2, sizeof *fixes);
    if (fixes == NULL) {
        return HT_NOMEM;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < from->count; i += every) {
        fixes[count++] = from->fixes[i];
    }
    if ((from->count - 1) % every != 0) {
        fixes[count++] = from->fixes[from->count - 1];
    }
    *out = (struct ht_trace){fixes, count};
    return HT_OK;
}

void ht_trace_deinit(struct ht_trace *trace)
{
    free(trace->fixes);
    *trace = (struct ht_trace){0};
}
