#include "api/http_stream.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "api/http_internal.h"

/* What the kernel may hold for one that does not read; by itself it would let this grow to
 * megabytes. */
enum { SEND_BUFFER = 64 * 1024 };

/* Lies with the connection while it streams. */
struct ht_http_stream {
    struct ht_conn *conn;
    const struct ht_http_stream_kind *kind;
    void *data;
    bool opened;
    int64_t behind_since_ms;
    int64_t progress_ms;
};

bool ht__stream_begin(struct ht_conn *conn, const struct ht_http_call *call,
                      struct ht_http_form *form)
{
    struct ht_loop *loop = conn->loop;
    struct ht_http_stream *stream = calloc(1, sizeof *stream);
    int size = SEND_BUFFER;
    if (stream == NULL) {
        call->stream.kind->end(loop->context, call->stream.data);
        return false;
    }
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    stream->conn = conn;
    stream->kind = call->stream.kind;
    stream->data = call->stream.data;
    conn->stream = stream;
    form->stream = true;
    form->keep_alive = false; /* it ends with the connection */
    ht_http_head_write(&loop->out, form, call->reply, loop->date);
    return true;
}

void ht__stream_open(struct ht_conn *conn)
{
    struct ht_http_stream *stream = conn->stream;
    conn->deadline_ms = INT64_MAX;
    if (!stream->opened) {
        stream->opened = true;
        stream->behind_since_ms = ht__now_ms(); /* what stands before it may be pending */
        stream->progress_ms = stream->behind_since_ms;
        stream->kind->open(conn->loop->context, stream, stream->data);
    }
}

void ht__stream_end(struct ht_conn *conn)
{
    struct ht_http_stream *stream = conn->stream;
    conn->stream = NULL;
    if (stream != NULL) {
        stream->kind->end(conn->loop->context, stream->data);
        free(stream);
    }
}

void ht__stream_progress(struct ht_conn *conn)
{
    conn->stream->progress_ms = ht__now_ms();
    conn->deadline_ms = INT64_MAX;
}

void ht__stream_drained(struct ht_conn *conn)
{
    conn->stream->kind->drained(conn->loop->context, conn->stream->data);
}

void ht__stream_stop(struct ht_conn *conn)
{
    conn->stream->kind->stop(conn->loop->context, conn->stream->data);
}

unsigned ht_http_stream_loop(const struct ht_http_stream *stream)
{
    return stream->conn->loop->index;
}

bool ht_http_stream_send(struct ht_http_stream *stream, const char *chunks, size_t size)
{
    struct ht_conn *conn = stream->conn;
    bool was_sending = conn->sending;
    ht_buffer_clear(&conn->loop->out);
    ht_buffer_append(&conn->loop->out, chunks, size);
    if (conn->loop->out.failed || !ht__conn_output(conn)) {
        ht__conn_close(conn);
        return false;
    }
    if (conn->sending && !was_sending) {
        stream->behind_since_ms = ht__now_ms();
        stream->progress_ms = stream->behind_since_ms;
    }
    conn->deadline_ms = INT64_MAX;
    return true;
}

size_t ht_http_stream_pending(const struct ht_http_stream *stream)
{
    return stream->conn->sending ? stream->conn->out.size - stream->conn->out_at : 0;
}

int64_t ht_http_stream_behind_ms(const struct ht_http_stream *stream)
{
    return stream->conn->sending ? ht__now_ms() - stream->behind_since_ms : 0;
}

int64_t ht_http_stream_stuck_ms(const struct ht_http_stream *stream)
{
    return stream->conn->sending ? ht__now_ms() - stream->progress_ms : 0;
}

void ht_http_stream_close(struct ht_http_stream *stream, const char *chunks, size_t size,
                          unsigned grace_ms)
{
    static const char last[] = "0\r\n\r\n";
    struct ht_conn *conn = stream->conn;
    if ((size > 0 && !ht_http_stream_send(stream, chunks, size)) ||
        !ht_http_stream_send(stream, last, sizeof last - 1)) {
        return;
    }
    ht__stream_end(conn);
    conn->close_after = true;
    if (conn->sending) {
        conn->ending = true;
        conn->deadline_ms = ht__now_ms() + grace_ms;
    } else {
        ht__conn_finish(conn);
    }
}
