/* The snap index against brute force over all segments, on random towns of all widths. */
#include "engine/road/snap.h"
#include "engine/road/snap_internal.h"
#include "geodata/network_build.h"
#include "tests/engine/snap_town.h"
#include "tests/support/oom.h"

#include <math.h>

/* --- the oracle: OSRM's rules, written down a second time ------------------------------------- */

struct answer {
    double distance;
    uint32_t arc; /* of the entry: along the way where open, else against */
    uint32_t segment;
    unsigned sides;
    bool big;
};

/* `*reported`: from the point found, as a place says it (in the scales of another band of
 * latitude). */
static double plane_distance(struct ht_point q, struct ht_point u, struct ht_point v,
                             double *reported)
{
    struct ht_scale scale = ht_scale_at(q.lat_e7);
    double ux = (u.lon_e7 - q.lon_e7) / 1e7 * scale.lon_m;
    double uy = (u.lat_e7 - q.lat_e7) / 1e7 * scale.lat_m;
    double vx = (v.lon_e7 - q.lon_e7) / 1e7 * scale.lon_m;
    double vy = (v.lat_e7 - q.lat_e7) / 1e7 * scale.lat_m;
    double length = (vx - ux) * (vx - ux) + (vy - uy) * (vy - uy);
    double t = length > 0 ? (ux * (ux - vx) + uy * (uy - vy)) / length : 0;
    t = fmin(fmax(t, 0), 1);
    *reported = ht_distance_m(q, ht_point_between(u, v, t));
    return hypot(ux + t * (vx - ux), uy + t * (vy - uy));
}

static bool fits(double bearing, int wanted, int range)
{
    double apart = fabs(remainder(round(bearing) - wanted, 360.0));
    return apart <= range;
}

static unsigned oracle_sides(const struct snap_town *t, const struct ht_snap_options *o,
                             uint32_t arc, struct ht_point q, struct ht_point u, struct ht_point v)
{
    const struct ht_arc *a = &t->graph.arcs[arc];
    const bool along = ht_arc_is_forward(a);
    const uint32_t arcs[2] = {along ? arc : HT_NONE, along ? a->reverse : arc};
    const bool both = arcs[0] != HT_NONE && arcs[1] != HT_NONE;
    double cross = (double)(v.lon_e7 - u.lon_e7) * (q.lat_e7 - u.lat_e7) -
                   (double)(v.lat_e7 - u.lat_e7) * (q.lon_e7 - u.lon_e7);
    bool first = cross <= 0; /* on the right of the way */
    first ^= (t->network.ways[a->way].flags & HT_WAY_LEFT_HAND) != 0;
    first ^= o->approach == HT_APPROACH_OPPOSITE;
    unsigned sides = 0;
    for (unsigned side = 0; side < 2; side++) {
        if (arcs[side] == HT_NONE) {
            continue;
        }
        uint16_t flags = t->graph.arcs[arcs[side]].flags;
        double bearing = side == 0 ? ht_bearing_deg(u, v) : ht_bearing_deg(u, v) + 180.0;
        if ((!o->any_street && (flags & HT_ARC_NO_START) != 0) || (flags & o->exclude) != 0 ||
            (o->bearing_deg >= 0 && !fits(bearing, o->bearing_deg, o->bearing_range)) ||
            (o->approach != HT_APPROACH_UNRESTRICTED && both && first != (side == 0))) {
            continue;
        }
        sides |= 1u << side;
    }
    return sides;
}

static int answer_order(const void *a, const void *b)
{
    const struct answer *x = a;
    const struct answer *y = b;
    return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* All segments that pass, nearest first; the caller frees. */
static struct answer *oracle(const struct snap_town *t, struct ht_point q,
                             const struct ht_snap_options *o, uint32_t *count)
{
    struct answer *answers = snap_town_array(t->network.way_node_count, sizeof *answers);
    *count = 0;
    for (uint32_t arc = 0; arc < t->graph.base_arc_count; arc++) {
        const struct ht_arc *a = &t->graph.arcs[arc];
        if (!ht_arc_is_forward(a) && a->reverse != HT_NONE) {
            continue;
        }
        uint32_t low = ht_arc_low(a);
        for (uint32_t i = 0; i + 1 < ht_arc_point_count(a); i++) {
            struct ht_point u = t->network.node_point[t->network.way_node[low + i]];
            struct ht_point v = t->network.node_point[t->network.way_node[low + i + 1]];
            unsigned sides = oracle_sides(t, o, arc, q, u, v);
            double reported = 0;
            double distance = plane_distance(q, u, v, &reported);
            if (sides == 0 || (o->radius_m >= 0 && reported > o->radius_m)) {
                continue;
            }
            bool big = false;
            for (unsigned side = 0; side < 2; side++) {
                uint32_t of = side == (ht_arc_is_forward(a) ? 0u : 1u) ? arc : a->reverse;
                big |= (sides >> side & 1u) != 0 && (t->graph.arcs[of].flags & HT_ARC_SMALL) == 0;
            }
            answers[(*count)++] = (struct answer){distance, arc, i, sides, big};
        }
    }
    qsort(answers, *count, sizeof *answers, answer_order);
    return answers;
}

/* --- what each place must say of itself ------------------------------------------------------- */

static void check_side(const struct snap_town *t, const struct ht_place *p, uint32_t side)
{
    const struct ht_place_side *s = &p->side[side];
    if (s->arc == HT_NONE) {
        return;
    }
    const struct ht_arc *a = &t->graph.arcs[s->arc];
    HT_CHECK((side == 0) == ht_arc_is_forward(a));
    HT_CHECK_INT((uint64_t)s->before_mm + s->after_mm, a->length_mm);
    HT_CHECK_INT(s->before.weight_ms, ht_share(a->weight_ms, s->before_mm, a->length_mm));
    HT_CHECK_INT(s->after.duration_ms, ht_share(a->duration_ms, s->after_mm, a->length_mm));
    HT_CHECK_INT(s->before.length_mm, s->before_mm);
    /* walking there along the arc's shape measures the same */
    uint32_t count = ht_arc_point_count(a) - 1;
    bool first = side == 0 || p->side[0].arc == HT_NONE;
    uint32_t segment = first ? p->segment : count - 1 - p->segment;
    HT_REQUIRE(segment < count);
    uint32_t walked = 0;
    for (uint32_t i = 0; i < segment; i++) {
        walked +=
            ht_distance_mm(ht_arc_point(&t->network, a, i), ht_arc_point(&t->network, a, i + 1));
    }
    uint32_t inside = ht_distance_mm(ht_arc_point(&t->network, a, segment), p->point);
    /* by degrees or by metres is the same but for segments across many bands of latitude */
    uint32_t slack = 12 + inside / (a->length_mm > 10000000 ? 20 : 2000);
    HT_CHECK(llabs((int64_t)walked + inside - s->before_mm) <= slack);
}

static void check_place(const struct snap_town *t, const struct ht_place *p, unsigned sides)
{
    HT_CHECK_INT((p->side[0].arc != HT_NONE) | (p->side[1].arc != HT_NONE) << 1, sides);
    HT_CHECK(p->distance_m == ht_distance_m(p->input, p->point));
    check_side(t, p, 0);
    check_side(t, p, 1);
    bool small = true;
    for (int i = 0; i < 2; i++) {
        if (p->side[i].arc != HT_NONE) {
            small &= (t->graph.arcs[p->side[i].arc].flags & HT_ARC_SMALL) != 0;
        }
    }
    HT_CHECK(p->small == small);
}

static const struct {
    uint32_t junctions;
    int32_t width_e7;
} towns[] = {{2, 3000}, {40, 50000}, {600, 1000000}, {900, 200000000}, {3000, 3000000}};
enum { TOWNS = sizeof towns / sizeof towns[0] };

static struct ht_snap_options random_options(uint64_t *seed, int32_t width_e7)
{
    struct ht_snap_options o = ht_snap_options_default();
    if (ht_random_below(seed, 2) == 0) {
        return o;
    }
    if (ht_random_below(seed, 3) == 0) {
        o.radius_m = width_e7 / 1e7 * 111000.0 * ht_random_below(seed, 1000) / 5000.0;
    }
    if (ht_random_below(seed, 3) == 0) {
        o.bearing_deg = (int16_t)ht_random_below(seed, 361);
        o.bearing_range = (int16_t)ht_random_below(seed, 181);
    }
    o.approach = (enum ht_approach)ht_random_below(seed, 3);
    o.any_street = ht_random_below(seed, 2) == 0;
    if (ht_random_below(seed, 2) == 0) {
        o.exclude = (uint16_t)(HT_ARC_TOLL << ht_random_below(seed, 4));
    }
    return o;
}

static struct ht_point random_point(const struct snap_town *t, uint64_t *seed, int32_t width_e7)
{
    if (ht_random_below(seed, 4) == 0) { /* right on a node: ties */
        return t->network.node_point[ht_random_below(seed, t->network.node_count)];
    }
    uint32_t span = (uint32_t)width_e7 / 2 * 3;
    return (struct ht_point){1215000000 - width_e7 / 4 + (int32_t)ht_random_below(seed, span),
                             299000000 - width_e7 / 4 + (int32_t)ht_random_below(seed, span)};
}

/* What is within this of each other may come in either order: the oracle rounds otherwise. */
static double tolerance(double distance)
{
    return 1e-6 + distance * 1e-9;
}

static bool listed(const struct answer *answers, uint32_t count, const struct ht_place *p,
                   const struct snap_town *t, const struct answer **match)
{
    uint32_t first = p->side[0].arc != HT_NONE ? p->side[0].arc : p->side[1].arc;
    const struct ht_arc *a = &t->graph.arcs[first];
    bool along = ht_arc_is_forward(a);
    uint32_t arc = along || a->reverse == HT_NONE ? first : a->reverse;
    uint32_t segment = along ? p->segment : ht_arc_point_count(a) - 2 - p->segment;
    for (uint32_t i = 0; i < count; i++) {
        if (answers[i].arc == arc && answers[i].segment == segment) {
            *match = &answers[i];
            return true;
        }
    }
    return false;
}

static void compare_nearest(const struct snap_town *t, const struct ht_snap_index *index,
                            struct ht_snap_work *work, struct ht_point q,
                            const struct ht_snap_options *o, uint32_t most)
{
    struct ht_place places[16];
    uint32_t found = 99;
    uint32_t count = 0;
    struct answer *answers = oracle(t, q, o, &count);
    enum ht_status status = ht_snap_nearest(index, work, q, o, most, places, &found);
    HT_CHECK_INT(status, found == 0 ? HT_NO_SEGMENT : HT_OK);
    HT_CHECK_INT(found, count < most ? count : most);
    for (uint32_t i = 0; i < found; i++) {
        const struct answer *match = NULL;
        HT_CHECK(o->radius_m < 0 || places[i].distance_m <= o->radius_m + 1e-9);
        bool known = listed(answers, count, &places[i], t, &match);
        HT_REQUIRE(known);
        if (i < count) {
            HT_CHECK(fabs(match->distance - answers[i].distance) <= tolerance(match->distance));
            check_place(t, &places[i], match->sides);
        }
    }
    free(answers);
}

HT_CASE(nearest_agrees_with_brute_force)
{
    uint64_t seed = 7;
    for (int i = 0; i < TOWNS; i++) {
        struct snap_town *t =
            snap_town_new(towns[i].junctions, towns[i].width_e7, 100u + (unsigned)i);
        struct ht_snap_index *index = NULL;
        struct ht_snap_work *work = NULL;
        HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
        HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
        for (int round = 0; round < (HT_LONG ? 20000 : 300); round++) {
            struct ht_point q = random_point(t, &seed, towns[i].width_e7);
            struct ht_snap_options o = random_options(&seed, towns[i].width_e7);
            compare_nearest(t, index, work, q, &o, 1 + ht_random_below(&seed, 12));
        }
        ht_snap_work_free(work);
        ht_snap_index_free(index);
        snap_town_free(t);
    }
}

/* Real streets: the profile that has most of them, points within and around the town. */
static void compare_real(struct ht_network_build *build, const struct ht_graph *graph)
{
    struct snap_town t = {.network = *ht_network_build_network(build), .graph = *graph};
    struct ht_snap_index *index = NULL;
    struct ht_snap_work *work = NULL;
    uint64_t seed = 19;
    HT_REQUIRE(ht_snap_build(&t.network, &t.graph, NULL, &index) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    const struct ht_box *box = &t.network.box;
    uint32_t width = (uint32_t)(box->max.lon_e7 - box->min.lon_e7);
    uint32_t height = (uint32_t)(box->max.lat_e7 - box->min.lat_e7);
    for (int round = 0; round < (HT_LONG ? 2000 : 60); round++) {
        struct ht_point q = {box->min.lon_e7 + (int32_t)ht_random_below(&seed, width),
                             box->min.lat_e7 + (int32_t)ht_random_below(&seed, height)};
        if (round % 5 == 0) {
            q = t.network.node_point[ht_random_below(&seed, t.network.node_count)];
        }
        struct ht_snap_options o = random_options(&seed, 100000);
        compare_nearest(&t, index, work, q, &o, 1 + ht_random_below(&seed, 5));
    }
    ht_snap_work_free(work);
    ht_snap_index_free(index);
}

HT_CASE(nearest_agrees_with_brute_force_on_a_real_town)
{
    if (ht_data_dir() == NULL) {
        HT_SKIP("the folder of real data is missing");
    }
    char path[512];
    struct ht_profile **profiles = NULL;
    size_t count = 0;
    struct ht_pool *pool = NULL;
    struct ht_network_build *build = NULL;
    struct ht_graph_owned *graph = NULL;
    struct ht_graph_counts counts;
    struct ht_error error;
    (void)snprintf(path, sizeof path, "%s/osm/portland_small.osm.pbf", ht_data_dir());
    struct ht_build_input input = {.path = path};
    HT_REQUIRE(ht_pool_new(0, &pool) == HT_OK);
    HT_REQUIRE(ht_profiles_open("foot", &profiles, &count, &error) == HT_OK);
    HT_REQUIRE(ht_network_build_new(profiles, count, pool, &build) == HT_OK);
    HT_REQUIRE(ht_network_build_read(build, &input, 1, NULL, NULL, &error) == HT_OK);
    HT_REQUIRE(ht_network_build_graph(build, 0, &graph, &counts) == HT_OK);
    compare_real(build, ht_graph_owned_view(graph));
    ht_graph_owned_free(graph);
    ht_network_build_free(build);
    ht_profiles_free(profiles, count);
    ht_pool_free(pool);
}

HT_CASE(trip_agrees_with_brute_force)
{
    uint64_t seed = 8;
    for (int i = 0; i < TOWNS; i++) {
        struct snap_town *t =
            snap_town_new(towns[i].junctions, towns[i].width_e7, 200u + (unsigned)i);
        struct ht_snap_index *index = NULL;
        struct ht_snap_work *work = NULL;
        HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
        HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
        for (int round = 0; round < (HT_LONG ? 20000 : 300); round++) {
            struct ht_point q = random_point(t, &seed, towns[i].width_e7);
            struct ht_snap_options o = random_options(&seed, towns[i].width_e7);
            o.radius_m = -1;
            struct ht_place places[2];
            uint32_t found = 0;
            uint32_t count = 0;
            struct answer *answers = oracle(t, q, &o, &count);
            enum ht_status status = ht_snap_trip(index, work, q, &o, places, &found);
            uint32_t big = 0;
            while (big < count && !answers[big].big) {
                big++;
            }
            HT_CHECK_INT(status, count == 0 ? HT_NO_SEGMENT : HT_OK);
            HT_CHECK_INT(found, count == 0 ? 0 : big < count ? 2 : 1);
            const uint32_t want[2] = {0, big};
            for (uint32_t k = 0; k < found && k < 2; k++) {
                const struct answer *match = NULL;
                HT_REQUIRE(listed(answers, count, &places[k], t, &match));
                HT_CHECK(fabs(match->distance - answers[want[k]].distance) <=
                         tolerance(match->distance));
                check_place(t, &places[k], match->sides);
                HT_CHECK(k == 0 || !places[k].small);
            }
            free(answers);
        }
        ht_snap_work_free(work);
        ht_snap_index_free(index);
        snap_town_free(t);
    }
}

static bool same_side(const struct ht_place_side *a, const struct ht_place_side *b)
{
    return a->arc == b->arc &&
           (a->arc == HT_NONE || (a->before_mm == b->before_mm && a->after_mm == b->after_mm));
}

HT_CASE(many_trips_at_once_are_those_of_one_after_the_other)
{
    enum { ASKS = 203 }; /* no multiple of what goes on together */
    uint64_t seed = 9;
    for (int i = 0; i < TOWNS; i++) {
        struct snap_town *t =
            snap_town_new(towns[i].junctions, towns[i].width_e7, 300u + (unsigned)i);
        struct ht_snap_index *index = NULL;
        struct ht_snap_work *work = NULL;
        static struct ht_snap_ask asks[ASKS];
        static struct ht_snap_trip trips[ASKS];
        HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
        HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
        for (int k = 0; k < ASKS; k++) {
            asks[k].point = random_point(t, &seed, towns[i].width_e7);
            asks[k].options = random_options(&seed, towns[i].width_e7);
        }
        ht_snap_trips(index, asks, ASKS, trips);
        for (int k = 0; k < ASKS; k++) {
            struct ht_place places[2];
            uint32_t found = 0;
            enum ht_status status =
                ht_snap_trip(index, work, asks[k].point, &asks[k].options, places, &found);
            HT_CHECK_INT(status, found == 0 ? HT_NO_SEGMENT : HT_OK);
            HT_CHECK_INT(trips[k].found, found);
            for (uint32_t p = 0; p < found; p++) {
                HT_CHECK(memcmp(&trips[k].place[p].point, &places[p].point,
                                sizeof places[p].point) == 0);
                HT_CHECK(same_side(&trips[k].place[p].side[0], &places[p].side[0]));
                HT_CHECK(same_side(&trips[k].place[p].side[1], &places[p].side[1]));
            }
        }
        ht_snap_work_free(work);
        ht_snap_index_free(index);
        snap_town_free(t);
    }
}

HT_CASE(equally_near_streets_come_by_their_lowest_arc)
{
    struct snap_town *t = snap_town_new(600, 1000000, 5);
    struct ht_snap_index *index = NULL;
    struct ht_snap_work *work = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    struct ht_snap_options o = ht_snap_options_default();
    o.any_street = true;
    uint32_t ties = 0;
    for (uint32_t j = 0; j < 600; j++) {
        struct ht_place places[8];
        uint32_t found = 0;
        HT_REQUIRE(ht_snap_nearest(index, work, t->network.node_point[j], &o, 8, places, &found) ==
                   HT_OK);
        for (uint32_t i = 1; i < found; i++) {
            if (places[i].distance_m > 0 || places[i - 1].distance_m > 0) {
                break;
            }
            uint32_t key[2];
            uint32_t segment[2];
            for (uint32_t k = 0; k < 2; k++) {
                const struct ht_place *p = &places[i - 1 + k];
                bool along = p->side[0].arc != HT_NONE;
                key[k] = p->side[along ? 0 : 1].arc;
                uint32_t last = ht_arc_point_count(&t->graph.arcs[key[k]]) - 2;
                segment[k] = along ? p->segment : last - p->segment;
            }
            ties++;
            HT_CHECK(key[0] < key[1] || (key[0] == key[1] && segment[0] < segment[1]));
        }
    }
    HT_CHECK(ties > 100);
    ht_snap_work_free(work);
    ht_snap_index_free(index);
    snap_town_free(t);
}

HT_CASE(all_kernels_and_thread_counts_give_the_same_answers)
{
    struct snap_town *t = snap_town_new(3000, 3000000, 6);
    struct ht_snap_index *index = NULL;
    struct ht_snap_index *parallel = NULL;
    struct ht_snap_work *work = NULL;
    struct ht_pool *pool = NULL;
    HT_REQUIRE(ht_pool_new(3, &pool) == HT_OK);
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, pool, &parallel) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    HT_CHECK_INT(index->size, parallel->size);
    HT_CHECK(memcmp(index->data, parallel->data, index->size) == 0);
    uint64_t seed = 9;
    for (int round = 0; round < 3000; round++) {
        struct ht_point q = random_point(t, &seed, 3000000);
        struct ht_snap_options o = random_options(&seed, 3000000);
        struct ht_place places[3][5];
        memset(places, 0, sizeof places);
        uint32_t found[3] = {0};
        for (unsigned v = 0; ht_snap__kernels(v) != NULL; v++) {
            index->kernels = ht_snap__kernels(v);
            enum ht_status status = ht_snap_nearest(index, work, q, &o, 5, places[v], &found[v]);
            HT_CHECK(status == HT_OK || status == HT_NO_SEGMENT);
            HT_CHECK_INT(found[v], found[0]);
            for (uint32_t i = 0; i < found[v]; i++) {
                HT_CHECK_INT(places[v][i].side[0].arc, places[0][i].side[0].arc);
                HT_CHECK_INT(places[v][i].side[1].arc, places[0][i].side[1].arc);
                HT_CHECK_INT(places[v][i].segment, places[0][i].segment);
            }
        }
    }
    ht_pool_free(pool);
    ht_snap_work_free(work);
    ht_snap_index_free(parallel);
    ht_snap_index_free(index);
    snap_town_free(t);
}

/* --- windows and junctions -------------------------------------------------------------------- */

struct seen {
    const struct snap_town *town;
    uint8_t *times; /* by way_node of the segment's lower end */
    uint32_t count;
};

static void see(void *user, const struct ht_snap_segment *segment)
{
    struct seen *seen = user;
    uint32_t arc = segment->arc[0] != HT_NONE ? segment->arc[0] : segment->arc[1];
    const struct ht_arc *a = &seen->town->graph.arcs[arc];
    uint32_t at =
        ht_arc_is_forward(a) ? a->from + segment->segment : a->from - segment->segment - 1;
    HT_CHECK_INT(seen->town->network.way_node[at], segment->from_node);
    HT_CHECK_INT(seen->town->network.way_node[at + 1], segment->to_node);
    seen->times[at]++;
    seen->count++;
}

HT_CASE(window_lists_each_segment_that_meets_it_once)
{
    uint64_t seed = 11;
    for (int i = 0; i < TOWNS; i++) {
        struct snap_town *t =
            snap_town_new(towns[i].junctions, towns[i].width_e7, 300u + (unsigned)i);
        struct ht_snap_index *index = NULL;
        HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
        for (int round = 0; round < 200; round++) {
            struct ht_box box =
                ht_box_grow(ht_box_empty(), random_point(t, &seed, towns[i].width_e7));
            box = ht_box_grow(box, random_point(t, &seed, towns[i].width_e7));
            struct seen seen = {.town = t, .times = calloc(t->network.way_node_count, 1)};
            HT_REQUIRE(seen.times != NULL);
            ht_snap_window(index, box, see, &seen);
            uint32_t want = 0;
            for (uint32_t w = 0; w < t->network.way_count; w++) {
                for (uint32_t n = t->network.ways[w].first_node;
                     n + 1 < t->network.ways[w + 1].first_node; n++) {
                    struct ht_point u = t->network.node_point[t->network.way_node[n]];
                    struct ht_point v = t->network.node_point[t->network.way_node[n + 1]];
                    bool meets = (u.lon_e7 < v.lon_e7 ? u : v).lon_e7 <= box.max.lon_e7 &&
                                 (u.lon_e7 < v.lon_e7 ? v : u).lon_e7 >= box.min.lon_e7 &&
                                 (u.lat_e7 < v.lat_e7 ? u : v).lat_e7 <= box.max.lat_e7 &&
                                 (u.lat_e7 < v.lat_e7 ? v : u).lat_e7 >= box.min.lat_e7;
                    HT_CHECK_INT(seen.times[n], meets);
                    want += meets;
                }
            }
            HT_CHECK_INT(seen.count, want);
            free(seen.times);
        }
        ht_snap_index_free(index);
        snap_town_free(t);
    }
}

HT_CASE(junction_gives_every_street_that_meets_there)
{
    struct snap_town *t = snap_town_new(600, 1000000, 12);
    struct ht_snap_index *index = NULL;
    struct ht_snap_work *work = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    struct ht_snap_options o = ht_snap_options_default();
    uint32_t several = 0;
    for (uint32_t j = 0; j < 600; j++) {
        struct ht_place place;
        struct ht_place all[64];
        uint32_t found = 0;
        if (t->graph.junction_first_out[j] == t->graph.junction_first_out[j + 1] &&
            t->graph.junction_first_in[j] == t->graph.junction_first_in[j + 1]) {
            continue;
        }
        HT_REQUIRE(ht_snap_nearest(index, work, t->network.node_point[j], &o, 1, &place, &found) ==
                   HT_OK);
        if (place.distance_m > 0) {
            continue; /* no street there may be used */
        }
        uint32_t count = ht_snap_junction(index, &place, &o, all, 64);
        HT_CHECK(all[0].side[0].arc == place.side[0].arc &&
                 all[0].side[1].arc == place.side[1].arc);
        bool leaves[2] = {false, false};
        uint32_t want = 0; /* sides that may be used and touch the junction */
        for (uint32_t a = 0; a < t->graph.base_arc_count; a++) {
            want += (t->graph.arcs[a].tail == j || t->graph.arcs[a].head == j) &&
                    (t->graph.arcs[a].flags & HT_ARC_NO_START) == 0;
        }
        uint32_t got = 0;
        for (uint32_t i = 0; i < count; i++) {
            HT_CHECK(all[i].point.lon_e7 == t->network.node_point[j].lon_e7 &&
                     all[i].point.lat_e7 == t->network.node_point[j].lat_e7);
            for (int side = 0; side < 2; side++) {
                if (all[i].side[side].arc == HT_NONE) {
                    continue;
                }
                const struct ht_arc *a = &t->graph.arcs[all[i].side[side].arc];
                got++;
                HT_CHECK(a->tail == j ? all[i].side[side].before_mm == 0
                                      : a->head == j && all[i].side[side].after_mm == 0);
                leaves[a->tail == j ? 0 : 1] = true;
            }
            check_side(t, &all[i], 0);
            check_side(t, &all[i], 1);
        }
        HT_CHECK_INT(got, want);
        several += count > 1 && leaves[0];
        HT_CHECK_INT(ht_snap_junction(index, &place, &o, all, 1), 1);
    }
    HT_CHECK(several > 100);
    ht_snap_work_free(work);
    ht_snap_index_free(index);
    snap_town_free(t);
}

HT_CASE(place_in_the_middle_of_a_street_is_no_junction)
{
    struct snap_town *t = snap_town_new(2, 3000000, 13);
    struct ht_snap_index *index = NULL;
    struct ht_snap_work *work = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    struct ht_snap_options o = ht_snap_options_default();
    o.any_street = true;
    struct ht_place place;
    struct ht_place all[4];
    uint32_t found = 0;
    struct ht_point middle =
        ht_point_between(t->network.node_point[0], t->network.node_point[1], 0.5);
    HT_REQUIRE(ht_snap_nearest(index, work, middle, &o, 1, &place, &found) == HT_OK);
    HT_CHECK_INT(ht_snap_junction(index, &place, &o, all, 4), 1);
    ht_snap_work_free(work);
    ht_snap_index_free(index);
    snap_town_free(t);
}

/* Flags in more combinations than have numbers. */
HT_CASE(every_entry_says_of_its_sides_what_the_arcs_do)
{
    struct snap_town *t = snap_town_new(900, 1000000, 19);
    struct ht_snap_index *index = NULL;
    uint64_t seed = 20;
    for (uint32_t a = 0; a < t->arc_count; a++) {
        t->arcs[a].flags ^= (ht_random_below(&seed, 16) << HT_ARC_CLASS_SHIFT) & HT_ARC_FLAGS;
    }
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &index) == HT_OK);
    uint32_t asked = 0;
    uint32_t wrong = 0;
    uint32_t count = index->own->entry_count;
    for (uint32_t i = 0; i < count; i++) {
        struct ht_snap_ref ref = ht_snap__ref(index, i);
        asked += index->sides[i] == HT_SNAP_ASK;
        wrong += ref.packed != ht_snap__pack(&t->graph, ref.arc);
        wrong += ref.along >= t->arcs[ref.arc].segments;
    }
    HT_CHECK(count > 3000 && asked > 0 && asked < count / 2);
    HT_CHECK_INT(wrong, 0);
    ht_snap_index_free(index);
    snap_town_free(t);
}

/* --- blobs ------------------------------------------------------------------------------------ */

HT_CASE(empty_graph_has_no_places)
{
    struct snap_town *t = snap_town_new(1, 1000, 14);
    struct ht_snap_index *built = NULL;
    struct ht_snap_index *index = NULL;
    struct ht_snap_work *work = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &built) == HT_OK);
    const void *data = NULL;
    size_t size = 0;
    ht_snap_data(built, &data, &size);
    HT_REQUIRE(ht_snap_view(ht_snap_tree_of(built), &t->graph, data, size, &index) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    struct ht_snap_options o = ht_snap_options_default();
    struct ht_place places[2];
    uint32_t found = 9;
    HT_CHECK_INT(ht_snap_nearest(index, work, t->network.node_point[0], &o, 2, places, &found),
                 HT_NO_SEGMENT);
    HT_CHECK_INT(found, 0);
    HT_CHECK_INT(ht_snap_trip(index, work, t->network.node_point[0], &o, places, &found),
                 HT_NO_SEGMENT);
    ht_snap_work_free(work);
    ht_snap_index_free(index);
    ht_snap_index_free(built);
    snap_town_free(t);
}

/* Blocks as a file's reader takes them: seen, then checked. */
static enum ht_status tree_checked(const struct snap_town *t, const void *data, size_t size,
                                   struct ht_snap_tree **out)
{
    enum ht_status status = ht_snap_tree_view(&t->network, data, size, out);
    if (status == HT_OK) {
        status = ht_snap_tree_check(*out);
    }
    if (status != HT_OK) {
        ht_snap_tree_free(*out);
        *out = NULL;
    }
    return status;
}

static enum ht_status view_checked(const struct ht_snap_tree *tree, const struct snap_town *t,
                                   const void *data, size_t size, struct ht_snap_index **out)
{
    enum ht_status status = ht_snap_view(tree, &t->graph, data, size, out);
    if (status == HT_OK) {
        status = ht_snap_check(*out);
    }
    if (status != HT_OK) {
        ht_snap_index_free(*out);
        *out = NULL;
    }
    return status;
}

/* A copy with room to be moved in; the caller frees. */
static char *copy_of(const void *data, size_t size)
{
    char *copy = aligned_alloc(64, size + 64);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, size);
    return copy;
}

/* The same of what a profile adds to the tree. */
static void view_refuses_of_a_profile(const struct snap_town *t, const struct ht_snap_index *built)
{
    size_t size = built->size;
    char *copy = copy_of(built->data, size);
    struct ht_snap_index *index = NULL;
    struct ht_snap_own *own = (void *)copy;
    uint8_t *sides = (void *)(copy + ((const char *)built->sides - (const char *)built->data));
    uint32_t *arcs = (void *)(copy + ((const char *)built->arcs - (const char *)built->data));
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_OK);
    ht_snap_index_free(index);
    HT_CHECK_INT(view_checked(&built->tree, t, copy + 4, size, &index), HT_INVALID);
    HT_CHECK_INT(view_checked(&built->tree, t, copy, 63, &index), HT_TRUNCATED);
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size - 64, &index), HT_TRUNCATED);
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size + 64, &index), HT_TRUNCATED);
    copy[0]++;
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_FOREIGN);
    copy[0]--;
    uint32_t *const counts[] = {&own->entry_count, &own->leaf_count, &own->base_arc_count,
                                &own->way_node_count};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ++*counts[i];
        HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_RANGE);
        --*counts[i];
    }
    own->version++;
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_VERSION);
    own->version--;
    uint32_t arc = arcs[17];
    arcs[17] = t->graph.base_arc_count;
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_RANGE);
    arcs[17] = arc;
    sides[17] = HT_SNAP_ASK - 1; /* of no side */
    ((uint16_t *)(void *)(copy + 64))[sides[17]] = HT_SNAP_SMALL;
    HT_CHECK_INT(view_checked(&built->tree, t, copy, size, &index), HT_RANGE);
    HT_CHECK(index == NULL);
    free(copy);
}

HT_CASE(view_refuses_what_is_damaged)
{
    struct snap_town *t = snap_town_new(600, 1000000, 15);
    struct ht_snap_index *built = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &built) == HT_OK);
    size_t size = built->tree.size;
    char *copy = copy_of(built->tree.data, size);
    struct ht_snap_tree *tree = NULL;
    struct ht_snap_head *head = (void *)copy;
    uint32_t *from =
        (void *)(copy + ((const char *)built->tree.from - (const char *)built->tree.data));
    struct ht_snap_node *root =
        (void *)(copy + ((const char *)built->tree.level[0] - (const char *)built->tree.data));
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_OK);
    ht_snap_tree_free(tree);
    HT_CHECK_INT(tree_checked(t, copy + 4, size, &tree), HT_INVALID);
    HT_CHECK_INT(tree_checked(t, copy, 63, &tree), HT_TRUNCATED);
    HT_CHECK_INT(tree_checked(t, copy, size - 64, &tree), HT_TRUNCATED);
    HT_CHECK_INT(tree_checked(t, copy, size + 64, &tree), HT_TRUNCATED);
    copy[0]++;
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_FOREIGN);
    copy[0]--;
    head->version++;
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_VERSION);
    head->version--;
    head->level_count++;
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_RANGE);
    head->level_count--;
    head->way_node_count++;
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_RANGE);
    head->way_node_count--;
    uint32_t old = from[17];
    from[17] = t->network.way_node_count - 1; /* a segment needs two */
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_RANGE);
    from[17] = old;
    root->min_x[3] = (uint16_t)(root->max_x[3] + 1);
    HT_CHECK_INT(tree_checked(t, copy, size, &tree), HT_RANGE);
    HT_CHECK(tree == NULL);
    free(copy);
    view_refuses_of_a_profile(t, built);
    ht_snap_index_free(built);
    snap_town_free(t);
}

HT_CASE(build_and_view_survive_every_failed_allocation_oom)
{
    struct snap_town *t = snap_town_new(600, 1000000, 18);
    int refused = 0;
    for (int n = 0; n < 1000; n++) {
        struct ht_snap_index *index = NULL;
        struct ht_snap_index *view = NULL;
        struct ht_snap_work *work = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_snap_build(&t->network, &t->graph, NULL, &index);
        if (status == HT_OK) {
            status =
                ht_snap_view(ht_snap_tree_of(index), &t->graph, index->data, index->size, &view);
        }
        if (status == HT_OK) {
            status = ht_snap_work_new(&work);
        }
        if (status == HT_OK) {
            struct ht_snap_options o = ht_snap_options_default();
            struct ht_place places[4];
            uint32_t found = 0;
            status = ht_snap_nearest(view, work, t->network.node_point[0], &o, 4, places, &found);
        }
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        ht_snap_work_free(work);
        ht_snap_index_free(view);
        ht_snap_index_free(index);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK(refused > 10 && refused < 1000);
    snap_town_free(t);
}

static void scramble(char *data, size_t from, size_t size, uint64_t *seed)
{
    for (int i = 0; i < 200; i++) {
        size_t at = from + ht_random(seed) % (size - from);
        data[at] = (char)ht_random(seed);
    }
}

/* Sets right what a check would refuse. */
static void make_plausible(const struct ht_snap_index *built, char *tree, char *own)
{
    uint32_t *from =
        (void *)(tree + ((const char *)built->tree.from - (const char *)built->tree.data));
    const uint16_t *packs = (void *)(own + 64);
    uint8_t *sides = (void *)(own + ((const char *)built->sides - (const char *)built->data));
    uint32_t *arcs = (void *)(own + ((const char *)built->arcs - (const char *)built->data));
    for (uint32_t i = 0; i < built->own->leaf_count * HT_SNAP_FAN; i++) {
        bool entry = i < built->own->entry_count;
        bool of_a_side = (packs[sides[i]] & (HT_SNAP_ALONG | HT_SNAP_AGAINST)) != 0;
        sides[i] = !entry ? 0 : sides[i] == 0 || of_a_side ? sides[i] : HT_SNAP_ASK;
        if (entry) {
            from[i] %= built->own->way_node_count - 1;
        }
    }
    for (uint32_t i = 0; i < built->own->piece_count; i++) {
        arcs[i] %= built->own->base_arc_count;
    }
}

HT_CASE(forged_blob_that_passes_never_leads_outside)
{
    struct snap_town *t = snap_town_new(600, 1000000, 16);
    struct ht_snap_index *built = NULL;
    struct ht_snap_work *work = NULL;
    HT_REQUIRE(ht_snap_build(&t->network, &t->graph, NULL, &built) == HT_OK);
    HT_REQUIRE(ht_snap_work_new(&work) == HT_OK);
    char *copy = copy_of(built->tree.data, built->tree.size);
    char *own = copy_of(built->data, built->size);
    uint64_t seed = 17;
    uint32_t passed = 0;
    for (int round = 0; round < 400; round++) {
        memcpy(copy, built->tree.data, built->tree.size);
        memcpy(own, built->data, built->size);
        size_t leaves = (size_t)((const char *)built->tree.leaves - (const char *)built->tree.data);
        size_t from = round % 4 == 0 ? 64 : leaves; /* boxes too, or what no check can see */
        scramble(copy, from, built->tree.size, &seed);
        scramble(own, 64, built->size, &seed);
        make_plausible(built, copy, own);
        struct ht_snap_tree *tree = NULL;
        struct ht_snap_index *index = NULL;
        if (tree_checked(t, copy, built->tree.size, &tree) != HT_OK ||
            view_checked(tree, t, own, built->size, &index) != HT_OK) {
            ht_snap_tree_free(tree);
            continue;
        }
        passed++;
        for (int i = 0; i < 50; i++) {
            struct ht_place places[4];
            uint32_t found = 0;
            struct ht_snap_options o = random_options(&seed, 1000000);
            struct ht_point q = random_point(t, &seed, 1000000);
            (void)!ht_snap_nearest(index, work, q, &o, 4, places, &found);
            for (uint32_t k = 0; k < found; k++) {
                const struct ht_place_side *s = places[k].side;
                HT_CHECK(s[0].arc == HT_NONE ||
                         s[0].before_mm <= t->graph.arcs[s[0].arc].length_mm);
                HT_CHECK(s[1].arc == HT_NONE ||
                         s[1].before_mm <= t->graph.arcs[s[1].arc].length_mm);
            }
        }
        ht_snap_index_free(index);
        ht_snap_tree_free(tree);
    }
    HT_CHECK(passed > 0);
    free(copy);
    free(own);
    ht_snap_work_free(work);
    ht_snap_index_free(built);
    snap_town_free(t);
}

HT_MAIN()
