#include "geodata/store_internal.h"

enum ht_status ht_store_answer_put(struct ht_store_tx *tx, const struct ht_store_answer *answer,
                                   struct ht_error *error)
{
    static const char sql[] = "INSERT INTO answers(actor, key, request, status, content_type, "
                              "location, etag, body, at_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
                              " ON CONFLICT DO NOTHING";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, answer->actor);
    ht__bind_text(statement, 2, answer->key);
    ht__bind_text(statement, 3, answer->request);
    ht__bind_int(statement, 4, answer->status);
    ht__bind_text(statement, 5, answer->content_type);
    ht__bind_text(statement, 6, answer->location);
    ht__bind_text(statement, 7, answer->etag);
    ht__bind_blob(statement, 8, answer->body, answer->body_size);
    ht__bind_int(statement, 9, answer->at_ms);
    return ht__store_run_new(&tx->reader.conn, statement, "an answer to this key", error);
}

enum ht_status
ht_store_answer_get(struct ht_store_reader *reader, const char *actor, const char *key,
                    enum ht_status (*sink)(void *user, const struct ht_store_answer *answer),
                    void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT request, status, content_type, location, etag, body, at_ms "
                              "FROM answers WHERE actor = ?1 AND key = ?2";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_text(statement, 1, actor);
    ht__bind_text(statement, 2, key);
    int code = ht__step(statement);
    if (code == HT__ROW) {
        struct ht_store_answer answer = {.actor = actor,
                                         .key = key,
                                         .request = ht__text_at(statement, 0),
                                         .status = (int)ht__int_at(statement, 1),
                                         .content_type = ht__text_at(statement, 2),
                                         .location = ht__text_at(statement, 3),
                                         .etag = ht__text_at(statement, 4),
                                         .body = ht__blob_at(statement, 5),
                                         .body_size = ht__size_at(statement, 5),
                                         .at_ms = ht__int_at(statement, 6)};
        status = sink(user, &answer);
    } else {
        status = code == HT__DONE ? HT_NOT_FOUND : ht__store_fail(&reader->conn, code, error);
    }
    ht__reset(statement);
    return status;
}

enum ht_status ht_store_answers_forget(struct ht_store_tx *tx, int64_t before_ms,
                                       struct ht_error *error)
{
    return ht__store_forget(tx, "DELETE FROM answers WHERE at_ms < ?1", before_ms, error);
}
