#include "api/loads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/commit.h"
#include "api/finder.h"
#include "api/live.h"
#include "api/live_follow.h"
#include "api/zones.h"
#include "engine/base/array.h"

enum {
    PORTION = 64,  /* items of a job, but for zones: a few milliseconds of the writer */
    RETRY_MS = 250 /* the store can't be read, or memory is short */
};

/* A collection of which something was loaded, within [from_ms, until_ms]; none: from > until. */
struct pending {
    int64_t from_ms;
    int64_t until_ms;
};

/* Some items on their way to the live town. */
struct portion {
    struct ht_job job;
    struct ht_loads *loads;
    const struct ht_collection *collection;
    const char (*ids)[HT_ID_MAX + 1];
    size_t count;
    enum ht_status status;
    bool over; /* under the lock */
};

struct ht_loads {
    struct ht_app *app;
    pthread_t thread;
    bool watching;
    bool started;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    bool stop;
    struct pending *pending; /* [as ht_collections] */
    size_t collection_count;
    struct ht_store_reader *reader;  /* the thread's */
    struct ht_store_reader *applier; /* the writer's */
    char (*ids)[HT_ID_MAX + 1];      /* the thread's */
    size_t id_count;
    size_t id_capacity;
};

/* ---- what was loaded; on the writer's thread ---- */

static void pending_add(struct ht_loads *loads, size_t collection, struct pending more)
{
    (void)pthread_mutex_lock(&loads->lock);
    struct pending *pending = &loads->pending[collection];
    pending->from_ms = more.from_ms < pending->from_ms ? more.from_ms : pending->from_ms;
    pending->until_ms = more.until_ms > pending->until_ms ? more.until_ms : pending->until_ms;
    (void)pthread_cond_broadcast(&loads->wake);
    (void)pthread_mutex_unlock(&loads->lock);
}

static void on_event(void *user, const struct ht_store_event *event)
{
    struct ht_loads *loads = user;
    size_t count = 0;
    const struct ht_collection *list = ht_collections(&count);
    if (strcmp(event->kind, "items.loaded") != 0 || strcmp(event->actor, HT_REGISTRY_LOADER) != 0) {
        return; /* what this server loads is followed where it is answered */
    }
    const struct ht_collection *found =
        ht_collection_find(event->subject, strcspn(event->subject, "/"));
    if (found == NULL) {
        return;
    }
    if (strcmp(found->name, "zones") == 0) {
        ht_app_zones_changed(loads->app);
    }
    pending_add(loads, (size_t)(found - list), (struct pending){event->at_ms, event->at_ms});
}

/* ---- a portion, on the writer's thread after a commit ---- */

static void portion_run(struct ht_job *job, void *context)
{
    (void)job;
    (void)context;
}

/* Zones close streets at once, as those do that this server puts: all of a load together, since the
 * streets are made to obey as often as it is asked, however many zones there are. */
static enum ht_status zones_take(struct ht_app *app, const struct portion *portion)
{
    const char **ids = ht_array_new(portion->count, sizeof(const char *));
    if (ids == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < portion->count; i++) {
        ids[i] = portion->ids[i];
    }
    enum ht_status status = ht_app_zones_follow(app, portion->loads->applier, ids, portion->count);
    free((void *)ids);
    return status;
}

static enum ht_status items_take(struct ht_app_context *context, const struct portion *portion)
{
    enum ht_status status = HT_OK;
    if (strcmp(portion->collection->name, "zones") == 0) {
        return zones_take(context->app, portion);
    }
    for (size_t i = 0; status == HT_OK && i < portion->count; i++) {
        status =
            ht_live_follow(context, portion->loads->applier, portion->collection, portion->ids[i]);
    }
    return status;
}

/* What the store has now: what was committed before and what will be put next both come after. */
static void portion_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct portion *portion = (struct portion *)job;
    struct ht_loads *loads = portion->loads;
    struct ht_app_context *context = ((struct ht_worker_context *)worker)->user;
    enum ht_status status = items_take(context, portion);
    (void)outcome; /* nothing was written */
    ht_world_reader_rest(&context->world);
    if (context->live != NULL) {
        ht_live_work_rest(context->live);
    }
    (void)pthread_mutex_lock(&loads->lock);
    portion->status = status;
    portion->over = true;
    (void)pthread_cond_broadcast(&loads->wake);
    (void)pthread_mutex_unlock(&loads->lock);
}

/* ---- the thread ---- */

static enum ht_status id_add(void *user, const struct ht_store_item *item)
{
    struct ht_loads *loads = user;
    void *ids = loads->ids;
    size_t size = strnlen(item->id, HT_ID_MAX);
    enum ht_status status =
        ht_array_reserve(&ids, &loads->id_capacity, loads->id_count + 1, sizeof *loads->ids);
    loads->ids = ids;
    if (status == HT_OK) {
        memcpy(loads->ids[loads->id_count], item->id, size);
        loads->ids[loads->id_count++][size] = '\0';
    }
    return status;
}

static enum ht_status portion_put(struct ht_loads *loads, const struct ht_collection *collection,
                                  size_t first, size_t count)
{
    struct portion portion = {.job = {.run = portion_run, .done = portion_done},
                              .loads = loads,
                              .collection = collection,
                              .ids = (const char(*)[HT_ID_MAX + 1])(loads->ids + first),
                              .count = count};
    if (!ht_commit_submit(loads->app->commit, &portion.job)) {
        return HT_BUSY;
    }
    (void)pthread_mutex_lock(&loads->lock);
    while (!portion.over) {
        (void)pthread_cond_wait(&loads->wake, &loads->lock);
    }
    (void)pthread_mutex_unlock(&loads->lock);
    return portion.status;
}

static bool stopping(struct ht_loads *loads)
{
    (void)pthread_mutex_lock(&loads->lock);
    bool stop = loads->stop;
    (void)pthread_mutex_unlock(&loads->lock);
    return stop;
}

static enum ht_status live_follow(struct ht_loads *loads, const struct ht_collection *collection,
                                  struct pending pending)
{
    struct ht_store_query query = ht_store_query_default(collection);
    query.from_ms = pending.from_ms;
    query.until_ms = pending.until_ms;
    loads->id_count = 0;
    enum ht_status status = ht_store_items(loads->reader, &query, id_add, loads, NULL, NULL);
    size_t most = strcmp(collection->name, "zones") == 0 ? loads->id_count : PORTION;
    for (size_t i = 0; status == HT_OK && i < loads->id_count; i += most) {
        size_t left = loads->id_count - i;
        status = stopping(loads) ? HT_CANCELLED
                                 : portion_put(loads, collection, i, left < most ? left : most);
    }
    free(loads->ids); /* it may be long until the next */
    loads->ids = NULL;
    loads->id_capacity = 0;
    return status;
}

static enum ht_status follow(struct ht_loads *loads, const struct ht_collection *collection,
                             struct pending pending)
{
    const char *name = collection->name;
    ht_finder_reload(loads->app->finder, name);
    return strcmp(name, "units") == 0 || strcmp(name, "devices") == 0 || strcmp(name, "zones") == 0
               ? live_follow(loads, collection, pending)
               : HT_OK;
}

/* Needs the lock. The first collection with something to follow, taken over; false: none. */
static bool take(struct ht_loads *loads, size_t *collection, struct pending *out)
{
    for (size_t i = 0; i < loads->collection_count; i++) {
        if (loads->pending[i].from_ms <= loads->pending[i].until_ms) {
            *out = loads->pending[i];
            *collection = i;
            loads->pending[i] = (struct pending){INT64_MAX, INT64_MIN};
            return true;
        }
    }
    return false;
}

/* Needs the lock. */
static void wait_ms(struct ht_loads *loads, int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&loads->wake, &loads->lock, &until);
}

static void *loads_main(void *user)
{
    struct ht_loads *loads = user;
    size_t collection = 0;
    struct pending pending;
    (void)pthread_mutex_lock(&loads->lock);
    while (!loads->stop) {
        if (!take(loads, &collection, &pending)) {
            (void)pthread_cond_wait(&loads->wake, &loads->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&loads->lock);
        size_t count = 0;
        enum ht_status status = follow(loads, &ht_collections(&count)[collection], pending);
        if (status != HT_OK) {
            pending_add(loads, collection, pending);
        }
        (void)pthread_mutex_lock(&loads->lock);
        if (status != HT_OK && !loads->stop) {
            wait_ms(loads, RETRY_MS);
        }
    }
    (void)pthread_mutex_unlock(&loads->lock);
    return NULL;
}

/* ---- its life ---- */

enum ht_status ht_loads_new(struct ht_app *app, struct ht_loads **out)
{
    struct ht_loads *loads = calloc(1, sizeof *loads);
    if (loads == NULL) {
        return HT_NOMEM;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&loads->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&loads->lock, NULL);
    loads->app = app;
    (void)ht_collections(&loads->collection_count);
    loads->pending = ht_array_new(loads->collection_count, sizeof *loads->pending);
    enum ht_status status = loads->pending == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; status == HT_OK && i < loads->collection_count; i++) {
        loads->pending[i] = (struct pending){INT64_MAX, INT64_MIN};
    }
    if (status == HT_OK) {
        status = ht_store_reader_new(app->store, &loads->reader, NULL);
    }
    if (status == HT_OK) {
        status = ht_store_reader_new(app->store, &loads->applier, NULL);
    }
    if (status == HT_OK) {
        const struct ht_commit_watch watch = {.event = on_event, .user = loads};
        int64_t after = 0;
        status = ht_commit_watch(app->commit, &watch, &after);
        loads->watching = status == HT_OK;
    }
    if (status != HT_OK) {
        ht_loads_free(loads);
        return status;
    }
    *out = loads;
    return HT_OK;
}

enum ht_status ht_loads_start(struct ht_loads *loads)
{
    loads->started = pthread_create(&loads->thread, NULL, loads_main, loads) == 0;
    return loads->started ? HT_OK : HT_NOMEM;
}

void ht_loads_free(struct ht_loads *loads)
{
    if (loads == NULL) {
        return;
    }
    if (loads->watching) {
        ht_commit_unwatch(loads->app->commit, loads);
    }
    if (loads->started) {
        (void)pthread_mutex_lock(&loads->lock);
        loads->stop = true;
        (void)pthread_cond_broadcast(&loads->wake);
        (void)pthread_mutex_unlock(&loads->lock);
        (void)pthread_join(loads->thread, NULL);
    }
    ht_store_reader_free(loads->reader);
    ht_store_reader_free(loads->applier);
    free(loads->ids);
    free(loads->pending);
    (void)pthread_cond_destroy(&loads->wake);
    (void)pthread_mutex_destroy(&loads->lock);
    free(loads);
}
