/* Metric internals, shared by whole and partial customization and by their tests. */
#ifndef HT_ENGINE_ROAD_METRIC_INTERNAL_H
#define HT_ENGINE_ROAD_METRIC_INTERNAL_H

#include "engine/road/customize.h"

struct ht_metric_owned {
    struct ht_metric view;
    uint64_t *time[2]; /* out, in */
    uint32_t *length[2];
    uint32_t *via[2];
};

/* A metric of the right size, not filled. */
HT_MUST_CHECK enum ht_status ht__metric_new(const struct ht_cch *cch, struct ht_metric_owned **out);

/* What the edge of a turn costs under an overlay: the arc before it, and the turn. */
struct ht_key ht__turn_key(const struct ht_graph *graph, const struct ht_overlay *overlay,
                           uint32_t from, uint32_t turn);

#endif
