#include "engine/road/region.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

struct build {
    const struct ht_cch *cch;
    struct ht_regions *out;
    uint32_t *size; /* [vertex_count] of each subtree */
    uint64_t
        *gathered; /* [levels][words] exits of the subtrees below the current vertex, by depth */
    uint32_t words;
    uint32_t least;
    unsigned ways;
    size_t region_capacity;
    size_t exit_capacity;
};

static bool is_region(const struct build *b, uint32_t v)
{
    uint32_t parent = b->cch->parent[v];
    if (parent == HT_NONE) {
        return true;
    }
    uint32_t around = b->out->of[parent];
    uint64_t size = b->size[v];
    return size >= b->least && size * 4 <= (uint64_t)b->size[b->out->list[around].root] * 3;
}

/* From the roots down, which is by falling rank. */
static enum ht_status list_regions(struct build *b)
{
    struct ht_regions *out = b->out;
    for (uint32_t v = out->vertex_count; v-- > 0;) {
        uint32_t parent = b->cch->parent[v];
        if (!is_region(b, v)) {
            out->of[v] = out->of[parent];
            continue;
        }
        void *list = out->list;
        enum ht_status status = ht_array_reserve(&list, &b->region_capacity,
                                                 out->count + UINT32_C(2), sizeof *out->list);
        out->list = list;
        if (status != HT_OK) {
            return status;
        }
        out->list[out->count] =
            (struct ht_region){.root = v,
                               .low = v - b->size[v] + 1,
                               .around = parent == HT_NONE ? HT_NONE : out->of[parent]};
        out->of[v] = out->count++;
    }
    return HT_OK;
}

static enum ht_status add_exits(struct build *b, const uint64_t *set, uint32_t *count)
{
    for (uint32_t w = 0; w < b->words; w++) {
        for (uint64_t left = set[w]; left != 0; left &= left - 1) {
            void *exits = b->out->exits;
            enum ht_status status = ht_array_reserve(&exits, &b->exit_capacity,
                                                     *count + UINT32_C(1), sizeof *b->out->exits);
            b->out->exits = exits;
            if (status != HT_OK) {
                return status;
            }
            b->out->exits[(*count)++] = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(left));
        }
    }
    return HT_OK;
}

static void add_row(uint64_t *set, const struct ht_cch_side *side, uint32_t v)
{
    for (uint32_t e = side->first[v]; e < side->first[v + 1]; e++) {
        set[side->depth[e] / 64] |= UINT64_C(1) << side->depth[e] % 64;
    }
}

/* In post-order: what the children of the vertex at depth d lead to stands in gathered[d]. */
static enum ht_status list_exits(struct build *b)
{
    const struct ht_cch *cch = b->cch;
    struct ht_regions *out = b->out;
    uint32_t next = out->count;
    uint32_t count = 0;
    for (uint32_t v = 0; v < out->vertex_count; v++) {
        uint32_t depth = cch->depth[v];
        uint64_t *set = b->gathered + (size_t)depth * b->words;
        if ((b->ways & HT_REGION_OUT) != 0) {
            add_row(set, &cch->out, v);
        }
        if ((b->ways & HT_REGION_IN) != 0) {
            add_row(set, &cch->in, v);
        }
        if (depth > 0) {
            uint64_t *above = set - b->words;
            for (uint32_t w = 0; w < b->words; w++) {
                above[w] |= set[w];
            }
            above[(depth - 1) / 64] &= ~(UINT64_C(1) << (depth - 1) % 64); /* its parent itself */
        }
        if (next > 0 && out->list[next - 1].root == v) {
            next--;
            out->list[next].first_exit = count;
            enum ht_status status = add_exits(b, set, &count);
            if (status != HT_OK) {
                return status;
            }
            out->list[next].exit_count = count - out->list[next].first_exit;
        }
        memset(set, 0, b->words * sizeof *set);
    }
    out->exit_count = count;
    return HT_OK;
}

enum ht_status ht_regions_init(struct ht_regions *regions, const struct ht_cch *cch, uint32_t least,
                               unsigned ways)
{
    uint32_t n = cch->vertex_count;
    *regions = (struct ht_regions){.vertex_count = n, .of = ht_array_new(n, sizeof(uint32_t))};
    struct build b = {
        .cch = cch, .out = regions, .words = cch->depth_max / 64 + 1, .least = least, .ways = ways};
    b.size = ht_array_new(n, sizeof *b.size);
    b.gathered = ht_array_new_zeroed(((size_t)cch->depth_max + 1) * b.words, sizeof *b.gathered);
    enum ht_status status =
        regions->of == NULL || b.size == NULL || b.gathered == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t v = 0; v < n && status == HT_OK; v++) {
        b.size[v] = 1;
    }
    for (uint32_t v = 0; v < n && status == HT_OK; v++) {
        if (cch->parent[v] != HT_NONE) {
            b.size[cch->parent[v]] += b.size[v];
        }
    }
    if (status == HT_OK) {
        status = list_regions(&b);
    }
    if (status == HT_OK) {
        status = list_exits(&b);
    }
    free(b.size);
    free(b.gathered);
    if (status != HT_OK) {
        ht_regions_deinit(regions);
    }
    return status;
}

void ht_regions_deinit(struct ht_regions *regions)
{
    free(regions->list);
    free(regions->exits);
    free(regions->of);
    *regions = (struct ht_regions){0};
}

size_t ht_regions_bytes(const struct ht_regions *regions)
{
    return regions->count * sizeof *regions->list + regions->exit_count * sizeof *regions->exits +
           regions->vertex_count * sizeof *regions->of;
}
