/* Where an item would fit into a route, and what changes when it is put there, where there are no
 * breaks, no setups, no limits of length and one window at most: one time at each stop, and all of
 * it in a handful of arrays.
 *
 * Both times grow along a route, so an item's places lie in one stretch of it: from the first stop
 * that may be reached so late, to the last that is left so early.
 *
 * Changes go forward and backward from where something was put in, until a time is what it was. */
#include "engine/plan/solve_internal.h"

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- where it fits ---- */

/* What one asks again and again of a task. */
struct stop {
    const struct ht__cell *to; /* from another location l: at l * step */
    const struct ht__cell *on; /* to another location */
    size_t step;
    int64_t open_s;
    int64_t close_s;
    int64_t service_s;
};

static inline struct stop stop_of(const struct ht__model *model, const struct ht__class *c,
                                  uint32_t task)
{
    uint32_t here = model->location[task];
    struct stop stop = {.on = c->cells + (size_t)here * c->stride,
                        .open_s = model->open_s[task],
                        .close_s = model->close_s[task],
                        .service_s = c->service_s[task]};
    stop.to = ht__ways_to(c, here, &stop.step);
    return stop;
}

static inline bool no_way(const struct ht__cell *a, const struct ht__cell *b)
{
    return a->duration_s == HT_PLAN_NO_WAY || b->duration_s == HT_PLAN_NO_WAY;
}

/* Whether who leaves at this time is at the stop and then, by `on`, at the next in time. */
static inline bool fits(const struct stop *stop, int64_t leave_s, const struct ht__cell *there,
                        const struct ht__cell *on, int64_t latest_s)
{
    int64_t arrival_s = leave_s + there->duration_s;
    return arrival_s <= stop->close_s &&
           later(arrival_s, stop->open_s) + stop->service_s + on->duration_s <= latest_s;
}

static void job_spots(const struct ht__model *model, const struct ht__route *route, uint32_t task,
                      struct ht__blink *blink, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    const struct stop stop = stop_of(model, c, task);
    if (model->deliveries && !ht__job_fits(model, route, 0, task)) {
        return;
    }
    uint32_t i = route->pinned;
    while (i < route->count && route->latest[i + 1] < stop.open_s + stop.service_s) {
        i++;
    }
    int64_t bound = ht__spots_bound(spots);
    for (; i <= route->count && route->leave[i] <= stop.close_s; i++) {
        if (ht__overlooked(blink)) {
            continue;
        }
        const struct ht__cell *there = &stop.to[route->location[i] * stop.step];
        const struct ht__cell *on = &stop.on[route->location[i + 1]];
        int64_t cost = ht__price(c, there) + ht__price(c, on) - route->edge[i];
        if (cost >= bound || no_way(there, on) ||
            !fits(&stop, route->leave[i], there, on, route->latest[i + 1]) ||
            (!model->deliveries && !ht__job_fits(model, route, i, task))) {
            continue;
        }
        ht__spots_add(spots, (struct ht__spot){.cost = cost, .first = i, .last = i});
        bound = ht__spots_bound(spots);
    }
}

/* A shipment whose pickup goes behind position i and is left at leave_s. */
struct pair {
    struct stop up;
    struct stop down;
    uint32_t item;
    uint32_t i;
    int64_t leave_s;
};

static inline bool shift_fits(const struct ht__model *model, const struct ht__route *route,
                              uint32_t item, uint32_t at)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        if (route->load[at * amounts + d] + model->shift[item * amounts + d] >
            route->c->capacity[d]) {
            return false;
        }
    }
    return true;
}

static void pair_together(const struct ht__model *model, const struct ht__route *route,
                          const struct pair *pair, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    uint32_t i = pair->i;
    const struct ht__cell *there = &pair->up.to[route->location[i] * pair->up.step];
    const struct ht__cell *between = &pair->up.on[model->location[pair->item + 1]];
    const struct ht__cell *on = &pair->down.on[route->location[i + 1]];
    int64_t cost = ht__price(c, there) + ht__price(c, between) + ht__price(c, on) - route->edge[i];
    if (cost < ht__spots_bound(spots) && !no_way(between, on) &&
        fits(&pair->down, pair->leave_s, between, on, route->latest[i + 1])) {
        ht__spots_add(spots, (struct ht__spot){.cost = cost, .first = i, .last = i});
    }
}

static void pair_apart(const struct ht__model *model, const struct ht__route *route,
                       const struct pair *pair, struct ht__blink *blink, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    const struct stop *down = &pair->down;
    const struct ht__cell *there = &pair->up.to[route->location[pair->i] * pair->up.step];
    const struct ht__cell *next = &pair->up.on[route->location[pair->i + 1]];
    int64_t first = ht__price(c, there) + ht__price(c, next) - route->edge[pair->i];
    int64_t now_s = pair->leave_s + next->duration_s;
    int64_t bound = ht__spots_bound(spots);
    if (first >= bound || next->duration_s == HT_PLAN_NO_WAY ||
        now_s > route->latest[pair->i + 1]) {
        return;
    }
    for (uint32_t j = pair->i + 1; j <= route->count; j++) {
        uint32_t task = route->task[j];
        now_s = later(now_s, model->open_s[task]) + c->service_s[task];
        if (now_s > down->close_s || !shift_fits(model, route, pair->item, j)) {
            break;
        }
        const struct ht__cell *to = &down->to[route->location[j] * down->step];
        const struct ht__cell *on = &down->on[route->location[j + 1]];
        int64_t cost = first + ht__price(c, to) + ht__price(c, on) - route->edge[j];
        if (cost < bound && !no_way(to, on) && fits(down, now_s, to, on, route->latest[j + 1]) &&
            !ht__overlooked(blink)) {
            ht__spots_add(spots, (struct ht__spot){.cost = cost, .first = pair->i, .last = j});
            bound = ht__spots_bound(spots);
        }
        now_s += route->way_s[j];
    }
}

static void pair_spots(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                       struct ht__blink *blink, struct ht__spots *spots)
{
    struct pair pair = {.up = stop_of(model, route->c, item),
                        .down = stop_of(model, route->c, item + 1),
                        .item = item};
    uint32_t i = route->pinned;
    while (i < route->count && route->latest[i + 1] < pair.up.open_s + pair.up.service_s) {
        i++;
    }
    for (; i <= route->count && route->leave[i] <= pair.up.close_s; i++) {
        const struct ht__cell *there = &pair.up.to[route->location[i] * pair.up.step];
        int64_t arrival_s = route->leave[i] + there->duration_s;
        if (ht__overlooked(blink) || arrival_s > pair.up.close_s ||
            there->duration_s == HT_PLAN_NO_WAY || !shift_fits(model, route, item, i)) {
            continue;
        }
        pair.i = i;
        pair.leave_s = later(arrival_s, pair.up.open_s) + pair.up.service_s;
        pair_together(model, route, &pair, spots);
        if (i < route->count) {
            pair_apart(model, route, &pair, blink, spots);
        }
    }
}

void ht__plain_spots(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                     struct ht__blink *blink, struct ht__spots *spots)
{
    if (ht__task(model, item)->kind == HT_TASK_PICKUP) {
        pair_spots(model, route, item, blink, spots);
    } else {
        job_spots(model, route, item, blink, spots);
    }
}

/* ---- what changes ---- */

/* The way from position i to the next. */
static inline bool way_set(struct ht__route *route, uint32_t i)
{
    const struct ht__class *c = route->c;
    const struct ht__cell *way = ht__way(c, route->location[i], route->location[i + 1]);
    route->way_s[i] = way->duration_s;
    route->edge[i] = ht__price(c, way);
    return way->duration_s != HT_PLAN_NO_WAY;
}

/* Times from position `from` on; beyond `sure`, until one is what it was. */
static bool forward(const struct ht__model *model, struct ht__route *route, uint32_t from,
                    uint32_t sure)
{
    const struct ht__class *c = route->c;
    int64_t now_s = route->leave[from - 1];
    for (uint32_t i = from; i <= route->count; i++) {
        uint32_t task = route->task[i];
        now_s += route->way_s[i - 1];
        if (now_s > model->close_s[task]) {
            return false;
        }
        now_s = later(now_s, model->open_s[task]) + c->service_s[task];
        if (i > sure && now_s == route->leave[i]) {
            return true;
        }
        route->leave[i] = now_s;
    }
    return now_s + route->way_s[route->count] <= c->window.to_s;
}

static void backward(const struct ht__model *model, struct ht__route *route, uint32_t from,
                     uint32_t sure)
{
    const struct ht__class *c = route->c;
    int64_t latest_s = route->latest[from + 1];
    for (uint32_t i = from; i > 0; i--) {
        uint32_t task = route->task[i];
        latest_s -= (int64_t)route->way_s[i] + c->service_s[task];
        latest_s = latest_s < model->close_s[task] ? latest_s : model->close_s[task];
        latest_s = latest_s < model->open_s[task] ? -HT__FAR : latest_s;
        if (i < sure && latest_s == route->latest[i]) {
            return;
        }
        route->latest[i] = latest_s;
    }
}

static bool loads_all(const struct ht__model *model, struct ht__route *route)
{
    if (!ht__route_loads(model, route)) {
        return false;
    }
    ht__route_loads_behind(model, route);
    return true;
}

static bool loads_set(const struct ht__model *model, struct ht__route *route)
{
    size_t amounts = model->problem->amounts;
    bool good = true;
    if (!model->deliveries) {
        return loads_all(model, route);
    }
    for (size_t d = 0; d < amounts; d++) {
        int64_t load = 0;
        for (uint32_t i = 1; i <= route->count; i++) {
            load += model->delivery[route->task[i] * amounts + d];
        }
        route->load[d] = load;
        good = good && load <= route->c->capacity[d];
    }
    return good;
}

bool ht__plain_update(const struct ht__model *model, struct ht__route *route)
{
    const struct ht__class *c = route->c;
    uint32_t end = route->count + 1;
    bool good = true;
    route->stamp = 0;
    route->location[0] = c->start;
    route->location[end] = c->end;
    route->task[0] = HT_PLAN_NONE;
    route->task[end] = HT_PLAN_NONE;
    route->leave[0] = c->window.from_s;
    route->latest[end] = c->window.to_s;
    route->cost = route->count == 0 ? 0 : c->fixed;
    for (uint32_t i = 1; i < end; i++) {
        route->location[i] = model->location[route->task[i]];
    }
    for (uint32_t i = 0; route->count > 0 && i < end; i++) {
        good = way_set(route, i) && good;
        route->cost += route->edge[i];
    }
    if (route->count == 0) {
        route->edge[0] = -c->fixed;
    }
    if (!good || !loads_set(model, route) ||
        (route->count > 0 && !forward(model, route, 1, route->count))) {
        return false;
    }
    backward(model, route, route->count, 0);
    return route->count <= c->tasks_most;
}

static void shift(struct ht__route *route, uint32_t from, uint32_t to, uint32_t by)
{
    size_t count = (size_t)to - from + 1;
    memmove(route->task + from + by, route->task + from, count * sizeof *route->task);
    memmove(route->location + from + by, route->location + from, count * sizeof *route->location);
    memmove(route->leave + from + by, route->leave + from, count * sizeof *route->leave);
    memmove(route->latest + from + by, route->latest + from, count * sizeof *route->latest);
    memmove(route->edge + from + by, route->edge + from, count * sizeof *route->edge);
    memmove(route->way_s + from + by, route->way_s + from, count * sizeof *route->way_s);
}

bool ht__plain_put(const struct ht__model *model, struct ht__route *route, uint32_t item,
                   const struct ht__spot *spot)
{
    uint32_t last = ht__item_last(model, item);
    uint32_t more = last == item ? 1 : 2;
    uint32_t first_at = spot->first + 1;
    uint32_t last_at = spot->last + more;
    shift(route, spot->last + 1, route->count + 1, more);
    if (more == 2 && spot->last > spot->first) {
        shift(route, first_at, spot->last, 1);
    }
    route->task[first_at] = item;
    route->task[last_at] = last;
    route->location[first_at] = model->location[item];
    route->location[last_at] = model->location[last];
    route->count += more;
    route->cost += spot->cost;
    route->stamp = 0;
    bool good = way_set(route, first_at - 1) && way_set(route, first_at);
    good = way_set(route, last_at - 1) && way_set(route, last_at) && good;
    for (size_t d = 0; model->deliveries && d < model->problem->amounts; d++) {
        route->load[d] += model->delivery[item * model->problem->amounts + d];
        good = good && route->load[d] <= route->c->capacity[d];
    }
    if (!good || (!model->deliveries && !loads_all(model, route)) ||
        !forward(model, route, first_at, last_at)) {
        return false;
    }
    backward(model, route, last_at, first_at);
    return true;
}
