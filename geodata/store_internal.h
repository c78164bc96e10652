/* What the rooms behind store.h share: connections, statements, the words of errors. Not a door. */
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
};

/* A connection with the statements it has prepared, found again by the address of their text or by
 * collection and kind. */
struct ht__store_conn {
    sqlite3 *db;
    void *spatial; /* SpatiaLite's own memory, for the writer; NULL for a reader */
    const char *path;
    struct ht__store_cached {
        const char *sql;
        const struct ht_collection *collection;
        sqlite3_stmt *statement;
    } cached[HT__STORE_STATEMENTS];
    unsigned cached_count;
    unsigned cached_next; /* the one that makes room, once there is none left */
    bool within;          /* a transaction was begun and neither committed nor rolled back by us */
    enum ht_status lost;  /* why SQLite rolled it back by itself */
};

struct ht_store_reader {
    struct ht_store *store;
    struct ht__store_conn conn;
};

struct ht_store_tx {
    struct ht_store *store;
    struct ht_store_reader reader; /* the same connection, for reading within */
    int64_t others;                /* SQLite's data_version as it began */
    /* the highest version that an item had that is gone, by collection; -1: to be read */
    int64_t floors[HT__STORE_COLLECTIONS];
};

struct ht_store {
    char *path;
    char *district;
    bool read_only;
    bool immutable; /* on a medium that can't be written at all */
    bool log_alone; /* likewise, with a log that has no index: each reads it into its own memory */
    bool writer_open;
    pthread_mutex_t turn; /* the writer's */
    struct ht_store_tx tx;
};

/* Opens a connection; `writer` with SpatiaLite. */
HT_MUST_CHECK enum ht_status ht__store_connect(const struct ht_store *store, bool writer,
                                               struct ht__store_conn *conn, struct ht_error *error);
void ht__store_disconnect(struct ht__store_conn *conn);

/* Tells a code of SQLite as one of ours, with its words. */
enum ht_status ht__store_fail(struct ht__store_conn *conn, int code, struct ht_error *error);

/* Runs one or several statements without answers. */
HT_MUST_CHECK enum ht_status ht__store_exec(struct ht__store_conn *conn, const char *sql,
                                            struct ht_error *error);

/* Runs one or several statements, of which each answer has to be 1: SpatiaLite's functions tell so
 * that they did what they were asked for. */
HT_MUST_CHECK enum ht_status ht__store_call(struct ht__store_conn *conn, const char *sql,
                                            struct ht_error *error);

/* Whether its items lie anywhere: then the table has a column for it. */
static inline bool ht__shaped(const struct ht_collection *collection)
{
    return (collection->geometries & ~(UINT32_C(1) << HT_GEOMETRY_NONE)) != 0;
}

/* The column that holds a property. */
#define HT__HALF(property) ((property)->personal ? "personal" : "properties")

/* A statement, ready to be bound; kept by the connection. `sql` is a static text, in which the
 * collection's name takes the place of each `@` (NULL: there is none). */
HT_MUST_CHECK enum ht_status ht__store_prepare(struct ht__store_conn *conn, const char *sql,
                                               const struct ht_collection *collection,
                                               sqlite3_stmt **out, struct ht_error *error);

/* Whether a column has something that memory was too short to give out. */
bool ht__store_lacks(sqlite3_stmt *statement, int column, const void *given);

/* Steps a statement that gives no rows, and resets it. */
HT_MUST_CHECK enum ht_status ht__store_run(struct ht__store_conn *conn, sqlite3_stmt *statement,
                                           struct ht_error *error);

/* Steps through the rows of a statement, gives each to `row` until that says other than HT_OK, and
 * resets it. */
HT_MUST_CHECK enum ht_status ht__store_rows(struct ht__store_conn *conn, sqlite3_stmt *statement,
                                            enum ht_status (*row)(void *user,
                                                                  sqlite3_stmt *statement),
                                            void *user, struct ht_error *error);

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

/* Brings an empty or older file to HT__STORE_SCHEMA, in one transaction. HT_FOREIGN, HT_VERSION. */
HT_MUST_CHECK enum ht_status ht__store_migrate(struct ht__store_conn *conn, bool create,
                                               struct ht_error *error);
/* The same questions without a change. */
HT_MUST_CHECK enum ht_status ht__store_recognize(struct ht__store_conn *conn,
                                                 struct ht_error *error);

/* Floors are to be read again: items went, or what was done is taken back. */
void ht__store_floors_forget(struct ht_store_tx *tx);

/* Our functions within SQL; SQLite's code. */
int ht__store_functions(sqlite3 *db);

/* SpatiaLite's own form of a geometry (its manual, "BLOB-Geometry"), from ISO WKB and back:
 *
 *   00 | 01 | srid | min x, min y, max x, max y | 7c | WKB without its byte order | fe
 *
 * Sizes differ by a constant; members of multi-geometries carry 69 for their byte order. */
enum { HT__BLOB_HEAD = 39, HT__BLOB_EXTRA = HT__BLOB_HEAD };
/* Writes into `out` (wkb_size + HT__BLOB_EXTRA bytes). HT_SYNTAX: not WKB that we write. */
HT_MUST_CHECK enum ht_status ht__blob_from_wkb(const void *wkb, size_t wkb_size, unsigned char *out,
                                               size_t *size);
/* Writes into `out` (at least `size` bytes). */
HT_MUST_CHECK enum ht_status ht__blob_to_wkb(const void *blob, size_t size, unsigned char *out,
                                             size_t *wkb_size);

#endif
