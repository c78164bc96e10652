/* The moving town over HTTP: positions in all their spellings, near, closest, tracks, a restart. */
#include <math.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define UNITS "/collections/units/items"

static char store[128];
static char options[512];

static bool begin_units(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/live%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static int unit_add(const char *id, const char *profile, double lon, double lat)
{
    char text[512];
    (void)snprintf(
        text, sizeof text,
        "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
        "\"coordinates\":[%.6f,%.6f]},\"properties\":{\"kind\":\"%s\",\"profile\":\"%s\","
        "\"skills\":[\"lift\"],\"status\":\"idle\"}}",
        id, lon, lat, profile[0] == 'f' ? "responder" : "van", profile);
    return post(UNITS, GEO, text);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

HT_CASE(positions_are_taken_or_refused_with_the_reason)
{
    char body[2048];
    long now = (long)time(NULL);
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("v1", "car", 121.71, 29.95), 201);
    HT_CHECK_INT(unit_add("v2", "car", 121.72, 29.96), 201);
    (void)snprintf(body, sizeof body,
                   "[{\"unit\":\"v1\",\"lon\":121.715,\"lat\":29.952,\"ts\":%ld,\"speed_mps\":5},"
                   "{\"unit\":\"nobody\",\"lon\":121.7,\"lat\":29.9},"
                   "{\"unit\":\"v2\",\"lon\":0,\"lat\":0},"
                   "{\"unit\":\"v2\",\"lon\":200,\"lat\":0},"
                   "{\"unit\":\"v1\",\"lon\":121.715,\"lat\":29.952,\"ts\":%ld},"
                   "{\"unit\":\"v1\",\"lon\":122.9,\"lat\":29.952,\"ts\":%ld},"
                   "{\"unit\":\"v2\",\"lon\":121.7,\"lat\":29.9,\"ts\":%ld},"
                   "{\"lon\":121.7,\"lat\":29.9},{\"unit\":\"v2\",\"lon\":\"x\",\"lat\":29.9}]",
                   now - 5, now - 5, now - 4, now + 3600);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(says("\"accepted\":1,"));
    HT_CHECK(says("{\"index\":1,\"reason\":\"unknown unit\"}"));
    HT_CHECK(says("\"index\":2") && says("\"index\":3") && says("\"index\":4") &&
             says("\"index\":5") && says("\"index\":6") && says("\"index\":7") &&
             says("\"index\":8"));
    HT_CHECK(says("faster than 400 km/h") && says("in the future") && says("unit is missing"));
    HT_CHECK_INT(post("/v1/positions", "Content-Type: application/x-ndjson\r\n",
                      "{\"unit\":\"v2\",\"lon\":121.721,\"lat\":29.961}\n"
                      "{\"unit\":\"v2\",\"lon\":121.722,\"lat\":29.961,\"x\":{\"y\":[1,{}]}}\n"),
                 200);
    HT_CHECK(says("\"accepted\":1,")); /* the second has the same time */
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":"), 400);
    HT_CHECK_INT(post("/v1/positions", JSON, "[[]]"), 400);
    HT_CHECK_INT(post("/v1/positions", JSON, "7"), 400);
    HT_CHECK_INT(post("/v1/positions", JSON, ""), 400);
    HT_CHECK_INT(get(UNITS "/v1"), 200);
    HT_CHECK(says("[121.715,29.952]") && says("\"stale\":false") && says("\"speed_mps\":5"));
    end();
}

HT_CASE(phones_speak_as_their_apps_do)
{
    char text[512];
    long now = (long)time(NULL);
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("p1", "foot", 121.71, 29.95), 201);
    (void)snprintf(text, sizeof text,
                   "/osmand?id=p1&lat=29.9501&lon=121.7101&timestamp=%ld&speed=10&bearing=45",
                   now - 20);
    HT_CHECK_INT(get(text), 200);
    HT_CHECK_INT(get(text), 200); /* sent twice */
    HT_CHECK_INT(get(UNITS "/p1"), 200);
    HT_CHECK(says("\"speed_mps\":5.14"));
    (void)snprintf(text, sizeof text,
                   "{\"location\":{\"timestamp\":%ld,\"coords\":{\"latitude\":29.9502,"
                   "\"longitude\":121.7102,\"speed\":1.5,\"heading\":90,\"accuracy\":8}},"
                   "\"device_id\":\"p1\"}",
                   now - 10);
    HT_CHECK_INT(post("/osmand", JSON, text), 200);
    HT_CHECK_INT(get(UNITS "/p1"), 200);
    HT_CHECK(says("\"speed_mps\":1.5") && says("29.9502"));
    HT_CHECK_INT(get("/osmand?id=p1&lat=29.95"), 400);
    HT_CHECK_INT(get("/osmand?id=p9&lat=29.95&lon=121.7"), 400);
    end();
}

/* duration_s of the first of the closest. */
static double first_duration(void)
{
    const char *at = strstr(answer.body, "\"duration_s\":");
    return at == NULL ? -1 : strtod(at + 13, NULL);
}

HT_CASE(closest_is_by_travel_time_and_agrees_with_a_route)
{
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "car", 121.73, 29.96), 201);
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&k=5"), 200);
    HT_CHECK(says("\"unit\":\"a\"") && says("\"unit\":\"b\""));
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&k=1"), 200);
    double closest = first_duration();
    char path[256];
    bool is_a = says("\"unit\":\"a\"");
    (void)snprintf(path, sizeof path, "/route/v1/car/%s;121.712,29.952?overview=false",
                   is_a ? "121.70,29.95" : "121.73,29.96");
    HT_CHECK_INT(get(path), 200);
    const char *at = strstr(answer.body, "\"duration\":");
    HT_REQUIRE(at != NULL);
    HT_CHECK(fabs(strtod(at + 11, NULL) - closest) < 0.06);
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&max_s=1"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&skills=lift&kind=van"), 200);
    HT_CHECK(says("\"unit\":\"a\""));
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&skills=flying"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&status=off"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&kind=car"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=121.712"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=x&lat=29"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=121.7&lat=99"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.952&geometry=1&k=1"), 200);
    HT_CHECK(says("LineString"));
    HT_CHECK_INT(post("/v1/closest", JSON,
                      "{\"points\":[[121.70,29.95],[121.73,29.96]],\"k\":1,\"kind\":[\"van\"]}"),
                 200);
    HT_CHECK(strncmp(answer.body, "{\"closest\":[[{\"unit\":\"a\"", 24) == 0);
    HT_CHECK(says("}],[{\"unit\":\"b\""));
    HT_CHECK_INT(post("/v1/closest", JSON, "{\"points\":[]}"), 400);
    HT_CHECK_INT(post("/v1/closest", JSON, "{\"points\":[[1]]}"), 400);
    HT_CHECK_INT(ask("DELETE " UNITS "/a" HEADERS "\r\n"), 204);
    HT_CHECK_INT(get("/v1/closest?lon=121.70&lat=29.95"), 200);
    HT_CHECK(!says("\"unit\":\"a\"") && says("\"unit\":\"b\""));
    end();
}

HT_CASE(near_goes_by_straight_line_in_every_collection)
{
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "car", 121.73, 29.96), 201);
    HT_CHECK_INT(post("/collections/facilities/items", "Content-Type: text/csv\r\n",
                      "id,lon,lat,name,kind\nk1,121.71,29.95,食堂,kitchen\n"
                      "k2,121.72,29.95,食堂,kitchen\ns1,121.711,29.95,站,station\n"),
                 201);
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.729&lat=29.96&k=1"), 200);
    HT_CHECK(says("\"id\":\"b\"") && !says("\"id\":\"a\"") && says("\"distance_m\":96.5"));
    HT_CHECK_INT(get("/v1/near?collection=facilities&lon=121.7101&lat=29.95&k=2"), 200);
    HT_CHECK(says("\"id\":\"k1\"") && says("\"id\":\"s1\"") && !says("\"id\":\"k2\""));
    HT_CHECK(strstr(answer.body, "\"k1\"") < strstr(answer.body, "\"s1\""));
    HT_CHECK_INT(get("/v1/near?collection=facilities&lon=121.7101&lat=29.95&k=9&kind=kitchen"),
                 200);
    HT_CHECK(says("\"id\":\"k1\"") && says("\"id\":\"k2\"") && !says("\"id\":\"s1\""));
    HT_CHECK_INT(get("/v1/near?collection=facilities&lon=121.7101&lat=29.95&radius_m=50"), 200);
    HT_CHECK(says("\"id\":\"k1\"") && !says("\"id\":\"s1\""));
    HT_CHECK_INT(get("/v1/near?lon=121.7101&lat=29.95"), 400);
    HT_CHECK_INT(get("/v1/near?collection=nothing&lon=121.7101&lat=29.95"), 400);
    end();
}

HT_CASE(what_was_seen_last_is_known_after_a_restart)
{
    char text[256];
    long now = (long)time(NULL);
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("v1", "car", 121.71, 29.95), 201);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"unit\":\"v1\",\"lon\":121.71%d,\"lat\":29.95,\"ts\":%ld}", i,
                       now - 60 + i * 20);
        HT_CHECK_INT(post("/v1/positions", JSON, text), 200);
        HT_CHECK(says("\"accepted\":1"));
    }
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get(UNITS "/v1"), 200);
    HT_CHECK(says("[121.712,29.95]"));
    HT_CHECK_INT(get("/v1/units/v1/track"), 200);
    HT_CHECK(says("[[121.71,29.95],[121.711,29.95],[121.712,29.95]]") && says("\"times\":[\""));
    HT_CHECK_INT(get("/v1/units/v1/track?to=2020-01-01T00:00:00Z"), 200);
    HT_CHECK(says("\"coordinates\":[]"));
    HT_CHECK_INT(get("/v1/units/v1/track?from=yesterday"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.95&k=1"), 200);
    HT_CHECK(says("\"unit\":\"v1\""));
    end();
}

HT_SERVED_MAIN()
