/* Day: which van brings which meals, loaded where and when, in which order; from the plan that is
 * running, and so that little of it changes.
 *
 *   van 1 (here, free 11:02, in hand: a b)   a--b--[kitchen 1: c d e]--c--d--e--[kitchen 2: f]--f
 *   van 2 (at home, empty)                   [kitchen 2: g h]--[kitchen 1: i]--g--i--h
 *
 * An order is loaded at its kitchen, no earlier than it is ready, and handed over within its window
 * and before it has ridden for too long. A van may load at several kitchens, one after the other,
 * and comes back for more; such a series of loads begins a trip. At a building a van parks once
 * (`stop_s`), and each order there takes its own time besides.
 *
 * What a van has in hand, or was promised, stays: the first `pinned` stops of its running plan are
 * kept, in their order, also where they come too late by now. An order that the running plan gives
 * to one van goes to another only where this saves more than `move`.
 *
 * Way: a problem of engine/plan/problem.h: kitchens are places to reload that only their own orders
 * know, `move` is what leaving one's home costs. Orders that are alike (building, kitchen, window,
 * van so far) are one task at first; where such a task finds no place, all are single ones.
 *
 * Times are whole seconds from any zero; 0 itself, as when an order is ready, is any time. Costs
 * are in units: so many an hour (travel, and work at stops and kitchens) and a km; with 3600 an
 * hour a unit is a second of a van. The way from a location to itself is 0.
 *
 * Threading: pure; one call makes its own threads. Ownership: the problem is borrowed for the call,
 * the plan is the caller's, for ht_day_free.
 */
#ifndef HT_ENGINE_PLAN_DAY_H
#define HT_ENGINE_PLAN_DAY_H

#include "engine/plan/problem.h"

enum { HT_DAY_KITCHENS_MOST = HT_PLAN_RELOADS_MOST };

struct ht_day_kitchen {
    uint32_t location;
    bool down; /* broken down: nothing is loaded there */
    uint32_t load_s;
    const struct ht_window *open; /* when loading may begin; by time, apart from each other */
    uint32_t open_count;          /* 0: always */
};

struct ht_day_order {
    uint32_t kitchen;
    uint32_t location;      /* where a van parks for it */
    bool aboard;            /* it has left its kitchen, at left_s */
    int64_t left_s;         /* of what is aboard */
    int64_t ready_s;        /* of what is not; 0: any time */
    struct ht_window due;   /* handing over begins */
    uint32_t service_s;     /* from door to door, or within the building */
    uint32_t ride_most_s;   /* from leaving the kitchen to handing over; 0: any */
    const int64_t *load;    /* [amounts]; NULL: nothing */
    const uint64_t *skills; /* [skill_words] that a van must have; NULL: none */
    uint32_t priority;      /* up to HT_PLAN_PRIORITY_MOST: these first, if not all can be */
};

enum ht_day_stop_kind { HT_DAY_LOAD, HT_DAY_ORDER };

struct ht_day_stop {
    enum ht_day_stop_kind kind;
    uint32_t index; /* of the kitchen or the order */
};

struct ht_day_van {
    uint32_t profile;
    uint32_t location;       /* where it is next free */
    uint32_t end;            /* where it goes at last; HT_PLAN_NONE: it stays at its last stop */
    struct ht_window window; /* from when it is free to the end of its shift */
    const int64_t *capacity; /* [amounts] */
    const uint64_t *skills;
    uint32_t trips_most; /* that it may still begin */
    /* The running plan, from where it is next free; of the first `pinned` all that is aboard. */
    const struct ht_day_stop *stops;
    uint32_t stop_count;
    uint32_t pinned;
};

struct ht_day_prices {
    uint32_t per_hour;
    uint32_t per_km;
    uint32_t move;          /* units for an order that changes the van */
    uint32_t late_per_hour; /* for each order that is late */
    uint32_t late_most_s;   /* so much later than due it is still brought, for that price */
};

struct ht_day_problem {
    uint32_t amounts;
    uint32_t skill_words;
    uint32_t location_count;
    uint32_t profile_count;
    const struct ht_plan_profile *profiles; /* their costs are not used */
    uint32_t kitchen_count;
    const struct ht_day_kitchen *kitchens;
    uint32_t order_count;
    const struct ht_day_order *orders;
    uint32_t van_count;
    const struct ht_day_van *vans;
    uint32_t stop_s; /* for parking, at each building */
    int64_t now_s;   /* a van whose window begins later is not on duty until then; 0: not known */
    struct ht_day_prices prices;
};

/* ---- the answer ---- */

struct ht_day_visit {
    struct ht_day_stop stop;
    int64_t arrival_s;
    int64_t begin_s; /* of parking, where it does, then of loading or handing over */
    int64_t leave_s;
};

struct ht_day_route {
    uint32_t van;
    int64_t start_s;
    int64_t end_s;
    uint32_t count;
    const struct ht_day_visit *visits;
    const int64_t *load; /* [count * amounts] behind each */
    int64_t start_load[HT_PLAN_AMOUNTS_MOST];
};

/* Why nobody brings an order. */
enum ht_day_reason {
    HT_DAY_SKILLS,   /* no van has them */
    HT_DAY_CAPACITY, /* larger than any van that may */
    HT_DAY_NO_WAY,   /* none gets there, or back */
    HT_DAY_KITCHEN,  /* it is down, or closed from when it is ready on, or for too long */
    HT_DAY_RIDE,     /* the way from the kitchen alone takes too long */
    HT_DAY_SHIFT,    /* in time for the order every van that could bring it is off duty */
    HT_DAY_WINDOW,   /* nobody can be there in time any more */
    HT_DAY_FULL      /* some could, but not with all the others */
};

struct ht_day_unserved {
    uint32_t order;
    enum ht_day_reason reason;
};

struct ht_day_plan {
    uint32_t route_count;
    const struct ht_day_route *routes; /* by van; those that stay are not in it */
    uint32_t unserved_count;
    const struct ht_day_unserved *unserved; /* by order */
    uint32_t moved;                         /* orders on another van than so far */
    int64_t cost; /* with what moving and being late cost; in 1 / HT_COST_SCALE */
    uint64_t iterations;
    int64_t time_ms;
};

struct ht_day_options {
    int64_t limit_ms; /* as of engine/plan/solve.h */
    uint64_t iterations;
    unsigned threads;
    uint64_t seed;
    bool anew;   /* the running plan is worth nothing: it is not begun with (but moves cost) */
    bool single; /* each order a task of its own from the first */
    const bool *cancel;
};

/* HT_INVALID, HT_RANGE, HT_TOO_BIG: the problem contradicts itself, and where; HT_NOMEM;
 * HT_CANCELLED. An order that can't be brought is no error. */
HT_MUST_CHECK enum ht_status ht_day_run(const struct ht_day_problem *problem,
                                        const struct ht_day_options *options,
                                        struct ht_day_plan **out, struct ht_error *error);
void ht_day_free(struct ht_day_plan *plan);

/* Whether a plan keeps every rule and tells times, loads and cost right; written from this header
 * alone. HT_INVALID with the first rule that is broken; HT_NOMEM. In builds without NDEBUG every
 * plan of ht_day_run goes through it. */
HT_MUST_CHECK enum ht_status ht_day_check(const struct ht_day_problem *problem,
                                          const struct ht_day_plan *plan, struct ht_error *error);

#endif
