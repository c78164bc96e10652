#include <stdio.h>

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

/* The first unit behind `*after` in the alphabet; HT_NOT_FOUND: no more. */
static enum ht_status next_unit(struct ht__store_conn *conn, char after[HT_ID_MAX + 1],
                                struct ht_error *error)
{
    static const char sql[] = "SELECT unit FROM positions WHERE unit > ?1 ORDER BY unit LIMIT 1";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, after, -1, SQLITE_TRANSIENT);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *unit = (const char *)sqlite3_column_text(statement, 0);
        (void)snprintf(after, HT_ID_MAX + 1, "%s", unit == NULL ? "" : unit);
    } else {
        status = code == SQLITE_DONE ? HT_NOT_FOUND : ht__store_fail(conn, code, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum ht_status forget_until(struct ht_store_tx *tx, const char *unit, int64_t before_ms,
                                   struct ht_error *error)
{
    static const char sql[] = "DELETE FROM positions WHERE unit = ?1 AND ts_ms < ?2";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        (void)sqlite3_bind_text(statement, 1, unit, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, before_ms);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

/* Unit by unit, each by its own times: a look at what is to go, not at all that there is. */
enum ht_status ht_store_positions_forget(struct ht_store_tx *tx, int64_t before_ms,
                                         struct ht_error *error)
{
    char unit[HT_ID_MAX + 1] = "";
    enum ht_status status = HT_OK;
    while (status == HT_OK) {
        status = next_unit(&tx->reader.conn, unit, error);
        if (status == HT_OK) {
            status = forget_until(tx, unit, before_ms, error);
        }
    }
    return status == HT_NOT_FOUND ? HT_OK : status;
}

enum ht_status ht_store_positions_erase(struct ht_store_tx *tx, const char *unit,
                                        struct ht_error *error)
{
    static const char sql[] = "DELETE FROM positions WHERE unit = ?1";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        (void)sqlite3_bind_text(statement, 1, unit, -1, SQLITE_STATIC);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_device_seen_put(struct ht_store_tx *tx,
                                        const struct ht_store_device_seen *seen,
                                        struct ht_error *error)
{
    static const char sql[] = "INSERT OR REPLACE INTO device_seen(device, seen_ms, battery, silent)"
                              " SELECT id, ?2, ?3, ?4 FROM devices_item WHERE id = ?1";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        (void)sqlite3_bind_text(statement, 1, seen->device, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, seen->seen_ms);
        if (seen->battery >= 0) {
            (void)sqlite3_bind_int(statement, 3, seen->battery);
        }
        (void)sqlite3_bind_int(statement, 4, seen->silent);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

struct seen_taker {
    enum ht_status (*sink)(void *user, const struct ht_store_device_seen *seen);
    void *user;
};

static enum ht_status give_seen(void *user, sqlite3_stmt *statement)
{
    const struct seen_taker *taker = user;
    bool known = sqlite3_column_type(statement, 2) != SQLITE_NULL;
    const struct ht_store_device_seen seen = {
        .device = (const char *)sqlite3_column_text(statement, 0),
        .seen_ms = sqlite3_column_int64(statement, 1),
        .battery = known ? sqlite3_column_int(statement, 2) : -1,
        .silent = sqlite3_column_int(statement, 3) != 0};
    return seen.device == NULL ? HT_NOMEM : taker->sink(taker->user, &seen);
}

enum ht_status
ht_store_devices_seen(struct ht_store_reader *reader,
                      enum ht_status (*sink)(void *user, const struct ht_store_device_seen *seen),
                      void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT device, seen_ms, battery, silent FROM device_seen";
    sqlite3_stmt *statement = NULL;
    struct seen_taker taker = {sink, user};
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, give_seen, &taker, error)
                           : status;
}
