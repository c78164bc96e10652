/* Stream: GET /v1/stream, what happens in the town as server-sent events (WHATWG HTML, 9.2).
 *
 *   commit thread ── events, rendered once ──┐                       ┌── subscriber: a cursor
 *   reports ── a bit for each moved unit ─┐  ├─ post ─> loop's part ─┼── subscriber: a cursor
 *                                         └─ hub thread, 4 times/s   └── ...
 *
 * Nothing is queued for a subscriber. It has a cursor into the numbered events and one into the
 * units in the order of their last change, and when its socket has taken what it was given, it gets
 * what follows, 16 KiB at a time. So a slow one skips positions that were overtaken (latest wins),
 * never events: where the recent ones that each loop keeps don't reach back to its cursor, the hub
 * thread reads a page of them from the store. One that takes nothing for 10 s, or is behind for a
 * minute, is told so where it can be, and dropped.
 *
 * Events carry `id:`, their number, which Last-Event-ID brings back; positions carry none.
 *
 * Threading: new, start, stop and free from the main thread; the calls with a context on its loop.
 * Ownership: the app and the server are borrowed; stop before the server is freed, free after.
 */
#ifndef HT_API_STREAM_H
#define HT_API_STREAM_H

#include "api/app.h"

struct ht_stream;

/* `subscribers_max`: over all loops. After the live town is open. */
HT_MUST_CHECK enum ht_status ht_stream_new(struct ht_app *app, unsigned subscribers_max,
                                           struct ht_stream **out);
/* Begins to feed the loops of a server that does not run yet. */
HT_MUST_CHECK enum ht_status ht_stream_start(struct ht_stream *stream,
                                             struct ht_http_server *server);
/* Both take NULL. */
void ht_stream_stop(struct ht_stream *stream);
void ht_stream_free(struct ht_stream *stream);

/* The route's handler. */
void ht_stream_get(struct ht_app_context *context, struct ht_http_call *call);
/* Once a second or so on each loop: heartbeats, and who takes nothing. */
void ht_stream_tick(struct ht_app_context *context);

void ht_stream_metrics(struct ht_stream *stream, struct ht_buffer *out);

#endif
