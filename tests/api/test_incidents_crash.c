/* kill -9 at random moments while alarms come in and are answered: every 201 is there afterwards,
 * once, though its key comes again; no responder is on two incidents; the chain holds; and the desk
 * goes on where it stood. */
#include "tests/support/check.h"
#include "tests/support/engaged.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

enum { WRITERS = 4, UNITS = 6, ROUNDS_CI = 40, ROUNDS_LONG = 500, ALARMS_MOST = 4000, IDS = 24 };

static char store[128];
static char options[256];

/* An alarm, whose place tells which one it is. */
static int alarm_text(char *text, size_t room, const char *key, int writer, int number)
{
    char body[160];
    int size = snprintf(body, sizeof body, "{\"kind\":\"sos\",\"lon\":%.6f,\"lat\":%.6f}",
                        121.71 + writer * 1e-3, 29.95 + number * 1e-6);
    return snprintf(text, room,
                    "POST /v1/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON
                    "Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s",
                    key, size, body);
}

static bool step(struct ht_client *own, const char *id, const char *body)
{
    char text[512];
    struct ht_answer got = {0};
    (void)snprintf(text, sizeof text,
                   "POST /v1/incidents/%s/events HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON
                   "Content-Length: %zu\r\n\r\n%s",
                   id, strlen(body), body);
    bool answered = ht_client_text(own, text) && ht_client_read(own, &got, false) > 0;
    ht_answer_free(&got);
    return answered;
}

/* A process that raises alarms and ends most of them, and tells through a pipe the key and the id
 * of each that was answered 201. */
static void writer_run(int writer, int round, int told)
{
    struct ht_client own;
    struct ht_answer got = {0};
    char text[1024];
    if (!ht_client_open(&own, port)) {
        _exit(0);
    }
    for (int i = 0; i < ALARMS_MOST; i++) {
        char key[48];
        char id[IDS] = "";
        char line[96];
        (void)snprintf(key, sizeof key, "r%d-w%d-%d", round, writer, i);
        (void)alarm_text(text, sizeof text, key, writer, i);
        if (!ht_client_text(&own, text) || ht_client_read(&own, &got, false) != 201) {
            break;
        }
        const char *at = ht_json_at(got.body, "id");
        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
        ht_answer_free(&got);
        int size = snprintf(line, sizeof line, "%s %s\n", key, id);
        if (write(told, line, (size_t)size) != size || !step(&own, id, "{\"event\":\"ack\"}")) {
            break;
        }
        if (i % 4 != 0 && !step(&own, id, "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}")) {
            break;
        }
    }
    _exit(0);
}

/* What was answered before the last kill is there, and its key gives the same answer. */
static void look_again(char *acknowledged)
{
    char *rest = NULL;
    int count = 0;
    for (char *line = strtok_r(acknowledged, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char text[1024];
        char path[64];
        char want[IDS + 2];
        int round = 0;
        int writer = 0;
        int number = 0;
        char *id = strchr(line, ' ');
        HT_REQUIRE(id != NULL && sscanf(line, "r%d-w%d-%d", &round, &writer, &number) == 3);
        *id++ = '\0';
        (void)snprintf(path, sizeof path, "/v1/incidents/%s", id);
        HT_CHECK_INT(get(path), 200);
        HT_CHECK(fabs(strtod(ht_json_at(answer.body, "lat"), NULL) - 29.95 - number * 1e-6) < 1e-7);
        if (count++ % 8 == 0) { /* the key comes again */
            (void)snprintf(want, sizeof want, "\"%s\"", id);
            (void)alarm_text(text, sizeof text, line, writer, number);
            HT_CHECK_INT(ask(text), 201);
            HT_CHECK(ht_json_is(answer.body, "id", want));
        }
    }
}

/* `whole`: also what takes longer the more there is. */
static void look_at_store(bool whole)
{
    char line[256];
    HT_CHECK_INT(ht_engaged_twice(store), 0);
    /* one alarm, one incident, one place, one key */
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = "
                                      "'incident.received'"),
                 ht_sql_number(store, "SELECT count(*) FROM incident_places"));
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM answers"),
                 ht_sql_number(store, "SELECT count(*) FROM incident_places"));
    if (whole) {
        HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM pragma_integrity_check "
                                          "WHERE integrity_check = 'ok'"),
                     1);
        (void)snprintf(line, sizeof line, "audit %s", store);
        HT_CHECK_INT(ht_command_run(line)->code, 0);
    }
}

static void units_add(void)
{
    for (int i = 0; i < UNITS; i++) {
        char text[320];
        (void)snprintf(text, sizeof text,
                       "{\"type\":\"Feature\",\"id\":\"r%d\",\"geometry\":{\"type\":\"Point\","
                       "\"coordinates\":[%f,29.95]},\"properties\":{\"kind\":\"responder\","
                       "\"profile\":\"car\",\"status\":\"idle\"}}",
                       i, 121.705 + i * 2e-3);
        HT_CHECK_INT(post("/collections/units/items", GEO, text), 201);
    }
}

/* What was told through the pipe in the round before. */
static char acknowledged[1 << 20];

static void round_run(int round, uint64_t *state)
{
    pid_t writers[WRITERS];
    int told[2];
    size_t size = 0;
    ssize_t got = 0;
    HT_REQUIRE(begin(options));
    if (round == 0) {
        units_add();
    }
    look_again(acknowledged);
    HT_REQUIRE(pipe(told) == 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        if (writers[i] == 0) {
            (void)close(told[0]);
            writer_run(i, round, told[1]);
        }
    }
    (void)close(told[1]);
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    /* some alarms, however slow the disk is, and then at any moment */
    for (unsigned wanted = 1 + (unsigned)(*state >> 60); wanted > 0 && got >= 0;) {
        got = read(told[0], acknowledged + size, 1);
        wanted -= got == 1 && acknowledged[size] == '\n';
        size += got == 1;
        wanted = got == 0 ? 0 : wanted;
    }
    (void)usleep((useconds_t)((*state >> 33) % 20000));
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    while ((got = read(told[0], acknowledged + size, sizeof acknowledged - 1 - size)) > 0) {
        size += (size_t)got;
    }
    acknowledged[size] = '\0';
    (void)close(told[0]);
    for (int i = 0; i < WRITERS; i++) {
        (void)waitpid(writers[i], NULL, 0);
    }
    ht_client_close(&client);
    look_at_store(round % 8 == 7);
}

HT_CASE(every_alarm_that_was_answered_outlives_kill_9)
{
    uint64_t state = 11;
    HT_REQUIRE(map_make());
    (void)snprintf(store, sizeof store, "%s/incidents.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s", store);
    int rounds = HT_LONG ? ROUNDS_LONG : ROUNDS_CI;
    for (int round = 0; round < rounds && ht_case_failures == 0; round++) {
        round_run(round, &state);
    }
    HT_CHECK(ht_sql_number(store, "SELECT count(*) FROM incident_places") > rounds);
}

HT_SERVED_MAIN()
