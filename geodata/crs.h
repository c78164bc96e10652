/* CRS: coordinates are WGS84 inside; this room converts them at the door.
 *
 * Names (`crs=`), case and -, _, spaces within the short ones ignored:
 *   EPSG:4326 (the default), WGS84, CRS84     lon, lat
 *   EPSG:n                                    any that PROJ knows, always in x, y order
 *   GCJ02, BD09                               China's published shifts; identity outside its box
 * and on OGC paths URIs and URNs, which mean their authority's own axis order:
 *   http://www.opengis.net/def/crs/OGC/1.3/CRS84, .../def/crs/EPSG/0/4550,
 * urn:ogc:def:crs:EPSG::4326
 *
 * Where PROJ knows several ways to WGS84 (Beijing 1954), it picks one by place, as cs2cs does: at
 * the borders between them such a system is not continuous.
 *
 * GCJ-02 after the formula published with "eviltransform" and its many copies; there is no official
 * text. Its inverse is found by iteration, to less than a millimetre. BD-09 is a second shift on
 * top.
 *
 * Threading: struct ht_crs is a plain value; each thread brings its own ht_crs_work, which holds
 * PROJ's context and the transformations used so far (the first use of a CRS takes some ten
 * milliseconds, then a fraction of a microsecond for each point).
 */
#ifndef HT_GEODATA_CRS_H
#define HT_GEODATA_CRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

enum ht_crs_kind { HT_CRS_WGS84, HT_CRS_GCJ02, HT_CRS_BD09, HT_CRS_PROJ };

struct ht_crs {
    enum ht_crs_kind kind;
    uint32_t epsg;        /* HT_CRS_PROJ */
    bool authority_order; /* axes as the authority lists them, else x (or lon) first */
};

/* Reads a name; size 0 is the default. HT_SYNTAX: not of a known form (whether PROJ knows an EPSG
 * code is found out by ht_crs_check). */
HT_MUST_CHECK enum ht_status ht_crs_parse(const char *text, size_t size, struct ht_crs *out);

/* True for plain WGS84 in lon, lat order: nothing to convert. */
bool ht_crs_plain(const struct ht_crs *crs);

/* Writes the OGC URI, or the short name where there is none (GCJ02, BD09), NUL-terminated. */
enum { HT_CRS_NAME_SIZE = 64 };
void ht_crs_name(const struct ht_crs *crs, char name[HT_CRS_NAME_SIZE]);

struct ht_crs_work;
HT_MUST_CHECK enum ht_status ht_crs_work_new(struct ht_crs_work **out);
void ht_crs_work_free(struct ht_crs_work *work);

/* HT_NOT_FOUND: PROJ knows no such code, or it is none of places on Earth (vertical, engineering).
 * HT_UNSUPPORTED: PROJ knows no way to WGS84. `*projected` (may be NULL): in metres or the like, so
 * that encoded polylines can't carry it. */
HT_MUST_CHECK enum ht_status ht_crs_check(struct ht_crs_work *work, const struct ht_crs *crs,
                                          bool *projected);

/* Converts `count` pairs in place, to WGS84 lon, lat in degrees or from there. HT_RANGE: one of
 * them (or what it becomes) does not lie on Earth; also ht_crs_check's errors. The pairs are then
 * undefined. */
HT_MUST_CHECK enum ht_status ht_crs_to_wgs84(struct ht_crs_work *work, const struct ht_crs *crs,
                                             double (*pairs)[2], size_t count);
HT_MUST_CHECK enum ht_status ht_crs_from_wgs84(struct ht_crs_work *work, const struct ht_crs *crs,
                                               double (*pairs)[2], size_t count);

/* One point, to the nearest 1e-7 degree (about a centimetre). */
HT_MUST_CHECK enum ht_status ht_crs_point(struct ht_crs_work *work, const struct ht_crs *crs,
                                          const double pair[2], struct ht_point *out);

#endif
