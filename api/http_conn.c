/* One connection: reads, has requests handled in their order, sends.
 *
 * In the common case a request arrives whole and its answer fits the socket: then nothing is copied
 * but into the loop's own input and output, and the connection keeps no memory besides its struct.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "api/http_internal.h"

enum {
    TURN_REQUESTS = 64,      /* then other connections get their turn */
    TURN_BYTES = 256 * 1024, /* of output, likewise */
    LOOP_GZIP_MOST =
        256 * 1024, /* more is not compressed on a loop: it would stand for milliseconds */
    KEEP_CAPACITY = 1024 * 1024, /* buffers that grew past this are given back */
    READ_STEP = 16 * 1024,
    READ_STEP_MOST = 1024 * 1024,
    CLOSING_MS = 2000,
    CLOSING_DRAIN_MS = 500,
    CLOSING_BYTES = 64 * 1024 * 1024,
    BODY_BYTES_PER_S = 16 * 1024,
};

int64_t ht__now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t ht__now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static const struct ht_http_options *options_of(const struct ht_conn *conn)
{
    return &conn->loop->server->options;
}

static void buffer_shrink(struct ht_buffer *buffer)
{
    if (buffer->capacity > KEEP_CAPACITY) {
        ht_buffer_deinit(buffer);
    }
}

void ht__conn_close(struct ht_conn *conn)
{
    struct ht_loop *loop = conn->loop;
    if (conn->job != NULL) {
        if (conn->job->work.gone != NULL) {
            conn->job->work.gone(conn->job->work.data);
        }
        conn->job->conn = NULL;
    }
    ht__stream_end(conn);
    (void)event_del(&conn->read_event);
    (void)event_del(&conn->write_event);
    (void)close(conn->fd);
    ht_buffer_deinit(&conn->in);
    ht_buffer_deinit(&conn->out);
    if (conn->prev != NULL) {
        conn->prev->next = conn->next;
    } else {
        loop->conns = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->prev = conn->prev;
    }
    free(conn);
    ht__loop_conn_gone(loop);
}

bool ht__conn_idle(const struct ht_conn *conn)
{
    return conn->job == NULL && conn->stream == NULL && !conn->sending && !conn->closing &&
           !conn->begun && !conn->queued;
}

static void reading_start(struct ht_conn *conn)
{
    if (!conn->reading) {
        conn->reading = event_add(&conn->read_event, NULL) == 0;
    }
}

static void reading_stop(struct ht_conn *conn)
{
    if (conn->reading) {
        (void)event_del(&conn->read_event);
        conn->reading = false;
    }
}

void ht__conn_finish(struct ht_conn *conn)
{
    if (shutdown(conn->fd, SHUT_WR) != 0) {
        ht__conn_close(conn);
        return;
    }
    /* A close with unread input would send a reset, and the client might lose the answer. */
    conn->closing = true;
    conn->deadline_ms =
        ht__now_ms() + (conn->loop->drain_phase == 2 ? CLOSING_DRAIN_MS : CLOSING_MS);
    ht_buffer_deinit(&conn->in);
    reading_start(conn);
}

static void deadline_idle(struct ht_conn *conn)
{
    conn->begun = false;
    conn->deadline_ms = ht__now_ms() + options_of(conn)->idle_ms;
}

/* A request has begun and is not complete: how long may it take? */
static void deadline_partial(struct ht_conn *conn)
{
    bool in_head = conn->parser.state == HT_HTTP_AT_LINE || conn->parser.state == HT_HTTP_AT_HEAD;
    int64_t now = ht__now_ms();
    if (!conn->begun) {
        conn->begun = true;
        conn->begun_ms = now;
    }
    int64_t earned = (int64_t)(conn->parser.body_size / BODY_BYTES_PER_S) * 1000;
    conn->deadline_ms = conn->begun_ms + (in_head ? (int64_t)options_of(conn)->head_ms
                                                  : (int64_t)options_of(conn)->body_ms + earned);
}

/* Keeps what the socket did not take: `from` is given up to the connection (by swap) when it can
 * be. */
static bool output_keep(struct ht_conn *conn, const struct ht_buffer *scratch, size_t sent,
                        struct ht_buffer *body)
{
    ht_buffer_clear(&conn->out);
    conn->out_at = 0;
    if (sent < scratch->size) {
        ht_buffer_append(&conn->out, scratch->data + sent, scratch->size - sent);
        if (body != NULL) {
            ht_buffer_append(&conn->out, body->data, body->size);
        }
    } else if (body != NULL) {
        struct ht_buffer taken = *body;
        size_t limit = body->limit;
        *body = conn->out;
        body->limit = limit;
        ht_buffer_clear(body);
        conn->out = taken;
        conn->out.limit = 0;
        conn->out_at = sent - scratch->size;
    }
    return !conn->out.failed;
}

/* Behind output that is waiting already. */
static bool output_append(struct ht_conn *conn, const struct ht_buffer *body)
{
    struct ht_buffer *scratch = &conn->loop->out;
    ht_buffer_append(&conn->out, scratch->data, scratch->size);
    ht_buffer_clear(scratch);
    if (body != NULL) {
        ht_buffer_append(&conn->out, body->data, body->size);
    }
    return !conn->out.failed;
}

/* Sends the turn's answers and, behind them, `body` (may be NULL). False: the connection is lost.
 */
static bool output_send(struct ht_conn *conn, struct ht_buffer *body)
{
    struct ht_buffer *scratch = &conn->loop->out;
    size_t body_size = body == NULL ? 0 : body->size;
    size_t whole = scratch->size + body_size;
    if (whole == 0) {
        return true;
    }
    if (conn->sending) {
        return output_append(conn, body);
    }
    struct iovec parts[2] = {{scratch->data, scratch->size},
                             {body_size == 0 ? NULL : body->data, body_size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = body_size == 0 ? 1 : 2};
    ssize_t sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
            return false;
        }
        sent = 0;
    }
    ht__count(&conn->loop->bytes_out, (size_t)sent);
    if ((size_t)sent < whole) {
        if (!output_keep(conn, scratch, (size_t)sent, body_size == 0 ? NULL : body) ||
            event_add(&conn->write_event, NULL) != 0) {
            return false;
        }
        conn->sending = true;
        conn->deadline_ms = ht__now_ms() + options_of(conn)->write_ms;
    }
    ht_buffer_clear(scratch);
    buffer_shrink(scratch);
    return true;
}

bool ht__conn_output(struct ht_conn *conn)
{
    return output_send(conn, NULL);
}

/* Writes one answer behind those of this turn. Big bodies are sent at once instead of copied.
 * False: the connection is lost. */
static bool answer_write(struct ht_conn *conn, struct ht_http_form *form, struct ht_reply *reply)
{
    struct ht_loop *loop = conn->loop;
    if (reply->body.failed) {
        ht_buffer_deinit(&reply->body);
        ht_reply_problem(reply, 503, ht_http_status_text(503),
                         "the answer is larger than this server gives or memory is short");
        reply->retry_after_s = 1;
    }
    if (reply->body.size <= LOOP_GZIP_MOST && ht_gzip_worth(form, reply)) {
        ht_gzip_apply(loop->gzip, form, reply);
    }
    if (!form->keep_alive) {
        conn->close_after = true;
    }
    ht_http_head_write(&loop->out, form, reply, loop->date);
    bool sent = true;
    if (form->method != HT_HTTP_HEAD && reply->body.size > 0) {
        if (reply->body.size > TURN_BYTES) {
            sent = output_send(conn, &reply->body);
        } else {
            ht_buffer_append(&loop->out, reply->body.data, reply->body.size);
        }
    }
    buffer_shrink(&reply->body);
    return sent && !loop->out.failed;
}

static void account(struct ht_conn *conn, unsigned service, int status, uint64_t begun_ns)
{
    const struct ht_http_handler *handler = &conn->loop->server->handler;
    if (handler->account != NULL) {
        handler->account(conn->loop->context, service, status, ht__now_ns() - begun_ns);
    }
}

/* An answer that the server gives by itself, the last on this connection. */
static bool answer_refusal(struct ht_conn *conn, int status)
{
    struct ht_loop *loop = conn->loop;
    struct ht_http_form form = {.method = HT_HTTP_GET, .minor = 1};
    ht_reply_reset(&loop->reply);
    ht_reply_problem(&loop->reply, status, ht_http_status_text(status), NULL);
    loop->reply.retry_after_s = status == 503 ? 1 : 0;
    account(conn, 0, status, ht__now_ns());
    return answer_write(conn, &form, &loop->reply);
}

static void job_run(struct ht_job *job, void *worker_context)
{
    struct ht_conn_job *own = (struct ht_conn_job *)job;
    struct ht_worker_context *worker = worker_context;
    if (own->preparing) {
        own->goes_on = own->work.prepare(worker->user, own->work.data, &own->reply);
    } else {
        own->work.run(worker->user, own->work.data, &own->reply);
    }
}

static void call_refuse(struct ht_reply *reply, int status, const char *detail)
{
    ht_reply_reset(reply);
    ht_reply_problem(reply, status, ht_http_status_text(status), detail);
    reply->retry_after_s = status == 503 ? 1 : 0;
}

/* The next thread's turn, or back to the loop; `own` is theirs from then on. */
static void job_pass(struct ht_conn_job *own, const struct ht_worker_context *worker,
                     enum ht_status outcome)
{
    const struct ht_http_handler *handler = &own->loop->server->handler;
    if (own->preparing && own->goes_on) {
        own->preparing = false;
        if (handler->submit_write(handler->user, &own->job)) {
            return;
        }
        outcome = HT_BUSY;
    }
    if (outcome != HT_OK && own->work.lost != NULL) {
        own->work.lost(worker->user, own->work.data, outcome, &own->reply);
    } else if (outcome != HT_OK) {
        call_refuse(&own->reply, 503, ht_status_text(outcome));
    } else if (own->work.applied != NULL && !own->preparing) {
        own->work.applied(worker->user, own->work.data, &own->reply);
    }
    if (ht_gzip_worth(&own->form, &own->reply)) {
        ht_gzip_apply(worker->gzip, &own->form, &own->reply);
    }
    ht__loop_mail_job(own);
}

static void job_done(struct ht_job *job, void *worker_context, enum ht_status outcome)
{
    struct ht_conn_job *own = (struct ht_conn_job *)job;
    const struct ht_worker_context *worker = worker_context;
    const struct ht_http_handler *handler = &own->loop->server->handler;
    job_pass(own, worker, outcome);
    if (handler->rest != NULL && worker->user != NULL) {
        handler->rest(worker->user);
    }
}

static void job_free(struct ht_conn_job *job)
{
    if (job->work.free != NULL) {
        job->work.free(job->work.data);
    }
    ht_reply_deinit(&job->reply);
    free(job);
}

/* Hands the call to the pool. False: there is no room, and the call's data is freed. */
static bool job_start(struct ht_conn *conn, const struct ht_http_call *call,
                      const struct ht_http_form *form, uint64_t begun_ns)
{
    struct ht_conn_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        if (call->job.free != NULL) {
            call->job.free(call->job.data);
        }
        return false;
    }
    job->job.run = job_run;
    job->job.done = job_done;
    job->loop = conn->loop;
    job->conn = conn;
    job->work = call->job;
    job->form = *form;
    job->service = call->service;
    job->begun_ns = begun_ns;
    ht_reply_reset(&job->reply);
    job->reply.body.limit = options_of(conn)->reply_max;
    const struct ht_http_handler *handler = &conn->loop->server->handler;
    job->preparing = job->work.prepare != NULL;
    bool taken =
        job->work.writes && !job->preparing
            ? handler->submit_write(handler->user, &job->job)
            : ht_jobs_submit(job->work.pool == NULL ? conn->loop->server->jobs : job->work.pool,
                             &job->job);
    if (!taken) {
        job_free(job);
        return false;
    }
    conn->job = job;
    return true;
}

/* One request that is complete. False: the connection is lost. */
static bool request_serve(struct ht_conn *conn, const struct ht_http_request *request)
{
    struct ht_loop *loop = conn->loop;
    struct ht_http_server *server = loop->server;
    uint64_t begun_ns = ht__now_ns();
    struct ht_http_form form = {.method = request->method,
                                .minor = request->minor,
                                .keep_alive = request->keep_alive && loop->drain_phase == 0,
                                .gzip = request->gzip};
    struct ht_http_call call = {.request = request, .reply = &loop->reply};
    ht_reply_reset(&loop->reply);
    if (server->options.check_host && request->host != NULL &&
        !ht_http_host_is_loopback(request->host, request->host_size)) {
        call_refuse(&loop->reply, 403, "this server answers to loopback names only");
    } else if (request->method == HT_HTTP_OTHER) {
        call_refuse(&loop->reply, 501, "unknown method");
    } else {
        server->handler.handle(loop->context, &call);
    }
    if (call.job.run != NULL) {
        if (job_start(conn, &call, &form, begun_ns)) {
            return true;
        }
        call_refuse(&loop->reply, 503, "too many long requests are waiting");
    }
    if (call.stream.kind != NULL) {
        if (ht__stream_begin(conn, &call, &form)) {
            account(conn, call.service, loop->reply.status, begun_ns);
            return true;
        }
        call_refuse(&loop->reply, 503, "out of memory");
    }
    bool alive = answer_write(conn, &form, &loop->reply);
    account(conn, call.service, loop->reply.status, begun_ns);
    return alive;
}

/* May the next request be taken? */
static bool turn_goes_on(const struct ht_conn *conn, unsigned served)
{
    return conn->job == NULL && conn->stream == NULL && !conn->sending && !conn->close_after &&
           served < TURN_REQUESTS && conn->loop->out.size < TURN_BYTES;
}

static bool continue_said(struct ht_conn *conn)
{
    if (!conn->parser.expect_continue || conn->continued || conn->parser.state < HT_HTTP_AT_BODY ||
        conn->parser.minor == 0) {
        return true;
    }
    conn->continued = true;
    ht_buffer_text(&conn->loop->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return !conn->loop->out.failed;
}

/* Handles the requests in data[0 .. *size). *used: bytes that are done with. False: lost. */
static bool turn_run(struct ht_conn *conn, char *data, size_t *size, size_t *used)
{
    unsigned served = 0;
    *used = 0;
    while (*used < *size && turn_goes_on(conn, served)) {
        size_t rest = *size - *used;
        enum ht_http_progress progress =
            ht_http_parse(&conn->parser, &options_of(conn)->limits, data + *used, &rest);
        *size = *used + rest;
        if (progress == HT_HTTP_MORE) {
            deadline_partial(conn);
            return continue_said(conn);
        }
        if (progress == HT_HTTP_BAD) {
            *used = *size;
            return answer_refusal(conn, conn->parser.error_status);
        }
        struct ht_http_request request;
        ht_http_request_of(&conn->parser, data + *used, &request);
        bool alive = request_serve(conn, &request);
        *used += conn->parser.consumed;
        ht_http_parser_reset(&conn->parser);
        conn->continued = false;
        conn->begun = false;
        served++;
        if (!alive) {
            return false;
        }
    }
    if (!conn->sending) {
        deadline_idle(conn);
    }
    return true;
}

/* Puts aside what must wait. The bytes lie in the connection's own input or in the loop's. */
static bool input_keep(struct ht_conn *conn, char *data, size_t size, size_t used)
{
    size_t rest = size - used;
    if (rest == 0) {
        if (conn->in.data != NULL) {
            ht_buffer_deinit(&conn->in);
        }
    } else if (data == conn->in.data) {
        memmove(data, data + used, rest);
        conn->in.size = rest;
    } else {
        ht_buffer_append(&conn->in, data + used, rest);
    }
    return !conn->in.failed;
}

/* What comes next for this connection? */
static void turn_end(struct ht_conn *conn)
{
    if (conn->stream != NULL) {
        reading_start(conn); /* for its end */
        ht__stream_open(conn);
        return;
    }
    if (conn->job != NULL || conn->sending) {
        return;
    }
    bool more = conn->in.size > 0 && !conn->begun;
    bool last = conn->loop->drain_phase == 2 && !conn->begun && !more;
    if (conn->close_after || last) {
        ht__conn_finish(conn);
    } else if (more) {
        ht__loop_queue(conn->loop, conn);
    } else {
        reading_start(conn);
    }
}

static void turn(struct ht_conn *conn, char *data, size_t size)
{
    size_t used = 0;
    ht_buffer_clear(&conn->loop->out);
    bool alive = turn_run(conn, data, &size, &used);
    if (conn->close_after || conn->stream != NULL) {
        used = size;
    }
    alive = alive && input_keep(conn, data, size, used) && output_send(conn, NULL);
    if (alive) {
        turn_end(conn);
    } else {
        ht__conn_close(conn);
    }
}

void ht__conn_resume(struct ht_conn *conn)
{
    if (conn->in.size > 0 && !conn->close_after) {
        turn(conn, conn->in.data, conn->in.size);
    } else {
        turn_end(conn);
    }
}

void ht__conn_job_done(struct ht_conn_job *job)
{
    struct ht_conn *conn = job->conn;
    if (conn == NULL) {
        job_free(job);
        return;
    }
    conn->job = NULL;
    job->form.keep_alive = job->form.keep_alive && conn->loop->drain_phase == 0;
    ht_buffer_clear(&conn->loop->out);
    bool alive = answer_write(conn, &job->form, &job->reply);
    account(conn, job->service, job->reply.status, job->begun_ns);
    job_free(job);
    if (!alive || !output_send(conn, NULL)) {
        ht__conn_close(conn);
        return;
    }
    if (!conn->sending) {
        deadline_idle(conn);
        ht__conn_resume(conn);
    }
}

void ht__conn_expire(struct ht_conn *conn, int64_t now_ms)
{
    if (now_ms < conn->deadline_ms || conn->queued) {
        return;
    }
    if (conn->job != NULL && !conn->sending) {
        return; /* it is we who are slow */
    }
    ht__count(&conn->loop->timed_out, 1);
    if (conn->sending || conn->closing || !conn->begun) {
        ht__conn_close(conn);
        return;
    }
    ht_buffer_clear(&conn->loop->out);
    if (answer_refusal(conn, 408) && output_send(conn, NULL)) {
        turn_end(conn);
    } else {
        ht__conn_close(conn);
    }
}

static void on_closing(struct ht_conn *conn)
{
    ssize_t got = recv(conn->fd, conn->loop->input, HT_LOOP_READ_SIZE, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    conn->dropped += got > 0 ? (size_t)got : 0;
    if (got <= 0 || conn->dropped > CLOSING_BYTES) {
        ht__conn_close(conn);
    }
}

/* Where the next bytes go: the loop's input when nothing waits, else behind what does. */
static char *input_room(struct ht_conn *conn, size_t *room)
{
    if (conn->in.size == 0) {
        *room = HT_LOOP_READ_SIZE;
        return conn->loop->input;
    }
    size_t step = conn->in.size < READ_STEP        ? READ_STEP
                  : conn->in.size > READ_STEP_MOST ? READ_STEP_MOST
                                                   : conn->in.size;
    *room = step;
    return ht_buffer_reserve(&conn->in, step);
}

/* Whether the client has closed: asked of jobs alone that want to know, since one that only sends
 * no more looks the same. */
static bool hung_up(evutil_socket_t fd)
{
    char byte = 0;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    (void)what;
    struct ht_conn *conn = user;
    if (conn->closing || conn->stream != NULL) {
        on_closing(conn);
        return;
    }
    if (conn->job != NULL && conn->job->work.gone != NULL && hung_up(fd)) {
        ht__conn_close(conn);
        return;
    }
    if (conn->job != NULL || conn->sending || conn->queued) {
        reading_stop(conn); /* not before: most answers are out before more input comes */
        return;
    }
    size_t room = 0;
    char *to = input_room(conn, &room);
    if (to == NULL) {
        ht__conn_close(conn);
        return;
    }
    ssize_t got = recv(fd, to, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        ht__conn_close(conn);
        return;
    }
    if (to == conn->loop->input) {
        turn(conn, to, (size_t)got);
    } else {
        ht_buffer_advance(&conn->in, (size_t)got);
        turn(conn, conn->in.data, conn->in.size);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    (void)what;
    struct ht_conn *conn = user;
    size_t left = conn->out.size - conn->out_at;
    ssize_t sent = send(fd, conn->out.data + conn->out_at, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        ht__conn_close(conn);
        return;
    }
    if (sent > 0) {
        ht__count(&conn->loop->bytes_out, (size_t)sent);
        conn->out_at += (size_t)sent;
        if (conn->stream != NULL) {
            ht__stream_progress(conn);
        } else if (!conn->ending) {
            conn->deadline_ms = ht__now_ms() + options_of(conn)->write_ms;
        }
    }
    if (conn->out_at < conn->out.size) {
        if (event_add(&conn->write_event, NULL) != 0) {
            ht__conn_close(conn);
        }
        return;
    }
    ht_buffer_deinit(&conn->out);
    conn->out_at = 0;
    conn->sending = false;
    if (conn->stream != NULL) {
        ht__stream_drained(conn);
    } else if (conn->job == NULL) {
        deadline_idle(conn);
        ht__conn_resume(conn);
    }
}

void ht__conn_open(struct ht_loop *loop, int fd)
{
    struct ht_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        (void)close(fd);
        ht__loop_conn_gone(loop);
        return;
    }
    conn->loop = loop;
    conn->fd = fd;
    ht_http_parser_reset(&conn->parser);
    (void)event_assign(&conn->read_event, loop->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
    (void)event_assign(&conn->write_event, loop->base, fd, EV_WRITE, on_writable, conn);
    conn->next = loop->conns;
    if (conn->next != NULL) {
        conn->next->prev = conn;
    }
    loop->conns = conn;
    deadline_idle(conn);
    reading_start(conn);
    if (!conn->reading) {
        ht__conn_close(conn);
    }
}
