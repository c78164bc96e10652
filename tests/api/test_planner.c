/* The day's planner over HTTP: orders get vans by themselves, and keep to what is fixed. */
#include <unistd.h>

#include "engine/base/time.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define ORDERS "/v1/orders"
#define NOON "\"due\":[\"2026-03-02T11:15:00+08:00\",\"2026-03-02T12:30:00+08:00\"]"

enum { HOUSEHOLDS = 12, WAIT_MS = 60000, STEP_MS = 50 };

static char store[128];
static char options[512];

static bool is(const char *path, const char *want)
{
    return answer.body != NULL && ht_json_is(answer.body, path, want);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void item_add(const char *collection, const char *id, const double place[2],
                     const char *properties)
{
    char path[96];
    char text[512];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,%f]},\"properties\":{%s}}",
                   id, place[0], place[1], properties);
    HT_CHECK_INT(post(path, GEO, text), 201);
}

static void van_add(const char *id, double lon, const char *more)
{
    char properties[256];
    const double place[2] = {lon, 29.95};
    (void)snprintf(properties, sizeof properties,
                   "\"kind\":\"van\",\"profile\":\"car\",\"home\":\"k1\"%s", more);
    item_add("units", id, place, properties);
}

/* It is half past ten in the morning there. */
static bool begin_town(const char *van1, const char *van2)
{
    static int number;
    const double kitchen[2] = {121.712, 29.95};
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/planner%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:30:00Z,0", store);
    if (!begin(options)) {
        return false;
    }
    item_add("facilities", "k1", kitchen, "\"kind\":\"kitchen\"");
    van_add("van1", 121.711, van1);
    van_add("van2", 121.713, van2);
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        const double place[2] = {121.7105 + 0.0011 * i, i % 2 == 0 ? 29.951 : 29.948};
        (void)snprintf(id, sizeof id, "h%d", i);
        item_add("households", id, place, "\"residents\":1");
    }
    return true;
}

#define TWENTY ",\"status\":\"idle\",\"capacity\":[20]"

static int order_add(const char *id, int household, const char *more)
{
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"%s\",\"household\":\"h%d\",\"kitchen\":\"k1\"," NOON "%s}", id,
                   household, more);
    return post(ORDERS, JSON, body);
}

static int look(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, ORDERS "/%s", id);
    return get(path);
}

static int happens(const char *id, const char *body)
{
    char path[128];
    (void)snprintf(path, sizeof path, ORDERS "/%s/events", id);
    return post(path, JSON, body);
}

/* Whether an answer comes to say this; that it takes long is no failure. */
static bool comes(const char *path, const char *at, const char *want)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (get(path) == 200 && is(at, want)) {
            return true;
        }
        (void)usleep(STEP_MS * 1000);
    }
    (void)printf("  %s: %s is not %s: %s\n", path, at, want,
                 answer.body == NULL ? "" : answer.body);
    return false;
}

static bool order_comes(const char *id, const char *at, const char *want)
{
    char path[128];
    (void)snprintf(path, sizeof path, ORDERS "/%s", id);
    return comes(path, at, want);
}

/* How often a plan names an order (or loads at a kitchen). */
static int stops_of(const char *unit, const char *member)
{
    char path[64];
    int count = 0;
    (void)snprintf(path, sizeof path, "/v1/units/%s/plan", unit);
    HT_CHECK_INT(get(path), 200);
    for (const char *at = answer.body; at != NULL && (at = strstr(at, member)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Whether both vans together come to have so many orders ahead: an order may say that it is planned
 * a moment before the plan is there to be read. */
static bool stops_come(int count)
{
    int seen = -1;
    for (int waited = 0; waited < WAIT_MS && seen != count; waited += STEP_MS) {
        (void)usleep(STEP_MS * 1000);
        seen = stops_of("van1", "\"order\":\"o") + stops_of("van2", "\"order\":\"o");
    }
    return seen == count;
}

static void noon_begin(void)
{
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, ""), 201);
    }
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK(order_comes(id, "state", "\"planned\""));
    }
    HT_CHECK(stops_come(HOUSEHOLDS));
}

HT_CASE(orders_are_planned_by_themselves_and_the_van_sees_its_stops)
{
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    noon_begin();
    HT_CHECK_INT(look("o0"), 200);
    HT_CHECK(says("\"stops_before\"") && says("\"eta\"") && says("\"eta_low\""));
    HT_CHECK(says("\"eta_high\"") && says("\"unit\":\"van"));
    int all = stops_of("van1", "\"order\":\"o") + stops_of("van2", "\"order\":\"o");
    HT_CHECK_INT(all, HOUSEHOLDS);
    const char *busy = stops_of("van1", "\"order\":\"o") > 0 ? "van1" : "van2";
    HT_CHECK(stops_of(busy, "\"kind\":\"load\"") > 0);
    HT_CHECK(is("stops.0.kind", "\"load\"") && is("stops.0.kitchen", "\"k1\""));
    HT_CHECK(says("\"LineString\"") && says("\"arrival\"") && says("\"departure\""));
    HT_CHECK(is("load", "[0]") && !is("stops.0.load", "[0]"));
    char last[64];
    (void)snprintf(last, sizeof last, "stops.%d.load", ht_json_count_at(answer.body, "stops") - 1);
    HT_CHECK(is(last, "[0]")); /* all is handed over then */
    HT_CHECK_INT(get("/v1/units/none/plan"), 404);
    HT_CHECK_INT(get("/v1/units/van1/plan?crs=none"), 400);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_planner_failures_total 0\n"));
    end();
}

HT_CASE(what_an_off_van_had_goes_to_others_and_what_is_loaded_stays)
{
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\",\"capacity\":[20]"));
    noon_begin();
    HT_CHECK_INT(stops_of("van1", "\"order\":\"o"), HOUSEHOLDS);
    HT_CHECK_INT(happens("o3", "{\"event\":\"load\"}"), 200);
    HT_CHECK_INT(happens("o4", "{\"event\":\"load\"}"), 200);
    HT_CHECK_INT(happens("o4", "{\"event\":\"enroute\"}"), 200);
    /* the other comes, then this one is off */
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/van2",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"status\":\"idle\"}}"),
                 200);
    HT_CHECK(comes("/v1/units/van1/plan", "stops.0.kind", "\"order\"")); /* what it has in hand */
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/van1",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"status\":\"off\"}}"),
                 200);
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK(order_comes(id, "unit", i == 3 || i == 4 ? "\"van1\"" : "\"van2\""));
    }
    HT_CHECK_INT(look("o3"), 200);
    HT_CHECK(is("state", "\"loaded\""));
    HT_CHECK(comes("/v1/units/van2/plan", "stops.0.kind", "\"load\""));
    end();
}

HT_CASE(a_loaded_order_stays_on_its_van_while_others_come)
{
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    HT_CHECK_INT(order_add("o0", 0, ""), 201);
    HT_CHECK(order_comes("o0", "state", "\"planned\""));
    HT_CHECK_INT(happens("o0", "{\"event\":\"load\"}"), 200);
    const char *van = says("\"unit\":\"van1\"") ? "\"van1\"" : "\"van2\"";
    for (int i = 1; i < 6; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, ""), 201);
        HT_CHECK(order_comes(id, "state", "\"planned\""));
    }
    HT_CHECK(order_comes("o0", "stops_before", "0"));
    HT_CHECK(is("state", "\"loaded\"") && is("unit", van));
    end();
}

HT_CASE(a_cancelled_order_is_gone_from_the_plan)
{
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    noon_begin();
    HT_CHECK_INT(happens("o5", "{\"event\":\"cancel\"}"), 200);
    HT_CHECK_INT(stops_of("van1", "\"order\":\"o5\"") + stops_of("van2", "\"order\":\"o5\""), 0);
    HT_CHECK_INT(stops_of("van1", "\"order\":\"o") + stops_of("van2", "\"order\":\"o"),
                 HOUSEHOLDS - 1);
    HT_CHECK_INT(happens("o5", "{\"event\":\"reopen\"}"), 200);
    HT_CHECK(order_comes("o5", "state", "\"planned\""));
    end();
}

HT_CASE(what_nobody_can_bring_says_why)
{
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    HT_CHECK_INT(order_add("big", 1, ",\"load\":21"), 201);
    HT_CHECK(order_comes("big", "unplanned", "\"capacity\""));
    HT_CHECK(is("state", "\"received\""));
    HT_CHECK_INT(
        post(ORDERS, JSON,
             "{\"id\":\"next\",\"household\":\"h1\",\"kitchen\":\"k1\",\"load\":21,\"due\":"
             "[\"2026-03-04T11:15:00+08:00\",\"2026-03-04T12:30:00+08:00\"]}"),
        201);
    HT_CHECK(order_comes("next", "unplanned", "\"capacity\""));
    HT_CHECK_INT(post(ORDERS, JSON,
                      "{\"id\":\"far\",\"lon\":122.9,\"lat\":29.9,\"kitchen\":\"k1\"," NOON "}"),
                 201);
    HT_CHECK(order_comes("far", "unplanned", "\"no_way\""));
    HT_CHECK_INT(order_add("fits", 2, ",\"load\":20"), 201);
    HT_CHECK(order_comes("fits", "state", "\"planned\""));
    /* out of order from now on */
    HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON,
                           "{\"kitchens\":{\"k1\":{\"out_of_order\":[{\"from\":"
                           "\"2026-03-02T10:00:00+08:00\",\"until\":null}]}}}"),
                 200);
    HT_CHECK(order_comes("fits", "unplanned", "\"kitchen\""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, "{}"), 200);
    HT_CHECK(order_comes("fits", "state", "\"planned\""));
    end();
}

HT_CASE(the_running_plan_outlives_a_restart)
{
    char before[HOUSEHOLDS][8];
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    noon_begin();
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(look(id), 200);
        (void)snprintf(before[i], sizeof before[i], "%s",
                       says("\"unit\":\"van1\"") ? "\"van1\"" : "\"van2\"");
    }
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(order_add("late", 2, ""), 201);
    HT_CHECK(order_comes("late", "state", "\"planned\""));
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(look(id), 200);
        HT_CHECK(is("unit", before[i]));
    }
    end();
}

static long plans(void)
{
    static const char name[] = "\nhoutao_planner_plans_total ";
    HT_CHECK_INT(get("/metrics"), 200);
    const char *at = answer.body == NULL ? NULL : strstr(answer.body, name);
    return at == NULL ? -1 : strtol(at + sizeof name - 1, NULL, 10);
}

/* Whether the planner has seen all that was said before. */
static bool plans_come(void)
{
    long before = plans();
    HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, "{}"), 200); /* it has to look */
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (plans() > before + 1) {
            return true;
        }
        if (waited % 1000 == 0) {
            HT_CHECK_INT(send_body("PUT", "/v1/settings/meals", JSON, "{}"), 200);
        }
        (void)usleep(STEP_MS * 1000);
    }
    return false;
}

static int set_planner(const char *body)
{
    return send_body("PUT", "/v1/settings/planner", JSON, body);
}

HT_CASE(vans_without_a_capacity_carry_what_the_settings_say)
{
    HT_REQUIRE(begin_town(",\"status\":\"idle\"", ",\"status\":\"idle\""));
    HT_CHECK_INT(order_add("o0", 0, ""), 201);
    HT_CHECK(order_comes("o0", "state", "\"planned\""));
    HT_CHECK_INT(order_add("many", 1, ",\"load\":61"), 201);
    HT_CHECK(order_comes("many", "unplanned", "\"capacity\""));
    HT_CHECK_INT(set_planner("{\"van_meals\":61}"), 200);
    HT_CHECK(order_comes("many", "state", "\"planned\""));
    HT_CHECK_INT(set_planner("{\"van_meals\":0}"), 200); /* by others, then */
    HT_CHECK_INT(order_add("o1", 1, ""), 201);
    HT_CHECK(plans_come());
    HT_CHECK_INT(look("o1"), 200);
    HT_CHECK(is("state", "\"received\"") && !says("unplanned"));
    HT_CHECK_INT(get("/v1/units/van1/plan"), 200);
    HT_CHECK(is("stops", "[]") && is("planned", "false") && says("\"why\":"));
    end();
}

HT_CASE(the_planner_is_switched_off_and_its_limits_are_checked)
{
    static const char *const wrong[] = {"{\"run\":1}",           "{\"move_s\":-1}",
                                        "{\"late_price\":1000}", "{\"trips_most\":0}",
                                        "{\"stop_s\":1.5}",      "{\"speed\":7}"};
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HT_CHECK_INT(set_planner(wrong[i]), 422);
    }
    HT_CHECK_INT(set_planner("{\"run\":false}"), 200);
    HT_CHECK_INT(order_add("o0", 0, ""), 201);
    HT_CHECK(plans_come());
    HT_CHECK_INT(look("o0"), 200);
    HT_CHECK(is("state", "\"received\""));
    HT_CHECK_INT(set_planner("{\"ride_most_s\":5}"), 200);
    HT_CHECK(order_comes("o0", "unplanned", "\"ride\""));
    HT_CHECK_INT(set_planner("{}"), 200);
    HT_CHECK(order_comes("o0", "state", "\"planned\""));
    end();
}

HT_CASE(what_is_to_be_first_is_brought_and_who_is_not_on_duty_brings_nothing)
{
    char body[512];
    HT_REQUIRE(begin_town(",\"status\":\"idle\",\"capacity\":[2],\"shift\":[\"Mo-Su "
                          "11:30-14:00\"]",
                          ",\"status\":\"off\",\"capacity\":[20]"));
    /* over before the van's shift begins, though the road is short */
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"early\",\"household\":\"h1\",\"kitchen\":\"k1\",\"due\":["
                   "\"2026-03-02T10:45:00+08:00\",\"2026-03-02T11:00:00+08:00\"]}");
    HT_CHECK_INT(set_planner("{\"trips_most\":1,\"late_most_s\":0}"), 200);
    HT_CHECK_INT(post(ORDERS, JSON, body), 201);
    HT_CHECK(order_comes("early", "unplanned", "\"shift\""));
    for (int i = 0; i < 4; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, i >= 2 ? ",\"priority\":50" : ""), 201);
    }
    HT_CHECK(order_comes("o2", "state", "\"planned\""));
    HT_CHECK(is("priority", "50"));
    HT_CHECK(order_comes("o3", "state", "\"planned\""));
    HT_CHECK(order_comes("o0", "unplanned", "\"capacity\""));
    HT_CHECK(order_comes("o1", "unplanned", "\"capacity\""));
    HT_CHECK_INT(order_add("o9", 9, ",\"priority\":101"), 422);
    HT_CHECK_INT(order_add("o9", 9, ",\"priority\":\"x\""), 400);
    end();
}

HT_CASE(a_unit_of_a_profile_that_nobody_has_is_refused)
{
    static const char *const wrong[] = {"\"profile\":\"hovercraft\"", "\"profile_plain\":\"camel\"",
                                        "\"profile\":7"};
    char text[256];
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"type\":\"Feature\",\"id\":\"u\",\"geometry\":null,\"properties\":{"
                       "\"kind\":\"van\",%s}}",
                       wrong[i]);
        HT_CHECK_INT(post("/collections/units/items", GEO, text), 422);
        HT_CHECK(i == 2 || says("name of no profile"));
        HT_CHECK_INT(send_body("PUT", "/collections/units/items/van1", GEO, text), 422);
    }
    HT_CHECK_INT(post("/collections/units/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"u\",\"geometry\":null,\"properties\":{"
                      "\"kind\":\"van\",\"profile\":\"ebike\",\"profile_plain\":null}}"),
                 201);
    end();
}

HT_CASE(an_order_whose_kitchen_is_gone_says_so_and_what_is_on_board_comes)
{
    char before[64];
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    HT_CHECK_INT(order_add("o0", 0, ""), 201);
    HT_CHECK_INT(order_add("o1", 1, ""), 201);
    HT_CHECK(order_comes("o0", "state", "\"planned\""));
    HT_CHECK(order_comes("o1", "state", "\"planned\""));
    HT_CHECK_INT(happens("o1", "{\"event\":\"load\"}"), 200);
    HT_CHECK_INT(send_body("DELETE", "/collections/facilities/items/k1", "", ""), 204);
    HT_CHECK(order_comes("o0", "unplanned", "\"kitchen\""));
    HT_CHECK_INT(look("o1"), 200);
    const char *eta = ht_json_at(answer.body, "eta");
    HT_REQUIRE(eta != NULL);
    (void)snprintf(before, sizeof before, "%.24s", eta);
    /* the van is off, an hour passes: what it has on board comes later than was thought */
    HT_CHECK_INT(send_body("PATCH", "/collections/units/items/van1",
                           "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"status\":\"off\"}}"),
                 200);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":5400}"), 200);
    bool later = false;
    for (int waited = 0; waited < WAIT_MS && !later; waited += STEP_MS) {
        HT_CHECK_INT(look("o1"), 200);
        eta = ht_json_at(answer.body, "eta");
        later = eta != NULL && strncmp(eta, before, 24) > 0 && says("\"unit\":\"van1\"");
        (void)usleep(STEP_MS * 1000);
    }
    HT_CHECK(later);
    end();
}

HT_CASE(a_load_for_the_second_trip_is_not_what_the_van_stands_at_the_kitchen_for)
{
    HT_REQUIRE(begin_town(",\"status\":\"idle\",\"capacity\":[2]", ",\"status\":\"off\""));
    for (int i = 0; i < 4; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, ""), 201);
    }
    for (int i = 0; i < 4; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK(order_comes(id, "state", "\"planned\""));
    }
    HT_CHECK(stops_come(4));
    HT_CHECK_INT(stops_of("van1", "\"kind\":\"load\""), 2);
    HT_CHECK_INT(post("/v1/positions", JSON, "[{\"unit\":\"van1\",\"lon\":121.712,\"lat\":29.95}]"),
                 200);
    int said = 409; /* it is followed within half a second */
    for (int waited = 0; waited < WAIT_MS && said == 409; waited += STEP_MS) {
        (void)usleep(STEP_MS * 1000);
        said = post("/v1/units/van1/events", JSON, "{\"event\":\"arrive\",\"kitchen\":\"k1\"}");
    }
    HT_CHECK_INT(said, 200);
    HT_CHECK(is("at.by", "\"driver\""));
    HT_CHECK(comes("/v1/units/van1/plan", "at.by", "\"driver\""));
    HT_CHECK(is("stops.0.kind", "\"load\"") && is("stops.1.kind", "\"order\""));
    HT_CHECK(is("stops.2.kind", "\"order\"") && is("stops.3.kind", "\"load\""));
    end();
}

HT_CASE(in_lockstep_what_follows_has_followed_when_the_clock_answers)
{
    HT_REQUIRE(begin_town(TWENTY, TWENTY));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":0,\"lockstep\":1}"), 400);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":0,\"lockstep\":true}"), 200);
    HT_CHECK(is("lockstep", "true"));
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, ""), 201);
        HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":1}"), 200);
        HT_CHECK_INT(look(id), 200); /* nothing is waited for */
        HT_CHECK(is("state", "\"planned\""));
    }
    HT_CHECK_INT(order_add("more", 1, ""), 201);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":0,\"lockstep\":false}"), 200);
    HT_CHECK(order_comes("more", "state", "\"planned\""));
    end();
    (void)snprintf(options, sizeof options, "--clock 2026-03-02T02:30:00Z,60");
    HT_REQUIRE(begin(options)); /* a clock that runs by itself can't be held to it */
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":0,\"lockstep\":true}"), 409);
    end();
}

/* ---- what stays as it is ---- */

#define PLANNED "SELECT count(*) FROM events WHERE kind='order.planned'"
#define VAN1_PLAN "/v1/units/van1/plan"

static bool advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d,\"lockstep\":true}", seconds);
    return post("/v1/clock", JSON, body) == 200;
}

/* The driver says that he is there. */
static void arrives(const char *member, const char *id, double lon, double lat)
{
    char body[128];
    (void)snprintf(body, sizeof body, "[{\"unit\":\"van1\",\"lon\":%f,\"lat\":%f}]", lon, lat);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(advance(1));
    (void)snprintf(body, sizeof body, "{\"event\":\"arrive\",\"%s\":\"%s\"}", member, id);
    HT_CHECK_INT(post("/v1/units/van1/events", JSON, body), 200);
    HT_CHECK(advance(0));
}

static void member_copy(char out[64], const char *path)
{
    const char *at = answer.body == NULL ? NULL : ht_json_at(answer.body, path);
    out[0] = '\0';
    if (at != NULL) {
        (void)snprintf(out, 64, "%.*s", (int)strcspn(at, ",}"), at);
    }
}

HT_CASE(what_is_planned_anew_all_the_time_is_told_where_it_changes)
{
    enum { ADDED = 6, MINUTES = 20 };
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    HT_CHECK(advance(0));
    for (int i = 0; i < ADDED; i++) { /* two at each door */
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i / 2 * 4, ""), 201);
    }
    HT_CHECK(advance(1));
    arrives("kitchen", "k1", 121.712, 29.95);
    HT_CHECK(ht_sql_number(store, PLANNED) >= ADDED);
    for (int minute = 0; minute < MINUTES; minute++) {
        HT_CHECK(advance(60));
    }
    /* at first, and once more since it is known where the van is */
    HT_CHECK(ht_sql_number(store, PLANNED) <= 2 * ADDED);
    end();
}

HT_CASE(what_the_driver_has_begun_begins_no_more)
{
    char begins[64];
    char again[64];
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    HT_CHECK(advance(0));
    HT_CHECK_INT(post(ORDERS, JSON,
                      "{\"id\":\"o\",\"household\":\"h4\",\"kitchen\":\"k1\",\"due\":["
                      "\"2026-03-02T10:30:00+08:00\",\"2026-03-02T12:30:00+08:00\"]}"),
                 201);
    HT_CHECK(advance(1));
    arrives("kitchen", "k1", 121.712, 29.95);
    HT_CHECK(advance(61)); /* planned once since he is there */
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    HT_CHECK(is("stops.0.kind", "\"load\"") && is("stops.0.here", "true"));
    member_copy(begins, "stops.0.begin");
    for (int part = 0; part < 8; part++) { /* and longer than loading should take */
        HT_CHECK(advance(61));
        HT_CHECK_INT(get(VAN1_PLAN), 200);
        member_copy(again, "stops.0.begin");
        HT_CHECK_STR(again, begins);
    }
    end();
}

/* oa and ob go to one door, but ob's window opens later, and oc's closes before that. */
HT_CASE(nobody_waits_at_a_door_for_the_next_window_while_others_get_late)
{
    static const char *const orders[] = {
        "{\"id\":\"oa\",\"household\":\"h2\",\"kitchen\":\"k1\",\"due\":["
        "\"2026-03-02T10:30:00+08:00\",\"2026-03-02T10:40:00+08:00\"]}",
        "{\"id\":\"ob\",\"household\":\"h2\",\"kitchen\":\"k1\",\"due\":["
        "\"2026-03-02T11:30:00+08:00\",\"2026-03-02T12:30:00+08:00\"]}",
        "{\"id\":\"oc\",\"household\":\"h8\",\"kitchen\":\"k1\",\"due\":["
        "\"2026-03-02T10:30:00+08:00\",\"2026-03-02T11:00:00+08:00\"]}"};
    static const char *const ids[] = {"oa", "ob", "oc"};
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    HT_CHECK(advance(0));
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(post(ORDERS, JSON, orders[i]), 201);
    }
    HT_CHECK(advance(1));
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(happens(ids[i], "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
    }
    HT_CHECK(advance(60));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    HT_CHECK(is("stops.0.order", "\"oa\"") && is("stops.1.order", "\"oc\""));
    HT_CHECK_INT(happens("oa", "{\"event\":\"enroute\"}"), 200);
    arrives("order", "oa", 121.7127, 29.951);
    HT_CHECK_INT(happens("oa", "{\"event\":\"deliver\"}"), 200);
    for (int minute = 0; minute < 2; minute++) {
        HT_CHECK(advance(60));
        HT_CHECK_INT(get(VAN1_PLAN), 200);
        HT_CHECK(is("stops.0.order", "\"oc\"") && is("stops.1.order", "\"ob\""));
    }
    end();
}

/* Whether the plan read last has `order` behind a load. */
static bool is_behind_a_load(const char *order)
{
    const char *load = answer.body == NULL ? NULL : strstr(answer.body, "\"kind\":\"load\"");
    const char *stop = answer.body == NULL ? NULL : strstr(answer.body, order);
    return load != NULL && stop != NULL && load < stop;
}

/* oa and ob go to one door, but ob is of the next trip: it can't be handed over with oa. */
HT_CASE(what_is_not_aboard_is_not_what_the_van_stands_at_a_door_for)
{
    static const char *const ids[] = {"oa", "oc"};
    HT_REQUIRE(begin_town(",\"status\":\"idle\",\"capacity\":[2]", ",\"status\":\"off\""));
    HT_CHECK(advance(0));
    HT_CHECK_INT(order_add("oa", 2, ""), 201);
    HT_CHECK_INT(order_add("oc", 8, ""), 201);
    HT_CHECK(advance(3600));
    for (int i = 0; i < 2; i++) {
        HT_CHECK_INT(happens(ids[i], "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
    }
    HT_CHECK_INT(order_add("ob", 2, ""), 201);
    HT_CHECK(advance(60));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    HT_CHECK(is_behind_a_load("\"order\":\"ob\""));
    HT_CHECK_INT(happens("oa", "{\"event\":\"enroute\"}"), 200);
    arrives("order", "oa", 121.7127, 29.951);
    HT_CHECK_INT(happens("oa", "{\"event\":\"deliver\"}"), 200);
    for (int minute = 0; minute < 2; minute++) {
        HT_CHECK_INT(get(VAN1_PLAN), 200);
        HT_CHECK(is_behind_a_load("\"order\":\"ob\""));
        HT_CHECK(advance(60));
    }
    end();
}

/* All live up there, without a lift. */
static void floors_set(int floor)
{
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char path[64];
        char body[64];
        (void)snprintf(path, sizeof path, "/collections/households/items/h%d", i);
        (void)snprintf(body, sizeof body, "{\"properties\":{\"floor\":%d}}", floor);
        HT_CHECK_INT(
            send_body("PATCH", path, "Content-Type: application/merge-patch+json\r\n", body), 200);
    }
}

HT_CASE(forecasts_follow_each_other_and_lie_before_the_van_leaves)
{
    char before[64] = "";
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    floors_set(6);
    HT_CHECK(advance(0));
    for (int i = 0; i < HOUSEHOLDS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(order_add(id, i, ""), 201);
    }
    HT_CHECK(advance(1));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    int seen = 0;
    for (int i = 0; i < ht_json_count_at(answer.body, "stops"); i++) {
        char path[32];
        char eta[64];
        char leaves[64];
        (void)snprintf(path, sizeof path, "stops.%d.eta", i);
        if (ht_json_at(answer.body, path) == NULL) {
            continue;
        }
        member_copy(eta, path);
        (void)snprintf(path, sizeof path, "stops.%d.departure", i);
        member_copy(leaves, path);
        HT_CHECK(strcmp(before, eta) < 0 && strcmp(eta, leaves) <= 0);
        (void)strcpy(before, eta);
        seen++;
    }
    HT_CHECK_INT(seen, HOUSEHOLDS);
    end();
}

static int64_t moment_at(const char *path)
{
    char text[64];
    int64_t ms = 0;
    member_copy(text, path);
    size_t size = strlen(text);
    HT_CHECK(size > 2 && ht_time_parse(text + 1, size - 2, &ms));
    return ms;
}

/* How long van 1 is to stay for an order, without parking; in seconds. */
static int64_t stay_s(const char *order)
{
    char path[32];
    for (int i = 0; i < ht_json_count_at(answer.body, "stops"); i++) {
        (void)snprintf(path, sizeof path, "stops.%d.order", i);
        if (is(path, order)) {
            (void)snprintf(path, sizeof path, "stops.%d.begin", i);
            int64_t begin_ms = moment_at(path);
            (void)snprintf(path, sizeof path, "stops.%d.departure", i);
            return (moment_at(path) - begin_ms) / 1000;
        }
    }
    return -1;
}

/* All at one place: on the ground, on the fifth floor above it, there by lift, two orders on the
 * fifth at once, and one of there who comes down. */
HT_CASE(stairs_there_and_back_are_a_part_of_the_stay)
{
    enum { SERVICE_S = 20, STAIRS_S = 20, LIFT_S = 40 };
    static const double place[2] = {121.7127, 29.951};
    static const char *const homes[] = {"\"floor\":1", "\"floor\":6", "\"floor\":6,\"lift\":true",
                                        "\"floor\":6", "\"floor\":6", "\"floor\":6"};
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    HT_CHECK(advance(0));
    for (int i = 0; i < 6; i++) {
        char id[16];
        char body[256];
        (void)snprintf(id, sizeof id, "home%d", i);
        item_add("households", id, place, homes[i]);
        (void)snprintf(body, sizeof body,
                       "{\"id\":\"o%d\",\"household\":\"%s\",\"kitchen\":\"k1\",\"service_s\":%d,%s"
                       "\"due\":[\"2026-03-02T11:1%d:00+08:00\",\"2026-03-02T12:30:00+08:00\"]}",
                       i, id, SERVICE_S, i == 5 ? "\"handover\":\"van\"," : "", i < 4 ? i : 3);
        HT_CHECK_INT(post(ORDERS, JSON, body), 201);
    }
    HT_CHECK(advance(1));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    int64_t ground_s = stay_s("\"o0\"");
    int64_t stairs_s = stay_s("\"o1\"");
    HT_CHECK(ground_s >= SERVICE_S);
    HT_CHECK_INT(stairs_s - ground_s, 2 * 5 * STAIRS_S);
    HT_CHECK_INT(stay_s("\"o2\"") - ground_s, 2 * LIFT_S);
    HT_CHECK_INT(stay_s("\"o5\""), SERVICE_S);
    /* who goes up once has handed over twice, but gone up once */
    int64_t both_s = stay_s("\"o3\"") + stay_s("\"o4\"");
    HT_CHECK(both_s >= stairs_s + SERVICE_S && both_s <= stairs_s + SERVICE_S + 2);
    end();
}

static void door_order(const char *id, int load)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"id\":\"%s\",\"household\":\"up\",\"kitchen\":\"k1\",\"load\":%d,"
                   "\"service_s\":20," NOON "}",
                   id, load);
    HT_CHECK_INT(post(ORDERS, JSON, body), 201);
}

/* Those who are not served are not to be climbed for, and whoever comes twice climbs twice. */
HT_CASE(the_way_up_is_shared_by_those_alone_who_are_on_that_visit)
{
    static const double place[2] = {121.7127, 29.951};
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    item_add("households", "up", place, "\"floor\":6");
    HT_CHECK(advance(0));
    door_order("one", 1);
    HT_CHECK(advance(1));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    int64_t alone_s = stay_s("\"one\"");
    HT_CHECK(alone_s >= 20 + 2 * 5 * 20);
    door_order("none", 500);
    HT_CHECK(advance(1));
    HT_CHECK_INT(look("none"), 200);
    HT_CHECK(is("unplanned", "\"capacity\""));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    HT_CHECK_INT(stay_s("\"one\""), alone_s);
    HT_CHECK_INT(happens("one", "{\"event\":\"cancel\"}"), 200);
    door_order("a", 10);
    door_order("b", 10);
    door_order("c", 10);
    door_order("d", 10);
    HT_CHECK(advance(1));
    HT_CHECK_INT(get(VAN1_PLAN), 200);
    int64_t all_s = stay_s("\"a\"") + stay_s("\"b\"") + stay_s("\"c\"") + stay_s("\"d\"");
    HT_CHECK(llabs(all_s - (2 * alone_s + 2 * 20)) <= 4);
    end();
}

/* Thirty floors up, in a window that is shorter than the stairs take. */
HT_CASE(who_lives_high_up_is_served_in_time_at_the_door)
{
    char eta[64];
    static const double high[2] = {121.7149, 29.951};
    HT_REQUIRE(begin_town(TWENTY, ",\"status\":\"off\""));
    item_add("households", "high", high, "\"floor\":31");
    HT_CHECK(advance(0));
    HT_CHECK_INT(post(ORDERS, JSON,
                      "{\"id\":\"o0\",\"household\":\"high\",\"kitchen\":\"k1\",\"due\":"
                      "[\"2026-03-02T11:10:00+08:00\",\"2026-03-02T11:15:00+08:00\"]}"),
                 201);
    HT_CHECK(advance(1));
    HT_CHECK_INT(look("o0"), 200);
    member_copy(eta, "eta");
    HT_CHECK(strcmp(eta, "\"2026-03-02T03:10:00") >= 0 && strcmp(eta, "\"2026-03-02T03:15") < 0);
    end();
}

HT_SERVED_MAIN()
