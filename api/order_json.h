/* Order JSON: an order as answers show it.
 *
 * Threading: pure but for the thread's own ht_crs_work. Ownership: everything is borrowed.
 */
#ifndef HT_API_ORDER_JSON_H
#define HT_API_ORDER_JSON_H

#include "api/incident_places.h"
#include "api/json.h"
#include "api/live_json.h"
#include "engine/live/orders.h"

/* What an answer says beside the order itself. */
struct ht_order_shown {
    const struct ht_incident_place *place; /* NULL: not known (any more) */
    const char *diets;                     /* joined by ';'; NULL: not for the caller */
    const char *token;                     /* NULL: likewise */
    const struct ht_order_times *times;    /* NULL: those of the plan */
    uint32_t stops_before;                 /* UINT32_MAX: not known */
    bool incident; /* the caller may know of one: there is one where somebody frail lives alone */
};

void ht_order_json(struct ht_json *json, const struct ht_order *order,
                   const struct ht_order_shown *shown, const struct ht_crs_out *out);

/* eta, eta_low and eta_high, where they are known. */
void ht_order_json_times(struct ht_json *json, const struct ht_order_times *times);

#endif
