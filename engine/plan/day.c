/* The day as a problem for the solver, and the solver's answer as a plan of the day. */
#include "engine/plan/day.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/plan/day_internal.h"
#include "engine/plan/solve.h"

enum {
    GROUP_MOST = 8,  /* orders in one task */
    GROUP_SHARE = 4, /* which fill at most this part of a van */
    OPEN_SHARE = 5   /* part of the time, after which groups without a place are opened */
};

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- orders that are alike ---- */

struct keyed {
    const struct ht__day *day;
    uint32_t order;
};

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int skills_compare(const struct ht_day_problem *problem, const uint64_t *a,
                          const uint64_t *b)
{
    for (uint32_t i = 0; i < problem->skill_words; i++) {
        uint64_t x = a == NULL ? 0 : a[i];
        uint64_t y = b == NULL ? 0 : b[i];
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

/* Whether they may be one task: 0. */
static int kind_compare(const struct ht__day *day, uint32_t left, uint32_t right)
{
    const struct ht_day_order *a = &day->problem->orders[left];
    const struct ht_day_order *b = &day->problem->orders[right];
    const int64_t pairs[][2] = {
        {a->kitchen, b->kitchen},         {a->location, b->location},
        {a->due.from_s, b->due.from_s},   {a->due.to_s, b->due.to_s},
        {a->ready_s, b->ready_s},         {a->ride_most_s, b->ride_most_s},
        {a->priority, b->priority},       {day->home[left], day->home[right]},
        {day->run[left], day->run[right]}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i][0] != pairs[i][1]) {
            return compare(pairs[i][0], pairs[i][1]);
        }
    }
    return skills_compare(day->problem, a->skills, b->skills);
}

static int by_kind(const void *left, const void *right)
{
    const struct keyed *a = left;
    const struct keyed *b = right;
    int kind = kind_compare(a->day, a->order, b->order);
    return kind != 0 ? kind : compare(a->order, b->order);
}

/* The day as the solver sees it. */
struct model {
    const struct ht__day *day;
    bool single;
    uint32_t *order;   /* [orders] task by task */
    uint32_t *first;   /* [tasks + 1] where in `order` */
    uint32_t *task_of; /* [orders]; HT_PLAN_NONE: none */
    struct ht_task *tasks;
    struct ht_window *windows; /* [tasks] */
    int64_t *loads;            /* [tasks * amounts] */
    int64_t *least;            /* [amounts] what the smallest van holds */
    struct ht_vehicle *vehicles;
    struct ht_plan_reload *reloads;
    struct ht_plan_profile *profiles;
    uint32_t *lists; /* the vehicles' */
    struct ht_problem problem;
};

static void model_deinit(struct model *m)
{
    free(m->order);
    free(m->first);
    free(m->task_of);
    free(m->tasks);
    free(m->windows);
    free(m->loads);
    free(m->least);
    free(m->vehicles);
    free(m->reloads);
    free(m->profiles);
    free(m->lists);
}

static bool model_arrays(struct model *m)
{
    const struct ht_day_problem *p = m->day->problem;
    size_t orders = p->order_count;
    m->order = ht_array_new(orders, sizeof *m->order);
    m->first = ht_array_new(orders + 1, sizeof *m->first);
    m->task_of = ht_array_new(orders, sizeof *m->task_of);
    m->tasks = ht_array_new_zeroed(orders, sizeof *m->tasks);
    m->windows = ht_array_new(orders, sizeof *m->windows);
    m->loads = ht_array_new_zeroed(orders * p->amounts, sizeof *m->loads);
    m->least = ht_array_new(p->amounts, sizeof *m->least);
    m->vehicles = ht_array_new_zeroed(p->van_count, sizeof *m->vehicles);
    m->reloads = ht_array_new_zeroed(p->kitchen_count, sizeof *m->reloads);
    m->profiles = ht_array_new(p->profile_count, sizeof *m->profiles);
    m->lists = ht_array_new(m->day->stop_room, sizeof *m->lists);
    return m->order != NULL && m->first != NULL && m->task_of != NULL && m->tasks != NULL &&
           m->windows != NULL && m->loads != NULL && m->least != NULL && m->vehicles != NULL &&
           m->reloads != NULL && m->profiles != NULL && m->lists != NULL;
}

/* A task of one order. */
static void task_begin(struct model *m, uint32_t order)
{
    const struct ht__day *day = m->day;
    const struct ht_day_problem *p = day->problem;
    const struct ht_day_order *o = &p->orders[order];
    uint32_t t = m->problem.task_count++;
    struct ht_task *task = &m->tasks[t];
    bool free_to = day->pinned[order] == 0 && day->home[order] != HT_PLAN_NONE;
    m->windows[t] = (struct ht_window){o->due.from_s, day->close_s[order]};
    *task = (struct ht_task){.kind = HT_TASK_JOB,
                             .location = o->location,
                             .setup_s = p->stop_s,
                             .service_s = o->service_s,
                             .windows = &m->windows[t],
                             .window_count = 1,
                             .delivery = m->loads + (size_t)t * p->amounts,
                             .skills = day->pinned[order] != 0 ? NULL : o->skills,
                             .priority = o->priority,
                             .ride_most_s = day->ride_s[order],
                             .loads_at = o->aboard ? HT_PLAN_AT_START : UINT64_C(1) << o->kitchen,
                             .ready_s = o->aboard ? 0 : o->ready_s,
                             .move_cost = free_to ? p->prices.move : 0,
                             .home = free_to ? day->home[order] : 0};
    if (p->prices.late_per_hour > 0 && p->prices.late_most_s > 0) {
        task->late_per_hour = p->prices.late_per_hour;
        task->due_s = o->due.to_s;
    }
    for (uint32_t d = 0; o->load != NULL && d < p->amounts; d++) {
        m->loads[(size_t)t * p->amounts + d] = o->load[d];
    }
}

/* One order more for the last task, where the last of its orders then still is in time. */
static bool task_join(struct model *m, uint32_t order)
{
    const struct ht__day *day = m->day;
    const struct ht_day_problem *p = day->problem;
    const struct ht_day_order *o = &p->orders[order];
    uint32_t t = m->problem.task_count - 1;
    struct ht_task *task = &m->tasks[t];
    struct ht_window *window = &m->windows[t];
    int64_t *load = m->loads + (size_t)t * p->amounts;
    int64_t wait_s = (int64_t)task->service_s + p->stop_s; /* from the begin to this one's turn */
    int64_t close_s = day->close_s[order] - wait_s;
    int64_t ride_s = (int64_t)o->ride_most_s - wait_s;
    for (uint32_t d = 0; o->load != NULL && d < p->amounts; d++) {
        if (load[d] + o->load[d] > m->least[d] / GROUP_SHARE) {
            return false;
        }
    }
    if (close_s < window->from_s || (o->ride_most_s > 0 && ride_s <= 0) ||
        (uint64_t)task->service_s + o->service_s > INT32_MAX ||
        (uint64_t)task->late_per_hour + p->prices.late_per_hour > HT_PLAN_RATE_MOST) {
        return false;
    }
    window->to_s = close_s;
    task->ride_most_s = o->ride_most_s > 0 ? (uint32_t)ride_s : 0;
    task->service_s += o->service_s;
    task->move_cost += task->move_cost > 0 ? p->prices.move : 0;
    if (task->late_per_hour > 0) {
        task->late_per_hour += p->prices.late_per_hour;
        task->due_s = o->due.to_s - wait_s;
    }
    for (uint32_t d = 0; o->load != NULL && d < p->amounts; d++) {
        load[d] += o->load[d];
    }
    return true;
}

static bool alike(const struct ht__day *day, uint32_t a, uint32_t b)
{
    return day->pinned[a] == 0 && day->pinned[b] == 0 && kind_compare(day, a, b) == 0;
}

static enum ht_status tasks_make(struct model *m)
{
    const struct ht__day *day = m->day;
    uint32_t count = day->problem->order_count;
    struct keyed *list = ht_array_new(count, sizeof *list);
    uint32_t at = 0;
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t o = 0; o < count; o++) {
        m->task_of[o] = HT_PLAN_NONE;
        if (day->lost[o] == HT__DAY_BROUGHT) {
            list[at++] = (struct keyed){day, o};
        }
    }
    qsort(list, at, sizeof *list, by_kind);
    for (uint32_t i = 0; i < at; i++) {
        uint32_t o = list[i].order;
        uint32_t last = m->problem.task_count;
        bool joins = i > 0 && !m->single && i - m->first[last - 1] < GROUP_MOST &&
                     alike(day, list[i - 1].order, o) && task_join(m, o);
        if (!joins) {
            m->first[last] = i;
            task_begin(m, o);
        }
        m->task_of[o] = m->problem.task_count - 1;
        m->order[i] = o;
    }
    m->first[m->problem.task_count] = at;
    free(list);
    return HT_OK;
}

static void vehicle_make(struct model *m, uint32_t v, uint64_t reloads)
{
    const struct ht__day *day = m->day;
    const struct ht_day_problem *p = day->problem;
    const struct ht_day_van *van = &p->vans[v];
    m->vehicles[v] = (struct ht_vehicle){
        .profile = van->profile,
        .start = van->location,
        .end = day->end[v],
        .capacity = day->capacity + (size_t)v * p->amounts,
        .skills = van->skills,
        .window = day->window[v],
        .tasks_most = UINT32_MAX,
        .travel_most_s = HT_PLAN_UNLIMITED,
        .distance_most_m = HT_PLAN_UNLIMITED,
        .per_hour = p->prices.per_hour,
        .per_km = p->profiles[van->profile].distance_m == NULL ? 0 : p->prices.per_km,
        .per_task_hour = p->prices.per_hour,
        .reloads = day->trips[v] > 0 ? reloads : 0,
        .trips_most = day->trips[v] + 1, /* beside what is in hand */
        .at_once = day->pins[v] > 0,
        .pinned = day->pins[v]};
}

/* The plan so far in tasks: each where the first of its orders is. */
static void lists_fill(struct model *m, bool pins_only)
{
    const struct ht__day *day = m->day;
    const struct ht_day_stop *stops = day->stops;
    uint32_t *to = m->lists;
    uint32_t tasks = m->problem.task_count;
    for (uint32_t t = 0; t < tasks; t++) {
        m->first[t] |= UINT32_C(1) << 31; /* not yet in a list */
    }
    for (uint32_t v = 0; v < day->problem->van_count; v++) {
        struct ht_vehicle *vehicle = &m->vehicles[v];
        uint32_t count = pins_only ? day->pins[v] : day->counts[v];
        vehicle->tasks = to;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t index = stops[i].index;
            if (stops[i].kind == HT_DAY_LOAD) {
                if ((vehicle->reloads >> index & 1) != 0) {
                    *to++ = tasks + index;
                }
            } else if (m->first[m->task_of[index]] >> 31 != 0) {
                m->first[m->task_of[index]] &= UINT32_MAX >> 1;
                *to++ = m->task_of[index];
            }
        }
        vehicle->task_count = (uint32_t)(to - vehicle->tasks);
        stops += day->counts[v];
    }
    for (uint32_t t = 0; t < tasks; t++) {
        m->first[t] &= UINT32_MAX >> 1;
    }
}

static void least_find(struct model *m)
{
    const struct ht__day *day = m->day;
    uint32_t amounts = day->problem->amounts;
    for (uint32_t d = 0; d < amounts; d++) {
        m->least[d] = INT64_MAX;
        for (uint32_t v = 0; v < day->problem->van_count; v++) {
            int64_t capacity = day->capacity[(size_t)v * amounts + d];
            m->least[d] = capacity < m->least[d] ? capacity : m->least[d];
        }
    }
}

static enum ht_status model_make(struct model *m, bool pins_only)
{
    const struct ht__day *day = m->day;
    const struct ht_day_problem *p = day->problem;
    uint64_t reloads = 0;
    if (!model_arrays(m)) {
        return HT_NOMEM;
    }
    for (uint32_t k = 0; k < p->kitchen_count; k++) {
        const struct ht_day_kitchen *kitchen = &p->kitchens[k];
        m->reloads[k] = (struct ht_plan_reload){.location = kitchen->location,
                                                .service_s = kitchen->load_s,
                                                .windows = kitchen->open,
                                                .window_count = kitchen->open_count};
        reloads |= kitchen->down ? 0 : UINT64_C(1) << k;
    }
    for (uint32_t i = 0; i < p->profile_count; i++) {
        m->profiles[i] = (struct ht_plan_profile){.duration_s = p->profiles[i].duration_s,
                                                  .distance_m = p->profiles[i].distance_m};
    }
    least_find(m);
    enum ht_status status = tasks_make(m);
    if (status != HT_OK) {
        return status;
    }
    for (uint32_t v = 0; v < p->van_count; v++) {
        vehicle_make(m, v, reloads);
    }
    lists_fill(m, pins_only);
    m->problem.amounts = p->amounts;
    m->problem.skill_words = p->skill_words;
    m->problem.types = 1;
    m->problem.location_count = p->location_count;
    m->problem.profile_count = p->profile_count;
    m->problem.profiles = m->profiles;
    m->problem.tasks = m->tasks;
    m->problem.vehicle_count = p->van_count;
    m->problem.vehicles = m->vehicles;
    m->problem.reload_count = p->kitchen_count;
    m->problem.reloads = m->reloads;
    return HT_OK;
}

/* ---- the plan of the day ---- */

struct whole {
    struct ht_day_plan plan;
    struct ht_day_route *routes;
    struct ht_day_visit *visits;
    int64_t *loads;
    struct ht_day_unserved *unserved;
};

void ht_day_free(struct ht_day_plan *plan)
{
    struct whole *whole = (struct whole *)plan;
    if (whole != NULL) {
        free(whole->routes);
        free(whole->visits);
        free(whole->loads);
        free(whole->unserved);
        free(whole);
    }
}

static struct whole *whole_new(const struct ht_day_problem *p, const struct ht_plan *plan)
{
    struct whole *whole = calloc(1, sizeof *whole);
    size_t visits = p->order_count;
    if (whole == NULL) {
        return NULL;
    }
    for (uint32_t r = 0; plan != NULL && r < plan->route_count; r++) {
        visits += plan->routes[r].step_count;
    }
    whole->routes = ht_array_new(plan == NULL ? 0 : plan->route_count, sizeof *whole->routes);
    whole->visits = ht_array_new(visits, sizeof *whole->visits);
    whole->loads = ht_array_new(visits * p->amounts, sizeof *whole->loads);
    whole->unserved = ht_array_new(p->order_count, sizeof *whole->unserved);
    whole->plan.routes = whole->routes;
    whole->plan.unserved = whole->unserved;
    if (whole->routes == NULL || whole->visits == NULL || whole->loads == NULL ||
        whole->unserved == NULL) {
        ht_day_free(&whole->plan);
        return NULL;
    }
    return whole;
}

/* A route as it is written. */
struct writer {
    const struct model *m;
    struct whole *whole;
    const struct ht_day_van *van;
    uint32_t v;
    struct ht_day_visit *visit; /* the next */
    int64_t *load;
    int64_t now[HT_PLAN_AMOUNTS_MOST];
};

static void visit_add(struct writer *w, struct ht_day_visit visit)
{
    size_t amounts = w->m->day->problem->amounts;
    *w->visit++ = visit;
    for (size_t d = 0; d < amounts; d++) {
        *w->load++ = w->now[d];
    }
}

/* What an order costs where it is: late, or with another van. */
static int64_t order_cost(const struct writer *w, uint32_t o, int64_t begin_s)
{
    const struct ht__day *day = w->m->day;
    const struct ht_day_prices *prices = &day->problem->prices;
    int64_t late_s = begin_s - day->problem->orders[o].due.to_s;
    int64_t cost = 0;
    if (late_s > 0 && prices->late_most_s > 0) {
        cost += late_s * prices->late_per_hour * 5;
    }
    if (day->pinned[o] == 0 && day->home[o] != HT_PLAN_NONE && day->home[o] != w->v) {
        cost += (int64_t)prices->move * HT_COST_SCALE;
        w->whole->plan.moved++;
    }
    return cost;
}

/* A task's orders, one after the other. */
static void task_write(struct writer *w, const struct ht_plan_step *step)
{
    const struct model *m = w->m;
    const struct ht_day_problem *p = m->day->problem;
    int64_t arrival_s = step->arrival_s;
    int64_t begin_s = arrival_s + step->waiting_s;
    int64_t setup_s = step->setup_s;
    for (uint32_t i = m->first[step->index]; i < m->first[step->index + 1]; i++) {
        uint32_t o = m->order[i];
        const struct ht_day_order *order = &p->orders[o];
        int64_t leave_s = begin_s + setup_s + order->service_s;
        for (uint32_t d = 0; order->load != NULL && d < p->amounts; d++) {
            w->now[d] -= order->load[d];
        }
        w->whole->plan.cost +=
            order_cost(w, o, begin_s) + (leave_s - begin_s) * p->prices.per_hour * 5;
        visit_add(w, (struct ht_day_visit){{HT_DAY_ORDER, o}, arrival_s, begin_s, leave_s});
        arrival_s = leave_s;
        begin_s = leave_s;
        setup_s = 0;
    }
}

static void route_write(struct writer *w, const struct ht_plan_route *from)
{
    const struct ht_day_problem *p = w->m->day->problem;
    const struct ht_plan_step *end = &from->steps[from->step_count - 1];
    struct ht_day_route *route = &w->whole->routes[w->whole->plan.route_count++];
    uint32_t per_km = w->m->vehicles[from->vehicle].per_km;
    *route = (struct ht_day_route){.van = from->vehicle,
                                   .start_s = from->steps[0].arrival_s,
                                   .end_s = end->arrival_s,
                                   .visits = w->visit,
                                   .load = w->load};
    memcpy(w->now, from->load, p->amounts * sizeof *w->now);
    memcpy(route->start_load, w->now, sizeof route->start_load);
    for (uint32_t s = 1; s + 1 < from->step_count; s++) {
        const struct ht_plan_step *step = &from->steps[s];
        if (step->kind == HT_STEP_TASK) {
            task_write(w, step);
        } else if (step->kind == HT_STEP_RELOAD) {
            int64_t begin_s = step->arrival_s + step->waiting_s;
            memcpy(w->now, from->load + (size_t)s * p->amounts, p->amounts * sizeof *w->now);
            w->whole->plan.cost += (int64_t)step->service_s * p->prices.per_hour * 5;
            visit_add(w, (struct ht_day_visit){{HT_DAY_LOAD, step->index},
                                               step->arrival_s,
                                               begin_s,
                                               begin_s + step->service_s});
        }
    }
    w->whole->plan.cost += end->travel_s * p->prices.per_hour * 5 + end->distance_m * per_km * 18;
    route->count = (uint32_t)(w->visit - route->visits);
}

static enum ht_day_reason reason_of(const struct ht__day *day, uint32_t order,
                                    enum ht_plan_reason reason)
{
    switch (reason) {
    case HT_REASON_SKILLS:
        return HT_DAY_SKILLS;
    case HT_REASON_CAPACITY:
        return HT_DAY_CAPACITY;
    case HT_REASON_NO_WAY:
        return HT_DAY_NO_WAY;
    case HT_REASON_MAX_TASKS: /* vans have no such limits */
    case HT_REASON_MAX_TRAVEL_TIME:
    case HT_REASON_MAX_DISTANCE:
    case HT_REASON_WINDOW:
        return ht__day_late_reason(day, order);
    case HT_REASON_FULL:
    case HT_REASON_NONE:
        break;
    }
    return HT_DAY_FULL;
}

/* By order, from the solver's by task and what was known before. */
static void unserved_write(struct whole *whole, const struct model *m, const struct ht_plan *plan)
{
    const struct ht__day *day = m->day;
    uint8_t *lost = day->lost;
    for (uint32_t i = 0; i < plan->missing_count; i++) {
        uint32_t task = plan->missing[i].task;
        for (uint32_t o = m->first[task]; o < m->first[task + 1]; o++) {
            uint32_t order = m->order[o];
            lost[order] = (uint8_t)reason_of(day, order, plan->missing[i].reason);
        }
    }
    for (uint32_t o = 0; o < day->problem->order_count; o++) {
        if (lost[o] != HT__DAY_BROUGHT) {
            whole->unserved[whole->plan.unserved_count++] =
                (struct ht_day_unserved){o, (enum ht_day_reason)lost[o]};
        }
    }
}

static enum ht_status day_write(const struct model *m, const struct ht_plan *plan,
                                struct ht_day_plan **out)
{
    struct whole *whole = whole_new(m->day->problem, plan);
    if (whole == NULL) {
        return HT_NOMEM;
    }
    struct writer w = {.m = m, .whole = whole, .visit = whole->visits, .load = whole->loads};
    for (uint32_t r = 0; r < plan->route_count; r++) {
        w.v = plan->routes[r].vehicle;
        w.van = &m->day->problem->vans[w.v];
        route_write(&w, &plan->routes[r]);
    }
    unserved_write(whole, m, plan);
    *out = &whole->plan;
    return HT_OK;
}

/* ---- the search ---- */

struct run {
    struct ht__day day;
    const struct ht_day_options *options;
    int64_t begun_ms;
    uint64_t iterations; /* of each thread, so far */
    uint64_t all;        /* of all threads */
    bool cut;            /* the last search, since something was left over */
    struct ht_error *error;
};

/* Whether a task of several orders found no place that some of them might. */
static bool group_missing(const struct model *m, const struct ht_plan *plan)
{
    for (uint32_t i = 0; i < plan->missing_count; i++) {
        uint32_t task = plan->missing[i].task;
        if (m->first[task + 1] - m->first[task] > 1 &&
            plan->missing[i].reason != HT_REASON_SKILLS &&
            plan->missing[i].reason != HT_REASON_NO_WAY) {
            return true;
        }
    }
    return false;
}

/* The plan so far is this answer. */
static void plan_take(struct run *run, const struct model *m, const struct ht_plan *plan)
{
    struct ht__day *day = &run->day;
    struct ht_day_stop *to = day->stops;
    uint32_t r = 0;
    for (uint32_t v = 0; v < day->problem->van_count; v++) {
        struct ht_day_stop *from = to;
        if (r < plan->route_count && plan->routes[r].vehicle == v) {
            const struct ht_plan_route *route = &plan->routes[r++];
            for (uint32_t s = 1; s + 1 < route->step_count; s++) {
                const struct ht_plan_step *step = &route->steps[s];
                if (step->kind == HT_STEP_RELOAD) {
                    *to++ = (struct ht_day_stop){HT_DAY_LOAD, step->index};
                    continue;
                }
                for (uint32_t i = m->first[step->index]; i < m->first[step->index + 1]; i++) {
                    *to++ = (struct ht_day_stop){HT_DAY_ORDER, m->order[i]};
                }
            }
        }
        day->counts[v] = (uint32_t)(to - from);
    }
}

/* While it is searched: with something left over for too long, that is enough of it. */
struct watch {
    const struct run *run;
    bool enough;
};

static void watch_progress(void *user, const struct ht_solve_progress *progress)
{
    struct watch *watch = user;
    const struct ht_day_options *options = watch->run->options;
    bool over = options->iterations > 0 ? progress->iterations >= options->iterations / OPEN_SHARE
                                        : progress->elapsed_ms >= options->limit_ms / OPEN_SHARE;
    if (progress->missing > 0 && over) {
        __atomic_store_n(&watch->enough, true, __ATOMIC_RELAXED);
    }
}

/* Searches with what is left of time or iterations. */
static enum ht_status day_solve(struct run *run, struct model *m, bool again, struct ht_plan **plan)
{
    const struct ht_day_options *asked = run->options;
    struct watch watch = {.run = run};
    enum ht_status status = model_make(m, asked->anew && !again);
    if (status != HT_OK) {
        (void)ht_error_set(run->error, status, 0, NULL);
        return status;
    }
    int64_t left_ms = asked->limit_ms - (now_ms() - run->begun_ms);
    uint64_t left = asked->iterations - run->iterations;
    const struct ht_solve_options options = {.limit_ms = asked->limit_ms <= 0 ? 0
                                                         : left_ms > 1        ? left_ms
                                                                              : 1,
                                             .iterations = asked->iterations == 0 ? 0
                                                           : left > 0             ? left
                                                                                  : 1,
                                             .threads = asked->threads,
                                             .seed = asked->seed,
                                             .cancel = asked->cancel,
                                             .enough = &watch.enough,
                                             .warm = !asked->anew || again,
                                             .progress = again || m->single ? NULL : watch_progress,
                                             .user = &watch};
    status = ht_solve_run(&m->problem, &options, plan, run->error);
    if (status == HT_OK) {
        run->all += (*plan)->iterations;
        run->iterations += (*plan)->iterations / (asked->threads == 0 ? 1 : asked->threads);
        run->iterations = run->iterations < asked->iterations ? run->iterations : asked->iterations;
        run->cut = watch.enough;
    }
    return status;
}

/* Grouped at first; again with what is left where that was cut short, with the groups opened if one
 * of them had no place. */
static enum ht_status day_search(struct run *run, struct ht_day_plan **out)
{
    struct model m = {.day = &run->day, .single = run->options->single};
    struct ht_plan *plan = NULL;
    enum ht_status status = day_solve(run, &m, false, &plan);
    if (status == HT_OK && run->cut) {
        bool single = group_missing(&m, plan);
        plan_take(run, &m, plan);
        ht_plan_free(plan);
        plan = NULL;
        model_deinit(&m);
        m = (struct model){.day = &run->day, .single = single};
        status = day_solve(run, &m, true, &plan);
    }
    if (status == HT_OK) {
        status = day_write(&m, plan, out);
        if (status != HT_OK) {
            (void)ht_error_set(run->error, status, 0, NULL);
        }
    }
    ht_plan_free(plan);
    model_deinit(&m);
    return status;
}

/* Without a van nothing is planned. */
static enum ht_status day_idle(struct run *run, struct ht_day_plan **out)
{
    struct whole *whole = whole_new(run->day.problem, NULL);
    if (whole == NULL) {
        (void)ht_error_set(run->error, HT_NOMEM, 0, NULL);
        return HT_NOMEM;
    }
    for (uint32_t o = 0; o < run->day.problem->order_count; o++) {
        bool known = run->day.lost[o] != HT__DAY_BROUGHT;
        whole->unserved[whole->plan.unserved_count++] = (struct ht_day_unserved){
            o, known ? (enum ht_day_reason)run->day.lost[o] : HT_DAY_SHIFT};
    }
    *out = &whole->plan;
    return HT_OK;
}

enum ht_status ht_day_run(const struct ht_day_problem *problem,
                          const struct ht_day_options *options, struct ht_day_plan **out,
                          struct ht_error *error)
{
    struct run run = {.options = options, .begun_ms = now_ms(), .error = error};
    struct ht_day_plan *plan = NULL;
    if (options->limit_ms <= 0 && options->iterations == 0) {
        return ht_error_set(error, HT_INVALID, 0, "neither a limit of time nor of iterations");
    }
    enum ht_status status = ht__day_init(&run.day, problem, error);
    if (status == HT_OK) {
        status = problem->van_count == 0 ? day_idle(&run, &plan) : day_search(&run, &plan);
    }
    ht__day_deinit(&run.day);
    if (status == HT_OK) {
        plan->iterations = run.all;
        plan->time_ms = now_ms() - run.begun_ms;
#ifndef NDEBUG
        status = ht_day_check(problem, plan, error);
#endif
    }
    if (status != HT_OK) {
        ht_day_free(plan);
        return status;
    }
    *out = plan;
    return HT_OK;
}
