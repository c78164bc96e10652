/* Plans of rounds, each whole as one JSON text. */
#include <string.h>

#include "geodata/store_internal.h"

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    (void)sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text == NULL ? "" : text;
}

enum ht_status ht_store_round_put(struct ht_store_tx *tx, const struct ht_store_round *round,
                                  struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO rounds(round_id, number, collection, from_ms, to_ms, made_ms, changed_ms,"
        " version, body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(round_id) DO UPDATE SET"
        " changed_ms = excluded.changed_ms, version = excluded.version, body = excluded.body";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, round->id);
    (void)sqlite3_bind_int64(statement, 2, round->number);
    bind_text(statement, 3, round->collection);
    (void)sqlite3_bind_int64(statement, 4, round->from_ms);
    (void)sqlite3_bind_int64(statement, 5, round->to_ms);
    (void)sqlite3_bind_int64(statement, 6, round->made_ms);
    (void)sqlite3_bind_int64(statement, 7, round->changed_ms);
    (void)sqlite3_bind_int64(statement, 8, round->version);
    bind_text(statement, 9, round->body);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct rounds {
    enum ht_status (*sink)(void *user, const struct ht_store_round *round);
    void *user;
    size_t count;
};

static enum ht_status round_row(void *user, sqlite3_stmt *statement)
{
    struct rounds *rounds = user;
    const struct ht_store_round round = {.id = text_at(statement, 0),
                                         .number = sqlite3_column_int64(statement, 1),
                                         .collection = text_at(statement, 2),
                                         .from_ms = sqlite3_column_int64(statement, 3),
                                         .to_ms = sqlite3_column_int64(statement, 4),
                                         .made_ms = sqlite3_column_int64(statement, 5),
                                         .changed_ms = sqlite3_column_int64(statement, 6),
                                         .version = sqlite3_column_int64(statement, 7),
                                         .body = text_at(statement, 8)};
    rounds->count++;
    return ht__store_lacks(statement, 0, sqlite3_column_text(statement, 0)) ||
                   ht__store_lacks(statement, 2, sqlite3_column_text(statement, 2)) ||
                   ht__store_lacks(statement, 8, sqlite3_column_text(statement, 8))
               ? HT_NOMEM
               : rounds->sink(rounds->user, &round);
}

enum ht_status ht_store_round_get(struct ht_store_reader *reader, const char *id,
                                  enum ht_status (*sink)(void *user,
                                                         const struct ht_store_round *round),
                                  void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT round_id, number, collection, from_ms, to_ms, made_ms,"
                              " changed_ms, version, body FROM rounds WHERE round_id = ?1";
    struct rounds rounds = {.sink = sink, .user = user};
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, id);
    status = ht__store_rows(&reader->conn, statement, round_row, &rounds, error);
    return status == HT_OK && rounds.count == 0
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no round %.64s", id)
               : status;
}

enum ht_status ht_store_rounds(struct ht_store_reader *reader, int64_t before, uint64_t limit,
                               enum ht_status (*sink)(void *user,
                                                      const struct ht_store_round *round),
                               void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT round_id, number, collection, from_ms, to_ms, made_ms,"
                              " changed_ms, version, '' FROM rounds WHERE number < ?1"
                              " ORDER BY number DESC LIMIT ?2";
    struct rounds rounds = {.sink = sink, .user = user};
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_int64(statement, 1, before);
    (void)sqlite3_bind_int64(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    return ht__store_rows(&reader->conn, statement, round_row, &rounds, error);
}
