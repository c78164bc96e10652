/* Connections to PostgreSQL: made, lost and made again, and what went wrong on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "geodata/pg_internal.h"

enum { AGAIN_MS = 1000 }; /* after a connection could not be made, before it is tried again */

/* What each session is told. A commit is on the server's disk when it is answered, whatever the
 * server's own habit; readers write nothing. */
static const char session_sql[] =
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;"
    "SET client_min_messages = warning; SET lock_timeout = '5s'; SET jit = off;"
    "SET idle_in_transaction_session_timeout = 0;"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'";
static const char reader_sql[] = "SET default_transaction_read_only = on";

/* SQLSTATE, as PostgreSQL's manual lists it (appendix A): whole codes first, then classes. */
static enum ht_status status_of(const char *state)
{
    static const struct {
        const char *state;
        enum ht_status status;
    } known[] = {
        {"23505", HT_EXISTS},      {"42501", HT_READ_ONLY}, {"25006", HT_READ_ONLY},
        {"53100", HT_FULL},        {"53200", HT_BUSY},      {"53300", HT_BUSY},
        {"55P03", HT_BUSY},        {"57014", HT_BUSY},      {"57P03", HT_BUSY},
        {"0A000", HT_UNSUPPORTED}, {"XX001", HT_CHECKSUM},  {"XX002", HT_CHECKSUM},
        {"40", HT_BUSY},           {"22", HT_INVALID},
    };
    for (size_t i = 0; state != NULL && i < sizeof known / sizeof *known; i++) {
        if (strncmp(state, known[i].state, strlen(known[i].state)) == 0) {
            return known[i].status;
        }
    }
    return HT_IO;
}

static void why_set(struct ht__pg *pg, enum ht_status status, const char *words)
{
    size_t size = strcspn(words, "\n");
    pg->status = status;
    (void)snprintf(pg->why, sizeof pg->why, "%.*s", (int)(size < 150 ? size : 150), words);
}

bool ht__pg_is_lost(const struct ht__pg *pg)
{
    return pg->link == NULL || pg->broken || ht__pq()->PQstatus(pg->link) != CONNECTION_OK;
}

/* An error that the server did not send, or its last one: that it ends the session. */
static bool is_last(const char *state)
{
    return state == NULL || strncmp(state, "57P0", 4) == 0 || strncmp(state, "08", 2) == 0;
}

bool ht__pg_good(struct ht__store_conn *conn, const PGresult *result)
{
    const struct ht_late_pq *pq = ht__pq();
    struct ht__pg *pg = conn->pg;
    if (result != NULL) {
        ExecStatusType kind = pq->PQresultStatus(result);
        if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK || kind == PGRES_EMPTY_QUERY) {
            return true;
        }
    }
    const char *state = result == NULL ? NULL : pq->PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words =
        result == NULL ? NULL : pq->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (words == NULL) {
        words = result == NULL ? pq->PQerrorMessage(pg->link) : pq->PQresultErrorMessage(result);
    }
    why_set(pg, status_of(state), words);
    pg->broken = pg->broken || is_last(state);
    if (conn->within && conn->lost == HT_OK) {
        conn->lost = pg->status;
    }
    return false;
}

static void notice_drop(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static bool session_begin(struct ht__store_conn *conn, const char *sql)
{
    PGresult *result = ht__pq()->PQexec(conn->pg->link, sql);
    bool good = ht__pg_good(conn, result);
    ht__pq()->PQclear(result);
    return good;
}

static bool link_open(struct ht__store_conn *conn)
{
    /* what the URL says goes before these; a peer that fell silent is given up in four seconds */
    static const char *const names[] = {
        "fallback_application_name", "connect_timeout",  "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval",       "keepalives_count", "dbname",           NULL};
    const struct ht_late_pq *pq = ht__pq();
    struct ht__pg *pg = conn->pg;
    const char *values[] = {"houtao", "3", "4000", "10", "5", "3", pg->store->path, NULL};
    pg->link = pq->PQconnectdbParams(names, values, 1);
    pg->session++;
    pg->broken = false;
    if (ht__pg_is_lost(pg)) {
        why_set(pg, pg->link == NULL ? HT_NOMEM : HT_IO,
                pg->link == NULL ? "out of memory" : pq->PQerrorMessage(pg->link));
        return false;
    }
    (void)pq->PQsetNoticeProcessor(pg->link, notice_drop, NULL);
    int version = pq->PQserverVersion(pg->link);
    if (version < HT__PG_OLDEST) {
        (void)snprintf(pg->why, sizeof pg->why,
                       "is PostgreSQL %d; 13 is the oldest that houtao knows", version / 10000);
        pg->status = HT_VERSION;
        return false;
    }
    return session_begin(conn, session_sql) && (pg->writer || session_begin(conn, reader_sql));
}

static void link_close(struct ht__pg *pg)
{
    if (pg->link != NULL) {
        ht__pq()->PQfinish(pg->link);
        pg->link = NULL;
    }
}

enum ht_status ht__pg_connect(const struct ht_store *store, bool writer,
                              struct ht__store_conn *conn, struct ht_error *error)
{
    if (ht__pq() == NULL) {
        return ht_error_set(error, HT_UNSUPPORTED, 0, "%.120s: libpq is not installed",
                            store->label);
    }
    conn->pg = calloc(1, sizeof *conn->pg);
    if (conn->pg == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    conn->pg->store = store;
    conn->pg->writer = writer;
    return link_open(conn) ? HT_OK : ht__pg_fail(conn, HT__PG_ERROR, error);
}

void ht__pg_disconnect(struct ht__store_conn *conn)
{
    if (conn->pg != NULL) {
        link_close(conn->pg);
        free(conn->pg);
        conn->pg = NULL;
    }
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool ht__pg_ready(struct ht__store_conn *conn)
{
    struct ht__pg *pg = conn->pg;
    if (!ht__pg_is_lost(pg)) {
        return true;
    }
    if (conn->within || pg->cursors > 0) {
        return false; /* what was under way is gone with it */
    }
    if (pg->tried_ms != 0 && steady_ms() - pg->tried_ms < AGAIN_MS) {
        return false; /* callers are not made to wait one after the other */
    }
    link_close(pg);
    bool made = link_open(conn);
    pg->tried_ms = made ? 0 : steady_ms();
    if (!made) {
        link_close(pg);
    }
    return made;
}

PGresult *ht__pg_ask(struct ht__store_conn *conn, const char *sql, bool again)
{
    const struct ht_late_pq *pq = ht__pq();
    for (int i = 0; i < 2; i++) {
        if (!ht__pg_ready(conn)) {
            return NULL;
        }
        PGresult *result = pq->PQexec(conn->pg->link, sql);
        if (ht__pg_good(conn, result)) {
            return result;
        }
        pq->PQclear(result);
        if (!again || conn->within || !ht__pg_is_lost(conn->pg)) {
            return NULL;
        }
    }
    return NULL;
}

enum ht_status ht__pg_fail(struct ht__store_conn *conn, int code, struct ht_error *error)
{
    (void)code;
    return ht_error_set(error, conn->pg->status, 0, "%.90s: %.150s", conn->path, conn->pg->why);
}

enum ht_status ht__pg_exec(struct ht__store_conn *conn, const char *sql, struct ht_error *error)
{
    PGresult *result = ht__pg_ask(conn, sql, false);
    if (result == NULL) {
        return ht__pg_fail(conn, HT__PG_ERROR, error);
    }
    ht__pq()->PQclear(result);
    return HT_OK;
}

enum ht_status ht__pg_still_within(const struct ht__store_conn *conn, struct ht_error *error)
{
    PGTransactionStatusType state =
        conn->pg->link == NULL ? PQTRANS_UNKNOWN : ht__pq()->PQtransactionStatus(conn->pg->link);
    if (state == PQTRANS_INTRANS && conn->lost == HT_OK) {
        return HT_OK;
    }
    enum ht_status status = conn->lost == HT_OK ? HT_IO : conn->lost;
    return ht_error_set(error, status, 0, "%.120s: %s", conn->path,
                        conn->pg->why[0] != '\0' ? conn->pg->why : ht_status_text(status));
}
