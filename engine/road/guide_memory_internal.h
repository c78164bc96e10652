/* What has been found out about turns, kept from leg to leg. Only guide*.c and their tests include
 * this.
 *
 * A turn is named by its two arcs. It may lie in one of four places, chosen by the arc that it
 * leaves, which are two lines of the cache side by side: turns of arcs that are neighbours lie near
 * each other, so that a small town touches little memory and a route few pages. Where all four are
 * taken, one goes that was not asked for since the others were.
 *
 * Several threads read and write one table without a lock: a place is four words, the first of
 * which is the name mixed with a hash of the others. Whoever reads while another writes gets words
 * that don't fit together and knows nothing (R. Hyatt, T. Mann, "A lock-less transposition table
 * implementation for parallel search", 2002).
 *
 * Threading: one ht__memory for each thread, on a table of its own or a shared one. Ownership: the
 * struct owns its own table; end with ht__memory_deinit. A shared one is borrowed.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_MEMORY_INTERNAL_H
#define HT_ENGINE_ROAD_GUIDE_MEMORY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/road/guide_internal.h"

/* What is known of a turn. */
struct ht__turn {
    uint32_t in; /* arcs */
    uint32_t out;
    uint32_t weight_ms; /* what the turn costs */
    uint32_t duration_ms;
    uint32_t lanes; /* text of what leads to it, 0 where no lane is told to serve it */
    uint32_t lanes_right;
    uint16_t before;
    uint16_t after;
    uint8_t type;
    uint8_t modifier;
    uint8_t in_road;
    uint8_t out_road;
    uint8_t road_count;
    uint8_t lane_first;
    uint8_t lane_valid;
    bool lanes_before;             /* the text is the one before the previous junction */
    bool lanes_beside;             /* two texts */
    bool segregated;               /* the arc out of it */
    uint16_t roads[HT__ROADS_MAX]; /* bearing * 2 + entry */
};

enum {
    HT__SET_BITS = 18,
    HT__SETS = 1 << HT__SET_BITS,
    HT__WAYS = 4, /* places of a set */
    HT__KNOWN = 16,
    HT__ROADS_KEPT = 6, /* turns at wider junctions are rare, and not kept */
};

/* The same in 32 bytes. */
struct ht__slot {
    _Atomic uint64_t name;  /* in << 32 | out, mixed with a hash of all that follows */
    _Atomic uint64_t roads; /* ten bits each */
    _Atomic uint64_t costs; /* 16 bits each: generation, weight_ms, duration_ms (UINT16_MAX: more
                               than fits, the graph knows), before */
    _Atomic uint64_t rest;  /* 16 bits after, 8 each: type, modifier, in_road + 16 * out_road,
                               lane_first (and HT__LANES_BESIDE), lane_valid, about (road_count and
                               the bits below) */
};

enum { HT__SEGREGATED = 16, HT__ASKED_FOR = 32, HT__TAKEN = 64, HT__LANES_BEFORE = 128 };
enum { HT__LANES_BESIDE = 128 };

struct ht_guide_memory {
    void *block;
    struct ht__slot *slots; /* [HT__SETS][HT__WAYS], on pairs of lines; touched as it fills */
    pthread_mutex_t lock;   /* of what follows */
    struct {
        uint64_t network_id;
        const struct ht_graph *graph;
        uint64_t generation; /* its turns are kept under a number of their own */
    } known[HT__KNOWN];
    uint32_t known_next;
    uint64_t last_generation;
};

struct ht__memory {
    struct ht_guide_memory *table;
    struct ht_guide_memory *own; /* NULL: it is shared */
    uint64_t network_id;         /* what the last leg was about; 0: nothing is kept for another */
    const struct ht_graph *graph;
    uint64_t generation;
};

HT_MUST_CHECK enum ht_status ht__memory_init(struct ht__memory *memory);
void ht__memory_share(struct ht__memory *memory, struct ht_guide_memory *table);
void ht__memory_deinit(struct ht__memory *memory);

/* What is known of a graph's turns is used again; another network, or one that can't be told from
 * another (0), begins with nothing. */
void ht__memory_begin(struct ht__memory *memory, const struct ht_graph *graph, uint64_t network_id);

/* Brings what may be known of the turns of all these arcs nearer (engine/road/gather.h). */
void ht__memory_gather(const struct ht__memory *memory, const uint32_t *arcs, uint32_t count);

/* False: it is not known. */
bool ht__memory_find(const struct ht__memory *memory, const struct ht__map *map, uint32_t in,
                     uint32_t out, struct ht__turn *turn);
void ht__memory_keep(struct ht__memory *memory, const struct ht__turn *turn);

static inline struct ht__slot *ht__memory_set(const struct ht__memory *memory, uint32_t in)
{
    return &memory->table->slots[(size_t)(in % HT__SETS) * HT__WAYS];
}

#endif
