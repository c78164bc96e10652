/* Work: what the OSRM services share: the workspaces of a thread, the request at hand, and the
 * places that its coordinates were snapped to.
 *
 * Threading: one thread at a time. Ownership: struct ht_osrm owns all of it and keeps memory from
 * request to request.
 */
#ifndef HT_API_OSRM_WORK_H
#define HT_API_OSRM_WORK_H

#include "api/json.h"
#include "api/osrm_line.h"
#include "api/osrm_out.h"
#include "api/osrm_request.h"
#include "engine/live/detour.h"
#include "engine/road/guide.h"
#include "engine/road/match.h"
#include "engine/road/matrix.h"
#include "engine/road/overview.h"
#include "engine/road/route.h"
#include "engine/road/shape.h"

/* A coordinate of a trace that takes part. */
struct ht_osrm_kept {
    uint32_t index;
    bool waypoint;
};

/* Each list has items of one kind for good: its capacity counts them. */
struct ht_osrm {
    struct ht_osrm_limits limits;
    struct ht_osrm_request *parked; /* used again when it is free */
    struct ht_zone_table *zones;    /* NULL: there are none */
    struct ht_later *later;         /* NULL: every departure is now */
    struct ht_query *query;
    struct ht_route *route;
    struct ht_matrix *matrix;
    struct ht_match *match;
    struct ht_snap_work *snap;
    struct ht_guide *guide;
    struct ht_crs_work *crs;
    struct ht_shape shape;
    struct ht_overview overview;

    struct ht_osrm_list places;  /* struct ht_place: candidates of all coordinates, together */
    struct ht_osrm_list stops;   /* struct ht_stop: which of them are whose; one a coordinate */
    struct ht_osrm_list pairs;   /* while snapping */
    struct ht_osrm_list costs;   /* struct ht_cost */
    struct ht_osrm_list rows;    /* struct ht_place: sources of a table */
    struct ht_osrm_list columns; /* struct ht_place: destinations of a table */
    struct ht_osrm_list numbers; /* uint32_t: scratch of a service */
    struct ht_osrm_list lines;   /* struct ht_point: the overview while it is written */
    struct ht_osrm_line line;    /* the overview as it was written, for steps */
    struct ht_osrm_list legs;    /* struct ht_leg: joined at silent stops */
    struct ht_osrm_list arcs;    /* uint32_t: theirs */
    struct ht_osrm_list pieces;  /* legs of the answer */
    struct ht_osrm_list ways;    /* struct ht_way_found: alternatives */
    struct ht_osrm_list fixes;   /* struct ht_match_fix */
    struct ht_osrm_list kept;    /* struct ht_osrm_kept: of a trace, what tidy leaves */
    struct ht_osrm_list ends;    /* uint32_t: spots of a matching that are waypoints */
    struct ht_osrm_list round;   /* struct ht_stop: in the order of a trip */
    struct ht_osrm_list moved;   /* struct ht_point: in another coordinate system */
};

/* One request while it is answered. */
struct ht_osrm_job {
    struct ht_osrm *work;
    const struct ht_osrm_request *request;
    const struct ht_road *road;
    struct ht_pool *pool; /* may be NULL */
    struct ht_reply *reply;
    uint16_t exclude;
    uint32_t fingerprint;          /* of network and profile, for hints */
    const struct ht_osrm_out *out; /* coordinate system of the answer; NULL: WGS84 */
    const double *confidence;      /* of a matching that is written as a route; NULL: it is none */
    uint64_t network_id;           /* for what guidance remembers */
    struct ht_world *world;
    struct ht_cuts cuts;       /* what the request keeps off */
    bool avoids;               /* it keeps off something, and `road` does not know of it yet */
    struct ht_detour *detour;  /* held: `road` is of it; NULL: of the world */
    bool nearest_first;        /* places may lie on islands, see ht_osrm_snap_again */
    size_t nearest_count;      /* of work->places before those of the stops */
    struct ht_live_road *then; /* held: the streets of the departure; NULL: those of now */
};

/* Makes room for `count` items and sets the list's count to it. */
HT_MUST_CHECK enum ht_status ht_osrm_list_resize(struct ht_osrm_list *list, size_t count,
                                                 size_t size);

/* Snaps all coordinates into work->places and work->stops, as OSRM does: to the nearest streets,
 * or, unless all lie on one island, to the nearest outside islands. False: the error is in the
 * reply. */
bool ht_osrm_snap(struct ht_osrm_job *job);
/* Where the map has no large component, places are the nearest at first, islands or not: what is
 * largest there may be one street. Whoever finds no way calls this for places in the component that
 * most streets belong to (`far`: of which coordinates, NULL: of all). False: there is none, or
 * memory ran out, and the stops are not to be used. */
bool ht_osrm_snap_again(struct ht_osrm_job *job, const bool *far);
/* The snapping options of coordinate `index`. */
struct ht_snap_options ht_osrm_snap_options(const struct ht_osrm_job *job, size_t index);

static inline const struct ht_place *ht_osrm_places(const struct ht_osrm_job *job)
{
    return job->work->places.data;
}

static inline const struct ht_stop *ht_osrm_stops(const struct ht_osrm_job *job)
{
    return job->work->stops.data;
}

/* The members of a waypoint object, without its braces; `count` candidates of one stop. */
void ht_osrm_write_waypoint(const struct ht_osrm_job *job, struct ht_json *json,
                            const struct ht_place *places, uint32_t count);
/* The array of waypoint objects of stops indices[count]; NULL: of all. */
void ht_osrm_write_waypoints(const struct ht_osrm_job *job, struct ht_json *json,
                             const uint32_t *indices, size_t count);

/* One route object: legs, geometry, steps, annotations as the request wants them. `waypoints` (may
 * be NULL): the stops that end legs, `waypoint_count` of them. */
HT_MUST_CHECK enum ht_status ht_osrm_write_route(struct ht_osrm_job *job, struct ht_json *json,
                                                 const struct ht_route_found *found,
                                                 const struct ht_osrm_list *waypoints);

/* Takes a road that keeps off what the request does. False: the error is in the reply. */
bool ht_osrm_detour(struct ht_osrm_job *job);
/* The same for guided ways (engine/live/detour.h, `light`). False: there is none, and nothing is in
 * the reply. */
bool ht_osrm_detour_light(struct ht_osrm_job *job);

/* "routability" or "duration": what the profile minimizes. */
const char *ht_osrm_weight_name(const struct ht_graph *graph);

/* NoRoute with OSRM's two texts. */
void ht_osrm_no_route(const struct ht_osrm_job *job);

/* An internal failure as an answer: 503. */
void ht_osrm_fail(const struct ht_osrm_job *job, enum ht_status status);

/* Costs from every stop to every stop, row by row, in work->costs. */
HT_MUST_CHECK enum ht_status ht_osrm_matrix(struct ht_osrm_job *job, struct ht_cost **out);

void ht_osrm_nearest(struct ht_osrm_job *job);
void ht_osrm_table(struct ht_osrm_job *job);
void ht_osrm_route(struct ht_osrm_job *job);
void ht_osrm_trip(struct ht_osrm_job *job);
void ht_osrm_match(struct ht_osrm_job *job);

#endif
