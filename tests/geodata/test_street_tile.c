/* Streets as tiles, and the shapes beneath: what is cut, what is left out, which way a line runs.
 */
#include "geodata/street_tile.h"

#include <math.h>

#include "geodata/mvt_shape.h"
#include "tests/support/check.h"
#include "tests/support/mvt_read.h"
#include "tests/support/oom.h"
#include "tests/support/tiny.h"

static const struct ht_tiny_way ways[] = {
    {.nodes = "abc",
     .name = "Main Street",
     .name_zh = "大街",
     .ref = "S1",
     .road_class = HT_ROAD_PRIMARY,
     .flags = HT_WAY_BRIDGE},
    {.nodes = "dbe", .name = "候涛路", .name_en = "Houtao Road", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "fe", .name = "Lane", .oneway = true, .road_class = HT_ROAD_SERVICE},
};

static const char map[] = "  d  \n"
                          "a b c\n"
                          "  e f\n";

struct town {
    struct ht_tiny *tiny;
    struct ht_streets *streets;
    struct ht_mvt mvt;
    struct mvt_tile tile;
};

static bool town_init(struct town *t)
{
    *t = (struct town){.tiny = ht_tiny_new(map, 50, ways, 3, "")};
    ht_mvt_init(&t->mvt, 0);
    return ht_streets_new(&t->tiny->network, &t->streets) == HT_OK;
}

static void town_deinit(struct town *t)
{
    mvt_free(&t->tile);
    ht_mvt_deinit(&t->mvt);
    ht_streets_free(t->streets);
    ht_tiny_free(t->tiny);
}

static struct ht_point node_at(const struct town *t, char letter)
{
    return t->tiny->points[t->tiny->node_of[(unsigned char)letter]];
}

/* The layer of the tile that holds node b at this zoom; NULL: there is none. */
static const struct mvt_layer *draw(struct town *t, uint32_t zoom, struct ht_mvt_frame *frame)
{
    struct ht_point b = node_at(t, 'b');
    double n = ldexp(1, (int)zoom);
    uint32_t x = (uint32_t)((b.lon_e7 / 1e7 + 180) / 360 * n);
    uint32_t y = (uint32_t)((1 - asinh(tan(b.lat_e7 / 1e7 * M_PI / 180)) / M_PI) / 2 * n);
    *frame = ht_mvt_frame(x, y, zoom);
    mvt_free(&t->tile);
    ht_mvt_deinit(&t->mvt);
    ht_mvt_init(&t->mvt, 0);
    ht_streets_tile(t->streets, &t->tiny->network, x, y, zoom, &t->mvt);
    HT_CHECK(!t->mvt.failed);
    HT_CHECK(mvt_read(t->mvt.out.data, t->mvt.out.size, &t->tile));
    return mvt_layer(&t->tile, "streets");
}

static const struct mvt_feature *named(const struct mvt_layer *layer, const char *name)
{
    for (uint32_t i = 0; layer != NULL && i < layer->feature_count; i++) {
        if (mvt_is(mvt_get(layer, &layer->features[i], "name").text, name)) {
            return &layer->features[i];
        }
    }
    return NULL;
}

static bool begins_at(const struct mvt_feature *f, const struct ht_mvt_frame *frame,
                      struct ht_point point)
{
    struct ht_mvt_point at = ht_mvt_place(frame, point);
    return abs(f->points[0][0] - at.x) <= 1 && abs(f->points[0][1] - at.y) <= 1;
}

HT_CASE(a_way_is_a_line_with_class_and_names)
{
    struct town t;
    struct ht_mvt_frame frame;
    HT_REQUIRE(town_init(&t));
    const struct mvt_layer *layer = draw(&t, 17, &frame);
    HT_REQUIRE(layer != NULL);
    HT_CHECK_INT(layer->feature_count, 3);
    const struct mvt_feature *f = named(layer, "Main Street");
    HT_REQUIRE(f != NULL);
    HT_CHECK_INT(f->type, 2);
    HT_CHECK(mvt_is(mvt_get(layer, f, "class").text, "primary"));
    HT_CHECK(mvt_is(mvt_get(layer, f, "name:zh").text, "大街"));
    HT_CHECK(mvt_is(mvt_get(layer, f, "ref").text, "S1"));
    HT_CHECK(mvt_get(layer, f, "bridge").number == 1);
    HT_CHECK_INT(mvt_get(layer, f, "oneway").field, 0);
    HT_CHECK(begins_at(f, &frame, node_at(&t, 'a')));
    HT_CHECK(f->has_id && (int64_t)f->id == t.tiny->network.ways[0].osm_id);
    f = named(layer, "候涛路");
    HT_REQUIRE(f != NULL);
    HT_CHECK(mvt_is(mvt_get(layer, f, "name:en").text, "Houtao Road"));
    town_deinit(&t);
}

HT_CASE(a_one_way_street_runs_as_cars_may_go)
{
    struct town t;
    struct ht_mvt_frame frame;
    HT_REQUIRE(town_init(&t));
    const struct mvt_layer *layer = draw(&t, 17, &frame);
    const struct mvt_feature *lane = named(layer, "Lane");
    HT_REQUIRE(lane != NULL);
    HT_CHECK(mvt_get(layer, lane, "oneway").number == 1);
    HT_CHECK(begins_at(lane, &frame, node_at(&t, 'f')));
    town_deinit(&t);
}

HT_CASE(minor_streets_come_with_the_zoom)
{
    static const struct {
        uint32_t zoom;
        uint32_t count;
    } seen[] = {{7, 0}, {8, 1}, {12, 1}, {13, 2}, {14, 3}, {15, 3}, {20, 3}};
    struct town t;
    struct ht_mvt_frame frame;
    HT_REQUIRE(town_init(&t));
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        const struct mvt_layer *layer = draw(&t, seen[i].zoom, &frame);
        uint32_t count = layer == NULL ? 0 : layer->feature_count;
        HT_CHECK(count <= seen[i].count && (count > 0) == (seen[i].count > 0));
        HT_CHECK(seen[i].zoom < 13 || seen[i].zoom > 17 || count == seen[i].count);
    }
    town_deinit(&t);
}

/* ---- shapes ---- */

/* What becomes of a ring of these points: its points to `f`; false: nothing. */
static bool ring_of(const struct ht_mvt_point *points, size_t count, double tolerance,
                    struct mvt_feature *f)
{
    struct ht_mvt mvt;
    struct mvt_tile tile;
    struct ht_mvt_shape shape;
    ht_mvt_init(&mvt, 0);
    ht_mvt_shape_init(&shape);
    ht_mvt_layer(&mvt, "x");
    ht_mvt_feature(&mvt, HT_MVT_POLYGON, HT_MVT_NO_ID);
    struct ht_mvt_point *room = ht_mvt_shape_room(&shape, &mvt, count);
    if (room != NULL) {
        memcpy(room, points, count * sizeof *points);
        ht_mvt_shape_ring(&shape, &mvt, count, tolerance, false);
    }
    ht_mvt_feature_end(&mvt);
    ht_mvt_layer_end(&mvt);
    HT_CHECK(mvt_read(mvt.out.data, mvt.out.size, &tile));
    bool any = tile.layer_count == 1;
    if (any) {
        *f = tile.layers[0].features[0];
    }
    mvt_free(&tile);
    ht_mvt_shape_deinit(&shape);
    ht_mvt_deinit(&mvt);
    return any;
}

HT_CASE(a_ring_around_the_tile_becomes_its_border)
{
    const struct ht_mvt_point wide[] = {
        {-90000, -90000}, {90000, -90000}, {90000, 90000}, {-90000, 90000}, {-90000, -90000}};
    const struct ht_mvt_point beside[] = {{5000, 10}, {9000, 10}, {9000, 900}};
    struct mvt_feature f;
    HT_REQUIRE(ring_of(wide, 5, 0, &f));
    HT_CHECK_INT(f.point_count, 4);
    HT_CHECK_INT(f.closed_count, 1);
    for (uint32_t i = 0; i < f.point_count && i < 4; i++) {
        for (int axis = 0; axis < 2; axis++) {
            int32_t v = f.points[i][axis];
            HT_CHECK(v == -HT_MVT_BUFFER || v == HT_MVT_EXTENT + HT_MVT_BUFFER);
        }
    }
    HT_CHECK(!ring_of(beside, 3, 0, &f));
}

/* Random rings, also with points far out: nothing lies beyond the buffer, what lies inside stays.
 */
HT_CASE(cut_rings_stay_within_the_buffer)
{
    uint64_t dice = 7;
    for (int round = 0; round < 3000; round++) {
        struct ht_mvt_point points[12];
        struct mvt_feature f;
        size_t count = 3 + ht_random_below(&dice, 10);
        uint32_t reach = round % 3 == 0 ? UINT32_C(1) << 31 : 9000;
        bool inside = true;
        for (size_t i = 0; i < count; i++) {
            points[i] = (struct ht_mvt_point){
                (int32_t)((int64_t)ht_random_below(&dice, reach) - reach / 2),
                (int32_t)((int64_t)ht_random_below(&dice, reach) - reach / 2)};
            inside = inside && ht_mvt_inside(points[i]);
        }
        bool any = ring_of(points, count, round % 2 == 0 ? 0 : 4, &f);
        for (uint32_t i = 0; any && i < f.point_count && i < MVT_POINTS; i++) {
            for (int axis = 0; axis < 2; axis++) {
                HT_CHECK(f.points[i][axis] >= -HT_MVT_BUFFER &&
                         f.points[i][axis] <= HT_MVT_EXTENT + HT_MVT_BUFFER);
            }
        }
        HT_CHECK(!any || !inside || f.point_count <= count);
    }
}

HT_CASE(what_is_left_out_lies_within_the_tolerance)
{
    struct ht_mvt mvt;
    struct mvt_tile tile;
    struct ht_mvt_shape shape;
    const struct ht_mvt_point line[] = {{0, 0}, {100, 3}, {200, -3}, {300, 0}, {400, 50}, {500, 0}};
    ht_mvt_init(&mvt, 0);
    ht_mvt_shape_init(&shape);
    ht_mvt_layer(&mvt, "x");
    ht_mvt_feature(&mvt, HT_MVT_LINE, 1);
    struct ht_mvt_point *room = ht_mvt_shape_room(&shape, &mvt, 6);
    HT_REQUIRE(room != NULL);
    memcpy(room, line, sizeof line);
    ht_mvt_shape_line(&shape, &mvt, 6, 8);
    ht_mvt_feature_end(&mvt);
    ht_mvt_layer_end(&mvt);
    HT_REQUIRE(mvt_read(mvt.out.data, mvt.out.size, &tile) && tile.layer_count == 1);
    const struct mvt_feature *f = &tile.layers[0].features[0];
    HT_CHECK_INT(f->point_count, 4); /* the two small bends are gone */
    HT_CHECK(f->points[1][0] == 300 && f->points[2][0] == 400 && f->points[2][1] == 50);
    mvt_free(&tile);
    ht_mvt_shape_deinit(&shape);
    ht_mvt_deinit(&mvt);
}

HT_CASE(a_line_that_leaves_and_returns_is_two)
{
    struct ht_mvt mvt;
    struct mvt_tile tile;
    struct ht_mvt_shape shape;
    const struct ht_mvt_point line[] = {
        {100, 100}, {100, 100}, {9000, 100}, {9000, 900}, {100, 900}};
    ht_mvt_init(&mvt, 0);
    ht_mvt_shape_init(&shape);
    ht_mvt_layer(&mvt, "x");
    ht_mvt_feature(&mvt, HT_MVT_LINE, 1);
    struct ht_mvt_point *room = ht_mvt_shape_room(&shape, &mvt, 5);
    HT_REQUIRE(room != NULL);
    memcpy(room, line, sizeof line);
    ht_mvt_shape_line(&shape, &mvt, 5, 0);
    ht_mvt_feature_end(&mvt);
    ht_mvt_layer_end(&mvt);
    HT_REQUIRE(mvt_read(mvt.out.data, mvt.out.size, &tile) && tile.layer_count == 1);
    HT_CHECK_INT(tile.layers[0].features[0].part_count, 2);
    HT_CHECK_INT(tile.layers[0].features[0].point_count, 4);
    mvt_free(&tile);
    ht_mvt_shape_deinit(&shape);
    ht_mvt_deinit(&mvt);
}

HT_CASE(failed_allocations_mark_the_tile_oom)
{
    struct town t;
    HT_REQUIRE(town_init(&t));
    struct ht_point b = node_at(&t, 'b');
    uint32_t x = (uint32_t)((b.lon_e7 / 1e7 + 180) / 360 * ldexp(1, 17));
    uint32_t y =
        (uint32_t)((1 - asinh(tan(b.lat_e7 / 1e7 * M_PI / 180)) / M_PI) / 2 * ldexp(1, 17));
    bool whole = false;
    int n = 0;
    for (; !whole && n < 200; n++) {
        struct ht_mvt mvt;
        struct ht_streets *streets = NULL;
        ht_mvt_init(&mvt, 0);
        ht_oom_arm(n);
        enum ht_status status = ht_streets_new(&t.tiny->network, &streets);
        if (status == HT_OK) {
            ht_streets_tile(streets, &t.tiny->network, x, y, 17, &mvt);
        }
        bool refused = ht_oom_disarm();
        HT_CHECK(status == HT_OK || status == HT_NOMEM);
        whole = !refused;
        HT_CHECK((status == HT_OK && !mvt.failed) == whole);
        ht_streets_free(streets);
        ht_mvt_deinit(&mvt);
    }
    HT_CHECK(whole && n > 5);
    town_deinit(&t);
}

HT_MAIN()
