/* A broker that fails: it is killed and comes again, accepts and says nothing, stands still. The
 * town goes on, and finds it again. */
#include "tests/support/kits.h"

/* A process that accepts connections on the broker's port and never says a word. */
static pid_t dumb_begin(void)
{
    const int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    broker_port = broker_port == 0 ? broker_free_port() : broker_port;
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
    HT_CHECK_INT(metric("houtao_mqtt_connected"), 0);
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
    HT_CHECK_INT(metric("houtao_mqtt_connected"), 0);
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
    HT_CHECK_INT(metric("houtao_mqtt_connected"), 0);
    HT_CHECK_INT(kill(broker, SIGCONT), 0);
    HT_CHECK(connected());
    HT_CHECK(broker_pub("houtao/alarms/k1", "{\"kind\":\"heart\"}"));
    HT_CHECK(shows("/v1/incidents", "\"heart\""));
    HT_CHECK_INT(metric("houtao_mqtt_events_overrun_total"), 0);
    end();
}

HT_KITS_MAIN()
