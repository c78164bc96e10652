/* The store: items, events and their chain, transactions, copies, files that are none.
 *
 * One suite for both engines: geodata/store runs it on a SpatiaLite file, geodata/store_postgresql
 * on a database of a PostgreSQL of its own. What is about files is for the former alone. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/text.h"
#include "geodata/digest.h"
#include "geodata/store.h"
#include "tests/support/check.h"
#include "tests/support/pg_cluster.h"

static char folder[64];
static char path[HT_PG_URL];

static void folder_remove(void)
{
    if (folder[0] != '\0') {
        char command[128];
        (void)snprintf(command, sizeof command, "rm -rf %s", folder);
        int code = system(command);
        (void)code;
    }
}

/* A store of its own for each case. */
static struct ht_store *fresh(void)
{
    static int number;
    if (folder[0] == '\0') {
        (void)snprintf(folder, sizeof folder, "/tmp/ht-store-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            return NULL;
        }
        (void)atexit(folder_remove);
    }
    if (!ht_pg_wanted()) {
        (void)snprintf(path, sizeof path, "%s/%d.sqlite", folder, number++);
    } else if (!ht_pg_database(path, sizeof path)) {
        return NULL;
    }
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    struct ht_store *store = NULL;
    struct ht_error error = {0};
    if (ht_store_open(path, &options, &store, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
    }
    return store;
}

static const struct ht_collection *named(const char *name)
{
    return ht_collection_find(name, strlen(name));
}

/* A point as WKB. */
struct place {
    struct ht_text wkb;
};
static struct place place(double lon, double lat)
{
    struct place out = {0};
    unsigned char head[5] = {1, 1, 0, 0, 0};
    double pair[2] = {lon, lat};
    ht_text_add(&out.wkb, (const char *)head, sizeof head);
    ht_text_add(&out.wkb, (const char *)pair, sizeof pair);
    return out;
}

// NOLINTNEXTLINE(readability-function-size): an item in one line
static enum ht_status put(struct ht_store_tx *tx, const char *id, double lon, double lat,
                          enum ht_store_put how, uint64_t expected, struct ht_store_written *out)
{
    struct place at = place(lon, lat);
    struct ht_store_item item = {.id = id,
                                 .wkb = at.wkb.data,
                                 .wkb_size = at.wkb.size,
                                 .properties = "{\"residents\":3,\"floor\":\"2\",\"lift\":true,"
                                               "\"x\":[\"a\",\"b\"]}",
                                 .personal = "{\"name\":\"王小明\",\"phone\":\"1390000\"}",
                                 .changed_ms = 1000};
    enum ht_status status =
        ht_store_item_put(tx, named("households"), &item, how, expected, out, NULL);
    ht_text_deinit(&at.wkb);
    return status;
}

/* What a sink saw. */
struct seen {
    unsigned count;
    char ids[1024];
    char personal[256];
    double lon;
    uint64_t version;
};

static enum ht_status see(void *user, const struct ht_store_item *item)
{
    struct seen *seen = user;
    seen->count++;
    size_t size = strlen(seen->ids);
    (void)snprintf(seen->ids + size, sizeof seen->ids - size, "%s ", item->id);
    (void)snprintf(seen->personal, sizeof seen->personal, "%s",
                   item->personal == NULL ? "-" : item->personal);
    seen->version = item->version;
    if (item->wkb_size == 21) {
        memcpy(&seen->lon, (const char *)item->wkb + 5, sizeof seen->lon);
    }
    return HT_OK;
}

HT_CASE(items_come_back_as_they_were_put)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h1", 121.7, 29.95, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_CHECK(written.created && written.version == 1 && strlen(written.digest) == 64);
    HT_CHECK_INT(put(tx, "h1", 121.7, 29.95, HT_STORE_INSERT, 0, &written), HT_EXISTS);
    HT_CHECK_INT(put(tx, "h2", 121.8, 29.95, HT_STORE_REPLACE, 0, &written), HT_NOT_FOUND);
    HT_CHECK_INT(put(tx, "h2", 121.8, 29.95, HT_STORE_UPSERT, 0, &written), HT_OK);
    HT_CHECK_INT(put(tx, "h1", 121.6, 29.95, HT_STORE_UPSERT, 7, &written), HT_CHANGED);
    HT_CHECK_INT(put(tx, "h1", 121.6, 29.95, HT_STORE_UPSERT, 1, &written), HT_OK);
    HT_CHECK_INT(written.version, 2);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);

    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    struct seen seen = {0};
    HT_CHECK_INT(ht_store_item(reader, named("households"), "h1", false, see, &seen, NULL), HT_OK);
    HT_CHECK_STR(seen.personal, "-");
    HT_CHECK(seen.lon == 121.6 && seen.version == 2);
    HT_CHECK_INT(ht_store_item(reader, named("households"), "h1", true, see, &seen, NULL), HT_OK);
    HT_CHECK(strstr(seen.personal, "王小明") != NULL);
    HT_CHECK_INT(ht_store_item(reader, named("households"), "h9", true, see, &seen, NULL),
                 HT_NOT_FOUND);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static unsigned matched(struct ht_store_reader *reader, struct ht_store_query query,
                        const char *ids)
{
    struct seen seen = {0};
    uint64_t all = 0;
    HT_CHECK_INT(ht_store_items(reader, &query, see, &seen, &all, NULL), HT_OK);
    HT_CHECK_STR(seen.ids, ids);
    return (unsigned)all;
}

HT_CASE(questions_by_box_property_and_page)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 0; i < 5; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "h%d", i);
        HT_CHECK_INT(put(tx, id, 121.7 + i * 0.0000001, 29.95, HT_STORE_INSERT, 0, &written),
                     HT_OK);
    }
    HT_CHECK_INT(ht_store_item_set_cell(tx, named("households"), "h3", "c1", NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    struct ht_store_query query = ht_store_query_default(named("households"));
    HT_CHECK_INT(matched(reader, query, "h0 h1 h2 h3 h4 "), 5);
    query.limit = 2;
    query.offset = 1;
    HT_CHECK_INT(matched(reader, query, "h1 h2 "), 5);
    query = ht_store_query_default(named("households"));
    /* far below the R-tree's single precision */
    struct ht_box box = {{1217000001, 299000000}, {1217000002, 300000000}};
    query.box = &box;
    HT_CHECK_INT(matched(reader, query, "h1 h2 "), 2);
    query.box = NULL;
    struct ht_store_filter filters[] = {{"residents", "3", false},
                                        {"lift", "true", false},
                                        {"x", "b", false},
                                        {"residents", "3.0", false},
                                        {"name", "王小明", true}};
    query.filters = filters;
    query.filter_count = 5;
    HT_CHECK_INT(matched(reader, query, "h0 h1 h2 h3 h4 "), 5);
    filters[0].value = "4";
    HT_CHECK_INT(matched(reader, query, ""), 0);
    struct ht_store_filter odd[] = {{"a'b\"c\\", "x' OR 1=1 --", false}};
    query.filters = odd;
    query.filter_count = 1;
    HT_CHECK_INT(matched(reader, query, ""), 0);
    struct ht_store_filter cell[] = {{"cell", "c1", false}};
    query.filters = cell;
    HT_CHECK_INT(matched(reader, query, "h3 "), 1);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status event_add(struct ht_store_tx *tx, const char *subject, int64_t *seq)
{
    struct ht_store_event event = {.at_ms = 5,
                                   .actor = "local",
                                   .kind = "item.put",
                                   .subject = subject,
                                   .body = "{\"id\":\"h1\"}"};
    return ht_store_event_append(tx, &event, seq, NULL);
}

static struct ht_store_audit audit_of(struct ht_store *store)
{
    struct ht_store_reader *reader = NULL;
    struct ht_store_audit audit = {.broken_seq = -1};
    if (ht_store_reader_new(store, &reader, NULL) == HT_OK) {
        enum ht_status status = ht_store_audit(reader, &audit, NULL);
        HT_CHECK_INT(status, HT_OK);
    }
    ht_store_reader_free(reader);
    return audit;
}

/* Whether one with a database tool could do that. */
static bool can(const char *sql)
{
    char out[256];
    sqlite3 *db = NULL;
    if (ht_pg_wanted()) {
        return ht_pg_sql(path, sql, out, sizeof out) == 0;
    }
    HT_CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    bool done = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    (void)sqlite3_close(db);
    return done;
}

/* Changes the store as somebody with a database tool would. */
static void tamper(const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    if (ht_pg_wanted()) {
        HT_CHECK(can(sql));
        return;
    }
    HT_CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        HT_CHECK_STR(why, "done");
    }
    (void)sqlite3_close(db);
}

HT_CASE(the_chain_is_what_the_contract_says_and_breaks_where_it_was_touched)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    int64_t seq = 0;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(event_add(tx, "households/h1", &seq), HT_OK);
    HT_CHECK_INT(seq, 1);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    char first[HT_DIGEST_TEXT];
    char text[256] = "";
    memset(text, '0', 64);
    (void)snprintf(text + 64, sizeof text - 64, "%s",
                   "1:14:main1:11:55:local8:item.put13:households/h111:{\"id\":\"h1\"}");
    HT_CHECK_INT(ht_digest_of(text, strlen(text), first), HT_OK);
    struct ht_store_audit audit = audit_of(store);
    HT_CHECK_STR(audit.last_hash, first);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 2; i <= 9; i++) {
        HT_CHECK_INT(event_add(tx, "households/h2", &seq), HT_OK);
        HT_CHECK_INT(seq, i);
    }
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    audit = audit_of(store);
    HT_CHECK_INT(audit.events, 9);
    HT_CHECK_INT(audit.broken_seq, 0);
    HT_CHECK(!can("UPDATE events SET actor = 'x'"));
    HT_CHECK(!can("DELETE FROM events"));
    tamper(ht_pg_wanted() ? "DROP TRIGGER events_stay ON events"
                          : "DROP TRIGGER events_stay; DROP TRIGGER events_last");
    tamper("UPDATE events SET actor = 'eve' WHERE seq = 6");
    HT_CHECK_INT(audit_of(store).broken_seq, 6);
    tamper("UPDATE events SET actor = 'local' WHERE seq = 6");
    HT_CHECK_INT(audit_of(store).broken_seq, 0);
    tamper("DELETE FROM events WHERE seq = 4");
    HT_CHECK_INT(audit_of(store).broken_seq, 5);
    ht_store_close(store);
}

HT_CASE(what_is_taken_back_leaves_no_trace_beside_what_stays)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_mark(tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "a", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_REQUIRE(ht_store_unmark(tx, true, NULL) == HT_OK);
    HT_REQUIRE(ht_store_mark(tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "b", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_REQUIRE(ht_store_unmark(tx, false, NULL) == HT_OK);
    struct seen seen = {0};
    struct ht_store_query query = ht_store_query_default(named("households"));
    HT_CHECK_INT(ht_store_items(ht_store_tx_reader(tx), &query, see, &seen, NULL, NULL), HT_OK);
    HT_CHECK_STR(seen.ids, "a ");
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "c", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    ht_store_rollback(tx);
    struct ht_store_reader *reader = NULL;
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(matched(reader, query, "a "), 1);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

HT_CASE(erasure_takes_the_person_and_leaves_the_chain)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_CHECK_INT(event_add(tx, "households/h1", NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h1", 0, NULL), HT_OK);
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h9", 0, NULL), HT_NOT_FOUND);
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h1", 1, NULL), HT_CHANGED);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(audit_of(store).broken_seq, 0);
    ht_store_close(store); /* the log goes back into the file */
    if (ht_pg_wanted()) {
        return; /* what its pages hold until they are vacuumed is the server's matter */
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info = {0};
    HT_REQUIRE(fd >= 0 && fstat(fd, &info) == 0);
    char *bytes = malloc((size_t)info.st_size);
    HT_REQUIRE(bytes != NULL && read(fd, bytes, (size_t)info.st_size) == info.st_size);
    HT_CHECK(memmem(bytes, (size_t)info.st_size, "王小明", strlen("王小明")) == NULL);
    free(bytes);
    (void)close(fd);
}

HT_CASE(a_copy_of_a_live_store_is_whole)
{
    if (ht_pg_wanted()) {
        HT_SKIP("a database has pg_dump for that");
    }
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written written;
    char copy[HT_PG_URL + 8];
    (void)snprintf(copy, sizeof copy, "%s.copy", path);
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "a", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "b", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    struct ht_error error = {0};
    HT_CHECK_INT(ht_store_backup(path, copy, &error), HT_OK); /* while `b` is under way */
    HT_CHECK_INT(ht_store_backup(path, copy, &error), HT_EXISTS);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    struct ht_store_reader *reader = NULL;
    HT_REQUIRE(ht_store_open(copy, &options, &store, &error) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    struct ht_store_query query = ht_store_query_default(named("households"));
    HT_CHECK_INT(matched(reader, query, "a "), 1);
    HT_CHECK_INT(ht_store_begin(store, &tx, &error), HT_READ_ONLY);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status open_as(enum ht_store_mode mode, struct ht_error *error)
{
    const struct ht_store_options options = {.mode = mode};
    struct ht_store *store = NULL;
    enum ht_status status = ht_store_open(path, &options, &store, error);
    ht_store_close(store);
    return status;
}

/* Two texts of a facility. */
static enum ht_status put_facility(struct ht_store_tx *tx, int number)
{
    static const char *const kinds[] = {"kitchen", "station"};
    char id[16];
    char properties[128];
    struct ht_store_written written;
    struct place at = place(121 + number * 1e-3, 29);
    (void)snprintf(id, sizeof id, "f%d", number);
    (void)snprintf(properties, sizeof properties,
                   "{\"kind\":\"%s\",\"capacity\":%d,\"skills\":[\"a\",\"b\"],\"x\":%d}",
                   kinds[number % 2], number % 5, number % 3);
    struct ht_store_item item = {.id = id,
                                 .wkb = at.wkb.data,
                                 .wkb_size = at.wkb.size,
                                 .properties = properties,
                                 .changed_ms = 1000};
    enum ht_status status =
        ht_store_item_put(tx, named("facilities"), &item, HT_STORE_INSERT, 0, &written, NULL);
    ht_text_deinit(&at.wkb);
    return status;
}

/* The number that a query alone, and one with all things in its box, finds. */
static int found_by(struct ht_store_reader *reader, const char *name, const char *value)
{
    const struct ht_box world = {{-1800000000, -900000000}, {1800000000, 900000000}};
    struct ht_store_filter filter = {.name = name, .value = value};
    struct ht_store_query query = ht_store_query_default(named("facilities"));
    uint64_t alone = 0;
    uint64_t boxed = 0;
    struct seen seen = {0};
    query.filters = &filter;
    query.filter_count = 1;
    query.limit = 1; /* the page is full: they are counted */
    HT_CHECK_INT(ht_store_items(reader, &query, see, &seen, &alone, NULL), HT_OK);
    query.box = &world;
    HT_CHECK_INT(ht_store_items(reader, &query, see, &seen, &boxed, NULL), HT_OK);
    HT_CHECK_INT(alone, boxed);
    return (int)alone;
}

static bool plan_has(const char *sql, const char *word)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    bool has = false;
    HT_CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    HT_CHECK_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        has = has || strstr((const char *)sqlite3_column_text(statement, 3), word) != NULL;
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return has;
}

/* What version 8 made, taken out again; with version 7; and with versions 5 and 6. */
#define NOT_YET_11                                                                                 \
    "DROP VIEW devices; CREATE VIEW devices AS SELECT id FROM devices_item;"                       \
    "DROP TABLE device_seen; CREATE TABLE device_seen("                                            \
    " device TEXT NOT NULL PRIMARY KEY, seen_ms INTEGER NOT NULL) WITHOUT ROWID;"
#define NOT_YET_10 NOT_YET_11 "DROP TABLE rounds;"
#define NOT_YET_9                                                                                  \
    NOT_YET_10                                                                                     \
    "DROP TRIGGER visit_homes_end; DROP TRIGGER visit_homes_erased;"                               \
    "DROP TABLE visit_notes; DROP TABLE visit_states;"
#define NOT_YET_8                                                                                  \
    NOT_YET_9                                                                                      \
    "DROP TRIGGER incident_codes_end; DROP TABLE incident_codes_ending;"
#define NOT_YET_7                                                                                  \
    NOT_YET_8                                                                                      \
    "DROP TRIGGER order_homes_end; DROP TRIGGER order_homes_erased; DROP TABLE order_cards;"       \
    "DROP TABLE order_notes; DROP TABLE order_states;"
#define NOT_YET_5                                                                                  \
    NOT_YET_7                                                                                      \
    "DROP TRIGGER incident_devices_end; DROP TRIGGER incident_homes_end;"                          \
    "DROP TRIGGER incident_homes_erased;"                                                          \
    "DROP TRIGGER households_gone; DROP TRIGGER cells_gone; DROP TRIGGER factories_gone;"          \
    "DROP TRIGGER facilities_gone; DROP TRIGGER units_gone; DROP TRIGGER zones_gone;"              \
    "DROP TRIGGER devices_gone; DROP TABLE gone; DROP TRIGGER device_seen_ends;"                   \
    "DROP VIEW devices; CREATE VIEW devices AS SELECT id FROM devices_item;"                       \
    "DROP TABLE device_seen; DROP TABLE zones_begun; DROP TABLE incident_places;"                  \
    "DROP TABLE incident_notes; DROP TABLE incident_devices; DROP TABLE secrets;"

HT_CASE(a_store_of_version_2_gets_its_indices_and_keeps_its_items)
{
    if (ht_pg_wanted()) {
        HT_SKIP("PostgreSQL has had no store before version 11");
    }
    static const char by_kind[] = "EXPLAIN QUERY PLAN SELECT count(*) FROM facilities_item i WHERE "
                                  "(i.properties->>'kind') = 'kitchen'";
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 0; i < 30; i++) {
        HT_CHECK_INT(put_facility(tx, i), HT_OK);
    }
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    HT_CHECK(plan_has(by_kind, "facilities_kind"));
    tamper("DROP TABLE traffic; DROP INDEX facilities_kind;" NOT_YET_5 "PRAGMA user_version = 2");
    HT_CHECK(!plan_has(by_kind, "facilities_kind"));
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "older houtao") != NULL);
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    HT_REQUIRE(ht_store_open(path, &options, &store, &error) == HT_OK);
    HT_CHECK(plan_has(by_kind, "facilities_kind"));
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(found_by(reader, "kind", "kitchen"), 15);
    HT_CHECK_INT(found_by(reader, "kind", "none"), 0);
    HT_CHECK_INT(found_by(reader, "capacity", "3"), 6);
    HT_CHECK_INT(found_by(reader, "capacity", "3.0"), 6);
    HT_CHECK_INT(found_by(reader, "capacity", "three"), 0);
    HT_CHECK_INT(found_by(reader, "skills", "b"), 30);
    HT_CHECK_INT(found_by(reader, "x", "2"), 10);
    HT_CHECK_INT(found_by(reader, "y", "2"), 0);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status see_order(void *user, const struct ht_store_order_state *state)
{
    char *seen = user;
    (void)snprintf(seen + strlen(seen), 128 - strlen(seen), "%s %d %d;", state->order,
                   (int)state->number, (int)state->closed_ms);
    return HT_OK;
}

static enum ht_status see_card(void *user, const struct ht_store_order_card *card)
{
    char *seen = user;
    (void)snprintf(seen + strlen(seen), 128 - strlen(seen), "%s %s %d %d %s;", card->order,
                   card->household == NULL ? "-" : card->household, (int)card->point.lon_e7,
                   (int)card->point.lat_e7, card->diets);
    return HT_OK;
}

static enum ht_status see_note(void *user, const struct ht_store_note *note)
{
    char *seen = user;
    (void)snprintf(seen + strlen(seen), 128 - strlen(seen), "%s %s;", note->incident, note->text);
    return HT_OK;
}

static void put_orders(struct ht_store_tx *tx)
{
    const struct ht_store_order_card cards[] = {{"a", "h1", {1217000000, 299500000}, "soft;raw"},
                                                {"b", NULL, {-5, 7}, ""}};
    const struct ht_store_order_state states[] = {{"a", 3, 0}, {"b", 9, 70}, {"c", 5, 20}};
    char digest[65];
    for (int i = 0; i < 2; i++) {
        HT_CHECK_INT(ht_store_order_card_put(tx, &cards[i], NULL), HT_OK);
    }
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(ht_store_order_state_put(tx, &states[i], NULL), HT_OK);
    }
    HT_CHECK_INT(ht_store_order_note_put(tx, "a", "twice", digest, NULL), HT_OK);
}

/* `number` stays, the rest is as it was put last. */
static void look_at_orders(struct ht_store_reader *reader)
{
    char seen[128] = "";
    int64_t number = 0;
    HT_CHECK_INT(ht_store_orders(reader, 9, 10, see_order, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "c 5 20;a 3 0;");
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_orders(reader, INT64_MAX, 1, see_order, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "b 9 70;");
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_orders_open(reader, 21, see_order, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "a 3 0;b 9 70;");
    HT_CHECK_INT(ht_store_order_number(reader, "b", &number, NULL), HT_OK);
    HT_CHECK_INT(number, 9);
    HT_CHECK_INT(ht_store_order_number(reader, "d", &number, NULL), HT_NOT_FOUND);
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_order_cards(reader, NULL, see_card, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "a h1 1217000000 299500000 soft;raw;b - -5 7 ;");
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_order_notes(reader, "a", see_note, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "a twice;");
}

HT_CASE(a_store_of_version_6_gets_room_for_orders_and_keeps_its_items)
{
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    unsigned char secret[2][HT_STORE_SECRET];
    char seen[128] = "";
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 0; i < 30; i++) {
        HT_CHECK_INT(put_facility(tx, i), HT_OK);
    }
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    if (!ht_pg_wanted()) { /* it has had none before version 11 */
        tamper(NOT_YET_7 "PRAGMA user_version = 6");
        HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_VERSION);
    }
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    HT_REQUIRE(ht_store_open(path, &options, &store, &error) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(found_by(reader, "kind", "kitchen"), 15);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    put_orders(tx);
    const struct ht_store_order_state again = {"c", 99, 20}; /* its number stays */
    HT_CHECK_INT(ht_store_order_state_put(tx, &again, NULL), HT_OK);
    HT_CHECK_INT(ht_store_secret_get(reader, "s", secret[0], NULL), HT_NOT_FOUND);
    HT_CHECK_INT(ht_store_secret_of(tx, "s", secret[0], NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    look_at_orders(reader);
    HT_CHECK_INT(ht_store_secret_get(reader, "s", secret[1], NULL), HT_OK);
    HT_CHECK(memcmp(secret[0], secret[1], sizeof secret[0]) == 0);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_order_erase(tx, "a", NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_order_cards(reader, "a", see_card, seen, NULL), HT_OK);
    HT_CHECK_INT(ht_store_order_notes(reader, "a", see_note, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "");
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status see_round(void *user, const struct ht_store_round *round)
{
    char *seen = user;
    size_t size = strlen(seen);
    (void)snprintf(seen + size, 128 - size, "%s/%d/%d/%d:%s;", round->id, (int)round->number,
                   (int)round->version, (int)round->changed_ms, round->body);
    return HT_OK;
}

HT_CASE(rounds_are_kept_whole_and_listed_from_the_newest)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    char seen[128] = "";
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    if (!ht_pg_wanted()) {
        tamper(NOT_YET_10 "PRAGMA user_version = 9"); /* a store of the version before gets them */
    }
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    HT_REQUIRE(ht_store_open(path, &options, &store, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    struct ht_store_round round = {"a", 7, "factories", 1, 2, 3, 3, 1, "{}"};
    HT_CHECK_INT(ht_store_round_put(tx, &round, NULL), HT_OK);
    round = (struct ht_store_round){"b", 9, "households", 1, 2, 4, 4, 1, "[1]"};
    HT_CHECK_INT(ht_store_round_put(tx, &round, NULL), HT_OK);
    round = (struct ht_store_round){"a", 99, "zones", 0, 0, 0, 5, 2, "[2]"}; /* its number stays */
    HT_CHECK_INT(ht_store_round_put(tx, &round, NULL), HT_OK);
    HT_CHECK_INT(ht_store_round_get(reader, "a", see_round, seen, NULL), HT_NOT_FOUND);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_round_get(reader, "a", see_round, seen, NULL), HT_OK);
    HT_CHECK_INT(ht_store_round_get(reader, "c", see_round, seen, NULL), HT_NOT_FOUND);
    HT_CHECK_STR(seen, "a/7/2/5:[2];");
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_rounds(reader, INT64_MAX, 10, see_round, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "b/9/1/4:;a/7/2/5:;");
    seen[0] = '\0';
    HT_CHECK_INT(ht_store_rounds(reader, 9, 10, see_round, seen, NULL), HT_OK);
    HT_CHECK_INT(ht_store_rounds(reader, INT64_MAX, 1, see_round, seen, NULL), HT_OK);
    HT_CHECK_STR(seen, "a/7/2/5:;b/9/1/4:;");
    ht_store_reader_free(reader);
    ht_store_close(store);
}

HT_CASE(no_item_has_a_version_that_its_id_had_before)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written out;
    const struct ht_store_options options = {.mode = HT_STORE_WRITE};
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_INSERT, 0, &out), HT_OK);
    HT_CHECK_INT(out.version, 1);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_UPSERT, 0, &out), HT_OK);
    HT_CHECK_INT(ht_store_item_delete(tx, named("households"), "h1", 2, NULL), HT_OK);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_UPSERT, 0, &out), HT_OK);
    HT_CHECK(out.version == 3 && out.created);
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h1", 0, NULL), HT_OK);
    HT_CHECK_INT(ht_store_item_delete(tx, named("households"), "h1", 0, NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    HT_REQUIRE(ht_store_open(path, &options, &store, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_UPSERT, 4, &out), HT_CHANGED);
    HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_INSERT, 0, &out), HT_OK);
    HT_CHECK_INT(out.version, 5);
    /* a going that is taken back is none */
    HT_REQUIRE(ht_store_mark(tx, NULL) == HT_OK);
    for (int i = 0; i < 9; i++) {
        HT_CHECK_INT(put(tx, "h1", 1, 1, HT_STORE_UPSERT, 0, &out), HT_OK);
    }
    HT_CHECK_INT(ht_store_item_delete(tx, named("households"), "h1", 14, NULL), HT_OK);
    HT_CHECK_INT(put(tx, "h2", 1, 1, HT_STORE_INSERT, 0, &out), HT_OK);
    HT_CHECK_INT(out.version, 15);
    HT_REQUIRE(ht_store_unmark(tx, false, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h2", 1, 1, HT_STORE_INSERT, 0, &out), HT_OK);
    HT_CHECK_INT(out.version, 5);
    /* other collections count for themselves, and other programs delete, too */
    HT_CHECK_INT(put_facility(tx, 1), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
    tamper("DELETE FROM households_item");
    HT_REQUIRE(ht_store_open(path, &options, &store, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "h3", 1, 1, HT_STORE_INSERT, 0, &out), HT_OK);
    HT_CHECK_INT(out.version, 6);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_store_close(store);
}

static enum ht_status seen_note(void *user, const struct ht_store_device_seen *seen)
{
    ht_text_addf(user, "%s %lld %d %d ", seen->device, (long long)seen->seen_ms, seen->battery,
                 seen->silent);
    return HT_OK;
}

/* What the store says of when devices were heard. */
static const char *seen_of(struct ht_store *store, struct ht_text *text)
{
    struct ht_store_reader *reader = NULL;
    ht_text_clear(text);
    HT_CHECK_INT(ht_store_reader_new(store, &reader, NULL), HT_OK);
    HT_CHECK_INT(ht_store_devices_seen(reader, seen_note, text, NULL), HT_OK);
    ht_store_reader_free(reader);
    return ht_text_string(text);
}

HT_CASE(devices_are_heard_without_a_change_of_theirs)
{
    static const char shown[] = /* an overflow where it is another */
        "SELECT CASE (SELECT last_seen || battery FROM devices WHERE id = 'd1')"
        " WHEN '2026-03-01T08:00:00.250Z0' THEN 1 ELSE abs(-9223372036854775807 - 1) END";
    static const char shown_pg[] = /* a division by zero */
        "SELECT 1 / count(*) FROM devices"
        " WHERE last_seen || battery = '2026-03-01T08:00:00.250Z0'";
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written out;
    struct ht_text text = {0};
    const struct ht_collection *devices = named("devices");
    const struct ht_store_item item = {
        .id = "d1", .properties = "{\"unit\":\"v1\",\"last_seen\":\"x\"}", .changed_ms = 1};
    const struct ht_store_device_seen first = {.device = "d1", .seen_ms = 5, .battery = -1};
    const struct ht_store_device_seen heard = {
        .device = "d1", .seen_ms = INT64_C(1772352000250), .battery = 0, .silent = true};
    const struct ht_store_device_seen none = {.device = "d2", .seen_ms = 7}; /* there is none */
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_item_put(tx, devices, &item, HT_STORE_INSERT, 0, &out, NULL), HT_OK);
    HT_CHECK_INT(ht_store_device_seen_put(tx, &first, NULL), HT_OK);
    HT_CHECK_INT(ht_store_device_seen_put(tx, &heard, NULL), HT_OK);
    HT_CHECK_INT(ht_store_device_seen_put(tx, &none, NULL), HT_OK);
    HT_CHECK_INT(ht_store_item_put(tx, devices, &item, HT_STORE_UPSERT, 1, &out, NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_STR(seen_of(store, &text), "d1 1772352000250 0 1 ");
    tamper(ht_pg_wanted() ? shown_pg : shown);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_item_delete(tx, devices, "d1", 2, NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_STR(seen_of(store, &text), "");
    ht_text_deinit(&text);
    ht_store_close(store);
}

HT_CASE(a_box_that_holds_much_is_counted_as_exactly_as_a_small_one)
{
    enum { MANY = 22000 };
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_bulk_begin(tx, named("facilities"), NULL), HT_OK);
    for (int i = 0; i < MANY; i++) { /* from 121 to 143 degrees, a thousandth apart */
        HT_CHECK_INT(put_facility(tx, i), HT_OK);
    }
    HT_CHECK_INT(ht_store_bulk_end(tx, named("facilities"), NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    struct ht_store_query query = ht_store_query_default(named("facilities"));
    struct ht_box box = {{1210000000, 290000000}, {0, 290000000}};
    query.box = &box;
    query.limit = 2;
    for (int count = 19990; count < 20010; count++) {
        uint64_t matched = 0;
        struct seen seen = {0};
        box.max.lon_e7 = 1210000000 + (count - 1) * 10000; /* on the last one's place */
        HT_CHECK_INT(ht_store_items(reader, &query, see, &seen, &matched, NULL), HT_OK);
        HT_CHECK_INT(matched, count);
        HT_CHECK_STR(seen.ids, "f0 f1 ");
    }
    /* the other way around the Earth: all but those between */
    uint64_t matched = 0;
    struct seen seen = {0};
    box = (struct ht_box){{1310000000, 290000000}, {1220000000, 290000000}};
    HT_CHECK_INT(ht_store_items(reader, &query, see, &seen, &matched, NULL), HT_OK);
    HT_CHECK_INT(matched, MANY - 8999);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

HT_CASE(foreign_newer_and_missing_files_are_refused_with_the_reason)
{
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    HT_CHECK_INT(open_as(HT_STORE_WRITE, &error), HT_OK);
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_OK);
    tamper(ht_pg_wanted() ? "UPDATE houtao_store SET schema_version = 99"
                          : "PRAGMA user_version = 99");
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "newer houtao") != NULL);
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_VERSION);
    tamper(ht_pg_wanted() ? "DROP TABLE houtao_store" : "PRAGMA application_id = 7");
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_FOREIGN);
    HT_CHECK(strstr(error.message, "another program") != NULL);
    if (ht_pg_wanted()) {
        return; /* what else can lie at a path is a file */
    }
    (void)snprintf(path, sizeof path, "%s/text", folder);
    FILE *file = fopen(path, "we");
    HT_REQUIRE(file != NULL);
    for (int i = 0; i < 100; i++) {
        (void)fprintf(file, "no database at all, line %d\n", i);
    }
    (void)fclose(file);
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_FOREIGN);
    (void)snprintf(path, sizeof path, "%s/none", folder);
    HT_CHECK_INT(open_as(HT_STORE_WRITE, &error), HT_IO);
    HT_CHECK(access(path, F_OK) != 0);
    (void)snprintf(path, sizeof path, "%s", folder);
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_FOREIGN);
}

HT_CASE(an_empty_file_is_none_unless_one_may_be_made_of_it)
{
    if (ht_pg_wanted()) {
        HT_SKIP("of files");
    }
    struct ht_error error = {0};
    ht_store_close(fresh());
    HT_CHECK(truncate(path, 0) == 0);
    HT_CHECK_INT(open_as(HT_STORE_WRITE, &error), HT_FOREIGN);
    HT_CHECK(strstr(error.message, "empty, not a houtao store") != NULL);
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_FOREIGN);
    HT_CHECK(strstr(error.message, path) != NULL);
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_OK);
    HT_CHECK_INT(open_as(HT_STORE_WRITE, &error), HT_OK);
}

HT_CASE(a_file_that_was_cut_is_refused_and_left_alone)
{
    if (ht_pg_wanted()) {
        HT_SKIP("of files");
    }
    struct stat info;
    struct ht_error error = {0};
    ht_store_close(fresh());
    HT_REQUIRE(stat(path, &info) == 0);
    const off_t sizes[] = {info.st_size - 1, info.st_size / 2, 4096, 4095, 512, 100, 99, 16, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        HT_CHECK(truncate(path, sizes[i]) == 0);
        for (int mode = HT_STORE_CREATE; mode <= HT_STORE_READ_ONLY; mode++) {
            enum ht_status status = open_as((enum ht_store_mode)mode, &error);
            HT_CHECK(status == HT_CHECKSUM || status == HT_FOREIGN);
            HT_CHECK(strstr(error.message, path) != NULL);
            HT_CHECK(stat(path, &info) == 0 && info.st_size == sizes[i]);
        }
    }
}

/* What the log holds is in the file after it was written back, for one who has the file alone. */
HT_CASE(the_log_is_written_back)
{
    if (ht_pg_wanted()) {
        HT_SKIP("of files");
    }
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_store_written written;
    char command[400];
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "a", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_checkpoint(store, NULL), HT_OK);
    (void)snprintf(command, sizeof command, "cp %s %s.alone", path, path);
    HT_CHECK(system(command) == 0);
    ht_store_close(store);
    (void)snprintf(path + strlen(path), 8, ".alone");
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    HT_REQUIRE(ht_store_open(path, &options, &store, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(matched(reader, ht_store_query_default(named("households")), "a "), 1);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status remember(void *user, const struct ht_store_answer *answer)
{
    (void)snprintf(user, 64, "%d %.*s", answer->status, (int)answer->body_size,
                   (const char *)answer->body);
    return HT_OK;
}

HT_CASE(an_answer_is_kept_by_actor_and_key_and_forgotten_by_age)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    char text[64] = "";
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    struct ht_store_answer answer = {.actor = "a",
                                     .key = "k",
                                     .request = "r",
                                     .status = 201,
                                     .content_type = "t",
                                     .location = "",
                                     .etag = "",
                                     .body = "{}",
                                     .body_size = 2,
                                     .at_ms = 1000};
    HT_CHECK_INT(ht_store_answer_put(tx, &answer, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answer_put(tx, &answer, NULL), HT_EXISTS);
    HT_CHECK_INT(ht_store_answer_get(ht_store_tx_reader(tx), "b", "k", remember, text, NULL),
                 HT_NOT_FOUND);
    HT_CHECK_INT(ht_store_answer_get(ht_store_tx_reader(tx), "a", "k", remember, text, NULL),
                 HT_OK);
    HT_CHECK_STR(text, "201 {}");
    HT_CHECK_INT(ht_store_answers_forget(tx, 1000, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answer_get(ht_store_tx_reader(tx), "a", "k", remember, text, NULL),
                 HT_OK);
    HT_CHECK_INT(ht_store_answers_forget(tx, 1001, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answer_get(ht_store_tx_reader(tx), "a", "k", remember, text, NULL),
                 HT_NOT_FOUND);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(ht_store_checkpoint(store, NULL), HT_OK);
    ht_store_close(store);
}

/* In bulk the R-tree is made at the end; it must be the same one, and go on. */
HT_CASE(bulk_leaves_the_index_of_places_as_it_should_be)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_store_written written;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "a", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_CHECK_INT(ht_store_bulk_begin(tx, named("households"), NULL), HT_OK);
    HT_CHECK_INT(put(tx, "b", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_CHECK_INT(ht_store_bulk_end(tx, named("households"), NULL), HT_OK);
    HT_CHECK_INT(ht_store_bulk_begin(tx, named("devices"), NULL), HT_OK);
    HT_CHECK_INT(ht_store_bulk_end(tx, named("devices"), NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_begin(store, &tx, NULL) == HT_OK);
    HT_CHECK_INT(put(tx, "c", 1, 1, HT_STORE_INSERT, 0, &written), HT_OK);
    HT_CHECK_INT(ht_store_item_delete(tx, named("households"), "a", 1, NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    struct ht_box box = {{9999999, 9999999}, {10000001, 10000001}};
    struct ht_store_query query = ht_store_query_default(named("households"));
    query.box = &box;
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    HT_CHECK_INT(matched(reader, query, "b c "), 2);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status stay_note(void *user, const struct ht_store_stay *stay)
{
    struct ht_text *text = user;
    ht_text_addf(text, "%s in %s since %d told %d%s;", stay->unit, stay->fence, (int)stay->since_ms,
                 (int)stay->told_ms, stay->dwelt ? " dwelt" : "");
    return HT_OK;
}

static enum ht_status hook_note(void *user, const struct ht_store_webhook *hook)
{
    struct ht_text *text = user;
    ht_text_addf(text, "%s %s %s %s at %d tries %d;", hook->id, hook->url, hook->topics,
                 hook->secret, (int)hook->done_seq, (int)hook->tries);
    return HT_OK;
}

static enum ht_status setting_note(void *user, const struct ht_store_setting *setting)
{
    struct ht_text *text = user;
    ht_text_addf(text, "%s %d %s;", setting->name, (int)setting->version, setting->body);
    return HT_OK;
}

HT_CASE(stays_webhooks_and_settings_are_kept_and_end)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_text text = {0};
    uint64_t version = 0;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    struct ht_store_reader *reader = ht_store_tx_reader(tx);
    const struct ht_store_stay stays[] = {
        {"v1", "a", 10, 10, false}, {"v1", "b", 10, 10, false}, {"v1", "a", 10, 70, true}};
    for (int i = 0; i < 3; i++) {
        HT_CHECK_INT(ht_store_stay_put(tx, &stays[i], NULL), HT_OK);
    }
    HT_CHECK_INT(ht_store_stays(reader, stay_note, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "v1 in a since 10 told 70 dwelt;v1 in b since 10 told 10;");
    HT_CHECK_INT(ht_store_stay_end(tx, "v1", "a", NULL), HT_OK);
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_stays(reader, stay_note, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "v1 in b since 10 told 10;");

    struct ht_store_webhook hook = {.id = "w",
                                    .url = "http://a/",
                                    .topics = "zones",
                                    .secret = "s",
                                    .done_seq = 3,
                                    .last_error = ""};
    HT_CHECK_INT(ht_store_webhook_add(tx, &hook, NULL), HT_OK);
    HT_CHECK_INT(ht_store_webhook_add(tx, &hook, NULL), HT_EXISTS);
    hook.done_seq = 4;
    hook.tries = 2;
    HT_CHECK_INT(ht_store_webhook_note(tx, &hook, NULL), HT_OK);
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_webhooks(reader, "w", hook_note, &text, NULL), HT_OK);
    HT_CHECK_INT(ht_store_webhooks(reader, "x", hook_note, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "w http://a/ zones s at 4 tries 2;");
    HT_CHECK_INT(ht_store_webhook_remove(tx, "w", NULL), HT_OK);
    HT_CHECK_INT(ht_store_webhook_remove(tx, "w", NULL), HT_NOT_FOUND);

    const struct ht_store_setting setting = {.name = "live", .body = "{}"};
    HT_CHECK_INT(ht_store_setting_get(reader, "live", setting_note, &text, NULL), HT_NOT_FOUND);
    HT_CHECK_INT(ht_store_setting_put(tx, &setting, &version, NULL), HT_OK);
    HT_CHECK_INT(ht_store_setting_put(tx, &setting, &version, NULL), HT_OK);
    HT_CHECK_INT(version, 2);
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_setting_get(reader, "live", setting_note, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "live 2 {};");
    HT_CHECK_INT(ht_store_commit(tx, NULL), HT_OK);
    ht_text_deinit(&text);
    ht_store_close(store);
}

static enum ht_status position_count(void *user, const struct ht_store_position *position)
{
    int *count = user;
    (void)position;
    (*count)++;
    return HT_OK;
}

static int kept_of(struct ht_store_tx *tx, const char *unit)
{
    int count = 0;
    HT_CHECK_INT(ht_store_track(ht_store_tx_reader(tx), unit, 0, INT64_MAX, 100, position_count,
                                &count, NULL),
                 HT_OK);
    return count;
}

HT_CASE(old_positions_go_and_those_of_one_unit_on_demand)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    static const char *const units[] = {"a", "b", "c"};
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 0; i < 30; i++) {
        const struct ht_store_position p = {.unit = units[i % 3], .ts_ms = i, .received_ms = i};
        HT_CHECK_INT(ht_store_positions_put(tx, &p, 1, NULL), HT_OK);
    }
    HT_CHECK_INT(ht_store_positions_forget(tx, 15, NULL), HT_OK);
    HT_CHECK(kept_of(tx, "a") == 5 && kept_of(tx, "b") == 5 && kept_of(tx, "c") == 5);
    HT_CHECK_INT(ht_store_positions_erase(tx, "b", NULL), HT_OK);
    HT_CHECK(kept_of(tx, "a") == 5 && kept_of(tx, "b") == 0 && kept_of(tx, "c") == 5);
    HT_CHECK_INT(ht_store_positions_forget(tx, 1000, NULL), HT_OK);
    HT_CHECK(kept_of(tx, "a") == 0 && kept_of(tx, "c") == 0);
    HT_CHECK_INT(ht_store_commit(tx, NULL), HT_OK);
    ht_store_close(store);
}

/* As the version before left it. */
HT_CASE(a_store_of_the_first_version_is_brought_up_to_date)
{
    if (ht_pg_wanted()) {
        HT_SKIP("PostgreSQL has had no store before version 11");
    }
    struct ht_store *store = fresh();
    struct ht_store_reader *reader = NULL;
    const struct ht_store_options options = {.mode = HT_STORE_WRITE};
    const struct ht_store_options reading = {.mode = HT_STORE_READ_ONLY};
    struct ht_text text = {0};
    struct ht_error error = {0};
    sqlite3 *db = NULL;
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    HT_REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    HT_CHECK_INT(
        sqlite3_exec(db,
                     "DROP TABLE fence_stays; DROP TABLE webhooks; DROP TABLE settings;"
                     "DROP TABLE traffic; DROP VIEW zones; CREATE VIEW zones AS SELECT id FROM "
                     "zones_item;" NOT_YET_5 "PRAGMA user_version = 1;",
                     NULL, NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_close(db);
    HT_CHECK_INT(ht_store_open(path, &reading, &store, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "older houtao") != NULL);
    HT_REQUIRE(ht_store_open(path, &options, &store, &error) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, &error) == HT_OK);
    HT_CHECK_INT(ht_store_stays(reader, stay_note, &text, NULL), HT_OK);
    HT_CHECK_INT(ht_store_webhooks(reader, NULL, hook_note, &text, NULL), HT_OK);
    HT_CHECK_INT(ht_store_setting_get(reader, "live", setting_note, &text, NULL), HT_NOT_FOUND);
    ht_store_reader_free(reader);
    ht_store_close(store);
    HT_REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    HT_CHECK_INT(sqlite3_exec(db, "SELECT dwell_s, kind, geometry FROM zones", NULL, NULL, NULL),
                 SQLITE_OK);
    (void)sqlite3_close(db);
    ht_text_deinit(&text);
}

HT_CASE(views_of_a_store_of_version_7_get_the_columns_that_came_since)
{
    static const char *const columns[] = {"SELECT answers, parent, geometry FROM cells",
                                          "SELECT profile_plain, profile, geometry FROM units",
                                          "SELECT last_seen, battery FROM devices"};
    const struct ht_store_options options = {.mode = HT_STORE_WRITE};
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    if (!ht_pg_wanted()) { /* it has all of them from the first */
        tamper("DROP VIEW cells; CREATE VIEW cells AS SELECT rowid AS rowid, id, geometry FROM "
               "cells_item;" NOT_YET_8 "PRAGMA user_version = 7");
        HT_CHECK(!can(columns[0]));
    }
    HT_REQUIRE(ht_store_open(path, &options, &store, &error) == HT_OK);
    ht_store_close(store);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        HT_CHECK(can(columns[i]));
    }
}

/* More than an engine hands on at once, in the order in which they were put, and others asked over
 * the same connection meanwhile. */
struct many {
    struct ht_store_reader *reader;
    int next;
    int wrong;
};

static enum ht_status many_see(void *user, const struct ht_store_item *item)
{
    struct many *many = user;
    struct seen seen = {0};
    char id[16];
    (void)snprintf(id, sizeof id, "f%d", many->next);
    many->wrong += strcmp(id, item->id) != 0 ? 1 : 0;
    if (many->next % 1000 == 0) {
        HT_CHECK_INT(
            ht_store_item(many->reader, named("facilities"), "f1", false, see, &seen, NULL), HT_OK);
        HT_CHECK_INT(seen.count, 1);
    }
    many->next++;
    return many->next == 9500 ? HT_CANCELLED : HT_OK;
}

HT_CASE(many_items_come_in_order_and_one_by_one_between)
{
    enum { MANY = 9000 };
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_reader *reader = NULL;
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    for (int i = 0; i < MANY; i++) {
        HT_CHECK_INT(put_facility(tx, i), HT_OK);
    }
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_REQUIRE(ht_store_reader_new(store, &reader, NULL) == HT_OK);
    struct many many = {.reader = reader};
    uint64_t all = 0;
    struct ht_store_query query = ht_store_query_default(named("facilities"));
    HT_CHECK_INT(ht_store_items(reader, &query, many_see, &many, &all, NULL), HT_OK);
    HT_CHECK(many.next == MANY && many.wrong == 0 && all == MANY);
    many.next = 500; /* it ends with the sink's own word, and the reader goes on */
    query.offset = 500;
    query.limit = 8400;
    HT_CHECK_INT(ht_store_items(reader, &query, many_see, &many, &all, NULL), HT_OK);
    HT_CHECK(many.next == 8900 && many.wrong == 0 && all == MANY);
    many.next = 9500 - 4500;
    query.offset = 5000 - 500;
    HT_CHECK_INT(ht_store_items(reader, &query, many_see, &many, &all, NULL), HT_CANCELLED);
    HT_CHECK_INT(many.wrong, 4500);
    HT_CHECK_INT(matched(reader,
                         (struct ht_store_query){.collection = named("facilities"),
                                                 .from_ms = INT64_MIN,
                                                 .until_ms = INT64_MAX,
                                                 .limit = 1},
                         "f0 "),
                 MANY);
    ht_store_reader_free(reader);
    ht_store_close(store);
}

static enum ht_status traffic_see(void *user, const struct ht_store_traffic *row)
{
    ht_text_addf(user, "%d-%d %s %.1f;", (int)row->osm_from, (int)row->osm_to, row->profiles,
                 row->speed_mps);
    return HT_OK;
}

static enum ht_status speeds_see(void *user, const struct ht_store_speeds *row)
{
    ht_text_addf(user, "%llu %zu;", (unsigned long long)row->street, row->size);
    return HT_OK;
}

static enum ht_status arrival_see(void *user, const void *bytes, size_t size)
{
    ht_text_addf(user, "%.*s;", (int)size, (const char *)bytes);
    return HT_OK;
}

HT_CASE(what_is_said_last_of_a_street_comes_last_and_what_is_learned_is_kept)
{
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_text text = {0};
    const struct ht_store_traffic rows[] = {{1, 2, "", 3.5, INT64_MAX},
                                            {3, 4, "car", 0, 70},
                                            {1, 2, "", 9, INT64_MAX},
                                            {3, 4, "car", -1, 0}};
    const struct ht_store_speeds speeds[] = {{UINT64_MAX, "ab", 2}, {7, "", 0}, {7, "x\0y", 3}};
    HT_REQUIRE(store != NULL && ht_store_begin(store, &tx, NULL) == HT_OK);
    struct ht_store_reader *reader = ht_store_tx_reader(tx);
    HT_CHECK_INT(ht_store_traffic_put(tx, rows, 3, NULL), HT_OK);
    HT_CHECK_INT(ht_store_traffic(reader, traffic_see, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "3-4 car 0.0;1-2  9.0;");
    HT_CHECK_INT(ht_store_traffic_put(tx, rows + 3, 1, NULL), HT_OK);
    HT_CHECK_INT(ht_store_traffic_forget(tx, 100, NULL), HT_OK);
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_traffic(reader, traffic_see, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "1-2  9.0;");
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_speeds(reader, speeds_see, &text, NULL), HT_OK);
    HT_CHECK_INT(ht_store_arrival(reader, arrival_see, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "");
    HT_CHECK_INT(ht_store_speeds_put(tx, speeds, 3, NULL), HT_OK);
    HT_CHECK_INT(ht_store_arrival_put(tx, "old", 3, NULL), HT_OK);
    HT_CHECK_INT(ht_store_arrival_put(tx, "new", 3, NULL), HT_OK);
    HT_CHECK_INT(ht_store_arrival(reader, arrival_see, &text, NULL), HT_OK);
    HT_CHECK_STR(ht_text_string(&text), "new;");
    ht_text_clear(&text);
    HT_CHECK_INT(ht_store_speeds(reader, speeds_see, &text, NULL), HT_OK);
    HT_CHECK(strstr(ht_text_string(&text), "18446744073709551615 2;") != NULL);
    HT_CHECK(strstr(ht_text_string(&text), "7 3;") != NULL && text.size == 27);
    HT_CHECK_INT(ht_store_speeds_clear(tx, NULL), HT_OK);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    ht_text_deinit(&text);
    ht_store_close(store);
}

HT_STORES_MAIN()
