/* Random rounds: small towns of sites and inspectors, to hold the planner of recurring visits
 * (engine/plan/rounds.h) against. A seed fixes everything.
 *
 * Threading: none. Include it in one .c file of a program.
 */
#ifndef HT_TESTS_SUPPORT_RANDOM_ROUNDS_H
#define HT_TESTS_SUPPORT_RANDOM_ROUNDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/rounds.h"

enum {
    HT_TOWN_SITES = 40,
    HT_TOWN_PEOPLE = 8,
    HT_TOWN_PLACES = 48,
    HT_TOWN_WEEKS = 3,
    HT_TOWN_DAYS = HT_TOWN_WEEKS * 7,
    HT_TOWN_RUNNING = 1024
};

/* A problem with memory of its own. */
struct ht_rounds_town {
    struct ht_rounds_problem problem;
    struct ht_plan_profile profiles[2];
    uint32_t duration[2][HT_TOWN_PLACES * HT_TOWN_PLACES];
    uint32_t distance[HT_TOWN_PLACES * HT_TOWN_PLACES];
    struct ht_rounds_site sites[HT_TOWN_SITES];
    struct ht_rounds_need needs[HT_TOWN_SITES][HT_TOWN_WEEKS];
    struct ht_rounds_window open[HT_TOWN_SITES][HT_TOWN_DAYS * 2];
    uint32_t barred[HT_TOWN_SITES][2];
    struct ht_rounds_inspector people[HT_TOWN_PEOPLE];
    struct ht_rounds_window shifts[HT_TOWN_PEOPLE][HT_TOWN_DAYS * 2];
    struct ht_rounds_running running[HT_TOWN_RUNNING];
};

static inline void ht_town_ways(struct ht_rounds_town *town, uint64_t *state, bool holes)
{
    int32_t x[HT_TOWN_PLACES];
    int32_t y[HT_TOWN_PLACES];
    for (int i = 0; i < HT_TOWN_PLACES; i++) {
        x[i] = (int32_t)ht_random_below(state, 1200);
        y[i] = (int32_t)ht_random_below(state, 1200);
    }
    for (int i = 0; i < HT_TOWN_PLACES * HT_TOWN_PLACES; i++) {
        int a = i / HT_TOWN_PLACES;
        int b = i % HT_TOWN_PLACES;
        uint32_t way = (uint32_t)(abs(x[a] - x[b]) + abs(y[a] - y[b])) + ht_random_below(state, 60);
        town->duration[0][i] = way;
        town->duration[1][i] = way * 2;
        town->distance[i] = way * 7;
        if (holes && ht_random_below(state, 50) == 0) {
            town->duration[0][i] = HT_PLAN_NO_WAY;
        }
    }
    for (int k = 0; k < 2; k++) {
        town->profiles[k].duration_s = town->duration[k];
        town->profiles[k].distance_m = town->distance;
    }
}

static inline uint32_t ht_town_windows(struct ht_rounds_window *windows, uint64_t *state,
                                       uint32_t days, uint32_t off_percent)
{
    uint32_t count = 0;
    for (uint32_t d = 0; d < days; d++) {
        if (d % 7 > 4 || ht_random_below(state, 100) < off_percent) {
            continue;
        }
        int32_t from_s = 28800 + (int32_t)ht_random_below(state, 5400);
        if (ht_random_below(state, 2) == 0) {
            windows[count++] = (struct ht_rounds_window){d, from_s, 43200};
            windows[count++] = (struct ht_rounds_window){d, 48600, from_s + 32400};
        } else {
            windows[count++] = (struct ht_rounds_window){d, from_s, from_s + 28800};
        }
    }
    return count;
}

static inline void ht_town_site(struct ht_rounds_town *town, uint64_t *state, uint32_t s)
{
    struct ht_rounds_site *site = &town->sites[s];
    uint32_t days = town->problem.weeks * 7;
    uint32_t people = town->problem.inspector_count;
    *site = (struct ht_rounds_site){.location = ht_random_below(state, HT_TOWN_PLACES - 8),
                                    .service_s = 600 + ht_random_below(state, 4000),
                                    .risk = 1 + ht_random_below(state, 4),
                                    .crew = ht_random_below(state, 6) == 0 ? 2 : 1,
                                    .needs = town->needs[s],
                                    .open = town->open[s],
                                    .days = UINT64_MAX,
                                    .last_day = HT_ROUNDS_NEVER,
                                    .owner = HT_PLAN_NONE,
                                    .cell = ht_random_below(state, 4),
                                    .barred = town->barred[s]};
    if (ht_random_below(state, 2) == 0) {
        for (uint32_t w = 0; w < town->problem.weeks; w++) {
            town->needs[s][w] = (struct ht_rounds_need){w * 7, w * 7 + 6, site->risk > 2 ? 2 : 1};
        }
        site->need_count = town->problem.weeks;
    } else {
        town->needs[s][0] = (struct ht_rounds_need){0, days - 1, 1 + ht_random_below(state, 3)};
        site->need_count = 1;
    }
    if (ht_random_below(state, 2) == 0) {
        site->open_count = ht_town_windows(town->open[s], state, days, 20);
    }
    if (ht_random_below(state, 4) == 0) {
        site->days = ~(UINT64_C(0x408102040810204) << ht_random_below(state, 5));
    }
    site->gap_least_days = ht_random_below(state, 3);
    site->gap_most_days = ht_random_below(state, 2) == 0 ? 0 : 3 + ht_random_below(state, 8);
    site->last_day =
        ht_random_below(state, 3) == 0 ? -1 - (int32_t)ht_random_below(state, 9) : HT_ROUNDS_NEVER;
    site->skills = ht_random_below(state, 4) == 0 ? 1U << ht_random_below(state, 2) : 0;
    if (people > 0 && ht_random_below(state, 4) == 0) {
        site->owner = ht_random_below(state, people);
        site->owner_hard = ht_random_below(state, 3) == 0;
    }
    for (uint32_t b = 0; people > 0 && b < 2; b++) {
        town->barred[s][b] = ht_random_below(state, people);
    }
    site->barred_count = people > 0 && ht_random_below(state, 5) == 0 ? 2 : 0;
}

static inline void ht_town_person(struct ht_rounds_town *town, uint64_t *state, uint32_t i)
{
    uint32_t base = HT_TOWN_PLACES - 8 + i % 8;
    town->people[i] =
        (struct ht_rounds_inspector){.start = ht_random_below(state, 8) == 0 ? HT_PLAN_NONE : base,
                                     .end = ht_random_below(state, 8) == 0 ? HT_PLAN_NONE : base,
                                     .profile = ht_random_below(state, 2),
                                     .skills = ht_random_below(state, 4),
                                     .shifts = town->shifts[i],
                                     .visits_day_most = ht_random_below(state, 3) == 0 ? 3 : 0,
                                     .visits_week_most = ht_random_below(state, 4) == 0 ? 9 : 0,
                                     .share = ht_random_below(state, 5) == 0 ? 50 : 0};
    town->people[i].shift_count =
        ht_town_windows(town->shifts[i], state, town->problem.weeks * 7, 10);
}

static inline struct ht_rounds_prices ht_town_prices(uint64_t *state)
{
    struct ht_rounds_prices prices = ht_rounds_prices_usual();
    prices.per_km_s = ht_random_below(state, 2) * 60;
    prices.balance = ht_random_below(state, 3) * 100;
    prices.cell_s = ht_random_below(state, 2) * 900;
    return prices;
}

static inline void ht_town_make(struct ht_rounds_town *town, uint64_t *state, uint32_t sites,
                                uint32_t people)
{
    memset(town, 0, sizeof *town);
    town->problem = (struct ht_rounds_problem){.weeks = 1 + ht_random_below(state, HT_TOWN_WEEKS),
                                               .first_weekday = ht_random_below(state, 7),
                                               .location_count = HT_TOWN_PLACES,
                                               .profile_count = 2,
                                               .profiles = town->profiles,
                                               .site_count = sites,
                                               .sites = town->sites,
                                               .inspector_count = people,
                                               .inspectors = town->people,
                                               .running = town->running,
                                               .prices = ht_town_prices(state)};
    ht_town_ways(town, state, ht_random_below(state, 2) == 0);
    for (uint32_t i = 0; i < people; i++) {
        ht_town_person(town, state, i);
    }
    for (uint32_t s = 0; s < sites; s++) {
        ht_town_site(town, state, s);
    }
}

/* The plan becomes the running one, on `day`: what was before is past, one of `promises` of what
 * comes is promised (0: none). */
static inline void ht_town_goes_on(struct ht_rounds_town *town, const struct ht_rounds_plan *plan,
                                   uint32_t day, uint32_t promises)
{
    town->problem.first_day = day;
    town->problem.running_count = 0;
    for (uint32_t v = 0; v < plan->visit_count && v < HT_TOWN_RUNNING; v++) {
        const struct ht_rounds_visit *visit = &plan->visits[v];
        enum ht_rounds_state state = visit->day < day                    ? HT_ROUNDS_PAST
                                     : promises > 0 && v % promises == 0 ? HT_ROUNDS_PROMISED
                                                                         : HT_ROUNDS_PLANNED;
        town->running[town->problem.running_count++] =
            (struct ht_rounds_running){.site = visit->site,
                                       .day = visit->day,
                                       .begin_s = visit->begin_s,
                                       .end_s = visit->end_s,
                                       .inspector = visit->inspector,
                                       .second = visit->second,
                                       .state = state};
    }
    for (uint32_t s = 0; s < town->problem.site_count; s++) {
        town->sites[s].owner = plan->owner[s];
        town->sites[s].owner_hard = town->sites[s].owner_hard && plan->owner[s] != HT_PLAN_NONE;
    }
}

#endif
