/* What is learned of arrivals: one row, bytes of engine/live/arrival.h. The table is no part of the
 * schema's versions: it is made when they are first saved, and a store without it knows none. */
#include "geodata/store_internal.h"

enum ht_status ht_store_arrival_put(struct ht_store_tx *tx, const void *bytes, size_t size,
                                    struct ht_error *error)
{
    static const char sql[] = "INSERT OR REPLACE INTO arrival(number, bytes) VALUES(1,?1)";
    sqlite3_stmt *statement = NULL;
    enum ht_status status =
        ht__store_exec(&tx->reader.conn,
                       "CREATE TABLE IF NOT EXISTS arrival("
                       " number INTEGER NOT NULL PRIMARY KEY, bytes BLOB NOT NULL)",
                       error);
    if (status == HT_OK) {
        status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    }
    if (status == HT_OK) {
        (void)sqlite3_bind_blob64(statement, 1, bytes, size, SQLITE_STATIC);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

/* The first row of a statement, if there is one. */
static enum ht_status row_is(struct ht_store_reader *reader, const char *sql,
                             sqlite3_stmt **statement, bool *row, struct ht_error *error)
{
    *row = false;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, statement, error);
    if (status != HT_OK) {
        return status;
    }
    int code = sqlite3_step(*statement);
    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? HT_OK
                                                     : ht__store_fail(&reader->conn, code, error);
}

enum ht_status ht_store_arrival(struct ht_store_reader *reader,
                                enum ht_status (*sink)(void *user, const void *bytes, size_t size),
                                void *user, struct ht_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum ht_status status =
        row_is(reader, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'arrival'",
               &statement, &row, error);
    (void)sqlite3_reset(statement);
    if (status != HT_OK || !row) {
        return status;
    }
    status = row_is(reader, "SELECT bytes FROM arrival WHERE number = 1", &statement, &row, error);
    if (status == HT_OK && row) {
        const void *bytes = sqlite3_column_blob(statement, 0);
        status = ht__store_lacks(statement, 0, bytes)
                     ? ht_error_set(error, HT_NOMEM, 0, NULL)
                     : sink(user, bytes, (size_t)sqlite3_column_bytes(statement, 0));
    }
    (void)sqlite3_reset(statement);
    return status;
}
