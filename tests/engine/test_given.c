/* Times of given routes: the least sum of too early and too late against all times there are, and
 * each cause by itself. */
#include "engine/plan/given.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_plan.h"

enum { STEPS = 7, BEFORE = 110, TIMES = 240 }; /* times from -BEFORE on are tried */

static struct ht_random_plan random_plan;
static struct ht_given_step steps[STEPS];

static struct ht_window all_time(void)
{
    return (struct ht_window){-HT_GIVEN_FAR, HT_GIVEN_FAR};
}

/* A route of all tasks in their order, with small times, some of them forced. */
static struct ht_given_route stage(uint64_t *state, uint32_t tasks)
{
    ht_random_plan(&random_plan, state, 0, tasks, 1);
    random_plan.vehicles[0].window.from_s = ht_random_below(state, 20);
    random_plan.vehicles[0].window.to_s = 20 + ht_random_below(state, 30);
    for (uint32_t i = 0; i < HT_RP_PLACES * HT_RP_PLACES; i++) {
        random_plan.duration[0][i] = ht_random_below(state, 9);
    }
    for (uint32_t i = 0; i < tasks + 2; i++) {
        steps[i] = (struct ht_given_step){.kind = i == 0           ? HT_STEP_START
                                                  : i == tasks + 1 ? HT_STEP_END
                                                                   : HT_STEP_TASK,
                                          .index = i == 0 || i == tasks + 1 ? 0 : i - 1,
                                          .forced = all_time()};
        if (ht_random_below(state, 5) == 0) {
            steps[i].forced.from_s = ht_random_below(state, 40);
            steps[i].forced.to_s = steps[i].forced.from_s + ht_random_below(state, 20);
        }
        if (i > 0 && i <= tasks) {
            struct ht_task *task = &random_plan.tasks[i - 1];
            task->service_s = ht_random_below(state, 5);
            task->setup_s = ht_random_below(state, 3);
            task->windows = random_plan.windows[i - 1];
            task->window_count = ht_random_below(state, 4);
            int64_t from_s = ht_random_below(state, 40);
            for (uint32_t w = 0; w < task->window_count; w++) {
                random_plan.windows[i - 1][w].from_s = from_s;
                random_plan.windows[i - 1][w].to_s = from_s + ht_random_below(state, 10);
                from_s = random_plan.windows[i - 1][w].to_s + 1 + ht_random_below(state, 20);
            }
        }
    }
    return (struct ht_given_route){.step_count = tasks + 2, .steps = steps};
}

static int64_t off(const struct ht_window *window, int64_t time_s)
{
    return time_s < window->from_s ? window->from_s - time_s
           : time_s > window->to_s ? time_s - window->to_s
                                   : 0;
}

/* From the nearest of several; none: any time is right. */
static int64_t off_any(const struct ht_window *windows, uint32_t count, int64_t time_s)
{
    int64_t least = count == 0 ? 0 : INT64_MAX;
    for (uint32_t w = 0; w < count; w++) {
        int64_t each = off(&windows[w], time_s);
        least = each < least ? each : least;
    }
    return least;
}

/* By trying all times; -1: it can't be done. */
static int64_t oracle(const struct ht_given_route *route, const struct ht_plan *plan)
{
    static int64_t sum[STEPS][TIMES];
    for (uint32_t i = 0; i < route->step_count; i++) {
        const struct ht_plan_step *step = &plan->routes[0].steps[i];
        const struct ht_task *task = &random_plan.tasks[route->steps[i].index];
        bool is_task = route->steps[i].kind == HT_STEP_TASK;
        int64_t spent_s = i == 0 ? 0
                                 : (int64_t)step[-1].setup_s + step[-1].service_s + step->travel_s -
                                       step[-1].travel_s;
        const struct ht_window *windows = is_task ? task->windows : &random_plan.vehicles[0].window;
        uint32_t count = is_task ? task->window_count : 1;
        for (int64_t t = 0; t < TIMES; t++) {
            int64_t before = i == 0 ? 0 : INT64_MAX / 2;
            for (int64_t b = 0; i > 0 && b + spent_s <= t; b++) {
                before = sum[i - 1][b] < before ? sum[i - 1][b] : before;
            }
            sum[i][t] = off(&route->steps[i].forced, t - BEFORE) > 0
                            ? INT64_MAX / 2
                            : before + off_any(windows, count, t - BEFORE);
        }
    }
    int64_t least = INT64_MAX / 2;
    for (int64_t t = 0; t < TIMES; t++) {
        int64_t end = sum[route->step_count - 1][t];
        least = end < least ? end : least;
    }
    return least;
}

HT_CASE(the_sum_of_early_and_late_is_least)
{
    uint64_t state = 5;
    int done = 0;
    for (int i = 0; i < 3000; i++) {
        struct ht_plan *plan = NULL;
        struct ht_error error = {0};
        struct ht_given_route route = stage(&state, 1 + ht_random_below(&state, STEPS - 2));
        enum ht_status status = ht_given_plan(&random_plan.problem, &route, 1, &plan, &error);
        if (status == HT_INVALID) { /* forced times that exclude each other */
            HT_CHECK(strstr(error.message, "can't be driven") != NULL);
            continue;
        }
        HT_REQUIRE(status == HT_OK);
        const struct ht_plan_route *out = &plan->routes[0];
        int64_t sum = 0;
        for (uint32_t s = 0; s < out->step_count; s++) {
            int64_t begin_s = out->steps[s].arrival_s + out->steps[s].waiting_s;
            sum += out->faults[s].lead_s + out->faults[s].delay_s;
            HT_CHECK(out->steps[s].waiting_s >= 0);
            HT_CHECK_INT(off(&steps[s].forced, begin_s), 0);
            HT_CHECK(s == 0 || out->steps[s].arrival_s ==
                                   out->steps[s - 1].arrival_s + out->steps[s - 1].waiting_s +
                                       out->steps[s - 1].setup_s + out->steps[s - 1].service_s +
                                       out->steps[s].travel_s - out->steps[s - 1].travel_s);
        }
        HT_CHECK_INT(sum, oracle(&route, plan));
        HT_CHECK_INT(sum,
                     out->faults[out->step_count].lead_s + out->faults[out->step_count].delay_s);
        ht_given_free(plan);
        done++;
    }
    HT_CHECK(done > 1000);
}

HT_CASE(each_broken_rule_is_named)
{
    uint64_t state = 9;
    struct ht_plan *plan = NULL;
    struct ht_error error = {0};
    uint64_t rare = 1 << 5;
    const int64_t light[2] = {0, 0};
    struct ht_window any = {0, 100000};
    struct ht_given_route route = stage(&state, 4);
    struct ht_vehicle *van = &random_plan.vehicles[0];
    struct ht_plan_break rests[2] = {{.windows = &any, .window_count = 1, .load_most = light},
                                     {.windows = &any, .window_count = 1}};
    for (uint32_t i = 0; i < 6; i++) {
        steps[i].forced = all_time();
    }
    van->breaks = rests;
    van->break_count = 2; /* one is forgotten */
    van->tasks_most = 2;
    van->travel_most_s = 0;
    van->distance_most_m = 0;
    random_plan.capacity[0][0] = 0;
    random_plan.tasks[0].skills = &rare;
    random_plan.tasks[1].kind = HT_TASK_PICKUP; /* its delivery is not in the route */
    random_plan.tasks[2].kind = HT_TASK_DELIVERY;
    random_plan.tasks[1].delivery = random_plan.tasks[2].delivery = NULL;
    random_plan.tasks[1].pickup = random_plan.tasks[2].pickup = random_plan.amounts[1][0];
    random_plan.amounts[1][0][0] = 3;
    steps[3] = (struct ht_given_step){.kind = HT_STEP_BREAK, .index = 0, .forced = all_time()};
    HT_REQUIRE(ht_given_plan(&random_plan.problem, &route, 1, &plan, &error) == HT_OK);
    const struct ht_plan_fault *faults = plan->routes[0].faults;
    HT_CHECK((faults[1].causes >> HT_CAUSE_SKILLS & 1) != 0);
    HT_CHECK((faults[2].causes >> HT_CAUSE_PRECEDENCE & 1) != 0);
    HT_CHECK((faults[2].causes >> HT_CAUSE_LOAD & 1) != 0);
    HT_CHECK((faults[3].causes >> HT_CAUSE_MAX_LOAD & 1) != 0);
    HT_CHECK((faults[4].causes >> HT_CAUSE_MAX_TASKS & 1) != 0);
    HT_CHECK((faults[5].causes >> HT_CAUSE_MAX_DISTANCE & 1) != 0);
    HT_CHECK((faults[6].causes >> HT_CAUSE_MISSING_BREAK & 1) != 0);
    HT_CHECK((faults[1].causes >> HT_CAUSE_PRECEDENCE & 1) == 0);
    HT_CHECK_INT(plan->missing_count, 1);
    HT_CHECK_INT(plan->missing[0].task, 2);
    ht_given_free(plan);
}

HT_CASE(without_memory_there_is_no_plan_and_no_harm)
{
    uint64_t state = 5;
    struct ht_given_route route = stage(&state, 2);
    for (int i = 0; i < 4; i++) {
        steps[i].forced = all_time();
    }
    for (long n = 0;; n++) {
        struct ht_plan *plan = NULL;
        struct ht_error error = {0};
        ht_oom_arm(n);
        enum ht_status status = ht_given_plan(&random_plan.problem, &route, 1, &plan, &error);
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        ht_given_free(plan);
        if (!failed) {
            break;
        }
    }
}

HT_MAIN()
