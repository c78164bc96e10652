#include "engine/plan/given.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/given_windows.h"

#define FAR HT_GIVEN_FAR
#define COST_MOST (INT64_C(1) << 61) /* before a sum that could overflow */

/* A breakpoint: to its left (or right) the sum grows by so much more a second. */
struct bend {
    int64_t at_s;
    int64_t weight;
};

/* One route while its times are found. */
struct line {
    const struct ht_problem *problem;
    const struct ht_vehicle *vehicle;
    const struct ht_given_route *route;
    struct ht_plan_step *steps;
    int64_t *load;
    struct ht_plan_fault *faults;
    struct ht__given_stop *stops; /* [steps] */
    uint32_t *chosen;             /* [steps] which of its windows counts */
    struct ht_window *windows;    /* [steps] that one; all times where there is none */
    int64_t *least_s;             /* [steps] the latest time at which the sum is least */
    int64_t *spent_s;             /* [steps] from its begin to the next step's earliest one */
    struct bend *left;            /* by time */
    uint32_t left_count;
    struct bend *right;
    uint32_t right_count;
    uint32_t *route_of; /* [tasks] number of the route; HT_PLAN_NONE */
    uint32_t *place_of; /* [tasks] its step */
};

struct given {
    struct ht_plan plan;
    struct ht_plan_route *routes;
    struct ht_plan_step *steps;
    int64_t *load;
    struct ht_plan_fault *faults;
    struct ht_plan_missing *missing;
};

void ht_given_free(struct ht_plan *plan)
{
    struct given *given = (struct given *)plan;
    if (given != NULL) {
        free(given->routes);
        free(given->steps);
        free(given->load);
        free(given->faults);
        free(given->missing);
        free(given);
    }
}

/* ---- ways ---- */

static uint32_t location_of(const struct line *line, uint32_t i)
{
    const struct ht_given_step *step = &line->route->steps[i];
    if (i == 0) {
        return line->vehicle->start;
    }
    if (i + 1 == line->route->step_count) {
        return line->vehicle->end;
    }
    return step->kind == HT_STEP_TASK ? line->problem->tasks[step->index].location : HT_PLAN_NONE;
}

/* Where the vehicle stands meanwhile. */
static uint32_t stand_of(const struct line *line, uint32_t location)
{
    const uint32_t *stands = line->problem->stands;
    return stands == NULL || location == HT_PLAN_NONE ? location : stands[location];
}

/* What a step takes once it begins. */
static void work_set(const struct line *line, uint32_t i, uint32_t from)
{
    const struct ht_given_step *given = &line->route->steps[i];
    struct ht_plan_step *step = &line->steps[i];
    uint32_t type = line->vehicle->type;
    if (given->kind == HT_STEP_TASK) {
        const struct ht_task *task = &line->problem->tasks[given->index];
        uint32_t setup_s =
            task->setup_by_type_s == NULL ? task->setup_s : task->setup_by_type_s[type];
        step->setup_s = stand_of(line, task->location) == stand_of(line, from) ? 0 : setup_s;
        step->service_s =
            task->service_by_type_s == NULL ? task->service_s : task->service_by_type_s[type];
    } else if (given->kind == HT_STEP_BREAK) {
        step->service_s = line->vehicle->breaks[given->index].service_s;
    }
}

/* What the length of a route costs it, so that all become alike; COST_MOST: too much. */
static int64_t balance_cost(const struct line *line)
{
    uint32_t count = line->route->step_count;
    int64_t balance = line->problem->balance;
    int64_t spent_s = count == 0 ? 0 : line->steps[count - 1].travel_s;
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_plan_step *step = &line->steps[i];
        spent_s += step->kind == HT_STEP_BREAK ? 0 : (int64_t)step->setup_s + step->service_s;
    }
    double cost = (double)balance * (double)spent_s * (double)spent_s;
    return cost < (double)COST_MOST ? balance * spent_s * spent_s / 720 : COST_MOST;
}

/* `per` each of `count`, at most COST_MOST. */
static int64_t price_of(uint64_t count, uint64_t per)
{
    return (double)count * (double)per < (double)COST_MOST ? (int64_t)(count * per) : COST_MOST;
}

/* Without its vehicle's fixed cost. At most twice COST_MOST. */
static int64_t way_cost(const struct line *line, size_t cell)
{
    const struct ht_plan_profile *profile = &line->problem->profiles[line->vehicle->profile];
    uint32_t way_m = profile->distance_m == NULL ? 0 : profile->distance_m[cell];
    return profile->cost != NULL
               ? price_of(profile->cost[cell], HT_COST_SCALE)
               : price_of(profile->duration_s[cell], UINT64_C(5) * line->vehicle->per_hour) +
                     price_of(way_m, UINT64_C(18) * line->vehicle->per_km);
}

/* Ways, their costs and what each step takes; false: there is no way. */
static bool ways_set(struct line *line, struct ht_plan_route *out)
{
    const struct ht_plan_profile *profile = &line->problem->profiles[line->vehicle->profile];
    uint32_t at = HT_PLAN_NONE;
    out->cost = line->vehicle->fixed * HT_COST_SCALE;
    for (uint32_t i = 0; i < line->route->step_count; i++) {
        struct ht_plan_step *step = &line->steps[i];
        uint32_t to = location_of(line, i);
        *step = (struct ht_plan_step){.kind = line->route->steps[i].kind,
                                      .index = line->route->steps[i].index,
                                      .travel_s = i == 0 ? 0 : step[-1].travel_s,
                                      .distance_m = i == 0 ? 0 : step[-1].distance_m};
        work_set(line, i, at);
        if (at != HT_PLAN_NONE && to != HT_PLAN_NONE) {
            size_t cell = (size_t)at * line->problem->location_count + to;
            uint32_t way_s = profile->duration_s[cell];
            uint32_t way_m = profile->distance_m == NULL ? 0 : profile->distance_m[cell];
            if (way_s == HT_PLAN_NO_WAY || way_m == HT_PLAN_NO_WAY ||
                (profile->cost != NULL && profile->cost[cell] == HT_PLAN_NO_WAY)) {
                return false;
            }
            step->travel_s += way_s;
            step->distance_m += way_m;
            out->cost += way_cost(line, cell);
            out->cost = out->cost < COST_MOST ? out->cost : COST_MOST;
        }
        out->cost += step->kind == HT_STEP_TASK
                         ? price_of((uint64_t)step->setup_s + step->service_s,
                                    UINT64_C(5) * line->vehicle->per_task_hour)
                         : 0;
        at = to == HT_PLAN_NONE ? at : to;
        out->cost = out->cost < COST_MOST ? out->cost : COST_MOST;
    }
    for (uint32_t i = 0; i + 1 < line->route->step_count; i++) {
        const struct ht_plan_step *step = &line->steps[i];
        line->spent_s[i] =
            (int64_t)step->setup_s + step->service_s + step[1].travel_s - step->travel_s;
    }
    out->cost += balance_cost(line);
    out->cost = out->cost < COST_MOST ? out->cost : COST_MOST;
    return true;
}

/* ---- times ---- */

static void stops_set(struct line *line)
{
    for (uint32_t i = 0; i < line->route->step_count; i++) {
        const struct ht_given_step *given = &line->route->steps[i];
        struct ht__given_stop *stop = &line->stops[i];
        *stop = (struct ht__given_stop){.windows = &line->vehicle->window,
                                        .window_count = 1,
                                        .forced = given->forced,
                                        .spent_s = line->spent_s[i]};
        if (given->kind == HT_STEP_TASK) {
            stop->windows = line->problem->tasks[given->index].windows;
            stop->window_count = line->problem->tasks[given->index].window_count;
        } else if (given->kind == HT_STEP_BREAK) {
            stop->windows = line->vehicle->breaks[given->index].windows;
            stop->window_count = line->vehicle->breaks[given->index].window_count;
        }
    }
}

/* By the earliest times: the one at which one is least late. Who is early waits, which costs
 * nothing yet. */
static void windows_guess(struct line *line)
{
    int64_t now_s = -FAR;
    for (uint32_t i = 0; i < line->route->step_count; i++) {
        const struct ht__given_stop *stop = &line->stops[i];
        uint32_t w = 0;
        now_s += i == 0 ? 0 : line->spent_s[i - 1];
        now_s = now_s > stop->forced.from_s ? now_s : stop->forced.from_s;
        while (w + 1 < stop->window_count && stop->windows[w].to_s < now_s) {
            w++;
        }
        line->chosen[i] = w;
        if (stop->window_count > 0 && now_s < stop->windows[w].from_s) {
            now_s = stop->windows[w].from_s;
        }
    }
}

/* Which windows count: those with the least sum, or a guess where to know them takes too long. */
static enum ht_status windows_choose(struct line *line)
{
    uint32_t count = line->route->step_count;
    uint32_t most = 0;
    enum ht_status status = HT_OK;
    stops_set(line);
    windows_guess(line);
    for (uint32_t i = 0; i < count; i++) {
        most = line->stops[i].window_count > most ? line->stops[i].window_count : most;
    }
    if (most > 1) {
        status = ht__given_windows(line->stops, count, line->chosen);
        status = status == HT_TOO_BIG ? HT_OK : status;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_window all = {-FAR, FAR};
        bool free = line->stops[i].window_count == 0;
        line->windows[i] = free ? all : line->stops[i].windows[line->chosen[i]];
    }
    return status;
}

static void bend_add(struct bend *list, uint32_t *count, struct bend bend)
{
    uint32_t at = (*count)++;
    for (; at > 0 && list[at - 1].at_s > bend.at_s; at--) {
        list[at] = list[at - 1];
    }
    list[at] = bend;
}

/* Beginning before from_s costs `weight` a second: the right side's first bends are overtaken. */
static void early_add(struct line *line, int64_t from_s, int64_t weight)
{
    int64_t left = weight;
    bend_add(line->right, &line->right_count, (struct bend){from_s, weight});
    while (left > 0) {
        struct bend *first = &line->right[0];
        int64_t part = first->weight < left ? first->weight : left;
        bend_add(line->left, &line->left_count, (struct bend){first->at_s, part});
        first->weight -= part;
        left -= part;
        if (first->weight == 0) {
            memmove(line->right, line->right + 1, --line->right_count * sizeof *line->right);
        }
    }
}

/* Beginning after to_s likewise: the left side's last bends are. */
static void late_add(struct line *line, int64_t to_s, int64_t weight)
{
    int64_t left = weight;
    bend_add(line->left, &line->left_count, (struct bend){to_s, weight});
    while (left > 0) {
        struct bend *last = &line->left[line->left_count - 1];
        int64_t part = last->weight < left ? last->weight : left;
        struct bend bend = {last->at_s, part};
        last->weight -= part;
        left -= part;
        line->left_count -= last->weight == 0;
        bend_add(line->right, &line->right_count, bend);
    }
}

static void times_find(struct line *line)
{
    uint32_t count = line->route->step_count;
    int64_t hard = 2 * (int64_t)count + 2; /* more than all windows together */
    int64_t moved_s = 0;                   /* since the bends were written, in a common frame */
    line->left_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_window *forced = &line->route->steps[i].forced;
        line->right_count = 0;
        late_add(line, line->windows[i].to_s - moved_s, 1);
        late_add(line, forced->to_s - moved_s, hard);
        early_add(line, line->windows[i].from_s - moved_s, 1);
        early_add(line, forced->from_s - moved_s, hard);
        line->least_s[i] = line->right_count == 0 ? FAR : line->right[0].at_s + moved_s;
        if (i + 1 == count) { /* the end as early as may be */
            line->least_s[i] = line->left[line->left_count - 1].at_s + moved_s;
        }
        moved_s += line->spent_s[i];
    }
    int64_t next_s = line->least_s[count - 1];
    for (uint32_t i = count; i > 0; i--) {
        int64_t by_s = i == count ? next_s : next_s - line->spent_s[i - 1];
        next_s = line->least_s[i - 1] < by_s ? line->least_s[i - 1] : by_s;
        line->least_s[i - 1] = next_s;
    }
}

static void times_write(struct line *line)
{
    int64_t arrival_s = line->least_s[0];
    for (uint32_t i = 0; i < line->route->step_count; i++) {
        struct ht_plan_step *step = &line->steps[i];
        struct ht_plan_fault *fault = &line->faults[i];
        int64_t begin_s = line->least_s[i];
        step->arrival_s = arrival_s;
        step->waiting_s = begin_s - arrival_s;
        if (begin_s < line->windows[i].from_s) {
            fault->causes |= 1U << HT_CAUSE_LEAD_TIME;
            fault->lead_s = line->windows[i].from_s - begin_s;
        }
        if (begin_s > line->windows[i].to_s) {
            fault->causes |= 1U << HT_CAUSE_DELAY;
            fault->delay_s = begin_s - line->windows[i].to_s;
        }
        arrival_s = begin_s + line->spent_s[i];
    }
}

/* ---- other rules ---- */

static bool skilled(const struct line *line, const struct ht_task *task)
{
    for (uint32_t i = 0; task->skills != NULL && i < line->problem->skill_words; i++) {
        uint64_t has = line->vehicle->skills == NULL ? 0 : line->vehicle->skills[i];
        if ((task->skills[i] & ~has) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether the other half of a shipment is in the same route, on its side. */
static bool paired(const struct line *line, uint32_t i, uint32_t number)
{
    const struct ht_given_step *given = &line->route->steps[i];
    const struct ht_task *task = &line->problem->tasks[given->index];
    if (task->kind == HT_TASK_JOB) {
        return true;
    }
    uint32_t other = task->kind == HT_TASK_PICKUP ? given->index + 1 : given->index - 1;
    return line->route_of[other] == number &&
           (task->kind == HT_TASK_PICKUP) == (line->place_of[other] > i);
}

static int64_t load_change(const struct ht_task *task, uint32_t d)
{
    int64_t up = task->pickup == NULL ? 0 : task->pickup[d];
    int64_t down = task->delivery == NULL ? 0 : task->delivery[d];
    return task->kind == HT_TASK_JOB ? up - down : task->kind == HT_TASK_PICKUP ? up : -up;
}

static void loads_write(struct line *line)
{
    uint32_t amounts = line->problem->amounts;
    for (uint32_t d = 0; d < amounts; d++) {
        int64_t load = 0;
        for (uint32_t i = 0; i < line->route->step_count; i++) {
            const struct ht_given_step *given = &line->route->steps[i];
            const struct ht_task *task = &line->problem->tasks[given->index];
            if (given->kind == HT_STEP_TASK && task->kind == HT_TASK_JOB &&
                task->delivery != NULL) {
                load += task->delivery[d];
            }
        }
        for (uint32_t i = 0; i < line->route->step_count; i++) {
            const struct ht_given_step *given = &line->route->steps[i];
            if (given->kind == HT_STEP_TASK) {
                load += load_change(&line->problem->tasks[given->index], d);
            }
            line->load[(size_t)i * amounts + d] = load;
            if (load > line->vehicle->capacity[d]) {
                line->faults[i].causes |= 1U << HT_CAUSE_LOAD;
            }
            const int64_t *most =
                given->kind == HT_STEP_BREAK ? line->vehicle->breaks[given->index].load_most : NULL;
            if (most != NULL && load > most[d]) {
                line->faults[i].causes |= 1U << HT_CAUSE_MAX_LOAD;
            }
        }
    }
}

static void rules_check(struct line *line, uint32_t number)
{
    uint32_t count = line->route->step_count;
    struct ht_plan_fault *whole = &line->faults[count];
    uint32_t tasks = 0;
    uint32_t breaks = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_given_step *given = &line->route->steps[i];
        struct ht_plan_fault *fault = &line->faults[i];
        if (given->kind == HT_STEP_TASK) {
            tasks++;
            fault->causes |=
                skilled(line, &line->problem->tasks[given->index]) ? 0U : 1U << HT_CAUSE_SKILLS;
            fault->causes |= paired(line, i, number) ? 0U : 1U << HT_CAUSE_PRECEDENCE;
            fault->causes |= tasks > line->vehicle->tasks_most ? 1U << HT_CAUSE_MAX_TASKS : 0U;
        }
        breaks += given->kind == HT_STEP_BREAK;
        fault->causes |= line->steps[i].travel_s > line->vehicle->travel_most_s
                             ? 1U << HT_CAUSE_MAX_TRAVEL_TIME
                             : 0U;
        fault->causes |= line->steps[i].distance_m > line->vehicle->distance_most_m
                             ? 1U << HT_CAUSE_MAX_DISTANCE
                             : 0U;
        whole->causes |= fault->causes;
        whole->lead_s += fault->lead_s;
        whole->delay_s += fault->delay_s;
    }
    whole->causes |= breaks < line->vehicle->break_count ? 1U << HT_CAUSE_MISSING_BREAK : 0U;
}

/* ---- all of it ---- */

static bool forced_fit(const struct line *line)
{
    int64_t now_s = -FAR;
    for (uint32_t i = 0; i < line->route->step_count; i++) {
        const struct ht_window *forced = &line->route->steps[i].forced;
        now_s += i == 0 ? 0 : line->spent_s[i - 1];
        now_s = now_s > forced->from_s ? now_s : forced->from_s;
        if (now_s > forced->to_s) {
            return false;
        }
    }
    return true;
}

static enum ht_status lines_write(struct line *line, struct given *given,
                                  const struct ht_given_route *routes, uint32_t count,
                                  struct ht_error *error)
{
    line->steps = given->steps;
    line->load = given->load;
    line->faults = given->faults;
    for (uint32_t r = 0; r < count; r++) {
        struct ht_plan_route *out = &given->routes[r];
        line->route = &routes[r];
        line->vehicle = &line->problem->vehicles[routes[r].vehicle];
        *out = (struct ht_plan_route){.vehicle = routes[r].vehicle,
                                      .step_count = routes[r].step_count,
                                      .steps = line->steps,
                                      .load = line->load,
                                      .faults = line->faults};
        if (!ways_set(line, out) || !forced_fit(line)) {
            return ht_error_set(error, HT_INVALID, routes[r].vehicle,
                                "vehicle %u: its steps can't be driven so",
                                (unsigned)routes[r].vehicle);
        }
        if (given->plan.cost + out->cost >= COST_MOST) { /* in VROOM's words */
            return ht_error_set(error, HT_INVALID, 0,
                                "Too high cost values, stopping to avoid overflowing.");
        }
        enum ht_status status = windows_choose(line);
        if (status != HT_OK) {
            return ht_error_set(error, status, 0, NULL);
        }
        times_find(line);
        times_write(line);
        loads_write(line);
        rules_check(line, r);
        given->plan.cost += out->cost;
        line->steps += routes[r].step_count;
        line->load += (size_t)routes[r].step_count * line->problem->amounts;
        line->faults += routes[r].step_count + 1;
    }
    given->plan.route_count = count;
    return HT_OK;
}

static enum ht_status given_new(const struct ht_problem *problem, size_t steps, uint32_t count,
                                struct given **out)
{
    struct given *given = calloc(1, sizeof *given);
    if (given == NULL) {
        return HT_NOMEM;
    }
    given->routes = ht_array_new_zeroed(count, sizeof *given->routes);
    given->steps = ht_array_new_zeroed(steps, sizeof *given->steps);
    given->load = ht_array_new_zeroed(steps * problem->amounts, sizeof *given->load);
    given->faults = ht_array_new_zeroed(steps + count, sizeof *given->faults);
    given->missing = ht_array_new(problem->task_count, sizeof *given->missing);
    given->plan.routes = given->routes;
    given->plan.missing = given->missing;
    *out = given;
    return given->routes == NULL || given->steps == NULL || given->load == NULL ||
                   given->faults == NULL || given->missing == NULL
               ? HT_NOMEM
               : HT_OK;
}

static bool line_new(struct line *line, const struct ht_given_route *routes, uint32_t count,
                     size_t steps)
{
    uint32_t tasks = line->problem->task_count;
    line->stops = ht_array_new(steps, sizeof *line->stops);
    line->chosen = ht_array_new(steps, sizeof *line->chosen);
    line->windows = ht_array_new(steps, sizeof *line->windows);
    line->least_s = ht_array_new(steps, sizeof *line->least_s);
    line->spent_s = ht_array_new_zeroed(steps, sizeof *line->spent_s);
    /* four bends a step, and each may be split once */
    line->left = ht_array_new(8 * steps + 8, sizeof *line->left);
    line->right = ht_array_new(8 * steps + 8, sizeof *line->right);
    line->route_of = ht_array_new(tasks, sizeof *line->route_of);
    line->place_of = ht_array_new(tasks, sizeof *line->place_of);
    if (line->stops == NULL || line->chosen == NULL || line->windows == NULL ||
        line->least_s == NULL || line->spent_s == NULL || line->left == NULL ||
        line->right == NULL || line->route_of == NULL || line->place_of == NULL) {
        return false;
    }
    for (uint32_t t = 0; t < tasks; t++) {
        line->route_of[t] = HT_PLAN_NONE;
    }
    for (uint32_t r = 0; r < count; r++) {
        for (uint32_t i = 0; i < routes[r].step_count; i++) {
            const struct ht_given_step *step = &routes[r].steps[i];
            if (step->kind == HT_STEP_TASK) {
                line->route_of[step->index] = r;
                line->place_of[step->index] = i;
            }
        }
    }
    return true;
}

static void line_deinit(struct line *line)
{
    free(line->stops);
    free(line->chosen);
    free(line->windows);
    free(line->least_s);
    free(line->spent_s);
    free(line->left);
    free(line->right);
    free(line->route_of);
    free(line->place_of);
}

enum ht_status ht_given_plan(const struct ht_problem *problem, const struct ht_given_route *routes,
                             uint32_t count, struct ht_plan **out, struct ht_error *error)
{
    struct given *given = NULL;
    struct line line = {.problem = problem};
    size_t steps = 0;
    size_t longest = 0;
    for (uint32_t r = 0; r < count; r++) {
        steps += routes[r].step_count;
        longest = routes[r].step_count > longest ? routes[r].step_count : longest;
    }
    enum ht_status status = ht_problem_check(problem, error);
    if (status != HT_OK) {
        return status;
    }
    status = given_new(problem, steps, count, &given);
    if (status != HT_OK || !line_new(&line, routes, count, longest)) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        status = lines_write(&line, given, routes, count, error);
    }
    for (uint32_t t = 0; line.route_of != NULL && status == HT_OK && t < problem->task_count; t++) {
        if (line.route_of[t] == HT_PLAN_NONE) {
            given->missing[given->plan.missing_count++] =
                (struct ht_plan_missing){t, HT_REASON_FULL};
        }
    }
    line_deinit(&line);
    if (status != HT_OK) {
        ht_given_free(given == NULL ? NULL : &given->plan);
        return status;
    }
    *out = &given->plan;
    return HT_OK;
}
