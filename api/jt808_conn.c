/* Connections of terminals: bytes in, bytes out, and when it is enough. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/jt808_internal.h"

enum { FAULTS_MOST = 16 };

/* ---- out ---- */

void ht__jt_put(struct ht__jt_conn *conn, uint16_t id, const uint8_t *body, size_t size)
{
    struct ht_buffer *out = &conn->jt->out;
    char *at = ht_buffer_reserve(out, HT_JT808_WIRE_MAX);
    if (at != NULL) { /* else the terminal asks again */
        ht_buffer_advance(
            out, ht_jt808_encode(&conn->peer, id, conn->serial++, body, size, (uint8_t *)at));
    }
}

static void out_drop(struct ht__jt_conn *conn)
{
    if (conn->out != NULL) {
        ht__jt_let_go(conn->jt, conn->out_size);
        free(conn->out);
    }
    conn->out = NULL;
    conn->out_size = 0;
    conn->out_at = 0;
}

/* Keeps what the socket did not take and waits for it. False: there is no room. */
static bool out_keep(struct ht__jt_conn *conn, const char *bytes, size_t size)
{
    conn->out = ht__jt_hold(conn->jt, size) ? malloc(size) : NULL;
    if (conn->out == NULL) {
        return false;
    }
    memcpy(conn->out, bytes, size);
    conn->out_size = size;
    conn->out_at = 0;
    conn->stuck_ms = conn->jt->now_ms;
    conn->sending = true;
    (void)event_del(&conn->read_event);
    (void)event_add(&conn->write_event, NULL);
    return true;
}

/* How much was sent; below 0: the connection is lost. */
static ssize_t send_some(const struct ht__jt_conn *conn, const void *bytes, size_t size)
{
    ssize_t sent = 0;
    do {
        sent = send(conn->fd, bytes, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

/* Behind what waits; rare, so simply. False: there is no room. */
static bool out_add(struct ht__jt_conn *conn, const char *bytes, size_t size)
{
    size_t left = conn->out_size - conn->out_at;
    uint8_t *more = ht__jt_hold(conn->jt, size) ? malloc(left + size) : NULL;
    if (more == NULL) {
        return false;
    }
    memcpy(more, conn->out + conn->out_at, left);
    memcpy(more + left, bytes, size);
    ht__jt_let_go(conn->jt, conn->out_at);
    free(conn->out);
    conn->out = more;
    conn->out_size = left + size;
    conn->out_at = 0;
    return true;
}

void ht__jt_send(struct ht__jt_conn *conn, const char *bytes, size_t size)
{
    bool kept = true;
    if (size > 0 && conn->sending) {
        kept = out_add(conn, bytes, size);
    } else if (size > 0) {
        ssize_t sent = send_some(conn, bytes, size);
        if (sent < 0) {
            ht__jt_conn_close(conn, HT_JT_CLOSED_PEER);
            return;
        }
        kept = (size_t)sent == size || out_keep(conn, bytes + sent, size - (size_t)sent);
    }
    if (!kept) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_MEMORY);
    } else if (conn->last && !conn->sending) {
        ht__jt_conn_close(conn, conn->why);
    }
}

void ht__jt_flush(struct ht__jt_conn *conn)
{
    struct ht_buffer *out = &conn->jt->out;
    ht__jt_send(conn, out->data, out->size);
    ht_buffer_clear(out);
}

static void on_write(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct ht__jt_conn *conn = user;
    ht__jt_turn(conn->jt);
    ssize_t sent = send_some(conn, conn->out + conn->out_at, conn->out_size - conn->out_at);
    if (sent < 0) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_PEER);
        return;
    }
    conn->out_at += (size_t)sent;
    if (sent > 0) {
        conn->stuck_ms = conn->jt->now_ms;
    }
    if (conn->out_at < conn->out_size) {
        return;
    }
    out_drop(conn);
    conn->sending = false;
    (void)event_del(&conn->write_event);
    if (conn->last) {
        ht__jt_conn_close(conn, conn->why);
        return;
    }
    (void)event_add(&conn->read_event, NULL);
}

/* ---- in ---- */

static void in_drop(struct ht__jt_conn *conn)
{
    if (conn->in != NULL) {
        ht__jt_let_go(conn->jt, conn->in_size);
        free(conn->in);
    }
    conn->in = NULL;
    conn->in_size = 0;
}

/* The frame that is not whole waits for the rest. False: there is no room. */
static bool in_keep(struct ht__jt_conn *conn, const uint8_t *bytes, size_t size)
{
    int64_t begun_ms = conn->begun_ms;
    conn->begun_ms = 0;
    if (size == 0) {
        return true;
    }
    conn->in = ht__jt_hold(conn->jt, size) ? malloc(size) : NULL;
    if (conn->in == NULL) {
        return false;
    }
    memcpy(conn->in, bytes, size);
    conn->in_size = size;
    conn->begun_ms = begun_ms == 0 ? conn->jt->now_ms : begun_ms;
    return true;
}

void ht__jt_frames(struct ht__jt_conn *conn, const uint8_t *at, size_t size)
{
    struct ht_jt808 *jt = conn->jt;
    uint64_t passed = conn->scan.passed;
    enum ht_jt808_found found = HT_JT808_FRAME;
    while (found == HT_JT808_FRAME && !conn->last) {
        found = ht_jt808_scan(&conn->scan, at, size);
        at += conn->scan.used;
        size -= conn->scan.used;
        if (found == HT_JT808_FRAME) {
            conn->begun_ms = 0; /* another one begins behind it, if any */
            ht__jt_frame(conn, conn->scan.raw, conn->scan.raw_size);
            if (conn->faults >= FAULTS_MOST) {
                ht__jt_conn_end(conn, HT_JT_CLOSED_FAULTS);
            }
        }
    }
    ht__jt_add(&jt->counts.passed, (size_t)(conn->scan.passed - passed));
    if (found == HT_JT808_ENDLESS) {
        ht__jt_conn_end(conn, HT_JT_CLOSED_ENDLESS);
    } else if (!conn->last && !in_keep(conn, at, size)) {
        ht__jt_conn_end(conn, HT_JT_CLOSED_MEMORY);
    }
}

static void on_read(evutil_socket_t fd, short what, void *user)
{
    (void)what;
    struct ht__jt_conn *conn = user;
    struct ht_jt808 *jt = conn->jt;
    size_t before = conn->in_size;
    ht__jt_turn(jt);
    uint8_t *at = ht__jt_round_room(jt);
    if (before > 0) {
        memcpy(at, conn->in, before);
    }
    ssize_t got = recv(fd, at + before, HT_JT_READ, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_PEER);
        return;
    }
    in_drop(conn);
    ht__jt_round_add(conn, before + (size_t)got);
}

/* ---- life ---- */

void ht__jt_conn_open(struct ht_jt808 *jt, int fd)
{
    struct ht__jt_conn *conn =
        atomic_load_explicit(&jt->counts.open, memory_order_relaxed) >= jt->options.connections_max
            ? NULL
            : calloc(1, sizeof *conn);
    if (conn == NULL) {
        ht__jt_add(&jt->counts.closings[HT_JT_CLOSED_FULL], 1);
        (void)close(fd);
        return;
    }
    conn->jt = jt;
    conn->fd = fd;
    conn->number = ++jt->conn_last;
    conn->opened_ms = jt->now_ms;
    conn->heard_ms = jt->now_ms;
    conn->next = jt->conns;
    if (conn->next != NULL) {
        conn->next->prev = conn;
    }
    jt->conns = conn;
    ht__jt_add(&jt->counts.open, 1);
    (void)event_assign(&conn->read_event, jt->base, fd, EV_READ | EV_PERSIST, on_read, conn);
    (void)event_assign(&conn->write_event, jt->base, fd, EV_WRITE | EV_PERSIST, on_write, conn);
    if (event_add(&conn->read_event, NULL) != 0) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_MEMORY);
    }
}

void ht__jt_conn_close(struct ht__jt_conn *conn, enum ht__jt_closed why)
{
    struct ht_jt808 *jt = conn->jt;
    ht__jt_round_leave(conn);
    ht__jt_forget(conn);
    (void)event_del(&conn->read_event);
    (void)event_del(&conn->write_event);
    if (conn->prev != NULL) {
        conn->prev->next = conn->next;
    } else {
        jt->conns = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->prev = conn->prev;
    }
    in_drop(conn);
    out_drop(conn);
    ht__jt_let_go(jt, ht_jt808_assembly_bytes(conn->parts));
    ht_jt808_assembly_free(conn->parts);
    ht__jt_add(&jt->counts.open, (size_t)-1);
    ht__jt_add(&jt->counts.closings[why], 1);
    (void)close(conn->fd); /* who sees it gone finds it counted */
    free(conn);
}

void ht__jt_conn_end(struct ht__jt_conn *conn, enum ht__jt_closed why)
{
    if (!conn->last) {
        conn->last = true;
        conn->why = why;
    }
}

void ht__jt_conn_expire(struct ht__jt_conn *conn)
{
    struct ht_jt808 *jt = conn->jt;
    const struct ht_jt808_options *options = &jt->options;
    if (conn->parts != NULL &&
        jt->now_ms - ht_jt808_assembly_begun_ms(conn->parts) > options->parts_ms) {
        ht__jt_let_go(jt, ht_jt808_assembly_bytes(conn->parts));
        ht_jt808_assembly_free(conn->parts);
        conn->parts = NULL;
        ht__jt_add(&jt->counts.refusals[HT_JT_REFUSAL_PARTS], 1);
    }
    if (conn->sending && jt->now_ms - conn->stuck_ms > options->write_ms) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_SLOW);
    } else if (!conn->proven && jt->now_ms - conn->opened_ms > options->proof_ms) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_UNPROVEN);
    } else if (conn->begun_ms != 0 && jt->now_ms - conn->begun_ms > options->frame_ms) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_HALF_FRAME);
    } else if (jt->now_ms - conn->heard_ms > options->idle_ms) {
        ht__jt_conn_close(conn, HT_JT_CLOSED_IDLE);
    }
}
