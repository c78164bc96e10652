/* Terminals: the vans of a simulated day tell where they are as their terminals would, in JT/T 808
 * over a connection of each, instead of by POST /v1/positions.
 *
 * Each is put into the registry as a device of its van, registers and authenticates when it first
 * has something to tell, and waits for each answer, so that in lockstep the same seed is the same
 * day.
 *
 * Threading: one thread; each message waits for its answer, ten seconds at most. Ownership: what is
 * made is freed.
 */
#ifndef HT_API_SIMULATE_TERMINALS_H
#define HT_API_SIMULATE_TERMINALS_H

#include "api/simulate/chaos.h"
#include "api/simulate/client.h"

struct ht_sim_terminals;

/* For terminals 0 to `count` - 1 of a server's door, "HOST:PORT" with a numeric host. HT_INVALID:
 * that is none; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_sim_terminals_new(const char *door, size_t count,
                                                  struct ht_sim_terminals **out,
                                                  struct ht_error *error);
/* NULL is fine. */
void ht_sim_terminals_free(struct ht_sim_terminals *terminals);

/* Asks the server to know the terminal as the unit's. */
void ht_sim_terminal_put(struct ht_sim_client *client, size_t number, const char *unit,
                         uint32_t lane);

/* Tells a position. False: the door did not answer, or not that it is taken. */
bool ht_sim_terminal_tell(struct ht_sim_terminals *terminals, size_t number,
                          const struct ht_sim_position *position);

#endif
