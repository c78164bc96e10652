/* Planner line: the ways between the stops of a plan over the streets of the moment, as lines.
 *
 * Threading: one thread for each struct. Ownership: the world is held by the caller until deinit.
 * Errors: HT_NOMEM.
 */
#ifndef HT_API_PLANNER_LINE_H
#define HT_API_PLANNER_LINE_H

#include "engine/live/world.h"
#include "engine/road/shape.h"
#include "engine/road/stops.h"

struct ht_planner_line {
    const struct ht_road *road; /* NULL: there are no streets now */
    struct ht_snap_work *snap;
    struct ht_query *query;
    struct ht_route *route;
    struct ht_stops stops; /* of the last leg */
    struct ht_shape shape; /* of the last leg */
};

/* `world` NULL: there are no streets. To be deinited in any case. */
HT_MUST_CHECK enum ht_status ht_planner_line_begin(struct ht_planner_line *line,
                                                   struct ht_world *world, const char *profile);
void ht_planner_line_deinit(struct ht_planner_line *line);
/* The way from a point to another into line->shape; false: there is none now. */
bool ht_planner_line_leg(struct ht_planner_line *line, struct ht_point from, struct ht_point to,
                         uint64_t *length_mm);

#endif
