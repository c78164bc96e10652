/* Vans as they drive: arrival, departure, what is passed by and leaving the way are recognized and
 * told; arrival times follow the van and are told when they shift; what was learned outlives a
 * restart. */
#include <pthread.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define PLAN "/v1/units/van1/plan"
#define EVENTS "/v1/units/van1/events"

enum { ORDERS = 4, WAIT_MS = 60000, STEP_MS = 50 };

static char store[128];
static char options[256];
static long long now_s = 1772418600; /* 2026-03-02T10:30:00+08:00 */

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static bool is(const char *path, const char *want)
{
    return answer.body != NULL && ht_json_is(answer.body, path, want);
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

static int happens(const char *id, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/orders/%s/events", id);
    return post(path, JSON, body);
}

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

/* Whether an answer comes to have this in it, or (`gone`) has it no more: what was written is
 * known in memory a moment later. */
static bool text_comes(const char *path, const char *text, bool gone)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (get(path) == 200 && says(text) != gone) {
            return true;
        }
        (void)usleep(STEP_MS * 1000);
    }
    (void)printf("  %s: %s %s\n", path, gone ? "still" : "no", text);
    return false;
}

static bool sql_comes(const char *sql, long long least)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (ht_sql_number(store, sql) >= least) {
            return true;
        }
        (void)usleep(STEP_MS * 1000);
    }
    (void)printf("  %s stays below %lld\n", sql, least);
    return false;
}

/* Whether the van is followed by now: what it says before is not looked at. */
static bool is_followed(void)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (post(EVENTS, JSON, "{\"event\":\"depart\"}") == 409 && says("at no stop")) {
            return true;
        }
        (void)usleep(STEP_MS * 1000);
    }
    return false;
}

/* A van with four orders in hand, at half past ten. */
static bool begin_town(void)
{
    static int number;
    const double kitchen[2] = {121.712, 29.95};
    char body[256];
    now_s = 1772418600;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/underway%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:30:00Z,0", store);
    if (!begin(options)) {
        return false;
    }
    item_add("facilities", "k1", kitchen, "\"kind\":\"kitchen\"");
    item_add("units", "van1", kitchen,
             "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\",\"capacity\":[20]");
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        const double place[2] = {121.7150 + 0.0060 * i, i % 2 == 0 ? 29.951 : 29.948};
        (void)snprintf(id, sizeof id, "h%d", i);
        item_add("households", id, place, "\"residents\":1,\"floor\":3");
        (void)snprintf(body, sizeof body,
                       "{\"id\":\"o%d\",\"household\":\"h%d\",\"kitchen\":\"k1\",\"due\":["
                       "\"2026-03-02T10:30:00+08:00\",\"2026-03-02T13:30:00+08:00\"]}",
                       i, i);
        HT_CHECK_INT(post("/v1/orders", JSON, body), 201);
    }
    HT_CHECK(comes("/v1/orders/o3", "state", "\"planned\""));
    HT_CHECK(comes("/v1/orders/o0", "state", "\"planned\""));
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "o%d", i);
        HT_CHECK_INT(happens(id, "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
        HT_CHECK_INT(happens(id, "{\"event\":\"enroute\"}"), 200);
    }
    return comes(PLAN, "stops.0.state", "\"enroute\"") && is_followed();
}

/* Of the stops ahead as they are now. */
struct stop {
    double lon;
    double lat;
    char order[16];
};

static struct stop stop_read(int i)
{
    char path[64];
    struct stop stop = {0, 0, ""};
    (void)snprintf(path, sizeof path, "stops.%d.lon", i);
    stop.lon = ht_json_number_at(answer.body, path);
    (void)snprintf(path, sizeof path, "stops.%d.lat", i);
    stop.lat = ht_json_number_at(answer.body, path);
    (void)snprintf(path, sizeof path, "stops.%d.order", i);
    const char *at = ht_json_at(answer.body, path);
    if (at != NULL && *at == '"') {
        (void)snprintf(stop.order, sizeof stop.order, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
    }
    return stop;
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
    now_s += seconds;
}

/* So many seconds later it is there. */
static void seen(double lon, double lat, int later_s)
{
    char body[160];
    advance(later_s);
    (void)snprintf(body, sizeof body, "[{\"unit\":\"van1\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld}]",
                   lon, lat, now_s);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(says("\"rejected\":[]"));
}

static void stands(const struct stop *stop, int for_s)
{
    for (int s = 0; s <= for_s; s += 15) {
        seen(stop->lon, stop->lat, s == 0 ? 120 : 15);
    }
}

#define COUNT "SELECT count(*) FROM events WHERE kind = "

HT_CASE(a_van_comes_to_its_stop_and_leaves_it_and_the_town_learns)
{
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get(PLAN), 200);
    HT_CHECK(!says("\"at\":") && is("off_route", "false") && is("planned", "true"));
    HT_CHECK(says("\"eta_low\"") && says("\"eta_high\""));
    struct stop first = stop_read(0);
    struct stop second = stop_read(1);
    stands(&first, 45);
    HT_CHECK(comes(PLAN, "at.by", "\"position\""));
    HT_CHECK(is("stops.0.here", "true"));
    HT_CHECK(sql_comes(COUNT "'stop.arrived' AND subject = 'units/van1' AND "
                             "json_array_length(body->'orders') = 1",
                       1));
    HT_CHECK_INT(happens(first.order, "{\"event\":\"deliver\"}"), 200);
    seen(first.lon + 0.004, first.lat + 0.004, 60);
    HT_CHECK(sql_comes(COUNT "'stop.left'", 1));
    HT_CHECK(text_comes(PLAN, "\"at\":", true));
    HT_CHECK(comes(PLAN, "stops.0.order", "\"o1\"") || second.order[0] != '\0');
    HT_CHECK(text_comes("/metrics", "houtao_arrivals_stops_total 1\n", false));
    HT_CHECK(text_comes("/metrics", "houtao_underway_arrivals_total 1\n", false));
    stands(&second, 45); /* and the way there is learned from */
    HT_CHECK(sql_comes(COUNT "'stop.arrived'", 2));
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.skipped'"), 0);
    end();
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM arrival WHERE length(bytes) > 200"), 1);
    HT_REQUIRE(begin(options));
    HT_CHECK(comes("/v1/orders/o3", "unit", "\"van1\""));
    end();
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM arrival WHERE length(bytes) > 200"), 1);
}

/* Whether so many positions have been looked at by now. */
static bool are_looked_at(int positions)
{
    char line[64];
    (void)snprintf(line, sizeof line, "houtao_underway_positions_total %d\n", positions);
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (get("/metrics") == 200 && says(line)) {
            return true;
        }
        (void)usleep(STEP_MS * 1000);
    }
    return false;
}

HT_CASE(a_van_that_waits_at_its_kitchen_has_not_come_back_to_it)
{
    const double kitchen[2] = {121.712, 29.95};
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(post("/v1/orders", JSON,
                      "{\"id\":\"later\",\"household\":\"h0\",\"kitchen\":\"k1\","
                      "\"ready\":\"2026-03-02T12:30:00+08:00\",\"due\":["
                      "\"2026-03-02T12:40:00+08:00\",\"2026-03-02T13:30:00+08:00\"]}"),
                 201);
    HT_CHECK(comes("/v1/orders/later", "unit", "\"van1\""));
    HT_CHECK(
        comes(PLAN, "stops.4.kind", "\"load\"")); /* k1 once more, behind all that is on board */
    struct stop first = stop_read(0);
    for (int s = 0; s < 90; s += 15) {
        seen(kitchen[0], kitchen[1], 15);
    }
    HT_REQUIRE(are_looked_at(6));
    HT_CHECK_INT(get(PLAN), 200);
    HT_CHECK(!says("\"skipped\""));
    stands(&first, 45);
    HT_CHECK(comes(PLAN, "stops.0.here", "true"));
    HT_CHECK(!says("\"skipped\""));
    HT_CHECK(sql_comes(COUNT "'stop.arrived'", 1));
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.arrived'"), 1);
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.skipped'"), 0);
    end();
}

/* As the store has it: little-endian, in hex. */
static void key_hex(const char *cell, char out[17])
{
    uint64_t key = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    char text[64];
    (void)snprintf(text, sizeof text, "cell %s", cell);
    for (const char *at = text; *at != '\0'; at++) {
        key = (key ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    for (int i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * (size_t)i, 3, "%02X", (unsigned)(key >> 8 * i & 0xFF));
    }
}

static bool learned(const char *cell)
{
    char key[17];
    char sql[128];
    key_hex(cell, key);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM arrival WHERE instr(hex(bytes), '%s')",
                   key);
    return ht_sql_number(store, sql) == 1;
}

static void cell_add(const char *id, const char *kind, double lon, double to_lon)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                   "\"coordinates\":[[[%f,29.94],[%f,29.94],[%f,29.96],[%f,29.96],[%f,29.94]]]},"
                   "\"properties\":{\"name\":\"%s\",\"kind\":\"%s\"}}",
                   id, lon, to_lon, to_lon, lon, lon, id, kind);
    HT_CHECK_INT(post("/collections/cells/items", GEO, text), 201);
}

/* The moment of "since" where the van stands. */
static bool since_read(char out[32])
{
    const char *since = ht_json_at(answer.body, "at.since");
    (void)snprintf(out, 32, "%.26s", since == NULL ? "" : since);
    return since != NULL;
}

/* The store's clock begins anew with each start. */
static bool begin_again(void)
{
    long long then_s = now_s;
    now_s = 1772418600;
    if (!begin(options)) {
        return false;
    }
    advance((int)(then_s - now_s));
    return true;
}

/* The two first doors lie in one grid cell, the first in a compound. */
HT_CASE(what_a_stop_takes_is_learned_by_compound)
{
    HT_REQUIRE(begin_town());
    cell_add("grid-1", "grid", 121.70, 121.80);
    cell_add("court-1", "compound", 121.7148, 121.7152);
    HT_CHECK_INT(get(PLAN), 200);
    struct stop stops[] = {stop_read(0), stop_read(1)};
    bool inside[2];
    for (int i = 0; i < 2; i++) {
        inside[i] = stops[i].lon > 121.7148 && stops[i].lon < 121.7152;
    }
    HT_CHECK(inside[0] != inside[1]);
    end();
    HT_REQUIRE(begin_again()); /* a plan that knows them */
    HT_CHECK(comes("/v1/orders/o3", "unit", "\"van1\"") && is_followed());
    for (int i = 0; i < 2; i++) {
        stands(&stops[i], 45);
        HT_CHECK(comes(PLAN, "at.by", "\"position\""));
        HT_CHECK_INT(happens(stops[i].order, "{\"event\":\"deliver\"}"), 200);
        seen(stops[i].lon + 0.004, stops[i].lat + 0.004, 60);
        HT_CHECK(sql_comes(COUNT "'stop.left'", i + 1));
    }
    end();
    HT_CHECK(learned("court-1") && learned("grid-1"));
}

HT_CASE(where_a_van_stands_is_known_after_a_restart)
{
    char before[32];
    char after[32];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get(PLAN), 200);
    struct stop second = stop_read(1);
    stands(&second, 45); /* the first is passed by */
    HT_CHECK(comes(PLAN, "at.by", "\"position\""));
    HT_CHECK(since_read(before));
    HT_CHECK(sql_comes(COUNT "'stop.skipped'", 1) && sql_comes(COUNT "'stop.arrived'", 1));
    end();
    HT_REQUIRE(begin_again());
    HT_CHECK(comes(PLAN, "at.by", "\"position\"")); /* without that it said anything */
    HT_CHECK(since_read(after));
    HT_CHECK_STR(after, before);
    HT_CHECK(comes(PLAN, "stops.0.here", "true"));
    HT_CHECK(says("\"skipped\":true"));
    for (int i = 0; i < 4; i++) {
        seen(second.lon, second.lat, 15);
    }
    HT_CHECK_INT(happens(second.order, "{\"event\":\"deliver\"}"), 200);
    seen(second.lon + 0.004, second.lat + 0.004, 60);
    HT_CHECK(sql_comes(COUNT "'stop.left'", 1));
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.arrived'"), 1);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM events l, events a WHERE "
                                      "l.kind = 'stop.left' AND a.kind = 'stop.arrived' AND "
                                      "l.body->>'since' = a.body->>'at'"),
                 1);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_arrivals_stops_total 0\n")); /* half a stop teaches nothing */
    end();
    HT_REQUIRE(begin_again());
    HT_CHECK(comes(PLAN, "stops.2.state", "\"enroute\""));
    HT_CHECK(!says("\"at\":") && says("\"skipped\":true"));
    end();
}

HT_CASE(arrival_times_follow_the_van_and_are_told_when_they_shift)
{
    char before[64];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get(PLAN), 200);
    struct stop last = stop_read(ORDERS - 1);
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/orders/%s", last.order);
    HT_CHECK_INT(get(path), 200);
    const char *eta = ht_json_at(answer.body, "eta");
    HT_REQUIRE(eta != NULL);
    (void)snprintf(before, sizeof before, "%.24s", eta);
    long long planned = ht_sql_number(store, COUNT "'order.planned'");
    /* a quarter of an hour in a jam */
    seen(121.7121, 29.9501, 900);
    bool later = false;
    for (int waited = 0; waited < WAIT_MS && !later; waited += STEP_MS) {
        HT_CHECK_INT(get(path), 200);
        eta = ht_json_at(answer.body, "eta");
        later = eta != NULL && strncmp(eta, before, 24) > 0;
        (void)usleep(STEP_MS * 1000);
    }
    HT_CHECK(later);
    HT_CHECK(sql_comes(COUNT "'order.planned'", planned + ORDERS));
    end();
}

HT_CASE(a_stop_that_is_passed_by_and_a_way_that_is_left_are_told)
{
    HT_REQUIRE(begin_town());
    seen(121.7121, 29.9501, 5);
    HT_CHECK_INT(get(PLAN), 200);
    struct stop second = stop_read(1);
    /* wherever the way to its stop begins once it is drawn: it goes from bad to worse */
    bool off = false;
    for (int i = 1; i <= 60 && !off; i++) {
        seen(121.7121 - 0.0004 * i, 29.9501 + 0.001 * i, 15);
        (void)usleep(300 * 1000);
        HT_CHECK_INT(get(PLAN), 200);
        off = is("off_route", "true");
    }
    HT_CHECK(off || comes(PLAN, "off_route", "true")); /* followed late on a busy machine */
    HT_CHECK(says("off_route_since"));
    HT_CHECK(sql_comes(COUNT "'stop.off_route' AND body->>'unit' = 'van1'", 1));
    stands(&second, 45);
    HT_CHECK(comes(PLAN, "at.by", "\"position\""));
    HT_CHECK(is("off_route", "false"));
    HT_CHECK(sql_comes(COUNT "'stop.skipped' AND json_array_length(body->'orders') = 1", 1));
    HT_CHECK(says("\"skipped\":true"));
    HT_CHECK(is("stops.0.here", "true")); /* what is to be done here comes first */
    end();
}

HT_CASE(the_drivers_word_is_taken)
{
    char body[128];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get(PLAN), 200);
    struct stop first = stop_read(0);
    struct stop third = stop_read(2);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"fly\"}"), 422);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":7}"), 400);
    HT_CHECK_INT(post(EVENTS, JSON, "[]"), 400);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"arrive\",\"order\":\"a/b\"}"), 400);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"arrive\",\"at\":\"2026-03-02T01:00:00Z\"}"), 422);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"arrive\",\"order\":\"none\"}"), 409);
    HT_CHECK_INT(post("/v1/units/none/events", JSON, "{\"event\":\"arrive\"}"), 404);
    HT_CHECK(comes(PLAN, "off_route", "false"));
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"arrive\"}"), 200);
    HT_CHECK(is("at.by", "\"driver\"") && is("event", "\"arrive\""));
    HT_CHECK_INT(get(PLAN), 200);
    HT_CHECK(is("stops.0.here", "true") && is("at.by", "\"driver\""));
    (void)snprintf(body, sizeof body, "{\"event\":\"arrive\",\"order\":\"%s\"}", first.order);
    HT_CHECK_INT(post(EVENTS, JSON, body), 200); /* that was known */
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.arrived' AND body->>'by' = 'driver'"), 1);
    advance(80);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"depart\"}"), 200);
    HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"depart\"}"), 409);
    (void)snprintf(body, sizeof body, "{\"event\":\"skip\",\"order\":\"%s\"}", third.order);
    HT_CHECK_INT(post(EVENTS, JSON, body), 200);
    HT_CHECK_INT(post(EVENTS, JSON, body), 409);
    HT_CHECK_INT(get(PLAN), 200);
    HT_CHECK(says("\"skipped\":true"));
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.skipped'"), 1);
    HT_CHECK(text_comes("/metrics", "houtao_arrivals_stops_total 1\n", false));
    end();
}

struct speaker {
    pthread_t thread;
    const char *body;
    int status;
};

static void *speak(void *user)
{
    struct speaker *speaker = user;
    const char *body = speaker->body;
    struct ht_client *own = malloc(sizeof *own);
    struct ht_answer got = {0};
    char text[256];
    (void)snprintf(text, sizeof text, "POST " EVENTS HEADERS JSON "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    if (own != NULL && ht_client_open(own, port) && ht_client_text(own, text)) {
        speaker->status = ht_client_read(own, &got, false);
        ht_client_close(own);
    }
    ht_answer_free(&got);
    free(own);
    return NULL;
}

HT_CASE(what_is_said_twice_at_once_is_taken_once)
{
    enum { ROUNDS = 20 };
    HT_REQUIRE(begin_town());
    for (int i = 0; i < ROUNDS; i++) {
        static const char body[] = "{\"event\":\"depart\"}";
        struct speaker speakers[2] = {{.body = body, .status = -1}, {.body = body, .status = -1}};
        HT_CHECK_INT(post(EVENTS, JSON, "{\"event\":\"arrive\"}"), 200);
        for (int s = 0; s < 2; s++) {
            HT_REQUIRE(pthread_create(&speakers[s].thread, NULL, speak, &speakers[s]) == 0);
        }
        for (int s = 0; s < 2; s++) {
            (void)pthread_join(speakers[s].thread, NULL);
        }
        HT_CHECK_INT(speakers[0].status + speakers[1].status, 200 + 409);
    }
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.left'"), ROUNDS);
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.arrived'"), ROUNDS);
    end();
}

static void seen_at(double lon, double lat, long long ts)
{
    char body[160];
    (void)snprintf(body, sizeof body, "[{\"unit\":\"van1\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld}]",
                   lon, lat, ts);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
}

static void advance_in_step(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d,\"lockstep\":true}", seconds);
    HT_CHECK_INT(post("/v1/clock", JSON, body), 200);
    now_s += seconds;
}

/* Positions say that he is there while he says so himself. */
HT_CASE(one_arrival_is_written_once_whoever_says_it)
{
    enum { ROUNDS = 60 };
    char word[64];
    HT_REQUIRE(begin_town());
    HT_CHECK_INT(get(PLAN), 200);
    struct stop first = stop_read(0);
    (void)snprintf(word, sizeof word, "{\"event\":\"arrive\",\"order\":\"%s\"}", first.order);
    advance_in_step(0);
    long long before = ht_sql_number(store, COUNT "'stop.arrived'");
    for (int i = 0; i < ROUNDS; i++) {
        struct speaker speaker = {.body = word, .status = -1};
        advance_in_step(120);
        seen_at(first.lon, first.lat, now_s - 60);
        seen_at(first.lon, first.lat, now_s - 30);
        HT_REQUIRE(pthread_create(&speaker.thread, NULL, speak, &speaker) == 0);
        advance_in_step(0); /* now positions are looked at */
        (void)pthread_join(speaker.thread, NULL);
        HT_CHECK_INT(speaker.status, 200);
        advance_in_step(60);
        seen_at(121.7050, 29.9500, now_s); /* far away */
        advance_in_step(0);
    }
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.arrived'"), before + ROUNDS);
    HT_CHECK_INT(ht_sql_number(store, COUNT "'stop.left'"), before + ROUNDS);
    end();
}

HT_SERVED_MAIN()
