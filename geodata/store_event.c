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
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, district);
    *seq = 0;
    memcpy(hash, ht_event_first_hash, HT_DIGEST_TEXT);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        const char *text = ht__text_at(statement, 1);
        *seq = ht__int_at(statement, 0);
        if (text == NULL || ht__size_at(statement, 1) != HT_DIGEST_TEXT - 1) {
            status = ht_error_set(error, HT_CHECKSUM, 0, "event %" PRId64 " has no hash", *seq);
        } else {
            memcpy(hash, text, HT_DIGEST_TEXT);
        }
    } else if (code != HT__DONE) {
        status = ht__store_fail(conn, code, error);
    }
    ht__reset(statement);
    return status;
}

static enum ht_status insert(struct ht__store_conn *conn, const struct ht_store_event *event,
                             const char *hash, struct ht_error *error)
{
    static const char sql[] = "INSERT INTO events(seq, district, epoch, at_ms, actor, kind, "
                              "subject, body, hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, event->seq);
    ht__bind_text(statement, 2, event->district);
    ht__bind_int(statement, 3, event->epoch);
    ht__bind_int(statement, 4, event->at_ms);
    ht__bind_text(statement, 5, event->actor);
    ht__bind_text(statement, 6, event->kind);
    ht__bind_text(statement, 7, event->subject);
    ht__bind_text(statement, 8, event->body);
    ht__bind_text(statement, 9, hash);
    return ht__store_run(conn, statement, error);
}

/* The same as the transaction sees it: nobody else appends meanwhile. */
static enum ht_status last_within(struct ht_store_tx *tx, const char *district, int64_t *seq,
                                  char hash[HT_DIGEST_TEXT], struct ht_error *error)
{
    if (tx->last.seq < 0 || strcmp(district, tx->store->district) != 0) {
        return last_of(&tx->reader.conn, district, seq, hash, error);
    }
    *seq = tx->last.seq;
    memcpy(hash, tx->last.hash, HT_DIGEST_TEXT);
    return HT_OK;
}

/* What the next one of the district follows. */
static void last_note(struct ht_store_tx *tx, const struct ht_store_event *event, const char *hash,
                      bool there)
{
    if (strcmp(event->district, tx->store->district) == 0) {
        tx->last.seq = there ? event->seq : -1;
        memcpy(tx->last.hash, hash, HT_DIGEST_TEXT);
    }
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
    own.epoch = event->epoch == 0 ? tx->store->epoch : event->epoch;
    enum ht_status status = last_within(tx, own.district, &last, before, error);
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
    last_note(tx, &own, hash, status == HT_OK);
    if (status == HT_OK && seq != NULL) {
        *seq = own.seq;
    }
    return status;
}

static const char *text_at(struct ht__statement *statement, int column)
{
    const char *text = ht__text_at(statement, column);
    return text == NULL ? "" : text;
}

static struct ht_store_event event_at(struct ht__statement *statement)
{
    return (struct ht_store_event){.seq = ht__int_at(statement, 0),
                                   .district = text_at(statement, 1),
                                   .epoch = ht__int_at(statement, 2),
                                   .at_ms = ht__int_at(statement, 3),
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
static bool texts_lack(struct ht__statement *statement)
{
    bool lack = false;
    for (int column = 0; column < ht__columns(statement); column++) {
        lack = lack || ht__store_lacks(statement, column, ht__text_at(statement, column));
    }
    return lack;
}

static enum ht_status give_row(void *user, struct ht__statement *statement)
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
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, reader->store->district);
    ht__bind_int(statement, 2, after);
    ht__bind_int(statement, 3, ht__limit(limit));
    ht__expect(statement, limit);
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
#define OF_SUBJECT(index)                                                                          \
    "SELECT seq, district, epoch, at_ms, actor, kind, subject, body, hash FROM events " index      \
    "WHERE subject = ?5 AND district = ?1 AND seq > ?2 "                                           \
    "AND substr(kind, 1, length(?4)) = ?4 ORDER BY seq LIMIT ?3"
    static const char one[] = OF_SUBJECT("INDEXED BY events_subject ");
    static const char one_pg[] = OF_SUBJECT("");
#undef OF_SUBJECT
    struct ht__store_conn *conn = &reader->conn;
    struct ht__statement *statement = NULL;
    const char *sql = query->subject == NULL ? all : ht__either(conn, one, one_pg);
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, reader->store->district);
    ht__bind_int(statement, 2, query->after);
    ht__bind_int(statement, 3, ht__limit(query->limit));
    ht__expect(statement, query->limit);
    ht__bind_text(statement, 4, query->prefix);
    if (query->subject != NULL) {
        ht__bind_text(statement, 5, query->subject);
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

/* No text hides bytes behind a NUL. */
static bool texts_whole(struct ht__statement *statement)
{
    bool whole = true;
    for (int column = 0; column < ht__columns(statement); column++) {
        whole = whole && ht__whole_at(statement, column);
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
    struct ht__statement *statement = NULL;
    struct taker taker = {sink, user};
    enum ht_status status = ht__store_prepare(&reader->conn, every_sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__expect(statement, UINT64_MAX);
    return ht__store_rows(&reader->conn, statement, give_row, &taker, error);
}

/* Up to the first row that is broken; the last code. */
static enum ht_status audit_rows(struct ht__statement *statement, struct ht_event_audit *audit,
                                 int *code)
{
    enum ht_status status = HT_OK;
    while (status == HT_OK && audit->broken_seq == 0 && (*code = ht__step(statement)) == HT__ROW) {
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
    struct ht__statement *statement = NULL;
    int code = HT__DONE;
    memset(out, 0, sizeof *out);
    memcpy(out->last_hash, ht_event_first_hash, HT_DIGEST_TEXT);
    enum ht_status status = ht__store_prepare(&reader->conn, every_sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__expect(statement, UINT64_MAX);
    status = ht_event_audit_init(&audit, NULL);
    if (status == HT_OK) {
        status = audit_rows(statement, &audit, &code);
    }
    if (status != HT_OK) {
        status = ht_error_set(error, status, 0, NULL);
    } else if (code != HT__DONE && code != HT__ROW) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    out->events = audit.events;
    out->broken_seq = audit.broken_seq;
    memcpy(out->last_hash, audit.hash, HT_DIGEST_TEXT);
    ht__reset(statement);
    ht_event_audit_deinit(&audit);
    return status;
}
