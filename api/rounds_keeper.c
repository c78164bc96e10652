#include "api/rounds_keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/rounds_internal.h"
#include "api/rounds_make.h"
#include "api/visits_room.h"
#include "engine/base/array.h"

enum {
    LOOK_MS = 1000,
    WISHES_MOST = 1000,
    ROUNDS_MOST = 64, /* the newest are looked at */
    NICE = 10
};

struct ht_rounds_keeper {
    struct ht_app *app;
    struct ht_app_context *context;
    pthread_mutex_t lock; /* guards `stop` */
    pthread_cond_t wake;
    bool stop; /* also read and written atomically, by the search */
    pthread_t thread;
};

/* False: to be ended. */
static bool rest(struct ht_rounds_keeper *keeper)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    (void)pthread_mutex_lock(&keeper->lock);
    if (!keeper->stop) {
        (void)pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    }
    bool goes_on = !keeper->stop;
    (void)pthread_mutex_unlock(&keeper->lock);
    return goes_on;
}

/* ---- which rounds ---- */

struct rounds {
    int64_t now_ms;
    char ids[ROUNDS_MOST][HT_ID_MAX + 1];
    int64_t from_ms[ROUNDS_MOST];
    size_t count;
};

static enum ht_status round_take(void *user, const struct ht_store_round *round)
{
    struct rounds *rounds = user;
    if (round->to_ms > rounds->now_ms && rounds->count < ROUNDS_MOST) {
        rounds->from_ms[rounds->count] = round->from_ms;
        (void)snprintf(rounds->ids[rounds->count++], HT_ID_MAX + 1, "%s", round->id);
    }
    return HT_OK;
}

/* Whether a round that begins at `from_ms` sees one of the sites that are left, which it then
 * takes; `late`: also where it begins after the date. */
static bool takes_some(const struct ht_round_record *record, int64_t from_ms, bool late,
                       struct ht_visit_wish *wishes, size_t count, bool *taken)
{
    bool any = false;
    for (size_t w = 0; w < count; w++) {
        if (!late && wishes[w].by_ms != 0 && from_ms > wishes[w].by_ms) {
            continue;
        }
        for (size_t i = 0; !taken[w] && i < record->owner_count; i++) {
            taken[w] = strcmp(record->owners[i].site, wishes[w].notice->site) == 0;
            any = any || taken[w];
        }
    }
    return any;
}

/* ---- looking ---- */

/* True: it was looked at to the end. */
static bool wishes_look(struct ht_rounds_keeper *keeper, struct ht_visit_wish *wishes, size_t count,
                        struct rounds *rounds)
{
    bool *taken = ht_array_new_zeroed(count, sizeof *taken);
    struct ht_reply reply = {0};
    struct ht_store_reader *reader = ht_app_reader(keeper->context, &reply);
    bool good = taken != NULL && reader != NULL &&
                ht_store_rounds(reader, INT64_MAX, ROUNDS_MOST, round_take, rounds, NULL) == HT_OK;
    for (size_t late = 0; late < 2; late++) { /* those that are in time come first */
        for (size_t i = 0; good && i < rounds->count; i++) {
            struct ht_round_record record;
            struct ht_error error = {0};
            if (ht_round_record_get(reader, rounds->ids[i], &record, &error) == HT_OK &&
                takes_some(&record, rounds->from_ms[i], late == 1, wishes, count, taken)) {
                good = ht__round_replan_now(keeper->context, rounds->ids[i], &keeper->stop);
            }
            ht_round_record_deinit(&record);
        }
    }
    ht_reply_deinit(&reply);
    free(taken);
    return good;
}

static bool look(struct ht_rounds_keeper *keeper, struct ht_visit_wish *wishes)
{
    struct ht_visits *visits = ht_visits_room_visits(keeper->app->visits);
    struct rounds *rounds = calloc(1, sizeof *rounds);
    if (rounds == NULL) {
        return false;
    }
    rounds->now_ms = ht_clock_now_ms(&keeper->app->clock);
    size_t count = ht_visits_wanted(visits, rounds->now_ms, WISHES_MOST, wishes);
    bool good = count == 0 || wishes_look(keeper, wishes, count, rounds);
    for (size_t i = 0; i < count; i++) {
        ht_rectification_release(wishes[i].notice);
    }
    free(rounds);
    return good;
}

static void *keeper_work(void *user)
{
    struct ht_rounds_keeper *keeper = user;
    struct ht_visits *visits = ht_visits_room_visits(keeper->app->visits);
    struct ht_visit_wish *wishes = ht_array_new(WISHES_MOST, sizeof *wishes);
    uint64_t seen = UINT64_MAX;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's */
    while (wishes != NULL && rest(keeper)) {
        uint64_t now = ht_visits_changes(visits);
        if (now != seen && !atomic_load(&keeper->app->lockstep) && look(keeper, wishes)) {
            seen = now; /* what comes of it changes it once more, and then nothing is wanted */
        }
    }
    free(wishes);
    return NULL;
}

/* ---- the door ---- */

enum ht_status ht_rounds_keeper_new(struct ht_app *app, struct ht_rounds_keeper **out)
{
    pthread_condattr_t steady;
    void *context = NULL;
    struct ht_rounds_keeper *keeper = calloc(1, sizeof *keeper);
    enum ht_status status = keeper == NULL ? HT_NOMEM : ht__app_context_new(app, &context);
    if (status != HT_OK) {
        free(keeper);
        return status;
    }
    keeper->app = app;
    keeper->context = context;
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    if (pthread_create(&keeper->thread, NULL, keeper_work, keeper) != 0) {
        ht__app_context_free(context);
        (void)pthread_cond_destroy(&keeper->wake);
        (void)pthread_mutex_destroy(&keeper->lock);
        free(keeper);
        return HT_NOMEM;
    }
    *out = keeper;
    return HT_OK;
}

void ht_rounds_keeper_free(struct ht_rounds_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&keeper->lock);
    __atomic_store_n(&keeper->stop, true, __ATOMIC_RELAXED);
    (void)pthread_cond_broadcast(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    ht__app_context_free(keeper->context);
    (void)pthread_cond_destroy(&keeper->wake);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
