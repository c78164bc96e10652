/* Stops: the places of many points on the streets, and what it costs to get from each to each.
 *
 * A point that lies at a junction lies on every street that meets there (ht_snap_junction); the way
 * between two points is the cheapest between any of their places, as OSRM has it. With one place
 * for each a trip would begin on whichever street the index names first: into a one-way street, or
 * with a turn that nobody there has to make.
 *
 * Threading: one caller at a time; `pool` as in matrix.h. Ownership: zero-initialize the struct,
 * end with ht_stops_deinit; it keeps its arrays from use to use.
 */
#ifndef HT_ENGINE_ROAD_STOPS_H
#define HT_ENGINE_ROAD_STOPS_H

#include "engine/road/matrix.h"
#include "engine/road/route.h"
#include "engine/road/snap.h"

struct ht_stops {
    struct ht_place *places;
    size_t place_count;
    size_t place_room;
    struct ht_stop *list; /* into places */
    size_t count;
    size_t room;
    struct ht_cost *costs;
    size_t cost_room;
};

void ht_stops_deinit(struct ht_stops *stops);
/* None are left. */
void ht_stops_clear(struct ht_stops *stops);

/* Adds a point by its place, with all others that it has at a junction. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_stops_add(struct ht_stops *stops, const struct ht_snap_index *index,
                                          const struct ht_place *place,
                                          const struct ht_snap_options *options);

struct ht_stops_ways {
    const struct ht_road *road;
    struct ht_pool *pool; /* may be NULL */
    const bool *cancel;   /* may be NULL */
};
/* The ways from stop `first` and the `*rows` - 1 behind it (at least one, as many as fit into some
 * megabytes) to all: stops->costs[row * count + column], until the next call; HT_WEIGHT_INF: there
 * is none. HT_NOMEM, HT_CANCELLED. */
HT_MUST_CHECK enum ht_status ht_stops_run(struct ht_stops *stops, struct ht_matrix *matrix,
                                          const struct ht_stops_ways *ways, size_t first,
                                          size_t *rows);

/* Some stops: those at `indices`, or (NULL) the first `count`. */
struct ht_stop_list {
    const struct ht_stop *stops;
    const uint32_t *indices;
    size_t count;
};
/* From costs between the places of stops, one after the other, to costs between the stops: the
 * cheapest of each block, moved to the front in place. */
void ht_stops_narrow(struct ht_cost *costs, const struct ht_stop_list *rows,
                     const struct ht_stop_list *columns);

#endif
