#include "api/order_json.h"

#include "api/incident_json.h"
#include "api/incident_rules.h"
#include "engine/base/time.h"

static void text_or_not(struct ht_json *json, const char *key, const char *text)
{
    if (text != NULL) {
        ht_json_key_text(json, key, text);
    }
}

void ht_order_json_times(struct ht_json *json, const struct ht_order_times *times)
{
    ht_incident_json_moment(json, "eta", times->eta_ms);
    ht_incident_json_moment(json, "eta_low", times->eta_low_ms);
    ht_incident_json_moment(json, "eta_high", times->eta_high_ms);
}

static void facts_write(struct ht_json *json, const struct ht_order *order)
{
    ht_json_key_text(json, "kitchen", order->kitchen);
    ht_json_key(json, "load");
    ht_json_array(json);
    for (uint32_t i = 0; i < order->load_count; i++) {
        ht_json_int(json, order->load[i]);
    }
    ht_json_array_end(json);
    ht_incident_json_moment(json, "ready", order->ready_ms);
    ht_json_key(json, "due");
    ht_json_array(json);
    for (int i = 0; i < 2; i++) {
        char text[HT_TIME_TEXT_SIZE];
        ht_time_format(i == 0 ? order->due_from_ms : order->due_to_ms, text);
        ht_json_text(json, text);
    }
    ht_json_array_end(json);
    ht_json_key_double(json, "service_s", order->service_ms / 1000.0, 3);
    if (order->priority != 0) {
        ht_json_key_int(json, "priority", order->priority);
    }
    ht_json_key_text(json, "handover", ht_order_handover_text(order->handover));
}

static void plan_write(struct ht_json *json, const struct ht_order *order,
                       const struct ht_order_shown *shown)
{
    const struct ht_order_times planned = {NULL, order->eta_ms, order->eta_low_ms,
                                           order->eta_high_ms};
    if (order->unit != NULL) {
        ht_json_key_text(json, "unit", order->unit);
        ht_json_key_int(json, "sequence", order->sequence);
        ht_order_json_times(json, shown->times == NULL ? &planned : shown->times);
    }
    if (shown->stops_before != UINT32_MAX && ht_order_is_open(order)) {
        ht_json_key_int(json, "stops_before", shown->stops_before);
    }
    if (order->unplanned != HT_ORDER_LACKS_NONE) {
        ht_json_key_text(json, "unplanned", ht_order_unplanned_text(order->unplanned));
    }
}

/* The last failure, also of one that was received again since. */
static void failure_write(struct ht_json *json, const struct ht_order *order, bool incident)
{
    if (order->failures == 0) {
        return;
    }
    ht_json_key_int(json, "failures", order->failures);
    ht_json_key_text(json, "reason", ht_order_reason_text(order->reason));
    if (order->next != HT_ORDER_THEN_NONE) {
        ht_json_key_text(json, "next", ht_order_next_text(order->next));
    }
    if (order->next == HT_ORDER_THEN_PARTLY_DELIVERED) {
        ht_json_key_int(json, "count", order->count);
    }
    ht_incident_json_moment(json, "failed_at", order->failed_ms);
    text_or_not(json, "incident", incident ? order->incident : NULL);
}

void ht_order_json(struct ht_json *json, const struct ht_order *order,
                   const struct ht_order_shown *shown, const struct ht_crs_out *out)
{
    ht_json_object(json);
    ht_json_key_text(json, "id", order->id);
    ht_json_key_text(json, "state", ht_order_state_text(order->state));
    text_or_not(json, "household", order->household);
    if (shown->place != NULL) {
        ht_incident_json_place(json, shown->place, out);
    }
    facts_write(json, order);
    if (shown->diets != NULL) {
        ht_json_key(json, "diets");
        ht_incident_skills_write(json, shown->diets);
    }
    plan_write(json, order, shown);
    failure_write(json, order, shown->incident);
    ht_incident_json_moment(json, "received_at", order->received_ms);
    ht_incident_json_moment(json, "opened_at", order->opened_ms);
    ht_incident_json_moment(json, "loaded_at", order->loaded_ms);
    ht_incident_json_moment(json, "enroute_at", order->enroute_ms);
    ht_incident_json_moment(json, "closed_at", order->closed_ms);
    text_or_not(json, "token", shown->token);
    ht_json_object_end(json);
}
