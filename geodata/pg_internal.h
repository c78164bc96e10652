/* What the rooms of the PostgreSQL engine share. Not a door. */
#ifndef HT_GEODATA_PG_INTERNAL_H
#define HT_GEODATA_PG_INTERNAL_H

#include <stdatomic.h>

#include "engine/base/text.h"
#include "geodata/late.h"
#include "geodata/store_internal.h"

enum {
    HT__PG_OLDEST = 130000, /* PostgreSQL 13: pg_current_xact_id */
    HT__PG_ERROR = 1,       /* of a step; ht__pg has the words */
    HT__PG_WHY = 160,
};

/* What a connection has beside its statements. */
struct ht__pg {
    const struct ht_store *store;
    PGconn *link;
    bool writer;
    bool broken;      /* libpq said so of the link, though its status may be that of a good one */
    bool own;         /* a transaction of ours around cursors of a reader */
    unsigned cursors; /* that are open */
    uint64_t session; /* another one with each connection: what was prepared before is gone */
    uint64_t names;   /* that were given to statements and cursors */
    int64_t changes;  /* rows of the last statement */
    int64_t tried_ms; /* when a lost connection could not be made again; 0: it could */
    enum ht_status status;
    char why[HT__PG_WHY];
};

/* What a store has. */
struct ht__pg_store {
    char *begin_sql;     /* as this district begins a transaction */
    char *desk_sql;      /* and takes its desk */
    char *commit_sql;    /* and commits, which other nodes hear of */
    uint64_t locked;     /* the session that holds the desk's lock */
    char self[33];       /* tells this writer from others */
    char xid[24];        /* of the transaction that has begun */
    char unknown[24];    /* of one whose end could not be learned; "" none */
    atomic_bool torn;    /* such a one was committed, though it was told of as failed */
    atomic_bool deposed; /* another process has the desk */
};

static inline const struct ht_late_pq *ht__pq(void)
{
    return ht_late_pq();
}

/* ---- pg_link.c ---- */

HT_MUST_CHECK enum ht_status ht__pg_connect(const struct ht_store *store, bool writer,
                                            struct ht__store_conn *conn, struct ht_error *error);
void ht__pg_disconnect(struct ht__store_conn *conn);
bool ht__pg_is_lost(const struct ht__pg *pg);
/* Whether there is a connection; one that was lost outside of a transaction is made again. */
bool ht__pg_ready(struct ht__store_conn *conn);
/* Whether a result (NULL: none came) is not one of an error; else keeps its words. */
bool ht__pg_good(struct ht__store_conn *conn, const PGresult *result);
/* Runs a text of statements and gives the last result; NULL after an error, whose words are kept.
 * `again`: whether it may be sent a second time over a new connection. */
PGresult *ht__pg_ask(struct ht__store_conn *conn, const char *sql, bool again);
enum ht_status ht__pg_fail(struct ht__store_conn *conn, int code, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht__pg_exec(struct ht__store_conn *conn, const char *sql,
                                         struct ht_error *error);
HT_MUST_CHECK enum ht_status ht__pg_still_within(const struct ht__store_conn *conn,
                                                 struct ht_error *error);

/* ---- pg_statement.c ---- */

HT_MUST_CHECK enum ht_status ht__pg_prepare(struct ht__store_conn *conn, const char *sql,
                                            struct ht__statement **out, struct ht_error *error);
void ht__pg_finalize(struct ht__statement *statement);
/* It is run but once: nothing is prepared. */
void ht__pg_once(struct ht__statement *statement);
void ht__pg_unbind(struct ht__statement *statement);
void ht__pg_bind_null(struct ht__statement *statement, int place);
void ht__pg_bind_int(struct ht__statement *statement, int place, int64_t value);
void ht__pg_bind_double(struct ht__statement *statement, int place, double value);
void ht__pg_bind_text(struct ht__statement *statement, int place, const char *text);
void ht__pg_bind_blob(struct ht__statement *statement, int place, const void *bytes, size_t size);
HT_MUST_CHECK enum ht_status ht__pg_bind_shape(struct ht__statement *statement, int place,
                                               const void *wkb, size_t size);
int ht__pg_step(struct ht__statement *statement);
void ht__pg_reset(struct ht__statement *statement);
int ht__pg_columns(struct ht__statement *statement);
bool ht__pg_null_at(struct ht__statement *statement, int column);
int64_t ht__pg_int_at(struct ht__statement *statement, int column);
double ht__pg_double_at(struct ht__statement *statement, int column);
const char *ht__pg_text_at(struct ht__statement *statement, int column);
const void *ht__pg_blob_at(struct ht__statement *statement, int column);
size_t ht__pg_size_at(struct ht__statement *statement, int column);
HT_MUST_CHECK enum ht_status ht__pg_shape_at(struct ht__statement *statement, int column,
                                             struct ht__room *room, const void **wkb, size_t *size);
bool ht__pg_whole_at(struct ht__statement *statement, int column);
void ht__pg_expect(struct ht__statement *statement, uint64_t rows);

/* ---- pg_schema.c ---- */

/* Brings an empty or older database to HT__STORE_SCHEMA, in one transaction. HT_FOREIGN,
 * HT_VERSION, HT_READ_ONLY. */
HT_MUST_CHECK enum ht_status ht__pg_migrate(struct ht__store_conn *conn, bool create,
                                            struct ht_error *error);
/* The same questions without a change. */
HT_MUST_CHECK enum ht_status ht__pg_recognize(struct ht__store_conn *conn, struct ht_error *error);
/* What a property is for SQL: a number, a truth, a text; NULL where its value is of another kind.
 * Indices and questions have the very same words for it. */
void ht__pg_add_property(struct ht_text *sql, const struct ht_property *property);

/* ---- pg_read.c ---- */

HT_MUST_CHECK enum ht_status ht__pg_items(struct ht_store_reader *reader,
                                          const struct ht_store_query *query, ht__item_sink *sink,
                                          void *user, uint64_t *matched, struct ht_error *error);

#endif
