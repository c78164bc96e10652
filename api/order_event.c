#include "api/order_event.h"

#include <stddef.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

enum type { TEXT, NUMBER, PERHAPS, MOMENT, REASON, NEXT, LACK };

struct field {
    const char *name;
    uint32_t fields; /* of which it is one */
    enum type type;
    size_t at;
};

#define AT(member) offsetof(struct ht_order_event, member)

static const struct field fields[] = {
    {"household", HT_ORDER_HAS_FACTS, TEXT, AT(household)},
    {"kitchen", HT_ORDER_HAS_FACTS, TEXT, AT(kitchen)},
    {"ready", HT_ORDER_HAS_FACTS, MOMENT, AT(ready_ms)},
    {"due_from", HT_ORDER_HAS_FACTS, MOMENT, AT(due_from_ms)},
    {"due_to", HT_ORDER_HAS_FACTS, MOMENT, AT(due_to_ms)},
    {"service_ms", HT_ORDER_HAS_FACTS, NUMBER, AT(service_ms)},
    {"priority", HT_ORDER_HAS_FACTS, PERHAPS, AT(priority)}, /* none is none of 0 */
    {"unit", HT_ORDER_HAS_UNIT, TEXT, AT(unit)},
    {"sequence", HT_ORDER_HAS_PLAN, NUMBER, AT(sequence)},
    {"eta", HT_ORDER_HAS_PLAN, MOMENT, AT(eta_ms)},
    {"eta_low", HT_ORDER_HAS_PLAN, MOMENT, AT(eta_low_ms)},
    {"eta_high", HT_ORDER_HAS_PLAN, MOMENT, AT(eta_high_ms)},
    {"unplanned", HT_ORDER_HAS_LACK, LACK, AT(unplanned)},
    {"reason", HT_ORDER_HAS_FAILURE, REASON, AT(reason)},
    {"next", HT_ORDER_HAS_FAILURE, NEXT, AT(next)},
    {"count", HT_ORDER_HAS_FAILURE, NUMBER, AT(count)},
    {"incident", HT_ORDER_HAS_FAILURE, TEXT, AT(incident)},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* ---- words ---- */

static const char *word_of(enum type type, int i)
{
    return type == REASON ? ht_order_reason_text((enum ht_order_reason)i)
           : type == NEXT ? ht_order_next_text((enum ht_order_next)i)
                          : ht_order_unplanned_text((enum ht_order_unplanned)i);
}

static bool word_read(enum type type, const char *text, char *to)
{
    static const int counts[] = {
        [REASON] = HT_ORDER_REASONS, [NEXT] = HT_ORDER_NEXTS, [LACK] = HT_ORDER_UNPLANNED_REASONS};
    for (int i = 0; text != NULL && i < counts[type]; i++) {
        if (strcmp(word_of(type, i), text) == 0) {
            *to = (char)i;
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

static void moment_write(struct ht_json *json, const char *name, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    if (at_ms != 0) {
        ht_time_format(at_ms, text);
        ht_json_key_text(json, name, text);
    }
}

static void field_write(struct ht_json *json, const struct field *field, const char *from)
{
    const char *text = NULL;
    uint32_t number = 0;
    int64_t at_ms = 0;
    switch (field->type) {
    case TEXT:
        memcpy(&text, from, sizeof text);
        break;
    case NUMBER:
        memcpy(&number, from, sizeof number);
        ht_json_key_int(json, field->name, number);
        break;
    case PERHAPS:
        memcpy(&number, from, sizeof number);
        if (number != 0) {
            ht_json_key_int(json, field->name, number);
        }
        break;
    case MOMENT:
        memcpy(&at_ms, from, sizeof at_ms);
        moment_write(json, field->name, at_ms);
        break;
    case REASON:
    case NEXT:
    case LACK:
    default:
        text = word_of(field->type, (uint8_t)*from);
        break;
    }
    if (text != NULL) {
        ht_json_key_text(json, field->name, text);
    }
}

void ht_order_event_write(const struct ht_order_event *event, struct ht_json *json)
{
    uint32_t has = ht_order_event_fields(event->kind);
    ht_json_key_text(json, "order", event->order);
    if ((has & HT_ORDER_HAS_FACTS) != 0) {
        ht_json_key(json, "load");
        ht_json_array(json);
        for (uint32_t i = 0; i < event->load_count && i < HT_ORDER_LOADS; i++) {
            ht_json_int(json, event->load[i]);
        }
        ht_json_array_end(json);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if ((fields[i].fields & has) != 0) {
            field_write(json, &fields[i], (const char *)event + fields[i].at);
        }
    }
}

/* ---- reading ---- */

static bool number_read(yajl_val value, uint32_t *out)
{
    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
        YAJL_GET_INTEGER(value) > (int64_t)UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)YAJL_GET_INTEGER(value);
    return true;
}

/* yajl lets overlong forms pass, which would be written otherwise than they were read. */
static bool is_sound(const char *text)
{
    size_t size = strlen(text);
    return ht_utf8_valid(text, size) == size;
}

static bool field_read(const struct field *field, yajl_val tree, char *to)
{
    yajl_val value = ht_json_member(tree, field->name);
    const char *text = YAJL_GET_STRING(value);
    uint32_t number = 0;
    int64_t at_ms = 0;
    switch (field->type) {
    case TEXT:
        memcpy(to, &text, sizeof text);
        return value == NULL || (text != NULL && is_sound(text));
    case NUMBER:
    case PERHAPS:
        if ((field->type != PERHAPS || value != NULL) && !number_read(value, &number)) {
            return false;
        }
        memcpy(to, &number, sizeof number);
        return true;
    case MOMENT:
        if (value != NULL &&
            (text == NULL || !ht_time_parse(text, strlen(text), &at_ms) || at_ms == 0)) {
            return false;
        }
        memcpy(to, &at_ms, sizeof at_ms);
        return true;
    case REASON:
    case NEXT:
    case LACK:
    default:
        return word_read(field->type, text, to);
    }
}

static bool load_read(yajl_val list, struct ht_order_event *event)
{
    if (!YAJL_IS_ARRAY(list) || list->u.array.len < 1 || list->u.array.len > HT_ORDER_LOADS) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < list->u.array.len; i++) {
        good = number_read(list->u.array.values[i], &event->load[i]) && good;
    }
    event->load_count = (uint32_t)list->u.array.len;
    return good;
}

static bool kind_find(const char *kind, enum ht_order_event_kind *out)
{
    size_t size = sizeof HT_ORDER_PREFIX - 1;
    if (strncmp(kind, HT_ORDER_PREFIX, size) != 0) {
        return false;
    }
    for (int i = 0; i < HT_ORDER_EVENT_KINDS; i++) {
        if (strcmp(ht_order_event_text((enum ht_order_event_kind)i), kind + size) == 0) {
            *out = (enum ht_order_event_kind)i;
            return true;
        }
    }
    return false;
}

enum ht_status ht_order_event_read(const char *kind, int64_t at_ms, const char *body,
                                   struct ht_order_event_read *out)
{
    memset(out, 0, sizeof *out);
    out->event.at_ms = at_ms;
    bool known = kind_find(kind, &out->event.kind);
    out->tree = ht_json_tree_read(body, strlen(body));
    out->note = YAJL_GET_STRING(ht_json_member(out->tree, "note"));
    if (!known) {
        return HT_NOT_FOUND;
    }
    out->event.order = YAJL_GET_STRING(ht_json_member(out->tree, "order"));
    if (!YAJL_IS_OBJECT(out->tree) || out->event.order == NULL || !is_sound(out->event.order)) {
        return HT_INVALID;
    }
    uint32_t has = ht_order_event_fields(out->event.kind);
    if ((has & HT_ORDER_HAS_FACTS) != 0 &&
        !load_read(ht_json_member(out->tree, "load"), &out->event)) {
        return HT_INVALID;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if ((fields[i].fields & has) != 0 &&
            !field_read(&fields[i], out->tree, (char *)&out->event + fields[i].at)) {
            return HT_INVALID;
        }
    }
    return HT_OK;
}

void ht_order_event_deinit(struct ht_order_event_read *event)
{
    yajl_tree_free(event->tree);
    event->tree = NULL;
}
