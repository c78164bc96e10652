/* VROOM's problem documents (docs/API.md of VROOM 1.15) as a problem of engine/plan.
 *
 *   {"vehicles": [{"id", "profile": "car", "start": [lon, lat], "end", "start_index", "end_index",
 *                  "capacity", "skills", "time_window", "breaks", "speed_factor", "max_tasks",
 *                  "max_travel_time", "max_distance", "costs", "type", "steps", "description"}],
 *    "jobs": [{"id", "location": [lon, lat], "location_index", "setup", "service",
 *              "setup_per_type", "service_per_type", "delivery", "pickup", "skills", "priority",
 *              "time_windows", "description"}],
 *    "shipments": [{"pickup": {...}, "delivery": {...}, "amount", "skills", "priority"}],
 *    "matrices": {"car": {"durations", "distances", "costs"}}, "options": {...}}
 *
 * Keys of our own: a vehicle's `pinned` (so many of its `steps` stay first, in this order; the
 * other steps are where the search begins), `max_ride_time` of a job or shipment (seconds from the
 * start, or from the end of the pickup, to the begin of the delivery), `late`: {"after",
 * "per_hour"} of a job, pickup or delivery (what beginning later costs), a vehicle's `max_trips`
 * and `reloads`: [{"location", "location_index", "service", "time_windows"}] (where it may load for
 * the next trip), `parking`: {"location", "location_index"} of a job, pickup or delivery (where the
 * vehicle stands meanwhile: doors of one parking place are served on foot, one after the other, and
 * need one setup; `walk_profile` of the options, "foot", tells how long that takes), `balance` of
 * the options (what a route costs more for the square of each of its hours of way and work), null
 * in a matrix (there is no way), and of `options` limit_ms, iterations, threads, seed. `steps` with
 * option c (plan mode) are the routes themselves, whatever rules they break; service_at,
 * service_after and service_before then hold.
 *
 * Threading: pure functions. Ownership: texts and arrays are the struct's.
 */
#ifndef HT_API_VROOM_READ_H
#define HT_API_VROOM_READ_H

#include <yajl/yajl_tree.h>

#include "engine/plan/given.h"

enum {
    HT_VROOM_OK,
    HT_VROOM_INTERNAL,
    HT_VROOM_INPUT,
    HT_VROOM_ROUTING,
    HT_VROOM_TOO_BIG,
};

enum { HT_VROOM_SKILLS_MOST = 4096, HT_VROOM_JOBS_MOST = 10000 };

struct ht_vroom_name {
    uint64_t id;
    const char *description; /* NULL: none */
};

struct ht_vroom_place {
    double lon;
    double lat;
    bool placed; /* has coordinates */
};

/* A matrix of the problem: of a profile's name, durations divided by `speed`. */
struct ht_vroom_profile {
    const char *name;
    double speed;
    yajl_val given;    /* its object in "matrices"; NULL: none */
    bool wants_times;  /* to be routed */
    bool wants_metres; /* likewise; also beside times that are given */
};

struct ht_vroom_block {
    struct ht_vroom_block *next;
    max_align_t data[];
};

struct ht_vroom {
    yajl_val tree;
    struct ht_vroom_block *blocks;
    struct ht_problem problem;
    struct ht_plan_profile *matrices; /* the problem's, which routing fills */
    struct ht_vroom_profile *profiles;
    struct ht_vroom_name *tasks;    /* [tasks] */
    struct ht_vroom_name *vehicles; /* [vehicles] */
    struct ht_vroom_name **breaks;  /* [vehicles][breaks] */
    struct ht_vroom_place *places;  /* [locations] */
    bool indexed;                   /* locations have indices of the caller's own */
    bool distances;                 /* all profiles know them */
    bool geometry;                  /* of routes is asked for */
    bool given;                     /* plan mode: routes are those of the steps */
    uint32_t walk;                  /* the profile by which one walks; HT_PLAN_NONE: nobody does */
    struct ht_given_route *routes;  /* [route_count] by vehicle, in plan mode */
    uint32_t route_count;
    int64_t limit_ms;    /* 0: not asked for */
    uint64_t iterations; /* 0: likewise */
    unsigned threads;    /* 0: likewise */
    uint64_t seed;
    int code; /* HT_VROOM_*, of an error */
};

/* HT_OK; else `out->code` and the message are VROOM's (HT_NOMEM: HT_VROOM_INTERNAL). */
HT_MUST_CHECK enum ht_status ht_vroom_read(const char *text, size_t size, struct ht_vroom *out,
                                           struct ht_error *error);
/* Once all matrices are there: ways between doors lead on foot to where the vehicle stands, to the
 * other's stand, and on foot again; between doors of one stand on foot alone. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_vroom_walks(struct ht_vroom *vroom, struct ht_error *error);
/* Also after an error. */
void ht_vroom_deinit(struct ht_vroom *vroom);

/* Zeroed memory that lives as long as the struct; NULL: there is none. */
void *ht_vroom_take(struct ht_vroom *vroom, size_t count, size_t item);

#endif
