/* The bounds of the door for terminals, in this process with times that are short: who is silent,
 * who never says who it is, who leaves something unfinished, who takes no answers, and who is one
 * too many. Nothing here is timed: what is closed is waited for. */
#include "api/app.h"
#include "api/jt808.h"
#include "tests/support/check.h"
#include "tests/support/served.h"
/* after the client, whose sockets it takes */
#include "tests/support/jt808.h"

#define PHONE "13800138000"

enum { LONG_MS = 3600 * 1000, SHORT_MS = 200 };

struct stage {
    struct ht_app *app;
    struct ht_jt808 *jt;
    uint16_t port;
};

static struct jt_terminal terminal;

/* Nothing ends by itself but what a case asks for. */
static struct ht_jt808_options patient(void)
{
    struct ht_jt808_options options = ht_jt808_options_default();
    options.port = 0;
    options.proof_ms = LONG_MS;
    options.idle_ms = LONG_MS;
    options.frame_ms = LONG_MS;
    options.parts_ms = LONG_MS;
    options.write_ms = LONG_MS;
    options.ask_ms = LONG_MS;
    return options;
}

static bool town_load(const char *store)
{
    char line[512];
    char path[256];
    (void)snprintf(path, sizeof path, "%s/devices.ndjson", folder);
    FILE *file = fopen(path, "w");
    bool good =
        file != NULL && fputs("{\"type\":\"Feature\",\"id\":\"" PHONE "\",\"geometry\":null,"
                              "\"properties\":{\"protocol\":\"jt808\",\"unit\":\"v1\"}}\n",
                              file) >= 0;
    good = file != NULL && fclose(file) == 0 && good;
    (void)snprintf(line, sizeof line, "load --store %s --collection devices %s", store, path);
    return good && ht_command_run(line)->code == 0;
}

static bool stage_begin(struct stage *s, const struct ht_jt808_options *options)
{
    static int number;
    char store[160];
    struct ht_error note = {0};
    struct ht_error error = {0};
    *s = (struct stage){.app = NULL};
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/limits-%d.sqlite", folder, number++);
    bool good =
        town_load(store) && ht_app_new(1, NULL, &s->app) == HT_OK &&
        ht_app_network_open(s->app, map, false, &error) == HT_OK &&
        ht_app_store_open(s->app, store, &note, &error) == HT_OK &&
        ht_app_regimes_open(s->app, &error) == HT_OK && ht_app_live_open(s->app, &error) == HT_OK &&
        ht_app_finder_open(s->app, &error) == HT_OK &&
        ht_jt808_new(s->app, options, &s->jt, &error) == HT_OK && ht_jt808_start(s->jt) == HT_OK;
    if (!good) {
        (void)printf("  %s\n", error.message);
        ht_jt808_free(s->jt);
        ht_app_free(s->app);
        return false;
    }
    s->port = ht_jt808_port(s->jt);
    return true;
}

static void stage_end(struct stage *s)
{
    ht_jt808_stop(s->jt);
    ht_app_store_stop(s->app);
    ht_jt808_free(s->jt);
    ht_app_free(s->app);
}

/* A counter; -1: there is none. */
static long metric(const struct stage *s, const char *name)
{
    struct ht_buffer out = {0};
    char line[128];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    ht_jt808_metrics(s->jt, &out);
    ht_buffer_append(&out, "", 1);
    const char *at = out.failed ? NULL : strstr(out.data, line);
    long value = at == NULL ? -1 : strtol(at + strlen(line), NULL, 10);
    ht_buffer_deinit(&out);
    return value;
}

static bool metric_becomes(const struct stage *s, const char *name, long value)
{
    for (int i = 0; i < 3000 && metric(s, name) != value; i++) {
        (void)usleep(10000);
    }
    return metric(s, name) == value;
}

static bool stage_entered(struct stage *s, const struct ht_jt808_options *options)
{
    return stage_begin(s, options) && jt_enter(&terminal, s->port, PHONE);
}

/* Where the server closes who is slow: a busy machine may make the terminal that. How often it was,
 * until it came in; below 0: it never did. */
static long enter_at_last(const struct stage *s)
{
    for (long tries = 0; tries < 100; tries++) {
        if (jt_enter(&terminal, s->port, PHONE)) {
            return tries;
        }
        (void)close(terminal.fd);
    }
    return -1;
}

/* The terminal hangs up, and the server ends. */
static void stage_left(struct stage *s)
{
    (void)close(terminal.fd);
    stage_end(s);
}

/* The server hangs up, for this reason, and keeps nothing. */
static bool closed_for(const struct stage *s, const char *reason)
{
    char name[96];
    (void)snprintf(name, sizeof name, "houtao_jt808_closed_total{reason=\"%s\"}", reason);
    return jt_ends(&terminal) && metric_becomes(s, name, 1) &&
           metric(s, "houtao_jt808_held_bytes") == 0;
}

HT_CASE(who_never_authenticates_is_closed)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.proof_ms = SHORT_MS;
    HT_REQUIRE(stage_begin(&s, &options));
    HT_REQUIRE(jt_open(&terminal, s.port, PHONE, false));
    HT_CHECK(jt_ends(&terminal));
    (void)close(terminal.fd);
    HT_REQUIRE(jt_open(&terminal, s.port, PHONE, false)); /* also one that talks meanwhile */
    while (jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0) == HT_JT808_FAILED) {
        (void)usleep(50000);
    }
    HT_CHECK(jt_ends(&terminal));
    (void)close(terminal.fd);
    HT_CHECK_INT(metric(&s, "houtao_jt808_closed_total{reason=\"unauthenticated\"}"), 2);
    HT_REQUIRE(enter_at_last(&s) >= 0);
    (void)usleep(3000 * SHORT_MS + 1500000); /* beyond the time, and a tick: it stays */
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    stage_left(&s);
}

HT_CASE(who_is_silent_is_closed)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.idle_ms = SHORT_MS;
    HT_REQUIRE(stage_begin(&s, &options));
    long before = enter_at_last(&s);
    HT_REQUIRE(before >= 0);
    HT_CHECK(jt_ends(&terminal));
    HT_CHECK(metric_becomes(&s, "houtao_jt808_closed_total{reason=\"idle\"}", before + 1));
    HT_CHECK_INT(metric(&s, "houtao_jt808_held_bytes"), 0);
    HT_CHECK_INT(metric(&s, "houtao_jt808_authenticated"), 0);
    stage_left(&s);
}

HT_CASE(half_a_frame_is_not_waited_for)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.frame_ms = SHORT_MS;
    HT_REQUIRE(stage_entered(&s, &options));
    HT_CHECK(jt_bytes(&terminal, "\x7e\x00\x02", 3));
    HT_CHECK(closed_for(&s, "half_frame"));
    stage_left(&s);
}

/* The first part of a message of `parts`, from who has proven itself. */
static bool part_send(uint8_t parts)
{
    uint8_t out[64] = {0x7e, 0x07, 0x04, 0x20, 0x04};
    size_t at = 5;
    uint8_t sum = 0;
    memcpy(out + at, terminal.header.phone, 6);
    at += 6;
    const uint8_t rest[] = {0, 9, 0, parts, 0, 1, 0, 1, 0, 0};
    memcpy(out + at, rest, sizeof rest);
    at += sizeof rest;
    for (size_t i = 1; i < at; i++) {
        sum ^= out[i];
    }
    out[at++] = sum;
    out[at++] = 0x7e;
    return jt_bytes(&terminal, out, at) && jt_read(&terminal);
}

HT_CASE(parts_are_not_waited_for_without_end)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.parts_ms = SHORT_MS;
    HT_REQUIRE(stage_entered(&s, &options));
    HT_CHECK(part_send(3) && terminal.message.body[4] == HT_JT808_DONE);
    HT_CHECK(metric_becomes(&s, "houtao_jt808_held_bytes", 0));
    HT_CHECK(metric_becomes(&s, "houtao_jt808_refused_total{reason=\"parts\"}", 1)); /* after it */
    HT_CHECK(part_send(65) && terminal.message.body[4] == HT_JT808_UNSUPPORTED);
    HT_CHECK_INT(metric(&s, "houtao_jt808_refused_total{reason=\"parts\"}"), 2);
    HT_CHECK_INT(jt_ask(&terminal, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    stage_left(&s);
}

HT_CASE(what_all_make_us_keep_is_bounded)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.held_max = 1000;
    HT_REQUIRE(stage_entered(&s, &options));
    HT_CHECK(part_send(3) && terminal.message.body[4] != HT_JT808_DONE);
    HT_CHECK_INT(metric(&s, "houtao_jt808_held_bytes"), 0);
    uint8_t half[1200];
    memset(half, 0x31, sizeof half);
    half[0] = 0x7e;
    HT_CHECK(jt_bytes(&terminal, half, sizeof half));
    HT_CHECK(closed_for(&s, "memory"));
    stage_left(&s);
}

HT_CASE(one_too_many_is_closed_and_the_others_stay)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    static struct jt_terminal others[3];
    options.connections_max = 3;
    HT_REQUIRE(stage_begin(&s, &options));
    for (size_t i = 0; i < 3; i++) {
        HT_REQUIRE(jt_open(&others[i], s.port, "13800138001", false));
        HT_CHECK_INT(jt_ask(&others[i], HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_FAILED);
    }
    HT_REQUIRE(jt_open(&terminal, s.port, PHONE, false));
    HT_CHECK(jt_ends(&terminal));
    (void)close(terminal.fd);
    HT_CHECK_INT(metric(&s, "houtao_jt808_closed_total{reason=\"full\"}"), 1);
    (void)close(others[0].fd);
    HT_CHECK(metric_becomes(&s, "houtao_jt808_connections", 2));
    HT_REQUIRE(jt_enter(&terminal, s.port, PHONE));
    for (size_t i = 1; i < 3; i++) {
        HT_CHECK_INT(jt_ask(&others[i], HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_FAILED);
        (void)close(others[i].fd);
    }
    stage_left(&s);
}

/* What is read together is answered together: each its own, one closed by another among them. */
HT_CASE(many_who_speak_at_once_are_answered_each)
{
    enum { MANY = 40, EACH = 3 };
    struct stage s;
    struct ht_jt808_options options = patient();
    static struct jt_terminal others[MANY];
    static struct jt_terminal again;
    struct ht_jt808_answer said;
    char code[80];
    HT_REQUIRE(stage_entered(&s, &options));
    HT_REQUIRE(jt_open(&again, s.port, PHONE, false));
    HT_REQUIRE(jt_register(&again, "T123456", code) == HT_JT808_REGISTERED);
    for (size_t i = 0; i < MANY; i++) {
        HT_REQUIRE(jt_open(&others[i], s.port, "13800138001", false));
        others[i].header.serial = (uint16_t)(1000 * i);
    }
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < EACH; k++) {
            HT_CHECK(jt_send(&others[i], HT_JT808_HEARTBEAT, NULL, 0));
        }
        if (i ==
            MANY / 2) { /* the same terminal on a new connection, before the old one is answered */
            HT_CHECK(jt_send(&terminal, HT_JT808_HEARTBEAT, NULL, 0));
            HT_CHECK(jt_send(&again, HT_JT808_AUTHENTICATE, code, strlen(code)));
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < EACH; k++) {
            HT_REQUIRE(jt_read(&others[i]) && ht_jt808_answer_read(&others[i].message, &said));
            HT_CHECK_INT(said.serial, (uint16_t)(1000 * i + k));
            HT_CHECK_INT(said.result, HT_JT808_FAILED);
        }
        HT_CHECK_INT(others[i].have, 0);
        (void)close(others[i].fd);
    }
    HT_CHECK(jt_read(&again) && again.message.body[4] == HT_JT808_DONE);
    while (jt_read(&terminal)) { /* answered before it was closed, or not */
    }
    HT_CHECK_INT(metric(&s, "houtao_jt808_closed_total{reason=\"replaced\"}"), 1);
    HT_CHECK_INT(metric(&s, "houtao_jt808_authenticated"), 1);
    HT_CHECK_INT(jt_ask(&again, HT_JT808_HEARTBEAT, NULL, 0), HT_JT808_DONE);
    (void)close(again.fd);
    stage_left(&s);
}

/* Sends heartbeats and reads no answer, until the server does not read on either. */
HT_CASE(who_takes_no_answers_is_not_read_and_then_closed)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.write_ms = SHORT_MS;
    HT_REQUIRE(stage_entered(&s, &options));
    uint8_t one[HT_JT808_WIRE_MAX];
    static uint8_t many[1 << 16];
    size_t size = ht_jt808_encode(&terminal.header, HT_JT808_HEARTBEAT, 1, NULL, 0, one);
    size_t filled = 0;
    for (; filled + size <= sizeof many; filled += size) {
        memcpy(many + filled, one, size);
    }
    struct timeval soon = {.tv_usec = 100000};
    (void)setsockopt(terminal.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    size_t sent = 0;
    for (int stuck = 0; stuck < 600 && sent < (size_t)64 << 20;) { /* far more than sockets hold */
        ssize_t now = send(terminal.fd, many + sent % size, filled - size, MSG_NOSIGNAL);
        if (now < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            break; /* closed */
        }
        sent += now > 0 ? (size_t)now : 0;
        stuck += now <= 0; /* or the server has not come to read yet: it closes in the end */
    }
    HT_CHECK(sent < (size_t)64 << 20);
    HT_CHECK(metric_becomes(&s, "houtao_jt808_closed_total{reason=\"slow\"}", 1));
    HT_CHECK_INT(metric(&s, "houtao_jt808_held_bytes"), 0);
    stage_left(&s);
}

HT_CASE(terminal_that_tells_no_place_is_asked_for_it)
{
    struct stage s;
    struct ht_jt808_options options = patient();
    options.ask_ms = SHORT_MS;
    HT_REQUIRE(stage_entered(&s, &options));
    HT_REQUIRE(jt_read(&terminal));
    HT_CHECK_INT(terminal.message.header.id, HT_JT808_OUT_QUERY);
    HT_CHECK_INT(terminal.message.size, 0);
    uint8_t body[2 + HT_JT808_LOCATION_SIZE] = {0, 2};
    HT_CHECK(jt_send(&terminal, HT_JT808_LOCATION_ANSWER, body, sizeof body));
    HT_CHECK(metric_becomes(&s, "houtao_jt808_messages_total{kind=\"query_answer\"}", 1));
    /* a message is counted when it comes, what becomes of it when it is taken; no answer is sent */
    HT_CHECK(metric_becomes(&s, "houtao_jt808_places_total{outcome=\"not_fixed\"}", 1));
    HT_CHECK(jt_send(&terminal, HT_JT808_LOGOUT, NULL, 0));
    while (jt_read(&terminal) && terminal.message.header.id == HT_JT808_OUT_QUERY) {
    }
    HT_CHECK_INT(terminal.message.header.id, HT_JT808_OUT_ANSWER);
    HT_CHECK(metric_becomes(&s, "houtao_jt808_closed_total{reason=\"logout\"}", 1));
    stage_left(&s);
}

HT_SERVED_MAIN()
