/* Load: a closed-loop HTTP/1.1 load generator on epoll, one thread.
 *
 * Each connection sends one request, waits for the whole answer, sends the next (taken in turn from
 * the list). With `once` connection i of n sends the requests i, i + n, i + 2n and so on, each of
 * them one time, so what must keep its order can. Threading: one run at a time for each thread.
 * Ownership: paths are borrowed.
 */
#ifndef HT_BENCH_LOAD_H
#define HT_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole request as it goes out: head and body. */
struct ht_load_request {
    const char *bytes;
    size_t size;
};

struct ht_load_options {
    const char *host; /* numeric IPv4 */
    uint16_t port;
    unsigned connections;
    double seconds; /* measured, after a tenth of it unmeasured */
    char *const *paths;
    size_t path_count;
    const struct ht_load_request *requests; /* instead of paths, where not NULL */
    size_t request_count;
    bool once;          /* all measured, until each was answered; `seconds` says nothing */
    const char *expect; /* what each answer's body begins with, a number behind; NULL: anything */
    int pid;            /* > 0: also report this process' CPU time per request */
};

struct ht_load_result {
    uint64_t requests;
    uint64_t not_ok;   /* answers other than 2xx, or not as expected */
    uint64_t failed;   /* connections that broke */
    char strange[320]; /* of the first answer that is not ok: its status and how its body begins */
    uint64_t bytes;
    int64_t sum; /* of the numbers behind what was expected */
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
