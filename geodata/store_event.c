#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "geodata/digest.h"
#include "geodata/event_chain.h"
#include "geodata/store_internal.h"

/* The last event of a district: its number (0: none) and hash. */
static enum ht_status last_of(struct ht__store_conn *conn, const char *district, int64_t *seq,
                              char hash[HT_DIGEST_TEXT], struct ht_error *error)
{
    static const char sql[] =
        "SELECT seq, hash FROM events WHERE district = ?1 ORDER BY seq DESC LIMIT 1";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, district, -1, SQLITE_STATIC);
    *seq = 0;
    memcpy(hash, ht_event_first_hash, HT_DIGEST_TEXT);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 1);
        *seq = sqlite3_column_int64(statement, 0);
        if (text == NULL || sqlite3_column_bytes(statement, 1) != HT_DIGEST_TEXT - 1) {
            status = ht_error_set(error, HT_CHECKSUM, 0, "event %" PRId64 " has no hash", *seq);
        } else {
            memcpy(hash, text, HT_DIGEST_TEXT);
        }
    } else if (code != SQLITE_DONE) {
        status = ht__store_fail(conn, code, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum ht_status insert(struct ht__store_conn *conn, const struct ht_store_event *event,
                             const char *hash, struct ht_error *error)
{
    static const char sql[] = "INSERT INTO events(seq, district, epoch, at_ms, actor, kind, "
                              "subject, body, hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_int64(statement, 1, event->seq);
    (void)sqlite3_bind_text(statement, 2, event->district, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 3, event->epoch);
    (void)sqlite3_bind_int64(statement, 4, event->at_ms);
    (void)sqlite3_bind_text(statement, 5, event->actor, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 6, event->kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 7, event->subject, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 8, event->body, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 9, hash, -1, SQLITE_STATIC);
    return ht__store_run(conn, statement, error);
}

enum ht_status ht_store_event_append(struct ht_store_tx *tx, const struct ht_store_event *event,
                                     int64_t *seq, struct ht_error *error)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    struct ht_store_event own = *event;
    char before[HT_DIGEST_TEXT];
    char hash[HT_DIGEST_TEXT];
    int64_t last = 0;
    own.district = event->district == NULL ? tx->store->district : event->district;
    own.epoch = event->epoch == 0 ? 1 : event->epoch;
    enum ht_status status = last_of(conn, own.district, &last, before, error);
    if (status != HT_OK) {
        return status;
    }
    own.seq = event->seq == 0 ? last + 1 : event->seq;
    if (own.seq != last + 1) {
        return ht_error_set(error, own.seq <= last ? HT_EXISTS : HT_INVALID, 0,
                            "event %" PRId64 " can't follow %" PRId64, own.seq, last);
    }
    struct ht_digest digest;
    status = ht_digest_init(&digest);
    if (status == HT_OK) {
        status = ht_event_hash(&digest, before, &own, hash);
    }
    ht_digest_deinit(&digest);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = insert(conn, &own, hash, error);
    if (status == HT_OK && seq != NULL) {
        *seq = own.seq;
    }
    return status;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text == NULL ? "" : text;
}

static struct ht_store_event event_at(sqlite3_stmt *statement)
{
    return (struct ht_store_event){.seq = sqlite3_column_int64(statement, 0),
                                   .district = text_at(statement, 1),
                                   .epoch = sqlite3_column_int64(statement, 2),
                                   .at_ms = sqlite3_column_int64(statement, 3),
                                   .actor = text_at(statement, 4),
                                   .kind = text_at(statement, 5),
                                   .subject = text_at(statement, 6),
                                   .body = text_at(statement, 7),
                                   .hash = text_at(statement, 8)};
}

/* Who takes the events. */
struct taker {
    enum ht_status (*sink)(void *user, const struct ht_store_event *event);
    void *user;
};

/* Memory was too short for one of its texts. */
static bool texts_lack(sqlite3_stmt *statement)
{
    bool lack = false;
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        lack = lack || ht__store_lacks(statement, column, sqlite3_column_text(statement, column));
    }
    return lack;
}

static enum ht_status give_row(void *user, sqlite3_stmt *statement)
{
    const struct taker *taker = user;
    const struct ht_store_event event = event_at(statement);
    return texts_lack(statement) ? HT_NOMEM : taker->sink(taker->user, &event);
}

enum ht_status ht_store_events(struct ht_store_reader *reader, int64_t after, uint64_t limit,
                               enum ht_status (*sink)(void *user,
                                                      const struct ht_store_event *event),
                               void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT seq, district, epoch, at_ms, actor, kind, subject, body, hash "
        "FROM events WHERE district = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, reader->store->district, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, after);
    (void)sqlite3_bind_int64(statement, 3, limit > INT64_MAX ? -1 : (int64_t)limit);
    struct taker taker = {sink, user};
    return ht__store_rows(&reader->conn, statement, give_row, &taker, error);
}

enum ht_status
ht_store_events_of(struct ht_store_reader *reader, const struct ht_store_event_query *query,
                   enum ht_status (*sink)(void *user, const struct ht_store_event *event),
                   void *user, struct ht_error *error)
{
    static const char all[] =
        "SELECT seq, district, epoch, at_ms, actor, kind, subject, body, hash FROM events "
        "WHERE district = ?1 AND seq > ?2 AND substr(kind, 1, length(?4)) = ?4 "
        "ORDER BY seq LIMIT ?3";
    static const char one[] =
        "SELECT seq, district, epoch, at_ms, actor, kind, subject, body, hash FROM events "
        "INDEXED BY events_subject WHERE subject = ?5 AND district = ?1 AND seq > ?2 "
        "AND substr(kind, 1, length(?4)) = ?4 ORDER BY seq LIMIT ?3";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, query->subject == NULL ? all : one,
                                              NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, reader->store->district, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, query->after);
    (void)sqlite3_bind_int64(statement, 3, query->limit > INT64_MAX ? -1 : (int64_t)query->limit);
    (void)sqlite3_bind_text(statement, 4, query->prefix, -1, SQLITE_STATIC);
    if (query->subject != NULL) {
        (void)sqlite3_bind_text(statement, 5, query->subject, -1, SQLITE_STATIC);
    }
    struct taker taker = {sink, user};
    return ht__store_rows(&reader->conn, statement, give_row, &taker, error);
}

enum ht_status ht_store_event_last(struct ht_store_reader *reader, int64_t *seq,
                                   struct ht_error *error)
{
    char hash[HT_DIGEST_TEXT];
    return last_of(&reader->conn, reader->store->district, seq, hash, error);
}

const char *ht_store_district(const struct ht_store *store)
{
    return store->district;
}

/* No text hides bytes behind a NUL. */
static bool texts_whole(sqlite3_stmt *statement)
{
    bool whole = true;
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        whole = whole && (sqlite3_column_type(statement, column) == SQLITE_INTEGER ||
                          (size_t)sqlite3_column_bytes(statement, column) ==
                              strlen(text_at(statement, column)));
    }
    return whole;
}

static const char every_sql[] =
    "SELECT seq, district, epoch, at_ms, actor, kind, subject, body, hash "
    "FROM events ORDER BY district, seq";

enum ht_status ht_store_events_every(struct ht_store_reader *reader,
                                     enum ht_status (*sink)(void *user,
                                                            const struct ht_store_event *event),
                                     void *user, struct ht_error *error)
{
    sqlite3_stmt *statement = NULL;
    struct taker taker = {sink, user};
    enum ht_status status = ht__store_prepare(&reader->conn, every_sql, NULL, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, give_row, &taker, error)
                           : status;
}

/* Up to the first row that is broken; SQLite's last code. */
static enum ht_status audit_rows(sqlite3_stmt *statement, struct ht_event_audit *audit, int *code)
{
    enum ht_status status = HT_OK;
    while (status == HT_OK && audit->broken_seq == 0 &&
           (*code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct ht_store_event event = event_at(statement);
        status = texts_lack(statement) ? HT_NOMEM
                                       : ht_event_audit_take(audit, &event, texts_whole(statement));
    }
    return status;
}

enum ht_status ht_store_audit(struct ht_store_reader *reader, struct ht_store_audit *out,
                              struct ht_error *error)
{
    struct ht_event_audit audit;
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_DONE;
    memset(out, 0, sizeof *out);
    memcpy(out->last_hash, ht_event_first_hash, HT_DIGEST_TEXT);
    enum ht_status status = ht__store_prepare(&reader->conn, every_sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    status = ht_event_audit_init(&audit, NULL);
    if (status == HT_OK) {
        status = audit_rows(statement, &audit, &code);
    }
    if (status != HT_OK) {
        status = ht_error_set(error, status, 0, NULL);
    } else if (code != SQLITE_DONE && code != SQLITE_ROW) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    out->events = audit.events;
    out->broken_seq = audit.broken_seq;
    memcpy(out->last_hash, audit.hash, HT_DIGEST_TEXT);
    (void)sqlite3_reset(statement);
    ht_event_audit_deinit(&audit);
    return status;
}
