/* What learning.c, learning_store.c and learning_show.c share. Not a door. */
#ifndef HT_API_LEARNING_INTERNAL_H
#define HT_API_LEARNING_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/learning.h"

enum { HT_LEARNING_PROFILES = 16 };

/* What is known of a profile's streets in the quarter that was looked at last. */
struct ht_learning_profile {
    char name[HT_NAME_MAX + 1];
    uint32_t arcs;
    struct ht_learned learned;
};

struct ht_learning_counts {
    uint64_t taken;
    uint64_t dropped; /* too many waited */
    uint64_t full;    /* too many units */
    uint64_t late;
    uint64_t lost;
    uint64_t foreign; /* of no van, or over no streets for motors */
    uint64_t drives;
    struct ht_speeds_counts speeds;
};

/* What the metric is to be like. */
struct ht_learning_wish {
    bool follow;
    bool look; /* what is known is to be counted */
    int64_t least;
    uint32_t quarter;
    size_t swaps; /* of maps, so far; SIZE_MAX: none was obeyed */
};

struct ht_learning {
    struct ht_app *app;
    pthread_t thread;
    bool started;
    atomic_bool learns;
    atomic_uint_least64_t version;
    atomic_bool saving;  /* a job is on its way */
    atomic_bool unsaved; /* what was handed over is lost */

    pthread_mutex_t table_lock; /* the two that follow; taken after `lock`, if both are */
    struct ht_speeds *speeds;
    struct ht_learn *learn;

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    bool stop;
    bool hurry;
    bool merged;
    struct ht_learn_fix *ring;
    size_t ring_first;
    size_t ring_count;
    struct ht_learning_counts shown;
    struct ht_learning_profile profiles[HT_LEARNING_PROFILES];
    size_t profile_count;
    uint32_t looked; /* the quarter; HT_SPEEDS_QUARTERS: none yet */
    bool follows;

    struct ht_map *map; /* the thread's: whose streets are learned; held */
    struct ht_learning_counts counts;
    struct ht_learning_wish obeyed;
    int catch_up;
    int64_t saved_s;
};

/* Reads the table. */
HT_MUST_CHECK enum ht_status ht__learning_load(struct ht_learning *learning,
                                               struct ht_error *error);
/* Hands what has changed to the writer; `all`: in one job, since no more can come. */
void ht__learning_save(struct ht_learning *learning, bool all);

#endif
