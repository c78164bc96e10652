/* Rounds: recurring visits of four weeks: how near the plan comes to a lower bound, and how much it
 * saves against the same load planned day by day, without looking ahead.
 *
 *   bench_rounds [RESULT.json]
 *
 * compounds   113 inspectors from where they are, 92 compounds and malls, each seen twice a week
 * factories   32 factories with 194 tenants, mixed risk (1: once in four weeks, 4: twice a week),
 *             12 inspectors, some visits by two, some that take a skill
 * sick        the factories' plan in its second week, an inspector is ill for five days
 * random      500 loads of 10 to 40 sites, 3 to 8 inspectors, one to four weeks
 *
 * Compounds, factories and sick are the sample town's (bench/rounds_town.h), over its streets by
 * e-bike; random ones lie in clusters over 12 by 9 km, with a grid of streets at 25 km/h.
 *
 * Day by day: each day the same planner is given that day alone: what is due is what was not seen
 * for as long as its visits are apart on average, or has no day to spare. What its visits cost, at
 * the prices of the plan of all days, is told beside that plan's.
 *
 * tr/bound: travel against a lower bound for it; h/bound: travel and service against that bound
 * with the service. Gini: of the hours (travel and service) of those who hold sites; day by day,
 * where nobody holds any, of all. Where whole sites can't be shared out alike, the bound is told.
 *
 * BENCH_SECONDS=N: for compounds and factories instead of 20 and 8; BENCH_LOADS=N: random ones
 * instead of 500. Every plan goes through ht_rounds_check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/origin.h"
#include "bench/rounds_town.h"
#include "engine/plan/assign.h"
#include "engine/plan/rounds.h"

enum {
    SITES = 240,
    PEOPLE = 120,
    PLACES = SITES + PEOPLE,
    DAYS = 28,
    RUNNING = 2000,
    INSPECTORS = 12,
    OFFICES = 3,
    RANDOM = 500,
    RANDOM_MS = 150,
    DAY_ITERATIONS = 400,
    SICK = 4,
    SICK_FROM = 7,
    SICK_MS = 1800
};

struct load {
    struct ht_rounds_problem problem;
    struct ht_plan_profile profile;
    struct ht_rounds_site sites[SITES];
    struct ht_rounds_need needs[SITES][4];
    struct ht_rounds_inspector people[PEOPLE];
    struct ht_rounds_window shifts[PEOPLE][DAYS * 2];
    struct ht_rounds_running running[RUNNING];
    uint32_t duration[PLACES * PLACES];
    uint32_t distance[PLACES * PLACES];
};

static struct ht_rounds_town town;
static struct load load;
static struct load daily;

static uint32_t below(uint64_t *state, uint32_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % bound);
}

/* ---- loads ---- */

/* Places in clusters; those from `homes` on all over the town, or at the same few offices. */
static void town_make(uint64_t *state, uint32_t homes, uint32_t offices)
{
    static int64_t x_m[PLACES];
    static int64_t y_m[PLACES];
    int64_t cluster[24][2];
    for (int c = 0; c < 24; c++) {
        cluster[c][0] = below(state, 12000);
        cluster[c][1] = below(state, 9000);
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        uint32_t c = below(state, 24);
        x_m[i] = cluster[c][0] + below(state, 800);
        y_m[i] = cluster[c][1] + below(state, 800);
        if (i >= homes) {
            uint32_t first = homes + (offices == 0 ? i : (i - homes) % offices);
            bool again = offices > 0 && i >= homes + offices;
            x_m[i] = again ? x_m[first] : below(state, 12000);
            y_m[i] = again ? y_m[first] : below(state, 9000);
        }
    }
    for (uint32_t i = 0; i < PLACES * PLACES; i++) {
        uint32_t a = i / PLACES;
        uint32_t b = i % PLACES;
        uint32_t way_m = (uint32_t)(llabs(x_m[a] - x_m[b]) + llabs(y_m[a] - y_m[b]));
        load.distance[i] = way_m;
        load.duration[i] = a == b ? 0 : way_m * 36 / 250 + 60; /* and a minute to park */
    }
    load.profile =
        (struct ht_plan_profile){.duration_s = load.duration, .distance_m = load.distance};
    load.problem = (struct ht_rounds_problem){.location_count = PLACES,
                                              .profile_count = 1,
                                              .profiles = &load.profile,
                                              .sites = load.sites,
                                              .inspectors = load.people,
                                              .running = load.running,
                                              .prices = ht_rounds_prices_usual()};
}

static void people_make(uint32_t count, uint32_t weeks, uint32_t homes)
{
    load.problem.weeks = weeks;
    load.problem.inspector_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct ht_rounds_inspector *who = &load.people[i];
        *who = (struct ht_rounds_inspector){
            .start = homes + i, .end = homes + i, .skills = i % 2, .shifts = load.shifts[i]};
        for (uint32_t d = 0; d < weeks * 7; d++) {
            if (d % 7 < 5) {
                load.shifts[i][who->shift_count++] = (struct ht_rounds_window){d, 30600, 43200};
                load.shifts[i][who->shift_count++] = (struct ht_rounds_window){d, 48600, 63000};
            }
        }
    }
}

/* `four`: visits in four weeks; from four on every week. */
static void site_make(uint32_t s, uint32_t location, uint32_t four, uint32_t service_s)
{
    uint32_t weeks = load.problem.weeks;
    struct ht_rounds_site *site = &load.sites[s];
    *site = (struct ht_rounds_site){.location = location,
                                    .service_s = service_s,
                                    .risk = 1,
                                    .crew = 1,
                                    .needs = load.needs[s],
                                    .days = UINT64_MAX,
                                    .last_day = HT_ROUNDS_NEVER,
                                    .owner = HT_PLAN_NONE,
                                    .cell = location % 8};
    site->need_count = four >= 4 ? weeks : 1;
    for (uint32_t w = 0; w < weeks; w++) {
        load.needs[s][w] = (struct ht_rounds_need){w * 7, w * 7 + 6, four / 4};
    }
    if (four < 4) {
        load.needs[s][0] =
            (struct ht_rounds_need){0, weeks * 7 - 1, four * weeks < 4 ? 1 : four * weeks / 4};
    }
    site->gap_least_days = four > 4 ? 2 : four < 4 ? 5 : 3;
}

static void streets_use(void)
{
    load.profile =
        (struct ht_plan_profile){.duration_s = town.duration_s, .distance_m = town.distance_m};
    load.problem = (struct ht_rounds_problem){.location_count = HT_ROUNDS_TOWN_PLACES,
                                              .profile_count = 1,
                                              .profiles = &load.profile,
                                              .sites = load.sites,
                                              .inspectors = load.people,
                                              .running = load.running,
                                              .prices = ht_rounds_prices_usual()};
}

static void compounds_make(void)
{
    uint64_t state = 20261126;
    streets_use();
    people_make(HT_ROUNDS_TOWN_INSPECTORS, 4, HT_ROUNDS_TOWN_FIRST_HOME);
    load.problem.site_count = HT_ROUNDS_TOWN_COMPOUNDS;
    for (uint32_t s = 0; s < HT_ROUNDS_TOWN_COMPOUNDS; s++) {
        site_make(s, HT_ROUNDS_TOWN_FIRST_COMPOUND + s, 8, 2700 + below(&state, 2700));
        load.sites[s].risk = 1 + below(&state, 4);
    }
}

static void factories_make(void)
{
    uint64_t state = 20261127;
    static const uint32_t four[4] = {1, 2, 4, 8};
    streets_use();
    people_make(INSPECTORS, 4, HT_ROUNDS_TOWN_FIRST_HOME);
    load.problem.site_count = HT_ROUNDS_TOWN_FACTORIES + HT_ROUNDS_TOWN_TENANTS;
    for (uint32_t s = 0; s < load.problem.site_count; s++) {
        uint32_t tenant = s - HT_ROUNDS_TOWN_FACTORIES;
        bool landlord = s < HT_ROUNDS_TOWN_FACTORIES;
        uint32_t risk = landlord ? town.factory_risk[s] : town.tenant_risk[tenant];
        uint32_t factory = landlord ? s : town.tenant_factory[tenant];
        risk = risk < 1 ? 1 : risk > 4 ? 4 : risk;
        site_make(s, factory, four[risk - 1], 1200 + below(&state, 1800));
        load.sites[s].risk = risk;
        load.sites[s].crew = below(&state, 20) == 0 ? 2 : 1;
        load.sites[s].skills = risk == 4 && below(&state, 2) == 0 ? 1 : 0;
    }
}

static void random_make(uint64_t *state)
{
    static const uint32_t four[4] = {1, 2, 4, 8};
    uint32_t sites = 10 + below(state, 31);
    uint32_t people = 3 + below(state, 6);
    town_make(state, sites, below(state, 2) * OFFICES);
    people_make(people, 1 + below(state, 4), sites);
    load.problem.site_count = sites;
    for (uint32_t s = 0; s < sites; s++) {
        uint32_t risk = 1 + below(state, 4);
        site_make(s, s, four[risk - 1], 1200 + below(state, 3600));
        load.sites[s].risk = risk;
        load.sites[s].crew = below(state, 12) == 0 ? 2 : 1;
        load.sites[s].skills = below(state, 6) == 0 ? 1 : 0;
    }
}

/* ---- planning ---- */

static struct ht_rounds_plan *plan_make(const struct ht_rounds_problem *problem,
                                        const struct ht_rounds_options *options)
{
    struct ht_rounds_plan *plan = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_rounds_run(problem, options, &plan, &error);
    status = status == HT_OK ? ht_rounds_check(problem, plan, &error) : status;
    if (status != HT_OK) {
        (void)printf("rounds: %s\n", error.message);
        exit(1); // NOLINT(concurrency-mt-unsafe)
    }
    return plan;
}

/* What a way of planning came to. */
struct figures {
    int64_t travel_s;
    int64_t service_s;
    uint32_t visits;
    uint32_t missing;
    uint32_t others; /* visits that are not by the owner */
    uint32_t tours;
    int64_t cost; /* travel, day, owner and balance, as both were planned for */
    double gini;
    double gini_all; /* with those who have nothing */
    int64_t ms;
};

/* At the prices of the problem. */
static int64_t cost_of(const struct figures *f, const int64_t *hours)
{
    const struct ht_rounds_problem *p = &load.problem;
    int64_t cost =
        f->travel_s + (int64_t)f->tours * p->prices.day_s + (int64_t)f->others * p->prices.owner_s;
    int64_t fair_s = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        for (uint32_t n = 0; n < load.sites[s].need_count; n++) {
            fair_s += (int64_t)load.sites[s].needs[n].visits * load.sites[s].service_s *
                      load.sites[s].crew;
        }
    }
    fair_s /= p->inspector_count > 0 ? p->inspector_count : 1;
    fair_s = fair_s > 3600 ? fair_s : 3600;
    int64_t longest_s = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        longest_s = load.sites[s].service_s > longest_s ? load.sites[s].service_s : longest_s;
    }
    double knee_s = 75.0 * p->prices.owner_s * (double)fair_s /
                    (p->prices.balance * (double)(longest_s + 3600));
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        double more_s = hours[i] > fair_s ? (double)(hours[i] - fair_s) : 0;
        cost += (int64_t)(more_s * more_s * p->prices.balance / (100.0 * (double)fair_s) * knee_s /
                          (knee_s + more_s));
    }
    return cost;
}

static struct figures figures_of(const struct ht_rounds_problem *problem,
                                 const struct ht_rounds_plan *plan)
{
    static int64_t hours[PEOPLE];
    struct figures f = {.visits = plan->visit_count,
                        .missing = plan->missing_visits,
                        .gini = plan->gini_ppm / 1e6,
                        .ms = plan->time_ms};
    f.tours = plan->tour_count;
    for (uint32_t i = 0; i < problem->inspector_count; i++) {
        f.travel_s += plan->loads[i].travel_s;
        f.service_s += plan->loads[i].service_s;
        hours[i] = plan->loads[i].travel_s + plan->loads[i].service_s;
    }
    for (uint32_t b = 0; b < plan->broken_count; b++) {
        f.others += plan->broken[b].wish == HT_ROUNDS_WISH_OWNER;
    }
    f.cost = cost_of(&f, hours);
    f.gini_all = ht_rounds_gini_ppm(hours, problem->inspector_count) / 1e6;
    return f;
}

/* Whether a site is due on a day, by what it has had so far. */
static bool is_due(uint32_t s, uint32_t day)
{
    const struct ht_rounds_site *site = &load.sites[s];
    for (uint32_t n = 0; n < site->need_count; n++) {
        const struct ht_rounds_need *need = &site->needs[n];
        uint32_t has = 0;
        int64_t last = -1000;
        uint32_t left = 0;
        for (uint32_t i = 0; i < daily.problem.running_count; i++) {
            const struct ht_rounds_running *run = &daily.running[i];
            if (run->site == s) {
                has += need->first_day <= run->day && run->day <= need->last_day;
                last = run->day > last ? run->day : last;
            }
        }
        for (uint32_t d = day; d <= need->last_day; d++) {
            left += d % 7 < 5;
        }
        if (need->first_day <= day && day <= need->last_day && has < need->visits) {
            uint32_t apart = (need->last_day - need->first_day + 1) / need->visits;
            uint32_t wanted = need->visits - has;
            uint32_t gap = site->gap_least_days > 1 ? site->gap_least_days : 1;
            return day - last >= apart || left <= (wanted - 1) * gap + 1;
        }
    }
    return false;
}

static struct figures day_by_day(void)
{
    struct figures f = {0};
    static int64_t hours[PEOPLE];
    const struct ht_rounds_options options = {.iterations = DAY_ITERATIONS, .seed = 1};
    uint32_t asked = 0;
    daily = load;
    daily.problem.sites = daily.sites;
    daily.problem.running = daily.running;
    daily.problem.running_count = 0;
    memset(hours, 0, sizeof hours);
    for (uint32_t d = 0; d < load.problem.weeks * 7; d++) {
        daily.problem.first_day = d;
        for (uint32_t s = 0; s < load.problem.site_count; s++) {
            daily.sites[s].days = is_due(s, d) ? UINT64_C(1) << d : 0;
        }
        struct ht_rounds_plan *plan = plan_make(&daily.problem, &options);
        for (uint32_t t = 0; t < plan->tour_count; t++) {
            f.travel_s += plan->tours[t].travel_s;
            hours[plan->tours[t].inspector] += plan->tours[t].travel_s;
        }
        for (uint32_t b = 0; b < plan->broken_count; b++) {
            f.others += plan->broken[b].wish == HT_ROUNDS_WISH_OWNER &&
                        plan->visits[plan->broken[b].visit].day == d;
        }
        daily.problem.running_count = 0;
        for (uint32_t v = 0; v < plan->visit_count && v < RUNNING; v++) {
            const struct ht_rounds_visit *visit = &plan->visits[v];
            daily.running[daily.problem.running_count++] =
                (struct ht_rounds_running){.site = visit->site,
                                           .day = visit->day,
                                           .begin_s = visit->begin_s,
                                           .end_s = visit->end_s,
                                           .inspector = visit->inspector,
                                           .second = visit->second,
                                           .state = HT_ROUNDS_PAST};
            daily.sites[visit->site].owner = plan->owner[visit->site];
        }
        f.tours += plan->tour_count;
        f.ms += plan->time_ms;
        ht_rounds_free(plan);
    }
    f.visits = daily.problem.running_count;
    for (uint32_t i = 0; i < f.visits; i++) {
        const struct ht_rounds_running *run = &daily.running[i];
        f.service_s += (int64_t)(run->end_s - run->begin_s) * (run->second == HT_PLAN_NONE ? 1 : 2);
        hours[run->inspector] += run->end_s - run->begin_s;
        if (run->second != HT_PLAN_NONE) {
            hours[run->second] += run->end_s - run->begin_s;
        }
    }
    for (uint32_t s = 0; s < load.problem.site_count; s++) {
        for (uint32_t n = 0; n < load.sites[s].need_count; n++) {
            asked += load.sites[s].needs[n].visits;
        }
    }
    f.missing = asked - f.visits;
    f.cost = cost_of(&f, hours);
    f.gini_all = ht_rounds_gini_ppm(hours, load.problem.inspector_count) / 1e6;
    f.gini = f.gini_all;
    return f;
}

/* The least Gini of hours that whole sites allow: one site each. Whoever merges two sites makes
 * loads less alike (Gini is Schur-convex); travel is left out. */
static double gini_bound(void)
{
    static int64_t hours[PEOPLE];
    memset(hours, 0, sizeof hours);
    for (uint32_t s = 0; s < load.problem.site_count && s < load.problem.inspector_count; s++) {
        for (uint32_t n = 0; n < load.sites[s].need_count; n++) {
            hours[s] += (int64_t)load.sites[s].needs[n].visits * load.sites[s].service_s;
        }
    }
    return ht_rounds_gini_ppm(hours, load.problem.inspector_count) / 1e6;
}

/* The least travel if each compound has an inspector of its own: an assignment. */
static int64_t alone_bound_s(void)
{
    static uint32_t way_s[HT_ROUNDS_TOWN_COMPOUNDS][HT_ROUNDS_TOWN_INSPECTORS];
    const struct ht_assign_units units = {.count = HT_ROUNDS_TOWN_INSPECTORS};
    struct ht_assign *assign = NULL;
    enum ht_status status = ht_assign_new(&assign);
    status = status == HT_OK ? ht_assign_begin(assign, &units) : status;
    for (uint32_t s = 0; s < HT_ROUNDS_TOWN_COMPOUNDS && status == HT_OK; s++) {
        uint32_t at = load.sites[s].location;
        for (uint32_t i = 0; i < HT_ROUNDS_TOWN_INSPECTORS; i++) {
            uint32_t home = load.people[i].start;
            way_s[s][i] = town.duration_s[home * HT_ROUNDS_TOWN_PLACES + at] +
                          town.duration_s[at * HT_ROUNDS_TOWN_PLACES + home];
        }
        const struct ht_assign_task task = {.cost_ms = way_s[s], .places = 1, .weight = 1};
        status = ht_assign_add(assign, &task, 1);
    }
    int64_t bound_s = status == HT_OK ? ht_assign_plan(assign)->cost * 8 : 0;
    ht_assign_free(assign);
    return bound_s;
}

/* ---- the table ---- */

static void figures_print(const char *what, const struct figures *f, int64_t bound_s)
{
    (void)printf("%-26s %7u %7u %8.1f %8.1f %8.3f %8.3f %7u %7.3f %8lld\n", what, f->visits,
                 f->missing, (double)f->travel_s / 3600, (double)f->service_s / 3600,
                 bound_s == 0 ? 0 : (double)f->travel_s / (double)bound_s,
                 (double)(f->travel_s + f->service_s) / (double)(bound_s + f->service_s), f->others,
                 f->gini, (long long)f->ms);
}

static void load_json(FILE *json, const char *name, const struct figures f[2], int64_t bound_s)
{
    if (json != NULL) {
        (void)fprintf(json,
                      ",\"%s\":{\"ms\":%lld,\"visits\":%u,\"missing\":%u,\"travel_s\":%lld,"
                      "\"service_s\":%lld,\"bound_travel_s\":%lld,\"gini\":%.4f,"
                      "\"cost\":%lld,\"daily_cost\":%lld,\"by_others\":%u,\"daily_visits\":%u,"
                      "\"daily_missing\":%u,"
                      "\"daily_travel_s\":%lld,\"daily_service_s\":%lld}",
                      name, (long long)f[0].ms, f[0].visits, f[0].missing, (long long)f[0].travel_s,
                      (long long)f[0].service_s, (long long)bound_s, f[0].gini,
                      (long long)f[0].cost, (long long)f[1].cost, f[0].others, f[1].visits,
                      f[1].missing, (long long)f[1].travel_s, (long long)f[1].service_s);
    }
}

static int64_t bound_of(void)
{
    int64_t bound_s = 0;
    return ht_rounds_bound(&load.problem, &bound_s) == HT_OK ? bound_s : 0;
}

static struct ht_rounds_plan *load_measure(const char *name, int64_t limit_ms, FILE *json)
{
    const struct ht_rounds_options options = {.limit_ms = limit_ms, .seed = 1};
    struct ht_rounds_plan *plan = plan_make(&load.problem, &options);
    struct figures f[2] = {figures_of(&load.problem, plan), {0}};
    int64_t bound_s = bound_of();
    char what[64];
    figures_print(name, &f[0], bound_s);
    f[1] = day_by_day();
    (void)snprintf(what, sizeof what, "%s, day by day", name);
    figures_print(what, &f[1], bound_s);
    (void)printf("    %llu steps; at the same prices day by day costs %.3f times as much\n",
                 (unsigned long long)plan->iterations, (double)f[1].cost / (double)f[0].cost);
    load_json(json, name, f, bound_s);
    return plan;
}

static void compounds_measure(int64_t limit_ms, FILE *json)
{
    compounds_make();
    struct ht_rounds_plan *plan = load_measure("compounds", limit_ms, json);
    struct figures f = figures_of(&load.problem, plan);
    int64_t service_s[PEOPLE];
    for (uint32_t i = 0; i < load.problem.inspector_count; i++) {
        service_s[i] = plan->loads[i].service_s;
    }
    double gini = ht_rounds_gini_ppm(service_s, load.problem.inspector_count) / 1e6;
    (void)printf(
        "    Gini of all 113: %.4f; of service alone %.4f, of which whole sites allow no less "
        "than %.4f\n",
        f.gini_all, gini, gini_bound());
    (void)printf("    each with an inspector of its own: travel at least %.1f h\n",
                 (double)alone_bound_s() / 3600);
    if (json != NULL) {
        (void)fprintf(json, ",\"compounds_alone_travel_s\":%lld", (long long)alone_bound_s());
        (void)fprintf(json,
                      ",\"compounds_gini_all\":%.4f,\"compounds_gini_service\":%.4f,"
                      "\"compounds_gini_bound\":%.4f",
                      f.gini_all, gini, gini_bound());
    }
    ht_rounds_free(plan);
}

/* The plan runs up to SICK_FROM; what comes in the next two days is promised; one is ill. */
static void sick_measure(const struct ht_rounds_plan *plan, FILE *json)
{
    const struct ht_rounds_options options = {.limit_ms = SICK_MS, .seed = 1};
    struct ht_rounds_inspector *who = &load.people[SICK];
    uint32_t kept = 0;
    uint32_t lost = 0;
    load.problem.first_day = SICK_FROM;
    for (uint32_t v = 0; v < plan->visit_count && v < RUNNING; v++) {
        const struct ht_rounds_visit *visit = &plan->visits[v];
        load.running[load.problem.running_count++] =
            (struct ht_rounds_running){.site = visit->site,
                                       .day = visit->day,
                                       .begin_s = visit->begin_s,
                                       .end_s = visit->end_s,
                                       .inspector = visit->inspector,
                                       .second = visit->second,
                                       .state = visit->day < SICK_FROM       ? HT_ROUNDS_PAST
                                                : visit->day < SICK_FROM + 2 ? HT_ROUNDS_PROMISED
                                                                             : HT_ROUNDS_PLANNED};
    }
    for (uint32_t s = 0; s < load.problem.site_count; s++) {
        load.sites[s].owner = plan->owner[s];
    }
    for (uint32_t w = 0; w < who->shift_count; w++) {
        const struct ht_rounds_window *shift = &load.shifts[SICK][w];
        if (shift->day < SICK_FROM || shift->day > SICK_FROM + 4) {
            load.shifts[SICK][kept++] = *shift;
        }
    }
    who->shift_count = kept;
    struct ht_rounds_plan *again = plan_make(&load.problem, &options);
    struct figures f = figures_of(&load.problem, again);
    for (uint32_t b = 0; b < again->broken_count; b++) {
        lost += again->broken[b].wish == HT_ROUNDS_WISH_PROMISE;
    }
    double share = 100.0 * again->moved / (again->moved + again->kept);
    figures_print("factories, one is ill", &f, 0);
    (void)printf("    %u of %u visits ahead move (%.1f %%), %u promises can't be kept\n",
                 again->moved, again->moved + again->kept, share, lost);
    if (json != NULL) {
        (void)fprintf(json,
                      ",\"sick\":{\"ms\":%lld,\"ahead\":%u,\"moved\":%u,\"moved_percent\":%.2f,"
                      "\"promises_lost\":%u,\"missing\":%u}",
                      (long long)again->time_ms, again->moved + again->kept, again->moved, share,
                      lost, again->missing_visits);
    }
    ht_rounds_free(again);
}

static void random_measure(int loads, FILE *json)
{
    const struct ht_rounds_options options = {.limit_ms = RANDOM_MS, .seed = 1};
    struct figures sum[2] = {{0}, {0}};
    int64_t bounds_s = 0;
    uint64_t state = 5;
    uint32_t better = 0;
    for (int i = 0; i < loads; i++) {
        random_make(&state);
        struct ht_rounds_plan *plan = plan_make(&load.problem, &options);
        struct figures f[2] = {figures_of(&load.problem, plan), day_by_day()};
        ht_rounds_free(plan);
        for (int k = 0; k < 2; k++) {
            sum[k].travel_s += f[k].travel_s;
            sum[k].service_s += f[k].service_s;
            sum[k].visits += f[k].visits;
            sum[k].missing += f[k].missing;
            sum[k].others += f[k].others;
            sum[k].cost += f[k].cost;
            sum[k].gini += f[k].gini / loads;
            sum[k].ms += f[k].ms;
        }
        bounds_s += bound_of();
        better +=
            f[0].missing < f[1].missing || (f[0].missing == f[1].missing && f[0].cost <= f[1].cost);
    }
    figures_print("random", &sum[0], bounds_s);
    figures_print("random, day by day", &sum[1], bounds_s);
    (void)printf("    at least as good in %u of %d; day by day costs %.3f times as much\n", better,
                 loads, (double)sum[1].cost / (double)sum[0].cost);
    load_json(json, "random", sum, bounds_s);
    if (json != NULL) {
        (void)fprintf(json, ",\"random_better\":%u", better);
    }
}

int main(int argc, char **argv)
{
    const char *asked = getenv("BENCH_SECONDS"); // NOLINT(concurrency-mt-unsafe)
    int64_t limit_ms = asked == NULL ? 0 : 1000 * strtol(asked, NULL, 10);
    FILE *json = fopen(argc > 1 ? argv[1] : "bench/results/rounds.json", "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
    }
    (void)printf("%-26s %7s %7s %8s %8s %8s %8s %7s %7s %8s\n", "", "visits", "missing", "travel h",
                 "serv. h", "tr/bound", "h/bound", "others", "Gini", "ms");
    if (ht_rounds_town_read(HT_BINARY, &town) != HT_OK) {
        (void)printf("rounds: the sample town can't be made\n");
        return 1;
    }
    compounds_measure(limit_ms == 0 ? 20000 : limit_ms, json);
    factories_make();
    struct ht_rounds_plan *plan = load_measure("factories", limit_ms == 0 ? 8000 : limit_ms, json);
    sick_measure(plan, json);
    ht_rounds_free(plan);
    const char *loads = getenv("BENCH_LOADS"); // NOLINT(concurrency-mt-unsafe)
    random_measure(loads == NULL ? RANDOM : (int)strtol(loads, NULL, 10), json);
    if (json != NULL) {
        (void)fprintf(json, "}\n");
        (void)fclose(json);
    }
    return 0;
}
