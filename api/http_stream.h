/* HTTP stream: an answer that stays open and grows, in chunks (RFC 9112, 7.1).
 *
 * A handler that sets call->stream gets `open` once the head is on its way; from then on it sends
 * when it has something. What the socket does not take at once is kept (`pending`), so whoever
 * sends has to look at that first and hold back: this is where backpressure is known. A stream has
 * no idle timeout. What the client sends meanwhile is dropped; its end ends the stream.
 *
 * Posts bring what other threads have for a loop.
 *
 * Threading: callbacks and calls on the loop of the stream's connection; ht_http_server_post from
 * any thread. Ownership: `data` is the handler's until `end`, which is called exactly once, also
 * where `open` never was. A call that returns false has called `end`.
 */
#ifndef HT_API_HTTP_STREAM_H
#define HT_API_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_http_server;
struct ht_http_stream;

/* `context` is the loop's, as a handler gets it. */
struct ht_http_stream_kind {
    void (*open)(void *context, struct ht_http_stream *stream, void *data);
    void (*drained)(void *context, void *data); /* nothing is pending any more */
    void (*stop)(void *context, void *data); /* the server stops: time for ht_http_stream_close */
    void (*end)(void *context, void *data);
};

/* The number of the loop, from 0 on. */
unsigned ht_http_stream_loop(const struct ht_http_stream *stream);
/* Sends whole chunks. */
bool ht_http_stream_send(struct ht_http_stream *stream, const char *chunks, size_t size);
size_t ht_http_stream_pending(const struct ht_http_stream *stream);
/* How long something has been pending without a pause, and without any progress; 0: nothing is. */
int64_t ht_http_stream_behind_ms(const struct ht_http_stream *stream);
int64_t ht_http_stream_stuck_ms(const struct ht_http_stream *stream);
/* Ends the answer with some last chunks (may be none), behind what is pending; a client that has
 * not taken all of it within `grace_ms` loses it. */
void ht_http_stream_close(struct ht_http_stream *stream, const char *chunks, size_t size,
                          unsigned grace_ms);

/* ---- posts ---- */

/* `run` is called on the loop with its context, in the order of the posts; with NULL where the loop
 * has ended. It frees the post. */
struct ht_http_post {
    void (*run)(void *context, struct ht_http_post *post);
    struct ht_http_post *next; /* the server's */
};
void ht_http_server_post(struct ht_http_server *server, unsigned loop, struct ht_http_post *post);
unsigned ht_http_server_loops(const struct ht_http_server *server);

#endif
