/* What the rooms of the SpatiaLite engine share. Not a door. */
#ifndef HT_GEODATA_STORE_LITE_INTERNAL_H
#define HT_GEODATA_STORE_LITE_INTERNAL_H

#include "geodata/store_internal.h"

/* Tells a code of SQLite as one of ours, with its words. */
enum ht_status ht__lite_fail(struct ht__store_conn *conn, int code, struct ht_error *error);

/* Runs one or several statements, of which each answer has to be 1: SpatiaLite's functions tell so
 * that they did what they were asked for. */
HT_MUST_CHECK enum ht_status ht__store_call(struct ht__store_conn *conn, const char *sql,
                                            struct ht_error *error);

/* Brings an empty or older file to HT__STORE_SCHEMA, in one transaction. HT_FOREIGN, HT_VERSION. */
HT_MUST_CHECK enum ht_status ht__store_migrate(struct ht__store_conn *conn, bool create,
                                               struct ht_error *error);
/* The same questions without a change. */
HT_MUST_CHECK enum ht_status ht__store_recognize(struct ht__store_conn *conn,
                                                 struct ht_error *error);

/* As the calls of store.h. */
HT_MUST_CHECK enum ht_status ht__lite_backup(const char *path, const char *to,
                                             struct ht_error *error);
HT_MUST_CHECK enum ht_status ht__lite_items(struct ht_store_reader *reader,
                                            const struct ht_store_query *query, ht__item_sink *sink,
                                            void *user, uint64_t *matched, struct ht_error *error);

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
