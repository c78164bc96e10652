/* Fences over HTTP: what units do about zones of kind `fence` becomes events, across restarts,
 * kill -9 and changes of the registry; and all of it equals what GEOS makes of the kept tracks. */
#include <geos_c.h>
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define UNITS "/collections/units/items"
#define ZONES "/collections/zones/items"

static char store[128];
static char options[512];

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/fence%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static void unit_add(const char *id)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,"
                   "\"properties\":{\"kind\":\"van\",\"profile\":\"car\"}}",
                   id);
    HT_CHECK_INT(post(UNITS, GEO, text), 201);
}

/* A square of 0.002 degrees, or (`hole`) with one of 0.001 in it. */
static void zone_put(const char *id, double lon, double lat, bool hole, const char *properties)
{
    char path[128];
    char text[1024];
    char inner[256] = "";
    if (hole) {
        (void)snprintf(inner, sizeof inner, ",[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]",
                       lon + 5e-4, lat + 5e-4, lon + 5e-4, lat + 15e-4, lon + 15e-4, lat + 15e-4,
                       lon + 15e-4, lat + 5e-4, lon + 5e-4, lat + 5e-4);
    }
    (void)snprintf(path, sizeof path, ZONES "/%s", id);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                   "\"coordinates\":[[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]%s]},"
                   "\"properties\":{%s}}",
                   id, lon, lat, lon + 2e-3, lat, lon + 2e-3, lat + 2e-3, lon, lat + 2e-3, lon, lat,
                   inner, properties);
    HT_CHECK(send_body("PUT", path, GEO, text) / 100 == 2);
}

static void seen(const char *unit, double lon, double lat, const char *ts)
{
    char text[256];
    (void)snprintf(text, sizeof text, "{\"unit\":\"%s\",\"lon\":%f,\"lat\":%f,\"ts\":\"%s\"}", unit,
                   lon, lat, ts);
    HT_CHECK_INT(post("/v1/positions", JSON, text), 200);
    HT_CHECK(answer.body != NULL && strstr(answer.body, "\"accepted\":1") != NULL);
}

/* The events of fences ("fence") or watched zones ("zone") so far: kind, id, minute and second,
 * why. */
static const char *told_of(const char *what)
{
    static char text[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    text[0] = '\0';
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT substr(kind, length(?1) + 2), body->>?1, "
                           "substr(body->>'at', 15, 5), coalesce(' ' || (body->>'why'), '') "
                           "FROM events WHERE kind LIKE ?1 || '.%' AND "
                           "subject = 'units/' || (body->>'unit') ORDER BY seq",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_text(statement, 1, what, -1, SQLITE_STATIC) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW && size < sizeof text) {
            size += (size_t)snprintf(
                text + size, sizeof text - size, "%s%s %s %s%s", size == 0 ? "" : ", ",
                sqlite3_column_text(statement, 0), sqlite3_column_text(statement, 1),
                sqlite3_column_text(statement, 2), sqlite3_column_text(statement, 3));
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

/* Waits for events to come to this; a minute at most. */
static void told_of_at_last(const char *what, const char *want)
{
    for (int i = 0; i < 1200 && strcmp(told_of(what), want) != 0; i++) {
        (void)usleep(50000);
    }
    HT_CHECK_STR(told_of(what), want);
}

static void told_at_last(const char *want)
{
    told_of_at_last("fence", want);
}

HT_CASE(a_stay_is_told_across_restarts)
{
    char line[256];
    HT_REQUIRE(begin_town("--clock 2026-03-01T08:00:00Z,0"));
    unit_add("v1");
    zone_put("yard", 121.70, 29.95, true, "\"kind\":\"fence\",\"dwell_s\":600");
    zone_put("shut", 121.70, 29.95, false, "\"kind\":\"closed\"");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:59:00Z");
    told_at_last("enter yard 59:00");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":539}"), 200);
    seen("v1", 121.7002, 29.9501, "2026-03-01T08:08:59Z");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":2}"), 200);
    told_at_last("enter yard 59:00, dwell yard 09:00");
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);

    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-01T08:20:00Z,0", store);
    HT_REQUIRE(begin(options));
    seen("v1", 121.7003, 29.9501, "2026-03-01T08:20:00Z"); /* still within: nothing to tell */
    seen("v1", 121.7010, 29.9510, "2026-03-01T08:20:10Z"); /* in the hole */
    told_at_last("enter yard 59:00, dwell yard 09:00, exit yard 20:10 moved");
    end();
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

/* Nobody is stopped there, but it is told; as a fence it is another one. */
HT_CASE(who_comes_into_a_watched_zone_is_told)
{
    HT_REQUIRE(begin_town("--clock 2026-03-01T08:00:00Z,0"));
    unit_add("v1");
    zone_put("old-town", 121.70, 29.95, true, "\"kind\":\"watched\",\"dwell_s\":300");
    seen("v1", 121.7100, 29.9501, "2026-03-01T07:50:00Z"); /* outside */
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:51:00Z");
    told_of_at_last("zone", "enter old-town 51:00");
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    HT_REQUIRE(begin(options));
    seen("v1", 121.7002, 29.9501, "2026-03-01T07:56:30Z");
    told_of_at_last("zone", "enter old-town 51:00, dwell old-town 56:00");
    HT_CHECK_INT(get("/route/v1/car/121.6990,29.9505;121.7030,29.9515"), 200);
    seen("v1", 121.7010, 29.9510, "2026-03-01T07:57:00Z"); /* in the hole */
    told_of_at_last("zone",
                    "enter old-town 51:00, dwell old-town 56:00, exit old-town 57:00 moved");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:58:00Z");
    told_of_at_last("zone", "enter old-town 51:00, dwell old-town 56:00, "
                            "exit old-town 57:00 moved, enter old-town 58:00");
    HT_CHECK_STR(told_of("fence"), "");
    zone_put("old-town", 121.70, 29.95, true, "\"kind\":\"fence\"");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:59:00Z");
    told_of_at_last("fence", "enter old-town 59:00");
    told_of_at_last("zone", "enter old-town 51:00, dwell old-town 56:00, "
                            "exit old-town 57:00 moved, enter old-town 58:00, "
                            "exit old-town 00:00 zone_gone");
    end();
}

HT_CASE(fences_follow_the_registry)
{
    HT_REQUIRE(begin_town("--clock 2026-03-01T08:00:00Z,0"));
    unit_add("v1");
    unit_add("v2");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:50:00Z");
    zone_put("a", 121.70, 29.95, false, "\"kind\":\"fence\"");
    zone_put("b", 121.70, 29.95, false,
             "\"kind\":\"fence\",\"from\":\"2026-03-01T07:55:00Z\","
             "\"until\":\"2026-03-01T08:05:00Z\"");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:54:59Z");
    told_at_last("enter a 54:59");
    seen("v1", 121.7001, 29.9501, "2026-03-01T07:55:00Z");
    told_at_last("enter a 54:59, enter b 55:00");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":360}"), 200);
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed");
    zone_put("a", 121.70, 29.95, false, "\"kind\":\"watched\""); /* no fence any more */
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed, exit a 06:00 fence_gone");
    HT_CHECK_INT(send_body("PATCH", ZONES "/a", "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"kind\":\"fence\"}}"),
                 200);
    seen("v2", 121.7001, 29.9501, "2026-03-01T08:06:00Z");
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed, exit a 06:00 fence_gone, "
                 "enter a 06:00");
    HT_CHECK_INT(ask("DELETE " UNITS "/v2" HEADERS "\r\n"), 204);
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed, exit a 06:00 fence_gone, "
                 "enter a 06:00, exit a 06:00 unit_gone");
    seen("v1", 121.7001, 29.9501, "2026-03-01T08:06:05Z");
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed, exit a 06:00 fence_gone, "
                 "enter a 06:00, exit a 06:00 unit_gone, enter a 06:05");
    HT_CHECK_INT(ask("DELETE " ZONES "/a" HEADERS "\r\n"), 204);
    told_at_last("enter a 54:59, enter b 55:00, exit b 05:00 closed, exit a 06:00 fence_gone, "
                 "enter a 06:00, exit a 06:00 unit_gone, enter a 06:05, exit a 06:05 fence_gone");
    end();
}

/* --- kill -9 and GEOS ------------------------------------------------------------------------- */

enum { UNITS_COUNT = 6, ZONES_COUNT = 5, BATCHES_MOST = 60 };

static GEOSGeometry *shape_of(double lon, double lat, bool hole)
{
    char text[1024];
    char inner[256] = "";
    if (hole) {
        (void)snprintf(inner, sizeof inner, ",(%f %f,%f %f,%f %f,%f %f,%f %f)", lon + 5e-4,
                       lat + 5e-4, lon + 5e-4, lat + 15e-4, lon + 15e-4, lat + 15e-4, lon + 15e-4,
                       lat + 5e-4, lon + 5e-4, lat + 5e-4);
    }
    (void)snprintf(text, sizeof text, "POLYGON((%f %f,%f %f,%f %f,%f %f,%f %f)%s)", lon, lat,
                   lon + 2e-3, lat, lon + 2e-3, lat + 2e-3, lon, lat + 2e-3, lon, lat, inner);
    GEOSWKTReader *reader = GEOSWKTReader_create();
    GEOSGeometry *shape = GEOSWKTReader_read(reader, text);
    GEOSWKTReader_destroy(reader);
    return shape;
}

static double zone_lon(int z)
{
    return 121.70 + (z % 3) * 1.5e-3;
}

static double zone_lat(int z)
{
    return z < 3 ? 29.95 : 29.95 + 1.5e-3;
}

/* One batch of each unit's next steps. Odd in the last digit, so that none lies on a border. */
static int batch_send(uint64_t *seed, int32_t places[UNITS_COUNT][2], int64_t *ts)
{
    static char text[1 << 15];
    size_t size = 0;
    for (int i = 0; i < 40; i++) {
        (*ts) += 7;
        for (int u = 0; u < UNITS_COUNT; u++) {
            places[u][0] = (places[u][0] + (int32_t)ht_random_below(seed, 5000)) % 60000;
            places[u][1] = (places[u][1] + (int32_t)ht_random_below(seed, 5000)) % 60000;
            size += (size_t)snprintf(
                text + size, sizeof text - size,
                "{\"unit\":\"u%d\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%" PRId64 "}\n", u,
                121.699 + (places[u][0] | 1) * 1e-7, 29.949 + (places[u][1] | 1) * 1e-7, *ts);
        }
    }
    return post("/v1/positions", "Content-Type: application/x-ndjson\r\n", text);
}

/* How often the kept track of a unit goes in and out of a shape, and a digest of when. */
static void reckon(sqlite3 *db, int unit, const GEOSGeometry *shape, char *out, size_t size)
{
    sqlite3_stmt *statement = NULL;
    char name[16];
    bool within = false;
    size_t at = 0;
    (void)snprintf(name, sizeof name, "u%d", unit);
    out[0] = '\0';
    HT_CHECK_INT(sqlite3_prepare_v2(db,
                                    "SELECT ts_ms, lon_e7, lat_e7 FROM positions WHERE unit = ?1 "
                                    "ORDER BY ts_ms",
                                    -1, &statement, NULL),
                 SQLITE_OK);
    (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW && at < size) {
        GEOSGeometry *point = GEOSGeom_createPointFromXY(sqlite3_column_int(statement, 1) / 1e7,
                                                         sqlite3_column_int(statement, 2) / 1e7);
        bool now = GEOSCovers(shape, point) == 1;
        GEOSGeom_destroy(point);
        if (now != within) {
            at += (size_t)snprintf(out + at, size - at, "%s %" PRId64 ",", now ? "enter" : "exit",
                                   (int64_t)sqlite3_column_int64(statement, 0));
        }
        within = now;
    }
    (void)sqlite3_finalize(statement);
}

static void events_of(sqlite3 *db, int unit, int zone, char *out, size_t size)
{
    sqlite3_stmt *statement = NULL;
    char subject[32];
    char fence[16];
    size_t at = 0;
    (void)snprintf(subject, sizeof subject, "units/u%d", unit);
    (void)snprintf(fence, sizeof fence, "z%d", zone);
    out[0] = '\0';
    HT_CHECK_INT(sqlite3_prepare_v2(db,
                                    "SELECT substr(kind, 7), 1000 * CAST(strftime('%s', "
                                    "body->>'at') AS INTEGER) FROM events WHERE subject = ?1 AND "
                                    "kind LIKE 'fence.%' AND body->>'fence' = ?2 ORDER BY seq",
                                    -1, &statement, NULL),
                 SQLITE_OK);
    (void)sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, fence, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW && at < size) {
        at += (size_t)snprintf(out + at, size - at, "%s %" PRId64 ",",
                               sqlite3_column_text(statement, 0),
                               (int64_t)sqlite3_column_int64(statement, 1));
    }
    (void)sqlite3_finalize(statement);
}

static void silent(const char *format, ...)
{
    (void)format;
}

/* Returns how many events there are. */
static int compare(void)
{
    static char want[1 << 16];
    static char got[1 << 16];
    sqlite3 *db = NULL;
    int count = 0;
    HT_CHECK_INT(sqlite3_open(store, &db), SQLITE_OK);
    initGEOS(silent, silent);
    for (int z = 0; z < ZONES_COUNT; z++) {
        GEOSGeometry *shape = shape_of(zone_lon(z), zone_lat(z), z % 2 == 1);
        for (int u = 0; u < UNITS_COUNT; u++) {
            reckon(db, u, shape, want, sizeof want);
            events_of(db, u, z, got, sizeof got);
            HT_CHECK_STR(got, want);
            for (const char *at = want; (at = strchr(at, ',')) != NULL; at++) {
                count++;
            }
        }
        GEOSGeom_destroy(shape);
    }
    finishGEOS();
    (void)sqlite3_close(db);
    return count;
}

HT_CASE(kept_tracks_and_events_agree_after_kill_9)
{
    uint64_t seed = 11;
    int32_t places[UNITS_COUNT][2] = {{0}};
    int64_t ts = (int64_t)time(NULL) - 86400;
    HT_REQUIRE(begin_town(""));
    for (int u = 0; u < UNITS_COUNT; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%d", u);
        unit_add(id);
    }
    for (int z = 0; z < ZONES_COUNT; z++) {
        char id[16];
        (void)snprintf(id, sizeof id, "z%d", z);
        zone_put(id, zone_lon(z), zone_lat(z), z % 2 == 1, "\"kind\":\"fence\"");
    }
    int rounds = HT_LONG ? 20 : 4;
    for (int round = 0; round < rounds && ht_case_failures == 0; round++) {
        int batches = 3 + (int)ht_random_below(&seed, 6);
        for (int i = 0; i < batches; i++) {
            HT_CHECK_INT(batch_send(&seed, places, &ts), 200);
            (void)usleep(ht_random_below(&seed, 300) * 1000);
        }
        if (round + 1 < rounds) {
            HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
            ht_client_close(&client);
            HT_REQUIRE(begin(options));
        }
    }
    end();
    HT_CHECK(compare() > 200);
}

HT_SERVED_MAIN()
