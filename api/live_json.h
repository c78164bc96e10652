/* Live units and ways as JSON, and reads of the store that the live calls share.
 *
 * Threading: pure but for ht_near_items, with the thread's own context.
 */
#ifndef HT_API_LIVE_JSON_H
#define HT_API_LIVE_JSON_H

#include "api/app.h"
#include "api/json.h"
#include "api/params.h"
#include "engine/live/fleet.h"

/* Words by number, NULL-terminated. */
extern const char *const ht_unit_kinds[];
extern const char *const ht_unit_statuses[];

/* A Feature of a unit at `point`; `distance_m` below 0: not said. */
void ht_live_json_unit(struct ht_json *json, struct ht_fleet *fleet, const struct ht_unit *unit,
                       struct ht_point point, double distance_m);
/* The members that a unit's Feature has of the live town: last_seen, age_ms, stale and so on. */
void ht_live_json_members(struct ht_json *json, const struct ht_unit *unit);
/* [lon, lat] */
void ht_live_json_point(struct ht_json *json, struct ht_point point);
/* "geometry": a LineString. */
void ht_live_json_line(struct ht_json *json, const struct ht_point *points, size_t count);

/* The items of a collection nearest to a point, in the job pool. Takes over the params. What is
 * personal is never among them. */
void ht_near_items(struct ht_app_context *context, struct ht_http_call *call,
                   const struct ht_collection *collection, struct ht_params *params,
                   struct ht_point point, uint32_t k, double radius_m);

#endif
