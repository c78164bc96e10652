#include "api/metrics.h"

#include <stdarg.h>
#include <stdio.h>

/* Upper ends in nanoseconds, and as Prometheus writes them in seconds. */
static const struct {
    uint64_t ns;
    const char *text;
} buckets[HT_METRICS_BUCKETS] = {
    {25000, "0.000025"}, {50000, "0.00005"},  {100000, "0.0001"},  {250000, "0.00025"},
    {500000, "0.0005"},  {1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},
    {10000000, "0.01"},  {25000000, "0.025"}, {50000000, "0.05"},  {100000000, "0.1"},
    {250000000, "0.25"}, {1000000000, "1"},   {2500000000, "2.5"}, {10000000000, "10"},
};

const char *ht_service_name(enum ht_service service)
{
    static const char *const names[HT_SERVICE_COUNT] = {
        "http", "route",   "table", "nearest", "match", "trip",   "tile",
        "osrm", "network", "clock", "items",   "live",  "office", "about"};
    return service < HT_SERVICE_COUNT ? names[service] : "http";
}

static void add(atomic_uint_least64_t *counter, uint64_t more)
{
    /* One writer: a plain load and store will do. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void ht_metrics_count(struct ht_metrics *metrics, unsigned service, int status,
                      uint64_t duration_ns)
{
    if (service >= HT_SERVICE_COUNT || status < 100 || status >= 100 + HT_METRICS_CODES) {
        return;
    }
    size_t bucket = 0;
    while (bucket < HT_METRICS_BUCKETS && duration_ns > buckets[bucket].ns) {
        bucket++;
    }
    add(&metrics->codes[service][status - 100], 1);
    add(&metrics->buckets[service][bucket], 1);
    add(&metrics->total_ns[service], duration_ns);
}

static void line(struct ht_buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line(struct ht_buffer *out, const char *format, ...)
{
    enum { LINE_MAX_SIZE = 512 };
    char *at = ht_buffer_reserve(out, LINE_MAX_SIZE);
    if (at == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    int size = vsnprintf(at, LINE_MAX_SIZE, format, args);
    va_end(args);
    if (size > 0 && size < LINE_MAX_SIZE) {
        ht_buffer_advance(out, (size_t)size);
    }
}

static uint64_t code_sum(struct ht_metrics *const *parts, size_t count, size_t service, size_t code)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += atomic_load_explicit(&parts[i]->codes[service][code], memory_order_relaxed);
    }
    return sum;
}

static uint64_t bucket_sum(struct ht_metrics *const *parts, size_t count, size_t service,
                           size_t bucket)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += atomic_load_explicit(&parts[i]->buckets[service][bucket], memory_order_relaxed);
    }
    return sum;
}

static void histogram_write(struct ht_buffer *out, struct ht_metrics *const *parts, size_t count,
                            size_t service)
{
    const char *name = ht_service_name((enum ht_service)service);
    uint64_t below = 0;
    for (size_t bucket = 0; bucket < HT_METRICS_BUCKETS; bucket++) {
        below += bucket_sum(parts, count, service, bucket);
        line(out, "houtao_request_duration_seconds_bucket{service=\"%s\",le=\"%s\"} %llu\n", name,
             buckets[bucket].text, (unsigned long long)below);
    }
    below += bucket_sum(parts, count, service, HT_METRICS_BUCKETS);
    uint64_t total_ns = 0;
    for (size_t i = 0; i < count; i++) {
        total_ns += atomic_load_explicit(&parts[i]->total_ns[service], memory_order_relaxed);
    }
    line(out, "houtao_request_duration_seconds_bucket{service=\"%s\",le=\"+Inf\"} %llu\n", name,
         (unsigned long long)below);
    line(out, "houtao_request_duration_seconds_sum{service=\"%s\"} %.9f\n", name,
         (double)total_ns / 1e9);
    line(out, "houtao_request_duration_seconds_count{service=\"%s\"} %llu\n", name,
         (unsigned long long)below);
}

void ht_metrics_write(struct ht_buffer *out, struct ht_metrics *const *parts, size_t part_count)
{
    ht_buffer_text(out, "# HELP houtao_requests_total Requests answered, by service and status.\n"
                        "# TYPE houtao_requests_total counter\n");
    for (size_t service = 0; service < HT_SERVICE_COUNT; service++) {
        for (size_t code = 0; code < HT_METRICS_CODES; code++) {
            uint64_t sum = code_sum(parts, part_count, service, code);
            if (sum > 0) {
                line(out, "houtao_requests_total{service=\"%s\",code=\"%zu\"} %llu\n",
                     ht_service_name((enum ht_service)service), code + 100,
                     (unsigned long long)sum);
            }
        }
    }
    ht_buffer_text(out, "# HELP houtao_request_duration_seconds From the whole request to its "
                        "answer, without the network.\n"
                        "# TYPE houtao_request_duration_seconds histogram\n");
    for (size_t service = 0; service < HT_SERVICE_COUNT; service++) {
        histogram_write(out, parts, part_count, service);
    }
}

void ht_metrics_gauge(struct ht_buffer *out, const char *name, const char *type, const char *help,
                      double value)
{
    line(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}
