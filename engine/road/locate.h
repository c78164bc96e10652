/* Locate: the pieces of streets that a pair of OSM nodes names, as traffic data does.
 *
 * Two nodes that follow each other on a way name that segment, the two ends of an arc the whole
 * arc; always in the direction from the first to the second, and every parallel one.
 *
 * Threading: read-only once made. Ownership: borrows network and graph. Memory: 8 bytes a node and
 * way node for the network (25 MB for the sample city), 4 an arc for each graph.
 */
#ifndef HT_ENGINE_ROAD_LOCATE_H
#define HT_ENGINE_ROAD_LOCATE_H

#include "engine/base/status.h"
#include "engine/road/network.h"

struct ht_locate;       /* where nodes lie on ways */
struct ht_locate_graph; /* and arcs */

HT_MUST_CHECK enum ht_status ht_locate_new(const struct ht_network *network,
                                           struct ht_locate **out);
void ht_locate_free(struct ht_locate *locate);
HT_MUST_CHECK enum ht_status ht_locate_graph_new(const struct ht_graph *graph,
                                                 struct ht_locate_graph **out);
void ht_locate_graph_free(struct ht_locate_graph *graph);

/* Segments [segment_first, segment_end) of a base arc. */
struct ht_located {
    uint32_t arc;
    uint32_t segment_first;
    uint32_t segment_end;
};

/* Puts up to `most` pieces into `out` and returns how many there are; 0: the graph has none. */
size_t ht_locate_pieces(const struct ht_locate *locate, const struct ht_locate_graph *graph,
                        int64_t osm_from, int64_t osm_to, struct ht_located *out, size_t most);

#endif
