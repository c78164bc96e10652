/* The engine of one SpatiaLite file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/array.h"
#include "geodata/late.h"
#include "geodata/store_lite_internal.h"

#define CACHE "PRAGMA cache_size=-2048;" /* KiB a connection: the system has the pages, too */

/* SpatiaLite and SQLite begin once, and the former is not made for doing so on two threads. */
static pthread_mutex_t spatial_lock = PTHREAD_MUTEX_INITIALIZER;

static enum ht_status status_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return HT_NOMEM;
    case SQLITE_FULL:
        return HT_FULL;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return HT_READ_ONLY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return HT_BUSY;
    case SQLITE_NOTADB:
        return HT_FOREIGN;
    case SQLITE_CORRUPT:
        return HT_CHECKSUM;
    case SQLITE_CONSTRAINT:
        return HT_EXISTS;
    default:
        return HT_IO;
    }
}

/* A disk, a quota or a limit of the process that has no room: SQLite tells only the first apart,
 * and not where it is the log's index that needs it. What the system said last it does not keep for
 * a commit, so `why` is errno. */
static bool is_full(int code, int why)
{
    return (code & 0xff) == SQLITE_IOERR && (why == ENOSPC || why == EDQUOT || why == EFBIG);
}

enum ht_status ht__lite_fail(struct ht__store_conn *conn, int code, struct ht_error *error)
{
    enum ht_status status = is_full(code, errno) ? HT_FULL : status_of(code);
    if (conn->within && conn->lost == HT_OK && sqlite3_get_autocommit(conn->db) != 0) {
        conn->lost = status;
    }
    const char *words = status == HT_FOREIGN ? "not a houtao store"
                        : status == HT_FULL  ? ht_status_text(status)
                        : conn->db == NULL || sqlite3_errcode(conn->db) == SQLITE_OK
                            ? sqlite3_errstr(code)
                            : sqlite3_errmsg(conn->db);
    return ht_error_set(error, status, 0, "%.120s: %.100s", conn->path, words);
}

static enum ht_status lite_exec(struct ht__store_conn *conn, const char *sql,
                                struct ht_error *error)
{
    int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? HT_OK : ht__lite_fail(conn, code, error);
}

static int is_one(void *user, int count, char **values, char **names)
{
    bool *all = user;
    (void)names;
    *all = *all && count == 1 && values[0] != NULL && strcmp(values[0], "1") == 0;
    return 0;
}

enum ht_status ht__store_call(struct ht__store_conn *conn, const char *sql, struct ht_error *error)
{
    bool all = true;
    int code = sqlite3_exec(conn->db, sql, is_one, &all, NULL);
    if (code != SQLITE_OK) {
        return ht__lite_fail(conn, code, error);
    }
    return all ? HT_OK : ht_error_set(error, HT_IO, 0, "%.120s: %.60s failed", conn->path, sql);
}

/* After some errors SQLite rolls all of a transaction back by itself. What is written from then on
 * would stand alone, so nothing is, and the end of the transaction tells of it. */
static enum ht_status lite_still_within(const struct ht__store_conn *conn, struct ht_error *error)
{
    if (sqlite3_get_autocommit(conn->db) == 0) {
        return HT_OK;
    }
    enum ht_status status = conn->lost == HT_OK ? HT_IO : conn->lost;
    return ht_error_set(error, status, 0, "%.120s: %s", conn->path, ht_status_text(status));
}

/* ---- statements ---- */

struct lite_statement {
    struct ht__statement base;
    sqlite3_stmt *own;
};

static sqlite3_stmt *own_of(struct ht__statement *statement)
{
    return ((struct lite_statement *)statement)->own;
}

static enum ht_status lite_prepare(struct ht__store_conn *conn, const char *sql,
                                   struct ht__statement **out, struct ht_error *error)
{
    struct lite_statement *statement = malloc(sizeof *statement);
    *out = NULL;
    if (statement == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    statement->base.engine = &ht__store_lite;
    int code =
        sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->own, NULL);
    if (code != SQLITE_OK) {
        free(statement);
        return ht__lite_fail(conn, code, error);
    }
    *out = &statement->base;
    return HT_OK;
}

static void lite_finalize(struct ht__statement *statement)
{
    (void)sqlite3_finalize(own_of(statement));
    free(statement);
}

static void lite_unbind(struct ht__statement *statement)
{
    (void)sqlite3_clear_bindings(own_of(statement));
}

static void lite_bind_null(struct ht__statement *statement, int place)
{
    (void)sqlite3_bind_null(own_of(statement), place);
}

static void lite_bind_int(struct ht__statement *statement, int place, int64_t value)
{
    (void)sqlite3_bind_int64(own_of(statement), place, value);
}

static void lite_bind_double(struct ht__statement *statement, int place, double value)
{
    (void)sqlite3_bind_double(own_of(statement), place, value);
}

static void lite_bind_text(struct ht__statement *statement, int place, const char *text)
{
    (void)sqlite3_bind_text(own_of(statement), place, text, -1, SQLITE_STATIC);
}

static void lite_bind_blob(struct ht__statement *statement, int place, const void *bytes,
                           size_t size)
{
    (void)sqlite3_bind_blob64(own_of(statement), place, size == 0 ? "" : bytes, size,
                              SQLITE_STATIC);
}

static enum ht_status lite_bind_shape(struct ht__statement *statement, int place, const void *wkb,
                                      size_t wkb_size)
{
    size_t size = 0;
    unsigned char *blob = malloc(wkb_size + HT__BLOB_EXTRA);
    if (blob == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht__blob_from_wkb(wkb, wkb_size, blob, &size);
    if (status != HT_OK) {
        free(blob);
        return status;
    }
    (void)sqlite3_bind_blob64(own_of(statement), place, blob, size, free);
    return HT_OK;
}

static int lite_step(struct ht__statement *statement)
{
    return sqlite3_step(own_of(statement));
}

static void lite_reset(struct ht__statement *statement)
{
    (void)sqlite3_reset(own_of(statement));
}

static int lite_columns(struct ht__statement *statement)
{
    return sqlite3_column_count(own_of(statement));
}

static bool lite_null_at(struct ht__statement *statement, int column)
{
    return sqlite3_column_type(own_of(statement), column) == SQLITE_NULL;
}

static int64_t lite_int_at(struct ht__statement *statement, int column)
{
    return sqlite3_column_int64(own_of(statement), column);
}

static double lite_double_at(struct ht__statement *statement, int column)
{
    return sqlite3_column_double(own_of(statement), column);
}

static const char *lite_text_at(struct ht__statement *statement, int column)
{
    return (const char *)sqlite3_column_text(own_of(statement), column);
}

static const void *lite_blob_at(struct ht__statement *statement, int column)
{
    return sqlite3_column_blob(own_of(statement), column);
}

static size_t lite_size_at(struct ht__statement *statement, int column)
{
    return (size_t)sqlite3_column_bytes(own_of(statement), column);
}

static enum ht_status lite_shape_at(struct ht__statement *statement, int column,
                                    struct ht__room *room, const void **wkb, size_t *wkb_size)
{
    const void *blob = lite_blob_at(statement, column);
    size_t size = lite_size_at(statement, column);
    *wkb = NULL;
    *wkb_size = 0;
    if (size == 0 || blob == NULL) {
        return ht__store_lacks(statement, column, blob) ? HT_NOMEM : HT_OK;
    }
    void *data = room->data;
    enum ht_status status = ht_array_reserve(&data, &room->capacity, size, 1);
    room->data = data;
    if (status == HT_OK) {
        status = ht__blob_to_wkb(blob, size, room->data, wkb_size);
        *wkb = room->data;
    }
    return status;
}

static bool lite_whole_at(struct ht__statement *statement, int column)
{
    const char *text = NULL;
    if (sqlite3_column_type(own_of(statement), column) == SQLITE_INTEGER) {
        return true;
    }
    text = lite_text_at(statement, column);
    return lite_size_at(statement, column) == (text == NULL ? 0 : strlen(text));
}

static void lite_expect(struct ht__statement *statement, uint64_t rows)
{
    (void)statement; /* each row comes when it is stepped to */
    (void)rows;
}

static int64_t lite_changes(struct ht__store_conn *conn)
{
    return sqlite3_changes(conn->db);
}

/* ---- files and connections ---- */

/* "file:PATH?immutable=1": nobody can change it, so there are no locks and no log. */
static int open_immutable(const char *path, sqlite3 **db)
{
    static const char before[] = "file:";
    static const char after[] = "?immutable=1";
    char *uri = malloc(sizeof before + strlen(path) * 3 + sizeof after);
    if (uri == NULL) {
        return SQLITE_NOMEM;
    }
    char *to = stpcpy(uri, before);
    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '%' || *at == '?' || *at == '#') {
            to += sprintf(to, "%%%02x", (unsigned)*at);
        } else {
            *to++ = *at;
        }
    }
    memcpy(to, after, sizeof after);
    int code = sqlite3_open_v2(uri, db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    free(uri);
    return code;
}

static int open_as(const struct ht_store *store, bool writer, sqlite3 **db)
{
    if (store->immutable) {
        return open_immutable(store->path, db);
    }
    int flags = SQLITE_OPEN_NOMUTEX |
                (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(store->path, db, flags, store->log_alone ? "unix-none" : NULL);
    if (code == SQLITE_OK && store->log_alone) {
        code = sqlite3_exec(*db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK && writer && sqlite3_db_readonly(*db, "main") == 1) {
        code = SQLITE_READONLY; /* SQLite itself would tell at the first change */
    }
    return code;
}

static enum ht_status spatial_add(struct ht__store_conn *conn, struct ht_error *error)
{
    const struct ht_late_spatialite *spatialite = ht_late_spatialite();
    if (spatialite == NULL) {
        return ht_error_set(error, HT_UNSUPPORTED, 0, "%.120s: SpatiaLite is not installed",
                            conn->path);
    }
    (void)pthread_mutex_lock(&spatial_lock);
    conn->spatial = spatialite->spatialite_alloc_connection();
    if (conn->spatial != NULL) {
        spatialite->spatialite_init_ex(conn->db, conn->spatial, 0);
    }
    (void)pthread_mutex_unlock(&spatial_lock);
    return conn->spatial == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : HT_OK;
}

static enum ht_status lite_connect(const struct ht_store *store, bool writer,
                                   struct ht__store_conn *conn, struct ht_error *error)
{
    int code = open_as(store, writer, &conn->db);
    enum ht_status status = code == SQLITE_OK ? HT_OK : ht__lite_fail(conn, code, error);
    if (status == HT_OK) {
        (void)sqlite3_extended_result_codes(conn->db, 1);
        (void)sqlite3_busy_timeout(conn->db, HT__STORE_BUSY_MS);
        code = ht__store_functions(conn->db);
        status = code != SQLITE_OK ? ht__lite_fail(conn, code, error) : HT_OK;
    }
    if (status == HT_OK && writer) {
        status = spatial_add(conn, error);
    }
    if (status == HT_OK && writer) {
        /* The log is written back by ht_store_checkpoint; past 64 MB the writer helps.
         * secure_delete: what is erased is overwritten. Little of what was written is read again:
         * a larger cache would only fill up as the day goes on. */
        status = lite_exec(conn,
                           "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                           "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                           "PRAGMA wal_autocheckpoint=16384;" CACHE,
                           error);
    } else if (status == HT_OK) {
        status = lite_exec(conn, "PRAGMA query_only=ON;" CACHE, error);
    }
    return status;
}

static void lite_disconnect(struct ht__store_conn *conn)
{
    if (sqlite3_close(conn->db) == SQLITE_BUSY) {
        /* SpatiaLite's functions leave statements behind where they fail, and with them locks. */
        sqlite3_stmt *left = NULL;
        while ((left = sqlite3_next_stmt(conn->db, NULL)) != NULL) {
            (void)sqlite3_finalize(left);
        }
        (void)sqlite3_close(conn->db);
    }
    conn->db = NULL;
    if (conn->spatial != NULL) {
        (void)pthread_mutex_lock(&spatial_lock);
        ht_late_spatialite()->spatialite_cleanup_ex(conn->spatial);
        (void)pthread_mutex_unlock(&spatial_lock);
        conn->spatial = NULL;
    }
}

static bool is_beside(const struct ht_store *store, const char *suffix)
{
    char name[4096];
    struct stat info;
    (void)snprintf(name, sizeof name, "%s%s", store->path, suffix);
    return stat(name, &info) == 0 && info.st_size > 0;
}

/* Where no index of the log can be made: without a log, the file is taken as it is. A log holds
 * what was committed last, and is never passed over; with its index there, SQLite can use both. */
static void medium_look(struct ht_store *store)
{
    bool log = is_beside(store, "-wal");
    store->immutable = !log;
    store->log_alone = log && !is_beside(store, "-shm");
}

/* SQLite takes a file of less than a page for an empty one and would make a store of it, whatever
 * it was: its beginning must be SQLite's, unless a log or journal beside it brings it back. */
static enum ht_status beginning_look(const struct ht_store *store, int64_t size,
                                     struct ht_error *error)
{
    static const char magic[] = "SQLite format 3";
    unsigned char head[18] = "";
    if (size == 0 || is_beside(store, "-wal") || is_beside(store, "-journal")) {
        return HT_OK;
    }
    int fd = open(store->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return HT_OK; /* SQLite will say why */
    }
    ssize_t got = read(fd, head, sizeof head);
    (void)close(fd);
    if (got < (ssize_t)sizeof head || memcmp(head, magic, sizeof magic) != 0) {
        return ht_error_set(error, HT_FOREIGN, 0, "%.120s: not a houtao store", store->path);
    }
    int64_t page = head[16] << 8 | head[17];
    page = page == 1 ? 65536 : page;
    return size < page || (page > 0 && size % page != 0)
               ? ht_error_set(error, HT_CHECKSUM, 0, "%.120s: was cut short", store->path)
               : HT_OK;
}

/* What stands at the path, before SQLite makes an empty file of a typing error. */
static enum ht_status file_look(struct ht_store *store, enum ht_store_mode mode,
                                struct ht_error *error)
{
    struct stat info;
    if (stat(store->path, &info) != 0) {
        if (errno == ENOENT && mode == HT_STORE_CREATE) {
            return HT_OK;
        }
        char why[128];
        return ht_error_set(error, HT_IO, 0, "%.120s: %s", store->path,
                            strerror_r(errno, why, sizeof why));
    }
    if (!S_ISREG(info.st_mode)) {
        return ht_error_set(error, HT_FOREIGN, 0, "%.120s: not a houtao store", store->path);
    }
    if (mode == HT_STORE_READ_ONLY) {
        char *slash = strrchr(store->path, '/');
        char folder[4096] = ".";
        if (slash != NULL && (size_t)(slash - store->path) < sizeof folder - 1) {
            memcpy(folder, store->path, (size_t)(slash - store->path) + 1);
            folder[slash - store->path + 1] = '\0';
        }
        if (access(folder, W_OK) != 0) {
            medium_look(store);
        }
    }
    return beginning_look(store, info.st_size, error);
}

static enum ht_status writer_open(struct ht_store *store, enum ht_store_mode mode,
                                  struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    enum ht_status status = ht__store_connect(store, true, conn, error);
    if (status == HT_OK) {
        store->writer_open = true;
        status = ht__store_migrate(conn, mode == HT_STORE_CREATE, error);
    }
    return status;
}

static enum ht_status reader_look(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn conn;
    enum ht_status status = ht__store_connect(store, false, &conn, error);
    if (status == HT_OK) {
        status = ht__store_recognize(&conn, error);
        ht__store_disconnect(&conn);
    }
    return status;
}

static enum ht_status lite_open(struct ht_store *store, enum ht_store_mode mode,
                                struct ht_error *error)
{
    enum ht_status status = file_look(store, mode, error);
    if (status == HT_OK) {
        status = store->read_only ? reader_look(store, error) : writer_open(store, mode, error);
    }
    return status;
}

static void lite_close(struct ht_store *store)
{
    (void)store; /* nothing but its connections */
}

static enum ht_status lite_checkpoint(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn conn = {.path = store->path};
    int code =
        sqlite3_open_v2(store->path, &conn.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        /* A connection that has read nothing yet does not know of the log, and would leave it. */
        code = sqlite3_exec(conn.db, "PRAGMA schema_version", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_wal_checkpoint_v2(conn.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    enum ht_status status = code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY
                                ? HT_OK
                                : ht__lite_fail(&conn, code, error);
    (void)sqlite3_close(conn.db);
    return status;
}

/* After SQLite has rolled back by itself: an R-tree in whose midst the disk was full holds on to
 * what it read, and the error stays with the connection, so that the next transaction begins with
 * another one. That one comes before this one goes, or the log's index would go, too, and a full
 * disk has no room for a new one. */
static void writer_renew(struct ht_store *store)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    struct ht__store_conn fresh;
    store->writer_open = ht__store_connect(store, true, &fresh, NULL) == HT_OK;
    ht__store_disconnect(conn);
    if (store->writer_open) {
        *conn = fresh;
    }
}

static void tx_end(struct ht_store_tx *tx, bool committed)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    conn->within = false;
    if (!committed && (sqlite3_get_autocommit(conn->db) != 0 ||
                       sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)) {
        writer_renew(tx->store);
    }
}

/* Where memory is short, one that never was: as if others had written. */
static int64_t data_version(struct ht__store_conn *conn, int64_t before)
{
    static const char sql[] = "PRAGMA data_version";
    struct ht__statement *statement = NULL;
    int64_t version = before < 0 ? before - 1 : -1;
    if (ht__store_prepare(conn, sql, NULL, &statement, NULL) == HT_OK) {
        version = ht__step(statement) == HT__ROW ? ht__int_at(statement, 0) : version;
        ht__reset(statement);
    }
    return version;
}

static enum ht_status lite_begin(struct ht_store *store, struct ht_error *error)
{
    /* IMMEDIATE: the wait for another process is here and not half way */
    struct ht__store_conn *conn = &store->tx.reader.conn;
    enum ht_status status = lite_exec(conn, "BEGIN IMMEDIATE", error);
    if (status != HT_OK && sqlite3_get_autocommit(conn->db) == 0) {
        tx_end(&store->tx, false); /* memory was short at its end: it has begun all the same */
    } else if (status == HT_OK) {
        conn->within = true;
        conn->lost = HT_OK;
        store->tx.others = data_version(conn, store->tx.others);
    }
    return status;
}

static enum ht_status lite_commit(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = lite_exec(&tx->reader.conn, "COMMIT", error);
    tx_end(tx, status == HT_OK);
    return status;
}

static void lite_rollback(struct ht_store_tx *tx)
{
    tx_end(tx, false);
}

static enum ht_status lite_unmark(struct ht_store_tx *tx, bool keep, struct ht_error *error)
{
    enum ht_status status = lite_still_within(&tx->reader.conn, error);
    return status == HT_OK ? lite_exec(&tx->reader.conn,
                                       keep ? "RELEASE one" : "ROLLBACK TO one; RELEASE one", error)
                           : status;
}

/* A statement without an answer, or one of SpatiaLite's functions: they give 1 where they could. */
static enum ht_status exec_for(struct ht_store_tx *tx, const char *sql,
                               const struct ht_collection *collection, struct ht_error *error)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    struct ht__statement *statement = NULL;
    if (!ht__shaped(collection)) {
        return HT_OK;
    }
    enum ht_status status = ht__store_prepare(conn, sql, collection, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    int code = ht__step(statement);
    if (code == HT__ROW && ht__int_at(statement, 0) != 1) {
        status =
            ht_error_set(error, HT_IO, 0, "%.120s: no index of places of %s, the disk may be full",
                         conn->path, collection->name);
    } else if (code != HT__ROW && code != HT__DONE) {
        status = ht__store_fail(conn, code, error);
    }
    ht__reset(statement);
    return status;
}

static enum ht_status lite_bulk_begin(struct ht_store_tx *tx,
                                      const struct ht_collection *collection,
                                      struct ht_error *error)
{
    /* so that few pages are written more than once before all is there; of this connection alone */
    static const char room[] = "PRAGMA cache_size=-393216";
    static const char disable[] = "SELECT DisableSpatialIndex('@_item', 'geometry')";
    static const char drop[] = "DROP TABLE IF EXISTS idx_@_item_geometry";
    enum ht_status status = ht__store_exec(&tx->reader.conn, room, error);
    if (status == HT_OK) {
        status = exec_for(tx, disable, collection, error);
    }
    return status == HT_OK ? exec_for(tx, drop, collection, error) : status;
}

static enum ht_status lite_bulk_end(struct ht_store_tx *tx, const struct ht_collection *collection,
                                    struct ht_error *error)
{
    static const char create[] = "SELECT CreateSpatialIndex('@_item', 'geometry')";
    enum ht_status status = exec_for(tx, create, collection, error);
    return status == HT_OK ? ht__store_exec(&tx->reader.conn, CACHE, error) : status;
}

const struct ht__engine ht__store_lite = {
    .open = lite_open,
    .close = lite_close,
    .connect = lite_connect,
    .disconnect = lite_disconnect,
    .exec = lite_exec,
    .changes = lite_changes,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .unmark = lite_unmark,
    .checkpoint = lite_checkpoint,
    .bulk_begin = lite_bulk_begin,
    .bulk_end = lite_bulk_end,
    .prepare = lite_prepare,
    .finalize = lite_finalize,
    .unbind = lite_unbind,
    .bind_null = lite_bind_null,
    .bind_int = lite_bind_int,
    .bind_double = lite_bind_double,
    .bind_text = lite_bind_text,
    .bind_blob = lite_bind_blob,
    .bind_shape = lite_bind_shape,
    .step = lite_step,
    .reset = lite_reset,
    .columns = lite_columns,
    .null_at = lite_null_at,
    .int_at = lite_int_at,
    .double_at = lite_double_at,
    .text_at = lite_text_at,
    .blob_at = lite_blob_at,
    .size_at = lite_size_at,
    .shape_at = lite_shape_at,
    .whole_at = lite_whole_at,
    .expect = lite_expect,
    .still_within = lite_still_within,
    .fail = ht__lite_fail,
    .backup = ht__lite_backup,
    .items = ht__lite_items,
};
