#include "geodata/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "geodata/late.h"
#include "geodata/store_internal.h"

enum { BUSY_MS = 5000 }; /* how long another process' write is waited for */

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

enum ht_status ht__store_fail(struct ht__store_conn *conn, int code, struct ht_error *error)
{
    enum ht_status status = status_of(code);
    const char *words = status == HT_FOREIGN ? "not a houtao store"
                        : conn->db == NULL   ? sqlite3_errstr(code)
                                             : sqlite3_errmsg(conn->db);
    return ht_error_set(error, status, 0, "%.120s: %.100s", conn->path, words);
}

enum ht_status ht__store_exec(struct ht__store_conn *conn, const char *sql, struct ht_error *error)
{
    int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? HT_OK : ht__store_fail(conn, code, error);
}

/* Puts the collection's name in place of each `@`. */
static char *sql_expand(const char *sql, const char *name)
{
    size_t size = 1;
    for (const char *at = sql; *at != '\0'; at++) {
        size += *at == '@' ? strlen(name) : 1;
    }
    char *text = malloc(size);
    char *to = text;
    for (const char *at = sql; text != NULL && *at != '\0'; at++) {
        if (*at == '@') {
            to = stpcpy(to, name);
        } else {
            *to++ = *at;
        }
    }
    if (text != NULL) {
        *to = '\0';
    }
    return text;
}

static enum ht_status compile(struct ht__store_conn *conn, const char *sql,
                              const struct ht_collection *collection, sqlite3_stmt **out,
                              struct ht_error *error)
{
    char *own = NULL;
    if (collection != NULL) {
        own = sql_expand(sql, collection->name);
        if (own == NULL) {
            return ht_error_set(error, HT_NOMEM, 0, NULL);
        }
    }
    int code = sqlite3_prepare_v3(conn->db, own == NULL ? sql : own, -1, SQLITE_PREPARE_PERSISTENT,
                                  out, NULL);
    free(own);
    return code == SQLITE_OK ? HT_OK : ht__store_fail(conn, code, error);
}

enum ht_status ht__store_prepare(struct ht__store_conn *conn, const char *sql,
                                 const struct ht_collection *collection, sqlite3_stmt **out,
                                 struct ht_error *error)
{
    for (unsigned i = 0; i < conn->cached_count; i++) {
        if (conn->cached[i].sql == sql && conn->cached[i].collection == collection) {
            *out = conn->cached[i].statement;
            (void)sqlite3_clear_bindings(*out);
            return HT_OK;
        }
    }
    enum ht_status status = compile(conn, sql, collection, out, error);
    if (status == HT_OK) {
        unsigned place = conn->cached_count < HT__STORE_STATEMENTS ? conn->cached_count++ : 0;
        if (conn->cached[place].statement != NULL) {
            (void)sqlite3_finalize(conn->cached[place].statement);
        }
        conn->cached[place] = (struct ht__store_cached){sql, collection, *out};
    }
    return status;
}

enum ht_status ht__store_run(struct ht__store_conn *conn, sqlite3_stmt *statement,
                             struct ht_error *error)
{
    int code = sqlite3_step(statement);
    enum ht_status status =
        code == SQLITE_DONE || code == SQLITE_ROW ? HT_OK : ht__store_fail(conn, code, error);
    (void)sqlite3_reset(statement);
    return status;
}

/* "file:PATH?immutable=1": nobody can change it, so there are no locks and no log. */
static int open_immutable(const char *path, sqlite3 **db)
{
    char *uri = sqlite3_mprintf("file:%s?immutable=1", path);
    int code =
        uri == NULL
            ? SQLITE_NOMEM
            : sqlite3_open_v2(uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                              NULL);
    sqlite3_free(uri);
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

enum ht_status ht__store_connect(const struct ht_store *store, bool writer,
                                 struct ht__store_conn *conn, struct ht_error *error)
{
    memset(conn, 0, sizeof *conn);
    conn->path = store->path;
    int flags = SQLITE_OPEN_NOMUTEX |
                (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int code = store->immutable ? open_immutable(store->path, &conn->db)
                                : sqlite3_open_v2(store->path, &conn->db, flags, NULL);
    enum ht_status status = code == SQLITE_OK ? HT_OK : ht__store_fail(conn, code, error);
    if (status == HT_OK) {
        (void)sqlite3_extended_result_codes(conn->db, 1);
        (void)sqlite3_busy_timeout(conn->db, BUSY_MS);
        code = ht__store_functions(conn->db);
        status = code != SQLITE_OK ? ht__store_fail(conn, code, error) : HT_OK;
    }
    if (status == HT_OK && writer) {
        status = spatial_add(conn, error);
    }
    if (status == HT_OK && writer) {
        /* The log is written back by ht_store_checkpoint; past 64 MB the writer helps.
         * secure_delete: what is erased is overwritten. */
        status = ht__store_exec(conn,
                                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                                "PRAGMA wal_autocheckpoint=16384; PRAGMA cache_size=-65536;",
                                error);
    } else if (status == HT_OK) {
        status = ht__store_exec(conn, "PRAGMA query_only=ON; PRAGMA cache_size=-16384;", error);
    }
    if (status != HT_OK) {
        ht__store_disconnect(conn);
    }
    return status;
}

void ht__store_disconnect(struct ht__store_conn *conn)
{
    for (unsigned i = 0; i < conn->cached_count; i++) {
        (void)sqlite3_finalize(conn->cached[i].statement);
    }
    conn->cached_count = 0;
    (void)sqlite3_close(conn->db);
    conn->db = NULL;
    if (conn->spatial != NULL) {
        (void)pthread_mutex_lock(&spatial_lock);
        ht_late_spatialite()->spatialite_cleanup_ex(conn->spatial);
        (void)pthread_mutex_unlock(&spatial_lock);
        conn->spatial = NULL;
    }
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
        /* Without a place for the log's index next to it, the file must be taken as it is. */
        char *slash = strrchr(store->path, '/');
        char folder[4096] = ".";
        if (slash != NULL && (size_t)(slash - store->path) < sizeof folder - 1) {
            memcpy(folder, store->path, (size_t)(slash - store->path) + 1);
            folder[slash - store->path + 1] = '\0';
        }
        store->immutable = access(folder, W_OK) != 0;
    }
    return HT_OK;
}

static enum ht_status writer_open(struct ht_store *store, enum ht_store_mode mode,
                                  struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    enum ht_status status = ht__store_connect(store, true, conn, error);
    if (status == HT_OK) {
        status = ht__store_migrate(conn, mode == HT_STORE_CREATE, error);
        store->writer_open = true;
    }
    store->tx.store = store;
    store->tx.reader.store = store;
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

enum ht_status ht_store_open(const char *path, const struct ht_store_options *options,
                             struct ht_store **out, struct ht_error *error)
{
    struct ht_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)pthread_mutex_init(&store->turn, NULL);
    store->path = strdup(path);
    store->district = strdup(options->district == NULL ? "main" : options->district);
    store->read_only = options->mode == HT_STORE_READ_ONLY;
    enum ht_status status = store->path == NULL || store->district == NULL
                                ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                : file_look(store, options->mode, error);
    if (status == HT_OK) {
        status =
            store->read_only ? reader_look(store, error) : writer_open(store, options->mode, error);
    }
    if (status != HT_OK) {
        ht_store_close(store);
        return status;
    }
    *out = store;
    return HT_OK;
}

void ht_store_close(struct ht_store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->writer_open) {
        ht__store_disconnect(&store->tx.reader.conn);
    }
    (void)pthread_mutex_destroy(&store->turn);
    free(store->path);
    free(store->district);
    free(store);
}

enum ht_status ht_store_checkpoint(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn conn = {.path = store->path};
    if (store->read_only) {
        return HT_OK;
    }
    int code =
        sqlite3_open_v2(store->path, &conn.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_wal_checkpoint_v2(conn.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    enum ht_status status = code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY
                                ? HT_OK
                                : ht__store_fail(&conn, code, error);
    (void)sqlite3_close(conn.db);
    return status;
}

enum ht_status ht_store_reader_new(struct ht_store *store, struct ht_store_reader **out,
                                   struct ht_error *error)
{
    struct ht_store_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    reader->store = store;
    enum ht_status status = ht__store_connect(store, false, &reader->conn, error);
    if (status != HT_OK) {
        free(reader);
        return status;
    }
    *out = reader;
    return HT_OK;
}

void ht_store_reader_free(struct ht_store_reader *reader)
{
    if (reader != NULL) {
        ht__store_disconnect(&reader->conn);
        free(reader);
    }
}

enum ht_status ht_store_begin(struct ht_store *store, struct ht_store_tx **out,
                              struct ht_error *error)
{
    if (store->read_only) {
        return ht_error_set(error, HT_READ_ONLY, 0, "%.120s: opened for reading only", store->path);
    }
    (void)pthread_mutex_lock(&store->turn);
    /* IMMEDIATE: the wait for another process is here and not half way */
    enum ht_status status = ht__store_exec(&store->tx.reader.conn, "BEGIN IMMEDIATE", error);
    if (status != HT_OK) {
        (void)pthread_mutex_unlock(&store->turn);
        return status;
    }
    *out = &store->tx;
    return HT_OK;
}

enum ht_status ht_store_commit(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = ht__store_exec(&tx->reader.conn, "COMMIT", error);
    if (status != HT_OK && sqlite3_get_autocommit(tx->reader.conn.db) == 0) {
        (void)sqlite3_exec(tx->reader.conn.db, "ROLLBACK", NULL, NULL, NULL);
    }
    (void)pthread_mutex_unlock(&tx->store->turn);
    return status;
}

void ht_store_rollback(struct ht_store_tx *tx)
{
    if (tx != NULL) {
        if (sqlite3_get_autocommit(tx->reader.conn.db) == 0) {
            (void)sqlite3_exec(tx->reader.conn.db, "ROLLBACK", NULL, NULL, NULL);
        }
        (void)pthread_mutex_unlock(&tx->store->turn);
    }
}

enum ht_status ht_store_mark(struct ht_store_tx *tx, struct ht_error *error)
{
    return ht__store_exec(&tx->reader.conn, "SAVEPOINT one", error);
}

enum ht_status ht_store_unmark(struct ht_store_tx *tx, bool keep, struct ht_error *error)
{
    /* A full disk makes SQLite roll back all of it: then there is no mark to return to. */
    return ht__store_exec(&tx->reader.conn, keep ? "RELEASE one" : "ROLLBACK TO one; RELEASE one",
                          error);
}

struct ht_store_reader *ht_store_tx_reader(struct ht_store_tx *tx)
{
    return &tx->reader;
}
