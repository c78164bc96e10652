/* Where the search begins: steps that break a rule are refused, in VROOM's words and order (its
 * set_route), and not mended in silence. Vehicles that pin stops or may reload are spared: what
 * is not pinned of theirs is a wish, and where they reload is not theirs to say. */
#include <stdlib.h>

#include "api/vroom.h"
#include "engine/base/array.h"

struct walk {
    const struct ht_vroom *vroom;
    const struct ht_vehicle *vehicle;
    unsigned long long id;
    struct ht_error *error;
    int64_t *load; /* [amounts] */
    int64_t travel_s;
    int64_t distance_m;
    uint32_t open; /* shipments on board */
};

static enum ht_status refuse(const struct walk *walk, const char *words)
{
    return ht_error_set(walk->error, HT_INVALID, 0, "%s for vehicle %llu.", words, walk->id);
}

static bool spared(const struct ht_vehicle *vehicle)
{
    return vehicle->pinned > 0 || (vehicle->reloads != 0 && vehicle->trips_most > 1);
}

static int64_t amount_of(const int64_t *amounts, uint32_t d)
{
    return amounts == NULL ? 0 : amounts[d];
}

static bool load_fits(const struct walk *walk)
{
    for (uint32_t d = 0; d < walk->vroom->problem.amounts; d++) {
        if (walk->load[d] > walk->vehicle->capacity[d]) {
            return false;
        }
    }
    return true;
}

static bool skilled(const struct walk *walk, const struct ht_task *task)
{
    for (uint32_t i = 0; task->skills != NULL && i < walk->vroom->problem.skill_words; i++) {
        uint64_t has = walk->vehicle->skills == NULL ? 0 : walk->vehicle->skills[i];
        if ((task->skills[i] & ~has) != 0) {
            return false;
        }
    }
    return true;
}

static void way_add(struct walk *walk, uint32_t from, uint32_t to)
{
    const struct ht_problem *problem = &walk->vroom->problem;
    const struct ht_plan_profile *profile = &problem->profiles[walk->vehicle->profile];
    if (from == HT_PLAN_NONE || to == HT_PLAN_NONE) {
        return;
    }
    size_t cell = (size_t)from * problem->location_count + to;
    if (profile->duration_s[cell] != HT_PLAN_NO_WAY) { /* else it is out of reach */
        walk->travel_s += profile->duration_s[cell];
        walk->distance_m += profile->distance_m == NULL ? 0 : profile->distance_m[cell];
    }
}

/* Each delivery behind its pickup in the same list, what is pinned of it whole, too. */
static enum ht_status shipments_check(struct walk *walk)
{
    const struct ht_vehicle *vehicle = walk->vehicle;
    const struct ht_task *tasks = walk->vroom->problem.tasks;
    uint32_t open = 0;
    for (uint32_t i = 0; i < vehicle->task_count; i++) {
        enum ht_task_kind kind = tasks[vehicle->tasks[i]].kind;
        uint32_t before = kind == HT_TASK_DELIVERY ? 0 : i;
        while (before < i && vehicle->tasks[before] != vehicle->tasks[i] - 1) {
            before++;
        }
        if (kind == HT_TASK_DELIVERY && before == i) {
            return refuse(walk, "Invalid shipment in route");
        }
        open += kind == HT_TASK_PICKUP;
        open -= kind == HT_TASK_DELIVERY;
        if (i + 1 == vehicle->pinned && open > 0) {
            return refuse(walk, "Pinned stops hold half of a shipment");
        }
    }
    walk->open = open;
    return HT_OK;
}

static enum ht_status stop_check(struct walk *walk, uint32_t t)
{
    const struct ht_task *task = &walk->vroom->problem.tasks[t];
    if (!skilled(walk, task)) {
        return ht_error_set(walk->error, HT_INVALID, 0,
                            "Missing skill or step out of reach for vehicle %llu and job %llu.",
                            walk->id, (unsigned long long)walk->vroom->tasks[t].id);
    }
    for (uint32_t d = 0; d < walk->vroom->problem.amounts; d++) {
        int64_t up = amount_of(task->pickup, d);
        walk->load[d] += task->kind == HT_TASK_DELIVERY ? -up : up;
        walk->load[d] -= task->kind == HT_TASK_JOB ? amount_of(task->delivery, d) : 0;
    }
    return load_fits(walk) ? HT_OK : refuse(walk, "Route over capacity");
}

static enum ht_status route_check(struct walk *walk)
{
    const struct ht_vehicle *vehicle = walk->vehicle;
    const struct ht_task *tasks = walk->vroom->problem.tasks;
    uint32_t at = vehicle->start;
    for (uint32_t d = 0; d < walk->vroom->problem.amounts; d++) {
        walk->load[d] = 0;
        for (uint32_t i = 0; i < vehicle->task_count; i++) {
            const struct ht_task *task = &tasks[vehicle->tasks[i]];
            walk->load[d] += task->kind == HT_TASK_JOB ? amount_of(task->delivery, d) : 0;
        }
    }
    if (!load_fits(walk)) {
        return refuse(walk, "Route over capacity");
    }
    for (uint32_t i = 0; i < vehicle->task_count; i++) {
        enum ht_status status = stop_check(walk, vehicle->tasks[i]);
        if (status != HT_OK) {
            return status;
        }
        way_add(walk, at, tasks[vehicle->tasks[i]].location);
        at = tasks[vehicle->tasks[i]].location;
    }
    way_add(walk, at, vehicle->end);
    if (walk->travel_s > vehicle->travel_most_s) {
        return refuse(walk, "Route over max_travel_time");
    }
    if (walk->distance_m > vehicle->distance_most_m) {
        return refuse(walk, "Route over max_distance");
    }
    if (vehicle->task_count > vehicle->tasks_most) {
        return refuse(walk, "Too many tasks");
    }
    return walk->open > 0 ? refuse(walk, "Invalid shipment in route") : HT_OK;
}

static enum ht_status steps_check(const struct walk *none)
{
    const struct ht_vroom *vroom = none->vroom;
    for (uint32_t v = 0; v < vroom->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &vroom->problem.vehicles[v];
        struct walk walk = *none;
        walk.vehicle = vehicle;
        walk.id = vroom->vehicles[v].id;
        if (vehicle->task_count == 0) {
            continue;
        }
        enum ht_status status = shipments_check(&walk);
        if (status == HT_OK && !spared(vehicle)) {
            status = route_check(&walk);
        } else if (status == HT_OK && walk.open > 0) {
            status = refuse(&walk, "Invalid shipment in route");
        }
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

enum ht_status ht_vroom_solve(const struct ht_vroom *vroom, const struct ht_solve_options *options,
                              struct ht_plan **plan, struct ht_error *error)
{
    struct ht_solve_broken broken = {HT_PLAN_NONE, HT_PLAN_NONE};
    struct ht_solve_options whole = *options;
    const struct walk none = {.vroom = vroom,
                              .error = error,
                              .load = ht_array_new(vroom->problem.amounts, sizeof(int64_t))};
    enum ht_status status =
        none.load == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : steps_check(&none);
    free(none.load);
    if (status != HT_OK) {
        return status;
    }
    whole.whole = &broken;
    status = ht_solve_run(&vroom->problem, &whole, plan, error);
    if (status != HT_INVALID || broken.vehicle == HT_PLAN_NONE) {
        return status;
    }
    unsigned long long id = vroom->vehicles[broken.vehicle].id;
    if (broken.task == HT_PLAN_NONE) {
        return ht_error_set(error, status, 0, "Infeasible route for vehicle %llu.", id);
    }
    return ht_error_set(error, status, 0,
                        "Missing skill or step out of reach for vehicle %llu and job %llu.", id,
                        (unsigned long long)vroom->tasks[broken.task].id);
}
