#include "api/vroom_write.h"

#include <stdio.h>

/* Sums over routes, or over the steps of one. */
struct sums {
    int64_t cost; /* in 1 / HT_COST_SCALE */
    int64_t setup_s;
    int64_t service_s;
    int64_t travel_s;
    int64_t waiting_s;
    int64_t priority;
    int64_t distance_m;
    int64_t delivery[HT_PLAN_AMOUNTS_MOST];
    int64_t pickup[HT_PLAN_AMOUNTS_MOST];
};

static int64_t cost_of(int64_t scaled)
{
    return (scaled + HT_COST_SCALE / 2) / HT_COST_SCALE;
}

static void sums_task(const struct ht_vroom *vroom, const struct ht_task *task, struct sums *sums)
{
    for (uint32_t i = 0; i < vroom->problem.amounts; i++) {
        int64_t up = task->pickup == NULL ? 0 : task->pickup[i];
        sums->pickup[i] += task->kind == HT_TASK_DELIVERY ? 0 : up;
        sums->delivery[i] += task->kind == HT_TASK_DELIVERY ? up
                             : task->delivery == NULL       ? 0
                                                            : task->delivery[i];
    }
    /* VROOM counts both halves of a shipment */
    sums->priority += task->priority;
}

static void sums_route(const struct ht_vroom *vroom, const struct ht_plan_route *route,
                       struct sums *sums)
{
    const struct ht_plan_step *last = &route->steps[route->step_count - 1];
    sums->cost += route->cost;
    sums->travel_s += last->travel_s;
    sums->distance_m += last->distance_m;
    for (uint32_t s = 0; s < route->step_count; s++) {
        const struct ht_plan_step *step = &route->steps[s];
        sums->setup_s += step->setup_s;
        sums->service_s += step->service_s;
        sums->waiting_s += step->waiting_s;
        if (step->kind == HT_STEP_TASK) {
            sums_task(vroom, &vroom->problem.tasks[step->index], sums);
        }
    }
}

static void amounts_write(struct ht_json *json, const struct ht_vroom *vroom, const char *key,
                          const int64_t *amount)
{
    if (vroom->problem.amounts == 0) {
        return;
    }
    ht_json_key(json, key);
    ht_json_array(json);
    for (uint32_t i = 0; i < vroom->problem.amounts; i++) {
        ht_json_int(json, amount[i]);
    }
    ht_json_array_end(json);
}

static void sums_write(struct ht_json *json, const struct ht_vroom *vroom, const struct sums *sums)
{
    amounts_write(json, vroom, "delivery", sums->delivery);
    amounts_write(json, vroom, "amount", sums->delivery);
    amounts_write(json, vroom, "pickup", sums->pickup);
    ht_json_key_int(json, "setup", sums->setup_s);
    ht_json_key_int(json, "service", sums->service_s);
    ht_json_key_int(json, "duration", sums->travel_s);
    ht_json_key_int(json, "waiting_time", sums->waiting_s);
    ht_json_key_int(json, "priority", sums->priority);
    if (vroom->distances) {
        ht_json_key_int(json, "distance", sums->distance_m);
    }
}

/* What is broken; NULL: nothing. */
static void violations_write(struct ht_json *json, const struct ht_plan_fault *fault)
{
    static const char *const causes[] = {
        "lead_time",     "delay",           "load",     "max_tasks",   "skills", "precedence",
        "missing_break", "max_travel_time", "max_load", "max_distance"};
    ht_json_key(json, "violations");
    ht_json_array(json);
    for (int i = 0; fault != NULL && i < HT_CAUSES; i++) {
        if ((fault->causes >> i & 1) != 0) {
            ht_json_object(json);
            ht_json_key_text(json, "cause", causes[i]);
            if (i == HT_CAUSE_LEAD_TIME || i == HT_CAUSE_DELAY) {
                ht_json_key_int(json, "duration",
                                i == HT_CAUSE_DELAY ? fault->delay_s : fault->lead_s);
            }
            ht_json_object_end(json);
        }
    }
    ht_json_array_end(json);
}

static const struct ht_plan_fault *fault_at(const struct ht_plan_route *route, uint32_t index)
{
    return route->faults == NULL ? NULL : &route->faults[index];
}

static void location_write(struct ht_json *json, const struct ht_vroom *vroom, uint32_t location)
{
    const struct ht_vroom_place *place = &vroom->places[location];
    if (place->placed) {
        ht_json_key(json, "location");
        ht_json_array(json);
        ht_json_double(json, place->lon, 9);
        ht_json_double(json, place->lat, 9);
        ht_json_array_end(json);
    }
    if (vroom->indexed) {
        ht_json_key_int(json, "location_index", location);
    }
}

/* Where the vehicle stands, if that is elsewhere. */
static void parking_write(struct ht_json *json, const struct ht_vroom *vroom, uint32_t location)
{
    const uint32_t *stands = vroom->problem.stands;
    if (stands != NULL && stands[location] != location) {
        ht_json_key(json, "parking");
        ht_json_object(json);
        location_write(json, vroom, stands[location]);
        ht_json_object_end(json);
    }
}

static const char *task_type(const struct ht_task *task)
{
    return task->kind == HT_TASK_JOB ? "job" : task->kind == HT_TASK_PICKUP ? "pickup" : "delivery";
}

/* Of 64 bits, without a sign. */
static void id_write(struct ht_json *json, const char *key, uint64_t id)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    ht_json_key(json, key);
    ht_json_raw(json, text, (size_t)size);
}

static void name_write(struct ht_json *json, const struct ht_vroom_name *name)
{
    if (name->description != NULL) {
        ht_json_key_text(json, "description", name->description);
    }
}

/* What a step is and where: its type, words, place and id. */
static void step_what(struct ht_json *json, const struct ht_vroom *vroom,
                      const struct ht_plan_route *route, const struct ht_plan_step *step)
{
    const struct ht_vehicle *vehicle = &vroom->problem.vehicles[route->vehicle];
    switch (step->kind) {
    case HT_STEP_START:
        ht_json_key_text(json, "type", "start");
        location_write(json, vroom, vehicle->start);
        break;
    case HT_STEP_END:
        ht_json_key_text(json, "type", "end");
        location_write(json, vroom, vehicle->end);
        break;
    case HT_STEP_BREAK:
        ht_json_key_text(json, "type", "break");
        name_write(json, &vroom->breaks[route->vehicle][step->index]);
        id_write(json, "id", vroom->breaks[route->vehicle][step->index].id);
        break;
    case HT_STEP_RELOAD:
        ht_json_key_text(json, "type", "reload");
        location_write(json, vroom, vroom->problem.reloads[step->index].location);
        break;
    case HT_STEP_TASK:
        ht_json_key_text(json, "type", task_type(&vroom->problem.tasks[step->index]));
        name_write(json, &vroom->tasks[step->index]);
        location_write(json, vroom, vroom->problem.tasks[step->index].location);
        parking_write(json, vroom, vroom->problem.tasks[step->index].location);
        id_write(json, "id", vroom->tasks[step->index].id);
        break;
    }
}

static void step_write(struct ht_json *json, const struct ht_vroom *vroom,
                       const struct ht_plan_route *route, uint32_t index)
{
    const struct ht_plan_step *step = &route->steps[index];
    ht_json_object(json);
    step_what(json, vroom, route, step);
    ht_json_key_int(json, "setup", step->setup_s);
    ht_json_key_int(json, "service", step->service_s);
    ht_json_key_int(json, "waiting_time", step->waiting_s);
    if (step->kind == HT_STEP_TASK) {
        id_write(json, "job", vroom->tasks[step->index].id);
    }
    amounts_write(json, vroom, "load", route->load + (size_t)index * vroom->problem.amounts);
    ht_json_key_int(json, "arrival", step->arrival_s);
    ht_json_key_int(json, "duration", step->travel_s);
    violations_write(json, fault_at(route, index));
    if (vroom->distances) {
        ht_json_key_int(json, "distance", step->distance_m);
    }
    ht_json_object_end(json);
}

static void route_write(struct ht_json *json, const struct ht_vroom *vroom,
                        const struct ht_plan_route *route, const char *line)
{
    const struct ht_vehicle *vehicle = &vroom->problem.vehicles[route->vehicle];
    struct sums sums = {0};
    sums_route(vroom, route, &sums);
    ht_json_object(json);
    id_write(json, "vehicle", vroom->vehicles[route->vehicle].id);
    ht_json_key_int(json, "cost", cost_of(route->cost));
    name_write(json, &vroom->vehicles[route->vehicle]);
    sums_write(json, vroom, &sums);
    ht_json_key(json, "steps");
    ht_json_array(json);
    for (uint32_t s = 0; s < route->step_count; s++) {
        enum ht_plan_step_kind kind = route->steps[s].kind;
        if ((kind == HT_STEP_START && vehicle->start == HT_PLAN_NONE) ||
            (kind == HT_STEP_END && vehicle->end == HT_PLAN_NONE)) {
            continue; /* it has none */
        }
        step_write(json, vroom, route, s);
    }
    ht_json_array_end(json);
    violations_write(json, fault_at(route, route->step_count));
    if (line != NULL) {
        ht_json_key_text(json, "geometry", line);
    }
    ht_json_object_end(json);
}

static void missing_write(struct ht_json *json, const struct ht_vroom *vroom,
                          const struct ht_plan_missing *missing)
{
    static const char *const reasons[] = {"none",         "skills",    "capacity",
                                          "no_way",       "max_tasks", "max_travel_time",
                                          "max_distance", "window",    "full"};
    const struct ht_task *task = &vroom->problem.tasks[missing->task];
    ht_json_object(json);
    id_write(json, "id", vroom->tasks[missing->task].id);
    location_write(json, vroom, task->location);
    ht_json_key_text(json, "type", task_type(task));
    name_write(json, &vroom->tasks[missing->task]);
    if (!vroom->given) {
        ht_json_key_text(json, "reason", reasons[missing->reason]);
    }
    ht_json_object_end(json);
}

static void summary_write(struct ht_json *json, const struct ht_vroom *vroom,
                          const struct ht_plan *plan, const struct ht_vroom_times *times)
{
    struct sums sums = {0};
    struct ht_plan_fault all = {0};
    int64_t cost = 0;
    for (uint32_t r = 0; r < plan->route_count; r++) {
        sums_route(vroom, &plan->routes[r], &sums);
        cost += cost_of(plan->routes[r].cost);
        const struct ht_plan_fault *fault = fault_at(&plan->routes[r], plan->routes[r].step_count);
        all.causes |= fault == NULL ? 0 : fault->causes;
        all.lead_s += fault == NULL ? 0 : fault->lead_s;
        all.delay_s += fault == NULL ? 0 : fault->delay_s;
    }
    ht_json_key(json, "summary");
    ht_json_object(json);
    ht_json_key_int(json, "cost", cost);
    ht_json_key_int(json, "routes", plan->route_count);
    ht_json_key_int(json, "unassigned", plan->missing_count);
    sums_write(json, vroom, &sums);
    violations_write(json, &all);
    ht_json_key(json, "computing_times");
    ht_json_object(json);
    ht_json_key_int(json, "loading", times->loading_ms);
    ht_json_key_int(json, "solving", plan->time_ms);
    ht_json_key_int(json, "routing", times->routing_ms);
    ht_json_key_int(json, "iterations", (int64_t)plan->iterations);
    ht_json_object_end(json);
    ht_json_object_end(json);
}

void ht_vroom_write(struct ht_buffer *out, const struct ht_vroom *vroom, const struct ht_plan *plan,
                    const struct ht_vroom_times *times)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_int(&json, "code", HT_VROOM_OK);
    summary_write(&json, vroom, plan, times);
    ht_json_key(&json, "unassigned");
    ht_json_array(&json);
    for (uint32_t i = 0; i < plan->missing_count; i++) {
        missing_write(&json, vroom, &plan->missing[i]);
    }
    ht_json_array_end(&json);
    ht_json_key(&json, "routes");
    ht_json_array(&json);
    for (uint32_t r = 0; r < plan->route_count; r++) {
        route_write(&json, vroom, &plan->routes[r], times->lines == NULL ? NULL : times->lines[r]);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

void ht_vroom_write_error(struct ht_buffer *out, int code, const char *message)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_int(&json, "code", code);
    ht_json_key_text(&json, "error", message);
    ht_json_object_end(&json);
}
