/* Plans of rounds, each whole as one JSON text. */
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

enum ht_status ht_store_round_put(struct ht_store_tx *tx, const struct ht_store_round *round,
                                  struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO rounds(round_id, number, collection, from_ms, to_ms, made_ms, changed_ms,"
        " version, body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT(round_id) DO UPDATE SET"
        " changed_ms = excluded.changed_ms, version = excluded.version, body = excluded.body";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, round->id);
    ht__bind_int(statement, 2, round->number);
    bind_text(statement, 3, round->collection);
    ht__bind_int(statement, 4, round->from_ms);
    ht__bind_int(statement, 5, round->to_ms);
    ht__bind_int(statement, 6, round->made_ms);
    ht__bind_int(statement, 7, round->changed_ms);
    ht__bind_int(statement, 8, round->version);
    bind_text(statement, 9, round->body);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct rounds {
    enum ht_status (*sink)(void *user, const struct ht_store_round *round);
    void *user;
    size_t count;
};

static enum ht_status round_row(void *user, struct ht__statement *statement)
{
    struct rounds *rounds = user;
    const struct ht_store_round round = {.id = text_at(statement, 0),
                                         .number = ht__int_at(statement, 1),
                                         .collection = text_at(statement, 2),
                                         .from_ms = ht__int_at(statement, 3),
                                         .to_ms = ht__int_at(statement, 4),
                                         .made_ms = ht__int_at(statement, 5),
                                         .changed_ms = ht__int_at(statement, 6),
                                         .version = ht__int_at(statement, 7),
                                         .body = text_at(statement, 8)};
    rounds->count++;
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0)) ||
                   ht__store_lacks(statement, 2, ht__text_at(statement, 2)) ||
                   ht__store_lacks(statement, 8, ht__text_at(statement, 8))
               ? HT_NOMEM
               : rounds->sink(rounds->user, &round);
}

enum ht_status ht_store_round_get(struct ht_store_reader *reader, const char *id,
                                  enum ht_status (*sink)(void *user,
                                                         const struct ht_store_round *round),
                                  void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT round_id, number, collection, from_ms, to_ms, made_ms,"
                              " changed_ms, version, body FROM rounds WHERE round_id = ?1";
    struct rounds rounds = {.sink = sink, .user = user};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, id);
    status = ht__store_rows(&reader->conn, statement, round_row, &rounds, error);
    return status == HT_OK && rounds.count == 0
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no round %.64s", id)
               : status;
}

enum ht_status ht_store_rounds(struct ht_store_reader *reader, int64_t before, uint64_t limit,
                               enum ht_status (*sink)(void *user,
                                                      const struct ht_store_round *round),
                               void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT round_id, number, collection, from_ms, to_ms, made_ms,"
                              " changed_ms, version, '' FROM rounds WHERE number < ?1"
                              " ORDER BY number DESC LIMIT ?2";
    struct rounds rounds = {.sink = sink, .user = user};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, before);
    ht__bind_int(statement, 2, ht__limit(limit));
    return ht__store_rows(&reader->conn, statement, round_row, &rounds, error);
}
