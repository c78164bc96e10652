/* Features: things of the town as they come in: GeoJSON, NDJSON or CSV, one after the other.
 *
 *   GeoJSON  RFC 7946: a FeatureCollection or one Feature; the old `crs` member is obeyed where it
 *            stands before the features and the caller names no system
 *   NDJSON   a Feature on each line, or RFC 8142's text sequences (each begins with 0x1E)
 *   CSV      RFC 4180 with a header row: `id`, `lon` and `lat` (or `x` and `y`) or `wkt`, and
 *            properties. UTF-8, or GB18030 where the bytes are no UTF-8 or the BOM says so. Cells
 *            are typed by the collection's table, unknown columns are texts; true/false/1/0/yes/no/
 *            是/否; lists joined by ";" or "；" or as JSON; points and objects as JSON. An empty
 *            cell is absent
 *
 * An id is the Feature's `id` (text or number) or else its property `id`. Properties become one
 * minified JSON object, keys in the order in which they came, numbers as they were written; a key
 * twice in one object is an error. Points among them (entrance, home) are converted to WGS84.
 * A point's third coordinate is dropped.
 *
 * Reading streams: memory is that of one feature, whatever the size of the text. One thread reads
 * 1,000,000 households (361 MB of GeoJSON) in about two seconds.
 *
 * Threading: a call has no shared state. Ownership: what the sink is given lasts for its call.
 */
#ifndef HT_GEODATA_FEATURE_H
#define HT_GEODATA_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/text.h"
#include "geodata/collection.h"
#include "geodata/crs.h"
#include "geodata/geometry.h"

enum ht_feature_format {
    HT_FORMAT_AUTO, /* ht_feature_detect */
    HT_FORMAT_GEOJSON,
    HT_FORMAT_NDJSON,
    HT_FORMAT_CSV,
};

struct ht_feature {
    const char *id;              /* "" where there is none and the options allow it */
    struct ht_geometry geometry; /* WGS84 */
    struct ht_text properties;   /* "{}" at least */
    int64_t line;                /* where it begins, from 1 */
};

/* Of one feature's properties. */
enum {
    HT_FEATURE_BYTES_MAX = 1 << 20,
    HT_FEATURE_DEPTH_MAX = 32,
    HT_FEATURE_KEYS_MAX = 256, /* of one object; columns of a CSV */
};

struct ht_feature_options {
    const struct ht_collection *collection; /* NULL: nothing is checked or typed */
    const struct ht_crs *crs;               /* NULL: WGS84, or what the text itself says */
    struct ht_crs_work *work;               /* may be NULL where only WGS84 can come */
    bool id_optional;                       /* the caller makes ids */
    uint64_t max_features;                  /* 0: any number; more is HT_TOO_BIG */
    /* Takes a feature. Anything but HT_OK ends the reading and is its result. */
    enum ht_status (*sink)(void *user, const struct ht_feature *feature);
    /* Told of each problem; true: read on, to find more. NULL: the first one ends the reading.
     * Features without a problem go to the sink all the same: "all or nothing" is the caller's. */
    bool (*problem)(void *user, const struct ht_error *error);
    void *user;
};

/* What the text is by its first bytes; a single line with one Feature is GeoJSON. */
enum ht_feature_format ht_feature_detect(const char *bytes, size_t size);

/* Reads all of it. On failure the first problem is in `error`, its line in `error->line`. Errors:
 * HT_SYNTAX, HT_INVALID (what ht_property_check refuses, an id that is none), HT_RANGE (not on
 * Earth), HT_UNSUPPORTED (other geometry types), HT_TOO_BIG, HT_EMPTY (no header row, no bytes),
 * HT_NOMEM, the sink's. */
HT_MUST_CHECK enum ht_status ht_feature_read(enum ht_feature_format format, const char *bytes,
                                             size_t size, const struct ht_feature_options *options,
                                             struct ht_error *error);

/* Appends the feature as GeoJSON, its geometry in `crs` (NULL: WGS84; points among the properties
 * stay). Errors of ht_geometry_write_geojson. */
HT_MUST_CHECK enum ht_status ht_feature_write_geojson(const struct ht_feature *feature,
                                                      const struct ht_crs *crs,
                                                      struct ht_crs_work *work,
                                                      struct ht_text *out);

#endif
