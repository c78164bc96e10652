/* Label: the whole search space of one place, by tree depth.
 *
 * Each seed of the place has a branch: the cheapest cost of all its ancestors, over all seeds of
 * the place. Branches agree from the root down to the depth where the seeds' ways to the root have
 * met; `met` counts the levels they share.
 *
 * Threading: building needs a workspace for each thread; finished labels are read-only.
 */
#ifndef HT_ENGINE_ROAD_LABEL_H
#define HT_ENGINE_ROAD_LABEL_H

#include "engine/base/status.h"
#include "engine/road/query_internal.h"

/* One branch: arrays of `count` levels. */
struct ht_branch {
    uint32_t count;
    const uint32_t *vertex; /* rank by depth */
    const uint64_t *time;
    const uint32_t *length;
};

struct ht_label {
    uint32_t branch_count;
    uint32_t met; /* levels that all branches share; the first branch's where there is only one */
    struct ht_branch *branches;
    struct ht_key bias; /* to be taken off what is computed with it */
};

/* Labels of many places, in memory of their own. */
struct ht_label_store;

HT_MUST_CHECK enum ht_status ht_label_store_new(struct ht_label_store **out);
void ht_label_store_free(struct ht_label_store *store);
void ht_label_store_clear(struct ht_label_store *store);

/* The label of a place as source or as target; lives until the store is cleared. A place with no
 * usable side has no branches. */
HT_MUST_CHECK enum ht_status ht_label_build(struct ht_label_store *store,
                                            const struct ht_road *road,
                                            const struct ht_place *place, bool target,
                                            struct ht_label *out);

/* The cheapest way from one label to the other. */
struct ht_key ht_label_join(const struct ht_label *source, const struct ht_label *target);

#endif
