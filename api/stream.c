#include "api/stream.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/commit.h"
#include "api/live.h"
#include "api/stream_internal.h"
#include "engine/base/array.h"

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- what is posted to a part ---- */

struct news {
    struct ht_http_post post;
    struct ht__part *part;
    struct ht__frames *frames;
    struct ht__moves *moves;
};

static void news_run(void *context, struct ht_http_post *post)
{
    struct news *news = (struct news *)post;
    struct ht_app_context *own = context;
    if (own != NULL) {
        own->stream = news->part;
        if (news->frames != NULL) {
            ht__part_events(news->part, own, news->frames);
        }
        if (news->moves != NULL) {
            ht__part_moves(news->part, own, news->moves);
        }
    }
    ht__frames_release(news->frames);
    ht__moves_release(news->moves);
    free(news);
}

/* Gives each loop a reference; takes over the caller's. False: one could not be told for want of
 * memory. */
static bool tell_all(struct ht_stream *hub, struct ht__frames *frames, struct ht__moves *moves)
{
    bool whole = true;
    for (unsigned i = 0; i < hub->part_count; i++) {
        struct news *news = calloc(1, sizeof *news);
        if (news == NULL) {
            whole = false;
            continue;
        }
        news->post.run = news_run;
        news->part = &hub->parts[i];
        news->frames = frames;
        news->moves = moves;
        if (frames != NULL) {
            (void)atomic_fetch_add(&frames->references, 1);
        }
        if (moves != NULL) {
            (void)atomic_fetch_add(&moves->references, 1);
        }
        ht_http_server_post(hub->server, i, &news->post);
    }
    ht__frames_release(frames);
    ht__moves_release(moves);
    return whole;
}

/* ---- events, on the commit's thread ---- */

static void on_event(void *user, const struct ht_store_event *event)
{
    struct ht_stream *hub = user;
    if (event->seq <= atomic_load(&hub->last_seq)) {
        return; /* it was there before this one began to be told */
    }
    if (hub->incoming == NULL) {
        hub->incoming = ht__frames_new(event->seq - 1);
    }
    if (hub->incoming != NULL && !hub->incoming->missing &&
        ht__frames_add(hub->incoming, event, UINT32_MAX) != HT_OK) {
        hub->incoming->missing = true;
    }
    if (hub->incoming != NULL) {
        hub->incoming->last_seq = event->seq;
    }
}

/* Who tells of events: the writer, or what follows another process. NULL: nobody. */
static struct ht_commit *teller_of(const struct ht_stream *hub)
{
    return hub->app->commit != NULL ? hub->app->commit : hub->app->following;
}

/* A loop that misses some finds out with the next ones, whose after_seq is not its head. */
static void on_settled(void *user, int64_t last_seq)
{
    struct ht_stream *hub = user;
    struct ht__frames *frames = hub->incoming;
    hub->incoming = NULL;
    if (last_seq > atomic_load(&hub->last_seq)) {
        atomic_store(&hub->last_seq, last_seq);
    }
    if (frames != NULL) {
        bool whole = tell_all(hub, frames, NULL);
        (void)whole;
    }
}

/* ---- pages of the past, on the hub's thread ---- */

bool ht__hub_ask(struct ht__sub *sub)
{
    struct ht_stream *hub = sub->hub;
    struct ht__page *page = calloc(1, sizeof *page);
    if (page == NULL) {
        return false;
    }
    page->part = sub->part;
    page->sub = sub;
    page->after = sub->cursor;
    page->topics = sub->ask.topics;
    sub->asked = page;
    (void)pthread_mutex_lock(&hub->lock);
    *hub->pages_last = page;
    hub->pages_last = &page->next;
    (void)pthread_cond_signal(&hub->wake);
    (void)pthread_mutex_unlock(&hub->lock);
    return true;
}

static enum ht_status page_event(void *user, const struct ht_store_event *event)
{
    struct ht__page *page = user;
    enum ht_status status = ht__frames_add(page->frames, event, page->topics);
    return status == HT_OK && page->frames->text.size >= HT__STREAM_ROOM ? HT_EXISTS : status;
}

static void page_run(void *context, struct ht_http_post *post)
{
    struct ht__page *page = (struct ht__page *)post;
    if (context != NULL) {
        ht__part_page(page->part, context, page);
    }
    ht__frames_release(page->frames);
    free(page);
}

static void page_read(struct ht_stream *hub, struct ht__page *page)
{
    page->frames = ht__frames_new(page->after);
    enum ht_status status =
        page->frames == NULL || hub->reader == NULL
            ? HT_NOMEM
            : ht_store_events(hub->reader, page->after, HT__STREAM_PAGE, page_event, page, NULL);
    if (status != HT_OK && status != HT_EXISTS) { /* HT_EXISTS: the page is full */
        ht__frames_release(page->frames);
        page->frames = NULL;
    }
    (void)atomic_fetch_add(&hub->pages_read, 1);
    page->post.run = page_run;
    ht_http_server_post(hub->server, page->part->loop, &page->post);
}

/* ---- positions, on the hub's thread ---- */

struct sweep {
    struct ht_stream *hub;
    struct ht__moves *moves;
    bool failed;
};

static void sweep_note(void *user, uint32_t unit)
{
    struct sweep *sweep = user;
    struct ht__moves *moves = sweep->moves;
    void *units = moves->units;
    size_t capacity = moves->capacity;
    if (ht_array_reserve(&units, &capacity, moves->count + (size_t)1, sizeof *moves->units) !=
        HT_OK) {
        sweep->failed = true;
        return;
    }
    moves->units = units;
    moves->capacity = (uint32_t)capacity;
    moves->units[moves->count++] = unit;
}

/* Leaves those that are gone out, so that each has a place. */
static void sweep_write(struct sweep *sweep, const struct ht__view views[HT__STREAM_VIEWS])
{
    struct ht__moves *moves = sweep->moves;
    struct ht_fleet *fleet = ht_live_fleet(sweep->hub->app->live);
    int64_t now_ms = ht_clock_now_ms(&sweep->hub->app->clock);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < moves->count; i++) {
        struct ht_unit unit;
        if (!ht_fleet_get(fleet, moves->units[i], now_ms, &unit) || !unit.positioned) {
            continue;
        }
        moves->units[kept] = moves->units[i];
        moves->points[kept] = unit.position.fix.point;
        for (int view = 0; view < HT__STREAM_VIEWS; view++) {
            struct ht_buffer *text = &moves->views[view].text;
            if (moves->views[view].at != NULL) {
                ht__frame_position(text, fleet, &unit, &views[view], sweep->hub->crs);
                sweep->failed = sweep->failed || text->failed || text->size > UINT32_MAX;
                moves->views[view].at[kept + 1] = (uint32_t)text->size;
            }
        }
        kept++;
    }
    moves->count = kept;
}

/* What moved since the last time. Short of memory, those units wait until they move again. */
static void sweep_run(struct ht_stream *hub, const struct ht__view views[HT__STREAM_VIEWS])
{
    struct sweep sweep = {.hub = hub, .moves = calloc(1, sizeof *sweep.moves)};
    struct ht__moves *moves = sweep.moves;
    if (moves == NULL) {
        return;
    }
    atomic_init(&moves->references, 1);
    ht_live_moved_take(hub->app->live, sweep_note, &sweep);
    moves->points = ht_array_new(moves->count, sizeof *moves->points);
    sweep.failed = sweep.failed || moves->points == NULL;
    for (int view = 0; view < HT__STREAM_VIEWS && !sweep.failed; view++) {
        if (views[view].users > 0) {
            moves->views[view].at =
                ht_array_new_zeroed(moves->count + (size_t)1, sizeof *moves->views[view].at);
            moves->views[view].crs = views[view].crs;
            sweep.failed = moves->views[view].at == NULL;
        }
    }
    if (!sweep.failed) {
        sweep_write(&sweep, views);
    }
    if (sweep.failed || moves->count == 0) {
        ht__moves_release(moves);
    } else {
        bool whole = tell_all(hub, NULL, moves);
        (void)whole;
    }
}

/* ---- the thread ---- */

static void wait_until(struct ht_stream *hub, int64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = until_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&hub->wake, &hub->lock, &until);
}

static struct ht__page *page_take(struct ht_stream *hub)
{
    struct ht__page *page = hub->pages;
    if (page != NULL) {
        hub->pages = page->next;
        hub->pages_last = hub->pages == NULL ? &hub->pages : hub->pages_last;
    }
    return page;
}

static void *hub_main(void *user)
{
    struct ht_stream *hub = user;
    int64_t next_ms = 0;
    (void)pthread_mutex_lock(&hub->lock);
    while (!hub->stop) {
        int64_t now_ms = steady_ms();
        bool watched = atomic_load(&hub->watching) > 0;
        if (watched && now_ms >= next_ms) {
            struct ht__view views[HT__STREAM_VIEWS];
            memcpy(views, hub->views, sizeof views);
            (void)pthread_mutex_unlock(&hub->lock);
            sweep_run(hub, views);
            (void)pthread_mutex_lock(&hub->lock);
            next_ms = now_ms + HT__STREAM_SWEEP_MS;
        }
        struct ht__page *page = page_take(hub);
        if (page != NULL) {
            (void)pthread_mutex_unlock(&hub->lock);
            page_read(hub, page);
            (void)pthread_mutex_lock(&hub->lock);
        } else if (!hub->stop && watched) {
            wait_until(hub, next_ms);
        } else if (!hub->stop && atomic_load(&hub->watching) == 0) {
            (void)pthread_cond_wait(&hub->wake, &hub->lock);
        }
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return NULL;
}

bool ht__hub_view(struct ht_stream *hub, const struct ht_crs *crs, bool projected, unsigned *view)
{
    unsigned found = HT__STREAM_VIEWS;
    (void)pthread_mutex_lock(&hub->lock);
    for (unsigned i = HT__STREAM_VIEWS; i-- > 0;) {
        const struct ht__view *at = &hub->views[i];
        if (at->users > 0 && ht__crs_same(&at->crs, crs)) {
            found = i;
            break;
        }
        found = at->users == 0 ? i : found;
    }
    if (found < HT__STREAM_VIEWS) {
        if (hub->views[found].users++ == 0) { /* else others read it now */
            hub->views[found].crs = *crs;
            hub->views[found].projected = projected;
        }
        *view = found;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return found < HT__STREAM_VIEWS;
}

void ht__hub_view_leave(struct ht_stream *hub, unsigned view)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->views[view].users--;
    (void)pthread_mutex_unlock(&hub->lock);
}

void ht__hub_watching(struct ht_stream *hub, int more)
{
    unsigned before = atomic_fetch_add(&hub->watching, (unsigned)more);
    if (before == 0) {
        (void)pthread_mutex_lock(&hub->lock);
        (void)pthread_cond_signal(&hub->wake);
        (void)pthread_mutex_unlock(&hub->lock);
    }
}

/* ---- life ---- */

enum ht_status ht_stream_new(struct ht_app *app, unsigned subscribers_max, struct ht_stream **out)
{
    struct ht_stream *hub = calloc(1, sizeof *hub);
    if (hub == NULL) {
        return HT_NOMEM;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&hub->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&hub->lock, NULL);
    hub->app = app;
    hub->pages_last = &hub->pages;
    hub->subscribers_max = subscribers_max;
    enum ht_status status = ht_crs_work_new(&hub->crs);
    if (status == HT_OK && app->store != NULL) {
        status = ht_store_reader_new(app->store, &hub->reader, NULL);
    }
    if (status != HT_OK) {
        ht_stream_free(hub);
        return status;
    }
    *out = hub;
    return HT_OK;
}

static enum ht_status recent_event(void *user, const struct ht_store_event *event)
{
    struct ht__frames *frames = user;
    return ht__frames_add(frames, event, UINT32_MAX);
}

/* From where on the hub hears of events, and what came shortly before: those who come back after a
 * restart find it in memory. */
static enum ht_status events_begin(struct ht_stream *hub)
{
    const struct ht_commit_watch watch = {.event = on_event, .settled = on_settled, .user = hub};
    int64_t last = 0;
    int64_t since = 0;
    enum ht_status status = HT_OK;
    if (hub->reader != NULL) {
        status = ht_store_event_last(hub->reader, &last, NULL);
    }
    if (status != HT_OK) {
        return status;
    }
    int64_t after = last > HT__STREAM_RECENT ? last - HT__STREAM_RECENT : 0;
    struct ht__frames *frames = ht__frames_new(after);
    if (frames != NULL && hub->reader != NULL) {
        status = ht_store_events(hub->reader, after, (uint64_t)(last - after), recent_event, frames,
                                 NULL);
    }
    if (frames == NULL || status != HT_OK) {
        ht__frames_release(frames);
        return frames == NULL ? HT_NOMEM : status;
    }
    atomic_store(&hub->last_seq, last);
    status = tell_all(hub, frames, NULL) ? HT_OK : HT_NOMEM;
    if (status == HT_OK && teller_of(hub) != NULL) {
        status = ht_commit_watch(teller_of(hub), &watch, &since);
        if (since > last) { /* unless a watch told of more already */
            (void)atomic_compare_exchange_strong(&hub->last_seq, &last, since);
        }
    }
    return status;
}

enum ht_status ht_stream_start(struct ht_stream *hub, struct ht_http_server *server)
{
    hub->server = server;
    hub->part_count = ht_http_server_loops(server);
    hub->parts = calloc(hub->part_count, sizeof *hub->parts);
    if (hub->parts == NULL) {
        hub->part_count = 0;
        return HT_NOMEM;
    }
    for (unsigned i = 0; i < hub->part_count; i++) {
        hub->parts[i].hub = hub;
        hub->parts[i].loop = i;
        hub->parts[i].oldest = HT_NONE;
        hub->parts[i].newest = HT_NONE;
        hub->parts[i].floor = -1; /* until the first events come */
    }
    enum ht_status status = events_begin(hub);
    if (status == HT_OK) {
        hub->started = pthread_create(&hub->thread, NULL, hub_main, hub) == 0;
        status = hub->started ? HT_OK : HT_NOMEM;
    }
    return status;
}

void ht_stream_stop(struct ht_stream *hub)
{
    if (hub == NULL) {
        return;
    }
    if (teller_of(hub) != NULL) {
        ht_commit_unwatch(teller_of(hub), hub);
    }
    if (hub->started) {
        (void)pthread_mutex_lock(&hub->lock);
        hub->stop = true;
        (void)pthread_cond_signal(&hub->wake);
        (void)pthread_mutex_unlock(&hub->lock);
        (void)pthread_join(hub->thread, NULL);
        hub->started = false;
    }
}

void ht_stream_free(struct ht_stream *hub)
{
    if (hub == NULL) {
        return;
    }
    ht_stream_stop(hub);
    for (unsigned i = 0; i < hub->part_count; i++) {
        ht__part_deinit(&hub->parts[i]);
    }
    struct ht__page *page = NULL;
    while ((page = page_take(hub)) != NULL) {
        free(page);
    }
    ht__frames_release(hub->incoming);
    free(hub->parts);
    ht_store_reader_free(hub->reader);
    ht_crs_work_free(hub->crs);
    (void)pthread_cond_destroy(&hub->wake);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}
