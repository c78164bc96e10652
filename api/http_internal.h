/* The server's inside: loops and connections. For http_server.c, http_listen.c and http_conn.c
 * alone. */
#ifndef HT_API_HTTP_INTERNAL_H
#define HT_API_HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/http_answer.h"
#include "api/http_server.h"

struct ht_loop;

struct ht_conn {
    struct ht_loop *loop;
    struct ht_conn *prev;
    struct ht_conn *next;
    int fd;
    bool reading;     /* the read event is registered */
    bool sending;     /* output is left; nothing is read meanwhile */
    bool close_after; /* once the output is sent */
    bool closing;     /* our side is shut; the rest of theirs is read and dropped */
    bool queued;      /* in the loop's list of those with requests left to do */
    bool continued;   /* 100 was said */
    bool begun;       /* a request's first byte is there */
    bool ending;      /* the last of a stream is sent; its deadline stands */
    struct ht_conn *queue_next;
    struct event read_event;
    struct event write_event;
    struct ht_http_parser parser;
    struct ht_buffer in;  /* bytes of a request that is not complete, or must wait */
    struct ht_buffer out; /* what the socket did not take */
    size_t out_at;
    int64_t begun_ms;              /* when the request that is coming in began */
    int64_t deadline_ms;           /* INT64_MAX: none */
    size_t dropped;                /* bytes read while closing */
    struct ht_conn_job *job;       /* under way; later requests wait */
    struct ht_http_stream *stream; /* the answer that stays open; no request comes after it */
};

/* A job of a connection, and its way back to the loop. */
struct ht_conn_job {
    struct ht_job job;
    struct ht_loop *loop;
    struct ht_conn *conn; /* NULL: gone; only its loop writes or reads this */
    struct ht_conn_job *next;
    struct ht_http_job work;
    struct ht_http_form form;
    struct ht_reply reply;
    unsigned service;
    bool preparing; /* the worker's turn, before the writer's */
    bool goes_on;   /* there is a writer's turn */
    uint64_t begun_ns;
};

enum { HT_LOOP_READ_SIZE = 64 * 1024, HT_MAIL_FDS = 64 };

struct ht_loop {
    struct ht_http_server *server;
    unsigned index;
    pthread_t thread;
    bool started;
    struct event_base *base;
    int listen_fd;
    int mail_fd; /* eventfd */
    struct event *listen_event;
    struct event *mail_event;
    struct event *tick_event;
    struct event *retry_event; /* listens again after accept failed */
    struct event *queue_event; /* goes on with connections that used up their turn */
    struct event *drain_event;
    void *context;
    struct ht_gzip *gzip;
    struct ht_reply reply;
    struct ht_buffer out; /* answers of one turn, before they are sent */
    char *input;          /* HT_LOOP_READ_SIZE */
    struct ht_conn *conns;
    struct ht_conn *queue_first;
    struct ht_conn **queue_last;
    char date[HT_HTTP_DATE_SIZE];
    int drain_phase;          /* 0 no, 1 grace, 2 only what is in flight */
    atomic_size_t conn_count; /* those on their way here included */
    pthread_mutex_t mail_lock;
    struct ht_conn_job *mail_jobs;
    struct ht_http_post *mail_posts;
    struct ht_http_post **mail_posts_last;
    int mail_fds[HT_MAIL_FDS];
    unsigned mail_fd_count;
    atomic_size_t accepted;
    atomic_size_t evicted;
    atomic_size_t timed_out;
    atomic_size_t accept_errors;
    atomic_size_t bytes_out;
};

struct ht_http_server {
    struct ht_http_options options;
    struct ht_http_handler handler;
    struct ht_jobs *jobs;
    struct ht_worker_context *workers;
    void **worker_pointers;
    unsigned worker_count;
    uint16_t port;
    atomic_bool draining;
    atomic_bool hands_over;
    unsigned loop_count;
    size_t conns_per_loop;
    struct ht_loop *loops;
};

int64_t ht__now_ms(void);
uint64_t ht__now_ns(void);

/* Only the loop writes its counters, so no locked instruction is needed. */
static inline void ht__count(atomic_size_t *counter, size_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* Takes over `fd`, whose place in conn_count is already taken. */
void ht__conn_open(struct ht_loop *loop, int fd);
void ht__conn_close(struct ht_conn *conn);
/* Half-closes: the client reads the end, what it still sends is dropped. */
void ht__conn_finish(struct ht_conn *conn);
/* A finished job comes home. Frees it. */
void ht__conn_job_done(struct ht_conn_job *job);
/* Goes on with the requests that wait in the input. */
void ht__conn_resume(struct ht_conn *conn);
/* Closes what is past its deadline. */
void ht__conn_expire(struct ht_conn *conn, int64_t now_ms);
/* True when nothing of a request has arrived and nothing is left to send. */
bool ht__conn_idle(const struct ht_conn *conn);

/* Sends the loop's output, or keeps what the socket does not take. False: the connection is lost.
 */
bool ht__conn_output(struct ht_conn *conn);

/* ---- http_stream.c ---- */

/* Writes the head of a stream behind the turn's answers. False: out of memory, `end` was called. */
bool ht__stream_begin(struct ht_conn *conn, const struct ht_http_call *call,
                      struct ht_http_form *form);
/* Once the head is sent. The connection may be gone afterwards. */
void ht__stream_open(struct ht_conn *conn);
/* Something was sent; all was. */
void ht__stream_progress(struct ht_conn *conn);
void ht__stream_drained(struct ht_conn *conn);
void ht__stream_stop(struct ht_conn *conn);
/* The connection goes or stops to be a stream; fine where it is none. */
void ht__stream_end(struct ht_conn *conn);

/* *out is set also when it fails, to be closed. Fixes server->port when that was 0. */
HT_MUST_CHECK enum ht_status ht__listen_open(struct ht_http_server *server, int *out,
                                             struct ht_error *error);
HT_MUST_CHECK enum ht_status ht__port_check(const struct ht_http_server *server,
                                            struct ht_error *error);
void ht__listen_refuse_new(int fd);

/* The loop's side. */
void ht__loop_conn_gone(struct ht_loop *loop);
void ht__loop_queue(struct ht_loop *loop, struct ht_conn *conn);
void ht__loop_mail_job(struct ht_conn_job *job);

#endif
