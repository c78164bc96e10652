/* Orders: the calls of the meal service.
 *
 *   POST   /v1/orders {id?, household | lon,lat, kitchen, load?, diets?, ready?, due, service_s?,
 *                      priority?, handover?, note?}, or a list: all or nothing
 *   GET    /v1/orders?state=&unit=&kitchen=&household=&due=FROM/TO&limit=&before=
 *   GET    /v1/orders/{id}, /v1/orders/{id}/history
 *   POST   /v1/orders/{id}/events {event, unit?, reason?, next?, count?, note?}
 *   DELETE /v1/orders/{id}/personal   place, diets and notes of one that is over
 *   GET    /t/{token}                 for the resident: just this order
 *
 * An order that its kitchen does not take (closed, too late, full, out of order, another diet) is
 * 422 with the reason.
 *
 * Who follows an order may also see the streets: its token, as a Bearer's, reads street tiles, the
 * nearest street's name and the clock.
 *
 * Who may what: dispatchers and admins all; a unit's token sees the orders that the unit has, and
 * loads, carries, delivers and fails them; a home's token sees its own. Viewers read. Diets and
 * notes are for dispatchers and admins, and each reading of them is noted.
 *
 * Where nobody answers a frail household's door, an incident is opened with the failure itself.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_ORDERS_H
#define HT_API_ORDERS_H

#include "api/app.h"

void ht_orders_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_order_event_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_order_erase(struct ht_app_context *context, struct ht_http_call *call);

void ht_orders_list_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_order_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_order_history(struct ht_app_context *context, struct ht_http_call *call);

void ht_order_track(struct ht_app_context *context, struct ht_http_call *call);
/* Whether the request's token is that of an order that can be followed: it reads what its page
 * needs and what tells of nobody (street tiles, the nearest street's name, the clock). True: the
 * caller is "resident", of no role. Memory alone is asked. */
bool ht_order_token_holds(struct ht_app_context *context, const struct ht_http_request *request);

#endif
