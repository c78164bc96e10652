/* Given: the times of routes that somebody else made, and which rules they break (VROOM's plan
 * mode).
 *
 * The order stands; when everything happens is chosen so that the sum of what is too early and too
 * late is least, then the end is earliest, then all before it latest. Forced times come before
 * windows. With one window each that is exact: the sum as a function of a step's time is convex
 * and piecewise linear, and only its breakpoints are kept ("slope trick", after Bellman's isotonic
 * regressions):
 *
 *        too early  \            / too late
 *                    \__________/             [ least ]: where the step may stand for nothing
 *
 * then the way to the next step forgets the right side (one may wait) and moves the left one.
 * Of several windows the one counts with which the sum is least (engine/plan/given_windows.h); in
 * routes of thousands of such steps the first that is not over when the step could begin.
 * The way before a break is driven before it.
 *
 * Threading: pure function. Ownership: the plan is the caller's, for ht_given_free. Cost: up to
 * quadratic in a route's steps.
 */
#ifndef HT_ENGINE_PLAN_GIVEN_H
#define HT_ENGINE_PLAN_GIVEN_H

#include "engine/plan/problem.h"

#define HT_GIVEN_FAR (INT64_C(1) << 50)

struct ht_given_step {
    enum ht_plan_step_kind kind; /* HT_STEP_TASK or HT_STEP_BREAK; start and end: forced times */
    uint32_t index;
    struct ht_window forced; /* it begins within this; +-HT_GIVEN_FAR: at any time */
};

/* The first step is the start, the last the end. */
struct ht_given_route {
    uint32_t vehicle;
    uint32_t step_count;
    const struct ht_given_step *steps;
};

/* Routes by vehicle; each task and break in them once at most. HT_INVALID: there is no way between
 * two steps, or forced times exclude each other (the error's line is the vehicle); HT_NOMEM. The
 * plan's routes have faults. */
HT_MUST_CHECK enum ht_status ht_given_plan(const struct ht_problem *problem,
                                           const struct ht_given_route *routes, uint32_t count,
                                           struct ht_plan **out, struct ht_error *error);
void ht_given_free(struct ht_plan *plan);

#endif
