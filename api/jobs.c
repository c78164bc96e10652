#include "api/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORKER_NICE = 5 };

struct worker {
    struct ht_jobs *jobs;
    void *context;
    pthread_t thread;
};

struct ht_jobs {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct ht_job_queue queue;
    bool stop;
    struct ht_jobs_stats stats;
    unsigned started;
    struct worker workers[];
};

void ht_job_queue_init(struct ht_job_queue *queue, unsigned most)
{
    *queue = (struct ht_job_queue){.last = &queue->first, .most = most};
}

bool ht_job_queue_push(struct ht_job_queue *queue, struct ht_job *job)
{
    if (queue->waiting >= queue->most) {
        return false;
    }
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
    queue->waiting++;
    return true;
}

struct ht_job *ht_job_queue_take(struct ht_job_queue *queue, unsigned most)
{
    struct ht_job *jobs = queue->first;
    struct ht_job **end = &jobs;
    for (unsigned i = 0; i < most && *end != NULL; i++) {
        end = &(*end)->next;
        queue->waiting--;
    }
    queue->first = *end;
    *end = NULL;
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    return jobs;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct ht_jobs *jobs = worker->jobs;
    /* Where cores are short the event loops go first: theirs are microseconds. On Linux this is the
     * thread's own. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), WORKER_NICE);
    (void)pthread_mutex_lock(&jobs->lock);
    for (;;) {
        while (jobs->queue.first == NULL && !jobs->stop) {
            (void)pthread_cond_wait(&jobs->wake, &jobs->lock);
        }
        struct ht_job *job = ht_job_queue_take(&jobs->queue, 1);
        if (job == NULL) {
            break;
        }
        jobs->stats.running++;
        (void)pthread_mutex_unlock(&jobs->lock);
        job->run(job, worker->context);
        job->done(job, worker->context, HT_OK);
        (void)pthread_mutex_lock(&jobs->lock);
        jobs->stats.running--;
        jobs->stats.done++;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

enum ht_status ht_jobs_new(unsigned workers, unsigned queue, void *const *contexts,
                           struct ht_jobs **out)
{
    struct ht_jobs *jobs = calloc(1, sizeof *jobs + workers * sizeof jobs->workers[0]);
    if (jobs == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_init(&jobs->lock, NULL);
    (void)pthread_cond_init(&jobs->wake, NULL);
    ht_job_queue_init(&jobs->queue, queue);
    for (unsigned i = 0; i < workers; i++) {
        struct worker *worker = &jobs->workers[i];
        worker->jobs = jobs;
        worker->context = contexts[i];
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
            ht_jobs_free(jobs);
            return HT_NOMEM;
        }
        jobs->started++;
    }
    *out = jobs;
    return HT_OK;
}

void ht_jobs_free(struct ht_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&jobs->lock);
    jobs->stop = true;
    (void)pthread_cond_broadcast(&jobs->wake);
    (void)pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->started; i++) {
        (void)pthread_join(jobs->workers[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&jobs->wake);
    (void)pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

bool ht_jobs_submit(struct ht_jobs *jobs, struct ht_job *job)
{
    (void)pthread_mutex_lock(&jobs->lock);
    bool room = jobs->started > 0 && ht_job_queue_push(&jobs->queue, job);
    if (room) {
        (void)pthread_cond_signal(&jobs->wake);
    } else {
        jobs->stats.refused++;
    }
    (void)pthread_mutex_unlock(&jobs->lock);
    return room;
}

void ht_jobs_stats_read(struct ht_jobs *jobs, struct ht_jobs_stats *out)
{
    (void)pthread_mutex_lock(&jobs->lock);
    *out = jobs->stats;
    out->waiting = jobs->queue.waiting;
    (void)pthread_mutex_unlock(&jobs->lock);
}
