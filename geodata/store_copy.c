#include "geodata/store_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "geodata/store_internal.h"

/* A table: its columns, each with its kind before it (i whole number, r real number, t text,
 * b bytes, g place), and the order in which its rows came. Numbers that a table gives by itself
 * (rowid, the seq of traffic) are given anew, in the same order. */
struct table {
    const char *name;
    const char *columns;
    const char *order;
};

static const struct table tables[] = {
    {"events", "iseq tdistrict iepoch iat_ms tactor tkind tsubject tbody thash", "district, seq"},
    {"answers", "tactor tkey trequest istatus tcontent_type tlocation tetag bbody iat_ms",
     "actor, key"},
    {"positions", "tunit its_ms ireceived_ms ilon_e7 ilat_e7 rspeed_mps rbearing_deg raccuracy_m",
     "unit, ts_ms"},
    {"fence_stays", "tunit tfence isince_ms itold_ms idwelt", "unit, fence"},
    {"webhooks",
     "tid turl ttopics tsecret icreated_ms idone_seq itries inext_try_ms ifailing_since_ms "
     "idelivered igiven_up ilast_status tlast_error ilast_ms",
     "id"},
    {"settings", "tname iversion ichanged_ms tbody", "name"},
    {"traffic", "iosm_from iosm_to tprofiles rspeed_mps iuntil_ms", "seq"},
    {"gone", "tcollection iversion", "collection"},
    {"device_seen", "tdevice iseen_ms ibattery isilent", "device"},
    {"zones_begun", "tzone ishape", "zone"},
    {"incident_places", "tincident ilon_e7 ilat_e7", "incident"},
    {"incident_notes", "tdigest tincident bsalt tnote", "digest"},
    {"incident_devices", "tcode tdevice", "code"},
    {"incident_codes_ending", "tcode", "code"},
    {"secrets", "tname bvalue", "name"},
    {"order_cards", "torder_id thousehold ilon_e7 ilat_e7 tdiets", "order_id"},
    {"order_notes", "tdigest torder_id bsalt tnote", "digest"},
    {"order_states", "torder_id inumber iclosed_ms", "order_id"},
    {"visit_notes", "tdigest towner bsalt tnote", "digest"},
    {"visit_states", "towner tsite inumber ipaper iclosed_ms", "owner"},
    {"rounds", "tround_id inumber tcollection ifrom_ms ito_ms imade_ms ichanged_ms iversion tbody",
     "round_id"},
};

static const char item_columns[] =
    "tid iversion ichanged_ms tcell tproperties tpersonal bsalt ggeometry";

/* A copy under way. */
struct copy {
    struct ht_store_reader *from;
    struct ht_store_tx *to;
    struct ht_store_copied *out;
    struct ht__room room;
    struct ht_error *error;
};

/* ---- one table ---- */

/* The text of a question for a table's columns, or of their writing (`values`). */
static void columns_add(struct ht_text *sql, const char *columns, bool pg, bool values)
{
    int place = 0;
    for (const char *at = columns; *at != '\0'; at += strspn(at, " ")) {
        char kind = *at++;
        size_t size = strcspn(at, " ");
        ht_text_add_string(sql, place++ == 0 ? "" : ", ");
        if (values) {
            ht_text_addf(sql, kind == 'g' && pg ? "ST_GeomFromWKB(?%d, 4326)" : "?%d", place);
        } else {
            ht_text_addf(sql, kind == 'g' && pg ? "ST_AsBinary(%.*s, 'NDR')" : "%.*s", (int)size,
                         at);
        }
        at += size;
    }
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

static bool is_pg(const struct ht__store_conn *conn)
{
    return conn->engine == &ht__store_pg;
}

static enum ht_status select_make(struct copy *copy, const struct table *table,
                                  struct ht__statement **out)
{
    struct ht__store_conn *conn = &copy->from->conn;
    struct ht_text sql = {0};
    ht_text_add_string(&sql, "SELECT ");
    columns_add(&sql, table->columns, is_pg(conn), false);
    ht_text_addf(&sql, " FROM %s ORDER BY %s", table->name, table->order);
    enum ht_status status = compile(conn, &sql, out, copy->error);
    ht_text_deinit(&sql);
    if (status == HT_OK) {
        ht__expect(*out, UINT64_MAX);
    }
    return status;
}

static enum ht_status insert_make(struct copy *copy, const struct table *table,
                                  struct ht__statement **out)
{
    struct ht__store_conn *conn = &copy->to->reader.conn;
    struct ht_text sql = {0};
    ht_text_addf(&sql, "INSERT INTO %s(", table->name);
    columns_add(&sql, table->columns, false, false);
    ht_text_add_string(&sql, ") VALUES(");
    columns_add(&sql, table->columns, is_pg(conn), true);
    ht_text_add_string(&sql, ")");
    enum ht_status status = compile(conn, &sql, out, copy->error);
    ht_text_deinit(&sql);
    return status;
}

/* Hands one value over; it is borrowed until the row is written. */
static enum ht_status value_copy(struct copy *copy, struct ht__statement *from, int column,
                                 struct ht__statement *to, char kind)
{
    const void *bytes = NULL;
    size_t size = 0;
    if (ht__null_at(from, column)) {
        ht__bind_null(to, column + 1);
        return HT_OK;
    }
    switch (kind) {
    case 'i':
        ht__bind_int(to, column + 1, ht__int_at(from, column));
        return HT_OK;
    case 'r':
        ht__bind_double(to, column + 1, ht__double_at(from, column));
        return HT_OK;
    case 't':
        bytes = ht__text_at(from, column);
        ht__bind_text(to, column + 1, bytes);
        return ht__store_lacks(from, column, bytes) ? HT_NOMEM : HT_OK;
    case 'b':
        bytes = ht__blob_at(from, column);
        ht__bind_blob(to, column + 1, bytes, ht__size_at(from, column));
        return ht__store_lacks(from, column, bytes) ? HT_NOMEM : HT_OK;
    default: {
        enum ht_status status = from->engine->shape_at(from, column, &copy->room, &bytes, &size);
        return status == HT_OK ? ht__bind_shape(to, column + 1, bytes, size) : status;
    }
    }
}

static enum ht_status row_copy(struct copy *copy, struct ht__statement *from,
                               struct ht__statement *to, const char *columns)
{
    int column = 0;
    for (const char *at = columns; *at != '\0'; at += strspn(at, " ")) {
        enum ht_status status = value_copy(copy, from, column++, to, *at);
        if (status != HT_OK) {
            return ht_error_set(copy->error, status, 0, NULL);
        }
        at += strcspn(at, " ");
    }
    copy->out->rows++;
    return ht__store_run(&copy->to->reader.conn, to, copy->error);
}

static enum ht_status table_copy(struct copy *copy, const struct table *table)
{
    struct ht__statement *from = NULL;
    struct ht__statement *to = NULL;
    enum ht_status status = select_make(copy, table, &from);
    if (status == HT_OK) {
        status = insert_make(copy, table, &to);
    }
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(from)) == HT__ROW) {
        status = row_copy(copy, from, to, table->columns);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&copy->from->conn, code, copy->error);
    }
    ht__finalize(from);
    ht__finalize(to);
    return status;
}

/* ---- what is in the copy already ---- */

static enum ht_status empty_row(void *user, struct ht__statement *statement)
{
    (void)user;
    (void)statement;
    return HT_EXISTS;
}

static enum ht_status empty_look(struct copy *copy, const char *name)
{
    struct ht__store_conn *conn = &copy->to->reader.conn;
    struct ht_text sql = {0};
    struct ht__statement *statement = NULL;
    ht_text_addf(&sql, "SELECT 1 FROM %s LIMIT 1", name);
    enum ht_status status = compile(conn, &sql, &statement, copy->error);
    if (status == HT_OK) {
        status = ht__store_rows(conn, statement, empty_row, NULL, copy->error);
    }
    ht__finalize(statement);
    ht_text_deinit(&sql);
    return status == HT_EXISTS
               ? ht_error_set(copy->error, HT_EXISTS, 0, "%.120s: there is something in %.40s",
                              conn->path, name)
               : status;
}

/* ---- all of them ---- */

static enum ht_status collection_copy(struct copy *copy, const struct ht_collection *collection)
{
    char name[64];
    char columns[sizeof item_columns];
    struct table table = {name, columns, "rowid"};
    (void)snprintf(name, sizeof name, "%s_item", collection->name);
    memcpy(columns, item_columns, sizeof columns);
    if (!ht__shaped(collection)) {
        *strstr(columns, " ggeometry") = '\0';
    }
    enum ht_status status = empty_look(copy, name);
    if (status == HT_OK) {
        status = ht_store_bulk_begin(copy->to, collection, copy->error);
    }
    if (status == HT_OK) {
        status = table_copy(copy, &table);
    }
    return status == HT_OK ? ht_store_bulk_end(copy->to, collection, copy->error) : status;
}

static enum ht_status speeds_copy(void *user, const struct ht_store_speeds *row)
{
    struct copy *copy = user;
    copy->out->rows++;
    return ht_store_speeds_put(copy->to, row, 1, copy->error);
}

static enum ht_status arrival_copy(void *user, const void *bytes, size_t size)
{
    struct copy *copy = user;
    copy->out->rows++;
    return ht_store_arrival_put(copy->to, bytes, size, copy->error);
}

static enum ht_status all_copy(struct copy *copy)
{
    enum ht_status status = HT_OK;
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    for (size_t i = 0; status == HT_OK && i < sizeof tables / sizeof *tables; i++) {
        status = empty_look(copy, tables[i].name);
        if (status == HT_OK) {
            status = table_copy(copy, &tables[i]);
        }
    }
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        status = collection_copy(copy, &collections[i]);
    }
    if (status == HT_OK) { /* tables that are made when something is first learned */
        status = ht_store_speeds(copy->from, speeds_copy, copy, copy->error);
    }
    return status == HT_OK ? ht_store_arrival(copy->from, arrival_copy, copy, copy->error) : status;
}

/* The chain of the copy, by what the copy itself has. */
static enum ht_status chain_look(struct copy *copy, const struct ht_store_audit *before)
{
    struct ht_store_audit *audit = &copy->out->audit;
    enum ht_status status = ht_store_audit(&copy->to->reader, audit, copy->error);
    if (status == HT_OK && (audit->broken_seq != 0 || audit->events != before->events ||
                            strcmp(audit->last_hash, before->last_hash) != 0)) {
        return ht_error_set(copy->error, HT_CHECKSUM, 0,
                            "the chain of the copy is not that of what was copied");
    }
    return status;
}

/* `from` is read within one transaction: all of it as it was when that began. */
static enum ht_status copy_within(struct copy *copy)
{
    struct ht__store_conn *conn = &copy->from->conn;
    struct ht_store_audit before;
    enum ht_status status = ht__store_exec(
        conn, ht__either(conn, "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        copy->error);
    if (status != HT_OK) {
        return status;
    }
    conn->within = true;
    conn->lost = HT_OK;
    status = ht_store_audit(copy->from, &before, copy->error);
    copy->out->audit = before;
    if (status == HT_OK && before.broken_seq != 0) {
        status = ht_error_set(copy->error, HT_CHECKSUM, 0,
                              "%.120s: event %" PRId64 " is not as it was written", conn->path,
                              before.broken_seq);
    }
    if (status == HT_OK) {
        status = all_copy(copy);
    }
    if (status == HT_OK) {
        status = chain_look(copy, &before);
    }
    conn->within = false;
    enum ht_status end = ht__store_exec(conn, "ROLLBACK", NULL); /* of what only read */
    (void)end;
    free(copy->room.data);
    return status;
}

enum ht_status ht_store_copy(const char *from, const char *to, struct ht_store_copied *out,
                             struct ht_error *error)
{
    const struct ht_store_options reading = {.mode = HT_STORE_READ_ONLY};
    const struct ht_store_options making = {.mode = HT_STORE_CREATE};
    struct ht_store *stores[2] = {NULL, NULL};
    struct copy copy = {.out = out, .error = error};
    *out = (struct ht_store_copied){0};
    enum ht_status status = ht_store_open(from, &reading, &stores[0], error);
    if (status == HT_OK) {
        status = ht_store_reader_new(stores[0], &copy.from, error);
    }
    if (status == HT_OK) {
        status = ht_store_open(to, &making, &stores[1], error);
    }
    if (status == HT_OK) {
        status = ht_store_begin(stores[1], &copy.to, error);
    }
    if (status == HT_OK) {
        status = copy_within(&copy);
        if (status == HT_OK) {
            status = ht_store_commit(copy.to, error);
        } else {
            ht_store_rollback(copy.to);
        }
    }
    ht_store_reader_free(copy.from);
    ht_store_close(stores[0]);
    ht_store_close(stores[1]);
    return status;
}
