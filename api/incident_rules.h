/* Incident rules: the settings document `incidents`: what each kind of alarm needs, in how much
 * time, and how the desk chooses.
 *
 *   {"kinds": {"sos": {"severity": 3, "unit_kinds": ["responder"], "skills": [], "units": 1,
 *                      "promise_s": 600, "confirm_s": 0, "fold_s": 120, "turnout_s": 60,
 *                      "ack_s": 60, "again_s": 600, "blue_light": true, "working_hours": false,
 *                      "clocks_s": [60, 600, ...], "tell": {...}}, ...},
 *    "duty": {...}, "tell_give_up_s": 3600,
 *    "weights": [1, 2, 4, 8], "preempt": true, "joint": true, "choice": "closest",
 *    "coverage_s": 20, "busy_share": 0.3, "frail_weight": 10,
 *    "walk_mps": 1.2, "stairs_s": 20, "lift_s": 40}
 *
 * `tell`, `duty`: see api/incident_tell.h.
 *
 * Where `choice` is "coverage", one who still arrives in time may be sent instead of the closest
 * when that leaves more covered: a hundredth of the expected coverage (api/desk_loss.c: a unit is
 * busy `busy_share` of its time, a frail household counts `frail_weight` times) is worth
 * `coverage_s` seconds of waiting. What was paid is told with the unit.
 *
 * With `blue_light` units go by their profile, without by their `profile_plain` (api/live.h): who
 * is first, when they arrive, what is covered.
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

#include "api/incident_tell.h"
#include "engine/live/desk.h"

struct ht_json;
struct ht_setting_wrong;

struct ht_incident_kind_rule {
    uint32_t unit_kinds; /* bits 1 << enum ht_unit_kind; 0: any */
    uint8_t severity;    /* of an alarm that names none */
    bool working_hours;  /* its clocks run in the office's working hours alone */
    struct ht_tell_rule tell;
};

struct ht_incident_rules {
    struct ht_desk_rules desk; /* without `due` */
    struct ht_incident_kind_rule kinds[HT_INCIDENT_KINDS];
    uint32_t coverage_ms; /* of waiting, that a hundredth of the expected coverage is worth */
    double busy_share;    /* of a unit's time, 0 to 0.95 */
    double frail_weight;  /* of a frail household's coverage, 1 to 1,000 */
    double walk_mps;      /* from the street to the door */
    uint32_t stairs_ms;   /* a floor on foot */
    uint32_t lift_ms;     /* by lift, any floor */
    struct ht_duty_phones duty;
    uint32_t tell_give_up_ms; /* a telling that nobody took for so long is given up */
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
