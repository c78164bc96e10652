/* Areas: what they hold and meet, and what is no area. */
#include "geodata/area.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

static struct ht_area *area_of(const char *wkt)
{
    struct ht_area *area = NULL;
    if (ht_area_new(&area) != HT_OK || ht_area_read(area, wkt, NULL, NULL, NULL) != HT_OK) {
        ht_area_free(area);
        return NULL;
    }
    return area;
}

static struct ht_point at(double lon, double lat)
{
    return (struct ht_point){(int32_t)(lon * 1e7), (int32_t)(lat * 1e7)};
}

static bool meets(const struct ht_area *area, const char *wkt)
{
    struct ht_geometry shape;
    bool answer = false;
    ht_geometry_init(&shape);
    HT_CHECK_INT(ht_geometry_read_wkt(&shape, wkt, strlen(wkt), NULL, NULL, NULL), HT_OK);
    HT_CHECK_INT(ht_area_meets(area, &shape, &answer), HT_OK);
    ht_geometry_deinit(&shape);
    return answer;
}

#define RING "POLYGON((0 0,10 0,10 10,0 10,0 0),(4 4,6 4,6 6,4 6,4 4))"

HT_CASE(a_hole_is_outside_and_borders_are_within)
{
    struct ht_area *area = area_of(RING);
    HT_REQUIRE(area != NULL);
    HT_CHECK(ht_area_holds(area, at(1, 1)) && ht_area_holds(area, at(0, 5)));
    HT_CHECK(ht_area_holds(area, at(10, 10)) && ht_area_holds(area, at(4, 5)));
    HT_CHECK(!ht_area_holds(area, at(5, 5)) && !ht_area_holds(area, at(11, 5)));
    HT_CHECK(meets(area, "POINT(1 1)") && !meets(area, "POINT(5 5)"));
    HT_CHECK(!meets(area, "POLYGON((4.5 4.5,5.5 4.5,5 5.5,4.5 4.5))")); /* in the hole */
    HT_CHECK(meets(area, "POLYGON((4.5 4.5,5.5 4.5,5 7,4.5 4.5))"));
    HT_CHECK(meets(area, "POLYGON((-1 -1,11 -1,11 11,-1 11,-1 -1))")); /* around it */
    HT_CHECK(meets(area, "POLYGON((10 10,12 10,12 12,10 10))"));       /* by one corner */
    HT_CHECK(meets(area, "LINESTRING(-1 1,11 1)") && !meets(area, "LINESTRING(-1 -1,11 -1)"));
    HT_CHECK(!meets(area, "POINT EMPTY"));
    ht_area_free(area);
}

HT_CASE(all_parts_must_hold)
{
    struct ht_area *area = area_of(RING);
    struct ht_box box = {at(8, -1), at(12, 3)};
    struct ht_error error;
    HT_REQUIRE(area != NULL);
    HT_CHECK_INT(ht_area_add_box(area, box, &error), HT_OK);
    HT_CHECK(ht_area_holds(area, at(9, 1)) && !ht_area_holds(area, at(11, 1)) &&
             !ht_area_holds(area, at(1, 1)));
    HT_CHECK(ht_area_box(area, &box));
    HT_CHECK(box.min.lon_e7 == 80000000 && box.min.lat_e7 == 0 && box.max.lon_e7 == 100000000 &&
             box.max.lat_e7 == 30000000);
    HT_CHECK_INT(ht_area_read(area, "POLYGON((20 20,21 20,21 21,20 20))", NULL, NULL, &error),
                 HT_OK);
    HT_CHECK_INT(ht_area_parts(area), 3);
    HT_CHECK(!ht_area_box(area, &box) && !ht_area_holds(area, at(9, 1)));
    HT_CHECK_INT(ht_area_add_box(area, box, &error), HT_TOO_BIG);
    ht_area_free(area);
}

HT_CASE(boxes_may_have_no_width)
{
    struct ht_area *area = NULL;
    HT_REQUIRE(ht_area_new(&area) == HT_OK);
    HT_CHECK_INT(ht_area_add_box(area, (struct ht_box){at(5, 5), at(5, 5)}, NULL), HT_OK);
    HT_CHECK(ht_area_holds(area, at(5, 5)) && !ht_area_holds(area, at(5, 5.1)));
    HT_CHECK(meets(area, "POLYGON((0 0,10 0,10 10,0 10,0 0))") && !meets(area, RING));
    ht_area_free(area);
    HT_REQUIRE(ht_area_new(&area) == HT_OK);
    HT_CHECK_INT(ht_area_add_box(area, (struct ht_box){at(5, 0), at(5, 9)}, NULL), HT_OK);
    HT_CHECK(meets(area, RING) && ht_area_holds(area, at(5, 9)) && !ht_area_holds(area, at(4, 9)));
    ht_area_free(area);
}

HT_CASE(geojson_comes_as_geometry_or_feature)
{
    static const char geometry[] =
        " {\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}";
    char feature[256];
    struct ht_area *area = area_of(geometry);
    HT_REQUIRE(area != NULL);
    HT_CHECK(ht_area_holds(area, at(1, 1)) && !ht_area_holds(area, at(3, 1)));
    ht_area_free(area);
    (void)snprintf(feature, sizeof feature,
                   "{\"type\":\"Feature\",\"id\":\"a\",\"properties\":{},\"geometry\":%s}",
                   geometry);
    area = area_of(feature);
    HT_REQUIRE(area != NULL);
    HT_CHECK(ht_area_holds(area, at(1, 1)) && !ht_area_holds(area, at(3, 1)));
    ht_area_free(area);
}

static enum ht_status read_as(const char *text, struct ht_error *error)
{
    struct ht_area *area = NULL;
    HT_CHECK_INT(ht_area_new(&area), HT_OK);
    enum ht_status status = ht_area_read(area, text, NULL, NULL, error);
    HT_CHECK_INT(ht_area_parts(area), status == HT_OK ? 1 : 0);
    ht_area_free(area);
    return status;
}

HT_CASE(what_is_no_area_is_refused_with_the_reason)
{
    static char large[300000];
    struct ht_error error = {0};
    HT_CHECK_INT(read_as("POLYGON((0 0,2 2,2 0,0 2,0 0))", &error), HT_INVALID);
    HT_CHECK(strstr(error.message, "self-crossing at 1 1") != NULL);
    HT_CHECK_INT(read_as("POINT(1 1)", &error), HT_INVALID);
    HT_CHECK_INT(read_as("POLYGON EMPTY", &error), HT_INVALID);
    HT_CHECK_INT(read_as("", &error), HT_SYNTAX);
    HT_CHECK_INT(read_as("{\"type\":\"Polygon\",\"coordinates\":[[]]}", &error), HT_SYNTAX);
    HT_CHECK_INT(read_as("{\"type\":\"FeatureCollection\",\"features\":[]}", &error), HT_INVALID);
    int size = snprintf(large, sizeof large, "POLYGON((0 0");
    for (int i = 0; i <= HT_AREA_POINTS_MAX; i++) {
        size +=
            snprintf(large + size, sizeof large - (size_t)size, ",%d.%04d 1", i / 10000, i % 10000);
    }
    (void)snprintf(large + size, sizeof large - (size_t)size, ",2 0,0 0))");
    HT_CHECK_INT(read_as(large, &error), HT_TOO_BIG);
    HT_CHECK(strstr(error.message, "10000") != NULL);
}

HT_CASE(area_survives_a_refused_allocation)
{
    struct ht_area *area = NULL;
    for (long n = 0; n < 400; n++) {
        ht_oom_arm(n);
        enum ht_status status = ht_area_new(&area);
        enum ht_status read = status == HT_OK ? ht_area_read(area, RING, NULL, NULL, NULL) : status;
        bool refused = ht_oom_disarm();
        HT_CHECK(read == HT_OK || (refused && read == HT_NOMEM));
        ht_area_free(status == HT_OK ? area : NULL);
        if (!refused) {
            return;
        }
    }
}

HT_MAIN()
