#include "engine/plan/problem.h"

/* What is looked at, for messages: "task 3: ...". */
struct place {
    struct ht_error *error;
    const char *what;
    uint32_t index;
};

static enum ht_status wrong(const struct place *place, const char *text)
{
    return ht_error_set(place->error, HT_INVALID, 0, "%s %u: %s", place->what,
                        (unsigned)place->index, text);
}

static bool time_fits(int64_t time_s)
{
    return time_s >= -HT_PLAN_TIME_MOST && time_s <= HT_PLAN_TIME_MOST;
}

static enum ht_status windows_check(const struct place *place, const struct ht_window *windows,
                                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!time_fits(windows[i].from_s) || !time_fits(windows[i].to_s)) {
            return wrong(place, "a time window is out of range");
        }
        if (windows[i].from_s > windows[i].to_s) {
            return wrong(place, "a time window ends before it begins");
        }
        if (i > 0 && windows[i - 1].to_s >= windows[i].from_s) {
            return wrong(place, "time windows overlap or are not in order");
        }
    }
    return HT_OK;
}

static enum ht_status amounts_check(const struct place *place, const int64_t *amount,
                                    uint32_t count)
{
    for (uint32_t i = 0; amount != NULL && i < count; i++) {
        if (amount[i] < 0 || amount[i] > HT_PLAN_AMOUNT_MOST) {
            return wrong(place, "an amount is negative or too large");
        }
    }
    return HT_OK;
}

/* Where it is loaded and whose it was. */
static enum ht_status task_plan_check(const struct ht_problem *problem, const struct place *place,
                                      const struct ht_task *task)
{
    if ((task->loads_at & ~HT_PLAN_AT_START) >> problem->reload_count != 0) {
        return wrong(place, "there is no such reload");
    }
    if (task->kind != HT_TASK_JOB && (task->loads_at != 0 || task->ready_s != 0)) {
        return wrong(place, "a shipment is loaded where it is picked up");
    }
    if (!time_fits(task->ready_s)) {
        return wrong(place, "when it is ready is out of range");
    }
    if (task->move_cost < 0 || task->move_cost > HT_PLAN_FIXED_MOST ||
        (task->move_cost > 0 && task->home >= problem->vehicle_count)) {
        return wrong(place, "its home is no vehicle, or what leaving it costs is out of range");
    }
    return HT_OK;
}

static enum ht_status task_check(const struct ht_problem *problem, uint32_t index,
                                 struct ht_error *error)
{
    const struct place place = {error, "task", index};
    const struct ht_task *task = &problem->tasks[index];
    if (task->location >= problem->location_count) {
        return wrong(&place, "its location is not in the matrix");
    }
    if (task->priority > HT_PLAN_PRIORITY_MOST) {
        return wrong(&place, "its priority is out of range");
    }
    bool has_next = index + 1 < problem->task_count;
    bool half_before = index > 0 && problem->tasks[index - 1].kind == HT_TASK_PICKUP;
    if ((task->kind == HT_TASK_PICKUP &&
         (!has_next || problem->tasks[index + 1].kind != HT_TASK_DELIVERY)) ||
        (task->kind == HT_TASK_DELIVERY) != half_before) {
        return wrong(&place, "a shipment is a pickup and the delivery behind it");
    }
    if (task->late_per_hour > HT_PLAN_RATE_MOST || !time_fits(task->due_s)) {
        return wrong(&place, "the end of a soft window, or its price, is out of range");
    }
    enum ht_status status = task_plan_check(problem, &place, task);
    if (status == HT_OK) {
        status = windows_check(&place, task->windows, task->window_count);
    }
    if (status == HT_OK) {
        status = amounts_check(&place, task->pickup, problem->amounts);
    }
    if (status == HT_OK) {
        status = amounts_check(&place, task->delivery, problem->amounts);
    }
    for (uint32_t i = 0; status == HT_OK && task->kind == HT_TASK_DELIVERY && i < problem->amounts;
         i++) {
        int64_t first = task[-1].pickup == NULL ? 0 : task[-1].pickup[i];
        if (first != (task->pickup == NULL ? 0 : task->pickup[i])) {
            status = wrong(&place, "a shipment is delivered as it was picked up");
        }
    }
    return status;
}

/* What makes the time of a stop hang on others behind it, or what it costs on its time. */
static bool rides_or_due(const struct ht_problem *problem)
{
    for (uint32_t i = 0; i < problem->task_count; i++) {
        if (problem->tasks[i].ride_most_s > 0 || problem->tasks[i].late_per_hour > 0 ||
            problem->tasks[i].ready_s != 0) {
            return true;
        }
    }
    return false;
}

static enum ht_status breaks_check(const struct place *place, const struct ht_vehicle *vehicle,
                                   uint32_t amounts)
{
    if (vehicle->break_count > HT_PLAN_BREAKS_MOST) {
        return wrong(place, "more than 8 breaks");
    }
    for (uint32_t i = 0; i < vehicle->break_count; i++) {
        if (vehicle->breaks[i].window_count == 0) {
            return wrong(place, "a break without a time window");
        }
        enum ht_status status =
            windows_check(place, vehicle->breaks[i].windows, vehicle->breaks[i].window_count);
        if (status == HT_OK) {
            status = amounts_check(place, vehicle->breaks[i].load_most, amounts);
        }
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

static enum ht_status vehicle_check(const struct ht_problem *problem, uint32_t index,
                                    struct ht_error *error)
{
    const struct place place = {error, "vehicle", index};
    const struct ht_vehicle *vehicle = &problem->vehicles[index];
    if (vehicle->profile >= problem->profile_count || vehicle->type >= problem->types) {
        return wrong(&place, "no such profile or type");
    }
    if ((vehicle->start != HT_PLAN_NONE && vehicle->start >= problem->location_count) ||
        (vehicle->end != HT_PLAN_NONE && vehicle->end >= problem->location_count)) {
        return wrong(&place, "its start or end is not in the matrix");
    }
    if (vehicle->start == HT_PLAN_NONE && vehicle->end == HT_PLAN_NONE &&
        problem->location_count == 0) {
        return wrong(&place, "there are no locations");
    }
    if (vehicle->distance_most_m != HT_PLAN_UNLIMITED &&
        problem->profiles[vehicle->profile].distance_m == NULL) {
        return wrong(&place, "a greatest distance needs a matrix of distances");
    }
    if (vehicle->fixed < 0 || vehicle->fixed > HT_PLAN_FIXED_MOST) {
        return wrong(&place, "a cost is out of range");
    }
    if (vehicle->per_km > 0 && problem->profiles[vehicle->profile].cost == NULL &&
        problem->profiles[vehicle->profile].distance_m == NULL) {
        return wrong(&place, "a cost per km needs a matrix of distances");
    }
    if (vehicle->reloads >> problem->reload_count != 0) {
        return wrong(&place, "there is no such reload");
    }
    if (vehicle->pinned > vehicle->task_count) {
        return wrong(&place, "more pinned stops than it has");
    }
    enum ht_status status = windows_check(&place, &vehicle->window, 1);
    if (status == HT_OK) {
        status = amounts_check(&place, vehicle->capacity, problem->amounts);
    }
    return status == HT_OK ? breaks_check(&place, vehicle, problem->amounts) : status;
}

static enum ht_status reloads_check(const struct ht_problem *problem, struct ht_error *error)
{
    if (problem->reload_count > HT_PLAN_RELOADS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d places to reload",
                            (int)HT_PLAN_RELOADS_MOST);
    }
    for (uint32_t i = 0; i < problem->reload_count; i++) {
        const struct place place = {error, "reload", i};
        const struct ht_plan_reload *reload = &problem->reloads[i];
        enum ht_status status = reload->location >= problem->location_count
                                    ? wrong(&place, "its location is not in the matrix")
                                    : windows_check(&place, reload->windows, reload->window_count);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* A stand is its own stand. */
static enum ht_status stands_check(const struct ht_problem *problem, struct ht_error *error)
{
    for (uint32_t i = 0; problem->stands != NULL && i < problem->location_count; i++) {
        uint32_t stand = problem->stands[i];
        if (stand >= problem->location_count || problem->stands[stand] != stand) {
            return ht_error_set(error, HT_INVALID, 0, "location %u: its stand is none",
                                (unsigned)i);
        }
    }
    return HT_OK;
}

enum ht_status ht_problem_check(const struct ht_problem *problem, struct ht_error *error)
{
    if (problem->amounts > HT_PLAN_AMOUNTS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "amounts of more than %d dimensions",
                            (int)HT_PLAN_AMOUNTS_MOST);
    }
    if (problem->task_count > HT_PLAN_TASKS_MOST ||
        problem->vehicle_count > HT_PLAN_VEHICLES_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d tasks or vehicles",
                            (int)HT_PLAN_TASKS_MOST);
    }
    uint64_t cells = (uint64_t)problem->location_count * problem->location_count;
    if (problem->profile_count > 0 &&
        cells > (uint64_t)HT_PLAN_CELLS_MOST / problem->profile_count) {
        return ht_error_set(error, HT_TOO_BIG, 0, "matrices of more than %d entries",
                            (int)HT_PLAN_CELLS_MOST);
    }
    if (problem->vehicle_count == 0) {
        return ht_error_set(error, HT_INVALID, 0, "there is no vehicle");
    }
    if (problem->balance > HT_PLAN_RATE_MOST) {
        return ht_error_set(error, HT_RANGE, 0, "the price of balance is out of range");
    }
    enum ht_status status = reloads_check(problem, error);
    status = status == HT_OK ? stands_check(problem, error) : status;
    for (uint32_t i = 0; status == HT_OK && i < problem->task_count; i++) {
        status = task_check(problem, i, error);
    }
    bool alone = rides_or_due(problem);
    for (uint32_t i = 0; status == HT_OK && i < problem->vehicle_count; i++) {
        status = vehicle_check(problem, i, error);
        if (status == HT_OK && alone && problem->vehicles[i].break_count > 0) {
            const struct place place = {error, "vehicle", i};
            status = wrong(
                &place, "breaks don't go together with longest rides, soft windows or ready times");
        }
    }
    return status;
}
