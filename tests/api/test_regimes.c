/* Regimes over HTTP: one call puts zones, answers, duties and clocks into force together and takes
 * them back; what lies beneath stays as it is; several overlap; a kill at any moment leaves one
 * state. */
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sse.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"
#define MERGE "Content-Type: application/merge-patch+json\r\n"

/* A closed zone, and ways into it. */
#define BOX                                                                                        \
    "{\"type\":\"Polygon\",\"coordinates\":[[[121.708,29.948],[121.718,29.948],[121.718,29.956],"  \
    "[121.708,29.956],[121.708,29.948]]]}"
#define FAR                                                                                        \
    "{\"type\":\"Polygon\",\"coordinates\":[[[121.722,29.948],[121.728,29.948],[121.728,29.956],"  \
    "[121.722,29.956],[121.722,29.948]]]}"
#define SMALL                                                                                      \
    "{\"type\":\"Polygon\",\"coordinates\":[[[121.712,29.951],[121.714,29.951],[121.714,29.953],"  \
    "[121.712,29.953],[121.712,29.951]]]}"
#define OUT "121.700,29.950"
#define IN "121.713,29.952"
#define EAST "121.725,29.952"

#define PATCH                                                                                      \
    "\"incidents\":{\"kinds\":{\"sos\":{\"promise_s\":1200,\"clocks_s\":[60,60,60,60,0]}}}"
#define OUTBREAK                                                                                   \
    "\"outbreak\":{\"zones\":[\"z1\"],\"answers\":{\"k1\":{\"community\":\"hq-k1\"},\"*\":{"       \
    "\"district\":\"hq-1\"}},\"duties\":{\"r1\":{\"status\":\"idle\",\"skills\":[\"ppe\"]},"       \
    "\"r2\":{\"status\":\"off\"}},\"settings\":{" PATCH                                            \
    ",\"calendar\":{\"holidays\":[\"2026-03-02\"]}}}"
#define FLOOD                                                                                      \
    "\"flood\":{\"zones\":[\"z1\",\"z2\"],\"answers\":{\"k1\":{\"community\":\"dam-k1\"}},"        \
    "\"duties\":{\"r1\":{\"skills\":[\"boat\"],\"shift\":null}},"                                  \
    "\"settings\":{\"incidents\":{\"kinds\":{\"sos\":{\"promise_s\":900}}}}}"

static char store[128];
static char options[512];

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/regimes%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0 %s", store,
                   more);
    return begin(options);
}

static bool is(const char *path, const char *want)
{
    bool same = answer.body != NULL && ht_json_is(answer.body, path, want);
    if (!same) {
        (void)printf("  %s is not %s in %.600s\n", path, want,
                     answer.body == NULL ? "" : answer.body);
    }
    return same;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int item_put(const char *collection, const char *id, const char *geometry,
                    const char *properties)
{
    char path[128];
    char body[1024];
    (void)snprintf(path, sizeof path, "/collections/%s/items/%s", collection, id);
    (void)snprintf(body, sizeof body, "{\"type\":\"Feature\",\"geometry\":%s,\"properties\":{%s}}",
                   geometry, properties);
    return send_body("PUT", path, GEO, body);
}

static int unit_put(const char *id, const char *lon, const char *more)
{
    char point[128];
    char properties[256];
    (void)snprintf(point, sizeof point, "{\"type\":\"Point\",\"coordinates\":[%s,29.950]}", lon);
    (void)snprintf(properties, sizeof properties, "\"kind\":\"responder\",\"profile\":\"car\",%s",
                   more);
    return item_put("units", id, point, properties);
}

static int setting_put(const char *name, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/settings/%s", name);
    return send_body("PUT", path, JSON, body);
}

static int turn(const char *name, const char *body)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/v1/regimes/%s", name);
    return post(path, JSON, body);
}

#define ON "{\"on\":true}"
#define OFF "{\"on\":false}"

/* Zones, cells, a home in one of them, units of both kinds of status. */
static void town_fill(void)
{
    HT_CHECK_INT(item_put("zones", "z1", BOX, "\"kind\":\"closed\""), 201);
    HT_CHECK_INT(item_put("zones", "z2", FAR, "\"kind\":\"closed\""), 201);
    HT_CHECK_INT(item_put("cells", "k1", BOX,
                          "\"kind\":\"community\",\"answers\":{\"community\":\"duty-k1\","
                          "\"sub_district\":\"duty-zs\"}"),
                 201);
    HT_CHECK_INT(item_put("cells", "c1", SMALL,
                          "\"kind\":\"grid\",\"parent\":\"k1\",\"answers\":{\"cell\":\"grid-1\"}"),
                 201);
    HT_CHECK_INT(item_put("households", "h1", "{\"type\":\"Point\",\"coordinates\":[" IN "]}",
                          "\"residents\":1"),
                 201);
    HT_CHECK_INT(unit_put("r1", "121.701", "\"status\":\"off\""), 201);
    HT_CHECK_INT(unit_put("r2", "121.702", "\"status\":\"idle\""), 201);
    HT_CHECK_INT(
        unit_put("r3", "121.703", "\"status\":\"idle\",\"shift\":\"Mo-Fr 08:00-18:00; PH off\""),
        201);
}

/* 1: there is a way, 0: none, -1: something else. */
static int way(const char *to)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/route/v1/car/" OUT ";%s?overview=false", to);
    int status = get(path);
    return status == 200 ? 1 : status == 400 && says("\"NoRoute\"") ? 0 : -1;
}

static bool available(const char *unit)
{
    char text[64];
    (void)snprintf(text, sizeof text, "\"unit\":\"%s\"", unit);
    HT_CHECK_INT(get("/v1/closest?lon=121.700&lat=29.950&k=9&kind=responder&status=idle"), 200);
    return says(text);
}

static double promise_s(bool in_force)
{
    HT_CHECK_INT(get(in_force ? "/v1/settings/incidents?in_force=1" : "/v1/settings/incidents"),
                 200);
    return ht_json_number_at(answer.body, "kinds.sos.promise_s");
}

static const char *rows(const char *sql)
{
    static char text[4096];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    text[0] = '\0';
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW && size + 300 < sizeof text) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%.200s;",
                                     (const char *)sqlite3_column_text(statement, 0));
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

static const char *regime_events(void)
{
    return rows("SELECT substr(kind, 8) || ' ' || subject FROM events WHERE kind LIKE 'regime.%' "
                "ORDER BY seq");
}

/* Waits until the rows are so: some come with the next save. */
static bool told(const char *sql, const char *want)
{
    const struct timespec step = {.tv_nsec = 50 * 1000 * 1000};
    for (int i = 0; i < 1200; i++) {
        if (strcmp(rows(sql), want) == 0) {
            return true;
        }
        (void)nanosleep(&step, NULL);
    }
    (void)printf("  told %s, not %s\n", rows(sql), want);
    return false;
}

/* All that the first set makes of the town, or (`on` false) what is there without. */
static void check_state(bool on)
{
    HT_CHECK_INT(way(IN), on ? 0 : 1);
    HT_CHECK(available("r1") == on);
    HT_CHECK(available("r2") == !on);
    HT_CHECK(available("r3") == !on); /* a holiday, when it is on */
    HT_CHECK(promise_s(true) == (on ? 1200 : 600));
    HT_CHECK(promise_s(false) == 600);
    HT_CHECK_INT(get("/v1/settings/calendar?in_force=1"), 200);
    HT_CHECK(says("2026-03-02") == on);
    HT_CHECK_INT(get("/v1/settings/calendar"), 200);
    HT_CHECK(!says("2026-03-02"));
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK(ht_json_valid(answer.body));
    HT_CHECK(is("regimes.0.on", on ? "true" : "false"));
    HT_CHECK(is("in_force.zones", on ? "[\"z1\"]" : "[]"));
    HT_CHECK(is("bound.0", "\"z1\"")); /* whether it is on or not */
    HT_CHECK_INT(get("/collections/units/items/r2"), 200);
    HT_CHECK(is("properties.status", "\"idle\"")); /* the registry says what it said */
}

HT_CASE(one_call_puts_a_prepared_set_into_force_and_takes_it_back)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(way(IN), 0);
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    HT_CHECK(is("outbreak.duties.r2.status", "\"off\""));
    check_state(false);         /* a zone that waits for a regime holds nobody up */
    HT_CHECK_INT(way(EAST), 0); /* one that waits for none does */
    HT_CHECK_INT(turn("outbreak", "{\"on\":true,\"why\":\"order-17\"}"), 200);
    HT_CHECK(is("on", "true") && is("name", "\"outbreak\"") && is("zones", "1") &&
             is("units", "2") && is("by", "\"local\"") && is("why", "\"order-17\"") &&
             is("since", "\"2026-03-02T02:00:00.000Z\"") && is("settings.1", "\"calendar\""));
    check_state(true);
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK(is("in_force.duties.r1.skills.0", "\"ppe\""));
    HT_CHECK(is("in_force.answers.*.district", "\"hq-1\""));
    HT_CHECK_INT(post("/v1/incidents", JSON,
                      "{\"kind\":\"sos\",\"lon\":121.700,\"lat\":29.950,\"needs\":{\"skills\":"
                      "[\"ppe\"]}}"),
                 201);
    HT_CHECK(is("assigned.0.unit", "\"r1\"") && is("deadline", "\"2026-03-02T02:20:00.000Z\""));
    HT_CHECK_INT(post("/v1/incidents/i1/events", JSON, "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_CHECK(is("on", "false") && says("\"why\"") == false);
    check_state(false);
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"lon\":121.700,\"lat\":29.950}"),
                 201);
    HT_CHECK(is("assigned.0.unit", "\"r2\"") && is("deadline", "\"2026-03-02T02:10:00.000Z\""));
    HT_CHECK_INT(get("/v1/regimes/outbreak"), 200);
    HT_CHECK(is("history.0.event", "\"on\"") && is("history.0.body.why", "\"order-17\"") &&
             is("history.0.body.zones.0", "\"z1\"") && is("history.0.actor", "\"local\"") &&
             is("history.0.body.settings_version", "2") && is("history.1.event", "\"off\"") &&
             is("set.zones.0", "\"z1\""));
    end();
}

HT_CASE(twice_is_once)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    HT_CHECK_INT(turn("outbreak", OFF), 200); /* was never on */
    HT_CHECK_STR(regime_events(), "");
    HT_CHECK_INT(turn("outbreak", "{\"on\":true,\"why\":\"first\"}"), 200);
    HT_CHECK_INT(turn("outbreak", "{\"on\":true,\"why\":\"second\"}"), 200);
    HT_CHECK(is("on", "true") && is("why", "\"first\""));
    HT_CHECK_STR(regime_events(), "on regimes/outbreak;");
    HT_CHECK_INT(post("/v1/regimes/outbreak", JSON "Idempotency-Key: k\r\n", OFF), 200);
    HT_CHECK_INT(post("/v1/regimes/outbreak", JSON, ON), 200);
    HT_CHECK_INT(post("/v1/regimes/outbreak", JSON "Idempotency-Key: k\r\n", OFF), 200);
    HT_CHECK(is("on", "false")); /* the first answer again, and nothing done */
    HT_CHECK_STR(regime_events(), "on regimes/outbreak;off regimes/outbreak;on regimes/outbreak;");
    check_state(true);
    HT_CHECK_INT(post("/v1/regimes/outbreak", JSON "Idempotency-Key: k\r\n", ON), 409);
    end();
}

HT_CASE(what_lies_beneath_may_change_while_a_regime_is_on)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    HT_CHECK_INT(turn("outbreak", ON), 200);
    HT_CHECK_INT(
        setting_put("incidents", "{\"kinds\":{\"sos\":{\"promise_s\":300,\"turnout_s\":7}}}"), 200);
    HT_CHECK(is("kinds.sos.promise_s", "300"));
    HT_CHECK(promise_s(true) == 1200);
    HT_CHECK(is("kinds.sos.turnout_s", "7"));
    HT_CHECK_INT(setting_put("calendar", "{\"holidays\":[\"2026-05-01\"]}"), 200);
    HT_CHECK_INT(get("/v1/settings/calendar?in_force=1"), 200);
    HT_CHECK(is("holidays", "[\"2026-03-02\"]"));
    HT_CHECK_INT(unit_put("r2", "121.702", "\"status\":\"idle\",\"skills\":[\"new\"]"), 200);
    HT_CHECK(!available("r2"));
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/r1", MERGE,
                           "{\"properties\":{\"status\":\"busy\"}}"),
                 200);
    HT_CHECK(available("r1"));
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_CHECK(promise_s(true) == 300);
    HT_CHECK_INT(get("/v1/settings/calendar?in_force=1"), 200);
    HT_CHECK(is("holidays", "[\"2026-05-01\"]"));
    HT_CHECK(!available("r1") && available("r2"));
    HT_CHECK_INT(get("/v1/closest?lon=121.700&lat=29.950&k=9&kind=responder&skills=new"), 200);
    HT_CHECK(says("\"r2\""));
    end();
}

HT_CASE(a_set_may_change_while_it_is_on_but_not_go)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    HT_CHECK_INT(turn("outbreak", ON), 200);
    HT_CHECK_INT(setting_put("regimes", "{" FLOOD "}"), 409);
    HT_CHECK(says("outbreak is on"));
    HT_CHECK_INT(send_body("DELETE", "/collections/zones/items/z1", "", ""), 409);
    HT_CHECK(says("a regime that is on names the zone"));
    HT_CHECK_INT(setting_put("regimes", "{\"outbreak\":{\"zones\":[\"z1\",\"z9\"]}}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/outbreak/zones/1\""));
    HT_CHECK_INT(
        setting_put("regimes", "{\"outbreak\":{\"settings\":{\"incidents\":{\"weights\":[0]}}}}"),
        422);
    HT_CHECK(is("errors.0.pointer", "\"/outbreak/settings/incidents/weights\""));
    check_state(true);
    HT_CHECK_INT(setting_put("regimes",
                             "{\"outbreak\":{\"zones\":[\"z2\"],\"duties\":{\"r3\":{\"status\":"
                             "\"off\"}},\"settings\":{\"incidents\":{\"kinds\":{\"sos\":{"
                             "\"promise_s\":777}}}}}}"),
                 200);
    HT_CHECK_INT(way(IN), 0); /* no regime names z1 any more: it holds by itself */
    HT_CHECK_INT(way(EAST), 0);
    HT_CHECK(!available("r1") && available("r2") && !available("r3"));
    HT_CHECK(promise_s(true) == 777);
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_CHECK_INT(way(EAST), 1);
    HT_CHECK(available("r3"));
    HT_CHECK_INT(setting_put("regimes", "{}"), 200);
    HT_CHECK_INT(way(EAST), 0);
    HT_CHECK_INT(turn("outbreak", ON), 404);
    end();
}

HT_CASE(of_two_that_overlap_the_later_goes_last)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "," FLOOD "}"), 200);
    HT_CHECK(way(IN) == 1 && way(EAST) == 1);
    HT_CHECK_INT(turn("flood", ON), 200);
    HT_CHECK(way(IN) == 0 && way(EAST) == 0 && promise_s(true) == 900);
    HT_CHECK_INT(turn("outbreak", ON), 200);
    HT_CHECK(promise_s(true) == 900); /* whichever came first */
    HT_CHECK(is("kinds.sos.clocks_s.0", "60"));
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK(is("in_force.zones", "[\"z1\",\"z2\"]"));
    HT_CHECK(is("in_force.duties.r1.status", "\"idle\""));
    HT_CHECK(
        is("in_force.duties.r1", "{\"skills\":[\"boat\"],\"shift\":null,\"status\":\"idle\"}"));
    HT_CHECK(is("in_force.answers.k1.community", "\"dam-k1\""));
    HT_CHECK_INT(turn("flood", OFF), 200);
    HT_CHECK(way(IN) == 0 && way(EAST) == 1 && promise_s(true) == 1200);
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK(is("in_force.duties.r1.skills", "[\"ppe\"]"));
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_CHECK(way(IN) == 1 && promise_s(true) == 600);
    check_state(false);
    end();
}

HT_CASE(what_is_on_outlives_a_kill_and_a_new_map)
{
    char body[256];
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "," FLOOD "}"), 200);
    HT_CHECK_INT(turn("outbreak", "{\"on\":true,\"why\":\"order-17\"}"), 200);
    HT_REQUIRE(begin(options)); /* killed before */
    check_state(true);
    HT_CHECK_INT(get("/v1/regimes/outbreak"), 200);
    HT_CHECK(is("since", "\"2026-03-02T02:00:00.000Z\"") && is("by", "\"local\"") &&
             is("why", "\"order-17\""));
    HT_CHECK_INT(way(EAST), 1); /* and what waits still waits */
    (void)snprintf(body, sizeof body, "{\"file\":\"%s\"}", map);
    HT_CHECK_INT(post("/v1/network", JSON, body), 200);
    HT_CHECK(way(IN) == 0 && way(EAST) == 1);
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_REQUIRE(begin(options));
    check_state(false);
    HT_CHECK_STR(regime_events(), "on regimes/outbreak;off regimes/outbreak;");
    end();
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

/* Asks and kills the server somewhere between: afterwards all of it is on, or none. */
HT_CASE(a_kill_between_leaves_all_or_nothing)
{
    uint64_t seed = 20260302;
    bool on = false;
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    for (int i = 0; i < (HT_LONG ? 100 : 6); i++) {
        char text[256];
        const char *body = on ? OFF : ON;
        const struct timespec pause = {.tv_nsec = ht_random_below(&seed, 6000) * 1000L};
        (void)snprintf(text, sizeof text,
                       "POST /v1/regimes/outbreak HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n" JSON
                       "Content-Length: %zu\r\n\r\n%s",
                       (unsigned)port, strlen(body), body);
        HT_REQUIRE(ht_client_text(&client, text));
        (void)nanosleep(&pause, NULL);
        HT_REQUIRE(begin(options));
        HT_REQUIRE(get("/v1/regimes/outbreak") == 200);
        bool now = ht_json_is(answer.body, "on", "true");
        const char *last = rows("SELECT kind FROM events WHERE kind LIKE 'regime.%' "
                                "ORDER BY seq DESC LIMIT 1");
        HT_CHECK(now == (strcmp(last, "regime.on;") == 0));
        check_state(now);
        on = now;
    }
    HT_CHECK_STR(rows("SELECT count(*) FROM (SELECT kind, lag(kind) OVER (ORDER BY seq) AS before "
                      "FROM events WHERE kind LIKE 'regime.%') WHERE kind = before"),
                 "0;");
    end();
}

HT_CASE(a_set_that_names_what_is_not_there_is_refused_whole)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes",
                             "{\"bad\":{\"zones\":[\"z1\",\"z7\"],\"answers\":{\"c7\":{\"cell\":"
                             "\"x\"}},\"duties\":{\"r2\":{\"status\":\"off\"},\"r7\":{}},"
                             "\"settings\":{\"incidents\":{\"preempt\":false}}},"
                             "\"ill\":{\"zones\":[\"z2\"]}}"),
                 200);
    HT_CHECK_INT(turn("bad", ON), 422);
    HT_CHECK(is("errors.0.pointer", "\"/bad/zones/1\""));
    HT_CHECK(is("errors.1.pointer", "\"/bad/answers/c7\""));
    HT_CHECK(is("errors.2.pointer", "\"/bad/duties/r7\""));
    HT_CHECK(is("errors.2.detail", "\"there is no units/r7\""));
    HT_CHECK(way(IN) == 1 && way(EAST) == 1 && available("r2"));
    HT_CHECK_INT(get("/v1/settings/incidents?in_force=1"), 200);
    HT_CHECK(is("preempt", "true"));
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK(is("regimes.0.on", "false") && is("in_force.zones", "[]"));
    HT_CHECK_STR(regime_events(), "");
    HT_CHECK_INT(item_put("zones", "z7", FAR, "\"kind\":\"watched\""), 201);
    HT_CHECK_INT(item_put("cells", "c7", FAR, "\"kind\":\"grid\""), 201);
    HT_CHECK_INT(unit_put("r7", "121.705", "\"status\":\"idle\""), 201);
    HT_CHECK_INT(turn("bad", ON), 200);
    HT_CHECK(way(IN) == 0 && !available("r2"));
    /* what is in force stays; who goes later holds nobody up */
    HT_CHECK_INT(send_body("DELETE", "/collections/zones/items/z7", "", ""), 409);
    HT_CHECK_INT(send_body("DELETE", "/collections/units/items/r7", "", ""), 204);
    HT_CHECK_INT(setting_put("incidents", "{\"joint\":false}"), 200);
    HT_CHECK_INT(turn("bad", OFF), 200);
    HT_CHECK_INT(turn("bad", ON), 422);
    HT_CHECK_INT(way(IN), 1);
    end();
}

static const struct {
    const char *body;
    const char *pointer;
} wrong_sets[] = {
    {"{\"a b\":{}}", "\"/a b\""},
    {"{\"a\":[]}", "\"/a\""},
    {"{\"a\":{},\"a\":{}}", "\"/a\""},
    {"{\"a\":{\"streets\":[]}}", "\"/a/streets\""},
    {"{\"a\":{\"zones\":{}}}", "\"/a/zones\""},
    {"{\"a\":{\"zones\":[\"z\",7]}}", "\"/a/zones/1\""},
    {"{\"a\":{\"zones\":[\"z\",\"z\"]}}", "\"/a/zones\""},
    {"{\"a\":{\"answers\":[]}}", "\"/a/answers\""},
    {"{\"a\":{\"answers\":{\"c\":{\"town\":\"x\"}}}}", "\"/a/answers/c/town\""},
    {"{\"a\":{\"answers\":{\"c\":{\"cell\":\"Wang Fang\"}}}}", "\"/a/answers/c/cell\""},
    {"{\"a\":{\"answers\":{\"c\":{},\"c\":{}}}}", "\"/a/answers\""},
    {"{\"a\":{\"duties\":{\"u\":{\"name\":\"x\"}}}}", "\"/a/duties/u/name\""},
    {"{\"a\":{\"duties\":{\"u\":{\"status\":\"asleep\"}}}}", "\"/a/duties/u/status\""},
    {"{\"a\":{\"duties\":{\"u\":{\"shift\":\"whenever\"}}}}", "\"/a/duties/u/shift\""},
    {"{\"a\":{\"duties\":{\"u\":1}}}", "\"/a/duties/u\""},
    {"{\"a\":{\"settings\":{\"live\":{}}}}", "\"/a/settings/live\""},
    {"{\"a\":{\"settings\":{\"incidents\":[]}}}", "\"/a/settings/incidents\""},
    {"{\"ok\":{},\"a\":{\"settings\":{\"incidents\":{\"kinds\":{\"sos\":{\"units\":0}}}}}}",
     "\"/a/settings/incidents/kinds/sos/units\""},
    {"{\"a\":{\"settings\":{\"incidents\":{\"prempt\":true}}}}",
     "\"/a/settings/incidents/prempt\""},
    {"{\"a\":{\"settings\":{\"calendar\":{\"holidays\":[\"2026-02-30\"]}}}}",
     "\"/a/settings/calendar/holidays/0\""},
};

HT_CASE(wrong_input_says_where)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings/regimes"), 200);
    HT_CHECK_STR(answer.body, "{}");
    HT_CHECK_INT(get("/v1/regimes"), 200);
    HT_CHECK_STR(answer.body,
                 "{\"regimes\":[],\"bound\":[],\"in_force\":{\"zones\":[],\"answers\":{},"
                 "\"duties\":{}}}");
    for (size_t i = 0; i < sizeof wrong_sets / sizeof wrong_sets[0]; i++) {
        HT_CHECK_INT(setting_put("regimes", wrong_sets[i].body), 422);
        HT_CHECK(is("errors.0.pointer", wrong_sets[i].pointer));
    }
    HT_CHECK_INT(setting_put("regimes", "[]"), 400);
    HT_CHECK_INT(setting_put("regimes", "{\"a\":"), 400);
    HT_CHECK_INT(setting_put("regimes", "{\"a\":{}}"), 200);
    HT_CHECK_STR(answer.body,
                 "{\"a\":{\"zones\":[],\"answers\":{},\"duties\":{},\"settings\":{}}}");
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"2\"");
    HT_CHECK_INT(send_body("PUT", "/v1/settings/regimes", JSON "If-Match: \"1\"\r\n", "{}"), 412);
    HT_CHECK_INT(turn("a", ""), 400);
    HT_CHECK_INT(turn("a", "[true]"), 400);
    HT_CHECK_INT(turn("a", "{}"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/on\""));
    HT_CHECK_INT(turn("a", "{\"on\":1}"), 400);
    HT_CHECK_INT(turn("a", "{\"on\":true,\"why\":\"because of me\"}"), 400);
    HT_CHECK(is("errors.0.pointer", "\"/why\""));
    HT_CHECK_INT(turn("b", ON), 404);
    HT_CHECK_INT(turn("a%20b", ON), 404);
    HT_CHECK_INT(get("/v1/regimes/b"), 404);
    HT_CHECK_INT(send_body("PUT", "/v1/regimes/a", JSON, ON), 405);
    HT_CHECK_INT(item_put("cells", "k", BOX, "\"answers\":{\"town\":\"x\"}"), 422);
    HT_CHECK_INT(item_put("cells", "k", BOX, "\"answers\":{\"cell\":\"Wang Fang\"}"), 422);
    HT_CHECK_INT(item_put("cells", "k", BOX, "\"answers\":\"x\""), 422);
    HT_CHECK_INT(item_put("cells", "k", BOX, "\"answers\":{\"cell\":null}"), 201);
    HT_CHECK_STR(regime_events(), "");
    end();
}

/* Whom an incident rises to, as its events tell. */
#define RISEN                                                                                      \
    "SELECT (body->>'level') || ' ' || coalesce(body->>'answers', '-') FROM events WHERE kind = "  \
    "'incident.escalated' ORDER BY seq"

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
}

HT_CASE(an_incident_names_who_answers_on_the_level_it_has_risen_to)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("incidents", "{\"kinds\":{\"sos\":{\"clocks_s\":[60,60,60,60,0]}}}"),
                 200);
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"household\":\"h1\"}"), 201);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("cell", "\"c1\"") && is("level", "\"community\"") &&
             is("answers", "{\"now\":\"duty-k1\",\"cell\":\"grid-1\",\"community\":\"duty-k1\","
                           "\"sub_district\":\"duty-zs\"}"));
    advance(61);
    HT_CHECK_STR(rows(RISEN), "1 duty-zs;");
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("level", "\"sub_district\"") && is("answers.now", "\"duty-zs\""));
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "," FLOOD "}"), 200);
    HT_CHECK_INT(turn("outbreak", ON), 200);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("answers", "{\"now\":\"duty-zs\",\"cell\":\"grid-1\",\"community\":\"hq-k1\","
                           "\"sub_district\":\"duty-zs\",\"district\":\"hq-1\"}"));
    advance(61);
    HT_CHECK_STR(rows(RISEN), "1 duty-zs;2 hq-1;");
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("answers.now", "\"hq-1\""));
    HT_CHECK_INT(get("/v1/incidents/i1/history"), 200);
    HT_CHECK(says("\"answers\":\"hq-1\""));
    HT_CHECK_INT(turn("outbreak", OFF), 200);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("answers.community", "\"duty-k1\"") && !says("\"now\""));
    /* at a place alone: within the community's border, outside of the small cell; outside of all */
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"lon\":121.709,\"lat\":29.949}"),
                 201);
    HT_CHECK_INT(get("/v1/incidents/i2"), 200);
    HT_CHECK(is("cell", "\"k1\"") && is("answers.now", "\"duty-k1\"") && !says("\"grid-1\""));
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"lon\":121.700,\"lat\":29.950}"),
                 201);
    HT_CHECK_INT(get("/v1/incidents/i3"), 200);
    HT_CHECK(is("answers", "{}") && !says("\"cell\""));
    /* cells that are each other's parents end somewhere */
    HT_CHECK_INT(send_body("PATCH", "/collections/cells/items/k1", MERGE,
                           "{\"properties\":{\"parent\":\"c1\"}}"),
                 200);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("answers.cell", "\"grid-1\"") && is("answers.community", "\"duty-k1\""));
    /* a household that is gone is still somewhere */
    HT_CHECK_INT(send_body("DELETE", "/collections/households/items/h1", "", ""), 204);
    HT_CHECK_INT(get("/v1/incidents/i1?crs=GCJ02"), 200);
    HT_CHECK(is("cell", "\"c1\""));
    end();
}

HT_CASE(clocks_that_run_follow_a_regime_that_comes_and_goes)
{
    static const char kinds[] =
        "SELECT kind FROM events WHERE kind IN ('incident.reclocked', 'incident.escalated')"
        " ORDER BY seq";
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(
        setting_put("incidents",
                    "{\"kinds\":{\"sos\":{\"clocks_s\":[600,600,600,600,0],\"ack_s\":0}}}"),
        200);
    HT_CHECK_INT(setting_put("regimes",
                             "{\"war\":{\"settings\":{\"incidents\":{\"kinds\":{\"sos\":{"
                             "\"clocks_s\":[120,120,120,120,0]}}}}}}"),
                 200);
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"household\":\"h1\"}"), 201);
    advance(30);
    HT_CHECK_STR(rows(kinds), "");
    HT_CHECK_INT(turn("war", ON), 200);
    advance(60); /* 90 since it came */
    HT_CHECK_STR(rows(kinds), "incident.reclocked;");
    HT_CHECK_INT(turn("war", OFF), 200);
    advance(60); /* 150: in peace that is nothing */
    HT_CHECK_STR(rows(kinds), "incident.reclocked;incident.reclocked;");
    HT_CHECK_INT(turn("war", ON), 200);
    advance(1); /* it should have risen half a minute ago: it does as soon as that is known */
    advance(1);
    HT_CHECK_STR(rows(kinds),
                 "incident.reclocked;incident.reclocked;incident.reclocked;incident.escalated;");
    advance(121); /* and from then on again */
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("level", "\"district\""));
    end();
}

HT_CASE(where_nobody_answers_on_a_level_the_next_above_does)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("incidents", "{\"kinds\":{\"sos\":{\"clocks_s\":[60,60,60,60,0]}}}"),
                 200);
    HT_CHECK_INT(setting_put("regimes", "{\"g\":{\"answers\":{\"*\":{\"community\":\"com-x\","
                                        "\"district\":\"hq\"}}}}"),
                 200);
    HT_CHECK_INT(turn("g", ON), 200);
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"kind\":\"sos\",\"lon\":121.700,\"lat\":29.950}"),
                 201);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("answers.now", "\"com-x\""));
    advance(61);
    HT_CHECK_INT(get("/v1/incidents/i1"), 200);
    HT_CHECK(is("level", "\"sub_district\"") && is("answers.now", "\"hq\""));
    HT_CHECK_STR(rows(RISEN), "1 hq;");
    end();
}

HT_CASE(fences_and_those_inside_a_closed_zone_wait_for_the_regime_too)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(item_put("zones", "f1", BOX, "\"kind\":\"fence\""), 201);
    HT_CHECK_INT(unit_put("r5", "121.713", "\"status\":\"idle\""), 201);
    HT_CHECK_INT(setting_put("regimes", "{\"a\":{\"zones\":[\"f1\",\"z1\"]}}"), 200);
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":\"r5\",\"lon\":121.713,\"lat\":29.952}]"),
                 200);
    /* the save of that position is behind us once a fence that waits for nothing tells of it */
    HT_CHECK_INT(item_put("zones", "f2", BOX, "\"kind\":\"fence\""), 201);
    advance(5);
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":\"r5\",\"lon\":121.713,\"lat\":29.952}]"),
                 200);
    HT_CHECK(told("SELECT kind || ' ' || (body->>'fence') FROM events WHERE kind LIKE 'fence.%' "
                  "ORDER BY seq",
                  "fence.enter f2;"));
    HT_CHECK_INT(turn("a", ON), 200);
    advance(5);
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":\"r5\",\"lon\":121.713,\"lat\":29.952}]"),
                 200);
    HT_CHECK(told("SELECT kind || ' ' || (body->>'fence') FROM events WHERE kind LIKE 'fence.%' "
                  "ORDER BY seq",
                  "fence.enter f2;fence.enter f1;"));
    HT_CHECK(told("SELECT body->>'zone' FROM events WHERE kind = 'zone.inside' AND seq > (SELECT "
                  "max(seq) FROM events WHERE kind = 'regime.on')",
                  "z1;"));
    HT_CHECK_INT(turn("a", OFF), 200);
    HT_CHECK(told("SELECT (body->>'fence') || ' ' || (body->>'why') FROM events WHERE kind = "
                  "'fence.exit'",
                  "f1 fence_gone;"));
    end();
}

HT_CASE(the_stream_tells)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    HT_REQUIRE(sse != NULL && begin_town(""));
    town_fill();
    HT_CHECK_INT(setting_put("regimes", "{" OUTBREAK "}"), 200);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream?topics=zones", ""));
    HT_CHECK_INT(turn("outbreak", ON), 200);
    bool found = false;
    for (int i = 0; i < 20 && !found && ht_sse_next(sse); i++) {
        found = sse->data != NULL && strstr(sse->data, "regime.on") != NULL &&
                strstr(sse->data, "regimes/outbreak") != NULL;
    }
    HT_CHECK(found);
    ht_sse_close(sse);
    free(sse);
    end();
}

static char tokens[128];

/* A header line for a new token. */
static void token_make(const char *role, char header[128])
{
    char line[256];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", tokens, role, role);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0);
    (void)snprintf(header, 128, "Authorization: Bearer %.*s\r\n", (int)strcspn(run->out, "\n"),
                   run->out);
}

static int ask_as(const char *method, const char *path, const char *header, const char *body)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", header);
    return send_body(method, path, all, body);
}

HT_CASE(the_office_prepares_and_decides_dispatchers_see)
{
    char admin[128];
    char dispatcher[128];
    char viewer[128];
    char more[160];
    HT_REQUIRE(map_make());
    (void)snprintf(tokens, sizeof tokens, "%s/regime-tokens", folder);
    token_make("admin", admin);
    token_make("dispatcher", dispatcher);
    token_make("viewer", viewer);
    (void)snprintf(more, sizeof more, "--tokens %s", tokens);
    HT_REQUIRE(begin_town(more));
    HT_CHECK_INT(ask_as("PUT", "/v1/settings/regimes", dispatcher, "{\"a\":{}}"), 403);
    HT_CHECK_INT(ask_as("PUT", "/v1/settings/regimes", admin, "{\"a\":{}}"), 200);
    HT_CHECK_INT(ask_as("POST", "/v1/regimes/a", "", ON), 401);
    HT_CHECK_INT(ask_as("POST", "/v1/regimes/a", viewer, ON), 403);
    HT_CHECK_INT(ask_as("POST", "/v1/regimes/a", dispatcher, ON), 403);
    HT_CHECK_INT(ask_as("POST", "/v1/regimes/a", admin, ON), 200);
    HT_CHECK(is("by", "\"admin\""));
    HT_CHECK_INT(ask_as("GET", "/v1/regimes", dispatcher, ""), 200);
    HT_CHECK(is("regimes.0.on", "true"));
    HT_CHECK(is("regimes.0.by", "\"admin\""));
    HT_CHECK(is("in_force.duties", "{}"));
    HT_CHECK_INT(ask_as("GET", "/v1/regimes/a", viewer, ""), 403);
    HT_CHECK_INT(ask_as("GET", "/v1/regimes", viewer, ""), 200);
    HT_CHECK(is("regimes.0.on", "true"));
    HT_CHECK(!says("\"by\"") && !says("duties") && !says("answers"));
    HT_CHECK(is("in_force.zones", "[]"));
    HT_CHECK_INT(ask_as("GET", "/v1/regimes/a", dispatcher, ""), 200);
    end();
}

HT_SERVED_MAIN()
