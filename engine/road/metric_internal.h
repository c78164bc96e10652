/* Metric internals, shared by customization (whole, partial, perfect) and its tests. */
#ifndef HT_ENGINE_ROAD_METRIC_INTERNAL_H
#define HT_ENGINE_ROAD_METRIC_INTERNAL_H

#include "engine/road/customize.h"

struct ht_metric_owned {
    struct ht_metric view;
    struct ht_climb *climb;
    struct ht_far_parent *far_parent;
    uint32_t far_parent_count;
    uint64_t *time[2]; /* out, in; NULL in a trimmed one with brief times */
    uint32_t *length[2];
    uint32_t *via[2];   /* of a whole metric */
    uint16_t *depth[2]; /* the rest of a trimmed one; a whole one has the hierarchy's depths */
    uint32_t *brief[2];
    uint64_t *wide[2];
    uint32_t wide_count[2];
    uint16_t *step[2];
    struct ht_far_via *far[2];
    uint32_t far_count[2];
};

/* A whole metric of the right size: edges are not filled in. */
HT_MUST_CHECK enum ht_status ht__metric_new(const struct ht_cch *cch, struct ht_metric_owned **out);

/* Points the view to what is owned. */
void ht__metric_attach(struct ht_metric_owned *metric, const struct ht_cch *cch);

/* What decides on the forms of a trimmed metric; tests want the rare ones. */
struct ht__trim_limits {
    uint32_t far_from;     /* steps from so many on are listed as far, at most HT_STEP_FAR */
    uint32_t wide_percent; /* times are brief where no more than these are wide */
};
HT_MUST_CHECK enum ht_status ht__metric_trim(const struct ht_cch *cch, struct ht_pool *pool,
                                             struct ht_metric_owned *metric,
                                             struct ht__trim_limits limits);

/* Subtrees of the elimination tree as tasks for threads. Work goes by rounds: in one, each subtree
 * of at most so many vertices is a task, without those in it that have at most `done` below them
 * (themselves included): they belong to another round. */
struct ht__subtree {
    uint32_t first; /* ranks [first, root] */
    uint32_t root;
};

struct ht__subtrees {
    uint32_t *size;
    struct ht__subtree *tasks;
    size_t task_count;
    uint32_t done;
};

enum { HT__ROUNDS = 4 };

HT_MUST_CHECK enum ht_status ht__subtrees_init(struct ht__subtrees *trees,
                                               const struct ht_cch *cch);
void ht__subtrees_deinit(struct ht__subtrees *trees);
/* Finds the tasks of a round: of small subtrees in round 0, of the top of the tree in the last. */
void ht__subtrees_round(struct ht__subtrees *trees, const struct ht_cch *cch, int round);

/* The tentative row of one vertex, by tree depth; false: out of memory, to be freed all the same.
 */
HT_MUST_CHECK bool ht__lane_init(struct ht_lane *lane, uint32_t levels);
void ht__lane_deinit(struct ht_lane *lane);

/* What the edge of a turn costs under an overlay: the arc before it, and the turn. */
struct ht_key ht__turn_key(const struct ht_graph *graph, const struct ht_overlay *overlay,
                           uint32_t from, uint32_t turn);

#endif
