/* Inside one thread's walk: what it holds, and what its parts (ruin, recreate, first) share.
 *
 * Threading: a search belongs to one thread. Ownership: all of it is the search's.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_SEARCH_H
#define HT_ENGINE_PLAN_SOLVE_SEARCH_H

#include "engine/plan/solve_internal.h"

/* The cheapest places of an item in a route as it was at some time: what a step did not change, or
 * undid, is not asked for again. With `first` HT_PLAN_NONE: there is none that costs less. */
struct ht__memo {
    uint64_t key; /* of the route's stamp and the item */
    struct ht__spot best[HT__SPOTS];
};

struct ht__search {
    const struct ht__model *model;
    struct ht__memo *memo;
    size_t memo_mask;
    uint32_t *unknown;        /* [vehicles] routes whose places are not remembered */
    uint64_t stamp;           /* the last that was given */
    struct ht__route scratch; /* struct ht__spots */
    uint32_t *free_from;      /* [classes] no vehicle before this one of its list is empty */
    struct ht__route *routes; /* [vehicles] */
    struct ht__route *kept;   /* as they were before this iteration */
    uint32_t kept_count;
    uint32_t kept_room;
    uint64_t *touched; /* [vehicles] the iteration that kept it last */
    uint64_t now;
    uint32_t *used;    /* vehicles with stops */
    uint32_t *used_at; /* [vehicles] where in `used`; HT_PLAN_NONE */
    uint32_t used_count;
    uint32_t *route_of; /* [tasks]; HT_PLAN_NONE: absent */
    uint32_t *absent;   /* items */
    uint32_t absent_count;
    uint32_t *absent_kept;
    uint32_t absent_kept_count;
    uint32_t *trial;    /* items to put in, in order */
    int64_t *key;       /* [tasks] of the order */
    uint32_t *absences; /* [tasks] */
    uint8_t *pinned;    /* [tasks] never taken out */
    /* Items that the vehicles' lists did not have: that is where a running plan changes. */
    uint32_t *fresh;
    uint32_t fresh_count;
    int64_t missing; /* sum of weights of the absent */
    int64_t cost;
    /* A step is undone, and need not be gone on with, when it comes to this cost (with all served
     * before; INT64_MAX: it is not known), or to more than this sum of absences. */
    int64_t limit;
    int64_t absent_limit;
    uint32_t failed;    /* absent items that found no place before it was given up */
    uint32_t used_most; /* vehicles it may use */
    struct ht__blink blink;
    uint64_t random;
    struct ht__answer best;
};

/* Of an item's tasks together: a shipment is two. */
static inline int64_t ht__search_weight(const struct ht__model *model, uint32_t item)
{
    const struct ht_task *task = ht__task(model, item);
    int64_t weight = (int64_t)task->priority * (model->problem->task_count + 1) + 1;
    return task->kind == HT_TASK_PICKUP ? 2 * weight : weight;
}

static inline uint32_t ht__search_below(struct ht__search *s, uint32_t bound)
{
    return (uint32_t)(((ht__random(&s->random) >> 32) * bound) >> 32);
}

static inline double ht__search_chance(struct ht__search *s)
{
    return (double)(ht__random(&s->random) >> 11) * 0x1p-53;
}

static inline struct ht__route *ht__search_trial_of(struct ht__search *s)
{
    return s->model->trials ? &s->scratch : NULL;
}

static inline void ht__search_owner_set(struct ht__search *s, uint32_t item, uint32_t v)
{
    s->route_of[item] = v;
    s->route_of[ht__item_last(s->model, item)] = v;
}

static inline void ht__search_item_absent(struct ht__search *s, uint32_t item)
{
    ht__search_owner_set(s, item, HT_PLAN_NONE);
    s->absent[s->absent_count++] = item;
    s->missing += ht__search_weight(s->model, item);
}

/* How often an item was left over, by its importance. */
static inline int64_t ht__search_absence(const struct ht__search *s, uint32_t item)
{
    return (int64_t)s->absences[item] * (1 + ht__task(s->model, item)->priority);
}

/* After a route's number of stops changed: whether its vehicle is in use. */
void ht__search_used_fix(struct ht__search *s, uint32_t v);
/* Keeps a route as it is before it is changed for the first time in a step. */
HT_MUST_CHECK enum ht_status ht__search_touch(struct ht__search *s, uint32_t v);
/* What stands is the best where it is better. */
bool ht__search_best_try(struct ht__search *s);

/* Takes strings out of routes; what is out is absent. */
HT_MUST_CHECK enum ht_status ht__search_ruin(struct ht__search *s);
/* Instead of these two: some pair of vehicles of unlike classes exchanges its routes. `done` is
 * false where the two may not, or it breaks a rule; then the step is to be undone. */
HT_MUST_CHECK enum ht_status ht__search_trade(struct ht__search *s, bool *done);
/* Marks a task's item absent, unless it is pinned; its route is the caller's to pack. */
void ht__search_stop_out(struct ht__search *s, uint32_t task);
/* Puts back those absent from `fresh_from` on, and some of those before. Gives up where the step
 * is certain to be undone (struct ht__search, limit). */
HT_MUST_CHECK enum ht_status ht__search_recreate(struct ht__search *s, uint32_t fresh_from);

#endif
