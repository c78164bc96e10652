#include "engine/plan/rounds.h"

#include <time.h>

#include "engine/plan/rounds_internal.h"

enum ht_status ht_rounds_run(const struct ht_rounds_problem *problem,
                             const struct ht_rounds_options *options, struct ht_rounds_plan **out,
                             struct ht_error *error)
{
    struct timespec now = {0};
    struct ht__rounds r;
    struct ht_rounds_plan *plan = NULL;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct ht__rounds_limits limits = {.options = options,
                                       .begun_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec};
    *out = NULL;
    if (options->limit_ms < 0 || (options->limit_ms == 0 && options->iterations == 0)) {
        return ht_error_set(error, HT_INVALID, 0, "neither a limit nor iterations are given");
    }
    enum ht_status status = ht_rounds_problem_check(problem, error);
    if (status != HT_OK) {
        return status;
    }
    status = ht__rounds_init(&r, problem);
    if (status == HT_OK) {
        r.random = options->seed;
        ht__rounds_begin(&r);
        status = r.full ? HT_NOMEM : ht__rounds_search(&r, &limits);
    }
    if (status == HT_OK) {
        ht__rounds_order(&r);
        status = ht__rounds_answer(&r, &plan);
    }
    ht__rounds_deinit(&r);
#ifndef NDEBUG
    status = status == HT_OK ? ht_rounds_check(problem, plan, error) : status;
#endif
    if (status != HT_OK) {
        ht_rounds_free(plan);
        return status == HT_INVALID ? status : ht_error_set(error, status, 0, NULL);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    plan->iterations = limits.iterations;
    plan->time_ms = ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - limits.begun_ns) / 1000000;
    *out = plan;
    return HT_OK;
}
