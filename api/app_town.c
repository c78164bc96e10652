/* The part of the app that is about what lasts: the store, its writer, the tokens. */
#include <stdlib.h>
#include <sys/stat.h>

#include "api/app_internal.h"
#include "api/commit.h"
#include "api/http_answer.h"

enum { COMMIT_QUEUE = 4096 };

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

void ht_app_store_stop(struct ht_app *app)
{
    ht_commit_stop(app->commit);
}

bool ht__app_submit_write(void *user, struct ht_job *job)
{
    struct ht_app *app = user;
    return app->commit != NULL && ht_commit_submit(app->commit, job);
}

void ht__app_town_free(struct ht_app *app)
{
    ht_commit_free(app->commit);
    ht_registry_free(app->registry);
    if (app->writer != NULL) {
        ht_gzip_free(app->writer->gzip);
        ht__app_context_free(app->writer->user);
        free(app->writer);
    }
    ht_store_close(app->store);
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
