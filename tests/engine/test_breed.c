/* Tours that may break rules, and populations of them: what a tour knows of itself is what one
 * finds who walks along it, and what comes out keeps all rules. */
#include "engine/plan/solve_breed_internal.h"

#include "engine/plan/check.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { STOPS = 40, PLACES = STOPS + 1, VANS = 12 };

static struct {
    struct ht_problem problem;
    struct ht_plan_profile profile;
    struct ht_task tasks[STOPS];
    struct ht_vehicle vehicles[VANS];
    struct ht_window windows[STOPS];
    int64_t loads[STOPS];
    int64_t capacity;
    uint32_t ways_s[PLACES * PLACES];
} made;

static uint32_t below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(((ht__random(state) >> 32) * bound) >> 32);
}

/* Stops in a square; ways are a little longer one way than the other. */
static void make(uint64_t *state, uint32_t stops, int64_t fixed, bool windows)
{
    uint32_t x[PLACES];
    uint32_t y[PLACES];
    memset(&made, 0, sizeof made);
    for (uint32_t i = 0; i <= stops; i++) {
        x[i] = below(state, 1000);
        y[i] = below(state, 1000);
    }
    for (uint32_t i = 0; i <= stops; i++) {
        for (uint32_t j = 0; j <= stops; j++) {
            uint32_t across = x[i] > x[j] ? x[i] - x[j] : x[j] - x[i];
            uint32_t along = y[i] > y[j] ? y[i] - y[j] : (y[j] - y[i]) * 11 / 10;
            made.ways_s[(size_t)i * (stops + 1) + j] = across + along;
        }
    }
    made.capacity = 30;
    for (uint32_t i = 0; i < stops; i++) {
        int64_t from_s = 2200 + below(state, 4000);
        made.windows[i] = (struct ht_window){from_s, from_s + 300 + below(state, 3000)};
        made.loads[i] = 1 + below(state, 6);
        made.tasks[i] = (struct ht_task){.kind = HT_TASK_JOB,
                                         .location = i + 1,
                                         .service_s = 60 + below(state, 60),
                                         .delivery = &made.loads[i],
                                         .windows = windows ? &made.windows[i] : NULL,
                                         .window_count = windows ? 1 : 0};
    }
    for (uint32_t v = 0; v < VANS; v++) {
        made.vehicles[v] = (struct ht_vehicle){.capacity = &made.capacity,
                                               .window = {0, windows ? 20000 : HT_PLAN_TIME_MOST},
                                               .tasks_most = UINT32_MAX,
                                               .travel_most_s = HT_PLAN_UNLIMITED,
                                               .distance_most_m = HT_PLAN_UNLIMITED,
                                               .fixed = fixed,
                                               .per_hour = 3600,
                                               .trips_most = 1};
    }
    made.profile.duration_s = made.ways_s;
    made.problem = (struct ht_problem){.location_count = stops + 1,
                                       .profiles = &made.profile,
                                       .profile_count = 1,
                                       .amounts = 1,
                                       .types = 1,
                                       .tasks = made.tasks,
                                       .task_count = stops,
                                       .vehicles = made.vehicles,
                                       .vehicle_count = VANS};
}

/* ---- tours ---- */

/* Walks a route as it says that it goes. */
static void line_check(const struct ht__tours *tours, uint32_t r, uint32_t *seen)
{
    const struct ht__line *line = &tours->lines[r];
    int64_t now_s = tours->needs[0].open_s;
    int64_t back_s = 0;
    int64_t cost = 0;
    int64_t load = 0;
    uint32_t at = 0;
    uint32_t count = 0;
    for (uint32_t i = tours->knots[line->begin].next;; i = tours->knots[i].next) {
        const struct ht__knot *knot = &tours->knots[i];
        const struct ht__need *need = &tours->needs[knot->at];
        struct ht__walk walk = ht__walk_from(&tours->knots[knot->prev]);
        HT_CHECK_INT(ht__walk_join(tours, &walk, knot), line->back_s);
        HT_CHECK_INT(tours->knots[knot->prev].next, i);
        HT_CHECK_INT(knot->route, r);
        cost += ht__tours_cost(tours, at, knot->at);
        now_s += ht__tours_way(tours, at, knot->at)->duration_s;
        now_s = now_s < need->open_s ? need->open_s : now_s;
        back_s += now_s > need->close_s ? now_s - need->close_s : 0;
        now_s = (now_s > need->close_s ? need->close_s : now_s) + need->service_s;
        at = knot->at;
        HT_CHECK_INT(knot->onward, cost);
        if (i == line->end) {
            break;
        }
        HT_CHECK_INT(knot->position, ++count);
        load += need->load;
        seen[i]++;
    }
    HT_CHECK_INT(line->count, count);
    HT_CHECK_INT(line->load, load);
    HT_CHECK_INT(line->back_s, back_s);
}

static double price_of(const struct ht__tours *tours)
{
    double price = 0;
    for (uint32_t r = 0; r < tours->fleet; r++) {
        const struct ht__line *line = &tours->lines[r];
        price += (double)tours->knots[line->end].onward + line->fee;
        price += line->count > 0 ? (double)tours->fixed : 0;
    }
    return price;
}

HT_CASE(a_tour_knows_what_one_finds_who_walks_along_it)
{
    uint64_t state = 5;
    for (uint32_t i = 0; i < (HT_LONG ? 2000U : 150U); i++) {
        struct ht__model *model = NULL;
        struct ht__tours tours;
        uint32_t seen[PLACES] = {0};
        make(&state, 2 + below(&state, STOPS - 1), 0, i % 3 != 0);
        HT_REQUIRE(ht__model_new(&made.problem, &model) == HT_OK);
        HT_REQUIRE(ht__tours_can(model));
        HT_REQUIRE(ht__tours_init(model, 1 + below(&state, VANS), &tours) == HT_OK);
        tours.random = state;
        tours.fixed = i % 2 == 0 ? 0 : 1000000;
        tours.per_load = 10.0 * below(&state, 100000);
        tours.per_second = 10.0 * below(&state, 10000);
        ht__tours_empty(&tours);
        for (uint32_t s = 1; s < tours.stride; s++) {
            ht__tours_put(&tours, s);
        }
        double before = price_of(&tours);
        ht__tours_improve(&tours);
        HT_CHECK(price_of(&tours) <= before + 1);
        for (uint32_t r = 0; r < tours.fleet; r++) {
            line_check(&tours, r, seen);
        }
        for (uint32_t s = 1; s < tours.stride; s++) {
            HT_CHECK_INT(seen[s], 1);
        }
        ht__tours_deinit(&tours);
        ht__model_free(model);
    }
}

/* ---- populations ---- */

HT_CASE(a_child_has_every_stop_once)
{
    uint64_t state = 6;
    for (uint32_t i = 0; i < (HT_LONG ? 100U : 10U); i++) {
        struct ht__model *model = NULL;
        struct ht__search *search = NULL;
        struct ht__breed *breed = NULL;
        uint32_t vehicle = 0;
        uint64_t done = 0;
        const struct ht__round round = {.iterations = 2000};
        make(&state, 10 + below(&state, STOPS - 9), i % 2 == 0 ? 0 : 100000, true);
        HT_REQUIRE(ht__model_new(&made.problem, &model) == HT_OK);
        HT_REQUIRE(ht__search_new(model, i, &search) == HT_OK);
        HT_REQUIRE(ht__search_begin(search, false, &vehicle) == HT_OK);
        const struct ht__answer *first = ht__search_best(search);
        if (first->absent == 0) {
            HT_REQUIRE(ht__breed_new(model, i, first, &breed) == HT_OK);
            ht__breed_round(breed, &round, &done);
            HT_CHECK(done >= round.iterations);
            HT_CHECK(ht__breed_best(breed)->cost <= first->cost);
            for (uint32_t n = 0; n < 20; n++) {
                uint32_t seen[PLACES] = {0};
                ht__breed_cross(breed, &breed->ones[breed->groups[1].ones[0]],
                                &breed->ones[breed->groups[1].ones[n % breed->groups[1].count]]);
                for (uint32_t r = 0; r < breed->tours.fleet; r++) {
                    line_check(&breed->tours, r, seen);
                }
                for (uint32_t s = 1; s < breed->tours.stride; s++) {
                    HT_CHECK_INT(seen[s], 1);
                }
            }
            /* the search takes its answer only where that keeps all rules */
            HT_CHECK_INT(ht__search_adopt(search, ht__breed_best(breed)), HT_OK);
            HT_CHECK_INT(ht__search_best(search)->cost, ht__breed_best(breed)->cost);
        }
        ht__breed_free(breed);
        ht__search_free(search);
        ht__model_free(model);
    }
}

static enum ht_status solve(uint64_t iterations, uint32_t threads, struct ht_plan **plan)
{
    struct ht_error error = {0};
    const struct ht_solve_options options = {
        .iterations = iterations, .threads = threads, .seed = 3};
    enum ht_status status = ht_solve_run(&made.problem, &options, plan, &error);
    if (status == HT_OK) {
        HT_CHECK_INT(ht_plan_check(&made.problem, *plan, &error), HT_OK);
    }
    return status;
}

/* Long enough that there are populations. */
HT_CASE(bred_answers_keep_every_rule_and_come_again)
{
    uint64_t state = 7;
    for (uint32_t i = 0; i < (HT_LONG ? 20U : 4U); i++) {
        struct ht_plan *plans[3] = {NULL};
        make(&state, STOPS, i % 2 == 0 ? 0 : 100000, i % 4 != 3);
        HT_REQUIRE(solve(60000, 2, &plans[0]) == HT_OK);
        HT_REQUIRE(solve(60000, 2, &plans[1]) == HT_OK);
        HT_REQUIRE(solve(500, 2, &plans[2]) == HT_OK);
        HT_CHECK_INT(plans[0]->cost, plans[1]->cost);
        HT_CHECK_INT(plans[0]->iterations, plans[1]->iterations);
        HT_REQUIRE(plans[0]->route_count == plans[1]->route_count);
        for (uint32_t r = 0; r < plans[0]->route_count; r++) {
            const struct ht_plan_route *a = &plans[0]->routes[r];
            const struct ht_plan_route *b = &plans[1]->routes[r];
            HT_REQUIRE(a->step_count == b->step_count);
            for (uint32_t s = 0; s < a->step_count; s++) {
                HT_CHECK_INT(a->steps[s].index, b->steps[s].index);
            }
        }
        HT_CHECK(plans[0]->missing_count <= plans[2]->missing_count);
        HT_CHECK(plans[0]->missing_count < plans[2]->missing_count ||
                 plans[0]->cost <= plans[2]->cost);
        for (int p = 0; p < 3; p++) {
            ht_plan_free(plans[p]);
        }
    }
}

HT_CASE(populations_without_memory_do_no_harm)
{
    uint64_t state = 8;
    uint32_t answers = 0;
    make(&state, 6, 0, true);
    for (long n = 0;; n++) {
        struct ht_plan *plan = NULL;
        ht_oom_arm(n);
        struct ht_error error = {0};
        const struct ht_solve_options options = {.iterations = 10000, .threads = 1, .seed = 3};
        enum ht_status status = ht_solve_run(&made.problem, &options, &plan, &error);
        bool failed = ht_oom_disarm();
        HT_CHECK(status == HT_OK || status == HT_NOMEM);
        answers += status == HT_OK;
        ht_plan_free(plan);
        if (!failed) {
            break;
        }
    }
    HT_CHECK_INT(answers, 1);
}

HT_MAIN()
