#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live/orders_internal.h"

/* One decision on its way. */
struct turn {
    struct ht_orders *orders;
    struct ht_orders_log *log;
    const struct ht_order_command *command;
    struct ht_error *error;
};

static enum ht_status wrong_order(const struct turn *turn, const struct ht_order *order,
                                  const char *what)
{
    return ht_error_set(turn->error, HT_CONFLICT, 0, "order %s is %s: %s", order->id,
                        ht_order_state_text(order->state), what);
}

static enum ht_status say(const struct turn *turn, struct ht__order_entry *e,
                          enum ht_order_event_kind kind)
{
    const struct ht_order_event event = {
        .kind = kind, .at_ms = turn->command->now_ms, .order = e->named.id};
    return ht__orders_fold(turn->orders, turn->log, e, &event);
}

/* ---- open -------------------------------------------------------------------------------------
 */

static bool id_fits(const char *id)
{
    return id != NULL && id[0] != '\0' && strnlen(id, HT_ORDER_ID_MAX + 1) <= HT_ORDER_ID_MAX;
}

static enum ht_status check_open(const struct turn *turn)
{
    const struct ht_order_command *c = turn->command;
    const char *wrong = NULL;
    if (!id_fits(c->order)) {
        wrong = "id";
    } else if (c->household != NULL && !id_fits(c->household)) {
        wrong = "household";
    } else if (!id_fits(c->kitchen)) {
        wrong = "kitchen";
    }
    if (wrong != NULL) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/%s: is empty or too long", wrong);
    }
    bool loads = c->load_count >= 1 && c->load_count <= HT_ORDER_LOADS && c->load[0] >= 1;
    for (uint32_t i = 0; loads && i < c->load_count; i++) {
        loads = c->load[i] <= HT_ORDER_LOAD_MOST;
    }
    if (!loads) {
        return ht_error_set(turn->error, HT_RANGE, 0,
                            "/load: 1 to %d numbers up to %d, the first at least 1",
                            (int)HT_ORDER_LOADS, (int)HT_ORDER_LOAD_MOST);
    }
    if (c->priority > HT_ORDER_PRIORITY_MOST) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/priority: 0 to %d",
                            (int)HT_ORDER_PRIORITY_MOST);
    }
    if ((unsigned)c->handover >= HT_ORDER_HANDOVERS) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/handover: there is none such");
    }
    return c->due_from_ms <= c->due_to_ms
               ? HT_OK
               : ht_error_set(turn->error, HT_RANGE, 0, "/due: ends before it begins");
}

static enum ht_status check_quarter(const struct turn *turn, const char *kitchen, int64_t ready_ms,
                                    uint32_t meals)
{
    uint32_t most = turn->command->quarter_most;
    uint64_t taken = ht_orders_quarter(turn->orders, kitchen, ready_ms);
    if (most == 0 || taken + meals <= most) {
        return HT_OK;
    }
    return ht_error_set(turn->error, HT_FULL, 0,
                        "/kitchen: kitchen %s cooks %" PRIu32
                        " meals in that quarter of an hour, %" PRIu64 " are ordered",
                        kitchen, most, taken);
}

static enum ht_status open_new(const struct turn *turn, struct ht__order_entry **out)
{
    const struct ht_order_command *c = turn->command;
    enum ht_status status = check_open(turn);
    if (status == HT_OK && ht__orders_entry_of(turn->orders, c->order) != NULL) {
        status = ht_error_set(turn->error, HT_EXISTS, 0, "order %s exists", c->order);
    }
    if (status == HT_OK) {
        status = check_quarter(turn, c->kitchen, c->ready_ms, c->load[0]);
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_order_event event = {.kind = HT_ORDER_RECEIVED,
                                   .at_ms = c->now_ms,
                                   .order = c->order,
                                   .household = c->household,
                                   .kitchen = c->kitchen,
                                   .load_count = c->load_count,
                                   .service_ms = c->service_ms,
                                   .priority = c->priority,
                                   .handover = (uint8_t)c->handover,
                                   .ready_ms = c->ready_ms,
                                   .due_from_ms = c->due_from_ms,
                                   .due_to_ms = c->due_to_ms};
    memcpy(event.load, c->load, c->load_count * sizeof *c->load);
    status = ht__orders_entry_begin(turn->orders, turn->log, &event, out);
    return status == HT_OK ? ht__orders_fold(turn->orders, turn->log, *out, &event) : status;
}

/* ---- on the way -------------------------------------------------------------------------------
 */

static enum ht_status load(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->pending->view;
    const char *unit = turn->command->unit == NULL ? order->unit : turn->command->unit;
    if (order->state > HT_ORDER_IS_PLANNED) {
        return wrong_order(turn, order, "only what is received or planned can be loaded");
    }
    if (unit == NULL) {
        return wrong_order(turn, order, "no unit has it in its plan, name one");
    }
    if (!id_fits(unit)) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/unit: is empty or too long");
    }
    const struct ht_order_event event = {
        .kind = HT_ORDER_LOADED, .at_ms = turn->command->now_ms, .order = order->id, .unit = unit};
    return ht__orders_fold(turn->orders, turn->log, e, &event);
}

static enum ht_status go(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->pending->view;
    return order->state == HT_ORDER_IS_LOADED
               ? say(turn, e, HT_ORDER_ENROUTE)
               : wrong_order(turn, order, "only what is loaded can be on its way");
}

static enum ht_status deliver(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->pending->view;
    return order->state == HT_ORDER_IS_ENROUTE
               ? say(turn, e, HT_ORDER_DELIVERED)
               : wrong_order(turn, order, "only what is on its way can be delivered");
}

/* ---- otherwise --------------------------------------------------------------------------------
 */

static bool at_a_door(enum ht_order_reason reason)
{
    return reason != HT_ORDER_FOR_BREAKDOWN && reason != HT_ORDER_FOR_OTHER;
}

/* The next step that is meant, if it is possible. */
static enum ht_status check_failure(const struct turn *turn, const struct ht_order *order,
                                    enum ht_order_next *next)
{
    const struct ht_order_command *c = turn->command;
    bool loaded = ht_order_is_pinned(order);
    if ((unsigned)c->reason >= HT_ORDER_REASONS || c->reason == HT_ORDER_FOR_NONE) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/reason: is missing");
    }
    if ((unsigned)c->next >= HT_ORDER_NEXTS) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/next: is none of its values");
    }
    if (!ht_order_is_open(order)) {
        return wrong_order(turn, order, "it is over");
    }
    if (!loaded && at_a_door(c->reason)) {
        return wrong_order(turn, order, "it was not loaded, so nobody was at the door");
    }
    if (!loaded && c->next != HT_ORDER_THEN_NONE && c->next != HT_ORDER_THEN_RETRY) {
        return wrong_order(turn, order, "it was not loaded, so nothing became of the meal");
    }
    bool partly = c->next == HT_ORDER_THEN_PARTLY_DELIVERED;
    if (partly ? c->count < 1 || c->count >= order->load[0] : c->count != 0) {
        return partly
                   ? ht_error_set(turn->error, HT_RANGE, 0,
                                  "/count: at least 1 and less than all %" PRIu32 " meals",
                                  order->load[0])
                   : ht_error_set(turn->error, HT_RANGE, 0, "/count: is of partly_delivered alone");
    }
    *next = loaded && c->next == HT_ORDER_THEN_NONE ? HT_ORDER_THEN_BROUGHT_BACK : c->next;
    return HT_OK;
}

static enum ht_status fail(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order_command *c = turn->command;
    enum ht_order_next next = HT_ORDER_THEN_NONE;
    enum ht_status status = check_failure(turn, &e->pending->view, &next);
    if (status == HT_OK && c->incident != NULL && !id_fits(c->incident)) {
        status = ht_error_set(turn->error, HT_INVALID, 0, "incident: is empty or too long");
    }
    if (status != HT_OK) {
        return status;
    }
    const struct ht_order_event event = {.kind = HT_ORDER_FAILED,
                                         .at_ms = c->now_ms,
                                         .order = e->named.id,
                                         .incident = c->incident,
                                         .count = c->count,
                                         .reason = (uint8_t)c->reason,
                                         .next = (uint8_t)next};
    status = ht__orders_fold(turn->orders, turn->log, e, &event);
    return status == HT_OK && next == HT_ORDER_THEN_RETRY ? say(turn, e, HT_ORDER_REOPENED)
                                                          : status;
}

static enum ht_status cancel(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->pending->view;
    return ht_order_is_open(order) ? say(turn, e, HT_ORDER_CANCELLED)
                                   : wrong_order(turn, order, "it is over");
}

static enum ht_status reopen(const struct turn *turn, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->pending->view;
    if (ht_order_is_open(order)) {
        return wrong_order(turn, order, "it is not over");
    }
    enum ht_status status = check_quarter(turn, order->kitchen, order->ready_ms, order->load[0]);
    return status == HT_OK ? say(turn, e, HT_ORDER_REOPENED) : status;
}

/* ---- */

/* Whether the unit that is named is the one that has it. */
static enum ht_status check_unit(const struct turn *turn, const struct ht_order *order)
{
    const char *unit = turn->command->unit;
    if (unit == NULL || order->unit == NULL || strcmp(unit, order->unit) == 0) {
        return HT_OK;
    }
    return ht_error_set(turn->error, HT_CONFLICT, 0, "order %s is with unit %s, not %.64s",
                        order->id, order->unit, unit);
}

static enum ht_status decide(const struct turn *turn, struct ht__order_entry **about)
{
    static enum ht_status (*const how[HT_ORDER_COMMANDS])(const struct turn *,
                                                          struct ht__order_entry *) = {
        [HT_ORDER_LOAD] = load, [HT_ORDER_GO] = go,         [HT_ORDER_DELIVER] = deliver,
        [HT_ORDER_FAIL] = fail, [HT_ORDER_CANCEL] = cancel, [HT_ORDER_REOPEN] = reopen};
    const struct ht_order_command *c = turn->command;
    if (c->kind == HT_ORDER_OPEN) {
        return open_new(turn, about);
    }
    if ((unsigned)c->kind >= HT_ORDER_COMMANDS) {
        return ht_error_set(turn->error, HT_INVALID, 0, "no such command");
    }
    *about = c->order == NULL ? NULL : ht__orders_entry_of(turn->orders, c->order);
    if (*about == NULL) {
        return ht_error_set(turn->error, HT_NOT_FOUND, 0, "there is no such order");
    }
    enum ht_status status = check_unit(turn, &(*about)->pending->view);
    return status == HT_OK ? how[c->kind](turn, *about) : status;
}

enum ht_status ht_orders_decide(struct ht_orders *o, const struct ht_order_command *command,
                                struct ht_orders_decision **out, struct ht_error *error)
{
    struct ht__order_entry *about = NULL;
    struct turn turn = {o, calloc(1, sizeof(struct ht_orders_log)), command, error};
    if (turn.log == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status = decide(&turn, &about);
    if (status == HT_OK && about != NULL) {
        status = ht__orders_log_decide(turn.log, out);
    }
    if (status != HT_OK || about == NULL) {
        ht__orders_log_undo(o, turn.log);
        return status == HT_NOMEM ? ht_error_set(error, status, 0, NULL) : status;
    }
    (*out)->order = &about->pending->view; /* held by the log */
    return HT_OK;
}
