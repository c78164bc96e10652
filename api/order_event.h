/* Order event: the body of an event row of an order, written and read back.
 *
 *   {"order":"o7","unit":"van3","sequence":12,"eta":"2026-03-01T03:24:00.000Z",
 *    "eta_low":"2026-03-01T03:20:00.000Z","eta_high":"2026-03-01T03:29:00.000Z"}
 *
 * Which members a kind has follows from ht_order_event_fields; a moment, a text and a word that is
 * not there is 0, NULL, none. Members that are not known are passed over, so that a table written
 * by a newer houtao can be replayed.
 *
 * Threading: pure functions. Ownership: texts of what was read lie in its tree.
 */
#ifndef HT_API_ORDER_EVENT_H
#define HT_API_ORDER_EVENT_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "engine/live/orders.h"

struct ht_json;
struct ht_text;

#define HT_ORDER_PREFIX "order."          /* of kinds */
#define HT_ORDER_SUBJECT_PREFIX "orders/" /* of subjects; the id follows */
enum { HT_ORDER_SUBJECT = 7 + HT_ORDER_ID_MAX + 1 };

/* Writes the members, without the braces. */
void ht_order_event_write(const struct ht_order_event *event, struct ht_json *json);

struct ht_order_event_read {
    struct ht_order_event event;
    const char *note; /* digest; NULL: none */
    yajl_val tree;
};

/* Reads a row: `kind` with its prefix. HT_NOT_FOUND: a kind that is no step of an order (the note
 * alone is read); HT_INVALID: not a body that this program or a newer one writes; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_order_event_read(const char *kind, int64_t at_ms, const char *body,
                                                 struct ht_order_event_read *out);
/* The body without the incident that was opened for the order, for who may not know that there is
 * one. False: it has none. HT_NOMEM is `out->failed`. */
bool ht_order_event_conceal(const char *body, struct ht_text *out);
/* Also after an error. */
void ht_order_event_deinit(struct ht_order_event_read *event);

#endif
