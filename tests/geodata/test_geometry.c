/* Geometry: WKT, WKB, GeoJSON there and back, and every way of being malformed. */
#include "geodata/geometry.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

static enum ht_status read_wkt(struct ht_geometry *g, const char *text, struct ht_error *error)
{
    char *copy = malloc(strlen(text) + 1); /* exact, so that reading past the end is seen */
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, text, strlen(text));
    enum ht_status status = ht_geometry_read_wkt(g, copy, strlen(text), NULL, NULL, error);
    free(copy);
    return status;
}

/* Through WKT, WKB and back; the WKT must be `want` (NULL: as given). */
static void round_trip(const char *text, const char *want)
{
    struct ht_geometry a;
    struct ht_geometry b;
    struct ht_text out = {0};
    struct ht_error error = {0};
    ht_geometry_init(&a);
    ht_geometry_init(&b);
    HT_CHECK_INT(read_wkt(&a, text, &error), HT_OK);
    HT_CHECK_STR(error.message, "");
    HT_CHECK_INT(ht_geometry_write_wkt(&a, NULL, NULL, &out), HT_OK);
    HT_CHECK_STR(ht_text_string(&out), want == NULL ? text : want);
    ht_text_clear(&out);
    ht_geometry_write_wkb(&a, &out);
    HT_CHECK_INT(ht_geometry_read_wkb(&b, out.data, out.size, &error), HT_OK);
    HT_CHECK(ht_geometry_equal(&a, &b));
    HT_CHECK(memcmp(&a.box, &b.box, sizeof a.box) == 0);
    for (size_t cut = 0; cut < out.size; cut++) {
        HT_CHECK_INT(ht_geometry_read_wkb(&b, out.data, cut, NULL), HT_TRUNCATED);
        HT_CHECK_INT(b.type, HT_GEOMETRY_NONE);
    }
    ht_text_add_char(&out, 'x');
    HT_CHECK_INT(ht_geometry_read_wkb(&b, out.data, out.size, NULL), HT_SYNTAX);
    HT_CHECK_INT(ht_geometry_copy(&b, &a), HT_OK);
    HT_CHECK(ht_geometry_equal(&a, &b));
    ht_text_deinit(&out);
    ht_geometry_deinit(&a);
    ht_geometry_deinit(&b);
}

HT_CASE(each_type_survives_wkt_and_wkb)
{
    round_trip("POINT (121.7123456 29.95)", NULL);
    round_trip("POINT (-180 -90)", NULL);
    round_trip("LINESTRING (121.7 29.9,121.8 30,121.8 30)", NULL);
    round_trip("POLYGON ((0 0,1 0,1 1,0 0))", NULL);
    round_trip("POLYGON ((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1),(3 3,4 3,4 4,3 3))", NULL);
    round_trip("MULTIPOLYGON (((0 0,1 0,1 1,0 0)))", NULL);
    round_trip("MULTIPOLYGON (((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1)),((20 20,21 20,21 21,20 20)))",
               NULL);
}

HT_CASE(wkt_is_read_as_people_write_it)
{
    round_trip(" point(121.7   29.95 ) ", "POINT (121.7 29.95)");
    round_trip("Point Z (1 2 3)", "POINT (1 2)");
    round_trip("POINTZM(1 2 3 4)", "POINT (1 2)");
    round_trip("LINESTRING M (1 2 3, 4 5 6)", "LINESTRING (1 2,4 5)");
    round_trip("POINT (1e1 -.5)", "POINT (10 -0.5)");
    round_trip("LINESTRING(1 2 9,4 5 9)", "LINESTRING (1 2,4 5)");
    round_trip("POLYGON((0 0,1 0,\n1 1))", "POLYGON ((0 0,1 0,1 1,0 0))");
    round_trip("POINT EMPTY", NULL);
    round_trip("MULTIPOLYGON Z EMPTY", "POINT EMPTY");
    round_trip("POINT (121.00000004 29.00000006)", "POINT (121 29.0000001)");
}

static void refused(const char *text, enum ht_status status, const char *message)
{
    struct ht_geometry g;
    struct ht_error error = {0};
    ht_geometry_init(&g);
    HT_CHECK_INT(read_wkt(&g, text, &error), status);
    HT_CHECK_STR(error.message, message);
    HT_CHECK_INT(g.type, HT_GEOMETRY_NONE);
    HT_CHECK_INT(g.point_count, 0);
    ht_geometry_deinit(&g);
}

HT_CASE(malformed_wkt_is_refused_with_its_place)
{
    refused("", HT_SYNTAX, "WKT: a type is missing at byte 1");
    refused("(1 2)", HT_SYNTAX, "WKT: a type is missing at byte 1");
    refused("POINT", HT_SYNTAX, "WKT: \"(\" is missing at byte 6");
    refused("POINT 1 2", HT_SYNTAX, "WKT: \"(\" is missing at byte 7");
    refused("POINT (1", HT_SYNTAX, "WKT: a number is missing at byte 9");
    refused("POINT (1 x)", HT_SYNTAX, "WKT: a number is missing at byte 10");
    refused("POINT (1 2", HT_SYNTAX, "WKT: \",\" or \")\" is missing at byte 11");
    refused("POINT (1 2 3 4 5)", HT_SYNTAX, "WKT: \",\" or \")\" is missing at byte 16");
    refused("POINT Z (1 2)", HT_SYNTAX, "WKT: a number is missing at byte 13");
    refused("POINT (1 2) x", HT_SYNTAX, "WKT: something follows the end at byte 13");
    refused("POINT (nan nan)", HT_SYNTAX, "WKT: a number is missing at byte 8");
    refused("POINT (1 2,3 4)", HT_SYNTAX, "a Point can't have 2 points");
    refused("LINESTRING (1 2)", HT_SYNTAX, "a LineString can't have 1 points");
    refused("POLYGON (1 2,3 4)", HT_SYNTAX, "WKT: \"(\" is missing at byte 10");
    refused("POLYGON ((1 2,3 4))", HT_SYNTAX,
            "a ring needs at least four points, the first again as the last");
    refused("POLYGON ((1 2,3 4,1 2))", HT_SYNTAX,
            "a ring needs at least four points, the first again as the last");
    refused("MULTIPOLYGON ((0 0,1 0,1 1,0 0))", HT_SYNTAX, "WKT: \"(\" is missing at byte 16");
    refused("MULTIPOINT (1 2)", HT_UNSUPPORTED,
            "WKT: must be a POINT, LINESTRING, POLYGON or MULTIPOLYGON");
    refused("SRID=4326;POINT (1 2)", HT_UNSUPPORTED,
            "WKT: must be a POINT, LINESTRING, POLYGON or MULTIPOLYGON");
    refused("POINTLESS (1 2)", HT_UNSUPPORTED,
            "WKT: must be a POINT, LINESTRING, POLYGON or MULTIPOLYGON");
    refused("POINT (180.1 2)", HT_RANGE, "the point 180.1 2 is not on Earth");
    refused("POINT (2 -90.0001)", HT_RANGE, "the point 2 -90.0001 is not on Earth");
    refused("POINT (1e999 2)", HT_RANGE, "the point inf 2 is not on Earth");
}

HT_CASE(coordinates_come_in_any_system)
{
    struct ht_crs_work *work = NULL;
    struct ht_crs crs;
    struct ht_geometry g;
    struct ht_text out = {0};
    struct ht_error error = {0};
    const char *text = "POLYGON ((40567500.5 3314000.25,40567600 3314000,40567600 3314100))";
    ht_geometry_init(&g);
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    HT_REQUIRE(ht_crs_parse("EPSG:4528", 9, &crs) == HT_OK);
    HT_REQUIRE(ht_geometry_read_wkt(&g, text, strlen(text), &crs, work, &error) == HT_OK);
    HT_CHECK(ht_box_contains((struct ht_box){{1200000000, 290000000}, {1220000000, 310000000}},
                             g.points[0]));
    HT_CHECK_INT(g.point_count, 4);
    HT_REQUIRE(ht_geometry_write_wkt(&g, &crs, work, &out) == HT_OK);
    double x = 0;
    HT_CHECK(ht_number_read(out.data + 10, out.size - 10, &x) > 8);
    HT_CHECK(fabs(x - 40567500.5) < 0.02);
    HT_CHECK(strlen(strchr(out.data, '.')) > 3);
    HT_REQUIRE(ht_crs_parse("GCJ02", 5, &crs) == HT_OK);
    HT_REQUIRE(ht_geometry_read_wkt(&g, "POINT(121.7 29.95)", 18, &crs, work, &error) == HT_OK);
    HT_CHECK(g.points[0].lon_e7 < 1216990000);
    ht_text_clear(&out);
    HT_REQUIRE(ht_geometry_write_geojson(&g, &crs, work, &out) == HT_OK);
    HT_CHECK_STR(out.data, "{\"type\":\"Point\",\"coordinates\":[121.7,29.95]}");
    HT_CHECK_INT(ht_geometry_read_wkt(&g, "POINT(200 0)", 12, &crs, work, &error), HT_RANGE);
    HT_CHECK_STR(error.message, "a point is not on Earth");
    crs = (struct ht_crs){.kind = HT_CRS_PROJ, .epsg = 999999};
    HT_CHECK_INT(ht_geometry_read_wkt(&g, "POINT(1 1)", 10, &crs, work, &error), HT_NOT_FOUND);
    ht_crs_work_free(work);
    ht_text_deinit(&out);
    ht_geometry_deinit(&g);
}

HT_CASE(geojson_is_nested_as_its_type_says)
{
    static const char *const rows[][2] = {
        {"POINT EMPTY", "null"},
        {"LINESTRING (1 2,3 4)", "{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}"},
        {"POLYGON ((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))",
         "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]"
         "]"
         "]}"},
        {"MULTIPOLYGON (((0 0,9 0,9 9,0 0)),((1 1,2 1,2 2,1 1)))",
         "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[0,0],[9,0],[9,9],[0,0]]],[[[1,1],[2,1],[2,"
         "2]"
         ",[1,1]]]]}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ht_geometry g;
        struct ht_text out = {0};
        ht_geometry_init(&g);
        HT_CHECK_INT(read_wkt(&g, rows[i][0], NULL), HT_OK);
        HT_CHECK_INT(ht_geometry_write_geojson(&g, NULL, NULL, &out), HT_OK);
        HT_CHECK_STR(ht_text_string(&out), rows[i][1]);
        ht_text_deinit(&out);
        ht_geometry_deinit(&g);
    }
}

/* The bytes of hex digits. */
static size_t unhex(const char *hex, unsigned char *out)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return size;
}

HT_CASE(wkb_of_others_is_read)
{
    static const struct {
        const char *hex;
        enum ht_status status;
        const char *wkt;
    } rows[] = {
        /* PostGIS: ST_AsBinary, both orders, with Z */
        {"0101000000000000000000F03F0000000000000040", HT_OK, "POINT (1 2)"},
        {"00000000013FF00000000000004000000000000000", HT_OK, "POINT (1 2)"},
        {"01E9030000000000000000F03F00000000000000400000000000000840", HT_OK, "POINT (1 2)"},
        {"0101000000000000000000F87F000000000000F87F", HT_OK, "POINT EMPTY"},
        {"010200000000000000", HT_SYNTAX, NULL},
        {"010300000000000000", HT_SYNTAX, NULL},
        {"010600000000000000", HT_SYNTAX, NULL},
        {"01030000000100000000000000", HT_SYNTAX, NULL},
        {"0106000000010000000101000000000000000000F03F0000000000000040", HT_SYNTAX, NULL},
        {"0201000000000000000000F03F0000000000000040", HT_SYNTAX, NULL},
        {"0104000000000000000000F03F0000000000000040", HT_UNSUPPORTED, NULL},
        {"0101000020E6100000000000000000F03F0000000000000040", HT_UNSUPPORTED, NULL}, /* EWKB */
        {"0102000000FFFFFFFF000000000000F03F0000000000000040", HT_TRUNCATED, NULL},
        {"0103000000FFFFFFFF000000000000F03F0000000000000040", HT_TRUNCATED, NULL},
        {"0101000000000000000000F87F0000000000000040", HT_RANGE, NULL},
        {"0101000000000000000000F07F0000000000000040", HT_RANGE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char bytes[128];
        struct ht_geometry g;
        struct ht_text out = {0};
        ht_geometry_init(&g);
        HT_CHECK_INT(ht_geometry_read_wkb(&g, bytes, unhex(rows[i].hex, bytes), NULL),
                     rows[i].status);
        if (rows[i].wkt != NULL) {
            HT_CHECK_INT(ht_geometry_write_wkt(&g, NULL, NULL, &out), HT_OK);
            HT_CHECK_STR(ht_text_string(&out), rows[i].wkt);
        }
        ht_text_deinit(&out);
        ht_geometry_deinit(&g);
    }
}

HT_CASE(too_many_points_are_refused)
{
    struct ht_geometry g;
    struct ht_text text = {0};
    struct ht_error error = {0};
    ht_geometry_init(&g);
    ht_text_add_string(&text, "LINESTRING (1 2");
    for (int i = 1; i < HT_GEOMETRY_POINTS_MAX; i++) {
        ht_text_add(&text, ",1 2", 4);
    }
    ht_text_add_char(&text, ')');
    HT_CHECK_INT(ht_geometry_read_wkt(&g, text.data, text.size, NULL, NULL, &error), HT_OK);
    ht_text_cut(&text, text.size - 1);
    ht_text_add_string(&text, ",1 2)");
    HT_CHECK_INT(ht_geometry_read_wkt(&g, text.data, text.size, NULL, NULL, &error), HT_TOO_BIG);
    HT_CHECK_STR(error.message, "too many points");
    ht_text_deinit(&text);
    ht_geometry_deinit(&g);
}

HT_CASE(the_box_holds_every_point)
{
    struct ht_geometry g;
    ht_geometry_init(&g);
    HT_REQUIRE(read_wkt(&g, "LINESTRING (3 -2,-1 5,2 2)", NULL) == HT_OK);
    HT_CHECK_INT(g.box.min.lon_e7, -10000000);
    HT_CHECK_INT(g.box.min.lat_e7, -20000000);
    HT_CHECK_INT(g.box.max.lon_e7, 30000000);
    HT_CHECK_INT(g.box.max.lat_e7, 50000000);
    ht_geometry_deinit(&g);
}

HT_CASE(each_refused_allocation_is_reported)
{
    const char *text = "MULTIPOLYGON (((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1)),((1 1,2 1,2 2,1 1)))";
    int rounds = 0;
    for (;; rounds++) {
        struct ht_geometry a;
        struct ht_geometry b;
        struct ht_text out = {0};
        struct ht_error error = {0};
        ht_geometry_init(&a);
        ht_geometry_init(&b);
        ht_oom_arm(rounds);
        enum ht_status status = ht_geometry_read_wkt(&a, text, strlen(text), NULL, NULL, &error);
        if (status == HT_OK) {
            status = ht_geometry_copy(&b, &a);
        }
        if (status == HT_OK) {
            status = ht_geometry_write_geojson(&b, NULL, NULL, &out);
        }
        bool refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_text_deinit(&out);
        ht_geometry_deinit(&a);
        ht_geometry_deinit(&b);
        if (!refused) {
            break;
        }
    }
    HT_CHECK(rounds >= 10);
}

HT_MAIN()
