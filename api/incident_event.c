#include "api/incident_event.h"

#include <stddef.h>
#include <string.h>

#include "api/event_row.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

enum type { TEXT, KIND, OUTCOME, REASON, BYTE, NUMBER, LONG, MOMENT };

struct field {
    const char *name;
    uint32_t fields; /* of which it is one */
    enum type type;
    size_t at;
};

#define AT(member) offsetof(struct ht_desk_event, member)

static const struct field fields[] = {
    {"unit", HT_DESK_HAS_UNIT, TEXT, AT(unit)},
    {"household", HT_DESK_HAS_ALARM, TEXT, AT(household)},
    {"device", HT_DESK_HAS_ALARM, TEXT, AT(device)},
    {"skills", HT_DESK_HAS_ALARM | HT_DESK_HAS_SKILLS, TEXT, AT(skills)},
    {"kind", HT_DESK_HAS_ALARM, KIND, AT(incident_kind)},
    {"severity", HT_DESK_HAS_NEED, BYTE, AT(severity)},
    {"units", HT_DESK_HAS_NEED, BYTE, AT(units)},
    {"duration_ms", HT_DESK_HAS_TRIP, NUMBER, AT(duration_ms)},
    {"length_mm", HT_DESK_HAS_TRIP, LONG, AT(length_mm)},
    {"turnout_ms", HT_DESK_HAS_TRIP, NUMBER, AT(turnout_ms)},
    {"access_ms", HT_DESK_HAS_TRIP | HT_DESK_HAS_ALARM, NUMBER, AT(access_ms)},
    {"paid_ms", HT_DESK_HAS_TRIP, NUMBER, AT(paid_ms)},
    {"eta", HT_DESK_HAS_TRIP | HT_DESK_HAS_ETA, MOMENT, AT(eta_ms)},
    {"deadline", HT_DESK_HAS_NEED | HT_DESK_HAS_TRIP, MOMENT, AT(deadline_ms)},
    {"confirm_by", HT_DESK_HAS_NEED, MOMENT, AT(confirm_by_ms)},
    {"ack_by", HT_DESK_HAS_TRIP, MOMENT, AT(ack_by_ms)},
    {"again_at", HT_DESK_HAS_AGAIN, MOMENT, AT(again_at_ms)},
    {"risk_by", HT_DESK_HAS_RISK, MOMENT, AT(risk_by_ms)},
    {"step_by", HT_DESK_HAS_STEP, MOMENT, AT(step_by_ms)},
    {"outcome", HT_DESK_HAS_OUTCOME, OUTCOME, AT(outcome)},
    {"rating", HT_DESK_HAS_RATING, BYTE, AT(rating)},
    {"reason", HT_DESK_HAS_REASON, REASON, AT(reason)},
    {"level", HT_DESK_HAS_LEVEL, BYTE, AT(level)},
    {"step", HT_DESK_HAS_LEVEL, BYTE, AT(step)},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* ---- writing ---- */

static void moment_write(struct ht_json *json, const char *name, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    if (at_ms == 0) {
        return;
    }
    if (at_ms == INT64_MAX) {
        ht_json_key(json, name);
        ht_json_null(json);
        return;
    }
    ht_time_format(at_ms, text);
    ht_json_key_text(json, name, text);
}

static void field_write(struct ht_json *json, const struct field *field, const char *from)
{
    const char *text = NULL;
    switch (field->type) {
    case TEXT:
        memcpy(&text, from, sizeof text);
        break;
    case KIND: {
        enum ht_incident_kind kind;
        memcpy(&kind, from, sizeof kind);
        text = ht_incident_kind_text(kind);
        break;
    }
    case OUTCOME:
        text = ht_desk_outcome_text((enum ht_desk_outcome)(uint8_t)*from);
        break;
    case REASON:
        text = ht_desk_reason_text((enum ht_desk_reason)(uint8_t)*from);
        break;
    case BYTE:
        ht_json_key_int(json, field->name, (uint8_t)*from);
        break;
    case NUMBER: {
        uint32_t number;
        memcpy(&number, from, sizeof number);
        ht_json_key_int(json, field->name, number);
        break;
    }
    case LONG: {
        uint64_t number;
        memcpy(&number, from, sizeof number);
        ht_json_key_int(json, field->name, (int64_t)number);
        break;
    }
    case MOMENT:
    default: {
        int64_t at_ms;
        memcpy(&at_ms, from, sizeof at_ms);
        moment_write(json, field->name, at_ms);
        break;
    }
    }
    if (text != NULL) {
        ht_json_key_text(json, field->name, text);
    }
}

void ht_incident_event_write(const struct ht_desk_event *event, struct ht_json *json)
{
    uint32_t has = ht_desk_event_fields(event->kind);
    ht_json_key_text(json, "incident", event->incident);
    for (size_t i = 0; i < FIELDS; i++) {
        if ((fields[i].fields & has) != 0) {
            field_write(json, &fields[i], (const char *)event + fields[i].at);
        }
    }
}

/* ---- reading ---- */

static bool word_read(const char *text, const char *(*word)(int), int count, int *out)
{
    for (int i = 0; text != NULL && i < count; i++) {
        if (strcmp(word(i), text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static const char *kind_word(int i)
{
    return ht_incident_kind_text((enum ht_incident_kind)i);
}

static const char *outcome_word(int i)
{
    return ht_desk_outcome_text((enum ht_desk_outcome)i);
}

static const char *reason_word(int i)
{
    return ht_desk_reason_text((enum ht_desk_reason)i);
}

static bool number_read(yajl_val value, int64_t most, int64_t *out)
{
    if (!YAJL_IS_INTEGER(value)) {
        return false;
    }
    *out = YAJL_GET_INTEGER(value);
    return *out >= 0 && *out <= most;
}

static bool moment_read(yajl_val value, int64_t *out)
{
    const char *text = YAJL_GET_STRING(value);
    if (YAJL_IS_NULL(value)) {
        *out = INT64_MAX;
        return true;
    }
    return text != NULL && ht_time_parse(text, strlen(text), out) && *out != 0;
}

static bool word_field(const struct field *field, const char *text, char *to)
{
    int word = 0;
    if (field->type == KIND) {
        enum ht_incident_kind kind;
        bool known = word_read(text, kind_word, HT_INCIDENT_KINDS, &word);
        kind = (enum ht_incident_kind)word;
        memcpy(to, &kind, sizeof kind);
        return known;
    }
    bool known = field->type == OUTCOME ? word_read(text, outcome_word, HT_OUTCOMES, &word)
                                        : word_read(text, reason_word, HT_RELEASED_REASONS, &word);
    *to = (char)word;
    return known;
}

static bool number_field(const struct field *field, yajl_val value, char *to)
{
    int64_t number = 0;
    int64_t most = field->type == BYTE     ? UINT8_MAX
                   : field->type == NUMBER ? (int64_t)UINT32_MAX
                                           : INT64_MAX;
    if (!number_read(value, most, &number)) {
        return false;
    }
    if (field->type == BYTE) {
        *to = (char)(uint8_t)number;
    } else if (field->type == NUMBER) {
        uint32_t value_32 = (uint32_t)number;
        memcpy(to, &value_32, sizeof value_32);
    } else {
        uint64_t value_64 = (uint64_t)number;
        memcpy(to, &value_64, sizeof value_64);
    }
    return true;
}

/* yajl lets overlong forms pass, which would be written otherwise than they were read. */
static bool is_sound(const char *text)
{
    size_t size = strlen(text);
    return ht_utf8_valid(text, size) == size;
}

/* What is absent stays 0 or NULL where it may be so: texts and moments. */
static bool field_read(const struct field *field, yajl_val tree, char *to)
{
    yajl_val value = ht_json_member(tree, field->name);
    const char *text = YAJL_GET_STRING(value);
    int64_t at_ms = 0;
    switch (field->type) {
    case TEXT:
        memcpy(to, &text, sizeof text);
        return value == NULL || (text != NULL && is_sound(text));
    case KIND:
    case OUTCOME:
    case REASON:
        return word_field(field, text, to);
    case BYTE:
    case NUMBER:
    case LONG:
        return number_field(field, value, to);
    case MOMENT:
    default:
        if (value != NULL && !moment_read(value, &at_ms)) {
            return false;
        }
        memcpy(to, &at_ms, sizeof at_ms);
        return true;
    }
}

static bool kind_find(const char *kind, enum ht_desk_event_kind *out)
{
    size_t size = sizeof HT_INCIDENT_PREFIX - 1;
    if (strncmp(kind, HT_INCIDENT_PREFIX, size) != 0) {
        return false;
    }
    enum ht_desk_event_kind found = ht_desk_event_of(kind + size);
    *out = found < HT_DESK_EVENT_KINDS ? found : *out;
    return found < HT_DESK_EVENT_KINDS;
}

enum ht_status ht_incident_event_read(const char *kind, int64_t at_ms, const char *body,
                                      struct ht_incident_event *out)
{
    memset(out, 0, sizeof *out);
    out->event.at_ms = at_ms;
    bool known = kind_find(kind, &out->event.kind);
    out->tree = ht_json_tree_read(body, strlen(body));
    out->note = YAJL_GET_STRING(ht_json_member(out->tree, "note"));
    if (!known) {
        return HT_NOT_FOUND;
    }
    out->event.incident = YAJL_GET_STRING(ht_json_member(out->tree, "incident"));
    if (!YAJL_IS_OBJECT(out->tree) || out->event.incident == NULL ||
        !is_sound(out->event.incident)) {
        return HT_INVALID;
    }
    uint32_t has = ht_desk_event_fields(out->event.kind);
    char *members = (char *)out + offsetof(struct ht_incident_event, event);
    for (size_t i = 0; i < FIELDS; i++) {
        if ((fields[i].fields & has) != 0 &&
            !field_read(&fields[i], out->tree, members + fields[i].at)) {
            return HT_INVALID;
        }
    }
    return HT_OK;
}

void ht_incident_event_deinit(struct ht_incident_event *event)
{
    yajl_tree_free(event->tree);
    event->tree = NULL;
}

bool ht_incident_event_conceal(const char *body, struct ht_text *out)
{
    static const char *const names[] = {"household", "device", NULL};
    return ht_event_body_conceal(body, names, out);
}
