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

/* A disk, a quota or a limit of the process that has no room: SQLite tells only the first apart,
 * and not where it is the log's index that needs it. What the system said last it does not keep for
 * a commit, so `why` is errno. */
static bool is_full(int code, int why)
{
    return (code & 0xff) == SQLITE_IOERR && (why == ENOSPC || why == EDQUOT || why == EFBIG);
}

enum ht_status ht__store_fail(struct ht__store_conn *conn, int code, struct ht_error *error)
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

enum ht_status ht__store_exec(struct ht__store_conn *conn, const char *sql, struct ht_error *error)
{
    int code = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? HT_OK : ht__store_fail(conn, code, error);
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
        return ht__store_fail(conn, code, error);
    }
    return all ? HT_OK : ht_error_set(error, HT_IO, 0, "%.120s: %.60s failed", conn->path, sql);
}

/* After some errors SQLite rolls all of a transaction back by itself. What is written from then on
 * would stand alone, so nothing is, and the end of the transaction tells of it. */
static enum ht_status still_within(const struct ht__store_conn *conn, struct ht_error *error)
{
    if (!conn->within || sqlite3_get_autocommit(conn->db) == 0) {
        return HT_OK;
    }
    enum ht_status status = conn->lost == HT_OK ? HT_IO : conn->lost;
    return ht_error_set(error, status, 0, "%.120s: %s", conn->path, ht_status_text(status));
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
    enum ht_status status = still_within(conn, error);
    for (unsigned i = 0; status == HT_OK && i < conn->cached_count; i++) {
        if (conn->cached[i].sql == sql && conn->cached[i].collection == collection) {
            *out = conn->cached[i].statement;
            (void)sqlite3_clear_bindings(*out);
            return HT_OK;
        }
    }
    if (status == HT_OK) {
        status = compile(conn, sql, collection, out, error);
    }
    if (status == HT_OK) {
        /* in turn, so that none goes while the one prepared after it is in use */
        unsigned place = conn->cached_count < HT__STORE_STATEMENTS
                             ? conn->cached_count++
                             : conn->cached_next++ % HT__STORE_STATEMENTS;
        if (conn->cached[place].statement != NULL) {
            (void)sqlite3_finalize(conn->cached[place].statement);
        }
        conn->cached[place] = (struct ht__store_cached){sql, collection, *out};
    }
    return status;
}

bool ht__store_lacks(sqlite3_stmt *statement, int column, const void *given)
{
    return given == NULL && sqlite3_column_type(statement, column) != SQLITE_NULL &&
           sqlite3_column_bytes(statement, column) > 0;
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

enum ht_status ht__store_rows(struct ht__store_conn *conn, sqlite3_stmt *statement,
                              enum ht_status (*row)(void *user, sqlite3_stmt *statement),
                              void *user, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    int code = SQLITE_DONE;
    while (status == HT_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        status = row(user, statement);
    }
    if (status == HT_OK && code != SQLITE_DONE) {
        status = ht__store_fail(conn, code, error);
    }
    (void)sqlite3_reset(statement);
    return status == HT_NOMEM ? ht_error_set(error, HT_NOMEM, 0, NULL) : status;
}

enum ht_status ht__store_forget(struct ht_store_tx *tx, const char *sql, int64_t before_ms,
                                struct ht_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        (void)sqlite3_bind_int64(statement, 1, before_ms);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

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

enum ht_status ht__store_connect(const struct ht_store *store, bool writer,
                                 struct ht__store_conn *conn, struct ht_error *error)
{
    memset(conn, 0, sizeof *conn);
    conn->path = store->path;
    int code = open_as(store, writer, &conn->db);
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
        /* A connection that has read nothing yet does not know of the log, and would leave it. */
        code = sqlite3_exec(conn.db, "PRAGMA schema_version", NULL, NULL, NULL);
    }
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
    (void)pthread_mutex_unlock(&tx->store->turn);
}

/* Where memory is short, one that never was: as if others had written. */
static int64_t data_version(struct ht__store_conn *conn, int64_t before)
{
    static const char sql[] = "PRAGMA data_version";
    sqlite3_stmt *statement = NULL;
    int64_t version = before < 0 ? before - 1 : -1;
    if (ht__store_prepare(conn, sql, NULL, &statement, NULL) == HT_OK) {
        version =
            sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : version;
        (void)sqlite3_reset(statement);
    }
    return version;
}

int64_t ht_store_tx_others(const struct ht_store_tx *tx)
{
    return tx->others;
}

enum ht_status ht_store_begin(struct ht_store *store, struct ht_store_tx **out,
                              struct ht_error *error)
{
    if (store->read_only) {
        return ht_error_set(error, HT_READ_ONLY, 0, "%.120s: opened for reading only", store->path);
    }
    (void)pthread_mutex_lock(&store->turn);
    /* IMMEDIATE: the wait for another process is here and not half way */
    struct ht__store_conn *conn = &store->tx.reader.conn;
    enum ht_status status =
        store->writer_open ? HT_OK : ht__store_connect(store, true, conn, error);
    if (status == HT_OK) {
        store->writer_open = true;
        status = ht__store_exec(conn, "BEGIN IMMEDIATE", error);
    }
    if (status != HT_OK && store->writer_open && sqlite3_get_autocommit(conn->db) == 0) {
        tx_end(&store->tx, false); /* memory was short at its end: it has begun all the same */
    } else if (status != HT_OK) {
        (void)pthread_mutex_unlock(&store->turn);
    } else {
        conn->within = true;
        conn->lost = HT_OK;
        store->tx.others = data_version(conn, store->tx.others);
        ht__store_floors_forget(&store->tx);
        *out = &store->tx;
    }
    return status;
}

enum ht_status ht_store_commit(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = still_within(&tx->reader.conn, error);
    if (status == HT_OK) {
        status = ht__store_exec(&tx->reader.conn, "COMMIT", error);
    }
    tx_end(tx, status == HT_OK);
    return status;
}

void ht_store_rollback(struct ht_store_tx *tx)
{
    if (tx != NULL) {
        tx_end(tx, false);
    }
}

enum ht_status ht_store_mark(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = still_within(&tx->reader.conn, error);
    return status == HT_OK ? ht__store_exec(&tx->reader.conn, "SAVEPOINT one", error) : status;
}

enum ht_status ht_store_unmark(struct ht_store_tx *tx, bool keep, struct ht_error *error)
{
    enum ht_status status = still_within(&tx->reader.conn, error);
    if (!keep) {
        ht__store_floors_forget(tx);
    }
    return status == HT_OK
               ? ht__store_exec(&tx->reader.conn,
                                keep ? "RELEASE one" : "ROLLBACK TO one; RELEASE one", error)
               : status;
}

struct ht_store_reader *ht_store_tx_reader(struct ht_store_tx *tx)
{
    return &tx->reader;
}
