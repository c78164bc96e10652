/* avoid= over HTTP: one request keeps off areas, in route, table, trip, nearest, closest and
 * isochrone, and the next one does not. */
#include <math.h>

#include "engine/base/geo.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"
#define A "121.700,29.950"
#define B "121.730,29.960"

static char options[256];

static bool begin_town(void)
{
    char store[128];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/avoid.sqlite", folder);
    (void)unlink(store);
    (void)snprintf(options, sizeof options, "--store %s", store);
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* ---- places in an area ---- */

static struct ht_point low;
static struct ht_point high;

/* Chooses a box in the middle of the way from A to B. */
static bool choose_area(int32_t half_e7)
{
    if (get("/route/v1/car/" A ";" B "?geometries=geojson&overview=full") != 200) {
        return false;
    }
    char path[64];
    int count = ht_json_count_at(answer.body, "routes.0.geometry.coordinates");
    (void)snprintf(path, sizeof path, "routes.0.geometry.coordinates.%d.0", count / 2);
    int32_t lon = (int32_t)lround(ht_json_number_at(answer.body, path) * 1e7);
    path[strlen(path) - 1] = '1';
    int32_t lat = (int32_t)lround(ht_json_number_at(answer.body, path) * 1e7);
    low = (struct ht_point){lon - half_e7, lat - half_e7};
    high = (struct ht_point){lon + half_e7, lat + half_e7};
    return count > 10;
}

static void area_write(char *out, size_t size, const char *shift)
{
    double d = shift == NULL ? 0 : 1e-7;
    (void)snprintf(out, size,
                   "{\"type\":\"Polygon\",\"coordinates\":[[[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],"
                   "[%.7f,%.7f],[%.7f,%.7f]]]}",
                   low.lon_e7 / 1e7 + d, low.lat_e7 / 1e7, high.lon_e7 / 1e7, low.lat_e7 / 1e7,
                   high.lon_e7 / 1e7, high.lat_e7 / 1e7, low.lon_e7 / 1e7, high.lat_e7 / 1e7,
                   low.lon_e7 / 1e7 + d, low.lat_e7 / 1e7);
}

/* Asks with an area as it goes into a URL. */
static int get_avoiding(const char *path, const char *avoid)
{
    static char text[8192];
    size_t size =
        (size_t)snprintf(text, sizeof text, "%s%savoid=", path, strchr(path, '?') ? "&" : "?");
    for (; *avoid != '\0' && size + 4 < sizeof text; avoid++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%%%02X", (unsigned char)*avoid);
    }
    static char request[9000];
    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", text);
    return ask(request);
}

/* Points of the way in the answer that lie within the box (corners of the way, to six decimals). */
static int points_inside(void)
{
    int count = ht_json_count_at(answer.body, "routes.0.geometry.coordinates");
    int inside = 0;
    for (int i = 0; i < count; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "routes.0.geometry.coordinates.%d.0", i);
        double lon = ht_json_number_at(answer.body, path) * 1e7;
        path[strlen(path) - 1] = '1';
        double lat = ht_json_number_at(answer.body, path) * 1e7;
        inside += lon > low.lon_e7 + 10 && lon < high.lon_e7 - 10 && lat > low.lat_e7 + 10 &&
                  lat < high.lat_e7 - 10;
    }
    return count <= 0 ? -1 : inside;
}

static double duration(void)
{
    return ht_json_number_at(answer.body, "routes.0.duration");
}

#define ROUTE "/route/v1/car/" A ";" B "?geometries=geojson&overview=full"

HT_CASE(a_route_keeps_off_an_area_and_the_next_one_does_not)
{
    char area[512];
    char other[512];
    HT_REQUIRE(begin_town() && choose_area(20000));
    area_write(area, sizeof area, NULL);
    area_write(other, sizeof other, "a bit");
    HT_REQUIRE(get(ROUTE) == 200);
    double before = duration();
    HT_CHECK(points_inside() > 0);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    double around = duration();
    HT_CHECK(points_inside() == 0 && around > before);
    HT_CHECK_INT(get(ROUTE), 200);
    HT_CHECK(fabs(duration() - before) < 0.05);
    HT_CHECK_INT(get_avoiding(ROUTE, other), 200); /* another question, then the first again */
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 1);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    HT_CHECK(fabs(duration() - around) < 0.05);
    HT_CHECK_INT(get_avoiding("/table/v1/car/" A ";" B "?sources=0&destinations=1", area), 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "durations.0.0") - around) < 0.15);
    HT_CHECK_INT(get_avoiding("/trip/v1/car/" A ";" B "?roundtrip=false&source=first&"
                              "destination=last",
                              area),
                 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "trips.0.duration") - around) < 0.05);
    HT_CHECK_INT(get_avoiding(ROUTE "&alternatives=2&steps=true", area), 200);
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 0.05);
    HT_CHECK_INT(get_avoiding(ROUTE "&exclude=motorway", area), 200);
    HT_CHECK(points_inside() == 0);
    end();
}

HT_CASE(an_area_may_be_a_zone_of_any_kind_or_many)
{
    char area[512];
    char text[2048];
    HT_REQUIRE(begin_town() && choose_area(20000));
    area_write(area, sizeof area, NULL);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    double around = duration();
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"properties\":{\"kind\":\"watched\"},\"geometry\":%s}",
                   area);
    HT_CHECK_INT(send_body("PUT", "/collections/zones/items/w-1", GEO, text), 201);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"properties\":{\"kind\":\"fence\",\"until\":"
                   "\"2020-01-01T00:00:00Z\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
                   "[[[121.8,29.95],[121.81,29.95],[121.81,29.96],[121.8,29.95]]]}}");
    HT_CHECK_INT(send_body("PUT", "/collections/zones/items/f.2", GEO, text), 201);
    HT_CHECK_INT(get_avoiding(ROUTE, "w-1"), 200);
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 0.05);
    HT_CHECK_INT(get(ROUTE "&avoid=f.2,w-1"), 200);
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 0.05);
    static char plain[1 << 17]; /* far off: to the byte as without */
    HT_CHECK_INT(get(ROUTE "&steps=true&annotations=true"), 200);
    HT_REQUIRE(answer.size < sizeof plain);
    (void)snprintf(plain, sizeof plain, "%s", answer.body);
    HT_CHECK_INT(get_avoiding(ROUTE "&steps=true&annotations=true", "f.2"), 200);
    HT_CHECK(points_inside() > 0);
    HT_CHECK_STR(answer.body, plain);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
                   "\"properties\":{},\"geometry\":%s},{\"type\":\"Feature\",\"properties\":null,"
                   "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[121.8,29.95],"
                   "[121.81,29.95],[121.81,29.96],[121.8,29.95]]]}}]}",
                   area);
    HT_CHECK_INT(get_avoiding(ROUTE, text), 200);
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 0.05);
    HT_CHECK_INT(send_body("DELETE", "/collections/zones/items/w-1", "", ""), 204);
    HT_CHECK_INT(get_avoiding(ROUTE, "w-1"), 400);
    HT_CHECK(says("\"InvalidOptions\"") && says("there is no zone w-1"));
    end();
}

HT_CASE(an_area_is_in_the_coordinates_of_the_request)
{
    /* the same numbers are another place in GCJ-02: hundreds of metres off */
    static const char base[] = "/route/v1/car/121.7045,29.9477;121.7345,29.9577?geometries=geojson&"
                               "overview=full&crs=GCJ02&out_crs=EPSG:4326";
    HT_REQUIRE(begin_town() && choose_area(20000));
    char area[512];
    HT_REQUIRE(get(base) == 200);
    double before = duration();
    /* WGS84 to GCJ-02 here: some 0.0044 east, 0.0024 south; the box is moved likewise */
    struct ht_point keep_low = low;
    struct ht_point keep_high = high;
    low.lon_e7 += 44500;
    high.lon_e7 += 44500;
    low.lat_e7 -= 23500;
    high.lat_e7 -= 23500;
    area_write(area, sizeof area, NULL);
    low = (struct ht_point){keep_low.lon_e7 + 3000, keep_low.lat_e7 + 3000};
    high = (struct ht_point){keep_high.lon_e7 - 3000, keep_high.lat_e7 - 3000};
    HT_CHECK_INT(get_avoiding(base, area), 200);
    HT_CHECK(points_inside() == 0 && duration() > before);
    end();
}

HT_CASE(traffic_stands_beneath_an_area_to_avoid)
{
    char area[512];
    HT_REQUIRE(begin_town() && choose_area(20000));
    area_write(area, sizeof area, NULL);
    HT_CHECK_INT(get_avoiding("/route/v1/car/" A ";" B "?annotations=nodes&overview=false", area),
                 200);
    double around = duration();
    int count = ht_json_count_at(answer.body, "routes.0.legs.0.annotation.nodes");
    HT_REQUIRE(count > 10);
    char path[64];
    char body[128];
    long long nodes[2];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "routes.0.legs.0.annotation.nodes.%d", count / 2 + i);
        nodes[i] = (long long)ht_json_number_at(answer.body, path);
    }
    (void)snprintf(body, sizeof body, "[{\"osm_from\":%lld,\"osm_to\":%lld,\"closed\":true}]",
                   nodes[0], nodes[1]);
    HT_CHECK_INT(post("/v1/traffic", JSON, body), 200);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    HT_CHECK(points_inside() == 0 && duration() > around);
    (void)snprintf(body, sizeof body, "[{\"osm_from\":%lld,\"osm_to\":%lld,\"closed\":false}]",
                   nodes[0], nodes[1]);
    HT_CHECK_INT(post("/v1/traffic", JSON, body), 200);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    HT_CHECK(points_inside() == 0 && fabs(duration() - around) < 0.05);
    end();
}

HT_CASE(closest_and_isochrone_keep_off_too)
{
    char area[512];
    char body[1024];
    HT_REQUIRE(begin_town() && choose_area(20000));
    area_write(area, sizeof area, NULL);
    HT_CHECK_INT(post("/collections/units/items", "Content-Type: text/csv\r\n",
                      "id,lon,lat,kind,profile,status\nu1," A ",van,car,idle\n"),
                 201);
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":\"u1\",\"lon\":121.700,\"lat\":29.950}]"),
                 200);
    HT_CHECK_INT(get_avoiding(ROUTE, area), 200);
    double around = duration();
    HT_CHECK_INT(get("/v1/closest?lon=121.730&lat=29.960"), 200);
    double straight = ht_json_number_at(answer.body, "closest.0.duration_s");
    HT_CHECK(straight < around - 1);
    HT_CHECK_INT(get_avoiding("/v1/closest?lon=121.730&lat=29.960&geometry=1", area), 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "closest.0.duration_s") - around) < 2);
    (void)snprintf(body, sizeof body,
                   "{\"points\":[[121.730,29.960],[121.730,29.960]],\"avoid\":%s}", area);
    HT_CHECK_INT(post("/v1/closest", JSON, body), 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "closest.1.0.duration_s") - around) < 2);
    HT_CHECK_INT(get("/v1/closest?lon=121.730&lat=29.960"), 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "closest.0.duration_s") - straight) < 0.05);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.700&lat=29.950&profile=car&max_s=900"), 200);
    double whole = ht_json_number_at(answer.body, "features.0.properties.area_m2");
    HT_CHECK_INT(get_avoiding("/v1/isochrone?lon=121.700&lat=29.950&profile=car&max_s=900", area),
                 200);
    double less = ht_json_number_at(answer.body, "features.0.properties.area_m2");
    HT_CHECK(less > 0 && less < whole);
    end();
}

#define RING(points) "{\"type\":\"Polygon\",\"coordinates\":[[" points "]]}"

static const char crossed[] =
    RING("[121.7,29.95],[121.71,29.96],[121.71,29.95],[121.7,29.96],[121.7,29.95]");
static const char beyond[] = RING("[121.7,99],[121.71,29.96],[121.71,29.95],[121.7,99]");

HT_CASE(what_is_no_area_is_refused)
{
    static const char *const wrong[] = {
        "",
        "nobody",
        "a,,b",
        "{",
        "{\"type\":\"Polygon\"}",
        "{\"type\":\"Point\",\"coordinates\":[121.7,29.95]}",
        "{\"type\":\"LineString\",\"coordinates\":[[121.7,29.95],[121.8,29.95]]}",
        crossed,
        beyond,
        "{\"type\":\"FeatureCollection\",\"features\":[]}",
    };
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int status = get_avoiding(ROUTE, wrong[i]);
        if (status != 400 || !says("\"InvalidOptions\"")) {
            (void)printf("  %s: %d %s\n", wrong[i], status, answer.body);
        }
        HT_CHECK(status == 400 && says("\"InvalidOptions\""));
        HT_CHECK_INT(get_avoiding("/v1/closest?lon=121.730&lat=29.960", wrong[i]), 400);
        HT_CHECK_INT(
            get_avoiding("/v1/isochrone?lon=121.700&lat=29.950&profile=car&max_s=900", wrong[i]),
            400);
    }
    HT_CHECK_INT(get_avoiding(ROUTE, crossed), 400);
    HT_CHECK(says("self-crossing") || says("elf-intersection"));
    static char many[12000 * 32];
    size_t size = (size_t)snprintf(many, sizeof many,
                                   "{\"points\":[[121.7,29.95]],\"avoid\":"
                                   "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int i = 0; i <= 10000; i++) {
        size += (size_t)snprintf(many + size, sizeof many - size, "[%.4f,%.2f],", 120 + i * 1e-4,
                                 29.0 + i % 2 * 0.1);
    }
    (void)snprintf(many + size, sizeof many - size, "[121,20],[120,29]]]}}");
    static char request[12000 * 32 + 512];
    (void)snprintf(request, sizeof request,
                   "POST /v1/closest HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %zu\r\n"
                   "Content-Type: application/json\r\n\r\n%s",
                   (unsigned)port, strlen(many), many);
    HT_CHECK_INT(ask(request), 400);
    HT_CHECK(says("at most 10000 points"));
    HT_CHECK_INT(get(ROUTE), 200);
    end();
}

HT_SERVED_MAIN()
