/* Next of kin and duty phones over the port: who is told of what, what is tried again, what is
 * given up, what outlives kill -9, and who sees what of it. The receiver is this test. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/hook_receiver.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define HOMES "/collections/households/items"
#define UNITS "/collections/units/items"
#define INCIDENTS "/v1/incidents"
#define SECRET "0123456789abcdef"
#define PHONE "13800001111"
#define DUTY "+86 574 8700 0001"

static char store[128];
static char options[768];
static char hook_id[64];
static char bearer[4][160];
enum { ADMIN, DISPATCHER, VIEWER, NOBODY };
static int who = NOBODY; /* asks */

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    who = NOBODY;
    (void)snprintf(store, sizeof store, "%s/tell%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %.127s %.512s", store, more);
    return begin(options);
}

static const char *head(const char *type)
{
    static char text[512];
    (void)snprintf(text, sizeof text, "%s%s", type, bearer[who]);
    return text;
}

static int see(const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, bearer[who]);
    return ask(text);
}

static bool is(const char *path, const char *want)
{
    return answer.body != NULL && ht_json_is(answer.body, path, want);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void put_item(const char *path, const char *properties)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":"
                   "[121.7105,29.9505]},\"properties\":{%s}}",
                   properties);
    HT_CHECK(send_body("PUT", path, head(GEO), text) / 100 == 2);
}

static void town_fill(void)
{
    put_item(HOMES "/h1", "\"name\":\"王奶奶\",\"address\":\"石桥路1号\",\"residents\":1,"
                          "\"contacts\":[{\"name\":\"王小明\",\"phone\":\"" PHONE "\"}]");
    put_item(HOMES "/h2", "\"residents\":1");
    put_item(UNITS "/r1", "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\"");
}

static int setting(const char *tell)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"kinds\":{\"sos\":{\"tell\":%s,\"ack_s\":0,\"clocks_s\":[60,0,0,0,0]}},"
                   "\"duty\":{\"community\":[\"" DUTY "\"],\"sub_district\":[\"12345\"]},"
                   "\"tell_give_up_s\":600}",
                   tell);
    return send_body("PUT", "/v1/settings/incidents", head(JSON), text);
}

static int hook_add(uint16_t to, const char *topics)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"url\":\"http://127.0.0.1:%u/in\",\"topics\":%s,\"secret\":\"" SECRET "\"}",
                   (unsigned)to, topics);
    int status = post("/v1/webhooks", head(JSON), text);
    const char *id = status == 201 ? ht_json_at(answer.body, "id") : NULL;
    (void)snprintf(hook_id, sizeof hook_id, "%.*s", id == NULL ? 0 : (int)strcspn(id + 1, "\""),
                   id == NULL ? "" : id + 1);
    return status;
}

static int alarm_send(const char *household)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"household\":\"%s\",\"kind\":\"sos\"}", household);
    return post(INCIDENTS, head(JSON), text);
}

static void advance(int seconds)
{
    char body[64];
    (void)snprintf(body, sizeof body, "{\"advance_s\":%d}", seconds);
    HT_CHECK_INT(post("/v1/clock", head(JSON), body), 200);
}

/* Waits until the incident shows this at that path. */
static void shows_at_last(const char *id, const char *path, const char *want)
{
    char url[128];
    (void)snprintf(url, sizeof url, INCIDENTS "/%s", id);
    for (int i = 0; i < 1200; i++) {
        HT_CHECK_INT(see(url), 200);
        if (is(path, want)) {
            return;
        }
        (void)usleep(25000);
    }
    HT_CHECK_STR(answer.body, want);
}

static int64_t number_of(const char *sql)
{
    return ht_sql_number(store, sql);
}

static void audit_holds(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

static void die(void)
{
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
}

/* --- who is told ------------------------------------------------------------------------------ */

HT_CASE(kin_and_duty_are_told_at_the_events_that_the_setting_names)
{
    static struct receiver kin;
    static struct receiver duty;
    char key[512];
    HT_REQUIRE(receiver_open(&kin) && receiver_open(&duty));
    HT_REQUIRE(begin_town("--clock 2026-03-02T02:00:00Z,0"));
    town_fill();
    HT_CHECK_INT(hook_add(duty.port, "[\"duty\"]"), 201);
    HT_CHECK_INT(hook_add(kin.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(setting("{\"assigned\":[\"kin\"],\"escalated\":[\"duty\"]}"), 200);
    HT_CHECK(is("kinds.sos.tell.assigned.0", "\"kin\"") && is("tell_give_up_s", "600"));
    HT_CHECK_INT(alarm_send("h1"), 201);
    HT_REQUIRE(receive(&kin));
    HT_CHECK(signed_with(&kin, SECRET));
    HT_CHECK_STR(header(&kin, "X-Houtao-Event"), "telling");
    HT_CHECK(ht_json_is(kin.body, "to", "\"kin\"") && ht_json_is(kin.body, "attempt", "1"));
    HT_CHECK(ht_json_is(kin.body, "contacts.0.phone", "\"" PHONE "\""));
    HT_CHECK(ht_json_is(kin.body, "name", "\"王奶奶\"") && ht_json_is(kin.body, "kind", "\"sos\""));
    HT_CHECK(ht_json_is(kin.body, "incident", "\"i1\"") &&
             ht_json_is(kin.body, "event", "\"assigned\"") && ht_json_at(kin.body, "lon") != NULL);
    (void)snprintf(key, sizeof key, "%.40s-%d", hook_id,
                   (int)ht_json_number_at(kin.body, "telling"));
    HT_CHECK_STR(header(&kin, "Idempotency-Key"), key);
    respond(&kin, "200 OK");
    shows_at_last("i1", "told.0.state", "\"told\"");
    HT_CHECK(is("told.0.to", "\"kin\"") && is("told.0.event", "\"assigned\"") &&
             is("told.0.attempts.0.status", "200") && is("told.0.attempts.0.attempt", "1") &&
             is("told.0.told_at", "\"2026-03-02T02:00:00.000Z\""));
    HT_CHECK(ht_json_at(answer.body, "told.1") == NULL);
    advance(61); /* nobody acknowledged: it rises */
    HT_REQUIRE(receive(&duty));
    HT_CHECK(signed_with(&duty, SECRET));
    HT_CHECK(ht_json_is(duty.body, "level", "\"sub_district\"") &&
             ht_json_is(duty.body, "phones.0", "\"12345\"") &&
             ht_json_at(duty.body, "contacts") == NULL);
    respond(&duty, "204 No Content");
    shows_at_last("i1", "told.1.state", "\"told\"");
    HT_CHECK_INT(see(INCIDENTS "/i1/history"), 200);
    HT_CHECK(says("\"event\":\"tell_wanted\"") && says("\"event\":\"tell_done\"") &&
             says("\"status\":204") && !says(PHONE) && !says("12345"));
    HT_CHECK(!receive_within(&kin, 300) && !receive_within(&duty, 0));
    HT_CHECK_INT(see("/v1/webhooks"), 200);
    HT_CHECK(is("webhooks.0.delivered", "1") && is("webhooks.1.delivered", "1"));
    receiver_close(&kin);
    receiver_close(&duty);
    end();
    audit_holds();
}

HT_CASE(a_failure_is_tried_again_and_each_try_is_on_the_incident)
{
    static struct receiver r;
    char key[512];
    HT_REQUIRE(receiver_open(&r) && begin_town(""));
    town_fill();
    HT_CHECK_INT(hook_add(r.port, "[\"kin\",\"duty\"]"), 201);
    HT_CHECK_INT(setting("{\"received\":[\"kin\"]}"), 200);
    HT_CHECK_INT(alarm_send("h1"), 201);
    for (int i = 0; i < 3; i++) {
        HT_REQUIRE(receive(&r));
        if (i == 0) {
            (void)snprintf(key, sizeof key, "%s", header(&r, "Idempotency-Key"));
        }
        HT_CHECK_STR(header(&r, "Idempotency-Key"), key); /* one and the same telling */
        HT_CHECK_INT((int)ht_json_number_at(r.body, "attempt"), i + 1);
        respond(&r, i == 0 ? "500 Internal Server Error" : i == 1 ? "404 Not Found" : "200 OK");
    }
    shows_at_last("i1", "told.0.state", "\"told\"");
    HT_CHECK(is("told.0.attempts.0.status", "500") && is("told.0.attempts.1.status", "404") &&
             is("told.0.attempts.2.status", "200") &&
             ht_json_at(answer.body, "told.0.attempts.3") == NULL);
    receiver_close(&r);
    end();
    audit_holds();
}

HT_CASE(dead_and_mute_receivers_hold_up_nobody)
{
    static struct receiver mute; /* takes connections and never answers */
    static struct receiver alive;
    HT_REQUIRE(receiver_open(&mute) && receiver_open(&alive) && begin_town(""));
    town_fill();
    HT_CHECK_INT(hook_add(mute.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(hook_add(1, "[\"kin\"]"), 201); /* nobody listens there */
    HT_CHECK_INT(hook_add(alive.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(setting("{\"received\":[\"kin\"]}"), 200);
    for (int i = 0; i < 20; i++) {
        HT_CHECK_INT(alarm_send("h1"), 201);
        HT_REQUIRE(receive(&alive));
        respond(&alive, "200 OK");
    }
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM events WHERE kind = "
                                "'incident.tell_wanted'"),
                 60);
    for (int i = 0; i < 1200 && number_of("SELECT count(*) FROM events WHERE kind = "
                                          "'incident.tell_done'") < 20;
         i++) {
        (void)usleep(25000);
    }
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM events WHERE kind = 'incident.tell_done'"),
                 20);
    static const char failed[] = "SELECT count(*) FROM events WHERE kind = 'incident.tell_failed' "
                                 "AND body->>'status' = 0 AND body->>'error' <> ''";
    for (int i = 0; i < 1200 && number_of(failed) == 0; i++) {
        (void)usleep(25000);
    }
    HT_CHECK(number_of(failed) >= 1);
    receiver_close(&mute);
    receiver_close(&alive);
    end();
    audit_holds();
}

HT_CASE(what_cannot_be_told_is_given_up_and_says_why)
{
    static struct receiver r;
    char path[128];
    HT_REQUIRE(receiver_open(&r) && begin_town("--clock 2026-03-02T02:00:00Z,0"));
    town_fill();
    HT_CHECK_INT(setting("{\"received\":[\"kin\"],\"cancelled\":[\"duty\"]}"), 200);
    HT_CHECK_INT(alarm_send("h1"), 201);
    shows_at_last("i1", "told.0.state", "\"given_up\"");
    HT_CHECK(is("told.0.reason", "\"no_webhook\""));
    HT_CHECK_INT(post(INCIDENTS, JSON, "{\"lon\":121.71,\"lat\":29.95,\"kind\":\"sos\"}"), 201);
    HT_CHECK_INT(see(INCIDENTS "/i2"), 200);
    HT_CHECK(ht_json_at(answer.body, "told") == NULL); /* nobody lives there */
    HT_CHECK_INT(hook_add(r.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(alarm_send("h2"), 201); /* has no contacts */
    shows_at_last("i3", "told.0.state", "\"given_up\"");
    HT_CHECK(is("told.0.reason", "\"no_contact\""));
    HT_CHECK_INT(alarm_send("h1"), 201);
    HT_REQUIRE(receive(&r));
    respond(&r, "503 Service Unavailable");
    shows_at_last("i4", "told.0.attempts.0.status", "503");
    HT_CHECK(is("told.0.state", "\"waiting\""));
    advance(601);
    shows_at_last("i4", "told.0.state", "\"given_up\"");
    HT_CHECK(is("told.0.reason", "\"too_old\""));
    HT_CHECK_INT(alarm_send("h1"), 201);
    HT_REQUIRE(receive(&r));
    respond(&r, "503 Service Unavailable");
    shows_at_last("i5", "told.0.attempts.0.status", "503");
    (void)snprintf(path, sizeof path, "DELETE /v1/webhooks/%s" HEADERS "\r\n", hook_id);
    HT_CHECK_INT(ask(path), 204);
    shows_at_last("i5", "told.0.state", "\"given_up\"");
    HT_CHECK(is("told.0.reason", "\"no_webhook\""));
    receiver_close(&r);
    end();
    audit_holds();
}

HT_CASE(after_kill_9_what_was_told_stays_so_and_the_rest_is_told)
{
    static struct receiver r;
    char key[512];
    char before[4096];
    HT_REQUIRE(receiver_open(&r) && begin_town(""));
    town_fill();
    HT_CHECK_INT(hook_add(r.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(setting("{\"received\":[\"kin\"]}"), 200);
    HT_CHECK_INT(alarm_send("h1"), 201);
    HT_REQUIRE(receive(&r));
    respond(&r, "200 OK");
    shows_at_last("i1", "told.0.state", "\"told\"");
    const char *told = ht_json_at(answer.body, "told");
    (void)snprintf(before, sizeof before, "%s", told == NULL ? "" : told);
    HT_CHECK_INT(alarm_send("h1"), 201);
    HT_REQUIRE(receive(&r)); /* under way, not answered */
    (void)snprintf(key, sizeof key, "%s", header(&r, "Idempotency-Key"));
    die();
    (void)close(r.fd);
    r.fd = -1;
    HT_REQUIRE(begin(options));
    HT_REQUIRE(receive(&r));
    HT_CHECK_STR(header(&r, "Idempotency-Key"), key);
    respond(&r, "200 OK");
    shows_at_last("i2", "told.0.state", "\"told\"");
    HT_CHECK_INT(see(INCIDENTS "/i1"), 200);
    told = ht_json_at(answer.body, "told");
    HT_CHECK_STR(told == NULL ? "" : told, before);
    HT_CHECK(!receive_within(&r, 500)); /* nothing twice that was noted */
    receiver_close(&r);
    end();
    audit_holds();
}

/* --- under load, with kill -9 ----------------------------------------------------------------- */

enum { KEYS_MOST = 4096 };

struct crowd {
    struct receiver r;
    atomic_bool stop;
    int64_t tellings[KEYS_MOST]; /* that were taken with a 2xx, as often as they were */
    size_t count;
};

static void *crowd_main(void *user)
{
    struct crowd *crowd = user;
    unsigned number = 0;
    while (!atomic_load(&crowd->stop)) {
        if (!receive_within(&crowd->r, 50)) {
            continue;
        }
        int64_t telling = (int64_t)ht_json_number_at(crowd->r.body, "telling");
        bool take = ++number % 5 != 0; /* each fifth fails */
        static const char yes[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        static const char no[] = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
        ssize_t sent = take ? send(crowd->r.fd, yes, sizeof yes - 1, MSG_NOSIGNAL)
                            : send(crowd->r.fd, no, sizeof no - 1, MSG_NOSIGNAL);
        (void)sent; /* the server may be dead by now */
        (void)close(crowd->r.fd);
        crowd->r.fd = -1;
        if (take && crowd->count < KEYS_MOST) {
            crowd->tellings[crowd->count++] = telling;
        }
    }
    return NULL;
}

HT_CASE(kill_9_at_any_moment_loses_no_telling_and_makes_none_up)
{
    static struct crowd crowd;
    static const char open[] = "SELECT count(*) FROM events w WHERE kind = 'incident.tell_wanted' "
                               "AND NOT EXISTS (SELECT 1 FROM events d WHERE d.kind = "
                               "'incident.tell_done' AND d.subject = w.subject AND "
                               "d.body->>'telling' = w.seq)";
    pthread_t thread;
    HT_REQUIRE(receiver_open(&crowd.r) && begin_town(""));
    HT_REQUIRE(pthread_create(&thread, NULL, crowd_main, &crowd) == 0);
    town_fill();
    HT_CHECK_INT(hook_add(crowd.r.port, "[\"kin\"]"), 201);
    HT_CHECK_INT(setting("{\"received\":[\"kin\"],\"queued\":[\"kin\"]}"), 200);
    unsigned seed = 7;
    for (int round = 0; round < 8; round++) {
        int alarms = 3 + rand_r(&seed) % 10;
        for (int i = 0; i < alarms; i++) {
            HT_CHECK_INT(alarm_send("h1"), 201);
        }
        (void)usleep((useconds_t)(rand_r(&seed) % 40000));
        die();
        HT_REQUIRE(begin(options));
    }
    for (int i = 0; i < 2400 && number_of(open) > 0; i++) {
        (void)usleep(25000);
    }
    HT_CHECK_INT((int)number_of(open), 0);
    end();
    atomic_store(&crowd.stop, true);
    HT_CHECK(pthread_join(thread, NULL) == 0);
    HT_CHECK_INT((int)number_of("SELECT count(*) - count(DISTINCT body->>'telling') FROM events "
                                "WHERE kind = 'incident.tell_done'"),
                 0);
    int64_t wanted = number_of("SELECT count(*) FROM events WHERE kind = 'incident.tell_wanted'");
    size_t known = 0;
    for (size_t i = 0; i < crowd.count;
         i++) { /* each that was taken was wanted, and none is twice */
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again = again || crowd.tellings[k] == crowd.tellings[i];
        }
        known += !again;
    }
    HT_CHECK(wanted >= 24 && crowd.count < KEYS_MOST);
    HT_CHECK_INT((int)known, (int)wanted);
    HT_CHECK(crowd.count <= known + 8 * 16); /* those that a kill caught under way, no more */
    receiver_close(&crowd.r);
    audit_holds();
}

/* --- who sees what, and what is erased -------------------------------------------------------- */

static bool begin_guarded(void)
{
    static const char *const names[] = {"a --role admin", "d --role dispatcher", "v --role viewer"};
    char tokens[128];
    char line[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(tokens, sizeof tokens, "%s/tell.tokens", folder);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(line, sizeof line, "token add %s --name %s", tokens, names[i]);
        const struct ht_command_run *run = ht_command_run(line);
        if (run->code != 0) {
            return false;
        }
        (void)snprintf(bearer[i], sizeof bearer[i], "Authorization: Bearer %.*s\r\n",
                       (int)strcspn(run->out, "\n"), run->out);
    }
    (void)snprintf(line, sizeof line, "--tokens %s --clock 2026-03-02T02:00:00Z,0", tokens);
    return begin_town(line);
}

HT_CASE(numbers_go_to_the_receiver_alone_and_are_erased_with_the_household)
{
    static struct receiver r;
    HT_REQUIRE(receiver_open(&r) && begin_guarded());
    who = ADMIN;
    town_fill();
    HT_CHECK_INT(hook_add(r.port, "[\"kin\",\"duty\"]"), 201);
    HT_CHECK_INT(setting("{\"received\":[\"kin\",\"duty\"]}"), 200);
    HT_CHECK_INT(alarm_send("h1"), 201);
    for (int i = 0; i < 2; i++) { /* one to kin, one to duty */
        HT_REQUIRE(receive(&r));
        HT_CHECK(strstr(r.body, PHONE) != NULL || strstr(r.body, DUTY) != NULL);
        respond(&r, "500 No");
    }
    shows_at_last("i1", "told.0.attempts.0.status", "500");
    for (who = ADMIN; who <= VIEWER; who++) {
        HT_CHECK_INT(see(INCIDENTS "/i1"), 200);
        HT_CHECK(is("told.0.to", "\"kin\"") && is("told.1.to", "\"duty\""));
        HT_CHECK(!says(PHONE) && !says(DUTY) && !says("王"));
        HT_CHECK_INT(see(INCIDENTS "/i1/history"), 200);
        HT_CHECK(says("tell_failed") && !says(PHONE) && !says(DUTY) && !says("王"));
        HT_CHECK_INT(see("/v1/settings/incidents"), who == VIEWER ? 403 : 200);
        HT_CHECK_INT(see("/v1/webhooks"), who == ADMIN ? 200 : 403);
    }
    HT_CHECK_INT((int)number_of("SELECT count(*) FROM events WHERE body LIKE '%1380000%' OR "
                                "body LIKE '%8700 0001%' OR body LIKE '%王%'"),
                 0);
    who = ADMIN;
    char text[512];
    (void)snprintf(text, sizeof text, "DELETE " HOMES "/h1" HEADERS "%s\r\n", bearer[ADMIN]);
    HT_CHECK_INT(ask(text), 204);
    shows_at_last("i1", "told.0.state", "\"given_up\""); /* there is no number any more */
    HT_CHECK(is("told.0.reason", "\"no_contact\""));
    while (receive_within(&r, 0)) {
        HT_CHECK(ht_json_is(r.body, "to", "\"duty\"") || ht_json_is(r.body, "attempt", "2"));
        respond(&r, "200 OK");
    }
    receiver_close(&r);
    end();
    audit_holds();
}

HT_CASE(a_setting_that_tells_nobody_right_is_refused)
{
    static const char *const wrong[][2] = {
        {"{\"kinds\":{\"sos\":{\"tell\":[]}}}", "/kinds/sos/tell"},
        {"{\"kinds\":{\"sos\":{\"tell\":{\"never\":[\"kin\"]}}}}", "/kinds/sos/tell/never"},
        {"{\"kinds\":{\"sos\":{\"tell\":{\"received\":[\"dog\"]}}}}", "/kinds/sos/tell/received"},
        {"{\"kinds\":{\"sos\":{\"tell\":{\"received\":\"kin\"}}}}", "/kinds/sos/tell/received"},
        {"{\"duty\":[]}", "/duty"},
        {"{\"duty\":{\"street\":[]}}", "/duty/street"},
        {"{\"duty\":{\"community\":[\"call me\"]}}", "/duty/community"},
        {"{\"duty\":{\"community\":[\"12\"]}}", "/duty/community"},
        {"{\"duty\":{\"community\":[123]}}", "/duty/community"},
        {"{\"duty\":{\"community\":[\"123\",\"123\",\"123\",\"123\",\"123\",\"123\",\"123\","
         "\"123\",\"123\"]}}",
         "/duty/community"},
        {"{\"tell_give_up_s\":59}", "/tell_give_up_s"},
        {"{\"tell_give_up_s\":\"1\"}", "/tell_give_up_s"}};
    HT_REQUIRE(begin_town(""));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char pointer[96];
        HT_CHECK_INT(send_body("PUT", "/v1/settings/incidents", JSON, wrong[i][0]), 422);
        (void)snprintf(pointer, sizeof pointer, "\"%s\"", wrong[i][1]);
        HT_CHECK(is("errors.0.pointer", pointer));
    }
    HT_CHECK_INT(
        send_body(
            "PUT", "/v1/settings/incidents", JSON,
            "{\"kinds\":{\"sos\":{\"tell\":{\"a很很很很很很很很很很很很很很很很很很很很很\":[]}}},"
            "\"b很很很很很很很很很很很很很很很很很很很很很很很很很\":1}"),
        422);
    HT_CHECK(says("/a很") && !says("\xef\xbf\xbd"));        /* cut between characters */
    HT_CHECK_INT(hook_add(80, "[\"kin\",\"zones\"]"), 422); /* numbers go to those alone */
    HT_CHECK_INT(hook_add(80, "[\"duty\"]"), 201);
    HT_CHECK_INT(get("/v1/stream?topics=kin"), 400);
    end();
}

HT_SERVED_MAIN()
