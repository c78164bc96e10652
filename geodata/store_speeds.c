/* Learned speeds: a row for each street, its cells as bytes (engine/live/speeds.h). The table is no
 * part of the schema's versions: it is made when the first speeds are saved, and a store without it
 * knows none. */
#include "geodata/store_internal.h"

static enum ht_status table_make(struct ht_store_tx *tx, struct ht_error *error)
{
    return ht__store_exec(&tx->reader.conn,
                          ht__either(&tx->reader.conn,
                                     "CREATE TABLE IF NOT EXISTS speeds("
                                     " street INTEGER NOT NULL PRIMARY KEY, cells BLOB NOT NULL)",
                                     "CREATE TABLE IF NOT EXISTS speeds("
                                     " street BIGINT NOT NULL PRIMARY KEY, cells BYTEA NOT NULL)"),
                          error);
}

enum ht_status ht_store_speeds_clear(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = table_make(tx, error);
    return status == HT_OK ? ht__store_exec(&tx->reader.conn, "DELETE FROM speeds", error) : status;
}

enum ht_status ht_store_speeds_put(struct ht_store_tx *tx, const struct ht_store_speeds *rows,
                                   size_t count, struct ht_error *error)
{
    static const char sql[] = "INSERT INTO speeds(street, cells) VALUES(?1,?2)"
                              " ON CONFLICT(street) DO UPDATE SET cells = excluded.cells";
    enum ht_status status = table_make(tx, error);
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        struct ht__statement *statement = NULL;
        status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
        if (status == HT_OK) {
            ht__bind_int(statement, 1, (int64_t)rows[i].street);
            ht__bind_blob(statement, 2, rows[i].cells, rows[i].size);
            status = ht__store_run(&tx->reader.conn, statement, error);
        }
    }
    return status;
}

static bool table_is(struct ht_store_reader *reader, enum ht_status *status, struct ht_error *error)
{
    const char *sql = ht__either(
        &reader->conn, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'speeds'",
        "SELECT 1 WHERE to_regclass('speeds') IS NOT NULL");
    struct ht__statement *statement = NULL;
    *status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (*status != HT_OK) {
        return false;
    }
    int code = ht__step(statement);
    if (code != HT__ROW && code != HT__DONE) {
        *status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return code == HT__ROW;
}

enum ht_status ht_store_speeds(struct ht_store_reader *reader,
                               enum ht_status (*sink)(void *user,
                                                      const struct ht_store_speeds *row),
                               void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT street, cells FROM speeds";
    struct ht__statement *statement = NULL;
    enum ht_status status = HT_OK;
    if (!table_is(reader, &status, error)) {
        return status;
    }
    status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    int code = HT__DONE;
    if (status == HT_OK) {
        ht__expect(statement, UINT64_MAX);
    }
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        const struct ht_store_speeds row = {.street = (uint64_t)ht__int_at(statement, 0),
                                            .cells = ht__blob_at(statement, 1),
                                            .size = ht__size_at(statement, 1)};
        status = ht__store_lacks(statement, 1, row.cells) ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                                          : sink(user, &row);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}
