/* Visits and rectifications over HTTP: a check-in at the site, hazards and their notices, the clock
 * that lets them rise, the visit that closes them, second looks, who may do what, what can be
 * erased, and what outlives the end of the process. */
#include <sqlite3.h>
#include <unistd.h>

#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"
#include "tests/support/sse.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define VISITS "/v1/visits"
#define NOTICES "/v1/rectifications"
#define DAY 86400

static char store[128];
static char options[1024];
static char tokens[128];

static bool is(const char *path, const char *want)
{
    bool good = answer.body != NULL && ht_json_is(answer.body, path, want);
    if (!good) {
        const char *at = answer.body == NULL ? NULL : ht_json_at(answer.body, path);
        (void)printf("  %s: %.60s\n", path, at == NULL ? "(none)" : at);
    }
    return good;
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void item_add(const char *collection, const char *headers, const char *id,
                     const char *geometry, const char *properties)
{
    char path[96];
    char text[1024];
    char all[256];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{%s},\"properties\":{%s}}", id,
                   geometry, properties);
    (void)snprintf(all, sizeof all, GEO "%s", headers);
    HT_CHECK_INT(post(path, all, text), 201);
}

#define POINT(lon) "\"type\":\"Point\",\"coordinates\":[" lon ",29.95]"

static void town_make(const char *headers)
{
    item_add("cells", headers, "village1",
             "\"type\":\"Polygon\",\"coordinates\":[[[121.70,29.94],[121.75,29.94],[121.75,29.96],"
             "[121.70,29.96],[121.70,29.94]]]",
             "\"kind\":\"community\"");
    item_add("factories", headers, "f1",
             "\"type\":\"Polygon\",\"coordinates\":[[[121.712,29.949],[121.714,29.949],"
             "[121.714,29.951],[121.712,29.951],[121.712,29.949]]]",
             "\"name\":\"<Works> & Co\",\"risk\":3,\"tenants\":[{\"id\":"
             "\"t1\",\"name\":\"Paint\",\"risk\":4},{\"id\":\"t2\"}]");
    item_add("factories", headers, "f2", POINT("121.745"), "\"risk\":1");
    item_add("facilities", headers, "s1", POINT("121.72"), "\"kind\":\"compound\"");
    item_add("households", headers, "h1", POINT("121.716"), "\"name\":\"Wang\"");
    item_add("units", headers, "i1", POINT("121.712"),
             "\"kind\":\"inspector\",\"profile\":\"car\",\"status\":\"idle\"");
    item_add("units", headers, "i2", POINT("121.712"),
             "\"kind\":\"inspector\",\"profile\":\"car\",\"status\":\"idle\"");
}

/* It is ten in the morning there, and stays so. */
static bool begin_store(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/visits%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0 %s", store,
                   more);
    return begin(options);
}

/* What is wanted stays so, for the cases to look at: no round goes there, and nothing plans by
 * itself.
 */
static void revisits_off(const char *headers)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", headers);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", all, "{\"revisits\":false}"), 200);
}

static bool begin_town(void)
{
    bool good = begin_store("");
    if (good) {
        town_make("");
        revisits_off("");
    }
    return good;
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
}

static int visit_add(const char *id, const char *site, const char *more)
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"site\":\"%s\"%s}", id, site, more);
    return post(VISITS, JSON, body);
}

static int result(const char *id, const char *body)
{
    char path[128];
    (void)snprintf(path, sizeof path, VISITS "/%s/result", id);
    return post(path, JSON, body);
}

static int notice_act(const char *id, const char *body)
{
    char path[128];
    (void)snprintf(path, sizeof path, NOTICES "/%s/events", id);
    return post(path, JSON, body);
}

static int look(const char *id, const char *what)
{
    char path[160];
    (void)snprintf(path, sizeof path, NOTICES "/%s%s", id, what);
    return get(path);
}

/* A text of the answer, without its quotes. */
static const char *text_at(const char *path)
{
    static char texts[4][256];
    static unsigned next;
    char *text = texts[next++ % 4];
    const char *at = answer.body == NULL ? NULL : ht_json_at(answer.body, path);
    text[0] = '\0';
    if (at != NULL && *at == '"') {
        (void)snprintf(text, 256, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
    }
    return text;
}

static void audit_holds(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

#define INSIDE "\"lon\":121.713,\"lat\":29.95"
#define HAZARD(text) "{\"text\":\"" text "\",\"severity\":3}"
#define RECTIFY(hazards) "{\"outcome\":\"rectify\"," INSIDE ",\"hazards\":[" hazards "]}"
#define DONE "{\"outcome\":\"done\"," INSIDE "}"

/* A visit of f1 that finds one hazard; the notice's id. */
static const char *hazard_find(const char *visit, const char *body)
{
    HT_CHECK_INT(visit_add(visit, "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result(visit, body), 200);
    return text_at("rectifications.0.id");
}

HT_CASE(a_visit_is_made_and_its_result_is_given_once)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_STR(ht_answer_header(&answer, "Location"), "/v1/visits/v1");
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"1\"");
    HT_CHECK(is("state", "\"planned\"") && is("purpose", "\"unplanned\"") && is("site", "\"f1\"") &&
             is("start", "\"2026-03-02T02:00:00.000Z\"") &&
             is("end", "\"2026-03-02T02:30:00.000Z\""));
    HT_CHECK_INT(visit_add("v1", "f1", ""), 409);
    HT_CHECK_INT(visit_add("v2", "nowhere", ""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/site\""));
    HT_CHECK_INT(visit_add("v2", "f1", ",\"inspector\":\"nobody\""), 422);
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"s1\",\"inspector\":\"i2\"}"), 201);
    HT_CHECK(strncmp(text_at("id"), "v-", 2) == 0);
    HT_CHECK_INT(post(VISITS "/v1/events", JSON, "{\"event\":\"promise\"}"), 200);
    HT_CHECK(is("state", "\"promised\""));
    HT_CHECK_INT(post(VISITS "/v1/events", JSON, "{\"event\":\"promise\"}"), 409);
    HT_CHECK_INT(result("v9", DONE), 404);
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\",\"at\":\"2026-03-02T09:40:00+08:00\"," INSIDE
                              ",\"until\":\"2026-03-02T09:55:00+08:00\",\"signature\":\"Li\","
                              "\"photos\":[{\"url\":\"https://a.example/1.jpg\",\"sha256\":"
                              "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                              "\"}]}"),
                 200);
    HT_CHECK(is("state", "\"done\"") && is("outcome", "\"done\"") && is("distance_m", "0") &&
             is("at", "\"2026-03-02T01:40:00.000Z\"") && is("flags", "[]") &&
             is("rectifications", "[]"));
    HT_CHECK_INT(result("v1", DONE), 409);
    HT_CHECK_INT(post(VISITS "/v1/events", JSON, "{\"event\":\"cancel\"}"), 409);
    HT_CHECK_INT(get(VISITS "/v1"), 200);
    HT_CHECK(is("paper.signature", "\"Li\"") && is("paper.lon", "121.713") &&
             is("paper.photos.0.url", "\"https://a.example/1.jpg\""));
    HT_CHECK_INT(get(VISITS "/v1/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 3);
    HT_CHECK(is("history.2.event", "\"reported\"") && is("history.2.paper.signature", "\"Li\""));
    audit_holds();
    end();
}

HT_CASE(who_was_not_at_the_site_says_why)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(visit_add("v2", "f2", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(visit_add("v3", "f2", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\"}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/lon\""));
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\",\"lon\":121.72,\"lat\":29.95}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/reason\""));
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\",\"lon\":121.72,\"lat\":29.95,\"reason\":"
                              "\"the gate is there\"}"),
                 200);
    HT_CHECK(is("flags", "[\"too_far\"]"));
    HT_CHECK(ht_json_number_at(answer.body, "distance_m") > 500 &&
             ht_json_number_at(answer.body, "distance_m") < 650);
    HT_CHECK_INT(result("v2", "{\"outcome\":\"done\",\"lon\":121.7455,\"lat\":29.95}"), 200);
    HT_CHECK(is("flags", "[]") && ht_json_number_at(answer.body, "distance_m") > 40);
    HT_CHECK_INT(result("v3", "{\"outcome\":\"missed\"}"), 200);
    HT_CHECK(is("state", "\"missed\""));
    /* a fence of the site's id is its border */
    HT_CHECK_INT(visit_add("v4", "s1", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(result("v4", "{\"outcome\":\"done\",\"lon\":121.724,\"lat\":29.95}"), 422);
    item_add("zones", "", "s1",
             "\"type\":\"Polygon\",\"coordinates\":[[[121.719,29.949],[121.725,29.949],"
             "[121.725,29.951],[121.719,29.951],[121.719,29.949]]]",
             "\"kind\":\"fence\"");
    HT_CHECK_INT(result("v4", "{\"outcome\":\"done\",\"lon\":121.724,\"lat\":29.95}"), 200);
    HT_CHECK(is("distance_m", "0"));
    end();
}

HT_CASE(a_hazard_becomes_a_numbered_notice_and_a_visit_closes_it)
{
    char id[80];
    char body[160];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s",
                   hazard_find("v1", RECTIFY("{\"text\":\"door <blocked>\",\"severity\":3,\"due\":"
                                             "\"2026-03-09\",\"tenant\":\"t1\"}")));
    HT_CHECK(is("rectifications.0.number", "1") && is("rectifications.0.state", "\"open\"") &&
             is("rectifications.0.due", "\"2026-03-09T15:59:59.999Z\"") &&
             is("rectifications.0.risk", "4") && is("rectifications.0.level", "\"community\""));
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("text", "\"door <blocked>\"") && is("visit", "\"v1\"") && is("tenant", "\"t1\""));
    HT_CHECK_INT(get(NOTICES "/wanted"), 200);
    HT_CHECK(is("wanted.0.purpose", "\"revisit\"") && is("wanted.0.by", "\"i1\""));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\"}"), 409);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v1\"}"), 409);
    HT_CHECK(is("errors.0.pointer", "\"/visit\""));
    advance(DAY);
    (void)snprintf(body, sizeof body,
                   ",\"inspector\":\"i1\",\"purpose\":\"revisit\",\"rectification\":\"%s\"", id);
    HT_CHECK_INT(visit_add("v2", "f1", body), 201);
    HT_CHECK_INT(get(NOTICES "/wanted"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "wanted"), 0);
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("revisit", "\"v2\""));
    HT_CHECK_INT(visit_add("far", "f1", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(result("far", "{\"outcome\":\"done\",\"lon\":116.4,\"lat\":39.9,\"reason\":"
                               "\"from Beijing\"}"),
                 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"far\"}"), 409);
    HT_CHECK_INT(result("v2", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v2\"}"), 200);
    HT_CHECK(is("state", "\"closed\"") && is("closed_by", "\"v2\""));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v2\"}"), 409);
    HT_CHECK_INT(look(id, "/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 3);
    HT_CHECK(is("history.0.paper.text", "\"door <blocked>\""));
    HT_CHECK_INT(get(NOTICES "?state=closed&site=f1&tenant=t1&inspector=i1"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 1);
    HT_CHECK_INT(get(NOTICES "?state=open"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 0);
    HT_CHECK_INT(get(NOTICES "/sums"), 200);
    HT_CHECK(is("cells.0.cell", "\"village1\"") && is("villages.0.closed", "1") &&
             is("villages.0.village", "\"village1\""));
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM events WHERE body LIKE '%blocked%'"),
                 0);
    audit_holds();
    end();
}

HT_CASE(what_is_overdue_rises_by_the_clock_and_is_extended_by_rank)
{
    char id[80];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s", hazard_find("v1", RECTIFY(HAZARD("wires"))));
    advance(5 * DAY);
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("reminded", "true") && is("overdue", "false"));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"extend\",\"due\":\"2026-03-12T02:00:00Z\"}"), 422);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"extend\",\"due\":\"2026-04-12T02:00:00Z\","
                                "\"reason\":\"parts\",\"rank\":\"community\"}"),
                 422);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"extend\",\"due\":\"2026-03-12T02:00:00Z\","
                                "\"reason\":\"parts\",\"rank\":\"community\"}"),
                 200);
    HT_CHECK(is("due", "\"2026-03-12T02:00:00.000Z\"") && is("extensions", "1"));
    /* a week in all, whatever the steps */
    HT_CHECK_INT(notice_act(id, "{\"event\":\"extend\",\"due\":\"2026-03-18T02:00:00Z\","
                                "\"reason\":\"more\",\"rank\":\"community\"}"),
                 422);
    advance(5 * DAY);
    HT_CHECK_INT(get(NOTICES "?overdue=true"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 1);
    HT_CHECK(is("rectifications.0.level", "\"community\""));
    HT_CHECK_INT(get(NOTICES "?age=10"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 1);
    HT_CHECK_INT(get(NOTICES "?age=11.."), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 0);
    advance(3 * DAY);
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("level", "\"sub_district\"") && is("overdue", "true"));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"extend\",\"due\":\"2026-03-20T02:00:00Z\","
                                "\"reason\":\"parts\",\"rank\":\"community\"}"),
                 409);
    advance(7 * DAY);
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("level", "\"district\""));
    HT_CHECK_INT(look(id, "/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 6);
    HT_CHECK(is("history.2.event", "\"extended\"") && is("history.2.paper.reason", "\"parts\"") &&
             is("history.3.event", "\"overdue\"") && is("history.4.event", "\"escalated\"") &&
             is("history.5.actor", "\"houtao\""));
    audit_holds();
    end();
}

HT_CASE(the_same_hazard_again_is_the_same_notice)
{
    char id[80];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s", hazard_find("v1", RECTIFY(HAZARD("wires"))));
    advance(3600);
    HT_CHECK_STR(hazard_find("v2", RECTIFY(HAZARD(" wires ") "," HAZARD("gas"))), id);
    HT_CHECK(is("rectifications.0.sightings", "2") && is("rectifications.1.number", "2"));
    advance(3600);
    HT_CHECK_INT(visit_add("v3", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v3", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v3\"}"), 200);
    advance(10 * DAY);
    HT_CHECK_STR(hazard_find("v4", RECTIFY(HAZARD("Wires。 "))), id); /* said with other signs */
    HT_CHECK(is("rectifications.0.state", "\"open\"") && is("rectifications.0.reopened", "1"));
    /* another tenant's is another one */
    HT_CHECK(strcmp(hazard_find("v5", RECTIFY("{\"text\":\"wires\",\"severity\":1,\"tenant\":"
                                              "\"t2\"}")),
                    id) != 0);
    end();
}

HT_CASE(what_is_found_at_a_tenants_is_that_tenants_alone)
{
    char own[80];
    char common[80];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v0", "f1", ",\"inspector\":\"i1\",\"tenant\":\"t9\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/tenant\""));
    HT_CHECK_INT(visit_add("v0", "s1", ",\"inspector\":\"i1\",\"tenant\":\"t1\""), 422);
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\",\"tenant\":\"t1\""), 201);
    HT_CHECK(is("tenant", "\"t1\"") && is("site", "\"f1\""));
    HT_CHECK_INT(
        result("v1",
               RECTIFY(HAZARD("wires") ",{\"text\":\"stairs\",\"severity\":2,\"tenant\":null}")),
        200);
    HT_CHECK(is("rectifications.0.tenant", "\"t1\"") && is("rectifications.0.risk", "4"));
    HT_CHECK(ht_json_at(answer.body, "rectifications.1.tenant") == NULL);
    HT_CHECK(is("rectifications.1.risk", "3"));
    (void)snprintf(own, sizeof own, "%s", text_at("rectifications.0.id"));
    (void)snprintf(common, sizeof common, "%s", text_at("rectifications.1.id"));
    advance(DAY);
    HT_CHECK_INT(visit_add("v2", "f1", ",\"inspector\":\"i1\",\"tenant\":\"t2\""), 201);
    HT_CHECK_INT(result("v2", DONE), 200);
    HT_CHECK_INT(notice_act(own, "{\"event\":\"close\",\"visit\":\"v2\"}"), 409);
    HT_CHECK_INT(visit_add("v3", "f1", ",\"inspector\":\"i1\",\"tenant\":\"t1\""), 201);
    HT_CHECK_INT(result("v3", DONE), 200);
    HT_CHECK_INT(notice_act(common, "{\"event\":\"close\",\"visit\":\"v3\"}"), 409);
    HT_CHECK_INT(notice_act(own, "{\"event\":\"close\",\"visit\":\"v3\"}"), 200);
    HT_CHECK_INT(visit_add("v4", "f1", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(result("v4", DONE), 200);
    HT_CHECK_INT(notice_act(common, "{\"event\":\"close\",\"visit\":\"v4\"}"), 200);
    HT_CHECK_INT(get(VISITS "?site=f1&tenant=t1"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 2);
    end();
    HT_REQUIRE(begin(options)); /* and so it is after a start */
    HT_CHECK_INT(get(VISITS "/v3"), 200);
    HT_CHECK(is("tenant", "\"t1\""));
    audit_holds();
    end();
}

HT_CASE(who_looks_after_a_tenants_notice_sees_that_tenant_unless_it_says_otherwise)
{
    char id[80];
    char more[256];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v1", RECTIFY("{\"text\":\"wires\",\"severity\":3,\"tenant\":\"t1\"}")),
                 200);
    (void)snprintf(id, sizeof id, "%s", text_at("rectifications.0.id"));
    advance(DAY);
    (void)snprintf(more, sizeof more,
                   ",\"inspector\":\"i1\",\"purpose\":\"revisit\",\"rectification\":\"%s\"", id);
    HT_CHECK_INT(visit_add("v2", "f1", more), 201);
    HT_CHECK(is("tenant", "\"t1\""));
    (void)snprintf(more, sizeof more,
                   ",\"tenant\":null,\"purpose\":\"revisit\",\"rectification\":\"%s\"", id);
    HT_CHECK_INT(visit_add("v3", "f1", more), 201);
    HT_CHECK(ht_json_at(answer.body, "tenant") == NULL);
    (void)snprintf(more, sizeof more,
                   ",\"tenant\":\"t2\",\"purpose\":\"revisit\",\"rectification\":\"%s\"", id);
    HT_CHECK_INT(visit_add("v4", "f1", more), 409);
    HT_CHECK(is("errors.0.pointer", "\"/rectification\""));
    HT_CHECK_INT(look(id, "/notice?lang=en"), 200);
    HT_CHECK(says("Paint (t1)"));
    HT_CHECK_INT(get(VISITS "/v2"), 200);
    HT_CHECK(is("state", "\"cancelled\"")); /* v3 has taken its place */
    /* another one saw it mended: nothing counts on v3 any more */
    HT_CHECK_INT(visit_add("v5", "f1", ",\"inspector\":\"i2\""), 201);
    HT_CHECK_INT(result("v5", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v5\",\"reason\":\"seen\"}"), 200);
    HT_CHECK_INT(get(VISITS "/v3"), 200);
    HT_CHECK(is("state", "\"cancelled\""));
    audit_holds();
    end();
}

HT_CASE(parameters_that_nobody_reads_are_refused)
{
    static const char *const bad[] = {VISITS "?tennant=t1",      VISITS "/v1?site=f1",
                                      NOTICES "?overdu=true",    NOTICES "/sums?site=f1",
                                      NOTICES "/wanted?limit=3", "/v1/rounds?collection=factories",
                                      "/v1/rounds/march?week=1", "/v1/inspectors/i1.ics?week=1"};
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HT_CHECK_INT(get(bad[i]), 400);
        HT_CHECK(says("no parameter"));
    }
    HT_CHECK_INT(post(VISITS "?dry=true", JSON, "{\"site\":\"f1\"}"), 400);
    HT_CHECK_INT(get(VISITS "?site=f1&crs=EPSG:4326&state=done&limit=3"), 200);
    HT_CHECK_INT(get("/v1/inspectors/i1.ics?from=2026-03-02&weeks=1&lang=zh"), 200);
    end();
}

HT_CASE(bad_results_are_told_what_is_wrong)
{
    static const struct {
        const char *body;
        int status;
        const char *pointer;
    } bad[] = {
        {"{", 400, NULL},
        {"[]", 400, NULL},
        {"{}", 400, "\"/outcome\""},
        {"{\"outcome\":\"planned\"}", 400, "\"/outcome\""},
        {"{\"outcome\":\"done\",\"lon\":1}", 400, "\"/lon\""},
        {"{\"outcome\":\"done\",\"at\":\"soon\"}", 400, "\"/at\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T02:00:01Z\"}", 422, "\"/at\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T01:00:00Z\",\"until\":"
         "\"2026-03-02T00:59:00Z\"}",
         422, "\"/until\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"hazards\":[" HAZARD("x") "]}", 422, "\"/hazards\""},
        {"{\"outcome\":\"rectify\"," INSIDE "}", 422, "\"/hazards\""},
        {RECTIFY("{\"text\":\"x\"}"), 400, "\"/hazards/0/severity\""},
        {RECTIFY("{\"text\":\"x\",\"severity\":5}"), 422, "\"/hazards/0/severity\""},
        {RECTIFY("{\"severity\":3}"), 400, "\"/hazards/0/text\""},
        {RECTIFY("{\"text\":\" \\t \",\"severity\":3}"), 400, "\"/hazards/0/text\""},
        {RECTIFY("3"), 400, NULL},
        {RECTIFY("{\"text\":\"x\",\"severity\":3,\"due\":\"2026-03-01\"}"), 422,
         "\"/hazards/0/due\""},
        {RECTIFY("{\"text\":\"x\",\"severity\":3,\"tenant\":\"t9\"}"), 422,
         "\"/hazards/0/tenant\""},
        {RECTIFY("{\"text\":\"x\",\"severity\":3,\"same_as\":\"r9\"}"), 422,
         "\"/hazards/0/same_as\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"photos\":[{\"url\":\"x\",\"sha256\":\"y\"}]}", 400,
         "\"/photos/0/url\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"photos\":[{\"url\":\"https://x\"}]}", 400,
         "\"/photos/0/sha256\""},
        {"{\"outcome\":\"done\"," INSIDE ",\"inspector\":\"nobody\"}", 422, "\"/inspector\""},
        {"{\"outcome\":\"done\",\"lon\":300,\"lat\":29}", 400, "\"/lon\""},
    };
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int status = result("v1", bad[i].body);
        if (status != bad[i].status) {
            (void)printf("  %s: %.200s\n", bad[i].body, answer.body);
        }
        HT_CHECK_INT(status, bad[i].status);
        HT_CHECK(bad[i].pointer == NULL || is("errors.0.pointer", bad[i].pointer));
    }
    HT_CHECK_INT(result("v1", DONE), 200); /* nothing of it left a trace */
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM visit_notes"), 1);
    HT_CHECK_INT(get(VISITS "?state=later"), 400);
    HT_CHECK_INT(get(VISITS "?from=x"), 400);
    HT_CHECK_INT(get(VISITS "?limit=0"), 400);
    HT_CHECK_INT(get(NOTICES "?age=.."), 400);
    HT_CHECK_INT(get(NOTICES "?overdue=maybe"), 400);
    HT_CHECK_INT(get(NOTICES "/r9"), 404);
    HT_CHECK_INT(get(NOTICES "/r9/notice"), 404);
    HT_CHECK_INT(get(NOTICES "/r9/history"), 404);
    HT_CHECK_INT(notice_act("r9", "{\"event\":\"close\",\"visit\":\"v1\"}"), 404);
    HT_CHECK_INT(notice_act("r9", "{\"event\":\"open\"}"), 400);
    HT_CHECK_INT(get(VISITS "/v9"), 404);
    end();
}

HT_CASE(visits_of_another_time_and_by_vans_are_refused)
{
    HT_REQUIRE(begin_town());
    item_add("units", "", "van1", POINT("121.712"),
             "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\"");
    HT_CHECK_INT(visit_add("v1", "f1", ",\"start\":\"2020-03-02T02:00:00Z\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/start\""));
    HT_CHECK_INT(visit_add("v1", "f1", ",\"start\":\"2028-03-02T02:00:00Z\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/start\""));
    HT_CHECK_INT(visit_add("v1", "f1", ",\"end\":\"2027-03-01T02:00:00Z\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/end\""));
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"van1\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/inspector\""));
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\",\"second\":\"van1\""), 422);
    HT_CHECK(is("errors.0.pointer", "\"/second\""));
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\",\"second\":\"i1\""), 422);
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\",\"inspector\":\"van1\"," INSIDE "}"), 422);
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\",\"reason\":\"no signal\"}"), 200);
    HT_CHECK(is("flags", "[\"no_position\"]"));
    end();
}

HT_CASE(two_inspectors_are_one_visit)
{
    char id[80];
    char body[200];
    HT_REQUIRE(begin_town());
    item_add("units", "", "i3", POINT("121.712"),
             "\"kind\":\"inspector\",\"profile\":\"car\",\"status\":\"idle\"");
    (void)snprintf(id, sizeof id, "%s", hazard_find("v1", RECTIFY(HAZARD("wires"))));
    advance(600);
    HT_CHECK_INT(visit_add("v2", "f1", ",\"inspector\":\"i1\",\"second\":\"i2\""), 201);
    HT_CHECK(is("second", "\"i2\""));
    HT_CHECK_INT(get(VISITS "?inspector=i2"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 1);
    HT_CHECK_INT(result("v2", "{\"outcome\":\"done\",\"inspector\":\"i2\"," INSIDE "}"), 200);
    HT_CHECK(is("inspector", "\"i1\"") && is("second", "\"i2\"") && is("flags", "[]"));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v2\"}"), 200);
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"seed\":1,\"count\":1}"), 201);
    HT_CHECK_INT(get(NOTICES "/wanted"), 200);
    HT_CHECK(is("wanted.0.not_by", "\"i1\"") && is("wanted.0.not_by_second", "\"i2\""));
    for (int i = 1; i <= 3; i++) { /* neither of the two, nor with one of them */
        (void)snprintf(body, sizeof body,
                       ",\"inspector\":\"i%d\"%s,\"purpose\":\"check\",\"rectification\":\"%s\"", i,
                       i == 3 ? ",\"second\":\"i2\"" : "", id);
        HT_CHECK_INT(visit_add("c1", "f1", body), 409);
    }
    (void)snprintf(body, sizeof body,
                   ",\"inspector\":\"i3\",\"purpose\":\"check\",\"rectification\":\"%s\"", id);
    HT_CHECK_INT(visit_add("c1", "f1", body), 201);
    HT_CHECK_INT(result("c1", "{\"outcome\":\"done\",\"second\":\"i2\"," INSIDE "}"), 409);
    HT_CHECK_INT(result("c1", DONE), 200);
    /* two were to go, and another went alone */
    HT_CHECK_INT(visit_add("v3", "f1", ",\"inspector\":\"i1\",\"second\":\"i2\""), 201);
    HT_CHECK_INT(result("v3", "{\"outcome\":\"done\",\"inspector\":\"i3\"," INSIDE "}"), 200);
    HT_CHECK(is("flags", "[\"alone\"]") && ht_json_at(answer.body, "second") == NULL);
    audit_holds();
    end();
}

HT_CASE(a_visit_that_would_lose_something_is_refused)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\",\"x\":\"a\\u0000b\"}"), 400);
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\",\"outcome\":\"done\"}"), 400);
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\",\"hazards\":[]}"), 400);
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\"}"), 201);
    end();
}

HT_CASE(a_notice_is_a_page_in_two_languages_and_escaped)
{
    char id[80];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s",
                   hazard_find("v1", RECTIFY("{\"text\":\"<script>alert(1)</script>\",\"severity\":"
                                             "2,\"tenant\":\"t1\"}")));
    HT_CHECK_INT(look(id, "/notice"), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "text/html; charset=utf-8");
    HT_CHECK(says("责令整改通知单") && says("〔2026〕1号") && says("&lt;script&gt;") &&
             !says("<script>") && says("&lt;Works&gt; &amp; Co (f1)") && says("Paint (t1)"));
    HT_CHECK_INT(look(id, "/notice?lang=en"), 200);
    HT_CHECK(says("Rectification notice") && says("2026-1") && says("2026-03-17 10:00"));
    HT_CHECK_INT(look(id, "/notice?lang=fr"), 400);
    end();
}

/* The paper names who was there at the visit that it names. */
HT_CASE(a_notice_of_what_came_back_names_who_saw_it_then)
{
    char id[80];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s", hazard_find("v1", RECTIFY(HAZARD("wires"))));
    HT_CHECK_INT(look(id, "/notice"), 200);
    HT_CHECK(says("<td>v1</td>") && says("<td>i1</td>"));
    advance(3600);
    HT_CHECK_INT(visit_add("v2", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v2", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v2\"}"), 200);
    advance(DAY);
    HT_CHECK_INT(visit_add("v3", "f1", ",\"inspector\":\"i2\",\"second\":\"i1\""), 201);
    HT_CHECK_INT(result("v3", RECTIFY(HAZARD("wires"))), 200);
    HT_CHECK_STR(text_at("rectifications.0.id"), id);
    HT_CHECK_INT(look(id, "/notice"), 200);
    HT_CHECK(says("<td>v3</td>") && says("<td>i2, i1</td>") && !says("<td>i1</td>"));
    item_add("units", "", "i3", POINT("121.712"), "\"kind\":\"inspector\",\"name\":\"张<三>\"");
    HT_CHECK_INT(visit_add("v4", "f1", ",\"inspector\":\"i3\",\"second\":\"i1\""), 201);
    HT_CHECK_INT(result("v4", RECTIFY(HAZARD("gas"))), 200);
    HT_CHECK_INT(look(text_at("rectifications.0.id"), "/notice"), 200);
    HT_CHECK(says("<td>张&lt;三&gt; (i3), i1</td>")); /* by name, where there is one */
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("inspector", "\"i1\"")); /* who found it first */
    end();
}

HT_CASE(closed_notices_are_drawn_by_a_seed_and_seen_by_somebody_else)
{
    char drawn[80];
    char body[200];
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 6; i++) {
        char visit[16];
        char hazard[128];
        char id[80];
        (void)snprintf(visit, sizeof visit, "v%d", i);
        (void)snprintf(hazard, sizeof hazard, RECTIFY("{\"text\":\"x%d\",\"severity\":3}"), i);
        (void)snprintf(id, sizeof id, "%s", hazard_find(visit, hazard));
        advance(600);
        (void)snprintf(visit, sizeof visit, "w%d", i);
        HT_CHECK_INT(visit_add(visit, "f1", ",\"inspector\":\"i1\""), 201);
        HT_CHECK_INT(result(visit, DONE), 200);
        (void)snprintf(body, sizeof body, "{\"event\":\"close\",\"visit\":\"%s\"}", visit);
        HT_CHECK_INT(notice_act(id, body), 200);
    }
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"count\":2}"), 400);
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"seed\":1,\"count\":0}"), 422);
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"seed\":11,\"count\":2}"), 201);
    HT_CHECK(is("pool", "6") && is("rectifications.1.sampled", "true"));
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 2);
    (void)snprintf(drawn, sizeof drawn, "%s", text_at("rectifications.0.id"));
    HT_CHECK_INT(get(NOTICES "/wanted"), 200);
    HT_CHECK(is("wanted.0.purpose", "\"check\"") && is("wanted.1.not_by", "\"i1\""));
    (void)snprintf(body, sizeof body,
                   ",\"inspector\":\"i1\",\"purpose\":\"check\",\"rectification\":\"%s\"", drawn);
    HT_CHECK_INT(visit_add("c1", "f1", body), 409);
    (void)snprintf(body, sizeof body,
                   ",\"inspector\":\"i2\",\"purpose\":\"check\",\"rectification\":\"%s\"", drawn);
    HT_CHECK_INT(visit_add("c1", "f1", body), 201);
    HT_CHECK_INT(result("c1", DONE), 200);
    HT_CHECK_INT(look(drawn, ""), 200);
    HT_CHECK(is("checked_by", "\"c1\""));
    HT_CHECK_INT(get(NOTICES "/wanted"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "wanted"), 1);
    end();
}

HT_CASE(visits_that_can_not_have_been_are_flagged)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(visit_add("v1", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(visit_add("v2", "f2", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(visit_add("v3", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v1", "{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T01:00:00Z\","
                              "\"until\":\"2026-03-02T01:02:00Z\"}"),
                 200);
    HT_CHECK(is("flags", "[\"too_short\"]"));
    /* three kilometres on, no time between, and no slack either */
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"slack_s\":0}"), 200);
    HT_CHECK_INT(result("v2", "{\"outcome\":\"done\",\"lon\":121.745,\"lat\":29.95,\"at\":"
                              "\"2026-03-02T01:02:10Z\"}"),
                 200);
    HT_CHECK(is("flags", "[\"impossible_sequence\"]"));
    HT_CHECK_INT(result("v3", "{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T01:40:00Z\"}"),
                 200);
    HT_CHECK(is("flags", "[]"));
    end();
}

static int done_at(const char *id, const char *at)
{
    char body[160];
    (void)snprintf(body, sizeof body, "{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T%sZ\"}",
                   at);
    return result(id, body);
}

/* Nobody says when they left. What is known then: the report came no sooner than that, and the next
 * check-in by the same inspector no sooner than that and the way. It is 02:00. */
HT_CASE(a_visit_without_an_end_is_too_short_by_what_is_known_else)
{
    char id[80];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s",
                   hazard_find("found", "{\"outcome\":\"rectify\"," INSIDE ",\"at\":"
                                        "\"2026-03-02T00:10:00Z\",\"hazards\":[" HAZARD("x") "]}"));
    for (int i = 0; i < 7; i++) {
        char visit[16];
        (void)snprintf(visit, sizeof visit, "v%d", i);
        HT_CHECK_INT(
            visit_add(visit, "f1", i < 5 ? ",\"inspector\":\"i1\"" : ",\"inspector\":\"i2\""), 201);
    }
    HT_CHECK_INT(done_at("v0", "01:00:00"), 200);
    HT_CHECK(is("flags", "[]"));
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v0\"}"), 200);
    HT_CHECK(is("closed_flags", "[]"));
    HT_CHECK_INT(done_at("v1", "01:30:00"), 200); /* half an hour: long enough */
    HT_CHECK_INT(get(VISITS "/v0"), 200);
    HT_CHECK(is("flags", "[]"));
    HT_CHECK_INT(done_at("v2", "01:03:00"), 200); /* so the first was three minutes there */
    HT_CHECK(is("flags", "[]"));
    HT_CHECK_INT(get(VISITS "/v0"), 200);
    HT_CHECK(is("flags", "[\"too_short\"]"));
    HT_CHECK_INT(get(VISITS "/v0/history"), 200);
    HT_CHECK(is("history.2.event", "\"flagged\""));
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("state", "\"closed\"") && is("closed_flags", "[\"too_short\"]"));
    HT_CHECK_INT(done_at("v3", "01:28:00"), 200); /* two minutes before what was told already */
    HT_CHECK(is("flags", "[\"too_short\"]"));
    HT_CHECK_INT(done_at("v5", "01:57:00"), 200); /* told three minutes after */
    HT_CHECK(is("flags", "[\"too_short\"]"));
    HT_CHECK_INT(done_at("v6", "01:59:30"), 200); /* told when it was: nothing is known */
    HT_CHECK(is("flags", "[]"));
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    child = -1;
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get(VISITS "/v0"), 200);
    HT_CHECK(is("flags", "[\"too_short\"]"));
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(is("closed_flags", "[\"too_short\"]"));
    audit_holds();
    end();
}

/* Of thirty closed notices of one risk six were closed by visits of no length: six that are drawn
 * would have one or two of these, had they no preference. */
HT_CASE(what_a_doubtful_visit_closed_is_drawn_sooner)
{
    char body[200];
    int doubtful = 0;
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 30; i++) {
        char visit[16];
        char hazard[160];
        char id[80];
        (void)snprintf(visit, sizeof visit, "v%d", i);
        (void)snprintf(hazard, sizeof hazard, RECTIFY("{\"text\":\"x%d\",\"severity\":3}"), i);
        (void)snprintf(id, sizeof id, "%s", hazard_find(visit, hazard));
        advance(3600);
        (void)snprintf(visit, sizeof visit, "w%d", i);
        HT_CHECK_INT(visit_add(visit, "f1", ",\"inspector\":\"i1\""), 201);
        char at[HT_TIME_TEXT_SIZE];
        ht_time_format(INT64_C(1772416800000) + (2 * i + 1) * INT64_C(3600000), at);
        int size =
            snprintf(body, sizeof body, "{\"outcome\":\"done\"," INSIDE ",\"at\":\"%s\"", at);
        (void)snprintf(body + size, sizeof body - (size_t)size,
                       i % 5 == 0 ? ",\"until\":\"%s\"}" : "}", at);
        HT_CHECK_INT(result(visit, body), 200);
        (void)snprintf(body, sizeof body, "{\"event\":\"close\",\"visit\":\"%s\"}", visit);
        HT_CHECK_INT(notice_act(id, body), 200);
        HT_CHECK(is("closed_flags", i % 5 == 0 ? "[\"too_short\"]" : "[]"));
        advance(3600);
    }
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"seed\":11,\"count\":6}"), 201);
    HT_CHECK(is("pool", "30"));
    for (int i = 0; i < 6; i++) {
        char path[48];
        (void)snprintf(path, sizeof path, "rectifications.%d.closed_flags", i);
        doubtful += ht_json_is(answer.body, path, "[\"too_short\"]") ? 1 : 0;
    }
    HT_CHECK(doubtful >= 3 && doubtful < 6); /* and others all the same */
    end();
}

/* Who was at f1 at two and reports a minute later to have been at f2 just before, or until just
 * before, was not there; half an hour before one can be. */
HT_CASE(who_reports_the_earlier_visit_last_is_flagged_too)
{
    static const char *const told[][2] = {
        {"\"at\":\"2026-03-02T01:39:50Z\"", "[\"impossible_sequence\"]"},
        {"\"at\":\"2026-03-02T01:05:00Z\",\"until\":\"2026-03-02T01:39:55Z\"",
         "[\"impossible_sequence\"]"},
        {"\"at\":\"2026-03-02T01:05:00Z\",\"until\":\"2026-03-02T01:20:00Z\"", "[]"},
    };
    char id[16];
    char who[48];
    char body[192];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"slack_s\":0}"), 200);
    item_add("units", "", "i3", POINT("121.712"), "\"kind\":\"inspector\",\"profile\":\"car\"");
    for (int i = 0; i < 3; i++) {
        (void)snprintf(who, sizeof who, ",\"inspector\":\"i%d\"", i + 1);
        (void)snprintf(id, sizeof id, "l%d", i);
        HT_CHECK_INT(visit_add(id, "f1", who), 201);
        HT_CHECK_INT(
            result(id, "{\"outcome\":\"done\"," INSIDE ",\"at\":\"2026-03-02T01:40:00Z\"}"), 200);
        HT_CHECK(is("flags", "[]"));
        (void)snprintf(id, sizeof id, "e%d", i);
        HT_CHECK_INT(visit_add(id, "f2", who), 201);
        (void)snprintf(body, sizeof body, "{\"outcome\":\"done\",\"lon\":121.745,\"lat\":29.95,%s}",
                       told[i][0]);
        HT_CHECK_INT(result(id, body), 200);
        HT_CHECK(is("flags", told[i][1]));
    }
    end();
}

/* Where no street is near, there is the straight line: nobody gets eleven kilometres in a minute,
 * and in twenty one can; where both check-ins lie far from all streets, too. And who walks about
 * within such a place does not go to the street in between. */
HT_CASE(far_from_all_streets_the_straight_line_counts)
{
    static const struct {
        const char *lon;
        const char *lat;
        const char *at;
        const char *flags;
    } told[] = {
        {"121.713", "29.95", "01:00:00", "[]"},
        {"121.713", "30.05", "01:01:00", "[\"impossible_sequence\"]"},
        {"121.713", "29.95", "01:30:00", "[]"},
        {"121.713", "30.05", "01:50:00", "[]"},
        {"121.713", "30.15", "01:51:00", "[\"impossible_sequence\"]"},
        {"121.7131", "30.15", "01:51:20", "[]"},
    };
    char id[16];
    char body[256];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"slack_s\":0}"), 200);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        (void)snprintf(id, sizeof id, "o%zu", i);
        HT_CHECK_INT(visit_add(id, "f1", ",\"inspector\":\"i1\""), 201);
        (void)snprintf(body, sizeof body,
                       "{\"outcome\":\"done\",\"reason\":\"met on the way\",\"lon\":%s,\"lat\":%s,"
                       "\"at\":\"2026-03-02T%sZ\"}",
                       told[i].lon, told[i].lat, told[i].at);
        HT_CHECK_INT(result(id, body), 200);
        HT_CHECK_INT(says("impossible_sequence"), strstr(told[i].flags, "impossible") != NULL);
    }
    end();
}

/* Whether somebody who says to have come from f1 to f2 in two minutes is flagged; each time (`n`)
 * five minutes later. By the streets it takes longer; straight on nobody could tell. */
static bool is_too_quick(const char *inspector, int n)
{
    char id[32];
    char more[96];
    char body[160];
    for (int i = 0; i < 2; i++) {
        int s = n * 300 + i * 120;
        (void)snprintf(id, sizeof id, "%s-%d-%d", inspector, n, i);
        (void)snprintf(more, sizeof more, ",\"inspector\":\"%s\"", inspector);
        HT_CHECK_INT(visit_add(id, i == 0 ? "f1" : "f2", more), 201);
        (void)snprintf(body, sizeof body,
                       "{\"outcome\":\"done\",\"lon\":121.7%d,\"lat\":29.95,\"at\":"
                       "\"2026-03-01T%02d:%02d:%02dZ\"}",
                       i == 0 ? 13 : 45, 18 + s / 3600, s / 60 % 60, s % 60);
        HT_CHECK_INT(result(id, body), 200);
    }
    return says("impossible_sequence");
}

HT_CASE(who_may_pass_a_zone_is_asked_for_the_way_through_it)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"slack_s\":0}"), 200);
    item_add("units", "", "i3", POINT("121.712"),
             "\"kind\":\"inspector\",\"profile\":\"car\",\"permits\":[\"z\"]");
    item_add("zones", "", "z",
             "\"type\":\"Polygon\",\"coordinates\":[[[121.74,29.945],[121.75,29.945],"
             "[121.75,29.955],[121.74,29.955],[121.74,29.945]]]",
             "\"kind\":\"closed\"");
    bool flagged = true;
    for (int n = 0; n < 200 && flagged; n++) { /* streets obey soon: then there is no way to f2 */
        flagged = is_too_quick("i2", n);
        (void)usleep(flagged ? 300000 : 0);
    }
    HT_CHECK(!flagged);
    HT_CHECK(is_too_quick("i3", 0));
    end();
}

/* ---- settings ---- */

HT_CASE(rules_that_contradict_themselves_are_refused)
{
    static const char *const bad[][2] = {{"{\"due_days\":[3,3,5,1]}", "\"/due_days\""},
                                         {"{\"extend_days\":[7,3,30]}", "\"/extend_days\""},
                                         {"{\"rise_days\":[0,7]}", "\"/rise_days\""},
                                         {"{\"rise_days\":[7,3]}", "\"/rise_days\""}};
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, bad[i][0]), 422);
        HT_CHECK(is("errors.0.pointer", bad[i][1]));
    }
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"rise_days\":[7,0]}"), 200);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/calendar", JSON,
                           "{\"holidays\":[{\"from\":\"2026-10-01\",\"to\":\"2026-10-07\"}],"
                           "\"workdays\":[\"2026-10-05\"]}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/workdays\"") && says("2026-10-05"));
    end();
}

HT_CASE(the_offices_rules_are_a_document)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get("/v1/settings/visits"), 200);
    HT_CHECK(is("due_days", "[30,15,7,1]") && is("near_m", "150"));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"due_days\":[3,3,3]}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/due_days\""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"near\":3}"), 422);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"revisits\":1}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/revisits\""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/visits", JSON, "{\"near_m\":0}"), 422);
    HT_CHECK_INT(
        send_body("PUT", "/v1/settings/visits", JSON, "{\"due_days\":[3,3,2,1],\"remind_days\":0}"),
        200);
    HT_CHECK_INT(strlen(hazard_find("v1", RECTIFY(HAZARD("x")))) > 0, 1);
    HT_CHECK(is("rectifications.0.due", "\"2026-03-04T02:00:00.000Z\""));
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/settings/visits"), 200);
    HT_CHECK(is("due_days", "[3,3,2,1]") && is("revisits", "true"));
    end();
}

/* ---- who may what ---- */

enum { VIEWER, I1, I2, DISPATCHER, ADMIN, STRANGER, CALLERS };

static char bearer[CALLERS][128];

static bool begin_with_tokens(void)
{
    static const char *const who[CALLERS] = {
        "--name viewer --role viewer",       "--name i1 --role device --unit i1",
        "--name i2 --role device --unit i2", "--name dispatcher --role dispatcher",
        "--name admin --role admin",         "--name far --role admin --district elsewhere"};
    char line[256];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/visit.tokens", folder);
    (void)unlink(tokens);
    for (int i = 0; i < CALLERS; i++) {
        (void)snprintf(line, sizeof line, "token add %s %s", tokens, who[i]);
        const struct ht_command_run *run = ht_command_run(line);
        if (run->code != 0) {
            return false;
        }
        (void)snprintf(bearer[i], sizeof bearer[i], "Authorization: Bearer %.*s\r\n",
                       (int)strcspn(run->out, "\n"), run->out);
    }
    (void)snprintf(line, sizeof line, "--tokens %s", tokens);
    bool good = begin_store(line);
    if (good) {
        town_make(bearer[ADMIN]);
        revisits_off(bearer[ADMIN]);
    }
    return good;
}

static int get_as(int who, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", path,
                   bearer[who]);
    return ask(text);
}

static int post_as(int who, const char *path, const char *body)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", bearer[who]);
    return post(path, all, body);
}

static int audited(void)
{
    return (int)ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = 'personal.read'");
}

HT_CASE(each_role_does_what_it_may_and_what_is_personal_leaves_a_trace)
{
    char id[80];
    char path[160];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\"}"), 401);
    HT_CHECK_INT(post_as(VIEWER, VISITS, "{\"site\":\"f1\"}"), 403);
    HT_CHECK_INT(post_as(STRANGER, VISITS, "{\"site\":\"f1\"}"), 403);
    HT_CHECK_INT(get_as(STRANGER, VISITS), 403);
    HT_CHECK_INT(post_as(I1, VISITS, "{\"site\":\"f1\",\"inspector\":\"i2\"}"), 403);
    HT_CHECK_INT(post_as(I1, VISITS, "{\"id\":\"v1\",\"site\":\"f1\"}"), 201);
    HT_CHECK(is("inspector", "\"i1\""));
    HT_CHECK_INT(post_as(DISPATCHER, VISITS,
                         "{\"id\":\"v2\",\"site\":\"f1\",\"inspector\":"
                         "\"i2\"}"),
                 201);
    HT_CHECK_INT(post_as(I2, VISITS "/v1/result", DONE), 403);
    HT_CHECK_INT(post_as(VIEWER, VISITS "/v1/result", DONE), 403);
    HT_CHECK_INT(post_as(I1, VISITS "/v1/events", "{\"event\":\"cancel\"}"), 403);
    HT_CHECK_INT(post_as(I1, VISITS "/v1/result", RECTIFY(HAZARD("Mr Wang smokes"))), 200);
    (void)snprintf(id, sizeof id, "%s", text_at("rectifications.0.id"));
    HT_CHECK_INT(get_as(I1, VISITS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 1);
    HT_CHECK_INT(get_as(I2, VISITS "/v1"), 404);
    HT_CHECK_INT(get_as(VIEWER, VISITS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 2);
    HT_CHECK_INT(audited(), 0);
    (void)snprintf(path, sizeof path, NOTICES "/%s", id);
    HT_CHECK_INT(get_as(VIEWER, path), 200);
    HT_CHECK(!says("smokes"));
    HT_CHECK_INT(get_as(I2, path), 404);
    HT_CHECK_INT(get_as(DISPATCHER, path), 200);
    HT_CHECK(says("smokes"));
    HT_CHECK_INT(audited(), 1);
    HT_CHECK_INT(get_as(DISPATCHER, NOTICES), 200);
    HT_CHECK(says("smokes"));
    HT_CHECK_INT(audited(), 2);
    (void)snprintf(path, sizeof path, NOTICES "/%s/notice", id);
    HT_CHECK_INT(get_as(VIEWER, path), 200);
    HT_CHECK(!says("smokes") && says("责令整改通知单"));
    HT_CHECK_INT(get_as(ADMIN, path), 200);
    HT_CHECK(says("smokes"));
    HT_CHECK_INT(audited(), 3);
    (void)snprintf(path, sizeof path, NOTICES "/%s/events", id);
    HT_CHECK_INT(post_as(I1, path, "{\"event\":\"close\",\"visit\":\"v1\"}"), 403);
    HT_CHECK_INT(post_as(DISPATCHER, path,
                         "{\"event\":\"extend\",\"due\":\"2026-03-12\",\"reason\":\"x\","
                         "\"rank\":\"district\"}"),
                 403);
    HT_CHECK_INT(post_as(ADMIN, path,
                         "{\"event\":\"extend\",\"due\":\"2026-03-12\",\"reason\":\"x\","
                         "\"rank\":\"district\"}"),
                 200);
    HT_CHECK_INT(get_as(I1, NOTICES "/wanted"), 403);
    audit_holds();
    end();
}

/* Who is visited at home is frail. */
HT_CASE(visits_at_homes_are_not_for_viewers)
{
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(post_as(DISPATCHER, VISITS, "{\"id\":\"v1\",\"site\":\"h1\"}"), 201);
    HT_CHECK_INT(post_as(DISPATCHER, VISITS, "{\"id\":\"v2\",\"site\":\"f1\"}"), 201);
    HT_CHECK_INT(get_as(VIEWER, VISITS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 1);
    HT_CHECK(!says("\"h1\""));
    HT_CHECK_INT(get_as(VIEWER, VISITS "/v1"), 404);
    HT_CHECK_INT(get_as(VIEWER, VISITS "/v1/history"), 404);
    HT_CHECK_INT(get_as(VIEWER, "/v1/stream?topics=visits"), 403);
    HT_CHECK_INT(get_as(DISPATCHER, VISITS "/v1"), 200);
    HT_CHECK_INT(audited(), 1);
    end();
}

HT_CASE(notices_at_homes_are_not_for_viewers)
{
    char id[80];
    char path[160];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(
        post_as(DISPATCHER, VISITS, "{\"id\":\"v1\",\"site\":\"h1\",\"inspector\":\"i1\"}"), 201);
    HT_CHECK_INT(
        post_as(DISPATCHER, VISITS, "{\"id\":\"v2\",\"site\":\"f1\",\"inspector\":\"i1\"}"), 201);
    HT_CHECK_INT(
        post_as(I1, VISITS "/v1/result",
                "{\"outcome\":\"rectify\",\"reason\":\"x\",\"hazards\":[" HAZARD("gas") "]}"),
        200);
    (void)snprintf(id, sizeof id, "%s", text_at("rectifications.0.id"));
    HT_CHECK_INT(post_as(I1, VISITS "/v2/result", RECTIFY(HAZARD("wires"))), 200);
    HT_CHECK_INT(get_as(VIEWER, NOTICES), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 1);
    HT_CHECK(!says("\"h1\""));
    static const char *const looks[] = {"", "/history", "/notice"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, NOTICES "/%s%s", id, looks[i]);
        HT_CHECK_INT(get_as(VIEWER, path), 404);
        HT_CHECK_INT(get_as(DISPATCHER, path), 200);
    }
    HT_CHECK_INT(audited(), 3);
    HT_CHECK_INT(get_as(VIEWER, NOTICES "/wanted"), 200);
    HT_CHECK(!says("\"h1\"") && says("\"f1\""));
    HT_CHECK_INT(get_as(VIEWER, NOTICES "/sums"), 200);
    HT_CHECK(is("cells.0.open", "1"));
    HT_CHECK_INT(get_as(DISPATCHER, NOTICES "/sums"), 200);
    HT_CHECK(is("cells.0.open", "2"));
    HT_CHECK_INT(get_as(VIEWER, "/v1/stream?topics=rectifications"), 403);
    end();
}

HT_CASE(an_inspector_reads_the_notice_that_a_re_visit_is_for)
{
    char id[80];
    char path[160];
    char body[240];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(
        post_as(DISPATCHER, VISITS, "{\"id\":\"v1\",\"site\":\"f1\",\"inspector\":\"i1\"}"), 201);
    HT_CHECK_INT(post_as(I1, VISITS "/v1/result", RECTIFY(HAZARD("wires"))), 200);
    (void)snprintf(id, sizeof id, "%s", text_at("rectifications.0.id"));
    (void)snprintf(path, sizeof path, NOTICES "/%s", id);
    HT_CHECK_INT(get_as(I2, path), 404);
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"v2\",\"site\":\"f1\",\"inspector\":\"i2\",\"purpose\":\"revisit\","
                   "\"rectification\":\"%s\"}",
                   id);
    HT_CHECK_INT(post_as(DISPATCHER, VISITS, body), 201);
    HT_CHECK_INT(get_as(I2, path), 200);
    HT_CHECK(is("revisit", "\"v2\""));
    HT_CHECK_INT(get_as(I2, NOTICES), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "rectifications"), 1);
    HT_CHECK_INT(get_as(I1, path), 200);
    end();
}

HT_CASE(what_is_personal_goes_and_the_chain_stays)
{
    char id[80];
    char path[160];
    HT_REQUIRE(begin_town());
    (void)snprintf(id, sizeof id, "%s", hazard_find("v1", RECTIFY(HAZARD("Mr Wang smokes"))));
    HT_CHECK_INT(send_body("DELETE", VISITS "/v1/personal", "", ""), 204);
    (void)snprintf(path, sizeof path, NOTICES "/%s/personal", id);
    HT_CHECK_INT(send_body("DELETE", path, "", ""), 409);
    HT_CHECK_INT(send_body("DELETE", VISITS "/v9/personal", "", ""), 404);
    advance(60);
    HT_CHECK_INT(visit_add("v2", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v2", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v2\"}"), 200);
    HT_CHECK_INT(send_body("DELETE", path, "", ""), 204);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM visit_notes"), 1);
    HT_CHECK_INT(look(id, ""), 200);
    HT_CHECK(!says("smokes"));
    /* and with the household */
    HT_CHECK_INT(visit_add("h", "h1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("h", "{\"outcome\":\"done\",\"reason\":\"by phone\"}"), 200);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM visit_notes"), 2);
    HT_CHECK_INT(send_body("DELETE", "/collections/households/items/h1", "", ""), 204);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM visit_notes"), 1);
    audit_holds();
    end();
}

/* ---- lists, the stream, keys ---- */

HT_CASE(a_list_is_filtered_and_read_on)
{
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 5; i++) {
        char id[16];
        char more[160];
        (void)snprintf(id, sizeof id, "v%d", i);
        (void)snprintf(more, sizeof more,
                       ",\"inspector\":\"i%d\",\"start\":\"2026-03-0%dT09:00:00+08:00\",\"end\":"
                       "\"2026-03-0%dT10:00:00+08:00\"",
                       1 + i % 2, 3 + i, 3 + i);
        HT_CHECK_INT(visit_add(id, i < 3 ? "f1" : "s1", more), 201);
    }
    HT_CHECK_INT(get(VISITS "?limit=2"), 200);
    HT_CHECK(is("visits.0.id", "\"v4\"") && is("visits.1.id", "\"v3\"") && is("before", "4"));
    HT_CHECK_INT(get(VISITS "?limit=2&before=4"), 200);
    HT_CHECK(is("visits.0.id", "\"v2\"") && is("before", "2"));
    HT_CHECK_INT(get(VISITS "?limit=2&before=2"), 200);
    HT_CHECK(is("visits.0.id", "\"v0\"") && !says("before"));
    HT_CHECK_INT(get(VISITS "?site=f1&inspector=i1"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 2);
    HT_CHECK_INT(get(VISITS "?from=2026-03-04&to=2026-03-05"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 2);
    HT_CHECK_INT(get(VISITS "?state=done,missed"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "visits"), 0);
    end();
}

HT_CASE(a_key_answers_twice_and_the_stream_tells_all)
{
    struct ht_sse sse;
    char first[80];
    HT_REQUIRE(begin_town());
    HT_REQUIRE(
        ht_sse_open(&sse, port, "/v1/stream?topics=visits,rectifications", "Last-Event-ID: 0\r\n"));
    HT_CHECK_INT(post(VISITS, JSON "Idempotency-Key: k1\r\n",
                      "{\"site\":\"f1\",\"inspector\":"
                      "\"i1\"}"),
                 201);
    (void)snprintf(first, sizeof first, "%s", text_at("id"));
    HT_CHECK_INT(post(VISITS, JSON "Idempotency-Key: k1\r\n",
                      "{\"site\":\"f1\",\"inspector\":"
                      "\"i1\"}"),
                 201);
    HT_CHECK_STR(text_at("id"), first);
    HT_CHECK_INT(result(first, RECTIFY(HAZARD("wires"))), 200);
    static const char *const kinds[] = {"visit.planned", "visit.reported", "rectification.opened"};
    for (int i = 0; i < 3; i++) {
        HT_REQUIRE(ht_sse_next(&sse));
        HT_CHECK_STR(sse.event, i < 2 ? "visits" : "rectifications");
        HT_CHECK(strstr(sse.data, kinds[i]) != NULL);
        HT_CHECK(strstr(sse.data, "wires") == NULL && strstr(sse.data, "121.7") == NULL);
    }
    ht_sse_close(&sse);
    end();
}

/* ---- evidence ---- */

static void file_write(const char *path)
{
    FILE *file = fopen(path, "wb");
    HT_REQUIRE(file != NULL);
    HT_CHECK(fwrite(answer.body, 1, strlen(answer.body), file) == strlen(answer.body));
    (void)fclose(file);
}

static int audit_run(const char *path, const char *more)
{
    char line[512];
    (void)snprintf(line, sizeof line, "audit %s %s", path, more);
    return ht_command_run(line)->code;
}

HT_CASE(the_events_are_taken_elsewhere_and_audited_there)
{
    char csv[160];
    char json[160];
    char more[200];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(get_as(DISPATCHER, "/v1/events"), 403);
    HT_CHECK_INT(post_as(ADMIN, VISITS, "{\"id\":\"v1\",\"site\":\"f1\",\"inspector\":\"i1\"}"),
                 201);
    HT_CHECK_INT(post_as(I1, VISITS "/v1/result", RECTIFY(HAZARD("wires"))), 200);
    (void)snprintf(csv, sizeof csv, "%s/events.csv", folder);
    (void)snprintf(json, sizeof json, "%s/events.json", folder);
    HT_CHECK_INT(get_as(ADMIN, "/v1/events?format=csv"), 200);
    HT_CHECK(strncmp(answer.body, "seq,district,", 13) == 0 && !says("wires"));
    file_write(csv);
    HT_CHECK_INT(audit_run(csv, ""), 0);
    char *row = strstr(answer.body, "visit.planned");
    HT_REQUIRE(row != NULL);
    *row = 'w';
    file_write(csv);
    HT_CHECK_INT(audit_run(csv, ""), 1);
    /* a piece by itself, and the whole by the command */
    HT_CHECK_INT(get_as(ADMIN, "/v1/events?after=3&limit=4"), 200);
    HT_CHECK(is("count", "4") && is("events.0.seq", "4"));
    file_write(json);
    HT_CHECK_INT(audit_run(json, ""), 0);
    HT_CHECK_INT(get_as(ADMIN, "/v1/events?after=300000"), 400);
    HT_CHECK_INT(get_as(ADMIN, "/v1/events?format=xml"), 400);
    HT_CHECK_INT(get_as(STRANGER, "/v1/events"), 403);
    (void)unlink(json);
    (void)snprintf(more, sizeof more, "-o %s", json);
    HT_CHECK_INT(audit_run(store, more), 0);
    HT_CHECK_INT(audit_run(store, more), 1); /* it is there */
    HT_CHECK_INT(audit_run(json, ""), 0);
    HT_CHECK_INT(audit_run(json,
                           "--last "
                           "0000000000000000000000000000000000000000000000000000000000000000"),
                 1);
    HT_CHECK_INT(audit_run(json, "--last 00"), 2);
    end();
}

/* ---- restarts ---- */

/* All that is answered of both. */
static void everything(char *out, size_t room)
{
    size_t size = 0;
    static const char *const paths[] = {VISITS "?limit=1000", NOTICES "?limit=1000",
                                        NOTICES "/wanted", NOTICES "/sums"};
    for (size_t i = 0; i < 4; i++) {
        HT_CHECK_INT(get(paths[i]), 200);
        size += (size_t)snprintf(out + size, room - size, "%s\n", answer.body);
        HT_CHECK(size < room);
    }
}

HT_CASE(a_restart_and_a_kill_change_nothing)
{
    enum { ROOM = 1 << 18 };
    char *before = calloc(1, ROOM);
    char *after = calloc(1, ROOM);
    char id[80];
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 4; i++) {
        char visit[16];
        char hazard[160];
        (void)snprintf(visit, sizeof visit, "v%d", i);
        (void)snprintf(hazard, sizeof hazard, RECTIFY("{\"text\":\"x%d\",\"severity\":%d}"), i % 3,
                       1 + i);
        (void)snprintf(id, sizeof id, "%s", hazard_find(visit, hazard));
        HT_CHECK(id[0] != '\0');
        advance(DAY);
    }
    HT_CHECK_INT(visit_add("v9", "f1", ",\"inspector\":\"i1\""), 201);
    HT_CHECK_INT(result("v9", DONE), 200);
    HT_CHECK_INT(notice_act(id, "{\"event\":\"close\",\"visit\":\"v9\"}"), 200);
    HT_CHECK_INT(post(NOTICES "/checks", JSON, "{\"seed\":18446744073709551,\"count\":1}"), 201);
    HT_CHECK_INT(visit_add("v10", "f2", ",\"inspector\":\"i2\""), 201);
    everything(before, ROOM);
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-06T02:00:00Z,0", store);
    HT_REQUIRE(begin(options));
    everything(after, ROOM);
    HT_CHECK(strcmp(before, after) == 0);
    /* what was answered outlives kill -9, and numbers go on */
    HT_CHECK_INT(strlen(hazard_find("v11", RECTIFY(HAZARD("new")))) > 0, 1);
    HT_CHECK(is("rectifications.0.number", "4"));
    everything(before, ROOM);
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    child = -1;
    HT_REQUIRE(begin(options));
    everything(after, ROOM);
    HT_CHECK(strcmp(before, after) == 0);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_visits_skipped 0"));
    audit_holds();
    end();
    free(before);
    free(after);
}

HT_CASE(without_a_store_there_are_no_visits)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get(VISITS), 503);
    HT_CHECK_INT(get(NOTICES), 503);
    HT_CHECK_INT(post(VISITS, JSON, "{\"site\":\"f1\"}"), 503);
    end();
}

HT_SERVED_MAIN()
