/* JT/T 808's inside: its loop and connections, for the files jt808*.c alone. */
#ifndef HT_API_JT808_INTERNAL_H
#define HT_API_JT808_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <iconv.h>
#include <stdatomic.h>

#include "api/device_book.h"
#include "api/jt808.h"
#include "api/jt808_message.h"

/* X(name, text): messages, as they are counted. */
#define HT_JT_MESSAGE_MAP(X)                                                                       \
    X(REGISTER, "register")                                                                        \
    X(AUTHENTICATE, "authenticate")                                                                \
    X(HEARTBEAT, "heartbeat")                                                                      \
    X(LOCATION, "location")                                                                        \
    X(BATCH, "batch")                                                                              \
    X(QUERY_ANSWER, "query_answer")                                                                \
    X(ANSWER, "answer")                                                                            \
    X(LOGOUT, "logout")                                                                            \
    X(PART, "part")                                                                                \
    X(OTHER, "other")

/* Why a message did not count. */
#define HT_JT_REFUSAL_MAP(X)                                                                       \
    X(UNKNOWN, "unknown")               /* nobody accepted the terminal yet */                     \
    X(BLOCKED, "blocked")               /* by the book's word, or without the key */               \
    X(CODE, "code")                     /* another one than it was given */                        \
    X(UNPROVEN, "unauthenticated")      /* 0x0102 comes first */                                   \
    X(OTHER_TERMINAL, "other_terminal") /* than the one that authenticated here */                 \
    X(BODY, "body")                     /* shorter than it must be */                              \
    X(UNSUPPORTED, "unsupported")       /* none of ours */                                         \
    X(PARTS, "parts")                   /* too many, or one message begun before another ended */

/* What became of places. Those that are offered are counted by the fleet besides. */
#define HT_JT_PLACE_MAP(X)                                                                         \
    X(OFFERED, "offered")                                                                          \
    X(NOT_FIXED, "not_fixed")                                                                      \
    X(NO_TIME, "no_time")                                                                          \
    X(NO_UNIT, "no_unit")                                                                          \
    X(NO_PLACE, "no_place") /* not on Earth, in the book's datum */

#define HT_JT_CLOSED_MAP(X)                                                                        \
    X(PEER, "peer")                                                                                \
    X(UNPROVEN, "unauthenticated")                                                                 \
    X(IDLE, "idle")                                                                                \
    X(HALF_FRAME, "half_frame")                                                                    \
    X(ENDLESS, "endless_frame")                                                                    \
    X(FAULTS, "faults")                                                                            \
    X(REFUSED, "refused")                                                                          \
    X(SLOW, "slow")                                                                                \
    X(MEMORY, "memory")                                                                            \
    X(FULL, "full")                                                                                \
    X(REPLACED, "replaced")                                                                        \
    X(LOGOUT, "logout")                                                                            \
    X(STOPPED, "stopped")

#define HT_JT_ALARM_MAP(X)                                                                         \
    X(OPENED, "opened")                                                                            \
    X(FOLDED, "folded")                                                                            \
    X(REFUSED, "refused") /* it can't be an incident */                                            \
    X(FAILED, "failed")   /* not now: the terminal was told so */                                  \
    X(OLD, "old")         /* of a location that was kept for long */

#define HT_JT_TEXT_MAP(X)                                                                          \
    X(SENT, "sent")                                                                                \
    X(SHOWN, "shown")                                                                              \
    X(REFUSED, "refused")

#define HT_JT_ENUM(prefix, name) HT_JT_##prefix##_##name,
#define HT_JT_MESSAGE_ENUM(name, text) HT_JT_ENUM(MESSAGE, name)
#define HT_JT_REFUSAL_ENUM(name, text) HT_JT_ENUM(REFUSAL, name)
#define HT_JT_PLACE_ENUM(name, text) HT_JT_ENUM(PLACE, name)
#define HT_JT_CLOSED_ENUM(name, text) HT_JT_ENUM(CLOSED, name)
#define HT_JT_ALARM_ENUM(name, text) HT_JT_ENUM(ALARM, name)
#define HT_JT_TEXT_ENUM(name, text) HT_JT_ENUM(TEXT, name)
enum ht__jt_message { HT_JT_MESSAGE_MAP(HT_JT_MESSAGE_ENUM) HT_JT_MESSAGES };
enum ht__jt_refusal { HT_JT_REFUSAL_MAP(HT_JT_REFUSAL_ENUM) HT_JT_REFUSALS };
enum ht__jt_place { HT_JT_PLACE_MAP(HT_JT_PLACE_ENUM) HT_JT_PLACES };
enum ht__jt_closed { HT_JT_CLOSED_MAP(HT_JT_CLOSED_ENUM) HT_JT_CLOSINGS };
enum ht__jt_alarm { HT_JT_ALARM_MAP(HT_JT_ALARM_ENUM) HT_JT_ALARMS };
enum ht__jt_text { HT_JT_TEXT_MAP(HT_JT_TEXT_ENUM) HT_JT_TEXTS };

/* Written by the loop alone, read by any. */
struct ht__jt_counts {
    atomic_size_t accepted;
    atomic_size_t open;
    atomic_size_t proven;
    atomic_size_t held;   /* bytes */
    atomic_size_t passed; /* bytes outside of frames */
    atomic_size_t messages[HT_JT_MESSAGES];
    atomic_size_t faults[HT_JT808_FAULTS];
    atomic_size_t refusals[HT_JT_REFUSALS];
    atomic_size_t places[HT_JT_PLACES];
    atomic_size_t closings[HT_JT_CLOSINGS];
    atomic_size_t alarms[HT_JT_ALARMS];
    atomic_size_t texts[HT_JT_TEXTS];
};

static inline void ht__jt_add(atomic_size_t *counter, size_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

struct ht__jt_conn {
    struct ht_jt808 *jt;
    struct ht__jt_conn *prev;
    struct ht__jt_conn *next;
    struct ht__jt_conn *by_id;   /* the next of its bucket; of one that is proven */
    struct ht__jt_conn *by_unit; /* likewise, of one that is in a unit */
    uint64_t number;             /* never given twice */
    int fd;
    bool proven;
    bool sending;   /* output is left; nothing is read meanwhile */
    bool last;      /* closed once the output is sent */
    uint8_t faults; /* one behind the other */
    uint8_t refused;
    uint16_t serial;        /* of what we send */
    uint16_t share;         /* its number in the round, from 1; 0: none */
    enum ht__jt_closed why; /* of `last` */
    struct event read_event;
    struct event write_event;
    struct ht_jt808_scan scan;
    struct ht_jt808_header peer; /* of its last message: whom and how to answer */
    struct ht_jt808_assembly *parts;
    uint8_t *in; /* of a frame that is not whole; NULL: nothing */
    size_t in_size;
    uint8_t *out; /* what the socket did not take; NULL: nothing */
    size_t out_size;
    size_t out_at;
    int64_t opened_ms; /* these by a steady clock */
    int64_t heard_ms;  /* a whole message */
    int64_t begun_ms;  /* the frame that is not whole; 0: none is */
    int64_t stuck_ms;  /* since when nothing was sent */
    int64_t placed_ms; /* or asked for its place */
    int64_t alarm_ms;  /* the last that was taken */
    uint32_t held;     /* alarm bits that were taken and last */
    uint16_t waits;    /* alarms of one message of which it is not known yet what becomes of them */
    uint16_t waits_serial; /* that message's */
    bool alarm_failed;     /* one of them was not taken */
    bool alarm_taken;      /* one of them was */
    uint64_t told;         /* the next stop that it was told of, as a hash; 0: none */
    char id[HT_JT808_PHONE_MAX + 1];
    char unit[HT_ID_MAX + 1]; /* "": none */
};

/* What became of an alarm, on its way from the writer to the loop. */
struct ht__jt_alarm_mail {
    struct ht_jt808 *jt;
    struct ht__jt_alarm_mail *next;
    uint64_t conn;
    uint32_t bit;
    uint16_t serial;
    uint16_t id;
    int status;
    char device[HT_JT808_PHONE_MAX + 1];
};

enum {
    HT_JT_READ = 16 * 1024,
    HT_JT_BUCKETS = 1 << 14,
    HT_JT_ROUND = 16,                                  /* reads that are answered together */
    HT_JT_INPUT = 4 * (HT_JT808_RAW_MAX + HT_JT_READ), /* bytes of theirs */
};

/* What one connection brought to a round. */
struct ht__jt_share {
    struct ht__jt_conn *conn; /* NULL: closed meanwhile */
    size_t in_at;
    size_t in_size;
    size_t out_at;
    size_t out_size;
};

struct ht_jt808 {
    struct ht_app *app;
    struct ht_jt808_options options;
    char host[64];
    uint16_t port;
    struct ht_app_context *context; /* the loop's */
    int listen_fd;
    int mail_fd; /* eventfd */
    struct event_base *base;
    struct event *listen_event;
    struct event *mail_event;
    struct event *tick_event;
    struct event *retry_event; /* listens again after accept failed */
    struct event *end_event;   /* after the locations of one pass of the loop */
    pthread_t thread;
    bool started;
    bool ending;
    bool lasting;     /* the secret is the store's */
    bool asks_late;   /* a follower that came before the desk had made it: it is looked for again */
    bool stops_asked; /* under the mail's lock */
    atomic_bool stop;
    iconv_t gbk; /* from UTF-8 */
    unsigned char secret[32];
    int64_t now_ms; /* of this turn, steady */
    struct ht__jt_conn *conns;
    uint64_t conn_last; /* number */
    struct ht__jt_conn *by_id[HT_JT_BUCKETS];
    struct ht__jt_conn *by_unit[HT_JT_BUCKETS];
    uint8_t input[HT_JT_INPUT];
    size_t input_size;
    struct ht__jt_share round[HT_JT_ROUND];
    size_t round_count;
    struct ht_buffer out; /* answers of one turn, or round */
    pthread_mutex_t mail_lock;
    pthread_cond_t moved;
    struct ht_app *next_app; /* where to move to; NULL: nowhere */
    struct ht_app_context *next_context;
    struct ht__jt_alarm_mail *mail;
    struct ht_buffer stops; /* that the desk told; under the lock */
    int64_t stops_ms;       /* when it was; of the loop */
    struct ht__jt_counts counts;
};

/* ---- jt808.c: who is here ---- */

/* What time it is for this turn. */
void ht__jt_turn(struct ht_jt808 *jt);
/* Wakes the loop, which looks what there is. From any thread. */
void ht__jt_wake(const struct ht_jt808 *jt);

struct ht__jt_conn *ht__jt_find(struct ht_jt808 *jt, const char *id);
struct ht__jt_conn *ht__jt_find_unit(struct ht_jt808 *jt, const char *unit);
/* It has proven to be `id`; whoever was that before is closed. */
void ht__jt_proven(struct ht__jt_conn *conn, const char *id);
/* The unit that it is in, by the book ("": none). */
void ht__jt_in_unit(struct ht__jt_conn *conn, const char *unit);
/* Forgets what it has proven. */
void ht__jt_forget(struct ht__jt_conn *conn);
/* Whether `more` bytes can be kept besides; they count then. */
bool ht__jt_hold(struct ht_jt808 *jt, size_t more);
void ht__jt_let_go(struct ht_jt808 *jt, size_t bytes);

/* ---- jt808_conn.c: bytes ---- */

/* Takes over `fd`. */
void ht__jt_conn_open(struct ht_jt808 *jt, int fd);
void ht__jt_conn_close(struct ht__jt_conn *conn, enum ht__jt_closed why);
/* After this turn's answers are sent. */
void ht__jt_conn_end(struct ht__jt_conn *conn, enum ht__jt_closed why);
/* A frame into the turn's output. */
void ht__jt_put(struct ht__jt_conn *conn, uint16_t id, const uint8_t *body, size_t size);
/* Sends the turn's output, or keeps what the socket does not take. The connection may be gone
 * afterwards. */
void ht__jt_flush(struct ht__jt_conn *conn);
/* Likewise, of bytes that stand elsewhere. */
void ht__jt_send(struct ht__jt_conn *conn, const char *bytes, size_t size);
/* Takes the frames of what was read; what is not whole is kept. */
void ht__jt_frames(struct ht__jt_conn *conn, const uint8_t *bytes, size_t size);
/* Closes it where it is past one of its times. */
void ht__jt_conn_expire(struct ht__jt_conn *conn);

/* ---- jt808_round.c: reads that are answered together ---- */

/* Where the next read goes: RAW_MAX + READ bytes. */
uint8_t *ht__jt_round_room(struct ht_jt808 *jt);
/* So much was read there. The connection may be gone afterwards. */
void ht__jt_round_add(struct ht__jt_conn *conn, size_t size);
void ht__jt_round_leave(struct ht__jt_conn *conn);
/* Takes and answers what was read. Any connection may be gone afterwards. */
void ht__jt_round_end(struct ht_jt808 *jt);

/* ---- jt808_dialogue.c: messages ---- */

/* What stands between two marks. */
void ht__jt_frame(struct ht__jt_conn *conn, const uint8_t *raw, size_t size);
void ht__jt_answer(struct ht__jt_conn *conn, uint16_t serial, uint16_t id,
                   enum ht_jt808_result result);
/* What the book knows of a terminal. */
void ht__jt_ask_book(struct ht_jt808 *jt, const char *id, const char *key, bool proven, int battery,
                     struct ht_device_known *out);
/* By which what counts goes to the desk; NULL: it is here. */
struct ht_relay;
static inline struct ht_relay *ht__jt_relay(const struct ht_jt808 *jt)
{
    return jt->app->follower == NULL ? NULL : jt->app->relay;
}

/* ---- jt808_town.c: places and alarms ---- */

/* A location of a terminal that is proven and trusted. True: it is answered later, by what becomes
 * of its alarm; else the answer is *result. */
bool ht__jt_location(struct ht__jt_conn *conn, const struct ht_jt808_header *header,
                     const struct ht_jt808_location *location, const struct ht_device_known *known,
                     enum ht_jt808_result *result);
/* After the last of a pass. */
void ht__jt_locations_end(struct ht_jt808 *jt);
void ht__jt_alarms_come(struct ht_jt808 *jt);

/* ---- jt808_text.c ---- */

/* Tells vans whose next stop is another; a node that follows asks the desk for them now and then.
 */
void ht__jt_texts(struct ht_jt808 *jt);
/* What it answered. */
void ht__jt_stops_come(struct ht_jt808 *jt);

#endif
