/* Routes over several stops, their shapes and overviews, on a tiny town. */
#include "engine/road/route.h"

#include "engine/road/overview.h"
#include "engine/road/shape.h"
#include "engine/road/stops.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/tiny_road.h"

#define STREET .road_class = HT_ROAD_RESIDENTIAL

static const struct ht_tiny_way ways[] = {
    {.nodes = "abcd", .name = "first", STREET},
    {.nodes = "efgh", .name = "second", STREET},
    {.nodes = "ijkl", .name = "third", STREET, .oneway = true},
    {.nodes = "aei", STREET},
    {.nodes = "bfj", STREET},
    {.nodes = "cgk", STREET, .oneway = true},
    {.nodes = "dhl", STREET},
    {.nodes = "dxyz", .name = "bend", STREET},
};

static const char map[] = "a  b  c d x\n"
                          "           \n"
                          "e  f  g h  y\n"
                          "i  j  k l  z\n";

struct town {
    struct ht_tiny *tiny;
    struct ht_tiny_road road;
    struct ht_query *query;
    struct ht_route *route;
};

static struct town make_town(void)
{
    struct town town = {.tiny = ht_tiny_new(map, 50, ways, sizeof ways / sizeof *ways, "efg")};
    ht_tiny_road_init(&town.road, town.tiny);
    ht_tiny_require(ht_query_new(&town.query) == HT_OK && ht_route_new(&town.route) == HT_OK,
                    "out of memory");
    return town;
}

static void free_town(struct town *town)
{
    ht_query_free(town->query);
    ht_route_free(town->route);
    ht_tiny_road_free(&town->road);
    ht_tiny_free(town->tiny);
}

static const char *const pieces[] = {"ab", "bc", "cd", "ef", "fg", "gh", "ij", "jk",
                                     "ae", "fj", "cg", "hl", "dx", "xy", "yz"};

static struct ht_place random_place(const struct town *town, uint64_t *seed)
{
    const char *piece = pieces[ht_random_below(seed, sizeof pieces / sizeof *pieces)];
    return ht_tiny_place(town->tiny, piece[0], piece[1], ht_random_below(seed, 101) / 100.0);
}

/* The least weight over all choices of sides at the stops in the middle: plain recursion. */
static int64_t best_straight(struct town *town, const struct ht_place *places, uint32_t stop,
                             uint32_t count, unsigned sides)
{
    int64_t best = INT64_MAX;
    bool last = stop + 2 == count;
    for (unsigned side = 0; side < 2; side++) {
        struct ht_way_found way;
        if (places[stop + 1].side[side].arc == HT_NONE ||
            ht_query_cost(town->query, &town->road.road, &places[stop], sides, &places[stop + 1],
                          1U << side, &way) != HT_OK) {
            continue;
        }
        int64_t rest = last ? 0 : best_straight(town, places, stop + 1, count, 1U << side);
        if (rest < INT64_MAX && rest + way.cost.weight_ms < best) {
            best = rest + way.cost.weight_ms;
        }
    }
    return best;
}

static int64_t total_weight(const struct ht_route_found *found)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < found->leg_count; i++) {
        sum += found->legs[i].cost.weight_ms;
    }
    return sum;
}

HT_CASE(straight_legs_are_jointly_the_best)
{
    enum { STOPS = 4 };
    struct town town = make_town();
    uint64_t seed = 5;
    for (int round = 0; round < 300; round++) {
        struct ht_place places[STOPS];
        struct ht_stop stops[STOPS];
        for (uint32_t i = 0; i < STOPS; i++) {
            places[i] = random_place(&town, &seed);
            stops[i] = (struct ht_stop){i, 1};
        }
        struct ht_route_request request = {places, stops, STOPS, true, round % 2 == 0};
        struct ht_route_found found;
        enum ht_status status =
            ht_route_run(town.route, town.query, &town.road.road, &request, &found);
        int64_t want = best_straight(&town, places, 0, STOPS, HT_SIDES_BOTH);
        HT_CHECK_INT(status, want == INT64_MAX ? HT_NO_ROUTE : HT_OK);
        if (status == HT_OK) {
            HT_CHECK_INT(total_weight(&found), want);
            for (uint32_t i = 0; request.with_arcs && i + 1 < found.leg_count; i++) {
                HT_CHECK_INT(found.legs[i].target_side, found.legs[i + 1].source_side);
            }
        }
    }
    free_town(&town);
}

/* Whoever stands at a junction may go any way: a matrix between points says what a route says. */
HT_CASE(at_junctions_a_matrix_says_what_a_route_says)
{
    struct town town = make_town();
    struct ht_snap_options options = ht_snap_options_default();
    const struct ht_stops_ways over = {.road = &town.road.road};
    struct ht_stops stops = {.count = 0};
    struct ht_snap_work *snap = NULL;
    struct ht_matrix *matrix = NULL;
    uint32_t better = 0;
    HT_REQUIRE(ht_snap_work_new(&snap) == HT_OK && ht_matrix_new(&matrix) == HT_OK);
    for (uint32_t i = 0; i < town.tiny->network.node_count; i++) {
        struct ht_place two[2];
        uint32_t found = 0;
        HT_REQUIRE(ht_snap_trip(town.road.snap, snap, town.tiny->network.node_point[i], &options,
                                two, &found) == HT_OK);
        HT_REQUIRE(ht_stops_add(&stops, town.road.snap, &two[0], &options) == HT_OK);
    }
    HT_CHECK(stops.place_count > stops.count);
    size_t count = stops.count;
    for (size_t first = 0, rows = 0; first < count; first += rows) {
        HT_REQUIRE(ht_stops_run(&stops, matrix, &over, first, &rows) == HT_OK);
        for (size_t i = 0; i < rows * count; i++) {
            const struct ht_stop ends[2] = {stops.list[first + i / count], stops.list[i % count]};
            const struct ht_route_request request = {
                .places = stops.places, .stops = ends, .stop_count = 2};
            struct ht_route_found found;
            struct ht_way_found one;
            enum ht_status status =
                ht_route_run(town.route, town.query, &town.road.road, &request, &found);
            uint32_t weight_ms = status == HT_OK ? found.legs[0].cost.weight_ms : HT_WEIGHT_INF;
            HT_CHECK_INT(stops.costs[i].weight_ms, weight_ms);
            status =
                ht_query_cost(town.query, &town.road.road, &stops.places[ends[0].first],
                              HT_SIDES_BOTH, &stops.places[ends[1].first], HT_SIDES_BOTH, &one);
            better += status != HT_OK || one.cost.weight_ms > stops.costs[i].weight_ms;
        }
    }
    HT_CHECK(better > 0); /* than by the one street that the index names first */
    ht_stops_deinit(&stops);
    ht_matrix_free(matrix);
    ht_snap_work_free(snap);
    free_town(&town);
}

HT_CASE(stops_without_memory_are_told_oom)
{
    struct town town = make_town();
    struct ht_snap_options options = ht_snap_options_default();
    const struct ht_stops_ways over = {.road = &town.road.road};
    struct ht_place place = ht_tiny_place(town.tiny, 'b', 'f', 0);
    int refused = 0;
    for (long n = 0;; n++) {
        struct ht_stops stops = {.count = 0};
        struct ht_matrix *matrix = NULL;
        size_t rows = 0;
        ht_oom_arm(n);
        enum ht_status status = ht_matrix_new(&matrix);
        status = status == HT_OK ? ht_stops_add(&stops, town.road.snap, &place, &options) : status;
        status = status == HT_OK ? ht_stops_run(&stops, matrix, &over, 0, &rows) : status;
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        ht_matrix_free(matrix);
        ht_stops_deinit(&stops);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK(refused > 3);
    free_town(&town);
}

HT_CASE(free_legs_are_each_the_best)
{
    enum { STOPS = 3 };
    struct town town = make_town();
    uint64_t seed = 9;
    for (int round = 0; round < 200; round++) {
        struct ht_place places[STOPS * 2];
        struct ht_stop stops[STOPS];
        for (uint32_t i = 0; i < STOPS; i++) { /* two places a stop */
            places[2 * i] = random_place(&town, &seed);
            places[2 * i + 1] = random_place(&town, &seed);
            stops[i] = (struct ht_stop){2 * i, 2};
        }
        struct ht_route_request request = {places, stops, STOPS, false, true};
        struct ht_route_found found;
        enum ht_status status =
            ht_route_run(town.route, town.query, &town.road.road, &request, &found);
        int64_t want = 0;
        for (uint32_t i = 0; i + 1 < STOPS; i++) {
            uint32_t best = HT_WEIGHT_INF;
            for (uint32_t k = 0; k < 4; k++) {
                struct ht_way_found way;
                if (ht_query_cost(town.query, &town.road.road, &places[2 * i + k / 2],
                                  HT_SIDES_BOTH, &places[2 * i + 2 + k % 2], HT_SIDES_BOTH,
                                  &way) == HT_OK &&
                    way.cost.weight_ms < best) {
                    best = way.cost.weight_ms;
                }
            }
            want += best;
        }
        HT_CHECK_INT(status, HT_OK);
        HT_CHECK_INT(total_weight(&found), want);
    }
    free_town(&town);
}

HT_CASE(shape_parts_add_up_to_the_leg)
{
    struct town town = make_town();
    struct ht_shape shape = {0};
    uint64_t seed = 13;
    for (int round = 0; round < 300; round++) {
        struct ht_place places[2] = {random_place(&town, &seed), random_place(&town, &seed)};
        struct ht_stop stops[2] = {{0, 1}, {1, 1}};
        struct ht_route_request request = {places, stops, 2, false, true};
        struct ht_route_found found;
        HT_REQUIRE(ht_route_run(town.route, town.query, &town.road.road, &request, &found) ==
                   HT_OK);
        ht_shape_clear(&shape);
        HT_REQUIRE(ht_shape_add(&shape, &town.road.road, places, found.legs, found.arcs, true) ==
                   HT_OK);
        int64_t length = 0;
        int64_t duration = 0;
        double drawn = 0;
        for (size_t i = 0; i + 1 < shape.point_count; i++) {
            length += shape.parts[i].length_mm;
            duration += shape.parts[i].duration_ms;
            drawn += ht_distance_m(shape.points[i], shape.points[i + 1]);
        }
        const struct ht_leg *leg = found.legs;
        HT_CHECK(llabs(length - leg->cost.length_mm) <= 2);
        HT_CHECK(fabs(drawn * 1000 - (double)length) < 10 + (double)shape.point_count);
        int64_t turns = leg->cost.duration_ms - duration; /* u-turns of 20 s, rounding of shares */
        HT_CHECK(turns % 20000 <= 2 || turns % 20000 >= 19998);
        HT_CHECK(shape.points[0].lon_e7 == places[0].point.lon_e7);
        HT_CHECK(shape.points[shape.point_count - 1].lat_e7 == places[1].point.lat_e7);
    }
    ht_shape_deinit(&shape);
    free_town(&town);
}

HT_CASE(shape_lists_the_nodes_passed)
{
    struct town town = make_town();
    struct ht_shape shape = {0};
    struct ht_place places[2] = {ht_tiny_place(town.tiny, 'c', 'd', 0.5),
                                 ht_tiny_place(town.tiny, 'y', 'z', 0.25)};
    struct ht_stop stops[2] = {{0, 1}, {1, 1}};
    struct ht_route_request request = {places, stops, 2, false, true};
    struct ht_route_found found;
    HT_REQUIRE(ht_route_run(town.route, town.query, &town.road.road, &request, &found) == HT_OK);
    HT_REQUIRE(ht_shape_add(&shape, &town.road.road, places, found.legs, found.arcs, true) ==
               HT_OK);
    char letters[16] = {0};
    for (size_t i = 0; i < shape.point_count && i < 15; i++) {
        letters[i] = town.tiny->letter[shape.nodes[i]];
    }
    HT_CHECK_STR(letters, "cdxyz");
    ht_shape_deinit(&shape);
    free_town(&town);
}

HT_CASE(impossible_requests_are_refused)
{
    struct town town = make_town();
    struct ht_place place = ht_tiny_place(town.tiny, 'a', 'b', 0.5);
    struct ht_stop stops[2] = {{0, 1}, {0, 0}};
    struct ht_route_request request = {&place, stops, 1, true, true};
    struct ht_route_found found;
    HT_CHECK_INT(ht_route_run(town.route, town.query, &town.road.road, &request, &found),
                 HT_INVALID);
    request.stop_count = 2;
    HT_CHECK_INT(ht_route_run(town.route, town.query, &town.road.road, &request, &found),
                 HT_INVALID);
    free_town(&town);
}

HT_CASE(overview_zoom_fits_the_window)
{
    const struct ht_point one[2] = {{0, 0}, {0, 0}};
    const struct ht_point wide[2] = {{-1800000000, 0}, {1800000000, 0}};
    const struct ht_point town[2] = {{74000000, 437000000}, {75000000, 437500000}};
    HT_CHECK_INT(ht_overview_zoom(one, 2), 1);
    HT_CHECK_INT(ht_overview_zoom(wide, 2), 3);
    HT_CHECK_INT(ht_overview_zoom(town, 2), 14);
}

/* Distance of every point that was left out from the line that is left, in Mercator microdegrees.
 */
static double worst_offset(const struct ht_point *all, size_t count, const struct ht_point *kept,
                           size_t kept_count)
{
    double worst = 0;
    size_t k = 0;
    double stretch = 1 / cos(45 * 3.14159265358979323846 / 180);
    for (size_t i = 0; i < count; i++) {
        if (k + 1 < kept_count && all[i].lon_e7 == kept[k + 1].lon_e7 &&
            all[i].lat_e7 == kept[k + 1].lat_e7) {
            k++;
        }
        if (k + 1 >= kept_count) {
            break;
        }
        double ax = kept[k].lon_e7 / 10.0;
        double ay = kept[k].lat_e7 / 10.0 * stretch;
        double dx = kept[k + 1].lon_e7 / 10.0 - ax;
        double dy = kept[k + 1].lat_e7 / 10.0 * stretch - ay;
        double px = all[i].lon_e7 / 10.0 - ax;
        double py = all[i].lat_e7 / 10.0 * stretch - ay;
        double ratio = fmax(0, fmin(1, (px * dx + py * dy) / (dx * dx + dy * dy)));
        worst = fmax(worst, hypot(px - ratio * dx, py - ratio * dy));
    }
    return worst;
}

HT_CASE(overview_keeps_the_line_within_five_pixels)
{
    enum { COUNT = 400 };
    struct ht_point all[COUNT];
    struct ht_point line[COUNT];
    uint64_t seed = 17;
    for (size_t i = 0; i < COUNT; i++) { /* a crooked road at 45 degrees north */
        all[i] = (struct ht_point){(int32_t)i * 3000 + (int32_t)ht_random_below(&seed, 2000),
                                   450000000 + (int32_t)ht_random_below(&seed, 4000)};
    }
    struct ht_overview overview = {0};
    size_t last = COUNT + 1;
    for (unsigned zoom = 18; zoom >= 10; zoom--) {
        size_t count = COUNT;
        memcpy(line, all, sizeof all);
        HT_REQUIRE(ht_overview_simplify(&overview, line, &count, zoom) == HT_OK);
        double pixel = 360 / (ldexp(1, (int)zoom) * 256) * 1e6;
        HT_CHECK(count <= last && count >= 2);
        HT_CHECK(line[0].lon_e7 == all[0].lon_e7);
        HT_CHECK(line[count - 1].lon_e7 == all[COUNT - 1].lon_e7);
        HT_CHECK(worst_offset(all, COUNT, line, count) < 5.01 * pixel);
        last = count;
    }
    HT_CHECK_INT(last, 2);
    ht_overview_deinit(&overview);
}

HT_MAIN()
