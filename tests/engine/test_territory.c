#include "engine/plan/territory.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { SITES = 80, PEOPLE = 10 };

static struct map {
    struct ht_territory_problem problem;
    uint32_t cost_s[PEOPLE * SITES];
    uint32_t load_s[SITES];
    uint32_t share[PEOPLE];
    uint32_t cell[SITES];
    uint32_t owner[SITES];
    int64_t x[SITES + PEOPLE];
    int64_t y[SITES + PEOPLE];
} map;

static void map_make(uint64_t *state, uint32_t sites, uint32_t people, uint32_t cant_percent)
{
    map.problem = (struct ht_territory_problem){.site_count = sites,
                                                .inspector_count = people,
                                                .cost_s = map.cost_s,
                                                .load_s = map.load_s,
                                                .share = map.share,
                                                .cell = map.cell,
                                                .cell_s = ht_random_below(state, 2) * 2000,
                                                .balance = ht_random_below(state, 4) * 100};
    for (uint32_t i = 0; i < sites + people; i++) {
        map.x[i] = ht_random_below(state, 5000);
        map.y[i] = ht_random_below(state, 5000);
    }
    for (uint32_t s = 0; s < sites; s++) {
        map.load_s[s] = 1000 + ht_random_below(state, 9000);
        map.cell[s] = (uint32_t)(map.x[s] / 2500 * 2 + map.y[s] / 2500);
        map.cell[s] = sites < 4 || ht_random_below(state, 9) == 0 ? HT_TERRITORY_NONE : map.cell[s];
        map.owner[s] = HT_TERRITORY_NONE;
        for (uint32_t i = 0; i < people; i++) {
            int64_t way = llabs(map.x[s] - map.x[sites + i]) + llabs(map.y[s] - map.y[sites + i]);
            bool cant = ht_random_below(state, 100) < cant_percent;
            map.cost_s[i * sites + s] = cant ? HT_TERRITORY_CANT : (uint32_t)way;
        }
    }
    for (uint32_t i = 0; i < people; i++) {
        map.share[i] = ht_random_below(state, 4) == 0 ? 50 : 100;
    }
}

static int64_t cost_of(const uint32_t *owner)
{
    int64_t cost = -1;
    HT_CHECK_INT(ht_territory_cost(&map.problem, owner, &cost), HT_OK);
    return cost;
}

HT_CASE(each_site_has_one_who_may)
{
    uint64_t state = 41;
    uint32_t nobody = 0;
    for (int i = 0; i < 100; i++) {
        map_make(&state, 1 + ht_random_below(&state, SITES), 1 + ht_random_below(&state, PEOPLE),
                 ht_random_below(&state, 90));
        HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
        for (uint32_t s = 0; s < map.problem.site_count; s++) {
            bool may = false;
            for (uint32_t k = 0; k < map.problem.inspector_count; k++) {
                may = may || map.cost_s[k * map.problem.site_count + s] != HT_TERRITORY_CANT;
            }
            HT_CHECK((map.owner[s] != HT_TERRITORY_NONE) == may);
            HT_CHECK(!may ||
                     map.cost_s[map.owner[s] * map.problem.site_count + s] != HT_TERRITORY_CANT);
            nobody += !may;
        }
    }
    HT_CHECK(nobody > 10);
}

HT_CASE(no_site_is_better_off_with_another)
{
    uint64_t state = 43;
    for (int i = 0; i < 30; i++) {
        map_make(&state, 40, 6, 10);
        HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
        int64_t cost = cost_of(map.owner);
        for (uint32_t s = 0; s < 40; s++) {
            uint32_t owner = map.owner[s];
            for (uint32_t k = 0; k < 6; k++) {
                if (map.cost_s[k * 40 + s] != HT_TERRITORY_CANT) {
                    map.owner[s] = k;
                    HT_CHECK(cost_of(map.owner) >= cost);
                }
            }
            map.owner[s] = owner;
        }
    }
}

/* The best of all divisions. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are sites
static void best_find(uint32_t s, uint32_t *owner, int64_t *best)
{
    if (s == map.problem.site_count) {
        int64_t cost = cost_of(owner);
        *best = cost < *best ? cost : *best;
        return;
    }
    for (uint32_t i = 0; i < map.problem.inspector_count; i++) {
        owner[s] = i;
        best_find(s + 1, owner, best);
    }
}

HT_CASE(small_maps_come_near_the_best_division_oracle)
{
    uint64_t state = 45;
    int equal = 0;
    double worst = 1;
    for (int i = 0; i < 60; i++) {
        uint32_t owner[SITES];
        int64_t best = INT64_MAX;
        map_make(&state, 7, 3, 0);
        HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
        best_find(0, owner, &best);
        int64_t cost = cost_of(map.owner);
        HT_CHECK(cost >= best);
        equal += cost == best;
        worst = (double)cost / (double)best > worst ? (double)cost / (double)best : worst;
    }
    HT_CHECK(equal >= 45);
    HT_CHECK(worst < 1.15);
}

HT_CASE(given_owners_stay)
{
    uint64_t state = 47;
    map_make(&state, 30, 5, 20);
    for (uint32_t s = 0; s < 30; s += 3) {
        map.owner[s] = s % 5;
    }
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
    for (uint32_t s = 0; s < 30; s += 3) {
        HT_CHECK_INT(map.owner[s], s % 5);
    }
}

HT_CASE(balance_makes_loads_alike_and_cells_stay_whole)
{
    uint64_t state = 49;
    int64_t spread[2];
    uint32_t pairs[2];
    map_make(&state, SITES, 8, 0);
    for (int k = 0; k < 2; k++) {
        int64_t load_s[8] = {0};
        bool has[8][4] = {{false}};
        for (uint32_t i = 0; i < 8; i++) {
            map.share[i] = 100;
        }
        memset(map.owner, 0xff, sizeof map.owner);
        map.problem.balance = k == 0 ? 0 : 1000;
        map.problem.cell_s = k == 0 ? 500000 : 0;
        HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
        int64_t most = 0;
        int64_t least = INT64_MAX;
        pairs[k] = 0;
        for (uint32_t s = 0; s < SITES; s++) {
            load_s[map.owner[s]] += map.load_s[s] + map.cost_s[map.owner[s] * SITES + s];
            if (map.cell[s] != HT_TERRITORY_NONE && !has[map.owner[s]][map.cell[s]]) {
                has[map.owner[s]][map.cell[s]] = true;
                pairs[k]++;
            }
        }
        for (uint32_t i = 0; i < 8; i++) {
            most = load_s[i] > most ? load_s[i] : most;
            least = load_s[i] < least ? load_s[i] : least;
        }
        spread[k] = most - least;
    }
    HT_CHECK(spread[1] < spread[0] / 4);
    HT_CHECK(pairs[0] < pairs[1]);
    HT_CHECK_INT(pairs[0], 4);
}

HT_CASE(bad_numbers_are_refused)
{
    uint64_t state = 51;
    int64_t cost = 0;
    map_make(&state, 5, 2, 0);
    map.owner[1] = 2;
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_INVALID);
    HT_CHECK_INT(ht_territory_cost(&map.problem, map.owner, &cost), HT_INVALID);
    map.owner[1] = HT_TERRITORY_NONE;
    map.cell[2] = 5;
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_INVALID);
    map.cell[2] = 4;
    map.share[0] = 0;
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_INVALID);
    map.share[0] = 1;
    map.problem.balance = 1001;
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_INVALID);
    map.problem.balance = 1000;
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
    map.problem.inspector_count = 0;
    memset(map.owner, 0xff, sizeof map.owner);
    HT_CHECK_INT(ht_territory_run(&map.problem, map.owner), HT_OK);
    HT_CHECK_INT(map.owner[0], HT_TERRITORY_NONE);
}

HT_CASE(running_out_of_memory_is_told_oom)
{
    uint64_t state = 53;
    int refused = 0;
    map_make(&state, 30, 5, 0);
    map.problem.cell_s = 100;
    for (long n = 0;; n++) {
        int64_t cost = 0;
        memset(map.owner, 0xff, sizeof map.owner);
        ht_oom_arm(n);
        enum ht_status status = ht_territory_run(&map.problem, map.owner);
        status = status == HT_OK ? ht_territory_cost(&map.problem, map.owner, &cost) : status;
        bool failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        refused += failed;
        if (!failed) {
            break;
        }
    }
    HT_CHECK(refused >= 5);
}

HT_MAIN()
