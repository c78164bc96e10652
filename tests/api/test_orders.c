/* Orders over HTTP: from the kitchen to the door, what a kitchen refuses, what goes wrong at the
 * door, what a resident sees, who may do what, and what outlives the end of the process. */
#include <sqlite3.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/pg_cluster.h"
#include "tests/support/served.h"
#include "tests/support/sse.h"
#include "tests/support/store_number.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define ORDERS "/v1/orders"
#define NOON "\"due\":[\"2026-03-02T11:15:00+08:00\",\"2026-03-02T12:00:00+08:00\"]"

static char store[HT_PG_URL];
static char options[1024];
static char tokens[128];

static bool is(const char *path, const char *want)
{
    return answer.body != NULL && ht_json_is(answer.body, path, want);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void item_add(const char *collection, const char *headers, const char *id, double lon,
                     const char *properties)
{
    char path[96];
    char text[512];
    char all[256];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,29.95]},\"properties\":{%s}}",
                   id, lon, properties);
    (void)snprintf(all, sizeof all, GEO "%s", headers);
    HT_CHECK_INT(post(path, all, text), 201);
}

/* Plans here are made by hand. */
static void town_make(const char *headers)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", headers);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/planner", all, "{\"run\":false}"), 200);
    item_add("facilities", headers, "k1", 121.712, "\"kind\":\"kitchen\"");
    item_add("facilities", headers, "k2", 121.713, "\"kind\":\"kitchen\"");
    item_add("facilities", headers, "s1", 121.714, "\"kind\":\"station\"");
    item_add("units", headers, "van1", 121.712,
             "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\"");
    item_add("units", headers, "van2", 121.712,
             "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\"");
    item_add("units", headers, "nurse", 121.715,
             "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\"");
    item_add("households", headers, "h1", 121.716, "\"residents\":2,\"name\":\"Wang\"");
    item_add("households", headers, "frail", 121.717,
             "\"residents\":1,\"frail\":true,\"floor\":3,\"name\":\"Li\"");
}

/* It is ten in the morning there. */
static bool begin_store(const char *more)
{
    static int number;
    char name[32];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(name, sizeof name, "orders%d", number++);
    if (!ht_store_place(store, sizeof store, folder, name)) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0 %s", store,
                   more);
    return begin(options);
}

static bool begin_town(void)
{
    bool good = begin_store("");
    if (good) {
        town_make("");
    }
    return good;
}

static int order_send(const char *body)
{
    return post(ORDERS, JSON, body);
}

static void order_add(const char *id, const char *more)
{
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"%s\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "%s}", id, more);
    HT_CHECK_INT(order_send(body), 201);
}

static int happens_as(const char *headers, const char *id, const char *body)
{
    char path[128];
    char all[256];
    (void)snprintf(path, sizeof path, ORDERS "/%s/events", id);
    (void)snprintf(all, sizeof all, JSON "%s", headers);
    return post(path, all, body);
}

static int happens(const char *id, const char *event)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"event\":\"%s\"}", event);
    return happens_as("", id, body);
}

static int plan(const char *id, const char *unit, int sequence)
{
    char body[256];
    (void)snprintf(
        body, sizeof body,
        "{\"event\":\"plan\",\"unit\":\"%s\",\"sequence\":%d,"
        "\"eta\":\"2026-03-02T11:30:00+08:00\",\"eta_low\":\"2026-03-02T11:25:00+08:00\","
        "\"eta_high\":\"2026-03-02T11:36:00+08:00\"}",
        unit, sequence);
    return happens_as("", id, body);
}

static void carry(const char *id, const char *unit)
{
    HT_CHECK_INT(plan(id, unit, 1), 200);
    HT_CHECK_INT(happens(id, "load"), 200);
    HT_CHECK_INT(happens(id, "enroute"), 200);
}

static int look(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, ORDERS "/%s", id);
    return get(path);
}

/* A text of the answer, without its quotes. */
static const char *text_at(const char *path)
{
    static char text[256];
    const char *at = answer.body == NULL ? NULL : ht_json_at(answer.body, path);
    text[0] = '\0';
    if (at != NULL && *at == '"') {
        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
    }
    return text;
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
}

static void setting_put(const char *body)
{
    HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, body), 200);
}

static void audit_holds(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

static int64_t number_of(const char *sql)
{
    return ht_store_number(store, sql);
}

/* The state of an order, and the kinds of its events, by comma. */
static const char *told(const char *id)
{
    static char text[1024];
    char subject[96];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    text[0] = '\0';
    (void)snprintf(subject, sizeof subject, "orders/%s", id);
    if (ht_pg_wanted()) {
        char sql[256];
        (void)snprintf(sql, sizeof sql,
                       "SELECT substr(kind, 7) FROM events WHERE subject = '%s' ORDER BY seq",
                       subject);
        ht_pg_rows(store, sql, ",", text, sizeof text);
        return text;
    }
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT substr(kind, 7) FROM events WHERE subject = ?1 ORDER BY seq",
                           -1, &statement, NULL) == SQLITE_OK) {
        (void)sqlite3_bind_text(statement, 1, subject, -1, SQLITE_STATIC);
        while (sqlite3_step(statement) == SQLITE_ROW && size < sizeof text) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", size == 0 ? "" : ",",
                                     sqlite3_column_text(statement, 0));
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return text;
}

HT_CASE(an_order_goes_from_the_kitchen_to_the_door)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(order_send("{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":[2,1],"
                            "\"ready\":\"2026-03-02T11:00:00+08:00\",\"service_s\":90.5," NOON "}"),
                 201);
    HT_CHECK_STR(ht_answer_header(&answer, "Location"), "/v1/orders/a");
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"1\"");
    HT_CHECK(is("state", "\"received\"") && is("load", "[2,1]") && is("service_s", "90.5"));
    HT_CHECK(is("ready", "\"2026-03-02T03:00:00.000Z\"") && is("household", "\"h1\""));
    HT_CHECK(is("due.1", "\"2026-03-02T04:00:00.000Z\"") && is("lon", "121.716"));
    HT_CHECK(is("handover", "\"door\""));
    HT_CHECK_INT(strlen(text_at("token")), 40);
    HT_CHECK_INT(happens("a", "load"), 409); /* no unit has it */
    HT_CHECK_INT(happens("a", "enroute"), 409);
    HT_CHECK_INT(happens("a", "deliver"), 409);
    HT_CHECK_INT(happens("a", "reopen"), 409);
    HT_CHECK_INT(plan("a", "van1", 4), 200);
    HT_CHECK(is("state", "\"planned\"") && is("unit", "\"van1\"") && is("sequence", "4"));
    HT_CHECK(is("eta_low", "\"2026-03-02T03:25:00.000Z\""));
    HT_CHECK_INT(plan("a", "van2", 2), 200); /* not pinned yet */
    HT_CHECK_INT(happens("a", "load"), 200);
    HT_CHECK(is("state", "\"loaded\"") && is("loaded_at", "\"2026-03-02T02:00:00.000Z\""));
    HT_CHECK_INT(plan("a", "van1", 2), 409); /* pinned */
    HT_CHECK(says("van2"));
    HT_CHECK_INT(plan("a", "van2", 3), 200); /* other times, the same unit */
    HT_CHECK(is("state", "\"loaded\"") && is("sequence", "3"));
    HT_CHECK_INT(happens("a", "load"), 409);
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"enroute\",\"unit\":\"van1\"}"), 409);
    HT_CHECK_INT(happens_as("If-Match: \"2\"\r\n", "a", "{\"event\":\"enroute\"}"), 412);
    HT_CHECK_INT(happens_as("If-Match: \"5\"\r\n", "a", "{\"event\":\"enroute\"}"), 200);
    HT_CHECK_INT(look("a"), 200);
    HT_CHECK(is("state", "\"enroute\"") && is("stops_before", "0"));
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"6\"");
    HT_CHECK_INT(happens("a", "deliver"), 200);
    HT_CHECK(is("state", "\"delivered\"") && is("closed_at", "\"2026-03-02T02:00:00.000Z\""));
    HT_CHECK_INT(happens("a", "cancel"), 409);
    HT_CHECK_INT(happens("a", "deliver"), 409);
    HT_CHECK_INT(happens("none", "deliver"), 404);
    HT_CHECK_STR(told("a"), "received,planned,planned,loaded,planned,enroute,delivered");
    HT_CHECK_INT(happens("a", "reopen"), 200);
    HT_CHECK(is("state", "\"received\"") && !says("\"unit\"") && !says("closed_at"));
    HT_CHECK_INT(get(ORDERS "/a/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 8);
    HT_CHECK(is("history.4.body.unit", "\"van2\"") && is("history.7.event", "\"reopened\""));
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_orders{state=\"received\"} 1\n") && says("houtao_orders_held 1\n"));
    HT_CHECK(says("houtao_orders_skipped 0\n"));
    audit_holds();
    end();
}

HT_CASE(many_come_whole_or_not_at_all_and_a_key_answers_twice)
{
    HT_REQUIRE(begin_town());
    const char *two = "[{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "},"
                      "{\"lon\":121.715,\"lat\":29.951,\"kitchen\":\"k2\",\"load\":3," NOON "}]";
    HT_CHECK_INT(post(ORDERS, JSON "Idempotency-Key: one\r\n", two), 201);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 2);
    HT_CHECK(is("orders.0.id", "\"a\"") && is("orders.1.load", "[3]"));
    HT_CHECK(is("orders.1.lon", "121.715") && is("orders.0.load", "[1]"));
    HT_CHECK(is("orders.0.ready", "\"2026-03-02T02:45:00.000Z\"")); /* half an hour before */
    char *first = strdup(answer.body);
    HT_CHECK_INT(post(ORDERS, JSON "Idempotency-Key: one\r\n", two), 201);
    HT_CHECK_STR(answer.body, first);
    free(first);
    HT_CHECK_INT(post(ORDERS, JSON "Idempotency-Key: one\r\n", "{}"), 409);
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_states"), 2);
    HT_CHECK_INT(order_send("[{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "},"
                            "{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}]"),
                 409);
    HT_CHECK_INT(look("b"), 404);
    HT_CHECK_INT(look("a"), 200); /* and its place is still there */
    HT_CHECK(is("lon", "121.716"));
    HT_CHECK_INT(
        order_send("{\"orders\":[{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON
                   "},{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}]}"),
        409);
    HT_CHECK_INT(
        order_send("{\"orders\":[{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON
                   "},{\"household\":\"h9\",\"kitchen\":\"k1\"," NOON "}]}"),
        422);
    HT_CHECK(is("errors.0.pointer", "\"/orders/1/household\""));
    HT_CHECK_INT(
        order_send("{\"orders\":[{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON
                   "}]}"),
        201);
    HT_CHECK(is("orders.0.id", "\"b\""));
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_cards"), 3);
    end();
}

static const struct {
    const char *body;
    int status;
    const char *pointer;
} wrong_orders[] = {
    {"{", 400, NULL},
    {"7", 400, NULL},
    {"[]", 400, NULL},
    {"[7]", 400, "\"/0\""},
    {"{\"kitchen\":\"k1\"," NOON "}", 400, "\"/household\""},
    {"{\"household\":\"h1\",\"lon\":1,\"lat\":1,\"kitchen\":\"k1\"," NOON "}", 400,
     "\"/household\""},
    {"{\"lon\":1,\"kitchen\":\"k1\"," NOON "}", 400, "\"/lon\""},
    {"{\"lon\":999,\"lat\":1,\"kitchen\":\"k1\"," NOON "}", 400, "\"/lon\""},
    {"{\"household\":\"h 1\",\"kitchen\":\"k1\"," NOON "}", 400, "\"/household\""},
    {"{\"household\":\"h1\"," NOON "}", 400, "\"/kitchen\""},
    {"{\"household\":\"h1\",\"kitchen\":\"s1\"," NOON "}", 422, "\"/kitchen\""},
    {"{\"household\":\"h1\",\"kitchen\":\"none\"," NOON "}", 422, "\"/kitchen\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\"}", 400, "\"/due\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":[\"x\",\"y\"]}", 400, "\"/due\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":[\"2026-03-02T12:00:00Z\","
     "\"2026-03-02T11:00:00Z\"]}",
     422, "\"/due\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":[\"2026-03-01T12:00:00Z\","
     "\"2026-03-01T13:00:00Z\"]}",
     422, "\"/due\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"ready\":\"2026-03-03T12:00:00Z\"," NOON "}", 422,
     "\"/ready\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":[0]," NOON "}", 422, "\"/load\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":[1,-1]," NOON "}", 422, "\"/load\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":[]," NOON "}", 422, "\"/load\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":\"2\"," NOON "}", 400, "\"/load\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"service_s\":-1," NOON "}", 422, "\"/service_s\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"handover\":\"roof\"," NOON "}", 422,
     "\"/handover\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"handover\":1," NOON "}", 422, "\"/handover\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"diets\":\"soft\"," NOON "}", 400, "\"/diets\""},
    {"{\"household\":\"h1\",\"kitchen\":\"k1\",\"note\":7," NOON "}", 400, "\"/note\""},
    {"{\"id\":\"\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}", 400, "\"/id\""},
};

HT_CASE(bad_orders_are_told_what_is_wrong)
{
    HT_REQUIRE(begin_town());
    for (size_t i = 0; i < sizeof wrong_orders / sizeof *wrong_orders; i++) {
        HT_CHECK_INT(order_send(wrong_orders[i].body), wrong_orders[i].status);
        HT_CHECK(wrong_orders[i].pointer == NULL ||
                 is("errors.0.pointer", wrong_orders[i].pointer));
        if (ht_case_failures > 0) {
            (void)printf("  %s\n  %s\n", wrong_orders[i].body, answer.body);
            break;
        }
    }
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE kind LIKE 'order.%'"), 0);
    end();
}

HT_CASE(bad_steps_and_questions_are_told_what_is_wrong)
{
    HT_REQUIRE(begin_town());
    order_add("a", "");
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"fly\"}"), 422);
    HT_CHECK_INT(happens_as("", "a", "{}"), 400);
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"fail\"}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/reason\""));
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"fail\",\"reason\":\"rain\"}"), 422);
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"plan\"}"), 400);
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"plan\",\"unit\":\"ghost\"}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/unit\""));
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"load\",\"unit\":\"ghost\"}"), 422);
    HT_CHECK_INT(get(ORDERS "?state=lost"), 400);
    HT_CHECK_INT(get(ORDERS "?limit=0"), 400);
    HT_CHECK_INT(get(ORDERS "?due=noon"), 400);
    HT_CHECK_INT(get(ORDERS "?before=none"), 400);
    HT_CHECK_INT(get(ORDERS "/none/history"), 404);
    end();
}

/* Two kitchens of a town; what they take. */
static void kitchens_set(void)
{
    setting_put("{\"default\":{\"hours\":\"Mo-Fr 06:00-20:00\"},\"kitchens\":{"
                "\"k1\":{\"cutoff_s\":3600,\"capacity\":5,\"diets\":[\"soft\",\"halal\"],"
                "\"out_of_order\":[{\"from\":\"2026-03-04T08:00:00+08:00\",\"until\":null}]},"
                "\"k2\":{\"order_by\":\"10:30\",\"hours\":null}}}");
}

HT_CASE(a_kitchen_cooks_so_many_meals_and_no_more)
{
    HT_REQUIRE(begin_town());
    kitchens_set();
    HT_CHECK(is("kitchens.k1.hours", "\"Mo-Fr 06:00-20:00\"") && is("kitchens.k2.hours", "null"));
    /* capacity: five meals in a quarter, others in the next */
    order_add("a", ",\"load\":3,\"ready\":\"2026-03-02T11:01:00+08:00\"");
    order_add("b", ",\"load\":2,\"ready\":\"2026-03-02T11:14:00+08:00\"");
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"ready\":"
                            "\"2026-03-02T11:05:00+08:00\"," NOON "}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/kitchen\"") && says("5 meals"));
    order_add("c", ",\"load\":5,\"ready\":\"2026-03-02T11:15:00+08:00\"");
    HT_CHECK_INT(happens("b", "cancel"), 200); /* makes room */
    order_add("d", ",\"load\":2,\"ready\":\"2026-03-02T11:05:00+08:00\"");
    HT_CHECK_INT(happens("b", "reopen"), 422); /* no room any more */
    HT_CHECK(is("errors.0.pointer", "\"/kitchen\""));
    HT_CHECK_INT(happens("d", "cancel"), 200);
    HT_CHECK_INT(happens("b", "reopen"), 200);
    /* a past moment is no way around them */
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"ready\":"
                            "\"2026-03-02T08:00:00+08:00\"," NOON "}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/ready\"") && says("over"));
    /* within one request as well */
    HT_CHECK_INT(order_send("[{\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":3,\"ready\":"
                            "\"2026-03-02T11:31:00+08:00\"," NOON
                            "},{\"household\":\"h1\",\"kitchen\":"
                            "\"k1\",\"load\":3,\"ready\":\"2026-03-02T11:31:00+08:00\"," NOON "}]"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/1/kitchen\""));
    /* the rules and what is ordered outlive a restart */
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"ready\":"
                            "\"2026-03-02T11:05:00+08:00\"," NOON "}"),
                 422);
    HT_CHECK(says("5 meals"));
    end();
}

static int ready_at_k3(const char *ready)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"household\":\"h1\",\"kitchen\":\"k3\",\"ready\":\"2026-03-02T%s:00+08:00\","
                   "\"due\":[\"2026-03-02T11:00:00+08:00\",\"2026-03-02T23:50:00+08:00\"]}",
                   ready);
    return order_send(body);
}

HT_CASE(a_kitchen_without_hours_in_the_settings_keeps_its_own)
{
    HT_REQUIRE(begin_town());
    item_add("facilities", "", "k3", 121.712,
             "\"kind\":\"kitchen\",\"open\":[\"09:30-13:30\",\"15:30-18:30\"]");
    HT_CHECK_INT(ready_at_k3("13:00"), 201);
    HT_CHECK_INT(ready_at_k3("16:00"), 201);
    HT_CHECK_INT(ready_at_k3("14:00"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/ready\"") && says("kitchen k3 is closed at"));
    HT_CHECK_INT(ready_at_k3("22:50"), 422);
    /* each of several has its own */
    HT_CHECK_INT(order_send("[{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":["
                            "\"2026-03-02T23:20:00+08:00\",\"2026-03-02T23:50:00+08:00\"]},"
                            "{\"household\":\"h1\",\"kitchen\":\"k3\",\"due\":["
                            "\"2026-03-02T23:20:00+08:00\",\"2026-03-02T23:50:00+08:00\"]}]"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/1/ready\""));
    setting_put("{\"kitchens\":{\"k3\":{\"hours\":\"Mo-Su 20:00-24:00\"}}}");
    HT_CHECK_INT(ready_at_k3("22:50"), 201);
    HT_CHECK_INT(ready_at_k3("13:00"), 422);
    end();
}

HT_CASE(a_kitchen_refuses_what_it_does_not_take)
{
    HT_REQUIRE(begin_town());
    kitchens_set();
    /* diets */
    order_add("e", ",\"diets\":[\"halal\"],\"ready\":\"2026-03-02T11:30:00+08:00\"");
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"diets\":[\"soft\","
                            "\"raw\"]," NOON "}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/diets\"") && says("raw"));
    /* hours and outages: Saturday, and from the fourth on */
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":["
                            "\"2026-03-07T11:00:00+08:00\",\"2026-03-07T12:00:00+08:00\"]}"),
                 422);
    HT_CHECK(says("out of order"));
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":["
                            "\"2026-03-02T21:00:00+08:00\",\"2026-03-02T22:00:00+08:00\"]}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/ready\"") && says("closed"));
    /* cut-off: an hour before, or half past ten */
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k2\"," NOON "}"), 201);
    advance(20 * 60);
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}"), 422);
    HT_CHECK(is("errors.0.pointer", "\"/due\"") && says("until 2026-03-02T02:15:00.000Z"));
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k2\"," NOON "}"), 201);
    advance(11 * 60);
    HT_CHECK_INT(order_send("{\"household\":\"h1\",\"kitchen\":\"k2\"," NOON "}"), 422);
    HT_CHECK(says("until 2026-03-02T02:30:00.000Z"));
    end();
}

HT_CASE(bad_meal_settings_are_told_what_is_wrong)
{
    static const char *const wrong[][2] = {
        {"{\"x\":1}", "\"/x\""},
        {"{\"service_s\":-1}", "\"/service_s\""},
        {"{\"default\":7}", "\"/default\""},
        {"{\"default\":{\"hours\":\"always\"}}", "\"/default/hours\""},
        {"{\"default\":{\"hours\":7}}", "\"/default/hours\""},
        {"{\"kitchens\":[]}", "\"/kitchens\""},
        {"{\"kitchens\":{\"a b\":{}}}", "\"/kitchens/a b\""},
        {"{\"kitchens\":{\"k1\":{\"order_by\":\"25:00\"}}}", "\"/kitchens/k1/order_by\""},
        {"{\"kitchens\":{\"k1\":{\"capacity\":1.5}}}", "\"/kitchens/k1/capacity\""},
        {"{\"kitchens\":{\"k1\":{\"diets\":[7]}}}", "\"/kitchens/k1/diets\""},
        {"{\"kitchens\":{\"k1\":{\"out_of_order\":[{\"until\":null}]}}}",
         "\"/kitchens/k1/out_of_order\""},
        {"{\"kitchens\":{\"k1\":{\"cook\":1}}}", "\"/kitchens/k1/cook\""},
        {"{\"welfare\":{\"kind\":\"gas\"}}", "\"/welfare/kind\""},
        {"{\"welfare\":{\"severity\":5}}", "\"/welfare/severity\""},
        {"{\"welfare\":7}", "\"/welfare\""},
    };
    HT_REQUIRE(begin_store(""));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, wrong[i][0]), 422);
        HT_CHECK(is("errors.0.pointer", wrong[i][1]));
    }
    HT_CHECK_INT(get("/v1/settings/meals"), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"1\"");
    HT_CHECK(is("welfare", "{\"kind\":\"other\",\"severity\":3}") && is("kitchens", "{}"));
    char *first = strdup(answer.body);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, first), 200);
    HT_CHECK_STR(answer.body, first);
    free(first);
    end();
}

HT_CASE(a_failure_has_a_reason_and_a_next_step)
{
    HT_REQUIRE(begin_town());
    order_add("a", ",\"load\":3");
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"fail\",\"reason\":\"no_answer\"}"), 409);
    HT_CHECK_INT(happens_as("", "a",
                            "{\"event\":\"fail\",\"reason\":\"breakdown\",\"next\":"
                            "\"left_with_neighbour\"}"),
                 409);
    carry("a", "van1");
    HT_CHECK_INT(happens_as("", "a",
                            "{\"event\":\"fail\",\"reason\":\"refused\",\"next\":"
                            "\"partly_delivered\"}"),
                 422);
    HT_CHECK_INT(happens_as("", "a",
                            "{\"event\":\"fail\",\"reason\":\"refused\",\"next\":"
                            "\"partly_delivered\",\"count\":3}"),
                 422);
    HT_CHECK(is("errors.0.pointer", "\"/count\""));
    HT_CHECK_INT(happens_as("", "a",
                            "{\"event\":\"fail\",\"reason\":\"refused\",\"next\":"
                            "\"partly_delivered\",\"count\":2,\"note\":\"two of three\"}"),
                 200);
    HT_CHECK(is("state", "\"failed\"") && is("next", "\"partly_delivered\"") && is("count", "2"));
    HT_CHECK(is("unit", "\"van1\"") && is("failures", "1") && !says("incident"));
    HT_CHECK_INT(get(ORDERS "/a/history"), 200);
    HT_CHECK(is("history.4.note", "\"two of three\""));
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_orders_meals_total 2\n"));
    HT_CHECK(says("houtao_orders_failed_total{reason=\"refused\"} 1\n"));
    order_add("b", "");
    carry("b", "van1");
    HT_CHECK_INT(happens_as("", "b", "{\"event\":\"fail\",\"reason\":\"wrong_address\"}"), 200);
    HT_CHECK(is("next", "\"brought_back\""));
    HT_CHECK_INT(happens_as("", "b", "{\"event\":\"fail\",\"reason\":\"refused\"}"), 409);
    order_add("c", "");
    carry("c", "van1");
    HT_CHECK_INT(
        happens_as("", "c", "{\"event\":\"fail\",\"reason\":\"no_answer\",\"next\":\"retry\"}"),
        200);
    HT_CHECK(is("state", "\"received\"") && is("failures", "1") && is("reason", "\"no_answer\""));
    HT_CHECK(!says("\"unit\"") && !says("incident")); /* nobody frail lives there */
    HT_CHECK_STR(told("c"), "received,planned,loaded,enroute,failed,reopened");
    order_add("d", "");
    HT_CHECK_INT(happens_as("", "d", "{\"event\":\"fail\",\"reason\":\"breakdown\"}"), 200);
    HT_CHECK(is("state", "\"failed\"") && !says("\"next\""));
    audit_holds();
    end();
}

static void frail_order(const char *id)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"%s\",\"household\":\"frail\",\"kitchen\":\"k1\"," NOON "}", id);
    HT_CHECK_INT(order_send(body), 201);
}

HT_CASE(no_answer_at_a_frail_door_opens_an_incident_with_it)
{
    HT_REQUIRE(begin_town());
    frail_order("a");
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"fail\",\"reason\":\"no_answer\"}"), 409);
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE kind LIKE 'incident.%'"),
                 0); /* what can't happen sends nobody */
    carry("a", "van1");
    HT_CHECK_INT(
        happens_as("If-Match: \"1\"\r\n", "a", "{\"event\":\"fail\",\"reason\":\"no_answer\"}"),
        412);
    HT_CHECK_INT(happens_as("Idempotency-Key: x\r\n", "a",
                            "{\"event\":\"fail\",\"reason\":\"no_answer\",\"next\":"
                            "\"left_with_neighbour\"}"),
                 200);
    HT_CHECK(is("state", "\"failed\"") && is("incident", "\"i1\""));
    HT_CHECK_INT(happens_as("Idempotency-Key: x\r\n", "a",
                            "{\"event\":\"fail\",\"reason\":\"no_answer\",\"next\":"
                            "\"left_with_neighbour\"}"),
                 200); /* the same answer, no second one */
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1);
    HT_CHECK(is("incidents.0.kind", "\"other\"") && is("incidents.0.severity", "3"));
    HT_CHECK(is("incidents.0.household", "\"frail\"") && is("incidents.0.state", "\"assigned\""));
    HT_CHECK(is("incidents.0.assigned.0.unit", "\"nurse\""));
    HT_CHECK(ht_json_number_at(answer.body, "incidents.0.assigned.0.access_s") >= 40);
    /* by the setting another kind, and nobody goes before a word was had */
    setting_put("{\"welfare\":{\"kind\":\"door\",\"severity\":null}}");
    frail_order("b");
    carry("b", "van1");
    HT_CHECK_INT(happens_as("", "b", "{\"event\":\"fail\",\"reason\":\"refused\"}"), 200);
    HT_CHECK(!says("incident")); /* they did answer */
    frail_order("c");
    carry("c", "van1");
    HT_CHECK_INT(
        happens_as("", "c", "{\"event\":\"fail\",\"reason\":\"no_answer\",\"next\":\"retry\"}"),
        200);
    HT_CHECK(is("incident", "\"i2\"") && is("state", "\"received\""));
    carry("c", "van1"); /* nor at the second time: somebody is on the way there already */
    HT_CHECK_INT(
        happens_as("", "c", "{\"event\":\"fail\",\"reason\":\"no_answer\",\"next\":\"retry\"}"),
        200);
    HT_CHECK(is("incident", "\"i2\"") && is("failures", "2"));
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 2);
    HT_CHECK_INT(get("/v1/incidents/i2"), 200);
    HT_CHECK(is("kind", "\"door\"") && is("severity", "2"));
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_orders_welfare_total 3\n"));
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE kind = "
                           "'incident.received' AND body->>'household' = 'frail'"),
                 2);
    audit_holds();
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(look("a"), 200);
    HT_CHECK(is("incident", "\"i1\""));
    end();
}

/* ---- what a resident sees ---- */

static int track(const char *token)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/t/%s", token);
    return get(path);
}

static void heard(const char *unit)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "[{\"unit\":\"%s\",\"lon\":121.7123,\"lat\":29.95,\"ts\":"
                   "\"2026-03-02T02:00:00Z\"}]",
                   unit);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
}

HT_CASE(a_token_shows_just_this_order)
{
    char token[5][64];
    char id[16];
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "o%d", i);
        order_add(id, ",\"note\":\"the blue door\"");
        (void)snprintf(token[i], sizeof token[i], "%.60s", text_at("token"));
        HT_CHECK(i == 0 || strcmp(token[i], token[i - 1]) != 0);
    }
    HT_CHECK_INT(track(token[0]), 200);
    HT_CHECK_STR(answer.body, "{\"state\":\"received\"}");
    HT_CHECK_STR(ht_answer_header(&answer, "Cache-Control"), "no-store");
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(plan(id, "van1", i == 4 ? 30 : 10 * i), 200); /* two at the last stop */
    }
    heard("van1");
    HT_CHECK_INT(track(token[0]), 200);
    HT_CHECK_STR(answer.body,
                 "{\"state\":\"planned\",\"stops_before\":0,\"eta\":\"2026-03-02T03:30:00.000Z\","
                 "\"eta_low\":\"2026-03-02T03:25:00.000Z\",\"eta_high\":\"2026-03-02T03:36:00."
                 "000Z\"}"); /* the meal is not on board */
    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(happens(id, "load"), 200);
    }
    HT_CHECK_INT(track(token[2]), 200);
    HT_CHECK(is("stops_before", "2") && is("position.lat", "29.95"));
    HT_CHECK_INT(track(token[4]), 200);
    HT_CHECK(is("stops_before", "3") && !says("position"));
    HT_CHECK_INT(happens("o0", "enroute"), 200);
    HT_CHECK_INT(happens("o0", "deliver"), 200);
    HT_CHECK_INT(track(token[4]), 200);
    HT_CHECK(is("stops_before", "2") && says("\"position\":{\"lon\":121.712"));
    HT_CHECK(!says("van1") && !says("h1") && !says("k1") && !says("o4") && !says("Wang"));
    advance(200); /* the van is silent */
    HT_CHECK_INT(track(token[4]), 200);
    HT_CHECK(is("stops_before", "2") && !says("position"));
    HT_CHECK_INT(track(token[0]), 200);
    HT_CHECK_STR(answer.body, "{\"state\":\"delivered\"}");
    end();
}

HT_CASE(who_comes_to_the_van_is_told_so)
{
    char token[64];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(order_send("{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\","
                            "\"handover\":\"van\"," NOON "}"),
                 201);
    HT_CHECK(is("handover", "\"van\""));
    (void)snprintf(token, sizeof token, "%.60s", text_at("token"));
    HT_CHECK_INT(track(token), 200);
    HT_CHECK_STR(answer.body, "{\"state\":\"received\",\"handover\":\"van\"}");
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(look("a"), 200);
    HT_CHECK(is("handover", "\"van\"")); /* of the record */
    HT_CHECK_INT(happens("a", "cancel"), 200);
    HT_CHECK_INT(track(token), 200);
    HT_CHECK_STR(answer.body, "{\"state\":\"cancelled\"}");
    end();
}

HT_CASE(a_token_dies_an_hour_after_its_order)
{
    char token[2][64];
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 2; i++) {
        order_add(i == 0 ? "o0" : "o1", "");
        (void)snprintf(token[i], sizeof token[i], "%.60s", text_at("token"));
    }
    carry("o0", "van1");
    HT_CHECK_INT(happens("o0", "deliver"), 200);
    carry("o1", "van1");
    advance(3599);
    HT_CHECK_INT(track(token[0]), 200);
    advance(1);
    HT_CHECK_INT(track(token[0]), 404);
    char *gone = strdup(answer.body);
    HT_CHECK_INT(track("0123456789012345678901234567890123456789"), 404);
    HT_CHECK_STR(answer.body, gone); /* alike */
    HT_CHECK_INT(track("o1"), 404);
    HT_CHECK_INT(track("x"), 404);
    free(gone);
    /* the same after a restart, and again after a reopen */
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T03:01:00Z,0", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(track(token[0]), 404);
    HT_CHECK_INT(track(token[1]), 200);
    HT_CHECK(is("state", "\"enroute\""));
    HT_CHECK_INT(look("o1"), 200);
    HT_CHECK_STR(text_at("token"), token[1]);
    HT_CHECK_INT(happens("o0", "reopen"), 200);
    HT_CHECK_INT(track(token[0]), 200);
    HT_CHECK_STR(answer.body, "{\"state\":\"received\"}");
    HT_CHECK_INT(number_of("SELECT count(*) FROM secrets WHERE name <> 'nodes'"), 1);
    end();
}

/* ---- who may do what ---- */

enum { VIEWER, VAN1, HOME, DISPATCHER, ADMIN, CALLERS };
static char bearer[CALLERS][128];

static bool begin_with_tokens(void)
{
    static const char *const who[CALLERS] = {
        "--name look --role viewer", "--name t1 --role device --unit van1",
        "--name home --role device --household h1", "--name dora --role dispatcher",
        "--name root --role admin"};
    char line[256];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/order.tokens", folder);
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

static int step_as(int who, const char *id, const char *event)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"event\":\"%s\",\"unit\":\"van1\"}", event);
    return happens_as(bearer[who], id, body);
}

static int audited(void)
{
    return (int)number_of("SELECT count(*) FROM events WHERE kind = 'personal.read'");
}

/* Whether the stream tells a caller of the incident with the order's failure. */
static bool stream_tells_incident(int who)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    bool failed = false;
    bool tells = false;
    HT_CHECK(sse != NULL &&
             ht_sse_open(sse, port, "/v1/stream?topics=orders&last_event_id=0", bearer[who]));
    while (sse != NULL && !failed && ht_sse_next(sse)) {
        failed = strstr(sse->data, "\"order.failed\"") != NULL;
        tells = failed && strstr(sse->data, "\"incident\"") != NULL;
        HT_CHECK(!failed || strstr(sse->data, "\"no_answer\"") != NULL);
    }
    HT_CHECK(failed);
    ht_sse_close(sse);
    free(sse);
    return tells;
}

static int get_by(const char *token, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", path,
                   token);
    return ask(text);
}

HT_CASE(who_follows_an_order_sees_the_streets_and_the_time_and_nothing_else)
{
    static const char *const open_to_all[] = {"/tiles/streets/14/13730/6762.mvt", "/v1/clock",
                                              "/nearest/v1/car/121.711,29.95"};
    static const char *const others[] = {"/tiles/households/14/13730/6762.mvt",
                                         "/tiles/cells/14/13730/6762.mvt",
                                         "/tiles/households/14/13730/6762.mvt?frail=true"};
    static const char *const closed[] = {"/v1/orders",
                                         "/v1/orders/a",
                                         "/v1/incidents",
                                         "/collections/households/items",
                                         "/v1/settings",
                                         "/v1/units/van1/plan",
                                         "/route/v1/car/121.711,29.95;121.712,29.95",
                                         "/v1/stream",
                                         "/metrics"};
    char token[64];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(post_as(DISPATCHER, ORDERS,
                         "{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}"),
                 201);
    (void)snprintf(token, sizeof token, "%.60s", text_at("token"));
    for (size_t i = 0; i < sizeof open_to_all / sizeof *open_to_all; i++) {
        HT_CHECK_INT(get_by(token, open_to_all[i]), 200);
        HT_CHECK_INT(get_by("0123456789012345678901234567890123456789", open_to_all[i]), 401);
        HT_CHECK_INT(get(open_to_all[i]), 401);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        HT_CHECK_INT(get_by(token, others[i]), 403);
    }
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        HT_CHECK_INT(get_by(token, closed[i]), 401);
    }
    char with[128];
    (void)snprintf(with, sizeof with, JSON "Authorization: Bearer %s\r\n", token);
    HT_CHECK_INT(post("/v1/clock", with, "{\"advance_s\":1}"), 401);
    HT_CHECK_INT(post_as(DISPATCHER, ORDERS "/a/events", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(post_as(ADMIN, "/v1/clock", "{\"advance_s\":7200}"), 200);
    HT_CHECK_INT(get_by(token, "/v1/clock"), 401); /* with the link its other rights end */
    end();
}

HT_CASE(who_may_not_know_who_is_frail_sees_no_incident)
{
    char path[64];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(post_as(ADMIN, ORDERS,
                         "{\"id\":\"f\",\"household\":\"frail\",\"kitchen\":\"k1\"," NOON "}"),
                 201);
    HT_CHECK_INT(happens_as(bearer[ADMIN], "f", "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
    HT_CHECK_INT(step_as(VAN1, "f", "enroute"), 200);
    HT_CHECK_INT(happens_as(bearer[VAN1], "f", "{\"event\":\"fail\",\"reason\":\"no_answer\"}"),
                 200);
    HT_CHECK(!says("incident"));
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, ORDERS "/f%s", i == 0 ? "" : "/history");
        HT_CHECK_INT(get_as(VIEWER, path), 200);
        HT_CHECK(!says("incident") && says("no_answer"));
        HT_CHECK_INT(get_as(DISPATCHER, path), 200);
        HT_CHECK(says("\"incident\":\"i1\""));
    }
    HT_CHECK(!stream_tells_incident(VIEWER));
    HT_CHECK(stream_tells_incident(DISPATCHER));
    end();
}

HT_CASE(what_a_text_is_cut_by_is_refused_and_a_note_is_never_lost)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(order_send("{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\",\"note\":\"at "
                            "the back\\u0000or not\"," NOON "}"),
                 400);
    HT_CHECK(says("NUL"));
    order_add("a", "");
    HT_CHECK_INT(happens_as("", "a", "{\"event\":\"cancel\",\"note\":\"x\\u0000y\"}"), 400);
    for (int i = 0; i < 2; i++) { /* the same plan again, with another word to it */
        char body[200];
        (void)snprintf(body, sizeof body,
                       "{\"event\":\"plan\",\"unit\":\"van1\",\"sequence\":1,\"note\":\"word %d\","
                       "\"eta\":\"2026-03-02T11:30:00+08:00\"}",
                       i);
        HT_CHECK_INT(happens_as("", "a", body), 200);
    }
    HT_CHECK_INT(get(ORDERS "/a/history"), 200);
    HT_CHECK(says("word 0") && says("word 1"));
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 3);
    end();
}

HT_CASE(each_role_does_what_it_may)
{
    static const char mine[] = "{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}";
    static const char other[] =
        "{\"id\":\"b\",\"household\":\"frail\",\"kitchen\":\"k1\"," NOON "}";
    char token[64];
    HT_REQUIRE(begin_with_tokens());
    HT_CHECK_INT(post(ORDERS, JSON, mine), 401);
    HT_CHECK_INT(post_as(VIEWER, ORDERS, mine), 403);
    HT_CHECK_INT(post_as(VAN1, ORDERS, mine), 403);
    HT_CHECK_INT(post_as(HOME, ORDERS, mine), 403);
    HT_CHECK_INT(post_as(DISPATCHER, ORDERS, mine), 201);
    (void)snprintf(token, sizeof token, "%.60s", text_at("token"));
    HT_CHECK_INT(post_as(ADMIN, ORDERS, other), 201);
    /* who reads */
    HT_CHECK_INT(get(ORDERS), 401);
    HT_CHECK_INT(get_as(VIEWER, ORDERS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 2);
    HT_CHECK(!says("token"));
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS), 200);
    HT_CHECK(is("orders.1.id", "\"a\"") && says(token));
    HT_CHECK_INT(get_as(HOME, ORDERS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 1);
    HT_CHECK(is("orders.0.id", "\"a\"") && !says("token"));
    HT_CHECK_INT(get_as(HOME, ORDERS "/b"), 404);
    HT_CHECK_INT(get_as(HOME, ORDERS "/b/history"), 404);
    HT_CHECK_INT(get_as(HOME, ORDERS "/a"), 200);
    HT_CHECK_INT(get_as(HOME, ORDERS "/a/history"), 200);
    HT_CHECK_INT(get_as(VAN1, ORDERS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 0);
    HT_CHECK_INT(get_as(VAN1, ORDERS "/a"), 404);
    /* who acts */
    HT_CHECK_INT(step_as(VIEWER, "a", "cancel"), 403);
    HT_CHECK_INT(step_as(HOME, "a", "cancel"), 403);
    HT_CHECK_INT(step_as(VAN1, "a", "load"), 403); /* not with this unit */
    HT_CHECK_INT(step_as(VAN1, "a", "plan"), 403);
    HT_CHECK_INT(step_as(DISPATCHER, "a", "plan"), 200);
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "b", "{\"event\":\"plan\",\"unit\":\"van2\"}"),
                 200);
    HT_CHECK_INT(get_as(VAN1, ORDERS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 1);
    HT_CHECK_INT(happens_as(bearer[VAN1], "b", "{\"event\":\"load\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"load\",\"unit\":\"van2\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"cancel\"}"), 403);
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"load\"}"), 200);
    HT_CHECK(!says("token"));
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"enroute\"}"), 200);
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"deliver\"}"), 200);
    HT_CHECK_INT(happens_as(bearer[VAN1], "a", "{\"event\":\"reopen\"}"), 403);
    HT_CHECK_INT(step_as(DISPATCHER, "b", "cancel"), 409); /* it is van2's */
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "b", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(track(token), 200); /* needs no other token */
    HT_CHECK_STR(answer.body, "{\"state\":\"delivered\"}");
    end();
}

static void personal_orders(void)
{
    char all[256];
    (void)snprintf(all, sizeof all, JSON "%s", bearer[ADMIN]);
    HT_CHECK_INT(
        send_body("PUT", "/v1/settings/meals", all, "{\"default\":{\"diets\":[\"diabetic\"]}}"),
        200);
    HT_CHECK_INT(post_as(DISPATCHER, ORDERS,
                         "[{\"id\":\"a\",\"household\":\"h1\",\"kitchen\":\"k1\",\"diets\":["
                         "\"diabetic\"],\"note\":\"ring twice\"," NOON
                         "},{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}]"),
                 201);
    HT_CHECK(!says("diabetic") && !says("ring"));
}

HT_CASE(what_is_personal_is_shown_to_few_and_leaves_a_trace)
{
    HT_REQUIRE(begin_with_tokens());
    personal_orders();
    HT_CHECK_INT(audited(), 0);
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "/b"), 200);
    HT_CHECK_INT(audited(), 0); /* there is nothing */
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "/a"), 200);
    HT_CHECK(is("diets", "[\"diabetic\"]"));
    HT_CHECK_STR(ht_answer_header(&answer, "ETag"), "\"1\"");
    HT_CHECK_INT(audited(), 1);
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "?kitchen=k1"), 200);
    HT_CHECK(is("orders.1.diets", "[\"diabetic\"]"));
    HT_CHECK_INT(audited(), 2);
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "/a/history"), 200);
    HT_CHECK(is("history.0.note", "\"ring twice\""));
    HT_CHECK_INT(audited(), 3);
    static const int others[] = {VIEWER, HOME};
    for (int i = 0; i < 2; i++) {
        HT_CHECK_INT(get_as(others[i], ORDERS "/a"), 200);
        HT_CHECK(!says("diabetic") && !says("withheld"));
        HT_CHECK_INT(get_as(others[i], ORDERS), 200);
        HT_CHECK(!says("diabetic"));
        HT_CHECK_INT(get_as(others[i], ORDERS "/a/history"), 200);
        HT_CHECK(!says("ring"));
    }
    HT_CHECK_INT(audited(), 3);
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE body LIKE '%diabetic%' "
                           "OR body LIKE '%ring%'"),
                 0);
    end();
}

HT_CASE(what_is_personal_goes_with_the_order_and_with_the_household)
{
    const char *all = bearer[ADMIN];
    HT_REQUIRE(begin_with_tokens());
    personal_orders();
    HT_CHECK_INT(send_body("DELETE", ORDERS "/a/personal", all, ""), 409);
    HT_CHECK_INT(happens_as(bearer[ADMIN], "a", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(send_body("DELETE", ORDERS "/a/personal", bearer[DISPATCHER], ""), 403);
    HT_CHECK_INT(send_body("DELETE", ORDERS "/a/personal", all, ""), 204);
    HT_CHECK_INT(send_body("DELETE", ORDERS "/none/personal", all, ""), 404);
    HT_CHECK_INT(happens_as(bearer[DISPATCHER], "a", "{\"event\":\"reopen\"}"),
                 409); /* to where? */
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "/a"), 200);
    HT_CHECK(!says("diabetic") && !says("lon") && is("state", "\"cancelled\""));
    HT_CHECK_INT(get_as(DISPATCHER, ORDERS "/a/history"), 200);
    HT_CHECK(!says("ring") && says("\"erased\""));
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_notes"), 0);
    /* and with the household */
    HT_CHECK_INT(post_as(DISPATCHER, ORDERS,
                         "{\"id\":\"c\",\"household\":\"h1\",\"kitchen\":\"k1\",\"diets\":["
                         "\"diabetic\"],\"note\":\"ring twice\"," NOON "}"),
                 201);
    HT_CHECK_INT(send_body("DELETE", "/collections/households/items/h1", all, ""), 204);
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_notes"), 0);
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_cards WHERE diets <> ''"), 0);
    audit_holds();
    end();
}

/* ---- many ---- */

HT_CASE(a_list_is_filtered_and_read_on_also_into_the_past)
{
    HT_REQUIRE(begin_town());
    for (int i = 0; i < 6; i++) {
        char id[16];
        char more[160];
        (void)snprintf(id, sizeof id, "o%d", i);
        (void)snprintf(more, sizeof more, "%s", i == 5 ? ",\"kitchen\":\"k1\"" : "");
        order_add(id, more);
    }
    carry("o0", "van1");
    HT_CHECK_INT(happens("o0", "deliver"), 200);
    HT_CHECK_INT(happens("o1", "cancel"), 200);
    HT_CHECK_INT(plan("o2", "van1", 1), 200);
    advance(3601);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_orders_held 4\n")); /* those that are over left memory */
    HT_CHECK(says("houtao_orders{state=\"delivered\"} 1\n"));
    HT_CHECK_INT(look("o0"), 200);
    HT_CHECK(is("state", "\"delivered\"") && is("unit", "\"van1\"") && is("lon", "121.716"));
    HT_CHECK_INT(get(ORDERS "/o0/history"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "history"), 5);
    HT_CHECK_INT(get(ORDERS "?limit=4"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 4);
    HT_CHECK(is("orders.0.id", "\"o5\"") && is("before", "\"o2\""));
    HT_CHECK_INT(get(ORDERS "?limit=4&before=o2"), 200);
    HT_CHECK(is("orders.0.id", "\"o1\"") && is("orders.1.id", "\"o0\"") && !says("\"before\""));
    HT_CHECK_INT(get(ORDERS "?state=delivered,cancelled"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 2);
    HT_CHECK_INT(get(ORDERS "?unit=van1"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 2);
    HT_CHECK_INT(get(ORDERS "?state=planned&unit=van1&household=h1&kitchen=k1"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 1);
    HT_CHECK_INT(get(ORDERS "?household=frail"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 0);
    HT_CHECK_INT(get(ORDERS "?due=2026-03-02T04:00:00Z/.."), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 6);
    HT_CHECK_INT(get(ORDERS "?due=../2026-03-02T03:00:00Z"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 0);
    HT_CHECK_INT(get(ORDERS "?due=2026-03-02T03:30:00Z"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 6);
    /* an id is never given again, and what left memory can be reopened */
    HT_CHECK_INT(order_send("{\"id\":\"o0\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}"),
                 409);
    HT_CHECK_INT(happens("o0", "deliver"), 409);
    HT_CHECK_INT(happens("o1", "reopen"), 200);
    HT_CHECK(is("state", "\"received\"") && is("lon", "121.716"));
    HT_CHECK_INT(get(ORDERS "?state=received"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 4);
    end();
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T03:30:00Z,0", store);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_orders_held 5\n"));
    HT_CHECK_INT(get(ORDERS), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "orders"), 6);
    HT_CHECK(is("orders.4.id", "\"o1\"") && is("orders.4.state", "\"received\""));
    HT_CHECK(is("orders.5.id", "\"o0\"") && is("orders.5.state", "\"delivered\""));
    end();
}

HT_CASE(places_come_and_go_in_the_callers_system)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(post(ORDERS "?crs=GCJ02&out_crs=EPSG:4326", JSON,
                      "{\"id\":\"a\",\"lon\":121.72,\"lat\":29.95,\"kitchen\":\"k1\"," NOON "}"),
                 201);
    double lon = ht_json_number_at(answer.body, "lon");
    HT_CHECK(fabs(lon - 121.72) > 0.003 && fabs(lon - 121.72) < 0.006);
    HT_CHECK_INT(get(ORDERS "/a?crs=GCJ02"), 200);
    HT_CHECK(fabs(ht_json_number_at(answer.body, "lon") - 121.72) < 1e-6);
    HT_CHECK_INT(post(ORDERS "?out_crs=EPSG:4550", JSON,
                      "[{\"id\":\"b\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}]"),
                 201);
    HT_CHECK(ht_json_number_at(answer.body, "orders.0.geometry.coordinates.0") > 100000);
    HT_CHECK_INT(get(ORDERS "?out_crs=EPSG:4550"), 200);
    HT_CHECK(ht_json_number_at(answer.body, "orders.0.geometry.coordinates.0") > 100000);
    HT_CHECK_INT(get(ORDERS "?crs=moon"), 400);
    HT_CHECK_INT(get(ORDERS "/a?crs=EPSG:99999"), 400);
    end();
}

HT_CASE(what_happens_is_told_on_the_stream)
{
    struct ht_sse sse;
    HT_REQUIRE(begin_town());
    HT_REQUIRE(ht_sse_open(&sse, port, "/v1/stream?topics=orders", "Last-Event-ID: 0\r\n"));
    order_add("a", "");
    HT_CHECK_INT(plan("a", "van1", 1), 200);
    static const char *const kinds[] = {"order.received", "order.planned"};
    for (int i = 0; i < 2; i++) {
        HT_REQUIRE(ht_sse_next(&sse));
        HT_CHECK_STR(sse.event, "orders");
        HT_CHECK(strstr(sse.data, kinds[i]) != NULL);
        HT_CHECK(strstr(sse.data, "121.7") == NULL);
    }
    ht_sse_close(&sse);
    end();
}

/* ---- kill -9 ---- */

enum { WRITERS = 3, ROUNDS = 6, MOST = 3000 };

static bool writer_step(struct ht_client *own, const char *id, const char *body)
{
    char text[512];
    struct ht_answer got = {0};
    (void)snprintf(text, sizeof text,
                   "POST /v1/orders/%s/events HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON
                   "Content-Length: %zu\r\n\r\n%s",
                   id, strlen(body), body);
    bool good = ht_client_text(own, text) && ht_client_read(own, &got, false) == 200;
    ht_answer_free(&got);
    return good;
}

/* A process that orders in pairs, fails every other one at a frail door, and tells through a pipe
 * what was answered: an id, and F where the failure was, too. */
static void writer_run(int writer, int round, int told_to)
{
    struct ht_client own;
    if (!ht_client_open(&own, port)) {
        _exit(0);
    }
    for (int i = 0; i < MOST; i++) {
        struct ht_answer got = {0};
        char id[32];
        char body[512];
        char text[1024];
        char line[64];
        (void)snprintf(id, sizeof id, "r%d-w%d-%d", round, writer, i);
        (void)snprintf(body, sizeof body,
                       "[{\"id\":\"%s\",\"household\":\"frail\",\"kitchen\":\"k1\"," NOON
                       "},{\"id\":\"%s-x\",\"household\":\"h1\",\"kitchen\":\"k1\"," NOON "}]",
                       id, id);
        (void)snprintf(text, sizeof text,
                       "POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON
                       "Content-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
        if (!ht_client_text(&own, text) || ht_client_read(&own, &got, false) != 201) {
            break;
        }
        ht_answer_free(&got);
        bool failed = i % 2 == 1 &&
                      writer_step(&own, id, "{\"event\":\"load\",\"unit\":\"van1\"}") &&
                      writer_step(&own, id, "{\"event\":\"fail\",\"reason\":\"no_answer\"}");
        int size = snprintf(line, sizeof line, "%s%s\n", id, failed ? " F" : "");
        if (write(told_to, line, (size_t)size) != size) {
            break;
        }
    }
    _exit(0);
}

static void look_again(char *acknowledged)
{
    char *rest = NULL;
    for (char *line = strtok_r(acknowledged, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char other[64];
        char *flag = strchr(line, ' ');
        if (flag != NULL) {
            *flag = '\0';
        }
        HT_CHECK_INT(look(line), 200);
        HT_CHECK(flag == NULL || (is("state", "\"failed\"") && says("\"incident\":\"i")));
        (void)snprintf(other, sizeof other, "%s-x", line);
        HT_CHECK_INT(look(other), 200);
        HT_CHECK(is("state", "\"received\""));
    }
}

/* Both or neither of what belongs together. */
static void look_at_store(void)
{
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_states"),
                 number_of("SELECT count(*) FROM order_cards"));
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_states"),
                 number_of("SELECT count(*) FROM events WHERE kind = 'order.received'"));
    HT_CHECK_INT(number_of("SELECT count(*) FROM order_states a WHERE order_id NOT LIKE "
                           "'%-x' AND NOT EXISTS (SELECT 1 FROM order_states b WHERE "
                           "b.order_id = a.order_id || '-x')"),
                 0);
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE kind = 'order.failed'"),
                 number_of("SELECT count(*) FROM events f JOIN events i ON i.subject = "
                           "'incidents/' || (f.body->>'incident') AND i.kind = "
                           "'incident.received' WHERE f.kind = 'order.failed'"));
    /* help that is on its way is sent once */
    HT_CHECK_INT(number_of("SELECT count(DISTINCT body->>'incident') FROM events WHERE "
                           "kind = 'order.failed'"),
                 number_of("SELECT count(*) FROM incident_places"));
    audit_holds();
}

static void round_run(int round, uint64_t *state, char *acknowledged, size_t room)
{
    pid_t writers[WRITERS];
    int told_by[2];
    size_t size = 0;
    ssize_t got = 0;
    HT_REQUIRE(begin(options));
    if (round == 0) {
        town_make("");
    }
    look_again(acknowledged);
    HT_REQUIRE(pipe(told_by) == 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        if (writers[i] == 0) {
            (void)close(told_by[0]);
            writer_run(i, round, told_by[1]);
        }
    }
    (void)close(told_by[1]);
    /* some orders, however slow the disk is, and then at any moment */
    for (unsigned wanted = 3 + ht_random_below(state, 12); wanted > 0 && got >= 0;) {
        got = read(told_by[0], acknowledged + size, 1);
        wanted -= got == 1 && acknowledged[size] == '\n';
        size += got == 1;
        wanted = got == 0 ? 0 : wanted;
    }
    (void)usleep((useconds_t)ht_random_below(state, 20000));
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    while ((got = read(told_by[0], acknowledged + size, room - 1 - size)) > 0) {
        size += (size_t)got;
    }
    acknowledged[size] = '\0';
    (void)close(told_by[0]);
    for (int i = 0; i < WRITERS; i++) {
        (void)waitpid(writers[i], NULL, 0);
    }
    ht_client_close(&client);
    child = -1;
    look_at_store();
}

HT_CASE(every_order_that_was_answered_outlives_kill_9)
{
    static char acknowledged[1 << 18];
    uint64_t state = 7;
    HT_REQUIRE(map_make());
    acknowledged[0] = '\0';
    HT_REQUIRE(ht_store_place(store, sizeof store, folder, "orders_kill"));
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0", store);
    int rounds = HT_LONG ? 20 * ROUNDS : ROUNDS;
    for (int round = 0; round < rounds && ht_case_failures == 0; round++) {
        round_run(round, &state, acknowledged, sizeof acknowledged);
    }
    HT_REQUIRE(begin(options));
    look_again(acknowledged);
    end();
    HT_CHECK(number_of("SELECT count(*) FROM order_states") > 2 * rounds);
}

HT_CASE(without_a_store_there_are_no_orders)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get(ORDERS), 503);
    HT_CHECK_INT(order_send("{}"), 503);
    HT_CHECK_INT(look("a"), 503);
    HT_CHECK_INT(track("a"), 503);
    end();
}

HT_SERVED_MAIN_AFTER(HT_PG_OR_SKIP())
