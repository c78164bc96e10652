/* What the parts of the network build share. Not a door: include network_build.h.
 *
 *   network_build_texts.c     interning of texts and rules
 *   network_build_read.c      the two passes over the input
 *   network_build.c           from what was read to the network
 *   network_build_relations.c turn restrictions as tagged
 *   network_build_graph.c     junctions, pieces, arcs
 *   network_build_restrict.c  turn restrictions to sequences of arcs
 *   network_build_states.c    sequences to states: which arcs are copied, what each state forbids
 *   network_build_street.c    carriageways that belong together
 *   network_build_turns.c     angles, turns, costs
 *   network_build_scc.c       components
 */
#ifndef HT_GEODATA_NETWORK_BUILD_INTERNAL_H
#define HT_GEODATA_NETWORK_BUILD_INTERNAL_H

#include <pthread.h>

#include "geodata/network_build.h"

/* Distinct texts, by number in order of arrival; number 0 is the empty text at offset 0. */
struct ht__texts {
    char *data;
    size_t size;
    size_t capacity;
    uint32_t *offset;
    size_t count;
    size_t offset_capacity;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
};

HT_MUST_CHECK enum ht_status ht__texts_init(struct ht__texts *texts);
void ht__texts_deinit(struct ht__texts *texts);
HT_MUST_CHECK enum ht_status ht__texts_add(struct ht__texts *texts, const char *text,
                                           uint32_t *number);

/* Distinct way rules. */
struct ht__rules {
    struct ht_way_rule *list;
    size_t count;
    size_t capacity;
    uint32_t *slots;
    size_t slot_count;
};

void ht__rules_deinit(struct ht__rules *rules);
HT_MUST_CHECK enum ht_status ht__rules_add(struct ht__rules *rules, const struct ht_way_rule *rule,
                                           uint32_t *number);

/* Ascending; `spare` has room for `count`. Radix, linear. */
void ht__sort_u64(uint64_t *keys, uint64_t *spare, size_t count);

enum ht__role { HT__ROLE_OTHER, HT__ROLE_FROM, HT__ROLE_VIA, HT__ROLE_TO };

struct ht__member {
    int64_t ref;
    uint8_t role; /* enum ht__role */
    uint8_t type; /* enum ht_osm_type */
};

/* A turn restriction as it stands in the file: texts are offsets into the build's strings. */
struct ht__relation {
    int64_t id;
    uint64_t order;
    size_t first_member;
    uint32_t member_count;
    uint32_t tag_count; /* those whose key is "except" or begins with "restriction"; of a maneuver:
                           "maneuver" and "direction" */
    size_t first_tag;
    uint32_t worker;
    bool maneuver; /* says what drivers are told, restricts nothing */
};

/* In a worker's list: numbers in its texts. In the build's: offsets into strings, and a conditional
 * value "A @ (B); C @ D" stands as two tags, A with schedule B and C with schedule D. */
struct ht__tag {
    uint32_t key;
    uint32_t value;
    uint32_t schedule; /* HT_NONE: always */
};

struct ht__raw_way {
    struct ht_way way; /* text fields are numbers in the worker's texts */
    uint64_t order;    /* in the input: file, block, place */
    size_t first_ref;
    uint32_t ref_count;
    bool has_points;
};

struct ht__obstacle {
    uint64_t order;
    uint32_t node;
    uint32_t profile;
    struct ht_node_rule rule;
};

/* What one worker gathers. */
struct ht__worker {
    struct ht__texts texts;
    struct ht__rules *rules; /* [profile_count] */
    struct ht__raw_way *ways;
    size_t way_count;
    size_t way_capacity;
    uint32_t *way_rule; /* [way_count * profile_count] */
    size_t way_rule_capacity;
    int64_t *refs;
    size_t ref_count;
    size_t ref_capacity;
    struct ht_point *points; /* as refs, only where ways have them */
    size_t point_capacity;
    struct ht__relation *relations;
    size_t relation_count;
    size_t relation_capacity;
    struct ht__member *members;
    size_t member_count;
    size_t member_capacity;
    struct ht__tag *tags;
    size_t tag_count;
    size_t tag_capacity;
    struct ht__obstacle *obstacles;
    size_t obstacle_count;
    size_t obstacle_capacity;
    struct ht_build_counts counts;
};

enum { HT__STRIPES = 256 };

struct ht_network_build {
    struct ht_profile *const *profiles;
    size_t profile_count;
    struct ht_pool *pool;
    struct ht_build_counts counts;

    /* while reading */
    struct ht__worker *workers; /* [threads] */
    size_t worker_count;
    uint64_t file;        /* number of the input being read, shifted for `order` */
    uint64_t *node_order; /* [node_count] of the node whose place is kept; UINT64_MAX: none yet */
    pthread_mutex_t stripes[HT__STRIPES];
    void (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    uint64_t progress_base;
    uint64_t progress_scale; /* bytes of all inputs, twice */

    /* afterwards */
    struct ht_network network;
    struct ht__texts strings;
    struct ht_point *node_point;
    int64_t *node_osm_id;
    uint32_t node_count;
    struct ht_way *ways;
    uint32_t *way_node;
    uint32_t *segment_mm;    /* [way_node_count] to the next node of the same way */
    uint32_t *way_rule;      /* [profile * way_count + way] number of the rule; HT_NONE: closed */
    struct ht__rules *rules; /* [profile_count] */
    struct ht__obstacle *obstacles; /* sorted by profile, node */
    size_t obstacle_count;
    struct ht__relation *relations; /* sorted by id */
    size_t relation_count;
    struct ht__member *members;
    struct ht__tag *tags;
    size_t tag_count;
    size_t tag_capacity;
};

/* relations */
HT_MUST_CHECK enum ht_status ht__build_relations(struct ht_network_build *build);
/* Turns the number of a worker's text into an offset into the build's strings. */
HT_MUST_CHECK enum ht_status ht__build_text(struct ht_network_build *build,
                                            const struct ht__worker *worker, uint32_t *number);

/* read */
HT_MUST_CHECK enum ht_status ht__build_pass(struct ht_network_build *build,
                                            const struct ht_build_input *inputs, size_t count,
                                            bool nodes, struct ht_error *error);
/* Position in node_osm_id, or HT_NONE; `*hint` is where the last one was found. */
uint32_t ht__build_node(const struct ht_network_build *build, int64_t osm_id, uint32_t *hint);

/* The way of an OSM id, or HT_NONE. */
uint32_t ht__build_way(const struct ht_network_build *build, int64_t osm_id);

struct ht_graph_owned {
    struct ht_graph view;
    uint32_t *junction_node;
    uint32_t *junction_first_out;
    uint32_t *junction_first_in;
    uint32_t *junction_in;
    struct ht_arc *arcs;
    uint32_t *turn_first;
    struct ht_turn *turns;
    struct ht_turn_condition *conditions;
    uint32_t *copy_base;
    uint32_t *copy_first;
    uint32_t *copy_list;
    uint32_t *copy_of;
    struct ht_arc_component *listed;
    struct ht_maneuver *maneuvers;
};

/* A part of a way between two junctions. Its end 0 is at `from`, its end 1 at `to`. */
struct ht__piece {
    uint32_t way;
    uint32_t from; /* indices into way_node, from < to */
    uint32_t to;
    uint32_t junction[2];
    uint32_t arc[2]; /* forward (from end 0 to end 1), backward; HT_NONE: closed */
    bool open[2];
};

/* What stands at a junction. */
enum ht__place_flag {
    HT__PLACE_BARRIER = 1 << 0,
    HT__PLACE_TURNING = 1 << 1,    /* turning circle: u-turns are welcome */
    HT__PLACE_ROUNDABOUT = 1 << 2, /* a roundabout passes */
};

/* A sequence of base arcs whose last step is forbidden (or, for `only`, forced): arc[0 .. count).
 */
struct ht__pattern {
    size_t first; /* into pattern_arcs */
    uint32_t count;
    uint32_t schedule; /* offset into strings; HT_NONE: always */
    bool only;
};

/* A state: the longest part of a pattern that was just driven. Depth 1 is a base arc without
 * memory. */
struct ht__state {
    uint32_t arc;
    uint32_t parent;
    uint32_t fail; /* state of the longest proper suffix; HT_NONE: nothing is known of it */
    uint32_t depth;
    uint32_t first_child; /* chain over next_sibling */
    uint32_t next_sibling;
    uint32_t first_ban; /* chain over bans */
    uint32_t copy;      /* arc id of the copy; HT_NONE: none (depth 1, or never reached) */
};

struct ht__ban {
    uint32_t next;
    uint32_t arc;      /* base arc that must not (only: must) follow */
    uint32_t schedule; /* HT_NONE: always */
    bool only;
};

struct ht__graph_build {
    const struct ht_network_build *build;
    const struct ht_profile *profile;
    size_t profile_index;
    const uint32_t *way_rule; /* [way_count] of this profile */
    const struct ht_way_rule *rules;
    const struct ht__obstacle *obstacles; /* of this profile, by node */
    size_t obstacle_count;
    struct ht_graph_owned *graph;
    struct ht_graph_counts *counts;

    uint32_t junction_count;
    uint32_t *junction_of; /* [node_count]; HT_NONE: no junction */
    uint8_t *place;        /* [junction_count] enum ht__place_flag */
    uint32_t *wait;        /* [junction_count] index into obstacles; HT_NONE */
    struct ht__piece *pieces;
    uint32_t piece_count;
    uint32_t *way_first_piece; /* [way_count + 1] */
    uint32_t *end_first;       /* [junction_count + 1] piece ends at each junction */
    uint32_t *ends;            /* piece * 2 + end */
    uint32_t *arc_piece;       /* [base_arc_count] */
    float *bearing;            /* [piece * 2 + end] looking from the junction along the piece */
    float *first_bearing;      /* the same by its first metres */

    struct ht__pattern *patterns;
    size_t pattern_count;
    size_t pattern_capacity;
    uint32_t *pattern_arcs;
    size_t pattern_arc_count;
    size_t pattern_arc_capacity;

    struct ht__state *states;
    size_t state_count;
    size_t state_capacity;
    struct ht__ban *bans;
    size_t ban_count;
    size_t ban_capacity;
    uint32_t *arc_state;  /* [base_arc_count] state of depth 1, or HT_NONE */
    uint32_t *copy_state; /* [copies] state of each copy */
    size_t copy_count;
    size_t copy_capacity;
};

/* graph */
HT_MUST_CHECK enum ht_status ht__graph_arcs(struct ht__graph_build *g);
/* The piece end that an arc leaves from, and the one it arrives by: piece * 2 + end. */
static inline uint32_t ht__arc_end(const struct ht__graph_build *g, uint32_t arc, bool at_head)
{
    bool forward = (g->graph->arcs[arc].flags & HT_ARC_FORWARD) != 0;
    return g->arc_piece[arc] * 2 + (forward == at_head ? 1U : 0U);
}
/* The rule of an arc's direction. */
static inline const struct ht_way_side *ht__arc_side(const struct ht__graph_build *g, uint32_t arc)
{
    const struct ht_arc *a = &g->graph->arcs[arc];
    return &g->rules[g->way_rule[a->way]].side[(a->flags & HT_ARC_FORWARD) != 0 ? 0 : 1];
}

/* repeat: closes pieces that repeat one of their way, and those beyond what can meet at a junction
 */
HT_MUST_CHECK enum ht_status ht__graph_thin(struct ht__graph_build *g);

/* restrict */
HT_MUST_CHECK enum ht_status ht__graph_restrictions(struct ht__graph_build *g);
/* What relations say that drivers are told, by base arcs. */
HT_MUST_CHECK enum ht_status ht__graph_maneuvers(struct ht__graph_build *g);

/* states */
HT_MUST_CHECK enum ht_status ht__states_build(struct ht__graph_build *g);
/* Is the step from `state` (HT_NONE: a base arc that no pattern begins with) to base arc `arc`
 * banned at all times. */
bool ht__state_bans(const struct ht__graph_build *g, uint32_t state, uint32_t arc);
/* The state after that step; HT_NONE: the base arc. */
uint32_t ht__state_next(const struct ht__graph_build *g, uint32_t state, uint32_t arc);

/* street */
/* Are two one-way piece ends at a junction (looking from it) the carriageways of one street. */
bool ht__street_goes_on(const struct ht__graph_build *g, uint32_t coming, uint32_t going);

/* turns */
HT_MUST_CHECK enum ht_status ht__graph_bearings(struct ht__graph_build *g);
/* May one turn from base arc `from` in `state` to base arc `to`, which leaves its head. */
bool ht__turn_allowed(const struct ht__graph_build *g, uint32_t from, uint32_t state, uint32_t to);
/* Arcs' turns, conditions and the lists of copies; appends the copies to the arcs. */
HT_MUST_CHECK enum ht_status ht__graph_turns(struct ht__graph_build *g);

/* scc: numbers the components; those from number `listed_from` on go to the list. */
HT_MUST_CHECK enum ht_status ht__graph_components(struct ht_graph_owned *graph,
                                                  struct ht_graph_counts *counts,
                                                  uint32_t listed_from);

#endif
