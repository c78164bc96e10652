/* Coverage over HTTP: each household is covered where closest finds a unit for it, also after
 * moves, closures, changes of status and of the registry; who may know who is frail. */
#include <math.h>
#include <sqlite3.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define CSV "Content-Type: text/csv\r\n"

enum { HOMES = 80, UNITS = 5 };

struct home {
    double door[2]; /* where one goes */
    int residents;
    bool frail;
    bool covered; /* as closest says */
};

static struct home homes[HOMES];
static char store[160];
static char options[512];
static uint32_t dice;

static uint32_t roll(uint32_t below)
{
    dice = dice * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(dice >> 8) * below >> 24);
}

static double lon_of(void)
{
    return 121.69 + roll(500) * 1e-4;
}

static double lat_of(void)
{
    return 29.93 + roll(400) * 1e-4;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static double number(const char *path)
{
    return ht_json_number_at(answer.body, path);
}

static bool homes_make(const char *headers)
{
    static char text[1 << 15];
    int size = snprintf(text, sizeof text, "id,lon,lat,residents,frail,floor,lift,entrance\n");
    for (int i = 0; i < HOMES; i++) {
        struct home *home = &homes[i];
        *home = (struct home){{lon_of(), lat_of()}, (int)roll(6), i % 7 == 0, false};
        double lon = i % 4 == 0 ? home->door[0] + 0.02 : home->door[0]; /* the door counts */
        size += snprintf(text + size, sizeof text - (size_t)size, "h%02d,%.7f,%.7f,%d,%s,%d,%s", i,
                         lon, home->door[1], home->residents, home->frail ? "true" : "false",
                         1 + i % 5 * 3, i % 10 >= 5 ? "true" : "false");
        if (i % 4 == 0) {
            size += snprintf(text + size, sizeof text - (size_t)size, ",\"[%.7f,%.7f]\"",
                             home->door[0], home->door[1]);
        } else {
            size += snprintf(text + size, sizeof text - (size_t)size, ",");
        }
        size += snprintf(text + size, sizeof text - (size_t)size, "\n");
    }
    return post("/collections/households/items", headers, text) == 201;
}

static bool units_make(const char *headers)
{
    return post("/collections/units/items", headers,
                "id,lon,lat,kind,profile,skills,status\n"
                "u0,121.7,29.95,responder,car,aid,idle\n"
                "u1,121.7,29.95,responder,car,aid;lift,idle\n"
                "u2,121.7,29.95,responder,car,,idle\n"
                "u3,121.7,29.95,volunteer,car,aid,idle\n"
                "u4,121.7,29.95,responder,car,aid,busy\n"
                "lost,,,responder,car,aid,idle\n") == 201;
}

static bool move(const char *unit, double lon, double lat)
{
    char body[128];
    (void)snprintf(body, sizeof body, "[{\"unit\":\"%s\",\"lon\":%.6f,\"lat\":%.6f}]", unit, lon,
                   lat);
    return post("/v1/positions", JSON, body) == 200 && says("\"accepted\":1");
}

/* Two cells beside each other; some households lie in neither. */
static bool cells_make(const char *headers)
{
    return post("/collections/cells/items", headers,
                "{\"type\":\"FeatureCollection\",\"features\":["
                "{\"type\":\"Feature\",\"id\":\"west\",\"geometry\":{\"type\":\"Polygon\","
                "\"coordinates\":[[[121.68,29.92],[121.71,29.92],[121.71,29.98],[121.68,29.98],"
                "[121.68,29.92]]]},\"properties\":{\"kind\":\"grid\"}},"
                "{\"type\":\"Feature\",\"id\":\"east\",\"geometry\":{\"type\":\"Polygon\","
                "\"coordinates\":[[[121.71,29.92],[121.73,29.92],[121.73,29.98],[121.71,29.98],"
                "[121.71,29.92]]]},\"properties\":{\"kind\":\"grid\"}}]}") == 201;
}

static bool begin_town(void)
{
    static int number_of_store;
    if (!map_make()) {
        return false;
    }
    dice = 20 + (uint32_t)number_of_store;
    (void)snprintf(store, sizeof store, "%s/cover%d.sqlite", folder, number_of_store++);
    (void)snprintf(options, sizeof options, "--store %s", store);
    bool good = begin(options) && cells_make(GEO) && homes_make(CSV) && units_make(CSV);
    for (int u = 0; u < UNITS && good; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%d", u);
        good = move(id, lon_of(), lat_of());
    }
    return good;
}

/* Asks closest about each household; -1: it can't be asked. Returns how many are covered. */
static int closest_ask(const char *filters, int max_s)
{
    static char body[1 << 14];
    int size = snprintf(body, sizeof body, "{\"k\":1,\"max_s\":%d,%s\"points\":[", max_s, filters);
    for (int i = 0; i < HOMES; i++) {
        size += snprintf(body + size, sizeof body - (size_t)size, "%s[%.7f,%.7f]", i > 0 ? "," : "",
                         homes[i].door[0], homes[i].door[1]);
    }
    (void)snprintf(body + size, sizeof body - (size_t)size, "]}");
    if (post("/v1/closest", JSON, body) != 200) {
        return -1;
    }
    int covered = 0;
    for (int i = 0; i < HOMES; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "closest.%d", i);
        homes[i].covered = ht_json_count_at(answer.body, path) > 0;
        covered += homes[i].covered;
    }
    return covered;
}

/* How much of the answer is not what closest said. */
static int coverage_wrong(const char *query, int max_s, int covered)
{
    char path[256];
    int wrong = 0;
    int residents = 0;
    int frail = 0;
    (void)snprintf(path, sizeof path, "/v1/coverage?by=travel&max_s=%d&limit=200%s", max_s, query);
    if (get(path) != 200) {
        return 1000;
    }
    for (int i = 0; i < HOMES; i++) {
        char id[40];
        (void)snprintf(id, sizeof id, "{\"household\":\"h%02d\",", i);
        wrong += says(id) == homes[i].covered;
        residents += homes[i].covered ? homes[i].residents : 0;
        frail += homes[i].covered && homes[i].frail;
    }
    wrong += number("covered.households") != covered;
    wrong += number("covered.residents") != residents;
    wrong += number("covered.frail") != frail;
    wrong += number("uncovered.households") != HOMES - covered;
    wrong += ht_json_count_at(answer.body, "outside") != HOMES - covered;
    return wrong;
}

/* Both, for all limits; how many answers were in between nobody and all. */
static int differs(const char *filters, const char *query, int *between)
{
    static const int limits[] = {60, 150, 300, 420};
    int wrong = 0;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int covered = closest_ask(filters, limits[i]);
        wrong += covered < 0 ? 1000 : coverage_wrong(query, limits[i], covered);
        *between += covered > 5 && covered < HOMES - 5;
    }
    return wrong;
}

#define IDLE "\"status\":\"idle\","

HT_CASE(each_household_is_covered_where_closest_finds_a_unit)
{
    int between = 0;
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(differs(IDLE, "", &between), 0);
    HT_CHECK_INT((int)number("units"), 4);
    HT_CHECK_INT((int)number("units_without_place"), 1);
    HT_CHECK_INT(differs(IDLE "\"kind\":\"responder\",", "&kind=responder", &between), 0);
    HT_CHECK_INT(differs(IDLE "\"skills\":\"aid\",", "&skills=aid", &between), 0);
    HT_CHECK_INT(differs("\"status\":\"idle,busy\",", "&status=idle,busy", &between), 0);
    HT_CHECK_INT(differs(IDLE "\"skills\":\"flying\",", "&skills=flying", &between), 0);
    HT_CHECK_INT((int)number("units"), 0);
    HT_CHECK(between >= 8);
    end();
}

HT_CASE(coverage_follows_moves_states_and_the_registry)
{
    int between = 0;
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(differs(IDLE, "", &between), 0);
    for (int round = 0; round < 6; round++) {
        char id[16];
        (void)snprintf(id, sizeof id, "w%d", round); /* who moved before would be too fast */
        char body[256];
        (void)snprintf(body, sizeof body,
                       "id,lon,lat,kind,profile,status\n%s,%.5f,%.5f,van,car,%s\n", id, lon_of(),
                       lat_of(), round % 3 == 2 ? "busy" : "idle");
        HT_REQUIRE(post("/collections/units/items", CSV, body) == 201);
        HT_REQUIRE(move(id, lon_of(), lat_of()));
        HT_CHECK_INT(differs(IDLE, "", &between), 0);
    }
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/u0",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"status\":\"off\"}}"),
                 200);
    HT_CHECK_INT(differs(IDLE, "", &between), 0);
    homes[3].residents = 9; /* a household goes elsewhere and grows, another one is frail now */
    homes[3].door[0] = 121.7;
    homes[3].door[1] = 29.95;
    HT_CHECK_INT(send_body("PUT", "/collections/households/items/h03", GEO,
                           "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":"
                           "[121.7,29.95]},\"properties\":{\"residents\":9}}"),
                 200);
    homes[5].frail = true;
    HT_CHECK_INT(send_body("PATCH", "/collections/households/items/h05",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"frail\":true}}"),
                 200);
    HT_CHECK_INT(differs(IDLE, "", &between), 0);
    HT_CHECK(between > 10);
    end();
}

/* Closes what the way from one place to another leads over, every `step`-th piece of it. */
static int close_way(const char *from, const char *to, int step)
{
    static char body[1 << 15];
    char path[256];
    (void)snprintf(path, sizeof path, "/route/v1/car/%s;%s?annotations=nodes&overview=false", from,
                   to);
    if (get(path) != 200) {
        return 0;
    }
    const char *nodes = ht_json_at(answer.body, "routes.0.legs.0.annotation.nodes");
    int count = ht_json_count_at(answer.body, "routes.0.legs.0.annotation.nodes");
    int size = snprintf(body, sizeof body, "[");
    int closed = 0;
    const char *at = nodes + 1;
    for (int i = 0; i + 1 < count; i++) {
        char *next = NULL;
        long long a = strtoll(at, &next, 10);
        long long b = strtoll(next + 1, NULL, 10);
        if (i % step == 0) {
            size += snprintf(body + size, sizeof body - (size_t)size,
                             "%s{\"osm_from\":%lld,\"osm_to\":%lld,\"closed\":true},"
                             "{\"osm_from\":%lld,\"osm_to\":%lld,\"closed\":true}",
                             closed++ > 0 ? "," : "", a, b, b, a);
        }
        at = next + 1;
    }
    (void)snprintf(body + size, sizeof body - (size_t)size, "]");
    return post("/v1/traffic", JSON, body) == 200 ? closed : 0;
}

HT_CASE(closures_are_obeyed_by_the_next_answer)
{
    static const char *const ways[][2] = {{"121.70,29.95", "121.73,29.96"},
                                          {"121.695,29.935", "121.735,29.965"},
                                          {"121.72,29.935", "121.70,29.965"}};
    int between = 0;
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(differs(IDLE, "", &between), 0);
    int before = closest_ask(IDLE, 300);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        HT_CHECK(close_way(ways[i][0], ways[i][1], 3) > 5);
        HT_CHECK_INT(differs(IDLE, "", &between), 0);
    }
    HT_CHECK(closest_ask(IDLE, 300) != before);
    HT_CHECK(between > 6);
    end();
}

HT_CASE(cells_sum_up_and_lists_are_bounded)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get("/v1/coverage?by=travel&max_s=100&limit=7"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "outside"), 7);
    HT_CHECK_INT(ht_json_count_at(answer.body, "cells"), 3);
    HT_CHECK(says("{\"cell\":\"east\",") && says("{\"cell\":\"west\",") && says("{\"cell\":null,"));
    static const char *const sums[] = {"covered.households",  "covered.residents",
                                       "covered.frail",       "uncovered.households",
                                       "uncovered.residents", "uncovered.frail"};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) {
            char path[64];
            (void)snprintf(path, sizeof path, "cells.%d.%s", c, sums[i]);
            sum += number(path);
        }
        HT_CHECK(sum > 0 && sum == number(sums[i]));
    }
    /* frail ones first */
    bool plain = false;
    int last = 99;
    for (int i = 0; i < 7; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "outside.%d.frail", i);
        const char *frail = ht_json_at(answer.body, path);
        HT_REQUIRE(frail != NULL);
        bool now_plain = frail[0] == 'f';
        (void)snprintf(path, sizeof path, "outside.%d.residents", i);
        HT_CHECK(now_plain || !plain);
        HT_CHECK(now_plain != plain || number(path) <= last);
        last = (int)number(path);
        plain = now_plain;
    }
    HT_CHECK_INT(get("/v1/coverage?by=travel&max_s=100&limit=1&out_crs=EPSG:4549"), 200);
    HT_CHECK(number("outside.0.lat") > 3000000);
    HT_CHECK_INT(get("/v1/coverage?limit=0"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "outside"), 0);
    HT_CHECK_INT((int)number("max_s"), 600);
    end();
}

/* The polygon around one unit holds about those whom it reaches. */
HT_CASE(an_isochrone_counts_about_the_same)
{
    HT_REQUIRE(begin_town());
    for (int i = 0; i < HOMES; i++) { /* polygons hold places, not doors */
        char path[64];
        (void)snprintf(path, sizeof path, "/collections/households/items/h%02d", i);
        if (i % 4 == 0) {
            HT_CHECK_INT(send_body("DELETE", path, "", ""), 204);
        }
    }
    HT_REQUIRE(post("/collections/units/items", CSV,
                    "id,lon,lat,kind,profile,status\nx,121.71,29.95,van,car,idle\n") == 201);
    HT_REQUIRE(move("x", 121.712, 29.951));
    int some = 0;
    for (int max_s = 150; max_s <= 600; max_s += 150) {
        char path[128];
        (void)snprintf(path, sizeof path, "/v1/coverage?by=travel&kind=van&max_s=%d&limit=0",
                       max_s);
        HT_CHECK_INT(get(path), 200);
        int covered = (int)number("covered.households");
        (void)snprintf(path, sizeof path,
                       "/v1/isochrone?lon=121.712&lat=29.951&profile=car&max_s=%d", max_s);
        HT_CHECK_INT(get(path), 200);
        int inside = (int)number("features.0.properties.households");
        (void)printf("  %d s: %d covered, %d inside\n", max_s, covered, inside);
        HT_CHECK(abs(covered - inside) <= 4);
        some += covered > 3 && covered < HOMES * 3 / 4 - 3;
    }
    HT_CHECK(some >= 2);
    end();
}

static const char *token_for(const char *file, const char *name, const char *role)
{
    static char lines[3][160];
    static int next;
    char line[512];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", file, name, role);
    const char *token = ht_command_run(line)->out;
    char *out = lines[next++ % 3];
    (void)snprintf(out, sizeof lines[0], "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(token, "\n"), token);
    return out;
}

static int get_as(const char *token, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, token);
    return ask(text);
}

/* The last hash of the chain: another one after each event. */
static const char *chain(void)
{
    static char hash[128];
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    (void)snprintf(hash, sizeof hash, "%.100s", ht_command_run(line)->out);
    return hash;
}

HT_CASE(who_is_frail_is_for_dispatchers_and_each_list_is_noted)
{
    char file[160];
    char headers[256];
    char before[128];
    HT_REQUIRE(map_make());
    (void)snprintf(file, sizeof file, "%s/cover-tokens", folder);
    (void)snprintf(store, sizeof store, "%s/persons.sqlite", folder);
    const char *viewer = token_for(file, "v", "viewer");
    const char *officer = token_for(file, "o", "dispatcher");
    (void)snprintf(options, sizeof options, "--store %s --tokens %s", store, file);
    HT_REQUIRE(begin(options));
    (void)snprintf(headers, sizeof headers, CSV "%s", officer);
    dice = 4;
    HT_REQUIRE(homes_make(headers) && units_make(headers));
    HT_CHECK_INT(get_as("", "/v1/coverage"), 401);
    (void)strcpy(before, chain());
    HT_CHECK_INT(get_as(viewer, "/v1/coverage?by=travel&max_s=60&limit=100"), 200);
    HT_CHECK(says("\"household\":\"h") && !says("frail") && !says("withheld"));
    HT_CHECK_STR(chain(), before);
    char asking[512];
    (void)snprintf(asking, sizeof asking, JSON "%s", viewer);
    HT_CHECK_INT(post("/v1/coverage/moves", asking, "{\"weigh\":\"frail\"}"), 403);
    HT_CHECK_INT(post("/v1/coverage/moves", asking, "{}"), 200);
    HT_CHECK(!says("frail"));
    HT_CHECK_STR(chain(), before);
    HT_CHECK_INT(get_as(officer, "/v1/coverage?by=travel&max_s=60&limit=0"),
                 200); /* counts of many */
    HT_CHECK(says("\"frail\":") && !says("withheld"));
    HT_CHECK_STR(chain(), before);
    HT_CHECK_INT(get_as(officer, "/v1/coverage?by=travel&max_s=60&limit=5"), 200);
    HT_CHECK(says("\"frail\":true"));
    HT_CHECK(strcmp(chain(), before) != 0);
    (void)strcpy(before, chain());
    (void)snprintf(asking, sizeof asking, JSON "%s", officer);
    HT_CHECK_INT(post("/v1/coverage/moves", asking, "{\"weigh\":\"frail\"}"), 200);
    HT_CHECK(says("\"frail\":"));
    HT_CHECK(strcmp(chain(), before) != 0);
    /* a cell in which one frail household lives alone: its count tells */
    (void)snprintf(headers, sizeof headers, GEO "%s", officer);
    HT_CHECK_INT(post("/collections/households/items", headers,
                      "{\"type\":\"Feature\",\"id\":\"alone\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.76,29.99]},\"properties\":{\"cell\":\"far\","
                      "\"frail\":true}}"),
                 201);
    (void)strcpy(before, chain());
    HT_CHECK_INT(get_as(officer, "/v1/coverage?by=travel&max_s=60&limit=0"), 200);
    HT_CHECK(strcmp(chain(), before) != 0);
    end();
}

HT_CASE(where_the_event_cant_be_written_nobody_is_told_to_be_frail)
{
    sqlite3 *db = NULL;
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get("/v1/coverage?by=travel&max_s=60&limit=100"), 200);
    HT_CHECK(says("\"frail\":true") && !says("withheld"));
    HT_REQUIRE(sqlite3_open(store, &db) == SQLITE_OK);
    HT_CHECK_INT(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    HT_CHECK_INT(sqlite3_exec(db,
                              "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.kind = "
                              "'personal.read' BEGIN SELECT RAISE(ABORT, 'no'); END",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    HT_CHECK_INT(sqlite3_close(db), SQLITE_OK);
    HT_CHECK_INT(get("/v1/coverage?by=travel&max_s=60&limit=100"), 200);
    HT_CHECK(says("\"household\":\"h") && !says("frail") && says("\"personal\":\"withheld\""));
    HT_CHECK_INT(post("/v1/coverage/moves", JSON, "{\"max_s\":200,\"weigh\":\"frail\"}"), 200);
    HT_CHECK(!says("moves") && says("\"personal\":\"withheld\""));
    end();
}

/* ---- moves ---- */

static int moves(const char *body)
{
    return post("/v1/coverage/moves", JSON, body);
}

static int covered_now(const char *query)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/v1/coverage?limit=0&max_s=300%s", query);
    return get(path) == 200 ? (int)number("covered.households") : -1;
}

/* Two stations and a place that the call names; u3 has no skill that counts. */
static bool stations_make(void)
{
    return post("/collections/facilities/items", CSV,
                "id,lon,lat,kind\nst-1,121.70,29.94,station\nst-2,121.73,29.965,station\n"
                "sp-1,121.72,29.95,service_point\nkitchen,121.71,29.95,kitchen\n") == 201;
}

#define ANY_PLACE                                                                                  \
    "\"candidates\":[{\"id\":\"c-1\",\"lon\":121.705,\"lat\":29.96},"                              \
    "{\"id\":\"c-2\",\"lon\":121.735,\"lat\":29.94}]"

HT_CASE(moves_gain_what_is_covered_once_they_are_made)
{
    HT_REQUIRE(begin_town() && stations_make());
    int before = covered_now("");
    HT_CHECK_INT(moves("{\"max_s\":300,\"moves\":2,\"corners\":5," ANY_PLACE "}"), 200);
    HT_CHECK_INT((int)number("units"), 4);
    HT_CHECK_INT((int)number("before.households"), before);
    HT_CHECK(number("candidates") >= 5 && number("candidates") <= 10);
    HT_CHECK(!says("kitchen"));
    int count = ht_json_count_at(answer.body, "moves");
    int value = before;
    HT_REQUIRE(count >= 1 && count <= 2);
    char made[512];
    int size = 0;
    for (int i = 0; i < count; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "moves.%d.gains.households", i);
        value += (int)number(path);
        (void)snprintf(path, sizeof path, "moves.%d.loses.households", i);
        value -= (int)number(path);
        (void)snprintf(path, sizeof path, "moves.%d.duration_s", i);
        HT_CHECK(number(path) > 0);
        /* the same unit as another one at the place it would go to */
        (void)snprintf(path, sizeof path, "moves.%d.unit", i);
        const char *unit = ht_json_at(answer.body, path);
        (void)snprintf(path, sizeof path, "moves.%d.to.lon", i);
        double lon = number(path);
        (void)snprintf(path, sizeof path, "moves.%d.to.lat", i);
        size += snprintf(made + size, sizeof made - (size_t)size, "%.3s %.7f %.7f\n", unit + 1, lon,
                         number(path));
    }
    int after = (int)number("after.households");
    HT_CHECK_INT(value, after);
    HT_CHECK(after > before);
    HT_CHECK(says("\"proof\":{\"kind\":\"exact\""));
    HT_CHECK_INT((int)number("proof.value"), after);
    HT_CHECK_INT((int)number("proof.at_most"), after);
    const char *at = made;
    for (int i = 0; i < count; i++) { /* it is made so: a unit that goes, one that comes */
        char unit[4] = {at[0], at[1], at[2] == ' ' ? '\0' : at[2], '\0'};
        char *end = NULL;
        double lon = strtod(strchr(at, ' '), &end);
        double lat = strtod(end, &end);
        char text[128];
        at = end + 1;
        unit[2] = '\0';
        (void)snprintf(text, sizeof text, "/collections/units/items/%s", unit);
        HT_CHECK_INT(send_body("DELETE", text, "", ""), 204);
        (void)snprintf(text, sizeof text,
                       "id,lon,lat,kind,profile,status\nm%d,%.7f,%.7f,van,car,idle\n", i, lon, lat);
        HT_CHECK_INT(post("/collections/units/items", CSV, text), 201);
    }
    HT_CHECK_INT(covered_now(""), after);
    end();
}

HT_CASE(moves_keep_to_what_is_asked)
{
    HT_REQUIRE(begin_town() && stations_make());
    HT_CHECK_INT(moves("{\"max_s\":300,\"moves\":0}"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "moves"), 0);
    HT_CHECK_INT((int)(number("after.households") - number("before.households")), 0);
    HT_CHECK_INT(moves("{\"max_s\":300,\"travel_s\":0.5,\"corners\":0}"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "moves"), 0);
    HT_CHECK_INT(moves("{\"max_s\":300,\"sites\":[],\"corners\":0," ANY_PLACE "}"), 200);
    HT_CHECK_INT((int)number("candidates"), 2);
    HT_CHECK(!says("\"facility\"") && !says("\"corner\""));
    HT_CHECK_INT(moves("{\"kind\":\"volunteer\",\"moves\":5,\"weigh\":\"residents\"}"), 200);
    HT_CHECK_INT((int)number("units"), 1);
    HT_CHECK(ht_json_count_at(answer.body, "moves") <= 1 && !says("\"unit\":\"u0\""));
    HT_CHECK(number("proof.value") == number("after.residents"));
    HT_CHECK_INT(moves("{\"skills\":[\"flying\"]}"), 200);
    HT_CHECK_INT((int)number("units"), 0);
    HT_CHECK_INT(moves("{\"max_s\":300,\"weigh\":\"frail\"}"), 200);
    HT_CHECK(number("proof.value") == number("after.frail"));
    HT_CHECK_INT(post("/v1/coverage/moves?out_crs=EPSG:4549", JSON, "{\"max_s\":300}"), 200);
    HT_CHECK(number("moves.0.to.lat") > 3000000);
    end();
}

HT_CASE(new_sites_add_to_what_covers_already)
{
    HT_REQUIRE(begin_town() && stations_make());
    HT_CHECK_INT(moves("{\"max_s\":300,\"new\":{\"count\":2,\"profile\":\"car\"}}"), 200);
    int count = ht_json_count_at(answer.body, "sites");
    int value = (int)number("before.households");
    HT_CHECK(count >= 1 && count <= 2 && value > 0);
    for (int i = 0; i < count; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "sites.%d.gains.households", i);
        HT_CHECK(number(path) > 0);
        value += (int)number(path);
    }
    HT_CHECK_INT((int)number("after.households"), value);
    HT_CHECK_INT(moves("{\"max_s\":300,\"new\":{\"beside\":\"none\"}}"), 200);
    HT_CHECK_INT((int)number("before.households"), 0);
    HT_CHECK_INT(moves("{\"max_s\":300,\"new\":{\"beside\":\"units\"}}"), 200);
    int before = (int)number("before.households");
    HT_CHECK_INT(covered_now(""), before);
    HT_CHECK_INT(moves("{\"max_s\":300,\"new\":{\"profile\":\"camel\"}}"), 422);
    HT_CHECK(says("\"pointer\":\"/new/profile\""));
    HT_CHECK_INT(moves("{\"kind\":\"inspector\",\"new\":{}}"), 422);
    end();
}

HT_CASE(broken_bodies_are_refused)
{
    static const char *const wrong[] = {
        "",
        "[",
        "[]",
        "7",
        "{\"movs\":3}",
        "{\"moves\":-1}",
        "{\"moves\":1.5}",
        "{\"moves\":\"all\"}",
        "{\"max_s\":0}",
        "{\"max_s\":1e9}",
        "{\"travel_s\":[]}",
        "{\"weigh\":\"cats\"}",
        "{\"sites\":\"station\"}",
        "{\"sites\":[\"castle\"]}",
        "{\"candidates\":{}}",
        "{\"candidates\":[{\"lon\":1,\"lat\":2}]}",
        "{\"candidates\":[{\"id\":\"a\",\"lon\":1}]}",
        "{\"candidates\":[{\"id\":\"a\",\"lon\":1,\"lat\":91}]}",
        "{\"corners\":201}",
        "{\"kind\":\"dragon\"}",
        "{\"kind\":{}}",
        "{\"new\":3}",
        "{\"new\":{\"count\":0}}",
        "{\"new\":{\"beside\":\"me\"}}",
    };
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int code = moves(wrong[i]);
        if (code != 400) {
            (void)printf("  %s: %d\n", wrong[i], code);
        }
        HT_CHECK_INT(code, 400);
        HT_CHECK(says("\"title\":\"Bad Request\""));
        HT_CHECK(says("\"errors\":[{\"pointer\":\""));
    }
    end();
}

HT_CASE(what_is_wrong_in_a_body_is_pointed_to)
{
    static const char *const where[][2] = {
        {"[", "\"pointer\":\"\""},
        {"{\"mo/vs\":3}", "\"pointer\":\"/mo~1vs\""},
        {"{\"moves\":-1}", "\"pointer\":\"/moves\""},
        {"{\"candidates\":[{\"id\":\"a\",\"lon\":1}]}", "\"pointer\":\"/candidates/0\""},
        {"{\"candidates\":[{\"id\":\"a\",\"lon\":1,\"lat\":91}]}", "\"pointer\":\"/candidates/0\""},
        {"{\"kind\":\"dragon\"}", "\"pointer\":\"/kind\""},
        {"{\"status\":[\"idle\",\"asleep\"]}", "\"pointer\":\"/status\""},
        {"{\"shift\":\"maybe\"}", "\"pointer\":\"/shift\""},
        {"{\"max_age_s\":\"old\"}", "\"pointer\":\"/max_age_s\""},
        {"{\"incident\":\"party\"}", "\"pointer\":\"/incident\""},
        {"{\"severity\":9}", "\"pointer\":\"/severity\""},
        {"{\"by\":\"foot\"}", "\"pointer\":\"/by\""},
        {"{\"blue_light\":\"green\"}", "\"pointer\":\"/blue_light\""},
        {"{\"new\":{\"count\":0}}", "\"pointer\":\"/new/count\""}};
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        HT_CHECK_INT(moves(where[i][0]), 400);
        HT_CHECK(says(where[i][1]));
    }
    HT_CHECK_INT(get("/v1/coverage/moves"), 405);
    HT_CHECK(says("\"detail\":\"this path does not take the method"));
    HT_CHECK_INT(get("/v1/nowhere"), 404);
    HT_CHECK(says("\"detail\":\"there is nothing at this path\""));
    end();
}

HT_CASE(mistakes_are_told)
{
    static const char *const wrong[] = {
        "/v1/coverage?max_s=0",      "/v1/coverage?max_s=3601",   "/v1/coverage?max_s=nan",
        "/v1/coverage?max_s=ten",    "/v1/coverage?limit=-1",     "/v1/coverage?limit=20001",
        "/v1/coverage?kind=dragon",  "/v1/coverage?status=tired", "/v1/coverage?shift=late",
        "/v1/coverage?out_crs=MOON", "/v1/coverage?kind=%zz",     "/v1/coverage?incident=flood",
        "/v1/coverage?severity=5",   "/v1/coverage?by=bus",       "/v1/coverage?blue_light=perhaps",
    };
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int code = get(wrong[i]);
        if (code != 400) {
            (void)printf("  %s\n", wrong[i]);
        }
        HT_CHECK_INT(code, 400);
    }
    HT_CHECK_INT(post("/v1/coverage", JSON, "{}"), 405);
    end();
    HT_REQUIRE(begin("")); /* without a store nobody is known */
    HT_CHECK_INT(get("/v1/coverage"), 503);
    HT_CHECK(says("no store"));
    end();
}

/* Whether an alarm from a household is promised help in time; -1: it could not be asked. */
static int promised(const char *household)
{
    char body[128];
    char path[96];
    char id[32];
    (void)snprintf(body, sizeof body, "{\"household\":\"%s\",\"kind\":\"sos\",\"severity\":3}",
                   household);
    if (post("/v1/incidents", JSON, body) != 201) {
        return -1;
    }
    const char *number_of_it = ht_json_at(answer.body, "id") + 1;
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(number_of_it, "\""), number_of_it);
    const char *within = ht_json_at(answer.body, "within_promise");
    bool in_time = within != NULL && within[0] == 't';
    (void)snprintf(path, sizeof path, "/v1/incidents/%s/events", id);
    return post(path, JSON, "{\"event\":\"cancel\"}") == 200 ? in_time : -1;
}

HT_CASE(a_household_is_covered_where_an_alarm_from_there_is_promised_help)
{
    int between = 0;
    int wrong = 0;
    HT_REQUIRE(begin_town());
    for (int promise_s = 200; promise_s <= 600; promise_s += 200) {
        char body[160];
        int covered = 0;
        (void)snprintf(
            body, sizeof body,
            "{\"kinds\":{\"sos\":{\"promise_s\":%d,\"turnout_s\":45}},\"walk_mps\":%.1f}",
            promise_s, promise_s / 250.0);
        HT_REQUIRE(send_body("PUT", "/v1/settings/incidents", JSON, body) == 200);
        for (int i = 0; i < HOMES; i++) {
            char id[16];
            (void)snprintf(id, sizeof id, "h%02d", i);
            int in_time = promised(id);
            HT_REQUIRE(in_time >= 0);
            homes[i].covered = in_time == 1;
            covered += in_time;
        }
        HT_REQUIRE(get("/v1/coverage?incident=sos&limit=200") == 200);
        HT_CHECK_INT((int)number("max_s"), promise_s);
        HT_CHECK_INT((int)number("turnout_s"), 45);
        HT_CHECK_INT((int)number("units"), 3); /* responders, as the kind wants them */
        for (int i = 0; i < HOMES; i++) {
            char id[40];
            (void)snprintf(id, sizeof id, "{\"household\":\"h%02d\",", i);
            wrong += says(id) == homes[i].covered;
        }
        between += covered > 3 && covered < HOMES - 3;
        (void)printf("  %d s: %d covered\n", promise_s, covered);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(between >= 2);
    HT_REQUIRE(send_body("PUT", "/v1/settings/incidents", JSON,
                         "{\"kinds\":{\"sos\":{\"turnout_s\":301}}}") == 200);
    HT_CHECK_INT(get("/v1/coverage?by=promise&max_s=300&limit=0"),
                 200); /* the turnout alone takes longer */
    HT_CHECK_INT((int)number("covered.households"), 0);
    HT_CHECK_INT(get("/v1/coverage?max_s=300&limit=0"), 200);
    HT_CHECK((int)number("covered.households") > 0);
    HT_CHECK_INT(post("/v1/coverage/moves", JSON, "{\"by\":\"promise\",\"max_s\":300}"), 200);
    HT_CHECK_INT((int)number("after.households"), 0);
    end();
}

HT_SERVED_MAIN()
