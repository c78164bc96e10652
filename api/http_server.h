/* HTTP server: HTTP/1.1 on libevent, one loop for each thread, each with its own listening socket
 * (SO_REUSEPORT), plus a job pool for what takes long.
 *
 * A request is handled on its connection's loop; handlers take microseconds. One that needs longer
 * fills call->job and its `run` is called by a worker; later requests of that connection wait
 * meanwhile, other connections don't notice. Answers go out in the order of the requests.
 *
 * What a client can make us hold is bounded: head, target and body by limits, unsent output by not
 * reading on while there is any, the time of each phase by deadlines, connections by a number (the
 * longest idle one makes room for a new one).
 *
 * Threading: handler callbacks run on loop and worker threads, each with the context made for it.
 * ht_http_server_drain may be called from a signal handler. Ownership: requests and replies are
 * borrowed for the call.
 */
#ifndef HT_API_HTTP_SERVER_H
#define HT_API_HTTP_SERVER_H

#include "api/http_parse.h"
#include "api/http_stream.h"
#include "api/jobs.h"
#include "api/reply.h"
#include "engine/base/status.h"

struct ht_http_server;

struct ht_http_options {
    const char *host; /* numeric address */
    uint16_t port;    /* 0: any free one */
    unsigned threads; /* loops; 0: as many as cores */
    unsigned workers; /* of the job pool; 0: as many as cores */
    unsigned job_queue;
    unsigned connections_max; /* over all loops */
    struct ht_http_limits limits;
    size_t reply_max;  /* bytes of one answer */
    bool shares_port;  /* with another server of this process, which is about to end */
    bool check_host;   /* refuse names that are not loopback (DNS rebinding) */
    unsigned head_ms;  /* from a request's first byte to the end of its head */
    unsigned body_ms;  /* for a body, and 1 s more for each 16 KiB of it that arrived */
    unsigned idle_ms;  /* between requests */
    unsigned write_ms; /* without any progress in sending */
    unsigned grace_ms; /* of draining: how long new requests are still answered */
    unsigned drain_ms; /* of draining: the bound */
};

struct ht_http_options ht_http_options_default(void);

/* What a handler hands over. Without `writes`: `run` is called by a worker of the job pool. With
 * it, by the one thread that writes the store, within a transaction; `applied` (may be NULL) once
 * that is committed, and where the commit fails the answer is 503 whatever `run` said. Before that
 * a worker calls `prepare` (may be NULL), for what takes long and needs no transaction; false: the
 * answer stands already. */
struct ht_http_job {
    bool (*prepare)(void *context, void *data, struct ht_reply *reply);
    void (*run)(void *context, void *data, struct ht_reply *reply);
    void (*applied)(void *context, void *data, struct ht_reply *reply);
    /* instead of the 503; by the writer where `run` was called, else by a worker */
    void (*lost)(void *context, void *data, enum ht_status outcome, struct ht_reply *reply);
    void (*gone)(void *data); /* the client went: on the loop's thread, also while `run` runs */
    void (*free)(void *data);
    void *data;
    bool writes;
    struct ht_jobs *pool; /* whose workers call `run`; NULL: the server's own. Theirs may have no
                             context */
};

/* What a job is run with: the handler's context of that thread, and room to compress. */
struct ht_gzip;
struct ht_worker_context {
    void *user;
    struct ht_gzip *gzip;
};

struct ht_http_call {
    const struct ht_http_request *request;
    struct ht_reply *reply;
    unsigned service;                           /* what `account` will count it as; 0 at first */
    struct ht_http_span params[HT_HTTP_PARAMS]; /* parts of the path that the route leaves open */
    struct ht_http_job job;
    struct { /* an answer that stays open (api/http_stream.h); kind NULL: none */
        const struct ht_http_stream_kind *kind;
        void *data;
    } stream;
};

struct ht_http_handler {
    void *user;
    enum ht_status (*context_new)(void *user, void **out); /* one for each loop and worker */
    void (*context_free)(void *context);
    void (*handle)(void *context, struct ht_http_call *call);
    /* After each answer, on the connection's loop; also those the server gave by itself (service
     * 0). */
    void (*account)(void *context, unsigned service, int status, uint64_t duration_ns);
    void (*tick)(void *context); /* on each loop, about every second */
    void (*rest)(void *context); /* after each job, on its thread: the next may be long in coming */
    /* Takes a job that writes; its context is a struct ht_worker_context like a worker's. False: no
     * room. NULL where no handler makes such jobs. */
    bool (*submit_write)(void *user, struct ht_job *job);
};

/* Binds and listens; `handler` is copied. HT_IO with the reason when the address can't be had. */
HT_MUST_CHECK enum ht_status ht_http_server_new(const struct ht_http_options *options,
                                                const struct ht_http_handler *handler,
                                                struct ht_http_server **out,
                                                struct ht_error *error);
void ht_http_server_free(struct ht_http_server *server);

uint16_t ht_http_server_port(const struct ht_http_server *server);

/* Serves until drained; the calling thread is the first loop. */
HT_MUST_CHECK enum ht_status ht_http_server_run(struct ht_http_server *server);

/* Begins to stop: answers what is queued and in flight, refuses new connections, then run returns.
 */
void ht_http_server_drain(struct ht_http_server *server);

/* The same where another server of this process listens on the port already: at once, since nobody
 * finds it closed. */
void ht_http_server_hand_over(struct ht_http_server *server);

/* After run has returned: lets go of what is still open and ends the workers, who do what waits for
 * them first. What they were shared with may go then. Free does it, too. */
void ht_http_server_jobs_end(struct ht_http_server *server);

/* From any thread. */
bool ht_http_server_draining(const struct ht_http_server *server);

struct ht_http_stats {
    size_t connections;
    size_t accepted;
    size_t evicted;
    size_t timed_out;
    size_t accept_errors;
    size_t bytes_out;
    struct ht_jobs_stats jobs;
};
/* From any thread. */
void ht_http_server_stats(struct ht_http_server *server, struct ht_http_stats *out);

/* True when `host` ("name", "name:port", "[::1]:port") names this machine by loopback. */
bool ht_http_host_is_loopback(const char *host, size_t size);

#endif
