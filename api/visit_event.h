/* Visit event: the body of an event row of a visit or rectification, written and read back
 * (api/event_row.h).
 *
 * Threading: pure functions. Ownership: texts of what was read lie in its tree.
 */
#ifndef HT_API_VISIT_EVENT_H
#define HT_API_VISIT_EVENT_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "engine/live/visits.h"

struct ht_json;

/* Of subjects; the id follows. */
#define HT_VISIT_SUBJECT_PREFIX "visits/"
#define HT_NOTICE_SUBJECT_PREFIX "rectifications/"
enum { HT_VISIT_SUBJECT = 15 + HT_VISIT_ID_MAX + 1 };

/* The subject of a visit's or rectification's events; ids that are too long are cut. */
void ht_visit_subject(bool visit, const char *id, char subject[HT_VISIT_SUBJECT]);

/* Writes the members, without the braces. `event`: struct ht_visit_event. */
void ht_visit_event_write(const void *event, struct ht_json *json);

struct ht_visit_event_read {
    struct ht_visit_event event;
    const char *note; /* digest; NULL: none */
    yajl_val tree;
};

/* Reads a row. HT_NOT_FOUND: a kind that is no step of a visit or rectification (the note alone is
 * read); HT_INVALID: not a body that this program or a newer one writes; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_visit_event_read(const char *kind, int64_t at_ms, const char *body,
                                                 struct ht_visit_event_read *out);
/* Also after an error. */
void ht_visit_event_deinit(struct ht_visit_event_read *event);

#endif
