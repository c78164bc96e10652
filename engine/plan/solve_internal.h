/* Inside the solver: the problem made fast (model), routes that know their slack (route), where an
 * item fits into them (spot; plain: the same where there is little to look at, which is most of the
 * time; trip: what a route without breaks costs, with reloads and rides), the walk of one thread
 * (search), the times of the answer (plan).
 *
 * Threading: a model is read-only once made; a search belongs to one thread.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_INTERNAL_H
#define HT_ENGINE_PLAN_SOLVE_INTERNAL_H

#include <string.h>

#include "engine/plan/solve.h"

#define HT__FAR (INT64_MAX / 4) /* a time that never comes */
enum { HT__STATES = HT_PLAN_BREAKS_MOST + 1, HT__NEAR_MOST = 200 };

/* ---- model ---- */

/* A way from one location to another; `other` is metres, or the cost of a given matrix. */
struct ht__cell {
    uint32_t duration_s;
    uint32_t other;
};

/* Vehicles that are alike. Their start and end, where there is none, is the location behind the
 * last, from and to which all is free. */
struct ht__class {
    const struct ht__cell *cells; /* [stride * stride] */
    const struct ht__cell *back;  /* the same, to and from exchanged; NULL: too large */
    uint32_t stride;
    int64_t per_task; /* second of setup and service */
    bool light;       /* there are breaks that need some room on board */
    bool plain; /* no breaks, setups, rides, prices of time or limits of length; one window a task
                   at most */
    uint32_t start;
    uint32_t end;
    int64_t per_second;
    int64_t per_other;
    int64_t fixed;
    struct ht_window window;
    const int64_t *capacity;
    const struct ht_plan_break *breaks;
    uint32_t break_count;
    bool at_once;
    uint32_t tasks_most;
    uint64_t reloads;
    uint32_t reloads_most; /* in one route, those in a row as one */
    int64_t travel_most_s;
    int64_t distance_most_m;
    const uint32_t *distance_m; /* NULL: no limit; [locations * locations] */
    uint32_t location_count;
    const uint32_t *service_s; /* [tasks] */
    const uint32_t *setup_s;   /* [tasks] */
    uint8_t *reason;           /* [tasks] enum ht_plan_reason: whether it may serve it at all */
    uint32_t *vehicles;
    uint32_t vehicle_count;
};

struct ht__model {
    const struct ht_problem *problem;
    const struct ht_task *tasks; /* the problem's, and behind them its reloads as jobs */
    uint32_t stops;              /* of both: what stands in routes */
    uint32_t stops_most;         /* in all routes together */
    struct ht__class *classes;
    uint32_t class_count;
    uint32_t *class_of;          /* [vehicles] */
    uint32_t *place_of;          /* [vehicles] in the list of their class */
    const struct ht__cell *back; /* of all profiles; NULL: too large */
    uint32_t *location;          /* [tasks] */
    uint32_t *stand;             /* [locations + 1] where the vehicle stands meanwhile */
    uint32_t *near;              /* [tasks * near_count] other tasks, nearest first */
    uint32_t near_count;
    int64_t *pickup; /* [tasks * amounts] of jobs */
    int64_t *delivery;
    int64_t *shift;  /* of shipments: + and - */
    uint32_t *items; /* jobs and pickups that somebody can serve */
    uint32_t item_count;
    uint8_t *reason;  /* [tasks] why nobody can */
    int64_t *open_s;  /* [tasks] their first window's begin, -HT__FAR: any time */
    int64_t *close_s; /* their last one's end; HT__FAR */
    bool setups;      /* there are any */
    bool rides;       /* a load may not ride for as long as one likes, or is not ready yet */
    bool boards;      /* where loads come on board differs: there are reloads, or rides */
    bool tagged;      /* what some tasks deliver is not at every reload */
    bool homes;       /* to move tasks costs something */
    bool due;         /* being late costs something */
    bool trials;      /* places are tried out: struct ht__spots */
    bool deliveries;  /* nothing is picked up, so a load is greatest at the start */
    bool fixed;       /* a vehicle costs something by itself */
    int64_t scale;    /* the cost of a usual way between stops */
    void *blocks[12];
    uint32_t block_count;
};

HT_MUST_CHECK enum ht_status ht__model_new(const struct ht_problem *problem,
                                           struct ht__model **out);
void ht__model_free(struct ht__model *model);
/* Whether no sum of costs of any answer can overflow. */
bool ht__costs_fit(const struct ht__model *model);

/* By what items are put in, the least first: orders 0 to HT__ORDERS. */
enum { HT__ORDERS = 5 };
int64_t ht__item_key(const struct ht__model *model, uint32_t order, uint32_t item);

static inline const struct ht_task *ht__task(const struct ht__model *model, uint32_t task)
{
    return &model->tasks[task];
}
static inline bool ht__is_reload(const struct ht__model *model, uint32_t stop)
{
    return stop >= model->problem->task_count;
}
/* A job or a shipment is known by its first task; this is its last. */
static inline uint32_t ht__item_last(const struct ht__model *model, uint32_t item)
{
    return ht__task(model, item)->kind == HT_TASK_PICKUP ? item + 1 : item;
}
static inline uint32_t ht__item_of(const struct ht__model *model, uint32_t task)
{
    return ht__task(model, task)->kind == HT_TASK_DELIVERY ? task - 1 : task;
}

static inline const struct ht__cell *ht__way(const struct ht__class *c, uint32_t from, uint32_t to)
{
    return &c->cells[(size_t)from * c->stride + to];
}
/* Whether the vehicle stands elsewhere: a setup is needed. */
static inline bool ht__apart(const struct ht__model *model, uint32_t from, uint32_t to)
{
    return model->stand[from] != model->stand[to];
}
/* What its length costs a route, so that all become alike. */
static inline int64_t ht__balance(const struct ht__model *model, int64_t spent_s)
{
    return model->problem->balance == 0 ? 0 : model->problem->balance * spent_s * spent_s / 720;
}
/* Ways to a location: from each other at [from * *step]. */
static inline const struct ht__cell *ht__ways_to(const struct ht__class *c, uint32_t to,
                                                 size_t *step)
{
    *step = c->back == NULL ? c->stride : 1;
    return c->back == NULL ? c->cells + to : c->back + (size_t)to * c->stride;
}
static inline int64_t ht__price(const struct ht__class *c, const struct ht__cell *cell)
{
    return (int64_t)cell->duration_s * c->per_second + (int64_t)cell->other * c->per_other;
}
static inline int64_t ht__metres(const struct ht__class *c, uint32_t from, uint32_t to)
{
    return c->distance_m == NULL || from >= c->location_count || to >= c->location_count
               ? 0
               : c->distance_m[(size_t)from * c->location_count + to];
}

/* When one may begin who arrives then: HT__FAR, never. */
static inline int64_t ht__begin(const struct ht_window *windows, uint32_t count, int64_t arrival_s)
{
    if (count == 0) {
        return arrival_s;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (arrival_s <= windows[i].to_s) {
            return arrival_s > windows[i].from_s ? arrival_s : windows[i].from_s;
        }
    }
    return HT__FAR;
}

/* ---- times with breaks ---- */

/* arrive[k]: the earliest arrival with k breaks taken, of who leaves at leave[..] and drives so
 * long. [break_count + 1] both; HT__FAR: can't be. */
/* On a way: so long, and `may` a bit for each break that can be taken with what is on board. */
struct ht__leg {
    uint32_t travel_s;
    uint32_t may;
};
void ht__arrive_breaks(const struct ht__class *c, const int64_t *leave, struct ht__leg leg,
                       int64_t *arrive);
static inline void ht__arrive(const struct ht__class *c, const int64_t *leave, struct ht__leg leg,
                              int64_t *arrive)
{
    if (c->break_count == 0) {
        arrive[0] = leave[0] + leg.travel_s;
    } else {
        ht__arrive_breaks(c, leave, leg, arrive);
    }
}
/* The latest departures that keep the latest arrivals `latest`; -HT__FAR: can't be. */
void ht__depart(const struct ht__class *c, const int64_t *latest, struct ht__leg leg,
                int64_t *depart);

/* ---- routes ---- */

/* Positions: 0 is the start, 1 to count the stops, count + 1 the end. */
struct ht__route {
    const struct ht__class *c;
    uint32_t vehicle;
    uint32_t count;
    uint32_t pinned;  /* stops at the front that stay */
    uint32_t reloads; /* of the stops */
    uint32_t runs;    /* of reloads in a row */
    uint32_t room;    /* positions that the arrays hold */
    int64_t cost;     /* with the fixed part; 0 where it is empty */
    int64_t travel_s;
    int64_t distance_m;
    uint64_t stamp;     /* of the searcher, for what it remembers; 0: changed since */
    uint32_t *task;     /* [positions] */
    uint32_t *location; /* [positions] */
    int64_t *leave;     /* [positions * states] the earliest */
    int64_t *latest;    /* [positions * states] arrival */
    uint32_t *way_s;    /* [positions] to the next */
    int64_t *edge;      /* [positions] what the way to the next costs; of an empty one -fixed */
    int64_t *hold;      /* [positions] it begins no earlier, lest a load rides too long */
    /* [positions] Where boards differ: the position at which what a stop delivers came on board,
     * how many jobs' loads do there, and the reloads (a bit each) passed up to here. */
    uint32_t *board;
    uint32_t *aboard;
    uint64_t *loaded;
    /* [positions] Where there are rides: the time of work and travel behind the stop, without any
     * waiting, and by how much the way to it may get longer for what is on board. */
    int64_t *work_s;
    int64_t *slack_s;
    int64_t *load;      /* [positions * amounts] behind the stop */
    int64_t *most_to;   /* the greatest load up to and with it */
    int64_t *most_from; /* from there on */
};

HT_MUST_CHECK enum ht_status ht__route_room(const struct ht__model *model, struct ht__route *route,
                                            uint32_t stops);
void ht__route_deinit(struct ht__route *route);
HT_MUST_CHECK enum ht_status ht__route_copy(const struct ht__model *model, struct ht__route *to,
                                            const struct ht__route *from);
/* After its stops changed: all that it knows. False: it breaks a rule. */
bool ht__route_update(const struct ht__model *model, struct ht__route *route);

/* Which breaks can be taken behind position i. */
uint32_t ht__route_may_break(const struct ht__model *model, const struct ht__route *route,
                             uint32_t i);
static inline struct ht__leg ht__leg(const struct ht__model *model, const struct ht__route *route,
                                     uint32_t i, uint32_t travel_s)
{
    return (struct ht__leg){travel_s,
                            route->c->light ? ht__route_may_break(model, route, i) : UINT32_MAX};
}

/* Its loads alone, and (behind) the greatest from each position on; false: more than it holds. */
bool ht__route_loads(const struct ht__model *model, struct ht__route *route);
void ht__route_loads_behind(const struct ht__model *model, struct ht__route *route);
/* Its boards, reloads and runs alone; false: delivers what it did not load. */
bool ht__boards_set(const struct ht__model *model, struct ht__route *route);
/* Where the class has no breaks: cost, loads and earliest times; false: it breaks a rule. */
bool ht__trip_price(const struct ht__model *model, struct ht__route *route);
/* Leaves out trips without a job, and reloads that are not needed any more; false: what remains
 * breaks a rule. */
bool ht__route_settle(const struct ht__model *model, struct ht__route *route);
/* What is asked of rides when a place is looked for. */
void ht__rides_set(const struct ht__model *model, struct ht__route *route);
/* What serving a task costs more because it leaves its home. */
static inline int64_t ht__moved(const struct ht__model *model, uint32_t vehicle, uint32_t task)
{
    const struct ht_task *moved = ht__task(model, task);
    return moved->move_cost == 0 || moved->home == vehicle || moved->kind == HT_TASK_DELIVERY
               ? 0
               : moved->move_cost * HT_COST_SCALE;
}
/* The same where the class is plain, but for `travel_s`, `distance_m` and (of a model with nothing
 * but deliveries) loads behind the start. */
bool ht__plain_update(const struct ht__model *model, struct ht__route *route);
static inline bool ht__route_refresh(const struct ht__model *model, struct ht__route *route)
{
    return route->c->plain ? ht__plain_update(model, route) : ht__route_update(model, route);
}

/* When one can leave a task who arrives at these times; false: never. */
static inline bool ht__stop_leave(const struct ht__model *model, const struct ht__class *c,
                                  uint32_t task, bool moved, int64_t *times)
{
    const struct ht_task *stop = ht__task(model, task);
    uint32_t spent_s = c->service_s[task] + (moved ? c->setup_s[task] : 0);
    bool can = false;
    for (uint32_t k = 0; k <= c->break_count; k++) {
        int64_t begin_s = ht__begin(stop->windows, stop->window_count, times[k]);
        times[k] = begin_s >= HT__FAR ? HT__FAR : begin_s + spent_s;
        can = can || times[k] < HT__FAR;
    }
    return can;
}
static inline bool ht__in_time(const struct ht__class *c, const int64_t *arrive,
                               const int64_t *latest)
{
    for (uint32_t k = 0; k <= c->break_count; k++) {
        if (arrive[k] <= latest[k]) {
            return true;
        }
    }
    return false;
}

/* ---- where an item fits ---- */

/* Where an item goes: behind position `first` and (a shipment's delivery) `last`, counted before
 * either is put in. */
struct ht__spot {
    int64_t cost; /* more than before; INT64_MAX: there is none */
    uint32_t first;
    uint32_t last;
    uint32_t reload; /* the stop (a reload) that comes with a job, behind `first`; 0: none */
    bool before;     /* the job, not behind it; only at one place */
};

/* The cheapest places so far, by cost; what is not cheaper than the last is not looked for. */
enum { HT__SPOTS = 2 };
struct ht__spots {
    struct ht__spot best[HT__SPOTS];
    uint32_t most; /* so many are kept */
    /* Where each place is tried out before it counts, since what it costs and whether it is one
     * hangs on the whole route; NULL: it is not needed. With room for any. */
    struct ht__route *trial;
};
static inline int64_t ht__spots_bound(const struct ht__spots *spots)
{
    return spots->best[spots->most - 1].cost;
}
static inline void ht__spots_add(struct ht__spots *spots, struct ht__spot spot)
{
    uint32_t at = spots->most - 1;
    while (at > 0 && spots->best[at - 1].cost > spot.cost) {
        spots->best[at] = spots->best[at - 1];
        at--;
    }
    spots->best[at] = spot;
}

/* Overlooks places by chance: `left` of them are looked at, then one is not. */
struct ht__blink {
    uint64_t random;
    uint32_t left;
    float per_log; /* 0: never */
};
uint64_t ht__random(uint64_t *state);
void ht__blink_next(struct ht__blink *blink);
static inline bool ht__overlooked(struct ht__blink *blink)
{
    if (blink->left > 0) {
        blink->left--;
        return false;
    }
    ht__blink_next(blink);
    return true;
}

/* Whether a job's load fits in behind position i. */
static inline bool ht__job_fits(const struct ht__model *model, const struct ht__route *route,
                                uint32_t i, uint32_t task)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        size_t at = task * amounts + d;
        if (model->deliveries) {
            if (route->load[d] + model->delivery[at] > route->c->capacity[d]) {
                return false;
            }
        } else if (route->most_to[i * amounts + d] + model->delivery[at] > route->c->capacity[d] ||
                   route->most_from[i * amounts + d] + model->pickup[at] > route->c->capacity[d]) {
            return false;
        }
    }
    return true;
}

/* Adds the places of an item in the route that are cheaper. */
void ht__route_spots(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                     struct ht__blink *blink, struct ht__spots *spots);
/* Likewise, where the route's class is plain; what it asks for is held against the other in tests.
 */
void ht__plain_spots(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                     struct ht__blink *blink, struct ht__spots *spots);
/* Puts it there and updates; false: it breaks a rule after all (stops may then be anything but
 * that). Room is the caller's matter. */
bool ht__route_put(const struct ht__model *model, struct ht__route *route, uint32_t item,
                   const struct ht__spot *spot);
bool ht__plain_put(const struct ht__model *model, struct ht__route *route, uint32_t item,
                   const struct ht__spot *spot);

/* Puts into a route what it takes of the items that no route has (`route_of`: HT_PLAN_NONE), trip
 * by trip. HT_NOMEM; the route keeps all rules in any case. */
HT_MUST_CHECK enum ht_status ht__route_fill(const struct ht__model *model, struct ht__route *route,
                                            struct ht__route *trial, const uint32_t *route_of);

/* ---- answers ---- */

/* Routes of an answer as lists of stops, for keeping. */
struct ht__answer {
    uint32_t *stops;  /* [stops_most] one route after the other, reloads with them */
    uint32_t *counts; /* [vehicles] */
    int64_t missing;  /* what is lost by absent items */
    uint32_t absent;
    uint32_t used;
    int64_t cost;
};

HT_MUST_CHECK enum ht_status ht__answer_init(const struct ht__model *model,
                                             struct ht__answer *answer);
void ht__answer_deinit(struct ht__answer *answer);
void ht__answer_copy(const struct ht__model *model, struct ht__answer *to,
                     const struct ht__answer *from);
static inline bool ht__answer_better(const struct ht__answer *a, const struct ht__answer *b)
{
    return a->missing != b->missing ? a->missing < b->missing : a->cost < b->cost;
}

/* ---- one thread's walk ---- */

enum ht__goal {
    HT__GATHER, /* to serve all, with one vehicle less each time that works */
    HT__POLISH  /* to cost less */
};

struct ht__search;

HT_MUST_CHECK enum ht_status ht__search_new(const struct ht__model *model, uint64_t seed,
                                            struct ht__search **out);
void ht__search_free(struct ht__search *search);

/* The first answer: the vehicles' own tasks, then all others where they cost least. HT_INVALID:
 * pinned tasks of `*vehicle` can't be kept, or (`whole`) all of a list without such. */
HT_MUST_CHECK enum ht_status ht__search_begin(struct ht__search *search, bool whole,
                                              uint32_t *vehicle);

struct ht__round {
    enum ht__goal goal;
    uint64_t iterations;
    double heat_from; /* temperature, falling over the round */
    double heat_to;
    int64_t deadline_ns; /* of CLOCK_MONOTONIC; 0: none */
    const bool *cancel;
    uint32_t fewest; /* vehicles: there is no need to try with fewer */
};

/* Walks on; HT_NOMEM leaves the best as it is. `*done`: iterations. */
HT_MUST_CHECK enum ht_status ht__search_round(struct ht__search *search,
                                              const struct ht__round *round, uint64_t *done);
/* The best so far. */
const struct ht__answer *ht__search_best(const struct ht__search *search);
/* Goes on from an answer of the same model, and has it as its best if it is better. */
HT_MUST_CHECK enum ht_status ht__search_adopt(struct ht__search *search,
                                              const struct ht__answer *answer);
/* Gives up about such a part of the routes, and goes on from what is left, with no more vehicles
 * where these cost something. */
HT_MUST_CHECK enum ht_status ht__search_stray(struct ht__search *search, double part);
/* The cost of where it stands; INT64_MAX with anything absent. */
int64_t ht__search_stand(const struct ht__search *search);

/* ---- the answer in full ---- */

HT_MUST_CHECK enum ht_status ht__plan_make(const struct ht__model *model,
                                           const struct ht__answer *answer, struct ht_plan **out);

#endif
