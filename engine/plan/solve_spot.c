/* Where an item would fit into a route, with all that a problem may have. */
#include <math.h>

#include "engine/plan/solve_internal.h"

/* ---- chance ---- */

uint64_t ht__random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

void ht__blink_next(struct ht__blink *blink)
{
    if (blink->per_log == 0) {
        blink->left = UINT32_MAX;
        return;
    }
    float chance = ((float)(ht__random(&blink->random) >> 40) + 1) * 0x1p-24F;
    float skip = logf(chance) * blink->per_log;
    blink->left = skip < 1e6F ? (uint32_t)skip : 1000000;
}

/* ---- where an item fits ---- */

/* Whether who leaves `from` at these times comes to position p, and to all behind it, in time. */
static bool joins(const struct ht__model *model, const struct ht__route *route, uint32_t p,
                  uint32_t from, const int64_t *leave)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t times[HT__STATES];
    int64_t next[HT__STATES];
    uint32_t to = route->location[p];
    ht__arrive(c, leave, ht__leg(model, route, p - 1, ht__way(c, from, to)->duration_s), times);
    bool setup = model->setups && p <= route->count && ht__apart(model, from, to) &&
                 !ht__apart(model, route->location[p - 1], to);
    if (!setup) {
        return ht__in_time(c, times, route->latest + (size_t)p * states);
    }
    /* a setup that was not needed before: the known slack is without it */
    if (!ht__stop_leave(model, c, route->task[p], true, times)) {
        return false;
    }
    ht__arrive(c, times,
               ht__leg(model, route, p, ht__way(c, to, route->location[p + 1])->duration_s), next);
    return ht__in_time(c, next, route->latest + (size_t)(p + 1) * states);
}

/* A way from `from`, with the load behind position i. */
struct from {
    uint32_t from;
    uint32_t i;
};

/* Leaves a task that is reached so. */
static inline bool reach(const struct ht__model *model, const struct ht__route *route,
                         uint32_t task, struct from way, const int64_t *leave, int64_t *out)
{
    const struct ht__class *c = route->c;
    uint32_t to = model->location[task];
    ht__arrive(c, leave, ht__leg(model, route, way.i, ht__way(c, way.from, to)->duration_s), out);
    return ht__stop_leave(model, c, task, ht__apart(model, way.from, to), out);
}

/* The route's stops with an item more. */
static void slot_in(const struct ht__model *model, struct ht__route *route, uint32_t item,
                    const struct ht__spot *spot)
{
    uint32_t last = ht__item_last(model, item);
    uint32_t end = route->count + 1;
    uint32_t first = spot->reload == 0 ? item : spot->reload;
    last = spot->reload == 0 ? last : item;
    uint32_t more = last == first ? 1 : 2;
    for (uint32_t i = end; i > spot->last; i--) {
        route->task[i + more] = route->task[i];
    }
    for (uint32_t i = spot->last; more == 2 && i > spot->first; i--) {
        route->task[i + 1] = route->task[i];
    }
    route->task[spot->first + 1] = spot->before ? item : first;
    if (more == 2) {
        route->task[spot->last + 2] = spot->before ? spot->reload : last;
    }
    route->count += more;
}

/* Puts an item there but for what only later questions need. */
static bool trial_price(const struct ht__model *model, struct ht__route *trial, uint32_t item,
                        const struct ht__spot *spot)
{
    if (trial->c->plain || trial->c->break_count > 0) {
        return ht__route_put(model, trial, item, spot);
    }
    slot_in(model, trial, item, spot);
    return ht__trip_price(model, trial);
}

/* Adds a place that no rule of its own forbids: at once, or (where rides, soft windows and loads at
 * breaks make it hang on the whole route) after it was tried. Its cost is then what it really is;
 * before, it was no more than that. */
static void place_add(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                      struct ht__spot spot, struct ht__spots *spots)
{
    struct ht__route *trial = spots->trial;
    if (trial != NULL) {
        trial->c = route->c;
        trial->vehicle = route->vehicle;
        trial->pinned = route->pinned;
        trial->count = route->count;
        memcpy(trial->task, route->task, ((size_t)route->count + 2) * sizeof *trial->task);
        if (!trial_price(model, trial, item, &spot) ||
            trial->cost - route->cost >= ht__spots_bound(spots)) {
            return;
        }
        spot.cost = trial->cost - route->cost;
    }
    ht__spots_add(spots, spot);
}

/* What the work at an item costs, and what it does not to be served from home. */
static int64_t work_cost(const struct ht__model *model, const struct ht__route *route,
                         uint32_t item)
{
    const struct ht__class *c = route->c;
    uint32_t last = ht__item_last(model, item);
    return c->per_task * ((int64_t)c->service_s[item] + (last == item ? 0 : c->service_s[last])) +
           ht__moved(model, route->vehicle, item);
}

/* What setups cost more with a job behind position i: its own, and the next stop's. */
static int64_t setup_cost(const struct ht__model *model, const struct ht__route *route, uint32_t i,
                          uint32_t task)
{
    const struct ht__class *c = route->c;
    uint32_t here = model->location[task];
    uint32_t next = route->location[i + 1];
    if (c->per_task == 0 || !model->setups) {
        return 0;
    }
    int64_t more_s = ht__apart(model, route->location[i], here) ? c->setup_s[task] : 0;
    if (i < route->count) {
        int64_t its_s = c->setup_s[route->task[i + 1]];
        more_s += (ht__apart(model, here, next) ? its_s : 0) -
                  (ht__apart(model, route->location[i], next) ? its_s : 0);
    }
    return more_s * c->per_task;
}

static inline int64_t close_of(const struct ht__model *model, uint32_t task)
{
    const struct ht_task *stop = ht__task(model, task);
    return stop->window_count == 0 ? HT__FAR : stop->windows[stop->window_count - 1].to_s;
}

/* What a detour behind position i adds; INT64_MAX: there is no such way. */
static inline int64_t detour(const struct ht__route *route, uint32_t i, uint32_t by)
{
    const struct ht__class *c = route->c;
    uint32_t from = route->location[i];
    uint32_t to = route->location[i + 1];
    const struct ht__cell *there = ht__way(c, from, by);
    const struct ht__cell *on = ht__way(c, by, to);
    if (there->duration_s == HT_PLAN_NO_WAY || on->duration_s == HT_PLAN_NO_WAY) {
        return INT64_MAX;
    }
    return ht__price(c, there) + ht__price(c, on) - route->edge[i];
}

/* Whether the route may become so much longer: [0] travel, [1] distance. */
static bool longer(const struct ht__route *route, const uint32_t *way, uint32_t count,
                   bool replaces)
{
    const struct ht__class *c = route->c;
    int64_t travel_s = route->travel_s;
    int64_t distance_m = route->distance_m;
    if (c->travel_most_s == HT_PLAN_UNLIMITED && c->distance_m == NULL) {
        return true;
    }
    for (uint32_t i = 1; i < count; i++) {
        travel_s += ht__way(c, way[i - 1], way[i])->duration_s;
        distance_m += ht__metres(c, way[i - 1], way[i]);
    }
    if (replaces && route->count > 0) {
        travel_s -= ht__way(c, way[0], way[count - 1])->duration_s;
        distance_m -= ht__metres(c, way[0], way[count - 1]);
    }
    return travel_s <= c->travel_most_s && distance_m <= c->distance_most_m;
}

/* How much longer all takes with a job behind position i, without any waiting. */
static int64_t longer_s(const struct ht__model *model, const struct ht__route *route, uint32_t i,
                        uint32_t task)
{
    const struct ht__class *c = route->c;
    uint32_t here = model->location[task];
    uint32_t from = route->location[i];
    uint32_t next = route->location[i + 1];
    int64_t more_s = (int64_t)ht__way(c, from, here)->duration_s +
                     ht__way(c, here, next)->duration_s - ht__way(c, from, next)->duration_s +
                     c->service_s[task] + (ht__apart(model, from, here) ? c->setup_s[task] : 0);
    if (i < route->count) {
        int64_t its_s = c->setup_s[route->task[i + 1]];
        more_s +=
            (ht__apart(model, here, next) ? its_s : 0) - (ht__apart(model, from, next) ? its_s : 0);
    }
    return more_s;
}

/* Whether rides allow a job behind position i, whose load came on board at `board` (HT_PLAN_NONE:
 * it is not known). The way must be there. */
static bool rides_fit(const struct ht__model *model, const struct ht__route *route, uint32_t i,
                      uint32_t task, uint32_t board)
{
    const struct ht_task *job = ht__task(model, task);
    if (!model->rides || route->c->break_count > 0) {
        return true;
    }
    int64_t ride_s =
        board == HT_PLAN_NONE || job->ride_most_s == 0
            ? 0
            : route->work_s[i] - route->work_s[board] +
                  ht__way(route->c, route->location[i], model->location[task])->duration_s;
    return ride_s <= job->ride_most_s &&
           (i == route->count || longer_s(model, route, i, task) <= route->slack_s[i + 1]);
}

static bool loads_here(const struct ht__model *model, const struct ht__route *route, uint32_t i,
                       uint64_t loads_at)
{
    uint32_t stop = route->task[i];
    return i > 0 && i <= route->count && ht__is_reload(model, stop) &&
           (loads_at >> (stop - model->problem->task_count) & 1) != 0;
}

static void job_spot(const struct ht__model *model, const struct ht__route *route, uint32_t task,
                     struct ht__blink *blink, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    uint32_t here = model->location[task];
    int64_t close_s = close_of(model, task);
    int64_t work = work_cost(model, route, task);
    uint64_t loads_at = ht__task(model, task)->loads_at;
    bool setups = c->per_task != 0 && model->setups;
    size_t step = 0;
    const struct ht__cell *ways_to = ht__ways_to(c, here, &step);
    const struct ht__cell *ways_on = ht__way(c, here, 0);
    int64_t times[HT__STATES];
    uint32_t board = HT_PLAN_NONE;
    for (uint32_t i = 1; loads_at != 0 && i < route->pinned; i++) {
        board = loads_here(model, route, i, loads_at) ? i : board;
    }
    for (uint32_t i = route->pinned; i <= route->count; i++) {
        board = loads_at != 0 && loads_here(model, route, i, loads_at) ? i : board;
        if (route->leave[(size_t)i * states] > close_s) {
            break; /* from here on it is too late */
        }
        if ((loads_at != 0 && (loads_at & route->loaded[i]) == 0) || ht__overlooked(blink)) {
            continue;
        }
        /* a setup that the next stop does not need any more makes it cheaper */
        int64_t least = ht__spots_bound(spots);
        if (setups && i < route->count) {
            int64_t saved = c->per_task * c->setup_s[route->task[i + 1]];
            least = least < INT64_MAX - saved ? least + saved : INT64_MAX;
        }
        const struct ht__cell *there = &ways_to[route->location[i] * step];
        const struct ht__cell *on = &ways_on[route->location[i + 1]];
        int64_t cost = ht__price(c, there) + ht__price(c, on) - route->edge[i] + work;
        if (cost >= least || there->duration_s == HT_PLAN_NO_WAY ||
            on->duration_s == HT_PLAN_NO_WAY) {
            continue;
        }
        cost += setups ? setup_cost(model, route, i, task) : 0;
        if (cost >= ht__spots_bound(spots) || !ht__job_fits(model, route, i, task) ||
            !rides_fit(model, route, i, task, board) ||
            !reach(model, route, task, (struct from){route->location[i], i},
                   route->leave + (size_t)i * states, times) ||
            !joins(model, route, i + 1, here, times)) {
            continue;
        }
        const uint32_t way[] = {route->location[i], here, route->location[i + 1]};
        if (longer(route, way, 3, true)) {
            place_add(model, route, task, (struct ht__spot){.cost = cost, .first = i, .last = i},
                      spots);
        }
    }
}

/* A shipment whose pickup goes behind position i. */
struct pair {
    uint32_t pickup;
    uint32_t delivery;
    uint32_t i;
    int64_t close_s; /* of the delivery */
    int64_t leave[HT__STATES];
};

static bool pair_load(const struct ht__model *model, const struct ht__route *route,
                      const struct pair *pair, uint32_t at)
{
    size_t amounts = model->problem->amounts;
    for (size_t d = 0; d < amounts; d++) {
        if (route->load[at * amounts + d] + model->shift[pair->pickup * amounts + d] >
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
    const uint32_t way[] = {route->location[pair->i], model->location[pair->pickup],
                            model->location[pair->delivery], route->location[pair->i + 1]};
    const struct ht__cell *between = ht__way(c, way[1], way[2]);
    const struct ht__cell *first = ht__way(c, way[0], way[1]);
    const struct ht__cell *last = ht__way(c, way[2], way[3]);
    if (between->duration_s == HT_PLAN_NO_WAY || first->duration_s == HT_PLAN_NO_WAY ||
        last->duration_s == HT_PLAN_NO_WAY) {
        return;
    }
    int64_t cost = ht__price(c, first) + ht__price(c, between) + ht__price(c, last) -
                   route->edge[pair->i] + work_cost(model, route, pair->pickup);
    int64_t times[HT__STATES];
    if (cost >= ht__spots_bound(spots) ||
        !reach(model, route, pair->delivery, (struct from){way[1], pair->i}, pair->leave, times) ||
        !joins(model, route, pair->i + 1, way[2], times) || !longer(route, way, 4, true)) {
        return;
    }
    place_add(model, route, pair->pickup,
              (struct ht__spot){.cost = cost, .first = pair->i, .last = pair->i}, spots);
}

/* The limits of length where pickup and delivery lie apart. */
static bool pair_longer(const struct ht__model *model, const struct ht__route *route,
                        const struct pair *pair, uint32_t j)
{
    const struct ht__class *c = route->c;
    if (c->travel_most_s == HT_PLAN_UNLIMITED && c->distance_m == NULL) {
        return true;
    }
    const uint32_t way[] = {route->location[pair->i], model->location[pair->pickup],
                            route->location[pair->i + 1]};
    const uint32_t then[] = {route->location[j], model->location[pair->delivery],
                             route->location[j + 1]};
    int64_t travel_s = route->travel_s;
    int64_t distance_m = route->distance_m;
    for (uint32_t i = 0; i < 2; i++) {
        travel_s += (int64_t)ht__way(c, way[i], way[i + 1])->duration_s +
                    ht__way(c, then[i], then[i + 1])->duration_s;
        distance_m += ht__metres(c, way[i], way[i + 1]) + ht__metres(c, then[i], then[i + 1]);
    }
    travel_s -=
        (int64_t)ht__way(c, way[0], way[2])->duration_s + ht__way(c, then[0], then[2])->duration_s;
    distance_m -= ht__metres(c, way[0], way[2]) + ht__metres(c, then[0], then[2]);
    return travel_s <= c->travel_most_s && distance_m <= c->distance_most_m;
}

static void pair_apart(const struct ht__model *model, const struct ht__route *route,
                       struct pair *pair, struct ht__blink *blink, struct ht__spots *spots)
{
    uint32_t from = model->location[pair->pickup];
    uint32_t here = model->location[pair->delivery];
    int64_t first = detour(route, pair->i, from);
    int64_t times[HT__STATES];
    first = first == INT64_MAX ? first : first + work_cost(model, route, pair->pickup);
    if (first >= ht__spots_bound(spots) || !joins(model, route, pair->i + 1, from, pair->leave)) {
        return;
    }
    for (uint32_t j = pair->i + 1; j <= route->count; j++) {
        memcpy(times, pair->leave, sizeof times);
        if (!reach(model, route, route->task[j], (struct from){from, j - 1}, times, pair->leave) ||
            !pair_load(model, route, pair, j) || pair->leave[0] > pair->close_s) {
            break;
        }
        from = route->location[j];
        if (ht__overlooked(blink)) {
            continue;
        }
        int64_t cost = detour(route, j, here);
        if (cost == INT64_MAX || first + cost >= ht__spots_bound(spots) ||
            !reach(model, route, pair->delivery, (struct from){from, j}, pair->leave, times) ||
            !joins(model, route, j + 1, here, times) || !pair_longer(model, route, pair, j)) {
            continue;
        }
        place_add(model, route, pair->pickup,
                  (struct ht__spot){.cost = first + cost, .first = pair->i, .last = j}, spots);
    }
}

static void pair_spot(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                      struct ht__blink *blink, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    uint32_t states = c->break_count + 1;
    int64_t close_s = close_of(model, item);
    struct pair pair = {.pickup = item, .delivery = item + 1, .close_s = close_of(model, item + 1)};
    for (uint32_t i = route->pinned; i <= route->count; i++) {
        const int64_t *leave = route->leave + (size_t)i * states;
        if (leave[0] > close_s) {
            break;
        }
        pair.i = i;
        if (ht__overlooked(blink) || !pair_load(model, route, &pair, i) ||
            ht__way(c, route->location[i], model->location[item])->duration_s == HT_PLAN_NO_WAY ||
            !reach(model, route, item, (struct from){route->location[i], i}, leave, pair.leave)) {
            continue;
        }
        pair_together(model, route, &pair, spots);
        if (i < route->count) {
            pair_apart(model, route, &pair, blink, spots);
        }
    }
}

/* Whether who loads at a spot's reload and then serves the job is there, and at the next stop, in
 * time. All ways must be there. */
static bool reload_in_time(const struct ht__model *model, const struct ht__route *route,
                           uint32_t task, const struct ht__spot *spot)
{
    const struct ht__class *c = route->c;
    const struct ht_task *job = ht__task(model, task);
    const struct ht_task *reload = ht__task(model, spot->reload);
    uint32_t here = model->location[task];
    uint32_t at = model->location[spot->reload];
    int64_t now_s =
        route->leave[spot->first] + ht__way(c, route->location[spot->first], at)->duration_s;
    now_s = job->ready_s != 0 && job->ready_s > now_s ? job->ready_s : now_s;
    now_s = ht__begin(reload->windows, reload->window_count, now_s);
    uint32_t way_s = ht__way(c, at, here)->duration_s;
    if (now_s >= HT__FAR || (job->ride_most_s > 0 && way_s > job->ride_most_s)) {
        return false;
    }
    now_s = ht__begin(job->windows, job->window_count, now_s + c->service_s[spot->reload] + way_s);
    return now_s < HT__FAR &&
           now_s + c->service_s[task] + (ht__apart(model, at, here) ? c->setup_s[task] : 0) +
                   ht__way(c, here, route->location[spot->first + 1])->duration_s <=
               route->latest[spot->first + 1];
}

/* A job and a reload behind position i: the reload first, or (`before`) the job. */
static void reload_place(const struct ht__model *model, const struct ht__route *route,
                         uint32_t task, struct ht__spot spot, struct ht__spots *spots)
{
    const struct ht__class *c = route->c;
    uint32_t reload = model->location[spot.reload];
    uint32_t here = model->location[task];
    const struct ht__cell *ways[] = {
        ht__way(c, route->location[spot.first], spot.before ? here : reload),
        ht__way(c, spot.before ? here : reload, spot.before ? reload : here),
        ht__way(c, spot.before ? reload : here, route->location[spot.first + 1])};
    spot.cost = work_cost(model, route, task) + c->per_task * c->service_s[spot.reload] -
                route->edge[spot.first];
    for (int i = 0; i < 3; i++) {
        if (ways[i]->duration_s == HT_PLAN_NO_WAY) {
            return;
        }
        spot.cost += ht__price(c, ways[i]);
    }
    if (spot.cost < ht__spots_bound(spots) &&
        (spot.before || c->break_count > 0 || reload_in_time(model, route, task, &spot))) {
        place_add(model, route, task, spot, spots);
    }
}

static bool reload_at(const struct ht__model *model, const struct ht__route *route, uint32_t i)
{
    return i > 0 && i <= route->count && ht__is_reload(model, route->task[i]);
}

/* A reload more where the route loads anyway (or begins), and the job further on in that trip. */
static void run_place(const struct ht__model *model, const struct ht__route *route, uint32_t task,
                      struct ht__spot spot, struct ht__spots *spots)
{
    int64_t first = detour(route, spot.first, model->location[spot.reload]);
    bool trip = false; /* the next run of reloads ends it */
    uint32_t states = route->c->break_count + 1;
    int64_t times[HT__STATES];
    if (first == INT64_MAX || first >= ht__spots_bound(spots)) {
        return;
    }
    first += work_cost(model, route, task) + route->c->per_task * route->c->service_s[spot.reload];
    for (uint32_t i = spot.first + 1; i <= route->count; i++) {
        bool reload = reload_at(model, route, i);
        if (reload && trip) {
            break;
        }
        trip = trip || !reload;
        int64_t cost = detour(route, i, model->location[task]);
        if (cost != INT64_MAX) {
            cost += first + setup_cost(model, route, i, task);
            if (cost < ht__spots_bound(spots) && ht__job_fits(model, route, i, task) &&
                rides_fit(model, route, i, task, spot.first) &&
                reach(model, route, task, (struct from){route->location[i], i},
                      route->leave + (size_t)i * states, times) &&
                joins(model, route, i + 1, model->location[task], times)) {
                spot.cost = cost;
                spot.last = i;
                place_add(model, route, task, spot, spots);
            }
        }
    }
}

/* Places behind position i that a reload comes to with the job. */
static void reload_behind(const struct ht__model *model, const struct ht__route *route,
                          uint32_t task, uint32_t i, struct ht__spots *spots)
{
    uint64_t loads_at = ht__task(model, task)->loads_at;
    bool is = reload_at(model, route, i);
    bool next = reload_at(model, route, i + 1);
    bool full = route->runs >= route->c->reloads_most && !is && !next;
    uint64_t some = loads_at == 0 ? route->c->reloads : route->c->reloads & loads_at;
    for (uint64_t left = full ? 0 : some; left != 0; left &= left - 1) {
        uint32_t r = (uint32_t)__builtin_ctzll(left);
        uint32_t stop = model->problem->task_count + r;
        struct ht__spot spot = {.first = i, .last = i, .reload = stop};
        bool same = (is && route->task[i] == stop) || (next && route->task[i + 1] == stop);
        if (loads_at == 0) {
            if ((i > 0 || ht__task(model, task)->ride_most_s > 0) && !is) {
                reload_place(model, route, task, spot, spots);
            }
            spot.before = true;
            if (i < route->count && !next) {
                reload_place(model, route, task, spot, spots);
            }
        } else if (!(is && same)) {
            reload_place(model, route, task, spot, spots);
            if ((is || next || i == route->pinned) && !same) {
                run_place(model, route, task, spot, spots);
            }
        }
    }
}

/* Places that begin a trip, or let it load at one place more. */
static void reload_spot(const struct ht__model *model, const struct ht__route *route, uint32_t task,
                        struct ht__blink *blink, struct ht__spots *spots)
{
    /* the work alone, of the quickest to load, costs too much (no way back is shorter) */
    int64_t least_s = INT64_MAX;
    for (uint64_t left = route->c->reloads; left != 0; left &= left - 1) {
        int64_t own_s =
            route->c->service_s[model->problem->task_count + (uint32_t)__builtin_ctzll(left)];
        least_s = own_s < least_s ? own_s : least_s;
    }
    if (route->count > 0 &&
        work_cost(model, route, task) + least_s * route->c->per_task >= ht__spots_bound(spots)) {
        return;
    }
    for (uint32_t i = route->pinned; i <= route->count; i++) {
        if (!ht__overlooked(blink)) {
            reload_behind(model, route, task, i, spots);
        }
    }
}

void ht__route_spots(const struct ht__model *model, const struct ht__route *route, uint32_t item,
                     struct ht__blink *blink, struct ht__spots *spots)
{
    bool pair = ht__task(model, item)->kind == HT_TASK_PICKUP;
    uint32_t tasks = route->count - route->reloads;
    if (route->c->tasks_most - (pair ? 1 : 0) <= tasks || route->c->tasks_most == 0) {
        return;
    }
    if (route->c->plain) {
        ht__plain_spots(model, route, item, blink, spots);
    } else if (pair) {
        pair_spot(model, route, item, blink, spots);
    } else {
        job_spot(model, route, item, blink, spots);
        bool rides = ht__task(model, item)->ride_most_s > 0; /* from the start it may be too far */
        if (route->c->reloads != 0 && (route->count > 0 || model->tagged || rides)) {
            reload_spot(model, route, item, blink, spots);
        }
    }
}

bool ht__route_put(const struct ht__model *model, struct ht__route *route, uint32_t item,
                   const struct ht__spot *spot)
{
    if (route->c->plain) {
        return ht__plain_put(model, route, item, spot);
    }
    slot_in(model, route, item, spot);
    return ht__route_update(model, route);
}
