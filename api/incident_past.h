/* Incident past: incidents that are over and left the desk's memory, read from the store.
 *
 *   memory   what is open, what has a clock running, and what was over a quarter of an hour ago
 *   store    all: what is asked for and not in memory is projected from its events
 *
 * Threading: one thread for each struct, with a reader of its own. Ownership: what is found lives
 * until ht_incident_past_deinit. Errors: HT_NOT_FOUND, HT_NOMEM, HT_IO.
 */
#ifndef HT_API_INCIDENT_PAST_H
#define HT_API_INCIDENT_PAST_H

#include "engine/base/geo.h"
#include "engine/live/desk.h"
#include "geodata/store.h"

enum { HT_INCIDENT_KEPT_MS = 15 * 60 * 1000 };

struct ht_incident_past {
    struct ht_store_reader *reader; /* borrowed */
    struct ht_desk *desk;           /* of what was asked for; NULL until then */
};

void ht_incident_past_init(struct ht_incident_past *past, struct ht_store_reader *reader);
void ht_incident_past_deinit(struct ht_incident_past *past);

/* A counted reference. Of what is not over, HT_NOT_FOUND: the desk has it. */
HT_MUST_CHECK enum ht_status ht_incident_past_find(struct ht_incident_past *past, const char *id,
                                                   const struct ht_incident **out);
/* Replays all events of an incident into a desk. `*last` (may be NULL): the number of the last one.
 * HT_NOT_FOUND: there are none. */
HT_MUST_CHECK enum ht_status ht_incident_past_replay(struct ht_store_reader *reader, const char *id,
                                                     struct ht_desk *desk, int64_t *last);
/* HT_NOT_FOUND: it has none, or it was erased. */
HT_MUST_CHECK enum ht_status ht_incident_past_place(struct ht_store_reader *reader, const char *id,
                                                    struct ht_point *out);

#endif
