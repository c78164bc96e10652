/* Tours: routes that may break rules at a price, and a local search over them. The price of being
 * late is that of the time one would have to go back to be in time at each stop (Nagata, Braysy and
 * Dullaert 2010; Vidal et al. 2013), so that an answer may be reached through what is none:
 *
 *      leave 10:20      begin 10:00     (a window that closed at 10:00)
 *      u  ------------>  v              arrives 10:25: goes back 25 minutes, and goes on at 10:00
 *
 * Each stop knows when one leaves it and how far was gone back up to it, and how late one may begin
 * there, and how far is gone back behind it even then; what a move costs follows in constant time
 * where it joins a front of one route to the rest of another.
 *
 * For problems of one class of vehicles, plain (engine/plan/solve_internal.h), with deliveries of
 * one amount at most. Threading: one thread. Ownership: all of it is the caller's to deinit.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_TOURS_H
#define HT_ENGINE_PLAN_SOLVE_TOURS_H

#include "engine/plan/solve_internal.h"

/* What a stop asks for; [0] is where routes begin and end. */
struct ht__need {
    int64_t open_s;
    int64_t close_s;
    int64_t service_s;
    int64_t load;
};

/* A stop in a route (1 to count), or the begin or the end of one. */
struct ht__knot {
    uint32_t next;
    uint32_t prev;
    uint32_t route;
    uint32_t at; /* the row of its ways: itself, or 0 */
    uint32_t position;
    int64_t leave_s;
    int64_t latest_s;
    int64_t back_s;   /* gone back up to it */
    int64_t behind_s; /* and behind it, by who begins there no later than latest_s */
    int64_t load;     /* of the stops up to it */
    int64_t onward;   /* what the ways up to it cost */
    int64_t backward; /* and the other way round */
};

struct ht__line {
    uint32_t begin;
    uint32_t end;
    uint32_t count;
    int64_t load;
    int64_t back_s;
    double fee; /* for the rules that it breaks */
    uint64_t changed;
};

struct ht__tours {
    const struct ht__model *model;
    const struct ht__class *c;
    uint32_t count; /* stops */
    uint32_t fleet; /* routes */
    uint32_t stride;
    struct ht__cell *cells; /* [stride * stride] */
    struct ht__need *needs; /* [stride] */
    uint32_t *near;         /* [stride * near_count] who might come next to whom */
    uint32_t near_count;
    struct ht__knot *knots; /* [stride + 2 * fleet] */
    struct ht__line *lines; /* [fleet] */
    int64_t capacity;       /* INT64_MAX: there is no load */
    int64_t fixed;          /* for a route with stops */
    double per_load;
    double per_second; /* gone back */
    double gain;       /* what is less is none */
    uint32_t *order;   /* [count] for the search */
    uint32_t *block;   /* [count] */
    uint64_t *tested;  /* [stride] */
    uint64_t moves;
    uint64_t looks; /* pairs that were looked at, ever */
    uint64_t random;
    int64_t deadline_ns; /* 0: none */
    const bool *cancel;
    bool over; /* the search was cut short */
};

/* Whether the model is of this kind. */
bool ht__tours_can(const struct ht__model *model);
/* HT_NOMEM: deinit it all the same. HT_INVALID: there is no way between some. */
HT_MUST_CHECK enum ht_status ht__tours_init(const struct ht__model *model, uint32_t fleet,
                                            struct ht__tours *out);
void ht__tours_deinit(struct ht__tours *tours);

/* No stop is in any route. */
void ht__tours_empty(struct ht__tours *tours);
/* Appends a stop to a route, which is to be updated then. */
void ht__tours_append(struct ht__tours *tours, uint32_t route, uint32_t stop);
/* After its stops, or the prices, changed. */
void ht__tours_update(struct ht__tours *tours, uint32_t route);
void ht__tours_price(struct ht__tours *tours);
/* Puts in a stop that no route has where that is cheapest. */
void ht__tours_put(struct ht__tours *tours, uint32_t stop);
/* Moves stops until no move that it knows makes it cheaper (solve_improve.c). */
void ht__tours_improve(struct ht__tours *tours);
bool ht__tours_over(struct ht__tours *tours);

static inline uint32_t ht__tours_below(struct ht__tours *tours, uint32_t bound)
{
    return (uint32_t)(((ht__random(&tours->random) >> 32) * bound) >> 32);
}
void ht__tours_shuffle(struct ht__tours *tours, uint32_t *list, uint32_t count);

static inline const struct ht__cell *ht__tours_way(const struct ht__tours *tours, uint32_t from,
                                                   uint32_t to)
{
    return &tours->cells[(size_t)from * tours->stride + to];
}
static inline int64_t ht__tours_cost(const struct ht__tours *tours, uint32_t from, uint32_t to)
{
    return ht__price(tours->c, ht__tours_way(tours, from, to));
}
static inline double ht__tours_fee(const struct ht__tours *tours, int64_t load, int64_t back_s)
{
    int64_t much = load - tours->capacity;
    return (much > 0 ? (double)much * tours->per_load : 0) + (double)back_s * tours->per_second;
}

/* A walk along stops: when it leaves the last, and how far it went back. */
struct ht__walk {
    int64_t leave_s;
    int64_t back_s;
    uint32_t at;
};
static inline struct ht__walk ht__walk_from(const struct ht__knot *knot)
{
    return (struct ht__walk){knot->leave_s, knot->back_s, knot->at};
}
static inline void ht__walk_to(const struct ht__tours *tours, struct ht__walk *walk, uint32_t at)
{
    const struct ht__need *need = &tours->needs[at];
    int64_t begin_s = walk->leave_s + ht__tours_way(tours, walk->at, at)->duration_s;
    begin_s = begin_s < need->open_s ? need->open_s : begin_s;
    int64_t late_s = begin_s - need->close_s;
    late_s = late_s > 0 ? late_s : 0;
    walk->back_s += late_s;
    walk->leave_s = begin_s - late_s + need->service_s;
    walk->at = at;
}
/* Joins the rest of a route; how far is gone back in all. */
static inline int64_t ht__walk_join(const struct ht__tours *tours, const struct ht__walk *walk,
                                    const struct ht__knot *rest)
{
    int64_t late_s =
        walk->leave_s + ht__tours_way(tours, walk->at, rest->at)->duration_s - rest->latest_s;
    return walk->back_s + (late_s > 0 ? late_s : 0) + rest->behind_s;
}

#endif
