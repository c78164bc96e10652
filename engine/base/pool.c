#include "engine/base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct ht_pool {
    size_t threads;
    pthread_t *ids;
    size_t started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t done;
    size_t round;   /* grows with each run; workers wait for a new one */
    size_t working; /* workers that have not finished this round */
    bool stop;
    size_t pieces;
    atomic_size_t next;
    void (*work)(void *user, size_t piece, size_t worker);
    void *user;
};

struct start {
    struct ht_pool *pool;
    size_t worker;
};

static void take_pieces(struct ht_pool *pool, size_t worker)
{
    for (;;) {
        size_t piece = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (piece >= pool->pieces) {
            return;
        }
        pool->work(pool->user, piece, worker);
    }
}

static void *worker_main(void *arg)
{
    struct start *start = arg;
    struct ht_pool *pool = start->pool;
    size_t worker = start->worker;
    free(start);
    size_t seen = 0;
    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->round == seen && !pool->stop) {
            (void)pthread_cond_wait(&pool->wake, &pool->lock);
        }
        if (pool->stop) {
            break;
        }
        seen = pool->round;
        (void)pthread_mutex_unlock(&pool->lock);
        take_pieces(pool, worker);
        (void)pthread_mutex_lock(&pool->lock);
        if (--pool->working == 0) {
            (void)pthread_cond_signal(&pool->done);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum ht_status ht_pool_new(size_t threads, struct ht_pool **out)
{
    if (threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores < 1 ? 1 : (size_t)cores;
    }
    struct ht_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return HT_NOMEM;
    }
    pool->threads = threads;
    pool->ids = calloc(threads, sizeof *pool->ids);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->wake, NULL);
    (void)pthread_cond_init(&pool->done, NULL);
    if (pool->ids == NULL) {
        ht_pool_free(pool);
        return HT_NOMEM;
    }
    for (size_t i = 1; i < threads; i++) {
        struct start *start = malloc(sizeof *start);
        if (start == NULL) {
            ht_pool_free(pool);
            return HT_NOMEM;
        }
        *start = (struct start){.pool = pool, .worker = i};
        if (pthread_create(&pool->ids[pool->started], NULL, worker_main, start) != 0) {
            free(start);
            ht_pool_free(pool);
            return HT_NOMEM;
        }
        pool->started++;
    }
    *out = pool;
    return HT_OK;
}

void ht_pool_free(struct ht_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->started; i++) {
        (void)pthread_join(pool->ids[i], NULL);
    }
    (void)pthread_cond_destroy(&pool->wake);
    (void)pthread_cond_destroy(&pool->done);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->ids);
    free(pool);
}

size_t ht_pool_threads(const struct ht_pool *pool)
{
    return pool->threads;
}

void ht_pool_run(struct ht_pool *pool, size_t pieces,
                 void (*work)(void *user, size_t piece, size_t worker), void *user)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->pieces = pieces;
    pool->work = work;
    pool->user = user;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->working = pool->started;
    pool->round++;
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
    take_pieces(pool, 0);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->working != 0) {
        (void)pthread_cond_wait(&pool->done, &pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
}
