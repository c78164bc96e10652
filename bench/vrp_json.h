/* VRP in VROOM's JSON: an instance as a problem document, and a solution document held against the
 * instance's own rules, in its own units, by code that knows neither the solver nor its check.
 *
 * Threading: one thread. Ownership: the caller's buffers.
 */
#ifndef HT_BENCH_VRP_JSON_H
#define HT_BENCH_VRP_JSON_H

#include "api/reply.h"
#include "bench/vrp.h"

struct ht_vrp_ask {
    int64_t limit_ms;    /* 0: none */
    uint64_t iterations; /* of each thread; 0: as many as time allows */
    unsigned threads;
    uint64_t seed;
};

/* Appends the document: ids are the tasks' indices + 1. */
void ht_vrp_document(const struct ht_vrp *vrp, const struct ht_vrp_ask *ask, struct ht_buffer *out);

struct ht_vrp_found {
    uint32_t vehicles;
    uint32_t missing; /* tasks */
    double length;
    uint64_t iterations; /* of all threads */
};

/* False: the document is none, or breaks a rule of the instance, which `*why` (static) tells. */
bool ht_vrp_found_read(const struct ht_vrp *vrp, const struct ht_buffer *document,
                       struct ht_vrp_found *out, const char **why);

#endif
