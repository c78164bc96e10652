/* Visit rules: the settings document `visits`: when notices are due, when they rise, what a
 * check-in has to be, what is flagged.
 *
 *   {"due_days": [30, 15, 7, 1], "remind_days": 2, "rise_days": [3, 7], "extend_days": [7, 15, 30],
 *    "again_days": 90, "near_m": 150, "service_s": 1800, "short_percent": 30,
 *    "short_s": 300, "slack_s": 300, "revisits": true}
 *
 * `due_days` by severity from 1 to 4, of a hazard that says no date; `remind_days` before it (0:
 * never). Overdue for `rise_days`, a notice rises to the sub-district, then to the district (0:
 * never); `rise_days` and `extend_days` don't fall, `due_days` doesn't rise. `extend_days`: what
 * each rank may give, at most. A hazard that comes back within
 * `again_days` opens the old notice again.
 *
 * A check-in is at the site within its border or `near_m` from it; elsewhere it needs a reason. An
 * unplanned visit takes `service_s`. A visit is too short where it took less than `short_percent`
 * of the planned time or less than `short_s`; where nobody said until when, than its report or the
 * next check-in by the same inspector, less the way (but for `slack_s`), leave it; its sequence is
 * impossible where the way from the one before takes `slack_s` longer than there was time.
 *
 * `revisits`: what is wanted where no round goes is planned by itself, too.
 *
 * Threading: plain values.
 */
#ifndef HT_API_VISIT_RULES_H
#define HT_API_VISIT_RULES_H

#include <yajl/yajl_tree.h>

#include "engine/live/visits.h"

struct ht_json;
struct ht_setting_wrong;

struct ht_visit_office {
    struct ht_visit_rules rules;
    uint32_t near_m;
    int64_t service_ms;
    uint32_t short_percent;
    int64_t short_ms;
    int64_t slack_ms;
    bool revisits;
};

/* Reads a document; NULL: as at first. HT_INVALID with what is wrong. */
HT_MUST_CHECK enum ht_status ht_visit_office_read(yajl_val tree, struct ht_visit_office *out,
                                                  struct ht_setting_wrong *wrong);
void ht_visit_office_write(const struct ht_visit_office *office, struct ht_json *json);

#endif
