/* The inside of the desk room: for desk_room.c, desk_choose.c and desk_time.c alone. */
#ifndef HT_API_DESK_ROOM_INTERNAL_H
#define HT_API_DESK_ROOM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/desk_room.h"
#include "geodata/store.h"

struct ht_desk_room {
    struct ht_app *app;
    struct ht_desk *desk;
    struct ht_incident_places *places;
    pthread_rwlock_t rules_lock; /* the writer alone changes them, and reads without it */
    struct ht_incident_rules *rules;
    atomic_uint_least64_t last_id; /* the writer alone changes it, or the follower */
    atomic_int_least64_t due_ms;
    /* the thread that looks after time */
    pthread_t thread;
    struct ht_app_context *context; /* its own */
    pthread_mutex_t lock;           /* of what follows */
    pthread_cond_t wake;
    uint64_t rounds_wanted; /* by who moved the clock */
    uint64_t rounds_done;
    bool started;
    bool stop;
    bool job_over;
    atomic_bool units_changed;     /* without the lock */
    atomic_bool clocks_changed;    /* the same: those that run are to be reckoned anew */
    atomic_uint_least64_t changes; /* what a ranking may be wrong of since: see ht_desk_ahead */
};

/* The choice of the desk: qualified units on duty by travel time. `user` is a struct
 * ht__room_chooser.
 */
struct ht__room_chooser {
    struct ht_desk_room *room;
    struct ht_app_context *context;
    const struct ht_desk_ahead *ahead; /* NULL: none */
    const char *ahead_of;              /* the incident that it is of */
};
enum ht_status ht__room_rank(void *user, const struct ht_desk_want *want,
                             struct ht_desk_candidate *out, uint32_t most, uint32_t *count);

/* Sets `loss_ms` of candidates, who fit the filter: what the departure of each uncovers. Where it
 * can't be reckoned (out of memory, no streets, more than 5,000 units) it stays as it is: an alarm
 * never waits for it. */
struct ht_unit_filter;
void ht__room_losses(const struct ht__room_chooser *chooser, const struct ht_desk_want *want,
                     const struct ht_unit_filter *filter, struct ht_desk_candidate *list,
                     uint32_t count);

/* Lets go of what was over some time ago, on the writer's thread. Returns how many. */
size_t ht__room_forget(struct ht_desk_room *room, size_t most);

void *ht__room_time(void *room);

#endif
