/* Distances against figures computed apart (Python, OSRM's published rule), polylines against
 * Google's own example and against each other. */
#include "engine/base/geo.h"
#include "tests/support/check.h"

#include <math.h>

struct reference {
    struct ht_point a;
    struct ht_point b;
    double mm;
};

static const struct reference references[] = {
    {{1217000000, 299000000}, {1217012345, 299023456}, 286034.2247},
    {{91900000, 454600000}, {91912345, 454601234}, 97498.2517},
    {{-1226000000, 455000000}, {-1226001000, 455000000}, 7819.2645},
    {{0, 0}, {10000000, 0}, 111319480.2674},
    {{0, -899900000}, {100000000, -899999999}, 1218624.7608},
    {{125700000, 556700000}, {125700100, 556700000}, 629.1535},
};

HT_CASE(distance_is_what_osrm_measures)
{
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        const struct reference *r = &references[i];
        HT_CHECK(fabs(ht_distance_m(r->a, r->b) * 1000.0 - r->mm) < 1e-3);
        HT_CHECK(ht_distance_m(r->a, r->b) == ht_distance_m(r->b, r->a));
        HT_CHECK_INT(ht_distance_mm(r->a, r->b), (int64_t)floor(r->mm + 0.5));
    }
}

HT_CASE(distance_scales_agree_with_libm_in_every_band)
{
    const double e2 = (1.0 / 298.257223563) * (2.0 - 1.0 / 298.257223563);
    for (int band = 0; band < 1800; band++) {
        double c = cos((band + 0.5) * 0.05 * M_PI / 180.0);
        double w2 = 1.0 / (1.0 - e2 * (1.0 - c * c));
        double degree = M_PI / 180.0 * 6378137.0;
        struct ht_scale scale = ht_scale_at(band * 500000 + 250000);
        HT_CHECK(fabs(scale.lon_m - degree * sqrt(w2) * c) < 1e-8);
        HT_CHECK(fabs(scale.lat_m - degree * sqrt(w2) * w2 * (1.0 - e2)) < 1e-8);
    }
}

HT_CASE(distance_crosses_the_antimeridian_the_short_way)
{
    struct ht_point a = {1799999000, 100000000};
    struct ht_point b = {-1799999000, 100001000};
    HT_CHECK(fabs(ht_distance_m(a, b) - 24.5580772) < 1e-6);
    HT_CHECK(ht_bearing_deg(a, b) > 0 && ht_bearing_deg(a, b) < 90);
    struct ht_point middle = ht_point_between(a, b, 0.75);
    HT_CHECK_INT(middle.lon_e7, -1799999500);
}

HT_CASE(distance_saturates_and_is_zero_for_equal_points)
{
    struct ht_point a = {-900000000, 0};
    struct ht_point b = {900000000, 0};
    HT_CHECK_INT(ht_distance_mm(a, a), 0);
    HT_CHECK(ht_distance_mm(a, b) == UINT32_MAX);
}

HT_CASE(bearing_of_the_four_winds)
{
    struct ht_point o = {1000000, 300000000};
    HT_CHECK(ht_bearing_deg(o, (struct ht_point){1000000, 300001000}) == 0.0);
    HT_CHECK(fabs(ht_bearing_deg(o, (struct ht_point){1001000, 300000000}) - 90.0) < 1e-9);
    HT_CHECK(fabs(ht_bearing_deg(o, (struct ht_point){1000000, 299999000}) - 180.0) < 1e-9);
    HT_CHECK(fabs(ht_bearing_deg(o, (struct ht_point){999000, 300000000}) - 270.0) < 1e-9);
    HT_CHECK(ht_bearing_deg(o, o) == 0.0);
}

HT_CASE(box_grows_to_hold_its_points)
{
    struct ht_box box = ht_box_empty();
    HT_CHECK(!ht_box_contains(box, (struct ht_point){0, 0}));
    box = ht_box_grow(box, (struct ht_point){5, -7});
    box = ht_box_grow(box, (struct ht_point){-3, 9});
    HT_CHECK(ht_box_contains(box, (struct ht_point){5, 9}));
    HT_CHECK(ht_box_contains(box, (struct ht_point){0, 0}));
    HT_CHECK(!ht_box_contains(box, (struct ht_point){6, 0}));
}

HT_CASE(points_off_the_globe_are_invalid)
{
    HT_CHECK(ht_point_valid((struct ht_point){1800000000, -900000000}));
    HT_CHECK(!ht_point_valid((struct ht_point){1800000001, 0}));
    HT_CHECK(!ht_point_valid((struct ht_point){0, -900000001}));
}

HT_CASE(polyline_encodes_the_published_example)
{
    static const struct ht_point points[] = {
        {-1202000000, 385000000}, {-1209500000, 407000000}, {-1264530000, 432520000}};
    char out[64];
    size_t n = ht_polyline_encode(points, 3, 5, out, sizeof out);
    HT_REQUIRE(n < sizeof out);
    out[n] = '\0';
    HT_CHECK_STR(out, "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
    struct ht_point back[3];
    size_t count = 0;
    HT_REQUIRE(ht_polyline_decode(out, n, 5, back, 3, &count));
    HT_CHECK_INT(count, 3);
    HT_CHECK(memcmp(back, points, sizeof points) == 0);
}

HT_CASE(polyline_rounds_half_away_from_zero)
{
    struct ht_point p = {-1250, 1250};
    char out[32];
    struct ht_point back;
    size_t count = 0;
    size_t n = ht_polyline_encode(&p, 1, 5, out, sizeof out);
    HT_REQUIRE(ht_polyline_decode(out, n, 5, &back, 1, &count));
    HT_CHECK_INT(back.lon_e7, -1300);
    HT_CHECK_INT(back.lat_e7, 1300);
    p = (struct ht_point){-1249, 1249};
    n = ht_polyline_encode(&p, 1, 5, out, sizeof out);
    HT_REQUIRE(ht_polyline_decode(out, n, 5, &back, 1, &count));
    HT_CHECK_INT(back.lon_e7, -1200);
    HT_CHECK_INT(back.lat_e7, 1200);
}

HT_CASE(polyline_round_trips_in_both_precisions)
{
    uint64_t seed = 41;
    for (int round = 0; round < 2000; round++) {
        int precision = 5 + round % 2;
        int32_t unit = precision == 5 ? 100 : 10;
        struct ht_point points[40];
        struct ht_point back[40];
        char out[12 * 40];
        size_t count = ht_random_below(&seed, 41);
        for (size_t i = 0; i < count; i++) {
            points[i].lon_e7 = ((int32_t)ht_random_below(&seed, 3600000001u / (uint32_t)unit) -
                                1800000000 / unit) *
                               unit;
            points[i].lat_e7 =
                ((int32_t)ht_random_below(&seed, 1800000001u / (uint32_t)unit) - 900000000 / unit) *
                unit;
        }
        size_t n = ht_polyline_encode(points, count, precision, out, sizeof out);
        HT_REQUIRE(n <= 12 * count);
        size_t got = 99;
        HT_REQUIRE(ht_polyline_decode(out, n, precision, back, 40, &got));
        HT_CHECK_INT(got, count);
        HT_CHECK(memcmp(back, points, count * sizeof points[0]) == 0);
    }
}

HT_CASE(polyline_never_writes_past_its_room)
{
    static const struct ht_point points[] = {
        {-1202000000, 385000000}, {-1209500000, 407000000}, {-1264530000, 432520000}};
    char whole[64];
    size_t n = ht_polyline_encode(points, 3, 6, whole, sizeof whole);
    for (size_t room = 0; room <= n; room++) {
        char out[64];
        memset(out, '#', sizeof out);
        HT_CHECK_INT(ht_polyline_encode(points, 3, 6, out, room), n);
        HT_CHECK(memcmp(out, whole, room) == 0);
        HT_CHECK(out[room] == '#');
    }
}

HT_CASE(polyline_decode_counts_past_its_capacity)
{
    struct ht_point one;
    size_t count = 0;
    const char *text = "_p~iF~ps|U_ulLnnqC_mqNvxq`@";
    HT_CHECK(ht_polyline_decode(text, strlen(text), 5, &one, 1, &count));
    HT_CHECK_INT(count, 3);
    HT_CHECK_INT(one.lat_e7, 385000000);
    HT_CHECK(ht_polyline_decode("", 0, 5, &one, 1, &count));
    HT_CHECK_INT(count, 0);
}

HT_CASE(polyline_refuses_what_is_malformed)
{
    static const char *const bad[] = {
        "_",                              /* ends inside a number */
        "_p~iF",                          /* a latitude alone */
        "_p~iF~ps|U_ul",                  /* ends in the second point */
        "_p iF~ps|U",                     /* a character outside the alphabet */
        "_p~iF\x7f~ps|U",                 /* the same, above it */
        "~~~~~~~~~~~~",                   /* never ends */
        "}oooooF~ps|U",                   /* more than 32 bits or off the globe */
        "_p~iF~ps|U_p~iF_p~iF_p~iF_p~iF", /* latitude passes 90 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ht_point points[8];
        size_t count = 0;
        HT_CHECK(!ht_polyline_decode(bad[i], strlen(bad[i]), 5, points, 8, &count));
    }
}

HT_MAIN()
