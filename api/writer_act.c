#include "api/writer_act.h"

#include <pthread.h>
#include <stdbool.h>

#include "api/app.h"
#include "api/commit.h"

struct acting {
    struct ht_job job;
    struct ht_app *app;
    const struct ht_writer_act *act;
    enum ht_status status;
    struct ht_error error;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool over;
};

static void acting_run(struct ht_job *job, void *worker)
{
    struct acting *acting = (struct acting *)job;
    struct ht_app_context *context = ((struct ht_worker_context *)worker)->user;
    struct ht_commit *commit = acting->app->commit;
    acting->status =
        acting->act->run(acting->act->user, context, ht_commit_tx(commit), &acting->error);
    if (acting->status != HT_OK) {
        ht_commit_take_back(commit);
    }
}

static void acting_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct acting *acting = (struct acting *)job;
    (void)worker;
    if (acting->status == HT_OK) {
        acting->act->done(acting->act->user, outcome);
        acting->status = outcome;
    }
    (void)pthread_mutex_lock(&acting->lock);
    acting->over = true;
    (void)pthread_cond_signal(&acting->wake);
    (void)pthread_mutex_unlock(&acting->lock);
}

enum ht_status ht_writer_do(struct ht_app *app, const struct ht_writer_act *act,
                            struct ht_error *error)
{
    struct acting acting = {.app = app, .act = act, .status = HT_BUSY};
    if (app->commit == NULL) {
        return ht_error_set(error, HT_UNSUPPORTED, 0, "the store can't be written");
    }
    acting.job = (struct ht_job){.run = acting_run, .done = acting_done};
    (void)pthread_mutex_init(&acting.lock, NULL);
    (void)pthread_cond_init(&acting.wake, NULL);
    if (ht_commit_submit(app->commit, &acting.job)) {
        (void)pthread_mutex_lock(&acting.lock);
        while (!acting.over) {
            (void)pthread_cond_wait(&acting.wake, &acting.lock);
        }
        (void)pthread_mutex_unlock(&acting.lock);
    }
    (void)pthread_cond_destroy(&acting.wake);
    (void)pthread_mutex_destroy(&acting.lock);
    if (acting.status == HT_OK) {
        return HT_OK;
    }
    return acting.error.message[0] == '\0'
               ? ht_error_set(error, acting.status, 0, NULL)
               : ht_error_set(error, acting.status, 0, "%s", acting.error.message);
}
