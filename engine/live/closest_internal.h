/* Inside of the closest rooms: the index, as its search sees it.
 *
 * Locks, none taken while another is held but the first: `movers` by who changes places; a stripe
 * of `lists` while the list of a vertex is changed or copied; a stripe of `records` while a unit's
 * record is. Bitmaps and the ring are atomics, written by movers.
 */
#ifndef HT_ENGINE_LIVE_CLOSEST_INTERNAL_H
#define HT_ENGINE_LIVE_CLOSEST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/live/closest.h"
#include "engine/road/label.h"
#include "engine/road/region.h"

enum {
    HT__CLOSEST_STRIPES = 64,
    HT__CLOSEST_LEAST =
        256,               /* vertices of a region: 64 gives more to look at, no less to fill in */
    HT__CLOSEST_FEW = 512, /* vertices with units, for which labels are kept */
    HT__CLOSEST_SCAN = 2048, /* units that are all asked at once whether they pass a filter */
    HT__CLOSEST_RING = 1024, /* moves of arc that are remembered */
    HT__BITS_LEVELS = 3,
};

/* A set of ranks: a bit for each, a bit for each word of those, and so on. */
struct ht__bits {
    _Atomic uint64_t *level[HT__BITS_LEVELS];
    uint32_t words[HT__BITS_LEVELS];
};

HT_MUST_CHECK enum ht_status ht__bits_init(struct ht__bits *bits, uint32_t count);
void ht__bits_deinit(struct ht__bits *bits);
/* One writer at a time. */
void ht__bits_set(struct ht__bits *bits, uint32_t at);
void ht__bits_clear(struct ht__bits *bits, uint32_t at);
/* The lowest in [from, last], HT_NONE: none. */
uint32_t ht__bits_next(const struct ht__bits *bits, uint32_t from, uint32_t last);

struct ht__layer {
    const struct ht_graph *graph; /* NULL: no streets for this profile */
    const struct ht_cch *cch;
    struct ht_regions regions;
    struct ht__bits bits; /* vertices with units */
    uint32_t *heads;      /* [vertex_count] first entry + 1; an entry is 2 * unit + side */
    _Atomic uint32_t units;
};

struct ht__record {
    uint32_t owner; /* profile + 1; 0: not there, so that memory of units that never come is not
                       touched */
    uint32_t vertex[2];
    struct ht_place place;
};

struct ht__link {
    uint32_t next; /* entry + 1 */
    uint32_t before;
};

struct ht_closest {
    uint32_t layer_count;
    uint32_t capacity;
    uint32_t scan_first; /* HT__CLOSEST_SCAN, less in tests */
    struct ht__layer *layers;
    struct ht__record *records; /* [capacity] */
    struct ht__link *links;     /* [2 * capacity] */
    pthread_mutex_t movers;
    pthread_mutex_t lists[HT__CLOSEST_STRIPES];
    pthread_mutex_t units[HT__CLOSEST_STRIPES];
    _Atomic uint32_t end; /* one more than the highest unit ever set */
    _Atomic uint64_t begun;
    _Atomic uint64_t ended;
    _Atomic uint32_t ring[HT__CLOSEST_RING];
};

/* ht_closest_new with regions of at least `least` vertices. */
HT_MUST_CHECK enum ht_status ht__closest_make(const struct ht_road *const *roads,
                                              uint32_t profile_count, uint32_t capacity,
                                              uint32_t least, struct ht_closest **out);

/* Labels of vertices, as sources, kept by a workspace while the metric stays: where units are few,
 * joining them with the target's label beats every search. Belongs to one thread. */
struct ht__kept;

HT_MUST_CHECK enum ht_status ht__kept_new(uint32_t levels, struct ht__kept **out);
void ht__kept_free(struct ht__kept *kept);
/* What a label is of: `world` as in struct ht_closest_ask. */
struct ht__kept_key {
    uint64_t world;
    uint32_t layer;
    uint32_t vertex;
};
/* NULL: not kept. `question`: those of the running one are not given up. */
const struct ht_label *ht__kept_find(struct ht__kept *kept, struct ht__kept_key key,
                                     uint32_t question);
/* Makes one and keeps it. HT_TOO_BIG: all are in use. */
HT_MUST_CHECK enum ht_status ht__kept_add(struct ht__kept *kept, const struct ht_road *road,
                                          struct ht__kept_key key, uint32_t question);

/* The units on a vertex, at most `capacity` of the index; returns how many. */
uint32_t ht__closest_units(struct ht_closest *closest, uint32_t layer, uint32_t vertex,
                           uint32_t *units);
struct ht__record ht__closest_record(struct ht_closest *closest, uint32_t unit);

#endif
