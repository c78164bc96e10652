/* Asking PostgreSQL for items: by place, by when they were changed, by what they are. */
#include <stdlib.h>
#include <string.h>

#include "geodata/pg_internal.h"

/* A question as it is written: its text, and what is bound to its places in turn. */
struct question {
    const struct ht_store_query *query;
    struct ht_text sql;
    int places;
    bool first;
};

static void add_place(struct question *question)
{
    ht_text_addf(&question->sql, "?%d", ++question->places);
}

static void add_and(struct question *question)
{
    ht_text_add_string(&question->sql, question->first ? " WHERE " : " AND ");
    question->first = false;
}

static bool is_cell(const struct ht_store_filter *filter)
{
    return strcmp(filter->name, "cell") == 0;
}

static bool is_numeric(const struct ht_property *property)
{
    return property->type == HT_PROPERTY_NUMBER || property->type == HT_PROPERTY_INTEGER;
}

/* The index of places holds single precision, rounded outwards; what comes after it is exact.
 * ?1 to ?4: west, south, east, north. */
static void add_box(struct question *question)
{
    const struct ht_box *box = question->query->box;
    bool around = box->min.lon_e7 > box->max.lon_e7;
    add_and(question);
    ht_text_add_string(&question->sql,
                       around ? "(geometry && ST_MakeEnvelope(?1, ?2, 180, ?4, 4326)"
                                " OR geometry && ST_MakeEnvelope(-180, ?2, ?3, ?4, 4326))"
                                " AND (ST_XMin(geometry) <= ?3 OR ST_XMax(geometry) >= ?1)"
                              : "geometry && ST_MakeEnvelope(?1, ?2, ?3, ?4, 4326)"
                                " AND ST_XMin(geometry) <= ?3 AND ST_XMax(geometry) >= ?1");
    ht_text_add_string(&question->sql, " AND ST_YMin(geometry) <= ?4 AND ST_YMax(geometry) >= ?2");
    question->places = 4;
}

/* What is said of a property that may be in a list, or that nobody knows. */
static void add_any(struct question *question, const struct ht_store_filter *filter)
{
    struct ht_text *sql = &question->sql;
    int name = question->places + 1;
    const char *half = HT__HALF(filter);
    ht_text_addf(sql,
                 "EXISTS(SELECT 1 FROM json_array_elements(CASE json_typeof(%s->?%d::text)"
                 " WHEN 'array' THEN %s->?%d::text"
                 " WHEN 'object' THEN (SELECT json_agg(value) FROM json_each(%s->?%d::text))"
                 " ELSE json_build_array(%s->?%d::text) END) j(value)"
                 " WHERE CASE json_typeof(j.value) WHEN 'object' THEN j.value->>'id'"
                 " WHEN 'null' THEN NULL ELSE j.value#>>'{}' END = ?%d",
                 half, name, half, name, half, name, half, name, name + 1);
    question->places += 2;
    if (ht__is_number(filter->value)) {
        ht_text_add_string(sql, " OR (CASE json_typeof(j.value) WHEN 'number' THEN"
                                " (j.value#>>'{}')::double precision END) = ");
        add_place(question);
    }
    ht_text_add_char(sql, ')');
}

static void add_filter(struct question *question, const struct ht_store_filter *filter)
{
    const struct ht_property *property = ht__single_property(question->query, filter);
    add_and(question);
    if (is_cell(filter)) {
        ht_text_add_string(&question->sql, "cell = ");
        add_place(question);
    } else if (property != NULL) {
        ht__pg_add_property(&question->sql, property);
        ht_text_add_string(&question->sql, " = ");
        add_place(question);
        ht_text_add_string(&question->sql, is_numeric(property) ? "::double precision"
                                           : property->type == HT_PROPERTY_BOOL ? "::boolean"
                                                                                : "");
    } else {
        add_any(question, filter);
    }
}

static void add_where(struct question *question)
{
    const struct ht_store_query *query = question->query;
    ht_text_addf(&question->sql, " FROM %s_item", query->collection->name);
    question->first = true;
    if (query->box != NULL) {
        add_box(question);
    }
    if (query->from_ms != INT64_MIN || query->until_ms != INT64_MAX) {
        add_and(question);
        ht_text_add_string(&question->sql, "changed_ms BETWEEN ");
        add_place(question);
        ht_text_add_string(&question->sql, " AND ");
        add_place(question);
    }
    for (size_t i = 0; i < query->filter_count; i++) {
        add_filter(question, &query->filters[i]);
    }
}

/* The value of a filter as the property has it; NULL, which equals nothing, where it can't have it.
 */
static void bind_single(struct ht__statement *statement, int place,
                        const struct ht_property *property, const char *value)
{
    bool truth = property->type == HT_PROPERTY_BOOL;
    if (is_numeric(property) && ht__is_number(value)) {
        ht__bind_double(statement, place, strtod(value, NULL));
    } else if (is_numeric(property) ||
               (truth && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)) {
        ht__bind_null(statement, place);
    } else {
        ht__bind_text(statement, place, value);
    }
}

/* In the order of add_where; returns the number of the last place. */
static int bind_where(struct ht__statement *statement, const struct ht_store_query *query)
{
    int place = 0;
    if (query->box != NULL) {
        ht__bind_double(statement, ++place, query->box->min.lon_e7 / 1e7);
        ht__bind_double(statement, ++place, query->box->min.lat_e7 / 1e7);
        ht__bind_double(statement, ++place, query->box->max.lon_e7 / 1e7);
        ht__bind_double(statement, ++place, query->box->max.lat_e7 / 1e7);
    }
    if (query->from_ms != INT64_MIN || query->until_ms != INT64_MAX) {
        ht__bind_int(statement, ++place, query->from_ms);
        ht__bind_int(statement, ++place, query->until_ms);
    }
    for (size_t i = 0; i < query->filter_count; i++) {
        const struct ht_store_filter *filter = &query->filters[i];
        const struct ht_property *property = ht__single_property(query, filter);
        if (is_cell(filter)) {
            ht__bind_text(statement, ++place, filter->value);
        } else if (property != NULL) {
            bind_single(statement, ++place, property, filter->value);
        } else {
            ht__bind_text(statement, ++place, filter->name);
            ht__bind_text(statement, ++place, filter->value);
            if (ht__is_number(filter->value)) {
                ht__bind_double(statement, ++place, strtod(filter->value, NULL));
            }
        }
    }
    return place;
}

static enum ht_status compile(struct ht__store_conn *conn, const struct question *question,
                              struct ht__statement **out, struct ht_error *error)
{
    if (question->sql.failed) {
        (void)ht_error_set(error, HT_NOMEM, 0, NULL);
        return HT_NOMEM;
    }
    enum ht_status status = ht__pg_prepare(conn, question->sql.data, out, error);
    if (status == HT_OK) {
        ht__pg_once(*out);
    }
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

struct giving {
    struct counted *counted;
    struct ht__room room;
    struct ht_error *error;
};

static enum ht_status give_row(void *user, struct ht__statement *statement)
{
    struct giving *giving = user;
    return ht__item_give(statement, &giving->room, count_sink, giving->counted, giving->error);
}

static enum ht_status give_all(struct ht__store_conn *conn, const struct ht_store_query *query,
                               struct counted *counted, struct ht_error *error)
{
    struct question question = {.query = query};
    struct ht__statement *statement = NULL;
    struct giving giving = {.counted = counted, .error = error};
    ht_text_addf(&question.sql, "SELECT id, version, changed_ms, cell, properties, %s, %s",
                 ht__shaped(query->collection) ? "ST_AsBinary(geometry, 'NDR')" : "NULL",
                 query->personal ? "personal" : "NULL");
    add_where(&question);
    ht_text_addf(&question.sql, " ORDER BY rowid LIMIT ?%d OFFSET ?%d", question.places + 1,
                 question.places + 2);
    enum ht_status status = compile(conn, &question, &statement, error);
    if (status == HT_OK) {
        int place = bind_where(statement, query);
        ht__bind_int(statement, place + 1, ht__limit(query->limit));
        ht__bind_int(statement, place + 2, ht__limit(query->offset));
        ht__expect(statement, query->limit);
        status = ht__store_rows(conn, statement, give_row, &giving, error);
    }
    ht__finalize(statement);
    ht_text_deinit(&question.sql);
    return status;
}

static enum ht_status matched_row(void *user, struct ht__statement *statement)
{
    uint64_t *matched = user;
    *matched = (uint64_t)ht__int_at(statement, 0);
    return HT_OK;
}

static enum ht_status count_matched(struct ht__store_conn *conn, const struct ht_store_query *query,
                                    uint64_t *matched, struct ht_error *error)
{
    struct question question = {.query = query};
    struct ht__statement *statement = NULL;
    ht_text_add_string(&question.sql, "SELECT count(*)");
    add_where(&question);
    enum ht_status status = compile(conn, &question, &statement, error);
    if (status == HT_OK) {
        int last = bind_where(statement, query);
        (void)last;
        status = ht__store_rows(conn, statement, matched_row, matched, error);
    }
    ht__finalize(statement);
    ht_text_deinit(&question.sql);
    return status;
}

/* Both questions see one state where both may be asked. */
static enum ht_status both_begin(struct ht__store_conn *conn, struct ht_error *error)
{
    PGresult *result = ht__pg_ask(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", true);
    if (result == NULL) {
        return ht__pg_fail(conn, HT__PG_ERROR, error);
    }
    ht__pq()->PQclear(result);
    conn->within = true;
    conn->lost = HT_OK;
    return HT_OK;
}

static void both_end(struct ht__store_conn *conn)
{
    conn->within = false;
    ht__pq()->PQclear(ht__pg_ask(conn, "ROLLBACK", false)); /* of what only read */
}

enum ht_status ht__pg_items(struct ht_store_reader *reader, const struct ht_store_query *query,
                            ht__item_sink *sink, void *user, uint64_t *matched,
                            struct ht_error *error)
{
    struct ht__store_conn *conn = &reader->conn;
    struct counted counted = {sink, user, 0};
    bool counts = matched != NULL && query->limit != UINT64_MAX;
    bool own = counts && !conn->within && conn->pg->cursors == 0;
    enum ht_status status = own ? both_begin(conn, error) : HT_OK;
    if (status != HT_OK) {
        return status;
    }
    status = give_all(conn, query, &counted, error);
    /* a page that is not full tells by itself how many there are */
    bool last = counted.count < query->limit && (counted.count > 0 || query->offset == 0);
    if (matched != NULL) {
        *matched = query->offset + counted.count;
    }
    if (status == HT_OK && matched != NULL && !last) {
        status = count_matched(conn, query, matched, error);
    }
    if (own) {
        both_end(conn);
    }
    return status;
}
