/* Day: a town's day, simulated over its public API: orders, vans, alarms, responders, inspectors,
 * streets; and the table of what came of it.
 *
 *   clock on by a step --> what happens by then --> who is where by then (positions)
 *        ^                                              |
 *        +---- what each of them does now (events) <----+
 *
 * Two ways: in lockstep (speed 0) the simulator pushes the server's standing clock on as fast as
 * the server follows, one request after the other: the same seed, the same day, to the last byte of
 * what is sent. Else time goes by: the server's clock runs by itself, or is pushed on so many
 * times as fast as the machine's, and requests go out over several connections.
 *
 * Threading: one thread. Ownership: options are borrowed.
 */
#ifndef HT_API_SIMULATE_DAY_H
#define HT_API_SIMULATE_DAY_H

#include "api/simulate/client.h"
#include "api/simulate/tally.h"

/* How vans tell where they are, and kits that they are alarmed, as far as the wire has that. */
enum ht_sim_protocol { HT_SIM_HTTP, HT_SIM_OSMAND, HT_SIM_JT808, HT_SIM_MQTT };

struct ht_sim_options {
    const char *url;
    const char *token; /* NULL: none */
    enum ht_sim_protocol protocol;
    const char *door; /* HOST:PORT of JT/T 808, the broker's URL of MQTT; else NULL */
    double speed;     /* 0: lockstep; < 0: as the server's clock goes */
    double rate;
    double alarms; /* a day */
    uint64_t seed;
    int from_min; /* of the day; -1: now */
    int to_min;   /* -1: until it is stopped */
    double step_s;
    size_t households_most;
    unsigned connections;
    bool chaos;
    bool storm;
    FILE *log;                /* NULL: none */
    FILE *told;               /* a line now and then; NULL: none */
    const volatile int *stop; /* not 0: enough; the table still comes */
};

/* Simulates. `*seconds`: how long it took by the machine's clock. HT_INVALID: what was asked can't
 * be, and why; HT_IO: the server does not answer; HT_NOMEM. The tally is the caller's, also after
 * an error. */
HT_MUST_CHECK enum ht_status ht_sim_day_run(const struct ht_sim_options *options,
                                            struct ht_sim_tally *tally, double *seconds,
                                            struct ht_error *error);

#endif
