/* What a profile adds to the tree of streets: which of its segments it has, and of which arcs they
 * are. */
#include "engine/base/array.h"
#include "engine/road/snap_internal.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct ht_snap_own) == 64, "part of the file format");
static_assert(sizeof(struct ht_snap_block) == 12, "part of the file format");

enum { LEAVES = 1024 }; /* for one piece of parallel work */

struct ht_snap_own_layout ht_snap__own_layout(uint32_t leaf_count, uint32_t way_node_count,
                                              uint32_t piece_count)
{
    struct ht_snap_own_layout layout = {.pack_offset = sizeof(struct ht_snap_own)};
    layout.sides_offset = layout.pack_offset + HT_SNAP_PACKS * sizeof(uint16_t);
    size_t at = layout.sides_offset + (size_t)leaf_count * HT_SNAP_FAN;
    layout.block_offset = at;
    at += (way_node_count / 64 + (size_t)1) * sizeof(struct ht_snap_block);
    layout.arc_offset = at;
    layout.size = (at + (size_t)piece_count * sizeof(uint32_t) + 63) & ~(size_t)63;
    return layout;
}

void ht_snap__attach(struct ht_snap_index *index, const struct ht_snap_own_layout *layout,
                     const void *data)
{
    const char *bytes = data;
    index->data = data;
    index->size = layout->size;
    index->own = data;
    index->packs = (const void *)(bytes + layout->pack_offset);
    index->sides = (const void *)(bytes + layout->sides_offset);
    index->blocks = (const void *)(bytes + layout->block_offset);
    index->arcs = (const void *)(bytes + layout->arc_offset);
}

uint32_t ht_snap__opposite(const struct ht_graph *graph, uint32_t arc)
{
    const struct ht_arc *a = &graph->arcs[arc];
    if (a->reverse >= graph->base_arc_count) {
        return HT_NONE;
    }
    const struct ht_arc *r = &graph->arcs[a->reverse];
    return r->from == ht_arc_to(a) && ht_arc_to(r) == a->from ? a->reverse : HT_NONE;
}

bool ht_snap__leads(const struct ht_graph *graph, uint32_t arc)
{
    return ht_arc_is_forward(&graph->arcs[arc]) || ht_snap__opposite(graph, arc) == HT_NONE;
}

static uint32_t pack_side(const struct ht_arc *arc, uint32_t side)
{
    uint32_t packed = side == 0 ? HT_SNAP_ALONG : HT_SNAP_AGAINST;
    packed |= (arc->flags & HT_ARC_NO_START) != 0 ? (uint32_t)HT_SNAP_NO_START << side : 0;
    packed |= (arc->flags & HT_ARC_SMALL) != 0 ? (uint32_t)HT_SNAP_SMALL << side : 0;
    return packed | ((uint32_t)arc->flags >> HT_ARC_CLASS_SHIFT & 15u) * HT_SNAP_CLASS << 4 * side;
}

uint32_t ht_snap__pack(const struct ht_graph *graph, uint32_t arc)
{
    const struct ht_arc *a = &graph->arcs[arc];
    if (!ht_arc_is_forward(a)) {
        return pack_side(a, 1);
    }
    uint32_t back = ht_snap__opposite(graph, arc);
    return pack_side(a, 0) | (back == HT_NONE ? 0 : pack_side(&graph->arcs[back], 1));
}

/* --- building -------------------------------------------------------------------------------- */

/* Of a piece, while its segments are looked for. */
struct piece {
    uint32_t end; /* in way_node: its last point */
    uint8_t code; /* of its ht_snap_bit */
};

struct builder {
    const struct ht_snap_tree *tree;
    const struct ht_graph *graph;
    uint32_t block_count;
    uint32_t piece_count;
    struct ht_snap_block *blocks;
    struct piece *pieces;
    struct ht_snap_own_layout layout;
    char *blob;
};

/* Where pieces begin. */
static enum ht_status find_pieces(struct builder *b)
{
    const struct ht_graph *graph = b->graph;
    b->block_count = b->tree->head->way_node_count / 64 + 1;
    b->blocks = ht_array_new_zeroed(b->block_count, sizeof *b->blocks);
    if (b->blocks == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t arc = 0; arc < graph->base_arc_count; arc++) {
        if (!ht_snap__leads(graph, arc)) {
            continue;
        }
        uint32_t low = ht_arc_low(&graph->arcs[arc]);
        uint32_t *bits = &b->blocks[low / 64].bits[low / 32 % 2];
        uint32_t bit = UINT32_C(1) << low % 32;
        if ((*bits & bit) != 0) {
            return HT_INVALID;
        }
        *bits |= bit;
        b->piece_count++;
    }
    uint32_t before = 0;
    for (uint32_t i = 0; i < b->block_count; i++) {
        b->blocks[i].before = before;
        before += (uint32_t)__builtin_popcount(b->blocks[i].bits[0]) +
                  (uint32_t)__builtin_popcount(b->blocks[i].bits[1]);
    }
    return HT_OK;
}

static enum ht_status blob_init(struct builder *b)
{
    const struct ht_snap_head *head = b->tree->head;
    b->layout = ht_snap__own_layout(head->leaf_count, head->way_node_count, b->piece_count);
    b->blob = aligned_alloc(64, b->layout.size);
    b->pieces = ht_array_new(b->piece_count, sizeof *b->pieces);
    if (b->blob == NULL || b->pieces == NULL) {
        return HT_NOMEM;
    }
    memset(b->blob, 0, b->layout.size);
    struct ht_snap_own *own = (void *)b->blob;
    memcpy(own->magic, HT_SNAP_OWN_MAGIC, sizeof own->magic);
    own->version = HT_SNAP_VERSION;
    own->entry_count = head->entry_count;
    own->leaf_count = head->leaf_count;
    own->piece_count = b->piece_count;
    own->base_arc_count = b->graph->base_arc_count;
    own->way_node_count = head->way_node_count;
    memcpy(b->blob + b->layout.block_offset, b->blocks, b->block_count * sizeof *b->blocks);
    return HT_OK;
}

static void list_pieces(struct builder *b)
{
    const struct ht_graph *graph = b->graph;
    uint16_t *packs = (uint16_t *)(void *)(b->blob + b->layout.pack_offset);
    uint8_t codes[1 << 14] = {0};
    uint8_t used = 0;
    uint32_t *arcs = (uint32_t *)(void *)(b->blob + b->layout.arc_offset);
    for (uint32_t arc = 0; arc < graph->base_arc_count; arc++) {
        if (ht_snap__leads(graph, arc)) {
            uint32_t low = ht_arc_low(&graph->arcs[arc]);
            uint32_t piece = ht_snap_piece(b->blocks, low);
            arcs[piece] = arc;
            uint32_t packed = ht_snap__pack(graph, arc);
            if (codes[packed] == 0 && used < HT_SNAP_ASK - 1) {
                codes[packed] = ++used;
                packs[used] = (uint16_t)packed;
            }
            b->pieces[piece] = (struct piece){low + graph->arcs[arc].segments,
                                              codes[packed] == 0 ? HT_SNAP_ASK : codes[packed]};
        }
    }
}

/* The sides of a chunk of leaves. */
static void list_sides(void *user, size_t chunk, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    uint8_t *sides = (uint8_t *)(b->blob + b->layout.sides_offset);
    uint64_t first = (uint64_t)chunk * LEAVES * HT_SNAP_FAN;
    uint64_t end = first + (uint64_t)LEAVES * HT_SNAP_FAN;
    for (uint64_t i = first; i < end && i < b->tree->head->entry_count; i++) {
        uint32_t from = b->tree->from[i];
        uint32_t piece = ht_snap_piece(b->blocks, from);
        if (piece != HT_NONE && from < b->pieces[piece].end) {
            sides[i] = b->pieces[piece].code;
        }
    }
}

static void builder_deinit(struct builder *b)
{
    free(b->blocks);
    free(b->pieces);
    free(b->blob);
}

static struct ht_snap_index *index_new(const struct ht_snap_tree *tree,
                                       const struct ht_graph *graph)
{
    struct ht_snap_index *index = calloc(1, sizeof *index);
    if (index != NULL) {
        index->tree = *tree;
        index->tree.owned = NULL;
        index->network = tree->network;
        index->graph = graph;
        index->kernels = ht_snap__kernels(0);
    }
    return index;
}

enum ht_status ht_snap_build_in(const struct ht_snap_tree *tree, const struct ht_graph *graph,
                                struct ht_pool *pool, struct ht_snap_index **out)
{
    struct builder b = {.tree = tree, .graph = graph};
    *out = NULL;
    enum ht_status status = find_pieces(&b);
    status = status == HT_OK ? blob_init(&b) : status;
    struct ht_snap_index *index = status == HT_OK ? index_new(tree, graph) : NULL;
    if (status == HT_OK && index == NULL) {
        status = HT_NOMEM;
    }
    if (status == HT_OK) {
        list_pieces(&b);
        size_t chunks = tree->head->leaf_count / LEAVES + (size_t)1;
        for (size_t i = 0; pool == NULL && i < chunks; i++) {
            list_sides(&b, i, 0);
        }
        if (pool != NULL) {
            ht_pool_run(pool, chunks, list_sides, &b);
        }
        index->owned = b.blob;
        ht_snap__attach(index, &b.layout, b.blob);
        b.blob = NULL;
        *out = index;
    }
    builder_deinit(&b);
    return status;
}

enum ht_status ht_snap_build(const struct ht_network *network, const struct ht_graph *graph,
                             struct ht_pool *pool, struct ht_snap_index **out)
{
    struct ht_snap_tree *tree = NULL;
    *out = NULL;
    enum ht_status status = ht_snap__tree_of(network, graph, pool, &tree);
    if (status == HT_OK) {
        status = ht_snap_build_in(tree, graph, pool, out);
    }
    if (status == HT_OK) {
        (*out)->owned_tree = tree;
    } else {
        ht_snap_tree_free(tree);
    }
    return status;
}

/* --- files ----------------------------------------------------------------------------------- */

const struct ht_snap_tree *ht_snap_tree_of(const struct ht_snap_index *index)
{
    return &index->tree;
}

void ht_snap_data(const struct ht_snap_index *index, const void **data, size_t *size)
{
    *data = index->data;
    *size = index->size;
}

/* Sides and arcs that a query can follow; it clamps pieces and segments, whatever blocks say. */
enum ht_status ht_snap_check(const struct ht_snap_index *index)
{
    const struct ht_snap_own *own = index->own;
    unsigned any = 0;
    unsigned wrong = 0;
    for (uint64_t i = 0; i < (uint64_t)own->leaf_count * HT_SNAP_FAN; i++) {
        unsigned code = index->sides[i];
        unsigned sides = index->packs[code] & (HT_SNAP_ALONG | HT_SNAP_AGAINST);
        any |= code;
        wrong |= code != 0 && ((code != HT_SNAP_ASK && sides == 0) || i >= own->entry_count);
    }
    for (uint32_t i = 0; i < own->piece_count; i++) {
        wrong |= index->arcs[i] >= own->base_arc_count;
    }
    wrong |= any != 0 && own->piece_count == 0;
    return wrong == 0 ? HT_OK : HT_RANGE;
}

enum ht_status ht_snap_view(const struct ht_snap_tree *tree, const struct ht_graph *graph,
                            const void *data, size_t size, struct ht_snap_index **out)
{
    *out = NULL;
    const struct ht_snap_own *own = data;
    if ((uintptr_t)data % 64 != 0) {
        return HT_INVALID;
    }
    if (size < sizeof *own) {
        return HT_TRUNCATED;
    }
    if (memcmp(own->magic, HT_SNAP_OWN_MAGIC, sizeof own->magic) != 0) {
        return HT_FOREIGN;
    }
    if (own->version != HT_SNAP_VERSION) {
        return HT_VERSION;
    }
    const struct ht_snap_head *head = tree->head;
    if (own->entry_count != head->entry_count || own->leaf_count != head->leaf_count ||
        own->way_node_count != head->way_node_count ||
        own->base_arc_count != graph->base_arc_count) {
        return HT_RANGE;
    }
    struct ht_snap_own_layout layout =
        ht_snap__own_layout(own->leaf_count, own->way_node_count, own->piece_count);
    if (layout.size != size) {
        return HT_TRUNCATED;
    }
    struct ht_snap_index *index = index_new(tree, graph);
    if (index == NULL) {
        return HT_NOMEM;
    }
    ht_snap__attach(index, &layout, data);
    *out = index;
    return HT_OK;
}

enum ht_status ht_snap_over(const struct ht_snap_index *index, const struct ht_graph *graph,
                            struct ht_snap_index **out)
{
    *out = malloc(sizeof **out);
    if (*out == NULL) {
        return HT_NOMEM;
    }
    **out = *index;
    (*out)->graph = graph;
    (*out)->owned = NULL;
    (*out)->owned_tree = NULL;
    return HT_OK;
}

void ht_snap_index_free(struct ht_snap_index *index)
{
    if (index != NULL) {
        ht_snap_tree_free(index->owned_tree);
        free(index->owned);
        free(index);
    }
}
