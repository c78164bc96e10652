#include "api/incident_rules.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/live_json.h"
#include "api/pointer.h"
#include "api/settings.h"

enum { DAY_S = 86400, DECIMALS = 2 };

enum ht_incident_kind ht_incident_kind_of(const char *name)
{
    int kind = 0;
    while (
        kind < HT_INCIDENT_KINDS &&
        (name == NULL || strcmp(ht_incident_kind_text((enum ht_incident_kind)kind), name) != 0)) {
        kind++;
    }
    return (enum ht_incident_kind)kind;
}

/* ---- what a kind has ---- */

enum number_type { SECONDS, COUNT, FLAG };

/* A member of a kind that may differ by severity. */
struct number {
    const char *name;
    size_t at; /* in struct ht_desk_rule */
    int64_t least;
    int64_t most;
    enum number_type type;
};

#define AT(member) offsetof(struct ht_desk_rule, member)

static const struct number numbers[] = {
    {"units", AT(units), 1, HT_DESK_UNITS_MAX, COUNT},
    {"promise_s", AT(promise_ms), 1, 7 * DAY_S, SECONDS},
    {"confirm_s", AT(confirm_ms), 0, DAY_S, SECONDS},
    {"fold_s", AT(fold_ms), 0, DAY_S, SECONDS},
    {"turnout_s", AT(turnout_ms), 0, DAY_S, SECONDS},
    {"ack_s", AT(ack_ms), 0, DAY_S, SECONDS},
    {"again_s", AT(again_ms), 0, DAY_S, SECONDS},
    {"blue_light", AT(blue_light), 0, 1, FLAG},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static int64_t number_get(const struct ht_desk_rule *rule, const struct number *number)
{
    const char *at = (const char *)rule + number->at;
    uint32_t ms = 0;
    if (number->type == COUNT) {
        return (uint8_t)*at;
    }
    if (number->type == FLAG) {
        return *at != 0;
    }
    memcpy(&ms, at, sizeof ms);
    return ms / 1000;
}

static void number_set(struct ht_desk_rule *rule, const struct number *number, int64_t value)
{
    char *at = (char *)rule + number->at;
    uint32_t ms = (uint32_t)(value * 1000);
    if (number->type == SECONDS) {
        memcpy(at, &ms, sizeof ms);
    } else if (number->type == FLAG) {
        bool flag = value != 0;
        memcpy(at, &flag, sizeof flag);
    } else {
        *at = (char)(uint8_t)value;
    }
}

/* ---- reading ---- */

struct reader {
    struct ht_incident_rules *rules;
    struct ht_setting_wrong *wrong;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *reader, const char *pointer,
                                                       const char *format, ...)
{
    va_list list;
    if (reader->failed) {
        return;
    }
    reader->failed = true;
    (void)snprintf(reader->wrong->pointer, sizeof reader->wrong->pointer, "%s", pointer);
    va_start(list, format);
    (void)vsnprintf(reader->wrong->detail, sizeof reader->wrong->detail, format, list);
    va_end(list);
}

/* What is no whole number within bounds leaves `least`: nobody multiplies what was refused. */
static bool whole(yajl_val value, int64_t least, int64_t most, int64_t *out)
{
    int64_t number = YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : INT64_MIN;
    bool good = number >= least && number <= most;
    *out = good ? number : least;
    return good;
}

static bool flag_or_number(const struct number *number, yajl_val value, int64_t *out)
{
    if (number->type == FLAG) {
        *out = YAJL_IS_TRUE(value);
        return YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value);
    }
    return whole(value, number->least, number->most, out);
}

/* One for all severities, or a list of four. */
static void number_read(struct reader *reader, struct ht_desk_rule *rules,
                        const struct number *number, yajl_val value, const char *pointer)
{
    bool list = YAJL_IS_ARRAY(value);
    bool good = !list || value->u.array.len == HT_DESK_SEVERITIES;
    for (int s = 0; s < HT_DESK_SEVERITIES && good; s++) {
        int64_t one = 0;
        good = flag_or_number(number, list ? value->u.array.values[s] : value, &one);
        if (good) {
            number_set(&rules[s], number, one);
        }
    }
    if (!good && number->type == FLAG) {
        fail(reader, pointer, "%s is true or false, or four of them", number->name);
    } else if (!good) {
        fail(reader, pointer, "%s is a whole number from %d to %d, or four of them", number->name,
             (int)number->least, (int)number->most);
    }
}

static bool clocks_row(yajl_val value, uint32_t clock_ms[HT_DESK_STEPS])
{
    bool good = YAJL_IS_ARRAY(value) && value->u.array.len == HT_DESK_STEPS;
    for (int i = 0; i < HT_DESK_STEPS && good; i++) {
        int64_t seconds = 0;
        good = whole(value->u.array.values[i], 0, 30 * DAY_S, &seconds);
        clock_ms[i] = (uint32_t)(seconds * 1000);
    }
    return good;
}

static void clocks_read(struct reader *reader, struct ht_desk_rule *rules, yajl_val value,
                        const char *pointer)
{
    bool good = YAJL_IS_ARRAY(value) && value->u.array.len > 0;
    bool each = good && YAJL_IS_ARRAY(value->u.array.values[0]);
    good = good && (!each || value->u.array.len == HT_DESK_SEVERITIES);
    for (int s = 0; s < HT_DESK_SEVERITIES && good; s++) {
        good = clocks_row(each ? value->u.array.values[s] : value, rules[s].clock_ms);
    }
    if (!good) {
        fail(reader, pointer,
             "clocks_s is a list of five whole numbers of seconds (0: never), or four such lists");
    }
}

bool ht_incident_skills_read(yajl_val list, char out[HT_DESK_SKILLS_MAX + 1])
{
    size_t size = 0;
    out[0] = '\0';
    if (!YAJL_IS_ARRAY(list)) {
        return false;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        const char *skill = YAJL_GET_STRING(list->u.array.values[i]);
        size_t length = skill == NULL ? 0 : strlen(skill);
        if (length == 0 || length > HT_NAME_MAX || strpbrk(skill, ",;") != NULL ||
            size + length + 1 > HT_DESK_SKILLS_MAX) {
            return false;
        }
        size += (size_t)snprintf(out + size, HT_DESK_SKILLS_MAX + 1 - size, "%s%s",
                                 i == 0 ? "" : ";", skill);
    }
    return true;
}

static bool unit_kinds_read(yajl_val list, uint32_t *bits)
{
    *bits = 0;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        const char *kind = YAJL_GET_STRING(list->u.array.values[i]);
        uint32_t word = 0;
        while (ht_unit_kinds[word] != NULL &&
               (kind == NULL || strcmp(kind, ht_unit_kinds[word]) != 0)) {
            word++;
        }
        if (ht_unit_kinds[word] == NULL) {
            return false;
        }
        *bits |= UINT32_C(1) << word;
    }
    return YAJL_IS_ARRAY(list);
}

static void tell_read(struct reader *reader, struct ht_incident_kind_rule *own, yajl_val value,
                      const char *pointer)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    if (!ht_tell_rule_read(value, pointer, &own->tell, &wrong)) {
        fail(reader, wrong.pointer, "%s", wrong.detail);
    }
}

static void member_read(struct reader *reader, enum ht_incident_kind kind, const char *name,
                        yajl_val value)
{
    struct ht_incident_kind_rule *own = &reader->rules->kinds[kind];
    struct ht_desk_rule *rules = reader->rules->desk.rule[kind];
    char pointer[HT_POINTER_MOST];
    int64_t severity = 0;
    ht_pointer(pointer, sizeof pointer, "/kinds", ht_incident_kind_text(kind));
    ht_pointer(pointer, sizeof pointer, pointer, name);
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            number_read(reader, rules, &numbers[i], value, pointer);
            return;
        }
    }
    if (strcmp(name, "severity") == 0) {
        if (!whole(value, 1, HT_DESK_SEVERITIES, &severity)) {
            fail(reader, pointer, "severity is 1 to 4");
        }
        own->severity = (uint8_t)severity;
    } else if (strcmp(name, "working_hours") == 0) {
        if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
            fail(reader, pointer, "working_hours is true or false");
        }
        own->working_hours = YAJL_IS_TRUE(value);
    } else if (strcmp(name, "unit_kinds") == 0) {
        if (!unit_kinds_read(value, &own->unit_kinds)) {
            fail(reader, pointer, "unit_kinds is a list of van, responder, inspector, volunteer");
        }
    } else if (strcmp(name, "clocks_s") == 0) {
        clocks_read(reader, rules, value, pointer);
    } else if (strcmp(name, "tell") == 0) {
        tell_read(reader, own, value, pointer);
    } else if (strcmp(name, "skills") == 0) {
        if (!ht_incident_skills_read(value, rules[0].skills)) {
            fail(reader, pointer, "skills is a list of texts, 255 bytes in all");
        }
        for (int s = 1; s < HT_DESK_SEVERITIES; s++) {
            memcpy(rules[s].skills, rules[0].skills, sizeof rules[0].skills);
        }
    } else {
        fail(reader, pointer, "a kind of incident has no %.60s", name);
    }
}

static void kinds_read(struct reader *reader, yajl_val kinds)
{
    if (!YAJL_IS_OBJECT(kinds)) {
        fail(reader, "/kinds", "kinds is an object");
        return;
    }
    for (size_t k = 0; k < kinds->u.object.len; k++) {
        const char *name = kinds->u.object.keys[k];
        yajl_val value = kinds->u.object.values[k];
        enum ht_incident_kind kind = ht_incident_kind_of(name);
        char pointer[HT_POINTER_MOST];
        ht_pointer(pointer, sizeof pointer, "/kinds", name);
        if (kind == HT_INCIDENT_KINDS || !YAJL_IS_OBJECT(value)) {
            fail(reader, pointer,
                 "kinds has sos, fall, heart, door, gas, water, request and other, each an object");
            return;
        }
        for (size_t i = 0; i < value->u.object.len; i++) {
            member_read(reader, kind, value->u.object.keys[i], value->u.object.values[i]);
        }
    }
}

static void flag_read(struct reader *reader, const char *name, yajl_val value, bool *out)
{
    char pointer[HT_POINTER_MOST];
    ht_pointer(pointer, sizeof pointer, "", name);
    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        fail(reader, pointer, "%.60s is true or false", name);
    }
    *out = YAJL_IS_TRUE(value);
}

static void weights_read(struct reader *reader, yajl_val value)
{
    bool good = YAJL_IS_ARRAY(value) && value->u.array.len == HT_DESK_SEVERITIES;
    for (int i = 0; i < HT_DESK_SEVERITIES && good; i++) {
        int64_t weight = 0;
        good = whole(value->u.array.values[i], 1, 1000, &weight);
        reader->rules->desk.weight[i] = (uint32_t)weight;
    }
    if (!good) {
        fail(reader, "/weights", "weights is a list of four whole numbers from 1 to 1000");
    }
}

static void seconds_read(struct reader *reader, const char *name, yajl_val value, uint32_t *out_ms)
{
    int64_t seconds = 0;
    char pointer[HT_POINTER_MOST];
    ht_pointer(pointer, sizeof pointer, "", name);
    if (!whole(value, 0, 3600, &seconds)) {
        fail(reader, pointer, "%.60s is a whole number from 0 to 3600", name);
    }
    *out_ms = (uint32_t)(seconds * 1000);
}

/* A number within range[0] and range[1], kept to hundredths. */
static void decimal_read(struct reader *reader, const char *name, yajl_val value,
                         const double range[2], double *out)
{
    char pointer[HT_POINTER_MOST];
    double number = YAJL_IS_NUMBER(value) ? strtod(YAJL_GET_NUMBER(value), NULL) : NAN;
    number = round(number * 100) / 100;
    ht_pointer(pointer, sizeof pointer, "", name);
    if (!(number >= range[0] && number <= range[1])) {
        fail(reader, pointer, "%.60s is a number from %g to %g", name, range[0], range[1]);
    }
    *out = number;
}

static void choice_read(struct reader *reader, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);
    bool coverage = text != NULL && strcmp(text, "coverage") == 0;
    if (!coverage && (text == NULL || strcmp(text, "closest") != 0)) {
        fail(reader, "/choice", "choice is closest or coverage");
    }
    reader->rules->desk.choice = coverage ? HT_DESK_COVERAGE : HT_DESK_CLOSEST;
}

/* What is told to whom. False: `name` is none of this. */
static bool telling_read(struct reader *reader, const char *name, yajl_val value)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    int64_t seconds = 0;
    if (strcmp(name, "duty") == 0) {
        if (!ht_duty_phones_read(value, "/duty", &reader->rules->duty, &wrong)) {
            fail(reader, wrong.pointer, "%s", wrong.detail);
        }
        return true;
    }
    if (strcmp(name, "tell_give_up_s") != 0) {
        return false;
    }
    if (!whole(value, 60, DAY_S, &seconds)) {
        fail(reader, "/tell_give_up_s", "tell_give_up_s is a whole number from 60 to 86400");
    }
    reader->rules->tell_give_up_ms = (uint32_t)(seconds * 1000);
    return true;
}

static void top_read(struct reader *reader, const char *name, yajl_val value)
{
    struct ht_incident_rules *rules = reader->rules;
    if (strcmp(name, "kinds") == 0) {
        kinds_read(reader, value);
    } else if (strcmp(name, "weights") == 0) {
        weights_read(reader, value);
    } else if (strcmp(name, "preempt") == 0) {
        flag_read(reader, name, value, &rules->desk.preempt);
    } else if (strcmp(name, "joint") == 0) {
        flag_read(reader, name, value, &rules->desk.joint);
    } else if (strcmp(name, "stairs_s") == 0) {
        seconds_read(reader, name, value, &rules->stairs_ms);
    } else if (strcmp(name, "lift_s") == 0) {
        seconds_read(reader, name, value, &rules->lift_ms);
    } else if (strcmp(name, "choice") == 0) {
        choice_read(reader, value);
    } else if (strcmp(name, "coverage_s") == 0) {
        seconds_read(reader, name, value, &rules->coverage_ms);
    } else if (strcmp(name, "busy_share") == 0) {
        decimal_read(reader, name, value, (const double[]){0, 0.95}, &rules->busy_share);
    } else if (strcmp(name, "frail_weight") == 0) {
        decimal_read(reader, name, value, (const double[]){1, 1000}, &rules->frail_weight);
    } else if (strcmp(name, "walk_mps") == 0) {
        decimal_read(reader, name, value, (const double[]){0.1, 10}, &rules->walk_mps);
    } else if (!telling_read(reader, name, value)) {
        char pointer[HT_POINTER_MOST];
        ht_pointer(pointer, sizeof pointer, "", name);
        fail(reader, pointer, "incidents has no %.60s", name);
    }
}

static void rules_first(struct ht_incident_rules *rules)
{
    static const uint8_t severities[HT_INCIDENT_KINDS] = {
        [HT_INCIDENT_SOS] = 3,   [HT_INCIDENT_FALL] = 3,    [HT_INCIDENT_HEART] = 4,
        [HT_INCIDENT_DOOR] = 2,  [HT_INCIDENT_GAS] = 4,     [HT_INCIDENT_WATER] = 2,
        [HT_INCIDENT_OTHER] = 2, [HT_INCIDENT_REQUEST] = 1,
    };
    rules->desk = ht_desk_rules_default();
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        bool request = k == HT_INCIDENT_REQUEST;
        rules->kinds[k] = (struct ht_incident_kind_rule){
            .unit_kinds =
                UINT32_C(1) << HT_UNIT_RESPONDER | (request ? UINT32_C(1) << HT_UNIT_VOLUNTEER : 0),
            .severity = severities[k],
            .working_hours = request};
    }
    rules->coverage_ms = 20000;
    rules->busy_share = 0.3;
    rules->frail_weight = 10;
    rules->walk_mps = 1.2;
    rules->stairs_ms = 20000;
    rules->lift_ms = 40000;
    rules->tell_give_up_ms = 3600000;
}

enum ht_status ht_incident_rules_read(yajl_val tree, struct ht_incident_rules **out,
                                      struct ht_setting_wrong *wrong)
{
    struct ht_error error = {0};
    struct ht_incident_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL) {
        return HT_NOMEM;
    }
    struct reader reader = {.rules = rules, .wrong = wrong};
    rules_first(rules);
    for (size_t i = 0; tree != NULL && i < tree->u.object.len; i++) {
        top_read(&reader, tree->u.object.keys[i], tree->u.object.values[i]);
    }
    if (!reader.failed && ht_desk_rules_check(&rules->desk, &error) != HT_OK) {
        fail(&reader, "", "%s", error.message);
    }
    if (reader.failed) {
        ht_incident_rules_free(rules);
        return HT_INVALID;
    }
    *out = rules;
    return HT_OK;
}

void ht_incident_rules_free(struct ht_incident_rules *rules)
{
    free(rules);
}

/* ---- writing ---- */

static void number_write(struct ht_json *json, const struct ht_desk_rule *rules,
                         const struct number *number)
{
    bool same = true;
    for (int s = 1; s < HT_DESK_SEVERITIES; s++) {
        same = same && number_get(&rules[s], number) == number_get(&rules[0], number);
    }
    ht_json_key(json, number->name);
    if (!same) {
        ht_json_array(json);
    }
    for (int s = 0; s < (same ? 1 : HT_DESK_SEVERITIES); s++) {
        int64_t value = number_get(&rules[s], number);
        if (number->type == FLAG) {
            ht_json_bool(json, value != 0);
        } else {
            ht_json_int(json, value);
        }
    }
    if (!same) {
        ht_json_array_end(json);
    }
}

static void clocks_write(struct ht_json *json, const struct ht_desk_rule *rules)
{
    bool same = true;
    for (int s = 1; s < HT_DESK_SEVERITIES; s++) {
        same = same && memcmp(rules[s].clock_ms, rules[0].clock_ms, sizeof rules[0].clock_ms) == 0;
    }
    ht_json_key(json, "clocks_s");
    if (!same) {
        ht_json_array(json);
    }
    for (int s = 0; s < (same ? 1 : HT_DESK_SEVERITIES); s++) {
        ht_json_array(json);
        for (int i = 0; i < HT_DESK_STEPS; i++) {
            ht_json_int(json, rules[s].clock_ms[i] / 1000);
        }
        ht_json_array_end(json);
    }
    if (!same) {
        ht_json_array_end(json);
    }
}

void ht_incident_skills_write(struct ht_json *json, const char *skills)
{
    ht_json_array(json);
    while (skills != NULL && *skills != '\0') {
        size_t size = strcspn(skills, ";");
        ht_json_text_n(json, skills, size);
        skills += size + (skills[size] == ';');
    }
    ht_json_array_end(json);
}

static void kind_write(struct ht_json *json, const struct ht_incident_rules *rules, int kind)
{
    const struct ht_incident_kind_rule *own = &rules->kinds[kind];
    const struct ht_desk_rule *rule = rules->desk.rule[kind];
    ht_json_key(json, ht_incident_kind_text((enum ht_incident_kind)kind));
    ht_json_object(json);
    ht_json_key_int(json, "severity", own->severity);
    ht_json_key(json, "unit_kinds");
    ht_json_array(json);
    for (uint32_t i = 0; ht_unit_kinds[i] != NULL; i++) {
        if ((own->unit_kinds >> i & 1) != 0) {
            ht_json_text(json, ht_unit_kinds[i]);
        }
    }
    ht_json_array_end(json);
    ht_json_key(json, "skills");
    ht_incident_skills_write(json, rule[0].skills);
    for (size_t i = 0; i < NUMBERS; i++) {
        number_write(json, rule, &numbers[i]);
    }
    ht_json_key_bool(json, "working_hours", own->working_hours);
    clocks_write(json, rule);
    ht_json_key(json, "tell");
    ht_tell_rule_write(json, &own->tell);
    ht_json_object_end(json);
}

void ht_incident_rules_write(const struct ht_incident_rules *rules, struct ht_json *json)
{
    ht_json_object(json);
    ht_json_key(json, "kinds");
    ht_json_object(json);
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        kind_write(json, rules, k);
    }
    ht_json_object_end(json);
    ht_json_key(json, "weights");
    ht_json_array(json);
    for (int i = 0; i < HT_DESK_SEVERITIES; i++) {
        ht_json_int(json, rules->desk.weight[i]);
    }
    ht_json_array_end(json);
    ht_json_key_bool(json, "preempt", rules->desk.preempt);
    ht_json_key_bool(json, "joint", rules->desk.joint);
    ht_json_key_text(json, "choice",
                     rules->desk.choice == HT_DESK_COVERAGE ? "coverage" : "closest");
    ht_json_key_int(json, "coverage_s", rules->coverage_ms / 1000);
    ht_json_key_double(json, "busy_share", rules->busy_share, DECIMALS);
    ht_json_key_double(json, "frail_weight", rules->frail_weight, DECIMALS);
    ht_json_key_double(json, "walk_mps", rules->walk_mps, DECIMALS);
    ht_json_key_int(json, "stairs_s", rules->stairs_ms / 1000);
    ht_json_key_int(json, "lift_s", rules->lift_ms / 1000);
    ht_json_key(json, "duty");
    ht_duty_phones_write(json, &rules->duty);
    ht_json_key_int(json, "tell_give_up_s", rules->tell_give_up_ms / 1000);
    ht_json_object_end(json);
}
