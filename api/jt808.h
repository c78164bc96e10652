/* JT/T 808: the door for terminals of vehicles (houtao serve --jt808 HOST:PORT).
 *
 *   terminal --TCP--> frames (api/jt808_frame.h) --> messages (api/jt808_message.h)
 *       ^                                                |
 *       |    0x0100, 0x0102 ---- who are you? ---- the device book (api/device_book.h)
 *       |    0x0200, 0x0201, 0x0704 ---- as POST /v1/positions, in the datum of the book
 *       |    alarm bits ---- the book ---- an incident, as POST /v1/incidents
 *       +--- 0x8001, 0x8100; 0x8300 with the next stop where a van's plan changes it
 *
 * A device of the book is named by the terminal's number without zeros in front. Nothing counts
 * before 0x0102 has brought the right code, on each connection anew. 0x8100 gives a code to a
 * terminal that the book trusts: an HMAC of its number under a secret of the store, the same at
 * each time. Where the book has a key for it, the terminal id of 0x0100 has to be that key, or
 * 0x0102 brings the key itself, set into the terminal before.
 *
 * A location with an alarm that is to be an incident is answered when that is on disk: result 4, by
 * which the terminal may end the alarm. Where it can't be now the answer is 1, and the terminal
 * says it again.
 *
 * What a terminal can make us hold is bounded: input by a frame, output by not reading on while
 * there is any, a message in parts by its parts and its time, all of it together by a number of
 * bytes, connections by a number. Who does not authenticate, is silent, leaves a frame unfinished,
 * sends one without end, too much that is broken, or takes no answers, is closed, and counted.
 *
 * At a node that follows (api/nodes.h) the book only knows who is who; what counts goes to the desk
 * by the relay (api/relay.h), and so do alarms, which are answered once the desk has them on disk.
 *
 * Threading: a thread of its own with one libevent loop; the calls here from one thread at a time,
 * metrics from any. Ownership: the app outlives it, or it is moved to another.
 */
#ifndef HT_API_JT808_H
#define HT_API_JT808_H

#include "api/app.h"
#include "api/reply.h"

struct ht_jt808;

struct ht_jt808_options {
    const char *host; /* numeric address */
    uint16_t port;    /* 0: any free one */
    unsigned connections_max;
    size_t held_max;   /* bytes that all connections together may make us keep */
    unsigned proof_ms; /* until 0x0102 is right */
    unsigned idle_ms;  /* without any message after that */
    unsigned frame_ms; /* from the first byte of a frame to its end */
    unsigned parts_ms; /* from the first part of a message to the last */
    unsigned write_ms; /* without any progress in sending */
    unsigned alarm_ms; /* an alarm that lasts is told anew */
    unsigned ask_ms;   /* a terminal that tells no place is asked for it */
};
struct ht_jt808_options ht_jt808_options_default(void);

/* Binds and listens; what is asked for is copied. HT_IO with the reason; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_jt808_new(struct ht_app *app,
                                          const struct ht_jt808_options *options,
                                          struct ht_jt808 **out, struct ht_error *error);
/* Begins to serve. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_jt808_start(struct ht_jt808 *jt);
/* Ends the thread; before the device book stops. Freed when the writer has ended, whose answers
 * about alarms it takes until then. Both take NULL. */
void ht_jt808_stop(struct ht_jt808 *jt);
void ht_jt808_free(struct ht_jt808 *jt);

/* From now on terminals speak to that app, over the connections that they have; the one before it
 * may end then. HT_NOMEM: nothing has changed. NULL and one that is stopped are fine. */
HT_MUST_CHECK enum ht_status ht_jt808_move(struct ht_jt808 *jt, struct ht_app *app);

/* The next stop of each van that the plan has one for, a line each: unit, a number that tells that
 * stop from others, what its driver reads, with tabs between; for terminals at nodes that follow.
 */
void ht_jt808_stops_write(struct ht_app *app, struct ht_buffer *out);

uint16_t ht_jt808_port(const struct ht_jt808 *jt);

/* Appends the counters; NULL writes nothing. */
void ht_jt808_metrics(struct ht_jt808 *jt, struct ht_buffer *out);

#endif
