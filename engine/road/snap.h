/* Snap: from a point to the places on the streets that a trip may begin or end at.
 *
 * A packed R-tree over the segments of one graph's base arcs (leaves in Hilbert order, Leutenegger
 * et al. 1997 for the packing, Roussopoulos et al. 1995 for the nearest search). One entry stands
 * for both directions of a street. Distances are measured as OSRM does: in a plane scaled by
 * the cosine of the latitude to find the place, by great circle to report it.
 *
 * Threading: the index is read-only; each thread brings its own ht_snap_work.
 * Ownership: the index borrows the network and its own arrays (mapped file or builder's heap).
 */
#ifndef HT_ENGINE_ROAD_SNAP_H
#define HT_ENGINE_ROAD_SNAP_H

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "engine/road/network.h"

/* A place on a street, in both directions that the profile may use it (OSRM's phantom node).
 * For each direction: `arc` (HT_NONE: not allowed), what the trip pays from the arc's tail to the
 * place (`before`) and from the place to its head (`after`), as ht_share of the whole. */
struct ht_place_side {
    uint32_t arc;
    uint32_t before_mm;
    uint32_t after_mm;
    struct ht_cost before;
    struct ht_cost after;
};

struct ht_place {
    struct ht_point input;
    struct ht_point point;          /* on the street */
    double distance_m;              /* between the two */
    uint32_t segment;               /* of the first usable side's arc: between its points segment, segment + 1 */
    uint32_t component;             /* strongly connected component of the street */
    bool small;                     /* that component is an island */
    struct ht_place_side side[2];   /* [0] along the way, [1] against it */
};

enum ht_approach {
    HT_APPROACH_UNRESTRICTED, /* either side */
    HT_APPROACH_CURB,         /* the place on the driving side's kerb */
    HT_APPROACH_OPPOSITE,     /* the other side */
};

struct ht_snap_options {
    double radius_m;        /* < 0: no limit */
    int16_t bearing_deg;    /* -1: none */
    int16_t bearing_range;  /* +- degrees */
    enum ht_approach approach;
    bool any_street;        /* snapping=any: also streets no trip may begin at */
    uint16_t exclude;       /* enum ht_arc_flag classes not to snap to */
};

struct ht_snap_index;
struct ht_snap_work;

/* Options that ask for nothing. */
struct ht_snap_options ht_snap_options_default(void);

HT_MUST_CHECK enum ht_status ht_snap_work_new(struct ht_snap_work **out);
void ht_snap_work_free(struct ht_snap_work *work);

/* The `count` nearest places, nearest first, one for each street piece (a place at a junction appears
 * once for each street that meets there); `*found` of them are written to `out`.
 * HT_OK, also with fewer; HT_NO_SEGMENT: none. */
HT_MUST_CHECK enum ht_status ht_snap_nearest(const struct ht_snap_index *index,
                                             struct ht_snap_work *work, struct ht_point point,
                                             const struct ht_snap_options *options, uint32_t count,
                                             struct ht_place *out, uint32_t *found);

/* What a route begins or ends at: the nearest place, and (where that is on an island) the nearest
 * one in a large component. out[0] is the nearest of all; out[1] the nearest that is not small
 * (equal to out[0] where that is not). *found is 1 when there is no street outside islands within
 * the radius, else 2. HT_NO_SEGMENT: none. */
HT_MUST_CHECK enum ht_status ht_snap_trip(const struct ht_snap_index *index,
                                          struct ht_snap_work *work, struct ht_point point,
                                          const struct ht_snap_options *options,
                                          struct ht_place out[2], uint32_t *found);

#endif
