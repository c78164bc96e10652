/* Incident event: the body of an event row of an incident, written and read back.
 *
 *   {"incident":"i7","unit":"u3","duration_ms":184000,"length_mm":2100000,"turnout_ms":60000,
 *    "access_ms":25000,"eta":"2026-03-01T08:04:29.000Z","deadline":"2026-03-01T08:10:00.000Z",
 *    "ack_by":"2026-03-01T08:01:30.000Z","note":"5f0c..."}
 *
 * Which members a kind has follows from ht_desk_event_fields; a moment that is not there is 0, one
 * that never comes is null. Members that are not known are passed over, so that a table written by
 * a newer houtao can be replayed.
 *
 * Threading: pure functions. Ownership: texts of what was read lie in its tree.
 */
#ifndef HT_API_INCIDENT_EVENT_H
#define HT_API_INCIDENT_EVENT_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "engine/live/desk.h"

struct ht_json;
struct ht_text;

#define HT_INCIDENT_PREFIX "incident."          /* of kinds */
#define HT_INCIDENT_SUBJECT_PREFIX "incidents/" /* of subjects; the id follows */
#define HT_INCIDENT_ACTOR_DEVICE "device:"      /* of actors; a code follows */
enum { HT_INCIDENT_SUBJECT = 10 + HT_DESK_ID_MAX + 1 };

/* Writes the members, without the braces. */
void ht_incident_event_write(const struct ht_desk_event *event, struct ht_json *json);

struct ht_incident_event {
    struct ht_desk_event event;
    const char *note; /* digest; NULL: none */
    yajl_val tree;
};

/* Reads a row: `kind` with its prefix. HT_NOT_FOUND: a kind that the desk has no part in (the note
 * alone is read);
 * HT_INVALID: not a body that this program or a newer one writes; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_incident_event_read(const char *kind, int64_t at_ms,
                                                    const char *body,
                                                    struct ht_incident_event *out);
/* The body without the household and the device, for who may not know in whose home an alarm was:
 * that there is a device, and of which kind, says who is frail. As ht_event_body_conceal. */
bool ht_incident_event_conceal(const char *body, struct ht_text *out);
/* Also after an error. */
void ht_incident_event_deinit(struct ht_incident_event *event);

#endif
