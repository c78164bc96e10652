#include "api/order_event.h"

#include <stddef.h>
#include <string.h>

#include "api/event_row.h"
#include "api/json.h"
#include "api/json_merge.h"

static const char *reason_word(int i)
{
    return ht_order_reason_text((enum ht_order_reason)i);
}

static const char *next_word(int i)
{
    return ht_order_next_text((enum ht_order_next)i);
}

static const char *handover_word(int i)
{
    return ht_order_handover_text((enum ht_order_handover)i);
}

static const char *lack_word(int i)
{
    return ht_order_unplanned_text((enum ht_order_unplanned)i);
}

#define AT(member) offsetof(struct ht_order_event, member)

static const struct ht_event_field fields[] = {
    {"household", HT_ORDER_HAS_FACTS, HT_EVENT_TEXT, AT(household), NULL, 0},
    {"kitchen", HT_ORDER_HAS_FACTS, HT_EVENT_TEXT, AT(kitchen), NULL, 0},
    {"ready", HT_ORDER_HAS_FACTS, HT_EVENT_MOMENT, AT(ready_ms), NULL, 0},
    {"due_from", HT_ORDER_HAS_FACTS, HT_EVENT_MOMENT, AT(due_from_ms), NULL, 0},
    {"due_to", HT_ORDER_HAS_FACTS, HT_EVENT_MOMENT, AT(due_to_ms), NULL, 0},
    {"service_ms", HT_ORDER_HAS_FACTS, HT_EVENT_NUMBER, AT(service_ms), NULL, 0},
    {"priority", HT_ORDER_HAS_FACTS, HT_EVENT_PERHAPS, AT(priority), NULL, 0},
    {"handover", HT_ORDER_HAS_FACTS, HT_EVENT_WORD, AT(handover), handover_word,
     HT_ORDER_HANDOVERS},
    {"unit", HT_ORDER_HAS_UNIT, HT_EVENT_TEXT, AT(unit), NULL, 0},
    {"sequence", HT_ORDER_HAS_PLAN, HT_EVENT_NUMBER, AT(sequence), NULL, 0},
    {"eta", HT_ORDER_HAS_PLAN, HT_EVENT_MOMENT, AT(eta_ms), NULL, 0},
    {"eta_low", HT_ORDER_HAS_PLAN, HT_EVENT_MOMENT, AT(eta_low_ms), NULL, 0},
    {"eta_high", HT_ORDER_HAS_PLAN, HT_EVENT_MOMENT, AT(eta_high_ms), NULL, 0},
    {"unplanned", HT_ORDER_HAS_LACK, HT_EVENT_WORD, AT(unplanned), lack_word,
     HT_ORDER_UNPLANNED_REASONS},
    {"reason", HT_ORDER_HAS_FAILURE, HT_EVENT_WORD, AT(reason), reason_word, HT_ORDER_REASONS},
    {"next", HT_ORDER_HAS_FAILURE, HT_EVENT_WORD, AT(next), next_word, HT_ORDER_NEXTS},
    {"count", HT_ORDER_HAS_FAILURE, HT_EVENT_NUMBER, AT(count), NULL, 0},
    {"incident", HT_ORDER_HAS_FAILURE, HT_EVENT_TEXT, AT(incident), NULL, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* ---- writing ---- */

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
    ht_event_fields_write(fields, FIELDS, has, event, json);
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
    uint32_t has = ht_order_event_fields(out->event.kind);
    bool good = YAJL_IS_OBJECT(out->tree) &&
                ht_event_text_read(out->tree, "order", &out->event.order) &&
                out->event.order != NULL &&
                ((has & HT_ORDER_HAS_FACTS) == 0 ||
                 load_read(ht_json_member(out->tree, "load"), &out->event)) &&
                ht_event_fields_read(fields, FIELDS, has, out->tree, &out->event);
    return good ? HT_OK : HT_INVALID;
}

void ht_order_event_deinit(struct ht_order_event_read *event)
{
    yajl_tree_free(event->tree);
    event->tree = NULL;
}

bool ht_order_event_conceal(const char *body, struct ht_text *out)
{
    static const char *const names[] = {"incident", NULL};
    return ht_event_body_conceal(body, names, out);
}
