/* Zones over HTTP: what is put, changed or taken away holds for the next route, table, closest and
 * isochrone of every profile it concerns; restart, clock and traffic beneath. */
#include <math.h>
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"
#define CLOCK " --clock 2026-03-02T08:00:00Z,0"

/* The zone, and places outside and inside of it. */
#define RING                                                                                       \
    "[[121.708,29.948],[121.718,29.948],[121.718,29.956],[121.708,29.956],[121.708,29.948]]"
#define BOX "{\"type\":\"Polygon\",\"coordinates\":[" RING "]}"
#define OUT "121.700,29.950"
#define IN "121.713,29.952"
#define NEAR "121.7115,29.951"

static const char *const profiles[] = {"car", "van", "ebike", "foot", "emergency"};
enum { PROFILES = 5, EMERGENCY = 4 };

static char options[256];

/* The sample town as all profiles know it. */
static bool town_make(void)
{
    char line[512];
    if (map[0] != '\0') {
        return true;
    }
    if (!map_make()) {
        return false;
    }
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s", folder, map);
    return ht_command_run(line)->code == 0;
}

static bool begin_town(const char *more)
{
    if (!town_make()) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s/zones.sqlite%s", folder, more);
    char store[128];
    (void)snprintf(store, sizeof store, "%s/zones.sqlite", folder);
    (void)unlink(store);
    return begin(options);
}

static bool again(void)
{
    end();
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int put_shape(const char *id, const char *shape, const char *properties)
{
    char body[2048];
    char path[128];
    (void)snprintf(path, sizeof path, "/collections/zones/items/%s", id);
    (void)snprintf(body, sizeof body, "{\"type\":\"Feature\",\"properties\":{%s},\"geometry\":%s}",
                   properties, shape);
    return send_body("PUT", path, GEO, body);
}

static int put(const char *id, const char *properties)
{
    return put_shape(id, BOX, properties);
}

static int take(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/collections/zones/items/%s", id);
    return send_body("DELETE", path, "", "");
}

/* Seconds of a route; -1: there is none; -2: something else. */
static double seconds(const char *profile, const char *from, const char *to)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/route/v1/%s/%s;%s?overview=false", profile, from, to);
    int status = get(path);
    if (status == 400 && says("\"NoRoute\"")) {
        return -1;
    }
    return status == 200 ? ht_json_number_at(answer.body, "routes.0.duration") : -2;
}

/* The same by a table. */
static double table_seconds(const char *profile, const char *from, const char *to)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/table/v1/%s/%s;%s?sources=0&destinations=1", profile, from,
                   to);
    if (get(path) != 200) {
        return -2;
    }
    return ht_json_is(answer.body, "durations.0.0", "null")
               ? -1
               : ht_json_number_at(answer.body, "durations.0.0");
}

/* Whether both ways are as they should be: 0 no way, 1 as before. */
static bool ways_are(int p, const double before[2], int in, int out)
{
    const char *const ends[2][2] = {{OUT, IN}, {IN, OUT}};
    const int want[2] = {in, out};
    bool right = true;
    for (int i = 0; i < 2; i++) {
        double route = seconds(profiles[p], ends[i][0], ends[i][1]);
        double table = table_seconds(profiles[p], ends[i][0], ends[i][1]);
        bool good = want[i] == 0 ? route == -1 && table == -1
                                 : fabs(route - before[i]) < 0.05 && fabs(table - before[i]) < 0.15;
        if (!good) {
            (void)printf("  %s %s: %.1f, table %.1f, before %.1f\n", profiles[p],
                         i == 0 ? "in" : "out", route, table, before[i]);
        }
        right = right && good;
    }
    return right;
}

static void look(double before[PROFILES][2])
{
    for (int p = 0; p < PROFILES; p++) {
        before[p][0] = seconds(profiles[p], OUT, IN);
        before[p][1] = seconds(profiles[p], IN, OUT);
        HT_CHECK(before[p][0] > 0 && before[p][1] > 0);
    }
}

HT_CASE(what_a_zone_says_holds_for_the_next_answer_of_every_profile)
{
    double before[PROFILES][2];
    double inside[PROFILES];
    HT_REQUIRE(begin_town(""));
    look(before);
    for (int p = 0; p < PROFILES; p++) {
        inside[p] = seconds(profiles[p], NEAR, IN);
    }
    HT_CHECK_INT(put("a", "\"kind\":\"closed\""), 201);
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], p == EMERGENCY, p == EMERGENCY));
        double now = seconds(profiles[p], NEAR, IN); /* by streets within alone */
        HT_CHECK(now >= inside[p] - 0.05);
    }
    HT_CHECK_INT(put("a", "\"kind\":\"controlled\""), 200);
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], 1, p == EMERGENCY));
    }
    HT_CHECK_INT(put("a", "\"kind\":\"watched\""), 200);
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], 1, 1));
    }
    HT_CHECK_INT(put("a", "\"kind\":\"closed\",\"profiles\":[\"foot\",\"van\"]"), 200);
    for (int p = 0; p < PROFILES; p++) {
        bool meant = p == 1 || p == 3;
        HT_CHECK(ways_are(p, before[p], !meant, !meant));
    }
    /* a name that closes nothing is none, whichever way it comes */
    HT_CHECK_INT(put("a", "\"kind\":\"closed\",\"profiles\":[\"foot\",\"bicycle\"]"), 422);
    HT_CHECK(strstr(answer.body, "bicycle") != NULL);
    HT_CHECK_INT(send_body("PATCH", "/collections/zones/items/a",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"profiles\":[\"Foot\"]}}"),
                 422);
    HT_CHECK_INT(put("b", "\"kind\":\"closed\",\"profiles\":[\"driving\"]"),
                 201); /* over one another */
    HT_CHECK(ways_are(0, before[0], 0, 0) && ways_are(1, before[1], 0, 0));
    HT_CHECK_INT(take("a"), 204);
    HT_CHECK(ways_are(0, before[0], 0, 0) && ways_are(1, before[1], 1, 1));
    HT_CHECK_INT(take("b"), 204);
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], 1, 1));
        HT_CHECK(fabs(seconds(profiles[p], NEAR, IN) - inside[p]) < 0.05);
    }
    end();
}

HT_CASE(a_patch_and_many_at_once_hold_too)
{
    static const char many[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"id\":\"m1\",\"properties\":{\"kind\":\"closed\"},\"geometry\":"
        "{\"type\":\"MultiPolygon\",\"coordinates\":[[" RING ",[[121.712,29.951],[121.712,29.953],"
        "[121.714,29.953],[121.714,29.951],[121.712,29.951]]],"
        "[[[121.8,29.95],[121.81,29.95],[121.81,29.96],[121.8,29.95]]]]}},"
        "{\"type\":\"Feature\",\"id\":\"m2\",\"properties\":{\"kind\":\"watched\"},"
        "\"geometry\":" BOX "}]}";
    double before[2];
    double near_in = 0;
    HT_REQUIRE(begin_town(""));
    before[0] = seconds("car", OUT, IN);
    before[1] = seconds("car", IN, OUT);
    near_in = seconds("car", OUT, NEAR);
    HT_CHECK_INT(post("/collections/zones/items", GEO, many), 201);
    HT_CHECK(ways_are(0, before, 0, 0)); /* IN lies in the hole: outside, but behind two borders */
    HT_CHECK(seconds("car", OUT, NEAR) == -1);
    HT_CHECK_INT(send_body("PATCH", "/collections/zones/items/m1",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"kind\":\"watched\"}}"),
                 200);
    HT_CHECK(ways_are(0, before, 1, 1) && fabs(seconds("car", OUT, NEAR) - near_in) < 0.05);
    HT_CHECK_INT(send_body("PATCH", "/collections/zones/items/m2",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"kind\":\"closed\"}}"),
                 200);
    HT_CHECK(ways_are(0, before, 0, 0));
    HT_CHECK_INT(put("m2", "\"kind\":\"closed\",\"until\":\"soon\""), 422);
    HT_CHECK_INT(put("m2", "\"kind\":\"closed\",\"from\":\"2030-01-02T00:00:00Z\","
                           "\"until\":\"2030-01-01T00:00:00Z\""),
                 422);
    HT_CHECK(says("until: is not after from"));
    HT_CHECK(ways_are(0, before, 0, 0));
    end();
}

/* Whether a unit within the zone is told to be closest to a place outside. */
static int closest_count(const char *from)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/v1/closest?%s&k=5", from);
    return get(path) == 200 ? ht_json_count_at(answer.body, "closest") : -1;
}

HT_CASE(closest_and_isochrone_obey)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(post("/collections/units/items", "Content-Type: text/csv\r\n",
                      "id,lon,lat,kind,profile,status\nc1," IN ",van,car,idle\n"
                      "e1," IN ",van,emergency,idle\n"),
                 201);
    HT_CHECK_INT(post("/v1/positions", JSON,
                      "[{\"unit\":\"c1\",\"lon\":121.713,\"lat\":29.952},"
                      "{\"unit\":\"e1\",\"lon\":121.713,\"lat\":29.952}]"),
                 200);
    HT_CHECK_INT(closest_count("lon=121.700&lat=29.950"), 2);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.713&lat=29.952&profile=car&max_s=600"), 200);
    size_t wide = answer.size;
    HT_CHECK_INT(put("z", "\"kind\":\"closed\""), 201);
    HT_CHECK_INT(closest_count("lon=121.700&lat=29.950"), 1);
    HT_CHECK(says("\"e1\""));
    HT_CHECK_INT(closest_count("lon=121.713&lat=29.952"), 2);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.713&lat=29.952&profile=car&max_s=600"), 200);
    HT_CHECK(answer.size < wide / 2);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.713&lat=29.952&profile=emergency&max_s=600"), 200);
    HT_CHECK(answer.size > wide / 2);
    HT_CHECK_INT(take("z"), 204);
    HT_CHECK_INT(closest_count("lon=121.700&lat=29.950"), 2);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.713&lat=29.952&profile=car&max_s=600"), 200);
    HT_CHECK_INT((long long)answer.size, (long long)wide);
    end();
}

HT_CASE(zones_begin_and_end_by_the_clock)
{
    double before[2];
    HT_REQUIRE(begin_town(CLOCK));
    before[0] = seconds("car", OUT, IN);
    before[1] = seconds("car", IN, OUT);
    HT_CHECK_INT(put("t", "\"kind\":\"closed\",\"from\":\"2026-03-02T09:00:00Z\","
                          "\"until\":\"2026-03-02T10:00:00Z\""),
                 201);
    HT_CHECK(ways_are(0, before, 1, 1));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3599}"), 200);
    HT_CHECK(ways_are(0, before, 1, 1));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":1}"), 200);
    HT_CHECK(ways_are(0, before, 0, 0));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3599}"), 200);
    HT_CHECK(ways_are(0, before, 0, 0));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":1}"), 200);
    HT_CHECK(ways_are(0, before, 1, 1));
    end();
}

HT_CASE(zones_outlive_a_restart_and_a_new_map_but_not_their_end)
{
    double before[PROFILES][2];
    char body[256];
    HT_REQUIRE(begin_town(CLOCK));
    look(before);
    HT_CHECK_INT(put("r", "\"kind\":\"closed\",\"until\":\"2026-03-02T12:00:00Z\""), 201);
    HT_REQUIRE(again());
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], p == EMERGENCY, p == EMERGENCY));
    }
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", map);
    HT_CHECK_INT(post("/v1/network", JSON, body), 200);
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], p == EMERGENCY, p == EMERGENCY));
    }
    char *clock = strstr(options, "T08:");
    HT_REQUIRE(clock != NULL);
    (void)memcpy(clock, "T13:", 4); /* it ended while nobody ran */
    HT_REQUIRE(again());
    for (int p = 0; p < PROFILES; p++) {
        HT_CHECK(ways_are(p, before[p], 1, 1));
    }
    end();
}

/* All nodes of the way in, as traffic knows them. */
static size_t way_nodes(int64_t *nodes, size_t most)
{
    size_t count = 0;
    if (get("/route/v1/car/" OUT ";" IN "?annotations=nodes&overview=false") != 200) {
        return 0;
    }
    const char *at = strstr(answer.body, "\"nodes\":[");
    for (at = at == NULL ? "" : at + 9; *at != '\0' && *at != ']' && count < most; count++) {
        char *after = NULL;
        nodes[count] = strtoll(at, &after, 10);
        at = *after == ',' ? after + 1 : after;
    }
    return count;
}

HT_CASE(what_traffic_said_stands_beneath_a_zone)
{
    static int64_t nodes[2000];
    double before[2];
    double slow[2];
    static char body[60000];
    HT_REQUIRE(begin_town(""));
    before[0] = seconds("car", OUT, IN);
    size_t count = way_nodes(nodes, 2000);
    HT_REQUIRE(count > 10);
    size_t size = 0;
    for (size_t i = 0; i + 1 < count && size + 64 < sizeof body; i++) {
        size += (size_t)snprintf(body + size, sizeof body - size, "%lld,%lld,5\n",
                                 (long long)nodes[i], (long long)nodes[i + 1]);
    }
    HT_CHECK_INT(put("z", "\"kind\":\"closed\""), 201);
    HT_CHECK_INT(post("/v1/traffic", "Content-Type: text/csv\r\n", body), 200);
    HT_CHECK(seconds("car", OUT, IN) == -1);
    HT_CHECK_INT(take("z"), 204);
    slow[0] = seconds("car", OUT, IN);
    slow[1] = seconds("car", IN, OUT);
    HT_CHECK(slow[0] > before[0] + 1);
    HT_CHECK_INT(put("z", "\"kind\":\"closed\""), 201);
    HT_REQUIRE(again());
    HT_CHECK(ways_are(0, slow, 0, 0));
    HT_CHECK_INT(take("z"), 204);
    HT_CHECK(ways_are(0, slow, 1, 1));
    end();
}

/* The events of who was inside so far, one after the other: zone and units. */
static const char *inside(void)
{
    static char text[1024];
    char store[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    text[0] = '\0';
    (void)snprintf(store, sizeof store, "%s/zones.sqlite", folder);
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT subject, body->>'units', body->>'zone' FROM events "
                           "WHERE kind = 'zone.inside' ORDER BY seq",
                           -1, &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW && size + 100 < sizeof text) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%s %s;",
                                     (const char *)sqlite3_column_text(statement, 0),
                                     (const char *)sqlite3_column_text(statement, 1),
                                     (const char *)sqlite3_column_text(statement, 2));
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

/* Waits until that is so; what is told comes with the next save. */
static bool told(const char *want)
{
    const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};
    for (int i = 0; i < 1200; i++) {
        if (strcmp(inside(), want) == 0) {
            return true;
        }
        (void)nanosleep(&step, NULL);
    }
    (void)printf("  told %s, not %s\n", inside(), want);
    return false;
}

#define FIRST "zones/w[\"u1\",\"u3\"] w;"

HT_CASE(whom_a_closed_zone_finds_inside_is_told_once)
{
    HT_REQUIRE(begin_town(CLOCK));
    HT_CHECK_INT(post("/collections/units/items", "Content-Type: text/csv\r\n",
                      "id,lon,lat,kind,profile\nu1," IN ",van,car\nu2," OUT ",van,car\nu3," NEAR
                      ",van,car\n"),
                 201);
    HT_CHECK_INT(put("e", "\"kind\":\"watched\""), 201);
    HT_CHECK_INT(put("w", "\"kind\":\"closed\",\"from\":\"2026-03-02T09:00:00Z\""), 201);
    HT_CHECK(told(""));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":3600}"), 200);
    HT_CHECK(told(FIRST));
    HT_CHECK_INT(put("w", "\"kind\":\"closed\",\"name\":\"the same\""), 200);
    HT_CHECK_INT(put_shape("far",
                           "{\"type\":\"Polygon\",\"coordinates\":[[[121.8,29.95],"
                           "[121.81,29.95],[121.81,29.96],[121.8,29.95]]]}",
                           "\"kind\":\"closed\""),
                 201); /* nobody is there */
    char *clock = strstr(options, "T08:");
    HT_REQUIRE(clock != NULL);
    (void)memcpy(clock, "T09:", 4);
    HT_REQUIRE(again());
    HT_CHECK_INT(put("w", "\"kind\":\"controlled\""), 200);
    HT_CHECK_INT(put("v", "\"kind\":\"closed\""), 201);
    HT_CHECK(told(FIRST "zones/v[\"u1\",\"u3\"] v;"));
    HT_CHECK_INT(put("w", "\"kind\":\"closed\""), 200); /* anew */
    HT_CHECK(told(FIRST "zones/v[\"u1\",\"u3\"] v;" FIRST));
    HT_CHECK_INT(put_shape("v",
                           "{\"type\":\"Polygon\",\"coordinates\":[[[121.699,29.949],"
                           "[121.701,29.949],[121.701,29.951],[121.699,29.949]]]}",
                           "\"kind\":\"closed\""),
                 200); /* another border */
    HT_CHECK(told(FIRST "zones/v[\"u1\",\"u3\"] v;" FIRST "zones/v[\"u2\"] v;"));
    end();
}

HT_SERVED_MAIN()
