/* Items of the store as GeoJSON features, in any coordinate system.
 *
 * Threading: one writer for each answer. Ownership: json and work are borrowed.
 */
#ifndef HT_API_ITEM_JSON_H
#define HT_API_ITEM_JSON_H

#include "api/json.h"
#include "geodata/crs.h"
#include "geodata/geometry.h"
#include "geodata/store.h"

struct ht_devices;
struct ht_live;

struct ht_item_writer {
    struct ht_json *json;
    const struct ht_crs *crs;
    struct ht_crs_work *work;
    struct ht_geometry geometry;
    struct ht_text text;
    bool withheld;          /* says that what is personal is missing */
    double distance_m;      /* a property of this name; below 0: none */
    const char *collection; /* said of each feature; NULL: it goes without saying */
    const char *base;       /* "http://HOST/collections/C/items" of its links; NULL: none */
    struct ht_live *live;   /* units lie where they were last seen; NULL: where the registry says */
    struct ht_devices
        *devices; /* they show when they were heard last; NULL: as the registry says */
    int64_t now_ms;
};

void ht_item_writer_init(struct ht_item_writer *writer, struct ht_json *json,
                         const struct ht_crs *crs, struct ht_crs_work *work);
void ht_item_writer_deinit(struct ht_item_writer *writer);

/* Writes one Feature: properties in the order in which they came, then what is personal where the
 * item has it, then the cell. Errors: as ht_geometry_write_geojson. */
HT_MUST_CHECK enum ht_status ht_item_write(struct ht_item_writer *writer,
                                           const struct ht_store_item *item);

#endif
