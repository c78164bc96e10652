/* Guidance: what a driver is told along one leg of a route.
 *
 * From the arcs that a query found: the junctions that are passed, the turn at each (by angle,
 * class, name and what else could be taken there), roundabouts, lanes; then the noise is merged
 * away. Types, modifiers and thresholds follow OSRM's (docs/http.md, features/guidance), so that
 * its clients say the right thing.
 *
 * Threading: one ht_guide for each thread; it keeps memory between calls and allocates nothing once
 * it has seen a leg of that size. Ownership: what ht_guide_run gives points into the ht_guide and
 * lives until its next call; names are offsets into the network's strings.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_H
#define HT_ENGINE_ROAD_GUIDE_H

#include "engine/base/status.h"
#include "engine/road/network.h"
#include "engine/road/snap.h"

/* What to do. HT_STEP_NONE to HT_STEP_STAY_ROUNDABOUT never come out of ht_guide_run. */
enum ht_step_type {
    HT_STEP_NONE,            /* nothing to see: one road goes on */
    HT_STEP_SUPPRESSED,      /* a junction, but what to do there is plain */
    HT_STEP_SLIPROAD,        /* onto a short link that cuts a corner */
    HT_STEP_STAY_ROUNDABOUT, /* past an exit */
    HT_STEP_DEPART,
    HT_STEP_ARRIVE,
    HT_STEP_TURN,
    HT_STEP_NEW_NAME,
    HT_STEP_CONTINUE,
    HT_STEP_MERGE,
    HT_STEP_ON_RAMP,
    HT_STEP_OFF_RAMP,
    HT_STEP_FORK,
    HT_STEP_END_OF_ROAD,
    HT_STEP_NOTIFICATION,
    HT_STEP_USE_LANE,
    HT_STEP_ROUNDABOUT,
    HT_STEP_ROTARY,
    HT_STEP_ROUNDABOUT_TURN,
    HT_STEP_EXIT_ROUNDABOUT,
    HT_STEP_EXIT_ROTARY,
    HT_STEP_EXIT_ROUNDABOUT_TURN,
};

enum ht_step_modifier {
    HT_MODIFIER_UTURN,
    HT_MODIFIER_SHARP_RIGHT,
    HT_MODIFIER_RIGHT,
    HT_MODIFIER_SLIGHT_RIGHT,
    HT_MODIFIER_STRAIGHT,
    HT_MODIFIER_SLIGHT_LEFT,
    HT_MODIFIER_LEFT,
    HT_MODIFIER_SHARP_LEFT,
    HT_MODIFIER_NONE, /* depart and arrive where the side is not known */
};

#define HT_GUIDE_NO_ROAD UINT8_MAX

/* One road at a junction, seen from it. */
struct ht_guide_road {
    uint16_t bearing_deg; /* 0..359, clockwise from north */
    bool entry;           /* may be taken from where we come */
};

/* A junction on the way. */
struct ht_guide_junction {
    struct ht_point location;
    uint32_t first_road;  /* into roads, sorted by bearing; at most 14 are told */
    uint32_t lanes;       /* turn:lanes text before it (offset into strings), 0: none */
    uint32_t lanes_right; /* text of further lanes, to the right of those: a sliproad runs beside */
    uint16_t classes;     /* enum ht_arc_flag classes of the road left by */
    uint8_t road_count;
    uint8_t in;         /* index among its roads, HT_GUIDE_NO_ROAD: departs here */
    uint8_t out;        /* HT_GUIDE_NO_ROAD: arrives here */
    uint8_t lane_first; /* lanes that serve the turn: the first, counted from the right, */
    uint8_t lane_valid; /* and how many; 0: nothing known */
};

struct ht_guide_step {
    enum ht_step_type type;
    enum ht_step_modifier modifier;
    struct ht_point location;
    uint16_t bearing_before; /* 0..359 */
    uint16_t bearing_after;
    uint32_t exit;       /* of a roundabout, counted from 1; 0: does not apply */
    uint32_t way;        /* whose name, ref, pronunciation, destinations and exits are announced */
    uint32_t rotary_way; /* whose name is the rotary's; HT_NONE: none */
    enum ht_mode mode;
    bool left_hand;
    struct ht_cost cost;     /* until the next maneuver, the turn at its end included */
    uint32_t first_point;    /* into points; the last point is also the next step's first */
    uint32_t point_count;    /* 1 for arrive, else at least 2 */
    uint32_t first_junction; /* into junctions; [0] is where the maneuver is */
    uint32_t junction_count;
};

/* One leg: arcs from the one that holds the source to the one that holds the target, as
 * ht_query_path gives them (one arc: both lie on it). */
struct ht_guide_leg {
    const struct ht_network *network;
    const struct ht_graph *graph;
    const struct ht_place *source;
    const struct ht_place *target;
    uint32_t source_side;
    uint32_t target_side;
    const uint32_t *arcs;
    uint32_t arc_count;
    /* Names the network among all that this process has ever opened (ht_world_id): what was found
     * out about a turn is remembered under it. 0: not known, nothing is remembered from call to
     * call. */
    uint64_t network_id;
};

struct ht_guide_steps {
    const struct ht_guide_step *steps; /* depart ... arrive; at least 2 */
    uint32_t step_count;
    const struct ht_guide_junction *junctions;
    uint32_t junction_count;
    const struct ht_guide_road *roads;
    const struct ht_point *points; /* of the whole leg, source and target included */
    uint32_t point_count;
    uint32_t points_dropped; /* of the leg, before the first: too near to the next */
};

struct ht_guide;

HT_MUST_CHECK enum ht_status ht_guide_new(struct ht_guide **out);
void ht_guide_free(struct ht_guide *guide);

/* What guides find out about turns, and find again in a sixth of the time, in common: memory for
 * several of them, of any thread. It takes up to 32 MB as it fills. */
struct ht_guide_memory;

HT_MUST_CHECK enum ht_status ht_guide_memory_new(struct ht_guide_memory **out);
void ht_guide_memory_free(struct ht_guide_memory *memory); /* after its guides; NULL is fine */
/* From now on the guide remembers there, no longer by itself; borrowed. */
void ht_guide_share(struct ht_guide *guide, struct ht_guide_memory *memory);

/* HT_NOMEM; HT_INVALID: no arcs, or the sides do not hold the first and last arc. */
HT_MUST_CHECK enum ht_status ht_guide_run(struct ht_guide *guide, const struct ht_guide_leg *leg,
                                          struct ht_guide_steps *out);

/* One lane's directions: bits of this order, as OSRM lists them in `indications`. */
enum {
    HT_GUIDE_LANE_KINDS = 11
}; /* none, straight, sharp left, left, slight left, slight right, right,
      sharp right, uturn, merge to left, merge to right */

/* Reads a turn:lanes text ("left|through;right|"): a mask of directions for each lane, the leftmost
 * first. Returns the number of lanes, at most `capacity`. */
uint32_t ht_guide_lane_masks(const char *text, uint16_t *masks, uint32_t capacity);

/* The ways whose names tell most about a leg: at most two, in the order of travel, those driven
 * longest (OSRM's leg summary). Returns how many. */
uint32_t ht_guide_summary(struct ht_guide *guide, const struct ht_guide_leg *leg, uint32_t ways[2]);

#endif
