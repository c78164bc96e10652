#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/text.h"
#include "geodata/store_lite_internal.h"

/* ht_meets(geometry, west, south, east, north): the box that each geometry carries against a box.
 * The R-tree holds single precision, rounded outwards; this is exact. */
static void meets(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    double own[4];
    if (sqlite3_value_bytes(values[0]) <= HT__BLOB_EXTRA) {
        sqlite3_result_int(context, 0);
        return;
    }
    memcpy(own, (const unsigned char *)sqlite3_value_blob(values[0]) + 6, sizeof own);
    double west = sqlite3_value_double(values[1]);
    double east = sqlite3_value_double(values[3]);
    bool beside = own[0] <= east;
    bool behind = own[2] >= west;
    bool met = (west <= east ? beside && behind : beside || behind) &&
               own[1] <= sqlite3_value_double(values[4]) &&
               own[3] >= sqlite3_value_double(values[2]);
    sqlite3_result_int(context, met ? 1 : 0);
}

int ht__store_functions(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "ht_meets", 5,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                      meets, NULL, NULL, NULL);
}

/* A name within quotes of SQL and of a JSON path: quotes and backslashes of its own do not come
 * through. */
static void sql_add_name(struct ht_text *sql, const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (*at != '\'' && *at != '"' && *at != '\\') {
            ht_text_add_char(sql, *at);
        }
    }
}

/* What is said of a property that may be in a list, or that nobody knows. */
static void sql_add_any(struct ht_text *sql, const struct ht_store_filter *filter)
{
    ht_text_add_string(sql, "EXISTS(SELECT 1 FROM json_each(i.");
    ht_text_add_string(sql, HT__HALF(filter));
    ht_text_add_string(sql, ", '$.\"");
    sql_add_name(sql, filter->name);
    ht_text_add_string(sql,
                       "\"') j WHERE CASE j.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
                       "WHEN 'object' THEN j.value->>'id' ELSE CAST(j.value AS TEXT) END = ?");
    if (ht__is_number(filter->value)) {
        ht_text_add_string(sql,
                           " OR (j.type IN ('integer', 'real') AND j.value = CAST(? AS REAL))");
    }
    ht_text_add_string(sql, ")");
}

static bool is_cell(const struct ht_store_filter *filter)
{
    return strcmp(filter->name, "cell") == 0;
}

/* The filter whose index serves best: SQLite knows nothing of how many items have a value, so it is
 * told. That of places goes before all others, where it is used, and cells are small. */
static size_t served_filter(const struct ht_store_query *query, bool wide)
{
    size_t best = SIZE_MAX;
    for (size_t i = query->filter_count; i-- > 0 && (query->box == NULL || wide);) {
        const struct ht_property *property = ht__single_property(query, &query->filters[i]);
        if (is_cell(&query->filters[i])) {
            return i;
        }
        best = property != NULL && property->indexed ? i : best;
    }
    return best;
}

/* The property, or one of the values of its list, is the value. The plus keeps an index out. */
static void sql_add_filter(struct ht_text *sql, const struct ht_store_query *query,
                           const struct ht_store_filter *filter, bool served)
{
    const struct ht_property *property = ht__single_property(query, filter);
    const char *plus = served ? "" : "+";
    if (is_cell(filter)) {
        ht_text_addf(sql, "%si.cell = ?", plus);
    } else if (property != NULL) {
        ht_text_addf(sql, "%s(i.%s->>'%s') = ?", plus, HT__HALF(property), property->name);
    } else {
        sql_add_any(sql, filter);
    }
}

static void sql_and(struct ht_text *sql, bool *first)
{
    ht_text_add_string(sql, *first ? " WHERE " : " AND ");
    *first = false;
}

/* Boxes of the index of places that meet the asked one, which may lie across the antimeridian. */
static void sql_add_boxes(struct ht_text *sql, const struct ht_store_query *query, const char *name)
{
    bool around = query->box->min.lon_e7 > query->box->max.lon_e7;
    ht_text_addf(sql, " FROM idx_%s_item_geometry WHERE ymin <= ?1 AND ymax >= ?2 AND %s", name,
                 around ? "(xmin <= ?3 OR xmax >= ?4)" : "xmin <= ?3 AND xmax >= ?4");
}

static void sql_add_where(struct ht_text *sql, const struct ht_store_query *query, const char *name,
                          bool wide)
{
    bool first = true;
    size_t served = served_filter(query, wide);
    ht_text_addf(sql, " FROM %s_item i", name);
    if (query->box != NULL) {
        sql_and(sql, &first);
        ht_text_add_string(sql, "ht_meets(i.geometry, ?4, ?2, ?3, ?1)");
        if (!wide) {
            ht_text_add_string(sql, " AND i.rowid IN (SELECT pkid");
            sql_add_boxes(sql, query, name);
            ht_text_add_string(sql, ")");
        }
    }
    if (query->from_ms != INT64_MIN || query->until_ms != INT64_MAX) {
        sql_and(sql, &first);
        ht_text_add_string(sql, "i.changed_ms BETWEEN ? AND ?");
    }
    for (size_t i = 0; i < query->filter_count; i++) {
        sql_and(sql, &first);
        sql_add_filter(sql, query, &query->filters[i], i == served);
    }
}

/* The value of a filter as the property has it; NULL, which equals nothing, where it can't have it.
 */
static void bind_single(struct ht__statement *statement, int place,
                        const struct ht_property *property, const char *value)
{
    bool number = property->type == HT_PROPERTY_NUMBER || property->type == HT_PROPERTY_INTEGER;
    bool truth = property->type == HT_PROPERTY_BOOL;
    if (truth && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
        ht__bind_int(statement, place, value[0] == 't' ? 1 : 0);
    } else if (number && ht__is_number(value)) {
        ht__bind_double(statement, place, strtod(value, NULL));
    } else if (number || truth) {
        ht__bind_null(statement, place);
    } else {
        ht__bind_text(statement, place, value);
    }
}

/* ?1 to ?4: north, south, east, west. Returns the number of the next. */
static int bind_box(struct ht__statement *statement, const struct ht_store_query *query)
{
    if (query->box == NULL) {
        return 1;
    }
    ht__bind_double(statement, 1, query->box->max.lat_e7 / 1e7);
    ht__bind_double(statement, 2, query->box->min.lat_e7 / 1e7);
    ht__bind_double(statement, 3, query->box->max.lon_e7 / 1e7);
    ht__bind_double(statement, 4, query->box->min.lon_e7 / 1e7);
    return 5;
}

/* The values of all question marks but those of LIMIT; returns the number of the next. */
static int bind_where(struct ht__statement *statement, const struct ht_store_query *query)
{
    int place = bind_box(statement, query);
    if (query->from_ms != INT64_MIN || query->until_ms != INT64_MAX) {
        ht__bind_int(statement, place++, query->from_ms);
        ht__bind_int(statement, place++, query->until_ms);
    }
    for (size_t i = 0; i < query->filter_count; i++) {
        const struct ht_store_filter *filter = &query->filters[i];
        const struct ht_property *property = ht__single_property(query, filter);
        if (property != NULL) {
            bind_single(statement, place++, property, filter->value);
            continue;
        }
        int times = !is_cell(filter) && ht__is_number(filter->value) ? 2 : 1;
        while (times-- > 0) {
            ht__bind_text(statement, place++, filter->value);
        }
    }
    return place;
}

static enum ht_status compile(struct ht__store_conn *conn, const struct ht_text *sql,
                              struct ht__statement **out, struct ht_error *error)
{
    if (sql->failed) {
        (void)ht_error_set(error, HT_NOMEM, 0, NULL);
        return HT_NOMEM;
    }
    return conn->engine->prepare(conn, sql->data, out, error);
}

/* The one number that a statement gives. */
static enum ht_status number_get(struct ht__store_conn *conn, const struct ht_text *sql,
                                 const struct ht_store_query *query, uint64_t *out,
                                 struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status = compile(conn, sql, &statement, error);
    if (status == HT_OK) {
        int next = bind_where(statement, query);
        (void)next;
        int code = ht__step(statement);
        if (code == HT__ROW) {
            *out = (uint64_t)ht__int_at(statement, 0);
        } else {
            status = ht__store_fail(conn, code, error);
        }
    }
    ht__finalize(statement);
    return status;
}

/* Whether so much lies in the box that to walk through all items is better than to gather those in
 * it first. */
static enum ht_status box_wide(struct ht__store_conn *conn, const struct ht_store_query *query,
                               const char *name, bool *wide, struct ht_error *error)
{
    enum { WIDE_FROM = 20000 };
    const struct ht_store_query place = {
        .box = query->box, .from_ms = INT64_MIN, .until_ms = INT64_MAX};
    struct ht_text sql = {0};
    uint64_t found = 0;
    ht_text_add_string(&sql, "SELECT count(*) FROM (SELECT 1");
    sql_add_boxes(&sql, query, name);
    ht_text_addf(&sql, " LIMIT %d)", WIDE_FROM);
    enum ht_status status = number_get(conn, &sql, &place, &found, error);
    *wide = found == WIDE_FROM;
    ht_text_deinit(&sql);
    return status;
}

static enum ht_status count_matched(struct ht__store_conn *conn, const struct ht_store_query *query,
                                    const char *name, bool wide, uint64_t *matched,
                                    struct ht_error *error)
{
    struct ht_text sql = {0};
    bool only_box = wide && query->filter_count == 0 && query->from_ms == INT64_MIN &&
                    query->until_ms == INT64_MAX;
    ht_text_add_string(&sql, "SELECT count(*)");
    if (only_box) {
        /* only where the rounded box touches the border the exact one has to be looked at */
        sql_add_boxes(&sql, query, name);
        ht_text_addf(&sql,
                     " AND ((ymax < ?1 AND ymin > ?2 AND xmax < ?3 AND xmin > ?4) OR (SELECT "
                     "ht_meets(i.geometry, ?4, ?2, ?3, ?1) FROM %s_item i WHERE i.rowid = pkid))",
                     name);
    } else {
        sql_add_where(&sql, query, name, wide);
    }
    enum ht_status status = number_get(conn, &sql, query, matched, error);
    ht_text_deinit(&sql);
    return status;
}

/* Counts what it hands on. */
struct counted {
    ht__item_sink *sink;
    void *user;
    uint64_t count;
};

static enum ht_status count_sink(void *user, const struct ht_store_item *item)
{
    struct counted *counted = user;
    counted->count++;
    return counted->sink(counted->user, item);
}

static enum ht_status give_all(struct ht__store_conn *conn, const struct ht_store_query *query,
                               bool wide, struct counted *counted, struct ht_error *error)
{
    const char *name = query->collection->name;
    struct ht_text sql = {0};
    struct ht__statement *statement = NULL;
    bool shaped = ht__shaped(query->collection);
    ht_text_add_string(&sql, "SELECT i.id, i.version, i.changed_ms, i.cell, i.properties, ");
    ht_text_add_string(&sql, shaped ? "i.geometry, " : "NULL, ");
    ht_text_add_string(&sql, query->personal ? "i.personal" : "NULL");
    sql_add_where(&sql, query, name, wide);
    ht_text_add_string(&sql, " ORDER BY i.rowid LIMIT ? OFFSET ?");
    enum ht_status status = compile(conn, &sql, &statement, error);
    if (status == HT_OK) {
        struct ht__room room = {0};
        int place = bind_where(statement, query);
        int code = HT__DONE;
        ht__bind_int(statement, place, query->limit > INT64_MAX ? -1 : (int64_t)query->limit);
        ht__bind_int(statement, place + 1,
                     query->offset > INT64_MAX ? INT64_MAX : (int64_t)query->offset);
        while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
            status = ht__item_give(statement, &room, count_sink, counted, error);
        }
        if (status == HT_OK && code != HT__DONE) {
            status = ht__store_fail(conn, code, error);
        }
        free(room.data);
    }
    ht__finalize(statement);
    ht_text_deinit(&sql);
    return status;
}

enum ht_status ht__lite_items(struct ht_store_reader *reader, const struct ht_store_query *query,
                              ht__item_sink *sink, void *user, uint64_t *matched,
                              struct ht_error *error)
{
    struct ht__store_conn *conn = &reader->conn;
    const char *name = query->collection->name;
    static const char begin[] = "BEGIN";
    static const char end[] = "COMMIT";
    struct ht__statement *steps[2] = {NULL, NULL};
    struct counted counted = {sink, user, 0};
    bool wide = false;
    /* both questions see one state; its end is made ready before it begins, since a reader that
     * could not end would see no other state any more */
    bool own = !conn->within;
    enum ht_status status = own ? ht__store_prepare(conn, begin, NULL, &steps[0], error) : HT_OK;
    if (status == HT_OK && own) {
        status = ht__store_prepare(conn, end, NULL, &steps[1], error);
    }
    if (status == HT_OK && own) {
        status = ht__store_run(conn, steps[0], error);
    }
    if (status == HT_OK && query->box != NULL) {
        status = box_wide(conn, query, name, &wide, error);
    }
    if (status == HT_OK) {
        status = give_all(conn, query, wide, &counted, error);
    }
    /* a page that is not full tells by itself how many there are */
    bool last = counted.count < query->limit && (counted.count > 0 || query->offset == 0);
    if (matched != NULL) {
        *matched = query->offset + counted.count;
    }
    if (status == HT_OK && matched != NULL && !last) {
        status = count_matched(conn, query, name, wide, matched, error);
    }
    if (own && sqlite3_get_autocommit(conn->db) == 0) {
        (void)ht__step(steps[1]);
        ht__reset(steps[1]);
    }
    return status;
}
