/* A broker that fails: it is killed and comes again, accepts and says nothing, stands still. The
 * town goes on, and finds it again. */
#include <sys/stat.h>
#include <time.h>

#include "tests/support/kits.h"

/* A process that accepts connections on the broker's port and never says a word. */
static pid_t dumb_begin(void)
{
    const int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    broker_port = broker_port == 0 ? port_hold() : broker_port;
    address.sin_port = htons(broker_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool good = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 128) == 0;
    pid_t dumb = good ? fork() : -1;
    if (dumb == 0) {
        (void)alarm(600); /* whatever becomes of the test */
        (void)pause();
        _exit(0);
    }
    (void)close(fd); /* else the server, which is forked, would have it too */
    return dumb;
}

HT_CASE(a_broker_that_was_away_is_found_again)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    broker_end(SIGKILL);
    HT_CHECK(comes("houtao_mqtt_lost_total", 2));
    HT_CHECK(becomes("houtao_mqtt_connected", 0));
    HT_CHECK_INT(item_add("zones", "z", "\"kind\":\"watched\""), 422); /* the town goes on */
    HT_REQUIRE(broker_begin(folder, ""));
    HT_CHECK(connected());
    HT_CHECK(metric("houtao_mqtt_connects_total") >= 4);
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"heart\"}"));
    HT_CHECK(shows("/v1/incidents", "\"heart\""));
    end();
}

HT_CASE(a_broker_that_says_nothing_is_left_and_tried_again)
{
    NEEDS_BROKER();
    HT_REQUIRE(map_make());
    broker_end(SIGTERM);
    pid_t dumb = dumb_begin();
    HT_REQUIRE(dumb > 0);
    (void)snprintf(store, sizeof store, "%s/dumb.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s --mqtt mqtt://127.0.0.1:%u/?client_id=dumb",
                   store, (unsigned)broker_port);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(item_add("households", "h1", "\"residents\":1"), 201); /* the town goes on */
    HT_CHECK_INT(item_add("devices", "k1", "\"household\":\"h1\""), 201);
    HT_CHECK(comes("houtao_mqtt_lost_total", 2)); /* both lines gave it up */
    HT_CHECK(becomes("houtao_mqtt_connected", 0));
    HT_CHECK_INT(metric("houtao_mqtt_connects_total"), 0);
    HT_CHECK(kill(dumb, SIGKILL) == 0 && waitpid(dumb, NULL, 0) == dumb);
    HT_REQUIRE(broker_begin(folder, ""));
    HT_CHECK(connected());
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"gas\"}"));
    HT_CHECK(shows("/v1/incidents", "\"gas\""));
    end();
}

HT_CASE(a_broker_that_stands_still_is_noticed)
{
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_CHECK_INT(kill(broker, SIGSTOP), 0);
    HT_CHECK_INT(item_add("households", "h2", "\"residents\":1"), 201);
    HT_CHECK(comes("houtao_mqtt_lost_total", 2));
    HT_CHECK(becomes("houtao_mqtt_connected", 0));
    HT_CHECK_INT(kill(broker, SIGCONT), 0);
    HT_CHECK(connected());
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"heart\"}"));
    HT_CHECK(shows("/v1/incidents", "\"heart\""));
    HT_CHECK_INT(metric("houtao_mqtt_events_overrun_total"), 0);
    end();
}

/* Until Mosquitto has saved what it has taken so far. It acknowledges at once, and saves once a
 * second: kill -9 in between loses what it acknowledged. */
static bool all_saved(void)
{
    char path[160];
    struct stat before;
    struct stat now;
    (void)snprintf(path, sizeof path, "%s/mosquitto.db", folder);
    for (int saves = 0; saves < 2; saves++) { /* one may have been under way */
        bool there = stat(path, &before) == 0;
        bool other = false;
        for (int i = 0; i < PATIENCE && !other; i++) {
            (void)usleep(NAP_US);
            other = stat(path, &now) == 0 && (!there || now.st_ino != before.st_ino ||
                                              now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
                                              now.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
        }
        if (!other) {
            return false;
        }
    }
    return true;
}

/* Alarm `i` of a flow, and a position behind it. Whether the broker took the alarm. */
static bool flow(int i)
{
    char body[96];
    (void)snprintf(body, sizeof body, "{\"kind\":\"sos\",\"id\":\"flow%d\"}", i);
    bool taken = broker_pub("houtao/alarms/k1", body);
    (void)snprintf(body, sizeof body, "{\"lon\":%.4f,\"lat\":29.951,\"ts\":%ld}",
                   121.711 + i * 1e-4, (long)time(NULL) - 1000 + i * 20);
    (void)broker_pub("houtao/positions/d1", body);
    return taken;
}

/* How often the desk has decided on alarm `i`. */
static int64_t decided(int i)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM answers WHERE key LIKE '%%:flow%d'", i);
    return ht_sql_number(store, sql);
}

static bool comes_to_be_decided(int i)
{
    for (int k = 0; k < PATIENCE; k++) {
        if (decided(i) == 1) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    return false;
}

HT_CASE(a_broker_killed_amid_the_flow_loses_nothing_that_it_saved)
{
    enum { ROUNDS = 4, SAVED = 5, EACH = 8 };
    char line[256];
    NEEDS_BROKER();
    HT_REQUIRE(begin_kits(""));
    HT_REQUIRE(broker_saved(folder, "node[0-9]*-alarms"));
    for (int round = 0; round < ROUNDS; round++) { /* from the second on while both lines are out */
        for (int i = 0; i < EACH; i++) {
            HT_CHECK(i < SAVED || i > SAVED || all_saved());
            HT_CHECK(flow(round * EACH + i));
        }
        broker_end(SIGKILL);
        HT_CHECK(!flow(ROUNDS * EACH)); /* to nobody */
        HT_REQUIRE(broker_begin(folder, ""));
    }
    HT_CHECK(connected());
    HT_CHECK(broker_pub("houtao/positions/d1", "{\"lon\":121.719,\"lat\":29.951}"));
    HT_CHECK(shows("/collections/units/items/v1", "[121.719,29.951]"));
    for (int i = 0; i < ROUNDS * EACH; i++) {
        HT_CHECK(i % EACH < SAVED ? comes_to_be_decided(i) : decided(i) <= 1);
    }
    HT_CHECK_INT(decided(ROUNDS * EACH), 0);
    HT_CHECK(comes("houtao_mqtt_lost_total", 4)); /* both lines, twice at least */
    HT_CHECK(becomes("houtao_mqtt_alarms_held", 0));
    HT_CHECK_INT(get("/v1/incidents"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "incidents"), 1); /* of one home */
    end();
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

HT_KITS_MAIN()
