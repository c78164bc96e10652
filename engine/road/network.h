/* The network: the streets of a region, shared by all profiles, and for each profile the directed
 * graph that its queries run on.
 *
 * Everything is flat arrays that are borrowed from whoever made them (the mapped .hnet file or the
 * importer's heap) and never change. Threading: read-only, any number of readers.
 *
 *   ways    one OSM way each: names and tags; its nodes lie in way_node[first_node ..)
 *   nodes   place and OSM id of every node of a routable way
 *   graph   per profile: junctions, arcs between them, allowed turns
 *
 * An arc is one direction of one street piece between two junctions; it never spans two ways. Its
 * shape is way_node[from .. to], walked upwards when from < to and downwards otherwise.
 * An arc that was copied to carry a via-way restriction has another as its base (ht_arc_base);
 * copies follow all base arcs (ids >= base_arc_count) and have the same shape and cost as it.
 * Base arcs are sorted by tail, so those leaving junction j are
 * [junction_first_out[j], junction_first_out[j + 1]).
 */
#ifndef HT_ENGINE_ROAD_NETWORK_H
#define HT_ENGINE_ROAD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/road/key.h"

/* Highway classes, most important first; the order is part of the file format. */
enum ht_road_class {
    HT_ROAD_MOTORWAY,
    HT_ROAD_TRUNK,
    HT_ROAD_PRIMARY,
    HT_ROAD_SECONDARY,
    HT_ROAD_TERTIARY,
    HT_ROAD_UNCLASSIFIED,
    HT_ROAD_RESIDENTIAL,
    HT_ROAD_LIVING_STREET,
    HT_ROAD_SERVICE,
    HT_ROAD_TRACK,
    HT_ROAD_PEDESTRIAN,
    HT_ROAD_CYCLEWAY,
    HT_ROAD_PATH, /* path, footway, bridleway, corridor */
    HT_ROAD_STEPS,
    HT_ROAD_FERRY,
    HT_ROAD_OTHER,
};

enum ht_way_flag {
    HT_WAY_LINK = 1 << 0,       /* *_link: a ramp */
    HT_WAY_ROUNDABOUT = 1 << 1, /* junction=roundabout */
    HT_WAY_CIRCULAR = 1 << 2,   /* junction=circular */
    HT_WAY_TUNNEL = 1 << 3,
    HT_WAY_BRIDGE = 1 << 4,
    HT_WAY_LEFT_HAND = 1 << 5, /* traffic drives on the left here */
};

/* Text fields are offsets into `strings` (UTF-8, NUL-terminated); 0 is the empty text. */
struct ht_way {
    int64_t osm_id;
    uint32_t first_node; /* index into way_node; the next way's is the end */
    uint32_t name;
    uint32_t name_zh;
    uint32_t name_en;
    uint32_t ref;
    uint32_t pronunciation;
    uint32_t destinations;  /* destination, destination:ref and such, as OSRM writes them */
    uint32_t exits;         /* junction:ref */
    uint32_t lanes_forward; /* turn:lanes of each direction as tagged, "left|through;right" */
    uint32_t lanes_backward;
    uint8_t road_class; /* enum ht_road_class */
    uint8_t flags;      /* enum ht_way_flag */
    uint8_t lane_count; /* lanes of the way, 0 unknown */
    uint8_t reserved;
};

enum ht_mode {
    HT_MODE_NONE, /* not accessible; never in a graph */
    HT_MODE_DRIVING,
    HT_MODE_CYCLING,
    HT_MODE_WALKING,
    HT_MODE_FERRY,
    HT_MODE_TRAIN,
    HT_MODE_PUSHING, /* "pushing bike" */
};

enum ht_arc_flag {
    HT_ARC_FORWARD = 1 << 0,    /* in the direction of the way's nodes */
    HT_ARC_RESTRICTED = 1 << 1, /* destination or private: only to begin or end */
    HT_ARC_NO_START = 1 << 2,   /* trips can't begin or end here (ferries, some compounds) */
    HT_ARC_SMALL = 1 << 3,      /* outside every large strongly connected component */
    HT_ARC_STUB = 1 << 4,       /* its head is a dead end for this profile */
    /* classes, in OSRM's names */
    HT_ARC_TOLL = 1 << 5,
    HT_ARC_MOTORWAY = 1 << 6,
    HT_ARC_IS_FERRY = 1 << 7,
    HT_ARC_IS_TUNNEL = 1 << 8,
};
#define HT_ARC_FLAGS 0x1FFU /* all of them */

#define HT_ARC_CLASS_SHIFT 5 /* where the four classes begin */
#define HT_ARC_CLASSES (15U << HT_ARC_CLASS_SHIFT)
#define HT_ARC_SEGMENTS 0xFFFU /* the most of one arc: longer pieces are cut by a junction */

struct ht_arc {
    uint32_t tail; /* junctions */
    uint32_t head;
    uint32_t way;
    uint32_t from;      /* index into way_node of its first point; ht_arc_to is the last */
    uint32_t weight_ms; /* of the whole arc, without turns */
    uint32_t duration_ms;
    uint32_t length_mm;     /* the sum of ht_distance_mm over its segments */
    uint32_t reverse;       /* the opposite base arc on the same piece, or HT_NONE */
    uint32_t segments : 12; /* 1 to HT_ARC_SEGMENTS, along the way or (not FORWARD) against it */
    uint32_t component : 8; /* for ht_arc_component, which knows larger numbers, too */
    uint32_t flags : 9;     /* enum ht_arc_flag */
    uint32_t mode : 3;      /* enum ht_mode */
};
static_assert(sizeof(struct ht_arc) == 36, "part of the file format");

/* What `component` says of those that it has no room for: they are listed. */
#define HT_COMPONENT_LISTED ((UINT32_C(1) << 8) - 1)

struct ht_arc_component {
    uint32_t arc;
    uint32_t component;
};

/* An allowed turn; costs are paid between the two arcs. */
struct ht_turn {
    uint32_t to; /* arc */
    uint32_t weight_ms;
    uint32_t duration_ms;
};

/* Turns in the least room, as files hold them: four bytes that say which of the arcs out of the
 * junction it leads to and which of the profile's few prices it costs. What doesn't fit (turns into
 * copies, crowded junctions, the last of too many prices) is listed. */
#define HT_TURN_EXIT_BITS 8
#define HT_TURN_LISTED ((UINT32_C(1) << HT_TURN_EXIT_BITS) - 1) /* in place of the exit */
#define HT_TURN_PRICES (UINT32_C(1) << (32 - HT_TURN_EXIT_BITS))

struct ht_turn_price {
    uint32_t weight_ms;
    uint32_t duration_ms;
};

struct ht_turn_listed {
    uint32_t turn; /* its number */
    struct ht_turn is;
};

/* A turn that is forbidden while a schedule holds (restriction:conditional). */
struct ht_turn_condition {
    uint32_t turn;     /* index into turns */
    uint32_t schedule; /* text of the condition, "Mo-Fr 07:00-09:00": offset into strings */
};

/* What a mapper says that a driver is told (OSM's relations of type maneuver): on a way over these
 * base arcs, at this junction. */
enum { HT_MANEUVER_ARCS = 8 };
enum ht_maneuver_kind {
    HT_MANEUVER_AS_IT_IS,
    HT_MANEUVER_TURN,
    HT_MANEUVER_CONTINUE,
    HT_MANEUVER_FORK,
    HT_MANEUVER_SUPPRESS,
    HT_MANEUVER_KINDS
};
struct ht_maneuver {
    uint32_t arcs[HT_MANEUVER_ARCS]; /* the first `count`; then zeros */
    uint32_t junction;
    uint8_t count;    /* 2 to HT_MANEUVER_ARCS */
    uint8_t kind;     /* enum ht_maneuver_kind */
    uint8_t modifier; /* enum ht_step_modifier (road/guide.h); its NONE: as it is */
    uint8_t reserved;
};
static_assert(sizeof(struct ht_maneuver) == 40, "part of the file format");

/* What is not as the file says at the moment: pieces of arcs that are slower, faster or closed. An
 * arc that is listed has all its pieces listed, in the order in which they are driven, and its
 * `weight_ms` and `duration_ms` are their sum, HT_WEIGHT_INF where one of them is closed. Copies
 * have the pieces of their base. */
struct ht_live_piece {
    uint32_t segment_end; /* the piece ends before this segment of the arc */
    uint32_t end_mm;      /* counted from the tail */
    uint32_t weight_ms;   /* also of what is closed: to leave it */
    uint32_t duration_ms;
    uint32_t closed; /* not 0: no way begins, leads over it or ends here */
};

struct ht_live_arc {
    uint32_t arc; /* a base arc */
    uint32_t piece_first;
    uint32_t piece_end;
};

struct ht_live_arcs {
    uint32_t arc_count;
    const struct ht_live_arc *arcs; /* sorted */
    const struct ht_live_piece *pieces;
    const uint8_t *turn_closed; /* [turn_count] not 0: forbidden now; NULL: none is */
    bool metric_behind; /* the metric has these turns open: ways that it finds are looked at */
    const uint64_t *closed_above; /* of a metric behind, from ht_closed_above; NULL: every vertex */
    /* Those of them that zones shut, as they would be without: for whoever has a permit. Their
     * pieces lie among the others. */
    uint32_t unshut_count;
    const struct ht_live_arc *unshut; /* sorted */
};

struct ht_graph {
    const char *profile;
    uint32_t junction_count;
    uint32_t arc_count;
    uint32_t base_arc_count;
    uint32_t turn_count;
    uint32_t condition_count;
    uint32_t copy_base_count;
    uint32_t listed_count;
    uint32_t turn_listed_count;
    uint32_t maneuver_count;
    uint32_t class_mask;    /* enum ht_arc_flag classes that `exclude` accepts */
    bool continue_straight; /* the profile's default at waypoints */
    bool left_hand;
    bool emergency;                     /* zones that are closed let it pass */
    const uint32_t *junction_node;      /* [junction_count] node of each junction */
    const uint32_t *junction_first_out; /* [junction_count + 1] */
    /* The base arcs by their head, at least those without a `reverse` (a file has only these): the
     * others are the `reverse` of those that lead out. */
    const uint32_t *junction_first_in; /* [junction_count + 1] */
    const uint32_t *junction_in;
    const struct ht_arc *arcs;    /* [arc_count] */
    const uint32_t *turn_first;   /* [arc_count + 1] turns out of each arc */
    const struct ht_turn *turns;  /* [turn_count] sorted by `to` within an arc; NULL: they are
                                     packed,        see ht_turn_at */
    const uint32_t *packed_turns; /* [turn_count] price << 8 | exit */
    const struct ht_turn_price *turn_prices;    /* what price numbers mean */
    const struct ht_turn_listed *turns_listed;  /* [turn_listed_count] by turn */
    const struct ht_turn_condition *conditions; /* [condition_count] sorted by turn */
    /* Copies of a base arc, for targets: copies of base arc a are
     * listed as copy_list[copy_first[k] ..) where copy_base[k] == a (sorted). */
    const uint32_t *copy_base;  /* [copy_base_count] */
    const uint32_t *copy_first; /* [copy_base_count + 1] */
    const uint32_t *copy_list;
    const uint32_t *copy_of; /* [arc_count - base_arc_count] the base arc of each copy */
    const struct ht_arc_component *listed; /* [listed_count] by arc */
    const struct ht_maneuver *maneuvers;   /* [maneuver_count] by their first arc */
    const struct ht_live_arcs *live;       /* NULL: everything is as the file says */
};

struct ht_network {
    struct ht_box box;
    uint32_t node_count;
    uint32_t way_count;
    uint32_t way_node_count;
    size_t strings_size;
    const struct ht_point *node_point; /* [node_count] */
    const int64_t *node_osm_id;        /* [node_count] */
    const struct ht_way *ways;         /* [way_count + 1], the last holds the end of way_node */
    const uint32_t *way_node;          /* [way_node_count] nodes */
    const char *strings;
    uint32_t graph_count;
    const struct ht_graph *const *graphs; /* [graph_count] */
};

/* The graph of a profile by name, its index in `*index` (may be NULL); NULL: there is none. */
const struct ht_graph *ht_network_graph(const struct ht_network *network, const char *profile,
                                        uint32_t *index);

/* Number of points of an arc's shape (at least 2). */
static inline uint32_t ht_arc_point_count(const struct ht_arc *arc)
{
    return arc->segments + 1U;
}

/* Whether it is driven as the way's nodes follow each other. */
static inline bool ht_arc_is_forward(const struct ht_arc *arc)
{
    return (arc->flags & HT_ARC_FORWARD) != 0;
}

/* The index into way_node of its last point, and of the lower of both ends. */
static inline uint32_t ht_arc_to(const struct ht_arc *arc)
{
    return ht_arc_is_forward(arc) ? arc->from + arc->segments : arc->from - arc->segments;
}

static inline uint32_t ht_arc_low(const struct ht_arc *arc)
{
    return ht_arc_is_forward(arc) ? arc->from : arc->from - arc->segments;
}

/* The node at position `i` of an arc's shape, counted from its tail. */
static inline uint32_t ht_arc_node(const struct ht_network *network, const struct ht_arc *arc,
                                   uint32_t i)
{
    return network->way_node[ht_arc_is_forward(arc) ? arc->from + i : arc->from - i];
}

static inline struct ht_point ht_arc_point(const struct ht_network *network,
                                           const struct ht_arc *arc, uint32_t i)
{
    return network->node_point[ht_arc_node(network, arc, i)];
}

/* The arc that `arc` is a copy of, or itself. */
static inline uint32_t ht_arc_base(const struct ht_graph *graph, uint32_t arc)
{
    return arc < graph->base_arc_count ? arc : graph->copy_of[arc - graph->base_arc_count];
}

/* The strongly connected component of an arc; they are numbered by falling size. */
uint32_t ht_arc_component(const struct ht_graph *graph, uint32_t arc);

/* The copies of base arc `arc`: their number, `*list` where there are any. */
uint32_t ht_graph_copies(const struct ht_graph *graph, uint32_t arc, const uint32_t **list);

/* The arc that turn number `turn` leads out of. Logarithmic; stays within the arrays whatever they
 * hold. */
uint32_t ht_graph_turn_from(const struct ht_graph *graph, uint32_t turn);

/* The number of the turn from one arc to another; HT_NONE: forbidden. Logarithmic in the arc's
 * turns. */
uint32_t ht_graph_turn(const struct ht_graph *graph, uint32_t from, uint32_t to);
/* What it costs; nothing where it is forbidden. */
struct ht_turn ht_graph_turn_between(const struct ht_graph *graph, uint32_t from, uint32_t to);

/* A packed turn that is listed. */
struct ht_turn ht_turn_listed(const struct ht_graph *graph, uint32_t turn);

/* The arc that turn number `turn`, one of those out of arc `from`, leads to. */
static inline uint32_t ht_turn_to(const struct ht_graph *graph, uint32_t from, uint32_t turn)
{
    if (graph->turns != NULL) {
        return graph->turns[turn].to;
    }
    uint32_t exit = graph->packed_turns[turn] & HT_TURN_LISTED;
    if (exit == HT_TURN_LISTED) {
        return ht_turn_listed(graph, turn).to;
    }
    uint32_t to = graph->junction_first_out[graph->arcs[from].head] + exit;
    return to < graph->arc_count ? to : 0; /* past the end only in a forged file */
}

/* The same with what it costs. */
static inline struct ht_turn ht_turn_at(const struct ht_graph *graph, uint32_t from, uint32_t turn)
{
    if (graph->turns != NULL) {
        return graph->turns[turn];
    }
    uint32_t packed = graph->packed_turns[turn];
    if ((packed & HT_TURN_LISTED) == HT_TURN_LISTED) {
        return ht_turn_listed(graph, turn);
    }
    struct ht_turn_price price = graph->turn_prices[packed >> HT_TURN_EXIT_BITS];
    return (struct ht_turn){ht_turn_to(graph, from, turn), price.weight_ms, price.duration_ms};
}

/* Asks memory for it. */
static inline void ht_turn_call(const struct ht_graph *graph, uint32_t turn)
{
    __builtin_prefetch(graph->turns != NULL ? (const void *)&graph->turns[turn]
                                            : (const void *)&graph->packed_turns[turn]);
}

/* A trip's share of an arc's weight or duration for `part_mm` of its `length_mm`: by length,
 * rounded half up. An arc without length counts whole when part_mm is its length. */
static inline uint32_t ht_share(uint32_t value, uint32_t part_mm, uint32_t length_mm)
{
    if (part_mm >= length_mm) {
        return value;
    }
    return (uint32_t)(((uint64_t)value * part_mm * 2 + length_mm) / ((uint64_t)length_mm * 2));
}

/* The live pieces of a base arc or a copy, NULL where it is as the file says. */
const struct ht_live_arc *ht_live_arc(const struct ht_graph *graph, uint32_t arc);
/* A base arc in a sorted list; NULL: it is not there. */
const struct ht_live_arc *ht_live_arc_in(const struct ht_live_arc *list, uint32_t count,
                                         uint32_t arc);

/* What is paid from one place of an arc to another that is not before it, turns not counted.
 * weight_ms is HT_WEIGHT_INF where something between them is closed. */
struct ht_cost ht_arc_cost(const struct ht_graph *graph, uint32_t arc, uint32_t from_mm,
                           uint32_t to_mm);

/* What somebody pays who stands there and drives to the arc's end: out of a closed piece, not into
 * one. */
struct ht_cost ht_arc_leave(const struct ht_graph *graph, uint32_t arc, uint32_t from_mm);

/* From the arc's tail so far, closed or not: for the parts of a way that is known. */
struct ht_cost ht_arc_passed(const struct ht_graph *graph, uint32_t arc, uint32_t to_mm);

#endif
