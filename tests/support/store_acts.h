/* Transactions of a store that can be told apart afterwards, and the look whether a file has the
 * first so many of them, whole, and nothing else.
 *
 * Transaction N puts items, changes one that all change, takes one of the transaction before away,
 * appends an event, keeps an answer and adds positions; some put their items in bulk. Include it in
 * one .c file per program, after tests/support/check.h. Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_STORE_ACTS_H
#define HT_TESTS_SUPPORT_STORE_ACTS_H

#include <dirent.h>
#include <sqlite3.h>

#include "geodata/store_internal.h"

enum { BULK_ITEMS = 40, POSITIONS = 2 };

static char folder[64];
static char path[128];
static char why[256]; /* what the last look found wrong */

static inline bool wrong(const char *what, int64_t got, int64_t want)
{
    (void)snprintf(why, sizeof why, "%s: %" PRId64 ", not %" PRId64, what, got, want);
    return false;
}

static inline const struct ht_collection *homes(void)
{
    return ht_collection_find("households", strlen("households"));
}

static inline void folder_empty(void)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    char name[400];
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') {
            (void)remove(name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static inline void folder_remove(void)
{
    folder_empty();
    (void)rmdir(folder);
}

static inline bool folder_make(void)
{
    if (folder[0] == '\0') {
        (void)strcpy(folder, "/tmp/ht-disk-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            return false;
        }
        (void)atexit(folder_remove);
        (void)snprintf(path, sizeof path, "%s/town.sqlite", folder);
    }
    folder_empty();
    return true;
}

/* ---- what a transaction is ---- */

static inline bool is_bulk(unsigned number)
{
    return number % 9 == 4;
}

static inline unsigned items_of(unsigned number)
{
    return is_bulk(number) ? BULK_ITEMS : 1 + number % 4;
}

/* Every third takes an item of the one before away. */
static inline bool takes_away(unsigned number)
{
    return number > 1 && number % 3 == 0;
}

static inline int64_t items_after(unsigned number)
{
    int64_t count = number > 0 ? 1 : 0; /* the one that each changes */
    for (unsigned n = 1; n <= number; n++) {
        count += items_of(n) - (takes_away(n) ? 1 : 0);
    }
    return count;
}

static inline enum ht_status item_put(struct ht_store_tx *tx, const char *id, unsigned number)
{
    unsigned char wkb[21] = {1, 1};
    double at[2] = {121.7 + number * 1e-4, 29.95};
    char properties[64];
    struct ht_store_written written;
    memcpy(wkb + 5, at, sizeof at);
    (void)snprintf(properties, sizeof properties, "{\"residents\":%u}", number);
    const struct ht_store_item item = {.id = id,
                                       .wkb = wkb,
                                       .wkb_size = sizeof wkb,
                                       .properties = properties,
                                       .personal = "{\"name\":\"王小明\"}",
                                       .changed_ms = number};
    return ht_store_item_put(tx, homes(), &item, HT_STORE_UPSERT, 0, &written, NULL);
}

static inline enum ht_status items_put(struct ht_store_tx *tx, unsigned number)
{
    enum ht_status status = item_put(tx, "each", number);
    char id[32];
    for (unsigned i = 0; status == HT_OK && i < items_of(number); i++) {
        (void)snprintf(id, sizeof id, "t%u-%u", number, i);
        status = item_put(tx, id, number);
    }
    if (status == HT_OK && takes_away(number)) {
        (void)snprintf(id, sizeof id, "t%u-0", number - 1);
        status = ht_store_item_delete(tx, homes(), id, 0, NULL);
    }
    return status;
}

static inline enum ht_status beside_put(struct ht_store_tx *tx, unsigned number)
{
    char subject[32];
    (void)snprintf(subject, sizeof subject, "t%u", number);
    const struct ht_store_event event = {
        .at_ms = number, .actor = "a", .kind = "k", .subject = subject, .body = "{}"};
    const struct ht_store_answer answer = {.actor = "a",
                                           .key = subject,
                                           .request = "",
                                           .status = 201,
                                           .content_type = "",
                                           .location = "",
                                           .etag = ""};
    struct ht_store_position positions[POSITIONS];
    for (int i = 0; i < POSITIONS; i++) {
        positions[i] = (struct ht_store_position){
            .unit = "van", .ts_ms = (int64_t)number * POSITIONS + i, .speed_mps = -1};
    }
    enum ht_status status = ht_store_event_append(tx, &event, NULL, NULL);
    if (status == HT_OK) {
        status = ht_store_answer_put(tx, &answer, NULL);
    }
    return status == HT_OK ? ht_store_positions_put(tx, positions, POSITIONS, NULL) : status;
}

static inline enum ht_status write_all(struct ht_store_tx *tx, unsigned number)
{
    enum ht_status status = HT_OK;
    if (is_bulk(number)) {
        status = ht_store_bulk_begin(tx, homes(), NULL);
    }
    if (status == HT_OK) {
        status = items_put(tx, number);
    }
    if (status == HT_OK && is_bulk(number)) {
        status = ht_store_bulk_end(tx, homes(), NULL);
    }
    return status == HT_OK ? beside_put(tx, number) : status;
}

/* ---- what there is afterwards ---- */

static inline int64_t number_of(sqlite3 *db, const char *sql)
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

/* That the file has the transactions 1 to `found`, each whole, and no more. */
static inline bool holds(sqlite3 *db, unsigned found)
{
    const struct {
        const char *sql;
        int64_t want;
    } questions[] = {
        {"SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", 1},
        {"SELECT count(*) FROM households_item", items_after(found)},
        {"SELECT count(*) FROM idx_households_item_geometry", items_after(found)},
        {"SELECT count(*) FROM households_item i LEFT JOIN idx_households_item_geometry x "
         "ON x.pkid = i.rowid WHERE x.pkid IS NULL",
         0},
        {"SELECT coalesce(max(properties->>'residents'), 0) FROM households_item "
         "WHERE id = 'each'",
         found},
        {"SELECT count(*) FROM events WHERE subject = 't' || seq", found},
        {"SELECT count(*) FROM answers", found},
        {"SELECT count(*) FROM positions", (int64_t)found * POSITIONS},
        {"SELECT count(*) FROM households_item WHERE id = 'never'", 0},
    };
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        int64_t got = number_of(db, questions[i].sql);
        if (got != questions[i].want) {
            return wrong(questions[i].sql, got, questions[i].want);
        }
    }
    return true;
}

static inline bool chain_holds(struct ht_store *store, unsigned *found)
{
    struct ht_store_reader *reader = NULL;
    struct ht_store_audit audit = {.broken_seq = -1};
    bool read = ht_store_reader_new(store, &reader, NULL) == HT_OK &&
                ht_store_audit(reader, &audit, NULL) == HT_OK;
    ht_store_reader_free(reader);
    *found = (unsigned)audit.events;
    return read && audit.broken_seq == 0 ? true : wrong("the chain is broken", audit.broken_seq, 0);
}

/* Opens what is at `at`, which must hold `least` to `most` transactions. */
static inline bool look(const char *at, enum ht_store_mode mode, unsigned least, unsigned most,
                        unsigned *found)
{
    const struct ht_store_options options = {.mode = mode};
    struct ht_store *store = NULL;
    struct ht_error error = {0};
    sqlite3 *db = NULL;
    if (ht_store_open(at, &options, &store, &error) != HT_OK) {
        (void)snprintf(why, sizeof why, "%s", error.message);
        return false;
    }
    bool sound = chain_holds(store, found);
    ht_store_close(store);
    if (sound && (*found < least || *found > most)) {
        return wrong("transactions", *found, *found < least ? least : most);
    }
    sound = sound && sqlite3_open(at, &db) == SQLITE_OK && holds(db, *found);
    (void)sqlite3_close(db);
    return sound;
}

#endif
