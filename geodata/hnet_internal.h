/* The layout of the network file, shared by reader, checker and writer. Not a door: include hnet.h.
 */
#ifndef HT_GEODATA_HNET_INTERNAL_H
#define HT_GEODATA_HNET_INTERNAL_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "geodata/hnet.h"
#include "geodata/hnet_hash.h"

#define HT__HNET_MAGIC "\x89HNET\r\n\x1a"
#define HT__HNET_ENDIAN UINT32_C(0x01020304)

enum {
    HT__HNET_VERSION = 5, /* grows with every change of a section or of a struct in it */
    HT__HNET_ALIGN = 64,
    HT__HNET_PROFILES = 64,
    HT__HNET_CHUNK = 1 << 19, /* checksums are taken by chunks of about so many bytes */
};

/* X(name, bytes of an item): shared sections, then those of a profile. */
#define HT__HNET_SHARED(X)                                                                         \
    X(network, sizeof(struct ht__hnet_network))                                                    \
    X(node_point, sizeof(struct ht_point))                                                         \
    X(node_osm_id, sizeof(int64_t))                                                                \
    X(way, sizeof(struct ht_way))                                                                  \
    X(way_node, sizeof(uint32_t))                                                                  \
    X(strings, 1)                                                                                  \
    X(street, 1)                                                                                   \
    X(info, 1)

#define HT__HNET_OWN(X)                                                                            \
    X(graph, sizeof(struct ht__hnet_graph))                                                        \
    X(junction_node, sizeof(uint32_t))                                                             \
    X(first_out, sizeof(uint32_t))                                                                 \
    X(first_in, sizeof(uint32_t))                                                                  \
    X(junction_in, sizeof(uint32_t))                                                               \
    X(arc, sizeof(struct ht_arc))                                                                  \
    X(turn_first, sizeof(uint32_t))                                                                \
    X(turn, sizeof(uint32_t))                                                                      \
    X(turn_price, sizeof(struct ht_turn_price))                                                    \
    X(turn_listed, sizeof(struct ht_turn_listed))                                                  \
    X(condition, sizeof(struct ht_turn_condition))                                                 \
    X(copy_base, sizeof(uint32_t))                                                                 \
    X(copy_first, sizeof(uint32_t))                                                                \
    X(copy_list, sizeof(uint32_t))                                                                 \
    X(copy_of, sizeof(uint32_t))                                                                   \
    X(component, sizeof(struct ht_arc_component))                                                  \
    X(cch, sizeof(struct ht__hnet_cch))                                                            \
    X(rank, sizeof(uint32_t))                                                                      \
    X(rank_arc, sizeof(uint32_t))                                                                  \
    X(climb, sizeof(struct ht_climb))                                                              \
    X(far_parent, sizeof(struct ht_far_parent))                                                    \
    X(out_depth, sizeof(uint16_t))                                                                 \
    X(in_depth, sizeof(uint16_t))                                                                  \
    X(out_time, sizeof(uint64_t))                                                                  \
    X(in_time, sizeof(uint64_t))                                                                   \
    X(out_brief, sizeof(uint32_t))                                                                 \
    X(in_brief, sizeof(uint32_t))                                                                  \
    X(out_wide, sizeof(uint64_t))                                                                  \
    X(in_wide, sizeof(uint64_t))                                                                   \
    X(out_length, sizeof(uint32_t))                                                                \
    X(in_length, sizeof(uint32_t))                                                                 \
    X(out_step, sizeof(uint16_t))                                                                  \
    X(in_step, sizeof(uint16_t))                                                                   \
    X(out_far, sizeof(struct ht_far_via))                                                          \
    X(in_far, sizeof(struct ht_far_via))                                                           \
    X(parent, sizeof(uint32_t))                                                                    \
    X(depth, sizeof(uint16_t))                                                                     \
    X(out_up_first, sizeof(uint32_t))                                                              \
    X(out_up, sizeof(uint32_t))                                                                    \
    X(out_up_depth, sizeof(uint16_t))                                                              \
    X(out_down_first, sizeof(uint32_t))                                                            \
    X(out_down, sizeof(uint32_t))                                                                  \
    X(in_up_first, sizeof(uint32_t))                                                               \
    X(in_up, sizeof(uint32_t))                                                                     \
    X(in_up_depth, sizeof(uint16_t))                                                               \
    X(in_down_first, sizeof(uint32_t))                                                             \
    X(in_down, sizeof(uint32_t))                                                                   \
    X(turn_edge, sizeof(uint32_t))                                                                 \
    X(snap, 1)                                                                                     \
    X(maneuver, sizeof(struct ht_maneuver)) /* only where there are any */

enum ht__hnet_kind {
#define HT__HNET_ENUM(name, item) HT__SECTION_##name,
    HT__HNET_SHARED(HT__HNET_ENUM) HT__HNET_OWN(HT__HNET_ENUM)
#undef HT__HNET_ENUM
        HT__SECTION_COUNT
};
#define HT__SECTION_FIRST_OWN HT__SECTION_graph

struct ht__hnet_header {
    char magic[8];
    uint32_t endian;
    uint32_t version;
    uint64_t file_size;
    uint64_t table_offset;
    uint32_t section_count;
    uint32_t profile_count;
    uint64_t table_checksum;
    uint64_t reserved;
    uint64_t header_checksum; /* of all before */
};
static_assert(sizeof(struct ht__hnet_header) == 64, "the header is one line");

struct ht__hnet_section {
    char name[16];    /* NUL-padded */
    uint32_t profile; /* HT_NONE: shared */
    uint32_t item;    /* bytes */
    uint64_t offset;
    uint64_t size;
    uint64_t checksum;
    uint64_t reserved[2];
};
static_assert(sizeof(struct ht__hnet_section) == 64, "an entry is one line");

/* The counts that the sections must agree with. */
struct ht__hnet_network {
    struct ht_box box;
    uint32_t node_count;
    uint32_t way_count;
    uint32_t way_node_count;
    uint32_t strings_size;
};

struct ht__hnet_graph {
    char name[64];
    uint32_t junction_count;
    uint32_t arc_count;
    uint32_t base_arc_count;
    uint32_t turn_count;
    uint32_t condition_count;
    uint32_t class_mask;
    uint32_t copy_base_count;
    uint32_t copy_list_count;
    uint32_t listed_count;
    uint32_t turn_price_count;
    uint32_t turn_listed_count;
    uint32_t in_count; /* of junction_in */
    uint8_t continue_straight;
    uint8_t left_hand;
    uint8_t emergency;
    uint8_t reserved;
};

struct ht__hnet_cch {
    uint32_t vertex_count;
    uint32_t depth_max;
    uint32_t edge_count[2];   /* out, in: of the hierarchy */
    uint32_t metric_count[2]; /* of the metric */
    uint32_t brief_count[2];  /* of its edges with brief times: all or none */
    uint32_t wide_count[2];
    uint32_t far_count[2];
    uint32_t far_parent_count;
    uint32_t reserved;
};

extern const char *const ht__hnet_names[HT__SECTION_COUNT];
extern const uint32_t ht__hnet_items[HT__SECTION_COUNT];

/* Turns as the file holds them (hnet_turns.c). Whoever packs them frees them. */
struct ht__hnet_turns {
    uint32_t *packed; /* [turn_count] */
    struct ht_turn_price *prices;
    struct ht_turn_listed *listed;
    uint32_t price_count;
    uint32_t listed_count;
};
/* `prices`: how many may have numbers, at most HT_TURN_PRICES. HT_NOMEM: nothing to be freed. */
HT_MUST_CHECK enum ht_status ht__hnet_turns_pack(const struct ht_graph *graph, uint32_t prices,
                                                 struct ht__hnet_turns *out);
void ht__hnet_turns_free(struct ht__hnet_turns *turns);

/* Bytes of a chunk: whole items. */
static inline size_t ht__hnet_chunk(uint32_t item)
{
    return (size_t)HT__HNET_CHUNK / item * item;
}

/* The checksum of a section: over the checksums of its chunks. `hashes`: [chunks]. */
uint64_t ht__hnet_combine(const uint64_t *hashes, size_t chunks);

/* A profile as it is read. */
struct ht__hnet_profile {
    struct ht__hnet_graph meta; /* a copy: it outlives a file that is cut */
    const struct ht__hnet_section *sections[HT__SECTION_COUNT];
    struct ht_network network;
    struct ht_graph graph;
    const struct ht_graph *graphs[1];
    struct ht_cch cch;
    struct ht_metric metric;
    struct ht_snap_index *snap;
    bool proven;      /* this process checked what queries need, */
    bool rest_proven; /* and the rest */
};

/* What a check works on. */
struct ht__hnet_check {
    int fd; /* of the file */
    const struct ht__hnet_profile *profile;
    bool shared; /* the shared sections, too */
    bool late;   /* instead: the sections that only customization reads */
};

/* Checksums and indices of a profile's sections; `pool` may be NULL. HT_CHECKSUM, HT_RANGE
 * (`*section` names where), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__hnet_check(const struct ht__hnet_check *check,
                                            struct ht_pool *pool, const char **section);

/* Whether the file was checked as it stands (hnet_stamp.c). */
bool ht__hnet_stamped(int fd, const struct ht__hnet_header *header);
/* Says so, where the file is as it was `before` the check. */
void ht__hnet_stamp(int fd, const struct stat *before, const struct ht__hnet_header *header);

#endif
