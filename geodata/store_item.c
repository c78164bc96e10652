#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/digest.h"
#include "geodata/store_internal.h"

enum { SALT_BYTES = 16 };

/* The version of an item; HT_NOT_FOUND. */
static enum ht_status version_get(struct ht__store_conn *conn,
                                  const struct ht_collection *collection, const char *id,
                                  uint64_t *version, struct ht_error *error)
{
    static const char sql[] = "SELECT version FROM @_item WHERE id = ?1";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(conn, sql, collection, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, id);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        *version = (uint64_t)ht__int_at(statement, 0);
    } else {
        status = code == HT__DONE
                     ? ht_error_set(error, HT_NOT_FOUND, 0, "%s has no %.64s", collection->name, id)
                     : ht__store_fail(conn, code, error);
    }
    ht__reset(statement);
    return status;
}

static enum ht_status expect(enum ht_status found, uint64_t version, uint64_t expected,
                             const char *id, struct ht_error *error)
{
    if (expected != 0 && (found == HT_NOT_FOUND || version != expected)) {
        return ht_error_set(error, HT_CHANGED, 0, "%.64s was changed meanwhile", id);
    }
    return HT_OK;
}

void ht__store_floors_forget(struct ht_store_tx *tx)
{
    for (size_t i = 0; i < HT__STORE_COLLECTIONS; i++) {
        tx->floors[i] = -1;
    }
}

/* Above which a new item's version begins, so that an ETag of one that is gone holds for none that
 * comes after it under its id. */
static enum ht_status floor_get(struct ht_store_tx *tx, const struct ht_collection *collection,
                                uint64_t *version, struct ht_error *error)
{
    static const char sql[] = "SELECT max(version) FROM gone WHERE collection = ?1";
    struct ht__store_conn *conn = &tx->reader.conn;
    size_t count = 0;
    int64_t *floor = &tx->floors[collection - ht_collections(&count)];
    struct ht__statement *statement = NULL;
    bool known = *floor >= 0;
    enum ht_status status = known ? HT_OK : ht__store_prepare(conn, sql, NULL, &statement, error);
    if (status == HT_OK && !known) {
        ht__bind_text(statement, 1, collection->name);
        int code = ht__step(statement);
        if (code == HT__ROW) {
            *floor = ht__int_at(statement, 0);
        } else {
            status = ht__store_fail(conn, code, error);
        }
        ht__reset(statement);
    }
    *version = status == HT_OK ? (uint64_t)*floor : 0;
    return status;
}

/* SHA-256 over a salt and the item's content: what an event may say of it. With the salt erased,
 * nobody can tell from it what was there. */
static enum ht_status digest_item(const unsigned char *salt, const struct ht_store_item *item,
                                  char hex[HT_DIGEST_TEXT])
{
    struct ht_digest digest;
    enum ht_status status = ht_digest_init(&digest);
    if (status == HT_OK) {
        ht_digest_begin(&digest);
        ht_digest_add(&digest, salt, SALT_BYTES);
        ht_digest_add(&digest, item->id, strlen(item->id) + 1);
        ht_digest_add(&digest, item->properties, strlen(item->properties) + 1);
        ht_digest_add(&digest, item->personal, strlen(item->personal) + 1);
        ht_digest_add(&digest, item->wkb, item->wkb_size);
        status = ht_digest_end(&digest, hex);
    }
    ht_digest_deinit(&digest);
    return status;
}

static enum ht_status row_write(struct ht__store_conn *conn, const struct ht_collection *collection,
                                const struct ht_store_item *item, bool fresh,
                                const unsigned char *salt, struct ht_error *error)
{
#define INSERT(columns, values)                                                                    \
    "INSERT INTO @_item(id, version, changed_ms, cell, properties, personal, salt" columns ") "    \
    "VALUES(?1,?2,?3,?4,?5,?6,?7" values ")"
#define UPDATE(values)                                                                             \
    "UPDATE @_item SET version = ?2, changed_ms = ?3, cell = ?4, properties = ?5, personal = ?6, " \
    "salt = ?7" values " WHERE id = ?1"
    /* without a place, with one for SpatiaLite, for PostGIS; new ones first */
    static const char *const texts[3][2] = {
        {INSERT("", ""), UPDATE("")},
        {INSERT(", geometry", ",?8"), UPDATE(", geometry = ?8")},
        {INSERT(", geometry", ",ST_GeomFromWKB(?8, 4326)"),
         UPDATE(", geometry = ST_GeomFromWKB(?8, 4326)")}};
#undef INSERT
#undef UPDATE
    bool shaped = ht__shaped(collection);
    int kind = !shaped ? 0 : conn->engine == &ht__store_lite ? 1 : 2;
    struct ht__statement *statement = NULL;
    enum ht_status status =
        ht__store_prepare(conn, texts[kind][fresh ? 0 : 1], collection, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, item->id);
    ht__bind_int(statement, 2, (int64_t)item->version);
    ht__bind_int(statement, 3, item->changed_ms);
    ht__bind_text(statement, 4, item->cell);
    ht__bind_text(statement, 5, item->properties);
    ht__bind_text(statement, 6, item->personal);
    ht__bind_blob(statement, 7, salt, SALT_BYTES);
    if (shaped && item->wkb_size > 0) {
        status = ht__bind_shape(statement, 8, item->wkb, item->wkb_size);
    } else if (shaped) {
        ht__bind_null(statement, 8);
    }
    if (status == HT_NOMEM) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return status == HT_OK ? ht__store_run(conn, statement, error)
                           : ht_error_set(error, status, 0, "%.64s: not a geometry", item->id);
}

// NOLINTNEXTLINE(readability-function-size): an item, and how it may be put
enum ht_status ht_store_item_put(struct ht_store_tx *tx, const struct ht_collection *collection,
                                 const struct ht_store_item *item, enum ht_store_put how,
                                 uint64_t expected, struct ht_store_written *out,
                                 struct ht_error *error)
{
    struct ht__store_conn *conn = &tx->reader.conn;
    uint64_t version = 0;
    unsigned char salt[SALT_BYTES];
    enum ht_status found = version_get(conn, collection, item->id, &version, error);
    if (found != HT_OK && found != HT_NOT_FOUND) {
        return found;
    }
    enum ht_status status = expect(found, version, expected, item->id, error);
    if (status != HT_OK) {
        return status;
    }
    if (how == HT_STORE_INSERT && found == HT_OK) {
        return ht_error_set(error, HT_EXISTS, 0, "%s has %.64s already", collection->name,
                            item->id);
    }
    if (how == HT_STORE_REPLACE && found == HT_NOT_FOUND) {
        return found;
    }
    status = found == HT_OK ? HT_OK : floor_get(tx, collection, &version, error);
    if (status != HT_OK) {
        return status;
    }
    struct ht_store_item own = *item;
    own.version = version + 1;
    own.personal = item->personal == NULL ? "{}" : item->personal;
    *out = (struct ht_store_written){.version = own.version, .created = found == HT_NOT_FOUND};
    status = ht_random_bytes(salt, sizeof salt);
    if (status == HT_OK) {
        status = digest_item(salt, &own, out->digest);
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    return row_write(conn, collection, &own, found == HT_NOT_FOUND, salt, error);
}

enum ht_status ht_store_item_delete(struct ht_store_tx *tx, const struct ht_collection *collection,
                                    const char *id, uint64_t expected, struct ht_error *error)
{
    static const char sql[] = "DELETE FROM @_item WHERE id = ?1";
    struct ht__store_conn *conn = &tx->reader.conn;
    uint64_t version = 0;
    struct ht__statement *statement = NULL;
    enum ht_status status = version_get(conn, collection, id, &version, error);
    if (status == HT_OK) {
        status = expect(HT_OK, version, expected, id, error);
    }
    if (status == HT_OK) {
        status = ht__store_prepare(conn, sql, collection, &statement, error);
    }
    if (status == HT_OK) {
        ht__bind_text(statement, 1, id);
        status = ht__store_run(conn, statement, error);
        ht__store_floors_forget(tx);
    }
    return status;
}

enum ht_status ht_store_item_erase(struct ht_store_tx *tx, const struct ht_collection *collection,
                                   const char *id, uint64_t expected, struct ht_error *error)
{
    static const char lite[] = "UPDATE @_item SET personal = '{}', salt = x'', "
                               "version = version + 1 WHERE id = ?1";
    static const char pg[] = "UPDATE @_item SET personal = '{}', salt = '', "
                             "version = version + 1 WHERE id = ?1";
    struct ht__store_conn *conn = &tx->reader.conn;
    uint64_t version = 0;
    struct ht__statement *statement = NULL;
    enum ht_status status = version_get(conn, collection, id, &version, error);
    if (status == HT_OK) {
        status = expect(HT_OK, version, expected, id, error);
    }
    if (status == HT_OK) {
        status = ht__store_prepare(conn, ht__either(conn, lite, pg), collection, &statement, error);
    }
    if (status == HT_OK) {
        ht__bind_text(statement, 1, id);
        status = ht__store_run(conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_item_set_cell(struct ht_store_tx *tx,
                                      const struct ht_collection *collection, const char *id,
                                      const char *cell, struct ht_error *error)
{
    static const char sql[] = "UPDATE @_item SET cell = ?2 WHERE id = ?1";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, collection, &statement, error);
    if (status == HT_OK) {
        ht__bind_text(statement, 1, id);
        ht__bind_text(statement, 2, cell);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}
