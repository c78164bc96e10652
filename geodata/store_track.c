#include "geodata/store_internal.h"

static void bind_known(sqlite3_stmt *statement, int place, double value)
{
    if (value >= 0) {
        (void)sqlite3_bind_double(statement, place, value);
    } else {
        (void)sqlite3_bind_null(statement, place);
    }
}

enum ht_status ht_store_positions_put(struct ht_store_tx *tx,
                                      const struct ht_store_position *positions, size_t count,
                                      struct ht_error *error)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO positions(unit, ts_ms, received_ms, lon_e7, lat_e7, speed_mps, "
        "bearing_deg, accuracy_m) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const struct ht_store_position *p = &positions[i];
        (void)sqlite3_bind_text(statement, 1, p->unit, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, p->ts_ms);
        (void)sqlite3_bind_int64(statement, 3, p->received_ms);
        (void)sqlite3_bind_int(statement, 4, p->point.lon_e7);
        (void)sqlite3_bind_int(statement, 5, p->point.lat_e7);
        bind_known(statement, 6, p->speed_mps);
        bind_known(statement, 7, p->bearing_deg);
        bind_known(statement, 8, p->accuracy_m);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

static double known(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? -1
               : sqlite3_column_double(statement, column);
}

/* Who takes the positions. */
struct taker {
    ht_store_position_sink *sink;
    void *user;
};

/* A row whose columns are those of the table. */
static enum ht_status give_row(void *user, sqlite3_stmt *statement)
{
    const struct taker *taker = user;
    const struct ht_store_position position = {
        .unit = (const char *)sqlite3_column_text(statement, 0),
        .ts_ms = sqlite3_column_int64(statement, 1),
        .received_ms = sqlite3_column_int64(statement, 2),
        .point = {sqlite3_column_int(statement, 3), sqlite3_column_int(statement, 4)},
        .speed_mps = known(statement, 5),
        .bearing_deg = known(statement, 6),
        .accuracy_m = known(statement, 7)};
    return position.unit == NULL ? HT_NOMEM : taker->sink(taker->user, &position);
}

static enum ht_status give_rows(struct ht__store_conn *conn, sqlite3_stmt *statement,
                                struct taker taker, struct ht_error *error)
{
    enum ht_status status = ht__store_rows(conn, statement, give_row, &taker, error);
    return status == HT_NOMEM ? ht_error_set(error, status, 0, NULL) : status;
}

enum ht_status ht_store_positions_last(struct ht_store_reader *reader, ht_store_position_sink *sink,
                                       void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT p.unit, p.ts_ms, p.received_ms, p.lon_e7, p.lat_e7, p.speed_mps, p.bearing_deg, "
        "p.accuracy_m FROM units_item u JOIN positions p ON p.unit = u.id AND p.ts_ms = "
        "(SELECT max(ts_ms) FROM positions WHERE unit = u.id)";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    return status == HT_OK ? give_rows(&reader->conn, statement, (struct taker){sink, user}, error)
                           : status;
}

// NOLINTNEXTLINE(readability-function-size): what is asked for, and who takes it
enum ht_status ht_store_track(struct ht_store_reader *reader, const char *unit, int64_t from_ms,
                              int64_t until_ms, uint64_t limit, ht_store_position_sink *sink,
                              void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT unit, ts_ms, received_ms, lon_e7, lat_e7, speed_mps, bearing_deg, accuracy_m "
        "FROM positions WHERE unit = ?1 AND ts_ms BETWEEN ?2 AND ?3 ORDER BY ts_ms LIMIT ?4";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, unit, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, from_ms);
    (void)sqlite3_bind_int64(statement, 3, until_ms);
    (void)sqlite3_bind_int64(statement, 4, limit > INT64_MAX ? -1 : (int64_t)limit);
    return give_rows(&reader->conn, statement, (struct taker){sink, user}, error);
}

enum ht_status ht_store_positions_forget(struct ht_store_tx *tx, int64_t before_ms,
                                         struct ht_error *error)
{
    return ht__store_forget(tx, "DELETE FROM positions WHERE ts_ms < ?1", before_ms, error);
}
