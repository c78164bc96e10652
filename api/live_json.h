/* Live units and ways as JSON.
 *
 * Threading: pure but for the thread's own ht_crs_work.
 */
#ifndef HT_API_LIVE_JSON_H
#define HT_API_LIVE_JSON_H

#include "api/json.h"
#include "engine/live/fleet.h"
#include "geodata/crs.h"

/* Words by number, NULL-terminated. */
extern const char *const ht_unit_kinds[];
extern const char *const ht_unit_statuses[];

/* The system that places are written in; WGS84 needs no `work`. */
struct ht_crs_out {
    const struct ht_crs *crs;
    struct ht_crs_work *work;
};

/* A Feature of a unit at `point`; `distance_m` below 0: not said. `out` NULL: WGS84, as below. */
// NOLINTNEXTLINE(readability-function-size): a unit, where it is and how that is written
void ht_live_json_unit(struct ht_json *json, struct ht_fleet *fleet, const struct ht_unit *unit,
                       struct ht_point point, double distance_m, const struct ht_crs_out *out);
/* The members that a unit's Feature has of the live town: last_seen, age_ms, stale and so on. */
void ht_live_json_members(struct ht_json *json, const struct ht_unit *unit);
/* [lon, lat]; null where it does not lie in that system. */
void ht_live_json_point(struct ht_json *json, struct ht_point point, const struct ht_crs_out *out);
/* "geometry": a LineString. */
void ht_live_json_line(struct ht_json *json, const struct ht_point *points, size_t count,
                       const struct ht_crs_out *out);

#endif
