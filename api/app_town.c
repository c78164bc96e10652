/* The part of the app that is about what lasts: the store, its writer, the tokens. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/arrivals.h"
#include "api/commit.h"
#include "api/courier.h"
#include "api/desk_room.h"
#include "api/device_book.h"
#include "api/devices.h"
#include "api/fencing.h"
#include "api/finder.h"
#include "api/follower.h"
#include "api/forward.h"
#include "api/http_answer.h"
#include "api/incident_forget.h"
#include "api/jt808.h"
#include "api/learning.h"
#include "api/live.h"
#include "api/loads.h"
#include "api/log.h"
#include "api/mqtt.h"
#include "api/node.h"
#include "api/orders_room.h"
#include "api/planner.h"
#include "api/relay_take.h"
#include "api/rounds_keeper.h"
#include "api/shifts.h"
#include "api/stream.h"
#include "api/teller.h"
#include "api/underway.h"
#include "api/visits_room.h"
#include "api/writer_act.h"
#include "api/zone_watch.h"
#include "api/zones.h"

enum {
    COMMIT_QUEUE = 4096,
    UNITS_MOST = 1 << 20,
    SAVE_EVERY_MS = 2000,
    SAVE_MANY_EVERY_MS = 3000, /* the more of a unit's rows come together, the cheaper each */
    SAVE_MANY = 10000,
    FENCE_EVERY_MS = 500,
    SEEN_EVERY_MS = 30 * 1000,
    SAVE_MOST = 20000,
    TIDY_EVERY_MS = 3600 * 1000,
};

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static enum ht_status writer_start(struct ht_app *app)
{
    void *context = NULL;
    struct ht_commit *commit = NULL;
    struct ht_worker_context *worker = calloc(1, sizeof *worker);
    enum ht_status status = worker == NULL ? HT_NOMEM : ht__app_context_new(app, &context);
    if (status == HT_OK) {
        worker->user = context;
        app->writer = worker;
        status = ht_gzip_new(&worker->gzip);
    } else {
        free(worker);
    }
    if (status == HT_OK) {
        status = ht_registry_new(&app->registry);
    }
    if (status == HT_OK) {
        status = ht_commit_new(app->store, app->writer, COMMIT_QUEUE, &commit);
    }
    (void)pthread_mutex_lock(&app->open_lock);
    app->commit = commit; /* the keeper looks at it */
    (void)pthread_mutex_unlock(&app->open_lock);
    return status;
}

enum ht_status ht_app_store_open(struct ht_app *app, const char *path, struct ht_error *note,
                                 struct ht_error *error)
{
    struct ht_store_options options = {.mode = HT_STORE_CREATE, .desk = true};
    *note = (struct ht_error){0};
    enum ht_status status = ht_store_open(path, &options, &app->store, error);
    if (status == HT_READ_ONLY) {
        *note = *error;
        options.mode = HT_STORE_READ_ONLY;
        options.desk = false;
        return ht_store_open(path, &options, &app->store, error);
    }
    if (status == HT_OK && writer_start(app) != HT_OK) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return status;
}

static enum ht_status node_secret_run(void *user, struct ht_app_context *context,
                                      struct ht_store_tx *tx, struct ht_error *error)
{
    (void)context;
    return ht_store_secret_of(tx, HT_NODE_SECRET, user, error);
}

static void node_secret_done(void *user, enum ht_status outcome)
{
    (void)user;
    (void)outcome;
}

/* By which followers are known (api/relay.h). */
static enum ht_status node_key_make(struct ht_app *app, struct ht_error *error)
{
    unsigned char secret[HT_STORE_SECRET];
    const struct ht_writer_act act = {
        .run = node_secret_run, .done = node_secret_done, .user = secret};
    enum ht_status status = app->node == NULL ? HT_OK : ht_writer_do(app, &act, error);
    if (status == HT_OK && app->node != NULL) {
        status = ht_node_key_set(app->node, secret);
        status = status == HT_OK ? ht_relay_takers_new(&app->takers) : status;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status;
}

enum ht_status ht_app_store_take(struct ht_app *app, struct ht_store *store, bool follows,
                                 struct ht_error *error)
{
    enum ht_status status = HT_OK;
    app->store = store;
    if (!follows) {
        status = writer_start(app);
        return status == HT_OK ? node_key_make(app, error) : ht_error_set(error, status, 0, NULL);
    }
    status = ht_follower_new(app, &app->follower, error);
    if (status == HT_OK && ht_forwarder_new(app, &app->forwarder) != HT_OK) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return status;
}

enum ht_status ht_app_follow(struct ht_app *app, struct ht_error *error)
{
    if (app->follower == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_follower_start(app->follower);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    ht_commit_follow(app->following);
    return HT_OK;
}

/* Twice the size of the network's: what lies farther out is found as well, only slower. */
static struct ht_box town_box(struct ht_app *app)
{
    (void)pthread_mutex_lock(&app->open_lock);
    struct ht_box box = app->map == NULL ? (struct ht_box){{-HT_LON_MAX_E7, -HT_LAT_MAX_E7},
                                                           {HT_LON_MAX_E7, HT_LAT_MAX_E7}}
                                         : ht_map_box(app->map);
    (void)pthread_mutex_unlock(&app->open_lock);
    int64_t east = ((int64_t)box.max.lon_e7 - box.min.lon_e7) / 2;
    int64_t north = ((int64_t)box.max.lat_e7 - box.min.lat_e7) / 2;
    struct ht_box wide = {
        {(int32_t)(box.min.lon_e7 - east > -HT_LON_MAX_E7 ? box.min.lon_e7 - east : -HT_LON_MAX_E7),
         (int32_t)(box.min.lat_e7 - north > -HT_LAT_MAX_E7 ? box.min.lat_e7 - north
                                                           : -HT_LAT_MAX_E7)},
        {(int32_t)(box.max.lon_e7 + east < HT_LON_MAX_E7 ? box.max.lon_e7 + east : HT_LON_MAX_E7),
         (int32_t)(box.max.lat_e7 + north < HT_LAT_MAX_E7 ? box.max.lat_e7 + north
                                                          : HT_LAT_MAX_E7)}};
    return wide;
}

/* The desk, with all that happened; its time runs once everything else is there. */
static enum ht_status desk_open(struct ht_app *app, struct ht_error *error)
{
    enum ht_status status = ht_desk_room_new(app, &app->desk, &app->desk_skipped, error);
    if (status == HT_OK) {
        status = ht_orders_room_new(app, &app->orders, &app->orders_skipped, error);
    }
    if (status == HT_OK) {
        status = ht_visits_room_new(app, &app->visits, &app->visits_skipped, error);
    }
    if (status == HT_OK) {
        status = ht_settings_tell(app);
        if (status == HT_OK && app->commit != NULL) {
            status = ht_desk_room_start(app->desk);
        }
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    if (status == HT_OK && app->commit != NULL) {
        status = ht_teller_new(app, &app->teller, error);
    }
    if (status == HT_OK && app->commit != NULL) {
        status = ht_arrivals_new(app, &app->arrivals, error);
    }
    if (status == HT_OK && (app->commit != NULL || app->follower != NULL)) {
        status = ht_device_book_new(app, &app->book); /* a follower's only knows who is who */
        status = status == HT_OK && app->commit != NULL ? ht_device_book_start(app->book) : status;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    if (status == HT_OK && app->commit != NULL) {
        status = ht_underway_new(app, &app->underway);
        status = status == HT_OK ? ht_planner_new(app, &app->planner) : status;
        status = status == HT_OK ? ht_underway_start(app->underway) : status;
        status = status == HT_OK ? ht_rounds_keeper_new(app, &app->keeps_rounds) : status;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status;
}

enum ht_status ht_app_live_open(struct ht_app *app, struct ht_error *error)
{
    struct ht_live_work *work = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_live *live = NULL;
    enum ht_status status = ht_live_new(town_box(app), UNITS_MOST, &live);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    (void)pthread_mutex_lock(&app->open_lock);
    app->live = live; /* the keeper looks after its shifts from now on */
    (void)pthread_mutex_unlock(&app->open_lock);
    ht_shifts_set_calendar(ht_live_shifts(live), app->calendar, ht_clock_now_ms(&app->clock));
    ht_live_set_regimes(live, app->regimes);
    if (app->store == NULL) {
        return ht_learning_new(app, &app->learning, error);
    }
    if (app->commit != NULL) {
        ht_live_keep(app->live);
        const struct ht_zone_watch town = {
            .fleet = ht_live_fleet(app->live), .concerns = ht__zones_concern, .user = app};
        status = ht_fencing_new(&town, app->regimes, &app->fencing);
        status = status == HT_OK ? ht_loads_new(app, &app->loads) : status;
    }
    status = status == HT_OK ? ht_live_work_new(app->live, &work) : status;
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = ht_store_reader_new(app->store, &reader, error);
    if (status == HT_OK) {
        /* streets come with the first question or report, not before the first answer */
        status = ht_live_load(app->live, work, ht_clock_now_ms(&app->clock), reader, error);
    }
    if (status == HT_OK) {
        status = ht_settings_load(&app->settings, reader, error);
        ht_app_settings_apply(app);
    }
    if (status == HT_OK && app->commit != NULL) {
        const struct ht_courier_options options = {app->store, app->commit, &app->clock,
                                                   &app->settings};
        status = ht_courier_new(&options, &app->courier, error);
    }
    ht_store_reader_free(reader);
    ht_live_work_free(work);
    status = status == HT_OK ? ht_learning_new(app, &app->learning, error) : status;
    return status == HT_OK ? desk_open(app, error) : status;
}

enum ht_status ht_app_finder_open(struct ht_app *app, struct ht_error *error)
{
    enum ht_status status = ht_finder_new(app->store, app->slot, &app->swaps, &app->finder);
    if (status == HT_OK && app->loads != NULL) {
        status = ht_loads_start(app->loads);
    }
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

/* Positions on their way to the store, SAVE_MOST in a transaction, so that others need not wait
 * long; `all` at the end. */
struct saving {
    struct ht_job job;
    struct ht_app *app;
    struct ht_live_unsaved parts[2]; /* the second only where all is to be saved */
    bool all;
    bool more;
    bool failed;
};

void ht_app_settings_apply(struct ht_app *app)
{
    ht_fleet_set_stale(ht_live_fleet(app->live),
                       ht_setting(&app->settings, HT_SETTING_STALE_S) * 1000);
    atomic_store(&app->tidied_ms, 0);
    ht_app_live_save(app, true);
    ht_learning_changed(app->learning);
}

static bool tidying_due(struct ht_app *app, int64_t now_ms)
{
    return now_ms - atomic_load(&app->tidied_ms) >= TIDY_EVERY_MS;
}

/* What is older than it is kept for. */
static enum ht_status forget_old(struct ht_app *app, struct ht_store_tx *tx, int64_t now_ms)
{
    if (!tidying_due(app, now_ms)) {
        return HT_OK;
    }
    atomic_store(&app->tidied_ms, now_ms);
    int64_t tracks_ms = ht_setting(&app->settings, HT_SETTING_TRACKS_DAYS) * DAY_MS;
    int64_t answers_ms = ht_setting(&app->settings, HT_SETTING_ANSWERS_DAYS) * DAY_MS;
    int64_t incidents_ms = ht_setting(&app->settings, HT_SETTING_INCIDENTS_DAYS) * DAY_MS;
    enum ht_status status = ht_store_positions_forget(tx, now_ms - tracks_ms, NULL);
    if (status == HT_OK) {
        status = ht_store_answers_forget(tx, now_ms - answers_ms, NULL);
    }
    return status == HT_OK ? ht_incidents_forget(tx, now_ms - incidents_ms, now_ms,
                                                 &app->incidents_forgotten, NULL)
                           : status;
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static enum ht_status seen_put(void *user, const char *device, const struct ht_device_heard *heard)
{
    const struct ht_store_device_seen seen = {.device = device,
                                              .seen_ms = heard->seen_ms,
                                              .battery = heard->battery,
                                              .silent = heard->silent};
    return ht_store_device_seen_put(user, &seen, NULL);
}

/* When devices were heard: now and then, since for each report it would be as much again. */
static enum ht_status seen_save(struct ht_app *app, struct ht_store_tx *tx, bool now)
{
    int64_t time = steady_ms();
    if (!now && time - app->seen_saved_ms < SEEN_EVERY_MS) {
        return HT_OK;
    }
    app->seen_saved_ms = time;
    return ht_devices_unsaved(ht_live_devices(app->live), seen_put, tx);
}

static void saving_run(struct ht_job *job, void *context)
{
    struct saving *saving = (struct saving *)job;
    struct ht_app *app = saving->app;
    struct ht_store_tx *tx = ht_commit_tx(app->commit);
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    (void)context;
    size_t most = saving->all ? SIZE_MAX : (size_t)SAVE_MOST;
    enum ht_status status = HT_OK;
    for (int i = 0; i < (saving->all ? 2 : 1) && status == HT_OK; i++) {
        struct ht_live_unsaved *part = &saving->parts[i]; /* what was begun, then what is new */
        status = ht_live_take(app->live, most, part);
        saving->more = status == HT_OK && part->more;
        if (status == HT_OK) {
            const struct ht_fencing_batch batch = {part->positions, part->count, part->before};
            status = ht_fencing_run(app->fencing, tx, &batch, now_ms, NULL);
        }
        if (status == HT_OK) {
            status = ht_store_positions_put(tx, part->positions, part->count, NULL);
        }
    }
    if (status == HT_OK) {
        status = seen_save(app, tx, saving->all);
    }
    if (status == HT_OK && !saving->more) {
        status = forget_old(app, tx, now_ms);
    }
    if (status != HT_OK) { /* they come again in two seconds */
        saving->failed = true;
        ht_fencing_lost(app->fencing); /* now: another saving may run before this one is done */
        ht_commit_take_back(app->commit);
    }
}

static void saving_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    struct saving *saving = (struct saving *)job;
    (void)context;
    struct ht_app *app = saving->app;
    bool lost = saving->failed || outcome != HT_OK;
    if (lost) {
        ht_fencing_lost(app->fencing);
        ht_devices_unsaved_return(ht_live_devices(app->live));
        app->incidents_forgotten = 0; /* what was erased may not be */
    }
    for (int i = 0; i < 2; i++) {
        if (lost) {
            ht_live_return(app->live, &saving->parts[i]);
        }
        ht_live_unsaved_free(&saving->parts[i]);
    }
    if (!lost && saving->more && ht_commit_submit(app->commit, job)) {
        return;
    }
    atomic_store(&app->saving, false);
    free(saving);
}

void ht_app_live_save(struct ht_app *app, bool now)
{
    if (app->commit == NULL || app->fencing == NULL) {
        return;
    }
    int64_t last = atomic_load(&app->saved_ms);
    int64_t time = steady_ms();
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    int64_t every_ms = ht_fencing_active(app->fencing)          ? FENCE_EVERY_MS
                       : ht_live_waiting(app->live) > SAVE_MANY ? SAVE_MANY_EVERY_MS
                                                                : SAVE_EVERY_MS;
    bool due = ht_fencing_due(app->fencing, now_ms) || tidying_due(app, now_ms);
    if (now) { /* also where another thread begins a part: the caller's next job comes after all */
        atomic_store(&app->saved_ms, time);
    } else if (time - last < (due ? FENCE_EVERY_MS : every_ms) ||
               !atomic_compare_exchange_strong(&app->saved_ms, &last, time)) {
        return;
    }
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving == NULL || (atomic_exchange(&app->saving, true) && !now)) {
        free(saving);
        return;
    }
    saving->app = app;
    saving->all = now;
    saving->job.run = saving_run;
    saving->job.done = saving_done;
    if (!ht_commit_submit(app->commit, &saving->job)) {
        atomic_store(&app->saving, false);
        free(saving);
    }
}

void ht_app_zones_changed(struct ht_app *app)
{
    if (app->fencing != NULL) {
        ht_fencing_zones_changed(app->fencing);
        ht_live_mark(app->live);
        ht_app_live_save(app, true);
    }
}

enum ht_status ht_app_stream_open(struct ht_app *app, struct ht_http_server *server,
                                  unsigned subscribers_max)
{
    enum ht_status status = ht_stream_new(app, subscribers_max, &app->stream);
    return status == HT_OK ? ht_stream_start(app->stream, server) : status;
}

void ht_app_store_stop(struct ht_app *app)
{
    ht_stream_stop(app->stream);
    ht_follower_stop(app->follower);
    ht_commit_stop(app->following);
    ht_forwarder_free(app->forwarder); /* whose answers go to the server's loops */
    app->forwarder = NULL;
    if (!app->doors_lent) {
        ht_mqtt_stop(app->mqtt); /* whose alarms the device book has to take */
    }
    ht_device_book_stop(app->book);    /* likewise, the writer */
    ht_relay_takers_free(app->takers); /* who waited for the book */
    app->takers = NULL;
    ht_loads_free(app->loads); /* likewise, its jobs */
    app->loads = NULL;
    ht_underway_stop(app->underway);
    ht_planner_stop(app->planner);            /* likewise; commands that wait read its plan */
    ht_rounds_keeper_stop(app->keeps_rounds); /* likewise */
    ht_desk_room_stop(app->desk);
    ht_learning_stop(app->learning);
    ht_app_live_save(app, true);
    ht_commit_stop(app->commit); /* whose jobs speak to the courier */
    ht_courier_free(app->courier);
    app->courier = NULL;
    ht_teller_free(app->teller);
    app->teller = NULL;
}

bool ht__app_submit_write(void *user, struct ht_job *job)
{
    struct ht_app *app = user;
    return app->commit != NULL && ht_commit_submit(app->commit, job);
}

void ht__app_town_free(struct ht_app *app)
{
    ht_stream_free(app->stream);
    ht_forwarder_free(app->forwarder);
    ht_follower_free(app->follower);
    ht_commit_free(app->following);
    ht_courier_free(app->courier);
    if (!app->doors_lent) {
        ht_mqtt_stop(app->mqtt);
        ht_jt808_stop(app->jt808);
    }
    ht_device_book_stop(app->book);
    ht_relay_takers_free(app->takers);
    ht_loads_free(app->loads);
    ht_underway_stop(app->underway);
    ht_planner_stop(app->planner);
    ht_rounds_keeper_stop(app->keeps_rounds);
    ht_desk_room_stop(app->desk);
    ht_learning_stop(app->learning);
    ht_commit_stop(app->commit); /* whose jobs speak to the teller, and ask planner and vans */
    if (!app->doors_lent) {
        ht_jt808_free(app->jt808); /* to whom it said what became of alarms */
    }
    ht_teller_free(app->teller);
    ht_underway_free(app->underway);
    ht_planner_free(app->planner);
    ht_rounds_keeper_free(app->keeps_rounds);
    ht_arrivals_free(app->arrivals);
    ht_commit_free(app->commit);
    ht_device_book_free(app->book);
    if (!app->doors_lent) {
        ht_mqtt_free(app->mqtt); /* whom alarms that were under way called back */
    }
    ht_learning_free(app->learning);
    ht_desk_room_free(app->desk);
    ht_orders_room_free(app->orders);
    ht_visits_room_free(app->visits);
    ht_finder_free(app->finder);
    ht_registry_free(app->registry);
    if (app->writer != NULL) {
        ht_gzip_free(app->writer->gzip);
        ht__app_context_free(app->writer->user);
        free(app->writer);
    }
    ht_store_close(app->store);
    ht_fencing_free(app->fencing);
    ht_live_free(app->live);
    for (size_t i = 0; i < app->token_set_count; i++) {
        ht_tokens_free(app->token_sets[i]);
    }
}

/* When the file was changed last; -1: it can't be said. */
static int64_t changed_ns(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec
                                  : -1;
}

/* Needs context_lock. */
static enum ht_status tokens_read(struct ht_app *app, struct ht_error *error)
{
    struct ht_tokens *tokens = NULL;
    if (app->token_set_count == HT_APP_TOKEN_SETS) {
        return ht_error_set(error, HT_TOO_BIG, 0,
                            "the tokens were changed too often; start the server anew");
    }
    app->token_changed_ns = changed_ns(app->token_path);
    enum ht_status status = ht_tokens_load(app->token_path, &tokens, error);
    if (status == HT_OK) {
        app->token_sets[app->token_set_count++] = tokens;
        atomic_store_explicit(&app->tokens, tokens, memory_order_release);
    }
    return status;
}

enum ht_status ht_app_tokens_open(struct ht_app *app, const char *path, struct ht_error *error)
{
    (void)pthread_mutex_lock(&app->context_lock);
    app->token_path = path;
    enum ht_status status = tokens_read(app, error);
    (void)pthread_mutex_unlock(&app->context_lock);
    return status;
}

void ht_app_tokens_refresh(struct ht_app *app)
{
    if (app->token_path == NULL || pthread_mutex_trylock(&app->context_lock) != 0) {
        return;
    }
    if (changed_ns(app->token_path) != app->token_changed_ns) {
        struct ht_error error = {0};
        if (tokens_read(app, &error) == HT_OK) {
            ht_log(HT_LOG_INFO, "%s is read again", app->token_path);
        } else {
            ht_log(HT_LOG_WARNING, "%s; the tokens that were known stay", error.message);
        }
    }
    (void)pthread_mutex_unlock(&app->context_lock);
}

struct ht_store_reader *ht_app_reader(struct ht_app_context *context, struct ht_reply *reply)
{
    struct ht_error error = {0};
    if (context->app->store == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "this server has no store");
        return NULL;
    }
    if (context->reader == NULL &&
        ht_store_reader_new(context->app->store, &context->reader, &error) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", error.message);
        reply->retry_after_s = 1;
    }
    return context->reader;
}

struct ht_live_work *ht_app_live_work(struct ht_app_context *context)
{
    if (context->live == NULL && ht_live_work_new(context->app->live, &context->live) != HT_OK) {
        context->live = NULL;
    }
    return context->live;
}
