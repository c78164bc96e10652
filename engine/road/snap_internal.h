/* The snap index from inside: the layout of its blob, the kernels, what build, search and tests
 * share.
 *
 * The tree, which knows no profile and is the same for all:
 *
 *   head    ht_snap_head
 *   levels  ht_snap_node, the root's level first, down to level 0, whose children are leaves
 *   leaves  ht_snap_leaf
 *   from    one number for each segment, in the order of the leaves: where in way_node it begins
 *
 * What a profile adds:
 *
 *   head    ht_snap_own
 *   packs   the combinations of ht_snap_bit that there are
 *   sides   which of them each lane of each leaf has; 0: no street of this profile
 *   blocks  ht_snap_block, where in way_node its pieces of street begin
 *   arcs    of each piece, along the way where that is open, else against
 *
 * So the search reads what is near in the tree and `sides`, and only for a segment that is taken
 * follows from -> block -> arc.
 *
 * Nodes are packed full: child k of node n at level L is node 16 n + k of level L - 1, and only the
 * last node of a level may be short. No node stores where it lies: the frame (origin and step) of a
 * child follows from its box in the parent, so that 16 boxes take two cache lines and nothing else.
 *
 * Threading: all of this is read-only after build.
 */
#ifndef HT_ENGINE_ROAD_SNAP_INTERNAL_H
#define HT_ENGINE_ROAD_SNAP_INTERNAL_H

#include "engine/road/snap.h"

#define HT_SNAP_FAN 16
#define HT_SNAP_LEVELS 8 /* 16^8 leaves are more than 32 bits count */
#define HT_SNAP_VERSION 3
#define HT_SNAP_MAGIC "htsnap\r\n"
#define HT_SNAP_OWN_MAGIC "htside\r\n"

struct ht_snap_head {
    char magic[8];
    uint32_t version;
    uint32_t entry_count;
    uint32_t leaf_count;
    uint32_t level_count;
    uint32_t way_node_count;
    uint32_t reserved;
    struct ht_box box;
    uint8_t padding[16];
};

struct ht_snap_own {
    char magic[8];
    uint32_t version;
    uint32_t entry_count; /* of the tree */
    uint32_t leaf_count;
    uint32_t piece_count;
    uint32_t base_arc_count;
    uint32_t way_node_count;
    uint8_t padding[32];
};

/* Of 64 numbers of way_node: which of them begin a piece of street of the profile. */
struct ht_snap_block {
    uint32_t before; /* pieces that begin before all of them */
    uint32_t bits[2];
};

/* Boxes of up to 16 children in steps of the node's frame, rounded outwards. */
struct ht_snap_node {
    uint16_t min_x[HT_SNAP_FAN];
    uint16_t min_y[HT_SNAP_FAN];
    uint16_t max_x[HT_SNAP_FAN];
    uint16_t max_y[HT_SNAP_FAN];
};

/* Ends of up to 16 segments, along the way; exact where the frame's step is 1. */
struct ht_snap_leaf {
    uint16_t from_x[HT_SNAP_FAN];
    uint16_t from_y[HT_SNAP_FAN];
    uint16_t to_x[HT_SNAP_FAN];
    uint16_t to_y[HT_SNAP_FAN];
};

enum ht_snap_bit {
    HT_SNAP_ALONG = 1 << 0,    /* the profile may go along the way */
    HT_SNAP_AGAINST = 1 << 1,  /* and against it */
    HT_SNAP_NO_START = 1 << 2, /* << 1 for against */
    HT_SNAP_SMALL = 1 << 4,    /* << 1 for against */
    HT_SNAP_CLASS = 1 << 6,    /* four classes along, four against: 14 bits in all */
};

/* What an entry of the index stands for. */
struct ht_snap_ref {
    uint32_t arc;    /* along the way where that is open, else against */
    uint32_t along;  /* number of the segment in its piece, along the way */
    uint32_t packed; /* ht_snap_bit */
};

/* Combinations have numbers from 1 on; what there is no number left for is asked of the arcs. */
enum { HT_SNAP_PACKS = 256, HT_SNAP_ASK = HT_SNAP_PACKS - 1 };

struct ht_snap_kernels;

struct ht_snap_tree {
    const struct ht_network *network;
    const void *data;
    size_t size;
    void *owned; /* the blob, when this tree was built and not viewed */
    const struct ht_snap_head *head;
    const struct ht_snap_node *level[HT_SNAP_LEVELS];
    uint32_t level_size[HT_SNAP_LEVELS];
    const struct ht_snap_leaf *leaves;
    const uint32_t *from;
};

struct ht_snap_index {
    struct ht_snap_tree tree;        /* a view of one; it owns nothing */
    struct ht_snap_tree *owned_tree; /* when it was built for this index alone */
    const struct ht_network *network;
    const struct ht_graph *graph;
    const void *data;
    size_t size;
    void *owned; /* the blob, when this index was built and not viewed */
    const struct ht_snap_own *own;
    const uint16_t *packs; /* [HT_SNAP_PACKS] */
    const uint8_t *sides;
    const struct ht_snap_block *blocks;
    const uint32_t *arcs;
    const struct ht_snap_kernels *kernels;
};

/* The piece of street that way_node number `from` lies in, by the profile's blocks; where none
 * begins before, HT_NONE. */
static inline uint32_t ht_snap_piece(const struct ht_snap_block *blocks, uint32_t from)
{
    const struct ht_snap_block *block = &blocks[from / 64];
    uint64_t bits = (uint64_t)block->bits[1] << 32 | block->bits[0];
    uint64_t up_to = bits << (63 - from % 64);
    return block->before + (uint32_t)__builtin_popcountll(up_to) - 1;
}

/* The arc of an entry that the profile has. */
static inline uint32_t ht_snap_arc(const struct ht_snap_index *index, uint32_t piece)
{
    return index->arcs[piece < index->own->piece_count ? piece : 0]; /* past it only if forged */
}

/* The arc of the same piece in the other direction, or HT_NONE; whether the arc stands for its
 * piece; what an entry says of its sides. */
uint32_t ht_snap__opposite(const struct ht_graph *graph, uint32_t arc);
bool ht_snap__leads(const struct ht_graph *graph, uint32_t arc);
uint32_t ht_snap__pack(const struct ht_graph *graph, uint32_t arc);

/* The ht_snap_bit of an entry that the profile has. */
static inline uint32_t ht_snap_packed(const struct ht_snap_index *index, uint32_t entry)
{
    uint32_t code = index->sides[entry];
    if (code != HT_SNAP_ASK) {
        return index->packs[code];
    }
    uint32_t piece = ht_snap_piece(index->blocks, index->tree.from[entry]);
    return ht_snap__pack(index->graph, ht_snap_arc(index, piece));
}

/* Where a node's 16-bit numbers lie: origin + number << shift, in 1e-7 degrees. */
struct ht_snap_frame {
    int64_t x;
    int64_t y;
    uint32_t shift;
};

/* The frame of what spans `width` and `height` from x, y: the finest in which 65,535 steps do. */
static inline struct ht_snap_frame ht_snap_frame_of(int64_t x, int64_t y, int64_t width,
                                                    int64_t height)
{
    uint64_t span = (uint64_t)(width > height ? width : height);
    uint32_t shift = span <= 65535 ? 0 : 48 - (uint32_t)__builtin_clzll(span);
    if (span > (uint64_t)65535 << shift) {
        shift++;
    }
    return (struct ht_snap_frame){.x = x, .y = y, .shift = shift};
}

/* The frame of a node's child. */
static inline struct ht_snap_frame ht_snap_frame_child(const struct ht_snap_node *node,
                                                       struct ht_snap_frame frame, uint32_t child)
{
    int64_t min_x = node->min_x[child];
    int64_t min_y = node->min_y[child];
    int64_t step = (int64_t)1 << frame.shift;
    return ht_snap_frame_of(frame.x + min_x * step, frame.y + min_y * step,
                            (node->max_x[child] - min_x) * step,
                            (node->max_y[child] - min_y) * step);
}

static inline struct ht_snap_frame ht_snap_frame_root(const struct ht_snap_head *head)
{
    return ht_snap_frame_of(head->box.min.lon_e7, head->box.min.lat_e7,
                            (int64_t)head->box.max.lon_e7 - head->box.min.lon_e7,
                            (int64_t)head->box.max.lat_e7 - head->box.min.lat_e7);
}

/* The input in a frame's steps, and what a step measures. */
struct ht_snap_eye {
    float x;
    float y;
    float step_x_m;
    float step_y_m;
};

/* Squared distances in m2 from the eye to all 16 boxes or (quantized) segments, in single
 * precision: what ht_snap__reach adds to a limit makes them safe to prune by. What lies past the
 * end of a short node is noise. */
struct ht_snap_kernels {
    const char *name;
    void (*boxes)(const struct ht_snap_node *node, const struct ht_snap_eye *eye,
                  float out[HT_SNAP_FAN]);
    void (*segments)(const struct ht_snap_leaf *leaf, const struct ht_snap_eye *eye,
                     float out[HT_SNAP_FAN]);
    /* The lanes of a leaf, as bits, that a profile has streets in. */
    uint32_t (*present)(const uint8_t sides[HT_SNAP_FAN]);
    /* The nearest of the children in `left` (bits) within reach; HT_SNAP_FAN: there is none. */
    uint32_t (*nearest)(const float square[HT_SNAP_FAN], uint32_t left, float reach);
};

/* The best of this machine; variant > 0: the next weaker ones, NULL past the last (for tests). */
const struct ht_snap_kernels *ht_snap__kernels(unsigned variant);

/* The square below which a child of such a node may still be within `limit` (squared metres): the
 * roundings of the kernels are below 1/50 of a step and 1e-6 of the distance, that of a coarse
 * leaf's ends below one step. */
float ht_snap__reach(double limit, const struct ht_snap_eye *eye, float steps);

/* Sizes and offsets of the tree's blob of so many entries. */
struct ht_snap_layout {
    uint32_t leaf_count;
    uint32_t level_count;
    uint32_t level_size[HT_SNAP_LEVELS]; /* nodes, level 0 is the lowest */
    size_t level_offset[HT_SNAP_LEVELS];
    size_t leaf_offset;
    size_t from_offset;
    size_t size;
};
struct ht_snap_layout ht_snap__layout(uint32_t entry_count);

/* Offsets of what a profile adds. */
struct ht_snap_own_layout {
    size_t pack_offset;
    size_t sides_offset;
    size_t block_offset;
    size_t arc_offset;
    size_t size;
};
struct ht_snap_own_layout ht_snap__own_layout(uint32_t leaf_count, uint32_t way_node_count,
                                              uint32_t piece_count);

/* Points the arrays into `data`. */
void ht_snap__attach_tree(struct ht_snap_tree *tree, const struct ht_snap_layout *layout,
                          const void *data);
void ht_snap__attach(struct ht_snap_index *index, const struct ht_snap_own_layout *layout,
                     const void *data);

/* The tree of the graph's streets alone. */
HT_MUST_CHECK enum ht_status ht_snap__tree_of(const struct ht_network *network,
                                              const struct ht_graph *graph, struct ht_pool *pool,
                                              struct ht_snap_tree **out);

/* An entry that the profile has. */
struct ht_snap_ref ht_snap__ref(const struct ht_snap_index *index, uint32_t entry);

/* The piece behind an entry: both sides, the segment's ends. */
struct ht_snap_segment ht_snap__segment(const struct ht_snap_index *index, uint32_t entry);

/* The nearest point of the segment u v to the input, in the plane of its scales. */
struct ht_snap_foot {
    double square_m2;
    double ratio; /* 0 at u, 1 at v */
};
struct ht_snap_foot ht_snap__foot(struct ht_scale scale, struct ht_point input, struct ht_point u,
                                  struct ht_point v);

/* Which of the entry's sides the options leave (bits 0 and 1). */
unsigned ht_snap__sides(const struct ht_snap_options *options, uint32_t packed);
/* The part that needs geometry: bearing and approach. */
unsigned ht_snap__sides_facing(const struct ht_snap_options *options, unsigned sides,
                               uint32_t packed, bool left_hand, struct ht_point input,
                               const struct ht_point ends[2]);

/* The sides on which the entry's segment is not closed at the moment. */
unsigned ht_snap__sides_open(const struct ht_graph *graph, const struct ht_snap_ref *ref);

/* Traffic keeps left on this arc. */
bool ht_snap__left_hand(const struct ht_snap_index *index, uint32_t arc);

/* An entry that was found; its arc, then `from`, break ties. */
struct ht_snap_hit {
    double square_m2;
    double ratio;
    uint32_t entry;
    uint32_t from;
    uint32_t piece; /* ht_snap_arc; looked up late, since memory takes its time */
    unsigned sides;
    bool small; /* as in struct ht_place */
    struct ht_point ends[2];
};

/* Everything a place says, from where it was found; of a hit, and of what is none of the tree (its
 * entry, from and piece are not looked at). */
void ht_snap__place(const struct ht_snap_index *index, struct ht_point input,
                    const struct ht_snap_hit *hit, struct ht_place *out);
void ht_snap__place_on(const struct ht_snap_index *index, struct ht_point input,
                       const struct ht_snap_ref *ref, const struct ht_snap_hit *hit,
                       struct ht_place *out);

/* Asks memory for what ht_snap__place will read, in three rounds: what the one brought tells the
 * next where the rest is. */
enum { HT_SNAP_CALLS = 3 };
void ht_snap__place_call(const struct ht_snap_index *index, const struct ht_snap_hit *hit,
                         int round);

#endif
