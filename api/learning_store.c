/* The part of learning that is about what lasts: the table in the store. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/commit.h"
#include "api/learning_internal.h"
#include "engine/base/array.h"

enum { ROWS_MOST = 2000 }; /* of a transaction, so that others need not wait long */

/* Streets on their way to the store. */
struct saving {
    struct ht_job job;
    struct ht_learning *learning;
    struct ht_store_speeds *rows;
    size_t count;
    size_t capacity;
    uint8_t *bytes; /* of all rows; while it grows rows hold offsets */
    size_t size;
    size_t byte_capacity;
    size_t at; /* rows that are written */
    bool anew;
    bool all;
    bool failed;
};

static void saving_free(struct saving *saving)
{
    if (saving != NULL) {
        free(saving->rows);
        free(saving->bytes);
        free(saving);
    }
}

static enum ht_status row_add(void *user, const struct ht_speeds_bytes *street)
{
    struct saving *saving = user;
    void *rows = saving->rows;
    void *bytes = saving->bytes;
    enum ht_status status =
        ht_array_reserve(&rows, &saving->capacity, saving->count + 1, sizeof *saving->rows);
    saving->rows = rows;
    if (status == HT_OK) {
        status = ht_array_reserve(&bytes, &saving->byte_capacity, saving->size + street->size, 1);
        saving->bytes = bytes;
    }
    if (status == HT_OK) {
        memcpy(saving->bytes + saving->size, street->bytes, street->size);
        saving->size += street->size;
        saving->rows[saving->count++] =
            (struct ht_store_speeds){.street = street->street, .size = street->size};
    }
    return status;
}

static void saving_run(struct ht_job *job, void *context)
{
    struct saving *saving = (struct saving *)job;
    struct ht_commit *commit = saving->learning->app->commit;
    size_t left = saving->count - saving->at;
    size_t count = left < ROWS_MOST || saving->all || saving->anew ? left : ROWS_MOST;
    (void)context;
    enum ht_status status =
        saving->anew ? ht_store_speeds_clear(ht_commit_tx(commit), NULL) : HT_OK;
    if (status == HT_OK) {
        status = ht_store_speeds_put(ht_commit_tx(commit), saving->rows + saving->at, count, NULL);
    }
    saving->at += count;
    saving->failed = status != HT_OK;
    if (saving->failed) {
        ht_commit_take_back(commit);
    }
}

static void saving_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    struct saving *saving = (struct saving *)job;
    struct ht_learning *learning = saving->learning;
    (void)context;
    bool lost = saving->failed || outcome != HT_OK;
    if (!lost && saving->at < saving->count && ht_commit_submit(learning->app->commit, job)) {
        return;
    }
    if (lost || saving->at < saving->count) {
        atomic_store(&learning->unsaved, true);
    }
    saving_free(saving);
    atomic_store(&learning->saving, false);
}

/* What has changed, taken out of the table; NULL: nothing, or no memory. */
static struct saving *saving_new(struct ht_learning *learning)
{
    struct saving *saving = calloc(1, sizeof *saving);
    if (saving == NULL) {
        return NULL;
    }
    saving->learning = learning;
    saving->job.run = saving_run;
    saving->job.done = saving_done;
    (void)pthread_mutex_lock(&learning->table_lock);
    if (atomic_exchange(&learning->unsaved, false)) {
        ht_speeds_unsaved(learning->speeds);
    }
    enum ht_status status = ht_speeds_save(learning->speeds, &saving->anew, row_add, saving);
    (void)pthread_mutex_unlock(&learning->table_lock);
    if (status != HT_OK || (saving->count == 0 && !saving->anew)) {
        saving_free(saving);
        return NULL;
    }
    size_t at = 0;
    for (size_t i = 0; i < saving->count; i++) {
        saving->rows[i].cells = saving->bytes + at;
        at += saving->rows[i].size;
    }
    return saving;
}

/* What is on its way is written in parts, each of which hands over the next: nothing may come
 * between, nor may the writer be stopped before the last. */
static void saving_wait(struct ht_learning *learning)
{
    while (atomic_load(&learning->saving)) {
        (void)usleep(2000);
    }
}

void ht__learning_save(struct ht_learning *learning, bool all)
{
    if (learning->app->commit != NULL && all) {
        saving_wait(learning);
    }
    if (learning->app->commit == NULL || (atomic_load(&learning->saving) && !all)) {
        return;
    }
    struct saving *saving = saving_new(learning);
    if (saving == NULL) {
        return;
    }
    saving->all = all;
    atomic_store(&learning->saving, true);
    if (!ht_commit_submit(learning->app->commit, &saving->job)) {
        saving_free(saving);
        atomic_store(&learning->unsaved, true);
        atomic_store(&learning->saving, false);
    }
}

static enum ht_status row_read(void *user, const struct ht_store_speeds *row)
{
    struct ht_speeds *speeds = user;
    const struct ht_speeds_bytes street = {row->street, row->cells, row->size};
    enum ht_status status = ht_speeds_load(speeds, &street);
    return status == HT_RANGE ? HT_OK : status; /* a row of another program: not ours to learn */
}

enum ht_status ht__learning_load(struct ht_learning *learning, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    if (learning->app->store == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_store_reader_new(learning->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_speeds(reader, row_read, learning->speeds, error);
    }
    ht_store_reader_free(reader);
    return status;
}
