/* What happens to an order: loaded, on its way, handed over or not; and its erasure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incidents_internal.h"
#include "api/live.h"
#include "api/meal_rules.h"
#include "api/order_event.h"
#include "api/order_read.h"
#include "api/orders.h"
#include "api/orders_internal.h"

struct stepping {
    struct ht_order_step step;
    struct ht__systems systems;
    struct ht__welfare welfare;
    struct ht_orders_decision *decision;
};

/* ---- before the writer's turn ---- */

/* Whether somebody has to be looked after, should the order fail like that. */
static bool welfare_look(struct ht_app_context *context, const struct ht_command *command,
                         struct stepping *stepping, struct ht_reply *reply)
{
    const struct ht_order_step *step = &stepping->step;
    char household[HT_ORDER_ID_MAX + 1] = "";
    if (step->command != HT_ORDER_FAIL || step->reason != HT_ORDER_FOR_NO_ANSWER) {
        return true;
    }
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    const struct ht_order *order =
        ht_orders_get(ht_orders_room_orders(context->app->orders), command->params[0]);
    if (order != NULL && order->household != NULL) {
        (void)snprintf(household, sizeof household, "%s", order->household);
    }
    ht_order_release(order);
    return reader != NULL &&
           (household[0] == '\0' || ht__welfare_prepare(context, reader, household, command->at_ms,
                                                        &stepping->welfare, reply));
}

static bool step_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct ht_incident_place place;
    struct stepping *stepping = calloc(1, sizeof *stepping);
    command->parsed = stepping;
    if (stepping == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_order_step_read(command->body, command->body_size, &stepping->step, &error) != HT_OK) {
        ht__incident_refuse(reply, &error);
        return false;
    }
    if (!ht__systems_read(context, &command->query, &stepping->systems, reply)) {
        return false;
    }
    if (ht_incident_places_get(ht_orders_room_places(context->app->orders), command->params[0],
                               &place)) {
        ht__systems_know(context, &stepping->systems, place.point);
    }
    return welfare_look(context, command, stepping, reply);
}

/* ---- on the writer's thread ---- */

static bool forbid(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 403, "Forbidden", why);
    return false;
}

/* Whether the caller may do this; false with the answer written. */
static bool step_allow(const struct ht_command *command, struct stepping *stepping,
                       const struct ht_order *order, struct ht_reply *reply)
{
    static const uint32_t of_units = UINT32_C(1) << HT_ORDER_LOAD | UINT32_C(1) << HT_ORDER_GO |
                                     UINT32_C(1) << HT_ORDER_DELIVER | UINT32_C(1) << HT_ORDER_FAIL;
    struct ht_order_step *step = &stepping->step;
    const char *own = command->caller.unit;
    if (command->caller.role != HT_ROLE_DEVICE) {
        return true;
    }
    if (own == NULL) {
        return forbid(reply, "a home's token sees its orders, no more");
    }
    if ((of_units >> step->command & 1) == 0 ||
        (step->unit != NULL && strcmp(step->unit, own) != 0)) {
        return forbid(reply, "a unit's token loads, carries, delivers and fails its own orders");
    }
    if (order->unit == NULL || strcmp(order->unit, own) != 0) {
        return forbid(reply, "the order is not with this unit");
    }
    step->unit = own;
    return true;
}

/* A plan by hand, of one order. */
static enum ht_status plan_decide(struct ht_orders *orders, const struct ht_command *command,
                                  struct stepping *stepping, struct ht_error *error)
{
    const struct ht_order_step *step = &stepping->step;
    const struct ht_order_plan row = {.order = command->params[0],
                                      .unit = step->unit,
                                      .sequence = step->sequence,
                                      .eta_ms = step->eta_ms,
                                      .eta_low_ms = step->eta_low_ms,
                                      .eta_high_ms = step->eta_high_ms};
    int64_t step_ms = step->note == NULL ? 0 : -1; /* a note needs an event that it is of */
    enum ht_status status =
        ht_orders_plan(orders, &row, 1, command->at_ms, step_ms, &stepping->decision);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    const struct ht_order *order = ht_orders_pending(orders, row.order);
    stepping->decision->order = order;
    return stepping->decision->passed_over == 0
               ? HT_OK
               : ht_error_set(error, HT_CONFLICT, 0,
                              "order %s is %s%s%s: it can't be planned on %s", order->id,
                              ht_order_state_text(order->state),
                              order->unit == NULL ? "" : " with unit ",
                              order->unit == NULL ? "" : order->unit, row.unit);
}

/* The kitchen is full, not the disk. */
static enum ht_status full_is_invalid(enum ht_status status)
{
    return status == HT_FULL ? HT_INVALID : status;
}

/* What the kitchen of an order cooks in a quarter of an hour. */
static uint32_t quarter_most(struct ht_orders_room *room, const char *id)
{
    const struct ht_order *order = ht_orders_pending(ht_orders_room_orders(room), id);
    return order == NULL
               ? 0
               : ht_meal_rules_kitchen(ht_orders_room_rules_now(room), order->kitchen)->capacity;
}

static enum ht_status decide(struct ht_app_context *context, const struct ht_command *command,
                             struct stepping *stepping, struct ht_error *error)
{
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    const struct ht_order_step *step = &stepping->step;
    if (step->unit != NULL && ht_fleet_find(ht_live_fleet(context->app->live), step->unit,
                                            strlen(step->unit)) == HT_NONE) {
        return ht_error_set(error, HT_INVALID, 0, "/unit: there is no unit %.64s", step->unit);
    }
    struct ht_incident_place place;
    if (step->command == HT_ORDER_REOPEN &&
        !ht_incident_places_get(ht_orders_room_places(context->app->orders), command->params[0],
                                &place)) {
        return ht_error_set(error, HT_CONFLICT, 0, "where order %s goes was erased",
                            command->params[0]);
    }
    const struct ht_order_command told = {
        .kind = step->command,
        .now_ms = command->at_ms,
        .order = command->params[0],
        .unit = step->unit,
        .reason = step->reason,
        .next = step->next,
        .count = step->count,
        .quarter_most = quarter_most(context->app->orders, command->params[0]),
        .incident = stepping->welfare.id[0] == '\0' ? NULL : stepping->welfare.id};
    return step->command == HT_ORDER_COMMANDS
               ? plan_decide(orders, command, stepping, error)
               : full_is_invalid(ht_orders_decide(orders, &told, &stepping->decision, error));
}

/* First without the incident: what can't happen sends nobody. */
static enum ht_status step_do(struct ht_app_context *context, struct ht_command *command,
                              struct ht_store_tx *tx, struct stepping *stepping,
                              struct ht_error *error)
{
    struct ht_orders_room *room = context->app->orders;
    const char *note = stepping->step.note;
    char digest[HT_DIGEST_TEXT];
    enum ht_status status = decide(context, command, stepping, error);
    if (status == HT_OK && stepping->welfare.wanted) {
        ht_orders_take_back(ht_orders_room_orders(room), stepping->decision);
        stepping->decision = NULL;
        status = ht__welfare_run(context, command, tx, &stepping->welfare, error);
        if (status == HT_OK) {
            status = decide(context, command, stepping, error);
        }
    }
    if (status == HT_OK && note != NULL) {
        status = ht_store_order_note_put(tx, command->params[0], note, digest, error);
    }
    return status == HT_OK
               ? ht_orders_room_write(room, tx, stepping->decision, command->caller.name,
                                      note == NULL ? NULL : digest, error)
               : status;
}

static void step_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct stepping *stepping = command->parsed;
    struct ht_error error = {0};
    struct ht_json json;
    const struct ht_order *order =
        ht_orders_room_pending(context->app->orders, context, command->params[0]);
    const struct ht_crs *crs = &stepping->systems.out;
    if (order == NULL) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such order");
        return;
    }
    if (!step_allow(command, stepping, order, reply)) {
        return;
    }
    if (!ht_command_expects(command, order->version)) {
        ht_reply_problem(reply, 412, "Precondition Failed", "the order was changed meanwhile");
        return;
    }
    if (!ht_crs_plain(crs) && context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    enum ht_status status = step_do(context, command, tx, stepping, &error);
    if (status != HT_OK) {
        error.status = status;
        ht__incident_refuse(reply, &error);
        return;
    }
    order = stepping->decision->order;
    (void)snprintf(reply->etag, sizeof reply->etag, "%llu", (unsigned long long)order->version);
    ht_json_begin(&json, &reply->body);
    ht__order_answer(context, &command->caller, &json, order, crs, stepping->systems.written);
}

static void step_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct stepping *stepping = command->parsed;
    (void)reply;
    ht__welfare_applied(context, &stepping->welfare);
    ht_orders_apply(ht_orders_room_orders(context->app->orders), stepping->decision);
    stepping->decision = NULL;
}

static void step_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct stepping *stepping = command->parsed;
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    if (lost) {
        ht_orders_drop(orders, stepping->decision);
    } else {
        ht_orders_take_back(orders, stepping->decision);
    }
    stepping->decision = NULL;
    ht__welfare_undone(context, &stepping->welfare, lost);
}

static void step_free(struct ht_command *command)
{
    struct stepping *stepping = command->parsed;
    if (stepping != NULL) {
        ht_order_step_deinit(&stepping->step);
        free(stepping);
    }
}

static const struct ht_command_kind step_kind = {.prepare = step_prepare,
                                                 .run = step_run,
                                                 .applied = step_applied,
                                                 .free = step_free,
                                                 .undone = step_undone};

void ht_order_event_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__orders_stand(context, call)) {
        ht_command_start(context, call, &step_kind);
    }
}

/* ---- erasure ---- */

static void erase_run(struct ht_app_context *context, struct ht_command *command,
                      struct ht_store_tx *tx, struct ht_reply *reply)
{
    char subject[HT_ORDER_SUBJECT];
    char body[HT_ORDER_ID_MAX + 32];
    struct ht_error error = {0};
    const struct ht_order *order =
        ht_orders_room_pending(context->app->orders, context, command->params[0]);
    if (order == NULL || ht_order_is_open(order)) {
        ht_reply_problem(reply, order == NULL ? 404 : 409, order == NULL ? "Not Found" : "Conflict",
                         order == NULL ? "there is no such order" : "the order is not over");
        return;
    }
    (void)snprintf(subject, sizeof subject, HT_ORDER_SUBJECT_PREFIX "%s", order->id);
    (void)snprintf(body, sizeof body, "{\"order\":\"%s\"}", order->id);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = HT_ORDER_PREFIX "erased",
                                         .subject = subject,
                                         .body = body};
    enum ht_status status = ht_store_order_erase(tx, order->id, &error);
    if (status == HT_OK) {
        status = ht_store_event_append(tx, &event, NULL, &error);
    }
    if (status != HT_OK) {
        error.status = status;
        ht_reply_status(reply, &error);
        return;
    }
    reply->status = 204;
}

static void erase_applied(struct ht_app_context *context, struct ht_command *command,
                          struct ht_reply *reply)
{
    (void)reply;
    ht_incident_places_remove(ht_orders_room_places(context->app->orders), command->params[0]);
}

static const struct ht_command_kind erase_kind = {.run = erase_run, .applied = erase_applied};

void ht_order_erase(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__orders_stand(context, call)) {
        ht_command_start(context, call, &erase_kind);
    }
}
