#include "api/incident_tell.h"

#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "api/pointer.h"
#include "api/settings.h"

static const char *const whom_words[HT_TELLS] = {"kin", "duty"};
static const char *const level_words[HT_DESK_LEVELS] = {"community", "sub_district", "district"};

const char *ht_tell_text(enum ht_tell whom)
{
    return whom >= 0 && whom < HT_TELLS ? whom_words[whom] : "";
}

const char *ht_desk_level_text(uint8_t level)
{
    return level < HT_DESK_LEVELS ? level_words[level] : "";
}

enum ht_tell ht_tell_of(const char *text)
{
    int whom = 0;
    while (whom < HT_TELLS && (text == NULL || strcmp(whom_words[whom], text) != 0)) {
        whom++;
    }
    return (enum ht_tell)whom;
}

static bool fail(struct ht_setting_wrong *wrong, const char *pointer, const char *name,
                 const char *why)
{
    if (name[0] == '\0') {
        (void)snprintf(wrong->pointer, sizeof wrong->pointer, "%s", pointer);
    } else {
        ht_pointer(wrong->pointer, sizeof wrong->pointer, pointer, name);
    }
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%s", why);
    return false;
}

/* ---- who is told of which event ---- */

static bool whom_read(yajl_val list, uint8_t *bits)
{
    *bits = 0;
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        enum ht_tell whom = ht_tell_of(YAJL_GET_STRING(list->u.array.values[i]));
        if (whom == HT_TELLS) {
            return false;
        }
        *bits = (uint8_t)(*bits | 1u << whom);
    }
    return YAJL_IS_ARRAY(list);
}

bool ht_tell_rule_read(yajl_val value, const char *pointer, struct ht_tell_rule *out,
                       struct ht_setting_wrong *wrong)
{
    *out = (struct ht_tell_rule){{0}};
    if (!YAJL_IS_OBJECT(value)) {
        return fail(wrong, pointer, "", "tell is an object: events, and who is told of them");
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        const char *name = value->u.object.keys[i];
        enum ht_desk_event_kind event = ht_desk_event_of(name);
        if (event == HT_DESK_EVENT_KINDS) {
            return fail(wrong, pointer, name,
                        "tell names events of an incident: received, assigned, acknowledged, "
                        "enroute, arrived, escalated, promise_at_risk, resolved and so on");
        }
        if (!whom_read(value->u.object.values[i], &out->whom[event])) {
            return fail(wrong, pointer, name, "a list of kin, duty");
        }
    }
    return true;
}

void ht_tell_rule_write(struct ht_json *json, const struct ht_tell_rule *rule)
{
    ht_json_object(json);
    for (int i = 0; i < HT_DESK_EVENT_KINDS; i++) {
        if (rule->whom[i] == 0) {
            continue;
        }
        ht_json_key(json, ht_desk_event_text((enum ht_desk_event_kind)i));
        ht_json_array(json);
        for (int whom = 0; whom < HT_TELLS; whom++) {
            if ((rule->whom[i] >> whom & 1) != 0) {
                ht_json_text(json, whom_words[whom]);
            }
        }
        ht_json_array_end(json);
    }
    ht_json_object_end(json);
}

/* ---- duty phones ---- */

/* Digits and what is written between them, at least three digits. */
static bool phone_sound(const char *text)
{
    size_t digits = 0;
    size_t size = text == NULL ? 0 : strlen(text);
    for (size_t i = 0; i < size; i++) {
        digits += text[i] >= '0' && text[i] <= '9';
    }
    return digits >= 3 && size <= HT_DUTY_PHONE_MAX && strspn(text, "0123456789 +-()*#.") == size;
}

static bool phones_read(yajl_val list, uint8_t level, struct ht_duty_phones *out)
{
    bool good = YAJL_IS_ARRAY(list) && list->u.array.len <= HT_DUTY_PHONES;
    out->count[level] = 0;
    for (size_t i = 0; good && i < list->u.array.len; i++) {
        const char *phone = YAJL_GET_STRING(list->u.array.values[i]);
        good = phone_sound(phone);
        if (good) {
            (void)snprintf(out->phones[level][i], HT_DUTY_PHONE_MAX + 1, "%s", phone);
            out->count[level]++;
        }
    }
    return good;
}

bool ht_duty_phones_read(yajl_val value, const char *pointer, struct ht_duty_phones *out,
                         struct ht_setting_wrong *wrong)
{
    *out = (struct ht_duty_phones){.count = {0}};
    if (!YAJL_IS_OBJECT(value)) {
        return fail(wrong, pointer, "", "duty is an object of community, sub_district, district");
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        const char *name = value->u.object.keys[i];
        uint8_t level = 0;
        while (level < HT_DESK_LEVELS && strcmp(level_words[level], name) != 0) {
            level++;
        }
        if (level == HT_DESK_LEVELS) {
            return fail(wrong, pointer, name, "duty has community, sub_district, district");
        }
        if (!phones_read(value->u.object.values[i], level, out)) {
            return fail(wrong, pointer, name,
                        "a list of at most 8 phone numbers, each a text of at most 32 bytes");
        }
    }
    return true;
}

void ht_duty_phones_write(struct ht_json *json, const struct ht_duty_phones *duty)
{
    ht_json_object(json);
    for (int level = 0; level < HT_DESK_LEVELS; level++) {
        ht_json_key(json, level_words[level]);
        ht_json_array(json);
        for (uint8_t i = 0; i < duty->count[level]; i++) {
            ht_json_text(json, duty->phones[level][i]);
        }
        ht_json_array_end(json);
    }
    ht_json_object_end(json);
}
