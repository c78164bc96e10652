/* What belongs to orders and can be erased: where they go, diets, notes; and the store's secrets.
 */
#include <string.h>

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

/* ---- cards ---- */

enum ht_status ht_store_order_card_put(struct ht_store_tx *tx,
                                       const struct ht_store_order_card *card,
                                       struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO order_cards(order_id, household, lon_e7, lat_e7, diets)"
        " VALUES(?1,?2,?3,?4,?5) ON CONFLICT(order_id) DO UPDATE SET"
        " household = excluded.household, lon_e7 = excluded.lon_e7, lat_e7 = excluded.lat_e7,"
        " diets = excluded.diets";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, card->order);
    bind_text(statement, 2, card->household); /* NULL binds NULL */
    ht__bind_int(statement, 3, card->point.lon_e7);
    ht__bind_int(statement, 4, card->point.lat_e7);
    bind_text(statement, 5, card->diets);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct cards {
    enum ht_status (*sink)(void *user, const struct ht_store_order_card *card);
    void *user;
};

static enum ht_status card_row(void *user, struct ht__statement *statement)
{
    const struct cards *cards = user;
    const char *household = ht__text_at(statement, 1);
    const struct ht_store_order_card card = {
        .order = text_at(statement, 0),
        .household = household,
        .point = {(int32_t)ht__int_at(statement, 2), (int32_t)ht__int_at(statement, 3)},
        .diets = text_at(statement, 4)};
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0)) ||
                   ht__store_lacks(statement, 1, household) ||
                   ht__store_lacks(statement, 4, ht__text_at(statement, 4))
               ? HT_NOMEM
               : cards->sink(cards->user, &card);
}

enum ht_status ht_store_order_cards(struct ht_store_reader *reader, const char *order,
                                    enum ht_status (*sink)(void *user,
                                                           const struct ht_store_order_card *card),
                                    void *user, struct ht_error *error)
{
    static const char all[] = "SELECT order_id, household, lon_e7, lat_e7, diets FROM order_cards"
                              " ORDER BY order_id";
    static const char one[] = "SELECT order_id, household, lon_e7, lat_e7, diets FROM order_cards"
                              " WHERE order_id = ?1";
    struct cards cards = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status =
        ht__store_prepare(&reader->conn, order == NULL ? all : one, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    if (order != NULL) {
        bind_text(statement, 1, order);
    }
    return ht__store_rows(&reader->conn, statement, card_row, &cards, error);
}

/* ---- notes ---- */

enum ht_status ht_store_order_note_put(struct ht_store_tx *tx, const char *order, const char *text,
                                       char digest[65], struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO order_notes(digest, order_id, salt, note) VALUES(?1,?2,?3,?4)";
    return ht__store_note_put(tx, sql, order, text, digest, error);
}

enum ht_status ht_store_order_notes(struct ht_store_reader *reader, const char *order,
                                    enum ht_status (*sink)(void *user,
                                                           const struct ht_store_note *note),
                                    void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT digest, order_id, note FROM order_notes WHERE order_id = ?1";
    return ht__store_notes(reader, sql, order, sink, user, error);
}

enum ht_status ht_store_order_erase(struct ht_store_tx *tx, const char *order,
                                    struct ht_error *error)
{
    static const char *const all[] = {"DELETE FROM order_cards WHERE order_id = ?1",
                                      "DELETE FROM order_notes WHERE order_id = ?1"};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && status == HT_OK; i++) {
        struct ht__statement *statement = NULL;
        status = ht__store_prepare(&tx->reader.conn, all[i], NULL, &statement, error);
        if (status == HT_OK) {
            bind_text(statement, 1, order);
            status = ht__store_run(&tx->reader.conn, statement, error);
        }
    }
    return status;
}

/* ---- which there are ---- */

enum ht_status ht_store_order_state_put(struct ht_store_tx *tx,
                                        const struct ht_store_order_state *state,
                                        struct ht_error *error)
{
    static const char sql[] = "INSERT INTO order_states(order_id, number, closed_ms)"
                              " VALUES(?1,?2,?3) ON CONFLICT(order_id) DO UPDATE SET"
                              " closed_ms = excluded.closed_ms";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, state->order);
    ht__bind_int(statement, 2, state->number);
    ht__bind_int(statement, 3, state->closed_ms);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct orders {
    ht_store_order_sink *sink;
    void *user;
};

static enum ht_status order_row(void *user, struct ht__statement *statement)
{
    const struct orders *orders = user;
    const struct ht_store_order_state state = {text_at(statement, 0), ht__int_at(statement, 1),
                                               ht__int_at(statement, 2)};
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0))
               ? HT_NOMEM
               : orders->sink(orders->user, &state);
}

static enum ht_status number_take(void *user, const struct ht_store_order_state *state)
{
    int64_t *number = user;
    *number = state->number;
    return HT_OK;
}

enum ht_status ht_store_order_number(struct ht_store_reader *reader, const char *order,
                                     int64_t *number, struct ht_error *error)
{
    static const char sql[] =
        "SELECT order_id, number, closed_ms FROM order_states WHERE order_id = ?1";
    struct orders orders = {number_take, number};
    struct ht__statement *statement = NULL;
    *number = 0;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, order);
        status = ht__store_rows(&reader->conn, statement, order_row, &orders, error);
    }
    return status == HT_OK && *number == 0
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no such order")
               : status;
}

enum ht_status ht_store_orders(struct ht_store_reader *reader, int64_t before, uint64_t limit,
                               ht_store_order_sink *sink, void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT order_id, number, closed_ms FROM order_states"
                              " WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    struct orders orders = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, before);
    ht__bind_int(statement, 2, ht__limit(limit));
    return ht__store_rows(&reader->conn, statement, order_row, &orders, error);
}

enum ht_status ht_store_orders_open(struct ht_store_reader *reader, int64_t since_ms,
                                    ht_store_order_sink *sink, void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT order_id, number, closed_ms FROM order_states"
                              " WHERE closed_ms = 0 OR closed_ms >= ?1 ORDER BY number";
    struct orders orders = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, since_ms);
    return ht__store_rows(&reader->conn, statement, order_row, &orders, error);
}

/* ---- secrets ---- */

struct secret {
    unsigned char bytes[HT_STORE_SECRET];
    bool found;
};

static enum ht_status secret_row(void *user, struct ht__statement *statement)
{
    struct secret *secret = user;
    const void *bytes = ht__blob_at(statement, 0);
    if (bytes == NULL || ht__size_at(statement, 0) != HT_STORE_SECRET) {
        return ht__store_lacks(statement, 0, bytes) ? HT_NOMEM : HT_CHECKSUM;
    }
    memcpy(secret->bytes, bytes, HT_STORE_SECRET);
    secret->found = true;
    return HT_OK;
}

enum ht_status ht_store_secret_get(struct ht_store_reader *reader, const char *name,
                                   unsigned char out[HT_STORE_SECRET], struct ht_error *error)
{
    static const char sql[] = "SELECT value FROM secrets WHERE name = ?1";
    struct secret secret = {.found = false};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, name);
        status = ht__store_rows(&reader->conn, statement, secret_row, &secret, error);
    }
    memcpy(out, secret.bytes, HT_STORE_SECRET);
    return status == HT_OK && !secret.found
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no secret %.32s", name)
               : status;
}

enum ht_status ht_store_secret_of(struct ht_store_tx *tx, const char *name,
                                  unsigned char out[HT_STORE_SECRET], struct ht_error *error)
{
    static const char sql[] = "INSERT INTO secrets(name, value) VALUES(?1,?2)";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht_store_secret_get(&tx->reader, name, out, error);
    if (status != HT_NOT_FOUND) {
        return status;
    }
    status = ht_random_bytes(out, HT_STORE_SECRET);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, name);
    ht__bind_blob(statement, 2, out, HT_STORE_SECRET);
    return ht__store_run(&tx->reader.conn, statement, error);
}
