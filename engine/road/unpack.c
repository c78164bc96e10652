#include "engine/road/unpack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/array.h"

void ht_unpack_begin(struct ht_unpack *unpack, const struct ht_metric *metric, const uint64_t *only)
{
    unpack->metric = metric;
    unpack->only = only;
    unpack->most = metric->vertex_count + 2; /* an arc may be the first and the last */
    unpack->count = 0;
}

void ht_unpack_deinit(struct ht_unpack *unpack)
{
    free(unpack->path);
    free(unpack->pieces);
    free(unpack->wave);
}

/* Room for so many pieces in all. */
static enum ht_status pieces_reserve(struct ht_unpack *unpack, size_t count)
{
    if (count > unpack->most) {
        return HT_RANGE;
    }
    if (count <= unpack->piece_capacity) {
        return HT_OK;
    }
    void *pieces = unpack->pieces;
    enum ht_status status =
        ht_array_reserve(&pieces, &unpack->piece_capacity, count, sizeof *unpack->pieces);
    unpack->pieces = pieces;
    return status;
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

enum ht_status ht_unpack_edge(struct ht_unpack *unpack, uint32_t from, uint32_t to)
{
    const struct ht_metric *metric = unpack->metric;
    enum ht_status status = pieces_reserve(unpack, unpack->count + (size_t)1);
    if (status != HT_OK) {
        return status;
    }
    uint16_t from_depth = metric->climb[from].depth;
    uint16_t to_depth = metric->climb[to].depth;
    uint32_t edge =
        from < to ? find_edge(metric, 0, from, to_depth) : find_edge(metric, 1, to, from_depth);
    if (unpack->count > 0) {
        unpack->pieces[unpack->count - 1].next = unpack->count;
    }
    unpack->pieces[unpack->count++] =
        (struct ht_unpack_piece){from, to, edge, HT_NONE, HT_NONE, from_depth, to_depth};
    return HT_OK;
}

/* The vertex that the edge of a piece leads over; HT_NONE: it is a turn, or is to stay whole. */
static uint32_t middle(const struct ht_metric *metric, const uint64_t *only,
                       const struct ht_unpack_piece *piece)
{
    bool up = piece->from < piece->to;
    uint32_t lower = up ? piece->from : piece->to;
    if (piece->edge == HT_NONE || (only != NULL && !ht_vertex_in(only, lower))) {
        return HT_NONE;
    }
    uint32_t via = ht_metric_via(&metric->side[up ? 0 : 1], lower, piece->edge);
    /* always below both ends: that a foreign file can't send us in circles is checked here */
    return via < lower ? via : HT_NONE;
}

/* Of the wave those that are no turns, their middles on the way into the cache. */
static uint32_t find_middles(struct ht_unpack *unpack, uint32_t size)
{
    const struct ht_metric *metric = unpack->metric;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < size; i++) {
        struct ht_unpack_piece *piece = &unpack->pieces[unpack->wave[i]];
        piece->via = middle(metric, unpack->only, piece);
        if (piece->via != HT_NONE) {
            __builtin_prefetch(&metric->climb[piece->via]);
            unpack->wave[kept++] = unpack->wave[i];
        }
    }
    return kept;
}

/* The rows of their middles on the way into the cache, about where the edges stand. */
static void fetch_rows(const struct ht_unpack *unpack, uint32_t size)
{
    const struct ht_metric *metric = unpack->metric;
    for (uint32_t i = 0; i < size; i++) {
        const struct ht_climb *climb = &metric->climb[unpack->pieces[unpack->wave[i]].via];
        for (int s = 0; s < 2; s++) {
            uint32_t first = climb[0].first[s];
            uint32_t end = climb[1].first[s];
            __builtin_prefetch(&metric->side[s].depth[first + (end - first) / 2]);
        }
    }
}

/* Each of the wave becomes the piece to its middle and a new one from there. */
static enum ht_status split(struct ht_unpack *unpack, uint32_t size)
{
    const struct ht_metric *metric = unpack->metric;
    enum ht_status status = pieces_reserve(unpack, (size_t)unpack->count + size);
    if (status == HT_OK) {
        void *wave = unpack->wave;
        status = ht_array_reserve(&wave, &unpack->wave_capacity, (size_t)2 * size + 1,
                                  sizeof *unpack->wave);
        unpack->wave = wave;
    }
    for (uint32_t i = 0; i < size && status == HT_OK; i++) {
        uint32_t behind = unpack->count++;
        struct ht_unpack_piece *piece = &unpack->pieces[unpack->wave[i]];
        uint32_t u = piece->via;
        uint16_t depth = metric->climb[u].depth;
        unpack->pieces[behind] = (struct ht_unpack_piece){
            u,     piece->to,      find_edge(metric, 0, u, piece->to_depth), HT_NONE, piece->next,
            depth, piece->to_depth};
        piece->edge = find_edge(metric, 1, u, piece->from_depth);
        piece->to = u;
        piece->to_depth = depth;
        piece->next = behind;
        unpack->wave[size + i] = behind;
    }
    return status;
}

static enum ht_status first_wave(struct ht_unpack *unpack)
{
    void *wave = unpack->wave;
    enum ht_status status = ht_array_reserve(&wave, &unpack->wave_capacity,
                                             unpack->count + (size_t)1, sizeof *unpack->wave);
    unpack->wave = wave;
    for (uint32_t i = 0; i < unpack->count && status == HT_OK; i++) {
        unpack->wave[i] = i;
    }
    return status;
}

enum ht_status ht_unpack_path(struct ht_unpack *unpack, uint32_t first, const uint32_t **path,
                              uint32_t *count)
{
    enum ht_status status = first_wave(unpack);
    for (uint32_t size = unpack->count; size > 0 && status == HT_OK; size *= 2) {
        size = find_middles(unpack, size);
        fetch_rows(unpack, size);
        status = split(unpack, size);
    }
    if (status == HT_OK) {
        void *list = unpack->path;
        status = ht_array_reserve(&list, &unpack->path_capacity, unpack->count + (size_t)1,
                                  sizeof *unpack->path);
        unpack->path = list;
    }
    if (status != HT_OK) {
        return status;
    }
    uint32_t at = unpack->count == 0 ? HT_NONE : 0;
    *count = 0;
    unpack->path[(*count)++] = first;
    for (; at != HT_NONE; at = unpack->pieces[at].next) {
        unpack->path[(*count)++] = unpack->pieces[at].to;
    }
    *path = unpack->path;
    return HT_OK;
}
