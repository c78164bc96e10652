/* OGC API - Features over the registry: Part 1 (17-069r4) Core, GeoJSON, OpenAPI 3; Part 2
 * (18-058r1) coordinate systems; Part 4 (20-002) create, replace, update, delete.
 *
 * Reads run in the job pool, each with its thread's reader. What is personal goes to dispatchers
 * and admins only, and each request that reads it leaves an event `personal.read` before it is
 * answered; where that can't be written the answer comes without, and says so
 * (`"personal":"withheld"`).
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_OGC_H
#define HT_API_OGC_H

#include "api/app.h"

void ht_ogc_conformance(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_collections(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_collection(struct ht_app_context *context, struct ht_http_call *call);

void ht_ogc_items(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_item(struct ht_app_context *context, struct ht_http_call *call);

void ht_ogc_items_post(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_item_put(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_item_patch(struct ht_app_context *context, struct ht_http_call *call);
void ht_ogc_item_delete(struct ht_app_context *context, struct ht_http_call *call);

/* The collection that the path names; NULL with 404 written. */
const struct ht_collection *ht__ogc_collection_of(struct ht_http_call *call);

#endif
