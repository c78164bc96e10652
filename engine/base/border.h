/* Border: where a straight piece of a street meets polygons, exactly.
 *
 * Polygons are closed sets: their border belongs to them. A piece runs in where, on the way from
 * its begin to its end, a point outside comes before one inside, and out where one inside comes
 * before one outside:
 *
 *        +-------------+
 *   a ---|---> b       |     in
 *        |      c -----|-->  out
 *   d ---|-------------|-->  in and out
 *        |  e --> f    |     meets alone: wholly inside, or along the border
 *   g ---+--->         |     touches a corner: in and out
 *
 * Edges lie in strips of latitude, so that a piece meets few of them. Everything is decided in
 * whole numbers of 1e-7 degrees (products in 128 bits).
 *
 * Threading: immutable once made; any number of threads may ask. Ownership: it copies what it
 * needs. Errors: HT_NOMEM; HT_TOO_BIG: more than 2^31 points.
 */
#ifndef HT_ENGINE_BASE_BORDER_H
#define HT_ENGINE_BASE_BORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

/* Valid polygons, in the sense of OGC simple features, that overlap nowhere: rings one behind the
 * other, each with its first point again at its end, in either direction. `ring_ends`: for each the
 * index behind its last point; `polygon_ends`: for each the index behind its last ring, whose first
 * is the outer one. */
struct ht_rings {
    const struct ht_point *points;
    const uint32_t *ring_ends;
    const uint32_t *polygon_ends;
    size_t polygon_count; /* 0: nothing is inside */
};

enum {
    HT_BORDER_MEETS = 1, /* some point of the piece is inside */
    HT_BORDER_IN = 2,
    HT_BORDER_OUT = 4,
};

struct ht_border;

/* Cost: n log n at most. */
HT_MUST_CHECK enum ht_status ht_border_new(const struct ht_rings *rings, struct ht_border **out);
void ht_border_free(struct ht_border *border);

/* What holds all of it; empty where nothing is inside. */
struct ht_box ht_border_box(const struct ht_border *border);

/* The bits above, 0: it stays outside. A piece longer than half the Earth's way round is the one
 * across the antimeridian, where a polygon ends: what goes on beyond is another one. */
unsigned ht_border_cross(const struct ht_border *border, struct ht_point a, struct ht_point b);

bool ht_border_holds(const struct ht_border *border, struct ht_point point);

#endif
