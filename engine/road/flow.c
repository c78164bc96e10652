#include "engine/road/flow.h"

#include <stdbool.h>

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

struct ht_flow {
    int8_t *flow;      /* by entry: flow along it; the opposite entry holds the negative */
    uint16_t *level;   /* distance to the sink, 0: not reached; the sink has 1 */
    uint32_t *current; /* next entry to try */
    uint32_t *queue;
    uint32_t *path;   /* entries of the path that the depth-first search stands on */
    uint32_t shore;   /* sinks that have other neighbours: the first so many of the queue, always */
    uint32_t reached; /* nodes in the queue: the shore, then what has a level */
};

enum { LEVEL_MAX = UINT16_MAX };

enum ht_status ht_flow_new(uint32_t nodes, uint32_t entries, struct ht_flow **out)
{
    struct ht_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        return HT_NOMEM;
    }
    flow->flow = ht_array_new(entries, sizeof *flow->flow);
    flow->level = ht_array_new(nodes, sizeof *flow->level);
    flow->current = ht_array_new(nodes, sizeof *flow->current);
    flow->queue = ht_array_new(nodes, sizeof *flow->queue);
    flow->path = ht_array_new(nodes, sizeof *flow->path);
    if (flow->flow == NULL || flow->level == NULL || flow->current == NULL || flow->queue == NULL ||
        flow->path == NULL) {
        ht_flow_free(flow);
        return HT_NOMEM;
    }
    *out = flow;
    return HT_OK;
}

void ht_flow_free(struct ht_flow *flow)
{
    if (flow == NULL) {
        return;
    }
    free(flow->flow);
    free(flow->level);
    free(flow->current);
    free(flow->queue);
    free(flow->path);
    free(flow);
}

/* Sinks keep level 1 for good; those inside their own crowd never matter again. */
static void mark_shore(struct ht_flow *flow, const struct ht_flow_graph *graph, const uint8_t *mark)
{
    flow->shore = 0;
    for (uint32_t v = 0; v < graph->node_count; v++) {
        flow->level[v] = mark[v] == HT_FLOW_SINK;
        bool open = false;
        for (uint32_t i = graph->first[v]; flow->level[v] && !open && i < graph->first[v + 1];
             i++) {
            open = mark[graph->to[i]] != HT_FLOW_SINK;
        }
        if (open) {
            flow->queue[flow->shore++] = v;
        }
    }
    flow->reached = flow->shore;
}

/* Levels from the sink over edges that can still carry flow towards it. Stops after the level at
 * which a source was met. Returns false when none was. */
static bool level_from_sink(struct ht_flow *flow, const struct ht_flow_graph *graph,
                            const uint8_t *mark)
{
    for (uint32_t k = flow->shore; k < flow->reached; k++) {
        flow->level[flow->queue[k]] = 0;
    }
    uint32_t head = 0;
    uint32_t tail = flow->shore;
    uint32_t stop = LEVEL_MAX;
    while (head < tail) {
        uint32_t v = flow->queue[head++];
        uint32_t next = flow->level[v] + UINT32_C(1);
        if (next > stop) {
            break;
        }
        for (uint32_t i = graph->first[v]; i < graph->first[v + 1]; i++) {
            uint32_t u = graph->to[i];
            /* u -> v has capacity cap - flow(u -> v) = cap + flow(v -> u) left */
            if (flow->level[u] != 0 || graph->cap[i] + flow->flow[i] <= 0) {
                continue;
            }
            flow->level[u] = (uint16_t)next;
            flow->current[u] = graph->first[u];
            flow->queue[tail++] = u;
            if (mark[u] == HT_FLOW_SOURCE) {
                stop = next;
            }
        }
    }
    flow->reached = tail;
    return stop != LEVEL_MAX;
}

/* Pushes the least remaining capacity along the path found, returns it. */
static uint32_t augment(struct ht_flow *flow, const struct ht_flow_graph *graph, uint32_t length)
{
    int least = INT8_MAX;
    for (uint32_t k = 0; k < length; k++) {
        uint32_t i = flow->path[k];
        int left = graph->cap[i] - flow->flow[i];
        least = left < least ? left : least;
    }
    for (uint32_t k = 0; k < length; k++) {
        uint32_t i = flow->path[k];
        flow->flow[i] = (int8_t)(flow->flow[i] + least);
        flow->flow[graph->back[i]] = (int8_t)(flow->flow[graph->back[i]] - least);
    }
    return (uint32_t)least;
}

/* Depth-first along falling levels from one source node; returns what was pushed. */
static uint32_t push_from(struct ht_flow *flow, const struct ht_flow_graph *graph,
                          const uint8_t *mark, uint32_t source)
{
    uint32_t pushed = 0;
    uint32_t length = 0;
    uint32_t v = source;
    for (;;) {
        if (mark[v] == HT_FLOW_SINK) {
            pushed += augment(flow, graph, length);
            length = 0;
            v = source;
            continue;
        }
        uint32_t end = graph->first[v + 1];
        uint32_t i = flow->current[v];
        while (i < end && (flow->level[graph->to[i]] != flow->level[v] - 1 ||
                           flow->level[graph->to[i]] == 0 || graph->cap[i] - flow->flow[i] <= 0)) {
            i++;
        }
        flow->current[v] = i;
        if (i < end) {
            flow->path[length++] = i;
            v = graph->to[i];
        } else if (length > 0) {
            flow->level[v] = 0; /* a dead end for this phase */
            i = flow->path[--length];
            v = graph->to[graph->back[i]];
            flow->current[v]++;
        } else {
            return pushed;
        }
    }
}

uint32_t ht_flow_run(struct ht_flow *flow, const struct ht_flow_graph *graph, const uint8_t *mark,
                     uint32_t most)
{
    memset(flow->flow, 0, graph->first[graph->node_count] * sizeof *flow->flow);
    uint32_t total = 0;
    mark_shore(flow, graph, mark);
    while (level_from_sink(flow, graph, mark)) {
        uint32_t before = total;
        /* sources met lie at the end of the queue */
        for (uint32_t k = flow->reached; k-- > flow->shore;) {
            uint32_t v = flow->queue[k];
            if (mark[v] == HT_FLOW_SOURCE && flow->level[v] != 0) {
                total += push_from(flow, graph, mark, v);
                if (total > most) {
                    return UINT32_MAX;
                }
            }
        }
        if (total == before) {
            break;
        }
    }
    return total;
}

/* Nodes that the sources can still reach: the cut nearest to them. */
static uint32_t reach_from_source(struct ht_flow *flow, const struct ht_flow_graph *graph,
                                  const uint8_t *mark, uint8_t *side)
{
    uint32_t head = 0;
    uint32_t tail = 0;
    for (uint32_t v = 0; v < graph->node_count; v++) {
        side[v] = mark[v] != HT_FLOW_SOURCE;
        if (!side[v]) {
            flow->queue[tail++] = v;
        }
    }
    while (head < tail) {
        uint32_t v = flow->queue[head++];
        for (uint32_t i = graph->first[v]; i < graph->first[v + 1]; i++) {
            uint32_t u = graph->to[i];
            if (side[u] && graph->cap[i] - flow->flow[i] > 0) {
                side[u] = 0;
                flow->queue[tail++] = u;
            }
        }
    }
    return tail;
}

uint32_t ht_flow_cut(struct ht_flow *flow, const struct ht_flow_graph *graph, const uint8_t *mark,
                     uint8_t *side)
{
    uint32_t count = graph->node_count;
    /* the last levelling met no source: all that has a level lies on the sink's side */
    (void)level_from_sink(flow, graph, mark);
    uint32_t sink_side = 0;
    for (uint32_t v = 0; v < count; v++) {
        sink_side += flow->level[v] != 0;
    }
    uint32_t source_side = reach_from_source(flow, graph, mark, side);
    uint32_t small_a = sink_side < count - sink_side ? sink_side : count - sink_side;
    uint32_t small_b = source_side < count - source_side ? source_side : count - source_side;
    if (small_b >= small_a) {
        return count - source_side;
    }
    for (uint32_t v = 0; v < count; v++) {
        side[v] = flow->level[v] != 0;
    }
    return sink_side;
}
