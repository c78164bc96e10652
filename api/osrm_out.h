/* Out: places of an OSRM answer in the coordinate system that was asked for.
 *
 * Threading: one thread at a time. Ownership: borrows the converter and the scratch memory.
 */
#ifndef HT_API_OSRM_OUT_H
#define HT_API_OSRM_OUT_H

#include "api/json.h"
#include "api/osrm_request.h"
#include "api/osrm_steps.h"
#include "api/put.h"
#include "geodata/crs.h"

struct ht_osrm_out {
    struct ht_crs crs;
    bool projected; /* metres or the like: no polyline can carry it */
    struct ht_crs_work *work;
    struct ht_osrm_list *scratch; /* struct ht_point */
};

/* [x, y]: degrees with 6 decimals, as OSRM writes them, or metres with 3; nulls where the place
 * lies outside the system. `out` NULL: WGS84. */
void ht_osrm_out_location(const struct ht_osrm_out *out, struct ht_json *json,
                          struct ht_point point);

/* The same into room of HT_OSRM_LOCATION_ROOM bytes; returns where it ends. */
enum { HT_OSRM_LOCATION_ROOM = 2 * HT_PUT_DOUBLE + 4 };
char *ht_osrm_put_location(const struct ht_osrm_out *out, char *at, struct ht_point point);

/* The value of a "geometry": text of an encoded polyline, or a GeoJSON LineString; a single point
 * stands twice, as OSRM has it. A projected system is written as GeoJSON whatever `geometry` says.
 */
void ht_osrm_out_geometry(const struct ht_osrm_out *out, struct ht_json *json,
                          const struct ht_point *points, size_t count,
                          enum ht_osrm_geometry geometry);

#endif
