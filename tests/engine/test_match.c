/* Map matching: against a brute-force Viterbi with plain Dijkstra, on random towns; and by hand. */
#include "engine/road/match.h"

#include <math.h>

#include "engine/road/dijkstra.h"
#include "engine/road/match_internal.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"
#include "tests/support/tiny.h"

enum { FIXES = 40, STATES = 2 * HT_MATCH_PLACES };

/* The oracle's own idea of a state. */
struct guess {
    struct ht_place place;
    unsigned sides;
    double emission;
    double value;
};

struct oracle {
    const struct ht_network *network;
    struct ht_graph graph; /* weights are lengths */
    struct ht_arc *arcs;
    struct ht_turn *turns;
    struct ht_snap_index *snap;
    struct ht_snap_work *work;
    struct ht_dijkstra *dijkstra;
    struct ht_road road;
    struct guess guesses[FIXES][STATES];
    uint32_t count[FIXES];
};

static void oracle_init(struct oracle *o, struct ht_random_town *town)
{
    const struct ht_graph *g = &town->graph;
    memset(o, 0, sizeof *o);
    for (uint32_t a = 0; a < g->arc_count; a++) { /* no street is shorter than its straight line */
        struct ht_arc *arc = &town->arcs[a];
        arc->length_mm = ht_distance_mm(town->points[arc->tail], town->points[arc->head]);
    }
    o->network = &town->network;
    o->graph = *g;
    o->arcs = ht_town_alloc(g->arc_count, sizeof *o->arcs);
    o->turns = ht_town_alloc(g->turn_count, sizeof *o->turns);
    for (uint32_t a = 0; a < g->arc_count; a++) {
        o->arcs[a] = g->arcs[a];
        o->arcs[a].weight_ms = g->arcs[a].length_mm;
    }
    for (uint32_t t = 0; t < g->turn_count; t++) {
        o->turns[t] = g->turns[t];
        o->turns[t].weight_ms = 0;
    }
    o->graph.arcs = o->arcs;
    o->graph.turns = o->turns;
    if (ht_snap_build(&town->network, g, NULL, &o->snap) != HT_OK ||
        ht_snap_work_new(&o->work) != HT_OK || ht_dijkstra_new(&o->graph, &o->dijkstra) != HT_OK) {
        abort();
    }
    o->road = (struct ht_road){.network = &town->network, .graph = g, .snap = o->snap};
}

static void oracle_deinit(struct oracle *o)
{
    ht_dijkstra_free(o->dijkstra);
    ht_snap_work_free(o->work);
    ht_snap_index_free(o->snap);
    free(o->arcs);
    free(o->turns);
}

static bool oracle_sharp(const struct ht_match_fix *f, uint32_t i, uint32_t count)
{
    if (i == 0 || i + 1 == count) {
        return false;
    }
    double in_m = ht_distance_m(f[i - 1].point, f[i].point);
    double out_m = ht_distance_m(f[i].point, f[i + 1].point);
    double back = ht_bearing_deg(f[i].point, f[i - 1].point);
    double on = ht_bearing_deg(f[i].point, f[i + 1].point);
    double apart = fabs(back - on);
    return in_m >= 4 * f[i].sigma_m && out_m >= 4 * f[i].sigma_m && (apart <= 45 || apart >= 315);
}

static void oracle_guess(struct oracle *o, const struct ht_match_fix *fix, uint32_t i, bool sharp)
{
    struct ht_place found[HT_MATCH_LOOK];
    struct ht_place kept[HT_MATCH_PLACES];
    uint32_t count = 0;
    uint32_t places = 0;
    struct ht_snap_options options = fix->snap;
    options.radius_m = 3 * fix->sigma_m;
    options.any_street = true;
    (void)!ht_snap_nearest(o->snap, o->work, fix->point, &options, HT_MATCH_LOOK, found, &count);
    o->count[i] = 0;
    for (uint32_t k = 0; k < count && places < HT_MATCH_PLACES; k++) {
        bool seen = false;
        for (uint32_t p = 0; p < places; p++) {
            seen |= kept[p].side[0].arc == found[k].side[0].arc &&
                    kept[p].side[1].arc == found[k].side[1].arc;
        }
        if (seen) {
            continue;
        }
        kept[places++] = found[k];
        double z = found[k].distance_m / fix->sigma_m;
        double emission = -0.5 * z * z - log(fix->sigma_m) - 0.91893853320467274178;
        unsigned sides = (found[k].side[0].arc != HT_NONE ? 1U : 0U) |
                         (found[k].side[1].arc != HT_NONE ? 2U : 0U);
        for (unsigned s = 1; s <= 3; s++) {
            if ((sharp && sides == 3) ? s == 3 : (s < 3 && (sides & s) != 0)) {
                o->guesses[i][o->count[i]++] =
                    (struct guess){.place = found[k], .sides = s, .emission = emission};
            }
        }
    }
}

static struct ht_place one_side(const struct oracle *o, const struct ht_place *place, unsigned side)
{
    struct ht_place only = *place;
    only.side[side] =
        ht_place_side_at(&o->graph, place->side[side].arc, place->side[side].before_mm);
    only.side[1 - side].arc = HT_NONE;
    return only;
}

struct pair {
    const struct ht_match_fix *from;
    const struct ht_match_fix *to;
    const struct ht_match_options *options;
};

/* The value of one transition, -INFINITY: impossible. */
static double oracle_way(struct oracle *o, const struct guess *s, unsigned side,
                         const struct guess *t, unsigned end, const struct pair *p)
{
    const struct ht_place_side *a = &s->place.side[side];
    const struct ht_place_side *b = &t->place.side[end];
    double beta = p->options->beta_m;
    double line = ht_distance_m(p->from->point, p->to->point);
    bool timed = p->from->time_ms != HT_MATCH_NO_TIME;
    double dt_ms = timed ? (double)(p->to->time_ms - p->from->time_ms) : 0;
    double most = timed ? fmax(dt_ms / 1000.0, 1.0) * p->options->max_speed_mps : 2000.0;
    most += 3.0 * (p->from->sigma_m + p->to->sigma_m);
    double way = 0;
    double way_ms = 0;
    double back_mm = (double)a->before_mm - (double)b->before_mm;
    if (a->arc == b->arc && back_mm > 0 &&
        back_mm <= 2000.0 * (p->from->sigma_m + p->to->sigma_m)) {
        way = -back_mm / 1000.0;
    } else {
        struct ht_place source = one_side(o, &s->place, side);
        struct ht_place target = one_side(o, &t->place, end);
        struct ht_cost cost;
        if (ht_dijkstra_run(o->dijkstra, &source, &target, 1, NULL, &cost) != HT_OK) {
            abort();
        }
        if (cost.weight_ms >= HT_WEIGHT_INF) {
            return -INFINITY;
        }
        way = (double)cost.length_mm / 1000.0;
        way_ms = cost.duration_ms;
    }
    double apart = fabs(way - line);
    double late = timed ? (way_ms - 2.0 * dt_ms) / 1000.0 - 5.0 : 0;
    if (!(apart < most)) {
        return -INFINITY;
    }
    return s->value + t->emission + (-log(beta) - apart / beta - (late > 0 ? late / 5.0 : 0.0));
}

/* Best values of column `i` from column `from`; the best of all. */
static double oracle_step(struct oracle *o, uint32_t from, uint32_t i, const struct pair *p)
{
    double best = -INFINITY;
    for (uint32_t t = 0; t < o->count[i]; t++) {
        struct guess *to = &o->guesses[i][t];
        to->value = -INFINITY;
        for (uint32_t s = 0; s < o->count[from]; s++) {
            const struct guess *source = &o->guesses[from][s];
            for (unsigned k = 0; k < 4 && source->value > -INFINITY; k++) {
                if ((source->sides & 1U << (k & 1U)) != 0 && (to->sides & 1U << (k >> 1U)) != 0) {
                    to->value = fmax(to->value, oracle_way(o, source, k & 1U, to, k >> 1U, p));
                }
            }
        }
        best = fmax(best, to->value);
    }
    return best;
}

static double oracle_prune(struct oracle *o, uint32_t i)
{
    double best = -INFINITY;
    for (uint32_t s = 0; s < o->count[i]; s++) {
        best = fmax(best, o->guesses[i][s].value);
    }
    for (uint32_t s = 0; s < o->count[i]; s++) {
        if (o->guesses[i][s].value < best - HT_MATCH_BEAM) {
            o->guesses[i][s].value = -INFINITY;
        }
    }
    return best;
}

/* The likelihood of the whole trace; NAN where it breaks twice in a row, or so early that nothing
 * can be said. `used`: fixes that took part. */
static double oracle_run(struct oracle *o, const struct ht_match_options *options,
                         const struct ht_match_fix *fixes, uint32_t count, uint32_t *used)
{
    uint32_t last = HT_NONE;
    uint32_t misses = 0;
    double best = NAN;
    *used = 0;
    for (uint32_t i = 0; i < count; i++) {
        oracle_guess(o, &fixes[i], i, oracle_sharp(fixes, i, count));
        if (o->count[i] == 0) {
            continue;
        }
        if (last == HT_NONE) {
            for (uint32_t s = 0; s < o->count[i]; s++) {
                o->guesses[i][s].value = o->guesses[i][s].emission;
            }
        } else {
            struct pair p = {&fixes[last], &fixes[i], options};
            if (i - last > 10) {
                return NAN;
            }
            if (oracle_step(o, last, i, &p) == -INFINITY) {
                if (++misses > 1 || i + 1 == count) {
                    return NAN;
                }
                continue;
            }
        }
        misses = 0;
        last = i;
        best = oracle_prune(o, i);
        (*used)++;
    }
    return misses == 0 ? best : NAN;
}

/* A walk that turns now and then, with noise. */
static void random_trace(uint64_t *seed, struct ht_match_fix fixes[FIXES], bool timed)
{
    double x = 20000 + ht_random_below(seed, 60000);
    double y = 20000 + ht_random_below(seed, 60000);
    double heading = ht_random_below(seed, 4) * 1.5707963;
    double step = 300.0 + ht_random_below(seed, 8000); /* in 1e-7 degrees: 3 to 90 m */
    double sigma = 5.0 + ht_random_below(seed, 30);
    int64_t time_ms = 1000000;
    for (uint32_t i = 0; i < FIXES; i++) {
        int32_t noise = (int32_t)(sigma * 90.0);
        uint32_t span = 2 * (uint32_t)noise + 1;
        fixes[i] = (struct ht_match_fix){
            .point = {(int32_t)x + (int32_t)ht_random_below(seed, span) - noise,
                      (int32_t)y + (int32_t)ht_random_below(seed, span) - noise},
            .time_ms = timed ? time_ms : HT_MATCH_NO_TIME,
            .sigma_m = sigma,
            .snap = ht_snap_options_default(),
        };
        uint32_t luck = ht_random_below(seed, 24);
        heading += luck == 0 ? 3.1415927 : luck < 4 ? 1.5707963 : luck < 7 ? -1.5707963 : 0;
        x += luck == 9 ? 0 : step * cos(heading);
        y += luck == 9 ? 0 : step * sin(heading);
        time_ms += 1000 * (int64_t)ht_random_below(seed, 12);
    }
}

/* Each leg is a legal way over the town that costs what it says. */
static void check_legs(struct ht_match *match, const struct ht_road *road,
                       const struct ht_match_found *found, uint32_t part)
{
    const struct ht_match_spot *spots = found->spots + found->parts[part].first;
    struct ht_route_found route;
    HT_REQUIRE(ht_match_route(match, road, found, part, &route) == HT_OK);
    HT_CHECK_INT(route.leg_count, found->parts[part].count - 1);
    for (uint32_t i = 0; i < route.leg_count; i++) {
        const struct ht_leg *leg = &route.legs[i];
        const uint32_t *arcs = route.arcs + leg->first_arc;
        const struct ht_place_side *from = &spots[leg->source].place.side[leg->source_side];
        const struct ht_place_side *to = &spots[leg->target].place.side[leg->target_side];
        HT_REQUIRE(from->arc != HT_NONE && to->arc != HT_NONE && leg->arc_count > 0);
        HT_CHECK_INT(arcs[0], from->arc);
        HT_CHECK_INT(ht_arc_base(road->graph, arcs[leg->arc_count - 1]), to->arc);
        int64_t length = leg->arc_count == 1 ? (int64_t)to->before_mm - from->before_mm
                                             : from->after.length_mm + to->before.length_mm;
        int64_t ms = leg->arc_count == 1 ? 0 : from->after.duration_ms + to->before.duration_ms;
        for (uint32_t k = 0; k + 1 < leg->arc_count; k++) {
            HT_REQUIRE(ht_graph_turn(road->graph, arcs[k], arcs[k + 1]) != HT_NONE);
            ms += ht_graph_turn_between(road->graph, arcs[k], arcs[k + 1]).duration_ms;
            length += k > 0 ? road->graph->arcs[arcs[k]].length_mm : 0;
            ms += k > 0 ? road->graph->arcs[arcs[k]].duration_ms : 0;
        }
        HT_CHECK_INT(leg->cost.length_mm, length);
        if (leg->arc_count > 1) {
            HT_CHECK_INT(leg->cost.duration_ms, ms);
        }
    }
}

HT_CASE(likelihood_equals_that_of_brute_force)
{
    static struct oracle o;
    uint64_t seed = 7;
    int compared = 0;
    int trials = HT_LONG ? 200 : 30;
    struct ht_match *match = NULL;
    HT_REQUIRE(ht_match_new(&match) == HT_OK);
    for (int trial = 0; trial < trials; trial++) {
        struct ht_random_town *town = ht_random_town_new(9, 9, (uint64_t)trial + 1);
        struct ht_match_fix fixes[FIXES];
        struct ht_match_found found;
        struct ht_match_options options = ht_match_options_default();
        uint32_t used = 0;
        options.split = false;
        options.beta_m = 3.0 + trial % 10;
        oracle_init(&o, town);
        random_trace(&seed, fixes, trial % 2 == 0);
        double want = oracle_run(&o, &options, fixes, FIXES, &used);
        enum ht_status status = ht_match_run(match, &o.road, &options, fixes, FIXES, &found);
        if (!isnan(want)) {
            HT_CHECK_INT(status, HT_OK);
            HT_CHECK_INT(found.part_count, 1);
            HT_CHECK(status != HT_OK || found.parts[0].log_likelihood == want);
            HT_CHECK_INT(status != HT_OK ? 0 : found.parts[0].count, used);
            compared++;
        }
        for (uint32_t p = 0; status == HT_OK && p < found.part_count; p++) {
            check_legs(match, &o.road, &found, p);
        }
        oracle_deinit(&o);
        ht_random_town_free(town);
    }
    HT_CHECK(compared * 2 > trials);
    ht_match_free(match);
}

/* With a lag as long as the trace, a stream gives out what the whole trace does, as long as no fix
 * is left out (what was given out is not taken back). */
HT_CASE(a_long_lag_finds_what_the_whole_trace_does)
{
    static struct oracle o;
    uint64_t seed = 11;
    int compared = 0;
    struct ht_match *match = NULL;
    struct ht_match *other = NULL;
    HT_REQUIRE(ht_match_new(&match) == HT_OK && ht_match_new(&other) == HT_OK);
    for (int trial = 0; trial < 150; trial++) {
        struct ht_random_town *town = ht_random_town_new(9, 9, (uint64_t)trial + 100);
        struct ht_match_fix fixes[FIXES];
        struct ht_match_found found;
        struct ht_match_options options = ht_match_options_default();
        struct ht_match_stream *stream = NULL;
        struct ht_match_settled settled;
        uint32_t given = 0;
        options.split = false;
        oracle_init(&o, town);
        random_trace(&seed, fixes, true);
        enum ht_status status = ht_match_run(match, &o.road, &options, fixes, FIXES, &found);
        bool whole = status == HT_OK && found.part_count == 1 && found.parts[0].count == FIXES;
        HT_REQUIRE(ht_match_stream_new(&options, HT_MATCH_LAG_MAX, &stream) == HT_OK);
        for (uint32_t i = 0; whole && i <= FIXES; i++) {
            status = i < FIXES ? ht_match_stream_push(stream, other, &o.road, &fixes[i], &settled)
                               : ht_match_stream_end(stream, other, &o.road, &settled);
            HT_REQUIRE(status == HT_OK && given + settled.count <= found.parts[0].count);
            for (uint32_t k = 0; k < settled.count; k++, given++) {
                HT_CHECK_INT(settled.spots[k].fix, found.spots[given].fix);
                HT_CHECK_INT(settled.spots[k].place.point.lon_e7,
                             found.spots[given].place.point.lon_e7);
                HT_CHECK_INT(settled.spots[k].place.point.lat_e7,
                             found.spots[given].place.point.lat_e7);
            }
        }
        HT_CHECK_INT(given, whole ? found.parts[0].count : 0);
        compared += whole;
        ht_match_stream_free(stream);
        oracle_deinit(&o);
        ht_random_town_free(town);
    }
    HT_CHECK(compared >= 10);
    ht_match_free(match);
    ht_match_free(other);
}

/* From the spot before, over streets, at the cost that is said. */
static void check_follows(struct ht_match *match, const struct ht_road *road,
                          const struct ht_match_spot *before, const struct ht_match_spot *spot)
{
    const uint32_t *arcs = NULL;
    uint32_t count = 0;
    const struct ht_place_side *from = &before->place.side[spot->from_side];
    const struct ht_place_side *to = &spot->place.side[spot->side];
    HT_REQUIRE(from->arc != HT_NONE && to->arc != HT_NONE);
    HT_CHECK_INT(ht_match_arcs(match, road, before, spot, &arcs, &count), HT_OK);
    HT_REQUIRE(count > 0);
    HT_CHECK_INT(arcs[0], from->arc);
    HT_CHECK_INT(ht_arc_base(road->graph, arcs[count - 1]), to->arc);
    if (spot->step == HT_MATCH_WAY) {
        int64_t length = from->after.length_mm + to->before.length_mm;
        for (uint32_t k = 1; k + 1 < count; k++) {
            length += road->graph->arcs[arcs[k]].length_mm;
        }
        HT_CHECK_INT(spot->cost.length_mm, length);
    }
}

/* Whatever is given out, where fixes far off are among them: each spot follows the one before. */
HT_CASE(what_is_settled_hangs_together)
{
    static struct oracle o;
    uint64_t seed = 17;
    uint32_t followed = 0;
    struct ht_match *match = NULL;
    HT_REQUIRE(ht_match_new(&match) == HT_OK);
    for (uint32_t trial = 0; trial < (HT_LONG ? 20000U : 7000U); trial++) {
        struct ht_random_town *town = ht_random_town_new(9, 9, trial + 500);
        struct ht_match_fix fixes[FIXES];
        struct ht_match_options options = ht_match_options_default();
        struct ht_match_stream *stream = NULL;
        struct ht_match_settled settled;
        struct ht_match_spot last = {0};
        oracle_init(&o, town);
        random_trace(&seed, fixes, trial % 2 == 0);
        HT_REQUIRE(ht_match_stream_new(&options, 2 + trial % 8, &stream) == HT_OK);
        for (uint32_t i = 0; i <= FIXES; i++) {
            if (i < FIXES && ht_random_below(&seed, 4) == 0) {
                fixes[i].point.lon_e7 += (int32_t)ht_random_below(&seed, 20000) - 10000;
                fixes[i].point.lat_e7 += (int32_t)ht_random_below(&seed, 20000) - 10000;
            }
            enum ht_status status =
                i < FIXES ? ht_match_stream_push(stream, match, &o.road, &fixes[i], &settled)
                          : ht_match_stream_end(stream, match, &o.road, &settled);
            HT_REQUIRE(status == HT_OK);
            for (uint32_t k = 0; k < settled.count; k++) {
                if (settled.spots[k].step != HT_MATCH_BEGIN) {
                    check_follows(match, &o.road, &last, &settled.spots[k]);
                    followed++;
                }
                last = settled.spots[k];
            }
        }
        ht_match_stream_free(stream);
        oracle_deinit(&o);
        ht_random_town_free(town);
    }
    HT_CHECK(followed > 1000);
    ht_match_free(match);
}

/* A short lag keeps no more than that many fixes open, for ever, and its spots hang together. */
HT_CASE(a_short_lag_settles_in_time)
{
    static struct oracle o;
    uint64_t seed = 13;
    enum { LAG = 4 };
    struct ht_random_town *town = ht_random_town_new(9, 9, 77);
    struct ht_match *match = NULL;
    struct ht_match_stream *stream = NULL;
    struct ht_match_options options = ht_match_options_default();
    struct ht_match_settled settled;
    uint32_t number = 0;
    uint32_t given = 0;
    int64_t last = -1;
    int64_t base_ms = 0;
    oracle_init(&o, town);
    HT_REQUIRE(ht_match_new(&match) == HT_OK);
    HT_REQUIRE(ht_match_stream_new(&options, 1, &stream) == HT_INVALID);
    HT_REQUIRE(ht_match_stream_new(&options, LAG, &stream) == HT_OK);
    for (int round = 0; round < 25; round++) {
        struct ht_match_fix fixes[FIXES];
        random_trace(&seed, fixes, true);
        for (uint32_t i = 0; i < FIXES; i++, number++) {
            fixes[i].time_ms += base_ms;
            HT_REQUIRE(ht_match_stream_push(stream, match, &o.road, &fixes[i], &settled) == HT_OK);
            for (uint32_t k = 0; k < settled.count; k++, given++) {
                const struct ht_match_spot *spot = &settled.spots[k];
                HT_CHECK(spot->fix > last && spot->fix <= number);
                HT_CHECK(spot->place.side[spot->side].arc != HT_NONE);
                last = spot->fix;
            }
            struct ht_place now;
            uint32_t fix;
            if (ht_match_stream_now(stream, &o.road, &fix, &now) == HT_OK) {
                HT_CHECK(fix <= number &&
                         (now.side[0].arc != HT_NONE || now.side[1].arc != HT_NONE));
            }
        }
        base_ms = fixes[FIXES - 1].time_ms;
    }
    HT_CHECK(given > number / 2);
    /* a fix before the last one is refused, the stream goes on */
    struct ht_match_fix back = {.point = {50000, 50000},
                                .time_ms = base_ms - 1,
                                .sigma_m = 5,
                                .snap = ht_snap_options_default()};
    HT_CHECK_INT(ht_match_stream_push(stream, match, &o.road, &back, &settled), HT_INVALID);
    back.time_ms = base_ms;
    HT_CHECK_INT(ht_match_stream_push(stream, match, &o.road, &back, &settled), HT_OK);
    HT_CHECK_INT(ht_match_stream_end(stream, match, &o.road, &settled), HT_OK);
    ht_match_stream_free(stream);
    ht_match_free(match);
    oracle_deinit(&o);
    ht_random_town_free(town);
}

/* By hand: 100 m between letters of the upper street. */
static const struct ht_tiny_way ways[] = {
    {.nodes = "abcd", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "efgh", .road_class = HT_ROAD_RESIDENTIAL, .oneway = true},
    {.nodes = "ae", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "dh", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "xy", .road_class = HT_ROAD_RESIDENTIAL},
};
static const char map[] = "a b c d      x y\n"
                          "                \n"
                          "e f g h         \n";

struct town {
    struct ht_tiny *tiny;
    struct ht_snap_index *snap;
    struct ht_match *match;
    struct ht_road road;
};

static struct town make_town(void)
{
    struct town town = {.tiny = ht_tiny_new(map, 50, ways, sizeof ways / sizeof *ways, "")};
    ht_tiny_require(ht_snap_build(&town.tiny->network, &town.tiny->graph, NULL, &town.snap) ==
                            HT_OK &&
                        ht_match_new(&town.match) == HT_OK,
                    "out of memory");
    town.road = (struct ht_road){
        .network = &town.tiny->network, .graph = &town.tiny->graph, .snap = town.snap};
    return town;
}

static void free_town(struct town *town)
{
    ht_match_free(town->match);
    ht_snap_index_free(town->snap);
    ht_tiny_free(town->tiny);
}

/* "ab0.5 bc0.2+7": places on streets, each moved north by so many metres; a second apart. */
static uint32_t read_trace(const struct town *town, const char *text, int64_t step_ms,
                           struct ht_match_fix *fixes)
{
    uint32_t count = 0;
    while (*text != '\0') {
        char *end;
        struct ht_place place = ht_tiny_place(town->tiny, text[0], text[1], strtod(text + 2, &end));
        double north_m = *end == '+' || *end == '-' ? strtod(end, &end) : 0;
        place.point.lat_e7 += (int32_t)(north_m / ht_scale_at(place.point.lat_e7).lat_m * 1e7);
        fixes[count] =
            (struct ht_match_fix){.point = place.point,
                                  .time_ms = step_ms < 0 ? HT_MATCH_NO_TIME : step_ms * count,
                                  .sigma_m = 5,
                                  .snap = ht_snap_options_default()};
        count++;
        text = *end == ' ' ? end + 1 : end;
    }
    return count;
}

/* The arcs of a matched trace by the letters at their ends, parts with a bar between. */
static const char *matched(struct town *town, const char *trace, int64_t step_ms, bool split)
{
    static char text[512];
    struct ht_match_fix fixes[FIXES];
    struct ht_match_found found;
    struct ht_match_options options = ht_match_options_default();
    uint32_t count = read_trace(town, trace, step_ms, fixes);
    uint32_t last = HT_NONE;
    size_t at = 0;
    options.split = split;
    enum ht_status status = ht_match_run(town->match, &town->road, &options, fixes, count, &found);
    text[0] = '\0';
    if (status != HT_OK) {
        return ht_status_text(status);
    }
    for (uint32_t p = 0; p < found.part_count; p++) {
        struct ht_route_found route;
        ht_tiny_require(ht_match_route(town->match, &town->road, &found, p, &route) == HT_OK,
                        "no route");
        check_legs(town->match, &town->road, &found, p);
        text[at] = '|';
        at += p > 0 ? 1 : 0;
        last = HT_NONE;
        for (uint32_t i = 0; i < route.leg_count; i++) {
            for (uint32_t k = 0; k < route.legs[i].arc_count && at + 8 < sizeof text; k++) {
                uint32_t arc = route.arcs[route.legs[i].first_arc + k];
                uint32_t end = ht_arc_point_count(&town->tiny->arcs[arc]) - 1;
                if (arc != last) {
                    text[at++] = ht_tiny_letter(town->tiny, arc, 0);
                    text[at++] = ht_tiny_letter(town->tiny, arc, (int)end);
                    text[at++] = ' ';
                }
                last = arc;
            }
        }
        at -= 1;
    }
    text[at] = '\0';
    return text;
}

HT_CASE(a_street_is_followed_through_noise)
{
    struct town t = make_town();
    HT_CHECK_STR(matched(&t, "ab0.2+6 ab0.8-8 cd0.1+4 cd0.7-3", 10000, true), "ad");
    HT_CHECK_STR(matched(&t, "cd0.7+6 cd0.1-8 ab0.8+4 ab0.2-3", 10000, true), "da");
    free_town(&t);
}

HT_CASE(a_oneway_is_not_driven_against)
{
    struct town t = make_town();
    HT_CHECK_STR(matched(&t, "ef0.5 fg0.5 gh0.5", 10000, true), "eh");
    /* against it: only standing explains what is a little behind */
    HT_CHECK_STR(matched(&t, "fg0.5 fg0.45 fg0.4", 1000, true), "eh");
    /* far against it there is no way that is so short: nothing is joined */
    HT_CHECK_STR(matched(&t, "gh0.9 ef0.9", 1000, true), "no route");
    free_town(&t);
}

HT_CASE(standing_is_no_turning_round)
{
    struct town t = make_town();
    struct ht_match_fix fixes[FIXES];
    struct ht_match_found found;
    struct ht_match_options options = ht_match_options_default();
    uint32_t count =
        read_trace(&t, "ab0.2 ab0.6 ab0.66 ab0.61 ab0.65 ab0.6 ab0.64 bc0.2 bc0.6", 2000, fixes);
    HT_REQUIRE(ht_match_run(t.match, &t.road, &options, fixes, count, &found) == HT_OK);
    HT_CHECK_INT(found.parts[0].count, 9);
    uint32_t before = 0;
    for (uint32_t i = 1; i < 9; i++) {
        const struct ht_match_spot *spot = &found.spots[i];
        HT_CHECK_INT(spot->step, HT_MATCH_ALONG);
        HT_CHECK_INT(spot->side, spot->from_side);
        HT_CHECK(spot->place.side[spot->side].before_mm >= before);
        before = spot->place.side[spot->side].before_mm;
    }
    free_town(&t);
}

HT_CASE(a_sharp_angle_may_turn_round)
{
    struct town t = make_town();
    HT_CHECK_STR(matched(&t, "ab0.2 bc0.1 bc0.9 bc0.2 ab0.3", 10000, true), "ad da");
    free_town(&t);
}

HT_CASE(a_loop_is_driven_whole)
{
    struct town t = make_town();
    HT_CHECK_STR(matched(&t, "cd0.5 ab0.5 ae0.5 ef0.5 gh0.5 dh0.5 cd0.6", 12000, true),
                 "da ae eh hd da");
    free_town(&t);
}

HT_CASE(an_outlier_is_left_out)
{
    struct town t = make_town();
    struct ht_match_fix fixes[FIXES];
    struct ht_match_found found;
    struct ht_match_options options = ht_match_options_default();
    /* the third has no street near it, the fifth one on the island, a second away */
    uint32_t count = read_trace(&t, "ab0.2 ab0.8 bc0.4+40 bc0.8 xy0.5 cd0.6 cd0.8", 2000, fixes);
    HT_REQUIRE(ht_match_run(t.match, &t.road, &options, fixes, count, &found) == HT_OK);
    HT_CHECK_INT(found.part_count, 1);
    HT_REQUIRE(found.parts[0].count == 5);
    HT_CHECK_INT(found.spots[2].fix, 3);
    HT_CHECK_INT(found.spots[3].fix, 5);
    free_town(&t);
}

HT_CASE(a_trace_is_split_at_gaps)
{
    struct town t = make_town();
    struct ht_match_fix fixes[FIXES];
    struct ht_match_found found;
    struct ht_match_options options = ht_match_options_default();
    uint32_t count = read_trace(&t, "ab0.2 ab0.3 cd0.1 cd0.2", 1000, fixes);
    fixes[2].time_ms += 60000;
    fixes[3].time_ms += 60000;
    HT_REQUIRE(ht_match_run(t.match, &t.road, &options, fixes, count, &found) == HT_OK);
    HT_CHECK_INT(found.part_count, 2);
    options.split = false;
    HT_REQUIRE(ht_match_run(t.match, &t.road, &options, fixes, count, &found) == HT_OK);
    HT_CHECK_INT(found.part_count, 1);
    /* without a way there are two parts whatever is asked */
    HT_CHECK_STR(matched(&t, "ab0.2 ab0.7 xy0.2 xy0.7", 5000, false), "ad|xy");
    free_town(&t);
}

HT_CASE(bad_input_is_refused)
{
    struct town t = make_town();
    struct ht_match_fix fixes[FIXES];
    struct ht_match_found found;
    struct ht_match_options options = ht_match_options_default();
    uint32_t count = read_trace(&t, "ab0.2 ab0.7 bc0.5", 1000, fixes);
    HT_CHECK_INT(ht_match_run(t.match, &t.road, &options, fixes, 1, &found), HT_INVALID);
    fixes[2].time_ms = 500;
    HT_CHECK_INT(ht_match_run(t.match, &t.road, &options, fixes, count, &found), HT_INVALID);
    fixes[1].time_ms = HT_MATCH_NO_TIME;
    HT_CHECK_INT(ht_match_run(t.match, &t.road, &options, fixes, count, &found), HT_OK);
    fixes[1].sigma_m = NAN;
    HT_CHECK_INT(ht_match_run(t.match, &t.road, &options, fixes, count, &found), HT_INVALID);
    HT_CHECK_STR(matched(&t, "ab0.2+300 ab0.3+300", 1000, true), "no street near enough");
    free_town(&t);
}

HT_CASE(out_of_memory_is_said)
{
    struct town t = make_town();
    struct ht_match_fix fixes[FIXES];
    uint32_t count = read_trace(&t, "cd0.5 ab0.5 ae0.5 ef0.5 gh0.5 dh0.5 cd0.6", 12000, fixes);
    bool refused = true;
    for (long n = 0; refused && n < 500; n++) {
        struct ht_match_options options = ht_match_options_default();
        struct ht_match_found found;
        struct ht_route_found route;
        struct ht_match *match = NULL;
        struct ht_match_stream *stream = NULL;
        struct ht_match_settled settled;
        ht_oom_arm(n);
        enum ht_status status = ht_match_new(&match);
        if (status == HT_OK) {
            status = ht_match_run(match, &t.road, &options, fixes, count, &found);
        }
        if (status == HT_OK) {
            status = ht_match_route(match, &t.road, &found, 0, &route);
        }
        if (status == HT_OK) {
            status = ht_match_stream_new(&options, 4, &stream);
        }
        for (uint32_t i = 0; status == HT_OK && i < count; i++) {
            status = ht_match_stream_push(stream, match, &t.road, &fixes[i], &settled);
        }
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_match_stream_free(stream);
        ht_match_free(match);
    }
    HT_CHECK(!refused);
    free_town(&t);
}

HT_MAIN()
