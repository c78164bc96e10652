/* Outline: the two promises about reached and unreached points of streets, holes, validity. */
#include "geodata/outline.h"

#include <math.h>

#include "geodata/shape.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"

struct scene {
    struct ht_random_town *town;
    struct ht_snap_index *snap;
    struct ht_road road;
    struct ht_outline_work *work;
    struct ht_geometry shape;
    struct ht_isochrone_piece *pieces;
    size_t count;
    uint64_t state;
};

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* A town moved to `lat_e7`, its streets as long as they are there. */
static void scene_init(struct scene *s, uint32_t side, uint64_t seed, int32_t lat_e7)
{
    *s = (struct scene){.town = ht_random_town_new(side, side, seed), .state = seed + 5};
    struct ht_random_town *t = s->town;
    for (uint32_t j = 0; j < t->network.node_count; j++) {
        t->points[j].lat_e7 += lat_e7;
        t->points[j].lon_e7 += 1210000000;
    }
    for (uint32_t a = 0; a < t->graph.arc_count; a++) {
        t->arcs[a].length_mm =
            ht_distance_mm(t->points[t->arcs[a].tail], t->points[t->arcs[a].head]);
    }
    need(ht_snap_build(&t->network, &t->graph, NULL, &s->snap) == HT_OK);
    s->road = (struct ht_road){.network = &t->network, .graph = &t->graph, .snap = s->snap};
    need(ht_outline_work_new(&s->work) == HT_OK);
    ht_geometry_init(&s->shape);
    s->pieces = calloc((size_t)t->graph.base_arc_count * 2 + 1, sizeof *s->pieces);
    need(s->pieces != NULL);
}

static void scene_deinit(struct scene *s)
{
    ht_geometry_deinit(&s->shape);
    ht_outline_work_free(s->work);
    ht_snap_index_free(s->snap);
    ht_random_town_free(s->town);
    free(s->pieces);
}

static bool is_street(const struct scene *s, uint32_t arc)
{
    return s->town->arcs[arc].reverse > arc && s->town->arcs[arc].tail != s->town->arcs[arc].head;
}

/* Some streets whole, some from one end or both, some not at all. */
static void pieces_random(struct scene *s, uint32_t of_ten)
{
    s->count = 0;
    for (uint32_t a = 0; a < s->town->graph.base_arc_count; a++) {
        uint32_t length = s->town->arcs[a].length_mm;
        if (!is_street(s, a) || ht_random_below(&s->state, 10) >= of_ten) {
            continue;
        }
        uint32_t kind = ht_random_below(&s->state, 4);
        uint32_t x = ht_random_below(&s->state, length + 1);
        uint32_t y = x + ht_random_below(&s->state, length - x + 1);
        if (kind == 0) {
            s->pieces[s->count++] = (struct ht_isochrone_piece){a, 0, length};
        }
        if (kind == 1 || (kind == 3 && y > x + 1)) {
            s->pieces[s->count++] = (struct ht_isochrone_piece){a, 0, x};
        }
        if (kind == 2 || (kind == 3 && y > x + 1)) {
            s->pieces[s->count++] = (struct ht_isochrone_piece){a, y, length};
        }
    }
}

static struct ht_point spot(const struct scene *s, uint32_t arc, uint32_t mm)
{
    const struct ht_arc *a = &s->town->arcs[arc];
    return ht_point_between(s->town->points[a->tail], s->town->points[a->head],
                            a->length_mm == 0 ? 0 : (double)mm / a->length_mm);
}

static bool covered(const struct scene *s, uint32_t arc, uint32_t mm)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->pieces[i].arc == arc && s->pieces[i].from_mm <= mm && mm <= s->pieces[i].to_mm) {
            return true;
        }
    }
    return false;
}

/* By evenness; borders don't matter here. */
static bool inside(const struct ht_geometry *g, struct ht_point p)
{
    bool in = false;
    size_t first = 0;
    for (size_t r = 0; r < g->ring_count; r++) {
        for (size_t i = first; i + 1 < g->ring_ends[r]; i++) {
            struct ht_point a = g->points[i];
            struct ht_point b = g->points[i + 1];
            if ((a.lat_e7 > p.lat_e7) != (b.lat_e7 > p.lat_e7) &&
                p.lon_e7 < a.lon_e7 + ((double)b.lon_e7 - a.lon_e7) *
                                          ((double)p.lat_e7 - a.lat_e7) /
                                          ((double)b.lat_e7 - a.lat_e7)) {
                in = !in;
            }
        }
        first = g->ring_ends[r];
    }
    return in;
}

/* To the nearest of points a metre apart on reached pieces. */
static double to_reached(const struct scene *s, struct ht_point p)
{
    double least = INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        const struct ht_isochrone_piece *piece = &s->pieces[i];
        double length = s->town->arcs[piece->arc].length_mm;
        if (ht_distance_m(p, spot(s, piece->arc, 0)) > least + length * 1e-3) {
            continue;
        }
        for (uint32_t mm = piece->from_mm;; mm += 1000) {
            mm = mm < piece->to_mm ? mm : piece->to_mm;
            least = fmin(least, ht_distance_m(p, spot(s, piece->arc, mm)));
            if (mm == piece->to_mm) {
                break;
            }
        }
    }
    return least;
}

struct tally {
    int left_out; /* reached points outside */
    int taken_in; /* others inside, farther than 25 m */
    int far;      /* others farther than that */
    int reached;
    int holes;
    int invalid;
};

static void look(const struct scene *s, uint32_t arc, uint32_t mm, struct tally *tally)
{
    struct ht_point p = spot(s, arc, mm);
    bool in = inside(&s->shape, p);
    if (covered(s, arc, mm)) {
        tally->reached++;
        tally->left_out += !in;
    } else if (to_reached(s, p) > 25.5) { /* the samples are half a metre off at most */
        tally->far++;
        tally->taken_in += in;
    }
}

static double ring_area(const struct ht_geometry *g, size_t ring)
{
    size_t first = ring == 0 ? 0 : g->ring_ends[ring - 1];
    double twice = 0;
    for (size_t i = first; i + 1 < g->ring_ends[ring]; i++) {
        struct ht_point o = g->points[first];
        twice +=
            ((double)g->points[i].lon_e7 - o.lon_e7) *
                ((double)g->points[i + 1].lat_e7 - o.lat_e7) -
            ((double)g->points[i + 1].lon_e7 - o.lon_e7) * ((double)g->points[i].lat_e7 - o.lat_e7);
    }
    return twice;
}

/* Valid, shells against the clock, holes with it. */
static bool sound(const struct ht_geometry *g, int *holes)
{
    struct ht_shape_work *work = NULL;
    size_t ring = 0;
    bool good = true;
    need(ht_shape_work_new(&work) == HT_OK);
    good = ht_shape_check(work, g, NULL, NULL) == HT_OK;
    ht_shape_work_free(work);
    for (size_t p = 0; p < g->polygon_count; p++) {
        for (size_t first = ring; ring < g->polygon_ends[p]; ring++) {
            good = good && (ring == first) == (ring_area(g, ring) > 0);
            *holes += ring != first;
        }
    }
    return good && ring > 0;
}

static void check(struct scene *s, struct tally *tally)
{
    need(ht_outline_make(s->work, &s->road, s->pieces, s->count, &s->shape) == HT_OK);
    tally->invalid += !sound(&s->shape, &tally->holes);
    for (uint32_t a = 0; a < s->town->graph.base_arc_count; a++) {
        if (!is_street(s, a)) {
            continue;
        }
        uint32_t length = s->town->arcs[a].length_mm;
        for (uint32_t mm = 0; mm < length; mm += 2500) {
            look(s, a, mm, tally);
        }
        look(s, a, length, tally);
    }
    for (size_t i = 0; i < s->count; i++) { /* where pieces end */
        look(s, s->pieces[i].arc, s->pieces[i].from_mm, tally);
        look(s, s->pieces[i].arc, s->pieces[i].to_mm, tally);
    }
}

HT_CASE(reached_points_are_inside_and_far_ones_are_not)
{
    static const int32_t latitudes[] = {300000000, 0, 600000000, -350000000, 780000000};
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= (HT_LONG ? 60 : 10); seed++) {
        struct scene s;
        scene_init(&s, 7, seed, latitudes[seed % 5]);
        pieces_random(&s, 1 + (uint32_t)(seed * 3 % 9));
        HT_REQUIRE(s.count > 0);
        check(&s, &tally);
        scene_deinit(&s);
    }
    HT_CHECK_INT(tally.left_out, 0);
    HT_CHECK_INT(tally.taken_in, 0);
    HT_CHECK_INT(tally.invalid, 0);
    HT_CHECK(tally.reached > 1000);
    HT_CHECK(tally.far > 1000);
    HT_CHECK(tally.holes > 0);
}

/* All streets but those around the middle of the town. */
HT_CASE(a_pocket_that_is_not_reached_stays_a_hole)
{
    struct scene s;
    scene_init(&s, 9, 3, 299000000);
    struct ht_point middle = {1210000000 + 45000, 299000000 + 45000};
    struct tally tally = {0};
    for (uint32_t a = 0; a < s.town->graph.base_arc_count; a++) {
        uint32_t length = s.town->arcs[a].length_mm;
        if (is_street(&s, a) && ht_distance_m(middle, spot(&s, a, length / 2)) > 200) {
            s.pieces[s.count++] = (struct ht_isochrone_piece){a, 0, length};
        }
    }
    check(&s, &tally);
    HT_CHECK_INT(tally.left_out, 0);
    HT_CHECK_INT(tally.taken_in, 0);
    HT_CHECK_INT(tally.invalid, 0);
    HT_CHECK(tally.holes > 0);
    HT_CHECK(!inside(&s.shape, middle));
    HT_CHECK(inside(&s.shape, spot(&s, s.pieces[0].arc, 0)));
    scene_deinit(&s);
}

HT_CASE(a_yard_between_reached_streets_belongs_to_them)
{
    struct scene s;
    scene_init(&s, 3, 1, 300000000);
    struct tally tally = {0};
    for (uint32_t a = 0; a < s.town->graph.base_arc_count; a++) {
        if (is_street(&s, a)) {
            s.pieces[s.count++] = (struct ht_isochrone_piece){a, 0, s.town->arcs[a].length_mm};
        }
    }
    check(&s, &tally);
    HT_CHECK_INT(tally.left_out, 0);
    HT_CHECK_INT(tally.holes, 0);
    HT_CHECK_INT((int)s.shape.polygon_count, 1);
    scene_deinit(&s);
}

HT_CASE(one_point_has_an_outline_and_nothing_has_none)
{
    struct scene s;
    scene_init(&s, 3, 2, 300000000);
    int holes = 0;
    HT_CHECK_INT(ht_outline_make(s.work, &s.road, s.pieces, 0, &s.shape), HT_EMPTY);
    s.pieces[0] = (struct ht_isochrone_piece){0, 20000, 20000};
    HT_REQUIRE(ht_outline_make(s.work, &s.road, s.pieces, 1, &s.shape) == HT_OK);
    HT_CHECK(sound(&s.shape, &holes));
    HT_CHECK(inside(&s.shape, spot(&s, 0, 20000)));
    scene_deinit(&s);
}

HT_CASE(the_edge_of_the_world_is_kept)
{
    struct scene s;
    scene_init(&s, 3, 2, 0);
    int holes = 0;
    for (uint32_t j = 0; j < s.town->network.node_count; j++) {
        s.town->points[j].lon_e7 += HT_LON_MAX_E7 - 1210000000 - 27000;
    }
    ht_snap_index_free(s.snap);
    HT_REQUIRE(ht_snap_build(&s.town->network, &s.town->graph, NULL, &s.snap) == HT_OK);
    s.road.snap = s.snap;
    pieces_random(&s, 10);
    HT_REQUIRE(ht_outline_make(s.work, &s.road, s.pieces, s.count, &s.shape) == HT_OK);
    HT_CHECK(sound(&s.shape, &holes));
    HT_CHECK(s.shape.box.max.lon_e7 <= HT_LON_MAX_E7);
    scene_deinit(&s);
}

HT_CASE(a_lack_of_memory_is_told)
{
    struct scene s;
    scene_init(&s, 4, 5, 300000000);
    pieces_random(&s, 6);
    bool more = true;
    int refused = 0;
    for (int n = 0; more && n < 60; n++) {
        ht_outline_work_free(s.work);
        s.work = NULL;
        need(ht_outline_work_new(&s.work) == HT_OK);
        ht_geometry_deinit(&s.shape);
        ht_geometry_init(&s.shape);
        ht_oom_arm(n);
        enum ht_status status = ht_outline_make(s.work, &s.road, s.pieces, s.count, &s.shape);
        more = ht_oom_disarm();
        HT_CHECK_INT(status, more ? HT_NOMEM : HT_OK);
        refused += more;
    }
    HT_CHECK(!more);
    HT_CHECK(refused > 5);
    scene_deinit(&s);
}

HT_MAIN()
