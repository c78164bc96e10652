/* Devices at several nodes of one record: positions are divided among the nodes and all come to the
 * desk, alarms that came to a follower are on disk before they are acknowledged, terminals stay
 * connected when their node becomes the desk. */
#include <time.h>

#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/cluster_acts.h"
/* after the client, whose sockets it takes */
#include "tests/support/jt808.h"

enum { UNITS = 24, FIXED = 1 << HT_JT808_STATUS_FIXED };

#define PHONE "13800138000"
#define NEEDS_BROKER()                                                                             \
    if (!broker_there()) {                                                                         \
        HT_SKIP("mosquitto and mosquitto-clients are not installed");                              \
    }

static int desk;
static uint16_t doors[NODES]; /* for terminals */

/* A counter of a node's /metrics; 0: there is none. */
static long counter(const struct node *node, const char *name)
{
    char line[128];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = node_get(node, "/metrics", admin) == 200 ? strstr(told.body, line) : NULL;
    return at == NULL ? 0 : strtol(at + strlen(line), NULL, 10);
}

/* Until it is so much at least. */
static bool counter_comes(const struct node *node, const char *name, long least)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (counter(node, name) >= least) {
            return true;
        }
        (void)usleep(50000);
    }
    (void)printf("  %s stays at %ld\n", name, counter(node, name));
    return false;
}

/* Until it is just that: what a node brings to the desk it counts when the desk has answered, which
 * may be after the record has it. */
static bool counter_becomes(const struct node *node, const char *name, long want)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (counter(node, name) == want) {
            return true;
        }
        (void)usleep(50000);
    }
    (void)printf("  %s stays at %ld\n", name, counter(node, name));
    return false;
}

/* Until the record has it. */
static bool record_comes(const char *sql, int64_t want)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 100) {
        if (record_number(sql) == want) {
            return true;
        }
        (void)usleep(100000);
    }
    (void)printf("  %s: %lld\n", sql, (long long)record_number(sql));
    return false;
}

/* Three nodes at one broker, with units that each of them knows. */
static bool begin_divided(const char *more)
{
    if (!record_begin() || (broker < 0 && !broker_begin(folder, ""))) {
        return false;
    }
    (void)snprintf(node_more, sizeof node_more, "--mqtt mqtt://127.0.0.1:%u/?client_id=town%s",
                   (unsigned)broker_port, more);
    if (!nodes_begin(0) || (desk = desk_find()) < 0) {
        return false;
    }
    bool good = true;
    for (int i = 0; i < UNITS; i++) {
        good = unit_put(&nodes[desk], i, "idle") == 201 && good;
    }
    for (int i = 0; i < NODES && good; i++) {
        good = counter_comes(&nodes[i], "houtao_units", UNITS) &&
               counter_comes(&nodes[i], "houtao_mqtt_connected",
                             i == desk || strstr(more, "share") != NULL ? 2 : 1);
    }
    return good;
}

/* Positions number `from` to `until`, in turn of each unit. */
static void positions_publish(int from, int until)
{
    static int64_t first_s;
    first_s = first_s == 0 ? (int64_t)time(NULL) - 3600 : first_s;
    for (int i = from; i < until; i++) {
        char body[160];
        (void)snprintf(body, sizeof body,
                       "{\"unit\":\"u%d\",\"lon\":%.5f,\"lat\":29.951,\"ts\":%lld}", i % UNITS,
                       121.71 + i * 1e-5, (long long)first_s + (long long)i * 5);
        HT_CHECK(broker_pub("houtao/positions", body));
    }
}

/* Positions that all nodes together took, once it is so many; and each brought its own. */
static long taken_by_all(long want)
{
    static const char name[] = "houtao_mqtt_messages_total{outcome=\"taken\"}";
    long taken = 0;
    for (int waited = 0; taken != want && waited < NODE_WAIT_MS; waited += 50) {
        taken = 0;
        for (int i = 0; i < NODES; i++) {
            taken += counter(&nodes[i], name);
        }
        (void)usleep(taken == want ? 0 : 50000);
    }
    for (int i = 0; i < NODES; i++) {
        long own = counter(&nodes[i], name);
        HT_CHECK(own > 0);
        HT_CHECK(counter_becomes(&nodes[i], "houtao_relay_records_total", i == desk ? 0 : own));
    }
    return taken;
}

static const char all_positions[] = "SELECT count(*) FROM positions";

HT_CASE(positions_are_divided_among_nodes_of_one_record_and_each_comes_once)
{
    enum {
        SENT = UNITS
    }; /* one of each: of one unit an older one may come later, and is refused */
    NEEDS_BROKER();
    HT_REQUIRE(begin_divided(""));
    positions_publish(0, SENT);
    HT_CHECK(record_comes(all_positions, SENT));
    HT_CHECK_INT(taken_by_all(SENT), SENT);
    /* beside those that the registry said of the units */
    HT_CHECK_INT(counter(&nodes[desk], "houtao_positions_total{outcome=\"accepted\"}"),
                 UNITS + SENT);
    /* and whoever asks any of them sees the last */
    for (int i = 0; i < NODES; i++) {
        char last[64];
        (void)snprintf(last, sizeof last, "[%.5f,", 121.71 + (SENT - 1) * 1e-5);
        HT_CHECK(node_sees(&nodes[i], "/collections/units/items/u23", viewer, last));
    }
    /* without a desk they wait for the next one */
    node_kill(&nodes[desk], SIGKILL);
    positions_publish(SENT, 2 * SENT);
    int next = desk_find();
    HT_REQUIRE(next >= 0 && next != desk);
    HT_CHECK(record_comes(all_positions, 2 * SENT));
    record_check();
    cluster_end();
}

HT_CASE(only_nodes_of_the_record_speak_for_devices)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_divided(""));
    static const char key[] = "X-Houtao-Node: "
                              "0000000000000000000000000000000000000000000000000000000000000000\r\n"
                              "X-Houtao-Epoch: 1\r\n";
    static const char path[] = "/v1/nodes/devices";
    HT_CHECK_INT(node_send(&nodes[desk], "POST", path, "", "x"), 403);
    HT_CHECK_INT(node_send(&nodes[desk], "POST", path, admin, "x"), 403);
    HT_CHECK_INT(node_send(&nodes[desk], "POST", path, key, "x"), 403);
    HT_CHECK_INT(node_send(&nodes[other_than(desk)], "POST", path, key, "x"), 503);
    cluster_end();
}

static int kits_put(void)
{
    int status =
        node_insist(&nodes[desk], "PUT", "/collections/households/items/h1", as(admin, GEO),
                    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                    "\"coordinates\":[121.71,29.95]},\"properties\":{\"residents\":1}}");
    return status != 201
               ? status
               : node_insist(&nodes[desk], "PUT", "/collections/devices/items/k1", as(admin, GEO),
                             "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{"
                             "\"protocol\":\"mqtt\",\"household\":\"h1\"}}");
}

static void alarms_publish(int from, int until)
{
    for (int i = from; i < until; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"kind\":\"sos\",\"id\":\"n%d\"}", i);
        HT_CHECK(broker_pub("houtao/alarms/k1", body));
    }
}

static const char all_alarms[] = "SELECT count(*) FROM answers WHERE key LIKE '%:n%'";

HT_CASE(an_alarm_that_came_to_a_follower_survives_it_and_the_desk)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_divided("&share_alarms=1"));
    uint16_t ports[NODES];
    for (int i = 0; i < NODES; i++) {
        ports[i] = nodes[i].port;
    }
    int one = other_than(desk);
    int two = other_than(one);
    HT_CHECK_INT(kits_put(), 201);
    alarms_publish(0, 9);
    HT_CHECK(record_comes(all_alarms, 9));
    HT_CHECK(counter_comes(&nodes[one], "houtao_relay_alarms_total", 1));
    HT_CHECK(counter_comes(&nodes[two], "houtao_relay_alarms_total", 1));
    for (int i = 0; i < NODES; i++) {
        HT_CHECK(counter_becomes(&nodes[i], "houtao_mqtt_alarms_held", 0));
    }
    /* the desk stands still: what followers took is not acknowledged, and they are killed with it
     */
    HT_CHECK_INT(kill(nodes[desk].pid, SIGSTOP), 0);
    alarms_publish(9, 18);
    HT_CHECK(counter_comes(&nodes[one], "houtao_mqtt_alarms_held", 1));
    node_kill(&nodes[one], SIGKILL);
    node_kill(&nodes[desk], SIGKILL);
    HT_CHECK(node_start(&nodes[one], ports[one]));
    HT_CHECK(node_start(&nodes[desk], ports[desk]));
    HT_CHECK(record_comes(all_alarms, 18));
    HT_CHECK_INT(record_number("SELECT count(DISTINCT key) FROM answers WHERE key LIKE '%:n%'"),
                 18);
    desk = desk_find();
    HT_REQUIRE(desk >= 0);
    HT_CHECK(node_sees(&nodes[desk], "/v1/incidents", admin, "\"alarms\":18"));
    HT_CHECK_INT(ht_json_count_at(told.body, "incidents"), 1); /* the desk folds them */
    for (int i = 0; i < NODES; i++) {
        HT_CHECK(counter_comes(&nodes[i], "houtao_mqtt_connected", 2));
        HT_CHECK(counter_becomes(&nodes[i], "houtao_mqtt_alarms_held", 0));
    }
    record_check();
    cluster_end();
}

HT_CASE(the_next_desk_takes_up_what_the_last_one_did_not_acknowledge)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_divided(""));
    HT_CHECK_INT(kits_put(), 201);
    HT_CHECK_INT(kill(nodes[desk].pid, SIGSTOP), 0);
    alarms_publish(0, 3); /* to the desk that stands still, whose session another takes up */
    HT_CHECK(record_comes(all_alarms, 3));
    HT_CHECK_INT(kill(nodes[desk].pid, SIGCONT), 0);
    HT_CHECK(role_wait(&nodes[desk], "\"follower\""));
    alarms_publish(3, 6);
    HT_CHECK(record_comes(all_alarms, 6));
    HT_CHECK(counter_comes(&nodes[desk], "houtao_mqtt_connected", 1));
    /* and it goes on to take its share of positions, once the broker knows its new connection */
    long before = counter(&nodes[desk], "houtao_relay_records_total");
    long now = before;
    for (int round = 0; now == before && round < 20; round++) {
        positions_publish(round * UNITS, (round + 1) * UNITS);
        HT_CHECK(record_comes(all_positions, (round + 1) * UNITS));
        now = counter(&nodes[desk], "houtao_relay_records_total");
    }
    HT_CHECK(now > before);
    record_check();
    cluster_end();
}

HT_CASE(doors_that_can_not_be_opened_at_the_next_desk_say_why)
{
    static const char closed[] = "devices are not listened to until a restart: ";
    char path[128];
    char why[192];
    int log = ht_command_temp();
    HT_REQUIRE(record_begin() && log >= 0);
    (void)snprintf(path, sizeof path, "%s/authority.pem", folder);
    FILE *file = fopen(path, "w");
    HT_REQUIRE(file != NULL && fclose(file) == 0);
    (void)snprintf(node_more, sizeof node_more, "--mqtt mqtts://127.0.0.1:%u --mqtt-ca %s",
                   (unsigned)port_hold(), path); /* where nobody listens */
    for (int i = 0; i < NODES; i++) {
        HT_REQUIRE(node_start_logged(&nodes[i], 0, log));
    }
    HT_REQUIRE((desk = desk_find()) >= 0);
    for (int i = 0; i < NODES; i++) {
        HT_REQUIRE(i == desk || role_wait(&nodes[i], "\"follower\""));
    }
    HT_CHECK(unlink(path) == 0); /* whoever is the next desk opens the line for alarms with it */
    node_kill(&nodes[desk], SIGKILL);
    for (int waited = 0; waited < NODE_WAIT_MS && log_count(log, closed) == 0; waited += 50) {
        (void)usleep(50000);
    }
    HT_CHECK(desk_find() >= 0);
    (void)snprintf(why, sizeof why, "%sthe certificates of --mqtt-ca", closed);
    /* each that became it says so, and on a busy machine one may take over from another */
    int said = log_count(log, closed);
    HT_CHECK(said > 0);
    HT_CHECK_INT(log_count(log, why), said);
    HT_CHECK_INT(log_count(log, "out of memory"), 0);
    (void)close(log);
    cluster_end();
}

/* ---- terminals ---- */

static bool begin_terminals(void)
{
    if (!record_begin()) {
        return false;
    }
    for (int i = 0; i < NODES; i++) {
        doors[i] = doors[i] == 0 ? port_hold() : doors[i];
        (void)snprintf(node_more, sizeof node_more, "--jt808 127.0.0.1:%u", (unsigned)doors[i]);
        if (!node_start(&nodes[i], 0)) {
            return false;
        }
    }
    desk = desk_find();
    return desk >= 0 && unit_put(&nodes[desk], 0, "idle") == 201 &&
           node_insist(&nodes[desk], "PUT", "/collections/devices/items/" PHONE, as(admin, GEO),
                       "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{"
                       "\"protocol\":\"jt808\",\"unit\":\"u0\"}}") == 201;
}

static int locate(struct jt_terminal *terminal, double lon, int64_t ago_s, uint32_t alarm)
{
    uint8_t body[HT_JT808_LOCATION_SIZE];
    const struct ht_jt808_location location = {.lon_deg = lon,
                                               .lat_deg = 29.951,
                                               .speed_mps = 5,
                                               .bearing_deg = 90,
                                               .alarm = alarm,
                                               .at_ms = ((int64_t)time(NULL) - ago_s) * 1000};
    ht_jt808_location_put(&location, FIXED, body);
    return jt_ask(terminal, HT_JT808_LOCATION, body, sizeof body);
}

static bool enter(struct jt_terminal *terminal, uint16_t door)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 100) {
        if (jt_enter(terminal, door, PHONE)) {
            return true;
        }
        (void)close(terminal->fd); /* the node has not heard of the device yet */
        (void)usleep(100000);
    }
    return false;
}

static const char all_incidents[] = "SELECT count(*) FROM events WHERE kind = 'incident.received'";

HT_CASE(a_terminal_at_a_follower_is_as_one_at_the_desk)
{
    static struct jt_terminal terminal;
    HT_REQUIRE(begin_terminals());
    int one = other_than(desk);
    HT_REQUIRE(enter(&terminal, doors[one]));
    HT_CHECK_INT(locate(&terminal, 121.7125, 100, 0), HT_JT808_DONE);
    HT_CHECK(node_sees(&nodes[desk], "/collections/units/items/u0", admin, "[121.7125,29.951]"));
    HT_CHECK(node_sees(&nodes[one], "/collections/units/items/u0", viewer, "[121.7125,29.951]"));
    HT_CHECK(node_sees(&nodes[desk], "/collections/devices/items/" PHONE, admin, "last_seen"));
    /* result 4 when it is on disk, and not before */
    HT_CHECK_INT(record_number(all_incidents), 0);
    HT_CHECK_INT(locate(&terminal, 121.713, 90, 1U << HT_JT808_ALARM_EMERGENCY),
                 HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(record_number(all_incidents), 1);
    HT_CHECK_INT(node_get(&nodes[desk], "/v1/incidents", admin), 200);
    HT_CHECK(told_has("121.713"));
    /* the code holds at any node */
    (void)close(terminal.fd);
    HT_REQUIRE(enter(&terminal, doors[other_than(one)]));
    HT_CHECK_INT(locate(&terminal, 121.714, 80, 0), HT_JT808_DONE);
    HT_CHECK(node_sees(&nodes[desk], "/collections/units/items/u0", admin, "[121.714,29.951]"));
    (void)close(terminal.fd);
    cluster_end();
}

static int item_put(const char *path, const char *point, const char *properties)
{
    char body[TEXT];
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%s]},\"properties\":{%s}}",
                   point, properties);
    return node_insist(&nodes[desk], "PUT", path, as(admin, GEO), body);
}

HT_CASE(a_driver_at_a_follower_reads_the_next_stop)
{
    /* shown and read out; "next stop:" in GBK */
    static const char head[] = "\x0c\xcf\xc2\xd2\xbb\xd5\xbe\xa3\xba";
    static struct jt_terminal terminal;
    char body[TEXT];
    char due[2][32];
    for (int i = 0; i < 2; i++) {
        struct tm parts;
        const time_t at = time(NULL) + (time_t)i * 3 * 3600;
        (void)strftime(due[i], sizeof due[i], "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &parts));
    }
    HT_REQUIRE(begin_terminals());
    HT_CHECK_INT(
        item_put("/collections/facilities/items/k1", "121.712,29.95", "\"kind\":\"kitchen\""), 201);
    HT_CHECK_INT(item_put("/collections/households/items/h0", "121.715,29.951", "\"residents\":1"),
                 201);
    HT_CHECK_INT(item_put("/collections/units/items/u0", "121.712,29.95",
                          "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\","
                          "\"capacity\":[20]"),
                 200);
    HT_REQUIRE(enter(&terminal, doors[other_than(desk)]));
    (void)snprintf(
        body, sizeof body,
        "{\"id\":\"o0\",\"household\":\"h0\",\"kitchen\":\"k1\",\"due\":[\"%s\",\"%s\"]}", due[0],
        due[1]);
    HT_CHECK_INT(node_insist(&nodes[desk], "POST", "/v1/orders", as(admin, JSON), body), 201);
    HT_REQUIRE(jt_read(&terminal));
    HT_CHECK_INT(terminal.message.header.id, HT_JT808_OUT_TEXT);
    HT_CHECK(terminal.message.size > sizeof head &&
             memcmp(terminal.message.body, head, sizeof head - 1) == 0);
    HT_CHECK(memmem(terminal.message.body, terminal.message.size, "k1", 2) != NULL);
    (void)close(terminal.fd);
    cluster_end();
}

HT_CASE(a_terminal_stays_connected_when_its_node_becomes_the_desk)
{
    static struct jt_terminal terminals[NODES];
    HT_REQUIRE(begin_terminals());
    int one = other_than(desk);
    int two = other_than(one);
    HT_REQUIRE(enter(&terminals[one], doors[one]));
    HT_CHECK_INT(locate(&terminals[one], 121.711, 500, 0), HT_JT808_DONE);
    HT_CHECK(record_comes(all_positions, 1));
    node_kill(&nodes[two], SIGKILL); /* so that it is the other one */
    node_kill(&nodes[desk], SIGKILL);
    /* there is no desk: an alarm is answered by the next one */
    HT_CHECK_INT(locate(&terminals[one], 121.712, 400, 1U << HT_JT808_ALARM_EMERGENCY),
                 HT_JT808_ALARM_TAKEN);
    HT_CHECK_INT(record_number(all_incidents), 1);
    HT_CHECK_INT(desk_find(), one);
    HT_CHECK_INT(locate(&terminals[one], 121.7135, 300, 0), HT_JT808_DONE);
    HT_CHECK(node_sees(&nodes[one], "/collections/units/items/u0", admin, "[121.7135,29.951]"));
    HT_CHECK(record_comes(all_positions, 3));
    (void)close(terminals[one].fd);
    record_check();
    cluster_end();
}

/* Nodes that speak no device's language: what the one that was the desk had taken and not saved
 * goes to the next as it is, whatever datum the book says of a device of the unit's name. */
HT_CASE(what_a_stopped_desk_had_not_saved_comes_to_the_next)
{
    static const char unit[] = "/collections/units/items/u0";
    char place[96];
    node_more[0] = '\0';
    HT_REQUIRE(record_begin() && nodes_begin(0) && (desk = desk_find()) >= 0);
    HT_CHECK_INT(unit_put(&nodes[desk], 0, "idle"), 201);
    HT_CHECK_INT(node_insist(&nodes[desk], "PUT", "/collections/devices/items/u0", as(admin, GEO),
                             "{\"type\":\"Feature\",\"id\":\"u0\",\"geometry\":null,"
                             "\"properties\":{\"protocol\":\"osmand\",\"unit\":\"u0\","
                             "\"crs\":\"GCJ02\"}}"),
                 201);
    (void)snprintf(place, sizeof place, "/osmand?id=u0&lat=29.96&lon=121.72&timestamp=%lld",
                   (long long)time(NULL) + 5);
    HT_CHECK_INT(node_send(&nodes[desk], "POST", place, admin, ""), 200);
    HT_CHECK_INT(node_get(&nodes[desk], unit, admin), 200);
    HT_CHECK_INT(kill(nodes[desk].pid, SIGSTOP), 0);
    const char *at = told.body == NULL ? NULL : strstr(told.body, "\"coordinates\":");
    HT_REQUIRE(at != NULL && strcspn(at, "]") < sizeof place - 1);
    (void)snprintf(place, sizeof place, "%.*s]", (int)strcspn(at, "]"), at);
    HT_CHECK(strstr(place, "121.71") != NULL && strstr(place, "121.7100") == NULL); /* moved */
    struct node stopped = nodes[desk];
    nodes[desk].pid = 0;
    int next = desk_find();
    HT_REQUIRE(next >= 0 && next != desk);
    HT_CHECK_INT(kill(stopped.pid, SIGCONT), 0);
    nodes[desk] = stopped;
    HT_CHECK(role_wait(&nodes[desk], "\"follower\""));
    HT_CHECK(node_sees(&nodes[next], unit, admin, place));
    record_check();
    cluster_end();
}

HT_CLUSTER_MAIN()
