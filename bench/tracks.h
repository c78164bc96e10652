/* Tracks: drives with their traces, made from routes or read from recordings, and how much of a
 * track a matched way has.
 *
 * Threading: one thread. Ownership: _deinit frees what a struct owns.
 */
#ifndef HT_BENCH_TRACKS_H
#define HT_BENCH_TRACKS_H

#include "engine/road/match.h"

/* Pieces of base arcs that were driven. */
struct ht_track_piece {
    uint32_t arc;
    uint32_t length_mm;
};

struct ht_track {
    struct ht_track_piece *pieces;
    size_t count;
    size_t capacity;
};

struct ht_track_score {
    int64_t driven_mm;
    int64_t right_mm; /* of that, matched */
    int64_t wrong_mm; /* matched, not driven */
};

/* Where a drive was at what time: pieces of it in a row. */
struct ht_moment {
    double time_s; /* at its beginning */
    double until_s;
    uint32_t arc;
    uint32_t from_mm;
    uint32_t to_mm;
};

struct ht_drive {
    struct ht_track track;
    struct ht_moment *moments;
    size_t moment_count;
};

struct ht_trace {
    struct ht_match_fix *fixes;
    uint32_t count;
};

void ht_track_deinit(struct ht_track *track);
/* Adds the legs of a part whose spots are `spots`. Lack of memory ends the program. */
void ht_track_add(struct ht_track *track, const struct ht_graph *graph,
                  const struct ht_route_found *route, const struct ht_match_spot *spots);
struct ht_track_score ht_track_compare(const struct ht_track *driven,
                                       const struct ht_track *matched);

/* A route of 2 to 15 km between random places. HT_NO_ROUTE: it came out otherwise. */
HT_MUST_CHECK enum ht_status ht_drive_make(const struct ht_road *road, struct ht_query *query,
                                           struct ht_snap_work *snap, uint64_t *seed,
                                           struct ht_drive *out);
void ht_drive_deinit(struct ht_drive *drive);

HT_MUST_CHECK enum ht_status ht_trace_make(const struct ht_road *road, const struct ht_drive *drive,
                                           double every_s, double sigma_m, uint64_t *seed,
                                           struct ht_trace *out);
/* Every n-th fix of another. */
HT_MUST_CHECK enum ht_status ht_trace_thin(const struct ht_trace *from, uint32_t every,
                                           struct ht_trace *out);
void ht_trace_deinit(struct ht_trace *trace);

/* The recordings under `data`/gps. HT_NOT_FOUND: there are none, or no tar to unpack them. */
struct ht_real;
HT_MUST_CHECK enum ht_status ht_real_open(const char *data, struct ht_real **out);
void ht_real_close(struct ht_real *real);
uint32_t ht_real_count(const struct ht_real *real);
/* One of them with its own network, which lives until the next call. */
HT_MUST_CHECK enum ht_status ht_real_load(struct ht_real *real, uint32_t index,
                                          struct ht_road *road, struct ht_drive *drive,
                                          struct ht_trace *trace);

#endif
