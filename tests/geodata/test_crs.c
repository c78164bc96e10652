/* Coordinate systems: published reference points, round trips, PROJ's own program beside ours. */
#include "geodata/crs.h"

#include <math.h>
#include <pthread.h>

#include "geodata/datum_cn.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

static double apart_m(struct ht_degrees a, struct ht_degrees b)
{
    double x = (a.lon - b.lon) * cos(a.lat * M_PI / 180.0) * 111320.0;
    return hypot(x, (a.lat - b.lat) * 111320.0);
}

/* --- the Chinese shifts ----------------------------------------------------------------------- */

/* From the tests of eviltransform (github.com/googollee/eviltransform), lat and lon. */
static const double gcj02_points[][4] = {
    {31.1774276, 121.5272106, 31.17530398364597, 121.531541859215}, /* Shanghai */
    {22.543847, 113.912316, 22.540796131694766, 113.9171764808363}, /* Shenzhen */
    {39.911954, 116.377817, 39.91334545536069, 116.38404722455657}, /* Beijing */
};

HT_CASE(gcj02_matches_the_published_points)
{
    for (size_t i = 0; i < 3; i++) {
        const double *p = gcj02_points[i];
        struct ht_degrees wgs84 = {p[1], p[0]};
        struct ht_degrees gcj02 = {p[3], p[2]};
        HT_CHECK(apart_m(ht_gcj02_from_wgs84(wgs84), gcj02) < 1e-5);
        HT_CHECK(apart_m(ht_gcj02_to_wgs84(gcj02), wgs84) < 1e-3);
        HT_CHECK(apart_m(wgs84, gcj02) > 300);
    }
}

HT_CASE(bd09_matches_the_published_points)
{
    /* From the README of coordtransform (github.com/wandergis/coordtransform): one pair of numbers,
     * taken for WGS84 and for GCJ-02. */
    struct ht_degrees point = {116.404, 39.915};
    struct ht_degrees gcj02 = {116.41024449916938, 39.91640428150164};
    struct ht_degrees bd09 = {116.41036949371029, 39.92133699351021};
    HT_CHECK(apart_m(ht_gcj02_from_wgs84(point), gcj02) < 1e-5);
    HT_CHECK(apart_m(ht_bd09_from_wgs84(ht_gcj02_to_wgs84(point)), bd09) < 1e-3);
    HT_CHECK(apart_m(ht_gcj02_from_wgs84(ht_bd09_to_wgs84(bd09)), point) < 1e-3);
}

HT_CASE(round_trips_inside_china_stay_below_a_millimetre)
{
    uint64_t seed = 3;
    double worst[2] = {0, 0};
    for (int i = 0; i < 200000; i++) {
        struct ht_degrees p = {73.0 + ht_random_below(&seed, 62000000) / 1e6,
                               1.0 + ht_random_below(&seed, 54000000) / 1e6};
        if (i % 100 == 0) {
            p.lon = 105.0 + (i % 3 - 1) * 1e-7; /* where the formula has a root */
        }
        worst[0] = fmax(worst[0], apart_m(ht_gcj02_to_wgs84(ht_gcj02_from_wgs84(p)), p));
        worst[1] = fmax(worst[1], apart_m(ht_bd09_to_wgs84(ht_bd09_from_wgs84(p)), p));
    }
    HT_CHECK(worst[0] < 1e-3);
    HT_CHECK(worst[1] < 1e-3);
}

HT_CASE(shifts_are_the_identity_outside_china)
{
    static const struct ht_degrees places[] = {
        {139.6917, 35.6895},
        {-74.0060, 40.7128},
        {9.1900, 45.4642},
        {151.2093, -33.8688},
        {0, 0},
        {180, 90},
        {-180, -90},
        {71.9, 40.0},
        {110.0, 56.5},
        {110.0, 0.5},
        {138.5, 30.0},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct ht_degrees p = places[i];
        struct ht_degrees got[4] = {ht_gcj02_from_wgs84(p), ht_gcj02_to_wgs84(p),
                                    ht_bd09_from_wgs84(p), ht_bd09_to_wgs84(p)};
        for (int k = 0; k < 4; k++) {
            HT_CHECK(got[k].lon == p.lon && got[k].lat == p.lat);
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static struct ht_crs crs_of(const char *name)
{
    struct ht_crs crs;
    HT_CHECK_INT(ht_crs_parse(name, strlen(name), &crs), HT_OK);
    return crs;
}

HT_CASE(names_are_read_in_all_their_spellings)
{
    static const struct {
        const char *name;
        struct ht_crs crs;
    } names[] = {
        {"", {HT_CRS_WGS84, 0, false}},
        {"EPSG:4326", {HT_CRS_WGS84, 0, false}},
        {"epsg:4326", {HT_CRS_WGS84, 0, false}},
        {"WGS84", {HT_CRS_WGS84, 0, false}},
        {"wgs-84", {HT_CRS_WGS84, 0, false}},
        {"CRS84", {HT_CRS_WGS84, 0, false}},
        {"OGC:CRS84", {HT_CRS_WGS84, 0, false}},
        {"GCJ02", {HT_CRS_GCJ02, 0, false}},
        {"gcj-02", {HT_CRS_GCJ02, 0, false}},
        {"Gcj_02", {HT_CRS_GCJ02, 0, false}},
        {"BD09", {HT_CRS_BD09, 0, false}},
        {"bd-09", {HT_CRS_BD09, 0, false}},
        {"EPSG:4550", {HT_CRS_PROJ, 4550, false}},
        {"http://www.opengis.net/def/crs/OGC/1.3/CRS84", {HT_CRS_WGS84, 0, false}},
        {"http://www.opengis.net/def/crs/EPSG/0/4326", {HT_CRS_WGS84, 0, true}},
        {"https://www.opengis.net/def/crs/EPSG/9.9/4550", {HT_CRS_PROJ, 4550, true}},
        {"urn:ogc:def:crs:EPSG::4550", {HT_CRS_PROJ, 4550, true}},
        {"urn:ogc:def:crs:OGC:1.3:CRS84", {HT_CRS_WGS84, 0, false}},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ht_crs crs = crs_of(names[i].name);
        HT_CHECK_INT(crs.kind, names[i].crs.kind);
        HT_CHECK_INT(crs.epsg, names[i].crs.epsg);
        HT_CHECK(crs.authority_order == names[i].crs.authority_order);
    }
}

HT_CASE(names_of_no_known_form_are_refused)
{
    static const char *const names[] = {"EPSG:",
                                        "EPSG:4326x",
                                        "EPSG:-1",
                                        "EPSG:12345678901",
                                        "4326",
                                        "GCJ",
                                        "GCJ022",
                                        "mars",
                                        "http://www.opengis.net/def/crs/EPSG/4326",
                                        "http://www.opengis.net/def/crs/OGC/1.3/CRS83",
                                        "urn:ogc:def:crs:EPSG",
                                        "urn:ogc:def:crs:",
                                        "http://www.opengis.net/def/crs/",
                                        "http://www.opengis.net/def/crs/EPSG/0/",
                                        "EPSG:4326 ",
                                        "\xff\xfe",
                                        "a name that is far longer than any that could be meant"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ht_crs crs;
        HT_CHECK_INT(ht_crs_parse(names[i], strlen(names[i]), &crs), HT_SYNTAX);
    }
}

HT_CASE(written_names_are_read_back)
{
    static const char *const names[] = {"EPSG:4326",
                                        "GCJ02",
                                        "BD09",
                                        "EPSG:4550",
                                        "http://www.opengis.net/def/crs/EPSG/0/4326",
                                        "http://www.opengis.net/def/crs/EPSG/0/999999999"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ht_crs crs = crs_of(names[i]);
        char name[HT_CRS_NAME_SIZE];
        ht_crs_name(&crs, name);
        struct ht_crs back = crs_of(name);
        HT_CHECK(back.kind == crs.kind && back.epsg == crs.epsg &&
                 back.authority_order == crs.authority_order);
    }
    struct ht_crs plain = crs_of("");
    char name[HT_CRS_NAME_SIZE];
    ht_crs_name(&plain, name);
    HT_CHECK_STR(name, "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
    HT_CHECK(ht_crs_plain(&plain));
}

/* --- conversion ------------------------------------------------------------------------------- */

HT_CASE(codes_that_are_no_places_are_refused)
{
    struct ht_crs_work *work = NULL;
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    static const char *const names[] = {"EPSG:999999", "EPSG:5773", "EPSG:7030", "EPSG:4978"};
    for (size_t i = 0; i < 4; i++) { /* unknown, vertical, an ellipsoid, geocentric */
        struct ht_crs crs = crs_of(names[i]);
        double pair[1][2] = {{121.7, 29.9}};
        HT_CHECK_INT(ht_crs_check(work, &crs, NULL), HT_NOT_FOUND);
        HT_CHECK_INT(ht_crs_to_wgs84(work, &crs, pair, 1), HT_NOT_FOUND);
    }
    bool projected = false;
    struct ht_crs zone = crs_of("EPSG:4550");
    HT_CHECK_INT(ht_crs_check(work, &zone, &projected), HT_OK);
    HT_CHECK(projected);
    struct ht_crs cgcs = crs_of("EPSG:4490");
    HT_CHECK_INT(ht_crs_check(work, &cgcs, &projected), HT_OK);
    HT_CHECK(!projected);
    ht_crs_work_free(work);
}

HT_CASE(places_off_the_globe_are_refused)
{
    struct ht_crs_work *work = NULL;
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    static const char *const names[] = {"", "GCJ02", "BD09", "EPSG:4490", "EPSG:4550"};
    static const double bad[][2] = {{NAN, 30}, {121, INFINITY}, {1e300, 1e300}, {-1e300, 0}};
    for (size_t n = 0; n < 5; n++) {
        for (size_t i = 0; i < 4; i++) {
            struct ht_crs crs = crs_of(names[n]);
            struct ht_point p;
            HT_CHECK_INT(ht_crs_point(work, &crs, bad[i], &p), HT_RANGE);
        }
    }
    static const double swapped[] = {29.9, 121.7}; /* lat 121.7 */
    for (size_t n = 0; n < 4; n++) {
        struct ht_crs crs = crs_of(names[n]);
        struct ht_point p;
        HT_CHECK_INT(ht_crs_point(work, &crs, swapped, &p), HT_RANGE);
    }
    ht_crs_work_free(work);
}

HT_CASE(round_trips_in_every_system_stay_below_a_centimetre)
{
    static const char *const names[] = {"",
                                        "GCJ02",
                                        "BD09",
                                        "EPSG:3857",
                                        "EPSG:4490",
                                        "EPSG:4549",
                                        "EPSG:4550",
                                        "EPSG:4529",
                                        "EPSG:32651",
                                        "EPSG:2385",
                                        "urn:ogc:def:crs:EPSG::4550",
                                        "http://www.opengis.net/def/crs/EPSG/0/4326"};
    struct ht_crs_work *work = NULL;
    uint64_t seed = 5;
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) { /* more than a thread keeps */
        struct ht_crs crs = crs_of(names[n]);
        for (int i = 0; i < 500; i++) {
            struct ht_degrees p = {119.5 + ht_random_below(&seed, 4000000) / 1e6,
                                   20.0 + ht_random_below(&seed, 20000000) / 1e6};
            double pair[1][2] = {{p.lon, p.lat}};
            HT_REQUIRE(ht_crs_from_wgs84(work, &crs, pair, 1) == HT_OK);
            struct ht_point rounded;
            HT_CHECK_INT(ht_crs_point(work, &crs, pair[0], &rounded), HT_OK);
            HT_REQUIRE(ht_crs_to_wgs84(work, &crs, pair, 1) == HT_OK);
            HT_CHECK(apart_m((struct ht_degrees){pair[0][0], pair[0][1]}, p) < 0.01);
            HT_CHECK(apart_m((struct ht_degrees){rounded.lon_e7 / 1e7, rounded.lat_e7 / 1e7}, p) <
                     0.02);
        }
    }
    ht_crs_work_free(work);
}

HT_CASE(uris_take_the_axes_of_their_authority)
{
    struct ht_crs_work *work = NULL;
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    struct ht_crs by_name = crs_of("EPSG:4550");
    struct ht_crs by_uri = crs_of("http://www.opengis.net/def/crs/EPSG/0/4550");
    double xy[1][2] = {{121.7, 29.95}};
    double yx[1][2] = {{121.7, 29.95}};
    HT_REQUIRE(ht_crs_from_wgs84(work, &by_name, xy, 1) == HT_OK);
    HT_REQUIRE(ht_crs_from_wgs84(work, &by_uri, yx, 1) == HT_OK);
    HT_CHECK(xy[0][0] == yx[0][1] && xy[0][1] == yx[0][0]);
    HT_CHECK(xy[0][0] > 370000 && xy[0][0] < 380000); /* easting: 125 km west of 123 E */
    struct ht_crs mercator = crs_of("http://www.opengis.net/def/crs/EPSG/0/3857");
    double m[1][2] = {{121.7, 29.95}};
    HT_REQUIRE(ht_crs_from_wgs84(work, &mercator, m, 1) == HT_OK);
    HT_CHECK(m[0][0] > 13547582 && m[0][0] < 13547583); /* its authority lists easting first */
    struct ht_crs wgs84 = crs_of("http://www.opengis.net/def/crs/EPSG/0/4326");
    double latlon[2] = {29.95, 121.7};
    struct ht_point p;
    HT_REQUIRE(ht_crs_point(work, &wgs84, latlon, &p) == HT_OK);
    HT_CHECK(p.lon_e7 == 1217000000 && p.lat_e7 == 299500000);
    ht_crs_work_free(work);
}

HT_CASE(cgcs2000_zones_agree_with_cs2cs)
{
    if (system("command -v cs2cs >/dev/null 2>&1") != 0) {
        HT_SKIP("cs2cs (package proj-bin) is not installed");
    }
    static const uint32_t zones[] = {4490, 4508, 4509, 4528, 4529, 4548, 4549, 4550, 4551};
    struct ht_crs_work *work = NULL;
    HT_REQUIRE(ht_crs_work_new(&work) == HT_OK);
    for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
        char command[256];
        (void)snprintf(command, sizeof command,
                       "printf '29.95 121.7\\n30.5 122.25\\n21.123456 118.987654\\n' | "
                       "cs2cs -f %%.9f EPSG:4326 EPSG:%u",
                       zones[z]);
        FILE *pipe = popen(command, "r");
        HT_REQUIRE(pipe != NULL);
        double ours[3][2] = {{121.7, 29.95}, {122.25, 30.5}, {118.987654, 21.123456}};
        struct ht_crs crs = {.kind = HT_CRS_PROJ, .epsg = zones[z], .authority_order = true};
        HT_REQUIRE(ht_crs_from_wgs84(work, &crs, ours, 3) == HT_OK);
        int lines = 0;
        for (char line[128]; lines < 3 && fgets(line, sizeof line, pipe) != NULL; lines++) {
            char *end = NULL;
            double first = strtod(line, &end);
            double second = strtod(end, NULL);
            HT_CHECK(fabs(first - ours[lines][0]) < 1e-6);
            HT_CHECK(fabs(second - ours[lines][1]) < 1e-6);
        }
        HT_CHECK_INT(lines, 3);
        HT_CHECK_INT(pclose(pipe), 0);
    }
    ht_crs_work_free(work);
}

static void *convert_many(void *user)
{
    struct ht_crs_work *work = NULL;
    int *good = user;
    struct ht_crs crs = {.kind = HT_CRS_PROJ, .epsg = 4550};
    if (ht_crs_work_new(&work) != HT_OK) {
        return NULL;
    }
    for (int i = 0; i < 1000; i++) {
        double pair[1][2] = {{121.7, 29.95}};
        *good += ht_crs_from_wgs84(work, &crs, pair, 1) == HT_OK &&
                 fabs(pair[0][0] - 374499.563587) < 1e-3;
    }
    ht_crs_work_free(work);
    return NULL;
}

HT_CASE(each_thread_converts_with_its_own_work)
{
    pthread_t ids[4];
    int good[4] = {0};
    for (int i = 0; i < 4; i++) {
        HT_REQUIRE(pthread_create(&ids[i], NULL, convert_many, &good[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        HT_CHECK_INT(pthread_join(ids[i], NULL), 0);
        HT_CHECK_INT(good[i], 1000);
    }
}

HT_CASE(work_without_memory_says_so_oom)
{
    struct ht_crs_work *work = NULL;
    ht_oom_arm(0);
    enum ht_status status = ht_crs_work_new(&work);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK_INT(status, HT_NOMEM);
    HT_CHECK(work == NULL);
    ht_crs_work_free(NULL);
}

HT_MAIN()
