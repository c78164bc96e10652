/* A loop's part of the stream: what happened lately, and who is to hear of it.
 *
 * Events lie in blocks as they were committed, (floor, head] of them. Units lie in a list from the
 * one that has not moved for longest to the one that moved last, with a number for each change; a
 * subscriber's stamp is a number of that kind, and what follows it in the list is what it has not
 * seen. Either costs what is new, not what there is.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/access.h"
#include "api/live.h"
#include "api/stream_internal.h"
#include "engine/base/array.h"

enum {
    ROUNDS = 8,           /* of one subscriber before others get their turn */
    SLICE_STEPS = 100000, /* of all, before the loop's other connections get theirs; in */
    STEPS_SEND = 400,     /* looks at a unit or a subscriber: this many are a call of send */
    STEPS_PER_KB = 8,     /* and these the copying of 1 KiB */
    HEARTBEAT_MS = 15 * 1000,
    STUCK_MS = 10 * 1000,
    SLOW_MS = 60 * 1000,
    LAST_WORDS_MS = 10000, /* for one that is dropped */
    RETRY_LEAST_MS = 1000,
    RETRY_SPREAD_MS = 2000,
    PLACES_LEAST = 64,
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Only the loop writes. */
static void count(atomic_size_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- events of late ---- */

static struct ht__frames **recent_at(struct ht__part *part, size_t i)
{
    return &part->recent[(part->recent_first + i) % HT__STREAM_RECENT];
}

static void recent_drop(struct ht__part *part)
{
    struct ht__frames *oldest = *recent_at(part, 0);
    part->floor = oldest->last_seq;
    part->recent_events -= oldest->count;
    part->recent_bytes -= oldest->text.size;
    part->recent_first = (part->recent_first + 1) % HT__STREAM_RECENT;
    part->recent_count--;
    ht__frames_release(oldest);
}

static void recent_add(struct ht__part *part, struct ht__frames *frames)
{
    if (part->floor < 0 || frames->after_seq != part->head || frames->missing) {
        while (part->recent_count > 0) {
            recent_drop(part);
        }
        part->floor = frames->missing ? frames->last_seq : frames->after_seq;
    }
    part->head = frames->last_seq;
    if (frames->missing) {
        return;
    }
    if (part->recent_count == HT__STREAM_RECENT) {
        recent_drop(part);
    }
    (void)atomic_fetch_add(&frames->references, 1);
    *recent_at(part, part->recent_count) = frames;
    part->recent_count++;
    part->recent_events += frames->count;
    part->recent_bytes += frames->text.size;
    while (part->recent_count > 1 && (part->recent_events > HT__STREAM_RECENT ||
                                      part->recent_bytes > HT__STREAM_RECENT_BYTES)) {
        recent_drop(part);
    }
}

/* The first block that ends after `seq`. */
static struct ht__frames *recent_find(struct ht__part *part, int64_t seq)
{
    size_t low = 0;
    size_t high = part->recent_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((*recent_at(part, middle))->last_seq > seq) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < part->recent_count ? *recent_at(part, low) : NULL;
}

/* ---- events to one ---- */

static size_t frame_after(const struct ht__frames *frames, int64_t seq)
{
    size_t low = 0;
    size_t high = frames->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frames->list[middle].seq > seq) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* As much of a block as there is room for; moves the cursor. */
static void frames_give(struct ht__sub *sub, const struct ht__frames *frames)
{
    struct ht_buffer *out = &sub->part->out;
    size_t i = frame_after(frames, sub->cursor);
    for (; i < frames->count && out->size < HT__STREAM_ROOM; i++) {
        const struct ht__frame *frame = &frames->list[i];
        enum ht__audience not_for = sub->ask.officer ? HT__FOR_OTHERS : HT__FOR_OFFICERS;
        if ((frame->topic & sub->ask.topics) != 0 && frame->audience != not_for) {
            ht_buffer_append(out, frames->text.data + frame->at, frame->size);
            count(&sub->part->events_sent);
        }
        sub->cursor = frame->seq;
    }
    if (i == frames->count) {
        sub->cursor = frames->last_seq;
    }
}

/* Up to the room or the end of what is at hand; false: there is no way to go on. */
static bool events_give(struct ht__sub *sub)
{
    struct ht__part *part = sub->part;
    if ((sub->ask.topics & ~(UINT32_C(1) << HT_TOPIC_POSITIONS)) == 0) {
        return true;
    }
    while (sub->asked == NULL && part->out.size < HT__STREAM_ROOM) {
        if (sub->page != NULL) {
            frames_give(sub, sub->page);
            if (sub->cursor >= sub->page->last_seq) {
                ht__frames_release(sub->page);
                sub->page = NULL;
            }
        } else if (sub->cursor >= part->head) {
            return true;
        } else if (sub->cursor < part->floor) {
            return ht__hub_ask(sub);
        } else {
            frames_give(sub, recent_find(part, sub->cursor));
        }
    }
    return true;
}

/* ---- positions ---- */

static bool places_reserve(struct ht__part *part, uint32_t unit)
{
    void *places = part->places;
    size_t capacity = part->place_count;
    size_t want = unit + (size_t)1 > PLACES_LEAST ? unit + (size_t)1 : PLACES_LEAST;
    if (want <= capacity) {
        return true;
    }
    if (ht_array_reserve(&places, &capacity, want, sizeof *part->places) != HT_OK) {
        return false;
    }
    part->places = places;
    memset(part->places + part->place_count, 0,
           (capacity - part->place_count) * sizeof *part->places);
    part->place_count = (uint32_t)capacity;
    return true;
}

static void place_unlink(struct ht__part *part, const struct ht__place *place)
{
    if (place->prev == HT_NONE) {
        part->oldest = place->next;
    } else {
        part->places[place->prev].next = place->next;
    }
    if (place->next == HT_NONE) {
        part->newest = place->prev;
    } else {
        part->places[place->next].prev = place->prev;
    }
}

/* To the end of the list, with the next number. */
static void place_set(struct ht__part *part, uint32_t unit, struct ht_point point)
{
    struct ht__place *place = &part->places[unit];
    if (place->stamp != 0) {
        place_unlink(part, place);
    }
    place->stamp = ++part->stamp;
    place->point = point;
    place->prev = part->newest;
    place->next = HT_NONE;
    if (part->newest == HT_NONE) {
        part->oldest = unit;
    } else {
        part->places[part->newest].next = unit;
    }
    part->newest = unit;
}

/* The first unit that changed after the subscriber's stamp. */
static uint32_t place_after(const struct ht__part *part, const struct ht__sub *sub)
{
    if (sub->hint < part->place_count && part->places[sub->hint].stamp == sub->stamp) {
        return part->places[sub->hint].next;
    }
    uint32_t unit = HT_NONE;
    for (uint32_t at = part->newest; at != HT_NONE && part->places[at].stamp > sub->stamp;
         at = part->places[at].prev) {
        unit = at;
    }
    return unit;
}

/* One that is not among the last moves, or not in this view, is written from what it is now. */
static void position_write(struct ht__sub *sub, struct ht_app_context *context, uint32_t unit)
{
    struct ht_fleet *fleet = ht_live_fleet(sub->hub->app->live);
    const struct ht__view *view = &sub->hub->views[sub->ask.view];
    struct ht_unit copy;
    if (ht_fleet_get(fleet, unit, ht_clock_now_ms(&sub->hub->app->clock), &copy) &&
        copy.positioned &&
        (!sub->ask.boxed || ht_box_contains(sub->ask.box, copy.position.fix.point))) {
        ht__frame_position(&sub->part->out, fleet, &copy, view, context->crs);
    }
}

static void position_give(struct ht__sub *sub, struct ht_app_context *context, uint32_t unit)
{
    struct ht__part *part = sub->part;
    const struct ht__place *place = &part->places[unit];
    const struct ht__moves *moves = part->moves;
    size_t before = part->out.size;
    if (sub->ask.boxed && !ht_box_contains(sub->ask.box, place->point)) {
        return;
    }
    bool written =
        moves != NULL && place->stamp >= part->moves_stamp &&
        moves->views[sub->ask.view].at != NULL &&
        ht__crs_same(&moves->views[sub->ask.view].crs, &sub->hub->views[sub->ask.view].crs);
    if (written) {
        const uint32_t *at = moves->views[sub->ask.view].at + (place->stamp - part->moves_stamp);
        if (at[1] > at[0]) {
            ht_buffer_append(&part->out, moves->views[sub->ask.view].text.data + at[0],
                             at[1] - at[0]);
        }
    } else {
        position_write(sub, context, unit);
    }
    if (part->out.size > before) {
        count(&part->positions_sent);
    }
}

static void positions_give(struct ht__sub *sub, struct ht_app_context *context)
{
    struct ht__part *part = sub->part;
    if ((sub->ask.topics & UINT32_C(1) << HT_TOPIC_POSITIONS) == 0 || sub->stamp >= part->stamp) {
        return;
    }
    uint32_t unit = place_after(part, sub);
    while (unit != HT_NONE && part->out.size < HT__STREAM_ROOM) {
        position_give(sub, context, unit);
        sub->stamp = part->places[unit].stamp;
        sub->hint = unit;
        unit = part->places[unit].next;
        part->steps++;
    }
}

/* ---- one subscriber's turn ---- */

static void sub_drop(struct ht__sub *sub, enum ht__end end, const char *event, const char *reason)
{
    struct ht_buffer last = {0};
    sub->end = (uint8_t)end;
    ht__frame_reason(&last, event, reason);
    ht_http_stream_close(sub->stream, last.data, last.size, LAST_WORDS_MS);
    ht_buffer_deinit(&last);
}

/* A token may have been withdrawn meanwhile, or its role changed. */
static bool token_holds(struct ht__sub *sub)
{
    const struct ht_tokens *tokens =
        atomic_load_explicit(&sub->hub->app->tokens, memory_order_acquire);
    if (sub->tokens == tokens || tokens == NULL) {
        return true;
    }
    const struct ht_caller *caller = ht_tokens_find(tokens, sub->token, strlen(sub->token));
    uint32_t audit = UINT32_C(1) << HT_TOPIC_AUDIT;
    sub->tokens = tokens;
    return caller != NULL && caller->role != HT_ROLE_DEVICE &&
           ((sub->ask.topics & audit) == 0 || caller->role == HT_ROLE_ADMIN) &&
           (((sub->ask.topics & HT__OFFICE_TOPICS) == 0 && !sub->ask.officer) ||
            ht_access_personal(caller));
}

/* Says why the subscriber can't stay; NULL: it can. */
static const char *sub_wrong(struct ht__sub *sub, enum ht__end *end)
{
    *end = HT__END_TOKEN;
    if (!token_holds(sub)) {
        return "the token is not valid any more";
    }
    *end = HT__END_STUCK;
    if (ht_http_stream_stuck_ms(sub->stream) > STUCK_MS) {
        return "nothing was read for 10 s";
    }
    *end = HT__END_SLOW;
    return ht_http_stream_behind_ms(sub->stream) > SLOW_MS ? "behind for a minute" : NULL;
}

/* Gives what there is while the socket takes it. False: the subscriber is gone. `*more`: it could
 * take more than it got. */
static bool sub_serve(struct ht__sub *sub, struct ht_app_context *context, bool *more)
{
    struct ht__part *part = sub->part;
    enum ht__end end = HT__END_LEFT;
    const char *wrong = sub_wrong(sub, &end);
    if (wrong != NULL) {
        sub_drop(sub, end, "dropped", wrong);
        return false;
    }
    for (int round = 0; round < ROUNDS && ht_http_stream_pending(sub->stream) == 0; round++) {
        ht_buffer_clear(&part->out);
        if (!events_give(sub)) {
            sub_drop(sub, HT__END_STORE, "dropped", "out of memory");
            return false;
        }
        positions_give(sub, context);
        if (part->out.size == 0 && steady_ms() - sub->spoke_ms >= HEARTBEAT_MS) {
            ht__frame_comment(&part->out, "keep-alive");
        }
        if (part->out.size == 0) {
            return true;
        }
        sub->spoke_ms = steady_ms();
        part->steps += STEPS_SEND + part->out.size / 1024 * STEPS_PER_KB;
        if (!ht_http_stream_send(sub->stream, part->out.data, part->out.size)) {
            return false;
        }
    }
    *more = *more || ht_http_stream_pending(sub->stream) == 0;
    return true;
}

/* ---- everybody's turn ---- */

static void part_go(struct ht__part *part, struct ht_app_context *context)
{
    for (part->steps = 0; part->at != NULL && part->steps < SLICE_STEPS; part->steps++) {
        struct ht__sub *sub = part->at;
        bool more = false;
        part->at = sub->next;
        if (sub_serve(sub, context, &more) && more) {
            part->again = true;
        }
    }
    if (part->at == NULL && part->again) {
        part->again = false;
        part->at = part->subs;
    }
    if (part->at != NULL && !part->posted) {
        part->posted = true;
        ht_http_server_post(part->hub->server, part->loop, &part->go);
    }
}

static void go_run(void *context, struct ht_http_post *post)
{
    struct ht__part *part =
        (struct ht__part *)(void *)((char *)post - offsetof(struct ht__part, go));
    part->posted = false;
    if (context != NULL) {
        part_go(part, context);
    }
}

void ht__part_wake(struct ht__part *part, struct ht_app_context *context)
{
    part->go.run = go_run;
    if (part->at != NULL) {
        part->again = true;
        return;
    }
    part->at = part->subs;
    part_go(part, context);
}

void ht__part_events(struct ht__part *part, struct ht_app_context *context,
                     struct ht__frames *frames)
{
    recent_add(part, frames);
    ht__part_wake(part, context);
}

void ht__part_moves(struct ht__part *part, struct ht_app_context *context, struct ht__moves *moves)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < moves->count; i++) {
        most = moves->units[i] > most ? moves->units[i] : most;
    }
    if (!places_reserve(part, most)) {
        return; /* they come when they move again */
    }
    ht__moves_release(part->moves);
    (void)atomic_fetch_add(&moves->references, 1);
    part->moves = moves;
    part->moves_stamp = part->stamp + 1;
    for (uint32_t i = 0; i < moves->count; i++) {
        place_set(part, moves->units[i], moves->points[i]);
    }
    ht__part_wake(part, context);
}

static void serve_alone(struct ht__sub *sub, struct ht_app_context *context)
{
    struct ht__part *part = sub->part;
    bool more = false;
    if (sub_serve(sub, context, &more) && more) {
        ht__part_wake(part, context);
    }
}

void ht__part_page(struct ht__part *part, struct ht_app_context *context, struct ht__page *page)
{
    struct ht__sub *sub = page->sub;
    (void)part;
    if (sub == NULL) {
        return;
    }
    sub->asked = NULL;
    if (page->frames == NULL || page->frames->last_seq == page->after) {
        sub_drop(sub, HT__END_STORE, "dropped", "the events can't be read at the moment");
        return;
    }
    sub->page = page->frames;
    page->frames = NULL;
    serve_alone(sub, context);
}

void ht__part_deinit(struct ht__part *part)
{
    while (part->recent_count > 0) {
        recent_drop(part);
    }
    ht__moves_release(part->moves);
    ht_buffer_deinit(&part->out);
    free(part->places);
}

/* ---- what the server calls ---- */

static void on_open(void *context, struct ht_http_stream *stream, void *data)
{
    struct ht__sub *sub = data;
    struct ht_app_context *own = context;
    struct ht__part *part = own->stream;
    struct ht_buffer first = {0};
    sub->stream = stream;
    sub->part = part;
    sub->cursor = sub->ask.resumes ? sub->ask.after : part->head;
    sub->spoke_ms = steady_ms();
    sub->hint = HT_NONE;
    sub->next = part->subs;
    if (part->subs != NULL) {
        part->subs->prev = sub;
    }
    part->subs = sub;
    /* spread, so that after a restart they don't all come at once */
    ht__frame_retry(&first, RETRY_LEAST_MS + (unsigned)(atomic_load(&sub->hub->opened) * 7919U %
                                                        RETRY_SPREAD_MS));
    bool there = ht_http_stream_send(stream, first.data, first.size);
    ht_buffer_deinit(&first);
    if (there) {
        serve_alone(sub, own);
    }
}

static void on_drained(void *context, void *data)
{
    serve_alone(data, context);
}

static void on_stop(void *context, void *data)
{
    (void)context;
    sub_drop(data, HT__END_STOPPING, "stopping", "the server is stopping");
}

static void on_end(void *context, void *data)
{
    struct ht__sub *sub = data;
    struct ht__part *part = sub->part;
    (void)context;
    if (part != NULL) {
        if (part->at == sub) {
            part->at = sub->next;
        }
        if (sub->prev == NULL) {
            part->subs = sub->next;
        } else {
            sub->prev->next = sub->next;
        }
        if (sub->next != NULL) {
            sub->next->prev = sub->prev;
        }
    }
    if (sub->asked != NULL) {
        sub->asked->sub = NULL;
    }
    ht__frames_release(sub->page);
    ht__hub_leave(sub);
    free(sub);
}

const struct ht_http_stream_kind ht__sub_kind = {
    .open = on_open, .drained = on_drained, .stop = on_stop, .end = on_end};

void ht_stream_tick(struct ht_app_context *context)
{
    if (context->stream != NULL) {
        ht__part_wake(context->stream, context);
    }
}
