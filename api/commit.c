#include "api/commit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/log.h"

enum {
    BATCH_MOST = 1024,          /* jobs of one transaction */
    CHECKPOINT_EVERY_MS = 5000, /* where anything was written since */
    LOOK_EVERY_MS = 1000,       /* for events that other processes wrote */
    CALM_MS = 5000,             /* without a lost batch, before it is told that they are over */
    TELL_PAGE = 512,            /* events that are read at a time */
};

struct ht_commit {
    struct ht_store *store;
    void *context;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct ht_job_queue queue;
    bool stop;
    uint64_t look_wanted; /* looks for its events, by number */
    uint64_t look_done;
    pthread_cond_t looked;
    bool written;       /* since the last checkpoint */
    bool take_back;     /* the job that runs wants it */
    bool alone;         /* the same: it is to be the last of its batch */
    int64_t checked_ms; /* the time of the last checkpoint */
    int64_t lost_ms;    /* the time of the last lost batch; 0: none, or they are over */
    struct ht_store_tx *tx;
    struct ht_commit_stats stats;
    struct ht_store_reader *reader; /* of what watchers are told */
    pthread_mutex_t watch_lock;     /* the watches and `told`; held while they are called */
    struct ht_commit_watch watches[HT_COMMIT_WATCHES];
    unsigned watch_count;
    atomic_int_least64_t told; /* the number of the last event that they know */
    bool follows;              /* another process writes */
    bool held;                 /* and nothing is told yet */
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

struct ht_store_tx *ht_commit_tx(struct ht_commit *commit)
{
    return commit->tx;
}

void ht_commit_take_back(struct ht_commit *commit)
{
    commit->take_back = true;
}

void ht_commit_alone(struct ht_commit *commit)
{
    commit->alone = true;
}

/* Runs one job between two marks. */
static enum ht_status job_run(struct ht_commit *commit, struct ht_job *job)
{
    enum ht_status status = ht_store_mark(commit->tx, NULL);
    if (status == HT_OK) {
        commit->take_back = false;
        job->run(job, commit->context);
        status = ht_store_unmark(commit->tx, !commit->take_back, NULL);
    }
    return status;
}

/* Runs jobs up to one that is to be the last; those after it stay behind in `*rest`. */
static enum ht_status batch_run(struct ht_commit *commit, struct ht_job *jobs, struct ht_job **rest)
{
    *rest = NULL;
    commit->alone = false;
    enum ht_status status = ht_store_begin(commit->store, &commit->tx, NULL);
    if (status != HT_OK) {
        return status;
    }
    for (struct ht_job *job = jobs; status == HT_OK && job != NULL; job = job->next) {
        status = job_run(commit, job);
        if (commit->alone) {
            *rest = job->next;
            job->next = NULL;
        }
    }
    if (status != HT_OK) {
        ht_store_rollback(commit->tx);
    } else {
        status = ht_store_commit(commit->tx, NULL);
    }
    commit->tx = NULL;
    return status;
}

/* Every job is told; where the batch was lost, it had not been answered yet. */
static size_t batch_end(struct ht_commit *commit, struct ht_job *jobs, enum ht_status outcome)
{
    size_t count = 0;
    while (jobs != NULL) {
        struct ht_job *next = jobs->next;
        jobs->done(jobs, commit->context, outcome);
        jobs = next;
        count++;
    }
    return count;
}

static void wait_for_work(struct ht_commit *commit)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_EVERY_MS / 1000;
    (void)pthread_cond_timedwait(&commit->wake, &commit->lock, &until);
}

static void checkpoint(struct ht_commit *commit)
{
    int64_t now = now_ms();
    if (commit->written && now - commit->checked_ms >= CHECKPOINT_EVERY_MS) {
        commit->written = false;
        commit->checked_ms = now;
        (void)pthread_mutex_unlock(&commit->lock);
        /* what it could not write back now stays in the log for the next time */
        enum ht_status status = ht_store_checkpoint(commit->store, NULL);
        (void)status;
        (void)pthread_mutex_lock(&commit->lock);
    }
}

/* ---- watchers ---- */

static enum ht_status tell_one(void *user, const struct ht_store_event *event)
{
    struct ht_commit *commit = user;
    for (unsigned i = 0; i < commit->watch_count; i++) {
        commit->watches[i].event(commit->watches[i].user, event);
    }
    atomic_store(&commit->told, event->seq);
    return HT_OK;
}

/* Reads what is new since the last time. Without watchers nobody has to know, and the next one
 * begins where the store stands then. */
static void tell(struct ht_commit *commit)
{
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&commit->watch_lock);
    int64_t first = atomic_load(&commit->told);
    int64_t before = first - 1;
    while (commit->watch_count > 0 && !commit->held && status == HT_OK &&
           before < atomic_load(&commit->told)) {
        before = atomic_load(&commit->told);
        status = ht_store_events(commit->reader, before, TELL_PAGE, tell_one, commit, NULL);
    }
    int64_t told = atomic_load(&commit->told);
    for (unsigned i = 0; i < commit->watch_count && told > first; i++) {
        if (commit->watches[i].settled != NULL) {
            commit->watches[i].settled(commit->watches[i].user, told);
        }
    }
    (void)pthread_mutex_unlock(&commit->watch_lock);
}

enum ht_status ht_commit_watch(struct ht_commit *commit, const struct ht_commit_watch *watch,
                               int64_t *after)
{
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&commit->watch_lock);
    if (commit->watch_count == HT_COMMIT_WATCHES) {
        status = HT_TOO_BIG;
    } else if (commit->watch_count == 0 && !commit->follows) {
        int64_t last = 0;
        status = ht_store_event_last(commit->reader, &last, NULL);
        atomic_store(&commit->told, last);
    }
    if (status == HT_OK) {
        commit->watches[commit->watch_count++] = *watch;
        *after = atomic_load(&commit->told);
    }
    (void)pthread_mutex_unlock(&commit->watch_lock);
    return status;
}

void ht_commit_unwatch(struct ht_commit *commit, const void *user)
{
    unsigned kept = 0;
    (void)pthread_mutex_lock(&commit->watch_lock);
    for (unsigned i = 0; i < commit->watch_count; i++) {
        if (commit->watches[i].user != user) {
            commit->watches[kept++] = commit->watches[i];
        }
    }
    commit->watch_count = kept;
    (void)pthread_mutex_unlock(&commit->watch_lock);
}

/* ---- the thread ---- */

/* Needs the lock. Nothing waits: what else there is to do, then sleep. */
static void rest(struct ht_commit *commit)
{
    checkpoint(commit);
    if (commit->queue.first == NULL && !commit->stop && commit->look_wanted == commit->look_done) {
        wait_for_work(commit);
    }
    if (commit->queue.first == NULL) { /* events that others wrote */
        uint64_t wanted = commit->look_wanted;
        (void)pthread_mutex_unlock(&commit->lock);
        tell(commit);
        (void)pthread_mutex_lock(&commit->lock);
        commit->look_done = wanted;
        (void)pthread_cond_broadcast(&commit->looked);
    }
}

void ht_commit_look(struct ht_commit *commit, int wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&commit->lock);
    uint64_t wanted = ++commit->look_wanted;
    int code = 0;
    (void)pthread_cond_signal(&commit->wake);
    while (wait_ms > 0 && code == 0 && !commit->stop && commit->look_done < wanted) {
        code = pthread_cond_timedwait(&commit->looked, &commit->lock, &until);
    }
    (void)pthread_mutex_unlock(&commit->lock);
}

void ht_commit_follow(struct ht_commit *commit)
{
    (void)pthread_mutex_lock(&commit->watch_lock);
    commit->held = false;
    (void)pthread_mutex_unlock(&commit->watch_lock);
    ht_commit_look(commit, 0);
}

int64_t ht_commit_told(const struct ht_commit *commit)
{
    return atomic_load(&commit->told);
}

/* Says once that commands are lost, and once that they are not any more. */
static void outcome_log(struct ht_commit *commit, enum ht_status status)
{
    int64_t now = now_ms();
    if (status != HT_OK) {
        if (commit->lost_ms == 0) {
            ht_log(HT_LOG_ERROR, "commands can't be written: %s; they are answered with 503",
                   ht_status_text(status));
        }
        commit->lost_ms = now;
    } else if (commit->lost_ms != 0 && now - commit->lost_ms >= CALM_MS) {
        ht_log(HT_LOG_INFO, "commands are written again");
        commit->lost_ms = 0;
    }
}

/* One transaction. Returns the jobs that are left for another one. */
static struct ht_job *batch(struct ht_commit *commit, struct ht_job *jobs)
{
    struct ht_job *left = NULL;
    enum ht_status status = batch_run(commit, jobs, &left);
    outcome_log(commit, status);
    size_t count = batch_end(commit, jobs, status);
    tell(commit);
    (void)pthread_mutex_lock(&commit->lock);
    commit->written = true;
    commit->stats.batches++;
    commit->stats.jobs += count;
    commit->stats.failed += status == HT_OK ? 0 : count;
    (void)pthread_mutex_unlock(&commit->lock);
    return left;
}

static void *commit_main(void *user)
{
    struct ht_commit *commit = user;
    (void)pthread_mutex_lock(&commit->lock);
    while (!commit->stop || commit->queue.first != NULL) {
        struct ht_job *jobs = ht_job_queue_take(&commit->queue, BATCH_MOST);
        if (jobs == NULL) {
            rest(commit);
            continue;
        }
        (void)pthread_mutex_unlock(&commit->lock);
        while (jobs != NULL) {
            jobs = batch(commit, jobs);
        }
        (void)pthread_mutex_lock(&commit->lock);
    }
    (void)pthread_mutex_unlock(&commit->lock);
    return NULL;
}

/* Takes `commit` over, which may be NULL. */
static enum ht_status commit_begin(struct ht_commit *commit, struct ht_store *store, unsigned queue,
                                   struct ht_commit **out)
{
    if (commit == NULL) {
        return HT_NOMEM;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&commit->lock, NULL);
    (void)pthread_mutex_init(&commit->watch_lock, NULL);
    (void)pthread_cond_init(&commit->wake, &attributes);
    (void)pthread_cond_init(&commit->looked, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    commit->store = store;
    ht_job_queue_init(&commit->queue, queue);
    commit->checked_ms = now_ms();
    enum ht_status status = ht_store_reader_new(store, &commit->reader, NULL);
    if (status == HT_OK) {
        commit->started = pthread_create(&commit->thread, NULL, commit_main, commit) == 0;
        status = commit->started ? HT_OK : HT_NOMEM;
    }
    if (status != HT_OK) {
        ht_commit_free(commit);
        return status;
    }
    *out = commit;
    return HT_OK;
}

enum ht_status ht_commit_new(struct ht_store *store, void *context, unsigned queue,
                             struct ht_commit **out)
{
    struct ht_commit *commit = calloc(1, sizeof *commit);
    if (commit != NULL) {
        commit->context = context;
    }
    return commit_begin(commit, store, queue, out);
}

enum ht_status ht_commit_new_following(struct ht_store *store, int64_t after,
                                       struct ht_commit **out)
{
    struct ht_commit *commit = calloc(1, sizeof *commit);
    if (commit != NULL) {
        commit->follows = true;
        commit->held = true;
        atomic_init(&commit->told, after);
    }
    return commit_begin(commit, store, 0, out); /* no job finds room */
}

void ht_commit_stop(struct ht_commit *commit)
{
    if (commit != NULL && commit->started) {
        (void)pthread_mutex_lock(&commit->lock);
        commit->stop = true;
        (void)pthread_cond_signal(&commit->wake);
        (void)pthread_mutex_unlock(&commit->lock);
        (void)pthread_join(commit->thread, NULL);
        commit->started = false;
    }
}

void ht_commit_free(struct ht_commit *commit)
{
    if (commit != NULL) {
        ht_commit_stop(commit);
        (void)pthread_cond_destroy(&commit->wake);
        (void)pthread_cond_destroy(&commit->looked);
        (void)pthread_mutex_destroy(&commit->lock);
        (void)pthread_mutex_destroy(&commit->watch_lock);
        ht_store_reader_free(commit->reader);
        free(commit);
    }
}

bool ht_commit_submit(struct ht_commit *commit, struct ht_job *job)
{
    (void)pthread_mutex_lock(&commit->lock);
    bool room = !commit->stop && ht_job_queue_push(&commit->queue, job);
    if (room) {
        (void)pthread_cond_signal(&commit->wake);
    } else {
        commit->stats.refused++;
    }
    (void)pthread_mutex_unlock(&commit->lock);
    return room;
}

void ht_commit_stats_read(struct ht_commit *commit, struct ht_commit_stats *out)
{
    (void)pthread_mutex_lock(&commit->lock);
    *out = commit->stats;
    out->waiting = commit->queue.waiting;
    (void)pthread_mutex_unlock(&commit->lock);
}
