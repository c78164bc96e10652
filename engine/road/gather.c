#include "engine/road/gather.h"

void ht_gather(const struct ht_network *network, const struct ht_graph *graph, const uint32_t *arcs,
               uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_arc *a = &graph->arcs[arcs[i]];
        sum += network->way_node[a->from] + network->ways[a->way].name;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_arc *a = &graph->arcs[arcs[i]];
        uint32_t low = ht_arc_low(a);
        for (uint32_t n = low; n <= low + a->segments; n++) {
            sum += (uint32_t)network->node_point[network->way_node[n]].lon_e7;
        }
    }
    HT_GATHERED(sum);
}
