#include "api/courier.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/hook_send.h"
#include "api/json.h"
#include "api/topics.h"
#include "api/webhooks.h"
#include "engine/base/time.h"

enum {
    SCAN_MOST = 4096, /* events that are looked through before others have their turn */
    STUCK_MS = 1000,  /* where the store can't be read */
    BACKOFF_MOST_MS = 3600000,
    WAKE_MOST_MS = 60 * 1000,
};

struct hook {
    struct ht_courier *courier;
    struct hook *next;
    struct ht_store_webhook state; /* its texts are `texts`, last_error is static */
    char *texts;
    struct ht_url url;
    uint32_t topics; /* bits */
    bool kept;       /* is still in the store */
    struct ht_post *post;
    int64_t seq;   /* of the event under way */
    int64_t at_ms; /* likewise */
};

struct ht_courier {
    struct ht_courier_options options;
    struct ht_store_reader *reader;
    struct event_base *base;
    struct ht_poster *poster;
    struct event *wake;
    struct event *timer;
    int wake_fd;
    atomic_bool changed;
    atomic_bool stop;
    struct hook *hooks;
    struct ht_buffer body; /* of the event that is sent next */
    pthread_t thread;
    bool started;
};

static void wake(struct ht_courier *courier)
{
    const uint64_t one = 1;
    ssize_t written = write(courier->wake_fd, &one, sizeof one);
    (void)written; /* full: it wakes anyway */
}

/* ---- how far a webhook has come ---- */

/* Its state on the way to the store. */
struct note {
    struct ht_job job;
    struct ht_commit *commit;
    struct ht_store_webhook state;
    char id[HT_ID_MAX + 1];
};

static void note_run(struct ht_job *job, void *context)
{
    struct note *note = (struct note *)job;
    (void)context;
    /* a note that is lost makes an event come twice, no more */
    if (ht_store_webhook_note(ht_commit_tx(note->commit), &note->state, NULL) != HT_OK) {
        ht_commit_take_back(note->commit);
    }
}

static void note_done(struct ht_job *job, void *context, enum ht_status outcome)
{
    (void)context;
    (void)outcome;
    free(job);
}

static void remember(struct hook *hook)
{
    struct note *note = calloc(1, sizeof *note);
    if (note == NULL) {
        return;
    }
    note->job.run = note_run;
    note->job.done = note_done;
    note->commit = hook->courier->options.commit;
    note->state = hook->state;
    (void)snprintf(note->id, sizeof note->id, "%s", hook->state.id);
    note->state.id = note->id;
    if (!ht_commit_submit(note->commit, &note->job)) {
        free(note);
    }
}

/* ---- events ---- */

static enum ht_status event_write(struct hook *hook, const struct ht_store_event *event,
                                  enum ht_topic topic)
{
    struct ht_buffer *out = &hook->courier->body;
    struct ht_json json;
    char at[HT_TIME_TEXT_SIZE];
    ht_time_format(event->at_ms, at);
    ht_buffer_clear(out);
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "webhook", hook->state.id);
    ht_json_key_int(&json, "seq", event->seq);
    ht_json_key_text(&json, "topic", ht_topic_name(topic));
    ht_json_key_text(&json, "kind", event->kind);
    ht_json_key_text(&json, "subject", event->subject);
    ht_json_key_text(&json, "at", at);
    ht_json_key_text(&json, "actor", event->actor);
    ht_json_key(&json, "data");
    ht_json_raw(&json, event->body, strlen(event->body));
    ht_json_object_end(&json);
    return out->failed ? HT_NOMEM : HT_OK;
}

/* What is looked for behind the cursor. */
struct search {
    struct hook *hook;
    bool found;
    bool given_up;    /* not to be sent, only to be counted */
    int64_t until_ms; /* then: those of this time or before */
    int64_t seen;
    char kind[64];
};

static enum ht_status search_event(void *user, const struct ht_store_event *event)
{
    struct search *search = user;
    struct hook *hook = search->hook;
    enum ht_topic topic = ht_topic_of_event(event->kind, event->subject);
    search->seen++;
    if ((hook->topics >> topic & 1) == 0) {
        hook->state.done_seq = event->seq;
        return HT_OK;
    }
    if (search->given_up) {
        if (event->at_ms > search->until_ms) {
            return HT_CANCELLED;
        }
        hook->state.done_seq = event->seq;
        hook->state.given_up++;
        return HT_OK;
    }
    hook->seq = event->seq;
    hook->at_ms = event->at_ms;
    (void)snprintf(search->kind, sizeof search->kind, "%s", event->kind);
    search->found = event_write(hook, event, topic) == HT_OK;
    return HT_CANCELLED; /* enough */
}

/* Events that are too old, now that nobody has taken them for so long. */
static void give_up(struct hook *hook, int64_t limit_ms)
{
    struct search search = {.hook = hook, .given_up = true};
    search.until_ms = ht_clock_now_ms(hook->courier->options.clock) - limit_ms;
    enum ht_status status = ht_store_events(hook->courier->reader, hook->state.done_seq, SCAN_MOST,
                                            search_event, &search, NULL);
    (void)status; /* the rest with the next failure */
}

/* ---- tries ---- */

static void failed(struct hook *hook, int64_t now_ms)
{
    struct ht_store_webhook *state = &hook->state;
    int64_t town_ms = ht_clock_now_ms(hook->courier->options.clock);
    int64_t limit_ms = ht_setting(hook->courier->options.settings, HT_SETTING_GIVE_UP_H) * 3600000;
    state->tries++;
    state->next_try_ms = now_ms + ht_hook_delay_ms(state->tries, BACKOFF_MOST_MS);
    if (state->failing_since_ms == 0) {
        state->failing_since_ms = town_ms;
    } else if (town_ms - state->failing_since_ms >= limit_ms) {
        give_up(hook, limit_ms);
    }
}

static void pump(struct ht_courier *courier);

static void on_done(void *user, int status, const char *error)
{
    struct hook *hook = user;
    struct ht_courier *courier = hook->courier;
    int64_t now_ms = ht_hook_now_ms();
    ht_post_free(hook->post);
    hook->post = NULL;
    hook->state.last_status = status;
    hook->state.last_error = error;
    hook->state.last_ms = now_ms;
    if (status >= 200 && status < 300) {
        hook->state.done_seq = hook->seq;
        hook->state.delivered++;
        hook->state.tries = 0;
        hook->state.next_try_ms = 0;
        hook->state.failing_since_ms = 0;
    } else {
        failed(hook, now_ms);
    }
    remember(hook);
    pump(courier);
}

static enum ht_status deliver(struct hook *hook, const char *kind)
{
    struct ht_courier *courier = hook->courier;
    const struct ht_hook_send send = {.url = &hook->url,
                                      .secret = hook->state.secret,
                                      .webhook = hook->state.id,
                                      .kind = kind,
                                      .seq = hook->seq,
                                      .body = &courier->body,
                                      .done = on_done,
                                      .user = hook};
    return ht_hook_send(courier->poster, &send, &hook->post);
}

/* Sends the next event of a webhook that is free; true: there may be more to look through. */
static bool step(struct hook *hook)
{
    struct search search = {.hook = hook};
    enum ht_status status = ht_store_events(hook->courier->reader, hook->state.done_seq, SCAN_MOST,
                                            search_event, &search, NULL);
    bool stuck = search.found ? deliver(hook, search.kind) != HT_OK : status != HT_OK;
    if (stuck) { /* short of memory, or the store can't be read */
        hook->state.next_try_ms = ht_hook_now_ms() + STUCK_MS;
    }
    return status == HT_OK && search.seen == SCAN_MOST;
}

/* Everybody who is free and has something to get is sent it; then it is told when to wake. */
static void pump(struct ht_courier *courier)
{
    int64_t now_ms = ht_hook_now_ms();
    int64_t wait_ms = WAKE_MOST_MS;
    for (struct hook *hook = courier->hooks; hook != NULL; hook = hook->next) {
        if (hook->post == NULL && hook->state.next_try_ms <= now_ms && step(hook)) {
            wait_ms = 0;
        }
        int64_t left_ms = hook->state.next_try_ms - now_ms;
        if (hook->post == NULL && left_ms > 0 && left_ms < wait_ms) {
            wait_ms = left_ms;
        }
    }
    const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    (void)evtimer_add(courier->timer, &wait);
}

/* ---- which webhooks there are ---- */

static void hook_free(struct hook *hook)
{
    ht_post_free(hook->post);
    free(hook->texts);
    free(hook);
}

/* Copies a text to `*at`. */
static const char *text_keep(char **at, const char *text)
{
    char *copy = *at;
    *at = stpcpy(copy, text) + 1;
    return copy;
}

static enum ht_status hook_add(struct ht_courier *courier, const struct ht_store_webhook *kept)
{
    struct hook *hook = calloc(1, sizeof *hook);
    size_t size = strlen(kept->id) + strlen(kept->secret) + 2;
    char *at = malloc(size);
    if (hook == NULL || at == NULL) {
        free(hook);
        free(at);
        return HT_NOMEM;
    }
    hook->courier = courier;
    hook->texts = at;
    hook->state = *kept;
    hook->state.id = text_keep(&at, kept->id);
    hook->state.secret = text_keep(&at, kept->secret);
    hook->state.url = "";
    hook->state.topics = "";
    hook->state.last_error = "";
    hook->kept = true;
    if (ht_url_read(kept->url, &hook->url, NULL) != HT_OK ||
        !ht_webhook_topics_read(kept->topics, &hook->topics) ||
        (hook->topics & (HT_WEBHOOK_KIN | HT_WEBHOOK_DUTY)) != 0) {
        hook_free(hook); /* it was checked when it came, or is the teller's */
        return HT_OK;
    }
    hook->next = courier->hooks;
    courier->hooks = hook;
    return HT_OK;
}

static enum ht_status hook_take(void *user, const struct ht_store_webhook *kept)
{
    struct ht_courier *courier = user;
    for (struct hook *hook = courier->hooks; hook != NULL; hook = hook->next) {
        if (strcmp(hook->state.id, kept->id) == 0) {
            hook->kept = true;
            return HT_OK;
        }
    }
    return hook_add(courier, kept);
}

static void hooks_read(struct ht_courier *courier)
{
    for (struct hook *hook = courier->hooks; hook != NULL; hook = hook->next) {
        hook->kept = false;
    }
    if (ht_store_webhooks(courier->reader, NULL, hook_take, courier, NULL) != HT_OK) {
        atomic_store(&courier->changed, true); /* once more at the next waking */
        return;
    }
    for (struct hook **at = &courier->hooks; *at != NULL;) {
        struct hook *hook = *at;
        if (hook->kept) {
            at = &hook->next;
        } else {
            *at = hook->next;
            hook_free(hook);
        }
    }
}

/* ---- the thread ---- */

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    struct ht_courier *courier = user;
    if ((what & EV_READ) != 0) {
        uint64_t count = 0;
        ssize_t got = read(fd, &count, sizeof count);
        (void)got;
    }
    if (atomic_load(&courier->stop)) {
        (void)event_base_loopbreak(courier->base);
        return;
    }
    if (atomic_exchange(&courier->changed, false)) {
        hooks_read(courier);
    }
    pump(courier);
}

static void *courier_main(void *user)
{
    struct ht_courier *courier = user;
    (void)event_base_dispatch(courier->base);
    return NULL;
}

static void on_event(void *user, const struct ht_store_event *event)
{
    (void)user;
    (void)event;
}

static void on_settled(void *user, int64_t last_seq)
{
    (void)last_seq;
    wake(user);
}

static enum ht_status parts_make(struct ht_courier *courier, struct ht_error *error)
{
    courier->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    courier->base = event_base_new();
    enum ht_status status = courier->wake_fd < 0 || courier->base == NULL
                                ? HT_NOMEM
                                : ht_poster_new(courier->base, &courier->poster);
    if (status == HT_OK) {
        courier->wake =
            event_new(courier->base, courier->wake_fd, EV_READ | EV_PERSIST, on_wake, courier);
        courier->timer = evtimer_new(courier->base, on_wake, courier);
        status =
            courier->wake == NULL || courier->timer == NULL || event_add(courier->wake, NULL) != 0
                ? HT_NOMEM
                : HT_OK;
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    return ht_store_reader_new(courier->options.store, &courier->reader, error);
}

enum ht_status ht_courier_new(const struct ht_courier_options *options, struct ht_courier **out,
                              struct ht_error *error)
{
    struct ht_courier *courier = calloc(1, sizeof *courier);
    int64_t after = 0;
    if (courier == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    courier->options = *options;
    courier->wake_fd = -1;
    enum ht_status status = parts_make(courier, error);
    if (status == HT_OK) {
        const struct ht_commit_watch watch = {
            .event = on_event, .settled = on_settled, .user = courier};
        status = ht_commit_watch(options->commit, &watch, &after);
        courier->started =
            status == HT_OK && pthread_create(&courier->thread, NULL, courier_main, courier) == 0;
        status = courier->started ? HT_OK : ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (status != HT_OK) {
        ht_courier_free(courier);
        return status;
    }
    ht_courier_changed(courier);
    *out = courier;
    return HT_OK;
}

void ht_courier_changed(struct ht_courier *courier)
{
    atomic_store(&courier->changed, true);
    wake(courier);
}

void ht_courier_free(struct ht_courier *courier)
{
    if (courier == NULL) {
        return;
    }
    ht_commit_unwatch(courier->options.commit, courier);
    if (courier->started) {
        atomic_store(&courier->stop, true);
        wake(courier);
        (void)pthread_join(courier->thread, NULL);
    }
    while (courier->hooks != NULL) {
        struct hook *hook = courier->hooks;
        courier->hooks = hook->next;
        hook_free(hook);
    }
    ht_poster_free(courier->poster);
    if (courier->wake != NULL) {
        event_free(courier->wake);
    }
    if (courier->timer != NULL) {
        event_free(courier->timer);
    }
    if (courier->base != NULL) {
        event_base_free(courier->base);
    }
    if (courier->wake_fd >= 0) {
        (void)close(courier->wake_fd);
    }
    ht_store_reader_free(courier->reader);
    ht_buffer_deinit(&courier->body);
    free(courier);
}
