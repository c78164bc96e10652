/* Devices on a real broker (Debian's mosquitto): positions arrive, alarms become incidents, once,
 * also where the node is killed between receipt and commit; unknown kits wait; a last will and a
 * silence are told; events go out. */
#include <sqlite3.h>
#include <time.h>

#include "tests/support/kits.h"

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
    HT_CHECK(becomes("houtao_mqtt_alarms_held", 0)); /* settled after it is counted */
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
    HT_CHECK(shows("/v1/incidents", "\"alarms\":3"));
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1); /* the desk folds the three */
    HT_CHECK(becomes("houtao_mqtt_alarms_held", 0));
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
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", 1));
    HT_REQUIRE(connected());
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"taken\"}"), 1); /* no old position */
    end();
}

/* Whether what a client writes into its file comes to have this in it; before each look `pub` is
 * published to the topic "probe" (NULL: nothing). All of it is in `got` then. */
static bool hears(int file, char *got, size_t size, const char *text, const char *pub)
{
    for (int i = 0; i < PATIENCE; i++) {
        HT_CHECK(pub == NULL || broker_pub("probe", pub));
        ssize_t have = pread(file, got, size - 1, 0);
        got[have > 0 ? have : 0] = '\0';
        if (strstr(got, text) != NULL) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    return false;
}

/* A file of no name. */
static int nameless(void)
{
    char path[] = "/tmp/houtao-mqtt-XXXXXX";
    int file = mkstemp(path);
    (void)unlink(path);
    return file;
}

HT_CASE(a_last_will_is_a_silence)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/devices", JSON, "{\"gone_s\":0}"), 200);
    HT_CHECK(broker_pub("houtao/status/k1", "online"));
    HT_CHECK(shows("/collections/devices/items/k1", "last_seen"));
    char got[4096] = "";
    int out = nameless();
    pid_t kit = broker_client("mosquitto_sub -t probe -F %t_%p -i kit-1 --will-topic "
                              "houtao/status/k1 --will-qos 1 --will-payload offline",
                              NULL, out);
    HT_REQUIRE(hears(out, got, sizeof got, "probe_x", "x")); /* it is connected */
    (void)close(out);
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
    char got[4096] = "";
    int out = nameless();
    pid_t listener = broker_client("mosquitto_sub -t houtao/events/# -t probe -F %t_%p", NULL, out);
    HT_CHECK(hears(out, got, sizeof got, "probe_x", "x"));
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"sos\",\"note\":\"secret words\"}"));
    HT_CHECK(hears(out, got, sizeof got, "\"kind\":\"incident.received\"", NULL));
    HT_CHECK(strstr(got, "houtao/events/incidents/i") != NULL);
    HT_CHECK(strstr(got, "secret") == NULL);
    (void)kill(listener, SIGKILL);
    (void)waitpid(listener, NULL, 0);
    (void)close(out);
    end();
}

HT_CASE(nodes_divide_positions_and_each_gets_the_alarms)
{
    enum { SENT = 40 };
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    static char got[1 << 14];
    int out = nameless();
    int lines = 0;
    /* another node's part is played by a plain client */
    pid_t other = broker_client("mosquitto_sub -t $share/houtao/houtao/positions/+ -t "
                                "houtao/alarms/+ -t probe -F %t",
                                NULL, out);
    HT_REQUIRE(hears(out, got, sizeof got, "probe", "x"));
    for (int i = 0; i < SENT; i++) {
        char payload[96];
        (void)snprintf(payload, sizeof payload, "{\"lon\":121.711,\"lat\":29.951,\"ts\":%ld}",
                       (long)time(NULL) - 1000 + i * 20);
        HT_CHECK(broker_pub("houtao/positions/d1", payload));
    }
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"sos\"}"));
    HT_CHECK(shows("/v1/incidents", "\"sos\""));
    HT_CHECK(hears(out, got, sizeof got, "houtao/alarms/k1", NULL));
    for (const char *at = got; (at = strstr(at, "positions/d1")) != NULL; at++) {
        lines++;
    }
    HT_CHECK(lines > 0 && lines < SENT);
    /* the rest came to the node, each once */
    HT_CHECK(comes("houtao_mqtt_messages_total{outcome=\"taken\"}", SENT - lines + 1));
    HT_CHECK_INT(metric("houtao_mqtt_messages_total{outcome=\"taken\"}"), SENT - lines + 1);
    (void)kill(other, SIGKILL);
    (void)waitpid(other, NULL, 0);
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
    HT_CHECK(comes("houtao_mqtt_lost_total", 2)); /* both lines tried, and did not go on */
    HT_CHECK_INT(metric("houtao_mqtt_connects_total"), 0);
    end();
    broker_end(SIGTERM);
    HT_REQUIRE(broker_begin(folder, "")); /* for the cases after this one */
}

HT_KITS_MAIN()
