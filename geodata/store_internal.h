/* What the rooms behind store.h share: the engine behind the door, connections, statements, the
 * words of errors. Not a door.
 *
 *   store.c             which engine; statements that are kept; what both do alike
 *   store_THING.c       what is asked and written, in SQL that both engines take (or in two texts)
 *   store_lite*.c       SpatiaLite, with store_schema.c, store_blob.c, store_read.c, store_backup.c
 *   pg_*.c              PostgreSQL with PostGIS
 */
#ifndef HT_GEODATA_STORE_INTERNAL_H
#define HT_GEODATA_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "geodata/collection.h"
#include "geodata/store.h"

enum {
    HT__STORE_APPLICATION = 0x4854414f, /* "HTAO", so that `file` and we know the file */
    HT__STORE_SCHEMA = 11,              /* the version this program writes */
    HT__STORE_STATEMENTS = 160,
    HT__STORE_COLLECTIONS = 16, /* there are no more */
    HT__STORE_BUSY_MS = 5000,   /* how long another process' write is waited for */
    HT__STORE_MANY = 4000,      /* rows, above which they are not all held in memory at once */
};

/* What a step says; anything else is the engine's own code of an error. */
enum { HT__ROW = SQLITE_ROW, HT__DONE = SQLITE_DONE };

struct ht__engine;
struct ht__pg;
struct ht__store_conn;

/* A statement of either engine, which lies behind it. */
struct ht__statement {
    const struct ht__engine *engine;
};

/* Room for the WKB of one item after the other. */
struct ht__room {
    unsigned char *data;
    size_t capacity;
};

typedef enum ht_status ht__item_sink(void *user, const struct ht_store_item *item);

/* An engine. What is bound is borrowed until the statement is reset; places count from 1, columns
 * from 0; texts and bytes that are read are good until the next step or reset. */
struct ht__engine {
    /* Looks at what is there, makes it or brings it up to date, and opens the writer. */
    enum ht_status (*open)(struct ht_store *store, enum ht_store_mode mode, struct ht_error *error);
    void (*close)(struct ht_store *store);
    enum ht_status (*connect)(const struct ht_store *store, bool writer,
                              struct ht__store_conn *conn, struct ht_error *error);
    void (*disconnect)(struct ht__store_conn *conn); /* its statements are gone already */
    /* Tells a code of a step as one of ours, with the engine's words. */
    enum ht_status (*fail)(struct ht__store_conn *conn, int code, struct ht_error *error);
    /* Whether the transaction that was begun still stands. */
    enum ht_status (*still_within)(const struct ht__store_conn *conn, struct ht_error *error);
    enum ht_status (*exec)(struct ht__store_conn *conn, const char *sql, struct ht_error *error);
    int64_t (*changes)(struct ht__store_conn *conn); /* rows that the last statement changed */

    /* With the writer's turn. Where begin fails nothing has begun. */
    enum ht_status (*begin)(struct ht_store *store, struct ht_error *error);
    enum ht_status (*commit)(struct ht_store_tx *tx, struct ht_error *error);
    void (*rollback)(struct ht_store_tx *tx);
    enum ht_status (*unmark)(struct ht_store_tx *tx, bool keep, struct ht_error *error);

    bool (*deposed)(const struct ht_store *store); /* NULL: nobody can be */
    enum ht_status (*checkpoint)(struct ht_store *store, struct ht_error *error);
    enum ht_status (*backup)(const char *path, const char *to, struct ht_error *error);
    enum ht_status (*bulk_begin)(struct ht_store_tx *tx, const struct ht_collection *collection,
                                 struct ht_error *error);
    enum ht_status (*bulk_end)(struct ht_store_tx *tx, const struct ht_collection *collection,
                               struct ht_error *error);
    enum ht_status (*items)(struct ht_store_reader *reader, const struct ht_store_query *query,
                            ht__item_sink *sink, void *user, uint64_t *matched,
                            struct ht_error *error);

    enum ht_status (*prepare)(struct ht__store_conn *conn, const char *sql,
                              struct ht__statement **out, struct ht_error *error);
    void (*finalize)(struct ht__statement *statement);
    void (*unbind)(struct ht__statement *statement); /* all places are NULL again */
    void (*bind_null)(struct ht__statement *statement, int place);
    void (*bind_int)(struct ht__statement *statement, int place, int64_t value);
    void (*bind_double)(struct ht__statement *statement, int place, double value);
    void (*bind_text)(struct ht__statement *statement, int place, const char *text);
    void (*bind_blob)(struct ht__statement *statement, int place, const void *bytes, size_t size);
    /* A place in the world, as ISO WKB. HT_NOMEM; HT_SYNTAX: it is none that we write. */
    enum ht_status (*bind_shape)(struct ht__statement *statement, int place, const void *wkb,
                                 size_t size);
    int (*step)(struct ht__statement *statement);
    void (*reset)(struct ht__statement *statement);
    int (*columns)(struct ht__statement *statement);
    bool (*null_at)(struct ht__statement *statement, int column);
    int64_t (*int_at)(struct ht__statement *statement, int column);
    double (*double_at)(struct ht__statement *statement, int column);
    const char *(*text_at)(struct ht__statement *statement, int column); /* NULL: it is, or NOMEM */
    const void *(*blob_at)(struct ht__statement *statement, int column);
    size_t (*size_at)(struct ht__statement *statement, int column); /* bytes of a text or blob */
    /* The same back; `room` holds it where the engine has another form of it (NULL: none). */
    enum ht_status (*shape_at)(struct ht__statement *statement, int column, struct ht__room *room,
                               const void **wkb, size_t *size);
    /* a number, or a text that hides no bytes behind a NUL */
    bool (*whole_at)(struct ht__statement *statement, int column);
    /* Rows come in parts where there may be more than HT__STORE_MANY of them. */
    void (*expect)(struct ht__statement *statement, uint64_t rows);
};

extern const struct ht__engine ht__store_lite;
extern const struct ht__engine ht__store_pg;

static inline void ht__bind_null(struct ht__statement *statement, int place)
{
    statement->engine->bind_null(statement, place);
}
static inline void ht__bind_int(struct ht__statement *statement, int place, int64_t value)
{
    statement->engine->bind_int(statement, place, value);
}
static inline void ht__bind_double(struct ht__statement *statement, int place, double value)
{
    statement->engine->bind_double(statement, place, value);
}
/* NULL binds NULL. */
static inline void ht__bind_text(struct ht__statement *statement, int place, const char *text)
{
    statement->engine->bind_text(statement, place, text);
}
static inline void ht__bind_blob(struct ht__statement *statement, int place, const void *bytes,
                                 size_t size)
{
    statement->engine->bind_blob(statement, place, bytes, size);
}
static inline enum ht_status ht__bind_shape(struct ht__statement *statement, int place,
                                            const void *wkb, size_t size)
{
    return statement->engine->bind_shape(statement, place, wkb, size);
}
static inline int ht__step(struct ht__statement *statement)
{
    return statement->engine->step(statement);
}
static inline void ht__reset(struct ht__statement *statement) /* NULL is fine */
{
    if (statement != NULL) {
        statement->engine->reset(statement);
    }
}
static inline void ht__finalize(struct ht__statement *statement) /* likewise */
{
    if (statement != NULL) {
        statement->engine->finalize(statement);
    }
}
static inline int ht__columns(struct ht__statement *statement)
{
    return statement->engine->columns(statement);
}
static inline bool ht__null_at(struct ht__statement *statement, int column)
{
    return statement->engine->null_at(statement, column);
}
static inline int64_t ht__int_at(struct ht__statement *statement, int column)
{
    return statement->engine->int_at(statement, column);
}
static inline double ht__double_at(struct ht__statement *statement, int column)
{
    return statement->engine->double_at(statement, column);
}
static inline const char *ht__text_at(struct ht__statement *statement, int column)
{
    return statement->engine->text_at(statement, column);
}
static inline const void *ht__blob_at(struct ht__statement *statement, int column)
{
    return statement->engine->blob_at(statement, column);
}
static inline size_t ht__size_at(struct ht__statement *statement, int column)
{
    return statement->engine->size_at(statement, column);
}
static inline bool ht__whole_at(struct ht__statement *statement, int column)
{
    return statement->engine->whole_at(statement, column);
}
static inline void ht__expect(struct ht__statement *statement, uint64_t rows)
{
    statement->engine->expect(statement, rows);
}

/* A connection with the statements it has prepared, found again by the address of their text or by
 * collection and kind. */
struct ht__store_conn {
    const struct ht__engine *engine;
    sqlite3 *db;       /* SpatiaLite's */
    void *spatial;     /* SpatiaLite's own memory, for the writer; NULL for a reader */
    struct ht__pg *pg; /* PostgreSQL's */
    const char *path;  /* as errors name it */
    struct ht__store_cached {
        const char *sql;
        const struct ht_collection *collection;
        struct ht__statement *statement;
    } cached[HT__STORE_STATEMENTS];
    unsigned cached_count;
    unsigned cached_next; /* the one that makes room, once there is none left */
    bool within;          /* a transaction was begun and neither committed nor rolled back by us */
    enum ht_status lost;  /* why the engine rolled it back by itself */
};

struct ht_store_reader {
    struct ht_store *store;
    struct ht__store_conn conn;
};

struct ht_store_tx {
    struct ht_store *store;
    struct ht_store_reader reader; /* the same connection, for reading within */
    int64_t others;                /* as ht_store_tx_others gives it */
    bool kept;                     /* the last mark stays, and is released with the next one */
    struct {                       /* the last event of the store's district; seq -1: to be read */
        int64_t seq;
        char hash[65];
    } last;
    /* the highest version that an item had that is gone, by collection; -1: to be read */
    int64_t floors[HT__STORE_COLLECTIONS];
};

struct ht_store {
    const struct ht__engine *engine;
    char *path;
    char *label; /* the same as it may be told: without a password */
    void *own;   /* the engine's */
    char *district;
    int64_t epoch; /* that events carry */
    bool read_only;
    bool desk;
    bool immutable; /* on a medium that can't be written at all */
    bool log_alone; /* likewise, with a log that has no index: each reads it into its own memory */
    bool writer_open;
    pthread_mutex_t turn; /* the writer's */
    struct ht_store_tx tx;
};

/* Opens a connection; closes it, with its statements. */
HT_MUST_CHECK enum ht_status ht__store_connect(const struct ht_store *store, bool writer,
                                               struct ht__store_conn *conn, struct ht_error *error);
void ht__store_disconnect(struct ht__store_conn *conn);

/* Tells a code of a step as one of ours, with the engine's words. */
static inline enum ht_status ht__store_fail(struct ht__store_conn *conn, int code,
                                            struct ht_error *error)
{
    return conn->engine->fail(conn, code, error);
}

/* Runs one or several statements without answers. */
static inline HT_MUST_CHECK enum ht_status ht__store_exec(struct ht__store_conn *conn,
                                                          const char *sql, struct ht_error *error)
{
    return conn->engine->exec(conn, sql, error);
}

/* The text that the engine takes, where one can't do for both. */
static inline const char *ht__either(const struct ht__store_conn *conn, const char *lite,
                                     const char *pg)
{
    return conn->engine == &ht__store_lite ? lite : pg;
}

/* Whether its items lie anywhere: then the table has a column for it. */
static inline bool ht__shaped(const struct ht_collection *collection)
{
    return (collection->geometries & ~(UINT32_C(1) << HT_GEOMETRY_NONE)) != 0;
}

/* The column that holds a property. */
#define HT__HALF(property) ((property)->personal ? "personal" : "properties")

/* A statement, ready to be bound; kept by the connection. `sql` is a static text with ?1, ?2 for
 * what is bound, in which the collection's name takes the place of each `@` (NULL: there is none).
 */
HT_MUST_CHECK enum ht_status ht__store_prepare(struct ht__store_conn *conn, const char *sql,
                                               const struct ht_collection *collection,
                                               struct ht__statement **out, struct ht_error *error);

/* Whether a column has something that memory was too short to give out. */
bool ht__store_lacks(struct ht__statement *statement, int column, const void *given);

/* Steps a statement that gives no rows, and resets it. */
HT_MUST_CHECK enum ht_status ht__store_run(struct ht__store_conn *conn,
                                           struct ht__statement *statement, struct ht_error *error);

/* The same of one that puts a row where there may be one already: HT_EXISTS. An error of its own
 * would end a transaction of PostgreSQL. */
HT_MUST_CHECK enum ht_status ht__store_run_new(struct ht__store_conn *conn,
                                               struct ht__statement *statement, const char *what,
                                               struct ht_error *error);

/* Steps through the rows of a statement, gives each to `row` until that says other than HT_OK, and
 * resets it. */
HT_MUST_CHECK enum ht_status
ht__store_rows(struct ht__store_conn *conn, struct ht__statement *statement,
               enum ht_status (*row)(void *user, struct ht__statement *statement), void *user,
               struct ht_error *error);

/* Keeps a note with its salted digest (?1 digest, ?2 whose, ?3 salt, ?4 text), and gives those of
 * one (digest, whose, text; ?1 whose). `sql` is a static text. */
HT_MUST_CHECK enum ht_status ht__store_note_put(struct ht_store_tx *tx, const char *sql,
                                                const char *owner, const char *text,
                                                char digest[65], struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht__store_notes(struct ht_store_reader *reader, const char *sql, const char *owner,
                enum ht_status (*sink)(void *user, const struct ht_store_note *note), void *user,
                struct ht_error *error);

/* Runs a statement whose one value is a time. */
HT_MUST_CHECK enum ht_status ht__store_forget(struct ht_store_tx *tx, const char *sql,
                                              int64_t before_ms, struct ht_error *error);

/* Floors are to be read again: items went, or what was done is taken back. */
void ht__store_floors_forget(struct ht_store_tx *tx);

/* Gives the item of a row (id, version, changed_ms, cell, properties, geometry, personal). */
HT_MUST_CHECK enum ht_status ht__item_give(struct ht__statement *statement, struct ht__room *room,
                                           ht__item_sink *sink, void *user, struct ht_error *error);

/* As SQL takes it. */
static inline int64_t ht__limit(uint64_t limit)
{
    return limit > INT64_MAX ? INT64_MAX : (int64_t)limit;
}

/* Whether a text is a number as strtod reads it. */
bool ht__is_number(const char *value);

/* A property that the collection knows and of which an item has one value. NULL: it is not. */
const struct ht_property *ht__single_property(const struct ht_store_query *query,
                                              const struct ht_store_filter *filter);

#endif
