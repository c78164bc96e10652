/* Sixty-four clients race for ten responders, while time runs and passes over who is silent: no
 * responder is ever on two incidents, as the event table says; nothing that was answered is lost;
 * and a table that is replayed gives the same desk. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/engaged.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

enum { CLIENTS = 64, UNITS = 10, COMMANDS_CI = 50000, COMMANDS_LONG = 1000000, RECENT = 48 };

static char store[128];
static char options[256];
static atomic_uint last;      /* the number of the incident opened last */
static atomic_int left;       /* commands */
static atomic_int opened;     /* that were answered 201 */
static atomic_int done;       /* and events with 200 */
static atomic_int unforeseen; /* other answers than may be */

static uint64_t dice(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (*state >> 33) % below;
}

static int send_one(struct ht_client *own, const char *path, const char *body,
                    struct ht_answer *got)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON "Content-Length: %zu\r\n\r\n%s",
                   path, strlen(body), body);
    return ht_client_text(own, text) ? ht_client_read(own, got, false) : -1;
}

static void open_one(struct ht_client *own, uint64_t *state)
{
    static const char *const kinds[] = {"sos", "fall", "heart", "gas", "door", "request"};
    char body[256];
    struct ht_answer got = {0};
    (void)snprintf(body, sizeof body, "{\"kind\":\"%s\",\"lon\":%.5f,\"lat\":%.5f,\"severity\":%d}",
                   kinds[dice(state, 6)], 121.70 + (double)dice(state, 300) / 1e4,
                   29.94 + (double)dice(state, 200) / 1e4, 1 + (int)dice(state, 4));
    if (send_one(own, "/v1/incidents", body, &got) == 201 && got.body != NULL) {
        unsigned number = (unsigned)strtoul(got.body + strlen("{\"id\":\"i"), NULL, 10);
        unsigned before = atomic_load(&last);
        while (before < number && !atomic_compare_exchange_weak(&last, &before, number)) {
        }
        (void)atomic_fetch_add(&opened, 1);
    } else {
        (void)atomic_fetch_add(&unforeseen, 1);
    }
    ht_answer_free(&got);
}

static void event_one(struct ht_client *own, uint64_t *state)
{
    static const char *const events[] = {
        "{\"event\":\"ack\"%s}",
        "{\"event\":\"ack\"%s}",
        "{\"event\":\"enroute\"%s}",
        "{\"event\":\"enroute\"%s}",
        "{\"event\":\"arrive\"%s}",
        "{\"event\":\"arrive\"%s}",
        "{\"event\":\"decline\"%s}",
        "{\"event\":\"reassign\"%s}",
        "{\"event\":\"confirm\"}",
        "{\"event\":\"resolve\",\"outcome\":\"helped\"}",
        "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}",
        "{\"event\":\"resolve\",\"outcome\":\"transferred_120\"}",
        "{\"event\":\"cancel\"}",
        "{\"event\":\"reopen\"}",
        "{\"event\":\"evaluate\",\"rating\":4}",
    };
    char path[64];
    char unit[32] = "";
    char body[128];
    struct ht_answer got = {0};
    unsigned newest = atomic_load(&last);
    unsigned number = newest - (unsigned)dice(state, newest < RECENT ? newest : RECENT);
    if (dice(state, 3) == 0) {
        (void)snprintf(unit, sizeof unit, ",\"unit\":\"r%d\"", (int)dice(state, UNITS));
    }
    (void)snprintf(path, sizeof path, "/v1/incidents/i%u/events", number);
    const char *event = events[dice(state, sizeof events / sizeof events[0])];
    size_t size = strcspn(event, "%");
    (void)snprintf(body, sizeof body, "%.*s%s%s", (int)size, event, event[size] == '%' ? unit : "",
                   event[size] == '%' ? event + size + 2 : "");
    int status = send_one(own, path, body, &got);
    (void)atomic_fetch_add(status == 200 ? &done : &unforeseen,
                           status != 409 && status != 404 ? 1 : 0);
    ht_answer_free(&got);
}

static void *client_main(void *user)
{
    uint64_t state = 77 + (uint64_t)(uintptr_t)user;
    struct ht_client *own = malloc(sizeof *own);
    if (own == NULL || !ht_client_open(own, port)) {
        (void)atomic_fetch_add(&unforeseen, 1);
        free(own);
        return NULL;
    }
    while (atomic_fetch_sub(&left, 1) > 0) {
        if (atomic_load(&last) == 0 || dice(&state, 8) == 0) {
            open_one(own, &state);
        } else {
            event_one(own, &state);
        }
    }
    ht_client_close(own);
    free(own);
    return NULL;
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

HT_CASE(no_responder_is_ever_on_two_incidents)
{
    pthread_t threads[CLIENTS];
    static char before[1 << 20];
    char line[256];
    HT_REQUIRE(map_make());
    (void)snprintf(store, sizeof store, "%s/race.sqlite", folder);
    /* a minute a second, so that time passes over who is silent meanwhile */
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,60", store);
    HT_REQUIRE(begin(options));
    units_add();
    atomic_store(&left, HT_LONG ? COMMANDS_LONG : COMMANDS_CI);
    for (uintptr_t i = 0; i < CLIENTS; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, client_main, (void *)i) == 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    HT_CHECK_INT(atomic_load(&unforeseen), 0);
    HT_CHECK(atomic_load(&opened) > 1000 && atomic_load(&done) > 1000);
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);

    HT_CHECK_INT(ht_engaged_twice(store), 0);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = "
                                      "'incident.received'"),
                 atomic_load(&opened));
    /* it was a race: all were sent out, again and again, and some were passed over or pulled */
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(DISTINCT body->>'unit') FROM events WHERE "
                                      "kind = 'incident.assigned'"),
                 UNITS);
    HT_CHECK(ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = "
                                  "'incident.passed_over'") > 0);
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);

    /* twice from nothing: the same desk */
    (void)snprintf(options, sizeof options, "--store %s --clock 2026-03-02T02:00:00Z,0", store);
    for (int i = 0; i < 2; i++) {
        HT_REQUIRE(begin(options));
        HT_CHECK_INT(get("/v1/incidents?limit=1000"), 200);
        HT_REQUIRE(answer.body != NULL && answer.size < sizeof before);
        if (i == 0) {
            memcpy(before, answer.body, answer.size + 1);
        } else {
            HT_CHECK(strcmp(before, answer.body) == 0);
        }
        end();
    }
}

HT_SERVED_MAIN()
