#include "api/app.h"

#include <stdlib.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/calendar.h"
#include "api/coverage.h"
#include "api/coverage_scene.h"
#include "api/homes.h"
#include "api/http_stream.h"
#include "api/isochrone.h"
#include "api/later.h"
#include "api/learning.h"
#include "api/live.h"
#include "api/log.h"
#include "api/regime_book.h"
#include "api/routes.h"
#include "api/shifts.h"
#include "api/stream.h"
#include "api/tiles.h"
#include "api/traffic.h"
#include "api/zone.h"
#include "api/zones.h"
#include "engine/live/coverage.h"
#include "engine/road/guide.h"
#include "geodata/gazetteer.h"

enum {
    KEEPER_MOST_MS = 60 * 1000, /* the zone's offset may change between two conditions */
    KEEPER_LEAST_MS = 10,
    KEEPER_START_MS = 250, /* the first questions go before */
    KEEPER_REST_S = 300,   /* what nobody asked for in that time is let go of */
};

/* What a loop holds of an old world is let go of. */
static void world_follow(struct ht_app_context *context)
{
    struct ht_world *world = ht_world_reader_get(&context->world);
    if (context->live != NULL) {
        ht_live_work_refresh(context->live, world);
    }
    ht_isochrone_maps_refresh(context->app->isochrones, world);
    ht_tiles_refresh(context->app->tiles, world);
}

static void world_told(void *user, struct ht_http_post *post)
{
    if (user != NULL) {
        world_follow(user);
    }
    free(post);
}

/* An idle loop would keep the world of its last answer until it ticks, and the next change of the
 * streets would wait for it or make a whole metric more (engine/live/traffic.h). Needs open_lock.
 */
static void loops_tell(struct ht_app *app)
{
    for (unsigned i = 0; app->server != NULL && i < ht_http_server_loops(app->server); i++) {
        struct ht_http_post *post = calloc(1, sizeof *post);
        if (post != NULL) {
            post->run = world_told;
            ht_http_server_post(app->server, i, post);
        }
    }
}

/* Publishes the map's world of now if it differs from the one before. Needs open_lock. */
static enum ht_status map_apply(struct ht_app *app, struct ht_map *map)
{
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    int64_t local_ms = ht_zone_local_ms(now_ms);
    struct ht_world *world = NULL;
    enum ht_status status = ht_map_world(map, local_ms, &world);
    if (status != HT_OK) {
        return status;
    }
    if (world != NULL) {
        ht_world_publish(app->slot, world);
        loops_tell(app);
    }
    int64_t next_ms = ht_map_next_change(map, local_ms);
    int64_t end_ms = ht__traffic_next_end(app);
    next_ms = next_ms == INT64_MAX ? INT64_MAX : next_ms - (local_ms - now_ms);
    int64_t zone_ms = ht__zones_next_change(app);
    end_ms = zone_ms < end_ms ? zone_ms : end_ms;
    app->next_change_ms = next_ms < end_ms ? next_ms : end_ms;
    return HT_OK;
}

/* Tells a map what is live by now; `all`: what the clock did not change, too. Needs open_lock. */
static enum ht_status map_tell(struct ht_app *app, struct ht_map *map, bool all)
{
    enum ht_status status = ht__traffic_tell(app, map, all);
    return status == HT_OK ? ht__zones_tell(app, map) : status;
}

enum ht_status ht__app_map_apply(struct ht_app *app)
{
    return app->map == NULL ? HT_OK : map_apply(app, app->map);
}

/* Needs open_lock. */
static void shifts_apply(struct ht_app *app)
{
    if (app->live != NULL) {
        ht_shifts_refresh(ht_live_shifts(app->live), ht_clock_now_ms(&app->clock));
    }
}

enum ht_status ht_app_refresh(struct ht_app *app)
{
    (void)pthread_mutex_lock(&app->open_lock);
    shifts_apply(app);
    enum ht_status status = app->map == NULL ? HT_OK : map_tell(app, app->map, false);
    if (status == HT_OK) {
        status = ht__app_map_apply(app);
    }
    (void)pthread_cond_signal(&app->wake);
    (void)pthread_mutex_unlock(&app->open_lock);
    ht_learning_changed(app->learning);
    return status;
}

void ht_app_days_changed(struct ht_app *app)
{
    (void)pthread_mutex_lock(&app->open_lock);
    app->next_change_ms = ht_clock_now_ms(&app->clock);
    (void)pthread_cond_signal(&app->wake);
    (void)pthread_mutex_unlock(&app->open_lock);
}

/* How long the keeper sleeps, in real milliseconds. */
static int64_t keeper_wait_ms(struct ht_app *app)
{
    double speed = app->clock.is_virtual ? app->clock.speed : 1;
    int64_t due_ms = app->live == NULL ? INT64_MAX : ht_shifts_due_ms(ht_live_shifts(app->live));
    int64_t next_ms = due_ms < app->next_change_ms ? due_ms : app->next_change_ms;
    if (next_ms == INT64_MAX || speed <= 0) {
        return KEEPER_MOST_MS;
    }
    double wait = (double)(next_ms - ht_clock_now_ms(&app->clock)) / speed;
    return wait < KEEPER_LEAST_MS  ? KEEPER_LEAST_MS
           : wait > KEEPER_MOST_MS ? KEEPER_MOST_MS
                                   : (int64_t)wait + 1;
}

static void keeper_sleep(struct ht_app *app, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_cond_timedwait(&app->wake, &app->open_lock, &until);
}

/* A map is found whole. Whether zones may close its streets. */
static bool map_trust(struct ht_app *app, const struct ht_map *map)
{
    (void)pthread_mutex_lock(&app->open_lock);
    bool town = app->commit != NULL;
    if (map == app->map) {
        atomic_store(&app->trusted, true);
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return town;
}

/* What was opened in haste is looked at whole. Holds open_lock at its begin and end, not meanwhile.
 */
static void map_check(struct ht_app *app, struct ht_map *map)
{
    struct ht_error error = {0};
    ht_map_retain(map);
    (void)pthread_mutex_unlock(&app->open_lock);
    bool damaged = ht_map_check(map, &error) != HT_OK;
    if (!damaged && map_trust(app, map)) { /* where roads will close: not out of the blue */
        enum ht_status status = ht_map_traffic_prepare(map);
        (void)status; /* the first change tries again */
    }
    (void)pthread_mutex_lock(&app->open_lock);
    if (damaged && map == app->map) {
        app->damage = error;
        atomic_store(&app->damaged, true);
        if (app->server != NULL) {
            ht_http_server_drain(app->server);
        }
    }
    ht_map_release(map);
}

void ht_app_server_set(struct ht_app *app, struct ht_http_server *server)
{
    (void)pthread_mutex_lock(&app->open_lock);
    app->server = server;
    (void)pthread_cond_signal(&app->wake);
    if (server != NULL && atomic_load(&app->damaged)) {
        ht_http_server_drain(server);
    } else if (server == NULL) { /* whose loops end without a tick where nobody is connected */
        __atomic_store_n(&app->rounds_enough, true, __ATOMIC_RELAXED);
    }
    (void)pthread_mutex_unlock(&app->open_lock);
}

/* Frees roads of single questions that nobody asks any more. */
static void map_rest(struct ht_app *app, struct ht_map *map, time_t *rested_s)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (map != NULL && now.tv_sec - *rested_s >= KEEPER_REST_S) {
        *rested_s = now.tv_sec;
        ht_map_rest(map);
        ht_later_rest(app->later);
    }
}

/* Once a new map was looked at and all else is open: the first question about coverage finds what
 * it needs. Holds open_lock at its begin and end, not meanwhile. */
static void coverage_warm(struct ht_app *app, const struct ht_map *checked,
                          const struct ht_map **warmed)
{
    if (app->server == NULL || app->map == NULL || app->map != checked || *warmed == checked) {
        return;
    }
    *warmed = checked;
    (void)pthread_mutex_unlock(&app->open_lock);
    ht_coverage_warm(app);
    (void)pthread_mutex_lock(&app->open_lock);
}

/* The log says when the machine's clock was set back, and when that is over. */
static void clock_look(struct ht_app *app, bool *ahead)
{
    int64_t ahead_ms = ht_clock_ahead_ms(&app->clock);
    if ((ahead_ms > 0) == *ahead) {
        return;
    }
    *ahead = ahead_ms > 0;
    if (*ahead) {
        ht_log(HT_LOG_WARNING,
               "the machine's clock was set back by %.0f s: the town's goes on nine tenths as fast "
               "until they meet; after a restart it is the machine's",
               (double)ahead_ms / 1000);
    } else {
        ht_log(HT_LOG_INFO, "the machine's clock and the town's are the same again");
    }
}

/* Gets the profiles of a new map ready before they are asked for, then obeys conditional turns as
 * time goes by. */
static void *keeper_main(void *user)
{
    struct ht_app *app = user;
    const struct ht_map *checked = NULL;
    const struct ht_map *warmed = NULL;
    time_t rested_s = 0;
    bool ahead = false;
    (void)pthread_mutex_lock(&app->open_lock);
    while (!app->stop) {
        clock_look(app, &ahead);
        if (app->map != NULL && app->map != checked) {
            checked = app->map;
            keeper_sleep(app, KEEPER_START_MS);
            if (!app->stop && app->map == checked) {
                map_check(app, app->map);
            }
        }
        shifts_apply(app);
        map_rest(app, app->map, &rested_s);
        if (app->map != NULL) {
            /* Short of memory: the world stays as it is and is tried again at the next waking. */
            enum ht_status status = map_tell(app, app->map, false);
            if (status == HT_OK) {
                status = map_apply(app, app->map);
            }
            (void)status;
        }
        coverage_warm(app, checked, &warmed);
        if (!app->stop && (app->map == NULL || app->map == checked)) {
            keeper_sleep(app, keeper_wait_ms(app));
        }
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return NULL;
}

static void locks_init(struct ht_app *app)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&app->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&app->pool.lock, NULL);
    (void)pthread_mutex_init(&app->open_lock, NULL);
    (void)pthread_mutex_init(&app->context_lock, NULL);
}

enum ht_status ht_app_new(unsigned threads, const struct ht_clock *clock, struct ht_app **out)
{
    struct ht_app *app = calloc(1, sizeof *app);
    if (app == NULL) {
        return HT_NOMEM;
    }
    locks_init(app);
    app->limits = ht_osrm_limits_default();
    ht_settings_init(&app->settings);
    app->next_change_ms = INT64_MAX;
    if (clock != NULL) {
        app->clock = *clock;
    } else {
        ht_clock_real(&app->clock);
    }
    app->started_s = (int64_t)time(NULL);
    enum ht_status status = ht_world_slot_new(&app->slot);
    if (status == HT_OK) {
        status = ht_traffic_table_new(&app->traffic);
    }
    if (status == HT_OK) {
        status = ht_zone_table_new(&app->zones);
    }
    if (status == HT_OK) {
        status = ht_guide_memory_new(&app->turns);
    }
    if (status == HT_OK) {
        status = ht_later_new(app, &app->later);
    }
    if (status == HT_OK) {
        status = ht_pool_new(threads, &app->pool.pool);
    }
    if (status == HT_OK) {
        status = ht_isochrone_maps_new(&app->isochrones);
    }
    if (status == HT_OK) {
        status = ht_tiles_new(&app->tiles);
    }
    if (status == HT_OK) {
        status = ht_homes_keeper_new(&app->homes);
    }
    if (status == HT_OK) {
        status = ht_coverage_scenes_new(&app->coverage);
    }
    if (status == HT_OK) {
        status = ht_calendar_new(&app->calendar);
    }
    if (status == HT_OK) {
        status = ht_regime_slot_new(&app->regimes);
    }
    if (status == HT_OK) {
        app->keeper_started = pthread_create(&app->keeper, NULL, keeper_main, app) == 0;
        status = app->keeper_started ? HT_OK : HT_NOMEM;
    }
    if (status != HT_OK) {
        ht_app_free(app);
        return status;
    }
    *out = app;
    return HT_OK;
}

void ht_app_free(struct ht_app *app)
{
    if (app == NULL) {
        return;
    }
    if (app->keeper_started) {
        (void)pthread_mutex_lock(&app->open_lock);
        app->stop = true;
        (void)pthread_cond_signal(&app->wake);
        (void)pthread_mutex_unlock(&app->open_lock);
        (void)pthread_join(app->keeper, NULL);
    }
    ht__app_town_free(app);
    ht_coverage_scenes_free(app->coverage);
    ht_homes_keeper_free(app->homes);
    ht_calendar_free(app->calendar);
    ht_regime_slot_free(app->regimes);
    ht_settings_deinit(&app->settings);
    ht_isochrone_maps_free(app->isochrones);
    ht_tiles_free(app->tiles);
    ht_world_slot_free(app->slot);
    ht_later_free(app->later);
    ht_map_release(app->map);
    ht_traffic_table_free(app->traffic);
    ht_zone_table_free(app->zones);
    ht_guide_memory_free(app->turns);
    ht_pool_free(app->pool.pool);
    (void)pthread_cond_destroy(&app->wake);
    (void)pthread_mutex_destroy(&app->pool.lock);
    (void)pthread_mutex_destroy(&app->open_lock);
    (void)pthread_mutex_destroy(&app->context_lock);
    free(app);
}

enum ht_status ht_app_network_open(struct ht_app *app, const char *path, bool whole,
                                   struct ht_error *error)
{
    struct ht_map *map = NULL;
    enum ht_status status = ht_map_open(path, &app->pool, app->calendar, &map, error);
    if (status == HT_OK && whole) {
        status = ht_map_check(map, error);
    }
    (void)pthread_mutex_lock(&app->open_lock);
    if (status == HT_OK) {
        status = map_tell(app, map, true);
    }
    if (status == HT_OK) {
        status = map_apply(app, map);
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    if (status == HT_OK) {
        struct ht_map *before = app->map;
        app->map = map;
        atomic_store(&app->trusted, whole || ht_map_trusted(map));
        map = before;
        (void)atomic_fetch_add(&app->swaps, 1);
        (void)atomic_fetch_add(&app->streets_said, 1);
        (void)pthread_cond_signal(&app->wake);
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    ht_map_release(map);
    ht_later_rest(app->later); /* what it had of the map before */
    ht_learning_changed(app->learning);
    return status;
}

enum ht_status ht__app_context_new(void *user, void **out)
{
    struct ht_app *app = user;
    struct ht_app_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_osrm_new(&app->limits, &context->osrm);
    if (status != HT_OK) {
        free(context);
        return status;
    }
    context->app = app;
    ht_osrm_zones(context->osrm, app->zones);
    ht_osrm_turns(context->osrm, app->turns);
    ht_osrm_later(context->osrm, app->later);
    ht_world_reader_init(&context->world, app->slot);
    (void)pthread_mutex_lock(&app->context_lock);
    context->next = app->contexts;
    app->contexts = context;
    (void)pthread_mutex_unlock(&app->context_lock);
    *out = context;
    return HT_OK;
}

void ht__app_context_free(void *user)
{
    struct ht_app_context *context = user;
    struct ht_app *app = context->app;
    (void)pthread_mutex_lock(&app->context_lock);
    struct ht_app_context **at = &app->contexts;
    while (*at != NULL && *at != context) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = context->next;
    }
    (void)pthread_mutex_unlock(&app->context_lock);
    ht_world_reader_deinit(&context->world);
    ht_osrm_free(context->osrm);
    ht_store_reader_free(context->reader);
    ht_crs_work_free(context->crs);
    ht_live_work_free(context->live);
    ht_isochrone_work_free(context->isochrone);
    ht_coverage_free(context->coverage);
    ht_gazetteer_work_free(context->search);
    free(context);
}

static void handle(void *user, struct ht_http_call *call)
{
    ht_routes_handle(user, call);
}

static void account(void *user, unsigned service, int status, uint64_t duration_ns)
{
    struct ht_app_context *context = user;
    ht_metrics_count(&context->metrics, service, status, duration_ns);
}

/* An idle loop must not keep an old map in memory. */
static void tick(void *user)
{
    struct ht_app_context *context = user;
    world_follow(context);
    ht_app_tokens_refresh(context->app);
    ht_app_live_save(context->app, false);
    if (context->app->server != NULL && ht_http_server_draining(context->app->server)) {
        __atomic_store_n(&context->app->rounds_enough, true, __ATOMIC_RELAXED);
    }
    ht_stream_tick(context);
}

/* Nor must a worker that waits for its next job: it has no tick, and the streets' traffic writes to
 * what nobody reads (engine/live/traffic.h). */
static void rest(void *user)
{
    struct ht_app_context *context = user;
    ht_world_reader_rest(&context->world);
    if (context->live != NULL) {
        ht_live_work_rest(context->live);
    }
}

struct ht_http_handler ht_app_handler(struct ht_app *app)
{
    return (struct ht_http_handler){.user = app,
                                    .context_new = ht__app_context_new,
                                    .context_free = ht__app_context_free,
                                    .submit_write = ht__app_submit_write,
                                    .handle = handle,
                                    .account = account,
                                    .tick = tick,
                                    .rest = rest};
}
