#include <stdlib.h>
#include <string.h>

#include "engine/live/orders_internal.h"

static bool id_fits(const char *id)
{
    return id != NULL && id[0] != '\0' && strnlen(id, HT_ORDER_ID_MAX + 1) <= HT_ORDER_ID_MAX;
}

bool ht_order_shifts(const struct ht_order *order, const struct ht_order_times *times,
                     int64_t step_ms)
{
    int64_t by_ms = times->eta_ms - order->eta_ms;
    int64_t sooner_ms = order->eta_low_ms - times->eta_low_ms;
    int64_t later_ms = times->eta_high_ms - order->eta_high_ms;
    int64_t width_ms = order->eta_high_ms - order->eta_low_ms;
    int64_t narrower_ms = -(sooner_ms + later_ms);
    if (by_ms == 0 && sooner_ms == 0 && later_ms == 0) {
        return false;
    }
    return by_ms >= step_ms || by_ms <= -step_ms || sooner_ms >= step_ms || later_ms >= step_ms ||
           (narrower_ms >= step_ms && narrower_ms >= width_ms / 2);
}

/* Whether a row says anything new of an order. */
static bool is_news(const struct ht_order *order, const struct ht_order_event *event,
                    int64_t step_ms)
{
    if (step_ms < 0) {
        return true;
    }
    if (event->kind == HT_ORDER_UNPLANNED) {
        return order->state != HT_ORDER_IS_RECEIVED ||
               (uint8_t)order->unplanned != event->unplanned;
    }
    const struct ht_order_times times = {event->unit, event->eta_ms, event->eta_low_ms,
                                         event->eta_high_ms};
    return order->state == HT_ORDER_IS_RECEIVED || strcmp(order->unit, event->unit) != 0 ||
           order->sequence != event->sequence || ht_order_shifts(order, &times, step_ms);
}

static struct ht_order_event event_of(const struct ht_order_plan *row, int64_t now_ms)
{
    struct ht_order_event event = {.at_ms = now_ms, .order = row->order};
    if (row->unit == NULL) {
        event.kind = HT_ORDER_UNPLANNED;
        event.unplanned = (unsigned)row->unplanned < HT_ORDER_UNPLANNED_REASONS
                              ? (uint8_t)row->unplanned
                              : (uint8_t)HT_ORDER_UNPLANNED_REASONS;
        return event;
    }
    event.kind = HT_ORDER_PLANNED;
    event.unit = row->unit;
    event.sequence = row->sequence;
    event.eta_ms = row->eta_ms;
    event.eta_low_ms = row->eta_low_ms;
    event.eta_high_ms = row->eta_high_ms;
    return event;
}

static bool is_sound(const struct ht_order_plan *row)
{
    return id_fits(row->order) && (row->unit == NULL || id_fits(row->unit)) &&
           (row->unit == NULL || (row->eta_low_ms >= 0 && row->eta_high_ms < INT64_MAX / 2));
}

static enum ht_status take(struct ht_orders *o, struct ht_orders_log *log,
                           const struct ht_order_event *event, int64_t step_ms, size_t *passed_over)
{
    struct ht__order_entry *e = ht__orders_entry_of(o, event->order);
    if (e == NULL || !ht__orders_event_fits(e->pending, event)) {
        (*passed_over)++;
        return HT_OK;
    }
    return is_news(&e->pending->view, event, step_ms) ? ht__orders_fold(o, log, e, event) : HT_OK;
}

enum ht_status ht_orders_plan(struct ht_orders *o, const struct ht_order_plan *rows, size_t count,
                              int64_t now_ms, int64_t step_ms, struct ht_orders_decision **out)
{
    struct ht_orders_log *log = calloc(1, sizeof *log);
    enum ht_status status = log == NULL ? HT_NOMEM : HT_OK;
    size_t passed_over = 0;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        if (!is_sound(&rows[i])) {
            passed_over++;
            continue;
        }
        const struct ht_order_event event = event_of(&rows[i], now_ms);
        status = take(o, log, &event, step_ms, &passed_over);
    }
    if (status == HT_OK) {
        status = ht__orders_log_decide(log, out);
    }
    if (status != HT_OK) {
        if (log != NULL) {
            ht__orders_log_undo(o, log);
        }
        return status;
    }
    (*out)->passed_over = passed_over;
    return HT_OK;
}
