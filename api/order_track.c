/* What a resident sees of an order: nothing but where it is on its way. */
#include <string.h>

#include "api/access.h"
#include "api/console.h"
#include "api/live.h"
#include "api/order_past.h"
#include "api/orders.h"
#include "api/orders_internal.h"

enum { STOPS_SEEN = 3 }; /* the unit is seen while the order is among its next so many stops */

/* Every reason looks alike from outside. */
static void unknown(struct ht_reply *reply)
{
    ht_reply_problem(reply, 404, "Not Found", "there is no order under this token (any more)");
}

/* Where the unit is, while it has the meal on board and is soon there. */
static void position_write(struct ht_app_context *context, struct ht_json *json,
                           const struct ht_order *order, uint32_t stops_before)
{
    struct ht_unit unit;
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    if (!ht_order_is_pinned(order) || stops_before >= STOPS_SEEN) {
        return;
    }
    uint32_t index = ht_fleet_find(fleet, order->unit, strlen(order->unit));
    if (index == HT_NONE ||
        !ht_fleet_get(fleet, index, ht_clock_now_ms(&context->app->clock), &unit) ||
        !unit.positioned || unit.stale) {
        return;
    }
    ht_json_key(json, "position");
    ht_json_object(json);
    ht_json_key(json, "lon");
    ht_json_fixed(json, unit.position.fix.point.lon_e7, 7);
    ht_json_key(json, "lat");
    ht_json_fixed(json, unit.position.fix.point.lat_e7, 7);
    ht_json_object_end(json);
}

static void track_write(struct ht_app_context *context, const struct ht_order *order,
                        struct ht_reply *reply)
{
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    uint32_t stops_before = ht_orders_stops_before(orders, order->id);
    struct ht_order_times times;
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "state", ht_order_state_text(order->state));
    if (ht_order_is_open(order)) {
        if (order->handover == HT_ORDER_AT_VAN) {
            ht_json_key_text(&json, "handover", ht_order_handover_text(order->handover));
        }
        if (stops_before != UINT32_MAX) {
            ht_json_key_int(&json, "stops_before", stops_before);
        }
        if (ht_orders_times(orders, order->id, &times)) {
            ht_order_json_times(&json, &times);
        }
        position_write(context, &json, order, stops_before);
    }
    ht_json_object_end(&json);
}

/* The order that a token tracks, as long as it does; NULL: none (any more). A counted reference. */
static const struct ht_order *order_of(struct ht_app_context *context, const char *token,
                                       size_t size)
{
    struct ht_orders_room *room = context->app->orders;
    struct ht_order_tokens *tokens = ht_orders_room_tokens(room);
    const struct ht_order *order = NULL;
    char id[HT_ORDER_ID_MAX + 1];
    if (tokens != NULL && ht_order_tokens_find(tokens, token, size, id)) {
        order = ht_orders_get(ht_orders_room_orders(room), id);
    }
    if (order != NULL && !ht_order_is_open(order) &&
        ht_clock_now_ms(&context->app->clock) >= order->closed_ms + HT_ORDER_KEPT_MS) {
        ht_order_release(order);
        order = NULL;
    }
    return order;
}

bool ht_order_token_holds(struct ht_app_context *context, const struct ht_http_request *request)
{
    static const struct ht_caller resident = {.name = "resident", .role = HT_ROLE_NONE};
    char token[HT_ACCESS_TOKEN];
    if (context->app->orders == NULL || !ht_access_token(request, token) ||
        strlen(token) != HT_ORDER_TOKEN - 1) {
        return false;
    }
    const struct ht_order *order = order_of(context, token, strlen(token));
    bool holds = order != NULL;
    ht_order_release(order);
    if (holds) {
        context->caller = &resident;
    }
    return holds;
}

/* On the loop: memory alone is asked, so a token that nobody has costs a digest. */
void ht_order_track(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_span *span = &call->params[0];
    call->reply->no_store = true;
    if (ht_console_wanted(call) && ht_console_page(call, "resident.html")) {
        return; /* the page asks again, for JSON */
    }
    if (!ht__orders_stand(context, call)) {
        return;
    }
    const struct ht_order *order = order_of(context, call->request->target + span->at, span->size);
    if (order == NULL) {
        unknown(call->reply);
    } else {
        track_write(context, order, call->reply);
    }
    ht_order_release(order);
}
