/* OSRM: the OSRM v5 HTTP API over a world (github.com/Project-OSRM/osrm-backend,
 * docs/http.md, 6.0).
 *
 * Parsing and answering are apart, so that the server can send what may take long to its job pool.
 *
 * Threading: one ht_osrm for each thread; ht_osrm_parse and ht_osrm_run of the same request may run
 * on different threads one after the other.
 */
#ifndef HT_API_OSRM_H
#define HT_API_OSRM_H

#include "api/reply.h"
#include "engine/live/world.h"

struct ht_osrm;         /* workspaces of one thread: queries, matrix, snap */
struct ht_osrm_request; /* a parsed request */
struct ht_zone_table;

struct ht_osrm_limits {
    uint32_t route_coordinates; /* defaults as osrm-routed: 500, trip 100, nearest 100, alternatives
                                   3; but tables of 10,000 coordinates, 10,000,000 cells, and
                                   traces of 10,000 coordinates */
    uint32_t table_cells;
    uint32_t table_coordinates;
    uint32_t trip_coordinates;
    uint32_t match_coordinates;
    uint32_t nearest_results;
    uint32_t alternatives;
};

struct ht_osrm_limits ht_osrm_limits_default(void);

HT_MUST_CHECK enum ht_status ht_osrm_new(const struct ht_osrm_limits *limits, struct ht_osrm **out);
void ht_osrm_free(struct ht_osrm *osrm);
/* Where `avoid` finds zones by their ids; borrowed. */
void ht_osrm_zones(struct ht_osrm *osrm, struct ht_zone_table *zones);
/* Where it remembers turns together with others; borrowed. */
struct ht_guide_memory;
void ht_osrm_turns(struct ht_osrm *osrm, struct ht_guide_memory *turns);

/* Where it finds the streets of a departure; borrowed. */
struct ht_later;
void ht_osrm_later(struct ht_osrm *osrm, struct ht_later *later);

/* True when the path is OSRM's to answer: /route/, /table/, /nearest/, /match/, /trip/, /tile/ and
 * also wrong services or versions of that shape (which get OSRM's own error). */
bool ht_osrm_owns(const char *path, size_t size);

/* Parses a request line's target (path and query, still percent-encoded), and for POST the body
 * (same coordinates/options form as osrm accepts). On success *out (reused between calls by the
 * caller via ht_osrm_request_free) and true; else the error is in `reply` (HTTP 400) and false. */
bool ht_osrm_parse(struct ht_osrm *osrm, const char *target, size_t target_size, const char *body,
                   size_t body_size, struct ht_reply *reply, struct ht_osrm_request **out);
void ht_osrm_request_free(struct ht_osrm_request *request);

/* True when answering may pass a few milliseconds (big tables, trips, alternatives of long ways, a
 * metric that must be customized first, a road of its own). */
bool ht_osrm_heavy(struct ht_osrm *osrm, const struct ht_osrm_request *request,
                   struct ht_world *world);

/* Answers into `reply`. `pool` may be NULL (one thread). */
void ht_osrm_run(struct ht_osrm *osrm, const struct ht_osrm_request *request,
                 struct ht_world *world, struct ht_pool *pool, struct ht_reply *reply);

#endif
