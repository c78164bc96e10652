#include "engine/plan/day.h"

#include <time.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { ORDERS = 40, VANS = 5, KITCHENS = 3, PLACES = 24 };
enum { ORDERS_MOST = 1200, VANS_MOST = 24, STOPS_MOST = 2 * ORDERS_MOST }; /* a town's midday */

/* A day with memory of its own. */
struct day {
    struct ht_day_problem problem;
    struct ht_plan_profile profile;
    uint32_t duration[PLACES * PLACES];
    uint32_t distance[PLACES * PLACES];
    struct ht_day_kitchen kitchens[KITCHENS];
    struct ht_window open[KITCHENS];
    struct ht_day_order orders[ORDERS_MOST];
    int64_t load[ORDERS_MOST][2];
    uint64_t skills[ORDERS_MOST + VANS_MOST];
    struct ht_day_van vans[VANS_MOST];
    int64_t capacity[VANS_MOST][2];
    struct ht_day_stop stops[VANS_MOST][STOPS_MOST];
};

static struct day the_day;

static void matrix_make(struct day *day, uint64_t *state)
{
    int32_t x[PLACES];
    int32_t y[PLACES];
    for (int i = 0; i < PLACES; i++) {
        x[i] = (int32_t)ht_random_below(state, 500);
        y[i] = (int32_t)ht_random_below(state, 500);
    }
    for (int i = 0; i < PLACES * PLACES; i++) {
        int a = i / PLACES;
        int b = i % PLACES;
        uint32_t crooked = a == b ? 0 : ht_random_below(state, 30);
        day->duration[i] = (uint32_t)(abs(x[a] - x[b]) + abs(y[a] - y[b])) + crooked;
        day->distance[i] = day->duration[i] * 8;
        if (a != b && ht_random_below(state, 60) == 0) {
            day->duration[i] = HT_PLAN_NO_WAY;
        }
    }
    day->profile =
        (struct ht_plan_profile){.duration_s = day->duration, .distance_m = day->distance};
}

static void order_make(struct day *day, uint64_t *state, uint32_t o)
{
    int64_t from_s = 1000 + ht_random_below(state, 3000);
    day->load[o][0] = 1 + ht_random_below(state, 3);
    day->load[o][1] = ht_random_below(state, 2);
    day->orders[o] = (struct ht_day_order){
        .kitchen = ht_random_below(state, day->problem.kitchen_count),
        .location = KITCHENS + ht_random_below(state, 10),
        .ready_s = ht_random_below(state, 2) == 0 ? 500 + ht_random_below(state, 1500) : 0,
        .due = {from_s, from_s + ht_random_below(state, 2500)},
        .service_s = 20,
        .ride_most_s = ht_random_below(state, 3) == 0 ? 0 : 300 + ht_random_below(state, 900),
        .load = day->load[o],
        .priority = ht_random_below(state, 6) == 0 ? 3 : 0};
    if (ht_random_below(state, 2) == 0 && o > 0) { /* at the same building, alike */
        uint32_t other = ht_random_below(state, o);
        day->orders[o] = day->orders[other];
        memcpy(day->load[o], day->load[other], sizeof day->load[o]);
        day->orders[o].load = day->load[o];
        day->orders[o].aboard = false;
    }
    if (ht_random_below(state, 8) == 0) {
        day->skills[o] = UINT64_C(1) << ht_random_below(state, 2);
        day->orders[o].skills = &day->skills[o];
    }
}

static void day_make(struct day *day, uint64_t *state, uint32_t orders, uint32_t vans)
{
    memset(day, 0, sizeof *day);
    day->problem = (struct ht_day_problem){
        .amounts = 2,
        .skill_words = 1,
        .location_count = PLACES,
        .profile_count = 1,
        .profiles = &day->profile,
        .kitchen_count = 1 + ht_random_below(state, KITCHENS),
        .kitchens = day->kitchens,
        .order_count = orders,
        .orders = day->orders,
        .van_count = vans,
        .vans = day->vans,
        .stop_s = 60,
        .prices = {.per_hour = 3600, .per_km = ht_random_below(state, 2) * 200, .move = 100}};
    if (ht_random_below(state, 3) == 0) {
        day->problem.prices.late_per_hour = 10000;
        day->problem.prices.late_most_s = 900;
    }
    matrix_make(day, state);
    for (uint32_t k = 0; k < KITCHENS; k++) {
        day->open[k] = (struct ht_window){400, 2500 + ht_random_below(state, 3000)};
        day->kitchens[k] = (struct ht_day_kitchen){.location = k,
                                                   .load_s = 30 + ht_random_below(state, 100),
                                                   .open = &day->open[k],
                                                   .open_count = k == 2 ? 1 : 0};
    }
    for (uint32_t o = 0; o < orders; o++) {
        order_make(day, state, o);
    }
    for (uint32_t v = 0; v < vans; v++) {
        day->capacity[v][0] = 6 + ht_random_below(state, 20);
        day->capacity[v][1] = 4 + ht_random_below(state, 12);
        day->skills[ORDERS_MOST + v] = ht_random_below(state, 4);
        day->vans[v] = (struct ht_day_van){
            .location = PLACES - 1 - v,
            .end = ht_random_below(state, 2) == 0 ? HT_PLAN_NONE : PLACES - 1,
            .window = {200 + ht_random_below(state, 600), 5000 + ht_random_below(state, 3000)},
            .capacity = day->capacity[v],
            .skills = &day->skills[ORDERS_MOST + v],
            .trips_most = 1 + ht_random_below(state, 3),
            .stops = day->stops[v]};
    }
}

static struct ht_day_plan *run_as(const struct day *day, struct ht_day_options options)
{
    struct ht_day_plan *plan = NULL;
    struct ht_error error = {0};
    options.threads = 1;
    options.seed = 5;
    enum ht_status status = ht_day_run(&day->problem, &options, &plan, &error);
    if (status != HT_OK || ht_day_check(&day->problem, plan, &error) != HT_OK) {
        (void)printf("  day: %s\n", error.message);
        HT_CHECK(status == HT_OK);
        HT_CHECK(status != HT_OK);
    }
    return plan;
}

static struct ht_day_plan *run(const struct day *day, uint64_t iterations)
{
    return run_as(day, (struct ht_day_options){.iterations = iterations});
}

/* The plan becomes the running one; so many orders of each van are pinned. */
static void running_set(struct day *day, const struct ht_day_plan *plan, uint32_t pinned)
{
    for (uint32_t v = 0; v < day->problem.van_count; v++) {
        day->vans[v].stop_count = 0;
        day->vans[v].pinned = 0;
    }
    for (uint32_t r = 0; r < plan->route_count; r++) {
        const struct ht_day_route *route = &plan->routes[r];
        struct ht_day_van *van = &day->vans[route->van];
        uint32_t orders = 0;
        for (uint32_t i = 0; i < route->count; i++) {
            day->stops[route->van][van->stop_count++] = route->visits[i].stop;
            orders += route->visits[i].stop.kind == HT_DAY_ORDER;
            van->pinned = orders <= pinned ? van->stop_count : van->pinned;
        }
    }
}

HT_CASE(random_days_keep_every_rule)
{
    uint64_t state = 1;
    uint32_t brought = 0;
    uint32_t shared = 0; /* stops at which several orders are handed over */
    uint32_t mixed = 0;  /* trips loaded at several kitchens */
    for (uint32_t i = 0; i < (HT_LONG ? 2000U : 200U); i++) {
        day_make(&the_day, &state, 1 + ht_random_below(&state, ORDERS),
                 1 + ht_random_below(&state, VANS));
        struct ht_day_plan *plan =
            run_as(&the_day, (struct ht_day_options){.iterations = 200, .single = i % 3 == 0});
        HT_REQUIRE(plan != NULL);
        brought += the_day.problem.order_count - plan->unserved_count;
        for (uint32_t r = 0; r < plan->route_count; r++) {
            const struct ht_day_visit *visits = plan->routes[r].visits;
            for (uint32_t s = 1; s < plan->routes[r].count; s++) {
                enum ht_day_stop_kind kind = visits[s].stop.kind;
                bool again = kind == visits[s - 1].stop.kind;
                mixed += kind == HT_DAY_LOAD && again;
                shared +=
                    kind == HT_DAY_ORDER && again && visits[s].leave_s - visits[s].begin_s == 20;
            }
        }
        ht_day_free(plan);
    }
    HT_CHECK(brought > 1000);
    HT_CHECK(shared > 200);
    HT_CHECK(mixed > 20);
}

/* ---- the best of all plans, by trying them all ---- */

struct oracle {
    const struct day *day;
    struct ht_day_stop route[VANS][16];
    uint32_t length[VANS];
    int64_t best_weight;
    int64_t best_cost;
};

static int64_t weight_of(const struct oracle *o, uint32_t order)
{
    /* of a group, as the solver counts its tasks: only compared where each is alone */
    return (int64_t)o->day->orders[order].priority * (o->day->problem.order_count + 1) + 1;
}

struct drive {
    int64_t begin_s[16];
    int64_t leave_s[16];
    uint32_t from[16]; /* where it was loaded */
    int64_t cost;
};

static bool load_allowed(const struct ht_day_kitchen *kitchen, int64_t *time_s)
{
    if (kitchen->open_count == 0) {
        return true;
    }
    *time_s = *time_s > kitchen->open[0].from_s ? *time_s : kitchen->open[0].from_s;
    return *time_s <= kitchen->open[0].to_s;
}

/* Drives once, waiting at each stop until `hold`; false: too late somewhere. */
static bool drive_once(const struct oracle *o, uint32_t v, const int64_t *hold, struct drive *out)
{
    const struct day *day = o->day;
    const struct ht_day_van *van = &day->vans[v];
    int64_t now_s = van->window.from_s;
    uint32_t at = van->location;
    out->cost = 0;
    for (uint32_t i = 0; i <= o->length[v]; i++) {
        bool end = i == o->length[v];
        const struct ht_day_stop *stop = &o->route[v][i];
        uint32_t to = end                         ? van->end
                      : stop->kind == HT_DAY_LOAD ? day->kitchens[stop->index].location
                                                  : day->orders[stop->index].location;
        if (end && van->end == HT_PLAN_NONE) {
            return now_s <= van->window.to_s;
        }
        uint32_t way = day->duration[at * PLACES + to];
        if (way == HT_PLAN_NO_WAY) {
            return false;
        }
        now_s += way;
        out->cost += (int64_t)way * 5 * 3600 +
                     (int64_t)day->distance[at * PLACES + to] * 18 * day->problem.prices.per_km;
        if (end) {
            return now_s <= van->window.to_s;
        }
        now_s = now_s > hold[i] ? now_s : hold[i];
        int64_t work_s = 0;
        if (stop->kind == HT_DAY_LOAD) {
            work_s = day->kitchens[stop->index].load_s;
            if (!load_allowed(&day->kitchens[stop->index], &now_s)) {
                return false;
            }
        } else {
            const struct ht_day_order *order = &day->orders[stop->index];
            now_s = now_s > order->due.from_s ? now_s : order->due.from_s;
            work_s = order->service_s + (at == to ? 0 : 60);
            if (now_s > order->due.to_s + day->problem.prices.late_most_s) {
                return false;
            }
            if (now_s > order->due.to_s) {
                out->cost += (now_s - order->due.to_s) * 5 * day->problem.prices.late_per_hour;
            }
        }
        out->begin_s[i] = now_s;
        now_s += work_s;
        out->cost += work_s * 5 * 3600;
        out->leave_s[i] = now_s;
        at = to;
    }
    return true;
}

/* Nobody goes to a kitchen for nothing, though a way by it may be shorter here. */
static bool loads_serve(const struct oracle *o, uint32_t v, const struct drive *drive)
{
    for (uint32_t i = 0; i < o->length[v]; i++) {
        bool serves = o->route[v][i].kind == HT_DAY_ORDER;
        for (uint32_t j = i + 1; j < o->length[v] && !serves; j++) {
            serves = o->route[v][j].kind == HT_DAY_ORDER && drive->from[j] == i;
        }
        if (!serves) {
            return false;
        }
    }
    return true;
}

/* Loads, skills and where each is loaded. */
static bool route_holds(const struct oracle *o, uint32_t v, struct drive *out)
{
    const struct day *day = o->day;
    uint32_t trips = 0;
    for (uint32_t i = 0; i < o->length[v]; i++) {
        const struct ht_day_stop *stop = &o->route[v][i];
        if (stop->kind == HT_DAY_LOAD) {
            trips += i == 0 || o->route[v][i - 1].kind != HT_DAY_LOAD;
            continue;
        }
        const struct ht_day_order *order = &day->orders[stop->index];
        uint32_t from = i;
        while (from > 0 && !(o->route[v][from - 1].kind == HT_DAY_LOAD &&
                             o->route[v][from - 1].index == order->kitchen)) {
            from--;
        }
        if (from == 0 || (order->skills != NULL && (*order->skills & ~*day->vans[v].skills) != 0)) {
            return false;
        }
        out->from[i] = from - 1;
    }
    for (uint32_t i = 0; i < o->length[v]; i++) {
        int64_t load[2] = {0};
        for (uint32_t j = i + 1; j < o->length[v]; j++) {
            if (o->route[v][j].kind == HT_DAY_ORDER && out->from[j] <= i) {
                load[0] += day->load[o->route[v][j].index][0];
                load[1] += day->load[o->route[v][j].index][1];
            }
        }
        if (load[0] > day->capacity[v][0] || load[1] > day->capacity[v][1]) {
            return false;
        }
    }
    return trips <= day->vans[v].trips_most && loads_serve(o, v, out);
}

static int64_t day_ready(const struct day *day, uint32_t order)
{
    return day->orders[order].ready_s == 0 ? INT64_MIN : day->orders[order].ready_s;
}

/* What a route costs at its earliest; -1: it breaks a rule. */
static int64_t route_cost(const struct oracle *o, uint32_t v)
{
    struct drive drive = {0};
    int64_t hold[16];
    if (!route_holds(o, v, &drive)) {
        return -1;
    }
    for (int i = 0; i < 16; i++) {
        hold[i] = INT64_MIN;
    }
    for (uint32_t i = 0; i < o->length[v]; i++) {
        const struct ht_day_stop *stop = &o->route[v][i];
        if (stop->kind == HT_DAY_ORDER && day_ready(o->day, stop->index) > hold[drive.from[i]]) {
            hold[drive.from[i]] = day_ready(o->day, stop->index);
        }
    }
    for (int round = 0; round < 64; round++) {
        bool settled = true;
        if (!drive_once(o, v, hold, &drive)) {
            return -1;
        }
        for (uint32_t i = 0; i < o->length[v]; i++) {
            const struct ht_day_stop *stop = &o->route[v][i];
            uint32_t from = drive.from[i];
            if (stop->kind == HT_DAY_LOAD || o->day->orders[stop->index].ride_most_s == 0) {
                continue;
            }
            int64_t over_s =
                drive.begin_s[i] - drive.leave_s[from] - o->day->orders[stop->index].ride_most_s;
            if (over_s > 0) {
                hold[from] = drive.begin_s[from] + over_s;
                settled = false;
            }
        }
        if (settled) {
            return drive.cost;
        }
    }
    return -1;
}

static void oracle_count(struct oracle *o, int64_t weight)
{
    int64_t cost = 0;
    for (uint32_t v = 0; v < o->day->problem.van_count; v++) {
        int64_t one = o->length[v] == 0 ? 0 : route_cost(o, v);
        if (one < 0) {
            return;
        }
        cost += one;
    }
    if (weight > o->best_weight || (weight == o->best_weight && cost < o->best_cost)) {
        o->best_weight = weight;
        o->best_cost = cost;
    }
}

static void slot_in(struct oracle *o, uint32_t v, uint32_t at, struct ht_day_stop stop)
{
    memmove(&o->route[v][at + 1], &o->route[v][at], (o->length[v]++ - at) * sizeof stop);
    o->route[v][at] = stop;
}

static void slot_out(struct oracle *o, uint32_t v, uint32_t at)
{
    memmove(&o->route[v][at], &o->route[v][at + 1],
            (--o->length[v] - at) * sizeof(struct ht_day_stop));
}

/* Loads in front of any orders: none, one of two kitchens, or both in either order. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as there are orders
static void oracle_load(struct oracle *o, uint32_t v, uint32_t at, int64_t weight)
{
    static const uint8_t loads[][2] = {{2, 2}, {0, 2}, {1, 2}, {0, 1}, {1, 0}};
    while (v < o->day->problem.van_count && at >= o->length[v]) {
        v++;
        at = 0;
    }
    if (v == o->day->problem.van_count) {
        oracle_count(o, weight);
        return;
    }
    for (size_t l = 0; l < sizeof loads / sizeof *loads; l++) {
        uint32_t count = 0;
        bool there = true;
        for (int i = 0; i < 2; i++) {
            there = there && (loads[l][i] == 2 || loads[l][i] < o->day->problem.kitchen_count);
        }
        for (int i = 0; there && i < 2; i++) {
            if (loads[l][i] < 2) {
                slot_in(o, v, at + count++, (struct ht_day_stop){HT_DAY_LOAD, loads[l][i]});
            }
        }
        if (there) {
            oracle_load(o, v, at + count + 1, weight);
        }
        while (count > 0) {
            slot_out(o, v, at + --count);
        }
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as there are orders
static void oracle_deal(struct oracle *o, uint32_t order, int64_t weight)
{
    if (order == o->day->problem.order_count) {
        if (weight >= o->best_weight) {
            oracle_load(o, 0, 0, weight);
        }
        return;
    }
    for (uint32_t v = 0; v < o->day->problem.van_count; v++) {
        for (uint32_t i = 0; i <= o->length[v]; i++) {
            slot_in(o, v, i, (struct ht_day_stop){HT_DAY_ORDER, order});
            oracle_deal(o, order + 1, weight + weight_of(o, order));
            slot_out(o, v, i);
        }
    }
    oracle_deal(o, order + 1, weight);
}

HT_CASE(tiny_days_are_planned_best)
{
    uint64_t state = 3;
    int64_t brought = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 200U : 40U); i++) {
        day_make(&the_day, &state, 1 + ht_random_below(&state, 4), 1 + ht_random_below(&state, 2));
        the_day.problem.kitchen_count = 1 + i % 2;
        for (int w = 0; w < PLACES * PLACES; w++) { /* what nobody can go for alone is not tried */
            the_day.duration[w] = the_day.duration[w] == HT_PLAN_NO_WAY ? 700 : the_day.duration[w];
        }
        for (uint32_t o = 0; o < the_day.problem.order_count; o++) {
            the_day.orders[o].kitchen %= the_day.problem.kitchen_count;
        }
        struct oracle oracle = {.day = &the_day, .best_weight = -1, .best_cost = INT64_MAX};
        oracle_deal(&oracle, 0, 0);
        for (int single = 0; single < 2; single++) {
            struct ht_day_plan *plan = run_as(
                &the_day, (struct ht_day_options){.iterations = 2000, .single = single == 1});
            int64_t weight = 0;
            HT_REQUIRE(plan != NULL);
            for (uint32_t o = 0; o < the_day.problem.order_count; o++) {
                weight += weight_of(&oracle, o);
            }
            for (uint32_t u = 0; u < plan->unserved_count; u++) {
                weight -= weight_of(&oracle, plan->unserved[u].order);
            }
            if (single == 1) {
                HT_CHECK_INT(weight, oracle.best_weight);
                HT_CHECK_INT(plan->cost, oracle.best_cost);
            } else { /* groups of orders may be dearer, but never better than the best */
                HT_CHECK(weight < oracle.best_weight ||
                         (weight == oracle.best_weight && plan->cost >= oracle.best_cost));
            }
            brought += weight;
            ht_day_free(plan);
        }
    }
    HT_CHECK(brought > 60);
}

/* ---- from the running plan ---- */

HT_CASE(pins_never_move_whatever_happens)
{
    uint64_t state = 7;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < (HT_LONG ? 1000U : 400U); i++) {
        day_make(&the_day, &state, 10 + ht_random_below(&state, ORDERS - 10),
                 1 + ht_random_below(&state, VANS));
        struct ht_day_plan *plan = run(&the_day, 100);
        HT_REQUIRE(plan != NULL);
        running_set(&the_day, plan, ht_random_below(&state, 5));
        ht_day_free(plan);
        /* vans are late, windows pass, ways close, a kitchen breaks down, smaller vans come */
        for (uint32_t v = 0; v < the_day.problem.van_count; v++) {
            the_day.vans[v].window.from_s += ht_random_below(&state, 4000);
            the_day.capacity[v][0] -= ht_random_below(&state, 3);
            the_day.vans[v].trips_most -= i % 5 == 1 ? 1 : 0;
        }
        for (int c = 0; c < 20; c++) {
            uint32_t from = ht_random_below(&state, PLACES);
            uint32_t to = ht_random_below(&state, PLACES);
            if (from != to) {
                the_day.duration[from * PLACES + to] = HT_PLAN_NO_WAY;
            }
        }
        the_day.kitchens[0].down = i % 4 == 0;
        plan = run(&the_day, 100); /* ht_day_check knows what pins are */
        HT_REQUIRE(plan != NULL);
        for (uint32_t r = 0; r < plan->route_count; r++) {
            kept += the_day.vans[plan->routes[r].van].pinned > 0;
        }
        ht_day_free(plan);
    }
    HT_CHECK(kept > 50);
}

/* What is aboard stays with its van and comes first, however late. */
HT_CASE(what_is_in_hand_is_brought_first_and_in_order)
{
    uint64_t state = 11;
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t aboard = 0;
        day_make(&the_day, &state, 20, 3);
        for (uint32_t v = 0; v < 3; v++) {
            for (uint32_t n = 0; n < 3; n++) {
                uint32_t o = aboard++;
                the_day.orders[o].aboard = true;
                the_day.orders[o].left_s = -500;
                the_day.orders[o].ready_s = 0;
                the_day.stops[v][n] = (struct ht_day_stop){HT_DAY_ORDER, o};
            }
            the_day.vans[v].stop_count = 3;
            the_day.vans[v].pinned = 3;
        }
        struct ht_day_plan *plan = run(&the_day, 100);
        HT_REQUIRE(plan != NULL);
        for (uint32_t r = 0; r < plan->route_count; r++) {
            const struct ht_day_route *route = &plan->routes[r];
            uint32_t last = 0;
            uint32_t seen = 0;
            HT_CHECK_INT(route->start_s, the_day.vans[route->van].window.from_s);
            for (uint32_t s = 0; s < route->count; s++) {
                const struct ht_day_stop *stop = &route->visits[s].stop;
                bool is = stop->kind == HT_DAY_ORDER && stop->index < aboard;
                HT_CHECK(!is || (seen == s && (s == 0 || stop->index > last)));
                seen += is;
                last = is ? stop->index : last;
            }
        }
        for (uint32_t u = 0; u < plan->unserved_count; u++) {
            HT_CHECK(plan->unserved[u].order >= aboard ||
                     plan->unserved[u].reason == HT_DAY_NO_WAY);
        }
        ht_day_free(plan);
    }
}

/* Two vans, one order: the running plan's van is so much farther away. */
HT_CASE(an_order_changes_the_van_only_for_more_than_the_price)
{
    uint64_t state = 13;
    for (uint32_t price = 0; price <= 200; price += 10) {
        day_make(&the_day, &state, 1, 2);
        the_day.problem.prices = (struct ht_day_prices){.per_hour = 3600, .move = price};
        the_day.problem.kitchen_count = 1;
        for (int i = 0; i < PLACES * PLACES; i++) {
            the_day.duration[i] = i / PLACES == i % PLACES ? 0 : 100;
        }
        for (uint32_t v = 0; v < 2; v++) {
            the_day.vans[v].location = 20 + v;
            the_day.vans[v].end = HT_PLAN_NONE;
            the_day.vans[v].window = (struct ht_window){100, 50000};
        }
        the_day.duration[20 * PLACES] = 195; /* from van 0 to the kitchen */
        the_day.orders[0] = (struct ht_day_order){
            .location = 5, .due = {100, 40000}, .service_s = 20, .load = the_day.load[0]};
        the_day.stops[0][0] = (struct ht_day_stop){HT_DAY_LOAD, 0};
        the_day.stops[0][1] = (struct ht_day_stop){HT_DAY_ORDER, 0};
        the_day.vans[0].stop_count = 2;
        struct ht_day_plan *plan = run(&the_day, 100);
        HT_REQUIRE(plan != NULL && plan->route_count == 1);
        HT_CHECK_INT(plan->routes[0].van, price < 95 ? 1 : 0);
        HT_CHECK_INT(plan->moved, price < 95 ? 1 : 0);
        ht_day_free(plan);
    }
}

HT_CASE(a_change_leaves_the_rest_where_it_is)
{
    uint64_t state = 17;
    uint32_t moved = 0;
    uint32_t anew = 0;
    for (uint32_t i = 0; i < 20; i++) {
        day_make(&the_day, &state, ORDERS, VANS);
        the_day.problem.order_count = ORDERS - 1;
        the_day.problem.prices.move = 1000;
        struct ht_day_plan *plan = run(&the_day, 1000);
        HT_REQUIRE(plan != NULL);
        running_set(&the_day, plan, 0);
        ht_day_free(plan);
        the_day.problem.order_count = ORDERS; /* one more came */
        plan = run(&the_day, 300);
        moved += plan->moved;
        ht_day_free(plan);
        the_day.problem.prices.move = 0;
        plan = run_as(&the_day, (struct ht_day_options){.iterations = 300, .anew = true});
        anew += plan->moved;
        ht_day_free(plan);
    }
    HT_CHECK(moved < 20);
    HT_CHECK(anew > 100);
}

/* ---- its deadline ---- */

/* What a search takes of the thread's own time: less than what passes, whatever else goes on. */
static double own_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#if defined __OPTIMIZE__ && !defined __SANITIZE_THREAD__ && !defined __SANITIZE_ADDRESS__
enum { LATE_MOST_MS = 100 };
#else
enum { LATE_MOST_MS = 5000 };
#endif

/* So much too late. */
static double late_ms(const struct day *day, int64_t limit_ms, struct ht_day_plan **plan)
{
    double begun_ms = own_ms();
    struct ht_error error = {0};
    const struct ht_day_options options = {.limit_ms = limit_ms, .threads = 1, .seed = 5};
    *plan = NULL;
    HT_CHECK(ht_day_run(&day->problem, &options, plan, &error) == HT_OK);
    double late = own_ms() - begun_ms - (double)limit_ms;
    HT_CHECK(*plan != NULL && ht_day_check(&day->problem, *plan, &error) == HT_OK);
    return late;
}

/* The last order is called off. */
static void order_off(struct day *day)
{
    uint32_t gone = --day->problem.order_count;
    for (uint32_t v = 0; v < day->problem.van_count; v++) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < day->vans[v].stop_count; i++) {
            const struct ht_day_stop stop = day->stops[v][i];
            if (stop.kind != HT_DAY_ORDER || stop.index != gone) {
                day->stops[v][kept++] = stop;
            }
        }
        day->vans[v].stop_count = kept;
    }
}

static void change(struct day *day, int number)
{
    switch (number) {
    case 0:
        day->problem.order_count++; /* one more comes */
        break;
    case 1:
        order_off(day);
        break;
    case 2:
        day->vans[3].window.from_s += 1800; /* a van is late, */
        break;
    case 3:
        day->kitchens[0].down = true; /* a kitchen breaks down, */
        break;
    default: /* and streets are closed */
        for (int c = 0; c < 10; c++) {
            day->duration[(c * 7 + 3) % PLACES * PLACES + (c * 5 + 4) % PLACES] = HT_PLAN_NO_WAY;
        }
        break;
    }
}

HT_CASE(a_search_ends_at_its_deadline_after_each_change)
{
    enum { CHANGES = 5 };
    uint64_t state = 19;
    int64_t limit_ms = HT_LONG ? 1000 : 200;
    struct ht_day_plan *plan = NULL;
    double worst_ms = 0;
    day_make(&the_day, &state, ORDERS_MOST, VANS_MOST);
    the_day.problem.order_count = ORDERS_MOST - 1;
    double late = late_ms(&the_day, limit_ms, &plan); /* from nothing */
    for (int c = 0; c < CHANGES && plan != NULL; c++) {
        worst_ms = late > worst_ms ? late : worst_ms;
        running_set(&the_day, plan, 0);
        ht_day_free(plan);
        change(&the_day, c);
        late = late_ms(&the_day, limit_ms, &plan);
    }
    worst_ms = late > worst_ms ? late : worst_ms;
    (void)printf("  at worst %.1f ms late\n", worst_ms);
    HT_CHECK(worst_ms <= LATE_MOST_MS);
    ht_day_free(plan);
}

/* ---- why not ---- */

/* -1: all are brought */
static int reason_of(const struct day *day)
{
    struct ht_day_plan *plan = run(day, 20);
    int reason = -1;
    if (plan != NULL && plan->unserved_count == 1) {
        reason = (int)plan->unserved[0].reason;
    }
    ht_day_free(plan);
    return reason;
}

/* One order, one van, 100 s between all places. */
static void plain_day(struct day *day)
{
    uint64_t state = 19;
    day_make(day, &state, 1, 1);
    day->problem.prices = (struct ht_day_prices){.per_hour = 3600};
    day->problem.kitchen_count = 1;
    for (int i = 0; i < PLACES * PLACES; i++) {
        day->duration[i] = i / PLACES == i % PLACES ? 0 : 100;
    }
    day->vans[0].location = 20;
    day->vans[0].end = 20;
    day->vans[0].window = (struct ht_window){100, 50000};
    day->kitchens[0].load_s = 30;
    day->orders[0] = (struct ht_day_order){
        .location = 5, .due = {100, 40000}, .service_s = 20, .load = day->load[0]};
}

HT_CASE(what_is_not_brought_says_why)
{
    static uint64_t both = 3;
    plain_day(&the_day);
    HT_CHECK_INT(reason_of(&the_day), -1);
    plain_day(&the_day);
    the_day.load[0][0] = 1000;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_CAPACITY);
    plain_day(&the_day);
    the_day.orders[0].skills = &both;
    the_day.vans[0].skills = NULL;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_SKILLS);
    plain_day(&the_day);
    for (int i = 0; i < PLACES; i++) {
        the_day.duration[i * PLACES + 5] = i == 5 ? 0 : HT_PLAN_NO_WAY;
    }
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_NO_WAY);
    plain_day(&the_day);
    the_day.kitchens[0].down = true;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_KITCHEN);
    plain_day(&the_day);
    the_day.kitchens[0].open_count = 1;
    the_day.open[0] = (struct ht_window){0, 1000};
    the_day.orders[0].ready_s = 1001;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_KITCHEN);
    plain_day(&the_day); /* it is open again, but too late; in time if it had not been closed */
    the_day.kitchens[0].open_count = 1;
    the_day.open[0] = (struct ht_window){1000, 2000};
    the_day.orders[0].due.to_s = 500;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_KITCHEN);
    the_day.orders[0].due.to_s = 329;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_WINDOW);
    plain_day(&the_day);
    the_day.orders[0].ride_most_s = 99;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_RIDE);
    plain_day(&the_day);
    the_day.orders[0].due.to_s = 329; /* 100 + 100 + 30 + 100 */
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_WINDOW);
    the_day.orders[0].due.to_s = 330;
    HT_CHECK_INT(reason_of(&the_day), -1);
    the_day.vans[0].window.to_s = 509; /* 330 + 60 + 20 + 100 */
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_SHIFT);
    the_day.vans[0].window.to_s = 510;
    HT_CHECK_INT(reason_of(&the_day), -1);
    the_day.vans[0].trips_most = 0;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_SHIFT);
    the_day.problem.van_count = 0;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_SHIFT);
    /* one of two has a place */
    plain_day(&the_day);
    the_day.problem.order_count = 2;
    the_day.orders[1] = the_day.orders[0];
    the_day.orders[1].location = 6;
    the_day.orders[0].due.to_s = the_day.orders[1].due.to_s = 330;
    HT_CHECK_INT(reason_of(&the_day), HT_DAY_FULL);
}

/* 60 s to park, 20 s for each order. */
HT_CASE(orders_at_one_building_share_the_parking)
{
    for (int single = 0; single < 2; single++) {
        plain_day(&the_day);
        the_day.problem.order_count = 4;
        for (int o = 1; o < 4; o++) {
            the_day.orders[o] = the_day.orders[0];
            the_day.load[o][0] = the_day.load[0][0] = 1;
            the_day.load[o][1] = the_day.load[0][1] = 0;
            the_day.orders[o].load = the_day.load[o];
        }
        the_day.orders[3].location = 6;
        struct ht_day_plan *plan =
            run_as(&the_day, (struct ht_day_options){.iterations = 200, .single = single == 1});
        HT_REQUIRE(plan != NULL && plan->route_count == 1 && plan->routes[0].count == 5);
        /* 4 ways, loading, two stops, four orders */
        HT_CHECK_INT(plan->cost, (4 * 100 + 30 + 2 * 60 + 4 * 20) * (int64_t)HT_COST_SCALE);
        HT_CHECK_INT(plan->routes[0].end_s - plan->routes[0].start_s, 630);
        ht_day_free(plan);
    }
}

/* ---- what is wrong ---- */

HT_CASE(the_check_finds_what_is_wrong)
{
    uint64_t state = 23;
    uint32_t found = 0;
    day_make(&the_day, &state, 20, 3);
    struct ht_day_plan *plan = run(&the_day, 300);
    HT_REQUIRE(plan != NULL && plan->route_count > 1 && plan->routes[0].count > 3);
    struct ht_day_visit *visits = calloc(plan->routes[0].count, sizeof *visits);
    int64_t *load = calloc(plan->routes[0].count * (size_t)2, sizeof *load);
    struct ht_day_route *routes = calloc(plan->route_count, sizeof *routes);
    HT_REQUIRE(visits != NULL && load != NULL && routes != NULL);
    for (int fault = 0; fault <= 9; fault++) {
        struct ht_day_plan bad = *plan;
        memcpy(routes, plan->routes, plan->route_count * sizeof *routes);
        memcpy(visits, plan->routes[0].visits, plan->routes[0].count * sizeof *visits);
        memcpy(load, plan->routes[0].load, plan->routes[0].count * 2 * sizeof *load);
        routes[0].visits = visits;
        routes[0].load = load;
        bad.routes = routes;
        bad.cost += fault == 1;
        bad.moved += fault == 2;
        routes[0].start_s -= fault == 3;
        routes[0].end_s += fault == 4;
        visits[1].arrival_s += fault == 5;
        visits[1].leave_s += fault == 6;
        load[0] += fault == 7;
        visits[0].stop.index = fault == 8 ? the_day.problem.kitchen_count : visits[0].stop.index;
        bad.route_count -= fault == 9;
        enum ht_status status = ht_day_check(&the_day.problem, &bad, NULL);
        HT_CHECK_INT(status, fault == 0 ? HT_OK : HT_INVALID);
        found += status != HT_OK;
    }
    HT_CHECK_INT(found, 9);
    free(visits);
    free(load);
    free(routes);
    ht_day_free(plan);
}

HT_CASE(days_that_contradict_themselves_are_refused)
{
    const struct ht_day_options options = {.iterations = 10};
    for (int fault = 0; fault <= 11; fault++) {
        struct ht_day_plan *plan = NULL;
        struct ht_error error = {0};
        plain_day(&the_day);
        the_day.stops[0][0] = (struct ht_day_stop){HT_DAY_LOAD, 0};
        the_day.stops[0][1] = (struct ht_day_stop){HT_DAY_ORDER, 0};
        the_day.vans[0].stop_count = 2;
        the_day.orders[0].kitchen = fault == 1 ? 1 : 0;
        the_day.orders[0].location = fault == 2 ? PLACES : 5;
        the_day.vans[0].location = fault == 3 ? PLACES : 20;
        the_day.kitchens[0].location = fault == 4 ? PLACES : 0;
        the_day.orders[0].due.to_s = fault == 5 ? 99 : 40000;
        the_day.load[0][0] = fault == 6 ? -1 : 1;
        the_day.stops[0][1].index = fault == 7 ? 1 : 0;
        the_day.vans[0].pinned = fault == 8 ? 3 : 0;
        the_day.duration[0] = fault == 9 ? 1 : 0;
        the_day.orders[0].aboard = fault == 10; /* and not pinned */
        the_day.stops[0][0].index = fault == 11 ? 1 : 0;
        enum ht_status status = ht_day_run(&the_day.problem, &options, &plan, &error);
        HT_CHECK_INT(status, fault == 0 ? HT_OK : HT_INVALID);
        HT_CHECK(fault == 0 || error.message[0] != '\0');
        ht_day_free(plan);
    }
}

HT_CASE(without_memory_there_is_no_plan_and_no_harm)
{
    uint64_t state = 29;
    const struct ht_day_options options = {.iterations = 30, .threads = 1, .seed = 1};
    uint32_t answers = 0;
    day_make(&the_day, &state, 16, 3);
    for (long n = 0;; n++) {
        struct ht_day_plan *plan = NULL;
        struct ht_error error = {0};
        ht_oom_arm(n);
        enum ht_status status = ht_day_run(&the_day.problem, &options, &plan, &error);
        bool failed = ht_oom_disarm();
        HT_CHECK(status == HT_OK || status == HT_NOMEM);
        if (status == HT_OK) {
            answers++;
            HT_CHECK_INT(ht_day_check(&the_day.problem, plan, NULL), HT_OK);
        }
        ht_day_free(plan);
        if (!failed) {
            break;
        }
    }
    HT_CHECK_INT(answers, 1);
}

HT_MAIN()
