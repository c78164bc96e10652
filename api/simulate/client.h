/* Client: many requests to one server, over connections that stay open, and what is done with each
 * answer (libevent's HTTP client underneath, as in api/post.h).
 *
 *   ask, ask, ask --> lanes --> connections --> answers --> done() --> more asks --> ... --> quiet
 *
 * Asks of one lane are answered in their order. With one connection everything is asked one after
 * the other, in the order in which it was put in. What the server could not take now (429, 503, no
 * answer) is tried again three times where that does no harm: of GET and of what carries a key.
 *
 * Threading: one thread. Ownership: an ask is the client's from _send on.
 */
#ifndef HT_API_SIMULATE_CLIENT_H
#define HT_API_SIMULATE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api/simulate/tally.h"
#include "engine/base/text.h"

struct ht_sim_client;

struct ht_sim_answer {
    int status; /* 0: there was none */
    const char *body;
    size_t size;
};

struct ht_sim_ask {
    enum ht_sim_call call;
    const char *method; /* static */
    char path[512];
    const char *shown; /* static; NULL: the path itself stands in the log */
    const char *type;  /* static; NULL: JSON */
    char key[96];      /* Idempotency-Key; "": none */
    struct ht_text body;
    uint32_t lane;
    /* NULL: nobody cares. May put in more asks. */
    void (*done)(void *user, const struct ht_sim_ask *ask, const struct ht_sim_answer *answer);
    void *user;
    void *about; /* this and the next: what done wants to know */
    int number;
    struct ht_sim_ask *next;
    int tries;
};

struct ht_sim_client_options {
    const char *url;   /* http://HOST:PORT */
    const char *token; /* NULL: none */
    unsigned connections;
    FILE *log; /* NULL; else each ask is a line in it: time, method, path, body */
    struct ht_sim_tally *tally;
};
/* HT_INVALID: the URL, and what is wrong with it; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_sim_client_new(const struct ht_sim_client_options *options,
                                               struct ht_sim_client **out, struct ht_error *error);
void ht_sim_client_free(struct ht_sim_client *client);

/* A new ask, never NULL: without memory it is one that _send throws away, and the client has
 * failed. */
struct ht_sim_ask *ht_sim_ask_new(struct ht_sim_client *client, enum ht_sim_call call,
                                  const char *method, const char *path, ...)
    __attribute__((format(printf, 4, 5)));
void ht_sim_ask_send(struct ht_sim_client *client, struct ht_sim_ask *ask);

/* Everything over one connection from here on, one after the other; while nothing is asked. */
void ht_sim_client_one(struct ht_sim_client *client);

/* The town's time, for the log. */
void ht_sim_client_time(struct ht_sim_client *client, int64_t now_ms);
/* Asks until nothing is left to ask. HT_NOMEM; HT_IO: the server did not answer at all, `error`
 * says why; HT_CANCELLED: `*stop` is set. */
HT_MUST_CHECK enum ht_status ht_sim_client_run(struct ht_sim_client *client,
                                               const volatile int *stop, struct ht_error *error);

#endif
