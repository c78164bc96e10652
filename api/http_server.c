/* Loops: accepting, handing over, ticking, draining. */
#include "api/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/http_internal.h"

enum {
    ACCEPTS_A_TURN = 64,
    ACCEPT_RETRY_MS = 100,
    TICK_MS = 1000,
    DRAIN_TICK_MS = 100,
};

struct ht_http_options ht_http_options_default(void)
{
    return (struct ht_http_options){
        .host = "127.0.0.1",
        .port = 8080,
        .job_queue = 256,
        .connections_max = 10000,
        .limits = ht_http_limits_default(),
        .reply_max = (size_t)1 << 30,
        .head_ms = 10000,
        .body_ms = 30000,
        .idle_ms = 75000,
        .write_ms = 30000,
        .grace_ms = 250,
        .drain_ms = 15000,
    };
}

bool ht_http_host_is_loopback(const char *host, size_t size)
{
    static const char *const names[] = {"localhost", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (size >= length && strncasecmp(host, names[i], length) == 0 &&
            (size == length || host[length] == ':')) {
            return true;
        }
    }
    /* 127.0.0.0/8 by number only: 127.example.com is somebody else's. */
    size_t end = 0;
    unsigned dots = 0;
    while (end < size && host[end] != ':') {
        dots += host[end] == '.' ? 1U : 0U;
        if (host[end] != '.' && (host[end] < '0' || host[end] > '9')) {
            return false;
        }
        end++;
    }
    return size > 4 && strncmp(host, "127.", 4) == 0 && dots == 3;
}

static struct timeval milliseconds(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static void timer_start(struct event *timer, unsigned ms)
{
    struct timeval wait = milliseconds(ms);
    (void)event_add(timer, &wait);
}

static void loop_wake(struct ht_loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->mail_fd, &one, sizeof one);
    (void)written; /* a full counter wakes the loop just as well */
}

void ht__loop_mail_job(struct ht_conn_job *job)
{
    struct ht_loop *loop = job->loop;
    (void)pthread_mutex_lock(&loop->mail_lock);
    bool first = loop->mail_jobs == NULL; /* else the loop was woken for the one before */
    job->next = loop->mail_jobs;
    loop->mail_jobs = job;
    (void)pthread_mutex_unlock(&loop->mail_lock);
    if (first) {
        loop_wake(loop);
    }
}

void ht_http_server_post(struct ht_http_server *server, unsigned number, struct ht_http_post *post)
{
    struct ht_loop *loop = &server->loops[number];
    (void)pthread_mutex_lock(&loop->mail_lock);
    bool first = loop->mail_posts == NULL;
    post->next = NULL;
    *loop->mail_posts_last = post;
    loop->mail_posts_last = &post->next;
    (void)pthread_mutex_unlock(&loop->mail_lock);
    if (first) {
        loop_wake(loop);
    }
}

unsigned ht_http_server_loops(const struct ht_http_server *server)
{
    return server->loop_count;
}

static struct ht_http_post *mail_posts_take(struct ht_loop *loop)
{
    (void)pthread_mutex_lock(&loop->mail_lock);
    struct ht_http_post *posts = loop->mail_posts;
    loop->mail_posts = NULL;
    loop->mail_posts_last = &loop->mail_posts;
    (void)pthread_mutex_unlock(&loop->mail_lock);
    return posts;
}

/* `context` NULL: the loop has ended. */
static void posts_run(struct ht_http_post *posts, void *context)
{
    while (posts != NULL) {
        struct ht_http_post *next = posts->next;
        posts->run(context, posts);
        posts = next;
    }
}

static bool loop_mail_fd(struct ht_loop *loop, int fd)
{
    (void)pthread_mutex_lock(&loop->mail_lock);
    bool room = loop->mail_fd_count < HT_MAIL_FDS;
    if (room) {
        loop->mail_fds[loop->mail_fd_count++] = fd;
        (void)atomic_fetch_add(&loop->conn_count, 1);
    }
    (void)pthread_mutex_unlock(&loop->mail_lock);
    if (room) {
        loop_wake(loop);
    }
    return room;
}

void ht__loop_conn_gone(struct ht_loop *loop)
{
    size_t before = atomic_fetch_sub(&loop->conn_count, 1);
    if (before == 1 && loop->drain_phase == 2) {
        (void)event_base_loopbreak(loop->base);
    }
}

/* A connection that used up its turn goes on after the others had theirs. */
void ht__loop_queue(struct ht_loop *loop, struct ht_conn *conn)
{
    if (conn->queued) {
        return;
    }
    conn->queued = true;
    conn->queue_next = NULL;
    *loop->queue_last = conn;
    loop->queue_last = &conn->queue_next;
    if (loop->queue_first == conn) {
        timer_start(loop->queue_event, 0);
    }
}

static void on_queue(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct ht_loop *loop = user;
    struct ht_conn *conn = loop->queue_first;
    loop->queue_first = NULL;
    loop->queue_last = &loop->queue_first;
    while (conn != NULL) {
        struct ht_conn *next = conn->queue_next;
        conn->queued = false;
        ht__conn_resume(conn);
        conn = next;
    }
}

/* Makes room for a new connection: the idle one that has waited longest goes. */
static bool loop_evict(struct ht_loop *loop)
{
    struct ht_conn *oldest = NULL;
    for (struct ht_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (ht__conn_idle(conn) && (oldest == NULL || conn->deadline_ms <= oldest->deadline_ms)) {
            oldest = conn;
        }
    }
    if (oldest == NULL) {
        return false;
    }
    ht__count(&loop->evicted, 1);
    ht__conn_close(oldest);
    return true;
}

/* The kernel spreads connections by hash, which may leave a core without any: hand over to the loop
 * that has fewest. */
static void conn_place(struct ht_loop *loop, int fd)
{
    struct ht_http_server *server = loop->server;
    size_t own = atomic_load_explicit(&loop->conn_count, memory_order_relaxed);
    struct ht_loop *fewest = loop;
    size_t least = own;
    for (unsigned i = 0; i < server->loop_count && loop->drain_phase == 0; i++) {
        size_t count = atomic_load_explicit(&server->loops[i].conn_count, memory_order_relaxed);
        if (count < least) {
            least = count;
            fewest = &server->loops[i];
        }
    }
    if (fewest != loop && loop_mail_fd(fewest, fd)) {
        return;
    }
    if (own >= server->conns_per_loop && !loop_evict(loop)) {
        (void)close(fd);
        return;
    }
    (void)atomic_fetch_add(&loop->conn_count, 1);
    ht__conn_open(loop, fd);
}

/* Takes what waits in the accept queue. False when the queue is empty. */
static bool accept_one(struct ht_loop *loop)
{
    int fd = accept4(loop->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        ht__count(&loop->accepted, 1);
        conn_place(loop, fd);
        return true;
    }
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) {
        return true;
    }
    if (errno != EAGAIN) {
        /* Out of descriptors or memory: an idle connection makes room, else listen again in a
         * while; the event would fire without end meanwhile. */
        ht__count(&loop->accept_errors, 1);
        if (!loop_evict(loop)) {
            (void)event_del(loop->listen_event);
            timer_start(loop->retry_event, ACCEPT_RETRY_MS);
            return false;
        }
        return true;
    }
    return false;
}

static void on_listen(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(user); i++) {
    }
}

static void on_retry(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct ht_loop *loop = user;
    if (loop->listen_fd >= 0) {
        (void)event_add(loop->listen_event, NULL);
    }
}

static void date_set(struct ht_loop *loop)
{
    ht_http_date((int64_t)time(NULL), loop->date);
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct ht_loop *loop = user;
    date_set(loop);
    int64_t now_ms = ht__now_ms();
    struct ht_conn *next = NULL;
    for (struct ht_conn *conn = loop->conns; conn != NULL; conn = next) {
        next = conn->next;
        ht__conn_expire(conn, now_ms);
    }
    if (loop->server->handler.tick != NULL) {
        loop->server->handler.tick(loop->context);
    }
}

static void listen_stop(struct ht_loop *loop)
{
    if (loop->listen_fd < 0) {
        return;
    }
    while (accept_one(loop)) {
    }
    (void)event_del(loop->listen_event);
    (void)event_del(loop->retry_event);
    (void)close(loop->listen_fd);
    loop->listen_fd = -1;
}

static void conns_close(struct ht_loop *loop, bool idle_only)
{
    struct ht_conn *next = NULL;
    for (struct ht_conn *conn = loop->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (!idle_only) {
            ht__conn_close(conn);
        } else if (conn->stream != NULL) {
            ht__stream_stop(conn);
        } else if (ht__conn_idle(conn)) {
            ht__conn_finish(conn);
        }
    }
}

/* Phase 1: new requests are answered, with "Connection: close". Phase 2: the accept queue is empty
 * and the socket closed; idle connections end, others may finish. Then the bound. */
static void on_drain(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct ht_loop *loop = user;
    const struct ht_http_options *options = &loop->server->options;
    if (loop->drain_phase == 1) {
        listen_stop(loop);
        loop->drain_phase = 2;
        conns_close(loop, true);
        if (atomic_load(&loop->conn_count) == 0) {
            (void)event_base_loopbreak(loop->base);
            return;
        }
        timer_start(loop->drain_event, options->drain_ms);
        timer_start(loop->tick_event, DRAIN_TICK_MS);
    } else {
        (void)event_base_loopbreak(loop->base);
    }
}

static void drain_begin(struct ht_loop *loop)
{
    loop->drain_phase = 1;
    ht__listen_refuse_new(loop->listen_fd);
    timer_start(loop->drain_event,
                atomic_load(&loop->server->hands_over) ? 0 : loop->server->options.grace_ms);
}

static void on_mail(evutil_socket_t fd, short what, void *user)
{
    (void)what;
    struct ht_loop *loop = user;
    uint64_t count = 0;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
    int fds[HT_MAIL_FDS];
    (void)pthread_mutex_lock(&loop->mail_lock);
    struct ht_conn_job *jobs = loop->mail_jobs;
    loop->mail_jobs = NULL;
    unsigned fd_count = loop->mail_fd_count;
    memcpy(fds, loop->mail_fds, fd_count * sizeof fds[0]);
    loop->mail_fd_count = 0;
    (void)pthread_mutex_unlock(&loop->mail_lock);
    for (unsigned i = 0; i < fd_count; i++) {
        ht__conn_open(loop, fds[i]);
    }
    while (jobs != NULL) {
        struct ht_conn_job *next = jobs->next;
        ht__conn_job_done(jobs);
        jobs = next;
    }
    posts_run(mail_posts_take(loop), loop->context);
    if (loop->drain_phase == 0 && atomic_load(&loop->server->draining)) {
        drain_begin(loop);
    }
}

static bool loop_events(struct ht_loop *loop)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return false;
    }
    /* Each base belongs to one thread, so it needs no locks. */
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (loop->base == NULL) {
        return false;
    }
    loop->listen_event =
        event_new(loop->base, loop->listen_fd, EV_READ | EV_PERSIST, on_listen, loop);
    loop->mail_event = event_new(loop->base, loop->mail_fd, EV_READ | EV_PERSIST, on_mail, loop);
    loop->tick_event = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
    loop->retry_event = event_new(loop->base, -1, 0, on_retry, loop);
    loop->queue_event = event_new(loop->base, -1, 0, on_queue, loop);
    loop->drain_event = event_new(loop->base, -1, 0, on_drain, loop);
    if (loop->listen_event == NULL || loop->mail_event == NULL || loop->tick_event == NULL ||
        loop->retry_event == NULL || loop->queue_event == NULL || loop->drain_event == NULL) {
        return false;
    }
    timer_start(loop->tick_event, TICK_MS);
    return event_add(loop->listen_event, NULL) == 0 && event_add(loop->mail_event, NULL) == 0;
}

static enum ht_status loop_init(struct ht_http_server *server, struct ht_loop *loop,
                                struct ht_error *error)
{
    enum ht_status status = ht__listen_open(server, &loop->listen_fd, error);
    if (status != HT_OK) {
        return status;
    }
    loop->mail_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->input = malloc(HT_LOOP_READ_SIZE);
    loop->reply.body.limit = server->options.reply_max;
    date_set(loop);
    if (loop->mail_fd < 0 || loop->input == NULL || ht_gzip_new(&loop->gzip) != HT_OK ||
        !loop_events(loop)) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (server->handler.context_new != NULL) {
        status = server->handler.context_new(server->handler.user, &loop->context);
    }
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

static void loop_deinit(struct ht_loop *loop)
{
    struct event *events[] = {loop->listen_event, loop->mail_event,  loop->tick_event,
                              loop->retry_event,  loop->queue_event, loop->drain_event};
    loop->drain_phase = 0;
    conns_close(loop, false);
    for (unsigned i = 0; i < loop->mail_fd_count; i++) {
        (void)close(loop->mail_fds[i]);
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
    if (loop->listen_fd >= 0) {
        (void)close(loop->listen_fd);
    }
    if (loop->mail_fd >= 0) {
        (void)close(loop->mail_fd);
    }
    if (loop->context != NULL && loop->server->handler.context_free != NULL) {
        loop->server->handler.context_free(loop->context);
    }
    ht_gzip_free(loop->gzip);
    ht_reply_deinit(&loop->reply);
    ht_buffer_deinit(&loop->out);
    free(loop->input);
    (void)pthread_mutex_destroy(&loop->mail_lock);
}

static enum ht_status workers_new(struct ht_http_server *server, struct ht_error *error)
{
    server->workers = calloc(server->worker_count, sizeof *server->workers);
    server->worker_pointers = calloc(server->worker_count, sizeof *server->worker_pointers);
    if (server->workers == NULL || server->worker_pointers == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct ht_worker_context *worker = &server->workers[i];
        server->worker_pointers[i] = worker;
        enum ht_status status = ht_gzip_new(&worker->gzip);
        if (status == HT_OK && server->handler.context_new != NULL) {
            status = server->handler.context_new(server->handler.user, &worker->user);
        }
        if (status != HT_OK) {
            return ht_error_set(error, status, 0, NULL);
        }
    }
    enum ht_status status = ht_jobs_new(server->worker_count, server->options.job_queue,
                                        server->worker_pointers, &server->jobs);
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

void ht_http_server_jobs_end(struct ht_http_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        conns_close(&server->loops[i], false);
    }
    ht_jobs_free(server->jobs);
    server->jobs = NULL;
}

static void workers_free(struct ht_http_server *server)
{
    for (unsigned i = 0; server->workers != NULL && i < server->worker_count; i++) {
        ht_gzip_free(server->workers[i].gzip);
        if (server->workers[i].user != NULL && server->handler.context_free != NULL) {
            server->handler.context_free(server->workers[i].user);
        }
    }
    free(server->workers);
    free(server->worker_pointers);
}

static unsigned cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

static enum ht_status server_start(struct ht_http_server *server, struct ht_error *error)
{
    enum ht_status status = ht__port_check(server, error);
    for (unsigned i = 0; i < server->loop_count && status == HT_OK; i++) {
        status = loop_init(server, &server->loops[i], error);
    }
    return status == HT_OK ? workers_new(server, error) : status;
}

enum ht_status ht_http_server_new(const struct ht_http_options *options,
                                  const struct ht_http_handler *handler,
                                  struct ht_http_server **out, struct ht_error *error)
{
    struct ht_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    server->options = *options;
    server->handler = *handler;
    server->port = options->port;
    server->loop_count = options->threads == 0 ? cores() : options->threads;
    server->worker_count = options->workers == 0 ? cores() : options->workers;
    server->conns_per_loop =
        options->connections_max / server->loop_count + (server->loop_count > 1 ? 1 : 0);
    server->loops = calloc(server->loop_count, sizeof *server->loops);
    if (server->loops == NULL) {
        free(server);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct ht_loop *loop = &server->loops[i];
        loop->server = server;
        loop->index = i;
        loop->listen_fd = -1;
        loop->mail_fd = -1;
        loop->queue_last = &loop->queue_first;
        loop->mail_posts_last = &loop->mail_posts;
        (void)pthread_mutex_init(&loop->mail_lock, NULL);
    }
    enum ht_status status = server_start(server, error);
    if (status != HT_OK) {
        ht_http_server_free(server);
        return status;
    }
    *out = server;
    return HT_OK;
}

/* Jobs and posts that came after their loop had ended. */
static void mail_drop(struct ht_loop *loop)
{
    struct ht_conn_job *job = loop->mail_jobs;
    loop->mail_jobs = NULL;
    while (job != NULL) {
        struct ht_conn_job *next = job->next;
        job->conn = NULL;
        ht__conn_job_done(job);
        job = next;
    }
    posts_run(mail_posts_take(loop), NULL);
}

void ht_http_server_free(struct ht_http_server *server)
{
    if (server == NULL) {
        return;
    }
    ht_http_server_jobs_end(server);
    workers_free(server);
    for (unsigned i = 0; i < server->loop_count; i++) {
        mail_drop(&server->loops[i]);
        loop_deinit(&server->loops[i]);
    }
    free(server->loops);
    free(server);
}

uint16_t ht_http_server_port(const struct ht_http_server *server)
{
    return server->port;
}

static void *loop_main(void *user)
{
    struct ht_loop *loop = user;
    (void)event_base_dispatch(loop->base);
    return NULL;
}

enum ht_status ht_http_server_run(struct ht_http_server *server)
{
    enum ht_status status = HT_OK;
    for (unsigned i = 1; i < server->loop_count; i++) {
        struct ht_loop *loop = &server->loops[i];
        loop->started = pthread_create(&loop->thread, NULL, loop_main, loop) == 0;
        if (!loop->started) {
            status = HT_NOMEM;
            ht_http_server_drain(server);
            break;
        }
    }
    (void)loop_main(&server->loops[0]);
    for (unsigned i = 1; i < server->loop_count; i++) {
        if (server->loops[i].started) {
            (void)pthread_join(server->loops[i].thread, NULL);
            server->loops[i].started = false;
        }
    }
    return status;
}

void ht_http_server_drain(struct ht_http_server *server)
{
    /* whoever runs it may free it once the last loop is woken: nothing of it is looked at then */
    const unsigned count = server->loop_count;
    struct ht_loop *loops = server->loops;
    atomic_store(&server->draining, true);
    for (unsigned i = 0; i < count; i++) {
        loop_wake(&loops[i]);
    }
}

void ht_http_server_hand_over(struct ht_http_server *server)
{
    atomic_store(&server->hands_over, true);
    ht_http_server_drain(server);
}

bool ht_http_server_draining(const struct ht_http_server *server)
{
    return atomic_load_explicit(&server->draining, memory_order_relaxed);
}

void ht_http_server_stats(struct ht_http_server *server, struct ht_http_stats *out)
{
    *out = (struct ht_http_stats){0};
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct ht_loop *loop = &server->loops[i];
        out->connections += atomic_load_explicit(&loop->conn_count, memory_order_relaxed);
        out->accepted += atomic_load_explicit(&loop->accepted, memory_order_relaxed);
        out->evicted += atomic_load_explicit(&loop->evicted, memory_order_relaxed);
        out->timed_out += atomic_load_explicit(&loop->timed_out, memory_order_relaxed);
        out->accept_errors += atomic_load_explicit(&loop->accept_errors, memory_order_relaxed);
        out->bytes_out += atomic_load_explicit(&loop->bytes_out, memory_order_relaxed);
    }
    if (server->jobs != NULL) {
        ht_jobs_stats_read(server->jobs, &out->jobs);
    }
}
