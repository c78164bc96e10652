/* Redis: a server of its own on a free port of this machine, for its GEO commands beside ours.
 *
 * Threading: the main thread. Ownership: what is started is stopped by the caller. Our own few
 * lines of its protocol (RESP), so that the client costs as little as our load generator does.
 */
#ifndef HT_BENCH_REDIS_H
#define HT_BENCH_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HT_REDIS_CONNECTIONS = 4 };

struct ht_redis {
    pid_t pid;
    int fds[HT_REDIS_CONNECTIONS];
};

struct ht_redis_point {
    double lon_deg;
    double lat_deg;
    unsigned unit;
};

/* False: redis-server is not installed, or did not start. */
bool ht_redis_start(struct ht_redis *redis);
void ht_redis_stop(struct ht_redis *redis);

/* Seconds of GEOADD of all points (`count` whole batches), made ready before, `batch` of them under
 * way on each connection; `many`: all of a batch in one command, else one command for each point.
 * Negative: it failed. */
double ht_redis_add(struct ht_redis *redis, const struct ht_redis_point *points, size_t count,
                    size_t batch, bool many);

/* Seconds of GEOSEARCH for the 10 nearest within a radius; negative: it failed. */
double ht_redis_near(struct ht_redis *redis, double lon_deg, double lat_deg, double radius_m);

#endif
