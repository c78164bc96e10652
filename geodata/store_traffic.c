#include "geodata/store_internal.h"

static enum ht_status step_put(struct ht_store_tx *tx, const char *sql,
                               const struct ht_store_traffic *row, bool whole,
                               struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, row->osm_from);
    ht__bind_int(statement, 2, row->osm_to);
    ht__bind_text(statement, 3, row->profiles);
    if (whole) {
        ht__bind_double(statement, 4, row->speed_mps);
        ht__bind_int(statement, 5, row->until_ms);
    }
    return ht__store_run(&tx->reader.conn, statement, error);
}

static enum ht_status row_put(struct ht_store_tx *tx, const struct ht_store_traffic *row,
                              struct ht_error *error)
{
    /* a row that is replaced goes first, and gets a new number */
    static const char *const all[] = {
        "DELETE FROM traffic WHERE osm_from = ?1 AND osm_to = ?2 AND profiles = ?3",
        "INSERT INTO traffic(osm_from, osm_to, profiles, speed_mps, until_ms)"
        " VALUES(?1,?2,?3,?4,?5)"};
    enum ht_status status = HT_OK;
    for (int i = 0; i < (row->speed_mps >= 0 ? 2 : 1) && status == HT_OK; i++) {
        status = step_put(tx, all[i], row, i == 1, error);
    }
    return status;
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
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        ht__bind_int(statement, 1, before_ms);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_traffic(struct ht_store_reader *reader,
                                enum ht_status (*sink)(void *user,
                                                       const struct ht_store_traffic *row),
                                void *user, struct ht_error *error)
{
    /* by number: the order in which they were said */
    static const char sql[] =
        "SELECT osm_from, osm_to, profiles, speed_mps, until_ms FROM traffic ORDER BY seq";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        const struct ht_store_traffic row = {.osm_from = ht__int_at(statement, 0),
                                             .osm_to = ht__int_at(statement, 1),
                                             .profiles = ht__text_at(statement, 2),
                                             .speed_mps = ht__double_at(statement, 3),
                                             .until_ms = ht__int_at(statement, 4)};
        status = row.profiles == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : sink(user, &row);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}
