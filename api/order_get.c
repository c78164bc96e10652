/* Which orders there are, and one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/orders.h"
#include "api/orders_internal.h"
#include "api/params.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum {
    LIST_DEFAULT = 100,
    LIST_MOST = 1000,
    PAGE = 512,          /* of numbers that are read at a time */
    PAST_MOST = 2000,    /* projected from the store for one list */
    LOOKED_MOST = 50000, /* numbers looked at for one list */
};

/* ---- one ---- */

enum ht_status ht__order_find(struct ht_app_context *context, struct ht_order_past *past,
                              const struct ht_caller *caller, const char *id,
                              const struct ht_order **out)
{
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    enum ht_status status = HT_OK;
    *out = ht_orders_get(orders, id);
    if (*out == NULL) {
        status = ht_order_past_find(past, id, out);
    }
    if (status == HT_NOT_FOUND) {
        *out = ht_orders_get(orders, id);
        status = *out == NULL ? HT_NOT_FOUND : HT_OK;
    }
    if (status == HT_OK && !ht__order_seen_by(caller, *out)) {
        ht_order_release(*out);
        *out = NULL;
        status = HT_NOT_FOUND;
    }
    return status;
}

/* What the store keeps of it that can be erased. */
struct card {
    struct ht_incident_place place;
    char diets[HT_DESK_SKILLS_MAX + 1];
    bool found;
};

static enum ht_status card_take(void *user, const struct ht_store_order_card *from)
{
    struct card *card = user;
    card->place = (struct ht_incident_place){.point = from->point};
    (void)snprintf(card->diets, sizeof card->diets, "%s", from->diets);
    card->found = true;
    return HT_OK;
}

static enum ht_status order_write(struct ht_app_context *context, const struct ht_look *look,
                                  struct ht_look_telling *telling, const struct ht_order *order)
{
    struct ht_orders *orders = ht_orders_room_orders(context->app->orders);
    const struct ht_order_tokens *tokens = ht_orders_room_tokens(context->app->orders);
    const struct ht_crs_out out = {&look->crs, context->crs};
    struct ht_order_shown shown = {.stops_before = UINT32_MAX, .incident = telling->may};
    struct ht_order_times times;
    struct card card = {.found = false};
    char token[HT_ORDER_TOKEN];
    enum ht_status status =
        ht_store_order_cards(telling->reader, order->id, card_take, &card, NULL);
    if (status != HT_OK) {
        return status;
    }
    shown.place = card.found ? &card.place : NULL;
    telling->any = telling->any || card.diets[0] != '\0';
    shown.diets = telling->personal && card.diets[0] != '\0' ? card.diets : NULL;
    if (ht_order_is_open(order)) {
        shown.stops_before = ht_orders_stops_before(orders, order->id);
        shown.times = ht_orders_times(orders, order->id, &times) ? &times : NULL;
    }
    if (telling->may && tokens != NULL && ht_order_tokens_of(tokens, order->id, token) == HT_OK) {
        shown.token = token;
    }
    ht_order_json(telling->json, order, &shown, &out);
    return HT_OK;
}

static enum ht_status one_write(struct ht_app_context *context, const struct ht_look *look,
                                struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_order_past past;
    const struct ht_order *order = NULL;
    ht_order_past_init(&past, telling->reader);
    enum ht_status status = ht__order_find(context, &past, &look->caller, look->id, &order);
    if (status == HT_OK) {
        (void)snprintf(telling->etag, sizeof telling->etag, "%llu",
                       (unsigned long long)order->version);
        status = order_write(context, look, telling, order);
    }
    ht_order_release(order);
    ht_order_past_deinit(&past);
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, status, 0,
                                          status == HT_NOT_FOUND ? "there is no such order" : NULL);
}

void ht_order_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht__order_look *look = ht__order_look_new(context, call, true);
    if (look != NULL) {
        look->base.write = one_write;
        look->base.how = "item";
        ht_look_start(call, &look->base);
    }
}

/* ---- the list ---- */

/* States with commas between as bits; false: one is none of them. */
static bool states_read(const char *text, uint32_t *bits)
{
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        int i = 0;
        while (i < HT_ORDER_STATES) {
            const char *word = ht_order_state_text((enum ht_order_state)i);
            if (strlen(word) == size && memcmp(word, text, size) == 0) {
                break;
            }
            i++;
        }
        if (i == HT_ORDER_STATES) {
            return false;
        }
        *bits |= UINT32_C(1) << i;
        text += size + (text[size] == ',');
    }
    return true;
}

/* A moment, or an interval of two with / between, open at a side that is .. or empty. */
static bool due_read(const char *text, struct ht_order_filter *filter)
{
    const char *slash = text == NULL ? NULL : strchr(text, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - text);
    if (text == NULL) {
        return true;
    }
    if (slash == NULL) {
        bool good = ht_time_parse(text, strlen(text), &filter->due_from_ms);
        filter->due_to_ms = filter->due_from_ms;
        return good;
    }
    bool open_from = size == 0 || (size == 2 && memcmp(text, "..", 2) == 0);
    bool open_to = slash[1] == '\0' || strcmp(slash + 1, "..") == 0;
    return (open_from || ht_time_parse(text, size, &filter->due_from_ms)) &&
           (open_to || ht_time_parse(slash + 1, strlen(slash + 1), &filter->due_to_ms));
}

/* NULL, or what is wrong. */
static const char *list_read(struct ht__order_look *look)
{
    const struct ht_params *params = &look->base.params;
    const char *limit = ht_param(params, "limit");
    const char *before = ht_param(params, "before");
    int64_t most = LIST_DEFAULT;
    look->filter.unit = ht_param(params, "unit");
    look->filter.household = ht_param(params, "household");
    look->filter.kitchen = ht_param(params, "kitchen");
    if (!states_read(ht_param(params, "state"), &look->filter.states)) {
        return "state is one of received, planned, loaded, enroute, delivered, failed, cancelled";
    }
    if (!due_read(ht_param(params, "due"), &look->filter)) {
        return "due is a time or two with / between, like 2026-03-01T11:00:00Z/..";
    }
    if (limit != NULL && !ht_param_number(limit, 1, LIST_MOST, &most)) {
        return "limit is 1 to 1000";
    }
    if (before != NULL && !ht_id_valid(before, strlen(before))) {
        return "before is the id of an order";
    }
    look->base.limit = (size_t)most;
    (void)snprintf(look->before, sizeof look->before, "%s", before == NULL ? "" : before);
    return NULL;
}

struct row {
    char id[HT_ORDER_ID_MAX + 1];
    int64_t number;
    bool over;
};

struct listing {
    const struct ht__order_look *look;
    struct ht_orders *orders;
    struct ht_order_past past;
    struct row *rows; /* [PAGE] */
    size_t row_count;
    const struct ht_order **found; /* [look->limit] */
    size_t count;
    size_t projected;
    size_t looked;
    struct row last; /* the last one that was looked at */
    bool more;
};

static enum ht_status row_take(void *user, const struct ht_store_order_state *state)
{
    struct listing *listing = user;
    struct row *row = &listing->rows[listing->row_count++];
    (void)snprintf(row->id, sizeof row->id, "%s", state->order);
    row->number = state->number;
    row->over = state->closed_ms != 0;
    return HT_OK;
}

/* Whether a row can be of a state that is asked for. */
static bool row_wanted(const struct ht_order_filter *filter, const struct row *row)
{
    const uint32_t open = (UINT32_C(1) << HT_ORDER_IS_DELIVERED) - 1;
    return filter->states == 0 || (filter->states & (row->over ? ~open : open)) != 0;
}

static enum ht_status row_look(struct listing *listing, const struct row *row)
{
    const struct ht__order_look *look = listing->look;
    const struct ht_order *order = NULL;
    listing->last = *row;
    listing->looked++;
    if (!row_wanted(&look->filter, row)) {
        return HT_OK;
    }
    order = ht_orders_get(listing->orders, row->id);
    if (order == NULL) {
        listing->projected++;
        enum ht_status status = ht_order_past_find(&listing->past, row->id, &order);
        if (status != HT_OK) {
            return status == HT_NOT_FOUND ? HT_OK : status;
        }
    }
    if (ht_order_filter_passes(&look->filter, order) &&
        ht__order_seen_by(&look->base.caller, order)) {
        listing->found[listing->count++] = order;
    } else {
        ht_order_release(order);
    }
    return HT_OK;
}

static bool is_full(const struct listing *listing)
{
    return listing->count == listing->look->base.limit || listing->projected >= PAST_MOST ||
           listing->looked >= LOOKED_MOST;
}

/* Goes down the numbers, which are in the order of creation. */
static enum ht_status list_gather(struct listing *listing, int64_t before)
{
    enum ht_status status = HT_OK;
    size_t got = PAGE;
    while (status == HT_OK && got == PAGE && !is_full(listing)) {
        listing->row_count = 0;
        status = ht_store_orders(listing->past.reader, before, PAGE, row_take, listing, NULL);
        got = listing->row_count;
        size_t i = 0;
        for (; i < got && status == HT_OK && !is_full(listing); i++) {
            before = listing->rows[i].number;
            status = row_look(listing, &listing->rows[i]);
        }
        listing->more = i < got || got == PAGE;
    }
    return status;
}

static enum ht_status rows_write(struct ht_app_context *context, const struct ht__order_look *look,
                                 struct ht_look_telling *telling, const struct listing *listing)
{
    enum ht_status status = HT_OK;
    ht_json_object(telling->json);
    ht_json_key(telling->json, "orders");
    ht_json_array(telling->json);
    for (size_t i = 0; i < listing->count && status == HT_OK; i++) {
        status = order_write(context, &look->base, telling, listing->found[i]);
    }
    ht_json_array_end(telling->json);
    if (listing->more) { /* perhaps there are more */
        ht_json_key_text(telling->json, "before", listing->last.id);
    }
    ht_look_withheld(telling);
    ht_json_object_end(telling->json);
    return status;
}

static enum ht_status list_run(struct ht_app_context *context, const struct ht__order_look *look,
                               struct ht_look_telling *telling, struct listing *listing,
                               struct ht_error *error)
{
    int64_t before = INT64_MAX;
    enum ht_status status = HT_OK;
    if (look->before[0] != '\0') {
        status = ht_store_order_number(telling->reader, look->before, &before, error);
    }
    if (status == HT_NOT_FOUND) {
        return ht_error_set(error, HT_INVALID, 0, "before is the id of an order");
    }
    if (status == HT_OK) {
        status = list_gather(listing, before);
    }
    if (status == HT_OK) {
        status = rows_write(context, look, telling, listing);
    }
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

static enum ht_status list_write(struct ht_app_context *context, const struct ht_look *base,
                                 struct ht_look_telling *telling, struct ht_error *error)
{
    const struct ht__order_look *look = (const struct ht__order_look *)base;
    struct listing listing = {.look = look,
                              .orders = ht_orders_room_orders(context->app->orders),
                              .rows = ht_array_new(PAGE, sizeof *listing.rows),
                              .found = ht_array_new(base->limit, sizeof(struct ht_order *))};
    if (listing.rows == NULL || listing.found == NULL) {
        free(listing.rows);
        free((void *)listing.found);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    ht_order_past_init(&listing.past, telling->reader);
    enum ht_status status = list_run(context, look, telling, &listing, error);
    for (size_t i = 0; i < listing.count; i++) {
        ht_order_release(listing.found[i]);
    }
    ht_order_past_deinit(&listing.past);
    free(listing.rows);
    free((void *)listing.found);
    return status;
}

void ht_orders_list_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht__order_look *look = ht__order_look_new(context, call, false);
    if (look == NULL) {
        return;
    }
    const char *wrong = list_read(look);
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht_look_free(look);
        return;
    }
    look->base.write = list_write;
    look->base.how = "items";
    ht_look_start(call, &look->base);
}
