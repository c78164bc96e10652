/* Incident tell: the part of the settings document `incidents` that says who is told of what.
 *
 *   {"kinds": {"sos": {"tell": {"assigned": ["kin"], "escalated": ["duty"], ...}}},
 *    "duty": {"community": ["+86 574 ..."], "sub_district": [], "district": []},
 *    "tell_give_up_s": 3600}
 *
 * `tell` names the events of an incident (as its history does) at which the next of kin of the
 * household are told, or the duty phones of the level that is due then: the one that the incident
 * has risen to. How, and what comes of it: api/teller.h. At first nobody is told of anything.
 *
 * Threading: plain values. Ownership: none.
 */
#ifndef HT_API_INCIDENT_TELL_H
#define HT_API_INCIDENT_TELL_H

#include <yajl/yajl_tree.h>

#include "engine/live/desk.h"

struct ht_json;
struct ht_setting_wrong;

enum ht_tell { HT_TELL_KIN, HT_TELL_DUTY, HT_TELLS };

/* "kin", "duty". */
const char *ht_tell_text(enum ht_tell whom);
/* HT_TELLS: neither (also for NULL). */
enum ht_tell ht_tell_of(const char *text);

/* By event: bits 1 << enum ht_tell. */
struct ht_tell_rule {
    uint8_t whom[HT_DESK_EVENT_KINDS];
};

enum { HT_DUTY_PHONES = 8, HT_DUTY_PHONE_MAX = 32 };
struct ht_duty_phones {
    uint8_t count[HT_DESK_LEVELS];
    char phones[HT_DESK_LEVELS][HT_DUTY_PHONES][HT_DUTY_PHONE_MAX + 1];
};

/* Of a kind's `tell` and of `duty`; `pointer` is theirs. False: `wrong` says what and where, what
 * was read so far stays. */
bool ht_tell_rule_read(yajl_val value, const char *pointer, struct ht_tell_rule *out,
                       struct ht_setting_wrong *wrong);
void ht_tell_rule_write(struct ht_json *json, const struct ht_tell_rule *rule);
bool ht_duty_phones_read(yajl_val value, const char *pointer, struct ht_duty_phones *out,
                         struct ht_setting_wrong *wrong);
void ht_duty_phones_write(struct ht_json *json, const struct ht_duty_phones *duty);

/* The name of a level, as in answers; "" for a foreign value. */
const char *ht_desk_level_text(uint8_t level);

#endif
