#include "api/rounds_keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/rounds_errands.h"
#include "api/rounds_internal.h"
#include "api/rounds_make.h"
#include "api/visits_room.h"
#include "engine/base/array.h"
#include "engine/base/names.h"

#define HOUR_MS INT64_C(3600000)

enum {
    LOOK_MS = 1000,
    WISHES_MOST = 1000,
    LOOKS_MOST = 4,   /* one after the other, in lockstep: what one plans may ask for another */
    ROUNDS_MOST = 64, /* the newest are looked at */
    NICE = 10
};

struct ht_rounds_keeper {
    struct ht_app *app;
    struct ht_app_context *context;
    pthread_mutex_t lock; /* guards `stop` and the looks */
    pthread_cond_t wake;
    uint64_t looks_wanted; /* by who waits for them */
    uint64_t looks_done;
    bool stop;      /* also read and written atomically, by the search */
    uint64_t tried; /* the wishes that were looked at last; the thread's */
    pthread_t thread;
    bool started;
};

/* False: to be ended. */
static bool rest(struct ht_rounds_keeper *keeper)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    (void)pthread_mutex_lock(&keeper->lock);
    if (!keeper->stop && keeper->looks_wanted == keeper->looks_done) {
        (void)pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    }
    bool goes_on = !keeper->stop;
    (void)pthread_mutex_unlock(&keeper->lock);
    return goes_on;
}

/* ---- which rounds ---- */

struct round {
    char id[HT_ID_MAX + 1];
    int64_t from_ms;
    int64_t to_ms;
    bool due; /* to be planned anew */
};

/* What there is to look at. */
struct look {
    struct ht_app_context *context;
    struct ht_visits *visits;
    struct ht_store_reader *reader;
    int64_t now_ms;
    int64_t today_ms;
    struct ht_visit_wish *wishes;
    bool *taken; /* [wish_count] by a round */
    size_t wish_count;
    struct round rounds[ROUNDS_MOST];
    size_t round_count;
};

static enum ht_status round_take(void *user, const struct ht_store_round *round)
{
    struct look *look = user;
    if (round->to_ms > look->now_ms && look->round_count < ROUNDS_MOST) {
        struct round *out = &look->rounds[look->round_count++];
        *out = (struct round){.from_ms = round->from_ms, .to_ms = round->to_ms};
        (void)snprintf(out->id, sizeof out->id, "%s", round->id);
    }
    return HT_OK;
}

/* Whether a round's days suit a wish: it is not over before that is mended, nor begins after the
 * date. `late`: it may. */
static bool is_in_time(const struct round *round, const struct ht_visit_wish *wish, bool late)
{
    return ht_round_revisit_from_ms(wish->notice->begun_ms, wish->by_ms) < round->to_ms &&
           (late || wish->by_ms == 0 || round->from_ms <= wish->by_ms);
}

/* Whether a round sees one of the sites that are left, which it then takes. */
static bool takes_some(struct look *look, const struct ht_round_record *record,
                       const struct round *round, bool late)
{
    bool any = false;
    for (size_t w = 0; w < look->wish_count; w++) {
        const struct ht_visit_wish *wish = &look->wishes[w];
        if (!is_in_time(round, wish, late)) {
            continue;
        }
        for (size_t i = 0; !look->taken[w] && i < record->owner_count; i++) {
            look->taken[w] = strcmp(record->owners[i].site, wish->notice->site) == 0;
            any = any || look->taken[w];
        }
    }
    return any;
}

/* Visits of a round that the ledger has as missed: whether there are any, before the round is
 * read. */
static bool may_have_missed(const struct look *look, const char *round)
{
    const struct ht_visit *one = NULL;
    const struct ht_visit_filter said = {.states = UINT32_C(1) << HT_VISIT_IS_MISSED |
                                                   UINT32_C(1) << HT_VISIT_IS_REFUSED,
                                         .round = round};
    const struct ht_visit_filter silent = {.states = UINT32_C(1) << HT_VISIT_IS_PLANNED |
                                                     UINT32_C(1) << HT_VISIT_IS_PROMISED,
                                           .round = round,
                                           .to_ms = look->today_ms - 1};
    size_t count = ht_visits_list(look->visits, &said, 1, &one);
    count = count > 0 ? count : ht_visits_list(look->visits, &silent, 1, &one);
    ht_visit_release(one);
    return count > 0;
}

/* Whether a visit was missed that the plan does not know of yet. */
static bool lacks_some(const struct look *look, const struct ht_round_record *record)
{
    bool lacks = false;
    for (size_t i = 0; i < record->visit_count && !lacks; i++) {
        const struct ht_round_visit *visit = &record->visits[i];
        lacks = !visit->made_up && ht_round_visit_is_missed(visit, look->today_ms);
    }
    return lacks;
}

/* What is wanted, as a number: what no plan could hold is tried anew when anything of it changes,
 * and each day. */
static uint64_t wishes_hash(const struct look *look)
{
    uint64_t hash = (uint64_t)look->today_ms;
    for (size_t i = 0; i < look->wish_count; i++) {
        const struct ht_rectification *notice = look->wishes[i].notice;
        hash = hash * UINT64_C(0x9E3779B97F4A7C15) + ht_names_hash(notice->id) + notice->version;
    }
    return hash;
}

/* ---- looking ---- */

/* Marks the rounds that are due. False: it could not be looked at. */
static bool round_look(struct look *look, struct round *round, bool late)
{
    struct ht_round_record record;
    struct ht_error error = {0};
    bool missed = !late && may_have_missed(look, round->id);
    if (look->wish_count == 0 && !missed) {
        return true;
    }
    enum ht_status status = ht_round_record_get(look->reader, round->id, &record, &error);
    bool stands = status == HT_OK && record.withdrawn_ms == 0;
    if (stands) {
        round->due = takes_some(look, &record, round, late) || round->due;
    }
    if (stands && missed && !round->due) {
        status = ht_round_record_live(&record, look->context, look->reader);
        round->due = status == HT_OK && lacks_some(look, &record);
    }
    ht_round_record_deinit(&record);
    return status == HT_OK || status == HT_NOT_FOUND;
}

static bool rounds_look(struct ht_rounds_keeper *keeper, struct look *look)
{
    struct ht_visit_office office = ht_visits_room_office(look->context->app->visits);
    bool good =
        ht_store_rounds(look->reader, INT64_MAX, ROUNDS_MOST, round_take, look, NULL) == HT_OK;
    /* those that are in time come first, and others only where nothing is planned beside them */
    for (size_t late = 0; late < (office.revisits ? 1 : 2); late++) {
        for (size_t i = 0; good && i < look->round_count; i++) {
            good = round_look(look, &look->rounds[i], late == 1);
        }
    }
    for (size_t i = 0; good && i < look->round_count; i++) {
        if (look->rounds[i].due) {
            good = ht__round_replan_now(keeper->context, look->rounds[i].id, &keeper->stop);
        }
    }
    return good &&
           (!office.revisits || ht__round_errands_plan(keeper->context, look->wishes, look->taken,
                                                       look->wish_count, &keeper->stop));
}

/* True: it was looked at to the end; `*next_ms`: when the clock asks for another look. */
static bool look_now(struct ht_rounds_keeper *keeper, struct ht_visit_wish *wishes,
                     int64_t *next_ms)
{
    struct ht_reply reply = {0};
    struct look *look = calloc(1, sizeof *look);
    if (look == NULL) {
        return false;
    }
    look->context = keeper->context;
    look->visits = ht_visits_room_visits(keeper->app->visits);
    look->reader = ht_app_reader(keeper->context, &reply);
    look->now_ms = ht_clock_now_ms(&keeper->app->clock);
    look->today_ms = ht_round_day_begin_ms(look->now_ms);
    look->wishes = wishes;
    look->wish_count = ht_visits_wanted(look->visits, look->now_ms, WISHES_MOST, wishes);
    look->taken = ht_array_new_zeroed(look->wish_count, sizeof *look->taken);
    size_t held = look->wish_count;
    uint64_t wanted = wishes_hash(look);
    look->wish_count = wanted == keeper->tried ? 0 : held;
    bool good = look->taken != NULL && look->reader != NULL && rounds_look(keeper, look);
    keeper->tried = good ? wanted : 0;
    for (size_t i = 0; i < held; i++) {
        ht_rectification_release(wishes[i].notice);
    }
    int64_t ends_ms = ht_visits_wanted_next_ms(look->visits, look->now_ms);
    int64_t tomorrow_ms = ht_round_day_begin_ms(look->today_ms + 36 * HOUR_MS);
    *next_ms = ends_ms < tomorrow_ms ? ends_ms + 1 : tomorrow_ms;
    ht_reply_deinit(&reply);
    free(look->taken);
    free(look);
    return good;
}

/* What was looked at last, and when the clock asks again. */
struct sight {
    uint64_t changes;
    int64_t next_ms;
};

/* Looks where something changed, and where the clock says so: a day is over, or a re-visit that
 * nobody reported. False: there was nothing, or it could not be looked at. */
static bool look_once(struct ht_rounds_keeper *keeper, struct ht_visit_wish *wishes,
                      struct sight *seen)
{
    uint64_t now = ht_visits_changes(ht_visits_room_visits(keeper->app->visits));
    bool asked = now != seen->changes || ht_clock_now_ms(&keeper->app->clock) >= seen->next_ms;
    bool looked = asked && look_now(keeper, wishes, &seen->next_ms);
    if (looked) {
        seen->changes = now; /* what comes of it changes it once more, and then nothing is wanted */
    }
    return looked;
}

/* Which look was wanted last; `*waits`: somebody waits for it. */
static uint64_t look_wanted(struct ht_rounds_keeper *keeper, bool *waits)
{
    (void)pthread_mutex_lock(&keeper->lock);
    uint64_t wanted = keeper->looks_wanted;
    *waits = wanted != keeper->looks_done;
    (void)pthread_mutex_unlock(&keeper->lock);
    return wanted;
}

static void look_done(struct ht_rounds_keeper *keeper, uint64_t wanted)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->looks_done = wanted;
    (void)pthread_cond_broadcast(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
}

static void *keeper_work(void *user)
{
    struct ht_rounds_keeper *keeper = user;
    struct ht_visit_wish *wishes = ht_array_new(WISHES_MOST, sizeof *wishes);
    struct sight seen = {UINT64_MAX, INT64_MIN};
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's */
    while (rest(keeper)) {
        bool waits = false;
        uint64_t wanted = look_wanted(keeper, &waits);
        int most = wishes == NULL                         ? 0
                   : !atomic_load(&keeper->app->lockstep) ? 1
                   : waits                                ? LOOKS_MOST
                                                          : 0;
        while (most-- > 0 && look_once(keeper, wishes, &seen)) {
        }
        look_done(keeper, wanted);
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
    keeper->started = pthread_create(&keeper->thread, NULL, keeper_work, keeper) == 0;
    if (!keeper->started) {
        ht_rounds_keeper_free(keeper);
        return HT_NOMEM;
    }
    *out = keeper;
    return HT_OK;
}

void ht_rounds_keeper_stop(struct ht_rounds_keeper *keeper)
{
    if (keeper == NULL || !keeper->started) {
        return;
    }
    (void)pthread_mutex_lock(&keeper->lock);
    __atomic_store_n(&keeper->stop, true, __ATOMIC_RELAXED);
    (void)pthread_cond_broadcast(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    keeper->started = false;
}

void ht_rounds_keeper_free(struct ht_rounds_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    ht_rounds_keeper_stop(keeper);
    ht__app_context_free(keeper->context);
    (void)pthread_cond_destroy(&keeper->wake);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

void ht_rounds_keeper_obey(struct ht_rounds_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    uint64_t wanted = ++keeper->looks_wanted;
    (void)pthread_cond_broadcast(&keeper->wake);
    while (!keeper->stop && keeper->looks_done < wanted) {
        (void)pthread_cond_wait(&keeper->wake, &keeper->lock);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}
