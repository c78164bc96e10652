/* Problem: who must be visited, by what vehicles, over which matrices; and the answer to it.
 *
 * A task is one stop: a job, or half of a shipment. A shipment is two tasks that follow each other
 * in the list, the pickup first; both are served by the same vehicle, the pickup earlier.
 * Deliveries of jobs are loaded where the trip starts, pickups of jobs stay until it ends; a trip
 * is a route, or what lies between two reloads of it. What only some reloads have (a kitchen its
 * meals) is loaded at the last of these before its stop and stays on board through reloads of
 * others; so a van may load at two kitchens, one after the other, and then deliver.
 *
 * Times are whole seconds from any zero, all windows are hard: service (and setup before it) begins
 * within one of a task's windows, earliest when one has arrived; who is early waits. A setup is
 * needed where the stop before was elsewhere (the vehicle stood elsewhere: doors that are served on
 * foot from one stand need one setup together; their ways are the matrices' matter). A vehicle
 * leaves and comes back within its window; a break begins within one of its windows, wherever the
 * vehicle is by then, also between stops, and its breaks are taken in their order.
 *
 * A vehicle serves only what it could serve if that were its whole route (as VROOM has it, too):
 * matrices of streets, where a way by another place is a way, lose nothing by that.
 *
 * A load may have a longest ride: who waits does so where it shortens one. A window may end softly:
 * beginning later costs by the hour. Neither goes together with breaks of the same vehicle.
 *
 * A task may have a home: served by another vehicle it costs so much more. That keeps a running
 * plan as it is but where a change gains more than its price.
 *
 * Costs: fixed for a vehicle that moves, per hour of travel (not of waiting or service), per km; or
 * from the profile's own cost matrix instead of the two; per hour of setup and service. Sums of
 * costs are in 1/HT_COST_SCALE, so that nothing is rounded.
 *
 * With `balance` b a route costs b * T * T / 720 more, rounded down, with T its seconds of travel,
 * setup and service (also of reloads; not of breaks and waiting), in 1/HT_COST_SCALE: b for the
 * square of each hour. The more alike routes are, the less they cost together.
 *
 * Wanted, in this order: the greatest sum of (priority, one task) that is served, a shipment being
 * two tasks, then the least cost.
 *
 * Threading: plain values. Ownership: the caller's, borrowed for a call.
 */
#ifndef HT_ENGINE_PLAN_PROBLEM_H
#define HT_ENGINE_PLAN_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

#define HT_PLAN_NONE UINT32_MAX
#define HT_PLAN_NO_WAY UINT32_MAX /* a matrix entry: one can't go there */
#define HT_PLAN_UNLIMITED INT64_MAX

enum {
    HT_COST_SCALE =
        18000, /* one unit of cost: 5 for a second at 1 an hour, 18 for a metre at 1 a km */
    HT_PLAN_AMOUNTS_MOST = 16,
    HT_PLAN_BREAKS_MOST = 8, /* of one vehicle */
    HT_PLAN_RELOADS_MOST = 63,
    HT_PLAN_PRIORITY_MOST = 100,
    HT_PLAN_TASKS_MOST = 20000,
    HT_PLAN_VEHICLES_MOST = 20000,
    HT_PLAN_CELLS_MOST = 64 << 20, /* of all matrices together */
    HT_PLAN_RATE_MOST = 1000000,   /* prices of lateness and balance, and of a day's plan */
};

#define HT_PLAN_AT_START (UINT64_C(1) << 63) /* of ht_task.loads_at: on board from the first */
#define HT_PLAN_TIME_MOST (INT64_C(1) << 40) /* times lie within +- this */
#define HT_PLAN_AMOUNT_MOST (INT64_C(1) << 32)
#define HT_PLAN_FIXED_MOST (INT64_C(1) << 40)

struct ht_window {
    int64_t from_s;
    int64_t to_s;
};

enum ht_task_kind { HT_TASK_JOB, HT_TASK_PICKUP, HT_TASK_DELIVERY };

struct ht_task {
    enum ht_task_kind kind;
    uint32_t location; /* row and column of every matrix */
    uint32_t setup_s;
    uint32_t service_s;
    const uint32_t *setup_by_type_s; /* [types]; NULL: as above for all */
    const uint32_t *service_by_type_s;
    const struct ht_window *windows; /* by time, apart from each other */
    uint32_t window_count;           /* 0: any time */
    /* [amounts]; NULL: nothing. Halves of a shipment: its load, in `pickup` of both. */
    const int64_t *pickup;
    const int64_t *delivery;
    const uint64_t *skills; /* [skill_words] bits; NULL: none */
    uint32_t priority;      /* of a shipment: the pickup's */
    /* 0: any. Of a delivery: from the end of its pickup's service to its begin; of a job: from the
     * start of the trip to its begin. */
    uint32_t ride_most_s;
    uint32_t late_per_hour; /* 0: nothing; what beginning after due_s costs */
    int64_t due_s;
    /* Of a job: where what it delivers may be loaded, a bit for each of the problem's reloads, and
     * HT_PLAN_AT_START; 0: all of these. Loading begins at ready_s at the earliest; 0: any time. */
    uint64_t loads_at;
    int64_t ready_s;
    int64_t move_cost; /* what it costs more where another vehicle than `home` serves it */
    uint32_t home;
};

struct ht_plan_break {
    const struct ht_window *windows; /* as a task's; at least one */
    uint32_t window_count;
    uint32_t service_s;
    const int64_t *load_most; /* [amounts] with more on board it can't be taken; NULL: any */
};

/* A place where what jobs picked up is left and what the next trip's jobs deliver is loaded.
 * Shipments stay on board. Reloads that follow each other begin one trip. */
struct ht_plan_reload {
    uint32_t location;
    uint32_t service_s;
    const struct ht_window *windows; /* as a task's */
    uint32_t window_count;
};

struct ht_vehicle {
    uint32_t profile;
    uint32_t type;
    uint32_t start;          /* location; HT_PLAN_NONE: begins at its first stop */
    uint32_t end;            /* HT_PLAN_NONE: ends at its last */
    const int64_t *capacity; /* [amounts] */
    const uint64_t *skills;  /* [skill_words]; NULL: none */
    struct ht_window window;
    const struct ht_plan_break *breaks; /* in the order they are taken */
    uint32_t break_count;
    uint32_t tasks_most;
    int64_t travel_most_s;
    int64_t distance_most_m; /* needs distances, where it is no HT_PLAN_UNLIMITED */
    int64_t fixed;
    uint32_t per_hour;
    uint32_t per_km;
    uint32_t per_task_hour; /* of setup and service */
    /* Where it may load again between trips, a bit for each of the problem's reloads, and how many
     * trips it may make; 0: one. */
    uint64_t reloads;
    uint32_t trips_most;
    bool at_once; /* it leaves when its window begins, and not as late as it can */
    /* Tasks to begin the search with, in order; the first `pinned` stay first, in this order.
     * Reloads between them: the problem's task_count + the reload. */
    const uint32_t *tasks;
    uint32_t task_count;
    uint32_t pinned;
};

/* [locations * locations], from row to column. */
struct ht_plan_profile {
    const uint32_t *duration_s;
    const uint32_t *distance_m; /* NULL: not known */
    const uint32_t *cost;       /* NULL: by hour and km */
};

struct ht_problem {
    uint32_t amounts; /* dimensions of loads */
    uint32_t skill_words;
    uint32_t types;
    uint32_t location_count;
    uint32_t profile_count;
    const struct ht_plan_profile *profiles;
    uint32_t task_count;
    const struct ht_task *tasks;
    uint32_t vehicle_count;
    const struct ht_vehicle *vehicles;
    uint32_t reload_count;
    const struct ht_plan_reload *reloads;
    /* [location_count] The location at which the vehicle stands while one is served (several doors
     * from one parking place); NULL: each its own. */
    const uint32_t *stands;
    uint32_t balance;
};

/* HT_OK, or HT_INVALID, HT_RANGE or HT_TOO_BIG with what is wrong and where. Does not look into the
 * matrices: any number may stand there. */
HT_MUST_CHECK enum ht_status ht_problem_check(const struct ht_problem *problem,
                                              struct ht_error *error);

/* ---- the answer ---- */

enum ht_plan_step_kind { HT_STEP_START, HT_STEP_TASK, HT_STEP_BREAK, HT_STEP_RELOAD, HT_STEP_END };

struct ht_plan_step {
    enum ht_plan_step_kind kind;
    uint32_t index; /* of the task, of the vehicle's break, or of the reload */
    int64_t arrival_s;
    int64_t waiting_s; /* before setup and service */
    uint32_t setup_s;
    uint32_t service_s;
    int64_t travel_s; /* since the start */
    int64_t distance_m;
};

/* What a step, or a route as a whole, breaks of the rules; in VROOM's order of causes. */
enum ht_plan_cause {
    HT_CAUSE_LEAD_TIME,
    HT_CAUSE_DELAY,
    HT_CAUSE_LOAD,
    HT_CAUSE_MAX_TASKS,
    HT_CAUSE_SKILLS,
    HT_CAUSE_PRECEDENCE,
    HT_CAUSE_MISSING_BREAK,
    HT_CAUSE_MAX_TRAVEL_TIME,
    HT_CAUSE_MAX_LOAD,
    HT_CAUSE_MAX_DISTANCE,
    HT_CAUSES
};

struct ht_plan_fault {
    uint32_t causes; /* a bit each */
    int64_t lead_s;
    int64_t delay_s;
};

struct ht_plan_route {
    uint32_t vehicle;
    uint32_t step_count;
    const struct ht_plan_step *steps;
    /* [step_count * amounts] after each step */
    const int64_t *load;
    int64_t cost; /* in 1 / HT_COST_SCALE */
    /* [step_count + 1] of each step and then of all; NULL: nothing is broken */
    const struct ht_plan_fault *faults;
};

/* Why a task can't be served by anybody, or wasn't. */
enum ht_plan_reason {
    HT_REASON_NONE,
    HT_REASON_SKILLS,          /* nobody has them */
    HT_REASON_CAPACITY,        /* larger than any vehicle that may */
    HT_REASON_NO_WAY,          /* of those, none has a way there and back */
    HT_REASON_MAX_TASKS,       /* of those, none may serve as many stops, */
    HT_REASON_MAX_TRAVEL_TIME, /* be on the way for so long, */
    HT_REASON_MAX_DISTANCE,    /* go so far */
    HT_REASON_WINDOW,          /* of those, none is there in time */
    HT_REASON_FULL             /* some could, but not with all the others */
};

struct ht_plan_missing {
    uint32_t task;
    enum ht_plan_reason reason;
};

/* Routes by vehicle; vehicles that stay are not in it. */
struct ht_plan {
    uint32_t route_count;
    const struct ht_plan_route *routes;
    uint32_t missing_count;
    const struct ht_plan_missing *missing; /* by task; both halves of a shipment */
    int64_t cost;
    uint64_t iterations; /* of all threads */
    int64_t time_ms;     /* that the search took */
};

#endif
