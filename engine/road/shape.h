/* Shape: the geometry of a route's legs, point by point, and what each piece between two points
 * costs.
 *
 * Threading: one ht_shape for each thread. Ownership: the caller's struct owns its arrays and keeps
 * them from route to route; zero-initialize it, end with ht_shape_deinit.
 */
#ifndef HT_ENGINE_ROAD_SHAPE_H
#define HT_ENGINE_ROAD_SHAPE_H

#include "engine/road/route.h"

/* Between point i and point i + 1 of a leg, without turns. */
struct ht_shape_part {
    uint32_t length_mm;
    uint32_t duration_ms;
    uint32_t weight_ms;
};

struct ht_shape {
    struct ht_point *points;     /* of all legs, each with its both ends */
    struct ht_shape_part *parts; /* parts[i] begins at points[i]; the last of each leg is empty */
    uint32_t *nodes; /* network nodes; at a leg's ends the nodes around the place on its street */
    size_t point_count;
    size_t point_capacity;
    size_t part_capacity;
    size_t node_capacity;
};

void ht_shape_deinit(struct ht_shape *shape);
void ht_shape_clear(struct ht_shape *shape);

/* Appends one leg that has its arcs. With `parts` also parts and nodes, for all legs or for none.
 * HT_NOMEM; HT_INVALID: it has no arcs. */
HT_MUST_CHECK enum ht_status ht_shape_add(struct ht_shape *shape, const struct ht_road *road,
                                          const struct ht_place *places, const struct ht_leg *leg,
                                          const uint32_t *arcs, bool parts);

/* The position of a place along one of its sides' arcs: it lies between points i and i + 1. */
uint32_t ht_place_segment(const struct ht_graph *graph, const struct ht_place *place,
                          uint32_t side);

#endif
