#include "engine/road/unpack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/array.h"

void ht_unpack_begin(struct ht_unpack *unpack, const struct ht_metric *metric)
{
    unpack->metric = metric;
    unpack->most = metric->vertex_count + 2; /* an arc may be the first and the last */
    unpack->count = 0;
}

void ht_unpack_deinit(struct ht_unpack *unpack)
{
    free(unpack->path);
    free(unpack->stack);
}

enum ht_status ht_unpack_vertex(struct ht_unpack *unpack, uint32_t vertex)
{
    if (unpack->count >= unpack->most) {
        return HT_RANGE;
    }
    if (unpack->count == unpack->path_capacity) {
        void *path = unpack->path;
        enum ht_status status = ht_array_reserve(&path, &unpack->path_capacity,
                                                 unpack->count + UINT32_C(1), sizeof *unpack->path);
        unpack->path = path;
        if (status != HT_OK) {
            return status;
        }
    }
    unpack->path[unpack->count++] = vertex;
    return HT_OK;
}

/* The edge of side `s` from `lower` up to `depth`, HT_NONE when there is none, and its middle on
 * the way into the cache. */
static uint32_t find_edge(const struct ht_metric *metric, int s, uint32_t lower, uint16_t depth)
{
    const struct ht_metric_side *side = &metric->side[s];
    uint32_t edge = ht_metric_edge(metric, s, lower, depth);
    if (edge != HT_NONE) {
        __builtin_prefetch(side->via != NULL ? (const void *)&side->via[edge]
                                             : (const void *)&side->step[edge]);
    }
    return edge;
}

/* The vertex that an edge leads over; HT_NONE: it is a turn. */
static uint32_t middle(const struct ht_unpack *unpack, const struct ht_unpack_pair *pair)
{
    if (pair->edge == HT_NONE) {
        return HT_NONE;
    }
    bool up = pair->from < pair->to;
    uint32_t lower = up ? pair->from : pair->to;
    uint32_t via = ht_metric_via(&unpack->metric->side[up ? 0 : 1], lower, pair->edge);
    /* always below both ends: that a foreign file can't send us in circles is checked here */
    return via < lower ? via : HT_NONE;
}

/* Room for two pairs more on the stack. */
static enum ht_status stack_reserve(struct ht_unpack *unpack, size_t height)
{
    if (height + 2 <= unpack->stack_capacity) {
        return HT_OK;
    }
    void *stack = unpack->stack;
    enum ht_status status =
        ht_array_reserve(&stack, &unpack->stack_capacity, height + 2, sizeof *unpack->stack);
    unpack->stack = stack;
    return status;
}

enum ht_status ht_unpack_edge(struct ht_unpack *unpack, uint32_t from, uint32_t to)
{
    const struct ht_metric *metric = unpack->metric;
    enum ht_status status = stack_reserve(unpack, 0);
    if (status != HT_OK) {
        return status;
    }
    uint16_t from_depth = metric->climb[from].depth;
    uint16_t to_depth = metric->climb[to].depth;
    uint32_t edge =
        from < to ? find_edge(metric, 0, from, to_depth) : find_edge(metric, 1, to, from_depth);
    size_t height = 1;
    unpack->stack[0] = (struct ht_unpack_pair){from, to, edge, from_depth, to_depth};
    while (status == HT_OK && height > 0) {
        struct ht_unpack_pair pair = unpack->stack[--height];
        uint32_t u = middle(unpack, &pair);
        if (u == HT_NONE) { /* a turn */
            status = ht_unpack_vertex(unpack, pair.to);
            continue;
        }
        status = stack_reserve(unpack, height);
        if (status == HT_OK) {
            /* u lies below both. Both edges are looked up at once: what they wait for memory
             * overlaps */
            uint16_t depth = metric->climb[u].depth;
            unpack->stack[height++] = (struct ht_unpack_pair){
                u, pair.to, find_edge(metric, 0, u, pair.to_depth), depth, pair.to_depth};
            unpack->stack[height++] = (struct ht_unpack_pair){
                pair.from, u, find_edge(metric, 1, u, pair.from_depth), pair.from_depth, depth};
        }
    }
    return status;
}
