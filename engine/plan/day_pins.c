/* What is known of a day before it is planned. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/day_internal.h"

static enum ht_status wrong(struct ht_error *error, const char *what, uint32_t index,
                            const char *text)
{
    return ht_error_set(error, HT_INVALID, 0, "%s %u: %s", what, (unsigned)index, text);
}

static uint32_t way_s(const struct ht_day_problem *problem, const struct ht_day_van *van,
                      uint32_t from, uint32_t to)
{
    const struct ht_plan_profile *profile = &problem->profiles[van->profile];
    size_t at = (size_t)from * problem->location_count + to;
    bool none = profile->distance_m != NULL && profile->distance_m[at] == HT_PLAN_NO_WAY;
    return none ? HT_PLAN_NO_WAY : profile->duration_s[at];
}

/* When loading can begin who is there then; INT64_MAX: never. */
static int64_t load_begin(const struct ht_day_kitchen *kitchen, int64_t time_s)
{
    if (kitchen->open_count == 0) {
        return time_s;
    }
    for (uint32_t i = 0; i < kitchen->open_count; i++) {
        if (time_s <= kitchen->open[i].to_s) {
            return time_s > kitchen->open[i].from_s ? time_s : kitchen->open[i].from_s;
        }
    }
    return INT64_MAX;
}

/* ---- whether the problem makes sense ---- */

static enum ht_status kitchens_check(const struct ht_day_problem *problem, struct ht_error *error)
{
    for (uint32_t k = 0; k < problem->kitchen_count; k++) {
        if (problem->kitchens[k].location >= problem->location_count) {
            return wrong(error, "kitchen", k, "its location is not in the matrix");
        }
    }
    return HT_OK;
}

static enum ht_status orders_check(const struct ht_day_problem *problem, struct ht_error *error)
{
    for (uint32_t o = 0; o < problem->order_count; o++) {
        const struct ht_day_order *order = &problem->orders[o];
        if (order->kitchen >= problem->kitchen_count) {
            return wrong(error, "order", o, "there is no such kitchen");
        }
        if (order->location >= problem->location_count) {
            return wrong(error, "order", o, "its location is not in the matrix");
        }
        if (order->ready_s < -HT_PLAN_TIME_MOST || order->ready_s > HT_PLAN_TIME_MOST ||
            order->left_s < -HT_PLAN_TIME_MOST || order->left_s > HT_PLAN_TIME_MOST ||
            order->service_s > INT32_MAX || order->ride_most_s > INT32_MAX) {
            return wrong(error, "order", o, "one of its times is out of range");
        }
        if (order->due.from_s > order->due.to_s || order->due.from_s < -HT_PLAN_TIME_MOST ||
            order->due.to_s > HT_PLAN_TIME_MOST - problem->prices.late_most_s) {
            return wrong(error, "order", o, "its window ends before it begins, or is out of range");
        }
        for (uint32_t i = 0; order->load != NULL && i < problem->amounts; i++) {
            if (order->load[i] < 0 || order->load[i] > HT_PLAN_AMOUNT_MOST) {
                return wrong(error, "order", o, "its load is negative or too large");
            }
        }
    }
    return HT_OK;
}

static enum ht_status vans_check(const struct ht_day_problem *problem, struct ht_error *error)
{
    for (uint32_t v = 0; v < problem->van_count; v++) {
        const struct ht_day_van *van = &problem->vans[v];
        if (van->profile >= problem->profile_count || van->location >= problem->location_count ||
            (van->end != HT_PLAN_NONE && van->end >= problem->location_count)) {
            return wrong(error, "van", v, "its profile, or where it is, is not in the matrix");
        }
        if (van->pinned > van->stop_count) {
            return wrong(error, "van", v, "more pinned stops than it has");
        }
        if (van->window.from_s < -HT_PLAN_TIME_MOST || van->window.from_s > HT_PLAN_TIME_MOST) {
            return wrong(error, "van", v, "when it is free is out of range");
        }
    }
    if (problem->prices.per_hour > HT_PLAN_RATE_MOST ||
        problem->prices.per_km > HT_PLAN_RATE_MOST) {
        return ht_error_set(error, HT_INVALID, 0, "a price is out of range");
    }
    return HT_OK;
}

static enum ht_status matrices_check(const struct ht_day_problem *problem, struct ht_error *error)
{
    size_t locations = problem->location_count;
    for (uint32_t p = 0; p < problem->profile_count; p++) {
        for (size_t i = 0; i < locations; i++) {
            size_t at = i * locations + i;
            const struct ht_plan_profile *profile = &problem->profiles[p];
            if (profile->duration_s[at] != 0 ||
                (profile->distance_m != NULL && profile->distance_m[at] != 0)) {
                return wrong(error, "location", (uint32_t)i, "the way to itself is not 0");
            }
        }
    }
    return HT_OK;
}

static enum ht_status problem_check(const struct ht_day_problem *problem, struct ht_error *error)
{
    if (problem->amounts > HT_PLAN_AMOUNTS_MOST || problem->kitchen_count > HT_DAY_KITCHENS_MOST ||
        problem->order_count > HT_PLAN_TASKS_MOST || problem->van_count > HT_PLAN_VEHICLES_MOST ||
        (uint64_t)problem->location_count * problem->location_count > HT_PLAN_CELLS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0,
                            "too many kitchens, orders, vans, places or dimensions");
    }
    enum ht_status status = kitchens_check(problem, error);
    status = status == HT_OK ? orders_check(problem, error) : status;
    status = status == HT_OK ? vans_check(problem, error) : status;
    return status == HT_OK ? matrices_check(problem, error) : status;
}

/* ---- memory ---- */

static bool arrays_make(struct ht__day *day)
{
    const struct ht_day_problem *problem = day->problem;
    size_t orders = problem->order_count;
    size_t vans = problem->van_count;
    size_t stops = 0;
    for (size_t v = 0; v < vans; v++) {
        stops += problem->vans[v].stop_count;
    }
    /* of a plan: each order, and each with a load of its own */
    stops = stops > 2 * orders ? stops : 2 * orders;
    day->stop_room = (uint32_t)stops;
    day->home = ht_array_new(orders, sizeof *day->home);
    day->run = ht_array_new_zeroed(orders, sizeof *day->run);
    day->pinned = ht_array_new_zeroed(orders, 1);
    day->lost = ht_array_new(orders, 1);
    day->close_s = ht_array_new(orders, sizeof *day->close_s);
    day->ride_s = ht_array_new(orders, sizeof *day->ride_s);
    day->window = ht_array_new(vans, sizeof *day->window);
    day->capacity = ht_array_new(vans * problem->amounts, sizeof *day->capacity);
    day->end = ht_array_new(vans, sizeof *day->end);
    day->trips = ht_array_new(vans, sizeof *day->trips);
    day->pins = ht_array_new_zeroed(vans, sizeof *day->pins);
    day->stops = ht_array_new(stops, sizeof *day->stops);
    day->counts = ht_array_new_zeroed(vans, sizeof *day->counts);
    return day->home != NULL && day->run != NULL && day->pinned != NULL && day->lost != NULL &&
           day->close_s != NULL && day->ride_s != NULL && day->window != NULL &&
           day->capacity != NULL && day->end != NULL && day->trips != NULL && day->pins != NULL &&
           day->stops != NULL && day->counts != NULL;
}

void ht__day_deinit(struct ht__day *day)
{
    free(day->home);
    free(day->run);
    free(day->pinned);
    free(day->lost);
    free(day->close_s);
    free(day->ride_s);
    free(day->window);
    free(day->capacity);
    free(day->end);
    free(day->trips);
    free(day->pins);
    free(day->stops);
    free(day->counts);
    *day = (struct ht__day){0};
}

/* ---- orders ---- */

static void orders_begin(struct ht__day *day)
{
    const struct ht_day_problem *problem = day->problem;
    for (uint32_t o = 0; o < problem->order_count; o++) {
        const struct ht_day_order *order = &problem->orders[o];
        const struct ht_day_kitchen *kitchen = &problem->kitchens[order->kitchen];
        int64_t close_s = order->due.to_s + problem->prices.late_most_s;
        if (order->aboard && order->ride_most_s > 0 &&
            order->left_s + order->ride_most_s < close_s) {
            close_s = order->left_s + order->ride_most_s;
        }
        bool never =
            kitchen->down || load_begin(kitchen, order->ready_s == 0 ? -HT_PLAN_TIME_MOST
                                                                     : order->ready_s) == INT64_MAX;
        day->home[o] = HT_PLAN_NONE;
        day->close_s[o] = close_s;
        day->ride_s[o] = order->aboard ? 0 : order->ride_most_s;
        day->lost[o] = !order->aboard && never ? HT_DAY_KITCHEN : HT__DAY_BROUGHT;
    }
}

/* Whose an order is so far. Each has one van; what is aboard is pinned. */
static enum ht_status homes_set(struct ht__day *day, struct ht_error *error)
{
    const struct ht_day_problem *problem = day->problem;
    for (uint32_t v = 0; v < problem->van_count; v++) {
        const struct ht_day_van *van = &problem->vans[v];
        uint32_t run = 0;
        for (uint32_t i = 0; i < van->stop_count; i++) {
            uint32_t index = van->stops[i].index;
            bool load = van->stops[i].kind == HT_DAY_LOAD;
            if (index >= (load ? problem->kitchen_count : problem->order_count) ||
                (!load && day->home[index] != HT_PLAN_NONE)) {
                return wrong(error, "van", v, "its plan repeats an order, or has one that is none");
            }
            if (load) {
                run++;
                continue;
            }
            if (problem->orders[index].aboard && i >= van->pinned) {
                return wrong(error, "order", index, "is aboard, but not pinned");
            }
            day->home[index] = v;
            day->run[index] = run;
        }
    }
    for (uint32_t o = 0; o < problem->order_count; o++) {
        if (problem->orders[o].aboard && day->home[o] == HT_PLAN_NONE) {
            return wrong(error, "order", o, "is aboard of no van");
        }
    }
    return HT_OK;
}

/* ---- pins ---- */

/* A van on its way along its pinned stops. */
struct chain {
    struct ht__day *day;
    const struct ht_day_van *van;
    uint32_t v;
    uint32_t at;
    int64_t now_s;
    uint64_t loaded; /* kitchens it was at */
    int64_t left_s[HT_DAY_KITCHENS_MOST];
    struct ht_day_stop *stops; /* where its list is written */
    uint32_t count;
    uint32_t kept; /* of them: up to the last order, */
    uint32_t kept_at;
    int64_t kept_s; /* which is left then */
    uint32_t runs;
    int64_t load[HT_PLAN_AMOUNTS_MOST];
};

/* The last moment at which an order that is loaded by the pinned stop i gets ready. */
static int64_t ready_by(const struct chain *chain, uint32_t i)
{
    const struct ht_day_problem *problem = chain->day->problem;
    uint32_t kitchen = chain->van->stops[i].index;
    int64_t ready_s = -HT_PLAN_TIME_MOST;
    while (++i < chain->van->pinned) {
        const struct ht_day_stop *stop = &chain->van->stops[i];
        if (stop->kind == HT_DAY_LOAD) {
            if (stop->index == kitchen) {
                break;
            }
            continue;
        }
        const struct ht_day_order *order = &problem->orders[stop->index];
        if (!order->aboard && order->kitchen == kitchen && order->ready_s != 0 &&
            order->ready_s > ready_s) {
            ready_s = order->ready_s;
        }
    }
    return ready_s;
}

/* A pinned load: left out where it can't be, and with it what was to be loaded there. */
static void chain_load(struct chain *chain, uint32_t i)
{
    const struct ht_day_problem *problem = chain->day->problem;
    uint32_t k = chain->van->stops[i].index;
    const struct ht_day_kitchen *kitchen = &problem->kitchens[k];
    uint32_t way = way_s(problem, chain->van, chain->at, kitchen->location);
    chain->loaded &= ~(UINT64_C(1) << k);
    if (kitchen->down || way == HT_PLAN_NO_WAY) {
        return;
    }
    int64_t ready_s = ready_by(chain, i);
    int64_t begin_s = chain->now_s + way > ready_s ? chain->now_s + way : ready_s;
    begin_s = load_begin(kitchen, begin_s);
    if (begin_s == INT64_MAX) {
        return;
    }
    chain->runs += chain->count == 0 || chain->stops[chain->count - 1].kind != HT_DAY_LOAD;
    chain->stops[chain->count++] = chain->van->stops[i];
    chain->at = kitchen->location;
    chain->now_s = begin_s + kitchen->load_s;
    chain->left_s[k] = chain->now_s;
    chain->loaded |= UINT64_C(1) << k;
}

static void chain_order(struct chain *chain, uint32_t i)
{
    struct ht__day *day = chain->day;
    const struct ht_day_problem *problem = day->problem;
    uint32_t o = chain->van->stops[i].index;
    const struct ht_day_order *order = &problem->orders[o];
    uint32_t way = way_s(problem, chain->van, chain->at, order->location);
    bool has = order->aboard || (chain->loaded >> order->kitchen & 1) != 0;
    day->pinned[o] = 1;
    if (!has || way == HT_PLAN_NO_WAY) {
        day->lost[o] = day->lost[o] == HT_DAY_KITCHEN ? HT_DAY_KITCHEN : HT_DAY_NO_WAY;
        return;
    }
    int64_t begin_s = chain->now_s + way;
    begin_s = begin_s > order->due.from_s ? begin_s : order->due.from_s;
    day->lost[o] = HT__DAY_BROUGHT;
    day->close_s[o] = day->close_s[o] > begin_s ? day->close_s[o] : begin_s;
    if (!order->aboard && day->ride_s[o] > 0) {
        int64_t ride_s = begin_s - chain->left_s[order->kitchen];
        day->ride_s[o] = ride_s > day->ride_s[o] ? (uint32_t)ride_s : day->ride_s[o];
    }
    chain->now_s =
        begin_s + (chain->at == order->location ? 0 : problem->stop_s) + order->service_s;
    chain->at = order->location;
    chain->stops[chain->count++] = chain->van->stops[i];
    chain->kept = chain->count;
    chain->kept_at = chain->at;
    chain->kept_s = chain->now_s;
}

/* Puts an order on board, or takes it off; what the van has to hold follows. */
static void load_add(struct chain *chain, uint32_t order, int sign)
{
    const struct ht_day_problem *problem = chain->day->problem;
    const int64_t *load = problem->orders[order].load;
    int64_t *capacity = chain->day->capacity + (size_t)chain->v * problem->amounts;
    for (uint32_t d = 0; load != NULL && d < problem->amounts; d++) {
        chain->load[d] += sign * load[d];
        capacity[d] = chain->load[d] > capacity[d] ? chain->load[d] : capacity[d];
    }
}

/* What stop i of those that are kept takes along. */
static void loaded_add(struct chain *chain, uint32_t i)
{
    uint32_t kitchen = chain->stops[i].index;
    while (++i < chain->kept) {
        const struct ht_day_stop *stop = &chain->stops[i];
        const struct ht_day_order *order = &chain->day->problem->orders[stop->index];
        if (stop->kind == HT_DAY_LOAD && stop->index == kitchen) {
            return;
        }
        if (stop->kind == HT_DAY_ORDER && !order->aboard && order->kitchen == kitchen) {
            load_add(chain, stop->index, 1);
        }
    }
}

/* Its size, or what its pins that are kept take at once, where that is more. */
static void room_make(struct chain *chain)
{
    const struct ht_day_problem *problem = chain->day->problem;
    for (uint32_t d = 0; d < problem->amounts; d++) {
        chain->day->capacity[(size_t)chain->v * problem->amounts + d] = chain->van->capacity[d];
    }
    for (uint32_t i = 0; i < chain->kept; i++) {
        const struct ht_day_stop *stop = &chain->stops[i];
        if (stop->kind == HT_DAY_ORDER && problem->orders[stop->index].aboard) {
            load_add(chain, stop->index, 1);
        }
    }
    for (uint32_t i = 0; i < chain->kept; i++) {
        if (chain->stops[i].kind == HT_DAY_LOAD) {
            loaded_add(chain, i);
        } else {
            load_add(chain, chain->stops[i].index, -1);
        }
    }
}

/* Its window, size, trips and end, as they are or as its pins need them. */
static void van_end(struct chain *chain)
{
    struct ht__day *day = chain->day;
    const struct ht_day_van *van = chain->van;
    uint32_t v = chain->v;
    int64_t end_s = chain->kept_s;
    room_make(chain);
    day->window[v] = van->window;
    day->end[v] = van->end;
    day->trips[v] = chain->runs > van->trips_most ? chain->runs : van->trips_most;
    day->pins[v] = chain->kept;
    if (chain->kept > 0 && van->end != HT_PLAN_NONE) {
        uint32_t way = way_s(day->problem, van, chain->kept_at, van->end);
        day->end[v] = way == HT_PLAN_NO_WAY ? HT_PLAN_NONE : van->end;
        end_s += way == HT_PLAN_NO_WAY ? 0 : way;
    }
    if (day->window[v].to_s < day->window[v].from_s) {
        day->window[v].to_s = day->window[v].from_s;
    }
    if (chain->kept > 0 && day->window[v].to_s < end_s) {
        day->window[v].to_s = end_s;
    }
}

/* The plan to go on from: pins, then what else is left of the running one. */
static void lists_make(struct ht__day *day)
{
    const struct ht_day_problem *problem = day->problem;
    struct ht_day_stop *stops = day->stops;
    for (uint32_t v = 0; v < problem->van_count; v++) {
        const struct ht_day_van *van = &problem->vans[v];
        struct chain chain = {
            .day = day, .van = van, .v = v, .at = van->location, .now_s = van->window.from_s};
        chain.stops = stops;
        for (uint32_t i = 0; i < van->pinned; i++) {
            if (van->stops[i].kind == HT_DAY_LOAD) {
                chain_load(&chain, i);
            } else {
                chain_order(&chain, i);
            }
        }
        van_end(&chain);
        for (uint32_t i = van->pinned; i < van->stop_count; i++) {
            const struct ht_day_stop *stop = &van->stops[i];
            bool can = stop->kind == HT_DAY_LOAD ? !problem->kitchens[stop->index].down
                                                 : day->lost[stop->index] == HT__DAY_BROUGHT;
            if (can) {
                chain.stops[chain.count++] = *stop;
            }
        }
        day->counts[v] = chain.count;
        stops += chain.count;
    }
}

enum ht_status ht__day_init(struct ht__day *day, const struct ht_day_problem *problem,
                            struct ht_error *error)
{
    *day = (struct ht__day){.problem = problem};
    enum ht_status status = problem_check(problem, error);
    if (status != HT_OK) {
        return status;
    }
    if (!arrays_make(day)) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    orders_begin(day);
    status = homes_set(day, error);
    if (status == HT_OK) {
        lists_make(day);
    }
    return status;
}

/* ---- why not ---- */

static bool may(const struct ht_day_problem *problem, const struct ht_day_van *van,
                const struct ht_day_order *order)
{
    for (uint32_t i = 0; order->skills != NULL && i < problem->skill_words; i++) {
        if ((order->skills[i] & ~(van->skills == NULL ? 0 : van->skills[i])) != 0) {
            return false;
        }
    }
    for (uint32_t d = 0; order->load != NULL && d < problem->amounts; d++) {
        if (order->load[d] > van->capacity[d]) {
            return false;
        }
    }
    return true;
}

/* When handing over begins: as the kitchen is open, and if it always were. */
struct when {
    int64_t begin_s;
    int64_t open_s;
};

/* A van that goes for this order alone, from `from_s` on: when it would be there, and whether it
 * rode for short enough. */
static bool alone(const struct ht__day *day, uint32_t v, uint32_t o, int64_t from_s,
                  struct when *when)
{
    const struct ht_day_problem *problem = day->problem;
    const struct ht_day_van *van = &problem->vans[v];
    const struct ht_day_order *order = &problem->orders[o];
    const struct ht_day_kitchen *kitchen = &problem->kitchens[order->kitchen];
    uint32_t there = way_s(problem, van, van->location, kitchen->location);
    uint32_t on = way_s(problem, van, kitchen->location, order->location);
    *when = (struct when){INT64_MAX, INT64_MAX};
    if (!may(problem, van, order) || there == HT_PLAN_NO_WAY || on == HT_PLAN_NO_WAY) {
        return false;
    }
    int64_t time_s = from_s + there;
    time_s = order->ready_s != 0 && order->ready_s > time_s ? order->ready_s : time_s;
    int64_t after_s = (int64_t)kitchen->load_s + on;
    int64_t open_s = load_begin(kitchen, time_s);
    when->open_s = time_s + after_s;
    when->begin_s = open_s == INT64_MAX ? INT64_MAX : open_s + after_s;
    when->begin_s = when->begin_s > order->due.from_s ? when->begin_s : order->due.from_s;
    return order->ride_most_s == 0 || on <= order->ride_most_s;
}

enum ht_day_reason ht__day_late_reason(const struct ht__day *day, uint32_t order)
{
    bool warm = false;
    bool closed = false;
    for (uint32_t v = 0; v < day->problem->van_count; v++) {
        const struct ht_window *window = &day->problem->vans[v].window;
        struct when when;
        int64_t now_s = day->problem->now_s;
        bool later = now_s != 0 && window->from_s > now_s;
        bool own = alone(day, v, order, later ? now_s : window->from_s, &when);
        warm = warm || own;
        closed = closed || (own && when.open_s <= day->close_s[order]);
        if (own && when.begin_s <= day->close_s[order]) {
            return HT_DAY_SHIFT; /* and yet it can't: what is left is the van's own time */
        }
    }
    return closed ? HT_DAY_KITCHEN : warm ? HT_DAY_WINDOW : HT_DAY_RIDE;
}
