/* Statements of PostgreSQL: bound as text (bytes as they are), answered in binary.
 *
 * All rows of an answer are held at once, so that others may be asked meanwhile over the same
 * connection; where there may be many, a cursor brings them HT__STORE_MANY at a time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/pg_internal.h"
#include "geodata/store_lite_internal.h"

/* Numbers of types, which never change (src/include/catalog/pg_type.dat). A text is of the type
 * that its place asks for. */
enum { TYPE_ANY = 0, TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_FLOAT8 = 701, NUMBER = 32 };

struct pg_statement {
    struct ht__statement base;
    struct ht__store_conn *conn;
    char *sql;
    char name[32];
    char cursor[32];
    uint64_t session; /* in which it was prepared under that name; 0: in none */
    bool once;
    bool many;
    bool open; /* its cursor is */
    int count; /* of places; the arrays below have one more */
    Oid *types;
    const char **values;
    int *sizes;
    int *formats;
    char (*numbers)[NUMBER];
    PGresult *result;
    int row;
    int rows;
};

static struct pg_statement *own_of(struct ht__statement *statement)
{
    return (struct pg_statement *)statement;
}

/* ---- made and freed ---- */

/* $1 for ?1, and the highest of them. */
static char *sql_write(const char *sql, int *count)
{
    char *text = strdup(sql);
    *count = 0;
    for (char *at = text; at != NULL && *at != '\0'; at++) {
        if (*at == '?' && at[1] >= '1' && at[1] <= '9') {
            int place = (int)strtol(at + 1, NULL, 10);
            *count = place > *count ? place : *count;
            *at = '$';
        }
    }
    return text;
}

enum ht_status ht__pg_prepare(struct ht__store_conn *conn, const char *sql,
                              struct ht__statement **out, struct ht_error *error)
{
    struct pg_statement *own = calloc(1, sizeof *own);
    *out = NULL;
    if (own == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    own->base.engine = &ht__store_pg;
    own->conn = conn;
    own->sql = sql_write(sql, &own->count);
    size_t places = (size_t)own->count + 1;
    own->types = ht_array_new_zeroed(places, sizeof *own->types);
    own->values = ht_array_new_zeroed(places, sizeof *own->values);
    own->sizes = ht_array_new_zeroed(places, sizeof *own->sizes);
    own->formats = ht_array_new_zeroed(places, sizeof *own->formats);
    own->numbers = ht_array_new_zeroed(places, sizeof *own->numbers);
    if (own->sql == NULL || own->types == NULL || own->values == NULL || own->sizes == NULL ||
        own->formats == NULL || own->numbers == NULL) {
        ht__pg_finalize(&own->base);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    *out = &own->base;
    return HT_OK;
}

void ht__pg_finalize(struct ht__statement *statement)
{
    struct pg_statement *own = own_of(statement);
    struct ht__store_conn *conn = own->conn;
    ht__pg_reset(statement);
    if (own->session != 0 && own->session == conn->pg->session &&
        conn->cached_count == HT__STORE_STATEMENTS && !conn->within) {
        char sql[64]; /* it made room for another one */
        (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", own->name);
        ht__pq()->PQclear(ht__pg_ask(conn, sql, false));
    }
    free(own->sql);
    free(own->types);
    free(own->values);
    free(own->sizes);
    free(own->formats);
    free(own->numbers);
    free(own);
}

void ht__pg_once(struct ht__statement *statement)
{
    own_of(statement)->once = true;
}

void ht__pg_expect(struct ht__statement *statement, uint64_t rows)
{
    own_of(statement)->many = rows > HT__STORE_MANY;
}

/* ---- what is bound ---- */

static void bind(struct pg_statement *own, int place, Oid type, const char *value)
{
    if (place >= 1 && place <= own->count) {
        own->values[place - 1] = value;
        own->formats[place - 1] = 0;
        if (own->session == 0 || own->once) { /* once prepared, it has the types it has */
            own->types[place - 1] = type;
        }
    }
}

void ht__pg_unbind(struct ht__statement *statement)
{
    struct pg_statement *own = own_of(statement);
    ht__pg_reset(statement);
    own->many = false;
    for (int i = 0; i < own->count; i++) {
        own->values[i] = NULL;
    }
}

void ht__pg_bind_null(struct ht__statement *statement, int place)
{
    bind(own_of(statement), place, TYPE_ANY, NULL);
}

void ht__pg_bind_int(struct ht__statement *statement, int place, int64_t value)
{
    struct pg_statement *own = own_of(statement);
    if (place >= 1 && place <= own->count) {
        (void)snprintf(own->numbers[place - 1], NUMBER, "%" PRId64, value);
        bind(own, place, TYPE_INT8, own->numbers[place - 1]);
    }
}

void ht__pg_bind_double(struct ht__statement *statement, int place, double value)
{
    struct pg_statement *own = own_of(statement);
    if (place >= 1 && place <= own->count) {
        (void)snprintf(own->numbers[place - 1], NUMBER, "%.17g", value);
        bind(own, place, TYPE_FLOAT8, own->numbers[place - 1]);
    }
}

void ht__pg_bind_text(struct ht__statement *statement, int place, const char *text)
{
    bind(own_of(statement), place, TYPE_ANY, text);
}

void ht__pg_bind_blob(struct ht__statement *statement, int place, const void *bytes, size_t size)
{
    struct pg_statement *own = own_of(statement);
    bind(own, place, TYPE_BYTEA, size == 0 ? "" : bytes);
    if (place >= 1 && place <= own->count) {
        own->sizes[place - 1] = (int)size;
        own->formats[place - 1] = 1;
    }
}

enum ht_status ht__pg_bind_shape(struct ht__statement *statement, int place, const void *wkb,
                                 size_t size)
{
    size_t other = 0;
    unsigned char *blob = malloc(size + HT__BLOB_EXTRA);
    if (blob == NULL) {
        return HT_NOMEM;
    }
    /* what the other engine would take, and nothing else */
    enum ht_status status = ht__blob_from_wkb(wkb, size, blob, &other);
    free(blob);
    ht__pg_bind_blob(statement, place, wkb, size);
    return status;
}

/* ---- run ---- */

static PGresult *prepared_run(struct pg_statement *own)
{
    const struct ht_late_pq *pq = ht__pq();
    struct ht__pg *pg = own->conn->pg;
    if (own->session != pg->session) {
        (void)snprintf(own->name, sizeof own->name, "h%" PRIu64, ++pg->names);
        PGresult *made = pq->PQprepare(pg->link, own->name, own->sql, own->count, own->types);
        if (made == NULL || pq->PQresultStatus(made) != PGRES_COMMAND_OK) {
            return made;
        }
        pq->PQclear(made);
        own->session = pg->session;
    }
    return pq->PQexecPrepared(pg->link, own->name, own->count, own->values, own->sizes,
                              own->formats, 1);
}

static PGresult *once_run(const struct pg_statement *own, const char *sql, int count)
{
    return ht__pq()->PQexecParams(own->conn->pg->link, sql, count, own->types, own->values,
                                  own->sizes, own->formats, 1);
}

/* Takes a result, with its rows, or its words where it is an error. */
static bool take(struct pg_statement *own, PGresult *result)
{
    const struct ht_late_pq *pq = ht__pq();
    struct ht__pg *pg = own->conn->pg;
    if (!ht__pg_good(own->conn, result)) {
        pq->PQclear(result);
        return false;
    }
    pq->PQclear(own->result);
    own->result = result;
    own->rows = pq->PQntuples(result);
    own->row = -1;
    pg->changes = strtoll(pq->PQcmdTuples(result), NULL, 10);
    return true;
}

static bool plain(struct pg_statement *own, const char *sql)
{
    PGresult *result = ht__pg_ask(own->conn, sql, false);
    ht__pq()->PQclear(result);
    return result != NULL;
}

static bool cursor_next(struct pg_statement *own)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "FETCH %d FROM %s", HT__STORE_MANY, own->cursor);
    return take(own, once_run(own, sql, 0));
}

/* A cursor lives within a transaction; a reader has one of its own for it. */
static bool cursor_open(struct pg_statement *own)
{
    struct ht__pg *pg = own->conn->pg;
    struct ht_text sql = {0};
    if (!own->conn->within && pg->cursors == 0) {
        PGresult *begun =
            ht__pg_ask(own->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", true);
        if (begun == NULL) {
            return false;
        }
        ht__pq()->PQclear(begun);
        pg->own = true;
    }
    pg->cursors++;
    own->open = true;
    (void)snprintf(own->cursor, sizeof own->cursor, "c%" PRIu64, ++pg->names);
    ht_text_addf(&sql, "DECLARE %s NO SCROLL CURSOR FOR %s", own->cursor, own->sql);
    if (sql.failed) {
        (void)snprintf(pg->why, sizeof pg->why, "out of memory");
        pg->status = HT_NOMEM;
    }
    bool good = !sql.failed && take(own, once_run(own, sql.data, own->count)) && cursor_next(own);
    ht_text_deinit(&sql);
    return good;
}

static void cursor_close(struct pg_statement *own)
{
    struct ht__pg *pg = own->conn->pg;
    char sql[64];
    own->open = false;
    pg->cursors--;
    if (pg->own && pg->cursors == 0) {
        pg->own = false;
        (void)plain(own, "ROLLBACK"); /* of what only read; a lost connection has done so itself */
    } else if (ht__pq()->PQtransactionStatus(pg->link) == PQTRANS_INTRANS) {
        (void)snprintf(sql, sizeof sql, "CLOSE %s", own->cursor);
        (void)plain(own, sql);
    }
}

/* A question that was lost with its connection is asked once more, outside of a transaction. */
static bool run(struct pg_statement *own)
{
    struct ht__store_conn *conn = own->conn;
    if (own->many) {
        return cursor_open(own);
    }
    for (int i = 0; i < 2; i++) {
        if (!ht__pg_ready(conn)) {
            return false;
        }
        if (take(own, own->once ? once_run(own, own->sql, own->count) : prepared_run(own))) {
            return true;
        }
        if (conn->within || conn->pg->cursors > 0 || !ht__pg_is_lost(conn->pg)) {
            return false;
        }
    }
    return false;
}

int ht__pg_step(struct ht__statement *statement)
{
    struct pg_statement *own = own_of(statement);
    if (own->result == NULL && !run(own)) {
        return HT__PG_ERROR;
    }
    if (own->row + 1 == own->rows && own->open && own->rows == HT__STORE_MANY &&
        !cursor_next(own)) {
        return HT__PG_ERROR;
    }
    if (own->row + 1 < own->rows) {
        own->row++;
        return HT__ROW;
    }
    return HT__DONE;
}

void ht__pg_reset(struct ht__statement *statement)
{
    struct pg_statement *own = own_of(statement);
    ht__pq()->PQclear(own->result);
    own->result = NULL;
    if (own->open) {
        cursor_close(own);
    }
}

/* ---- what is answered ---- */

static uint64_t big_endian(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

int ht__pg_columns(struct ht__statement *statement)
{
    return ht__pq()->PQnfields(own_of(statement)->result);
}

bool ht__pg_null_at(struct ht__statement *statement, int column)
{
    const struct pg_statement *own = own_of(statement);
    return ht__pq()->PQgetisnull(own->result, own->row, column) == 1;
}

size_t ht__pg_size_at(struct ht__statement *statement, int column)
{
    const struct pg_statement *own = own_of(statement);
    return (size_t)ht__pq()->PQgetlength(own->result, own->row, column);
}

const char *ht__pg_text_at(struct ht__statement *statement, int column)
{
    const struct pg_statement *own = own_of(statement);
    return ht__pg_null_at(statement, column) ? NULL
                                             : ht__pq()->PQgetvalue(own->result, own->row, column);
}

const void *ht__pg_blob_at(struct ht__statement *statement, int column)
{
    return ht__pg_size_at(statement, column) == 0 ? NULL : ht__pg_text_at(statement, column);
}

int64_t ht__pg_int_at(struct ht__statement *statement, int column)
{
    const unsigned char *bytes = ht__pg_blob_at(statement, column);
    switch (ht__pg_size_at(statement, column)) {
    case 1:
        return bytes[0];
    case 2:
        return (int16_t)big_endian(bytes, 2);
    case 4:
        return (int32_t)big_endian(bytes, 4);
    case 8:
        return (int64_t)big_endian(bytes, 8);
    default:
        return 0;
    }
}

double ht__pg_double_at(struct ht__statement *statement, int column)
{
    const unsigned char *bytes = ht__pg_blob_at(statement, column);
    double value = 0;
    if (ht__pg_size_at(statement, column) == sizeof value) {
        uint64_t bits = big_endian(bytes, sizeof value);
        memcpy(&value, &bits, sizeof value);
    }
    return value;
}

enum ht_status ht__pg_shape_at(struct ht__statement *statement, int column, struct ht__room *room,
                               const void **wkb, size_t *size)
{
    (void)room;
    *wkb = ht__pg_blob_at(statement, column);
    *size = ht__pg_size_at(statement, column);
    return HT_OK;
}

bool ht__pg_whole_at(struct ht__statement *statement, int column)
{
    (void)statement; /* its texts hold no NUL */
    (void)column;
    return true;
}
