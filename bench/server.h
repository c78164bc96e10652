/* Server: a server beside the bench: one that gives a constant answer of 200 bytes (the limit of
 * our HTTP alone), or the `houtao` that was built.
 *
 * Threading: the main thread, before others are started (it forks). Ownership: a started server is
 * stopped by the caller. What fails ends the program with a line on stderr.
 */
#ifndef HT_BENCH_SERVER_H
#define HT_BENCH_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ht_bench_server {
    pid_t pid;
    uint16_t port;
};

_Noreturn void ht_bench_die(const char *what);

struct ht_bench_server ht_bench_server_constant(unsigned threads);
/* `arguments`: of houtao, from the command on, NULL at the end; it prints its address. */
struct ht_bench_server ht_bench_server_start(const char *const *arguments);
/* Waits until it does nothing of its own any more, such as checking its map; two minutes at most.
 */
void ht_bench_server_settle(const struct ht_bench_server *server);
void ht_bench_server_stop(struct ht_bench_server *server);
/* With the pages of files that it looked at, and its own alone. */
double ht_bench_server_resident_mb(const struct ht_bench_server *server);
double ht_bench_server_own_mb(const struct ht_bench_server *server);

/* Runs houtao in silence until it ends well. */
void ht_bench_run(const char *const *arguments);

/* The streets of the city for all profiles: BENCH_NETWORK, or what is made once under
 * build/bench (some minutes). */
const char *ht_bench_city(void);

/* A path in the folder for what is passing, $TMPDIR or /tmp. */
void ht_bench_scratch(char *out, size_t size, const char *name);

#endif
