/* iCalendar (RFC 5545): writes a calendar of appointments for a phone.
 *
 * Lines end with CRLF and are folded at 75 octets, never within a character; texts are escaped, and
 * what no text may hold (control characters, what is no UTF-8) is left out. Times are UTC, so that
 * no zone has to be described. An event keeps its UID as long as its id is the same; SEQUENCE grows
 * with its version, DTSTAMP is when it was changed last: a calendar that nothing happened to is the
 * same byte for byte.
 *
 * Threading: as its buffer. Ownership: texts are borrowed for the call.
 */
#ifndef HT_API_ICS_H
#define HT_API_ICS_H

#include "api/reply.h"
#include "engine/base/geo.h"

struct ht_ics {
    struct ht_buffer *out;
    unsigned column; /* octets of the line so far */
};

struct ht_ics_event {
    const char *id;   /* unique within `kind` */
    const char *kind; /* "visits": UID is id@visits.houtao */
    int64_t stamp_ms; /* when it was changed last */
    int64_t start_ms; /* <= end_ms; whole seconds are written */
    int64_t end_ms;
    uint32_t sequence;
    bool cancelled;      /* else CONFIRMED */
    const char *summary; /* this and below: NULL or "": left out */
    const char *location;
    const char *description;
    bool placed;
    struct ht_point point;
};

/* `name`: what a phone shows as the calendar's. */
void ht_ics_begin(struct ht_ics *ics, struct ht_buffer *out, const char *name);
void ht_ics_event(struct ht_ics *ics, const struct ht_ics_event *event);
void ht_ics_end(struct ht_ics *ics);

#endif
