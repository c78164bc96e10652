/* Load: a closed-loop HTTP/1.1 load generator on epoll, one thread.
 *
 * Each connection sends one request, waits for the whole answer, sends the next (taken in turn from
 * the list). Threading: one run at a time for each thread. Ownership: paths are borrowed.
 */
#ifndef HT_BENCH_LOAD_H
#define HT_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_load_options {
    const char *host; /* numeric IPv4 */
    uint16_t port;
    unsigned connections;
    double seconds; /* measured, after a tenth of it unmeasured */
    char *const *paths;
    size_t path_count;
    int pid; /* > 0: also report this process' CPU time per request */
};

struct ht_load_result {
    uint64_t requests;
    uint64_t not_ok; /* answers other than 200 */
    uint64_t failed; /* connections that broke */
    uint64_t bytes;
    double seconds;
    double rate; /* requests per second */
    double p50_us;
    double p90_us;
    double p99_us;
    double max_us;
    double server_cpu_us; /* per request; 0 without pid */
};

/* False with a reason in `why` (static text) when it could not run at all. */
bool ht_load_run(const struct ht_load_options *options, struct ht_load_result *out,
                 const char **why);

/* Lines of a file as paths; free with ht_load_paths_free. */
char **ht_load_paths(const char *file, size_t *count);
void ht_load_paths_free(char **paths, size_t count);

/* CPU time of a process so far, in microseconds; 0 when it can't be read. */
uint64_t ht_load_cpu_us(int pid);

#endif
