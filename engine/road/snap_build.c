/* Building the tree of the snap index: packing, quantization; wrapping its blob from a file. */
#include "engine/base/array.h"
#include "engine/road/snap_internal.h"
#include "engine/road/snap_order.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct ht_snap_head) == 64, "part of the file format");
static_assert(sizeof(struct ht_snap_node) == 128, "two cache lines");
static_assert(sizeof(struct ht_snap_leaf) == 128, "two cache lines");

#define HT_SNAP_CHUNK 16384 /* numbers of way_node, or leaves, for one piece of parallel work */

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
    layout.from_offset = at;
    layout.size = round_up(at + (size_t)entry_count * sizeof(uint32_t));
    return layout;
}

void ht_snap__attach_tree(struct ht_snap_tree *tree, const struct ht_snap_layout *layout,
                          const void *data)
{
    const char *bytes = data;
    tree->data = data;
    tree->size = layout->size;
    tree->head = data;
    for (uint32_t level = 0; level < layout->level_count; level++) {
        tree->level[level] = (const void *)(bytes + layout->level_offset[level]);
        tree->level_size[level] = layout->level_size[level];
    }
    tree->leaves = (const void *)(bytes + layout->leaf_offset);
    tree->from = (const void *)(bytes + layout->from_offset);
}

/* --- entries --------------------------------------------------------------------------------- */

struct builder {
    const struct ht_network *network;
    struct ht_pool *pool;
    uint64_t *marks; /* bit i: a segment begins at number i of way_node */
    uint32_t entry_count;
    uint32_t *chunk_first;      /* first entry of each chunk of marks */
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

static void mark(struct builder *b, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        b->marks[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static enum ht_status count_entries(struct builder *b)
{
    uint32_t words = b->network->way_node_count / 64 + 1;
    b->chunk_first = ht_array_new(divide_up(words, HT_SNAP_CHUNK / 64), sizeof *b->chunk_first);
    if (b->chunk_first == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t word = 0; word < words; word++) {
        if (word % (HT_SNAP_CHUNK / 64) == 0) {
            b->chunk_first[word / (HT_SNAP_CHUNK / 64)] = b->entry_count;
        }
        b->entry_count += (uint32_t)__builtin_popcountll(b->marks[word]);
    }
    return HT_OK;
}

static struct ht_point point_of(const struct builder *b, uint32_t i)
{
    return b->network->node_point[b->network->way_node[i]];
}

static void list_entries(void *user, size_t piece, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    uint32_t entry = b->chunk_first[piece];
    uint32_t words = b->network->way_node_count / 64 + 1;
    uint32_t begin = (uint32_t)piece * (HT_SNAP_CHUNK / 64);
    for (uint32_t word = begin; word < words && word - begin < HT_SNAP_CHUNK / 64; word++) {
        for (uint64_t left = b->marks[word]; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);
            struct ht_point u = point_of(b, i);
            struct ht_point v = point_of(b, i + 1);
            b->items[entry++] = (struct ht_snap_item){
                .middle = {(int32_t)(((int64_t)u.lon_e7 + v.lon_e7) / 2),
                           (int32_t)(((int64_t)u.lat_e7 + v.lat_e7) / 2)},
                .entry = i,
            };
        }
    }
}

/* --- boxes and quantization ------------------------------------------------------------------ */

static uint32_t *from_of(const struct builder *b)
{
    return (uint32_t *)(void *)(b->blob + b->layout.from_offset);
}

/* Puts the entries of a chunk of leaves into their order and measures the leaves. */
static void place_leaves(void *user, size_t piece, size_t worker)
{
    struct builder *b = user;
    (void)worker;
    uint32_t *from = from_of(b);
    uint32_t begin = (uint32_t)piece * HT_SNAP_CHUNK;
    for (uint32_t leaf = begin; leaf < b->layout.leaf_count && leaf - begin < HT_SNAP_CHUNK;
         leaf++) {
        struct ht_box box = ht_box_empty();
        uint64_t first = (uint64_t)leaf * HT_SNAP_FAN;
        for (uint64_t i = first; i < b->entry_count && i < first + HT_SNAP_FAN; i++) {
            from[i] = b->items[i].entry;
            box = ht_box_grow(ht_box_grow(box, point_of(b, from[i])), point_of(b, from[i] + 1));
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
    const uint32_t *from = from_of(b);
    uint64_t first = (uint64_t)number * HT_SNAP_FAN;
    int64_t half = ((int64_t)1 << frame.shift) / 2;
    for (uint32_t i = 0; i < HT_SNAP_FAN && first + i < b->entry_count; i++) {
        struct ht_point u = point_of(b, from[first + i]);
        struct ht_point v = point_of(b, from[first + i] + 1);
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
    return b->items == NULL || b->blob == NULL ? HT_NOMEM : HT_OK;
}

static void builder_deinit(struct builder *b)
{
    free(b->chunk_first);
    free(b->marks);
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
    run(b, divide_up(b->network->way_node_count / 64 + 1, HT_SNAP_CHUNK / 64), list_entries);
    ht_snap__order(b->items, b->entry_count, b->pool);
    run(b, divide_up(b->layout.leaf_count, HT_SNAP_CHUNK), place_leaves);
    measure_levels(b);
    struct ht_snap_head *head = (void *)b->blob;
    memcpy(head->magic, HT_SNAP_MAGIC, sizeof head->magic);
    head->version = HT_SNAP_VERSION;
    head->entry_count = b->entry_count;
    head->leaf_count = b->layout.leaf_count;
    head->level_count = b->layout.level_count;
    head->way_node_count = b->network->way_node_count;
    if (b->entry_count == 0) {
        return HT_OK;
    }
    head->box = b->boxes[b->layout.level_count][0];
    return quantize_levels(b);
}

static struct ht_snap_tree *tree_new(const struct ht_network *network)
{
    struct ht_snap_tree *tree = calloc(1, sizeof *tree);
    if (tree != NULL) {
        tree->network = network;
    }
    return tree;
}

/* Of the segments that are marked. */
static enum ht_status tree_make(struct builder *b, struct ht_snap_tree **out)
{
    enum ht_status status = builder_run(b);
    struct ht_snap_tree *tree = status == HT_OK ? tree_new(b->network) : NULL;
    if (status == HT_OK && tree == NULL) {
        status = HT_NOMEM;
    }
    if (status == HT_OK) {
        tree->owned = b->blob;
        ht_snap__attach_tree(tree, &b->layout, b->blob);
        b->blob = NULL;
        *out = tree;
    }
    return status;
}

static bool marks_init(struct builder *b)
{
    b->marks = ht_array_new_zeroed(b->network->way_node_count / 64 + (size_t)1, sizeof *b->marks);
    return b->marks != NULL;
}

enum ht_status ht_snap_tree_build(const struct ht_network *network, struct ht_pool *pool,
                                  struct ht_snap_tree **out)
{
    struct builder b = {.network = network, .pool = pool};
    *out = NULL;
    enum ht_status status = marks_init(&b) ? HT_OK : HT_NOMEM;
    for (uint32_t way = 0; way < network->way_count && status == HT_OK; way++) {
        mark(&b, network->ways[way].first_node, network->ways[way + 1].first_node - 1);
    }
    status = status == HT_OK ? tree_make(&b, out) : status;
    builder_deinit(&b);
    return status;
}

enum ht_status ht_snap__tree_of(const struct ht_network *network, const struct ht_graph *graph,
                                struct ht_pool *pool, struct ht_snap_tree **out)
{
    struct builder b = {.network = network, .pool = pool};
    *out = NULL;
    enum ht_status status = marks_init(&b) ? HT_OK : HT_NOMEM;
    for (uint32_t arc = 0; arc < graph->base_arc_count && status == HT_OK; arc++) {
        uint32_t low = ht_arc_low(&graph->arcs[arc]);
        mark(&b, low, low + graph->arcs[arc].segments);
    }
    status = status == HT_OK ? tree_make(&b, out) : status;
    builder_deinit(&b);
    return status;
}

void ht_snap_tree_free(struct ht_snap_tree *tree)
{
    if (tree != NULL) {
        free(tree->owned);
        free(tree);
    }
}

void ht_snap_tree_data(const struct ht_snap_tree *tree, const void **data, size_t *size)
{
    *data = tree->data;
    *size = tree->size;
}

/* Boxes that are not inside out keep all frames within a few times the globe, and segments within
 * way_node are all that a query follows. */
enum ht_status ht_snap_tree_check(const struct ht_snap_tree *tree)
{
    const struct ht_snap_head *head = tree->head;
    if (head->entry_count > 0 && (head->box.min.lon_e7 > head->box.max.lon_e7 ||
                                  head->box.min.lat_e7 > head->box.max.lat_e7)) {
        return HT_RANGE;
    }
    unsigned wrong = 0;
    for (uint32_t level = 0; level < head->level_count; level++) {
        uint32_t below = level == 0 ? head->leaf_count : tree->level_size[level - 1];
        for (uint32_t child = 0; child < below; child++) {
            const struct ht_snap_node *node = &tree->level[level][child / HT_SNAP_FAN];
            uint32_t k = child % HT_SNAP_FAN;
            wrong |= node->min_x[k] > node->max_x[k] || node->min_y[k] > node->max_y[k];
        }
    }
    for (uint32_t i = 0; i < head->entry_count; i++) {
        wrong |= tree->from[i] >= head->way_node_count - 1;
    }
    return wrong == 0 ? HT_OK : HT_RANGE;
}

enum ht_status ht_snap_tree_view(const struct ht_network *network, const void *data, size_t size,
                                 struct ht_snap_tree **out)
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
        head->way_node_count != network->way_node_count ||
        (head->entry_count > 0 && head->way_node_count < 2)) {
        return HT_RANGE;
    }
    struct ht_snap_tree *tree = tree_new(network);
    if (tree == NULL) {
        return HT_NOMEM;
    }
    ht_snap__attach_tree(tree, &layout, data);
    *out = tree;
    return HT_OK;
}
