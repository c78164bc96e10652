/* Tours: the exact ones against all permutations, the others against what must hold for each. */
#include "engine/plan/tour.h"

#include "tests/support/check.h"

static uint64_t best_cost;

static void permute(const uint32_t *cost, uint32_t n, uint32_t *order, uint32_t at)
{
    if (at == n) {
        uint64_t c = ht_tour_cost(cost, n, order);
        best_cost = c < best_cost ? c : best_cost;
        return;
    }
    for (uint32_t i = at; i < n; i++) {
        uint32_t kept = order[at];
        order[at] = order[i];
        order[i] = kept;
        permute(cost, n, order, at + 1);
        order[i] = order[at];
        order[at] = kept;
    }
}

static void fill(uint32_t *cost, uint32_t n, uint64_t *seed)
{
    for (uint32_t i = 0; i < n * n; i++) {
        cost[i] = i % (n + 1) == 0 ? 0 : 1 + ht_random_below(seed, 1000);
    }
}

static bool is_permutation(const uint32_t *order, uint32_t n)
{
    uint8_t seen[200] = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (order[i] >= n || seen[order[i]]) {
            return false;
        }
        seen[order[i]] = 1;
    }
    return true;
}

HT_CASE(small_tours_are_the_best)
{
    uint64_t seed = 7;
    for (uint32_t n = 1; n <= 8; n++) {
        for (int round = 0; round < 20; round++) {
            uint32_t cost[64];
            uint32_t order[8];
            uint32_t trial[8] = {0, 1, 2, 3, 4, 5, 6, 7};
            fill(cost, n, &seed);
            HT_REQUIRE(ht_tour_find(cost, n, order) == HT_OK);
            best_cost = UINT64_MAX;
            permute(cost, n, trial, n > 1 ? 1 : 0);
            HT_CHECK(is_permutation(order, n));
            HT_CHECK_INT(order[0], 0);
            HT_CHECK_INT(ht_tour_cost(cost, n, order), best_cost);
        }
    }
}

HT_CASE(big_tours_visit_all_and_are_locally_good)
{
    uint64_t seed = 11;
    for (uint32_t n = HT_TOUR_EXACT + 1; n <= 100; n += 17) {
        static uint32_t cost[10000];
        uint32_t order[100];
        fill(cost, n, &seed);
        HT_REQUIRE(ht_tour_find(cost, n, order) == HT_OK);
        HT_CHECK(is_permutation(order, n));
        HT_CHECK_INT(order[0], 0);
        uint64_t found = ht_tour_cost(cost, n, order);
        for (uint32_t i = 1; i < n; i++) { /* no single stop is better moved elsewhere */
            for (uint32_t j = 1; j < n; j++) {
                uint32_t moved[100];
                uint32_t size = 0;
                for (uint32_t k = 0; k < n; k++) {
                    if (k != i) {
                        moved[size++] = order[k];
                    }
                }
                memmove(moved + j + 1, moved + j, (n - 1 - j) * sizeof *moved);
                moved[j] = order[i];
                HT_CHECK(ht_tour_cost(cost, n, moved) >= found);
            }
        }
    }
}

HT_CASE(points_on_a_circle_are_visited_around_it)
{
    enum { N = 40 };
    static uint32_t cost[N * N];
    uint32_t order[N];
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < N; j++) {
            uint32_t a = i * 7 % N; /* numbered out of order */
            uint32_t b = j * 7 % N;
            uint32_t apart = a > b ? a - b : b - a;
            cost[i * N + j] = 10 * (apart < N - apart ? apart : N - apart);
        }
    }
    HT_REQUIRE(ht_tour_find(cost, N, order) == HT_OK);
    HT_CHECK_INT(ht_tour_cost(cost, N, order), 10 * N);
}

/* The cheapest path over all stops with the ends fixed, by trying everything. */
static uint64_t best_path(const uint32_t *cost, uint32_t n, uint32_t first, uint32_t last,
                          uint32_t *order, uint32_t at)
{
    if (at == n) {
        uint64_t sum = 0;
        if ((first != HT_TOUR_ANYWHERE && order[0] != first) ||
            (last != HT_TOUR_ANYWHERE && order[n - 1] != last)) {
            return UINT64_MAX;
        }
        for (uint32_t i = 0; i + 1 < n; i++) {
            sum += cost[order[i] * n + order[i + 1]];
        }
        return sum;
    }
    uint64_t best = UINT64_MAX;
    for (uint32_t i = at; i < n; i++) {
        uint32_t kept = order[at];
        order[at] = order[i];
        order[i] = kept;
        uint64_t c = best_path(cost, n, first, last, order, at + 1);
        best = c < best ? c : best;
        order[i] = order[at];
        order[at] = kept;
    }
    return best;
}

HT_CASE(fixed_ends_make_paths)
{
    enum { N = 6 };
    uint64_t seed = 3;
    const uint32_t ends[][2] = {{0, HT_TOUR_ANYWHERE}, {HT_TOUR_ANYWHERE, N - 1}, {0, N - 1}};
    for (int round = 0; round < 30; round++) {
        for (int e = 0; e < 3; e++) {
            uint32_t cost[N * N];
            uint32_t fixed[N * N];
            uint32_t order[N];
            uint32_t trial[N] = {0, 1, 2, 3, 4, 5};
            fill(cost, N, &seed);
            memcpy(fixed, cost, sizeof cost);
            ht_tour_fix(fixed, N, ends[e][0], ends[e][1]);
            HT_REQUIRE(ht_tour_find(fixed, N, order) == HT_OK);
            uint64_t want = best_path(cost, N, ends[e][0], ends[e][1], trial, 0);
            HT_CHECK_INT(ht_tour_cost(fixed, N, order), want);
        }
    }
}

HT_CASE(disconnected_stops_have_no_tour)
{
    const uint32_t cost[9] = {0, 1, HT_TOUR_MISSING, 1, 0, HT_TOUR_MISSING, 1, 1, 0};
    uint32_t order[3];
    HT_CHECK_INT(ht_tour_find(cost, 3, order), HT_NO_ROUTE);
    HT_CHECK_INT(ht_tour_find(cost, 0, order), HT_INVALID);
}

HT_MAIN()
