/* What the files of underway share. Not a door.
 *
 *   underway          positions, vans, the thread; what is recognized, and what is learned by it
 *   underway_reckon   ways and bands, and who is told of them
 *   underway_call     the driver's word
 *   underway_recall   after a restart: where they were
 */
#ifndef HT_API_UNDERWAY_INTERNAL_H
#define HT_API_UNDERWAY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/arrivals.h"
#include "api/planner_ahead.h"
#include "api/underway.h"
#include "engine/base/names.h"

/* A van of the plan. All under the room's lock. */
struct ht__van {
    char unit[HT_UNIT_ID_MAX + 1];
    struct ht_live_unit live;
    struct ht_progress progress;
    struct ht_point *way; /* to way_to; NULL: none */
    size_t way_count;
    struct ht_point way_to;
    uint32_t first_ms; /* to the first stop ahead, at first_at_ms; UINT32_MAX: not known */
    int64_t first_at_ms;
    bool stood; /* where it has stood since it was first seen, or loaded first: `stood_at` */
    struct ht_point stood_at;
    bool left;       /* a stop just now: the way that is reckoned next is learned from */
    uint32_t leg_ms; /* that way; 0: none */
    struct ht_point leg_to;
    int64_t leg_from_ms;
    uint64_t compound;  /* of the stop that it is at */
    int64_t planned_ms; /* what is to be done there */
    int64_t from_ms;    /* since when that can be done */
    bool routed;        /* it has stops in the plan */
    bool recalled;      /* from before the start, and no plan has named it yet */
    bool due;           /* to be reckoned anew */
    /* What the driver's word wrote while positions said the same: theirs is not written besides. */
    struct ht_progress_event said[HT_PROGRESS_EVENTS];
    size_t said_count;
    int64_t reckoned_ms; /* steady */
};

/* A position that waits. */
struct ht__seen {
    struct ht_live_unit unit;
    struct ht_progress_fix fix;
};

/* What waits to be written. */
struct ht__note {
    char kind[24];
    char unit[HT_UNIT_ID_MAX + 1];
    enum ht_progress_kind what;
    struct ht_point stop;
    char *body;
};

struct ht_underway {
    struct ht_app *app;
    struct ht_app_context *context; /* the thread's */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* what follows, down to `stats` */
    pthread_cond_t wake;
    bool stop;
    uint64_t looks_wanted; /* ht_underway_obey */
    uint64_t looks_done;
    struct ht__seen *ring;
    size_t ring_first;
    size_t ring_count;
    struct ht__van *vans;
    size_t van_count;
    size_t van_capacity;
    struct ht_underway_stats stats;
    atomic_uint_least64_t watched[64]; /* bits of units' numbers, folded: who is under way */
    struct ht__note *notes;            /* this and below the thread's */
    size_t note_count;
    size_t note_capacity;
    struct ht_names kept;                      /* forecasts of orders (underway_reckon) */
    const struct ht_planner_plan *looked_plan; /* only compared */
    uint64_t looked_changes;
    int64_t judged_ms; /* steady */
};

/* NULL: none. Needs the lock. */
struct ht__van *ht__underway_van(struct ht_underway *underway, const char *unit);
/* A new one; NULL: out of memory. Needs the lock. */
struct ht__van *ht__underway_van_add(struct ht_underway *underway, const char *unit);
/* Looks at the positions of the vans that there are now. Needs the lock. */
void ht__underway_watch(struct ht_underway *underway);
/* Where vans were when the events of the store were told; before the thread begins. */
HT_MUST_CHECK enum ht_status ht__underway_recall(struct ht_underway *underway);

/* What follows from something recognized for what is learned. Needs the lock. */
void ht__underway_learn(struct ht_underway *underway, struct ht__van *van,
                        const struct ht_planner_ahead *ahead,
                        const struct ht_progress_event *event);
/* The kind of an event's row, and its body. False: out of memory. */
const char *ht__underway_kind(enum ht_progress_kind kind);
bool ht__underway_body(struct ht_buffer *out, const char *unit,
                       const struct ht_planner_ahead *ahead, const struct ht_progress_event *event,
                       bool told);
/* The points of what is ahead, each place once in a row; stops[0..ahead->count). */
uint32_t ht__underway_points(const struct ht_planner_ahead *ahead, struct ht_point *stops);

/* Reckons the vans that are due. */
void ht__underway_reckon(struct ht_underway *underway, const struct ht_planner_plan *plan);
/* Holds forecasts against orders that came. */
void ht__underway_judge(struct ht_underway *underway);
void ht__underway_kept_free(struct ht_underway *underway);

#endif
