/* Shapes into tiles: lines and polygons simplified and cut to what a tile shows, written with
 * geodata/mvt.h into the feature at hand.
 *
 *   points of the tile's frame ── Douglas and Peucker 1973 ── cut at the buffer ── path, ring
 *
 * Lines are cut by Liang and Barsky (ht_mvt_clip), rings by Sutherland and Hodgman 1974, which may
 * leave edges along the border: they lie beyond what is drawn.
 *
 * Threading: one shape belongs to one thread. Ownership: it owns its points; _deinit frees. Errors:
 * without memory the tile fails, as in geodata/mvt.h.
 */
#ifndef HT_GEODATA_MVT_SHAPE_H
#define HT_GEODATA_MVT_SHAPE_H

#include "geodata/geometry.h"
#include "geodata/mvt.h"

struct ht_mvt_shape {
    struct ht_mvt_point *points; /* what is given, then what is left of it */
    size_t capacity;
    struct ht_mvt_point *other; /* of the cutting */
    size_t other_capacity;
    uint8_t *keep; /* of the simplifying */
    size_t keep_capacity;
    size_t *spans; /* its stack */
    size_t span_capacity;
};

void ht_mvt_shape_init(struct ht_mvt_shape *shape);
void ht_mvt_shape_deinit(struct ht_mvt_shape *shape);

/* Room for `count` points, to be filled for the call that follows; NULL: the tile failed. */
struct ht_mvt_point *ht_mvt_shape_room(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                                       size_t count);
/* The first `count` of them as a line; what it leaves out lies within `tolerance` steps of it. */
void ht_mvt_shape_line(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count,
                       double tolerance);
/* As a ring, with or without its closing point; `hole` as in ht_mvt_ring. */
void ht_mvt_shape_ring(struct ht_mvt_shape *shape, struct ht_mvt *tile, size_t count,
                       double tolerance, bool hole);

/* The kind of feature that a geometry becomes; 0: it is nowhere. */
enum ht_mvt_geometry ht_mvt_shape_kind(const struct ht_geometry *geometry);
/* All of a geometry. A point is written where it lies on the tile or its buffer. */
void ht_mvt_shape_geometry(struct ht_mvt_shape *shape, struct ht_mvt *tile,
                           const struct ht_mvt_frame *frame, const struct ht_geometry *geometry,
                           double tolerance);

#endif
