/* Shapes: what is invalid and where, what repair makes of it, areas. */
#include "geodata/shape.h"

#include <geodesic.h>
#include <math.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

static void read_wkt(struct ht_geometry *g, const char *text)
{
    struct ht_error error = {0};
    ht_geometry_init(g);
    if (ht_geometry_read_wkt(g, text, strlen(text), NULL, NULL, &error) != HT_OK) {
        (void)printf("  %s: %s\n", text, error.message);
        abort();
    }
}

/* NULL: it is valid; else the reason, and what repair makes of it. */
static void check(const char *text, const char *reason, const char *repaired)
{
    struct ht_shape_work *work = NULL;
    struct ht_geometry g;
    struct ht_geometry out;
    struct ht_point place = {1, 1};
    struct ht_error error = {0};
    struct ht_text wkt = {0};
    HT_REQUIRE(ht_shape_work_new(&work) == HT_OK);
    read_wkt(&g, text);
    ht_geometry_init(&out);
    HT_CHECK_INT(ht_shape_check(work, &g, &place, &error), reason == NULL ? HT_OK : HT_INVALID);
    HT_CHECK_STR(error.message, reason == NULL ? "" : reason);
    HT_CHECK_INT(ht_shape_check(work, &g, NULL, NULL), reason == NULL ? HT_OK : HT_INVALID);
    enum ht_status status = ht_shape_repair(work, &g, &out, &error);
    if (repaired == NULL) {
        HT_CHECK_INT(status, HT_INVALID);
        HT_CHECK_STR(error.message, "nothing of the polygon has an area");
    } else {
        HT_CHECK_INT(status, HT_OK);
        HT_CHECK_INT(ht_geometry_write_wkt(&out, NULL, NULL, &wkt), HT_OK);
        HT_CHECK_STR(ht_text_string(&wkt), repaired);
        HT_CHECK_INT(ht_shape_check(work, &out, NULL, NULL), HT_OK);
    }
    ht_text_deinit(&wkt);
    ht_geometry_deinit(&g);
    ht_geometry_deinit(&out);
    ht_shape_work_free(work);
}

HT_CASE(valid_ones_come_out_as_they_went_in)
{
    static const char *const rows[] = {
        "POINT (1 2)",
        "POINT EMPTY",
        "LINESTRING (0 0,1 1,0 1,1 0)",
        "POLYGON ((0 0,4 0,4 4,0 4,0 0),(1 1,1 2,2 2,1 1))",
        "MULTIPOLYGON (((0 0,1 0,1 1,0 0)),((1 1,2 1,2 2,1 1)))",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i], NULL, rows[i]);
    }
}

HT_CASE(invalid_ones_say_why_and_where)
{
    check("POLYGON ((121.7 29.9,121.8 30,121.8 29.9,121.7 30,121.7 29.9))",
          "self-crossing at 121.75 29.95",
          "MULTIPOLYGON (((121.8 30,121.8 29.9,121.75 29.95,121.8 30)),"
          "((121.7 30,121.75 29.95,121.7 29.9,121.7 30)))");
    check("POLYGON ((0 0,4 0,4 4,0 4,0 0),(5 5,6 5,6 6,5 5))",
          "a hole lies outside its polygon at 5 5",
          "MULTIPOLYGON (((4 4,4 0,0 0,0 4,4 4)),((6 5,5 5,6 6,6 5)))");
    check("POLYGON ((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1),(2 2,3 2,3 3,2 2))",
          "a hole lies within another at 2 2",
          "POLYGON ((9 9,9 0,0 0,0 9,9 9),(8 1,8 8,1 8,1 1,8 1))");
    check("MULTIPOLYGON (((0 0,9 0,9 9,0 9,0 0)),((1 1,2 1,2 2,1 1)))",
          "a polygon lies within another at 1 1", "POLYGON ((9 9,9 0,0 0,0 9,9 9))");
    check("POLYGON ((0 0,1 1,2 2,0 0))", "self-crossing at 1 1", NULL);
}

HT_CASE(repaired_ones_lie_on_the_grid_and_stay_valid)
{
    struct ht_shape_work *work = NULL;
    uint64_t seed = 11;
    HT_REQUIRE(ht_shape_work_new(&work) == HT_OK);
    int repaired = 0;
    for (int round = 0; round < 300; round++) {
        struct ht_draft draft = {0};
        struct ht_geometry g;
        struct ht_geometry out;
        struct ht_error error = {0};
        ht_geometry_init(&g);
        ht_geometry_init(&out);
        int count = 4 + round % 20;
        /* Some so small that crossings fall between grid points. */
        uint32_t size = round % 3 == 0 ? 30 : 1000000;
        for (int i = 0; i < count; i++) {
            HT_REQUIRE(ht_draft_add(&draft, 121.7 + ht_random_below(&seed, size) / 1e7,
                                    29.9 + ht_random_below(&seed, size) / 1e7) == HT_OK);
        }
        HT_REQUIRE(ht_draft_end_ring(&draft) == HT_OK && ht_draft_end_polygon(&draft) == HT_OK);
        HT_REQUIRE(ht_geometry_finish(&g, HT_GEOMETRY_POLYGON, &draft, NULL, NULL, &error) ==
                   HT_OK);
        HT_REQUIRE(ht_shape_repair(work, &g, &out, &error) == HT_OK);
        HT_CHECK_INT(ht_shape_check(work, &out, NULL, &error), HT_OK);
        HT_CHECK(ht_geometry_area_m2(&out) > 0);
        repaired += !ht_geometry_equal(&g, &out);
        ht_geometry_deinit(&g);
        ht_geometry_deinit(&out);
        ht_draft_deinit(&draft);
    }
    HT_CHECK(repaired > 200);
    ht_shape_work_free(work);
}

HT_CASE(areas_are_those_of_the_ellipsoid)
{
    struct geod_geodesic wgs84;
    uint64_t seed = 5;
    geod_init(&wgs84, 6378137.0, 1 / 298.257223563);
    for (int k = 0; k < 1000; k++) {
        double lat = (double)ht_random_below(&seed, 160) - 80;
        double size = k % 2 == 0 ? 0.05 : 0.001;
        double lons[8];
        double lats[8];
        struct ht_draft draft = {0};
        struct ht_geometry g;
        struct ht_error error;
        ht_geometry_init(&g);
        for (int i = 0; i < 8; i++) {
            double far = size * (0.5 + ht_random_below(&seed, 1000) / 2000.0);
            lons[i] = round((121 + far * cos(i * M_PI / 4)) * 1e7) / 1e7;
            lats[i] = round((lat + far * sin(i * M_PI / 4)) * 1e7) / 1e7;
            HT_REQUIRE(ht_draft_add(&draft, lons[i], lats[i]) == HT_OK);
        }
        HT_REQUIRE(ht_draft_end_ring(&draft) == HT_OK && ht_draft_end_polygon(&draft) == HT_OK);
        HT_REQUIRE(ht_geometry_finish(&g, HT_GEOMETRY_POLYGON, &draft, NULL, NULL, &error) ==
                   HT_OK);
        /* Edges are straight in degrees, geodesics are not: many short ones. */
        struct geod_polygon polygon;
        double want = 0;
        geod_polygon_init(&polygon, 0);
        for (int i = 0; i < 8 * 64; i++) {
            int from = i / 64;
            int to = (from + 1) % 8;
            double part = i % 64 / 64.0;
            geod_polygon_addpoint(&wgs84, &polygon, lats[from] + part * (lats[to] - lats[from]),
                                  lons[from] + part * (lons[to] - lons[from]));
        }
        (void)geod_polygon_compute(&wgs84, &polygon, 0, 1, &want, NULL);
        double got = ht_geometry_area_m2(&g);
        if (!(fabs(got - want) < 1e-6 * want)) {
            (void)printf("  at %g: %.3f, not %.3f\n", lat, got, want);
            HT_CHECK(false);
        }
        ht_geometry_deinit(&g);
        ht_draft_deinit(&draft);
    }
    struct ht_geometry g;
    read_wkt(&g, "MULTIPOLYGON (((0 0,0.02 0,0.02 0.01,0 0.01,0 0),(0.01 0,0.02 0,0.02 0.01,0.01 "
                 "0.01,0.01 0)),((1 0,1.01 0,1.01 0.01,1 0.01,1 0)))");
    HT_CHECK(fabs(ht_geometry_area_m2(&g) - 2 * 1113.1949 * 1105.7428) < 10);
    ht_geometry_deinit(&g);
    read_wkt(&g, "POINT (1 1)");
    HT_CHECK(!(ht_geometry_area_m2(&g) > 0));
    ht_geometry_deinit(&g);
}

HT_CASE(each_refused_allocation_is_reported)
{
    struct ht_geometry g;
    read_wkt(&g, "MULTIPOLYGON (((0 0,2 2,2 0,0 2,0 0)),((5 5,6 5,6 6,5 5)))");
    for (int n = 0;; n++) {
        struct ht_shape_work *work = NULL;
        struct ht_geometry out;
        struct ht_error error = {0};
        ht_geometry_init(&out);
        ht_oom_arm(n);
        enum ht_status status = ht_shape_work_new(&work);
        status = status == HT_OK ? ht_shape_repair(work, &g, &out, &error) : status;
        bool refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_geometry_deinit(&out);
        ht_shape_work_free(work);
        if (!refused || n > 100) {
            HT_CHECK(n > 4);
            break;
        }
    }
    ht_geometry_deinit(&g);
}

HT_MAIN()
