/* The part of the app that is about what lasts: the store, its writer, the tokens. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/commit.h"
#include "api/http_answer.h"
#include "api/live.h"
#include "api/stream.h"

enum {
    COMMIT_QUEUE = 4096,
    UNITS_MOST = 1 << 20,
    SAVE_EVERY_MS = 2000,
    TIDY_EVERY_MS = 3600 * 1000,
};

/* How long tracks and the answers to Idempotency-Keys are kept. */
#define TRACK_MS (INT64_C(30) * 24 * 3600 * 1000)
#define ANSWER_MS (INT64_C(7) * 24 * 3600 * 1000)

static enum ht_status writer_start(struct ht_app *app)
{
    void *context = NULL;
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
    return status == HT_OK ? ht_commit_new(app->store, app->writer, COMMIT_QUEUE, &app->commit)
                           : status;
}

enum ht_status ht_app_store_open(struct ht_app *app, const char *path, struct ht_error *note,
                                 struct ht_error *error)
{
    struct ht_store_options options = {.mode = HT_STORE_CREATE};
    *note = (struct ht_error){0};
    enum ht_status status = ht_store_open(path, &options, &app->store, error);
    if (status == HT_READ_ONLY) {
        *note = *error;
        options.mode = HT_STORE_READ_ONLY;
        return ht_store_open(path, &options, &app->store, error);
    }
    if (status == HT_OK && writer_start(app) != HT_OK) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return status;
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

enum ht_status ht_app_live_open(struct ht_app *app, struct ht_error *error)
{
    struct ht_live_work *work = NULL;
    struct ht_store_reader *reader = NULL;
    enum ht_status status = ht_live_new(town_box(app), UNITS_MOST, &app->live);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    if (app->store == NULL) {
        return HT_OK;
    }
    if (app->commit != NULL) {
        ht_live_keep(app->live);
    }
    status = ht_live_work_new(app->live, &work);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = ht_store_reader_new(app->store, &reader, error);
    if (status == HT_OK) {
        /* streets come with the first question or report, not before the first answer */
        status = ht_live_load(app->live, work, NULL, reader, error);
    }
    ht_store_reader_free(reader);
    ht_live_work_free(work);
    return status;
}

/* Positions on their way to the store. */
struct saving {
    struct ht_job job;
    struct ht_app *app;
    struct ht_live_unsaved unsaved;
};

/* What is older than it is kept for. */
static enum ht_status forget_old(struct ht_app *app, struct ht_store_tx *tx)
{
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    if (now_ms - app->tidied_ms < TIDY_EVERY_MS) {
        return HT_OK;
    }
    app->tidied_ms = now_ms;
    enum ht_status status = ht_store_positions_forget(tx, now_ms - TRACK_MS, NULL);
    return status == HT_OK ? ht_store_answers_forget(tx, now_ms - ANSWER_MS, NULL) : status;
}

static void saving_run(struct ht_job *job, void *context)
{
    struct saving *saving = (struct saving *)job;
    struct ht_store_tx *tx = ht_commit_tx(saving->app->commit);
    (void)context;
    enum ht_status status =
        ht_store_positions_put(tx, saving->unsaved.positions, saving->unsaved.count, NULL);
    if (status == HT_OK) {
        status = forget_old(saving->app, tx);
    }
    (void)status; /* the commit fails then, too, and the next positions come in two seconds */
}

static void saving_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    struct saving *saving = (struct saving *)job;
    (void)context;
    (void)outcome;
    ht_live_unsaved_free(&saving->unsaved);
    free(saving);
}

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void ht_app_live_save(struct ht_app *app, bool now)
{
    int64_t last = atomic_load(&app->saved_ms);
    int64_t time = steady_ms();
    if (app->commit == NULL || app->live == NULL || (!now && time - last < SAVE_EVERY_MS) ||
        !atomic_compare_exchange_strong(&app->saved_ms, &last, time)) {
        return;
    }
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving == NULL || ht_live_take(app->live, &saving->unsaved) != HT_OK ||
        saving->unsaved.count == 0) {
        free(saving);
        return;
    }
    saving->app = app;
    saving->job.run = saving_run;
    saving->job.done = saving_done;
    if (!ht_commit_submit(app->commit, &saving->job)) {
        saving_done(&saving->job, NULL, HT_BUSY);
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
    ht_app_live_save(app, true);
    ht_commit_stop(app->commit);
}

bool ht__app_submit_write(void *user, struct ht_job *job)
{
    struct ht_app *app = user;
    return app->commit != NULL && ht_commit_submit(app->commit, job);
}

void ht__app_town_free(struct ht_app *app)
{
    ht_stream_free(app->stream);
    ht_commit_free(app->commit);
    ht_registry_free(app->registry);
    if (app->writer != NULL) {
        ht_gzip_free(app->writer->gzip);
        ht__app_context_free(app->writer->user);
        free(app->writer);
    }
    ht_store_close(app->store);
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
        enum ht_status status = tokens_read(app, NULL);
        (void)status; /* those that were known stay */
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
