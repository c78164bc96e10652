#include "api/meal_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/calendar.h"
#include "api/incident_rules.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/pointer.h"
#include "api/settings.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"
#include "geodata/collection.h"

enum { DAY_S = 86400, DAY_MS = DAY_S * 1000, MINUTE_MS = 60000, HOURS_MOST = 1000 };

/* ---- reading ---- */

struct reader {
    struct ht_setting_wrong *wrong;
    enum ht_status status; /* HT_OK, HT_INVALID with `wrong`, HT_NOMEM */
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *reader, const char *pointer,
                                                       const char *format, ...)
{
    va_list list;
    if (reader->status != HT_OK) {
        return;
    }
    reader->status = HT_INVALID;
    (void)snprintf(reader->wrong->pointer, sizeof reader->wrong->pointer, "%s", pointer);
    va_start(list, format);
    (void)vsnprintf(reader->wrong->detail, sizeof reader->wrong->detail, format, list);
    va_end(list);
}

static int64_t whole_read(struct reader *reader, yajl_val value, const char *pointer, int64_t most)
{
    int64_t number = YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : -1;
    if (number < 0 || number > most) {
        fail(reader, pointer, "is a whole number from 0 to %d", (int)most);
        return 0;
    }
    return number;
}

static void hours_read(struct reader *reader, struct ht_kitchen_rule *rule, yajl_val value,
                       const char *pointer)
{
    struct ht_error error = {0};
    const char *text = YAJL_GET_STRING(value);
    if (!YAJL_IS_NULL(value) && (text == NULL || strlen(text) > HOURS_MOST)) {
        fail(reader, pointer, "is opening hours, like \"Mo-Su 06:00-20:00\", or null");
        return;
    }
    ht_schedule_free(rule->schedule);
    free(rule->hours);
    rule->schedule = NULL;
    rule->hours = text == NULL ? NULL : strdup(text);
    enum ht_status status = HT_OK;
    if (text != NULL) {
        status = rule->hours == NULL ? HT_NOMEM : ht_schedule_parse(text, &rule->schedule, &error);
    }
    if (status == HT_NOMEM) {
        reader->status = HT_NOMEM;
    } else if (status != HT_OK) {
        fail(reader, pointer, "%.120s", error.message);
    }
}

/* "10:30" */
static void order_by_read(struct reader *reader, struct ht_kitchen_rule *rule, yajl_val value,
                          const char *pointer)
{
    const char *text = YAJL_GET_STRING(value);
    rule->order_by_min = -1;
    if (YAJL_IS_NULL(value)) {
        return;
    }
    bool good = text != NULL && strlen(text) == 5 && text[2] == ':' &&
                strspn(text, "0123456789") == 2 && strspn(text + 3, "0123456789") == 2;
    int hour = good ? (text[0] - '0') * 10 + text[1] - '0' : 0;
    int minute = good ? (text[3] - '0') * 10 + text[4] - '0' : 0;
    if (!good || hour > 23 || minute > 59) {
        fail(reader, pointer, "is a time of the day, like \"10:30\", or null");
        return;
    }
    rule->order_by_min = hour * 60 + minute;
}

static bool moment_read(yajl_val value, int64_t *out)
{
    const char *text = YAJL_GET_STRING(value);
    return text != NULL && ht_time_parse(text, strlen(text), out);
}

static bool outage_read(yajl_val value, struct ht_kitchen_outage *out)
{
    yajl_val until = ht_json_member(value, "until");
    *out = (struct ht_kitchen_outage){0, INT64_MAX};
    return moment_read(ht_json_member(value, "from"), &out->from_ms) &&
           (until == NULL || YAJL_IS_NULL(until) || moment_read(until, &out->until_ms)) &&
           out->from_ms < out->until_ms;
}

static void outages_read(struct reader *reader, struct ht_kitchen_rule *rule, yajl_val value,
                         const char *pointer)
{
    bool good = YAJL_IS_ARRAY(value) && value->u.array.len <= HT_KITCHEN_OUTAGES;
    rule->outage_count = 0;
    for (size_t i = 0; good && i < value->u.array.len; i++) {
        good = outage_read(value->u.array.values[i], &rule->outages[i]);
        rule->outage_count++;
    }
    if (!good) {
        rule->outage_count = 0;
        fail(reader, pointer,
             "is a list of at most %d {\"from\", \"until\"}, until null: not known",
             (int)HT_KITCHEN_OUTAGES);
    }
}

static void member_read(struct reader *reader, struct ht_kitchen_rule *rule, const char *name,
                        yajl_val value, const char *pointer)
{
    if (strcmp(name, "hours") == 0) {
        hours_read(reader, rule, value, pointer);
    } else if (strcmp(name, "cutoff_s") == 0) {
        rule->cutoff_ms = (uint32_t)(whole_read(reader, value, pointer, 7 * DAY_S) * 1000);
    } else if (strcmp(name, "order_by") == 0) {
        order_by_read(reader, rule, value, pointer);
    } else if (strcmp(name, "capacity") == 0) {
        rule->capacity = (uint32_t)whole_read(reader, value, pointer, HT_ORDER_LOAD_MOST);
    } else if (strcmp(name, "diets") == 0) {
        if (!ht_incident_skills_read(value, rule->diets)) {
            fail(reader, pointer, "is a list of texts, 255 bytes in all");
        }
    } else if (strcmp(name, "out_of_order") == 0) {
        outages_read(reader, rule, value, pointer);
    } else {
        fail(reader, pointer, "a kitchen has no %.60s", name);
    }
}

static void kitchen_read(struct reader *reader, struct ht_kitchen_rule *rule, yajl_val value,
                         const char *at)
{
    char pointer[HT_POINTER_MOST];
    if (!YAJL_IS_OBJECT(value)) {
        fail(reader, at, "a kitchen is an object");
        return;
    }
    for (size_t i = 0; i < value->u.object.len && reader->status == HT_OK; i++) {
        const char *name = value->u.object.keys[i];
        ht_pointer(pointer, sizeof pointer, at, name);
        member_read(reader, rule, name, value->u.object.values[i], pointer);
    }
}

/* What it leaves out is as in `first`. */
static enum ht_status kitchen_begin(struct ht_kitchen_rule *rule,
                                    const struct ht_kitchen_rule *first, const char *id)
{
    *rule = *first;
    rule->schedule = NULL;
    rule->hours = NULL;
    (void)snprintf(rule->id, sizeof rule->id, "%s", id);
    if (first->hours == NULL) {
        return HT_OK;
    }
    rule->hours = strdup(first->hours);
    return rule->hours == NULL ? HT_NOMEM : ht_schedule_parse(rule->hours, &rule->schedule, NULL);
}

static void kitchens_read(struct reader *reader, struct ht_meal_rules *rules, yajl_val value)
{
    char pointer[HT_POINTER_MOST];
    if (!YAJL_IS_OBJECT(value) || value->u.object.len > HT_KITCHENS_MOST) {
        fail(reader, "/kitchens", "kitchens is an object of at most %d", (int)HT_KITCHENS_MOST);
        return;
    }
    rules->kitchens = ht_array_new_zeroed(value->u.object.len, sizeof *rules->kitchens);
    reader->status = rules->kitchens == NULL ? HT_NOMEM : reader->status;
    for (size_t i = 0; reader->status == HT_OK && i < value->u.object.len; i++) {
        const char *id = value->u.object.keys[i];
        ht_pointer(pointer, sizeof pointer, "/kitchens", id);
        if (!ht_id_valid(id, strlen(id)) || ht_meal_rules_kitchen(rules, id) != &rules->first) {
            fail(reader, pointer, "is no id of a facility, or is there twice");
            return;
        }
        enum ht_status status = kitchen_begin(&rules->kitchens[i], &rules->first, id);
        rules->kitchen_count = i + 1;
        if (status != HT_OK) {
            reader->status = status;
            return;
        }
        kitchen_read(reader, &rules->kitchens[i], value->u.object.values[i], pointer);
    }
}

static void welfare_read(struct reader *reader, struct ht_meal_rules *rules, yajl_val value)
{
    for (size_t i = 0; YAJL_IS_OBJECT(value) && i < value->u.object.len; i++) {
        const char *name = value->u.object.keys[i];
        yajl_val one = value->u.object.values[i];
        if (strcmp(name, "kind") == 0) {
            rules->welfare_kind = ht_incident_kind_of(YAJL_GET_STRING(one));
            if (rules->welfare_kind != HT_INCIDENT_DOOR &&
                rules->welfare_kind != HT_INCIDENT_OTHER) {
                fail(reader, "/welfare/kind", "kind is door or other");
            }
        } else if (strcmp(name, "severity") == 0) {
            rules->welfare_severity =
                YAJL_IS_NULL(one)
                    ? 0
                    : (uint8_t)whole_read(reader, one, "/welfare/severity", HT_DESK_SEVERITIES);
        } else {
            fail(reader, "/welfare", "welfare has kind and severity");
        }
    }
    if (!YAJL_IS_OBJECT(value)) {
        fail(reader, "/welfare", "welfare is an object of kind and severity");
    }
}

static void top_read(struct reader *reader, struct ht_meal_rules *rules, const char *name,
                     yajl_val value)
{
    char pointer[HT_POINTER_MOST];
    ht_pointer(pointer, sizeof pointer, "", name);
    if (strcmp(name, "service_s") == 0) {
        rules->service_ms = (uint32_t)(whole_read(reader, value, pointer, 4 * 3600) * 1000);
    } else if (strcmp(name, "lead_s") == 0) {
        rules->lead_ms = (uint32_t)(whole_read(reader, value, pointer, DAY_S) * 1000);
    } else if (strcmp(name, "step_s") == 0) {
        rules->step_ms = (uint32_t)(whole_read(reader, value, pointer, DAY_S) * 1000);
    } else if (strcmp(name, "welfare") == 0) {
        welfare_read(reader, rules, value);
    } else if (strcmp(name, "kitchens") != 0 && strcmp(name, "default") != 0) {
        fail(reader, pointer, "meals has no %.60s", name);
    }
}

enum ht_status ht_meal_rules_read(yajl_val tree, struct ht_meal_rules **out,
                                  struct ht_setting_wrong *wrong)
{
    struct reader reader = {.wrong = wrong, .status = HT_OK};
    struct ht_meal_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL) {
        return HT_NOMEM;
    }
    rules->first.order_by_min = -1;
    rules->service_ms = 60 * 1000;
    rules->lead_ms = 30 * 60 * 1000;
    rules->step_ms = 120 * 1000;
    rules->welfare_kind = HT_INCIDENT_OTHER;
    rules->welfare_severity = 3;
    yajl_val first = ht_json_member(tree, "default");
    yajl_val kitchens = ht_json_member(tree, "kitchens");
    if (first != NULL) {
        kitchen_read(&reader, &rules->first, first, "/default");
    }
    if (kitchens != NULL && reader.status == HT_OK) {
        kitchens_read(&reader, rules, kitchens);
    }
    for (size_t i = 0; YAJL_IS_OBJECT(tree) && i < tree->u.object.len; i++) {
        if (reader.status == HT_OK) {
            top_read(&reader, rules, tree->u.object.keys[i], tree->u.object.values[i]);
        }
    }
    if (reader.status != HT_OK) {
        ht_meal_rules_free(rules);
        return reader.status;
    }
    *out = rules;
    return HT_OK;
}

static void kitchen_deinit(struct ht_kitchen_rule *rule)
{
    ht_schedule_free(rule->schedule);
    free(rule->hours);
}

void ht_meal_rules_free(struct ht_meal_rules *rules)
{
    if (rules != NULL) {
        for (size_t i = 0; i < rules->kitchen_count; i++) {
            kitchen_deinit(&rules->kitchens[i]);
        }
        kitchen_deinit(&rules->first);
        free(rules->kitchens);
        free(rules);
    }
}

/* ---- writing ---- */

static void moment_write(struct ht_json *json, const char *key, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    ht_json_key(json, key);
    if (at_ms == INT64_MAX) {
        ht_json_null(json);
    } else {
        ht_time_format(at_ms, text);
        ht_json_text(json, text);
    }
}

static void kitchen_write(struct ht_json *json, const struct ht_kitchen_rule *rule)
{
    char text[16];
    ht_json_object(json);
    ht_json_key(json, "hours");
    if (rule->hours == NULL) {
        ht_json_null(json);
    } else {
        ht_json_text(json, rule->hours);
    }
    ht_json_key_int(json, "cutoff_s", rule->cutoff_ms / 1000);
    ht_json_key(json, "order_by");
    if (rule->order_by_min < 0) {
        ht_json_null(json);
    } else {
        (void)snprintf(text, sizeof text, "%02d:%02d", (int)rule->order_by_min / 60 % 24,
                       (int)rule->order_by_min % 60);
        ht_json_text(json, text);
    }
    ht_json_key_int(json, "capacity", rule->capacity);
    ht_json_key(json, "diets");
    ht_incident_skills_write(json, rule->diets);
    ht_json_key(json, "out_of_order");
    ht_json_array(json);
    for (uint32_t i = 0; i < rule->outage_count; i++) {
        ht_json_object(json);
        moment_write(json, "from", rule->outages[i].from_ms);
        moment_write(json, "until", rule->outages[i].until_ms);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
    ht_json_object_end(json);
}

void ht_meal_rules_write(const struct ht_meal_rules *rules, struct ht_json *json)
{
    ht_json_object(json);
    ht_json_key(json, "default");
    kitchen_write(json, &rules->first);
    ht_json_key(json, "kitchens");
    ht_json_object(json);
    for (size_t i = 0; i < rules->kitchen_count; i++) {
        ht_json_key(json, rules->kitchens[i].id);
        kitchen_write(json, &rules->kitchens[i]);
    }
    ht_json_object_end(json);
    ht_json_key_int(json, "service_s", rules->service_ms / 1000);
    ht_json_key_int(json, "lead_s", rules->lead_ms / 1000);
    ht_json_key_int(json, "step_s", rules->step_ms / 1000);
    ht_json_key(json, "welfare");
    ht_json_object(json);
    ht_json_key_text(json, "kind", ht_incident_kind_text(rules->welfare_kind));
    ht_json_key(json, "severity");
    if (rules->welfare_severity == 0) {
        ht_json_null(json);
    } else {
        ht_json_int(json, rules->welfare_severity);
    }
    ht_json_object_end(json);
    ht_json_object_end(json);
}

/* ---- questions ---- */

const struct ht_kitchen_rule *ht_meal_rules_kitchen(const struct ht_meal_rules *rules,
                                                    const char *kitchen)
{
    for (size_t i = 0; i < rules->kitchen_count; i++) {
        if (strcmp(rules->kitchens[i].id, kitchen) == 0) {
            return &rules->kitchens[i];
        }
    }
    return &rules->first;
}

bool ht_kitchen_is_out(const struct ht_kitchen_rule *rule, int64_t at_ms)
{
    bool out = false;
    for (uint32_t i = 0; i < rule->outage_count; i++) {
        out = out || (at_ms >= rule->outages[i].from_ms && at_ms < rule->outages[i].until_ms);
    }
    return out;
}

static bool has_word(const char *list, const char *word, size_t length)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ";");
        if (size == length && memcmp(list, word, size) == 0) {
            return true;
        }
        list += size + (list[size] == ';');
    }
    return false;
}

static enum ht_status check_diets(const struct ht_kitchen_rule *rule, const struct ht_meal_ask *ask,
                                  struct ht_error *error)
{
    for (const char *at = ask->diets; *at != '\0';) {
        size_t size = strcspn(at, ";");
        if (!has_word(rule->diets, at, size)) {
            return ht_error_set(error, HT_INVALID, 0, "/diets: kitchen %s does not cook %.*s",
                                ask->kitchen, (int)size, at);
        }
        at += size + (at[size] == ';');
    }
    return HT_OK;
}

/* Until when orders for a due time are taken. */
static int64_t cutoff_of(const struct ht_kitchen_rule *rule, int64_t due_ms)
{
    int64_t until_ms = due_ms - rule->cutoff_ms;
    if (rule->order_by_min >= 0) {
        int64_t local_ms = ht_zone_local_ms(due_ms);
        int64_t day = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
        int64_t by_ms = ht_zone_utc_ms(day * DAY_MS + (int64_t)rule->order_by_min * MINUTE_MS);
        until_ms = by_ms < until_ms ? by_ms : until_ms;
    }
    return until_ms;
}

enum ht_status ht_meal_rules_check(const struct ht_meal_rules *rules,
                                   struct ht_office_calendar *calendar,
                                   const struct ht_meal_ask *ask, struct ht_error *error)
{
    const struct ht_kitchen_rule *rule = ht_meal_rules_kitchen(rules, ask->kitchen);
    char text[HT_TIME_TEXT_SIZE];
    if (ask->due_to_ms <= ask->now_ms) {
        return ht_error_set(error, HT_INVALID, 0, "/due: it is over");
    }
    bool limited = rule->cutoff_ms > 0 || rule->order_by_min >= 0;
    int64_t until_ms = cutoff_of(rule, ask->due_from_ms);
    if (limited && ask->now_ms > until_ms) {
        ht_time_format(until_ms, text);
        return ht_error_set(error, HT_INVALID, 0,
                            "/due: cut-off: kitchen %s took orders for this time until %s",
                            ask->kitchen, text);
    }
    ht_time_format(ask->ready_ms, text);
    if (ht_kitchen_is_out(rule, ask->ready_ms)) {
        return ht_error_set(error, HT_INVALID, 0, "/kitchen: kitchen %s is out of order at %s",
                            ask->kitchen, text);
    }
    const struct ht_schedule *open = rule->schedule != NULL ? rule->schedule : ask->open;
    if (open != NULL && !ht_calendar_active(calendar, open, ask->ready_ms)) {
        return ht_error_set(error, HT_INVALID, 0, "/ready: kitchen %s is closed at %s",
                            ask->kitchen, text);
    }
    return check_diets(rule, ask, error);
}
