/* Events: the event table as evidence, to be taken elsewhere and audited there (houtao audit FILE).
 *
 *   GET /v1/events?format=json|csv&after=&limit=     for admins
 *
 * At most 50,000 rows at once; `after`, the number of the last one, reads on. JSON says the hash
 * before its first row and after its last one, so that each piece can be audited by itself.
 *
 * Threading: with the thread's own context; a worker reads.
 */
#ifndef HT_API_EVENTS_H
#define HT_API_EVENTS_H

#include "api/app.h"

void ht_events_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
