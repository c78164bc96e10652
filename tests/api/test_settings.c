/* The office's settings: read, changed, refused, kept, and obeyed at once. */
#include <sqlite3.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

static char store[128];
static char options[512];

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/settings%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int put(const char *name, const char *headers, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/settings/%s", name);
    return send_body("PUT", path, headers, body);
}

HT_CASE(names_in_pointers_are_escaped)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(put("planner", JSON, "{\"a/b~c\":1}"), 422);
    HT_CHECK(says("\"pointer\":\"/a~1b~0c\""));
    HT_CHECK_INT(put("meals", JSON, "{\"kitchens\":{\"k/1\":{}}}"), 422);
    HT_CHECK(says("\"pointer\":\"/kitchens/k~11\""));
    HT_CHECK_INT(put("meals", JSON, "{\"default\":{\"no/such\":1}}"), 422);
    HT_CHECK(says("\"pointer\":\"/default/no~1such\""));
    HT_CHECK_INT(put("regimes", JSON, "{\"war\":{\"a~b\":1}}"), 422);
    HT_CHECK(says("\"pointer\":\"/war/a~0b\""));
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"x/y\":{}}}"), 422);
    HT_CHECK(says("\"pointer\":\"/kinds/x~1y\""));
    HT_CHECK_INT(put("calendar", JSON, "{\"x/y\":[]}"), 422);
    HT_CHECK(says("\"pointer\":\"/x~1y\""));
    end();
}

/* Whether the last answer has it there. */
static bool is(const char *path, const char *want)
{
    bool same = answer.body != NULL && ht_json_is(answer.body, path, want);
    if (!same) {
        (void)printf("  %s is not %s: %.1500s\n", path, want,
                     answer.body == NULL ? "" : answer.body);
    }
    return same;
}

HT_CASE(who_changed_what_is_told_and_texts_by_their_place_alone)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings/planner/history"), 200);
    HT_CHECK_STR(answer.body, "{\"name\":\"planner\",\"history\":[]}");
    HT_CHECK_INT(put("planner", JSON, "{\"run\":false,\"km_s\":90}"), 200);
    HT_CHECK_INT(put("planner", JSON, "{\"km_s\":90}"), 200);
    HT_CHECK_INT(put("planner", JSON, "{\"km_s\":-1}"), 422);
    HT_CHECK_INT(get("/v1/settings/planner/history"), 200);
    HT_CHECK(ht_json_valid(answer.body));
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 2); /* the oldest first */
    HT_CHECK(is("history.0.actor", "\"local\"") && is("history.0.event", "\"changed\""));
    HT_CHECK(is("history.0.body.version", "2"));
    HT_CHECK_INT(ht_json_count_at(answer.body, "history.0.body.changed"), 2);
    HT_CHECK(says("{\"pointer\":\"/run\",\"before\":true,\"after\":false}"));
    HT_CHECK(says("{\"pointer\":\"/km_s\",\"before\":60,\"after\":90}"));
    HT_CHECK_INT(ht_json_count_at(answer.body, "history.1.body.changed"), 1);
    HT_CHECK(says("{\"pointer\":\"/run\",\"before\":false,\"after\":true}"));
    /* within tables: numbers and truths, and lists of them, as they were and are */
    HT_CHECK_INT(put("incidents", JSON,
                     "{\"kinds\":{\"gas\":{\"promise_s\":[900,800,700,480],\"skills\":[\"gas\"]}},"
                     "\"duty\":{\"community\":[\"13800000000\"]}}"),
                 200);
    HT_CHECK_INT(get("/v1/settings/incidents/history"), 200);
    HT_CHECK(says("{\"pointer\":\"/kinds/gas/promise_s\",\"before\":600,"
                  "\"after\":[900,800,700,480]}"));
    HT_CHECK(says("{\"pointer\":\"/kinds/gas/skills\",\"before\":[]}"));
    HT_CHECK(says("\"pointer\":\"/duty/community\""));
    HT_CHECK(!says("13800000000") && !says("\"gas\"]"));
    HT_CHECK_INT(put("calendar", JSON, "{\"holidays\":[\"2026-10-01\"]}"), 200);
    HT_CHECK_INT(get("/v1/settings/calendar/history"), 200);
    HT_CHECK(says("\"before\":[],\"after\":[\"2026-10-01\"]"));
    HT_CHECK_INT(get("/v1/settings/none/history"), 404);
    end();
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    HT_REQUIRE(begin(options)); /* against what the store has, not what is in memory */
    HT_CHECK_INT(put("planner", JSON, "{\"km_s\":91}"), 200);
    HT_CHECK_INT(get("/v1/settings/planner/history"), 200);
    HT_CHECK(says("{\"pointer\":\"/km_s\",\"before\":90,\"after\":91}"));
    end();
}

HT_CASE(what_is_much_is_told_in_part_with_the_number_of_the_rest)
{
    static char body[32768];
    size_t size = (size_t)snprintf(body, sizeof body, "{\"kitchens\":{");
    HT_REQUIRE(begin_town(""));
    for (int i = 0; i < 70; i++) {
        size += (size_t)snprintf(body + size, sizeof body - size, "%s\"k%d\":{\"capacity\":%d}",
                                 i == 0 ? "" : ",", i, i + 1);
    }
    (void)snprintf(body + size, sizeof body - size, "}}");
    HT_CHECK_INT(put("meals", JSON, body), 200);
    HT_CHECK_INT(get("/v1/settings/meals/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history.0.body.changed"), 64);
    HT_CHECK(is("history.0.body.more", "6"));
    end();
}

HT_CASE(settings_are_read_changed_and_kept)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings"), 200);
    HT_CHECK(says(
        "{\"retention\":{\"tracks_days\":30,\"answers_days\":7},"
        "\"live\":{\"stale_s\":120},\"webhooks\":{\"give_up_h\":72},"
        "\"speeds\":{\"learn\":false,\"follow\":false,\"least_trips\":5},"
        "\"planner\":{\"run\":true,\"move_s\":300,\"km_s\":60,\"late_price\":10,"
        "\"late_most_s\":3600,\"spare_s\":300,\"ride_most_s\":2700,\"stop_s\":60,\"load_s\":120,"
        "\"trips_most\":16,\"van_meals\":60},"
        "\"devices\":{\"silence_h\":24,\"gone_s\":600},"
        "\"incidents\":{\"kinds\":{\"sos\":{"));
    HT_CHECK(ht_json_valid(answer.body));
    HT_CHECK_INT(get("/v1/settings/retention"), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"1\"");
    HT_CHECK_INT(put("retention", JSON "If-Match: \"1\"\r\n", "{\"tracks_days\":5}"), 200);
    HT_CHECK_STR(answer.body, "{\"tracks_days\":5,\"answers_days\":7}");
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"2\"");
    HT_CHECK_INT(put("retention", JSON "If-Match: \"1\"\r\n", "{\"tracks_days\":6}"), 412);
    HT_CHECK_INT(put("retention", JSON "If-Match: \"2\"\r\n", "{\"answers_days\":6}"), 200);
    HT_CHECK_STR(answer.body, "{\"tracks_days\":30,\"answers_days\":6}");
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/settings/retention"), 200);
    HT_CHECK_STR(answer.body, "{\"tracks_days\":30,\"answers_days\":6}");
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"3\"");
    end();
}

HT_CASE(rules_of_incidents_are_read_changed_and_kept)
{
    char first[8192];
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings/incidents"), 200);
    HT_REQUIRE(answer.size < sizeof first);
    (void)strcpy(first, answer.body);
    HT_CHECK(ht_json_is(first, "kinds.gas.units", "2"));
    HT_CHECK(ht_json_is(first, "kinds.sos.promise_s", "600"));
    HT_CHECK(ht_json_is(first, "kinds.request.working_hours", "true"));
    HT_CHECK_INT(put("incidents", JSON, first), 200); /* what is read can be written */
    HT_CHECK_STR(answer.body, first);
    HT_CHECK_INT(put("incidents", JSON,
                     "{\"kinds\":{\"sos\":{\"promise_s\":[900,800,700,480],\"severity\":4,"
                     "\"skills\":[\"first_aid\"],\"unit_kinds\":[],\"clocks_s\":[1,2,3,4,0]}},"
                     "\"preempt\":false,\"walk_mps\":0.85}"),
                 200);
    HT_CHECK(ht_json_is(answer.body, "kinds.sos.promise_s.3", "480"));
    HT_CHECK(ht_json_is(answer.body, "kinds.sos.skills.0", "\"first_aid\""));
    HT_CHECK(ht_json_is(answer.body, "kinds.sos.clocks_s.4", "0"));
    HT_CHECK(ht_json_is(answer.body, "kinds.gas.units", "2")); /* what is left out is as at first */
    HT_CHECK(ht_json_is(answer.body, "preempt", "false"));
    HT_CHECK(ht_json_is(answer.body, "walk_mps", "0.85"));
    (void)strcpy(first, answer.body);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"sos\":{\"units\":0}}}"), 422);
    HT_CHECK(ht_json_is(answer.body, "errors.0.pointer", "\"/kinds/sos/units\""));
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"sos\":{\"promise_s\":[1,2,3]}}}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"sos\":{\"promise_s\":1.5}}}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"sos\":{\"clocks_s\":[1,2,3,4]}}}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"sos\":{\"unit_kinds\":[\"bus\"]}}}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":{\"ufo\":{}}}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"kinds\":[]}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"choice\":\"random\"}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"weights\":[1,2,3,0]}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"walk_mps\":0}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"stairs_s\":-1}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"joint\":1}"), 422);
    HT_CHECK_INT(put("incidents", JSON, "{\"unknown\":1}"), 422);
    HT_CHECK_INT(get("/v1/settings/incidents"), 200);
    HT_CHECK_STR(answer.body, first);
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/settings/incidents"), 200);
    HT_CHECK_STR(answer.body, first);
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"3\"");
    end();
}

HT_CASE(the_calendar_is_read_changed_and_kept)
{
    static const char full[] =
        "{\"holidays\":[\"2026-01-01\",{\"from\":\"2026-10-01\",\"to\":\"2026-10-07\"}],"
        "\"school_holidays\":[],\"workdays\":[\"2026-10-10\",{\"date\":\"2026-10-11\",\"as\":"
        "\"Fr\"}],"
        "\"working\":\"Mo-Fr 09:00-17:00; PH off\"}";
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings/calendar"), 200);
    HT_CHECK_STR(answer.body, "{\"holidays\":[],\"school_holidays\":[],\"workdays\":[],"
                              "\"working\":\"Mo-Fr 08:30-12:00,14:00-17:30; PH off\"}");
    HT_CHECK_INT(put("calendar", JSON, full), 200);
    HT_CHECK_STR(answer.body, full);
    HT_CHECK_INT(put("calendar", JSON, "{\"holidays\":[\"2026-13-01\"]}"), 422);
    HT_CHECK(ht_json_is(answer.body, "errors.0.pointer", "\"/holidays/0\""));
    HT_CHECK_INT(put("calendar", JSON, "{\"holidays\":[\"2026-10-01\",\"2026-10-01\"]}"), 422);
    HT_CHECK_INT(
        put("calendar", JSON, "{\"holidays\":[{\"from\":\"2026-10-02\",\"to\":\"2026-10-01\"}]}"),
        422);
    HT_CHECK_INT(put("calendar", JSON, "{\"workdays\":[{\"date\":\"2026-10-10\",\"as\":\"Xx\"}]}"),
                 422);
    HT_CHECK_INT(put("calendar", JSON, "{\"working\":\"whenever\"}"), 422);
    HT_CHECK_INT(put("calendar", JSON, "{\"weekend\":[]}"), 422);
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/settings/calendar"), 200);
    HT_CHECK_STR(answer.body, full);
    end();
}

/* A shift of weekdays ends with the week, but for a Saturday that is worked in exchange; and rests
 * on a holiday. 2026-03-07 is a Saturday; the town's clock is Shanghai's. */
HT_CASE(shifts_obey_the_calendar)
{
    HT_REQUIRE(begin_town("--clock 2026-03-07T02:00:00Z,0"));
    HT_CHECK_INT(post("/collections/units/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"u1\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"responder\","
                      "\"profile\":\"car\",\"shift\":\"Mo-Fr 08:00-18:00; PH off\"}}"),
                 201);
    HT_CHECK_INT(get("/v1/closest?lon=121.71&lat=29.95"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(put("calendar", JSON, "{\"workdays\":[\"2026-03-07\"]}"), 200);
    HT_CHECK_INT(get("/v1/closest?lon=121.71&lat=29.95"), 200);
    HT_CHECK(says("\"unit\":\"u1\""));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":86400}"), 200); /* Sunday */
    HT_CHECK_INT(get("/v1/closest?lon=121.71&lat=29.95"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":86400}"), 200); /* Monday */
    HT_CHECK_INT(get("/v1/closest?lon=121.71&lat=29.95"), 200);
    HT_CHECK(says("\"unit\":\"u1\""));
    HT_CHECK_INT(put("calendar", JSON, "{\"holidays\":[\"2026-03-09\"]}"), 200);
    HT_CHECK_INT(get("/v1/closest?lon=121.71&lat=29.95"), 200);
    HT_CHECK_STR(answer.body, "{\"closest\":[]}");
    end();
}

HT_CASE(what_is_no_setting_is_refused)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(get("/v1/settings/needs"), 404);
    HT_CHECK_INT(put("needs", JSON, "{}"), 404);
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":4}"), 422);
    HT_CHECK(ht_json_is(answer.body, "errors.0.pointer", "\"/stale_s\""));
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":120.5}"), 422);
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":\"120\"}"), 422);
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":999999999999999999999}"), 422);
    HT_CHECK_INT(put("live", JSON, "{\"tracks_days\":5}"), 422);
    HT_CHECK(says("live has no tracks_days"));
    HT_CHECK_INT(put("live", JSON, "[]"), 400);
    HT_CHECK_INT(put("live", JSON, "{"), 400);
    HT_CHECK_INT(ask("DELETE /v1/settings/live" HEADERS "\r\n"), 405);
    HT_CHECK_INT(get("/v1/settings/live"), 200);
    HT_CHECK_STR(answer.body, "{\"stale_s\":120}");
    end();
    HT_REQUIRE(begin("")); /* without a store: read, not written */
    HT_CHECK_INT(get("/v1/settings/live"), 200);
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":60}"), 503);
    end();
}

static bool stale(void)
{
    HT_CHECK_INT(get("/collections/units/items/v1"), 200);
    return says("\"stale\":true");
}

HT_CASE(a_change_counts_at_once)
{
    HT_REQUIRE(begin_town("--clock 2026-03-01T08:00:00Z,0"));
    HT_CHECK_INT(post("/collections/units/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"v1\",\"geometry\":null,\"properties\":{}}"),
                 201);
    HT_CHECK_INT(post("/v1/positions", JSON,
                      "[{\"unit\":\"v1\",\"lon\":121.7,\"lat\":29.95,\"ts\":"
                      "\"2026-02-26T08:00:00Z\"},{\"unit\":\"v1\",\"lon\":121.7,\"lat\":29.95,"
                      "\"ts\":\"2026-03-01T08:00:00Z\"}]"),
                 200);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":90}"), 200);
    HT_CHECK(!stale());
    HT_CHECK_INT(put("live", JSON, "{\"stale_s\":60}"), 200);
    HT_CHECK(stale());
    bool kept = false; /* both are in the store by now or soon */
    for (int i = 0; i < 600 && !kept; i++) {
        HT_CHECK_INT(get("/v1/units/v1/track?from=2026-02-01T00:00:00Z"), 200);
        kept = says("2026-02-26") && says("2026-03-01T08");
        (void)usleep(50000);
    }
    HT_CHECK(kept);
    HT_CHECK_INT(put("retention", JSON, "{\"tracks_days\":2}"), 200);
    bool gone = false;
    for (int i = 0; i < 600 && !gone; i++) {
        HT_CHECK_INT(get("/v1/units/v1/track?from=2026-02-01T00:00:00Z"), 200);
        gone = !says("2026-02-26");
        (void)usleep(50000);
    }
    HT_CHECK(gone && says("2026-03-01T08"));
    HT_CHECK_INT(ask("DELETE /v1/units/v1/track" HEADERS "\r\n"), 204); /* the rest at once */
    HT_CHECK_INT(get("/v1/units/v1/track?from=2026-02-01T00:00:00Z"), 200);
    HT_CHECK(says("\"coordinates\":[]"));
    HT_CHECK_INT(ask("DELETE /v1/units/a%2Fb/track" HEADERS "\r\n"), 404);
    end();
}

HT_SERVED_MAIN()
