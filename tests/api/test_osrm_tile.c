/* The tile of a small town, read back. */
#include "api/osrm_tile.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/mvt_read.h"
#include "tests/support/oom.h"
#include "tests/support/tiny.h"

/* A crossing, a one-way lane off it, and a street that goes on as another way. */
static const struct ht_tiny_way ways[] = {
    {.nodes = "abc", .name = "Main Street"},
    {.nodes = "dbe", .name = "候涛路", .speed_mps = 5},
    {.nodes = "fe", .name = "Lane", .oneway = true},
    {.nodes = "cg", .name = "Main Street"},
};

static const char map[] = "  d  \n"
                          "a b c g\n"
                          "  e f\n";

struct town {
    struct ht_tiny *tiny;
    struct ht_snap_index *snap;
    struct ht_road road;
};

static bool town_init(struct town *t)
{
    t->tiny = ht_tiny_new(map, 50, ways, 4, "abd");
    t->road = (struct ht_road){.network = &t->tiny->network, .graph = &t->tiny->graph};
    if (ht_snap_build(&t->tiny->network, &t->tiny->graph, NULL, &t->snap) != HT_OK) {
        return false;
    }
    t->road.snap = t->snap;
    return true;
}

static void town_deinit(struct town *t)
{
    ht_snap_index_free(t->snap);
    ht_tiny_free(t->tiny);
}

static void tile_of(const struct town *t, uint32_t zoom, uint32_t *x, uint32_t *y)
{
    struct ht_point b = t->tiny->points[t->tiny->node_of['b']];
    double n = ldexp(1, (int)zoom);
    *x = (uint32_t)((b.lon_e7 / 1e7 + 180) / 360 * n);
    *y = (uint32_t)((1 - asinh(tan(b.lat_e7 / 1e7 * M_PI / 180)) / M_PI) / 2 * n);
}

static void check_speeds(const struct mvt_tile *tile)
{
    const struct mvt_layer *speeds = mvt_layer(tile, "speeds");
    HT_REQUIRE(speeds != NULL);
    HT_CHECK_INT(speeds->feature_count, 11); /* five segments both ways, and a lane */
    HT_CHECK(mvt_layer(tile, "turns") == NULL);
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < speeds->feature_count; i++) {
        const struct mvt_feature *f = &speeds->features[i];
        struct mvt_value name = mvt_get(speeds, f, "name");
        bool slow = mvt_is(name.text, "候涛路");
        HT_CHECK_INT(f->id, i + 1);
        HT_CHECK_INT(f->type, 2);
        HT_CHECK_INT(f->point_count, 2);
        HT_CHECK(mvt_get(speeds, f, "speed").field == 5);
        HT_CHECK_INT((int)mvt_get(speeds, f, "speed").number, slow ? 18 : 36);
        HT_CHECK(mvt_get(speeds, f, "rate").number == (slow ? 0.5 : 1.0));
        HT_CHECK(fabs(mvt_get(speeds, f, "duration").number - 10) < 0.2);
        HT_CHECK(mvt_get(speeds, f, "weight").field == 3);
        HT_CHECK(mvt_is(mvt_get(speeds, f, "datasource").text, "lua profile"));
        HT_CHECK(mvt_get(speeds, f, "is_small").field == 7);
        HT_CHECK(mvt_get(speeds, f, "is_startpoint").number == 1);
        lanes += mvt_is(name.text, "Lane");
    }
    HT_CHECK_INT(lanes, 1);
    const struct mvt_layer *nodes = mvt_layer(tile, "osmnodes");
    HT_REQUIRE(nodes != NULL);
    HT_CHECK_INT(nodes->feature_count, 7);
    for (uint32_t i = 0; i < nodes->feature_count; i++) {
        HT_CHECK(nodes->features[i].id >= 'a' && nodes->features[i].id <= 'g');
        HT_CHECK_INT(nodes->features[i].tag_count, 0);
    }
}

HT_CASE(speeds_list_both_directions_of_every_segment)
{
    struct town t;
    HT_REQUIRE(town_init(&t));
    struct ht_reply reply = {0};
    struct mvt_tile tile;
    uint32_t x;
    uint32_t y;
    tile_of(&t, 14, &x, &y);
    ht_osrm_tile(&t.road, x, y, 14, &reply);
    HT_CHECK_INT(reply.status, 200);
    HT_CHECK_STR(reply.content_type, "application/x-protobuf");
    HT_REQUIRE(mvt_read(reply.body.data, reply.body.size, &tile));
    check_speeds(&tile);
    mvt_free(&tile);
    ht_reply_deinit(&reply);
    town_deinit(&t);
}

/* A street of two segments, each way: the first 36 km/h, the second as a live piece says. */
HT_CASE(what_is_closed_has_no_speed_and_what_is_slow_its_own)
{
    static const struct ht_tiny_way street[] = {{.nodes = "abc", .name = "Main Street"}};
    struct town t;
    t.tiny = ht_tiny_new("a b c\n", 50, street, 1, "");
    t.road = (struct ht_road){.network = &t.tiny->network, .graph = &t.tiny->graph};
    HT_REQUIRE(ht_snap_build(&t.tiny->network, &t.tiny->graph, NULL, &t.snap) == HT_OK);
    t.road.snap = t.snap;
    struct ht_arc *arcs = t.tiny->arcs;
    HT_REQUIRE(t.tiny->graph.base_arc_count == 2 && ht_arc_point_count(&arcs[0]) == 3);
    uint32_t half = arcs[0].length_mm / 2;
    const struct ht_live_piece pieces[] = {{1, half, 10000, 10000, 0},
                                           {2, arcs[0].length_mm, 20000, 20000, 0},
                                           {1, half, 0, 0, 1},
                                           {2, arcs[1].length_mm, 10000, 10000, 0}};
    const struct ht_live_arc live_arcs[] = {{0, 0, 2}, {1, 2, 4}};
    const struct ht_live_arcs live = {.arc_count = 2, .arcs = live_arcs, .pieces = pieces};
    t.tiny->graph.live = &live;
    arcs[1].weight_ms = HT_WEIGHT_INF;
    arcs[1].duration_ms = HT_WEIGHT_INF;
    struct ht_reply reply = {0};
    struct mvt_tile tile;
    uint32_t x;
    uint32_t y;
    tile_of(&t, 14, &x, &y);
    ht_osrm_tile(&t.road, x, y, 14, &reply);
    HT_REQUIRE(mvt_read(reply.body.data, reply.body.size, &tile));
    const struct mvt_layer *speeds = mvt_layer(&tile, "speeds");
    HT_REQUIRE(speeds != NULL && speeds->feature_count == 4);
    int seen[3] = {0};
    for (uint32_t i = 0; i < 4; i++) {
        const struct mvt_feature *f = &speeds->features[i];
        int speed = (int)mvt_get(speeds, f, "speed").number;
        HT_CHECK(mvt_is(mvt_get(speeds, f, "datasource").text, "traffic"));
        HT_CHECK(fabs(mvt_get(speeds, f, "duration").number - (speed == 36   ? 10
                                                               : speed == 18 ? 20
                                                                             : 0)) < 0.2);
        seen[speed == 0 ? 0 : speed == 18 ? 1 : speed == 36 ? 2 : 0]++;
    }
    HT_CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 2);
    mvt_free(&tile);
    ht_reply_deinit(&reply);
    town_deinit(&t);
}

static void check_turns(const struct mvt_tile *tile)
{
    const struct mvt_layer *turns = mvt_layer(tile, "turns");
    HT_REQUIRE(turns != NULL);
    /* at b four arms, three ways on from each, less one forbidden; from the lane at e up to b. None
     * at c, where one street goes on. */
    HT_CHECK_INT(turns->feature_count, 12);
    uint32_t rights = 0;
    uint32_t straight = 0;
    for (uint32_t i = 0; i < turns->feature_count; i++) {
        const struct mvt_feature *f = &turns->features[i];
        HT_CHECK_INT(f->type, 1);
        HT_CHECK_INT(f->id, i + 1);
        HT_CHECK(mvt_get(turns, f, "bearing_in").field == 6);
        HT_CHECK(mvt_get(turns, f, "cost").field == 2 && mvt_get(turns, f, "cost").number == 1.5);
        HT_CHECK(mvt_get(turns, f, "weight").number == 2.5);
        double angle = mvt_get(turns, f, "turn_angle").number;
        HT_CHECK(mvt_get(turns, f, "type").field == 1);
        rights += angle > 80 && angle < 100;
        straight += fabs(angle) < 3;
        if (angle > 80 && angle < 100) {
            HT_CHECK(mvt_is(mvt_get(turns, f, "modifier").text, "right"));
        }
    }
    HT_CHECK_INT(straight, 4);
    HT_CHECK_INT(rights, 5); /* four at b, and from the lane into the street */
}

HT_CASE(turns_are_the_allowed_ones_with_angle_and_cost)
{
    struct town t;
    HT_REQUIRE(town_init(&t));
    for (uint32_t i = 0; i < t.tiny->graph.turn_count; i++) {
        t.tiny->turns[i].weight_ms = 2500;
        t.tiny->turns[i].duration_ms = 1500;
    }
    struct ht_reply reply = {0};
    struct mvt_tile tile;
    uint32_t x;
    uint32_t y;
    tile_of(&t, 15, &x, &y);
    ht_osrm_tile(&t.road, x, y, 15, &reply);
    HT_REQUIRE(mvt_read(reply.body.data, reply.body.size, &tile));
    check_turns(&tile);
    mvt_free(&tile);
    ht_reply_deinit(&reply);
    town_deinit(&t);
}

HT_CASE(tile_of_nothing_is_empty)
{
    struct town t;
    HT_REQUIRE(town_init(&t));
    struct ht_reply reply = {0};
    ht_osrm_tile(&t.road, 0, 0, 15, &reply);
    HT_CHECK_INT(reply.status, 200);
    HT_CHECK_INT(reply.body.size, 0);
    HT_CHECK(!reply.body.failed);
    ht_reply_deinit(&reply);
    town_deinit(&t);
}

HT_CASE(zoom_and_numbers_outside_get_osrms_error)
{
    static const uint32_t wrong[][3] = {{0, 0, 11}, {0, 0, 20}, {4096, 0, 12},      {0, 4096, 12},
                                        {0, 0, 0},  {0, 0, 64}, {UINT32_MAX, 0, 19}};
    struct town t;
    HT_REQUIRE(town_init(&t));
    struct ht_reply reply = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ht_osrm_tile(&t.road, wrong[i][0], wrong[i][1], wrong[i][2], &reply);
        ht_buffer_append(&reply.body, "", 1);
        HT_CHECK_INT(reply.status, 400);
        HT_CHECK_STR(reply.body.data,
                     "{\"code\":\"InvalidOptions\",\"message\":\"Invalid coodinates. "
                     "Only zoomlevel 12+ is supported\"}");
    }
    ht_reply_deinit(&reply);
    town_deinit(&t);
}

HT_CASE(failed_allocations_mark_the_reply_oom)
{
    struct town t;
    HT_REQUIRE(town_init(&t));
    uint32_t x;
    uint32_t y;
    int refused = 0;
    tile_of(&t, 15, &x, &y);
    for (int n = 0; n < 200; n++) {
        struct ht_reply reply = {0};
        ht_oom_arm(n);
        ht_osrm_tile(&t.road, x, y, 15, &reply);
        bool failed = ht_oom_disarm();
        HT_CHECK(reply.body.failed == failed);
        ht_reply_deinit(&reply);
        if (!failed) {
            break;
        }
        refused++;
    }
    HT_CHECK(refused > 5 && refused < 200);
    town_deinit(&t);
}

HT_MAIN()
