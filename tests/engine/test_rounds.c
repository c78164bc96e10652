#include "engine/plan/rounds.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_rounds.h"

static struct ht_rounds_town town;

static struct ht_rounds_plan *run_seed(uint64_t iterations, uint64_t seed)
{
    const struct ht_rounds_options options = {.iterations = iterations, .seed = seed};
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_rounds_run(&town.problem, &options, &plan, &error);
    if (status != HT_OK || ht_rounds_check(&town.problem, plan, &error) != HT_OK) {
        (void)printf("  rounds: %s\n", error.message);
        HT_CHECK(status == HT_OK);
        HT_CHECK(status != HT_OK);
        ht_rounds_free(plan);
        return NULL;
    }
    return plan;
}

static struct ht_rounds_plan *run(uint64_t iterations)
{
    return run_seed(iterations, 5);
}

HT_CASE(random_rounds_keep_every_rule)
{
    uint64_t state = 1;
    uint32_t visits = 0;
    uint32_t pairs = 0;
    uint32_t missing = 0;
    uint32_t broken[HT_ROUNDS_WISHES] = {0};
    uint32_t reasons[HT_ROUNDS_REASONS] = {0};
    for (uint32_t i = 0; i < (HT_LONG ? 2000U : 150U); i++) {
        ht_town_make(&town, &state, 1 + ht_random_below(&state, HT_TOWN_SITES),
                     ht_random_below(&state, HT_TOWN_PEOPLE + 1));
        struct ht_rounds_plan *plan = run(60);
        HT_REQUIRE(plan != NULL);
        visits += plan->visit_count;
        missing += plan->missing_visits;
        for (uint32_t v = 0; v < plan->visit_count; v++) {
            pairs += plan->visits[v].second != HT_PLAN_NONE;
        }
        for (uint32_t b = 0; b < plan->broken_count; b++) {
            broken[plan->broken[b].wish]++;
        }
        for (uint32_t m = 0; m < plan->missing_count; m++) {
            reasons[plan->missing[m].reason]++;
        }
        ht_rounds_free(plan);
    }
    HT_CHECK(visits > 3000);
    HT_CHECK(pairs > 200);
    HT_CHECK(missing > 200);
    HT_CHECK(broken[HT_ROUNDS_WISH_GAP] > 50);
    HT_CHECK(broken[HT_ROUNDS_WISH_OWNER] > 50);
    HT_CHECK(reasons[HT_ROUNDS_NOBODY] > 0 && reasons[HT_ROUNDS_SKILLS] > 0);
    HT_CHECK(reasons[HT_ROUNDS_FULL] > 0 && reasons[HT_ROUNDS_CREW] > 0);
}

/* Some are on the way when a day is planned anew. */
static void some_set_out(uint64_t *state)
{
    for (uint32_t i = 0; i < town.problem.inspector_count; i++) {
        town.people[i].underway = ht_random_below(state, 2) == 0;
        town.people[i].here = ht_random_below(state, HT_TOWN_PLACES);
    }
}

HT_CASE(rounds_that_go_on_keep_what_was_and_what_is_promised)
{
    uint64_t state = 7;
    uint32_t kept = 0;
    uint32_t moved = 0;
    uint32_t past = 0;
    uint32_t promised = 0;
    uint32_t lost = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 1000U : 400U); i++) {
        ht_town_make(&town, &state, 5 + ht_random_below(&state, 30),
                     2 + ht_random_below(&state, 6));
        struct ht_rounds_plan *plan = run(60);
        HT_REQUIRE(plan != NULL);
        ht_town_goes_on(&town, plan, ht_random_below(&state, town.problem.weeks * 7),
                        1 + ht_random_below(&state, 4));
        ht_rounds_free(plan);
        uint32_t sick = ht_random_below(&state, town.problem.inspector_count);
        town.people[sick].shift_count /= 2;
        some_set_out(&state);
        plan = run(60);
        HT_REQUIRE(plan != NULL);
        kept += plan->kept;
        moved += plan->moved;
        for (uint32_t v = 0; v < plan->visit_count; v++) {
            past += plan->visits[v].state == HT_ROUNDS_PAST;
            promised += plan->visits[v].state == HT_ROUNDS_PROMISED;
        }
        for (uint32_t b = 0; b < plan->broken_count; b++) {
            lost += plan->broken[b].wish == HT_ROUNDS_WISH_PROMISE;
        }
        ht_rounds_free(plan);
    }
    HT_CHECK(past > 300 && promised > 100 && lost > 5);
    HT_CHECK(kept > 400 && moved > 5);
    HT_CHECK(moved < kept / 3);
}

/* Home lies 900 s from two sites that are 60 s from each other: who is at one of them is at the
 * other in 60 s on that day, and begins at home on all others. */
HT_CASE(who_is_on_the_way_begins_the_day_there)
{
    enum { HOME = HT_TOWN_PLACES - 1 };
    static const struct ht_rounds_window shift[] = {{2, 40000, 60000}, {3, 30000, 60000}};
    static const struct ht_rounds_need need = {0, 6, 2};
    uint64_t state = 31;
    ht_town_make(&town, &state, 1, 1);
    ht_town_ways(&town, &state, false);
    town.problem.weeks = 1;
    town.problem.first_day = 2;
    town.sites[0] = (struct ht_rounds_site){.location = 0,
                                            .service_s = 1800,
                                            .risk = 1,
                                            .crew = 1,
                                            .needs = &need,
                                            .need_count = 1,
                                            .days = UINT64_MAX,
                                            .last_day = HT_ROUNDS_NEVER,
                                            .owner = HT_PLAN_NONE,
                                            .cell = HT_PLAN_NONE};
    town.people[0] = (struct ht_rounds_inspector){
        .start = HOME, .end = HOME, .here = 1, .shifts = shift, .shift_count = 2};
    uint32_t *ways = town.duration[0];
    ways[HOME * HT_TOWN_PLACES] = 900;
    ways[1 * HT_TOWN_PLACES] = 60;
    for (int k = 0; k < 2; k++) {
        town.people[0].underway = k == 1;
        struct ht_rounds_plan *plan = run(20);
        HT_REQUIRE(plan != NULL && plan->visit_count == 2);
        HT_CHECK_INT(plan->visits[0].begin_s, k == 1 ? 40060 : 40900);
        HT_CHECK_INT(plan->visits[1].begin_s, 30900);
        HT_CHECK_INT(plan->tours[0].start_s, 40000);
        ht_rounds_free(plan);
    }
    town.people[0].here = HT_TOWN_PLACES; /* is nowhere */
    HT_CHECK_INT(ht_rounds_problem_check(&town.problem, NULL), HT_RANGE);
}

HT_CASE(nothing_moves_where_nothing_changed)
{
    uint64_t state = 9;
    for (uint32_t i = 0; i < 20; i++) {
        ht_town_make(&town, &state, 20, 5);
        struct ht_rounds_plan *plan = run(300);
        HT_REQUIRE(plan != NULL);
        ht_town_goes_on(&town, plan, 0, 0);
        ht_rounds_free(plan);
        town.problem.prices.move_s = 1000000;
        plan = run(100);
        HT_REQUIRE(plan != NULL);
        HT_CHECK_INT(plan->moved, 0);
        HT_CHECK_INT(plan->kept, town.problem.running_count);
        ht_rounds_free(plan);
    }
}

HT_CASE(same_seed_same_plan)
{
    uint64_t state = 11;
    ht_town_make(&town, &state, HT_TOWN_SITES, HT_TOWN_PEOPLE);
    struct ht_rounds_plan *a = run_seed(200, 3);
    struct ht_rounds_plan *b = run_seed(200, 3);
    struct ht_rounds_plan *c = run_seed(200, 4);
    HT_REQUIRE(a != NULL && b != NULL && c != NULL);
    HT_CHECK_INT(a->visit_count, b->visit_count);
    HT_CHECK(memcmp(a->visits, b->visits, a->visit_count * sizeof *a->visits) == 0);
    HT_CHECK_INT(a->cost.sum, b->cost.sum);
    HT_CHECK_INT(a->iterations, 200);
    HT_CHECK(a->visit_count != c->visit_count ||
             memcmp(a->visits, c->visits, a->visit_count * sizeof *a->visits) != 0);
    ht_rounds_free(a);
    ht_rounds_free(b);
    ht_rounds_free(c);
}

HT_CASE(more_time_makes_no_plan_worse)
{
    uint64_t state = 13;
    int64_t soon = 0;
    int64_t late = 0;
    for (int i = 0; i < 20; i++) {
        ht_town_make(&town, &state, 30, 6);
        struct ht_rounds_plan *a = run(1);
        struct ht_rounds_plan *b = run(600);
        HT_REQUIRE(a != NULL && b != NULL);
        HT_CHECK(b->cost.sum <= a->cost.sum);
        soon += a->cost.sum - a->cost.missing;
        late += b->cost.sum - b->cost.missing;
        ht_rounds_free(a);
        ht_rounds_free(b);
    }
    HT_CHECK(late < soon * 95 / 100);
}

HT_CASE(whoever_waits_may_stop_it)
{
    uint64_t state = 15;
    const bool yes = true;
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    ht_town_make(&town, &state, 20, 5);
    struct ht_rounds_options options = {.limit_ms = 3600000, .cancel = &yes};
    HT_CHECK_INT(ht_rounds_run(&town.problem, &options, &plan, &error), HT_CANCELLED);
    HT_CHECK(plan == NULL);
    options = (struct ht_rounds_options){.limit_ms = 3600000, .enough = &yes};
    HT_CHECK_INT(ht_rounds_run(&town.problem, &options, &plan, &error), HT_OK);
    HT_REQUIRE(plan != NULL);
    HT_CHECK_INT(plan->iterations, 0);
    ht_rounds_free(plan);
    options = (struct ht_rounds_options){.limit_ms = 1};
    HT_CHECK_INT(ht_rounds_run(&town.problem, &options, &plan, &error), HT_OK);
    ht_rounds_free(plan);
}

/* ---- the best of all plans, by trying them all ---- */

enum { FEW_SITES = 3, FEW_PEOPLE = 2, FEW_DAYS = 5, OPTIONS = 4096, NOWAY = -1 };

/* What one site may have: who comes on each day, NONE: nobody. */
struct option {
    uint8_t by[FEW_DAYS];
    int64_t cost; /* of the site by itself, without owner and cell */
    uint8_t led[FEW_PEOPLE];
    uint32_t visits;
};

struct oracle {
    int64_t tour_s[FEW_PEOPLE][FEW_DAYS][1 << FEW_SITES]; /* NOWAY */
    struct option options[FEW_SITES][OPTIONS];
    uint32_t option_count[FEW_SITES];
    const struct option *chosen[FEW_SITES];
    int64_t best;
};

static struct oracle oracle;

static int64_t few_way(uint32_t i, uint32_t from, uint32_t to)
{
    if (from == to || from == HT_PLAN_NONE || to == HT_PLAN_NONE) {
        return 0;
    }
    return town.duration[town.people[i].profile][from * HT_TOWN_PLACES + to];
}

/* The earliest begin within a window of the site and a shift; -1. */
static int64_t few_begin(uint32_t i, uint32_t s, uint32_t day, int64_t now_s)
{
    int64_t best = -1;
    const struct ht_rounds_site *site = &town.sites[s];
    for (uint32_t w = 0; w < town.people[i].shift_count; w++) {
        const struct ht_rounds_window *shift = &town.shifts[i][w];
        for (uint32_t o = 0; o < (site->open_count == 0 ? 1 : site->open_count); o++) {
            const struct ht_rounds_window *open = site->open_count == 0 ? shift : &town.open[s][o];
            int64_t begin_s = now_s > shift->from_s ? now_s : shift->from_s;
            begin_s = begin_s > open->from_s ? begin_s : open->from_s;
            int64_t end_s = begin_s + site->service_s;
            bool fits = shift->day == day && open->day == day && end_s <= shift->to_s &&
                        end_s <= open->to_s;
            best = fits && (best < 0 || begin_s < best) ? begin_s : best;
        }
    }
    return best;
}

/* Travel of the best order of a set of sites: all orders of the rest behind `at`. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are sites
static int64_t few_tour(uint32_t i, uint32_t day, uint32_t set, uint32_t at, int64_t now_s)
{
    int64_t best = NOWAY;
    int64_t last_s = -1;
    if (set == 0) {
        for (uint32_t w = 0; w < town.people[i].shift_count; w++) {
            last_s = town.shifts[i][w].day == day ? town.shifts[i][w].to_s : last_s;
        }
        int64_t way_s = few_way(i, at, town.people[i].end);
        return now_s + way_s <= last_s ? way_s : NOWAY;
    }
    for (uint32_t s = 0; s < FEW_SITES; s++) {
        if ((set >> s & 1) == 0) {
            continue;
        }
        int64_t way_s = few_way(i, at, town.sites[s].location);
        int64_t begin_s = few_begin(i, s, day, now_s + way_s);
        int64_t rest_s = begin_s < 0 ? NOWAY
                                     : few_tour(i, day, set & ~(1U << s), town.sites[s].location,
                                                begin_s + town.sites[s].service_s);
        if (rest_s != NOWAY && (best == NOWAY || way_s + rest_s < best)) {
            best = way_s + rest_s;
        }
    }
    return best;
}

static void few_tours(void)
{
    for (uint32_t i = 0; i < FEW_PEOPLE; i++) {
        for (uint32_t d = 0; d < FEW_DAYS; d++) {
            int64_t from_s = -1;
            for (uint32_t w = town.people[i].shift_count; w-- > 0;) {
                from_s = town.shifts[i][w].day == d ? town.shifts[i][w].from_s : from_s;
            }
            for (uint32_t set = 0; set < 1U << FEW_SITES; set++) {
                oracle.tour_s[i][d][set] = set == 0 ? 0
                                           : from_s < 0
                                               ? NOWAY
                                               : few_tour(i, d, set, town.people[i].start, from_s);
            }
        }
    }
}

/* What gaps, lacks and the first day cost; -1: a rule is broken. */
static int64_t few_site_cost(uint32_t s, const struct option *o)
{
    const struct ht_rounds_site *site = &town.sites[s];
    const struct ht_rounds_prices *prices = &town.problem.prices;
    const struct ht_rounds_need *need = &site->needs[0];
    int64_t cost = 0;
    int64_t last = site->last_day == HT_ROUNDS_NEVER ? INT64_MIN : site->last_day;
    bool first = true;
    if (o->visits > need->visits) {
        return -1;
    }
    for (uint32_t d = 0; d < FEW_DAYS; d++) {
        if (o->by[d] == FEW_PEOPLE) {
            continue;
        }
        int64_t gap = (int64_t)d - last;
        if (last != INT64_MIN) {
            if (gap < site->gap_least_days) {
                return -1;
            }
            int64_t off = gap * need->visits - 7;
            cost += prices->spread_s * (off < 0 ? -off : off) / need->visits;
            cost += site->gap_most_days > 0 && gap > site->gap_most_days
                        ? prices->late_s * (gap - site->gap_most_days)
                        : 0;
        }
        cost += first ? (int64_t)prices->early_s * (site->risk > 2 ? site->risk - 2 : 0) * d : 0;
        first = false;
        last = d;
    }
    return cost + (HT_ROUNDS_MISSING_S << (site->risk - 1)) * (need->visits - o->visits);
}

static bool few_may(uint32_t s, uint32_t i)
{
    const struct ht_rounds_site *site = &town.sites[s];
    bool may = (site->skills & ~town.people[i].skills) == 0;
    may = may && (!site->owner_hard || site->owner == i);
    for (uint32_t b = 0; b < site->barred_count; b++) {
        may = may && town.barred[s][b] != i;
    }
    return may;
}

static void few_options(uint32_t s)
{
    uint32_t all = 1;
    oracle.option_count[s] = 0;
    for (int d = 0; d < FEW_DAYS; d++) {
        all *= FEW_PEOPLE + 1;
    }
    for (uint32_t code = 0; code < all; code++) {
        struct option o = {0};
        uint32_t rest = code;
        bool can = true;
        for (uint32_t d = 0; d < FEW_DAYS; d++) {
            o.by[d] = (uint8_t)(rest % (FEW_PEOPLE + 1));
            rest /= FEW_PEOPLE + 1;
            if (o.by[d] < FEW_PEOPLE) {
                o.visits++;
                o.led[o.by[d]]++;
                can = can && few_may(s, o.by[d]) && (town.sites[s].days >> d & 1) != 0;
            }
        }
        o.cost = few_site_cost(s, &o);
        if (can && o.cost >= 0) {
            oracle.options[s][oracle.option_count[s]++] = o;
        }
    }
}

/* What so much above the fair load costs. */
static int64_t few_balance(int64_t more_s, int64_t fair_s)
{
    const struct ht_rounds_prices *prices = &town.problem.prices;
    int64_t longest_s = 0;
    for (uint32_t s = 0; s < FEW_SITES; s++) {
        longest_s = town.sites[s].service_s > longest_s ? town.sites[s].service_s : longest_s;
    }
    if (prices->balance == 0) {
        return 0;
    }
    int64_t wish = prices->owner_s > 0 ? prices->owner_s : HT_ROUNDS_PRICE_MOST;
    int64_t knee = 75 * wish * fair_s / (prices->balance * (longest_s + 3600));
    knee = knee < HT_ROUNDS_STEEP_MOST_S ? knee : HT_ROUNDS_STEEP_MOST_S;
    return prices->balance * more_s * more_s / (100 * fair_s) * knee / (knee + more_s);
}

/* Tours, days and balance of what is chosen; NOWAY. */
static int64_t few_tours_cost(void)
{
    int64_t cost = 0;
    int64_t fair_s = 0;
    for (uint32_t s = 0; s < FEW_SITES; s++) {
        fair_s += (int64_t)town.sites[s].service_s * town.sites[s].needs[0].visits;
    }
    fair_s = fair_s / FEW_PEOPLE > 3600 ? fair_s / FEW_PEOPLE : 3600;
    for (uint32_t i = 0; i < FEW_PEOPLE; i++) {
        int64_t load_s = 0;
        for (uint32_t d = 0; d < FEW_DAYS; d++) {
            uint32_t set = 0;
            for (uint32_t s = 0; s < FEW_SITES; s++) {
                bool here = oracle.chosen[s]->by[d] == i;
                set |= here ? 1U << s : 0;
                load_s += here ? town.sites[s].service_s : 0;
            }
            if (oracle.tour_s[i][d][set] == NOWAY) {
                return NOWAY;
            }
            cost += oracle.tour_s[i][d][set] + (set != 0 ? town.problem.prices.day_s : 0);
            load_s += oracle.tour_s[i][d][set];
        }
        load_s = load_s * 100 / (town.people[i].share == 0 ? 100 : town.people[i].share);
        cost += few_balance(load_s > fair_s ? load_s - fair_s : 0, fair_s);
    }
    return cost;
}

/* The best owners of what is chosen, with their cells. */
static int64_t few_owners_cost(void)
{
    int64_t best = INT64_MAX;
    for (uint32_t code = 0; code < 1U << FEW_SITES; code++) {
        int64_t cost = 0;
        bool can = true;
        uint32_t cells[FEW_PEOPLE] = {0};
        for (uint32_t s = 0; s < FEW_SITES; s++) {
            const struct ht_rounds_site *site = &town.sites[s];
            uint32_t owner = code >> s & 1;
            if (site->owner == HT_PLAN_NONE && oracle.chosen[s]->visits == 0) {
                can = can && owner == 0;
                continue;
            }
            can = can && (site->owner == HT_PLAN_NONE ? few_may(s, owner) : site->owner == owner);
            cost += (int64_t)town.problem.prices.owner_s *
                    (oracle.chosen[s]->visits - oracle.chosen[s]->led[owner]);
            cells[owner] |= 1U << site->cell;
        }
        for (uint32_t i = 0; i < FEW_PEOPLE; i++) {
            cost += (int64_t)town.problem.prices.cell_s * __builtin_popcount(cells[i]);
        }
        best = can && cost < best ? cost : best;
    }
    return best;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as there are sites
static void few_search(uint32_t s, int64_t cost)
{
    if (cost >= oracle.best) {
        return;
    }
    if (s == FEW_SITES) {
        int64_t tours = few_tours_cost();
        int64_t owners = tours == NOWAY ? INT64_MAX : few_owners_cost();
        if (owners != INT64_MAX && cost + tours + owners < oracle.best) {
            oracle.best = cost + tours + owners;
        }
        return;
    }
    for (uint32_t o = 0; o < oracle.option_count[s]; o++) {
        oracle.chosen[s] = &oracle.options[s][o];
        few_search(s + 1, cost + oracle.options[s][o].cost);
    }
}

static void few_make(uint64_t *state)
{
    ht_town_make(&town, state, FEW_SITES, FEW_PEOPLE);
    ht_town_ways(&town, state, false);
    town.problem.weeks = 1;
    town.problem.prices.per_km_s = 0;
    for (uint32_t s = 0; s < FEW_SITES; s++) {
        town.sites[s].crew = 1;
        town.sites[s].need_count = 1;
        town.needs[s][0] = (struct ht_rounds_need){0, 6, 1 + ht_random_below(state, 2)};
        town.sites[s].service_s += ht_random_below(state, 3) * 5000;
        town.sites[s].open_count =
            town.sites[s].open_count == 0 ? 0 : ht_town_windows(town.open[s], state, 7, 30);
    }
    for (uint32_t i = 0; i < FEW_PEOPLE; i++) {
        town.people[i].visits_day_most = 0;
        town.people[i].visits_week_most = 0;
        do { /* fair loads are of those who work */
            town.people[i].shift_count = ht_town_windows(town.shifts[i], state, 7, 20);
        } while (town.people[i].shift_count == 0);
    }
}

HT_CASE(small_rounds_equal_the_best_of_all_plans_oracle)
{
    uint64_t state = 17;
    uint32_t lacking = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 400U : 40U); i++) {
        few_make(&state);
        few_tours();
        for (uint32_t s = 0; s < FEW_SITES; s++) {
            few_options(s);
        }
        oracle.best = INT64_MAX;
        few_search(0, 0);
        struct ht_rounds_plan *plan = run(6000);
        HT_REQUIRE(plan != NULL);
        HT_CHECK_INT(plan->cost.sum, oracle.best);
        lacking += plan->missing_count > 0;
        ht_rounds_free(plan);
    }
    HT_CHECK(lacking > 2);
}

HT_CASE(no_plan_travels_less_than_the_bound)
{
    uint64_t state = 19;
    uint32_t whole = 0;
    int64_t sums[2] = {0};
    for (uint32_t i = 0; i < 60; i++) {
        int64_t bound_s = 0;
        int64_t travel_s = 0;
        ht_town_make(&town, &state, 12, 6);
        for (uint32_t s = 0; s < town.problem.site_count; s++) {
            town.sites[s].skills = 0;
            town.sites[s].barred_count = 0;
            town.sites[s].owner_hard = false;
        }
        for (uint32_t k = 0; k < town.problem.inspector_count; k++) { /* all from two offices */
            town.people[k].start = HT_TOWN_PLACES - 1 - k % 2;
            town.people[k].end = town.people[k].start;
        }
        struct ht_rounds_plan *plan = run(600);
        HT_REQUIRE(plan != NULL);
        HT_CHECK_INT(ht_rounds_bound(&town.problem, &bound_s), HT_OK);
        for (uint32_t t = 0; t < plan->tour_count; t++) {
            travel_s += plan->tours[t].travel_s;
        }
        if (plan->missing_visits == 0) {
            HT_CHECK(bound_s <= travel_s);
            whole++;
            sums[0] += bound_s;
            sums[1] += travel_s;
        }
        ht_rounds_free(plan);
    }
    HT_CHECK(whole > 10);
    HT_CHECK(sums[0] > sums[1] / 10); /* it says something */
}

HT_CASE(gini_of_some_values)
{
    int64_t alike[] = {5, 5, 5, 5};
    int64_t one[] = {0, 0, 0, 100};
    int64_t two[] = {3, 1};
    int64_t none[] = {0, 0};
    HT_CHECK_INT(ht_rounds_gini_ppm(alike, 4), 0);
    HT_CHECK_INT(ht_rounds_gini_ppm(one, 4), 750000);
    HT_CHECK_INT(ht_rounds_gini_ppm(two, 2), 250000);
    HT_CHECK_INT(ht_rounds_gini_ppm(none, 2), 0);
    HT_CHECK_INT(ht_rounds_gini_ppm(none, 0), 0);
}

HT_CASE(running_out_of_memory_is_told_oom)
{
    uint64_t state = 23;
    ht_town_make(&town, &state, 12, 4);
    const struct ht_rounds_options options = {.iterations = 5, .seed = 1};
    struct ht_error error;
    int refused = 0;
    int64_t bound_s = 0;
    for (long n = 0;; n++) {
        struct ht_rounds_plan *plan = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_rounds_run(&town.problem, &options, &plan, &error);
        status = status == HT_OK ? ht_rounds_bound(&town.problem, &bound_s) : status;
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        ht_rounds_free(plan);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK(refused > 40);
}

HT_MAIN()
