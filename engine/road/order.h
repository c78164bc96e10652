/* Order: in which sequence the arcs are contracted.
 *
 * Nested dissection of the arc graph by edge cuts of the street graph: a cut through streets is a
 * separator of arcs, since consecutive arcs meet in a junction that lies on one side (Buchhold,
 * Wagner, Zeitz, Zuendorf 2020). Cuts are found by inertial flow (Schild, Sommer 2015): junctions
 * are sorted along a line, the first and last quarter become source and sink of a maximum flow.
 *
 *        A  o--o | o--o  B        rank:  [ arcs inside A | arcs inside B | arcs that cross ]
 *           |  | | |  |
 *        o--o--o-+-o--o           the arcs of the three streets that cross come last
 *              | | |
 *              o-+-o
 *
 * Threading: uses the pool; the result does not depend on the number of threads.
 */
#ifndef HT_ENGINE_ROAD_ORDER_H
#define HT_ENGINE_ROAD_ORDER_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/cch.h"

/* Writes arcs by rank to rank_to_arc[arc_count]. Fills stats->top_cut_streets. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_order_compute(const struct ht_network *network,
                                              const struct ht_graph *graph, struct ht_pool *pool,
                                              uint32_t *rank_to_arc, struct ht_order_stats *stats);

#endif
