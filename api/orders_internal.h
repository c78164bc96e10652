/* What the calls of orders share among each other. */
#ifndef HT_API_ORDERS_INTERNAL_H
#define HT_API_ORDERS_INTERNAL_H

#include "api/app.h"
#include "api/command.h"
#include "api/desk_room.h"
#include "api/look.h"
#include "api/order_json.h"
#include "api/order_past.h"
#include "api/orders_room.h"

/* Whether there are orders; else the answer is written. */
bool ht__orders_stand(struct ht_app_context *context, struct ht_http_call *call);

/* An order as the answer to a command, from the writer's thread. `written`: its place in PROJ's
 * system that is asked for, "" where it is another. */
void ht__order_answer(struct ht_app_context *context, const struct ht_caller *caller,
                      struct ht_json *json, const struct ht_order *order, const struct ht_crs *crs,
                      const char *written);

/* Whether a caller may see an order. */
bool ht__order_seen_by(const struct ht_caller *caller, const struct ht_order *order);

/* A question (api/look.h) with what a list is filtered by. */
struct ht__order_look {
    struct ht_look base;
    struct ht_order_filter filter;    /* its texts lie in the base's params */
    char before[HT_ORDER_ID_MAX + 1]; /* "": from the newest */
};
/* One that is begun, of the id in the path (`one`) or of many; NULL with the answer written. */
struct ht__order_look *ht__order_look_new(struct ht_app_context *context, struct ht_http_call *call,
                                          bool one);

/* A counted reference that the caller may see: from memory, or from the store, or back in memory
 * meanwhile. */
HT_MUST_CHECK enum ht_status ht__order_find(struct ht_app_context *context,
                                            struct ht_order_past *past,
                                            const struct ht_caller *caller, const char *id,
                                            const struct ht_order **out);

/* An incident for somebody frail who did not answer the door: looked at ahead by a worker, decided
 * and written by the writer together with the order's failure. */
struct ht__welfare {
    bool wanted;
    struct ht_point point;
    uint32_t access_ms;
    enum ht_incident_kind kind;
    uint8_t severity;
    char household[HT_ORDER_ID_MAX + 1];
    char open[HT_DESK_ID_MAX + 1]; /* an incident of that home that is open already; "": none */
    char id[HT_DESK_ID_MAX + 1];   /* of the incident; "": there is none yet */
    bool placed;                   /* in memory */
    struct ht_desk_decision *decision;
    struct ht_desk_ahead ahead;
};
/* `wanted` only where the order's household is frail; false with the answer written. Where somebody
 * is on the way there already, for the same reason, no other is sent: the order names that one. */
bool ht__welfare_prepare(struct ht_app_context *context, struct ht_store_reader *reader,
                         const char *household, int64_t now_ms, struct ht__welfare *out,
                         struct ht_reply *reply);
HT_MUST_CHECK enum ht_status ht__welfare_run(struct ht_app_context *context,
                                             const struct ht_command *command,
                                             struct ht_store_tx *tx, struct ht__welfare *welfare,
                                             struct ht_error *error);
void ht__welfare_applied(struct ht_app_context *context, struct ht__welfare *welfare);
void ht__welfare_undone(struct ht_app_context *context, struct ht__welfare *welfare, bool lost);

#endif
