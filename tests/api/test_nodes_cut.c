/* What stands beside the nodes fails: the broker is killed, the desk is cut off from the record,
 * the record's primary is gone for good and its standby promoted. What was acknowledged is there
 * after each, nobody is sent twice, streams go on without a gap. */
#include <time.h>

#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/cluster_acts.h"
#include "tests/support/pg_standby.h"
#include "tests/support/wire.h"

enum { UNITS = 8 };

static void units_put(int from)
{
    for (int i = 0; i < UNITS; i++) {
        HT_CHECK_INT(unit_put(&nodes[from + i % (NODES - from)], i, "idle"), 201);
    }
}

/* ---- the broker ---- */

static bool lines_are(int desk, const char *count)
{
    char text[64];
    (void)snprintf(text, sizeof text, "\nhoutao_mqtt_connected %s\n", count);
    return node_sees(&nodes[desk], "/metrics", admin, text);
}

static int kit_put(const struct node *node)
{
    int status = node_insist(node, "PUT", "/collections/households/items/h1", as(admin, GEO),
                             "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                             "\"coordinates\":[121.71,29.95]},\"properties\":{\"residents\":1}}");
    return status != 201 ? status
                         : node_insist(node, "PUT", "/collections/devices/items/k1", as(admin, GEO),
                                       "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{"
                                       "\"protocol\":\"mqtt\",\"household\":\"h1\"}}");
}

static bool alarm_comes(const char *id, const char *kind)
{
    char body[96];
    char sql[96];
    (void)snprintf(body, sizeof body, "{\"kind\":\"%s\",\"id\":\"%s\"}", kind, id);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM answers WHERE key LIKE '%%:%s'", id);
    HT_CHECK(broker_pub("houtao/alarms/k1", body));
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (record_number(sql) == 1) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

HT_CASE(a_broker_killed_beside_nodes_comes_back_to_whoever_is_the_desk)
{
    if (!broker_there()) {
        HT_SKIP("mosquitto and mosquitto-clients are not installed");
    }
    HT_REQUIRE(record_begin());
    HT_REQUIRE(broker_begin(folder, ""));
    (void)snprintf(node_more, sizeof node_more, "--mqtt mqtt://127.0.0.1:%u/?client_id=town",
                   (unsigned)broker_port);
    HT_REQUIRE(nodes_begin(0));
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    units_put(0);
    HT_CHECK_INT(kit_put(&nodes[other_than(desk)]), 201);
    HT_CHECK(lines_are(desk, "2"));
    HT_CHECK(broker_saved(folder, "town-alarms"));
    HT_CHECK(alarm_comes("b1", "heart"));
    HT_CHECK(node_sees(&nodes[other_than(desk)], "/v1/incidents", viewer, "\"heart\""));
    broker_end(SIGKILL);
    HT_CHECK(lines_are(desk, "0"));
    HT_CHECK_INT(commands_send("b", 0, 6), 0); /* the town goes on */
    HT_CHECK(broker_begin(folder, ""));
    HT_CHECK(lines_are(desk, "2"));
    HT_CHECK(alarm_comes("b2", "gas"));
    /* both at once, and an alarm while nobody is the desk */
    broker_end(SIGKILL);
    uint16_t port_before = nodes[desk].port;
    node_kill(&nodes[desk], SIGKILL);
    HT_CHECK(broker_begin(folder, ""));
    HT_CHECK(alarm_comes("b3", "door"));
    int next = desk_find();
    HT_CHECK(next >= 0 && next != desk && lines_are(next, "2"));
    HT_CHECK(node_start(&nodes[desk], port_before));
    HT_CHECK(role_wait(&nodes[desk], "\"follower\""));
    HT_CHECK(node_sees(&nodes[desk], "/v1/incidents", viewer, "\"door\""));
    HT_CHECK_INT(record_number("SELECT count(*) FROM answers WHERE key LIKE '%:b_'"), 3);
    record_check();
    cluster_end();
    broker_end(SIGKILL);
}

/* ---- the network between a node and the record ---- */

/* The first node reaches the record over a wire, and is the desk; the others without. */
static bool begin_on_wire(struct wire *wire)
{
    char whole[HT_PG_URL];
    char path[HT_PG_PATH];
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432", ht_pg.socket);
    if (!record_begin() || !wire_begin(wire, path)) {
        return false;
    }
    (void)snprintf(whole, sizeof whole, "%s", record);
    (void)snprintf(record, sizeof record, "postgresql://houtao@127.0.0.1:%u/%.*s",
                   (unsigned)wire->port, (int)strcspn(strstr(whole, "@/") + 2, "?"),
                   strstr(whole, "@/") + 2);
    bool good = node_start(&nodes[0], 0) && role_wait(&nodes[0], "\"desk\"");
    (void)snprintf(record, sizeof record, "%s", whole);
    return good && nodes_begin(1) && role_wait(&nodes[1], "\"follower\"") &&
           role_wait(&nodes[2], "\"follower\"");
}

/* What the first desk wrote; the next one may write by itself meanwhile. */
static const char events_of_first[] =
    "SELECT count(*) FROM events WHERE epoch = (SELECT min(epoch) FROM events)";

HT_CASE(a_desk_that_is_cut_off_from_the_record_is_succeeded)
{
    struct wire wire = {0};
    struct ht_client late;
    struct ht_answer answer_late = {0};
    char text[TEXT * 2];
    static const char alarm[] = "{\"kind\":\"sos\",\"lon\":121.712,\"lat\":29.95}";
    HT_REQUIRE(begin_on_wire(&wire));
    units_put(0);
    HT_CHECK_INT(commands_send("n", 0, 6), 0);
    wire_cut(&wire);
    struct node cut = nodes[0];
    nodes[0].pid = 0; /* nobody else asks it */
    HT_CHECK(ht_client_open(&late, cut.port));
    (void)snprintf(text, sizeof text,
                   "POST /v1/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n%s" JSON
                   "Idempotency-Key: late\r\nContent-Length: %zu\r\n\r\n%s",
                   admin, strlen(alarm), alarm);
    HT_CHECK(ht_client_text(&late, text));
    HT_CHECK_INT(commands_send("n", 6, 18), 0);
    int next = desk_find();
    HT_CHECK(next > 0);
    /* it does not say that it is the desk when it can't know, and what it knows it still answers */
    HT_CHECK(role_wait(&cut, "\"cut_off\""));
    HT_CHECK_INT(node_get(&cut, "/nearest/v1/car/121.712,29.95", viewer), 200);
    int64_t events = record_number(events_of_first);
    wire_mend(&wire);
    HT_CHECK_INT(ht_client_read(&late, &answer_late, false), 503);
    ht_answer_free(&answer_late);
    ht_client_close(&late);
    nodes[0] = cut;
    HT_CHECK(role_wait(&nodes[0], "\"follower\""));
    HT_CHECK_INT(record_number("SELECT count(*) FROM answers WHERE key = 'late'"), 0);
    HT_CHECK_INT(record_number(events_of_first), events);
    HT_CHECK_INT(commands_send("n", 18, 24), 0);
    commands_check(24);
    record_check();
    /* a follower that is cut off goes on to read, and is behind no more once it is not */
    wire_cut(&wire);
    nodes[0].pid = 0;
    HT_CHECK_INT(commands_send("n", 24, 30), 0);
    HT_CHECK_INT(node_get(&cut, "/nearest/v1/car/121.712,29.95", viewer), 200);
    HT_CHECK_INT(unit_put(&nodes[next], UNITS, "idle"), 201);
    wire_mend(&wire);
    nodes[0] = cut;
    HT_CHECK(node_sees(&nodes[0], "/v1/near?collection=units&lon=121.718&lat=29.95&k=1", viewer,
                       "\"u8\""));
    commands_check(30);
    record_check();
    cluster_end();
    wire_end(&wire);
}

/* ---- the record's primary ---- */

HT_CASE(a_standby_is_promoted_and_nothing_acknowledged_is_lost)
{
    struct reader reader = {.last = 0};
    int status = -1;
    HT_REQUIRE(record_begin());
    HT_REQUIRE(ht_pg_standby_begin());
    size_t size = strlen(record);
    (void)snprintf(record + size, sizeof record - size,
                   ",%s/second&target_session_attrs=read-write", ht_pg.folder);
    HT_REQUIRE(nodes_begin(0));
    HT_REQUIRE(desk_find() >= 0);
    units_put(0);
    HT_CHECK_INT(commands_send("p", 0, 9), 0);
    (void)fflush(stdout);
    pid_t promoter = fork();
    if (promoter == 0) {
        (void)usleep(200000);
        _exit(ht_pg_promote() ? 0 : 1);
    }
    HT_CHECK_INT(commands_send("p", 9, 30), 0);
    HT_CHECK(waitpid(promoter, &status, 0) == promoter && WIFEXITED(status) &&
             WEXITSTATUS(status) == 0);
    ht_pg_promoted();
    commands_check(30);
    int64_t last = record_number("SELECT max(seq) FROM events");
    HT_CHECK(reader_follow(&reader, last));
    /* and the desk dies on the new one */
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    node_kill(&nodes[desk], SIGKILL);
    HT_CHECK_INT(commands_send("q", 30, 36), 0);
    int next = desk_find();
    HT_CHECK(next >= 0 && next != desk);
    commands_check(36);
    last = record_number("SELECT max(seq) FROM events");
    HT_CHECK(reader_follow(&reader, last));
    HT_CHECK_INT(reader.gaps, 0);
    ht_sse_close(&reader.sse);
    record_check();
}

HT_CLUSTER_MAIN()
