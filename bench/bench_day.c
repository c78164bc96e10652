/* Day: the town's midday. How soon there is a plan, and how near a plan that is changed in 2 s
 * comes to one that is made from nothing in 60 s, at the same price for changes.
 *
 *   bench_day [RESULT.json]
 *
 * 24 vans, 1,200 orders at 450 buildings, 3 kitchens, a stop 60 s and an order 20 s, no meal rides
 * for longer than 45 minutes, two trips a van. The town is made here: buildings in compounds over
 * 5 by 4 km, ways by the grid of its streets at 25 km/h. A compound eats from 11:00, 11:30 or 12:00
 * on for an hour, one of ten orders at another time; nine of ten come from the nearest kitchen.
 *
 * Changes, each to the plan that runs (made from nothing, in the long time): an order more, one
 * cancelled, a van that is free half an hour later, a van that drops out; each before anything was
 * loaded and (noon) at 11:40, with what is in hand then. BENCH_SECONDS=N: instead of 60 s;
 * BENCH_ITERATIONS=N: so many of each thread instead, and for a re-plan the thirtieth part, where a
 * machine is shared; BENCH_THREADS=N; BENCH_ONLY=TEXT: only changes whose line begins so. Every
 * plan goes through ht_day_check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/origin.h"
#include "engine/plan/day.h"

enum {
    VANS = 24,
    ORDERS = 1200,
    BUILDINGS = 450,
    KITCHENS = 3,
    PLACES = KITCHENS + BUILDINGS + VANS,
    COMPOUNDS = 40,
    CAPACITY = 45,
    RIDE_S = 45 * 60,
    ELEVEN_S = 11 * 3600,
    SHIFT_FROM_S = 10 * 3600 + 900,
    SHIFT_TO_S = 14 * 3600,
    NOW_S = ELEVEN_S + 40 * 60,
    REPLAN_MS = 2000,
    FIRST_MS = 300,
    LONG_MS = 60000,
    STOPS = 256
};

static const int64_t one_meal = 1;
static const int64_t capacity = CAPACITY;

/* A midday, with the plan that runs. */
struct midday {
    struct ht_day_problem problem;
    struct ht_plan_profile profile;
    struct ht_day_kitchen kitchens[KITCHENS];
    struct ht_day_order orders[ORDERS + 1];
    struct ht_day_van vans[VANS];
    struct ht_day_stop stops[VANS][STOPS];
};

static struct midday midday;
static struct midday changed;
static uint32_t duration_s[PLACES * PLACES];
static uint32_t distance_m[PLACES * PLACES];
static int64_t x_m[PLACES];
static int64_t y_m[PLACES];
static int compound_of[PLACES];

static uint32_t below(uint64_t *state, uint32_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % bound);
}

/* ---- the town ---- */

static void town_make(uint64_t *state)
{
    static const int64_t kitchens[KITCHENS][2] = {{1100, 1200}, {3900, 1100}, {2500, 3000}};
    int64_t compound[COMPOUNDS][2];
    for (int c = 0; c < COMPOUNDS; c++) {
        compound[c][0] = below(state, 5000);
        compound[c][1] = below(state, 4000);
    }
    for (int i = 0; i < PLACES; i++) {
        int c = (int)below(state, COMPOUNDS);
        compound_of[i] = c;
        x_m[i] = compound[c][0] + below(state, 400) - 200;
        y_m[i] = compound[c][1] + below(state, 400) - 200;
        if (i < KITCHENS) {
            x_m[i] = kitchens[i][0];
            y_m[i] = kitchens[i][1];
        } else if (i >= KITCHENS + BUILDINGS) { /* vans wait at the kitchens */
            x_m[i] = kitchens[i % KITCHENS][0];
            y_m[i] = kitchens[i % KITCHENS][1];
        }
    }
    for (int i = 0; i < PLACES * PLACES; i++) {
        int from = i / PLACES;
        int to = i % PLACES;
        int64_t way_m = llabs(x_m[from] - x_m[to]) + llabs(y_m[from] - y_m[to]);
        distance_m[i] = (uint32_t)way_m;
        duration_s[i] = from == to ? 0 : (uint32_t)(way_m * 36 / 250) + 8 + below(state, 8);
    }
}

static uint32_t kitchen_near(uint32_t place)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < KITCHENS; k++) {
        best = distance_m[k * PLACES + place] < distance_m[best * PLACES + place] ? k : best;
    }
    return best;
}

static void order_make(uint64_t *state, uint32_t building, struct ht_day_order *order)
{
    uint32_t place = KITCHENS + building;
    uint32_t wave = below(state, 10) < 9 ? (uint32_t)compound_of[place] % 3 : below(state, 3);
    int64_t from_s = ELEVEN_S + (int64_t)wave * 1800;
    *order = (struct ht_day_order){.kitchen = below(state, 10) < 9 ? kitchen_near(place)
                                                                   : below(state, KITCHENS),
                                   .location = place,
                                   .ready_s = from_s - 1800,
                                   .due = {from_s, from_s + 3600},
                                   .service_s = 20,
                                   .ride_most_s = RIDE_S,
                                   .load = &one_meal};
}

static void midday_make(struct midday *day)
{
    uint64_t state = 20261126;
    town_make(&state);
    day->profile = (struct ht_plan_profile){.duration_s = duration_s, .distance_m = distance_m};
    for (uint32_t k = 0; k < KITCHENS; k++) {
        day->kitchens[k] = (struct ht_day_kitchen){.location = k, .load_s = 180};
    }
    for (uint32_t o = 0; o <= ORDERS; o++) {
        order_make(&state, o < BUILDINGS ? o : below(&state, BUILDINGS), &day->orders[o]);
    }
    for (uint32_t v = 0; v < VANS; v++) {
        day->vans[v] = (struct ht_day_van){.location = KITCHENS + BUILDINGS + v,
                                           .end = KITCHENS + BUILDINGS + v,
                                           .window = {SHIFT_FROM_S, SHIFT_TO_S},
                                           .capacity = &capacity,
                                           .trips_most = 2,
                                           .stops = day->stops[v]};
    }
    day->problem = (struct ht_day_problem){.amounts = 1,
                                           .location_count = PLACES,
                                           .profile_count = 1,
                                           .profiles = &day->profile,
                                           .kitchen_count = KITCHENS,
                                           .kitchens = day->kitchens,
                                           .order_count = ORDERS,
                                           .orders = day->orders,
                                           .van_count = VANS,
                                           .vans = day->vans,
                                           .stop_s = 60,
                                           .prices = {.per_hour = 3600, .per_km = 100, .move = 60}};
}

static void midday_copy(struct midday *to, const struct midday *from)
{
    *to = *from;
    to->problem.profiles = &to->profile;
    to->problem.kitchens = to->kitchens;
    to->problem.orders = to->orders;
    to->problem.vans = to->vans;
    for (uint32_t v = 0; v < VANS; v++) {
        to->vans[v].stops = to->stops[v];
    }
}

/* ---- what goes on ---- */

static void running_set(struct midday *day, const struct ht_day_plan *plan)
{
    for (uint32_t v = 0; v < VANS; v++) {
        day->vans[v].stop_count = 0;
    }
    for (uint32_t r = 0; r < plan->route_count; r++) {
        const struct ht_day_route *route = &plan->routes[r];
        struct ht_day_van *van = &day->vans[route->van];
        for (uint32_t i = 0; i < route->count && i < STOPS; i++) {
            day->stops[route->van][van->stop_count++] = route->visits[i].stop;
        }
    }
}

static void order_take(struct midday *day, uint8_t *gone, uint32_t order)
{
    gone[order] = 1;
    for (uint32_t v = 0; v < VANS; v++) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < day->vans[v].stop_count; i++) {
            const struct ht_day_stop *stop = &day->stops[v][i];
            if (stop->kind == HT_DAY_LOAD || stop->index != order) {
                day->stops[v][kept++] = *stop;
            }
        }
        day->vans[v].stop_count = kept;
    }
}

/* Orders that are gone leave the list, and numbers close up. */
static void orders_close_up(struct midday *day, const uint8_t *gone)
{
    static uint32_t number[ORDERS + 1];
    uint32_t kept = 0;
    for (uint32_t o = 0; o < day->problem.order_count; o++) {
        number[o] = kept;
        day->orders[kept] = day->orders[o];
        kept += gone[o] == 0;
    }
    for (uint32_t v = 0; v < VANS; v++) {
        for (uint32_t i = 0; i < day->vans[v].stop_count; i++) {
            struct ht_day_stop *stop = &day->stops[v][i];
            stop->index = stop->kind == HT_DAY_ORDER ? number[stop->index] : stop->index;
        }
    }
    day->problem.order_count = kept;
}

/* Up to `now_s` all went by the plan: what was handed over is gone, what was loaded is in hand. */
static void time_pass(struct midday *day, const struct ht_day_plan *plan, int64_t now_s)
{
    static uint8_t gone[ORDERS + 1];
    memset(gone, 0, sizeof gone);
    for (uint32_t r = 0; r < plan->route_count; r++) {
        const struct ht_day_route *route = &plan->routes[r];
        struct ht_day_van *van = &day->vans[route->van];
        int64_t left_s[KITCHENS] = {0};
        uint32_t done = 0;
        while (done < route->count && route->visits[done].arrival_s <= now_s) {
            const struct ht_day_visit *visit = &route->visits[done++];
            bool load = visit->stop.kind == HT_DAY_LOAD;
            van->location = load ? visit->stop.index : day->orders[visit->stop.index].location;
            van->window.from_s = visit->leave_s > now_s ? visit->leave_s : now_s;
            van->trips_most -= load && (done == 1 || visit[-1].stop.kind == HT_DAY_ORDER);
            if (load) {
                left_s[visit->stop.index] = visit->leave_s;
            } else {
                gone[visit->stop.index] = 1;
            }
        }
        van->stop_count = 0;
        for (uint32_t i = done; i < route->count; i++) {
            const struct ht_day_stop *stop = &route->visits[i].stop;
            struct ht_day_order *order = &day->orders[stop->index];
            day->stops[route->van][van->stop_count++] = *stop;
            if (stop->kind == HT_DAY_ORDER && left_s[order->kitchen] != 0) {
                order->aboard = true;
                order->left_s = left_s[order->kitchen];
                van->pinned = van->stop_count;
            } else if (stop->kind == HT_DAY_LOAD) {
                left_s[stop->index] = 0;
            }
        }
    }
    orders_close_up(day, gone);
}

enum change { NEW, CANCELLED, LATE, OUT, CHANGES };
static const char *const change_text[] = {"an order more", "one cancelled", "a van is late",
                                          "a van drops out"};

/* What is in hand of a van that drops out is lost with it. */
static void van_out(struct midday *day, uint32_t v, uint8_t *gone)
{
    for (uint32_t i = 0; i < day->vans[v].pinned; i++) {
        if (day->stops[v][i].kind == HT_DAY_ORDER) {
            gone[day->stops[v][i].index] = 1;
        }
    }
    day->vans[v].stop_count = 0;
    day->vans[v].pinned = 0;
    memmove(&day->vans[v], &day->vans[v + 1], (VANS - 1 - v) * sizeof day->vans[0]);
    memmove(day->stops[v], day->stops[v + 1], (VANS - 1 - v) * sizeof day->stops[0]);
    for (uint32_t i = 0; i < VANS; i++) {
        day->vans[i].stops = day->stops[i];
    }
    day->vans[VANS - 1].stop_count = 0;
    day->problem.van_count = VANS - 1;
}

static void change_make(struct midday *day, enum change change)
{
    static uint8_t gone[ORDERS + 1];
    uint32_t last = day->problem.order_count - 1;
    memset(gone, 0, sizeof gone);
    switch (change) {
    case NEW:
        day->orders[day->problem.order_count++] = midday.orders[ORDERS];
        break;
    case CANCELLED:
        while (day->orders[last].aboard) {
            last--;
        }
        order_take(day, gone, last);
        orders_close_up(day, gone);
        break;
    case LATE:
        day->vans[7].window.from_s += 1800;
        break;
    case OUT:
        van_out(day, 7, gone);
        orders_close_up(day, gone);
        break;
    case CHANGES:
        break;
    }
}

/* ---- measuring ---- */

static long asked(const char *name, long other)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return value == NULL ? other : strtol(value, NULL, 10);
}

static struct ht_day_plan *plan_make(const struct midday *day, int64_t limit_ms, bool anew)
{
    int64_t whole = asked("BENCH_ITERATIONS", 0); /* of 60 s */
    int64_t iterations = (whole * limit_ms + LONG_MS - 1) / LONG_MS;
    const struct ht_day_options options = {.limit_ms = iterations > 0 ? 0 : limit_ms,
                                           .iterations = (uint64_t)iterations,
                                           .threads = (unsigned)asked("BENCH_THREADS", 2),
                                           .seed = 1,
                                           .anew = anew};
    struct ht_day_plan *plan = NULL;
    struct ht_error error = {0};
    enum ht_status status = ht_day_run(&day->problem, &options, &plan, &error);
    status = status == HT_OK ? ht_day_check(&day->problem, plan, &error) : status;
    if (status != HT_OK) {
        (void)printf("day: %s\n", error.message);
        exit(1); // NOLINT(concurrency-mt-unsafe)
    }
    return plan;
}

static double cost_of(const struct ht_day_plan *plan)
{
    return (double)plan->cost / HT_COST_SCALE;
}

static void plan_print(const char *what, const struct ht_day_plan *plan)
{
    (void)printf("%-34s %9.0f %9u %6u %8.0f %10.0f\n", what, cost_of(plan), plan->unserved_count,
                 plan->moved, (double)plan->time_ms, (double)plan->iterations);
}

/* Long from nothing, at the same price, against 2 s from the running plan; the gap in per cent. */
static double change_measure(const char *when, enum change change, int64_t long_ms, FILE *json)
{
    char what[64];
    change_make(&changed, change);
    struct ht_day_plan *again = plan_make(&changed, REPLAN_MS, false);
    struct ht_day_plan *anew = plan_make(&changed, long_ms, true);
    double gap = 100 * (cost_of(again) / cost_of(anew) - 1);
    (void)snprintf(what, sizeof what, "%s: %s, again", when, change_text[change]);
    plan_print(what, again);
    plan_print("    from nothing", anew);
    (void)printf("    gap %.2f %%\n", gap);
    if (json != NULL) {
        (void)fprintf(json,
                      ",{\"when\":\"%s\",\"change\":\"%s\",\"gap_percent\":%.3f,\"again\":%.0f,"
                      "\"again_unserved\":%u,\"again_moved\":%u,\"again_ms\":%.0f,"
                      "\"anew\":%.0f,\"anew_unserved\":%u,\"anew_moved\":%u}",
                      when, change_text[change], gap, cost_of(again), again->unserved_count,
                      again->moved, (double)again->time_ms, cost_of(anew), anew->unserved_count,
                      anew->moved);
    }
    ht_day_free(again);
    ht_day_free(anew);
    return gap;
}

static struct ht_day_plan *first_measure(FILE *json)
{
    struct ht_day_plan *first = plan_make(&midday, 1, true);
    plan_print("first answer", first);
    struct ht_day_plan *soon = plan_make(&midday, FIRST_MS, true);
    plan_print("in 300 ms", soon);
    if (json != NULL) {
        (void)fprintf(json,
                      ",\"first_ms\":%.0f,\"first_unserved\":%u,\"first\":%.0f,"
                      "\"soon_ms\":%.0f,\"soon_unserved\":%u,\"soon\":%.0f",
                      (double)first->time_ms, first->unserved_count, cost_of(first),
                      (double)soon->time_ms, soon->unserved_count, cost_of(soon));
    }
    ht_day_free(soon);
    return first;
}

int main(int argc, char **argv)
{
    int64_t long_ms =
        asked("BENCH_ITERATIONS", 0) > 0 ? LONG_MS : 1000 * asked("BENCH_SECONDS", 60);
    const char *only = getenv("BENCH_ONLY"); // NOLINT(concurrency-mt-unsafe)
    FILE *json = fopen(argc > 1 ? argv[1] : "bench/results/day.json", "w");
    double worst = -100;
    midday_make(&midday);
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
    }
    (void)printf("%-34s %9s %9s %6s %8s %10s\n", "", "cost", "unserved", "moved", "ms", "steps");
    ht_day_free(first_measure(json));
    struct ht_day_plan *plan = plan_make(&midday, long_ms, true);
    plan_print("from nothing", plan);
    if (json != NULL) {
        (void)fprintf(json, ",\"long_ms\":%.0f,\"long\":%.0f,\"long_unserved\":%u,\"changes\":[{}",
                      (double)long_ms, cost_of(plan), plan->unserved_count);
    }
    for (int c = 0; c < CHANGES * 2; c++) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s: %s", c < CHANGES ? "before" : "noon",
                       change_text[c % CHANGES]);
        if (only != NULL && strncmp(what, only, strlen(only)) != 0) {
            continue;
        }
        midday_copy(&changed, &midday);
        running_set(&changed, plan);
        if (c >= CHANGES) {
            time_pass(&changed, plan, NOW_S);
        }
        double gap = change_measure(c < CHANGES ? "before" : "noon", (enum change)(c % CHANGES),
                                    long_ms, json);
        worst = gap > worst ? gap : worst;
    }
    ht_day_free(plan);
    (void)printf("worst gap %.2f %%\n", worst);
    if (json != NULL) {
        (void)fprintf(json, "],\"worst_gap_percent\":%.3f}\n", worst);
        (void)fclose(json);
    }
    return 0;
}
