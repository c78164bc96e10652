#include "api/teller.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/desk_room.h"
#include "api/teller_internal.h"
#include "engine/base/array.h"

enum {
    BACKOFF_MOST_MS = 300 * 1000,
    WAKE_MOST_MS = 10 * 1000, /* what became too old is seen by then */
    RETRY_MS = 1000,
};

void ht__teller_wake(struct ht_teller *teller)
{
    const uint64_t one = 1;
    ssize_t written = write(teller->wake_fd, &one, sizeof one);
    (void)written; /* full: it wakes anyway */
}

/* ---- the projection ---- */

/* Where the telling of that number is, or would be. */
static size_t place_of(const struct ht_teller *teller, int64_t seq)
{
    size_t low = 0;
    size_t high = teller->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (teller->list[middle]->wanted.seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum ht_status wanted_apply(struct ht_teller *teller, const struct ht_telling_row *row)
{
    size_t at = place_of(teller, row->seq);
    if (at < teller->count && teller->list[at]->wanted.seq == row->seq) {
        return HT_OK;
    }
    void *list = teller->list;
    struct ht__telling *telling = calloc(1, sizeof *telling);
    if (telling == NULL || ht_array_reserve(&list, &teller->room, teller->count + 1,
                                            sizeof(struct ht__telling *)) != HT_OK) {
        free(telling);
        return HT_NOMEM;
    }
    teller->list = list;
    telling->teller = teller;
    telling->wanted = *row;
    memmove(&teller->list[at + 1], &teller->list[at],
            (teller->count - at) * sizeof(struct ht__telling *));
    teller->list[at] = telling;
    teller->count++;
    return HT_OK;
}

static void tried_apply(struct ht_teller *teller, const struct ht_telling_row *row)
{
    size_t at = place_of(teller, row->telling);
    struct ht__telling *telling = at < teller->count ? teller->list[at] : NULL;
    if (telling == NULL || telling->wanted.seq != row->telling) {
        return; /* nobody could be asked to tell it */
    }
    telling->seen = true;
    telling->over = row->step != HT_TELLING_FAILED;
    telling->tries = row->attempt;
    telling->next_try_ms =
        teller->starting ? 0 : ht_hook_now_ms() + ht_hook_delay_ms(row->attempt, BACKOFF_MOST_MS);
}

static enum ht_status row_apply(void *user, const struct ht_store_event *event)
{
    struct ht_teller *teller = user;
    struct ht_telling_row row;
    enum ht_status status = ht_telling_read(event, &row);
    if (status == HT_OK && row.step == HT_TELLING_WANTED) {
        status = wanted_apply(teller, &row);
    } else if (status == HT_OK) {
        tried_apply(teller, &row);
    }
    if (status != HT_NOMEM) { /* else it is read again */
        teller->cursor = event->seq;
    }
    return status == HT_NOMEM ? status : HT_OK;
}

/* Reads what was committed since. False: not all could be read. */
static bool news_read(struct ht_teller *teller)
{
    (void)pthread_mutex_lock(&teller->lock);
    int64_t from = teller->news_from;
    teller->news_from = 0;
    (void)pthread_mutex_unlock(&teller->lock);
    if (from == 0) {
        return true;
    }
    teller->cursor = from - 1 > teller->cursor ? from - 1 : teller->cursor;
    const struct ht_store_event_query query = {
        .prefix = HT_TELLING_PREFIX, .after = teller->cursor, .limit = UINT64_MAX};
    if (ht_store_events_of(teller->reader, &query, row_apply, teller, NULL) == HT_OK) {
        teller->starting = false;
        return true;
    }
    (void)pthread_mutex_lock(&teller->lock);
    teller->news_from = teller->cursor + 1;
    (void)pthread_mutex_unlock(&teller->lock);
    return false;
}

/* ---- the round ---- */

static void sweep(struct ht_teller *teller)
{
    size_t kept = 0;
    for (size_t i = 0; i < teller->count; i++) {
        struct ht__telling *telling = teller->list[i];
        if (telling->over && telling->outcome == NULL && telling->post == NULL) {
            free(telling);
        } else {
            teller->list[kept++] = telling;
        }
    }
    teller->count = kept;
}

/* Those that were never tried, or the others; returns when to look again. */
static int64_t steps(struct ht_teller *teller, bool tried, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    teller->town_ms = ht_clock_now_ms(&teller->app->clock);
    ht_desk_room_tell(teller->app->desk, &teller->duty, &teller->give_up_ms);
    for (size_t i = 0; i < teller->count; i++) {
        if ((teller->list[i]->tries > 0) == tried) {
            int64_t again_ms = ht__telling_step(teller->list[i], now_ms);
            next_ms = again_ms < next_ms ? again_ms : next_ms;
        }
    }
    return next_ms;
}

/* New ones go before those that were tried in vain: a receiver that is slow has the latest first.
 */
static void pump(struct ht_teller *teller)
{
    int64_t now_ms = ht_hook_now_ms();
    int64_t next_ms = now_ms + WAKE_MOST_MS;
    if (atomic_exchange(&teller->hooks_changed, false)) {
        ht__takers_read(teller);
    }
    if (!news_read(teller)) {
        next_ms = now_ms + RETRY_MS;
    }
    if (!teller->starting) {
        int64_t first_ms = steps(teller, false, now_ms);
        int64_t more_ms = steps(teller, true, now_ms);
        next_ms = first_ms < next_ms ? first_ms : next_ms;
        next_ms = more_ms < next_ms ? more_ms : next_ms;
    }
    sweep(teller);
    int64_t wait_ms = next_ms > now_ms ? next_ms - now_ms : 1;
    const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    (void)evtimer_add(teller->timer, &wait);
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    struct ht_teller *teller = user;
    if ((what & EV_READ) != 0) {
        uint64_t count = 0;
        ssize_t got = read(fd, &count, sizeof count);
        (void)got;
    }
    if (atomic_load(&teller->stop)) {
        (void)event_base_loopbreak(teller->base);
        return;
    }
    pump(teller);
}

static void *teller_main(void *user)
{
    struct ht_teller *teller = user;
    (void)event_base_dispatch(teller->base);
    return NULL;
}

/* ---- what was committed ---- */

static void on_event(void *user, const struct ht_store_event *event)
{
    struct ht_teller *teller = user;
    if (strncmp(event->kind, HT_TELLING_PREFIX, sizeof HT_TELLING_PREFIX - 1) != 0) {
        return;
    }
    (void)pthread_mutex_lock(&teller->lock);
    bool first = teller->news_from == 0;
    teller->news_from = first ? event->seq : teller->news_from;
    (void)pthread_mutex_unlock(&teller->lock);
    if (first) {
        ht__teller_wake(teller);
    }
}

/* ---- made and freed ---- */

static enum ht_status parts_make(struct ht_teller *teller, struct ht_error *error)
{
    teller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    teller->base = event_base_new();
    enum ht_status status = teller->wake_fd < 0 || teller->base == NULL
                                ? HT_NOMEM
                                : ht_poster_new(teller->base, &teller->poster);
    if (status == HT_OK) {
        teller->wake =
            event_new(teller->base, teller->wake_fd, EV_READ | EV_PERSIST, on_wake, teller);
        teller->timer = evtimer_new(teller->base, on_wake, teller);
        status = teller->wake == NULL || teller->timer == NULL || event_add(teller->wake, NULL) != 0
                     ? HT_NOMEM
                     : HT_OK;
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    return ht_store_reader_new(teller->app->store, &teller->reader, error);
}

enum ht_status ht_teller_new(struct ht_app *app, struct ht_teller **out, struct ht_error *error)
{
    struct ht_teller *teller = calloc(1, sizeof *teller);
    int64_t after = 0;
    if (teller == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    teller->app = app;
    teller->wake_fd = -1;
    teller->starting = true;
    teller->news_from = 1; /* the table from its beginning */
    (void)pthread_mutex_init(&teller->lock, NULL);
    enum ht_status status = parts_make(teller, error);
    if (status == HT_OK) {
        const struct ht_commit_watch watch = {.event = on_event, .user = teller};
        status = ht_commit_watch(app->commit, &watch, &after);
        teller->started =
            status == HT_OK && pthread_create(&teller->thread, NULL, teller_main, teller) == 0;
        status = teller->started ? HT_OK : ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (status != HT_OK) {
        ht_teller_free(teller);
        return status;
    }
    ht_teller_changed(teller);
    *out = teller;
    return HT_OK;
}

void ht_teller_changed(struct ht_teller *teller)
{
    atomic_store(&teller->hooks_changed, true);
    ht__teller_wake(teller);
}

void ht_teller_free(struct ht_teller *teller)
{
    if (teller == NULL) {
        return;
    }
    ht_commit_unwatch(teller->app->commit, teller);
    if (teller->started) {
        atomic_store(&teller->stop, true);
        ht__teller_wake(teller);
        (void)pthread_join(teller->thread, NULL);
    }
    for (size_t i = 0; i < teller->count; i++) {
        ht__telling_stop(teller->list[i]);
        free(teller->list[i]->outcome);
        free(teller->list[i]);
    }
    free(teller->list);
    ht__takers_free(teller);
    ht_poster_free(teller->poster);
    if (teller->wake != NULL) {
        event_free(teller->wake);
    }
    if (teller->timer != NULL) {
        event_free(teller->timer);
    }
    if (teller->base != NULL) {
        event_base_free(teller->base);
    }
    if (teller->wake_fd >= 0) {
        (void)close(teller->wake_fd);
    }
    ht_store_reader_free(teller->reader);
    ht_buffer_deinit(&teller->body);
    (void)pthread_mutex_destroy(&teller->lock);
    free(teller);
}
