/* Stable: who gets which post, where both sides have wishes: no two would rather have each other.
 *
 *      inspector a: 1 2        post 1 (one place): b a         b--1   a--2
 *      inspector b: 1          post 2 (two places): a          a wants 1, but 1 has b, whom it
 * prefers
 *
 * Hospitals and residents (Gale and Shapley 1962, "College Admissions and the Stability of
 * Marriage"): each applicant proposes down its list; a post keeps the best it has been offered, up
 * to its places. The outcome is the best that any stable one gives each applicant, and in every
 * stable one the same applicants stay without (rural hospitals: Roth 1986). Who is not on a list is
 * not acceptable; lists hold each once, and need not agree: a pair counts where each has the other.
 *
 * Threading: pure function. Ownership: the problem is borrowed for the call. Cost: linear in the
 * lists, and applicants * posts of memory.
 */
#ifndef HT_ENGINE_PLAN_STABLE_H
#define HT_ENGINE_PLAN_STABLE_H

#include <stdint.h>

#include "engine/base/status.h"

#define HT_STABLE_NONE UINT32_MAX

enum { HT_STABLE_PAIRS_MOST = 64 << 20 };

struct ht_stable_list {
    const uint32_t *wanted; /* the most wanted first */
    uint32_t count;
};

struct ht_stable_problem {
    uint32_t applicant_count;
    uint32_t post_count;
    const struct ht_stable_list *applicants; /* of posts */
    const struct ht_stable_list *posts;      /* of applicants */
    const uint32_t *places;                  /* [posts]; NULL: one each */
};

/* post_of[applicants]: HT_STABLE_NONE: none. HT_INVALID: a list names somebody twice or who isn't
 * there; HT_TOO_BIG: more pairs than HT_STABLE_PAIRS_MOST; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_stable_match(const struct ht_stable_problem *problem,
                                             uint32_t *post_of, struct ht_error *error);

#endif
