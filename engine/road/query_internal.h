/* Query internals, shared with matrix and alternatives. */
#ifndef HT_ENGINE_ROAD_QUERY_INTERNAL_H
#define HT_ENGINE_ROAD_QUERY_INTERNAL_H

#include "engine/road/guided.h"
#include "engine/road/query.h"
#include "engine/road/search.h"

/* The seeds of a place. Costs from a source count from its arcs' tails, which lie before the place;
 * `bias` was added to keep them positive and is to be taken off the total. */
struct ht_seeds {
    struct ht_seed *list;
    uint32_t *side; /* which side of the place each belongs to */
    uint32_t count;
    struct ht_key bias;
    size_t list_capacity;
    size_t side_capacity;
    bool all_turns; /* the metric does not tell which of them serve */
};

enum { HT_PATHS_KEPT = 8 };

struct ht_kept_path {
    uint32_t *arcs;
    uint32_t count;
    size_t capacity;
};

struct ht_query {
    struct ht_search *search;
    struct ht_guided *guided; /* NULL until first wanted */
    uint32_t guided_most;
    struct ht_search *check; /* for the T-test of alternatives; NULL until first wanted */
    struct ht_seeds sources;
    struct ht_seeds targets;
    struct ht_kept_path paths[HT_PATHS_KEPT];
};

void ht_seeds_deinit(struct ht_seeds *seeds);
HT_MUST_CHECK enum ht_status ht__seeds_add(struct ht_seeds *seeds, struct ht_seed seed,
                                           uint32_t side);
HT_MUST_CHECK enum ht_status ht__seeds_source(struct ht_seeds *seeds, const struct ht_road *road,
                                              const struct ht_place *place, unsigned sides);
HT_MUST_CHECK enum ht_status ht__seeds_target(struct ht_seeds *seeds, const struct ht_road *road,
                                              const struct ht_place *place, unsigned sides);

/* True when a trip between the two may stay on one arc, or begins on one that is closed in part:
 * such pairs are answered one by one. */
bool ht__one_by_one(const struct ht_road *road, const struct ht_place *a, const struct ht_place *b);

/* Keeps a way over vertices as arcs in paths[slot], `first` (HT_NONE: none) before them. */
HT_MUST_CHECK enum ht_status ht__keep_path(struct ht_query *query, const struct ht_road *road,
                                           uint32_t first, const uint32_t *vertices, uint32_t count,
                                           uint32_t slot);

/* Fills in arcs, sides and (unless the way stays within one arc: `direct`) the whole length. */
void ht__describe_path(const struct ht_query *query, const struct ht_road *road,
                       const struct ht_place *source, const struct ht_place *target, uint32_t slot,
                       bool direct, struct ht_way_found *out);

/* The public form; right for ways below 4,295 km. */
struct ht_cost ht__cost_of(struct ht_key key);

#endif
