#include "api/visit_rules.h"

#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/settings.h"

#define REVISITS "revisits"

enum { DAY_MS = 86400000, DAYS_MOST = 3650, SECONDS_MOST = 86400, NEAR_MOST_M = 5000 };

static struct ht_visit_office office_first(void)
{
    return (struct ht_visit_office){.rules = ht_visit_rules_default(),
                                    .near_m = 150,
                                    .service_ms = 1800 * 1000,
                                    .short_percent = 30,
                                    .short_ms = 300 * 1000,
                                    .slack_ms = 300 * 1000,
                                    .revisits = true};
}

/* ---- the document as a table ---- */

struct entry {
    const char *name;
    int64_t *values;
    size_t count;
    int64_t unit; /* of which a value is so many */
    int64_t least;
    int64_t most;
};

enum { ENTRIES = 9 };

static void entries_of(struct ht_visit_office *o, int64_t *near_m, int64_t *percent,
                       struct entry out[ENTRIES])
{
    const struct entry entries[ENTRIES] = {
        {"due_days", o->rules.due_ms, HT_VISIT_SEVERITIES, DAY_MS, 1, DAYS_MOST},
        {"remind_days", &o->rules.remind_ms, 1, DAY_MS, 0, DAYS_MOST},
        {"rise_days", o->rules.rise_ms, HT_VISIT_LEVELS - 1, DAY_MS, 0, DAYS_MOST},
        {"extend_days", o->rules.extend_ms, HT_VISIT_LEVELS, DAY_MS, 0, DAYS_MOST},
        {"again_days", &o->rules.again_ms, 1, DAY_MS, 0, 365},
        {"near_m", near_m, 1, 1, 1, NEAR_MOST_M},
        {"service_s", &o->service_ms, 1, 1000, 60, SECONDS_MOST},
        {"short_percent", percent, 1, 1, 0, 100},
        {"short_s", &o->short_ms, 1, 1000, 0, SECONDS_MOST},
    };
    memcpy(out, entries, sizeof entries);
}

static struct entry slack_of(struct ht_visit_office *o)
{
    return (struct entry){"slack_s", &o->slack_ms, 1, 1000, 0, SECONDS_MOST};
}

/* ---- reading ---- */

static enum ht_status wrong_value(const struct entry *entry, struct ht_setting_wrong *wrong)
{
    (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%s", entry->name);
    if (entry->count == 1) {
        (void)snprintf(wrong->detail, sizeof wrong->detail, "is a whole number from %d to %d",
                       (int)entry->least, (int)entry->most);
    } else {
        (void)snprintf(wrong->detail, sizeof wrong->detail,
                       "is a list of %zu whole numbers from %d to %d", entry->count,
                       (int)entry->least, (int)entry->most);
    }
    return HT_INVALID;
}

static enum ht_status entry_read(const struct entry *entry, yajl_val value,
                                 struct ht_setting_wrong *wrong)
{
    bool list = entry->count > 1;
    if (list && (!YAJL_IS_ARRAY(value) || value->u.array.len != entry->count)) {
        return wrong_value(entry, wrong);
    }
    for (size_t i = 0; i < entry->count; i++) {
        yajl_val item = list ? value->u.array.values[i] : value;
        if (!YAJL_IS_INTEGER(item) || YAJL_GET_INTEGER(item) < entry->least ||
            YAJL_GET_INTEGER(item) > entry->most) {
            return wrong_value(entry, wrong);
        }
        entry->values[i] = YAJL_GET_INTEGER(item) * entry->unit;
    }
    return HT_OK;
}

static enum ht_status member_read(const struct entry entries[ENTRIES + 1], const char *name,
                                  yajl_val value, struct ht_setting_wrong *wrong)
{
    for (size_t i = 0; i <= ENTRIES; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return entry_read(&entries[i], value, wrong);
        }
    }
    ht_pointer(wrong->pointer, sizeof wrong->pointer, "", name);
    (void)snprintf(wrong->detail, sizeof wrong->detail, "is no setting of visits");
    return HT_INVALID;
}

static enum ht_status flag_read(const char *name, yajl_val value, bool *out,
                                struct ht_setting_wrong *wrong)
{
    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%s", name);
        (void)strcpy(wrong->detail, "is true or false");
        return HT_INVALID;
    }
    *out = YAJL_IS_TRUE(value);
    return HT_OK;
}

/* The graver a hazard, the sooner; the higher a rank, the more it may give; what stays on a level
 * for ever never comes to the next. */
static enum ht_status order_check(const struct ht_visit_rules *rules,
                                  struct ht_setting_wrong *wrong)
{
    for (size_t i = 1; i < HT_VISIT_SEVERITIES; i++) {
        if (rules->due_ms[i] > rules->due_ms[i - 1]) {
            (void)strcpy(wrong->pointer, "/due_days");
            (void)strcpy(wrong->detail, "a graver hazard has more time than a lesser one");
            return HT_INVALID;
        }
    }
    for (size_t i = 1; i < HT_VISIT_LEVELS; i++) {
        if (rules->extend_ms[i] < rules->extend_ms[i - 1]) {
            (void)strcpy(wrong->pointer, "/extend_days");
            (void)strcpy(wrong->detail, "a higher rank may give less than a lower one");
            return HT_INVALID;
        }
    }
    for (size_t i = 1; i + 1 < HT_VISIT_LEVELS; i++) {
        if (rules->rise_ms[i] != 0 && rules->rise_ms[i] < rules->rise_ms[i - 1]) {
            (void)strcpy(wrong->pointer, "/rise_days");
            (void)strcpy(wrong->detail, "it would rise from the higher level sooner");
            return HT_INVALID;
        }
        if (rules->rise_ms[i] != 0 && rules->rise_ms[i - 1] == 0) {
            (void)strcpy(wrong->pointer, "/rise_days");
            (void)strcpy(wrong->detail, "it never rises to the level that it would rise from");
            return HT_INVALID;
        }
    }
    return HT_OK;
}

enum ht_status ht_visit_office_read(yajl_val tree, struct ht_visit_office *out,
                                    struct ht_setting_wrong *wrong)
{
    struct entry entries[ENTRIES + 1];
    *out = office_first();
    int64_t near_m = out->near_m;
    int64_t percent = out->short_percent;
    entries_of(out, &near_m, &percent, entries);
    entries[ENTRIES] = slack_of(out);
    enum ht_status status = HT_OK;
    for (size_t i = 0; tree != NULL && i < tree->u.object.len && status == HT_OK; i++) {
        const char *name = tree->u.object.keys[i];
        yajl_val value = tree->u.object.values[i];
        status = strcmp(name, REVISITS) == 0 ? flag_read(name, value, &out->revisits, wrong)
                                             : member_read(entries, name, value, wrong);
    }
    out->near_m = (uint32_t)near_m;
    out->short_percent = (uint32_t)percent;
    return status == HT_OK ? order_check(&out->rules, wrong) : status;
}

/* ---- writing ---- */

void ht_visit_office_write(const struct ht_visit_office *office, struct ht_json *json)
{
    struct ht_visit_office copy = *office;
    struct entry entries[ENTRIES + 1];
    int64_t near_m = copy.near_m;
    int64_t percent = copy.short_percent;
    entries_of(&copy, &near_m, &percent, entries);
    entries[ENTRIES] = slack_of(&copy);
    ht_json_object(json);
    for (size_t i = 0; i <= ENTRIES; i++) {
        ht_json_key(json, entries[i].name);
        if (entries[i].count > 1) {
            ht_json_array(json);
        }
        for (size_t j = 0; j < entries[i].count; j++) {
            ht_json_int(json, entries[i].values[j] / entries[i].unit);
        }
        if (entries[i].count > 1) {
            ht_json_array_end(json);
        }
    }
    ht_json_key_bool(json, REVISITS, office->revisits);
    ht_json_object_end(json);
}
