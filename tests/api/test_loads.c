/* houtao load beside a running server: what was loaded lives there without a restart. */
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define PLACE(lon, lat) "\"geometry\":{\"type\":\"Point\",\"coordinates\":[" lon "," lat "]},"
#define SQUARE                                                                                     \
    "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[121.70,29.94],[121.72,29.94],"          \
    "[121.72,29.96],[121.70,29.96],[121.70,29.94]]]},"
#define FEATURE(id, geometry, properties)                                                          \
    "{\"type\":\"Feature\",\"id\":\"" id "\"," geometry "\"properties\":{" properties "}}"

static char store[128];

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static bool begin_empty(void)
{
    static int number;
    char line[256];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/loads%d.sqlite", folder, number++);
    (void)snprintf(line, sizeof line, "--store %s", store);
    return begin(line);
}

static int load(const char *collection, const char *features)
{
    char path[160];
    char line[512];
    (void)snprintf(path, sizeof path, "%s/loads.geojson", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(features, file) < 0 || fclose(file) != 0) {
        return -1;
    }
    (void)snprintf(line, sizeof line, "load --store %s --collection %s %s", store, collection,
                   path);
    return ht_command_run(line)->code;
}

/* Asks the store itself. */
static int64_t number_of(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_open(store, &db) == SQLITE_OK) {
        (void)sqlite3_busy_timeout(db, 10000);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW) {
            number = sqlite3_column_int64(statement, 0);
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return number;
}

/* Whether the answer has the text, at last; or (`gone`) has it no more. */
static bool at_last(const char *path, const char *text, bool gone)
{
    for (int i = 0; i < 1200; i++) {
        if (get(path) == 200 && says(text) != gone) {
            return true;
        }
        (void)usleep(50000);
    }
    (void)printf("  %s: %.300s\n", path, answer.body);
    return false;
}

HT_CASE(units_and_devices_of_a_load_live_at_once)
{
    static const char closest[] = "/v1/closest?lon=121.712&lat=29.952&skills=lift";
    static char many[64 * 1024];
    HT_REQUIRE(begin_empty());
    HT_CHECK_INT(get(closest), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(load("units", FEATURE("v1", PLACE("121.71", "29.95"),
                                       "\"kind\":\"van\",\"profile\":\"car\","
                                       "\"skills\":[\"lift\"]")),
                 0);
    HT_CHECK(at_last(closest, "\"unit\":\"v1\"", false));
    HT_CHECK_INT(post("/v1/positions", JSON, "{\"unit\":\"v1\",\"lon\":121.711,\"lat\":29.95}"),
                 200);
    HT_CHECK(says("\"accepted\":1,"));
    HT_CHECK_INT(load("devices", FEATURE("d1", "\"geometry\":null,", "\"unit\":\"v1\"")), 0);
    /* until it is known, it is no unit's */
    for (int i = 0; i < 1200; i++) {
        HT_REQUIRE(post("/v1/positions", JSON,
                        "{\"unit\":\"d1\",\"lon\":121.711,\"lat\":29.95,\"ts\":1000}") == 200);
        if (!says("unknown unit")) {
            break;
        }
        (void)usleep(50000);
    }
    HT_CHECK(says("older than"));
    /* what a load changes, and more than one portion of it */
    size_t used = (size_t)snprintf(many, sizeof many,
                                   "{\"type\":\"FeatureCollection\","
                                   "\"features\":[");
    for (int i = 1; i <= 150; i++) {
        used += (size_t)snprintf(many + used, sizeof many - used,
                                 "%s{\"type\":\"Feature\",\"id\":\"v%d\",\"geometry\":{\"type\":"
                                 "\"Point\",\"coordinates\":[121.71,29.95]},\"properties\":{"
                                 "\"kind\":\"van\",\"profile\":\"car\",\"skills\":[\"swim\"]}}",
                                 i == 1 ? "" : ",", i);
    }
    (void)snprintf(many + used, sizeof many - used, "]}");
    HT_CHECK_INT(load("units", many), 0);
    HT_CHECK(at_last(closest, "\"unit\"", true));
    HT_CHECK(at_last("/v1/closest?lon=121.712&lat=29.952&skills=swim&k=200", "\"unit\":\"v150\"",
                     false));
    HT_CHECK(says("\"unit\":\"v1\"") && says("\"unit\":\"v77\""));
    end();
}

HT_CASE(what_was_loaded_is_found)
{
    HT_REQUIRE(begin_empty());
    HT_CHECK(at_last("/v1/search?q=nosuchthing", "\"features\":[]", false));
    HT_CHECK_INT(load("facilities",
                      FEATURE("k1", PLACE("121.71", "29.95"), "\"name\":\"Kitchen of the Hill\"")),
                 0);
    HT_CHECK(at_last("/v1/search?q=kitchen", "\"id\":\"k1\"", false));
    HT_CHECK_INT(load("factories",
                      FEATURE("f1", PLACE("121.71", "29.95"), "\"name\":\"Works of the River\"")),
                 0);
    HT_CHECK(at_last("/v1/search?q=river", "\"id\":\"f1\"", false));
    /* by who rents in it, too */
    HT_CHECK_INT(post("/collections/factories/items", GEO,
                      FEATURE("f2", PLACE("121.71", "29.95"),
                              "\"name\":\"Yard\",\"tenants\":[{\"id\":\"t-4711\",\"name\":"
                              "\"Zinc {and} [Sons]\"},{\"name\":\"\"},{\"industry\":\"x\","
                              "\"name\":\"海星模具\",\"id\":\"t-4712\"}]")),
                 201);
    static const char *const asked[] = {"zinc", "sons", "t-4711", "t-4712", "hxmj", "yard"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/v1/search?q=%s", asked[i]);
        HT_CHECK_INT(get(path), 200);
        HT_CHECK(says("\"id\":\"f2\""));
    }
    HT_CHECK_INT(load("facilities",
                      FEATURE("k1", PLACE("121.71", "29.95"), "\"name\":\"Canteen of the Hill\"")),
                 0);
    HT_CHECK(at_last("/v1/search?q=canteen", "\"id\":\"k1\"", false));
    HT_CHECK_INT(get("/v1/search?q=kitchen"), 200);
    HT_CHECK(!says("\"id\":\"k1\""));
    HT_CHECK_INT(get("/v1/search?q=river"), 200);
    HT_CHECK(says("\"id\":\"f1\""));
    end();
}

HT_CASE(fences_and_cells_of_a_load_hold)
{
    HT_REQUIRE(begin_empty());
    HT_CHECK_INT(post("/collections/units/items", GEO,
                      FEATURE("v1", "\"geometry\":null,", "\"kind\":\"van\"")),
                 201);
    /* the server looks for cells, and has none */
    HT_CHECK_INT(post("/collections/households/items", GEO,
                      FEATURE("h1", PLACE("121.71", "29.95"), "\"residents\":1")),
                 201);
    HT_CHECK_INT(load("zones", FEATURE("yard", SQUARE, "\"kind\":\"fence\"")), 0);
    HT_CHECK_INT(load("cells", FEATURE("c1", SQUARE, "\"kind\":\"grid\"")), 0);
    static const char entered[] = "SELECT count(*) FROM events WHERE kind = 'fence.enter' AND "
                                  "subject = 'units/v1'";
    for (int i = 0; i < 600 && number_of(entered) == 0; i++) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "{\"unit\":\"v1\",\"lon\":121.71,\"lat\":29.95,\"ts\":%ld}",
                       (long)time(NULL));
        HT_REQUIRE(post("/v1/positions", JSON, text) == 200);
        (void)usleep(100000);
    }
    HT_CHECK_INT(number_of(entered), 1);
    HT_CHECK(at_last("/collections/households/items/h1", "\"cell\":\"c1\"", false));
    HT_CHECK_INT(post("/collections/households/items", GEO,
                      FEATURE("h2", PLACE("121.711", "29.951"), "\"residents\":1")),
                 201);
    HT_CHECK_INT(get("/collections/households/items/h2"), 200);
    HT_CHECK(says("\"cell\":\"c1\""));
    end();
}

HT_CASE(zones_of_a_load_close_streets)
{
    static const char into[] = "/route/v1/car/121.730,29.945;121.712,29.952?overview=false";
    HT_REQUIRE(begin_empty());
    HT_CHECK_INT(get(into), 200);
    HT_CHECK_INT(load("zones", FEATURE("shut", SQUARE, "\"kind\":\"closed\"")), 0);
    for (int i = 0; i < 1200 && get(into) == 200; i++) {
        (void)usleep(50000);
    }
    HT_CHECK_INT(get(into), 400);
    HT_CHECK(says("\"NoRoute\""));
    HT_CHECK_INT(load("zones", FEATURE("shut", SQUARE, "\"kind\":\"watched\"")), 0);
    HT_CHECK(at_last(into, "\"Ok\"", false));
    end();
}

/* The number of the streets that are obeyed. */
static double metric_now(void)
{
    return post("/v1/traffic", JSON, "[]") == 200 ? ht_json_number_at(answer.body, "metric") : -1;
}

/* Many small zones, of which one closes something. */
static const char *many_zones(void)
{
    enum { ZONES = 150 };
    static char text[ZONES * 320];
    size_t size = 0;
    size += (size_t)snprintf(text, sizeof text, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (int i = 0; i < ZONES; i++) {
        double west = i == 77 ? 121.70 : 121.90 + i * 0.001;
        double width = i == 77 ? 0.02 : 0.0005;
        size += (size_t)snprintf(
            text + size, sizeof text - size,
            "%s{\"type\":\"Feature\",\"id\":\"z%03d\",\"geometry\":{\"type\":\"Polygon\","
            "\"coordinates\":[[[%f,29.94],[%f,29.94],[%f,29.96],[%f,29.96],[%f,29.94]]]},"
            "\"properties\":{\"kind\":\"closed\"}}",
            i == 0 ? "" : ",", i, west, west + width, west + width, west, west);
    }
    (void)snprintf(text + size, sizeof text - size, "]}");
    return text;
}

/* How often the streets were made to obey; -1: they were not. */
static int obeyed_times(void)
{
    static const char into[] = "/route/v1/car/121.730,29.945;121.712,29.952?overview=false";
    if (!begin_empty() || get(into) != 200) {
        return -1;
    }
    double before = metric_now();
    bool loaded = load("zones", many_zones()) == 0;
    for (int i = 0; loaded && i < 1200 && get(into) == 200; i++) {
        (void)usleep(50000);
    }
    (void)usleep(500000); /* for those that might come in portions */
    int times = get(into) == 400 ? (int)(metric_now() - before) : -1;
    end();
    return times;
}

/* A server that has just begun makes its profiles ready one after the other, and each of them may
 * count as a change between two looks: then it is tried again. Portions are three each time. */
HT_CASE(many_zones_of_a_load_are_obeyed_once)
{
    int times = obeyed_times();
    for (int i = 0; i < 4 && times > 1; i++) {
        times = obeyed_times();
    }
    HT_CHECK_INT(times, 1);
}

HT_SERVED_MAIN()
