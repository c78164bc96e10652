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
    unsigned char secret[HT_STORE_SECRET];
    bool secret_known;
    uint64_t last_id; /* the writer's */
    atomic_int_least64_t due_ms;
    atomic_bool units_changed;
    /* the thread that looks after time */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool stop;
    uint64_t rounds_wanted; /* by who moved the clock */
    uint64_t rounds_done;
    bool job_over;
    struct ht_app_context *context; /* the thread's */
};

/* The choice of the desk: qualified units on duty by travel time. `user` is a struct
 * ht__room_chooser.
 */
struct ht__room_chooser {
    struct ht_desk_room *room;
    struct ht_app_context *context;
};
enum ht_status ht__room_rank(void *user, const struct ht_desk_want *want,
                             struct ht_desk_candidate *out, uint32_t most, uint32_t *count);

void *ht__room_time(void *room);

#endif
