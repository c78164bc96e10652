/* Metrics: counters of requests and their times, and the Prometheus text made of them.
 *
 * Threading: each ht_metrics is written by one thread; any thread may sum them up meanwhile.
 */
#ifndef HT_API_METRICS_H
#define HT_API_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "api/reply.h"

enum ht_service {
    HT_SERVICE_HTTP, /* what the server itself answered: broken requests, unknown paths */
    HT_SERVICE_ROUTE,
    HT_SERVICE_TABLE,
    HT_SERVICE_NEAREST,
    HT_SERVICE_MATCH,
    HT_SERVICE_TRIP,
    HT_SERVICE_TILE,
    HT_SERVICE_OSRM, /* of OSRM's shape, but no service of its */
    HT_SERVICE_NETWORK,
    HT_SERVICE_CLOCK,
    HT_SERVICE_ITEMS,  /* the registry */
    HT_SERVICE_LIVE,   /* units, near, closest, stream */
    HT_SERVICE_OFFICE, /* settings, webhooks */
    HT_SERVICE_ABOUT,  /* health, metrics, description, landing */
    HT_SERVICE_COUNT,
};

const char *ht_service_name(enum ht_service service);

enum { HT_METRICS_CODES = 500, HT_METRICS_BUCKETS = 16 };

struct ht_metrics {
    atomic_uint_least64_t codes[HT_SERVICE_COUNT][HT_METRICS_CODES]; /* status - 100 */
    atomic_uint_least64_t buckets[HT_SERVICE_COUNT]
                                 [HT_METRICS_BUCKETS + 1]; /* the last: slower than all */
    atomic_uint_least64_t total_ns[HT_SERVICE_COUNT];
};

void ht_metrics_count(struct ht_metrics *metrics, unsigned service, int status,
                      uint64_t duration_ns);

/* Appends the requests' counters and histograms of all `parts` together. */
void ht_metrics_write(struct ht_buffer *out, struct ht_metrics *const *parts, size_t part_count);

/* Appends one metric with its HELP and TYPE lines. */
void ht_metrics_gauge(struct ht_buffer *out, const char *name, const char *type, const char *help,
                      double value);

#endif
