/* Event row: a struct of an engine's event as the body of a row of the event table, and back, by a
 * table of its fields.
 *
 *   {"visit.planned", {"site":"f7","purpose":"round","start":"2026-03-01T03:24:00.000Z"}}
 *
 * Which members a kind has follows from its mask of fields; a moment, a text and a word that is not
 * there is 0, NULL, the first word. Members that are not known are passed over, so that a table
 * written by a newer houtao can be replayed.
 *
 * Threading: pure functions, but for the append, which is of the writer's thread. Ownership: texts
 * of what was read lie in the tree it was read from.
 */
#ifndef HT_API_EVENT_ROW_H
#define HT_API_EVENT_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/status.h"

struct ht_json;
struct ht_store_tx;
struct ht_text;

enum ht_event_type {
    HT_EVENT_TEXT,    /* const char * */
    HT_EVENT_NUMBER,  /* uint32_t */
    HT_EVENT_PERHAPS, /* uint32_t, left out where it is 0 */
    HT_EVENT_SMALL,   /* uint8_t */
    HT_EVENT_SEED,    /* uint64_t, as decimal text: JSON numbers end at 2^53 elsewhere */
    HT_EVENT_MOMENT,  /* int64_t, UTC ms; 0: not there */
    HT_EVENT_WORD     /* uint8_t, as one of the words */
};

struct ht_event_field {
    const char *name;
    uint32_t fields; /* the bits of a kind's mask of which it is one */
    enum ht_event_type type;
    size_t at;                     /* of the member in the struct */
    const char *(*word)(int word); /* of WORD; "" for what is none */
    int words;
};

/* Writes the members that a kind with that mask has, within an object that is begun. */
void ht_event_fields_write(const struct ht_event_field *fields, size_t count, uint32_t mask,
                           const void *event, struct ht_json *json);
/* Reads them; false: not a body that ht_event_fields_write makes. */
bool ht_event_fields_read(const struct ht_event_field *fields, size_t count, uint32_t mask,
                          yajl_val tree, void *event);
/* A text of a member; NULL: it is not there. False: it is there, and none, or none that we write.
 */
bool ht_event_text_read(yajl_val tree, const char *name, const char **out);

/* The body without these members (names, NULL at the end), for who may not see them; {} where it
 * can't be read. False: it has none of them. HT_NOMEM is `out->failed`. */
bool ht_event_body_conceal(const char *body, const char *const *names, struct ht_text *out);

/* Appends a row. `seq` may be NULL. */
struct ht_event_row {
    int64_t at_ms;
    const char *actor;
    const char *kind;
    const char *subject;
    void (*write)(const void *event, struct ht_json *json); /* members, without the braces */
    const void *event;
    const char *note; /* digest of what lies where it can be erased; NULL: none */
};
HT_MUST_CHECK enum ht_status ht_event_row_append(struct ht_store_tx *tx,
                                                 const struct ht_event_row *row, int64_t *seq,
                                                 struct ht_error *error);

#endif
