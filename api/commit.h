/* Commit: the one thread that writes the store.
 *
 * It takes the jobs that wait, all of them, runs each within one transaction, commits (one sync for
 * all: group commit), and only then lets each be answered. A job that has to be taken back says so
 * (ht_commit_take_back) and leaves no trace, while those beside it stay. Now and then it writes the
 * store's log back, between two batches.
 *
 * Watchers are told of every event that was committed: after the answers are on their way, in the
 * order of the events, each once. What is told is read back from the store, so also events that
 * another process wrote (houtao load beside a server) come, at the latest a second later.
 * What can't be read at the moment is told the next time: late, but without a gap.
 *
 * Where another process is the desk (api/nodes.h) it follows: it writes nothing, refuses every job,
 * and tells its watchers what that process commits, as soon as somebody says that there is more to
 * see.
 *
 * Threading: submit, look, watch and unwatch from any thread; tx and take_back from within a job's
 * `run`. Ownership: the store and the context are borrowed.
 */
#ifndef HT_API_COMMIT_H
#define HT_API_COMMIT_H

#include "api/jobs.h"
#include "geodata/store.h"

struct ht_commit;

/* `context` is what jobs are run with (a struct ht_worker_context for those of the HTTP server);
 * `queue`: jobs that may wait. */
HT_MUST_CHECK enum ht_status ht_commit_new(struct ht_store *store, void *context, unsigned queue,
                                           struct ht_commit **out);
/* The same for a store that another process writes. Watchers are told of what comes after event
 * `after`, from ht_commit_follow on, so that all can begin with the same. */
HT_MUST_CHECK enum ht_status ht_commit_new_following(struct ht_store *store, int64_t after,
                                                     struct ht_commit **out);
void ht_commit_follow(struct ht_commit *commit);
/* There may be events of another process: they are read now. With `wait_ms` it returns when what
 * was written before the call is told, or that much later. */
void ht_commit_look(struct ht_commit *commit, int wait_ms);
/* The number of the last event that watchers know. */
int64_t ht_commit_told(const struct ht_commit *commit);
/* Runs what was submitted, then ends the thread; later jobs are refused. Both take NULL. */
void ht_commit_stop(struct ht_commit *commit);
void ht_commit_free(struct ht_commit *commit);

/* False when the queue is full. */
bool ht_commit_submit(struct ht_commit *commit, struct ht_job *job);

/* Within `run`: the transaction, and the wish to leave nothing of this job in it. */
struct ht_store_tx *ht_commit_tx(struct ht_commit *commit);
void ht_commit_take_back(struct ht_commit *commit);
/* Within `run`: no other job is run before this one is committed and done, so that those after it
 * find memory as this one leaves it. Its batch ends with it. */
void ht_commit_alone(struct ht_commit *commit);

/* Called on the commit's thread, so shortly: the next commit waits. They may submit jobs, but not
 * watch or unwatch. */
struct ht_commit_watch {
    void (*event)(void *user, const struct ht_store_event *event); /* texts are borrowed */
    void (*settled)(void *user, int64_t last_seq); /* after some events, may be NULL */
    void *user;
};
enum { HT_COMMIT_WATCHES = 16 };

/* From now on `watch` (copied) is told of each event after number `*after`; those up to it are in
 * the store (ht_store_events). HT_TOO_BIG: too many watch. */
HT_MUST_CHECK enum ht_status ht_commit_watch(struct ht_commit *commit,
                                             const struct ht_commit_watch *watch, int64_t *after);
/* When it returns, watches of that user are not called any more. */
void ht_commit_unwatch(struct ht_commit *commit, const void *user);

struct ht_commit_stats {
    size_t jobs;
    size_t batches; /* commits */
    size_t failed;  /* jobs lost with a commit */
    size_t refused;
    unsigned waiting;
};
void ht_commit_stats_read(struct ht_commit *commit, struct ht_commit_stats *out);

#endif
