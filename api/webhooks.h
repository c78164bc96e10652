/* Webhooks: who else wants to be told of events: the calls that make, show and end them. What is
 * brought, how it is signed and tried again: api/courier.h.
 *
 *   POST /v1/webhooks {url, topics[], secret?}   201; a secret that was made is shown this once
 *   GET /v1/webhooks, GET and DELETE /v1/webhooks/{id}
 *
 * For admins alone, who can make the server speak to any address that it can reach; it sends events
 * there and shows nothing of what comes back but the status.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_WEBHOOKS_H
#define HT_API_WEBHOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct ht_app_context;
struct ht_http_call;

void ht_webhooks_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_webhooks_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_webhook_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_webhook_delete(struct ht_app_context *context, struct ht_http_call *call);

/* Topics with commas between, as the store keeps them, as bits of enum ht_topic. False: one that
 * webhooks can't have. `kin` and `duty` are no topics of events but tellings, with numbers of
 * people in them (api/teller.h); they stand without others. */
#define HT_WEBHOOK_KIN (UINT32_C(1) << 30)
#define HT_WEBHOOK_DUTY (UINT32_C(1) << 31)
bool ht_webhook_topics_read(const char *text, uint32_t *bits);

#endif
