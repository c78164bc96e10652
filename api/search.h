/* GET /v1/search?q=: households, facilities, factories and streets by id, name, address, pinyin.
 *
 * Parameters: q; limit (10 where it is missing, 50 at most); collection, one of the four; lon, lat:
 * nearer ones first among equally good ones, which then have distance_m; crs of lon and lat and of
 * the answer, out_crs of the answer. The answer is a FeatureCollection as /v1/near gives it, each
 * feature with its `collection`; a street's geometry is a point on it. What matches how is said in
 * geodata/gazetteer.h.
 *
 * Households are personal: dispatchers and admins find them by everything, and each search that may
 * find one leaves an event before its answer (api/persons.h), which holds nothing of the question.
 * Others find them by id alone, and see of them what /collections/households shows them. Where the
 * event can't be written, the answer is the others' one and says "personal": "withheld".
 *
 * 503 with Retry-After until the index was read (api/finder.h).
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_SEARCH_H
#define HT_API_SEARCH_H

#include "api/app.h"

void ht_search_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
