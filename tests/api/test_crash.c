/* kill -9 at random moments while clients write: what was answered with 2xx is there afterwards,
 * once, the chain holds, and the file is whole. */
#include <sqlite3.h>

#include "tests/support/check.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"

enum { WRITERS = 4, ROUNDS_CI = 40, ROUNDS_LONG = 200, ITEMS_MOST = 4000 };

static char store[128];
static char options[256];

/* A process that puts items one after the other and tells each answer of 2xx through a pipe. */
static void writer_run(int number, int round, int told)
{
    struct ht_client own;
    struct ht_answer got = {0};
    char body[512];
    char text[1024];
    if (!ht_client_open(&own, port)) {
        _exit(0);
    }
    for (int i = 0; i < ITEMS_MOST; i++) {
        char id[48];
        int id_size = snprintf(id, sizeof id, "r%d-w%d-%d", round, number, i);
        int size = snprintf(body, sizeof body,
                            "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                            "\"coordinates\":[121.7,29.9]},\"properties\":{\"name\":\"王\"}}",
                            id);
        (void)snprintf(text, sizeof text,
                       "POST /collections/households/items HTTP/1.1\r\nHost: 127.0.0.1\r\n" GEO
                       "Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s",
                       id, size, body);
        if (!ht_client_text(&own, text) || ht_client_read(&own, &got, false) != 201) {
            break;
        }
        ht_answer_free(&got);
        id[id_size] = '\n';
        if (write(told, id, (size_t)id_size + 1) != id_size + 1) {
            break;
        }
    }
    _exit(0);
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

/* How many of the lines in `acknowledged` are not in the store. */
static int missing(sqlite3 *db, char *acknowledged)
{
    sqlite3_stmt *statement = NULL;
    int lost = 0;
    char *rest = NULL;
    HT_CHECK_INT(
        sqlite3_prepare_v2(db, "SELECT 1 FROM households_item WHERE id = ?1", -1, &statement, NULL),
        SQLITE_OK);
    for (char *id = strtok_r(acknowledged, "\n", &rest); id != NULL;
         id = strtok_r(NULL, "\n", &rest)) {
        (void)sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
        lost += sqlite3_step(statement) != SQLITE_ROW;
        (void)sqlite3_reset(statement);
    }
    (void)sqlite3_finalize(statement);
    return lost;
}

static void look(char *acknowledged)
{
    sqlite3 *db = NULL;
    char line[256];
    HT_CHECK_INT(sqlite3_open(store, &db), SQLITE_OK);
    HT_CHECK_INT(missing(db, acknowledged), 0);
    HT_CHECK_INT(number_of(db, "SELECT count(*) FROM pragma_integrity_check "
                               "WHERE integrity_check = 'ok'"),
                 1);
    /* one event and one row of the index of places for each item */
    HT_CHECK_INT(number_of(db, "SELECT count(*) FROM events WHERE kind = 'item.created'"),
                 number_of(db, "SELECT count(*) FROM households_item"));
    HT_CHECK_INT(number_of(db, "SELECT count(*) FROM idx_households_item_geometry"),
                 number_of(db, "SELECT count(*) FROM households_item"));
    (void)sqlite3_close(db);
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

static void round_run(int round, uint64_t *state)
{
    static char acknowledged[1 << 20];
    pid_t writers[WRITERS];
    int told[2];
    size_t size = 0;
    ssize_t got = 0;
    HT_REQUIRE(begin(options) && pipe(told) == 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        if (writers[i] == 0) {
            (void)close(told[0]);
            writer_run(i, round, told[1]);
        }
    }
    (void)close(told[1]);
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    /* some items, however slow the machine is, and then at any moment */
    for (unsigned wanted = 2; wanted > 0;) {
        got = read(told[0], acknowledged + size, 1);
        wanted = got == 1 ? wanted - (acknowledged[size] == '\n') : 0;
        size += got == 1;
    }
    (void)usleep((useconds_t)(20000 + (*state >> 33) % 150000));
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
    look(acknowledged);
}

HT_CASE(what_was_answered_outlives_kill_9)
{
    uint64_t state = 7;
    HT_REQUIRE(map_make());
    (void)snprintf(store, sizeof store, "%s/crash.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s", store);
    int rounds = HT_LONG ? ROUNDS_LONG : ROUNDS_CI;
    for (int round = 0; round < rounds && ht_case_failures == 0; round++) {
        round_run(round, &state);
    }
    sqlite3 *db = NULL;
    HT_CHECK_INT(sqlite3_open(store, &db), SQLITE_OK);
    HT_CHECK(number_of(db, "SELECT count(*) FROM households_item") > rounds);
    (void)sqlite3_close(db);
}

HT_SERVED_MAIN()
