/* Flow: maximum flow and minimum cut between two sets of nodes of an undirected graph with small
 * capacities.
 *
 * Dinitz 1970: levels by breadth-first search from the sink, blocking flows by depth-first search.
 *
 * Threading: one ht_flow for each thread. Ownership: the graph is borrowed.
 */
#ifndef HT_ENGINE_ROAD_FLOW_H
#define HT_ENGINE_ROAD_FLOW_H

#include <stdint.h>

#include "engine/base/status.h"

/* Adjacency of an undirected graph: entry i of node u leads to `to[i]`, the same edge seen from
 * there is entry `back[i]`; both have capacity `cap[i]`. */
struct ht_flow_graph {
    uint32_t node_count;
    const uint32_t *first; /* [node_count + 1] */
    const uint32_t *to;
    const uint32_t *back;
    const uint8_t *cap;
};

struct ht_flow;

/* Memory for graphs of up to `nodes` nodes and `entries` adjacency entries. */
HT_MUST_CHECK enum ht_status ht_flow_new(uint32_t nodes, uint32_t entries, struct ht_flow **out);
void ht_flow_free(struct ht_flow *flow);

/* Marks of nodes. */
enum { HT_FLOW_FREE = 0, HT_FLOW_SOURCE = 1, HT_FLOW_SINK = 2 };

/* Maximum flow from all nodes marked source to all marked sink; gives up (returns UINT32_MAX) once
 * the flow passes `most`. After a full run the two minimum cuts nearest to either end can be read.
 */
uint32_t ht_flow_run(struct ht_flow *flow, const struct ht_flow_graph *graph, const uint8_t *mark,
                     uint32_t most);

/* Writes 1 to side[v] for nodes on the sink's side of the more balanced of the two minimum cuts,
 * else 0; returns the number of ones. */
uint32_t ht_flow_cut(struct ht_flow *flow, const struct ht_flow_graph *graph, const uint8_t *mark,
                     uint8_t *side);

#endif
