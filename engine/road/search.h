/* Search: the elimination-tree search between two sets of seeds, and the way it found as vertices.
 *
 *   root   .  \
 *          |   > common part: both searches, meeting points
 *          .  /
 *         / \
 *   front    front        each seed is a front that climbs its own way towards the root; the lowest
 *   of s     of t         front moves next; fronts of one side that meet are merged
 *
 * Each front has a lane: tentative costs of all vertices above it, indexed by tree depth.
 *
 * Threading: one workspace for each thread. Errors: HT_NOMEM, HT_NO_ROUTE.
 */
#ifndef HT_ENGINE_ROAD_SEARCH_H
#define HT_ENGINE_ROAD_SEARCH_H

#include <stdbool.h>

#include "engine/base/status.h"
#include "engine/road/cch.h"

struct ht_seed {
    uint32_t vertex; /* rank */
    struct ht_key key;
};

struct ht_search;

HT_MUST_CHECK enum ht_status ht_search_new(struct ht_search **out);
void ht_search_free(struct ht_search *search);

/* The cheapest source key + path + target key. HT_NO_ROUTE: none. */
HT_MUST_CHECK enum ht_status ht_search_cost(struct ht_search *search, const struct ht_cch *cch,
                                            const struct ht_metric *metric,
                                            const struct ht_seed *sources, uint32_t source_count,
                                            const struct ht_seed *targets, uint32_t target_count,
                                            struct ht_key *total);

/* The same, and what ht_search_path needs. */
HT_MUST_CHECK enum ht_status ht_search_run(struct ht_search *search, const struct ht_cch *cch,
                                           const struct ht_metric *metric,
                                           const struct ht_seed *sources, uint32_t source_count,
                                           const struct ht_seed *targets, uint32_t target_count,
                                           struct ht_key *total);

/* Costs up to (1 + share / 100) of the best are not pruned: what alternatives look among. 0 at
 * first. */
void ht_search_set_slack(struct ht_search *search, uint32_t percent);

/* After ht_search_run: the vertices from a source seed to a target seed, every arc of the way,
 * unpacked.
 * `*path` lives until the workspace's next call. */
HT_MUST_CHECK enum ht_status ht_search_path(struct ht_search *search,
                                            const struct ht_metric *metric, const uint32_t **path,
                                            uint32_t *count);

/* The same, but only edges with a bit in `only` (struct ht_unpack) are taken apart. */
HT_MUST_CHECK enum ht_status ht_search_path_only(struct ht_search *search,
                                                 const struct ht_metric *metric,
                                                 const uint64_t *only, const uint32_t **path,
                                                 uint32_t *count);

/* After ht_search_run: vertices that both searches reached, with the cost over them: candidates for
 * alternative ways. Sorted by cost. */
struct ht_meeting {
    uint32_t vertex;
    struct ht_key key;
    uint32_t forward; /* where each search stands, for ht_search_path_over */
    uint32_t backward;
};
uint32_t ht_search_meetings(const struct ht_search *search, const struct ht_meeting **list);

/* The way over one of the meetings. */
HT_MUST_CHECK enum ht_status ht_search_path_over(struct ht_search *search,
                                                 const struct ht_metric *metric,
                                                 const struct ht_meeting *meeting,
                                                 const uint32_t **path, uint32_t *count);

#endif
