/* Overview: a route's geometry with no more points than its map needs.
 *
 * Zoom and thresholds are OSRM's (engine/guidance/assemble_overview, engine/douglas_peucker): the
 * zoom at which the whole route fits a window of 8 by 5 tiles, and there what is nearer to the line
 * than five pixels is left out (Douglas, Peucker 1973, in the Mercator plane).
 *
 * Threading: one ht_overview for each thread. Ownership: zero-initialize, end with
 * ht_overview_deinit.
 */
#ifndef HT_ENGINE_ROAD_OVERVIEW_H
#define HT_ENGINE_ROAD_OVERVIEW_H

#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_overview {
    double *plane; /* x, y of each point, microdegrees */
    uint32_t *stack;
    uint8_t *kept;
    size_t plane_capacity;
    size_t stack_capacity;
    size_t kept_capacity;
};

void ht_overview_deinit(struct ht_overview *overview);

/* The zoom that shows all points, 1 to 18. */
unsigned ht_overview_zoom(const struct ht_point *points, size_t count);

/* Leaves out points, in place; the ends stay. `*count` becomes what is left. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_overview_simplify(struct ht_overview *overview,
                                                  struct ht_point *points, size_t *count,
                                                  unsigned zoom);

#endif
