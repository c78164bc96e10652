/* The store on PostgreSQL, where it is not a file's matter: rights, other writers, servers that go
 * and come again, and copies from one engine into the other. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "geodata/store.h"
#include "geodata/store_copy.h"
#include "tests/support/check.h"
#include "tests/support/pg_cluster.h"

static char url[HT_PG_URL];
static char out[4096];

static bool sql(const char *text)
{
    return ht_pg_sql(url, text, out, sizeof out) == 0;
}

static struct ht_store *opened(const char *path, enum ht_store_mode mode, struct ht_error *error)
{
    const struct ht_store_options options = {.mode = mode};
    struct ht_store *store = NULL;
    enum ht_status status = ht_store_open(path, &options, &store, error);
    return status == HT_OK ? store : NULL;
}

/* A store of its own for each case. */
static struct ht_store *fresh(void)
{
    struct ht_error error = {0};
    struct ht_store *store =
        ht_pg_database(url, sizeof url) ? opened(url, HT_STORE_CREATE, &error) : NULL;
    if (store == NULL) {
        (void)printf("  %s\n", error.message);
    }
    return store;
}

static enum ht_status event_add(struct ht_store_tx *tx, const char *subject)
{
    const struct ht_store_event event = {.at_ms = 5,
                                         .actor = "local",
                                         .kind = "item.put",
                                         .subject = subject,
                                         .body = "{\"a\":\"王\"}"};
    return ht_store_event_append(tx, &event, NULL, NULL);
}

static int64_t last_of(struct ht_store_reader *reader, enum ht_status *status)
{
    int64_t seq = -1;
    *status = ht_store_event_last(reader, &seq, NULL);
    return seq;
}

HT_CASE(a_password_is_told_to_nobody)
{
    static const char *const texts[][2] = {
        {"town.sqlite", "town.sqlite"},
        {"postgresql:///town", "postgresql:///town"},
        {"postgresql://a@h/town", "postgresql://a@h/town"},
        {"postgresql://a:se@cr:et@h:5432/town", "postgresql://a@h:5432/town"},
        {"postgres://:x@h", "postgres://@h"},
        {"postgresql://h:5432/t?user=a&password=x&sslpassword=y&sslmode=require",
         "postgresql://h:5432/t?user=a&password=&sslpassword=&sslmode=require"},
        {"postgresql://h/t?password=a:b@c", "postgresql://h/t?password="},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *label = ht_store_label(texts[i][0]);
        HT_CHECK_STR(label, texts[i][1]);
        free(label);
    }
}

HT_CASE(a_server_that_is_not_there_is_named_without_the_password)
{
    struct ht_error error = {0};
    HT_CHECK(opened("postgresql://a:secret@/town?host=/tmp/no-server-here", HT_STORE_CREATE,
                    &error) == NULL);
    HT_CHECK_INT(error.status, HT_IO);
    HT_CHECK(strstr(error.message, "postgresql://a@/town") == error.message);
    HT_CHECK(strstr(error.message, "/tmp/no-server-here/.s.PGSQL") != NULL);
    HT_CHECK(strstr(error.message, "secret") == NULL);
    struct ht_store *store = fresh();
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    HT_REQUIRE(strstr(url, "/town") != NULL);
    *(strstr(url, "/town") + 1) = 'T';
    HT_CHECK(opened(url, HT_STORE_CREATE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_IO);
    HT_CHECK(strstr(error.message, "does not exist") != NULL);
}

HT_CASE(a_database_of_others_is_left_alone)
{
    struct ht_error error = {0};
    HT_REQUIRE(ht_pg_database(url, sizeof url));
    HT_CHECK(opened(url, HT_STORE_WRITE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_FOREIGN);
    HT_CHECK(strstr(error.message, "empty, not a houtao store") != NULL);
    HT_REQUIRE(sql("CREATE TABLE ledger(a INTEGER)"));
    for (int mode = HT_STORE_CREATE; mode <= HT_STORE_READ_ONLY; mode++) {
        HT_CHECK(opened(url, (enum ht_store_mode)mode, &error) == NULL);
        HT_CHECK_INT(error.status, HT_FOREIGN);
        HT_CHECK(strstr(error.message, "another program") != NULL);
    }
    HT_CHECK(sql("SELECT count(*) FROM pg_class WHERE relname = 'events'"));
    HT_CHECK_STR(out, "0\n");
    /* a schema of its own beside it will do */
    HT_REQUIRE(sql("CREATE SCHEMA houtao"));
    size_t size = strlen(url);
    (void)snprintf(url + size, sizeof url - size, "&options=-csearch_path%%3Dhoutao,public");
    struct ht_store *store = opened(url, HT_STORE_CREATE, &error);
    HT_CHECK(store != NULL);
    ht_store_close(store);
    HT_CHECK(sql("SELECT count(*) FROM houtao.events"));
}

HT_CASE(who_may_only_read_reads)
{
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    enum ht_status status = HT_OK;
    char viewer[HT_PG_URL];
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "a"), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    (void)snprintf(viewer, sizeof viewer, "postgresql://viewer@%s", strchr(url, '@') + 1);
    HT_REQUIRE(sql("CREATE ROLE viewer LOGIN; CREATE ROLE nobody_here LOGIN"));
    HT_CHECK(opened(viewer, HT_STORE_CREATE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_READ_ONLY);
    HT_CHECK(opened(viewer, HT_STORE_READ_ONLY, &error) == NULL);
    HT_CHECK(strstr(error.message, "permission denied") != NULL);
    HT_REQUIRE(sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO viewer"));
    HT_CHECK(opened(viewer, HT_STORE_CREATE, &error) == NULL);
    HT_CHECK_INT(error.status, HT_READ_ONLY);
    store = opened(viewer, HT_STORE_READ_ONLY, &error);
    HT_REQUIRE(store != NULL && ht_store_reader_new(store, &reader, &error) == HT_OK);
    HT_CHECK_INT(last_of(reader, &status), 1);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

HT_CASE(events_stay_whoever_asks)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "a"), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK(!sql("TRUNCATE events"));
    HT_CHECK(!sql("DELETE FROM events WHERE seq = 1"));
    HT_CHECK(!sql("UPDATE events SET body = ''"));
    HT_CHECK(sql("SELECT count(*) FROM events"));
    HT_CHECK_STR(out, "1\n");
    ht_store_close(store);
}

HT_CASE(map_programs_find_layers_with_places)
{
    struct ht_store *store = fresh();
    HT_REQUIRE(store != NULL);
    HT_CHECK(sql("SELECT string_agg(f_table_name || ' ' || srid, ', ' ORDER BY f_table_name) FROM"
                 " geometry_columns WHERE f_table_name NOT LIKE '%\\_item'"));
    HT_CHECK_STR(out, "cells 4326, facilities 4326, factories 4326, households 4326, units 4326, "
                      "zones 4326\n");
    HT_CHECK(sql("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%USING gist (geometry)%'"));
    HT_CHECK_STR(out, "6\n");
    ht_store_close(store);
}

HT_CASE(of_two_writers_each_sees_that_the_other_wrote)
{
    struct ht_error error = {0};
    struct ht_store *stores[2] = {fresh(), NULL};
    struct ht_store_tx *tx[2] = {NULL, NULL};
    HT_REQUIRE(stores[0] != NULL);
    stores[1] = opened(url, HT_STORE_WRITE, &error);
    HT_REQUIRE(stores[1] != NULL && ht_store_begin(stores[0], &tx[0], NULL) == HT_OK);
    int64_t others = ht_store_tx_others(tx[0]);
    HT_CHECK_INT(event_add(tx[0], "a"), HT_OK);
    HT_CHECK_INT(ht_store_begin(stores[1], &tx[1], &error), HT_BUSY); /* it waited */
    HT_CHECK_INT(ht_store_commit(tx[0], NULL), HT_OK);
    HT_REQUIRE(ht_store_begin(stores[0], &tx[0], NULL) == HT_OK);
    HT_CHECK_INT(ht_store_tx_others(tx[0]), others);
    HT_CHECK_INT(ht_store_commit(tx[0], NULL), HT_OK);
    HT_REQUIRE(ht_store_begin(stores[1], &tx[1], NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx[1], "b"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx[1], NULL), HT_OK);
    HT_REQUIRE(ht_store_begin(stores[0], &tx[0], NULL) == HT_OK);
    HT_CHECK(ht_store_tx_others(tx[0]) != others);
    HT_CHECK_INT(event_add(tx[0], "c"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx[0], NULL), HT_OK);
    HT_CHECK(sql("SELECT string_agg(subject, '' ORDER BY seq) FROM events"));
    HT_CHECK_STR(out, "abc\n");
    ht_store_close(stores[0]);
    ht_store_close(stores[1]);
}

/* An error of the server ends a transaction, or goes with what is taken back to a mark. */
HT_CASE(what_fails_is_taken_back_to_the_mark_or_with_all)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_error error = {0};
    const struct ht_collection *units = ht_collection_find("units", strlen("units"));
    const struct ht_store_item broken = {.id = "u", .properties = "{no json"};
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "a"), HT_OK);
    HT_REQUIRE(ht_store_mark(tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_item_put(tx, units, &broken, HT_STORE_INSERT, 0, &written, &error),
                 HT_INVALID);
    HT_CHECK_INT(event_add(tx, "never"), HT_INVALID); /* nothing stands alone after it */
    HT_CHECK_INT(ht_store_unmark(tx, false, NULL), HT_OK);
    HT_CHECK_INT(event_add(tx, "b"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx, NULL), HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "never"), HT_OK);
    HT_CHECK_INT(ht_store_item_put(tx, units, &broken, HT_STORE_INSERT, 0, &written, &error),
                 HT_INVALID);
    HT_CHECK_INT(ht_store_commit(tx, NULL), HT_INVALID);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "c"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx, NULL), HT_OK);
    HT_CHECK(sql("SELECT string_agg(subject, '' ORDER BY seq) FROM events"));
    HT_CHECK_STR(out, "abc\n");
    ht_store_close(store);
}

/* What a server says of itself, by its codes (SQLSTATE). */
HT_CASE(a_server_without_room_is_told_as_a_full_disk)
{
    static const struct {
        const char *code;
        enum ht_status status;
    } codes[] = {{"53100", HT_FULL}, {"53300", HT_BUSY}, {"25006", HT_READ_ONLY}, {"58030", HT_IO}};
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_error error = {0};
    HT_REQUIRE(store != NULL);
    HT_CHECK(sql("CREATE FUNCTION refuse() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN"
                 " RAISE EXCEPTION 'could not extend file' USING ERRCODE = NEW.body; END $$;"
                 "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW"
                 " WHEN (NEW.subject = 'refused') EXECUTE FUNCTION refuse()"));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const struct ht_store_event event = {
            .actor = "", .kind = "k", .subject = "refused", .body = codes[i].code};
        HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
        HT_CHECK_INT(event_add(tx, "never"), HT_OK);
        HT_CHECK_INT(ht_store_event_append(tx, &event, NULL, &error), codes[i].status);
        HT_CHECK(strstr(error.message, ": could not extend file") != NULL);
        HT_CHECK_INT(ht_store_commit(tx, &error), codes[i].status);
    }
    HT_CHECK(sql("SELECT count(*) FROM events"));
    HT_CHECK_STR(out, "0\n");
    ht_store_close(store);
}

HT_CASE(a_server_that_goes_and_comes_again_is_found_again)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_error error = {0};
    enum ht_status status = HT_OK;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "a"), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(last_of(reader, &status), 1);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "lost"), HT_OK);
    ht_pg_kill(SIGQUIT);
    HT_CHECK_INT(event_add(tx, "lost"), HT_IO);
    HT_CHECK_INT(ht_store_commit(tx, &error), HT_IO);
    HT_CHECK_INT(ht_store_begin(store, &tx, &error), HT_IO);
    HT_CHECK(strstr(error.message, "postgresql://houtao@/town") == error.message);
    (void)last_of(reader, &status);
    HT_CHECK_INT(status, HT_IO);
    HT_REQUIRE(ht_pg_start());
    (void)sleep(1); /* it is not asked more often while it is away */
    HT_CHECK_INT(last_of(reader, &status), 1);
    HT_REQUIRE(ht_store_begin(store, &tx, &error) == HT_OK);
    HT_CHECK_INT(event_add(tx, "b"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx, &error), HT_OK);
    HT_CHECK_INT(last_of(reader, &status), 2);
    /* a server that was there all the time, but ended the session: nobody notices */
    HT_CHECK(sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                 " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"));
    HT_CHECK_INT(last_of(reader, &status), 2);
    HT_REQUIRE(ht_store_begin(store, &tx, &error) == HT_OK);
    HT_CHECK_INT(event_add(tx, "c"), HT_OK);
    HT_CHECK_INT(ht_store_commit(tx, &error), HT_OK);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static struct ht_store *desk_of(const char *path, struct ht_error *error)
{
    const struct ht_store_options options = {.mode = HT_STORE_WRITE, .desk = true};
    struct ht_store *store = NULL;
    enum ht_status status = ht_store_open(path, &options, &store, error);
    return status == HT_OK ? store : NULL;
}

static enum ht_status one_event(struct ht_store *store, const char *subject)
{
    struct ht_store_tx *tx = NULL;
    enum ht_status status = ht_store_begin(store, &tx, NULL);
    if (status != HT_OK) {
        return status;
    }
    status = event_add(tx, subject);
    if (status == HT_OK) {
        return ht_store_commit(tx, NULL);
    }
    ht_store_rollback(tx);
    return status;
}

HT_CASE(a_district_has_one_desk_and_one_that_lost_it_writes_nothing)
{
    struct ht_error error = {0};
    struct ht_store *loader = fresh();
    HT_REQUIRE(loader != NULL);
    struct ht_store *first = desk_of(url, &error);
    HT_REQUIRE(first != NULL);
    HT_CHECK(desk_of(url, &error) == NULL);
    HT_CHECK_INT(error.status, HT_BUSY);
    HT_CHECK(strstr(error.message, "another houtao decides for main") != NULL);
    HT_CHECK_INT(one_event(first, "a"), HT_OK);
    HT_CHECK_INT(one_event(loader, "b"), HT_OK); /* who loads beside it writes in its epoch */
    HT_CHECK_INT(one_event(first, "c"), HT_OK);
    /* its session ends and nobody else comes: it goes on */
    HT_CHECK(
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"));
    HT_CHECK_INT(one_event(first, "d"), HT_OK);
    HT_CHECK(desk_of(url, &error) == NULL);
    /* and once more, and somebody comes before it knows */
    HT_CHECK(
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"));
    struct ht_store *second = NULL;
    for (int i = 0; i < 100 && second == NULL; i++) { /* a session takes a moment to end */
        second = desk_of(url, &error);
        (void)usleep(second == NULL ? 20000 : 0);
    }
    HT_REQUIRE(second != NULL);
    HT_CHECK_INT(one_event(second, "e"), HT_OK);
    HT_CHECK_INT(one_event(first, "never"), HT_BUSY);
    ht_store_close(second);
    HT_CHECK_INT(one_event(first, "never"), HT_BUSY); /* what it has in memory is old */
    ht_store_close(first);
    HT_CHECK_INT(one_event(loader, "f"), HT_OK);
    HT_CHECK(sql("SELECT string_agg(subject || epoch, ' ' ORDER BY seq) FROM events"));
    HT_CHECK_STR(out, "a1 b1 c1 d1 e2 f2\n");
    ht_store_close(loader);
}

struct commit {
    struct ht_store_tx *tx;
    enum ht_status status;
    bool done;
};

static void *commit_main(void *user)
{
    struct commit *commit = user;
    commit->status = ht_store_commit(commit->tx, NULL);
    __atomic_store_n(&commit->done, true, __ATOMIC_RELEASE);
    return NULL;
}

/* Ends the session of whoever waits for `event`, once there is one. */
static bool terminate(const char *event)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                   " WHERE wait_event = '%s'",
                   event);
    for (int i = 0; i < 600; i++) {
        if (!sql(text)) {
            return false;
        }
        if (strcmp(out, "0\n") != 0) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

/* A commit that waits for a standby has been written already; one that waits for a trigger has not.
 * Whoever loses the connection then is told what became of it. */
HT_CASE(a_commit_whose_answer_was_lost_is_asked_for)
{
    struct ht_store *store = fresh();
    pthread_t thread;
    for (int round = 0; round < 2; round++) {
        bool kept = round == 0;
        struct commit commit = {.status = HT_OK};
        HT_REQUIRE(store != NULL);
        HT_CHECK(kept ? sql("ALTER SYSTEM SET synchronous_standby_names = 'none'")
                      : sql("CREATE FUNCTION nap() RETURNS TRIGGER LANGUAGE plpgsql AS"
                            " $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;"
                            "CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON events DEFERRABLE"
                            " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nap()"));
        HT_CHECK(!kept || sql("SELECT pg_reload_conf()"));
        HT_REQUIRE(ht_store_begin(store, &commit.tx, NULL) == HT_OK);
        HT_CHECK_INT(event_add(commit.tx, kept ? "kept" : "gone"), HT_OK);
        HT_REQUIRE(pthread_create(&thread, NULL, commit_main, &commit) == 0);
        HT_CHECK(terminate(kept ? "SyncRep" : "PgSleep"));
        (void)pthread_join(thread, NULL);
        HT_CHECK(commit.done);
        HT_CHECK_INT(commit.status, kept ? HT_OK : HT_IO);
        HT_CHECK(!kept || (sql("ALTER SYSTEM RESET synchronous_standby_names") &&
                           sql("SELECT pg_reload_conf()")));
    }
    HT_CHECK(sql("SELECT string_agg(subject, ',') FROM events"));
    HT_CHECK_STR(out, "kept\n");
    ht_store_close(store);
}

/* ---- copies ---- */

static char folder[64];

static void folder_remove(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    int code = system(command);
    (void)code;
}

static void town_fill(struct ht_store_tx *tx)
{
    const struct ht_collection *homes = ht_collection_find("households", strlen("households"));
    const struct ht_collection *devices = ht_collection_find("devices", strlen("devices"));
    unsigned char wkb[21] = {1, 1};
    double at[2] = {121.7, 29.95};
    char digest[65];
    unsigned char secret[HT_STORE_SECRET];
    struct ht_store_written written;
    memcpy(wkb + 5, at, sizeof at);
    for (int i = 0; i < 20; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "h%d", i);
        const struct ht_store_item item = {.id = id,
                                           .wkb = wkb,
                                           .wkb_size = i % 5 == 0 ? 0 : sizeof wkb,
                                           .properties = "{ \"residents\":1.50, \"x\":[null] }",
                                           .personal = "{\"name\":\"王小明\"}",
                                           .cell = i % 2 == 0 ? "c1" : NULL,
                                           .changed_ms = i};
        HT_CHECK_INT(ht_store_item_put(tx, homes, &item, HT_STORE_UPSERT, 0, &written, NULL),
                     HT_OK);
        HT_CHECK_INT(event_add(tx, id), HT_OK);
    }
    HT_CHECK_INT(ht_store_item_delete(tx, homes, "h3", 0, NULL), HT_OK);
    HT_CHECK_INT(ht_store_item_erase(tx, homes, "h4", 0, NULL), HT_OK);
    const struct ht_store_item device = {.id = "d", .properties = "{}"};
    HT_CHECK_INT(ht_store_item_put(tx, devices, &device, HT_STORE_UPSERT, 0, &written, NULL),
                 HT_OK);
    const struct ht_store_device_seen seen = {.device = "d", .seen_ms = 7, .battery = -1};
    HT_CHECK_INT(ht_store_device_seen_put(tx, &seen, NULL), HT_OK);
    const struct ht_store_event other = {
        .district = "other", .epoch = 3, .actor = "", .kind = "k", .subject = "s", .body = "{}"};
    HT_CHECK_INT(ht_store_event_append(tx, &other, NULL, NULL), HT_OK);
    const struct ht_store_position position = {"v", 5, 6, {-7, 8}, 1.25, -1, 0};
    HT_CHECK_INT(ht_store_positions_put(tx, &position, 1, NULL), HT_OK);
    HT_CHECK_INT(ht_store_note_put(tx, "i1", "fell", digest, NULL), HT_OK);
    HT_CHECK_INT(ht_store_secret_of(tx, "s", secret, NULL), HT_OK);
    const struct ht_store_traffic rows[] = {{9, 8, "", 3.5, INT64_MAX}, {1, 2, "car", 0, 70}};
    HT_CHECK_INT(ht_store_traffic_put(tx, rows, 2, NULL), HT_OK);
    const struct ht_store_speeds speeds = {UINT64_MAX, "a\0b", 3};
    HT_CHECK_INT(ht_store_speeds_put(tx, &speeds, 1, NULL), HT_OK);
    HT_CHECK_INT(ht_store_arrival_put(tx, "", 0, NULL), HT_OK);
}

/* Rows that are in one file and not in the other. */
static int64_t differing(const char *one, const char *other)
{
    static const char items[] =
        "(SELECT id, version, changed_ms, cell, properties, personal, salt, "
        "geometry FROM %s.households_item)";
    static const char traffic[] = "(SELECT osm_from, osm_to, profiles, speed_mps, until_ms FROM "
                                  "%s.traffic ORDER BY seq)";
    static const char *const tables[] = {"events",         "positions", "gone",   "device_seen",
                                         "incident_notes", "secrets",   "speeds", "arrival",
                                         "devices_item",   items,       traffic};
    sqlite3 *db = NULL;
    int64_t count = 0;
    char text[1024];
    HT_CHECK_INT(sqlite3_open(one, &db), SQLITE_OK);
    (void)snprintf(text, sizeof text, "ATTACH '%s' AS two", other);
    HT_CHECK_INT(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sides[2][256];
        for (int side = 0; side < 2; side++) {
            const char *schema = side == 0 ? "main" : "two";
            const char *gap = strstr(tables[i], "%s");
            (void)snprintf(sides[side], sizeof sides[side], "%.*s%s%s%s",
                           gap == NULL ? 0 : (int)(gap - tables[i]), tables[i], schema,
                           gap == NULL ? "." : "", gap == NULL ? tables[i] : gap + 2);
        }
        for (int side = 0; side < 2; side++) {
            sqlite3_stmt *statement = NULL;
            (void)snprintf(text, sizeof text,
                           "SELECT count(*) FROM (SELECT * FROM %s EXCEPT SELECT * FROM %s)",
                           sides[side], sides[1 - side]);
            HT_CHECK_INT(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
            HT_CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
            count += sqlite3_column_int64(statement, 0);
            (void)sqlite3_finalize(statement);
        }
    }
    (void)sqlite3_close(db);
    return count;
}

HT_CASE(a_town_goes_over_and_comes_back_the_same)
{
    char first[128];
    char second[128];
    struct ht_error error = {0};
    struct ht_store_tx *tx = NULL;
    struct ht_store_copied there = {0};
    struct ht_store_copied back = {0};
    (void)strcpy(folder, "/tmp/ht-copy-XXXXXX");
    HT_REQUIRE(mkdtemp(folder) != NULL && ht_pg_database(url, sizeof url));
    (void)snprintf(first, sizeof first, "%s/first.sqlite", folder);
    (void)snprintf(second, sizeof second, "%s/second.sqlite", folder);
    struct ht_store *store = opened(first, HT_STORE_CREATE, &error);
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    town_fill(tx);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    HT_CHECK_INT(ht_store_copy(first, url, &there, &error), HT_OK);
    HT_CHECK_STR(error.message, "");
    HT_CHECK(there.audit.events == 21 && there.rows > 40);
    HT_CHECK_INT(ht_store_copy(first, url, &back, &error), HT_EXISTS);
    HT_CHECK_INT(ht_store_copy(url, second, &back, &error), HT_OK);
    HT_CHECK_INT(back.rows, there.rows);
    HT_CHECK_STR(back.audit.last_hash, there.audit.last_hash);
    HT_CHECK_INT(differing(first, second), 0);
    /* of a chain that does not hold nothing is copied */
    HT_CHECK(
        sql("DROP TRIGGER events_stay ON events; UPDATE events SET actor = 'eve' WHERE seq = 9"));
    (void)remove(second);
    HT_CHECK_INT(ht_store_copy(url, second, &back, &error), HT_CHECKSUM);
    HT_CHECK_INT(back.audit.broken_seq, 9);
    folder_remove();
}

int main(int argc, char **argv)
{
    if (ht_pg_why_not() != NULL) {
        (void)printf("skip all: %s\n", ht_pg_why_not());
        return 77;
    }
    return ht_run_cases(argc > 1 ? argv[1] : NULL);
}
