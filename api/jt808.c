/* The door's life: listening, ticking, who is here, what is counted. */
#include "api/jt808.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/app_internal.h"
#include "api/jt808_internal.h"
#include "api/listen.h"
#include "api/live.h"
#include "api/log.h"
#include "api/writer_act.h"
#include "engine/base/names.h"
#include "geodata/digest.h"

#define SECRET "jt808"

enum { ACCEPTS_A_TURN = 64, ACCEPT_RETRY_MS = 100, TICK_MS = 1000 };

struct ht_jt808_options ht_jt808_options_default(void)
{
    return (struct ht_jt808_options){.host = "127.0.0.1",
                                     .port = 8808,
                                     .connections_max = 20000,
                                     .held_max = (size_t)64 << 20,
                                     .proof_ms = 30 * 1000,
                                     .idle_ms = 300 * 1000,
                                     .frame_ms = 30 * 1000,
                                     .parts_ms = 60 * 1000,
                                     .write_ms = 30 * 1000,
                                     .alarm_ms = 60 * 1000,
                                     .ask_ms = 120 * 1000};
}

/* ---- who is here ---- */

static size_t bucket_of(const char *id)
{
    return ht_names_hash(id) % HT_JT_BUCKETS;
}

struct ht__jt_conn *ht__jt_find(struct ht_jt808 *jt, const char *id)
{
    struct ht__jt_conn *conn = jt->by_id[bucket_of(id)];
    while (conn != NULL && strcmp(conn->id, id) != 0) {
        conn = conn->by_id;
    }
    return conn;
}

struct ht__jt_conn *ht__jt_find_unit(struct ht_jt808 *jt, const char *unit)
{
    struct ht__jt_conn *conn = jt->by_unit[bucket_of(unit)];
    while (conn != NULL && strcmp(conn->unit, unit) != 0) {
        conn = conn->by_unit;
    }
    return conn;
}

void ht__jt_in_unit(struct ht__jt_conn *conn, const char *unit)
{
    struct ht_jt808 *jt = conn->jt;
    if (conn->unit[0] != '\0') {
        struct ht__jt_conn **at = &jt->by_unit[bucket_of(conn->unit)];
        while (*at != conn) {
            at = &(*at)->by_unit;
        }
        *at = conn->by_unit;
    }
    (void)snprintf(conn->unit, sizeof conn->unit, "%s", unit);
    conn->told = 0;
    if (conn->unit[0] != '\0') {
        struct ht__jt_conn **first = &jt->by_unit[bucket_of(conn->unit)];
        conn->by_unit = *first;
        *first = conn;
    }
}

void ht__jt_forget(struct ht__jt_conn *conn)
{
    struct ht_jt808 *jt = conn->jt;
    if (!conn->proven) {
        return;
    }
    ht__jt_in_unit(conn, "");
    struct ht__jt_conn **at = &jt->by_id[bucket_of(conn->id)];
    while (*at != conn) {
        at = &(*at)->by_id;
    }
    *at = conn->by_id;
    conn->proven = false;
    conn->waits = 0;
    ht__jt_add(&jt->counts.proven, (size_t)-1);
}

void ht__jt_proven(struct ht__jt_conn *conn, const char *id)
{
    struct ht_jt808 *jt = conn->jt;
    if (conn->proven) {
        return;
    }
    struct ht__jt_conn *before = ht__jt_find(jt, id);
    if (before != NULL) { /* its connection broke, and we did not hear of it yet */
        ht__jt_conn_close(before, HT_JT_CLOSED_REPLACED);
    }
    (void)snprintf(conn->id, sizeof conn->id, "%s", id);
    struct ht__jt_conn **first = &jt->by_id[bucket_of(id)];
    conn->by_id = *first;
    *first = conn;
    conn->proven = true;
    conn->refused = 0;
    conn->placed_ms = jt->now_ms;
    ht__jt_add(&jt->counts.proven, 1);
}

/* ---- memory ---- */

bool ht__jt_hold(struct ht_jt808 *jt, size_t more)
{
    size_t held = atomic_load_explicit(&jt->counts.held, memory_order_relaxed);
    if (held + more > jt->options.held_max) {
        return false;
    }
    ht__jt_add(&jt->counts.held, more);
    return true;
}

void ht__jt_let_go(struct ht_jt808 *jt, size_t bytes)
{
    ht__jt_add(&jt->counts.held, (size_t)0 - bytes);
}

/* ---- the loop ---- */

void ht__jt_turn(struct ht_jt808 *jt)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    jt->now_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void ht__jt_wake(const struct ht_jt808 *jt)
{
    const uint64_t one = 1;
    ssize_t written = write(jt->mail_fd, &one, sizeof one);
    (void)written; /* full: it wakes anyway */
}

static void timer_start(struct event *timer, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    (void)event_add(timer, &wait);
}

static void on_listen(evutil_socket_t fd, short what, void *user)
{
    struct ht_jt808 *jt = user;
    (void)what;
    ht__jt_turn(jt);
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (conn >= 0) {
            ht__jt_add(&jt->counts.accepted, 1);
            ht__jt_conn_open(jt, conn);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO) {
            /* out of descriptors: the event would fire without end meanwhile */
            (void)event_del(jt->listen_event);
            timer_start(jt->retry_event, ACCEPT_RETRY_MS);
            return;
        }
    }
}

static void on_retry(evutil_socket_t fd, short what, void *user)
{
    struct ht_jt808 *jt = user;
    (void)fd;
    (void)what;
    (void)event_add(jt->listen_event, NULL);
}

/* To the app that is to be the next one. */
static void move_now(struct ht_jt808 *jt)
{
    (void)pthread_mutex_lock(&jt->mail_lock);
    bool wanted = jt->next_app != NULL;
    (void)pthread_mutex_unlock(&jt->mail_lock);
    if (!wanted) {
        return;
    }
    ht__jt_round_end(jt);
    ht__jt_locations_end(jt);
    ht__app_context_free(jt->context);
    (void)pthread_mutex_lock(&jt->mail_lock);
    jt->app = jt->next_app;
    jt->context = jt->next_context;
    jt->next_app = NULL;
    (void)pthread_cond_broadcast(&jt->moved);
    (void)pthread_mutex_unlock(&jt->mail_lock);
    jt->asks_late = !jt->lasting;
}

static void on_mail(evutil_socket_t fd, short what, void *user)
{
    struct ht_jt808 *jt = user;
    uint64_t count = 0;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    (void)what;
    if (atomic_load(&jt->stop)) {
        (void)event_base_loopbreak(jt->base);
        return;
    }
    ht__jt_turn(jt);
    move_now(jt);
    ht__jt_alarms_come(jt);
    ht__jt_stops_come(jt);
}

/* A terminal that lives and tells no place, in a unit, is asked for it. */
static void place_ask(struct ht__jt_conn *conn)
{
    struct ht_jt808 *jt = conn->jt;
    if (conn->unit[0] != '\0' && !conn->sending &&
        jt->now_ms - conn->placed_ms >= jt->options.ask_ms) {
        conn->placed_ms = jt->now_ms;
        ht__jt_put(conn, HT_JT808_OUT_QUERY, NULL, 0);
        ht__jt_flush(conn);
    }
}

/* An idle loop must not keep an old map in memory (as app.c's tick). */
static void world_rest(struct ht_app_context *context)
{
    ht_world_reader_rest(&context->world);
    if (context->live != NULL) {
        ht_live_work_rest(context->live);
    }
}

/* A secret that the desk had not made when it was asked for. */
static void secret_look(struct ht_jt808 *jt)
{
    struct ht_store_reader *reader = NULL;
    if (jt->asks_late && ht_store_reader_new(jt->app->store, &reader, NULL) == HT_OK) {
        jt->lasting = ht_store_secret_get(reader, SECRET, jt->secret, NULL) == HT_OK;
        jt->asks_late = !jt->lasting;
        ht_store_reader_free(reader);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    struct ht_jt808 *jt = user;
    struct ht__jt_conn *next = NULL;
    (void)fd;
    (void)what;
    ht__jt_turn(jt);
    ht__jt_round_end(jt); /* nobody is judged by what was not looked at */
    for (struct ht__jt_conn *conn = jt->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->proven) {
            place_ask(conn); /* closes it at most itself */
        }
    }
    for (struct ht__jt_conn *conn = jt->conns; conn != NULL; conn = next) {
        next = conn->next;
        ht__jt_conn_expire(conn);
    }
    secret_look(jt);
    ht__jt_texts(jt);
    world_rest(jt->context);
}

static void on_end(evutil_socket_t fd, short what, void *user)
{
    struct ht_jt808 *jt = user;
    (void)fd;
    (void)what;
    jt->ending = false;
    ht__jt_round_end(jt);
    ht__jt_locations_end(jt);
}

static void *jt808_main(void *user)
{
    struct ht_jt808 *jt = user;
    (void)event_base_dispatch(jt->base);
    ht__jt_turn(jt);
    ht__jt_round_end(jt);
    while (jt->conns != NULL) {
        ht__jt_conn_close(jt->conns, HT_JT_CLOSED_STOPPED);
    }
    ht__jt_locations_end(jt);
    world_rest(jt->context);
    return NULL;
}

/* ---- made and freed ---- */

static enum ht_status secret_run(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                                 struct ht_error *error)
{
    struct ht_jt808 *jt = user;
    (void)context;
    return ht_store_secret_of(tx, SECRET, jt->secret, error);
}

static void secret_done(void *user, enum ht_status outcome)
{
    (void)user;
    (void)outcome;
}

/* The secret of the store, or where that can't be written of this process: codes are given anew
 * then after a restart. */
static enum ht_status secret_get(struct ht_jt808 *jt, struct ht_error *error)
{
    static_assert(sizeof jt->secret == HT_STORE_SECRET, "a secret of the store");
    struct ht_store_reader *reader = NULL;
    enum ht_status status = HT_NOT_FOUND;
    if (jt->app->store != NULL) {
        status = ht_store_reader_new(jt->app->store, &reader, error);
        status = status == HT_OK ? ht_store_secret_get(reader, SECRET, jt->secret, error) : status;
        ht_store_reader_free(reader);
    }
    if (status == HT_NOT_FOUND && jt->app->commit != NULL) {
        const struct ht_writer_act act = {.run = secret_run, .done = secret_done, .user = jt};
        status = ht_writer_do(jt->app, &act, error);
    }
    jt->lasting = status == HT_OK;
    jt->asks_late = !jt->lasting && jt->app->follower != NULL;
    return status == HT_NOT_FOUND ? ht_random_bytes(jt->secret, sizeof jt->secret) : status;
}

static enum ht_status events_make(struct ht_jt808 *jt)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return HT_NOMEM;
    }
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* of one thread */
    jt->base = event_base_new_with_config(config);
    event_config_free(config);
    jt->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (jt->base == NULL || jt->mail_fd < 0) {
        return HT_NOMEM;
    }
    jt->listen_event = event_new(jt->base, jt->listen_fd, EV_READ | EV_PERSIST, on_listen, jt);
    jt->mail_event = event_new(jt->base, jt->mail_fd, EV_READ | EV_PERSIST, on_mail, jt);
    jt->tick_event = event_new(jt->base, -1, EV_PERSIST, on_tick, jt);
    jt->retry_event = event_new(jt->base, -1, 0, on_retry, jt);
    jt->end_event = event_new(jt->base, -1, 0, on_end, jt);
    if (jt->listen_event == NULL || jt->mail_event == NULL || jt->tick_event == NULL ||
        jt->retry_event == NULL || jt->end_event == NULL ||
        event_add(jt->listen_event, NULL) != 0 || event_add(jt->mail_event, NULL) != 0) {
        return HT_NOMEM;
    }
    timer_start(jt->tick_event, TICK_MS);
    return HT_OK;
}

enum ht_status ht_jt808_new(struct ht_app *app, const struct ht_jt808_options *options,
                            struct ht_jt808 **out, struct ht_error *error)
{
    struct ht_jt808 *jt = calloc(1, sizeof *jt);
    if (jt == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    jt->app = app;
    jt->options = *options;
    jt->port = options->port;
    jt->listen_fd = -1;
    jt->mail_fd = -1;
    (void)snprintf(jt->host, sizeof jt->host, "%s", options->host);
    (void)pthread_mutex_init(&jt->mail_lock, NULL);
    (void)pthread_cond_init(&jt->moved, NULL);
    jt->gbk = iconv_open("GBK", "UTF-8");
    enum ht_status status = ht_listen_check(jt->host, jt->port, error);
    if (status == HT_OK) {
        status = ht_listen_open(jt->host, &jt->port, &jt->listen_fd, error);
    }
    if (status == HT_OK) {
        status = secret_get(jt, error);
    }
    if (status == HT_OK) {
        void *context = NULL;
        status = (intptr_t)jt->gbk == -1 ? HT_UNSUPPORTED : ht__app_context_new(app, &context);
        jt->context = context;
        status = status == HT_OK ? events_make(jt) : status;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    if (status != HT_OK) {
        ht_jt808_free(jt);
        return status;
    }
    *out = jt;
    return HT_OK;
}

enum ht_status ht_jt808_start(struct ht_jt808 *jt)
{
    jt->started = pthread_create(&jt->thread, NULL, jt808_main, jt) == 0;
    return jt->started ? HT_OK : HT_NOMEM;
}

void ht_jt808_stop(struct ht_jt808 *jt)
{
    if (jt == NULL || !jt->started) {
        return;
    }
    atomic_store(&jt->stop, true);
    ht__jt_wake(jt);
    (void)pthread_join(jt->thread, NULL);
    jt->started = false;
    ht__app_context_free(jt->context);
    jt->context = NULL;
}

enum ht_status ht_jt808_move(struct ht_jt808 *jt, struct ht_app *app)
{
    void *context = NULL;
    if (jt == NULL || !jt->started) {
        return HT_OK;
    }
    enum ht_status status = ht__app_context_new(app, &context);
    if (status != HT_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&jt->mail_lock);
    jt->next_context = context;
    jt->next_app = app;
    ht__jt_wake(jt);
    while (jt->next_app != NULL) {
        (void)pthread_cond_wait(&jt->moved, &jt->mail_lock);
    }
    (void)pthread_mutex_unlock(&jt->mail_lock);
    return HT_OK;
}

static void event_end(struct event *event)
{
    if (event != NULL) {
        event_free(event);
    }
}

void ht_jt808_free(struct ht_jt808 *jt)
{
    if (jt == NULL) {
        return;
    }
    ht_jt808_stop(jt);
    while (jt->mail != NULL) {
        struct ht__jt_alarm_mail *next = jt->mail->next;
        free(jt->mail);
        jt->mail = next;
    }
    event_end(jt->listen_event);
    event_end(jt->mail_event);
    event_end(jt->tick_event);
    event_end(jt->retry_event);
    event_end(jt->end_event);
    if (jt->base != NULL) {
        event_base_free(jt->base);
    }
    if (jt->listen_fd >= 0) {
        (void)close(jt->listen_fd);
    }
    if (jt->mail_fd >= 0) {
        (void)close(jt->mail_fd);
    }
    if (jt->context != NULL) {
        ht__app_context_free(jt->context);
    }
    if ((intptr_t)jt->gbk != -1) {
        (void)iconv_close(jt->gbk);
    }
    ht_buffer_deinit(&jt->out);
    ht_buffer_deinit(&jt->stops);
    (void)pthread_cond_destroy(&jt->moved);
    (void)pthread_mutex_destroy(&jt->mail_lock);
    free(jt);
}

uint16_t ht_jt808_port(const struct ht_jt808 *jt)
{
    return jt->port;
}

/* ---- numbers ---- */

struct family {
    const char *name;
    const char *label;
    const char *help;
    const char *const *texts;
    const atomic_size_t *counts;
    size_t size;
};

static void family_write(struct ht_buffer *out, const struct family *family)
{
    char line[256];
    (void)snprintf(line, sizeof line,
                   "# HELP houtao_jt808_%s_total %s\n# TYPE houtao_jt808_%s_total counter\n",
                   family->name, family->help, family->name);
    ht_buffer_text(out, line);
    for (size_t i = 0; i < family->size; i++) {
        (void)snprintf(line, sizeof line, "houtao_jt808_%s_total{%s=\"%s\"} %zu\n", family->name,
                       family->label, family->texts[i], atomic_load(&family->counts[i]));
        ht_buffer_text(out, line);
    }
}

#define HT_JT_TEXT_OF(name, text) text,
static const char *const message_texts[] = {HT_JT_MESSAGE_MAP(HT_JT_TEXT_OF)};
static const char *const fault_texts[] = {HT_JT808_FAULT_MAP(HT_JT_TEXT_OF)};
static const char *const refusal_texts[] = {HT_JT_REFUSAL_MAP(HT_JT_TEXT_OF)};
static const char *const place_texts[] = {HT_JT_PLACE_MAP(HT_JT_TEXT_OF)};
static const char *const closed_texts[] = {HT_JT_CLOSED_MAP(HT_JT_TEXT_OF)};
static const char *const alarm_texts[] = {HT_JT_ALARM_MAP(HT_JT_TEXT_OF)};
static const char *const text_texts[] = {HT_JT_TEXT_MAP(HT_JT_TEXT_OF)};
#undef HT_JT_TEXT_OF

static void families_write(struct ht_buffer *out, struct ht__jt_counts *counts)
{
    const struct family families[] = {
        {"messages", "kind", "Messages of terminals.", message_texts, counts->messages,
         HT_JT_MESSAGES},
        {"faults", "reason", "Frames that could not be read.", fault_texts + 1, counts->faults + 1,
         HT_JT808_FAULTS - 1},
        {"refused", "reason", "Messages that did not count.", refusal_texts, counts->refusals,
         HT_JT_REFUSALS},
        {"places", "outcome", "Locations, by what became of them.", place_texts, counts->places,
         HT_JT_PLACES},
        {"closed", "reason", "Connections that were closed.", closed_texts, counts->closings,
         HT_JT_CLOSINGS},
        {"alarms", "outcome", "Alarms that are to be incidents.", alarm_texts, counts->alarms,
         HT_JT_ALARMS},
        {"texts", "outcome", "Texts to drivers.", text_texts, counts->texts, HT_JT_TEXTS},
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        family_write(out, &families[i]);
    }
}

void ht_jt808_metrics(struct ht_jt808 *jt, struct ht_buffer *out)
{
    if (jt == NULL) {
        return;
    }
    struct ht__jt_counts *counts = &jt->counts;
    ht_metrics_gauge(out, "houtao_jt808_connections", "gauge", "Open connections of terminals.",
                     (double)atomic_load(&counts->open));
    ht_metrics_gauge(out, "houtao_jt808_authenticated", "gauge",
                     "Of these those whose terminal has authenticated.",
                     (double)atomic_load(&counts->proven));
    ht_metrics_gauge(out, "houtao_jt808_held_bytes", "gauge",
                     "Bytes kept of frames and messages that are not whole, and of answers that "
                     "were not taken.",
                     (double)atomic_load(&counts->held));
    ht_metrics_gauge(out, "houtao_jt808_accepted_total", "counter",
                     "Connections of terminals accepted.", (double)atomic_load(&counts->accepted));
    ht_metrics_gauge(out, "houtao_jt808_passed_bytes_total", "counter",
                     "Bytes outside of frames, passed over.", (double)atomic_load(&counts->passed));
    families_write(out, counts);
}
