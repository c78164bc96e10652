/* Incident rules: the settings document `incidents`: what each kind of alarm needs, in how much
 * time, and how the desk chooses.
 *
 *   {"kinds": {"sos": {"severity": 3, "unit_kinds": ["responder"], "skills": [], "units": 1,
 *                      "promise_s": 600, "confirm_s": 0, "fold_s": 120, "turnout_s": 60,
 *                      "ack_s": 60, "again_s": 600, "blue_light": true, "working_hours": false,
 *                      "clocks_s": [60, 600, ...]}, ...},
 *    "weights": [1, 2, 4, 8], "preempt": true, "joint": true, "choice": "closest",
 *    "walk_mps": 1.2, "stairs_s": 20, "lift_s": 40}
 *
 * All numbers of a kind but `severity` (of an alarm that names none) and `clocks_s` (of the five
 * steps) may be lists of four, one for each severity from 1 to 4, and `clocks_s` a list of four
 * lists of five. What a document leaves out is as at first.
 *
 * Threading: read-only once read. Ownership: heap, ht_incident_rules_free.
 */
#ifndef HT_API_INCIDENT_RULES_H
#define HT_API_INCIDENT_RULES_H

#include <yajl/yajl_tree.h>

#include "engine/live/desk.h"

struct ht_json;
struct ht_setting_wrong;

struct ht_incident_kind_rule {
    uint32_t unit_kinds; /* bits 1 << enum ht_unit_kind; 0: any */
    uint8_t severity;    /* of an alarm that names none */
    bool working_hours;  /* its clocks run in the office's working hours alone */
};

struct ht_incident_rules {
    struct ht_desk_rules desk; /* without `due` */
    struct ht_incident_kind_rule kinds[HT_INCIDENT_KINDS];
    double walk_mps;    /* from the street to the door */
    uint32_t stairs_ms; /* a floor on foot */
    uint32_t lift_ms;   /* by lift, any floor */
};

/* Reads a document; NULL: as at first. HT_INVALID with what is wrong, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_incident_rules_read(yajl_val tree, struct ht_incident_rules **out,
                                                    struct ht_setting_wrong *wrong);
void ht_incident_rules_write(const struct ht_incident_rules *rules, struct ht_json *json);
void ht_incident_rules_free(struct ht_incident_rules *rules);

/* The kind of a name; HT_INCIDENT_KINDS: none. */
enum ht_incident_kind ht_incident_kind_of(const char *name);

/* Skills as a JSON list of texts, joined by ';'. False: not that, or too long. */
bool ht_incident_skills_read(yajl_val list, char out[HT_DESK_SKILLS_MAX + 1]);
void ht_incident_skills_write(struct ht_json *json, const char *skills);

#endif
