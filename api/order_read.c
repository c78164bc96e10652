#include "api/order_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_rules.h"
#include "api/json_merge.h"
#include "api/params.h"
#include "engine/base/array.h"
#include "engine/base/time.h"
#include "geodata/collection.h"

/* Reading one object; `at` is the pointer to it. */
struct reading {
    yajl_val tree;
    char at[32];
    struct ht_error *error;
};

static enum ht_status wrong(const struct reading *reading, enum ht_status status, const char *name,
                            const char *why)
{
    return ht_error_set(reading->error, status, 0, "%s/%s: %s", reading->at, name, why);
}

/* Absent and null are the same. */
static yajl_val member(const struct reading *reading, const char *name)
{
    yajl_val value = ht_json_member(reading->tree, name);
    return YAJL_IS_NULL(value) ? NULL : value;
}

static enum ht_status id_read(const struct reading *reading, const char *name, const char **out)
{
    yajl_val value = member(reading, name);
    const char *text = YAJL_GET_STRING(value);
    *out = text;
    return value != NULL && (text == NULL || !ht_id_valid(text, strlen(text)))
               ? wrong(reading, HT_SYNTAX, name, "1 to 64 letters, digits and ._:-")
               : HT_OK;
}

static enum ht_status note_read(const struct reading *reading, const char **out)
{
    yajl_val value = member(reading, "note");
    *out = YAJL_GET_STRING(value);
    if (value != NULL && (*out == NULL || strlen(*out) > HT_ORDER_NOTE_MOST)) {
        return wrong(reading, HT_SYNTAX, "note", "a text of at most 4,096 bytes");
    }
    *out = *out != NULL && (*out)[0] == '\0' ? NULL : *out;
    return HT_OK;
}

/* From 2000 to 2100: sums of such moments never wrap. */
static bool moment_of(yajl_val value, int64_t *out)
{
    static const int64_t first_ms = INT64_C(946684800000);
    static const int64_t last_ms = INT64_C(4102444800000);
    const char *text = YAJL_GET_STRING(value);
    return text != NULL && ht_time_parse(text, strlen(text), out) && *out >= first_ms &&
           *out <= last_ms;
}

static enum ht_status moment_read(const struct reading *reading, const char *name, int64_t *out)
{
    yajl_val value = member(reading, name);
    *out = 0;
    return value != NULL && !moment_of(value, out)
               ? wrong(reading, HT_SYNTAX, name, "a time, like 2026-03-01T11:30:00+08:00")
               : HT_OK;
}

/* ---- an order ---- */

static bool number_of(yajl_val value, int64_t least, int64_t most, uint32_t *out)
{
    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < least ||
        YAJL_GET_INTEGER(value) > most) {
        return false;
    }
    *out = (uint32_t)YAJL_GET_INTEGER(value);
    return true;
}

static enum ht_status load_read(const struct reading *reading, struct ht_order_in *out)
{
    static const char why[] =
        "a whole number or a list of at most 8, up to 1,000,000, the first (meals) at least 1";
    yajl_val value = member(reading, "load");
    size_t count = YAJL_IS_ARRAY(value) ? value->u.array.len : 1;
    if (value == NULL) {
        out->load[0] = out->load_count = 1;
        return HT_OK;
    }
    if (!YAJL_IS_ARRAY(value) && !YAJL_IS_NUMBER(value)) {
        return wrong(reading, HT_SYNTAX, "load", why);
    }
    if (count < 1 || count > HT_ORDER_LOADS) {
        return wrong(reading, HT_INVALID, "load", why);
    }
    for (size_t i = 0; i < count; i++) {
        yajl_val item = YAJL_IS_ARRAY(value) ? value->u.array.values[i] : value;
        if (!number_of(item, i == 0 ? 1 : 0, HT_ORDER_LOAD_MOST, &out->load[i])) {
            return wrong(reading, YAJL_IS_NUMBER(item) ? HT_INVALID : HT_SYNTAX, "load", why);
        }
    }
    out->load_count = (uint32_t)count;
    return HT_OK;
}

static enum ht_status due_read(const struct reading *reading, struct ht_order_in *out)
{
    yajl_val value = member(reading, "due");
    if (value == NULL) {
        return wrong(reading, HT_SYNTAX, "due", "is missing");
    }
    if (!YAJL_IS_ARRAY(value) || value->u.array.len != 2 ||
        !moment_of(value->u.array.values[0], &out->due_from_ms) ||
        !moment_of(value->u.array.values[1], &out->due_to_ms)) {
        return wrong(reading, HT_SYNTAX, "due", "a list of two times, from and to");
    }
    return out->due_from_ms <= out->due_to_ms
               ? HT_OK
               : wrong(reading, HT_INVALID, "due", "ends before it begins");
}

static enum ht_status service_read(const struct reading *reading, struct ht_order_in *out)
{
    yajl_val value = member(reading, "service_s");
    double seconds = 0;
    out->service_ms = -1;
    if (value == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_NUMBER(value) || !ht_param_doubles(YAJL_GET_NUMBER(value), &seconds, 1)) {
        return wrong(reading, HT_SYNTAX, "service_s", "a number");
    }
    if (!(seconds >= 0 && seconds <= HT_ORDER_SERVICE_MOST_S)) {
        return wrong(reading, HT_INVALID, "service_s", "0 to 14400");
    }
    out->service_ms = (int64_t)llround(seconds * 1000);
    return HT_OK;
}

static enum ht_status priority_read(const struct reading *reading, struct ht_order_in *out)
{
    yajl_val value = member(reading, "priority");
    if (value == NULL || number_of(value, 0, HT_ORDER_PRIORITY_MOST, &out->priority)) {
        return HT_OK;
    }
    return wrong(reading, YAJL_IS_NUMBER(value) ? HT_INVALID : HT_SYNTAX, "priority",
                 "a whole number from 0 to 100");
}

/* One of the words from the `from`th on; 0: not said, -1: none of them. */
static int word_read(yajl_val value, const char *(*word)(int), int from, int count)
{
    const char *text = YAJL_GET_STRING(value);
    if (value == NULL) {
        return 0;
    }
    for (int i = from; text != NULL && i < count; i++) {
        if (strcmp(word(i), text) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *handover_word(int i)
{
    return ht_order_handover_text((enum ht_order_handover)i);
}

static enum ht_status handover_read(const struct reading *reading, struct ht_order_in *out)
{
    int handover = word_read(member(reading, "handover"), handover_word, 0, HT_ORDER_HANDOVERS);
    if (handover < 0) {
        return wrong(reading, HT_INVALID, "handover", "door or van");
    }
    out->handover = (enum ht_order_handover)handover;
    return HT_OK;
}

static enum ht_status place_read(const struct reading *reading, struct ht_order_in *out)
{
    yajl_val lon = member(reading, "lon");
    yajl_val lat = member(reading, "lat");
    enum ht_status status = id_read(reading, "household", &out->household);
    out->placed = lon != NULL || lat != NULL;
    if (status != HT_OK) {
        return status;
    }
    if (out->placed && (!YAJL_IS_NUMBER(lon) || !YAJL_IS_NUMBER(lat) ||
                        !ht_param_doubles(YAJL_GET_NUMBER(lon), &out->pair[0], 1) ||
                        !ht_param_doubles(YAJL_GET_NUMBER(lat), &out->pair[1], 1))) {
        return wrong(reading, HT_SYNTAX, "lon", "lon and lat are two numbers");
    }
    if (out->placed == (out->household != NULL)) {
        return wrong(reading, HT_SYNTAX, "household",
                     out->placed ? "a household or lon and lat, not both"
                                 : "a household, or lon and lat, are missing");
    }
    return HT_OK;
}

static enum ht_status diets_read(const struct reading *reading, struct ht_order_in *out)
{
    yajl_val value = member(reading, "diets");
    return value == NULL || ht_incident_skills_read(value, out->diets)
               ? HT_OK
               : wrong(reading, HT_SYNTAX, "diets", "a list of texts, 255 bytes in all");
}

static enum ht_status times_read(const struct reading *reading, struct ht_order_in *out)
{
    enum ht_status status = due_read(reading, out);
    if (status == HT_OK) {
        status = moment_read(reading, "ready", &out->ready_ms);
    }
    if (status == HT_OK && out->ready_ms > out->due_to_ms) {
        status = wrong(reading, HT_INVALID, "ready", "is after the end of due");
    }
    return status == HT_OK ? service_read(reading, out) : status;
}

static enum ht_status order_read(const struct reading *reading, struct ht_order_in *out)
{
    enum ht_status status =
        YAJL_IS_OBJECT(reading->tree)
            ? id_read(reading, "id", &out->id)
            : ht_error_set(reading->error, HT_SYNTAX, 0, "%s: an order is an object", reading->at);
    if (status == HT_OK) {
        status = place_read(reading, out);
    }
    if (status == HT_OK) {
        status = id_read(reading, "kitchen", &out->kitchen);
    }
    if (status == HT_OK && out->kitchen == NULL) {
        status = wrong(reading, HT_SYNTAX, "kitchen", "is missing");
    }
    if (status == HT_OK) {
        status = load_read(reading, out);
    }
    if (status == HT_OK) {
        status = diets_read(reading, out);
    }
    if (status == HT_OK) {
        status = times_read(reading, out);
    }
    if (status == HT_OK) {
        status = priority_read(reading, out);
    }
    if (status == HT_OK) {
        status = handover_read(reading, out);
    }
    return status == HT_OK ? note_read(reading, &out->note) : status;
}

enum ht_status ht_orders_body_read(const char *text, size_t size, struct ht_orders_in *out,
                                   struct ht_error *error)
{
    *out = (struct ht_orders_in){.tree = ht_json_tree_read(text, size)};
    yajl_val inner = ht_json_member(out->tree, "orders");
    yajl_val list = YAJL_IS_ARRAY(out->tree) ? out->tree : inner;
    out->many = list != NULL;
    if (ht_json_has_nul(text, size)) {
        return ht_error_set(error, HT_SYNTAX, 0, "a text of the body has a NUL in it");
    }
    if (!YAJL_IS_OBJECT(out->tree) && !YAJL_IS_ARRAY(out->tree)) {
        return ht_error_set(error, HT_SYNTAX, 0,
                            "the body is neither a JSON object nor a list of them");
    }
    if (out->many && (!YAJL_IS_ARRAY(list) || list->u.array.len == 0)) {
        return ht_error_set(error, HT_SYNTAX, 0, "there are no orders in the list");
    }
    size_t count = out->many ? list->u.array.len : 1;
    if (count > HT_ORDERS_AT_ONCE) {
        return ht_error_set(error, HT_TOO_BIG, 0, "at most %d orders at once",
                            (int)HT_ORDERS_AT_ONCE);
    }
    out->list = ht_array_new_zeroed(count, sizeof *out->list);
    if (out->list == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    out->count = count;
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < count && status == HT_OK; i++) {
        struct reading reading = {.tree = out->many ? list->u.array.values[i] : out->tree,
                                  .error = error};
        if (out->many) {
            (void)snprintf(reading.at, sizeof reading.at, "%s/%zu", inner == list ? "/orders" : "",
                           i);
        }
        status = order_read(&reading, &out->list[i]);
    }
    return status;
}

void ht_orders_body_deinit(struct ht_orders_in *orders)
{
    yajl_tree_free(orders->tree);
    free(orders->list);
    *orders = (struct ht_orders_in){.tree = NULL};
}

/* ---- what happens to one ---- */

static enum ht_status event_read(const struct reading *reading, enum ht_order_command_kind *out)
{
    static const struct {
        const char *name;
        enum ht_order_command_kind command;
    } events[] = {{"load", HT_ORDER_LOAD},       {"enroute", HT_ORDER_GO},
                  {"deliver", HT_ORDER_DELIVER}, {"fail", HT_ORDER_FAIL},
                  {"cancel", HT_ORDER_CANCEL},   {"reopen", HT_ORDER_REOPEN},
                  {"plan", HT_ORDER_COMMANDS}};
    yajl_val value = member(reading, "event");
    const char *name = YAJL_GET_STRING(value);
    if (name == NULL) {
        return wrong(reading, HT_SYNTAX, "event", value == NULL ? "is missing" : "a text");
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].name, name) == 0) {
            *out = events[i].command;
            return HT_OK;
        }
    }
    return wrong(reading, HT_INVALID, "event",
                 "one of load, enroute, deliver, fail, cancel, reopen, plan");
}

static const char *reason_word(int i)
{
    return ht_order_reason_text((enum ht_order_reason)i);
}

static const char *next_word(int i)
{
    return ht_order_next_text((enum ht_order_next)i);
}

static enum ht_status failure_read(const struct reading *reading, struct ht_order_step *out)
{
    yajl_val count = member(reading, "count");
    int reason = word_read(member(reading, "reason"), reason_word, 1, HT_ORDER_REASONS);
    int next = word_read(member(reading, "next"), next_word, 1, HT_ORDER_NEXTS);
    if (reason < 0 || (reason == 0 && out->command == HT_ORDER_FAIL)) {
        return wrong(reading, HT_INVALID, "reason",
                     "one of no_answer, refused, wrong_address, breakdown, other");
    }
    if (next < 0) {
        return wrong(reading, HT_INVALID, "next",
                     "one of left_with_neighbour, brought_back, partly_delivered, retry");
    }
    if (count != NULL && !number_of(count, 1, HT_ORDER_LOAD_MOST, &out->count)) {
        return wrong(reading, YAJL_IS_NUMBER(count) ? HT_INVALID : HT_SYNTAX, "count",
                     "a whole number, at least 1");
    }
    out->reason = (enum ht_order_reason)reason;
    out->next = (enum ht_order_next)next;
    return HT_OK;
}

/* What the times leave out of the band is as wide as nothing. */
static enum ht_status plan_read(const struct reading *reading, struct ht_order_step *out)
{
    yajl_val sequence = member(reading, "sequence");
    if (out->unit == NULL) {
        return wrong(reading, HT_SYNTAX, "unit", "is missing");
    }
    if (sequence != NULL && !number_of(sequence, 0, UINT32_MAX, &out->sequence)) {
        return wrong(reading, HT_SYNTAX, "sequence", "a whole number");
    }
    enum ht_status status = moment_read(reading, "eta", &out->eta_ms);
    if (status == HT_OK) {
        status = moment_read(reading, "eta_low", &out->eta_low_ms);
    }
    if (status == HT_OK) {
        status = moment_read(reading, "eta_high", &out->eta_high_ms);
    }
    if (status != HT_OK) {
        return status;
    }
    out->eta_low_ms = out->eta_low_ms == 0 ? out->eta_ms : out->eta_low_ms;
    out->eta_high_ms = out->eta_high_ms == 0 ? out->eta_ms : out->eta_high_ms;
    return out->eta_low_ms <= out->eta_ms && out->eta_ms <= out->eta_high_ms
               ? HT_OK
               : wrong(reading, HT_INVALID, "eta", "eta_low, eta and eta_high rise");
}

enum ht_status ht_order_step_read(const char *text, size_t size, struct ht_order_step *out,
                                  struct ht_error *error)
{
    *out = (struct ht_order_step){.tree = ht_json_tree_read(text, size)};
    const struct reading reading = {.tree = out->tree, .error = error};
    if (ht_json_has_nul(text, size)) {
        return ht_error_set(error, HT_SYNTAX, 0, "a text of the body has a NUL in it");
    }
    if (!YAJL_IS_OBJECT(out->tree)) {
        return ht_error_set(error, HT_SYNTAX, 0, "the body is not a JSON object");
    }
    enum ht_status status = event_read(&reading, &out->command);
    if (status == HT_OK) {
        status = id_read(&reading, "unit", &out->unit);
    }
    if (status == HT_OK) {
        status = failure_read(&reading, out);
    }
    if (status == HT_OK && out->command == HT_ORDER_COMMANDS) {
        status = plan_read(&reading, out);
    }
    return status == HT_OK ? note_read(&reading, &out->note) : status;
}

void ht_order_step_deinit(struct ht_order_step *step)
{
    yajl_tree_free(step->tree);
    step->tree = NULL;
}
