/* The nodes of a record in PostgreSQL. */
#include "geodata/nodes.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "geodata/digest.h"
#include "geodata/pg_internal.h"

enum {
    ID_BYTES = 8,
    PATIENCE_MS = 1500, /* for an answer: one that comes later is no heartbeat */
};

struct ht_nodes {
    struct ht_store store; /* as far as a connection asks for one */
    struct ht__store_conn conn;
    uint64_t session; /* that listens */
    char id[2 * ID_BYTES + 1];
};

/* Twice a second nobody waits for a disk; a question that is not answered soon is no heartbeat. */
static const char own_sql[] = "SET synchronous_commit = off; SET statement_timeout = '2s';"
                              "SET lock_timeout = '2s'; LISTEN houtao";

static const char table_sql[] =
    "CREATE TABLE IF NOT EXISTS houtao_nodes("
    "district text NOT NULL, node text NOT NULL, url text NOT NULL, epoch bigint NOT NULL,"
    " seq bigint NOT NULL, seen timestamptz NOT NULL, PRIMARY KEY(district, node))";

/* Who has the lock of district $1: pg_locks shows its two numbers as oids. */
#define LOCK_IS                                                                                    \
    " l.locktype = 'advisory' AND l.classid = 1213481295 AND l.objsubid = 2 AND l.granted"         \
    " AND l.objid = (hashtext($1::text)::bigint & 4294967295)::oid"                                \
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"

static const char tell_sql[] =
    "WITH own AS (INSERT INTO houtao_nodes(district, node, url, epoch, seq, seen)"
    " VALUES($1::text, $2::text, $3::text, $4::bigint, $5::bigint, clock_timestamp())"
    " ON CONFLICT(district, node) DO UPDATE SET url = excluded.url, epoch = excluded.epoch,"
    " seq = excluded.seq, seen = excluded.seen)"
    " SELECT coalesce(d.epoch, 0), l.pid, n.url,"
    " (extract(epoch FROM clock_timestamp() - n.seen) * 1000)::bigint,"
    " coalesce((SELECT max(seq) FROM events WHERE district = $1::text), 0),"
    " (SELECT count(*) FROM houtao_nodes WHERE district = $1::text"
    " AND seen > clock_timestamp() - interval '10 s')"
    " FROM (SELECT 1) one LEFT JOIN desks d ON d.district = $1::text"
    " LEFT JOIN pg_locks l ON" LOCK_IS
    " LEFT JOIN houtao_nodes n ON n.district = $1::text AND n.epoch = d.epoch"
    " ORDER BY n.seen DESC NULLS LAST LIMIT 1";

static const char oust_sql[] =
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l, desks d, houtao_nodes n"
    " WHERE" LOCK_IS " AND d.district = $1::text AND d.epoch = $2::bigint"
    " AND n.district = $1::text AND n.epoch = d.epoch"
    " AND n.seen < clock_timestamp() - $3::bigint * interval '1 ms'";

static const char leave_sql[] =
    "DELETE FROM houtao_nodes WHERE district = $1::text"
    " AND (node = $2::text OR seen < clock_timestamp() - interval '1 day')";

/* A connection that is new listens before it asks anything, so that nothing falls in between. */
static bool ready(struct ht_nodes *nodes)
{
    struct ht__store_conn *conn = &nodes->conn;
    if (!ht__pg_ready(conn)) {
        return false;
    }
    if (nodes->session != conn->pg->session) {
        PGresult *result = ht__pq()->PQexec(conn->pg->link, own_sql);
        bool good = ht__pg_good(conn, result);
        ht__pq()->PQclear(result);
        nodes->session = good ? conn->pg->session : 0;
        return good;
    }
    return true;
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Whether the answer to what was asked has come in time. */
static bool answer_comes(const struct ht__pg *pg)
{
    const struct ht_late_pq *pq = ht__pq();
    int64_t until_ms = steady_ms() + PATIENCE_MS;
    while (pq->PQisBusy(pg->link) != 0) {
        struct pollfd end = {.fd = pq->PQsocket(pg->link), .events = POLLIN};
        int64_t left = until_ms - steady_ms();
        int ready = left <= 0 ? 0 : poll(&end, 1, (int)left);
        if (ready == 0) {
            return false;
        }
        if (ready > 0 && pq->PQconsumeInput(pg->link) == 0) {
            return true; /* the connection is lost, as the result will say */
        }
    }
    return true;
}

static PGresult *ask(struct ht_nodes *nodes, const char *sql, int count, const char *const *values)
{
    const struct ht_late_pq *pq = ht__pq();
    struct ht__store_conn *conn = &nodes->conn;
    if (!ready(nodes)) {
        return NULL;
    }
    PGresult *result = NULL;
    if (pq->PQsendQueryParams(conn->pg->link, sql, count, NULL, values, NULL, NULL, 0) == 1) {
        if (!answer_comes(conn->pg)) {
            conn->pg->broken = true;
            conn->pg->status = HT_BUSY;
            (void)snprintf(conn->pg->why, sizeof conn->pg->why, "no answer within %d ms",
                           PATIENCE_MS);
            return NULL;
        }
        result = pq->PQgetResult(conn->pg->link);
        for (PGresult *more = result; more != NULL;) { /* the end, or that the connection is */
            more = pq->PQgetResult(conn->pg->link);
            pq->PQclear(more);
        }
    }
    if (!ht__pg_good(conn, result)) {
        ht__pq()->PQclear(result);
        return NULL;
    }
    return result;
}

/* Whether a relation is there; the answer of an error is no. */
static enum ht_status table_look(struct ht_nodes *nodes, const char *name, bool *there,
                                 struct ht_error *error)
{
    const char *values[] = {name};
    PGresult *result = ask(nodes, "SELECT to_regclass($1::text) IS NOT NULL", 1, values);
    *there = result != NULL && ht__pq()->PQgetvalue(result, 0, 0)[0] == 't';
    enum ht_status status = result == NULL ? ht__pg_fail(&nodes->conn, HT__PG_ERROR, error) : HT_OK;
    ht__pq()->PQclear(result);
    return status;
}

/* Two that make it at the same time: one is told that it exists, and looks again. */
static enum ht_status table_make(struct ht_nodes *nodes, struct ht_error *error)
{
    bool there = false;
    enum ht_status status = table_look(nodes, "houtao_store", &there, error);
    if (status == HT_OK && !there) {
        return ht_error_set(error, HT_NOT_FOUND, 0, "%.120s: no store yet", nodes->store.label);
    }
    for (int i = 0; i < 2 && status == HT_OK; i++) {
        status = table_look(nodes, "houtao_nodes", &there, error);
        if (status != HT_OK || there) {
            return status;
        }
        status = ht__pg_exec(&nodes->conn, table_sql, error);
        status = status == HT_EXISTS && i == 0 ? HT_OK : status;
    }
    return status;
}

static enum ht_status id_make(struct ht_nodes *nodes)
{
    unsigned char chance[ID_BYTES];
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    for (size_t i = 0; status == HT_OK && i < sizeof chance; i++) {
        (void)snprintf(nodes->id + 2 * i, 3, "%02x", chance[i]);
    }
    return status;
}

enum ht_status ht_nodes_open(const char *path, const char *district, struct ht_nodes **out,
                             struct ht_error *error)
{
    struct ht_nodes *nodes = NULL;
    if (strncmp(path, "postgres", 8) != 0) {
        return ht_error_set(error, HT_UNSUPPORTED, 0, "a file has one node");
    }
    nodes = calloc(1, sizeof *nodes);
    if (nodes == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    nodes->store.engine = &ht__store_pg;
    nodes->store.path = strdup(path);
    nodes->store.label = ht_store_label(path);
    nodes->store.district = strdup(district == NULL ? "main" : district);
    enum ht_status status =
        nodes->store.path == NULL || nodes->store.label == NULL || nodes->store.district == NULL
            ? HT_NOMEM
            : id_make(nodes);
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else {
        status = ht__store_connect(&nodes->store, true, &nodes->conn, error);
    }
    if (status == HT_OK) {
        status = table_make(nodes, error);
    }
    if (status != HT_OK) {
        ht_nodes_close(nodes);
        return status;
    }
    *out = nodes;
    return HT_OK;
}

void ht_nodes_close(struct ht_nodes *nodes)
{
    if (nodes == NULL) {
        return;
    }
    if (nodes->conn.pg != NULL) {
        const char *values[] = {nodes->store.district, nodes->id};
        if (nodes->session != 0 && !ht__pg_is_lost(nodes->conn.pg)) {
            ht__pq()->PQclear(ask(nodes, leave_sql, 2, values));
        }
        ht__store_disconnect(&nodes->conn);
    }
    free(nodes->store.path);
    free(nodes->store.label);
    free(nodes->store.district);
    free(nodes);
}

static int64_t number_at(const PGresult *row, int column)
{
    return ht__pq()->PQgetisnull(row, 0, column)
               ? 0
               : strtoll(ht__pq()->PQgetvalue(row, 0, column), NULL, 10);
}

enum ht_status ht_nodes_tell(struct ht_nodes *nodes, const struct ht_node_told *told,
                             struct ht_node_view *view, struct ht_error *error)
{
    char epoch[24];
    char seq[24];
    const char *values[] = {nodes->store.district, nodes->id, told->url, epoch, seq};
    (void)snprintf(epoch, sizeof epoch, "%" PRId64, told->epoch);
    (void)snprintf(seq, sizeof seq, "%" PRId64, told->seq);
    PGresult *row = ask(nodes, tell_sql, 5, values);
    if (row == NULL) {
        return ht__pg_fail(&nodes->conn, HT__PG_ERROR, error);
    }
    *view = (struct ht_node_view){.epoch = number_at(row, 0),
                                  .held = !ht__pq()->PQgetisnull(row, 0, 1),
                                  .known = !ht__pq()->PQgetisnull(row, 0, 2),
                                  .silent_ms = number_at(row, 3),
                                  .seq = number_at(row, 4),
                                  .nodes = number_at(row, 5)};
    (void)snprintf(view->url, sizeof view->url, "%s", ht__pq()->PQgetvalue(row, 0, 2));
    ht__pq()->PQclear(row);
    return HT_OK;
}

enum ht_status ht_nodes_oust(struct ht_nodes *nodes, int64_t epoch, int64_t lease_ms,
                             struct ht_error *error)
{
    char when[24];
    char lease[24];
    const char *values[] = {nodes->store.district, when, lease};
    (void)snprintf(when, sizeof when, "%" PRId64, epoch);
    (void)snprintf(lease, sizeof lease, "%" PRId64, lease_ms);
    PGresult *result = ask(nodes, oust_sql, 3, values);
    if (result == NULL) {
        return ht__pg_fail(&nodes->conn, HT__PG_ERROR, error);
    }
    ht__pq()->PQclear(result);
    return HT_OK;
}

/* Whether the server told of commits since the last look. */
static bool told_of(struct ht_nodes *nodes)
{
    bool any = false;
    PGnotify *notice = NULL;
    struct ht__pg *pg = nodes->conn.pg;
    if (ht__pg_is_lost(pg)) {
        return false;
    }
    if (ht__pq()->PQconsumeInput(pg->link) == 0) {
        pg->broken = true;
        return false;
    }
    while ((notice = ht__pq()->PQnotifies(pg->link)) != NULL) {
        any = any || strcmp(notice->extra, nodes->store.district) == 0;
        ht__pq()->PQfreemem(notice);
    }
    return any;
}

bool ht_nodes_wait(struct ht_nodes *nodes, int wake_fd, int ms)
{
    bool lost = ht__pg_is_lost(nodes->conn.pg);
    struct pollfd ends[] = {
        {.fd = wake_fd, .events = POLLIN},
        {.fd = lost ? -1 : ht__pq()->PQsocket(nodes->conn.pg->link), .events = POLLIN}};
    if (told_of(nodes)) { /* they came with the answer to a question */
        return true;
    }
    return poll(ends, 2, ms) > 0 && ends[1].revents != 0 && told_of(nodes);
}
