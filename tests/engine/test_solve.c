#include "engine/plan/solve.h"

#include "engine/plan/check.h"
#include "engine/plan/solve_internal.h"
#include "engine/plan/solve_search.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_plan.h"

static struct ht_random_plan random_plan;

static enum ht_status solve(const struct ht_problem *problem, uint64_t iterations, unsigned threads,
                            struct ht_plan **plan)
{
    struct ht_error error = {0};
    const struct ht_solve_options options = {
        .iterations = iterations, .threads = threads, .seed = 7};
    enum ht_status status = ht_solve_run(problem, &options, plan, &error);
    if (status != HT_OK) {
        (void)printf("  solve: %s\n", error.message);
    }
    return status;
}

static bool good(const struct ht_problem *problem, const struct ht_plan *plan)
{
    struct ht_error error = {0};
    bool is = ht_plan_check(problem, plan, &error) == HT_OK;
    if (!is) {
        (void)printf("  check: %s\n", error.message);
    }
    return is;
}

/* Each thing by itself, then any together that may be. */
static unsigned has_of(uint64_t *state, uint32_t i)
{
    unsigned has = i < HT_RP_BITS ? 1U << i : ht_random_below(state, 1U << HT_RP_BITS);
    has |= (has & HT_RP_STANDS) != 0 ? HT_RP_SETUPS : 0U;
    has |= (has & HT_RP_LIGHT) != 0 ? HT_RP_BREAKS : 0U;
    return (has & (HT_RP_RIDES | HT_RP_DUE | HT_RP_TAGS)) != 0 ? has & ~(unsigned)HT_RP_BREAKS
                                                               : has;
}

HT_CASE(random_problems_keep_every_rule)
{
    uint64_t state = 1;
    uint32_t served = 0;
    uint32_t rounds = HT_LONG ? 3000 : 250;
    for (uint32_t i = 0; i < rounds; i++) {
        unsigned has = has_of(&state, i);
        struct ht_plan *plan = NULL;
        ht_random_plan(&random_plan, &state, has, 1 + ht_random_below(&state, HT_RP_TASKS),
                       1 + ht_random_below(&state, HT_RP_VEHICLES));
        HT_REQUIRE(solve(&random_plan.problem, 300, 1 + i % 2, &plan) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plan));
        served += random_plan.problem.task_count - plan->missing_count;
        for (uint32_t m = 0; m < plan->missing_count; m++) {
            HT_CHECK(plan->missing[m].reason != HT_REASON_NONE);
        }
        ht_plan_free(plan);
    }
    HT_CHECK(served > rounds * 5);
}

/* ---- the best of all plans, by trying them all ---- */

struct oracle {
    const struct ht_problem *problem;
    uint32_t order[8]; /* items in the order they are dealt out */
    int64_t best_weight;
    int64_t best_cost;
    uint32_t route[4][16];
    uint32_t length[4];
    bool alone[4][16]; /* the vehicle could go for this item and nothing else */
};

static uint32_t halves(const struct oracle *o, uint32_t task)
{
    return o->problem->tasks[task].kind == HT_TASK_PICKUP ? 2 : 1;
}

/* A shipment weighs as its two tasks. */
static int64_t weight_of(const struct oracle *o, uint32_t task)
{
    return ((int64_t)o->problem->tasks[task].priority * (o->problem->task_count + 1) + 1) *
           halves(o, task);
}

static int64_t begin_of(const struct ht_task *task, int64_t time_s)
{
    if (task->window_count == 0) {
        return time_s;
    }
    for (uint32_t w = 0; w < task->window_count; w++) {
        if (time_s <= task->windows[w].to_s) {
            return time_s > task->windows[w].from_s ? time_s : task->windows[w].from_s;
        }
    }
    return INT64_MAX;
}

/* Loads and unloads; false: more than it holds. */
static bool load_change(const struct ht_vehicle *vehicle, const struct ht_task *task, int64_t *load)
{
    for (int d = 0; d < 2; d++) {
        int64_t up = task->pickup == NULL ? 0 : task->pickup[d];
        load[d] += task->kind == HT_TASK_DELIVERY ? -up : up;
        load[d] -= task->kind == HT_TASK_JOB && task->delivery != NULL ? task->delivery[d] : 0;
        if (load[d] > vehicle->capacity[d]) {
            return false;
        }
    }
    return true;
}

/* What a route costs, walked plainly; -1: it breaks a rule. No breaks, setups, limits or skills. */
static int64_t route_cost(const struct oracle *o, uint32_t v)
{
    const struct ht_problem *p = o->problem;
    const struct ht_vehicle *vehicle = &p->vehicles[v];
    const struct ht_plan_profile *profile = &p->profiles[vehicle->profile];
    int64_t load[2] = {0};
    int64_t time_s = vehicle->window.from_s;
    int64_t cost = vehicle->fixed * HT_COST_SCALE;
    int64_t spent_s = 0;
    uint32_t at = vehicle->start;
    for (uint32_t i = 0; i < o->length[v]; i++) {
        const struct ht_task *task = &p->tasks[o->route[v][i]];
        for (int d = 0; d < 2; d++) {
            load[d] += task->kind == HT_TASK_JOB && task->delivery != NULL ? task->delivery[d] : 0;
        }
    }
    for (uint32_t i = 0; i <= o->length[v]; i++) {
        const struct ht_task *task = i < o->length[v] ? &p->tasks[o->route[v][i]] : NULL;
        uint32_t to = task == NULL ? vehicle->end : task->location;
        size_t cell = (size_t)at * p->location_count + to;
        if (load[0] > vehicle->capacity[0] || load[1] > vehicle->capacity[1]) {
            return -1;
        }
        if (profile->duration_s[cell] == HT_PLAN_NO_WAY) {
            return -1;
        }
        time_s += profile->duration_s[cell];
        spent_s += profile->duration_s[cell];
        cost += (int64_t)profile->duration_s[cell] * vehicle->per_hour * 5 +
                (int64_t)profile->distance_m[cell] * vehicle->per_km * 18;
        at = to;
        if (task == NULL) {
            cost += p->balance * spent_s * spent_s / 720;
            return time_s <= vehicle->window.to_s ? cost : -1;
        }
        time_s = begin_of(task, time_s);
        if (time_s == INT64_MAX) {
            return -1;
        }
        cost += time_s > task->due_s ? (time_s - task->due_s) * task->late_per_hour * 5 : 0;
        cost += (int64_t)task->service_s * vehicle->per_task_hour * 5;
        time_s += task->service_s;
        spent_s += task->service_s;
        if (!load_change(vehicle, task, load)) {
            return -1;
        }
    }
    return cost;
}

static void oracle_count(struct oracle *o, int64_t weight)
{
    int64_t cost = 0;
    for (uint32_t v = 0; v < o->problem->vehicle_count; v++) {
        int64_t one = o->length[v] == 0 ? 0 : route_cost(o, v);
        if (one < 0) {
            return;
        }
        cost += one;
    }
    if (weight > o->best_weight || (weight == o->best_weight && cost < o->best_cost)) {
        o->best_weight = weight;
        o->best_cost = cost;
    }
}

static void slot_in(struct oracle *o, uint32_t v, uint32_t at, uint32_t task)
{
    memmove(&o->route[v][at + 1], &o->route[v][at], (o->length[v]++ - at) * sizeof(uint32_t));
    o->route[v][at] = task;
}

static void slot_out(struct oracle *o, uint32_t v, uint32_t at)
{
    memmove(&o->route[v][at], &o->route[v][at + 1], (--o->length[v] - at) * sizeof(uint32_t));
}

/* A vehicle serves only what it could go for alone, whatever else would lead there. */
static void oracle_alone(struct oracle *o)
{
    for (uint32_t v = 0; v < o->problem->vehicle_count; v++) {
        for (uint32_t task = 0; task < o->problem->task_count; task += halves(o, task)) {
            o->length[v] = halves(o, task);
            o->route[v][0] = task;
            o->route[v][1] = task + 1;
            o->alone[v][task] = route_cost(o, v) >= 0;
            o->length[v] = 0;
        }
    }
}

/* Deals out task by task to every place of every route, or leaves it. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are tasks
static void oracle_deal(struct oracle *o, uint32_t task, int64_t weight)
{
    if (task >= o->problem->task_count) {
        oracle_count(o, weight);
        return;
    }
    uint32_t count = halves(o, task);
    oracle_deal(o, task + count, weight);
    weight += weight_of(o, task);
    for (uint32_t v = 0; v < o->problem->vehicle_count; v++) {
        for (uint32_t i = 0; o->alone[v][task] && i <= o->length[v]; i++) {
            slot_in(o, v, i, task);
            if (count == 1) {
                oracle_deal(o, task + 1, weight);
            }
            for (uint32_t j = i + 1; count == 2 && j <= o->length[v]; j++) {
                slot_in(o, v, j, task + 1);
                oracle_deal(o, task + 2, weight);
                slot_out(o, v, j);
            }
            slot_out(o, v, i);
        }
    }
}

HT_CASE(tiny_problems_are_solved_best)
{
    uint64_t state = 3;
    for (uint32_t i = 0; i < (HT_LONG ? 300U : 60U); i++) {
        struct ht_plan *plan = NULL;
        ht_random_plan(&random_plan, &state,
                       HT_RP_SHIPMENTS | HT_RP_TIMES | (i % 2 == 0 ? HT_RP_CROOKED : 0U) |
                           (i % 3 == 0 ? HT_RP_DUE : 0U) | (i % 5 == 0 ? HT_RP_WORK : 0U) |
                           (i % 7 == 0 ? HT_RP_BALANCE : 0U),
                       1 + ht_random_below(&state, 5), 1 + ht_random_below(&state, 2));
        struct oracle oracle = {
            .problem = &random_plan.problem, .best_weight = -1, .best_cost = INT64_MAX};
        HT_REQUIRE(solve(&random_plan.problem, 3000, 2, &plan) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plan));
        oracle_alone(&oracle);
        oracle_deal(&oracle, 0, 0);
        int64_t weight = 0;
        for (uint32_t t = 0; t < random_plan.problem.task_count; t += halves(&oracle, t)) {
            weight += weight_of(&oracle, t);
        }
        for (uint32_t m = 0; m < plan->missing_count; m++) {
            const struct ht_task *task = &random_plan.tasks[plan->missing[m].task];
            weight -=
                task->kind == HT_TASK_DELIVERY ? 0 : weight_of(&oracle, plan->missing[m].task);
        }
        HT_CHECK_INT(weight, oracle.best_weight);
        HT_CHECK_INT(plan->cost, oracle.best_cost);
        ht_plan_free(plan);
    }
}

static bool same(const struct ht_plan *a, const struct ht_plan *b)
{
    if (a->route_count != b->route_count || a->cost != b->cost ||
        a->missing_count != b->missing_count) {
        return false;
    }
    for (uint32_t r = 0; r < a->route_count; r++) {
        const struct ht_plan_route *x = &a->routes[r];
        const struct ht_plan_route *y = &b->routes[r];
        if (x->vehicle != y->vehicle || x->step_count != y->step_count) {
            return false;
        }
        for (uint32_t s = 0; s < x->step_count; s++) {
            if (x->steps[s].index != y->steps[s].index ||
                x->steps[s].arrival_s != y->steps[s].arrival_s) {
                return false;
            }
        }
    }
    return true;
}

HT_CASE(the_same_seed_iterations_and_threads_give_the_same_answer)
{
    uint64_t state = 11;
    for (int i = 0; i < 8; i++) {
        struct ht_plan *one = NULL;
        struct ht_plan *two = NULL;
        ht_random_plan(&random_plan, &state, i < 4 ? HT_RP_TIMES : HT_RP_ALL, HT_RP_TASKS, 6);
        HT_REQUIRE(solve(&random_plan.problem, 1000, 2, &one) == HT_OK);
        HT_REQUIRE(solve(&random_plan.problem, 1000, 2, &two) == HT_OK);
        HT_CHECK(same(one, two));
        ht_plan_free(one);
        ht_plan_free(two);
    }
}

/* Both ways to see where an item fits, and what a route is once it is there. */
static bool alike_after(const struct ht__model *model, struct ht__route *plain,
                        struct ht__route *general, uint32_t item)
{
    struct ht__blink never = {.left = UINT32_MAX};
    struct ht__spots one = {.most = HT__SPOTS};
    for (int i = 0; i < HT__SPOTS; i++) {
        one.best[i].cost = INT64_MAX;
    }
    struct ht__spots two = one;
    ht__plain_spots(model, plain, item, &never, &one);
    ht__route_spots(model, general, item, &never, &two);
    bool same = true;
    for (int i = 0; i < HT__SPOTS; i++) {
        same = same && one.best[i].cost == two.best[i].cost &&
               one.best[i].first == two.best[i].first && one.best[i].last == two.best[i].last;
    }
    if (one.best[0].cost == INT64_MAX || !same) {
        return same;
    }
    same = ht__route_room(model, plain, plain->count + 2) == HT_OK &&
           ht__route_room(model, general, general->count + 2) == HT_OK &&
           ht__plain_put(model, plain, item, &one.best[0]) &&
           ht__route_put(model, general, item, &two.best[0]) && plain->cost == general->cost;
    for (uint32_t p = 0; same && p <= plain->count; p++) {
        same = plain->leave[p] == general->leave[p] && plain->edge[p] == general->edge[p] &&
               (plain->latest[p + 1] == general->latest[p + 1] ||
                (plain->latest[p + 1] < 0 && general->latest[p + 1] < 0)) &&
               (model->deliveries
                    ? p > 0 || plain->load[0] == general->load[0]
                    : memcmp(plain->load + 2 * (size_t)p, general->load + 2 * (size_t)p, 16) == 0);
    }
    return same;
}

/* Long enough that polishing is cut into legs. */
HT_CASE(legs_give_the_same_answer_again)
{
    uint64_t state = 12;
    for (uint32_t i = 0; i < (HT_LONG ? 6U : 2U); i++) {
        struct ht_plan *plans[3] = {NULL};
        ht_random_plan(&random_plan, &state, HT_RP_TIMES | (i % 2 == 0 ? 0U : HT_RP_SHIPMENTS), 16,
                       5);
        for (uint32_t v = 0; v < 5; v++) {
            random_plan.vehicles[v].fixed = 1000;
        }
        HT_REQUIRE(solve(&random_plan.problem, 90000, 2, &plans[0]) == HT_OK);
        HT_REQUIRE(solve(&random_plan.problem, 90000, 2, &plans[1]) == HT_OK);
        HT_REQUIRE(solve(&random_plan.problem, 3000, 1, &plans[2]) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plans[0]));
        HT_CHECK(same(plans[0], plans[1]));
        HT_CHECK(plans[0]->missing_count <= plans[2]->missing_count);
        HT_CHECK(plans[0]->missing_count < plans[2]->missing_count ||
                 plans[0]->cost <= plans[2]->cost);
        for (int p = 0; p < 3; p++) {
            ht_plan_free(plans[p]);
        }
    }
}

HT_CASE(the_plain_way_sees_what_the_general_one_does)
{
    uint64_t state = 41;
    uint32_t put = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 2000U : 200U); i++) {
        struct ht__model *model = NULL;
        ht_random_plan(&random_plan, &state,
                       HT_RP_TIMES | (i % 2 == 0 ? HT_RP_SHIPMENTS : 0U) |
                           (i % 3 == 0 ? HT_RP_CROOKED : 0U),
                       HT_RP_TASKS, 2);
        for (uint32_t t = 0; t < HT_RP_TASKS; t++) {
            random_plan.tasks[t].window_count = random_plan.tasks[t].window_count > 0 ? 1 : 0;
            random_plan.tasks[t].pickup = i % 4 == 1 ? NULL : random_plan.tasks[t].pickup;
        }
        HT_REQUIRE(ht__model_new(&random_plan.problem, &model) == HT_OK);
        struct ht__class general = model->classes[0];
        general.plain = false;
        struct ht__route routes[2] = {{.c = &model->classes[0]}, {.c = &general}};
        HT_REQUIRE(model->classes[0].plain && ht__route_room(model, &routes[0], 2) == HT_OK &&
                   ht__route_room(model, &routes[1], 2) == HT_OK);
        HT_CHECK(ht__plain_update(model, &routes[0]) && ht__route_update(model, &routes[1]));
        for (uint32_t n = 0; n < model->item_count; n++) {
            if (general.reason[model->items[n]] == HT_REASON_NONE) {
                HT_CHECK(alike_after(model, &routes[0], &routes[1], model->items[n]));
            }
        }
        put += routes[0].count;
        ht__route_deinit(&routes[0]);
        ht__route_deinit(&routes[1]);
        ht__model_free(model);
    }
    HT_CHECK(put > 1000);
}

HT_CASE(who_may_reload_makes_several_trips)
{
    uint64_t state = 47;
    for (uint32_t trips = 0; trips <= 4; trips++) {
        struct ht_plan *plan = NULL;
        ht_random_plan(&random_plan, &state, HT_RP_TRIPS, 6, 1);
        random_plan.vehicles[0].trips_most = trips;
        random_plan.vehicles[0].reloads = 2;
        random_plan.vehicles[0].window.to_s = 1000000;
        random_plan.capacity[0][0] = 2;
        random_plan.capacity[0][1] = 0;
        for (uint32_t t = 0; t < 6; t++) {
            random_plan.amounts[t][1][0] = 1;
            random_plan.amounts[t][1][1] = 0;
            random_plan.tasks[t].pickup = NULL;
            random_plan.tasks[t].priority = 0;
        }
        HT_REQUIRE(solve(&random_plan.problem, 300, 1, &plan) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plan));
        HT_CHECK_INT(plan->missing_count, trips >= 3 ? 0 : trips == 2 ? 2 : 4);
        uint32_t reloads = 0;
        for (uint32_t s = 0; s < plan->routes[0].step_count; s++) {
            reloads += plan->routes[0].steps[s].kind == HT_STEP_RELOAD;
        }
        HT_CHECK_INT(reloads, trips >= 3 ? 2 : trips == 2 ? 1 : 0);
        /* one trip more than it may make is found out */
        random_plan.vehicles[0].trips_most = reloads;
        HT_CHECK_INT(ht_plan_check(&random_plan.problem, plan, NULL),
                     reloads == 0 ? HT_OK : HT_INVALID);
        ht_plan_free(plan);
    }
}

/* A meal that may ride for 100 s, due at 1000 at the earliest, 50 s from where it is loaded. */
HT_CASE(a_ride_is_kept_short_by_waiting_where_one_loads)
{
    uint64_t state = 43;
    struct ht_window due = {1000, 2000};
    ht_random_plan(&random_plan, &state, 0, 2, 1);
    random_plan.tasks[0] = (struct ht_task){.kind = HT_TASK_PICKUP, .location = 0, .service_s = 10};
    random_plan.tasks[1] = (struct ht_task){.kind = HT_TASK_DELIVERY,
                                            .location = 1,
                                            .windows = &due,
                                            .window_count = 1,
                                            .ride_most_s = 100};
    random_plan.vehicles[0].start = 0;
    random_plan.vehicles[0].end = 0;
    random_plan.vehicles[0].window = (struct ht_window){0, 5000};
    random_plan.problem.location_count = 2;
    const uint32_t ways[] = {0, 50, 50, 0};
    memcpy(random_plan.duration[0], ways, sizeof ways);
    for (int i = 0; i < 3; i++) {
        struct ht_plan *plan = NULL;
        random_plan.tasks[1].ride_most_s = i == 2 ? 49 : 100;
        if (i == 1) { /* loaded at the start instead */
            random_plan.tasks[0].service_s = 300;
            random_plan.tasks[0].kind = random_plan.tasks[1].kind = HT_TASK_JOB;
        }
        HT_REQUIRE(solve(&random_plan.problem, 20, 1, &plan) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plan));
        HT_CHECK_INT(plan->missing_count, i == 2 ? 1 : 0);
        if (i == 0 && plan->route_count == 1) {
            const struct ht_plan_step *steps = plan->routes[0].steps;
            HT_CHECK(steps[2].arrival_s + steps[2].waiting_s - steps[1].arrival_s -
                         steps[1].waiting_s - 10 <=
                     100);
        }
        ht_plan_free(plan);
    }
}

/* A vehicle's stops of an answer, as a list for the next. */
static uint32_t list_of(const struct ht_problem *problem, const struct ht_plan_route *route,
                        uint32_t *list)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < route->step_count; s++) {
        if (route->steps[s].kind == HT_STEP_TASK) {
            list[count++] = route->steps[s].index;
        } else if (route->steps[s].kind == HT_STEP_RELOAD) {
            list[count++] = problem->task_count + route->steps[s].index;
        }
    }
    return count;
}

static int64_t served_weight(const struct ht_problem *problem, const struct ht_plan *plan)
{
    const struct oracle o = {.problem = problem};
    int64_t weight = 0;
    for (uint32_t t = 0; t < problem->task_count; t++) {
        weight += problem->tasks[t].kind == HT_TASK_DELIVERY ? 0 : weight_of(&o, t);
    }
    for (uint32_t m = 0; m < plan->missing_count; m++) {
        uint32_t t = plan->missing[m].task;
        weight -= problem->tasks[t].kind == HT_TASK_DELIVERY ? 0 : weight_of(&o, t);
    }
    return weight;
}

/* With its reloads and all, and with a part of it pinned. */
HT_CASE(an_answer_is_a_start_for_the_next)
{
    static uint32_t lists[HT_RP_VEHICLES][3 * HT_RP_TASKS];
    uint64_t state = 53;
    uint32_t pinned_reloads = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 1000U : 100U); i++) {
        unsigned has =
            HT_RP_TRIPS | HT_RP_TIMES |
            (ht_random_below(&state, 1U << HT_RP_BITS) & ~(unsigned)(HT_RP_BREAKS | HT_RP_LIGHT));
        struct ht_plan *plan = NULL;
        struct ht_plan *next = NULL;
        ht_random_plan(&random_plan, &state, has, 1 + ht_random_below(&state, HT_RP_TASKS),
                       1 + ht_random_below(&state, HT_RP_VEHICLES));
        HT_REQUIRE(solve(&random_plan.problem, 100, 1, &plan) == HT_OK);
        for (uint32_t r = 0; r < plan->route_count; r++) {
            struct ht_vehicle *vehicle = &random_plan.vehicles[plan->routes[r].vehicle];
            vehicle->tasks = lists[r];
            vehicle->task_count = list_of(&random_plan.problem, &plan->routes[r], lists[r]);
            /* not between halves of a shipment, and an end that is a task */
            for (uint32_t p = 0, open = 0; p < vehicle->task_count && p < 8; p++) {
                uint32_t stop = lists[r][p];
                bool reload = stop >= random_plan.problem.task_count;
                open += !reload && random_plan.tasks[stop].kind == HT_TASK_PICKUP;
                open -= !reload && random_plan.tasks[stop].kind == HT_TASK_DELIVERY;
                vehicle->pinned = i % 2 == 1 && open == 0 && !reload ? p + 1 : vehicle->pinned;
            }
            for (uint32_t p = 0; p < vehicle->pinned; p++) {
                pinned_reloads += lists[r][p] >= random_plan.problem.task_count;
            }
        }
        HT_REQUIRE(solve(&random_plan.problem, 100, 1, &next) == HT_OK);
        HT_CHECK(good(&random_plan.problem, next));
        int64_t before = served_weight(&random_plan.problem, plan);
        int64_t after = served_weight(&random_plan.problem, next);
        HT_CHECK(after > before || (after == before && next->cost <= plan->cost));
        ht_plan_free(plan);
        ht_plan_free(next);
    }
    HT_CHECK(pinned_reloads > 10);
}

/* What a running plan does not have is where it is searched first; what it has is not, nor is
 * anything where all is new. */
HT_CASE(what_the_lists_leave_out_is_new)
{
    static uint32_t lists[HT_RP_VEHICLES][3 * HT_RP_TASKS];
    uint64_t state = 57;
    uint32_t looked = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < 50; i++) {
        struct ht_plan *plan = NULL;
        struct ht__model *model = NULL;
        struct ht__search *search = NULL;
        uint32_t vehicle = 0;
        uint32_t out = HT_PLAN_NONE;
        ht_random_plan(&random_plan, &state, i % 2 == 0 ? HT_RP_TIMES : 0U, 24, 8);
        HT_REQUIRE(ht__model_new(&random_plan.problem, &model) == HT_OK);
        HT_REQUIRE(ht__search_new(model, i, &search) == HT_OK);
        HT_REQUIRE(ht__search_begin(search, false, &vehicle) == HT_OK);
        HT_CHECK_INT(search->fresh_count, 0);
        ht__search_free(search);
        HT_REQUIRE(solve(&random_plan.problem, 100, 1, &plan) == HT_OK);
        for (uint32_t r = 0; r < plan->route_count; r++) {
            struct ht_vehicle *of = &random_plan.vehicles[plan->routes[r].vehicle];
            of->tasks = lists[r];
            of->task_count = list_of(&random_plan.problem, &plan->routes[r], lists[r]);
            if (out == HT_PLAN_NONE && of->task_count > 1) {
                out = lists[r][--of->task_count];
            }
        }
        HT_REQUIRE(ht__search_new(model, i, &search) == HT_OK);
        HT_REQUIRE(ht__search_begin(search, false, &vehicle) == HT_OK);
        if (1 + plan->missing_count <= model->item_count / 8) {
            looked++;
            HT_CHECK(search->fresh_count >= 1 && search->fresh_count <= 1 + plan->missing_count);
            for (uint32_t f = 0; f < search->fresh_count; f++) {
                found += search->fresh[f] == out;
            }
        }
        ht__search_free(search);
        ht__model_free(model);
        ht_plan_free(plan);
    }
    HT_CHECK(looked > 10);
    HT_CHECK_INT(found, looked);
}

/* A stop that two vehicles could serve, the other 20 s nearer. */
HT_CASE(a_task_leaves_its_home_only_for_more_than_the_price)
{
    uint64_t state = 59;
    for (int64_t price = 0; price <= 40; price++) {
        struct ht_plan *plan = NULL;
        ht_random_plan(&random_plan, &state, 0, 1, 2);
        random_plan.problem.location_count = 3;
        const uint32_t ways[] = {0, 50, 50, 50, 0, 40, 50, 40, 0};
        memcpy(random_plan.duration[0], ways, sizeof ways);
        for (uint32_t v = 0; v < 2; v++) {
            random_plan.vehicles[v] = (struct ht_vehicle){.start = v,
                                                          .end = v,
                                                          .capacity = random_plan.capacity[v],
                                                          .window = {0, 5000},
                                                          .tasks_most = UINT32_MAX,
                                                          .travel_most_s = HT_PLAN_UNLIMITED,
                                                          .distance_most_m = HT_PLAN_UNLIMITED,
                                                          .per_hour = 3600};
        }
        random_plan.tasks[0] = (struct ht_task){.location = 2, .home = 0, .move_cost = price};
        HT_REQUIRE(solve(&random_plan.problem, 50, 1, &plan) == HT_OK);
        HT_CHECK(good(&random_plan.problem, plan));
        HT_REQUIRE(plan->route_count == 1);
        if (price != 20) {
            HT_CHECK_INT(plan->routes[0].vehicle, price < 20 ? 1 : 0);
        }
        HT_CHECK_INT(plan->cost, HT_COST_SCALE * (price < 20 ? 80 + price : 100));
        ht_plan_free(plan);
    }
}

HT_CASE(pinned_stops_stay_first_and_in_order)
{
    uint64_t state = 17;
    const uint32_t list[] = {5, 2, 9, 0};
    ht_random_plan(&random_plan, &state, 0, 20, 3);
    for (int v = 0; v < 3; v++) {
        random_plan.capacity[v][0] = 1000;
        random_plan.capacity[v][1] = 1000;
        random_plan.vehicles[v].window.to_s = 1000000;
    }
    random_plan.vehicles[1].tasks = list;
    random_plan.vehicles[1].task_count = 4;
    random_plan.vehicles[1].pinned = 3;
    struct ht_plan *plan = NULL;
    HT_REQUIRE(solve(&random_plan.problem, 2000, 2, &plan) == HT_OK);
    HT_CHECK(good(&random_plan.problem, plan));
    bool found = false;
    for (uint32_t r = 0; r < plan->route_count; r++) {
        const struct ht_plan_step *steps = plan->routes[r].steps;
        if (plan->routes[r].vehicle == 1) {
            found = steps[1].index == 5 && steps[2].index == 2 && steps[3].index == 9;
        }
    }
    HT_CHECK(found);
    ht_plan_free(plan);
    /* what can't be kept is said, not dropped */
    struct ht_error error = {0};
    const struct ht_solve_options options = {.iterations = 10};
    random_plan.vehicles[1].window.to_s = 1;
    HT_CHECK_INT(ht_solve_run(&random_plan.problem, &options, &plan, &error), HT_INVALID);
    HT_CHECK_STR(error.message, "vehicle 1: its pinned tasks break a rule");
    /* and so is a list that is to be begun with as it is */
    struct ht_solve_broken broken = {HT_PLAN_NONE, HT_PLAN_NONE};
    const struct ht_solve_options whole = {.iterations = 10, .whole = &broken};
    random_plan.vehicles[1].pinned = 0;
    HT_CHECK_INT(ht_solve_run(&random_plan.problem, &whole, &plan, &error), HT_INVALID);
    HT_CHECK_INT(broken.vehicle, 1);
    HT_CHECK_INT(broken.task, list[0]);
    HT_CHECK_STR(error.message, "vehicle 1: its tasks break a rule");
    HT_REQUIRE(ht_solve_run(&random_plan.problem, &options, &plan, &error) == HT_OK);
    ht_plan_free(plan);
    const uint32_t twice[] = {5, 5};
    random_plan.vehicles[1].tasks = twice;
    random_plan.vehicles[1].task_count = 2;
    HT_CHECK_INT(ht_solve_run(&random_plan.problem, &options, &plan, &error), HT_INVALID);
}

HT_CASE(what_can_not_be_served_says_why)
{
    uint64_t state = 23;
    ht_random_plan(&random_plan, &state, 0, 5, 1);
    struct ht_window late = {900000, 900001};
    uint64_t rare = 1 << 5;
    int64_t huge[2] = {1000, 0};
    random_plan.tasks[0].skills = &rare;
    random_plan.tasks[1].delivery = huge;
    random_plan.tasks[2].windows = &late;
    random_plan.tasks[2].window_count = 1;
    random_plan.tasks[2].location = 0;
    random_plan.tasks[3].location = 1;
    random_plan.vehicles[0].start = 0;
    random_plan.vehicles[0].end = 0;
    random_plan.tasks[4].location = 0;
    random_plan.duration[0][1] = HT_PLAN_NO_WAY;
    struct ht_plan *plan = NULL;
    HT_REQUIRE(solve(&random_plan.problem, 50, 1, &plan) == HT_OK);
    HT_CHECK(good(&random_plan.problem, plan));
    HT_REQUIRE(plan->missing_count == 4);
    HT_CHECK_INT(plan->missing[0].reason, HT_REASON_SKILLS);
    HT_CHECK_INT(plan->missing[1].reason, HT_REASON_CAPACITY);
    HT_CHECK_INT(plan->missing[2].reason, HT_REASON_WINDOW);
    HT_CHECK_INT(plan->missing[3].reason, HT_REASON_NO_WAY);
    ht_plan_free(plan);
    /* limits by their names, and time where a limit is kept */
    static const enum ht_plan_reason limits[] = {HT_REASON_MAX_TASKS, HT_REASON_MAX_TRAVEL_TIME,
                                                 HT_REASON_MAX_DISTANCE, HT_REASON_WINDOW};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ht_random_plan(&random_plan, &state, 0, 1, 1);
        random_plan.vehicles[0].tasks_most = limits[i] == HT_REASON_MAX_TASKS ? 0 : 1;
        random_plan.vehicles[0].start = 0;
        random_plan.tasks[0].location = 1;
        random_plan.duration[0][1] = 70;
        random_plan.vehicles[0].profile = 0;
        random_plan.distance[1] = 700;
        random_plan.vehicles[0].travel_most_s =
            limits[i] == HT_REASON_MAX_TRAVEL_TIME ? 69 : HT_PLAN_UNLIMITED;
        random_plan.vehicles[0].distance_most_m =
            limits[i] == HT_REASON_MAX_DISTANCE ? 699 : HT_PLAN_UNLIMITED;
        late = (struct ht_window){0, limits[i] == HT_REASON_WINDOW ? 69 : 1000000};
        random_plan.tasks[0].windows = &late;
        random_plan.tasks[0].window_count = 1;
        HT_REQUIRE(solve(&random_plan.problem, 5, 1, &plan) == HT_OK);
        HT_REQUIRE(plan->missing_count == 1);
        HT_CHECK_INT(plan->missing[0].reason, limits[i]);
        ht_plan_free(plan);
    }
    /* the more important one is served where there is room for one */
    ht_random_plan(&random_plan, &state, 0, 2, 1);
    random_plan.vehicles[0].tasks_most = 1;
    random_plan.tasks[0].priority = 3;
    random_plan.tasks[1].priority = 4;
    HT_REQUIRE(solve(&random_plan.problem, 50, 1, &plan) == HT_OK);
    HT_REQUIRE(plan->missing_count == 1);
    HT_CHECK_INT(plan->missing[0].task, 0);
    HT_CHECK_INT(plan->missing[0].reason, HT_REASON_FULL);
    ht_plan_free(plan);
}

HT_CASE(the_check_finds_what_is_wrong)
{
    uint64_t state = 29;
    struct ht_plan *plan = NULL;
    ht_random_plan(&random_plan, &state, HT_RP_TIMES | HT_RP_SHIPMENTS | HT_RP_BREAKS, 30, 4);
    HT_REQUIRE(solve(&random_plan.problem, 300, 1, &plan) == HT_OK);
    HT_REQUIRE(plan->route_count > 0 && plan->routes[0].step_count > 3);
    HT_CHECK(good(&random_plan.problem, plan));
    struct ht_plan_step *steps = (struct ht_plan_step *)(uintptr_t)plan->routes[0].steps;
    uint32_t last = plan->routes[0].step_count - 1;
    for (uint32_t s = 0; s <= last; s++) {
        const struct ht_plan_step kept = steps[s];
        for (int change = 0; change < 7; change++) {
            steps[s] = kept;
            int64_t *numbers[] = {&steps[s].arrival_s, &steps[s].travel_s, &steps[s].waiting_s};
            if (change < 3) {
                *numbers[change] += 1;
            } else if (change == 3) {
                steps[s].service_s += 1;
            } else if (change == 4) {
                steps[s].setup_s += 1;
            } else if (change == 5) {
                steps[s].distance_m += s == last || steps[s].kind != HT_STEP_BREAK ? 1 : -1000000;
            } else if (s > 0 && s < last) {
                steps[s].index = steps[s].kind == HT_STEP_BREAK ? 7 : 1000;
            } else {
                continue;
            }
            HT_CHECK(ht_plan_check(&random_plan.problem, plan, NULL) == HT_INVALID ||
                     (s == 0 && change == 0 && steps[1].arrival_s == kept.arrival_s));
        }
        steps[s] = kept;
    }
    HT_CHECK(good(&random_plan.problem, plan));
    struct ht_plan cheaper = *plan;
    cheaper.cost -= 1;
    HT_CHECK_INT(ht_plan_check(&random_plan.problem, &cheaper, NULL), HT_INVALID);
    cheaper = *plan;
    cheaper.route_count -= 1;
    HT_CHECK_INT(ht_plan_check(&random_plan.problem, &cheaper, NULL), HT_INVALID);
    int64_t *load = (int64_t *)(uintptr_t)plan->routes[0].load;
    load[0] += 1;
    HT_CHECK_INT(ht_plan_check(&random_plan.problem, plan, NULL), HT_INVALID);
    load[0] -= 1;
    random_plan.capacity[plan->routes[0].vehicle][0] = 0;
    random_plan.capacity[plan->routes[0].vehicle][1] = 0;
    HT_CHECK_INT(ht_plan_check(&random_plan.problem, plan, NULL), HT_INVALID);
    ht_plan_free(plan);
}

static bool refused(enum ht_status want)
{
    struct ht_plan *plan = NULL;
    struct ht_error error = {0};
    const struct ht_solve_options options = {.iterations = 10};
    enum ht_status status = ht_solve_run(&random_plan.problem, &options, &plan, &error);
    ht_plan_free(plan);
    return status == want && error.message[0] != '\0';
}

HT_CASE(bad_problems_are_refused)
{
    uint64_t state = 31;
#define FRESH ht_random_plan(&random_plan, &state, HT_RP_TIMES, 6, 2)
    FRESH;
    random_plan.problem.vehicle_count = 0;
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.problem.location_count = 40000; /* before anything of that size is looked at */
    HT_CHECK(refused(HT_TOO_BIG));
    FRESH;
    random_plan.tasks[3].location = random_plan.problem.location_count;
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.amounts[2][1][0] = -1;
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.tasks[1].windows = random_plan.windows[1];
    random_plan.tasks[1].window_count = 1;
    random_plan.windows[1][0] = (struct ht_window){5, 4};
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.tasks[5].kind = HT_TASK_PICKUP;
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.vehicles[1].profile = 2;
    HT_CHECK(refused(HT_INVALID));
    FRESH;
    random_plan.vehicles[1].fixed = -1;
    HT_CHECK(refused(HT_INVALID));
#undef FRESH
}

HT_CASE(a_cancelled_search_gives_no_answer)
{
    uint64_t state = 37;
    bool cancel = true;
    struct ht_plan *plan = NULL;
    struct ht_error error = {0};
    const struct ht_solve_options options = {.iterations = 1000000, .cancel = &cancel};
    ht_random_plan(&random_plan, &state, HT_RP_TIMES, 40, 4);
    HT_CHECK_INT(ht_solve_run(&random_plan.problem, &options, &plan, &error), HT_CANCELLED);
    HT_CHECK(plan == NULL);
}

HT_CASE(without_memory_there_is_no_answer_and_no_harm)
{
    uint64_t state = 41;
    ht_random_plan(&random_plan, &state, HT_RP_ALL, 24, 4);
    const struct ht_solve_options options = {.iterations = 60, .threads = 1, .seed = 1};
    uint32_t answers = 0;
    for (long n = 0;; n++) {
        struct ht_plan *plan = NULL;
        struct ht_error error = {0};
        ht_oom_arm(n);
        enum ht_status status = ht_solve_run(&random_plan.problem, &options, &plan, &error);
        bool failed = ht_oom_disarm();
        HT_CHECK(status == HT_OK || status == HT_NOMEM);
        if (status == HT_OK) {
            answers++;
            HT_CHECK(good(&random_plan.problem, plan));
        }
        ht_plan_free(plan);
        if (!failed) {
            break;
        }
    }
    HT_CHECK_INT(answers, 1);
}

HT_MAIN()
