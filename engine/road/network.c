#include "engine/road/network.h"

#include <string.h>

const struct ht_graph *ht_network_graph(const struct ht_network *network, const char *profile,
                                        uint32_t *index)
{
    for (uint32_t i = 0; i < network->graph_count; i++) {
        if (strcmp(network->graphs[i]->profile, profile) == 0) {
            if (index != NULL) {
                *index = i;
            }
            return network->graphs[i];
        }
    }
    return NULL;
}

uint32_t ht_graph_copies(const struct ht_graph *graph, uint32_t arc, const uint32_t **list)
{
    uint32_t low = 0;
    uint32_t high = graph->copy_base_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->copy_base[middle] < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == graph->copy_base_count || graph->copy_base[low] != arc) {
        *list = NULL;
        return 0;
    }
    *list = graph->copy_list + graph->copy_first[low];
    return graph->copy_first[low + 1] - graph->copy_first[low];
}

uint32_t ht_arc_component(const struct ht_graph *graph, uint32_t arc)
{
    if (graph->arcs[arc].component != HT_COMPONENT_LISTED) {
        return graph->arcs[arc].component;
    }
    uint32_t low = 0;
    uint32_t high = graph->listed_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->listed[middle].arc < arc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < graph->listed_count && graph->listed[low].arc == arc ? graph->listed[low].component
                                                                      : HT_COMPONENT_LISTED;
}

const struct ht_turn *ht_graph_turn(const struct ht_graph *graph, uint32_t from, uint32_t to)
{
    uint32_t low = graph->turn_first[from];
    uint32_t end = graph->turn_first[from + 1];
    uint32_t high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->turns[middle].to < to) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && graph->turns[low].to == to ? &graph->turns[low] : NULL;
}
