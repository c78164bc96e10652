/* Assignments: against all possibilities where these are few, against a plain min-cost flow
 * (Bellman-Ford) where not, and each plan against its own prices, which prove it. */
#include "engine/plan/assign.h"

#include <time.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { MOST_TASKS = 48, MOST_UNITS = 24, PRIORITIES = HT_ASSIGN_PRIORITY_MAX + 1 };

/* A problem and how it was made up. */
struct town {
    uint32_t tasks;
    uint32_t units;
    bool balanced;
    struct ht_assign_task task[MOST_TASKS];
    uint32_t cost[MOST_TASKS][MOST_UNITS];
    uint32_t capacity[MOST_UNITS];
};

struct shape {
    uint32_t tasks, units, places, capacity, priorities, weights, costs, forbidden_percent;
    bool balanced;
};

static void town_fill(struct town *town, const struct shape *shape, uint64_t *seed)
{
    *town =
        (struct town){.tasks = shape->tasks, .units = shape->units, .balanced = shape->balanced};
    for (uint32_t u = 0; u < shape->units; u++) {
        town->capacity[u] = ht_random_below(seed, shape->capacity + 1);
        town->capacity[u] += town->capacity[u] == 0 && ht_random_below(seed, 4) > 0;
    }
    for (uint32_t t = 0; t < shape->tasks; t++) {
        for (uint32_t u = 0; u < shape->units; u++) {
            bool not = ht_random_below(seed, 100) < shape->forbidden_percent;
            town->cost[t][u] = !not                            ? ht_random_below(seed, shape->costs)
                               : ht_random_below(seed, 2) == 0 ? HT_ASSIGN_UNFIT
                                                               : HT_ASSIGN_UNREACHABLE;
        }
        town->task[t] =
            (struct ht_assign_task){.cost_ms = town->cost[t],
                                    .places = 1 + ht_random_below(seed, shape->places),
                                    .weight = 1 + ht_random_below(seed, shape->weights),
                                    .priority = 7 * ht_random_below(seed, shape->priorities)};
    }
}

static struct ht_assign_units town_units(const struct town *town)
{
    return (struct ht_assign_units){
        .count = town->units, .capacity = town->capacity, .balanced = town->balanced};
}

static enum ht_status solve(struct ht_assign *a, const struct town *town)
{
    struct ht_assign_units units = town_units(town);
    enum ht_status status = ht_assign_begin(a, &units);
    return status == HT_OK ? ht_assign_add(a, town->task, town->tasks) : status;
}

/* What counts, in the order in which it counts. */
struct score {
    uint32_t filled[PRIORITIES];
    uint32_t load_most;
    int64_t cost;
};

static struct score plan_score(const struct town *town, const struct ht_assign_plan *plan)
{
    struct score score = {.load_most = plan->load_most, .cost = plan->cost};
    for (uint32_t t = 0; t < town->tasks; t++) {
        score.filled[town->task[t].priority] += town->task[t].places - plan->empty[t];
    }
    return score;
}

/* Negative: `a` is better. */
static int score_compare(const struct score *a, const struct score *b, bool balanced)
{
    for (int p = PRIORITIES - 1; p >= 0; p--) {
        if (a->filled[p] != b->filled[p]) {
            return a->filled[p] > b->filled[p] ? -1 : 1;
        }
    }
    if (balanced && a->load_most != b->load_most) {
        return a->load_most < b->load_most ? -1 : 1;
    }
    return a->cost < b->cost ? -1 : a->cost > b->cost;
}

/* ---- each plan is one, and its prices prove it ---- */

static void check_plan(const struct town *town, const struct ht_assign_plan *plan)
{
    uint32_t load[MOST_UNITS] = {0};
    uint32_t got[MOST_TASKS] = {0};
    int64_t cost = 0;
    uint32_t most = 0;
    HT_CHECK_INT(plan->task_count, town->tasks);
    for (size_t i = 0; i < plan->pair_count; i++) {
        struct ht_assign_pair pair = plan->pairs[i];
        HT_REQUIRE(pair.task < town->tasks && pair.unit < town->units);
        HT_CHECK(i == 0 || plan->pairs[i - 1].task < pair.task ||
                 (plan->pairs[i - 1].task == pair.task && plan->pairs[i - 1].unit < pair.unit));
        HT_CHECK(pair.cost_ms < HT_ASSIGN_UNREACHABLE);
        HT_CHECK_INT(pair.cost_ms, town->cost[pair.task][pair.unit]);
        cost += (int64_t)pair.cost_ms * town->task[pair.task].weight;
        got[pair.task]++;
        most = ++load[pair.unit] > most ? load[pair.unit] : most;
    }
    for (uint32_t u = 0; u < town->units; u++) {
        HT_CHECK(load[u] <= town->capacity[u]);
    }
    for (uint32_t t = 0; t < town->tasks; t++) {
        HT_CHECK_INT(got[t] + plan->empty[t], town->task[t].places);
        HT_CHECK((plan->empty[t] == 0) == (plan->reason[t] == HT_ASSIGN_DONE));
    }
    HT_CHECK_INT(plan->cost, cost);
    HT_CHECK_INT(plan->load_most, most);
}

/* The dual bound of the header, from nothing but the prices. */
static void check_prices(const struct town *town, const struct ht_assign_plan *plan)
{
    int64_t bound = 0;
    for (uint32_t t = 0; t < town->tasks; t++) {
        const struct ht_assign_task *task = &town->task[t];
        int64_t empty_price = plan->empty_price[task->priority];
        uint32_t empty = plan->wanted[t] - (task->places - plan->empty[t]);
        uint32_t near = 0;
        bound += plan->task_price[t] * plan->wanted[t];
        if (empty_price != INT64_MIN && plan->wanted[t] > 0) {
            HT_CHECK(plan->task_price[t] + empty_price <= 0);
            bound += empty_price * empty;
        } else {
            HT_CHECK_INT(empty, 0);
        }
        for (uint32_t u = 0; u < town->units; u++) {
            if (town->cost[t][u] < HT_ASSIGN_UNREACHABLE) {
                int64_t r = (int64_t)town->cost[t][u] * task->weight - plan->task_price[t] -
                            plan->unit_price[u];
                bound += r < 0 ? r : 0;
                near++;
            }
        }
        HT_CHECK_INT(plan->wanted[t], near < task->places ? near : task->places);
    }
    for (uint32_t u = 0; u < town->units; u++) {
        uint32_t capacity =
            town->capacity[u] < plan->load_bound ? town->capacity[u] : plan->load_bound;
        HT_CHECK(plan->unit_price[u] <= 0);
        bound += plan->unit_price[u] * capacity;
    }
    HT_CHECK_INT(bound, plan->cost);
}

/* ---- all possibilities ---- */

struct trial {
    const struct town *town;
    struct score best;
    struct score now;
    uint32_t load[MOST_UNITS];
};

/* Task `t` on: all sets of units for it; calls itself for the next task, at most five deep. */
static void try_all(struct trial *trial, uint32_t t)
{
    const struct town *town = trial->town;
    if (t == town->tasks) {
        struct score now = trial->now;
        for (uint32_t u = 0; u < town->units; u++) {
            now.load_most = trial->load[u] > now.load_most ? trial->load[u] : now.load_most;
        }
        if (score_compare(&now, &trial->best, town->balanced) < 0) {
            trial->best = now;
        }
        return;
    }
    const struct ht_assign_task *task = &town->task[t];
    for (uint32_t set = 0; set < UINT32_C(1) << town->units; set++) {
        bool fits = (uint32_t)__builtin_popcount(set) <= task->places;
        int64_t cost = 0;
        for (uint32_t u = 0; fits && u < town->units; u++) {
            if ((set >> u & 1) != 0) {
                fits =
                    town->cost[t][u] < HT_ASSIGN_UNREACHABLE && trial->load[u] < town->capacity[u];
                cost += (int64_t)town->cost[t][u] * task->weight;
            }
        }
        if (!fits) {
            continue;
        }
        struct score before = trial->now;
        for (uint32_t u = 0; u < town->units; u++) {
            trial->load[u] += set >> u & 1;
        }
        trial->now.filled[task->priority] += (uint32_t)__builtin_popcount(set);
        trial->now.cost += cost;
        try_all(trial, t + 1);
        trial->now = before;
        for (uint32_t u = 0; u < town->units; u++) {
            trial->load[u] -= set >> u & 1;
        }
    }
}

static void small_round(struct ht_assign *a, const struct shape *shape, uint64_t *seed)
{
    static struct town town;
    town_fill(&town, shape, seed);
    HT_REQUIRE(solve(a, &town) == HT_OK);
    const struct ht_assign_plan *plan = ht_assign_plan(a);
    struct trial trial = {.town = &town, .best = {.cost = INT64_MAX, .load_most = UINT32_MAX}};
    try_all(&trial, 0);
    struct score score = plan_score(&town, plan);
    HT_CHECK_INT(score_compare(&score, &trial.best, town.balanced), 0);
    check_plan(&town, plan);
    check_prices(&town, plan);
}

HT_CASE(small_plans_are_the_best_of_all)
{
    uint64_t seed = 5;
    struct ht_assign *a = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    for (uint32_t round = 0; round < 600; round++) {
        struct shape shape = {.tasks = ht_random_below(&seed, 5),
                              .units = ht_random_below(&seed, 5),
                              .places = 1 + round % 3,
                              .capacity = 1 + round % 4,
                              .priorities = 1 + round % 2 * 2,
                              .weights = 1 + round % 5,
                              .costs = round % 7 == 0 ? 3 : 100,
                              .forbidden_percent = round % 6 * 15,
                              .balanced = round % 8 > 4};
        small_round(a, &shape, &seed);
    }
    ht_assign_free(a);
}

/* ---- the plain way ---- */

enum { MOST_NODES = MOST_TASKS + MOST_UNITS + 2, MOST_EDGES = 2 * MOST_TASKS * (MOST_UNITS + 4) };

struct flow {
    uint32_t nodes;
    uint32_t edges;
    uint32_t from[MOST_EDGES], to[MOST_EDGES], room[MOST_EDGES];
    int64_t cost[MOST_EDGES];
};

static void flow_edge(struct flow *flow, uint32_t from, uint32_t to, uint32_t room, int64_t cost)
{
    uint32_t e = flow->edges;
    flow->from[e] = flow->to[e + 1] = from;
    flow->to[e] = flow->from[e + 1] = to;
    flow->room[e] = room;
    flow->room[e + 1] = 0;
    flow->cost[e] = cost;
    flow->cost[e + 1] = -cost;
    flow->edges += 2;
}

/* Sends one unit from node 0 to node 1 the cheapest way (Bellman-Ford); its cost. */
static int64_t flow_send(struct flow *flow)
{
    int64_t distance[MOST_NODES] = {0};
    uint32_t by[MOST_NODES] = {0};
    for (uint32_t v = 0; v < flow->nodes; v++) {
        distance[v] = v == 0 ? 0 : INT64_MAX / 4;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t e = 0; e < flow->edges; e++) {
            int64_t found = distance[flow->from[e]] + flow->cost[e];
            if (flow->room[e] > 0 && distance[flow->from[e]] < INT64_MAX / 4 &&
                found < distance[flow->to[e]]) {
                distance[flow->to[e]] = found;
                by[flow->to[e]] = e;
                changed = true;
            }
        }
    }
    for (uint32_t v = 1; v != 0; v = flow->from[by[v]]) {
        flow->room[by[v]]--;
        flow->room[by[v] ^ 1]++;
    }
    return distance[1];
}

/* Empty places cost more than all that is below them can; balanced: under the bound `most`. */
static struct score flow_score(const struct town *town, uint32_t most)
{
    static struct flow flow;
    int64_t dear[PRIORITIES];
    int64_t next = INT64_C(10000000);
    uint32_t places = 0;
    for (int p = 0; p < PRIORITIES; p++) {
        dear[p] = p % 7 == 0 && p < 28 ? next : 0;
        next = p % 7 == 0 && p < 28 ? next * 200 : next;
    }
    flow.nodes = 2 + town->tasks + town->units;
    flow.edges = 0;
    for (uint32_t t = 0; t < town->tasks; t++) {
        const struct ht_assign_task *task = &town->task[t];
        flow_edge(&flow, 0, 2 + t, task->places, 0);
        flow_edge(&flow, 2 + t, 1, task->places, dear[task->priority]);
        places += task->places;
        for (uint32_t u = 0; u < town->units; u++) {
            if (town->cost[t][u] < HT_ASSIGN_UNREACHABLE) {
                flow_edge(&flow, 2 + t, 2 + town->tasks + u, 1,
                          (int64_t)town->cost[t][u] * task->weight);
            }
        }
    }
    for (uint32_t u = 0; u < town->units; u++) {
        uint32_t room = town->capacity[u] < most ? town->capacity[u] : most;
        flow_edge(&flow, 2 + town->tasks + u, 1, room, 0);
    }
    struct score score = {0};
    while (places-- > 0) {
        score.cost += flow_send(&flow);
    }
    for (uint32_t e = 0; e < flow.edges; e += 2) {
        if (flow.from[e] >= 2 && flow.to[e] == 1 && flow.from[e] < 2 + town->tasks) {
            const struct ht_assign_task *task = &town->task[flow.from[e] - 2];
            uint32_t empty = flow.room[e + 1];
            score.filled[task->priority] += task->places - empty;
            score.cost -= empty * dear[task->priority];
        }
    }
    return score;
}

static void flow_round(struct ht_assign *a, const struct shape *shape, uint64_t *seed)
{
    static struct town town;
    town_fill(&town, shape, seed);
    HT_REQUIRE(solve(a, &town) == HT_OK);
    const struct ht_assign_plan *plan = ht_assign_plan(a);
    struct score score = plan_score(&town, plan);
    struct score want = flow_score(&town, plan->load_bound);
    HT_CHECK_INT(score_compare(&score, &want, false), 0);
    if (town.balanced && plan->load_bound > 1) { /* and with one less somebody would miss out */
        struct score free = flow_score(&town, UINT32_MAX);
        struct score less = flow_score(&town, plan->load_bound - 1);
        free.cost = less.cost = want.cost = 0;
        HT_CHECK_INT(score_compare(&free, &want, false), 0);
        HT_CHECK(score_compare(&free, &less, false) < 0);
    }
    check_plan(&town, plan);
    check_prices(&town, plan);
}

HT_CASE(plans_cost_what_a_plain_flow_costs_oracle)
{
    uint64_t seed = 77;
    struct ht_assign *a = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    for (uint32_t round = 0; round < (HT_LONG ? 4000U : 250U); round++) {
        struct shape shape = {.tasks = 1 + ht_random_below(&seed, MOST_TASKS),
                              .units = 1 + ht_random_below(&seed, MOST_UNITS),
                              .places = 1 + round % 4,
                              .capacity = 1 + round % 5,
                              .priorities = 1 + round % 4,
                              .weights = 1 + round % 9,
                              .costs = round % 5 == 0 ? 4 : 10000,
                              .forbidden_percent = round % 7 * 14,
                              .balanced = round % 3 == 2};
        flow_round(a, &shape, &seed);
    }
    ht_assign_free(a);
}

/* ---- tasks that come later ---- */

HT_CASE(tasks_that_come_one_by_one_give_plans_as_good_in_any_order)
{
    static struct town town;
    uint64_t seed = 3;
    struct ht_assign *a = NULL;
    struct ht_assign *b = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK && ht_assign_new(&b) == HT_OK);
    for (uint32_t round = 0; round < 60; round++) {
        struct shape shape = {.tasks = MOST_TASKS,
                              .units = 12,
                              .places = 1 + round % 3,
                              .capacity = 2,
                              .priorities = 3,
                              .weights = 3,
                              .costs = 1000,
                              .forbidden_percent = 40,
                              .balanced = round % 4 == 3};
        town_fill(&town, &shape, &seed);
        HT_REQUIRE(solve(a, &town) == HT_OK);
        struct score want = plan_score(&town, ht_assign_plan(a));
        struct ht_assign_units units = town_units(&town);
        struct town turned = town;
        HT_REQUIRE(ht_assign_begin(b, &units) == HT_OK);
        for (uint32_t t = town.tasks; t-- > 0;) {
            size_t before = ht_assign_plan(b)->searches;
            HT_REQUIRE(ht_assign_add(b, &town.task[t], 1) == HT_OK);
            HT_CHECK(town.balanced || ht_assign_plan(b)->searches - before <= town.task[t].places);
            turned.task[town.tasks - 1 - t] = town.task[t];
            memcpy(turned.cost[town.tasks - 1 - t], town.cost[t], sizeof town.cost[t]);
        }
        struct score got = plan_score(&turned, ht_assign_plan(b));
        HT_CHECK_INT(score_compare(&got, &want, town.balanced), 0);
        check_plan(&turned, ht_assign_plan(b));
        check_prices(&turned, ht_assign_plan(b));
    }
    ht_assign_free(a);
    ht_assign_free(b);
}

/* ---- one by one ---- */

HT_CASE(more_important_tasks_come_first_and_the_rest_is_told_why)
{
    const uint32_t no = HT_ASSIGN_UNFIT;
    const uint32_t far = HT_ASSIGN_UNREACHABLE;
    const uint32_t cost[5][2] = {{5, 9}, {1, no}, {no, no}, {far, no}, {2, far}};
    const struct ht_assign_task tasks[5] = {{cost[0], 1, 1, 0},
                                            {cost[1], 1, 1, 0},
                                            {cost[2], 1, 1, 100},
                                            {cost[3], 1, 1, 0},
                                            {cost[4], 2, 1, 50}};
    const struct ht_assign_units units = {.count = 2};
    struct ht_assign *a = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK);
    HT_CHECK_INT(ht_assign_plan(a)->pair_count, 0);
    HT_REQUIRE(ht_assign_add(a, tasks, 5) == HT_OK);
    const struct ht_assign_plan *plan = ht_assign_plan(a);
    HT_REQUIRE(plan->pair_count == 2);
    HT_CHECK(plan->pairs[0].task == 0 && plan->pairs[0].unit == 1);
    HT_CHECK(plan->pairs[1].task == 4 && plan->pairs[1].unit == 0);
    HT_CHECK_INT(plan->reason[0], HT_ASSIGN_DONE);
    HT_CHECK_INT(plan->reason[1], HT_ASSIGN_FULL);
    HT_CHECK_INT(plan->reason[2], HT_ASSIGN_NONE_FIT);
    HT_CHECK_INT(plan->reason[3], HT_ASSIGN_NONE_NEAR);
    HT_CHECK_INT(plan->reason[4], HT_ASSIGN_NONE_NEAR);
    HT_CHECK_INT(plan->empty[4], 1);
    ht_assign_free(a);
}

HT_CASE(balance_spreads_what_the_nearest_would_take_alone)
{
    const uint32_t cost[6][3] = {{1, 50, 60}, {1, 50, 60}, {1, 50, 60},
                                 {1, 50, 60}, {1, 50, 60}, {1, 50, 60}};
    const uint32_t capacity[3] = {6, 6, 1};
    struct ht_assign_task tasks[6];
    struct ht_assign_units units = {.count = 3, .capacity = capacity};
    struct ht_assign *a = NULL;
    for (int t = 0; t < 6; t++) {
        tasks[t] = (struct ht_assign_task){cost[t], 1, 1, 0};
    }
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK && ht_assign_add(a, tasks, 6) == HT_OK);
    HT_CHECK_INT(ht_assign_plan(a)->load_most, 6);
    HT_CHECK_INT(ht_assign_plan(a)->cost, 6);
    units.balanced = true;
    HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK && ht_assign_add(a, tasks, 6) == HT_OK);
    HT_CHECK_INT(ht_assign_plan(a)->load_most, 3);
    HT_CHECK_INT(ht_assign_plan(a)->cost, 3 + 3 * 50);
    ht_assign_free(a);
}

HT_CASE(ties_go_to_the_lower_index)
{
    const uint32_t cost[4] = {7, 7, 7, 7};
    const struct ht_assign_task task = {cost, 1, 1, 0};
    const struct ht_assign_task tasks[4] = {task, task, task, task};
    const struct ht_assign_units units = {.count = 4};
    struct ht_assign *a = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK && ht_assign_add(a, tasks, 4) == HT_OK);
    for (uint32_t t = 0; t < 4; t++) {
        HT_CHECK_INT(ht_assign_plan(a)->pairs[t].unit, t);
    }
    ht_assign_free(a);
}

HT_CASE(what_is_out_of_range_is_refused_and_adds_nothing)
{
    const uint32_t cost[1] = {HT_ASSIGN_UNREACHABLE - 1};
    struct ht_assign_task task = {cost, 1, 1, 0};
    const struct ht_assign_units units = {.count = 1};
    struct ht_assign *a = NULL;
    HT_REQUIRE(ht_assign_new(&a) == HT_OK && ht_assign_begin(a, &units) == HT_OK);
    task.priority = HT_ASSIGN_PRIORITY_MAX + 1;
    HT_CHECK_INT(ht_assign_add(a, &task, 1), HT_RANGE);
    task.priority = 0;
    task.weight = HT_ASSIGN_WEIGHT_MAX + 1;
    HT_CHECK_INT(ht_assign_add(a, &task, 1), HT_RANGE);
    task.weight = HT_ASSIGN_WEIGHT_MAX;
    HT_CHECK_INT(ht_assign_add(a, &task, 1), HT_OK);
    HT_CHECK_INT(ht_assign_plan(a)->cost, (int64_t)cost[0] * HT_ASSIGN_WEIGHT_MAX);
    const struct ht_assign_task many[8] = {task, task, task, task, task, task, task, task};
    HT_CHECK_INT(ht_assign_add(a, many, 8), HT_TOO_BIG);
    HT_CHECK_INT(ht_assign_plan(a)->task_count, 1);
    HT_CHECK_INT(ht_assign_add(a, many, 2), HT_OK);
    HT_CHECK_INT(ht_assign_plan(a)->task_count, 3);
    ht_assign_free(a);
}

HT_CASE(a_flag_or_a_deadline_ends_it_and_it_can_begin_again)
{
    static struct town town;
    uint64_t seed = 9;
    bool cancel = true;
    struct shape shape = {.tasks = 40,
                          .units = 20,
                          .places = 2,
                          .capacity = 2,
                          .priorities = 2,
                          .weights = 1,
                          .costs = 1000};
    struct ht_assign *a = NULL;
    town_fill(&town, &shape, &seed);
    HT_REQUIRE(ht_assign_new(&a) == HT_OK);
    for (int way = 0; way < 4; way++) {
        struct ht_assign_units units = town_units(&town);
        units.balanced = way >= 2;
        units.cancel = way % 2 == 0 ? &cancel : NULL;
        units.deadline_ns = way % 2 == 0 ? 0 : 1;
        HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK);
        HT_CHECK_INT(ht_assign_add(a, town.task, town.tasks), HT_CANCELLED);
        HT_CHECK_INT(ht_assign_add(a, town.task, town.tasks), HT_CANCELLED);
    }
    struct timespec now;
    struct ht_assign_units units = town_units(&town);
    cancel = false;
    units.cancel = &cancel;
    HT_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    units.deadline_ns = ((int64_t)now.tv_sec + 3600) * 1000000000;
    HT_REQUIRE(ht_assign_begin(a, &units) == HT_OK);
    HT_CHECK_INT(ht_assign_add(a, town.task, town.tasks), HT_OK);
    check_plan(&town, ht_assign_plan(a));
    check_prices(&town, ht_assign_plan(a));
    ht_assign_free(a);
}

HT_CASE(running_out_of_memory_loses_nothing_oom)
{
    static struct town town;
    uint64_t seed = 21;
    struct shape shape = {.tasks = 40,
                          .units = 20,
                          .places = 3,
                          .capacity = 2,
                          .priorities = 3,
                          .weights = 2,
                          .costs = 1000,
                          .forbidden_percent = 30};
    town_fill(&town, &shape, &seed);
    int refused = 0;
    for (long n = 0;; n++) {
        struct ht_assign *a = NULL;
        struct ht_assign_units units = town_units(&town);
        ht_oom_arm(n);
        enum ht_status status = ht_assign_new(&a);
        if (status == HT_OK) {
            status = ht_assign_begin(a, &units);
        }
        bool begun = status == HT_OK;
        if (begun) {
            status = ht_assign_add(a, town.task, 20);
        }
        uint32_t first = begun && status == HT_OK ? 20 : 0;
        if (begun && status == HT_OK) {
            status = ht_assign_add(a, town.task + 20, 20);
        }
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (failed && begun) { /* what was there stays, and goes on */
            HT_CHECK_INT(ht_assign_plan(a)->task_count, first);
            HT_CHECK_INT(ht_assign_add(a, town.task + first, town.tasks - first), HT_OK);
        }
        if (begun) {
            check_plan(&town, ht_assign_plan(a));
            check_prices(&town, ht_assign_plan(a));
        }
        ht_assign_free(a);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK(refused > 10);
}

HT_MAIN()
