/* Check: whether an answer keeps every rule of its problem and costs what it says.
 *
 * Written from engine/plan/problem.h alone; shares no code with the search. Every answer of every
 * test goes through it, and in builds without NDEBUG every answer of ht_solve_run.
 *
 * Threading: pure function. Cost: linear in the steps.
 */
#ifndef HT_ENGINE_PLAN_CHECK_H
#define HT_ENGINE_PLAN_CHECK_H

#include "engine/plan/problem.h"

/* HT_OK, or HT_INVALID with the first rule that is broken; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_plan_check(const struct ht_problem *problem,
                                           const struct ht_plan *plan, struct ht_error *error);

#endif
