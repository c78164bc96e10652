#include "engine/plan/territory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { PASSES = 100 };

struct division {
    const struct ht_territory_problem *problem;
    uint32_t *owner;
    uint8_t *given;       /* [sites] */
    int64_t *load_s;      /* [inspectors] */
    uint32_t *cell_sites; /* [inspectors * cells]; NULL: cells cost nothing */
    uint32_t cells;
    int64_t fair_s;
};

static uint32_t cost_at(const struct ht_territory_problem *p, uint32_t inspector, uint32_t site)
{
    return p->cost_s[(size_t)inspector * p->site_count + site];
}

static int64_t balance(const struct division *d, uint32_t inspector, int64_t load_s)
{
    const struct ht_territory_problem *p = d->problem;
    int64_t l = load_s * 100 / (p->share == NULL ? 100 : p->share[inspector]);
    l = l > HT_TERRITORY_LOAD_MOST_S ? HT_TERRITORY_LOAD_MOST_S : l;
    return l * l * p->balance / (100 * d->fair_s);
}

static int64_t load_of(const struct division *d, uint32_t inspector, uint32_t site)
{
    return (int64_t)d->problem->load_s[site] + cost_at(d->problem, inspector, site);
}

static uint32_t *cell_of(const struct division *d, uint32_t inspector, uint32_t site)
{
    if (d->cell_sites == NULL || d->problem->cell[site] == HT_TERRITORY_NONE) {
        return NULL;
    }
    return &d->cell_sites[(size_t)inspector * d->cells + d->problem->cell[site]];
}

/* What it costs more that the inspector has the site; CANT as INT64_MAX. */
static int64_t gain_cost(const struct division *d, uint32_t inspector, uint32_t site)
{
    const uint32_t *cell = cell_of(d, inspector, site);
    uint32_t cost_s = cost_at(d->problem, inspector, site);
    if (cost_s == HT_TERRITORY_CANT) {
        return INT64_MAX;
    }
    return (int64_t)cost_s + (cell != NULL && *cell == 0 ? d->problem->cell_s : 0) +
           balance(d, inspector, d->load_s[inspector] + load_of(d, inspector, site)) -
           balance(d, inspector, d->load_s[inspector]);
}

static void give(struct division *d, uint32_t site, uint32_t inspector)
{
    uint32_t *cell = cell_of(d, inspector, site);
    d->owner[site] = inspector;
    d->load_s[inspector] += load_of(d, inspector, site);
    if (cell != NULL) {
        ++*cell;
    }
}

/* What it costs less. */
static int64_t take(struct division *d, uint32_t site)
{
    uint32_t inspector = d->owner[site];
    uint32_t *cell = cell_of(d, inspector, site);
    d->load_s[inspector] -= load_of(d, inspector, site);
    if (cell != NULL) {
        --*cell;
    }
    d->owner[site] = HT_TERRITORY_NONE;
    return gain_cost(d, inspector, site);
}

/* The cheapest inspector for a site, and how much more the next one costs. */
static uint32_t best_of(const struct division *d, uint32_t site, int64_t *cost, int64_t *regret)
{
    uint32_t best = HT_TERRITORY_NONE;
    int64_t next = INT64_MAX;
    *cost = INT64_MAX;
    for (uint32_t i = 0; i < d->problem->inspector_count; i++) {
        int64_t c = gain_cost(d, i, site);
        if (c < *cost) {
            next = *cost;
            *cost = c;
            best = i;
        } else if (c < next) {
            next = c;
        }
    }
    *regret = best == HT_TERRITORY_NONE ? -1 : next - *cost;
    return best;
}

/* Sites with most to lose first; what they would lose is looked at anew only in as far as somebody
 * took the place they want. */
static enum ht_status fill(struct division *d)
{
    uint32_t count = d->problem->site_count;
    int64_t *regret = ht_array_new(count, sizeof *regret);
    uint32_t *want = ht_array_new(count, sizeof *want);
    if (regret == NULL || want == NULL) {
        free(regret);
        free(want);
        return HT_NOMEM;
    }
    int64_t cost = 0;
    for (uint32_t s = 0; s < count; s++) {
        want[s] =
            d->owner[s] == HT_TERRITORY_NONE ? best_of(d, s, &cost, &regret[s]) : HT_TERRITORY_NONE;
    }
    for (;;) {
        uint32_t first = HT_TERRITORY_NONE;
        for (uint32_t s = 0; s < count; s++) {
            bool open = d->owner[s] == HT_TERRITORY_NONE && want[s] != HT_TERRITORY_NONE;
            if (open && (first == HT_TERRITORY_NONE || regret[s] > regret[first])) {
                first = s;
            }
        }
        if (first == HT_TERRITORY_NONE) {
            break;
        }
        uint32_t taken = best_of(d, first, &cost, &regret[first]);
        give(d, first, taken);
        for (uint32_t s = 0; s < count; s++) {
            if (want[s] == taken && d->owner[s] == HT_TERRITORY_NONE) {
                want[s] = best_of(d, s, &cost, &regret[s]);
            }
        }
    }
    free(regret);
    free(want);
    return HT_OK;
}

static bool move_pass(struct division *d)
{
    bool better = false;
    for (uint32_t s = 0; s < d->problem->site_count; s++) {
        uint32_t owner = d->owner[s];
        int64_t cost = 0;
        int64_t regret = 0;
        if (d->given[s] || owner == HT_TERRITORY_NONE) {
            continue;
        }
        int64_t before = take(d, s);
        uint32_t best = best_of(d, s, &cost, &regret);
        bool moves = best != owner && cost < before;
        give(d, s, moves ? best : owner);
        better = better || moves;
    }
    return better;
}

/* Whether two sites of two owners are better off the other way round; then they are. */
static bool swap(struct division *d, uint32_t a, uint32_t b)
{
    uint32_t x = d->owner[a];
    uint32_t y = d->owner[b];
    if (d->given[b] || y == HT_TERRITORY_NONE || x == y ||
        cost_at(d->problem, y, a) == HT_TERRITORY_CANT ||
        cost_at(d->problem, x, b) == HT_TERRITORY_CANT) {
        return false;
    }
    int64_t before = take(d, a);
    before += take(d, b);
    int64_t after = gain_cost(d, y, a);
    give(d, a, y);
    after += gain_cost(d, x, b);
    give(d, b, x);
    if (after < before) {
        return true;
    }
    (void)take(d, a);
    (void)take(d, b);
    give(d, a, x);
    give(d, b, y);
    return false;
}

static bool swap_pass(struct division *d)
{
    bool better = false;
    for (uint32_t a = 0; a < d->problem->site_count; a++) {
        for (uint32_t b = a + 1; b < d->problem->site_count; b++) {
            if (!d->given[a] && d->owner[a] != HT_TERRITORY_NONE) {
                better = swap(d, a, b) || better;
            }
        }
    }
    return better;
}

static enum ht_status problem_check(const struct ht_territory_problem *p, const uint32_t *owner)
{
    bool fine = p->balance <= 1000;
    for (uint32_t i = 0; i < p->inspector_count && p->share != NULL; i++) {
        fine = fine && p->share[i] > 0;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        fine = fine && (owner[s] == HT_TERRITORY_NONE || owner[s] < p->inspector_count);
        fine = fine &&
               (p->cell == NULL || p->cell[s] == HT_TERRITORY_NONE || p->cell[s] < p->site_count);
    }
    return fine ? HT_OK : HT_INVALID;
}

static void division_deinit(struct division *d)
{
    free(d->given);
    free(d->load_s);
    free(d->cell_sites);
}

/* With what is given in place. A given owner who may not have the site has it, at no cost. */
static enum ht_status division_init(struct division *d, const struct ht_territory_problem *p,
                                    uint32_t *owner)
{
    int64_t load_s = 0;
    *d = (struct division){.problem = p, .owner = owner};
    if (problem_check(p, owner) != HT_OK) {
        return HT_INVALID;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        load_s += p->load_s[s];
        if (p->cell != NULL && p->cell[s] != HT_TERRITORY_NONE && p->cell[s] >= d->cells) {
            d->cells = p->cell[s] + 1;
        }
    }
    d->fair_s = p->inspector_count == 0 ? 0 : load_s / p->inspector_count;
    d->fair_s = d->fair_s < 3600 ? 3600 : d->fair_s;
    d->given = ht_array_new_zeroed(p->site_count, sizeof *d->given);
    d->load_s = ht_array_new_zeroed(p->inspector_count, sizeof *d->load_s);
    if (p->cell_s > 0 && d->cells > 0) {
        d->cell_sites =
            ht_array_new_zeroed((size_t)p->inspector_count * d->cells, sizeof *d->cell_sites);
    }
    if (d->given == NULL || d->load_s == NULL ||
        (p->cell_s > 0 && d->cells > 0 && d->cell_sites == NULL)) {
        return HT_NOMEM;
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        d->given[s] = owner[s] != HT_TERRITORY_NONE;
        if (d->given[s] && cost_at(p, owner[s], s) != HT_TERRITORY_CANT) {
            give(d, s, owner[s]);
        }
    }
    return HT_OK;
}

enum ht_status ht_territory_run(const struct ht_territory_problem *problem, uint32_t *owner)
{
    struct division d;
    enum ht_status status = division_init(&d, problem, owner);
    status = status == HT_OK ? fill(&d) : status;
    for (int pass = 0; pass < PASSES && status == HT_OK; pass++) {
        bool better = move_pass(&d);
        if (problem->site_count <= HT_TERRITORY_SWAP_MOST) {
            better = swap_pass(&d) || better;
        }
        if (!better) {
            break;
        }
    }
    division_deinit(&d);
    return status;
}

enum ht_status ht_territory_cost(const struct ht_territory_problem *problem, const uint32_t *owner,
                                 int64_t *cost)
{
    struct division d;
    uint32_t *copy = ht_array_new(problem->site_count, sizeof *copy);
    *cost = 0;
    if (copy == NULL) {
        return HT_NOMEM;
    }
    memcpy(copy, owner, problem->site_count * sizeof *copy);
    enum ht_status status = division_init(&d, problem, copy);
    for (uint32_t s = 0; s < problem->site_count && status == HT_OK; s++) {
        uint32_t cost_s =
            owner[s] == HT_TERRITORY_NONE ? HT_TERRITORY_CANT : cost_at(problem, owner[s], s);
        *cost += cost_s == HT_TERRITORY_CANT ? 0 : cost_s;
    }
    for (size_t i = 0; status == HT_OK && i < (size_t)problem->inspector_count * d.cells; i++) {
        *cost += d.cell_sites != NULL && d.cell_sites[i] > 0 ? problem->cell_s : 0;
    }
    for (uint32_t i = 0; i < problem->inspector_count && status == HT_OK; i++) {
        *cost += balance(&d, i, d.load_s[i]);
    }
    division_deinit(&d);
    free(copy);
    return status;
}
