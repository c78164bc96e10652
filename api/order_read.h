/* Order read: the bodies of POST /v1/orders and /v1/orders/{id}/events.
 *
 *   {"id": "o-17", "household": "h1", "kitchen": "k1", "load": [2], "diets": ["soft"],
 *    "ready": "2026-03-02T11:00:00+08:00", "service_s": 60, "priority": 0, "handover": "door",
 *    "note": "second door on the left",
 *    "due": ["2026-03-02T11:15:00+08:00", "2026-03-02T12:00:00+08:00"]}
 *
 * or `lon` and `lat` instead of a household; one of them, a list, or {"orders": [...]}. `load` is a
 * number or a list of them, 1 where it is not said. Members that are not known are passed over.
 * What is known has to be of its type.
 *
 * Threading: pure functions. Ownership: texts lie in the struct or in its tree.
 */
#ifndef HT_API_ORDER_READ_H
#define HT_API_ORDER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_tree.h>

#include "engine/live/desk.h"
#include "engine/live/orders.h"

enum {
    HT_ORDERS_AT_ONCE = 2000,  /* in one body */
    HT_ORDER_NOTE_MOST = 4096, /* bytes */
    HT_ORDER_SERVICE_MOST_S = 4 * 3600
};

struct ht_order_in {
    const char *id; /* this and the next two: NULL: not said */
    const char *household;
    const char *note;
    const char *kitchen;
    bool placed;
    double pair[2];
    uint32_t load[HT_ORDER_LOADS];
    uint32_t load_count;
    int64_t ready_ms;    /* 0: not said */
    int64_t due_from_ms; /* <= due_to_ms */
    int64_t due_to_ms;
    int64_t service_ms; /* < 0: not said */
    uint32_t priority;
    enum ht_order_handover handover; /* at the door, where it is not said */
    char diets[HT_DESK_SKILLS_MAX + 1];
};

struct ht_orders_in {
    yajl_val tree;
    struct ht_order_in *list;
    size_t count;
    bool many; /* a list came, so one goes back */
};

/* HT_SYNTAX (400), HT_INVALID (422, ranges) or HT_TOO_BIG with what is wrong where; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_orders_body_read(const char *text, size_t size,
                                                 struct ht_orders_in *out, struct ht_error *error);
/* Also after an error. */
void ht_orders_body_deinit(struct ht_orders_in *orders);

struct ht_order_step {
    yajl_val tree;
    enum ht_order_command_kind command; /* HT_ORDER_COMMANDS: a plan by hand */
    const char *unit;                   /* this and the next: NULL: not said */
    const char *note;
    enum ht_order_reason reason; /* of fail */
    enum ht_order_next next;
    uint32_t count;
    uint32_t sequence; /* this and below: of a plan */
    int64_t eta_ms;    /* 0: not said; else low <= eta <= high */
    int64_t eta_low_ms;
    int64_t eta_high_ms;
};

HT_MUST_CHECK enum ht_status ht_order_step_read(const char *text, size_t size,
                                                struct ht_order_step *out, struct ht_error *error);
void ht_order_step_deinit(struct ht_order_step *step);

#endif
