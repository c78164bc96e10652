/* A pool of worker threads for work that is split into numbered pieces.
 *
 * Threading: ht_pool_run may be called from one thread at a time for each pool; the caller works
 * too, so a pool of 1 makes no thread at all.
 */
#ifndef HT_ENGINE_BASE_POOL_H
#define HT_ENGINE_BASE_POOL_H

#include <stddef.h>

#include "engine/base/status.h"

struct ht_pool;

/* `threads` 0: as many as the machine has cores. HT_NOMEM when memory or threads run out. */
HT_MUST_CHECK enum ht_status ht_pool_new(size_t threads, struct ht_pool **out);
void ht_pool_free(struct ht_pool *pool);
size_t ht_pool_threads(const struct ht_pool *pool);

/* Runs work(user, piece, worker) for each piece in [0, pieces), in any order, on all threads;
 * returns when all are done. `worker` is in [0, threads): an index for per-thread memory. */
void ht_pool_run(struct ht_pool *pool, size_t pieces,
                 void (*work)(void *user, size_t piece, size_t worker), void *user);

#endif
