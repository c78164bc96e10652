/* Bodies of POST /v1/orders and /events, the settings document meals, and rows of orders' events:
 * what is accepted is within its bounds, and the same when it is written and read again; what is
 * not says why. The first byte chooses which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/meal_rules.h"
#include "api/order_event.h"
#include "api/order_read.h"
#include "api/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void order_look(const struct ht_order_in *in)
{
    must(in->kitchen != NULL && strlen(in->kitchen) <= HT_ORDER_ID_MAX);
    must(in->placed == (in->household == NULL));
    must(in->load_count >= 1 && in->load_count <= HT_ORDER_LOADS && in->load[0] >= 1);
    must(in->due_from_ms <= in->due_to_ms && in->ready_ms <= in->due_to_ms);
    must(in->service_ms <= HT_ORDER_SERVICE_MOST_S * INT64_C(1000));
    must(in->note == NULL || strlen(in->note) <= HT_ORDER_NOTE_MOST);
    must(strlen(in->diets) <= HT_DESK_SKILLS_MAX);
}

static void body_look(const char *text, size_t size)
{
    struct ht_orders_in in;
    struct ht_error error = {0};
    if (ht_orders_body_read(text, size, &in, &error) == HT_OK) {
        must(in.count >= 1 && in.count <= HT_ORDERS_AT_ONCE);
        for (size_t i = 0; i < in.count; i++) {
            order_look(&in.list[i]);
        }
    } else {
        must(error.message[0] != '\0');
    }
    ht_orders_body_deinit(&in);
}

static void step_look(const char *text, size_t size)
{
    struct ht_order_step step;
    struct ht_error error = {0};
    if (ht_order_step_read(text, size, &step, &error) == HT_OK) {
        must(step.command > HT_ORDER_OPEN && step.command <= HT_ORDER_COMMANDS);
        must(step.command != HT_ORDER_FAIL || step.reason != HT_ORDER_FOR_NONE);
        must(step.command != HT_ORDER_COMMANDS || step.unit != NULL);
        must(step.eta_low_ms <= step.eta_ms && step.eta_ms <= step.eta_high_ms);
        must(step.count <= HT_ORDER_LOAD_MOST);
    } else {
        must(error.message[0] != '\0');
    }
    ht_order_step_deinit(&step);
}

static void meals_look(const char *text, size_t size)
{
    struct ht_setting_wrong wrong = {{0}, {0}};
    struct ht_meal_rules *rules = NULL;
    struct ht_meal_rules *again = NULL;
    struct ht_buffer first = {0};
    struct ht_buffer second = {0};
    struct ht_json json;
    yajl_val tree = ht_json_tree_read(text, size);
    enum ht_status status =
        YAJL_IS_OBJECT(tree) ? ht_meal_rules_read(tree, &rules, &wrong) : HT_SYNTAX;
    yajl_tree_free(tree);
    must(status != HT_INVALID || wrong.detail[0] != '\0');
    if (status != HT_OK) {
        return;
    }
    ht_json_begin(&json, &first);
    ht_meal_rules_write(rules, &json);
    must(!first.failed);
    tree = ht_json_tree_read(first.data, first.size);
    must(ht_meal_rules_read(tree, &again, &wrong) == HT_OK);
    ht_json_begin(&json, &second);
    ht_meal_rules_write(again, &json);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    const struct ht_meal_ask ask = {"k1", NULL, "soft", 1, 2, 3, 4};
    status = ht_meal_rules_check(rules, NULL, &ask, NULL);
    must(status == HT_OK || status == HT_INVALID);
    yajl_tree_free(tree);
    ht_meal_rules_free(rules);
    ht_meal_rules_free(again);
    ht_buffer_deinit(&first);
    ht_buffer_deinit(&second);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct ht_order_event *a, const struct ht_order_event *b)
{
    bool texts = same_text(a->order, b->order) && same_text(a->unit, b->unit) &&
                 same_text(a->household, b->household) && same_text(a->kitchen, b->kitchen) &&
                 same_text(a->incident, b->incident);
    return texts && a->kind == b->kind && a->load_count == b->load_count &&
           memcmp(a->load, b->load, sizeof a->load) == 0 && a->service_ms == b->service_ms &&
           a->ready_ms == b->ready_ms && a->due_from_ms == b->due_from_ms &&
           a->due_to_ms == b->due_to_ms && a->sequence == b->sequence && a->eta_ms == b->eta_ms &&
           a->eta_low_ms == b->eta_low_ms && a->eta_high_ms == b->eta_high_ms &&
           a->count == b->count && a->unplanned == b->unplanned && a->reason == b->reason &&
           a->next == b->next;
}

static void row_look(const char *body, unsigned which)
{
    struct ht_order_event_read read;
    struct ht_order_event_read again;
    struct ht_orders *orders = NULL;
    struct ht_buffer text = {0};
    struct ht_json json;
    char kind[64];
    (void)snprintf(kind, sizeof kind, HT_ORDER_PREFIX "%s",
                   ht_order_event_text((enum ht_order_event_kind)(which % HT_ORDER_EVENT_KINDS)));
    if (ht_order_event_read(kind, 1772416800000, body, &read) == HT_OK) {
        ht_json_begin(&json, &text);
        ht_json_object(&json);
        ht_order_event_write(&read.event, &json);
        ht_json_object_end(&json);
        ht_buffer_append(&text, "", 1);
        must(!text.failed);
        must(ht_order_event_read(kind, read.event.at_ms, text.data, &again) == HT_OK);
        must(same(&read.event, &again.event));
        ht_order_event_deinit(&again);
        ht_buffer_deinit(&text);
        must(ht_orders_new(&orders) == HT_OK);
        enum ht_status status = ht_orders_replay(orders, &read.event);
        must(status == HT_INVALID || ht_orders_pending(orders, read.event.order) != NULL);
        ht_orders_free(orders);
    }
    ht_order_event_deinit(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size); /* so that reading past the end is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 4 == 0) {
        body_look(text, size - 1);
    } else if (data[0] % 4 == 1) {
        step_look(text, size - 1);
    } else if (data[0] % 4 == 2) {
        meals_look(text, size - 1);
    } else {
        row_look(text, data[0] / 4);
    }
    free(text);
    return 0;
}
