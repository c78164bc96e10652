/* Cover: choices are as good as they are proven to be, held against all choices there are. */
#include "engine/plan/cover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { ITEMS = 150, WORDS = 3, SETS = 24, GROUPS = 6, OPTIONS = 24 };

struct scene {
    uint32_t weights[ITEMS];
    uint64_t words[SETS][WORDS];
    const uint64_t *sets[SETS];
    uint32_t kept[GROUPS];
    struct ht_cover_option options[OPTIONS];
    struct ht_cover_problem problem;
};

enum shape { MOVES, FEW_MOVES, SITES, MANY_OF_ONE };

static void scene_init(struct scene *s, enum shape shape, uint64_t seed)
{
    uint64_t state = seed * 7919 + 3;
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < ITEMS; i++) {
        s->weights[i] = ht_random_below(&state, 5);
    }
    for (uint32_t k = 0; k < SETS; k++) { /* stretches, so that they overlap as areas do */
        uint32_t from = ht_random_below(&state, ITEMS);
        uint32_t size = 1 + ht_random_below(&state, 45);
        for (uint32_t i = from; i < from + size; i++) {
            s->words[k][i % ITEMS / 64] |= UINT64_C(1) << i % ITEMS % 64;
        }
        s->sets[k] = s->words[k];
    }
    bool single = shape == SITES;
    uint32_t groups = single ? GROUPS : 1 + ht_random_below(&state, GROUPS);
    uint32_t options = single ? GROUPS : 1 + ht_random_below(&state, 13);
    for (uint32_t o = 0; o < options; o++) {
        s->options[o] =
            (struct ht_cover_option){.group = single ? o : ht_random_below(&state, groups),
                                     .set = GROUPS + ht_random_below(&state, SETS - GROUPS),
                                     .cost = ht_random_below(&state, 900)};
    }
    for (uint32_t g = 0; g < GROUPS; g++) {
        s->kept[g] = ht_random_below(&state, 5) == 0 ? HT_COVER_NONE : g;
    }
    uint32_t few = 1 + ht_random_below(&state, 3);
    s->problem = (struct ht_cover_problem){
        .item_count = ITEMS,
        .weights = seed % 3 == 0 ? NULL : s->weights,
        .sets = s->sets,
        .set_count = SETS,
        .base = seed % 4 == 0 ? SETS - 1 : HT_COVER_NONE,
        .group_count = groups,
        .kept = shape == MOVES || shape == FEW_MOVES ? s->kept : NULL,
        .options = s->options,
        .option_count = options,
        .most = shape == MOVES ? groups : few,
    };
}

static int64_t value_of(const struct scene *s, const uint32_t *chosen, uint32_t count)
{
    bool covered[ITEMS] = {false};
    bool moved[GROUPS] = {false};
    const struct ht_cover_problem *p = &s->problem;
    int64_t value = 0;
    uint32_t sets[GROUPS + OPTIONS + 1];
    uint32_t set_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        moved[p->options[chosen[i]].group] = true;
        sets[set_count++] = p->options[chosen[i]].set;
    }
    for (uint32_t g = 0; g < p->group_count && p->kept != NULL; g++) {
        if (!moved[g] && p->kept[g] != HT_COVER_NONE) {
            sets[set_count++] = p->kept[g];
        }
    }
    if (p->base != HT_COVER_NONE) {
        sets[set_count++] = p->base;
    }
    for (uint32_t k = 0; k < set_count; k++) {
        for (uint32_t i = 0; i < ITEMS; i++) {
            covered[i] = covered[i] || (s->words[sets[k]][i / 64] >> i % 64 & 1) != 0;
        }
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        value += covered[i] ? (p->weights == NULL ? 1 : p->weights[i]) : 0;
    }
    return value;
}

/* The best of all choices. */
static int64_t best_of(const struct scene *s)
{
    const struct ht_cover_problem *p = &s->problem;
    int64_t best = 0;
    for (uint32_t mask = 0; mask < UINT32_C(1) << p->option_count; mask++) {
        uint32_t chosen[OPTIONS];
        uint32_t count = 0;
        uint32_t groups = 0;
        bool good = (uint32_t)__builtin_popcount(mask) <= p->most;
        for (uint32_t o = 0; o < p->option_count && good; o++) {
            if ((mask >> o & 1) != 0) {
                good = (groups >> p->options[o].group & 1) == 0;
                groups |= UINT32_C(1) << p->options[o].group;
                chosen[count++] = o;
            }
        }
        if (good) {
            int64_t value = value_of(s, chosen, count);
            best = value > best ? value : best;
        }
    }
    return best;
}

/* A choice that may be, of the value that is said, none of it for nothing, best first. */
static int wrong_with(const struct scene *s, const struct ht_cover_plan *plan)
{
    const struct ht_cover_problem *p = &s->problem;
    uint32_t groups = 0;
    uint64_t united[WORDS];
    int wrong = plan->count > p->most;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t group = p->options[plan->chosen[i]].group;
        wrong += (groups >> group & 1) != 0;
        groups |= UINT32_C(1) << group;
    }
    wrong += value_of(s, plan->chosen, plan->count) != plan->value;
    wrong += value_of(s, NULL, 0) != plan->before;
    wrong += plan->value < plan->before || plan->at_most < plan->value;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t rest[OPTIONS];
        uint32_t count = 0;
        for (uint32_t k = 0; k < plan->count; k++) {
            if (k != i) {
                rest[count++] = plan->chosen[k];
            }
        }
        wrong += value_of(s, rest, count) >= plan->value;
        wrong += value_of(s, &plan->chosen[i], 1) > value_of(s, &plan->chosen[0], 1);
    }
    ht_cover_union(p, plan->chosen, plan->count, united);
    return wrong + (ht_cover_weight(p, united) != plan->value);
}

static const char *const proofs[] = {"exact", "greedy", "half", "bound"};

HT_CASE(small_cases_are_solved_exactly_oracle)
{
    int gained = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 4000 : 400); seed++) {
        static struct scene s;
        struct ht_cover_plan plan;
        scene_init(&s, (enum shape)(seed % 4), seed);
        s.problem.nodes_most = 1000000;
        HT_REQUIRE(ht_cover_solve(&s.problem, &plan) == HT_OK);
        HT_CHECK_INT(wrong_with(&s, &plan), 0);
        HT_CHECK_STR(proofs[plan.proof], "exact");
        HT_CHECK_INT(plan.value, best_of(&s));
        HT_CHECK_INT(plan.at_most, plan.value);
        gained += plan.value > plan.before && plan.count > 1;
        ht_cover_plan_deinit(&plan);
    }
    HT_CHECK(gained > 100);
}

HT_CASE(without_the_search_values_are_within_what_is_proven_oracle)
{
    int by_proof[4] = {0};
    int worse = 0;
    for (uint64_t seed = 1; seed <= (HT_LONG ? 4000 : 800); seed++) {
        static struct scene s;
        struct ht_cover_plan plan;
        scene_init(&s, (enum shape)(seed % 4), seed);
        HT_REQUIRE(ht_cover_solve(&s.problem, &plan) == HT_OK);
        HT_CHECK_INT(wrong_with(&s, &plan), 0);
        int64_t best = best_of(&s);
        HT_CHECK(plan.value <= best && best <= plan.at_most);
        double won = (double)(plan.value - plan.before);
        switch (plan.proof) {
        case HT_COVER_EXACT:
            HT_CHECK_INT(plan.value, best);
            break;
        case HT_COVER_GREEDY:
            HT_CHECK(won >= (1 - exp(-1)) * (double)(best - plan.before) - 1e-9);
            break;
        case HT_COVER_HALF:
            HT_CHECK(s.problem.kept != NULL ? 2 * plan.value >= best
                                            : 2 * won >= (double)(best - plan.before));
            break;
        case HT_COVER_BOUND:
            HT_CHECK(s.problem.kept != NULL && s.problem.most < s.problem.group_count);
            break;
        }
        by_proof[plan.proof]++;
        worse += plan.value < best;
        ht_cover_plan_deinit(&plan);
    }
    for (int i = 0; i < 4; i++) {
        HT_CHECK(by_proof[i] > 10);
    }
    HT_CHECK(worse > 0); /* else nothing was learnt of the bounds */
}

/* u1 goes to the far place, u2 takes its post: no single move pays. */
HT_CASE(two_moves_may_pay_where_none_does_alone)
{
    static struct scene s;
    memset(&s, 0, sizeof s);
    for (uint32_t k = 0; k < SETS; k++) {
        s.sets[k] = s.words[k];
    }
    s.words[0][0] = 0x3ff;   /* u1's post: 10 */
    s.words[1][0] = 0x400;   /* u2's: 1 */
    s.words[2][0] = 0xff000; /* far: 8 */
    s.options[0] = (struct ht_cover_option){0, 2, 60};
    s.options[1] = (struct ht_cover_option){1, 0, 60};
    s.kept[0] = 0;
    s.kept[1] = 1;
    s.problem = (struct ht_cover_problem){.item_count = ITEMS,
                                          .sets = s.sets,
                                          .set_count = 3,
                                          .base = HT_COVER_NONE,
                                          .group_count = 2,
                                          .kept = s.kept,
                                          .options = s.options,
                                          .option_count = 2,
                                          .most = 2};
    struct ht_cover_plan plan;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_OK);
    HT_CHECK_INT(plan.count, 0);
    HT_CHECK_INT(plan.value, 11);
    HT_CHECK(plan.at_most >= 18);
    HT_CHECK_STR(proofs[plan.proof], "half");
    ht_cover_plan_deinit(&plan);
    s.problem.nodes_most = 100;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_OK);
    HT_CHECK_INT(plan.count, 2);
    HT_CHECK_INT(plan.value, 18);
    HT_CHECK_INT(plan.before, 11);
    HT_CHECK_STR(proofs[plan.proof], "exact");
    ht_cover_plan_deinit(&plan);
}

HT_CASE(of_equal_ones_the_cheapest_is_chosen)
{
    static struct scene s;
    scene_init(&s, SITES, 9);
    for (uint32_t o = 0; o < GROUPS; o++) {
        s.options[o] = (struct ht_cover_option){o, 7, o == 4 ? 5 : 10 + o};
    }
    s.problem.base = HT_COVER_NONE;
    s.problem.most = 3;
    struct ht_cover_plan plan;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_OK);
    HT_CHECK_INT(plan.count, 1); /* another one adds nothing */
    HT_CHECK_INT(plan.chosen[0], 4);
    ht_cover_plan_deinit(&plan);
}

HT_CASE(what_is_not_there_is_refused)
{
    static struct scene s;
    struct ht_cover_plan plan;
    scene_init(&s, MOVES, 5);
    s.options[0].set = SETS;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_RANGE);
    s.options[0].set = 3;
    s.options[0].group = GROUPS;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_RANGE);
    s.options[0].group = 0;
    s.problem.base = SETS;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_RANGE);
    s.problem.base = HT_COVER_NONE;
    s.problem.option_count = 0;
    HT_CHECK_INT(ht_cover_solve(&s.problem, &plan), HT_OK);
    HT_CHECK_INT(plan.count, 0);
    HT_CHECK_INT(plan.value, plan.before);
    HT_CHECK_STR(proofs[plan.proof], "exact");
    ht_cover_plan_deinit(&plan);
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    static struct scene s;
    scene_init(&s, MOVES, 12);
    s.problem.nodes_most = 1000;
    long n = 0;
    for (bool refused = true; refused; n++) {
        struct ht_cover_plan plan;
        ht_oom_arm(n);
        enum ht_status status = ht_cover_solve(&s.problem, &plan);
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_cover_plan_deinit(&plan);
    }
    HT_CHECK(n > 10);
}

HT_MAIN()
