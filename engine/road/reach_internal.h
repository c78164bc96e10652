/* Inside of reach.h: the many places, as its sweep sees them. Not a door. */
#ifndef HT_ENGINE_ROAD_REACH_INTERNAL_H
#define HT_ENGINE_ROAD_REACH_INTERNAL_H

#include "engine/road/reach.h"

/* What a place pays from the beginning of an arc that leads to it. */
struct ht__reach_stop {
    uint64_t time;
    uint32_t place;
};

/* The part of `vertices` that lies in a region. */
struct ht__reach_span {
    uint32_t begin;
    uint32_t end;
    uint32_t low; /* ranks of the region */
    uint32_t root;
    uint32_t first_exit;
    uint32_t exit_count;
};

struct ht__reach_street {
    uint32_t arc;
    uint32_t place;
};

struct ht_reach_targets {
    uint32_t hierarchy; /* its vertices */
    uint32_t place_count;
    struct ht_place *places;
    uint32_t vertex_count;
    uint32_t *vertices;           /* by falling rank */
    uint32_t *first_stop;         /* [vertex_count + 1] */
    struct ht__reach_stop *stops; /* by vertex */
    size_t stop_count;
    uint32_t *place_first;        /* [place_count + 1] */
    uint32_t *place_at;           /* where in `vertices` the stops of each place stand */
    struct ht__reach_span *spans; /* by rising begin: a region comes before those inside it */
    uint32_t span_count;
    uint16_t *exits;
    struct ht__reach_street *streets; /* by arc */
    size_t street_count;
};

#endif
