/* Incident read: the bodies of POST /v1/incidents and /v1/incidents/{id}/events.
 *
 * An alarm must get through: members that are not known are passed over. What is known has to be of
 * its type.
 *
 * Threading: pure functions. Ownership: texts lie in the struct or in its tree.
 */
#ifndef HT_API_INCIDENT_READ_H
#define HT_API_INCIDENT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_tree.h>

#include "engine/live/desk.h"

enum { HT_INCIDENT_NOTE_MOST = 4096 }; /* bytes */

struct ht_incident_alarm {
    yajl_val tree;
    const char *household; /* this and the next two: NULL: not said */
    const char *device;
    const char *note;
    bool placed;
    double pair[2];
    enum ht_incident_kind kind;
    uint8_t severity; /* 0: not said */
    uint8_t units;    /* 0: not said */
    bool skilled;     /* skills were said, perhaps none */
    char skills[HT_DESK_SKILLS_MAX + 1];
};

/* HT_SYNTAX (400) or HT_INVALID (422, kinds and ranges) with what is wrong where; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_incident_alarm_read(const char *text, size_t size,
                                                    struct ht_incident_alarm *out,
                                                    struct ht_error *error);
/* Also after an error. */
void ht_incident_alarm_deinit(struct ht_incident_alarm *alarm);

struct ht_incident_step {
    yajl_val tree;
    enum ht_desk_command_kind command;
    const char *unit; /* this and the next two: NULL: not said */
    const char *instead_of;
    const char *note;
    enum ht_desk_outcome outcome;
    uint8_t rating; /* 0: not said */
};

HT_MUST_CHECK enum ht_status ht_incident_step_read(const char *text, size_t size,
                                                   struct ht_incident_step *out,
                                                   struct ht_error *error);
void ht_incident_step_deinit(struct ht_incident_step *step);

#endif
