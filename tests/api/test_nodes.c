/* Three nodes on one record: one decides, the others follow, hand on and take over. What was
 * acknowledged is there after each failure, nobody is sent twice, streams go on without a gap. */
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/cluster_acts.h"

enum { UNITS = 8, COMMANDS = 60 };

#define NEAR_U1 "/v1/near?collection=units&lon=121.711&lat=29.95&k=1"

/* Unit 1, which has just been put at the node. An answer waits for the node to hear of it, but not
 * for ever: on a busy machine it is asked more than once. */
static bool reads_what_it_wrote(const struct node *node)
{
    for (int i = 0; i < 10; i++) {
        if (node_get(node, NEAR_U1, viewer) == 200 && told_has("\"u1\"")) {
            return true;
        }
        HT_CHECK(node_sees(node, NEAR_U1, viewer, "\"u1\""));
        HT_CHECK_INT(node_insist(node, "DELETE", "/collections/units/items/u1", admin, ""), 204);
        HT_CHECK(node_sees(node, NEAR_U1, viewer, "\"features\":[]"));
        HT_CHECK_INT(unit_put(node, 1, "idle"), 201);
    }
    return false;
}

HT_CASE(one_node_decides_and_the_others_follow)
{
    char id[32];
    char path[96];
    HT_REQUIRE(cluster_begin());
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    const struct node *one = &nodes[other_than(desk)];
    const struct node *two = &nodes[other_than(other_than(desk))];
    HT_CHECK(role_wait(one, "\"follower\"") && role_wait(two, "\"follower\""));
    HT_CHECK_INT(unit_put(one, 1, "idle"), 201);
    HT_CHECK(ht_answer_header(&told, "etag") != NULL);
    HT_CHECK(ht_answer_header(&told, "location") != NULL);
    /* who wrote here reads it here, and elsewhere soon */
    HT_CHECK(reads_what_it_wrote(one));
    HT_CHECK(node_sees(two, NEAR_U1, viewer, "\"u1\""));
    HT_CHECK_INT(alarm_raise(two, "a1", 121.712, id), 201);
    HT_CHECK(ht_json_is(told.body, "assigned.0.unit", "\"u1\""));
    (void)snprintf(path, sizeof path, "/v1/incidents/%s", id);
    HT_CHECK(node_sees(two, path, viewer, "\"state\":\"assigned\""));
    HT_CHECK(node_sees(one, path, viewer, "\"state\":\"assigned\""));
    HT_CHECK(node_sees(one, "/v1/incidents", viewer, "\"state\":\"assigned\""));
    HT_CHECK_INT(incident_step(one, id, "{\"event\":\"ack\",\"unit\":\"u1\"}"), 200);
    HT_CHECK(node_sees(two, path, viewer, "\"state\":\"acknowledged\""));
    HT_CHECK_INT(incident_step(two, id, "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}"),
                 200);
    HT_CHECK(node_sees(one, path, viewer, "\"state\":\"resolved\""));
    /* errors come back as they are */
    HT_CHECK_INT(incident_step(one, id, "{\"event\":\"ack\",\"unit\":\"u1\"}"), 409);
    HT_CHECK_INT(node_send(one, "POST", "/v1/incidents", as(viewer, JSON), "{}"), 403);
    HT_CHECK_INT(node_send(one, "POST", "/v1/incidents", as(admin, JSON), "{"), 400);
    HT_CHECK(told_has("\"status\":400"));
    record_check();
}

HT_CASE(followers_keep_up_with_orders_positions_and_settings)
{
    char report[TEXT];
    HT_REQUIRE(cluster_begin());
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    const struct node *one = &nodes[other_than(desk)];
    const struct node *two = &nodes[other_than(other_than(desk))];
    HT_CHECK_INT(unit_put(one, 1, "idle"), 201);
    HT_CHECK_INT(node_insist(one, "PUT", "/collections/facilities/items/k1", as(admin, GEO),
                             "{\"type\":\"Feature\",\"id\":\"k1\",\"geometry\":{\"type\":\"Point\","
                             "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":"
                             "\"kitchen\"}}"),
                 201);
    HT_CHECK_INT(node_insist(one, "POST", "/v1/orders", as(admin, JSON),
                             "{\"id\":\"o1\",\"lon\":121.712,\"lat\":29.95,\"kitchen\":\"k1\","
                             "\"load\":1,\"due\":[\"2099-01-01T04:00:00Z\","
                             "\"2099-01-01T05:00:00Z\"]}"),
                 201);
    HT_CHECK(node_sees(two, "/v1/orders/o1", viewer, "\"state\":\"received\""));
    HT_CHECK(node_sees(two, "/v1/orders", viewer, "\"o1\""));
    HT_CHECK_INT(
        node_insist(two, "POST", "/v1/orders/o1/events", as(admin, JSON), "{\"event\":\"cancel\"}"),
        200);
    HT_CHECK(node_sees(one, "/v1/orders/o1", viewer, "\"state\":\"cancelled\""));
    (void)snprintf(report, sizeof report,
                   "[{\"unit\":\"u1\",\"lon\":121.7205,\"lat\":29.9510,\"ts\":%lld}]",
                   (long long)time(NULL));
    HT_CHECK_INT(node_insist(one, "POST", "/v1/positions", as(admin, JSON), report), 200);
    HT_CHECK(told_has("\"accepted\":1"));
    HT_CHECK(node_sees(two, "/v1/near?collection=units&lon=121.7205&lat=29.951&k=1&radius_m=5",
                       viewer, "\"u1\""));
    /* other rules: the node is opened anew, and answers meanwhile */
    HT_CHECK_INT(node_insist(two, "PUT", "/v1/settings/live", as(admin, JSON), "{\"stale_s\":77}"),
                 200);
    HT_CHECK(node_sees(one, "/v1/settings/live", admin, "77"));
    record_check();
}

HT_CASE(kill_9_of_the_desk_in_a_stream_of_commands_loses_and_doubles_nothing)
{
    struct reader reader = {.last = 0};
    HT_REQUIRE(cluster_begin());
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    for (int i = 0; i < UNITS; i++) {
        HT_CHECK_INT(unit_put(&nodes[i % NODES], i, "idle"), 201);
    }
    reader.at = desk;
    HT_CHECK(reader_follow(&reader, UNITS));
    HT_CHECK_INT(commands_send("k", 0, COMMANDS / 3), 0);
    struct node dead = nodes[desk];
    nodes[desk].pid = 0; /* nobody asks it any more */
    pid_t killer = later(dead.pid, SIGKILL);
    HT_CHECK_INT(commands_send("k", COMMANDS / 3, COMMANDS), 0);
    (void)waitpid(killer, NULL, 0);
    (void)waitpid(dead.pid, NULL, 0);
    int next = desk_find();
    HT_CHECK(next >= 0 && next != desk);
    commands_check(COMMANDS);
    int64_t last = record_number("SELECT max(seq) FROM events");
    HT_CHECK(reader_follow(&reader, last));
    HT_CHECK_INT(reader.gaps, 0);
    ht_sse_close(&reader.sse);
    /* the node comes back as a follower, with all of it */
    HT_CHECK(node_start(&nodes[desk], dead.port));
    HT_CHECK(role_wait(&nodes[desk], "\"follower\""));
    HT_CHECK_INT(commands_send("l", COMMANDS, COMMANDS + 3), 0);
    record_check();
}

/* A command that nobody has is no command that somebody may have done; and the log is not filled
 * with one line for each. */
HT_CASE(a_desk_that_is_not_reached_has_done_nothing)
{
    static const char said[] = "can't be reached";
    uint16_t nowhere = port_hold();
    int log = ht_command_temp();
    HT_REQUIRE(record_begin() && nowhere != 0 && log >= 0);
    (void)snprintf(node_more, sizeof node_more, "--advertise http://127.0.0.1:%u",
                   (unsigned)nowhere);
    HT_REQUIRE(node_start(&nodes[0], 0) && role_wait(&nodes[0], "\"desk\""));
    node_more[0] = '\0';
    HT_REQUIRE(node_start_logged(&nodes[1], 0, log) && role_wait(&nodes[1], "\"follower\""));
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(node_send(&nodes[1], "PUT", "/collections/units/items/u9", as(admin, GEO),
                               "{\"type\":\"Feature\",\"id\":\"u9\",\"geometry\":null,"
                               "\"properties\":{}}"),
                     503);
        HT_CHECK(told_has(said) && told_has("nothing was done, try again"));
        HT_CHECK(ht_answer_header(&told, "retry-after") != NULL);
        HT_CHECK_INT(log_count(log, said), 1);
    }
    HT_CHECK_INT(record_number("SELECT count(*) FROM events"), 0);
    /* somebody answers there, though it is not the desk */
    HT_REQUIRE(node_start(&nodes[2], nowhere) && role_wait(&nodes[2], "\"follower\""));
    HT_CHECK_INT(node_send(&nodes[1], "DELETE", "/collections/units/items/u9", admin, ""), 503);
    HT_CHECK(!told_has(said));
    HT_CHECK_INT(log_count(log, said), 1);
    HT_CHECK_INT(log_count(log, "is reached again"), 1);
    (void)close(log);
}

/* What the first desk wrote; the next one may write by itself meanwhile. */
static const char events_of_first[] =
    "SELECT count(*) FROM events WHERE epoch = (SELECT min(epoch) FROM events)";

HT_CASE(a_desk_that_was_stopped_beyond_its_lease_writes_nothing_more)
{
    struct ht_client late;
    struct ht_answer answer_late = {0};
    char text[TEXT * 2];
    static const char alarm[] = "{\"kind\":\"sos\",\"lon\":121.712,\"lat\":29.95}";
    HT_REQUIRE(cluster_begin());
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    HT_CHECK_INT(unit_put(&nodes[other_than(desk)], 0, "idle"), 201);
    struct node stopped = nodes[desk];
    HT_CHECK(kill(stopped.pid, SIGSTOP) == 0);
    nodes[desk].pid = 0;
    /* the kernel takes what is sent to it */
    HT_CHECK(ht_client_open(&late, stopped.port));
    (void)snprintf(text, sizeof text,
                   "POST /v1/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n%s" JSON
                   "Idempotency-Key: late\r\nX-Houtao-Forwarded: 1\r\nContent-Length: %zu\r\n"
                   "\r\n%s",
                   admin, strlen(alarm), alarm);
    HT_CHECK(ht_client_text(&late, text));
    HT_CHECK_INT(commands_send("s", 0, 6), 0);
    int next = desk_find();
    HT_CHECK(next >= 0 && next != desk);
    int64_t events = record_number(events_of_first);
    HT_CHECK(kill(stopped.pid, SIGCONT) == 0);
    HT_CHECK_INT(ht_client_read(&late, &answer_late, false), 503);
    ht_answer_free(&answer_late);
    ht_client_close(&late);
    HT_CHECK_INT(record_number("SELECT count(*) FROM answers WHERE key = 'late'"), 0);
    HT_CHECK_INT(record_number(events_of_first), events);
    nodes[desk] = stopped;
    HT_CHECK(role_wait(&nodes[desk], "\"follower\""));
    HT_CHECK_INT(commands_send("t", 6, 12), 0);
    commands_check(12);
    record_check();
}

/* A session that lets nobody write positions for longer than a lease. */
static pid_t positions_block(void)
{
    char out[64];
    (void)fflush(stdout);
    pid_t own = fork();
    if (own == 0) {
        _exit(ht_pg_sql_in(record,
                           "BEGIN; LOCK TABLE positions IN EXCLUSIVE MODE; SELECT pg_sleep(4.5);"
                           "COMMIT",
                           out, sizeof out));
    }
    for (int i = 0; i < 100 && record_number("SELECT count(*) FROM pg_locks WHERE mode ="
                                             " 'ExclusiveLock' AND granted AND relation ="
                                             " 'positions'::regclass") == 0;
         i++) {
        (void)usleep(20000);
    }
    return own;
}

/* It goes on telling that it is there until its last transaction is written. */
HT_CASE(a_desk_that_ends_slowly_is_not_taken_for_dead)
{
    char report[TEXT];
    int status = -1;
    HT_REQUIRE(cluster_begin());
    int desk = desk_find();
    HT_REQUIRE(desk >= 0);
    HT_CHECK_INT(unit_put(&nodes[desk], 1, "idle"), 201);
    pid_t blocker = positions_block();
    (void)snprintf(report, sizeof report,
                   "[{\"unit\":\"u1\",\"lon\":121.7205,\"lat\":29.9510,\"ts\":%lld}]",
                   (long long)time(NULL));
    HT_CHECK_INT(node_insist(&nodes[desk], "POST", "/v1/positions", as(admin, JSON), report), 200);
    struct node ended = nodes[desk];
    nodes[desk].pid = 0;
    HT_CHECK(kill(ended.pid, SIGTERM) == 0);
    HT_CHECK(waitpid(ended.pid, &status, 0) == ended.pid && status == 0);
    HT_CHECK(waitpid(blocker, &status, 0) == blocker && status == 0);
    HT_CHECK_INT(record_number("SELECT count(*) FROM positions WHERE unit = 'u1'"), 1);
    int next = desk_find();
    HT_CHECK(next >= 0 && next != desk);
    HT_CHECK_INT(commands_send("e", 0, 3), 0);
    record_check();
}

/* Sessions outlive the database's first process by a moment, in which commands are still done. */
static bool record_ends(const struct node *node)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (node_send(node, "DELETE", "/collections/units/items/none", admin, "") == 503) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

HT_CASE(the_record_dies_and_comes_back)
{
    struct reader reader = {.last = 0};
    HT_REQUIRE(cluster_begin());
    HT_REQUIRE(desk_find() >= 0);
    for (int i = 0; i < UNITS; i++) {
        HT_CHECK_INT(unit_put(&nodes[i % NODES], i, "idle"), 201);
    }
    HT_CHECK_INT(commands_send("d", 0, 6), 0);
    ht_pg_kill(SIGKILL);
    for (int i = 0; i < NODES; i++) {
        HT_CHECK(record_ends(&nodes[i]));
        HT_CHECK_INT(node_send(&nodes[i], "POST", "/v1/incidents", as(admin, JSON),
                               "{\"kind\":\"sos\",\"lon\":121.712,\"lat\":29.95}"),
                     503);
        HT_CHECK(ht_answer_header(&told, "retry-after") != NULL);
        HT_CHECK_INT(node_get(&nodes[i], "/nearest/v1/car/121.712,29.95", viewer), 200);
    }
    HT_REQUIRE(ht_pg_start());
    HT_CHECK_INT(commands_send("e", 6, 18), 0);
    commands_check(18);
    int64_t last = record_number("SELECT max(seq) FROM events");
    HT_CHECK(reader_follow(&reader, last));
    HT_CHECK_INT(reader.gaps, 0);
    ht_sse_close(&reader.sse);
    record_check();
}

/* Until a node says that there is no such thing. */
static bool node_misses(const struct node *node, const char *path)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (node_get(node, path, viewer) == 404) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

/* Until every node has told the record that it knows event `seq`: it has seen it there. */
static bool all_told(int64_t seq)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM houtao_nodes WHERE seq >= %lld",
                   (long long)seq);
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (record_number(sql) == NODES) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

/* As after the promotion of a standby that was not waited for. */
HT_CASE(a_record_that_went_back_is_opened_anew)
{
    char id[32];
    char path[96];
    char sql[256];
    char out[8];
    HT_REQUIRE(cluster_begin());
    HT_REQUIRE(desk_find() >= 0);
    HT_CHECK_INT(unit_put(&nodes[0], 0, "idle"), 201);
    int64_t kept = record_number("SELECT max(seq) FROM events");
    HT_CHECK_INT(alarm_raise(&nodes[0], "gone", 121.712, id), 201);
    (void)snprintf(path, sizeof path, "/v1/incidents/%s", id);
    for (int i = 0; i < NODES; i++) {
        HT_CHECK(node_sees(&nodes[i], path, viewer, "\"assigned\""));
    }
    int64_t last = record_number("SELECT max(seq) FROM events");
    HT_CHECK(all_told(last)); /* each has looked at the record */
    (void)snprintf(sql, sizeof sql,
                   "ALTER TABLE events DISABLE TRIGGER USER; DELETE FROM events WHERE seq > %lld;"
                   " DELETE FROM answers; DELETE FROM incident_places;"
                   " ALTER TABLE events ENABLE TRIGGER USER",
                   (long long)kept);
    HT_REQUIRE(ht_pg_sql(record, sql, out, sizeof out) == 0);
    for (int i = 0; i < NODES; i++) {
        HT_CHECK(node_misses(&nodes[i], path));
    }
    HT_CHECK(desk_find() >= 0);
    HT_CHECK_INT(commands_send("g", 0, 3), 0);
    commands_check(3);
    record_check();
}

static int unit_put_once(const struct node *node)
{
    return node_send(node, "PUT", "/collections/units/items/u9", as(admin, GEO),
                     "{\"type\":\"Feature\",\"id\":\"u9\",\"geometry\":null,\"properties\":{}}");
}

HT_CASE(who_may_only_read_the_record_is_served_alone)
{
    struct node reader = {0};
    char whole[HT_PG_URL];
    char out[8];
    HT_REQUIRE(cluster_begin());
    HT_REQUIRE(desk_find() >= 0);
    HT_CHECK_INT(unit_put(&nodes[0], 0, "idle"), 201);
    HT_REQUIRE(ht_pg_sql(record,
                         "CREATE ROLE looker LOGIN;"
                         " GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
                         out, sizeof out) == 0);
    (void)snprintf(whole, sizeof whole, "%s", record);
    (void)snprintf(record, sizeof record, "postgresql://looker%s", strchr(whole, '@'));
    HT_CHECK(node_start(&reader, 0));
    HT_CHECK_INT(node_get(&reader, "/collections/units/items/u0", viewer), 200);
    HT_CHECK_INT(unit_put_once(&reader), 503);
    node_kill(&reader, SIGKILL);
    (void)snprintf(record, sizeof record, "%s", whole);
    HT_CHECK(desk_find() >= 0);
}

HT_CLUSTER_MAIN()
