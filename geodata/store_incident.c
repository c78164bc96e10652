/* What belongs to incidents and can be erased: places, notes, names of devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/digest.h"
#include "geodata/store_internal.h"

static void bind_text(struct ht__statement *statement, int place, const char *text)
{
    ht__bind_text(statement, place, text);
}

static const char *text_at(struct ht__statement *statement, int column)
{
    const char *text = ht__text_at(statement, column);
    return text == NULL ? "" : text;
}

/* ---- places ---- */

enum ht_status ht_store_place_put(struct ht_store_tx *tx, const struct ht_store_place *place,
                                  struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO incident_places(incident, lon_e7, lat_e7) VALUES(?1,?2,?3)"
        " ON CONFLICT(incident) DO UPDATE SET lon_e7 = excluded.lon_e7, lat_e7 = excluded.lat_e7";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, place->incident);
    ht__bind_int(statement, 2, place->point.lon_e7);
    ht__bind_int(statement, 3, place->point.lat_e7);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct places {
    enum ht_status (*sink)(void *user, const struct ht_store_place *place);
    void *user;
};

static enum ht_status place_row(void *user, struct ht__statement *statement)
{
    const struct places *places = user;
    const struct ht_store_place place = {
        text_at(statement, 0),
        {(int32_t)ht__int_at(statement, 1), (int32_t)ht__int_at(statement, 2)}};
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0))
               ? HT_NOMEM
               : places->sink(places->user, &place);
}

/* Prepares the one of two statements that asks for all or (with one text) for some. */
static enum ht_status prepare_for(struct ht_store_reader *reader, const char *all, const char *some,
                                  const char *text, struct ht__statement **statement,
                                  struct ht_error *error)
{
    enum ht_status status =
        ht__store_prepare(&reader->conn, text == NULL ? all : some, NULL, statement, error);
    if (status == HT_OK && text != NULL) {
        bind_text(*statement, 1, text);
    }
    return status;
}

enum ht_status ht_store_places(struct ht_store_reader *reader, const char *incident,
                               enum ht_status (*sink)(void *user,
                                                      const struct ht_store_place *place),
                               void *user, struct ht_error *error)
{
    static const char all[] = "SELECT incident, lon_e7, lat_e7 FROM incident_places"
                              " ORDER BY incident";
    static const char one[] =
        "SELECT incident, lon_e7, lat_e7 FROM incident_places WHERE incident = ?1";
    struct places places = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = prepare_for(reader, all, one, incident, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, place_row, &places, error)
                           : status;
}

/* ---- notes ---- */

enum { SALT = 16 };

static enum ht_status note_digest(const unsigned char salt[SALT], const char *text, char digest[65])
{
    struct ht_digest sum;
    enum ht_status status = ht_digest_init(&sum);
    if (status == HT_OK) {
        ht_digest_begin(&sum);
        ht_digest_add(&sum, salt, SALT);
        ht_digest_add(&sum, text, strlen(text));
        status = ht_digest_end(&sum, digest);
    }
    ht_digest_deinit(&sum);
    return status;
}

enum ht_status ht__store_note_put(struct ht_store_tx *tx, const char *sql, const char *owner,
                                  const char *text, char digest[65], struct ht_error *error)
{
    unsigned char salt[SALT];
    struct ht__statement *statement = NULL;
    enum ht_status status = ht_random_bytes(salt, sizeof salt);
    if (status == HT_OK) {
        status = note_digest(salt, text, digest);
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, digest);
    bind_text(statement, 2, owner);
    ht__bind_blob(statement, 3, salt, sizeof salt);
    bind_text(statement, 4, text);
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status ht_store_note_put(struct ht_store_tx *tx, const char *incident, const char *text,
                                 char digest[65], struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO incident_notes(digest, incident, salt, note) VALUES(?1,?2,?3,?4)";
    return ht__store_note_put(tx, sql, incident, text, digest, error);
}

struct notes {
    enum ht_status (*sink)(void *user, const struct ht_store_note *note);
    void *user;
};

static enum ht_status note_row(void *user, struct ht__statement *statement)
{
    const struct notes *notes = user;
    const struct ht_store_note note = {text_at(statement, 1), text_at(statement, 0),
                                       text_at(statement, 2)};
    for (int column = 0; column < 3; column++) {
        if (ht__store_lacks(statement, column, ht__text_at(statement, column))) {
            return HT_NOMEM;
        }
    }
    return notes->sink(notes->user, &note);
}

enum ht_status ht__store_notes(struct ht_store_reader *reader, const char *sql, const char *owner,
                               enum ht_status (*sink)(void *user, const struct ht_store_note *note),
                               void *user, struct ht_error *error)
{
    struct notes notes = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = prepare_for(reader, sql, sql, owner, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, note_row, &notes, error)
                           : status;
}

enum ht_status ht_store_notes(struct ht_store_reader *reader, const char *incident,
                              enum ht_status (*sink)(void *user, const struct ht_store_note *note),
                              void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT digest, incident, note FROM incident_notes WHERE incident = ?1";
    return ht__store_notes(reader, sql, incident, sink, user, error);
}

/* ---- codes of devices ---- */

static enum ht_status code_find(void *user, struct ht__statement *statement)
{
    char *code = user;
    const char *text = ht__text_at(statement, 0);
    if (text == NULL || strlen(text) >= HT_STORE_CODE) {
        return ht__store_lacks(statement, 0, text) ? HT_NOMEM : HT_CHECKSUM;
    }
    memcpy(code, text, strlen(text) + 1);
    return HT_OK;
}

static enum ht_status code_make(struct ht_store_tx *tx, const char *device,
                                char code[HT_STORE_CODE], struct ht_error *error)
{
    static const char sql[] = "INSERT INTO incident_devices(code, device) VALUES(?1,?2)";
    unsigned char chance[(HT_STORE_CODE - 1) / 2];
    struct ht__statement *statement = NULL;
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    for (size_t i = 0; i < sizeof chance; i++) {
        (void)snprintf(code + 2 * i, 3, "%02x", chance[i]);
    }
    status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, code);
    bind_text(statement, 2, device);
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status ht_store_code_of(struct ht_store_tx *tx, const char *device,
                                char code[HT_STORE_CODE], struct ht_error *error)
{
    static const char sql[] = "SELECT code FROM incident_devices WHERE device = ?1 LIMIT 1";
    struct ht__statement *statement = NULL;
    code[0] = '\0';
    enum ht_status status = prepare_for(&tx->reader, sql, sql, device, &statement, error);
    if (status == HT_OK) {
        status = ht__store_rows(&tx->reader.conn, statement, code_find, code, error);
    }
    return status == HT_OK && code[0] == '\0' ? code_make(tx, device, code, error) : status;
}

struct codes {
    enum ht_status (*sink)(void *user, const struct ht_store_code *code);
    void *user;
};

static enum ht_status code_row(void *user, struct ht__statement *statement)
{
    const struct codes *codes = user;
    const struct ht_store_code code = {text_at(statement, 0), text_at(statement, 1)};
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0)) ||
                   ht__store_lacks(statement, 1, ht__text_at(statement, 1))
               ? HT_NOMEM
               : codes->sink(codes->user, &code);
}

enum ht_status ht_store_codes(struct ht_store_reader *reader, const char *code,
                              enum ht_status (*sink)(void *user, const struct ht_store_code *code),
                              void *user, struct ht_error *error)
{
    static const char all[] = "SELECT code, device FROM incident_devices ORDER BY code";
    static const char one[] = "SELECT code, device FROM incident_devices WHERE code = ?1";
    struct codes codes = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = prepare_for(reader, all, one, code, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, code_row, &codes, error)
                           : status;
}

/* ---- erasure ---- */

static enum ht_status run_with(struct ht_store_tx *tx, const char *sql, const char *text,
                               struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, text);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_code_end(struct ht_store_tx *tx, const char *code, struct ht_error *error)
{
    static const char sql[] = "DELETE FROM incident_devices WHERE code = ?1"
                              " AND code IN (SELECT code FROM incident_codes_ending)";
    return run_with(tx, sql, code, error);
}

static enum ht_status past_row(void *user, struct ht__statement *statement)
{
    struct ht_store_incident_past *past = user;
    past->opened_ms = ht__null_at(statement, 0) ? INT64_MAX : ht__int_at(statement, 0);
    past->over = ht__int_at(statement, 1) != 0;
    past->kept = ht__int_at(statement, 2) != 0;
    return HT_OK;
}

enum ht_status ht_store_incident_past(struct ht_store_tx *tx, const char *incident,
                                      struct ht_store_incident_past *out, struct ht_error *error)
{
    static const char sql[] =
        "SELECT (SELECT at_ms FROM events WHERE subject = 'incidents/' || ?1 ORDER BY seq LIMIT 1),"
        " coalesce((SELECT CASE kind WHEN 'incident.reopened' THEN 0 ELSE 1 END FROM events"
        "  WHERE subject = 'incidents/' || ?1 AND kind IN ('incident.resolved',"
        "  'incident.evaluated', 'incident.cancelled', 'incident.reopened')"
        "  ORDER BY seq DESC LIMIT 1), 0),"
        " CASE WHEN EXISTS(SELECT 1 FROM incident_places WHERE incident = ?1)"
        " OR EXISTS(SELECT 1 FROM incident_notes WHERE incident = ?1) THEN 1 ELSE 0 END";
    struct ht__statement *statement = NULL;
    *out = (struct ht_store_incident_past){.opened_ms = INT64_MAX};
    enum ht_status status = prepare_for(&tx->reader, sql, sql, incident, &statement, error);
    return status == HT_OK ? ht__store_rows(&tx->reader.conn, statement, past_row, out, error)
                           : status;
}

enum ht_status ht_store_incident_forget(struct ht_store_tx *tx, const char *incident,
                                        struct ht_error *error)
{
    enum ht_status status =
        run_with(tx, "DELETE FROM incident_places WHERE incident = ?1", incident, error);
    return status == HT_OK
               ? run_with(tx, "DELETE FROM incident_notes WHERE incident = ?1", incident, error)
               : status;
}

struct erasing {
    char (*codes)[HT_STORE_CODE];
    size_t count;
    size_t room;
};

static enum ht_status erasing_row(void *user, struct ht__statement *statement)
{
    struct erasing *erasing = user;
    const char *code = text_at(statement, 0);
    void *codes = erasing->codes;
    if (ht__store_lacks(statement, 0, ht__text_at(statement, 0))) {
        return HT_NOMEM;
    }
    enum ht_status status =
        ht_array_reserve(&codes, &erasing->room, erasing->count + 1, sizeof *erasing->codes);
    erasing->codes = codes;
    if (status == HT_OK && strlen(code) < HT_STORE_CODE) {
        memcpy(erasing->codes[erasing->count++], code, strlen(code) + 1);
    }
    return status;
}

/* The codes in the events of an incident: of its device, and of homes' tokens that acted. */
static enum ht_status codes_of(struct ht_store_tx *tx, const char *incident,
                               struct erasing *erasing, struct ht_error *error)
{
#define CODES_IN(body)                                                                             \
    "SELECT code FROM incident_devices WHERE code IN"                                              \
    " (SELECT " body "->>'device' FROM events WHERE subject = 'incidents/' || ?1"                  \
    " AND kind = 'incident.received'"                                                              \
    " UNION SELECT substr(actor, 8) FROM events WHERE subject = 'incidents/' || ?1"                \
    " AND substr(actor, 1, 7) = 'device:')"
    const char *sql = ht__either(&tx->reader.conn, CODES_IN("body"), CODES_IN("(body::json)"));
#undef CODES_IN
    struct ht__statement *statement = NULL;
    enum ht_status status = prepare_for(&tx->reader, sql, sql, incident, &statement, error);
    return status == HT_OK
               ? ht__store_rows(&tx->reader.conn, statement, erasing_row, erasing, error)
               : status;
}

enum ht_status ht_store_incident_erase(struct ht_store_tx *tx, const char *incident,
                                       bool (*keeps)(void *user, const char *code), void *user,
                                       struct ht_error *error)
{
    static const char ends[] = "INSERT INTO incident_codes_ending(code) VALUES(?1)"
                               " ON CONFLICT DO NOTHING";
    struct erasing erasing = {0};
    enum ht_status status = ht_store_incident_forget(tx, incident, error);
    if (status == HT_OK) {
        status = codes_of(tx, incident, &erasing, error);
    }
    for (size_t i = 0; i < erasing.count && status == HT_OK; i++) {
        const char *code = erasing.codes[i];
        bool kept = keeps(user, code);
        status =
            run_with(tx, kept ? ends : "DELETE FROM incident_devices WHERE code = ?1", code, error);
    }
    free(erasing.codes);
    return status;
}
