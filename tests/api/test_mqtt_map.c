/* What the mapping file may say, how it says what is wrong, what messages mean by it; and URLs. */
#include "api/mqtt_map.h"
#include "api/mqtt_url.h"
#include "tests/support/check.h"

static struct ht_mqtt_map *map;
static struct ht_mqtt_said said;
static struct ht_error error;

static enum ht_status rules(const char *text)
{
    ht_mqtt_map_free(map);
    map = NULL;
    error = (struct ht_error){0};
    return ht_mqtt_map_read(&map, text, &error);
}

static enum ht_status apply(const char *topic, const char *payload)
{
    error = (struct ht_error){0};
    return ht_mqtt_map_apply(map, topic, payload, strlen(payload), &said, &error);
}

/* Refused at this line with this in the text. */
static bool wrong(const char *text, int64_t line, const char *why)
{
    bool good = rules(text) == HT_INVALID || error.status == HT_SYNTAX;
    good = good && map == NULL && error.line == line && strstr(error.message, why) != NULL;
    if (!good) {
        (void)printf("  line %lld: %s\n", (long long)error.line, error.message);
    }
    return good;
}

static const char belts[] = "# of one vendor\n"
                            "topic = belts/{site}/{device}/+\n"
                            "device = {site}:{device}\n"
                            "kind = /alarm/0/type\n"
                            "kind.1 = sos\n"
                            "kind.off bed = fall\n"
                            "kind.0 = none\n"
                            "severity = /level\n"
                            "severity.high = 4\n"
                            "battery = /b~1t/v~0\n"
                            "id = /n\n"
                            "time = /ts\n"
                            "note = /text\n";

HT_CASE(a_rule_reads_levels_paths_and_tables)
{
    HT_REQUIRE(rules(belts) == HT_OK);
    HT_REQUIRE(apply("belts/east/b7/event",
                     "{\"alarm\":[{\"type\":1}],\"level\":\"high\",\"b/t\":{\"v~\":\"41.6\"},"
                     "\"n\":12,\"ts\":1772352000,\"text\":\"床 2\"}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_ALARM);
    HT_CHECK_STR(said.device, "east:b7");
    HT_CHECK_STR(said.kind, "sos");
    HT_CHECK_INT(said.severity, 4);
    HT_CHECK_INT(said.battery, 42);
    HT_CHECK_STR(said.id, "12");
    HT_CHECK_INT(said.time_ms, INT64_C(1772352000000));
    HT_CHECK_STR(said.note, "床 2");
    HT_CHECK(!said.placed);
    HT_REQUIRE(apply("belts/east/b7/x", "{\"alarm\":[{\"type\":\"off bed\"}],\"level\":2}") ==
               HT_OK);
    HT_CHECK_STR(said.kind, "fall");
    HT_CHECK_INT(said.severity, 0); /* the table has no word for it */
    HT_CHECK_INT(said.battery, -1);
    HT_CHECK_INT(said.time_ms, INT64_MIN);
    HT_REQUIRE(apply("belts/east/b7/x", "{\"alarm\":[{\"type\":0}]}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_HEARD);
    HT_REQUIRE(apply("belts/east/b7/x", "{\"alarm\":[]}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_HEARD);
}

HT_CASE(what_may_be_an_alarm_is_not_passed_over)
{
    HT_REQUIRE(rules(belts) == HT_OK);
    HT_CHECK_INT(apply("belts/e/b/x", "{\"alarm\":[{\"type\":2}]}"), HT_INVALID);
    HT_CHECK(strstr(error.message, "'2' is no kind") != NULL);
    HT_CHECK_INT(apply("belts/e/b/x", "{\"alarm\":[{\"type\":\"a word of more than sixteen\"}]}"),
                 HT_INVALID);
    HT_CHECK_INT(apply("belts/e/b/x", "ALARM"), HT_SYNTAX);
    HT_CHECK_INT(apply("belts/e/b", "{}"), HT_NOT_FOUND);
    HT_CHECK_INT(apply("belts/e/b/x/y", "{}"), HT_NOT_FOUND);
    HT_CHECK_INT(apply("belts//b/x", "{}"), HT_OK); /* ":b" */
    HT_CHECK_INT(apply("belts/e/%20/x", "{}"), HT_INVALID);
    HT_CHECK(strstr(error.message, "names no device") != NULL);
    HT_REQUIRE(rules("topic = t/{d}\ndevice = {d}\nkind = /k\nkind.* = other\n") == HT_OK);
    HT_REQUIRE(apply("t/1", "{\"k\":\"anything of any length at all\"}") == HT_OK);
    HT_CHECK_STR(said.kind, "other");
    HT_CHECK_INT(said.what, HT_MQTT_ALARM);
}

HT_CASE(plain_messages_constants_and_states)
{
    HT_REQUIRE(rules("topic = t/{d}/button\ndevice = {d}\nkind = sos\n"
                     "topic = t/{d}/lwt\ndevice = {d}\nstate = @payload\nstate.Off = gone\n"
                     "topic = t/{d}/pos\ndevice = /id\nlon = /p/0\nlat = /p/1\n"
                     "speed_kmh = /v\nbearing_deg = /c\n") == HT_OK);
    HT_REQUIRE(apply("t/k1/button", "") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_ALARM);
    HT_CHECK_STR(said.kind, "sos");
    HT_REQUIRE(apply("t/k1/lwt", " Off\n") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_GONE);
    HT_REQUIRE(apply("t/k1/lwt", "On") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_HEARD);
    HT_REQUIRE(apply("t/x/pos", "{\"id\":\"u1\",\"p\":[121.7,\"29.9\"],\"v\":36,\"c\":90}") ==
               HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_POSITION);
    HT_CHECK_STR(said.device, "u1");
    HT_CHECK(said.placed && said.lon_deg == 121.7 && said.lat_deg == 29.9);
    HT_CHECK(said.speed_mps == 10 && said.bearing_deg == 90 && said.accuracy_m == -1);
    HT_REQUIRE(apply("t/x/pos", "{\"id\":\"u1\",\"p\":[1e999,29.9]}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_HEARD); /* no place */
    HT_CHECK_INT(apply("t/x/pos", "{\"id\":\"7 5\"}"), HT_INVALID);
    HT_CHECK_INT(apply("t/x/pos", ""), HT_INVALID);
}

HT_CASE(what_is_wrong_with_a_file_is_told_by_its_line)
{
    HT_CHECK(wrong("device = x\n", 1, "before any topic"));
    HT_CHECK(wrong("\ntopic = a/{b\n", 2, "a level of the topic"));
    HT_CHECK(wrong("topic = a/#\n", 1, "a level of the topic"));
    HT_CHECK(wrong("topic = $SYS/x\n", 1, "the broker's own"));
    HT_CHECK(wrong("topic = a\ndevice = x\ntopic = a\n", 3, "comes twice"));
    HT_CHECK(wrong("# no device\ntopic = a\nkind = sos\n", 2, "has no device"));
    HT_CHECK(wrong("topic = a/{d}\ndevice = {e}\n", 2, "a level that the topic has not"));
    HT_CHECK(wrong("topic = a/{d}\ndevice = {d\n", 2, "a level that the topic has not"));
    HT_CHECK(wrong("topic = a\ndevice = x\nkind = robbery\n", 3, "a kind is"));
    HT_CHECK(wrong("topic = a\ndevice = x\nkind = /k\nkind.1 = robbery\n", 4, "a kind is"));
    HT_CHECK(wrong("topic = a\ndevice = x\nkind = /k\nkind.1 = sos\nkind.1 = gas\n", 5, "twice"));
    HT_CHECK(wrong("topic = a\ndevice = x\nkind = /k\nkind. = sos\n", 4, "behind the point"));
    HT_CHECK(wrong("topic = a\ndevice = x\nkind.1 = sos\n", 3, "has no kind to look at"));
    HT_CHECK(wrong("topic = a\ndevice = x\nseverity = 5\n", 3, "a severity is"));
    HT_CHECK(wrong("topic = a\ndevice = x\nstate = dead\n", 3, "a state is"));
    HT_CHECK(wrong("topic = a\ndevice = x\ndevice = y\n", 3, "comes twice"));
    HT_CHECK(wrong("topic = a\ndevice = x\nlon = /x\n", 1, "one of lon and lat"));
    HT_CHECK(wrong("topic = a\ndevice = x\nspeed = /x\n", 3, "'speed' is no field"));
    HT_CHECK(wrong("topic = a\ndevice\n", 2, "not 'name = value'"));
    HT_CHECK_INT(rules(""), HT_OK);
    HT_CHECK_INT(apply("a", "{}"), HT_NOT_FOUND);
    HT_CHECK_INT(ht_mqtt_map_load(&map, "/nowhere/map", &error), HT_IO);
}

HT_CASE(our_own_topics_and_those_of_owntracks)
{
    HT_REQUIRE(rules("topic = houtao/alarms/{x}\ndevice = mine\n") == HT_OK);
    ht_mqtt_map_free(map);
    map = NULL;
    HT_REQUIRE(ht_mqtt_map_own(&map, "houtao", &error) == HT_OK);
    HT_REQUIRE(apply("houtao/alarms/k1",
                     "{\"kind\":\"gas\",\"severity\":3,\"id\":\"a\",\"ts\":"
                     "\"2026-03-01T08:00:00Z\",\"battery\":7,\"key\":\"s\",\"note\":\"n\"}") ==
               HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_ALARM);
    HT_CHECK_STR(said.kind, "gas");
    HT_CHECK_INT(said.time_ms, INT64_C(1772352000000));
    HT_CHECK_STR(said.key, "s");
    HT_CHECK_INT(apply("houtao/alarms/k1", "{\"kind\":\"SOS\"}"), HT_INVALID);
    HT_CHECK_INT(apply("houtao/alarms/k1", "{"), HT_SYNTAX);
    HT_REQUIRE(apply("houtao/status/k1", "offline") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_GONE);
    HT_REQUIRE(apply("houtao/heard/k1", "{\"battery\":3}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_HEARD);
    HT_CHECK_INT(said.battery, 3);
    HT_REQUIRE(apply("owntracks/ann/phone",
                     "{\"_type\":\"location\",\"lat\":29.9,\"lon\":121.7,\"tst\":1772352000,"
                     "\"acc\":12,\"vel\":36,\"cog\":270,\"batt\":55}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_POSITION);
    HT_CHECK_STR(said.device, "ann:phone");
    HT_CHECK(said.speed_mps == 10 && said.accuracy_m == 12 && said.battery == 55);
    HT_REQUIRE(apply("owntracks/ann/phone", "{\"_type\":\"waypoint\",\"lat\":1,\"lon\":2}") ==
               HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_NOTHING);
    HT_REQUIRE(apply("owntracks/ann/phone", "{\"_type\":\"lwt\",\"tst\":1}") == HT_OK);
    HT_CHECK_INT(said.what, HT_MQTT_GONE);
}

HT_CASE(a_file_comes_before_our_own_and_each_topic_is_asked_for_once)
{
    ht_mqtt_map_free(map);
    map = NULL;
    HT_REQUIRE(ht_mqtt_map_own(&map, "houtao", &error) == HT_OK);
    HT_REQUIRE(ht_mqtt_map_read(&map,
                                "topic = houtao/alarms/{x}\ndevice = mine\nkind = other\n"
                                "topic = v/{a}/pos\ndevice = {a}\nlon = /x\nlat = /y\n"
                                "topic = v/{b}/pos\ndevice = {b}\nlon = /x\nlat = /y\n",
                                &error) == HT_OK);
    HT_REQUIRE(apply("houtao/alarms/k1", "{}") == HT_OK);
    HT_CHECK_STR(said.device, "mine");
    HT_CHECK_STR(ht_mqtt_map_filter(map, true, 0), "houtao/alarms/+");
    HT_CHECK_STR(ht_mqtt_map_filter(map, true, 1), "houtao/status/+");
    HT_CHECK(ht_mqtt_map_filter(map, true, 2) == NULL);
    HT_CHECK_STR(ht_mqtt_map_filter(map, false, 0), "v/+/pos");
    HT_CHECK_STR(ht_mqtt_map_filter(map, false, 1), "houtao/heard/+");
    HT_CHECK_STR(ht_mqtt_map_filter(map, false, 2), "owntracks/+/+");
    HT_CHECK(ht_mqtt_map_filter(map, false, 3) == NULL);
    ht_mqtt_map_free(map);
    map = NULL;
}

HT_CASE(urls_of_brokers)
{
    struct ht_mqtt_url url;
    HT_REQUIRE(ht_mqtt_url_read("mqtt://h", &url, &error) == HT_OK);
    HT_CHECK(!url.tls && url.port == 1883 && url.user[0] == '\0');
    HT_CHECK_STR(url.host, "h");
    HT_CHECK_STR(url.share, "houtao");
    HT_REQUIRE(ht_mqtt_url_read("mqtts://a%40b:p%3a@c@[::1]:9/?share=s&client_id=n-1&prefix=a/b",
                                &url, &error) == HT_OK);
    HT_CHECK(url.tls && url.port == 9);
    HT_CHECK_STR(url.host, "::1");
    HT_CHECK_STR(url.user, "a@b");
    HT_CHECK_STR(url.password, "p:@c");
    HT_CHECK_STR(url.client_id, "n-1");
    HT_CHECK_STR(url.prefix, "a/b");
    HT_CHECK(ht_mqtt_url_read("mqtts://h", &url, &error) == HT_OK && url.port == 8883);
    static const char *const bad[] = {"",
                                      "http://h",
                                      "mqtt://",
                                      "mqtt://:1",
                                      "mqtt://h:",
                                      "mqtt://h:0",
                                      "mqtt://h:65536",
                                      "mqtt://h:1x",
                                      "mqtt://[::1",
                                      "mqtt://[::1]x",
                                      "mqtt://@h",
                                      "mqtt://%zz@h",
                                      "mqtt://h/path",
                                      "mqtt://h?share=a/b",
                                      "mqtt://h?share=",
                                      "mqtt://h?prefix=%24x",
                                      "mqtt://h?client_id=a%2bb",
                                      "mqtt://h?share_alarms=2",
                                      "mqtt://h?what=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (ht_mqtt_url_read(bad[i], &url, &error) != HT_INVALID) {
            HT_CHECK_STR(bad[i], "refused");
        }
    }
    HT_CHECK_INT(ht_mqtt_url_read("mqtt://me:secret@h:x", &url, &error), HT_INVALID);
    HT_CHECK(strstr(error.message, "secret") == NULL);
}

HT_MAIN()
