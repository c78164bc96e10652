/* Does the validator of rounds find each broken rule? A good plan is changed in one place. */
#include "engine/plan/rounds.h"

#include "tests/support/check.h"
#include "tests/support/random_rounds.h"

static struct ht_rounds_town town;

enum { VISITS = 1024, TOURS = 512, BROKEN = 512 };

/* A plan that can be written to. */
struct copy {
    struct ht_rounds_plan plan;
    struct ht_rounds_visit visits[VISITS];
    struct ht_rounds_tour tours[TOURS];
    uint32_t lists[TOURS][HT_ROUNDS_STOPS_MOST];
    struct ht_rounds_missing missing[BROKEN];
    struct ht_rounds_broken broken[BROKEN];
    struct ht_rounds_idle idle[HT_TOWN_PEOPLE];
    uint32_t owner[HT_TOWN_SITES];
    struct ht_rounds_load loads[HT_TOWN_PEOPLE];
};

static struct copy copy;
static const struct ht_rounds_plan *original;

static void copy_make(void)
{
    const struct ht_rounds_plan *p = original;
    copy.plan = *p;
    memcpy(copy.visits, p->visits, p->visit_count * sizeof *p->visits);
    memcpy(copy.tours, p->tours, p->tour_count * sizeof *p->tours);
    for (uint32_t t = 0; t < p->tour_count; t++) {
        memcpy(copy.lists[t], p->tours[t].visits, p->tours[t].count * sizeof(uint32_t));
        copy.tours[t].visits = copy.lists[t];
    }
    memcpy(copy.missing, p->missing, p->missing_count * sizeof *p->missing);
    memcpy(copy.broken, p->broken, p->broken_count * sizeof *p->broken);
    memcpy(copy.idle, p->idle, p->idle_count * sizeof *p->idle);
    memcpy(copy.owner, p->owner, town.problem.site_count * sizeof *p->owner);
    memcpy(copy.loads, p->loads, town.problem.inspector_count * sizeof *p->loads);
    copy.plan.visits = copy.visits;
    copy.plan.tours = copy.tours;
    copy.plan.missing = copy.missing;
    copy.plan.broken = copy.broken;
    copy.plan.idle = copy.idle;
    copy.plan.owner = copy.owner;
    copy.plan.loads = copy.loads;
}

static struct ht_rounds_plan *plan_new(void)
{
    const struct ht_rounds_options options = {.iterations = 100, .seed = 3};
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_rounds_run(&town.problem, &options, &plan, &error);
    HT_CHECK_INT(status, HT_OK);
    if (status != HT_OK) {
        (void)printf("  %s\n", error.message);
    }
    return plan;
}

/* The second week of a town's three: past, promised and planned visits, some by two, some missing,
 * some wishes broken. */
static struct ht_rounds_plan *stage(void)
{
    uint64_t state = 77;
    ht_town_make(&town, &state, HT_TOWN_SITES, 6);
    while (town.problem.weeks != HT_TOWN_WEEKS) {
        ht_town_make(&town, &state, HT_TOWN_SITES, 6);
    }
    town.problem.prices.cell_s = 900;
    town.problem.prices.balance = 100;
    town.problem.prices.per_km_s = 60;
    struct ht_rounds_plan *plan = plan_new();
    HT_CHECK(plan != NULL && plan->visit_count < VISITS && plan->tour_count < TOURS);
    if (plan == NULL) {
        return NULL;
    }
    ht_town_goes_on(&town, plan, 7, 3);
    ht_rounds_free(plan);
    town.people[1].shift_count /= 2;
    return plan_new();
}

/* ---- changes; each returns false where there is nothing to change ---- */

static struct ht_rounds_visit *planned(uint32_t from)
{
    for (uint32_t v = from; v < copy.plan.visit_count; v++) {
        if (copy.visits[v].state == HT_ROUNDS_PLANNED) {
            return &copy.visits[v];
        }
    }
    return NULL;
}

static struct ht_rounds_visit *of_state(enum ht_rounds_state state)
{
    for (uint32_t v = 0; v < copy.plan.visit_count; v++) {
        if (copy.visits[v].state == state) {
            return &copy.visits[v];
        }
    }
    return NULL;
}

static bool begins_sooner(void)
{
    struct ht_rounds_visit *v = planned(0);
    v->begin_s -= 3600 * 8;
    v->end_s -= 3600 * 8;
    return true;
}

static bool lasts_shorter(void)
{
    planned(0)->end_s--;
    return true;
}

static bool other_day(void)
{
    struct ht_rounds_visit *v = planned(0);
    v->day = v->day == 20 ? 19 : v->day + 1;
    return true;
}

static bool before_first_day(void)
{
    for (struct ht_rounds_visit *v = planned(0); v != NULL;
         v = planned((uint32_t)(v - copy.visits) + 1)) {
        if (v == copy.visits || v[-1].site != v->site) {
            v->day = 1;
            return true;
        }
    }
    return false;
}

static bool other_inspector(void)
{
    struct ht_rounds_visit *v = planned(0);
    v->inspector =
        (v->inspector + 1) % 6 == v->second ? (v->inspector + 2) % 6 : (v->inspector + 1) % 6;
    return true;
}

static bool second_stays_away(void)
{
    for (uint32_t v = 0; v < copy.plan.visit_count; v++) {
        if (copy.visits[v].second != HT_PLAN_NONE && copy.visits[v].state == HT_ROUNDS_PLANNED) {
            copy.visits[v].second = HT_PLAN_NONE;
            return true;
        }
    }
    return false;
}

static bool visit_forgotten(void)
{
    memmove(copy.visits, copy.visits + 1, --copy.plan.visit_count * sizeof copy.visits[0]);
    return true;
}

static bool visit_twice(void)
{
    memmove(copy.visits + 1, copy.visits, copy.plan.visit_count++ * sizeof copy.visits[0]);
    return true;
}

static bool past_changed(void)
{
    of_state(HT_ROUNDS_PAST)->end_s++;
    return true;
}

static bool past_by_another(void)
{
    struct ht_rounds_visit *v = of_state(HT_ROUNDS_PAST);
    v->inspector = (v->inspector + 1) % 6;
    return true;
}

static bool past_is_new(void)
{
    of_state(HT_ROUNDS_PAST)->running = HT_PLAN_NONE;
    return true;
}

static bool promise_shifts(void)
{
    struct ht_rounds_visit *v = of_state(HT_ROUNDS_PROMISED);
    v->begin_s++;
    v->end_s++;
    return true;
}

static bool promise_is_plan(void)
{
    of_state(HT_ROUNDS_PROMISED)->state = HT_ROUNDS_PLANNED;
    return true;
}

static bool moved_in_secret(void)
{
    for (uint32_t v = 0; v < copy.plan.visit_count; v++) {
        if (copy.visits[v].moved) {
            copy.visits[v].moved = false;
            return true;
        }
    }
    return false;
}

static bool moved_untruly(void)
{
    of_state(HT_ROUNDS_PROMISED)->moved = true;
    return true;
}

static bool need_wrong(void)
{
    planned(0)->need++;
    return true;
}

static bool tour_forgotten(void)
{
    copy.plan.tour_count--;
    return true;
}

static bool tour_starts_later(void)
{
    copy.tours[0].start_s++;
    return true;
}

static bool tour_ends_sooner(void)
{
    copy.tours[0].end_s--;
    return true;
}

static bool tour_travels_less(void)
{
    copy.tours[0].travel_s--;
    return true;
}

static bool tour_is_shorter(void)
{
    copy.tours[0].distance_m++;
    return true;
}

static bool tour_in_other_order(void)
{
    for (uint32_t t = 0; t < copy.plan.tour_count; t++) {
        if (copy.tours[t].count > 1) {
            uint32_t first = copy.lists[t][0];
            copy.lists[t][0] = copy.lists[t][1];
            copy.lists[t][1] = first;
            return true;
        }
    }
    return false;
}

static bool tour_visits_twice(void)
{
    for (uint32_t t = 0; t < copy.plan.tour_count; t++) {
        if (copy.tours[t].count > 1) {
            copy.lists[t][0] = copy.lists[t][1];
            return true;
        }
    }
    return false;
}

static bool tour_of_another(void)
{
    copy.tours[copy.plan.tour_count - 1].day = 20;
    copy.tours[copy.plan.tour_count - 1].inspector = 5;
    return original->tours[copy.plan.tour_count - 1].day != 20;
}

static bool missing_in_secret(void)
{
    copy.plan.missing_visits -= copy.missing[--copy.plan.missing_count].visits;
    return original->missing_count > 0;
}

static bool missing_less(void)
{
    copy.missing[0].visits--;
    copy.plan.missing_visits--;
    return original->missing_count > 0;
}

static bool missing_without_reason(void)
{
    copy.missing[0].reason = HT_ROUNDS_REASONS;
    return original->missing_count > 0;
}

static bool missing_without_mend(void)
{
    copy.missing[0].mend.number = 0;
    return original->missing_count > 0;
}

static bool broken_in_secret(enum ht_rounds_wish wish)
{
    for (uint32_t b = 0; b < copy.plan.broken_count; b++) {
        if (copy.broken[b].wish == wish) {
            memmove(&copy.broken[b], &copy.broken[b + 1],
                    (--copy.plan.broken_count - b) * sizeof copy.broken[0]);
            return true;
        }
    }
    return false;
}

static bool gap_in_secret(void)
{
    return broken_in_secret(HT_ROUNDS_WISH_GAP);
}

static bool owner_in_secret(void)
{
    return broken_in_secret(HT_ROUNDS_WISH_OWNER);
}

static bool promise_in_secret(void)
{
    return broken_in_secret(HT_ROUNDS_WISH_PROMISE);
}

static bool broken_twice(void)
{
    copy.broken[copy.plan.broken_count++] = copy.broken[original->broken_count - 1];
    return original->broken_count > 0;
}

static bool broken_of_another_site(void)
{
    copy.broken[0].site++;
    return original->broken_count > 0;
}

static bool promise_broken_untruly(void)
{
    uint32_t run = of_state(HT_ROUNDS_PROMISED)->running;
    uint32_t at = 0;
    while (at < copy.plan.broken_count && copy.broken[at].site < town.running[run].site) {
        at++;
    }
    memmove(&copy.broken[at + 1], &copy.broken[at],
            (copy.plan.broken_count++ - at) * sizeof copy.broken[0]);
    copy.broken[at] = (struct ht_rounds_broken){.wish = HT_ROUNDS_WISH_PROMISE,
                                                .site = town.running[run].site,
                                                .visit = HT_PLAN_NONE,
                                                .running = run};
    return true;
}

static bool owner_changes(void)
{
    copy.owner[0] = (copy.owner[0] + 1) % 6;
    return true;
}

static bool owner_is_none(void)
{
    copy.owner[planned(0)->site] = HT_PLAN_NONE;
    return true;
}

static bool load_is_less(void)
{
    copy.loads[0].service_s--;
    return true;
}

static bool load_has_other_sites(void)
{
    copy.loads[0].sites++;
    return true;
}

static bool idle_untruly(void)
{
    copy.idle[copy.plan.idle_count++] =
        (struct ht_rounds_idle){.inspector = 5, .reason = HT_ROUNDS_IDLE_FREE};
    return original->loads[5].visits > 0;
}

static bool kept_more(void)
{
    copy.plan.kept++;
    return true;
}

static bool moved_less(void)
{
    copy.plan.moved--;
    return true;
}

static bool gini_is_better(void)
{
    copy.plan.gini_ppm -= copy.plan.gini_ppm > 1000 ? 1000 : 0;
    return copy.plan.gini_ppm != original->gini_ppm;
}

static bool sum_is_less(void)
{
    copy.plan.cost.sum--;
    return true;
}

struct change {
    const char *name;
    bool (*make)(void);
};

#define CHANGE(name)                                                                               \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct change changes[] = {CHANGE(begins_sooner),
                                        CHANGE(lasts_shorter),
                                        CHANGE(other_day),
                                        CHANGE(before_first_day),
                                        CHANGE(other_inspector),
                                        CHANGE(second_stays_away),
                                        CHANGE(visit_forgotten),
                                        CHANGE(visit_twice),
                                        CHANGE(past_changed),
                                        CHANGE(past_by_another),
                                        CHANGE(past_is_new),
                                        CHANGE(promise_shifts),
                                        CHANGE(promise_is_plan),
                                        CHANGE(moved_in_secret),
                                        CHANGE(moved_untruly),
                                        CHANGE(need_wrong),
                                        CHANGE(tour_forgotten),
                                        CHANGE(tour_starts_later),
                                        CHANGE(tour_ends_sooner),
                                        CHANGE(tour_travels_less),
                                        CHANGE(tour_is_shorter),
                                        CHANGE(tour_in_other_order),
                                        CHANGE(tour_visits_twice),
                                        CHANGE(tour_of_another),
                                        CHANGE(missing_in_secret),
                                        CHANGE(missing_less),
                                        CHANGE(missing_without_reason),
                                        CHANGE(missing_without_mend),
                                        CHANGE(gap_in_secret),
                                        CHANGE(owner_in_secret),
                                        CHANGE(promise_in_secret),
                                        CHANGE(broken_twice),
                                        CHANGE(broken_of_another_site),
                                        CHANGE(promise_broken_untruly),
                                        CHANGE(owner_changes),
                                        CHANGE(owner_is_none),
                                        CHANGE(load_is_less),
                                        CHANGE(load_has_other_sites),
                                        CHANGE(idle_untruly),
                                        CHANGE(kept_more),
                                        CHANGE(moved_less),
                                        CHANGE(gini_is_better),
                                        CHANGE(sum_is_less)};

HT_CASE(each_change_of_a_plan_is_found)
{
    struct ht_rounds_plan *plan = stage();
    struct ht_error error = {0};
    HT_REQUIRE(plan != NULL);
    original = plan;
    copy_make();
    HT_CHECK_INT(ht_rounds_check(&town.problem, &copy.plan, &error), HT_OK);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        copy_make();
        if (!changes[i].make()) {
            (void)printf("  %s: nothing to change\n", changes[i].name);
            HT_CHECK(!"the stage has all there is to change");
        } else if (ht_rounds_check(&town.problem, &copy.plan, &error) != HT_INVALID) {
            (void)printf("  %s: not found\n", changes[i].name);
            HT_CHECK(!"found");
        }
    }
    ht_rounds_free(plan);
}

HT_CASE(each_cost_is_reckoned)
{
    struct ht_rounds_plan *plan = stage();
    struct ht_error error = {0};
    HT_REQUIRE(plan != NULL);
    original = plan;
    int64_t *const parts[] = {&copy.plan.cost.missing, &copy.plan.cost.travel,
                              &copy.plan.cost.day,     &copy.plan.cost.owner,
                              &copy.plan.cost.late,    &copy.plan.cost.spread,
                              &copy.plan.cost.early,   &copy.plan.cost.move,
                              &copy.plan.cost.cell,    &copy.plan.cost.balance};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        copy_make();
        HT_CHECK(*parts[i] > 0);
        ++*parts[i];
        ++copy.plan.cost.sum;
        HT_CHECK_INT(ht_rounds_check(&town.problem, &copy.plan, &error), HT_INVALID);
    }
    ht_rounds_free(plan);
}

/* The same plan under a rule more: what was fine is broken now. */
HT_CASE(each_rule_of_the_problem_is_looked_at)
{
    struct ht_rounds_plan *plan = stage();
    struct ht_error error = {0};
    HT_REQUIRE(plan != NULL);
    original = plan;
    copy_make();
    const struct ht_rounds_visit *v = planned(0);
    struct ht_rounds_site *site = &town.sites[v->site];
    struct ht_rounds_site was = *site;
    struct ht_rounds_inspector *who = &town.people[v->inspector];
    struct ht_rounds_inspector who_was = *who;
    const struct ht_rounds_window shut = {.day = v->day, .from_s = 0, .to_s = 1};
    const uint32_t barred[] = {v->inspector};
    for (int rule = 0; rule < 9; rule++) {
        site->days = rule == 0 ? ~(UINT64_C(1) << v->day) : was.days;
        site->skills = rule == 1 ? UINT64_C(1) << 60 : was.skills;
        site->crew = rule == 2 ? 3 - was.crew : was.crew;
        site->open = rule == 3 ? &shut : was.open;
        site->open_count = rule == 3 ? 1 : was.open_count;
        site->barred = rule == 4 ? barred : was.barred;
        site->barred_count = rule == 4 ? 1 : was.barred_count;
        site->service_s = rule == 5 ? was.service_s + 1 : was.service_s;
        who->shift_count = rule == 6 ? 0 : who_was.shift_count;
        site->gap_least_days = rule == 7 ? 22 : was.gap_least_days;
        site->last_day = rule == 7 ? -1 : was.last_day;
        site->owner_hard = rule == 8;
        site->owner = rule == 8 ? (v->inspector + 1) % 6 : was.owner;
        HT_CHECK_INT(ht_rounds_check(&town.problem, plan, &error), HT_INVALID);
    }
    *site = was;
    HT_CHECK_INT(ht_rounds_check(&town.problem, plan, &error), HT_OK);
    for (uint32_t i = 0; i < plan->visit_count; i++) { /* quotas */
        for (uint32_t o = 0; o < i; o++) {
            const struct ht_rounds_visit *a = &plan->visits[i];
            const struct ht_rounds_visit *b = &plan->visits[o];
            if (a->day == b->day && a->inspector == b->inspector && a->state == HT_ROUNDS_PLANNED &&
                town.people[a->inspector].visits_day_most != 1) {
                town.people[a->inspector].visits_day_most = 1;
                HT_CHECK_INT(ht_rounds_check(&town.problem, plan, &error), HT_INVALID);
                town.people[a->inspector].visits_day_most = 0;
                town.people[a->inspector].visits_week_most = 1;
                HT_CHECK_INT(ht_rounds_check(&town.problem, plan, &error), HT_INVALID);
                town.people[a->inspector].visits_week_most = 0;
                ht_rounds_free(plan);
                return;
            }
        }
    }
    HT_CHECK(!"two visits of one inspector on a day");
    ht_rounds_free(plan);
}

HT_MAIN()
