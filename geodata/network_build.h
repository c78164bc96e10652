/* Network build: from OSM entities and profiles to the network and one graph for each profile.
 *
 *   pass 1  ways and relations: every profile judges every way, ways that none can use are dropped
 *   pass 2  nodes that kept ways refer to: places, barriers, waits
 *   finish  names, node numbers, segment lengths: struct ht_network without graphs
 *   graph   per profile, one at a time, so that memory holds one: junctions, arcs, turns, copies,
 *           components
 *
 * Nothing in the data can make it fail: what is broken is counted in ht_build_counts and left out.
 * The result depends on the input alone, not on the number of threads.
 *
 * Threading: one thread calls; the pool does the work. Ownership: profiles and pool are borrowed
 * and must outlive the build; everything handed out belongs to the build or to the owned graph.
 */
#ifndef HT_GEODATA_NETWORK_BUILD_H
#define HT_GEODATA_NETWORK_BUILD_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/network.h"
#include "geodata/osm.h"
#include "geodata/profile.h"

/* A file, or (data != NULL) the same bytes in memory. */
struct ht_build_input {
    const char *path;
    const void *data;
    size_t size;
};

/* What was read, and what was wrong with it. */
struct ht_build_counts {
    uint64_t ways_read;
    uint64_t ways_kept;
    uint64_t nodes_read; /* those that kept ways refer to */
    uint64_t relations_read;
    uint64_t restrictions; /* turn restrictions among them */
    uint64_t duplicate_ways;
    uint64_t duplicate_nodes;
    uint64_t duplicate_relations;
    uint64_t nodes_out_of_range;
    uint64_t nodes_missing;
    uint64_t ways_cut;     /* some of their nodes are missing: the longest run is used */
    uint64_t ways_dropped; /* fewer than two nodes, or fewer than two left, or more than 65,535 */
    uint64_t restrictions_malformed;
    uint64_t restrictions_apart; /* their members do not touch */
    uint64_t conditions_unknown; /* hang on weather, weight or what no clock tells: left open */
};

/* The same for one graph. */
struct ht_graph_counts {
    uint32_t restrictions_used;       /* that forbid or force at least one turn */
    uint32_t restrictions_via_way;    /* of those, over one or more ways */
    uint32_t restrictions_timed;      /* of those, only at times */
    uint32_t restrictions_missing;    /* name ways or nodes that are not in the network */
    uint32_t restrictions_ambiguous;  /* do not say which way their members are driven */
    uint32_t restrictions_impossible; /* only_*, but that way can't be driven from there */
    uint32_t pieces_too_long; /* one segment longer than 4,295 km or than six days: left out */
    uint32_t pieces_repeated; /* between two nodes where a way was already: left out */
    uint32_t pieces_crowded;  /* at a junction of more than 250 streets: left out */
    uint32_t copies;
    uint32_t components;
    uint32_t small_arcs;
};

struct ht_network_build;
struct ht_graph_owned;

HT_MUST_CHECK enum ht_status ht_network_build_new(struct ht_profile *const *profiles,
                                                  size_t profile_count, struct ht_pool *pool,
                                                  struct ht_network_build **out);
void ht_network_build_free(struct ht_network_build *build);

/* Reads the inputs twice and makes the network. Later inputs lose where ids repeat. `progress` (may
 * be NULL) is called with bytes done of all, both passes together. Errors: those of ht_osm_read;
 * HT_EMPTY: no profile can use anything in it; HT_TOO_BIG: more than 2^32 - 2 nodes. */
HT_MUST_CHECK enum ht_status
ht_network_build_read(struct ht_network_build *build, const struct ht_build_input *inputs,
                      size_t count, void (*progress)(void *user, uint64_t done, uint64_t total),
                      void *user, struct ht_error *error);

/* The network without graphs; valid until the build is freed. */
const struct ht_network *ht_network_build_network(const struct ht_network_build *build);
const struct ht_build_counts *ht_network_build_counts(const struct ht_network_build *build);

/* The graph of profile `index`. HT_EMPTY: it can use no street here. */
HT_MUST_CHECK enum ht_status ht_network_build_graph(const struct ht_network_build *build,
                                                    size_t index, struct ht_graph_owned **out,
                                                    struct ht_graph_counts *counts);
const struct ht_graph *ht_graph_owned_view(const struct ht_graph_owned *graph);
void ht_graph_owned_free(struct ht_graph_owned *graph);

#endif
