/* The engine of PostgreSQL with PostGIS: stores, and the one transaction that writes.
 *
 * Who writes holds the one row of houtao_store to the end of the transaction, as SQLite's writer
 * holds its file: others wait for it, and see by its `writer` that somebody else wrote in between.
 *
 * Who decides for a district holds an advisory lock by its session, and the epoch that it began. A
 * lock goes with its connection, so that the epoch is looked at by each transaction, once it has
 * the row: a process that lost the lock without knowing it writes nothing.
 *
 * Where a connection is lost while a commit is under way, nobody knows how that went; the server
 * does, and is asked for the fate of the transaction's number over a new connection. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "geodata/digest.h"
#include "geodata/pg_internal.h"

enum { FATE_TRIES = 40, FATE_WAIT_MS = 250 };

/* ---- stores ---- */

static enum ht_status self_make(struct ht__pg_store *own, struct ht_error *error)
{
    unsigned char chance[16];
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    for (size_t i = 0; i < sizeof chance; i++) {
        (void)snprintf(own->self + 2 * i, 3, "%02x", chance[i]);
    }
    return HT_OK;
}

/* A text within SQL's quotes. */
static void add_quoted(struct ht_text *sql, const char *text)
{
    ht_text_add_char(sql, '\'');
    for (const char *at = text; *at != '\0'; at++) {
        ht_text_add_string(sql, *at == '\'' ? "''" : (const char[]){*at, '\0'});
    }
    ht_text_add_char(sql, '\'');
}

/* The second question sees what others committed while the first one waited. */
static enum ht_status texts_make(struct ht_store *store, struct ht_error *error)
{
    struct ht__pg_store *own = store->own;
    struct ht_text begin = {0};
    struct ht_text desk = {0};
    struct ht_text commit = {0};
    ht_text_add_string(&commit, "NOTIFY houtao, ");
    add_quoted(&commit, store->district);
    ht_text_add_string(&commit, "; COMMIT");
    ht_text_add_string(&begin, "BEGIN ISOLATION LEVEL READ COMMITTED;"
                               "SELECT 1 FROM houtao_store FOR UPDATE;"
                               "SELECT writer, pg_current_xact_id()::text,"
                               " coalesce((SELECT epoch FROM desks WHERE district = ");
    add_quoted(&begin, store->district);
    ht_text_add_string(&begin, "), 1) FROM houtao_store");
    ht_text_add_string(&desk, "INSERT INTO desks(district, epoch) VALUES(");
    add_quoted(&desk, store->district);
    ht_text_add_string(&desk, ", 1 + coalesce((SELECT epoch FROM events WHERE district = ");
    add_quoted(&desk, store->district);
    ht_text_add_string(&desk, " ORDER BY seq DESC LIMIT 1), 0)) ON CONFLICT(district) DO UPDATE"
                              " SET epoch = greatest(desks.epoch + 1, excluded.epoch)"
                              " RETURNING epoch");
    own->begin_sql = begin.data;
    own->desk_sql = desk.data;
    own->commit_sql = commit.data;
    if (begin.failed || desk.failed || commit.failed) { /* close frees them */
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return HT_OK;
}

static enum ht_status desk_take(struct ht_store *store, struct ht_error *error);

static enum ht_status pg_open(struct ht_store *store, enum ht_store_mode mode,
                              struct ht_error *error)
{
    struct ht__store_conn reader;
    struct ht__pg_store *own = calloc(1, sizeof *own);
    if (own == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    store->own = own;
    enum ht_status status = self_make(own, error);
    if (status == HT_OK) {
        status = texts_make(store, error);
    }
    if (status == HT_OK && mode == HT_STORE_READ_ONLY) {
        status = ht__store_connect(store, false, &reader, error);
        if (status == HT_OK) {
            status = ht__pg_recognize(&reader, error);
            ht__store_disconnect(&reader);
        }
    } else if (status == HT_OK) {
        status = ht__store_connect(store, true, &store->tx.reader.conn, error);
        store->writer_open = status == HT_OK;
        if (status == HT_OK) {
            status = ht__pg_migrate(&store->tx.reader.conn, mode == HT_STORE_CREATE, error);
        }
        if (status == HT_OK && store->desk) {
            status = desk_take(store, error);
        }
    }
    return status;
}

static void pg_close(struct ht_store *store)
{
    struct ht__pg_store *own = store->own;
    if (own != NULL) {
        free(own->begin_sql);
        free(own->desk_sql);
        free(own->commit_sql);
    }
    free(own);
}

static bool pg_deposed(const struct ht_store *store)
{
    struct ht__pg_store *own = store->own;
    return atomic_load(&own->deposed) || atomic_load(&own->torn);
}

static enum ht_status pg_checkpoint(struct ht_store *store, struct ht_error *error)
{
    (void)store; /* PostgreSQL writes its log back by itself */
    (void)error;
    return HT_OK;
}

static enum ht_status pg_backup(const char *path, const char *to, struct ht_error *error)
{
    char *label = ht_store_label(path);
    (void)to;
    enum ht_status status =
        ht_error_set(error, HT_UNSUPPORTED, 0,
                     "%.90s: pg_dump makes a copy of a database that is in use; copy-store makes "
                     "a file of it",
                     label == NULL ? "" : label);
    free(label);
    return status;
}

/* ---- how a commit went that was not answered ---- */

static void rest(void)
{
    const struct timespec pause = {.tv_nsec = FATE_WAIT_MS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

enum fate { FATE_UNKNOWN, FATE_COMMITTED, FATE_ABORTED };

/* Asks the server, which may just be coming up again, for what became of a transaction. */
static enum fate fate_learn(struct ht__store_conn *conn, const char *xid, int tries)
{
    char sql[96];
    enum fate fate = FATE_UNKNOWN;
    (void)snprintf(sql, sizeof sql, "SELECT pg_xact_status('%s'::xid8)", xid);
    for (int i = 0; i < tries && fate == FATE_UNKNOWN; i++) {
        PGresult *result = ht__pg_ask(conn, sql, true);
        if (result != NULL && ht__pq()->PQntuples(result) == 1) {
            const char *word = ht__pq()->PQgetvalue(result, 0, 0);
            fate = strcmp(word, "committed") == 0 ? FATE_COMMITTED
                   : strcmp(word, "aborted") == 0 ? FATE_ABORTED
                                                  : FATE_UNKNOWN; /* in progress; or forgotten */
        }
        ht__pq()->PQclear(result);
        if (fate == FATE_UNKNOWN && i + 1 < tries) {
            rest();
        }
    }
    return fate;
}

/* One that was told of as failed and was committed all the same: what is in memory is behind what
 * is written, and nothing more may be built on it. */
static enum ht_status torn_look(struct ht_store *store, struct ht_error *error)
{
    struct ht__pg_store *own = store->own;
    if (own->unknown[0] != '\0') {
        enum fate fate = fate_learn(&store->tx.reader.conn, own->unknown, 1);
        if (fate == FATE_UNKNOWN) {
            return ht_error_set(error, HT_IO, 0, "%.90s: how the last commit went is not known yet",
                                store->label);
        }
        own->unknown[0] = '\0';
        own->torn = fate == FATE_COMMITTED;
    }
    return own->torn ? ht_error_set(error, HT_IO, 0,
                                    "%.90s: a commit that was told of as failed was kept; start "
                                    "again to go on from it",
                                    store->label)
                     : HT_OK;
}

/* ---- the desk ---- */

/* The lock of this session; a session that is new has none. */
static enum ht_status desk_lock(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    struct ht__pg_store *own = store->own;
    struct ht_text sql = {0};
    if (own->locked == conn->pg->session) {
        return HT_OK;
    }
    /* it waits as long as lock_timeout says: a session of our own may just be ending */
    ht_text_add_string(&sql, "SELECT pg_advisory_lock(1213481295, hashtext(");
    add_quoted(&sql, store->district);
    ht_text_add_string(&sql, "))");
    enum ht_status status = sql.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                       : ht__pg_exec(conn, ht_text_string(&sql), error);
    ht_text_deinit(&sql);
    if (status == HT_OK) {
        own->locked = conn->pg->session;
    }
    return status == HT_BUSY
               ? ht_error_set(error, HT_BUSY, 0, "%.90s: another houtao decides for %.32s",
                              store->label, store->district)
               : status;
}

/* ---- the writer ---- */

/* Takes the row, and notes who wrote before. */
static enum ht_status row_take(struct ht_store *store, int64_t *epoch, struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    struct ht__pg_store *own = store->own;
    PGresult *result = ht__pg_ask(conn, own->begin_sql, true);
    if (result == NULL) {
        return ht__pg_fail(conn, HT__PG_ERROR, error);
    }
    bool there = ht__pq()->PQntuples(result) == 1;
    bool other = there && strcmp(ht__pq()->PQgetvalue(result, 0, 0), own->self) != 0;
    (void)snprintf(own->xid, sizeof own->xid, "%s",
                   there ? ht__pq()->PQgetvalue(result, 0, 1) : "");
    *epoch = there ? strtoll(ht__pq()->PQgetvalue(result, 0, 2), NULL, 10) : 0;
    ht__pq()->PQclear(result);
    if (!there) {
        return ht_error_set(error, HT_FOREIGN, 0, "%.120s: not a houtao store", store->label);
    }
    if (other) {
        char note[96];
        store->tx.others++;
        (void)snprintf(note, sizeof note, "UPDATE houtao_store SET writer = '%s'", own->self);
        return ht__pg_exec(conn, note, error);
    }
    return HT_OK;
}

static void pg_rollback(struct ht_store_tx *tx)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    conn->within = true; /* a connection that is gone has rolled back: none is made for it */
    ht__pq()->PQclear(ht__pg_ask(conn, "ROLLBACK", false));
    conn->within = false;
}

/* The lock again where the session is a new one, and whether nobody had the desk since. */
static enum ht_status desk_look(struct ht_store *store, int64_t epoch, struct ht_error *error)
{
    struct ht__pg_store *own = store->own;
    if (!store->desk) {
        store->epoch = epoch;
        return HT_OK;
    }
    own->deposed = own->deposed || epoch != store->epoch;
    if (own->deposed) {
        return ht_error_set(error, HT_BUSY, 0,
                            "%.90s: another houtao has taken over %.32s; start again", store->label,
                            store->district);
    }
    return desk_lock(store, error);
}

static enum ht_status pg_begin(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    int64_t epoch = 0;
    enum ht_status status = torn_look(store, error);
    if (status != HT_OK) {
        return status;
    }
    status = row_take(store, &epoch, error);
    if (status == HT_OK) {
        status = desk_look(store, epoch, error);
    }
    if (status != HT_OK) {
        pg_rollback(&store->tx);
        return status;
    }
    conn->within = true;
    conn->lost = HT_OK;
    return HT_OK;
}

static enum ht_status desk_take(struct ht_store *store, struct ht_error *error)
{
    struct ht__store_conn *conn = &store->tx.reader.conn;
    PGresult *result = NULL;
    int64_t epoch = 0;
    enum ht_status status = desk_lock(store, error); /* before the row, for which others wait */
    if (status != HT_OK) {
        return status;
    }
    status = row_take(store, &epoch, error);
    if (status == HT_OK) {
        const struct ht__pg_store *own = store->own;
        result = ht__pg_ask(conn, own->desk_sql, false);
        status = result == NULL ? ht__pg_fail(conn, HT__PG_ERROR, error) : HT_OK;
    }
    if (status == HT_OK) {
        store->epoch = strtoll(ht__pq()->PQgetvalue(result, 0, 0), NULL, 10);
        status = ht__pg_exec(conn, "COMMIT", error);
    } else {
        pg_rollback(&store->tx);
    }
    ht__pq()->PQclear(result);
    return status;
}

static enum ht_status pg_commit(struct ht_store_tx *tx, struct ht_error *error)
{
    const struct ht_late_pq *pq = ht__pq();
    struct ht__store_conn *conn = &tx->reader.conn;
    struct ht__pg_store *own = tx->store->own;
    PGresult *result = ht__pg_ask(conn, own->commit_sql, false);
    bool done = result != NULL && strcmp(pq->PQcmdStatus(result), "COMMIT") == 0;
    bool lost = result == NULL && ht__pg_is_lost(conn->pg);
    pq->PQclear(result);
    conn->within = false;
    if (done) {
        return HT_OK;
    }
    enum ht_status status = ht__pg_fail(conn, HT__PG_ERROR, error);
    if (!lost) { /* what comes before COMMIT may have failed */
        ht__pq()->PQclear(ht__pg_ask(conn, "ROLLBACK", false));
    } else {
        enum fate fate = fate_learn(conn, own->xid, FATE_TRIES);
        if (fate == FATE_COMMITTED) {
            return HT_OK;
        }
        if (fate == FATE_UNKNOWN) {
            (void)snprintf(own->unknown, sizeof own->unknown, "%s", own->xid);
        }
    }
    return status == HT_OK ? ht_error_set(error, HT_IO, 0, NULL) : status;
}

/* Also takes back what an error ended, up to the mark. */
static enum ht_status pg_unmark(struct ht_store_tx *tx, bool keep, struct ht_error *error)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    if (keep) {
        enum ht_status status = ht__pg_still_within(conn, error);
        tx->kept = status == HT_OK; /* a way to the server and back less */
        return status;
    }
    enum ht_status before = conn->lost;
    conn->lost = HT_OK;
    enum ht_status status = ht__pg_exec(conn, "ROLLBACK TO one; RELEASE one", error);
    if (status != HT_OK && before != HT_OK) {
        conn->lost = before;
    }
    return status;
}

static int64_t pg_changes(struct ht__store_conn *conn)
{
    return conn->pg->changes;
}

/* Its index of places is kept up as items come: to make it anew would make readers wait. */
static enum ht_status pg_bulk(struct ht_store_tx *tx, const struct ht_collection *collection,
                              struct ht_error *error)
{
    (void)collection;
    return ht__pg_still_within(&tx->reader.conn, error);
}

const struct ht__engine ht__store_pg = {
    .open = pg_open,
    .close = pg_close,
    .connect = ht__pg_connect,
    .disconnect = ht__pg_disconnect,
    .fail = ht__pg_fail,
    .still_within = ht__pg_still_within,
    .exec = ht__pg_exec,
    .changes = pg_changes,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .unmark = pg_unmark,
    .deposed = pg_deposed,
    .checkpoint = pg_checkpoint,
    .backup = pg_backup,
    .bulk_begin = pg_bulk,
    .bulk_end = pg_bulk,
    .items = ht__pg_items,
    .prepare = ht__pg_prepare,
    .finalize = ht__pg_finalize,
    .unbind = ht__pg_unbind,
    .bind_null = ht__pg_bind_null,
    .bind_int = ht__pg_bind_int,
    .bind_double = ht__pg_bind_double,
    .bind_text = ht__pg_bind_text,
    .bind_blob = ht__pg_bind_blob,
    .bind_shape = ht__pg_bind_shape,
    .step = ht__pg_step,
    .reset = ht__pg_reset,
    .columns = ht__pg_columns,
    .null_at = ht__pg_null_at,
    .int_at = ht__pg_int_at,
    .double_at = ht__pg_double_at,
    .text_at = ht__pg_text_at,
    .blob_at = ht__pg_blob_at,
    .size_at = ht__pg_size_at,
    .shape_at = ht__pg_shape_at,
    .whole_at = ht__pg_whole_at,
    .expect = ht__pg_expect,
};
