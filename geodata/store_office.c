/* What the office keeps besides the registry: stays within fences, webhooks, settings. */
#include <string.h>

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

/* Runs what has one or two texts to be bound, or none. */
static enum ht_status run_with(struct ht_store_tx *tx, const char *sql, const char *first,
                               const char *second, struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, first);
        if (second != NULL) {
            bind_text(statement, 2, second);
        }
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

/* ---- stays ---- */

enum ht_status ht_store_stay_put(struct ht_store_tx *tx, const struct ht_store_stay *stay,
                                 struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO fence_stays(unit, fence, since_ms, told_ms, dwelt) VALUES(?1,?2,?3,?4,?5)"
        " ON CONFLICT(unit, fence) DO UPDATE SET since_ms = excluded.since_ms,"
        " told_ms = excluded.told_ms, dwelt = excluded.dwelt";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, stay->unit);
    bind_text(statement, 2, stay->fence);
    ht__bind_int(statement, 3, stay->since_ms);
    ht__bind_int(statement, 4, stay->told_ms);
    ht__bind_int(statement, 5, stay->dwelt ? 1 : 0);
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status ht_store_stay_end(struct ht_store_tx *tx, const char *unit, const char *fence,
                                 struct ht_error *error)
{
    static const char sql[] = "DELETE FROM fence_stays WHERE unit = ?1 AND fence = ?2";
    return run_with(tx, sql, unit, fence, error);
}

enum ht_status ht_store_stays(struct ht_store_reader *reader,
                              enum ht_status (*sink)(void *user, const struct ht_store_stay *stay),
                              void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT unit, fence, since_ms, told_ms, dwelt FROM fence_stays"
                              " ORDER BY unit, fence";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        const struct ht_store_stay stay = {.unit = text_at(statement, 0),
                                           .fence = text_at(statement, 1),
                                           .since_ms = ht__int_at(statement, 2),
                                           .told_ms = ht__int_at(statement, 3),
                                           .dwelt = ht__int_at(statement, 4) != 0};
        status = sink(user, &stay);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}

/* ---- zones ---- */

enum ht_status ht_store_zone_begun(struct ht_store_tx *tx, const char *zone, int64_t shape,
                                   struct ht_error *error)
{
    static const char sql[] = "INSERT INTO zones_begun(zone, shape) VALUES(?1,?2)"
                              " ON CONFLICT(zone) DO UPDATE SET shape = excluded.shape";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, zone);
    ht__bind_int(statement, 2, shape);
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status ht_store_zone_over(struct ht_store_tx *tx, const char *zone, struct ht_error *error)
{
    return run_with(tx, "DELETE FROM zones_begun WHERE zone = ?1", zone, NULL, error);
}

enum ht_status ht_store_zones_begun(struct ht_store_reader *reader,
                                    enum ht_status (*sink)(void *user, const char *zone,
                                                           int64_t shape),
                                    void *user, struct ht_error *error)
{
    struct ht__statement *statement = NULL;
    enum ht_status status =
        ht__store_prepare(&reader->conn, "SELECT zone, shape FROM zones_begun ORDER BY zone", NULL,
                          &statement, error);
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        status = sink(user, text_at(statement, 0), ht__int_at(statement, 1));
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}

/* ---- webhooks ---- */

static void bind_state(struct ht__statement *statement, const struct ht_store_webhook *hook)
{
    bind_text(statement, 1, hook->id);
    ht__bind_int(statement, 2, hook->done_seq);
    ht__bind_int(statement, 3, hook->tries);
    ht__bind_int(statement, 4, hook->next_try_ms);
    ht__bind_int(statement, 5, hook->failing_since_ms);
    ht__bind_int(statement, 6, hook->delivered);
    ht__bind_int(statement, 7, hook->given_up);
    ht__bind_int(statement, 8, hook->last_status);
    bind_text(statement, 9, hook->last_error);
    ht__bind_int(statement, 10, hook->last_ms);
}

enum ht_status ht_store_webhook_add(struct ht_store_tx *tx, const struct ht_store_webhook *hook,
                                    struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO webhooks(id, done_seq, tries, next_try_ms, failing_since_ms, delivered, "
        "given_up, last_status, last_error, last_ms, url, topics, secret, created_ms) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT DO NOTHING";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_state(statement, hook);
    bind_text(statement, 11, hook->url);
    bind_text(statement, 12, hook->topics);
    bind_text(statement, 13, hook->secret);
    ht__bind_int(statement, 14, hook->created_ms);
    return ht__store_run_new(&tx->reader.conn, statement, hook->id, error);
}

enum ht_status ht_store_webhook_note(struct ht_store_tx *tx, const struct ht_store_webhook *hook,
                                     struct ht_error *error)
{
    static const char sql[] =
        "UPDATE webhooks SET done_seq = ?2, tries = ?3, next_try_ms = ?4, failing_since_ms = ?5, "
        "delivered = ?6, given_up = ?7, last_status = ?8, last_error = ?9, last_ms = ?10 "
        "WHERE id = ?1";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_state(statement, hook);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

enum ht_status ht_store_webhook_remove(struct ht_store_tx *tx, const char *id,
                                       struct ht_error *error)
{
    static const char sql[] = "DELETE FROM webhooks WHERE id = ?1";
    enum ht_status status = run_with(tx, sql, id, NULL, error);
    return status == HT_OK && tx->store->engine->changes(&tx->reader.conn) == 0
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no webhook %.64s", id)
               : status;
}

static struct ht_store_webhook hook_at(struct ht__statement *statement)
{
    return (struct ht_store_webhook){.id = text_at(statement, 0),
                                     .url = text_at(statement, 1),
                                     .topics = text_at(statement, 2),
                                     .secret = text_at(statement, 3),
                                     .created_ms = ht__int_at(statement, 4),
                                     .done_seq = ht__int_at(statement, 5),
                                     .tries = ht__int_at(statement, 6),
                                     .next_try_ms = ht__int_at(statement, 7),
                                     .failing_since_ms = ht__int_at(statement, 8),
                                     .delivered = ht__int_at(statement, 9),
                                     .given_up = ht__int_at(statement, 10),
                                     .last_status = ht__int_at(statement, 11),
                                     .last_error = text_at(statement, 12),
                                     .last_ms = ht__int_at(statement, 13)};
}

enum ht_status ht_store_webhooks(struct ht_store_reader *reader, const char *id,
                                 enum ht_status (*sink)(void *user,
                                                        const struct ht_store_webhook *hook),
                                 void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT id, url, topics, secret, created_ms, done_seq, tries, next_try_ms, "
        "failing_since_ms, delivered, given_up, last_status, last_error, last_ms "
        "FROM webhooks WHERE CAST(?1 AS TEXT) IS NULL OR id = ?1 ORDER BY created_ms, id";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status == HT_OK && id != NULL) {
        bind_text(statement, 1, id);
    }
    int code = HT__DONE;
    while (status == HT_OK && (code = ht__step(statement)) == HT__ROW) {
        const struct ht_store_webhook hook = hook_at(statement);
        status = sink(user, &hook);
    }
    if (status == HT_OK && code != HT__DONE) {
        status = ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}

/* ---- settings ---- */

enum ht_status ht_store_setting_put(struct ht_store_tx *tx, const struct ht_store_setting *setting,
                                    uint64_t *version, struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO settings(name, version, changed_ms, body) VALUES(?1, 1, ?2, ?3) "
        "ON CONFLICT(name) DO UPDATE SET version = settings.version + 1, changed_ms = ?2, body = "
        "?3 "
        "RETURNING version";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, setting->name);
    ht__bind_int(statement, 2, setting->changed_ms);
    bind_text(statement, 3, setting->body);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        *version = (uint64_t)ht__int_at(statement, 0);
        code = ht__step(statement);
    }
    status = code == HT__DONE ? HT_OK : ht__store_fail(&tx->reader.conn, code, error);
    ht__reset(statement);
    return status;
}

enum ht_status ht_store_setting_get(struct ht_store_reader *reader, const char *name,
                                    enum ht_status (*sink)(void *user,
                                                           const struct ht_store_setting *setting),
                                    void *user, struct ht_error *error)
{
    static const char sql[] =
        "SELECT name, version, changed_ms, body FROM settings WHERE name = ?1";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, name);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        const struct ht_store_setting setting = {.name = text_at(statement, 0),
                                                 .version = (uint64_t)ht__int_at(statement, 1),
                                                 .changed_ms = ht__int_at(statement, 2),
                                                 .body = text_at(statement, 3)};
        status = sink(user, &setting);
    } else {
        status = code == HT__DONE ? HT_NOT_FOUND : ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}
