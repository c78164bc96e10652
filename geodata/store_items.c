/* Asking for items: what both engines do alike. */
#include <stdlib.h>
#include <string.h>

#include "geodata/store_internal.h"

struct ht_store_query ht_store_query_default(const struct ht_collection *collection)
{
    return (struct ht_store_query){
        .collection = collection, .from_ms = INT64_MIN, .until_ms = INT64_MAX, .limit = UINT64_MAX};
}

bool ht__is_number(const char *value)
{
    char *end = NULL;
    (void)strtod(value, &end);
    return end != value && *end == '\0';
}

const struct ht_property *ht__single_property(const struct ht_store_query *query,
                                              const struct ht_store_filter *filter)
{
    const struct ht_property *property =
        ht_collection_property(query->collection, filter->name, strlen(filter->name));
    return property != NULL && property->type <= HT_PROPERTY_BOOL ? property : NULL;
}

enum ht_status ht__item_give(struct ht__statement *statement, struct ht__room *room,
                             ht__item_sink *sink, void *user, struct ht_error *error)
{
    struct ht_store_item item = {.id = ht__text_at(statement, 0),
                                 .version = (uint64_t)ht__int_at(statement, 1),
                                 .changed_ms = ht__int_at(statement, 2),
                                 .cell = ht__text_at(statement, 3),
                                 .properties = ht__text_at(statement, 4),
                                 .personal = ht__text_at(statement, 6)};
    if (ht__store_lacks(statement, 0, item.id) || ht__store_lacks(statement, 3, item.cell) ||
        ht__store_lacks(statement, 4, item.properties) ||
        ht__store_lacks(statement, 6, item.personal)) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status =
        statement->engine->shape_at(statement, 5, room, &item.wkb, &item.wkb_size);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, "%.64s: its geometry can't be read", item.id);
    }
    return sink(user, &item);
}

enum ht_status ht_store_items(struct ht_store_reader *reader, const struct ht_store_query *query,
                              ht__item_sink *sink, void *user, uint64_t *matched,
                              struct ht_error *error)
{
    if (query->box != NULL && !ht__shaped(query->collection)) {
        if (matched != NULL) {
            *matched = 0; /* what has no place lies in no box */
        }
        return HT_OK;
    }
    return reader->conn.engine->items(reader, query, sink, user, matched, error);
}

// NOLINTNEXTLINE(readability-function-size): what is asked for, and who takes it
enum ht_status ht_store_item(struct ht_store_reader *reader, const struct ht_collection *collection,
                             const char *id, bool personal, ht__item_sink *sink, void *user,
                             struct ht_error *error)
{
#define SHAPED(geometry, personal)                                                                 \
    "SELECT i.id, i.version, i.changed_ms, i.cell, i.properties, " geometry ", " personal          \
    " FROM @_item i WHERE i.id = ?1"
    /* by engine, whether items have a place, and whether what is personal is asked for */
    static const char *const texts[2][2][2] = {
        {{SHAPED("NULL", "NULL"), SHAPED("NULL", "i.personal")},
         {SHAPED("i.geometry", "NULL"), SHAPED("i.geometry", "i.personal")}},
        {{SHAPED("NULL", "NULL"), SHAPED("NULL", "i.personal")},
         {SHAPED("ST_AsBinary(i.geometry, 'NDR')", "NULL"),
          SHAPED("ST_AsBinary(i.geometry, 'NDR')", "i.personal")}}};
#undef SHAPED
    struct ht__store_conn *conn = &reader->conn;
    struct ht__statement *statement = NULL;
    int shaped = ht__shaped(collection) ? 1 : 0;
    int engine = conn->engine == &ht__store_lite ? 0 : 1;
    enum ht_status status = ht__store_prepare(conn, texts[engine][shaped][personal ? 1 : 0],
                                              collection, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, id);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        struct ht__room room = {0};
        status = ht__item_give(statement, &room, sink, user, error);
        free(room.data);
    } else {
        status = code == HT__DONE
                     ? ht_error_set(error, HT_NOT_FOUND, 0, "%s has no %.64s", collection->name, id)
                     : ht__store_fail(conn, code, error);
    }
    ht__reset(statement);
    return status;
}
