/* Building the snap index: packing, quantization; wrapping a blob from a file. */
#include "engine/base/array.h"
#include "engine/road/snap_internal.h"
#include "engine/road/snap_order.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct ht_snap_head) == 64, "part of the file format");
static_assert(sizeof(struct ht_snap_node) == 128, "two cache lines");
static_assert(sizeof(struct ht_snap_leaf) == 128, "two cache lines");
static_assert(sizeof(struct ht_snap_ref) == 8, "part of the file format");

#define HT_SNAP_CHUNK 16384 /* arcs or leaves for one piece of parallel work */

static size_t round_up(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static uint32_t divide_up(uint32_t value, uint32_t by)
{
    return value / by + (value % by != 0);
}

struct ht_snap_layout ht_snap__layout(uint32_t entry_count)
{
    struct ht_snap_layout layout = {.leaf_count = divide_up(entry_count, HT_SNAP_FAN)};
    uint32_t below = layout.leaf_count;
    while (below > 0 && (layout.level_count == 0 || below > 1)) {
        below = divide_up(below, HT_SNAP_FAN);
        layout.level_size[layout.level_count++] = below;
    }
    size_t at = sizeof(struct ht_snap_head);
    for (uint32_t level = layout.level_count; level-- > 0;) {
        layout.level_offset[level] = at;
        at += (size_t)layout.level_size[level] * sizeof(struct ht_snap_node);
    }
    layout.leaf_offset = at;
    at += (size_t)layout.leaf_count * sizeof(struct ht_snap_leaf);
    layout.ref_offset = at;
    layout.size = round_up(at + (size_t)entry_count * sizeof(struct ht_snap_ref));
    return layout;
}

void ht_snap__attach(struct ht_snap_index *index, const struct ht_snap_layout *layout,
                     const void *data)
{
    const char *bytes = data;
    index->data = data;
    index->size = layout->size;
    index->head = data;
    for (uint32_t level = 0; level < layout->level_count; level++) {
        index->level[level] = (const void *)(bytes + layout->level_offset[level]);
        index->level_size[level] = layout->level_size[level];
    }
    index->leaves = (const void *)(bytes + layout->leaf_offset);
    index->refs = (const void *)(bytes + layout->ref_offset);
}

/* --- entries --------------------------------------------------------------------------------- */

struct builder {
    const struct ht_network *network;
    const struct ht_graph *graph;
    struct ht_pool *pool;
    uint32_t entry_count;
    uint32_t *chunk_first;      /* first entry of each chunk of arcs */
    struct ht_snap_ref *found;  /* in the order of arcs */
    struct ht_snap_item *items; /* their middles, to be put in order */
    char *blob;
    struct ht_snap_layout layout;
    struct ht_box *boxes[HT_SNAP_LEVELS + 1]; /* exact; [0] of leaves, [k + 1] of level k */
    struct ht_snap_frame *frames;             /* of the level being quantized */
    struct ht_snap_frame *frames_below;
    uint32_t level;
};

static void run(struct builder *b, size_t pieces, void (*work)(void *, size_t, size_t))
{
    if (b->pool != NULL) {
        ht_pool_run(b->pool, pieces, work, b);
        return;
    }
    for (size_t i = 0; i < pieces; i++) {
        work(b, i, 0);
    }
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

/* Number of entries that this arc stands for: none when its opposite stands for both. */
static uint32_t entries_of(const struct ht_graph *graph, uint32_t arc)
{
    const struct ht_arc *a = &graph->arcs[arc];
    if (!ht_arc_is_forward(a) && ht_snap__opposite(graph, arc) != HT_NONE) {
        return 0;
    }
    return a->segments;
}

static enum ht_status count_entries(struct builder *b)
{
    const struct ht_graph *graph = b->graph;
    uint32_t chunks = divide_up(graph->base_arc_count, HT_SNAP_CHUNK);
    b->chunk_first = ht_array_new(chunks, sizeof *b->chunk_first);
    if (b->chunk_first == NULL) {
        return HT_NOMEM;
    }
    uint64_t sum = 0;
    for (uint32_t arc = 0; arc < graph->base_arc_count; arc++) {
        if (arc % HT_SNAP_CHUNK == 0) {
            b->chunk_first[arc / HT_SNAP_CHUNK] = (uint32_t)sum;
        }
        uint32_t entries = entries_of(graph, arc);
        sum += entries;
        if (entries > HT_SNAP_SEGMENT_MAX || sum > UINT32_MAX) {
            return HT_TOO_BIG;
        }
    }
    b->entry_count = (uint32_t)sum;
    return HT_OK;
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

static void list_entries(void *user, size_t piece, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    uint32_t entry = b->chunk_first[piece];
    uint32_t begin = (uint32_t)piece * HT_SNAP_CHUNK;
    uint32_t end = b->graph->base_arc_count - begin < HT_SNAP_CHUNK ? b->graph->base_arc_count
                                                                    : begin + HT_SNAP_CHUNK;
    for (uint32_t arc = begin; arc < end; arc++) {
        const struct ht_arc *a = &b->graph->arcs[arc];
        uint32_t count = entries_of(b->graph, arc);
        if (count == 0) {
            continue;
        }
        uint32_t packed = ht_snap__pack(b->graph, arc);
        const uint32_t *node = b->network->way_node + ht_arc_low(a);
        struct ht_point u = b->network->node_point[node[0]];
        for (uint32_t i = 0; i < count; i++, entry++) {
            struct ht_point v = b->network->node_point[node[i + 1]];
            b->found[entry] = (struct ht_snap_ref){
                .arc = arc,
                .packed = packed | i * HT_SNAP_SEGMENT,
            };
            b->items[entry] = (struct ht_snap_item){
                .middle = {(int32_t)(((int64_t)u.lon_e7 + v.lon_e7) / 2),
                           (int32_t)(((int64_t)u.lat_e7 + v.lat_e7) / 2)},
                .entry = entry,
            };
            u = v;
        }
    }
}

/* --- boxes and quantization ------------------------------------------------------------------ */

static void ends_of(const struct builder *b, const struct ht_snap_ref *ref,
                    struct ht_point *restrict u, struct ht_point *restrict v)
{
    const struct ht_arc *a = &b->graph->arcs[ref->arc];
    const uint32_t *node = b->network->way_node + ht_arc_low(a) + ref->packed / HT_SNAP_SEGMENT;
    *u = b->network->node_point[node[0]];
    *v = b->network->node_point[node[1]];
}

static struct ht_snap_ref *refs_of(const struct builder *b)
{
    return (struct ht_snap_ref *)(void *)(b->blob + b->layout.ref_offset);
}

/* Puts the refs of a chunk of leaves into their order and measures the leaves. */
static void place_leaves(void *user, size_t piece, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    struct ht_snap_ref *refs = refs_of(b);
    uint32_t begin = (uint32_t)piece * HT_SNAP_CHUNK;
    for (uint32_t leaf = begin; leaf < b->layout.leaf_count && leaf - begin < HT_SNAP_CHUNK;
         leaf++) {
        struct ht_box box = ht_box_empty();
        uint64_t first = (uint64_t)leaf * HT_SNAP_FAN;
        for (uint64_t i = first; i < b->entry_count && i < first + HT_SNAP_FAN; i++) {
            struct ht_point u;
            struct ht_point v;
            refs[i] = b->found[b->items[i].entry];
            ends_of(b, &refs[i], &u, &v);
            box = ht_box_grow(ht_box_grow(box, u), v);
        }
        b->boxes[0][leaf] = box;
    }
}

/* Number of children of node `node` of `level`. */
static uint32_t child_count(const struct builder *b, uint32_t level, uint32_t node)
{
    uint32_t below = level == 0 ? b->layout.leaf_count : b->layout.level_size[level - 1];
    uint32_t rest = below - node * HT_SNAP_FAN;
    return rest < HT_SNAP_FAN ? rest : HT_SNAP_FAN;
}

static void measure_levels(struct builder *b)
{
    for (uint32_t level = 0; level < b->layout.level_count; level++) {
        for (uint32_t node = 0; node < b->layout.level_size[level]; node++) {
            struct ht_box box = ht_box_empty();
            for (uint32_t k = 0; k < child_count(b, level, node); k++) {
                const struct ht_box *child = &b->boxes[level][node * HT_SNAP_FAN + k];
                box = ht_box_grow(ht_box_grow(box, child->min), child->max);
            }
            b->boxes[level + 1][node] = box;
        }
    }
}

static uint16_t quantize(int64_t value, int64_t origin, uint32_t shift, int64_t round)
{
    int64_t steps = (value - origin + round) >> shift;
    return (uint16_t)(steps > 65535 ? 65535 : steps);
}

static void quantize_leaf(const struct builder *b, uint32_t number, struct ht_snap_frame frame)
{
    struct ht_snap_leaf *leaf =
        (struct ht_snap_leaf *)(void *)(b->blob + b->layout.leaf_offset) + number;
    const struct ht_snap_ref *refs = refs_of(b);
    uint64_t first = (uint64_t)number * HT_SNAP_FAN;
    int64_t half = ((int64_t)1 << frame.shift) / 2;
    for (uint32_t i = 0; i < HT_SNAP_FAN && first + i < b->entry_count; i++) {
        struct ht_point u;
        struct ht_point v;
        ends_of(b, &refs[first + i], &u, &v);
        leaf->from_x[i] = quantize(u.lon_e7, frame.x, frame.shift, half);
        leaf->from_y[i] = quantize(u.lat_e7, frame.y, frame.shift, half);
        leaf->to_x[i] = quantize(v.lon_e7, frame.x, frame.shift, half);
        leaf->to_y[i] = quantize(v.lat_e7, frame.y, frame.shift, half);
    }
}

/* Writes a chunk of nodes of the level, and derives the frames of their children, or their leaves.
 */
static void quantize_nodes(void *user, size_t piece, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    struct ht_snap_node *nodes =
        (struct ht_snap_node *)(void *)(b->blob + b->layout.level_offset[b->level]);
    uint32_t begin = (uint32_t)piece * (HT_SNAP_CHUNK / HT_SNAP_FAN);
    for (uint32_t n = begin;
         n < b->layout.level_size[b->level] && n - begin < HT_SNAP_CHUNK / HT_SNAP_FAN; n++) {
        struct ht_snap_frame frame = b->frames[n];
        int64_t up = ((int64_t)1 << frame.shift) - 1;
        for (uint32_t k = 0; k < child_count(b, b->level, n); k++) {
            const struct ht_box *box = &b->boxes[b->level][n * HT_SNAP_FAN + k];
            nodes[n].min_x[k] = quantize(box->min.lon_e7, frame.x, frame.shift, 0);
            nodes[n].min_y[k] = quantize(box->min.lat_e7, frame.y, frame.shift, 0);
            nodes[n].max_x[k] = quantize(box->max.lon_e7, frame.x, frame.shift, up);
            nodes[n].max_y[k] = quantize(box->max.lat_e7, frame.y, frame.shift, up);
            struct ht_snap_frame child = ht_snap_frame_child(&nodes[n], frame, k);
            if (b->level == 0) {
                quantize_leaf(b, n * HT_SNAP_FAN + k, child);
            } else {
                b->frames_below[n * HT_SNAP_FAN + k] = child;
            }
        }
    }
}

static enum ht_status quantize_levels(struct builder *b)
{
    const struct ht_snap_layout *layout = &b->layout;
    b->frames = ht_array_new(1, sizeof *b->frames);
    if (b->frames == NULL) {
        return HT_NOMEM;
    }
    b->frames[0] = ht_snap_frame_root((const struct ht_snap_head *)(const void *)b->blob);
    for (b->level = layout->level_count; b->level-- > 0;) {
        if (b->level > 0) {
            b->frames_below = ht_array_new(layout->level_size[b->level - 1], sizeof *b->frames);
            if (b->frames_below == NULL) {
                return HT_NOMEM;
            }
        }
        run(b, divide_up(layout->level_size[b->level], HT_SNAP_CHUNK / HT_SNAP_FAN),
            quantize_nodes);
        free(b->frames);
        b->frames = b->frames_below;
        b->frames_below = NULL;
    }
    return HT_OK;
}

/* --- the whole ------------------------------------------------------------------------------- */

static enum ht_status builder_alloc(struct builder *b)
{
    b->found = ht_array_new(b->entry_count, sizeof *b->found);
    b->items = ht_array_new(b->entry_count, sizeof *b->items);
    b->layout = ht_snap__layout(b->entry_count);
    b->blob = aligned_alloc(64, b->layout.size);
    for (uint32_t level = 0; level <= b->layout.level_count; level++) {
        uint32_t count = level == 0 ? b->layout.leaf_count : b->layout.level_size[level - 1];
        b->boxes[level] = ht_array_new(count, sizeof *b->boxes[level]);
        if (b->boxes[level] == NULL) {
            return HT_NOMEM;
        }
    }
    return b->found == NULL || b->items == NULL || b->blob == NULL ? HT_NOMEM : HT_OK;
}

static void builder_deinit(struct builder *b)
{
    free(b->chunk_first);
    free(b->found);
    free(b->items);
    free(b->blob);
    free(b->frames);
    free(b->frames_below);
    for (uint32_t level = 0; level <= HT_SNAP_LEVELS; level++) {
        free(b->boxes[level]);
    }
}

static enum ht_status builder_run(struct builder *b)
{
    enum ht_status status = count_entries(b);
    if (status == HT_OK) {
        status = builder_alloc(b);
    }
    if (status != HT_OK) {
        return status;
    }
    memset(b->blob, 0, b->layout.size);
    run(b, divide_up(b->graph->base_arc_count, HT_SNAP_CHUNK), list_entries);
    ht_snap__order(b->items, b->entry_count, b->pool);
    run(b, divide_up(b->layout.leaf_count, HT_SNAP_CHUNK), place_leaves);
    measure_levels(b);
    struct ht_snap_head *head = (void *)b->blob;
    memcpy(head->magic, HT_SNAP_MAGIC, sizeof head->magic);
    head->version = HT_SNAP_VERSION;
    head->entry_count = b->entry_count;
    head->leaf_count = b->layout.leaf_count;
    head->level_count = b->layout.level_count;
    head->base_arc_count = b->graph->base_arc_count;
    if (b->entry_count == 0) {
        return HT_OK;
    }
    head->box = b->boxes[b->layout.level_count][0];
    return quantize_levels(b);
}

static struct ht_snap_index *index_new(const struct ht_network *network,
                                       const struct ht_graph *graph)
{
    struct ht_snap_index *index = calloc(1, sizeof *index);
    if (index != NULL) {
        index->network = network;
        index->graph = graph;
        index->kernels = ht_snap__kernels(0);
    }
    return index;
}

enum ht_status ht_snap_build(const struct ht_network *network, const struct ht_graph *graph,
                             struct ht_pool *pool, struct ht_snap_index **out)
{
    struct builder b = {.network = network, .graph = graph, .pool = pool};
    *out = NULL;
    enum ht_status status = builder_run(&b);
    struct ht_snap_index *index = status == HT_OK ? index_new(network, graph) : NULL;
    if (status == HT_OK && index == NULL) {
        status = HT_NOMEM;
    }
    if (status == HT_OK) {
        index->owned = b.blob;
        ht_snap__attach(index, &b.layout, b.blob);
        b.blob = NULL;
        *out = index;
    }
    builder_deinit(&b);
    return status;
}

void ht_snap_data(const struct ht_snap_index *index, const void **data, size_t *size)
{
    *data = index->data;
    *size = index->size;
}

/* Boxes that are not inside out keep all frames within a few times the globe, and refs within the
 * graph are all that a query follows; it clamps the segment by the arc that it reads. */
enum ht_status ht_snap_check(const struct ht_snap_index *index)
{
    const struct ht_snap_head *head = index->head;
    if (head->entry_count > 0 && (head->box.min.lon_e7 > head->box.max.lon_e7 ||
                                  head->box.min.lat_e7 > head->box.max.lat_e7)) {
        return HT_RANGE;
    }
    unsigned wrong = 0;
    for (uint32_t level = 0; level < head->level_count; level++) {
        uint32_t below = level == 0 ? head->leaf_count : index->level_size[level - 1];
        for (uint32_t child = 0; child < below; child++) {
            const struct ht_snap_node *node = &index->level[level][child / HT_SNAP_FAN];
            uint32_t k = child % HT_SNAP_FAN;
            wrong |= node->min_x[k] > node->max_x[k] || node->min_y[k] > node->max_y[k];
        }
    }
    for (uint32_t i = 0; i < head->entry_count; i++) {
        wrong |= index->refs[i].arc >= head->base_arc_count ||
                 (index->refs[i].packed & (HT_SNAP_ALONG | HT_SNAP_AGAINST)) == 0;
    }
    return wrong == 0 ? HT_OK : HT_RANGE;
}

enum ht_status ht_snap_view(const struct ht_network *network, const struct ht_graph *graph,
                            const void *data, size_t size, struct ht_snap_index **out)
{
    *out = NULL;
    const struct ht_snap_head *head = data;
    if ((uintptr_t)data % 64 != 0) {
        return HT_INVALID;
    }
    if (size < sizeof *head) {
        return HT_TRUNCATED;
    }
    if (memcmp(head->magic, HT_SNAP_MAGIC, sizeof head->magic) != 0) {
        return HT_FOREIGN;
    }
    if (head->version != HT_SNAP_VERSION) {
        return HT_VERSION;
    }
    struct ht_snap_layout layout = ht_snap__layout(head->entry_count);
    if (layout.size != size) {
        return HT_TRUNCATED;
    }
    if (head->leaf_count != layout.leaf_count || head->level_count != layout.level_count ||
        head->base_arc_count != graph->base_arc_count) {
        return HT_RANGE;
    }
    struct ht_snap_index *index = index_new(network, graph);
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
    return HT_OK;
}

void ht_snap_index_free(struct ht_snap_index *index)
{
    if (index != NULL) {
        free(index->owned);
        free(index);
    }
}
