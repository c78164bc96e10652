/* Why something is missing, that what is said to mend it does, and bad input. */
#include "engine/plan/rounds.h"

#include "tests/support/check.h"

enum { PLACES = 6, SITES = 12, PEOPLE = 3, DAYS = 7, OFFICE = 0 };

/* A week: two inspectors of an office, sites ten minutes away and apart, nine to five. */
static struct world {
    struct ht_rounds_problem problem;
    struct ht_plan_profile profile;
    uint32_t way[PLACES * PLACES];
    struct ht_rounds_site sites[SITES];
    struct ht_rounds_need needs[SITES][2];
    struct ht_rounds_window open[SITES][DAYS];
    struct ht_rounds_inspector people[PEOPLE];
    struct ht_rounds_window shifts[PEOPLE][DAYS];
    struct ht_rounds_running running[4];
} w;

static void week_make(uint32_t sites)
{
    memset(&w, 0, sizeof w);
    for (uint32_t i = 0; i < PLACES * PLACES; i++) {
        w.way[i] = i / PLACES == i % PLACES ? 0 : 600;
    }
    w.profile.duration_s = w.way;
    w.problem = (struct ht_rounds_problem){.weeks = 1,
                                           .location_count = PLACES,
                                           .profile_count = 1,
                                           .profiles = &w.profile,
                                           .site_count = sites,
                                           .sites = w.sites,
                                           .inspector_count = 2,
                                           .inspectors = w.people,
                                           .running = w.running,
                                           .prices = ht_rounds_prices_usual()};
    for (uint32_t i = 0; i < PEOPLE; i++) {
        w.people[i] = (struct ht_rounds_inspector){.shifts = w.shifts[i], .shift_count = 5};
        for (uint32_t d = 0; d < 5; d++) {
            w.shifts[i][d] = (struct ht_rounds_window){d, 32400, 61200};
        }
    }
    for (uint32_t s = 0; s < SITES; s++) {
        w.needs[s][0] = (struct ht_rounds_need){0, 6, 2};
        w.sites[s] = (struct ht_rounds_site){.location = 1 + s % 5,
                                             .service_s = 3600,
                                             .risk = 1,
                                             .crew = 1,
                                             .needs = w.needs[s],
                                             .need_count = 1,
                                             .open = w.open[s],
                                             .days = UINT64_MAX,
                                             .last_day = HT_ROUNDS_NEVER,
                                             .owner = HT_PLAN_NONE,
                                             .cell = HT_PLAN_NONE};
        for (uint32_t d = 0; d < DAYS; d++) {
            w.open[s][d] = (struct ht_rounds_window){d, 28800, 64800};
        }
    }
}

static struct ht_rounds_plan *plan_new(void)
{
    const struct ht_rounds_options options = {.iterations = 200, .seed = 1};
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_rounds_run(&w.problem, &options, &plan, &error);
    status = status == HT_OK ? ht_rounds_check(&w.problem, plan, &error) : status;
    if (status != HT_OK) {
        (void)printf("  %s\n", error.message);
        HT_CHECK_INT(status, HT_OK);
        ht_rounds_free(plan);
        return NULL;
    }
    return plan;
}

/* The first thing that is missing, and that all other sites are planned. */
static struct ht_rounds_missing missing_one(uint32_t visits)
{
    struct ht_rounds_plan *plan = plan_new();
    struct ht_rounds_missing missing = {.reason = HT_ROUNDS_REASONS};
    if (plan != NULL) {
        HT_CHECK_INT(plan->missing_count, 1);
        HT_CHECK_INT(plan->missing_visits, visits);
        HT_CHECK_INT(plan->visit_count, w.problem.site_count * 2 - visits);
        missing = plan->missing_count > 0 ? plan->missing[0] : missing;
        ht_rounds_free(plan);
    }
    return missing;
}

static void nothing_is_missing(void)
{
    struct ht_rounds_plan *plan = plan_new();
    if (plan != NULL) {
        HT_CHECK_INT(plan->missing_visits, 0);
        ht_rounds_free(plan);
    }
}

HT_CASE(a_usual_week_lacks_nothing)
{
    week_make(10);
    nothing_is_missing();
}

HT_CASE(nobody_may_enter)
{
    static const uint32_t all[] = {0, 1};
    week_make(3);
    w.sites[1].barred = all;
    w.sites[1].barred_count = 2;
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.site, 1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_NOBODY);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_INSPECTOR);
    w.problem.inspector_count += m.mend.number;
    nothing_is_missing();
}

HT_CASE(nobody_has_the_skills)
{
    week_make(3);
    w.sites[2].skills = 5;
    w.people[0].skills = 1;
    w.people[1].skills = 4;
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.reason, HT_ROUNDS_SKILLS);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_INSPECTOR);
    HT_CHECK_INT(m.mend.skills, 5);
    w.problem.inspector_count += m.mend.number;
    w.people[2].skills = m.mend.skills;
    nothing_is_missing();
}

HT_CASE(nobody_works)
{
    week_make(3);
    w.sites[0].owner = 0;
    w.sites[0].owner_hard = true;
    w.people[0].shift_count = 0;
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.reason, HT_ROUNDS_OFF);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_SHIFT);
    HT_CHECK_INT(m.mend.number, 2);
    HT_CHECK_INT(m.mend.inspector, 0);
    w.people[0].shift_count = m.mend.number;
    nothing_is_missing();
}

HT_CASE(nobody_works_on_enough_days)
{
    week_make(2);
    w.needs[1][0] = (struct ht_rounds_need){3, 6, 3};
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->missing_count == 1);
    HT_CHECK_INT(plan->missing[0].visits, 1);
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_OFF);
    HT_CHECK_INT(plan->missing[0].mend.hint, HT_ROUNDS_HINT_SHIFT);
    HT_CHECK_INT(plan->missing[0].mend.number, 1);
    ht_rounds_free(plan);
    w.shifts[1][5] = (struct ht_rounds_window){5, 32400, 61200};
    w.people[1].shift_count = 6;
    nothing_is_missing();
}

HT_CASE(there_is_no_way)
{
    week_make(3);
    for (uint32_t i = 0; i < PLACES; i++) {
        w.way[2 * PLACES + i] = HT_PLAN_NO_WAY; /* out of the second site's place */
    }
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.site, 1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_NO_WAY);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_WAY);
    w.way[2 * PLACES + OFFICE] = 600;
    nothing_is_missing();
}

/* A week that was over before anything could be planned. */
HT_CASE(days_that_are_over_are_no_closed_ones)
{
    week_make(1);
    w.needs[0][0] = (struct ht_rounds_need){0, 2, 2};
    w.needs[0][1] = (struct ht_rounds_need){3, 6, 1};
    w.sites[0].need_count = 2;
    w.problem.first_day = 3;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->missing_count == 1);
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_OVER);
    HT_CHECK_INT(plan->missing[0].mend.hint, HT_ROUNDS_HINT_VISITS);
    HT_CHECK_INT(plan->missing[0].mend.number, 2);
    ht_rounds_free(plan);
    w.needs[0][1].visits = 3; /* none is in the way of two visits more */
    plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->visit_count, 2); /* Thursday and Friday; the third has no day */
    HT_CHECK_INT(plan->missing_count, 2);
    ht_rounds_free(plan);
}

HT_CASE(more_visits_than_open_days)
{
    week_make(3);
    w.sites[1].open_count = 1;
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_CLOSED);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_DAYS);
    HT_CHECK_INT(m.mend.number, 1);
    w.sites[1].open_count += m.mend.number;
    nothing_is_missing();
    w.sites[1].days = 1; /* the same by days that are allowed */
    HT_CHECK_INT(missing_one(1).reason, HT_ROUNDS_CLOSED);
}

HT_CASE(days_that_open_are_no_help_where_the_gap_blocks)
{
    week_make(3);
    w.sites[1].gap_least_days = 4;
    w.sites[1].open_count = 1; /* Monday: with Friday, the gap is kept */
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_CLOSED);
    HT_CHECK_INT(m.mend.number, 1);
    w.open[1][1] = (struct ht_rounds_window){4, 28800, 64800};
    w.sites[1].open_count = 2;
    nothing_is_missing();
    w.sites[1].open_count = 1;
    w.sites[1].gap_least_days = 7; /* no second day of the week is so far away */
    m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_GAP);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_GAP);
    HT_CHECK_INT(m.mend.number, 1);
    w.needs[1][0] = (struct ht_rounds_need){0, 6, 3};
    w.sites[1].open_count = 2; /* Monday and Friday, and three are wanted, three days apart */
    w.sites[1].gap_least_days = 3;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->missing_count == 1);
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_CLOSED);
    HT_CHECK_INT(plan->missing[0].mend.number, 2); /* Thursday and Sunday, to Monday */
    ht_rounds_free(plan);
}

HT_CASE(windows_are_too_short)
{
    week_make(3);
    w.sites[1].open_count = 5;
    for (uint32_t d = 0; d < 5; d++) {
        w.open[1][d] = (struct ht_rounds_window){d, 36000, 36000 + (d < 1 ? 7200 : 3000)};
    }
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_SHORT);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_OPEN_LONGER);
    HT_CHECK_INT(m.mend.number, 600);
    HT_REQUIRE(m.mend.day >= 1 && m.mend.day < 5);
    w.open[1][m.mend.day].to_s += (int32_t)m.mend.number;
    nothing_is_missing();
}

HT_CASE(gaps_let_too_few_in)
{
    week_make(3);
    w.sites[1].gap_least_days = 6;
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_GAP);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_GAP);
    HT_CHECK_INT(m.mend.number, 2);
    w.sites[1].gap_least_days -= m.mend.number;
    nothing_is_missing();
}

HT_CASE(hours_do_not_meet)
{
    week_make(3);
    w.sites[1].open_count = 5;
    for (uint32_t d = 0; d < 5; d++) { /* there in time, but back too late */
        w.open[1][d] = (struct ht_rounds_window){d, 57010 + (int32_t)d * 10, 64800};
    }
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.reason, HT_ROUNDS_HOURS);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_WORK_LONGER);
    HT_CHECK_INT(m.mend.number, 10);
    HT_CHECK_INT(m.mend.day, 0);
}

HT_CASE(work_a_little_longer_mends_hours)
{
    week_make(3);
    w.needs[1][0].visits = 1;
    w.sites[1].open_count = 1;
    w.open[1][0] = (struct ht_rounds_window){2, 57900, 64800};
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->missing_count == 1);
    struct ht_rounds_mend mend = plan->missing[0].mend;
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_HOURS);
    HT_CHECK_INT(mend.hint, HT_ROUNDS_HINT_WORK_LONGER);
    HT_CHECK_INT(mend.number, 900);
    HT_CHECK_INT(mend.day, 2);
    ht_rounds_free(plan);
    HT_REQUIRE(mend.inspector < 2);
    w.shifts[mend.inspector][2].to_s += (int32_t)mend.number;
    nothing_is_missing();
    w.shifts[mend.inspector][2].to_s--;
    plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->missing_visits, 1); /* and no second less */
    ht_rounds_free(plan);
}

HT_CASE(no_two_at_the_same_time)
{
    week_make(3);
    w.sites[1].crew = 2;
    for (uint32_t d = 0; d < 5; d++) {
        w.shifts[0][d].to_s = 43200;
        w.shifts[1][d].from_s = 43200;
    }
    struct ht_rounds_missing m = missing_one(2);
    HT_CHECK_INT(m.reason, HT_ROUNDS_CREW);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_INSPECTOR);
    w.problem.inspector_count += m.mend.number;
    nothing_is_missing();
}

HT_CASE(quotas_are_used_up)
{
    week_make(5);
    w.people[0].visits_week_most = 4;
    w.people[1].visits_week_most = 5;
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_QUOTA);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_QUOTA);
    HT_CHECK_INT(m.mend.number, 1);
    HT_REQUIRE(m.mend.inspector < 2);
    w.people[m.mend.inspector].visits_week_most += m.mend.number;
    nothing_is_missing();
}

HT_CASE(all_is_full)
{
    week_make(5);
    for (uint32_t s = 0; s < 5; s++) {
        w.sites[s].service_s = 25000; /* one a day each, ten in all */
        w.sites[s].open_count = DAYS;
    }
    nothing_is_missing();
    w.people[1].shift_count = 4;
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_FULL);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_INSPECTOR); /* the site closes before a second visit */
    w.problem.inspector_count = 3;
    nothing_is_missing();
}

HT_CASE(full_days_could_be_longer)
{
    week_make(3);
    w.problem.inspector_count = 1;
    w.people[0].shift_count = 2;
    for (uint32_t s = 0; s < 3; s++) {
        w.sites[s].service_s = s == 0 ? 9600 : 9000; /* 27,600 and four ways: 30,000 of 28,800 */
    }
    w.shifts[0][0].to_s += 1200;
    struct ht_rounds_missing m = missing_one(1);
    HT_CHECK_INT(m.reason, HT_ROUNDS_FULL);
    HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_WORK_LONGER);
    HT_REQUIRE(m.mend.inspector == 0 && m.mend.day < 2);
    HT_CHECK_INT(m.mend.number, 1200);
    w.shifts[0][m.mend.day].to_s += (int32_t)m.mend.number;
    nothing_is_missing();
}

HT_CASE(risk_decides_who_is_left_out)
{
    week_make(6);
    w.problem.inspector_count = 1;
    w.people[0].shift_count = 4;
    for (uint32_t s = 0; s < 6; s++) {
        w.sites[s].service_s = 25000;
        w.sites[s].risk = s % 3 == 1 ? 4 : 1;
    }
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->visit_count, 4);
    for (uint32_t v = 0; v < plan->visit_count; v++) {
        HT_CHECK_INT(w.sites[plan->visits[v].site].risk, 4);
    }
    HT_CHECK_INT(plan->missing_visits, 8);
    ht_rounds_free(plan);
}

HT_CASE(high_risk_is_seen_early)
{
    week_make(10);
    for (uint32_t s = 0; s < 10; s++) {
        w.sites[s].service_s = 14000;
        w.needs[s][0].visits = 1;
        w.sites[s].risk = s >= 8 ? 4 : 1;
    }
    w.problem.prices.balance = 0;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->visit_count, 10);
    for (uint32_t v = 0; v < plan->visit_count; v++) {
        if (plan->visits[v].site >= 8) {
            HT_CHECK_INT(plan->visits[v].day, 0);
        }
    }
    ht_rounds_free(plan);
}

HT_CASE(idle_inspectors_are_told_why)
{
    week_make(1);
    w.problem.inspector_count = 3;
    w.sites[0].skills = 1;
    w.people[0].skills = 1;
    w.people[1].shift_count = 0;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->idle_count == 2);
    HT_CHECK_INT(plan->idle[0].reason, HT_ROUNDS_IDLE_NO_SHIFT);
    HT_CHECK_INT(plan->idle[1].reason, HT_ROUNDS_IDLE_NO_SKILLS);
    ht_rounds_free(plan);
    w.people[1].shift_count = 5;
    w.people[1].skills = 1;
    w.people[2].skills = 1;
    w.people[2].start = 5; /* an office of its own, without streets */
    for (uint32_t i = 0; i < PLACES; i++) {
        w.way[5 * PLACES + i] = HT_PLAN_NO_WAY;
    }
    w.sites[0].owner = 0;
    w.sites[0].owner_hard = false;
    plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->idle_count == 2);
    HT_CHECK_INT(plan->idle[0].reason, HT_ROUNDS_IDLE_FREE);
    HT_CHECK_INT(plan->idle[1].reason, HT_ROUNDS_IDLE_NO_WAY);
    ht_rounds_free(plan);
    for (uint32_t d = 0; d < 5; d++) {
        w.shifts[1][d].to_s = w.shifts[1][d].from_s + 3600;
    }
    plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->idle_count == 2);
    HT_CHECK_INT(plan->idle[0].reason, HT_ROUNDS_IDLE_HOURS);
    ht_rounds_free(plan);
}

HT_CASE(an_owner_away_and_a_late_gap_are_told)
{
    week_make(2);
    w.sites[0].owner = 0;
    w.people[0].shift_count = 0;
    w.sites[1].gap_most_days = 3;
    w.sites[1].last_day = -2;
    w.sites[1].days = 8; /* Thursday only */
    w.needs[1][0].visits = 1;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->missing_visits, 0);
    HT_REQUIRE(plan->broken_count == 3);
    for (uint32_t b = 0; b < 2; b++) {
        HT_CHECK_INT(plan->broken[b].wish, HT_ROUNDS_WISH_OWNER);
        HT_CHECK(plan->broken[b].mendable);
        HT_CHECK_INT(plan->broken[b].mend.hint, HT_ROUNDS_HINT_SHIFT);
        HT_CHECK_INT(plan->broken[b].mend.inspector, 0);
    }
    HT_CHECK_INT(plan->broken[2].wish, HT_ROUNDS_WISH_GAP);
    HT_CHECK_INT(plan->broken[2].number, 2);
    HT_CHECK(plan->broken[2].mendable);
    HT_CHECK_INT(plan->broken[2].mend.hint, HT_ROUNDS_HINT_DAYS);
    HT_CHECK_INT(plan->broken[2].mend.day, 1);
    ht_rounds_free(plan);
}

/* Twice a week fits with four days between, Monday and Friday, but not twice in two weeks. */
HT_CASE(gaps_over_the_weekend_let_too_few_in)
{
    static struct ht_rounds_window shifts[2][10];
    week_make(1);
    w.problem.weeks = 2;
    w.sites[0].gap_least_days = 4;
    w.sites[0].need_count = 2;
    w.needs[0][1] = (struct ht_rounds_need){7, 13, 2};
    for (uint32_t i = 0; i < 20; i++) {
        shifts[i / 10][i % 10] = (struct ht_rounds_window){i % 10 / 5 * 7 + i % 5, 32400, 61200};
        w.people[i / 10].shifts = shifts[i / 10];
        w.people[i / 10].shift_count = 10;
    }
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->missing_count == 1);
    HT_CHECK_INT(plan->missing[0].visits, 1);
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_GAP);
    HT_CHECK_INT(plan->missing[0].mend.hint, HT_ROUNDS_HINT_GAP);
    HT_CHECK_INT(plan->missing[0].mend.number, 1);
    w.sites[0].gap_least_days -= plan->missing[0].mend.number;
    ht_rounds_free(plan);
    nothing_is_missing();
}

/* Who alone may lead has no time, lacks the skills, or may not come: one more would not, either. */
HT_CASE(where_one_alone_may_lead_others_are_what_mends)
{
    static const uint32_t owner[] = {0};
    for (int i = 0; i < 3; i++) {
        week_make(2);
        w.sites[0].owner = 0;
        w.sites[0].owner_hard = true;
        w.people[1].skills = 1;
        w.sites[0].skills = i == 0 ? 1 : 0;
        w.sites[0].barred = owner;
        w.sites[0].barred_count = i == 1 ? 1 : 0;
        if (i == 2) { /* there is time for one of the two, and no overtime: it closes */
            w.people[0].shift_count = 2;
            w.sites[1].owner = 0;
            w.sites[1].owner_hard = true;
            w.sites[1].risk = 4;
            for (uint32_t s = 0; s < 2; s++) {
                w.sites[s].service_s = 25000;
                w.sites[s].open_count = DAYS;
            }
        }
        struct ht_rounds_missing m = missing_one(2);
        HT_CHECK_INT(m.site, 0);
        HT_CHECK_INT(m.mend.hint, HT_ROUNDS_HINT_OTHERS);
        HT_CHECK_INT(m.mend.inspector, 0);
        w.sites[0].owner_hard = false;
        w.sites[0].owner = HT_PLAN_NONE;
        nothing_is_missing();
    }
}

/* ---- broken wishes, and that what is said to mend them does ---- */

static struct ht_rounds_broken broken_one(enum ht_rounds_wish wish)
{
    struct ht_rounds_plan *plan = plan_new();
    struct ht_rounds_broken broken = {.wish = HT_ROUNDS_WISHES};
    if (plan != NULL) {
        HT_CHECK_INT(plan->broken_count, 1);
        HT_CHECK_INT(plan->missing_visits, 0);
        broken = plan->broken_count > 0 ? plan->broken[0] : broken;
        HT_CHECK_INT(broken.wish, wish);
        HT_CHECK(broken.mendable);
        ht_rounds_free(plan);
    }
    return broken;
}

static void nothing_is_broken(void)
{
    struct ht_rounds_plan *plan = plan_new();
    if (plan != NULL) {
        HT_CHECK_INT(plan->broken_count, 0);
        HT_CHECK_INT(plan->missing_visits, 0);
        ht_rounds_free(plan);
    }
}

/* One visit, on Wednesday, of a site that the first has. */
static void owned_make(void)
{
    week_make(1);
    w.needs[0][0] = (struct ht_rounds_need){2, 2, 1};
    w.sites[0].owner = 0;
    w.sites[0].open_count = 1;
    w.open[0][0] = (struct ht_rounds_window){2, 36000, 64800};
}

HT_CASE(an_owner_comes_once_what_is_named_is_done)
{
    owned_make();
    w.shifts[0][2] = w.shifts[0][3]; /* off on Wednesday */
    w.shifts[0][3] = w.shifts[0][4];
    w.people[0].shift_count = 4;
    struct ht_rounds_mend mend = broken_one(HT_ROUNDS_WISH_OWNER).mend;
    HT_CHECK(mend.hint == HT_ROUNDS_HINT_SHIFT && mend.inspector == 0 && mend.day == 2);
    owned_make();
    nothing_is_broken();
    for (uint32_t i = 0; i < PLACES; i++) { /* an office without streets */
        w.way[5 * PLACES + i] = HT_PLAN_NO_WAY;
    }
    w.people[0].start = 5;
    mend = broken_one(HT_ROUNDS_WISH_OWNER).mend;
    HT_CHECK(mend.hint == HT_ROUNDS_HINT_WAY && mend.inspector == 0);
    w.way[5 * PLACES + 1] = 600;
    nothing_is_broken();
    w.shifts[0][2].to_s = 36000 + 3600 + 600 - 300; /* home five minutes too late */
    mend = broken_one(HT_ROUNDS_WISH_OWNER).mend;
    HT_CHECK(mend.hint == HT_ROUNDS_HINT_WORK_LONGER && mend.number == 300 && mend.day == 2);
    HT_CHECK_INT(mend.inspector, 0);
    w.shifts[0][2].to_s += (int32_t)mend.number;
    nothing_is_broken();
    w.sites[0].skills = 1; /* which the owner lacks */
    w.people[1].skills = 1;
    mend = broken_one(HT_ROUNDS_WISH_OWNER).mend;
    HT_CHECK(mend.hint == HT_ROUNDS_HINT_OWNER && mend.inspector == 1);
    w.sites[0].owner = mend.inspector;
    w.sites[0].owner_hard = true;
    nothing_is_broken();
}

HT_CASE(an_owner_with_a_quota_more_comes)
{
    owned_make();
    w.problem.running_count = 1; /* promised to be the first's on that day, elsewhere */
    w.problem.site_count = 2;
    w.needs[1][0] = (struct ht_rounds_need){2, 2, 1};
    w.running[0] = (struct ht_rounds_running){.site = 1,
                                              .day = 2,
                                              .begin_s = 50000,
                                              .end_s = 53600,
                                              .inspector = 0,
                                              .second = HT_PLAN_NONE,
                                              .state = HT_ROUNDS_PROMISED};
    w.sites[1].owner = 0;
    w.people[0].visits_day_most = 1;
    struct ht_rounds_mend mend = broken_one(HT_ROUNDS_WISH_OWNER).mend;
    HT_CHECK(mend.hint == HT_ROUNDS_HINT_QUOTA && mend.inspector == 0 && mend.day == 2);
    w.people[0].visits_day_most += mend.number;
    nothing_is_broken();
}

/* Seen on the Saturday before; three days later it is due again. */
HT_CASE(a_gap_that_is_too_long_is_not_once_what_is_named_is_done)
{
    week_make(1);
    w.needs[0][0].visits = 1;
    w.sites[0].gap_most_days = 3;
    w.sites[0].last_day = -2;
    w.sites[0].days = 8; /* Thursday only */
    struct ht_rounds_broken broken = broken_one(HT_ROUNDS_WISH_GAP);
    HT_CHECK(broken.mend.hint == HT_ROUNDS_HINT_DAYS && broken.mend.day == 1);
    HT_CHECK_INT(broken.number, 2);
    w.sites[0].days |= UINT64_C(1) << broken.mend.day;
    nothing_is_broken();
    w.people[0].shift_count = w.people[1].shift_count = 1; /* Friday only */
    w.shifts[0][0].day = w.shifts[1][0].day = 4;
    w.sites[0].days = UINT64_MAX;
    broken = broken_one(HT_ROUNDS_WISH_GAP);
    HT_CHECK(broken.mend.hint == HT_ROUNDS_HINT_SHIFT && broken.mend.day == 1);
    HT_REQUIRE(broken.mend.inspector < 2);
    w.shifts[broken.mend.inspector][0].day = broken.mend.day;
    nothing_is_broken();
}

/* Fewer visits than the longest gap wants: the gap is named, and a visit more mends it. */
HT_CASE(a_gap_that_too_few_visits_leave_is_named_with_a_visit_more)
{
    week_make(1);
    w.needs[0][0] = (struct ht_rounds_need){0, 0, 1};
    w.needs[0][1] = (struct ht_rounds_need){1, 6, 1};
    w.sites[0].need_count = 2;
    w.sites[0].gap_most_days = 2;
    w.sites[0].open_count = 3;
    w.open[0][1] = (struct ht_rounds_window){2, 28800, 64800};
    w.open[0][2] = (struct ht_rounds_window){4, 28800, 64800};
    w.problem.running_count = 1;
    w.running[0] = (struct ht_rounds_running){.site = 0,
                                              .day = 4,
                                              .begin_s = 40000,
                                              .end_s = 43600,
                                              .inspector = 0,
                                              .second = HT_PLAN_NONE,
                                              .state = HT_ROUNDS_PROMISED};
    struct ht_rounds_broken broken = broken_one(HT_ROUNDS_WISH_GAP);
    HT_CHECK_INT(broken.number, 2);
    HT_CHECK(broken.mend.hint == HT_ROUNDS_HINT_VISITS && broken.mend.day == 2);
    w.needs[0][1].visits += broken.mend.number;
    nothing_is_broken();
}

/* It was promised until half past five; the shift ends at five, or is none. */
HT_CASE(a_promise_is_kept_once_what_is_named_is_done)
{
    for (int i = 0; i < 2; i++) {
        week_make(1);
        w.needs[0][0].visits = 1;
        w.problem.running_count = 1;
        w.running[0] = (struct ht_rounds_running){.site = 0,
                                                  .day = 2,
                                                  .begin_s = 59400,
                                                  .end_s = 63000,
                                                  .inspector = 1,
                                                  .second = HT_PLAN_NONE,
                                                  .state = HT_ROUNDS_PROMISED};
        w.people[1].shift_count = i == 0 ? 5 : 2;
        struct ht_rounds_mend mend = broken_one(HT_ROUNDS_WISH_PROMISE).mend;
        HT_CHECK(mend.inspector == 1 && mend.day == 2);
        HT_CHECK_INT(mend.hint, i == 0 ? HT_ROUNDS_HINT_WORK_LONGER : HT_ROUNDS_HINT_SHIFT);
        HT_CHECK(i == 1 || mend.number == 63000 + 600 - 61200);
        w.people[1].shift_count = 5;
        w.shifts[1][2].to_s = i == 0 ? 61200 + (int32_t)mend.number : 64800;
        nothing_is_broken();
    }
}

HT_CASE(an_owner_who_could_come_is_told_how_to_be_sure_of_it)
{
    week_make(2);
    w.sites[0].owner = 0;
    w.way[0 * PLACES + 1] = w.way[1 * PLACES + 0] = 600;
    w.problem.prices.owner_s = 0; /* others may come as well */
    w.problem.prices.balance = 0;
    w.problem.running_count = 1;
    w.running[0] = (struct ht_rounds_running){.site = 0,
                                              .day = 0,
                                              .begin_s = 36000,
                                              .end_s = 39600,
                                              .inspector = 1,
                                              .second = HT_PLAN_NONE,
                                              .state = HT_ROUNDS_PROMISED};
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->broken_count > 0);
    for (uint32_t b = 0; b < plan->broken_count; b++) {
        HT_CHECK_INT(plan->broken[b].wish, HT_ROUNDS_WISH_OWNER);
        HT_CHECK(plan->broken[b].mendable);
        HT_CHECK_INT(plan->broken[b].mend.hint, HT_ROUNDS_HINT_OWNER);
        HT_CHECK_INT(plan->broken[b].mend.inspector, plan->owner[plan->broken[b].site]);
    }
    ht_rounds_free(plan);
}

/* One large site among people who have nothing to do: each visit that somebody else makes would
 * make hours more alike. */
HT_CASE(no_owner_is_given_up_to_make_hours_alike)
{
    static const uint32_t balances[] = {150, 400, HT_ROUNDS_BALANCE_MOST};
    for (uint32_t i = 0; i < sizeof balances / sizeof *balances; i++) {
        week_make(2);
        w.problem.inspector_count = PEOPLE;
        w.problem.prices.balance = balances[i];
        for (uint32_t s = 0; s < 2; s++) {
            w.needs[s][0].visits = 5;
            w.sites[s].service_s = 14400;
        }
        struct ht_rounds_plan *plan = plan_new();
        HT_REQUIRE(plan != NULL);
        HT_CHECK_INT(plan->missing_visits, 0);
        HT_CHECK_INT(plan->visit_count, 10);
        HT_CHECK_INT(plan->broken_count, 0);
        HT_CHECK(plan->owner[0] != plan->owner[1]); /* whole sites are shared out all the same */
        ht_rounds_free(plan);
    }
}

/* Where nobody keeps a site, a visit too few is no way to make hours alike. */
HT_CASE(no_visit_is_left_out_to_make_hours_alike)
{
    week_make(1);
    w.problem.prices.owner_s = 0;
    w.problem.prices.balance = HT_ROUNDS_BALANCE_MOST;
    w.problem.inspector_count = 2;
    w.people[1].shift_count = 1;
    w.people[0].share = HT_ROUNDS_SHARE_LEAST;
    w.needs[0][0].visits = 5;
    w.sites[0].service_s = 25200;
    nothing_is_missing();
}

HT_CASE(what_stays_on_its_day_keeps_its_time_as_far_as_it_can)
{
    week_make(1);
    w.needs[0][0].visits = 1;
    w.problem.running_count = 1;
    w.running[0] = (struct ht_rounds_running){.site = 0,
                                              .day = 2,
                                              .begin_s = 45000,
                                              .end_s = 48600,
                                              .inspector = 1,
                                              .second = HT_PLAN_NONE,
                                              .state = HT_ROUNDS_PLANNED};
    w.sites[0].owner = 1;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->visit_count == 1);
    HT_CHECK_INT(plan->visits[0].begin_s, 45000);
    HT_CHECK_INT(plan->kept, 1);
    HT_CHECK(!plan->visits[0].moved);
    ht_rounds_free(plan);
    w.shifts[1][2].to_s = 45000 + 3000; /* an hour and the way home: half an hour earlier or so */
    plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->visit_count == 1);
    HT_CHECK_INT(plan->visits[0].begin_s, 45000 + 3000 - 600 - 3600);
    HT_CHECK_INT(plan->kept, 1);
    ht_rounds_free(plan);
    w.shifts[1][2].to_s = 40000; /* far earlier: it has moved, though on its day */
    plan = plan_new();
    HT_REQUIRE(plan != NULL && plan->visit_count == 1);
    HT_CHECK(plan->visits[0].day == 2 && plan->visits[0].moved);
    HT_CHECK(plan->kept == 0 && plan->moved == 1);
    ht_rounds_free(plan);
}

/* ---- bad input ---- */

static void refuses(enum ht_status wanted, int64_t line)
{
    const struct ht_rounds_options options = {.iterations = 1};
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    int64_t bound_s = 0;
    HT_CHECK_INT(ht_rounds_run(&w.problem, &options, &plan, &error), wanted);
    HT_CHECK(plan == NULL && error.message[0] != '\0');
    HT_CHECK_INT(error.line, line);
    HT_CHECK_INT(ht_rounds_bound(&w.problem, &bound_s), wanted);
    week_make(3);
}

HT_CASE(sizes_out_of_range_are_refused)
{
    week_make(3);
    w.problem.weeks = 0;
    refuses(HT_INVALID, 0);
    w.problem.weeks = 9;
    refuses(HT_INVALID, 0);
    w.problem.first_weekday = 7;
    refuses(HT_RANGE, 0);
    w.problem.first_day = 8;
    refuses(HT_RANGE, 0);
    w.problem.site_count = HT_ROUNDS_SITES_MOST + 1;
    refuses(HT_TOO_BIG, 0);
    w.problem.inspector_count = HT_ROUNDS_INSPECTORS_MOST + 1;
    refuses(HT_TOO_BIG, 0);
    w.problem.running_count = HT_ROUNDS_VISITS_MOST + 1;
    refuses(HT_TOO_BIG, 0);
    w.problem.location_count = UINT32_MAX;
    refuses(HT_TOO_BIG, 0);
    w.problem.prices.late_s = HT_ROUNDS_PRICE_MOST + 1;
    refuses(HT_RANGE, 0);
    w.problem.prices.balance = HT_ROUNDS_BALANCE_MOST + 1;
    refuses(HT_RANGE, 0);
    w.problem.sites = NULL;
    refuses(HT_INVALID, 0);
    w.profile.duration_s = NULL;
    refuses(HT_INVALID, 0);
}

HT_CASE(sites_that_contradict_themselves_are_named)
{
    week_make(3);
    w.sites[1].location = PLACES;
    refuses(HT_RANGE, 1);
    w.sites[2].risk = 0;
    refuses(HT_RANGE, 2);
    w.sites[2].risk = 5;
    refuses(HT_RANGE, 2);
    w.sites[2].crew = 3;
    refuses(HT_RANGE, 2);
    w.sites[2].service_s = UINT32_MAX;
    refuses(HT_RANGE, 2);
    w.sites[1].gap_least_days = 3;
    w.sites[1].gap_most_days = 2;
    refuses(HT_INVALID, 1);
    w.sites[1].last_day = 0;
    refuses(HT_RANGE, 1);
    w.sites[1].last_day = INT32_MIN + 1;
    refuses(HT_RANGE, 1);
    w.sites[1].owner = 2;
    refuses(HT_RANGE, 1);
    w.sites[1].owner_hard = true;
    refuses(HT_INVALID, 1);
    w.needs[1][0].last_day = 7;
    refuses(HT_RANGE, 1);
    w.needs[1][0].visits = UINT32_MAX;
    refuses(HT_RANGE, 1);
    w.needs[1][1] = (struct ht_rounds_need){6, 6, 1};
    w.sites[1].need_count = 2;
    refuses(HT_INVALID, 1);
    w.sites[1].open_count = 2;
    w.open[1][1] = (struct ht_rounds_window){0, 64800, 70000};
    refuses(HT_INVALID, 1);
    w.sites[1].open_count = 1;
    w.open[1][0] = (struct ht_rounds_window){0, 100, 99};
    refuses(HT_INVALID, 1);
    w.sites[1].open_count = 1;
    w.open[1][0] = (struct ht_rounds_window){0, 100, INT32_MAX};
    refuses(HT_RANGE, 1);
    static const uint32_t stranger[] = {9};
    w.sites[1].barred = stranger;
    w.sites[1].barred_count = 1;
    refuses(HT_RANGE, 1);
}

HT_CASE(inspectors_and_running_visits_are_named)
{
    week_make(3);
    w.people[1].start = PLACES;
    refuses(HT_RANGE, 1);
    w.people[1].profile = 1;
    refuses(HT_RANGE, 1);
    w.people[1].share = 24;
    refuses(HT_RANGE, 1);
    w.shifts[1][2].from_s = -1;
    refuses(HT_RANGE, 1);
    const struct ht_rounds_running fine = {.site = 1,
                                           .day = 2,
                                           .begin_s = 40000,
                                           .end_s = 43600,
                                           .inspector = 0,
                                           .second = HT_PLAN_NONE,
                                           .state = HT_ROUNDS_PLANNED};
    for (int i = 0; i < 7; i++) {
        w.problem.running_count = 2;
        w.running[0] = fine;
        w.running[1] = fine;
        w.running[1].day = 3;
        w.running[1].site = i == 0 ? 3 : 1;
        w.running[1].inspector = i == 1 ? 2 : 0;
        w.running[1].second = i == 2 ? 0 : HT_PLAN_NONE;
        w.running[1].day = i == 3 ? 7 : i == 4 ? 2 : 3;
        w.running[1].end_s = i == 5 ? 39999 : 43600;
        w.running[1].state = i == 6 ? HT_ROUNDS_PAST : HT_ROUNDS_PLANNED;
        refuses(i == 2 || i == 4 || i == 6 ? HT_INVALID : HT_RANGE, 1);
    }
}

HT_CASE(neither_limit_nor_iterations_is_refused)
{
    const struct ht_rounds_options options = {.limit_ms = 0};
    struct ht_rounds_plan *plan = NULL;
    week_make(1);
    HT_CHECK_INT(ht_rounds_run(&w.problem, &options, &plan, NULL), HT_INVALID);
}

HT_CASE(nothing_at_all_is_a_plan_too)
{
    week_make(0);
    w.problem.inspector_count = 0;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->visit_count, 0);
    HT_CHECK_INT(plan->cost.sum, 0);
    ht_rounds_free(plan);
    week_make(2);
    w.problem.inspector_count = 0; /* nobody is there */
    plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->missing_count, 2);
    HT_CHECK_INT(plan->missing[0].reason, HT_ROUNDS_NOBODY);
    HT_CHECK_INT(plan->owner[0], HT_PLAN_NONE);
    ht_rounds_free(plan);
}

/* Numbers at their ends neither overflow nor break anything. */
HT_CASE(greatest_numbers_are_no_harm)
{
    week_make(12);
    w.problem.prices = (struct ht_rounds_prices){
        HT_ROUNDS_PRICE_MOST, HT_ROUNDS_PRICE_MOST, HT_ROUNDS_PRICE_MOST,
        HT_ROUNDS_PRICE_MOST, HT_ROUNDS_PRICE_MOST, HT_ROUNDS_PRICE_MOST,
        HT_ROUNDS_PRICE_MOST, HT_ROUNDS_PRICE_MOST, HT_ROUNDS_BALANCE_MOST};
    static uint32_t far_m[PLACES * PLACES];
    memset(far_m, 0xff, sizeof far_m);
    w.profile.distance_m = far_m;
    for (uint32_t s = 0; s < 12; s++) {
        w.sites[s].service_s = s == 3 ? HT_ROUNDS_TIME_MOST_S : 0;
        w.sites[s].risk = 4;
        w.sites[s].last_day = s == 4 ? -36500 : HT_ROUNDS_NEVER;
        w.sites[s].gap_most_days = 3;
        w.sites[s].cell = UINT32_MAX - 1 - s;
        w.needs[s][0].visits = s == 5 ? 50000 : 2;
    }
    w.people[0].share = HT_ROUNDS_SHARE_LEAST;
    struct ht_rounds_plan *plan = plan_new();
    HT_REQUIRE(plan != NULL);
    HT_CHECK(plan->cost.sum > 0); /* to go there costs more than to let it be */
    ht_rounds_free(plan);
    w.profile.distance_m = NULL;
    w.problem.prices.day_s = 0;
    plan = plan_new();
    HT_REQUIRE(plan != NULL);
    /* One takes too long, one is so late that not to go at all costs less, one is seen each day. */
    HT_CHECK_INT(plan->visit_count, 18 + 5);
    HT_CHECK_INT(plan->missing_visits, 2 + 2 + 50000 - 5);
    ht_rounds_free(plan);
}

HT_CASE(names_of_reasons)
{
    HT_CHECK_STR(ht_rounds_reason_name(HT_ROUNDS_FULL), "full");
    HT_CHECK_STR(ht_rounds_reason_name(HT_ROUNDS_OVER), "over");
    HT_CHECK_STR(ht_rounds_reason_name(HT_ROUNDS_REASONS), "unknown");
    HT_CHECK_STR(ht_rounds_hint_name(HT_ROUNDS_HINT_QUOTA), "quota");
    HT_CHECK_STR(ht_rounds_hint_name(HT_ROUNDS_HINT_OWNER), "owner");
    HT_CHECK_STR(ht_rounds_wish_name(HT_ROUNDS_WISH_PROMISE), "promise");
    HT_CHECK_STR(ht_rounds_idle_name(HT_ROUNDS_IDLE_FREE), "free");
    HT_CHECK_STR(ht_rounds_idle_name((enum ht_rounds_idle_reason)9), "unknown");
}

HT_MAIN()
