#include "api/learning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/app_internal.h"
#include "api/calendar.h"
#include "api/learning_internal.h"
#include "engine/base/array.h"

enum {
    CELLS_MOST = 500 * 1000,
    UNITS_MOST = 512,
    RING = 1 << 16,
    PORTION = 256, /* positions between two looks at the clock */
    TICK_MS = 1000,
    SAVE_EVERY_S = 60, /* so much is lost where the process is killed */
    CATCH_UP = 3,      /* ticks after the metric has followed */
    NICE = 10,
    NO_QUARTER = HT_SPEEDS_QUARTERS,
};

/* ---- what comes in ---- */

void ht_learning_offer(struct ht_learning *learning, struct ht_live_unit unit,
                       const struct ht_report *report)
{
    if (learning == NULL || !atomic_load_explicit(&learning->learns, memory_order_relaxed)) {
        return;
    }
    struct ht_learn_fix fix = {
        .unit = unit.number,
        .generation = unit.generation,
        .point = {(int32_t)lround(report->lon_deg * 1e7), (int32_t)lround(report->lat_deg * 1e7)},
        .ts_ms = report->ts_ms,
        .accuracy_m = report->accuracy_m};
    (void)pthread_mutex_lock(&learning->lock);
    if (learning->ring_count == RING) {
        learning->counts.dropped++;
    } else {
        learning->ring[(learning->ring_first + learning->ring_count++) % RING] = fix;
        if (learning->ring_count == PORTION) { /* fewer wait for the tick */
            (void)pthread_cond_signal(&learning->wake);
        }
    }
    (void)pthread_mutex_unlock(&learning->lock);
}

void ht_learning_changed(struct ht_learning *learning)
{
    if (learning != NULL) {
        atomic_store(&learning->learns,
                     ht_setting(&learning->app->settings, HT_SETTING_SPEEDS_LEARN) != 0);
        (void)pthread_mutex_lock(&learning->lock);
        learning->hurry = true;
        (void)pthread_cond_signal(&learning->wake);
        (void)pthread_mutex_unlock(&learning->lock);
    }
}

/* Whose streets a unit teaches; NULL: nobody's. */
static const char *profile_of(struct ht_learning *learning, const struct ht_learn_fix *fix)
{
    struct ht_unit unit;
    struct ht_unit_life life;
    struct ht_fleet *fleet = ht_live_fleet(learning->app->live);
    if (!ht_fleet_life(fleet, fix->unit, &life) || life.generation != fix->generation ||
        !ht_fleet_get(fleet, fix->unit, fix->ts_ms, &unit) || unit.kind != HT_UNIT_VAN) {
        return NULL;
    }
    return ht_fleet_profile_name(fleet, unit.profile);
}

static void fix_take(struct ht_learning *learning, struct ht_world *world, struct ht_learn_fix *fix)
{
    const struct ht_road *road = NULL;
    enum ht_learn_outcome outcome = HT_LEARN_LOST;
    const char *profile = profile_of(learning, fix);
    if (profile == NULL || ht_map_filed(world, profile, &road) != HT_OK || road == NULL ||
        !ht_map_is_motor(road->graph)) {
        learning->counts.foreign++;
        return;
    }
    fix->local_ms = ht_calendar_like_ms(learning->app->calendar, fix->ts_ms);
    (void)pthread_mutex_lock(&learning->table_lock);
    enum ht_status status = ht_learn_take(learning->learn, road, fix, learning->speeds, &outcome);
    (void)pthread_mutex_unlock(&learning->table_lock);
    if (status != HT_OK || outcome == HT_LEARN_LOST) {
        learning->counts.lost++;
    } else if (outcome == HT_LEARN_TAKEN) {
        learning->counts.taken++;
    } else {
        learning->counts.full += outcome == HT_LEARN_FULL;
        learning->counts.late += outcome == HT_LEARN_SOONER;
    }
}

/* Takes what lies in the ring. Needs the lock, and lets go of it meanwhile. */
static void ring_take(struct ht_learning *learning)
{
    struct ht_learn_fix fixes[PORTION];
    size_t count = learning->ring_count < PORTION ? learning->ring_count : PORTION;
    for (size_t i = 0; i < count; i++) {
        fixes[i] = learning->ring[(learning->ring_first + i) % RING];
    }
    learning->ring_first = (learning->ring_first + count) % RING;
    learning->ring_count -= count;
    (void)pthread_mutex_unlock(&learning->lock);
    struct ht_world *world = count == 0 ? NULL : ht_world_acquire(learning->app->slot);
    struct ht_map *map = world == NULL ? NULL : ht_map_of(world);
    if (map != NULL && map != learning->map) {
        ht_learn_reset(learning->learn); /* its streets are of another network */
        ht_map_release(learning->map);
        ht_map_retain(map);
        learning->map = map;
    }
    for (size_t i = 0; i < count && map != NULL; i++) {
        fix_take(learning, world, &fixes[i]);
    }
    ht_map_release(map);
    ht_world_release(world);
    (void)pthread_mutex_lock(&learning->lock);
}

/* ---- what is known ---- */

uint64_t ht_learning_version(const struct ht_learning *learning)
{
    return learning == NULL ? 0 : atomic_load(&learning->version);
}

bool ht_learning_follows(struct ht_learning *learning, uint32_t quarter)
{
    if (learning == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&learning->lock);
    bool follows = learning->follows && learning->looked == quarter;
    (void)pthread_mutex_unlock(&learning->lock);
    return follows;
}

enum ht_status ht_learning_merge(struct ht_learning *learning, const struct ht_speeds *speeds)
{
    (void)pthread_mutex_lock(&learning->table_lock);
    enum ht_status status = ht_speeds_merge(learning->speeds, speeds);
    (void)pthread_mutex_unlock(&learning->table_lock);
    (void)atomic_fetch_add(&learning->version, 1);
    (void)pthread_mutex_lock(&learning->lock);
    learning->merged = true;
    (void)pthread_mutex_unlock(&learning->lock);
    ht_learning_changed(learning);
    return status;
}

static struct ht_learned costs_of(struct ht_learning *learning, uint32_t quarter,
                                  const struct ht_road *filed, struct ht_arc *arcs)
{
    uint32_t least = (uint32_t)ht_setting(&learning->app->settings, HT_SETTING_SPEEDS_LEAST);
    (void)pthread_mutex_lock(&learning->table_lock);
    struct ht_learned learned = ht_learn_costs(learning->speeds, filed, quarter, least, arcs);
    (void)pthread_mutex_unlock(&learning->table_lock);
    return learned;
}

bool ht_learning_fill(void *user, const struct ht_road *filed, struct ht_arc *arcs)
{
    const struct ht_learning_then *then = user;
    if (then->learning == NULL) {
        return false;
    }
    struct ht_learned learned = costs_of(then->learning, then->quarter, filed, arcs);
    return learned.by[HT_SPEEDS_NONE] < filed->graph->base_arc_count;
}

/* ---- the metric ---- */

/* What came of one look at all profiles. */
struct look {
    struct ht_learning *learning;
    uint32_t quarter;
    struct ht_learning_profile profiles[HT_LEARNING_PROFILES];
    size_t count;
};

static bool look_fill(void *user, const struct ht_road *filed, struct ht_arc *arcs)
{
    struct look *look = user;
    struct ht_learned learned = costs_of(look->learning, look->quarter, filed, arcs);
    if (look->count < HT_LEARNING_PROFILES) {
        struct ht_learning_profile *out = &look->profiles[look->count++];
        out->learned = learned;
        out->arcs = filed->graph->base_arc_count;
        (void)strncpy(out->name, filed->graph->profile, sizeof out->name - 1);
    }
    return learned.by[HT_SPEEDS_NONE] < filed->graph->base_arc_count;
}

/* Looks without changing anything. */
static enum ht_status look_only(struct ht_world *world, struct look *look)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < ht_world_road_count(world) && status == HT_OK; i++) {
        const struct ht_road *filed = NULL;
        status = ht_map_filed(world, ht_world_profile(world, i), &filed);
        if (status != HT_OK || filed == NULL || !ht_map_is_motor(filed->graph)) {
            continue;
        }
        struct ht_arc *arcs = ht_array_new(filed->graph->arc_count, sizeof *arcs);
        if (arcs == NULL) {
            return HT_NOMEM;
        }
        memcpy(arcs, filed->graph->arcs, filed->graph->arc_count * sizeof *arcs);
        (void)look_fill(look, filed, arcs);
        free(arcs);
    }
    return status;
}

/* One change of the streets for all that is known. */
static enum ht_status follow(struct ht_app *app, struct ht_map *map, struct look *look)
{
    const struct ht_map_learn source = {look_fill, look};
    enum ht_status status = ht_map_learn(map, look == NULL ? NULL : &source);
    (void)pthread_mutex_lock(&app->open_lock);
    if (status == HT_OK && map == app->map) {
        status = ht__app_map_apply(app);
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return status;
}

static void look_keep(struct ht_learning *learning, const struct look *look, bool follows)
{
    (void)pthread_mutex_lock(&learning->lock);
    memcpy(learning->profiles, look->profiles, sizeof learning->profiles);
    learning->profile_count = look->count;
    learning->looked = look->quarter;
    learning->follows = follows;
    (void)pthread_mutex_unlock(&learning->lock);
}

static bool same_wish(const struct ht_learning_wish *a, const struct ht_learning_wish *b)
{
    return a->follow == b->follow && a->look == b->look && a->least == b->least &&
           a->quarter == b->quarter && a->swaps == b->swaps;
}

/* What is to hold now. `map` is held for the caller; NULL: there is none. */
static struct ht_learning_wish wish_of(struct ht_learning *learning, struct ht_map **map)
{
    struct ht_app *app = learning->app;
    struct ht_learning_wish wish = {.follow =
                                        ht_setting(&app->settings, HT_SETTING_SPEEDS_FOLLOW) != 0,
                                    .least = ht_setting(&app->settings, HT_SETTING_SPEEDS_LEAST)};
    wish.look = wish.follow || atomic_load(&learning->learns);
    wish.quarter =
        ht_speeds_quarter(ht_calendar_like_ms(app->calendar, ht_clock_now_ms(&app->clock)));
    (void)pthread_mutex_lock(&app->open_lock);
    *map = app->map;
    wish.swaps = atomic_load(&app->swaps);
    if (*map != NULL) {
        ht_map_retain(*map);
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return wish;
}

/* Makes it so; what came of it, in `look`. */
static enum ht_status obey_wish(struct ht_learning *learning, const struct ht_learning_wish *wish,
                                struct ht_map *map, struct look *look)
{
    enum ht_status status = HT_OK;
    if (wish->follow || learning->obeyed.follow) {
        status = follow(learning->app, map, wish->follow ? look : NULL);
        learning->catch_up = CATCH_UP;
    }
    if (status == HT_OK && wish->look && !wish->follow) {
        struct ht_world *world = ht_world_acquire(learning->app->slot);
        status = world == NULL ? HT_BUSY : look_only(world, look);
        ht_world_release(world);
    }
    return status;
}

static bool take_merged(struct ht_learning *learning)
{
    (void)pthread_mutex_lock(&learning->lock);
    bool merged = learning->merged;
    learning->merged = false;
    (void)pthread_mutex_unlock(&learning->lock);
    return merged;
}

static void obey(struct ht_learning *learning)
{
    struct ht_map *map = NULL;
    const struct ht_learning_wish wish = wish_of(learning, &map);
    bool merged = take_merged(learning);
    if (map != NULL && (merged || !same_wish(&wish, &learning->obeyed))) {
        struct look *look = calloc(1, sizeof *look);
        enum ht_status status = look == NULL ? HT_NOMEM : HT_OK;
        if (status == HT_OK) {
            *look = (struct look){.learning = learning, .quarter = wish.quarter};
            if (wish.look || wish.least != learning->obeyed.least) {
                (void)atomic_fetch_add(&learning->version, 1);
            }
            status = obey_wish(learning, &wish, map, look);
        }
        if (status == HT_OK) {
            bool followed = wish.follow || learning->obeyed.follow;
            learning->obeyed = wish;
            look_keep(learning, look, wish.follow);
            if (followed) { /* departures of now go by it */
                (void)atomic_fetch_add(&learning->version, 1);
            }
        } else { /* the next tick tries again, and also takes back what was begun */
            learning->obeyed.swaps = SIZE_MAX;
            learning->obeyed.follow = learning->obeyed.follow || wish.follow;
        }
        free(look);
    } else if (map != NULL && learning->catch_up > 0) {
        learning->catch_up--;
        ht_map_catch_up(map);
    }
    ht_map_release(map);
}

/* ---- the thread ---- */

static int64_t steady_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void counts_refresh(struct ht_learning *learning)
{
    uint32_t least = (uint32_t)ht_setting(&learning->app->settings, HT_SETTING_SPEEDS_LEAST);
    (void)pthread_mutex_lock(&learning->table_lock);
    struct ht_speeds_counts speeds = ht_speeds_count(learning->speeds, least);
    uint64_t drives = ht_learn_drives(learning->learn);
    (void)pthread_mutex_unlock(&learning->table_lock);
    (void)pthread_mutex_lock(&learning->lock);
    learning->shown = learning->counts;
    learning->shown.speeds = speeds;
    learning->shown.drives = drives;
    (void)pthread_mutex_unlock(&learning->lock);
}

static void tick(struct ht_learning *learning, bool last)
{
    int64_t now_s = steady_s();
    if (!last) {
        obey(learning);
    }
    counts_refresh(learning);
    if (last || now_s - learning->saved_s >= SAVE_EVERY_S) {
        learning->saved_s = now_s;
        ht__learning_save(learning, last);
    }
}

static void sleep_ms(struct ht_learning *learning, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_cond_timedwait(&learning->wake, &learning->lock, &until);
}

static void *learning_main(void *user)
{
    struct ht_learning *learning = user;
    int64_t ticked_s = 0;
    /* on Linux this thread's alone: whoever asks goes first */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    (void)pthread_mutex_lock(&learning->lock);
    while (!learning->stop) {
        if (learning->ring_count < PORTION && !learning->hurry) {
            sleep_ms(learning, TICK_MS);
        }
        bool due = learning->hurry || steady_s() != ticked_s;
        learning->hurry = false;
        ring_take(learning);
        if (due) {
            (void)pthread_mutex_unlock(&learning->lock);
            ticked_s = steady_s();
            tick(learning, false);
            (void)pthread_mutex_lock(&learning->lock);
        }
    }
    while (learning->ring_count > 0) {
        ring_take(learning);
    }
    (void)pthread_mutex_unlock(&learning->lock);
    tick(learning, true);
    return NULL;
}

static void locks_init(struct ht_learning *learning)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&learning->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&learning->lock, NULL);
    (void)pthread_mutex_init(&learning->table_lock, NULL);
}

enum ht_status ht_learning_new(struct ht_app *app, struct ht_learning **out, struct ht_error *error)
{
    struct ht_learning *learning = calloc(1, sizeof *learning);
    if (learning == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    locks_init(learning);
    learning->app = app;
    learning->looked = NO_QUARTER;
    learning->obeyed = (struct ht_learning_wish){
        .least = ht_setting(&app->settings, HT_SETTING_SPEEDS_LEAST), .swaps = SIZE_MAX};
    learning->saved_s = steady_s();
    learning->ring = ht_array_new(RING, sizeof *learning->ring);
    enum ht_status status =
        learning->ring == NULL ? HT_NOMEM : ht_speeds_new(CELLS_MOST, &learning->speeds);
    status = status == HT_OK ? ht_learn_new(UNITS_MOST, &learning->learn) : status;
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    }
    status = status == HT_OK ? ht__learning_load(learning, error) : status;
    if (status == HT_OK) {
        learning->started = pthread_create(&learning->thread, NULL, learning_main, learning) == 0;
        status = learning->started ? HT_OK : ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (status != HT_OK) {
        ht_learning_free(learning);
        return status;
    }
    ht_learning_changed(learning);
    /* threads that look at the map run already */
    __atomic_store_n(out, learning, __ATOMIC_RELEASE);
    return HT_OK;
}

void ht_learning_stop(struct ht_learning *learning)
{
    if (learning == NULL || !learning->started) {
        return;
    }
    (void)pthread_mutex_lock(&learning->lock);
    learning->stop = true;
    (void)pthread_cond_signal(&learning->wake);
    (void)pthread_mutex_unlock(&learning->lock);
    (void)pthread_join(learning->thread, NULL);
    learning->started = false;
}

void ht_learning_free(struct ht_learning *learning)
{
    if (learning == NULL) {
        return;
    }
    ht_learning_stop(learning);
    ht_map_release(learning->map);
    ht_learn_free(learning->learn);
    ht_speeds_free(learning->speeds);
    free(learning->ring);
    (void)pthread_cond_destroy(&learning->wake);
    (void)pthread_mutex_destroy(&learning->lock);
    (void)pthread_mutex_destroy(&learning->table_lock);
    free(learning);
}
