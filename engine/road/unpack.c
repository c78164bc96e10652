#include "engine/road/unpack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/array.h"

void ht_unpack_begin(struct ht_unpack *unpack, const struct ht_metric *metric)
{
    unpack->metric = metric;
    unpack->count = 0;
}

void ht_unpack_deinit(struct ht_unpack *unpack)
{
    free(unpack->path);
    free(unpack->stack);
}

enum ht_status ht_unpack_vertex(struct ht_unpack *unpack, uint32_t vertex)
{
    void *path = unpack->path;
    enum ht_status status = ht_array_reserve(&path, &unpack->path_capacity,
                                             unpack->count + UINT32_C(1), sizeof *unpack->path);
    unpack->path = path;
    if (status == HT_OK) {
        unpack->path[unpack->count++] = vertex;
    }
    return status;
}

/* The edge of a pair, HT_NONE when there is none, and its middle on the way into the cache. */
static uint32_t find_edge(const struct ht_unpack *unpack, const struct ht_unpack_pair *pair)
{
    bool up = pair->from < pair->to;
    const struct ht_metric_side *side = &unpack->metric->side[up ? 0 : 1];
    uint32_t edge = ht_metric_edge(unpack->metric, up ? 0 : 1, up ? pair->from : pair->to,
                                   up ? pair->to_depth : pair->from_depth);
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

static enum ht_status push(struct ht_unpack *unpack, size_t *height, struct ht_unpack_pair pair)
{
    void *stack = unpack->stack;
    enum ht_status status =
        ht_array_reserve(&stack, &unpack->stack_capacity, *height + 1, sizeof *unpack->stack);
    unpack->stack = stack;
    if (status == HT_OK) {
        pair.edge = find_edge(unpack, &pair);
        unpack->stack[(*height)++] = pair;
    }
    return status;
}

enum ht_status ht_unpack_edge(struct ht_unpack *unpack, uint32_t from, uint32_t to)
{
    const struct ht_climb *climb = unpack->metric->climb;
    size_t height = 0;
    enum ht_status status = push(
        unpack, &height,
        (struct ht_unpack_pair){
            .from = from, .to = to, .from_depth = climb[from].depth, .to_depth = climb[to].depth});
    while (status == HT_OK && height > 0) {
        struct ht_unpack_pair pair = unpack->stack[--height];
        uint32_t u = middle(unpack, &pair);
        if (u == HT_NONE) { /* a turn */
            status = ht_unpack_vertex(unpack, pair.to);
            continue;
        }
        /* both edges are looked up at once: what they wait for memory overlaps */
        struct ht_unpack_pair after = pair;
        after.from = pair.to = u;
        after.from_depth = pair.to_depth = climb[u].depth;
        status = push(unpack, &height, after);
        if (status == HT_OK) {
            status = push(unpack, &height, pair);
        }
    }
    return status;
}
