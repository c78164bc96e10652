#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "geodata/store_internal.h"

/* Version 1. An item's properties are one JSON text, as they came; what is personal is another, so
 * that a reader without the right to it never touches it and erasure is one column. The table has
 * the collection's name with _item behind it; map programs see a view of the name itself, with the
 * known properties as columns. */
static const char base_sql[] =
    "CREATE TABLE events("
    " seq INTEGER NOT NULL, district TEXT NOT NULL, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " actor TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,"
    " hash TEXT NOT NULL, PRIMARY KEY(district, seq)) WITHOUT ROWID;"
    "CREATE INDEX events_subject ON events(subject, seq);"
    "CREATE TRIGGER events_stay BEFORE UPDATE ON events"
    " BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;"
    "CREATE TRIGGER events_last BEFORE DELETE ON events"
    " BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;"
    "CREATE TABLE answers("
    " actor TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL,"
    " content_type TEXT NOT NULL, location TEXT NOT NULL, etag TEXT NOT NULL, body BLOB NOT NULL,"
    " at_ms INTEGER NOT NULL, PRIMARY KEY(actor, key)) WITHOUT ROWID;"
    "CREATE INDEX answers_age ON answers(at_ms);"
    "CREATE TABLE positions("
    " unit TEXT NOT NULL, ts_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,"
    " lon_e7 INTEGER NOT NULL, lat_e7 INTEGER NOT NULL, speed_mps REAL, bearing_deg REAL,"
    " accuracy_m REAL, PRIMARY KEY(unit, ts_ms)) WITHOUT ROWID;";

/* BIGINT: map programs take an INTEGER for one of 32 bits. */
static const char item_sql[] =
    "CREATE TABLE @_item("
    " rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,"
    " changed_ms BIGINT NOT NULL, cell TEXT, properties TEXT NOT NULL, personal TEXT NOT NULL,"
    " salt BLOB NOT NULL);"
    "CREATE INDEX @_cell ON @_item(cell) WHERE cell IS NOT NULL;";

static const char geometry_sql[] =
    "SELECT AddGeometryColumn('@_item', 'geometry', 4326, 'GEOMETRY', 'XY', 0);"
    "SELECT CreateSpatialIndex('@_item', 'geometry');"
    "INSERT INTO views_geometry_columns(view_name, view_geometry, view_rowid, f_table_name,"
    " f_geometry_column, read_only) VALUES('@', 'geometry', 'rowid', '@_item', 'geometry', 1);";

static enum ht_status run_for(struct ht__store_conn *conn, const char *sql,
                              const struct ht_collection *collection, struct ht_error *error)
{
    char text[2048];
    size_t size = 0;
    for (const char *at = sql; *at != '\0' && size + 64 < sizeof text; at++) {
        if (*at == '@') {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s", collection->name);
        } else {
            text[size++] = *at;
        }
    }
    text[size] = '\0';
    return ht__store_call(conn, text, error);
}

/* What a view's column shows: a property, and of devices when they were heard, with what battery.
 */
static int column_write(char *sql, size_t size, const char *collection,
                        const struct ht_property *property)
{
    const char *name = property->name;
    if (strcmp(collection, "devices") == 0 && strcmp(name, "battery") == 0) {
        return snprintf(sql, size,
                        ", coalesce((SELECT battery FROM device_seen WHERE device = id), "
                        "%s->>'%s') AS \"%s\"",
                        HT__HALF(property), name, name);
    }
    return strcmp(collection, "devices") == 0 && strcmp(name, "last_seen") == 0
               ? snprintf(sql, size,
                          ", coalesce((SELECT strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', seen_ms / "
                          "1000.0, 'unixepoch') FROM device_seen WHERE device = id), "
                          "%s->>'%s') AS \"%s\"",
                          HT__HALF(property), name, name)
               : snprintf(sql, size, ", %s->>'%s' AS \"%s\"", HT__HALF(property), name, name);
}

/* CREATE VIEW households AS SELECT rowid AS rowid, id, ..., properties->>'floor' AS "floor", ... */
static enum ht_status view_make(struct ht__store_conn *conn, const struct ht_collection *collection,
                                struct ht_error *error)
{
    char sql[4096];
    size_t size = 0;
    const char *name = collection->name;
    size +=
        (size_t)snprintf(sql, sizeof sql,
                         "CREATE VIEW %s AS SELECT rowid AS rowid, id AS id, version AS version,"
                         " changed_ms AS changed_ms, cell AS cell",
                         name);
    const struct ht_property *properties = collection->properties;
    for (size_t i = 0; i < collection->property_count && size + 256 < sizeof sql; i++) {
        /* a cell is a column of its own; a device's key is nobody's to look at */
        if (strcmp(properties[i].name, "cell") != 0 && strcmp(properties[i].name, "key") != 0) {
            size += (size_t)column_write(sql + size, sizeof sql - size, name, &properties[i]);
        }
    }
    (void)snprintf(sql + size, sizeof sql - size, "%s FROM %s_item",
                   ht__shaped(collection) ? ", geometry AS geometry" : "", name);
    return ht__store_exec(conn, sql, error);
}

static enum ht_status schema_1(struct ht__store_conn *conn, struct ht_error *error)
{
    enum ht_status status = ht__store_call(conn, "SELECT InitSpatialMetaData(0, 'WGS84')", error);
    if (status == HT_OK) {
        status = ht__store_exec(conn, base_sql, error);
    }
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    for (size_t c = 0; status == HT_OK && c < count; c++) {
        status = run_for(conn, item_sql, &collections[c], error);
        if (status == HT_OK) {
            status = view_make(conn, &collections[c], error);
        }
        if (status == HT_OK && ht__shaped(&collections[c])) {
            status = run_for(conn, geometry_sql, &collections[c], error);
        }
    }
    return status;
}

/* Version 2: who is within which fence, webhooks, settings; zones show the time to dwell. */
static const char second_sql[] =
    "CREATE TABLE fence_stays("
    " unit TEXT NOT NULL, fence TEXT NOT NULL, since_ms INTEGER NOT NULL, told_ms INTEGER NOT NULL,"
    " dwelt INTEGER NOT NULL, PRIMARY KEY(unit, fence)) WITHOUT ROWID;"
    "CREATE TABLE webhooks("
    " id TEXT NOT NULL PRIMARY KEY, url TEXT NOT NULL, topics TEXT NOT NULL, secret TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, done_seq INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " next_try_ms INTEGER NOT NULL, failing_since_ms INTEGER NOT NULL, delivered INTEGER NOT NULL,"
    " given_up INTEGER NOT NULL, last_status INTEGER NOT NULL, last_error TEXT NOT NULL,"
    " last_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE settings("
    " name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " body TEXT NOT NULL) WITHOUT ROWID;"
    "DROP VIEW zones;";

static enum ht_status schema_2(struct ht__store_conn *conn, struct ht_error *error)
{
    enum ht_status status = ht__store_exec(conn, second_sql, error);
    return status == HT_OK ? view_make(conn, ht_collection_find("zones", strlen("zones")), error)
                           : status;
}

/* Version 3. Indices on the properties that are asked by. SQLite's own operators alone, so that
 * every other program can still write the table. A property that becomes indexed later needs a
 * version that does the same again. */
static enum ht_status schema_3(struct ht__store_conn *conn, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    for (size_t c = 0; c < count; c++) {
        const char *name = collections[c].name;
        for (size_t i = 0; status == HT_OK && i < collections[c].property_count; i++) {
            const struct ht_property *property = &collections[c].properties[i];
            char sql[320];
            if (property->indexed) {
                (void)snprintf(sql, sizeof sql,
                               "CREATE INDEX IF NOT EXISTS %s_%s ON %s_item(%s->>'%s')"
                               " WHERE %s->>'%s' IS NOT NULL",
                               name, property->name, name, HT__HALF(property), property->name,
                               HT__HALF(property), property->name);
                status = ht__store_exec(conn, sql, error);
            }
        }
    }
    return status;
}

/* Version 4: what was said about the streets. */
static const char fourth_sql[] =
    "CREATE TABLE traffic("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, osm_from INTEGER NOT NULL, osm_to INTEGER NOT NULL,"
    " profiles TEXT NOT NULL, speed_mps REAL NOT NULL, until_ms INTEGER NOT NULL,"
    " UNIQUE(osm_from, osm_to, profiles));";

static enum ht_status schema_4(struct ht__store_conn *conn, struct ht_error *error)
{
    return ht__store_exec(conn, fourth_sql, error);
}

/* Version 5: the highest version that an item had that is gone, kept by the table itself, whoever
 * deletes; when devices were heard last, beside them since that is no change of the item;
 * which closed zones have begun, and with what border; what belongs to incidents and can be erased:
 * where they were, what was noted of them, whose device stands behind a code (events hold none of
 * it). */
static const char fifth_sql[] =
    "CREATE TABLE gone(collection TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE device_seen(device TEXT NOT NULL PRIMARY KEY, seen_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TRIGGER device_seen_ends AFTER DELETE ON devices_item BEGIN"
    " DELETE FROM device_seen WHERE device = OLD.id; END;"
    "CREATE TABLE zones_begun(zone TEXT NOT NULL PRIMARY KEY, shape INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE incident_places("
    " incident TEXT NOT NULL PRIMARY KEY, lon_e7 INTEGER NOT NULL, lat_e7 INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE incident_notes("
    " digest TEXT NOT NULL PRIMARY KEY, incident TEXT NOT NULL, salt BLOB NOT NULL,"
    " note TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX incident_notes_of ON incident_notes(incident);"
    "CREATE TABLE incident_devices("
    " code TEXT NOT NULL PRIMARY KEY, device TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE secrets(name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "DROP VIEW devices;";

static enum ht_status schema_5(struct ht__store_conn *conn, struct ht_error *error)
{
    static const char trigger[] =
        "CREATE TRIGGER %s_gone AFTER DELETE ON %s_item BEGIN"
        " INSERT OR REPLACE INTO gone SELECT '%s', max(OLD.version,"
        " coalesce((SELECT version FROM gone WHERE collection = '%s'), 0)); END;";
    enum ht_status status = ht__store_exec(conn, fifth_sql, error);
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    for (size_t c = 0; c < count && status == HT_OK; c++) {
        char sql[320];
        const char *name = collections[c].name;
        (void)snprintf(sql, sizeof sql, trigger, name, name, name, name);
        status = ht__store_exec(conn, sql, error);
    }
    return status == HT_OK
               ? view_make(conn, ht_collection_find("devices", strlen("devices")), error)
               : status;
}

/* Version 6: who stands behind a code in events is forgotten with the device, with the household
 * that it watches over, and where what is personal of that household is erased. A device that gives
 * an alarm afterwards has another code. */
static const char sixth_sql[] =
    "CREATE INDEX incident_devices_of ON incident_devices(device);"
    "CREATE TRIGGER incident_devices_end AFTER DELETE ON devices_item BEGIN"
    " DELETE FROM incident_devices WHERE device = OLD.id; END;"
    "CREATE TRIGGER incident_homes_end AFTER DELETE ON households_item BEGIN"
    " DELETE FROM incident_devices WHERE device IN"
    " (SELECT id FROM devices_item WHERE personal->>'household' = OLD.id); END;"
    "CREATE TRIGGER incident_homes_erased AFTER UPDATE OF personal ON households_item"
    " WHEN NEW.personal = '{}' AND OLD.personal <> '{}' BEGIN"
    " DELETE FROM incident_devices WHERE device IN"
    " (SELECT id FROM devices_item WHERE personal->>'household' = OLD.id); END;";

static enum ht_status schema_6(struct ht__store_conn *conn, struct ht_error *error)
{
    return ht__store_exec(conn, sixth_sql, error);
}

/* Version 7: what belongs to orders and can be erased (events hold none of it): where they go, what
 * was noted, and diets, which say something of somebody's health. Diets and notes go with the
 * household and with what is personal of it. And which orders there are, by the number of their
 * first event, and when each was over (0: it is not): a start need not read all that ever was. */
static const char seventh_sql[] =
    "CREATE TABLE order_cards("
    " order_id TEXT NOT NULL PRIMARY KEY, household TEXT, lon_e7 INTEGER NOT NULL,"
    " lat_e7 INTEGER NOT NULL, diets TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX order_cards_of ON order_cards(household) WHERE household IS NOT NULL;"
    "CREATE TABLE order_notes("
    " digest TEXT NOT NULL PRIMARY KEY, order_id TEXT NOT NULL, salt BLOB NOT NULL,"
    " note TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX order_notes_of ON order_notes(order_id);"
    "CREATE TABLE order_states("
    " order_id TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL UNIQUE,"
    " closed_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX order_states_closed ON order_states(closed_ms);"
    "CREATE TRIGGER order_homes_end AFTER DELETE ON households_item BEGIN"
    " DELETE FROM order_notes WHERE order_id IN"
    " (SELECT order_id FROM order_cards WHERE household = OLD.id);"
    " UPDATE order_cards SET diets = '' WHERE household = OLD.id; END;"
    "CREATE TRIGGER order_homes_erased AFTER UPDATE OF personal ON households_item"
    " WHEN NEW.personal = '{}' AND OLD.personal <> '{}' BEGIN"
    " DELETE FROM order_notes WHERE order_id IN"
    " (SELECT order_id FROM order_cards WHERE household = OLD.id);"
    " UPDATE order_cards SET diets = '' WHERE household = OLD.id; END;";

static enum ht_status schema_7(struct ht__store_conn *conn, struct ht_error *error)
{
    return ht__store_exec(conn, seventh_sql, error);
}

/* Version 8: codes of devices that are to be forgotten once no open incident needs them. Properties
 * that came since a view was made are columns of it; any later one needs a version that does the
 * same again. */
static const char eighth_sql[] =
    "CREATE TABLE incident_codes_ending(code TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TRIGGER incident_codes_end AFTER DELETE ON incident_devices BEGIN"
    " DELETE FROM incident_codes_ending WHERE code = OLD.code; END;";

static enum ht_status schema_8(struct ht__store_conn *conn, struct ht_error *error)
{
    enum ht_status status = ht__store_exec(conn, eighth_sql, error);
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    for (size_t c = 0; c < count && status == HT_OK; c++) {
        char sql[96];
        (void)snprintf(sql, sizeof sql, "DROP VIEW %s", collections[c].name);
        status = ht__store_exec(conn, sql, error);
        if (status == HT_OK) {
            status = view_make(conn, &collections[c], error);
        }
    }
    return status;
}

/* Version 9: what was written down of visits and rectifications, which can be erased (events hold
 * none of it), and which there are. Notes of visits to a home go with what is personal of it. */
static const char ninth_sql[] =
    "CREATE TABLE visit_notes("
    " digest TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, salt BLOB NOT NULL,"
    " note TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX visit_notes_of ON visit_notes(owner);"
    "CREATE TABLE visit_states("
    " owner TEXT NOT NULL PRIMARY KEY, site TEXT NOT NULL, number INTEGER NOT NULL UNIQUE,"
    " paper INTEGER NOT NULL, closed_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX visit_states_closed ON visit_states(closed_ms);"
    "CREATE INDEX visit_states_paper ON visit_states(paper);"
    "CREATE INDEX visit_states_site ON visit_states(site);"
    "CREATE TRIGGER visit_homes_end AFTER DELETE ON households_item BEGIN"
    " DELETE FROM visit_notes WHERE owner IN"
    " (SELECT owner FROM visit_states WHERE site = OLD.id)"
    " AND NOT EXISTS (SELECT 1 FROM factories_item WHERE id = OLD.id)"
    " AND NOT EXISTS (SELECT 1 FROM facilities_item WHERE id = OLD.id); END;"
    "CREATE TRIGGER visit_homes_erased AFTER UPDATE OF personal ON households_item"
    " WHEN NEW.personal = '{}' AND OLD.personal <> '{}' BEGIN"
    " DELETE FROM visit_notes WHERE owner IN"
    " (SELECT owner FROM visit_states WHERE site = OLD.id)"
    " AND NOT EXISTS (SELECT 1 FROM factories_item WHERE id = OLD.id)"
    " AND NOT EXISTS (SELECT 1 FROM facilities_item WHERE id = OLD.id); END;";

static enum ht_status schema_9(struct ht__store_conn *conn, struct ht_error *error)
{
    return ht__store_exec(conn, ninth_sql, error);
}

/* Version 10: plans of rounds. They hold ids, of households too: who may see which is the caller's
 * matter. */
static const char tenth_sql[] =
    "CREATE TABLE rounds("
    " round_id TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL UNIQUE,"
    " collection TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
    " made_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, version INTEGER NOT NULL,"
    " body TEXT NOT NULL);";

static enum ht_status schema_10(struct ht__store_conn *conn, struct ht_error *error)
{
    return ht__store_exec(conn, tenth_sql, error);
}

/* Version 11: a device's battery as it tells it, and whether its silence was told. */
static const char eleventh_sql[] =
    "DROP VIEW devices;"
    "ALTER TABLE device_seen ADD COLUMN battery INTEGER;"
    "ALTER TABLE device_seen ADD COLUMN silent INTEGER NOT NULL DEFAULT 0;";

static enum ht_status schema_11(struct ht__store_conn *conn, struct ht_error *error)
{
    enum ht_status status = ht__store_exec(conn, eleventh_sql, error);
    return status == HT_OK
               ? view_make(conn, ht_collection_find("devices", strlen("devices")), error)
               : status;
}

/* From version i to i + 1. */
static enum ht_status (*const steps[HT__STORE_SCHEMA])(struct ht__store_conn *,
                                                       struct ht_error *) = {
    schema_1, schema_2, schema_3, schema_4,  schema_5, schema_6,
    schema_7, schema_8, schema_9, schema_10, schema_11};

static enum ht_status number(struct ht__store_conn *conn, const char *sql, int64_t *out,
                             struct ht_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(conn->db, sql, -1, &statement, NULL);
    code = code == SQLITE_OK ? sqlite3_step(statement) : code;
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    }
    enum ht_status status = code == SQLITE_ROW ? HT_OK : ht__store_fail(conn, code, error);
    (void)sqlite3_finalize(statement);
    return status;
}

/* `*version`: of the schema, 0 where the file is empty. */
static enum ht_status version_of(struct ht__store_conn *conn, int64_t *version,
                                 struct ht_error *error)
{
    int64_t application = 0;
    int64_t things = 0;
    enum ht_status status = number(conn, "PRAGMA application_id", &application, error);
    if (status == HT_OK) {
        status = number(conn, "SELECT count(*) FROM sqlite_schema", &things, error);
    }
    if (status == HT_OK) {
        status = number(conn, "PRAGMA user_version", version, error);
    }
    if (status == HT_OK && things > 0 && application != HT__STORE_APPLICATION) {
        return ht_error_set(error, HT_FOREIGN, 0,
                            "%.120s: a database of another program, not a houtao store",
                            conn->path);
    }
    if (status == HT_OK && *version > HT__STORE_SCHEMA) {
        return ht_error_set(error, HT_VERSION, 0,
                            "%.120s: made by a newer houtao (schema %" PRId64
                            ", this one knows %d); install that one",
                            conn->path, *version, HT__STORE_SCHEMA);
    }
    return status;
}

enum ht_status ht__store_recognize(struct ht__store_conn *conn, struct ht_error *error)
{
    int64_t version = 0;
    enum ht_status status = version_of(conn, &version, error);
    if (status == HT_OK && version < HT__STORE_SCHEMA) {
        return ht_error_set(error, version == 0 ? HT_FOREIGN : HT_VERSION, 0,
                            version == 0
                                ? "%.120s: empty, not a houtao store"
                                : "%.120s: made by an older houtao; open it for writing once",
                            conn->path);
    }
    return status;
}

static enum ht_status migrate_within(struct ht__store_conn *conn, bool create,
                                     struct ht_error *error)
{
    int64_t version = 0;
    enum ht_status status = version_of(conn, &version, error);
    if (status == HT_OK && version == 0 && !create) {
        return ht_error_set(error, HT_FOREIGN, 0, "%.120s: empty, not a houtao store", conn->path);
    }
    for (int64_t v = version; status == HT_OK && v < HT__STORE_SCHEMA; v++) {
        status = steps[v](conn, error);
    }
    if (status == HT_OK && version < HT__STORE_SCHEMA) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
                       HT__STORE_APPLICATION, HT__STORE_SCHEMA);
        status = ht__store_exec(conn, sql, error);
    }
    return status;
}

enum ht_status ht__store_migrate(struct ht__store_conn *conn, bool create, struct ht_error *error)
{
    int64_t version = 0;
    enum ht_status status = version_of(conn, &version, error);
    if (status != HT_OK || version == HT__STORE_SCHEMA) {
        return status;
    }
    /* looked at again within: another process may make it at the same time */
    status = ht__store_exec(conn, "BEGIN IMMEDIATE", error);
    if (status == HT_OK) {
        status = migrate_within(conn, create, error);
        if (status == HT_OK) {
            status = ht__store_exec(conn, "COMMIT", error);
        }
        if (sqlite3_get_autocommit(conn->db) == 0) {
            (void)sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return status;
}
