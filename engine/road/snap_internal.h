/* The snap index from inside: the layout of its blob, the kernels, what build, search and tests
 * share.
 *
 *   head    ht_snap_head
 *   levels  ht_snap_node, the root's level first, down to level 0, whose children are leaves
 *   leaves  ht_snap_leaf
 *   refs    ht_snap_ref, one for each segment, in the order of the leaves
 *
 * All are packed full: child k of node n at level L is node 16 n + k of level L - 1, and only the
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
#define HT_SNAP_VERSION 2
#define HT_SNAP_MAGIC "htsnap\r\n"

struct ht_snap_head {
    char magic[8];
    uint32_t version;
    uint32_t entry_count;
    uint32_t leaf_count;
    uint32_t level_count;
    uint32_t base_arc_count;
    uint32_t reserved;
    struct ht_box box;
    uint8_t padding[16];
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
    HT_SNAP_CLASS = 1 << 6,    /* four classes along, four against */
    HT_SNAP_SEGMENT = 1 << 14, /* where the number of the segment begins */
};
#define HT_SNAP_SEGMENT_MAX 0x3ffffu

struct ht_snap_ref {
    uint32_t arc;    /* along the way where that is open, else against */
    uint32_t packed; /* ht_snap_bit, and above them the segment along the way */
};

struct ht_snap_kernels;

struct ht_snap_index {
    const struct ht_network *network;
    const struct ht_graph *graph;
    const void *data;
    size_t size;
    void *owned; /* the blob, when this index was built and not viewed */
    const struct ht_snap_head *head;
    const struct ht_snap_node *level[HT_SNAP_LEVELS];
    uint32_t level_size[HT_SNAP_LEVELS];
    const struct ht_snap_leaf *leaves;
    const struct ht_snap_ref *refs;
    const struct ht_snap_kernels *kernels;
};

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
    /* The nearest of the children in `left` (bits) within reach; HT_SNAP_FAN: there is none. */
    uint32_t (*nearest)(const float square[HT_SNAP_FAN], uint32_t left, float reach);
};

/* The best of this machine; variant > 0: the next weaker ones, NULL past the last (for tests). */
const struct ht_snap_kernels *ht_snap__kernels(unsigned variant);

/* The square below which a child of such a node may still be within `limit` (squared metres): the
 * roundings of the kernels are below 1/50 of a step and 1e-6 of the distance, that of a coarse
 * leaf's ends below one step. */
float ht_snap__reach(double limit, const struct ht_snap_eye *eye, float steps);

/* Sizes and offsets of the blob of so many entries. */
struct ht_snap_layout {
    uint32_t leaf_count;
    uint32_t level_count;
    uint32_t level_size[HT_SNAP_LEVELS]; /* nodes, level 0 is the lowest */
    size_t level_offset[HT_SNAP_LEVELS];
    size_t leaf_offset;
    size_t ref_offset;
    size_t size;
};
struct ht_snap_layout ht_snap__layout(uint32_t entry_count);

/* Points the index' arrays into `data`. */
void ht_snap__attach(struct ht_snap_index *index, const struct ht_snap_layout *layout,
                     const void *data);

/* The piece behind an entry: both sides, the segment's ends. */
struct ht_snap_segment ht_snap__segment(const struct ht_snap_index *index,
                                        const struct ht_snap_ref *ref);

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

/* An entry that was found; `arc` and `segment` (along the way) break ties. */
struct ht_snap_hit {
    double square_m2;
    double ratio;
    uint32_t ref;
    uint32_t arc;
    uint32_t segment;
    unsigned sides;
    bool small; /* as in struct ht_place */
    struct ht_point ends[2];
};

/* Everything a place says, from where it was found. */
void ht_snap__place(const struct ht_snap_index *index, struct ht_point input,
                    const struct ht_snap_ref *ref, const struct ht_snap_hit *hit,
                    struct ht_place *out);

/* Asks memory for what ht_snap__place will read, in two rounds: what the first brought tells the
 * second where the rest is. */
void ht_snap__place_call(const struct ht_snap_index *index, const struct ht_snap_hit *hit,
                         int round);

/* The arc of the same piece in the other direction, or HT_NONE; what an entry says of its sides. */
uint32_t ht_snap__opposite(const struct ht_graph *graph, uint32_t arc);
uint32_t ht_snap__pack(const struct ht_graph *graph, uint32_t arc);

#endif
