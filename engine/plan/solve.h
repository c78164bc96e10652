/* Solve: a good answer to a problem of engine/plan/problem.h, the better the longer it may look.
 *
 * Ruin and recreate: strings of neighbouring stops are taken out of a few routes and put back where
 * they cost least, with some places overlooked by chance; a worse answer is kept by the rule of
 * simulated annealing (SISR: Christiaens and Vanden Berghe 2020, "Slack Induction by String
 * Removals"). While a task is left over, and to get by with fewer vehicles where these cost
 * something, the one that was left over most often wins (their sums of absences).
 *
 *      route a:  s--1--2--[3--4]--5--e        ruin: strings near a seed leave
 *      route b:  s--6--[7]--8--9--e
 *      absent:   3 4 7   ->  each back to its cheapest place that keeps all rules
 *
 * Whether a stop fits between two others is asked in constant time: each stop of a route knows how
 * early one can leave it, how late one may come, and the greatest load before and behind it (after
 * Savelsbergh 1992 and Vidal et al. 2013; with breaks, one such time for each number of breaks
 * taken so far).
 *
 * A step that can only be undone is given up at once. Where there is time for it, polishing is cut
 * into legs that begin elsewhere (engine/plan/solve_course.h), and the threads go on from the best
 * of all in the last. With a number of
 * iterations (and time enough) the same problem, seed and number of threads give the same answer.
 *
 * Threading: one call makes its own threads. Ownership: the plan is the caller's, for ht_plan_free.
 */
#ifndef HT_ENGINE_PLAN_SOLVE_H
#define HT_ENGINE_PLAN_SOLVE_H

#include "engine/plan/problem.h"

struct ht_solve_progress {
    uint64_t iterations; /* of each thread */
    int64_t elapsed_ms;
    uint32_t missing; /* tasks */
    uint32_t routes;
    int64_t cost; /* in 1 / HT_COST_SCALE */
};

/* Whose list of tasks breaks a rule, and which of them nobody like it could serve alone;
 * HT_PLAN_NONE: only together they break it. */
struct ht_solve_broken {
    uint32_t vehicle;
    uint32_t task;
};

struct ht_solve_options {
    int64_t limit_ms;    /* from the call to the answer; 0: none, then iterations must be given */
    uint64_t iterations; /* of each thread; 0: as many as time allows */
    unsigned threads;    /* 0: one */
    uint64_t seed;
    /* The vehicles' tasks are a good answer already: it is not walked away from as far. */
    bool warm;
    /* Not NULL: lists of vehicles that neither pin nor reload are begun with as they are, or it is
     * HT_INVALID and here is whose. NULL: as much of each is taken as keeps the rules. */
    struct ht_solve_broken *whole;
    const bool *cancel; /* may be NULL; set (atomically) from any thread: no answer */
    const bool *enough; /* may be NULL; set so: the answer so far is the answer */
    /* After each round, on the calling thread; may be NULL. */
    void (*progress)(void *user, const struct ht_solve_progress *progress);
    void *user;
};

/* HT_INVALID, HT_RANGE, HT_TOO_BIG: as ht_problem_check, or pinned tasks can't be kept; HT_NOMEM;
 * HT_CANCELLED. A deadline is kept but for the first answer, which is always made. */
HT_MUST_CHECK enum ht_status ht_solve_run(const struct ht_problem *problem,
                                          const struct ht_solve_options *options,
                                          struct ht_plan **out, struct ht_error *error);
void ht_plan_free(struct ht_plan *plan);

#endif
