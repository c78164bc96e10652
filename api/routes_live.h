/* The calls of the moving town: positions in, who is near, who can be there first, tracks.
 *
 * Threading: with the thread's own context.
 */
#ifndef HT_API_ROUTES_LIVE_H
#define HT_API_ROUTES_LIVE_H

#include "api/app.h"

struct ht_position_in;

/* Takes one position of a batch, with the thread's own live work (ht_app_live_work), after which
 * ht_live_reports_end is to be called. NULL, or why it is not taken (static text). `crs`: that of
 * the whole; NULL: the device's. What is read becomes the unit's, in WGS84. */
const char *ht_position_take(struct ht_app_context *context, const struct ht_caller *caller,
                             const struct ht_crs *crs, struct ht_position_in *in);

/* POST /v1/positions: array, lines or one object: {accepted, rejected[{index, reason}]}. */
void ht_positions_post(struct ht_app_context *context, struct ht_http_call *call);
/* GET or POST /osmand, as OsmAnd's and Traccar's client apps send it. */
void ht_osmand(struct ht_app_context *context, struct ht_http_call *call);
/* GET /v1/near?collection=&lon=&lat=&k=&radius_m= and filters. */
void ht_near_get(struct ht_app_context *context, struct ht_http_call *call);
/* GET /v1/closest?lon=&lat=&k=&kind=&skills=&status=&max_s=&max_age_s=&geometry=1; POST takes
 * {"points":[[lon,lat],...], "k", "kind", ...}. */
void ht_closest_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_closest_post(struct ht_app_context *context, struct ht_http_call *call);
/* GET /v1/units/{id}/track?from=&to=: a LineString with times. */
void ht_track_get(struct ht_app_context *context, struct ht_http_call *call);
/* DELETE of the same: erases all that is kept of where the unit was, for good. */
void ht_track_delete(struct ht_app_context *context, struct ht_http_call *call);

#endif
