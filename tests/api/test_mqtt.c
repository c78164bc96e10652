/* Devices on a real broker (Debian's mosquitto): positions arrive, alarms become incidents, once,
 * also where the node is killed between receipt and commit; unknown kits wait; a last will and a
 * silence are told; events go out. */
#include <sqlite3.h>

#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

enum { PATIENCE = 6000, NAP_US = 10000 }; /* a minute, or with a sanitizer as long as it takes */

static char store[128];
static char options[512];

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* The value of a metric. */
static double metric(const char *name)
{
    size_t size = strlen(name);
    HT_CHECK_INT(get("/metrics"), 200);
    const char *at = answer.body;
    while (at != NULL && !(strncmp(at, name, size) == 0 && at[size] == ' ')) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? -1 : strtod(at + size, NULL);
}

/* Whether a metric comes to be so much at least. */
static bool comes(const char *name, double want)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (metric(name) >= want) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    (void)printf("  %s stays at %g\n", name, metric(name));
    return false;
}

/* Whether what a path gives comes to have this in it. */
static bool shows(const char *path, const char *text)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (get(path) == 200 && says(text)) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    (void)printf("  %s has no %s\n", path, text);
    return false;
}

static bool connected(void)
{
    return comes("houtao_mqtt_connected", 2);
}

static int item_add(const char *collection, const char *id, const char *properties)
{
    char path[64];
    char text[512];
    bool placed = strcmp(collection, "devices") != 0;
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":%s,\"properties\":{%s}}", id,
                   placed ? "{\"type\":\"Point\",\"coordinates\":[121.71,29.95]}" : "null",
                   properties);
    return post(path, GEO, text);
}

/* A town with a responder, a home with a kit `k1`, a van with a terminal `d1`. */
static bool begin_kits(const char *more)
{
    static int number;
    if (!map_make() || (broker < 0 && !broker_begin(folder, ""))) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/mqtt%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options,
                   "--store %s --mqtt mqtt://127.0.0.1:%u/?client_id=node%d %s", store,
                   (unsigned)broker_port, number, more);
    if (!begin(options)) {
        return false;
    }
    HT_CHECK_INT(
        item_add("units", "r1", "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\""),
        201);
    HT_CHECK_INT(
        item_add("units", "v1", "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\""), 201);
    HT_CHECK_INT(item_add("households", "h1", "\"residents\":1"), 201);
    HT_CHECK_INT(item_add("devices", "k1", "\"protocol\":\"mqtt\",\"household\":\"h1\""), 201);
    HT_CHECK_INT(item_add("devices", "d1", "\"protocol\":\"mqtt\",\"unit\":\"v1\""), 201);
    return connected();
}

#define NEEDS_BROKER()                                                                             \
    if (!broker_there()) {                                                                         \
        HT_SKIP("mosquitto and mosquitto-clients are not installed");                              \
    }

static int64_t received(void)
{
    return ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = 'incident.received'");
}

HT_CASE(positions_arrive)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_CHECK_INT(item_add("units", "v2", "\"kind\":\"van\",\"profile\":\"car\""), 201);
    HT_CHECK_INT(item_add("devices", "ann:phone", "\"protocol\":\"mqtt\",\"unit\":\"r1\""), 201);
    HT_CHECK(broker_pub("houtao/positions/d1", "{\"lon\":121.711,\"lat\":29.951}"));
    HT_CHECK(shows("/collections/units/items/v1", "[121.711,29.951]"));
    HT_CHECK(broker_pub("owntracks/ann/phone",
                        "{\"_type\":\"location\",\"lon\":121.712,\"lat\":29.952,\"batt\":61}"));
    HT_CHECK(shows("/collections/units/items/r1", "[121.712,29.952]"));
    HT_CHECK(shows("/collections/devices/items/ann:phone", "\"battery\":61"));
    HT_CHECK(broker_pub("houtao/positions", "[{\"unit\":\"v2\",\"lon\":121.713,\"lat\":29.951},"
                                            "{\"unit\":\"ghost\",\"lon\":121.7,\"lat\":29.9}]"));
    HT_CHECK(shows("/collections/units/items/v2", "[121.713,29.951]"));
    HT_CHECK(shows("/v1/devices/unknown", "\"ghost\""));
    HT_CHECK(broker_pub("houtao/positions/d1", "{\"unit\":\"r1\",\"lon\":121.7,\"lat\":29.9}"));
    HT_CHECK(broker_pub("houtao/positions/d1", "{\"lon\":"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"unread\"}", 1));
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"refused\"}"), 1);
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"taken\"}"), 3);
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"unknown\"}"), 1);
    end();
}

HT_CASE(an_alarm_is_one_incident_however_often_it_comes)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    for (int i = 0; i < 3; i++) {
        HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"sos\",\"id\":\"a1\",\"battery\":40,"
                                                "\"note\":\"bedroom\"}"));
    }
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 3));
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1);
    HT_CHECK(ht_json_is(answer.body, "incidents.0.kind", "\"sos\""));
    HT_CHECK(ht_json_is(answer.body, "incidents.0.household", "\"h1\""));
    HT_CHECK(ht_json_is(answer.body, "incidents.0.alarms", "1"));
    HT_CHECK_INT(get("/collections/devices/items/k1"), 200);
    HT_CHECK(says("\"battery\":40") && says("\"last_seen\""));
    /* a second call for help belongs to it, too, by the desk's own rule: it is told */
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"sos\",\"id\":\"a2\"}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 4));
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1);
    HT_CHECK(ht_json_is(answer.body, "incidents.0.alarms", "2"));
    /* what is no alarm is counted, and holds nobody up */
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"robbery\"}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"unread\"}", 1));
    HT_CHECK(broker_pub("houtao/alarms/d1", "{\"kind\":\"sos\",\"lon\":121.711,\"lat\":29.951}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 5));
    HT_CHECK_INT(received(), 2);
    HT_CHECK_INT(metric("houtao_mqtt_alarms_held"), 0);
    end();
    HT_CHECK_INT(ht_sql_number(store, "SELECT battery FROM devices WHERE id = 'k1'"), 40);
}

HT_CASE(an_unknown_kit_waits_and_is_accepted)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_CHECK(broker_pub("houtao/alarms/k9", "{\"kind\":\"gas\",\"key\":\"s3\",\"battery\":9}"));
    HT_CHECK(shows("/v1/devices/unknown", "\"k9\""));
    HT_CHECK(ht_json_is(answer.body, "devices.0.protocol", "\"mqtt\""));
    HT_CHECK(ht_json_is(answer.body, "devices.0.battery", "9"));
    HT_CHECK(ht_json_is(answer.body, "devices.0.keyed", "true"));
    HT_CHECK_INT(received(), 0);
    HT_CHECK_INT(post("/v1/devices/k9/accept", JSON, "{\"household\":\"h1\",\"key\":\"s3\"}"), 201);
    HT_CHECK(broker_pub("houtao/alarms/k9", "{\"kind\":\"gas\",\"key\":\"wrong\"}"));
    HT_CHECK(broker_pub("houtao/alarms/k9", "{\"kind\":\"gas\"}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"refused\"}", 2));
    HT_CHECK_INT(received(), 0);
    HT_CHECK(broker_pub("houtao/alarms/k9", "{\"kind\":\"gas\",\"key\":\"s3\"}"));
    HT_CHECK(shows("/v1/incidents", "\"gas\""));
    end();
}

/* Lets nobody write the store. */
static sqlite3 *store_hold(void)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(store, &db);
    for (int i = 0; code == SQLITE_OK && i < PATIENCE; i++) {
        if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
            return db;
        }
        (void)usleep(NAP_US);
    }
    (void)sqlite3_close(db);
    return NULL;
}

HT_CASE(a_node_killed_between_receipt_and_commit_gets_the_alarm_again)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    for (int round = 0; round < 3; round++) {
        char body[64];
        sqlite3 *held = store_hold();
        HT_REQUIRE(held != NULL);
        (void)snprintf(body, sizeof body, "{\"kind\":\"sos\",\"id\":\"kill%d\"}", round);
        HT_CHECK(broker_pub("houtao/alarms/k1", body));
        HT_CHECK(comes("houtao_mqtt_alarms_held", 1)); /* received, and not on disk */
        HT_CHECK_INT(kill(child, SIGKILL), 0);
        HT_CHECK(waitpid(child, NULL, 0) == child);
        child = -1;
        ht_client_close(&client);
        HT_CHECK_INT(sqlite3_exec(held, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        (void)sqlite3_close(held);
        (void)snprintf(body, sizeof body, "SELECT count(*) FROM answers WHERE key LIKE '%%kill%d'",
                       round);
        HT_CHECK_INT(ht_sql_number(store, body), 0);
        HT_REQUIRE(begin(options));
        bool came = false;
        for (int i = 0; i < PATIENCE && !came; i++) {
            came = ht_sql_number(store, body) == 1;
            (void)usleep(came ? 0 : NAP_US);
        }
        HT_CHECK(came);
    }
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 1));
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1); /* the desk folds the three */
    HT_CHECK(ht_json_is(answer.body, "incidents.0.alarms", "3"));
    end();
    HT_REQUIRE(begin(options)); /* what is on disk is acknowledged: it does not come again */
    HT_REQUIRE(connected());
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"door\",\"id\":\"last\"}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 1));
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"taken\"}"), 1);
    end();
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

HT_CASE(an_alarm_that_can_not_be_written_comes_again_until_it_can)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    sqlite3 *held = store_hold();
    HT_REQUIRE(held != NULL);
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"water\",\"id\":\"w\"}"));
    HT_CHECK(comes("houtao_mqtt_alarms_returned_total", 1));
    HT_CHECK_INT(received(), 0);
    HT_CHECK_INT(sqlite3_exec(held, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(held);
    HT_CHECK(shows("/v1/incidents", "\"water\""));
    HT_CHECK_INT(received(), 1);
    end();
}

HT_CASE(alarms_wait_for_a_node_that_is_away)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    end();
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"fall\"}"));
    HT_CHECK(broker_pub("houtao/positions/d1", "{\"lon\":121.719,\"lat\":29.951}"));
    HT_REQUIRE(begin(options));
    HT_CHECK(shows("/v1/incidents", "\"fall\""));
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"taken\"}"), 1); /* no old position */
    end();
}

HT_CASE(a_broker_that_was_away_is_found_again)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    broker_end(SIGKILL);
    for (int i = 0; i < PATIENCE && metric("houtao_mqtt_connected") > 0; i++) {
        (void)usleep(NAP_US);
    }
    HT_CHECK_INT(metric("houtao_mqtt_connected"), 0);
    HT_CHECK_INT(item_add("zones", "z", "\"kind\":\"watched\""), 422); /* the town goes on */
    HT_REQUIRE(broker_begin(folder, ""));
    HT_CHECK(connected());
    HT_CHECK(metric("houtao_mqtt_connects_total") >= 4);
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"heart\"}"));
    HT_CHECK(shows("/v1/incidents", "\"heart\""));
    end();
}

HT_CASE(a_last_will_is_a_silence)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/devices", JSON, "{\"gone_s\":0}"), 200);
    HT_CHECK(broker_pub("houtao/status/k1", "online"));
    HT_CHECK(shows("/collections/devices/items/k1", "last_seen"));
    pid_t kit = broker_client("mosquitto_sub -t none/of/it -i kit-1 --will-topic "
                              "houtao/status/k1 --will-qos 1 --will-payload offline -d",
                              NULL, -1);
    for (int i = 0; i < PATIENCE && broker_pub("none/of/it", "x") && i < 20; i++) {
        (void)usleep(NAP_US); /* it is connected by then */
    }
    HT_CHECK(kill(kit, SIGKILL) == 0 && waitpid(kit, NULL, 0) == kit);
    HT_CHECK(shows("/v1/incidents", "\"other\""));
    HT_CHECK(ht_json_is(answer.body, "incidents.0.severity", "1"));
    HT_CHECK(ht_json_is(answer.body, "incidents.0.household", "\"h1\""));
    HT_CHECK(comes("houtao_device_silences_total", 1));
    HT_CHECK_INT(received(), 1);
    end();
}

HT_CASE(a_kit_that_is_silent_for_a_day_is_told_once)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits("--clock 2026-03-01T08:00:00Z,0"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":90000}"), 200);
    HT_CHECK_INT(received(), 0); /* one that never spoke is none */
    HT_CHECK(broker_pub("houtao/heard/k1", "{\"battery\":80}"));
    HT_CHECK(shows("/collections/devices/items/k1", "\"battery\":80"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":86399}"), 200);
    HT_CHECK_INT(received(), 0);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":1}"), 200);
    HT_CHECK_INT(received(), 1);
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK(ht_json_is(answer.body, "incidents.0.kind", "\"other\""));
    HT_CHECK(ht_json_is(answer.body, "incidents.0.severity", "1"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":90000}"), 200);
    HT_CHECK_INT(received(), 1);
    end();
    HT_CHECK_INT(ht_sql_number(store, "SELECT silent FROM device_seen WHERE device = 'k1'"), 1);
    char *clock = strstr(options, "2026-03-01");
    HT_REQUIRE(clock != NULL);
    memcpy(clock, "2026-03-20", 10); /* days later, and the key of the first is forgotten */
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":60}"), 200);
    HT_CHECK_INT(received(), 1);
    HT_REQUIRE(connected());
    HT_CHECK(broker_pub("houtao/heard/k1", "{\"battery\":79}"));
    HT_CHECK(shows("/collections/devices/items/k1", "\"battery\":79"));
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":90000}"), 200);
    HT_CHECK_INT(received(), 2); /* it was heard between */
    end();
}

HT_CASE(messages_of_a_vendor_mean_what_the_file_says)
{
    NEEDS_BROKER();
    HT_REQUIRE(map_make());
    char path[160];
    char more[192];
    (void)snprintf(path, sizeof path, "%s/vendor.map", folder);
    FILE *file = fopen(path, "w");
    HT_REQUIRE(file != NULL);
    (void)fputs("topic = belt/{device}/up\ndevice = {device}\nkind = /evt\n"
                "kind.3 = fall\nkind.0 = none\nbattery = /b\nid = /n\n",
                file);
    (void)fclose(file);
    (void)snprintf(more, sizeof more, "--mqtt-map %s", path);
    HT_REQUIRE(begin_kits(more));
    HT_CHECK(broker_pub("belt/k1/up", "{\"evt\":0,\"b\":12}"));
    HT_CHECK(shows("/collections/devices/items/k1", "\"battery\":12"));
    HT_CHECK(broker_pub("belt/k1/up", "{\"evt\":4}"));
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"unread\"}", 1));
    HT_CHECK(broker_pub("belt/k1/up", "{\"evt\":3,\"n\":1}"));
    HT_CHECK(shows("/v1/incidents", "\"fall\""));
    end();
    file = fopen(path, "w");
    HT_REQUIRE(file != NULL);
    (void)fputs("topic = belt/{device}/up\ndevice = {device}\nkind = robbery\n", file);
    (void)fclose(file);
    char line[800];
    (void)snprintf(line, sizeof line, "serve --network %s %s", map, options);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 1);
    HT_CHECK(strstr(run->err, "vendor.map:3: a kind is") != NULL);
}

HT_CASE(what_happens_goes_out)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    char path[] = "/tmp/houtao-mqtt-XXXXXX";
    char got[4096] = "";
    int out = mkstemp(path);
    (void)unlink(path);
    pid_t listener = broker_client("mosquitto_sub -t houtao/events/# -t probe -F %t_%p", NULL, out);
    bool hears = false;
    for (int i = 0; i < PATIENCE && !hears; i++) {
        HT_CHECK(broker_pub("probe", "x"));
        ssize_t size = pread(out, got, sizeof got - 1, 0);
        got[size > 0 ? size : 0] = '\0';
        hears = strstr(got, "probe_x") != NULL;
    }
    HT_CHECK(hears);
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"sos\",\"note\":\"secret words\"}"));
    bool told = false;
    for (int i = 0; i < PATIENCE && !told; i++) {
        ssize_t size = pread(out, got, sizeof got - 1, 0);
        got[size > 0 ? size : 0] = '\0';
        told = strstr(got, "\"kind\":\"incident.received\"") != NULL;
        (void)usleep(told ? 0 : NAP_US);
    }
    HT_CHECK(told);
    HT_CHECK(strstr(got, "houtao/events/incidents/i") != NULL);
    HT_CHECK(strstr(got, "secret") == NULL);
    (void)kill(listener, SIGKILL);
    (void)waitpid(listener, NULL, 0);
    (void)close(out);
    end();
}

HT_CASE(tls_with_our_own_authority)
{
    NEEDS_BROKER();
    if (system("command -v openssl >/dev/null") != 0) {
        HT_SKIP("openssl is not installed");
    }
    char line[768];
    char more[256];
    HT_REQUIRE(map_make());
    (void)snprintf(line, sizeof line,
                   "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
                   "-addext subjectAltName=IP:127.0.0.1 -keyout tls.key -out tls.pem 2>/dev/null",
                   folder);
    HT_REQUIRE(system(line) == 0);
    broker_end(SIGTERM);
    (void)snprintf(more, sizeof more, "certfile %s/tls.pem\nkeyfile %s/tls.key\n", folder, folder);
    HT_REQUIRE(broker_begin(folder, more));
    (void)snprintf(store, sizeof store, "%s/tls.sqlite", folder);
    (void)snprintf(options, sizeof options,
                   "--store %s --mqtt mqtts://127.0.0.1:%u/?client_id=tls --mqtt-ca %s/tls.pem",
                   store, (unsigned)broker_port, folder);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(item_add("households", "h1", "\"residents\":1"), 201);
    HT_CHECK_INT(item_add("devices", "k1", "\"household\":\"h1\""), 201);
    HT_CHECK(connected());
    (void)snprintf(line, sizeof line, "mosquitto_pub --cafile %s/tls.pem -t houtao/alarms/k1 -m",
                   folder);
    int status = -1;
    pid_t one = broker_client(line, "{\"kind\":\"sos\"}", -1);
    HT_CHECK(waitpid(one, &status, 0) == one && status == 0);
    HT_CHECK(shows("/v1/incidents", "\"sos\""));
    end();
    /* whom the machine's authorities don't know is not spoken to */
    (void)snprintf(options, sizeof options, "--store %s --mqtt mqtts://127.0.0.1:%u/?client_id=tls",
                   store, (unsigned)broker_port);
    HT_REQUIRE(begin(options));
    (void)usleep(500000);
    HT_CHECK_INT(metric("houtao_mqtt_connected"), 0);
    end();
    broker_end(SIGTERM);
    HT_REQUIRE(broker_begin(folder, "")); /* for the cases after this one */
}

int main(int argc, char **argv)
{
    int code = ht_run_cases(argc > 1 ? argv[1] : NULL);
    forsake();
    broker_end(SIGKILL);
    ht_answer_free(&answer);
    map_remove();
    return code;
}
