#include "geodata/store_internal.h"

static enum ht_status row_put(struct ht_store_tx *tx, const struct ht_store_traffic *row,
                              struct ht_error *error)
{
    static const char put[] = "INSERT OR REPLACE INTO traffic(osm_from, osm_to, profiles, "
                              "speed_mps, until_ms) VALUES(?1,?2,?3,?4,?5)";
    static const char drop[] =
        "DELETE FROM traffic WHERE osm_from = ?1 AND osm_to = ?2 AND profiles = ?3";
    sqlite3_stmt *statement = NULL;
    bool kept = row->speed_mps >= 0;
    enum ht_status status =
        ht__store_prepare(&tx->reader.conn, kept ? put : drop, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_int64(statement, 1, row->osm_from);
    (void)sqlite3_bind_int64(statement, 2, row->osm_to);
    (void)sqlite3_bind_text(statement, 3, row->profiles, -1, SQLITE_STATIC);
    if (kept) {
        (void)sqlite3_bind_double(statement, 4, row->speed_mps);
        (void)sqlite3_bind_int64(statement, 5, row->until_ms);
    }
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status ht_store_traffic_put(struct ht_store_tx *tx, const struct ht_store_traffic *rows,
                                    size_t count, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        status = row_put(tx, &rows[i], error);
    }
    return status;
}

enum ht_status ht_store_traffic_forget(struct ht_store_tx *tx, int64_t before_ms,
                                       struct ht_error *error)
{
    static const char sql[] = "DELETE FROM traffic WHERE until_ms <= ?1";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        (void)sqlite3_bind_int64(statement, 1, before_ms);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_traffic(struct ht_store_reader *reader,
                                enum ht_status (*sink)(void *user,
                                                       const struct ht_store_traffic *row),
                                void *user, struct ht_error *error)
{
    /* a row that is replaced gets a new number: the order in which they were said */
    static const char sql[] =
        "SELECT osm_from, osm_to, profiles, speed_mps, until_ms FROM traffic ORDER BY seq";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    int code = SQLITE_DONE;
    while (status == HT_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct ht_store_traffic row = {.osm_from = sqlite3_column_int64(statement, 0),
                                             .osm_to = sqlite3_column_int64(statement, 1),
                                             .profiles =
                                                 (const char *)sqlite3_column_text(statement, 2),
                                             .speed_mps = sqlite3_column_double(statement, 3),
                                             .until_ms = sqlite3_column_int64(statement, 4)};
        status = row.profiles == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : sink(user, &row);
    }
    if (status == HT_OK && code != SQLITE_DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}
