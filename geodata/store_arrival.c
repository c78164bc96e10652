/* What is learned of arrivals: one row, bytes of engine/live/arrival.h. The table is no part of the
 * schema's versions: it is made when they are first saved, and a store without it knows none. */
#include "geodata/store_internal.h"

enum ht_status ht_store_arrival_put(struct ht_store_tx *tx, const void *bytes, size_t size,
                                    struct ht_error *error)
{
    static const char sql[] = "INSERT INTO arrival(number, bytes) VALUES(1,?1)"
                              " ON CONFLICT(number) DO UPDATE SET bytes = excluded.bytes";
    struct ht__statement *statement = NULL;
    enum ht_status status =
        ht__store_exec(&tx->reader.conn,
                       ht__either(&tx->reader.conn,
                                  "CREATE TABLE IF NOT EXISTS arrival("
                                  " number INTEGER NOT NULL PRIMARY KEY, bytes BLOB NOT NULL)",
                                  "CREATE TABLE IF NOT EXISTS arrival("
                                  " number BIGINT NOT NULL PRIMARY KEY, bytes BYTEA NOT NULL)"),
                       error);
    if (status == HT_OK) {
        status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    }
    if (status == HT_OK) {
        ht__bind_blob(statement, 1, bytes, size);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

/* The first row of a statement, if there is one. */
static enum ht_status row_is(struct ht_store_reader *reader, const char *sql,
                             struct ht__statement **statement, bool *row, struct ht_error *error)
{
    *row = false;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, statement, error);
    if (status != HT_OK) {
        return status;
    }
    int code = ht__step(*statement);
    *row = code == HT__ROW;
    return code == HT__ROW || code == HT__DONE ? HT_OK : ht__store_fail(&reader->conn, code, error);
}

enum ht_status ht_store_arrival(struct ht_store_reader *reader,
                                enum ht_status (*sink)(void *user, const void *bytes, size_t size),
                                void *user, struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    bool row = false;
    enum ht_status status =
        row_is(reader,
               ht__either(&reader->conn,
                          "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'arrival'",
                          "SELECT 1 WHERE to_regclass('arrival') IS NOT NULL"),
               &statement, &row, error);
    ht__reset(statement);
    if (status != HT_OK || !row) {
        return status;
    }
    status = row_is(reader, "SELECT bytes FROM arrival WHERE number = 1", &statement, &row, error);
    if (status == HT_OK && row) {
        const void *bytes = ht__blob_at(statement, 0);
        status = ht__store_lacks(statement, 0, bytes)
                     ? ht_error_set(error, HT_NOMEM, 0, NULL)
                     : sink(user, bytes, ht__size_at(statement, 0));
    }
    ht__reset(statement);
    return status;
}
