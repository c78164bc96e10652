/* MVT: writes vector tiles (Mapbox Vector Tile specification 2.1), layer by layer, feature by
 * feature; and the arithmetic of web mercator tiles.
 *
 *   ht_mvt_layer(&tile, "speeds");
 *   ht_mvt_feature(&tile, HT_MVT_LINE, id);
 *   ht_mvt_path(&tile, points, 2);
 *   ht_mvt_tag(&tile, "speed", ht_mvt_uint(50));
 *   ht_mvt_feature_end(&tile);
 *   ht_mvt_layer_end(&tile);
 *
 * Keys and values are kept once for each layer. Features without geometry and layers without
 * features are dropped.
 *
 * Threading: one tile belongs to one thread. Ownership: the tile owns its bytes until deinit;
 * texts given are copied. Errors: without memory, or past `limit`, `failed` is set and what follows
 * is ignored.
 */
#ifndef HT_GEODATA_MVT_H
#define HT_GEODATA_MVT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"

#define HT_MVT_EXTENT 4096
#define HT_MVT_BUFFER 128 /* how far lines are kept beyond the tile's edge */
#define HT_MVT_NO_ID UINT64_MAX

struct ht_mvt_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

enum ht_mvt_geometry { HT_MVT_POINT = 1, HT_MVT_LINE = 2, HT_MVT_POLYGON = 3 };

enum ht_mvt_kind { /* field numbers of Value */
                   HT_MVT_TEXT = 1,
                   HT_MVT_FLOAT = 2,
                   HT_MVT_DOUBLE = 3,
                   HT_MVT_UINT = 5,
                   HT_MVT_SINT = 6,
                   HT_MVT_BOOL = 7,
};

struct ht_mvt_value {
    enum ht_mvt_kind kind;
    uint64_t bits;    /* of the number */
    const char *text; /* borrowed until the call that takes the value returns */
    size_t size;
};

struct ht_mvt_value ht_mvt_text(const char *text);
struct ht_mvt_value ht_mvt_text_n(const char *text, size_t size);
struct ht_mvt_value ht_mvt_float(float value);
struct ht_mvt_value ht_mvt_double(double value);
struct ht_mvt_value ht_mvt_uint(uint64_t value);
struct ht_mvt_value ht_mvt_sint(int64_t value);
struct ht_mvt_value ht_mvt_bool(bool value);

struct ht_mvt_point {
    int32_t x; /* right */
    int32_t y; /* down */
};

struct ht_mvt_slot {
    size_t at;     /* of its bytes in `keys` or `values` */
    uint32_t size; /* 0: free */
    uint32_t number;
};

/* Texts or values of a layer, each once. */
struct ht_mvt_pool {
    struct ht_mvt_bytes bytes; /* as they are written in the layer */
    struct ht_mvt_slot *slots; /* open addressing, a power of two */
    uint32_t slot_count;
    uint32_t count;
};

struct ht_mvt {
    struct ht_mvt_bytes out; /* the tile, whole after the last ht_mvt_layer_end */
    size_t limit;            /* 0: none */
    bool failed;
    const char *name; /* of the layer, borrowed */
    uint32_t feature_count;
    struct ht_mvt_bytes features;
    struct ht_mvt_pool keys;
    struct ht_mvt_pool values;
    struct ht_mvt_bytes tags;  /* of the feature, packed */
    struct ht_mvt_bytes shape; /* its geometry, packed */
    struct ht_mvt_bytes scratch;
    struct ht_mvt_point cursor;
    uint64_t id;
    enum ht_mvt_geometry geometry;
};

void ht_mvt_init(struct ht_mvt *tile, size_t limit);
void ht_mvt_deinit(struct ht_mvt *tile);

void ht_mvt_layer(struct ht_mvt *tile, const char *name);
void ht_mvt_layer_end(struct ht_mvt *tile);

/* `id`: HT_MVT_NO_ID for none. */
void ht_mvt_feature(struct ht_mvt *tile, enum ht_mvt_geometry geometry, uint64_t id);
void ht_mvt_tag(struct ht_mvt *tile, const char *key, struct ht_mvt_value value);
/* Points: one or many. */
void ht_mvt_points(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count);
/* A line; points equal to the one before are left out, a line of one point is dropped. May be
 * called several times for a multi-line. */
void ht_mvt_path(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count);
/* A ring without its closing point: an outer one clockwise as seen (y down), then its holes the
 * other way round; the writer turns them by `hole`. Rings of fewer than 3 points or no area are
 * dropped. */
void ht_mvt_ring(struct ht_mvt *tile, const struct ht_mvt_point *points, size_t count, bool hole);
void ht_mvt_feature_end(struct ht_mvt *tile);

/* --- tiles of the web mercator pyramid (x, y, zoom as in slippy maps) --------------------------
 */

struct ht_mvt_frame {
    double scale; /* steps of 1/4096 tile around the whole globe */
    double left;  /* the tile's west and north edge, in steps from the globe's */
    double top;
};

struct ht_mvt_frame ht_mvt_frame(uint32_t x, uint32_t y, uint32_t zoom);

/* The tile with `margin` tiles around it, in degrees; latitudes end at 85.0511. */
struct ht_box ht_mvt_box(uint32_t x, uint32_t y, uint32_t zoom, double margin);

/* Where a point lies in the tile, to whole steps (clamped to +-2^30). */
struct ht_mvt_point ht_mvt_place(const struct ht_mvt_frame *frame, struct ht_point point);

/* Whether it lies on the tile or less than HT_MVT_BUFFER beyond. */
bool ht_mvt_inside(struct ht_mvt_point point);

/* Cuts a line at HT_MVT_BUFFER beyond the tile (Liang and Barsky 1984); false: nothing of it is
 * left, or no more than a point. */
bool ht_mvt_clip(struct ht_mvt_point line[2]);

#endif
