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

/* As every other route: what is wrong, and where. */
HT_CASE(phones_are_told_which_part_is_wrong)
{
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
    static const struct {
        const char *query; /* after /osmand */
        const char *body;  /* NULL: a GET */
        const char *where;
    } wrong[] = {
        {"", NULL, "\"pointer\":\"/id\""},
        {"?lat=29.95&lon=121.7", NULL, "\"pointer\":\"/id\""},
        {"?id=p9&lat=29.95&lon=121.7", NULL, "\"pointer\":\"/id\""},
        {"?id=p1&lat=29.95", NULL, "\"pointer\":\"/lon\""},
        {"?id=p1&lon=121.7&lat=north", NULL, "\"pointer\":\"/lat\""},
        {"?id=p1&lon=121.7&lat=29.95&timestamp=noon", NULL, "\"pointer\":\"/timestamp\""},
        {"?id=p1&lon=121.7&lat=29.95&timestamp=9999999999", NULL, "\"pointer\":\"/timestamp\""},
        {"?id=p1&lon=121.7&lat=29.95&crs=nowhere", NULL, "\"pointer\":\"/crs\""},
        {"?id=p1&lon=121.7&lat=99", NULL, "\"pointer\":\"\""},
        {"?id=%zz", NULL, "\"pointer\":\"\""},
        {"", "id=p1&lat=29.95", "\"pointer\":\"/lon\""},
        {"", "id=p1&lat=%zz", "\"pointer\":\"\""},
        {"", "{\"device_id\":\"p1\",\"location\":{\"coords\":{\"latitude\":29.95}}}",
         "\"pointer\":\"/location/coords/longitude\""},
        {"", "{\"device_id\":\"p1\",\"location\":{\"coords\":{\"latitude\":\"29\"}}}",
         "\"pointer\":\"/location/coords/latitude\""},
        {"", "{\"location\":{\"coords\":{\"latitude\":29.95,\"longitude\":121.7}}}",
         "\"pointer\":\"/device_id\""},
        {"",
         "{\"device_id\":\"p9\",\"location\":{\"coords\":{\"latitude\":29.95,\"longitude\":121.7}}"
         "}",
         "\"pointer\":\"/device_id\""},
        {"", "{\"location\":\n{\"coords\":", "\"line\":2"},
        {"", "{}{}", "\"pointer\":\"\""}};
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("p1", "foot", 121.71, 29.95), 201);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "/osmand%s", wrong[i].query);
        const char *body = wrong[i].body;
        int status = body == NULL ? get(path) : post(path, body[0] == '{' ? JSON : FORM, body);
        if (status != 400 || !says("\"errors\":[{") || !says(wrong[i].where)) {
            (void)printf("  %zu: %s\n", i, answer.body == NULL ? "" : answer.body);
        }
        HT_CHECK_INT(status, 400);
        HT_CHECK(says("\"errors\":[{") && says(wrong[i].where));
    }
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

static int profile_set(const char *profile)
{
    char text[64];
    (void)snprintf(text, sizeof text, "{\"properties\":{\"profile\":\"%s\"}}", profile);
    return send_body("PATCH", UNITS "/a", "Content-Type: application/merge-patch+json\r\n", text);
}

HT_CASE(a_unit_of_another_profile_is_found_on_its_own_streets)
{
    static const char closest[] = "/v1/closest?lon=121.712&lat=29.952&kind=van";
    char line[512];
    HT_REQUIRE(map_make());
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s --profiles car,foot", folder,
                   map);
    HT_REQUIRE(ht_command_run(line)->code == 0);
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("f", "foot", 121.73, 29.96), 201);
    HT_CHECK_INT(get(closest), 200);
    double car = first_duration();
    HT_CHECK_INT(profile_set("foot"), 200);
    HT_CHECK_INT(get(closest), 200);
    double foot = first_duration();
    HT_CHECK_INT(profile_set("car"), 200);
    HT_CHECK_INT(get(closest), 200);
    HT_CHECK(car > 0 && foot > 2 * car);
    HT_CHECK(fabs(first_duration() - car) < 0.001);
    end();
}

/* Whether a body is refused with its place. */
static bool refused_at(const char *path, const char *body, int code, const char *where)
{
    int got = post(path, JSON, body);
    bool good = got == code && says("\"errors\":[{") && says(where);
    if (!good) {
        (void)printf("  %s %s: %d %s\n", path, body, got, answer.body);
    }
    return good;
}

HT_CASE(bodies_are_refused_with_the_place_of_what_is_wrong)
{
    static const char closest[] = "/v1/closest";
    static const char positions[] = "/v1/positions";
    HT_REQUIRE(begin_units(""));
    HT_CHECK(refused_at(closest, "[]", 400, "\"pointer\":\"\""));
    HT_CHECK(refused_at(closest, "{\"points\":7}", 400, "\"pointer\":\"/points\""));
    HT_CHECK(
        refused_at(closest, "{\"points\":[[121.7,29.9],[1]]}", 400, "\"pointer\":\"/points/1\""));
    HT_CHECK(refused_at(closest, "{\"points\":[[121.7,29.9]],\"max_s\":-1}", 400,
                        "\"pointer\":\"/max_s\""));
    HT_CHECK(refused_at(closest, "{\"points\":[[121.7,29.9]],\"kind\":[\"x\"]}", 400,
                        "\"pointer\":\"/kind\""));
    HT_CHECK(refused_at(closest, "{\"points\":[[121.7,29.9]],\"out_crs\":\"x\"}", 400,
                        "\"pointer\":\"/out_crs\""));
    HT_CHECK(refused_at(closest, "{\"points\":[[121.7,29.9],[121.7,99]]}", 400,
                        "\"pointer\":\"/points/1\""));
    HT_CHECK(refused_at(positions, "[{\"unit\":\"a\",\"lon\":1,\"lat\":2},{\"unit\":}]", 400,
                        "\"pointer\":\"/1\""));
    HT_CHECK(refused_at(positions, "{\"unit\":\"a\",\"lon\":1,\"lat\":2}\n\n{\"unit\"", 400,
                        "\"line\":3"));
    HT_CHECK(refused_at("/v1/webhooks", "{\"url\":7}", 422, "\"pointer\":\"/url\""));
    HT_CHECK(refused_at("/v1/webhooks", "{\"url\":\"ftp://x\"}", 422, "\"pointer\":\"/url\""));
    HT_CHECK(refused_at("/v1/webhooks", "{\"url\":\"http://x/\",\"topics\":[\"x\"]}", 422,
                        "\"pointer\":\"/topics\""));
    HT_CHECK(refused_at("/v1/webhooks", "7", 400, "\"pointer\":\"\""));
    HT_CHECK(refused_at("/v1/traffic", "{}", 400, "\"pointer\":\"\""));
    HT_CHECK(refused_at("/v1/traffic",
                        "[{\"osm_from\":1,\"osm_to\":2,\"closed\":true},"
                        "{\"osm_from\":1,\"osm_to\":\"x\",\"closed\":true}]",
                        422, "\"pointer\":\"/1/osm_to\""));
    HT_CHECK(refused_at("/v1/traffic", "[{\"osm_from\":1,\"osm_to\":2,\"speed_kmh\":900}]", 422,
                        "\"pointer\":\"/0/speed_kmh\""));
    HT_CHECK(refused_at("/v1/assign", "[]", 400, "\"pointer\":\"\""));
    HT_CHECK(refused_at("/v1/assign", "{\"tasks\":[]}", 400, "\"pointer\":\"/tasks\""));
    HT_CHECK(refused_at("/v1/assign", "{\"tasks\":[{\"id\":\"t\",\"lon\":\"x\"}]}", 400,
                        "\"pointer\":\"/tasks/0/lon\""));
    HT_CHECK(refused_at("/v1/assign", "{\"tasks\":[{\"id\":\"t\",\"lon\":1,\"lat\":2},7]}", 400,
                        "\"pointer\":\"/tasks/1\""));
    HT_CHECK(refused_at("/v1/assign",
                        "{\"tasks\":[{\"id\":\"t\"}],\"units\":[\"u\"],"
                        "\"matrix\":{\"durations\":[[-1]]}}",
                        400, "\"pointer\":\"/matrix/durations/0/0\""));
    HT_CHECK(refused_at("/v1/assign",
                        "{\"tasks\":[{\"id\":\"t\",\"lon\":121.7,\"lat\":29.95}],"
                        "\"units\":[\"u9\"]}",
                        422, "\"pointer\":\"/units/0\""));
    HT_CHECK(refused_at("/v1/assign", "{\"tasks\":[{\"id\":\"t\",\"household\":\"h9\"}]}", 422,
                        "\"pointer\":\"/tasks/0/household\""));
    end();
}

HT_CASE(a_place_far_from_every_street_is_none_on_this_map)
{
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(get("/v1/closest?lon=2.3522&lat=48.8566"), 200); /* nobody, whoever asks */
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(get("/v1/closest?lon=2.3522&lat=48.8566"), 422);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "application/problem+json");
    const char *said = strstr(answer.body, "the nearest street is ");
    HT_REQUIRE(said != NULL);
    HT_CHECK(fabs(strtod(said + 22, NULL) - 9.39e6) < 3e4); /* Paris to Zhenhai */
    /* just outside of it, and as near as the caller will have it */
    HT_CHECK_INT(get("/v1/closest?lon=121.70&lat=29.85"), 422);
    said = strstr(answer.body, "the nearest street is ");
    HT_REQUIRE(said != NULL);
    double street_m = strtod(said + 22, NULL);
    char path[128];
    HT_CHECK(street_m > 1000 && street_m < 12000);
    (void)snprintf(path, sizeof path, "/v1/closest?lon=121.70&lat=29.85&radius_m=%.0f",
                   street_m - 1);
    HT_CHECK_INT(get(path), 422);
    (void)snprintf(path, sizeof path, "/v1/closest?lon=121.70&lat=29.85&radius_m=%.0f",
                   street_m + 1);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(says("\"unit\":\"a\""));
    HT_CHECK_INT(post("/v1/closest", JSON, "{\"points\":[[121.70,29.95],[2.3522,48.8566]]}"), 422);
    HT_CHECK_INT(post("/v1/closest", JSON,
                      "{\"points\":[[121.70,29.95],[2.3522,48.8566]],\"radius_m\":1e8}"),
                 200);
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

static int unit_on_shift(const char *id, const char *shift)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"van\","
                   "\"profile\":\"car\",\"shift\":%s}}",
                   id, shift);
    return post(UNITS, GEO, text);
}

#define CLOSEST "/v1/closest?lon=121.712&lat=29.952"

HT_CASE(who_is_off_shift_is_not_sent_for)
{
    /* Saturday 2026-03-07, 23:30 in Shanghai */
    HT_REQUIRE(begin_units("--clock 2026-03-07T15:30:00Z"));
    HT_CHECK_INT(unit_on_shift("night", "[\"22:00-06:00\"]"), 201);
    HT_CHECK_INT(unit_on_shift("day", "[\"Mo-Fr 08:00-12:00,13:00-17:00\"]"), 201);
    HT_CHECK_INT(unit_on_shift("free", "[]"), 201);
    HT_CHECK_INT(unit_on_shift("late", "\"Su 00:00-01:00\""), 201);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(says("night") && says("free") && !says("\"day") && !says("late"));
    HT_CHECK_INT(get(CLOSEST "&shift=any"), 200);
    HT_CHECK(says("night") && says("free") && says("\"day") && says("late"));
    HT_CHECK_INT(get(CLOSEST "&shift=off"), 200);
    HT_CHECK(!says("night") && !says("free") && says("\"day") && says("late"));
    HT_CHECK_INT(get(CLOSEST "&shift=never"), 400);
    HT_CHECK_INT(post("/v1/closest", JSON, "{\"points\":[[121.7,29.95]],\"shift\":\"off\"}"), 200);
    HT_CHECK(!says("night") && says("\"day"));
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.71&lat=29.95"), 200);
    HT_CHECK(says("\"day") && says("\"on_shift\":false") && says("\"on_shift\":true"));
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.71&lat=29.95&shift=on"), 200);
    HT_CHECK(!says("\"day") && !says("\"on_shift\":false"));
    /* 00:30 on Sunday: the night goes on, and it is late */
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3600}"), 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(says("night") && says("late") && !says("\"day"));
    /* 11:59, then 12:00, 13:00 and 17:00 on Monday */
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":127740}"), 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(!says("night") && !says("late") && says("\"day"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":60}"), 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(!says("\"day") && says("free"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3600}"), 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(says("\"day"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":14400}"), 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(!says("\"day"));
    /* a shift that is changed counts at once */
    HT_CHECK_INT(send_body("PATCH", UNITS "/day", "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"shift\":[\"17:00\",\"18:00\"]}}"),
                 200);
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(says("\"day"));
    end();
}

HT_CASE(who_was_never_heard_is_stale_everywhere)
{
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(get(UNITS "/a"), 200);
    HT_CHECK(says("\"stale\":true") && !says("last_seen"));
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.7&lat=29.95"), 200);
    HT_CHECK(says("\"stale\":true"));
    HT_CHECK_INT(get(CLOSEST), 200);
    HT_CHECK(says("\"stale\":true") && says("\"age_ms\":null"));
    HT_CHECK_INT(get(CLOSEST "&max_age_s=60"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(get("/v1/units/a/track"), 200);
    HT_CHECK(says("\"stale\":true"));
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"a\",\"lon\":121.70,\"lat\":29.95}"), 200);
    HT_CHECK_INT(get(CLOSEST "&max_age_s=60"), 200);
    HT_CHECK(says("\"unit\":\"a\"") && says("\"stale\":false"));
    const char *age = strstr(answer.body, "\"age_ms\":");
    HT_REQUIRE(age != NULL);
    HT_CHECK(age[9] != 'n' && strtod(age + 9, NULL) >= 0 && strtod(age + 9, NULL) < 60000);
    end();
}

HT_CASE(a_clock_that_is_far_ahead_is_seen_though_nothing_is_taken)
{
    char text[128];
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    (void)snprintf(text, sizeof text, "{\"unit\":\"a\",\"lon\":121.7,\"lat\":29.95,\"ts\":%ld}",
                   (long)time(NULL) + 3600);
    HT_CHECK_INT(post("/v1/positions", JSON, text), 200);
    HT_CHECK(says("\"accepted\":0"));
    HT_CHECK_INT(get(UNITS "/a"), 200);
    const char *skew = strstr(answer.body, "\"clock_skew_ms\":");
    HT_REQUIRE(skew != NULL);
    HT_CHECK(labs(strtol(skew + 16, NULL, 10) + 3600 * 1000) < 60 * 1000);
    end();
}

/* The longitude of a unit's place, as items tell it. */
static double lon_of(const char *path)
{
    return get(path) == 200 ? ht_json_number_at(answer.body, "geometry.coordinates.0") : NAN;
}

static int device_add(const char *id, const char *unit, const char *crs)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,\"properties\":"
                   "{\"unit\":\"%s\"%s%s%s}}",
                   id, unit, crs[0] == '\0' ? "" : ",\"crs\":\"", crs, crs[0] == '\0' ? "" : "\"");
    return post("/collections/devices/items", GEO, text);
}

HT_CASE(a_device_speaks_in_its_own_system)
{
    char path[256];
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("c", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("d", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(device_add("da", "a", "GCJ02"), 201);
    HT_CHECK_INT(device_add("db", "b", "EPSG:3857"), 201);
    HT_CHECK_INT(device_add("dc", "c", ""), 201);
    HT_CHECK_INT(post("/v1/positions", JSON,
                      "[{\"unit\":\"a\",\"lon\":121.7144,\"lat\":29.9477},"
                      "{\"unit\":\"b\",\"lon\":13548690,\"lat\":3496947},"
                      "{\"unit\":\"dc\",\"lon\":121.71,\"lat\":29.95}]"),
                 200);
    HT_CHECK(says("\"accepted\":3,"));
    HT_CHECK(fabs(lon_of(UNITS "/a") - 121.71) < 0.001);
    HT_CHECK(fabs(lon_of(UNITS "/b") - 121.71) < 0.001);
    HT_CHECK(lon_of(UNITS "/c") == 121.71);
    /* the request's own word goes before the device's */
    HT_CHECK_INT(post("/v1/positions?crs=EPSG:4326", JSON,
                      "{\"unit\":\"a\",\"lon\":121.7103,\"lat\":29.9477}"),
                 200);
    HT_CHECK(says("\"accepted\":1,") || says("400 km/h"));
    end();
    HT_REQUIRE(begin(options)); /* known again */
    (void)snprintf(path, sizeof path, "/osmand?id=da&lon=121.7144&lat=29.9477&timestamp=%ld",
                   (long)time(NULL) + 8);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(fabs(lon_of(UNITS "/a") - 121.71) < 0.001);
    (void)snprintf(path, sizeof path,
                   "/osmand?id=d&lon=13548690&lat=3496947&crs=EPSG:3857&timestamp=%ld",
                   (long)time(NULL));
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(fabs(lon_of(UNITS "/d") - 121.71) < 0.001);
    HT_CHECK_INT(get("/osmand?id=d&lon=1&lat=3&crs=nowhere"), 400);
    /* without its device a unit is in degrees again */
    HT_CHECK_INT(ask("DELETE /collections/devices/items/db" HEADERS "\r\n"), 204);
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"b\",\"lon\":13548690,\"lat\":3496947}"),
                 200);
    HT_CHECK(says("not on Earth"));
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"db\",\"lon\":121.7,\"lat\":29.9}"), 200);
    HT_CHECK(says("unknown unit"));
    end();
}

/* The last_seen of a device, "" none. */
static const char *seen_of(const char *device)
{
    static char seen[40];
    char path[128];
    (void)snprintf(path, sizeof path, "/collections/devices/items/%s", device);
    HT_CHECK_INT(get(path), 200);
    const char *at = strstr(answer.body, "\"last_seen\":\"");
    HT_CHECK(at == NULL || strstr(at + 1, "\"last_seen\"") == NULL);
    (void)snprintf(seen, sizeof seen, "%.*s", at == NULL ? 0 : (int)strcspn(at + 13, "\""),
                   at == NULL ? "" : at + 13);
    return seen;
}

HT_CASE(a_device_was_seen_when_it_spoke)
{
    HT_REQUIRE(begin_units("--clock 2026-03-01T08:00:00Z,0"));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(unit_add("b", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(device_add("a1", "a", ""), 201);
    HT_CHECK_INT(device_add("a2", "a", ""), 201);
    HT_CHECK_INT(device_add("b1", "b", ""), 201);
    HT_CHECK_INT(send_body("PATCH", "/collections/devices/items/a1",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"battery\":55,\"state\":\"ok\","
                           "\"last_seen\":\"2020-01-01T00:00:00Z\"}}"),
                 200);
    HT_CHECK_STR(seen_of("a1"), "2020-01-01T00:00:00Z"); /* as the registry says */
    HT_CHECK_STR(seen_of("b1"), "");
    HT_CHECK_INT(post("/v1/positions", JSON,
                      "[{\"unit\":\"a1\",\"lon\":121.7,\"lat\":29.95,"
                      "\"ts\":\"2026-03-01T07:59:00Z\"},"
                      "{\"unit\":\"b\",\"lon\":121.7,\"lat\":29.95}]"),
                 200);
    HT_CHECK(says("\"accepted\":2,"));
    HT_CHECK_STR(seen_of("a1"), "2026-03-01T08:00:00.000Z");
    HT_CHECK(says("\"battery\":55") && says("\"state\":\"ok\""));
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"2\"");
    HT_CHECK_STR(seen_of("a2"), "");
    HT_CHECK_STR(seen_of("b1"), "2026-03-01T08:00:00.000Z"); /* its only one */
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":60}"), 200);
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"a\",\"lon\":121.7,\"lat\":29.95}"), 200);
    HT_CHECK_STR(seen_of("a1"), "2026-03-01T08:00:00.000Z"); /* nobody knows which of the two */
    HT_CHECK_INT(get("/osmand?id=a2&lon=121.7&lat=29.95"), 200);
    HT_CHECK_STR(seen_of("a2"), "2026-03-01T08:01:00.000Z");
    /* what was got may be put: it is said once, and a change does not make it forgotten */
    HT_CHECK_INT(send_body("PUT", "/collections/devices/items/a2", GEO,
                           "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{\"unit\":"
                           "\"b\",\"last_seen\":\"2020-01-01T00:00:00Z\"}}"),
                 200);
    HT_CHECK_STR(seen_of("a2"), "2026-03-01T08:01:00.000Z");
    HT_CHECK_INT(get("/collections/devices/items"), 200);
    HT_CHECK(says("08:01:00.000Z"));
    end();
    HT_REQUIRE(begin(options)); /* known again */
    HT_CHECK_STR(seen_of("a1"), "2026-03-01T08:00:00.000Z");
    HT_CHECK_STR(seen_of("a2"), "2026-03-01T08:01:00.000Z");
    HT_CHECK_INT(ask("DELETE /collections/devices/items/a2" HEADERS "\r\n"), 204);
    HT_CHECK_INT(device_add("a2", "a", ""), 201);
    HT_CHECK_STR(seen_of("a2"), "");
    end();
}

HT_CASE(a_unit_that_is_put_as_it_was_got_says_nothing_twice)
{
    static char body[4096];
    HT_REQUIRE(begin_units(""));
    HT_CHECK_INT(unit_add("a", "car", 121.70, 29.95), 201);
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"a\",\"lon\":121.7,\"lat\":29.95}"), 200);
    HT_CHECK_INT(get(UNITS "/a"), 200);
    (void)snprintf(body, sizeof body, "%s", answer.body);
    HT_CHECK_INT(send_body("PUT", UNITS "/a", GEO, body), 200);
    HT_CHECK_INT(get(UNITS "/a"), 200);
    const char *stale = strstr(answer.body, "\"stale\"");
    const char *seen = strstr(answer.body, "\"last_seen\"");
    HT_CHECK(stale != NULL && strstr(stale + 1, "\"stale\"") == NULL);
    HT_CHECK(seen != NULL && strstr(seen + 1, "\"last_seen\"") == NULL);
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
    HT_CHECK_INT(get("/v1/units/v1/track?limit=1"), 200); /* a line has two positions at least */
    HT_CHECK(says("[[121.71,29.95],[121.71,29.95]]") && says("\"rel\":\"next\""));
    HT_CHECK_INT(get("/v1/units/v1/track?to=2020-01-01T00:00:00Z"), 200);
    HT_CHECK(says("\"coordinates\":[]"));
    HT_CHECK_INT(get("/v1/units/v1/track?from=yesterday"), 400);
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.95&k=1"), 200);
    HT_CHECK(says("\"unit\":\"v1\""));
    end();
}

HT_CASE(what_came_by_a_clock_that_was_ahead_holds_up_nothing)
{
    char path[256];
    HT_REQUIRE(begin_units("--clock 2099-03-02T02:00:00Z,0"));
    HT_CHECK_INT(unit_add("v1", "car", 121.71, 29.95), 201);
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"v1\",\"lon\":121.711,\"lat\":29.95}"),
                 200);
    HT_CHECK(says("\"accepted\":1"));
    end();
    (void)snprintf(path, sizeof path, "--store %s", store);
    HT_REQUIRE(begin(path));
    HT_CHECK_INT(get(UNITS "/v1"), 200);
    HT_CHECK(says("[121.711,29.95]") && says("\"stale\":true"));
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"v1\",\"lon\":121.712,\"lat\":29.95}"),
                 200);
    HT_CHECK(says("\"accepted\":1"));
    HT_CHECK_INT(get(UNITS "/v1"), 200);
    HT_CHECK(says("[121.712,29.95]") && says("\"stale\":false"));
    end();
}

HT_SERVED_MAIN()
