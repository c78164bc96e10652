/* The emergency desk over HTTP: an alarm sends the closest, the loop goes to its end, time runs
 * out, nobody is free, and who may do and see what. */
#include <sqlite3.h>
#include <sys/resource.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/served.h"
#include "tests/support/sse.h"
#include "tests/support/store_number.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define UNITS "/collections/units/items"
#define HOMES "/collections/households/items"
#define DEVICES "/collections/devices/items"
#define INCIDENTS "/v1/incidents"

/* Two numbers differ by no more than that. */
#define HT_CHECK_NEAR(got, want, most) HT_CHECK(fabs((got) - (want)) <= (most))

static char store[HT_PG_URL];
static char options[1024];
static char tokens[128];

static bool begin_town(const char *more)
{
    static int number;
    char name[32];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(name, sizeof name, "incidents%d", number++);
    if (!ht_store_place(store, sizeof store, folder, name)) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0 %s", store,
                   more);
    return begin(options);
}

static void item_add(const char *path, const char *headers, const char *id, double lon, double lat,
                     const char *properties)
{
    char text[512];
    char all[256];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,%f]},\"properties\":{%s}}",
                   id, lon, lat, properties);
    (void)snprintf(all, sizeof all, GEO "%s", headers);
    HT_CHECK_INT(post(path, all, text), 201);
}

static void unit_add(const char *id, double lon, const char *more)
{
    char properties[256];
    (void)snprintf(properties, sizeof properties,
                   "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\"%s", more);
    item_add(UNITS, "", id, lon, 29.95, properties);
}

static void device_add(const char *id, const char *household, const char *headers)
{
    char text[256];
    char all[256];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,"
                   "\"properties\":{\"household\":\"%s\"}}",
                   id, household);
    (void)snprintf(all, sizeof all, GEO "%s", headers);
    HT_CHECK_INT(post(DEVICES, all, text), 201);
}

static int alarm_send(const char *body)
{
    return post(INCIDENTS, JSON, body);
}

static int happens_as(const char *headers, const char *id, const char *body)
{
    char path[128];
    char all[256];
    (void)snprintf(path, sizeof path, INCIDENTS "/%s/events", id);
    (void)snprintf(all, sizeof all, JSON "%s", headers);
    return post(path, all, body);
}

static int happens(const char *id, const char *event)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"event\":\"%s\"}", event);
    return happens_as("", id, body);
}

static int look(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, INCIDENTS "/%s", id);
    return get(path);
}

static bool is(const char *path, const char *want)
{
    return answer.body != NULL && ht_json_is(answer.body, path, want);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
}

/* The events of an incident, by their kinds and units. */
static const char *told(const char *id)
{
    static char text[2048];
    char subject[96];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    text[0] = '\0';
    (void)snprintf(subject, sizeof subject, "incidents/%s", id);
    if (ht_pg_wanted()) {
        char sql[512];
        (void)snprintf(sql, sizeof sql,
                       "SELECT substr(kind, 10) || coalesce(' ' || (body->>'unit'), '') || "
                       "coalesce(' ' || (body->>'level'), '') FROM events WHERE subject = '%s' "
                       "AND kind LIKE 'incident.%%' ORDER BY seq",
                       subject);
        ht_pg_rows(store, sql, ", ", text, sizeof text);
        return text;
    }
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db,
                           "SELECT substr(kind, 10) || coalesce(' ' || (body->>'unit'), '') || "
                           "coalesce(' ' || (body->>'level'), '') FROM events WHERE subject = ?1 "
                           "AND kind LIKE 'incident.%' ORDER BY seq",
                           -1, &statement, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
        while (sqlite3_step(statement) == SQLITE_ROW && size < sizeof text) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", size == 0 ? "" : ", ",
                                     sqlite3_column_text(statement, 0));
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

static void audit_holds(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

static bool busy(const char *unit)
{
    char want[64];
    (void)snprintf(want, sizeof want, "\"unit\":\"%s\"", unit);
    return get("/v1/closest?lon=121.71&lat=29.95&status=busy") == 200 && says(want);
}

static void town_fill(void)
{
    item_add(HOMES, "", "h1", 121.7105, 29.9505,
             "\"name\":\"王\",\"floor\":4,\"lift\":false,\"entrance\":[121.7104,29.9505]");
    item_add(HOMES, "", "h2", 121.7105, 29.9505, "\"floor\":4,\"lift\":true");
    unit_add("r1", 121.712, "");
    unit_add("r2", 121.716, "");
    unit_add("r3", 121.724, ",\"skills\":[\"first_aid\"]");
}

HT_CASE(an_alarm_sends_the_closest_and_the_loop_goes_to_its_end)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(get("/v1/closest?lon=121.7104&lat=29.9505&k=1"), 200);
    const char *first = ht_json_at(answer.body, "closest.0.duration_s");
    char duration[32] = "";
    (void)snprintf(duration, sizeof duration, "%.*s", (int)strcspn(first, ","), first);
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\",\"severity\":3}"), 201);
    HT_CHECK_STR(ht_answer_header(&answer, "Location"), INCIDENTS "/i1");
    HT_CHECK(is("id", "\"i1\"") && is("state", "\"assigned\"") && is("household", "\"h1\""));
    HT_CHECK(is("assigned.0.unit", "\"r1\"") && is("assigned.0.duration_s", duration));
    HT_CHECK(is("deadline", "\"2026-03-02T02:10:00.000Z\"") && is("within_promise", "true"));
    HT_CHECK(busy("r1") && !busy("r2"));
    HT_CHECK_INT(happens("i1", "ack"), 200);
    HT_CHECK(is("state", "\"acknowledged\""));
    HT_CHECK_INT(happens("i1", "enroute"), 200);
    HT_CHECK_INT(happens("i1", "coordinate"), 409); /* nobody is there */
    HT_CHECK_INT(happens("i1", "arrive"), 200);
    HT_CHECK_INT(happens("i1", "follow_up"), 200);
    HT_CHECK_INT(happens("i1", "coordinate"), 200);
    HT_CHECK(is("state", "\"onscene\"") && is("arrived_at", "\"2026-03-02T02:00:00.000Z\""));
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"resolve\",\"outcome\":\"helped\"}"), 200);
    HT_CHECK(is("state", "\"resolved\"") && is("outcome", "\"helped\""));
    HT_CHECK(!busy("r1"));
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"evaluate\",\"rating\":5}"), 200);
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("state", "\"evaluated\"") && is("rating", "5"));
    HT_CHECK_STR(told("i1"), "received, assigned r1, acknowledged r1, enroute r1, arrived r1, "
                             "followed_up, coordinated, resolved, released r1, evaluated");
    HT_CHECK_INT(get(INCIDENTS "/i1/history"), 200);
    HT_CHECK(is("history.1.event", "\"assigned\"") && is("history.1.body.unit", "\"r1\""));
    HT_CHECK(is("history.0.actor", "\"local\"") && is("history.9.event", "\"evaluated\""));
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(is("levels.0.share", "1") && is("outcomes.sos.helped", "1"));
    HT_CHECK(is("arrived_in_time", "1") && is("ratings.4", "1"));
    end();
    audit_holds();
}

HT_CASE(the_way_to_the_door_counts)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    double stairs = strtod(ht_json_at(answer.body, "assigned.0.access_s"), NULL);
    HT_CHECK_INT(alarm_send("{\"household\":\"h2\",\"kind\":\"sos\"}"), 201);
    double lift = strtod(ht_json_at(answer.body, "assigned.0.access_s"), NULL);
    HT_CHECK_INT(alarm_send("{\"lon\":121.7105,\"lat\":29.9505,\"kind\":\"sos\"}"), 201);
    double street = strtod(ht_json_at(answer.body, "assigned.0.access_s"), NULL);
    HT_CHECK_NEAR(lift - street, 40, 0.01); /* one lift; the entrance is the place itself */
    /* three floors, and the ten metres or so from the entrance, which is nearer to no street or
     * farther by as much at most */
    HT_CHECK(stairs > 60 + street - 0.01 && stairs < 60 + street + 2 * 9.7 / 1.2);
    end();
}

HT_CASE(a_wrong_order_is_refused_and_changes_nothing)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK_INT(happens("i1", "enroute"), 409);
    HT_CHECK_INT(happens("i1", "arrive"), 409);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"resolve\",\"outcome\":\"helped\"}"), 409);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"evaluate\",\"rating\":3}"), 409);
    HT_CHECK_INT(happens("i1", "reopen"), 409);
    HT_CHECK_INT(happens("i1", "follow_up"), 409);
    HT_CHECK_INT(alarm_send("{\"kind\":\"sos\",\"lon\":0,\"lat\":0}"), 422);
    HT_CHECK(strstr(answer.body, "the nearest street is") != NULL);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"ack\",\"unit\":\"r2\"}"), 409);
    HT_CHECK_INT(send_body("DELETE", UNITS "/r1", "", ""), 409); /* it is on it */
    HT_CHECK_INT(send_body("DELETE", UNITS "/r1?personal=0", "", ""), 409);
    HT_CHECK_INT(happens("i2", "ack"), 404);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"reassign\",\"unit\":\"nobody\"}"), 409);
    HT_CHECK_STR(told("i1"), "received, assigned r1");
    HT_CHECK_INT(happens_as("If-Match: \"1\"\r\n", "i1", "{\"event\":\"ack\"}"), 412);
    HT_CHECK_INT(happens_as("If-Match: \"2\"\r\n", "i1", "{\"event\":\"ack\"}"), 200);
    HT_CHECK_INT(happens("i1", "ack"), 409);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"reassign\",\"unit\":\"r3\"}"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r3\"") && is("state", "\"assigned\""));
    HT_CHECK_INT(happens("i1", "cancel"), 200);
    HT_CHECK(is("state", "\"cancelled\""));
    HT_CHECK_INT(happens("i1", "ack"), 409);
    HT_CHECK_INT(happens("i1", "reopen"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r1\""));
    end();
    audit_holds();
}

HT_CASE(bad_alarms_are_told_what_is_wrong)
{
    static const struct {
        const char *body;
        int status;
        const char *pointer;
    } bodies[] = {
        {"{", 400, "\"\""},
        {"[]", 400, "\"\""},
        {"{\"household\":\"h1\"}", 400, "\"/kind\""},
        {"{\"kind\":7,\"household\":\"h1\"}", 400, "\"/kind\""},
        {"{\"kind\":\"ufo\",\"household\":\"h1\"}", 422, "\"/kind\""},
        {"{\"kind\":\"sos\"}", 400, "\"\""},
        {"{\"kind\":\"sos\",\"lon\":121.7}", 400, "\"/lat\""},
        {"{\"kind\":\"sos\",\"lon\":\"east\",\"lat\":29.95}", 400, "\"/lon\""},
        {"{\"kind\":\"sos\",\"lon\":721.7,\"lat\":29.95}", 400, "\"/lon\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"lon\":121.7,\"lat\":29.95}", 400,
         "\"/household\""},
        {"{\"kind\":\"sos\",\"household\":\"h 1\"}", 400, "\"/household\""},
        {"{\"kind\":\"sos\",\"household\":\"h9\"}", 422, "\"/household\""},
        {"{\"kind\":\"sos\",\"device\":\"none\"}", 422, "\"/device\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"severity\":5}", 422, "\"/severity\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"severity\":\"3\"}", 400, "\"/severity\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"needs\":[]}", 400, "\"/needs\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"needs\":{\"units\":9}}", 422,
         "\"/needs/units\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"needs\":{\"skills\":[7]}}", 400,
         "\"/needs/skills\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"note\":7}", 400, "\"/note\""},
        {"{\"kind\":\"sos\",\"household\":\"h1\",\"note\":\"a\\u0000b\"}", 400, "\"\""},
    };
    HT_REQUIRE(begin_town(""));
    town_fill();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        HT_CHECK_INT(alarm_send(bodies[i].body), bodies[i].status);
        if (!is("errors.0.pointer", bodies[i].pointer)) {
            HT_CHECK_STR(answer.body, bodies[i].pointer);
        }
    }
    HT_CHECK_INT(get(INCIDENTS), 200);
    HT_CHECK_STR(answer.body, "{\"incidents\":[]}");
    HT_CHECK_INT(alarm_send("{\"kind\":\"sos\",\"household\":\"h1\",\"firmware\":\"2.1\"}"), 201);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"ack\",\"note\":\"\\u0000\"}"), 400);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"ack\",\"note\":\"C:\\\\u0000\"}"), 200);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"fly\"}"), 422);
    HT_CHECK_INT(happens_as("", "i1", "{}"), 400);
    HT_CHECK_INT(happens("i1", "resolve"), 422); /* with what outcome? */
    HT_CHECK_INT(happens("i1", "evaluate"), 422);
    HT_CHECK_INT(get(INCIDENTS "?state=lost"), 400);
    HT_CHECK_INT(get(INCIDENTS "?severity=7"), 400);
    HT_CHECK_INT(get(INCIDENTS "?before=none"), 400);
    HT_CHECK_INT(get(INCIDENTS "?crs=Mars"), 400);
    HT_CHECK_INT(look("none"), 404);
    HT_CHECK_INT(get(INCIDENTS "/none/history"), 404);
    end();
}

HT_CASE(places_come_and_go_in_the_callers_system)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(
        post(INCIDENTS "?crs=GCJ02", JSON, "{\"kind\":\"fall\",\"lon\":121.7150,\"lat\":29.9478}"),
        201);
    HT_CHECK_NEAR(strtod(ht_json_at(answer.body, "lon"), NULL), 121.7150, 2e-7);
    HT_CHECK_NEAR(strtod(ht_json_at(answer.body, "lat"), NULL), 29.9478, 2e-7);
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(fabs(strtod(ht_json_at(answer.body, "lon"), NULL) - 121.7150) > 1e-3);
    HT_CHECK_INT(get(INCIDENTS "/i1?crs=EPSG:4549"), 200);
    HT_CHECK(ht_json_at(answer.body, "geometry.coordinates.0") != NULL &&
             ht_json_at(answer.body, "lon") == NULL);
    const char *projected = ht_json_at(answer.body, "geometry");
    char geometry[160];
    (void)snprintf(geometry, sizeof geometry, "%.*s",
                   projected == NULL ? 0 : (int)strcspn(projected, "}") + 1, projected);
    HT_CHECK_INT(post(INCIDENTS "/i1/events?out_crs=EPSG:4549", JSON, "{\"event\":\"follow_up\"}"),
                 409);
    HT_CHECK_INT(post(INCIDENTS "/i1/events?out_crs=EPSG:4549", JSON, "{\"event\":\"ack\"}"), 200);
    HT_CHECK(is("geometry", geometry)); /* the writer gives what a worker worked out */
    HT_CHECK_INT(post(INCIDENTS "?crs=GCJ02&out_crs=EPSG:4549", JSON,
                      "{\"kind\":\"request\",\"lon\":121.7150,\"lat\":29.9478}"),
                 201);
    HT_CHECK(is("geometry", geometry) && ht_json_at(answer.body, "lon") == NULL);
    HT_CHECK(busy("r1"));
    HT_CHECK_INT(get("/collections/units/items/r1"),
                 200); /* as the registry has it, and as it is */
    HT_CHECK(is("properties.status", "\"idle\"") && is("properties.live_status", "\"busy\""));
    HT_CHECK_INT(get(INCIDENTS "?out_crs=GCJ02&kind=fall&severity=3&limit=1"), 200);
    HT_CHECK_NEAR(strtod(ht_json_at(answer.body, "incidents.0.lon"), NULL), 121.7150, 2e-7);
    HT_CHECK(is("before", "\"i1\""));
    HT_CHECK_INT(get(INCIDENTS "?before=i1"), 200);
    HT_CHECK_STR(answer.body, "{\"incidents\":[]}");
    end();
}

HT_CASE(nobody_free_queues_and_the_gravest_goes_first)
{
    HT_REQUIRE(begin_town(""));
    item_add(HOMES, "", "h1", 121.7105, 29.9505, "\"residents\":1");
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"other\",\"severity\":1}"), 201);
    HT_CHECK(is("state", "\"queued\"") && is("assigned", "[]") && is("within_promise", "false"));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"heart\",\"severity\":4}"), 201);
    HT_CHECK(is("state", "\"queued\""));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\",\"severity\":3}"), 201);
    HT_CHECK_INT(get(INCIDENTS "?state=queued"), 200);
    HT_CHECK(is("incidents.0.id", "\"i3\"") && is("incidents.2.id", "\"i1\""));
    unit_add("r1", 121.712, ""); /* comes into the registry */
    advance(1);
    HT_CHECK_INT(look("i2"), 200);
    HT_CHECK(is("state", "\"assigned\"") && is("assigned.0.unit", "\"r1\""));
    unit_add("r2", 121.714, ",\"shift\":[\"10:30\",\"12:00\"]"); /* off duty: it is 10:00 */
    advance(1);
    HT_CHECK_INT(look("i3"), 200);
    HT_CHECK(is("state", "\"queued\""));
    advance(30 * 60); /* now on duty; r1, who never answered, is passed over meanwhile */
    HT_CHECK_INT(look("i2"), 200);
    HT_CHECK(!is("state", "\"queued\""));
    HT_CHECK(strstr(told("i2"), "passed_over r1") != NULL);
    HT_CHECK_INT(look("i3"), 200);
    HT_CHECK(!is("state", "\"queued\""));
    end();
    audit_holds();
}

HT_CASE(who_declines_or_is_silent_is_passed_over)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK_INT(happens("i1", "decline"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r2\""));
    advance(61); /* a minute to acknowledge */
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r3\""));
    HT_CHECK_STR(told("i1"), "received, assigned r1, declined r1, assigned r2, passed_over r2, "
                             "assigned r3");
    HT_CHECK(!busy("r1") && !busy("r2") && busy("r3"));
    end();
}

HT_CASE(gas_sends_two_and_a_door_waits_for_a_word)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"gas\"}"), 201);
    HT_CHECK(is("assigned.0.unit", "\"r1\"") && is("assigned.1.unit", "\"r2\""));
    HT_CHECK_INT(happens("i1", "ack"), 409); /* which of the two? */
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"ack\",\"unit\":\"r2\"}"), 200);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"), 200);
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"door\"}"), 201);
    HT_CHECK(is("state", "\"received\"") && is("confirmed", "false"));
    HT_CHECK_INT(happens("i2", "confirm"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r1\""));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"door\"}"), 201);
    advance(121); /* nobody said a word: the safe side */
    HT_CHECK_INT(look("i3"), 200);
    HT_CHECK(is("state", "\"assigned\""));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"door\"}"), 201);
    HT_CHECK_INT(happens_as("", "i4", "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"), 200);
    HT_CHECK_STR(told("i4"), "received, resolved");
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(is("outcomes.gas.false_alarm", "1") && is("outcomes.door.false_alarm", "1"));
    end();
}

/* From where a unit is to a place on its latitude, in seconds. */
static double travel_s(const char *unit, double lon)
{
    char path[96];
    char want[64];
    (void)snprintf(path, sizeof path, "/v1/closest?lon=%f&lat=29.95&k=9", lon);
    (void)snprintf(want, sizeof want, "\"unit\":\"%s\",\"duration_s\":", unit);
    HT_CHECK_INT(get(path), 200);
    const char *at = answer.body == NULL ? NULL : strstr(answer.body, want);
    return at == NULL ? NAN : strtod(at + strlen(want), NULL);
}

HT_CASE(coverage_keeps_the_one_whom_others_need)
{
    char body[200];
    HT_REQUIRE(begin_town(""));
    item_add(HOMES, "", "west", 121.698, 29.95, "\"frail\":true");
    unit_add("near", 121.704, "");
    unit_add("spare", 121.718, "");
    double near_s = travel_s("near", 121.710);
    double spare_s = travel_s("spare", 121.710);
    double far_s = travel_s("spare", 121.698);
    HT_REQUIRE(near_s < spare_s && spare_s + 60 < far_s &&
               travel_s("near", 121.698) < (spare_s + far_s) / 2);
    (void)snprintf(body, sizeof body,
                   "{\"kinds\":{\"sos\":{\"promise_s\":%.0f,\"turnout_s\":0}},"
                   "\"walk_mps\":10,\"joint\":false,\"choice\":\"closest\"}",
                   (spare_s + far_s) / 2);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON, body), 200);
    HT_CHECK_INT(alarm_send("{\"lon\":121.710,\"lat\":29.95,\"kind\":\"sos\"}"), 201);
    HT_CHECK(is("assigned.0.unit", "\"near\"") && !says("paid_s"));
    HT_CHECK_INT(happens("i1", "cancel"), 200);
    char *choice = strstr(body, "closest");
    (void)memcpy(choice, "coverage\"}", sizeof "coverage\"}");
    HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON, body), 200);
    HT_CHECK_INT(alarm_send("{\"lon\":121.710,\"lat\":29.95,\"kind\":\"sos\"}"), 201);
    HT_REQUIRE(is("assigned.0.unit", "\"spare\"") && is("within_promise", "true"));
    HT_CHECK_NEAR(strtod(ht_json_at(answer.body, "assigned.0.paid_s"), NULL), spare_s - near_s,
                  0.002);
    /* with the only other one gone, whoever is left comes */
    HT_CHECK_INT(alarm_send("{\"lon\":121.710,\"lat\":29.95,\"kind\":\"sos\"}"), 201);
    HT_CHECK(is("assigned.0.unit", "\"near\""));
    end();
    audit_holds();
}

HT_CASE(needs_of_one_alarm_go_before_the_rule)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"fall\","
                            "\"needs\":{\"skills\":[\"first_aid\"]}}"),
                 201);
    HT_CHECK(is("assigned.0.unit", "\"r3\"") && is("skills.0", "\"first_aid\""));
    static const char diving[] = "{\"household\":\"h1\",\"kind\":\"fall\","
                                 "\"needs\":{\"skills\":[\"diving\"]}}";
    HT_CHECK_INT(alarm_send(diving), 422); /* events hold no words that nobody knows */
    HT_CHECK(is("errors.0.pointer", "\"/needs/skills\"") && !says("diving"));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON,
                           "{\"kinds\":{\"water\":{\"skills\":[\"first_aid\",\"diving\"]}}}"),
                 200);
    HT_CHECK_INT(alarm_send(diving), 201); /* a word of the office's */
    HT_CHECK(is("state", "\"queued\""));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"fall\",\"needs\":{\"units\":2}}"),
                 201);
    HT_CHECK(is("assigned.0.unit", "\"r1\"") && is("assigned.1.unit", "\"r2\""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON,
                           "{\"kinds\":{\"water\":{\"unit_kinds\":[\"inspector\"]}}}"),
                 200);
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"water\"}"), 201);
    HT_CHECK(is("state", "\"queued\"")); /* responders are none */
    end();
}

HT_CASE(alarms_of_a_device_fold_and_a_key_answers_twice)
{
    static const char storm[] = "{\"device\":\"d1\",\"kind\":\"sos\"}";
    HT_REQUIRE(begin_town(""));
    town_fill();
    device_add("d1", "h1", "");
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", storm), 201);
    HT_CHECK(is("household", "\"h1\"") && is("alarms", "1"));
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", storm), 201);
    HT_CHECK(is("alarms", "1"));
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", "{\"kind\":\"gas\"}"), 409);
    HT_CHECK_INT(alarm_send(storm), 200);
    HT_CHECK(is("id", "\"i1\"") && is("alarms", "2"));
    HT_CHECK_INT(alarm_send("{\"device\":\"d1\",\"kind\":\"fall\"}"), 201); /* another kind */
    advance(3600);
    HT_CHECK_INT(alarm_send(storm), 201); /* the window is over */
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(is("folded", "1") && is("devices.0.device", "\"d1\"") &&
             is("devices.0.kinds.sos.alarms", "3"));
    end();
}

HT_CASE(a_key_gets_its_first_answer_though_the_household_is_gone)
{
    static const char alarm[] = "{\"household\":\"h1\",\"kind\":\"sos\"}";
    char first[4096];
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", alarm), 201);
    (void)snprintf(first, sizeof first, "%s", answer.body);
    HT_CHECK_INT(ask("DELETE " HOMES "/h1" HEADERS "\r\n"), 204);
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", alarm), 201);
    HT_CHECK_STR(answer.body, first);
    HT_CHECK_STR(ht_answer_header(&answer, "Location"), INCIDENTS "/i1");
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k2\r\n", alarm), 422);
    HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k1\r\n", "[]"), 409);
    end();
}

HT_CASE(clocks_rise_and_requests_wait_for_working_hours)
{
    HT_REQUIRE(begin_town("")); /* Monday, 10:00 in town */
    item_add(HOMES, "", "h1", 121.7105, 29.9505, "\"residents\":1");
    HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON,
                           "{\"kinds\":{\"sos\":{\"clocks_s\":[60,600,600,600,600]},"
                           "\"request\":{\"clocks_s\":[7200,7200,7200,7200,0]}}}"),
                 200);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/calendar", JSON,
                           "{\"working\":\"Mo-Fr 09:00-11:00; PH off\","
                           "\"holidays\":[\"2026-03-03\"],\"workdays\":[\"2026-03-07\"]}"),
                 200);
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK(is("level", "\"community\"") && is("step_by", "\"2026-03-02T02:01:00.000Z\""));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"request\"}"), 201);
    /* one hour today, none tomorrow, a holiday, and one on Wednesday from 9:00 on */
    HT_CHECK(is("step_by", "\"2026-03-04T02:00:00.000Z\""));
    advance(61);
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("level", "\"sub_district\""));
    advance(61);
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("level", "\"district\""));
    advance(3600);
    HT_CHECK(strstr(told("i1"), "escalated 1, escalated 2") != NULL);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"resolve\",\"outcome\":\"transferred_120\"}"),
                 200);
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(is("levels.2.share", "1") && is("outcomes.sos.transferred_120", "1"));
    end();
}

HT_CASE(a_live_eta_past_the_deadline_is_told_before_it_is_missed)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK(is("within_promise", "true") && is("at_risk", "false"));
    HT_CHECK_INT(happens("i1", "ack"), 200);
    HT_CHECK_INT(happens("i1", "enroute"), 200);
    advance(30);
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("at_risk", "false") && ht_json_at(answer.body, "live_eta") != NULL);
    advance(9 * 60 + 25); /* and it stands where it stood, five seconds before the deadline */
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("at_risk", "true") && is("state", "\"enroute\""));
    HT_CHECK(strstr(told("i1"), "enroute r1, promise_at_risk") != NULL);
    end();
}

/* Takes out what is looked at every few seconds. */
static char *without_live_eta(char *text)
{
    char *at = NULL;
    while ((at = strstr(text, "\"live_eta\":")) != NULL) {
        char *rest = strchr(at, ',') + 1;
        memmove(at, rest, strlen(rest) + 1);
    }
    return text;
}

HT_CASE(all_is_as_it_was_after_a_kill_and_clocks_fire_at_start)
{
    char before[1 << 14];
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\",\"note\":\"狗\"}"), 201);
    HT_CHECK_INT(alarm_send("{\"household\":\"h2\",\"kind\":\"gas\"}"), 201);
    HT_CHECK_INT(alarm_send("{\"lon\":121.7,\"lat\":29.95,\"kind\":\"fall\"}"), 201);
    HT_CHECK_INT(happens("i1", "ack"), 200);
    HT_CHECK_INT(get(INCIDENTS), 200);
    HT_REQUIRE(answer.size < sizeof before);
    (void)strcpy(before, without_live_eta(answer.body));
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    HT_REQUIRE(begin(options)); /* at the same time */
    HT_CHECK_INT(get(INCIDENTS), 200);
    HT_CHECK_STR(without_live_eta(answer.body), before);
    HT_CHECK(busy("r1") && busy("r2") && busy("r3"));
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK(is("id", "\"i4\"") && is("state", "\"queued\""));
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:01:30Z,0", store);
    HT_REQUIRE(begin(options)); /* gas was not acknowledged within the minute */
    advance(0);
    HT_CHECK(strstr(told("i2"), "passed_over r2, passed_over r3") != NULL ||
             strstr(told("i2"), "passed_over r2") != NULL);
    end();
    audit_holds();
}

/* ---- who may what ---- */

static char bearer[5][160];
enum { VIEWER, DISPATCHER, UNIT, DEVICE, ADMIN };

static bool begin_guarded(void)
{
    static const char *const who[] = {"--name v --role viewer", "--name d --role dispatcher",
                                      "--name phone --role device --unit r1",
                                      "--name d1 --role device --household h1",
                                      "--name a --role admin"};
    char line[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/incident.tokens", folder);
    (void)unlink(tokens);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(line, sizeof line, "token add %s %s", tokens, who[i]);
        const struct ht_command_run *run = ht_command_run(line);
        if (run->code != 0) {
            return false;
        }
        (void)snprintf(bearer[i], sizeof bearer[i], "Authorization: Bearer %.*s\r\n",
                       (int)strcspn(run->out, "\n"), run->out);
    }
    (void)snprintf(line, sizeof line, "--tokens %s", tokens);
    return begin_town(line);
}

static int get_as(int who, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, bearer[who]);
    return ask(text);
}

static int alarm_as(int who, const char *body)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", bearer[who]);
    return post(INCIDENTS, all, body);
}

static void guarded_fill(void)
{
    char unit[] = "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\"";
    item_add(HOMES, bearer[ADMIN], "h1", 121.7105, 29.9505, "\"residents\":1");
    item_add(HOMES, bearer[ADMIN], "h2", 121.7105, 29.9505, "\"residents\":1");
    item_add(UNITS, bearer[ADMIN], "r1", 121.712, 29.95, unit);
    item_add(UNITS, bearer[ADMIN], "r2", 121.716, 29.95, unit);
    device_add("d1", "h1", bearer[ADMIN]);
}

static int64_t number_of(const char *sql)
{
    return ht_store_number(store, sql);
}

/* The law's retention: places and notes of what is over go when their time has come, by themselves,
 * and the chain of events stands. */
HT_CASE(what_is_kept_of_incidents_goes_when_its_time_has_come)
{
    static const char notes[] = "SELECT count(*) FROM incident_notes";
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"lon\":121.71,\"lat\":29.95,\"kind\":\"other\",\"note\":\"王\"}"),
                 201);
    HT_CHECK_INT(happens("i1", "cancel"), 200);
    HT_CHECK_INT(alarm_send("{\"lon\":121.71,\"lat\":29.95,\"kind\":\"other\",\"note\":\"李\"}"),
                 201);
    HT_CHECK_INT(alarm_send("{\"lon\":121.71,\"lat\":29.95,\"kind\":\"other\",\"note\":\"张\"}"),
                 201);
    HT_CHECK_INT(happens("i3", "cancel"), 200);
    HT_CHECK_INT(happens("i3", "reopen"), 200);
    advance(2 * 86400);
    HT_CHECK_INT(alarm_send("{\"lon\":121.71,\"lat\":29.95,\"kind\":\"other\",\"note\":\"赵\"}"),
                 201);
    HT_CHECK_INT(happens("i4", "cancel"), 200); /* over, but not for long */
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(says("\"lon\""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/retention", JSON, "{\"incidents_days\":0}"), 422);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/retention", JSON, "{\"incidents_days\":1}"), 200);
    for (int i = 0; i < 600 && number_of(notes) > 3; i++) {
        (void)usleep(50000);
    }
    HT_CHECK_INT((int)number_of(notes), 3);
    HT_CHECK_INT(look("i1"), 200);
    for (int i = 0; i < 600 && says("\"lon\""); i++) { /* memory follows what was written */
        (void)usleep(50000);
        HT_CHECK_INT(look("i1"), 200);
    }
    HT_CHECK(is("state", "\"cancelled\"") && !says("\"lon\""));
    HT_CHECK_INT(get(INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("王") && says("\"erased\"") && says("\"why\":\"retention\""));
    for (int n = 2; n <= 4; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        HT_CHECK_INT(look(id), 200);
        HT_CHECK(says("\"lon\""));
    }
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM events WHERE kind = "
                                "'incident.erased' AND actor = 'houtao'"),
                 1);
    end();
    audit_holds();
    HT_REQUIRE(begin(options)); /* at an earlier time, by its clock: nothing more goes */
    HT_CHECK_INT((int)number_of(notes), 3);
    end();
}

HT_CASE(what_a_unit_tells_by_its_own_device_folds)
{
    static const char own[] = "{\"kind\":\"sos\",\"device\":\"phone\"}";
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_CHECK_INT(alarm_as(UNIT, own), 201);
    HT_CHECK(is("lon", "121.712")); /* where the unit is */
    HT_CHECK_INT(alarm_as(UNIT, own), 200);
    HT_CHECK(is("alarms", "2"));
    HT_CHECK_INT(alarm_as(UNIT, "{\"kind\":\"sos\",\"device\":\"d1\"}"), 403);
    HT_CHECK_INT(alarm_as(UNIT, "{\"kind\":\"sos\"}"), 201); /* of no device: each by itself */
    end();
}

HT_CASE(what_is_over_leaves_memory_and_is_read_from_the_store)
{
    enum { OVER = 60 };
    HT_REQUIRE(begin_town(""));
    town_fill();
    for (int n = 1; n <= OVER; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        HT_REQUIRE(alarm_send("{\"kind\":\"fall\",\"household\":\"h1\"}") == 201);
        HT_REQUIRE(happens(id, "cancel") == 200);
    }
    HT_CHECK_INT(alarm_send("{\"kind\":\"sos\",\"household\":\"h1\"}"), 201);
    HT_CHECK_INT(get(INCIDENTS "/i7?out_crs=GCJ02"), 200);
    char *before = strdup(answer.body);
    HT_CHECK_INT(get(INCIDENTS "?limit=1000"), 200);
    HT_CHECK(is("incidents.60.id", "\"i1\""));
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    char *report = strdup(answer.body);
    advance(3600);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_incidents_held 1\n"));
    HT_CHECK_INT(get(INCIDENTS "/i7?out_crs=GCJ02"), 200);
    HT_CHECK_STR(answer.body, before);
    HT_CHECK_INT(get(INCIDENTS "?state=cancelled&limit=60"), 200);
    HT_CHECK(is("incidents.0.id", "\"i60\"") && is("incidents.59.id", "\"i1\""));
    HT_CHECK_INT(get(INCIDENTS "?before=i41&limit=1&kind=fall"), 200);
    HT_CHECK(is("incidents.0.id", "\"i40\"") && is("before", "\"i40\""));
    HT_CHECK_INT(get(INCIDENTS "?state=resolved"), 200);
    HT_CHECK_STR(answer.body, "{\"incidents\":[]}");
    HT_CHECK_INT(get(INCIDENTS "/i7/history"), 200);
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(ht_json_is(report, "states.cancelled", "60") && is("states.cancelled", "60"));
    HT_CHECK_INT(look("i9999"), 404);
    HT_CHECK_INT(happens("i7", "ack"), 409);
    HT_CHECK_INT(happens("i9999", "ack"), 404);
    HT_CHECK_INT(happens("i8", "reopen"), 200);
    HT_CHECK_INT(look("i8"), 200);
    HT_CHECK(!is("state", "\"cancelled\"") && ht_json_at(answer.body, "lon") != NULL);
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    HT_CHECK(is("states.cancelled", "59") && is("opened", "61"));
    free(before);
    free(report);
    end();
}

HT_CASE(those_that_wait_are_listed_by_number_though_one_was_reopened)
{
    HT_REQUIRE(begin_town(""));
    for (int n = 0; n < 5; n++) {
        HT_REQUIRE(alarm_send("{\"kind\":\"sos\",\"lon\":121.71,\"lat\":29.95}") == 201);
    }
    HT_CHECK_INT(happens("i2", "cancel"), 200);
    advance(3600); /* it leaves memory, and comes back as the newest there */
    HT_CHECK_INT(happens("i2", "reopen"), 200);
    HT_CHECK_INT(get(INCIDENTS "?state=queued&limit=2"), 200);
    HT_CHECK(is("incidents.0.id", "\"i5\"") && is("incidents.1.id", "\"i4\"") &&
             is("before", "\"i4\""));
    HT_CHECK_INT(get(INCIDENTS "?state=queued&limit=2&before=i4"), 200);
    HT_CHECK(is("incidents.0.id", "\"i3\"") && is("incidents.1.id", "\"i2\"") &&
             is("before", "\"i2\""));
    HT_CHECK_INT(get(INCIDENTS "?state=queued&limit=2&before=i2"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1);
    HT_CHECK(is("incidents.0.id", "\"i1\"") && ht_json_at(answer.body, "before") == NULL);
    HT_CHECK_INT(get(INCIDENTS "?state=onscene"), 200);
    HT_CHECK_STR(answer.body, "{\"incidents\":[]}");
    end();
}

HT_CASE(a_report_counts_those_that_began_since)
{
    HT_REQUIRE(begin_town(""));
    town_fill();
    device_add("d1", "h1", "");
    HT_CHECK_INT(alarm_send("{\"device\":\"d1\",\"kind\":\"sos\"}"), 201);
    HT_CHECK_INT(alarm_send("{\"household\":\"h2\",\"kind\":\"fall\"}"), 201);
    HT_CHECK_INT(happens("i2", "cancel"), 200);
    advance(3600);
    HT_CHECK_INT(happens_as("", "i1", "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"), 200);
    HT_CHECK_INT(alarm_send("{\"household\":\"h2\",\"kind\":\"fall\"}"), 201);
    HT_CHECK_INT(happens("i3", "cancel"), 200);
    HT_CHECK_INT(get(INCIDENTS "/report"), 200);
    char *whole = strdup(answer.body);
    HT_CHECK(is("opened", "3") && is("states.cancelled", "2") && is("states.resolved", "1"));
    HT_CHECK_INT(get(INCIDENTS "/report?since=2026-03-02T02:00:00Z"), 200);
    HT_CHECK_STR(answer.body, whole);
    HT_CHECK_INT(get(INCIDENTS "/report?since=2026-03-02T02:30:00Z"), 200); /* by when it began */
    HT_CHECK(is("opened", "1") && is("states.cancelled", "1") && is("states.resolved", "0") &&
             is("devices", "[]"));
    HT_CHECK_INT(get(INCIDENTS "/report?since=yesterday"), 400);
    free(whole);
    end();
}

HT_CASE(each_role_does_what_it_may)
{
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_CHECK_INT(alarm_as(VIEWER, "{\"household\":\"h1\",\"kind\":\"sos\"}"), 403);
    HT_CHECK_INT(alarm_as(DEVICE, "{\"household\":\"h2\",\"kind\":\"sos\"}"), 403);
    HT_CHECK_INT(alarm_as(DEVICE, "{\"lon\":121.7,\"lat\":29.95,\"kind\":\"sos\"}"), 403);
    HT_CHECK_INT(alarm_as(DEVICE, "{\"device\":\"d2\",\"kind\":\"sos\"}"), 403);
    HT_CHECK_INT(alarm_as(DEVICE, "{\"kind\":\"sos\"}"), 201); /* its own household */
    HT_CHECK(is("household", "\"h1\"") && is("assigned.0.unit", "\"r1\""));
    HT_CHECK_INT(alarm_as(UNIT, "{\"household\":\"h1\",\"kind\":\"sos\"}"), 403);
    HT_CHECK_INT(alarm_as(UNIT, "{\"kind\":\"other\"}"), 201); /* where it is */
    HT_CHECK_NEAR(strtod(ht_json_at(answer.body, "lon"), NULL), 121.712, 1e-6);
    HT_CHECK(is("assigned.0.unit", "\"r2\""));

    HT_CHECK_INT(happens_as(bearer[VIEWER], "i1", "{\"event\":\"ack\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[DEVICE], "i1", "{\"event\":\"ack\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i2", "{\"event\":\"ack\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"ack\",\"unit\":\"r2\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"cancel\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"ack\"}"), 200);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"enroute\"}"), 200);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"arrive\"}"), 200);
    HT_CHECK_INT(happens_as(bearer[UNIT], "i1", "{\"event\":\"resolve\",\"outcome\":\"helped\"}"),
                 200);
    HT_CHECK_INT(happens_as(bearer[DEVICE], "i2", "{\"event\":\"evaluate\",\"rating\":4}"), 403);
    HT_CHECK_INT(happens_as(bearer[DEVICE], "i1", "{\"event\":\"evaluate\",\"rating\":4}"), 200);
    HT_CHECK_INT(get_as(VIEWER, INCIDENTS), 200);
    HT_CHECK_INT(get_as(VIEWER, INCIDENTS "/i1"), 200);
    HT_CHECK_INT(get(INCIDENTS), 401);
    end();
    audit_holds();
}

static int erase_as(int who, const char *id)
{
    char text[512];
    (void)snprintf(text, sizeof text, "DELETE " INCIDENTS "/%s/personal" HEADERS "%s\r\n", id,
                   bearer[who]);
    return ask(text);
}

/* What the stream says of the alarm to that token: the data of the event. */
static const char *received_as(struct ht_sse *sse, int who)
{
    bool there = ht_sse_open(sse, port, "/v1/stream?topics=incidents&last_event_id=0", bearer[who]);
    while (there && (there = ht_sse_next(sse)) && strstr(sse->data, ".received") == NULL) {
    }
    return there ? sse->data : "";
}

/* That a home has a device, and of which kind, says who is frail. */
HT_CASE(in_whose_home_an_alarm_was_is_told_to_officers_and_to_who_goes_there)
{
    static const int all[] = {VIEWER, DISPATCHER, UNIT, DEVICE, ADMIN};
    struct ht_sse *sse = calloc(1, sizeof *sse);
    HT_REQUIRE(begin_guarded() && sse != NULL);
    guarded_fill();
    HT_CHECK_INT(alarm_as(DISPATCHER, "{\"device\":\"d1\",\"kind\":\"fall\"}"), 201);
    HT_CHECK(is("assigned.0.unit", "\"r1\""));
    HT_CHECK_INT(alarm_as(DISPATCHER, "{\"household\":\"h2\",\"kind\":\"request\"}"), 201);
    HT_CHECK(is("assigned.0.unit", "\"r2\""));
    HT_CHECK_INT(alarm_as(DISPATCHER, "{\"lon\":121.7105,\"lat\":29.9505,\"kind\":\"other\"}"),
                 201);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        bool first = all[i] != VIEWER; /* r1 goes there, d1 stands there */
        bool second = all[i] == DISPATCHER || all[i] == ADMIN;
        HT_CHECK_INT(get_as(all[i], INCIDENTS "/i1"), 200);
        HT_CHECK(is("household", "\"h1\"") == first && says("\"lon\"") == first);
        HT_CHECK(is("kind", "\"fall\"") && is("assigned.0.unit", "\"r1\""));
        HT_CHECK_INT(get_as(all[i], INCIDENTS "/i2"), 200);
        HT_CHECK(says("\"h2\"") == second && says("\"lat\"") == second);
        HT_CHECK_INT(get_as(all[i], INCIDENTS "/i2?out_crs=EPSG:4549"), 200);
        HT_CHECK(says("coordinates") == second);
        HT_CHECK_INT(get_as(all[i], INCIDENTS "/i3"), 200); /* in the street */
        HT_CHECK(says("121.7105"));
        HT_CHECK_INT(get_as(all[i], INCIDENTS), 200);
        HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 3);
        HT_CHECK(says("\"h1\"") == first && says("\"h2\"") == second);
        HT_CHECK_INT(get_as(all[i], INCIDENTS "?household=h2"), second ? 200 : 403);
        HT_CHECK_INT(get_as(all[i], INCIDENTS "?household=h1"),
                     second || all[i] == DEVICE ? 200 : 403);
        HT_CHECK_INT(get_as(all[i], INCIDENTS "/i1/history"), 200);
        HT_CHECK(says("\"household\"") == second && says("\"device\":") == second);
        HT_CHECK(is("history.0.body.kind", "\"fall\"") &&
                 ht_json_at(answer.body, "history.0.body.severity") != NULL);
    }
    const char *seen = received_as(sse, VIEWER);
    HT_CHECK(strstr(seen, "\"kind\":\"fall\"") != NULL &&
             strstr(seen, "\"incident\":\"i1\"") != NULL);
    HT_CHECK(strstr(seen, "household") == NULL && strstr(seen, "device") == NULL);
    ht_sse_close(sse);
    seen = received_as(sse, DISPATCHER);
    HT_CHECK(strstr(seen, "\"household\":\"h1\"") != NULL && strstr(seen, "\"device\":") != NULL);
    ht_sse_close(sse);
    free(sse);
    end();
}

HT_CASE(what_is_personal_is_shown_to_few_leaves_a_trace_and_can_be_erased)
{
    static const char reads[] = "SELECT count(*) FROM events WHERE kind = 'personal.read'";
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_CHECK_INT(alarm_as(DISPATCHER, "{\"device\":\"d1\",\"kind\":\"sos\",\"note\":\"王奶奶\"}"),
                 201);
    HT_CHECK(!says("d1") && !says("王"));
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "i1", "{\"event\":\"ack\",\"note\":\"门锁\"}"),
                 200);
    HT_CHECK_INT((int)number_of(reads), 0);
    HT_CHECK_INT(get_as(VIEWER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("王") && !says("门锁") && !says("\"d1\""));
    HT_CHECK_INT(get_as(UNIT, INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("王") && !says("\"d1\""));
    HT_CHECK_INT(get_as(VIEWER, INCIDENTS "/report"), 200);
    HT_CHECK(!says("\"d1\"") && is("devices.0.kinds.sos.alarms", "1"));
    HT_CHECK_INT((int)number_of(reads), 0);
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(is("history.0.note", "\"王奶奶\"") && is("history.0.device", "\"d1\""));
    HT_CHECK(is("history.2.note", "\"门锁\""));
    HT_CHECK_INT((int)number_of(reads), 1);
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/report"), 200);
    HT_CHECK(is("devices.0.device", "\"d1\""));
    HT_CHECK_INT((int)number_of(reads), 2);
    /* no event holds a word of it */
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM events WHERE kind LIKE 'incident.%' AND "
                                "(body LIKE '%王%' OR body LIKE '%门锁%' OR body LIKE '%\"d1\"%')"),
                 0);
    HT_CHECK_INT(erase_as(ADMIN, "i1"), 409); /* it is not over */
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "i1", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(erase_as(DISPATCHER, "i1"), 403);
    HT_CHECK_INT(erase_as(ADMIN, "none"), 404);
    HT_CHECK_INT(erase_as(ADMIN, "i1"), 204);
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM incident_notes"), 0);
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("王") && !says("门锁"));
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i1"), 200);
    HT_CHECK(ht_json_at(answer.body, "lon") == NULL);
    end();
    audit_holds();
}

HT_CASE(nobody_else_is_told_which_device_of_a_home_it_was)
{
    static const char codes[] = "SELECT count(*) FROM incident_devices";
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    device_add("d2", "h2", bearer[ADMIN]);
    HT_CHECK_INT(alarm_as(DEVICE, "{\"kind\":\"sos\"}"), 201); /* its token is named like it */
    HT_CHECK_INT(
        happens_as(bearer[DISPATCHER], "i1", "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"),
        200);
    HT_CHECK_INT(happens_as(bearer[DEVICE], "i1", "{\"event\":\"evaluate\",\"rating\":4}"), 200);
    HT_CHECK_INT(
        (int)number_of("SELECT count(*) FROM events WHERE kind LIKE 'incident.%' AND (actor = 'd1' "
                       "OR body LIKE '%\"d1\"%')"),
        0);
    HT_CHECK_INT((int)number_of("SELECT count(DISTINCT actor) FROM events WHERE kind LIKE "
                                "'incident.%' AND actor LIKE 'device:%'"),
                 1);
    HT_CHECK_INT(get_as(VIEWER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("\"d1\"") && !says("withheld"));
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(is("history.0.actor_name", "\"d1\"") && is("history.0.device", "\"d1\""));
    HT_CHECK_INT((int)number_of(codes), 1);
    HT_CHECK_INT(erase_as(ADMIN, "i1"), 204);
    HT_CHECK_INT((int)number_of(codes), 0);
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i1/history"), 200);
    HT_CHECK(!says("\"d1\""));
    HT_CHECK_INT(alarm_as(DEVICE, "{\"kind\":\"sos\"}"), 201); /* has another code from now on */
    HT_CHECK_INT((int)number_of("SELECT count(DISTINCT body->>'device') FROM events WHERE kind = "
                                "'incident.received'"),
                 2);
    HT_CHECK_INT(alarm_as(DISPATCHER, "{\"device\":\"d2\",\"kind\":\"sos\"}"), 201);
    HT_CHECK_INT((int)number_of(codes), 2);
    char text[512];
    (void)snprintf(text, sizeof text, "DELETE " DEVICES "/d1" HEADERS "%s\r\n", bearer[ADMIN]);
    HT_CHECK_INT(ask(text), 204); /* the device is gone, and who it was */
    HT_CHECK_INT((int)number_of(codes), 1);
    (void)snprintf(text, sizeof text, "DELETE " HOMES "/h2" HEADERS "%s\r\n", bearer[ADMIN]);
    HT_CHECK_INT(ask(text), 204); /* the household of the other */
    HT_CHECK_INT((int)number_of(codes), 0);
    HT_CHECK_INT(get_as(DISPATCHER, INCIDENTS "/i3/history"), 200);
    HT_CHECK(!says("\"d2\""));
    end();
    audit_holds();
}

/* The open one goes by the same code, or its alarms would begin another. */
HT_CASE(what_is_erased_leaves_an_open_incident_its_device)
{
    static const char codes[] = "SELECT count(*) FROM incident_devices";
    static const char fall[] = "{\"device\":\"d1\",\"kind\":\"fall\"}";
    static const char sos[] = "{\"device\":\"d1\",\"kind\":\"sos\"}";
    HT_REQUIRE(begin_guarded());
    guarded_fill();
    HT_CHECK_INT(alarm_as(DISPATCHER, fall), 201);
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "i1", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(alarm_as(DISPATCHER, sos), 201);
    HT_CHECK_INT(erase_as(ADMIN, "i1"), 204);
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM incident_places"), 1); /* of the other */
    HT_CHECK_INT((int)number_of(codes), 1);
    HT_CHECK_INT(alarm_as(DISPATCHER, sos), 200);
    HT_CHECK(is("id", "\"i2\"") && is("alarms", "2"));
    HT_CHECK_INT(
        happens_as(bearer[DISPATCHER], "i2", "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"),
        200);
    HT_CHECK_INT((int)number_of(codes), 0); /* and now it is forgotten */
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM incident_codes_ending"), 0);
    HT_CHECK_INT(alarm_as(DISPATCHER, sos), 201);
    HT_CHECK_INT((int)number_of("SELECT count(DISTINCT body->>'device') FROM events WHERE kind = "
                                "'incident.received'"),
                 2);
    end();
    audit_holds();
}

/* How long a file the server may write; 0: any. */
static void room(rlim_t bytes)
{
    struct rlimit limit;
    HT_CHECK(prlimit(child, RLIMIT_FSIZE, NULL, &limit) == 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    HT_CHECK(prlimit(child, RLIMIT_FSIZE, &limit, NULL) == 0);
}

HT_CASE(on_a_full_disk_nothing_is_half_done)
{
    if (ht_pg_wanted()) {
        HT_SKIP("the disk is another server's (geodata/store_pg has it full)");
    }
    HT_REQUIRE(begin_town(""));
    town_fill();
    HT_CHECK_INT(alarm_send("{\"household\":\"h1\",\"kind\":\"sos\",\"note\":\"the dog\"}"), 201);
    room(1000);
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(post(INCIDENTS, JSON "Idempotency-Key: k\r\n",
                          "{\"household\":\"h2\",\"kind\":\"gas\"}"),
                     503);
        HT_CHECK(says("no room left on the disk"));
        HT_CHECK(ht_answer_header(&answer, "Retry-After") != NULL);
        HT_CHECK_INT(happens("i1", "ack"), 503);
    }
    HT_CHECK_INT(get(INCIDENTS "?state=assigned"), 200);
    HT_CHECK(is("incidents.0.id", "\"i1\"") && ht_json_at(answer.body, "incidents.1") == NULL);
    HT_CHECK(busy("r1") && !busy("r2"));
    HT_CHECK_INT(get(INCIDENTS "/i1/history"), 200); /* who reads it can't be noted */
    HT_CHECK(!says("the dog") && is("personal", "\"withheld\""));
    advance(61); /* r1 should be passed over, which can't be written yet */
    HT_CHECK_INT(look("i1"), 200);
    HT_CHECK(is("assigned.0.unit", "\"r1\""));
    room(0);
    HT_CHECK_INT(
        post(INCIDENTS, JSON "Idempotency-Key: k\r\n", "{\"household\":\"h2\",\"kind\":\"gas\"}"),
        201);
    advance(0);
    HT_CHECK_STR(told("i1"), "received, assigned r1, passed_over r1, queued");
    end();
    audit_holds();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:01:01Z,0", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get(INCIDENTS), 200);
    HT_CHECK(is("incidents.0.assigned.0.unit", "\"r2\"") &&
             is("incidents.0.assigned.1.unit", "\"r3\"") && is("incidents.1.state", "\"queued\"") &&
             ht_json_at(answer.body, "incidents.2") == NULL);
    end();
}

HT_CASE(without_a_store_there_is_no_desk)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get(INCIDENTS), 503);
    HT_CHECK_INT(alarm_send("{\"lon\":121.7,\"lat\":29.95,\"kind\":\"sos\"}"), 503);
    end();
}

HT_SERVED_MAIN_AFTER(HT_PG_OR_SKIP())
