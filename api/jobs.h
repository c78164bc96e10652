/* Jobs: threads for what may take longer than a few milliseconds, so that no event loop has to.
 *
 * Threading: submit from any thread. Ownership: a job is the caller's memory; it is the pool's from
 * submit until its `run` returns (which may hand it on or free it). Each worker has a context of
 * its own.
 */
#ifndef HT_API_JOBS_H
#define HT_API_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

struct ht_jobs;

/* `done` follows `run`: at once in a pool, after the commit in api/commit.h. `outcome`: HT_OK, or
 * why what `run` did is lost. It may hand the job on or free it. */
struct ht_job {
    void (*run)(struct ht_job *job, void *worker_context);
    void (*done)(struct ht_job *job, void *worker_context, enum ht_status outcome);
    struct ht_job *next; /* the pool's */
};

/* Jobs that wait, first come first served. Under its owner's lock. */
struct ht_job_queue {
    struct ht_job *first;
    struct ht_job **last;
    unsigned waiting;
    unsigned most;
};

void ht_job_queue_init(struct ht_job_queue *queue, unsigned most);
/* False: it is full. */
bool ht_job_queue_push(struct ht_job_queue *queue, struct ht_job *job);
/* The first `most` of them as a list; NULL: there is none. */
struct ht_job *ht_job_queue_take(struct ht_job_queue *queue, unsigned most);

/* `contexts`: one for each of `workers`, borrowed, may hold NULLs. `queue`: jobs that may wait. */
HT_MUST_CHECK enum ht_status ht_jobs_new(unsigned workers, unsigned queue, void *const *contexts,
                                         struct ht_jobs **out);
/* Runs what was submitted, then ends the threads. */
void ht_jobs_free(struct ht_jobs *jobs);

/* False when the queue is full. */
bool ht_jobs_submit(struct ht_jobs *jobs, struct ht_job *job);

struct ht_jobs_stats {
    unsigned waiting;
    unsigned running;
    size_t done;
    size_t refused;
};
void ht_jobs_stats_read(struct ht_jobs *jobs, struct ht_jobs_stats *out);

#endif
