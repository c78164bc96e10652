/* Areas: which of many polygons hold a point.
 *
 * A packed R-tree over the boxes; each polygon's edges lie in strips of latitude, so that a point
 * meets few of them. Everything is decided in whole numbers: the answer is exact, and a point on a
 * border belongs to both sides.
 *
 *      +-----/\-----+   strip 0: 2 edges more
 *      |    /  \    |   a ray to the east that crosses an odd number of edges
 *      +---+  . +---+   begins within
 *
 * Threading: immutable once made; any number of threads may ask. Ownership: it copies what it
 * needs.
 */
#ifndef HT_ENGINE_BASE_AREAS_H
#define HT_ENGINE_BASE_AREAS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

/* Rings one behind the other, outer ones and holes alike, each with its first point again at its
 * end; `ring_ends`: for each the index behind its last point. What several rings cover counts by
 * evenness, which is right for valid polygons, also for several of them. */
struct ht_area {
    const struct ht_point *points;
    const uint32_t *ring_ends;
    size_t ring_count; /* 0: holds nothing */
};

struct ht_areas;

/* Areas are known by their number in the list. HT_NOMEM; HT_TOO_BIG: more than 2^31 of them. Cost:
 * n log n. */
HT_MUST_CHECK enum ht_status ht_areas_new(const struct ht_area *list, size_t count,
                                          struct ht_areas **out);
void ht_areas_free(struct ht_areas *areas);

/* Calls for each that holds the point, in no order. */
typedef void ht_areas_visitor(void *user, uint32_t number);
void ht_areas_visit(const struct ht_areas *areas, struct ht_point point, ht_areas_visitor *visitor,
                    void *user);

#endif
