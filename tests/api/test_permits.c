/* Permits over HTTP: whoever holds a zone's permit passes it wherever ways are asked for: closest,
 * incidents, coverage, moves, assignment; others don't; restarts and changes keep to it. */
#include <math.h>
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"
#define CSV "Content-Type: text/csv\r\n"

#define BOX                                                                                        \
    "{\"type\":\"Polygon\",\"coordinates\":[[[121.708,29.948],[121.718,29.948],"                   \
    "[121.718,29.956],[121.708,29.956],[121.708,29.948]]]}"
#define IN "lon=121.713&lat=29.952"
#define AWAY "lon=121.700&lat=29.950"

static char options[256];

static bool begin_town(void)
{
    char store[128];
    (void)snprintf(options, sizeof options, "--store %s/permits.sqlite", map_make() ? folder : "");
    (void)snprintf(store, sizeof store, "%s/permits.sqlite", folder);
    (void)unlink(store);
    return begin(options) &&
           post("/collections/households/items", CSV,
                "id,lon,lat,residents\nh-in,121.713,29.952,3\nh-out,121.700,29.950,2\n") == 201;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int zone_put(const char *properties)
{
    char body[1024];
    (void)snprintf(body, sizeof body, "{\"type\":\"Feature\",\"properties\":{%s},\"geometry\":%s}",
                   properties, BOX);
    return send_body("PUT", "/collections/zones/items/z", GEO, body);
}

/* A unit, and where it reports to be. */
static void unit_put(const char *id, const char *permits, double lon, double lat)
{
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%.6f,%.6f]},\"properties\":{\"kind\":\"responder\","
                   "\"profile\":\"car\",\"status\":\"idle\",\"permits\":[%s]}}",
                   id, lon, lat, permits);
    HT_CHECK_INT(post("/collections/units/items", GEO, body), 201);
    (void)snprintf(body, sizeof body, "[{\"unit\":\"%s\",\"lon\":%.6f,\"lat\":%.6f}]", id, lon,
                   lat);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
}

static int permits_patch(const char *id, const char *permits)
{
    char path[128];
    char body[128];
    (void)snprintf(path, sizeof path, "/collections/units/items/%s", id);
    (void)snprintf(body, sizeof body, "{\"properties\":{\"permits\":[%s]}}", permits);
    return send_body("PATCH", path, "Content-Type: application/merge-patch+json\r\n", body);
}

static void units_make(void)
{
    unit_put("p1", "\"q\",\"z\"", 121.700, 29.950);
    unit_put("c1", "", 121.701, 29.951);
    unit_put("q1", "\"q\"", 121.7005, 29.9505);
}

/* Seconds of a unit to a place by closest; -1: it is not among them. */
static double closest_s(const char *place, const char *unit)
{
    char path[256];
    char key[64];
    (void)snprintf(path, sizeof path, "/v1/closest?%s&k=9", place);
    if (get(path) != 200) {
        return -2;
    }
    (void)snprintf(key, sizeof key, "\"unit\":\"%s\",\"duration_s\":", unit);
    const char *at = strstr(answer.body, key);
    return at == NULL ? -1 : strtod(at + strlen(key), NULL);
}

static int closest_count(const char *place)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/v1/closest?%s&k=9", place);
    return get(path) == 200 ? ht_json_count_at(answer.body, "closest") : -1;
}

HT_CASE(closest_lets_those_with_the_permit_in_until_it_is_taken)
{
    HT_REQUIRE(begin_town());
    units_make();
    double before = closest_s(IN, "p1");
    HT_CHECK(before > 0);
    HT_CHECK_INT(closest_count(IN), 3);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 201);
    HT_CHECK_INT(closest_count(IN), 1);
    HT_CHECK(fabs(closest_s(IN, "p1") - before) < 0.001);
    HT_CHECK_INT(closest_count(AWAY), 3);
    HT_CHECK_INT(get("/v1/closest?" IN "&geometry=1"), 200);
    HT_CHECK(says("\"p1\"") && says("\"LineString\""));
    HT_CHECK_INT(post("/v1/closest", JSON, "{\"points\":[[121.713,29.952],[121.7,29.95]]}"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "closest.0"), 1);
    HT_CHECK_INT(ht_json_count_at(answer.body, "closest.1"), 3);
    /* what a question keeps off holds for all: the nearest street is one outside then */
    HT_CHECK_INT(closest_count(IN "&avoid=z"), 3);
    HT_CHECK(fabs(closest_s(IN "&avoid=z", "p1") - before) > 1);
    end();
    HT_REQUIRE(begin(options)); /* permits and zones are as they were */
    HT_CHECK_INT(closest_count(IN), 1);
    HT_CHECK(fabs(closest_s(IN, "p1") - before) < 0.001);
    HT_CHECK_INT(permits_patch("p1", "\"q\""), 200);
    HT_CHECK_INT(closest_count(IN), 0);
    HT_CHECK_INT(permits_patch("c1", "\"z\""), 200);
    HT_CHECK_INT(closest_count(IN), 1);
    HT_CHECK(says("\"c1\""));
    HT_CHECK_INT(send_body("DELETE", "/collections/zones/items/z", "", ""), 204);
    HT_CHECK_INT(closest_count(IN), 3);
    HT_CHECK(fabs(closest_s(IN, "p1") - before) < 0.001);
    end();
}

HT_CASE(a_controlled_zone_lets_out_those_with_the_permit_alone)
{
    HT_REQUIRE(begin_town());
    unit_put("p1", "\"z\"", 121.713, 29.952);
    unit_put("c1", "", 121.713, 29.952);
    HT_CHECK_INT(closest_count(AWAY), 2);
    HT_CHECK_INT(zone_put("\"kind\":\"controlled\""), 201);
    HT_CHECK_INT(closest_count(AWAY), 1);
    HT_CHECK(says("\"p1\""));
    HT_CHECK_INT(closest_count(IN), 2);
    HT_CHECK_INT(zone_put("\"kind\":\"watched\""), 200);
    HT_CHECK_INT(closest_count(AWAY), 2);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\",\"profiles\":[\"foot\"]"), 200);
    HT_CHECK_INT(closest_count(AWAY), 2);
    end();
}

HT_CASE(incidents_and_assignments_go_to_those_who_may_pass)
{
    static const char incident[] =
        "{\"lon\":121.713,\"lat\":29.952,\"kind\":\"other\",\"severity\":1}";
    HT_REQUIRE(begin_town());
    units_make();
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 201);
    double seconds = closest_s(IN, "p1");
    HT_CHECK_INT(post("/v1/incidents", JSON, incident), 201);
    HT_CHECK(says("\"state\":\"assigned\"") && says("\"unit\":\"p1\""));
    HT_CHECK(fabs(ht_json_number_at(answer.body, "assigned.0.duration_s") - seconds) < 0.002);
    HT_CHECK_INT(post("/v1/incidents", JSON, incident), 201); /* another one: nobody may */
    HT_CHECK(says("\"state\":\"queued\""));
    HT_CHECK_INT(post("/v1/assign", JSON,
                      "{\"tasks\":[{\"id\":\"t\",\"lon\":121.713,\"lat\":29.952}],"
                      "\"units\":[\"c1\",\"q1\"]}"),
                 200);
    HT_CHECK(says("\"unreachable\""));
    HT_CHECK_INT(post("/v1/assign", JSON,
                      "{\"tasks\":[{\"id\":\"t\",\"lon\":121.713,\"lat\":29.952}],"
                      "\"units\":[\"c1\",\"p1\",\"q1\"]}"),
                 200);
    HT_CHECK(says("\"unit\":\"p1\""));
    HT_CHECK(fabs(ht_json_number_at(answer.body, "assignments.0.duration_s") - seconds) < 0.002);
    /* the permit arrives: the one that waited is sent to */
    HT_CHECK_INT(permits_patch("q1", "\"z\""), 200);
    bool sent = false;
    const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};
    for (int i = 0; i < 1200 && !sent; i++) {
        sent = get("/v1/incidents?state=queued") == 200 &&
               ht_json_count_at(answer.body, "incidents") == 0;
        (void)nanosleep(&step, NULL);
    }
    HT_CHECK(sent);
    end();
}

static int covered(void)
{
    return get("/v1/coverage?max_s=900") == 200
               ? (int)ht_json_number_at(answer.body, "covered.households")
               : -1;
}

HT_CASE(coverage_and_moves_count_whom_permits_let_reach)
{
    HT_REQUIRE(begin_town());
    units_make();
    HT_CHECK_INT(covered(), 2);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 201);
    HT_CHECK_INT(covered(), 2);
    HT_CHECK_INT(covered(), 2); /* from what was kept */
    HT_CHECK_INT(permits_patch("p1", ""), 200);
    HT_CHECK_INT(covered(), 1);
    HT_CHECK_INT(permits_patch("q1", "\"z\""), 200);
    HT_CHECK_INT(covered(), 2);
    /* 30 s: from the middle alone, which only q1 gets to */
    HT_CHECK_INT(post("/v1/coverage/moves", JSON,
                      "{\"max_s\":5,\"moves\":1,\"corners\":0,\"candidates\":"
                      "[{\"id\":\"m\",\"lon\":121.713,\"lat\":29.952}]}"),
                 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "moves"), 1);
    HT_CHECK(ht_json_is(answer.body, "moves.0.unit", "\"q1\""));
    HT_CHECK_INT((int)ht_json_number_at(answer.body, "moves.0.gains.households"), 1);
    end();
}

/* The last event of who was inside; waits for one of the zone's `count`. */
static const char *inside(int count)
{
    static char text[1024];
    char store[128];
    const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};
    (void)snprintf(store, sizeof store, "%s/permits.sqlite", folder);
    for (int i = 0; i < 1200; i++) {
        sqlite3 *db = NULL;
        sqlite3_stmt *statement = NULL;
        int rows = 0;
        text[0] = '\0';
        if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(db,
                               "SELECT body->>'units', body->>'may_leave' FROM events "
                               "WHERE kind = 'zone.inside' ORDER BY seq",
                               -1, &statement, NULL) == SQLITE_OK) {
            while (sqlite3_step(statement) == SQLITE_ROW) {
                rows++;
                (void)snprintf(text, sizeof text, "%s %s",
                               (const char *)sqlite3_column_text(statement, 0),
                               (const char *)sqlite3_column_text(statement, 1));
            }
        }
        (void)sqlite3_finalize(statement);
        (void)sqlite3_close(db);
        if (rows == count) {
            return text;
        }
        (void)nanosleep(&step, NULL);
    }
    return "nothing";
}

HT_CASE(who_may_not_leave_a_zone_that_closes_is_told_apart)
{
    HT_REQUIRE(begin_town());
    unit_put("p1", "\"z\"", 121.713, 29.952);
    unit_put("c1", "", 121.713, 29.952);
    unit_put("c2", "", 121.700, 29.950);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 201);
    const char *first = inside(1);
    HT_CHECK(strcmp(first, "[\"c1\"] [\"p1\"]") == 0);
    HT_CHECK_INT(permits_patch("c1", "\"z\""), 200);
    HT_CHECK_INT(zone_put("\"kind\":\"watched\""), 200);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 200); /* both may: no reason to tell */
    HT_CHECK_INT(permits_patch("p1", ""), 200);
    HT_CHECK_INT(zone_put("\"kind\":\"watched\""), 200);
    HT_CHECK_INT(zone_put("\"kind\":\"closed\""), 200);
    HT_CHECK(strcmp(inside(2), "[\"p1\"] [\"c1\"]") == 0);
    end();
}

HT_SERVED_MAIN()
