/* The tile writer, read back by a strict reader; sizes; the mercator arithmetic against published
 * tile numbers. */
#include "geodata/mvt.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/mvt_read.h"
#include "tests/support/oom.h"

HT_CASE(tile_without_features_is_empty)
{
    struct ht_mvt tile;
    ht_mvt_init(&tile, 0);
    ht_mvt_layer(&tile, "nothing");
    ht_mvt_feature(&tile, HT_MVT_LINE, 1);
    ht_mvt_tag(&tile, "key", ht_mvt_uint(1));
    ht_mvt_feature_end(&tile); /* no geometry */
    ht_mvt_layer_end(&tile);
    HT_CHECK_INT(tile.out.size, 0);
    HT_CHECK(!tile.failed);
    ht_mvt_deinit(&tile);
}

static void write_all_kinds(struct ht_mvt *tile)
{
    const struct ht_mvt_point line[] = {{0, 0}, {10, -5}, {10, -5}, {4096, 4096}};
    ht_mvt_layer(tile, "kinds");
    ht_mvt_feature(tile, HT_MVT_LINE, UINT64_C(1) << 60);
    ht_mvt_path(tile, line, 4);
    ht_mvt_tag(tile, "text", ht_mvt_text("候涛山"));
    ht_mvt_tag(tile, "float", ht_mvt_float(-2.5f));
    ht_mvt_tag(tile, "double", ht_mvt_double(0.1));
    ht_mvt_tag(tile, "uint", ht_mvt_uint(UINT32_MAX));
    ht_mvt_tag(tile, "sint", ht_mvt_sint(-180));
    ht_mvt_tag(tile, "bool", ht_mvt_bool(true));
    ht_mvt_feature_end(tile);
    ht_mvt_feature(tile, HT_MVT_POINT, HT_MVT_NO_ID);
    ht_mvt_points(tile, line + 1, 1);
    ht_mvt_tag(tile, "text", ht_mvt_text("候涛山"));
    ht_mvt_tag(tile, "empty", ht_mvt_text(""));
    ht_mvt_feature_end(tile);
    ht_mvt_layer_end(tile);
}

static void check_kinds(const struct mvt_tile *tile)
{
    const struct mvt_layer *layer = mvt_layer(tile, "kinds");
    HT_REQUIRE(layer != NULL && layer->feature_count == 2);
    const struct mvt_feature *f = &layer->features[0];
    HT_CHECK(mvt_is(mvt_get(layer, f, "text").text, "候涛山"));
    HT_CHECK(mvt_get(layer, f, "float").field == 2 && mvt_get(layer, f, "float").number == -2.5);
    HT_CHECK(mvt_get(layer, f, "double").field == 3 && mvt_get(layer, f, "double").number == 0.1);
    HT_CHECK(mvt_get(layer, f, "uint").field == 5 &&
             mvt_get(layer, f, "uint").number == (double)UINT32_MAX);
    HT_CHECK(mvt_get(layer, f, "sint").field == 6 && mvt_get(layer, f, "sint").number == -180);
    HT_CHECK(mvt_get(layer, f, "bool").field == 7 && mvt_get(layer, f, "bool").number == 1);
    HT_CHECK(f->has_id && f->id == UINT64_C(1) << 60);
    HT_CHECK_INT(f->type, 2);
    HT_CHECK_INT(f->point_count, 3); /* the point that repeats is gone */
    HT_CHECK_INT(f->points[2][1], 4096);
    HT_CHECK(!layer->features[1].has_id);
    HT_CHECK_INT(layer->features[1].type, 1);
    HT_CHECK_INT(layer->features[1].points[0][1], -5);
    HT_CHECK_INT(layer->key_count, 7);
    HT_CHECK_INT(layer->value_count, 7); /* the text that repeats is kept once */
}

HT_CASE(every_kind_of_value_comes_back)
{
    struct ht_mvt mvt;
    struct mvt_tile tile;
    ht_mvt_init(&mvt, 0);
    write_all_kinds(&mvt);
    HT_REQUIRE(mvt_read(mvt.out.data, mvt.out.size, &tile));
    check_kinds(&tile);
    mvt_free(&tile);
    ht_mvt_deinit(&mvt);
}

HT_CASE(many_layers_and_values_keep_their_numbers)
{
    struct ht_mvt mvt;
    struct mvt_tile tile;
    ht_mvt_init(&mvt, 0);
    for (uint32_t l = 0; l < 3; l++) {
        static const char *const names[] = {"a", "b", "c"};
        ht_mvt_layer(&mvt, names[l]);
        for (uint32_t i = 0; i < 5000; i++) {
            struct ht_mvt_point p = {(int32_t)i, (int32_t)l};
            ht_mvt_feature(&mvt, HT_MVT_POINT, i);
            ht_mvt_points(&mvt, &p, 1);
            ht_mvt_tag(&mvt, "n", ht_mvt_uint(i % 3000 * 7));
            ht_mvt_tag(&mvt, "d", ht_mvt_double(i % 2 + l));
            ht_mvt_feature_end(&mvt);
        }
        ht_mvt_layer_end(&mvt);
    }
    HT_REQUIRE(mvt_read(mvt.out.data, mvt.out.size, &tile));
    HT_CHECK_INT(tile.layer_count, 3);
    for (uint32_t l = 0; l < tile.layer_count; l++) {
        HT_CHECK_INT(tile.layers[l].value_count, 3002);
        HT_CHECK_INT(tile.layers[l].key_count, 2);
        HT_CHECK_INT(tile.layers[l].feature_count, 5000);
        for (uint32_t i = 0; i < tile.layers[l].feature_count; i++) {
            const struct mvt_feature *f = &tile.layers[l].features[i];
            HT_CHECK(mvt_get(&tile.layers[l], f, "n").number == i % 3000 * 7);
            HT_CHECK(mvt_get(&tile.layers[l], f, "d").number == i % 2 + l);
        }
    }
    mvt_free(&tile);
    ht_mvt_deinit(&mvt);
}

static int64_t ring_area(const struct mvt_feature *f, uint32_t from, uint32_t to)
{
    int64_t area = 0;
    for (uint32_t i = from; i < to; i++) {
        uint32_t next = i + 1 == to ? from : i + 1;
        area += (int64_t)f->points[i][0] * f->points[next][1] -
                (int64_t)f->points[next][0] * f->points[i][1];
    }
    return area;
}

static void check_rings(const struct mvt_tile *tile)
{
    HT_REQUIRE(tile->layer_count == 1 && tile->layers[0].feature_count == 1);
    const struct mvt_feature *f = tile->layers[0].features;
    HT_REQUIRE(f != NULL);
    HT_CHECK_INT(f->part_count, 2);
    HT_CHECK_INT(f->closed_count, 2);
    HT_CHECK_INT(f->point_count, 7);
    HT_CHECK_INT(ring_area(f, 0, 4), 20000);
    HT_CHECK_INT(ring_area(f, 4, 7), -100);
}

HT_CASE(rings_are_wound_and_closed_as_the_specification_asks)
{
    const struct ht_mvt_point outer[2][5] = {
        {{0, 0}, {100, 0}, {100, 100}, {0, 100}, {0, 0}},
        {{0, 0}, {0, 100}, {100, 100}, {100, 0}, {0, 0}},
    };
    const struct ht_mvt_point hole[] = {{10, 10}, {20, 10}, {20, 20}};
    const struct ht_mvt_point flat[] = {{0, 0}, {50, 0}, {90, 0}};
    for (int turn = 0; turn < 2; turn++) {
        struct ht_mvt mvt;
        struct mvt_tile tile;
        ht_mvt_init(&mvt, 0);
        ht_mvt_layer(&mvt, "areas");
        ht_mvt_feature(&mvt, HT_MVT_POLYGON, 5);
        ht_mvt_ring(&mvt, outer[turn], 5, false);
        ht_mvt_ring(&mvt, hole, 3, true);
        ht_mvt_ring(&mvt, flat, 3, true);
        ht_mvt_feature_end(&mvt);
        ht_mvt_layer_end(&mvt);
        HT_REQUIRE(mvt_read(mvt.out.data, mvt.out.size, &tile));
        check_rings(&tile);
        mvt_free(&tile);
        ht_mvt_deinit(&mvt);
    }
}

HT_CASE(limit_stops_the_writer)
{
    struct ht_mvt mvt;
    ht_mvt_init(&mvt, 300);
    ht_mvt_layer(&mvt, "big");
    for (int i = 0; i < 1000; i++) {
        struct ht_mvt_point p = {i, i};
        ht_mvt_feature(&mvt, HT_MVT_POINT, 1);
        ht_mvt_points(&mvt, &p, 1);
        ht_mvt_feature_end(&mvt);
    }
    ht_mvt_layer_end(&mvt);
    HT_CHECK(mvt.failed);
    HT_CHECK(mvt.out.size <= 300);
    ht_mvt_deinit(&mvt);
}

HT_CASE(every_failed_allocation_is_noticed_oom)
{
    int refused = 0;
    for (int n = 0; n < 100; n++) {
        struct ht_mvt mvt;
        ht_oom_arm(n);
        ht_mvt_init(&mvt, 0);
        write_all_kinds(&mvt);
        bool failed = ht_oom_disarm();
        HT_CHECK(mvt.failed == failed);
        ht_mvt_deinit(&mvt);
        if (!failed) {
            break;
        }
        refused++;
    }
    HT_CHECK(refused >= 5 && refused < 100);
}

HT_CASE(tile_numbers_are_the_slippy_map_ones)
{
    /* 121.7103 E, 29.9468 N is tile 13/6865/3381 (formula of the OSM wiki, computed apart) */
    struct ht_point p = {1217103000, 299468000};
    struct ht_mvt_frame frame = ht_mvt_frame(6865, 3381, 13);
    struct ht_mvt_point at = ht_mvt_place(&frame, p);
    double x = (121.7103 + 180) / 360 * 8192;
    double r = 29.9468 * M_PI / 180;
    double y = (1 - asinh(tan(r)) / M_PI) / 2 * 8192;
    HT_CHECK_INT((int)x, 6865);
    HT_CHECK_INT((int)y, 3381);
    HT_CHECK_INT(at.x, lround((x - 6865) * 4096));
    HT_CHECK_INT(at.y, lround((y - 3381) * 4096));
    struct ht_box box = ht_mvt_box(6865, 3381, 13, 0);
    HT_CHECK(ht_box_contains(box, p));
    struct ht_mvt_point corner = ht_mvt_place(&frame, box.min);
    HT_CHECK(corner.x == 0 && corner.y == 4096);
    corner = ht_mvt_place(&frame, box.max);
    HT_CHECK(corner.x == 4096 && corner.y == 0);
    struct ht_box wide = ht_mvt_box(6865, 3381, 13, 0.5);
    corner = ht_mvt_place(&frame, wide.min);
    HT_CHECK(corner.x == -2048 && corner.y == 6144);
    struct ht_box world = ht_mvt_box(0, 0, 0, 1);
    HT_CHECK(world.min.lon_e7 == -HT_LON_MAX_E7 && world.max.lon_e7 == HT_LON_MAX_E7);
    HT_CHECK_INT(world.max.lat_e7, 850511288);
}

HT_CASE(lines_are_cut_at_the_buffer)
{
    struct ht_mvt_point through[2] = {{-1000, 50}, {9000, 50}};
    HT_CHECK(ht_mvt_clip(through));
    HT_CHECK(through[0].x == -128 && through[1].x == 4224 && through[0].y == 50);
    struct ht_mvt_point corner[2] = {{-200, 0}, {0, -200}};
    HT_CHECK(ht_mvt_clip(corner));
    HT_CHECK(corner[0].x == -128 && corner[0].y == -72);
    struct ht_mvt_point past[2] = {{-1000, 0}, {0, -1000}};
    HT_CHECK(!ht_mvt_clip(past));
    struct ht_mvt_point point[2] = {{7, 7}, {7, 7}};
    HT_CHECK(!ht_mvt_clip(point));
    struct ht_mvt_point inside[2] = {{0, 0}, {1, 1}};
    HT_CHECK(ht_mvt_clip(inside) && inside[1].x == 1);
    struct ht_mvt_point outside[2] = {{5000, 0}, {5000, 100}};
    HT_CHECK(!ht_mvt_clip(outside));
    HT_CHECK(ht_mvt_inside((struct ht_mvt_point){-127, 4223}));
    HT_CHECK(!ht_mvt_inside((struct ht_mvt_point){-128, 0}));
}

HT_MAIN()
