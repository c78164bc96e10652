/* Cover: the choice that covers most, where each of some groups may change what it covers.
 *
 * A group is a unit that may move (its options: the places it may go to, its `kept` set: whom it
 * reaches where it is) or a site that may be built (one option, nothing kept). Chosen are at most
 * `most` options, one of a group; a group without one covers what it kept. The value of a choice is
 * the weight of all items that `base`, a kept set or a chosen option covers.
 *
 *     kept  u1 ####....    u2 ..###...        u1 -> c:  gains ....##..  loses ##......
 *     option c ....##..
 *
 * Way: from the choice of nothing on, the best single change (an option taken, exchanged or given
 * up) again and again until none is better. Then branch and bound, as far as `nodes_most` and the
 * deadline allow: often small cases are proven best.
 *
 * Proven of the value V that is returned, against the best value B of any choice:
 *
 *   exact                       V = B
 *   no kept sets                V - base >= (1 - 1/e) (B - base) where each group has one option
 *                               (Nemhauser, Wolsey, Fisher 1978), 1/2 with several (Fisher,
 *                               Nemhauser, Wolsey 1978: greedy over a matroid)
 *   kept sets, most >= groups   V >= B / 2: no change of one group is better, which in a partition
 *                               matroid is half the best (the same 1978 paper)
 *   else                        none beforehand
 *   always                      B <= at_most: a choice adds at most what its options add, each by
 *                               itself, to everything that is covered now or was at first (the
 *                               bound that comes with the data: Minoux 1978, who is also whose lazy
 *                               evaluation this is; Leskovec et al. 2007)
 *
 * Threading: pure. Ownership: the problem is borrowed for the call, the plan is the caller's.
 * Errors: HT_NOMEM; HT_RANGE (an option of a group or set that is not there).
 */
#ifndef HT_ENGINE_PLAN_COVER_H
#define HT_ENGINE_PLAN_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

#define HT_COVER_NONE UINT32_MAX

struct ht_cover_option {
    uint32_t group;
    uint32_t set;
    uint32_t cost; /* of options that do equally well the cheapest is taken */
};

struct ht_cover_problem {
    uint32_t item_count;
    const uint32_t *weights;     /* [item_count], NULL: 1 each */
    const uint64_t *const *sets; /* of items, a bit each, in words of 64 */
    uint32_t set_count;
    uint32_t base; /* a set that is covered in any case; HT_COVER_NONE: none */
    uint32_t group_count;
    const uint32_t *kept; /* [group_count] set or HT_COVER_NONE; NULL: none of them keeps any */
    const struct ht_cover_option *options;
    uint32_t option_count;
    uint32_t most;
    uint32_t nodes_most; /* of the exact search; 0: it is left out */
    int64_t deadline_ns; /* by CLOCK_MONOTONIC, of the exact search; 0: none */
};

/* What is known of the value. */
enum ht_cover_proof {
    HT_COVER_EXACT,
    HT_COVER_GREEDY, /* 1 - 1/e */
    HT_COVER_HALF,
    HT_COVER_BOUND, /* at_most alone */
};

struct ht_cover_plan {
    uint32_t *chosen; /* options, in the order in which they pay best one after the other */
    uint32_t count;
    int64_t before; /* value of choosing nothing */
    int64_t value;
    int64_t at_most;
    enum ht_cover_proof proof;
    uint32_t nodes; /* that the exact search looked at */
};

HT_MUST_CHECK enum ht_status ht_cover_solve(const struct ht_cover_problem *problem,
                                            struct ht_cover_plan *out);
void ht_cover_plan_deinit(struct ht_cover_plan *plan);

/* What is covered when these options are chosen: words of `out`. */
void ht_cover_union(const struct ht_cover_problem *problem, const uint32_t *chosen, uint32_t count,
                    uint64_t *out);
/* The weight of a set of items. */
int64_t ht_cover_weight(const struct ht_cover_problem *problem, const uint64_t *set);

#endif
