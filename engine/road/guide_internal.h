/* Guidance, inside: what its files share. Only guide*.c and their tests include this.
 *
 *   guide_names      is this still the same street?
 *   guide_road       classes, strands (arcs joined over nodes that are no junctions),
 * representative points guide_view       the roads around a junction, seen from one of them
 *   guide_merge      the two carriageways of one street count as one road
 *   guide_obvious    which way is plain
 *   guide_turn, guide_motorway, guide_round, guide_slip    what each turn is called
 *   guide_lanes, guide_lane_spans, guide_lane_none    which lanes serve it
 *   guide_raw        one raw step for each junction on the leg
 *   guide_scene, guide_collapse, guide_post    noise merged away, roundabouts counted
 *   guide_anticipate    lanes of turns in a row
 *
 * Angles are OSRM's: 0 is back where we came from, below 180 is to the right, 180 straight on,
 * above to the left. Roads of a view are sorted by angle; [0] is the one we came by.
 *
 * Threading and ownership: as guide.h. Everything here is a pure function over the leg's borrowed
 * data.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_INTERNAL_H
#define HT_ENGINE_ROAD_GUIDE_INTERNAL_H

#include <math.h>

#include "engine/road/guide.h"

/* Degrees (guidance constants of OSRM). */
#define HT__STRAIGHT 180.0
#define HT__NO_TURN_DEVIATION 3.0
#define HT__NARROW 40.0
#define HT__GROUP 60.0
#define HT__FUZZY 25.0
#define HT__DISTINCT 2.0
#define HT__LANE_WIDTH_M 3.25
#define HT__COLLAPSE_M 30.0

enum { HT__ROADS_MAX = 14, HT__FAR_POINTS = 96 };

enum ht__type {
    HT__INVALID, /* can't be entered */
    HT__NO_TURN,
    HT__SUPPRESSED,
    HT__NEW_NAME,
    HT__CONTINUE,
    HT__TURN,
    HT__MERGE,
    HT__ON_RAMP,
    HT__OFF_RAMP,
    HT__FORK,
    HT__END_OF_ROAD,
    HT__NOTIFICATION,
    HT__SLIPROAD,
    HT__STAY,
    /* Roundabouts: + enum ht__round. */
    HT__ENTER,
    HT__ENTER_AT_EXIT = HT__ENTER + 3, /* where another road leaves, which counts */
    HT__EXIT = HT__ENTER_AT_EXIT + 3,
    HT__ENTER_EXIT = HT__EXIT + 3, /* touches it */
    HT__TYPE_COUNT = HT__ENTER_EXIT + 3,
};

enum ht__round { HT__ROUNDABOUT, HT__ROTARY, HT__CROSSING, HT__ROUND_NONE };

struct ht__map {
    const struct ht_network *network;
    const struct ht_graph *graph;
};

struct ht__class {
    uint8_t priority; /* 0 motorway .. 31 */
    uint8_t lanes;
    bool motorway; /* motorway or trunk, link or not */
    bool link;
    bool ignored; /* service roads and less */
};

/* A road at a junction. */
struct ht__road {
    uint32_t arc; /* base arc that leaves the junction, or (against) that comes to it */
    uint32_t way;
    double bearing; /* away from the junction, as a driver perceives it */
    double initial; /* over its first two metres */
    double angle;   /* only in views */
    double length_m;
    uint32_t far; /* junction at the end of its strand */
    struct ht__class cls;
    uint8_t type; /* enum ht__type; only in views */
    uint8_t modifier;
    bool against; /* one-way towards the junction */
    bool entry;   /* only in views */
    bool merged;  /* the carriageway that leads here, its twin stands for both */
};

/* Roads around a junction: a fan (by bearing, clockwise) or a view (by angle, counter-clockwise).
 */
struct ht__view {
    uint32_t junction;
    uint32_t in_way; /* the one we come by; only in views, where [0] may be a road laid on it */
    uint32_t count;
    struct ht__road roads[HT__ROADS_MAX];
};

static inline const struct ht_arc *ht__arc(const struct ht__map *map, uint32_t arc)
{
    return &map->graph->arcs[arc];
}

static inline const struct ht_way *ht__way(const struct ht__map *map, uint32_t way)
{
    return &map->network->ways[way];
}

static inline struct ht_point ht__junction_point(const struct ht__map *map, uint32_t junction)
{
    return map->network->node_point[map->graph->junction_node[junction]];
}

static inline double ht__deviation(double a, double b)
{
    double d = fabs(a - b);
    return d > 180 ? 360 - d : d;
}

static inline double ht__opposite(double bearing)
{
    return bearing >= 180 ? bearing - 180 : bearing + 180;
}

/* The angle of a turn from a driving direction to another. */
static inline double ht__turn_angle(double in, double out)
{
    double a = in - out + 540;
    return a >= 720 ? a - 720 : a >= 360 ? a - 360 : a;
}

static inline bool ht__is_round_type(unsigned type)
{
    return type >= HT__STAY;
}

static inline bool ht__enters(unsigned type)
{
    return (type >= HT__ENTER && type < HT__EXIT) || type >= HT__ENTER_EXIT;
}

static inline bool ht__leaves(unsigned type)
{
    return type >= HT__EXIT;
}

static inline bool ht__stays(unsigned type)
{
    return type == HT__STAY || (type >= HT__ENTER_AT_EXIT && type < HT__EXIT);
}

/* The modifier of an angle. */
enum ht_step_modifier ht__modifier(double angle);

/* guide_names */
bool ht__nameless(const struct ht__map *map, uint32_t way);
bool ht__same_signs(const struct ht__map *map, uint32_t a, uint32_t b); /* all texts equal */
bool ht__announces(const struct ht__map *map, uint32_t from, uint32_t to);
bool ht__announces_plainly(const struct ht__map *map, uint32_t from, uint32_t to);
bool ht__identical_names(const struct ht__map *map, uint32_t a, uint32_t b);
bool ht__has_name(const struct ht__map *map, uint32_t way);
bool ht__continues_name(const struct ht__map *map, uint32_t from, uint32_t to);
bool ht__names_similar(const char *from, const char *to); /* equal but for a compass suffix */

/* guide_road */
struct ht__class ht__class_of(const struct ht__map *map, uint32_t way);
bool ht__class_equal(struct ht__class a, struct ht__class b);
unsigned ht__class_group(struct ht__class c);
bool ht__class_less(struct ht__class a, struct ht__class b);
bool ht__class_links_to(struct ht__class link, struct ht__class road);
bool ht__class_obvious(struct ht__class in, struct ht__class candidate, struct ht__class other);
static inline bool ht__is_motorway(struct ht__class c)
{
    return c.motorway && !c.link;
}
static inline bool ht__is_ramp(struct ht__class c)
{
    return c.motorway && c.link;
}
static inline bool ht__is_round(const struct ht__map *map, uint32_t way)
{
    return (ht__way(map, way)->flags & (HT_WAY_ROUNDABOUT | HT_WAY_CIRCULAR)) != 0;
}

/* At the end of a road piece (arc, driven with or against its direction): the piece that goes on
 * when the node there is no junction to a driver; HT_NONE where it is one. */
uint32_t ht__passes(const struct ht__map *map, uint32_t arc, bool against);

/* Whether two joined pieces look the same to a driver: class, names, mode, restrictions. */
bool ht__alike(const struct ht__map *map, uint32_t a, uint32_t b);

/* The strand that begins with an arc: its far junction, length, last arc. */
struct ht__strand {
    uint32_t far;
    uint32_t last; /* its last arc */
    double length_m;
};
struct ht__strand ht__follow(const struct ht__map *map, uint32_t arc, bool against);

/* Points of a strand in metres east and north of its junction; stops after `limit_m`, returns how
 * many were written (at most `capacity`). Repeated points are left out. */
struct ht__xy {
    double x;
    double y;
};
uint32_t ht__strand_points(const struct ht__map *map, uint32_t arc, bool against, double limit_m,
                           struct ht__xy *out, uint32_t capacity);
/* Millionths of a degree where a road piece begins: metres that one spans; points between two of
 * them go to the one nearer to the null meridian and the equator. */
struct ht__grid {
    double x;
    double y;
    bool west;
    bool south;
};
struct ht__grid ht__grid_of(const struct ht__map *map, uint32_t arc, bool against);
double ht__xy_bearing(struct ht__xy a, struct ht__xy b);
double ht__xy_distance(struct ht__xy a, struct ht__xy b);

/* Fills bearing and initial of a road. `close`: take the first point more than a metre away. */
void ht__road_bearings(const struct ht__map *map, struct ht__road *road, uint8_t lanes, bool close);

/* guide_view */
void ht__fan(const struct ht__map *map, uint32_t junction, bool close, struct ht__view *out);
/* The fan with carriageways merged, as turns are judged by it. */
void ht__fan_merged(const struct ht__map *map, uint32_t junction, struct ht__view *out);
/* The view of a fan from road piece (arc; against: driven against its direction). Entries are what
 * the arc's turns allow. False when the arc is not part of the fan. */
bool ht__view(const struct ht__map *map, const struct ht__view *fan, uint32_t arc, bool against,
              struct ht__view *out);
/* Fan and view in one, without merging: a look at a junction further on. */
bool ht__look(const struct ht__map *map, uint32_t arc, bool against, bool close,
              struct ht__view *out);
uint32_t ht__closest(const struct ht__view *view, double angle);
uint32_t ht__closest_bearing(const struct ht__view *view, double bearing);
uint32_t ht__enterable(const struct ht__view *view);
/* Index of the road that leaves by an arc, HT_NONE: there is none. */
uint32_t ht__find(const struct ht__view *view, uint32_t arc);

/* guide_walk: on along a road, past junctions. */
struct ht__piece {
    uint32_t arc; /* HT_NONE: nowhere to go */
    bool against;
};
/* Skips nodes where only two roads meet, alike or not; the last piece before a real junction. */
struct ht__piece ht__skip(const struct ht__map *map, struct ht__piece piece, uint32_t start);
static inline uint32_t ht__end_of(const struct ht__map *map, struct ht__piece piece)
{
    return piece.against ? ht__arc(map, piece.arc)->tail : ht__arc(map, piece.arc)->head;
}
static inline struct ht__piece ht__piece_of(const struct ht__road *road)
{
    return (struct ht__piece){road->arc, road->against};
}
/* How to choose the road on which to go on. */
struct ht__wish {
    uint32_t way;     /* whose name is wanted */
    double bearing;   /* in whose direction */
    bool unambiguous; /* stop where a sharp turn has its like on the other side */
};
/* Walks up to `hops` junctions, until one with more than two roads: the last piece, and the view
 * there. */
struct ht__piece ht__next_junction(const struct ht__map *map, struct ht__piece piece,
                                   const struct ht__wish *wish, int hops, struct ht__view *out);
/* Points along the road, at most HT__LINE_M metres. */
#define HT__LINE_M 120.0
enum { HT__LINE_POINTS = 160 };
struct ht__path {
    struct ht__xy p[HT__LINE_POINTS];
    uint32_t n;
    double length_m;
};
void ht__walk_points(const struct ht__map *map, struct ht__piece piece, const struct ht__wish *wish,
                     struct ht__path *out);

/* guide_merge: whether road `index` of a fan and the one after it (clockwise) are two carriageways
 * of one street. */
bool ht__mergeable(const struct ht__map *map, const struct ht__view *fan, uint32_t index);

/* guide_obvious: index of the obvious road, 0: none. */
uint32_t ht__obvious(const struct ht__map *map, const struct ht__view *view);
bool ht__through_street(const struct ht__map *map, const struct ht__view *view, uint32_t index);

/* guide_turn and its sisters: type and modifier of every road of a view. `in`: way arrived by. */
void ht__classify(const struct ht__map *map, struct ht__view *view);
enum ht__type ht__basic_type(const struct ht__map *map, const struct ht__view *view,
                             const struct ht__road *road);
void ht__obvious_instruction(const struct ht__map *map, const struct ht__view *view, bool through,
                             struct ht__road *road, uint32_t road_count);
void ht__assign_fork(const struct ht__map *map, struct ht__view *view, struct ht__road *left,
                     struct ht__road *right);
void ht__assign_fork3(const struct ht__map *map, struct ht__view *view, struct ht__road *left,
                      struct ht__road *middle, struct ht__road *right);
void ht__turn_types(const struct ht__map *map, struct ht__view *view);
bool ht__motorway_types(const struct ht__map *map, struct ht__view *view);
bool ht__round_types(const struct ht__map *map, struct ht__view *view);
void ht__sliproads(const struct ht__map *map, struct ht__view *view);
bool ht__segregated(const struct ht__map *map, uint32_t arc);
static inline enum ht_mode ht__mode(const struct ht__map *map, const struct ht__road *road)
{
    return (enum ht_mode)ht__arc(map, road->arc)->mode;
}
static inline void ht__set(struct ht__road *road, enum ht__type type,
                           enum ht_step_modifier modifier)
{
    road->type = (uint8_t)type;
    road->modifier = (uint8_t)modifier;
}

/* guide_lanes */
enum ht__lane_bit {
    HT__LANE_NONE = 1 << 0,
    HT__LANE_STRAIGHT = 1 << 1,
    HT__LANE_SHARP_LEFT = 1 << 2,
    HT__LANE_LEFT = 1 << 3,
    HT__LANE_SLIGHT_LEFT = 1 << 4,
    HT__LANE_SLIGHT_RIGHT = 1 << 5,
    HT__LANE_RIGHT = 1 << 6,
    HT__LANE_SHARP_RIGHT = 1 << 7,
    HT__LANE_UTURN = 1 << 8,
    HT__LANE_MERGE_LEFT = 1 << 9,
    HT__LANE_MERGE_RIGHT = 1 << 10,
};
enum { HT__LANES_MAX = 32, HT__LANES_HOPS = 64 };
struct ht__lanes {
    uint32_t text;  /* offset, 0: none */
    uint32_t right; /* text of further lanes to the right, 0: none */
    uint8_t first;  /* of those that serve the turn, from the right */
    uint8_t valid;
    bool from_before; /* the text is the one before the previous junction */
    bool beside;      /* two texts: of a sliproad and of the street it leaves */
};
/* Which lanes serve road `index` of a view. A road that a lane to turn round leads to is renamed.
 */
struct ht__lanes ht__lanes_of(const struct ht__map *map, struct ht__view *view, uint32_t arc_in,
                              uint32_t index);
/* The turn:lanes text that holds at an arc's end, told on it or on what leads to it without a
 * junction; 0: none. */
uint32_t ht__lanes_text(const struct ht__map *map, uint32_t arc);
/* The same of the junction shortly before the arc. */
uint32_t ht__lanes_text_before(const struct ht__map *map, uint32_t arc);
/* Texts of a sliproad and the street beside it, the left one first; false: the arc is neither, or
 * one has no text. */
bool ht__lanes_texts_beside(const struct ht__map *map, uint32_t arc, uint32_t texts[2]);

#endif
