/* Nodes: any number of processes serve one record in a database; one of them is the desk.
 *
 *   starts ──> follower ── nobody has the lock: takes it ──> desk
 *                 ^   └──── the desk was silent for three seconds: ends its session, takes it
 *                 └── another one has taken over, or memory is behind what is written ──┘
 *
 * Each turn makes a new term (api/term.h) beside the one that answers: whoever is the desk was
 * opened as one, by the way on which a process that is alone is opened, and what a desk that was
 * taken over still had in memory goes with it. Until the new term answers, the old one does; the
 * streams of the old one end and are taken up again by Last-Event-ID.
 *
 * What acts by itself (clocks of the desk, plans, rounds, webhooks, messages, silence of devices,
 * forgetting, MQTT and JT/T 808) is part of a desk's term alone.
 *
 * Threading: one call of run, from the main thread; stop may be called from a signal handler.
 */
#ifndef HT_API_NODES_H
#define HT_API_NODES_H

#include "api/term.h"

struct ht_nodes_options {
    struct ht_term_options term; /* `node` and `shares_port` are set by run */
    const char *advertise;       /* where other nodes reach this one; NULL: where it listens */
    void (*started)(void *user, uint16_t port); /* once the first term answers */
    void *user;
};

/* Serves until it is stopped. HT_READ_ONLY: this user may not write the database: it can be served
 * for reading, alone. */
HT_MUST_CHECK enum ht_status ht_nodes_run(const struct ht_nodes_options *options,
                                          struct ht_error *error);
/* Ends run, orderly. Nothing where it does not run. */
void ht_nodes_stop(void);

#endif
