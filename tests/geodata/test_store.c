/* The store: items, events and their chain, transactions, copies, files that are none. */
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

static char folder[64];
static char path[128];

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
    (void)snprintf(path, sizeof path, "%s/%d.sqlite", folder, number++);
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

/* Changes the file as somebody with a database tool would. */
static void tamper(const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
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
    sqlite3 *db = NULL;
    HT_CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
    HT_CHECK(sqlite3_exec(db, "UPDATE events SET actor = 'x'", NULL, NULL, NULL) != SQLITE_OK);
    HT_CHECK(sqlite3_exec(db, "DELETE FROM events", NULL, NULL, NULL) != SQLITE_OK);
    (void)sqlite3_close(db);
    tamper("DROP TRIGGER events_stay; UPDATE events SET actor = 'eve' WHERE seq = 6");
    HT_CHECK_INT(audit_of(store).broken_seq, 6);
    tamper("UPDATE events SET actor = 'local' WHERE seq = 6");
    HT_CHECK_INT(audit_of(store).broken_seq, 0);
    tamper("DROP TRIGGER events_last; DELETE FROM events WHERE seq = 4");
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
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h1", NULL), HT_OK);
    HT_CHECK_INT(ht_store_item_erase(tx, named("households"), "h9", NULL), HT_NOT_FOUND);
    HT_REQUIRE(ht_store_commit(tx, NULL) == HT_OK);
    HT_CHECK_INT(audit_of(store).broken_seq, 0);
    ht_store_close(store); /* the log goes back into the file */
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
    struct ht_store *store = fresh();
    struct ht_store_tx *tx = NULL;
    struct ht_store_written written;
    char copy[160];
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

HT_CASE(foreign_newer_and_missing_files_are_refused_with_the_reason)
{
    struct ht_error error = {0};
    struct ht_store *store = fresh();
    HT_REQUIRE(store != NULL);
    ht_store_close(store);
    HT_CHECK_INT(open_as(HT_STORE_WRITE, &error), HT_OK);
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_OK);
    tamper("PRAGMA user_version = 99");
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_VERSION);
    HT_CHECK(strstr(error.message, "newer houtao") != NULL);
    HT_CHECK_INT(open_as(HT_STORE_READ_ONLY, &error), HT_VERSION);
    tamper("PRAGMA application_id = 7");
    HT_CHECK_INT(open_as(HT_STORE_CREATE, &error), HT_FOREIGN);
    HT_CHECK(strstr(error.message, "another program") != NULL);
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
    HT_CHECK_INT(ht_store_answer_get(tx, "b", "k", remember, text, NULL), HT_NOT_FOUND);
    HT_CHECK_INT(ht_store_answer_get(tx, "a", "k", remember, text, NULL), HT_OK);
    HT_CHECK_STR(text, "201 {}");
    HT_CHECK_INT(ht_store_answers_forget(tx, 1000, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answer_get(tx, "a", "k", remember, text, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answers_forget(tx, 1001, NULL), HT_OK);
    HT_CHECK_INT(ht_store_answer_get(tx, "a", "k", remember, text, NULL), HT_NOT_FOUND);
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

HT_MAIN()
