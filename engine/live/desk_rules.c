#include <string.h>

#include "engine/live/desk.h"

const char *ht_incident_kind_text(enum ht_incident_kind kind)
{
    static const char *const texts[] = {
#define HT_DESK_TEXT(name, text) text,
        HT_INCIDENT_KIND_MAP(HT_DESK_TEXT)
#undef HT_DESK_TEXT
    };
    return (unsigned)kind < HT_INCIDENT_KINDS ? texts[kind] : "";
}

const char *ht_incident_state_text(enum ht_incident_state state)
{
    static const char *const texts[] = {
#define HT_DESK_TEXT(name, text) text,
        HT_INCIDENT_STATE_MAP(HT_DESK_TEXT)
#undef HT_DESK_TEXT
    };
    return (unsigned)state < HT_INCIDENT_STATES ? texts[state] : "";
}

const char *ht_desk_outcome_text(enum ht_desk_outcome outcome)
{
    static const char *const texts[] = {
#define HT_DESK_TEXT(name, text) text,
        HT_DESK_OUTCOME_MAP(HT_DESK_TEXT)
#undef HT_DESK_TEXT
    };
    return (unsigned)outcome < HT_OUTCOMES ? texts[outcome] : "";
}

const char *ht_desk_reason_text(enum ht_desk_reason reason)
{
    static const char *const texts[] = {
#define HT_DESK_TEXT(name, text) text,
        HT_DESK_REASON_MAP(HT_DESK_TEXT)
#undef HT_DESK_TEXT
    };
    return (unsigned)reason < HT_RELEASED_REASONS ? texts[reason] : "";
}

const char *ht_desk_event_text(enum ht_desk_event_kind kind)
{
    static const char *const texts[] = {
#define HT_DESK_TEXT(name, text, fields) text,
        HT_DESK_EVENT_MAP(HT_DESK_TEXT)
#undef HT_DESK_TEXT
    };
    return (unsigned)kind < HT_DESK_EVENT_KINDS ? texts[kind] : "";
}

enum ht_desk_event_kind ht_desk_event_of(const char *text)
{
    int kind = 0;
    if (text != NULL && strcmp(text, "at_risk") == 0) {
        return HT_DESK_AT_RISK; /* what it was called at first */
    }
    while (kind < HT_DESK_EVENT_KINDS &&
           (text == NULL || strcmp(ht_desk_event_text((enum ht_desk_event_kind)kind), text) != 0)) {
        kind++;
    }
    return (enum ht_desk_event_kind)kind;
}

uint32_t ht_desk_event_fields(enum ht_desk_event_kind kind)
{
    static const uint32_t fields_of[] = {
#define HT_DESK_FIELDS(name, text, fields) (fields),
        HT_DESK_EVENT_MAP(HT_DESK_FIELDS)
#undef HT_DESK_FIELDS
    };
    return (unsigned)kind < HT_DESK_EVENT_KINDS ? fields_of[kind] : 0;
}

enum { MINUTE = 60000, HOUR = 3600000 };

/* An emergency: the graver, the shorter its clocks. */
static struct ht_desk_rule rule_of(int severity)
{
    uint32_t slow = (uint32_t)(5 - severity);
    struct ht_desk_rule rule = {.promise_ms = 10 * MINUTE,
                                .fold_ms = 5 * MINUTE,
                                .turnout_ms = MINUTE,
                                .ack_ms = slow >= 3 ? 2 * MINUTE : MINUTE,
                                .again_ms = 2 * MINUTE,
                                .units = 1,
                                .blue_light = severity >= 3};
    rule.clock_ms[0] = slow * 2 * MINUTE;
    rule.clock_ms[1] = slow * 10 * MINUTE;
    rule.clock_ms[2] = slow * HOUR;
    rule.clock_ms[3] = slow * 4 * HOUR;
    rule.clock_ms[4] = slow * 48 * HOUR;
    return rule;
}

/* An errand: hours, not minutes. */
static struct ht_desk_rule request_of(int severity)
{
    uint32_t slow = (uint32_t)(5 - severity);
    struct ht_desk_rule rule = {.promise_ms = slow * 2 * HOUR,
                                .turnout_ms = 5 * MINUTE,
                                .ack_ms = 15 * MINUTE,
                                .again_ms = HOUR,
                                .units = 1};
    rule.clock_ms[0] = slow * HOUR;
    for (int s = 1; s < HT_DESK_STEPS; s++) {
        rule.clock_ms[s] = slow * 8 * HOUR;
    }
    return rule;
}

struct ht_desk_rules ht_desk_rules_default(void)
{
    struct ht_desk_rules rules = {.preempt = true, .joint = true, .choice = HT_DESK_CLOSEST};
    for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
        rules.weight[s] = UINT32_C(1) << s;
        for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
            rules.rule[k][s] = k == HT_INCIDENT_REQUEST ? request_of(s + 1) : rule_of(s + 1);
        }
        rules.rule[HT_INCIDENT_GAS][s].units = 2;
        rules.rule[HT_INCIDENT_DOOR][s].confirm_ms = 2 * MINUTE;
    }
    return rules;
}

/* A moment plus a few of these stays far from the end of the clock. */
static const uint32_t LONGEST_MS = UINT32_C(31) * 24 * HOUR;

static const char *wrong_in(const struct ht_desk_rule *rule)
{
    const uint32_t lengths[] = {rule->promise_ms, rule->confirm_ms, rule->fold_ms,
                                rule->turnout_ms, rule->ack_ms,     rule->again_ms};
    static const char *const names[] = {"promise", "confirm", "fold", "turnout", "ack", "again"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        if (lengths[i] > LONGEST_MS) {
            return names[i];
        }
    }
    for (int i = 0; i < HT_DESK_STEPS; i++) {
        if (rule->clock_ms[i] > LONGEST_MS) {
            return "clock";
        }
    }
    if (rule->units < 1 || rule->units > HT_DESK_UNITS_MAX) {
        return "units";
    }
    return memchr(rule->skills, 0, sizeof rule->skills) == NULL ? "skills" : NULL;
}

enum ht_status ht_desk_rules_check(const struct ht_desk_rules *rules, struct ht_error *error)
{
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
            const char *wrong = wrong_in(&rules->rule[k][s]);
            if (wrong != NULL) {
                return ht_error_set(error, HT_RANGE, 0, "%s of %s, severity %d", wrong,
                                    ht_incident_kind_text((enum ht_incident_kind)k), s + 1);
            }
        }
    }
    for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
        if (rules->weight[s] < 1 || rules->weight[s] > 1000) {
            return ht_error_set(error, HT_RANGE, 0, "weight of severity %d", s + 1);
        }
    }
    if (rules->choice != HT_DESK_CLOSEST && rules->choice != HT_DESK_COVERAGE) {
        return ht_error_set(error, HT_RANGE, 0, "choice");
    }
    return HT_OK;
}
