#include <string.h>

#include "engine/live/orders_internal.h"

/* ---- names ------------------------------------------------------------------------------------
 */

#define HT_ORDER_TEXT(name, text) text,

static const char *const states[] = {HT_ORDER_STATE_MAP(HT_ORDER_TEXT)};
static const char *const reasons[] = {HT_ORDER_REASON_MAP(HT_ORDER_TEXT)};
static const char *const nexts[] = {HT_ORDER_NEXT_MAP(HT_ORDER_TEXT)};
static const char *const handovers[] = {HT_ORDER_HANDOVER_MAP(HT_ORDER_TEXT)};
static const char *const lacks[] = {HT_ORDER_UNPLANNED_MAP(HT_ORDER_TEXT)};

static const struct {
    const char *text;
    uint32_t fields;
} events[] = {
#define HT_ORDER_ROW(name, text, fields) {text, fields},
    HT_ORDER_EVENT_MAP(HT_ORDER_ROW)
#undef HT_ORDER_ROW
};

const char *ht_order_state_text(enum ht_order_state state)
{
    return (unsigned)state < HT_ORDER_STATES ? states[state] : "";
}

const char *ht_order_reason_text(enum ht_order_reason reason)
{
    return (unsigned)reason < HT_ORDER_REASONS ? reasons[reason] : "";
}

const char *ht_order_next_text(enum ht_order_next next)
{
    return (unsigned)next < HT_ORDER_NEXTS ? nexts[next] : "";
}

const char *ht_order_handover_text(enum ht_order_handover handover)
{
    return (unsigned)handover < HT_ORDER_HANDOVERS ? handovers[handover] : "";
}

const char *ht_order_unplanned_text(enum ht_order_unplanned reason)
{
    return (unsigned)reason < HT_ORDER_UNPLANNED_REASONS ? lacks[reason] : "";
}

const char *ht_order_event_text(enum ht_order_event_kind kind)
{
    return (unsigned)kind < HT_ORDER_EVENT_KINDS ? events[kind].text : "";
}

uint32_t ht_order_event_fields(enum ht_order_event_kind kind)
{
    return (unsigned)kind < HT_ORDER_EVENT_KINDS ? events[kind].fields : 0;
}

#undef HT_ORDER_TEXT

/* ---- what may follow --------------------------------------------------------------------------
 */

bool ht_order_is_open(const struct ht_order *order)
{
    return order->state < HT_ORDER_IS_DELIVERED;
}

bool ht_order_is_pinned(const struct ht_order *order)
{
    return order->state == HT_ORDER_IS_LOADED || order->state == HT_ORDER_IS_ENROUTE;
}

uint64_t ht__orders_meals(const struct ht_order *order)
{
    return order->state == HT_ORDER_IS_CANCELLED ? 0 : order->load[0];
}

static bool facts_fit(const struct ht_order_event *e)
{
    bool good = e->kitchen != NULL && e->load_count >= 1 && e->load_count <= HT_ORDER_LOADS &&
                e->load[0] >= 1 && e->due_from_ms <= e->due_to_ms &&
                e->priority <= HT_ORDER_PRIORITY_MOST && e->handover < HT_ORDER_HANDOVERS;
    for (uint32_t i = 0; good && i < e->load_count; i++) {
        good = e->load[i] <= HT_ORDER_LOAD_MOST;
    }
    return good;
}

static bool plan_fits(const struct ht_order *order, const struct ht_order_event *e)
{
    return ht_order_is_open(order) && e->eta_low_ms <= e->eta_ms && e->eta_ms <= e->eta_high_ms &&
           (!ht_order_is_pinned(order) ||
            (order->unit != NULL && e->unit != NULL && strcmp(order->unit, e->unit) == 0));
}

static bool failure_fits(const struct ht_order *order, const struct ht_order_event *e)
{
    return ht_order_is_open(order) && e->reason > HT_ORDER_FOR_NONE &&
           e->reason < HT_ORDER_REASONS && e->next < HT_ORDER_NEXTS && e->count < order->load[0];
}

bool ht__orders_event_fits(const struct ht__order_version *v, const struct ht_order_event *e)
{
    if ((unsigned)e->kind >= HT_ORDER_EVENT_KINDS || e->order == NULL ||
        (e->unit == NULL && (ht_order_event_fields(e->kind) & HT_ORDER_HAS_UNIT) != 0) ||
        (v == NULL) != (e->kind == HT_ORDER_RECEIVED)) {
        return false;
    }
    switch (e->kind) {
    case HT_ORDER_RECEIVED:
        return facts_fit(e);
    case HT_ORDER_PLANNED:
        return plan_fits(&v->view, e);
    case HT_ORDER_UNPLANNED:
        return v->view.state <= HT_ORDER_IS_PLANNED && e->unplanned > HT_ORDER_LACKS_NONE &&
               e->unplanned < HT_ORDER_UNPLANNED_REASONS;
    case HT_ORDER_LOADED:
        return v->view.state <= HT_ORDER_IS_PLANNED;
    case HT_ORDER_ENROUTE:
        return v->view.state == HT_ORDER_IS_LOADED;
    case HT_ORDER_DELIVERED:
        return v->view.state == HT_ORDER_IS_ENROUTE;
    case HT_ORDER_FAILED:
        return failure_fits(&v->view, e);
    case HT_ORDER_CANCELLED:
        return ht_order_is_open(&v->view);
    case HT_ORDER_REOPENED:
        return !ht_order_is_open(&v->view);
    case HT_ORDER_EVENT_KINDS:
    default:
        return false;
    }
}

/* ---- folding ----------------------------------------------------------------------------------
 */

static void plan_drop(struct ht_order *order)
{
    order->unit = NULL;
    order->sequence = 0;
    order->eta_ms = order->eta_low_ms = order->eta_high_ms = 0;
    order->unplanned = HT_ORDER_LACKS_NONE;
}

static void begin(struct ht_order *order, int64_t at_ms)
{
    order->state = HT_ORDER_IS_RECEIVED;
    order->received_ms = at_ms;
    order->loaded_ms = order->enroute_ms = order->closed_ms = 0;
    plan_drop(order);
}

static void receive(struct ht_order *order, const struct ht_order_event *e)
{
    memcpy(order->load, e->load, sizeof order->load);
    order->load_count = e->load_count;
    order->service_ms = e->service_ms;
    order->priority = e->priority;
    order->handover = (enum ht_order_handover)e->handover;
    order->ready_ms = e->ready_ms;
    order->due_from_ms = e->due_from_ms;
    order->due_to_ms = e->due_to_ms;
    order->opened_ms = e->at_ms;
    begin(order, e->at_ms);
}

static void plan(struct ht_order *order, const struct ht_order_event *e)
{
    if (!ht_order_is_pinned(order)) {
        order->state = HT_ORDER_IS_PLANNED;
    }
    order->unit = e->unit;
    order->sequence = e->sequence;
    order->eta_ms = e->eta_ms;
    order->eta_low_ms = e->eta_low_ms;
    order->eta_high_ms = e->eta_high_ms;
    order->unplanned = HT_ORDER_LACKS_NONE;
}

static void load(struct ht_order *order, const struct ht_order_event *e)
{
    if (order->unit == NULL || strcmp(order->unit, e->unit) != 0) {
        plan_drop(order);
        order->unit = e->unit;
    }
    order->state = HT_ORDER_IS_LOADED;
    order->unplanned = HT_ORDER_LACKS_NONE;
    order->loaded_ms = e->at_ms;
}

static void end(struct ht_order *order, enum ht_order_state state, int64_t at_ms)
{
    order->state = state;
    order->closed_ms = at_ms;
}

static void fail(struct ht__order_version *v, const struct ht_order_event *e)
{
    struct ht_order *order = &v->view;
    end(order, HT_ORDER_IS_FAILED, e->at_ms);
    order->reason = (enum ht_order_reason)e->reason;
    order->next = (enum ht_order_next)e->next;
    order->count = e->count;
    order->failures++;
    order->failed_ms = e->at_ms;
    order->incident = NULL;
    if (e->incident != NULL && strlen(e->incident) <= HT_ORDER_ID_MAX) {
        memcpy(v->incident, e->incident, strlen(e->incident) + 1);
        order->incident = v->incident;
    }
}

void ht__orders_project(struct ht__order_version *v, const struct ht_order_event *e)
{
    struct ht_order *order = &v->view;
    switch (e->kind) {
    case HT_ORDER_RECEIVED:
        receive(order, e);
        break;
    case HT_ORDER_PLANNED:
        plan(order, e);
        break;
    case HT_ORDER_UNPLANNED:
        order->state = HT_ORDER_IS_RECEIVED;
        plan_drop(order);
        order->unplanned = (enum ht_order_unplanned)e->unplanned;
        break;
    case HT_ORDER_LOADED:
        load(order, e);
        break;
    case HT_ORDER_ENROUTE:
        order->state = HT_ORDER_IS_ENROUTE;
        order->enroute_ms = e->at_ms;
        break;
    case HT_ORDER_DELIVERED:
        end(order, HT_ORDER_IS_DELIVERED, e->at_ms);
        break;
    case HT_ORDER_FAILED:
        fail(v, e);
        break;
    case HT_ORDER_CANCELLED:
        end(order, HT_ORDER_IS_CANCELLED, e->at_ms);
        break;
    case HT_ORDER_REOPENED:
        begin(order, e->at_ms);
        break;
    case HT_ORDER_EVENT_KINDS:
    default:
        break;
    }
    order->version++;
    order->changed_ms = e->at_ms;
}
