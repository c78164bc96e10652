#include "geodata/store_internal.h"

enum ht_status ht_store_answer_put(struct ht_store_tx *tx, const struct ht_store_answer *answer,
                                   struct ht_error *error)
{
    static const char sql[] = "INSERT INTO answers(actor, key, request, status, content_type, "
                              "location, etag, body, at_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, answer->actor, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, answer->key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 3, answer->request, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 4, answer->status);
    (void)sqlite3_bind_text(statement, 5, answer->content_type, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 6, answer->location, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 7, answer->etag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(statement, 8, answer->body_size == 0 ? "" : answer->body,
                              answer->body_size, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 9, answer->at_ms);
    return ht__store_run(&tx->reader.conn, statement, error);
}

enum ht_status
ht_store_answer_get(struct ht_store_reader *reader, const char *actor, const char *key,
                    enum ht_status (*sink)(void *user, const struct ht_store_answer *answer),
                    void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT request, status, content_type, location, etag, body, at_ms "
                              "FROM answers WHERE actor = ?1 AND key = ?2";
    sqlite3_stmt *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    (void)sqlite3_bind_text(statement, 1, actor, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        struct ht_store_answer answer = {
            .actor = actor,
            .key = key,
            .request = (const char *)sqlite3_column_text(statement, 0),
            .status = sqlite3_column_int(statement, 1),
            .content_type = (const char *)sqlite3_column_text(statement, 2),
            .location = (const char *)sqlite3_column_text(statement, 3),
            .etag = (const char *)sqlite3_column_text(statement, 4),
            .body = sqlite3_column_blob(statement, 5),
            .body_size = (size_t)sqlite3_column_bytes(statement, 5),
            .at_ms = sqlite3_column_int64(statement, 6)};
        status = sink(user, &answer);
    } else {
        status = code == SQLITE_DONE ? HT_NOT_FOUND : ht__store_fail(&reader->conn, code, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum ht_status ht_store_answers_forget(struct ht_store_tx *tx, int64_t before_ms,
                                       struct ht_error *error)
{
    return ht__store_forget(tx, "DELETE FROM answers WHERE at_ms < ?1", before_ms, error);
}
