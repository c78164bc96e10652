/* The command by which orders come in. */
#include "api/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/home.h"
#include "api/hours.h"
#include "api/incidents_internal.h"
#include "api/json_merge.h"
#include "api/order_read.h"
#include "api/orders_internal.h"
#include "engine/base/array.h"
#include "geodata/members.h"

bool ht__orders_stand(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->orders == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return false;
    }
    return true;
}

bool ht__order_seen_by(const struct ht_caller *caller, const struct ht_order *order)
{
    if (caller->role != HT_ROLE_DEVICE) {
        return true;
    }
    return (caller->unit != NULL && order->unit != NULL &&
            strcmp(caller->unit, order->unit) == 0) ||
           (caller->household != NULL && order->household != NULL &&
            strcmp(caller->household, order->household) == 0);
}

void ht__order_answer(struct ht_app_context *context, const struct ht_caller *caller,
                      struct ht_json *json, const struct ht_order *order, const struct ht_crs *crs,
                      const char *written)
{
    struct ht_orders_room *room = context->app->orders;
    struct ht_incident_place place;
    char token[HT_ORDER_TOKEN];
    struct ht_order_shown shown = {.stops_before = UINT32_MAX,
                                   .incident = ht_access_personal(caller)};
    const struct ht_crs_out out = {crs, context->crs};
    if (ht_incident_places_get(ht_orders_room_places(room), order->id, &place)) {
        place.written = written[0] == '\0' ? NULL : written;
        shown.place = &place;
    }
    const struct ht_order_tokens *tokens = ht_orders_room_tokens(room);
    if (ht_access_personal(caller) && tokens != NULL &&
        ht_order_tokens_of(tokens, order->id, token) == HT_OK) {
        shown.token = token;
    }
    ht_order_json(json, order, &shown, &out);
}

/* ---- reading ---- */

/* One order on its way. */
struct one {
    struct ht_point point;
    char written[96]; /* the place as GeoJSON has it in PROJ's system; "": to be worked out */
    char id[HT_ORDER_ID_MAX + 1];
    const struct ht_schedule *open; /* its kitchen, by the registry; NULL: always */
    bool entered;                   /* place and token are in memory */
    struct ht_orders_decision *decision;
};

struct kitchen {
    char id[HT_ORDER_ID_MAX + 1];
    struct ht_schedule *open;
};

struct making {
    struct ht_orders_in in;
    struct ht__systems systems;
    struct one *list;
    struct kitchen *kitchens; /* that were found */
    size_t kitchen_count;
    size_t kitchen_capacity;
};

/* Tells where in the body what is wrong with the i-th order lies. */
static void refuse(const struct making *making, size_t i, const struct ht_error *error,
                   struct ht_reply *reply)
{
    struct ht_error whole = *error;
    bool inner = ht_json_member(making->in.tree, "orders") != NULL;
    if (making->in.many && error->message[0] == '/') {
        (void)ht_error_set(&whole, error->status, 0, "%s/%zu%s", inner ? "/orders" : "", i,
                           error->message);
    }
    ht__incident_refuse(reply, &whole);
}

static enum ht_status kitchen_take(void *user, const struct ht_store_item *item)
{
    struct kitchen *kitchen = user;
    char kind[16] = "";
    struct ht_member member;
    if (!ht_member_find(item->properties, "kind", &member) ||
        !ht_member_text(&member, kind, sizeof kind) || strcmp(kind, "kitchen") != 0) {
        return HT_OK;
    }
    (void)snprintf(kitchen->id, sizeof kitchen->id, "%s", item->id);
    return ht_member_find(item->properties, "open", &member)
               ? ht_hours_schedule(&member, &kitchen->open)
               : HT_OK;
}

/* The kitchen of the i-th order, read once. */
static enum ht_status kitchen_find(struct ht_store_reader *reader, struct making *making, size_t i,
                                   struct ht_error *error)
{
    const char *id = making->in.list[i].kitchen;
    void *list = making->kitchens;
    size_t k = 0;
    while (k < making->kitchen_count && strcmp(making->kitchens[k].id, id) != 0) {
        k++;
    }
    if (k < making->kitchen_count) {
        making->list[i].open = making->kitchens[k].open;
        return HT_OK;
    }
    if (ht_array_reserve(&list, &making->kitchen_capacity, k + 1, sizeof *making->kitchens) !=
        HT_OK) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    making->kitchens = list;
    making->kitchens[k] = (struct kitchen){.open = NULL};
    enum ht_status status = ht_store_item(reader, ht_collection_find("facilities", 10), id, false,
                                          kitchen_take, &making->kitchens[k], error);
    if (status == HT_NOT_FOUND || (status == HT_OK && making->kitchens[k].id[0] == '\0')) {
        return ht_error_set(error, HT_INVALID, 0, "/kitchen: there is no kitchen %s", id);
    }
    making->kitchen_count += status == HT_OK;
    making->list[i].open = making->kitchens[k].open;
    return status;
}

static enum ht_status place_find(struct ht_app_context *context, struct ht_store_reader *reader,
                                 struct making *making, size_t i, struct ht_error *error)
{
    const struct ht_order_in *in = &making->in.list[i];
    struct one *one = &making->list[i];
    struct ht_home home;
    if (in->household == NULL) {
        return ht_crs_point(context->crs, &making->systems.in, in->pair, &one->point) == HT_OK
                   ? HT_OK
                   : ht_error_set(error, HT_SYNTAX, 0, "/lon: lon and lat are no place on Earth");
    }
    enum ht_status status = ht_home_find(reader, in->household, &home, error);
    one->point = home.entrance;
    return status == HT_NOT_FOUND
               ? ht_error_set(error, HT_INVALID, 0,
                              "/household: there is no household %s with a place", in->household)
               : status;
}

static bool read_one(struct ht_app_context *context, struct ht_store_reader *reader,
                     struct making *making, size_t i, struct ht_reply *reply)
{
    struct ht_error error = {0};
    enum ht_status status = kitchen_find(reader, making, i, &error);
    if (status == HT_OK) {
        status = place_find(context, reader, making, i, &error);
    }
    if (status != HT_OK) {
        error.status = status;
        refuse(making, i, &error, reply);
        return false;
    }
    ht__systems_know(context, &making->systems, making->list[i].point);
    memcpy(making->list[i].written, making->systems.written, sizeof making->list[i].written);
    return true;
}

static bool make_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct making *making = calloc(1, sizeof *making);
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    command->parsed = making;
    if (reader == NULL) {
        return false;
    }
    if (making == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    enum ht_status status =
        ht_orders_body_read(command->body, command->body_size, &making->in, &error);
    if (status == HT_OK) {
        making->list = ht_array_new_zeroed(making->in.count, sizeof *making->list);
        status = making->list == NULL ? ht_error_set(&error, HT_NOMEM, 0, NULL) : HT_OK;
    }
    if (status != HT_OK) {
        ht__incident_refuse(reply, &error);
        return false;
    }
    bool good = ht__systems_read(context, &command->query, &making->systems, reply);
    for (size_t i = 0; good && i < making->in.count; i++) {
        good = read_one(context, reader, making, i, reply);
    }
    return good;
}

/* ---- on the writer's thread ---- */

static enum ht_status id_choose(struct ht_orders_room *room, struct ht_store_tx *tx,
                                const struct ht_order_in *in, struct one *one,
                                struct ht_error *error)
{
    struct ht_store_reader *reader = ht_store_tx_reader(tx);
    if (in->id != NULL) {
        (void)snprintf(one->id, sizeof one->id, "%s", in->id);
        return ht_orders_room_is_new(room, reader, one->id, error);
    }
    enum ht_status status = HT_EXISTS;
    for (int tries = 0; tries < 16 && status == HT_EXISTS; tries++) {
        status = ht_orders_room_id(one->id);
        if (status == HT_OK) {
            status = ht_orders_room_is_new(room, reader, one->id, error);
        }
    }
    return status;
}

static int64_t ready_of(const struct ht_order_in *in, const struct ht_meal_rules *rules,
                        int64_t now_ms)
{
    int64_t ready_ms = in->due_from_ms - rules->lead_ms;
    ready_ms = ready_ms < now_ms ? now_ms : ready_ms;
    ready_ms = ready_ms > in->due_to_ms ? in->due_to_ms : ready_ms;
    return in->ready_ms != 0 ? in->ready_ms : ready_ms;
}

enum { PAST_MS = 15 * 60 * 1000 }; /* a meal that was ready before that is none to be cooked */

static enum ht_status decide_one(struct ht_orders_room *room, const struct ht_command *command,
                                 const struct ht_order_in *in, struct one *one,
                                 struct ht_error *error)
{
    const struct ht_meal_rules *rules = ht_orders_room_rules_now(room);
    const struct ht_meal_ask ask = {.kitchen = in->kitchen,
                                    .open = one->open,
                                    .diets = in->diets,
                                    .now_ms = command->at_ms,
                                    .ready_ms = ready_of(in, rules, command->at_ms),
                                    .due_from_ms = in->due_from_ms,
                                    .due_to_ms = in->due_to_ms};
    if (in->ready_ms != 0 && in->ready_ms < command->at_ms - PAST_MS) {
        return ht_error_set(error, HT_INVALID, 0, "/ready: is over");
    }
    enum ht_status status = ht_meal_rules_check(rules, command->app->calendar, &ask, error);
    if (status != HT_OK) {
        return status;
    }
    const struct ht_order_command open = {
        .kind = HT_ORDER_OPEN,
        .now_ms = command->at_ms,
        .order = one->id,
        .household = in->household,
        .kitchen = in->kitchen,
        .load = in->load,
        .load_count = in->load_count,
        .service_ms = in->service_ms < 0 ? rules->service_ms : (uint32_t)in->service_ms,
        .priority = in->priority,
        .handover = in->handover,
        .ready_ms = ask.ready_ms,
        .due_from_ms = in->due_from_ms,
        .due_to_ms = in->due_to_ms,
        .quarter_most = ht_meal_rules_kitchen(rules, in->kitchen)->capacity};
    status = ht_orders_decide(ht_orders_room_orders(room), &open, &one->decision, error);
    return status == HT_FULL ? HT_INVALID : status; /* the kitchen is, not the disk */
}

static enum ht_status write_one(struct ht_orders_room *room, const struct ht_command *command,
                                struct ht_store_tx *tx, const struct ht_order_in *in,
                                const struct one *one, struct ht_error *error)
{
    const struct ht_store_order_card card = {one->id, in->household, one->point, in->diets};
    char digest[HT_DIGEST_TEXT];
    enum ht_status status = ht_store_order_card_put(tx, &card, error);
    if (status == HT_OK && in->note != NULL) {
        status = ht_store_order_note_put(tx, one->id, in->note, digest, error);
    }
    return status == HT_OK ? ht_orders_room_write(room, tx, one->decision, command->caller.name,
                                                  in->note == NULL ? NULL : digest, error)
                           : status;
}

static enum ht_status make_one(struct ht_orders_room *room, const struct ht_command *command,
                               struct ht_store_tx *tx, const struct ht_order_in *in,
                               struct one *one, struct ht_error *error)
{
    enum ht_status status = id_choose(room, tx, in, one, error);
    if (status == HT_OK) {
        status = decide_one(room, command, in, one, error);
    }
    if (status == HT_OK) {
        status = ht_orders_room_enter(room, one->id, one->point);
        one->entered = status == HT_OK;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status == HT_OK ? write_one(room, command, tx, in, one, error) : status;
}

static void answer(struct ht_app_context *context, const struct ht_command *command,
                   struct ht_reply *reply)
{
    const struct making *making = command->parsed;
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    if (making->in.many) {
        ht_json_object(&json);
        ht_json_key(&json, "orders");
        ht_json_array(&json);
    }
    for (size_t i = 0; i < making->in.count; i++) {
        ht__order_answer(context, &command->caller, &json, making->list[i].decision->order,
                         &making->systems.out, making->list[i].written);
    }
    if (making->in.many) {
        ht_json_array_end(&json);
        ht_json_object_end(&json);
    } else {
        (void)snprintf(reply->location, sizeof reply->location, "/v1/orders/%s",
                       making->list[0].id);
        (void)snprintf(reply->etag, sizeof reply->etag, "%llu",
                       (unsigned long long)making->list[0].decision->order->version);
    }
    reply->status = 201;
}

static void make_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct making *making = command->parsed;
    struct ht_orders_room *room = context->app->orders;
    for (size_t i = 0; i < making->in.count; i++) {
        struct ht_error error = {0};
        enum ht_status status =
            make_one(room, command, tx, &making->in.list[i], &making->list[i], &error);
        if (status != HT_OK) {
            error.status = status;
            refuse(making, i, &error, reply);
            return;
        }
    }
    if (!ht_crs_plain(&making->systems.out) && context->crs == NULL &&
        ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    answer(context, command, reply);
}

static void make_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct making *making = command->parsed;
    (void)reply;
    for (size_t i = 0; i < making->in.count; i++) {
        ht_orders_apply(ht_orders_room_orders(context->app->orders), making->list[i].decision);
        making->list[i].decision = NULL;
    }
}

static void make_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct making *making = command->parsed;
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    for (size_t i = making->in.count; i-- > 0;) {
        struct one *one = &making->list[i];
        if (lost) {
            ht_orders_drop(orders, one->decision);
        } else {
            ht_orders_take_back(orders, one->decision);
        }
        one->decision = NULL;
        if (one->entered) {
            ht_orders_room_leave(context->app->orders, one->id);
        }
    }
}

static void make_free(struct ht_command *command)
{
    struct making *making = command->parsed;
    if (making != NULL) {
        ht_orders_body_deinit(&making->in);
        for (size_t k = 0; k < making->kitchen_count; k++) {
            ht_schedule_free(making->kitchens[k].open);
        }
        free(making->kitchens);
        free(making->list);
        free(making);
    }
}

static const struct ht_command_kind make_kind = {.prepare = make_prepare,
                                                 .run = make_run,
                                                 .applied = make_applied,
                                                 .free = make_free,
                                                 .undone = make_undone};

void ht_orders_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__orders_stand(context, call)) {
        ht_command_start(context, call, &make_kind);
    }
}
