#include "engine/plan/solve.h"

#include <stdlib.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/base/pool.h"
#include "engine/plan/check.h"
#include "engine/plan/solve_course.h"

enum {
    ROUNDS = 200,        /* where iterations are counted */
    ROUND_NS = 10000000, /* where time is */
    THREADS_MOST = 64,
    SPARE_NS = 2000000, /* for writing the answer */
};

struct run {
    const struct ht_problem *problem;
    const struct ht_solve_options *options;
    struct ht__model *model;
    struct ht_pool *pool;
    struct ht__walker *walkers;
    struct ht__course course;
    unsigned threads;
    int64_t begun_ns;
    int64_t deadline_ns; /* 0: none */
    uint64_t iterations; /* of each thread, so far */
    uint64_t all;        /* of all threads */
    uint64_t round;      /* iterations of the next */
};

static int64_t now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool is_set(const bool *flag)
{
    return flag != NULL && __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static bool cancelled(const struct run *run)
{
    return is_set(run->options->cancel);
}

/* ---- before ---- */

static bool reload_in(const struct ht_problem *problem, const struct ht_vehicle *vehicle,
                      uint32_t stop)
{
    uint32_t reload = stop - problem->task_count;
    return reload < problem->reload_count && (vehicle->reloads >> reload & 1) != 0;
}

/* Each task is in one vehicle's list once at most, a shipment whole and the pickup first; what is
 * pinned is whole, too. */
static enum ht_status lists_check(const struct ht_problem *problem, struct ht_error *error)
{
    uint32_t *seen = ht_array_new_zeroed(problem->task_count, sizeof *seen);
    enum ht_status status = HT_OK;
    if (seen == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (uint32_t v = 0; status == HT_OK && v < problem->vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &problem->vehicles[v];
        uint32_t open = 0; /* shipments on board */
        for (uint32_t i = 0; status == HT_OK && i <= vehicle->task_count; i++) {
            if ((i == vehicle->pinned || i == vehicle->task_count) && open > 0) {
                status = ht_error_set(error, HT_INVALID, 0,
                                      "vehicle %u: its tasks hold half of a shipment", (unsigned)v);
            }
            uint32_t task = i < vehicle->task_count ? vehicle->tasks[i] : 0;
            if (status != HT_OK || i == vehicle->task_count ||
                (task >= problem->task_count && reload_in(problem, vehicle, task))) {
                continue;
            }
            if (task >= problem->task_count || seen[task] != 0 ||
                (problem->tasks[task].kind == HT_TASK_DELIVERY && seen[task - 1] != v + 1)) {
                status = ht_error_set(error, HT_INVALID, 0,
                                      "vehicle %u: its tasks repeat one or are out of order",
                                      (unsigned)v);
                continue;
            }
            seen[task] = v + 1;
            open += problem->tasks[task].kind == HT_TASK_PICKUP;
            open -= problem->tasks[task].kind == HT_TASK_DELIVERY;
        }
    }
    free(seen);
    return status;
}

/* So many vehicles are needed for the loads alone. */
static uint32_t fewest_of(const struct ht__model *model)
{
    /* with more trips than one a vehicle's capacity says nothing */
    uint32_t amounts = model->problem->reload_count > 0 ? 0 : model->problem->amounts;
    int64_t fewest = 1;
    for (uint32_t d = 0; d < amounts; d++) {
        int64_t most = 0;
        int64_t up = 0;
        int64_t down = 0;
        for (uint32_t c = 0; c < model->class_count; c++) {
            int64_t capacity = model->classes[c].capacity[d];
            most = capacity > most ? capacity : most;
        }
        for (uint32_t i = 0; i < model->item_count; i++) {
            up += model->pickup[(size_t)model->items[i] * amounts + d];
            down += model->delivery[(size_t)model->items[i] * amounts + d];
        }
        int64_t sum = up > down ? up : down;
        if (most > 0 && (sum + most - 1) / most > fewest) {
            fewest = (sum + most - 1) / most;
        }
    }
    return (uint32_t)fewest;
}

static void walker_begin(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    struct ht__walker *walker = &run->walkers[piece];
    (void)worker;
    walker->status =
        ht__search_begin(walker->search, run->options->whole != NULL, &walker->vehicle);
}

/* A vehicle's list, or what is pinned of it, breaks a rule. */
static enum ht_status broken_tell(const struct run *run, uint32_t v, struct ht_error *error)
{
    const struct ht_vehicle *vehicle = &run->problem->vehicles[v];
    const uint8_t *reason = run->model->classes[run->model->class_of[v]].reason;
    struct ht_solve_broken *whole = run->options->whole;
    uint32_t i = vehicle->pinned > 0 ? vehicle->task_count : 0;
    while (i < vehicle->task_count && reason[vehicle->tasks[i]] == HT_REASON_NONE) {
        i++;
    }
    if (whole != NULL) {
        whole->vehicle = v;
        whole->task = i < vehicle->task_count ? vehicle->tasks[i] : HT_PLAN_NONE;
    }
    return ht_error_set(error, HT_INVALID, 0, "vehicle %u: its %stasks break a rule", (unsigned)v,
                        vehicle->pinned > 0 ? "pinned " : "");
}

static enum ht_status run_begin(struct run *run, struct ht_error *error)
{
    enum ht_status status = ht__model_new(run->problem, &run->model);
    if (status == HT_TOO_BIG) {
        return ht_error_set(error, status, 0, "too many tasks for so many different vehicles");
    }
    if (status == HT_RANGE) { /* in VROOM's words */
        return ht_error_set(error, HT_INVALID, 0,
                            "Too high cost values, stopping to avoid overflowing.");
    }
    run->walkers = ht_array_new_zeroed(run->threads, sizeof *run->walkers);
    if (status == HT_OK) {
        status = run->walkers == NULL ? HT_NOMEM : ht_pool_new(run->threads, &run->pool);
    }
    for (unsigned i = 0; status == HT_OK && i < run->threads; i++) {
        status = ht__search_new(run->model, run->options->seed * THREADS_MOST + i,
                                &run->walkers[i].search);
    }
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    run->course = (struct ht__course){.model = run->model,
                                      .walkers = run->walkers,
                                      .threads = run->threads,
                                      .warm = run->options->warm,
                                      .fewest = fewest_of(run->model),
                                      .seed = run->options->seed * THREADS_MOST};
    ht_pool_run(run->pool, run->threads, walker_begin, run);
    for (unsigned i = 0; i < run->threads; i++) {
        if (run->walkers[i].status == HT_INVALID) {
            return broken_tell(run, run->walkers[i].vehicle, error);
        }
        if (run->walkers[i].status != HT_OK) {
            return ht_error_set(error, run->walkers[i].status, 0, NULL);
        }
    }
    return HT_OK;
}

/* ---- rounds ---- */

/* How much of what it may take has been taken. */
static double share_of(const struct run *run)
{
    double share = 0;
    if (run->options->iterations > 0) {
        share = (double)run->iterations / (double)run->options->iterations;
    } else {
        share = (double)(now_ns() - run->begun_ns) / (double)(run->deadline_ns - run->begun_ns);
    }
    return share > 1 ? 1 : share;
}

static void walker_round(void *user, size_t piece, size_t worker)
{
    struct run *run = user;
    struct ht__walker *walker = &run->walkers[piece];
    (void)worker;
    if (!run->course.breeds) {
        walker->status = ht__search_round(walker->search, &walker->round, &walker->done);
        return;
    }
    ht__breed_round(walker->breed, &walker->round, &walker->done);
    const struct ht__answer *best = ht__breed_best(walker->breed);
    bool better = ht__answer_better(best, ht__search_best(walker->search));
    walker->status = better ? ht__search_adopt(walker->search, best) : HT_OK;
}

/* About so many iterations of each thread are to come. */
static double left_of(const struct run *run, double share)
{
    if (run->options->iterations > 0) {
        return (double)(run->options->iterations - run->iterations);
    }
    return share > 0 ? (double)run->iterations / share * (1 - share) : 0;
}

static uint64_t round_size(const struct run *run)
{
    uint64_t all = run->options->iterations;
    if (all == 0) {
        return run->round;
    }
    uint64_t size = (all + ROUNDS - 1) / ROUNDS;
    return all - run->iterations < size ? all - run->iterations : size;
}

static enum ht_status run_round(struct run *run)
{
    double share = share_of(run);
    uint64_t size = round_size(run);
    double next = run->options->iterations > 0
                      ? share + (double)size / (double)run->options->iterations
                      : share + (double)ROUND_NS / (double)(run->deadline_ns - run->begun_ns);
    enum ht_status status = ht__course_turn(&run->course, share, next, left_of(run, share));
    if (status != HT_OK) {
        return status;
    }
    int64_t from_ns = now_ns();
    for (unsigned i = 0; i < run->threads; i++) {
        run->walkers[i].round.iterations = size;
        run->walkers[i].round.deadline_ns = run->deadline_ns;
        run->walkers[i].round.cancel = run->options->cancel;
    }
    ht_pool_run(run->pool, run->threads, walker_round, run);
    for (unsigned i = 0; i < run->threads; i++) {
        run->all += run->walkers[i].done;
        status = run->walkers[i].status != HT_OK ? run->walkers[i].status : status;
    }
    run->iterations += size;
    double factor = (double)ROUND_NS / (double)(now_ns() - from_ns + 1);
    factor = factor < 0.5 ? 0.5 : factor > 2 ? 2 : factor;
    run->round = (uint64_t)((double)run->round * factor) + 1;
    return status;
}

static bool run_over(const struct run *run)
{
    return cancelled(run) || is_set(run->options->enough) ||
           (run->deadline_ns != 0 && now_ns() >= run->deadline_ns) ||
           (run->options->iterations != 0 && run->iterations >= run->options->iterations);
}

static void run_tell(const struct run *run)
{
    if (run->options->progress == NULL) {
        return;
    }
    const struct ht__answer *best = ht__course_best(&run->course);
    const struct ht_solve_progress progress = {.iterations = run->iterations,
                                               .elapsed_ms = (now_ns() - run->begun_ns) / 1000000,
                                               .missing = best->absent,
                                               .routes = best->used,
                                               .cost = best->cost};
    run->options->progress(run->options->user, &progress);
}

/* Nothing but the order of one stop, or nothing at all, could be changed. */
static bool trivial(const struct run *run)
{
    return run->model->item_count == 0 ||
           (run->model->item_count == 1 && run->model->class_count == 1);
}

static enum ht_status run_search(struct run *run)
{
    enum ht_status status = HT_OK;
    run_tell(run);
    while (status == HT_OK && !trivial(run) && !run_over(run)) {
        status = run_round(run);
        run_tell(run);
    }
    return status == HT_OK && cancelled(run) ? HT_CANCELLED : status;
}

static void run_end(struct run *run)
{
    for (unsigned i = 0; run->walkers != NULL && i < run->threads; i++) {
        ht__search_free(run->walkers[i].search);
        ht__breed_free(run->walkers[i].breed);
    }
    free(run->walkers);
    ht_pool_free(run->pool);
    ht__model_free(run->model);
}

enum ht_status ht_solve_run(const struct ht_problem *problem,
                            const struct ht_solve_options *options, struct ht_plan **out,
                            struct ht_error *error)
{
    struct run run = {.problem = problem,
                      .options = options,
                      .threads = options->threads == 0             ? 1
                                 : options->threads > THREADS_MOST ? THREADS_MOST
                                                                   : options->threads,
                      .begun_ns = now_ns(),
                      .round = 16};
    struct ht_plan *plan = NULL;
    if (options->limit_ms <= 0 && options->iterations == 0) {
        return ht_error_set(error, HT_INVALID, 0, "neither a limit of time nor of iterations");
    }
    if (options->limit_ms > 0) {
        run.deadline_ns = run.begun_ns + options->limit_ms * 1000000;
        run.deadline_ns -= options->limit_ms > 20 ? SPARE_NS : 0;
    }
    enum ht_status status = ht_problem_check(problem, error);
    if (status == HT_OK) {
        status = lists_check(problem, error);
    }
    if (status != HT_OK) {
        return status;
    }
    status = run_begin(&run, error);
    if (status == HT_OK) {
        status = run_search(&run);
        if (status == HT_OK) {
            status = ht__plan_make(run.model, ht__course_best(&run.course), &plan);
        }
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    if (status == HT_OK) {
        plan->iterations = run.all;
        plan->time_ms = (now_ns() - run.begun_ns) / 1000000;
#ifndef NDEBUG
        status = ht_plan_check(problem, plan, error);
#endif
    }
    run_end(&run);
    if (status != HT_OK) {
        ht_plan_free(plan);
        return status;
    }
    *out = plan;
    return HT_OK;
}
