/* What belongs to visits and rectifications and can be erased: what was written down; and which
 * there are. */
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

/* ---- notes ---- */

enum ht_status ht_store_visit_note_put(struct ht_store_tx *tx, const char *owner, const char *text,
                                       char digest[65], struct ht_error *error)
{
    static const char sql[] =
        "INSERT INTO visit_notes(digest, owner, salt, note) VALUES(?1,?2,?3,?4)";
    return ht__store_note_put(tx, sql, owner, text, digest, error);
}

enum ht_status ht_store_visit_notes(struct ht_store_reader *reader, const char *owner,
                                    enum ht_status (*sink)(void *user,
                                                           const struct ht_store_note *note),
                                    void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT digest, owner, note FROM visit_notes WHERE owner = ?1";
    return ht__store_notes(reader, sql, owner, sink, user, error);
}

enum ht_status ht_store_visit_erase(struct ht_store_tx *tx, const char *owner,
                                    struct ht_error *error)
{
    static const char sql[] = "DELETE FROM visit_notes WHERE owner = ?1";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, owner);
        status = ht__store_run(&tx->reader.conn, statement, error);
    }
    return status;
}

/* ---- which there are ---- */

enum ht_status ht_store_visit_state_put(struct ht_store_tx *tx,
                                        const struct ht_store_visit_state *state,
                                        struct ht_error *error)
{
    static const char sql[] = "INSERT INTO visit_states(owner, site, number, paper, closed_ms)"
                              " VALUES(?1,?2,?3,?4,?5) ON CONFLICT(owner) DO UPDATE SET"
                              " closed_ms = excluded.closed_ms";
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&tx->reader.conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    bind_text(statement, 1, state->owner);
    bind_text(statement, 2, state->site);
    ht__bind_int(statement, 3, state->number);
    ht__bind_int(statement, 4, state->paper);
    ht__bind_int(statement, 5, state->closed_ms);
    return ht__store_run(&tx->reader.conn, statement, error);
}

struct states {
    enum ht_status (*sink)(void *user, const struct ht_store_visit_state *state);
    void *user;
};

static enum ht_status state_row(void *user, struct ht__statement *statement)
{
    const struct states *states = user;
    const struct ht_store_visit_state state = {.owner = text_at(statement, 0),
                                               .site = text_at(statement, 1),
                                               .number = ht__int_at(statement, 2),
                                               .paper = ht__int_at(statement, 3),
                                               .closed_ms = ht__int_at(statement, 4)};
    return ht__store_lacks(statement, 0, ht__text_at(statement, 0)) ||
                   ht__store_lacks(statement, 1, ht__text_at(statement, 1))
               ? HT_NOMEM
               : states->sink(states->user, &state);
}

enum ht_status
ht_store_visit_states(struct ht_store_reader *reader, int64_t since_ms,
                      enum ht_status (*sink)(void *user, const struct ht_store_visit_state *state),
                      void *user, struct ht_error *error)
{
    static const char sql[] = "SELECT owner, site, number, paper, closed_ms FROM visit_states"
                              " WHERE closed_ms = 0 OR closed_ms >= ?1 ORDER BY number";
    struct states states = {sink, user};
    struct ht__statement *statement = NULL;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status != HT_OK) {
        return status;
    }
    ht__bind_int(statement, 1, since_ms);
    return ht__store_rows(&reader->conn, statement, state_row, &states, error);
}

static enum ht_status number_row(void *user, struct ht__statement *statement)
{
    int64_t *number = user;
    *number = ht__int_at(statement, 0);
    return HT_OK;
}

enum ht_status ht_store_visit_is_known(struct ht_store_reader *reader, const char *owner,
                                       bool *known, struct ht_error *error)
{
    static const char sql[] = "SELECT number FROM visit_states WHERE owner = ?1";
    struct ht__statement *statement = NULL;
    int64_t number = 0;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    if (status == HT_OK) {
        bind_text(statement, 1, owner);
        status = ht__store_rows(&reader->conn, statement, number_row, &number, error);
    }
    *known = number != 0;
    return status;
}

enum ht_status ht_store_visit_paper_last(struct ht_store_reader *reader, int64_t *paper,
                                         struct ht_error *error)
{
    static const char sql[] = "SELECT coalesce(max(paper), 0) FROM visit_states";
    struct ht__statement *statement = NULL;
    *paper = 0;
    enum ht_status status = ht__store_prepare(&reader->conn, sql, NULL, &statement, error);
    return status == HT_OK ? ht__store_rows(&reader->conn, statement, number_row, paper, error)
                           : status;
}
