#include "geodata/store.h"

#include <stdlib.h>
#include <string.h>

#include "geodata/store_internal.h"

/* ---- which engine ---- */

static bool is_url(const char *path)
{
    return strncmp(path, "postgresql://", 13) == 0 || strncmp(path, "postgres://", 11) == 0;
}

bool ht_store_is_database(const char *path)
{
    return is_url(path);
}

static const struct ht__engine *engine_of(const char *path)
{
    return is_url(path) ? &ht__store_pg : &ht__store_lite;
}

/* Leaves the value of each parameter whose name ends with "password" out. */
static void parameters_copy(const char *from, char *to)
{
    static const char word[] = "password=";
    const char *at = from;
    const char *found = NULL;
    while ((found = strstr(at, word)) != NULL) {
        size_t size = (size_t)(found - at) + sizeof word - 1;
        memcpy(to, at, size);
        to += size;
        at = found + sizeof word - 1;
        at += strcspn(at, "&");
    }
    memcpy(to, at, strlen(at) + 1);
}

char *ht_store_label(const char *path)
{
    char *label = strdup(path);
    if (label == NULL || !is_url(path)) {
        return label;
    }
    const char *host = strstr(path, "://") + 3;
    const char *end = host + strcspn(host, "/?");
    const char *colon = host + strcspn(host, ":@/?");
    const char *at = end;
    while (at > host && *at != '@') { /* the last one: a password may have its own */
        at--;
    }
    size_t size = (size_t)(host - path);
    if (*at == '@' && *colon == ':' && colon < at) {
        memcpy(label, path, (size_t)(colon - path));
        size = (size_t)(colon - path);
        host = at;
    } else {
        memcpy(label, path, size);
    }
    parameters_copy(host, label + size);
    return label;
}

/* ---- stores and connections ---- */

enum ht_status ht__store_connect(const struct ht_store *store, bool writer,
                                 struct ht__store_conn *conn, struct ht_error *error)
{
    memset(conn, 0, sizeof *conn);
    conn->engine = store->engine;
    conn->path = store->label;
    enum ht_status status = store->engine->connect(store, writer, conn, error);
    if (status != HT_OK) {
        ht__store_disconnect(conn);
    }
    return status;
}

void ht__store_disconnect(struct ht__store_conn *conn)
{
    for (unsigned i = 0; i < conn->cached_count; i++) {
        conn->engine->finalize(conn->cached[i].statement);
    }
    conn->cached_count = 0;
    conn->engine->disconnect(conn);
}

enum ht_status ht_store_open(const char *path, const struct ht_store_options *options,
                             struct ht_store **out, struct ht_error *error)
{
    struct ht_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    (void)pthread_mutex_init(&store->turn, NULL);
    store->engine = engine_of(path);
    store->path = strdup(path);
    store->label = ht_store_label(path);
    store->district = strdup(options->district == NULL ? "main" : options->district);
    store->read_only = options->mode == HT_STORE_READ_ONLY;
    store->desk = options->desk;
    store->epoch = 1;
    store->tx.store = store;
    store->tx.reader.store = store;
    enum ht_status status = store->path == NULL || store->label == NULL || store->district == NULL
                                ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                : store->engine->open(store, options->mode, error);
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
    store->engine->close(store);
    (void)pthread_mutex_destroy(&store->turn);
    free(store->path);
    free(store->label);
    free(store->district);
    free(store);
}

const char *ht_store_district(const struct ht_store *store)
{
    return store->district;
}

int64_t ht_store_epoch(const struct ht_store *store)
{
    return store->epoch;
}

bool ht_store_deposed(const struct ht_store *store)
{
    return store->engine->deposed != NULL && store->engine->deposed(store);
}

enum ht_status ht_store_checkpoint(struct ht_store *store, struct ht_error *error)
{
    return store->read_only ? HT_OK : store->engine->checkpoint(store, error);
}

enum ht_status ht_store_backup(const char *path, const char *to, struct ht_error *error)
{
    return engine_of(path)->backup(path, to, error);
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

/* ---- the writer ---- */

int64_t ht_store_tx_others(const struct ht_store_tx *tx)
{
    return tx->others;
}

enum ht_status ht_store_begin(struct ht_store *store, struct ht_store_tx **out,
                              struct ht_error *error)
{
    if (store->read_only) {
        return ht_error_set(error, HT_READ_ONLY, 0, "%.120s: opened for reading only",
                            store->label);
    }
    (void)pthread_mutex_lock(&store->turn);
    struct ht__store_conn *conn = &store->tx.reader.conn;
    enum ht_status status =
        store->writer_open ? HT_OK : ht__store_connect(store, true, conn, error);
    if (status == HT_OK) {
        store->writer_open = true;
        status = store->engine->begin(store, error);
    }
    if (status != HT_OK) {
        (void)pthread_mutex_unlock(&store->turn);
        return status;
    }
    ht__store_floors_forget(&store->tx);
    store->tx.kept = false;
    store->tx.last.seq = -1;
    *out = &store->tx;
    return HT_OK;
}

static enum ht_status still_within(const struct ht__store_conn *conn, struct ht_error *error)
{
    return conn->within ? conn->engine->still_within(conn, error) : HT_OK;
}

enum ht_status ht_store_commit(struct ht_store_tx *tx, struct ht_error *error)
{
    struct ht_store *store = tx->store;
    enum ht_status status = still_within(&tx->reader.conn, error);
    if (status == HT_OK) {
        status = store->engine->commit(tx, error);
    } else {
        store->engine->rollback(tx);
    }
    (void)pthread_mutex_unlock(&store->turn);
    return status;
}

void ht_store_rollback(struct ht_store_tx *tx)
{
    if (tx != NULL) {
        tx->store->engine->rollback(tx);
        (void)pthread_mutex_unlock(&tx->store->turn);
    }
}

enum ht_status ht_store_mark(struct ht_store_tx *tx, struct ht_error *error)
{
    enum ht_status status = still_within(&tx->reader.conn, error);
    const char *sql = tx->kept ? "RELEASE one; SAVEPOINT one" : "SAVEPOINT one";
    tx->kept = false;
    return status == HT_OK ? ht__store_exec(&tx->reader.conn, sql, error) : status;
}

enum ht_status ht_store_unmark(struct ht_store_tx *tx, bool keep, struct ht_error *error)
{
    if (!keep) {
        ht__store_floors_forget(tx);
        tx->last.seq = -1;
    }
    return tx->store->engine->unmark(tx, keep, error);
}

struct ht_store_reader *ht_store_tx_reader(struct ht_store_tx *tx)
{
    return &tx->reader;
}

enum ht_status ht_store_bulk_begin(struct ht_store_tx *tx, const struct ht_collection *collection,
                                   struct ht_error *error)
{
    return tx->store->engine->bulk_begin(tx, collection, error);
}

enum ht_status ht_store_bulk_end(struct ht_store_tx *tx, const struct ht_collection *collection,
                                 struct ht_error *error)
{
    return tx->store->engine->bulk_end(tx, collection, error);
}

/* ---- statements ---- */

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
                              const struct ht_collection *collection, struct ht__statement **out,
                              struct ht_error *error)
{
    char *own = NULL;
    if (collection != NULL) {
        own = sql_expand(sql, collection->name);
        if (own == NULL) {
            return ht_error_set(error, HT_NOMEM, 0, NULL);
        }
    }
    enum ht_status status = conn->engine->prepare(conn, own == NULL ? sql : own, out, error);
    free(own);
    return status;
}

enum ht_status ht__store_prepare(struct ht__store_conn *conn, const char *sql,
                                 const struct ht_collection *collection, struct ht__statement **out,
                                 struct ht_error *error)
{
    enum ht_status status = still_within(conn, error);
    for (unsigned i = 0; status == HT_OK && i < conn->cached_count; i++) {
        if (conn->cached[i].sql == sql && conn->cached[i].collection == collection) {
            *out = conn->cached[i].statement;
            conn->engine->unbind(*out);
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
            conn->engine->finalize(conn->cached[place].statement);
        }
        conn->cached[place] = (struct ht__store_cached){sql, collection, *out};
    }
    return status;
}

bool ht__store_lacks(struct ht__statement *statement, int column, const void *given)
{
    return given == NULL && !ht__null_at(statement, column) && ht__size_at(statement, column) > 0;
}

enum ht_status ht__store_run(struct ht__store_conn *conn, struct ht__statement *statement,
                             struct ht_error *error)
{
    int code = ht__step(statement);
    enum ht_status status =
        code == HT__DONE || code == HT__ROW ? HT_OK : ht__store_fail(conn, code, error);
    ht__reset(statement);
    return status;
}

enum ht_status ht__store_run_new(struct ht__store_conn *conn, struct ht__statement *statement,
                                 const char *what, struct ht_error *error)
{
    enum ht_status status = ht__store_run(conn, statement, error);
    return status == HT_OK && conn->engine->changes(conn) == 0
               ? ht_error_set(error, HT_EXISTS, 0, "%.120s: %.80s is there already", conn->path,
                              what)
               : status;
}

enum ht_status ht__store_rows(struct ht__store_conn *conn, struct ht__statement *statement,
                              enum ht_status (*row)(void *user, struct ht__statement *statement),
                              void *user, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        status = row(user, statement);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(conn, code, error);
    }
    ht__reset(statement);
    return status == HT_NOMEM ? ht_error_set(error, HT_NOMEM, 0, NULL) : status;
}

enum ht_status ht__store_forget(struct ht_store_tx *tx, const char *sql, int64_t before_ms,
                                struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        ht__bind_int(statement, 1, before_ms);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}
