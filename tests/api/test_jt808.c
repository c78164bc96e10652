/* JT/T 808 at a real server: who is let in, what is answered byte for byte, where terminals are
 * then, what their alarms become, and what is done about those that misbehave. */
#include <math.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/port.h"
#include "tests/support/served.h"
/* after the client, whose sockets it takes */
#include "tests/support/jt808.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define PHONE "13800138000"

static char store[128];
static uint16_t door;
static struct jt_terminal terminal;
static struct jt_terminal other;

/* The door is where it was. */
static bool begin_same(void)
{
    char options[256];
    door = door == 0 ? port_hold() : door;
    (void)snprintf(options, sizeof options, "--store %s --jt808 127.0.0.1:%u", store,
                   (unsigned)door);
    return begin(options);
}

static bool begin_town(void)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/jt808-%d.sqlite", folder, number++);
    return begin_same();
}

static void unit_add(const char *id, const char *kind)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"%s\","
                   "\"profile\":\"car\",\"status\":\"idle\"}}",
                   id, kind);
    HT_CHECK_INT(post("/collections/units/items", GEO, text), 201);
}

/* `more`: further properties, from a comma on. */
static void device_add(const char *id, const char *unit, const char *more)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":null,\"properties\":"
                   "{\"protocol\":\"jt808\",\"unit\":\"%s\"%s}}",
                   id, unit, more);
    HT_CHECK_INT(post("/collections/devices/items", GEO, text), 201);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* A counter of /metrics; -1: there is none. */
static long metric(const char *name)
{
    char line[128];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    if (get("/metrics") != 200) {
        return -1;
    }
    const char *at = strstr(answer.body, line);
    return at == NULL ? -1 : strtol(at + strlen(line), NULL, 10);
}

/* Waits until a counter is what it will be. */
static bool metric_becomes(const char *name, long value)
{
    for (int i = 0; i < 3000 && metric(name) != value; i++) {
        (void)usleep(10000);
    }
    return metric(name) == value;
}

/* As another program wrote it. */
static bool is_frame(const char *hex)
{
    uint8_t want[HT_JT808_WIRE_MAX];
    size_t size = jt_hex(hex, want, sizeof want);
    return terminal.frame_size == size && memcmp(terminal.frame, want, size) == 0;
}

static bool send_hex(const char *hex)
{
    uint8_t bytes[1 << 12];
    return jt_bytes(&terminal, bytes, jt_hex(hex, bytes, sizeof bytes));
}

static struct ht_jt808_location here(double lon, double lat, int64_t ago_s)
{
    return (struct ht_jt808_location){.lon_deg = lon,
                                      .lat_deg = lat,
                                      .speed_mps = 5,
                                      .bearing_deg = 90,
                                      .at_ms = ((int64_t)time(NULL) - ago_s) * 1000};
}

static int tell(struct jt_terminal *t, const struct ht_jt808_location *location, uint32_t status)
{
    uint8_t body[HT_JT808_LOCATION_SIZE];
    ht_jt808_location_put(location, status, body);
    return jt_ask(t, HT_JT808_LOCATION, body, sizeof body);
}

enum { FIXED = 1 << HT_JT808_STATUS_FIXED };

/* Where the registry has a unit. */
static bool unit_at(const char *id, double lon, double lat)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/collections/units/items/%s", id);
    if (get(path) != 200) {
        return false;
    }
    const char *at = strstr(answer.body, "\"coordinates\":[");
    char *end = NULL;
    double x = at == NULL ? 0 : strtod(at + 15, &end);
    return at != NULL && fabs(x - lon) < 2e-6 && fabs(strtod(end + 1, NULL) - lat) < 2e-6;
}

HT_CASE(terminal_comes_in_and_is_where_it_says)
{
    char code[80];
    char again[80];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    HT_CHECK_INT(jt_register(&terminal, "T123456", code), HT_JT808_REGISTERED);
    HT_CHECK_INT(strlen(code), 32);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_DONE);
    HT_CHECK(is_frame("7e80010005013800138000000100020102002e7e"));
    HT_CHECK(send_hex("7e000200000138001380000003ab7e") && jt_read(&terminal));
    HT_CHECK(is_frame("7e80010005013800138000000200030002002d7e"));
    terminal.header.serial = 4;
    const struct ht_jt808_location location = here(121.715, 29.952, 1);
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_DONE);
    HT_CHECK(is_frame("7e80010005013800138000000300040200002b7e"));
    HT_CHECK(unit_at("v1", 121.715, 29.952));
    HT_CHECK(says("\"speed_mps\":5"));
    HT_CHECK(send_hex("7e080100030138001380000005010203a57e") && jt_read(&terminal));
    HT_CHECK(is_frame("7e8001000501380013800000040005080103257e"));
    HT_CHECK(send_hex("7e0200001b01380013800000060000000000000000000000000000000000000000000000"
                      "00000000b57e") &&
             jt_read(&terminal));
    HT_CHECK(is_frame("7e80010005013800138000000500060200022d7e"));
    HT_CHECK_INT(get("/collections/devices/items/" PHONE), 200);
    HT_CHECK(says("\"last_seen\":\"20"));
    HT_CHECK_INT(metric("houtao_jt808_authenticated"), 1);
    HT_CHECK_INT(metric("houtao_jt808_messages_total{kind=\"location\"}"), 2);
    HT_CHECK_INT(metric("houtao_jt808_refused_total{reason=\"unsupported\"}"), 1);
    HT_CHECK_INT(metric("houtao_jt808_refused_total{reason=\"body\"}"), 1);
    (void)close(terminal.fd);
    HT_CHECK(metric_becomes("houtao_jt808_connections", 0));
    end();
    /* the code is the same after a restart */
    HT_REQUIRE(begin_same());
    HT_REQUIRE(jt_open(&terminal, door, PHONE, true)); /* and for a terminal of 2019 */
    uint8_t body[1 + 80 + 35] = {32};
    memcpy(body + 1, code, 32);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, body, 1 + 32 + 35), HT_JT808_DONE);
    HT_CHECK(terminal.message.header.is_2019 && terminal.message.header.version == 1);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    HT_REQUIRE(jt_open(&other, door, PHONE, false));
    HT_CHECK_INT(jt_register(&other, "T123456", again), HT_JT808_REGISTERED);
    HT_CHECK_STR(again, code);
    (void)close(other.fd);
    (void)close(terminal.fd);
    end();
}

HT_CASE(whoever_has_not_proven_who_it_is_does_not_count)
{
    char code[80];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    const struct ht_jt808_location location = here(121.715, 29.952, 1);
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    terminal.header.serial = 4;
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_FAILED);
    HT_CHECK(is_frame("7e8001000501380013800000000004020001297e"));
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_FAILED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "wrong", 5), HT_JT808_FAILED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "00000000000000000000000000000000", 32),
                 HT_JT808_FAILED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "", 0), HT_JT808_WRONG);
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_FAILED);
    HT_CHECK(unit_at("v1", 121.71, 29.95)); /* as the registry said */
    HT_CHECK_INT(metric("houtao_jt808_refused_total{reason=\"unauthenticated\"}"), 3);
    HT_CHECK_INT(metric("houtao_jt808_refused_total{reason=\"code\"}"), 2);
    HT_CHECK_INT(metric("houtao_jt808_authenticated"), 0);
    /* in the end nobody listens to it any more */
    int refusals = 0;
    while (jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0) == HT_JT808_FAILED && refusals < 100) {
        refusals++;
    }
    HT_CHECK(refusals > 8 && refusals < 40);
    HT_CHECK(metric_becomes("houtao_jt808_closed_total{reason=\"refused\"}", 1));
    (void)close(terminal.fd);
    /* one that proved itself speaks for nobody else */
    device_add("13800138001", "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    HT_REQUIRE(jt_open(&other, door, "13800138001", false));
    HT_CHECK_INT(jt_register(&other, "T123456", code), HT_JT808_REGISTERED);
    (void)close(other.fd);
    HT_CHECK(ht_jt808_phone_set(&terminal.header, "13800138001"));
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_FAILED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_FAILED);
    HT_CHECK(ht_jt808_phone_set(&terminal.header, PHONE));
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_FAILED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_FAILED);
    (void)close(terminal.fd);
    end();
}

HT_CASE(unknown_terminals_wait_to_be_accepted)
{
    char code[80];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    HT_REQUIRE(jt_open(&terminal, door, "13800139999", false));
    HT_CHECK_INT(jt_register(&terminal, "T123456", code), HT_JT808_NO_TERMINAL);
    HT_CHECK(is_frame("7e810000030138001399990000000104ad7e"));
    HT_CHECK_STR(code, "");
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "abc", 3), HT_JT808_FAILED);
    HT_CHECK_INT(get("/v1/devices/unknown"), 200);
    HT_CHECK(says("\"13800139999\"") && says("jt808"));
    HT_CHECK_INT(post("/v1/devices/13800139999/accept", JSON, "{\"unit\":\"v1\"}") / 100, 2);
    HT_CHECK_INT(jt_register(&terminal, "T123456", code), HT_JT808_REGISTERED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_DONE);
    const struct ht_jt808_location location = here(121.716, 29.953, 1);
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_DONE);
    HT_CHECK(unit_at("v1", 121.716, 29.953));
    HT_CHECK_INT(get("/v1/devices/unknown"), 200);
    HT_CHECK(!says("\"13800139999\""));
    /* and is nobody again once it is taken out of the book */
    HT_CHECK_INT(send_body("DELETE", "/collections/devices/items/13800139999", "", "") / 100, 2);
    const struct ht_jt808_location later = here(121.717, 29.953, 0);
    HT_CHECK_INT(tell(&terminal, &later, FIXED), HT_JT808_FAILED);
    HT_CHECK(jt_ends(&terminal));
    HT_CHECK(unit_at("v1", 121.716, 29.953));
    (void)close(terminal.fd);
    end();
}

HT_CASE(keyed_terminal_registers_with_its_key_or_brings_it)
{
    char code[80];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", ",\"key\":\"T654321\"");
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    HT_CHECK_INT(jt_register(&terminal, "T123456", code), HT_JT808_NO_TERMINAL);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "T123456", 7), HT_JT808_FAILED);
    HT_CHECK_INT(jt_register(&terminal, "T654321", code), HT_JT808_REGISTERED);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_DONE);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    (void)close(terminal.fd);
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_AUTHENTICATE, "T654321", 7), HT_JT808_DONE);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    /* the same terminal anew: the connection before is over */
    HT_REQUIRE(jt_open(&other, door, PHONE, false));
    HT_CHECK_INT(jt_ask(&other, HT_JT808_AUTHENTICATE, code, strlen(code)), HT_JT808_DONE);
    HT_CHECK(jt_ends(&terminal));
    HT_CHECK_INT(metric("houtao_jt808_closed_total{reason=\"replaced\"}"), 1);
    (void)close(other.fd);
    (void)close(terminal.fd);
    end();
}

HT_CASE(datum_is_the_books_word_not_the_terminals)
{
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    unit_add("v2", "van");
    device_add(PHONE, "v1", ",\"crs\":\"GCJ02\"");
    device_add("13800138001", "v2", "");
    const struct ht_jt808_location location = here(121.715, 29.952, 1);
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_DONE);
    HT_CHECK_INT(get("/collections/units/items/v1?crs=GCJ02"), 200);
    HT_CHECK(!unit_at("v1", 121.715, 29.952));
    double lon = strtod(strstr(answer.body, "\"coordinates\":[") + 15, NULL);
    HT_CHECK(fabs(lon - 121.715) > 0.003 && fabs(lon - 121.715) < 0.006);
    HT_REQUIRE(jt_enter(&other, door, "13800138001"));
    HT_CHECK_INT(tell(&other, &location, FIXED | 1 << HT_JT808_STATUS_ENCRYPTED), HT_JT808_DONE);
    HT_CHECK(unit_at("v2", 121.715, 29.952));
    const struct ht_jt808_location lost = here(121.72, 29.96, 0);
    HT_CHECK_INT(tell(&other, &lost, 0), HT_JT808_DONE);
    HT_CHECK(unit_at("v2", 121.715, 29.952));
    HT_CHECK_INT(metric("houtao_jt808_places_total{outcome=\"not_fixed\"}"), 1);
    (void)close(terminal.fd);
    (void)close(other.fd);
    end();
}

/* A batch of two locations; returns its size. */
static size_t batch_put(uint8_t out[128], const struct ht_jt808_location *first,
                        const struct ht_jt808_location *second)
{
    const struct ht_jt808_location *both[] = {first, second};
    size_t size = 3;
    out[0] = 0;
    out[1] = 2;
    out[2] = 1;
    for (size_t i = 0; i < 2; i++) {
        out[size++] = 0;
        out[size++] = HT_JT808_LOCATION_SIZE;
        ht_jt808_location_put(both[i], FIXED, out + size);
        size += HT_JT808_LOCATION_SIZE;
    }
    return size;
}

/* A part of two of a message, as the terminal sends it. */
static size_t part_put(struct jt_terminal *t, uint16_t id, const uint8_t *body, size_t size,
                       uint8_t part, uint8_t out[HT_JT808_WIRE_MAX])
{
    uint8_t raw[HT_JT808_MESSAGE_MAX] = {(uint8_t)(id >> 8), (uint8_t)id, 0x20, (uint8_t)size};
    uint16_t serial = t->header.serial++;
    size_t raw_size = 16 + size;
    size_t at = 0;
    uint8_t sum = 0;
    memcpy(raw + 4, t->header.phone, 6);
    raw[10] = (uint8_t)(serial >> 8);
    raw[11] = (uint8_t)serial;
    raw[13] = 2;
    raw[15] = part;
    memcpy(raw + 16, body, size);
    out[at++] = 0x7e;
    for (size_t i = 0; i <= raw_size; i++) {
        uint8_t byte = i == raw_size ? sum : raw[i];
        bool escaped = byte == 0x7e || byte == 0x7d;
        sum ^= byte;
        out[at++] = escaped ? 0x7d : byte;
        if (escaped) {
            out[at++] = byte == 0x7d ? 1 : 2;
        }
    }
    out[at++] = 0x7e;
    return at;
}

HT_CASE(batches_come_whole_or_in_parts)
{
    uint8_t body[128];
    uint8_t out[2 * HT_JT808_WIRE_MAX];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    struct ht_jt808_location first = here(121.715, 29.952, 40);
    struct ht_jt808_location second = here(121.7152, 29.952, 30);
    size_t size = batch_put(body, &first, &second);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_BATCH, body, size), HT_JT808_DONE);
    HT_CHECK(unit_at("v1", 121.7152, 29.952));
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_BATCH, body, size - 1), HT_JT808_WRONG);
    first = here(121.7154, 29.952, 20);
    second = here(121.7156, 29.952, 10);
    size = batch_put(body, &first, &second);
    /* the second part first, both in one packet; each is answered */
    terminal.header.serial = 0x7d; /* is escaped */
    size_t to = part_put(&terminal, HT_JT808_BATCH, body, 30, 1, out);
    size_t more = part_put(&terminal, HT_JT808_BATCH, body + 30, size - 30, 2, out + to);
    HT_CHECK(jt_bytes(&terminal, out + to, more) && jt_bytes(&terminal, out, to));
    HT_CHECK(jt_read(&terminal) && terminal.message.body[4] == HT_JT808_DONE);
    HT_CHECK(terminal.message.body[1] == 0x7e);
    HT_CHECK(jt_read(&terminal) && terminal.message.body[4] == HT_JT808_DONE);
    HT_CHECK(terminal.message.body[1] == 0x7d);
    HT_CHECK(unit_at("v1", 121.7156, 29.952));
    HT_CHECK_INT(metric("houtao_jt808_messages_total{kind=\"part\"}"), 2);
    HT_CHECK_INT(metric("houtao_jt808_messages_total{kind=\"batch\"}"), 3);
    HT_CHECK_INT(metric("houtao_jt808_held_bytes"), 0);
    (void)close(terminal.fd);
    end();
}

HT_CASE(alarms_are_answered_when_they_are_incidents)
{
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    unit_add("r1", "responder");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    struct ht_jt808_location location = here(121.715, 29.952, 3);
    location.alarm = 1 << HT_JT808_ALARM_EMERGENCY | 1 << 2; /* and a tired driver */
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK(says("\"kind\":\"sos\"") && says("121.715"));
    HT_CHECK(strstr(strstr(answer.body, "\"kind\":\"sos\"") + 1, "\"kind\":") == NULL);
    /* it lasts: the same alarm */
    location.at_ms += 1000;
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_jt808_alarms_total{outcome=\"opened\"}"), 1);
    HT_CHECK_INT(metric("houtao_incidents_opened_total"), 1);
    /* it ends and begins again: the desk folds it */
    location.at_ms += 1000;
    location.alarm = 0;
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_DONE);
    location.at_ms += 1000;
    location.alarm = 1 << HT_JT808_ALARM_EMERGENCY;
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_jt808_alarms_total{outcome=\"folded\"}"), 1);
    HT_CHECK_INT(metric("houtao_incidents_opened_total"), 1);
    /* another of another kind, without a fix: where the unit was last */
    location.alarm |= 1 << HT_JT808_ALARM_COLLISION;
    HT_CHECK_INT(tell(&terminal, &location, 0), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_incidents_opened_total"), 2);
    /* what was kept for an hour is history */
    location.alarm = 1 << HT_JT808_ALARM_ROLLOVER;
    location.at_ms -= 3600 * 1000;
    HT_CHECK_INT(tell(&terminal, &location, FIXED), HT_JT808_DONE);
    HT_CHECK_INT(metric("houtao_jt808_alarms_total{outcome=\"old\"}"), 1);
    HT_CHECK_INT(metric("houtao_incidents_opened_total"), 2);
    (void)close(terminal.fd);
    end();
    /* what was acknowledged is on disk: another server has it */
    HT_REQUIRE(begin_same());
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK(says("\"kind\":\"sos\"") && says("\"kind\":\"other\""));
    end();
}

HT_CASE(all_alarms_of_a_message_are_incidents_before_it_is_answered)
{
    uint8_t body[128];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    /* kept while there was no net: both are over by now, and won't be told again */
    struct ht_jt808_location first = here(121.715, 29.952, 300);
    struct ht_jt808_location second = here(121.7152, 29.952, 200);
    first.alarm = 1U << HT_JT808_ALARM_IGNITION;
    second.alarm = 1U << HT_JT808_ALARM_EMERGENCY;
    size_t size = batch_put(body, &first, &second);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_BATCH, body, size), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_jt808_alarms_total{outcome=\"opened\"}"), 2);
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK(says("\"kind\":\"sos\"") && says("\"kind\":\"other\""));
    /* the same again is the same */
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_BATCH, body, size), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_incidents_opened_total"), 2);
    /* two in one place; calm ends those before */
    first = here(121.7154, 29.952, 100);
    HT_CHECK_INT(tell(&terminal, &first, FIXED), HT_JT808_DONE);
    first = here(121.7154, 29.952, 50);
    first.alarm = 1U << HT_JT808_ALARM_EMERGENCY | 1U << HT_JT808_ALARM_MOVED;
    HT_CHECK_INT(tell(&terminal, &first, FIXED), HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(metric("houtao_jt808_alarms_total{outcome=\"opened\"}") +
                     metric("houtao_jt808_alarms_total{outcome=\"folded\"}"),
                 6); /* with the repeated ones */
    (void)close(terminal.fd);
    end();
}

HT_CASE(frames_come_in_halves_and_in_pairs)
{
    uint8_t out[2 * HT_JT808_WIRE_MAX];
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    size_t one = ht_jt808_encode(&terminal.header, HT_JT808_HEARTBEAT, 0x7e, NULL, 0, out);
    size_t two = one + ht_jt808_encode(&terminal.header, HT_JT808_HEARTBEAT, 8, NULL, 0, out + one);
    for (size_t cut = 1; cut < one; cut++) { /* also within an escape */
        HT_CHECK(jt_bytes(&terminal, out, cut));
        HT_CHECK(metric_becomes("houtao_jt808_held_bytes", (long)cut - 1));
        HT_CHECK(jt_bytes(&terminal, out + cut, two - cut));
        HT_CHECK(jt_read(&terminal) && terminal.message.body[1] == 0x7e);
        HT_CHECK(jt_read(&terminal) && terminal.message.body[1] == 8);
    }
    HT_CHECK_INT(metric("houtao_jt808_held_bytes"), 0);
    HT_CHECK_INT(metric("houtao_jt808_passed_bytes_total"), 0);
    (void)close(terminal.fd);
    end();
}

HT_CASE(broken_frames_are_counted_and_in_the_end_too_many)
{
    HT_REQUIRE(begin_town());
    unit_add("v1", "van");
    device_add(PHONE, "v1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    /* a wrong checksum is not answered: whose message it was is not known. What follows is. */
    HT_CHECK(send_hex("7e000200000138001380000003aa7e7e000200000138001380000003ab7e"));
    HT_CHECK(jt_read(&terminal) && terminal.message.body[1] == 3 &&
             terminal.message.body[4] == HT_JT808_DONE);
    HT_CHECK_INT(metric("houtao_jt808_faults_total{reason=\"checksum\"}"), 1);
    /* another length than the header says, or encrypted, is */
    HT_CHECK(send_hex("7e00020002013800138000000300a97e") && jt_read(&terminal));
    HT_CHECK(terminal.message.body[4] == HT_JT808_WRONG);
    HT_CHECK(send_hex("7e0200041c0138001380000003000000000000000301c90030074125b0000c0168005a260"
                      "301083015ad7e") &&
             jt_read(&terminal));
    HT_CHECK(terminal.message.body[4] == HT_JT808_UNSUPPORTED);
    HT_CHECK_INT(metric("houtao_jt808_faults_total{reason=\"length\"}"), 1);
    HT_CHECK_INT(metric("houtao_jt808_faults_total{reason=\"encrypted\"}"), 1);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    for (int i = 0; i < 16; i++) {
        HT_CHECK(send_hex("7e000200000138001380000003aa7e"));
    }
    HT_CHECK(jt_ends(&terminal));
    HT_CHECK(metric_becomes("houtao_jt808_closed_total{reason=\"faults\"}", 1));
    (void)close(terminal.fd);
    end();
}

HT_CASE(frame_without_end_is_closed)
{
    static uint8_t endless[HT_JT808_RAW_MAX + 64];
    HT_REQUIRE(begin_town());
    memset(endless, 0x31, sizeof endless);
    endless[0] = 0x7e;
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    HT_CHECK(jt_bytes(&terminal, endless, sizeof endless));
    HT_CHECK(jt_ends(&terminal));
    HT_CHECK(metric_becomes("houtao_jt808_closed_total{reason=\"endless_frame\"}", 1));
    HT_CHECK_INT(metric("houtao_jt808_held_bytes"), 0);
    (void)close(terminal.fd);
    /* bytes that are no frame at all hold nothing */
    HT_REQUIRE(jt_open(&terminal, door, PHONE, false));
    HT_CHECK(jt_bytes(&terminal, endless + 1, sizeof endless - 1));
    HT_CHECK(metric_becomes("houtao_jt808_passed_bytes_total", sizeof endless - 1));
    HT_CHECK_INT(metric("houtao_jt808_held_bytes"), 0);
    (void)close(terminal.fd);
    end();
}

static void item_add(const char *collection, const char *id, double lon, double lat,
                     const char *properties)
{
    char path[96];
    char text[512];
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%f,%f]},\"properties\":{%s}}",
                   id, lon, lat, properties);
    HT_CHECK_INT(post(path, GEO, text), 201);
}

/* Whether the next message is a text that begins as it must and has `what` in it. It is answered.
 */
static bool text_comes(const char *what)
{
    /* shown and read out; "next stop:" in GBK */
    static const char head[] = "\x0c\xcf\xc2\xd2\xbb\xd5\xbe\xa3\xba";
    char text[256];
    if (!jt_read(&terminal) || terminal.message.header.id != HT_JT808_OUT_TEXT) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)terminal.message.size,
                   (const char *)terminal.message.body);
    const uint16_t serial = terminal.message.header.serial;
    const uint8_t said[5] = {(uint8_t)(serial >> 8), (uint8_t)serial, 0x83, 0, 0};
    return strncmp(text, head, sizeof head - 1) == 0 && strstr(text, what) != NULL &&
           jt_send(&terminal, HT_JT808_ANSWER, said, sizeof said);
}

static int happens(const char *id, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/orders/%s/events", id);
    return post(path, JSON, body);
}

HT_CASE(driver_reads_the_next_stop_where_it_changes)
{
    char options[256];
    HT_REQUIRE(map_make());
    door = door == 0 ? port_hold() : door;
    (void)snprintf(store, sizeof store, "%s/jt808-stops.sqlite", folder);
    (void)snprintf(options, sizeof options,
                   "--store %s --clock 2026-03-02T02:30:00Z,0 --jt808 127.0.0.1:%u", store,
                   (unsigned)door);
    HT_REQUIRE(begin(options));
    item_add("facilities", "k1", 121.712, 29.95, "\"kind\":\"kitchen\"");
    item_add("units", "van1", 121.712, 29.95,
             "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\",\"capacity\":[20]");
    item_add("households", "h0", 121.715, 29.951, "\"residents\":1");
    item_add("households", "h1", 121.727, 29.948, "\"residents\":1");
    device_add(PHONE, "van1", "");
    HT_REQUIRE(jt_enter(&terminal, door, PHONE));
    for (int i = 0; i < 2; i++) {
        char body[256];
        (void)snprintf(body, sizeof body,
                       "{\"id\":\"o%d\",\"household\":\"h%d\",\"kitchen\":\"k1\",\"due\":["
                       "\"2026-03-02T10:30:00+08:00\",\"2026-03-02T13:30:00+08:00\"]}",
                       i, i);
        HT_CHECK_INT(post("/v1/orders", JSON, body), 201);
    }
    HT_CHECK(text_comes("k1"));
    HT_CHECK_INT(happens("o0", "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
    HT_CHECK_INT(happens("o1", "{\"event\":\"load\",\"unit\":\"van1\"}"), 200);
    HT_CHECK(text_comes("o"));
    const char *first = memchr(terminal.message.body, 'o', terminal.message.size);
    HT_REQUIRE(first != NULL && (first[1] == '0' || first[1] == '1'));
    const char done[] = {'o', first[1], '\0'};
    const char left[] = {'o', first[1] == '0' ? '1' : '0', '\0'};
    HT_CHECK_INT(happens(done, "{\"event\":\"enroute\"}"), 200);
    HT_CHECK_INT(happens(done, "{\"event\":\"deliver\"}"), 200);
    HT_CHECK(text_comes(left));
    HT_CHECK(metric_becomes("houtao_jt808_texts_total{outcome=\"shown\"}", 3));
    HT_CHECK_INT(metric("houtao_jt808_texts_total{outcome=\"sent\"}"), 3);
    (void)close(terminal.fd);
    end();
}

HT_CASE(vans_of_a_simulated_day_speak_it)
{
    static const char *const collections[] = {"cells", "households", "factories", "facilities",
                                              "units"};
    char line[1024];
    HT_REQUIRE(map_make());
    (void)snprintf(store, sizeof store, "%s/jt808-day.sqlite", folder);
    for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
        (void)snprintf(line, sizeof line, "load --store %s --collection %s %s/%s.geojson", store,
                       collections[i], folder, collections[i]);
        HT_CHECK_INT(ht_command_run(line)->code, 0);
    }
    door = door == 0 ? port_hold() : door;
    (void)snprintf(line, sizeof line,
                   "--store %s --clock 2026-03-02T02:00:00Z,0 --jt808 127.0.0.1:%u", store,
                   (unsigned)door);
    HT_REQUIRE(begin(line));
    (void)snprintf(line, sizeof line,
                   "simulate --url http://127.0.0.1:%u --speedup 0 --to 10:20 --households 100 "
                   "--quiet --protocol jt808 --door 127.0.0.1:%u",
                   (unsigned)port, (unsigned)door);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(strstr(run->out, " told, 0 refused") != NULL);
    long told = metric("houtao_jt808_messages_total{kind=\"location\"}");
    HT_CHECK(told > 100);
    HT_CHECK_INT(metric("houtao_jt808_places_total{outcome=\"offered\"}"), told);
    HT_CHECK_INT(metric("houtao_jt808_messages_total{kind=\"authenticate\"}"), 24);
    end();
}

HT_SERVED_MAIN()
